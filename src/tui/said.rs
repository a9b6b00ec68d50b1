//! What is said of an entry, in one line: in pipes and on the screen of a replay.

use heng_procedures::{
    Alarm, Outcome, PointResult, Prompt, Scan, ScanPurpose, Steady, Step, StepKind,
};
use heng_quantities::{Language, Text};
use heng_records::{Entry, Event, Exchange, Opened, Operator, PortChange, Recovered};
use serde::Deserialize as _;

use super::captions::Captions;
use super::format::{clock_range, result_places, severity, signed, verdict};
use super::text::Word;

/// The words for entries, with the titles that the record gives to roles and points.
pub struct Said {
    language: Language,
    captions: Captions,
    /// Titles of the planned points.
    points: Vec<Text>,
}

impl Said {
    pub fn new(language: Language) -> Self {
        Self {
            language,
            captions: Captions::default(),
            points: Vec::new(),
        }
    }

    /// Takes the titles that an entry gives; other entries are told with them.
    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Text(text) => self.captions.take(text),
            Event::Derived { body } if body["what"] == "planned" => {
                if let Ok(Outcome::Planned(planned)) = Outcome::deserialize(body) {
                    let titles = planned.points.into_iter().map(|point| point.title);
                    self.points = titles.collect();
                }
            }
            _ => {}
        }
    }

    const fn word(&self, word: Word) -> &'static str {
        word.get(self.language)
    }

    fn text<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.language)
    }

    /// What an event says; texts from outside may hold line ends and control characters.
    pub fn say(&self, event: &Event) -> String {
        match event {
            Event::Opened(opened) => self.opened(opened),
            Event::Text(text) => {
                let hash = text.sha256.get(..12).unwrap_or(&text.sha256);
                format!(
                    "{} {:?} {} (SHA-256 {hash})",
                    self.word(Word::TextUsed),
                    text.role,
                    text.name
                )
            }
            Event::Exchange(exchange) => self.exchange(exchange),
            Event::Operator(operator) => self.operator(operator),
            Event::Port(change) => self.port(change),
            Event::Derived { body } => match Outcome::deserialize(body) {
                Ok(outcome) => self.outcome(&outcome),
                Err(_) => self.other(body),
            },
            Event::Artefact {
                name,
                bytes,
                sha256,
            } => {
                let hash = sha256.get(..12).unwrap_or(sha256);
                format!(
                    "{} {name}: {bytes} bytes (SHA-256 {hash})",
                    self.word(Word::Artefact)
                )
            }
            Event::Recovered(found) => self.recovered(found),
            Event::Clock(jump) => {
                let seconds = jump.jump_us as f64 * 1e-6;
                format!(
                    "{}: {} -> {} ({seconds:+.3} s)",
                    self.word(Word::ClockJump),
                    jump.expected,
                    jump.found
                )
            }
            Event::Sealed {
                entries, reason, ..
            } => {
                format!(
                    "{}: {entries} {}, {reason}",
                    self.word(Word::Sealed),
                    self.word(Word::Entries)
                )
            }
        }
    }

    fn recovered(&self, found: &Recovered) -> String {
        let Recovered {
            person,
            reason,
            dropped,
        } = found;
        let kept = self.word(Word::Kept);
        let kept = dropped
            .iter()
            .map(|one| format!("; {} bytes {kept} {}", one.bytes, one.file));
        let said = format!("{}: {person}: {reason}", self.word(Word::Recovered));
        said + &kept.collect::<String>()
    }

    fn opened(&self, opened: &Opened) -> String {
        let Opened {
            session,
            program,
            version,
            clock,
            seed,
            operator,
            job,
            ..
        } = opened;
        let (word, seed_word) = (self.word(Word::Opened), self.word(Word::Seed));
        format!(
            "{word} {session}: {program} {version}, {job}, {clock}, {seed_word} {seed}, {operator}"
        )
    }

    /// A derived value that is no outcome of the procedure, by the name that it carries.
    fn other(&self, body: &serde_json::Value) -> String {
        let what = body
            .get("what")
            .and_then(serde_json::Value::as_str)
            .unwrap_or("?");
        format!("{}: {what}", self.word(Word::Other))
    }

    fn exchange(&self, exchange: &Exchange) -> String {
        let Exchange {
            role,
            tx,
            rx,
            sent_us,
            received_us,
            outcome,
            reason,
            ..
        } = exchange;
        let spent_ms = received_us.saturating_sub(*sent_us) / 1_000;
        let mut end = String::new();
        if outcome != "complete" {
            end = format!(" ! {outcome} {reason}");
        }
        if !exchange.unsolicited.is_empty() {
            end.push_str(" ! ");
            end.push_str(&exchange.unsolicited);
        }
        format!(
            "{}: {tx} -> {rx} ({spent_ms} ms){end}",
            self.text(&self.captions.role(role))
        )
    }

    fn operator(&self, operator: &Operator) -> String {
        match operator {
            Operator::Answer {
                person,
                prompt,
                choice,
                note,
            } => {
                let note = if note.is_empty() {
                    String::new()
                } else {
                    format!(" ({note})")
                };
                format!(
                    "{} {prompt} = {choice}, {person}{note}",
                    self.word(Word::Answered)
                )
            }
            Operator::Pause { person } => format!("{} {person}", self.word(Word::PausedBy)),
            Operator::Resume { person } => format!("{} {person}", self.word(Word::ResumedBy)),
            Operator::Abort { person, reason } => {
                format!("{} {person}: {reason}", self.word(Word::AbortedBy))
            }
            Operator::Note { person, text } => {
                format!("{} {person}: {text}", self.word(Word::NoteBy))
            }
        }
    }

    fn port(&self, change: &PortChange) -> String {
        match change {
            PortChange::Opened {
                role,
                path,
                line,
                was,
            } => {
                let role = self.text(&self.captions.role(role)).to_owned();
                let was = was
                    .as_ref()
                    .map_or_else(String::new, |was| format!(" ({was})"));
                format!(
                    "{}: {role}, {path}{was}, {line}",
                    self.word(Word::PortOpened)
                )
            }
            PortChange::Failed { role, path, reason } => {
                let role = self.text(&self.captions.role(role)).to_owned();
                format!("{}: {role}, {path}: {reason}", self.word(Word::PortFailed))
            }
        }
    }

    fn outcome(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Planned(planned) => {
                let time = clock_range(self.language, planned.duration_s);
                let (word, points) = (self.word(Word::Plan), self.word(Word::Points));
                let name = format!("{} {}", planned.procedure, planned.version);
                format!("{word}: {name}, {} {points}, {time}", planned.points.len())
            }
            Outcome::Step(step) => self.step(step),
            Outcome::Scan(scan) => self.scan(scan),
            Outcome::Steady(steady) => self.steady(steady),
            Outcome::Prompt(prompt) => self.prompt(prompt),
            Outcome::Point(point) => {
                let word = if point.complete {
                    Word::PointComplete
                } else {
                    Word::PointGivenUp
                };
                format!("{}: {}", self.word(word), self.point(Some(point.index)))
            }
            Outcome::Result(result) => self.result(result),
            Outcome::Mapping(mapping) => {
                let unit = mapping.unit.difference();
                let rounded = mapping.rounded;
                let word = self.word(Word::Mapping);
                let (value, u) = (rounded.value, rounded.uncertainty);
                format!(
                    "{word} {} ({}): {value} ± {u} {unit}",
                    mapping.quantity, mapping.definition
                )
            }
            Outcome::Alarm(alarm) => self.alarm(alarm),
            Outcome::Finished {
                completed, reason, ..
            } => {
                let word = if *completed {
                    Word::Finished
                } else {
                    Word::Aborted
                };
                format!("{}: {}", self.word(word), self.text(reason))
            }
        }
    }

    /// `point 3 of 9: title`, or nothing outside any point.
    fn point(&self, index: Option<usize>) -> String {
        let Some(index) = index else {
            return String::new();
        };
        let (point, of) = (self.word(Word::Point), self.word(Word::Of));
        let title = self.points.get(index).map_or("", |title| self.text(title));
        format!("{point} {} {of} {} {title}", index + 1, self.points.len())
    }

    fn step(&self, step: &Step) -> String {
        let word = match step.kind {
            StepKind::Identify => Word::StepIdentify,
            StepKind::Prepare => Word::StepPrepare,
            StepKind::Set => Word::StepSet,
            StepKind::Stabilise => Word::StepStabilise,
            StepKind::Read => Word::StepRead,
            StepKind::Closed => Word::StepClose,
            StepKind::SafeState => Word::StepSafe,
        };
        let left = clock_range(self.language, step.left_s);
        let mut point = self.point(step.point);
        if !point.is_empty() {
            point.push_str(": ");
        }
        let (word, left_word) = (self.word(word), self.word(Word::Left));
        format!("{point}{word}, {left_word} {left}")
    }

    fn scan(&self, scan: &Scan) -> String {
        let what = match (scan.purpose, scan.cycle) {
            (ScanPurpose::Reading, Some(cycle)) => format!("{} {cycle}:", self.word(Word::Reading)),
            (ScanPurpose::Reading, None) => format!("{}:", self.word(Word::Reading)),
            (ScanPurpose::Settling, _) => format!("{}:", self.word(Word::Settling)),
        };
        let mut parts = vec![what];
        for sent in &scan.indications {
            let quality = if sent.quality == "valid" {
                String::new()
            } else {
                format!(" ! {}", sent.quality)
            };
            parts.push(format!(
                "{} {} {}{quality},",
                sent.channel, sent.digits, sent.unit
            ));
        }
        let sent = |name: &str| scan.indications.iter().any(|one| one.channel == name);
        for (name, value) in scan.signals.iter().filter(|(name, _)| !sent(name)) {
            parts.push(format!("{name} {value:.3},"));
        }
        for (channel, reason) in &scan.missing {
            parts.push(format!(
                "! {channel} {}: {reason},",
                self.word(Word::Missing)
            ));
        }
        parts.join(" ").trim_end_matches(',').to_owned()
    }

    fn steady(&self, steady: &Steady) -> String {
        let word = if steady.steady {
            Word::Steady
        } else {
            Word::NotSteady
        };
        let good = steady
            .criteria
            .iter()
            .filter(|criterion| criterion.steady)
            .count();
        format!(
            "{} ({good}/{}), {} {:.0} {}",
            self.word(word),
            steady.criteria.len(),
            self.word(Word::WaitedFor),
            steady.waited_s / 60.0,
            self.word(Word::Minutes)
        )
    }

    fn prompt(&self, prompt: &Prompt) -> String {
        let choices: Vec<_> = prompt
            .choices
            .iter()
            .enumerate()
            .map(|(at, choice)| format!("{}) {} [{}]", at + 1, self.text(&choice.text), choice.id))
            .collect();
        let word = self.word(Word::Question);
        format!(
            "{word} {}: {} {}",
            prompt.id,
            self.text(&prompt.text),
            choices.join("  ")
        )
    }

    fn result(&self, result: &PointResult) -> String {
        let unit = result.unit.difference();
        let rounded = result.rounded;
        let places = result_places(result);
        let preliminary = if result.preliminary {
            format!(" {}", self.word(Word::Preliminary))
        } else {
            String::new()
        };
        // The interval of the trials has no coverage factor.
        let factor = match result.reported.as_str() {
            "monte_carlo" => self.word(Word::MonteCarlo).to_owned(),
            _ => format!("k = {:.2}", result.budget.k),
        };
        let (judged, _) = verdict(self.language, result);
        format!(
            "{} {}, {}: {} {} {unit}, U {} {unit} ({factor}): {judged}{preliminary}",
            self.word(Word::Result),
            self.text(&result.title),
            self.point(Some(result.point)),
            self.word(Word::Error),
            signed(rounded.value.to_f64(), places),
            rounded.uncertainty,
        )
    }

    fn alarm(&self, alarm: &Alarm) -> String {
        let word = self.word(severity(alarm.severity));
        let place = if alarm.place.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.text(&self.captions.role(&alarm.place)))
        };
        format!("{word} {place}{}", self.text(&alarm.text))
    }
}
