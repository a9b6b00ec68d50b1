//! Checks of the calibration science: formulas and procedures. A case is known by how its id
//! begins.

mod humidity;
mod mapping;
mod statistics;

use super::case::{Leaf, ScienceCase};
use super::field::Fault;
use super::judge::{Figure, Found, Line};

type Check = fn(&ScienceCase) -> Result<Vec<Found>, Fault>;

/// What computes the cases whose id begins so: one answer for each leaf. The longest beginning
/// that fits counts.
const CHECKS: &[&[(&str, Check)]] = &[humidity::CHECKS, mapping::CHECKS, statistics::CHECKS];

/// Topics that this version does not compute.
const LATER: &[(&str, &str)] = &[
    ("its90.", "reference and deviation functions of ITS-90"),
    ("iec60751.", "platinum resistance thermometers"),
    ("cvd.", "platinum resistance thermometers"),
    ("thermistor.", "thermistors"),
    ("tc.", "thermocouples"),
    ("tcinv.", "thermocouples"),
    ("pws.", "this formula for the saturation vapour pressure"),
    ("psub.", "formulas of IAPWS"),
    ("tsat.", "formulas of IAPWS"),
    ("f.", "this enhancement factor"),
    ("psychro.", "psychrometers"),
    ("airdens.", "air density"),
    ("oiml.", "classes of weights"),
    ("mass.", "comparison of weights"),
    ("ea402.", "comparison of weights"),
    ("ciddor.", "refractive index of air"),
    ("edlen.", "refractive index of air"),
    ("n.", "refractive index of air"),
    ("gb.", "gauge blocks"),
    ("press.", "pressure"),
    ("iso13528.", "proficiency tests"),
    ("kc.", "key comparisons"),
    ("grr.", "studies of measurement systems"),
    ("msa.", "studies of measurement systems"),
    ("gum.h3", "fit of a line by least squares"),
    ("strd.", "fits and series of data files"),
    (
        "data.",
        "evaluation of data files that are not in the case file",
    ),
    ("jjf1033.", "control of standards"),
    ("un.", "tests of packagings"),
    ("interval.", "recalibration intervals"),
];

pub fn run(case: &ScienceCase) -> Result<Vec<Line>, Fault> {
    let fits = |prefix: &&str| case.id.starts_with(*prefix);
    let checks = CHECKS.iter().copied().flatten();
    let fitting = checks.filter(|(prefix, _)| fits(prefix));
    let Some((_, check)) = fitting.max_by_key(|(prefix, _)| prefix.len()) else {
        let later = LATER.iter().find(|(prefix, _)| fits(prefix));
        let reason = match later {
            Some((_, what)) => format!("not part of this version: {what}"),
            None => "unknown topic: no check is known for an id that begins so".to_owned(),
        };
        let lines = case
            .expected
            .iter()
            .map(|leaf| Line::skipped(case.id, leaf.what.clone(), expected(leaf), &reason));
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
        (figure @ Figure::Number(_), None) => {
            let reason = "the file states the tolerance in words";
            Line::skipped(case.id, what, figure, reason)
        }
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
