//! The index over the records of a laboratory: one SQLite file, made from the records alone.
//! It may be lost, damaged or old at any time; then it is made again. `records/INDEX.md`
//! describes it.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use heng_records::sha256_hex;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use serde_json::Value;

use super::survey::{Found, SurveyError, records_below, survey};
use super::tables::{CheckpointRow, Kind, RecordRow, ResultRow, Row, SCHEMA, Tables};
use super::witness::contradictions;

/// Name of the file in the folder of the laboratory.
pub const NAME: &str = "heng-index.sqlite";
const LOCK: &str = "heng-index.lock";

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error(transparent)]
    Survey(#[from] SurveyError),
    #[error("the index cannot be written to {path}: {cause}")]
    Write { path: PathBuf, cause: String },
    #[error(
        "the index was left as it is, for it has seen more than is there:\n  {}\nfind the copy that holds it (heng restore), or say --forget to make the index without it", .0.join("\n  ")
    )]
    Contradicted(Vec<String>),
    #[error("a row of the index is no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Why an index that is there, or should be, is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    Missing,
    /// Made by a program with other columns.
    Schema(i64),
    Damaged(String),
}

impl Unusable {
    /// As people are told; none where it says nothing new.
    fn note(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Schema(found) => Some(format!(
                "the index has schema {found}, this program writes {SCHEMA}: it was made again from the records"
            )),
            Self::Damaged(cause) => Some(format!(
                "the index was damaged ({cause}): it was made again from the records"
            )),
        }
    }
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<serde_json::Error> for Unusable {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// The tables as the records give them now, and what there is to tell.
#[derive(Debug)]
pub struct Current {
    pub tables: Tables,
    pub notes: Vec<String>,
}

/// The tables of the index where it is sound and knows the same files with the same lengths;
/// otherwise the index is made again first. An index that cannot be written is done without.
///
/// # Errors
/// [`IndexError`] where the folder cannot be read.
pub fn current(folder: &Path) -> Result<Current, IndexError> {
    let files = records_below(folder)?;
    let before = read(folder);
    let mut notes = Vec::new();
    match before {
        Ok(tables) if is_of(&tables, &files) => Ok(Current { tables, notes }),
        Ok(before) => {
            let tables = survey(folder)?;
            let lost = contradictions(folder, &before, &tables);
            if !lost.is_empty() {
                notes.extend(lost.into_iter().map(|one| format!("the index: {one}")));
                notes.push("the index was left as it is: see heng index check".to_owned());
                return Ok(Current { tables, notes });
            }
            notes.extend(write(folder, &tables).err().map(|one| one.to_string()));
            Ok(Current { tables, notes })
        }
        Err(unusable) => {
            let tables = survey(folder)?;
            notes.extend(unusable.note());
            notes.extend(write(folder, &tables).err().map(|one| one.to_string()));
            Ok(Current { tables, notes })
        }
    }
}

fn is_of(tables: &Tables, files: &[Found]) -> bool {
    let same = |(row, file): (&RecordRow, &Found)| {
        row.path == file.path
            && row.record_bytes == file.record_bytes
            && row.checkpoint_bytes == file.checkpoint_bytes
    };
    tables.records.len() == files.len() && tables.records.iter().zip(files).all(same)
}

/// Makes the index from the records alone.
///
/// # Errors
/// [`IndexError::Contradicted`] where a sound index has seen more than the records hold now,
/// unless that is to be forgotten; [`IndexError`] where the folder cannot be read or the index
/// not be written.
pub fn rebuild(folder: &Path, forget: bool) -> Result<Current, IndexError> {
    let tables = survey(folder)?;
    let mut notes = Vec::new();
    match read(folder) {
        Err(unusable) => notes.extend(unusable.note()),
        Ok(before) => {
            let lost = contradictions(folder, &before, &tables);
            if !lost.is_empty() && !forget {
                return Err(IndexError::Contradicted(lost));
            }
            notes.extend(lost.into_iter().map(|one| format!("forgotten: {one}")));
        }
    }
    write(folder, &tables)?;
    Ok(Current { tables, notes })
}

/// How the index stands to the records, every one read again.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It is what the records give.
    Same,
    Unusable(Unusable),
    /// Records were added or went on since.
    Old,
    /// Records have lost what the index has seen of them.
    Lost(Vec<String>),
}

/// Holds the index against the records, and writes nothing.
///
/// # Errors
/// [`IndexError`] where the folder cannot be read.
pub fn check(folder: &Path) -> Result<(Standing, Tables), IndexError> {
    let tables = survey(folder)?;
    let standing = match read(folder) {
        Err(unusable) => Standing::Unusable(unusable),
        Ok(before) if before == tables => Standing::Same,
        Ok(before) => match contradictions(folder, &before, &tables) {
            lost if lost.is_empty() => Standing::Old,
            lost => Standing::Lost(lost),
        },
    };
    Ok((standing, tables))
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Digits => "TEXT",
        Kind::Count | Kind::Flag => "INTEGER",
        Kind::Number => "REAL",
    }
}

fn names<R: Row>() -> String {
    let names: Vec<_> = R::COLUMNS.iter().map(|column| column.name).collect();
    names.join(", ")
}

/// Writes the index beside its place, whole and synced, and only then gives it its name.
fn write(folder: &Path, tables: &Tables) -> Result<(), IndexError> {
    let path = folder.join(NAME);
    let refuse = |cause: String| IndexError::Write {
        path: path.clone(),
        cause,
    };
    let digest = sha256_hex(tables.to_text()?.as_bytes());
    let mut part = path.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let settle = || -> io::Result<()> {
        File::open(&part)?.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(folder)?.sync_all()
    };
    let on_disk = |error: io::Error| refuse(error.to_string());
    let lock = File::create(folder.join(LOCK)).map_err(on_disk)?;
    lock.lock().map_err(on_disk)?;
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(on_disk(error)),
        _ => {}
    }
    fill(&part, tables, &digest).map_err(|error| refuse(error.to_string()))?;
    settle().map_err(on_disk)
}

fn fill(path: &Path, tables: &Tables, digest: &str) -> Result<(), rusqlite::Error> {
    let mut store = Connection::open(path)?;
    // The file has no name yet: a journal would protect nothing.
    store.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let transaction = store.transaction()?;
    insert(&transaction, &tables.records)?;
    insert(&transaction, &tables.results)?;
    insert(&transaction, &tables.checkpoints)?;
    transaction.execute_batch("CREATE TABLE meta (digest TEXT)")?;
    transaction.execute("INSERT INTO meta VALUES (?1)", [digest])?;
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    transaction.commit()?;
    store.close().map_err(|(_, error)| error)
}

fn insert<R: Row>(store: &Connection, rows: &[R]) -> Result<(), rusqlite::Error> {
    let columns: Vec<_> = R::COLUMNS
        .iter()
        .map(|column| format!("{} {}", column.name, sql_type(column.kind)))
        .collect();
    let table = R::TABLE;
    store.execute_batch(&format!("CREATE TABLE {table} ({})", columns.join(", ")))?;
    let places = vec!["?"; columns.len()].join(", ");
    let mut statement = store.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
    for row in rows {
        let cells = row
            .cells()
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        statement.execute(params_from_iter(cells.into_iter().map(stored)))?;
    }
    Ok(())
}

fn stored(cell: Value) -> Stored {
    match cell {
        Value::Null => Stored::Null,
        Value::Bool(flag) => Stored::Integer(flag.into()),
        Value::String(text) => Stored::Text(text),
        Value::Number(number) => match number.as_i64() {
            Some(count) => Stored::Integer(count),
            None => number.as_f64().map_or(Stored::Null, Stored::Real),
        },
        // No column is one.
        Value::Array(_) | Value::Object(_) => Stored::Text(cell.to_string()),
    }
}

/// Reads the whole index, and believes it only where every row is as it was written.
fn read(folder: &Path) -> Result<Tables, Unusable> {
    let path = folder.join(NAME);
    if !path.exists() {
        return Err(Unusable::Missing);
    }
    // `immutable`: a damaged head that asks for a log must not make SQLite write one.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let store = Connection::open_with_flags(uri(&path)?, flags)?;
    store.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    let schema: i64 = store.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if schema != i64::from(SCHEMA) {
        return Err(Unusable::Schema(schema));
    }
    let sound: String = store.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if sound != "ok" {
        return Err(Unusable::Damaged(sound));
    }
    let tables = Tables {
        records: rows::<RecordRow>(&store, "path")?,
        results: rows::<ResultRow>(&store, "path, number")?,
        checkpoints: rows::<CheckpointRow>(&store, "path, number")?,
    };
    let due: String = store.query_row("SELECT digest FROM meta", [], |row| row.get(0))?;
    if sha256_hex(tables.to_text()?.as_bytes()) != due {
        let cause = "its rows are not those that were written";
        return Err(Unusable::Damaged(cause.to_owned()));
    }
    Ok(tables)
}

fn rows<R: Row>(store: &Connection, order: &str) -> Result<Vec<R>, Unusable> {
    let (names, table) = (names::<R>(), R::TABLE);
    let query = format!("SELECT {names} FROM {table} ORDER BY {order}");
    let mut statement = store.prepare(&query)?;
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let cells = R::COLUMNS
            .iter()
            .enumerate()
            .map(|(at, column)| Ok(cell(row.get(at)?, column.kind)))
            .collect::<Result<_, rusqlite::Error>>()?;
        rows.push(R::of_cells(cells)?);
    }
    Ok(rows)
}

fn cell(stored: Stored, kind: Kind) -> Value {
    match stored {
        Stored::Integer(0) if kind == Kind::Flag => Value::Bool(false),
        Stored::Integer(1) if kind == Kind::Flag => Value::Bool(true),
        Stored::Integer(count) => Value::from(count),
        Stored::Real(number) => Value::from(number),
        Stored::Text(text) => Value::from(text),
        Stored::Null | Stored::Blob(_) => Value::Null,
    }
}

/// As SQLite names a file that nobody writes to.
fn uri(path: &Path) -> Result<String, Unusable> {
    use std::fmt::Write as _;
    let path = path
        .canonicalize()
        .map_err(|error| Unusable::Damaged(error.to_string()))?;
    let mut uri = "file://".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    Ok(uri + "?immutable=1")
}
