//! The TOML of a description, as written. `mod.rs` checks it and turns it into the form
//! that runs.

use std::collections::BTreeMap;

use heng_quantities::{Text, Unit};
use serde::Deserialize;
use toml::Spanned;

use crate::line::LineSettings;
use crate::reply::{Quality, TimeLimits};

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
    pub request: End,
    pub reply: ReplyEnd,
    pub limits: Limits,
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    pub quantity: Vec<Quantity>,
    pub command: Vec<Command>,
    pub identify: Identify,
    #[serde(default)]
    pub stop_talk: Vec<Spanned<String>>,
    pub set: Option<Set>,
    pub safe_state: Option<BTreeMap<String, String>>,
    pub simulate: Simulation,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub end: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyEnd {
    pub end: Spanned<String>,
    #[serde(default)]
    pub echo: bool,
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    pub name: Spanned<String>,
    pub send: Spanned<String>,
    /// One template a line; none where the command has no reply.
    #[serde(default)]
    pub reply: Vec<Spanned<String>>,
    pub first_byte_ms: Option<u32>,
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
    pub read: Option<Spanned<String>>,
    pub write: Vec<Spanned<String>>,
    pub settle_ms: u32,
    pub verify: Spanned<String>,
    /// Text fields that every setting writes, such as the start bit of a chamber.
    #[serde(default)]
    pub always: BTreeMap<String, String>,
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
}
