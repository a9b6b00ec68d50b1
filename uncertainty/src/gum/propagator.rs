//! One budget after the other for the same model.

use std::sync::Arc;

use super::PropagationError;
use super::layout::Layout;
use crate::input::{Input, InputError, Inputs, in_order};
use crate::model::{EvalError, Model, Sequence, Workspace};

/// Value of an output with its combined standard uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Propagated {
    /// Output estimate (JCGM 100:2008, 4.1.4).
    pub value: f64,
    /// Combined standard uncertainty, in the unit of the value.
    pub u: f64,
    /// Effective degrees of freedom (JCGM 100:2008, G.4.1), not truncated.
    pub dof: f64,
}

/// The law of propagation for one output of a model, prepared for many sets of values: what
/// does not change between them is worked out once, and an evaluation allocates nothing.
/// [`propagate`](crate::propagate) is one evaluation with its table.
#[derive(Debug, Clone)]
pub struct Propagator {
    output: String,
    symbols: Vec<String>,
    sequence: Arc<Sequence>,
    workspace: Workspace<f64>,
    /// Index in the model of each input that the output uses.
    used: Vec<usize>,
    layout: Layout,
    /// Of the used inputs: values, uncertainties and the signed parts c·u.
    entries: Vec<Entry>,
    whitened: Vec<f64>,
    /// In the order of the model.
    sensitivities: Vec<f64>,
    components: Vec<f64>,
}

/// One used input of an evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    pub u: f64,
    pub dof: f64,
    /// c·u.
    pub part: f64,
}

impl Propagator {
    /// Prepares `output` for inputs that are correlated and grouped as in `inputs`. Values,
    /// uncertainties and degrees of freedom of `inputs` are checked but not kept.
    ///
    /// # Errors
    /// [`PropagationError`]: an unknown output, wrong inputs, contradicting correlations or
    /// ensembles.
    pub fn new(model: &Model, output: &str, inputs: &Inputs) -> Result<Self, PropagationError> {
        let ordered = in_order(model.inputs(), &inputs.quantities)?;
        Self::prepared(model, output, &ordered, inputs)
    }

    /// `ordered` are the quantities of `all` in the order of the model.
    pub(super) fn prepared(
        model: &Model,
        output: &str,
        ordered: &[&Input],
        all: &Inputs,
    ) -> Result<Self, PropagationError> {
        let sequence = model.sequence(output)?;
        let used: Vec<usize> = sequence.inputs().collect();
        Ok(Self {
            output: output.to_owned(),
            symbols: model.inputs().to_vec(),
            workspace: sequence.workspace(),
            layout: Layout::new(ordered, &used, all)?,
            entries: vec![Entry::default(); used.len()],
            whitened: vec![0.0; used.len()],
            sensitivities: vec![0.0; ordered.len()],
            components: vec![0.0; ordered.len()],
            used,
            sequence,
        })
    }

    /// One budget (JCGM 100:2008, equations 13, 16 and G.2b). Estimates, standard
    /// uncertainties and degrees of freedom in the order of [`Model::inputs`]; those of
    /// inputs that the output does not use are not looked at.
    ///
    /// # Errors
    /// [`PropagationError`]: lists of another length, numbers that are none, a model without
    /// value or derivative, a first order that says nothing, or degrees of freedom of
    /// inputs that are correlated but not estimated together.
    pub fn evaluate(
        &mut self,
        values: &[f64],
        u: &[f64],
        dof: &[f64],
    ) -> Result<Propagated, PropagationError> {
        self.enter(values, u, dof)?;
        self.sequence.forward(&mut self.workspace);
        self.sequence.check(&self.workspace, 0)?;
        self.sequence.backward(&mut self.workspace, 0)?;
        self.sequence.check_gradient(&self.workspace, 0)?;
        let gradient = self.workspace.gradient(&self.sequence);
        let mut felt = false;
        let mut uncertain = false;
        for (slot, (entry, &slope)) in self.entries.iter_mut().zip(gradient).enumerate() {
            entry.part = slope * entry.u;
            self.whitened[slot] = entry.part;
            felt |= entry.part != 0.0;
            uncertain |= entry.u > 0.0;
            self.sensitivities[self.used[slot]] = slope;
            self.components[self.used[slot]] = entry.part;
        }
        if uncertain && !felt {
            let output = self.output.clone();
            return Err(PropagationError::Vanishing { output });
        }
        self.layout.whiten(&mut self.whitened);
        // cᵀ·V·c as a sum of squares: never negative.
        let variance = self
            .whitened
            .iter()
            .fold(0.0, |sum, part| sum + part * part);
        let value = self.workspace.output(&self.sequence, 0);
        let u = variance.sqrt();
        if !u.is_finite() {
            return Err(self.too_large("combined standard uncertainty"));
        }
        let dof = self
            .layout
            .effective_dof(&self.entries, u)
            .map_err(|fault| fault.named(|slot| self.symbols[self.used[slot]].clone()))?;
        Ok(Propagated { value, u, dof })
    }

    /// ∂output/∂input of the last evaluation, in the order of [`Model::inputs`].
    pub fn sensitivities(&self) -> &[f64] {
        &self.sensitivities
    }

    /// Sensitivity times standard uncertainty of the last evaluation, with its sign, in the
    /// order of [`Model::inputs`].
    pub fn components(&self) -> &[f64] {
        &self.components
    }

    pub(super) fn used(&self) -> &[usize] {
        &self.used
    }

    pub(super) fn parts(&mut self) -> (&Sequence, &mut Workspace<f64>, &Layout) {
        (&self.sequence, &mut self.workspace, &self.layout)
    }

    fn enter(&mut self, values: &[f64], u: &[f64], dof: &[f64]) -> Result<(), PropagationError> {
        let expected = self.symbols.len();
        for found in [values.len(), u.len(), dof.len()] {
            if found != expected {
                return Err(EvalError::WrongShape { expected, found }.into());
            }
        }
        let places = self.workspace.inputs(&self.sequence);
        let mut sound = true;
        for ((&index, entry), place) in self.used.iter().zip(&mut self.entries).zip(places) {
            let (value, u, dof) = (values[index], u[index], dof[index]);
            sound &= value.is_finite() && u.is_finite() && u >= 0.0 && dof > 0.0;
            *place = value;
            (entry.u, entry.dof) = (u, dof);
        }
        if sound {
            Ok(())
        } else {
            Err(self.unsound(values, u, dof))
        }
    }

    #[cold]
    fn unsound(&self, values: &[f64], u: &[f64], dof: &[f64]) -> PropagationError {
        let wrong = |index: usize| {
            let (value, u, dof) = (values[index], u[index], dof[index]);
            let symbol = self.symbols[index].clone();
            if !(value.is_finite() && u.is_finite() && u >= 0.0) {
                Some(InputError::NotANumber { symbol, value, u })
            } else if dof > 0.0 {
                None
            } else {
                Some(InputError::DegreesOfFreedom { symbol, dof })
            }
        };
        let found = self.used.iter().find_map(|&index| wrong(index));
        found.map_or_else(|| self.too_large("estimate"), PropagationError::from)
    }

    #[cold]
    pub(super) fn too_large(&self, what: &'static str) -> PropagationError {
        PropagationError::NotFinite {
            output: self.output.clone(),
            what,
        }
    }
}
