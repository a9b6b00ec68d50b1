//! Weights: comparison, classes and air buoyancy.

use heng_procedures::{WeighingCycle, weight_class};
use heng_quantities::{Unit, convert};
use heng_uncertainty::{Input, Inputs, Table, propagate};

use super::super::case::ScienceCase;
use super::super::field::{Fault, Field};
use super::super::judge::Found;
use super::named::{compile, evaluate};
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("oiml.mpe.", limits),
    ("oiml.conf.", class),
    ("mass.abba", cycles),
    ("mass.abba.drift", drift),
    ("mass.conv2true", mass),
    ("mass.mabc.", buoyancy),
    ("ea402.s2", weight_of_10_kg),
];

/// A nominal value such as "20 g", in the unit of a table.
fn nominal(field: &Field, unit: Unit) -> Result<f64, Fault> {
    let text = field.text()?;
    let wrong = || {
        field.fault(
            &format!("is {text:?}"),
            "write a number and a unit, \"20 g\"",
        )
    };
    let (number, from) = text.split_once(' ').ok_or_else(wrong)?;
    let number = number.parse::<f64>().map_err(|_| wrong())?;
    let from = from.parse::<Unit>().map_err(|_| wrong())?;
    convert(number, from, unit).map_err(|_| wrong())
}

/// Maximum permissible errors of OIML R 111, one for each class that the case names.
pub fn limits(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let Some(table) = Table::named("oiml_r111_mpe") else {
        let cure = "this check of the program is broken: report it";
        return Err(case.root.fault("asks for a table that is not there", cure));
    };
    let nominal = nominal(&case.root.at("inputs").at("nominal"), table.nominal_unit)?;
    by_name(case, &table.classes.join(", "), |what| {
        let known = table.classes.iter().any(|class| class == what);
        known.then(|| number_or_refusal(table.value(nominal, what)))
    })
}

pub fn class(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let number = |name: &str| place.at(name).number();
    let verdict = weight_class(number("error_mg")?, number("U_mg")?, number("MPE_E2_mg")?);
    by_name(case, "U_ok or conforms", |what| {
        let verdict = match &verdict {
            Ok(verdict) => verdict,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        let answer = match what {
            "U_ok" => verdict.uncertainty_suffices,
            "conforms" => verdict.conforms,
            _ => return None,
        };
        Some(Found::Word(answer.to_string()))
    })
}

/// Cycles ABBA.
pub fn cycles(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let columns = ["A1", "B1", "B2", "A2"].map(|name| place.at(name).numbers());
    let columns = columns.into_iter().collect::<Result<Vec<_>, _>>()?;
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    let cycle = |at: usize| columns.iter().map(|column| column[at]).collect();
    let cycles: Vec<Vec<f64>> = (0..length).map(cycle).collect();
    let compared = WeighingCycle::Abba.compare(&cycles);
    let known = "delta_mg, one for each cycle, mean_mg, s_mg or u_mean_mg";
    by_name(case, known, |what| {
        let compared = match &compared {
            Ok(compared) => compared,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        Some(Found::Value(match what {
            "mean_mg" => compared.evaluated.mean,
            "s_mg" => compared.evaluated.s,
            "u_mean_mg" => compared.evaluated.u,
            what => {
                let at = what.strip_prefix("delta_mg[")?.strip_suffix(']')?;
                *compared.differences.get(at.parse::<usize>().ok()?)?
            }
        }))
    })
}

/// One cycle of each order on readings that drift by an equal step from weighing to weighing.
pub fn drift(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let difference = place.at("true_delta_mg").number()?;
    let step = place.at("drift_per_weighing_mg").number()?;
    by_name(case, "ABBA, ABA or AB", |what| {
        let orders = [WeighingCycle::Abba, WeighingCycle::Aba, WeighingCycle::Ab];
        let order = orders.into_iter().find(|order| order.order() == what)?;
        let weighings = what.chars().enumerate();
        let readings = weighings.map(|(at, weight)| {
            let of_weight = if weight == 'B' { difference } else { 0.0 };
            of_weight + step * at as f64
        });
        Some(number_or_refusal(
            order.difference(&readings.collect::<Vec<_>>()),
        ))
    })
}

pub fn mass(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    evaluate(case, &[("m_g", "mass_from_conventional(mc_g, rho)")])
}

pub fn buoyancy(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = "buoyancy_factor(1000 * rho_air_g_cm3, 1000 * rho_sample_g_cm3, \
                      1000 * rho_weights_g_cm3)";
    evaluate(case, &[("MABC", expression)])
}

/// EA-4/02, S2: a weight of 10 kg, in grams.
pub fn weight_of_10_kg(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let number = |input: &str, name: &str| place.at(input).at(name).number();
    let rectangle = |input: &str| {
        let half_width = number(input, "a")?;
        Ok(Input::rectangular(input, 0.0, half_width))
    };
    let (pooled, weighings) = (number("dm", "s_pooled")?, number("dm", "n")?);
    let inputs = Inputs::from(vec![
        Input::certificate(
            "mS",
            number("mS", "x")?,
            number("mS", "U")?,
            number("mS", "k")?,
        ),
        rectangle("drift")?,
        Input::normal("dm", number("dm", "x")?, pooled / weighings.sqrt()),
        rectangle("dmC")?,
        rectangle("dB")?,
    ]);
    let model = compile(case, "mX = mS + drift + dm + dmC + dB")?;
    let budget = propagate(&model, "mX", &inputs, 0.9545);
    let known = "mX_g, u_mg, U_mg_k2_unrounded or U_mg_published";
    by_name(case, known, |what| {
        let budget = match &budget {
            Ok(budget) => budget,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        let k = 2.0;
        Some(Found::Value(match what {
            "mX_g" => budget.value,
            "u_mg" => 1000.0 * budget.u,
            "U_mg_k2_unrounded" | "U_mg_published" => 1000.0 * k * budget.u,
            _ => return None,
        }))
    })
}
