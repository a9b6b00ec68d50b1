//! Intervals between calibrations (ILAC-G24/OIML D 10:2022, NCSLI RP-1).

use serde::{Deserialize, Serialize};

use crate::fit::{Fit, FitError, Polynomial, Scatter};
use crate::gum::coverage_factor;
use crate::special;

/// Staircase: longer after a good calibration, shorter after a bad one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staircase {
    /// Share of the limit within which the interval grows.
    pub calm_share: f64,
    /// Factor of growth.
    pub longer: f64,
    /// Factor after a value outside of the limit.
    pub shorter: f64,
}

impl Default for Staircase {
    /// Longer by 1.5 within 80 % of the limit, half where outside, else unchanged.
    fn default() -> Self {
        Self {
            calm_share: 0.8,
            longer: 1.5,
            shorter: 0.5,
        }
    }
}

/// Result of method A3 for attributes data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributesInterval {
    /// Suggested interval in days; the present one where the evidence does not suffice.
    pub interval_d: f64,
    /// Observed reliability: share of items found in tolerance.
    pub observed: f64,
    /// Confidence Q at which the target is rejected.
    pub rejection: f64,
    /// Whether Q exceeds the confidence asked for.
    pub changed: bool,
}

/// Drift between calibrations, from deviations found after intervals of different length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Polynomial through the origin: what was adjusted or corrected has no deviation at 0.
    pub polynomial: Polynomial,
    /// Its fit.
    pub fit: Fit,
    /// Value at the start, in the unit of the limits.
    pub start: f64,
    /// Standard uncertainty of the calibration at the start.
    pub u_start: f64,
}

/// When the interval ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopRule {
    /// When the standard uncertainty of the predicted value reaches this.
    Uncertainty(f64),
    /// When the prediction with its expanded uncertainty reaches a limit. Both limits finite:
    /// two-sided coverage factor; one infinite: one-sided.
    Reliability {
        /// Lower and upper limit of the value.
        limits: [f64; 2],
        /// Probability of the coverage factor.
        confidence: f64,
    },
}

/// Where an interval ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftInterval {
    /// Days until the rule stops; 0 where it does at the start, though the drift may lead back
    /// inside later. None where it does not within the horizon.
    pub interval_d: Option<f64>,
    /// Predicted value then, or at the horizon.
    pub value: f64,
    /// Its standard uncertainty: start, scatter and fit together.
    pub u: f64,
    /// Coverage factor; none for an uncertainty target.
    pub k: Option<f64>,
    /// Whether the end lies beyond the longest interval of the history: then the drift is
    /// extrapolated.
    pub extrapolated: bool,
}

/// Why no interval is given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RecalibrationError {
    /// A parameter outside its range.
    #[error("{what} is {found}; it must lie in {range}")]
    Parameter {
        /// Which parameter.
        what: &'static str,
        /// As given.
        found: f64,
        /// Its range in words.
        range: &'static str,
    },
    /// More passes than items, or no items.
    #[error(
        "{pass} of {n} calibrations in tolerance is no record; give at least one, and no more passes than calibrations"
    )]
    Counts {
        /// In tolerance.
        pass: u32,
        /// In all.
        n: u32,
    },
    /// The drift cannot be fitted.
    #[error(transparent)]
    Fit(#[from] FitError),
}

fn within(
    what: &'static str,
    found: f64,
    fits: bool,
    range: &'static str,
) -> Result<(), RecalibrationError> {
    if fits {
        return Ok(());
    }
    Err(RecalibrationError::Parameter { what, found, range })
}

fn positive(what: &'static str, found: f64) -> Result<(), RecalibrationError> {
    within(
        what,
        found,
        found.is_finite() && found > 0.0,
        "the positive numbers",
    )
}

fn share(what: &'static str, found: f64) -> Result<(), RecalibrationError> {
    within(
        what,
        found,
        found > 0.0 && found < 1.0,
        "0 to 1, without the ends",
    )
}

impl Staircase {
    /// The next interval in days after one of `interval_d`, for a deviation found against its
    /// limit (ILAC-G24/OIML D 10:2022, method 1).
    ///
    /// # Errors
    /// [`RecalibrationError::Parameter`].
    pub fn next_d(
        &self,
        interval_d: f64,
        deviation: f64,
        limit: f64,
    ) -> Result<f64, RecalibrationError> {
        positive("the interval", interval_d)?;
        positive("the limit of the deviation", limit)?;
        within(
            "the deviation",
            deviation,
            deviation.is_finite(),
            "the finite numbers",
        )?;
        within(
            "the share for a longer interval",
            self.calm_share,
            (0.0..=1.0).contains(&self.calm_share),
            "0 to 1",
        )?;
        within(
            "the factor of growth",
            self.longer,
            self.longer.is_finite() && self.longer >= 1.0,
            "the numbers from 1",
        )?;
        within(
            "the factor of shortening",
            self.shorter,
            self.shorter > 0.0 && self.shorter <= 1.0,
            "0 to 1, without 0",
        )?;
        let size = deviation.abs();
        Ok(if size > limit {
            interval_d * self.shorter
        } else if size <= self.calm_share * limit {
            interval_d * self.longer
        } else {
            interval_d
        })
    }
}

/// Method A3 of NCSLI RP-1 for attributes data: `pass` of `n` calibrations found the items in
/// tolerance after `interval_d` days, the reliability `target` is wanted. The interval changes
/// where the target is rejected with more than `confidence`: by 10^((R − target)·Q) where the
/// observed reliability R is below it; where it is above, by the same expression, which then
/// grows.
///
/// # Errors
/// [`RecalibrationError`].
pub fn attributes_interval(
    [pass, n]: [u32; 2],
    interval_d: f64,
    target: f64,
    confidence: f64,
) -> Result<AttributesInterval, RecalibrationError> {
    if n == 0 || pass > n {
        return Err(RecalibrationError::Counts { pass, n });
    }
    positive("the interval", interval_d)?;
    share("the target reliability", target)?;
    within(
        "the confidence",
        confidence,
        (0.0..1.0).contains(&confidence),
        "0 to 1, without 1",
    )?;
    let observed = f64::from(pass) / f64::from(n);
    // Probability of so many passes or fewer, and of so many or more.
    let up_to = |pass: f64| special::beta(f64::from(n) - pass, pass + 1.0, 1.0 - target, target).0;
    let tail = if observed <= target {
        if pass == n {
            1.0
        } else {
            up_to(f64::from(pass))
        }
    } else if pass == 0 {
        1.0
    } else {
        1.0 - up_to(f64::from(pass) - 1.0)
    };
    let rejection = (1.0 - 2.0 * tail).max(0.0);
    let changed = rejection > confidence;
    let factor = if changed {
        libm::pow(10.0, (observed - target) * rejection)
    } else {
        1.0
    };
    Ok(AttributesInterval {
        interval_d: interval_d * factor,
        observed,
        rejection,
        changed,
    })
}

/// Steps in which the time up to the horizon is searched for the first end.
const STEPS: u32 = 4096;

impl Drift {
    /// Fits `deviations`, found `days` after the calibration before, by a polynomial of `degree`
    /// through the origin (H. Castrup, Calibration intervals from variables data, NCSLI 2005;
    /// NASA-HDBK-8739.19-5). `start` is the value at the last calibration, `u_start` its
    /// standard uncertainty.
    ///
    /// # Errors
    /// [`RecalibrationError`].
    pub fn fit(
        days: &[f64],
        deviations: &[f64],
        degree: u32,
        start: f64,
        u_start: f64,
    ) -> Result<Self, RecalibrationError> {
        within(
            "the value at the start",
            start,
            start.is_finite(),
            "the finite numbers",
        )?;
        let fits = u_start.is_finite() && u_start >= 0.0;
        within(
            "the standard uncertainty at the start",
            u_start,
            fits,
            "the numbers from 0",
        )?;
        if let Some(&bad) = days.iter().find(|day| !(day.is_finite() && **day > 0.0)) {
            positive("a time since calibration in days", bad)?;
        }
        let polynomial = Polynomial::of_degree(degree).through_origin();
        let fit = polynomial.fit(days, deviations, Scatter::Unknown)?;
        fit.uncertainties()?;
        Ok(Self {
            polynomial,
            fit,
            start,
            u_start,
        })
    }

    /// Predicted value after `day` days and its standard uncertainty.
    ///
    /// Limits take the coverage factor at the degrees of freedom of the fit, as the handbook
    /// does: cautious where the uncertainty of the start is the larger part.
    ///
    /// # Errors
    /// [`RecalibrationError::Fit`].
    pub fn predict(&self, day: f64) -> Result<[f64; 2], RecalibrationError> {
        let found = self.polynomial.predict(&self.fit, day)?;
        let single = found.u_single.unwrap_or(found.u);
        let u = (self.u_start * self.u_start + single * single).sqrt();
        Ok([self.start + found.value, u])
    }

    /// The interval by `rule`, searched up to `horizon_d` days. `longest_d` of the history tells
    /// what is extrapolated.
    ///
    /// # Errors
    /// [`RecalibrationError`].
    pub fn interval(
        &self,
        rule: StopRule,
        longest_d: f64,
        horizon_d: f64,
    ) -> Result<DriftInterval, RecalibrationError> {
        positive("the longest interval of the history", longest_d)?;
        positive("the horizon of the search", horizon_d)?;
        let k = self.factor(rule)?;
        let stops = |day: f64| -> Result<bool, RecalibrationError> {
            let [value, u] = self.predict(day)?;
            Ok(match rule {
                StopRule::Uncertainty(target) => u >= target,
                StopRule::Reliability { limits, .. } => {
                    let half = k.unwrap_or(0.0) * u;
                    value + half >= limits[1] || value - half <= limits[0]
                }
            })
        };
        let mut end = if stops(0.0)? { Some(0.0) } else { None };
        let step = horizon_d / f64::from(STEPS);
        for at in 1..=STEPS {
            if end.is_some() {
                break;
            }
            let (mut low, mut high) = (f64::from(at - 1) * step, f64::from(at) * step);
            if !stops(high)? {
                continue;
            }
            while high - low > 1e-12 * high {
                let middle = 0.5 * (low + high);
                if middle <= low || middle >= high {
                    break;
                }
                if stops(middle)? {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            end = Some(high);
        }
        let [value, u] = self.predict(end.unwrap_or(horizon_d))?;
        Ok(DriftInterval {
            interval_d: end,
            value,
            u,
            k,
            extrapolated: end.unwrap_or(horizon_d) > longest_d,
        })
    }

    fn factor(&self, rule: StopRule) -> Result<Option<f64>, RecalibrationError> {
        match rule {
            StopRule::Uncertainty(target) => {
                positive("the target of the uncertainty", target)?;
                Ok(None)
            }
            StopRule::Reliability { limits, confidence } => {
                let [low, high] = limits;
                let is_interval = low < high && (low.is_finite() || high.is_finite());
                let range = "the numbers below the upper limit; one of the two may be infinite";
                within("the lower limit", low, is_interval, range)?;
                share("the confidence", confidence)?;
                let one_sided = low.is_infinite() || high.is_infinite();
                if one_sided && confidence <= 0.5 {
                    share(
                        "twice the confidence of a one-sided limit less 1",
                        2.0 * confidence - 1.0,
                    )?;
                }
                let p = if one_sided {
                    2.0 * confidence - 1.0
                } else {
                    confidence
                };
                Ok(Some(coverage_factor(self.fit.dof_of_u(), p)))
            }
        }
    }
}
