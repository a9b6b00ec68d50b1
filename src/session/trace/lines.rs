//! The lines of a certificate, and the derived value behind each.

use std::collections::BTreeMap;

use heng_certificates::{Cells, Certificate, Table, verdict_text};
use heng_procedures::Outcome;
use heng_quantities::Text;
use heng_records::{Entry, Event};
use serde::Deserialize as _;

use super::{Place, Step};
use crate::analyse::artefact;

/// One row of a table of the certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct CertificateLine {
    /// From 1, over all tables.
    pub number: usize,
    /// Entry that holds the certificate.
    pub entry: u64,
    /// Title of the table and what stands in the row.
    pub text: Text,
    pub(super) source: Source,
}

/// Entry of the result that a line was written from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Result(u64),
    Mapping(u64),
    Unknown,
}

impl CertificateLine {
    pub(super) fn step(&self, depth: usize) -> Step {
        let number = self.number;
        let text = Text::new(
            &format!("certificate, line {number}: {}", self.text.en),
            &format!("证书第 {number} 行：{}", self.text.zh),
        );
        Step {
            line: Some(number),
            ..Step::new(self.entry, Place::Line, depth, text)
        }
    }
}

#[derive(Default)]
pub(super) struct Lines {
    pub all: Vec<CertificateLine>,
}

impl Lines {
    pub fn of(entries: &[Entry]) -> Self {
        let certificate = |entry: &Entry| match &entry.event {
            Event::Derived { body } if artefact::is_certificate(body) => {
                Certificate::deserialize(&body["document"]).ok()
            }
            _ => None,
        };
        let last = entries.iter().enumerate().rev();
        let mut last = last.filter_map(|(at, entry)| Some((at, certificate(entry)?)));
        let Some((at, document)) = last.next() else {
            return Self::default();
        };
        let before = Before::of(&entries[..at]);
        let mut all = Vec::new();
        let mut tables: BTreeMap<&str, usize> = BTreeMap::new();
        for table in &document.tables {
            // Of several set points, each has its tables, in the order of the results.
            let nth = tables.entry(&table.id).or_default();
            for row in 0..rows(table) {
                all.push(CertificateLine {
                    number: all.len() + 1,
                    entry: entries[at].seq,
                    text: in_words(table, row),
                    source: before.source(&table.id, *nth, row),
                });
            }
            *nth += 1;
        }
        Self { all }
    }
}

/// Results in front of a certificate, by measurand or mapped quantity.
#[derive(Default)]
struct Before {
    results: BTreeMap<String, Vec<u64>>,
    mappings: BTreeMap<String, Vec<u64>>,
}

impl Before {
    /// The final results stand directly before the certificate: those of the points while the
    /// session went on come earlier.
    fn of(entries: &[Entry]) -> Self {
        let mut before = Self::default();
        for entry in entries {
            let Event::Derived { body } = &entry.event else {
                before.results.clear();
                continue;
            };
            let (by, name) = match Outcome::deserialize(body) {
                Ok(Outcome::Result(result)) => (&mut before.results, result.measurand),
                Ok(Outcome::Mapping(mapping)) => (&mut before.mappings, mapping.quantity),
                _ => {
                    before.results.clear();
                    continue;
                }
            };
            by.entry(name).or_default().push(entry.seq);
        }
        before
    }

    fn source(&self, table: &str, nth: usize, row: usize) -> Source {
        let result = self.results.get(table).and_then(|all| all.get(row));
        let quantity = table.strip_suffix("-locations").unwrap_or(table);
        let mapping = self.mappings.get(quantity).and_then(|all| all.get(nth));
        match (result, mapping) {
            (Some(entry), _) => Source::Result(*entry),
            (None, Some(entry)) => Source::Mapping(*entry),
            (None, None) => Source::Unknown,
        }
    }
}

fn rows(table: &Table) -> usize {
    let rows = |cells: &Cells| match cells {
        Cells::Text(cells) => cells.len(),
        Cells::Number { values, .. } => values.len(),
        Cells::Verdict { verdicts, .. } => verdicts.len(),
    };
    let columns = table.columns.iter();
    columns.map(|column| rows(&column.cells)).max().unwrap_or(0)
}

fn in_words(table: &Table, row: usize) -> Text {
    let mut cells = vec![table.title.clone()];
    for column in &table.columns {
        let name = &column.name;
        let said = match &column.cells {
            Cells::Text(texts) => texts.get(row).cloned(),
            Cells::Number {
                unit,
                values,
                uncertainty,
            } => values.get(row).map(|value| {
                let expanded = uncertainty.as_ref().and_then(|all| all.get(row));
                let expanded = expanded.map_or_else(String::new, |one| format!(" ± {}", one.value));
                Text::new(
                    &format!("{} {value}{expanded} {unit}", name.en),
                    &format!("{} {value}{expanded} {unit}", name.zh),
                )
            }),
            Cells::Verdict { verdicts, .. } => verdicts.get(row).map(|one| verdict_text(one)),
        };
        cells.extend(said);
    }
    let (en, zh): (Vec<_>, Vec<_>) = cells.into_iter().map(|cell| (cell.en, cell.zh)).unzip();
    Text::new(&en.join(", "), &zh.join("，"))
}
