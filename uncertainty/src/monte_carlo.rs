//! Propagation of distributions by a Monte Carlo method (JCGM 101:2008, clause 7).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::covariance::{CorrelationError, correlation_matrix, factor};
use crate::input::{Correlation, Distribution, Input, InputError, in_order};
use crate::model::{EvalError, Model};
use crate::sampler::{Sampler, fill_standard_normal, generator};

/// Name of the way from seed to samples; it stands in every result and changes with any
/// change of a sampled bit.
pub const SAMPLER: &str = "chacha8-inverse-1";

/// Trials of one stream of the generator.
const BLOCK: usize = 4096;

/// Fewer trials say nothing about the ends of an interval.
const MIN_TRIALS: u32 = 1000;

/// Bins of the histogram and the share of trials that they cover, centrally.
const BINS: usize = 40;
const HISTOGRAM_COVERAGE: f64 = 0.999;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    pub seed: u64,
    #[serde(default = "default_trials")]
    pub trials: u32,
    #[serde(default = "default_coverage")]
    pub coverage: f64,
}

fn default_trials() -> u32 {
    200_000
}

fn default_coverage() -> f64 {
    0.9545
}

impl Sampling {
    /// 200 000 trials for a coverage probability of 95.45 %.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            seed,
            trials: default_trials(),
            coverage: default_coverage(),
        }
    }
}

/// Distribution of a result, summarised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonteCarlo {
    pub output: String,
    /// [`SAMPLER`] of the program that drew.
    pub sampler: String,
    pub seed: u64,
    pub trials: u32,
    pub mean: f64,
    /// Standard deviation of the trials (JCGM 101:2008, 7.6).
    pub u: f64,
    pub coverage: f64,
    /// Shortest interval (7.7.4) that holds the fraction `coverage` of the trials.
    pub shortest: [f64; 2],
    /// Probabilistically symmetric interval (7.7.2).
    pub symmetric: [f64; 2],
    pub histogram: Histogram,
}

/// Counts of trials in 40 bins of equal width over the central 99.9 %; `outside` counts
/// the trials left and right of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    pub low: f64,
    pub width: f64,
    pub counts: Vec<u32>,
    pub outside: [u32; 2],
}

/// Why no distribution was drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SampleError {
    #[error("{trials} trials are too few: take at least {MIN_TRIALS}")]
    TooFewTrials { trials: u32 },
    #[error("the coverage probability must lie between 0.5 and 0.9999, not {0}")]
    Coverage(f64),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Correlation(#[from] CorrelationError),
    #[error(
        "{symbol:?} is correlated but not normal: only normal inputs can be drawn with a \
         correlation coefficient"
    )]
    CorrelatedNotNormal { symbol: String },
    #[error("trial {trial} drew inputs outside the domain of the model: {source}")]
    Trial { trial: usize, source: EvalError },
    #[error(transparent)]
    Model(EvalError),
}

/// Draws the inputs, evaluates the model for each trial and summarises `output`.
///
/// The result is the same, to the last bit, for every number of threads: each block of 4096
/// trials has a stream of its own, and all sums run over the trials in their order.
///
/// # Errors
/// [`SampleError`]; no trial is ever left out.
pub fn monte_carlo(
    model: &Model,
    output: &str,
    inputs: &[Input],
    correlations: &[Correlation],
    sampling: &Sampling,
) -> Result<MonteCarlo, SampleError> {
    let &Sampling {
        seed,
        trials,
        coverage,
    } = sampling;
    if trials < MIN_TRIALS {
        return Err(SampleError::TooFewTrials { trials });
    }
    if !(0.5..=0.9999).contains(&coverage) {
        return Err(SampleError::Coverage(coverage));
    }
    model.inputs_of(output).map_err(SampleError::Model)?;
    let inputs = in_order(model.inputs(), inputs)?;
    let source = Source::new(&inputs, correlations)?;
    let mut values = vec![0.0; trials as usize];
    let results: Vec<Result<(), SampleError>> = values
        .par_chunks_mut(BLOCK)
        .enumerate()
        .map(|(block, out)| source.block(model, output, seed, block, out))
        .collect();
    // The first failure in the order of trials, not of threads.
    results.into_iter().collect::<Result<(), _>>()?;
    Ok(summary(output, sampling, values))
}

/// The inputs, ready to be drawn.
struct Source<'a> {
    inputs: Vec<&'a Input>,
    samplers: Vec<Sampler>,
    /// Inputs that are drawn together, with the factor of their correlation matrix.
    joint: Vec<usize>,
    lower: nalgebra::DMatrix<f64>,
}

impl<'a> Source<'a> {
    fn new(inputs: &[&'a Input], correlations: &[Correlation]) -> Result<Self, SampleError> {
        let correlation = correlation_matrix(inputs, correlations)?;
        factor(&correlation, inputs)?;
        let joint: Vec<usize> = (0..inputs.len())
            .filter(|&i| (0..inputs.len()).any(|j| j != i && correlation[(i, j)] != 0.0))
            .collect();
        if let Some(&other) = joint
            .iter()
            .find(|&&i| inputs[i].distribution != Distribution::Normal)
        {
            let symbol = inputs[other].symbol.clone();
            return Err(SampleError::CorrelatedNotNormal { symbol });
        }
        let together: Vec<&Input> = joint.iter().map(|&i| inputs[i]).collect();
        let among = nalgebra::DMatrix::from_fn(joint.len(), joint.len(), |row, column| {
            correlation[(joint[row], joint[column])]
        });
        Ok(Self {
            inputs: inputs.to_vec(),
            samplers: inputs.iter().map(|input| Sampler::new(input)).collect(),
            lower: factor(&among, &together)?,
            joint,
        })
    }

    fn block(
        &self,
        model: &Model,
        output: &str,
        seed: u64,
        block: usize,
        out: &mut [f64],
    ) -> Result<(), SampleError> {
        let columns = self.draw(seed, block as u64, out.len());
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        model.eval_block(output, &columns, out).map_err(|source| {
            let failing = |trial: usize| {
                let value_of = |symbol: &str| {
                    let at = model.inputs().iter().position(|input| input == symbol)?;
                    Some(columns[at][trial])
                };
                model.eval(output, &value_of).is_err()
            };
            let trial = block * BLOCK + (0..out.len()).find(|&trial| failing(trial)).unwrap_or(0);
            SampleError::Trial { trial, source }
        })
    }

    /// One column an input, drawn in the order of the inputs of the model.
    fn draw(&self, seed: u64, block: u64, trials: usize) -> Vec<Vec<f64>> {
        let mut generator = generator(seed, block);
        let mut columns = vec![vec![0.0; trials]; self.inputs.len()];
        for (index, column) in columns.iter_mut().enumerate() {
            if self.joint.contains(&index) {
                fill_standard_normal(&mut generator, column);
            } else {
                self.samplers[index].fill(&mut generator, column);
            }
        }
        let mut deviates = vec![0.0; self.joint.len()];
        (0..trials).for_each(|trial| {
            for (deviate, &index) in deviates.iter_mut().zip(&self.joint) {
                *deviate = columns[index][trial];
            }
            for (row, &index) in self.joint.iter().enumerate() {
                let mixed = (0..=row).fold(0.0, |sum, k| sum + self.lower[(row, k)] * deviates[k]);
                columns[index][trial] = self.inputs[index].value + self.inputs[index].u * mixed;
            }
        });
        columns
    }
}

fn summary(output: &str, sampling: &Sampling, mut values: Vec<f64>) -> MonteCarlo {
    let count = f64::from(sampling.trials);
    let mean = values.iter().fold(0.0, |sum, value| sum + value) / count;
    // Twice over the trials: what is left of the first mean cancels (and the squares do not).
    let rest = values.iter().fold(0.0, |sum, value| sum + (value - mean)) / count;
    let mean = mean + rest;
    let squares = values
        .iter()
        .fold(0.0, |sum, value| sum + (value - mean) * (value - mean));
    values.par_sort_unstable_by(f64::total_cmp);
    MonteCarlo {
        output: output.to_owned(),
        sampler: SAMPLER.to_owned(),
        seed: sampling.seed,
        trials: sampling.trials,
        mean,
        u: (squares / (count - 1.0)).sqrt(),
        coverage: sampling.coverage,
        shortest: shortest(&values, sampling.coverage),
        symmetric: symmetric(&values, sampling.coverage),
        histogram: histogram(&values),
    }
}

/// Number of trials that an interval spans: the integer nearest to p·M (7.7.2).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to M − 1"
)]
fn span(trials: usize, coverage: f64) -> usize {
    ((coverage * trials as f64 + 0.5).floor() as usize).min(trials - 1)
}

fn symmetric(sorted: &[f64], coverage: f64) -> [f64; 2] {
    let span = span(sorted.len(), coverage);
    // r = (M − q)/2, or the integer part of (M − q + 1)/2; counted from 1 (7.7.2).
    let first = (sorted.len() - span).div_ceil(2) - 1;
    [sorted[first], sorted[first + span]]
}

fn shortest(sorted: &[f64], coverage: f64) -> [f64; 2] {
    let span = span(sorted.len(), coverage);
    let width = |first: usize| sorted[first + span] - sorted[first];
    let best = (1..sorted.len() - span).fold(0, |best, first| {
        if width(first) < width(best) {
            first
        } else {
            best
        }
    });
    [sorted[best], sorted[best + span]]
}

fn histogram(sorted: &[f64]) -> Histogram {
    let [low, high] = symmetric(sorted, HISTOGRAM_COVERAGE);
    let width = (high - low) / BINS as f64;
    let mut histogram = Histogram {
        low,
        width,
        counts: vec![0; BINS],
        outside: [0, 0],
    };
    for &value in sorted {
        if value < low {
            histogram.outside[0] += 1;
        } else if value > high {
            histogram.outside[1] += 1;
        } else {
            // A result without spread falls into the first bin.
            let at = if width > 0.0 {
                (value - low) / width
            } else {
                0.0
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 40"
            )]
            let bin = (at as usize).min(BINS - 1);
            histogram.counts[bin] += 1;
        }
    }
    histogram
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_of_a_short_sequence_by_hand() {
        // M = 10, p = 0.5: q = 5, r = 3 counted from 1 (7.7.2).
        let sorted = [0.0, 1.0, 2.0, 3.0, 3.1, 3.2, 3.3, 3.4, 9.0, 20.0];
        assert_eq!(symmetric(&sorted, 0.5), [2.0, 3.4]);
        // Five steps on from each of the five first values; the least is 3.4 − 2.0.
        assert_eq!(shortest(&sorted, 0.5), [2.0, 3.4]);
        let skew = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 3.0, 6.0, 9.0, 20.0];
        assert_eq!(symmetric(&skew, 0.5), [0.2, 6.0]);
        assert_eq!(shortest(&skew, 0.5), [0.0, 0.5]);
    }

    #[test]
    fn every_trial_is_counted_in_the_histogram() {
        let sorted: Vec<f64> = (0..10_000).map(f64::from).collect();
        let histogram = histogram(&sorted);
        let counted: u32 = histogram.counts.iter().chain(&histogram.outside).sum();
        assert_eq!(counted, 10_000);
        // q = 9990, r = 5 counted from 1: four trials left of it, five right (7.7.2).
        assert_eq!(histogram.outside, [4, 5]);
    }
}
