//! `heng selftest`: published reference cases against the engine.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use heng_certificates::validation_pdf;

use super::{Exit, Failure, Tongue, print, read_text, refuse_overwriting, write_file};
use crate::selftest;

#[derive(Args)]
pub struct SelfTest {
    /// Run the cases of this file instead of the shipped ones; may be given several times
    #[arg(long, value_name = "FILE.json")]
    cases: Vec<PathBuf>,
    /// Only the cases whose ids begin so
    #[arg(long, value_name = "ID_PREFIX", default_value = "")]
    only: String,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write the validation report (ISO/IEC 17025:2017, 7.11.2) to this file
    #[arg(long, value_name = "FILE.pdf")]
    report: Option<PathBuf>,
    /// Language of the headings and of the report
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn selftest(arguments: &SelfTest) -> Result<Exit, Failure> {
    let begun = jiff::Zoned::now();
    let mut files = Vec::new();
    for path in &arguments.cases {
        files.push((path.display().to_string(), read_text(path)?));
    }
    let named: Vec<_> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let named = if named.is_empty() {
        selftest::SHIPPED
    } else {
        &named
    };
    let report =
        selftest::run(named, &arguments.only).map_err(|fault| Failure::new(Exit::Input, &fault))?;
    if report.is_empty() {
        return Err(nothing_to_run(&arguments.only));
    }
    if let Some(path) = &arguments.report {
        let read: Vec<&Path> = arguments.cases.iter().map(PathBuf::as_path).collect();
        refuse_overwriting(path, &read)?;
        let begun = begun.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        write_report(&report, &begun, arguments.lang, path)?;
    }
    let written = match arguments.format {
        Format::Text => selftest::text(&report, arguments.lang.into()),
        Format::Json => selftest::json(&report),
    };
    print(&written)?;
    Ok(if report.failed() {
        Exit::Altered
    } else {
        Exit::Done
    })
}

fn write_report(
    report: &selftest::Report,
    begun: &str,
    language: Tongue,
    path: &Path,
) -> Result<(), Failure> {
    let validation = selftest::validation(report, begun).map_err(|error| {
        let message = format!("cannot read the file of this program to identify it: {error}");
        Failure::new(Exit::Input, &message)
    })?;
    let pdf = validation_pdf(&validation, language.into())
        .map_err(|error| Failure::new(Exit::Input, &error))?;
    write_file(path, &pdf)
}

fn nothing_to_run(only: &str) -> Failure {
    let message = if only.is_empty() {
        "the files have no cases: write some, or leave out --cases".to_owned()
    } else {
        format!("no case has an id that begins with {only:?}: shorten --only")
    };
    Failure::new(Exit::Input, &message)
}
