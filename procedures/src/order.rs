//! What the customer asked for and what was agreed before measuring.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use heng_quantities::{Language, Text, Unit};
use heng_uncertainty::{DecisionRule, Library};
use serde::{Deserialize, Serialize};

use crate::diagnostics::{Diagnostic, read_toml};

/// One calibration order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub number: String,
    pub operator: String,
    /// Day on which the item was received.
    pub received: Date,
    pub customer: Customer,
    pub item: Item,
    /// Where the calibration is carried out; none for the laboratory's own premises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Text>,
    /// Chosen option by the id of the procedure's choice; what is absent takes the default.
    #[serde(default)]
    pub choices: BTreeMap<String, String>,
    /// Languages of the certificate, the first one first.
    #[serde(default = "both_languages")]
    pub languages: Vec<Language>,
    /// Limits of the error by measurand; none where no statement of conformity is asked for.
    #[serde(default)]
    pub limit: Vec<Limit>,
    /// Rule agreed with the customer before measuring (ISO/IEC 17025:2017, 7.1.3);
    /// where it is absent the measurand's default rule holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionRule>,
    /// Formulas that the laboratory uses outside of the ranges of their sources, and standards
    /// outside of those of their certificates. A result that needs one without such a
    /// statement is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond_range: Vec<BeyondRange>,
}

/// The laboratory's statement that it uses something outside of the range for which it is
/// stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenBeyondRange", into = "WrittenBeyondRange")]
pub struct BeyondRange {
    pub of: RangeOf,
    /// Why it holds there; printed on the certificate.
    pub reason: Text,
    /// Who answers for it.
    pub person: String,
}

/// What has a range that an order can go beyond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeOf {
    /// Name of the formula itself, not the generic one under which a model calls it.
    Formula(String),
    /// A channel of a standard, by the number of its certificate: a new calibration needs a
    /// new statement.
    Standard { number: String, quantity: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBeyondRange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    formula: Option<String>,
    /// Number of a standard's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quantity: Option<String>,
    reason: Text,
    person: String,
}

impl From<BeyondRange> for WrittenBeyondRange {
    fn from(statement: BeyondRange) -> Self {
        let BeyondRange { of, reason, person } = statement;
        let (formula, certificate, quantity) = match of {
            RangeOf::Formula(formula) => (Some(formula), None, None),
            RangeOf::Standard { number, quantity } => (None, Some(number), Some(quantity)),
        };
        Self {
            formula,
            certificate,
            quantity,
            reason,
            person,
        }
    }
}

impl TryFrom<WrittenBeyondRange> for BeyondRange {
    type Error = String;

    fn try_from(written: WrittenBeyondRange) -> Result<Self, String> {
        let WrittenBeyondRange {
            formula,
            certificate,
            quantity,
            reason,
            person,
        } = written;
        let (of, name) = match (formula, certificate, quantity) {
            (Some(formula), None, None) => (RangeOf::Formula(formula.clone()), formula),
            (None, Some(number), Some(quantity)) => {
                let name = format!("certificate {number}, {quantity}");
                (RangeOf::Standard { number, quantity }, name)
            }
            _ => {
                return Err(
                    "beyond_range: state either `formula`, or `certificate` and `quantity` of a standard"
                        .to_owned(),
                );
            }
        };
        if let RangeOf::Formula(formula) = &of
            && Library::shipped().get(formula).is_none()
        {
            return Err(format!(
                "beyond_range: there is no formula {formula:?}; `heng formula --list` lists them"
            ));
        }
        if [&reason.en, &reason.zh, &person]
            .iter()
            .any(|text| text.trim().is_empty())
        {
            return Err(format!(
                "beyond_range of {name}: state the reason in both languages and the person who \
                 answers for it"
            ));
        }
        Ok(Self { of, reason, person })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    pub name: Text,
    pub address: Text,
    #[serde(default)]
    pub contact: String,
}

/// The item under calibration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub name: Text,
    pub manufacturer: String,
    pub model: String,
    pub serial: String,
    pub condition: Text,
}

/// Permissible error of one measurand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenLimit")]
pub struct Limit {
    pub measurand: String,
    pub low: f64,
    pub high: f64,
    /// Unit of a difference: K, %RH.
    pub unit: Unit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimit {
    measurand: String,
    low: f64,
    high: f64,
    unit: Unit,
}

impl TryFrom<WrittenLimit> for Limit {
    type Error = String;

    fn try_from(written: WrittenLimit) -> Result<Self, String> {
        let WrittenLimit {
            measurand,
            low,
            high,
            unit,
        } = written;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(format!(
                "limit of {measurand}: `low` ({low}) must lie below `high` ({high})"
            ));
        }
        if unit.difference() != unit {
            return Err(format!(
                "limit of {measurand}: an error is a difference, so its unit is {} and not {unit}",
                unit.difference()
            ));
        }
        Ok(Self {
            measurand,
            low,
            high,
            unit,
        })
    }
}

fn both_languages() -> Vec<Language> {
    vec![Language::En, Language::Zh]
}

impl Order {
    /// Reads an order; `name` is the file's name for messages.
    ///
    /// # Errors
    /// What is wrong, with file, line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        read_toml(name, text)
    }

    /// The statement by which a formula may be used outside of its range.
    #[must_use]
    pub fn beyond_range_of(&self, formula: &str) -> Option<&BeyondRange> {
        let is_of =
            |one: &&BeyondRange| matches!(&one.of, RangeOf::Formula(name) if name == formula);
        self.beyond_range.iter().find(is_of)
    }

    /// The statement by which readings beyond the range of a standard's channel may be used.
    #[must_use]
    pub fn beyond_certificate(&self, number: &str, quantity: &str) -> Option<&BeyondRange> {
        let is_of = |one: &&BeyondRange| {
            let RangeOf::Standard {
                number: of,
                quantity: its,
            } = &one.of
            else {
                return false;
            };
            of == number && its == quantity
        };
        self.beyond_range.iter().find(is_of)
    }

    /// Limits of the error of `measurand`, where the order has them.
    #[must_use]
    pub fn limit_of(&self, measurand: &str) -> Option<&Limit> {
        self.limit.iter().find(|limit| limit.measurand == measurand)
    }
}

/// A calendar day, written `YYYY-MM-DD` (ISO 8601). Days compare in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no calendar day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a calendar day: write it as YYYY-MM-DD")]
pub struct DateError(String);

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let refuse = || DateError(text.to_owned());
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shape {
            return Err(refuse());
        }
        let year: u16 = text[..4].parse().map_err(|_| refuse())?;
        let month: u8 = text[5..7].parse().map_err(|_| refuse())?;
        let day: u8 = text[8..].parse().map_err(|_| refuse())?;
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            _ => return Err(refuse()),
        };
        if day == 0 || day > days {
            return Err(refuse());
        }
        Ok(Self { year, month, day })
    }
}

impl Date {
    /// Days from `other` to this day.
    #[must_use]
    pub fn days_since(self, other: Self) -> f64 {
        f64::from(self.ordinal() - other.ordinal())
    }

    /// Days since 1 March of the year 0: a year that begins in March ends with its leap day.
    fn ordinal(self) -> i32 {
        let after_february = (i32::from(self.month) + 9) % 12;
        let year = i32::from(self.year) - i32::from(self.month <= 2);
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        365 * year + leap_days + (153 * after_february + 2) / 5 + i32::from(self.day) - 1
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
number = "2026-0117"
operator = "Wang Min"
received = "2026-11-20"
choices = { vapour_pressure = "hardy-1998" }
languages = ["zh", "en"]

[customer]
name = { en = "Demonstration customer", zh = "演示客户" }
address = { en = "1 Example Road", zh = "示例路1号" }

[item]
name = { en = "Thermo-hygrometer", zh = "数字温湿度计" }
manufacturer = "Vaisala"
model = "HMT330"
serial = "D1340003"
condition = { en = "undamaged", zh = "完好" }

[[limit]]
measurand = "humidity"
low = -5.0
high = 5.0
unit = "%RH"

[decision]
kind = "guarded"
guard_fraction = 1.0
"#;

    fn parsed(text: &str) -> Result<Order, String> {
        Order::parse("order.toml", text).map_err(|all| {
            let lines: Vec<_> = all.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })
    }

    #[test]
    fn an_order_says_who_what_and_by_which_rule() {
        let order = parsed(TEXT).unwrap();
        assert_eq!(order.languages, [Language::Zh, Language::En]);
        assert_eq!(order.limit_of("humidity").unwrap().high, 5.0);
        assert_eq!(order.limit_of("temperature"), None);
        assert_eq!(
            order.decision,
            Some(DecisionRule::Guarded {
                guard_fraction: 1.0
            })
        );
        let json = serde_json::to_string(&order).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order);
    }

    #[test]
    fn a_malformed_order_is_refused_with_place_and_cause() {
        for (from, to, cause) in [
            ("low = -5.0", "low = 5.0", "below `high`"),
            ("unit = \"%RH\"", "unit = \"°C\"", "its unit is K"),
            ("operator", "operater", "operater"),
            ("2026-11-20", "2026-02-30", "calendar day"),
            ("\"zh\", \"en\"", "\"fr\"", "fr"),
            ("kind = \"guarded\"", "kind = \"lenient\"", "lenient"),
            ("number = ", "number ", "="),
        ] {
            let message = parsed(&TEXT.replace(from, to)).unwrap_err();
            assert!(message.contains(cause), "{to}: {message}");
            assert!(message.contains("order.toml"), "{message}");
            assert!(message.contains("line "), "{message}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for text in ["2024-02-29", "2000-02-29", "2026-12-31"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-01",
            "26-01-011",
            "2026-04-31",
            "",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!("2026-02-03".parse::<Date>().unwrap() < "2026-11-02".parse().unwrap());
    }

    #[test]
    fn days_between_are_counted_through_leap_years() {
        for (from, to, days) in [
            ("2026-03-02", "2026-03-02", 0.0),
            ("2024-02-28", "2024-03-01", 2.0),
            ("2023-02-28", "2023-03-01", 1.0),
            ("2023-12-31", "2024-12-31", 366.0),
            // Julian days 2451544.5 and 2415020.5.
            ("1900-01-01", "2000-01-01", 36_524.0),
            ("2000-01-01", "1999-12-31", -1.0),
        ] {
            let [first, last] = [from, to].map(|text| text.parse::<Date>().unwrap());
            assert_eq!(last.days_since(first), days, "{from} {to}");
        }
    }
}
