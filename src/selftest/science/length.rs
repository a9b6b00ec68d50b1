//! Refractive index of air, and gauge blocks.

use super::super::case::ScienceCase;
use super::super::field::Fault;
use super::super::judge::Found;
use super::Check;
use super::named::{derivatives, evaluate};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("ciddor.nist.", index),
    ("ciddor.t1.", dry_refractivity),
    ("ciddor.t2.", moist_refractivity),
    ("ciddor.t3.", humid_refractivity),
    ("edlen.", edlen),
    ("n.sens", sensitivities),
    ("gb.thermal", gauge_blocks),
];

pub fn index(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = "ciddor(lambda_vac_nm, t_degC, 1000 * p_kPa, RH_pct, 450)";
    evaluate(case, &[("n", expression)])
}

/// Table 1 of Ciddor 1996: dry air at 633 nm.
pub fn dry_refractivity(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = "1e8 * (ciddor(633, t_degC, 1000 * p_kPa, 0, 450) - 1)";
    evaluate(case, &[("(n-1)e8", expression)])
}

/// Table 2 of Ciddor 1996: moist air at 633 nm, by its vapour pressure.
pub fn moist_refractivity(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = "1e8 * (ciddor_e(633, t_degC, p_Pa, pw_Pa, xCO2_ppm) - 1)";
    evaluate(case, &[("(n-1)e8", expression)])
}

/// Table 3 of Ciddor 1996: moist air at 633 nm, by its relative humidity.
pub fn humid_refractivity(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = "1e8 * (ciddor(633, t_degC, 1000 * p_kPa, RH_pct, xCO2_ppm) - 1)";
    evaluate(case, &[("(n-1)e8", expression)])
}

pub fn edlen(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    evaluate(
        case,
        &[
            ("n_edlen", "edlen(lambda_vac_nm, t_degC, p_Pa, RH_pct)"),
            (
                "n_ciddor",
                "ciddor(lambda_vac_nm, t_degC, p_Pa, RH_pct, 450)",
            ),
        ],
    )
}

pub fn sensitivities(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    derivatives(
        case,
        "ciddor(lambda_vac_nm, t_degC, p_Pa, RH_pct, 450)",
        &[
            ("dn_dt_per_K", "t_degC"),
            ("dn_dp_per_Pa", "p_Pa"),
            ("dn_dRH_per_pct", "RH_pct"),
        ],
    )
}

pub fn gauge_blocks(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = "gauge_block_at_20(measured_difference_nm, L_mm, alpha_S, alpha_X, theta_K, \
                      theta_K + dtheta_X_minus_S_K)";
    evaluate(case, &[("difference_at_20_nm", expression)])
}
