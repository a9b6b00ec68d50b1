//! Variance-based shares (I. M. Sobol, Mathematics and Computers in Simulation 55, 2001,
//! 271): what of the variance of a result goes back to an input alone, and what to the input
//! with everything that it interacts with.

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::moments::PowerSums;
use super::source::{BLOCK, Scratch, Source};
use super::{SampleError, Sampling};
use crate::input::Inputs;
use crate::model::{CHUNK, Model};

/// Shares of the variance of one output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sobol {
    /// Name of the output quantity in the model.
    pub output: String,
    /// Seed that was drawn with.
    pub seed: u64,
    /// Trials of each of the samples that are compared.
    pub trials: u64,
    /// Variance of the output, in the square of its unit.
    pub variance: f64,
    /// One of each input, then one of each group of correlated inputs.
    pub shares: Vec<SobolShare>,
}

/// Share of one input, or of a group of inputs that are correlated with each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SobolShare {
    /// Symbols of the inputs.
    pub symbols: Vec<String>,
    /// First-order index and its standard error.
    pub first: f64,
    /// Standard error of `first`, from the scatter of the blocks.
    pub first_error: f64,
    /// Total index and its standard error. The totals sum to more than 1 where inputs
    /// interact.
    pub total: f64,
    /// Standard error of `total`, from the scatter of the blocks.
    pub total_error: f64,
}

/// Mean squares of differences of one block, for each factor: with the other sample, and
/// with the own sample.
struct Block {
    own: PowerSums,
    other: PowerSums,
    squares: Vec<[f64; 2]>,
}

/// Estimates the shares of the inputs by exchanging one input (or group) after the other
/// between two samples (estimators of M. J. W. Jansen, Computer Physics Communications 117,
/// 1999, 35). Costs (factors + 2)·`trials` evaluations of the model.
///
/// # Errors
/// [`SampleError`], as for [`monte_carlo`](super::monte_carlo); also where the output has no
/// variance.
pub fn sobol(
    model: &Model,
    output: &str,
    inputs: &Inputs,
    sampling: &Sampling,
) -> Result<Sobol, SampleError> {
    sampling.check()?;
    let outputs = [output];
    let source = Source::new(model, &outputs, inputs, sampling.seed)?;
    let factors = source.factors();
    let level = Level::new();
    let blocks = sampling.trials.div_ceil(BLOCK as u64);
    let shift = pilot(&source, level);
    let done: Vec<Block> = (0..blocks)
        .into_par_iter()
        .map_init(
            || source.scratch(),
            |scratch, block| one_block(&source, level, block, shift, scratch),
        )
        .collect();
    let undefined = done.iter().find_map(|block| block.undefined(&factors));
    if undefined.is_some() {
        return Err(SampleError::UndefinedShare {
            output: output.to_owned(),
        });
    }
    let sums = done.iter().fold(PowerSums::default(), |sum, block| {
        sum.plus(&block.own).plus(&block.other)
    });
    let variance = sums.variance();
    if variance <= 0.0 {
        return Err(SampleError::NoVariance {
            output: output.to_owned(),
        });
    }
    let shares = factors.into_iter().enumerate().map(|(at, symbols)| {
        let [first, first_error] = mean_over(&done, |block| block.squares[at][0]);
        let [total, total_error] = mean_over(&done, |block| block.squares[at][1]);
        SobolShare {
            symbols,
            first: 1.0 - 0.5 * first / variance,
            first_error: 0.5 * first_error / variance,
            total: 0.5 * total / variance,
            total_error: 0.5 * total_error / variance,
        }
    });
    Ok(Sobol {
        output: output.to_owned(),
        seed: sampling.seed,
        trials: blocks * BLOCK as u64,
        variance,
        shares: shares.collect(),
    })
}

impl Block {
    fn undefined(&self, factors: &[Vec<String>]) -> Option<()> {
        let sound = self.own.offset().is_finite()
            && self.other.offset().is_finite()
            && self.squares[..factors.len()]
                .iter()
                .all(|squares| squares.iter().all(|square| square.is_finite()));
        (!sound).then_some(())
    }
}

/// Mean over the blocks and its standard error from their scatter.
fn mean_over(blocks: &[Block], number: impl Fn(&Block) -> f64) -> [f64; 2] {
    let count = blocks.len() as f64;
    let mean = blocks.iter().map(&number).fold(0.0, |a, b| a + b) / count;
    let squares = blocks.iter().fold(0.0, |sum, block| {
        sum + (number(block) - mean) * (number(block) - mean)
    });
    let error = if blocks.len() > 1 {
        (squares / (count * (count - 1.0))).sqrt()
    } else {
        mean
    };
    [mean, error]
}

/// A number near the mean.
fn pilot(source: &Source, level: Level) -> f64 {
    let mut values = vec![0.0; CHUNK];
    evaluate(source, level, 0, None, &mut source.scratch(), &mut values);
    let mean = PowerSums::of(&values, 0.0).offset();
    if mean.is_finite() { mean } else { 0.0 }
}

fn one_block(
    source: &Source,
    level: Level,
    block: u64,
    shift: f64,
    scratch: &mut Scratch,
) -> Block {
    let (mut own, mut other, mut mixed) = (vec![0.0; BLOCK], vec![0.0; BLOCK], vec![0.0; BLOCK]);
    let every = usize::MAX;
    evaluate(source, level, block, None, scratch, &mut own);
    evaluate(source, level, block, Some(every), scratch, &mut other);
    let squares = (0..source.factors().len()).map(|factor| {
        evaluate(source, level, block, Some(factor), scratch, &mut mixed);
        [mean_square(&other, &mixed), mean_square(&own, &mixed)]
    });
    Block {
        squares: squares.collect(),
        own: PowerSums::of(&own, shift),
        other: PowerSums::of(&other, shift),
    }
}

fn mean_square(a: &[f64], b: &[f64]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
    squares.fold(0.0, |sum, square| sum + square) / a.len() as f64
}

/// One block with the factor `exchanged` (all of them: `usize::MAX`) from the second sample.
fn evaluate(
    source: &Source,
    level: Level,
    block: u64,
    exchanged: Option<usize>,
    scratch: &mut Scratch,
    out: &mut [f64],
) {
    dispatch!(level, simd => {
        use fearless_simd::Simd as _;
        simd.vectorize(#[inline(always)] || {
            let chunks = out.len() / CHUNK;
            source.block(block, exchanged, chunks, scratch, #[inline(always)] |at, registers, slots| {
                out[at * CHUNK..(at + 1) * CHUNK].copy_from_slice(registers.chunk(slots[0]));
            });
        });
    });
}
