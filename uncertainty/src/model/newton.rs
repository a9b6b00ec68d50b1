//! Implicit equations for many trials at once.
//!
//! The equation and its slope become one program without branches (reverse differentiation,
//! written out operation by operation with the arithmetic of [`Sequence`]), on which all
//! trials of a chunk take Newton's whole steps together. A trial that needs more than that
//! (a halved step, a change of sign looked for, an `if` exactly where it changes) is solved
//! alone, as [`find_root`](super::root::find_root) does: every trial gets the bits that
//! [`Model::eval`](super::Model::eval) gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evaluate::Sequence;
use super::lanes::{CHUNK, Program, Slot, chunk};
use super::root::{NEWTON_STEPS, SETTLED};
use super::tape::{Binary, Op, Place, Register, Tape, Unary};

/// An equation as the model has it.
#[derive(Debug)]
pub struct Equation {
    pub start: Register,
    /// Registers of the inputs on which the root depends.
    pub inputs: Vec<Register>,
    /// The root alone, for a trial that is solved alone.
    pub sequence: Arc<Sequence>,
    pub newton: Option<Newton>,
}

/// The program of an equation and its slope.
#[derive(Debug)]
pub struct Newton {
    pub program: Program,
    /// What the equation uses from outside: the inputs of the program behind the unknown.
    pub leaves: Vec<Register>,
}

impl Equation {
    /// What must be known before the root.
    pub fn operands(&self) -> impl Iterator<Item = Register> + '_ {
        let leaves = self.newton.iter().flat_map(|newton| &newton.leaves);
        [self.start]
            .into_iter()
            .chain(self.inputs.iter().copied())
            .chain(leaves.copied())
    }
}

impl Newton {
    /// None where the equation has an operation whose slope is not written out here.
    pub fn new(tape: &Tape, equation: Register, unknown: Register) -> Option<Self> {
        let body: Vec<Register> = {
            let mut depends = vec![false; tape.ops.len()];
            depends[unknown as usize] = true;
            let needed = tape.needed_for(equation);
            needed
                .into_iter()
                .filter(|&register| {
                    let op = tape.ops[register as usize];
                    depends[register as usize] |= op.operands().any(|at| depends[at as usize]);
                    depends[register as usize] && register != unknown
                })
                .collect()
        };
        let mut writer = Writer::new(tape, unknown);
        for &register in &body {
            writer.copy(register);
        }
        writer.adjoints.insert(equation, writer.one);
        for &register in body.iter().rev() {
            if let Some(adjoint) = writer.adjoints.remove(&register) {
                writer.pull(register, adjoint)?;
            }
        }
        let zero = writer.number(0.0);
        let slope = writer.adjoints.get(&unknown).copied().unwrap_or(zero);
        let poisons = std::mem::take(&mut writer.poisons);
        let slope = poisons
            .into_iter()
            .fold(slope, |sum, poison| writer.binary(Binary::Add, sum, poison));
        let value = *writer.copies.get(&equation)?;
        Some(Self {
            program: Program::straight(&writer.tape, &[value, slope]),
            leaves: writer.leaves,
        })
    }
}

/// Writes an equation and its slope on a tape of its own.
struct Writer<'a> {
    from: &'a Tape,
    tape: Tape,
    place: Place,
    one: Register,
    unknown: Register,
    /// Registers of the model and their copies.
    copies: BTreeMap<Register, Register>,
    leaves: Vec<Register>,
    /// By registers of the model.
    adjoints: BTreeMap<Register, Register>,
    /// Zero, or NaN where an operation has no slope.
    poisons: Vec<Register>,
}

impl<'a> Writer<'a> {
    fn new(from: &'a Tape, unknown: Register) -> Self {
        let place = Place {
            line: 0,
            column: 0,
            formula: None,
        };
        let mut tape = Tape::default();
        let one = tape.constant(1.0, place);
        let copy = tape.push(Op::Input(0), place);
        Self {
            from,
            tape,
            place,
            one,
            unknown,
            copies: BTreeMap::from([(unknown, copy)]),
            leaves: Vec::new(),
            adjoints: BTreeMap::new(),
            poisons: Vec::new(),
        }
    }

    fn push(&mut self, op: Op) -> Register {
        self.tape.push(op, self.place)
    }

    fn number(&mut self, value: f64) -> Register {
        self.tape.constant(value, self.place)
    }

    fn binary(&mut self, binary: Binary, a: Register, b: Register) -> Register {
        self.push(Op::Binary(binary, a, b))
    }

    fn operand(&mut self, register: Register) -> Register {
        if let Some(&copy) = self.copies.get(&register) {
            return copy;
        }
        let copy = if let Some(number) = self.from.constant_at(register) {
            self.number(number)
        } else {
            self.leaves.push(register);
            let index = Register::try_from(self.leaves.len()).unwrap_or(Register::MAX);
            self.push(Op::Input(index))
        };
        self.copies.insert(register, copy);
        copy
    }

    /// Takes an operation that changes with the unknown over, after its operands.
    fn copy(&mut self, register: Register) {
        let op = self.from.ops[register as usize];
        let mut to = |at: Register| self.operand(at);
        let op = match op {
            Op::Unary(function, a) => Op::Unary(function, to(a)),
            Op::Binary(function, a, b) => Op::Binary(function, to(a), to(b)),
            Op::PowInt(a, n) => Op::PowInt(to(a), n),
            Op::Select(condition, a, b) => Op::Select(to(condition), to(a), to(b)),
            other => other,
        };
        let copy = self.push(op);
        self.copies.insert(register, copy);
    }

    /// Adds to the adjoint of an operand; those of what does not change are not wanted.
    fn add(&mut self, operand: Register, adjoint: Register, slope: Register) {
        let changes = operand == self.unknown
            || self.copies.contains_key(&operand)
                && self.from.constant_at(operand).is_none()
                && !self.leaves.contains(&operand);
        if !changes {
            return;
        }
        let term = if adjoint == self.one {
            slope
        } else if slope == self.one {
            adjoint
        } else {
            self.binary(Binary::Mul, adjoint, slope)
        };
        let sum = match self.adjoints.get(&operand) {
            Some(&sum) => self.binary(Binary::Add, sum, term),
            None => term,
        };
        self.adjoints.insert(operand, sum);
    }

    /// As [`Sequence`] carries an adjoint on, operation by operation.
    fn pull(&mut self, register: Register, adjoint: Register) -> Option<()> {
        let result = self.operand(register);
        match self.from.ops[register as usize] {
            Op::Unary(function, a) => {
                let x = self.operand(a);
                let slope = self.slope(function, x, result)?;
                self.add(a, adjoint, slope);
            }
            Op::PowInt(a, n) if n != 0 => {
                let x = self.operand(a);
                let power = self.push(Op::PowInt(x, n - 1));
                let exponent = self.number(f64::from(n));
                let slope = self.binary(Binary::Mul, exponent, power);
                self.add(a, adjoint, slope);
            }
            Op::Binary(function, a, b) => self.pull_binary(function, [a, b], result, adjoint)?,
            Op::Select(condition, a, b) => {
                self.poison_jumps(condition);
                let condition = self.operand(condition);
                self.choose(condition, [a, b], adjoint);
            }
            Op::PowInt(..) | Op::Constant(_) | Op::Input(_) | Op::Unknown(_) | Op::Root { .. } => {}
        }
        Some(())
    }

    fn slope(&mut self, function: Unary, x: Register, result: Register) -> Option<Register> {
        Some(match function {
            Unary::Neg => self.number(-1.0),
            Unary::Exp => result,
            Unary::Ln => self.binary(Binary::Div, self.one, x),
            Unary::Sqrt => {
                let half = self.number(0.5);
                self.binary(Binary::Div, half, result)
            }
            Unary::Sin => self.push(Op::Unary(Unary::Cos, x)),
            Unary::Cos => {
                let sine = self.push(Op::Unary(Unary::Sin, x));
                self.push(Op::Unary(Unary::Neg, sine))
            }
            _ => return None,
        })
    }

    fn pull_binary(
        &mut self,
        function: Binary,
        [a, b]: [Register; 2],
        result: Register,
        adjoint: Register,
    ) -> Option<()> {
        let [x, y] = [a, b].map(|operand| self.operand(operand));
        match function {
            Binary::Add | Binary::Sub => {
                self.add(a, adjoint, self.one);
                let slope = match function {
                    Binary::Add => self.one,
                    _ => self.number(-1.0),
                };
                self.add(b, adjoint, slope);
            }
            Binary::Mul => {
                self.add(a, adjoint, y);
                self.add(b, adjoint, x);
            }
            Binary::Div => {
                let to_a = self.binary(Binary::Div, self.one, y);
                self.add(a, adjoint, to_a);
                let negative = self.push(Op::Unary(Unary::Neg, result));
                let to_b = self.binary(Binary::Div, negative, y);
                self.add(b, adjoint, to_b);
            }
            Binary::Min | Binary::Max => {
                self.poison_equal(x, y);
                let (low, high) = match function {
                    Binary::Min => (x, y),
                    _ => (y, x),
                };
                let first = self.binary(Binary::Less, low, high);
                self.choose(first, [a, b], adjoint);
            }
            // Constant but at the jump, which the `if` that it decides looks at.
            Binary::Less | Binary::LessEqual => {}
            Binary::Pow | Binary::Atan2 => return None,
        }
        Some(())
    }

    /// The adjoint goes to the first operand where the condition holds, else to the second.
    fn choose(&mut self, condition: Register, [a, b]: [Register; 2], adjoint: Register) {
        let zero = self.number(0.0);
        let to_a = self.push(Op::Select(condition, adjoint, zero));
        self.add(a, to_a, self.one);
        let to_b = self.push(Op::Select(condition, zero, adjoint));
        self.add(b, to_b, self.one);
    }

    fn poison_equal(&mut self, x: Register, y: Register) {
        let difference = self.binary(Binary::Sub, x, y);
        let zero = self.number(0.0);
        let poison = self.binary(Binary::Div, zero, difference);
        self.poisons.push(poison);
    }

    /// An `if` has no slope where one of its comparisons changes.
    fn poison_jumps(&mut self, condition: Register) {
        let mut open = vec![condition];
        while let Some(at) = open.pop() {
            match self.from.ops[at as usize] {
                Op::Binary(Binary::Less | Binary::LessEqual, a, b) => {
                    let [x, y] = [a, b].map(|operand| self.operand(operand));
                    self.poison_equal(x, y);
                }
                op => open.extend(op.operands()),
            }
        }
    }
}

/// An equation with the places of what it uses.
#[derive(Debug, Clone)]
pub struct LaneRoot {
    pub start: Slot,
    pub inputs: Vec<Slot>,
    pub sequence: Arc<Sequence>,
    pub newton: Option<(Program, Vec<Slot>)>,
}

type Lane = [f64; CHUNK];

impl LaneRoot {
    /// Fills `out` with the roots, NaN where there is none; `own` are the registers of the
    /// program of the equation.
    #[inline(always)]
    pub fn solve(&self, slots: &[Vec<f64>], own: &mut [Vec<f64>], out: &mut Lane) {
        let left = match &self.newton {
            Some((program, leaves)) => {
                *out = *chunk(&slots[self.start]);
                whole_steps(
                    #[inline(always)]
                    |x| {
                        program.run_straight(
                            own,
                            #[inline(always)]
                            |input, lane| {
                                *lane = match program.inputs()[input] as usize {
                                    0 => *x,
                                    leaf => *chunk(&slots[leaves[leaf - 1]]),
                                };
                            },
                        );
                        let outputs = program.outputs();
                        [*chunk(&own[outputs[0]]), *chunk(&own[outputs[1]])]
                    },
                    out,
                )
            }
            None => [true; CHUNK],
        };
        if left.contains(&true) {
            self.one_by_one(slots, &left, out);
        }
    }

    #[cold]
    fn one_by_one(&self, slots: &[Vec<f64>], left: &[bool; CHUNK], out: &mut Lane) {
        let mut workspace = self.sequence.workspace();
        for trial in 0..CHUNK {
            if left[trial] {
                for (at, &slot) in self.inputs.iter().enumerate() {
                    workspace.set_input(&self.sequence, at, slots[slot][trial]);
                }
                self.sequence.forward(&mut workspace);
                out[trial] = workspace.output(&self.sequence, 0);
            }
        }
    }
}

/// Newton's method as long as whole steps lower |f| in a trial, from `x` to its root; `at`
/// gives f and its slope. Says which trials need more.
#[inline(always)]
fn whole_steps(mut at: impl FnMut(&Lane) -> [Lane; 2], x: &mut Lane) -> [bool; CHUNK] {
    let [mut f, mut slope] = at(x);
    let mut open = [true; CHUNK];
    let mut left = [false; CHUNK];
    for trial in 0..CHUNK {
        open[trial] = x[trial].is_finite();
        left[trial] = !open[trial];
    }
    for _ in 0..NEWTON_STEPS {
        let (mut next, mut settled, mut any) = (*x, [false; CHUNK], false);
        for trial in 0..CHUNK {
            let step = -f[trial] / slope[trial];
            let to = x[trial] + step;
            settled[trial] = to == x[trial] || step.abs() <= SETTLED * x[trial].abs();
            let found = f[trial] == 0.0 || to == x[trial];
            left[trial] |= open[trial] && !found && !step.is_finite();
            open[trial] &= !found && step.is_finite();
            next[trial] = if open[trial] { to } else { x[trial] };
            any |= open[trial];
        }
        if !any {
            return left;
        }
        let [next_f, next_slope] = at(&next);
        for trial in 0..CHUNK {
            let falls = next_f[trial].abs() < f[trial].abs();
            let ends = settled[trial] && next_f[trial].is_finite();
            left[trial] |= open[trial] && !falls && !ends;
            open[trial] &= falls;
            x[trial] = if open[trial] { next[trial] } else { x[trial] };
            f[trial] = if open[trial] { next_f[trial] } else { f[trial] };
            slope[trial] = if open[trial] {
                next_slope[trial]
            } else {
                slope[trial]
            };
        }
    }
    for trial in 0..CHUNK {
        left[trial] |= open[trial];
    }
    left
}
