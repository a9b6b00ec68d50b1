//! Steady state as a computed verdict: range, slope and covered time of a sliding window.

use std::collections::VecDeque;
use std::time::Duration;

use heng_quantities::Decimal;
use heng_uncertainty::slope;

use crate::outcome::{CriterionState, Scan};
use crate::schema::{Criterion, Procedure, SteadyRules};

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
    fn to_f64(self) -> f64 {
        match self {
            Self::Digits(digits) => digits.to_f64(),
            Self::Number(number) => number,
        }
    }
}

/// Figures of a run of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    pub count: usize,
    /// Time from the first to the last sample.
    pub covered_s: f64,
    /// Highest minus lowest.
    pub range: f64,
    /// Least-squares slope; none for fewer than three samples.
    pub slope_per_h: Option<f64>,
    /// The range in the digits of the readings, where all samples have digits.
    exact_range: Option<Decimal>,
}

impl Figures {
    /// Whether the range is at most `limit`. Readings are compared as integers of their last
    /// digit: as binary fractions, 20.3 − 20.1 is more than 0.2.
    #[must_use]
    pub fn range_within(&self, limit: Decimal) -> bool {
        let exact = self.exact_range.and_then(|range| {
            let exponent = range.exponent().min(limit.exponent());
            Some(range.steps(exponent)? <= limit.steps(exponent)?)
        });
        exact.unwrap_or_else(|| self.range <= limit.to_f64())
    }

    /// Whether |slope| is at most `limit_per_h`.
    #[must_use]
    pub fn slope_within(&self, limit_per_h: f64) -> bool {
        self.slope_per_h
            .is_some_and(|slope| slope.abs() <= limit_per_h)
    }
}

/// Figures of `samples`, whose times never fall.
#[must_use]
pub fn figures(samples: &[Sample]) -> Figures {
    let first_us = samples.first().map_or(0, |sample| sample.t_us);
    let last_us = samples.last().map_or(0, |sample| sample.t_us);
    let values: Vec<f64> = samples.iter().map(|sample| sample.value.to_f64()).collect();
    // Times from the first sample: microseconds of a long session would cost digits.
    let t_h: Vec<f64> = samples
        .iter()
        .map(|sample| seconds(sample.t_us.saturating_sub(first_us)) / 3600.0)
        .collect();
    let exact_range = exact_range(samples);
    let binary_range = || {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if values.is_empty() { 0.0 } else { high - low }
    };
    Figures {
        count: samples.len(),
        covered_s: seconds(last_us.saturating_sub(first_us)),
        range: exact_range.map_or_else(binary_range, Decimal::to_f64),
        slope_per_h: slope(&t_h, &values).map(|slope| slope.per_h),
        exact_range,
    }
}

fn exact_range(samples: &[Sample]) -> Option<Decimal> {
    let digits = || {
        samples.iter().map(|sample| match sample.value {
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

/// One sliding window for each criterion.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    criteria: Vec<(Criterion, VecDeque<Sample>)>,
    gap_us: u64,
}

impl Windows {
    pub fn new(rules: &SteadyRules) -> Self {
        let criteria = rules
            .criterion
            .iter()
            .map(|one| (one.clone(), VecDeque::new()));
        Self {
            criteria: criteria.collect(),
            gap_us: micros(rules.gap_s),
        }
    }

    pub fn clear(&mut self) {
        for (_, window) in &mut self.criteria {
            window.clear();
        }
    }

    /// Takes a scan. A missing signal breaks its window: no gap is bridged.
    pub fn push(&mut self, scan: &Scan) {
        for (criterion, window) in &mut self.criteria {
            let samples = samples(scan, &criterion.signal);
            if samples.is_empty() {
                window.clear();
            }
            for sample in samples {
                let gap = window
                    .back()
                    .map_or(0, |last| sample.t_us.saturating_sub(last.t_us));
                if gap > self.gap_us {
                    window.clear();
                }
                window.push_back(sample);
            }
            // The shortest run that still covers the whole window.
            let newest = window.back().map_or(0, |last| last.t_us);
            let from = newest.saturating_sub(micros(criterion.window_s));
            while window.get(1).is_some_and(|second| second.t_us <= from) {
                window.pop_front();
            }
        }
    }

    pub fn states(&self, procedure: &Procedure) -> Vec<CriterionState> {
        let state = |(criterion, window): &(Criterion, VecDeque<Sample>)| {
            let samples: Vec<_> = window.iter().copied().collect();
            let figures = figures(&samples);
            let unit = procedure.signal_unit(&criterion.signal)?.difference();
            Some(CriterionState {
                signal: criterion.signal.clone(),
                unit,
                window_s: criterion.window_s,
                covered_s: figures.covered_s,
                count: figures.count,
                range: figures.range,
                range_limit: criterion.range.to_f64(),
                slope_per_h: figures.slope_per_h,
                slope_limit_per_h: criterion.slope_per_h,
                steady: figures.covered_s >= criterion.window_s
                    && figures.range_within(criterion.range)
                    && figures.slope_within(criterion.slope_per_h),
            })
        };
        self.criteria.iter().filter_map(state).collect()
    }
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
