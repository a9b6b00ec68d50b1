//! What is said to an instrument and what it said back.

use heng_quantities::{Decimal, Unit};
use serde::{Deserialize, Serialize};

use crate::escape::escape;

/// One command of a description with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub command: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<(String, String)>,
}

impl Request {
    #[must_use]
    pub fn new(command: &str) -> Self {
        Self {
            command: command.to_owned(),
            args: Vec::new(),
        }
    }
}

/// The fields of a reply, in the order of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reply {
    pub values: Vec<Value>,
    pub texts: Vec<(String, String)>,
    /// What a line said that came in the place of the reply, or the silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Quality>,
}

impl Reply {
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, text)| text.as_str())
    }

    #[must_use]
    pub fn value(&self, quantity: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.quantity == quantity)
    }
}

/// What a command may do to an instrument.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Changes nothing.
    #[default]
    Read,
    /// Changes a setting that a session restores or states: unit, format, filter.
    Set,
    /// Moves the plant: set point, heater, valve, tare.
    Actuate,
    /// Changes what the instrument makes of its sensor: constants, adjustment.
    Calibrate,
}

impl Class {
    /// The word that stands in descriptions and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Set => "set",
            Self::Actuate => "actuate",
            Self::Calibrate => "calibrate",
        }
    }
}

/// One number as the instrument sent it. A set point carries the name `quantity.set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    pub quantity: String,
    /// The digits on the wire. Zero, and not a reading, where `quality` is [`Quality::NoValue`].
    pub digits: Decimal,
    pub unit: Unit,
    pub quality: Quality,
}

/// What the instrument said about its value. Only [`Quality::Valid`] is a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    Valid,
    /// The instrument says that it has not reached its steady state.
    Settling,
    /// Chemical purge, probe heating or a cycle of the mirror: no measurement.
    Purge,
    /// The measuring or control function is switched off.
    Idle,
    /// The instrument says that this value was sent before.
    Stale,
    /// Outside the range of the channel as its description states it.
    OverRange,
    /// The instrument marked the value as missing (`*****`, `---.-`, `+9.91E+37`).
    NoValue,
}

impl Quality {
    /// The word that stands in records and descriptions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Settling => "settling",
            Self::Purge => "purge",
            Self::Idle => "idle",
            Self::Stale => "stale",
            Self::OverRange => "over_range",
            Self::NoValue => "no_value",
        }
    }
}

/// Where the bytes of a reply end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    NeedMore,
    /// The reply is complete with this number of bytes.
    Complete(usize),
}

/// Time limits of one exchange, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeLimits {
    /// From the end of the request to the first byte.
    pub first_byte_us: u64,
    /// Between two bytes of one reply.
    pub between_bytes_us: u64,
    /// From the end of the request to the last byte.
    pub total_us: u64,
    /// Silence that the instrument needs before the next request.
    pub gap_us: u64,
    /// Usual time to the first byte; what a [`crate::SkippingClock`] is charged for an exchange.
    pub latency_us: u64,
}

/// Who answered. A field that the protocol does not offer is `None`: the operator binds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub model: String,
    pub serial: Option<String>,
    pub version: Option<String>,
}

/// A reply that says something else than its description allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{instrument}, command {command:?}, received \"{bytes}\": {cause}")]
pub struct DecodeError {
    pub instrument: String,
    pub command: String,
    /// Escaped as [`escape`] does.
    pub bytes: String,
    pub cause: Box<DecodeCause>,
}

impl DecodeError {
    pub(crate) fn new(instrument: &str, command: &str, bytes: &[u8], cause: DecodeCause) -> Self {
        Self {
            instrument: instrument.to_owned(),
            command: command.to_owned(),
            bytes: escape(bytes),
            cause: Box::new(cause),
        }
    }
}

/// Why a reply was refused. Places are counted in bytes of the line, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeCause {
    #[error(
        "no reply: check the cable, the line settings and that the instrument is not in a menu"
    )]
    NoReply,
    #[error("the reply breaks off before its end \"{end}\": repeat the request")]
    Truncated { end: String },
    #[error(
        "line {line}, byte {at}: expected {expected}, found \"{found}\": the line is garbled or the output format was changed on the instrument"
    )]
    Layout {
        line: usize,
        at: usize,
        expected: String,
        found: String,
    },
    #[error("line {line}: {field} is no number (\"{found}\"): {reason}")]
    Number {
        line: usize,
        field: String,
        found: String,
        reason: String,
    },
    #[error(
        "{quantity} comes in \"{found}\", the description says {expected}: set the unit on the instrument back, or describe it anew"
    )]
    UnitChanged {
        quantity: String,
        expected: Unit,
        found: String,
    },
    #[error("{field} is \"{found}\", which the description does not know: known are {known}")]
    UnknownState {
        field: String,
        found: String,
        known: String,
    },
    #[error(
        "the check characters are {found}, the bytes before them give {expected}: noise on the line, repeat the request"
    )]
    Check { expected: String, found: String },
    #[error("the frame is wrong: {reason}")]
    Frame { reason: String },
    #[error("the instrument refuses: \"{said}\" ({meaning})")]
    Refused { said: String, meaning: String },
    #[error("the echo of the request is missing: check the duplex setting of the instrument")]
    NoEcho,
    #[error(
        "bytes came although this command has no reply: the instrument talks unasked, stop and drain it"
    )]
    Unexpected,
    #[error("the request itself cannot be encoded: {0}")]
    Request(EncodeError),
}

/// A request that the description cannot express.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("{instrument} has no command {command:?}; it has {known}")]
    UnknownCommand {
        instrument: String,
        command: String,
        known: String,
    },
    #[error("{instrument}, command {command:?}: the argument {argument:?} is missing")]
    MissingArgument {
        instrument: String,
        command: String,
        argument: String,
    },
    #[error("{instrument}, command {command:?}: there is no argument {argument:?}")]
    UnknownArgument {
        instrument: String,
        command: String,
        argument: String,
    },
    #[error("{instrument}, command {command:?}, argument {argument:?}: {reason}")]
    Argument {
        instrument: String,
        command: String,
        argument: String,
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_has_one_name_everywhere() {
        for quality in [
            Quality::Valid,
            Quality::Settling,
            Quality::Purge,
            Quality::Idle,
            Quality::Stale,
            Quality::OverRange,
            Quality::NoValue,
        ] {
            assert_eq!(serde_json::to_value(quality).unwrap(), quality.name());
        }
    }
}
