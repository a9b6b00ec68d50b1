//! The inputs of a model, ready to be drawn block by block.

use nalgebra::DMatrix;

use super::SampleError;
use crate::covariance::{connected, correlated_groups, correlated_pairs, factor, matrix_among};
use crate::gum::ensembles;
use crate::input::{CorrelationMeasure, Distribution, Input, Inputs, in_order};
use crate::law::{Law, LawTable, pearson_to_normal, rank_to_normal};
use crate::model::{CHUNK, EvalError, Model, Program, Registers};
use crate::random::Key;
use crate::sampler::{Gamma, Sampler, Streams, Students};
use crate::ziggurat::{Worktop, Ziggurat};

/// Trials of one stream of the generator.
pub const BLOCK: usize = 16 * CHUNK;

/// How the inputs of a program are drawn.
pub struct Source<'a> {
    model: &'a Model,
    program: Program,
    /// One for each input of the program.
    draws: Vec<Draw>,
    groups: Vec<Group>,
}

enum Draw {
    Alone(Key, Sampler),
    /// Group and place in it.
    Joint(usize, usize),
}

/// Inputs that are drawn together.
struct Group {
    symbols: Vec<String>,
    /// One for each member, in alphabetical order: a trial does not depend on the order in
    /// which a file lists its inputs.
    members: Vec<Member>,
    /// Factor of the correlation matrix of the underlying normal deviates.
    lower: DMatrix<f64>,
    /// Of a multivariate t distribution: χ² over its degrees of freedom divides.
    divisor: Option<(Key, Gamma, f64)>,
}

struct Member {
    key: Key,
    value: f64,
    scale: f64,
    /// Maps a normal deviate to a quantity that is not normal.
    law: Option<LawTable>,
}

/// What one thread needs to draw and compute.
pub struct Scratch {
    registers: Registers,
    worktop: Worktop,
    streams: Vec<Option<Streams>>,
    joint: Vec<JointScratch>,
}

struct JointScratch {
    streams: Vec<Streams>,
    divisor: Option<Streams>,
    lanes: Vec<Vec<f64>>,
    quotients: Vec<f64>,
}

impl<'a> Source<'a> {
    pub fn new(
        model: &'a Model,
        outputs: &[&str],
        inputs: &Inputs,
        seed: u64,
    ) -> Result<Self, SampleError> {
        let program = model.compile_lanes(outputs).map_err(SampleError::Model)?;
        let ordered = in_order(model.inputs(), &inputs.quantities)?;
        let seed = Key::of_seed(seed);
        let groups = group(&ordered, inputs, seed)?;
        let mut students = Students::default();
        let draw = |&index: &u32| {
            let input = ordered[index as usize];
            let place = groups.iter().enumerate().find_map(|(at, group)| {
                let place = group
                    .symbols
                    .iter()
                    .position(|symbol| *symbol == input.symbol)?;
                Some(Draw::Joint(at, place))
            });
            place.unwrap_or_else(|| {
                Draw::Alone(
                    seed.of_name(&input.symbol),
                    Sampler::new(input, &mut students),
                )
            })
        };
        let draws = program.inputs().iter().map(draw).collect();
        Ok(Self {
            model,
            program,
            draws,
            groups,
        })
    }

    pub fn scratch(&self) -> Scratch {
        let joint = self.groups.iter().map(|group| JointScratch {
            streams: Vec::with_capacity(group.members.len()),
            divisor: None,
            lanes: vec![vec![0.0; CHUNK]; group.members.len()],
            quotients: vec![0.0; CHUNK],
        });
        Scratch {
            registers: self.program.registers(),
            worktop: Worktop::default(),
            streams: self.draws.iter().map(|_| None).collect(),
            joint: joint.collect(),
        }
    }

    /// Draws the block with that number and hands each chunk of trials to `sink`: the number
    /// of the chunk in the block, and the outputs in the order in which they were asked for.
    #[inline(always)]
    pub fn block(
        &self,
        block: u64,
        exchanged: Option<usize>,
        chunks: usize,
        scratch: &mut Scratch,
        mut sink: impl FnMut(usize, &Registers, &[usize]),
    ) {
        scratch.start(self, block, exchanged);
        for at in 0..chunks {
            self.chunk(
                scratch,
                #[inline(always)]
                |_, _| {},
            );
            sink(at, &scratch.registers, self.program.outputs());
        }
    }

    /// The next chunk of the block that was started; `watch` sees every input drawn.
    #[inline(always)]
    fn chunk(&self, scratch: &mut Scratch, mut watch: impl FnMut(usize, &[f64; CHUNK])) {
        let Scratch {
            registers,
            worktop,
            streams,
            joint,
        } = scratch;
        for (group, scratch) in self.groups.iter().zip(joint.iter_mut()) {
            group.draw(scratch, worktop);
        }
        self.program.run(
            registers,
            #[inline(always)]
            |input, lane| {
                match &self.draws[input] {
                    Draw::Alone(_, sampler) => {
                        if let Some(streams) = &mut streams[input] {
                            sampler.fill(streams, worktop, lane);
                        }
                    }
                    &Draw::Joint(group, place) => lane.copy_from_slice(&joint[group].lanes[place]),
                }
                watch(input, lane);
            },
        );
    }

    /// Why a trial has no value: its inputs are drawn again and the model is evaluated
    /// alone.
    pub fn explain(&self, output: &str, trial: u64) -> Option<EvalError> {
        let block = trial / BLOCK as u64;
        let within = usize::try_from(trial % BLOCK as u64).unwrap_or_default();
        let mut drawn = vec![f64::NAN; self.model.inputs().len()];
        let mut scratch = self.scratch();
        scratch.start(self, block, None);
        for _ in 0..=within / CHUNK {
            self.chunk(&mut scratch, |input, lane| {
                drawn[self.program.inputs()[input] as usize] = lane[within % CHUNK];
            });
        }
        let value_of = |symbol: &str| {
            let at = self.model.inputs().iter().position(|name| name == symbol)?;
            Some(drawn[at])
        };
        self.model.eval(output, &value_of).err()
    }
}

impl Source<'_> {
    /// What can be exchanged between two samples: each input that is drawn alone, then each
    /// group; with the symbols of each.
    pub fn factors(&self) -> Vec<Vec<String>> {
        let name = |&index: &u32| self.model.inputs()[index as usize].clone();
        let symbols: Vec<String> = self.program.inputs().iter().map(name).collect();
        let alone = self.draws.iter().zip(&symbols);
        let alone = alone.filter(|(draw, _)| matches!(draw, Draw::Alone(..)));
        let groups = self.groups.iter().map(|group| group.symbols.clone());
        alone
            .map(|(_, symbol)| vec![symbol.clone()])
            .chain(groups)
            .collect()
    }
}

impl Scratch {
    /// Streams of a block; those of the factor `exchanged` come from a second sample.
    fn start(&mut self, source: &Source, block: u64, exchanged: Option<usize>) {
        let mut factor = 0;
        let mut key = |key: &Key, next: bool| {
            let second = exchanged.is_some_and(|one| one == factor || one == usize::MAX);
            factor += usize::from(next);
            let sample = if second {
                key.of_number(u64::MAX)
            } else {
                *key
            };
            sample.of_number(block)
        };
        for (streams, draw) in self.streams.iter_mut().zip(&source.draws) {
            *streams = match draw {
                Draw::Alone(alone, _) => Some(Streams::new(key(alone, true))),
                Draw::Joint(..) => None,
            };
        }
        for (scratch, group) in self.joint.iter_mut().zip(&source.groups) {
            scratch.streams.clear();
            for member in &group.members {
                scratch.streams.push(Streams::new(key(&member.key, false)));
            }
            // The divisor last, so that the group as a whole is one factor.
            scratch.divisor = group
                .divisor
                .as_ref()
                .map(|(divisor, ..)| Streams::new(key(divisor, false)));
            key(&group.members[0].key, true);
        }
    }
}

impl Group {
    #[inline(always)]
    fn draw(&self, scratch: &mut JointScratch, worktop: &mut Worktop) {
        let JointScratch {
            streams,
            divisor,
            lanes,
            quotients,
        } = scratch;
        for (lane, streams) in lanes.iter_mut().zip(streams) {
            Ziggurat::normal().fill(&mut streams.wide, &mut streams.narrow, worktop, lane);
        }
        quotients.fill(1.0);
        if let (Some((_, gamma, half_dof)), Some(streams)) = (&self.divisor, divisor) {
            for quotient in quotients.iter_mut() {
                // χ²/ν is a gamma deviate of shape ν/2 over ν/2.
                *quotient = (half_dof / gamma.draw(&mut streams.narrow)).sqrt();
            }
        }
        // From the last row up, so that each row still finds the deviates before it.
        for row in (0..self.members.len()).rev() {
            let (before, rest) = lanes.split_at_mut(row);
            let out = &mut rest[0];
            let own = self.lower[(row, row)];
            for at in 0..CHUNK {
                out[at] *= own;
            }
            for (column, lane) in before.iter().enumerate() {
                let weight = self.lower[(row, column)];
                for at in 0..CHUNK {
                    out[at] += weight * lane[at];
                }
            }
            self.members[row].place(out, quotients);
        }
    }
}

impl Member {
    #[inline(always)]
    fn place(&self, lane: &mut [f64], quotients: &[f64]) {
        match &self.law {
            Some(law) => {
                for x in lane {
                    *x = law.from_normal(*x);
                }
            }
            None => {
                for (x, quotient) in lane.iter_mut().zip(quotients) {
                    *x = self.value + self.scale * (*x * quotient);
                }
            }
        }
    }
}

/// Groups of inputs that are correlated or estimated together.
fn group(inputs: &[&Input], all: &Inputs, seed: Key) -> Result<Vec<Group>, SampleError> {
    let ensemble_of = ensembles(inputs, all).map_err(Box::new)?;
    let pairs = correlated_pairs(inputs, &all.correlations)?;
    // Whatever becomes of the deviates: the coefficients as stated must be possible.
    correlated_groups(inputs, &pairs)?;
    let correlated = pairs.iter().filter(|(_, _, r)| *r != 0.0);
    let mut links: Vec<(usize, usize)> = correlated.map(|&(a, b, _)| (a, b)).collect();
    // A multivariate t distribution joins its members even without correlation.
    for ensemble in 0..all.ensembles.len() {
        let students: Vec<usize> = (0..inputs.len())
            .filter(|&at| ensemble_of[at] == Some(ensemble))
            .filter(|&at| inputs[at].u > 0.0 && inputs[at].student_scale().is_some())
            .collect();
        links.extend(students.windows(2).map(|pair| (pair[0], pair[1])));
    }
    links.retain(|&(a, b)| inputs[a].u > 0.0 && inputs[b].u > 0.0);
    connected(inputs.len(), links)
        .into_iter()
        .map(|mut members| {
            members.sort_by(|&a, &b| inputs[a].symbol.cmp(&inputs[b].symbol));
            let chosen: Vec<&Input> = members.iter().map(|&at| inputs[at]).collect();
            let together: Vec<Option<usize>> = members.iter().map(|&at| ensemble_of[at]).collect();
            let among = matrix_among(&members, &pairs);
            Group::new(&chosen, &together, among, all.measure, seed)
        })
        .collect()
}

impl Group {
    /// `ensemble_of` has the ensemble of each input.
    fn new(
        inputs: &[&Input],
        ensemble_of: &[Option<usize>],
        correlation: DMatrix<f64>,
        measure: CorrelationMeasure,
        seed: Key,
    ) -> Result<Self, SampleError> {
        let first = ensemble_of[0];
        let one_ensemble = first.is_some() && ensemble_of.iter().all(|one| *one == first);
        let student = |input: &Input| input.student_scale().is_some();
        if one_ensemble && inputs.iter().all(|input| student(input)) {
            return Self::student(inputs, &correlation, seed);
        }
        let mut pairs = inputs.iter().zip(ensemble_of);
        if let Some((input, _)) = pairs.find(|(input, one)| student(input) && one.is_some()) {
            let symbol = input.symbol.clone();
            return Err(SampleError::TornEnsemble { symbol });
        }
        Self::copula(inputs, correlation, measure, seed)
    }

    fn student(
        inputs: &[&Input],
        correlation: &DMatrix<f64>,
        seed: Key,
    ) -> Result<Self, SampleError> {
        let dof = inputs[0].dof;
        if let Some(other) = inputs.iter().find(|input| input.dof != dof) {
            let symbol = other.symbol.clone();
            return Err(SampleError::EnsembleDof { symbol });
        }
        let member = |input: &&Input| Member {
            key: seed.of_name(&input.symbol),
            value: input.value,
            scale: input.student_scale().unwrap_or(input.u),
            law: None,
        };
        let key = inputs.iter().fold(seed.of_name("ensemble"), |key, input| {
            key.of_name(&input.symbol)
        });
        Ok(Self {
            symbols: inputs.iter().map(|input| input.symbol.clone()).collect(),
            members: inputs.iter().map(member).collect(),
            lower: factor(correlation, inputs)?,
            divisor: Some((key, Gamma::new(0.5 * dof), 0.5 * dof)),
        })
    }

    /// Normal deviates whose correlations are such that the quantities themselves have the
    /// stated ones.
    fn copula(
        inputs: &[&Input],
        mut correlation: DMatrix<f64>,
        measure: CorrelationMeasure,
        seed: Key,
    ) -> Result<Self, SampleError> {
        let normal = |input: &Input| input.distribution == Distribution::Normal;
        let laws = inputs
            .iter()
            .map(|input| Law::new(input))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..inputs.len() {
            for column in 0..row {
                let stated = correlation[(row, column)];
                let underlying = match measure {
                    _ if stated == 0.0 => 0.0,
                    _ if normal(inputs[row]) && normal(inputs[column]) => stated,
                    CorrelationMeasure::Pearson => {
                        pearson_to_normal(&laws[row], &laws[column], stated).map_err(|source| {
                            SampleError::Copula {
                                a: inputs[row].symbol.clone(),
                                b: inputs[column].symbol.clone(),
                                source,
                            }
                        })?
                    }
                    CorrelationMeasure::Rank => rank_to_normal(stated),
                };
                correlation[(row, column)] = underlying;
                correlation[(column, row)] = underlying;
            }
        }
        let members = inputs.iter().zip(laws).map(|(input, law)| Member {
            key: seed.of_name(&input.symbol),
            value: input.value,
            scale: input.u,
            law: (!normal(input)).then(|| LawTable::new(law)),
        });
        Ok(Self {
            symbols: inputs.iter().map(|input| input.symbol.clone()).collect(),
            members: members.collect(),
            lower: factor(&correlation, inputs)?,
            divisor: None,
        })
    }
}
