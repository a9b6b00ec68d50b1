//! Coverage intervals from a sample (JCGM 101:2008, 7.7).

use fearless_simd::{Level, Simd as _, dispatch};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::elementary;

/// Both ends of the intervals, and how well the number of trials knows them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intervals {
    pub shortest: [f64; 2],
    pub symmetric: [f64; 2],
    pub symmetric_error: [f64; 2],
}

/// Number of trials that an interval spans: the integer nearest to p·M (7.7.2).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to M − 1"
)]
pub fn span(trials: usize, coverage: f64) -> usize {
    ((coverage * trials as f64 + 0.5).floor() as usize).min(trials - 1)
}

/// First trial, counted from 0, of the symmetric interval: r = (M − q)/2, or the integer
/// part of (M − q + 1)/2, counted from 1 (7.7.2).
pub fn symmetric_first(trials: usize, span: usize) -> usize {
    (trials - span).div_ceil(2) - 1
}

/// Values that are looked at to guess where the tails begin.
const PILOT: usize = 1 << 12;

/// The ordered tails of a sample: everything that an interval can end at.
pub struct Tails {
    trials: usize,
    span: usize,
    /// The smallest M − q values, ascending.
    low: Vec<f64>,
    /// The largest M − q values, ascending.
    high: Vec<f64>,
}

/// Order of numbers as order of integers, so that sorting needs no comparison of floats.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    bits ^ ((bits.cast_signed() >> 63).cast_unsigned() | (1 << 63))
}

fn value_of(key: u64) -> f64 {
    let flip = if key >> 63 == 1 { 1 << 63 } else { u64::MAX };
    f64::from_bits(key ^ flip)
}

impl Tails {
    /// `values` finite, at least two.
    pub fn new(values: &[f64], coverage: f64) -> Self {
        let trials = values.len();
        let span = span(trials, coverage);
        let wanted = trials - span;
        let [low, high] = if trials <= 2 * PILOT {
            [keys(values), keys(values)]
        } else {
            // Where the guess left too few (a sample that is not exchangeable) all values are
            // ordered.
            collect(values, guess(values, coverage)).map(|kept| {
                if kept.len() < wanted {
                    keys(values)
                } else {
                    kept
                }
            })
        };
        let (low, high) = rayon::join(|| smallest(low, wanted), || largest(high, wanted));
        Self {
            trials,
            span,
            low,
            high,
        }
    }

    /// The interval that begins at the trial with that rank.
    fn from(&self, first: usize) -> [f64; 2] {
        [self.low[first], self.high[first]]
    }

    /// The symmetric interval.
    pub fn ends(&self) -> [f64; 2] {
        self.from(symmetric_first(self.trials, self.span))
    }

    /// The central interval of another probability, as far as the tails reach.
    pub fn central(&self, coverage: f64) -> [f64; 2] {
        let span = span(self.trials, coverage);
        let first = symmetric_first(self.trials, span).min(self.low.len() - 1);
        [self.low[first], self.high[self.high.len() - 1 - first]]
    }

    pub fn intervals(&self) -> Intervals {
        let width = |first: usize| self.high[first] - self.low[first];
        let candidates = self.low.len();
        let best = (1..candidates).fold(0, |best, first| {
            if width(first) < width(best) {
                first
            } else {
                best
            }
        });
        let first = symmetric_first(self.trials, self.span);
        // Ranks one standard error of a quantile away (order statistics of a binomial).
        let share = first as f64 / self.trials as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "far below M"
        )]
        let step = ((self.trials as f64 * share * (1.0 - share)).sqrt() as usize).max(1);
        let (left, right) = (
            first.saturating_sub(step),
            (first + step).min(candidates - 1),
        );
        let error = |side: &[f64]| (side[right] - side[left]) * step as f64 / (right - left) as f64;
        Intervals {
            shortest: self.from(best),
            symmetric: self.from(first),
            symmetric_error: [error(&self.low), error(&self.high)],
        }
    }
}

/// Values that surely enclose the tails, from the first ones.
fn guess(values: &[f64], coverage: f64) -> [f64; 2] {
    // More of a long run: less beyond the tails is then kept.
    let mut pilot = keys(&values[..PILOT.max(values.len() / 256)]);
    let count = pilot.len() as f64;
    // Six standard errors of a quantile on the safe side.
    let margin = 6.0 * (coverage * (1.0 - coverage) / count).sqrt() + 2.0 / count;
    let rank = (1.0 - coverage + margin) * count;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank"
    )]
    let rank = (rank as usize).min(pilot.len() - 1);
    [rank, pilot.len() - 1 - rank].map(|rank| value_of(*pilot.select_nth_unstable(rank).1))
}

/// Values that one task looks through.
const SEARCHED: usize = 1 << 16;

/// Keys of the values up to the first guess and from the second one on, in any order.
fn collect(values: &[f64], [below, above]: [f64; 2]) -> [Vec<u64>; 2] {
    let nothing = || [Vec::new(), Vec::new()];
    let add = |mut kept: [Vec<u64>; 2], values: &[f64]| {
        dispatch!(Level::new(), simd => {
            simd.vectorize(
                #[inline(always)]
                || collect_inside(values, [below, above], &mut kept),
            );
        });
        kept
    };
    let join = |mut first: [Vec<u64>; 2], second: [Vec<u64>; 2]| {
        for (first, mut second) in first.iter_mut().zip(second) {
            first.append(&mut second);
        }
        first
    };
    values
        .par_chunks(SEARCHED)
        .fold(nothing, add)
        .reduce(nothing, join)
}

/// Most values are in the middle: 64 at a time are compared, and only those outside visited.
#[inline(always)]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a jump a value takes longer than both comparisons"
)]
fn collect_inside(values: &[f64], [below, above]: [f64; 2], [low, high]: &mut [Vec<u64>; 2]) {
    let mut visit = |value: f64| {
        if value <= below {
            low.push(key(value));
        }
        if value >= above {
            high.push(key(value));
        }
    };
    let (groups, rest) = values.as_chunks::<64>();
    for group in groups {
        let mut outside = 0_u64;
        for (at, &value) in group.iter().enumerate() {
            outside |= u64::from((value <= below) | (value >= above)) << at;
        }
        while outside != 0 {
            visit(group[outside.trailing_zeros() as usize]);
            outside &= outside - 1;
        }
    }
    rest.iter().copied().for_each(visit);
}

fn keys(values: &[f64]) -> Vec<u64> {
    values.iter().map(|&value| key(value)).collect()
}

/// The smallest `wanted` values, ascending; at least one is wanted, and no more than there are.
fn smallest(mut keys: Vec<u64>, wanted: usize) -> Vec<f64> {
    keys.select_nth_unstable(wanted - 1);
    keys.truncate(wanted);
    in_order(keys)
}

/// The largest `wanted` values, ascending.
fn largest(mut keys: Vec<u64>, wanted: usize) -> Vec<f64> {
    let rest = keys.len() - wanted;
    keys.select_nth_unstable(rest);
    keys.drain(..rest);
    in_order(keys)
}

fn in_order(mut keys: Vec<u64>) -> Vec<f64> {
    keys.sort_unstable();
    // In the same memory.
    keys.into_iter().map(value_of).collect()
}

/// Counts of trials in 40 bins of equal width over the central 99.9 %; `outside` counts
/// the trials left and right of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Where the first bin begins, in the unit of the output.
    pub low: f64,
    /// Width of each bin, in the unit of the output; 0 for an output without spread.
    pub width: f64,
    /// Trials in each bin, in ascending order.
    pub counts: Vec<u64>,
    /// Trials below the first bin and above the last one.
    pub outside: [u64; 2],
}

/// Bins of the histogram.
pub const BINS: usize = 40;

impl Histogram {
    /// Counts of `values` over `low` to `high`.
    pub fn of(values: &[f64], low: f64, high: f64) -> Self {
        let parts = values.par_chunks(1 << 16).map(|part| {
            let mut histogram = Self::over(low, high);
            histogram.count(part);
            histogram
        });
        // Whole numbers: the order of the sums is of no account.
        parts.reduce(|| Self::over(low, high), Self::plus)
    }

    fn plus(mut self, other: Self) -> Self {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        for (count, more) in self.outside.iter_mut().zip(other.outside) {
            *count += more;
        }
        self
    }

    fn over(low: f64, high: f64) -> Self {
        Self {
            low,
            width: (high - low) / BINS as f64,
            counts: vec![0; BINS],
            outside: [0, 0],
        }
    }

    /// Counts of cells over `low` to `high`.
    pub fn weighted(cells: impl Iterator<Item = (f64, u64)>, low: f64, high: f64) -> Self {
        let mut histogram = Self::over(low, high);
        let bins = histogram.bins();
        let mut counts = [0; CELLS];
        for (value, count) in cells {
            counts[bins.of(value)] += count;
        }
        histogram.add(&counts);
        histogram
    }

    fn count(&mut self, values: &[f64]) {
        dispatch!(Level::new(), simd => {
            simd.vectorize(
                #[inline(always)]
                || self.count_inside(values),
            );
        });
    }

    #[inline(always)]
    fn count_inside(&mut self, values: &[f64]) {
        let bins = self.bins();
        // Four counters a bin: the next value often falls into the same bin, and would wait
        // for the sum.
        let mut counts = [[0_u64; CELLS]; 4];
        let (groups, rest) = values.as_chunks::<64>();
        for group in groups {
            let at = group.map(
                #[inline(always)]
                |value| bins.of(value),
            );
            for at in at.as_chunks::<4>().0 {
                for (counts, &at) in counts.iter_mut().zip(at) {
                    counts[at] += 1;
                }
            }
        }
        for &value in rest {
            counts[0][bins.of(value)] += 1;
        }
        for counts in &counts {
            self.add(counts);
        }
    }

    fn add(&mut self, counts: &[u64; CELLS]) {
        for (count, more) in self.counts.iter_mut().zip(&counts[1..]) {
            *count += more;
        }
        self.outside[0] += counts[0];
        self.outside[1] += counts[BINS + 1];
    }

    fn bins(&self) -> Bins {
        // The upper end itself belongs to the last bin.
        let scale = if self.width > 0.0 {
            (1.0 - 1e-12) / self.width
        } else {
            0.0
        };
        Bins {
            low: self.low,
            scale,
        }
    }

    /// All trials.
    pub fn total(&self) -> u64 {
        self.counts.iter().chain(&self.outside).sum()
    }
}

/// Cells of the count: one left of the bins, one right of them, up to a power of two.
const CELLS: usize = 64;

/// Where a value is counted: 0 is left of the bins, 41 right of them. A result without
/// spread falls into the first bin.
struct Bins {
    low: f64,
    scale: f64,
}

impl Bins {
    #[inline(always)]
    fn of(&self, value: f64) -> usize {
        let place = (value - self.low) * self.scale + 1.0;
        let place = if place > 0.0 { place } else { 0.0 };
        let most = BINS as f64 + 1.5;
        let place = if place < most { place } else { most };
        let bits = ((place - 0.499_999_999_999) + elementary::ROUND).to_bits();
        #[expect(clippy::cast_possible_truncation, reason = "the low six bits")]
        let cell = bits as usize & (CELLS - 1);
        cell
    }
}
