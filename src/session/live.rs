//! A live session: the one place where ports, clock, operator and record meet.
//!
//! Order is everything here. An exchange is appended to the record before it is decoded; a
//! derived value is appended before anything acts on it; the screen is shown only what was
//! synced and read back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heng_drivers::{Adapters, Class, Clock, ExchangeOutcome, escape};
use heng_records::{
    Entry, Event, Opened, Operator, Storage, TextUsed, WriteError, Writer, sha256_hex,
};
use tokio::sync::mpsc::UnboundedReceiver;

use super::calendar::Calendar;
use super::engine::{Action, Engine, EngineError};
use super::evidence::{Evidence, EvidenceError};
use super::ports::{Connection, Ports, PortsError};
use crate::analyse::artefact::{self, ArtefactError};
use crate::tui::ToSession;

/// The machine's files, with the name of whoever writes; `witness` is a folder for a second
/// copy of the checkpoints.
pub fn storage(person: &str, witness: Option<PathBuf>) -> Storage {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let (process, since) = (std::process::id(), jiff::Zoned::now());
    let since = since.strftime("%Y-%m-%dT%H:%M:%S%:z");
    let holder = format!(
        "{person}, process {process} on {}, since {since}",
        host.trim()
    );
    Storage {
        witness,
        holder,
        ..Storage::default()
    }
}

/// Who answers the questions.
pub struct Answers {
    /// Prepared answers by prompt, recorded as such.
    pub prepared: BTreeMap<String, String>,
    /// The person at the terminal, where there is one.
    pub person: Option<UnboundedReceiver<ToSession>>,
}

pub struct Session {
    pub opened: Opened,
    pub texts: Vec<TextUsed>,
    pub folder: PathBuf,
    /// How the record in it is kept.
    pub storage: Storage,
    pub clock: Arc<dyn Clock>,
    pub calendar: Calendar,
    /// How each role is reached; a bench names it, or a simulator has made it.
    pub connections: BTreeMap<String, Connection>,
    pub adapters: Arc<dyn Adapters>,
    pub answers: Answers,
    /// Waits are shown at this many times real speed; none skips them at once.
    pub pace: Option<f64>,
    /// Receives each entry once it is durable.
    pub sink: Box<dyn FnMut(&Entry) + Send>,
}

/// How a session ended.
#[derive(Debug)]
pub struct Ended {
    pub record: PathBuf,
    pub completed: bool,
    /// Sources that did not confirm their safe state.
    pub not_safe: Vec<String>,
    pub files: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Ports(#[from] PortsError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Record(#[from] WriteError),
    #[error(
        "{0}; the source was told to go to its safe state; mend the disk or make room, then take the session up with `heng resume`"
    )]
    Stopped(WriteError),
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
}

pub(super) struct Live {
    pub engine: Engine,
    pub writer: Writer,
    pub clock: Arc<dyn Clock>,
    pub calendar: Calendar,
    pub ports: Ports,
    pub answers: Answers,
    pub person: String,
    pub pace: Option<f64>,
    pub sink: Box<dyn FnMut(&Entry) + Send>,
    /// Entries that are written but not yet durable.
    pub unshown: Vec<Entry>,
    pub document: Option<serde_json::Value>,
}

/// Runs a session to its end and writes the artefacts beside its record.
///
/// # Errors
/// [`LiveError`]; whatever was recorded before stays.
pub async fn run(session: Session) -> Result<Ended, LiveError> {
    let Session {
        opened,
        texts,
        folder,
        storage,
        clock,
        calendar,
        connections,
        adapters,
        answers,
        pace,
        sink,
    } = session;
    let evidence = Evidence::parse(&opened, &texts)?;
    let ports = Ports::new(&connections, &evidence, &clock, &adapters)?;
    let record = folder.join(format!("{}.jsonl", opened.session));
    let mut writer = Writer::create(&record, storage)?;
    let person = opened.operator.clone();
    let mut unshown = open_record(&mut writer, &*clock, &calendar, opened, texts)?;
    let last = unshown
        .last()
        .expect("a record begins with its opening entry");
    let engine = Engine::start(evidence, last)?;
    let mut live = Live {
        engine,
        writer,
        clock,
        calendar,
        ports,
        answers,
        person,
        pace,
        sink,
        unshown: std::mem::take(&mut unshown),
        document: None,
    };
    let begun = live.begin().await;
    live.finish(begun, &folder, "aborted").await
}

/// Appends the opening entry and the texts: everything the session starts from.
pub fn open_record(
    writer: &mut Writer,
    clock: &dyn Clock,
    calendar: &Calendar,
    opened: Opened,
    texts: Vec<TextUsed>,
) -> Result<Vec<Entry>, WriteError> {
    let events = std::iter::once(Event::Opened(opened)).chain(texts.into_iter().map(Event::Text));
    let t_us = clock.now_us();
    events
        .map(|event| writer.append(t_us, calendar.moment(t_us), event))
        .collect()
}

/// Appends artefacts and the seal, and writes the files first, so that a seal never names
/// a file that does not exist.
pub fn close_record(
    writer: &mut Writer,
    (t_us, utc): (u64, &str),
    folder: &Path,
    document: Option<&serde_json::Value>,
    reason: &str,
) -> Result<(Vec<PathBuf>, Vec<Entry>), LiveError> {
    let mut files = Vec::new();
    let mut entries = Vec::new();
    if let Some(document) = document {
        for artefact in artefact::artefacts(document)? {
            let path = folder.join(&artefact.name);
            artefact::write_whole(&path, &artefact.bytes)?;
            files.push(path);
            entries.push(writer.append(
                t_us,
                utc.to_owned(),
                Event::Artefact {
                    bytes: artefact.bytes.len() as u64,
                    sha256: sha256_hex(&artefact.bytes),
                    name: artefact.name,
                },
            )?);
        }
    }
    entries.push(writer.seal(t_us, utc.to_owned(), reason)?);
    Ok((files, entries))
}

impl Live {
    fn append(&mut self, event: Event) -> Result<Entry, WriteError> {
        let t_us = self.clock.now_us();
        let entry = self
            .writer
            .append(t_us, self.calendar.moment(t_us), event)?;
        self.unshown.push(entry.clone());
        Ok(entry)
    }

    /// Appends evidence, feeds it to the engine and appends what follows from it.
    pub fn take(&mut self, event: Event) -> Result<(), LiveError> {
        if let Some(jump) = self.calendar.jump(self.clock.now_us()) {
            self.take_one(Event::Clock(jump))?;
        }
        self.take_one(event)
    }

    fn take_one(&mut self, event: Event) -> Result<(), LiveError> {
        let entry = self.append(event)?;
        self.engine.feed(&entry)?;
        self.append_derived()
    }

    fn append_derived(&mut self) -> Result<(), LiveError> {
        let derived = self.engine.take_derived();
        self.append_values(derived)
    }

    pub fn append_values(&mut self, derived: Vec<serde_json::Value>) -> Result<(), LiveError> {
        if derived.is_empty() {
            return Ok(());
        }
        for body in derived {
            if artefact::is_certificate(&body) {
                self.document = Some(body.clone());
            }
            self.append(Event::Derived { body })?;
        }
        if self.writer.commit_group(self.clock.now_us())? {
            self.hand_out();
        }
        Ok(())
    }

    /// Makes all entries durable, then shows them.
    fn show(&mut self) -> Result<(), WriteError> {
        self.writer.commit()?;
        self.hand_out();
        Ok(())
    }

    /// Nothing is called recorded before it is durable.
    fn hand_out(&mut self) {
        for entry in std::mem::take(&mut self.unshown) {
            (self.sink)(&entry);
        }
    }

    async fn begin(&mut self) -> Result<(), LiveError> {
        self.append_derived()?;
        self.open_ports().await
    }

    pub async fn open_ports(&mut self) -> Result<(), LiveError> {
        for role in self.ports.leaders() {
            self.open_port(&role).await?;
        }
        self.show()?;
        Ok(())
    }

    /// Goes on to the end, and closes the record; `aborted` is its reason where it was not
    /// completed.
    pub async fn finish(
        mut self,
        begun: Result<(), LiveError>,
        folder: &Path,
        aborted: &str,
    ) -> Result<Ended, LiveError> {
        let ended = match begun {
            Ok(()) => self.go_on().await,
            Err(error) => Err(error),
        };
        if ended.is_err() {
            // The measurement is over; the only thing left is to leave no source running.
            self.ports.safe_state_unrecorded().await;
        }
        let completed = ended.map_err(|error| match error {
            LiveError::Record(error) => LiveError::Stopped(error),
            other => other,
        })?;
        let reason = if completed { "completed" } else { aborted };
        let files = self.close(folder, reason)?;
        Ok(Ended {
            record: self.writer.path().to_owned(),
            completed,
            not_safe: self.engine.not_safe().to_vec(),
            files,
        })
    }

    async fn go_on(&mut self) -> Result<bool, LiveError> {
        loop {
            match self.engine.action().cloned() {
                Some(Action::Close { completed }) => return Ok(completed),
                Some(Action::Ask(prompt)) => self.ask(&prompt).await?,
                Some(action @ Action::Exchange { .. }) => self.exchange(action).await?,
                None => {
                    self.show()?;
                    let said = self.person_says().await;
                    self.heard(said)?;
                }
            }
        }
    }

    async fn open_port(&mut self, role: &str) -> Result<(), LiveError> {
        for change in self.ports.open(role).await {
            self.take(Event::Port(change))?;
        }
        Ok(())
    }

    /// Waits until it is time for the exchange, listening to the operator all the while.
    /// Returns false where the operator changed what is to be done.
    async fn wait(&mut self, until_us: u64, action: &Action) -> Result<bool, LiveError> {
        let ahead_us = until_us.saturating_sub(self.clock.now_us());
        if ahead_us > 0 {
            self.show()?;
        }
        let pace = self
            .pace
            .map(|speed| Duration::from_secs_f64(ahead_us as f64 * 1e-6 / speed));
        let clock = Arc::clone(&self.clock);
        let waiting = async {
            if let Some(pace) = pace {
                tokio::time::sleep(pace).await;
            }
            clock.wait_until(until_us).await;
        };
        tokio::pin!(waiting);
        loop {
            let Some(person) = &mut self.answers.person else {
                waiting.as_mut().await;
                return Ok(true);
            };
            let said = tokio::select! {
                biased;
                said = person.recv() => said,
                () = waiting.as_mut() => return Ok(true),
            };
            self.heard(said)?;
            if self.engine.action() != Some(action) {
                return Ok(false);
            }
        }
    }

    async fn exchange(&mut self, action: Action) -> Result<(), LiveError> {
        let Action::Exchange {
            role,
            request,
            tx,
            not_before_us,
        } = &action
        else {
            return Ok(());
        };
        if !self.wait(*not_before_us, &action).await? {
            return Ok(());
        }
        if self.ports.is_closed(role) {
            self.open_port(role).await?;
            // Whoever is on a port that was opened again is asked for its name first.
            if self.engine.action() != Some(&action) {
                return Ok(());
            }
        }
        // What led to an act on an instrument is durable before the act.
        let driver = self.engine.evidence.drivers.get(role);
        if driver.and_then(|driver| driver.class(&request.command)) != Some(Class::Read) {
            self.show()?;
        }
        let exchange = self.ports.exchange(role, request, tx).await;
        let (outcome, reason) = match exchange.outcome {
            ExchangeOutcome::Complete => ("complete", String::new()),
            ExchangeOutcome::TimedOut => ("timed_out", String::new()),
            ExchangeOutcome::Closed { reason } => ("closed", reason),
        };
        let event = Event::Exchange(heng_records::Exchange {
            role: role.clone(),
            command: request.command.clone(),
            tx: escape(&exchange.tx),
            rx: escape(&exchange.rx),
            unsolicited: escape(&exchange.unsolicited),
            sent_us: exchange.sent_us,
            received_us: exchange.received_us,
            outcome: outcome.to_owned(),
            reason,
        });
        self.take(event)
    }

    async fn ask(&mut self, prompt: &heng_procedures::Prompt) -> Result<(), LiveError> {
        self.show()?;
        if let Some(choice) = self.answers.prepared.get(&prompt.id).cloned() {
            let person = self.person.clone();
            let note = "prepared answer".to_owned();
            let prompt = prompt.id.clone();
            return self.take(Event::Operator(Operator::Answer {
                person,
                prompt,
                choice,
                note,
            }));
        }
        let said = self.person_says().await;
        self.heard(said)
    }

    /// None where there is nobody, or nobody any more.
    async fn person_says(&mut self) -> Option<ToSession> {
        self.answers.person.as_mut()?.recv().await
    }

    /// Records what the operator did. Without an operator a question cannot be answered and
    /// a held run cannot go on: it is aborted, so that the source reaches its safe state.
    fn heard(&mut self, said: Option<ToSession>) -> Result<(), LiveError> {
        let person = self.person.clone();
        let event = match said {
            None => {
                self.answers.person = None;
                Operator::Abort {
                    person,
                    reason: "nobody is there to answer or to go on".to_owned(),
                }
            }
            Some(said) => match self.event_of(said, person) {
                Some(operator) => operator,
                None => return Ok(()),
            },
        };
        self.take(Event::Operator(event))?;
        self.show()?;
        Ok(())
    }

    fn event_of(&self, said: ToSession, person: String) -> Option<Operator> {
        Some(match said {
            ToSession::Answer {
                prompt,
                choice,
                note,
            } => {
                // A key pressed too late answers nothing: the question is gone.
                let asked =
                    matches!(self.engine.action(), Some(Action::Ask(now)) if now.id == prompt);
                if !asked {
                    return None;
                }
                Operator::Answer {
                    person,
                    prompt,
                    choice,
                    note,
                }
            }
            ToSession::Pause => Operator::Pause { person },
            ToSession::Resume => Operator::Resume { person },
            ToSession::Abort { reason } => Operator::Abort { person, reason },
            ToSession::Note(text) => Operator::Note { person, text },
        })
    }

    fn close(&mut self, folder: &Path, reason: &str) -> Result<Vec<PathBuf>, LiveError> {
        let t_us = self.clock.now_us();
        let utc = self.calendar.moment(t_us);
        let document = self.document.take();
        let (files, entries) = close_record(
            &mut self.writer,
            (t_us, &utc),
            folder,
            document.as_ref(),
            reason,
        )?;
        self.unshown.extend(entries);
        self.show()?;
        Ok(files)
    }
}
