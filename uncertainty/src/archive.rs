//! Files in which uncertain numbers travel from one certificate to the next.
//!
//! An archive is one JSON object in the canonical form of RFC 8785:
//!
//! | member | holds |
//! |---|---|
//! | `format` | `heng-uncertain-numbers` |
//! | `version` | 1; a version once written is read for ever |
//! | `elements` | by id: `quantity` (symbol, value, u, dof, distribution), `ensemble`, `correlations` by id |
//! | `numbers` | by name: `value`, `unit`, `components` by id of the element |
//! | `sha256` | digest of the canonical form of all other members, in lower-case hexadecimal |
//!
//! White space and the order of members do not matter when it is read. Degrees of freedom
//! that are infinite stand as `"inf"`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::input::in_order;
use crate::uncertain::{Element, Elements, UncertainError, UncertainNumber, merged};

const FORMAT: &str = "heng-uncertain-numbers";
const VERSION: u64 = 1;

/// Named uncertain numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Archive {
    elements: Elements,
    numbers: BTreeMap<String, UncertainNumber>,
}

/// Why an archive cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A number of that name is in the archive already.
    #[error("the archive has a number {name:?} already; give the new one another name")]
    Repeated {
        /// Name of the number.
        name: String,
    },
    /// The text is not JSON, or its members are not those of an archive.
    #[error("this is no archive of uncertain numbers: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The member `format` does not name an archive of uncertain numbers.
    #[error("this is no archive of uncertain numbers: its format is {found}, not {FORMAT:?}")]
    Format {
        /// The member as JSON, or `missing`.
        found: String,
    },
    /// The member `version` is not one that this program reads.
    #[error(
        "the archive has version {found}; this program reads version {VERSION}: read it with a \
         newer program, or ask for an archive of version {VERSION}"
    )]
    Version {
        /// The member as JSON, or `missing`.
        found: String,
    },
    /// The member `sha256` is not the digest of the other members.
    #[error(
        "the archive was altered after it was written: its content has the SHA-256 {computed}, \
         but it states {stated}; ask for the original"
    )]
    Digest {
        /// The member as JSON, or `missing`.
        stated: String,
        /// Digest of the content that was read, in lower-case hexadecimal.
        computed: String,
    },
    /// A number is not possible, or its elementary inputs contradict those of the archive.
    #[error("the number {name:?} of the archive: {reason}")]
    Number {
        /// Name of the number.
        name: String,
        /// What is wrong with it.
        reason: UncertainError,
    },
    /// An elementary input that was read is not possible, or contradicts another one.
    #[error("the elementary inputs of the archive: {0}")]
    Elements(UncertainError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    elements: BTreeMap<String, Element>,
    format: String,
    numbers: BTreeMap<String, Number>,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    components: BTreeMap<String, f64>,
    unit: Option<String>,
    value: f64,
}

impl Archive {
    /// Adds a number.
    ///
    /// # Errors
    /// [`ArchiveError`]: the name stands already, or an elementary input of the number
    /// contradicts one of the archive.
    pub fn insert(&mut self, name: &str, number: UncertainNumber) -> Result<(), ArchiveError> {
        let name = name.to_owned();
        if self.numbers.contains_key(&name) {
            return Err(ArchiveError::Repeated { name });
        }
        self.elements = match merged([&self.elements, number.elements()]) {
            Ok(elements) => elements,
            Err(reason) => return Err(ArchiveError::Number { name, reason }),
        };
        self.numbers.insert(name, number);
        Ok(())
    }

    /// The number of that name; none where the archive has no such name.
    pub fn get(&self, name: &str) -> Option<&UncertainNumber> {
        self.numbers.get(name)
    }

    /// Names and numbers, ordered by name.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, &UncertainNumber)> {
        self.numbers
            .iter()
            .map(|(name, number)| (name.as_str(), number))
    }

    /// The archive as text: equal archives give equal bytes.
    ///
    /// # Errors
    /// [`ArchiveError::NotJson`], for which no way is known.
    pub fn to_json(&self) -> Result<String, ArchiveError> {
        let number = |number: &UncertainNumber| Number {
            components: number.components().clone(),
            unit: number.unit().map(str::to_owned),
            value: number.value(),
        };
        let numbers = self.numbers.iter();
        let elements = self.elements.iter();
        let mut value = serde_json::to_value(Content {
            elements: elements
                .map(|(id, element)| (id.clone(), Element::clone(element)))
                .collect(),
            format: FORMAT.to_owned(),
            numbers: numbers
                .map(|(name, held)| (name.clone(), number(held)))
                .collect(),
            version: VERSION,
        })?;
        let digest = sha256_hex(&canonical(&value));
        value["sha256"] = Value::String(digest);
        Ok(canonical(&value))
    }

    /// Reads the text of an archive; everything in it is checked.
    ///
    /// # Errors
    /// [`ArchiveError`]: no archive, a version that is not known, a digest that does not fit
    /// its content, or numbers and elementary inputs that are not possible.
    pub fn from_json(text: &str) -> Result<Self, ArchiveError> {
        let mut members: Map<String, Value> = serde_json::from_str(text)?;
        let written = |value: Option<&Value>| value.map_or("missing".to_owned(), Value::to_string);
        let format = members.get("format");
        if format.and_then(Value::as_str) != Some(FORMAT) {
            let found = written(format);
            return Err(ArchiveError::Format { found });
        }
        let version = members.get("version");
        if version.and_then(Value::as_u64) != Some(VERSION) {
            let found = written(version);
            return Err(ArchiveError::Version { found });
        }
        let stated = members.remove("sha256");
        let value = Value::Object(members);
        let computed = sha256_hex(&canonical(&value));
        if stated.as_ref().and_then(Value::as_str) != Some(&computed) {
            let stated = written(stated.as_ref());
            return Err(ArchiveError::Digest { stated, computed });
        }
        Self::from_content(serde_json::from_value(value)?)
    }

    fn from_content(content: Content) -> Result<Self, ArchiveError> {
        let mut elements = Elements::new();
        for (id, element) in content.elements {
            let quantity = &element.quantity;
            in_order(
                std::slice::from_ref(&quantity.symbol),
                std::slice::from_ref(quantity),
            )
            .map_err(|reason| ArchiveError::Elements(reason.into()))?;
            elements.insert(id, Arc::new(element));
        }
        let elements = merged([&elements]).map_err(ArchiveError::Elements)?;
        let mut numbers = BTreeMap::new();
        for (name, number) in content.numbers {
            let Number {
                components,
                unit,
                value,
            } = number;
            match UncertainNumber::assemble(&name, value, unit, components, &elements) {
                Ok(number) => numbers.insert(name, number),
                Err(reason) => return Err(ArchiveError::Number { name, reason }),
            };
        }
        Ok(Self { elements, numbers })
    }
}

fn sha256_hex(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The canonical form of RFC 8785. It does not depend on how a JSON library orders members
/// or writes numbers, both of which have changed in the past.
fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => out.push_str(&canonical_number(number.as_f64().unwrap_or(0.0))),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // Members are ordered by UTF-16 code units (RFC 8785, 3.2.3).
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (at, (name, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_canonical(&Value::String(name.clone()), out);
                out.push(':');
                write_canonical(member, out);
            }
            out.push('}');
        }
        // Literals, and strings, which serde_json escapes as RFC 8785, 3.2.2.2, asks.
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

/// The shortest digits that give the number back, laid out as ECMAScript does (RFC 8785,
/// 3.2.2.3).
fn canonical_number(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let shortest = shortest_digits(number.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits = mantissa.replace('.', "");
    let point = exponent.parse().unwrap_or(0) + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |many: i32| "0".repeat(usize::try_from(many).unwrap_or(0));
    let body = if (count..=21).contains(&point) {
        format!("{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        format!("{whole}.{fraction}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        format!("{mantissa}e{:+}", point - 1)
    };
    format!("{sign}{body}")
}

/// The shortest digits as `1.25e-3`. Where two are equally near, ECMAScript takes the even
/// last digit and the standard library does not promise which.
fn shortest_digits(number: f64) -> String {
    let shortest = format!("{number:e}");
    let mantissa = shortest.split('e').next().unwrap_or("");
    let decimals = mantissa.len().saturating_sub(2);
    let nearest = format!("{number:.decimals$e}");
    // At a power of two the nearest digits may belong to the number below.
    if nearest.parse() == Ok(number) {
        nearest
    } else {
        shortest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_form_of_rfc_8785() {
        // RFC 8785, appendix B.
        for (bits, text) in [
            (0x0000000000000000, "0"),
            (0x8000000000000000, "0"),
            (0x0000000000000001, "5e-324"),
            (0x8000000000000001, "-5e-324"),
            (0x7fefffffffffffff, "1.7976931348623157e+308"),
            (0x4340000000000000, "9007199254740992"),
            (0xc340000000000000, "-9007199254740992"),
            (0x4430000000000000, "295147905179352830000"),
            (0x44b52d02c7e14af5, "9.999999999999997e+22"),
            (0x44b52d02c7e14af6, "1e+23"),
            (0x44b52d02c7e14af7, "1.0000000000000001e+23"),
            (0x444b1ae4d6e2ef4e, "999999999999999700000"),
            (0x444b1ae4d6e2ef4f, "999999999999999900000"),
            (0x444b1ae4d6e2ef50, "1e+21"),
            (0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"),
            (0x3eb0c6f7a0b5ed8d, "0.000001"),
            (0x41b3de4355555553, "333333333.3333332"),
            (0x41b3de4355555554, "333333333.33333325"),
            (0x41b3de4355555555, "333333333.3333333"),
            (0x41b3de4355555556, "333333333.3333334"),
            (0x41b3de4355555557, "333333333.33333343"),
            (0xbecbf647612f3696, "-0.0000033333333333333333"),
            (0x43143ff3c1cb0959, "1424953923781206.2"),
        ] {
            assert_eq!(canonical_number(f64::from_bits(bits)), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn numbers_come_back_bit_for_bit(number in proptest::num::f64::NORMAL) {
            let text = canonical_number(number);
            proptest::prop_assert_eq!(text.parse(), Ok(number));
            let read: f64 = serde_json::from_str(&text).unwrap();
            proptest::prop_assert_eq!(read, number);
        }
    }

    #[test]
    fn values_have_the_form_of_rfc_8785() {
        // RFC 8785, 3.2.2 and 3.2.3.
        let value: Value = serde_json::from_str(
            r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                "literals": [null, true, false]}"#,
        )
        .unwrap();
        let expected = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(&value), expected);
        let names = [
            "\u{20ac}",
            "\r",
            "\u{fb33}",
            "1",
            "\u{1f600}",
            "\u{80}",
            "\u{f6}",
        ];
        let object: Map<String, Value> = names
            .iter()
            .map(|name| ((*name).to_owned(), Value::Null))
            .collect();
        let text = canonical(&Value::Object(object));
        let places = [
            "\\r",
            "1",
            "\u{80}",
            "\u{f6}",
            "\u{20ac}",
            "\u{1f600}",
            "\u{fb33}",
        ]
        .map(|name| text.find(&format!("\"{name}\"")).unwrap());
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn the_digest_is_that_of_fips_180_4() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex("abc"), hex);
    }
}
