//! The session record: one append-only file a session, one JSON event a line, each line
//! chained to the one before by SHA-256. `FORMAT.md` beside this crate describes the file
//! so that a stranger can verify it with a hash tool.
//!
//! The record is evidence. This crate never changes or removes a line that it wrote, and it
//! never reports an entry as written before it was read back from the file and compared.

mod chain;
mod event;
mod reader;
mod writer;

pub use chain::{Entry, GENESIS, sha256_hex};
pub use event::{Event, Exchange, FORMAT, Opened, Operator, PortChange, TextRole, TextUsed};
pub use reader::{
    Broken, Ending, Interrupted, NotInterrupted, ReadError, Reader, Verification, verify,
};
pub use writer::{WriteError, Writer};
