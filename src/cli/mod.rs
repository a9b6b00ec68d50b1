//! Arguments to a command to an exit code.

mod backup;
mod budget;
mod compare;
mod csv;
mod export;
mod formula;
mod history;
mod import;
mod index;
mod inspect;
mod instrument;
mod number;
mod replay_screen;
mod resume;
mod selftest;
mod simulate;
mod statistics;
mod steady;
mod table;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use heng_quantities::Language;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::analyse::artefact::write_whole;

/// Exit codes, documented in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// A record or a value differs from what it should be.
    Altered = 1,
    /// Honest but not complete: aborted, or a record without a seal.
    Incomplete = 2,
    /// Input that cannot be read or is malformed.
    Input = 3,
    /// An instrument or port.
    Instrument = 4,
    /// The record or an artefact could not be written.
    Write = 5,
    /// Arguments.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that failed: what to tell, and the exit code.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
}

impl Failure {
    pub fn new(exit: Exit, message: &impl ToString) -> Self {
        Self {
            exit,
            message: message.to_string(),
        }
    }
}

#[derive(Parser)]
#[command(name = "heng", version, about = "Calibration sessions that recompute from the bytes on the wire", long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a whole calibration on a simulated laboratory, to a certificate
    Demo(compare::Demo),
    /// Run a calibration on a bench
    Run(compare::Run),
    /// Go on with a session that was never closed, or bring its bench to its safe state
    Resume(resume::Resume),
    /// Show a recorded session again, or compute everything in it again and compare
    Replay(inspect::Replay),
    /// Check the chain and the seal of a record
    Verify(inspect::Verify),
    /// Copy the folder of a laboratory, with every byte read again; or check such a copy
    Backup(backup::Backup),
    /// Bring a backup back into an empty folder
    Restore(backup::Restore),
    /// The index over all records of a laboratory: make it, check it, print it
    Index(index::Index),
    /// Earlier results of an item, its drift and the agreement of its calibrations
    History(history::ItemHistory),
    /// All results of a laboratory as CSV or Parquet
    Export(export::Extract),
    /// Turn a data logger's file into a record, results and a certificate
    Import(import::Import),
    /// Serve one simulated instrument on a pseudo-terminal
    Simulate(simulate::Simulate),
    /// Evaluate a measurement uncertainty budget
    Budget(budget::Budget),
    /// Statistics of series, fits, comparisons and standards
    Statistics(statistics::Statistics),
    /// Say when old data was steady, by a named criterion or stated limits
    Steady(Box<steady::Steady>),
    /// Evaluate a named formula or look into a table; list them with their sources and ranges
    Formula(formula::FormulaCommand),
    /// Check a procedure file
    Lint(inspect::Lint),
    /// Run published reference cases, or a laboratory's own, against the engine
    Selftest(selftest::SelfTest),
    /// List the instruments that have a driver description, or print the page of one
    Instruments(instrument::Instruments),
    /// List the serial ports of this machine
    Ports(instrument::Ports),
    /// Ask who is on a port, with reading commands only
    Identify(instrument::Identify),
    /// Read one instrument, each value with its bytes
    Read(instrument::Read),
    /// A terminal on one port, with the traffic in hexadecimal and text
    Talk(instrument::Talk),
    /// Write the replies of an instrument as a transcript for the tests of its driver
    Capture(instrument::Capture),
}

/// How a command shows what happens.
#[derive(Args, Debug, Clone)]
pub struct Show {
    /// One line an event instead of the terminal screens
    #[arg(long)]
    pub plain: bool,
    /// Language of screens and messages
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    pub lang: Tongue,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Tongue {
    En,
    Zh,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::En => Self::En,
            Tongue::Zh => Self::Zh,
        }
    }
}

/// Reads the arguments and runs the command.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return exit.into();
        }
    };
    let result = match arguments.command {
        Command::Demo(demo) => compare::demo(&demo),
        Command::Run(run) => compare::run(&run),
        Command::Resume(arguments) => resume::resume(&arguments),
        Command::Replay(replay) => inspect::replay(&replay),
        Command::Verify(verify) => inspect::verify(&verify),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Index(arguments) => index::index(&arguments),
        Command::History(arguments) => history::history(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Import(arguments) => import::import(&arguments),
        Command::Simulate(arguments) => simulate::simulate(&arguments),
        Command::Budget(arguments) => budget::budget(&arguments),
        Command::Statistics(arguments) => statistics::statistics(&arguments),
        Command::Steady(arguments) => steady::steady(&arguments),
        Command::Formula(arguments) => formula::formula(&arguments),
        Command::Lint(lint) => inspect::lint(&lint),
        Command::Selftest(arguments) => selftest::selftest(&arguments),
        Command::Instruments(arguments) => instrument::instruments(&arguments),
        Command::Ports(arguments) => instrument::ports(&arguments),
        Command::Identify(arguments) => instrument::identify(&arguments),
        Command::Read(arguments) => instrument::read(&arguments),
        Command::Talk(arguments) => instrument::talk(&arguments),
        Command::Capture(arguments) => instrument::capture(&arguments),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("heng: {}", failure.message);
            failure.exit.into()
        }
    }
}

/// The runtime of a command that speaks with instruments.
pub fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Instrument, &error))
}

/// Ready at Ctrl-C or a termination; to be called inside of a [`runtime`].
pub fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminated =
        signal(SignalKind::terminate()).map_err(|error| Failure::new(Exit::Instrument, &error))?;
    Ok(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
    })
}

/// Prints to the standard output. A closed pipe is the reader's choice, not a failure.
pub fn print(text: &str) -> Result<Exit, Failure> {
    print_on(text).map(|_| Exit::Done)
}

/// As [`print`], at once; false where the reader has closed the pipe and wants no more.
pub fn print_on(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let message = format!("cannot write the result: {error}");
            Err(Failure::new(Exit::Write, &message))
        }
    }
}

/// Writes a result to a file, whole or not at all.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_whole(path, bytes).map_err(|error| Failure::new(Exit::Write, &error))
}

/// Reads a text file that a person named.
pub fn read_text(path: &PathBuf) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::new(
            Exit::Input,
            &format!("cannot read {}: {error}", path.display()),
        )
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Failure::new(
            Exit::Input,
            &format!(
                "{} is not UTF-8 (byte {place}): save it as UTF-8",
                path.display()
            ),
        )
    })
}

/// Refuses an output that would replace one of the files that are read.
pub fn refuse_overwriting(output: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    let whole = |path: &Path| path.canonicalize().ok();
    let Some(output_file) = whole(output) else {
        return Ok(());
    };
    if inputs
        .iter()
        .any(|input| whole(input).as_ref() == Some(&output_file))
    {
        let message = format!(
            "{} is read by this command: write the result to another file",
            output.display()
        );
        return Err(Failure::new(Exit::Usage, &message));
    }
    Ok(())
}

/// Makes the folder for results.
pub fn make_folder(path: &PathBuf) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| {
        Failure::new(
            Exit::Write,
            &format!("cannot make the folder {}: {error}", path.display()),
        )
    })
}
