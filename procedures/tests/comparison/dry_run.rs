//! A plan driven by a bench that answers at once and is always steady.

use std::collections::BTreeMap;

use heng_procedures::{
    Command, Indication, Input, Order, Outcome, Plan, PointClosed, Procedure, Prompt, ScanPurpose,
    Setup, StandardCertificate, Standards,
};
use heng_quantities::Decimal;

pub const SHIPPED: &str = include_str!("../../library/thermo-hygrometer-comparison.toml");
pub const ORDER: &str = include_str!("../../../fixtures/demo/order.toml");
const MIRROR: &str = include_str!("../../../fixtures/demo/standards/DEMO-H-2026-0417.toml");
const THERMOMETER: &str = include_str!("../../../fixtures/demo/standards/DEMO-T-2026-0931.toml");
const BAROMETER: &str = include_str!("../../../fixtures/demo/standards/DEMO-P-2026-2231.toml");

/// A wait is never longer than this many commands in a test.
const COMMANDS_AT_MOST: usize = 5_000;

pub fn procedure(text: &str) -> Procedure {
    Procedure::parse("procedure.toml", text).unwrap_or_else(|found| panic!("{found:?}"))
}

pub fn order() -> Order {
    Order::parse("order.toml", ORDER).unwrap()
}

pub fn standards() -> Standards {
    [
        ("mirror", MIRROR),
        ("thermometer", THERMOMETER),
        ("barometer", BAROMETER),
    ]
    .map(|(role, text)| {
        (
            role.to_owned(),
            StandardCertificate::parse(role, text).unwrap(),
        )
    })
    .into()
}

/// Dew point at 20 °C for the set points of the shipped procedure.
fn dew_point(humidity: &str) -> &'static str {
    match humidity {
        "10.0" => "-11.20",
        "30.0" => "1.91",
        "50.0" => "9.26",
        "75.0" => "15.44",
        _ => "18.31",
    }
}

pub struct DryRun {
    pub plan: Plan,
    pub now_us: u64,
    pub open: Option<Command>,
    pub derived: Vec<Outcome>,
    pub finished: Option<bool>,
    pub set: BTreeMap<String, Decimal>,
    pub mirror: &'static str,
}

impl DryRun {
    pub fn new(text: &str) -> Self {
        let (procedure, order, standards) = (procedure(text), order(), standards());
        let setup = Setup {
            procedure: &procedure,
            order: &order,
            standards: &standards,
        };
        let mut run = Self {
            plan: Plan::new(setup).unwrap(),
            now_us: 0,
            open: None,
            derived: Vec::new(),
            finished: None,
            set: BTreeMap::new(),
            mirror: "water",
        };
        run.give(Input::Start { t_us: 0 });
        run
    }

    /// Gives one input. A command that answers it may only take the place of the open one.
    pub fn give(&mut self, input: Input) {
        let ending = matches!(self.open, Some(Command::SafeState { .. }));
        let overtakes = match input {
            Input::Abort { .. } => !ending,
            Input::Lost { .. } => true,
            _ => false,
        };
        let answered = self.open.take();
        let answers = answered.as_ref().is_none_or(|open| is_answer(open, &input)) || overtakes;
        if !answers {
            self.open = answered;
        }
        for command in self.plan.step(input) {
            match command {
                Command::Derive(outcome) => self.derived.push(outcome),
                Command::Finish { completed } => {
                    assert_eq!(self.finished.replace(completed), None, "finished twice");
                }
                open => {
                    assert_eq!(self.finished, None, "{open:?} after the end");
                    assert_eq!(self.open, None, "a second open command: {open:?}");
                    self.open = Some(open);
                }
            }
        }
    }

    /// What a bench without faults answers to the open command.
    pub fn reply(&mut self) -> Option<Input> {
        let command = self.open.clone()?;
        self.now_us += 100_000;
        let t_us = self.now_us;
        Some(match command {
            Command::Identify { at_us } => {
                self.now_us = self.now_us.max(at_us);
                Input::Identified { t_us: self.now_us }
            }
            Command::Set { values, .. } => {
                self.set = values.into_iter().collect();
                Input::SourceSet {
                    t_us,
                    result: Ok(()),
                }
            }
            Command::Scan {
                at_us, channels, ..
            } => {
                self.now_us = self.now_us.max(at_us);
                self.scanned(&channels)
            }
            Command::Ask(prompt) => {
                let choice = match prompt.id.as_str() {
                    "mirror_state" => self.mirror.to_owned(),
                    _ => prompt.choices[0].id.clone(),
                };
                Input::Answered {
                    t_us,
                    prompt: prompt.id,
                    choice,
                }
            }
            Command::SafeState { .. } => Input::SafeStateReached {
                t_us,
                result: Ok(()),
            },
            Command::Derive(_) | Command::Finish { .. } => unreachable!("never open"),
        })
    }

    fn scanned(&mut self, channels: &[String]) -> Input {
        let humidity = self.set["relative_humidity"].to_string();
        let mut indications = Vec::new();
        for channel in channels {
            self.now_us += 500_000;
            let (digits, unit) = match channel.as_str() {
                "td" => (dew_point(&humidity), "°C"),
                "t" => ("20.002", "°C"),
                "p" => ("1013.02", "hPa"),
                "rh_uut" => (humidity.as_str(), "%RH"),
                _ => ("20.10", "°C"),
            };
            indications.push(Indication {
                channel: channel.clone(),
                digits: digits.parse().unwrap(),
                unit: unit.parse().unwrap(),
                quality: "valid".to_owned(),
                t_us: self.now_us,
                entry: 0,
            });
        }
        Input::Scanned {
            t_us: self.now_us,
            indications,
            missing: BTreeMap::new(),
        }
    }

    /// Answers one command.
    pub fn go(&mut self) {
        let input = self.reply().expect("a command is open");
        self.give(input);
    }

    /// Answers until `stop` holds before a command is answered.
    pub fn until(&mut self, stop: impl Fn(&Self) -> bool) {
        for _ in 0..COMMANDS_AT_MOST {
            if self.finished.is_some() || stop(self) {
                return;
            }
            self.go();
        }
        panic!("no end after {COMMANDS_AT_MOST} commands");
    }

    pub fn run_out(&mut self) {
        self.until(|_| false);
        assert!(self.finished.is_some());
    }

    pub fn asked(&self) -> Option<&Prompt> {
        match &self.open {
            Some(Command::Ask(prompt)) => Some(prompt),
            _ => None,
        }
    }

    pub fn is_asked(&self, id: &str) -> bool {
        self.asked().is_some_and(|prompt| prompt.id == id)
    }

    pub fn is_reading(&self) -> bool {
        matches!(
            self.open,
            Some(Command::Scan {
                purpose: ScanPurpose::Reading,
                ..
            })
        )
    }

    pub fn answer(&mut self, choice: &str) {
        let prompt = self.asked().expect("a question is open").id.clone();
        let (t_us, choice) = (self.now_us, choice.to_owned());
        self.give(Input::Answered {
            t_us,
            prompt,
            choice,
        });
    }

    /// Answers the open scan with one indication changed.
    pub fn go_with(&mut self, channel: &str, change: impl Fn(&mut Indication)) {
        let mut input = self.reply().unwrap();
        if let Input::Scanned { indications, .. } = &mut input {
            indications
                .iter_mut()
                .filter(|one| one.channel == channel)
                .for_each(change);
        }
        self.give(input);
    }

    pub fn points(&self) -> Vec<&PointClosed> {
        self.derived
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Point(point) => Some(point),
                _ => None,
            })
            .collect()
    }

    pub fn alarms(&self) -> Vec<String> {
        self.derived
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Alarm(alarm) => Some(format!("{}: {}", alarm.place, alarm.text.en)),
                _ => None,
            })
            .collect()
    }
}

fn is_answer(open: &Command, input: &Input) -> bool {
    match (open, input) {
        (Command::Identify { .. }, Input::Identified { .. })
        | (Command::Set { .. }, Input::SourceSet { .. })
        | (Command::Scan { .. }, Input::Scanned { .. })
        | (Command::SafeState { .. }, Input::SafeStateReached { .. }) => true,
        (Command::Ask(asked), Input::Answered { prompt, choice, .. }) => {
            asked.id == *prompt && asked.choices.iter().any(|one| one.id == *choice)
        }
        _ => false,
    }
}
