//! Widths as a person writes them: `0.02`, `"0.5 %"`, `"0.01 % + 0.003"`.

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A width in the unit of a value and in parts of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Amount {
    absolute: f64,
    relative: f64,
}

impl Amount {
    /// The width beside an estimate, in its unit.
    pub fn of(self, value: f64) -> f64 {
        self.absolute + self.relative * value.abs()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut amount = Self::default();
        for term in text.split('+') {
            let term = term.trim();
            let parts = [("%", 1e2), ("ppm", 1e6)];
            let relative = parts
                .into_iter()
                .find_map(|(sign, parts)| Some((term.strip_suffix(sign)?, parts)));
            match relative {
                Some((number, parts)) => {
                    amount.relative += number.trim().parse::<f64>().ok()? / parts;
                }
                None => amount.absolute += term.parse::<f64>().ok()?,
            }
        }
        Some(amount)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Amount;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "a number, or parts of the value such as \"0.5 %\" or \"20 ppm + 0.003\"",
                )
            }

            fn visit_f64<E: de::Error>(self, absolute: f64) -> Result<Amount, E> {
                Ok(Amount {
                    absolute,
                    relative: 0.0,
                })
            }

            fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Amount, E> {
                self.visit_f64(whole as f64)
            }

            fn visit_u64<E: de::Error>(self, whole: u64) -> Result<Amount, E> {
                self.visit_f64(whole as f64)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                Amount::parse(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn parts_of_the_value_and_of_the_unit_add() {
        let of = |text: &str| Amount::parse(text).map(|amount| amount.of(-200.0));
        assert_eq!(of("0.5 %"), Some(1.0));
        assert_eq!(of("0.5%+0.25"), Some(1.25));
        assert_eq!(of("0.25 + 5000 ppm"), Some(1.25));
        for wrong in ["", "%", "1 + ", "0,5 %", "5 mm", "1e-3 % % "] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }
}
