//! What a session would have given with another text or without a reading.
//!
//! The recorded readings go once more through the library, beside the recorded results; nothing
//! of it can be stored: no type here is written as JSON. The accepted steady state stays as
//! recorded, because the waiting cannot be done again: it was judged with the recorded texts.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use heng_procedures::{
    EvaluationError, Outcome, PointClosed, PointResult, Scan, Severity, SignalError, Signals,
    evaluate, evaluate_point,
};
use heng_quantities::{Decimal, Language, Text, Unit};
use heng_records::{Entry, Event, Opened, TextRole, TextUsed};
use heng_uncertainty::Verdict;
use serde::Deserialize as _;

use super::evidence::{Evidence, EvidenceError, text_used};
use super::logger;
use super::trace::same;
use crate::analyse::{artefact, budget};
use crate::tui::signed;

/// In front of every line, in both languages whatever the language of the line.
const MARK: &str = "WHAT-IF 假设";

/// One thing that is otherwise.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another text in the place of the recorded one of that name.
    Text { name: String, text: String },
    /// The reading whose scan stands in this entry is left out.
    Without { entry: u64 },
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    #[error("the record has no opening entry")]
    NotOpened,
    #[error(
        "the record was made from a logger's file: change the file or its map and import it again"
    )]
    Logger,
    #[error(
        "the record has no text {name:?} that can be replaced; those of its order and standards are {known}"
    )]
    Text { name: String, known: String },
    #[error(
        "entry {entry} is no reading that counts in a complete point: name the entry of its scan"
    )]
    NotAReading { entry: u64 },
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error("with these texts the session could not have begun: {0}")]
    Refused(String),
    #[error(transparent)]
    Signals(#[from] SignalError),
    #[error("reading {cycle} of point {point}, {signal}: {cause}")]
    Reading {
        point: usize,
        cycle: usize,
        signal: String,
        cause: String,
    },
    #[error(transparent)]
    Evaluation(Box<EvaluationError>),
}

impl From<EvaluationError> for WhatIfError {
    fn from(error: EvaluationError) -> Self {
        Self::Evaluation(Box::new(error))
    }
}

/// What is reported of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    pub estimate: f64,
    /// Expanded uncertainty as it is printed.
    pub expanded: Decimal,
    pub k: f64,
    pub decision: Option<Verdict>,
    /// Readings that it rests on.
    pub readings: usize,
    places: usize,
}

/// One result as recorded, and as it would be.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    pub point: usize,
    pub title: Text,
    pub unit: Unit,
    pub recorded: Figures,
    pub what_if: Figures,
}

/// The results of a session with these changes, each beside the recorded one.
///
/// # Errors
/// [`WhatIfError`] where a change does not fit the record, or a result cannot be evaluated.
pub fn what_if(entries: &[Entry], changes: &[Change]) -> Result<Vec<Changed>, WhatIfError> {
    let session = Recorded::of(entries)?;
    let recorded = session.results(&session.texts, &session.points)?;
    let (texts, points) = (
        session.changed_texts(changes)?,
        session.left(entries, changes)?,
    );
    let otherwise = session.results(&texts, &points)?;
    let readings = |points: &[PointClosed], index: usize| {
        let point = points.iter().find(|point| point.index == index);
        point.map_or(0, |point| point.cycles.len())
    };
    let pairs = recorded.iter().zip(&otherwise);
    Ok(pairs
        .map(|(was, is)| Changed {
            point: was.point,
            title: was.title.clone(),
            unit: was.unit,
            recorded: Figures::of(was, readings(&session.points, was.point)),
            what_if: Figures::of(is, readings(&points, is.point)),
        })
        .collect())
}

impl Figures {
    fn of(result: &PointResult, readings: usize) -> Self {
        let gum = result.reported == "gum";
        let expanded = budget::expanded(&result.rounded, &result.budget, &result.monte_carlo, gum);
        Self {
            estimate: result.error,
            expanded: expanded.value,
            k: expanded.k,
            decision: result.decision.as_ref().map(|one| one.verdict),
            readings,
            places: crate::tui::result_places(result),
        }
    }

    /// The figures in one line, in this unit of a difference.
    pub fn said(&self, unit: Unit) -> String {
        let decision = self
            .decision
            .map_or_else(String::new, |one| format!(", {one:?}"));
        let estimate = signed(self.estimate, self.places);
        let Self {
            expanded,
            k,
            readings,
            ..
        } = self;
        format!("{estimate} {unit}, U {expanded} {unit}, k = {k:.2}, n = {readings}{decision}")
    }
}

impl Changed {
    pub fn line(&self, language: Language) -> String {
        let unit = self.unit.difference();
        let (point, title) = (self.point + 1, self.title.get(language));
        let (recorded, what_if) = (self.recorded.said(unit), self.what_if.said(unit));
        match language {
            Language::En => {
                format!("{MARK}  point {point}, {title}: recorded {recorded} -> {what_if}")
            }
            Language::Zh => format!("{MARK}  第 {point} 点，{title}：记录 {recorded} -> {what_if}"),
        }
    }
}

/// What the lines are and are not.
pub fn caution(language: Language) -> String {
    let said = match language {
        Language::En => {
            "nothing of this is stored or issued; the steady states are those of the record"
        }
        Language::Zh => "以下内容不存储、不出具；稳态判定以记录为准",
    };
    format!("{MARK}  {said}")
}

/// What is taken from the record.
struct Recorded {
    opened: Opened,
    texts: Vec<TextUsed>,
    points: Vec<PointClosed>,
    /// A session that was concluded has its results evaluated together, with every direction.
    concluded: bool,
}

impl Recorded {
    fn of(entries: &[Entry]) -> Result<Self, WhatIfError> {
        let Some(Event::Opened(opened)) = entries.first().map(|entry| &entry.event) else {
            return Err(WhatIfError::NotOpened);
        };
        if opened.job == logger::JOB {
            return Err(WhatIfError::Logger);
        }
        let mut recorded = Self {
            opened: opened.clone(),
            texts: Vec::new(),
            points: Vec::new(),
            concluded: false,
        };
        for entry in entries {
            match &entry.event {
                Event::Text(text) => recorded.texts.push(text.clone()),
                Event::Derived { body } if artefact::is_certificate(body) => {
                    recorded.concluded = true;
                }
                Event::Derived { body } => {
                    if let Ok(Outcome::Point(point)) = Outcome::deserialize(body) {
                        recorded.points.push(point);
                    }
                }
                _ => {}
            }
        }
        Ok(recorded)
    }

    fn changed_texts(&self, changes: &[Change]) -> Result<Vec<TextUsed>, WhatIfError> {
        let mut texts = self.texts.clone();
        let may_change =
            |text: &TextUsed| matches!(text.role, TextRole::Order | TextRole::Standard);
        for change in changes {
            let Change::Text { name, text } = change else {
                continue;
            };
            let mut all = texts.iter_mut();
            let Some(old) = all.find(|old| may_change(old) && old.name == *name) else {
                let known = self.texts.iter().filter(|text| may_change(text));
                let known: Vec<_> = known.map(|text| text.name.as_str()).collect();
                return Err(WhatIfError::Text {
                    name: name.clone(),
                    known: known.join(", "),
                });
            };
            *old = text_used(old.role, name, text);
        }
        Ok(texts)
    }

    /// The points without the readings that are left out.
    fn left(&self, entries: &[Entry], changes: &[Change]) -> Result<Vec<PointClosed>, WhatIfError> {
        let mut points = self.points.clone();
        for change in changes {
            let &Change::Without { entry } = change else {
                continue;
            };
            let refuse = || WhatIfError::NotAReading { entry };
            let scan = scan_at(entries, entry).ok_or_else(refuse)?;
            let mut complete = points.iter_mut().filter(|point| point.complete);
            let found = complete.find_map(|point| {
                let at = point.cycles.iter().position(|cycle| same(cycle, &scan))?;
                Some((point, at))
            });
            let (point, at) = found.ok_or_else(refuse)?;
            point.cycles.remove(at);
        }
        Ok(points)
    }

    /// As the session evaluates its points, by these texts.
    fn results(
        &self,
        texts: &[TextUsed],
        points: &[PointClosed],
    ) -> Result<Vec<PointResult>, WhatIfError> {
        let evidence = Evidence::parse(&self.opened, texts)?;
        let findings = evidence.lint();
        let refused = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Alarm);
        let refused: Vec<_> = refused
            .map(|finding| format!("{}: {}", finding.place, finding.text.en))
            .collect();
        if !refused.is_empty() {
            return Err(WhatIfError::Refused(refused.join("; ")));
        }
        let Evidence {
            procedure,
            order,
            standards,
            ..
        } = &evidence;
        let points = derived_again(&Signals::new(procedure, order, standards)?, points)?;
        let (seed, rule) = (self.opened.seed, evidence.rules());
        if self.concluded {
            return Ok(evaluate(procedure, order, standards, &points, seed, rule)?);
        }
        let mut results = Vec::new();
        for (at, point) in points.iter().enumerate().filter(|(_, one)| one.complete) {
            let before = &points[..at];
            results.extend(evaluate_point(
                procedure, order, standards, point, before, seed, rule,
            )?);
        }
        Ok(results)
    }
}

fn scan_at(entries: &[Entry], number: u64) -> Option<Scan> {
    let at = entries.partition_point(|entry| entry.seq < number);
    let entry = entries.get(at).filter(|entry| entry.seq == number)?;
    let Event::Derived { body } = &entry.event else {
        return None;
    };
    match Outcome::deserialize(body) {
        Ok(Outcome::Scan(scan)) => Some(scan),
        _ => None,
    }
}

/// The signals of every reading from its indications, by the standards that hold now.
fn derived_again(
    signals: &Signals,
    points: &[PointClosed],
) -> Result<Vec<PointClosed>, WhatIfError> {
    let mut points = points.to_vec();
    for point in points.iter_mut().filter(|point| point.complete) {
        for (at, scan) in point.cycles.iter_mut().enumerate() {
            let mut missing = BTreeMap::new();
            scan.signals = signals.channels(&scan.indications, &mut missing);
            signals.derive(&point.answers, &mut scan.signals, &mut missing);
            if let Some((signal, cause)) = missing.pop_first() {
                return Err(WhatIfError::Reading {
                    point: point.index + 1,
                    cycle: at + 1,
                    signal,
                    cause,
                });
            }
        }
    }
    Ok(points)
}
