//! `heng simulate`: one instrument on a pseudo-terminal or a TCP port, for other people's
//! clients.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use heng_drivers::{Fault, Outlet, Service, SimulatorOptions};

use super::{Exit, Failure, runtime, stopped};

/// What the help says of `--fault`.
const FAULTS: &str = "\
Fault, KIND[:ARGUMENT]@WHEN[xCOUNT]; may be given again

WHEN is the number of the request from 1, or seconds with an s; COUNT is how many requests it spoils from there on, 1 where it is not said. What is random in a fault hangs on the seed.

  drop            no reply
  truncate:BYTES  only the first bytes of the reply
  garble:BYTE     bit 6 of one byte of the reply is inverted; counted from 0
  late:MS         the reply comes after this time
  unit:TEXT       every unit in the reply is this text
  over-range      values above the range of the channel
  no-value        values filled with *
  freeze          values stay as they were when the fault began
  duplicate       the reply is sent twice
  echo            the request is sent back first
  noise:PERCENT   each byte is with this probability replaced, dropped or followed by another
  swap            the reply to the request before
  talk:MS         readings unasked, until a command to stop
  stranger:SERIAL another serial number from then on
  dip             the supply fails for a moment: no reply, volatile state is lost
  vanish          the port disappears

Examples: drop@12, late:5000@3600sx3, noise:0.1@1x100000";

#[derive(Args)]
pub struct Simulate {
    /// Identifier of a driver description; `heng instruments` lists them
    model: String,
    /// Path at which the pseudo-terminal is linked
    #[arg(long, required_unless_present = "tcp", conflicts_with = "tcp")]
    link: Option<PathBuf>,
    /// Listen at this address instead, such as 127.0.0.1:5000; one client at a time
    #[arg(long, value_name = "ADDR:PORT")]
    tcp: Option<SocketAddr>,
    /// Seed of noise, fluctuation and faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Serial number that it reports, where its protocol has one
    #[arg(long)]
    serial: Option<String>,
    #[arg(long = "fault", value_name = "FAULT", help = FAULTS)]
    faults: Vec<Fault>,
    /// Parameter of the description that differs for this unit; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    layout: Vec<(String, String)>,
    /// Load on a balance (mass=100, in g) or object under a gauge (length_2=5, in mm); may be given again
    #[arg(long = "place", value_name = "QUANTITY=VALUE", value_parser = placing)]
    placed: Vec<(String, f64)>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write NAME=VALUE".to_owned())
}

fn placing(text: &str) -> Result<(String, f64), String> {
    let (name, value) = assignment(text)?;
    let number = value.parse().ok().filter(|number: &f64| number.is_finite());
    number
        .map(|number| (name, number))
        .ok_or_else(|| format!("{value:?} is no number"))
}

impl Simulate {
    fn service(&self) -> Service {
        let tcp = self.tcp.map(Outlet::Tcp);
        let link = || Outlet::Link(self.link.clone().unwrap_or_default());
        Service {
            model: self.model.clone(),
            layout: self.layout.iter().cloned().collect(),
            seed: self.seed,
            options: SimulatorOptions {
                serial_number: self.serial.clone(),
                faults: self.faults.clone(),
            },
            placed: self.placed.clone(),
            outlet: tcp.unwrap_or_else(link),
        }
    }
}

pub fn simulate(arguments: &Simulate) -> Result<Exit, Failure> {
    let service = arguments.service();
    let ready = |place: &str| {
        println!(
            "{} on {place}, seed {}; Ctrl-C ends",
            service.model, service.seed
        );
    };
    runtime()?.block_on(async {
        // Both ends remove the link.
        let stop = stopped()?;
        heng_drivers::serve(&service, ready, stop)
            .await
            .map_err(|error| Failure::new(Exit::Instrument, &error))
    })?;
    Ok(Exit::Done)
}
