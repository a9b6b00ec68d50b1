//! Comparisons from their text to the closed points.

mod dry_run;
mod plan;
mod procedure;
