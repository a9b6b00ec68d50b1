//! Derivatives of the single operations.

use super::jet::Scalar;
use super::tape::{Binary, Unary};

impl Unary {
    /// The first three derivatives at the operand `x`, where the result is `y`; none where
    /// they do not exist.
    #[inline]
    pub fn derivatives(self, x: f64, y: f64) -> Option<[f64; 3]> {
        Some(match self {
            Self::Neg => [-1.0, 0.0, 0.0],
            Self::Exp => [y, y, y],
            Self::Ln => {
                let first = 1.0 / x;
                [first, -first * first, 2.0 * first * first * first]
            }
            Self::Log10 => {
                let first = 1.0 / (x * std::f64::consts::LN_10);
                [first, -first / x, 2.0 * first / x / x]
            }
            Self::Sqrt if x > 0.0 => {
                let first = 0.5 / y;
                [first, -0.5 * first / x, 0.75 * first / x / x]
            }
            Self::Abs if x > 0.0 => [1.0, 0.0, 0.0],
            Self::Abs if x < 0.0 => [-1.0, 0.0, 0.0],
            Self::Sin => {
                let first = Self::Cos.apply(x);
                [first, -y, -first]
            }
            Self::Cos => {
                let first = -Self::Sin.apply(x);
                [first, -y, -first]
            }
            Self::Tan => {
                let first = 1.0 + y * y;
                let third = 2.0 * first * (1.0 + 3.0 * y * y);
                [first, 2.0 * y * first, third]
            }
            Self::Asin if x.abs() < 1.0 => arcsine(x),
            Self::Acos if x.abs() < 1.0 => arcsine(x).map(|derivative| -derivative),
            Self::Atan => {
                let first = 1.0 / (1.0 + x * x);
                let square = first * first;
                let third = square * (8.0 * x * x * first - 2.0);
                [first, -2.0 * x * square, third]
            }
            Self::Sinh => {
                let first = Self::Cosh.apply(x);
                [first, y, first]
            }
            Self::Cosh => {
                let first = Self::Sinh.apply(x);
                [first, y, first]
            }
            Self::Tanh => {
                // 1 − y² would lose all digits where y is close to 1.
                let root = 1.0 / libm::cosh(x);
                let first = root * root;
                [first, -2.0 * y * first, first * (6.0 * y * y - 2.0)]
            }
            Self::Sqrt | Self::Abs | Self::Asin | Self::Acos => return None,
        })
    }
}

fn arcsine(x: f64) -> [f64; 3] {
    // (1 − x)(1 + x) keeps the digits next to ±1.
    let first = 1.0 / ((1.0 - x) * (1.0 + x)).sqrt();
    let cube = first * first * first;
    [first, x * cube, cube * (1.0 + 3.0 * x * x * first * first)]
}

impl Binary {
    /// (∂y/∂a, ∂y/∂b); none where they do not exist. `b_varies` says whether the second
    /// operand depends on an input: of (−2)^1.0 only the base has a slope.
    #[inline]
    pub fn slopes<S: Scalar>(self, a: S, b: S, y: S, b_varies: bool) -> Option<(S, S)> {
        let (zero, one) = (S::constant(0.0), S::constant(1.0));
        let first = |taken: bool| if taken { (one, zero) } else { (zero, one) };
        Some(match self {
            Self::Add => (one, one),
            Self::Sub => (one, -one),
            Self::Mul => (b, a),
            Self::Div => (one / b, -y / b),
            Self::Pow => {
                let base = b * a.power(b - one);
                let exponent = if b_varies {
                    y * a.unary(Unary::Ln)
                } else {
                    zero
                };
                if !(base.value().is_finite() && exponent.value().is_finite()) {
                    return None;
                }
                (base, exponent)
            }
            Self::Atan2 => {
                let square = a * a + b * b;
                if square.value() == 0.0 {
                    return None;
                }
                (b / square, -a / square)
            }
            // A condition is constant but at its jump, where the `if` that it decides has
            // no derivative.
            Self::Less | Self::LessEqual => (zero, zero),
            Self::Min | Self::Max if a.value() == b.value() => return None,
            Self::Min => first(a.value() < b.value()),
            Self::Max => first(a.value() > b.value()),
        })
    }
}
