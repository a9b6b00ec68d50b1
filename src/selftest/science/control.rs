//! Control of standards: charts and intervals between calibrations.

use heng_uncertainty::{Baseline, ChartLimits, Drift, StopRule, attributes_interval, individuals};

use super::super::case::ScienceCase;
use super::super::data;
use super::super::field::Fault;
use super::super::judge::Found;
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("data.mass.chart", check_standard),
    ("interval.nasa.utarget", uncertainty_target),
    ("interval.a3.", attributes),
];

/// Year, without the century, with which the baseline of the check standard ends.
const BASELINE_END: f64 = 85.0;
/// Width of the limits in standard deviations.
const WIDTH: f64 = 3.0;

/// Columns year, standard, value and so on; the baseline are the years before 1985.
pub fn check_standard(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let rows = data::rows(data::file(&case.root.at("inputs").at("data"))?);
    let values: Vec<f64> = rows.iter().map(|row| row[2]).collect();
    let n = rows.iter().take_while(|row| row[0] < BASELINE_END).count();
    let baseline = Baseline::of(&values[..n]);
    let chart = baseline
        .clone()
        .and_then(|baseline| individuals(&values, &baseline, ChartLimits::Sigma(WIDTH)));
    let known = "n, n_baseline, mean, s, LCL, UCL or later_out";
    by_name(case, known, |what| {
        let (baseline, chart) = match (&baseline, &chart) {
            (Ok(baseline), Ok(chart)) => (baseline, chart),
            (Err(error), _) | (_, Err(error)) => return Some(Found::Refused(error.to_string())),
        };
        let later = || chart.signals.iter().filter(|signal| signal.index >= n);
        Some(Found::Value(match what {
            "n" => values.len() as f64,
            "n_baseline" => n as f64,
            "mean" => baseline.mean,
            "s" => baseline.s,
            "LCL" => chart.lower[0],
            "UCL" => chart.upper[0],
            "later_out" => later().count() as f64,
            _ => return None,
        }))
    })
}

/// Days until the uncertainty of the value that drifts by b1·t + b2·t² reaches its target.
pub fn uncertainty_target(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let days = place.at("days").numbers()?;
    let deviations = place.at("deviation").numbers()?;
    let (u_start, target) = (place.at("u0").number()?, place.at("u_target").number()?);
    let longest = days.iter().copied().fold(0.0, f64::max);
    let horizon = 100.0 * longest;
    let found = Drift::fit(&days, &deviations, 2, 0.0, u_start)
        .and_then(|drift| drift.interval(StopRule::Uncertainty(target), longest, horizon))
        .map_err(|error| error.to_string())
        .and_then(|found| {
            found
                .interval_d
                .ok_or_else(|| "the target is not reached".to_owned())
        });
    by_name(case, "days", |what| {
        (what == "days").then(|| number_or_refusal(found.clone()))
    })
}

/// A record of calibrations in and out of tolerance; any evidence changes the interval.
pub fn attributes(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let counts = [count(case, "pass")?, count(case, "n")?];
    let interval_d = place.at("interval_days").number()?;
    let found = attributes_interval(counts, interval_d, place.at("target").number()?, 0.0);
    by_name(case, "days or rejection_confidence", |what| {
        let found = found.clone();
        Some(number_or_refusal(match what {
            "days" => found.map(|found| found.interval_d),
            "rejection_confidence" => found.map(|found| found.rejection),
            _ => return None,
        }))
    })
}

fn count(case: &ScienceCase, name: &str) -> Result<u32, Fault> {
    let field = case.root.at("inputs").at(name);
    u32::try_from(field.count()?)
        .map_err(|_| field.fault("is too large", "write a number of calibrations"))
}
