//! The kinds of cases of the uncertainty engine.

use std::fmt::Write as _;

use super::case::{EngineCase, Expected};
use super::field::Fault;
use super::judge::{Figure, Found, Line};
use super::{complex, fits, limits, measurement, nonlinear, series, variance};

type Runner = fn(&EngineCase) -> Result<Vec<Vec<Found>>, Fault>;

/// Each kind, what it is about, and what runs it: one answer for each expectation, with a number
/// for each of its values.
const KINDS: &[(&str, &str, Runner)] = &[
    (
        "lpu",
        "propagation of uncertainty",
        measurement::with_inputs,
    ),
    (
        "lpu2",
        "propagation of uncertainty to second order",
        measurement::with_inputs,
    ),
    (
        "lpu-multivariate",
        "propagation of uncertainty, several results",
        measurement::with_inputs,
    ),
    (
        "mc",
        "propagation of distributions by Monte Carlo",
        measurement::with_inputs,
    ),
    (
        "mc-multivariate",
        "propagation of distributions, several results",
        measurement::with_inputs,
    ),
    ("moments", "moments of a result", measurement::with_inputs),
    (
        "implicit",
        "models with an equation",
        measurement::with_inputs,
    ),
    ("complex", "complex quantities", measurement::complex),
    ("budget", "uncertainty budgets", limits::budget),
    (
        "conformity",
        "conformity and risks of decisions",
        limits::conformity,
    ),
    ("quantile", "coverage factors", limits::quantile),
    ("sobol", "sensitivity indices", limits::shares),
    (
        "numerics",
        "mean and standard deviation of a series",
        series::numerics,
    ),
    (
        "typea-multivariate",
        "simultaneous readings of several quantities",
        series::simultaneous,
    ),
    (
        "ws-correlated",
        "degrees of freedom of correlated quantities",
        series::simultaneous,
    ),
    (
        "ws-regression",
        "degrees of freedom of a line through known points",
        series::line_of_known_points,
    ),
    (
        "ws-complex",
        "degrees of freedom of complex quantities",
        complex::effective_dof,
    ),
    (
        "typea",
        "readings of a display with a resolution",
        series::digitised,
    ),
    ("nls", "non-linear fit", nonlinear::fit),
    ("anova", "analysis of variance", variance::one_factor),
    (
        "anova-random",
        "analysis of variance with random effects",
        variance::one_factor,
    ),
    ("ols", "linear regression", fits::design),
    ("ols-line", "fit of a line", fits::line),
    (
        "ols-line-merged",
        "fit of a line with a common error",
        fits::merged,
    ),
    ("wls-line", "weighted fit of a line", fits::line),
    (
        "wls-origin",
        "weighted fit of a line through the origin",
        fits::through_origin,
    ),
    (
        "tls-line",
        "fit of a line with uncertainties of both coordinates",
        fits::both,
    ),
    (
        "inverse-line",
        "inverse use of a fitted line",
        fits::inverse,
    ),
    ("polynomial", "fit of a polynomial", fits::polynomial),
];

/// What the cases of a kind are about, for people.
pub fn topic(kind: &str) -> &str {
    let known = KINDS.iter().find(|(known, ..)| *known == kind);
    known.map_or(kind, |(_, topic, _)| topic)
}

pub fn run(case: &EngineCase) -> Result<Vec<Line>, Fault> {
    let Some((.., runner)) = KINDS.iter().find(|(kind, ..)| *kind == case.kind) else {
        return Ok(skipped(case, &reason_of(case.kind)));
    };
    let answers = runner(case)?;
    let pairs = case.expected.iter().zip(answers);
    Ok(pairs
        .flat_map(|(expected, found)| compare(case.id, expected, &found))
        .collect())
}

/// Why a kind is skipped.
fn reason_of(kind: &str) -> String {
    let known: Vec<_> = KINDS.iter().map(|(kind, ..)| *kind).collect();
    format!("unknown kind {kind:?}; known are {}", known.join(", "))
}

/// A refusal answers all values of an expectation.
fn compare(id: &str, expected: &Expected, found: &[Found]) -> Vec<Line> {
    let each = expected.values.iter().enumerate().map(|(at, &value)| {
        let found = found
            .get(at)
            .or_else(|| found.last().filter(|found| is_for_all(found)));
        let found = found.cloned().unwrap_or_else(|| {
            Found::Refused("the program has one number here, the case more".to_owned())
        });
        Line::number(id, name(expected, at), value, expected.tol, found)
    });
    each.collect()
}

const fn is_for_all(found: &Found) -> bool {
    matches!(found, Found::Refused(_))
}

fn skipped(case: &EngineCase, reason: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for expected in &case.expected {
        for (at, &value) in expected.values.iter().enumerate() {
            let what = name(expected, at);
            lines.push(Line::skipped(case.id, what, Figure::Number(value), reason));
        }
    }
    lines
}

/// `l U99`, `t k (p 0.95, dof 1)`, `dL interval99 low`.
fn name(expected: &Expected, at: usize) -> String {
    let Expected { of, what, .. } = expected;
    let conditions: Vec<String> = ["p", "dof", "SL", "TUR", "guard", "mean"]
        .iter()
        .filter_map(|key| Some((key, expected.field.at(key).value().as_f64()?)))
        .map(|(key, number)| match number {
            1e6.. => format!("{key} {number:e}"),
            _ => format!("{key} {number}"),
        })
        .collect();
    if *what == "value" && !conditions.is_empty() {
        return format!("{of} ({})", conditions.join(", "));
    }
    let mut name = format!("{of} {what}");
    if expected.values.len() == 2 && what.starts_with("interval") {
        name.push_str([" low", " high"][at]);
    } else if expected.values.len() > 1 {
        let _ = write!(name, "[{at}]");
    }
    if !conditions.is_empty() {
        let _ = write!(name, " ({})", conditions.join(", "));
    }
    name
}
