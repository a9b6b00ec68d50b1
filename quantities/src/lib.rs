//! Quantities as they stand on a wire and on a certificate: digits, units, rounding.
//!
//! This crate never computes a measurement result. It keeps the digits that an instrument
//! sent ([`Decimal`]), says what a unit means ([`Unit`]) and rounds a result once, at the
//! end ([`round_result`]; JCGM 100:2008, 7.2.6).

mod decimal;
mod rounding;
mod unit;
mod unit_expression;

pub use decimal::{Decimal, DecimalError};
pub use rounding::{Rounded, RoundingError, round_result};
pub use unit::{Dimension, Unit, UnitError, convert, units};
pub use unit_expression::{UnitExpression, UnitExpressionError};

/// A text in both languages of the product, written side by side in its source file.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub en: String,
    pub zh: String,
}

impl Text {
    /// The same words in both languages: names, numbers, norms.
    #[must_use]
    pub fn same(text: &str) -> Self {
        Self {
            en: text.to_owned(),
            zh: text.to_owned(),
        }
    }

    #[must_use]
    pub fn new(en: &str, zh: &str) -> Self {
        Self {
            en: en.to_owned(),
            zh: zh.to_owned(),
        }
    }

    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// The languages of interface and certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    Zh,
}
