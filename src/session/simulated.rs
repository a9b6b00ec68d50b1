//! The demonstration's bench: each instrument simulated on a pseudo-terminal of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use heng_drivers::{
    DescriptionError, Fault, FaultError, Laboratory, LineError, PlantSettings, PortSettings,
    SimulateError, SimulatedPort, SimulatorOptions, SkippingClock, description,
};

use super::bench::{Bench, Instrument};

/// Simulated instruments; they end when this is dropped.
pub struct SimulatedBench {
    ports: BTreeMap<String, PortSettings>,
    _instruments: Vec<SimulatedPort>,
}

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("--fault {text}: {cause}")]
    Fault { text: String, cause: String },
    #[error("role {role:?} of the bench: {source}")]
    Line { role: String, source: LineError },
    #[error("role {role:?} of the bench: {source}")]
    Layout {
        role: String,
        source: DescriptionError,
    },
    #[error("role {role:?} of the bench: no driver description {model:?}")]
    Model { role: String, model: String },
    #[error(transparent)]
    Simulate(#[from] SimulateError),
}

impl SimulatedBench {
    /// Starts every instrument of the bench. `faults` are written `ROLE:FAULT`.
    ///
    /// # Errors
    /// [`BenchError`] naming the role or the fault.
    pub fn start(
        bench: &Bench,
        seed: u64,
        clock: &SkippingClock,
        faults: &[String],
    ) -> Result<Self, BenchError> {
        let mut faults = sorted(bench, faults)?;
        let laboratory = Laboratory::new(PlantSettings::default(), seed, Arc::new(clock.clone()));
        let mut ports = BTreeMap::new();
        let mut instruments = Vec::new();
        for instrument in &bench.instruments {
            let Instrument {
                role,
                model,
                serial,
                line,
                ..
            } = instrument;
            let description = description(model).ok_or_else(|| BenchError::Model {
                role: role.clone(),
                model: model.clone(),
            })?;
            let description = description
                .with_layout(&instrument.layout)
                .map_err(|source| BenchError::Layout {
                    role: role.clone(),
                    source,
                })?;
            let options = SimulatorOptions {
                serial_number: Some(serial.clone()),
                faults: faults.remove(role).unwrap_or_default(),
            };
            let part = description.simulated_role();
            let port = laboratory.attach(part, &description, options)?;
            let line = line.parse().map_err(|source| BenchError::Line {
                role: role.clone(),
                source,
            })?;
            ports.insert(
                role.clone(),
                PortSettings {
                    path: port.path.clone(),
                    line,
                },
            );
            instruments.push(port);
        }
        Ok(Self {
            ports,
            _instruments: instruments,
        })
    }

    pub fn ports(&self) -> BTreeMap<String, PortSettings> {
        self.ports.clone()
    }
}

/// Faults by role.
fn sorted(bench: &Bench, faults: &[String]) -> Result<BTreeMap<String, Vec<Fault>>, BenchError> {
    let mut by_role: BTreeMap<String, Vec<Fault>> = BTreeMap::new();
    for text in faults {
        let refuse = |cause: String| BenchError::Fault {
            text: text.clone(),
            cause,
        };
        let (role, fault) = text
            .split_once(':')
            .ok_or_else(|| refuse("write ROLE:FAULT, such as mirror:drop@12".to_owned()))?;
        if !bench
            .instruments
            .iter()
            .any(|instrument| instrument.role == role)
        {
            let roles: Vec<_> = bench
                .instruments
                .iter()
                .map(|one| one.role.as_str())
                .collect();
            return Err(refuse(format!(
                "no role {role:?}; there are {}",
                roles.join(", ")
            )));
        }
        let fault = fault
            .parse()
            .map_err(|error: FaultError| refuse(error.to_string()))?;
        by_role.entry(role.to_owned()).or_default().push(fault);
    }
    Ok(by_role)
}
