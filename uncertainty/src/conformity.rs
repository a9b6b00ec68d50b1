//! Statements of conformity (JCGM 106:2012; ILAC-G8:09/2019).

use heng_quantities::Text;
use serde::{Deserialize, Serialize};

use crate::input::{Input, InputError};
use crate::law::Law;
use crate::normal;

/// How an error of indication is judged against its limits; chosen before measuring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum DecisionRule {
    /// Acceptance limits are the tolerance limits (ILAC-G8, 4.2.1). Only applicable where U
    /// is at most a third of the largest permissible error.
    Simple,
    /// Acceptance limits lie inside by w = `guard_fraction`·U (ILAC-G8, 4.2.2).
    Guarded {
        /// Guard band over expanded uncertainty, w/U; 1 where it is not stated.
        #[serde(default = "whole")]
        guard_fraction: f64,
    },
    /// As guarded, with conditional verdicts within w of a limit (ILAC-G8, 4.2.3).
    NonBinary {
        /// Guard band over expanded uncertainty, w/U; 1 where it is not stated.
        #[serde(default = "whole")]
        guard_fraction: f64,
    },
    /// Pass where the probability of conformity reaches `threshold` (JCGM 106:2012, 8.3).
    Probability {
        /// Smallest probability of conformity that passes, 0 to 1.
        threshold: f64,
    },
}

fn whole() -> f64 {
    1.0
}

/// Outcome of a statement of conformity (ILAC-G8:09/2019, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The error lies within the acceptance limits.
    Pass,
    /// Non-binary rule: within the tolerance limits, but not within the acceptance limits.
    ConditionalPass,
    /// Non-binary rule: outside of the tolerance limits, by no more than the guard band.
    ConditionalFail,
    /// None of the others; also where a number is not finite.
    Fail,
}

/// A verdict and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The statement itself; to be given with the rule.
    pub verdict: Verdict,
    /// Probability that the true error conforms, for a normal distribution of it
    /// (JCGM 106:2012, clause 7).
    pub probability: f64,
    /// Lower end of the acceptance interval (JCGM 106:2012, 3.3.9), in the unit of the limits.
    /// For a probability rule there is none: the tolerance limits.
    #[serde(with = "crate::serde_inf")]
    pub acceptance_low: f64,
    /// Its upper end, in the unit of the limits.
    #[serde(with = "crate::serde_inf")]
    pub acceptance_high: f64,
    /// Whether the condition of the rule is met; if not, the verdict must not be stated
    /// without `note`.
    pub rule_applicable: bool,
    /// What the certificate must say beside the verdict; none where the rule is applicable.
    pub note: Option<Text>,
}

/// Judges an error with standard uncertainty `budget_u` and expanded uncertainty `expanded`
/// against the limits, of which one may be infinite. Limits belong to the conforming side.
/// Numbers that are not finite never pass.
pub fn decide(
    error: f64,
    budget_u: f64,
    expanded: f64,
    limit_low: f64,
    limit_high: f64,
    rule: &DecisionRule,
) -> Decision {
    let probability = conformity(error, budget_u, limit_low, limit_high);
    let guard = match rule {
        DecisionRule::Simple | DecisionRule::Probability { .. } => 0.0,
        DecisionRule::Guarded { guard_fraction } | DecisionRule::NonBinary { guard_fraction } => {
            guard_fraction * expanded
        }
    };
    let within = |margin: f64| limit_low + margin <= error && error <= limit_high - margin;
    let sound = [error, budget_u, expanded, guard]
        .into_iter()
        .all(f64::is_finite);
    let verdict = match rule {
        _ if !sound => Verdict::Fail,
        DecisionRule::Probability { threshold } if probability >= *threshold => Verdict::Pass,
        DecisionRule::Probability { .. } => Verdict::Fail,
        _ if within(guard) => Verdict::Pass,
        DecisionRule::NonBinary { .. } if within(0.0) => Verdict::ConditionalPass,
        DecisionRule::NonBinary { .. } if within(-guard) => Verdict::ConditionalFail,
        _ => Verdict::Fail,
    };
    let half_width = 0.5 * (limit_high - limit_low);
    // Written so that a NaN meets no condition.
    let certain = expanded <= half_width / 3.0;
    let room = guard < half_width;
    let note = match rule {
        DecisionRule::Simple => (!certain).then_some(TOO_UNCERTAIN),
        DecisionRule::Guarded { .. } | DecisionRule::NonBinary { .. } => (!room).then_some(NO_ROOM),
        DecisionRule::Probability { .. } => None,
    };
    Decision {
        verdict,
        probability,
        acceptance_low: limit_low + guard,
        acceptance_high: limit_high - guard,
        rule_applicable: note.is_none(),
        note: note.map(|(en, zh)| Text::new(en, zh)),
    }
}

const TOO_UNCERTAIN: (&str, &str) = (
    "Simple acceptance asks for U of at most one third of the maximum permissible error, which is not met.",
    "简单接受规则要求扩展不确定度不大于最大允许误差的三分之一, 此条件不满足。",
);
const NO_ROOM: (&str, &str) = (
    "The guard band leaves no acceptance interval: the uncertainty is too large for these limits.",
    "保护带使接受区间为空: 相对于该允差, 不确定度过大。",
);

/// P(low ≤ η ≤ high) for a normal η; taken from the side on which the tails are small.
pub(crate) fn conformity(error: f64, u: f64, low: f64, high: f64) -> f64 {
    if u == 0.0 {
        return if low <= error && error <= high {
            1.0
        } else {
            0.0
        };
    }
    let (below, above) = ((low - error) / u, (high - error) / u);
    if below > 0.0 {
        normal::cdf(-below) - normal::cdf(-above)
    } else {
        normal::cdf(above) - normal::cdf(below)
    }
}

/// Why a probability of conformity, an acceptance interval or a risk is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConformityError {
    /// A standard uncertainty that is negative or no finite number.
    #[error("a standard uncertainty must be a finite number of 0 or more, not {u}")]
    Uncertainty {
        /// As given, in the unit of the quantity.
        u: f64,
    },
    /// Tolerance limits in the wrong order, both infinite, or none.
    #[error(
        "the tolerance limits must be two numbers in ascending order of which one may be infinite, not {low} and {high}"
    )]
    Tolerance {
        /// Lower tolerance limit, as given.
        low: f64,
        /// Upper tolerance limit, as given.
        high: f64,
    },
    /// Guard bands that leave nothing to accept (JCGM 106:2012, 8.3).
    #[error(
        "the acceptance interval from {low} to {high} is empty: the uncertainty is too large for these limits, or they are in the wrong order"
    )]
    NoAcceptance {
        /// Lower end of the acceptance interval.
        low: f64,
        /// Upper end, not above the lower one.
        high: f64,
    },
    /// A risk or a probability that bounds nothing.
    #[error("the {what} must lie between 0 and 1, both excluded, not {found}")]
    Risk {
        /// Which of the arguments.
        what: &'static str,
        /// As given, 0 to 1 expected.
        found: f64,
    },
    /// A fraction of trials that is none.
    #[error("{inside} of {total} trials cannot lie within the limits")]
    Counts {
        /// Trials within the limits, as given.
        inside: u64,
        /// All trials, as given.
        total: u64,
    },
    /// A rule that needs the width of the tolerance interval, with one limit only.
    #[error("this guard band is defined for two finite tolerance limits, not {low} to {high}")]
    OneSided {
        /// Lower tolerance limit, as given.
        low: f64,
        /// Upper tolerance limit, as given.
        high: f64,
    },
    /// An input that is no probability distribution.
    #[error(transparent)]
    Input(#[from] InputError),
}

/// Refuses tolerance limits that are no limits.
pub(crate) fn check_tolerance([low, high]: [f64; 2]) -> Result<(), ConformityError> {
    // Written so that a NaN fails.
    if low < high && (low.is_finite() || high.is_finite()) {
        Ok(())
    } else {
        Err(ConformityError::Tolerance { low, high })
    }
}

/// Probability that the quantity with the law `quantity` lies within the tolerance limits, of
/// which one may be infinite (JCGM 106:2012, clause 7). For few degrees of freedom the law is
/// Student's t ([`Input::student`]).
///
/// # Errors
/// If the limits are not in ascending order, or are none.
pub fn conformance_probability(
    quantity: &Law,
    tolerance: [f64; 2],
) -> Result<f64, ConformityError> {
    check_tolerance(tolerance)?;
    Ok(quantity.between(tolerance))
}

/// Probability that it does not, with its own digits where it is small: the specific
/// consumer's risk of an accepted item, and 1 less the specific producer's risk of a rejected
/// one (JCGM 106:2012, 9.3).
///
/// # Errors
/// As [`conformance_probability`].
pub fn specific_risk(quantity: &Law, tolerance: [f64; 2]) -> Result<f64, ConformityError> {
    check_tolerance(tolerance)?;
    Ok(quantity.outside(tolerance))
}

/// Probability of conformity from Monte Carlo trials of the quantity (JCGM 106:2012, 7.5 with
/// JCGM 101:2008, 7.7).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleConformity {
    /// Fraction of the trials within the limits.
    pub probability: f64,
    /// Standard deviation of the true probability after this count, for a uniform
    /// distribution of it before. Unlike √(p(1 − p)/n) it is not 0 where every trial, or
    /// none, lies within.
    pub standard_error: f64,
}

impl SampleConformity {
    /// From the number of trials within the limits, `inside`, and of all trials, `total`.
    ///
    /// # Errors
    /// If there are no trials, or more within the limits than in all.
    pub fn new(inside: u64, total: u64) -> Result<Self, ConformityError> {
        if total == 0 || inside > total {
            return Err(ConformityError::Counts { inside, total });
        }
        let (k, n) = (inside as f64, total as f64);
        let variance = (k + 1.0) / (n + 2.0) * ((n - k + 1.0) / (n + 2.0)) / (n + 3.0);
        Ok(Self {
            probability: k / n,
            standard_error: variance.sqrt(),
        })
    }
}

/// The widest acceptance interval in which the specific consumer's risk is nowhere above
/// `max_risk`: measured values up to its ends are accepted (JCGM 106:2012, 8.3.2 and 9.3).
///
/// `u` is the standard uncertainty of the measured value with `dof` degrees of freedom; where
/// they are finite the quantity follows Student's t about the measured value. One tolerance
/// limit may be infinite. A `max_risk` above ½ gives limits outside the tolerance limits.
///
/// # Errors
/// If a number is none, or the risk exceeds `max_risk` even in the middle of the tolerance
/// interval.
pub fn acceptance_for_specific_risk(
    u: f64,
    dof: f64,
    tolerance: [f64; 2],
    max_risk: f64,
) -> Result<[f64; 2], ConformityError> {
    check_tolerance(tolerance)?;
    if !(u.is_finite() && u >= 0.0) {
        return Err(ConformityError::Uncertainty { u });
    }
    if !(max_risk > 0.0 && max_risk < 1.0) {
        return Err(ConformityError::Risk {
            what: "largest specific risk",
            found: max_risk,
        });
    }
    if u == 0.0 {
        return Ok(tolerance);
    }
    let spread = if dof.is_infinite() {
        Input::normal("measured value", 0.0, u).with_dof(dof)
    } else {
        Input::student("measured value", 0.0, u, dof)
    };
    let spread = Law::new(&spread)?;
    let [low, high] = tolerance;
    // What one limit alone would ask for; the other tail can only add to it.
    let one_sided = -spread.quantile(max_risk);
    let half_width = 0.5 * (high - low);
    if half_width.is_infinite() {
        return Ok([low + one_sided, high - one_sided]);
    }
    let risk = |guard: f64| spread.survival(guard) + spread.survival(2.0 * half_width - guard);
    if risk(half_width) > max_risk {
        let guard = one_sided.max(half_width);
        return Err(ConformityError::NoAcceptance {
            low: low + guard,
            high: high - guard,
        });
    }
    let (mut least, mut guard) = (one_sided, half_width);
    for _ in 0..200 {
        let middle = 0.5 * (least + guard);
        if middle <= least || middle >= guard {
            break;
        }
        if risk(middle) > max_risk {
            least = middle;
        } else {
            guard = middle;
        }
    }
    Ok([low + guard, high - guard])
}
