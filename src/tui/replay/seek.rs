//! The view at any entry of a record, without folding the record anew each time.

use heng_records::Entry;

use crate::tui::view::View;

/// Views kept over a record at most, and entries between two of them at least.
const KEPT: usize = 16;
const LEAST: usize = 4096;
/// A view is kept so far in front of the place of a jump: steps back from there are short.
const NEAR: usize = 256;

#[derive(Debug)]
pub struct Seek {
    /// Entries that the view has taken.
    taken: usize,
    every: usize,
    /// Views with the number of entries that they have taken, in order.
    kept: Vec<(usize, View)>,
    near: Option<(usize, View)>,
}

impl Seek {
    pub fn over(entries: &[Entry]) -> Self {
        Self {
            taken: 0,
            every: LEAST.max(entries.len().div_ceil(KEPT)),
            kept: Vec::new(),
            near: None,
        }
    }

    pub const fn taken(&self) -> usize {
        self.taken
    }

    /// Brings the view to the one that has taken `wanted` entries, or nearer to it by `most`
    /// entries.
    pub fn towards(&mut self, view: &mut View, entries: &[Entry], wanted: usize, most: usize) {
        let wanted = wanted.min(entries.len());
        let kept = self.kept.iter().rfind(|(taken, _)| *taken <= wanted);
        let near = self.near.iter().find(|(taken, _)| *taken <= wanted);
        let best = kept.into_iter().chain(near).max_by_key(|(taken, _)| *taken);
        let reach = best.map_or(0, |(taken, _)| *taken);
        if wanted < self.taken || reach > self.taken {
            *view = best.map_or_else(View::default, |(_, view)| view.clone());
            self.taken = reach;
        }
        let end = wanted.min(self.taken.saturating_add(most));
        while self.taken < end {
            self.keep(view, wanted);
            view.apply(&entries[self.taken]);
            self.taken += 1;
        }
    }

    fn keep(&mut self, view: &View, wanted: usize) {
        let last = self.kept.last().map_or(0, |(taken, _)| *taken);
        if self.taken > last && self.taken.is_multiple_of(self.every) {
            self.kept.push((self.taken, view.clone()));
        }
        if self.taken > 0 && self.taken + NEAR == wanted {
            self.near = Some((self.taken, view.clone()));
        }
    }

    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.kept.len()
    }
}
