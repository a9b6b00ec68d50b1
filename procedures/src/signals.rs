//! From the indications of one scan to corrected values and derived signals.

use std::collections::BTreeMap;

use heng_uncertainty::{EvalError, FormulaError, Model};

use crate::bind::{Answers, contexts};
use crate::order::Order;
use crate::outcome::Indication;
use crate::schema::{Channel, Procedure};
use crate::standard::Standards;

/// Quality of an indication that may be used.
const VALID: &str = "valid";

/// Why the derived signals of a procedure cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    #[error(transparent)]
    Formula(#[from] FormulaError),
    #[error("derived signal {name:?}: {message}")]
    Model { name: String, message: String },
}

/// The corrections and models that turn indications into signals.
#[derive(Debug, Clone)]
pub struct Signals {
    procedure: Procedure,
    order: Order,
    standards: Standards,
    /// Models of the derived signals, in their order, by the formulas bound to their names.
    models: BTreeMap<BTreeMap<String, String>, Vec<Model>>,
}

impl Signals {
    /// Compiles the derived signals for the choices of the `order` and every answer of the
    /// operator that binds other formulas.
    ///
    /// # Errors
    /// [`SignalError`] where a formula or a model is wrong.
    pub fn new(
        procedure: &Procedure,
        order: &Order,
        standards: &Standards,
    ) -> Result<Self, SignalError> {
        let choices = &order.choices;
        let mut models = BTreeMap::new();
        for (_, answers) in contexts(procedure) {
            let bindings = procedure.bindings(choices, &answers);
            if models.contains_key(&bindings) {
                continue;
            }
            let formulas = procedure.formulas(choices, &answers)?;
            let compiled = procedure
                .derived
                .iter()
                .map(|derived| {
                    Model::compile(&derived.model, &formulas).map_err(|found| {
                        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
                        SignalError::Model {
                            name: derived.name.clone(),
                            message: lines.join(", "),
                        }
                    })
                })
                .collect::<Result<Vec<_>, _>>()?;
            models.insert(bindings, compiled);
        }
        Ok(Self {
            procedure: procedure.clone(),
            order: order.clone(),
            standards: standards.clone(),
            models,
        })
    }

    /// Corrected values of the channels: the mean where a channel was read more than once.
    /// What cannot be used is said in `missing`, never replaced.
    #[must_use]
    pub fn channels(
        &self,
        indications: &[Indication],
        missing: &mut BTreeMap<String, String>,
    ) -> BTreeMap<String, f64> {
        let mut values = BTreeMap::new();
        for channel in &self.procedure.channel {
            let all: Vec<_> = indications
                .iter()
                .filter(|one| one.channel == channel.name)
                .collect();
            if all.is_empty() || missing.contains_key(&channel.name) {
                continue;
            }
            let corrected: Result<Vec<f64>, String> = all
                .into_iter()
                .map(|one| self.corrected(channel, one))
                .collect();
            match corrected {
                Ok(all) => {
                    let sum = all.iter().fold(0.0, |sum, value| sum + value);
                    values.insert(channel.name.clone(), sum / all.len() as f64);
                }
                Err(reason) => {
                    missing.insert(channel.name.clone(), reason);
                }
            }
        }
        values
    }

    fn corrected(&self, channel: &Channel, indication: &Indication) -> Result<f64, String> {
        if indication.quality != VALID {
            return Err(format!("the instrument says {:?}", indication.quality));
        }
        let unit = self.procedure.indication_unit(channel, &self.standards);
        if indication.unit != unit {
            return Err(format!(
                "the value came in {} instead of {unit}: restore the unit on the instrument",
                indication.unit
            ));
        }
        let value = indication.digits.to_f64();
        if !self.procedure.is_corrected(channel) {
            return Ok(value);
        }
        let certificate = self
            .standards
            .get(&channel.role)
            .ok_or_else(|| format!("role {} has no certificate", channel.role))?;
        let quantity = &channel.quantity;
        let found = certificate.at(quantity, value);
        let found = found.map_err(|error| error.to_string())?;
        match found.outside {
            // Refused again, or flagged, when the point is evaluated.
            Some(outside)
                if self
                    .order
                    .beyond_certificate(&certificate.number, quantity)
                    .is_none() =>
            {
                Err(certificate.out_of_range(outside).to_string())
            }
            _ => Ok(found.value),
        }
    }

    /// Adds the derived signals to the corrected `values` of a scan.
    pub fn derive(
        &self,
        answers: &Answers,
        values: &mut BTreeMap<String, f64>,
        missing: &mut BTreeMap<String, String>,
    ) {
        let bindings = self.procedure.bindings(&self.order.choices, answers);
        let models = self
            .models
            .get(&bindings)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for (index, derived) in self.procedure.derived.iter().enumerate() {
            let Some(model) = models.get(index) else {
                missing.insert(
                    derived.name.clone(),
                    "its formulas are not bound".to_owned(),
                );
                continue;
            };
            let output = model
                .outputs()
                .last()
                .map(String::as_str)
                .unwrap_or_default();
            match model.eval(output, &|name| values.get(name).copied()) {
                Ok(value) => {
                    values.insert(derived.name.clone(), value);
                }
                Err(EvalError::MissingInput { input }) => {
                    missing.insert(derived.name.clone(), format!("it needs {input}"));
                }
                Err(error) => {
                    missing.insert(derived.name.clone(), error.to_string());
                }
            }
        }
    }
}
