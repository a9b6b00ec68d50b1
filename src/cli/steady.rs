//! `heng steady`: when old data was steady, by the criterion that a run would use.

mod limits;
mod picture;
mod report;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use heng_procedures::{Criteria, Judged, Sample, Window, criteria_library, history};
use heng_quantities::{Decimal, Language, Unit};
use heng_records::sha256_hex;
use jiff::Timestamp;
use jiff::tz::Offset;

use super::{Exit, Failure, Tongue, print, refuse_overwriting};
use crate::analyse::map::{DecimalSign, FileFormat, Separator, Zone};
use crate::analyse::series::{Choice, Series};
use crate::analyse::table::{Clock, Table};
use limits::{Judgement, Readings, Wanted};
use report::Report;

#[derive(Args)]
pub struct Steady {
    /// The logger's file, CSV in UTF-8; `--list` needs none
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// Lists the criteria that come with the program
    #[arg(long)]
    list: bool,

    /// Column of the times
    #[arg(long, value_name = "COLUMN", default_value = "datetime")]
    time: String,
    /// Column that is judged; for a criterion with several signals ROLE=COLUMN for each
    #[arg(long, value_name = "[ROLE=]COLUMN")]
    value: Vec<String>,
    /// Unit of the values; a criterion's own where it is left out
    #[arg(long, value_name = "UNIT")]
    unit: Option<Unit>,
    /// Only rows with this text in this column; may be given several times
    #[arg(long, value_name = "COLUMN=TEXT", value_parser = pair)]
    filter: Vec<(String, String)>,
    /// Only rows from this time on
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only rows before this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Takes the rows in the order of time where the file has them otherwise
    #[arg(long)]
    sort: bool,

    /// Criterion: the name of one that comes with the program, or a file (.toml)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["window", "gap", "kind", "readings", "range", "slope", "slope_k", "scatter", "within", "soak", "minus"])]
    criterion: Option<String>,
    #[command(flatten)]
    limits: limits::Limits,
    /// Set point of the values, for a criterion that waits until it is reached
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    set_point: Option<Decimal>,
    /// Column of an instrument's state and the text that it must have throughout the window
    #[arg(long, value_name = "COLUMN=TEXT", value_parser = pair)]
    state: Vec<(String, String)>,

    /// Form of the times as strptime reads it [default: 2026-11-23 10:00:00]
    #[arg(long, value_name = "FORMAT")]
    time_format: Option<String>,
    /// Difference to UTC of the logger's clock; times are shown in it
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true, value_parser = zone)]
    zone: Offset,
    /// Between the cells
    #[arg(long, value_enum, default_value_t = Separation::Comma)]
    separator: Separation,
    /// Decimal sign
    #[arg(long, value_enum, default_value_t = Sign::Point)]
    decimal: Sign,
    /// Text that stands for a missing reading, beside the empty cell; may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    missing: Vec<String>,

    /// What is printed; csv has every verdict
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Writes the record with its steady stretches, gaps and limits
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
    /// Language of words and messages
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Separation {
    Comma,
    Semicolon,
    Tab,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sign {
    Point,
    Comma,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (column, text) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} has no \"=\": write COLUMN=TEXT"))?;
    Ok((column.to_owned(), text.to_owned()))
}

fn zone(text: &str) -> Result<Offset, String> {
    Zone::try_from(text.to_owned()).map(|zone| zone.0)
}

pub fn steady(arguments: &Steady) -> Result<Exit, Failure> {
    let language: Language = arguments.lang.into();
    if arguments.list {
        return list(language);
    }
    let Some(path) = &arguments.file else {
        return Err(Failure::new(Exit::Usage, &"name a file"));
    };
    let wanted = Wanted::of(arguments)?;
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::new(
            Exit::Input,
            &format!("cannot read {}: {error}", path.display()),
        )
    })?;
    let name = path.display().to_string();
    let unreadable =
        |error: &dyn std::fmt::Display| Failure::new(Exit::Input, &format!("{name}: {error}"));
    let format = arguments.file_format();
    let table = Table::read(&bytes, &format).map_err(|error| unreadable(&error))?;
    let clock = Clock {
        format: arguments.time_format.clone(),
        zone: arguments.zone,
    };
    let choice = Choice {
        time: &arguments.time,
        clock: &clock,
        filter: &arguments.filter,
        from: moment(arguments.from.as_deref(), "--from", arguments.zone)?,
        to: moment(arguments.to.as_deref(), "--to", arguments.zone)?,
        sort: arguments.sort,
    };
    let series = Series::choose(&table, &choice).map_err(|error| unreadable(&error))?;
    let mut judged = Vec::new();
    for judgement in &wanted.judgements {
        let samples = samples(&series, judgement).map_err(|error| unreadable(&error))?;
        let mut window = Window::new(&judgement.criterion, judgement.unit, wanted.criteria.gap_s);
        window.aim(arguments.set_point);
        judged.push(Judged { window, samples });
    }
    let report = Report {
        file: name,
        file_sha256: sha256_hex(&bytes),
        filter: arguments.filter.clone(),
        start: series.start,
        zone: arguments.zone,
        rows: series.len(),
        span_us: series.span_us(),
        readings: judged.iter().map(|one| one.samples.len()).collect(),
        wanted: &wanted,
    };
    finish(arguments, &report, judged)
}

fn finish(arguments: &Steady, report: &Report<'_>, judged: Vec<Judged>) -> Result<Exit, Failure> {
    let language = arguments.lang.into();
    let series: Vec<Vec<Sample>> = judged.iter().map(|one| one.samples.clone()).collect();
    let mut lines = report.csv_head();
    let wants_csv = arguments.format == Format::Csv;
    let found = history(judged, report.wanted.criteria.gap_s, |t_us, states| {
        if wants_csv {
            report.csv_line(&mut lines, t_us, states);
        }
    });
    if let Some(path) = &arguments.picture {
        let read: Vec<&Path> = arguments.file.iter().map(PathBuf::as_path).collect();
        refuse_overwriting(path, &read)?;
        picture::write(path, report, &found, &series, arguments.set_point, language)?;
    }
    print(&match arguments.format {
        Format::Text => report.text(&found, language),
        Format::Json => report.json(&found)?,
        Format::Csv => lines,
    })?;
    Ok(if found.steady > 0 {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}

fn samples(
    series: &Series<'_>,
    judgement: &Judgement,
) -> Result<Vec<Sample>, crate::analyse::series::SeriesError> {
    match &judgement.readings {
        Readings::Column(column) => series.samples(column),
        Readings::Difference(column, minus) => Ok(Judged::difference(
            &series.samples(column)?,
            &series.samples(minus)?,
        )),
        Readings::State(column, text) => series.states(column, text),
    }
}

impl Steady {
    fn file_format(&self) -> FileFormat {
        FileFormat {
            separator: match self.separator {
                Separation::Comma => Separator::Comma,
                Separation::Semicolon => Separator::Semicolon,
                Separation::Tab => Separator::Tab,
            },
            decimal: match self.decimal {
                Sign::Point => DecimalSign::Point,
                Sign::Comma => DecimalSign::Comma,
            },
            missing: self.missing.clone(),
        }
    }
}

/// A time of the command line, always in ISO 8601.
fn moment(text: Option<&str>, flag: &str, zone: Offset) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let clock = Clock { format: None, zone };
    let moment = clock.read(text).map_err(|error| {
        let message = format!("{flag} {text:?}: {error}; write 2026-11-23 or 2026-11-23T10:00:00");
        Failure::new(Exit::Usage, &message)
    })?;
    Ok(Some(moment))
}

fn list(language: Language) -> Result<Exit, Failure> {
    let mut text = String::new();
    for (name, _) in criteria_library() {
        let criteria =
            Criteria::shipped(name).map_err(|error| Failure::new(Exit::Input, &error))?;
        text.push_str(&report::described(&criteria, language));
    }
    print(&text)
}
