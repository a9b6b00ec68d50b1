//! The second order of the law of propagation (JCGM 100:2008, 5.1.2, note, and
//! JCGM 100:2008/Amd.1:2026).

use serde::{Deserialize, Serialize};

use crate::gum::{Layout, PropagationError};
use crate::input::{Inputs, in_order};
use crate::model::{EvalError, Jet, Model, Sequence};

/// Uncertain inputs at most: work and memory grow with the square of their number and more.
const MOST_INPUTS: usize = 1000;

/// What the first and the second order say together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondOrder {
    /// Name of the output quantity in the model.
    pub output: String,
    /// The model at the estimates of its inputs.
    pub value: f64,
    /// ½·ΣΣ f_ij·u(x_i, x_j), to be added to the value.
    pub correction: f64,
    /// The corrected estimate: value + correction.
    pub estimate: f64,
    /// Standard uncertainty of the first order; 0 where all sensitivities vanish.
    pub u_first: f64,
    /// ΣΣ (½·f_ij² + f_i·f_ijj)·u²(x_i)·u²(x_j), which the second order adds to the variance;
    /// with correlations the same sum over uncorrelated combinations of the inputs.
    /// Negative where the model flattens.
    pub second_variance: f64,
    /// Standard uncertainty of both orders; none where `second_variance` outweighs the first
    /// order, so that the series says nothing: use the Monte Carlo method.
    pub u: Option<f64>,
    /// Inputs on which the output depends, in the order of the model.
    pub rows: Vec<SecondOrderRow>,
    /// What the terms of second order alone say where the inputs are normal.
    pub quadratic: QuadraticMoments,
}

/// What one input contributes. As in a budget of first order, covariances belong to no
/// single input and are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondOrderRow {
    /// Symbol of the input quantity.
    pub symbol: String,
    /// |sensitivity|·u.
    pub first: f64,
    /// Variance from terms of second order; those of two inputs go half to each.
    pub second_variance: f64,
    /// √(first² + `second_variance`); none where the sum is negative.
    pub contribution: Option<f64>,
}

/// Exact moments of the quadratic approximation y ≈ f + Σ f_i·δ_i + ½·ΣΣ f_ij·δ_i·δ_j for
/// normal inputs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuadraticMoments {
    /// Expectation less the value at the estimates.
    pub bias: f64,
    /// In the square of the unit of the value; never negative.
    pub variance: f64,
    /// Third central moment.
    pub third: f64,
    /// third/variance^(3/2); none where the variance is 0.
    pub skewness: Option<f64>,
}

/// Estimate and standard uncertainty of `output` by the terms of first and second order,
/// for inputs of any distribution that is nearly normal. The first order may vanish.
///
/// # Errors
/// [`PropagationError`]: wrong inputs, contradicting correlations, a model without value or
/// without derivatives up to the third order, more than 1000 uncertain inputs, or a result
/// that is too large for a number.
pub fn second_order(
    model: &Model,
    output: &str,
    inputs: &Inputs,
) -> Result<SecondOrder, PropagationError> {
    let ordered = in_order(model.inputs(), &inputs.quantities)?;
    let sequence = model.sequence(output)?;
    let used: Vec<usize> = sequence.inputs().collect();
    let layout = Layout::new(&ordered, &used, inputs)?;
    let point = Point {
        values: used.iter().map(|&index| ordered[index].value).collect(),
        u: used.iter().map(|&index| ordered[index].u).collect(),
    };
    if point.uncertain() > MOST_INPUTS {
        return Err(PropagationError::TooManyInputs {
            count: point.uncertain(),
            limit: MOST_INPUTS,
        });
    }
    let terms = Terms::new(&sequence, &layout, &point)?;
    let alone = if layout.is_independent() {
        None
    } else {
        Some(Terms::new(&sequence, &layout.independent(), &point)?)
    };
    let alone = alone.as_ref().unwrap_or(&terms);
    let rows = used.iter().enumerate();
    let rows = rows.map(|(at, &index)| alone.row(at, &ordered[index].symbol));
    terms.result(output, rows.collect())
}

/// Estimates and standard uncertainties of the inputs that an output uses.
pub struct Point {
    pub values: Vec<f64>,
    pub u: Vec<f64>,
}

impl Point {
    /// Number of inputs that are not exactly known.
    pub fn uncertain(&self) -> usize {
        self.u.iter().filter(|u| **u > 0.0).count()
    }
}

/// Derivatives in uncorrelated coordinates of unit variance.
pub struct Terms {
    value: f64,
    gradient: Vec<f64>,
    /// Row k: f_kl for every l.
    hessian: Vec<Vec<f64>>,
    /// Row k: f_lkk for every l.
    third: Vec<Vec<f64>>,
}

impl Terms {
    /// One sweep in jets for each coordinate.
    pub fn new(sequence: &Sequence, layout: &Layout, point: &Point) -> Result<Self, EvalError> {
        let count = point.u.len();
        let mut workspace = sequence.workspace::<Jet>();
        let mut terms = Self {
            value: f64::NAN,
            gradient: vec![0.0; count],
            hessian: vec![vec![0.0; count]; count],
            third: vec![vec![0.0; count]; count],
        };
        let whitened = |part: &dyn Fn(usize) -> f64| {
            let mut parts: Vec<f64> = (0..count).map(|at| part(at) * point.u[at]).collect();
            layout.whiten(&mut parts);
            parts
        };
        for k in 0..count.max(1) {
            let direction = if k < count {
                layout.direction(k, &point.u)
            } else {
                Vec::new()
            };
            let still = direction.iter().all(|step| *step == 0.0);
            if still && k > 0 {
                continue;
            }
            let inputs = workspace.inputs(sequence).iter_mut();
            for (input, (&value, &first)) in inputs.zip(point.values.iter().zip(&direction)) {
                let second = 0.0;
                *input = Jet {
                    value,
                    first,
                    second,
                };
            }
            sequence.forward(&mut workspace);
            sequence.check(&workspace, 0)?;
            sequence.backward(&mut workspace, 0)?;
            sequence.check_gradient(&workspace, 0)?;
            let slopes = workspace.gradient(sequence);
            terms.value = workspace.output(sequence, 0).value;
            terms.gradient = whitened(&|at| slopes[at].value);
            if !still {
                terms.hessian[k] = whitened(&|at| slopes[at].first);
                terms.third[k] = whitened(&|at| slopes[at].second);
            }
        }
        Ok(terms)
    }

    pub fn correction(&self) -> f64 {
        let diagonal = self.hessian.iter().enumerate();
        0.5 * diagonal.fold(0.0, |sum, (k, row)| sum + row[k])
    }

    fn first_variance(&self) -> f64 {
        self.gradient.iter().fold(0.0, |sum, g| sum + g * g)
    }

    pub fn second_variance(&self) -> f64 {
        (0..self.gradient.len()).fold(0.0, |sum, k| {
            sum + self.half_square(k) + dot(&self.gradient, &self.third[k])
        })
    }

    /// ½·Σ f_kl² over all l.
    fn half_square(&self, k: usize) -> f64 {
        0.5 * dot(&self.hessian[k], &self.hessian[k])
    }

    /// For uncorrelated inputs, whose coordinates are the inputs themselves.
    fn row(&self, at: usize, symbol: &str) -> SecondOrderRow {
        let first = self.gradient[at].abs();
        let shared = (0..self.gradient.len()).fold(0.0, |sum, other| {
            let here = self.gradient[at] * self.third[other][at];
            let there = self.gradient[other] * self.third[at][other];
            sum + 0.5 * (here + there)
        });
        let second_variance = self.half_square(at) + shared;
        let variance = first * first + second_variance;
        SecondOrderRow {
            symbol: symbol.to_owned(),
            first,
            second_variance,
            contribution: (variance >= 0.0).then(|| variance.sqrt()),
        }
    }

    /// Moments of f + gᵀz + ½·zᵀHz for standard normal z: from its cumulants
    /// κ_r = ½·(r − 1)!·tr Hʳ + ½·r!·gᵀ·H^(r−2)·g.
    fn moments(&self) -> QuadraticMoments {
        let half_squares = (0..self.gradient.len()).map(|k| self.half_square(k));
        let variance = half_squares.fold(self.first_variance(), |sum, term| sum + term);
        let bent: Vec<f64> = self
            .hessian
            .iter()
            .map(|row| dot(row, &self.gradient))
            .collect();
        let mut cube = 0.0;
        for (i, row) in self.hessian.iter().enumerate() {
            for (j, other) in self.hessian.iter().enumerate() {
                cube += row[j] * dot(other, &self.hessian[i]);
            }
        }
        let third = 3.0 * dot(&self.gradient, &bent) + cube;
        QuadraticMoments {
            bias: self.correction(),
            variance,
            third,
            skewness: (variance > 0.0).then(|| third / variance / variance.sqrt()),
        }
    }

    fn result(
        &self,
        output: &str,
        rows: Vec<SecondOrderRow>,
    ) -> Result<SecondOrder, PropagationError> {
        let (first, second_variance) = (self.first_variance(), self.second_variance());
        let quadratic = self.moments();
        let correction = self.correction();
        let estimate = self.value + correction;
        let variance = first + second_variance;
        let mut figures = vec![estimate, variance, quadratic.variance, quadratic.third];
        figures.extend(quadratic.skewness);
        figures.extend(
            rows.iter()
                .map(|row| row.first * row.first + row.second_variance),
        );
        if figures.iter().any(|figure| !figure.is_finite()) {
            return Err(PropagationError::NotFinite {
                output: output.to_owned(),
                what: "second order",
            });
        }
        Ok(SecondOrder {
            output: output.to_owned(),
            value: self.value,
            correction,
            estimate,
            u_first: first.sqrt(),
            second_variance,
            u: (variance >= 0.0).then(|| variance.sqrt()),
            rows,
            quadratic,
        })
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}
