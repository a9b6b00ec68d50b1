//! Weighted means with a variance between laboratories.

use serde::{Deserialize, Serialize};

use super::{Comparison, ComparisonError, Reference, sum};

/// How the variance between laboratories is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RandomEffects {
    /// By moments, in one step (R. `DerSimonian` and N. Laird, Controlled Clinical Trials 7,
    /// 1986, 177–188).
    DerSimonianLaird,
    /// Raised until χ² equals its degrees of freedom (R. C. Paule and J. Mandel, J. Res. Natl.
    /// Bur. Stand. 87, 1982, 377–385).
    MandelPaule,
}

/// Weighted mean with weights 1/(u² + s²): value, variance of it, weights and χ².
pub(super) struct Moderated {
    pub value: f64,
    pub variance: f64,
    pub weights: Vec<f64>,
    pub chi_squared: f64,
}

/// Values and standard uncertainties; values count from the first.
pub(super) fn moderated(values: &[f64], u: &[f64], s_squared: f64) -> Moderated {
    let weights: Vec<f64> = u.iter().map(|u| 1.0 / (u * u + s_squared)).collect();
    let total = sum(weights.iter().copied());
    let origin = values[0];
    let parts = values.iter().zip(&weights);
    let value = origin + sum(parts.map(|(x, w)| (x - origin) * w)) / total;
    let squares = values.iter().zip(&weights);
    Moderated {
        value,
        variance: 1.0 / total,
        chi_squared: sum(squares.map(|(x, w)| (x - value) * (x - value) * w)),
        weights: weights.into_iter().map(|w| w / total).collect(),
    }
}

/// s² at which χ² equals its degrees of freedom; 0 where it is below them without.
pub(super) fn mandel_paule(values: &[f64], u: &[f64]) -> f64 {
    let dof = values.len() as f64 - 1.0;
    let excess = |s_squared: f64| moderated(values, u, s_squared).chi_squared - dof;
    if excess(0.0) <= 0.0 {
        return 0.0;
    }
    // χ² falls with s², and with weights 1/s² at most it is Σ(x − x̄)²/s².
    let mean = sum(values.iter().map(|x| x - values[0])) / values.len() as f64;
    let squares = sum(values
        .iter()
        .map(|x| (x - values[0] - mean) * (x - values[0] - mean)));
    let (mut low, mut high) = (0.0, squares / dof);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if excess(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

fn der_simonian_laird(values: &[f64], u: &[f64]) -> f64 {
    let dof = values.len() as f64 - 1.0;
    let fixed = moderated(values, u, 0.0);
    let shares = sum(fixed.weights.iter().map(|w| w * w));
    let total = 1.0 / fixed.variance;
    ((fixed.chi_squared - dof) / (total * (1.0 - shares))).max(0.0)
}

impl Comparison {
    /// Mean with weights 1/(u² + s²), where s is the standard deviation between laboratories
    /// that the contributors show beyond their uncertainties.
    ///
    /// # Errors
    /// [`ComparisonError`]; [`ComparisonError::Correlated`] for correlated results.
    pub fn random_effects(&self, kind: RandomEffects) -> Result<Reference, ComparisonError> {
        let what = "the mean with random effects";
        let places = self.contributors(what, 2)?;
        self.independent(what)?;
        let values: Vec<f64> = places.iter().map(|&at| self.results[at].value).collect();
        let u: Vec<f64> = places.iter().map(|&at| self.results[at].u).collect();
        let s_squared = match kind {
            RandomEffects::DerSimonianLaird => der_simonian_laird(&values, &u),
            RandomEffects::MandelPaule => mandel_paule(&values, &u),
        };
        let found = moderated(&values, &u, s_squared);
        Ok(Reference {
            value: found.value,
            u: found.variance.sqrt(),
            weights: self.spread(&places, &found.weights),
            s_between: s_squared.sqrt(),
        })
    }
}
