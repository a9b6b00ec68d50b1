//! Degrees of freedom of complex quantities.

use heng_uncertainty::{ComplexContribution, complex_dof, type_a};

use super::case::{EngineCase, Expected};
use super::field::{Fault, Field};
use super::judge::Found;
use super::measurement::unknown_what;
use super::series::correlation;

/// One complex estimate: value, covariance of its parts and degrees of freedom.
struct Estimate {
    value: [f64; 2],
    contribution: ComplexContribution,
}

/// The field of `data` with rows of variance, covariance, variance.
const KNOWN: &str = "var_re,cov,var_im";

/// A sum of complex estimates of known covariances, or the difference `A-B` of two means of
/// complex readings.
pub fn effective_dof(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let data = case.root.at("data");
    let known = data.at(KNOWN).given();
    let sum = known.map(|rows| sum(&rows, &data.at("dof"))).transpose()?;
    let answer = |expected: &Expected| {
        let parts = match (&sum, expected.of.split_once('-')) {
            (Some(parts), _) => parts,
            (None, Some((a, b))) => &vec![
                (mean(&data.at(a.trim()))?, 1.0),
                (mean(&data.at(b.trim()))?, -1.0),
            ],
            (None, None) => {
                let place = expected.field.at("of");
                return Err(place.fault("names no difference", "write \"A-B\""));
            }
        };
        number(expected, parts)
    };
    case.expected.iter().map(answer).collect()
}

/// Estimates with the sign of each in the result.
type Parts = Vec<(Estimate, f64)>;

fn number(expected: &Expected, parts: &Parts) -> Result<Vec<Found>, Fault> {
    let total = |of: &dyn Fn(&Estimate, f64) -> f64| {
        let sum = parts
            .iter()
            .fold(0.0, |sum, (part, sign)| sum + of(part, *sign));
        Found::Value(sum)
    };
    Ok(match expected.what {
        "dof" => {
            let parts: Vec<_> = parts.iter().map(|(part, _)| part.contribution).collect();
            vec![
                complex_dof(&parts)
                    .map_or_else(|error| Found::Refused(error.to_string()), Found::Value),
            ]
        }
        "value" => vec![
            total(&|part, sign| sign * part.value[0]),
            total(&|part, sign| sign * part.value[1]),
        ],
        "cov" => vec![
            total(&|part, _| part.contribution.covariance[0][0]),
            total(&|part, _| part.contribution.covariance[0][1]),
            total(&|part, _| part.contribution.covariance[1][1]),
        ],
        _ => return Err(unknown_what(expected, "value, cov or dof")),
    })
}

fn sum(rows: &Field, dof: &Field) -> Result<Parts, Fault> {
    let (rows, all_dof) = (rows.list()?, dof.numbers()?);
    if rows.len() != all_dof.len() {
        let cure = "write one number for each covariance";
        return Err(dof.fault("does not go with the covariances", cure));
    }
    let part = |(row, dof): (&Field, f64)| {
        let numbers = row.numbers()?;
        let [re, re_im, im] = numbers.as_slice() else {
            let problem = format!("has {} numbers", numbers.len());
            return Err(row.fault(&problem, "write [variance, covariance, variance]"));
        };
        let estimate = Estimate {
            value: [0.0, 0.0],
            contribution: ComplexContribution {
                covariance: [[*re, *re_im], [*re_im, *im]],
                dof,
            },
        };
        Ok((estimate, 1.0))
    };
    rows.iter().zip(all_dof).map(part).collect()
}

/// Mean of readings `[re, im]` (JCGM 100:2008, 5.2.3).
fn mean(readings: &Field) -> Result<Estimate, Fault> {
    let pairs = readings
        .list()?
        .iter()
        .map(Field::pair)
        .collect::<Result<Vec<_>, _>>()?;
    let [re, im] = [0, 1].map(|part| pairs.iter().map(|pair| pair[part]).collect::<Vec<f64>>());
    let evaluate = |series: &[f64]| {
        type_a(series).map_err(|error| readings.fault(&error.to_string(), "add readings"))
    };
    let (re_mean, im_mean) = (evaluate(&re)?, evaluate(&im)?);
    let n = re.len() as f64;
    let (u_re, u_im) = (re_mean.s / n.sqrt(), im_mean.s / n.sqrt());
    let both = correlation(&re, &im, readings)? * u_re * u_im;
    Ok(Estimate {
        value: [re_mean.mean, im_mean.mean],
        contribution: ComplexContribution {
            covariance: [[u_re * u_re, both], [both, u_im * u_im]],
            dof: re_mean.dof,
        },
    })
}
