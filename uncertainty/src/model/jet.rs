//! Numbers that carry derivatives through the sweeps of [`Sequence`](super::Sequence).

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::tape::{Binary, Unary, pow_int, select};

/// What a sweep computes with: plain numbers for values and gradients, [`Jet`]s for the
/// derivatives of the gradient along a direction. The value of every result has the same
/// bits for all of them.
pub trait Scalar:
    Copy
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Number of derivatives carried.
    const ORDER: usize;

    fn constant(value: f64) -> Self;
    fn value(self) -> f64;
    /// Exactly zero, with all derivatives.
    fn is_zero(self) -> bool;
    /// With all derivatives.
    fn is_finite(self) -> bool;
    fn unary(self, function: Unary) -> Self;
    /// Slope of `function` at this operand, where it gives `result`.
    fn slope(self, function: Unary, result: Self) -> Option<Self>;
    fn binary(function: Binary, a: Self, b: Self) -> Self;
    fn select(condition: f64, a: Self, b: Self) -> Self;
    fn power(self, exponent: Self) -> Self;
    fn whole_power(self, n: i32) -> Self;
}

impl Scalar for f64 {
    const ORDER: usize = 0;

    #[inline]
    fn constant(value: f64) -> Self {
        value
    }

    #[inline]
    fn value(self) -> f64 {
        self
    }

    #[inline]
    fn is_zero(self) -> bool {
        self == 0.0
    }

    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }

    #[inline]
    fn unary(self, function: Unary) -> Self {
        function.apply(self)
    }

    #[inline]
    fn slope(self, function: Unary, result: Self) -> Option<Self> {
        function.derivatives(self, result).map(|[first, ..]| first)
    }

    #[inline]
    fn binary(function: Binary, a: Self, b: Self) -> Self {
        function.apply(a, b)
    }

    #[inline]
    fn select(condition: f64, a: Self, b: Self) -> Self {
        select(condition, a, b)
    }

    #[inline]
    fn power(self, exponent: Self) -> Self {
        Binary::Pow.apply(self, exponent)
    }

    #[inline]
    fn whole_power(self, n: i32) -> Self {
        pow_int(self, n)
    }
}

/// A value with its first and second derivative along one direction of the inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet {
    pub value: f64,
    pub first: f64,
    pub second: f64,
}

impl Jet {
    /// f(self) from the value and the first two derivatives of f. What does not change
    /// along the direction stays so, even where f has no derivative.
    fn through(self, value: f64, derivatives: Option<[f64; 2]>) -> Self {
        if self.first == 0.0 && self.second == 0.0 {
            return Self::constant(value);
        }
        let [f1, f2] = derivatives.unwrap_or([f64::NAN; 2]);
        Self {
            value,
            first: f1 * self.first,
            second: f1 * self.second + f2 * self.first * self.first,
        }
    }

    fn with_value(self, value: f64) -> Self {
        Self { value, ..self }
    }

    /// A function of two operands from its value and its slopes to them.
    fn through_slopes(value: f64, operands: [Self; 2], slopes: Option<(Self, Self)>) -> Self {
        let [a, b] = operands;
        let still = |jet: Self| jet.first == 0.0 && jet.second == 0.0;
        if still(a) && still(b) {
            return Self::constant(value);
        }
        let nan = Self::constant(f64::NAN);
        let (to_a, to_b) = slopes.unwrap_or((nan, nan));
        Self {
            value,
            first: to_a.value * a.first + to_b.value * b.first,
            second: to_a.value * a.second
                + to_a.first * a.first
                + to_b.value * b.second
                + to_b.first * b.first,
        }
    }
}

impl Scalar for Jet {
    const ORDER: usize = 2;

    fn constant(value: f64) -> Self {
        Self {
            value,
            first: 0.0,
            second: 0.0,
        }
    }

    fn value(self) -> f64 {
        self.value
    }

    fn is_zero(self) -> bool {
        self.value == 0.0 && self.first == 0.0 && self.second == 0.0
    }

    fn is_finite(self) -> bool {
        self.value.is_finite() && self.first.is_finite() && self.second.is_finite()
    }

    fn unary(self, function: Unary) -> Self {
        let value = function.apply(self.value);
        let derivatives = function.derivatives(self.value, value);
        self.through(value, derivatives.map(|[f1, f2, _]| [f1, f2]))
    }

    fn slope(self, function: Unary, result: Self) -> Option<Self> {
        let [f1, f2, f3] = function.derivatives(self.value, result.value)?;
        Some(self.through(f1, Some([f2, f3])))
    }

    fn binary(function: Binary, a: Self, b: Self) -> Self {
        let value = function.apply(a.value, b.value);
        match function {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => (a / b).with_value(value),
            Binary::Pow => a.power(b),
            Binary::Less | Binary::LessEqual => Self::constant(value),
            Binary::Min => (if a.value < b.value { a } else { b }).with_value(value),
            Binary::Max => (if a.value > b.value { a } else { b }).with_value(value),
            Binary::Atan2 => {
                let slopes = function.slopes(a, b, Self::constant(value), true);
                Self::through_slopes(value, [a, b], slopes)
            }
        }
    }

    fn select(condition: f64, a: Self, b: Self) -> Self {
        let taken = if condition == 0.0 { b } else { a };
        taken.with_value(select(condition, a.value, b.value))
    }

    fn power(self, exponent: Self) -> Self {
        let (x, p) = (self.value, exponent.value);
        let pow = |p: f64| Binary::Pow.apply(x, p);
        let value = pow(p);
        if exponent.first == 0.0 && exponent.second == 0.0 {
            // A factor 0 ends the series, also at x = 0 where the power is infinite.
            let term = |factor: f64, p: f64| if factor == 0.0 { 0.0 } else { factor * pow(p) };
            let derivatives = [term(p, p - 1.0), term(p * (p - 1.0), p - 2.0)];
            return self.through(value, Some(derivatives));
        }
        // x^p = exp(p·ln x), with the bits of x^p.
        (exponent * self.unary(Unary::Ln)).through(value, Some([value, value]))
    }

    fn whole_power(self, n: i32) -> Self {
        let term = |factor: i32, n: i32| match factor {
            0 => 0.0,
            _ => f64::from(factor) * pow_int(self.value, n),
        };
        let derivatives = [term(n, n - 1), term(n * (n - 1), n - 2)];
        self.through(pow_int(self.value, n), Some(derivatives))
    }
}

impl Add for Jet {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            first: self.first + other.first,
            second: self.second + other.second,
        }
    }
}

impl AddAssign for Jet {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Neg for Jet {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            value: -self.value,
            first: -self.first,
            second: -self.second,
        }
    }
}

impl Sub for Jet {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            value: self.value - other.value,
            first: self.first - other.first,
            second: self.second - other.second,
        }
    }
}

impl Mul for Jet {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self {
            value: self.value * other.value,
            first: self.first * other.value + self.value * other.first,
            second: self.second * other.value
                + 2.0 * self.first * other.first
                + self.value * other.second,
        }
    }
}

impl Div for Jet {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let first = (self.first - value * other.first) / other.value;
        let second = (self.second - 2.0 * first * other.first - value * other.second) / other.value;
        Self {
            value,
            first,
            second,
        }
    }
}
