//! What residuals say about a fitted function.

use serde::{Deserialize, Serialize};

use super::{FitPoint, FitScale};
use crate::normal;
use crate::student::upper_quantile;

/// Residuals as a series, in the order of the points: sort the points by the abscissa to see
/// whether the function fits, by time to see a drift.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// Autocorrelation of neighbours, about 0. None where all residuals are 0.
    pub lag1: Option<f64>,
    /// 2/√n: what independent residuals exceed in about one fit of twenty.
    pub lag1_limit: f64,
    /// Statistic of Durbin and Watson: 2 for independent residuals, towards 0 where neighbours
    /// are alike.
    pub durbin_watson: Option<f64>,
    /// Runs of one sign. None where all residuals have one sign or are 0.
    pub runs: Option<Runs>,
    /// None where no residual can be standardised.
    pub largest: Option<LargestResidual>,
}

/// Runs of residuals of one sign (Wald and Wolfowitz); residuals of 0 are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Runs {
    /// Number of runs found.
    pub found: usize,
    /// Expected for independent signs.
    pub expected: f64,
    /// Standard deviation of the number of runs.
    pub sd: f64,
    /// Whether too few runs were found, by more than 1.645 standard deviations (5 %): neighbours
    /// are alike, as where the function has the wrong shape.
    pub too_few: bool,
}

/// The point that fits worst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LargestResidual {
    /// Place of the point, counted from 0.
    pub point: usize,
    /// Its standardised residual, with its sign.
    pub standardised: f64,
    /// What the largest of n absolute standardised residuals exceeds with a probability of at
    /// most 5 % (Bonferroni). None where there are too few degrees of freedom to say.
    pub limit: Option<f64>,
}

/// Weighted residual over its own standard deviation.
pub fn standardised(point: &FitPoint, sigma: Option<f64>) -> Option<f64> {
    let freedom = 1.0 - point.leverage;
    // What the function must pass through has no residual but rounding.
    let sd = sigma? * freedom.max(0.0).sqrt();
    (freedom > 1e-10 && sd > 0.0).then(|| point.weighted / sd)
}

impl Residuals {
    pub(super) fn of(points: &[FitPoint], scale: FitScale, dof: f64) -> Self {
        let n = points.len() as f64;
        let r: Vec<f64> = points.iter().map(|point| point.weighted).collect();
        let squares = r.iter().fold(0.0, |sum, r| sum + r * r);
        let pairs = |term: fn(f64, f64) -> f64| {
            let sum = r.windows(2).fold(0.0, |sum, w| sum + term(w[0], w[1]));
            (squares > 0.0).then(|| sum / squares)
        };
        Self {
            lag1: pairs(|a, b| a * b),
            lag1_limit: 2.0 / n.sqrt(),
            durbin_watson: pairs(|a, b| (b - a) * (b - a)),
            runs: runs(&r),
            largest: largest(points, scale, dof),
        }
    }
}

fn runs(residuals: &[f64]) -> Option<Runs> {
    let signs = residuals.iter().filter(|r| **r != 0.0).map(|r| *r > 0.0);
    let signs: Vec<bool> = signs.collect();
    let above = signs.iter().filter(|sign| **sign).count() as f64;
    let n = signs.len() as f64;
    let below = n - above;
    if above == 0.0 || below == 0.0 || n < 3.0 {
        return None;
    }
    let found = 1 + signs.windows(2).filter(|w| w[0] != w[1]).count();
    let product = 2.0 * above * below;
    let expected = product / n + 1.0;
    let sd = (product * (product - n) / (n * n * (n - 1.0))).sqrt();
    Some(Runs {
        found,
        expected,
        sd,
        too_few: (found as f64) < expected - 1.645 * sd,
    })
}

fn largest(points: &[FitPoint], scale: FitScale, dof: f64) -> Option<LargestResidual> {
    let known = points
        .iter()
        .enumerate()
        .filter_map(|(at, point)| Some((at, point.standardised?)));
    let (point, standardised) = known.reduce(|worst, next| {
        if next.1.abs() > worst.1.abs() {
            next
        } else {
            worst
        }
    })?;
    let q = 0.025 / points.len() as f64;
    let limit = match scale {
        FitScale::Stated => Some(-normal::quantile(q)),
        // The residual is part of s: t of the residual left out, turned back.
        FitScale::Residuals if dof > 1.0 => {
            let t = upper_quantile(q, dof - 1.0);
            Some(t * (dof / (dof - 1.0 + t * t)).sqrt())
        }
        FitScale::Residuals => None,
    };
    Some(LargestResidual {
        point,
        standardised,
        limit,
    })
}
