//! Instruments: from the bytes of a wire to digits with a unit, and back.
//!
//! - A [`Description`] is one declarative TOML text per model. Encoder, framing, decoder,
//!   the [`Recipe`]s (identify, read, set, safe state) and the simulator's dialogue come
//!   from it; all of them are pure functions.
//! - A [`Port`] performs one exchange on a real or pseudo serial line.
//! - [`simulate`] has the instruments and the laboratory around them, for tests and for the
//!   demonstration.

mod clock;
mod description;
mod escape;
mod line;
mod port;
mod recipe;
mod reply;
pub mod simulate;
mod template;

pub use clock::{Clock, SkippingClock, WallClock};
pub use description::{Description, DescriptionError, QuantityInfo, catalogue, description};
pub use escape::{EscapeError, escape, unescape};
pub use line::{LineError, LineSettings, Parity};
pub use port::{Exchange, ExchangeOutcome, Port, PortError, PortInfo, PortSettings, ports};
pub use recipe::{Recipe, RecipeError, RecipeOutcome, Step};
pub use reply::{
    DecodeCause, DecodeError, EncodeError, Framing, Identity, Quality, Reply, Request, TimeLimits,
    Value,
};
pub use simulate::{
    Fault, FaultError, FaultKind, Laboratory, PlantSettings, Role, SimulateError, SimulatedPort,
    SimulatorOptions, serve,
};
