//! Instruments: from the bytes of a wire to digits with a unit, and back.
//!
//! - A [`Description`] is one declarative TOML text per model. Encoder, framing, decoder,
//!   the [`Recipe`]s (identify, read, set, safe state) and the simulator's dialogue come
//!   from it; all of them are pure functions.
//! - A [`Port`] performs one exchange on a real or pseudo serial line or over TCP; a [`Bus`]
//!   shares it between the instruments on the line.
//! - [`simulate`] has the instruments and the laboratory around them, for tests and for the
//!   demonstration.

mod bus;
mod checksum;
mod clock;
mod description;
mod easybus;
mod escape;
mod line;
mod number;
mod port;
mod recipe;
mod reply;
pub mod simulate;
mod template;
mod wire;

pub use bus::{Bus, Opening, Tenant};
pub use clock::{Clock, SkippingClock, WallClock};
pub use description::{
    Description, DescriptionError, Evidence, QuantityInfo, Quirk, catalogue, description,
};
pub use escape::{EscapeError, escape, unescape};
pub use line::{Flow, LineError, LineSettings, Parity};
pub use port::{
    Adapters, Exchange, ExchangeOutcome, Port, PortError, PortInfo, PortSettings, UsbAdapters,
    Whereabouts, ports,
};
pub use recipe::{Recipe, RecipeError, RecipeOutcome, Step};
pub use reply::{
    Class, DecodeCause, DecodeError, EncodeError, Framing, Identity, Quality, Reply, Request,
    TimeLimits, Value,
};
pub use simulate::{
    Fault, FaultError, FaultKind, Laboratory, Outlet, PlantSettings, Role, Service, SimulateError,
    SimulatedPort, SimulatorOptions, serve,
};
