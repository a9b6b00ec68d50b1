//! Density of moist air.

use super::super::case::ScienceCase;
use super::super::field::Fault;
use super::super::judge::Found;
use super::Check;
use super::named::{derivatives, evaluate};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("airdens.cipm.", cipm_2007),
    ("airdens.approx.", simplified),
    ("airdens.jones.", jones),
    ("airdens.sens", sensitivities),
];

/// Density, mole fraction of water vapour and compressibility factor; the pressure stands in
/// pascals or in millimetres of mercury.
pub fn cipm_2007(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let p = match case.root.at("inputs").at("p_mmHg").given() {
        Some(_) => "133.322387415 * p_mmHg",
        None => "p_Pa",
    };
    let xv = format!("cipm_xv(t_degC, {p}, h)");
    evaluate(
        case,
        &[
            ("rho_kg_m3", &format!("cipm_2007(t_degC, {p}, h, xCO2)")),
            ("xv", &xv),
            ("Z", &format!("cipm_z(t_degC, {p}, {xv})")),
        ],
    )
}

pub fn simplified(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = "sop2_air_density_simplified(t_degC, 1000 * p_kPa, 100 * h)";
    evaluate(case, &[("rho_kg_m3", expression)])
}

pub fn jones(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = "sop2_air_density(t_degC, 133.322387415 * p_mmHg, h_pct)";
    evaluate(case, &[("rho_kg_m3", expression)])
}

/// Relative sensitivities: derivatives of the logarithm.
pub fn sensitivities(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    derivatives(
        case,
        "ln(cipm_2007(t_degC, p_Pa, h, 0.0004))",
        &[
            ("dp_rel_per_Pa", "p_Pa"),
            ("dt_rel_per_K", "t_degC"),
            ("dh_rel_per_1", "h"),
        ],
    )
}
