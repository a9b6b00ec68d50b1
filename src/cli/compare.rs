//! `heng demo` and `heng run`: a comparison session, with or without hardware.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use clap::Args;
use heng_drivers::{Adapters, Clock, SkippingClock, UsbAdapters, WallClock, description};
use heng_procedures::{Outcome, Procedure, Prompt, library};
use heng_quantities::{Language, Text};
use heng_records::{Entry, Event, Opened, TextRole, TextUsed, WriteError};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::resume::refuse_live;
use super::{Exit, Failure, Show, inspect, make_folder, read_text, runtime};
use crate::plain::Plain;
use crate::session::bench::{Bench, is_simulated};
use crate::session::calendar::Calendar;
use crate::session::evidence::{self, EvidenceError, text_used};
use crate::session::live::{self, Answers, Ended, LiveError, Session};
use crate::session::ports::{self, Connection};
use crate::session::recovery::{Recovery, Site};
use crate::session::replay;
use crate::session::simulated::SimulatedBench;
use crate::tui::{self, FromSession, ToSession};

#[derive(Args)]
pub struct Demo {
    /// Folder for the record, the certificate and everything made from it
    /// [default: heng-demo, or heng-demo-2 and so on where that is taken]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Seed of the simulated laboratory and of the Monte Carlo trials
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
    /// Moment at which the simulated session starts (RFC 3339 with zone)
    #[arg(long, default_value = "2026-11-23T08:00:00+08:00")]
    start: String,
    /// Order in the place of the demonstration's
    #[arg(long)]
    order: Option<PathBuf>,
    /// Procedure in the place of the demonstration's: the id of a shipped one, or a file
    #[arg(long, default_value = DEMO_PROCEDURE)]
    procedure: String,
    /// A fault of a simulated instrument, ROLE:KIND[@COUNT]; may be given several times
    #[arg(long)]
    fault: Vec<String>,
    /// Speed at which waits are shown in the terminal, in multiples of real time
    #[arg(long, default_value_t = 3000.0)]
    speed: f64,
    /// Answer the questions yourself instead of with the prepared answers
    #[arg(long)]
    ask: bool,
    #[command(flatten)]
    show: Show,
}

#[derive(Args)]
pub struct Run {
    /// Instruments and ports
    #[arg(long)]
    bench: PathBuf,
    /// Customer, item, limits and decision rule
    #[arg(long)]
    order: PathBuf,
    /// The laboratory
    #[arg(long)]
    scope: PathBuf,
    /// Folder with the standards' certificates
    #[arg(long)]
    standards: PathBuf,
    /// Procedure: the id of a shipped one, or a file
    #[arg(long, default_value = "thermo-hygrometer-comparison")]
    procedure: String,
    /// Folder for the record and everything made from it
    #[arg(long, default_value = ".")]
    out: PathBuf,
    /// Folder for a second copy of the record's checkpoints, best on another device
    #[arg(long, value_name = "FOLDER")]
    checkpoints: Option<PathBuf>,
    /// Seed of the Monte Carlo trials
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    show: Show,
}

const DEMO_PROCEDURE: &str = "thermo-hygrometer-comparison";

/// The texts of the demonstration, which are also examples for a laboratory's own.
fn demo_texts() -> Vec<TextUsed> {
    use TextRole::{Bench, Order, Scope, Standard};
    [
        (
            Bench,
            "bench.toml",
            include_str!("../../fixtures/demo/bench.toml"),
        ),
        (
            Order,
            "order.toml",
            include_str!("../../fixtures/demo/order.toml"),
        ),
        (
            Scope,
            "scope.toml",
            include_str!("../../fixtures/demo/scope.toml"),
        ),
        (
            Standard,
            "DEMO-H-2026-0417.toml",
            include_str!("../../fixtures/demo/standards/DEMO-H-2026-0417.toml"),
        ),
        (
            Standard,
            "DEMO-T-2026-0931.toml",
            include_str!("../../fixtures/demo/standards/DEMO-T-2026-0931.toml"),
        ),
        (
            Standard,
            "DEMO-P-2026-2231.toml",
            include_str!("../../fixtures/demo/standards/DEMO-P-2026-2231.toml"),
        ),
    ]
    .map(|(role, name, text)| text_used(role, name, text))
    .into()
}

/// Answers that the demonstration gives where no person is asked, by prompt.
pub fn demo_answers(procedure: &Procedure) -> BTreeMap<String, String> {
    procedure
        .prompt
        .iter()
        .filter_map(|prompt| {
            let answer = prompt.choice.iter().find(|choice| !choice.ends_run)?;
            Some((prompt.id.clone(), answer.id.clone()))
        })
        .collect()
}

/// The first folder that is not there yet: a record is never overwritten.
fn free_folder() -> PathBuf {
    let names = (2..).map(|number| PathBuf::from(format!("heng-demo-{number}")));
    std::iter::once(PathBuf::from("heng-demo"))
        .chain(names)
        .find(|path| !path.exists())
        .unwrap_or_default()
}

pub fn demo(arguments: &Demo) -> Result<Exit, Failure> {
    let out = arguments.out.clone().unwrap_or_else(free_folder);
    make_folder(&out)?;
    let mut texts = demo_texts();
    texts.insert(0, procedure_text(&arguments.procedure)?);
    if let Some(path) = &arguments.order {
        texts.retain(|text| text.role != TextRole::Order);
        let name = path.display().to_string();
        texts.push(text_used(TextRole::Order, &name, &read_text(path)?));
    }
    let bench = with_drivers(&mut texts)?;
    let order = evidence::order(&texts).map_err(|error| input(&error))?;
    let (procedure, _) = evidence::procedure(&texts).map_err(|error| input(&error))?;
    let clock = SkippingClock::new();
    let laboratory = SimulatedBench::start(&bench, arguments.seed, &clock, &arguments.fault)
        .map_err(|error| Failure::new(Exit::Input, &error))?;
    let calendar = Calendar::at(&arguments.start).map_err(|error| {
        Failure::new(
            Exit::Input,
            &format!("--start {}: {error}", arguments.start),
        )
    })?;
    let terminal = !arguments.show.plain && io::stdout().is_terminal() && io::stdin().is_terminal();
    let setting = Setting {
        begin: Begin::New {
            opened: opened(&order.number, "simulated", arguments.seed, &order.operator),
            texts,
            folder: out,
            calendar,
        },
        person: order.operator,
        witness: None,
        clock: Arc::new(clock),
        connections: laboratory.connections(),
        adapters: laboratory.adapters(),
        prepared: (!arguments.ask).then(|| demo_answers(&procedure)),
        pace: terminal.then_some(arguments.speed),
        language: arguments.show.lang.into(),
        terminal,
    };
    finish(setting)
}

pub fn run(arguments: &Run) -> Result<Exit, Failure> {
    make_folder(&arguments.out)?;
    let mut texts = vec![procedure_text(&arguments.procedure)?];
    for (role, path) in [
        (TextRole::Bench, &arguments.bench),
        (TextRole::Order, &arguments.order),
        (TextRole::Scope, &arguments.scope),
    ] {
        texts.push(text_used(
            role,
            &path.display().to_string(),
            &read_text(path)?,
        ));
    }
    texts.extend(standards_in(&arguments.standards)?);
    let bench = with_drivers(&mut texts)?;
    let order = evidence::order(&texts).map_err(|error| input(&error))?;
    let connections = connections_of(&bench)?;
    refuse_live(&arguments.out, &bench)?;
    let terminal = !arguments.show.plain && io::stdout().is_terminal() && io::stdin().is_terminal();
    let setting = Setting {
        begin: Begin::New {
            opened: opened(&order.number, "wall", arguments.seed, &order.operator),
            texts,
            folder: arguments.out.clone(),
            calendar: Calendar::now(),
        },
        person: order.operator,
        witness: arguments.checkpoints.clone(),
        clock: Arc::new(WallClock::new()),
        connections,
        adapters: Arc::new(UsbAdapters),
        prepared: None,
        pace: None,
        language: arguments.show.lang.into(),
        terminal,
    };
    finish(setting)
}

/// How the roles of a bench of real ports are reached.
fn connections_of(bench: &Bench) -> Result<BTreeMap<String, Connection>, Failure> {
    if let Some(one) = bench.instruments.iter().find(|one| is_simulated(&one.port)) {
        return Err(Failure::new(
            Exit::Input,
            &format!(
                "role {:?}: a simulated instrument runs in `heng demo` only; for `heng run` name a port, or start `heng simulate` and name its link",
                one.role
            ),
        ));
    }
    ports::connections(bench).map_err(|error| Failure::new(Exit::Input, &error))
}

fn input(error: &EvidenceError) -> Failure {
    Failure::new(Exit::Input, error)
}

/// Text of a shipped procedure.
pub fn shipped(id: &str) -> Result<TextUsed, Failure> {
    library()
        .iter()
        .find(|(name, _)| *name == id)
        .map(|(name, text)| text_used(TextRole::Procedure, name, text))
        .ok_or_else(|| {
            let names: Vec<_> = library().iter().map(|(name, _)| *name).collect();
            Failure::new(
                Exit::Input,
                &format!(
                    "no shipped procedure {id:?}; there are {}",
                    names.join(", ")
                ),
            )
        })
}

/// A procedure by its id, or by a path where no shipped one has that id.
pub fn procedure_text(named: &str) -> Result<TextUsed, Failure> {
    let path = PathBuf::from(named);
    if path.is_file() {
        return Ok(text_used(TextRole::Procedure, named, &read_text(&path)?));
    }
    shipped(named)
}

fn standards_in(folder: &PathBuf) -> Result<Vec<TextUsed>, Failure> {
    let refuse = |error: io::Error| {
        Failure::new(
            Exit::Input,
            &format!("cannot read {}: {error}", folder.display()),
        )
    };
    let mut paths = std::fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(refuse)?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Ok(text_used(TextRole::Standard, &name, &read_text(path)?))
        })
        .collect()
}

/// Adds the driver description of every model on the bench.
fn with_drivers(texts: &mut Vec<TextUsed>) -> Result<Bench, Failure> {
    let text = evidence::single(texts, TextRole::Bench, "bench").map_err(|error| input(&error))?;
    let bench: Bench = evidence::parse_toml(text).map_err(|error| input(&error))?;
    let models: BTreeSet<_> = bench
        .instruments
        .iter()
        .map(|one| one.model.as_str())
        .collect();
    for model in models {
        let description = description(model).ok_or_else(|| {
            Failure::new(Exit::Input, &format!("the bench names the model {model:?}, which has no driver description: `heng instruments` lists those that have"))
        })?;
        texts.push(text_used(TextRole::Driver, model, description.text()));
    }
    Ok(bench)
}

fn opened(session: &str, clock: &str, seed: u64, operator: &str) -> Opened {
    Opened {
        format: heng_records::FORMAT,
        program: "heng".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        session: session.to_owned(),
        clock: clock.to_owned(),
        seed,
        job: "comparison".to_owned(),
        operator: operator.to_owned(),
    }
}

/// What a session begins with.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one value of it in a run"
)]
pub enum Begin {
    /// A new record.
    New {
        opened: Opened,
        texts: Vec<TextUsed>,
        folder: PathBuf,
        calendar: Calendar,
    },
    /// A record without a seal; `close` leads to the safe state instead of going on.
    Again { recovery: Recovery, close: bool },
}

pub struct Setting {
    pub begin: Begin,
    pub person: String,
    /// Folder for a second copy of the checkpoints.
    pub witness: Option<PathBuf>,
    pub clock: Arc<dyn Clock>,
    pub connections: BTreeMap<String, Connection>,
    pub adapters: Arc<dyn Adapters>,
    pub prepared: Option<BTreeMap<String, String>>,
    pub pace: Option<f64>,
    pub language: Language,
    pub terminal: bool,
}

/// Runs the session behind the terminal or the plain lines, then verifies what it left.
pub fn finish(setting: Setting) -> Result<Exit, Failure> {
    let language = setting.language;
    let ended = if setting.terminal {
        in_terminal(setting)
    } else {
        in_lines(setting)
    }?;
    closing(&ended, language)
}

pub fn exit_of(error: &LiveError) -> Exit {
    match error {
        LiveError::Evidence(_) | LiveError::Ports(_) => Exit::Input,
        LiveError::Engine(_) => Exit::Altered,
        LiveError::Record(error) | LiveError::Stopped(error) => exit_of_writing(error),
        LiveError::Artefact(_) => Exit::Write,
    }
}

pub fn exit_of_writing(error: &WriteError) -> Exit {
    match error {
        WriteError::Contradicted { .. } => Exit::Altered,
        _ => Exit::Write,
    }
}

fn failed(error: &LiveError) -> Failure {
    Failure::new(exit_of(error), error)
}

fn block_on(
    setting: Setting,
    answers: Answers,
    sink: Box<dyn FnMut(&Entry) + Send>,
) -> Result<Ended, Failure> {
    let Setting {
        begin,
        person,
        witness,
        clock,
        connections,
        adapters,
        pace,
        ..
    } = setting;
    let storage = live::storage(&person, witness);
    let ended = match begin {
        Begin::New {
            opened,
            texts,
            folder,
            calendar,
        } => runtime()?.block_on(live::run(Session {
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
        })),
        Begin::Again { recovery, close } => runtime()?.block_on(recovery.run(Site {
            clock,
            connections,
            adapters,
            person,
            close,
            storage,
            answers,
            pace,
            sink,
        })),
    };
    ended.map_err(|error| failed(&error))
}

/// The screens in this thread, the session in another.
fn in_terminal(setting: Setting) -> Result<Ended, Failure> {
    let options = tui::Options {
        language: setting.language,
        person: setting.person.clone(),
        glyphs: tui::Glyphs::from_environment(),
    };
    let (to_screen, from_session) = mpsc::channel();
    let (to_session, said) = unbounded_channel();
    if let Begin::Again { recovery, .. } = &setting.begin {
        for entry in recovery.entries() {
            let _ = to_screen.send(FromSession::Entry(entry.clone()));
        }
    }
    let worker = std::thread::spawn(move || {
        let entries = to_screen.clone();
        let sink = Box::new(move |entry: &Entry| {
            let _ = entries.send(FromSession::Entry(entry.clone()));
        });
        let mut setting = setting;
        let prepared = setting.prepared.take().unwrap_or_default();
        let answers = Answers {
            prepared,
            person: Some(said),
        };
        let ended = block_on(setting, answers, sink);
        let _ = to_screen.send(FromSession::Ended(match &ended {
            Ok(ended) => Ok(ended.record.display().to_string()),
            Err(failure) => Err(failure.message.clone()),
        }));
        ended
    });
    let shown = tui::run(&options, &from_session, |message| {
        let _ = to_session.send(message);
    });
    drop(to_session);
    let ended = worker.join().unwrap_or_else(|_| {
        Err(Failure::new(
            Exit::Instrument,
            &"the session stopped on a broken invariant; its record holds everything up to there",
        ))
    })?;
    shown.map_err(|error| Failure::new(Exit::Instrument, &format!("terminal: {error}")))?;
    Ok(ended)
}

/// One line an event; a person answers by lines.
fn in_lines(mut setting: Setting) -> Result<Ended, Failure> {
    let mut plain = Plain::new(setting.language, io::stdout());
    if let Begin::Again { recovery, .. } = &setting.begin {
        for entry in recovery.entries() {
            plain.pass(entry);
        }
    }
    let asked: Arc<Mutex<Option<Prompt>>> = Arc::default();
    let prepared = setting.prepared.take();
    let person = prepared.is_none().then(|| {
        let (to_session, said) = unbounded_channel();
        let asked = Arc::clone(&asked);
        std::thread::spawn(move || listen(&to_session, &asked));
        said
    });
    let answers = Answers {
        prepared: prepared.unwrap_or_default(),
        person,
    };
    let sink = Box::new(move |entry: &Entry| {
        if let Event::Derived { body } = &entry.event
            && let Ok(Outcome::Prompt(prompt)) = serde_json::from_value(body.clone())
            && let Ok(mut asked) = asked.lock()
        {
            *asked = Some(prompt);
        }
        // A closed pipe ends the lines, not the measurement.
        let _ = plain.line(entry);
    });
    block_on(setting, answers, sink)
}

/// Reads commands from standard input: a choice by number, key or id; `pause`, `resume`,
/// `abort REASON`, `note TEXT`.
fn listen(to_session: &UnboundedSender<ToSession>, asked: &Mutex<Option<Prompt>>) {
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let message = match word {
            "" => continue,
            "pause" => Some(ToSession::Pause),
            "resume" => Some(ToSession::Resume),
            "abort" if !rest.is_empty() => Some(ToSession::Abort {
                reason: rest.to_owned(),
            }),
            "note" if !rest.is_empty() => Some(ToSession::Note(rest.to_owned())),
            _ => asked
                .lock()
                .ok()
                .and_then(|asked| answer(asked.as_ref()?, word, rest)),
        };
        match message {
            Some(message) => {
                if to_session.send(message).is_err() {
                    return;
                }
            }
            None => eprintln!(
                "not understood: {line:?}; answer with a number, or: pause, resume, abort REASON, note TEXT"
            ),
        }
    }
}

fn answer(prompt: &Prompt, word: &str, note: &str) -> Option<ToSession> {
    let by_number = word
        .parse::<usize>()
        .ok()
        .and_then(|number| prompt.choices.get(number.checked_sub(1)?));
    let choice = by_number.or_else(|| {
        prompt
            .choices
            .iter()
            .find(|choice| choice.id == word || word == choice.key.to_string())
    })?;
    Some(ToSession::Answer {
        prompt: prompt.id.clone(),
        choice: choice.id.clone(),
        note: note.to_owned(),
    })
}

/// Paths of everything made, and the verdict of a replay of the record just written.
pub fn closing(ended: &Ended, language: Language) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let label = Text::new("record", "记录");
    let _ = writeln!(out, "{}  {}", label.get(language), ended.record.display());
    for file in &ended.files {
        let _ = writeln!(
            out,
            "{}    {}",
            Text::new("file", "文件").get(language),
            file.display()
        );
    }
    let report =
        replay::replay(&ended.record).map_err(|error| Failure::new(Exit::Input, &error))?;
    // The verdict stands first in a report; here it is the last word.
    let mut lines = inspect::report_lines(&report);
    lines.rotate_left(1);
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
    for role in &ended.not_safe {
        let told = Text::new(
            &format!("NOT SAFE  {role} did not confirm its safe state: go and look at it"),
            &format!("不安全  {role} 未确认安全状态：请到现场检查"),
        );
        let _ = writeln!(out, "{}", told.get(language));
    }
    match inspect::exit_of(&report.finding) {
        Exit::Done | Exit::Incomplete if !ended.not_safe.is_empty() => Ok(Exit::Instrument),
        Exit::Done if !ended.completed => Ok(Exit::Incomplete),
        exit => Ok(exit),
    }
}
