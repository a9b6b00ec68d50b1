//! Charts of single values and of their exponentially weighted mean.

use serde::{Deserialize, Serialize};

use super::{Baseline, Chart, ChartError, check_positive, check_share, check_values};
use crate::gum::coverage_factor;

/// Width of the limits of a chart of individuals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartLimits {
    /// That many standard deviations on each side; 3 is usual.
    Sigma(f64),
    /// Two-sided quantile of the t distribution with the degrees of freedom of the baseline for
    /// that probability of staying inside (NIST/SEMATECH e-Handbook, 2.2.2.1).
    Student(f64),
}

/// Limits of an EWMA chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EwmaLimits {
    /// With the standard deviation that the mean has after so many values: narrow at the start.
    Exact,
    /// With the one it has after many.
    Asymptotic,
}

/// Chart of individual values (Shewhart).
///
/// # Errors
/// [`ChartError`].
pub fn individuals(
    values: &[f64],
    baseline: &Baseline,
    limits: ChartLimits,
) -> Result<Chart, ChartError> {
    check_values(values)?;
    let factor = match limits {
        ChartLimits::Sigma(factor) => {
            check_positive("the width of the limits in standard deviations", factor)?;
            factor
        }
        ChartLimits::Student(p) => {
            check_share("the probability of the limits", p)?;
            coverage_factor(baseline.dof, p)
        }
    };
    let half = factor * baseline.s;
    let n = values.len();
    let (low, high) = (baseline.mean - half, baseline.mean + half);
    Ok(Chart::with_limits(
        values.to_vec(),
        baseline.mean,
        vec![low; n],
        vec![high; n],
    ))
}

/// Chart of the exponentially weighted moving average zₜ = λ·xₜ + (1 − λ)·zₜ₋₁, which starts at
/// the mean of the baseline; limits at `width` standard deviations of z (3 is usual). It finds a
/// small lasting shift that single values hide (NIST/SEMATECH e-Handbook, 6.3.2.4).
///
/// # Errors
/// [`ChartError`]; `lambda` must lie in (0, 1], where 1 gives the chart of individuals.
pub fn ewma(
    values: &[f64],
    baseline: &Baseline,
    lambda: f64,
    width: f64,
    limits: EwmaLimits,
) -> Result<Chart, ChartError> {
    check_values(values)?;
    if !(lambda > 0.0 && lambda <= 1.0) {
        return Err(ChartError::Parameter {
            what: "the weight lambda of the newest value",
            found: lambda,
            range: "0 to 1, without 0; 0.2 to 0.3 is usual",
        });
    }
    check_positive("the width of the limits in standard deviations", width)?;
    // From the centre line, so that values which differ in their last digits keep them.
    let (mut away, mut left) = (0.0, 1.0);
    let (mut statistic, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        away = lambda * (value - baseline.mean) + (1.0 - lambda) * away;
        left *= (1.0 - lambda) * (1.0 - lambda);
        let share = match limits {
            EwmaLimits::Exact => 1.0 - left,
            EwmaLimits::Asymptotic => 1.0,
        };
        let half = width * baseline.s * (lambda / (2.0 - lambda) * share).sqrt();
        statistic.push(baseline.mean + away);
        lower.push(baseline.mean - half);
        upper.push(baseline.mean + half);
    }
    Ok(Chart::with_limits(statistic, baseline.mean, lower, upper))
}
