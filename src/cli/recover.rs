//! `heng recover`: the safe state of a bench whose session ended without closing its record.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use heng_drivers::UsbAdapters;
use heng_quantities::Text;
use heng_records::{Entry, Interrupted, NotInterrupted};

use super::compare::{closing, exit_of};
use super::{Exit, Failure, Tongue, runtime};
use crate::plain::Plain;
use crate::session::bench::{Bench, is_simulated};
use crate::session::ports;
use crate::session::recovery::{self, Recovered, Recovery, RecoveryError, Site};
use crate::session::simulated::SimulatedBench;

#[derive(Args)]
pub struct Recover {
    /// The record without a seal
    record: PathBuf,
    /// Who recovers; the operator of the record where nobody is named
    #[arg(long)]
    operator: Option<String>,
    /// Language of the lines
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

pub fn recover(arguments: &Recover) -> Result<Exit, Failure> {
    let recovery = Recovery::read(&arguments.record).map_err(|error| refused(&error))?;
    let mut plain = Plain::new(arguments.lang.into(), io::stdout());
    let sink = Box::new(move |entry: &Entry| {
        // A closed pipe ends the lines, not the way to the safe state.
        let _ = plain.line(entry);
    });
    let operator = recovery.opened().operator.clone();
    let person = arguments.operator.clone().unwrap_or(operator);
    let simulated = recovery
        .bench()
        .instruments
        .iter()
        .any(|one| is_simulated(&one.port));
    let recovered = if simulated {
        // The instruments ended with the program that simulated them; new ones stand in.
        let clock = recovery.simulated_clock();
        let seed = recovery.opened().seed;
        let laboratory = SimulatedBench::start(recovery.bench(), seed, &clock, &[])
            .map_err(|error| Failure::new(Exit::Instrument, &error))?;
        let site = Site {
            clock: Arc::new(clock),
            connections: laboratory.connections(),
            adapters: laboratory.adapters(),
            person,
            sink,
        };
        block_on(recovery, site)?
    } else {
        let site = Site {
            clock: Arc::new(recovery.wall_clock()),
            connections: ports::connections(recovery.bench())
                .map_err(|error| Failure::new(Exit::Input, &error))?,
            adapters: Arc::new(UsbAdapters),
            person,
            sink,
        };
        block_on(recovery, site)?
    };
    let language = arguments.lang.into();
    if let Some(torn) = &recovered.torn {
        let label = Text::new("torn line", "残缺行");
        println!("{}  {}", label.get(language), torn.display());
    }
    // The record is aborted, which is what a recovery is for.
    match closing(&recovered.ended, language)? {
        Exit::Incomplete => Ok(Exit::Done),
        exit => Ok(exit),
    }
}

fn block_on(recovery: Recovery, site: Site) -> Result<Recovered, Failure> {
    runtime()?
        .block_on(recovery.run(site))
        .map_err(|error| Failure::new(exit_of(&error), &error))
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
                "the session of {path} used ports of this bench and was never closed, its source may still be running: bring it to its safe state with `heng recover {path}`"
            )
        };
        return Err(Failure::new(Exit::Instrument, &message));
    }
    Ok(())
}
