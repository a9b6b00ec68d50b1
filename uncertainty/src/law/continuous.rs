//! Continuous laws in standard form.

use std::f64::consts::PI;

use super::Tails;
use super::incomplete::{
    beta_density, beta_lower, beta_tails, gamma_density, gamma_lower, gamma_tails, gamma_upper,
};
use crate::{normal, student};

/// A continuous law without location and scale.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standard {
    Normal,
    Student {
        dof: f64,
    },
    /// Over (−1, 1) with top ±`beta`; the rectangle has 1, the triangle 0 (JCGM 101:2008,
    /// 6.4.4).
    Trapezoid {
        beta: f64,
    },
    /// Over (−1, 1) (6.4.6).
    Arcsine,
    /// Half width 1 ± `ratio` (6.4.3).
    Curvilinear {
        ratio: f64,
    },
    /// From 0, with mean 1 (6.4.10).
    Exponential,
    /// From 0, with scale 1 (6.4.11).
    Gamma {
        shape: f64,
    },
    /// Over (0, 1).
    Beta {
        alpha: f64,
        beta: f64,
    },
    /// From 0, with mean 1 and the standard deviation `sigma` of the logarithm.
    LogNormal {
        sigma: f64,
    },
}

impl Standard {
    fn is_symmetric(&self) -> bool {
        match self {
            Self::Normal
            | Self::Student { .. }
            | Self::Trapezoid { .. }
            | Self::Arcsine
            | Self::Curvilinear { .. } => true,
            Self::Exponential | Self::Gamma { .. } | Self::Beta { .. } | Self::LogNormal { .. } => {
                false
            }
        }
    }

    pub fn support(&self) -> [f64; 2] {
        match self {
            Self::Normal | Self::Student { .. } => [f64::NEG_INFINITY, f64::INFINITY],
            Self::Trapezoid { .. } | Self::Arcsine => [-1.0, 1.0],
            Self::Curvilinear { ratio } => [-1.0 - ratio, 1.0 + ratio],
            Self::Exponential | Self::Gamma { .. } | Self::LogNormal { .. } => [0.0, f64::INFINITY],
            Self::Beta { .. } => [0.0, 1.0],
        }
    }

    pub fn tails(&self, t: f64) -> Tails {
        let [low, high] = self.support();
        if t <= low {
            return Tails::step(false);
        }
        if t >= high {
            return Tails::step(true);
        }
        if self.is_symmetric() {
            let tails = Tails::from_above(self.upper_tail(t.abs()));
            return if t < 0.0 { tails.mirrored() } else { tails };
        }
        match self {
            Self::Exponential => Tails::new(-libm::expm1(-t), libm::exp(-t)),
            Self::Gamma { shape } => gamma_tails(*shape, t),
            Self::Beta { alpha, beta } => beta_tails(*alpha, *beta, t, 1.0 - t),
            _ => {
                let z = self.log_normal_deviate(t);
                Tails::new(normal::cdf(z), normal::cdf(-z))
            }
        }
    }

    /// z at which the log-normal law has the value `t`; 0 for the others, which never ask.
    fn log_normal_deviate(&self, t: f64) -> f64 {
        match self {
            Self::LogNormal { sigma } => libm::log(t) / sigma + 0.5 * sigma,
            _ => 0.0,
        }
    }

    /// P(T > t) of a symmetric law for t from 0 to the end of its support.
    fn upper_tail(&self, t: f64) -> f64 {
        match self {
            // Beyond 1e150 the square of t overflows; there is less than nothing there.
            Self::Student { dof } => student::upper_tail(t.min(1e150), *dof),
            Self::Trapezoid { beta } if t >= *beta => {
                (1.0 - t) * (1.0 - t) / (2.0 * (1.0 - beta) * (1.0 + beta))
            }
            Self::Trapezoid { beta } => ramp(*beta) + (beta - t) / (1.0 + beta),
            Self::Arcsine => libm::acos(t) / PI,
            Self::Curvilinear { ratio } => curvilinear_tail(t, *ratio),
            _ => normal::cdf(-t),
        }
    }

    pub fn density(&self, t: f64) -> f64 {
        let [low, high] = self.support();
        if t < low || t > high || t.is_infinite() {
            return 0.0;
        }
        match self {
            Self::Normal => normal::density(t),
            Self::Student { dof } => student::density(t.clamp(-1e150, 1e150), *dof),
            Self::Trapezoid { beta } if t.abs() <= *beta => 1.0 / (1.0 + beta),
            Self::Trapezoid { beta } => (1.0 - t.abs()) / ((1.0 - beta) * (1.0 + beta)),
            Self::Arcsine => 1.0 / (PI * ((1.0 - t) * (1.0 + t)).sqrt()),
            Self::Curvilinear { ratio } => {
                // JCGM 101:2008, 6.4.3.2, with the half width as unit.
                let nearest = t.abs().max(1.0 - ratio);
                -libm::log1p((nearest - 1.0 - ratio) / (1.0 + ratio)) / (4.0 * ratio)
            }
            Self::Exponential => libm::exp(-t),
            Self::Gamma { shape } => gamma_density(*shape, t),
            Self::Beta { alpha, beta } => beta_density(*alpha, *beta, t),
            Self::LogNormal { sigma } if t > 0.0 => {
                normal::density(self.log_normal_deviate(t)) / (sigma * t)
            }
            Self::LogNormal { .. } => 0.0,
        }
    }

    /// t with P(T ≤ t) = `p` for 0 < `p` ≤ ½.
    pub fn lower(&self, p: f64) -> f64 {
        match self {
            Self::Exponential => -libm::log1p(-p),
            Self::Gamma { shape } => gamma_lower(*shape, p),
            Self::Beta { alpha, beta } => beta_lower(*alpha, *beta, p).0,
            Self::LogNormal { sigma } => log_normal(*sigma, normal::quantile(p)),
            _ => -self.upper(p),
        }
    }

    /// t with P(T > t) = `q` for 0 < `q` ≤ ½.
    pub fn upper(&self, q: f64) -> f64 {
        match self {
            Self::Normal => -normal::quantile(q),
            Self::Student { dof } => student::upper_quantile(q, *dof),
            Self::Trapezoid { beta } => {
                let ramp = ramp(*beta);
                if q < ramp {
                    1.0 - (2.0 * q * (1.0 - beta) * (1.0 + beta)).sqrt()
                } else {
                    beta - (q - ramp) * (1.0 + beta)
                }
            }
            Self::Arcsine => libm::cos(PI * q),
            Self::Curvilinear { ratio } => curvilinear_quantile(q, *ratio),
            Self::Exponential => -libm::log(q),
            Self::Gamma { shape } => gamma_upper(*shape, q),
            Self::Beta { alpha, beta } => beta_lower(*beta, *alpha, q).1,
            Self::LogNormal { sigma } => log_normal(*sigma, -normal::quantile(q)),
        }
    }

    /// The value at a normal deviate, for the laws that are made of one.
    pub fn at_deviate(&self, z: f64) -> Option<f64> {
        match self {
            Self::Normal => Some(z),
            Self::LogNormal { sigma } => Some(log_normal(*sigma, z)),
            _ => None,
        }
    }

    /// Probabilities above the points where the density of a symmetric law has a corner.
    pub fn corner(&self) -> Option<f64> {
        match self {
            Self::Trapezoid { beta } => Some(ramp(*beta)),
            Self::Curvilinear { ratio } => Some(curvilinear_tail(1.0 - ratio, *ratio)),
            _ => None,
        }
    }

    /// The smallest of the parameters that may be any positive number.
    pub fn smallest_shape(&self) -> Option<f64> {
        match self {
            Self::Gamma { shape } => Some(*shape),
            Self::Beta { alpha, beta } => Some(alpha.min(*beta)),
            Self::LogNormal { sigma } => Some(*sigma),
            _ => None,
        }
    }

    /// Whether a quantile takes an iteration over incomplete functions.
    pub fn is_slow(&self) -> bool {
        matches!(
            self,
            Self::Student { .. } | Self::Gamma { .. } | Self::Beta { .. }
        )
    }

    pub fn skewness(&self) -> Option<f64> {
        match self {
            Self::Student { dof } if *dof <= 3.0 => None,
            Self::Exponential => Some(2.0),
            Self::Gamma { shape } => Some(2.0 / shape.sqrt()),
            Self::Beta { alpha, beta } => {
                let total = alpha + beta;
                let spread = (total + 1.0).sqrt() / (alpha.sqrt() * beta.sqrt());
                Some(2.0 * (beta - alpha) * spread / (total + 2.0))
            }
            Self::LogNormal { sigma } => {
                let square = libm::expm1(sigma * sigma);
                Some(square.sqrt() * (square + 3.0))
            }
            _ => Some(0.0),
        }
    }

    pub fn excess_kurtosis(&self) -> Option<f64> {
        Some(match self {
            Self::Student { dof } if *dof <= 2.0 => return None,
            Self::Student { dof } if *dof <= 4.0 => f64::INFINITY,
            Self::Student { dof } => 6.0 / (dof - 4.0),
            Self::Normal => 0.0,
            Self::Trapezoid { beta } => {
                // Sum of two rectangles; cumulants add.
                let (a, b) = (
                    0.25 * (1.0 + beta) * (1.0 + beta),
                    0.25 * (1.0 - beta) * (1.0 - beta),
                );
                -1.2 * (a * a + b * b) / ((a + b) * (a + b))
            }
            Self::Arcsine => -1.5,
            Self::Curvilinear { ratio } => {
                let square = ratio * ratio;
                let variance = (1.0 + square / 3.0) / 3.0;
                (1.0 + 2.0 * square + 0.2 * square * square) / (5.0 * variance * variance) - 3.0
            }
            Self::Exponential => 6.0,
            Self::Gamma { shape } => 6.0 / shape,
            Self::Beta { alpha, beta } => {
                let total = alpha + beta;
                let apart = (alpha - beta) * (alpha - beta) * (total + 1.0) / (alpha * beta);
                6.0 * (apart - (total + 2.0)) / ((total + 2.0) * (total + 3.0))
            }
            Self::LogNormal { sigma } => {
                let s = libm::expm1(sigma * sigma);
                s * (16.0 + s * (15.0 + s * (6.0 + s)))
            }
        })
    }
}

/// Probability of one sloping side of the trapezoid.
fn ramp(beta: f64) -> f64 {
    0.5 * (1.0 - beta) / (1.0 + beta)
}

fn log_normal(sigma: f64, z: f64) -> f64 {
    libm::exp(sigma * (z - 0.5 * sigma))
}

/// P(T > t) for 0 ≤ t ≤ 1 + r: the density of JCGM 101:2008, 6.4.3.2, integrated.
fn curvilinear_tail(t: f64, r: f64) -> f64 {
    let end = 1.0 + r;
    let side = |t: f64| end * wedge((end - t) / end) / (4.0 * r);
    let flat = 1.0 - r;
    if t >= flat {
        side(t)
    } else {
        side(flat) + (flat - t) * libm::atanh(r) / (2.0 * r)
    }
}

/// t with P(T > t) = `q` for 0 < `q` ≤ ½.
fn curvilinear_quantile(q: f64, r: f64) -> f64 {
    let (end, flat) = (1.0 + r, 1.0 - r);
    let side = curvilinear_tail(flat, r);
    if q >= side {
        let t = flat - (q - side) * 2.0 * r / libm::atanh(r);
        return if r < 1.0 { t.max(0.0) } else { 0.0 };
    }
    // Newton's method for wedge(x) = target, begun from the inverted series. The slope is
    // infinite at 1, where the method would stand still.
    let target = 4.0 * r * q / end;
    let most = 2.0 * r / end;
    let root = (2.0 * target).sqrt();
    let mut x = (root * (1.0 - root / 6.0)).min(0.999 * most);
    for _ in 0..60 {
        let slope = -libm::log1p(-x);
        let next = (x - (wedge(x) - target) / slope).clamp(0.5 * x, 0.5 * (x + most));
        if (next - x).abs() <= f64::EPSILON * x {
            break;
        }
        x = next;
    }
    end * (1.0 - x)
}

/// x + (1 − x)·ln(1 − x), by its series where the terms would cancel.
fn wedge(x: f64) -> f64 {
    if x >= 1.0 {
        return 1.0;
    }
    if x > 0.1 {
        return x + (1.0 - x) * libm::log1p(-x);
    }
    // Σ xᵏ/(k(k − 1)) from k = 2; the 17th term is below 1e−18 of the first.
    let series = (2..=18).rev().fold(0.0, |sum, k| {
        let k = f64::from(k);
        sum * x + 1.0 / (k * (k - 1.0))
    });
    series * x * x
}
