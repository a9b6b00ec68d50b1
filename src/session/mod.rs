//! A session: evidence in, derived values out, and the record between them.
//!
//! [`engine`] is the one path from bytes to results. [`live`] feeds it from instruments,
//! [`replay`] feeds it from a record, [`recovery`] first from a record and then from
//! instruments; none of them computes anything.

pub mod bench;
pub mod calendar;
pub mod engine;
pub mod evidence;
pub mod live;
pub mod logger;
pub mod ports;
pub mod recovery;
pub mod replay;
pub mod simulated;
pub mod trace;
pub mod whatif;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod long;
#[cfg(test)]
mod moved_clock;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod unplug;
