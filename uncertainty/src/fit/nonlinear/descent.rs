//! The search for the minimum.

use super::pivoted::norm;
use super::region::{Linear, NOTHING, Step, weighted};
use super::surface::{Point, Surface, Undefined};

/// Relative offset at which a point counts as the minimum: the parameters are then within a
/// millionth of their standard uncertainties, and the curvature of the model has no say.
pub const OFFSET: f64 = 1e-6;

/// Roundings of the residuals within which their tangential part counts as nothing.
const ROUNDINGS: f64 = 4.0;

/// Steps of Gauss and Newton at the end; each must bring the point nearer.
const LAST_STEPS: usize = 100;

/// Twice the length of a correction for curvature, beside that of its step, up to which it counts.
const BENDING: f64 = 0.75;

/// Where a search stands.
pub struct Descent<'a> {
    surface: Surface<'a>,
    pub point: Point,
    pub linear: Linear,
    /// The greatest length that each column of J ever had.
    greatest: Vec<f64>,
    radius: f64,
    multiplier: f64,
    /// Steps taken.
    pub steps: usize,
    /// Whether steps follow the curvature of the model.
    bends: bool,
}

impl<'a> Descent<'a> {
    pub fn from(mut surface: Surface<'a>, start: &[f64], bends: bool) -> Result<Self, Undefined> {
        let point = surface.at(start)?;
        let linear = Linear::new(point.jacobian.clone(), &point.weighted);
        let greatest = linear.lengths().to_vec();
        let size = weighted(&greatest, start);
        // From 0 as far as the residuals are long.
        let radius = if size > 0.0 {
            size
        } else {
            norm(&point.weighted)
        };
        Ok(Self {
            surface,
            point,
            linear,
            greatest,
            radius,
            multiplier: 0.0,
            steps: 0,
            bends,
        })
    }

    /// Length of the tangential part of the residuals over that of the rest, each for one
    /// degree of freedom (D. M. Bates and D. G. Watts, Technometrics 23, 1981, 179). None
    /// where there is no rest.
    pub fn offset(&self) -> Option<f64> {
        let (rows, count) = (self.point.weighted.len(), self.greatest.len());
        let rest = self.linear.rest();
        let ratio = || {
            let freedoms = (rows - count) as f64 / count as f64;
            self.linear.tangent() / rest * freedoms.sqrt()
        };
        (rows > count && rest > 0.0).then(ratio)
    }

    /// Whether the residuals are orthogonal to the surface, as far as they are known.
    pub fn is_minimum(&self) -> bool {
        self.offset().is_some_and(|offset| offset <= OFFSET)
            || self.linear.tangent() <= ROUNDINGS * self.point.noise
    }

    /// A parameter with which the model no longer changes, though it once did: its column of J
    /// is nothing beside what it was, and the whole of its value moves the model by less than
    /// rounding.
    pub fn faded(&self) -> Option<usize> {
        let gone = NOTHING * self.point.residuals.len() as f64 * f64::EPSILON;
        let lengths = self.linear.lengths();
        (0..lengths.len()).find(|&at| {
            lengths[at] <= gone * self.greatest[at]
                && lengths[at] * self.point.values[at].abs() <= NOTHING * self.point.noise
        })
    }

    /// Steps of Levenberg and Marquardt until the sum of squares says nothing more, then those
    /// of Gauss and Newton.
    pub fn run(&mut self, most: usize) {
        while self.steps < most && !self.is_minimum() && self.advance() {
            self.steps += 1;
        }
        for _ in 0..LAST_STEPS {
            if !self.approach() {
                break;
            }
            self.steps += 1;
        }
    }

    /// One step downhill; false where none is found that can be told from rounding.
    fn advance(&mut self) -> bool {
        loop {
            let step = self
                .linear
                .within(self.scale(), self.radius, self.multiplier);
            let next = moved(&self.point.values, &self.curved(&step));
            let rest = self.linear.rest();
            let floor = rest * self.point.noise.max(f64::EPSILON * rest);
            let seen = step.predicted > floor;
            if next == self.point.values || !seen {
                return false;
            }
            if self.steps == 0 {
                self.radius = self.radius.min(step.length);
            }
            let tried = self.surface.at(&next).ok();
            let gain = tried.as_ref().map_or(f64::NEG_INFINITY, |tried| {
                fall(&self.point.weighted, &tried.weighted) / step.predicted
            });
            self.resize(&step, gain);
            if let (Some(tried), true) = (tried, gain > 1e-4) {
                self.move_to(tried);
                return true;
            }
        }
    }

    /// Diagonal of D. Straight steps need its memory, or they stray where a column of J happens
    /// to be short; those that follow the curvature are held back by it.
    fn scale(&self) -> &[f64] {
        if self.bends {
            self.linear.lengths()
        } else {
            &self.greatest
        }
    }

    /// The step along the valley where it bends (M. K. Transtrum and J. P. Sethna,
    /// arXiv:1201.5885, 2012): the correction counts where it is short beside the step.
    fn curved(&self, step: &Step) -> Vec<f64> {
        if !self.bends {
            return step.delta.clone();
        }
        let bend = self.surface.bend(&self.point.values, &step.delta);
        let correction = self.linear.correction(&bend, self.scale(), step.multiplier);
        if 2.0 * weighted(self.scale(), &correction) <= BENDING * step.length {
            moved(&step.delta, &correction)
        } else {
            step.delta.clone()
        }
    }

    /// The region of trust grows where the linear problem foretold the gain, and shrinks
    /// where it did not.
    fn resize(&mut self, step: &Step, gain: f64) {
        self.multiplier = step.multiplier;
        if gain.is_nan() || gain <= 0.25 {
            self.radius = 0.25 * self.radius.min(step.length);
            self.multiplier *= 4.0;
        } else if step.multiplier == 0.0 || gain >= 0.75 {
            self.radius = 2.0 * step.length;
            self.multiplier *= 0.5;
        }
    }

    fn move_to(&mut self, point: Point) {
        self.linear = Linear::new(point.jacobian.clone(), &point.weighted);
        self.point = point;
        for (greatest, &length) in self.greatest.iter_mut().zip(self.linear.lengths()) {
            *greatest = greatest.max(length);
        }
    }

    /// One whole step, where it leaves less of the residuals tangential: that is seen down to
    /// rounding, where the sum of squares no longer changes.
    fn approach(&mut self) -> bool {
        let Some(delta) = self.linear.whole() else {
            return false;
        };
        let next = moved(&self.point.values, &delta);
        let Ok(tried) = self.surface.at(&next) else {
            return false;
        };
        let linear = Linear::new(tried.jacobian.clone(), &tried.weighted);
        let nearer = linear.tangent() < self.linear.tangent();
        if nearer {
            (self.point, self.linear) = (tried, linear);
        }
        nearer
    }
}

fn moved(values: &[f64], delta: &[f64]) -> Vec<f64> {
    let pairs = values.iter().zip(delta);
    pairs.map(|(value, delta)| value + delta).collect()
}

/// ‖a‖² − ‖b‖², without the cancellation of two sums.
fn fall(a: &[f64], b: &[f64]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.fold(0.0, |sum, (a, b)| sum + (a - b) * (a + b))
}
