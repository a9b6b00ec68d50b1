//! Comparisons of laboratories: proficiency tests and key comparisons.

use heng_uncertainty::{
    AssignedValue, Comparison, ComparisonError, Equivalence, LabResult, PowerModeratedMean,
    Reference, Scores, Stopping, Submitted, algorithm_a, median, normalised_iqr, q_hampel,
    scaled_mad, type_a,
};

use super::super::case::ScienceCase;
use super::super::data;
use super::super::field::{Fault, Field};
use super::super::judge::Found;
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("iso13528.e1.", robust_mean),
    ("iso13528.e3", estimates),
    ("iso13528.e4.", scores),
    ("kc.cox", weighted_mean),
    ("kc.doe.non", non_contributor),
    ("kc.pmm.", power_moderated),
    ("kc.doe.", equivalence),
];

/// Level of the χ² test of consistency.
const LEVEL: f64 = 0.05;
/// Coverage factor of degrees of equivalence.
const K: f64 = 2.0;

/// Algorithm A by both rules for its end.
pub fn robust_mean(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let x = case.root.at("inputs").at("x").numbers()?;
    let known = "x_star, s_star, x_star_converged or s_star_converged";
    by_name(case, known, |what| {
        let (name, stopping) = match what.strip_suffix("_converged") {
            Some(name) => (name, Stopping::Converged),
            None => (what, Stopping::ThirdFigure),
        };
        let found = algorithm_a(&x, stopping);
        match name {
            "x_star" => Some(number_or_refusal(found.map(|found| found.mean))),
            "s_star" => Some(number_or_refusal(found.map(|found| found.s))),
            _ => None,
        }
    })
}

pub fn estimates(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let x = case.root.at("inputs").at("x").numbers()?;
    let a = algorithm_a(&x, Stopping::ThirdFigure);
    let (q, all) = (q_hampel(&x), type_a(&x));
    let known = "median, nIQR, MADe, algA_mean, algA_sd, algA_u, QHampel_mean, QHampel_sd, mean \
                 or sd";
    by_name(case, known, |what| {
        Some(match what {
            "median" => number_or_refusal(median(&x)),
            "nIQR" => number_or_refusal(normalised_iqr(&x)),
            "MADe" => number_or_refusal(scaled_mad(&x)),
            "algA_mean" => number_or_refusal(a.as_ref().map(|a| a.mean)),
            "algA_sd" => number_or_refusal(a.as_ref().map(|a| a.s)),
            "algA_u" => number_or_refusal(a.as_ref().map(|a| a.u)),
            "QHampel_mean" => number_or_refusal(q.as_ref().map(|q| q.mean)),
            "QHampel_sd" => number_or_refusal(q.as_ref().map(|q| q.s)),
            "mean" => number_or_refusal(all.as_ref().map(|all| all.mean)),
            "sd" => number_or_refusal(all.as_ref().map(|all| all.s)),
            _ => return None,
        })
    })
}

pub fn scores(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let sigma = place.at("sigma_pt").number()?;
    let allowed = place.at("delta_E").text()?.strip_suffix("sigma_pt");
    let allowed = allowed.and_then(|times| times.trim().parse::<f64>().ok());
    let allowed = allowed.ok_or_else(|| {
        let cure = "write a multiple of sigma_pt, \"3 sigma_pt\"";
        place.at("delta_E").fault("is no permissible error", cure)
    })?;
    let expanded = place.at("U").number()?;
    let assigned = AssignedValue {
        value: place.at("x_pt").number()?,
        u: place.at("U_pt").number()? / place.at("k_pt").number()?,
        sigma_pt: Some(sigma),
        permissible_error: Some(allowed * sigma),
    };
    let found = assigned.scores(&Submitted {
        value: place.at("x").number()?,
        u: Some(expanded / place.at("k").number()?),
        expanded: Some(expanded),
    });
    by_name(case, "D_pct, PA, z, z_prime, zeta or En", |what| {
        let number = |take: fn(&Scores) -> Option<f64>| {
            let found = found.as_ref().map_err(ToString::to_string);
            let taken = found.and_then(|found| take(found).ok_or("has no value".to_owned()));
            Some(number_or_refusal(taken))
        };
        match what {
            "D_pct" => number(|found| found.difference_pct),
            "PA" => number(|found| found.permissible_pct.map(|score| score.value)),
            "z" => number(|found| found.z.map(|score| score.value)),
            "z_prime" => number(|found| found.z_prime.map(|score| score.value)),
            "zeta" => number(|found| found.zeta.map(|score| score.value)),
            "En" => number(|found| found.en.map(|score| score.value)),
            _ => None,
        }
    })
}

pub fn weighted_mean(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let labs = place.at("lab").list()?;
    let (x, u) = (place.at("x").numbers()?, place.at("u").numbers()?);
    if x.len() != labs.len() || u.len() != labs.len() {
        let cure = "write as many of lab, x and u";
        return Err(place.fault("has lists of different length", cure));
    }
    let results = labs.iter().zip(x.iter().zip(&u));
    let results = results.map(|(lab, (&x, &u))| Ok(LabResult::new(lab.text()?, x, u)));
    let results = results.collect::<Result<Vec<_>, Fault>>()?;
    let found = Comparison::from(results).weighted_mean(LEVEL);
    let known = "x_ref, u_ref, chi2_obs, dof, p_value or consistent_at_5pct";
    by_name(case, known, |what| {
        let found = match &found {
            Ok(found) => found,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        Some(Found::Value(match what {
            "x_ref" => found.reference.value,
            "u_ref" => found.reference.u,
            "chi2_obs" => found.consistency.chi_squared,
            "dof" => found.consistency.dof,
            "p_value" => found.consistency.probability,
            "consistent_at_5pct" => {
                return Some(Found::Word(found.consistency.consistent.to_string()));
            }
            _ => return None,
        }))
    })
}

/// A result against a reference value from outside.
pub fn non_contributor(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let number = |name: &str| place.at(name).number();
    let result = LabResult::new(place.at("lab").text()?, number("x")?, number("u")?);
    let reference = Reference {
        value: number("x_ref")?,
        u: number("u_ref")?,
        weights: vec![0.0],
        s_between: 0.0,
    };
    let found = Comparison::from(vec![result.compared_only()]).equivalence(&reference, K);
    by_name(case, "d, U_d or En", |what| {
        let take: fn(&Equivalence) -> f64 = match what {
            "d" => |one| one.d,
            "U_d" => |one| one.expanded,
            "En" => |one| one.en,
            _ => return None,
        };
        Some(number_or_refusal(found.as_ref().map(|all| take(&all[0]))))
    })
}

/// Results of one nuclide in kBq, and whether each is valid for a degree of equivalence.
fn nuclide(place: &Field) -> Result<(Comparison, Vec<bool>), Fault> {
    let text = data::file(&place.at("data"))?;
    let wanted = place.at("nuclide").text()?;
    let mut results = Vec::new();
    let mut valid = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [nuclide, lab, _, contributes, is_valid, value, u] = cells[..] else {
            continue;
        };
        let numbers = (value.parse::<f64>(), u.parse::<f64>());
        if let ((Ok(value), Ok(u)), true) = (numbers, nuclide == wanted) {
            let result = LabResult::new(lab, value, u);
            results.push(if contributes == "true" {
                result
            } else {
                result.compared_only()
            });
            valid.push(is_valid == "true");
        }
    }
    if results.is_empty() {
        let problem = format!("names {wanted:?}, which is not in the data");
        return Err(place
            .at("nuclide")
            .fault(&problem, "name a nuclide of the file"));
    }
    Ok((Comparison::from(results), valid))
}

pub fn power_moderated(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let (comparison, _) = nuclide(&case.root.at("inputs"))?;
    let found = comparison.power_moderated_mean(None);
    let known = "x_ref, u_ref, x_ref_printed, u_ref_printed, s_interlab or alpha";
    by_name(case, known, |what| {
        let take: fn(&PowerModeratedMean) -> f64 = match what.trim_end_matches("_printed") {
            "x_ref" => |found| found.reference.value,
            "u_ref" => |found| found.reference.u,
            "s_interlab" => |found| found.reference.s_between,
            "alpha" => |found| found.alpha,
            _ => return None,
        };
        Some(number_or_refusal(found.as_ref().map(take)))
    })
}

/// Degrees of equivalence in MBq, with the power-moderated mean.
pub fn equivalence(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let (comparison, valid) = nuclide(&case.root.at("inputs"))?;
    let found = comparison
        .power_moderated_mean(None)
        .and_then(|mean| comparison.equivalence(&mean.reference, K));
    let found: Result<Vec<Equivalence>, ComparisonError> = found.map(|all| {
        let kept = all.into_iter().zip(&valid).filter(|(_, valid)| **valid);
        kept.map(|(one, _)| one).collect()
    });
    let expected = case.root.at("expected").list()?;
    by_name(case, "lab, d_MBq or U_MBq, in a list", |what| {
        let (place, name) = what.strip_prefix('[')?.split_once("].")?;
        let lab = expected
            .get(place.parse::<usize>().ok()?)?
            .at("lab")
            .text()
            .ok()?;
        let found = match &found {
            Ok(found) => found.iter().find(|one| one.lab == lab),
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        let Some(one) = found else {
            return Some(Found::Refused("the data have no valid result".to_owned()));
        };
        match name {
            "lab" => Some(Found::Word(one.lab.clone())),
            "d_MBq" => Some(Found::Value(one.d / 1000.0)),
            "U_MBq" => Some(Found::Value(one.expanded / 1000.0)),
            _ => None,
        }
    })
}
