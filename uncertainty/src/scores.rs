//! Scores of participants of a proficiency test and the checks of its items
//! (ISO 13528:2022, clause 9 and annex B).

use serde::{Deserialize, Serialize};

use crate::critical::{chi_squared_quantile, f_quantile};
use crate::type_a::type_a;

/// What a proficiency test compares a result with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssignedValue {
    /// Assigned value `x_pt`.
    pub value: f64,
    /// Its standard uncertainty, 0 where it is negligible.
    pub u: f64,
    /// Standard deviation for proficiency assessment `σ_pt`: z and z′ need it.
    pub sigma_pt: Option<f64>,
    /// Largest permissible error `δ_E`: the percentage of it needs it.
    pub permissible_error: Option<f64>,
}

/// Result of one participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    /// Result, in the unit of the assigned value.
    pub value: f64,
    /// Standard uncertainty: ζ needs it.
    pub u: Option<f64>,
    /// Expanded uncertainty of about 95 % coverage: `E_n` needs it.
    pub expanded: Option<f64>,
}

/// Verdict of a score (ISO 13528:2022, 9.4.2 and 9.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSignal {
    /// |score| ≤ 2; |`E_n`| < 1; less than the whole permissible error.
    Acceptable,
    /// 2 < |score| < 3.
    Warning,
    /// |score| ≥ 3; |`E_n`| ≥ 1; the whole permissible error or more.
    Action,
}

/// A score with its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The number.
    pub value: f64,
    /// What it means.
    pub signal: ScoreSignal,
}

/// Scores of one result; none where what they need was not given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// D: result less assigned value (9.3).
    pub difference: f64,
    /// D in per cent of the assigned value; none for an assigned value of 0.
    pub difference_pct: Option<f64>,
    /// D in per cent of the permissible error (9.3.5).
    pub permissible_pct: Option<Score>,
    /// D/`σ_pt` (9.4).
    pub z: Option<Score>,
    /// D/√(`σ_pt`² + u²) (9.5), with the uncertainty of the assigned value.
    pub z_prime: Option<Score>,
    /// Whether u(`x_pt`) exceeds 0.3·`σ_pt`: then z′ is to be used and z misleads (9.2.1).
    pub use_z_prime: bool,
    /// D over the combined standard uncertainty (9.6).
    pub zeta: Option<Score>,
    /// D over the combined expanded uncertainty (9.7); that of the assigned value is taken as 2·u.
    pub en: Option<Score>,
}

/// Why scores or checks are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScoreError {
    /// A value that is infinite or no number.
    #[error("{what} is not a finite number; mend it, or leave the participant out")]
    NotFinite {
        /// Which value.
        what: &'static str,
    },
    /// A spread that is not positive.
    #[error("{what} is {found}; {cure}")]
    NotPositive {
        /// Which value.
        what: &'static str,
        /// As given.
        found: f64,
        /// What to do.
        cure: &'static str,
    },
    /// Too few items or replicates for a check.
    #[error(
        "the check needs at least 2 items, each with the same number of replicates, 2 or more; item {item} has {found} where the first has {expected}"
    )]
    Items {
        /// Counted from 1; 0 where there are too few items.
        item: usize,
        /// Replicates of it.
        found: usize,
        /// Replicates of the first item.
        expected: usize,
    },
}

fn finite(what: &'static str, value: f64) -> Result<f64, ScoreError> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(ScoreError::NotFinite { what })
}

fn positive(what: &'static str, value: Option<f64>) -> Result<Option<f64>, ScoreError> {
    match value {
        Some(found) if !(found.is_finite() && found > 0.0) => Err(ScoreError::NotPositive {
            what,
            found,
            cure: "state a positive number, or leave it out: the scores that need it are then left out",
        }),
        value => Ok(value),
    }
}

impl Score {
    fn of_deviates(value: f64) -> Self {
        let size = value.abs();
        let signal = if size >= 3.0 {
            ScoreSignal::Action
        } else if size > 2.0 {
            ScoreSignal::Warning
        } else {
            ScoreSignal::Acceptable
        };
        Self { value, signal }
    }

    fn within(value: f64, limit: f64) -> Self {
        let signal = if value.abs() < limit {
            ScoreSignal::Acceptable
        } else {
            ScoreSignal::Action
        };
        Self { value, signal }
    }
}

impl AssignedValue {
    /// Scores of one result (ISO 13528:2022, 9.3 to 9.7).
    ///
    /// # Errors
    /// [`ScoreError`].
    ///
    /// # Example
    /// ```
    /// use heng_uncertainty::{AssignedValue, ScoreSignal, Submitted};
    ///
    /// // Mass fractions in mg/kg.
    /// let assigned = AssignedValue { value: 0.044, u: 0.0041, sigma_pt: Some(0.0066), permissible_error: None };
    /// let scores = assigned.scores(&Submitted { value: 0.0239, u: Some(0.0018), expanded: Some(0.0036) })?;
    ///
    /// // u is 0.62 of σ_pt: z calls for action, z′, which is to be used, for a warning.
    /// assert!(scores.use_z_prime);
    /// assert_eq!(scores.z.map(|z| z.signal), Some(ScoreSignal::Action));
    /// assert_eq!(scores.z_prime.map(|z| z.signal), Some(ScoreSignal::Warning));
    /// # Ok::<(), heng_uncertainty::ScoreError>(())
    /// ```
    pub fn scores(&self, submitted: &Submitted) -> Result<Scores, ScoreError> {
        let value = finite("the assigned value", self.value)?;
        let sigma = positive(
            "the standard deviation for proficiency assessment",
            self.sigma_pt,
        )?;
        let error = positive("the permissible error", self.permissible_error)?;
        let u = positive("the standard uncertainty of the result", submitted.u)?;
        let expanded = positive("the expanded uncertainty of the result", submitted.expanded)?;
        let u_pt = finite("the standard uncertainty of the assigned value", self.u)?;
        if u_pt < 0.0 {
            return Err(ScoreError::NotPositive {
                what: "the standard uncertainty of the assigned value",
                found: u_pt,
                cure: "state it as a positive number, or 0 where it is negligible",
            });
        }
        let difference = finite("the result", submitted.value)? - value;
        let over = |spread: f64| difference / spread;
        let joint = |own: f64, other: f64| (own * own + other * other).sqrt();
        Ok(Scores {
            difference,
            difference_pct: (value != 0.0).then(|| 100.0 * difference / value),
            permissible_pct: error.map(|error| Score::within(100.0 * over(error), 100.0)),
            z: sigma.map(|sigma| Score::of_deviates(over(sigma))),
            z_prime: sigma.map(|sigma| Score::of_deviates(over(joint(sigma, u_pt)))),
            use_z_prime: sigma.is_some_and(|sigma| u_pt > 0.3 * sigma),
            zeta: u.map(|u| Score::of_deviates(over(joint(u, u_pt)))),
            en: expanded.map(|expanded| Score::within(over(joint(expanded, 2.0 * u_pt)), 1.0)),
        })
    }
}

/// Check that the items of a proficiency test are alike (ISO 13528:2022, annex B).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Homogeneity {
    /// Mean of all.
    pub mean: f64,
    /// Standard deviation of the means of the items `s_x`.
    pub s_means: f64,
    /// Standard deviation within items `s_w`.
    pub s_within: f64,
    /// Standard deviation between items `s_s`; 0 where it is lost in the repeatability.
    pub s_between: f64,
    /// 0.3·`σ_pt` (B.2.2).
    pub limit: f64,
    /// Whether `s_s` is within the limit.
    pub homogeneous: bool,
    /// Limit √(F₁·(0.3·`σ_pt`)² + F₂·`s_w`²) that allows for the few items measured (B.2.3).
    pub expanded_limit: f64,
    /// Whether `s_s` is within that.
    pub homogeneous_expanded: bool,
}

/// Homogeneity of `items`, each with the same number of replicates, against `sigma_pt`.
///
/// # Errors
/// [`ScoreError`].
pub fn homogeneity(items: &[Vec<f64>], sigma_pt: f64) -> Result<Homogeneity, ScoreError> {
    let replicates = items.first().map_or(0, Vec::len);
    let uneven = items.iter().position(|item| item.len() != replicates);
    if items.len() < 2 || replicates < 2 || uneven.is_some() {
        return Err(ScoreError::Items {
            item: uneven.map_or(0, |at| at + 1),
            found: uneven.map_or(replicates, |at| items[at].len()),
            expected: replicates,
        });
    }
    positive(
        "the standard deviation for proficiency assessment",
        Some(sigma_pt),
    )?;
    let not_finite = |_| ScoreError::NotFinite {
        what: "a measured value of an item",
    };
    let each = items.iter().map(|item| type_a(item).map_err(not_finite));
    let each = each.collect::<Result<Vec<_>, _>>()?;
    let means: Vec<f64> = each.iter().map(|item| item.mean).collect();
    let between = type_a(&means).map_err(not_finite)?;
    let (g, m) = (items.len() as f64, replicates as f64);
    let within = each.iter().fold(0.0, |sum, item| sum + item.s * item.s) / g;
    let s_between = (between.s * between.s - within / m).max(0.0).sqrt();
    let limit = 0.3 * sigma_pt;
    let f1 = chi_squared_quantile(0.95, g - 1.0) / (g - 1.0);
    let f2 = (f_quantile(0.95, [g - 1.0, g * (m - 1.0)]) - 1.0) / m;
    let expanded_limit = (f1 * limit * limit + f2 * within).sqrt();
    Ok(Homogeneity {
        mean: between.mean,
        s_means: between.s,
        s_within: within.sqrt(),
        s_between,
        limit,
        homogeneous: s_between <= limit,
        expanded_limit,
        homogeneous_expanded: s_between <= expanded_limit,
    })
}
