//! The one rounding of a result, at the very end.

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;

/// A value and its expanded uncertainty, written to the same last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounded {
    pub value: Decimal,
    pub uncertainty: Decimal,
}

/// Why a result cannot be rounded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "cannot round {value} with uncertainty {uncertainty}: both must be finite and the uncertainty positive"
)]
pub struct RoundingError {
    pub value: f64,
    pub uncertainty: f64,
}

/// Rounds `uncertainty` to `digits` significant digits and `value` to the same last place
/// (JCGM 100:2008, 7.2.6; ILAC-P14:09/2020, 5.4 asks for at most two digits).
///
/// Both follow the usual rule, ties to even. An uncertainty that rounds up to the next
/// power of ten keeps the number of digits: 0.0996 with two digits is 0.10.
/// An uncertainty of 100 or more is still written to whole units.
///
/// # Errors
/// [`RoundingError`] where a number is not finite or the uncertainty is not positive.
pub fn round_result(value: f64, uncertainty: f64, digits: u8) -> Result<Rounded, RoundingError> {
    let refuse = || RoundingError { value, uncertainty };
    if !(value.is_finite() && uncertainty.is_finite() && uncertainty > 0.0) {
        return Err(refuse());
    }
    let digits = i32::from(digits.max(1));
    // The leading place of the *rounded* number, read from its decimal text: a logarithm
    // would misplace numbers next to a power of ten.
    let scientific = format!(
        "{uncertainty:.*e}",
        usize::try_from(digits - 1).unwrap_or(0)
    );
    let leading: i32 = scientific
        .rsplit('e')
        .next()
        .and_then(|power| power.parse().ok())
        .ok_or_else(refuse)?;
    let places = u8::try_from((digits - 1 - leading).max(0)).map_err(|_| refuse())?;
    Ok(Rounded {
        value: Decimal::from_f64(value, places).map_err(|_| refuse())?,
        uncertainty: Decimal::from_f64(uncertainty, places).map_err(|_| refuse())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(value: f64, uncertainty: f64) -> (String, String) {
        let result = round_result(value, uncertainty, 2).unwrap();
        (result.value.to_string(), result.uncertainty.to_string())
    }

    #[test]
    fn two_digits_and_the_same_place() {
        // GUM H.1.6 in millimetres: 50.000 838 mm with U = 93 nm.
        assert_eq!(
            rounded(50.000_838, 0.000_093),
            ("50.000838".into(), "0.000093".into())
        );
        assert_eq!(rounded(-0.834, 0.0996), ("-0.83".into(), "0.10".into()));
        assert_eq!(rounded(1.0, 0.994), ("1.00".into(), "0.99".into()));
        assert_eq!(rounded(1.0, 0.996), ("1.0".into(), "1.0".into()));
        assert_eq!(rounded(1234.5, 58.0), ("1234".into(), "58".into()));
        assert_eq!(rounded(1234.5, 580.0), ("1234".into(), "580".into()));
    }

    #[test]
    fn refuses_what_is_not_a_result() {
        assert!(round_result(f64::NAN, 1.0, 2).is_err());
        assert!(round_result(1.0, 0.0, 2).is_err());
        assert!(round_result(1.0, -1.0, 2).is_err());
        assert!(round_result(1.0, f64::INFINITY, 2).is_err());
    }
}
