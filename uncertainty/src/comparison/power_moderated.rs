//! Power-moderated mean.

use serde::{Deserialize, Serialize};

use super::random_effects::{mandel_paule, moderated};
use super::{Comparison, ComparisonError, Reference, sum};

/// Mean between the arithmetic and the weighted one (S. Pommé and J. Keightley, Metrologia 52,
/// 2015, S200–S212), as the key comparisons of radionuclides use it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerModeratedMean {
    /// Reference value.
    pub reference: Reference,
    /// Power of the stated uncertainties in the weights: 0 is the arithmetic mean, 2 the
    /// weighted one.
    pub alpha: f64,
    /// Characteristic uncertainty S per result.
    pub s_characteristic: f64,
}

impl Comparison {
    /// The power-moderated mean of the contributors; without `alpha` the power is 2 − 3/n, the
    /// practice of the BIPM for stated uncertainties that are roughly right.
    ///
    /// # Errors
    /// [`ComparisonError`]; [`ComparisonError::Correlated`] for correlated results.
    pub fn power_moderated_mean(
        &self,
        alpha: Option<f64>,
    ) -> Result<PowerModeratedMean, ComparisonError> {
        let what = "the power-moderated mean";
        let places = self.contributors(what, 2)?;
        self.independent(what)?;
        let n = places.len() as f64;
        let alpha = alpha.unwrap_or(2.0 - 3.0 / n);
        if !(0.0..=2.0).contains(&alpha) {
            return Err(ComparisonError::Parameter {
                what: "the power of the uncertainties",
                found: alpha,
                range: "0 to 2",
            });
        }
        let values: Vec<f64> = places.iter().map(|&at| self.results[at].value).collect();
        let u: Vec<f64> = places.iter().map(|&at| self.results[at].u).collect();
        let s_squared = mandel_paule(&values, &u);
        let origin = values[0];
        let mean = sum(values.iter().map(|x| x - origin)) / n;
        let squares = sum(values
            .iter()
            .map(|x| (x - origin - mean) * (x - origin - mean)));
        let variance = (squares / (n * (n - 1.0))).max(moderated(&values, &u, s_squared).variance);
        let s = (n * variance).sqrt();
        let power = |u: &f64| {
            let own = (u * u + s_squared).sqrt();
            1.0 / (libm::pow(own, alpha) * libm::pow(s, 2.0 - alpha))
        };
        let parts: Vec<f64> = u.iter().map(power).collect();
        let total = sum(parts.iter().copied());
        let weights: Vec<f64> = parts.iter().map(|part| part / total).collect();
        let weighted = values.iter().zip(&weights);
        Ok(PowerModeratedMean {
            reference: Reference {
                value: origin + sum(weighted.map(|(x, w)| (x - origin) * w)),
                u: (1.0 / total).sqrt(),
                weights: self.spread(&places, &weights),
                s_between: s_squared.sqrt(),
            },
            alpha,
            s_characteristic: s,
        })
    }
}
