//! Measurement models and the uncertainty of their results.
//!
//! A model is text ([`Model`]). What is known about its input quantities is a list of
//! [`Input`]s with correlations ([`Inputs`]). From both come the estimate and its uncertainty
//! by three methods, which are held against each other: the law of propagation of the GUM
//! ([`propagate`]), its terms of second order ([`second_order`]) and the Monte Carlo method
//! ([`monte_carlo`]). [`decide`] states conformity with limits. The words are those of the
//! VIM (JCGM 200:2012) and the GUM; how each number is computed, and which test holds it,
//! stands in `METHOD.md`.
//!
//! # Example
//!
//! The power in a resistor: a voltage read ten times on a display, and a resistance from a
//! certificate.
//!
//! ```
//! use heng_uncertainty::{
//!     Input, Inputs, Library, Model, Sampling, monte_carlo, propagate, second_order, validate,
//! };
//!
//! let text = "P = (V + d)^2 / R";
//! let model = Model::compile(text, Library::shipped()).map_err(|found| found[0].clone())?;
//! let inputs = Inputs::from(vec![
//!     Input::student("V", 5.0021, 0.0004, 9.0),     // mean of 10 readings in V, s/√n, ν
//!     Input::rectangular("d", 0.0, 0.0005),         // resolution: half a step in V
//!     Input::certificate("R", 100.02, 0.06, 2.0),   // value and U in Ω, k = 2
//! ]);
//! let budget = propagate(&model, "P", &inputs, 0.9545)?;        // JCGM 100
//! let second = second_order(&model, "P", &inputs)?;
//! let trials = monte_carlo(&model, "P", &inputs, &Sampling::with_seed(1))?; // JCGM 101
//! let verdict = validate(&budget, &trials);                     // JCGM 101, clause 8
//!
//! assert!(verdict.validated && budget.warnings.is_empty());
//! assert_eq!(format!("{:.5} W ± {:.5} W", budget.value, budget.expanded), "0.25016 W ± 0.00018 W");
//! assert!((second.u.unwrap_or(f64::NAN) / budget.u - 1.0).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to find what
//!
//! | question | start at | clause |
//! |---|---|---|
//! | the language of models, their value, derivatives and units | [`Model`] | JCGM 100:2008, 4.1 |
//! | formulas with source and range | [`Library`], [`Formula`] | – |
//! | tables of limits | [`Table`] | – |
//! | the input that gives a wanted result | [`solve`] | – |
//! | fixed points, coefficients of thermometers from their points | [`FixedPoint`], [`sprt_calibration`], [`thermistor_calibration`] | ITS-90, 3.3 |
//! | a series of readings | [`type_a`], [`slope`] | JCGM 100:2008, 4.2 |
//! | several series of the same scatter; readings that follow each other | [`pooled`], [`autocorrelated`] | JCGM 100:2008, 4.2.4; Zhang, Metrologia 43 (2006) |
//! | components of variance | [`one_way`], [`crossed`], [`nested`] | JCGM 100:2008, H.5 |
//! | studies of measurement systems | [`gauge_study`], [`bias_study`] | AIAG MSA, 4th edition |
//! | a precision experiment of laboratories | [`precision()`] | ISO 5725-2:2019 |
//! | repeatability and stability of a standard | [`standard_repeatability`], [`standard_stability`] | JJF 1033-2023, annex C |
//! | laws that can be assigned to an input | [`Distribution`], [`Law`] | JCGM 101:2008, 6.4 |
//! | correlated inputs, inputs estimated together | [`Inputs`], [`CorrelationMeasure`] | JCGM 100:2008, 5.2; JCGM 102:2011, 5.3.2 |
//! | combined and expanded uncertainty | [`propagate`], [`Budget`], [`coverage_factor`] | JCGM 100:2008, 5, 6 and annex G |
//! | what makes a budget doubtful | [`Warning`] | – |
//! | the same model at many points | [`Propagator`] | as [`propagate`] |
//! | several outputs | [`propagate_all`], [`monte_carlo_all`] | JCGM 102:2011, 6 and 7 |
//! | complex quantities, regions in two dimensions | [`complex_dof`], [`coverage_factor_2d`], [`Regions`] | JCGM 102:2011, 7.7 |
//! | models that are not linear | [`second_order`] | JCGM 100:2008, 5.1.2, note |
//! | propagation of distributions | [`monte_carlo`], [`monte_carlo_adaptive`] | JCGM 101:2008, 7 |
//! | which input matters | [`BudgetRow::share`], [`sobol`] | – |
//! | whether the GUM's interval holds | [`validate`] | JCGM 101:2008, 8 |
//! | results that keep their correlation for later | [`UncertainNumber`], [`Archive`] | JCGM 100:2008, 5.2 and H.2 |
//! | robust mean and scores of a proficiency test | [`algorithm_a`], [`q_hampel`], [`AssignedValue`], [`homogeneity`] | ISO 13528:2022 |
//! | key comparisons, degrees of equivalence | [`Comparison`] | CIPM MRA, T.3 |
//! | check standards in control | [`Baseline`], [`individuals`], [`ewma`], [`cusum`], [`s_chart`], [`runs`] | – |
//! | process capability | [`CapabilityStudy`] | ISO 22514-2 |
//! | intervals between calibrations | [`Staircase`], [`attributes_interval`], [`Drift`] | ILAC-G24/OIML D 10:2022 |
//! | conformity, guard bands and risks | [`decide`], [`conformance_probability`], [`RiskProblem`], [`GuardBand`] | JCGM 106:2012, 7 to 9 |
//!
//! # The same bits everywhere
//!
//! The crate is pure: no input or output, no clock. The same model, inputs and seed give the
//! same bits on every machine, for every number of threads and every instruction set:
//!
//! - Elementary functions are its own or those of `libm`, never those of the platform; of the
//!   machine it uses the operations that IEEE 754 rounds exactly.
//! - Every sum of numbers that are not whole has one fixed order.
//! - Random numbers come from streams of their own for each input and each block of trials.
//!   The way from seed to samples has a name, [`SAMPLER`], which stands in every result; a
//!   change of a single sampled bit changes it.
//!
//! # What is refused
//!
//! A number that would be wrong or mean nothing is an error that says what is wrong, where,
//! and what to do; no result is NaN. Refused are, among others: inputs that are missing,
//! unknown to the model or not finite ([`InputError`]); correlations that contradict each
//! other ([`CorrelationError`]) or that the laws cannot have ([`CopulaError`]); a first order
//! that vanishes, and degrees of freedom of correlated inputs that were not estimated together
//! ([`PropagationError`]); a run in which even one trial has no value, or that does not
//! converge ([`SampleError`]). What is right but may mislead is a [`Warning`] instead.

#![warn(missing_docs)]

mod anova;
mod archive;
mod autocorrelation;
mod budget_file;
mod capability;
mod chart;
mod comparison;
mod conformity;
mod covariance;
mod critical;
mod digitised;
mod dof;
mod elementary;
mod evaluation;
mod fit;
mod formula;
mod gum;
mod input;
mod law;
mod measurement_system;
mod model;
mod monte_carlo;
#[expect(
    clippy::excessive_precision,
    reason = "coefficients stand as published"
)]
mod normal;
mod precision;
mod random;
mod recalibration;
mod reference_standard;
mod risk;
mod robust;
mod sampler;
mod scores;
mod second_order;
pub mod serde_inf;
mod solve;
mod special;
mod student;
mod table;
mod thermometry;
mod type_a;
mod uncertain;
mod validation;
mod ziggurat;

pub use anova::{
    AnovaError, AnovaRow, Component, Crossed, Effects, FTest, GrandMean, GroupSummary, Nested,
    OneWay, Source, crossed, f_upper_tail, nested, one_way, one_way_of_summaries,
};
pub use archive::{Archive, ArchiveError};
pub use autocorrelation::{Autocorrelated, AutocorrelationError, autocorrelated, autocorrelation};
pub use budget_file::{
    BUDGET_SCHEMA, BudgetFile, Described, FileDiagnostic, Limits, MAX_BUDGET_BYTES, Plan, Replaced,
    Requested, Run, Setting,
};
pub use capability::{Capability, CapabilityError, CapabilityIndex, CapabilityStudy};
pub use chart::{
    Baseline, Chart, ChartError, ChartLimits, Cusum, EwmaLimits, RunRule, Side, Signal, cusum,
    ewma, individuals, runs, s_chart,
};
pub use comparison::{
    Comparison, ComparisonError, ConsistentSubset, Equivalence, LabResult, MedianReference,
    PairEquivalence, PowerModeratedMean, RandomEffects, Reference, SampledEquivalence,
    WeightedMean,
};
pub use conformity::{
    ConformityError, Decision, DecisionRule, SampleConformity, Verdict,
    acceptance_for_specific_risk, conformance_probability, decide, specific_risk,
};
pub use covariance::CorrelationError;
pub use digitised::digitised_u;
pub use dof::{ComplexContribution, DofError, complex_dof, coverage_factor_2d};
pub use evaluation::{
    Caution, CautionKind, Conformity, Dof, Evaluation, Explanation, FormulaUsed, Improvement,
    InputUsed, Joint, Matrices, OutputEvaluation, Reported, ReportedMethod, TrialConformity,
    evaluate, explain,
};
pub use fit::{
    Consistency, CoordinateScatter, Fit, FitError, FitPoint, FitScale, Inverse, InverseError,
    LargestResidual, NonlinearError, NonlinearFit, NonlinearProblem, Polynomial, Predicted,
    Reading, Residuals, Runs, Scatter, line_of_uncertain_points, linear_fit,
};
pub use formula::{Argument, Constant, ConstantValue, Formula, FormulaError, Library};
pub use gum::{
    Budget, BudgetRow, JointBudget, Propagated, PropagationError, Propagator, Warning,
    coverage_factor, propagate, propagate_all,
};
pub use heng_quantities::Text;
pub use input::{Correlation, CorrelationMeasure, Distribution, Input, InputError, Inputs};
pub use law::{CopulaError, Law, LawTable, pearson_to_normal, rank_to_normal};
pub use measurement_system::{
    BiasStudy, GaugeStudy, StudyError, StudyShare, StudyTable, bias_study, gauge_study,
    gauge_study_nested,
};
pub use model::{Diagnostic, EvalError, Model, RangeViolation};
pub use monte_carlo::{
    Adaptive, Convergence, Histogram, IntervalKind, JointMonteCarlo, MonteCarlo, Regions, SAMPLER,
    SampleError, Sampling, SamplingErrors, SmallestRegion, Sobol, SobolShare, Stability, Stable,
    monte_carlo, monte_carlo_adaptive, monte_carlo_all, sobol,
};
pub use precision::{
    ExtremeTest, Mandel, Precision, PrecisionError, Standing, precision, sigma_from_precision,
};
pub use recalibration::{
    AttributesInterval, Drift, DriftInterval, RecalibrationError, Staircase, StopRule,
    attributes_interval,
};
pub use reference_standard::{
    StabilityEvidence, StandardError, StandardRepeatability, StandardStability,
    standard_repeatability, standard_stability,
};
pub use risk::{GuardBand, RiskProblem, Risks, process_capability};
pub use robust::{
    RobustError, RobustEstimate, Stopping, algorithm_a, hampel, median, normalised_iqr, q_hampel,
    q_method, scaled_mad,
};
pub use scores::{
    AssignedValue, Homogeneity, Score, ScoreError, ScoreSignal, Scores, Submitted, homogeneity,
};
pub use second_order::{QuadraticMoments, SecondOrder, SecondOrderRow, second_order};
pub use solve::{SolveError, solve};
pub use table::{Table, TableError, TableRow};
pub use thermometry::{
    CalibrationError, Equilibrium, FIXED_POINTS, FixedPoint, Thermistor, TriplePoint,
    sprt_calibration, thermistor_calibration,
};
pub use type_a::{
    PoolError, Pooled, SimultaneousError, Slope, TooFewReadings, TypeA, pooled, simultaneous,
    slope, type_a, type_a_uncompensated,
};
pub use uncertain::{
    Element, UncertainError, UncertainNumber, correlation, covariance, joint_dof,
    propagate_uncertain,
};
pub use validation::{Validation, validate};
