//! The compiled model: a list of operations, each on results of earlier ones.
//!
//! Equal operations on equal operands are stored once, operations on constants are done at
//! once. Neither changes a bit of any result.

use std::collections::BTreeMap;

use crate::elementary::{self, finite};

/// Index of an operation and of its result.
pub type Register = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unary {
    Neg,
    Exp,
    Ln,
    Log10,
    Sqrt,
    Abs,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Atan2,
    /// 1 where a < b, else 0; the condition of a [`Op::Select`].
    Less,
    /// 1 where a ≤ b, else 0.
    LessEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// Bits of the number, so that operations can be compared and ordered.
    Constant(u64),
    /// Index of an input of the model.
    Input(u32),
    Unary(Unary, Register),
    Binary(Binary, Register, Register),
    /// Power with a whole exponent, by repeated multiplication.
    PowInt(Register, i32),
    /// The second operand where the first is not 0, else the third.
    Select(Register, Register, Register),
    /// The unknown of an implicit equation; its value comes from the [`Op::Root`] that
    /// solves the equation.
    Unknown(u32),
    /// The value of `unknown` (an [`Op::Unknown`]) at which `equation` is 0, near `start`.
    Root {
        equation: Register,
        unknown: Register,
        start: Register,
    },
}

impl Unary {
    /// NaN where there is no finite value. NaN flows through every operation to the
    /// result, unless an `if` does not take it.
    #[inline(always)]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Neg => -x,
            Self::Exp => elementary::exp(x),
            Self::Ln => elementary::ln(x),
            Self::Log10 => elementary::log10(x),
            Self::Sqrt => x.sqrt(),
            Self::Abs => x.abs(),
            Self::Sin if x.abs() > elementary::REDUCED => finite(libm::sin(x)),
            Self::Sin => elementary::sin(x),
            Self::Cos if x.abs() > elementary::REDUCED => finite(libm::cos(x)),
            Self::Cos => elementary::cos(x),
            Self::Tan => finite(libm::tan(x)),
            Self::Asin => finite(libm::asin(x)),
            Self::Acos => finite(libm::acos(x)),
            Self::Atan => libm::atan(finite(x)),
            Self::Sinh => finite(libm::sinh(x)),
            Self::Cosh => finite(libm::cosh(x)),
            Self::Tanh => libm::tanh(finite(x)),
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Neg => "-",
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Log10 => "log10",
            Self::Sqrt => "sqrt",
            Self::Abs => "abs",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Tan => "tan",
            Self::Asin => "asin",
            Self::Acos => "acos",
            Self::Atan => "atan",
            Self::Sinh => "sinh",
            Self::Cosh => "cosh",
            Self::Tanh => "tanh",
        }
    }

    /// The function of that name; the minus sign is no function.
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::Exp,
            Self::Ln,
            Self::Log10,
            Self::Sqrt,
            Self::Abs,
            Self::Sin,
            Self::Cos,
            Self::Tan,
            Self::Asin,
            Self::Acos,
            Self::Atan,
            Self::Sinh,
            Self::Cosh,
            Self::Tanh,
        ]
        .into_iter()
        .find(|unary| unary.word() == name)
    }
}

impl Binary {
    /// As [`Unary::apply`]: what could hide an infinite operand gives NaN instead.
    #[inline(always)]
    pub fn apply(self, a: f64, b: f64) -> f64 {
        let poison = a * 0.0 + b * 0.0;
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b + b * 0.0,
            Self::Pow => finite(libm::pow(a, b)) + poison,
            Self::Atan2 => libm::atan2(a, b) + poison,
            Self::Less => f64::from(u8::from(a < b)) + poison,
            Self::LessEqual => f64::from(u8::from(a <= b)) + poison,
            Self::Min => (if a < b { a } else { b }) + poison,
            Self::Max => (if a > b { a } else { b }) + poison,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Pow => "^",
            Self::Min => "min",
            Self::Max => "max",
            Self::Atan2 => "atan2",
            Self::Less => "<",
            Self::LessEqual => "<=",
        }
    }

    /// The function of that name; operators are no functions.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Min, Self::Max, Self::Atan2]
            .into_iter()
            .find(|binary| binary.word() == name)
    }
}

/// x^n by squaring: the order of the multiplications depends on n alone.
#[inline(always)]
pub fn pow_int(x: f64, n: i32) -> f64 {
    let mut left = n.unsigned_abs();
    let mut square = x;
    let mut product = 1.0;
    while left > 0 {
        if left & 1 == 1 {
            product *= square;
        }
        square *= square;
        left >>= 1;
    }
    if n < 0 {
        1.0 / product + x * 0.0
    } else {
        product
    }
}

/// `a` where the condition is not 0, else `b`.
#[inline(always)]
pub fn select(condition: f64, a: f64, b: f64) -> f64 {
    if condition == 0.0 {
        b
    } else {
        // A condition that is itself undefined.
        a + condition * 0.0
    }
}

impl Op {
    /// Registers of the operands.
    pub fn operands(self) -> impl Iterator<Item = Register> {
        let operands = match self {
            Self::Constant(_) | Self::Input(_) | Self::Unknown(_) => [None; 3],
            Self::Unary(_, a) | Self::PowInt(a, _) => [Some(a), None, None],
            Self::Binary(_, a, b) => [Some(a), Some(b), None],
            Self::Select(condition, a, b) => [Some(condition), Some(a), Some(b)],
            Self::Root {
                equation,
                unknown,
                start,
            } => [Some(equation), Some(unknown), Some(start)],
        };
        operands.into_iter().flatten()
    }

    /// The value of this operation; `register` and `input` give the operands.
    pub fn apply(self, register: impl Fn(Register) -> f64, input: impl Fn(u32) -> f64) -> f64 {
        match self {
            Self::Constant(bits) => f64::from_bits(bits),
            Self::Input(index) => input(index),
            Self::Unary(unary, a) => unary.apply(register(a)),
            Self::Binary(binary, a, b) => binary.apply(register(a), register(b)),
            Self::PowInt(a, n) => pow_int(register(a), n),
            Self::Select(condition, a, b) => select(register(condition), register(a), register(b)),
            // Until the equation is solved the unknown stands at its start; the solver
            // (evaluate.rs) works on a whole program, not on one operation.
            Self::Unknown(_) => f64::NAN,
            Self::Root { unknown, .. } => register(unknown),
        }
    }
}

/// Where an operation comes from in the text of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
    /// Index of the named formula that was called there.
    pub formula: Option<usize>,
}

/// Largest whole exponent done by multiplication; beyond it `pow` is as good.
const MAX_WHOLE_EXPONENT: f64 = 64.0;

#[derive(Debug, Clone, Default)]
pub struct Tape {
    pub ops: Vec<Op>,
    pub places: Vec<Place>,
    known: BTreeMap<Op, Register>,
}

impl Tape {
    pub fn constant(&mut self, value: f64, place: Place) -> Register {
        self.push(Op::Constant(value.to_bits()), place)
    }

    pub fn binary(&mut self, binary: Binary, a: Register, b: Register, place: Place) -> Register {
        if let (Binary::Pow, Some(exponent)) = (binary, self.constant_at(b))
            && exponent == exponent.round()
            && exponent.abs() <= MAX_WHOLE_EXPONENT
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole and at most 64")]
            return self.push(Op::PowInt(a, exponent as i32), place);
        }
        self.push(Op::Binary(binary, a, b), place)
    }

    pub fn push(&mut self, op: Op, place: Place) -> Register {
        let op = self.folded(op);
        if let Some(&register) = self.known.get(&op) {
            return register;
        }
        let register = Register::try_from(self.ops.len()).unwrap_or(Register::MAX);
        self.ops.push(op);
        self.places.push(place);
        self.known.insert(op, register);
        register
    }

    /// The constant that the operation gives, where all its operands are constants and the
    /// result is a number; otherwise the operation itself.
    fn folded(&self, op: Op) -> Op {
        let constants = op
            .operands()
            .all(|register| self.constant_at(register).is_some());
        if matches!(op, Op::Constant(_) | Op::Input(_) | Op::Unknown(_)) || !constants {
            return op;
        }
        let value = op.apply(|at| self.constant_at(at).unwrap_or(f64::NAN), |_| f64::NAN);
        if value.is_finite() {
            Op::Constant(value.to_bits())
        } else {
            op
        }
    }

    pub fn constant_at(&self, register: Register) -> Option<f64> {
        match self.ops[register as usize] {
            Op::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Operations that `result` depends on, in order.
    pub fn needed_for(&self, result: Register) -> Vec<Register> {
        let mut needed = vec![false; result as usize + 1];
        needed[result as usize] = true;
        for register in (0..=result).rev() {
            if needed[register as usize] {
                for operand in self.ops[register as usize].operands() {
                    needed[operand as usize] = true;
                }
            }
        }
        (0..=result)
            .filter(|&register| needed[register as usize])
            .collect()
    }
}
