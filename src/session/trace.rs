//! The way from a line of the certificate down to the bytes on the wire, and up again.
//!
//! Everything is found in the entries of one record: nothing is computed anew but the channels
//! that a measurand rests on, and what the bytes of an exchange say by the driver description
//! that stands in the record.

mod lines;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use heng_procedures::{
    Indication, InputSource, Measurand, Outcome, PointClosed, PointResult, Procedure, Scan,
    ScanPurpose,
};
use heng_quantities::{Language, Text};
use heng_records::{Entry, Event, TextRole, TextUsed};
use heng_uncertainty::Model;
use serde::Deserialize as _;

use super::evidence::Evidence;
use crate::analyse::artefact;

pub use lines::CertificateLine;
use lines::{Lines, Source};

/// What stands at one place of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Line,
    Result,
    Point,
    Reading,
    Settling,
    Indication,
    Exchange,
    /// A text that the session started from.
    Used,
    /// Any other entry.
    Other,
    /// The way goes no further, and why.
    End,
}

/// One place of the way: the entry that holds it, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub entry: u64,
    pub place: Place,
    /// Number of the line of the certificate, where it is one.
    pub line: Option<usize>,
    /// How far it is from where the way began.
    pub depth: usize,
    pub text: Text,
    pub details: Vec<Text>,
}

impl Step {
    fn new(entry: u64, place: Place, depth: usize, text: Text) -> Self {
        Self {
            entry,
            place,
            line: None,
            depth,
            text,
            details: Vec::new(),
        }
    }

    fn end(entry: u64, depth: usize, en: &str, zh: &str) -> Self {
        Self::new(entry, Place::End, depth, Text::new(en, zh))
    }

    /// The step as lines, its details under it.
    pub fn lines(&self, language: Language) -> Vec<String> {
        let indent = "  ".repeat(self.depth);
        let first = format!("#{:<6} {indent}{}", self.entry, self.text.get(language));
        let details = self.details.iter();
        let details = details.map(|one| format!("        {indent}  {}", one.get(language)));
        std::iter::once(first).chain(details).collect()
    }
}

/// A derived value and the entry that holds it.
struct Derived<T> {
    entry: u64,
    value: T,
}

/// A record with the ways through it.
pub struct Trail<'a> {
    entries: &'a [Entry],
    /// What the session started from; a record of a logger's file has no such thing.
    evidence: Option<Evidence>,
    lines: Lines,
    scans: Vec<Derived<Scan>>,
    points: Vec<Derived<PointClosed>>,
    results: Vec<Derived<PointResult>>,
}

impl<'a> Trail<'a> {
    pub fn of(entries: &'a [Entry]) -> Self {
        let mut trail = Self {
            entries,
            evidence: evidence(entries),
            lines: Lines::of(entries),
            scans: Vec::new(),
            points: Vec::new(),
            results: Vec::new(),
        };
        for entry in entries {
            let Event::Derived { body } = &entry.event else {
                continue;
            };
            let entry = entry.seq;
            match Outcome::deserialize(body) {
                Ok(Outcome::Scan(value)) => trail.scans.push(Derived { entry, value }),
                Ok(Outcome::Point(value)) => trail.points.push(Derived { entry, value }),
                Ok(Outcome::Result(value)) => trail.results.push(Derived {
                    entry,
                    value: *value,
                }),
                _ => {}
            }
        }
        trail
    }

    /// Lines of the certificate, in their order; none where none was issued.
    pub fn lines(&self) -> &[CertificateLine] {
        &self.lines.all
    }

    fn entry(&self, number: u64) -> Option<&'a Entry> {
        let at = self.entries.partition_point(|one| one.seq < number);
        self.entries.get(at).filter(|one| one.seq == number)
    }

    fn procedure(&self) -> Option<&Procedure> {
        self.evidence.as_ref().map(|evidence| &evidence.procedure)
    }

    /// The way from a line of the certificate to the bytes of every reading.
    pub fn down(&self, line: &CertificateLine) -> Vec<Step> {
        let mut way = vec![line.step(0)];
        match &line.source {
            Source::Result(entry) => {
                let results = self.results.iter();
                for result in results.filter(|result| result.entry == *entry) {
                    way.push(self.result_step(result, 1));
                    for point in self.points_of(&result.value) {
                        self.point_down(point, &result.value, &mut way);
                    }
                }
            }
            Source::Mapping(entry) => way.extend(self.file(*entry)),
            Source::Unknown => way.push(Step::end(
                line.entry,
                1,
                "no result in the record belongs to this line",
                "记录中没有与该行对应的结果",
            )),
        }
        way
    }

    /// Points whose readings enter a result: its own, and the other direction of its group.
    fn points_of(&self, result: &PointResult) -> Vec<&Derived<PointClosed>> {
        let rules = self.procedure().map_or(&[][..], |one| &one.point);
        let here = rules.get(result.point);
        let is_partner = |index: usize| {
            let there = rules.get(index);
            result.hysteresis.is_some()
                && here.zip(there).is_some_and(|(here, there)| {
                    here.group.is_some()
                        && here.group == there.group
                        && here.direction != there.direction
                })
        };
        let complete = self.points.iter().filter(|point| point.value.complete);
        let (mut own, others): (Vec<_>, Vec<_>) =
            complete.partition(|point| point.value.index == result.point);
        let partners = others.into_iter();
        own.extend(partners.filter(|point| is_partner(point.value.index)));
        own
    }

    fn point_down(&self, point: &Derived<PointClosed>, result: &PointResult, way: &mut Vec<Step>) {
        way.push(self.point_step(point, 2));
        let channels = self.channels_of(&result.measurand, &point.value);
        for cycle in &point.value.cycles {
            let Some(at) = self.scan_of(cycle, point.entry) else {
                way.push(Step::end(
                    point.entry,
                    3,
                    "the scan of this reading does not stand in the record",
                    "记录中没有该次读数的扫描",
                ));
                continue;
            };
            way.push(self.scan_step(at, 3));
            let indications = self.scans[at].value.indications.iter();
            let used = |one: &&Indication| {
                channels
                    .as_ref()
                    .is_none_or(|all| all.contains(&one.channel))
            };
            for indication in indications.filter(used) {
                way.push(self.indication_step(at, indication, 4));
                way.push(match self.carrier(at, indication) {
                    Some(entry) => self.exchange_step(entry, 5),
                    None => Step::end(
                        indication.entry,
                        5,
                        "no exchange of this scan decodes to these digits by the driver description in the record: the way ends here",
                        "按记录中的驱动描述，本次扫描的通信均不能解出这些数字：到此为止",
                    ),
                });
            }
        }
    }

    /// The way from an entry to the lines of the certificate that it served, or why it serves
    /// none.
    pub fn up(&self, number: u64) -> Vec<Step> {
        let Some(entry) = self.entry(number) else {
            let (en, zh) = ("the record has no such entry", "记录中没有该条目");
            return vec![Step::end(number, 0, en, zh)];
        };
        match &entry.event {
            Event::Exchange(_) => self.exchange_up(number),
            Event::Text(text) => self.text_up(number, text),
            Event::Derived { body } => self.derived_up(number, body),
            _ => self.nothing_up(number),
        }
    }

    fn exchange_up(&self, number: u64) -> Vec<Step> {
        let mut way = vec![self.exchange_step(number, 0)];
        let at = self.scans.partition_point(|scan| scan.entry < number);
        let carried: Vec<&Indication> = self.scans.get(at).map_or_else(Vec::new, |scan| {
            let all = scan.value.indications.iter();
            all.filter(|one| self.carrier(at, one) == Some(number))
                .collect()
        });
        for indication in &carried {
            way.push(self.indication_step(at, indication, 1));
            self.scan_up(at, Some(&indication.channel), &mut way);
        }
        if carried.is_empty() {
            let text = self.no_reading(number);
            way.push(Step::new(number, Place::End, 1, text));
        }
        way
    }

    fn derived_up(&self, number: u64, body: &serde_json::Value) -> Vec<Step> {
        let mut way = Vec::new();
        if artefact::is_certificate(body) {
            way.extend(self.lines().iter().map(|line| line.step(0)));
        }
        if let Some(at) = self.scans.iter().position(|one| one.entry == number) {
            self.scan_up(at, None, &mut way);
        }
        if let Some(point) = self.points.iter().find(|one| one.entry == number) {
            self.point_up(point, None, &mut way);
        }
        if let Some(result) = self.results.iter().find(|one| one.entry == number) {
            self.result_up(result, &mut way);
        }
        let mapped = |line: &&CertificateLine| line.source == Source::Mapping(number);
        way.extend(self.lines().iter().filter(mapped).map(|line| line.step(0)));
        if way.is_empty() {
            return self.nothing_up(number);
        }
        let begins = way.first().map_or(0, |step| step.depth);
        for step in &mut way {
            step.depth = step.depth.saturating_sub(begins);
        }
        way
    }

    fn scan_up(&self, at: usize, channel: Option<&str>, way: &mut Vec<Step>) {
        let scan = &self.scans[at];
        way.push(self.scan_step(at, 2));
        let after = self
            .points
            .partition_point(|point| point.entry < scan.entry);
        match self.points.get(after) {
            Some(point) if Self::counts(scan, &point.value) => self.point_up(point, channel, way),
            closed => {
                let text = why_it_does_not_count(&scan.value, closed.map(|one| &one.value));
                way.push(Step::new(scan.entry, Place::End, 3, text));
            }
        }
    }

    fn counts(scan: &Derived<Scan>, point: &PointClosed) -> bool {
        point.cycles.iter().any(|cycle| same(cycle, &scan.value))
    }

    fn point_up(&self, point: &Derived<PointClosed>, channel: Option<&str>, way: &mut Vec<Step>) {
        way.push(self.point_step(point, 3));
        let before = way.len();
        for line in self.lines() {
            let results = self.results.iter();
            let results = results.filter(|one| Source::Result(one.entry) == line.source);
            for result in results {
                let points = self.points_of(&result.value);
                let enters = points.iter().any(|one| one.entry == point.entry);
                let channels = self.channels_of(&result.value.measurand, &point.value);
                let used = channel
                    .zip(channels)
                    .is_none_or(|(one, all)| all.contains(one));
                if enters && used {
                    way.push(self.result_step(result, 4));
                    way.push(line.step(5));
                }
            }
        }
        if way.len() == before {
            let (en, zh) = if self.lines().is_empty() {
                ("the record holds no certificate", "记录中没有证书")
            } else if point.value.complete {
                (
                    "no result of the certificate rests on it",
                    "证书中没有以此为依据的结果",
                )
            } else {
                ("the point was given up", "该点已放弃")
            };
            way.push(Step::end(point.entry, 4, en, zh));
        }
    }

    fn result_up(&self, result: &Derived<PointResult>, way: &mut Vec<Step>) {
        way.push(self.result_step(result, 4));
        let own = |line: &&CertificateLine| line.source == Source::Result(result.entry);
        let before = way.len();
        way.extend(self.lines().iter().filter(own).map(|line| line.step(5)));
        if way.len() == before {
            way.push(Step::end(
                result.entry,
                5,
                "a result while the session went on: the certificate takes those computed at its end",
                "测量过程中的结果：证书采用结束时计算的结果",
            ));
        }
    }

    /// A text serves every line; the certificate of a standard and a driver those lines whose
    /// channels its instruments read.
    fn text_up(&self, number: u64, text: &TextUsed) -> Vec<Step> {
        let said = Text::new(
            &format!("{} ({:?}, SHA-256 {})", text.name, text.role, text.sha256),
            &format!("{}（{:?}，SHA-256 {}）", text.name, text.role, text.sha256),
        );
        let mut way = vec![Step::new(number, Place::Used, 0, said)];
        let serves = |line: &&CertificateLine| match text.role {
            TextRole::Standard | TextRole::Driver => self.line_rests_on(line, text),
            _ => true,
        };
        way.extend(self.lines().iter().filter(serves).map(|line| line.step(1)));
        if way.len() == 1 {
            let (en, zh) = (
                "no line of the certificate rests on it",
                "证书中没有以此为依据的行",
            );
            way.push(Step::end(number, 1, en, zh));
        }
        way
    }

    fn line_rests_on(&self, line: &CertificateLine, text: &TextUsed) -> bool {
        let Some(evidence) = &self.evidence else {
            return true;
        };
        let uses = |role: &str| match text.role {
            TextRole::Standard => evidence.standard_sha256.get(role) == Some(&text.sha256),
            _ => evidence
                .drivers
                .get(role)
                .is_some_and(|driver| driver.id() == text.name),
        };
        let results = self.results.iter();
        let mut results = results.filter(|one| Source::Result(one.entry) == line.source);
        results.any(|result| {
            self.points_of(&result.value).into_iter().any(|point| {
                let channels = self.channels_of(&result.value.measurand, &point.value);
                let all = evidence.procedure.channel.iter();
                let read = |name| channels.as_ref().is_none_or(|all| all.contains(name));
                all.filter(|channel| read(&channel.name))
                    .any(|channel| uses(&channel.role))
            })
        })
    }

    fn nothing_up(&self, number: u64) -> Vec<Step> {
        let what = self.entry(number).map_or("", |entry| match &entry.event {
            Event::Derived { body } => body["what"].as_str().unwrap_or_default(),
            Event::Opened(_) => "opened",
            Event::Operator(_) => "operator",
            Event::Port(_) => "port",
            Event::Recovered(_) => "recovered",
            Event::Clock(_) => "clock",
            Event::Artefact { .. } => "artefact",
            Event::Sealed { .. } => "sealed",
            Event::Text(_) | Event::Exchange(_) => "",
        });
        let (en, zh) = (
            "it is no reading, and no line of the certificate is computed from its value",
            "它不是读数，证书中没有由它的值计算的行",
        );
        vec![
            Step::new(number, Place::Other, 0, Text::same(what)),
            Step::end(number, 1, en, zh),
        ]
    }

    /// The end of a way whose readings came in a file.
    fn file(&self, result: u64) -> Vec<Step> {
        let said = Text::new("result of the mapped space", "空间测量结果");
        let mut way = vec![Step::new(result, Place::Result, 1, said)];
        for entry in self.entries {
            let Event::Text(text) = &entry.event else {
                continue;
            };
            if text.role == TextRole::Data {
                let said = Text::new(
                    &format!(
                        "file of the logger: {}, {} bytes, SHA-256 {}",
                        text.name,
                        text.text.len(),
                        text.sha256
                    ),
                    &format!(
                        "记录仪文件：{}，{} 字节，SHA-256 {}",
                        text.name,
                        text.text.len(),
                        text.sha256
                    ),
                );
                way.push(Step::new(entry.seq, Place::Used, 2, said));
                way.push(Step::end(
                    entry.seq,
                    3,
                    "the readings came in this file: no bytes of a line are recorded",
                    "读数来自该文件：没有通信字节记录",
                ));
            }
        }
        way
    }

    /// The scan of a reading that counts, among those before the point was closed.
    fn scan_of(&self, cycle: &Scan, closed: u64) -> Option<usize> {
        let end = self.scans.partition_point(|scan| scan.entry < closed);
        (0..end)
            .rev()
            .find(|&at| same(cycle, &self.scans[at].value))
    }

    /// Channels from which a measurand is computed at a point; none where the texts of the
    /// record cannot be read, and any channel may enter.
    fn channels_of(&self, measurand: &str, point: &PointClosed) -> Option<BTreeSet<String>> {
        let evidence = self.evidence.as_ref()?;
        let procedure = &evidence.procedure;
        let measurand = procedure.measurand.iter().find(|one| one.id == measurand)?;
        let formulas = procedure
            .formulas(&evidence.order.choices, &point.answers)
            .ok()?;
        let mut signals = signals_of(measurand);
        let mut channels = BTreeSet::new();
        let mut seen = BTreeSet::new();
        while let Some(name) = signals.pop() {
            if procedure.channel(&name).is_some() {
                channels.insert(name);
            } else if let Some(derived) = procedure.derived.iter().find(|one| one.name == name)
                && seen.insert(name)
            {
                let model = Model::compile(&derived.model, &formulas).ok()?;
                signals.extend(model.inputs().iter().cloned());
            }
        }
        Some(channels)
    }
}

fn evidence(entries: &[Entry]) -> Option<Evidence> {
    let Event::Opened(opened) = &entries.first()?.event else {
        return None;
    };
    let texts: Vec<_> = entries.iter().filter_map(text_of).cloned().collect();
    Evidence::parse(opened, &texts).ok()
}

fn text_of(entry: &Entry) -> Option<&TextUsed> {
    match &entry.event {
        Event::Text(text) => Some(text),
        _ => None,
    }
}

/// A reading repeats its scan.
pub(super) fn same(cycle: &Scan, scan: &Scan) -> bool {
    cycle.t_us == scan.t_us
        && cycle.purpose == scan.purpose
        && cycle.indications == scan.indications
}

fn signals_of(measurand: &Measurand) -> Vec<String> {
    let mut signals = vec![measurand.reference.clone(), measurand.indication.clone()];
    for input in &measurand.input {
        match &input.source {
            InputSource::Mean { channel }
            | InputSource::Certificate { channel }
            | InputSource::Drift { channel }
            | InputSource::Resolution { channel } => signals.push(channel.clone()),
            InputSource::TypeA { signal } => signals.push(signal.clone()),
            InputSource::Instability { signal, minus, .. } => {
                signals.push(signal.clone());
                signals.extend(minus.clone());
            }
            InputSource::Hysteresis | InputSource::Fixed(_) => {}
        }
    }
    signals
}

fn why_it_does_not_count(scan: &Scan, closed: Option<&PointClosed>) -> Text {
    let missing: Vec<_> = scan
        .missing
        .iter()
        .map(|(name, reason)| format!("{name}: {reason}"))
        .collect();
    let missing = missing.join("; ");
    if scan.purpose == ScanPurpose::Settling {
        return Text::new(
            "read while settling: only the criteria of the steady state judge it",
            "稳定过程中的读数：仅用于稳态判定",
        );
    }
    if !missing.is_empty() {
        return Text::new(
            &format!("the reading does not count and was started over: {missing}"),
            &format!("该次读数无效，已重新读数：{missing}"),
        );
    }
    match closed {
        Some(point) if Some(point.index) == scan.point => {
            let reasons = point.repeats.join("; ");
            Text::new(
                &format!("the readings of the point were started over: {reasons}"),
                &format!("该点已重新读数：{reasons}"),
            )
        }
        _ => Text::new(
            "the session ended before its point was closed",
            "该点未完成，测量已结束",
        ),
    }
}
