//! The plan that runs a comparison: a state machine without input or output.
//!
//! [`Plan::step`] takes what happened, with its time, and answers with commands. At most one
//! command that touches an instrument or a person is open at any moment; its answer, or what
//! overtakes it, comes as the next input. The plan never reads a clock.

mod ending;
mod loss;
mod questions;
mod run;
mod scans;
mod timing;

use std::collections::{BTreeMap, VecDeque};

use heng_quantities::Decimal;

use crate::bind::Answers;
use crate::order::Order;
use crate::outcome::{Indication, Outcome, Prompt, Scan, ScanPurpose, Steady, StepKind};
use crate::schema::{Kind, LossRules, Procedure, ReadingRules, SteadyRules};
use crate::signals::{SignalError, Signals};
use crate::standard::Standards;
use crate::steady::Windows;
use loss::Away;
use questions::Hold;

/// What a plan is made from. Whether the bench can do it is asked of [`crate::lint`].
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    pub procedure: &'a Procedure,
    pub order: &'a Order,
    pub standards: &'a Standards,
}

/// Why a procedure cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error(
        "procedure {0:?} is no comparison with points, steady state and readings: it cannot be run on instruments"
    )]
    NotAComparison(String),
    #[error(
        "the order chooses {option:?} for {choice:?}, which the procedure does not offer: correct the order"
    )]
    UnknownChoice { choice: String, option: String },
    #[error(
        "the standard in the role {role:?} has no certificate for {quantity:?}: name it in the bench file"
    )]
    MissingCertificate { role: String, quantity: String },
    #[error(transparent)]
    Signals(#[from] SignalError),
}

/// What happened. `t_us` is the time in microseconds since the session was opened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    Start {
        t_us: u64,
    },
    /// Every instrument is the one that the bench names.
    Identified {
        t_us: u64,
    },
    Scanned {
        t_us: u64,
        indications: Vec<Indication>,
        missing: BTreeMap<String, String>,
    },
    /// The source has confirmed its set points, or refused them.
    SourceSet {
        t_us: u64,
        result: Result<(), String>,
    },
    Answered {
        t_us: u64,
        prompt: String,
        choice: String,
    },
    Pause {
        t_us: u64,
    },
    Resume {
        t_us: u64,
    },
    Abort {
        t_us: u64,
        reason: String,
    },
    /// An instrument is gone; comes instead of the answer to the open command.
    Lost {
        t_us: u64,
        role: String,
        reason: String,
    },
    SafeStateReached {
        t_us: u64,
        result: Result<(), String>,
    },
    /// The program had ended in the middle of the run, and goes on now. Whatever command was
    /// open is withdrawn.
    TakenUp {
        t_us: u64,
    },
}

/// What to do next. Each command but `Derive` and `Finish` is answered by one input.
///
/// `SafeState` after an abort, and the `Ask` after a loss, withdraw the command that is open:
/// its answer need not come, and changes nothing if it does.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Ask every instrument who it is, not before `at_us`.
    Identify {
        at_us: u64,
    },
    Set {
        role: String,
        values: Vec<(String, Decimal)>,
    },
    /// Read the channels in this order, not before `at_us`.
    Scan {
        at_us: u64,
        channels: Vec<String>,
        purpose: ScanPurpose,
    },
    Ask(Prompt),
    /// Not before `at_us`.
    SafeState {
        role: String,
        at_us: u64,
    },
    Derive(Outcome),
    Finish {
        completed: bool,
    },
}

/// How far the run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Shortest and longest time left, from the plan's own limits; questions and repeated
    /// readings take longer.
    pub left_s: [u64; 2],
    /// 0 to 1, of points and the steps within them.
    pub fraction: f64,
    /// Index of the point under way.
    pub point: Option<usize>,
    pub step: StepKind,
}

/// Where the run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    Identify,
    /// The questions at the start.
    Prepare,
    /// Index into the sources of the point.
    Set(usize),
    Stabilise,
    Read,
    /// Index into the sources of the procedure, and attempt.
    SafeState(usize, u32),
    Finished,
}

/// The command whose answer is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Identify,
    Set,
    Scan(ScanPurpose),
    /// Question of the procedure, by its index.
    Rule(usize),
    /// Question of the plan itself.
    Hold,
    SafeState,
}

/// The point under way.
#[derive(Debug, Clone, Default)]
struct Current {
    /// Start of the wait, after the source was set; moved on by pauses.
    since_us: u64,
    /// Wait after which the point has failed to become steady.
    limit_us: u64,
    next_scan_us: u64,
    /// Answers that a person gave for this point.
    given: Answers,
    /// Answers that hold for the readings.
    answers: Answers,
    /// Question that must be answered before the readings begin.
    due: Option<usize>,
    /// Scans of the windows, to derive their signals again when an answer binds other formulas.
    history: VecDeque<Scan>,
    accepted: Option<Steady>,
    cycles: Vec<Scan>,
    repeats: Vec<String>,
    /// Failed readings since a person last decided.
    failures: u32,
}

/// One run of a procedure.
#[derive(Debug, Clone)]
pub struct Plan {
    procedure: Procedure,
    steady: SteadyRules,
    reading: ReadingRules,
    signals: Signals,
    windows: Windows,
    stage: Stage,
    open: Option<Open>,
    hold: Option<Hold>,
    /// Begin of the pause, while it lasts.
    paused_us: Option<u64>,
    /// An instrument was lost: nothing is read before all are identified again.
    strangers: bool,
    loss: Option<LossRules>,
    /// While lost instruments are looked for, and until all are identified again.
    away: Away,
    /// When the source was first told to go to its safe state.
    ending_us: u64,
    /// Sources that did not confirm their safe state.
    not_safe: Vec<String>,
    now_us: u64,
    point: usize,
    current: Current,
    start_answers: Answers,
    complete: Vec<bool>,
    /// Why the run ends before its last point.
    stopped: Option<heng_quantities::Text>,
}

impl Plan {
    /// Prepares a run; nothing happens before [`Input::Start`].
    ///
    /// # Errors
    /// [`SetupError`] where procedure, order and certificates do not fit together.
    pub fn new(setup: Setup<'_>) -> Result<Self, SetupError> {
        let Setup {
            procedure,
            order,
            standards,
        } = setup;
        let (Kind::Comparison, Some(steady), Some(reading), false) = (
            procedure.kind,
            &procedure.steady,
            &procedure.reading,
            procedure.point.is_empty(),
        ) else {
            return Err(SetupError::NotAComparison(procedure.id.clone()));
        };
        for (choice, option) in &order.choices {
            let offered = procedure.choice.iter().find(|one| one.name == *choice);
            if !offered.is_some_and(|one| one.option.iter().any(|one| one.id == *option)) {
                let (choice, option) = (choice.clone(), option.clone());
                return Err(SetupError::UnknownChoice { choice, option });
            }
        }
        for channel in procedure
            .channel
            .iter()
            .filter(|one| procedure.is_corrected(one))
        {
            let certificate = standards.get(&channel.role);
            if certificate.is_none_or(|one| one.channel(&channel.quantity).is_none()) {
                let (role, quantity) = (channel.role.clone(), channel.quantity.clone());
                return Err(SetupError::MissingCertificate { role, quantity });
            }
        }
        Ok(Self {
            signals: Signals::new(procedure, order, standards)?,
            windows: Windows::new(procedure, steady),
            steady: steady.clone(),
            reading: reading.clone(),
            procedure: procedure.clone(),
            stage: Stage::Idle,
            open: None,
            hold: None,
            paused_us: None,
            strangers: false,
            loss: procedure.loss.clone(),
            away: Away::default(),
            ending_us: 0,
            not_safe: Vec::new(),
            now_us: 0,
            point: 0,
            current: Current::default(),
            start_answers: Answers::new(),
            complete: Vec::new(),
            stopped: None,
        })
    }

    /// Sources that were told to go to their safe state and did not confirm it.
    #[must_use]
    pub fn not_safe(&self) -> &[String] {
        &self.not_safe
    }

    /// Takes what happened and answers with what to do next.
    pub fn step(&mut self, input: Input) -> Vec<Command> {
        let mut out = Vec::new();
        self.take(input, &mut out);
        self.go_on(&mut out);
        out
    }
}
