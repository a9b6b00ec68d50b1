//! Numbers that may be infinite, in formats that have no infinity: a number, `"inf"` or
//! `"-inf"`. Use as `#[serde(with = "heng_uncertainty::serde_inf")]`.

use serde::{Deserialize, Deserializer, Serializer, de};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

/// Writes a number, an infinite one as text.
///
/// # Errors
/// Those of the format; a NaN is refused, it is never a result.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_nan() {
        return Err(serde::ser::Error::custom(
            "NaN cannot be written: it is not a result",
        ));
    }
    if value.is_infinite() {
        return serializer.serialize_str(if *value > 0.0 { "inf" } else { "-inf" });
    }
    serializer.serialize_f64(*value)
}

/// Reads a number or the text of an infinite one.
///
/// # Errors
/// Those of the format, and any text other than `inf` and `-inf`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Number(value) => Ok(value),
        Written::Text(text) => match text.as_str() {
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            _ => Err(de::Error::custom(format!(
                "{text:?} is neither a number nor \"inf\" nor \"-inf\""
            ))),
        },
    }
}
