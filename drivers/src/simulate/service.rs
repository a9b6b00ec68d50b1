//! One simulated instrument in real time, for other people's clients.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fault::Left;
use super::instrument::{Instrument, serve as serve_line};
use super::{Laboratory, PATIENCE, PlantSettings, SimulateError, SimulatedPort, SimulatorOptions};
use crate::clock::WallClock;
use crate::description::{Description, catalogue, description};

/// Which instrument is served, and where.
#[derive(Debug, Clone)]
pub struct Service {
    /// Id of a description.
    pub model: String,
    /// Parameters of the description that differ for this unit.
    pub layout: BTreeMap<String, String>,
    /// Seed of noise, fluctuation and faults.
    pub seed: u64,
    pub options: SimulatorOptions,
    /// What the operator puts on the balance or under the gauge, see [`Laboratory::place`].
    pub placed: Vec<(String, f64)>,
    pub outlet: Outlet,
}

/// Where a client finds the instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlet {
    /// A pseudo-terminal that this path is linked to; the link is removed at the end.
    Link(PathBuf),
    /// A listener for one client at a time; between two of them the instrument stays on.
    Tcp(SocketAddr),
}

/// Simulates one instrument until `stop` is ready. `ready` is told the path or address as
/// soon as a client may come.
///
/// # Errors
/// [`SimulateError`] where the model is unknown or the outlet cannot be made.
pub async fn serve(
    service: &Service,
    ready: impl FnOnce(&str),
    stop: impl Future,
) -> Result<(), SimulateError> {
    let described = description(&service.model).ok_or_else(|| SimulateError::UnknownModel {
        model: service.model.clone(),
        known: catalogue()
            .iter()
            .map(Description::id)
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    let described = described.with_layout(&service.layout)?;
    let role = described.simulated_role();
    let clock = Arc::new(WallClock::new());
    let laboratory = Laboratory::new(PlantSettings::default(), service.seed, clock).in_real_time();
    for (quantity, value) in &service.placed {
        laboratory.place(role, quantity, *value)?;
    }
    let options = service.options.clone();
    match &service.outlet {
        Outlet::Tcp(address) => {
            let instrument = laboratory.instrument(role, &described, options)?;
            let port = listen(*address, &described, instrument)?;
            ready(&port.path);
            stop.await;
        }
        Outlet::Link(link) => {
            let port = laboratory.attach(role, &described, options)?;
            std::os::unix::fs::symlink(&port.path, link).map_err(refuse_link(link))?;
            ready(&link.to_string_lossy());
            stop.await;
            std::fs::remove_file(link).map_err(refuse_link(link))?;
        }
    }
    Ok(())
}

fn refuse_link(link: &Path) -> impl Fn(std::io::Error) -> SimulateError {
    |error| SimulateError::Link {
        path: link.to_owned(),
        reason: error.to_string(),
    }
}

fn listen(
    address: SocketAddr,
    description: &Description,
    mut instrument: Instrument,
) -> Result<SimulatedPort, SimulateError> {
    let refuse = |error: std::io::Error| SimulateError::Listen {
        address: address.to_string(),
        reason: error.to_string(),
    };
    let listener = TcpListener::bind(address).map_err(refuse)?;
    listener.set_nonblocking(true).map_err(refuse)?;
    let bound = listener.local_addr().map_err(refuse)?;
    let name = description.id();
    SimulatedPort::start(bound.to_string(), String::new(), name, move |stop| {
        while !stop.load(Ordering::SeqCst) {
            let left = match listener.accept() {
                Ok((client, _)) => answer(client, &mut instrument, stop),
                Err(_) => Left::Stopped,
            };
            match left {
                Left::Vanished { for_us: None } => return,
                Left::Vanished { for_us: Some(us) } => {
                    std::thread::sleep(std::time::Duration::from_micros(us));
                }
                Left::Stopped => std::thread::sleep(PATIENCE),
            }
        }
    })
}

/// A client whose connection cannot be set up is let go; the next one may have more luck.
fn answer(mut client: TcpStream, instrument: &mut Instrument, stop: &AtomicBool) -> Left {
    let set_up = || {
        client.set_nonblocking(false)?;
        client.set_nodelay(true)?;
        client.set_read_timeout(Some(PATIENCE))?;
        client.set_write_timeout(Some(PATIENCE))
    };
    match set_up() {
        Ok(()) => serve_line(std::slice::from_mut(instrument), &mut client, stop),
        Err(_) => Left::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_client_of_the_listener_meets_the_same_dialogue_and_may_come_again() {
        let described = description("vaisala-hmt330").unwrap();
        let clock = Arc::new(crate::SkippingClock::new());
        let laboratory = Laboratory::new(PlantSettings::default(), 1, clock);
        let role = described.simulated_role();
        let options = SimulatorOptions {
            serial_number: Some("SIM-7".to_owned()),
            faults: vec!["vanish@3".parse().unwrap()],
        };
        let instrument = laboratory.instrument(role, described, options).unwrap();
        let port = listen("127.0.0.1:0".parse().unwrap(), described, instrument).unwrap();
        for _ in 0..2 {
            let mut client = TcpStream::connect(&port.path).unwrap();
            client.write_all(b"SNUM\r").unwrap();
            let mut reply = [0; 25];
            client.read_exact(&mut reply[..24]).unwrap();
            assert_eq!(&reply[..24], b"Serial number  : SIM-7\r\n");
        }
        let mut client = TcpStream::connect(&port.path).unwrap();
        client.write_all(b"SNUM\r").unwrap();
        assert_eq!(client.read(&mut [0; 8]).unwrap_or(0), 0);
    }
}
