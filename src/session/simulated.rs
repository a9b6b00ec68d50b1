//! The demonstration's bench: each instrument simulated on a pseudo-terminal of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use heng_drivers::{
    Adapters, Description, DescriptionError, Fault, FaultError, Laboratory, PlantSettings,
    PortSettings, Role, SimulateError, SimulatedPort, SimulatorOptions, SkippingClock, description,
};

use super::bench::{Bench, Instrument, SIMULATED};
use super::ports::{self, Connection, PortsError};

/// Simulated instruments; they end when this is dropped.
pub struct SimulatedBench {
    connections: BTreeMap<String, Connection>,
    laboratory: Laboratory,
    _instruments: Vec<SimulatedPort>,
}

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("--fault {text}: {cause}")]
    Fault { text: String, cause: String },
    #[error(transparent)]
    Ports(#[from] PortsError),
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
        let mut lines: Vec<(&str, Vec<&Instrument>)> = Vec::new();
        for instrument in &bench.instruments {
            let port = instrument.port.as_str();
            let shared = lines
                .iter_mut()
                .find(|(name, _)| port != SIMULATED && *name == port);
            match shared {
                Some((_, roles)) => roles.push(instrument),
                None => lines.push((port, vec![instrument])),
            }
        }
        let mut connections = BTreeMap::new();
        let mut instruments = Vec::new();
        for (name, roles) in lines {
            let attached = roles
                .iter()
                .map(|one| simulation(one, faults.remove(&one.role).unwrap_or_default()))
                .collect::<Result<_, _>>()?;
            let port = laboratory.attach_line(attached)?;
            for one in roles {
                let mut settings = PortSettings::new(&port.path, ports::line(one)?);
                settings.adapter = Some(port.adapter.clone());
                let name = name.to_owned();
                connections.insert(one.role.clone(), Connection { settings, name });
            }
            instruments.push(port);
        }
        Ok(Self {
            connections,
            laboratory,
            _instruments: instruments,
        })
    }

    pub fn connections(&self) -> BTreeMap<String, Connection> {
        self.connections.clone()
    }

    /// Knows where each simulated instrument is plugged in.
    pub fn adapters(&self) -> Arc<dyn Adapters> {
        Arc::new(self.laboratory.clone())
    }
}

fn simulation(
    instrument: &Instrument,
    faults: Vec<Fault>,
) -> Result<(Role, Description, SimulatorOptions), BenchError> {
    let role = || instrument.role.clone();
    let description = description(&instrument.model).ok_or_else(|| BenchError::Model {
        role: role(),
        model: instrument.model.clone(),
    })?;
    let description = description
        .with_layout(&instrument.layout)
        .map_err(|source| BenchError::Layout {
            role: role(),
            source,
        })?;
    let options = SimulatorOptions {
        serial_number: Some(instrument.serial.clone()),
        faults,
    };
    Ok((description.simulated_role(), description, options))
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
