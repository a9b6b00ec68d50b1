//! The bench file: which instrument plays which role, on which port, and who the laboratory is.

use std::collections::BTreeMap;

use heng_quantities::Text;
use serde::Deserialize;

/// Instruments of a bench, in the order in which they are opened.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bench {
    pub name: Text,
    #[serde(rename = "instrument")]
    pub instruments: Vec<Instrument>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    pub role: String,
    /// Identifier of the driver description.
    pub model: String,
    /// Serial number that the instrument must give when asked.
    pub serial: String,
    /// Path of the port, or `simulated`.
    pub port: String,
    /// Line settings such as `4800 7E1`.
    pub line: String,
    /// Number of the calibration certificate; none for a source or the unit under test.
    #[serde(default)]
    pub certificate: Option<String>,
    /// Texts that replace parameters of the driver description for this one unit: address,
    /// order of channels, start bit.
    #[serde(default)]
    pub layout: BTreeMap<String, String>,
}

/// The laboratory: who issues, and for what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    pub name: Text,
    pub address: Text,
    pub contact: String,
    /// Accreditation number, where there is one.
    #[serde(default)]
    pub code: Option<String>,
    /// Country of the laboratory, ISO 3166-1.
    pub country: String,
    /// True where nothing issued from this file may be taken for a traceable result.
    pub demonstration: bool,
    /// What its certificates say beyond the standing statements.
    #[serde(default)]
    pub statements: Vec<Text>,
}

/// Port name of an instrument that is simulated in the program.
pub const SIMULATED: &str = "simulated";
