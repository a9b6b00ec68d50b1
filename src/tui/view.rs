//! What the screens know: a fold over the entries of a record, the same live and in replay.

use std::collections::{BTreeMap, VecDeque};

use heng_procedures::{
    Alarm, MappingResult, Outcome, Planned, PointClosed, PointResult, Prompt, Scan, ScanPurpose,
    Severity, Steady, Step, StepKind,
};
use heng_quantities::Unit;
use heng_records::{Entry, Event, Exchange, Opened, Operator, PortChange};
use serde::Deserialize as _;

use super::captions::Captions;

/// Exchanges kept for the traffic pane.
const TRAFFIC: usize = 200;

#[derive(Debug, Clone, Default)]
pub struct View {
    pub opened: Option<Opened>,
    pub captions: Captions,
    pub instruments: Vec<Instrument>,
    /// Last value by channel or derived signal.
    pub live: BTreeMap<String, LiveValue>,
    pub traffic: VecDeque<TrafficLine>,
    /// In the order in which they came.
    pub alarms: Vec<AlarmLine>,
    pub planned: Option<Planned>,
    /// State of each planned point.
    pub points: Vec<PointState>,
    pub step: Option<Step>,
    /// Time at which the source of the current point was set.
    pub point_began_us: u64,
    pub steady: Option<Steady>,
    /// Scans of the current point.
    pub scans: Vec<ScanLine>,
    pub series: BTreeMap<String, Vec<Sample>>,
    pub prompt: Option<Prompt>,
    /// By measurand in the order of their first result, each by point.
    pub results: Vec<MeasurandResults>,
    pub mappings: Vec<MappingResult>,
    pub last_note: Option<String>,
    pub run: Run,
    pub entries: u64,
    /// Hash of the last entry.
    pub head: String,
    pub t_us: u64,
    /// Time of day of the last entry, as the record states it.
    pub time: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Run {
    #[default]
    Opening,
    Running,
    Paused,
    Ended {
        completed: bool,
    },
}

#[derive(Debug, Clone, Default)]
pub struct Instrument {
    pub role: String,
    pub model: String,
    pub serial: String,
    pub port: String,
    pub line: String,
    pub certificate: Option<String>,
    pub link: Link,
    pub identity: Identity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Link {
    #[default]
    NotOpen,
    Open,
    Answers,
    Silent,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    #[default]
    NotAsked,
    /// A reply held the serial number of the bench.
    Matches,
    /// It gives values without saying who it is.
    LabelOnly,
    /// An alarm stands for this role.
    Doubtful,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LiveValue {
    /// Digits as they were sent; none for a computed value.
    pub digits: Option<String>,
    pub value: f64,
    pub unit: Option<Unit>,
    pub time: String,
    /// `valid`, or what the instrument or the session said instead.
    pub quality: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TrafficLine {
    pub time: String,
    pub exchange: Exchange,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlarmLine {
    pub time: String,
    pub alarm: Alarm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointState {
    Ahead,
    Active,
    Complete,
    GivenUp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub t_us: u64,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ScanLine {
    pub time: String,
    pub scan: Scan,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MeasurandResults {
    pub id: String,
    /// By point, in the order of the plan.
    pub rows: Vec<PointResult>,
}

impl View {
    /// Takes the next entry. What no screen shows changes only count, hash and time.
    pub fn apply(&mut self, entry: &Entry) {
        self.entries += 1;
        self.head.clone_from(&entry.hash);
        self.t_us = entry.t_us;
        self.time = time_of_day(&entry.utc);
        match &entry.event {
            Event::Opened(opened) => self.opened = Some(opened.clone()),
            Event::Text(text) => {
                self.captions.take(text);
                self.take_bench();
            }
            Event::Exchange(exchange) => self.exchange(exchange),
            Event::Operator(operator) => self.operator(operator),
            Event::Port(change) => self.port(change),
            // A certificate is derived too, but it is no outcome of the procedure.
            Event::Derived { body } => {
                if let Ok(outcome) = Outcome::deserialize(body) {
                    self.outcome(outcome);
                }
            }
            Event::Artefact { .. } | Event::Recovered(_) | Event::Clock(_) => {}
            Event::Sealed { .. } => {
                if !matches!(self.run, Run::Ended { .. }) {
                    self.run = Run::Ended { completed: false };
                }
            }
        }
    }

    /// Alarms and warnings; notices are not counted.
    pub fn alarm_count(&self) -> usize {
        self.alarms
            .iter()
            .filter(|line| line.alarm.severity > Severity::Notice)
            .count()
    }

    /// Alarms with the worst first, the newest first among equals.
    pub fn worst_alarms(&self) -> Vec<&AlarmLine> {
        let mut alarms: Vec<_> = self.alarms.iter().rev().collect();
        alarms.sort_by_key(|line| std::cmp::Reverse(line.alarm.severity));
        alarms
    }

    pub const fn ended(&self) -> bool {
        matches!(self.run, Run::Ended { .. })
    }

    /// Index of the point under way.
    pub fn current_point(&self) -> Option<usize> {
        self.step.as_ref()?.point
    }

    /// Signals of the scans in the order of the procedure, or by name without one.
    pub fn signal_names(&self) -> Vec<&str> {
        let named = self.captions.signals();
        if named.is_empty() {
            self.live.keys().map(String::as_str).collect()
        } else {
            named
        }
    }

    fn take_bench(&mut self) {
        let Some(bench) = &self.captions.bench else {
            return;
        };
        if !self.instruments.is_empty() {
            return;
        }
        self.instruments = bench
            .instruments
            .iter()
            .map(|one| Instrument {
                role: one.role.clone(),
                model: one.model.clone(),
                serial: one.serial.clone(),
                port: one.port.clone(),
                line: one.line.clone(),
                certificate: one.certificate.clone(),
                ..Instrument::default()
            })
            .collect();
    }

    fn instrument(&mut self, role: &str) -> &mut Instrument {
        let found = self.instruments.iter().position(|one| one.role == role);
        let at = found.unwrap_or_else(|| {
            self.instruments.push(Instrument {
                role: role.to_owned(),
                ..Instrument::default()
            });
            self.instruments.len() - 1
        });
        &mut self.instruments[at]
    }

    fn exchange(&mut self, exchange: &Exchange) {
        let instrument = self.instrument(&exchange.role);
        instrument.link = match exchange.outcome.as_str() {
            "complete" => Link::Answers,
            "closed" => Link::Failed,
            _ => Link::Silent,
        };
        let said = !instrument.serial.is_empty() && exchange.rx.contains(&instrument.serial);
        if said {
            instrument.identity = Identity::Matches;
        }
        if self.traffic.len() == TRAFFIC {
            self.traffic.pop_front();
        }
        let time = self.time.clone();
        self.traffic.push_back(TrafficLine {
            time,
            exchange: exchange.clone(),
        });
    }

    fn port(&mut self, change: &PortChange) {
        match change {
            PortChange::Opened {
                role, path, line, ..
            } => {
                let instrument = self.instrument(role);
                instrument.port.clone_from(path);
                instrument.line.clone_from(line);
                instrument.link = Link::Open;
            }
            PortChange::Failed { role, path, .. } => {
                let instrument = self.instrument(role);
                instrument.port.clone_from(path);
                instrument.link = Link::Failed;
            }
        }
    }

    fn operator(&mut self, operator: &Operator) {
        match operator {
            Operator::Answer { prompt, .. } => {
                if self
                    .prompt
                    .as_ref()
                    .is_some_and(|asked| asked.id == *prompt)
                {
                    self.prompt = None;
                }
            }
            Operator::Pause { .. } if self.run == Run::Running => self.run = Run::Paused,
            Operator::Resume { .. } if self.run == Run::Paused => self.run = Run::Running,
            Operator::Abort { .. } => self.prompt = None,
            Operator::Note { person, text } => self.last_note = Some(format!("{person}: {text}")),
            Operator::Pause { .. } | Operator::Resume { .. } => {}
        }
    }

    fn outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Planned(planned) => {
                self.points = vec![PointState::Ahead; planned.points.len()];
                self.planned = Some(planned);
                self.run = Run::Running;
            }
            Outcome::Step(step) => self.enter(step),
            Outcome::Scan(scan) => self.scan(scan),
            Outcome::Steady(steady) => self.steady = Some(steady),
            Outcome::Prompt(prompt) => self.prompt = Some(prompt),
            Outcome::Point(point) => self.close_point(&point),
            Outcome::Result(result) => self.result(*result),
            Outcome::Mapping(mapping) => {
                self.mappings.retain(|old| {
                    (&old.quantity, &old.definition, old.set_value)
                        != (&mapping.quantity, &mapping.definition, mapping.set_value)
                });
                self.mappings.push(*mapping);
            }
            Outcome::Alarm(alarm) => self.alarm(alarm),
            Outcome::Finished { completed, .. } => {
                self.run = Run::Ended { completed };
                self.prompt = None;
            }
        }
    }

    fn enter(&mut self, step: Step) {
        if let Some(index) = step.point {
            if step.kind == StepKind::Set {
                self.point_began_us = step.t_us;
                self.steady = None;
                self.scans.clear();
            }
            if let Some(state) = self.points.get_mut(index)
                && step.kind != StepKind::Closed
            {
                *state = PointState::Active;
            }
        }
        self.step = Some(step);
    }

    fn scan(&mut self, scan: Scan) {
        let time = self.time.clone();
        for (name, &value) in &scan.signals {
            if value.is_finite() {
                let samples = self.series.entry(name.clone()).or_default();
                samples.push(Sample {
                    t_us: scan.t_us,
                    value,
                });
            }
            let unit = self.captions.unit(name);
            let (time, quality) = (time.clone(), "valid".to_owned());
            let live = LiveValue {
                digits: None,
                value,
                unit,
                time,
                quality,
            };
            self.live.insert(name.clone(), live);
        }
        for indication in &scan.indications {
            let live = LiveValue {
                digits: Some(indication.digits.to_string()),
                value: indication.digits.to_f64(),
                unit: Some(indication.unit),
                time: time.clone(),
                quality: indication.quality.clone(),
            };
            self.live.insert(indication.channel.clone(), live);
            let role = self.role_of(&indication.channel);
            if let Some(role) = role {
                let instrument = self.instrument(&role);
                if instrument.identity == Identity::NotAsked {
                    instrument.identity = Identity::LabelOnly;
                }
            }
        }
        for (name, reason) in &scan.missing {
            let unit = self.captions.unit(name);
            let (time, quality) = (time.clone(), reason.clone());
            let live = LiveValue {
                digits: None,
                value: f64::NAN,
                unit,
                time,
                quality,
            };
            self.live.insert(name.clone(), live);
        }
        if scan.cycle == Some(1) {
            // The readings start (over): what was read before no longer counts.
            self.scans
                .retain(|line| line.scan.purpose == ScanPurpose::Settling);
        }
        self.scans.push(ScanLine { time, scan });
    }

    fn role_of(&self, channel: &str) -> Option<String> {
        let procedure = self.captions.procedure.as_ref()?;
        procedure
            .channel(channel)
            .map(|channel| channel.role.clone())
    }

    fn close_point(&mut self, point: &PointClosed) {
        if let Some(state) = self.points.get_mut(point.index) {
            *state = if point.complete {
                PointState::Complete
            } else {
                PointState::GivenUp
            };
        }
    }

    fn result(&mut self, result: PointResult) {
        let found = self
            .results
            .iter()
            .position(|one| one.id == result.measurand);
        let at = found.unwrap_or_else(|| {
            let id = result.measurand.clone();
            self.results.push(MeasurandResults {
                id,
                rows: Vec::new(),
            });
            self.results.len() - 1
        });
        let rows = &mut self.results[at].rows;
        match rows.binary_search_by_key(&result.point, |row| row.point) {
            Ok(row) => rows[row] = result,
            Err(row) => rows.insert(row, result),
        }
    }

    fn alarm(&mut self, alarm: Alarm) {
        if alarm.severity == Severity::Alarm
            && let Some(instrument) = self
                .instruments
                .iter_mut()
                .find(|one| one.role == alarm.place)
        {
            instrument.identity = Identity::Doubtful;
        }
        self.alarms.push(AlarmLine {
            time: self.time.clone(),
            alarm,
        });
    }
}

/// `12:04:31` of `2026-11-23T12:04:31.25+08:00`.
pub fn time_of_day(utc: &str) -> String {
    utc.get(11..19).unwrap_or(utc).to_owned()
}
