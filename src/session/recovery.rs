//! After a crash: a record without a seal is taken up, its instruments are brought to their
//! safe state, and the record is sealed.
//!
//! The record is replayed into the engine, so everything that follows comes from the one path
//! that a run takes: ports are opened, whoever answers on them is a stranger until it is
//! identified, and an abort leads every source to its safe state, verified by read-back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use heng_drivers::{Adapters, Clock, SkippingClock, WallClock};
use heng_records::{Entry, Event, Interrupted, NotInterrupted, Opened, Operator, Writer};

use super::bench::Bench;
use super::engine::{Action, Engine};
use super::live::{Answers, Calendar, Ended, Live, LiveError};
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
    /// Who recovers.
    pub person: String,
    pub sink: Box<dyn FnMut(&Entry) + Send>,
}

/// What a recovery left.
pub struct Recovered {
    pub ended: Ended,
    /// Where the bytes of a torn last line are.
    pub torn: Option<PathBuf>,
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

    /// Takes the record up, leads the instruments to their safe state and seals it.
    ///
    /// # Errors
    /// [`LiveError`]; whatever was recorded before stays.
    pub async fn run(self, site: Site) -> Result<Recovered, LiveError> {
        let Site {
            clock,
            connections,
            adapters,
            person,
            sink,
        } = site;
        let ports = Ports::new(&connections, &self.engine.evidence, &clock, &adapters)?;
        let (writer, torn) = Writer::resume(&self.interrupted)?;
        let folder = self
            .interrupted
            .path
            .parent()
            .unwrap_or_else(|| Path::new(""));
        let folder = folder.to_owned();
        let mut live = Live {
            engine: self.engine,
            writer,
            clock,
            calendar: self.calendar,
            ports,
            answers: Answers {
                prepared: BTreeMap::new(),
                person: None,
            },
            person: person.clone(),
            pace: None,
            sink,
            unshown: Vec::new(),
            document: self.document,
        };
        let reason = reason(torn.as_deref(), self.interrupted.torn.len());
        let begun = begin(&mut live, self.due, person, reason).await;
        let ended = live.finish(begun, &folder, SEALED).await?;
        Ok(Recovered { ended, torn })
    }
}

const SEALED: &str =
    "aborted: the program ended without closing the record; heng recover closed it";

async fn begin(
    live: &mut Live,
    due: Vec<serde_json::Value>,
    person: String,
    reason: String,
) -> Result<(), LiveError> {
    live.append_values(due)?;
    // Nothing but the seal was missing.
    if matches!(live.engine.action(), Some(Action::Close { .. })) {
        return Ok(());
    }
    live.open_ports().await?;
    live.take(Event::Operator(Operator::Abort { person, reason }))
}

fn reason(torn: Option<&Path>, bytes: usize) -> String {
    let reason = "the program ended without closing the record";
    match torn.and_then(Path::file_name) {
        None => reason.to_owned(),
        Some(name) => format!(
            "{reason}; {bytes} bytes of a torn last line are kept in {}",
            name.to_string_lossy()
        ),
    }
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
