//! Values of arguments as a person writes them.
//!
//! ```text
//! value = number [ "(" digits ")" ] [ unit ] [ ( "±" | "+-" ) number [ unit ] [ ":" law ] ]
//! law   = "k=" number | "rect" | "tri" | "arcsine"
//! ```
//!
//! `20.00(2)` and `20.00±0.02` state a standard uncertainty, `20±0.05:k=2` an expanded one,
//! and with a law's name the number after ± is the half-width of that law. Without a unit a
//! value is in the unit of its argument, and a width in the unit of its value. A unit behind the
//! width alone would leave that of the value to be guessed and is refused, unless it is that of
//! the argument.

use heng_quantities::{Unit, UnitExpression};
use heng_uncertainty::Input;

/// A value in the unit of its argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    pub value: f64,
    pub spread: Option<Spread>,
}

/// What is known of the deviation from the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub width: f64,
    pub law: Law,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    Standard,
    Expanded { k: f64 },
    Rectangular,
    Triangular,
    Arcsine,
}

/// Degrees Fahrenheit are read but never reported: the table of units does not hold them.
const FAHRENHEIT: [&str; 3] = ["°F", "degF", "ºF"];

impl Amount {
    /// Reads a value for an argument in `unit`.
    pub fn parse(text: &str, unit: Unit) -> Result<Self, String> {
        let (stated, law) = match text.rsplit_once(':') {
            Some((stated, law)) => (stated, Some(law.trim())),
            None => (text, None),
        };
        let parts = stated.split_once('±').or_else(|| stated.split_once("+-"));
        let (value, width) = match parts {
            Some((value, width)) => (value, Some(width)),
            None => (stated, None),
        };
        let value = Number::read(value)?;
        let width = width.map(Number::read).transpose()?;
        let amount = Self {
            value: value.in_unit(unit)?,
            spread: spread(&value, width.as_ref(), law, unit)?,
        };
        let numbers = [amount.value, amount.spread.map_or(0.0, |one| one.width)];
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(amount)
        } else {
            Err("is too large for a number".to_owned())
        }
    }

    /// The input of the model.
    pub fn input(self, symbol: &str) -> Input {
        let value = self.value;
        let Some(Spread { width, law }) = self.spread.filter(|spread| spread.width > 0.0) else {
            return Input::constant(symbol, value);
        };
        match law {
            Law::Standard => Input::normal(symbol, value, width),
            Law::Expanded { k } => Input::certificate(symbol, value, width, k),
            Law::Rectangular => Input::rectangular(symbol, value, width),
            Law::Triangular => Input::triangular(symbol, value, width),
            Law::Arcsine => Input::u_shaped(symbol, value, width),
        }
    }
}

fn spread(
    value: &Number<'_>,
    width: Option<&Number<'_>>,
    law: Option<&str>,
    unit: Unit,
) -> Result<Option<Spread>, String> {
    let law = match law {
        None => Law::Standard,
        Some("rect") => Law::Rectangular,
        Some("tri") => Law::Triangular,
        Some("arcsine") => Law::Arcsine,
        Some(text) => Law::Expanded {
            k: coverage_factor(text)?,
        },
    };
    let width = match (width, value.last_digits, law) {
        (Some(_), Some(_), _) => {
            return Err("states its uncertainty twice: keep ± or the parentheses".to_owned());
        }
        (None, None, Law::Standard) => return Ok(None),
        (None, None, _) => {
            return Err("names a law without a width: write VALUE±WIDTH:LAW".to_owned());
        }
        (None, Some(width), _) => scaled(width, value.unit, unit)?,
        (Some(width), None, _) => {
            if width.last_digits.is_some() {
                return Err("has parentheses after ±: write the width as a number".to_owned());
            }
            if width.value < 0.0 {
                return Err(format!(
                    "has the negative uncertainty {}: write it without its sign",
                    width.value
                ));
            }
            let own = if width.unit.is_empty() {
                value.unit
            } else if !value.unit.is_empty() || unit_of(width.unit, unit)?.is_none() {
                width.unit
            } else {
                return Err(format!(
                    "has its unit behind the uncertainty alone: write it behind the value too, or \
                     both in {unit}"
                ));
            };
            scaled(width.value, own, unit)?
        }
    };
    Ok(Some(Spread { width, law }))
}

fn coverage_factor(text: &str) -> Result<f64, String> {
    let k = text.strip_prefix("k=").and_then(|k| k.trim().parse().ok());
    let k = k.filter(|k: &f64| k.is_finite() && *k > 0.0);
    k.ok_or_else(|| {
        format!("has the law {text:?}: write k=2 (with a number above 0), rect, tri or arcsine")
    })
}

/// A number with what stands behind it.
struct Number<'a> {
    value: f64,
    /// Standard uncertainty in the last digits, `20.00(2)`.
    last_digits: Option<f64>,
    unit: &'a str,
}

impl<'a> Number<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let text = text.trim();
        let no_number = || format!("{text:?} is not a number: write digits with a decimal point");
        let signed = text.strip_prefix(['-', '+', '−']).unwrap_or(text);
        let is_mantissa = |c: char| c.is_ascii_digit() || c == '.';
        let digits = &signed[..signed.find(|c| !is_mantissa(c)).unwrap_or(signed.len())];
        let mut rest = &signed[digits.len()..];
        let mut in_parentheses = None;
        if let Some(open) = rest.strip_prefix('(') {
            let (inside, after) = open.split_once(')').ok_or_else(no_number)?;
            if inside.is_empty() || !inside.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!(
                    "has ({inside}) behind its digits: write the uncertainty of the last digits, as in 20.00(2)"
                ));
            }
            (in_parentheses, rest) = (Some(inside), after);
        }
        let (exponent, unit) = exponent(rest);
        let sign = if signed.len() < text.len() && !text.starts_with('+') {
            "-"
        } else {
            ""
        };
        let value: f64 = format!("{sign}{digits}e{exponent}")
            .parse()
            .map_err(|_| no_number())?;
        let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
        let last_digits = in_parentheses.map(|inside| {
            let places = i64::try_from(places).unwrap_or(i64::MAX);
            let exponent: i64 = exponent.parse().unwrap_or(0);
            let text = format!("{inside}e{}", exponent.saturating_sub(places));
            text.parse().unwrap_or(f64::INFINITY)
        });
        Ok(Self {
            value,
            last_digits,
            unit: unit.trim(),
        })
    }

    /// The value in the unit of an argument, with the zeros of both scales.
    fn in_unit(&self, to: Unit) -> Result<f64, String> {
        if FAHRENHEIT.contains(&self.unit) {
            let celsius = Number {
                value: (self.value - 32.0) / 1.8,
                last_digits: None,
                unit: "°C",
            };
            return celsius.in_unit(to);
        }
        let Some(from) = unit_of(self.unit, to)? else {
            return Ok(self.value);
        };
        let target = UnitExpression::from(to);
        let si = self.value * from.scale() + from.offset();
        Ok((si - target.offset()) / target.scale())
    }
}

/// `e-3` in front of a unit; a power of ten has digits, so that `eV` is none.
fn exponent(text: &str) -> (&str, &str) {
    let Some(after) = text.strip_prefix(['e', 'E']) else {
        return ("0", text);
    };
    let digits = after.strip_prefix(['-', '+']).unwrap_or(after);
    let count = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    if count == 0 {
        return ("0", text);
    }
    after.split_at(after.len() - digits.len() + count)
}

/// A difference in a unit, in that of an argument.
fn scaled(width: f64, unit: &str, to: Unit) -> Result<f64, String> {
    if FAHRENHEIT.contains(&unit) {
        return scaled(width / 1.8, "K", to);
    }
    let from = unit_of(unit, to)?;
    let to = UnitExpression::from(to);
    Ok(from.map_or(width, |from| width * from.scale() / to.scale()))
}

/// None where the unit is that of the argument, so that no digit is lost.
fn unit_of(text: &str, to: Unit) -> Result<Option<UnitExpression>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if FAHRENHEIT.contains(&text) {
        return unit_of("K", to);
    }
    if text.starts_with(',') {
        return Err("has a comma in its digits: write a decimal point".to_owned());
    }
    let unit: UnitExpression = text
        .parse()
        .map_err(|error| format!("is not read: {error}"))?;
    if unit.dimension() != to.dimension() {
        return Err(format!(
            "is in {text}, which is no unit of the argument's dimension: write a unit that goes over into {to}"
        ));
    }
    let target = UnitExpression::from(to);
    let same = unit.scale() == target.scale() && unit.offset() == target.offset();
    Ok((!same).then_some(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> Unit {
        text.parse().unwrap()
    }

    fn read(text: &str, to: &str) -> (f64, Option<f64>) {
        let amount = Amount::parse(text, unit(to)).unwrap();
        (amount.value, amount.spread.map(|spread| spread.width))
    }

    #[test]
    fn values_units_and_widths_are_read() {
        let near = |found: (f64, Option<f64>), value: f64, width: Option<f64>| {
            assert!((found.0 - value).abs() <= 1e-12 * value.abs(), "{found:?}");
            let same = |(a, b): (f64, f64)| (a - b).abs() <= 1e-12 * b;
            assert_eq!(found.1.is_some(), width.is_some(), "{found:?}");
            assert!(found.1.zip(width).is_none_or(same), "{found:?}");
        };
        near(read("20.00degC", "°C"), 20.0, None);
        near(read("293.15 K", "°C"), 20.0, None);
        near(read("68 °F", "°C"), 20.0, None);
        near(read("68°F±1.8", "°C"), 20.0, Some(1.0));
        near(read("1013.25hPa", "Pa"), 101_325.0, None);
        near(read("1013.25hPa±0.10 hPa", "Pa"), 101_325.0, Some(10.0));
        near(read("20±0.1 °C", "°C"), 20.0, Some(0.1));
        near(read("20.00(2)", "°C"), 20.0, Some(0.02));
        near(read("20.00(12) °C", "°C"), 20.0, Some(0.12));
        near(read("1.234(5)e3", "Pa"), 1234.0, Some(5.0));
        near(read("-20.5°C+-20mK", "°C"), -20.5, Some(0.02));
        near(read("20±0.05:k=2", "°C"), 20.0, Some(0.05));
    }

    #[test]
    fn laws_give_their_inputs() {
        let input = |text: &str| Amount::parse(text, unit("°C")).unwrap().input("t");
        assert_eq!(
            input("20±0.05:k=2"),
            Input::certificate("t", 20.0, 0.05, 2.0)
        );
        assert_eq!(input("20±0.1:rect"), Input::rectangular("t", 20.0, 0.1));
        assert_eq!(input("20±0.1:tri"), Input::triangular("t", 20.0, 0.1));
        assert_eq!(input("20±0.1:arcsine"), Input::u_shaped("t", 20.0, 0.1));
        assert_eq!(input("20±0"), Input::constant("t", 20.0));
    }

    #[test]
    fn what_is_no_value_is_refused_with_its_cure() {
        for (text, cause) in [
            ("", "not a number"),
            ("NaN", "not a number"),
            ("inf", "not a number"),
            ("1e999", "too large"),
            ("warm", "not a number"),
            ("1.2.3", "not a number"),
            ("20,5", "decimal point"),
            ("20 Pa", "no unit of the argument's dimension"),
            ("20 furlong", "furlong"),
            ("20±-0.1", "without its sign"),
            ("20±", "not a number"),
            ("20(2)±0.1", "twice"),
            ("20±0.1(2)", "parentheses"),
            ("20(-2)", "last digits"),
            ("20:rect", "without a width"),
            ("20±0.1:flat", "rect, tri or arcsine"),
            ("20±0.1:k=0", "above 0"),
            ("20±0.1Pa", "dimension"),
            ("68±0.1K", "behind the value too"),
            ("68±0.1°F", "behind the value too"),
        ] {
            let message = Amount::parse(text, unit("°C")).unwrap_err();
            assert!(message.contains(cause), "{text}: {message}");
        }
    }
}
