//! Products and powers of units: `V/A`, `kg.m-3`, `µm/(m K)`, `/K`.
//!
//! A unit of the table is a row with a name for certificates; the input quantities of a
//! budget also have units that no table lists. Of these dimension and scale are known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::unit::{Dimension, Unit};

/// A unit of the table, or a product of powers of such units.
///
/// ```text
/// unit    = [ product ] "/" factor | product
/// product = factor { ( "." | "·" | "*" | " " ) factor }
/// factor  = ( symbol | "1" | "(" unit ")" ) [ [ "^" ] whole number | superscript ]
/// ```
///
/// A second solidus, or a product after one, is refused as ambiguous (SI brochure, 5.4.6).
/// Inside a product °C is an interval, that is K; alone it has its zero at 273.15 K.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitExpression {
    symbol: String,
    dimension: Dimension,
    scale: f64,
    offset: f64,
}

/// What is wrong with the text of a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitExpressionError {
    #[error(
        "the unit {text:?} has no known factor {factor:?}: write SI symbols, as in V, mm2, kg.m-3 or µm/(m K)"
    )]
    Unknown { text: String, factor: String },
    #[error(
        "the unit {text:?} is ambiguous after its solidus: put the denominator in parentheses, as in µm/(m K)"
    )]
    Ambiguous { text: String },
    #[error(
        "the unit {text:?} is not written as a product of powers: {found} stands where {wanted} is expected"
    )]
    Syntax {
        text: String,
        wanted: &'static str,
        found: String,
    },
    #[error("the unit {text:?} has an exponent out of range, or is longer than a unit")]
    Range { text: String },
}

/// Longest text of a unit, in bytes; also bounds the nesting.
const MAX_BYTES: usize = 80;

impl UnitExpression {
    /// The text as it was given.
    #[must_use]
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    #[must_use]
    pub const fn dimension(&self) -> Dimension {
        self.dimension
    }

    /// Value in coherent SI units of a difference of 1 in this unit.
    #[must_use]
    pub const fn scale(&self) -> f64 {
        self.scale
    }

    /// Value in coherent SI units of 0 in this unit: 273.15 K for °C alone, else 0.
    #[must_use]
    pub const fn offset(&self) -> f64 {
        self.offset
    }
}

impl From<Unit> for UnitExpression {
    fn from(unit: Unit) -> Self {
        Self {
            symbol: unit.symbol().to_owned(),
            dimension: unit.dimension(),
            scale: unit.scale(),
            offset: unit.offset(),
        }
    }
}

impl FromStr for UnitExpression {
    type Err = UnitExpressionError;

    fn from_str(text: &str) -> Result<Self, UnitExpressionError> {
        if let Ok(unit) = text.parse::<Unit>() {
            return Ok(Self {
                symbol: text.to_owned(),
                ..unit.into()
            });
        }
        if text.len() > MAX_BYTES {
            let text = text.chars().take(MAX_BYTES).collect();
            return Err(UnitExpressionError::Range { text });
        }
        let mut parser = Parser {
            text,
            rest: text.trim(),
        };
        let measure = parser.unit()?;
        if !parser.rest.is_empty() {
            return Err(parser.syntax("an operator or the end"));
        }
        Ok(Self {
            symbol: text.to_owned(),
            dimension: measure.dimension,
            scale: measure.scale,
            offset: 0.0,
        })
    }
}

impl fmt::Display for UnitExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.symbol)
    }
}

impl TryFrom<String> for UnitExpression {
    type Error = UnitExpressionError;

    fn try_from(text: String) -> Result<Self, UnitExpressionError> {
        text.parse()
    }
}

impl From<UnitExpression> for String {
    fn from(unit: UnitExpression) -> Self {
        unit.symbol
    }
}

#[derive(Clone, Copy)]
struct Measure {
    dimension: Dimension,
    scale: f64,
}

impl Measure {
    fn times(self, other: Self) -> Option<Self> {
        let scale = self.scale * other.scale;
        Some(Self {
            dimension: self.dimension.times(other.dimension)?,
            scale: (scale.is_finite() && scale > 0.0).then_some(scale)?,
        })
    }

    fn power(self, n: i8) -> Option<Self> {
        let mut scale = 1.0;
        for _ in 0..n.unsigned_abs() {
            scale *= self.scale;
        }
        if n < 0 {
            scale = 1.0 / scale;
        }
        Some(Self {
            dimension: self.dimension.power(n)?,
            scale: (scale.is_finite() && scale > 0.0).then_some(scale)?,
        })
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl Parser<'_> {
    fn unit(&mut self) -> Result<Measure, UnitExpressionError> {
        let numerator = if self.next_is('/') {
            Measure {
                dimension: Dimension::ONE,
                scale: 1.0,
            }
        } else {
            self.product()?
        };
        if !self.take('/') {
            return Ok(numerator);
        }
        let denominator = self.factor()?;
        self.rest = self.rest.trim_start();
        if !(self.rest.is_empty() || self.next_is(')')) {
            let text = self.text.to_owned();
            return Err(UnitExpressionError::Ambiguous { text });
        }
        let inverse = denominator.power(-1).ok_or_else(|| self.range())?;
        numerator.times(inverse).ok_or_else(|| self.range())
    }

    fn product(&mut self) -> Result<Measure, UnitExpressionError> {
        let mut product = self.factor()?;
        loop {
            let spaced = self.rest.starts_with(' ');
            let signed = ['.', '·', '*', '⋅'].into_iter().any(|sign| self.take(sign));
            let ended = self.rest.is_empty() || self.next_is(')') || self.next_is('/');
            if !signed && (!spaced || ended) {
                return Ok(product);
            }
            let factor = self.factor()?;
            product = product.times(factor).ok_or_else(|| self.range())?;
        }
    }

    fn factor(&mut self) -> Result<Measure, UnitExpressionError> {
        let base = if self.take('(') {
            let inner = self.unit()?;
            if !self.take(')') {
                return Err(self.syntax("a closing parenthesis"));
            }
            inner
        } else {
            self.symbol()?
        };
        match self.exponent()? {
            None => Ok(base),
            Some(exponent) => base.power(exponent).ok_or_else(|| self.range()),
        }
    }

    fn symbol(&mut self) -> Result<Measure, UnitExpressionError> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('1') {
            // A number before a unit is no unit: 100/K.
            if rest.starts_with(|c: char| plain_digit(c).is_some()) {
                return Err(self.syntax("the symbol of a unit"));
            }
            self.rest = rest;
            return Ok(Measure {
                dimension: Dimension::ONE,
                scale: 1.0,
            });
        }
        let belongs = |c: char| c.is_alphabetic() || "%°'℃".contains(c);
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (symbol, rest) = self.rest.split_at(end);
        if symbol.is_empty() {
            return Err(self.syntax("the symbol of a unit"));
        }
        let unit: Unit = symbol.parse().map_err(|_| UnitExpressionError::Unknown {
            text: self.text.to_owned(),
            factor: symbol.to_owned(),
        })?;
        self.rest = rest;
        Ok(Measure {
            dimension: unit.dimension(),
            scale: unit.scale(),
        })
    }

    /// `-3`, `^-3` or `⁻³`.
    fn exponent(&mut self) -> Result<Option<i8>, UnitExpressionError> {
        let marked = self.rest.strip_prefix('^');
        let rest = marked.unwrap_or(self.rest);
        let end = rest
            .find(|c| plain_digit(c).is_none())
            .unwrap_or(rest.len());
        let digits: String = rest[..end].chars().filter_map(plain_digit).collect();
        if digits.is_empty() {
            return match marked {
                None => Ok(None),
                Some(rest) => {
                    self.rest = rest;
                    Err(self.syntax("a whole exponent"))
                }
            };
        }
        self.rest = &rest[end..];
        digits.parse().map(Some).map_err(|_| self.range())
    }

    fn next_is(&self, sign: char) -> bool {
        self.rest.trim_start().starts_with(sign)
    }

    fn take(&mut self, sign: char) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn syntax(&self, wanted: &'static str) -> UnitExpressionError {
        let found = match self.rest.trim_start().chars().next() {
            Some(c) => format!("{c:?}"),
            None => "the end".to_owned(),
        };
        UnitExpressionError::Syntax {
            text: self.text.to_owned(),
            wanted,
            found,
        }
    }

    fn range(&self) -> UnitExpressionError {
        UnitExpressionError::Range {
            text: self.text.to_owned(),
        }
    }
}

/// The digit or minus sign, on the line or raised.
fn plain_digit(c: char) -> Option<char> {
    Some(match c {
        '0'..='9' | '-' => c,
        '−' | '⁻' => '-',
        '⁰' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁴' => '4',
        '⁵' => '5',
        '⁶' => '6',
        '⁷' => '7',
        '⁸' => '8',
        '⁹' => '9',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn measure(text: &str) -> ([i8; 7], f64) {
        let unit: UnitExpression = text.parse().unwrap();
        (unit.dimension().0, unit.scale())
    }

    #[test]
    fn products_and_powers_have_dimension_and_scale() {
        // Exponents of m, kg, s, A, K, mol, cd, by hand.
        for (text, dimension, scale) in [
            ("1/K", [0, 0, 0, 0, -1, 0, 0], 1.0),
            ("/K", [0, 0, 0, 0, -1, 0, 0], 1.0),
            ("K-1", [0, 0, 0, 0, -1, 0, 0], 1.0),
            ("1/°C", [0, 0, 0, 0, -1, 0, 0], 1.0),
            ("1/K2", [0, 0, 0, 0, -2, 0, 0], 1.0),
            ("1/K4", [0, 0, 0, 0, -4, 0, 0], 1.0),
            ("kg.m-3", [-3, 1, 0, 0, 0, 0, 0], 1.0),
            ("kg/m3", [-3, 1, 0, 0, 0, 0, 0], 1.0),
            ("kg·m⁻³", [-3, 1, 0, 0, 0, 0, 0], 1.0),
            ("kg m^-3", [-3, 1, 0, 0, 0, 0, 0], 1.0),
            ("mg/(m3)", [-3, 1, 0, 0, 0, 0, 0], 1e-6),
            ("g/cm3", [-3, 1, 0, 0, 0, 0, 0], 1e3),
            ("nm/K", [1, 0, 0, 0, -1, 0, 0], 1e-9),
            ("µm/(m K)", [0, 0, 0, 0, -1, 0, 0], 1e-6),
            ("um/(m*K)", [0, 0, 0, 0, -1, 0, 0], 1e-6),
            ("V/A", [2, 1, -3, -2, 0, 0, 0], 1.0),
            ("mV/mA", [2, 1, -3, -2, 0, 0, 0], 1.0),
            ("(m/s)2", [2, 0, -2, 0, 0, 0, 0], 1.0),
            ("mm2", [2, 0, 0, 0, 0, 0, 0], 1e-6),
            ("kΩ", [2, 1, -3, -2, 0, 0, 0], 1e3),
            ("N m", [2, 1, -2, 0, 0, 0, 0], 1.0),
            ("J/(mol K)", [2, 1, -2, 0, -1, -1, 0], 1.0),
            ("%/K", [0, 0, 0, 0, -1, 0, 0], 0.01),
            ("ppm", [0; 7], 1e-6),
            ("L/min", [3, 0, -1, 0, 0, 0, 0], 1e-3 / 60.0),
        ] {
            let found = measure(text);
            assert_eq!(found.0, dimension, "{text}");
            // Products of powers of ten are rounded in each factor.
            assert!((found.1 / scale - 1.0).abs() < 1e-14, "{text}: {}", found.1);
        }
    }

    /// The defining relations of the derived units (SI brochure, table 4).
    #[test]
    fn derived_units_are_what_they_are_defined_to_be() {
        for (derived, defined) in [
            ("N", "kg m/s2"),
            ("Pa", "N/m2"),
            ("J", "N m"),
            ("W", "J/s"),
            ("V", "W/A"),
            ("Ω", "V/A"),
            ("S", "1/Ω"),
            ("F", "A s/V"),
            ("H", "V s/A"),
            ("T", "V s/m2"),
            ("Hz", "/s"),
            ("lx", "cd/m2"),
            ("mbar", "hPa"),
            ("kPa", "mN/mm2"),
            ("mL", "cm3"),
        ] {
            let defined: UnitExpression = defined.parse().unwrap();
            let derived: UnitExpression = derived.parse().unwrap();
            assert_eq!(derived.dimension(), defined.dimension(), "{defined}");
            let ratio = derived.scale() / defined.scale();
            assert!((ratio - 1.0).abs() < 1e-14, "{defined}");
        }
    }

    #[test]
    fn a_degree_celsius_has_its_zero_only_when_alone() {
        assert_eq!("°C".parse::<UnitExpression>().unwrap().offset(), 273.15);
        assert_eq!("°C/h".parse::<UnitExpression>().unwrap().offset(), 0.0);
    }

    #[test]
    fn what_is_not_known_or_not_clear_is_refused() {
        for (text, part) in [
            ("furlong", "no known factor \"furlong\""),
            ("V/furlong", "\"furlong\""),
            ("J/kg/K", "ambiguous"),
            ("µm/m K", "ambiguous"),
            ("µm/m.K", "ambiguous"),
            ("", "the end"),
            ("(m", "closing parenthesis"),
            ("m)", "an operator or the end"),
            ("m^", "whole exponent"),
            ("m^200", "out of range"),
            ("m--2", "out of range"),
            ("km99 km99", "out of range"),
            ("2 m", "the symbol of a unit"),
            ("100/K", "the symbol of a unit"),
        ] {
            let error = text.parse::<UnitExpression>().unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_text_is_what_a_file_holds() {
        let unit: UnitExpression = serde_json::from_str("\"µm/(m K)\"").unwrap();
        assert_eq!(unit.to_string(), "µm/(m K)");
        assert_eq!(serde_json::to_string(&unit).unwrap(), "\"µm/(m K)\"");
        assert!(serde_json::from_str::<UnitExpression>("\"furlong\"").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics(text in "[mkgsAKVΩ%°C0-9^()/.·* ⁻²-]{0,24}|\\PC{0,100}") {
            if let Ok(unit) = text.parse::<UnitExpression>() {
                prop_assert!(unit.scale() > 0.0 && unit.scale().is_finite());
                prop_assert_eq!(unit.to_string(), text);
            }
        }
    }
}
