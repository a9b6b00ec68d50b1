//! What each input changes, and which command follows from the state reached.

use heng_quantities::Text;

use super::questions::Hold;
use super::{Command, Current, Input, Open, Plan, Stage};
use crate::outcome::{
    Alarm, Outcome, Planned, PlannedPoint, ScanPurpose, Severity, Step, StepKind,
};
use crate::schema::{Direction, PromptAt, Purpose};
use crate::steady::micros;

impl Plan {
    pub(super) fn take(&mut self, input: Input, out: &mut Vec<Command>) {
        let (Input::Start { t_us }
        | Input::Identified { t_us }
        | Input::Scanned { t_us, .. }
        | Input::SourceSet { t_us, .. }
        | Input::Answered { t_us, .. }
        | Input::Pause { t_us }
        | Input::Resume { t_us }
        | Input::Abort { t_us, .. }
        | Input::Lost { t_us, .. }
        | Input::TakenUp { t_us }
        | Input::SafeStateReached { t_us, .. }) = &input;
        self.now_us = self.now_us.max(*t_us);
        match input {
            Input::Start { .. } if self.stage == Stage::Idle => self.start(out),
            Input::Identified { .. } if self.open == Some(Open::Identify) => self.identified(out),
            Input::SourceSet { result, .. } if self.open == Some(Open::Set) => {
                self.source_set(result, out);
            }
            Input::Scanned {
                indications,
                missing,
                ..
            } => self.scanned(indications, missing, out),
            Input::Answered { prompt, choice, .. } => self.answered(&prompt, &choice, out),
            Input::SafeStateReached { result, .. } if self.open == Some(Open::SafeState) => {
                self.safe_state_reached(result, out);
            }
            Input::Pause { .. } => self.paused_us = self.paused_us.or(Some(self.now_us)),
            Input::Resume { .. } => self.resume(out),
            Input::Abort { reason, .. } => self.abort(&Text::same(&reason), out),
            Input::Lost { role, reason, .. } => self.lost(role, reason, out),
            Input::TakenUp { .. } => self.taken_up(out),
            Input::Start { .. } => self.unexpected("start", out),
            Input::Identified { .. } => self.unexpected("identity", out),
            Input::SourceSet { .. } => self.unexpected("set point", out),
            Input::SafeStateReached { .. } => self.unexpected("safe state", out),
        }
    }

    /// Opens the next command, unless one is open or the run waits for a person to resume.
    pub(super) fn go_on(&mut self, out: &mut Vec<Command>) {
        // The way to the safe state is never paused.
        let paused = self.paused_us.is_some() && !matches!(self.stage, Stage::SafeState(..));
        if self.open.is_some() || paused {
            return;
        }
        if let Some(hold) = &self.hold {
            let prompt = hold.prompt(self.now_us, self.point_under_way());
            return self.ask(prompt, Open::Hold, out);
        }
        if self.strangers {
            self.open = Some(Open::Identify);
            let at_us = if self.away.roles.is_empty() {
                self.now_us
            } else {
                self.next_look_us()
            };
            return out.push(Command::Identify { at_us });
        }
        match self.stage {
            Stage::Idle | Stage::Finished => {}
            Stage::Identify => {
                self.open = Some(Open::Identify);
                let at_us = self.now_us;
                out.push(Command::Identify { at_us });
            }
            Stage::Prepare => {
                if let Some(index) = self.unanswered_at_start() {
                    self.ask_rule(index, out);
                } else {
                    self.begin_point(0, out);
                    self.go_on(out);
                }
            }
            Stage::Set(source) => self.set(source, out),
            Stage::Stabilise => match self.current.due {
                Some(index) => self.ask_rule(index, out),
                None => self.scan(ScanPurpose::Settling, out),
            },
            Stage::Read => self.scan(ScanPurpose::Reading, out),
            Stage::SafeState(source, _) => self.safe_state(source, out),
        }
    }

    fn start(&mut self, out: &mut Vec<Command>) {
        let points = self.procedure.point.iter().map(|point| PlannedPoint {
            id: point.id.clone(),
            title: point.title.clone(),
            direction: point.direction.map_or("", Direction::name).to_owned(),
            set: point.set.clone(),
        });
        let planned = Planned {
            procedure: self.procedure.id.clone(),
            version: self.procedure.version.clone(),
            title: self.procedure.title.clone(),
            points: points.collect(),
            duration_s: self.left_s(),
        };
        out.push(Command::Derive(Outcome::Planned(planned)));
        self.enter(Stage::Identify, StepKind::Identify, out);
    }

    fn identified(&mut self, out: &mut Vec<Command>) {
        self.open = None;
        self.strangers = false;
        self.all_are_back(out);
        if self.stage == Stage::Identify {
            self.enter(Stage::Prepare, StepKind::Prepare, out);
        }
    }

    pub(super) fn enter(&mut self, stage: Stage, kind: StepKind, out: &mut Vec<Command>) {
        self.stage = stage;
        let point = self.point_under_way();
        let step = Step {
            t_us: self.now_us,
            kind,
            point,
            left_s: self.left_s(),
        };
        out.push(Command::Derive(Outcome::Step(step)));
    }

    fn unanswered_at_start(&self) -> Option<usize> {
        self.procedure.prompt.iter().position(|prompt| {
            prompt.at == PromptAt::Start && !self.start_answers.contains_key(&prompt.id)
        })
    }

    /// Begins the point with that index, or the end of the run after the last one.
    pub(super) fn begin_point(&mut self, index: usize, out: &mut Vec<Command>) {
        self.point = index;
        let Some(point) = self.procedure.point.get(index) else {
            self.windows.clear();
            return self.end(out);
        };
        self.windows.aim(&point.set);
        self.current = Current {
            answers: self.start_answers.clone(),
            limit_us: micros(self.steady.maximum_wait_s),
            ..Current::default()
        };
        self.enter(Stage::Set(0), StepKind::Set, out);
    }

    /// Roles that set something at the point, with their index into the roles.
    fn sources_of_point(&self) -> Vec<usize> {
        let set = &self.procedure.point[self.point].set;
        let roles = self.procedure.role.iter().enumerate().filter(|(_, role)| {
            role.purpose == Purpose::Source
                && role.quantities.iter().any(|one| set.contains_key(one))
        });
        roles.map(|(index, _)| index).collect()
    }

    fn set(&mut self, source: usize, out: &mut Vec<Command>) {
        let Some(&role) = self.sources_of_point().get(source) else {
            self.settle(out);
            return self.go_on(out);
        };
        let role = &self.procedure.role[role];
        let set = &self.procedure.point[self.point].set;
        let values = set
            .iter()
            .filter(|(quantity, _)| role.quantities.contains(*quantity));
        out.push(Command::Set {
            role: role.name.clone(),
            values: values
                .map(|(quantity, value)| (quantity.clone(), *value))
                .collect(),
        });
        self.open = Some(Open::Set);
    }

    fn source_set(&mut self, result: Result<(), String>, out: &mut Vec<Command>) {
        self.open = None;
        let Stage::Set(source) = self.stage else {
            return;
        };
        match result {
            Ok(()) if source + 1 < self.sources_of_point().len() => {
                self.stage = Stage::Set(source + 1);
            }
            Ok(()) => self.settle(out),
            Err(reason) => {
                let role = self
                    .sources_of_point()
                    .get(source)
                    .map_or_else(String::new, |&role| self.procedure.role[role].name.clone());
                let text = Text::new(
                    &format!("the source refused the set point: {reason}"),
                    &format!("设备拒绝设定值：{reason}"),
                );
                self.alarm(Severity::Alarm, &role, text, out);
                self.hold = Some(Hold::SourceRefused);
            }
        }
    }

    fn settle(&mut self, out: &mut Vec<Command>) {
        self.current.since_us = self.now_us;
        self.current.next_scan_us = self.now_us;
        self.enter(Stage::Stabilise, StepKind::Stabilise, out);
    }

    fn scan(&mut self, purpose: ScanPurpose, out: &mut Vec<Command>) {
        let mut channels = self.reading.sequence.clone();
        let interval_s = match purpose {
            ScanPurpose::Reading => self.reading.interval_s,
            ScanPurpose::Settling => {
                let mut seen = std::collections::BTreeSet::new();
                channels.retain(|name| seen.insert(name.clone()));
                self.steady.scan_interval_s
            }
        };
        let at_us = self.current.next_scan_us.max(self.now_us);
        self.current.next_scan_us = at_us.saturating_add(micros(interval_s));
        self.open = Some(Open::Scan(purpose));
        out.push(Command::Scan {
            at_us,
            channels,
            purpose,
        });
    }

    fn resume(&mut self, out: &mut Vec<Command>) {
        let Some(paused_us) = self.paused_us.take() else {
            return;
        };
        // A pause is no soak time.
        self.current.since_us = if self.current.since_us >= paused_us {
            self.now_us
        } else {
            self.current
                .since_us
                .saturating_add(self.now_us - paused_us)
        };
        self.windows.clear();
        self.current.history.clear();
        self.current.due = None;
        if self.stage == Stage::Read {
            self.start_over("paused".to_owned(), out);
        }
    }

    /// Back to the steady state; the readings taken so far stay in the record.
    pub(super) fn start_over(&mut self, reason: String, out: &mut Vec<Command>) {
        self.wait_anew();
        self.current.repeats.push(reason);
        self.current.cycles.clear();
        self.current.accepted = None;
        self.current.next_scan_us = self.now_us;
        self.enter(Stage::Stabilise, StepKind::Stabilise, out);
    }

    /// Grants the whole maximum wait once more, from now on.
    pub(super) fn wait_anew(&mut self) {
        let limit_us = self
            .waited_us()
            .saturating_add(micros(self.steady.maximum_wait_s));
        self.current.limit_us = limit_us;
    }

    pub(super) fn alarm(
        &self,
        severity: Severity,
        place: &str,
        text: Text,
        out: &mut Vec<Command>,
    ) {
        let alarm = Alarm {
            t_us: self.now_us,
            severity,
            place: place.to_owned(),
            text,
        };
        out.push(Command::Derive(Outcome::Alarm(alarm)));
    }

    /// An input that nothing waits for changes nothing, but is said.
    pub(super) fn unexpected(&self, what: &str, out: &mut Vec<Command>) {
        let text = Text::new(
            &format!("an answer came that nothing waits for ({what}); it changes nothing"),
            &format!("收到未在等待的应答（{what}），未作处理"),
        );
        self.alarm(Severity::Notice, "", text, out);
    }
}
