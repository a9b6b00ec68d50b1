//! Why a point has no result, and which point.

use heng_quantities::{RoundingError, Text, UnitError};
use heng_uncertainty::{
    FormulaError, PropagationError, RangeViolation, SampleError, TooFewReadings,
};

use crate::outcome::BeyondCertificate;

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
    #[error(
        "{place}: {violation} ({source}): the result is refused; where the laboratory answers for it, state it in the order: [[beyond_range]] with formula = \"{formula}\", reason and person",
        source = .violation.source, formula = .violation.formula
    )]
    BeyondRange {
        place: Place,
        violation: Box<RangeViolation>,
    },
    #[error(
        "{place}: certificate {number}: {violation}; the result is refused; where the laboratory answers for it, state it in the order: [[beyond_range]] with certificate = \"{number}\", quantity = \"{quantity}\", reason and person",
        number = .violation.certificate, violation = .violation.outside, quantity = .violation.outside.quantity
    )]
    BeyondCertificate {
        place: Place,
        violation: Box<BeyondCertificate>,
    },
    #[error("{place}: the limits of the order cannot be used: {source}")]
    Limit {
        place: Place,
        #[source]
        source: UnitError,
    },
}

impl EvaluationError {
    /// What a refused range has to say to an operator, in both languages; none for an error
    /// that is no refusal of a result but a fault of procedure, order or readings.
    #[must_use]
    pub fn refusal(&self) -> Option<Text> {
        let (place, said, statement) = match self {
            Self::BeyondRange { place, violation } => {
                let (source, formula) = (&violation.source, &violation.formula);
                let said = format!("{} ({source})", violation.text().zh);
                (place, said, format!("formula = \"{formula}\""))
            }
            Self::BeyondCertificate { place, violation } => {
                let (number, quantity) = (&violation.certificate, &violation.outside.quantity);
                let statement = format!("certificate = \"{number}\", quantity = \"{quantity}\"");
                (place, violation.text().zh, statement)
            }
            _ => return None,
        };
        Some(Text {
            en: self.to_string(),
            zh: format!(
                "{place}: {said}: 拒绝给出结果; 如实验室对此负责, 须在委托单中声明 [[beyond_range]]: \
                 {statement}, reason 与 person"
            ),
        })
    }
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
