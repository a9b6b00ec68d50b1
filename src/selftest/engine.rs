//! The kinds of cases of the uncertainty engine.

use std::fmt::Write as _;

use super::case::{EngineCase, Expected};
use super::field::Fault;
use super::judge::{Figure, Found, Line};
use super::{complex, limits, measurement, series};

type Runner = fn(&EngineCase) -> Result<Vec<Vec<Found>>, Fault>;

/// What runs each kind: one answer for each expectation, with a number for each of its values.
const KINDS: &[(&str, Runner)] = &[
    ("lpu", measurement::with_inputs),
    ("lpu2", measurement::with_inputs),
    ("lpu-multivariate", measurement::with_inputs),
    ("mc", measurement::with_inputs),
    ("mc-multivariate", measurement::with_inputs),
    ("moments", measurement::with_inputs),
    ("implicit", measurement::with_inputs),
    ("complex", measurement::complex),
    ("budget", limits::budget),
    ("conformity", limits::conformity),
    ("quantile", limits::quantile),
    ("sobol", limits::shares),
    ("numerics", series::numerics),
    ("typea-multivariate", series::simultaneous),
    ("ws-correlated", series::simultaneous),
    ("ws-regression", series::line_of_known_points),
    ("ws-complex", complex::effective_dof),
    ("typea", series::digitised),
];

/// Kinds of the format that this version does not compute, and what they need.
const LATER: &[(&str, &str)] = &[
    ("ols", "linear regression"),
    ("ols-line", "fit of a line by least squares"),
    ("ols-line-merged", "fit of a line by least squares"),
    ("wls-line", "weighted fit of a line"),
    ("wls-origin", "weighted fit of a line through the origin"),
    (
        "tls-line",
        "fit of a line with uncertainties of both coordinates",
    ),
    ("inverse-line", "inverse use of a fitted line"),
    ("polynomial", "fit of a polynomial"),
    ("nls", "non-linear fit"),
    ("anova", "analysis of variance"),
    ("anova-random", "analysis of variance with random effects"),
];

pub fn run(case: &EngineCase) -> Result<Vec<Line>, Fault> {
    let Some((_, runner)) = KINDS.iter().find(|(kind, _)| *kind == case.kind) else {
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
    if let Some((_, what)) = LATER.iter().find(|(later, _)| *later == kind) {
        return format!("not part of this version: {what}");
    }
    let known: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
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
