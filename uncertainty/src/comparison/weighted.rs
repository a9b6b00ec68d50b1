//! Weighted mean with its consistency test, and the largest consistent subset.

use serde::{Deserialize, Serialize};

use super::{Comparison, ComparisonError, Reference, check_share, sum};
use crate::critical::chi_squared_quantile;
use crate::fit::Consistency;

/// Weighted mean of the contributors (M. G. Cox, Metrologia 39, 2002, 589–595, procedure A).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightedMean {
    /// Reference value.
    pub reference: Reference,
    /// Whether the results agree within their uncertainties.
    pub consistency: Consistency,
    /// Birge ratio √(χ²/ν): near 1 where the uncertainties are right.
    pub birge_ratio: f64,
}

/// Weighted mean of the largest subset of contributors that agree
/// (M. G. Cox, Metrologia 44, 2007, 187–200).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsistentSubset {
    /// Weighted mean of the subset; the weights of the others are 0.
    pub mean: WeightedMean,
    /// Contributors that were left out, by their places among the results.
    pub left_out: Vec<usize>,
    /// Whether another subset of this size is consistent too; the one taken has the smallest χ².
    pub is_unique: bool,
}

/// Subsets that are tried before the search is given up.
const MAX_SUBSETS: usize = 1_000_000;

/// Weighted mean, its standard uncertainty, weights and χ².
struct Combined {
    value: f64,
    u: f64,
    weights: Vec<f64>,
    chi_squared: f64,
}

impl Comparison {
    /// Mean with weights from the covariance matrix of the contributors, u⁻² where they are
    /// independent, and the χ² test of their consistency at `level`: results count as
    /// inconsistent where a larger χ² has a smaller probability (0.05 is usual).
    ///
    /// # Errors
    /// [`ComparisonError`].
    ///
    /// # Example
    /// ```
    /// use heng_uncertainty::{Comparison, LabResult};
    ///
    /// let results = [("A", 10.01, 0.02), ("B", 10.03, 0.02), ("C", 10.02, 0.04)];
    /// let results = results.map(|(lab, value, u)| LabResult::new(lab, value, u));
    /// let found = Comparison::from(results.to_vec()).weighted_mean(0.05)?;
    /// assert!(found.consistency.consistent);
    /// assert!((found.reference.value - 10.02).abs() < 1e-9);
    /// # Ok::<(), heng_uncertainty::ComparisonError>(())
    /// ```
    pub fn weighted_mean(&self, level: f64) -> Result<WeightedMean, ComparisonError> {
        let places = self.contributors("the weighted mean", 2)?;
        check_share("the level of the test", level)?;
        let combined = self.combine(&places)?;
        Ok(self.tested(&places, &combined, level))
    }

    /// The largest subset of contributors whose weighted mean passes the χ² test at `level`; of
    /// several, the one with the smallest χ².
    ///
    /// # Errors
    /// [`ComparisonError::NoSubset`], [`ComparisonError::TooManySubsets`] and others.
    pub fn largest_consistent_subset(
        &self,
        level: f64,
    ) -> Result<ConsistentSubset, ComparisonError> {
        let places = self.contributors("the largest consistent subset", 2)?;
        check_share("the level of the test", level)?;
        let mut tried = 0;
        for size in (2..=places.len()).rev() {
            let limit = chi_squared_quantile(1.0 - level, size as f64 - 1.0);
            let mut best: Option<(Combined, Vec<usize>)> = None;
            let mut consistent = 0;
            let mut choice: Vec<usize> = (0..size).collect();
            loop {
                tried += 1;
                if tried > MAX_SUBSETS {
                    let (results, tried) = (places.len(), MAX_SUBSETS);
                    return Err(ComparisonError::TooManySubsets { results, tried });
                }
                let subset: Vec<usize> = choice.iter().map(|&at| places[at]).collect();
                let combined = self.combine(&subset)?;
                if combined.chi_squared <= limit {
                    consistent += 1;
                    let is_better = best
                        .as_ref()
                        .is_none_or(|(best, _)| combined.chi_squared < best.chi_squared);
                    if is_better {
                        best = Some((combined, subset));
                    }
                }
                if !next_choice(&mut choice, places.len()) {
                    break;
                }
            }
            if let Some((combined, subset)) = best {
                let left_out = places.iter().filter(|at| !subset.contains(at)).copied();
                return Ok(ConsistentSubset {
                    left_out: left_out.collect(),
                    is_unique: consistent == 1,
                    mean: self.tested(&subset, &combined, level),
                });
            }
        }
        Err(ComparisonError::NoSubset { level })
    }

    fn tested(&self, places: &[usize], combined: &Combined, level: f64) -> WeightedMean {
        let dof = places.len() as f64 - 1.0;
        let chi_squared = combined.chi_squared;
        WeightedMean {
            reference: Reference {
                value: combined.value,
                u: combined.u,
                weights: self.spread(places, &combined.weights),
                s_between: 0.0,
            },
            consistency: Consistency::of(chi_squared, dof, 1.0 - level),
            birge_ratio: (chi_squared / dof).sqrt(),
        }
    }

    fn combine(&self, places: &[usize]) -> Result<Combined, ComparisonError> {
        let results: Vec<_> = places.iter().map(|&at| &self.results[at]).collect();
        // From the first value, so that values which differ in their last digits keep them.
        let origin = results[0].value;
        let x: Vec<f64> = results.iter().map(|r| (r.value - origin) / r.u).collect();
        let ones: Vec<f64> = results.iter().map(|r| 1.0 / r.u).collect();
        let (x, ones, back) = if self.correlations.is_empty() {
            let back = ones.clone();
            (x, ones, back)
        } else {
            let lower = self.correlation_factor(places)?;
            if let Some(at) = (0..places.len()).find(|&at| lower[(at, at)] == 0.0) {
                let lab = results[at].lab.clone();
                return Err(ComparisonError::Dependent { lab });
            }
            let forward = |values: &[f64]| {
                let mut found: Vec<f64> = Vec::new();
                for (row, value) in values.iter().enumerate() {
                    let rest = (0..row).fold(*value, |rest, k| rest - lower[(row, k)] * found[k]);
                    found.push(rest / lower[(row, row)]);
                }
                found
            };
            let (x, ones) = (forward(&x), forward(&ones));
            let mut back = ones.clone();
            for row in (0..back.len()).rev() {
                let rest = (row + 1..back.len())
                    .fold(back[row], |rest, k| rest - lower[(k, row)] * back[k]);
                back[row] = rest / lower[(row, row)];
            }
            (x, ones, back)
        };
        let total = sum(ones.iter().map(|one| one * one));
        let mean = sum(x.iter().zip(&ones).map(|(x, one)| x * one)) / total;
        let residuals = x.iter().zip(&ones).map(|(x, one)| x - mean * one);
        Ok(Combined {
            value: origin + mean,
            u: 1.0 / total.sqrt(),
            weights: back
                .iter()
                .zip(&results)
                .map(|(b, r)| b / r.u / total)
                .collect(),
            chi_squared: sum(residuals.map(|residual| residual * residual)),
        })
    }
}

/// The next choice of as many of `n` in lexical order; false after the last.
fn next_choice(choice: &mut [usize], n: usize) -> bool {
    let k = choice.len();
    let Some(at) = (0..k).rev().find(|&at| choice[at] < n - k + at) else {
        return false;
    };
    let first = choice[at] + 1;
    for (place, next) in choice[at..].iter_mut().zip(first..) {
        *place = next;
    }
    true
}
