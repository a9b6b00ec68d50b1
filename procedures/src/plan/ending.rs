//! How a point and the run come to their ends.

use heng_quantities::Text;

use super::{Command, Open, Plan, Stage};
use crate::outcome::{Outcome, PointClosed, Severity, StepKind};
use crate::schema::Purpose;

/// A source that does not reach its safe state is told a second time.
const SAFE_STATE_ATTEMPTS: u32 = 2;

impl Plan {
    /// Closes the point under way and begins the next one.
    pub(super) fn close_point(&mut self, complete: bool, out: &mut Vec<Command>) {
        self.derive_point(complete, out);
        self.complete.push(complete);
        self.begin_point(self.point + 1, out);
    }

    fn derive_point(&mut self, complete: bool, out: &mut Vec<Command>) {
        self.enter(self.stage, StepKind::Closed, out);
        let current = std::mem::take(&mut self.current);
        let closed = PointClosed {
            index: self.point,
            t_us: self.now_us,
            complete,
            repeats: current.repeats,
            cycles: current.cycles,
            steady: current.accepted,
            answers: current.answers,
        };
        out.push(Command::Derive(Outcome::Point(closed)));
    }

    pub(super) fn abort(&mut self, reason: &Text, out: &mut Vec<Command>) {
        match self.stage {
            Stage::Finished => return self.unexpected("abort", out),
            // Already on the way; the first reason stands.
            Stage::SafeState(..) => return,
            Stage::Set(_) | Stage::Stabilise | Stage::Read => self.derive_point(false, out),
            Stage::Idle | Stage::Identify | Stage::Prepare => {}
        }
        self.stopped = Some(reason.clone());
        self.end(out);
    }

    /// Leaves the points and sends every source to its safe state.
    pub(super) fn end(&mut self, out: &mut Vec<Command>) {
        self.open = None;
        self.hold = None;
        self.paused_us = None;
        // Nothing is read any more; the safe state is asked of the source whoever is lost.
        self.strangers = false;
        self.away.roles.clear();
        self.ending_us = self.now_us;
        self.enter(Stage::SafeState(0, 1), StepKind::SafeState, out);
    }

    fn sources(&self) -> Vec<String> {
        let sources = self
            .procedure
            .role
            .iter()
            .filter(|role| role.purpose == Purpose::Source);
        sources.map(|role| role.name.clone()).collect()
    }

    pub(super) fn safe_state(&mut self, source: usize, out: &mut Vec<Command>) {
        match self.sources().into_iter().nth(source) {
            Some(role) => {
                self.open = Some(Open::SafeState);
                let again = matches!(self.stage, Stage::SafeState(_, attempt) if attempt > 1);
                let at_us = if again {
                    self.next_look_us()
                } else {
                    self.now_us
                };
                out.push(Command::SafeState { role, at_us });
            }
            None => self.finish(out),
        }
    }

    pub(super) fn safe_state_reached(
        &mut self,
        result: Result<(), String>,
        out: &mut Vec<Command>,
    ) {
        self.open = None;
        let Stage::SafeState(source, attempt) = self.stage else {
            return;
        };
        let Err(reason) = result else {
            self.next_source(source);
            return;
        };
        let role = self.sources().into_iter().nth(source).unwrap_or_default();
        let (of, of_zh) = match self.loss {
            None => (
                format!(" of {SAFE_STATE_ATTEMPTS}"),
                format!("，共 {SAFE_STATE_ATTEMPTS} 次"),
            ),
            Some(_) => (String::new(), String::new()),
        };
        let text = Text::new(
            &format!(
                "the safe state is not confirmed (attempt {attempt}{of}): {reason}; go and look at the source"
            ),
            &format!("安全状态未得到确认（第 {attempt} 次{of_zh}）：{reason}；请到现场检查设备"),
        );
        self.alarm(Severity::Alarm, &role, text, out);
        if attempt < SAFE_STATE_ATTEMPTS || self.looks_on(self.ending_us) {
            self.stage = Stage::SafeState(source, attempt + 1);
            return;
        }
        self.not_safe.push(role);
        self.next_source(source);
    }

    fn next_source(&mut self, source: usize) {
        self.ending_us = self.now_us;
        self.stage = Stage::SafeState(source + 1, 1);
    }

    fn finish(&mut self, out: &mut Vec<Command>) {
        self.stage = Stage::Finished;
        let (all, measured) = (
            self.procedure.point.len(),
            self.complete.iter().filter(|complete| **complete).count(),
        );
        let completed = self.stopped.is_none() && measured > 0;
        let reason = self.stopped.clone().unwrap_or_else(|| {
            Text::new(
                &format!("{measured} of {all} points measured"),
                &format!("共 {all} 个校准点，已测量 {measured} 个"),
            )
        });
        out.push(Command::Derive(Outcome::Finished {
            t_us: self.now_us,
            completed,
            reason,
        }));
        out.push(Command::Finish { completed });
    }
}
