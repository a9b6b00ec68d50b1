//! Why a point has no result, and which point.

use heng_quantities::{RoundingError, UnitError};
use heng_uncertainty::{FormulaError, PropagationError, SampleError, TooFewReadings};

/// Why a point has no result.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    #[error("{place}: the procedure has no point with this number")]
    UnknownPoint { place: Place },
    #[error("{place}: {source}")]
    Formula {
        place: Place,
        #[source]
        source: FormulaError,
    },
    #[error("{place}: the model is wrong: {message}")]
    Model { place: Place, message: String },
    #[error("{place}: the model's input {symbol:?} has no [[measurand.input]]")]
    UndeclaredInput { place: Place, symbol: String },
    #[error("{place}: the signal {signal:?} is missing in reading {cycle}")]
    MissingSignal {
        place: Place,
        signal: String,
        cycle: usize,
    },
    #[error("{place}: the channel {channel:?} was not read")]
    MissingChannel { place: Place, channel: String },
    #[error(
        "{place}: no certificate for the channel {channel:?} of role {role}: name it on the bench"
    )]
    MissingCertificate {
        place: Place,
        channel: String,
        role: String,
    },
    #[error("{place}: the accepted steady state says nothing about {signal:?}")]
    MissingSteady { place: Place, signal: String },
    #[error(
        "{place}: the input {symbol:?} states neither `u` nor `half_width` as its distribution needs"
    )]
    FixedWithoutWidth { place: Place, symbol: String },
    #[error("{place}: {source}")]
    Readings {
        place: Place,
        #[source]
        source: TooFewReadings,
    },
    #[error("{place}: {source}")]
    Propagation {
        place: Place,
        #[source]
        source: PropagationError,
    },
    #[error("{place}: {source}")]
    Sampling {
        place: Place,
        #[source]
        source: Box<SampleError>,
    },
    #[error("{place}: {source}")]
    Rounding {
        place: Place,
        #[source]
        source: RoundingError,
    },
    #[error("{place}: the limits of the order cannot be used: {source}")]
    Limit {
        place: Place,
        #[source]
        source: UnitError,
    },
}

/// Point and measurand that an error concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Id of the point, or its number where there is no such point.
    pub point: String,
    pub measurand: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "point {}", self.point)?;
        if self.measurand.is_empty() {
            return Ok(());
        }
        write!(f, ", {}", self.measurand)
    }
}
