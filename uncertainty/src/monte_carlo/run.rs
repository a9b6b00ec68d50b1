//! One run: blocks over threads, then the summary.

use std::ops::Range;

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use super::intervals::{Histogram, Intervals, Tails};
use super::moments::{PowerSums, product_sum};
use super::region::regions;
use super::source::{BLOCK, Scratch, Source};
use super::tally::Tally;
use super::{JointMonteCarlo, MonteCarlo, SAMPLER, SampleError, Sampling, SamplingErrors};
use crate::input::Inputs;
use crate::model::{CHUNK, Model};

/// Share of the trials that the histogram covers, centrally.
const HISTOGRAM_COVERAGE: f64 = 0.999;

/// Runs of more trials than this are counted in cells instead of kept: 128 MiB an output.
const KEPT: u64 = 1 << 24;

pub struct Runner<'a> {
    outputs: &'a [&'a str],
    sampling: &'a Sampling,
    source: Source<'a>,
    pub level: Level,
}

/// Trials that were drawn, and the sums of their blocks.
pub struct Trials {
    /// One for each output.
    pub columns: Vec<Vec<f64>>,
    /// Numbers near the means.
    pub shifts: Vec<f64>,
    blocks: Vec<Block>,
}

/// What one block leaves behind beside its trials.
#[derive(Clone)]
struct Block {
    sums: Vec<PowerSums>,
    /// Of each pair of outputs, the first index below the second.
    products: Vec<f64>,
    /// Trials without a finite value, of each output.
    undefined: Vec<Undefined>,
}

#[derive(Clone, Copy)]
struct Undefined {
    count: u64,
    first: u64,
}

impl Trials {
    pub fn truncate(&mut self, trials: usize) {
        for column in &mut self.columns {
            column.truncate(trials);
        }
        self.blocks.truncate(trials.div_ceil(BLOCK));
    }

    /// Some whole blocks alone.
    pub fn part(&self, blocks: Range<usize>) -> Self {
        let trials = blocks.start * BLOCK..blocks.end * BLOCK;
        let column = |column: &Vec<f64>| column[trials.clone()].to_vec();
        Self {
            columns: self.columns.iter().map(column).collect(),
            shifts: self.shifts.clone(),
            blocks: self.blocks[blocks].to_vec(),
        }
    }

    fn total(&self, output: usize) -> PowerSums {
        let sums = self.blocks.iter().map(|block| block.sums[output]);
        sums.fold(PowerSums::default(), |total, sums| total.plus(&sums))
    }

    /// Covariance of the outputs (JCGM 102:2011, equation 16).
    pub fn covariance(&self) -> Vec<Vec<f64>> {
        let size = self.shifts.len();
        let totals: Vec<PowerSums> = (0..size).map(|output| self.total(output)).collect();
        let mut matrix = vec![vec![0.0; size]; size];
        let mut pair = 0;
        for a in 0..size {
            matrix[a][a] = totals[a].variance();
            for b in a + 1..size {
                let products = self.blocks.iter().map(|block| block.products[pair]);
                let products = products.fold(0.0, |sum, product| sum + product);
                let count = totals[a].count;
                let offsets = count * totals[a].offset() * totals[b].offset();
                matrix[a][b] = (products - offsets) / (count - 1.0);
                matrix[b][a] = matrix[a][b];
                pair += 1;
            }
        }
        matrix
    }
}

impl<'a> Runner<'a> {
    pub fn new(
        model: &'a Model,
        outputs: &'a [&'a str],
        inputs: &'a Inputs,
        sampling: &'a Sampling,
    ) -> Result<Self, SampleError> {
        Ok(Self {
            outputs,
            sampling,
            source: Source::new(model, outputs, inputs, sampling.seed)?,
            level: Level::new(),
        })
    }

    pub fn output(&self, index: usize) -> &str {
        self.outputs[index]
    }

    pub fn run(&self) -> Result<JointMonteCarlo, SampleError> {
        if self.sampling.trials > KEPT {
            return self.run_counted();
        }
        let mut trials = self.nothing();
        let wanted = usize::try_from(self.sampling.trials).unwrap_or(usize::MAX);
        self.extend(&mut trials, wanted)?;
        Ok(self.summary(&trials))
    }

    /// No trials yet. The means of the first chunk are numbers near the means of all, so
    /// that sums of squares of deviations lose no digits.
    pub fn nothing(&self) -> Trials {
        let mut first = vec![vec![0.0; CHUNK]; self.outputs.len()];
        let mut parts: Vec<&mut [f64]> = first.iter_mut().map(Vec::as_mut_slice).collect();
        let zeros = vec![0.0; self.outputs.len()];
        let block = self.block(0, &mut parts, &zeros, &mut self.source.scratch());
        let near = |sums: &PowerSums| {
            let mean = sums.offset();
            if mean.is_finite() { mean } else { 0.0 }
        };
        Trials {
            columns: vec![Vec::new(); self.outputs.len()],
            shifts: block.sums.iter().map(near).collect(),
            blocks: Vec::new(),
        }
    }

    /// Draws on to `wanted` trials, from the first block that is not whole.
    pub fn extend(&self, trials: &mut Trials, wanted: usize) -> Result<(), SampleError> {
        let whole = trials.columns[0].len() / BLOCK;
        trials.blocks.truncate(whole);
        for column in &mut trials.columns {
            if column.is_empty() {
                // Memory that the system gives as zeros is first touched by the thread that
                // fills it.
                *column = vec![0.0; wanted];
            } else {
                column.resize(wanted, 0.0);
            }
        }
        let shifts = trials.shifts.clone();
        let rest = trials
            .columns
            .iter_mut()
            .map(|column| &mut column[whole * BLOCK..]);
        let more = self.fill(whole as u64, rest.collect(), &shifts);
        self.check_defined(&more)?;
        trials.blocks.extend(more);
        Ok(())
    }

    /// Fills the columns from the block `first` on; blocks come back in their order,
    /// whatever thread did them.
    fn fill(&self, first: u64, columns: Vec<&mut [f64]>, shifts: &[f64]) -> Vec<Block> {
        let mut parts: Vec<Vec<&mut [f64]>> = Vec::new();
        for column in columns {
            for (at, part) in column.chunks_mut(BLOCK).enumerate() {
                if parts.len() <= at {
                    parts.push(Vec::new());
                }
                parts[at].push(part);
            }
        }
        parts
            .into_par_iter()
            .enumerate()
            .map_init(
                || self.source.scratch(),
                |scratch, (block, mut parts)| {
                    self.block(first + block as u64, &mut parts, shifts, scratch)
                },
            )
            .collect()
    }

    /// A run too long to keep: blocks are counted in cells and forgotten.
    fn run_counted(&self) -> Result<JointMonteCarlo, SampleError> {
        let mut pilot = self.nothing();
        self.extend(&mut pilot, 4 * BLOCK)?;
        let mut tallies: Vec<Tally> = (0..self.outputs.len())
            .map(|output| {
                let scale = pilot.total(output).variance().sqrt();
                Tally::new(pilot.shifts[output], scale.max(f64::MIN_POSITIVE))
            })
            .collect();
        let mut trials = self.nothing();
        let mut buffers = vec![vec![0.0; BATCH]; self.outputs.len()];
        let mut parts = Vec::new();
        let mut done = 0;
        while done < self.sampling.trials {
            let count = BATCH.min(usize::try_from(self.sampling.trials - done).unwrap_or(BATCH));
            let columns = buffers.iter_mut().map(|buffer| &mut buffer[..count]);
            let blocks = self.fill(done / BLOCK as u64, columns.collect(), &trials.shifts);
            self.check_defined(&blocks)?;
            trials.blocks.extend(blocks);
            for (tally, buffer) in tallies.iter_mut().zip(&buffers) {
                tally.count(&buffer[..count]);
            }
            if parts.is_empty() {
                let coverage = self.sampling.coverage;
                let error = |buffer: &Vec<f64>| {
                    shortest_error(&buffer[..count], coverage, self.sampling.trials)
                };
                parts = buffers.iter().map(error).collect();
            }
            done += count as u64;
        }
        let outputs = tallies.iter().enumerate().map(|(index, tally)| {
            let coverage = self.sampling.coverage;
            let central = tally.central(HISTOGRAM_COVERAGE.max(coverage));
            let intervals = tally.intervals(coverage);
            let histogram = tally.histogram(central);
            self.one(index, &trials, intervals, histogram, parts[index])
        });
        Ok(JointMonteCarlo {
            outputs: outputs.collect(),
            covariance: trials.covariance(),
            regions: None,
            convergence: None,
        })
    }

    /// One block, in the widest instructions of the processor.
    fn block(
        &self,
        block: u64,
        parts: &mut [&mut [f64]],
        shifts: &[f64],
        scratch: &mut Scratch,
    ) -> Block {
        dispatch!(self.level, simd => {
            use fearless_simd::Simd as _;
            simd.vectorize(#[inline(always)] || self.block_inside(block, parts, shifts, scratch))
        })
    }

    #[inline(always)]
    fn block_inside(
        &self,
        block: u64,
        parts: &mut [&mut [f64]],
        shifts: &[f64],
        scratch: &mut Scratch,
    ) -> Block {
        let trials = parts[0].len();
        let chunks = trials.div_ceil(CHUNK);
        self.source.block(
            block,
            None,
            chunks,
            scratch,
            #[inline(always)]
            |at, registers, slots| {
                let first = at * CHUNK;
                let count = CHUNK.min(trials - first);
                for (part, &slot) in parts.iter_mut().zip(slots) {
                    let values = &registers.chunk(slot)[..count];
                    part[first..first + count].copy_from_slice(values);
                }
            },
        );
        let first_trial = block * BLOCK as u64;
        let mut sums = Vec::with_capacity(parts.len());
        let mut undefined = Vec::with_capacity(parts.len());
        for (part, &shift) in parts.iter().zip(shifts) {
            let sum = PowerSums::of(part, shift);
            // A sum over anything that is not finite is not finite.
            undefined.push(if sum.offset().is_finite() {
                Undefined::NONE
            } else {
                Undefined::among(part, first_trial)
            });
            sums.push(sum);
        }
        let mut products = Vec::new();
        for a in 0..parts.len() {
            for b in a + 1..parts.len() {
                products.push(product_sum(parts[a], parts[b], [shifts[a], shifts[b]]));
            }
        }
        Block {
            sums,
            products,
            undefined,
        }
    }

    fn check_defined(&self, blocks: &[Block]) -> Result<(), SampleError> {
        for (index, output) in self.outputs.iter().enumerate() {
            let all = blocks.iter().map(|block| block.undefined[index]);
            let count: u64 = all.clone().map(|undefined| undefined.count).sum();
            let first = all.map(|undefined| undefined.first).min();
            if count == 0 {
                continue;
            }
            let first = first.unwrap_or_default();
            let source = self.source.explain(output, first).map(Box::new);
            return Err(SampleError::Undefined {
                output: (*output).to_owned(),
                count,
                trials: self.sampling.trials,
                first,
                source,
            });
        }
        Ok(())
    }

    pub fn summary(&self, trials: &Trials) -> JointMonteCarlo {
        let coverage = self.sampling.coverage;
        let outputs = trials.columns.iter().enumerate().map(|(index, column)| {
            let tails = Tails::new(column, coverage);
            let [low, high] = tails.central(HISTOGRAM_COVERAGE.max(coverage));
            let error = shortest_error(column, coverage, column.len() as u64);
            let histogram = Histogram::of(column, low, high);
            self.one(index, trials, tails.intervals(), histogram, error)
        });
        let outputs: Vec<MonteCarlo> = outputs.collect();
        let covariance = trials.covariance();
        let regions = if outputs.len() > 1 {
            let means: Vec<f64> = outputs.iter().map(|output| output.mean).collect();
            regions(&trials.columns, &means, &covariance, coverage)
        } else {
            None
        };
        JointMonteCarlo {
            outputs,
            covariance,
            regions,
            convergence: None,
        }
    }

    fn one(
        &self,
        index: usize,
        trials: &Trials,
        intervals: Intervals,
        histogram: Histogram,
        shortest_error: [f64; 2],
    ) -> MonteCarlo {
        let sums = trials.total(index);
        let u = sums.variance().sqrt();
        MonteCarlo {
            output: self.outputs[index].to_owned(),
            sampler: SAMPLER.to_owned(),
            seed: self.sampling.seed,
            trials: histogram.total(),
            mean: trials.shifts[index] + sums.offset(),
            u,
            coverage: self.sampling.coverage,
            shortest: intervals.shortest,
            symmetric: intervals.symmetric,
            errors: SamplingErrors {
                mean: u / sums.count.sqrt(),
                u: sums.error_of_sd(),
                shortest: shortest_error,
                symmetric: intervals.symmetric_error,
            },
            histogram,
        }
    }
}

/// Trials of a counted run that are drawn at once: a whole number of blocks.
const BATCH: usize = 1 << 20;

/// Parts of a run from which the error of the shortest interval is estimated.
const PARTS: usize = 10;

/// Standard deviation of the ends over ten parts of the run, brought to the whole run: the
/// error of the place of a shortest interval falls with the cube root of the trials, not
/// with the square root (it is where two densities are equal, a mode of a difference).
fn shortest_error(column: &[f64], coverage: f64, trials: u64) -> [f64; 2] {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below the number of trials"
    )]
    let least = (40.0 / (1.0 - coverage)) as usize;
    let size = (column.len() / PARTS).min(least.max(1000));
    let step = column.len() / PARTS;
    let ends: Vec<[f64; 2]> = (0..PARTS)
        .map(|part| {
            let values = &column[part * step..part * step + size];
            Tails::new(values, coverage).intervals().shortest
        })
        .collect();
    let shrink = libm::cbrt(size as f64 / trials as f64);
    [0, 1].map(|end| {
        let mean = ends.iter().map(|ends| ends[end]).sum::<f64>() / PARTS as f64;
        let squares = ends
            .iter()
            .map(|ends| (ends[end] - mean) * (ends[end] - mean));
        (squares.sum::<f64>() / (PARTS - 1) as f64).sqrt() * shrink
    })
}

impl Undefined {
    const NONE: Self = Self {
        count: 0,
        first: u64::MAX,
    };

    fn among(values: &[f64], first_trial: u64) -> Self {
        let undefined = |value: &&f64| !value.is_finite();
        let at = values.iter().position(|value| undefined(&value));
        Self {
            count: values.iter().filter(undefined).count() as u64,
            first: at.map_or(u64::MAX, |at| first_trial + at as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::Library;
    use crate::input::{Correlation, Distribution as D, Input};

    /// Every instruction set that this processor has.
    fn levels() -> Vec<Level> {
        let best = Level::new();
        let mut levels = vec![best];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(best.as_avx2().map(Level::Avx2));
            levels.extend(best.as_sse4_2().map(Level::Sse4_2));
            levels.extend(best.as_sse2().map(Level::Sse2));
        }
        levels
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let text = "y = exp(a) * sin(b) / (c + d) + ln(e) * sqrt(f) + log10(g) + cos(h)^2 - k\n\
                    solve r: r * exp(r) + if(r < h, sin(r), r / 2)^2 = d + b near 1\n\
                    z = tan(b) + atan2(a, c) + max(a, b) + e^f + i * j + r";
        let model = Model::compile(text, Library::shipped()).unwrap();
        let law = |symbol: &str, distribution| Input {
            distribution,
            ..Input::normal(symbol, 3.0, 0.1)
        };
        let quantities = vec![
            Input::student("a", 0.3, 0.1, 5.0),
            Input::normal("b", 0.2, 0.1),
            Input::rectangular("c", 4.0, 1.0),
            Input::triangular("d", 2.0, 1.0),
            law("e", D::LogNormal),
            law("f", D::Exponential),
            Input::u_shaped("g", 5.0, 1.0),
            Input::curvilinear_trapezoid("h", 0.0, 1.0, 0.3),
            Input::trapezoidal("i", 0.0, 1.0, 0.4),
            law("j", D::Gamma { shape: 2.5 }),
            law("k", D::Poisson),
        ];
        let correlations = vec![Correlation {
            a: "b".into(),
            b: "c".into(),
            r: 0.5,
        }];
        let inputs = Inputs {
            correlations,
            ..Inputs::from(quantities)
        };
        let sampling = Sampling {
            trials: 20_000,
            ..Sampling::with_seed(3)
        };
        let run = |level: Level| {
            let outputs = ["y", "z"];
            let mut runner = Runner::new(&model, &outputs, &inputs, &sampling).unwrap();
            runner.level = level;
            runner.run().unwrap()
        };
        let found: Vec<JointMonteCarlo> = levels().into_iter().map(run).collect();
        for other in &found {
            assert_eq!(*other, found[0]);
        }
    }
}
