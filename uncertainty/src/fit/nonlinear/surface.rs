//! Residuals of a model and their derivatives.

use std::sync::Arc;

use super::super::linear::Whitener;
use super::super::twofold::{rounded, twofold};
use super::pivoted::norm;
use crate::model::{EvalError, Jet, Sequence, Workspace};

/// The observed points, seen from the parameters.
pub struct Surface<'a> {
    pub sequence: Arc<Sequence>,
    pub workspace: Workspace<f64>,
    /// Place of each parameter among the inputs of the sequence.
    pub parameters: Vec<usize>,
    /// The same of each column that the model uses, and its values.
    pub columns: Vec<(usize, &'a [f64])>,
    pub observed: &'a [f64],
    pub whitener: Whitener,
}

/// The surface at one set of values of the parameters.
#[derive(Debug, Clone)]
pub struct Point {
    pub values: Vec<f64>,
    /// Observed less computed ordinates, in their unit.
    pub residuals: Vec<f64>,
    /// The same, weighted.
    pub weighted: Vec<f64>,
    /// Weighted derivatives of the model, one column after the other.
    pub jacobian: Vec<f64>,
    /// Length of the vector of rounding errors that the weighted residuals may have.
    pub noise: f64,
}

/// A point of the data, counted from 1, where the model has no value or no derivative.
#[derive(Debug, Clone, PartialEq)]
pub struct Undefined {
    pub point: usize,
    pub cause: EvalError,
}

impl Surface<'_> {
    pub fn at(&mut self, values: &[f64]) -> Result<Point, Undefined> {
        let rows = self.observed.len();
        let mut residuals = Vec::with_capacity(rows);
        let mut rounding = Vec::with_capacity(rows);
        let mut jacobian = vec![0.0; rows * values.len()];
        for (&place, &value) in self.parameters.iter().zip(values) {
            self.workspace.set_input(&self.sequence, place, value);
        }
        for row in 0..rows {
            let point = row + 1;
            self.run(row).map_err(|cause| Undefined { point, cause })?;
            let value = self.workspace.output(&self.sequence, 0);
            let gradient = self.workspace.gradient(&self.sequence);
            let mut size = self.observed[row].abs() + value.abs();
            for (at, (&place, value)) in self.parameters.iter().zip(values).enumerate() {
                jacobian[at * rows + row] = gradient[place];
                size += (gradient[place] * value).abs();
            }
            residuals.push(self.observed[row] - value);
            // As if each ordinate and each parameter had been rounded once.
            rounding.push(f64::EPSILON * size);
        }
        for column in jacobian.chunks_exact_mut(rows) {
            self.weigh(column);
        }
        self.weigh(&mut rounding);
        let mut weighted = residuals.clone();
        self.weigh(&mut weighted);
        Ok(Point {
            values: values.to_vec(),
            residuals,
            weighted,
            jacobian,
            noise: norm(&rounding),
        })
    }

    /// By how much the weighted residuals leave their tangent plane along `direction`: half
    /// their second derivative. What has none is NaN.
    pub fn bend(&self, values: &[f64], direction: &[f64]) -> Vec<f64> {
        let mut workspace: Workspace<Jet> = self.sequence.workspace();
        let jet = |value, first| Jet {
            value,
            first,
            second: 0.0,
        };
        let pairs = values.iter().zip(direction);
        for (&place, (&value, &first)) in self.parameters.iter().zip(pairs) {
            workspace.set_input(&self.sequence, place, jet(value, first));
        }
        let mut bend = Vec::with_capacity(self.observed.len());
        for row in 0..self.observed.len() {
            for (place, column) in &self.columns {
                workspace.set_input(&self.sequence, *place, jet(column[row], 0.0));
            }
            self.sequence.forward(&mut workspace);
            bend.push(-0.5 * workspace.output(&self.sequence, 0).second);
        }
        self.weigh(&mut bend);
        bend
    }

    fn run(&mut self, row: usize) -> Result<(), EvalError> {
        for (place, column) in &self.columns {
            self.workspace
                .set_input(&self.sequence, *place, column[row]);
        }
        self.sequence.forward(&mut self.workspace);
        self.sequence.check(&self.workspace, 0)?;
        self.sequence.backward(&mut self.workspace, 0)?;
        self.sequence.check_gradient(&self.workspace, 0)
    }

    fn weigh(&self, column: &mut [f64]) {
        if !matches!(self.whitener, Whitener::None) {
            let weighted = self.whitener.whiten(&twofold(column));
            column.copy_from_slice(&rounded(&weighted));
        }
    }
}
