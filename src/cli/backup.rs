//! `heng backup` and `heng restore`: verified copies of the folder of a laboratory.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Failure, print};
use crate::lab::backup::{self as copying, BackupError, Check};

#[derive(Args)]
pub struct Backup {
    /// The folder of the laboratory; with --check the backup
    folder: PathBuf,
    /// The folder of the backup
    #[arg(required_unless_present = "check", conflicts_with = "check")]
    target: Option<PathBuf>,
    /// Read a backup again, and change nothing
    #[arg(long)]
    check: bool,
}

#[derive(Args)]
pub struct Restore {
    /// The folder of the backup
    backup: PathBuf,
    /// A new or empty folder
    folder: PathBuf,
}

pub fn backup(arguments: &Backup) -> Result<Exit, Failure> {
    let Some(target) = &arguments.target else {
        return tell(&copying::check(&arguments.folder).map_err(|error| refused(&error))?);
    };
    let (copied, found) =
        copying::backup(&arguments.folder, target).map_err(|error| refused(&error))?;
    let exit = tell(&found)?;
    print(&format!("  copied   {copied}, the others were there\n"))?;
    Ok(exit)
}

pub fn restore(arguments: &Restore) -> Result<Exit, Failure> {
    tell(&copying::restore(&arguments.backup, &arguments.folder).map_err(|error| refused(&error))?)
}

fn tell(found: &Check) -> Result<Exit, Failure> {
    print(&format!("{found}\n"))?;
    Ok(exit_of(found))
}

fn exit_of(found: &Check) -> Exit {
    if !found.altered.is_empty() || !found.records.is_empty() {
        Exit::Altered
    } else if found.is_whole() {
        Exit::Done
    } else {
        Exit::Incomplete
    }
}

fn refused(error: &BackupError) -> Failure {
    let exit = match error {
        BackupError::Inside { .. } => Exit::Usage,
        BackupError::File { .. } | BackupError::Foreign { .. } => Exit::Input,
        BackupError::Refused(_) => Exit::Altered,
        BackupError::NotWhole(found) => exit_of(found),
        BackupError::ReadBack { .. } | BackupError::Disk { .. } => Exit::Write,
    };
    Failure::new(exit, error)
}
