//! Calibration procedures as data, the plan that runs one, and the evaluation of its readings.
//!
//! Everything here is a pure function of its inputs: no input or output, no clock. A plan
//! ([`Plan`]) takes what happened, with its time, and answers with commands; the readings of
//! its points become results.

mod bind;
mod check;
mod diagnostics;
mod evaluate;
mod lint;
mod mapping;
mod order;
mod outcome;
mod plan;
mod schema;
mod signals;
mod standard;
mod steady;

pub use bind::Answers;
pub use diagnostics::Diagnostic;
pub use evaluate::{COVERAGE, EvaluationError, Place, evaluate, evaluate_point, result_seed};
pub use lint::{BenchQuantity, BenchRole, Finding, lint};
pub use mapping::*;
pub use order::*;
pub use outcome::*;
pub use plan::{Command, Input, Plan, Progress, Setup, SetupError};
pub use schema::*;
pub use signals::{SignalError, Signals};
pub use standard::*;
pub use steady::{Figures, Sample, Value, figures};
