//! `heng resume`: a session whose program ended without closing its record goes on, or its
//! bench is brought to its safe state.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use heng_drivers::UsbAdapters;
use heng_quantities::Text;
use heng_records::{Interrupted, NotInterrupted, Writer};

use super::compare::{Begin, Setting, demo_answers, exit_of_writing, finish};
use super::{Exit, Failure, Show, print};
use crate::session::bench::{Bench, is_simulated};
use crate::session::recovery::{self, Recovery, RecoveryError};
use crate::session::simulated::SimulatedBench;
use crate::session::{live, ports};

#[derive(Args)]
pub struct Resume {
    /// The record without a seal
    record: PathBuf,
    /// Do not go on: bring the bench to its safe state, prove it, and seal the record
    #[arg(long)]
    close: bool,
    /// Who takes the session up; the operator of the record where nobody is named
    #[arg(long)]
    operator: Option<String>,
    /// Folder for a second copy of the record's checkpoints, best on another device
    #[arg(long, value_name = "FOLDER")]
    checkpoints: Option<PathBuf>,
    #[command(flatten)]
    show: Show,
}

pub fn resume(arguments: &Resume) -> Result<Exit, Failure> {
    let recovery = match Recovery::read(&arguments.record) {
        Err(error @ RecoveryError::Record(NotInterrupted::Sealed { .. })) => {
            return sealed(arguments, &error);
        }
        recovery => recovery.map_err(|error| refused(&error))?,
    };
    if !arguments.close && !recovery.can_go_on() {
        let message = format!(
            "{} has format {}, which has no entry for a session that goes on: close it with `heng resume --close`",
            arguments.record.display(),
            recovery.opened().format
        );
        return Err(Failure::new(Exit::Input, &message));
    }
    let operator = recovery.opened().operator.clone();
    let person = arguments.operator.clone().unwrap_or(operator);
    let console = io::stdout().is_terminal() && io::stdin().is_terminal();
    let terminal = !arguments.show.plain && console;
    let language = arguments.show.lang.into();
    let witness = arguments.checkpoints.clone();
    let close = arguments.close;
    let bench = recovery.bench();
    let exit = if bench.instruments.iter().any(|one| is_simulated(&one.port)) {
        // The instruments ended with the program that simulated them; new ones stand in.
        let clock = recovery.simulated_clock();
        let seed = recovery.opened().seed;
        let laboratory = SimulatedBench::start(bench, seed, &clock, &[])
            .map_err(|error| Failure::new(Exit::Instrument, &error))?;
        finish(Setting {
            prepared: Some(demo_answers(recovery.procedure())),
            begin: Begin::Again { recovery, close },
            person,
            witness,
            clock: Arc::new(clock),
            connections: laboratory.connections(),
            adapters: laboratory.adapters(),
            pace: None,
            language,
            terminal,
        })?
    } else {
        let connections =
            ports::connections(bench).map_err(|error| Failure::new(Exit::Input, &error))?;
        finish(Setting {
            clock: Arc::new(recovery.wall_clock()),
            begin: Begin::Again { recovery, close },
            person,
            witness,
            connections,
            adapters: Arc::new(UsbAdapters),
            prepared: None,
            pace: None,
            language,
            terminal,
        })?
    };
    // With --close the session is aborted, which is what was asked for.
    Ok(match exit {
        Exit::Incomplete if close => Exit::Done,
        exit => exit,
    })
}

/// A sealed record is refused, unless its session ended between the seal and its checkpoint.
fn sealed(arguments: &Resume, error: &RecoveryError) -> Result<Exit, Failure> {
    let person = arguments.operator.as_deref().unwrap_or("heng resume");
    let storage = live::storage(person, arguments.checkpoints.clone());
    let completed = Writer::complete(&arguments.record, storage)
        .map_err(|error| Failure::new(exit_of_writing(&error), &error))?;
    if !completed {
        return Err(refused(error));
    }
    let record = arguments.record.display();
    let told = Text::new(
        &format!(
            "record  {record} is sealed; the checkpoint of its seal was missing and is written"
        ),
        &format!("记录  {record} 已封存；其封存检查点缺失，现已补写"),
    );
    let language = arguments.show.lang.into();
    print(&format!("{}\n", told.get(language)))
}

fn refused(error: &RecoveryError) -> Failure {
    let exit = match error {
        RecoveryError::Differs { .. } | RecoveryError::Record(NotInterrupted::Broken { .. }) => {
            Exit::Altered
        }
        _ => Exit::Input,
    };
    Failure::new(exit, error)
}

/// Refuses a run on ports of a session in that folder that was never closed: nobody knows
/// what its source is doing.
pub fn refuse_live(folder: &Path, bench: &Bench) -> Result<(), Failure> {
    let unreadable = |error: io::Error| {
        let message = format!("cannot read {}: {error}", folder.display());
        Failure::new(Exit::Input, &message)
    };
    for file in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = file.map_err(unreadable)?.path();
        if path.extension().is_none_or(|ending| ending != "jsonl") {
            continue;
        }
        let Ok(interrupted) = Interrupted::open(&path) else {
            continue;
        };
        if !recovery::may_be_live(&interrupted, bench) {
            continue;
        }
        let path = path.display();
        let message = if recovery::is_in_use(&interrupted) {
            format!(
                "a session that is still running uses ports of this bench; its record is {path}"
            )
        } else {
            format!(
                "the session of {path} used ports of this bench and was never closed, its source may still be running: go on with `heng resume {path}`, or bring it to its safe state with `heng resume --close {path}`"
            )
        };
        return Err(Failure::new(Exit::Instrument, &message));
    }
    Ok(())
}
