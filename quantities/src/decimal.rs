//! Decimal digits exactly as written by an instrument or a person.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A decimal number that prints back with the digits it was read with.
///
/// The value is `digits * 10^exponent`. The exponent is the resolution of the source:
/// `20.50` has exponent −2 and is not the same reading as `20.5`, although both compare
/// equal as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal {
    digits: i64,
    exponent: i8,
}

/// Why a text is not a decimal number.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecimalError {
    #[error("{0:?} is not a decimal number: write digits with an optional sign and decimal point")]
    Malformed(String),
    #[error("{0:?} has more digits than the 18 that can be kept exactly")]
    TooLong(String),
    #[error("{0} cannot be written with {1} decimal places: it is not finite or too large")]
    NotFinite(f64, u8),
}

/// The powers of ten that are binary numbers.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Decimal places kept at most; 18 digits fit an `i64` whatever they are.
const MAX_DIGITS: usize = 18;

impl Decimal {
    /// `digits * 10^exponent`.
    #[must_use]
    pub const fn new(digits: i64, exponent: i8) -> Self {
        Self { digits, exponent }
    }

    /// Rounds `value` to `places` decimal places, ties to even.
    ///
    /// # Errors
    /// [`DecimalError::NotFinite`] where the value is not finite or needs over 18 digits.
    pub fn from_f64(value: f64, places: u8) -> Result<Self, DecimalError> {
        if !value.is_finite() || value.abs() >= 1e17 || places as usize >= MAX_DIGITS {
            return Err(DecimalError::NotFinite(value, places));
        }
        // The formatting machinery of the standard library rounds the exact binary value.
        let text = format!("{value:.*}", usize::from(places));
        text.parse()
            .map_err(|_| DecimalError::NotFinite(value, places))
    }

    /// All digits as one integer, in units of [`Decimal::resolution`].
    #[must_use]
    pub const fn digits(self) -> i64 {
        self.digits
    }

    /// Power of ten of the last digit.
    #[must_use]
    pub const fn exponent(self) -> i8 {
        self.exponent
    }

    /// Value of one step of the last digit: `20.50` gives 0.01.
    #[must_use]
    pub fn resolution(self) -> f64 {
        Self::new(1, self.exponent).to_f64()
    }

    /// The binary number nearest to the decimal one.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        // Both are binary numbers without a rounding, so their quotient is rounded once.
        if self.digits.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS
            && let Ok(places) = usize::try_from(-i32::from(self.exponent))
            && let Some(power) = EXACT_POWERS.get(places)
        {
            return self.digits as f64 / power;
        }
        // Parsing is correctly rounded; multiplying by a power of ten is not.
        format!("{}e{}", self.digits, self.exponent)
            .parse()
            .unwrap_or(f64::NAN)
    }

    /// The same number counted in steps of `10^exponent`, where that is exact.
    ///
    /// Windows of readings are compared on such integers: as binary fractions, 20.3 − 20.1
    /// is not 0.2.
    #[must_use]
    pub fn steps(self, exponent: i8) -> Option<i64> {
        let shift = i32::from(self.exponent) - i32::from(exponent);
        if shift >= 0 {
            let factor = 10_i64.checked_pow(u32::try_from(shift).ok()?)?;
            self.digits.checked_mul(factor)
        } else {
            let factor = 10_i64.checked_pow(u32::try_from(-shift).ok()?)?;
            (self.digits % factor == 0).then(|| self.digits / factor)
        }
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let malformed = || DecimalError::Malformed(text.to_owned());
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, power) = match unsigned.find(['e', 'E']) {
            Some(at) => {
                let power: i32 = unsigned[at + 1..].parse().map_err(|_| malformed())?;
                (&unsigned[..at], power)
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        if whole.len() + fraction.len() == 0 || !all().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        if all().skip_while(|&b| b == b'0').count() > MAX_DIGITS {
            return Err(DecimalError::TooLong(text.to_owned()));
        }
        let magnitude = all().fold(0_i64, |sum, b| sum * 10 + i64::from(b - b'0'));
        let places = i32::try_from(fraction.len()).map_err(|_| malformed())?;
        let exponent = i8::try_from(power.saturating_sub(places)).map_err(|_| malformed())?;
        Ok(Self::new(
            if negative { -magnitude } else { magnitude },
            exponent,
        ))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.exponent > 0 {
            // Digits that the source did not send must not be invented: 2e3 is not 2000.
            return f.pad(&format!("{}e{}", self.digits, self.exponent));
        }
        let places = usize::from(self.exponent.unsigned_abs());
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = format!(
            "{:0>width$}",
            self.digits.unsigned_abs(),
            width = places + 1
        );
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let point = if places == 0 { "" } else { "." };
        f.pad(&format!("{sign}{whole}{point}{fraction}"))
    }
}

impl TryFrom<String> for Decimal {
    type Error = DecimalError;

    fn try_from(text: String) -> Result<Self, DecimalError> {
        text.parse()
    }
}

impl From<Decimal> for String {
    fn from(value: Decimal) -> Self {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_print_back_as_they_came() {
        for text in [
            "22.4971", "-10.015", "0.050", "98.4", "1013.02", "0", "-0.5", "100",
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
        assert_eq!("+07.50".parse::<Decimal>().unwrap().to_string(), "7.50");
        assert_eq!("1.0e-3".parse::<Decimal>().unwrap().to_string(), "0.0010");
    }

    #[test]
    fn resolution_is_the_last_digit() {
        let reading: Decimal = "98.40".parse().unwrap();
        assert_eq!(reading.resolution(), 0.01);
        assert_eq!(reading.steps(-2), Some(9840));
        assert_eq!(reading.steps(-1), Some(984));
        assert_eq!("98.41".parse::<Decimal>().unwrap().steps(-1), None);
    }

    #[test]
    fn sentinels_are_not_numbers() {
        for text in [
            "", "-", ".", "*****", "---.-", "1.2.3", "0x10", "1,5", "nan", "1e", "9 1",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text:?} was accepted");
        }
        let long = "1234567890123456789";
        assert!(matches!(
            long.parse::<Decimal>(),
            Err(DecimalError::TooLong(_))
        ));
    }

    proptest! {
        #[test]
        fn the_number_is_the_one_nearest_to_the_text(
            digits in proptest::prop_oneof![any::<i64>(), -99_999_i64..99_999, (1_i64 << 53) - 9..(1 << 53) + 9],
            exponent in -30_i8..9,
        ) {
            let parsed: f64 = format!("{digits}e{exponent}").parse().unwrap();
            prop_assert_eq!(Decimal::new(digits, exponent).to_f64().to_bits(), parsed.to_bits());
        }

        #[test]
        fn text_round_trip(digits in -999_999_999_i64..999_999_999, exponent in -9_i8..=0) {
            let value = Decimal::new(digits, exponent);
            // A negative zero has no digits of its own, so only its number is compared.
            prop_assert_eq!(value.to_string().parse::<Decimal>().unwrap(), value);
        }
    }
}
