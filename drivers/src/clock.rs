//! Time as an input: the wall clock, and a clock that skips every wait.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Microseconds since the session was opened.
pub trait Clock: Send + Sync {
    fn now_us(&self) -> u64;
    /// Returns when `t_us` is reached; at once where it has passed.
    fn wait_until(&self, t_us: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// How long a port may really wait for something that the instrument may take
    /// `limit_us` for.
    fn real_limit(&self, limit_us: u64) -> Duration;
    /// How long a line must really be silent to count as silent for `gap_us`.
    fn real_gap(&self, gap_us: u64) -> Duration;
    /// An exchange took this long on the wire and in the instrument.
    fn spent(&self, us: u64);
}

/// Time of the machine, monotonic.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    opened: Instant,
    ahead_us: u64,
}

impl WallClock {
    /// A clock that reads zero now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            opened: Instant::now(),
            ahead_us: 0,
        }
    }

    /// A clock that reads `t_us` now: a session is taken up again.
    #[must_use]
    pub fn reading(t_us: u64) -> Self {
        Self {
            opened: Instant::now(),
            ahead_us: t_us,
        }
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for WallClock {
    fn now_us(&self) -> u64 {
        let elapsed_us = u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX);
        elapsed_us.saturating_add(self.ahead_us)
    }

    fn wait_until(&self, t_us: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let rest = Duration::from_micros(t_us.saturating_sub(self.now_us()));
        Box::pin(tokio::time::sleep(rest))
    }

    fn real_limit(&self, limit_us: u64) -> Duration {
        Duration::from_micros(limit_us)
    }

    fn real_gap(&self, gap_us: u64) -> Duration {
        Duration::from_micros(gap_us)
    }

    fn spent(&self, _us: u64) {}
}

/// Virtual time that jumps over every wait and stands still during an exchange, so that a
/// simulated instrument sees the same instants however fast the machine is. Clones share
/// their time. Only one exchange may be under way at a time.
#[derive(Debug, Clone)]
pub struct SkippingClock {
    now_us: Arc<AtomicU64>,
    longest: Duration,
}

impl SkippingClock {
    /// A clock that reads zero. A simulated instrument answers within a millisecond; five
    /// seconds only decide how long a missing reply is really waited for. They are more than
    /// any instrument's own limit, because on a machine under load a reply that is merely
    /// slow in real time must not become one that is missing in virtual time.
    #[must_use]
    pub fn new() -> Self {
        Self::with_longest_wait(Duration::from_secs(5))
    }

    /// As [`SkippingClock::new`] with another longest real wait.
    #[must_use]
    pub fn with_longest_wait(longest: Duration) -> Self {
        Self {
            now_us: Arc::default(),
            longest,
        }
    }
}

impl Default for SkippingClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SkippingClock {
    fn now_us(&self) -> u64 {
        self.now_us.load(Ordering::SeqCst)
    }

    fn wait_until(&self, t_us: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.now_us.fetch_max(t_us, Ordering::SeqCst);
        // Screens and other tasks get their turn although nobody really waits.
        Box::pin(tokio::task::yield_now())
    }

    fn real_limit(&self, _limit_us: u64) -> Duration {
        self.longest
    }

    fn real_gap(&self, gap_us: u64) -> Duration {
        Duration::from_micros(gap_us).min(self.longest)
    }

    fn spent(&self, us: u64) {
        self.now_us.fetch_add(us, Ordering::SeqCst);
    }
}
