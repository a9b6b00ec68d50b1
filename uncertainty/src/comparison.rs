//! Comparisons of laboratories: reference values and degrees of equivalence.

mod equivalence;
mod median;
mod power_moderated;
mod random_effects;
mod weighted;

use serde::{Deserialize, Serialize};

use nalgebra::DMatrix;

use crate::covariance::{CorrelationError, correlated_pairs, lower_triangle, matrix_among};
use crate::input::{Correlation, Input};

pub use equivalence::{Equivalence, PairEquivalence};
pub use median::{MedianReference, SampledEquivalence};
pub use power_moderated::PowerModeratedMean;
pub use random_effects::RandomEffects;
pub use weighted::{ConsistentSubset, WeightedMean};

/// Result of one laboratory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabResult {
    /// Name of the laboratory.
    pub lab: String,
    /// Measured value.
    pub value: f64,
    /// Standard uncertainty, in the unit of the value.
    pub u: f64,
    /// Whether the result enters the reference value; the others are only compared with it.
    pub contributes: bool,
}

impl LabResult {
    /// A result that enters the reference value.
    pub fn new(lab: &str, value: f64, u: f64) -> Self {
        Self {
            lab: lab.to_owned(),
            value,
            u,
            contributes: true,
        }
    }

    /// The same result, only compared with the reference value.
    #[must_use]
    pub fn compared_only(self) -> Self {
        Self {
            contributes: false,
            ..self
        }
    }
}

/// Results of laboratories that measured the same quantity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// One for each laboratory.
    pub results: Vec<LabResult>,
    /// Correlations between results, by the names of the laboratories; what is not named is 0.
    pub correlations: Vec<Correlation>,
}

impl From<Vec<LabResult>> for Comparison {
    fn from(results: Vec<LabResult>) -> Self {
        Self {
            results,
            correlations: Vec::new(),
        }
    }
}

/// Reference value of a comparison: a linear combination of the results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Reference value, in the unit of the results.
    pub value: f64,
    /// Its standard uncertainty.
    pub u: f64,
    /// Weight of each result, in the order of the results: 0 for one that does not contribute.
    /// All are 0 for a reference value from outside.
    pub weights: Vec<f64>,
    /// Standard deviation between laboratories that was added to each stated uncertainty to
    /// find the weights; 0 where the results agree without.
    pub s_between: f64,
}

/// Why a comparison is not evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ComparisonError {
    /// Too few contributors.
    #[error(
        "{what} needs at least {needed} results that contribute, not {found}; add laboratories"
    )]
    TooFew {
        /// The reference value or test.
        what: &'static str,
        /// Contributors needed.
        needed: usize,
        /// Contributors given.
        found: usize,
    },
    /// A value that is infinite or no number.
    #[error("the value of {lab:?} is not a finite number; mend it, or leave the laboratory out")]
    NotFinite {
        /// Name of the laboratory.
        lab: String,
    },
    /// A standard uncertainty that is not positive.
    #[error(
        "the standard uncertainty of {lab:?} is {u}; it must be positive and finite: a result without uncertainty cannot be weighed, take it as reference value or leave it out"
    )]
    Uncertainty {
        /// Name of the laboratory.
        lab: String,
        /// As given.
        u: f64,
    },
    /// Two results of one laboratory where correlations are given by name.
    #[error(
        "{lab:?} has two results; correlations are given by name, so name each result differently"
    )]
    Repeated {
        /// Name of the laboratory.
        lab: String,
    },
    /// Correlations that contradict each other or name a laboratory that is not there.
    #[error(transparent)]
    Correlations(#[from] CorrelationError),
    /// A result that follows exactly from those before it.
    #[error(
        "the result of {lab:?} follows exactly from those before it (correlation 1); keep only one of them in the reference value"
    )]
    Dependent {
        /// Name of the laboratory.
        lab: String,
    },
    /// An estimate that is defined for independent results only.
    #[error(
        "{what} is defined for independent results; leave the correlations out, or take the weighted mean or the median, which allow for them"
    )]
    Correlated {
        /// The estimate.
        what: &'static str,
    },
    /// A parameter outside its range.
    #[error("{what} is {found}; it must lie in {range}")]
    Parameter {
        /// Which parameter.
        what: &'static str,
        /// As given.
        found: f64,
        /// Its range in words.
        range: &'static str,
    },
    /// No two results agree.
    #[error(
        "no two results are consistent at the level {level}; mend the uncertainties, or take the median or random effects"
    )]
    NoSubset {
        /// Probability of a larger χ² at which results count as inconsistent.
        level: f64,
    },
    /// Too many subsets to try.
    #[error(
        "the largest consistent subset of {results} results was not found among {tried} subsets; leave out what is known to be wrong, or take the median or random effects"
    )]
    TooManySubsets {
        /// Contributors.
        results: usize,
        /// Subsets tried.
        tried: usize,
    },
    /// A reference value of another comparison.
    #[error(
        "the reference value has {found} weights for {expected} results; give one for each result, 0 where it does not contribute"
    )]
    Weights {
        /// Weights given.
        found: usize,
        /// Results.
        expected: usize,
    },
}

impl Comparison {
    /// Places of the contributors, once all results are in order.
    fn contributors(
        &self,
        what: &'static str,
        needed: usize,
    ) -> Result<Vec<usize>, ComparisonError> {
        self.check()?;
        let places = (0..self.results.len()).filter(|&at| self.results[at].contributes);
        let places: Vec<usize> = places.collect();
        let found = places.len();
        if found < needed {
            return Err(ComparisonError::TooFew {
                what,
                needed,
                found,
            });
        }
        Ok(places)
    }

    fn check(&self) -> Result<(), ComparisonError> {
        for (at, result) in self.results.iter().enumerate() {
            let lab = result.lab.clone();
            if !result.value.is_finite() {
                return Err(ComparisonError::NotFinite { lab });
            }
            let u = result.u;
            if !(u.is_finite() && u > 0.0) {
                return Err(ComparisonError::Uncertainty { lab, u });
            }
            let is_repeated = self.results[..at].iter().any(|other| other.lab == lab);
            if is_repeated && !self.correlations.is_empty() {
                return Err(ComparisonError::Repeated { lab });
            }
        }
        Ok(())
    }

    fn independent(&self, what: &'static str) -> Result<(), ComparisonError> {
        if self.correlations.iter().any(|pair| pair.r != 0.0) {
            return Err(ComparisonError::Correlated { what });
        }
        Ok(())
    }

    /// Correlation matrix of the results at `places`.
    fn correlation_matrix(&self, places: &[usize]) -> Result<DMatrix<f64>, ComparisonError> {
        let each = self.results.iter();
        let inputs: Vec<Input> = each
            .map(|result| Input::normal(&result.lab, result.value, result.u))
            .collect();
        let inputs: Vec<&Input> = inputs.iter().collect();
        let pairs = correlated_pairs(&inputs, &self.correlations)?;
        Ok(matrix_among(places, &pairs))
    }

    /// Lower triangle L of the correlation matrix L·Lᵀ of the results at `places`.
    fn correlation_factor(&self, places: &[usize]) -> Result<DMatrix<f64>, ComparisonError> {
        let matrix = self.correlation_matrix(places)?;
        lower_triangle(&matrix).map_err(|at| {
            let symbol = self.results[places[at]].lab.clone();
            ComparisonError::Correlations(CorrelationError::Contradictory { symbol })
        })
    }

    /// Weights of the results at `places`, as one for each result.
    fn spread(&self, places: &[usize], weights: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; self.results.len()];
        for (&at, &weight) in places.iter().zip(weights) {
            all[at] = weight;
        }
        all
    }
}

fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// A probability or another share that must lie between 0 and 1.
fn check_share(what: &'static str, found: f64) -> Result<(), ComparisonError> {
    if found > 0.0 && found < 1.0 {
        return Ok(());
    }
    let range = "0 to 1, without the ends";
    Err(ComparisonError::Parameter { what, found, range })
}
