//! Where simulated instruments are plugged in: pseudo-terminals that come and go.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serialport::{SerialPort, TTYPort};

use crate::clock::Clock;
use crate::port::Whereabouts;

/// How often an instrument that is unplugged looks whether it is plugged in again.
const PATIENCE: Duration = Duration::from_millis(2);

/// Every socket by the serial number of its adapter.
#[derive(Clone, Default)]
pub(super) struct Sockets(Arc<Mutex<BTreeMap<String, Arc<Socket>>>>);

/// One adapter, plugged in or not.
pub(super) struct Socket {
    pub adapter: String,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    /// Where it is, while it is plugged in.
    path: Option<String>,
    /// When it is plugged in again.
    back_us: Option<u64>,
    /// A cable that the instrument has not taken up yet.
    fresh: Option<Cable>,
    /// How often it was plugged in.
    times: u32,
}

/// A pseudo-terminal.
pub(super) struct Cable {
    pub path: String,
    /// The instrument's end.
    pub far: TTYPort,
    /// The program's end, held open so that a client may come and go.
    _near: TTYPort,
}

impl Cable {
    fn new() -> serialport::Result<Self> {
        let (mut far, near) = TTYPort::pair()?;
        far.set_timeout(super::PATIENCE)?;
        let path = near.name().unwrap_or_default();
        Ok(Self {
            path,
            far,
            _near: near,
        })
    }
}

impl Sockets {
    pub fn plug_in(&self, clock: &Arc<dyn Clock>) -> serialport::Result<(Arc<Socket>, Cable)> {
        let cable = Cable::new()?;
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let adapter = format!("simulated-{}", sockets.len() + 1);
        let socket = Arc::new(Socket {
            adapter: adapter.clone(),
            clock: Arc::clone(clock),
            state: Mutex::new(State {
                path: Some(cable.path.clone()),
                back_us: None,
                fresh: None,
                times: 1,
            }),
        });
        sockets.insert(adapter, Arc::clone(&socket));
        Ok((socket, cable))
    }

    pub fn find(&self, adapter: &str) -> Option<Whereabouts> {
        let sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.get(adapter)?.find()
    }
}

impl Socket {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn pull(&self, for_us: Option<u64>) {
        let now_us = self.clock.now_us();
        let mut state = self.state();
        state.path = None;
        state.back_us = for_us.map(|us| now_us.saturating_add(us));
    }

    /// Whoever looks for the adapter after its time finds it: it is plugged in at that
    /// moment, so that virtual time alone decides what is found.
    fn find(&self) -> Option<Whereabouts> {
        let mut state = self.state();
        let back = state.back_us.is_some_and(|us| us <= self.clock.now_us());
        if state.path.is_none() && back {
            let cable = Cable::new().ok()?;
            state.path = Some(cable.path.clone());
            state.back_us = None;
            state.fresh = Some(cable);
            state.times += 1;
        }
        let path = state.path.clone()?;
        // The number of a pseudo-terminal differs from run to run and means nothing.
        let name = match state.times {
            1 => self.adapter.clone(),
            times => format!("{}, plugged in {times} times", self.adapter),
        };
        Some(Whereabouts { path, name })
    }

    /// Waits for a new cable; none where the instrument is stopped before.
    pub fn wait(&self, stop: &AtomicBool) -> Option<Cable> {
        loop {
            if let Some(cable) = self.state().fresh.take() {
                return Some(cable);
            }
            if stop.load(Ordering::SeqCst) {
                return None;
            }
            std::thread::sleep(PATIENCE);
        }
    }
}
