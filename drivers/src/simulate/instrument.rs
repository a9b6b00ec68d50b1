//! One simulated instrument: the dialogue of its description, its memory, its sensors.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heng_quantities::Decimal;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serialport::{SerialPort, TTYPort};

use super::fault::{FaultKind, FaultSchedule};
use super::plant::{Drive, Plant, noise, normal};
use super::{Role, SimulatorOptions};
use crate::clock::Clock;
use crate::description::{Description, SimulatedLine};
use crate::template::{Field, NumberFormat};

/// How often a waiting instrument looks whether it is to stop.
const PATIENCE: Duration = Duration::from_millis(10);

pub(super) struct Instrument {
    description: Description,
    role: Role,
    plant: Arc<Mutex<Plant>>,
    clock: Arc<dyn Clock>,
    random: ChaCha8Rng,
    faults: FaultSchedule,
    /// Contents of the text fields and the set points.
    memory: BTreeMap<String, String>,
    /// Readings as they were when a freeze began.
    frozen: BTreeMap<String, Decimal>,
    /// A reply that is not due yet.
    pending: Option<(u64, Vec<u8>)>,
    pub real_time: bool,
}

impl Instrument {
    pub fn new(
        description: &Description,
        role: Role,
        options: SimulatorOptions,
        plant: Arc<Mutex<Plant>>,
        clock: Arc<dyn Clock>,
        (seed, stream): (u64, u64),
    ) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        let simulation = &description.simulation;
        let mut memory = simulation.texts.clone();
        memory.extend(
            simulation
                .set_points
                .iter()
                .map(|(name, value)| (format!("{name}.set"), value.to_string())),
        );
        memory.extend(
            options
                .serial_number
                .map(|serial| ("serial".to_owned(), serial)),
        );
        Self {
            description: description.clone(),
            role,
            plant,
            clock,
            random,
            faults: FaultSchedule::new(options.faults),
            memory,
            frozen: BTreeMap::new(),
            pending: None,
            real_time: false,
        }
    }

    /// Answers until it is stopped or its port vanishes. The program's side is held open so
    /// that a client may come and go.
    pub fn serve(&mut self, mut line: TTYPort, program_side: TTYPort, stop: &AtomicBool) {
        let mut received = Vec::new();
        let mut buffer = [0; 512];
        if line.set_timeout(PATIENCE).is_err() {
            return;
        }
        while !stop.load(Ordering::SeqCst) && !self.faults.vanished(self.clock.now_us()) {
            if let Some(bytes) = self.due()
                && line.write_all(&bytes).is_err()
            {
                break;
            }
            match line.read(&mut buffer) {
                Ok(count) => received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::TimedOut => continue,
                Err(_) => break,
            }
            // Requests end with CR, LF or both; an empty one is a bare CR that clears what
            // was half typed.
            while let Some(length) = received
                .iter()
                .position(|&byte| byte == b'\r' || byte == b'\n')
            {
                let request: Vec<u8> = received.drain(..=length).take(length).collect();
                if !request.is_empty() && !self.take(&request, &mut line) {
                    return;
                }
            }
        }
        drop(program_side);
    }

    /// Handles one request; false where the port is to vanish.
    fn take(&mut self, request: &[u8], line: &mut TTYPort) -> bool {
        let now_us = self.clock.now_us();
        let faults = self.faults.next(now_us);
        if faults.contains(&FaultKind::Vanish) {
            return false;
        }
        if !faults.contains(&FaultKind::Freeze) {
            self.frozen.clear();
        }
        let Some(mut bytes) = self.reply(request, &faults, now_us) else {
            return true;
        };
        let mut delay_us = 0;
        if self.real_time {
            delay_us = self.description.limits(&crate::Request::new("")).latency_us;
        }
        for fault in faults {
            match fault {
                FaultKind::Drop => return true,
                FaultKind::Truncate { keep } => bytes.truncate(keep),
                FaultKind::Garble { at } => {
                    let at = at.min(bytes.len().saturating_sub(1));
                    bytes
                        .iter_mut()
                        .skip(at)
                        .take(1)
                        .for_each(|byte| *byte ^= 0x40);
                }
                FaultKind::Late { us } => delay_us = us,
                _ => {}
            }
        }
        if delay_us > 0 {
            self.pending = Some((now_us + delay_us, bytes));
            return true;
        }
        line.write_all(&bytes).is_ok()
    }

    fn due(&mut self) -> Option<Vec<u8>> {
        let now_us = self.clock.now_us();
        self.pending
            .take_if(|(due_us, _)| *due_us <= now_us)
            .map(|(_, bytes)| bytes)
    }

    /// The bytes of the reply; none where the command has none or is unknown and the
    /// instrument keeps silent about it.
    fn reply(&mut self, request: &[u8], faults: &[FaultKind], now_us: u64) -> Option<Vec<u8>> {
        let description = self.description.clone();
        let Some(line) = description.understand(request) else {
            let unknown = description.simulation.unknown.as_bytes();
            return (!unknown.is_empty()).then(|| [unknown, description.reply_end()].concat());
        };
        self.store(&line, now_us);
        let bytes = description.answer(request, &line, &mut |field| {
            self.fill(field, faults, now_us)
        })?;
        (!bytes.is_empty()).then_some(bytes)
    }

    fn store(&mut self, line: &SimulatedLine<'_>, now_us: u64) {
        if line.fields.is_empty() {
            return;
        }
        for (name, text) in &line.fields {
            // A set point is kept as the number that it is, not as it was padded.
            let text = match name.strip_suffix(".set") {
                Some(_) => text
                    .parse::<Decimal>()
                    .map_or_else(|_| text.clone(), |value| value.to_string()),
                None => text.clone(),
            };
            self.memory.insert(name.clone(), text);
        }
        if matches!(self.role, Role::Chamber | Role::Source) {
            let running = &self.description.simulation.running;
            let runs = running
                .iter()
                .all(|(field, text)| self.memory.get(field) == Some(text));
            let set_point = |name: &str| {
                let text = self.memory.get(name).filter(|_| runs)?;
                text.parse::<Decimal>().ok().map(Decimal::to_f64)
            };
            let drive = Drive {
                celsius: set_point("temperature.set"),
                rh_percent: set_point("relative_humidity.set"),
            };
            self.plant().set(now_us, drive);
        }
    }

    fn fill(&mut self, field: &Field, faults: &[FaultKind], now_us: u64) -> Option<String> {
        match field {
            Field::Unit { text, .. } => {
                let changed = faults.iter().find_map(|fault| match fault {
                    FaultKind::Unit { text } => Some(text.clone()),
                    _ => None,
                });
                Some(changed.unwrap_or_else(|| text.clone()))
            }
            Field::Text { name, .. } => {
                if let Some([settling, steady]) = self.description.simulation.steady.get(name) {
                    let mut plant = self.plant.lock().unwrap_or_else(PoisonError::into_inner);
                    plant.advance(now_us);
                    return Some(if plant.steady() {
                        steady.clone()
                    } else {
                        settling.clone()
                    });
                }
                self.memory.get(name).cloned()
            }
            Field::Number { name, format } if name.strip_suffix(".set").is_some() => {
                let value = self.memory.get(name)?.parse().ok()?;
                format.write(value).ok()
            }
            Field::Number { name, format } => {
                if faults.contains(&FaultKind::NoValue) {
                    return Some(format.fill());
                }
                let value = self.reading(name, *format, faults, now_us)?;
                format.write(value).ok()
            }
        }
    }

    fn reading(
        &mut self,
        quantity: &str,
        format: NumberFormat,
        faults: &[FaultKind],
        now_us: u64,
    ) -> Option<Decimal> {
        if faults.contains(&FaultKind::OverRange) {
            let max = self
                .description
                .quantities()
                .iter()
                .find(|info| info.name == quantity)?
                .max;
            return Decimal::from_f64(max + 1.0, format.places).ok();
        }
        if let Some(frozen) = self
            .frozen
            .get(quantity)
            .filter(|_| faults.contains(&FaultKind::Freeze))
        {
            return Some(*frozen);
        }
        let sensed = {
            let mut plant = self.plant();
            plant.advance(now_us);
            plant.sensed(self.role, quantity)?
        };
        // One deviate is drawn for each reading, whatever its size: the readings of a
        // sensor are counted, not timed.
        let value = sensed + noise(self.role, quantity) * normal(&mut self.random);
        let value = Decimal::from_f64(value, format.places).ok()?;
        if faults.contains(&FaultKind::Freeze) {
            self.frozen.insert(quantity.to_owned(), value);
        }
        Some(value)
    }

    fn plant(&self) -> std::sync::MutexGuard<'_, Plant> {
        self.plant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
