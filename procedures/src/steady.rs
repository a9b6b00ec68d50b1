//! Steady state as a computed verdict: what the readings of a sliding window say against the
//! limits of a criterion.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use heng_quantities::{Decimal, Unit};
use heng_uncertainty::{Slope, slope};

use crate::criterion::{Criterion, WindowKind};
use crate::outcome::{CriterionState, Scan, Soak};
use crate::schema::{Procedure, SteadyRules};

/// One value in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub t_us: u64,
    pub value: Value,
}

/// A reading with the digits of its instrument, or a computed number that has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Digits(Decimal),
    Number(f64),
}

impl Value {
    /// The binary number nearest to it.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Digits(digits) => digits.to_f64(),
            Self::Number(number) => number,
        }
    }

    /// The difference, in digits where both have them.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let exact = || {
            let (Self::Digits(a), Self::Digits(b)) = (self, other) else {
                return None;
            };
            let exponent = a.exponent().min(b.exponent());
            let steps = a.steps(exponent)?.checked_sub(b.steps(exponent)?)?;
            Some(Self::Digits(Decimal::new(steps, exponent)))
        };
        exact().unwrap_or_else(|| Self::Number(self.to_f64() - other.to_f64()))
    }
}

/// Figures of a run of samples.
struct Figures {
    count: usize,
    /// Time from the first to the last sample.
    covered_s: f64,
    range: f64,
    /// None for fewer than three samples.
    slope: Option<Slope>,
}

/// A sample with its binary number: reading it from the digits at every verdict would take
/// longer than everything else.
#[derive(Debug, Clone, Copy)]
struct Held {
    sample: Sample,
    number: f64,
}

impl Held {
    /// Power of ten of the last digit; none where there are no digits.
    const fn exponent(&self) -> Option<i8> {
        match self.sample.value {
            Value::Digits(digits) => Some(digits.exponent()),
            Value::Number(_) => None,
        }
    }

    /// Whether it is not below `other`: by their digits where these count the same steps.
    fn reaches(&self, other: &Self) -> bool {
        match (self.sample.value, other.sample.value) {
            (Value::Digits(a), Value::Digits(b)) if a.exponent() == b.exponent() => {
                a.digits() >= b.digits()
            }
            _ => self.number >= other.number,
        }
    }

    /// Whether its place among others is not certain: zeros of both signs are equal, and what
    /// is not a number has no place.
    fn is_odd(&self) -> bool {
        self.number == 0.0 || self.number.is_nan()
    }
}

/// The samples of a window, and its extremes without a look at all of them.
#[derive(Debug, Clone, Default)]
struct Run {
    held: VecDeque<Held>,
    /// Samples dropped since the beginning: the number of the first that is held.
    dropped: u64,
    /// Samples that no later one reaches, with their numbers: the first is the highest.
    high: VecDeque<(u64, Held)>,
    /// Those that reach no later one: the first is the lowest.
    low: VecDeque<(u64, Held)>,
    /// Neighbours that count other steps, and samples that are odd.
    uneven: usize,
    odd: usize,
}

impl Run {
    fn push(&mut self, new: Held) {
        let number = self.dropped + self.held.len() as u64;
        while self.high.pop_back_if(|(_, old)| new.reaches(old)).is_some() {}
        self.high.push_back((number, new));
        while self.low.pop_back_if(|(_, old)| old.reaches(&new)).is_some() {}
        self.low.push_back((number, new));
        let before = self.held.back();
        self.uneven += usize::from(before.is_some_and(|one| one.exponent() != new.exponent()));
        self.odd += usize::from(new.is_odd());
        self.held.push_back(new);
    }

    /// Drops the first samples.
    fn drop_first(&mut self, count: usize) {
        for _ in 0..count {
            let Some(old) = self.held.pop_front() else {
                return;
            };
            let after = self.held.front();
            self.uneven -= usize::from(after.is_some_and(|one| one.exponent() != old.exponent()));
            self.odd -= usize::from(old.is_odd());
            self.dropped += 1;
        }
        for queue in [&mut self.high, &mut self.low] {
            while queue
                .pop_front_if(|(number, _)| *number < self.dropped)
                .is_some()
            {}
        }
    }

    /// Highest minus lowest. Counted on integers of the last digit where all samples have
    /// digits, so that it is the binary number nearest to the true difference: as binary
    /// fractions, 20.3 − 20.1 is more than 0.2.
    fn range(&self) -> f64 {
        self.range_of_extremes()
            .unwrap_or_else(|| range_of_all(&self.held))
    }

    /// The same, where all samples count the same steps, or have no digits and none is odd.
    fn range_of_extremes(&self) -> Option<f64> {
        let (Some((_, high)), Some((_, low)), 0) =
            (self.high.front(), self.low.front(), self.uneven)
        else {
            return None;
        };
        match (high.sample.value, low.sample.value) {
            (Value::Digits(high), Value::Digits(low)) => {
                let steps = high.digits().checked_sub(low.digits())?;
                Some(Decimal::new(steps, high.exponent()).to_f64())
            }
            _ => (self.odd == 0).then_some(high.number - low.number),
        }
    }
}

/// Figures of `run`, whose times never fall.
fn figures(run: &Run) -> Figures {
    let held = &run.held;
    let first_us = held.front().map_or(0, |one| one.sample.t_us);
    let last_us = held.back().map_or(0, |one| one.sample.t_us);
    let values: Vec<f64> = held.iter().map(|one| one.number).collect();
    // Times from the first sample: microseconds of a long session would cost digits.
    let t_h: Vec<f64> = held
        .iter()
        .map(|one| seconds(one.sample.t_us.saturating_sub(first_us)) / 3600.0)
        .collect();
    Figures {
        count: held.len(),
        covered_s: seconds(last_us.saturating_sub(first_us)),
        range: run.range(),
        slope: slope(&t_h, &values),
    }
}

/// What [`Run::range`] is, by its definition.
fn range_of_all(held: &VecDeque<Held>) -> f64 {
    let binary = || {
        let values = || held.iter().map(|one| one.number);
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        if held.is_empty() { 0.0 } else { high - low }
    };
    exact_range(held).map_or_else(binary, Decimal::to_f64)
}

fn exact_range(held: &VecDeque<Held>) -> Option<Decimal> {
    let digits = || {
        held.iter().map(|one| match one.sample.value {
            Value::Digits(digits) => Some(digits),
            Value::Number(_) => None,
        })
    };
    let exponent = digits().try_fold(i8::MAX, |least, one| Some(least.min(one?.exponent())))?;
    let steps = digits()
        .map(|one| one?.steps(exponent))
        .collect::<Option<Vec<_>>>()?;
    let range = steps.iter().max()?.checked_sub(*steps.iter().min()?)?;
    Some(Decimal::new(range, exponent))
}

pub(crate) fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// Microseconds of a time in seconds; zero for what is not a time.
pub(crate) fn micros(s: f64) -> u64 {
    let duration = Duration::try_from_secs_f64(s).unwrap_or_default();
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The readings of one signal, judged by one criterion: the only place where a steady state
/// is decided, for a run, its replay, and old data.
#[derive(Debug, Clone)]
pub struct Window {
    criterion: Criterion,
    /// Of a difference.
    unit: Unit,
    gap_us: u64,
    set_point: Option<Decimal>,
    run: Run,
    /// Since when the signal has stayed near its set point.
    reached_us: Option<u64>,
}

impl Window {
    /// A window without readings. `unit` is that of the signal; a time longer than `gap_s`
    /// between two readings empties the window: no gap is bridged.
    #[must_use]
    pub fn new(criterion: &Criterion, unit: Unit, gap_s: f64) -> Self {
        Self {
            criterion: criterion.clone(),
            unit: unit.difference(),
            gap_us: micros(gap_s),
            set_point: None,
            run: Run::default(),
            reached_us: None,
        }
    }

    /// States the set point, for a criterion that waits until it is reached.
    pub fn aim(&mut self, set_point: Option<Decimal>) {
        self.set_point = set_point;
        self.reached_us = None;
    }

    /// Forgets all readings, and that the set point was reached.
    pub fn clear(&mut self) {
        self.run = Run::default();
        self.reached_us = None;
    }

    /// The readings of the window, in the order of time.
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = &Sample> {
        self.run.held.iter().map(|one| &one.sample)
    }

    /// Tells that it is `t_us`, whether or not the signal was read: a gap empties the window.
    pub fn wait(&mut self, t_us: u64) {
        let last_us = self.run.held.back().map(|last| last.sample.t_us);
        if last_us.is_some_and(|last_us| t_us.saturating_sub(last_us) > self.gap_us) {
            self.clear();
        }
    }

    /// Takes a reading; times never fall.
    pub fn push(&mut self, sample: Sample) {
        self.wait(sample.t_us);
        if self.near(sample.value) {
            self.reached_us.get_or_insert(sample.t_us);
        } else {
            self.reached_us = None;
        }
        self.run.push(Held {
            sample,
            number: sample.value.to_f64(),
        });
        let window_us = micros(self.criterion.window_s);
        let is_old = |one: &&Held| sample.t_us.saturating_sub(one.sample.t_us) >= window_us;
        let old = self.run.held.iter().take_while(is_old).count();
        let dropped = match self.criterion.window {
            // The shortest run that still covers the whole window.
            WindowKind::Covering => old.saturating_sub(1),
            WindowKind::Trailing => old,
            WindowKind::Last => {
                let kept = self.criterion.minimum_readings.unwrap_or(1);
                self.run.held.len().saturating_sub(kept)
            }
        };
        self.run.drop_first(dropped);
    }

    fn near(&self, value: Value) -> bool {
        let (Some(reach), Some(set_point)) = (&self.criterion.reach, self.set_point) else {
            return false;
        };
        // The nearest binary number of an exact difference compares as the difference does.
        let away = value.minus(Value::Digits(set_point)).to_f64();
        away.abs() <= reach.within.to_f64()
    }

    /// The verdict on the readings so far.
    #[must_use]
    pub fn state(&self) -> CriterionState {
        let criterion = &self.criterion;
        let figures = figures(&self.run);
        let slope = figures.slope.as_ref();
        let mut state = CriterionState {
            signal: criterion.signal.clone(),
            minus: criterion.minus.clone(),
            named: criterion.named.clone(),
            unit: self.unit,
            window: criterion.window,
            window_s: criterion.window_s,
            covered_s: figures.covered_s,
            count: figures.count,
            minimum_readings: criterion.minimum_readings,
            range: figures.range,
            range_limit: criterion.range.map(Decimal::to_f64),
            slope_per_h: slope.map(|slope| slope.per_h),
            slope_limit_per_h: criterion.slope_per_h,
            slope_u_per_h: slope
                .filter(|_| criterion.slope_k > 0.0)
                .map(|slope| slope.u),
            slope_k: criterion.slope_k,
            scatter: slope
                .filter(|_| criterion.scatter.is_some())
                .map(|slope| slope.s),
            scatter_limit: criterion.scatter,
            other_state: self.other_state(),
            soak: self.soak(),
            steady: false,
        };
        state.steady = state.failed().is_empty();
        state
    }

    /// Readings that are none of the allowed states; none where no state is asked for.
    fn other_state(&self) -> Option<usize> {
        let allowed = &self.criterion.state;
        let is_other = |sample: &&Sample| {
            let away = |one: &Decimal| sample.value.minus(Value::Digits(*one)).to_f64();
            !allowed.iter().any(|one| away(one) == 0.0)
        };
        (!allowed.is_empty()).then(|| self.samples().filter(is_other).count())
    }

    fn soak(&self) -> Option<Soak> {
        let reach = self.criterion.reach.as_ref()?;
        let times = self.reached_us.zip(self.samples().next_back());
        Some(Soak {
            soaked_s: times.map(|(reached, last)| seconds(last.t_us.saturating_sub(reached))),
            least_s: reach.soak_s,
        })
    }
}

/// The windows of a plan.
#[derive(Debug, Clone)]
pub(crate) struct Windows(Vec<Window>);

impl Windows {
    /// Criteria of signals that the procedure does not have are left out; its check has
    /// refused them.
    pub fn new(procedure: &Procedure, rules: &SteadyRules) -> Self {
        let windows = rules.criterion.iter().filter_map(|one| {
            let unit = procedure.signal_unit(&one.signal)?;
            Some(Window::new(one, unit, rules.gap_s))
        });
        Self(windows.collect())
    }

    pub fn clear(&mut self) {
        self.0.iter_mut().for_each(Window::clear);
    }

    /// Forgets the readings, and states the set points of the next point.
    pub fn aim(&mut self, set: &BTreeMap<String, Decimal>) {
        self.clear();
        for window in &mut self.0 {
            let reach = window.criterion.reach.as_ref();
            let set_point = reach.and_then(|reach| set.get(&reach.quantity));
            window.aim(set_point.copied());
        }
    }

    /// Takes a scan. A missing signal breaks its window.
    pub fn push(&mut self, scan: &Scan) {
        for window in &mut self.0 {
            let Criterion { signal, minus, .. } = &window.criterion;
            let mut taken = samples(scan, signal);
            if let Some(minus) = minus {
                taken = differences(&taken, &samples(scan, minus));
            }
            if taken.is_empty() {
                window.clear();
            }
            for sample in taken {
                window.push(sample);
            }
        }
    }

    pub fn states(&self) -> Vec<CriterionState> {
        self.0.iter().map(Window::state).collect()
    }
}

/// Each sample less the one of `others` that is next to it in time, the first of two that
/// are as near; none where `others` is empty.
fn differences(samples: &[Sample], others: &[Sample]) -> Vec<Sample> {
    let difference = |sample: &Sample| {
        let other = others
            .iter()
            .min_by_key(|other| other.t_us.abs_diff(sample.t_us))?;
        let value = sample.value.minus(other.value);
        Some(Sample { value, ..*sample })
    };
    samples.iter().filter_map(difference).collect()
}

/// Samples of a signal in one scan: every indication of a channel, uncorrected, so that it
/// keeps its digits; the computed value of a derived signal. None where it is missing.
fn samples(scan: &Scan, signal: &str) -> Vec<Sample> {
    let Some(&number) = scan.signals.get(signal) else {
        return Vec::new();
    };
    let digits: Vec<_> = scan
        .indications
        .iter()
        .filter(|one| one.channel == signal)
        .map(|one| Sample {
            t_us: one.t_us,
            value: Value::Digits(one.digits),
        })
        .collect();
    if digits.is_empty() {
        return vec![Sample {
            t_us: scan.t_us,
            value: Value::Number(number),
        }];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next number of a sequence (splitmix64, Steele, Lea and Flood 2014).
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Readings as instruments give them, and as they should not.
    fn value(state: &mut u64, kind: u64) -> Value {
        let digits = i64::try_from(next(state) % 41).unwrap() - 20;
        let exponent = i8::try_from(next(state) % 3).unwrap() - 2;
        let number = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        match kind {
            0 => Value::Digits(Decimal::new(digits, -2)),
            1 => Value::Digits(Decimal::new(digits, exponent)),
            2 => Value::Digits(Decimal::new(i64::MAX / 20 * digits, exponent * 6)),
            3 => Value::Number(digits as f64 / 7.0),
            4 => Value::Number(number[usize::try_from(next(state) % 5).unwrap()]),
            _ => Value::Number(f64::from_bits(next(state))),
        }
    }

    #[test]
    fn the_range_of_a_window_is_that_of_all_its_samples_bit_for_bit() {
        let seed = 20_261_127;
        println!("seed {seed}");
        let (mut state, mut by_extremes) = (seed, 0);
        for case in 0..2000 {
            let mut run = Run::default();
            let longest = 1 + usize::try_from(next(&mut state) % 12).unwrap();
            let mut kind = 0;
            for step in 0..120 {
                // Mostly one kind of reading for a while.
                if next(&mut state).is_multiple_of(16) {
                    kind = next(&mut state) % 6;
                }
                let value = value(&mut state, kind);
                let sample = Sample { t_us: step, value };
                let number = value.to_f64();
                run.push(Held { sample, number });
                let over = run.held.len().saturating_sub(longest);
                run.drop_first(over + usize::from(next(&mut state).is_multiple_of(9)));
                let (found, due) = (run.range(), range_of_all(&run.held));
                let same = found.to_bits() == due.to_bits() || found.is_nan() && due.is_nan();
                assert!(same, "seed {seed}, case {case}, step {step}: {found} {due}");
                by_extremes += usize::from(run.range_of_extremes().is_some());
            }
        }
        assert!(by_extremes > 100_000, "{by_extremes}");
    }
}
