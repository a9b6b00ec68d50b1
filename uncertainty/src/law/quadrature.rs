//! Expectations under a law.

use super::{Kind, Law, Tails};
use crate::normal;

/// Nodes and weights of the rule of Gauss and Legendre with 16 points on (−1, 1): the
/// positive half (DLMF 3.5.(v)).
const GAUSS: [(f64, f64); 8] = [
    (0.09501250983763744, 0.1894506104550685),
    (0.2816035507792589, 0.18260341504492358),
    (0.45801677765722737, 0.16915651939500254),
    (0.6178762444026438, 0.14959598881657674),
    (0.755404408355003, 0.12462897125553388),
    (0.8656312023878318, 0.09515851168249279),
    (0.9445750230732326, 0.062253523938647894),
    (0.9894009349916499, 0.027152459411754096),
];

/// Nodes and weights over `low` to `high`.
pub(super) fn gauss(low: f64, high: f64) -> impl Iterator<Item = (f64, f64)> {
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    GAUSS.iter().flat_map(move |&(node, weight)| {
        [-node, node].map(|node| (middle + half * node, half * weight))
    })
}

/// Largest normal deviate whose tail probability is a normal number.
const FARTHEST: f64 = 37.0;

/// Panels of normal deviates: narrow where the probability is, with ends at `breaks`.
pub(super) fn panels(width: f64, breaks: &[f64]) -> Vec<(f64, f64)> {
    let mut ends: Vec<f64> = Vec::new();
    let mut z = -FARTHEST;
    while z < FARTHEST {
        ends.push(z);
        z += if (-10.0..10.0).contains(&z) {
            width
        } else {
            1.0
        };
    }
    ends.push(FARTHEST);
    ends.extend(breaks.iter().filter(|z| z.abs() < FARTHEST));
    ends.sort_by(f64::total_cmp);
    ends.windows(2)
        .map(|pair| (pair[0], pair[1]))
        .filter(|(low, high)| high > low)
        .collect()
}

/// Largest expectation of a count that is summed term by term.
const SUMMED: f64 = 1e8;

impl Tails {
    /// The standard normal deviate between these tails, between ±37.
    pub fn deviate(self) -> f64 {
        let z = if self.below <= 0.0 {
            -FARTHEST
        } else if self.above <= 0.0 {
            FARTHEST
        } else if self.below < self.above {
            normal::quantile(self.below)
        } else {
            -normal::quantile(self.above)
        };
        z.clamp(-FARTHEST, FARTHEST)
    }
}

impl Law {
    /// The standard normal deviate at the same probability as `x`, between ±37.
    pub(super) fn deviate(&self, x: f64) -> f64 {
        self.up_to(x).deviate()
    }

    /// Deviates at which the quantile of the law has a corner.
    pub(super) fn corners(&self) -> Vec<f64> {
        let Kind::Continuous { standard, .. } = &self.kind else {
            return Vec::new();
        };
        match standard.corner() {
            Some(above) if above > 0.0 => {
                let z = -normal::quantile(above);
                vec![-z, 0.0, z]
            }
            _ => Vec::new(),
        }
    }

    /// E[f(X)] for an `f` that is smooth between the values `breaks`: relative error about
    /// 1e−12 where `f` changes by less than its own size from one break to the next.
    ///
    /// Integrated over the deviate z of x = F⁻¹(Φ(z)), in which the poles of a density vanish
    /// and each law looks like the others.
    pub(crate) fn expectation(&self, f: impl Fn(f64) -> f64, breaks: &[f64]) -> f64 {
        match &self.kind {
            Kind::Certain => f(self.mean),
            Kind::Points(points) => points.iter().fold(0.0, |sum, (x, p)| sum + p * f(x)),
            Kind::Count { scale, count } if count.expected <= SUMMED => {
                count.expectation(|n| f(scale * n))
            }
            // The steps of a larger count are finer than 1e-4 of its standard deviation.
            Kind::Continuous { .. } | Kind::Count { .. } => {
                let mut ends = self.corners();
                ends.extend(breaks.iter().map(|x| self.deviate(*x)));
                panels(0.5, &ends).iter().fold(0.0, |sum, &(low, high)| {
                    sum + gauss(low, high).fold(0.0, |sum, (z, weight)| {
                        sum + weight * normal::density(z) * f(self.from_normal(z))
                    })
                })
            }
        }
    }
}
