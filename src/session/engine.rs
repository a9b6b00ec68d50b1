//! The one path from evidence to results, live and in replay.
//!
//! The engine is fed entries of the record and answers with derived values. Between two
//! entries [`Engine::action`] says what the session has to do next. It reads no clock and
//! does no I/O, so a recorded session fed to it yields the same values bit for bit.

use std::collections::{BTreeMap, VecDeque};

use heng_drivers::{Description, Recipe, RecipeOutcome, Request, Step, Value, escape, unescape};
use heng_procedures::{
    Alarm, Command, EvaluationError, Indication, Input, Outcome, Plan, PointClosed, PointResult,
    Prompt, Setup, Severity, evaluate, evaluate_point,
};
use heng_quantities::{Decimal, Text};
use heng_records::{Entry, Event, Exchange, Operator, PortChange};

mod adjustment;
mod clock;
mod taking_up;

use super::evidence::Evidence;
use crate::analyse::{artefact, certificate};
use adjustment::Constants;

/// What the session has to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send `tx` to the instrument of `role`, not before the given time.
    Exchange {
        role: String,
        request: Request,
        tx: Vec<u8>,
        not_before_us: u64,
    },
    /// Put a question to the operator.
    Ask(Prompt),
    /// Nothing more: close the record.
    Close { completed: bool },
}

/// The evidence does not fit the procedure: an altered or foreign record, or a broken invariant.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the procedure cannot start: {0}")]
    Setup(String),
    #[error("entry {entry}: the procedure was waiting for {expected}, the record holds {found}")]
    Unexpected {
        entry: u64,
        expected: String,
        found: String,
    },
    #[error("entry {entry}: {cause}")]
    Bytes { entry: u64, cause: String },
    #[error("the results cannot be evaluated: {0}")]
    Evaluation(String),
    #[error("a derived value cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Work on one instrument that takes one or more exchanges.
#[derive(Debug, Clone)]
struct Task {
    role: String,
    work: Work,
}

#[derive(Debug, Clone)]
enum Work {
    StopTalk,
    Identify,
    /// The constants of the adjustment.
    Constants,
    /// Channels of the procedure by quantity of the instrument.
    Read(Vec<(String, String)>),
    Set(Vec<(String, Decimal)>),
    SafeState,
}

/// A task under way.
struct Running {
    task: Task,
    recipe: Recipe,
    request: Request,
    attempts: u32,
}

/// What the plan is waiting for.
enum Awaited {
    Nothing,
    Identified,
    Set,
    Scanned,
    Answer(Prompt),
    SafeState,
    /// The constants once more, before the results.
    Constants,
    End,
}

pub struct Engine {
    pub evidence: Evidence,
    plan: Plan,
    awaited: Awaited,
    queue: VecDeque<Task>,
    running: Option<Running>,
    not_before_us: u64,
    action: Option<Action>,
    identified: BTreeMap<String, bool>,
    indications: Vec<Indication>,
    missing: BTreeMap<String, String>,
    constants: Constants,
    /// Entries of clock jumps during readings that nobody has explained.
    unexplained: Vec<u64>,
    points: Vec<PointClosed>,
    derived: Vec<serde_json::Value>,
    now_us: u64,
    /// Entry that is being fed: its number, its hash and its moment for people.
    seq: u64,
    hash: String,
    utc: String,
    first_utc: String,
}

impl Engine {
    /// Prepares the session from the texts in front of the record; `last` is the last of
    /// them. The derived values of the start are in [`Engine::take_derived`].
    ///
    /// # Errors
    /// [`EngineError::Setup`] where procedure, order and bench do not fit together.
    pub fn start(evidence: Evidence, last: &Entry) -> Result<Self, EngineError> {
        let findings = evidence.lint();
        let refused: Vec<_> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Alarm)
            .map(|finding| format!("{}: {}", finding.place, finding.text.en))
            .collect();
        if !refused.is_empty() {
            return Err(EngineError::Setup(refused.join("\n")));
        }
        let plan = Plan::new(Setup {
            procedure: &evidence.procedure,
            order: &evidence.order,
            standards: &evidence.standards,
        })
        .map_err(|error| EngineError::Setup(error.to_string()))?;
        let identified = evidence
            .bench
            .instruments
            .iter()
            .map(|one| (one.role.clone(), false))
            .collect();
        let mut engine = Self {
            evidence,
            plan,
            awaited: Awaited::Nothing,
            queue: VecDeque::new(),
            running: None,
            not_before_us: 0,
            action: None,
            identified,
            indications: Vec::new(),
            missing: BTreeMap::new(),
            constants: Constants::default(),
            unexplained: Vec::new(),
            points: Vec::new(),
            derived: Vec::new(),
            now_us: last.t_us,
            seq: last.seq,
            hash: last.hash.clone(),
            utc: last.utc.clone(),
            first_utc: last.utc.clone(),
        };
        for finding in findings {
            engine.alarm(finding.severity, &finding.place, finding.text)?;
        }
        engine.step(Input::Start { t_us: last.t_us })?;
        Ok(engine)
    }

    /// Sources that did not confirm their safe state.
    pub fn not_safe(&self) -> &[String] {
        self.plan.not_safe()
    }

    /// What the session has to do next; none only while a feed is under way.
    pub const fn action(&self) -> Option<&Action> {
        self.action.as_ref()
    }

    /// Values derived since the last call, in their order.
    pub fn take_derived(&mut self) -> Vec<serde_json::Value> {
        std::mem::take(&mut self.derived)
    }

    /// Takes one entry of evidence. Derived values, texts and artefacts are not evidence
    /// for the engine and change nothing.
    ///
    /// # Errors
    /// [`EngineError`] where the entry is not what the procedure was waiting for.
    pub fn feed(&mut self, entry: &Entry) -> Result<(), EngineError> {
        self.now_us = entry.t_us;
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        self.utc.clone_from(&entry.utc);
        match &entry.event {
            Event::Exchange(exchange) => self.exchange(exchange),
            Event::Operator(operator) => self.operator(operator),
            Event::Port(PortChange::Opened { role, .. }) => self.opened(role),
            Event::Recovered(_) => self.taken_up(),
            Event::Clock(jump) => self.clock_jump(jump),
            _ => Ok(()),
        }
    }

    fn step(&mut self, input: Input) -> Result<(), EngineError> {
        for command in self.plan.step(input) {
            self.command(command)?;
        }
        Ok(())
    }

    fn command(&mut self, command: Command) -> Result<(), EngineError> {
        match command {
            Command::Derive(outcome) => return self.derive(outcome),
            Command::Ask(prompt) => {
                self.drop_tasks();
                self.action = Some(Action::Ask(prompt.clone()));
                self.awaited = Awaited::Answer(prompt);
            }
            Command::Finish { completed } => {
                self.drop_tasks();
                self.last_constants(completed)?;
            }
            Command::Identify { at_us } => {
                let roles: Vec<_> = self.identified.keys().cloned().collect();
                for identified in self.identified.values_mut() {
                    *identified = false;
                }
                let tasks = self.first_constants();
                self.begin(Awaited::Identified, at_us, tasks, &roles)?;
            }
            Command::Set { role, values } => {
                let task = Task {
                    role: role.clone(),
                    work: Work::Set(values),
                };
                self.begin(Awaited::Set, self.now_us, vec![task], &[role])?;
            }
            Command::SafeState { role, at_us } => {
                let task = Task {
                    role: role.clone(),
                    work: Work::SafeState,
                };
                self.begin(Awaited::SafeState, at_us, vec![task], &[role])?;
            }
            Command::Scan {
                at_us, channels, ..
            } => {
                self.indications.clear();
                self.missing.clear();
                let tasks = self.reads(&channels)?;
                let roles: Vec<_> = tasks.iter().map(|task| task.role.clone()).collect();
                self.begin(Awaited::Scanned, at_us, tasks, &roles)?;
            }
        }
        Ok(())
    }

    /// Neighbouring channels of one instrument share one read.
    fn reads(&self, channels: &[String]) -> Result<Vec<Task>, EngineError> {
        let mut tasks: Vec<Task> = Vec::new();
        for name in channels {
            let channel = self
                .evidence
                .procedure
                .channel(name)
                .ok_or_else(|| EngineError::Setup(format!("unknown channel {name:?}")))?;
            let wanted = (channel.quantity.clone(), name.clone());
            if let Some(Task {
                role,
                work: Work::Read(reads),
            }) = tasks.last_mut()
                && *role == channel.role
                && !reads.contains(&wanted)
            {
                reads.push(wanted);
            } else {
                tasks.push(Task {
                    role: channel.role.clone(),
                    work: Work::Read(vec![wanted]),
                });
            }
        }
        Ok(tasks)
    }

    /// Sets up the work for one command of the plan. An instrument that was lost, or never
    /// asked, is identified first: a stranger on the port is never read.
    fn begin(
        &mut self,
        awaited: Awaited,
        not_before_us: u64,
        tasks: Vec<Task>,
        roles: &[String],
    ) -> Result<(), EngineError> {
        self.drop_tasks();
        self.awaited = awaited;
        self.not_before_us = not_before_us.max(self.now_us);
        let mut strangers: Vec<&String> = Vec::new();
        for role in roles {
            if self.identified.get(role) == Some(&false) && !strangers.contains(&role) {
                strangers.push(role);
            }
        }
        for role in strangers {
            for work in [Work::StopTalk, Work::Identify] {
                self.queue.push_back(Task {
                    role: role.clone(),
                    work,
                });
            }
        }
        self.queue.extend(tasks);
        self.next_task()
    }

    fn drop_tasks(&mut self) {
        self.queue.clear();
        self.running = None;
        self.action = None;
    }

    fn driver(&self, role: &str) -> Result<&Description, EngineError> {
        self.evidence
            .drivers
            .get(role)
            .ok_or_else(|| EngineError::Setup(format!("no instrument plays the role {role:?}")))
    }

    /// Starts the next task, or tells the plan that all are done.
    fn next_task(&mut self) -> Result<(), EngineError> {
        self.running = None;
        self.action = None;
        match self.queue.pop_front() {
            Some(task) => self.start_task(task, 1),
            None => self.tasks_done(),
        }
    }

    fn start_task(&mut self, task: Task, attempts: u32) -> Result<(), EngineError> {
        let driver = self.driver(&task.role)?;
        let recipe = match &task.work {
            Work::StopTalk => Ok(driver.stop_talk()),
            Work::Identify => Ok(driver.identify()),
            Work::Constants => driver
                .constants()
                .map_or_else(|| Ok(driver.stop_talk()), Ok),
            Work::Read(reads) => {
                let quantities: Vec<_> = reads
                    .iter()
                    .map(|(quantity, _)| quantity.as_str())
                    .collect();
                driver.read(&quantities)
            }
            Work::Set(values) => {
                let values: Vec<_> = values
                    .iter()
                    .map(|(quantity, value)| (quantity.as_str(), *value))
                    .collect();
                driver.set(&values)
            }
            Work::SafeState => match driver.safe_state() {
                Some(recipe) => Ok(recipe),
                None if driver.quantities().iter().any(|info| info.settable) => {
                    let cause = "this model has no safe state that can be set and read back: go and look at it";
                    return self.task_failed(&task, cause);
                }
                None => Ok(driver.stop_talk()),
            },
        };
        match recipe {
            Ok(mut recipe) => {
                let step = recipe.advance(None);
                self.take_step(task, recipe, step, attempts)
            }
            Err(error) => self.task_failed(&task, &error.to_string()),
        }
    }

    fn take_step(
        &mut self,
        task: Task,
        mut recipe: Recipe,
        mut step: Step,
        attempts: u32,
    ) -> Result<(), EngineError> {
        loop {
            match step {
                Step::Wait { us } => {
                    self.not_before_us = self.not_before_us.max(self.now_us) + us;
                    step = recipe.advance(None);
                }
                Step::Send(request) => {
                    let tx = match self.driver(&task.role)?.encode(&request) {
                        Ok(tx) => tx,
                        Err(error) => return self.task_failed(&task, &error.to_string()),
                    };
                    self.action = Some(Action::Exchange {
                        role: task.role.clone(),
                        request: request.clone(),
                        tx,
                        not_before_us: self.not_before_us,
                    });
                    self.running = Some(Running {
                        task,
                        recipe,
                        request,
                        attempts,
                    });
                    return Ok(());
                }
                Step::Done(outcome) => return self.task_done(&task, &outcome),
                Step::Failed(error) => {
                    return self.attempt_failed(task, attempts, &error.to_string());
                }
            }
        }
    }

    fn exchange(&mut self, exchange: &Exchange) -> Result<(), EngineError> {
        let matches = matches!(&self.action, Some(Action::Exchange { role, request, tx, .. })
            if *role == exchange.role && request.command == exchange.command && escape(tx) == exchange.tx);
        let Some(running) = self.running.take().filter(|_| matches) else {
            return Err(EngineError::Unexpected {
                entry: self.seq,
                expected: self.expectation(),
                found: format!(
                    "{:?} sent to {} ({})",
                    exchange.tx, exchange.role, exchange.command
                ),
            });
        };
        let Running {
            task,
            mut recipe,
            request,
            attempts,
        } = running;
        let rx = unescape(&exchange.rx).map_err(|error| EngineError::Bytes {
            entry: self.seq,
            cause: error.to_string(),
        })?;
        if !exchange.unsolicited.is_empty() {
            let text = Text::new(
                &format!(
                    "bytes that belong to no reply: \"{}\" (entry {})",
                    exchange.unsolicited, self.seq
                ),
                &format!(
                    "收到不属于任何应答的字节：\"{}\"（记录 {}）",
                    exchange.unsolicited, self.seq
                ),
            );
            self.alarm(Severity::Notice, &task.role, text)?;
        }
        if exchange.outcome == "closed" {
            return self.lost(&task.role, &exchange.reason);
        }
        match self.driver(&task.role)?.decode(&request, &rx) {
            Ok(reply) => {
                let step = recipe.advance(Some(Ok(reply)));
                self.take_step(task, recipe, step, attempts)
            }
            Err(error) => {
                let cause = match exchange.outcome.as_str() {
                    "complete" => error.to_string(),
                    _ => format!("no complete reply in time: {error}"),
                };
                self.attempt_failed(task, attempts, &cause)
            }
        }
    }

    /// Whoever answers on a port that was opened is a stranger until it is identified, also in
    /// the middle of a task.
    fn opened(&mut self, role: &str) -> Result<(), EngineError> {
        let known = self.identified.insert(role.to_owned(), false);
        let at_work = self
            .running
            .as_ref()
            .is_some_and(|one| one.task.role == role);
        if known != Some(true) || !at_work {
            return Ok(());
        }
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        self.queue.push_front(running.task);
        for work in [Work::Identify, Work::StopTalk] {
            let role = role.to_owned();
            self.queue.push_front(Task { role, work });
        }
        self.next_task()
    }

    /// A failed exchange is said, and tried again as often as the driver description allows.
    fn attempt_failed(
        &mut self,
        task: Task,
        attempts: u32,
        cause: &str,
    ) -> Result<(), EngineError> {
        let limit = self.driver(&task.role)?.retries() + 1;
        let text = Text::new(
            &format!(
                "{cause} (attempt {attempts} of {limit}; entry {})",
                self.seq
            ),
            &format!(
                "{cause}（第 {attempts} 次，共 {limit} 次；记录 {}）",
                self.seq
            ),
        );
        self.alarm(Severity::Warning, &task.role, text)?;
        if attempts < limit {
            return self.start_task(task, attempts + 1);
        }
        self.task_failed(&task, cause)
    }

    fn task_failed(&mut self, task: &Task, cause: &str) -> Result<(), EngineError> {
        match &task.work {
            Work::Read(reads) => {
                for (_, channel) in reads {
                    self.missing.insert(channel.clone(), cause.to_owned());
                }
                self.next_task()
            }
            Work::Set(_) => {
                self.drop_tasks();
                let result = Err(cause.to_owned());
                self.step(Input::SourceSet {
                    t_us: self.now_us,
                    result,
                })
            }
            Work::SafeState => {
                self.drop_tasks();
                let result = Err(cause.to_owned());
                self.step(Input::SafeStateReached {
                    t_us: self.now_us,
                    result,
                })
            }
            Work::Constants if matches!(self.awaited, Awaited::Constants) => {
                self.constants_unread(&task.role.clone(), cause)
            }
            Work::StopTalk | Work::Identify | Work::Constants => {
                self.lost(&task.role.clone(), cause)
            }
        }
    }

    fn lost(&mut self, role: &str, reason: &str) -> Result<(), EngineError> {
        self.drop_tasks();
        self.identified.insert(role.to_owned(), false);
        if matches!(self.awaited, Awaited::Constants) {
            return self.constants_unread(role, reason);
        }
        if matches!(self.awaited, Awaited::SafeState) {
            let result = Err(format!("{role}: {reason}"));
            return self.step(Input::SafeStateReached {
                t_us: self.now_us,
                result,
            });
        }
        let (role, reason) = (role.to_owned(), reason.to_owned());
        self.step(Input::Lost {
            t_us: self.now_us,
            role,
            reason,
        })
    }

    fn task_done(&mut self, task: &Task, outcome: &RecipeOutcome) -> Result<(), EngineError> {
        match &task.work {
            Work::Identify => {
                if let Some(difference) = self.identity_difference(&task.role, outcome) {
                    return self.lost(&task.role, &difference);
                }
                self.identified.insert(task.role.clone(), true);
            }
            Work::Read(reads) => self.take_values(reads, &outcome.values),
            Work::Constants => self.take_constants(&task.role, &outcome.texts)?,
            Work::StopTalk | Work::Set(_) | Work::SafeState => {}
        }
        self.next_task()
    }

    /// How the instrument on the port differs from the one on the bench.
    fn identity_difference(&self, role: &str, outcome: &RecipeOutcome) -> Option<String> {
        let due = &self
            .evidence
            .bench
            .instruments
            .iter()
            .find(|one| one.role == role)?
            .serial;
        // A protocol without an identification command cannot tell a stranger; the bench
        // then rests on the label, and the driver's page says so.
        let serial = outcome.identity.as_ref()?.serial.as_ref()?;
        (serial != due).then(|| {
            format!("the instrument says serial number {serial:?}, the bench names {due:?}: swap the leads or correct the bench")
        })
    }

    fn take_values(&mut self, reads: &[(String, String)], values: &[Value]) {
        for (quantity, channel) in reads {
            let found = values.iter().find(|value| value.quantity == *quantity);
            if let Some(value) = found {
                self.indications.push(Indication {
                    channel: channel.clone(),
                    digits: value.digits,
                    unit: value.unit,
                    quality: value.quality.name().to_owned(),
                    t_us: self.now_us,
                    entry: self.seq,
                });
            } else {
                let cause = format!("the reply holds no {quantity}");
                self.missing.insert(channel.clone(), cause);
            }
        }
    }

    fn tasks_done(&mut self) -> Result<(), EngineError> {
        let t_us = self.now_us;
        let input = match std::mem::replace(&mut self.awaited, Awaited::Nothing) {
            Awaited::Identified => Input::Identified { t_us },
            Awaited::Set => Input::SourceSet {
                t_us,
                result: Ok(()),
            },
            Awaited::SafeState => Input::SafeStateReached {
                t_us,
                result: Ok(()),
            },
            Awaited::Scanned => Input::Scanned {
                t_us,
                indications: std::mem::take(&mut self.indications),
                missing: std::mem::take(&mut self.missing),
            },
            Awaited::Constants => return self.finish(!self.constants.changed()),
            other => {
                self.awaited = other;
                return Ok(());
            }
        };
        self.step(input)
    }

    fn operator(&mut self, operator: &Operator) -> Result<(), EngineError> {
        let t_us = self.now_us;
        match operator {
            Operator::Answer { prompt, choice, .. } => {
                match &self.awaited {
                    Awaited::Answer(asked)
                        if asked.id == *prompt
                            && asked.choices.iter().any(|one| one.id == *choice) => {}
                    _ => {
                        return Err(EngineError::Unexpected {
                            entry: self.seq,
                            expected: self.expectation(),
                            found: format!("the answer {choice:?} to {prompt:?}"),
                        });
                    }
                }
                self.awaited = Awaited::Nothing;
                self.action = None;
                let (prompt, choice) = (prompt.clone(), choice.clone());
                self.step(Input::Answered {
                    t_us,
                    prompt,
                    choice,
                })
            }
            Operator::Pause { .. } => self.step(Input::Pause { t_us }),
            Operator::Resume { .. } => self.step(Input::Resume { t_us }),
            Operator::Abort { reason, .. } => self.step(Input::Abort {
                t_us,
                reason: reason.clone(),
            }),
            Operator::Note { .. } => {
                self.unexplained.clear();
                Ok(())
            }
        }
    }

    fn finish(&mut self, completed: bool) -> Result<(), EngineError> {
        let completed = completed && self.clock_is_explained()? && self.conclude()?;
        self.action = Some(Action::Close { completed });
        self.awaited = Awaited::End;
        Ok(())
    }

    fn expectation(&self) -> String {
        match &self.action {
            Some(Action::Exchange { role, tx, .. }) => format!("{:?} sent to {role}", escape(tx)),
            Some(Action::Ask(prompt)) => format!("an answer to {:?}", prompt.id),
            Some(Action::Close { .. }) => "the seal".to_owned(),
            None => "the operator to resume".to_owned(),
        }
    }

    fn alarm(&mut self, severity: Severity, place: &str, text: Text) -> Result<(), EngineError> {
        let place = place.to_owned();
        self.derive(Outcome::Alarm(Alarm {
            t_us: self.now_us,
            severity,
            place,
            text,
        }))
    }

    fn derive(&mut self, outcome: Outcome) -> Result<(), EngineError> {
        self.derived.push(serde_json::to_value(&outcome)?);
        if let Outcome::Point(point) = outcome {
            let evidence = &self.evidence;
            if point.complete {
                let results = evaluate_point(
                    &evidence.procedure,
                    &evidence.order,
                    &evidence.standards,
                    &point,
                    &self.points,
                    evidence.opened.seed,
                    evidence.rules(),
                );
                for result in self.unless_refused(results)?.unwrap_or_default() {
                    self.derived
                        .push(serde_json::to_value(Outcome::Result(Box::new(result)))?);
                }
            }
            self.points.push(point);
        }
        Ok(())
    }

    /// The results, or none where they were refused, which is told.
    fn unless_refused(
        &mut self,
        results: Result<Vec<PointResult>, EvaluationError>,
    ) -> Result<Option<Vec<PointResult>>, EngineError> {
        match results {
            Ok(results) => Ok(Some(results)),
            Err(error) => {
                let Some(text) = error.refusal() else {
                    return Err(EngineError::Evaluation(error.to_string()));
                };
                self.alarm(Severity::Alarm, "order", text)?;
                Ok(None)
            }
        }
    }

    /// Results that need the whole session, and the certificate made from them. False where
    /// a result was refused: there is no certificate then.
    fn conclude(&mut self) -> Result<bool, EngineError> {
        let evidence = &self.evidence;
        let results = evaluate(
            &evidence.procedure,
            &evidence.order,
            &evidence.standards,
            &self.points,
            evidence.opened.seed,
            evidence.rules(),
        );
        let Some(results) = self.unless_refused(results)? else {
            return Ok(false);
        };
        let evidence = &self.evidence;
        let closing = certificate::Closing {
            entry: self.seq,
            head: self.hash.clone(),
            begun: self.first_utc.clone(),
            ended: self.utc.clone(),
        };
        let composed = certificate::comparison(evidence, &self.points, &results, &closing)
            .map_err(EngineError::Evaluation)?;
        for result in results {
            self.derived
                .push(serde_json::to_value(Outcome::Result(Box::new(result)))?);
        }
        self.derived.push(artefact::derived(composed)?);
        Ok(true)
    }
}
