//! Humidity: the named formulas of the program.

use heng_uncertainty::{Library, Model, solve};

use super::super::case::ScienceCase;
use super::super::field::Fault;
use super::super::judge::Found;
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("pws.hardy.", vapour_pressure),
    ("psi.hardy.", vapour_pressure),
    ("pws.sonntag.", vapour_pressure),
    ("psi.sonntag.", vapour_pressure),
    ("pws.wmo.", vapour_pressure),
    ("pws.ashrae.", vapour_pressure),
    ("f.hardy.", enhancement),
    ("f.wmo.", enhancement),
    ("dew.", dew_point),
    ("rh.hardy.frost.", from_frost_point),
    ("rh.hardy.", from_dew_point),
    ("rh.unc.", sensitivities),
];

/// Dew points are looked for in this range, in degrees Celsius.
const DEW_POINTS: [f64; 2] = [-50.0, 60.0];

fn compile(case: &ScienceCase, text: &str) -> Result<Model, Fault> {
    Model::compile(text, Library::shipped()).map_err(|findings| {
        let problem = findings
            .first()
            .map_or_else(String::new, ToString::to_string);
        case.root
            .fault(&problem, "this check of the program is broken: report it")
    })
}

/// The inputs that a model uses, from `inputs` of the case.
fn inputs(case: &ScienceCase, model: &Model, left_out: &str) -> Result<Vec<(String, f64)>, Fault> {
    let used = model.inputs().iter().filter(|name| *name != left_out);
    used.map(|name| Ok((name.clone(), case.root.at("inputs").at(name).number()?)))
        .collect()
}

fn value_of(values: &[(String, f64)]) -> impl Fn(&str) -> Option<f64> + '_ {
    move |name| {
        values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }
}

fn evaluate(case: &ScienceCase, quantity: &str, expression: &str) -> Result<Vec<Found>, Fault> {
    let model = compile(case, &format!("y = {expression}"))?;
    let values = inputs(case, &model, "")?;
    let found = number_or_refusal(model.eval("y", &value_of(&values)));
    by_name(case, quantity, |what| {
        (what == quantity).then(|| found.clone())
    })
}

/// `pws.FAMILY.` over water, `psi.FAMILY.` over ice. The table of ASHRAE, over ice below 0 °C,
/// is held against the formulas of Hardy.
pub fn vapour_pressure(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let family = case.id.split('.').nth(1).unwrap_or_default();
    let expression = if family == "ashrae" {
        "if(t_degC < 0, hardy_ice(t_degC), hardy_water(t_degC))".to_owned()
    } else {
        let surface = if case.id.starts_with("psi.") {
            "ice"
        } else {
            "water"
        };
        format!("{family}_{surface}(t_degC)")
    };
    evaluate(case, "p_Pa", &expression)
}

pub fn enhancement(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = if case.id.starts_with("f.hardy.ice.") {
        "hardy_f_ice(t_degC, p_Pa)"
    } else if case.id.starts_with("f.hardy.") {
        "hardy_f_water(t_degC, p_Pa)"
    } else {
        // The factor of WMO-No. 8 does not depend on the temperature.
        "wmo_f(20, 100 * p_hPa)"
    };
    evaluate(case, "f", expression)
}

/// Dew points by Hardy, or by WMO-No. 8 without enhancement factor.
pub fn dew_point(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let text = if case.id.starts_with("dew.wmo.") {
        "rh = 100 * wmo_water(td) / wmo_water(t_degC)"
    } else {
        "rh = hardy_rh_dew(td, t_degC, p_Pa)"
    };
    let model = compile(case, text)?;
    let values = inputs(case, &model, "td")?;
    let stated = case.root.at("inputs");
    let target = match stated.at("RH_pct").given() {
        Some(percent) => percent.number()?,
        None => 100.0 * stated.at("RH").number()?,
    };
    let td = solve(&model, "rh", "td", target, DEW_POINTS, &value_of(&values));
    let found = number_or_refusal(td);
    by_name(case, "td_degC", |what| {
        (what == "td_degC").then(|| found.clone())
    })
}

pub fn from_dew_point(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    evaluate(case, "RH_pct", "hardy_rh_dew(td_degC, t_degC, p_Pa)")
}

/// Relative humidity from the frost point, and the dew point of the same air.
pub fn from_frost_point(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let frost = compile(case, "rh = hardy_rh_frost(tf_degC, t_degC, p_Pa)")?;
    let dew = compile(case, "rh = hardy_rh_dew(td, t_degC, p_Pa)")?;
    let values = inputs(case, &frost, "")?;
    let rh = frost.eval("rh", &value_of(&values));
    let td = || {
        let target = rh.clone().map_err(|error| error.to_string())?;
        let td = solve(&dew, "rh", "td", target, DEW_POINTS, &value_of(&values));
        td.map_err(|error| error.to_string())
    };
    by_name(case, "RH_pct or td_degC", |what| match what {
        "RH_pct" => Some(number_or_refusal(rh.clone())),
        "td_degC" => Some(number_or_refusal(td())),
        _ => None,
    })
}

/// Sensitivities of relative humidity to dew point and air temperature at a stated humidity.
pub fn sensitivities(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let model = compile(case, "rh = hardy_rh_dew(td, t_degC, p_Pa)")?;
    let values = inputs(case, &model, "td")?;
    let target = case.root.at("inputs").at("RH_pct").number()?;
    let slopes = || -> Result<Vec<f64>, String> {
        let value_of = value_of(&values);
        let td = solve(&model, "rh", "td", target, DEW_POINTS, &value_of);
        let td = td.map_err(|error| error.to_string())?;
        let at = model
            .inputs()
            .iter()
            .map(|name| value_of(name).unwrap_or(td));
        let at: Vec<f64> = at.collect();
        let (_, slopes) = model
            .gradient("rh", &at)
            .map_err(|error| error.to_string())?;
        Ok(slopes)
    };
    let slope = |name: &str| {
        let at = model.inputs().iter().position(|input| input == name);
        let slopes = slopes()?;
        at.map(|at| slopes[at])
            .ok_or_else(|| "no such input".to_owned())
    };
    by_name(case, "dRH_dtd_pct_per_K or dRH_dt_pct_per_K", |what| {
        let input = match what {
            "dRH_dtd_pct_per_K" => "td",
            "dRH_dt_pct_per_K" => "t_degC",
            _ => return None,
        };
        Some(number_or_refusal(slope(input)))
    })
}
