//! A session without instruments: the file of a data logger, taken whole into a record.

use std::path::Path;

use heng_procedures::{Outcome, Rules, map_space};
use heng_quantities::Text;
use heng_records::{Entry, Event, Opened, Storage, TextRole, TextUsed, WriteError, Writer};
use serde_json::Value;

use super::bench::Scope;
use super::calendar::Calendar;
use super::evidence::{self, EvidenceError, parse_toml, single};
use super::live::{self, Ended, LiveError};
use crate::analyse::artefact;
use crate::analyse::certificate::{Closing, Frame};
use crate::analyse::import::{ImportError, read_table};
use crate::analyse::map::{Map, MapError};
use crate::analyse::mapping;

/// Name of the job in the opening entry.
pub const JOB: &str = "import";

/// Why a logger's file cannot become a record; nothing was written but for `Live`.
#[derive(Debug, thiserror::Error)]
pub enum LoggerError {
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Map(#[from] MapError),
    #[error("{name}, {source}")]
    Import {
        name: String,
        source: Box<ImportError>,
    },
    #[error("{0}")]
    Mapping(String),
    #[error(transparent)]
    Live(Box<LiveError>),
    #[error("a derived value cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Everything that follows from the texts: results, the end, the certificate. A pure
/// function of the record's first entries.
///
/// # Errors
/// [`LoggerError`] naming the file and the place in it.
pub fn derive(
    opened: &Opened,
    texts: &[TextUsed],
    last: &Entry,
) -> Result<Vec<Value>, LoggerError> {
    evidence::check_hashes(texts)?;
    let (procedure, procedure_sha256) = evidence::procedure(texts)?;
    let scope: Scope = parse_toml(single(texts, TextRole::Scope, "scope of the laboratory")?)?;
    let map_text = single(texts, TextRole::Map, "map")?;
    let map = Map::parse(&map_text.name, &map_text.text)?;
    evidence::check_number(&map.order.number)?;
    let data = single(texts, TextRole::Data, "logger file")?;
    let table = read_table(&map, data.text.as_bytes()).map_err(|source| LoggerError::Import {
        name: data.name.clone(),
        source: Box::new(source),
    })?;
    let results = map_space(
        &procedure,
        &map.request(),
        &table,
        opened.seed,
        Rules::of_format(opened.format),
    )
    .map_err(|error| LoggerError::Mapping(error.to_string()))?;
    let closing = Closing {
        entry: last.seq,
        head: last.hash.clone(),
        begun: map.window.from.to_string(),
        ended: map.window.to.to_string(),
    };
    let frame = Frame {
        number: &opened.session,
        order: &map.order,
        scope: &scope,
        procedure: &procedure,
        procedure_sha256: &procedure_sha256,
        operator: &opened.operator,
        closing: &closing,
        issued: last.utc.clone(),
    };
    let composed = mapping::compose(&frame, &procedure, (&map, &map_text.sha256), &results)
        .map_err(LoggerError::Mapping)?;
    let mut derived = results
        .into_iter()
        .map(|result| serde_json::to_value(Outcome::Mapping(Box::new(result))))
        .collect::<Result<Vec<_>, _>>()?;
    let reason = Text::new("the file was evaluated", "文件已处理");
    let finished = Outcome::Finished {
        t_us: last.t_us,
        completed: true,
        reason,
    };
    derived.push(serde_json::to_value(finished)?);
    derived.push(artefact::derived(composed)?);
    Ok(derived)
}

impl From<LiveError> for LoggerError {
    fn from(error: LiveError) -> Self {
        Self::Live(Box::new(error))
    }
}

impl From<WriteError> for LoggerError {
    fn from(error: WriteError) -> Self {
        LiveError::from(error).into()
    }
}

/// Writes the record of an import and everything made from it.
///
/// # Errors
/// [`LoggerError`]; only with [`LoggerError::Live`] was anything written.
pub fn run(
    opened: &Opened,
    texts: &[TextUsed],
    folder: &Path,
    calendar: &Calendar,
) -> Result<Ended, LoggerError> {
    // The values depend on the hash of the last text's entry, so they can only be derived
    // after it is written; whether they can be derived at all is found out before.
    let probe = Entry {
        seq: texts.len() as u64,
        t_us: 0,
        utc: calendar.moment(0),
        event: Event::Derived { body: Value::Null },
        prev: String::new(),
        hash: heng_records::GENESIS.to_owned(),
    };
    derive(opened, texts, &probe)?;
    let path = folder.join(format!("{}.jsonl", opened.session));
    let mut writer = Writer::create(&path, Storage::default())?;
    // Nothing takes time here: the same file, map and moment give the same record.
    let clock = heng_drivers::SkippingClock::new();
    let entries = live::open_record(
        &mut writer,
        &clock,
        calendar,
        opened.clone(),
        texts.to_vec(),
    )?;
    let last = entries
        .last()
        .expect("a record begins with its opening entry");
    let mut document = None;
    for body in derive(opened, texts, last)? {
        if artefact::is_certificate(&body) {
            document = Some(body.clone());
        }
        writer.append(last.t_us, last.utc.clone(), Event::Derived { body })?;
    }
    let when = (last.t_us, last.utc.as_str());
    let (files, _) = live::close_record(&mut writer, when, folder, document.as_ref(), "completed")?;
    Ok(Ended {
        record: path,
        completed: true,
        not_safe: Vec::new(),
        files,
    })
}
