//! Statements of conformity (JCGM 106:2012; ILAC-G8:09/2019).

use heng_quantities::Text;
use serde::{Deserialize, Serialize};

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
        #[serde(default = "whole")]
        guard_fraction: f64,
    },
    /// As guarded, with conditional verdicts within w of a limit (ILAC-G8, 4.2.3).
    NonBinary {
        #[serde(default = "whole")]
        guard_fraction: f64,
    },
    /// Pass where the probability of conformity reaches `threshold` (JCGM 106:2012, 8.3).
    Probability { threshold: f64 },
}

fn whole() -> f64 {
    1.0
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    ConditionalPass,
    ConditionalFail,
    Fail,
}

/// A verdict and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub verdict: Verdict,
    /// Probability that the true error conforms, for a normal distribution of it
    /// (JCGM 106:2012, clause 7).
    pub probability: f64,
    /// Acceptance interval. For a probability rule there is none: the tolerance limits.
    #[serde(with = "crate::serde_inf")]
    pub acceptance_low: f64,
    #[serde(with = "crate::serde_inf")]
    pub acceptance_high: f64,
    /// Whether the condition of the rule is met; if not, the verdict must not be stated
    /// without `note`.
    pub rule_applicable: bool,
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
fn conformity(error: f64, u: f64, low: f64, high: f64) -> f64 {
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
