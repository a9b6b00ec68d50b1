//! Arithmetic of about 32 digits: a number is the unevaluated sum of two.
//!
//! A fit loses as many digits as its design has in its condition number. Ten powers of one
//! quantity lose ten and more, so sixteen are too few; with 32, what is left is always more
//! than the data hold. Operations of T. J. Dekker, Numerische Mathematik 18 (1971) 224, with
//! the sum of D. E. Knuth; errors are a few units in the 31st digit.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `high` + `low`, where `high` is the sum rounded to one number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Twofold {
    high: f64,
    low: f64,
}

/// a + b exactly: the rounded sum and its error.
fn two_sum(a: f64, b: f64) -> Twofold {
    let high = a + b;
    let rest = high - a;
    let low = (a - (high - rest)) + (b - rest);
    Twofold { high, low }
}

/// The same for |a| ≥ |b|.
fn quick_two_sum(a: f64, b: f64) -> Twofold {
    let high = a + b;
    let low = b - (high - a);
    Twofold { high, low }
}

/// 26 and 27 digits of a binary number; beyond ±10³⁰⁰ it overflows.
fn split(a: f64) -> [f64; 2] {
    const SPLITTER: f64 = 134_217_729.0; // 2²⁷ + 1
    let scaled = SPLITTER * a;
    let high = scaled - (scaled - a);
    [high, a - high]
}

/// a·b exactly.
fn two_product(a: f64, b: f64) -> Twofold {
    let high = a * b;
    let ([a1, a2], [b1, b2]) = (split(a), split(b));
    let low = ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2;
    Twofold { high, low }
}

impl Twofold {
    pub const ZERO: Self = Self {
        high: 0.0,
        low: 0.0,
    };

    pub const ONE: Self = Self {
        high: 1.0,
        low: 0.0,
    };

    /// The nearest number of single length.
    pub const fn rounded(self) -> f64 {
        self.high
    }

    pub const fn is_finite(self) -> bool {
        self.high.is_finite() && self.low.is_finite()
    }

    /// Of a number of 0 or more.
    pub fn sqrt(self) -> Self {
        if self.high <= 0.0 {
            return Self::ZERO;
        }
        // One step of Newton's method doubles the digits of the root of single length.
        let root = self.high.sqrt();
        let rest = self - two_product(root, root);
        quick_two_sum(root, rest.high / (2.0 * root))
    }
}

impl From<f64> for Twofold {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Neg for Twofold {
    type Output = Self;

    fn neg(self) -> Self {
        let (high, low) = (-self.high, -self.low);
        Self { high, low }
    }
}

impl Add for Twofold {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (high, low) = (two_sum(self.high, other.high), two_sum(self.low, other.low));
        let sum = quick_two_sum(high.high, high.low + low.high);
        quick_two_sum(sum.high, sum.low + low.low)
    }
}

impl Sub for Twofold {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Twofold {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = two_product(self.high, other.high);
        let low = product.low + (self.high * other.low + self.low * other.high);
        quick_two_sum(product.high, low)
    }
}

impl Div for Twofold {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - other * Self::from(first);
        let second = rest.high / other.high;
        let rest = rest - other * Self::from(second);
        let sum = quick_two_sum(first, second);
        sum + Self::from(rest.high / other.high)
    }
}

/// Σ a·b in the order of the lists.
pub fn dot(a: &[Twofold], b: &[Twofold]) -> Twofold {
    let pairs = a.iter().zip(b);
    pairs.fold(Twofold::ZERO, |sum, (&a, &b)| sum + a * b)
}

/// A list of twofold numbers.
pub fn twofold(numbers: &[f64]) -> Vec<Twofold> {
    numbers.iter().copied().map(Twofold::from).collect()
}

/// Rounds a list.
pub fn rounded(numbers: &[Twofold]) -> Vec<f64> {
    numbers.iter().map(|number| number.rounded()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_digits_survive() {
        let tenth = Twofold::ONE / Twofold::from(10.0);
        let mut sum = Twofold::ZERO;
        for _ in 0..10 {
            sum = sum + tenth;
        }
        assert!((sum - Twofold::ONE).rounded().abs() < 1e-30);
        let root = Twofold::from(2.0).sqrt();
        assert!((root * root - Twofold::from(2.0)).rounded().abs() < 1e-30);
        // √2 to 33 digits: 1.41421356237309504880168872420970.
        let digits =
            Twofold::from(std::f64::consts::SQRT_2) + Twofold::from(-9.667_293_313_452_913e-17);
        assert!((root - digits).rounded().abs() < 1e-31);
        // (10¹⁵ + 1)² − 10³⁰ = 2·10¹⁵ + 1, of which single length loses the 1.
        let big = Twofold::from(1e15);
        let square = (big + Twofold::ONE) * (big + Twofold::ONE);
        assert_eq!((square - big * big).rounded(), 2e15 + 1.0);
    }
}
