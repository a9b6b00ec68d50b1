//! Correlations of the normal deviates behind correlated quantities of any law.
//!
//! A Gaussian copula draws correlated normal deviates and gives each quantity the value at
//! the same probability ([`Law::from_normal`]). Unless both laws are normal, Pearson's
//! coefficient of the quantities is then smaller than that of the deviates; here it is
//! inverted.

use std::f64::consts::{FRAC_PI_2, PI};

use super::quadrature::{gauss, panels};
use super::{Kind, Law, Standard};
use crate::normal;

/// Why no correlation of normal deviates gives the wanted one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CopulaError {
    /// A coefficient beyond the bounds of Fréchet of the two laws.
    #[error(
        "two quantities of these distributions cannot have Pearson's correlation {r}: only {low} to {high} is attainable; correct the coefficient, or state a rank correlation"
    )]
    NotAttainable {
        /// Pearson's coefficient, as given.
        r: f64,
        /// Least attainable coefficient.
        low: f64,
        /// Greatest attainable coefficient.
        high: f64,
    },
    /// A law without variance, so that Pearson's coefficient does not exist.
    #[error(
        "a quantity with infinite standard deviation (Student's t with 2 degrees of freedom or fewer) has no Pearson correlation; state a rank correlation"
    )]
    NoVariance,
    /// Shapes for which the coefficient is not accurate enough.
    #[error(
        "Pearson's correlation of quantities of so extreme a shape cannot be computed to {wanted:e} (error up to {error:e}); state a rank correlation"
    )]
    Unresolved {
        /// Largest error that is accepted, in the coefficient.
        wanted: f64,
        /// Bound of the error that was reached.
        error: f64,
    },
}

/// Largest error in Pearson's coefficient, a thousandth of what a million trials can show.
const ACCURACY: f64 = 1e-6;

/// The correlation of two standard normal deviates for which the quantities with laws `a` and
/// `b` at the same probabilities have Pearson's correlation `r`, to 1e−6 in `r`.
///
/// A law without spread has no correlation with anything; for it `r` is handed back, and has
/// no effect.
///
/// # Errors
/// If `r` is beyond what any joint distribution of the two laws can have (the bounds of
/// Fréchet), if a standard deviation is infinite, or if the shapes are too extreme for the
/// accuracy.
pub fn pearson_to_normal(a: &Law, b: &Law, r: f64) -> Result<f64, CopulaError> {
    let certain = |law: &Law| law.kind == Kind::Certain;
    if !(-1.0..=1.0).contains(&r) {
        let (low, high) = (-1.0, 1.0);
        return Err(CopulaError::NotAttainable { r, low, high });
    }
    if certain(a) || certain(b) || (a.is_normal() && b.is_normal()) {
        return Ok(r);
    }
    if a.sd.is_infinite() || b.sd.is_infinite() {
        return Err(CopulaError::NoVariance);
    }
    if let (Some(a), Some(b)) = (a.jumps(), b.jumps())
        && a.len() * b.len() <= FEW
    {
        return between_jumps(&a, &b, r);
    }
    between_expansions(&Expansion::of(a), &Expansion::of(b), r)
}

/// The same for Spearman's rank correlation, exact for continuous laws (K. Pearson, 1907).
pub fn rank_to_normal(r: f64) -> f64 {
    // The sine of π/6 is not exactly ½.
    if r.abs() == 1.0 {
        r
    } else {
        2.0 * libm::sin(PI * r / 6.0)
    }
}

/// A jump of a quantile function: at which normal deviate, how many standard deviations.
struct Jump {
    z: f64,
    height: f64,
}

/// Expectation above which a count steps so finely (a thousandth of its standard deviation)
/// that quadrature does not see it.
const FINE: f64 = 1e6;
/// Pairs of jumps that are summed one by one.
const FEW: usize = 20_000;
/// The last of these ends 2⁻³⁰ of a quarter turn before |ρ| = 1.
const PANELS: i32 = 60;

impl Law {
    fn is_normal(&self) -> bool {
        matches!(
            self.kind,
            Kind::Continuous {
                standard: Standard::Normal,
                ..
            }
        )
    }

    /// The jumps of a discrete law; `None` for the others and for fine counts.
    fn jumps(&self) -> Option<Vec<Jump>> {
        let steps: Vec<(f64, super::Tails)> = match &self.kind {
            Kind::Points(points) => points.steps().collect(),
            Kind::Count { scale, count } if count.expected <= FINE => {
                let steps = count.steps();
                steps.map(|(n, tails)| (scale * n, tails)).collect()
            }
            _ => return None,
        };
        let jump = |pair: &[(f64, super::Tails)]| {
            let ((from, tails), (to, _)) = (pair[0], pair[1]);
            Jump {
                z: tails.deviate(),
                height: (to - from) / self.sd,
            }
        };
        Some(steps.windows(2).map(jump).collect())
    }
}

/// Coefficients of the standardised quantile g(z) in the orthonormal polynomials of Hermite,
/// from the first; their squares sum to 1.
struct Expansion {
    coefficients: Vec<f64>,
    /// What the squares that were left out sum to; below 0 where quadrature failed.
    missing: f64,
}

/// Squares worth less than this are left out.
const COMPLETE: f64 = 1e-9;

impl Expansion {
    fn of(law: &Law) -> Self {
        if law.is_normal() {
            return Self {
                coefficients: vec![1.0],
                missing: 0.0,
            };
        }
        // Coefficient k is Σ weight·hₖ(z), or, for jumps, Σ weight·hₖ₋₁(z)/√k, because
        // ∫ hₖφ from z to ∞ is hₖ₋₁(z)·φ(z)/√k.
        match law.jumps() {
            Some(jumps) => {
                let nodes: Vec<(f64, f64)> = jumps
                    .iter()
                    .map(|jump| (jump.z, jump.height * root_density(jump.z)))
                    .collect();
                Self::sum(&nodes, true)
            }
            None => Self::sum(&law.nodes(), false),
        }
    }

    /// `nodes` are deviates with weights, to be multiplied by hₖ(z)·√φ(z), which stays in
    /// range where hₖ alone would not.
    fn sum(nodes: &[(f64, f64)], of_jumps: bool) -> Self {
        let most = (20_000_000 / nodes.len().max(1)).clamp(64, 4096);
        let mut before = vec![0.0; nodes.len()];
        let mut now: Vec<f64> = nodes.iter().map(|node| root_density(node.0)).collect();
        let mut coefficients = Vec::new();
        let mut missing = 1.0;
        let mut k = 0.0;
        while coefficients.len() < most && missing > COMPLETE {
            let root = libm::sqrt(k + 1.0);
            let earlier = dot(nodes, &now);
            for ((before, now), (z, _)) in before.iter_mut().zip(&mut now).zip(nodes) {
                let next = (z * *now - libm::sqrt(k) * *before) / root;
                (*before, *now) = (*now, next);
            }
            k += 1.0;
            let coefficient = if of_jumps {
                earlier / root
            } else {
                dot(nodes, &now)
            };
            missing -= coefficient * coefficient;
            coefficients.push(coefficient);
        }
        Self {
            coefficients,
            missing,
        }
    }
}

fn dot(nodes: &[(f64, f64)], values: &[f64]) -> f64 {
    nodes
        .iter()
        .zip(values)
        .fold(0.0, |sum, ((_, weight), value)| sum + weight * value)
}

/// √φ(z).
fn root_density(z: f64) -> f64 {
    normal::density(z / std::f64::consts::SQRT_2) / normal::density(0.0).sqrt()
}

impl Law {
    /// Deviates with weights for the integral of g(z)·√φ(z).
    fn nodes(&self) -> Vec<(f64, f64)> {
        let standardised = |z| (self.from_normal(z) - self.mean) / self.sd;
        panels(0.25, &self.corners())
            .into_iter()
            .flat_map(|(low, high)| gauss(low, high))
            .map(|(z, weight)| (z, weight * root_density(z) * standardised(z)))
            .collect()
    }
}

/// r(ρ) = Σ cₖdₖρᵏ (H. O. Lancaster, Biometrika 44, 1957, 289), solved for ρ by bisection:
/// r rises with ρ.
fn between_expansions(a: &Expansion, b: &Expansion, r: f64) -> Result<f64, CopulaError> {
    let terms: Vec<f64> = a
        .coefficients
        .iter()
        .zip(&b.coefficients)
        .map(|(c, d)| c * d)
        .collect();
    let pearson = |rho: f64| rho * terms.iter().rev().fold(0.0, |sum, term| sum * rho + term);
    let (low, high) = (pearson(-1.0), pearson(1.0));
    // By the inequality of Schwarz, for what both expansions leave out.
    let most = libm::sqrt(a.missing.abs() * b.missing.abs());
    let slack = most.max(ACCURACY);
    if !(low - slack..=high + slack).contains(&r) {
        return Err(CopulaError::NotAttainable { r, low, high });
    }
    let rho = bisect([-1.0, 1.0], |rho| pearson(rho) < r);
    let left_out = terms.len() as f64 + 1.0;
    let wrong = (-a.missing).max(-b.missing);
    let error = wrong.max(most * libm::pow(rho.abs(), left_out));
    if error > ACCURACY {
        let wanted = ACCURACY;
        return Err(CopulaError::Unresolved { wanted, error });
    }
    Ok(rho)
}

/// The end of `low` to `high` up to which `too_low` holds, to the last bits.
fn bisect([mut low, mut high]: [f64; 2], too_low: impl Fn(f64) -> bool) -> f64 {
    if !too_low(low) {
        return low;
    }
    if too_low(high) {
        return high;
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if too_low(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// For two discrete laws: the derivative of the bivariate normal distribution function by the
/// correlation is its density (R. L. Plackett, Biometrika 41, 1954, 351), so that
/// dr/dθ with ρ = sin θ is a sum over pairs of jumps, integrated from θ = 0.
fn between_jumps(a: &[Jump], b: &[Jump], r: f64) -> Result<f64, CopulaError> {
    let slope = |theta: f64| {
        let (sin, cos) = (libm::sin(theta), libm::cos(theta));
        let pair = |a: &Jump, b: &Jump| {
            let square = a.z * a.z + b.z * b.z - 2.0 * a.z * b.z * sin;
            a.height * b.height * libm::exp(-0.5 * square / (cos * cos))
        };
        a.iter().fold(0.0, |sum, a| {
            sum + b.iter().fold(0.0, |sum, b| sum + pair(a, b))
        }) / (2.0 * PI)
    };
    let over = |from: f64, to: f64| {
        gauss(from, to).fold(0.0, |sum, (theta, weight)| sum + weight * slope(theta))
    };
    // Panels that narrow towards ±π/2, where the slope of unequal jumps dies suddenly.
    let end = |panel: i32| FRAC_PI_2 * (1.0 - libm::pow(0.5, 0.5 * f64::from(panel)));
    let walk = |side: f64| {
        let mut reached = 0.0;
        for panel in 0..PANELS {
            let (from, to) = (side * end(panel), side * end(panel + 1));
            let next = reached + over(from, to);
            if side * (next - r) >= 0.0 && side * r >= 0.0 {
                let short = |theta: f64| side * (reached + over(from, side * theta) - r) < 0.0;
                return Ok(side * libm::sin(bisect([from.abs(), to.abs()], short)));
            }
            reached = next;
        }
        Err(reached)
    };
    let side = if r < 0.0 { -1.0 } else { 1.0 };
    walk(side).or_else(|reached| {
        if (reached - r).abs() <= ACCURACY {
            return Ok(side);
        }
        let other = walk(-side).err().unwrap_or(-side);
        let (low, high) = (reached.min(other), reached.max(other));
        Err(CopulaError::NotAttainable { r, low, high })
    })
}
