//! Running the tape on many trials at once.
//!
//! A [`Program`] is the tape of some outputs, its registers packed into as few chunks of
//! trials as live at a time, so that all of them stay in the first cache. The loops over a
//! chunk have no branches and become vector instructions of whatever instruction set the
//! caller was compiled for ([`crate::monte_carlo`] chooses); every lane computes what
//! [`Model::eval`](super::Model::eval) computes, with the same bits.

use std::collections::BTreeMap;
use std::sync::Arc;

use fearless_simd::{Level, dispatch};

use super::newton::{Equation, LaneRoot, Newton};
use super::tape::{Binary, Op, Register, Tape, Unary, pow_int};
use super::{EvalError, Model};
use crate::elementary;

/// Trials computed side by side; a multiple of the streams of the generator.
pub const CHUNK: usize = 256;

/// Place of one chunk of values.
pub type Slot = usize;

/// The operations of some outputs in order.
#[derive(Debug, Clone)]
pub struct Program {
    steps: Vec<(Step, Slot)>,
    slots: usize,
    outputs: Vec<Slot>,
    /// Index in the model of each input that a step draws.
    inputs: Vec<u32>,
    roots: Vec<LaneRoot>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Constant(f64),
    /// Position in [`Program::inputs`].
    Input(usize),
    Unary(Unary, Slot),
    Binary(Binary, Slot, Slot),
    /// One operand is a number.
    Right(Binary, Slot, f64),
    Left(Binary, f64, Slot),
    Square(Slot),
    PowInt(Slot, i32),
    Select(Slot, Slot, Slot),
    /// Position in [`Program::roots`].
    Root(usize),
}

/// Values of the slots of a [`Program`], and of those of its equations.
#[derive(Debug)]
pub struct Registers {
    slots: Vec<Vec<f64>>,
    equations: Vec<Vec<Vec<f64>>>,
}

impl Registers {
    pub fn chunk(&self, slot: Slot) -> &[f64; CHUNK] {
        chunk(&self.slots[slot])
    }
}

#[inline(always)]
pub fn chunk(values: &[f64]) -> &[f64; CHUNK] {
    values.first_chunk().unwrap_or(&[f64::NAN; CHUNK])
}

impl Model {
    /// The program of `outputs`.
    pub(crate) fn compile_lanes(&self, outputs: &[&str]) -> Result<Program, EvalError> {
        let ends = outputs
            .iter()
            .map(|output| {
                let last = self.program(output)?.last().copied();
                Ok(last.unwrap_or_default())
            })
            .collect::<Result<Vec<Register>, EvalError>>()?;
        let mut needed = vec![false; self.tape.ops.len()];
        for output in outputs {
            for &register in self.program(output)? {
                needed[register as usize] = true;
            }
        }
        let order: Vec<usize> = (0..needed.len()).filter(|&at| needed[at]).collect();
        let equations = self.equations(&order);
        Ok(Packer::new(&self.tape, order, &ends, equations).pack())
    }

    /// The implicit equations among these operations, by the register of their root.
    fn equations(&self, order: &[usize]) -> BTreeMap<usize, Equation> {
        let mut found = BTreeMap::new();
        for &at in order {
            let Op::Root {
                equation,
                unknown,
                start,
            } = self.tape.ops[at]
            else {
                continue;
            };
            let root = Register::try_from(at).unwrap_or(Register::MAX);
            let sequence = Arc::new(self.arranged(&[root]));
            let register = |input: usize| {
                let is_it = |&&at: &&usize| matches!(self.tape.ops[at], Op::Input(i) if i as usize == input);
                let at = order.iter().find(is_it).copied().unwrap_or_default();
                Register::try_from(at).unwrap_or(Register::MAX)
            };
            let made = Equation {
                start,
                inputs: sequence.inputs().map(register).collect(),
                newton: Newton::new(&self.tape, equation, unknown),
                sequence,
            };
            found.insert(at, made);
        }
        found
    }

    /// Fills `out`; `columns` hold the values of the inputs, all as long as `out`.
    /// The error of the first trial that fails, by its index, is the one of `eval`.
    pub(super) fn lanes(
        &self,
        output: &str,
        columns: &[&[f64]],
        out: &mut [f64],
    ) -> Result<(), EvalError> {
        let program = self.compile_lanes(&[output])?;
        let mut registers = program.registers();
        let level = Level::new();
        for (at, out) in out.chunks_mut(CHUNK).enumerate() {
            let first = at * CHUNK;
            let count = out.len();
            dispatch!(level, simd => {
                use fearless_simd::Simd as _;
                simd.vectorize(#[inline(always)] || program.run(
                    &mut registers,
                    #[inline(always)]
                    |input, lane| {
                        let column = &columns[program.inputs[input] as usize];
                        let column = &column[first..first + count];
                        lane[..count].copy_from_slice(column);
                        // Whole chunks are computed: the rest repeats the last trial.
                        lane[count..].fill(column[count - 1]);
                    },
                ));
            });
            out.copy_from_slice(&registers.chunk(program.outputs[0])[..count]);
            for trial in 0..count {
                if !out[trial].is_finite() {
                    let value_of = |symbol: &str| {
                        let input = self.inputs.iter().position(|input| input == symbol)?;
                        Some(columns[input][first + trial])
                    };
                    out[trial] = self.eval(output, &value_of)?;
                }
            }
        }
        Ok(())
    }
}

/// Packs registers into slots: a slot is free again after its last use.
struct Packer<'a> {
    ops: &'a [Op],
    order: Vec<usize>,
    ends: &'a [Register],
    equations: BTreeMap<usize, Equation>,
    last_use: Vec<usize>,
    slot_of: Vec<Slot>,
    free: Vec<Slot>,
    program: Program,
}

impl<'a> Packer<'a> {
    fn new(
        tape: &'a Tape,
        order: Vec<usize>,
        ends: &'a [Register],
        equations: BTreeMap<usize, Equation>,
    ) -> Self {
        let ops = &tape.ops;
        // What changes with an unknown belongs to the program of its equation.
        let mut inside = vec![false; ops.len()];
        for &at in &order {
            inside[at] = match ops[at] {
                Op::Unknown(_) => true,
                Op::Root { .. } => false,
                op => op.operands().any(|operand| inside[operand as usize]),
            };
        }
        let order: Vec<usize> = order.into_iter().filter(|&at| !inside[at]).collect();
        let program = Program {
            steps: Vec::new(),
            slots: 0,
            outputs: Vec::new(),
            inputs: Vec::new(),
            roots: Vec::new(),
        };
        let mut packer = Self {
            ops,
            order: Vec::new(),
            ends,
            equations,
            last_use: vec![0; ops.len()],
            slot_of: vec![0; ops.len()],
            free: Vec::new(),
            program,
        };
        for &register in &order {
            for operand in packer.operands(register) {
                packer.last_use[operand as usize] = register;
            }
        }
        for &end in ends {
            packer.last_use[end as usize] = usize::MAX;
        }
        packer.order = order;
        packer
    }

    fn operands(&self, register: usize) -> Vec<Register> {
        match self.equations.get(&register) {
            Some(equation) => equation.operands().collect(),
            None => self.ops[register].operands().collect(),
        }
    }

    fn pack(mut self) -> Program {
        for register in self.order.clone() {
            let constant = matches!(self.ops[register], Op::Constant(_));
            if constant && !self.needs_slot(register) {
                continue;
            }
            let operands = self.operands(register);
            let step = self.step(register);
            let slot = self.free.pop().unwrap_or_else(|| {
                self.program.slots += 1;
                self.program.slots - 1
            });
            self.slot_of[register] = slot;
            self.program.steps.push((step, slot));
            let mut released: Vec<Slot> = operands
                .into_iter()
                .filter(|&at| self.last_use[at as usize] == register)
                .filter(|&at| self.has_slot(at as usize))
                .map(|at| self.slot_of[at as usize])
                .collect();
            released.sort_unstable();
            released.dedup();
            self.free.append(&mut released);
        }
        let slot = |&end: &Register| self.slot_of[end as usize];
        self.program.outputs = self.ends.iter().map(slot).collect();
        self.program
    }

    fn constant(&self, register: Register) -> Option<f64> {
        match self.ops[register as usize] {
            Op::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn has_slot(&self, register: usize) -> bool {
        !matches!(self.ops[register], Op::Constant(_)) || self.needs_slot(register)
    }

    /// Whether a constant is used other than as one operand beside a variable.
    fn needs_slot(&self, constant: usize) -> bool {
        self.last_use[constant] == usize::MAX
            || self.order.iter().any(|&user| {
                let uses = self.ops[user].operands().any(|at| at as usize == constant);
                uses && !matches!(self.ops[user], Op::Binary(_, a, b)
                    if self.constant(a).is_none() || self.constant(b).is_none())
            })
    }

    fn step(&mut self, register: usize) -> Step {
        let slot = |register: Register| self.slot_of[register as usize];
        match self.ops[register] {
            Op::Constant(bits) => Step::Constant(f64::from_bits(bits)),
            Op::Input(index) => {
                self.program.inputs.push(index);
                Step::Input(self.program.inputs.len() - 1)
            }
            Op::Unary(unary, a) => Step::Unary(unary, slot(a)),
            Op::Binary(binary, a, b) => match (self.constant(a), self.constant(b)) {
                (None, Some(number)) => Step::Right(binary, slot(a), number),
                (Some(number), None) => Step::Left(binary, number, slot(b)),
                _ => Step::Binary(binary, slot(a), slot(b)),
            },
            Op::PowInt(a, 2) => Step::Square(slot(a)),
            Op::PowInt(a, n) => Step::PowInt(slot(a), n),
            Op::Select(condition, a, b) => Step::Select(slot(condition), slot(a), slot(b)),
            Op::Root { .. } => {
                let Some(equation) = self.equations.remove(&register) else {
                    return Step::Constant(f64::NAN);
                };
                let slots = |registers: Vec<Register>| registers.into_iter().map(slot).collect();
                self.program.roots.push(LaneRoot {
                    start: slot(equation.start),
                    inputs: slots(equation.inputs),
                    sequence: equation.sequence,
                    newton: equation
                        .newton
                        .map(|newton| (newton.program, slots(newton.leaves))),
                });
                Step::Root(self.program.roots.len() - 1)
            }
            // Inside an equation only.
            Op::Unknown(_) => Step::Constant(f64::NAN),
        }
    }
}

impl Program {
    /// The program of some registers of a tape without equations.
    pub fn straight(tape: &Tape, ends: &[Register]) -> Self {
        let mut needed = vec![false; tape.ops.len()];
        for &end in ends {
            for register in tape.needed_for(end) {
                needed[register as usize] = true;
            }
        }
        let order = (0..needed.len()).filter(|&at| needed[at]).collect();
        Packer::new(tape, order, ends, BTreeMap::new()).pack()
    }

    pub fn registers(&self) -> Registers {
        let zeros = |slots: usize| vec![vec![0.0; CHUNK]; slots];
        let equations = self.roots.iter().map(|root| {
            let newton = root.newton.as_ref();
            zeros(newton.map_or(0, |(program, _)| program.slots))
        });
        Registers {
            slots: zeros(self.slots),
            equations: equations.collect(),
        }
    }

    /// Indices in the model of the inputs that the program draws.
    pub fn inputs(&self) -> &[u32] {
        &self.inputs
    }

    /// Slots of the outputs, in the order in which they were asked for.
    pub fn outputs(&self) -> &[Slot] {
        &self.outputs
    }

    /// One chunk of trials; `draw` fills the chunk of an input, given by its position in
    /// [`Program::inputs`]. Outputs without a finite value are NaN or infinite.
    #[inline(always)]
    pub fn run(&self, registers: &mut Registers, mut draw: impl FnMut(usize, &mut [f64; CHUNK])) {
        let Registers { slots, equations } = registers;
        for &(step, to) in &self.steps {
            let mut taken = std::mem::take(&mut slots[to]);
            if let Some(out) = taken.first_chunk_mut() {
                match step {
                    Step::Input(input) => draw(input, out),
                    Step::Root(at) => self.roots[at].solve(slots, &mut equations[at], out),
                    _ => compute(step, slots, out),
                }
            }
            slots[to] = taken;
        }
    }

    /// As [`Program::run`], of a program without equations.
    #[inline(always)]
    pub fn run_straight(
        &self,
        slots: &mut [Vec<f64>],
        mut draw: impl FnMut(usize, &mut [f64; CHUNK]),
    ) {
        for &(step, to) in &self.steps {
            let mut taken = std::mem::take(&mut slots[to]);
            if let Some(out) = taken.first_chunk_mut() {
                match step {
                    Step::Input(input) => draw(input, out),
                    _ => compute(step, slots, out),
                }
            }
            slots[to] = taken;
        }
    }
}

#[inline(always)]
fn compute(step: Step, slots: &[Vec<f64>], out: &mut [f64; CHUNK]) {
    let lane = |slot: Slot| chunk(&slots[slot]);
    match step {
        Step::Input(_) | Step::Root(_) => {}
        Step::Constant(number) => out.fill(number),
        Step::Unary(unary, a) => apply_unary(unary, lane(a), out),
        Step::Binary(binary, a, b) => {
            let b = lane(b);
            apply_binary(
                binary,
                lane(a),
                #[inline(always)]
                |at| b[at],
                out,
            );
        }
        Step::Right(binary, a, number) => apply_binary(
            binary,
            lane(a),
            #[inline(always)]
            |_| number,
            out,
        ),
        Step::Left(binary, number, b) => {
            let b = lane(b);
            apply_left(binary, number, b, out);
        }
        Step::Square(a) => one(
            lane(a),
            out,
            #[inline(always)]
            |x| x * x,
        ),
        Step::PowInt(a, n) => one(
            lane(a),
            out,
            #[inline(always)]
            |x| pow_int(x, n),
        ),
        Step::Select(condition, a, b) => {
            let (condition, a, b) = (lane(condition), lane(a), lane(b));
            for at in 0..CHUNK {
                out[at] = super::tape::select(condition[at], a[at], b[at]);
            }
        }
    }
}

/// Each arm names its function, so that each loop is compiled for it.
#[inline(always)]
fn apply_unary(unary: Unary, a: &[f64; CHUNK], out: &mut [f64; CHUNK]) {
    macro_rules! each {
        ($name:ident) => {
            one(
                a,
                out,
                #[inline(always)]
                |x| Unary::$name.apply(x),
            )
        };
    }
    match unary {
        Unary::Neg => each!(Neg),
        Unary::Sqrt => each!(Sqrt),
        Unary::Abs => each!(Abs),
        Unary::Exp => each!(Exp),
        Unary::Ln => each!(Ln),
        Unary::Log10 => each!(Log10),
        Unary::Sin => trigonometric(a, out, Unary::Sin, elementary::sin),
        Unary::Cos => trigonometric(a, out, Unary::Cos, elementary::cos),
        _ => one(a, out, |x| unary.apply(x)),
    }
}

/// The fast reduction for all, then the slow one for arguments beyond its reach.
#[inline(always)]
fn trigonometric(
    a: &[f64; CHUNK],
    out: &mut [f64; CHUNK],
    unary: Unary,
    reduced: impl Fn(f64) -> f64,
) {
    one(a, out, reduced);
    let mut far = false;
    for &x in a {
        far |= x.abs() > elementary::REDUCED;
    }
    if far {
        one(
            a,
            out,
            #[inline(always)]
            |x| unary.apply(x),
        );
    }
}

#[inline(always)]
fn apply_binary(
    binary: Binary,
    a: &[f64; CHUNK],
    b: impl Fn(usize) -> f64,
    out: &mut [f64; CHUNK],
) {
    macro_rules! each {
        ($name:ident) => {
            two(
                a,
                b,
                out,
                #[inline(always)]
                |x, y| Binary::$name.apply(x, y),
            )
        };
    }
    match binary {
        Binary::Add => each!(Add),
        Binary::Sub => each!(Sub),
        Binary::Mul => each!(Mul),
        Binary::Div => each!(Div),
        Binary::Min => each!(Min),
        Binary::Max => each!(Max),
        Binary::Less => each!(Less),
        Binary::LessEqual => each!(LessEqual),
        Binary::Pow | Binary::Atan2 => two(a, b, out, |x, y| binary.apply(x, y)),
    }
}

#[inline(always)]
fn apply_left(binary: Binary, number: f64, b: &[f64; CHUNK], out: &mut [f64; CHUNK]) {
    macro_rules! each {
        ($name:ident) => {
            one(
                b,
                out,
                #[inline(always)]
                |y| Binary::$name.apply(number, y),
            )
        };
    }
    match binary {
        Binary::Add => each!(Add),
        Binary::Mul => each!(Mul),
        Binary::Sub => each!(Sub),
        Binary::Div => each!(Div),
        _ => one(b, out, |y| binary.apply(number, y)),
    }
}

#[inline(always)]
fn one(a: &[f64; CHUNK], out: &mut [f64; CHUNK], f: impl Fn(f64) -> f64) {
    for at in 0..CHUNK {
        out[at] = f(a[at]);
    }
}

#[inline(always)]
fn two(
    a: &[f64; CHUNK],
    b: impl Fn(usize) -> f64,
    out: &mut [f64; CHUNK],
    f: impl Fn(f64, f64) -> f64,
) {
    for at in 0..CHUNK {
        out[at] = f(a[at], b(at));
    }
}
