//! `heng import`: a data logger's file to a record, results and a certificate.

use std::path::PathBuf;

use clap::Args;
use heng_records::{Opened, TextRole};

use super::{Exit, Failure, Tongue, compare, make_folder, read_text};
use crate::analyse::map::Map;
use crate::session::calendar::Calendar;
use crate::session::evidence::text_used;
use crate::session::logger::{self, LoggerError};

#[derive(Args)]
pub struct Import {
    /// The logger's file, CSV in UTF-8
    data: PathBuf,
    /// Which column is what, the window, the order
    #[arg(long)]
    map: PathBuf,
    /// Procedure: the id of a shipped one, or a file
    #[arg(long, default_value = "chamber-mapping")]
    procedure: String,
    /// The laboratory; without it the certificate is a demonstration
    #[arg(long)]
    scope: Option<PathBuf>,
    /// Folder for the record and everything made from it
    #[arg(long, default_value = ".")]
    out: PathBuf,
    /// Seed of the Monte Carlo trials
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Moment of the import (RFC 3339 with zone) [default: now]
    #[arg(long)]
    start: Option<String>,
    /// Language of messages
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

const DEMO_SCOPE: &str = include_str!("../../fixtures/demo/scope.toml");

pub fn import(arguments: &Import) -> Result<Exit, Failure> {
    let map_text = read_text(&arguments.map)?;
    let map_name = file_name(&arguments.map);
    let map =
        Map::parse(&map_name, &map_text).map_err(|error| Failure::new(Exit::Input, &error))?;
    let scope = match &arguments.scope {
        Some(path) => text_used(TextRole::Scope, &file_name(path), &read_text(path)?),
        None => text_used(TextRole::Scope, "scope.toml", DEMO_SCOPE),
    };
    let texts = vec![
        compare::procedure_text(&arguments.procedure)?,
        scope,
        text_used(TextRole::Map, &map_name, &map_text),
        text_used(
            TextRole::Data,
            &file_name(&arguments.data),
            &read_text(&arguments.data)?,
        ),
    ];
    let calendar = match &arguments.start {
        Some(moment) => Calendar::at(moment)
            .map_err(|error| Failure::new(Exit::Input, &format!("--start {moment}: {error}")))?,
        None => Calendar::now(),
    };
    let opened = Opened {
        format: heng_records::FORMAT,
        program: "heng".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        session: map.order.number.clone(),
        clock: "wall".to_owned(),
        seed: arguments.seed,
        job: logger::JOB.to_owned(),
        operator: map.order.operator.clone(),
    };
    make_folder(&arguments.out)?;
    let ended =
        logger::run(&opened, &texts, &arguments.out, &calendar).map_err(|error| match &error {
            LoggerError::Live(live) => Failure::new(compare::exit_of(live), live),
            _ => Failure::new(Exit::Input, &error),
        })?;
    compare::closing(&ended, arguments.lang.into())
}

/// Name of a file without its folder: a record is read on other machines.
fn file_name(path: &std::path::Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
