//! The map of a logger's file: which column is which location, in which unit, at what time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use heng_procedures::{Effect, MappingRequest, Order, StandardCertificate, StandardChannel, Watch};
use heng_quantities::{Decimal, Unit};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Deserialize;
use toml::Spanned;

/// A map as its file states it, free of contradictions in itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Definition of the procedure by which the space is characterised.
    pub definition: String,
    #[serde(default)]
    pub file: FileFormat,
    pub time: TimeColumn,
    pub window: Window,
    /// Rows that count: text of a cell by column.
    #[serde(default)]
    pub filter: BTreeMap<String, String>,
    pub quantity: Vec<QuantityMap>,
    /// Effects that were determined apart.
    #[serde(default)]
    pub effect: Vec<Effect>,
    /// Certificates of the sensors, by a name of the map's own.
    #[serde(default)]
    pub certificate: BTreeMap<String, StandardCertificate>,
    pub order: Order,
}

/// How the logger writes its file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileFormat {
    pub separator: Separator,
    /// The decimal sign of its numbers.
    pub decimal: DecimalSign,
    /// Texts that stand where a reading is missing, beside the empty cell.
    pub missing: Vec<String>,
}

impl Default for FileFormat {
    fn default() -> Self {
        Self {
            separator: Separator::Comma,
            decimal: DecimalSign::Point,
            missing: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Separator {
    #[serde(rename = ",")]
    Comma,
    #[serde(rename = ";")]
    Semicolon,
    #[serde(rename = "\t")]
    Tab,
}

impl Separator {
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum DecimalSign {
    #[serde(rename = ".")]
    Point,
    #[serde(rename = ",")]
    Comma,
}

/// Column of the time. Its texts carry no zone of their own, so the map states one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeColumn {
    pub column: String,
    /// As `strptime` reads it: `%Y-%m-%d %H:%M:%S%.f`.
    pub format: String,
    /// Difference to UTC of the logger's clock: `+08:00`.
    pub zone: Zone,
}

/// A fixed difference to UTC. A logger's clock does not change with summer time on its own,
/// and a table of zones would not be the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(pub Offset);

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refuse = || format!("{text:?} is no difference to UTC: write it as +08:00 or -03:30");
        let (sign, rest) = match text.as_bytes().first() {
            Some(b'+') => (1, &text[1..]),
            Some(b'-') => (-1, &text[1..]),
            _ => return Err(refuse()),
        };
        let (hours, minutes) = rest.split_once(':').ok_or_else(refuse)?;
        let number = |part: &str| -> Option<i32> {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        let (hours, minutes) = number(hours).zip(number(minutes)).ok_or_else(refuse)?;
        if hours > 14 || minutes > 59 {
            return Err(refuse());
        }
        Offset::from_seconds(sign * (hours * 60 + minutes) * 60)
            .map(Self)
            .map_err(|_| refuse())
    }
}

/// Readings from `from` on and before `to` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenWindow")]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWindow {
    from: String,
    to: String,
}

impl TryFrom<WrittenWindow> for Window {
    type Error = String;

    fn try_from(written: WrittenWindow) -> Result<Self, String> {
        let moment = |text: &str| -> Result<Timestamp, String> {
            text.parse().map_err(|_| {
                format!("{text:?} is no moment: write it as 2026-11-23T13:00:00+08:00")
            })
        };
        let window = Self {
            from: moment(&written.from)?,
            to: moment(&written.to)?,
        };
        if window.from >= window.to {
            return Err(format!(
                "the window ends ({}) before it begins ({})",
                written.to, written.from
            ));
        }
        Ok(window)
    }
}

/// One quantity of the mapped space.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantityMap {
    pub quantity: String,
    pub unit: Unit,
    /// One step of the last digit of the sensors.
    pub resolution: Decimal,
    pub set_value: Option<Decimal>,
    /// Name of the location that stands for the space.
    reference: Option<Spanned<String>>,
    /// Length of one set where the logger writes its sensors in turn.
    pub set_interval_s: Option<u64>,
    /// The chamber's own display.
    pub display: Option<DisplayMap>,
    /// Column of a globe thermometer beside the reference location.
    pub globe: Option<String>,
    /// Limits to watch.
    pub watch: Option<Watch>,
    pub location: Vec<LocationMap>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisplayMap {
    pub column: String,
    pub resolution: Decimal,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationMap {
    pub column: String,
    name: Spanned<String>,
    /// Key in the map's `certificate` table.
    certificate: Option<Spanned<String>>,
}

impl LocationMap {
    pub fn name(&self) -> &str {
        self.name.get_ref()
    }
}

impl QuantityMap {
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_ref().map(|name| name.get_ref().as_str())
    }
}

/// Why a map is refused.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    #[error("{name}: {source}")]
    Syntax {
        name: String,
        #[source]
        source: Box<toml::de::Error>,
    },
    #[error("{name}, line {line}, column {column}: {message}")]
    Contradiction {
        name: String,
        line: usize,
        column: usize,
        message: String,
    },
}

impl Map {
    /// Reads a map; `name` is the file's name for messages.
    ///
    /// # Errors
    /// The first thing that is wrong, with line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, MapError> {
        let map: Self = toml::from_str(text).map_err(|source| MapError::Syntax {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        map.check().map_err(|(span, message)| {
            let before = text.get(..span.start).unwrap_or(text);
            let start = before.rfind('\n').map_or(0, |at| at + 1);
            MapError::Contradiction {
                name: name.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before[start..].chars().count() + 1,
                message,
            }
        })?;
        Ok(map)
    }

    /// What is asked of the evaluation.
    pub fn request(&self) -> MappingRequest {
        MappingRequest {
            definition: self.definition.clone(),
            effects: self.effect.clone(),
        }
    }

    /// Channel of the certificate of a location's sensor.
    pub fn sensor(
        &self,
        quantity: &QuantityMap,
        location: &LocationMap,
    ) -> Option<&StandardChannel> {
        let name = location.certificate.as_ref()?.get_ref();
        self.certificate.get(name)?.channel(&quantity.quantity)
    }

    fn check(&self) -> Result<(), (Range<usize>, String)> {
        for quantity in &self.quantity {
            let mut names = BTreeSet::new();
            for location in &quantity.location {
                if !names.insert(location.name()) {
                    let message = format!("the location {:?} stands twice", location.name());
                    return Err((location.name.span(), message));
                }
                if let Some(wanted) = &location.certificate
                    && self.sensor(quantity, location).is_none()
                {
                    let message = format!(
                        "no [certificate.{}] with a channel for {}",
                        wanted.get_ref(),
                        quantity.quantity
                    );
                    return Err((wanted.span(), message));
                }
            }
            if let Some(reference) = &quantity.reference
                && !names.contains(reference.get_ref().as_str())
            {
                let message = format!(
                    "the reference location {:?} is not among the locations",
                    reference.get_ref()
                );
                return Err((reference.span(), message));
            }
        }
        Ok(())
    }
}
