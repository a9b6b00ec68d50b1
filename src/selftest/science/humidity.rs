//! Humidity: the named formulas of the program.

use heng_uncertainty::solve;

use super::super::case::ScienceCase;
use super::super::data;
use super::super::field::Fault;
use super::super::judge::Found;
use super::named::{compile, evaluate, inputs, value_of};
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("pws.hardy.", vapour_pressure),
    ("psi.hardy.", vapour_pressure),
    ("pws.sonntag.", vapour_pressure),
    ("psi.sonntag.", vapour_pressure),
    ("pws.wmo.", vapour_pressure),
    ("pws.ashrae.", vapour_pressure),
    ("pws.iapws95.", vapour_pressure),
    ("pws.cipm.", vapour_pressure),
    ("pws.if97.", saturation_pressure),
    ("tsat.if97.", saturation_temperature),
    ("psub.iapws.", sublimation_pressure),
    ("psychro.cn.", psychrometer),
    ("data.nyc.rh", reported_humidity),
    ("f.hardy.", enhancement),
    ("f.cipm.", enhancement),
    ("f.wmo.", enhancement),
    ("dew.", dew_point),
    ("rh.hardy.frost.", from_frost_point),
    ("rh.hardy.", from_dew_point),
    ("rh.unc.", sensitivities),
];

/// Dew points are looked for in this range, in degrees Celsius.
const DEW_POINTS: [f64; 2] = [-50.0, 60.0];

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
    evaluate(case, &[("p_Pa", &expression)])
}

pub fn enhancement(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = if case.id.starts_with("f.hardy.ice.") {
        "hardy_f_ice(t_degC, p_Pa)"
    } else if case.id.starts_with("f.hardy.") {
        "hardy_f_water(t_degC, p_Pa)"
    } else if case.id.starts_with("f.cipm.") {
        "cipm_f(t_degC, p_Pa)"
    } else {
        // The factor of WMO-No. 8 does not depend on the temperature.
        "wmo_f(20, 100 * p_hPa)"
    };
    evaluate(case, &[("f", expression)])
}

pub fn saturation_pressure(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    evaluate(case, &[("p_MPa", "if97_water(T_K - 273.15) / 1e6")])
}

pub fn saturation_temperature(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    evaluate(case, &[("T_K", "if97_boiling(1e6 * p_MPa) + 273.15")])
}

pub fn sublimation_pressure(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    evaluate(case, &[("p_Pa", "iapws_ice(T_K - 273.15)")])
}

/// Vapour pressure in hectopascals, relative humidity and dew point, as the Chinese tables
/// print them.
pub fn psychrometer(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let e = "psychrometer_cn_water(t_dry_degC, t_wet_degC, 100 * p_hPa)";
    evaluate(
        case,
        &[
            ("result[0]", &format!("{e} / 100")),
            (
                "result[1]",
                &format!("100 * {e} / goff_gratch_water(t_dry_degC)"),
            ),
            ("result[2]", &format!("goff_gratch_dew_point({e})")),
        ],
    )
}

/// Reported relative humidity against that of the reported temperature and dew point, both in
/// degrees Fahrenheit.
pub fn reported_humidity(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let text = data::file(&case.root.at("inputs").at("data"))?;
    let model = compile(
        case,
        "d = abs(100 * alduchov_water((dewp - 32) / 1.8) / alduchov_water((temp - 32) / 1.8) - humid)",
    )?;
    let differences = column_numbers(text, model.inputs()).and_then(|columns| {
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut out = vec![0.0; columns.first().map_or(0, |column| column.len())];
        model.eval_block("d", &columns, &mut out).ok()?;
        Some(out)
    });
    let Some(differences) = differences else {
        let place = case.root.at("inputs").at("data");
        return Err(place.fault("has a row without its numbers", "name the published file"));
    };
    let rows = differences.len() as f64;
    by_name(
        case,
        "rows, mean_abs_difference_pct or rows_over_0.5_pct",
        |what| {
            Some(Found::Value(match what {
                "rows" => rows,
                "mean_abs_difference_pct" => {
                    differences
                        .iter()
                        .fold(0.0, |sum, difference| sum + difference)
                        / rows
                }
                "rows_over_0.5_pct" => differences
                    .iter()
                    .filter(|&&difference| difference > 0.5)
                    .count() as f64,
                _ => return None,
            }))
        },
    )
}

/// Columns of a table with a header line and commas, whose cells are all numbers.
fn column_numbers(text: &str, names: &[String]) -> Option<Vec<Vec<f64>>> {
    let mut lines = text.lines();
    let heads: Vec<&str> = lines.next()?.split(',').collect();
    let at = names
        .iter()
        .map(|name| heads.iter().position(|head| head == name));
    let at = at.collect::<Option<Vec<usize>>>()?;
    let mut columns = vec![Vec::new(); names.len()];
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        for (column, &at) in columns.iter_mut().zip(&at) {
            column.push(cells.get(at)?.parse::<f64>().ok()?);
        }
    }
    Some(columns)
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
    evaluate(case, &[("RH_pct", "hardy_rh_dew(td_degC, t_degC, p_Pa)")])
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
