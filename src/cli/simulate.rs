//! `heng simulate`: one instrument on a pseudo-terminal, for other people's clients.

use std::path::PathBuf;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, Failure};

#[derive(Args)]
pub struct Simulate {
    /// Identifier of a driver description; `heng instruments` lists them
    model: String,
    /// Path at which the pseudo-terminal is linked
    #[arg(long)]
    link: PathBuf,
    /// Seed of noise and starting state
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub fn simulate(arguments: &Simulate) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Instrument, &error))?;
    println!(
        "{} on {}; Ctrl-C ends",
        arguments.model,
        arguments.link.display()
    );
    runtime
        .block_on(async {
            // Both ends remove the link.
            let mut terminated = signal(SignalKind::terminate())?;
            let stop = async {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminated.recv() => {}
                }
            };
            heng_drivers::serve(&arguments.model, &arguments.link, arguments.seed, stop)
                .await
                .map_err(std::io::Error::other)
        })
        .map_err(|error| Failure::new(Exit::Instrument, &error))?;
    Ok(Exit::Done)
}
