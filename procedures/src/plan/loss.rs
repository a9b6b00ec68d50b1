//! What a lost instrument costs: [`crate::LossRules`].

use heng_quantities::Text;

use super::questions::Hold;
use super::{Command, Plan, Stage};
use crate::outcome::{Severity, StepKind};
use crate::schema::Purpose;
use crate::steady::micros;

/// Instruments that are looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Away {
    since_us: u64,
    /// Begin of the present look: a person may have ordered another one.
    pub looked_from_us: u64,
    pub roles: Vec<String>,
}

impl Away {
    fn add(&mut self, role: &str, now_us: u64) {
        if self.roles.is_empty() {
            (self.since_us, self.looked_from_us) = (now_us, now_us);
        }
        if !self.roles.iter().any(|one| one == role) {
            self.roles.push(role.to_owned());
        }
    }
}

impl Plan {
    pub(super) fn lost(&mut self, role: String, reason: String, out: &mut Vec<Command>) {
        match self.stage {
            Stage::Idle | Stage::Finished => return self.unexpected("loss", out),
            Stage::SafeState(..) => {
                return self.safe_state_reached(Err(format!("{role}: {reason}")), out);
            }
            _ => {}
        }
        self.open = None;
        self.strangers = true;
        // One absence is one alarm, however often the instrument is looked for.
        if !self.away.roles.contains(&role) {
            let text = Text::new(
                &format!("instrument lost: {reason}"),
                &format!("仪器失去连接：{reason}"),
            );
            self.alarm(Severity::Alarm, &role, text, out);
        }
        if self.loss.is_some() {
            self.away.add(&role, self.now_us);
        }
        self.windows.clear();
        self.current.history.clear();
        self.current.due = None;
        if self.stage == Stage::Read {
            self.start_over(format!("{role} lost: {reason}"), out);
        }
        if !self.looks_on(self.away.looked_from_us) {
            self.hold = Some(Hold::Lost { role, reason });
        }
    }

    /// Nobody knows what the instruments did while nothing was running: each is identified
    /// again, and the point under way is set again and soaks from the beginning. Points that
    /// were complete stay.
    pub(super) fn taken_up(&mut self, out: &mut Vec<Command>) {
        if matches!(self.stage, Stage::Idle | Stage::Finished) {
            return self.unexpected("take-up", out);
        }
        self.open = None;
        if matches!(self.stage, Stage::SafeState(..)) {
            // A source that had confirmed its safe state may have left it since.
            self.not_safe.clear();
            self.ending_us = self.now_us;
            self.stage = Stage::SafeState(0, 1);
            return;
        }
        self.hold = None;
        self.strangers = true;
        self.away = Away::default();
        self.windows.clear();
        self.current.history.clear();
        self.current.due = None;
        let in_point = matches!(self.stage, Stage::Set(_) | Stage::Stabilise | Stage::Read);
        let text = if in_point {
            Text::new(
                "taken up again: every instrument is identified again, the point is set again and its whole soak begins anew",
                "重新接续：逐台重新确认仪器身份，重新设定本点并重新开始全部稳定等待",
            )
        } else {
            Text::new(
                "taken up again: every instrument is identified again",
                "重新接续：逐台重新确认仪器身份",
            )
        };
        self.alarm(Severity::Warning, "", text, out);
        if !in_point {
            return;
        }
        if self.stage == Stage::Read {
            self.current
                .repeats
                .push("the program had ended".to_owned());
        }
        self.current.cycles.clear();
        self.current.accepted = None;
        self.current.limit_us = micros(self.steady.maximum_wait_s);
        self.enter(Stage::Set(0), StepKind::Set, out);
    }

    /// Whether the procedure still looks for what was lost at that time.
    pub(super) fn looks_on(&self, since_us: u64) -> bool {
        let look_for_us = self.loss.as_ref().map(|rules| micros(rules.look_for_s));
        look_for_us.is_some_and(|us| self.now_us.saturating_sub(since_us) < us)
    }

    pub(super) fn next_look_us(&self) -> u64 {
        let every_us = self.loss.as_ref().map(|rules| micros(rules.look_every_s));
        self.now_us.saturating_add(every_us.unwrap_or(0))
    }

    /// Every instrument is identified; what was lost before costs what the rules say.
    pub(super) fn all_are_back(&mut self, out: &mut Vec<Command>) {
        let roles = std::mem::take(&mut self.away.roles);
        let Some(rules) = self.loss.clone().filter(|_| !roles.is_empty()) else {
            return;
        };
        let is_source = |role: &String| {
            let role = self.procedure.role(role);
            role.is_some_and(|role| role.purpose == Purpose::Source)
        };
        let source = roles.iter().any(is_source);
        let soak = roles.iter().any(|role| rules.soak_anew.contains(role));
        let (costs, costs_zh) = match self.stage {
            Stage::Set(_) | Stage::Stabilise if source => (
                "its set points are set again and the whole soak begins anew",
                "将重新设定并重新开始全部稳定等待",
            ),
            Stage::Stabilise if soak => ("the whole soak begins anew", "重新开始全部稳定等待"),
            _ => ("the steady state is judged anew", "重新判断稳定状态"),
        };
        let away_s = self
            .now_us
            .saturating_sub(self.away.since_us)
            .div_ceil(1_000_000);
        let text = Text::new(
            &format!("back and identified after {away_s} s: {costs}"),
            &format!("{away_s} s 后恢复并已确认身份：{costs_zh}"),
        );
        self.alarm(Severity::Notice, &roles.join(", "), text, out);
        if !matches!(self.stage, Stage::Set(_) | Stage::Stabilise) {
            return;
        }
        if source {
            self.current.limit_us = micros(self.steady.maximum_wait_s);
            return self.enter(Stage::Set(0), StepKind::Set, out);
        }
        if soak && self.stage == Stage::Stabilise {
            self.current.since_us = self.now_us;
        }
        // The time of the absence is not the source's.
        self.wait_anew();
        self.current.next_scan_us = self.now_us;
    }
}
