//! The records of a laboratory together: what needs more than one session.

pub mod backup;
