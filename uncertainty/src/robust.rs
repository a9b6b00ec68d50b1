//! Robust estimates of location and scale from the results of participants (ISO 13528:2022,
//! annex C).

use std::f64::consts::SQRT_2;

use serde::{Deserialize, Serialize};

use crate::normal;
use crate::type_a::type_a;

/// When the iteration of Algorithm A ends. The two differ in the last digit that is printed:
/// a report names the one used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopping {
    /// When the third significant figure of x* and of s* no longer changes (ISO 13528:2022,
    /// C.3.1); the values printed in annex E follow this rule.
    #[default]
    ThirdFigure,
    /// When both stand still but for rounding.
    Converged,
}

/// Robust mean and standard deviation of participants' results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobustEstimate {
    /// Number of results p.
    pub p: usize,
    /// Robust mean x*, in the unit of the results.
    pub mean: f64,
    /// Robust standard deviation s*.
    pub s: f64,
    /// Standard uncertainty 1.25·s*/√p of x* as an assigned value (ISO 13528:2022, 7.7.3).
    pub u: f64,
    /// Iterations made; 0 for an estimate that needs none.
    pub iterations: usize,
}

/// Why results have no robust estimate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RobustError {
    /// Too few results.
    #[error("{what} needs at least {needed} results, not {found}; add participants")]
    TooFew {
        /// The estimate.
        what: &'static str,
        /// Results needed.
        needed: usize,
        /// Results given.
        found: usize,
    },
    /// A result that is infinite or no number.
    #[error("result {result} is not a finite number; mend it, or leave it out")]
    NotFinite {
        /// Counted from 1.
        result: usize,
    },
    /// So many equal results that the scale is 0.
    #[error("{what} is 0, because too many results are equal; {cure}")]
    NoScatter {
        /// The estimate.
        what: &'static str,
        /// What to do.
        cure: &'static str,
    },
    /// Algorithm A did not come to rest.
    #[error(
        "Algorithm A did not come to rest in {iterations} iterations; take the Q method with the Hampel estimator"
    )]
    NotConverged {
        /// Iterations made.
        iterations: usize,
    },
}

const ALL_EQUAL: &str =
    "read with more digits, or set the standard deviation for proficiency assessment from outside";
const TIES: &str =
    "take Algorithm A or the Q method, which bear more ties, or read with more digits";
const MAX_ITERATIONS: usize = 1000;

fn sorted(what: &'static str, needed: usize, results: &[f64]) -> Result<Vec<f64>, RobustError> {
    if let Some(at) = results.iter().position(|x| !x.is_finite()) {
        return Err(RobustError::NotFinite { result: at + 1 });
    }
    let found = results.len();
    if found < needed {
        return Err(RobustError::TooFew {
            what,
            needed,
            found,
        });
    }
    let mut sorted = results.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

/// Quantile of sorted values, linear between the order statistics; the first has 0, the last 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in the list: from 0, and whole"
)]
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let below = place.floor();
    let at = below as usize;
    let next = sorted[(at + 1).min(sorted.len() - 1)];
    sorted[at] + (place - below) * (next - sorted[at])
}

pub(crate) fn median_of_sorted(sorted: &[f64]) -> f64 {
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    low + 0.5 * (high - low)
}

/// Median (ISO 13528:2022, C.2.1).
///
/// # Errors
/// [`RobustError::TooFew`] for no results, [`RobustError::NotFinite`].
pub fn median(results: &[f64]) -> Result<f64, RobustError> {
    Ok(median_of_sorted(&sorted("the median", 1, results)?))
}

fn absolute_deviation(sorted: &[f64], middle: f64) -> f64 {
    let mut distances: Vec<f64> = sorted.iter().map(|x| (x - middle).abs()).collect();
    distances.sort_unstable_by(f64::total_cmp);
    1.483 * median_of_sorted(&distances)
}

/// Scaled median absolute deviation `MADe` (ISO 13528:2022, C.2.2).
///
/// # Errors
/// [`RobustError`]; [`RobustError::NoScatter`] where half of the results are equal.
pub fn scaled_mad(results: &[f64]) -> Result<f64, RobustError> {
    let what = "MADe";
    let sorted = sorted(what, 2, results)?;
    scatter(
        what,
        TIES,
        absolute_deviation(&sorted, median_of_sorted(&sorted)),
    )
}

/// Normalised interquartile range nIQR (ISO 13528:2022, C.2.3), with quartiles linear between
/// the order statistics, as the value printed in table E.5 has them.
///
/// # Errors
/// [`RobustError`]; [`RobustError::NoScatter`] where the quartiles are equal.
pub fn normalised_iqr(results: &[f64]) -> Result<f64, RobustError> {
    let what = "nIQR";
    let sorted = sorted(what, 2, results)?;
    let range = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
    scatter(what, TIES, 0.7413 * range)
}

fn scatter(what: &'static str, cure: &'static str, s: f64) -> Result<f64, RobustError> {
    if s > 0.0 {
        return Ok(s);
    }
    Err(RobustError::NoScatter { what, cure })
}

impl RobustEstimate {
    fn new(p: usize, mean: f64, s: f64, iterations: usize) -> Self {
        Self {
            p,
            mean,
            s,
            u: 1.25 * s / (p as f64).sqrt(),
            iterations,
        }
    }
}

/// Algorithm A: robust mean x* and standard deviation s* (ISO 13528:2022, C.3.1).
///
/// # Errors
/// [`RobustError`]; [`RobustError::NoScatter`] where all results are equal.
///
/// # Example
/// ```
/// use heng_uncertainty::{Stopping, algorithm_a};
///
/// // A result that is far off moves the robust mean little; the arithmetic mean is 10.88.
/// let found = algorithm_a(&[10.1, 10.2, 10.0, 10.1, 14.0], Stopping::ThirdFigure)?;
/// assert!(found.mean > 10.1 && found.mean < 10.25);
/// # Ok::<(), heng_uncertainty::RobustError>(())
/// ```
pub fn algorithm_a(results: &[f64], stopping: Stopping) -> Result<RobustEstimate, RobustError> {
    let sorted = sorted("Algorithm A", 2, results)?;
    let p = sorted.len();
    let mut mean = median_of_sorted(&sorted);
    let mut s = absolute_deviation(&sorted, mean);
    if s == 0.0 {
        // C.3.1, note 2.
        s = type_a(&sorted).map_or(0.0, |all| all.s);
        scatter("the standard deviation", ALL_EQUAL, s)?;
    }
    for iteration in 1..=MAX_ITERATIONS {
        let drawn = sorted.iter();
        let drawn: Vec<f64> = drawn
            .map(|x| x.clamp(mean - 1.5 * s, mean + 1.5 * s))
            .collect();
        let next = type_a(&drawn).map_or([mean, s], |drawn| [drawn.mean, 1.134 * drawn.s]);
        let at_rest = match stopping {
            Stopping::ThirdFigure => {
                third_figure(next[0]) == third_figure(mean)
                    && third_figure(next[1]) == third_figure(s)
            }
            Stopping::Converged => {
                let rounding = 1e-12 * s + 4.0 * f64::EPSILON * mean.abs();
                (next[0] - mean).abs() <= rounding && (next[1] - s).abs() <= rounding
            }
        };
        [mean, s] = next;
        if at_rest {
            scatter("the standard deviation", ALL_EQUAL, s)?;
            return Ok(RobustEstimate::new(p, mean, s, iteration));
        }
    }
    Err(RobustError::NotConverged {
        iterations: MAX_ITERATIONS,
    })
}

/// Rounded to three significant figures.
fn third_figure(x: f64) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    let unit = libm::pow(10.0, libm::floor(libm::log10(x.abs())) - 2.0);
    (x / unit).round() * unit
}

/// Standard deviation by the Q method, from the differences between participants
/// (ISO 13528:2022, C.5.2.2); `results` has the replicates of each participant, one or more.
///
/// # Errors
/// [`RobustError`]; [`RobustError::NoScatter`] where nearly all results are equal.
pub fn q_method(results: &[Vec<f64>]) -> Result<f64, RobustError> {
    let what = "the Q method";
    for group in results {
        sorted("a participant", 1, group)?;
    }
    let found = results.len();
    if found < 2 {
        let needed = 2;
        return Err(RobustError::TooFew {
            what,
            needed,
            found,
        });
    }
    let steps = steps_of_differences(results);
    let at_zero = if steps[0].0 == 0.0 { steps[0].1 } else { 0.0 };
    if at_zero > 1.0 - 1e-9 {
        return Err(RobustError::NoScatter {
            what,
            cure: ALL_EQUAL,
        });
    }
    let wanted = 0.25 + 0.75 * at_zero;
    // Through the middles of the steps; from 0, where nothing is yet.
    let (mut before, mut height_before, mut step_before) = (0.0, 0.0, 0.0);
    for (x, height) in steps {
        let middle = if x == 0.0 {
            0.0
        } else {
            0.5 * (step_before + height)
        };
        if middle >= wanted {
            let part = (wanted - height_before) / (middle - height_before);
            let width = before + part * (x - before);
            return Ok(width / (SQRT_2 * normal::quantile(0.625 + 0.375 * at_zero)));
        }
        (before, height_before, step_before) = (x, middle, height);
    }
    // The middle of the last step is too low: its end is meant.
    Ok(before / (SQRT_2 * normal::quantile(0.625 + 0.375 * at_zero)))
}

/// Absolute differences between participants, rising, each with the share up to it.
fn steps_of_differences(results: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let pairs = (results.len() * (results.len() - 1)) as f64;
    let mut differences = Vec::new();
    for (at, a) in results.iter().enumerate() {
        for b in &results[..at] {
            let share = 2.0 / (pairs * (a.len() * b.len()) as f64);
            let each = a.iter().flat_map(|x| b.iter().map(move |y| (x - y).abs()));
            differences.extend(each.map(|difference| (difference, share)));
        }
    }
    differences.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let mut sum = 0.0;
    for (x, share) in differences {
        sum += share;
        match steps.last_mut() {
            Some(step) if step.0 == x => step.1 = sum,
            _ => steps.push((x, sum)),
        }
    }
    steps
}

/// Hampel's ψ (ISO 13528:2022, C.5.3).
fn psi(q: f64) -> f64 {
    let size = q.abs();
    let value = if size <= 1.5 {
        size
    } else if size <= 3.0 {
        1.5
    } else {
        (4.5 - size).max(0.0)
    };
    value.copysign(q)
}

/// Location by Hampel's estimator for the standard deviation `s` > 0: the solution of
/// Σψ((x − x*)/s) = 0 that is nearest to the median, and the median where two are as near
/// (ISO 13528:2022, C.5.3.3).
///
/// # Errors
/// [`RobustError`].
pub fn hampel(results: &[f64], s: f64) -> Result<f64, RobustError> {
    let sorted = sorted("the Hampel estimator", 1, results)?;
    scatter(
        "the standard deviation of the Hampel estimator",
        ALL_EQUAL,
        s,
    )?;
    let middle = median_of_sorted(&sorted);
    let corners = [-4.5, -3.0, -1.5, 1.5, 3.0, 4.5];
    let mut nodes: Vec<f64> = sorted
        .iter()
        .flat_map(|x| corners.map(|corner| x + corner * s))
        .collect();
    nodes.sort_unstable_by(f64::total_cmp);
    let sum = |at: f64| sorted.iter().fold(0.0, |sum, x| sum + psi((x - at) / s));
    let nothing = 1e-12 * sorted.len() as f64;
    let heights: Vec<f64> = nodes.iter().map(|&node| sum(node)).collect();
    // Linear between the nodes.
    let solutions = nodes
        .windows(2)
        .zip(heights.windows(2))
        .filter_map(
            |(x, y)| match [y[0].abs() <= nothing, y[1].abs() <= nothing] {
                [true, true] => Some(middle.clamp(x[0], x[1])),
                [true, false] => Some(x[0]),
                [false, true] => Some(x[1]),
                [false, false] if y[0] * y[1] < 0.0 => {
                    Some(x[0] + (x[1] - x[0]) * y[0] / (y[0] - y[1]))
                }
                [false, false] => None,
            },
        );
    let rounding = 1e-9 * s;
    let mut best = middle;
    let mut distance = f64::INFINITY;
    for solution in solutions {
        let away = (solution - middle).abs();
        if away < distance - rounding {
            (best, distance) = (solution, away);
        } else if away <= distance + rounding && (solution - best).abs() > rounding {
            best = middle;
        }
    }
    Ok(best)
}

/// Standard deviation by the Q method with Hampel's estimator of location
/// (ISO 13528:2022, C.5.4), for one result of each participant.
///
/// # Errors
/// [`RobustError`].
pub fn q_hampel(results: &[f64]) -> Result<RobustEstimate, RobustError> {
    let groups: Vec<Vec<f64>> = results.iter().map(|&x| vec![x]).collect();
    let s = q_method(&groups)?;
    Ok(RobustEstimate::new(
        results.len(),
        hampel(results, s)?,
        s,
        0,
    ))
}
