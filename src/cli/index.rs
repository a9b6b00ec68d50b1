//! `heng index`: the index over all records of a laboratory.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Exit, Failure, print, write_file};
use crate::lab::index::{self as indexing, Current, IndexError, Standing, Unusable};
use crate::lab::tables::Tables;

#[derive(Args)]
pub struct Index {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the index from the records alone
    Rebuild(Rebuild),
    /// Print everything in the index as text: the same records give the same bytes
    Export(Export),
    /// Read every record again and hold the index against it, and change nothing
    Check(Check),
}

#[derive(Args)]
struct Rebuild {
    /// The folder of the laboratory
    folder: PathBuf,
    /// Make it even where records have lost what the index has seen of them
    #[arg(long)]
    forget: bool,
}

#[derive(Args)]
struct Export {
    /// The folder of the laboratory
    folder: PathBuf,
    /// File to write; without it the standard output
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct Check {
    /// The folder of the laboratory
    folder: PathBuf,
}

pub fn index(arguments: &Index) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Rebuild(arguments) => rebuild(arguments),
        Command::Export(arguments) => export(arguments),
        Command::Check(arguments) => check(arguments),
    }
}

fn rebuild(arguments: &Rebuild) -> Result<Exit, Failure> {
    let made =
        indexing::rebuild(&arguments.folder, arguments.forget).map_err(|error| refused(&error))?;
    let text = format!("{}: made from the records\n", indexing::NAME);
    let notes = made.notes.iter().map(|note| format!("  note     {note}\n"));
    print(&(text + &summary(&made.tables) + &notes.collect::<String>()))?;
    Ok(exit_of(&made.tables))
}

fn export(arguments: &Export) -> Result<Exit, Failure> {
    let tables = tables_of(&arguments.folder)?;
    let text = tables
        .to_text()
        .map_err(|error| Failure::new(Exit::Write, &error))?;
    match &arguments.out {
        Some(path) => write_out(&arguments.folder, path, text.as_bytes()),
        None => print(&text),
    }
}

/// Writes a result, but over nothing that lies in the laboratory.
pub fn write_out(laboratory: &Path, path: &Path, bytes: &[u8]) -> Result<Exit, Failure> {
    let whole = |path: &Path| path.canonicalize().ok();
    if let (Some(folder), Some(there)) = (whole(laboratory), whole(path))
        && there.starts_with(folder)
    {
        let message = format!(
            "{} is a file of the laboratory: write the result to another file",
            path.display()
        );
        return Err(Failure::new(Exit::Usage, &message));
    }
    write_file(path, bytes).map(|()| Exit::Done)
}

fn check(arguments: &Check) -> Result<Exit, Failure> {
    let (standing, tables) = indexing::check(&arguments.folder).map_err(|error| refused(&error))?;
    let (exit, verdict, reasons) = match standing {
        Standing::Same => (
            exit_of(&tables),
            "same: the index is what the records give",
            Vec::new(),
        ),
        Standing::Old => (
            Exit::Incomplete,
            "old: the records went on; it is made again when it is next needed",
            Vec::new(),
        ),
        Standing::Unusable(Unusable::Missing) => (
            Exit::Incomplete,
            "missing: it is made when it is next needed",
            Vec::new(),
        ),
        Standing::Unusable(Unusable::Schema(found)) => (
            Exit::Incomplete,
            "other: it is made again when it is next needed",
            vec![format!("it has schema {found}")],
        ),
        Standing::Unusable(Unusable::Damaged(cause)) => (
            Exit::Incomplete,
            "damaged: it is made again when it is next needed",
            vec![cause],
        ),
        Standing::Lost(lost) => (
            Exit::Altered,
            "lost: records do not hold any more what the index has seen of them",
            lost,
        ),
    };
    let reasons = reasons.iter().map(|one| format!("  reason   {one}\n"));
    print(&format!(
        "{verdict}\n{}{}",
        reasons.collect::<String>(),
        summary(&tables)
    ))?;
    Ok(exit)
}

/// The tables as the records give them; what is to tell goes to the standard error.
pub fn tables_of(folder: &Path) -> Result<Tables, Failure> {
    let Current { tables, notes } = indexing::current(folder).map_err(|error| refused(&error))?;
    for note in notes {
        eprintln!("heng: {note}");
    }
    Ok(tables)
}

/// Counts, and every record that does not hold.
fn summary(tables: &Tables) -> String {
    let count = |verdict: &str| {
        let same = tables.records.iter().filter(|one| one.verdict == verdict);
        same.count()
    };
    let mut text = format!(
        "  records  {}: {} good, {} incomplete, {} altered, {} unreadable\n",
        tables.records.len(),
        count("good"),
        count("incomplete"),
        count("altered"),
        count("unreadable"),
    );
    let _ = writeln!(text, "  results  {}", tables.results.len());
    for record in &tables.records {
        if let Some(reasons) = &record.reasons {
            for reason in reasons.lines() {
                let (verdict, path) = (&record.verdict, &record.path);
                let _ = writeln!(text, "  {verdict:<11}{path}: {reason}");
            }
        }
    }
    text
}

fn exit_of(tables: &Tables) -> Exit {
    let holds = |verdict: &str| matches!(verdict, "good" | "incomplete");
    if tables.records.iter().all(|one| holds(&one.verdict)) {
        Exit::Done
    } else {
        Exit::Altered
    }
}

fn refused(error: &IndexError) -> Failure {
    let exit = match error {
        IndexError::Survey(_) => Exit::Input,
        IndexError::Contradicted(_) => Exit::Altered,
        IndexError::Write { .. } | IndexError::Json(_) => Exit::Write,
    };
    Failure::new(exit, error)
}
