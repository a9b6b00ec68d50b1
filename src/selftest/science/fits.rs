//! Least-squares fits.

use heng_uncertainty::{Fit, Polynomial, Scatter};

use super::super::case::ScienceCase;
use super::super::data;
use super::super::field::Fault;
use super::super::judge::Found;
use super::{Check, by_name};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("gum.h3", thermometer),
    ("cvd.fit.pos", resistance),
    ("data.loadcell", load_cell),
    ("data.dziuba.drift", drift),
    ("strd.pontius", pontius),
    ("strd.wampler1", wampler),
    ("interval.nasa.fit", interval),
];

/// A fit that is refused answers every name.
fn answers(
    case: &ScienceCase,
    fit: &Result<Fit, String>,
    known: &str,
    answer: impl Fn(&Fit, &str) -> Option<Result<f64, String>>,
) -> Result<Vec<Found>, Fault> {
    by_name(case, known, |what| match fit {
        Err(refused) => Some(Found::Refused(refused.clone())),
        Ok(fit) => answer(fit, what).map(super::number_or_refusal),
    })
}

fn text<T, E: ToString>(found: Result<T, E>) -> Result<T, String> {
    found.map_err(|error| error.to_string())
}

/// Standard uncertainty of the parameter at a place.
fn u(fit: &Fit, at: usize) -> Result<f64, String> {
    Ok(text(fit.uncertainties())?[at])
}

fn s(fit: &Fit) -> Result<f64, String> {
    fit.s.ok_or_else(|| "no degrees of freedom".to_owned())
}

fn lists(case: &ScienceCase, names: [&str; 2]) -> Result<[Vec<f64>; 2], Fault> {
    let [x, y] = names.map(|name| case.root.at("inputs").at(name).numbers());
    Ok([x?, y?])
}

pub fn thermometer(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let [t, b] = lists(case, ["t_degC", "b_degC"])?;
    let line = Polynomial::line().about(case.root.at("inputs").at("t0").number()?);
    let fit = text(line.fit(&t, &b, Scatter::Unknown));
    answers(case, &fit, "y1, u_y1, y2, u_y2, r or SSR", |fit, what| {
        Some(match what {
            "y1" => Ok(fit.estimates[0]),
            "u_y1" => u(fit, 0),
            "y2" => Ok(fit.estimates[1]),
            "u_y2" => u(fit, 1),
            "r" => Ok(fit.correlation(0, 1)),
            "SSR" => Ok(fit.sum_of_squares),
            _ => return None,
        })
    })
}

/// Callendar and Van Dusen above 0 °C: R0, R0·A and R0·B are fitted.
pub fn resistance(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let [t, r] = lists(case, ["t_degC", "R_ohm"])?;
    let fit = text(Polynomial::of_degree(2).fit(&t, &r, Scatter::Unknown));
    let known = "R0, A, B, s_ohm, u_R0, u_R0A, u_R0B or corr_R0_R0A";
    answers(case, &fit, known, |fit, what| {
        Some(match what {
            "R0" => Ok(fit.estimates[0]),
            "A" => Ok(fit.estimates[1] / fit.estimates[0]),
            "B" => Ok(fit.estimates[2] / fit.estimates[0]),
            "s_ohm" => s(fit),
            "u_R0" => u(fit, 0),
            "u_R0A" => u(fit, 1),
            "u_R0B" => u(fit, 2),
            "corr_R0_R0A" => Ok(fit.correlation(0, 1)),
            _ => return None,
        })
    })
}

/// `b0`, `sd_b1`, `s` or `n`.
fn named(fit: &Fit, what: &str) -> Option<Result<f64, String>> {
    let place = |name: &str| fit.parameters.iter().position(|known| known == name);
    Some(match what {
        "s" => s(fit),
        "n" => Ok(fit.points.len() as f64),
        _ => match what.strip_prefix("sd_") {
            Some(name) => u(fit, place(name)?),
            None => Ok(fit.estimates[place(what)?]),
        },
    })
}

/// Two columns of a file by their places.
fn columns(case: &ScienceCase, places: [usize; 2]) -> Result<[Vec<f64>; 2], Fault> {
    let rows = data::rows(data::file(&case.root.at("inputs").at("data"))?);
    Ok(places.map(|at| rows.iter().filter_map(|row| row.get(at).copied()).collect()))
}

pub fn load_cell(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let [x, y] = columns(case, [0, 1])?;
    let fit = text(Polynomial::of_degree(2).fit(&x, &y, Scatter::Unknown));
    answers(case, &fit, "b0, b1, b2, s or n", named)
}

pub fn pontius(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let [y, x] = columns(case, [0, 1])?;
    let fit = text(Polynomial::of_degree(2).fit(&x, &y, Scatter::Unknown));
    answers(case, &fit, "b0, b1, b2, their sd_ or s", named)
}

pub fn wampler(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let x = case.root.at("inputs").at("x").numbers()?;
    let y: Vec<f64> = x
        .iter()
        .map(|x| (0..5).fold(1.0, |sum, _| sum * x + 1.0))
        .collect();
    let fit = text(Polynomial::of_degree(5).fit(&x, &y, Scatter::Unknown));
    answers(case, &fit, "b[0] to b[5]", |fit, what| {
        let at: usize = what.strip_prefix("b[")?.strip_suffix(']')?.parse().ok()?;
        fit.estimates.get(at).copied().map(Ok)
    })
}

/// Drift of a resistor; month, day and year stand in the file.
pub fn drift(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let rows = data::rows(data::file(&case.root.at("inputs").at("data"))?);
    let line = Polynomial::line().about(1983.0);
    let year = |row: &Vec<f64>| 1900.0 + row[4] + (row[2] - 1.0) / 12.0 + (row[3] - 1.0) / 365.25;
    let rows: Vec<_> = rows.into_iter().filter(|row| row.len() == 5).collect();
    let x: Vec<f64> = rows.iter().map(year).collect();
    let y: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let fit = text(line.fit(&x, &y, Scatter::Unknown));
    let known = "n, intercept, slope_per_year, s, u_slope, pred_1986 or u_pred_single";
    answers(case, &fit, known, |fit, what| {
        let later = || text(line.predict(fit, 1986.0));
        Some(match what {
            "n" => Ok(fit.points.len() as f64),
            "intercept" => Ok(fit.estimates[0]),
            "slope_per_year" => Ok(fit.estimates[1]),
            "s" => s(fit),
            "u_slope" => u(fit, 1),
            "pred_1986" => later().map(|found| found.value),
            "u_pred_single" => later().and_then(|found| found.u_single.ok_or_else(String::new)),
            _ => return None,
        })
    })
}

pub fn interval(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let [days, deviation] = lists(case, ["days", "deviation"])?;
    let curve = Polynomial::of_degree(2).through_origin();
    let fit = text(curve.fit(&days, &deviation, Scatter::Unknown));
    answers(
        case,
        &fit,
        "b1, b2, var_b1, var_b2, cov or s",
        |fit, what| {
            let covariance = |a: usize, b: usize| Ok(text(fit.covariance())?[a][b]);
            Some(match what {
                "var_b1" => covariance(0, 0),
                "var_b2" => covariance(1, 1),
                "cov" => covariance(0, 1),
                _ => return named(fit, what),
            })
        },
    )
}
