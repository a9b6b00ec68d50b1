//! The TOML of a description, as written. `mod.rs` checks it and turns it into the form
//! that runs.

use std::collections::BTreeMap;

use heng_quantities::{Text, Unit};
use serde::Deserialize;
use toml::Spanned;

use crate::checksum::Checksum;
use crate::line::LineSettings;
use crate::reply::{Class, Quality, TimeLimits};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub format: Spanned<u32>,
    pub version: String,
    pub maker: String,
    pub model: String,
    pub kind: Text,
    pub line: LineSettings,
    pub sources: Vec<String>,
    #[serde(default)]
    pub quirk: Vec<super::Quirk>,
    /// What is known of the family and left out, because no source confirms it.
    #[serde(default)]
    pub not_confirmed: Vec<String>,
    #[serde(default)]
    pub modem: super::ModemLines,
    pub protocol: Option<Protocol>,
    pub request: Option<RequestEnd>,
    pub reply: Option<ReplyEnd>,
    /// Lines that may come in the place of any reply.
    #[serde(default)]
    pub instead: Vec<Instead>,
    pub limits: Limits,
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    pub quantity: Vec<Quantity>,
    pub command: Vec<Command>,
    pub identify: Identify,
    #[serde(default)]
    pub stop_talk: Vec<Spanned<String>>,
    /// Commands whose replies say how the instrument is adjusted.
    #[serde(default)]
    pub constants: Vec<Spanned<String>>,
    /// Command that tells the last error.
    pub error_query: Option<Spanned<String>>,
    pub set: Option<Set>,
    pub safe_state: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub safe_step: Vec<SafeStep>,
    pub simulate: Simulation,
}

/// How bodies are wrapped; lines with terminators where there is none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Protocol {
    #[serde(default)]
    pub kind: ProtocolKind,
    /// Address on the bus, as a number or a parameter.
    pub address: Option<Spanned<String>>,
    /// Order of the words of 32-bit registers, or a parameter.
    pub words: Option<Spanned<String>>,
    /// What `{check}` means.
    pub check: Option<Checksum>,
    /// False where requests in Modbus ASCII carry no LRC.
    #[serde(default = "yes")]
    pub request_check: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProtocolKind {
    #[default]
    Lines,
    ModbusRtu,
    ModbusAscii,
    Cts,
    Sbi,
    Easybus,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestEnd {
    pub end: Spanned<String>,
    /// The instrument does not take commands in another case.
    #[serde(default)]
    pub exact_case: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyEnd {
    pub end: Spanned<String>,
    #[serde(default)]
    pub echo: EchoRule,
}

/// Whether the instrument sends the request back first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum EchoRule {
    Always(bool),
    Setting(EchoSetting),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EchoSetting {
    /// A setting of the unit: taken off where it is there.
    Either,
}

impl Default for EchoRule {
    fn default() -> Self {
        Self::Always(false)
    }
}

/// A line in the place of a reply: a refusal, or a reading that there is not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Instead {
    pub line: Spanned<String>,
    /// What the refusal means.
    pub refused: Option<String>,
    /// What it says about the values that did not come.
    pub quality: Option<Quality>,
}

/// A request and its reply in registers; addresses count from 0 as on the wire.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registers {
    pub function: Register,
    pub first: Option<Register>,
    pub count: Option<Register>,
    /// Object of the device identification, function 43.
    pub object: Option<u8>,
}

/// A number, or the parameter that has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Register {
    Number(u16),
    Parameter(String),
}

/// One step to the safe state: write, then ask until it is so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SafeStep {
    pub write: Option<Spanned<String>>,
    pub verify: Spanned<String>,
    pub expect: BTreeMap<String, String>,
    /// How long the plant may take.
    #[serde(default)]
    pub within_ms: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub first_byte_ms: u32,
    pub between_bytes_ms: u32,
    pub total_ms: u32,
    pub gap_ms: u32,
    pub latency_ms: u32,
    pub retries: u32,
}

impl From<&Limits> for TimeLimits {
    fn from(written: &Limits) -> Self {
        Self {
            first_byte_us: microseconds(written.first_byte_ms),
            between_bytes_us: microseconds(written.between_bytes_ms),
            total_us: microseconds(written.total_ms),
            gap_us: microseconds(written.gap_ms),
            latency_us: microseconds(written.latency_ms),
        }
    }
}

pub(super) fn microseconds(ms: u32) -> u64 {
    u64::from(ms) * 1000
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quantity {
    pub name: Spanned<String>,
    pub unit: Unit,
    pub min: f64,
    pub max: f64,
    /// Commands that read it, in their order.
    #[serde(default)]
    pub read: Vec<Spanned<String>>,
    /// Range of set points, where it can be set.
    pub set: Option<[f64; 2]>,
    /// Text fields of the reply to `[set] read` that hold the limits of the unit itself.
    pub set_limits: Option<[String; 2]>,
    /// What stands on the wire where there is no value.
    #[serde(default)]
    pub no_value: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    pub name: Spanned<String>,
    pub class: Option<Class>,
    pub modbus: Option<Registers>,
    pub send: Option<Spanned<String>>,
    /// One template a line; none where the command has no reply.
    #[serde(default)]
    pub reply: Vec<Spanned<String>>,
    /// Any number of lines may come before the one described.
    #[serde(default)]
    pub block: bool,
    /// The reply has as many lines as are described, in their order: nothing tells them apart.
    #[serde(default)]
    pub in_order: bool,
    /// Nothing is sent: the instrument talks by itself.
    #[serde(default)]
    pub listen: bool,
    /// What it means when nothing comes.
    pub silence: Option<Quality>,
    #[serde(default)]
    pub instead: Vec<Instead>,
    pub first_byte_ms: Option<u32>,
    /// Longer than that of `[limits]` where the instrument needs time to act.
    pub gap_ms: Option<u32>,
    /// Text field -> its states -> what they say about the values.
    #[serde(default)]
    pub quality: BTreeMap<String, BTreeMap<String, Quality>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identify {
    pub commands: Vec<Spanned<String>>,
    /// What the reported model must begin with.
    pub model: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    /// Read first, and every field of its reply is written back unless it is to change.
    pub read: Option<Spanned<Commands>>,
    pub write: Vec<Spanned<String>>,
    pub settle_ms: u32,
    pub verify: Spanned<Commands>,
    /// How long the instrument may take until it reads back what was set.
    #[serde(default)]
    pub within_ms: u32,
    /// Text fields that every setting writes, such as the start bit of a chamber.
    #[serde(default)]
    pub always: BTreeMap<String, String>,
}

/// One command or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Commands {
    One(String),
    Several(Vec<String>),
}

/// What the simulator needs beside the dialogue.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Simulation {
    pub role: crate::simulate::Role,
    /// Reply to an unknown command; silence where it is empty.
    #[serde(default)]
    pub unknown: String,
    /// First contents of the text fields.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// First set points.
    #[serde(default)]
    pub set_points: BTreeMap<String, heng_quantities::Decimal>,
    /// Text field that follows the plant: `[while settling, when steady]`.
    #[serde(default)]
    pub steady: BTreeMap<String, [String; 2]>,
    /// Text field and content that mean "the plant runs". None: it runs once it was set.
    #[serde(default)]
    pub running: BTreeMap<String, String>,
    /// Command without arguments -> the text fields that it changes, and their contents.
    #[serde(default)]
    pub does: BTreeMap<String, BTreeMap<String, String>>,
    /// Command without arguments -> what it makes the plant do.
    #[serde(default)]
    pub acts: BTreeMap<String, crate::simulate::Action>,
    /// Text fields that change by themselves.
    #[serde(default)]
    pub later: Vec<crate::simulate::Later>,
    /// Text fields that say whether something holds of the plant.
    #[serde(default)]
    pub marks: BTreeMap<String, crate::simulate::Marked>,
    /// How often a reading comes unasked from a unit that only talks.
    pub talks_ms: Option<u32>,
    /// Contents of text fields after a failure of the supply; `q.set` is a set point. Other
    /// fields outlast it.
    #[serde(default)]
    pub power_up: BTreeMap<String, String>,
}
