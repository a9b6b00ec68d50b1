//! Decimal numbers shifted between units without a rounding step, and how factors are written.

use heng_quantities::{Decimal, Unit};

/// Celsius and kelvin differ by 273.15 exactly (BIPM SI Brochure, 9th edition, 2.3.1).
const ZERO_CELSIUS: (i64, i8) = (27315, -2);

/// A value and its difference in the SI unit that D-SI wants beside the customary one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SiForm {
    pub(crate) unit: &'static str,
    power: i8,
    celsius: bool,
}

/// The SI form of a customary unit; none for units that stand alone.
///
/// PTB's good practice gives temperature, humidity and the like as a hybrid, SI unit first.
pub(crate) fn si_form(unit: Unit) -> Option<SiForm> {
    let form = |unit, power, celsius| SiForm {
        unit,
        power,
        celsius,
    };
    match unit.symbol() {
        "°C" => Some(form("\\kelvin", 0, true)),
        "%" | "%RH" => Some(form("\\one", -2, false)),
        "hPa" => Some(form("\\pascal", 2, false)),
        "kPa" => Some(form("\\pascal", 3, false)),
        "mm" => Some(form("\\metre", -3, false)),
        _ => None,
    }
}

impl SiForm {
    /// The value in the SI unit, exactly; none where it needs over 18 digits.
    pub(crate) fn value(self, value: Decimal) -> Option<Decimal> {
        if !self.celsius {
            return self.difference(value);
        }
        let exponent = value.exponent().min(ZERO_CELSIUS.1);
        let zero = Decimal::new(ZERO_CELSIUS.0, ZERO_CELSIUS.1).steps(exponent)?;
        let digits = value.steps(exponent)?.checked_add(zero)?;
        Some(Decimal::new(digits, exponent))
    }

    /// An uncertainty or another difference in the SI unit.
    pub(crate) fn difference(self, value: Decimal) -> Option<Decimal> {
        let exponent = value.exponent().checked_add(self.power)?;
        Some(Decimal::new(value.digits(), exponent))
    }
}

/// A coverage factor with two decimal places, as every paper of a certificate shows it.
pub(crate) fn factor(k: f64) -> String {
    format!("{k:.2}")
}

/// Effective degrees of freedom, cut (not rounded) to an integer (JCGM 100:2008, G.4.1).
pub(crate) fn degrees_of_freedom(dof: Option<f64>) -> Option<String> {
    dof.filter(|dof| dof.is_finite())
        .map(|dof| format!("{:.0}", dof.floor()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customary_units_turn_into_si_units_digit_by_digit() {
        let cases = [
            ("°C", "20.1", "293.25"),
            ("°C", "-273.150", "0.000"),
            ("°C", "23", "296.15"),
            ("%RH", "50.05", "0.5005"),
            ("%RH", "-0.3", "-0.003"),
            ("hPa", "1013.25", "101325"),
            ("hPa", "1013.2", "1013.2e2"),
        ];
        for (unit, customary, si) in cases {
            let form = si_form(unit.parse().unwrap()).unwrap();
            let value = form.value(customary.parse().unwrap()).unwrap();
            let expected: Decimal = si.parse().unwrap();
            assert_eq!(value, expected, "{customary} {unit}");
        }
    }

    #[test]
    fn an_uncertainty_in_degrees_is_not_shifted_by_273() {
        let form = si_form("°C".parse().unwrap()).unwrap();
        assert_eq!(
            form.difference("0.05".parse().unwrap())
                .unwrap()
                .to_string(),
            "0.05"
        );
        assert!(si_form("K".parse().unwrap()).is_none());
    }

    #[test]
    fn degrees_of_freedom_are_cut_to_the_next_lower_integer() {
        assert_eq!(degrees_of_freedom(Some(17.9)).as_deref(), Some("17"));
        assert_eq!(degrees_of_freedom(Some(f64::INFINITY)), None);
        assert_eq!(factor(2.0), "2.00");
        assert_eq!(factor(2.869_45), "2.87");
    }
}
