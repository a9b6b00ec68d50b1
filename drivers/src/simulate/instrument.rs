//! One simulated instrument: the dialogue of its description, its memory, its sensors.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use heng_quantities::{Decimal, Unit, convert};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::fault::{FaultKind, FaultSchedule, Left, spoil};
use super::memory::Memory;
use super::plant::{Action, Drive, Mark, Plant, normal, unit_of};
use super::{Role, SimulateError, SimulatorOptions};
use crate::clock::Clock;
use crate::description::{Description, SimulatedLine, unit_on_wire};
use crate::number::NumberFormat;
use crate::recipe::Step;
use crate::reply::{Reply, Request};
use crate::template::Field;

/// Lines that an instrument which talks unasked sends at once at most: about what fits into
/// a receive buffer of 4 KiB. What came before is lost, as it is on a real line.
const LINES_AT_ONCE: u64 = 64;

pub(super) struct Instrument {
    description: Description,
    role: Role,
    plant: Arc<Mutex<Plant>>,
    clock: Arc<dyn Clock>,
    /// For the readings; faults have a stream of their own, so that they leave the rest of
    /// the readings as they were.
    random: ChaCha8Rng,
    fault_random: ChaCha8Rng,
    faults: FaultSchedule,
    /// Contents of the text fields and the set points.
    memory: Memory,
    /// Unit of the plant and unit on the wire.
    units: BTreeMap<String, (Unit, Unit)>,
    hooks: Vec<Hook>,
    drive: Drive,
    /// Readings as they were when a freeze began.
    frozen: BTreeMap<String, Decimal>,
    /// Replies that are not due yet.
    pending: Vec<(u64, Vec<u8>)>,
    /// The reply to the request before.
    previous: Option<Vec<u8>>,
    talk: Option<Talk>,
    /// What was sensed at the last request; what is said unasked is made of it.
    snapshot: BTreeMap<String, f64>,
    pub real_time: bool,
    /// What it heard and has not understood yet.
    received: Vec<u8>,
    /// What it said, before any fault of the line.
    said: Said,
}

/// The reply of an instrument to its last request, before any fault of the line.
pub type Said = Arc<Mutex<Option<Vec<u8>>>>;

/// Lets the instruments of one line answer until they are stopped, the port is to vanish or
/// the other side goes. The caller gives a line whose reading ends after a while without bytes.
pub(super) fn serve(
    instruments: &mut [Instrument],
    line: &mut (impl Read + Write),
    stop: &AtomicBool,
) -> Left {
    let mut buffer = [0; 512];
    while !stop.load(Ordering::SeqCst) {
        for one in &mut *instruments {
            let now_us = one.clock.now_us();
            if let Some(left) = one.faults.vanished(now_us) {
                return left;
            }
            if let Err(left) = one.send_due(now_us, line) {
                return left;
            }
        }
        let count = match line.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if patience_ended(&error) => continue,
            Err(_) => break,
        };
        for one in &mut *instruments {
            one.received.extend_from_slice(&buffer[..count]);
        }
        if let Err(left) = answer(instruments, line) {
            return left;
        }
    }
    Left::Stopped
}

/// Lets one instrument answer at the end of a pipe, for as long as the other end is there.
pub(super) async fn serve_in_memory(mut one: Instrument, mut pipe: DuplexStream) {
    let mut buffer = [0; 512];
    loop {
        let next_us = one.next_due_us();
        let clock = Arc::clone(&one.clock);
        let due = async {
            match next_us {
                Some(next_us) => clock.wait_until(next_us).await,
                None => std::future::pending().await,
            }
        };
        let count = tokio::select! {
            read = pipe.read(&mut buffer) => read.unwrap_or(0),
            () = due => usize::MAX,
        };
        let mut line = Vec::new();
        let left = match count {
            0 => return,
            usize::MAX => one.send_due(clock.now_us(), &mut line),
            count => {
                one.received.extend_from_slice(&buffer[..count]);
                answer(std::slice::from_mut(&mut one), &mut line)
            }
        };
        if left.is_err() || pipe.write_all(&line).await.is_err() {
            return;
        }
    }
}

/// Every instrument hears every byte and answers what is meant for it. One that is alone on
/// its line also answers what it does not understand, where it has an answer to that.
fn answer(instruments: &mut [Instrument], line: &mut impl Write) -> Result<(), Left> {
    let alone = instruments.len() == 1;
    for index in 0..instruments.len() {
        let one = &mut instruments[index];
        let mut answered = false;
        while let Some((start, length)) = one.description.frame_request(&one.received) {
            let request: Vec<u8> = one.received.drain(..start + length).skip(start).collect();
            if alone || one.description.understand(&request).is_some() {
                one.take(&request, line)?;
                answered = true;
            }
        }
        // The silence after a request is what the others find their place by.
        if answered && !alone {
            for one in &mut *instruments {
                one.received.clear();
            }
        }
    }
    Ok(())
}

/// A command without arguments and what it does beside answering.
struct Hook {
    request: Vec<u8>,
    does: BTreeMap<String, String>,
    action: Option<Action>,
    stops_talk: bool,
}

/// A reading line every so often.
#[derive(Debug)]
struct Talk {
    request: Vec<u8>,
    begin_us: u64,
    every_us: u64,
    sent: u64,
}

impl Instrument {
    /// # Errors
    /// [`SimulateError`] where the description asks for what the role does not have.
    pub fn new(
        description: &Description,
        role: Role,
        options: SimulatorOptions,
        plant: Arc<Mutex<Plant>>,
        clock: Arc<dyn Clock>,
        (seed, stream): (u64, u64),
    ) -> Result<Self, SimulateError> {
        let random = |stream| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(stream);
            random
        };
        let simulation = &description.simulation;
        let mut texts = simulation.texts.clone();
        texts.extend(
            simulation
                .set_points
                .iter()
                .map(|(name, value)| (format!("{name}.set"), value.to_string())),
        );
        texts.extend(
            options
                .serial_number
                .map(|serial| ("serial".to_owned(), serial)),
        );
        let now_us = clock.now_us();
        let mut instrument = Self {
            units: BTreeMap::new(),
            hooks: hooks(description)?,
            role,
            plant,
            random: random(stream),
            fault_random: random(stream + (1 << 32)),
            faults: FaultSchedule::new(options.faults),
            memory: Memory::new(texts, simulation.later.clone(), now_us),
            drive: Drive::default(),
            frozen: BTreeMap::new(),
            pending: Vec::new(),
            previous: None,
            talk: None,
            snapshot: BTreeMap::new(),
            real_time: false,
            received: Vec::new(),
            said: Said::default(),
            description: description.clone(),
            clock,
        };
        instrument.units = instrument.units(now_us)?;
        if let Some(ms) = description.simulation.talks_ms {
            instrument.talk = Some(Talk {
                request: Vec::new(),
                begin_us: now_us,
                every_us: u64::from(ms.max(1)) * 1000,
                sent: 0,
            });
        }
        instrument.look(now_us);
        Ok(instrument)
    }

    /// Unit of the plant and unit on the wire of every quantity that the role has.
    fn units(&self, now_us: u64) -> Result<BTreeMap<String, (Unit, Unit)>, SimulateError> {
        let mut units = BTreeMap::new();
        let refuse = |quantity: &str, reason: String| SimulateError::Quantity {
            model: self.description.id().to_owned(),
            quantity: quantity.to_owned(),
            role: self.role,
            reason,
        };
        for info in self.description.quantities() {
            let name = &info.name;
            if let Some(unit) = unit_of(name)
                && (self.plant().sensed(self.role, name, now_us).is_some() || info.settable)
            {
                convert(0.0, unit, info.unit).map_err(|error| refuse(name, error.to_string()))?;
                units.insert(name.clone(), (unit, info.unit));
            }
            let sensed = self.plant().sensed(self.role, name, now_us).is_some();
            let remembered = self.memory.get(&format!("{name}.set")).is_some();
            let readable = self.description.read(&[name]).is_ok();
            if readable && !remembered && !(sensed && units.contains_key(name)) {
                let reason = "no plant has it, and [simulate] set_points does not give it";
                return Err(refuse(name, reason.to_owned()));
            }
        }
        Ok(units)
    }

    /// Handles one request.
    fn take(&mut self, request: &[u8], line: &mut impl Write) -> Result<(), Left> {
        let now_us = self.clock.now_us();
        // In virtual time everything that was due came before this request, however late
        // this thread got its turn.
        self.send_due(now_us, line)?;
        self.memory.settle(now_us);
        let faults = self.faults.next(now_us);
        let vanish = faults.iter().find_map(|fault| match fault {
            FaultKind::Vanish { for_us } => Some(*for_us),
            _ => None,
        });
        if let Some(for_us) = vanish {
            return Err(Left::Vanished { for_us });
        }
        if !faults.contains(&FaultKind::Freeze) {
            self.frozen.clear();
        }
        for fault in &faults {
            self.happen(fault, now_us);
        }
        let own = if faults.contains(&FaultKind::Dip) {
            None
        } else {
            self.reply(request, &faults, now_us)
        };
        self.look(now_us);
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&own);
        let previous = match &own {
            Some(own) => self.previous.replace(own.clone()),
            None => self.previous.clone(),
        };
        let reply = if faults.contains(&FaultKind::Swap) {
            previous
        } else {
            own
        };
        let echo = self.description.echo(request);
        let latency_us = self.description.limits(&Request::new("")).latency_us;
        match spoil(&faults, &echo, reply, &mut self.fault_random) {
            None => Ok(()),
            Some((bytes, None)) if !self.real_time => send(line, &bytes),
            Some((bytes, late_us)) => {
                let due_us = now_us + late_us.unwrap_or(latency_us);
                self.pending.push((due_us, bytes));
                Ok(())
            }
        }
    }

    /// What a fault does to the instrument itself, whatever is being asked.
    fn happen(&mut self, fault: &FaultKind, now_us: u64) {
        match fault {
            FaultKind::Stranger { serial } => self.memory.set("serial", serial.clone(), now_us),
            FaultKind::Talk { us } => self.begin_talk(*us, now_us),
            FaultKind::Dip => {
                self.pending.clear();
                self.previous = None;
                self.talk = None;
                for (field, text) in self.description.simulation.power_up.clone() {
                    self.memory.set(&field, text, now_us);
                }
                self.plant().power_dip(self.role, now_us);
                self.steer(None, now_us);
            }
            _ => {}
        }
    }

    /// Sends what is due.
    fn send_due(&mut self, now_us: u64, line: &mut impl Write) -> Result<(), Left> {
        if let Some((us, begin_us)) = self.faults.begin_talk(now_us) {
            self.begin_talk(us, begin_us);
        }
        let mut due: Vec<_> = self
            .pending
            .extract_if(.., |(due_us, _)| *due_us <= now_us)
            .collect();
        due.extend(self.said_unasked(now_us));
        due.sort_by_key(|(due_us, _)| *due_us);
        due.iter().try_for_each(|(_, bytes)| send(line, bytes))
    }

    /// When something is to be said without a request.
    fn next_due_us(&self) -> Option<u64> {
        let talk = self.talk.as_ref();
        let talk = talk.map(|talk| talk.begin_us + (talk.sent + 1) * talk.every_us);
        let pending = self.pending.iter().map(|(due_us, _)| *due_us);
        pending.chain(talk).min()
    }

    /// Where the last reply stands, before any fault of the line.
    pub fn said(&self) -> Said {
        Arc::clone(&self.said)
    }

    fn begin_talk(&mut self, every_us: u64, begin_us: u64) {
        self.talk = reading_request(&self.description).map(|request| Talk {
            request,
            begin_us,
            every_us: every_us.max(1000),
            sent: 0,
        });
    }

    fn said_unasked(&mut self, now_us: u64) -> Vec<(u64, Vec<u8>)> {
        let Some(talk) = &mut self.talk else {
            return Vec::new();
        };
        let all = now_us.saturating_sub(talk.begin_us) / talk.every_us;
        let first = talk.sent.max(all.saturating_sub(LINES_AT_ONCE));
        talk.sent = all.max(talk.sent);
        let request = talk.request.clone();
        let (begin_us, every_us) = (talk.begin_us, talk.every_us);
        (first..all)
            .filter_map(|index| {
                let due_us = begin_us + (index + 1) * every_us;
                Some((due_us, self.unasked_line(&request, index)?))
            })
            .collect()
    }

    /// Line number `index` of those that nobody asked for. Its noise hangs on that number.
    fn unasked_line(&mut self, request: &[u8], index: u64) -> Option<Vec<u8>> {
        let description = self.description.clone();
        let line = match request {
            [] => description.unasked()?,
            request => description.understand(request)?,
        };
        let mut random = self.fault_random.clone();
        random.set_stream(u64::MAX / 2);
        random.set_word_pos(u128::from(index) * 4096);
        description.answer(b"", &line, &mut |field| match field {
            Field::Number { name, format, .. } if self.snapshot.contains_key(name) => {
                let sigma = self.plant().noise(self.role, name);
                let value = self.snapshot[name] + sigma * normal(&mut random);
                let digits = Decimal::from_f64(self.on_wire(name, value)?, format.places()).ok()?;
                format.write(digits).ok()
            }
            field => self.fill(field, &[], self.clock.now_us()),
        })
    }

    /// Remembers what is sensed now, where it may be said unasked.
    fn look(&mut self, now_us: u64) {
        if !self.faults.may_talk() {
            return;
        }
        let mut plant = self.plant.lock().unwrap_or_else(PoisonError::into_inner);
        for name in self.units.keys() {
            if let Some(value) = plant.sensed(self.role, name, now_us) {
                self.snapshot.insert(name.clone(), value);
            }
        }
    }

    /// The bytes of the reply; none where the command has none or is unknown and the
    /// instrument keeps silent about it.
    fn reply(&mut self, request: &[u8], faults: &[FaultKind], now_us: u64) -> Option<Vec<u8>> {
        let description = self.description.clone();
        let Some(line) = description.understand(request) else {
            let unknown = description.simulation.unknown.as_bytes();
            return (!unknown.is_empty()).then(|| description.simulated_line(unknown));
        };
        self.store(&line, now_us);
        self.follow_hooks(request, now_us);
        let bytes = description.answer(request, &line, &mut |field| {
            self.fill(field, faults, now_us)
        })?;
        (!bytes.is_empty()).then_some(bytes)
    }

    fn store(&mut self, line: &SimulatedLine<'_>, now_us: u64) {
        if line.fields.is_empty() {
            return;
        }
        let mut latest = None;
        for (name, text) in &line.fields {
            // A set point is kept as the number that it is, not as it was padded.
            let text = match name.strip_suffix(".set") {
                Some(quantity) => {
                    latest = Some(quantity);
                    text.parse::<Decimal>()
                        .map_or_else(|_| text.clone(), |value| value.to_string())
                }
                None => text.clone(),
            };
            self.memory.set(name, text, now_us);
        }
        self.steer(latest, now_us);
    }

    /// What a command without arguments does.
    fn follow_hooks(&mut self, request: &[u8], now_us: u64) {
        let Some(hook) = self
            .hooks
            .iter()
            .find(|hook| same_request(&hook.request, request))
        else {
            return;
        };
        for (field, text) in &hook.does {
            self.memory.set(field, text.clone(), now_us);
        }
        if hook.stops_talk {
            self.talk = None;
        }
        let (action, changes) = (hook.action, !hook.does.is_empty());
        if changes {
            self.steer(None, now_us);
        }
        if let Some(action) = action {
            self.plant().act(self.role, action, now_us);
        }
    }

    /// Tells the plant of set points and running state. One that says the same as before is
    /// told again only where a set point was written: it ends a venting, for example.
    fn steer(&mut self, latest: Option<&str>, now_us: u64) {
        if !self.role.drives() {
            return;
        }
        let running = &self.description.simulation.running;
        let runs = running
            .iter()
            .all(|(field, text)| self.memory.get(field) == Some(text));
        let set_point = |(name, &(plant, wire)): (&String, &(Unit, Unit))| {
            let text = self.memory.get(&format!("{name}.set"))?;
            let value = text.parse::<Decimal>().ok()?.to_f64();
            Some((name.clone(), convert(value, wire, plant).ok()?))
        };
        let drive = Drive {
            runs,
            set_points: self.units.iter().filter_map(set_point).collect(),
            latest: latest
                .map(str::to_owned)
                .or_else(|| self.drive.latest.clone()),
        };
        if latest.is_some() || drive != self.drive {
            self.plant().drive(self.role, &drive, now_us);
            self.drive = drive;
        }
    }

    fn fill(&mut self, field: &Field, faults: &[FaultKind], now_us: u64) -> Option<String> {
        match field {
            Field::Unit {
                text,
                optional: true,
                ..
            } if !self.plant().mark(self.role, Mark::Steady, now_us) => {
                Some(" ".repeat(unit_on_wire(text).len()))
            }
            Field::Unit { text, .. } => {
                let changed = faults.iter().find_map(|fault| match fault {
                    FaultKind::Unit { text } => Some(text.clone()),
                    _ => None,
                });
                Some(changed.unwrap_or_else(|| unit_on_wire(text).to_owned()))
            }
            Field::Text { name, coding } => {
                let text = self.text(name, now_us)?;
                if coding.is_binary() {
                    coding.write(&text).ok()
                } else {
                    Some(text)
                }
            }
            Field::Check(_) | Field::Block => Some(String::new()),
            Field::Number { name, format, .. } if name.strip_suffix(".set").is_some() => {
                let value = self.memory.get(name)?.parse().ok()?;
                format.write(value).ok()
            }
            Field::Number { name, format, .. } => {
                if let Some(missing) = format.missing()
                    && faults.contains(&FaultKind::NoValue)
                {
                    return Some(missing);
                }
                let value = self.reading(name, *format, faults, now_us)?;
                format.write(value).ok()
            }
        }
    }

    fn text(&self, name: &str, now_us: u64) -> Option<String> {
        let simulation = &self.description.simulation;
        let holds = |mark| self.plant().mark(self.role, mark, now_us);
        let shown = if let Some([settling, steady]) = simulation.steady.get(name) {
            Some(if holds(Mark::Steady) {
                steady
            } else {
                settling
            })
        } else if let Some(marked) = simulation.marks.get(name) {
            let text = if holds(marked.mark) {
                &marked.yes
            } else {
                &marked.no
            };
            text.as_ref()
        } else {
            None
        };
        shown.or_else(|| self.memory.get(name)).cloned()
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
            return Decimal::from_f64(max + 1.0, format.places()).ok();
        }
        if let Some(frozen) = self
            .frozen
            .get(quantity)
            .filter(|_| faults.contains(&FaultKind::Freeze))
        {
            return Some(*frozen);
        }
        let (sensed, sigma) = {
            let mut plant = self.plant();
            let sensed = plant.sensed(self.role, quantity, now_us);
            (sensed, plant.noise(self.role, quantity))
        };
        let Some(sensed) = sensed else {
            // What no plant has shows its setting.
            return self.memory.get(&format!("{quantity}.set"))?.parse().ok();
        };
        // One deviate is drawn for each reading, whatever its size: the readings of a
        // sensor are counted, not timed.
        let value = sensed + sigma * normal(&mut self.random);
        let value = Decimal::from_f64(self.on_wire(quantity, value)?, format.places()).ok()?;
        if faults.contains(&FaultKind::Freeze) {
            self.frozen.insert(quantity.to_owned(), value);
        }
        Some(value)
    }

    fn on_wire(&self, quantity: &str, value: f64) -> Option<f64> {
        let (plant, wire) = *self.units.get(quantity)?;
        convert(value, plant, wire).ok()
    }

    fn plant(&self) -> MutexGuard<'_, Plant> {
        self.plant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that the other side does not take are lost, as on a line without handshake.
fn send(line: &mut impl Write, bytes: &[u8]) -> Result<(), Left> {
    match line.write_all(bytes) {
        Err(error) if !patience_ended(&error) => Err(Left::Stopped),
        _ => Ok(()),
    }
}

fn patience_ended(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

/// The commands without arguments that do something, with their bytes.
fn hooks(description: &Description) -> Result<Vec<Hook>, SimulateError> {
    let simulation = &description.simulation;
    let mut hooks = Vec::new();
    let stops = requests(description.stop_talk());
    for request in &stops {
        hooks.push((request.command.clone(), true));
    }
    for name in simulation.does.keys().chain(simulation.acts.keys()) {
        if !hooks.iter().any(|(known, _)| known == name) {
            hooks.push((name.clone(), false));
        }
    }
    hooks
        .into_iter()
        .map(|(name, stops_talk)| {
            let request = description.encode(&Request::new(&name));
            Ok(Hook {
                request: request.map_err(|error| SimulateError::Hook {
                    model: description.id().to_owned(),
                    command: name.clone(),
                    reason: error.to_string(),
                })?,
                does: simulation.does.get(&name).cloned().unwrap_or_default(),
                action: simulation.acts.get(&name).copied(),
                stops_talk,
            })
        })
        .collect()
}

/// Every request that a recipe makes while its replies say nothing.
fn requests(mut recipe: crate::recipe::Recipe) -> Vec<Request> {
    let mut requests = Vec::new();
    let mut reply = None;
    loop {
        reply = match recipe.advance(reply) {
            Step::Send(request) => {
                requests.push(request);
                Some(Ok(Reply::default()))
            }
            Step::Wait { .. } => None,
            Step::Done(_) | Step::Failed(_) => return requests,
        };
    }
}

/// The request whose reply is a reading; what an instrument that talks unasked sends.
fn reading_request(description: &Description) -> Option<Vec<u8>> {
    let recipes = description
        .quantities()
        .iter()
        .filter_map(|info| description.read(&[&info.name]).ok());
    recipes.flat_map(requests).find_map(|request| {
        let sent = description.encode(&request).ok()?;
        let (start, length) = description.frame_request(&sent)?;
        let bytes = sent[start..start + length].to_vec();
        let line = description.understand(&bytes)?;
        let mut reads = false;
        let _reply = description.answer(&bytes, &line, &mut |field| {
            reads |=
                matches!(field, Field::Number { name, .. } if name.strip_suffix(".set").is_none());
            Some(String::new())
        });
        reads.then_some(bytes)
    })
}

fn without_end(request: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| *byte == b'\r' || *byte == b'\n';
    let kept = request.iter().rposition(|byte| !is_end(byte));
    &request[..kept.map_or(0, |last| last + 1)]
}

/// Whether two requests are one command: ends of lines and case do not count.
fn same_request(one: &[u8], other: &[u8]) -> bool {
    without_end(one).eq_ignore_ascii_case(without_end(other))
}
