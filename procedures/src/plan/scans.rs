//! What a scan says: signals, steady state, readings that count and readings that do not.

use std::collections::BTreeMap;

use heng_quantities::Text;

use super::questions::Hold;
use super::{Command, Open, Plan, Stage};
use crate::bind::Answers;
use crate::outcome::{
    CriterionState, Indication, Outcome, Scan, ScanPurpose, Severity, Steady, StepKind,
};
use crate::schema::{OnTimeout, PromptAt};
use crate::steady::{micros, seconds};

/// What the value of a question's signal says about it.
enum Need<'a> {
    Ask,
    /// Needs no person; with this answer, or none.
    Settled(Option<&'a str>),
}

impl Plan {
    pub(super) fn scanned(
        &mut self,
        indications: Vec<Indication>,
        mut missing: BTreeMap<String, String>,
        out: &mut Vec<Command>,
    ) {
        let open = match self.open {
            Some(Open::Scan(purpose)) => {
                self.open = None;
                Some(purpose)
            }
            _ => None,
        };
        let due = self.missing_indications(open, &indications);
        missing.extend(due.into_iter().filter(|_| open.is_some()));
        let counted = open == Some(ScanPurpose::Reading)
            && self.stage == Stage::Read
            && self.paused_us.is_none();
        let purpose = if counted {
            ScanPurpose::Reading
        } else {
            ScanPurpose::Settling
        };
        let scan = self.derive_scan(indications, missing, purpose);
        out.push(Command::Derive(Outcome::Scan(scan.clone())));
        if open.is_none() {
            return self.unexpected("scan", out);
        }
        // Nothing is judged over a pause.
        if self.paused_us.is_some() {
            return;
        }
        self.windows.push(&scan);
        self.remember(&scan);
        let steady = self.judge();
        out.push(Command::Derive(Outcome::Steady(steady.clone())));
        match self.stage {
            Stage::Stabilise => self.settling(&scan, steady, out),
            Stage::Read => self.reading(scan, &steady, out),
            _ => {}
        }
    }

    /// Channels that came less often than they were asked for.
    fn missing_indications(
        &self,
        purpose: Option<ScanPurpose>,
        indications: &[Indication],
    ) -> BTreeMap<String, String> {
        let sequence = &self.reading.sequence;
        let times = |name: &String| match purpose {
            Some(ScanPurpose::Reading) => sequence.iter().filter(|one| *one == name).count(),
            _ => 1,
        };
        let came = |name: &String| {
            indications
                .iter()
                .filter(|one| one.channel == *name)
                .count()
        };
        let short = sequence.iter().filter(|name| came(name) < times(name));
        short
            .map(|name| (name.clone(), "no value came".to_owned()))
            .collect()
    }

    fn derive_scan(
        &self,
        indications: Vec<Indication>,
        mut missing: BTreeMap<String, String>,
        purpose: ScanPurpose,
    ) -> Scan {
        let mut signals = self.signals.channels(&indications, &mut missing);
        let answers = match purpose {
            ScanPurpose::Reading => self.current.answers.clone(),
            ScanPurpose::Settling => self.supposed(&signals),
        };
        self.signals.derive(&answers, &mut signals, &mut missing);
        let cycle = (purpose == ScanPurpose::Reading)
            .then(|| u32::try_from(self.current.cycles.len() + 1).unwrap_or(u32::MAX));
        let point = self.point_under_way();
        Scan {
            t_us: self.now_us,
            point,
            purpose,
            cycle,
            indications,
            missing,
            signals,
        }
    }

    fn needs(&self, index: usize, signals: &BTreeMap<String, f64>) -> Need<'_> {
        let rule = &self.procedure.prompt[index];
        let value = rule
            .signal
            .as_ref()
            .and_then(|name| signals.get(name))
            .copied();
        match (value, rule.above, rule.below) {
            (Some(value), Some(above), _) if value <= above => {
                Need::Settled(rule.otherwise_low.as_deref())
            }
            (Some(value), _, Some(below)) if value >= below => {
                Need::Settled(rule.otherwise_high.as_deref())
            }
            _ => Need::Ask,
        }
    }

    /// Answers that hold at these values: those given, those that need no person, and what
    /// the procedure presumes for the rest.
    fn supposed(&self, signals: &BTreeMap<String, f64>) -> Answers {
        let mut answers = self.start_answers.clone();
        for (index, rule) in self.procedure.prompt.iter().enumerate() {
            if rule.at != PromptAt::BeforeReadings {
                continue;
            }
            let given = self.current.given.get(&rule.id).map(String::as_str);
            let answer = match self.needs(index, signals) {
                Need::Settled(answer) => answer,
                Need::Ask => given.or(rule.presume.as_deref()),
            };
            if let Some(answer) = answer {
                answers.insert(rule.id.clone(), answer.to_owned());
            }
        }
        answers
    }

    /// First question before the readings that these values leave open.
    fn due(&self, signals: &BTreeMap<String, f64>) -> Option<usize> {
        (0..self.procedure.prompt.len()).find(|&index| {
            let rule = &self.procedure.prompt[index];
            rule.at == PromptAt::BeforeReadings
                && !self.current.given.contains_key(&rule.id)
                && matches!(self.needs(index, signals), Need::Ask)
        })
    }

    fn remember(&mut self, scan: &Scan) {
        let longest = self
            .steady
            .criterion
            .iter()
            .map(|one| micros(one.longest_s()))
            .max()
            .unwrap_or(0);
        // One gap more than the window, so that the shortest covering run is always inside.
        let kept_us = longest.saturating_add(micros(self.steady.gap_s));
        let from = scan.t_us.saturating_sub(kept_us);
        let history = &mut self.current.history;
        while history.pop_front_if(|old| old.t_us < from).is_some() {}
        history.push_back(scan.clone());
    }

    /// An answer may bind other formulas: the windows are computed again, so that no step
    /// between two formulas looks like a change of the state.
    pub(super) fn derive_windows_again(&mut self) {
        self.windows.clear();
        let mut history = std::mem::take(&mut self.current.history);
        for scan in &mut history {
            let derived = self.procedure.derived.iter().map(|derived| &derived.name);
            for name in derived {
                scan.signals.remove(name);
                scan.missing.remove(name);
            }
            let answers = self.supposed(&scan.signals);
            self.signals
                .derive(&answers, &mut scan.signals, &mut scan.missing);
            self.windows.push(scan);
        }
        self.current.history = history;
    }

    fn judge(&self) -> Steady {
        let criteria = self.windows.states();
        let waited_us = self.waited_us();
        let soaked = waited_us >= micros(self.steady.minimum_wait_s);
        Steady {
            t_us: self.now_us,
            point: self.point_under_way(),
            steady: soaked && criteria.iter().all(|one| one.steady),
            criteria,
            waited_s: seconds(waited_us),
            minimum_wait_s: self.steady.minimum_wait_s,
            maximum_wait_s: seconds(self.current.limit_us),
        }
    }

    fn settling(&mut self, scan: &Scan, steady: Steady, out: &mut Vec<Command>) {
        let complete = scan.missing.is_empty();
        if steady.steady && complete {
            self.current.due = self.due(&scan.signals);
            if self.current.due.is_none() {
                self.current.answers = self.supposed(&scan.signals);
                self.current.accepted = Some(steady);
                self.current.next_scan_us = self.now_us;
                self.enter(Stage::Read, StepKind::Read, out);
            }
            return;
        }
        if self.waited_us() < self.current.limit_us {
            return;
        }
        let waited_s = self.waited_us() / 1_000_000;
        match self.steady.on_timeout {
            OnTimeout::Ask => self.hold = Some(Hold::NotSteady { waited_s }),
            OnTimeout::Skip => {
                let text = Text::new(
                    &format!("not steady after {waited_s} s: the point is skipped"),
                    &format!("等待 {waited_s} s 后仍未稳定：跳过该点"),
                );
                self.alarm(Severity::Alarm, "", text, out);
                self.close_point(false, out);
            }
            OnTimeout::Abort => {
                let text = Text::new(
                    &format!("not steady after {waited_s} s"),
                    &format!("等待 {waited_s} s 后仍未稳定"),
                );
                self.abort(&text, out);
            }
        }
    }

    fn reading(&mut self, scan: Scan, steady: &Steady, out: &mut Vec<Command>) {
        let reason = if !scan.missing.is_empty() {
            let reasons = scan
                .missing
                .iter()
                .map(|(name, reason)| format!("{name}: {reason}"));
            Some(reasons.collect::<Vec<_>>().join("; "))
        } else if !steady.steady {
            let signals = steady.criteria.iter().filter(|one| !one.steady);
            let names: Vec<_> = signals.map(CriterionState::subject).collect();
            Some(format!("no longer steady: {}", names.join(", ")))
        } else {
            None
        };
        let Some(reason) = reason else {
            self.current.cycles.push(scan);
            if self.current.cycles.len() >= self.reading.count as usize {
                self.close_point(true, out);
            }
            return;
        };
        let cycle = scan.cycle.unwrap_or_default();
        let text = Text::new(
            &format!(
                "reading {cycle} does not count, the readings of the point start over: {reason}"
            ),
            &format!("第 {cycle} 次读数无效，该点重新读数：{reason}"),
        );
        let place = scan.missing.keys().next().cloned().unwrap_or_default();
        self.alarm(Severity::Warning, &place, text, out);
        self.current.failures += 1;
        self.start_over(reason.clone(), out);
        if self.current.failures > self.reading.point_repeats {
            self.hold = Some(Hold::ReadingFailed { reason });
        }
    }
}
