//! A criterion over old data: when the signals were steady, when not, and why not.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::outcome::{CriterionState, SteadyTest};
use crate::steady::{Sample, Value, Window, micros};

/// A window, and the readings that it judges, in the order of time.
#[derive(Debug, Clone)]
pub struct Judged {
    pub window: Window,
    pub samples: Vec<Sample>,
}

impl Judged {
    /// Readings of two sensors, as one series of their differences at the times at which
    /// both were read.
    #[must_use]
    pub fn difference(signal: &[Sample], minus: &[Sample]) -> Vec<Sample> {
        let other = |sample: &Sample| {
            let at = minus.binary_search_by_key(&sample.t_us, |one| one.t_us);
            at.ok().map(|at| minus[at].value)
        };
        let difference = |sample: &Sample| {
            let value = sample.value.minus(other(sample)?);
            Some(Sample { value, ..*sample })
        };
        signal.iter().filter_map(difference).collect()
    }
}

/// What a criterion says of old data. There is a verdict at every time at which a judged
/// signal was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    pub verdicts: usize,
    pub steady: usize,
    pub stretches: Vec<Stretch>,
    pub gaps: Vec<Gap>,
    /// How often each test failed, for each criterion.
    pub failed: Vec<BTreeMap<SteadyTest, usize>>,
    /// The windows at the last reading.
    pub at_end: Vec<CriterionState>,
}

/// Consecutive steady verdicts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stretch {
    /// Earliest reading in the windows of the first verdict.
    pub window_from_us: u64,
    /// Times of the first and of the last verdict.
    pub from_us: u64,
    pub to_us: u64,
    pub verdicts: usize,
    /// The windows of the first verdict.
    pub states: Vec<CriterionState>,
    /// Middle between the highest and the lowest reading of each.
    pub middles: Vec<f64>,
}

/// A time without a reading that is longer than a window bridges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Index of the criterion.
    pub criterion: usize,
    pub from_us: u64,
    pub to_us: u64,
}

/// Judges the readings as a run would have. `gap_s` is that of the windows. `each` sees every
/// verdict, with its time.
pub fn history(
    mut judged: Vec<Judged>,
    gap_s: f64,
    mut each: impl FnMut(u64, &[CriterionState]),
) -> History {
    let gap_us = micros(gap_s);
    let mut found = History {
        verdicts: 0,
        steady: 0,
        stretches: Vec::new(),
        gaps: gaps(&judged, gap_us),
        failed: vec![BTreeMap::new(); judged.len()],
        at_end: Vec::new(),
    };
    let mut times: Vec<u64> = judged
        .iter()
        .flat_map(|one| one.samples.iter().map(|sample| sample.t_us))
        .collect();
    times.sort_unstable();
    times.dedup();
    let mut next = vec![0; judged.len()];
    let mut last_steady_us = None;
    for t_us in times {
        for (one, next) in judged.iter_mut().zip(&mut next) {
            one.window.wait(t_us);
            while let Some(sample) = one.samples.get(*next).filter(|one| one.t_us <= t_us) {
                one.window.push(*sample);
                *next += 1;
            }
        }
        let states: Vec<_> = judged.iter().map(|one| one.window.state()).collect();
        each(t_us, &states);
        found.verdicts += 1;
        for (failed, state) in found.failed.iter_mut().zip(&states) {
            for test in state.failed() {
                *failed.entry(test).or_insert(0) += 1;
            }
        }
        if states.iter().all(|state| state.steady) && !states.is_empty() {
            let joins = last_steady_us.is_some_and(|last| t_us - last <= gap_us);
            found.take_steady(t_us, joins, &judged, &states);
            last_steady_us = Some(t_us);
        } else {
            last_steady_us = None;
        }
        found.at_end = states;
    }
    found
}

impl History {
    fn take_steady(
        &mut self,
        t_us: u64,
        joins: bool,
        judged: &[Judged],
        states: &[CriterionState],
    ) {
        self.steady += 1;
        if let Some(stretch) = self.stretches.last_mut().filter(|_| joins) {
            stretch.to_us = t_us;
            stretch.verdicts += 1;
            return;
        }
        let windows = || judged.iter().map(|one| &one.window);
        let firsts = windows().filter_map(|window| window.samples().next());
        self.stretches.push(Stretch {
            window_from_us: firsts.map(|first| first.t_us).min().unwrap_or(t_us),
            from_us: t_us,
            to_us: t_us,
            verdicts: 1,
            states: states.to_vec(),
            middles: windows().map(middle).collect(),
        });
    }
}

fn middle(window: &Window) -> f64 {
    let values = || window.samples().map(|sample| Value::to_f64(sample.value));
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(low, high)
}

fn gaps(judged: &[Judged], gap_us: u64) -> Vec<Gap> {
    let of_one = |(criterion, one): (usize, &Judged)| {
        let pairs = one
            .samples
            .windows(2)
            .map(|pair| (pair[0].t_us, pair[1].t_us));
        let gaps = pairs.filter(|(from, to)| to.saturating_sub(*from) > gap_us);
        let gap = |(from_us, to_us)| Gap {
            criterion,
            from_us,
            to_us,
        };
        gaps.map(gap).collect::<Vec<_>>()
    };
    judged.iter().enumerate().flat_map(of_one).collect()
}
