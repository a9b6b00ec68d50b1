//! The compiled model: a list of operations, each on results of earlier ones.
//!
//! Equal operations on equal operands are stored once, operations on constants are done at
//! once. Neither changes a bit of any result.

use std::collections::BTreeMap;

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
}

impl Unary {
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Neg => -x,
            Self::Exp => libm::exp(x),
            Self::Ln => libm::log(x),
            Self::Log10 => libm::log10(x),
            Self::Sqrt => x.sqrt(),
            Self::Abs => x.abs(),
            Self::Sin => libm::sin(x),
            Self::Cos => libm::cos(x),
        }
    }

    /// dy/dx from the operand and the result; none where it does not exist.
    pub fn slope(self, x: f64, y: f64) -> Option<f64> {
        match self {
            Self::Neg => Some(-1.0),
            Self::Exp => Some(y),
            Self::Ln => Some(1.0 / x),
            Self::Log10 => Some(1.0 / (x * std::f64::consts::LN_10)),
            Self::Sqrt => (x > 0.0).then(|| 0.5 / y),
            Self::Abs => (x != 0.0).then(|| if x > 0.0 { 1.0 } else { -1.0 }),
            Self::Sin => Some(libm::cos(x)),
            Self::Cos => Some(-libm::sin(x)),
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
        ]
        .into_iter()
        .find(|unary| unary.word() == name)
    }

    /// Whether a finite operand can give something that is not finite.
    pub const fn has_domain(self) -> bool {
        matches!(self, Self::Exp | Self::Ln | Self::Log10 | Self::Sqrt)
    }
}

impl Binary {
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Pow => libm::pow(a, b),
            // A NaN must come through: it is found at the result.
            Self::Min => {
                if a < b || a.is_nan() {
                    a
                } else {
                    b
                }
            }
            Self::Max => {
                if a > b || a.is_nan() {
                    a
                } else {
                    b
                }
            }
        }
    }

    /// (dy/da, dy/db); none where the derivative does not exist. `b_varies` says whether
    /// the second operand depends on an input: of (−2)^1.0 only the base has a slope.
    pub fn slopes(self, a: f64, b: f64, y: f64, b_varies: bool) -> Option<(f64, f64)> {
        Some(match self {
            Self::Add => (1.0, 1.0),
            Self::Sub => (1.0, -1.0),
            Self::Mul => (b, a),
            Self::Div => (1.0 / b, -y / b),
            Self::Pow => {
                let base = b * libm::pow(a, b - 1.0);
                let exponent = if b_varies { y * libm::log(a) } else { 0.0 };
                if !(base.is_finite() && exponent.is_finite()) {
                    return None;
                }
                (base, exponent)
            }
            Self::Min | Self::Max if a == b => return None,
            Self::Min => {
                if a < b {
                    (1.0, 0.0)
                } else {
                    (0.0, 1.0)
                }
            }
            Self::Max => {
                if a > b {
                    (1.0, 0.0)
                } else {
                    (0.0, 1.0)
                }
            }
        })
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
        }
    }

    /// The function of that name; operators are no functions.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Min, Self::Max]
            .into_iter()
            .find(|binary| binary.word() == name)
    }

    /// Whether finite operands can give something that is not finite, overflow of a sum or
    /// product apart (that is seen at the result).
    pub const fn has_domain(self) -> bool {
        matches!(self, Self::Div | Self::Pow)
    }
}

/// x^n by squaring: the order of the multiplications depends on n alone.
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
    if n < 0 { 1.0 / product } else { product }
}

impl Op {
    /// Registers of the operands.
    pub fn operands(self) -> impl Iterator<Item = Register> {
        let (first, second) = match self {
            Self::Constant(_) | Self::Input(_) => (None, None),
            Self::Unary(_, a) | Self::PowInt(a, _) => (Some(a), None),
            Self::Binary(_, a, b) => (Some(a), Some(b)),
        };
        first.into_iter().chain(second)
    }

    /// Whether a finite operand can give something that is not finite.
    pub const fn has_domain(self) -> bool {
        match self {
            Self::Constant(_) | Self::Input(_) => false,
            Self::Unary(unary, _) => unary.has_domain(),
            Self::Binary(binary, _, _) => binary.has_domain(),
            Self::PowInt(_, n) => n < 0,
        }
    }

    /// The value of this operation; `register` and `input` give the operands.
    pub fn apply(self, register: impl Fn(Register) -> f64, input: impl Fn(u32) -> f64) -> f64 {
        match self {
            Self::Constant(bits) => f64::from_bits(bits),
            Self::Input(index) => input(index),
            Self::Unary(unary, a) => unary.apply(register(a)),
            Self::Binary(binary, a, b) => binary.apply(register(a), register(b)),
            Self::PowInt(a, n) => pow_int(register(a), n),
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
        if matches!(op, Op::Constant(_) | Op::Input(_)) || !constants {
            return op;
        }
        let value = op.apply(|at| self.constant_at(at).unwrap_or(f64::NAN), |_| f64::NAN);
        if value.is_finite() {
            Op::Constant(value.to_bits())
        } else {
            op
        }
    }

    fn constant_at(&self, register: Register) -> Option<f64> {
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
