//! Questions to the operator: those of the procedure, and those of the plan where it cannot
//! go on by itself.

use heng_quantities::Text;

use super::{Command, Open, Plan, Stage};
use crate::outcome::{Outcome, Prompt, PromptChoice};
use crate::schema::{PromptAt, PromptOption};

/// Why the run waits for a decision.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Hold {
    NotSteady { waited_s: u64 },
    ReadingFailed { reason: String },
    SourceRefused,
    Lost { role: String, reason: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    WaitOn,
    Retry,
    Skip,
    Abort,
}

impl Way {
    const fn id(self) -> &'static str {
        match self {
            Self::WaitOn => "wait_on",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Abort => "abort",
        }
    }

    fn choice(self) -> PromptChoice {
        let (key, en, zh) = match self {
            Self::WaitOn => ('w', "wait on", "继续等待"),
            Self::Retry => ('r', "try again", "重试"),
            Self::Skip => ('s', "skip this point", "跳过本点"),
            Self::Abort => ('a', "abort the run", "中止运行"),
        };
        PromptChoice {
            id: self.id().to_owned(),
            key,
            text: Text::new(en, zh),
        }
    }
}

impl Hold {
    const fn id(&self) -> &'static str {
        match self {
            Self::NotSteady { .. } => "not_steady",
            Self::ReadingFailed { .. } => "reading_failed",
            Self::SourceRefused => "source_refused",
            Self::Lost { .. } => "instrument_lost",
        }
    }

    const fn ways(&self) -> &'static [Way] {
        match self {
            Self::NotSteady { .. } => &[Way::WaitOn, Way::Skip, Way::Abort],
            Self::ReadingFailed { .. } | Self::SourceRefused => {
                &[Way::Retry, Way::Skip, Way::Abort]
            }
            Self::Lost { .. } => &[Way::Retry, Way::Abort],
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::NotSteady { waited_s } => Text::new(
                &format!("The point is not steady after {waited_s} s."),
                &format!("等待 {waited_s} s 后该点仍未稳定。"),
            ),
            Self::ReadingFailed { reason } => Text::new(
                &format!("The readings of the point failed again: {reason}."),
                &format!("该点读数再次失败：{reason}。"),
            ),
            Self::SourceRefused => Text::new(
                "The source did not take its set points.",
                "设备未接受设定值。",
            ),
            Self::Lost { role, reason } => Text::new(
                &format!(
                    "The instrument in the role {role} is lost: {reason}. Restore it, then try again."
                ),
                &format!("担任 {role} 的仪器失去连接：{reason}。请恢复连接后重试。"),
            ),
        }
    }

    pub(super) fn prompt(&self, t_us: u64, point: Option<usize>) -> Prompt {
        let choices = self.ways().iter().map(|way| way.choice()).collect();
        Prompt {
            id: self.id().to_owned(),
            t_us,
            point,
            text: self.text(),
            choices,
        }
    }
}

impl Plan {
    pub(super) fn ask(&mut self, prompt: Prompt, open: Open, out: &mut Vec<Command>) {
        self.open = Some(open);
        out.push(Command::Derive(Outcome::Prompt(prompt.clone())));
        out.push(Command::Ask(prompt));
    }

    pub(super) fn ask_rule(&mut self, index: usize, out: &mut Vec<Command>) {
        let rule = &self.procedure.prompt[index];
        let choice = |one: &PromptOption| PromptChoice {
            id: one.id.clone(),
            key: one.key,
            text: one.text.clone(),
        };
        let prompt = Prompt {
            id: rule.id.clone(),
            t_us: self.now_us,
            point: self.point_under_way(),
            text: rule.text.clone(),
            choices: rule.choice.iter().map(choice).collect(),
        };
        self.ask(prompt, Open::Rule(index), out);
    }

    pub(super) fn answered(&mut self, prompt: &str, choice: &str, out: &mut Vec<Command>) {
        match self.open {
            Some(Open::Rule(index)) if self.procedure.prompt[index].id == prompt => {
                self.rule_answered(index, choice, out);
            }
            Some(Open::Hold) => {
                let hold = self.hold.as_ref().filter(|hold| hold.id() == prompt);
                let way = hold.and_then(|hold| hold.ways().iter().find(|way| way.id() == choice));
                match way.copied() {
                    Some(way) => self.decided(way, out),
                    None => self.unexpected("answer", out),
                }
            }
            _ => self.unexpected("answer", out),
        }
    }

    fn rule_answered(&mut self, index: usize, choice: &str, out: &mut Vec<Command>) {
        let rule = &self.procedure.prompt[index];
        let Some(option) = rule.choice.iter().find(|option| option.id == choice) else {
            return self.unexpected("answer", out);
        };
        let (id, choice) = (rule.id.clone(), choice.to_owned());
        let (at, ends_run, text) = (rule.at, option.ends_run, option.text.clone());
        self.open = None;
        match at {
            PromptAt::Start => self.start_answers.insert(id, choice),
            PromptAt::BeforeReadings => self.current.given.insert(id, choice),
        };
        self.current.due = None;
        if ends_run {
            return self.abort(&text, out);
        }
        if at == PromptAt::BeforeReadings {
            // The time that a person takes is not the source's.
            self.wait_anew();
            self.derive_windows_again();
        }
    }

    fn decided(&mut self, way: Way, out: &mut Vec<Command>) {
        self.open = None;
        let Some(hold) = self.hold.take() else { return };
        self.current.failures = 0;
        self.away.looked_from_us = self.now_us;
        match way {
            Way::WaitOn => self.wait_anew(),
            Way::Retry => {}
            Way::Skip => self.close_point(false, out),
            Way::Abort => {
                let reason = hold.text();
                self.abort(&reason, out);
            }
        }
        // Time may have passed unseen; the next scan is due at once.
        if self.stage == Stage::Stabilise {
            self.current.next_scan_us = self.now_us;
        }
    }
}
