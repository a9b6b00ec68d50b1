//! One line per event: for pipes, screen readers and continuous integration.

use std::io::{self, Write};

use heng_procedures::{
    Alarm, Outcome, PointResult, Prompt, Scan, ScanPurpose, Steady, Step, StepKind,
};
use heng_quantities::{Language, Text};
use heng_records::{Entry, Event, Exchange, Opened, Operator, PortChange, Recovered};
use serde::Deserialize as _;

use crate::tui::{
    Captions, Word, clock_range, one_line, result_places, severity, signed, time_of_day, verdict,
};

/// Writes a record as lines, in the order of its entries.
pub struct Plain<W> {
    language: Language,
    out: W,
    captions: Captions,
    /// Titles of the planned points.
    points: Vec<Text>,
}

impl<W: Write> Plain<W> {
    pub fn new(language: Language, out: W) -> Self {
        Self {
            language,
            out,
            captions: Captions::default(),
            points: Vec::new(),
        }
    }

    /// Writes the line of one entry: time, number of the entry, what happened.
    ///
    /// # Errors
    /// What the output says.
    pub fn line(&mut self, entry: &Entry) -> io::Result<()> {
        let said = one_line(&self.pass(entry));
        writeln!(
            self.out,
            "{} #{:<5} {said}",
            time_of_day(&entry.utc),
            entry.seq
        )?;
        self.out.flush()
    }

    /// Takes an entry without writing its line: later lines use its titles.
    pub fn pass(&mut self, entry: &Entry) -> String {
        if let Event::Text(text) = &entry.event {
            self.captions.take(text);
        }
        self.say(&entry.event)
    }

    const fn word(&self, word: Word) -> &'static str {
        word.get(self.language)
    }

    fn text<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.language)
    }

    fn say(&mut self, event: &Event) -> String {
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

    fn outcome(&mut self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Planned(planned) => {
                self.points = planned
                    .points
                    .iter()
                    .map(|point| point.title.clone())
                    .collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::rehearsal::Rehearsal;

    fn lines(language: Language, run: &Rehearsal) -> Vec<String> {
        let mut out = Vec::new();
        let mut plain = Plain::new(language, &mut out);
        for entry in &run.entries {
            plain.line(entry).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_entry_is_one_line_with_its_number() {
        for language in [Language::En, Language::Zh] {
            for mut run in [Rehearsal::held(), Rehearsal::finished()] {
                run.push(Event::Operator(Operator::Note {
                    person: "Li Na".to_owned(),
                    text: "door\nopened\u{1b}[2J".to_owned(),
                }));
                let lines = lines(language, &run);
                assert_eq!(lines.len(), run.entries.len());
                for (line, entry) in lines.iter().zip(&run.entries) {
                    let number = format!(" #{:<5} ", entry.seq);
                    assert!(line.contains(&number), "{line}");
                    assert!(!line.chars().any(char::is_control), "{line}");
                }
            }
        }
    }

    #[test]
    fn a_line_says_what_happened() {
        let run = Rehearsal::finished();
        let all = lines(Language::En, &run).join("\n");
        for due in [
            "08:00:00 #11    Dew-point mirror: ID?\\r -> 473 S/N 22-0417\\r\\n (31 ms)",
            "question warm_up: Switched on for 30 min? 1) yes [yes] 2) no [no]",
            "answer warm_up = yes, Li Na",
            "settling: td 4.265 °C, t 20.012 °C, rh_uut 35.6 %RH, d_rh 2.012, rh_ref 33.549",
            "error -0.70 %RH, U 0.50 %RH (k = 2.00): ✓ PASS",
            "finished: all points are done",
        ] {
            assert!(all.contains(due), "{due} is missing");
        }
        let held = lines(Language::Zh, &Rehearsal::held());
        assert!(
            held.last()
                .unwrap()
                .contains("1) water [water] 2) ice [ice]")
        );
    }
}
