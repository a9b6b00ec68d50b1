//! From the folder of a laboratory to the rows of its index. Nothing but the records and what
//! lies beside them is read, and nothing is written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use heng_certificates::{Certificate, Influence};
use heng_procedures::{Item, MappingResult, Outcome, Planned, PointClosed, PointResult, Procedure};
use heng_records::{
    Checkpoint, Entry, Event, Opened, TextRole, TextUsed, Verdict, checkpoints_of, verify,
};
use jiff::Timestamp;

use super::tables::{CheckpointRow, ReadingRow, RecordRow, ResultRow, Tables};
use crate::analyse::certificate::verdict_name;
use crate::analyse::map::Map;
use crate::analyse::mapping::quantity_name;
use crate::analyse::{artefact, budget};
use crate::session::evidence::{self, single};

#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    #[error("{0} is not a folder: name the folder of the laboratory")]
    NoFolder(PathBuf),
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> SurveyError {
    let path = path.to_owned();
    move |source| SurveyError::Read { path, source }
}

/// A file that is, or should be, a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Relative to the folder, with `/`.
    pub path: String,
    pub record_bytes: u64,
    pub checkpoint_bytes: u64,
    /// Why it is not even opened.
    refused: Option<&'static str>,
}

/// Every `.jsonl` below the folder, in order. Links are listed, not followed: they lead in
/// circles, or out of the laboratory.
///
/// # Errors
/// [`SurveyError`] where a folder cannot be read.
pub fn records_below(folder: &Path) -> Result<Vec<Found>, SurveyError> {
    if !folder.is_dir() {
        return Err(SurveyError::NoFolder(folder.to_owned()));
    }
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((path, prefix)) = folders.pop() {
        for entry in fs::read_dir(&path).map_err(unreadable(&path))? {
            let entry = entry.map_err(unreadable(&path))?;
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().map_err(unreadable(&path))?;
            let shown = format!("{prefix}{}", name.to_string_lossy());
            if kind.is_dir() {
                folders.push((path, format!("{shown}/")));
            } else if path.extension().is_some_and(|end| end == "jsonl") {
                let refused = if name.to_str().is_none() {
                    Some("its name is not UTF-8: rename it")
                } else if kind.is_file() {
                    None
                } else {
                    Some("it is a link or no file: put the record itself in its place")
                };
                found.push(Found {
                    path: shown,
                    record_bytes: length(&path),
                    checkpoint_bytes: length(&checkpoints_of(&path)),
                    refused,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// 0 where there is no such file: one that cannot be read is found when it is opened.
fn length(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |known| known.len())
}

/// Reads and verifies every record below the folder.
///
/// # Errors
/// [`SurveyError`] where a folder cannot be read. A record that cannot be read is a row.
pub fn survey(folder: &Path) -> Result<Tables, SurveyError> {
    let folder = folder.canonicalize().map_err(unreadable(folder))?;
    let mut tables = Tables::default();
    for found in records_below(&folder)? {
        let path = folder.join(&found.path);
        let mut row = RecordRow {
            path: found.path,
            verdict: "unreadable".to_owned(),
            record_bytes: found.record_bytes,
            checkpoint_bytes: found.checkpoint_bytes,
            ..RecordRow::default()
        };
        let mut reasons: Vec<String> = found.refused.map(str::to_owned).into_iter().collect();
        if reasons.is_empty() {
            match take(&path, &mut row, &mut tables) {
                Ok(found) => reasons = found,
                Err(reason) => {
                    "unreadable".clone_into(&mut row.verdict);
                    reasons.push(reason);
                }
            }
        }
        if !reasons.is_empty() {
            // The index says the same wherever the laboratory's folder lies.
            let here = format!("{}/", folder.display());
            row.reasons = Some(reasons.join("\n").replace(&here, ""));
        }
        tables.records.push(row);
    }
    Ok(tables)
}

/// The readings that the results of these records rest on, read from the records again.
///
/// # Errors
/// [`SurveyError`] where a record cannot be read any more.
pub fn readings(folder: &Path, records: &[RecordRow]) -> Result<Vec<ReadingRow>, SurveyError> {
    let mut rows = Vec::new();
    // As with results: an altered record is no evidence.
    let sound = |one: &&RecordRow| matches!(&*one.verdict, "good" | "incomplete");
    for record in records.iter().filter(sound) {
        let path = folder.join(&record.path);
        let content = Content::read(&path, record.entries).map_err(unreadable(&path))?;
        let planned = content.planned.as_ref();
        let before = rows.len();
        for (_, point) in content.points.values() {
            let planned = planned.and_then(|planned| planned.points.get(point.index));
            let name = planned.map_or_else(|| point.index.to_string(), |one| one.id.clone());
            for scan in &point.cycles {
                rows.extend(scan.indications.iter().map(|one| ReadingRow {
                    path: record.path.clone(),
                    number: 0,
                    point: name.clone(),
                    cycle: scan.cycle,
                    channel: one.channel.clone(),
                    indication: one.digits,
                    unit: one.unit.symbol().to_owned(),
                    quality: one.quality.clone(),
                    t_us: one.t_us,
                    entry: one.entry,
                }));
            }
        }
        for (row, number) in rows[before..].iter_mut().zip(1..) {
            row.number = number;
        }
    }
    Ok(rows)
}

/// Fills the row of one record and adds its results and checkpoints; gives what speaks
/// against the record, or why it cannot be read.
fn take(path: &Path, row: &mut RecordRow, tables: &mut Tables) -> Result<Vec<String>, String> {
    let found = verify(path, &[]).map_err(|error| error.to_string())?;
    let content = Content::read(path, found.entries).map_err(|error| error.to_string())?;
    let verdict = match found.verdict {
        Verdict::Good => "good",
        Verdict::Altered => "altered",
        Verdict::Incomplete => "incomplete",
    };
    verdict.clone_into(&mut row.verdict);
    row.entries = found.entries;
    row.head = Some(found.head);
    row.root = Some(found.root);
    let mut reasons = found.reasons;
    content.describe(row);
    // What a record says that is not as it was written is no evidence of anything.
    if found.verdict != Verdict::Altered {
        content.certify(row);
        match content.results(&row.path) {
            Ok(results) => tables.results.extend(results),
            Err(cause) => reasons.push(format!("no results: {cause}")),
        }
    }
    let checkpoints = checkpoints(path, &row.path).map_err(|error| error.to_string())?;
    tables.checkpoints.extend(checkpoints);
    Ok(reasons)
}

/// The checkpoints up to the first that is none; whether they hold is part of the verdict.
fn checkpoints(record: &Path, name: &str) -> io::Result<Vec<CheckpointRow>> {
    let file = match File::open(checkpoints_of(record)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let lines = BufReader::new(file).split(b'\n').zip(1..);
    let mut rows = Vec::new();
    for (line, number) in lines {
        let Ok(one) = serde_json::from_slice::<Checkpoint>(&line?) else {
            break;
        };
        rows.push(CheckpointRow {
            path: name.to_owned(),
            number,
            entries: one.entries,
            bytes: one.bytes,
            head: one.head,
            root: one.root,
            utc: one.utc,
        });
    }
    Ok(rows)
}

/// A moment in UTC with microseconds, so that texts sort as moments; as it is where it is none.
fn in_utc(moment: &str) -> String {
    moment
        .parse::<Timestamp>()
        .map_or_else(|_| moment.to_owned(), |moment| format!("{moment:.6}"))
}

/// A result, the entry that holds it and the moment of its measurement.
struct Kept<T> {
    entry: u64,
    measured: String,
    result: T,
}

/// What the rows are made of: a small part of the entries, so that a long record needs little
/// memory.
#[derive(Default)]
struct Content {
    opened: Option<(Opened, String)>,
    texts: Vec<TextUsed>,
    planned: Option<Planned>,
    /// Points, with the moments at which they were complete. One that was started over counts
    /// as it was in the end.
    points: BTreeMap<usize, (String, PointClosed)>,
    /// The last result of each point and measurand counts: earlier ones lack later readings.
    compared: BTreeMap<(usize, String), Kept<PointResult>>,
    mapped: Vec<Kept<MappingResult>>,
    certificate: Option<Certificate>,
    sealed: Option<(String, String)>,
}

impl Content {
    /// Takes the first entries of the record, which hold.
    fn read(path: &Path, entries: u64) -> io::Result<Self> {
        let mut input = BufReader::new(File::open(path)?);
        let (mut content, mut line) = (Self::default(), Vec::new());
        for _ in 0..entries {
            line.clear();
            input.read_until(b'\n', &mut line)?;
            if matters(&line) {
                content.take(serde_json::from_slice(&line)?);
            }
        }
        Ok(content)
    }

    fn take(&mut self, entry: Entry) {
        match entry.event {
            Event::Opened(opened) => self.opened = Some((opened, entry.utc)),
            Event::Text(text) => self.texts.push(text),
            Event::Sealed { reason, .. } => self.sealed = Some((entry.utc, reason)),
            Event::Derived { body } if artefact::is_certificate(&body) => {
                self.certificate = artefact::document(&body).ok();
            }
            Event::Derived { body } => {
                if let Ok(outcome) = serde_json::from_value(body) {
                    self.derived(outcome, entry.seq, entry.utc);
                }
            }
            _ => {}
        }
    }

    fn derived(&mut self, outcome: Outcome, entry: u64, utc: String) {
        match outcome {
            Outcome::Planned(planned) => self.planned = Some(planned),
            Outcome::Point(point) => {
                self.points.insert(point.index, (utc, point));
            }
            Outcome::Result(result) => {
                let at = (result.point, result.measurand.clone());
                let point = self.points.get(&result.point);
                let measured = point.map_or(utc, |(complete, _)| complete.clone());
                let result = *result;
                let kept = Kept {
                    entry,
                    measured,
                    result,
                };
                self.compared.insert(at, kept);
            }
            Outcome::Mapping(result) => self.mapped.push(Kept {
                entry,
                measured: utc,
                result: *result,
            }),
            _ => {}
        }
    }

    fn map(&self) -> Option<Map> {
        let text = self.texts.iter().find(|text| text.role == TextRole::Map)?;
        Map::parse(&text.name, &text.text).ok()
    }

    fn item(&self) -> Option<Item> {
        match evidence::order(&self.texts) {
            Ok(order) => Some(order.item),
            Err(_) => self.map().map(|map| map.order.item),
        }
    }

    /// What the record says of itself.
    fn describe(&self, row: &mut RecordRow) {
        if let Some((opened, utc)) = self.opened.clone() {
            row.format = Some(opened.format);
            row.program = Some(opened.program);
            row.version = Some(opened.version);
            row.session = Some(opened.session);
            row.job = Some(opened.job);
            row.clock = Some(opened.clock);
            row.operator = Some(opened.operator);
            row.opened_utc = Some(in_utc(&utc));
        }
        if let Some((utc, reason)) = &self.sealed {
            row.sealed_utc = Some(in_utc(utc));
            row.close_reason = Some(reason.clone());
        }
        if let Ok(text) = single(&self.texts, TextRole::Procedure, "procedure") {
            row.procedure_sha256 = Some(text.sha256.clone());
        }
        if let Ok((procedure, _)) = evidence::procedure(&self.texts) {
            row.procedure = Some(procedure.id);
            row.procedure_version = Some(procedure.version);
        }
        if let Some(item) = self.item() {
            row.item = Some(item.name.en);
            row.manufacturer = Some(item.manufacturer);
            row.model = Some(item.model);
            row.serial = Some(item.serial);
        }
    }

    fn certify(&self, row: &mut RecordRow) {
        let Some(document) = &self.certificate else {
            return;
        };
        let standards = document.standards.iter();
        let standards: Vec<_> = standards.map(|one| one.certificate.as_str()).collect();
        let conditions: Vec<_> = document.environment.iter().map(condition).collect();
        row.certificate = Some(document.number.clone());
        row.issued = Some(document.issued.clone());
        row.demonstration = Some(document.demonstration);
        row.standards = Some(standards.join("; ")).filter(|text| !text.is_empty());
        row.conditions = Some(conditions.join("; ")).filter(|text| !text.is_empty());
    }

    fn results(&self, path: &str) -> Result<Vec<ResultRow>, String> {
        if self.compared.is_empty() && self.mapped.is_empty() {
            return Ok(Vec::new());
        }
        let (procedure, _) = evidence::procedure(&self.texts).map_err(|error| error.to_string())?;
        let planned = self.planned.as_ref();
        let compared = self.compared.values();
        let compared = compared.map(|kept| compared_row(kept, &procedure, planned));
        let map = self.map();
        let mapped = self.mapped.iter();
        let mapped = mapped.map(|kept| mapped_row(kept, &procedure, map.as_ref()));
        let rows = compared.chain(mapped).zip(1..).map(|(row, number)| {
            Ok(ResultRow {
                path: path.to_owned(),
                number,
                ..row?
            })
        });
        rows.collect()
    }
}

fn condition(influence: &Influence) -> String {
    let Influence {
        name,
        unit,
        min,
        max,
        ..
    } = influence;
    format!("{} {min} {unit} to {max} {unit}", name.en)
}

/// Whether a line can matter here, told from its bytes: most lines are exchanges and scans,
/// and parsing them would be most of the work. `FORMAT.md` fixes how a line is written, and
/// inside of a text a quotation mark has a backslash, so nothing that matters is missed.
fn matters(line: &[u8]) -> bool {
    const VALUES: [&str; 5] = ["planned", "point", "result", "mapping", "certificate"];
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    let kind = line.split_once(r#""event":{"kind":""#);
    match kind.and_then(|(_, rest)| rest.split('"').next()) {
        Some("opened" | "text" | "sealed") => true,
        Some("derived") => VALUES
            .iter()
            .any(|value| line.contains(&format!(r#""what":"{value}""#))),
        _ => false,
    }
}

fn compared_row(
    kept: &Kept<PointResult>,
    procedure: &Procedure,
    planned: Option<&Planned>,
) -> Result<ResultRow, String> {
    let result = &kept.result;
    let measurand = procedure.measurand.iter();
    let measurand = measurand
        .clone()
        .find(|one| one.id == result.measurand)
        .ok_or_else(|| format!("the procedure has no measurand {:?}", result.measurand))?;
    let value_unit = procedure.signal_unit(&measurand.reference);
    let point = planned
        .and_then(|planned| planned.points.get(result.point))
        .ok_or_else(|| format!("point {} was not planned", result.point))?;
    let set = point.set.iter();
    let set: Vec<_> = set.map(|(name, value)| format!("{name} {value}")).collect();
    let gum = result.reported == "gum";
    let printed = budget::expanded(&result.rounded, &result.budget, &result.monte_carlo, gum);
    let limit = |end: usize| result.limit.map(|limit| limit[end] + 0.0);
    let decision = result.decision.as_ref();
    Ok(ResultRow {
        path: String::new(),
        number: 0,
        entry: kept.entry,
        measurand: result.measurand.clone(),
        quantity: result.title.en.clone(),
        quantity_zh: result.title.zh.clone(),
        point: point.id.clone(),
        point_title: point.title.en.clone(),
        point_title_zh: point.title.zh.clone(),
        set_points: Some(set.join("; ")),
        value_unit: Some(value_unit.unwrap_or(measurand.unit).symbol().to_owned()),
        // A negative zero would not survive the index: SQLite stores it as zero.
        reference: Some(result.reference + 0.0),
        indication: Some(result.indication + 0.0),
        error_unit: result.unit.difference().symbol().to_owned(),
        error: result.error + 0.0,
        expanded_uncertainty: if gum {
            result.budget.expanded
        } else {
            half_width(result.monte_carlo.shortest)
        },
        certified_error: result.rounded.value,
        certified_uncertainty: result.rounded.uncertainty,
        coverage_factor: finite(printed.k),
        coverage_probability: printed.coverage,
        evaluation: result.reported.clone(),
        limit_low: limit(0),
        limit_high: limit(1),
        conformity: decision.map(|decision| verdict_name(decision.verdict).to_owned()),
        preliminary: result.preliminary,
        measured_utc: in_utc(&kept.measured),
        measured: kept.measured.clone(),
    })
}

/// A mapped space has one result with an uncertainty: that of the definition's measurand.
fn mapped_row(
    kept: &Kept<MappingResult>,
    procedure: &Procedure,
    map: Option<&Map>,
) -> Result<ResultRow, String> {
    let result = &kept.result;
    let definition = procedure.definition.iter();
    let definition = definition.clone().find(|one| one.id == result.definition);
    let measurand = definition
        .and_then(|one| one.measurand.iter().find(|one| one.id == result.measurand))
        .ok_or_else(|| format!("the procedure has no measurand {:?}", result.measurand))?;
    let gum = result.validation.validated;
    let printed = budget::expanded(&result.rounded, &result.budget, &result.monte_carlo, gum);
    let (error, expanded) = if gum {
        (result.budget.value, result.budget.expanded)
    } else {
        let trials = &result.monte_carlo;
        (trials.mean, half_width(trials.shortest))
    };
    // The readings are those of the window, not of the day on which they were imported.
    let window = map.map(|map| map.window.to.to_string());
    let measured = window.unwrap_or_else(|| kept.measured.clone());
    let (quantity, set) = (quantity_name(&result.quantity), result.set_value);
    Ok(ResultRow {
        path: String::new(),
        number: 0,
        entry: kept.entry,
        measurand: result.measurand.clone(),
        quantity: quantity.en,
        quantity_zh: quantity.zh,
        point: result.definition.clone(),
        point_title: measurand.title.en.clone(),
        point_title_zh: measurand.title.zh.clone(),
        set_points: set.map(|value| format!("{} {value}", result.quantity)),
        value_unit: Some(result.unit.symbol().to_owned()),
        reference: set.map(|value| value + 0.0),
        indication: None,
        error_unit: measurand.unit(result.unit).symbol().to_owned(),
        error: error + 0.0,
        expanded_uncertainty: expanded,
        certified_error: result.rounded.value,
        certified_uncertainty: result.rounded.uncertainty,
        coverage_factor: finite(printed.k),
        coverage_probability: printed.coverage,
        evaluation: if gum { "gum" } else { "monte_carlo" }.to_owned(),
        limit_low: None,
        limit_high: None,
        conformity: None,
        preliminary: false,
        measured_utc: in_utc(&measured),
        measured,
    })
}

/// JSON has no infinity.
fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

fn half_width([low, high]: [f64; 2]) -> f64 {
    (high - low) / 2.0
}
