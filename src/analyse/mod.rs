//! What the app computes with tables, and how results become documents. polars lives here
//! and nowhere else.

pub mod artefact;
pub mod budget;
pub mod certificate;
pub mod extract;
pub mod history;
pub mod import;
pub mod map;
pub mod mapping;
pub mod series;
pub mod table;
#[cfg(test)]
mod weather;
