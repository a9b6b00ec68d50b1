//! Distribution functions of the inputs: what is drawn, judged and compared in other modules
//! has here its exact law.
//!
//! Both tails are computed directly, never as one minus the other, so that probabilities of
//! 1e−16 and far below keep their digits.

mod continuous;
mod copula;
mod discrete;
mod incomplete;
mod quadrature;
mod table;

use crate::input::{Distribution, Input, InputError};
use crate::normal;
use continuous::Standard;
use discrete::{Count, Points};

pub use copula::{CopulaError, pearson_to_normal, rank_to_normal};
pub use table::LawTable;

/// The probability distribution of one input quantity, prepared for evaluation.
///
/// Arguments and results are in the unit of the input, probabilities between 0 and 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    mean: f64,
    sd: f64,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// All the probability at the mean: a constant, or an uncertainty of 0.
    Certain,
    /// `origin` + `scale` times a variable of standard form.
    Continuous {
        origin: f64,
        scale: f64,
        standard: Standard,
    },
    Points(Points),
    /// `scale` times a count.
    Count {
        scale: f64,
        count: Count,
    },
}

/// Expectation above which a count is no longer known to the unit in double precision, and a
/// shape above which gamma and beta differ from the normal distribution by less than a digit
/// of it that anyone could use: their skewness is below 2e−7.
const MANY: f64 = 1e14;

/// The same of the relative uncertainty of a log-normal law.
const SLIGHT: f64 = 5e-8;
/// Shape below which nothing is left of a law but rounding.
const SMALLEST: f64 = 1e-100;

impl Law {
    /// The law that is assigned to an input quantity (JCGM 101:2008, 6.4).
    ///
    /// # Errors
    /// Those of the input. An uncertainty of 0 gives a quantity that is exactly its value,
    /// whatever its distribution.
    pub fn new(input: &Input) -> Result<Self, InputError> {
        input.check()?;
        let kind = Kind::of(input);
        kind.check(input)?;
        let Input { value, u, dof, .. } = *input;
        let sd = match input.distribution {
            _ if u == 0.0 => 0.0,
            Distribution::StudentT if dof <= 2.0 => f64::INFINITY,
            Distribution::StudentT => u * (dof / (dof - 2.0)).sqrt(),
            _ => u,
        };
        let mean = value;
        Ok(Self { mean, sd, kind })
    }

    /// Expectation. For Student's t with 1 degree of freedom or fewer there is none, and this
    /// is the centre.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Standard deviation of the law itself: for [`Distribution::StudentT`] it is larger than
    /// the `u` of the input (JCGM 101:2008, 6.4.9.4), and infinite for 2 degrees of freedom
    /// or fewer.
    pub fn sd(&self) -> f64 {
        self.sd
    }

    /// Third central moment over sd³; `None` where it does not exist.
    pub fn skewness(&self) -> Option<f64> {
        match &self.kind {
            Kind::Certain => None,
            Kind::Continuous { standard, .. } => standard.skewness(),
            Kind::Points(points) => Some(points.standardised_moment(3, self.mean, self.sd)),
            Kind::Count { count, .. } => Some(1.0 / count.expected.sqrt()),
        }
    }

    /// Fourth central moment over sd⁴, less the 3 of the normal distribution; `None` where it
    /// does not exist, infinite where only it diverges.
    pub fn excess_kurtosis(&self) -> Option<f64> {
        match &self.kind {
            Kind::Certain => None,
            Kind::Continuous { standard, .. } => standard.excess_kurtosis(),
            Kind::Points(points) => Some(points.standardised_moment(4, self.mean, self.sd) - 3.0),
            Kind::Count { count, .. } => Some(1.0 / count.expected),
        }
    }

    /// Smallest and largest possible value; either may be infinite.
    pub fn support(&self) -> [f64; 2] {
        match &self.kind {
            Kind::Certain => [self.mean; 2],
            Kind::Continuous {
                origin,
                scale,
                standard,
            } => standard.support().map(|t| origin + scale * t),
            Kind::Points(points) => points.support(),
            Kind::Count { .. } => [0.0, f64::INFINITY],
        }
    }

    /// P(X ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        self.up_to(x).below
    }

    /// P(X > x), with its own digits where it is small.
    pub fn survival(&self, x: f64) -> f64 {
        self.up_to(x).above
    }

    /// P(low ≤ X ≤ high), taken from the side on which the tails are small. 0 for limits in
    /// the wrong order.
    pub fn between(&self, [low, high]: [f64; 2]) -> f64 {
        let (before, up_to) = (self.before(low), self.up_to(high));
        let inside = if before.below > 0.5 {
            before.above - up_to.above
        } else {
            up_to.below - before.below
        };
        inside.max(0.0)
    }

    /// P(X < low or X > high), with its own digits where it is small.
    pub fn outside(&self, [low, high]: [f64; 2]) -> f64 {
        (self.before(low).below + self.up_to(high).above).min(1.0)
    }

    /// Probability density, in the reciprocal unit of the input; `None` for laws that have
    /// none. Infinite at the poles: the ends of the arcsine law, those of gamma and beta with
    /// a shape below 1, the centre of the curvilinear trapezoid of ratio 1.
    pub fn density(&self, x: f64) -> Option<f64> {
        match &self.kind {
            Kind::Continuous {
                origin,
                scale,
                standard,
            } => Some(standard.density((x - origin) / scale) / scale),
            _ => None,
        }
    }

    /// The smallest x with P(X ≤ x) ≥ `p`. A `p` of 0 or 1 gives the ends of the support; a
    /// number outside, and NaN, count as the nearer of them (NaN as 0).
    pub fn quantile(&self, p: f64) -> f64 {
        let [low, high] = self.support();
        if p >= 1.0 {
            return high;
        }
        if p.is_nan() || p <= 0.0 {
            return low;
        }
        match &self.kind {
            Kind::Certain => self.mean,
            Kind::Continuous {
                origin,
                scale,
                standard,
            } => {
                let t = if p <= 0.5 {
                    standard.lower(p)
                } else {
                    standard.upper(1.0 - p)
                };
                (origin + scale * t).clamp(low, high)
            }
            Kind::Points(points) => points.quantile(p),
            Kind::Count { scale, count } => scale * count.quantile(p),
        }
    }

    /// The value of this law at the probability Φ(z) of a standard normal deviate: the map of
    /// a Gaussian copula. No digits are lost above, as they would be by way of Φ(z) near 1.
    /// For |z| up to 37 (Student's t: 28, below which its density underflows); beyond, the
    /// tail probability is no number above 0, and the result is an end of the support.
    pub fn from_normal(&self, z: f64) -> f64 {
        let tail = normal::cdf(-z.abs());
        match &self.kind {
            Kind::Certain => self.mean,
            Kind::Continuous {
                origin,
                scale,
                standard,
            } => {
                let [low, high] = self.support();
                let t = match standard.at_deviate(z) {
                    Some(t) => t,
                    None if tail == 0.0 => return if z < 0.0 { low } else { high },
                    None if z < 0.0 => standard.lower(tail),
                    None => standard.upper(tail),
                };
                (origin + scale * t).clamp(low, high)
            }
            Kind::Points(points) if z < 0.0 => points.quantile(tail),
            Kind::Points(points) => points.upper_quantile(tail),
            Kind::Count { scale, count } if z < 0.0 => scale * count.quantile(tail),
            Kind::Count { scale, count } => scale * count.upper_quantile(tail),
        }
    }

    /// P(X ≤ x) and P(X > x).
    fn up_to(&self, x: f64) -> Tails {
        match &self.kind {
            Kind::Certain => Tails::step(self.mean <= x),
            Kind::Continuous {
                origin,
                scale,
                standard,
            } => standard.tails((x - origin) / scale),
            Kind::Points(points) => points.up_to(x),
            Kind::Count { scale, count } => count.up_to(count_at(x, *scale).floor()),
        }
    }

    /// P(X < x) and P(X ≥ x).
    fn before(&self, x: f64) -> Tails {
        match &self.kind {
            Kind::Certain => Tails::step(self.mean < x),
            Kind::Continuous { .. } => self.up_to(x),
            Kind::Points(points) => points.before(x),
            Kind::Count { scale, count } => count.up_to(count_at(x, *scale).ceil() - 1.0),
        }
    }
}

/// The number of few digits of which `x` is the rounded image, if there is one: where u was a
/// square root, u²/value is else next to the whole number that was meant, and every count
/// beside its limit.
fn short(x: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "24 bits are wanted")]
    let short = f64::from(x as f32);
    if (short - x).abs() <= 4.0 * f64::EPSILON * x {
        short
    } else {
        x
    }
}

/// The count at `x`, which a value that is a whole multiple of `scale` but for its rounding
/// must not miss.
fn count_at(x: f64, scale: f64) -> f64 {
    let count = x / scale;
    let whole = count.round();
    if whole * scale == x || (count - whole).abs() <= 2.0 * f64::EPSILON * whole.abs() {
        whole
    } else {
        count
    }
}

impl Kind {
    fn of(input: &Input) -> Self {
        let Input { value, u, dof, .. } = *input;
        let student = |scale| Self::at(value, scale, Standard::Student { dof });
        match &input.distribution {
            _ if u == 0.0 => Self::Certain,
            Distribution::Constant => Self::Certain,
            Distribution::Normal => Self::normal(value, u),
            Distribution::StudentT | Distribution::StudentTSd => {
                student(input.student_scale().unwrap_or(u))
            }
            Distribution::Rectangular => Self::trapezoid(value, u, 1.0),
            Distribution::Triangular => Self::trapezoid(value, u, 0.0),
            Distribution::Trapezoidal { beta } => Self::trapezoid(value, u, *beta),
            Distribution::CurvilinearTrapezoid { ratio } => Self::curvilinear(value, u, *ratio),
            Distribution::UShaped => Self::at(value, u * 2_f64.sqrt(), Standard::Arcsine),
            Distribution::Exponential => Self::at(value - u, u, Standard::Exponential),
            Distribution::Gamma { shape } => Self::gamma(value, u, *shape),
            Distribution::Beta { alpha, beta } => Self::beta(value, u, *alpha, *beta),
            Distribution::LogNormal => Self::log_normal(value, u),
            Distribution::Poisson => Self::poisson(value, u),
            Distribution::Empirical { values } => {
                Self::Points(Points::new(values, &vec![1.0; values.len()]))
            }
            Distribution::Discrete { values, weights } => {
                Self::Points(Points::new(values, weights))
            }
        }
    }

    fn at(origin: f64, scale: f64, standard: Standard) -> Self {
        Self::Continuous {
            origin,
            scale,
            standard,
        }
    }

    fn normal(value: f64, u: f64) -> Self {
        Self::at(value, u, Standard::Normal)
    }

    fn trapezoid(value: f64, u: f64, beta: f64) -> Self {
        let half_width = u * (6.0 / (1.0 + beta * beta)).sqrt();
        Self::at(value, half_width, Standard::Trapezoid { beta })
    }

    fn curvilinear(value: f64, u: f64, ratio: f64) -> Self {
        // Below this the limits are the same numbers.
        if ratio < f64::EPSILON {
            return Self::trapezoid(value, u, 1.0);
        }
        let half_width = u / (1.0 / 3.0 + ratio * ratio / 9.0).sqrt();
        Self::at(value, half_width, Standard::Curvilinear { ratio })
    }

    fn gamma(value: f64, u: f64, shape: f64) -> Self {
        if shape > MANY {
            return Self::normal(value, u);
        }
        let root = shape.sqrt();
        Self::at(value - u * root, u / root, Standard::Gamma { shape })
    }

    fn beta(value: f64, u: f64, alpha: f64, beta: f64) -> Self {
        if alpha.min(beta) > MANY {
            return Self::normal(value, u);
        }
        let total = alpha + beta;
        // The variance over (0, 1), as products that stay in range for any shapes.
        let sd = (alpha / total).sqrt() * (beta / total).sqrt() / (total + 1.0).sqrt();
        let width = u / sd;
        let low = value - width * (alpha / total);
        Self::at(low, width, Standard::Beta { alpha, beta })
    }

    fn log_normal(value: f64, u: f64) -> Self {
        let relative = u / value;
        if relative < SLIGHT {
            return Self::normal(value, u);
        }
        let sigma = libm::log1p(relative * relative).sqrt();
        Self::at(0.0, value, Standard::LogNormal { sigma })
    }

    fn poisson(value: f64, u: f64) -> Self {
        let relative = u / value;
        let expected = 1.0 / (relative * relative);
        if expected > MANY {
            return Self::normal(value, u);
        }
        Self::Count {
            scale: short(u * relative),
            count: Count::new(expected),
        }
    }

    /// Refuses numbers that leave the range of double precision between the input and its
    /// standard form.
    fn check(&self, input: &Input) -> Result<(), InputError> {
        let refuse = |needs, found| {
            let symbol = input.symbol.clone();
            Err(InputError::Shape {
                symbol,
                needs,
                found,
            })
        };
        let (numbers, shape) = match self {
            Self::Certain | Self::Points(_) => return Ok(()),
            Self::Count { scale, count } => ([*scale, count.expected], None),
            Self::Continuous {
                origin,
                scale,
                standard,
            } => ([*scale, origin.abs() + scale], standard.smallest_shape()),
        };
        if let Some(bad) = numbers.into_iter().find(|x| !(x.is_finite() && *x > 0.0)) {
            let needs = "a value, an uncertainty and shapes whose ratios are finite numbers";
            return refuse(needs, bad);
        }
        match shape {
            Some(shape) if !(SMALLEST..f64::INFINITY).contains(&shape) => {
                refuse("shapes of 1e-100 or more", shape)
            }
            _ => Ok(()),
        }
    }
}

/// The two sides of a value; they sum to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tails {
    below: f64,
    above: f64,
}

impl Tails {
    fn new(below: f64, above: f64) -> Self {
        Self { below, above }
    }

    /// All on one side.
    fn step(all_below: bool) -> Self {
        if all_below {
            Self::new(1.0, 0.0)
        } else {
            Self::new(0.0, 1.0)
        }
    }

    /// From one side that was computed directly.
    fn from_above(above: f64) -> Self {
        Self::new(1.0 - above, above)
    }

    fn mirrored(self) -> Self {
        Self::new(self.above, self.below)
    }
}

#[cfg(test)]
mod tests;
