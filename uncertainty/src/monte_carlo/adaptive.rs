//! The adaptive procedure (JCGM 101:2008, 7.9, and JCGM 102:2011, 7.8, for several outputs).

use serde::{Deserialize, Serialize};

use super::intervals::Tails;
use super::moments::PowerSums;
use super::region::regions;
use super::run::{Runner, Trials};
use super::source::BLOCK;
use super::{JointMonteCarlo, SampleError, Sampling};
use crate::input::Inputs;
use crate::model::Model;
use crate::validation::tolerance;

/// When a run is long enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adaptive {
    /// Seed of the generator: with the model and the inputs it fixes every bit of the result.
    pub seed: u64,
    /// Coverage probability p, 0.5 to 0.9999.
    pub coverage: f64,
    /// Significant digits of u that must be stable, 1 to 3; 2 where they are not stated.
    #[serde(default = "two")]
    pub digits: u8,
    /// Where the run gives up; 10 000 000 trials where it is not stated.
    #[serde(default = "ceiling")]
    pub max_trials: u64,
    /// The ends that must be stable. Those of the shortest interval need many times more
    /// trials.
    #[serde(default)]
    pub interval: IntervalKind,
}

fn two() -> u8 {
    2
}

fn ceiling() -> u64 {
    10_000_000
}

/// Which coverage interval is meant (JCGM 101:2008, 7.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalKind {
    /// Probabilistically symmetric.
    #[default]
    Symmetric,
    /// Shortest (7.7.4).
    Shortest,
}

/// How an adaptive run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// Significant digits of u that are stable.
    pub digits: u8,
    /// Sequences of trials that were drawn: the h of JCGM 101:2008, 7.9.4.
    pub sequences: u64,
    /// Trials in each sequence: the M of JCGM 101:2008, 7.9.4 b.
    pub sequence_trials: u64,
    /// Of each output: the numerical tolerance δ of u, and twice the standard errors of
    /// mean, u and both ends, which are within it.
    pub outputs: Vec<Stability>,
    /// For several outputs: twice the standard errors of the largest eigenvalue of the
    /// correlation matrix and of the ellipsoid's k, with their tolerances.
    pub joint: Option<[Stable; 2]>,
}

/// Stability of one output (JCGM 101:2008, 7.9.4), in its unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// Numerical tolerance δ of u (7.9.2).
    pub tolerance: f64,
    /// Twice the standard error of the mean.
    pub mean: f64,
    /// Twice the standard error of u.
    pub u: f64,
    /// Twice the standard errors of the lower and the upper end of the interval.
    pub ends: [f64; 2],
}

/// Stability of one number of several outputs together (JCGM 102:2011, 7.8).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stable {
    /// Mean over the sequences.
    pub value: f64,
    /// Numerical tolerance of the number at the wanted digits.
    pub tolerance: f64,
    /// Twice the standard error of the mean over the sequences.
    pub twice_error: f64,
}

/// Fewest sequences that are compared. The rule of the supplement may stop at two, by
/// chance; a standard deviation of ten averages is known to a quarter.
const MIN_SEQUENCES: usize = 10;

/// Sequences drawn at once, so that several threads have work.
const BATCH: usize = 8;

/// One sequence of trials, summarised.
struct Sequence {
    outputs: Vec<[f64; 4]>,
    joint: [f64; 2],
}

/// Draws sequences of trials until the results are stable to the wanted digits.
///
/// # Errors
/// [`SampleError`]; among them `NotConverged` where `max_trials` did not suffice: a number
/// whose digits are not known to be stable is not given.
pub fn monte_carlo_adaptive(
    model: &Model,
    outputs: &[&str],
    inputs: &Inputs,
    adaptive: &Adaptive,
) -> Result<JointMonteCarlo, SampleError> {
    if !(1..=3).contains(&adaptive.digits) {
        return Err(SampleError::Digits(adaptive.digits));
    }
    let sampling = Sampling {
        trials: adaptive.max_trials,
        coverage: adaptive.coverage,
        ..Sampling::with_seed(adaptive.seed)
    };
    sampling.check()?;
    let runner = Runner::new(model, outputs, inputs, &sampling)?;
    Search::new(&runner, adaptive).run()
}

struct Search<'r, 'a> {
    runner: &'r Runner<'a>,
    adaptive: &'r Adaptive,
    /// Trials of a sequence: whole blocks, at least max(10⁴, 100/(1 − p)) (7.9.4 b).
    length: usize,
    trials: Trials,
    sequences: Vec<Sequence>,
}

impl<'r, 'a> Search<'r, 'a> {
    fn new(runner: &'r Runner<'a>, adaptive: &'r Adaptive) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 10⁶"
        )]
        let least = ((100.0 / (1.0 - adaptive.coverage)).ceil() as usize).max(10_000);
        Self {
            runner,
            adaptive,
            length: least.div_ceil(BLOCK) * BLOCK,
            trials: runner.nothing(),
            sequences: Vec::new(),
        }
    }

    fn run(mut self) -> Result<JointMonteCarlo, SampleError> {
        loop {
            let wanted = (self.sequences.len() + BATCH) * self.length;
            self.runner.extend(&mut self.trials, wanted)?;
            for _ in 0..BATCH {
                let used = self.sequences.len() * self.length;
                if (used + self.length) as u64 > self.adaptive.max_trials {
                    return Err(self.not_converged());
                }
                self.sequences.push(self.sequence(used));
                if self.sequences.len() >= MIN_SEQUENCES
                    && let Some(convergence) = self.converged()
                {
                    let used = self.sequences.len() * self.length;
                    self.trials.truncate(used);
                    let mut result = self.runner.summary(&self.trials);
                    result.convergence = Some(convergence);
                    return Ok(result);
                }
            }
        }
    }

    fn sequence(&self, first: usize) -> Sequence {
        let parts = self.trials.columns.iter().zip(&self.trials.shifts);
        let outputs: Vec<[f64; 4]> = parts
            .map(|(column, &shift)| {
                let part = &column[first..first + self.length];
                let sums = PowerSums::of(part, shift);
                let intervals = Tails::new(part, self.adaptive.coverage).intervals();
                let [low, high] = match self.adaptive.interval {
                    IntervalKind::Symmetric => intervals.symmetric,
                    IntervalKind::Shortest => intervals.shortest,
                };
                [shift + sums.offset(), sums.variance().sqrt(), low, high]
            })
            .collect();
        let joint = if outputs.len() > 1 {
            let blocks = first / BLOCK..(first + self.length) / BLOCK;
            self.joint(&self.trials.part(blocks), &outputs)
        } else {
            [0.0; 2]
        };
        Sequence { outputs, joint }
    }

    /// Largest eigenvalue of the correlation matrix, and k of the ellipsoid.
    fn joint(&self, trials: &Trials, outputs: &[[f64; 4]]) -> [f64; 2] {
        let covariance = trials.covariance();
        let means: Vec<f64> = outputs.iter().map(|output| output[0]).collect();
        let k = regions(&trials.columns, &means, &covariance, self.adaptive.coverage)
            .map_or(0.0, |regions| regions.k);
        [largest_eigenvalue(&covariance), k]
    }

    /// The numbers of all sequences of one kind: their mean and twice the standard error of
    /// their mean.
    fn twice_error(&self, number: impl Fn(&Sequence) -> f64) -> [f64; 2] {
        let h = self.sequences.len() as f64;
        let mean = self.sequences.iter().map(&number).sum::<f64>() / h;
        let squares = self.sequences.iter().fold(0.0, |sum, one| {
            sum + (number(one) - mean) * (number(one) - mean)
        });
        [mean, 2.0 * (squares / (h * (h - 1.0))).sqrt()]
    }

    fn stability(&self, output: usize) -> Stability {
        let [_, mean] = self.twice_error(|one| one.outputs[output][0]);
        let [u, u_error] = self.twice_error(|one| one.outputs[output][1]);
        let [_, low] = self.twice_error(|one| one.outputs[output][2]);
        let [_, high] = self.twice_error(|one| one.outputs[output][3]);
        Stability {
            tolerance: if u > 0.0 {
                tolerance(u, self.adaptive.digits)
            } else {
                0.0
            },
            mean,
            u: u_error,
            ends: [low, high],
        }
    }

    fn joint_stability(&self) -> Option<[Stable; 2]> {
        (self.trials.columns.len() > 1).then(|| {
            [0, 1].map(|which| {
                let [value, twice_error] = self.twice_error(|one| one.joint[which]);
                let tolerance = if value > 0.0 {
                    tolerance(value, self.adaptive.digits)
                } else {
                    0.0
                };
                Stable {
                    value,
                    tolerance,
                    twice_error,
                }
            })
        })
    }

    fn converged(&self) -> Option<Convergence> {
        let outputs: Vec<Stability> = (0..self.trials.columns.len())
            .map(|output| self.stability(output))
            .collect();
        let joint = self.joint_stability();
        let stable = outputs.iter().all(Stability::met)
            && joint.is_none_or(|joint| {
                let within = |stable: &Stable| stable.twice_error <= stable.tolerance;
                joint.iter().all(within)
            });
        stable.then_some(Convergence {
            digits: self.adaptive.digits,
            sequences: self.sequences.len() as u64,
            sequence_trials: self.length as u64,
            outputs,
            joint,
        })
    }

    fn not_converged(&self) -> SampleError {
        let trials = (self.sequences.len() * self.length) as u64;
        let digits = self.adaptive.digits;
        if self.sequences.len() < MIN_SEQUENCES {
            let least = (MIN_SEQUENCES * self.length) as u64;
            return SampleError::TooFewTrials { trials, least };
        }
        let worst = |stability: &Stability| {
            let [low, high] = stability.ends;
            stability.mean.max(stability.u).max(low).max(high)
        };
        for output in 0..self.trials.columns.len() {
            let stability = self.stability(output);
            if !stability.met() {
                return SampleError::NotConverged {
                    what: format!("output {:?}", self.runner.output(output)),
                    trials,
                    digits,
                    reached: worst(&stability),
                    tolerance: stability.tolerance,
                };
            }
        }
        let joint = self.joint_stability().unwrap_or_default();
        let failing = joint.iter().find(|one| one.twice_error > one.tolerance);
        let (reached, tolerance) = failing.map_or((0.0, 0.0), |s| (s.twice_error, s.tolerance));
        SampleError::NotConverged {
            what: "the joint region".to_owned(),
            trials,
            digits,
            reached,
            tolerance,
        }
    }
}

impl Default for Stable {
    fn default() -> Self {
        Self {
            value: 0.0,
            tolerance: 0.0,
            twice_error: 0.0,
        }
    }
}

impl Stability {
    fn met(&self) -> bool {
        let [low, high] = self.ends;
        [self.mean, self.u, low, high]
            .iter()
            .all(|&error| error <= self.tolerance)
    }
}

/// Largest eigenvalue of the correlation matrix of a covariance matrix, by Jacobi's rotations
/// written out in one order.
fn largest_eigenvalue(covariance: &[Vec<f64>]) -> f64 {
    let size = covariance.len();
    let sd: Vec<f64> = (0..size).map(|at| covariance[at][at].sqrt()).collect();
    let mut matrix: Vec<Vec<f64>> = (0..size)
        .map(|a| {
            (0..size)
                .map(|b| match sd[a] * sd[b] {
                    _ if a == b => 1.0,
                    product if product > 0.0 => covariance[a][b] / product,
                    _ => 0.0,
                })
                .collect()
        })
        .collect();
    for _ in 0..50 {
        let mut off = 0.0;
        for p in 0..size {
            for q in p + 1..size {
                off += matrix[p][q] * matrix[p][q];
                rotate(&mut matrix, p, q);
            }
        }
        if off < 1e-28 {
            break;
        }
    }
    (0..size).fold(0.0, |most, at| matrix[at][at].max(most))
}

fn rotate(matrix: &mut [Vec<f64>], p: usize, q: usize) {
    let apq = matrix[p][q];
    if apq == 0.0 {
        return;
    }
    let theta = 0.5 * (matrix[q][q] - matrix[p][p]) / apq;
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let t = if theta == 0.0 { 1.0 } else { t };
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..matrix.len() {
        let (kp, kq) = (matrix[k][p], matrix[k][q]);
        matrix[k][p] = c * kp - s * kq;
        matrix[k][q] = s * kp + c * kq;
    }
    for k in 0..matrix.len() {
        let (pk, qk) = (matrix[p][k], matrix[q][k]);
        matrix[p][k] = c * pk - s * qk;
        matrix[q][k] = s * pk + c * qk;
    }
}
