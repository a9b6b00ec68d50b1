//! Calibration procedures as data, the plan that runs one, and the evaluation of its readings.
//!
//! Everything here is a pure function of its inputs: no input or output, no clock. A plan
//! ([`Plan`]) takes what happened, with its time, and answers with commands; the readings of
//! its points become results.

mod bind;
mod check;
mod criterion;
mod diagnostics;
mod evaluate;
mod history;
mod lint;
mod mapping;
mod monitoring;
mod order;
mod outcome;
mod packaging;
mod plan;
mod pressure;
mod schema;
mod signals;
mod standard;
mod steady;
mod weighing;

pub use bind::Answers;
pub use criterion::*;
pub use diagnostics::Diagnostic;
pub use evaluate::{
    COVERAGE, EvaluationError, Place, Rules, evaluate, evaluate_point, result_seed,
};
pub use history::{Gap, History, Judged, Stretch, history};
pub use lint::{BenchQuantity, BenchRole, Finding, lint};
pub use mapping::*;
pub use monitoring::{
    Excursion, Excursions, RadiationIndicator, Watch, excursions, radiation_indicator,
};
pub use order::*;
pub use outcome::*;
pub use packaging::*;
pub use plan::{Command, Input, Plan, Progress, Setup, SetupError};
pub use pressure::{PressureCycles, PressureCyclesError, PressurePoint, pressure_cycles};
pub use schema::*;
pub use signals::{SignalError, Signals};
pub use standard::*;
pub use steady::{Sample, Value, Window};
pub use weighing::{
    ClassVerdict, NoWeight, WeighingComparison, WeighingCycle, WeighingError, weight_class,
};
