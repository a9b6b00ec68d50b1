//! The text of a driver description as a person reads it. The driver itself is
//! [`Description`]; this is only what its documentation page shows.

use std::collections::{BTreeMap, BTreeSet};

use heng_drivers::{Description, LineSettings};
use heng_quantities::Text;
use serde::{Deserialize, Serialize};

use crate::cli::{Exit, Failure};

#[derive(Debug, Deserialize, Serialize)]
pub struct Document {
    pub version: String,
    pub maker: String,
    pub model: String,
    pub kind: Text,
    pub line: LineSettings,
    pub sources: Vec<String>,
    pub request: Option<End>,
    pub reply: Option<End>,
    pub limits: Limits,
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    pub quantity: Vec<Quantity>,
    pub command: Vec<Command>,
    pub identify: Identify,
    #[serde(default)]
    pub stop_talk: Vec<String>,
    #[serde(default)]
    pub constants: Vec<String>,
    pub error_query: Option<String>,
    pub set: Option<Set>,
    pub safe_state: Option<BTreeMap<String, String>>,
    /// Steps to the safe state, where it takes more than a setting.
    #[serde(default)]
    pub safe_step: Vec<SafeStep>,
    pub protocol: Option<toml::Table>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct SafeStep {
    pub write: Option<String>,
    pub verify: String,
    pub expect: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct End {
    pub end: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Limits {
    pub first_byte_ms: u32,
    pub between_bytes_ms: u32,
    pub total_ms: u32,
    pub gap_ms: u32,
    pub retries: u32,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Quantity {
    pub name: String,
    #[serde(default)]
    pub read: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Command {
    pub name: String,
    /// Function, first register and count.
    pub modbus: Option<toml::Table>,
    #[serde(default)]
    pub send: String,
    #[serde(default)]
    pub reply: Vec<String>,
    pub first_byte_ms: Option<u32>,
    pub gap_ms: Option<u32>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Identify {
    pub commands: Vec<String>,
    pub model: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Set {
    pub read: Option<OneOrMore>,
    pub write: Vec<String>,
    pub settle_ms: u32,
    pub verify: OneOrMore,
    #[serde(default)]
    pub always: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::More(names) => names,
        }
    }
}

impl Document {
    pub fn of(description: &Description) -> Result<Self, Failure> {
        toml::from_str(description.text()).map_err(|error| {
            let message = format!("driver description {}: {error}", description.id());
            Failure::new(Exit::Input, &message)
        })
    }

    /// Marks of the sources, each once, in the order of the file.
    pub fn marks(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let marks = self
            .sources
            .iter()
            .filter_map(|source| source.split_once(':'));
        marks
            .map(|(mark, _)| mark)
            .filter(|mark| seen.insert(*mark))
            .collect()
    }

    /// A template with the values of this unit's parameters.
    pub fn filled(&self, template: &str, layout: &BTreeMap<String, String>) -> String {
        let mut text = template.to_owned();
        for (name, value) in &self.parameters {
            let value = layout.get(name).unwrap_or(value);
            text = text.replace(&format!("<{name}>"), value);
        }
        text
    }
}
