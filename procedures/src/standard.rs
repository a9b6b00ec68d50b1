//! Calibration certificates of the standards, as data: corrections with their range,
//! uncertainty and drift of every channel. `STANDARDS.md` beside this crate describes the file.

mod channel;
mod drift;
mod equation;
mod table;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeMap;

use heng_quantities::{Text, Unit};
use serde::{Deserialize, Serialize};

pub use channel::{Corrected, StandardChannel};

use crate::diagnostics::{Diagnostic, Source, read_toml};
use crate::order::Date;
use written::WrittenCertificate;

/// Certificates by the name of the role whose instrument they belong to.
pub type Standards = BTreeMap<String, StandardCertificate>;

/// What the certificate of one standard says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenCertificate")]
pub struct StandardCertificate {
    pub number: String,
    pub issuer: Text,
    pub calibrated: Date,
    pub valid_until: Date,
    pub instrument: StandardInstrument,
    /// True where the certificate states metrological traceability to the SI.
    pub traceable: bool,
    pub channel: Vec<StandardChannel>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardInstrument {
    pub maker: String,
    pub model: String,
    pub serial: String,
}

/// How a certificate states a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionKind {
    /// Corrections at indications, on straight lines between them.
    Points,
    /// A polynomial of the indication.
    Polynomial,
    /// Temperature from the resistance of an industrial platinum thermometer.
    CallendarVanDusen,
    /// Temperature from the resistance of a standard platinum thermometer.
    Its90 { sub_range: u8 },
}

impl CorrectionKind {
    /// As a certificate names it.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::Points => Text::new("corrections at calibrated points", "各校准点的修正值"),
            Self::Polynomial => Text::new("polynomial of the indication", "示值的多项式"),
            Self::CallendarVanDusen => {
                Text::new("Callendar-Van Dusen equation", "Callendar-Van Dusen 方程")
            }
            Self::Its90 { sub_range } => Text::new(
                &format!("ITS-90 deviation function, sub-range {sub_range}"),
                &format!("ITS-90 偏差函数, 子温区 {sub_range}"),
            ),
        }
    }
}

/// A range of a certificate that was left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "{quantity} {found} {unit} is outside the calibrated range {min} to {max} {unit} of the standard: \
     measure inside the range or use another standard"
)]
pub struct OutOfRange {
    pub quantity: String,
    /// The indication, or the temperature where the range is one of temperatures.
    pub found: f64,
    pub unit: Unit,
    pub min: f64,
    pub max: f64,
}

impl OutOfRange {
    /// How far the range was left.
    #[must_use]
    pub fn distance(&self) -> f64 {
        (self.min - self.found).max(self.found - self.max)
    }
}

/// What a certificate cannot answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StandardError {
    #[error(
        "certificate {number} has no channel for {quantity}: name the certificate of that sensor"
    )]
    NoChannel { number: String, quantity: String },
    #[error("certificate {number}: {source}")]
    OutOfRange {
        number: String,
        #[source]
        source: OutOfRange,
    },
}

impl TryFrom<WrittenCertificate> for StandardCertificate {
    type Error = String;

    fn try_from(written: WrittenCertificate) -> Result<Self, String> {
        Self::assembled(written).map_err(|(_, cause)| cause)
    }
}

impl StandardCertificate {
    /// Takes the histories of the channels into their drifts; an error has the index of the
    /// channel.
    fn assembled(written: WrittenCertificate) -> Result<Self, (usize, String)> {
        let WrittenCertificate {
            number,
            issuer,
            calibrated,
            valid_until,
            instrument,
            traceable,
            channel,
        } = written;
        let channel = channel
            .into_iter()
            .enumerate()
            .map(|(index, one)| {
                one.with_history(calibrated, valid_until)
                    .map_err(|cause| (index, cause))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            number,
            issuer,
            calibrated,
            valid_until,
            instrument,
            traceable,
            channel,
        })
    }

    /// Reads a certificate; `name` is the file's name for messages.
    ///
    /// # Errors
    /// What is wrong, with file, line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        Self::assembled(read_toml(name, text)?).map_err(|(index, cause)| {
            let path = ["channel".into(), index.into(), "history".into()];
            vec![Source { name, text }.at(&path, cause, None)]
        })
    }

    #[must_use]
    pub fn channel(&self, quantity: &str) -> Option<&StandardChannel> {
        self.channel.iter().find(|one| one.quantity() == quantity)
    }

    /// The indication with its correction. That the range was left is no error here:
    /// [`Corrected::outside`] says it.
    ///
    /// # Errors
    /// [`StandardError`] where the certificate has no such channel, or no value there.
    pub fn at(&self, quantity: &str, indication: f64) -> Result<Corrected, StandardError> {
        let found = self.wanted(quantity)?.at(indication);
        found.map_err(|source| self.out_of_range(source))
    }

    /// The indication with its correction added.
    ///
    /// # Errors
    /// [`StandardError`] where the certificate has no such channel or does not cover the indication.
    pub fn corrected(&self, quantity: &str, indication: f64) -> Result<f64, StandardError> {
        let found = self.wanted(quantity)?.corrected(indication);
        found.map_err(|source| self.out_of_range(source))
    }

    fn wanted(&self, quantity: &str) -> Result<&StandardChannel, StandardError> {
        self.channel(quantity)
            .ok_or_else(|| StandardError::NoChannel {
                number: self.number.clone(),
                quantity: quantity.to_owned(),
            })
    }

    pub(crate) fn out_of_range(&self, source: OutOfRange) -> StandardError {
        StandardError::OutOfRange {
            number: self.number.clone(),
            source,
        }
    }
}
