//! The calibrations of one item, from the tables of its laboratory.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::tables::{RecordRow, ResultRow, Tables};
use crate::analyse::history::{Change, Earlier, changes};

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("no record is of an item {item:?}: name its serial number, or MANUFACTURER/MODEL/SERIAL{}", listed(.similar))]
    Nobody { item: String, similar: Vec<String> },
    #[error("{item:?} is the serial number of several items: name one of{}", listed(.all))]
    Several { item: String, all: Vec<String> },
    #[error("the results cannot be compared: {0}")]
    Compare(String),
}

fn listed(names: &[String]) -> String {
    names
        .iter()
        .fold(String::new(), |all, name| all + "\n  " + name)
}

/// The certified results of an item.
pub struct History<'a> {
    /// MANUFACTURER/MODEL/SERIAL.
    pub item: String,
    pub calibrations: usize,
    pub series: Vec<Vec<Line<'a>>>,
    /// Records of the item whose results are not used.
    pub left_out: Vec<&'a RecordRow>,
}

/// A result against the one before it of the same measurand at the same point.
pub struct Line<'a> {
    pub record: &'a RecordRow,
    pub result: &'a ResultRow,
    pub change: Change,
    /// Both results rest on the certificate of the same standard.
    pub same_standard: bool,
}

fn name_of(record: &RecordRow) -> Option<String> {
    let (maker, model) = (record.manufacturer.as_ref()?, record.model.as_ref()?);
    Some(format!("{maker}/{model}/{}", record.serial.as_ref()?))
}

/// The one item of that serial number, or of that whole name.
fn choose(tables: &Tables, item: &str) -> Result<String, HistoryError> {
    let (mut found, mut similar) = (BTreeSet::new(), BTreeSet::new());
    for record in &tables.records {
        let Some(name) = name_of(record) else {
            continue;
        };
        if name.to_lowercase().contains(&item.to_lowercase()) {
            similar.insert(name.clone());
        }
        if name == item || record.serial.as_deref() == Some(item) {
            found.insert(name);
        }
    }
    let mut names = found.iter();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.clone()),
        (None, _) => Err(HistoryError::Nobody {
            item: item.to_owned(),
            similar: similar.into_iter().collect(),
        }),
        (Some(_), Some(_)) => Err(HistoryError::Several {
            item: item.to_owned(),
            all: found.into_iter().collect(),
        }),
    }
}

/// The certified results of the item, each held against the calibration before.
///
/// # Errors
/// [`HistoryError`] where there is no such item, or where the name is that of several.
pub fn history<'a>(tables: &'a Tables, item: &str) -> Result<History<'a>, HistoryError> {
    let item = choose(tables, item)?;
    let own = tables.records.iter();
    let own = own.filter(|record| name_of(record).as_ref() == Some(&item));
    let is_certified =
        |record: &&RecordRow| record.verdict == "good" && record.certificate.is_some();
    let (certified, left_out): (Vec<_>, Vec<_>) = own.partition(is_certified);
    let records: BTreeMap<_, _> = certified.iter().map(|one| (&one.path, *one)).collect();
    let results: Vec<_> = tables
        .results
        .iter()
        .filter(|result| !result.preliminary)
        .filter_map(|result| Some((*records.get(&result.path)?, result)))
        .collect();
    let mut keys = BTreeMap::new();
    let mut earlier = Vec::new();
    for (record, result) in &results {
        // The same point is that of the same procedure, whatever its version.
        let key = (
            &record.procedure,
            &result.measurand,
            &result.point,
            &result.set_points,
            &result.error_unit,
        );
        let next = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let moment: Timestamp = result
            .measured_utc
            .parse()
            .map_err(|error| HistoryError::Compare(format!("{}: {error}", result.path)))?;
        earlier.push(Earlier {
            series: *keys.entry(key).or_insert(next),
            moment_us: moment.as_microsecond(),
            error: result.certified_error.to_f64(),
            expanded: result.certified_uncertainty.to_f64(),
            coverage: result.coverage_probability,
        });
    }
    let changes = changes(&earlier).map_err(|error| HistoryError::Compare(error.to_string()))?;
    let mut series: Vec<Vec<Line<'a>>> = Vec::new();
    for change in changes {
        let (record, result) = results[change.row];
        let before = change.before.map(|before| results[before].0);
        let line = Line {
            record,
            result,
            change,
            same_standard: before.is_some_and(|before| share_standard(before, record)),
        };
        match series.last_mut() {
            Some(lines) if change.before.is_some() => lines.push(line),
            _ => series.push(vec![line]),
        }
    }
    Ok(History {
        item,
        calibrations: certified.len(),
        series,
        left_out,
    })
}

fn share_standard(one: &RecordRow, other: &RecordRow) -> bool {
    fn numbers(record: &RecordRow) -> BTreeSet<&str> {
        let standards = record.standards.as_deref().unwrap_or_default();
        standards
            .split("; ")
            .filter(|one| !one.is_empty())
            .collect()
    }
    !numbers(one).is_disjoint(&numbers(other))
}
