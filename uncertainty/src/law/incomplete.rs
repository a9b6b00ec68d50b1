//! The laws of gamma and beta: the incomplete functions and their inverses.

use super::Tails;
use crate::{normal, special};

/// P(X ≤ x) and P(X > x) of the gamma law of scale 1, 0 < x < ∞.
pub(super) fn gamma_tails(shape: f64, x: f64) -> Tails {
    let (below, above) = special::gamma(shape, x);
    Tails::new(below, above)
}

pub(super) fn gamma_density(shape: f64, x: f64) -> f64 {
    if x > 0.0 {
        special::gamma_weight(shape, x) / x
    } else {
        at_end(shape, 1.0)
    }
}

/// P(X ≤ x) and P(X > x) of the beta law, with y = 1 − x.
pub(super) fn beta_tails(alpha: f64, beta: f64, x: f64, y: f64) -> Tails {
    let (below, above) = special::beta(alpha, beta, x, y);
    Tails::new(below, above)
}

pub(super) fn beta_density(alpha: f64, beta: f64, x: f64) -> f64 {
    if x <= 0.0 {
        at_end(alpha, beta)
    } else if x >= 1.0 {
        at_end(beta, alpha)
    } else {
        special::beta_weight(alpha, beta, x, 1.0 - x) / (x * (1.0 - x))
    }
}

/// Density at an end where it goes with the power `shape` − 1, and is `level` if that is 0.
fn at_end(shape: f64, level: f64) -> f64 {
    if shape > 1.0 {
        0.0
    } else if shape < 1.0 {
        f64::INFINITY
    } else {
        level
    }
}

/// x with P(X ≤ x) = `p` for 0 < `p` ≤ ½.
pub(super) fn gamma_lower(shape: f64, p: f64) -> f64 {
    // P(x) ≈ xᵃ/Γ(a + 1) near 0, and never more: the start lies below the root.
    let log_start = (libm::log(p) + libm::lgamma(shape + 1.0)) / shape;
    if log_start < NEGLIGIBLE {
        return libm::exp(log_start);
    }
    let start = if shape < 1.0 {
        libm::exp(log_start)
    } else {
        wilson_hilferty(shape, normal::quantile(p)).unwrap_or_else(|| libm::exp(log_start))
    };
    gamma_root(shape, start, |x| {
        let tail = gamma_tails(shape, x).below;
        Step::towards(tail, p, special::gamma_weight(shape, x))
    })
}

/// x with P(X > x) = `q` for 0 < `q` ≤ ½.
pub(super) fn gamma_upper(shape: f64, q: f64) -> f64 {
    let start = if shape < 1.0 {
        // Q(x) ≈ xᵃ⁻¹e⁻ˣ/Γ(a) far out; nearer, as below the median.
        let far = -libm::log(q) - libm::lgamma(shape);
        if far > 1.0 {
            far - (1.0 - shape) * libm::log(far)
        } else {
            libm::exp((libm::log1p(-q) + libm::lgamma(shape + 1.0)) / shape)
        }
    } else {
        wilson_hilferty(shape, -normal::quantile(q)).unwrap_or(shape)
    };
    if start == 0.0 {
        return 0.0;
    }
    gamma_root(shape, start, |x| {
        let tail = gamma_tails(shape, x).above;
        Step::towards(tail, q, -special::gamma_weight(shape, x))
    })
}

/// Searches in ln x, where both tails are log-concave.
fn gamma_root(shape: f64, start: f64, step: impl Fn(f64) -> Step) -> f64 {
    let spread = 1.0 / shape.sqrt();
    let x = libm::exp(root(libm::log(start), spread, |s| step(libm::exp(s))));
    // The last digits of x do not come through its logarithm.
    x * libm::exp(step(x).change.clamp(-1e-9, 1e-9))
}

/// The start of E. B. Wilson and M. M. Hilferty (Abramowitz and Stegun, 26.4.17), where it is
/// of any use.
fn wilson_hilferty(shape: f64, z: f64) -> Option<f64> {
    let root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
    (root > 0.2).then_some(shape * root * root * root)
}

/// x and 1 − x with P(X ≤ x) = `p` for 0 < `p` ≤ ½.
pub(super) fn beta_lower(alpha: f64, beta: f64, p: f64) -> (f64, f64) {
    // I(x) ≈ xᵃ/(a·B(a, b)) near 0.
    let log_start = (libm::log(p) + libm::log(alpha) + special::log_beta(alpha, beta)) / alpha;
    if log_start + libm::log1p(beta) < NEGLIGIBLE {
        let x = libm::exp(log_start);
        return (x, 1.0 - x);
    }
    // The search is in ln(x/(1 − x)), which is about normal with variance 1/a + 1/b.
    let spread = (1.0 / alpha + 1.0 / beta).sqrt();
    let start = libm::log(alpha / beta) + (normal::quantile(p) * spread).max(-30.0);
    logistic(root(start, spread, |w| {
        let (x, y) = logistic(w);
        let tail = beta_tails(alpha, beta, x, y).below;
        Step::towards(tail, p, special::beta_weight(alpha, beta, x, y))
    }))
}

/// x and 1 − x at w = ln(x/(1 − x)), both with their digits.
fn logistic(w: f64) -> (f64, f64) {
    let e = libm::exp(-w.abs());
    let (small, large) = (e / (1.0 + e), 1.0 / (1.0 + e));
    if w < 0.0 {
        (small, large)
    } else {
        (large, small)
    }
}

/// ln x below which 1 + x is 1.
const NEGLIGIBLE: f64 = -37.0;
/// One step of Newton's method on the logarithm of a tail.
struct Step {
    change: f64,
    /// Change that rounding of the tail alone can cause.
    noise: f64,
}

impl Step {
    /// `weight` is the derivative of the tail by the variable of the search.
    fn towards(tail: f64, target: f64, weight: f64) -> Self {
        let reach = tail / weight;
        let change = -libm::log(tail / target) * reach;
        if change.is_finite() {
            let noise = 4.0 * f64::EPSILON * (1.0 + reach.abs());
            return Self { change, noise };
        }
        // Out where the tail or its derivative is 0: as far as the search goes.
        let upwards = (tail < target) != weight.is_sign_negative();
        Self {
            change: if upwards { f64::MAX } else { -f64::MAX },
            noise: 0.0,
        }
    }
}

/// Newton's method inside a bracket that grows from `start` by at most ten spreads a step.
/// It converges from everywhere where logarithms of tails are concave in the variable, as
/// those of gamma in ln x and of beta in ln(x/(1 − x)) are; the bracket is for the ends,
/// where they underflow.
fn root(start: f64, spread: f64, step: impl Fn(f64) -> Step) -> f64 {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut at = start;
    for _ in 0..200 {
        let Step { change, noise } = step(at);
        if change > 0.0 {
            low = at;
        } else {
            high = at;
        }
        let newton = at + change.clamp(-10.0 * spread, 10.0 * spread);
        let next = if low < newton && newton < high {
            newton
        } else if low.is_finite() && high.is_finite() {
            0.5 * (low + high)
        } else {
            return at;
        };
        if (next - at).abs() <= noise + f64::EPSILON * at.abs() {
            return next;
        }
        at = next;
    }
    at
}
