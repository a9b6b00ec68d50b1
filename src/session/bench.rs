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
    /// Path of the port, `tcp:HOST:PORT`, or `simulated`. Several roles may name one port
    /// (`simulated:NAME`): their instruments are on one line.
    pub port: String,
    /// Line settings such as `4800 7E1` or `9600 8N1 xonxoff`.
    pub line: String,
    /// Serial number of the USB adapter; the port is then found wherever it is plugged in.
    #[serde(default)]
    pub adapter: Option<String>,
    /// Levels of the modem lines, where the instrument needs them.
    #[serde(default)]
    pub dtr: Option<bool>,
    #[serde(default)]
    pub rts: Option<bool>,
    /// Number of the calibration certificate; none for a source or the unit under test.
    #[serde(default)]
    pub certificate: Option<String>,
    /// Texts that replace parameters of the driver description for this one unit: address,
    /// order of channels, start bit.
    #[serde(default)]
    pub layout: BTreeMap<String, String>,
    /// Set points that this unit may be asked for, by quantity: `temperature = [5.0, 40.0]`,
    /// within the range of the model.
    #[serde(default)]
    pub limits: BTreeMap<String, [f64; 2]>,
}

impl Bench {
    /// Whether an instrument of the other bench is on one of these ports.
    pub fn shares_a_port(&self, other: &Self) -> bool {
        let same = |one: &Instrument, two: &Instrument| match (&one.adapter, &two.adapter) {
            (Some(one), Some(two)) => one == two,
            _ => one.port == two.port && !is_simulated(&one.port),
        };
        let mut instruments = self.instruments.iter();
        instruments.any(|one| other.instruments.iter().any(|two| same(one, two)))
    }
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

/// Whether the port is that of an instrument simulated in the program; instruments at
/// `simulated` are on lines of their own, those at one `simulated:NAME` share a line.
pub fn is_simulated(port: &str) -> bool {
    port == SIMULATED || port.starts_with("simulated:")
}

/// Port name of a simulated instrument on a line of its own.
pub const SIMULATED: &str = "simulated";
