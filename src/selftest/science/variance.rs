//! Components of variance, studies of measurement systems and control of standards.

use heng_uncertainty::{
    GaugeStudy, StabilityEvidence, StudyTable, bias_study, gauge_study, pooled,
    sigma_from_precision, standard_stability, type_a,
};

use super::super::case::ScienceCase;
use super::super::data;
use super::super::field::Fault;
use super::super::judge::Found;
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("grr.aiag.anova", gauge),
    ("msa.bias", bias),
    ("jjf1033.stab", stability),
    ("data.mpc61", gauge_data),
    ("iso13528.e10", proficiency),
    ("strd.numacc4", accuracy),
];

/// Ten parts, each by three appraisers three times: a row a part.
pub fn gauge(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs").at("rows_part_cols_A123B123C123");
    let rows = place.rows()?;
    if rows.iter().any(|row| row.len() != 9) {
        let cure = "give three readings of each of three appraisers";
        return Err(place.fault("has a row of another length than 9", cure));
    }
    let appraisers = |row: &Vec<f64>| row.chunks(3).map(<[f64]>::to_vec).collect();
    let cells: Vec<Vec<Vec<f64>>> = rows.iter().map(appraisers).collect();
    let found = gauge_study(&cells, None).map_err(|error| error.to_string());
    let known = "SS_op, SS_part, SS_int, SS_rep, F_int, pooled, EV, AV, GRR, PV, TV or \
                 ndc_truncated";
    by_name(case, known, |what| match &found {
        Ok(found) => study_figure(found, what),
        Err(error) => Some(Found::Refused(error.clone())),
    })
}

fn study_figure(study: &GaugeStudy, what: &str) -> Option<Found> {
    let StudyTable::Crossed { full, pooled } = &study.table else {
        return None;
    };
    let interaction = full.interaction.as_ref()?;
    Some(Found::Value(match what {
        "SS_part" => full.a.sum_of_squares,
        "SS_op" => full.b.sum_of_squares,
        "SS_int" => interaction.sum_of_squares,
        "SS_rep" => full.within.sum_of_squares,
        "F_int" => interaction.test.as_ref()?.f,
        "pooled" => return Some(Found::Word(pooled.is_some().to_string())),
        "EV" => study.repeatability.sd,
        "AV" => study.reproducibility.sd,
        "GRR" => study.gauge.sd,
        "PV" => study.part.sd,
        "TV" => study.total.sd,
        "ndc_truncated" => f64::from(study.distinct_categories?),
        _ => return None,
    }))
}

pub fn bias(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let number = |name: &str| place.at(name).number();
    let n = place.at("n").count()?;
    let found = bias_study(number("reference")?, number("mean")?, number("s")?, n, 0.95);
    by_name(case, "bias, t or ci95", |what| {
        let found = match &found {
            Ok(found) => found,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        Some(Found::Value(match what {
            "bias" => found.bias,
            "t" => found.t,
            "ci95[0]" => found.interval[0],
            "ci95[1]" => found.interval[1],
            _ => return None,
        }))
    })
}

/// A new standard.
pub fn stability(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let means = case.root.at("inputs").at("group_means").numbers()?;
    let found = standard_stability(&StabilityEvidence::New { means }, None);
    let change = number_or_refusal(match found {
        Ok(found) => found.change.ok_or_else(|| "no change".to_owned()),
        Err(error) => Err(error.to_string()),
    });
    by_name(case, "S_m", |what| (what == "S_m").then(|| change.clone()))
}

/// Short-term and day-to-day scatter of wafers measured with several probes: columns are run,
/// wafer, probe, month, day, operator, temperature, average and standard deviation.
pub fn gauge_data(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs").at("data");
    let rows = data::rows(data::file(&place)?);
    if rows.iter().any(|row| row.len() != 9) {
        return Err(place.fault(
            "has a row that has not 9 numbers",
            "name the file MPC61.DAT",
        ));
    }
    let short: Vec<_> = rows.iter().map(|row| (row[8], 1.0)).collect();
    let mut days: Vec<(&[f64], Vec<f64>)> = Vec::new();
    for row in &rows {
        match days.iter_mut().find(|(key, _)| *key == &row[..3]) {
            Some((_, averages)) => averages.push(row[7]),
            None => days.push((&row[..3], vec![row[7]])),
        }
    }
    let between = days.iter().map(|(_, averages)| type_a(averages));
    let between: Result<Vec<_>, _> = between
        .map(|found| found.map(|of| (of.s, of.dof)))
        .collect();
    let between = between.map_err(|error| place.fault(&error.to_string(), "mend the file"))?;
    let temperatures = || rows.iter().map(|row| row[6]);
    let known = "rows, s1_pooled, s2_pooled_days, temp_min or temp_max";
    by_name(case, known, |what| {
        let of = |series: &[(f64, f64)]| number_or_refusal(pooled(series).map(|found| found.s));
        Some(match what {
            "rows" => Found::Value(rows.len() as f64),
            "s1_pooled" => of(&short),
            "s2_pooled_days" => of(&between),
            "temp_min" => Found::Value(temperatures().fold(f64::INFINITY, f64::min)),
            "temp_max" => Found::Value(temperatures().fold(f64::NEG_INFINITY, f64::max)),
            _ => return None,
        })
    })
}

pub fn proficiency(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let number = |name: &str| place.at(name).number();
    let replicates = place.at("m").count()?;
    let found = sigma_from_precision(number("sigma_R")?, number("sigma_r")?, replicates);
    let found = number_or_refusal(found);
    by_name(case, "sigma_pt", |what| {
        (what == "sigma_pt").then(|| found.clone())
    })
}

/// One number, then two others in turn.
pub fn accuracy(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let construct = place.at("construct");
    let words = construct
        .text()?
        .split(|c: char| c.is_whitespace() || c == ',');
    let numbers: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
    let [first, low, high] = numbers[..] else {
        let cure = "write \"10000000.2, then 10000000.1 and 10000000.3 alternately\"";
        return Err(construct.fault("does not name three numbers", cure));
    };
    let turns = [low, high].into_iter().cycle();
    let n = place.at("n").count()?.min(1_000_000);
    let series: Vec<f64> = std::iter::once(first).chain(turns).take(n).collect();
    let found = type_a(&series);
    by_name(case, "mean, sd or r1", |what| {
        let found = match &found {
            Ok(found) => found,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        Some(match what {
            "mean" => Found::Value(found.mean),
            "sd" => Found::Value(found.s),
            "r1" => number_or_refusal(found.lag1.ok_or("all readings are equal")),
            _ => return None,
        })
    })
}
