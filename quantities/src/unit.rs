//! Units that arrive in files and on wires, and what they mean.
//!
//! One table row a unit. A unit is its symbol: two units are the same when their rows are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Exponents of metre, kilogram, second, ampere, kelvin, mole, candela.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimension(pub [i8; 7]);

impl Dimension {
    /// That of a number.
    pub const ONE: Self = ONE;

    /// Dimension of a product; none where an exponent leaves its range.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let mut exponents = self.0;
        for (exponent, more) in exponents.iter_mut().zip(other.0) {
            *exponent = exponent.checked_add(more)?;
        }
        Some(Self(exponents))
    }

    /// Dimension of a whole power; none where an exponent leaves its range.
    #[must_use]
    pub fn power(self, n: i8) -> Option<Self> {
        let mut exponents = self.0;
        for exponent in &mut exponents {
            *exponent = exponent.checked_mul(n)?;
        }
        Some(Self(exponents))
    }

    /// Dimension of a root; none where an exponent is no multiple of `n`.
    #[must_use]
    pub fn root(self, n: i8) -> Option<Self> {
        let mut exponents = self.0;
        for exponent in &mut exponents {
            if exponent.checked_rem(n)? != 0 {
                return None;
            }
            *exponent = exponent.checked_div(n)?;
        }
        Some(Self(exponents))
    }
}

/// In base units: `m kg s-2`; `1` for that of a number.
impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bases = ["m", "kg", "s", "A", "K", "mol", "cd"];
        let factors: Vec<_> = bases
            .into_iter()
            .zip(self.0)
            .filter(|&(_, exponent)| exponent != 0)
            .map(|(base, exponent)| match exponent {
                1 => base.to_owned(),
                _ => format!("{base}{exponent}"),
            })
            .collect();
        match factors.len() {
            0 => f.write_str("1"),
            _ => f.write_str(&factors.join(" ")),
        }
    }
}

const ONE: Dimension = Dimension([0; 7]);
const LENGTH: Dimension = Dimension([1, 0, 0, 0, 0, 0, 0]);
const MASS: Dimension = Dimension([0, 1, 0, 0, 0, 0, 0]);
const TIME: Dimension = Dimension([0, 0, 1, 0, 0, 0, 0]);
const TEMPERATURE: Dimension = Dimension([0, 0, 0, 0, 1, 0, 0]);
const PER_KELVIN: Dimension = Dimension([0, 0, 0, 0, -1, 0, 0]);
const TEMPERATURE_RATE: Dimension = Dimension([0, 0, -1, 0, 1, 0, 0]);
const PRESSURE: Dimension = Dimension([-1, 1, -2, 0, 0, 0, 0]);
const RESISTANCE: Dimension = Dimension([2, 1, -3, -2, 0, 0, 0]);
const DENSITY: Dimension = Dimension([-3, 1, 0, 0, 0, 0, 0]);
const CURRENT: Dimension = Dimension([0, 0, 0, 1, 0, 0, 0]);
const VOLTAGE: Dimension = Dimension([2, 1, -3, -1, 0, 0, 0]);
const CONDUCTANCE: Dimension = Dimension([-2, -1, 3, 2, 0, 0, 0]);
const CAPACITANCE: Dimension = Dimension([-2, -1, 4, 2, 0, 0, 0]);
const INDUCTANCE: Dimension = Dimension([2, 1, -2, -2, 0, 0, 0]);
const FLUX_DENSITY: Dimension = Dimension([0, 1, -2, -1, 0, 0, 0]);
const POWER: Dimension = Dimension([2, 1, -3, 0, 0, 0, 0]);
const ENERGY: Dimension = Dimension([2, 1, -2, 0, 0, 0, 0]);
const FORCE: Dimension = Dimension([1, 1, -2, 0, 0, 0, 0]);
const FREQUENCY: Dimension = Dimension([0, 0, -1, 0, 0, 0, 0]);
const VOLUME: Dimension = Dimension([3, 0, 0, 0, 0, 0, 0]);
const AMOUNT: Dimension = Dimension([0, 0, 0, 0, 0, 1, 0]);
const LUMINOUS_INTENSITY: Dimension = Dimension([0, 0, 0, 0, 0, 0, 1]);
const ILLUMINANCE: Dimension = Dimension([-2, 0, 0, 0, 0, 0, 1]);

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
    row("%RH/K", "\\percent\\kelvin\\tothe{-1}", PER_KELVIN, 0.01),
    row(
        "%RH/h",
        "\\percent\\hour\\tothe{-1}",
        Dimension([0, 0, -1, 0, 0, 0, 0]),
        0.01 / 3600.0,
    ),
    row("K", "\\kelvin", TEMPERATURE, 1.0),
    row("1/K", "\\kelvin\\tothe{-1}", PER_KELVIN, 1.0),
    row(
        "1/K2",
        "\\kelvin\\tothe{-2}",
        Dimension([0, 0, 0, 0, -2, 0, 0]),
        1.0,
    ),
    row(
        "1/K3",
        "\\kelvin\\tothe{-3}",
        Dimension([0, 0, 0, 0, -3, 0, 0]),
        1.0,
    ),
    row(
        "1/K4",
        "\\kelvin\\tothe{-4}",
        Dimension([0, 0, 0, 0, -4, 0, 0]),
        1.0,
    ),
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
    row(
        "m/s2",
        "\\metre\\second\\tothe{-2}",
        Dimension([1, 0, -2, 0, 0, 0, 0]),
        1.0,
    ),
    row("nm", "\\nano\\metre", LENGTH, 1e-9),
    Row {
        aliases: &["\u{3bc}m", "um"],
        ..row("µm", "\\micro\\metre", LENGTH, 1e-6)
    },
    row("cm", "\\centi\\metre", LENGTH, 1e-2),
    row("km", "\\kilo\\metre", LENGTH, 1e3),
    Row {
        aliases: &["\u{3bc}g", "ug"],
        ..row("µg", "\\micro\\gram", MASS, 1e-9)
    },
    row("mg", "\\milli\\gram", MASS, 1e-6),
    row("t", "\\tonne", MASS, 1e3),
    row("ns", "\\nano\\second", TIME, 1e-9),
    Row {
        aliases: &["\u{3bc}s", "us"],
        ..row("µs", "\\micro\\second", TIME, 1e-6)
    },
    row("ms", "\\milli\\second", TIME, 1e-3),
    row("V", "\\volt", VOLTAGE, 1.0),
    row("nV", "\\nano\\volt", VOLTAGE, 1e-9),
    Row {
        aliases: &["\u{3bc}V", "uV"],
        ..row("µV", "\\micro\\volt", VOLTAGE, 1e-6)
    },
    row("mV", "\\milli\\volt", VOLTAGE, 1e-3),
    row("kV", "\\kilo\\volt", VOLTAGE, 1e3),
    row("A", "\\ampere", CURRENT, 1.0),
    row("pA", "\\pico\\ampere", CURRENT, 1e-12),
    row("nA", "\\nano\\ampere", CURRENT, 1e-9),
    Row {
        aliases: &["\u{3bc}A", "uA"],
        ..row("µA", "\\micro\\ampere", CURRENT, 1e-6)
    },
    row("mA", "\\milli\\ampere", CURRENT, 1e-3),
    Row {
        aliases: &[
            "\u{3bc}ohm",
            "\u{3bc}\u{2126}",
            "uohm",
            "u\u{2126}",
            "µohm",
            "µ\u{2126}",
            "\u{3bc}Ω",
            "uΩ",
        ],
        ..row("µΩ", "\\micro\\ohm", RESISTANCE, 1e-6)
    },
    Row {
        aliases: &["mohm", "m\u{2126}"],
        ..row("mΩ", "\\milli\\ohm", RESISTANCE, 1e-3)
    },
    Row {
        aliases: &["kohm", "k\u{2126}"],
        ..row("kΩ", "\\kilo\\ohm", RESISTANCE, 1e3)
    },
    Row {
        aliases: &["Mohm", "M\u{2126}"],
        ..row("MΩ", "\\mega\\ohm", RESISTANCE, 1e6)
    },
    Row {
        aliases: &["Gohm", "G\u{2126}"],
        ..row("GΩ", "\\giga\\ohm", RESISTANCE, 1e9)
    },
    row("S", "\\siemens", CONDUCTANCE, 1.0),
    Row {
        aliases: &["\u{3bc}S", "uS"],
        ..row("µS", "\\micro\\siemens", CONDUCTANCE, 1e-6)
    },
    row("mS", "\\milli\\siemens", CONDUCTANCE, 1e-3),
    row("F", "\\farad", CAPACITANCE, 1.0),
    row("pF", "\\pico\\farad", CAPACITANCE, 1e-12),
    row("nF", "\\nano\\farad", CAPACITANCE, 1e-9),
    Row {
        aliases: &["\u{3bc}F", "uF"],
        ..row("µF", "\\micro\\farad", CAPACITANCE, 1e-6)
    },
    row("H", "\\henry", INDUCTANCE, 1.0),
    Row {
        aliases: &["\u{3bc}H", "uH"],
        ..row("µH", "\\micro\\henry", INDUCTANCE, 1e-6)
    },
    row("mH", "\\milli\\henry", INDUCTANCE, 1e-3),
    row("T", "\\tesla", FLUX_DENSITY, 1.0),
    Row {
        aliases: &["\u{3bc}T", "uT"],
        ..row("µT", "\\micro\\tesla", FLUX_DENSITY, 1e-6)
    },
    row("mT", "\\milli\\tesla", FLUX_DENSITY, 1e-3),
    row("W", "\\watt", POWER, 1.0),
    Row {
        aliases: &["\u{3bc}W", "uW"],
        ..row("µW", "\\micro\\watt", POWER, 1e-6)
    },
    row("mW", "\\milli\\watt", POWER, 1e-3),
    row("kW", "\\kilo\\watt", POWER, 1e3),
    row("J", "\\joule", ENERGY, 1.0),
    row("kJ", "\\kilo\\joule", ENERGY, 1e3),
    row("N", "\\newton", FORCE, 1.0),
    row("mN", "\\milli\\newton", FORCE, 1e-3),
    row("kN", "\\kilo\\newton", FORCE, 1e3),
    row("MN", "\\mega\\newton", FORCE, 1e6),
    row("Hz", "\\hertz", FREQUENCY, 1.0),
    row("mHz", "\\milli\\hertz", FREQUENCY, 1e-3),
    row("kHz", "\\kilo\\hertz", FREQUENCY, 1e3),
    row("MHz", "\\mega\\hertz", FREQUENCY, 1e6),
    row("GHz", "\\giga\\hertz", FREQUENCY, 1e9),
    row("mPa", "\\milli\\pascal", PRESSURE, 1e-3),
    row("MPa", "\\mega\\pascal", PRESSURE, 1e6),
    row("bar", "\\bar", PRESSURE, 1e5),
    row("mbar", "\\milli\\bar", PRESSURE, 100.0),
    // Pound-force (0.453 592 37 kg times 9.806 65 m/s2) on a square of 0.0254 m: NIST SP 811,
    // appendix B.8. D-SI has no name of its own for it.
    row("psi", "\\psi", PRESSURE, 6_894.757_293_168_361),
    Row {
        aliases: &["l"],
        ..row("L", "\\litre", VOLUME, 1e-3)
    },
    Row {
        aliases: &["ml"],
        ..row("mL", "\\milli\\litre", VOLUME, 1e-6)
    },
    Row {
        aliases: &["\u{3bc}L", "uL", "µl", "\u{3bc}l", "ul"],
        ..row("µL", "\\micro\\litre", VOLUME, 1e-9)
    },
    Row {
        aliases: &["l/min"],
        ..row(
            "L/min",
            "\\litre\\minute\\tothe{-1}",
            Dimension([3, 0, -1, 0, 0, 0, 0]),
            1e-3 / 60.0,
        )
    },
    row("mol", "\\mole", AMOUNT, 1.0),
    row("mmol", "\\milli\\mole", AMOUNT, 1e-3),
    row("cd", "\\candela", LUMINOUS_INTENSITY, 1.0),
    row("lm", "\\lumen", LUMINOUS_INTENSITY, 1.0),
    row("lx", "\\lux", ILLUMINANCE, 1.0),
    // Angles are numbers: the radian is 1 (SI brochure, table 4).
    row("rad", "\\radian", ONE, 1.0),
    row("mrad", "\\milli\\radian", ONE, 1e-3),
    Row {
        aliases: &["deg"],
        ..row("°", "\\degree", ONE, std::f64::consts::PI / 180.0)
    },
    // A level is no ratio; only its dimension is that of a number.
    row("dB", "\\decibel", ONE, 1.0),
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

    /// Value in coherent SI units of a difference of 1 in this unit.
    #[must_use]
    pub const fn scale(self) -> f64 {
        self.0.scale
    }

    /// Value in coherent SI units of 0 in this unit: 273.15 K for °C, 0 for most.
    #[must_use]
    pub const fn offset(self) -> f64 {
        self.0.offset
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
        assert_eq!(unit("1/K2").dsi(), "\\kelvin\\tothe{-2}");
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
            // What a file says must come back from the file.
            assert_eq!(unit(row.symbol), Unit(row));
            assert!(row.difference.parse::<Unit>().is_ok(), "{}", row.symbol);
            assert!(!row.dsi.contains(' '));
        }
    }
}
