//! Median with its distribution from Monte Carlo trials.

use serde::{Deserialize, Serialize};

use super::{Comparison, ComparisonError, check_share};
use crate::random::{Key, Narrow};
use crate::robust::median_of_sorted;
use crate::type_a::type_a;
use crate::ziggurat::Ziggurat;

/// Median of the contributors (M. G. Cox, Metrologia 39, 2002, 589–595, procedure B).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MedianReference {
    /// Reference value: mean of the medians of the trials.
    pub value: f64,
    /// Its standard uncertainty: their standard deviation.
    pub u: f64,
    /// Ends of its coverage interval, as many trials beyond each.
    pub interval: [f64; 2],
    /// Degrees of equivalence, one for each result.
    pub equivalence: Vec<SampledEquivalence>,
    /// Number of trials.
    pub trials: usize,
    /// Seed of the trials.
    pub seed: u64,
}

/// Degree of equivalence whose distribution need not be normal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampledEquivalence {
    /// Name of the laboratory.
    pub lab: String,
    /// Result less reference value.
    pub d: f64,
    /// Standard deviation of the trials of d.
    pub u: f64,
    /// Ends of the coverage interval of d.
    pub interval: [f64; 2],
}

const FEWEST_TRIALS: usize = 1000;
/// So that the trials of a comparison stay below a gigabyte.
const MOST_NUMBERS: usize = 100_000_000;

impl Comparison {
    /// Median of the contributors and degrees of equivalence with it, by `trials` normal samples
    /// of all results with their correlation, with coverage intervals of the probability
    /// `coverage`. The same seed gives the same bits.
    ///
    /// # Errors
    /// [`ComparisonError`].
    pub fn median(
        &self,
        coverage: f64,
        trials: usize,
        seed: u64,
    ) -> Result<MedianReference, ComparisonError> {
        let places = self.contributors("the median", 2)?;
        check_share("the coverage probability", coverage)?;
        let n = self.results.len();
        if trials < FEWEST_TRIALS || trials.saturating_mul(n + 1) > MOST_NUMBERS {
            return Err(ComparisonError::Parameter {
                what: "the number of trials",
                found: trials as f64,
                range: "1000 to 100 million over the number of results",
            });
        }
        let (medians, differences) = self.sample(&places, trials, seed)?;
        let (value, u, interval) = summary(medians, coverage);
        let each = self.results.iter().zip(differences);
        let equivalence = each.map(|(result, differences)| {
            let (_, u, interval) = summary(differences, coverage);
            SampledEquivalence {
                lab: result.lab.clone(),
                d: result.value - value,
                u,
                interval,
            }
        });
        Ok(MedianReference {
            value,
            u,
            interval,
            equivalence: equivalence.collect(),
            trials,
            seed,
        })
    }

    /// Medians of the trials, and the differences of each result from them.
    fn sample(
        &self,
        places: &[usize],
        trials: usize,
        seed: u64,
    ) -> Result<(Vec<f64>, Vec<Vec<f64>>), ComparisonError> {
        let n = self.results.len();
        let all: Vec<usize> = (0..n).collect();
        let lower = self.correlation_factor(&all)?;
        let key = Key::of_seed(seed).of_name("comparison");
        let stream = |at: usize| Narrow::new(key.of_number(at as u64));
        let mut streams: Vec<Narrow> = all.iter().map(|&at| stream(at)).collect();
        let normal = Ziggurat::normal();
        let mut medians = Vec::with_capacity(trials);
        let mut differences = vec![Vec::with_capacity(trials); n];
        for _ in 0..trials {
            let deviates: Vec<f64> = streams.iter_mut().map(|s| normal.draw(s)).collect();
            let drawn = self.results.iter().enumerate().map(|(at, result)| {
                let deviate = (0..=at).fold(0.0, |sum, k| sum + lower[(at, k)] * deviates[k]);
                result.value + result.u * deviate
            });
            let drawn: Vec<f64> = drawn.collect();
            let mut entering: Vec<f64> = places.iter().map(|&at| drawn[at]).collect();
            entering.sort_unstable_by(f64::total_cmp);
            let median = median_of_sorted(&entering);
            for (list, value) in differences.iter_mut().zip(&drawn) {
                list.push(value - median);
            }
            medians.push(median);
        }
        Ok((medians, differences))
    }
}

/// Mean, standard deviation and ends of the symmetric coverage interval.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in the list: from 0, and whole"
)]
fn summary(mut trials: Vec<f64>, coverage: f64) -> (f64, f64, [f64; 2]) {
    let (mean, sd) = type_a(&trials).map_or((f64::NAN, f64::NAN), |all| (all.mean, all.s));
    trials.sort_unstable_by(f64::total_cmp);
    let last = trials.len() - 1;
    let beyond = (0.5 * (1.0 - coverage) * trials.len() as f64).floor() as usize;
    let beyond = beyond.min(last / 2);
    (mean, sd, [trials[beyond], trials[last - beyond]])
}
