//! Running the tape: on one set of values, backwards for derivatives, and on lanes.

use super::tape::{Binary, Op, Register, Tape, Unary, pow_int};
use super::{EvalError, Model};

/// Trials computed side by side; wide enough for the compiler to use vector registers.
const LANES: usize = 64;

type Lane = [f64; LANES];

impl Model {
    /// Values of all registers in `program`; the others stay 0.
    pub(super) fn forward(
        &self,
        program: &[Register],
        input: impl Fn(u32) -> f64,
    ) -> Result<Vec<f64>, EvalError> {
        let mut values = vec![0.0; self.tape.ops.len()];
        for &register in program {
            let op = self.tape.ops[register as usize];
            let value = op.apply(|at| values[at as usize], &input);
            if op.has_domain() && !value.is_finite() {
                return Err(self.domain_error(register, |at| values[at as usize]));
            }
            values[register as usize] = value;
        }
        if let Some(&last) = program.last()
            && !values[last as usize].is_finite()
        {
            return Err(self.domain_error(last, |at| values[at as usize]));
        }
        Ok(values)
    }

    /// Reverse sweep: derivatives of the last register of `program` to all inputs.
    pub(super) fn backward(
        &self,
        program: &[Register],
        values: &[f64],
    ) -> Result<Vec<f64>, EvalError> {
        let mut gradient = vec![0.0; self.inputs.len()];
        let mut adjoints = vec![0.0; self.tape.ops.len()];
        let varies = self.varying(program);
        if let Some(&last) = program.last() {
            adjoints[last as usize] = 1.0;
        }
        for &register in program.iter().rev() {
            let adjoint = adjoints[register as usize];
            // An operation that the result does not feel has no say, even where its own
            // derivative does not exist.
            if adjoint == 0.0 || !varies[register as usize] {
                continue;
            }
            let value = |at: Register| values[at as usize];
            let refuse = || self.kink(register, value);
            match self.tape.ops[register as usize] {
                Op::Constant(_) => {}
                Op::Input(index) => gradient[index as usize] += adjoint,
                Op::Unary(unary, a) => {
                    let slope = unary.slope(value(a), value(register)).ok_or_else(refuse)?;
                    adjoints[a as usize] += adjoint * slope;
                }
                Op::PowInt(a, n) => {
                    let slope = if n == 0 {
                        0.0
                    } else {
                        f64::from(n) * pow_int(value(a), n - 1)
                    };
                    adjoints[a as usize] += adjoint * slope;
                }
                Op::Binary(binary, a, b) => {
                    let (to_a, to_b) = binary
                        .slopes(value(a), value(b), value(register), varies[b as usize])
                        .ok_or_else(refuse)?;
                    adjoints[a as usize] += adjoint * to_a;
                    adjoints[b as usize] += adjoint * to_b;
                }
            }
        }
        if let Some(index) = gradient.iter().position(|slope| !slope.is_finite()) {
            let last = program.last().copied().unwrap_or_default();
            let mut error = self.kink(last, |at| values[at as usize]);
            if let EvalError::NotDifferentiable { operation, .. } = &mut error {
                *operation = format!("derivative to {}", self.inputs[index]);
            }
            return Err(error);
        }
        Ok(gradient)
    }

    /// Which registers depend on an input.
    fn varying(&self, program: &[Register]) -> Vec<bool> {
        let mut varies = vec![false; self.tape.ops.len()];
        for &register in program {
            let op = self.tape.ops[register as usize];
            varies[register as usize] =
                matches!(op, Op::Input(_)) || op.operands().any(|at| varies[at as usize]);
        }
        varies
    }

    /// Fills `out`; `columns` hold the values of the inputs, all as long as `out`.
    /// The error of the first trial that fails, by its index, is the one of `forward`.
    pub(super) fn lanes(
        &self,
        program: &[Register],
        columns: &[&[f64]],
        out: &mut [f64],
    ) -> Result<(), EvalError> {
        let Some(&last) = program.last() else {
            return Ok(());
        };
        let mut registers = vec![[0.0; LANES]; last as usize + 1];
        for &register in program {
            if let Op::Constant(bits) = self.tape.ops[register as usize] {
                registers[register as usize] = [f64::from_bits(bits); LANES];
            }
        }
        for (chunk, out) in out.chunks_mut(LANES).enumerate() {
            let first = chunk * LANES;
            let mut sound = true;
            for &register in program {
                let (done, rest) = registers.split_at_mut(register as usize);
                let op = self.tape.ops[register as usize];
                run(op, done, &mut rest[0], |index| {
                    &columns[index as usize][first..first + out.len()]
                });
                if op.has_domain() {
                    sound &= is_finite(&rest[0][..out.len()]);
                }
            }
            out.copy_from_slice(&registers[last as usize][..out.len()]);
            if !(sound && is_finite(out)) {
                (first..first + out.len()).try_for_each(|trial| {
                    self.forward(program, |index| columns[index as usize][trial])
                        .map(drop)
                })?;
            }
        }
        Ok(())
    }

    fn domain_error(&self, register: Register, value: impl Fn(Register) -> f64) -> EvalError {
        let (line, column, operation) = self.describe(register, value);
        EvalError::Domain {
            line,
            column,
            operation,
        }
    }

    fn kink(&self, register: Register, value: impl Fn(Register) -> f64) -> EvalError {
        let (line, column, operation) = self.describe(register, value);
        EvalError::NotDifferentiable {
            line,
            column,
            operation,
        }
    }

    /// Place and wording of an operation with its operands: `ln(-0.2)`.
    fn describe(
        &self,
        register: Register,
        value: impl Fn(Register) -> f64,
    ) -> (usize, usize, String) {
        let place = self.tape.places[register as usize];
        let mut operation = match self.tape.ops[register as usize] {
            Op::Constant(bits) => f64::from_bits(bits).to_string(),
            Op::Input(index) => format!("input {}", self.inputs[index as usize]),
            Op::Unary(unary, a) => format!("{}({})", unary.word(), value(a)),
            Op::Binary(binary @ (Binary::Min | Binary::Max), a, b) => {
                format!("{}({}, {})", binary.word(), value(a), value(b))
            }
            Op::Binary(binary, a, b) => format!("({}) {} ({})", value(a), binary.word(), value(b)),
            Op::PowInt(a, n) => format!("({})^{n}", value(a)),
        };
        if let Some(formula) = place.formula {
            operation.push_str(" in the formula ");
            operation.push_str(&self.formulas[formula].name);
        }
        (place.line, place.column, operation)
    }
}

/// Values of all registers that can be computed from the inputs that are known.
pub fn known_values(tape: &Tape, input: impl Fn(u32) -> Option<f64>) -> Vec<Option<f64>> {
    let mut values: Vec<Option<f64>> = vec![None; tape.ops.len()];
    for (register, &op) in tape.ops.iter().enumerate() {
        values[register] = match op {
            Op::Input(index) => input(index),
            _ if op.operands().all(|at| values[at as usize].is_some()) => {
                Some(op.apply(|at| values[at as usize].unwrap_or(f64::NAN), |_| f64::NAN))
            }
            _ => None,
        };
    }
    values
}

/// Without branches, so that it costs next to nothing: x·0 is NaN exactly where x is not finite.
fn is_finite(values: &[f64]) -> bool {
    values.iter().map(|value| value * 0.0).sum::<f64>() == 0.0
}

/// One operation on all lanes. Each arm names its function, so that each loop is compiled
/// for it; the functions are those of the scalar path, hence the same bits.
fn run<'c>(op: Op, done: &[Lane], out: &mut Lane, column: impl Fn(u32) -> &'c [f64]) {
    let lane = |register: Register| &done[register as usize];
    match op {
        Op::Constant(_) => {}
        Op::Input(index) => {
            let column = column(index);
            out[..column.len()].copy_from_slice(column);
        }
        Op::PowInt(a, 2) => one(lane(a), out, |x| pow_int(x, 2)),
        Op::PowInt(a, n) => one(lane(a), out, |x| pow_int(x, n)),
        Op::Unary(unary, a) => match unary {
            Unary::Neg => one(lane(a), out, |x| Unary::Neg.apply(x)),
            Unary::Sqrt => one(lane(a), out, |x| Unary::Sqrt.apply(x)),
            Unary::Abs => one(lane(a), out, |x| Unary::Abs.apply(x)),
            Unary::Exp => one(lane(a), out, |x| Unary::Exp.apply(x)),
            Unary::Ln => one(lane(a), out, |x| Unary::Ln.apply(x)),
            Unary::Log10 | Unary::Sin | Unary::Cos => one(lane(a), out, |x| unary.apply(x)),
        },
        Op::Binary(binary, a, b) => match binary {
            Binary::Add => two(lane(a), lane(b), out, |x, y| Binary::Add.apply(x, y)),
            Binary::Sub => two(lane(a), lane(b), out, |x, y| Binary::Sub.apply(x, y)),
            Binary::Mul => two(lane(a), lane(b), out, |x, y| Binary::Mul.apply(x, y)),
            Binary::Div => two(lane(a), lane(b), out, |x, y| Binary::Div.apply(x, y)),
            Binary::Pow | Binary::Min | Binary::Max => {
                two(lane(a), lane(b), out, |x, y| binary.apply(x, y));
            }
        },
    }
}

#[inline]
fn one(a: &Lane, out: &mut Lane, f: impl Fn(f64) -> f64) {
    for (out, &a) in out.iter_mut().zip(a) {
        *out = f(a);
    }
}

#[inline]
fn two(a: &Lane, b: &Lane, out: &mut Lane, f: impl Fn(f64, f64) -> f64) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = f(a, b);
    }
}
