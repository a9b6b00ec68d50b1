//! Simulated instruments on pseudo-terminals, with a laboratory around them.
//!
//! The dialogue of each instrument is its [`Description`] read backwards; only the physics
//! is code. A pseudo-terminal carries bytes but no parity or stop bits: Linux keeps 8N1, and
//! newer C libraries refuse anything else. A bench therefore states `8N1` for simulated
//! ports, and the frame on a real wire is proved on real wires only.

mod fault;
mod instrument;
mod memory;
mod plant;
mod service;
mod socket;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::DuplexStream;

use crate::clock::Clock;
use crate::description::Description;
use crate::port::{Adapters, Whereabouts};

pub use fault::{Fault, FaultError, FaultKind, Trigger};
pub(crate) use memory::{Later, Marked};
pub(crate) use plant::Action;
pub use plant::PlantSettings;
pub use service::{Outlet, Service, serve};

use fault::Left;
use instrument::Instrument;
pub use instrument::Said;
use plant::Plant;
use socket::Sockets;

/// How often a waiting instrument looks whether it is to stop.
const PATIENCE: Duration = Duration::from_millis(10);

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
    /// A source of temperature only, such as a bath or a dry well.
    Source,
    /// The unit under test, at its place in the chamber.
    UnitUnderTest,
    /// Indicator of the platinum thermometers in the source: the reference on channel 1,
    /// units under test on the further ones.
    ResistanceThermometer,
    /// Multimeter on the unit under test in the source.
    Multimeter,
    /// Controls the pressure line, on a sensor of its own.
    PressureController,
    /// Reference on the pressure line; its second channel is the air pressure.
    PressureReference,
    /// Unit under test on the pressure line.
    PressureGauge,
    Balance,
    LengthGauge,
    /// Two-pressure generator with its chamber.
    HumidityGenerator,
    /// Recorder of the climate of the room.
    Room,
}

impl Role {
    /// Whether its set points drive a plant.
    fn drives(self) -> bool {
        matches!(
            self,
            Self::Chamber | Self::Source | Self::PressureController | Self::HumidityGenerator
        )
    }
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
    #[error(
        "model {model}, quantity {quantity:?}: a simulated instrument in the role {role:?} cannot show it: {reason}"
    )]
    Quantity {
        model: String,
        quantity: String,
        role: Role,
        reason: String,
    },
    #[error(
        "model {model}: [simulate] does or acts names the command {command:?}, which cannot be sent without arguments: {reason}"
    )]
    Hook {
        model: String,
        command: String,
        reason: String,
    },
    #[error("nothing can be put there: a simulated {role:?} has no place for {quantity:?}")]
    Place { role: Role, quantity: String },
    #[error(transparent)]
    Layout(#[from] crate::description::DescriptionError),
    #[error("no listener at {address}: {reason}; choose a free address and port")]
    Listen { address: String, reason: String },
    #[error("the link {path} cannot be made: {reason}; choose a path that does not exist yet")]
    Link { path: PathBuf, reason: String },
}

/// A laboratory with one plant of each kind, into which simulated instruments are put. They
/// share the plants and one clock.
#[derive(Clone)]
pub struct Laboratory {
    plant: Arc<Mutex<Plant>>,
    clock: Arc<dyn Clock>,
    seed: u64,
    sensors: Arc<AtomicU64>,
    real_time: bool,
    sockets: Sockets,
}

impl Laboratory {
    pub fn new(plant: PlantSettings, seed: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            plant: Arc::new(Mutex::new(Plant::new(plant, seed))),
            clock,
            seed,
            sensors: Arc::default(),
            real_time: false,
            sockets: Sockets::default(),
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
    /// [`SimulateError::Pseudoterminal`] where the system gives none; [`SimulateError::Quantity`]
    /// and [`SimulateError::Hook`] where the description does not go with the role.
    pub fn attach(
        &self,
        role: Role,
        description: &Description,
        options: SimulatorOptions,
    ) -> Result<SimulatedPort, SimulateError> {
        self.attach_line(vec![(role, description.clone(), options)])
    }

    /// As [`Laboratory::attach`], with several instruments on one line, each with an address
    /// or a language of its own.
    ///
    /// # Errors
    /// As [`Laboratory::attach`].
    pub fn attach_line(
        &self,
        line: Vec<(Role, Description, SimulatorOptions)>,
    ) -> Result<SimulatedPort, SimulateError> {
        let name = line.first().map_or("", |one| one.1.id()).to_owned();
        let mut instruments = line
            .into_iter()
            .map(|(role, description, options)| self.instrument(role, &description, options))
            .collect::<Result<Vec<_>, _>>()?;
        let (socket, mut cable) = self
            .sockets
            .plug_in(&self.clock)
            .map_err(|error| SimulateError::Pseudoterminal(error.to_string()))?;
        let (path, adapter) = (cable.path.clone(), socket.adapter.clone());
        SimulatedPort::start(path, adapter, &name, move |stop| {
            while let Left::Vanished { for_us } =
                instrument::serve(&mut instruments, &mut cable.far, stop)
            {
                // First out of the list, then gone: nobody finds what is not there.
                socket.pull(for_us);
                drop(cable);
                let Some(next) = socket.wait(stop) else {
                    return;
                };
                cable = next;
            }
        })
    }

    /// As [`Laboratory::attach`], at the end of a pipe instead of a pseudo-terminal, as a task
    /// of the tokio runtime around it. With the time of that runtime paused, hours pass in
    /// moments. The second part always holds the last reply as it was before any fault.
    ///
    /// # Errors
    /// [`SimulateError::Quantity`] and [`SimulateError::Hook`] where the description does not
    /// go with the role.
    pub fn attach_in_memory(
        &self,
        role: Role,
        description: &Description,
        options: SimulatorOptions,
    ) -> Result<(DuplexStream, Said), SimulateError> {
        let instrument = self.instrument(role, description, options)?;
        let said = instrument.said();
        let (ours, theirs) = tokio::io::duplex(4096);
        tokio::spawn(instrument::serve_in_memory(instrument, theirs));
        Ok((ours, said))
    }

    fn instrument(
        &self,
        role: Role,
        description: &Description,
        options: SimulatorOptions,
    ) -> Result<Instrument, SimulateError> {
        let stream = 1 + self.sensors.fetch_add(1, Ordering::SeqCst);
        let plant = Arc::clone(&self.plant);
        let clock = Arc::clone(&self.clock);
        let mut instrument = Instrument::new(
            description,
            role,
            options,
            plant,
            clock,
            (self.seed, stream),
        )?;
        instrument.real_time = self.real_time;
        Ok(instrument)
    }

    /// The operator puts a load on the balance (`mass`, in g) or an object under a gauge
    /// (`length`, `length_2`, in mm).
    ///
    /// # Errors
    /// [`SimulateError::Place`] where the role has no such place.
    pub fn place(&self, role: Role, quantity: &str, value: f64) -> Result<(), SimulateError> {
        let mut plant = self.plant.lock().unwrap_or_else(PoisonError::into_inner);
        if plant.place(role, quantity, value, self.clock.now_us()) {
            return Ok(());
        }
        let quantity = quantity.to_owned();
        Err(SimulateError::Place { role, quantity })
    }
}

impl Adapters for Laboratory {
    fn find(&self, serial: &str) -> Option<Whereabouts> {
        self.sockets.find(serial)
    }
}

/// A simulated instrument at the other end of a serial port; it ends when this is dropped.
#[derive(Debug)]
pub struct SimulatedPort {
    /// The path to open until the port vanishes, or the address of a listener.
    pub path: String,
    /// Serial number of its adapter, by which [`Laboratory`] finds it at any time; empty for
    /// a listener.
    pub adapter: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedPort {
    fn start(
        path: String,
        adapter: String,
        name: &str,
        serve: impl FnOnce(&AtomicBool) + Send + 'static,
    ) -> Result<Self, SimulateError> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(format!("simulated {name}"))
            .spawn(move || serve(&stopped))
            .map_err(|error| SimulateError::Pseudoterminal(error.to_string()))?;
        Ok(Self {
            path,
            adapter,
            stop,
            thread: Some(thread),
        })
    }
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
