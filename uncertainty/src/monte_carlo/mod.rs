//! Propagation of distributions by a Monte Carlo method (JCGM 101:2008, clause 7, and
//! JCGM 102:2011, clause 7, for several outputs).

mod adaptive;
mod intervals;
mod moments;
mod region;
mod run;
mod sobol;
mod source;
mod tally;

use serde::{Deserialize, Serialize};

pub use adaptive::{Adaptive, Convergence, IntervalKind, Stability, Stable, monte_carlo_adaptive};
pub use intervals::Histogram;
pub use region::{Regions, SmallestRegion};
pub use sobol::{Sobol, SobolShare, sobol};

use crate::covariance::CorrelationError;
use crate::gum::PropagationError;
use crate::input::{InputError, Inputs};
use crate::law::CopulaError;
use crate::model::{EvalError, Model};
use run::Runner;

/// Name of the way from seed to samples; it stands in every result and changes with any
/// change of a sampled bit.
pub const SAMPLER: &str = "xoshiro256++x16-ziggurat-1";

/// Fewer trials say nothing about the ends of an interval.
const MIN_TRIALS: u64 = 1000;

/// Trials that an interval must leave outside for its ends to be estimates at all.
const MIN_OUTSIDE: f64 = 10.0;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Seed of the generator: with the model and the inputs it fixes every bit of the result.
    pub seed: u64,
    /// Number of trials M (JCGM 101:2008, 7.2); 1 000 000 where it is not stated.
    #[serde(default = "default_trials")]
    pub trials: u64,
    /// Coverage probability p, 0.5 to 0.9999; 0.9545 where it is not stated.
    #[serde(default = "default_coverage")]
    pub coverage: f64,
}

fn default_trials() -> u64 {
    1_000_000
}

fn default_coverage() -> f64 {
    0.9545
}

impl Sampling {
    /// 1 000 000 trials for a coverage probability of 95.45 %.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            seed,
            trials: default_trials(),
            coverage: default_coverage(),
        }
    }

    fn check(&self) -> Result<(), SampleError> {
        let &Self {
            trials, coverage, ..
        } = self;
        if !(0.5..=0.9999).contains(&coverage) {
            return Err(SampleError::Coverage(coverage));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 100 000"
        )]
        let least = ((MIN_OUTSIDE / (1.0 - coverage)).ceil() as u64).max(MIN_TRIALS);
        if trials < least {
            return Err(SampleError::TooFewTrials { trials, least });
        }
        if trials > MAX_TRIALS {
            return Err(SampleError::TooManyTrials { trials });
        }
        Ok(())
    }
}

/// More would need years.
const MAX_TRIALS: u64 = 1_000_000_000_000;

/// Distribution of a result, summarised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonteCarlo {
    /// Name of the output quantity in the model.
    pub output: String,
    /// [`SAMPLER`] of the program that drew.
    pub sampler: String,
    /// Seed that was drawn with.
    pub seed: u64,
    /// Number of trials M that were summarised.
    pub trials: u64,
    /// Mean of the trials: the estimate of the output (JCGM 101:2008, 7.6, equation 16).
    pub mean: f64,
    /// Standard deviation of the trials (JCGM 101:2008, 7.6, equation 17): the standard
    /// uncertainty of the output, in its unit.
    pub u: f64,
    /// Coverage probability of both intervals.
    pub coverage: f64,
    /// Shortest interval (7.7.4) that holds the fraction `coverage` of the trials.
    pub shortest: [f64; 2],
    /// Probabilistically symmetric interval (7.7.2).
    pub symmetric: [f64; 2],
    /// Standard errors of the numbers above.
    pub errors: SamplingErrors,
    /// Frequencies of the trials, an estimate of the density (JCGM 101:2008, 7.5).
    pub histogram: Histogram,
}

/// Standard errors of the numbers of a [`MonteCarlo`] that come from the finite number of
/// trials, in the unit of the value. None where the law of the result gives no estimate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamplingErrors {
    /// u/√M.
    pub mean: f64,
    /// From the fourth moment of the trials; meaningless, and large, where the result has
    /// none.
    pub u: f64,
    /// From parts of the run; the position of the shortest interval is known far less well
    /// than its length.
    pub shortest: [f64; 2],
    /// From the spacing of the ordered trials around each end.
    pub symmetric: [f64; 2],
}

/// Several outputs from the same trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JointMonteCarlo {
    /// In the order in which they were asked for.
    pub outputs: Vec<MonteCarlo>,
    /// Covariance of the outputs, row by row, each in the product of two units (JCGM
    /// 102:2011, 7.6).
    pub covariance: Vec<Vec<f64>>,
    /// Of two outputs or more, where they are not strictly dependent and the trials were
    /// kept (up to 16 777 216).
    pub regions: Option<Regions>,
    /// Of an adaptive run.
    pub convergence: Option<Convergence>,
}

/// Why no distribution was drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SampleError {
    /// Too few trials for the ends of an interval: 1000, and 10 outside of it, are the least.
    #[error("{trials} trials are too few for this coverage probability: take at least {least}")]
    TooFewTrials {
        /// Trials that were asked for or done.
        trials: u64,
        /// The least for this coverage probability.
        least: u64,
    },
    /// More trials than can be done.
    #[error("{trials} trials are too many: at most {MAX_TRIALS}")]
    TooManyTrials {
        /// Trials that were asked for.
        trials: u64,
    },
    /// Digits of u that the adaptive procedure does not take; as given.
    #[error("an adaptive run stabilises 1 to 3 significant digits of u, not {0}")]
    Digits(u8),
    /// Results that are not stable at the largest number of trials (JCGM 101:2008, 7.9.4).
    #[error(
        "not converged: after {trials} trials {what} is known to ±{reached:.3e}, but {digits} \
         significant digit(s) of u need ±{tolerance:.3e}; allow more trials, or ask for fewer \
         digits or for the symmetric interval"
    )]
    NotConverged {
        /// The output, or the joint region.
        what: String,
        /// Trials that were drawn.
        trials: u64,
        /// Significant digits that were asked for.
        digits: u8,
        /// Largest of the doubled standard errors.
        reached: f64,
        /// Numerical tolerance δ (7.9.2), in the unit of the output.
        tolerance: f64,
    },
    /// A coverage probability outside of 0.5 to 0.9999; as given.
    #[error("the coverage probability must lie between 0.5 and 0.9999, not {0}")]
    Coverage(f64),
    /// An input that is refused, missing or too many.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An ensemble that names an unknown input, or one that stands in another already.
    #[error(transparent)]
    Ensemble(#[from] Box<PropagationError>),
    /// Correlations that are refused.
    #[error(transparent)]
    Correlation(#[from] CorrelationError),
    /// A coefficient that the laws of two inputs cannot have.
    #[error("the correlation of {a:?} and {b:?} cannot be drawn: {source}")]
    Copula {
        /// Symbol of one input.
        a: String,
        /// Symbol of the other input.
        b: String,
        /// Why no copula gives it.
        source: CopulaError,
    },
    /// A correlation for which no joint distribution with the multivariate t is defined.
    #[error(
        "{symbol:?} belongs to an ensemble that follows a multivariate t distribution and is \
         correlated with an input outside of it, or with one that follows another law: put \
         them into one ensemble, or enter it with another law"
    )]
    TornEnsemble {
        /// Symbol of the input of the ensemble.
        symbol: String,
    },
    /// An ensemble whose inputs do not share their degrees of freedom (JCGM 102:2011, 5.3.2).
    #[error("{symbol:?} has other degrees of freedom than the rest of its ensemble")]
    EnsembleDof {
        /// Symbol of the input.
        symbol: String,
    },
    /// Trials without a value. None is left out: the law of the rest would be another one.
    #[error(
        "{count} of {trials} trials have no finite value of {output:?}; the first is trial \
         {first}{}. Restrict the inputs to the domain of the model, or say with `if` what \
         holds outside of it",
        because(source.as_deref())
    )]
    Undefined {
        /// Name of the output quantity.
        output: String,
        /// How many trials have no value.
        count: u64,
        /// Trials that were asked for.
        trials: u64,
        /// Counted from 0.
        first: u64,
        /// What the model alone says of that trial.
        source: Option<Box<EvalError>>,
    },
    /// Trials without a value in an analysis of shares.
    #[error(
        "some trials have no finite value of {output:?}: run the Monte Carlo method first, which \
         says where"
    )]
    UndefinedShare {
        /// Name of the output quantity.
        output: String,
    },
    /// An output that is the same number in every trial.
    #[error("{output:?} has no variance that could be shared out")]
    NoVariance {
        /// Name of the output quantity.
        output: String,
    },
    /// A model that does not have the output, or cannot be evaluated.
    #[error(transparent)]
    Model(EvalError),
}

fn because(source: Option<&EvalError>) -> String {
    source.map_or_else(String::new, |source| format!(": {source}"))
}

/// Draws the inputs, evaluates the model for each trial and summarises `output`.
///
/// The result is the same, to the last bit, for every number of threads and every
/// instruction set: each input of each block of trials has a stream of its own, and all sums
/// run over the trials in one order.
///
/// # Errors
/// [`SampleError`]; no trial is ever left out.
pub fn monte_carlo(
    model: &Model,
    output: &str,
    inputs: &Inputs,
    sampling: &Sampling,
) -> Result<MonteCarlo, SampleError> {
    let mut joint = monte_carlo_all(model, &[output], inputs, sampling)?;
    Ok(joint.outputs.remove(0))
}

/// [`monte_carlo`] for several outputs from the same trials.
///
/// # Errors
/// [`SampleError`]; no trial is ever left out.
pub fn monte_carlo_all(
    model: &Model,
    outputs: &[&str],
    inputs: &Inputs,
    sampling: &Sampling,
) -> Result<JointMonteCarlo, SampleError> {
    sampling.check()?;
    Runner::new(model, outputs, inputs, sampling)?.run()
}
