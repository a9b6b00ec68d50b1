//! Which entries the list shows. A long record is looked through piece by piece, so that no
//! key waits for it.

use heng_records::Entry;

use super::outline::Kind;
use crate::tui::format::one_line;
use crate::tui::said::Said;

#[derive(Debug, Default)]
pub struct Filter {
    kind: Option<Kind>,
    text: String,
    /// Places that fit, among those that were looked at.
    found: Vec<usize>,
    looked: usize,
}

impl Filter {
    pub const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub const fn is_active(&self) -> bool {
        self.kind.is_some() || !self.text.is_empty()
    }

    pub fn found(&self) -> &[usize] {
        &self.found
    }

    pub fn set_kind(&mut self, kind: Option<Kind>) {
        self.kind = kind;
        self.begin();
    }

    /// Capital letters and small ones are the same.
    pub fn set_text(&mut self, text: &str) {
        self.text = text.trim().to_lowercase();
        self.begin();
    }

    fn begin(&mut self) {
        self.found.clear();
        self.looked = 0;
    }

    pub const fn is_done(&self, entries: &[Entry]) -> bool {
        !self.is_active() || self.looked >= entries.len()
    }

    /// Looks at so many entries more.
    pub fn look(&mut self, entries: &[Entry], said: &Said, most: usize) {
        if self.is_done(entries) {
            return;
        }
        let end = self.looked.saturating_add(most).min(entries.len());
        for at in self.looked..end {
            if self.takes(&entries[at], said) {
                self.found.push(at);
            }
        }
        self.looked = end;
    }

    fn takes(&self, entry: &Entry, said: &Said) -> bool {
        let of_kind = self.kind.is_none_or(|kind| kind == Kind::of(&entry.event));
        of_kind
            && (self.text.is_empty() || {
                let said = one_line(&said.say(&entry.event));
                said.to_lowercase().contains(&self.text)
            })
    }

    /// The first place that fits behind `at`.
    pub fn after(&self, at: usize) -> Option<usize> {
        let next = self.found.partition_point(|&place| place <= at);
        self.found.get(next).copied()
    }

    /// The last place that fits in front of `at`.
    pub fn before(&self, at: usize) -> Option<usize> {
        let next = self.found.partition_point(|&place| place < at);
        next.checked_sub(1).map(|before| self.found[before])
    }
}
