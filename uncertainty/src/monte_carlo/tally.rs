//! Counts of trials in cells of equal relative width, for runs too long to keep.
//!
//! A cell is a distance from a centre, given by sign, power of two and the next 18 bits: its
//! width is at most 2⁻¹⁸ (4·10⁻⁶) of the distance. Whole powers of two are kept only where
//! trials fall, so that a law with heavy tails costs memory but no accuracy.

use super::intervals::{Histogram, Intervals, span, symmetric_first};

/// Bits of the distance beside its power of two.
const BITS: u32 = 18;

/// Distances below 2⁻²⁴ of the scale are one cell.
const FINEST: f64 = 1.0 / 16_777_216.0;

#[derive(Debug)]
pub struct Tally {
    centre: f64,
    /// Bits of the smallest distance that is told from 0.
    base: u64,
    /// Trials left of the centre, and from it on to the right.
    sides: [Side; 2],
    trials: u64,
}

/// Cells by power of two, from the finest on.
#[derive(Debug, Default)]
struct Side(Vec<Option<Box<[u64]>>>);

impl Tally {
    /// `scale` is about the standard deviation and positive.
    pub fn new(centre: f64, scale: f64) -> Self {
        Self {
            centre,
            base: (scale * FINEST).to_bits() >> (52 - BITS),
            sides: [Side::default(), Side::default()],
            trials: 0,
        }
    }

    pub fn count(&mut self, values: &[f64]) {
        let (centre, base) = (self.centre, self.base);
        let [left, right] = &mut self.sides;
        // A side a thread; whole numbers, so that the order is of no account.
        rayon::join(
            || left.count(values, base, |value| centre - value, false),
            || right.count(values, base, |value| value - centre, true),
        );
        self.trials += values.len() as u64;
    }

    /// Intervals to the width of a cell.
    pub fn intervals(&self, coverage: f64) -> Intervals {
        let cells = self.cells();
        let trials = usize::try_from(self.trials).unwrap_or(usize::MAX);
        let span = span(trials, coverage);
        let first = symmetric_first(trials, span);
        let ends = |first: usize| [cells.at(first), cells.at(first + span)];
        let share = first as f64 / trials as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "far below the number of trials"
        )]
        let step = ((trials as f64 * share * (1.0 - share)).sqrt() as usize).max(1);
        let (below, above) = (ends(first.saturating_sub(step)), ends(first + step));
        let error =
            [0, 1].map(|end| 0.5 * (above[end] - below[end]) + cells.width(ends(first)[end]));
        Intervals {
            shortest: cells.shortest(span),
            symmetric: ends(first),
            symmetric_error: error,
        }
    }

    /// The central interval of a probability.
    pub fn central(&self, coverage: f64) -> [f64; 2] {
        self.intervals(coverage).symmetric
    }

    /// Whole cells counted where their middle lies.
    pub fn histogram(&self, [low, high]: [f64; 2]) -> Histogram {
        let cells = self.cells();
        let mut before = 0;
        let counted = cells.edges.iter().zip(&cells.up_to).map(|(edges, &up_to)| {
            let count = up_to - before;
            before = up_to;
            (0.5 * (edges[0] + edges[1]), count)
        });
        Histogram::weighted(counted, low, high)
    }

    /// All cells that hold trials, in ascending order.
    fn cells(&self) -> Cells {
        let [left, right] = &self.sides;
        let mut cells = Cells {
            edges: Vec::new(),
            up_to: Vec::new(),
        };
        let mut total = 0;
        for (index, count) in left.filled().rev() {
            let (near, far) = (self.distance(index), self.distance(index + 1));
            total += count;
            cells.edges.push([self.centre - far, self.centre - near]);
            cells.up_to.push(total);
        }
        for (index, count) in right.filled() {
            let (near, far) = (self.distance(index), self.distance(index + 1));
            total += count;
            cells.edges.push([self.centre + near, self.centre + far]);
            cells.up_to.push(total);
        }
        cells
    }

    /// Distance from the centre at which a cell begins.
    fn distance(&self, index: u64) -> f64 {
        if index == 0 {
            0.0
        } else {
            f64::from_bits((self.base + index) << (52 - BITS))
        }
    }
}

impl Side {
    fn count(
        &mut self,
        values: &[f64],
        base: u64,
        distance: impl Fn(f64) -> f64,
        with_centre: bool,
    ) {
        for &value in values {
            let distance = distance(value);
            if distance > 0.0 || (with_centre && distance == 0.0) {
                let index = (distance.to_bits() >> (52 - BITS)).saturating_sub(base);
                let (page, cell) = (index >> BITS, index & ((1 << BITS) - 1));
                #[expect(clippy::cast_possible_truncation, reason = "at most 2¹⁸")]
                let (page, cell) = (page as usize, cell as usize);
                if self.0.len() <= page {
                    self.0.resize_with(page + 1, || None);
                }
                let page =
                    self.0[page].get_or_insert_with(|| vec![0; 1 << BITS].into_boxed_slice());
                page[cell] += 1;
            }
        }
    }

    /// Index and count of every cell that holds trials.
    fn filled(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        self.0.iter().enumerate().flat_map(|(page, cells)| {
            let first = (page as u64) << BITS;
            let cells = cells.iter().flat_map(|cells| cells.iter().enumerate());
            cells
                .filter(|(_, count)| **count > 0)
                .map(move |(cell, &count)| (first + cell as u64, count))
        })
    }
}

struct Cells {
    edges: Vec<[f64; 2]>,
    /// Trials in this cell and all before it.
    up_to: Vec<u64>,
}

impl Cells {
    fn find(&self, rank: u64) -> usize {
        let at = self.up_to.partition_point(|&up_to| up_to <= rank);
        at.min(self.up_to.len() - 1)
    }

    /// Value of the trial with that rank, as if the trials of a cell lay evenly in it.
    fn at(&self, rank: usize) -> f64 {
        let rank = rank as u64;
        let cell = self.find(rank);
        let before = cell.checked_sub(1).map_or(0, |before| self.up_to[before]);
        let inside = (rank.saturating_sub(before)) as f64 + 0.5;
        let [low, high] = self.edges[cell];
        low + (high - low) * (inside / (self.up_to[cell] - before) as f64).min(1.0)
    }

    fn width(&self, value: f64) -> f64 {
        let cell = self.edges.partition_point(|edges| edges[1] < value);
        let [low, high] = self.edges[cell.min(self.edges.len() - 1)];
        high - low
    }

    /// The shortest interval that begins at the first trial of a cell.
    fn shortest(&self, span: usize) -> [f64; 2] {
        let span = span as u64;
        let total = self.up_to.last().copied().unwrap_or_default();
        let mut best = [f64::NEG_INFINITY, f64::INFINITY];
        let (mut first, mut end) = (0_u64, 0);
        for (cell, &up_to) in self.up_to.iter().enumerate() {
            let last = first + span;
            if last >= total {
                break;
            }
            while self.up_to[end] <= last {
                end += 1;
            }
            let low = self.edges[cell][0];
            let before = end.checked_sub(1).map_or(0, |before| self.up_to[before]);
            let [left, right] = self.edges[end];
            let inside = (last - before) as f64 + 1.0;
            let high = left + (right - left) * inside / (self.up_to[end] - before) as f64;
            if high - low < best[1] - best[0] {
                best = [low, high];
            }
            first = up_to;
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::super::intervals::Tails;
    use super::*;
    use crate::random::{Key, Narrow};

    #[test]
    fn cells_give_the_intervals_of_the_trials_themselves() {
        let mut narrow = Narrow::new(Key::of_seed(5));
        // A skew law, so that both intervals differ: the square of a uniform number.
        let mut draw = || {
            let x = narrow.uniform();
            3.0 + x * x
        };
        let values: Vec<f64> = (0..400_000).map(|_| draw()).collect();
        let mut tally = Tally::new(3.4, 0.3);
        for part in values.chunks(50_000) {
            tally.count(part);
        }
        let (cells, exact) = (tally.intervals(0.9), Tails::new(&values, 0.9).intervals());
        // Two cells of 2⁻¹⁸ of the distance from the centre, and the spacing of the trials.
        let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs().max((a[1] - b[1]).abs()) < 1e-5;
        assert!(
            near(cells.symmetric, exact.symmetric),
            "{cells:?} {exact:?}"
        );
        let length = |ends: [f64; 2]| ends[1] - ends[0];
        let (ours, theirs) = (length(cells.shortest), length(exact.shortest));
        assert!((ours - theirs).abs() < 1e-5, "{cells:?} {exact:?}");
        // One standard error apart from the other estimate by at most a fifth.
        for end in [0, 1] {
            let ratio = cells.symmetric_error[end] / exact.symmetric_error[end];
            assert!((0.8..1.25).contains(&ratio), "{ratio}");
        }
    }

    #[test]
    fn trials_at_and_far_from_the_centre_are_counted() {
        let mut tally = Tally::new(0.0, 1.0);
        let values = [0.0, -0.0, 1e-30, -1e-30, 1e300, -1e300, 5e-324, f64::MAX];
        tally.count(&values);
        assert_eq!(tally.cells().up_to.last(), Some(&8));
    }
}
