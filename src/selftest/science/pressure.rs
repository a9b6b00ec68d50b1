//! Pressure: columns of gas, and cycles of rising and falling pressure.

use heng_procedures::pressure_cycles;

use super::super::case::ScienceCase;
use super::super::field::Fault;
use super::super::judge::Found;
use super::named::evaluate;
use super::{Check, by_name};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[("press.head", head), ("press.cycles", cycles)];

/// A column of nitrogen in the air of a laboratory at 20 °C, 101 325 Pa and 50 %.
pub fn head(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let rho = "nitrogen_density(t_degC, p_Pa)";
    let air = "cipm_2007(20, 101325, 0.5, 0.0004)";
    evaluate(
        case,
        &[
            ("rho_f", rho),
            ("dp_Pa", &format!("head_correction({rho}, {air}, g, h_m)")),
        ],
    )
}

pub fn cycles(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let reference = place.at("reference_kPa").numbers()?;
    let evaluated = pressure_cycles(
        &reference,
        &place.at("up").rows()?,
        &place.at("down").rows()?,
    );
    let known = "mean_deviation, mean_hysteresis or repeatability, one for each point";
    by_name(case, known, |what| {
        let evaluated = match &evaluated {
            Ok(evaluated) => evaluated,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        let (name, at) = what.strip_suffix(']')?.split_once('[')?;
        let point = evaluated.points.get(at.parse::<usize>().ok()?)?;
        Some(match name {
            "mean_deviation" => Found::Value(point.mean_deviation),
            "mean_hysteresis" => Found::Value(point.mean_hysteresis),
            "repeatability" => point.repeatability.map_or_else(
                || Found::Refused("one cycle has no repeatability".to_owned()),
                Found::Value,
            ),
            _ => return None,
        })
    })
}
