//! After a crash: a record without a seal is taken up, and its session goes on, or its
//! instruments are brought to their safe state; then the record is sealed.
//!
//! The record is replayed into the engine, so everything that follows comes from the one path
//! that a run takes: ports are opened, whoever answers on them is a stranger until it is
//! identified, the point under way is set and soaked anew, and an abort leads every source to
//! its safe state, verified by read-back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use heng_drivers::{Adapters, Clock, SkippingClock, WallClock};
use heng_procedures::Procedure;
use heng_records::{
    Dropped, Entry, Event, Interrupted, NotInterrupted, Opened, Operator, Storage, Writer,
};

use super::bench::Bench;
use super::calendar::Calendar;
use super::engine::{Action, Engine};
use super::live::{Answers, Ended, Live, LiveError};
use super::ports::{Connection, Ports};
use super::replay::{self, Difference, Source};

/// A session that ended without closing its record.
pub struct Recovery {
    interrupted: Interrupted,
    engine: Engine,
    due: Vec<serde_json::Value>,
    document: Option<serde_json::Value>,
    calendar: Calendar,
    /// Time of the session at its last entry.
    last_us: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    #[error(transparent)]
    Record(#[from] NotInterrupted),
    #[error("{path}: {difference}; go and look at the source, and keep the record as it is")]
    Differs {
        path: PathBuf,
        difference: Difference,
    },
    #[error("{path} is the record of an import: there is no instrument to bring to its safe state")]
    NoInstruments { path: PathBuf },
    #[error("{path}: its first entry has the moment {moment:?}, which cannot be read: {reason}")]
    Moment {
        path: PathBuf,
        moment: String,
        reason: String,
    },
}

/// How a recovery goes on.
pub struct Site {
    pub clock: Arc<dyn Clock>,
    pub connections: BTreeMap<String, Connection>,
    pub adapters: Arc<dyn Adapters>,
    /// Who takes the session up.
    pub person: String,
    /// Lead the instruments to their safe state and close, instead of going on.
    pub close: bool,
    pub storage: Storage,
    pub answers: Answers,
    /// As in [`super::live::Session`].
    pub pace: Option<f64>,
    pub sink: Box<dyn FnMut(&Entry) + Send>,
}

impl Recovery {
    /// Reads and replays the record; nothing is changed.
    ///
    /// # Errors
    /// [`RecoveryError`] where it is sealed, altered, or not the record of a run.
    pub fn read(path: &Path) -> Result<Self, RecoveryError> {
        let interrupted = Interrupted::open(path)?;
        let walked = replay::walk_open(&interrupted.entries);
        let walked = walked.map_err(|difference| RecoveryError::Differs {
            path: path.to_owned(),
            difference,
        })?;
        let Source::Instruments(engine) = walked.source else {
            let path = path.to_owned();
            return Err(RecoveryError::NoInstruments { path });
        };
        let moment = interrupted.entries.first().map(|entry| entry.utc.clone());
        let moment = moment.unwrap_or_default();
        let calendar = Calendar::at(&moment).map_err(|error| RecoveryError::Moment {
            path: path.to_owned(),
            moment,
            reason: error.to_string(),
        })?;
        let last_us = interrupted.entries.last().map_or(0, |entry| entry.t_us);
        // Earlier formats know no entry for a clock that was moved.
        let opened = &engine.evidence.opened;
        let calendar = if opened.clock == "wall" && opened.format >= TAKEN_UP {
            calendar.watching(
                Arc::new(jiff::Timestamp::now),
                jumped_us(&interrupted.entries),
            )
        } else {
            calendar
        };
        Ok(Self {
            interrupted,
            engine: *engine,
            due: walked.due.into(),
            document: walked.document,
            calendar,
            last_us,
        })
    }

    pub fn bench(&self) -> &Bench {
        &self.engine.evidence.bench
    }

    pub fn opened(&self) -> &Opened {
        &self.engine.evidence.opened
    }

    /// Whether the record's format can hold what follows when its session goes on.
    pub fn can_go_on(&self) -> bool {
        self.opened().format >= TAKEN_UP
    }

    pub fn procedure(&self) -> &Procedure {
        &self.engine.evidence.procedure
    }

    /// The time of the session goes on with the calendar, also while nothing was running.
    pub fn wall_clock(&self) -> WallClock {
        WallClock::reading(self.calendar.elapsed_us().max(self.last_us))
    }

    /// The time of a simulated session goes on where it stopped.
    pub fn simulated_clock(&self) -> SkippingClock {
        let clock = SkippingClock::new();
        clock.spent(self.last_us);
        clock
    }

    /// Entries that the record held when it was read.
    pub fn entries(&self) -> &[Entry] {
        &self.interrupted.entries
    }

    /// Takes the record up and goes on to the end of its session, or leads the instruments to
    /// their safe state; then seals it.
    ///
    /// # Errors
    /// [`LiveError`]; whatever was recorded before stays.
    pub async fn run(self, site: Site) -> Result<Ended, LiveError> {
        let ports = Ports::new(
            &site.connections,
            &self.engine.evidence,
            &site.clock,
            &site.adapters,
        )?;
        let (writer, dropped) = Writer::resume(&self.interrupted, site.storage)?;
        let folder = self
            .interrupted
            .path
            .parent()
            .unwrap_or_else(|| Path::new(""));
        let folder = folder.to_owned();
        let mut live = Live {
            engine: self.engine,
            writer,
            clock: site.clock,
            calendar: self.calendar,
            ports,
            answers: site.answers,
            person: site.person,
            pace: site.pace,
            sink: site.sink,
            unshown: Vec::new(),
            document: self.document,
        };
        let begun = begin(&mut live, self.due, dropped, site.close).await;
        let sealed = if site.close { CLOSED } else { "aborted" };
        live.finish(begun, &folder, sealed).await
    }
}

const CLOSED: &str =
    "aborted: the program ended without closing the record; heng resume --close closed it";

const ENDED: &str = "the program ended without closing the record";

async fn begin(
    live: &mut Live,
    due: Vec<serde_json::Value>,
    dropped: Vec<Dropped>,
    close: bool,
) -> Result<(), LiveError> {
    live.append_values(due)?;
    let person = live.person.clone();
    let reason = reason(&dropped);
    // Earlier formats know no such entry: the abort says it in words.
    if live.engine.evidence.opened.format >= TAKEN_UP {
        live.take(Event::Recovered(heng_records::Recovered {
            person: person.clone(),
            reason: ENDED.to_owned(),
            dropped,
        }))?;
    }
    // Nothing but the seal was missing.
    if matches!(live.engine.action(), Some(Action::Close { .. })) {
        return Ok(());
    }
    live.open_ports().await?;
    if close {
        live.take(Event::Operator(Operator::Abort { person, reason }))?;
    }
    Ok(())
}

/// How far the machine's clock was moved so far.
fn jumped_us(entries: &[Entry]) -> i64 {
    let jumps = entries.iter().filter_map(|entry| match &entry.event {
        Event::Clock(jump) => Some(jump.jump_us),
        _ => None,
    });
    jumps.fold(0, i64::saturating_add)
}

/// First format with entries that say that a session was taken up.
const TAKEN_UP: u32 = 3;

fn reason(dropped: &[Dropped]) -> String {
    let kept = dropped.iter().map(|Dropped { file, bytes, .. }| {
        format!("; {bytes} bytes of a torn last line are kept in {file}")
    });
    ENDED.to_owned() + &kept.collect::<String>()
}

/// Whether the session of a record without a seal used one of these ports and said anything
/// on it: its source may still be running.
pub fn may_be_live(interrupted: &Interrupted, bench: &Bench) -> bool {
    let mut events = interrupted.entries.iter().map(|entry| &entry.event);
    let spoke = events.any(|event| matches!(event, Event::Exchange(_)));
    let texts = interrupted
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Text(text) if text.role == heng_records::TextRole::Bench => Some(text),
            _ => None,
        });
    let mut benches = texts.filter_map(|text| toml::from_str::<Bench>(&text.text).ok());
    spoke && benches.any(|other| other.shares_a_port(bench))
}

/// The record is being written at this moment.
pub fn is_in_use(interrupted: &Interrupted) -> bool {
    matches!(
        std::fs::File::open(&interrupted.path).map(|file| file.try_lock_shared()),
        Ok(Err(std::fs::TryLockError::WouldBlock))
    )
}
