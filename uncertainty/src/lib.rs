//! Measurement models and the uncertainty of their results.
//!
//! A model is text ([`Model`]); from it come its value, exact derivatives, the propagation
//! of uncertainty of the GUM ([`propagate`], JCGM 100:2008), the Monte Carlo method of its
//! Supplement 1 ([`monte_carlo`], JCGM 101:2008), the comparison of both ([`validate`]) and
//! the statement of conformity ([`decide`], JCGM 106:2012).
//!
//! The crate is pure: no input or output, no clock, and the same bits on every machine and
//! thread count. Elementary functions come from `libm`, random numbers from a seeded
//! ChaCha8 generator, and every sum has one fixed order.

mod conformity;
mod covariance;
mod formula;
mod gum;
mod input;
mod model;
mod monte_carlo;
#[expect(
    clippy::excessive_precision,
    reason = "coefficients stand as published"
)]
mod normal;
mod sampler;
pub mod serde_inf;
mod solve;
mod student;
mod type_a;
mod validation;

pub use conformity::{Decision, DecisionRule, Verdict, decide};
pub use covariance::CorrelationError;
pub use formula::{Argument, Formula, FormulaError, Library};
pub use gum::{Budget, BudgetRow, PropagationError, coverage_factor, propagate};
pub use heng_quantities::Text;
pub use input::{Correlation, Distribution, Input, InputError};
pub use model::{Diagnostic, EvalError, Model, RangeViolation};
pub use monte_carlo::{Histogram, MonteCarlo, SAMPLER, SampleError, Sampling, monte_carlo};
pub use solve::{SolveError, solve};
pub use type_a::{Slope, TooFewReadings, TypeA, slope, type_a};
pub use validation::{Validation, validate};
