//! How a norm characterises a mapped space: data of the procedure file.

use std::collections::BTreeMap;

use heng_quantities::{Text, Unit};
use serde::{Deserialize, Serialize};

use super::characteristics::CharacteristicId;

/// The characteristics and the budget that one norm asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// `jjf1101-2019`, `dkd-r-5-7`; printed on the certificate.
    pub id: String,
    pub title: Text,
    /// What is computed, in words that a certificate prints.
    pub text: Text,
    /// Readings a location must have; fewer give a warning, not a refusal.
    pub minimum_readings: usize,
    /// Time that the readings must cover.
    pub minimum_duration_s: u64,
    /// Locations that the norm asks for, by quantity.
    #[serde(default)]
    pub minimum_locations: BTreeMap<String, usize>,
    pub characteristics: Vec<CharacteristicId>,
    /// Measurands in order of preference: the first one whose needs are met is evaluated.
    pub measurand: Vec<DefinitionMeasurand>,
    /// Inputs of the models; a model takes those that it names.
    pub input: Vec<DefinitionInput>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionMeasurand {
    pub id: String,
    pub title: Text,
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Output of the model.
    pub output: String,
    pub model: String,
    /// True where the result is a value of the quantity (°C), not a difference of two (K).
    #[serde(default)]
    absolute: bool,
}

impl DefinitionMeasurand {
    /// Unit of the result, for a quantity measured in `unit`.
    #[must_use]
    pub fn unit(&self, unit: Unit) -> Unit {
        if self.absolute {
            unit
        } else {
            unit.difference()
        }
    }
}

/// What a table must hold for a measurand to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    SetValue,
    Display,
    Reference,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionInput {
    pub symbol: String,
    pub title: Text,
    pub source: MappingSource,
}

/// Location whose sensor is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    Reference,
    Extreme,
}

/// Where the value and the uncertainty of an input come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum MappingSource {
    /// The set value, without uncertainty.
    SetValue,
    /// Mean of the chamber's own display.
    DisplayMean,
    /// Mean of the corrected readings at the reference location.
    ReferenceMean,
    /// The corrected reading farthest from the set value.
    ExtremeReading,
    /// Standard deviation of the readings at the location of the extreme reading, of a
    /// single reading: the extreme is one.
    Scatter,
    /// U/k of the sensor's certificate (normal).
    Certificate { at: At },
    /// Drift of the sensor since its calibration (rectangular).
    Drift { at: At },
    /// Half of the last digit of the readings (rectangular).
    Resolution,
    /// Half of the last digit of the chamber's display (rectangular).
    DisplayResolution,
    /// Largest difference of a location's mean from the reference location's (rectangular).
    Inhomogeneity,
    /// Largest deviation in time from the mean at the reference location (rectangular).
    Instability,
    /// An effect determined apart and stated with the request, `fraction` of its size as
    /// half-width (rectangular).
    Given {
        effect: String,
        #[serde(default = "whole")]
        fraction: f64,
    },
}

fn whole() -> f64 {
    1.0
}
