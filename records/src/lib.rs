//! The session record: one append-only file a session, one JSON event a line, each line
//! chained to the one before by SHA-256, with checkpoints in a second file. `FORMAT.md`
//! beside this crate describes the files so that a stranger can verify them with a hash tool.
//!
//! The record is evidence. This crate never changes or removes a line that it wrote, and it
//! never reports an entry as durable before it was synced, read back and compared.

mod chain;
mod checkpoint;
mod disk;
mod event;
mod interrupted;
mod merkle;
mod reader;
mod verify;
mod writer;

pub use chain::{Entry, GENESIS, sha256_hex};
pub use checkpoint::{Checkpoint, checkpoints_of};
pub use disk::{Disk, DiskFile, Machine};
pub use event::{
    ClockJump, Dropped, Event, Exchange, FORMAT, Opened, Operator, PortChange, Recovered, TextRole,
    TextUsed,
};
pub use interrupted::{Interrupted, NotInterrupted};
pub use reader::{Broken, Ending, Extent, ReadError, Reader, Recorded};
pub use verify::{Verdict, Verification, verify, verify_on};
pub use writer::{Storage, WriteError, Writer};
