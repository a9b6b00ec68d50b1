//! Steps of least squares inside a region of trust.

use super::pivoted::{Pivoted, norm};

/// Trials for the multiplier of a step.
const TRIALS: usize = 20;

/// Roundings for each point below which a length counts as nothing beside 1: what a column has
/// of its own beside the others.
pub const NOTHING: f64 = 8.0;

/// The linear problem at one point: residuals ≈ r − J·δ. The columns of J are brought to
/// length 1 first, so that the units of the parameters have no say in what is told apart.
#[derive(Debug, Clone)]
pub struct Linear {
    factors: Pivoted,
    /// Lengths of the columns of J; 1 for a column of zeros.
    lengths: Vec<f64>,
    /// Qᵀ·r, all of it.
    turned: Vec<f64>,
    /// Number of columns of J that are told apart.
    rank: usize,
}

/// A step with the multiplier λ that shortened it.
#[derive(Debug, Clone)]
pub struct Step {
    pub delta: Vec<f64>,
    pub multiplier: f64,
    /// ‖D·δ‖.
    pub length: f64,
    /// By how much the sum of squares of the linear problem falls.
    pub predicted: f64,
}

impl Linear {
    /// `jacobian` column by column.
    pub fn new(mut jacobian: Vec<f64>, residuals: &[f64]) -> Self {
        let rows = residuals.len();
        let mut lengths = Vec::new();
        for column in jacobian.chunks_exact_mut(rows) {
            let length = norm(column);
            let length = if length > 0.0 { length } else { 1.0 };
            for element in column.iter_mut() {
                *element /= length;
            }
            lengths.push(length);
        }
        let factors = Pivoted::new(jacobian, rows);
        let mut turned = residuals.to_vec();
        factors.turn(&mut turned);
        let least = NOTHING * rows as f64 * f64::EPSILON;
        let diagonal = factors.diagonal().iter();
        Self {
            rank: diagonal.take_while(|pivot| pivot.abs() > least).count(),
            factors,
            lengths,
            turned,
        }
    }

    pub fn lengths(&self) -> &[f64] {
        &self.lengths
    }

    fn count(&self) -> usize {
        self.lengths.len()
    }

    /// ‖Q₁ᵀ·r‖: the length of what a linear step takes from the residuals.
    pub fn tangent(&self) -> f64 {
        norm(&self.turned[..self.rank])
    }

    /// ‖Q₂ᵀ·r‖: what it leaves.
    pub fn rest(&self) -> f64 {
        norm(&self.turned[self.rank..])
    }

    /// A column that depends on others, and these.
    pub fn dependent(&self) -> Option<(usize, Vec<usize>)> {
        let order = self.factors.order();
        let &column = order.get(self.rank)?;
        let shares = self.factors.shares(self.rank);
        let pairs = order.iter().zip(shares);
        let felt = pairs.filter(|(_, share)| share.abs() > 1e-6);
        Some((column, felt.map(|(&at, _)| at).collect()))
    }

    /// The step of Gauss and Newton; none where columns of J are not told apart.
    pub fn whole(&self) -> Option<Vec<f64>> {
        (self.rank == self.count()).then(|| self.unscaled(self.factors.solve(&self.turned)))
    }

    fn unscaled(&self, mut delta: Vec<f64>) -> Vec<f64> {
        for (element, length) in delta.iter_mut().zip(&self.lengths) {
            *element /= length;
        }
        delta
    }

    /// The step that makes ‖r − J·δ‖ least with ‖D·δ‖ within a tenth of `radius`, or the
    /// whole one where it is short enough (J. J. Moré, Lecture Notes in Mathematics 630,
    /// 1978, 105, section 5). D has the diagonal `scale`; `multiplier` is where the search for
    /// λ begins.
    pub fn within(&self, scale: &[f64], radius: f64, multiplier: f64) -> Step {
        let pairs = scale.iter().zip(&self.lengths);
        let scale: Vec<f64> = pairs.map(|(scale, length)| scale / length).collect();
        let mut low = 0.0;
        if self.rank == self.count() {
            let delta = self.factors.solve(&self.turned);
            let length = weighted(&scale, &delta);
            if length <= 1.1 * radius {
                return self.step(&scale, delta, 0.0);
            }
            low = (length - radius) / radius / slope(&self.factors, &scale, &delta, length);
        }
        let mut high = self.steepness(&scale) / radius;
        let mut multiplier = multiplier.clamp(low, high.max(low));
        let mut trials = 0;
        loop {
            trials += 1;
            if multiplier == 0.0 {
                multiplier = (0.001 * high).max(f64::MIN_POSITIVE);
            }
            let (factors, turned) = self.damped(&scale, multiplier);
            let delta = factors.solve(&turned);
            let length = weighted(&scale, &delta);
            let excess = length - radius;
            if excess.abs() <= 0.1 * radius || trials == TRIALS {
                return self.step(&scale, delta, multiplier);
            }
            if excess > 0.0 {
                low = multiplier.max(low);
            } else {
                high = multiplier.min(high);
            }
            let newton = multiplier + excess / radius / slope(&factors, &scale, &delta, length);
            multiplier = if newton > low && newton < high {
                newton
            } else {
                (0.001 * high).max((low * high).sqrt())
            };
        }
    }

    /// The step that makes up for `bend`, by which the residuals leave their tangent plane along
    /// a step with the multiplier `multiplier`; damped as that one.
    pub fn correction(&self, bend: &[f64], scale: &[f64], multiplier: f64) -> Vec<f64> {
        let mut turned = bend.to_vec();
        self.factors.turn(&mut turned);
        if multiplier == 0.0 {
            return self.unscaled(self.factors.solve(&turned));
        }
        let pairs = scale.iter().zip(&self.lengths);
        let scale: Vec<f64> = pairs.map(|(scale, length)| scale / length).collect();
        let bent = Self {
            turned,
            ..self.clone()
        };
        let (factors, turned) = bent.damped(&scale, multiplier);
        self.unscaled(factors.solve(&turned))
    }

    /// ‖D⁻¹·Jᵀ·r‖.
    fn steepness(&self, scale: &[f64]) -> f64 {
        let order = self.factors.order();
        let elements = (0..self.count()).map(|at| {
            let above = (0..at).fold(0.0, |sum, row| {
                sum + self.factors.above(row, at) * self.turned[row]
            });
            (above + self.factors.diagonal()[at] * self.turned[at]) / scale[order[at]]
        });
        norm(&elements.collect::<Vec<_>>())
    }

    /// Factors of R over √λ·D, and the right side that goes with them.
    fn damped(&self, scale: &[f64], multiplier: f64) -> (Pivoted, Vec<f64>) {
        let (count, root) = (self.count(), multiplier.sqrt());
        let mut columns = vec![0.0; 2 * count * count];
        for (at, &column) in self.factors.order().iter().enumerate() {
            let place = &mut columns[column * 2 * count..][..2 * count];
            for row in 0..at {
                place[row] = self.factors.above(row, at);
            }
            place[at] = self.factors.diagonal()[at];
            place[count + column] = root * scale[column];
        }
        let factors = Pivoted::new(columns, 2 * count);
        let mut right = vec![0.0; 2 * count];
        right[..count].copy_from_slice(&self.turned[..count]);
        factors.turn(&mut right);
        (factors, right)
    }

    fn step(&self, scale: &[f64], delta: Vec<f64>, multiplier: f64) -> Step {
        let order = self.factors.order();
        let moved = (0..self.count()).map(|row| {
            let above = (row + 1..self.count()).fold(0.0, |sum, at| {
                sum + self.factors.above(row, at) * delta[order[at]]
            });
            above + self.factors.diagonal()[row] * delta[order[row]]
        });
        let moved = norm(&moved.collect::<Vec<_>>());
        let length = weighted(scale, &delta);
        Step {
            delta: self.unscaled(delta),
            multiplier,
            length,
            // ‖r‖² − ‖r − J·δ‖² = ‖J·δ‖² + 2·λ·‖D·δ‖².
            predicted: moved * moved + 2.0 * multiplier * length * length,
        }
    }
}

/// ‖D·v‖.
pub fn weighted(scale: &[f64], vector: &[f64]) -> f64 {
    let products = scale.iter().zip(vector).map(|(scale, x)| scale * x);
    norm(&products.collect::<Vec<_>>())
}

/// −φ′/φ of φ(λ) = ‖D·δ(λ)‖, for Newton's method.
fn slope(factors: &Pivoted, scale: &[f64], delta: &[f64], length: f64) -> f64 {
    let pairs = scale.iter().zip(delta);
    let right: Vec<f64> = pairs
        .map(|(scale, x)| scale * (scale * x / length))
        .collect();
    let z = norm(&factors.solve_transposed(&right));
    z * z
}
