//! Degrees of equivalence.

use serde::{Deserialize, Serialize};

use super::{Comparison, ComparisonError, Reference, sum};

/// Degree of equivalence of one result with the reference value (CIPM MRA, clause T.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Equivalence {
    /// Name of the laboratory.
    pub lab: String,
    /// Result less reference value.
    pub d: f64,
    /// Standard uncertainty of d.
    pub u: f64,
    /// Expanded uncertainty of d.
    pub expanded: f64,
    /// d over its expanded uncertainty.
    pub en: f64,
    /// Whether the result has a weight in the reference value.
    pub contributes: bool,
}

/// Degree of equivalence of two results with each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairEquivalence {
    /// Names of the laboratories.
    pub labs: [String; 2],
    /// First result less second.
    pub d: f64,
    /// Standard uncertainty of d.
    pub u: f64,
    /// Expanded uncertainty of d.
    pub expanded: f64,
}

fn check_factor(k: f64) -> Result<(), ComparisonError> {
    if k.is_finite() && k > 0.0 {
        return Ok(());
    }
    Err(ComparisonError::Parameter {
        what: "the coverage factor",
        found: k,
        range: "the positive numbers; 2 is usual",
    })
}

impl Comparison {
    /// Degrees of equivalence of all results with `reference`, expanded by `k` (2 is usual).
    ///
    /// With the weights w of the reference value, u²(dᵢ) = uᵢ² + u²(ref) − 2·Σwⱼ·cov(xᵢ, xⱼ). For
    /// independent results that is (1 − 2wᵢ)·uᵢ² + u²(ref): uᵢ² − u²(ref) for the weighted mean,
    /// uᵢ² + u²(ref) for who does not contribute. The stated uᵢ count, without what was added to
    /// find weights.
    ///
    /// # Errors
    /// [`ComparisonError`].
    pub fn equivalence(
        &self,
        reference: &Reference,
        k: f64,
    ) -> Result<Vec<Equivalence>, ComparisonError> {
        let covariance = self.covariance()?;
        check_factor(k)?;
        let (found, expected) = (reference.weights.len(), self.results.len());
        if found != expected {
            return Err(ComparisonError::Weights { found, expected });
        }
        let weights = reference.weights.iter().all(|weight| weight.is_finite());
        let finite = reference.value.is_finite() && reference.u.is_finite() && weights;
        if !(finite && reference.u >= 0.0) {
            return Err(ComparisonError::Parameter {
                what: "the standard uncertainty of the reference value",
                found: reference.u,
                range: "the finite numbers from 0, and value and weights must be finite",
            });
        }
        let each = self.results.iter().zip(&covariance).enumerate();
        Ok(each
            .map(|(at, (result, row))| {
                let shared = sum(row.iter().zip(&reference.weights).map(|(c, w)| c * w));
                let variance = row[at] + reference.u * reference.u - 2.0 * shared;
                let u = variance.max(0.0).sqrt();
                let d = result.value - reference.value;
                Equivalence {
                    lab: result.lab.clone(),
                    d,
                    u,
                    expanded: k * u,
                    // A result that is the reference value itself differs by nothing.
                    en: if d == 0.0 { 0.0 } else { d / (k * u) },
                    contributes: reference.weights[at] != 0.0,
                }
            })
            .collect())
    }

    /// Degrees of equivalence of all pairs, the first with those after it and so on.
    ///
    /// # Errors
    /// [`ComparisonError`].
    pub fn pairs(&self, k: f64) -> Result<Vec<PairEquivalence>, ComparisonError> {
        let covariance = self.covariance()?;
        check_factor(k)?;
        let mut found = Vec::new();
        for (a, first) in self.results.iter().enumerate() {
            for (b, second) in self.results.iter().enumerate().skip(a + 1) {
                let variance = covariance[a][a] + covariance[b][b] - 2.0 * covariance[a][b];
                let u = variance.max(0.0).sqrt();
                found.push(PairEquivalence {
                    labs: [first.lab.clone(), second.lab.clone()],
                    d: first.value - second.value,
                    u,
                    expanded: k * u,
                });
            }
        }
        Ok(found)
    }

    fn covariance(&self) -> Result<Vec<Vec<f64>>, ComparisonError> {
        self.contributors("a comparison", 0)?;
        let all: Vec<usize> = (0..self.results.len()).collect();
        if all.is_empty() {
            return Err(ComparisonError::TooFew {
                what: "a degree of equivalence",
                needed: 1,
                found: 0,
            });
        }
        // Refuses what no joint distribution has.
        self.correlation_factor(&all)?;
        let matrix = self.correlation_matrix(&all)?;
        let row = |&a: &usize| {
            let element = |&b: &usize| matrix[(a, b)] * self.results[a].u * self.results[b].u;
            all.iter().map(element).collect()
        };
        Ok(all.iter().map(row).collect())
    }
}
