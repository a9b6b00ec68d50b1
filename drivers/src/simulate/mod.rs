//! Simulated instruments on pseudo-terminals, with a laboratory around them.
//!
//! The dialogue of each instrument is its [`Description`] read backwards; only the physics
//! is code. A pseudo-terminal carries bytes but no parity or stop bits: Linux keeps 8N1, and
//! newer C libraries refuse anything else. A bench therefore states `8N1` for simulated
//! ports, and the frame on a real wire is proved on real wires only.

mod fault;
mod humidity;
mod instrument;
mod plant;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use serialport::{SerialPort, TTYPort};

use crate::clock::{Clock, WallClock};
use crate::description::{Description, catalogue, description};

pub use fault::{Fault, FaultError, FaultKind, Trigger};
pub use plant::PlantSettings;

use instrument::Instrument;
use plant::Plant;

/// What a simulated instrument senses or drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Dew-point mirror at the reference place.
    Mirror,
    /// Thermometer at the reference place; its further channels lie in the room.
    Thermometer,
    /// Ambient pressure.
    Barometer,
    /// The chamber itself: its own sensors, and its set points drive the plant.
    Chamber,
    /// A source of temperature only, such as a bath.
    Source,
    /// The unit under test, at its place in the chamber.
    UnitUnderTest,
}

/// What differs from one simulated unit to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimulatorOptions {
    /// Serial number that it reports; that of the description where there is none.
    pub serial_number: Option<String>,
    pub faults: Vec<Fault>,
}

#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error("there is no model {model:?}; known are {known}")]
    UnknownModel { model: String, known: String },
    #[error(
        "a pseudo-terminal cannot be made: {0}; it needs a mounted /dev/pts and free pseudo-terminals"
    )]
    Pseudoterminal(String),
    #[error("the link {path} cannot be made: {reason}; choose a path that does not exist yet")]
    Link { path: PathBuf, reason: String },
}

/// A room with a climatic chamber, into which simulated instruments are put. They share one
/// plant and one clock.
#[derive(Clone)]
pub struct Laboratory {
    plant: Arc<Mutex<Plant>>,
    clock: Arc<dyn Clock>,
    seed: u64,
    sensors: Arc<AtomicU64>,
    real_time: bool,
}

impl Laboratory {
    pub fn new(plant: PlantSettings, seed: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            plant: Arc::new(Mutex::new(Plant::new(plant, seed))),
            clock,
            seed,
            sensors: Arc::default(),
            real_time: false,
        }
    }

    /// The same laboratory with instruments that take their time to answer, for a real
    /// clock.
    #[must_use]
    pub fn in_real_time(mut self) -> Self {
        self.real_time = true;
        self
    }

    /// Puts an instrument of `description` into the laboratory, on a new pseudo-terminal.
    /// Its noise depends on the seed and on the order in which instruments are attached.
    ///
    /// # Errors
    /// [`SimulateError::Pseudoterminal`] where the system gives none.
    pub fn attach(
        &self,
        role: Role,
        description: &Description,
        options: SimulatorOptions,
    ) -> Result<SimulatedPort, SimulateError> {
        let pseudoterminal =
            |error: serialport::Error| SimulateError::Pseudoterminal(error.to_string());
        let (instrument_side, program_side) = TTYPort::pair().map_err(pseudoterminal)?;
        let path = program_side.name().unwrap_or_default();
        let stream = 1 + self.sensors.fetch_add(1, Ordering::SeqCst);
        let plant = Arc::clone(&self.plant);
        let mut instrument = Instrument::new(
            description,
            role,
            options,
            plant,
            Arc::clone(&self.clock),
            (self.seed, stream),
        );
        instrument.real_time = self.real_time;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(format!("simulated {}", description.id()))
            .spawn(move || instrument.serve(instrument_side, program_side, &stopped))
            .map_err(|error| SimulateError::Pseudoterminal(error.to_string()))?;
        Ok(SimulatedPort {
            path,
            stop,
            thread: Some(thread),
        })
    }
}

/// A simulated instrument at the other end of a serial port; it ends when this is dropped.
#[derive(Debug)]
pub struct SimulatedPort {
    /// The path to open.
    pub path: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for SimulatedPort {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A panic of the simulator has been printed; there is nothing to add.
            let _ended = thread.join();
        }
    }
}

/// Simulates one instrument in real time on a pseudo-terminal that `link` points to, until
/// `stop` is ready. The link is removed at the end.
///
/// # Errors
/// [`SimulateError`] where the model is unknown or the link cannot be made.
pub async fn serve(
    model: &str,
    link: &Path,
    seed: u64,
    stop: impl Future,
) -> Result<(), SimulateError> {
    let description = description(model).ok_or_else(|| SimulateError::UnknownModel {
        model: model.to_owned(),
        known: catalogue()
            .iter()
            .map(Description::id)
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    let laboratory =
        Laboratory::new(PlantSettings::default(), seed, Arc::new(WallClock::new())).in_real_time();
    let port = laboratory.attach(
        description.simulated_role(),
        description,
        SimulatorOptions::default(),
    )?;
    let refuse = |error: std::io::Error| SimulateError::Link {
        path: link.to_owned(),
        reason: error.to_string(),
    };
    std::os::unix::fs::symlink(&port.path, link).map_err(refuse)?;
    stop.await;
    std::fs::remove_file(link).map_err(refuse)
}
