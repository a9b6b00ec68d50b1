//! Units that arrive in files and on wires, and what they mean.
//!
//! One table row a unit. A unit is its symbol: two units are the same when their rows are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Exponents of metre, kilogram, second, ampere, kelvin, mole, candela.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimension(pub [i8; 7]);

const ONE: Dimension = Dimension([0; 7]);
const LENGTH: Dimension = Dimension([1, 0, 0, 0, 0, 0, 0]);
const MASS: Dimension = Dimension([0, 1, 0, 0, 0, 0, 0]);
const TIME: Dimension = Dimension([0, 0, 1, 0, 0, 0, 0]);
const TEMPERATURE: Dimension = Dimension([0, 0, 0, 0, 1, 0, 0]);
const TEMPERATURE_RATE: Dimension = Dimension([0, 0, -1, 0, 1, 0, 0]);
const PRESSURE: Dimension = Dimension([-1, 1, -2, 0, 0, 0, 0]);
const RESISTANCE: Dimension = Dimension([2, 1, -3, -2, 0, 0, 0]);
const DENSITY: Dimension = Dimension([-3, 1, 0, 0, 0, 0, 0]);

/// A unit known to the program.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Unit(&'static Row);

struct Row {
    symbol: &'static str,
    /// Name in the D-SI grammar; relative humidity has no unit of its own there.
    dsi: &'static str,
    aliases: &'static [&'static str],
    dimension: Dimension,
    scale: f64,
    offset: f64,
    /// Unit of a difference of two values; itself but for temperatures with an offset.
    difference: &'static str,
}

const fn row(symbol: &'static str, dsi: &'static str, dimension: Dimension, scale: f64) -> Row {
    Row {
        symbol,
        dsi,
        aliases: &[],
        dimension,
        scale,
        offset: 0.0,
        difference: symbol,
    }
}

/// `%RH` is kept apart from `%`: 1 % of a relative humidity is ambiguous, 1 %RH is not.
static TABLE: &[Row] = &[
    row("1", "\\one", ONE, 1.0),
    row("%", "\\percent", ONE, 0.01),
    Row {
        aliases: &["% RH", "%rh", "RH%"],
        ..row("%RH", "\\percent", ONE, 0.01)
    },
    row(
        "%RH/K",
        "\\percent\\kelvin\\tothe{-1}",
        Dimension([0, 0, 0, 0, -1, 0, 0]),
        0.01,
    ),
    row(
        "%RH/h",
        "\\percent\\hour\\tothe{-1}",
        Dimension([0, 0, -1, 0, 0, 0, 0]),
        0.01 / 3600.0,
    ),
    row("K", "\\kelvin", TEMPERATURE, 1.0),
    row("mK", "\\milli\\kelvin", TEMPERATURE, 1e-3),
    row(
        "K/h",
        "\\kelvin\\hour\\tothe{-1}",
        TEMPERATURE_RATE,
        1.0 / 3600.0,
    ),
    Row {
        aliases: &["'C", "degC", "C", "℃", "ºC"],
        offset: 273.15,
        difference: "K",
        ..row("°C", "\\degreecelsius", TEMPERATURE, 1.0)
    },
    row("Pa", "\\pascal", PRESSURE, 1.0),
    row("hPa", "\\hecto\\pascal", PRESSURE, 100.0),
    row("kPa", "\\kilo\\pascal", PRESSURE, 1000.0),
    Row {
        aliases: &["ohm", "Ohm", "\u{2126}"],
        ..row("Ω", "\\ohm", RESISTANCE, 1.0)
    },
    row("m", "\\metre", LENGTH, 1.0),
    row("mm", "\\milli\\metre", LENGTH, 1e-3),
    row("kg", "\\kilogram", MASS, 1.0),
    row("g", "\\gram", MASS, 1e-3),
    row("s", "\\second", TIME, 1.0),
    row("min", "\\minute", TIME, 60.0),
    row("h", "\\hour", TIME, 3600.0),
    row("kg/m3", "\\kilogram\\metre\\tothe{-3}", DENSITY, 1.0),
    row("ppm", "\\micro\\one", ONE, 1e-6),
    row(
        "m/s",
        "\\metre\\second\\tothe{-1}",
        Dimension([1, 0, -1, 0, 0, 0, 0]),
        1.0,
    ),
];

/// What is wrong with a unit or a conversion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("unknown unit {0:?}: the known ones are {known}", known = symbols())]
    Unknown(String),
    #[error("{from} cannot be converted to {to}: they measure different kinds of quantity")]
    Dimension { from: Unit, to: Unit },
}

impl Unit {
    /// Symbol as printed on screens and certificates.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        self.0.symbol
    }

    /// Name in the D-SI grammar (`\degreecelsius`), as a DCC wants it.
    #[must_use]
    pub const fn dsi(self) -> &'static str {
        self.0.dsi
    }

    #[must_use]
    pub const fn dimension(self) -> Dimension {
        self.0.dimension
    }

    /// Unit of a difference or an uncertainty of values in this unit: K for °C.
    #[must_use]
    pub fn difference(self) -> Self {
        self.0.difference.parse().unwrap_or(self)
    }
}

/// Every unit of the table, in its order.
pub fn units() -> impl Iterator<Item = Unit> {
    TABLE.iter().map(Unit)
}

fn symbols() -> String {
    let all: Vec<_> = units().map(Unit::symbol).collect();
    all.join(", ")
}

/// Converts a value (not a difference: see [`Unit::difference`]) between units.
///
/// # Errors
/// [`UnitError::Dimension`] where the units measure different kinds of quantity.
pub fn convert(value: f64, from: Unit, to: Unit) -> Result<f64, UnitError> {
    if from == to {
        return Ok(value);
    }
    if from.0.dimension != to.0.dimension {
        return Err(UnitError::Dimension { from, to });
    }
    Ok(((value * from.0.scale + from.0.offset) - to.0.offset) / to.0.scale)
}

impl FromStr for Unit {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        TABLE
            .iter()
            .find(|row| row.symbol == text || row.aliases.contains(&text))
            .map(Self)
            .ok_or_else(|| UnitError::Unknown(text.to_owned()))
    }
}

impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        self.0.symbol == other.0.symbol
    }
}

impl Eq for Unit {}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.symbol)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({})", self.0.symbol)
    }
}

impl TryFrom<String> for Unit {
    type Error = UnitError;

    fn try_from(text: String) -> Result<Self, UnitError> {
        text.parse()
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.0.symbol.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> Unit {
        text.parse().unwrap()
    }

    #[test]
    fn wires_write_units_in_many_ways() {
        assert_eq!(unit("'C"), unit("°C"));
        assert_eq!(unit("°C").dsi(), "\\degreecelsius");
        assert_eq!(unit("°C").difference(), unit("K"));
        assert_eq!(unit("%RH").difference(), unit("%RH"));
        assert!("furlong".parse::<Unit>().is_err());
    }

    #[test]
    fn conversion_keeps_kinds_apart() {
        assert_eq!(convert(1013.25, unit("hPa"), unit("Pa")), Ok(101_325.0));
        assert_eq!(convert(20.0, unit("°C"), unit("K")), Ok(293.15));
        assert!(convert(20.0, unit("°C"), unit("Pa")).is_err());
    }

    #[test]
    fn names_are_unique_and_differences_resolve() {
        let mut names: Vec<_> = TABLE
            .iter()
            .flat_map(|row| std::iter::once(&row.symbol).chain(row.aliases))
            .collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for row in TABLE {
            assert!(row.difference.parse::<Unit>().is_ok(), "{}", row.symbol);
            assert!(!row.dsi.contains(' '));
        }
    }
}
