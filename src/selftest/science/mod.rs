//! Checks of the calibration science: formulas and procedures. A case is known by how its id
//! begins.

mod air;
mod comparison;
mod control;
mod fits;
mod humidity;
mod length;
mod mapping;
mod mass;
mod monitoring;
mod named;
mod nonlinear;
mod pressure;
mod statistics;
mod thermometry;
mod variance;

use super::case::{Leaf, ScienceCase};
use super::field::Fault;
use super::judge::{Figure, Found, Line, half_unit_as_printed};

type Check = fn(&ScienceCase) -> Result<Vec<Found>, Fault>;

/// What computes the cases whose id begins so: one answer for each leaf. The longest beginning
/// that fits counts.
const CHECKS: &[&[(&str, Check)]] = &[
    air::CHECKS,
    comparison::CHECKS,
    control::CHECKS,
    fits::CHECKS,
    humidity::CHECKS,
    length::CHECKS,
    mapping::CHECKS,
    mass::CHECKS,
    monitoring::CHECKS,
    nonlinear::CHECKS,
    pressure::CHECKS,
    statistics::CHECKS,
    thermometry::CHECKS,
    variance::CHECKS,
];

pub fn run(case: &ScienceCase) -> Result<Vec<Line>, Fault> {
    let fits = |prefix: &&str| case.id.starts_with(*prefix);
    let checks = CHECKS.iter().copied().flatten();
    let fitting = checks.filter(|(prefix, _)| fits(prefix));
    let Some((_, check)) = fitting.max_by_key(|(prefix, _)| prefix.len()) else {
        let reason = "unknown topic: no check is known for an id that begins so";
        let lines = case
            .expected
            .iter()
            .map(|leaf| Line::skipped(case.id, leaf.what.clone(), expected(leaf), reason));
        return Ok(lines.collect());
    };
    let found = check(case)?;
    Ok(case
        .expected
        .iter()
        .zip(found)
        .map(|(leaf, found)| compare(case, leaf, found))
        .collect())
}

fn expected(leaf: &Leaf) -> Figure {
    match (leaf.field.value().as_f64(), leaf.field.value().as_str()) {
        (Some(number), _) => Figure::Number(number),
        (None, Some(word)) => Figure::Word(word.to_owned()),
        (None, None) => Figure::Word(leaf.field.value().to_string()),
    }
}

fn compare(case: &ScienceCase, leaf: &Leaf, found: Found) -> Line {
    let what = leaf.what.clone();
    let found = match found {
        Found::Value(got) if leaf.is_relative => Found::Relative(got),
        found => found,
    };
    match (expected(leaf), leaf.tolerance) {
        (Figure::Number(number), Some(tolerance)) => {
            Line::number(case.id, what, number, tolerance, found)
        }
        (Figure::Word(word), _) => Line::word(case.id, what, &word, found),
        (Figure::Number(number), None) => {
            let tolerance = half_unit_as_printed(&leaf.field.value().to_string());
            Line::number(case.id, what, number, tolerance, as_printed(found))
        }
    }
}

/// A tolerance in words is that of a printed table: the number must round to what is printed.
fn as_printed(found: Found) -> Found {
    match found {
        Found::Value(got) | Found::Relative(got) => {
            let note = "the tolerance is stated in words: half a unit of the last digit printed";
            Found::Noted(got, note.to_owned())
        }
        found => found,
    }
}

/// One answer for each leaf, or a fault at the first whose name is not known.
fn by_name(
    case: &ScienceCase,
    known: &str,
    answer: impl Fn(&str) -> Option<Found>,
) -> Result<Vec<Found>, Fault> {
    let each = case.expected.iter().map(|leaf| {
        answer(&leaf.what).ok_or_else(|| {
            let problem = format!("{:?} is not known for this topic", leaf.what);
            leaf.field.fault(&problem, &format!("take {known}"))
        })
    });
    each.collect()
}

fn number_or_refusal<E: ToString>(found: Result<f64, E>) -> Found {
    found.map_or_else(|error| Found::Refused(error.to_string()), Found::Value)
}
