//! Calibration certificates of the standards, as data: corrections with their range,
//! uncertainty and drift of every channel.

use std::collections::BTreeMap;

use heng_quantities::{Text, Unit};
use serde::{Deserialize, Serialize};

use crate::diagnostics::{Diagnostic, read_toml};
use crate::order::Date;

/// Certificates by the name of the role whose instrument they belong to.
pub type Standards = BTreeMap<String, StandardCertificate>;

/// What the certificate of one standard says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardCertificate {
    pub number: String,
    pub issuer: Text,
    pub calibrated: Date,
    pub valid_until: Date,
    pub instrument: StandardInstrument,
    /// True where the certificate states metrological traceability to the SI.
    pub traceable: bool,
    pub channel: Vec<StandardChannel>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardInstrument {
    pub maker: String,
    pub model: String,
    pub serial: String,
}

/// One calibrated channel. Corrections are *added* to the indication and lie on straight
/// lines between the calibrated indications.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenChannel", into = "WrittenChannel")]
pub struct StandardChannel {
    quantity: String,
    unit: Unit,
    range: [f64; 2],
    /// Indication and correction, in rising order of indications.
    correction: Vec<[f64; 2]>,
    expanded_u: f64,
    k: f64,
    drift_half_width: f64,
    note: Option<Text>,
}

/// A channel as it stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenChannel {
    quantity: String,
    unit: Unit,
    min: f64,
    max: f64,
    correction: Vec<[f64; 2]>,
    expanded_u: f64,
    k: f64,
    #[serde(default)]
    drift_half_width: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Text>,
}

/// An indication that no correction of the certificate covers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{quantity} {indication} {unit} is outside the calibrated range {min} to {max} {unit} of the standard: \
     measure inside the range or use another standard"
)]
pub struct OutOfRange {
    pub quantity: String,
    pub indication: f64,
    pub unit: Unit,
    pub min: f64,
    pub max: f64,
}

/// What a certificate cannot answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StandardError {
    #[error(
        "certificate {number} has no channel for {quantity}: name the certificate of that sensor"
    )]
    NoChannel { number: String, quantity: String },
    #[error("certificate {number}: {source}")]
    OutOfRange {
        number: String,
        #[source]
        source: OutOfRange,
    },
}

impl StandardCertificate {
    /// Reads a certificate; `name` is the file's name for messages.
    ///
    /// # Errors
    /// What is wrong, with file, line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        read_toml(name, text)
    }

    #[must_use]
    pub fn channel(&self, quantity: &str) -> Option<&StandardChannel> {
        self.channel.iter().find(|one| one.quantity == quantity)
    }

    /// The indication with its correction added.
    ///
    /// # Errors
    /// [`StandardError`] where the certificate has no such channel or does not cover the indication.
    pub fn corrected(&self, quantity: &str, indication: f64) -> Result<f64, StandardError> {
        let channel = self
            .channel(quantity)
            .ok_or_else(|| StandardError::NoChannel {
                number: self.number.clone(),
                quantity: quantity.to_owned(),
            })?;
        channel
            .corrected(indication)
            .map_err(|source| StandardError::OutOfRange {
                number: self.number.clone(),
                source,
            })
    }
}

impl StandardChannel {
    #[must_use]
    pub fn quantity(&self) -> &str {
        &self.quantity
    }

    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Lowest and highest indication that the certificate covers.
    #[must_use]
    pub fn range(&self) -> [f64; 2] {
        self.range
    }

    /// Standard uncertainty of the correction, U/k, in the unit of a difference.
    #[must_use]
    pub fn standard_u(&self) -> f64 {
        self.expanded_u / self.k
    }

    /// Half-width of the drift since the calibration (rectangular).
    #[must_use]
    pub fn drift_half_width(&self) -> f64 {
        self.drift_half_width
    }

    #[must_use]
    pub fn note(&self) -> Option<&Text> {
        self.note.as_ref()
    }

    /// The indication with its correction added.
    ///
    /// # Errors
    /// [`OutOfRange`]: a correction is never extrapolated.
    pub fn corrected(&self, indication: f64) -> Result<f64, OutOfRange> {
        let [min, max] = self.range;
        if !(min..=max).contains(&indication) {
            return Err(OutOfRange {
                quantity: self.quantity.clone(),
                indication,
                unit: self.unit,
                min,
                max,
            });
        }
        let correction = match self.correction.as_slice() {
            [] => 0.0,
            [[_, only]] => *only,
            several => {
                // The table covers the whole range (checked when read), so a segment exists.
                let upper = several
                    .iter()
                    .position(|[at, _]| indication <= *at)
                    .unwrap_or(several.len() - 1)
                    .max(1);
                let [x0, y0] = several[upper - 1];
                let [x1, y1] = several[upper];
                y0 + (y1 - y0) * (indication - x0) / (x1 - x0)
            }
        };
        Ok(indication + correction)
    }
}

impl TryFrom<WrittenChannel> for StandardChannel {
    type Error = String;

    fn try_from(written: WrittenChannel) -> Result<Self, String> {
        let WrittenChannel {
            quantity,
            unit,
            min,
            max,
            correction,
            expanded_u,
            k,
            drift_half_width,
            note,
        } = written;
        let finite = [min, max, expanded_u, k, drift_half_width]
            .iter()
            .chain(correction.iter().flatten())
            .all(|number| number.is_finite());
        if !finite || min >= max {
            return Err(format!(
                "channel {quantity}: `min` must lie below `max` and all numbers must be finite"
            ));
        }
        if expanded_u <= 0.0 || k <= 0.0 || drift_half_width < 0.0 {
            return Err(format!(
                "channel {quantity}: `expanded_u` and `k` must be above zero and `drift_half_width` must not be negative"
            ));
        }
        if correction.windows(2).any(|pair| pair[0][0] >= pair[1][0]) {
            return Err(format!(
                "channel {quantity}: the indications of `correction` must rise from row to row"
            ));
        }
        // A single row is one constant correction; a table must reach both ends of the range.
        if let [[first, _], .., [last, _]] = correction.as_slice()
            && (*first > min || *last < max)
        {
            return Err(format!(
                "channel {quantity}: `correction` runs from {first} to {last} and does not cover `min` {min} to `max` {max}; \
                 narrow the range, corrections are not extrapolated"
            ));
        }
        Ok(Self {
            quantity,
            unit,
            range: [min, max],
            correction,
            expanded_u,
            k,
            drift_half_width,
            note,
        })
    }
}

impl From<StandardChannel> for WrittenChannel {
    fn from(channel: StandardChannel) -> Self {
        Self {
            quantity: channel.quantity,
            unit: channel.unit,
            min: channel.range[0],
            max: channel.range[1],
            correction: channel.correction,
            expanded_u: channel.expanded_u,
            k: channel.k,
            drift_half_width: channel.drift_half_width,
            note: channel.note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
number = "DEMO-0042"
issuer = { en = "Demonstration institute", zh = "演示机构" }
calibrated = "2026-02-03"
valid_until = "2027-02-02"
instrument = { maker = "MBW", model = "473", serial = "17-0042" }
traceable = false

[[channel]]
quantity = "dew_point"
unit = "°C"
min = -20.0
max = 30.0
correction = [[-20.0, 0.10], [0.0, 0.02], [30.0, -0.04]]
expanded_u = 0.06
k = 2.0
drift_half_width = 0.03
"#;

    fn parsed(text: &str) -> Result<StandardCertificate, String> {
        StandardCertificate::parse("mirror.toml", text).map_err(|all| {
            let lines: Vec<_> = all.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })
    }

    #[test]
    fn corrections_lie_on_straight_lines_between_the_calibrated_points() {
        let certificate = parsed(TEXT).unwrap();
        for (indication, expected) in [
            (-20.0, -19.90),
            (-10.0, -9.94),
            (0.0, 0.02),
            (15.0, 14.99),
            (30.0, 29.96),
        ] {
            let corrected = certificate.corrected("dew_point", indication).unwrap();
            assert!(
                (corrected - expected).abs() < 1e-12,
                "{indication}: {corrected}"
            );
        }
        let channel = certificate.channel("dew_point").unwrap();
        assert_eq!(channel.standard_u(), 0.03);
        assert_eq!(channel.drift_half_width(), 0.03);
    }

    #[test]
    fn a_correction_is_never_extrapolated() {
        let certificate = parsed(TEXT).unwrap();
        let message = certificate
            .corrected("dew_point", 30.001)
            .unwrap_err()
            .to_string();
        for part in ["DEMO-0042", "30.001", "-20 to 30 °C"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(certificate.corrected("dew_point", f64::NAN).is_err());
        assert!(matches!(
            certificate.corrected("pressure", 1.0),
            Err(StandardError::NoChannel { .. })
        ));
    }

    #[test]
    fn a_malformed_certificate_is_refused_with_place_and_cause() {
        for (from, to, cause) in [
            ("[0.0, 0.02]", "[-20.0, 0.02]", "must rise"),
            ("[30.0, -0.04]", "[25.0, -0.04]", "not extrapolated"),
            ("k = 2.0", "k = 0.0", "above zero"),
            ("max = 30.0", "max = -30.0", "below `max`"),
            ("unit = \"°C\"", "unit = \"furlong\"", "furlong"),
            ("expanded_u = 0.06", "expanded = 0.06", "expanded"),
            ("2026-02-03", "03.02.2026", "YYYY-MM-DD"),
            ("traceable = false", "", "traceable"),
        ] {
            let message = parsed(&TEXT.replace(from, to)).unwrap_err();
            assert!(message.contains(cause), "{to}: {message}");
            assert!(message.contains("mirror.toml"), "{message}");
            assert!(message.contains("line "), "{message}");
        }
    }

    #[test]
    fn a_certificate_survives_being_written_and_read() {
        let certificate = parsed(TEXT).unwrap();
        let json = serde_json::to_string(&certificate).unwrap();
        assert_eq!(
            serde_json::from_str::<StandardCertificate>(&json).unwrap(),
            certificate
        );
    }
}
