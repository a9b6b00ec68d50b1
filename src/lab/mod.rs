//! The records of a laboratory together: what needs more than one session.

pub mod backup;
pub mod history;
pub mod index;
pub mod survey;
pub mod tables;
mod witness;
