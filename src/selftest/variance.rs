//! Kinds that split scatter into components.

use heng_uncertainty::{GroupSummary, OneWay, one_way, one_way_of_summaries};

use super::case::{EngineCase, Expected};
use super::field::{Fault, Field};
use super::judge::Found;
use super::measurement::unknown_what;

/// One factor, of readings or of summaries of groups (JCGM 100:2008, H.5).
pub fn one_factor(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let data = case.root.at("data");
    let readings = data
        .at("groups")
        .given()
        .or_else(|| data.at("rows").given());
    let found = match readings {
        Some(groups) => one_way(&groups.rows()?),
        None => one_way_of_summaries(&summaries(case)?),
    };
    let each = case.expected.iter().map(|expected| match &found {
        Ok(found) => Ok(vec![Found::Value(answer(found, expected)?)]),
        Err(error) => Ok(vec![Found::Refused(error.to_string())]),
    });
    each.collect()
}

/// Groups by `mean`, `sd` and `n`, or days of `per_day` readings.
fn summaries(case: &EngineCase) -> Result<Vec<GroupSummary>, Fault> {
    let data = case.root.at("data");
    let (means, deviations) = match data.at("day_means").given() {
        Some(means) => (means.numbers()?, data.at("day_sd").numbers()?),
        None => (data.at("mean").numbers()?, data.at("sd").numbers()?),
    };
    let n = if let Some(n) = data.at("per_day").given() {
        vec![n.count()?; means.len()]
    } else {
        let list = data.at("n").list()?;
        list.iter().map(Field::count).collect::<Result<_, _>>()?
    };
    if deviations.len() != means.len() || n.len() != means.len() {
        let problem = "has lists of different length";
        let cure = "give a mean, a standard deviation and a number of each group";
        return Err(data.fault(problem, cure));
    }
    let groups = means.iter().zip(&deviations).zip(&n);
    Ok(groups
        .map(|((&mean, &s), &n)| GroupSummary { n, mean, s })
        .collect())
}

fn answer(found: &OneWay, expected: &Expected) -> Result<f64, Fault> {
    let test = found.between.test.as_ref();
    let number = match (expected.of, expected.what) {
        ("mean", "value") => Some(found.mean_of_groups.mean),
        ("day_means", "sd") => Some(found.sd_of_means),
        ("within", "pooled_sd") => Some(found.pooled_sd),
        ("anova", "ss_between") => Some(found.between.sum_of_squares),
        ("anova", "ss_within") => Some(found.within.sum_of_squares),
        ("anova", "ms_between") => Some(found.between.mean_square),
        ("anova", "ms_within") => Some(found.within.mean_square),
        ("anova", "F") => test.map(|test| test.f),
        ("anova", "p") => test.map(|test| test.p),
        _ => None,
    };
    let known = "mean value, day_means sd, within pooled_sd, or of anova ss_between, ss_within, \
                 ms_between, ms_within, F or p";
    number.ok_or_else(|| unknown_what(expected, known))
}
