//! Exact derivatives against dual numbers of another crate, on random expressions.

use std::fmt;

use heng_uncertainty::{EvalError, Library, Model};
use num_dual::{Dual64, DualNum, HyperHyperDual64};
use proptest::prelude::*;

/// A random expression over the inputs x0, x1, x2, all between 0.5 and 2. Every operation
/// is kept inside its domain by construction.
#[derive(Debug, Clone)]
enum Expr {
    Number(f64),
    Input(usize),
    Add(Box<Expr>, Box<Expr>),
    Sub(Box<Expr>, Box<Expr>),
    Mul(Box<Expr>, Box<Expr>),
    /// a / (1.5 + b²)
    Div(Box<Expr>, Box<Expr>),
    PowInt(Box<Expr>, i32),
    /// (1.5 + a²)^b
    Pow(Box<Expr>, Box<Expr>),
    /// exp(sin(a)): stays within 1/e and e.
    Exp(Box<Expr>),
    /// ln(1.5 + a²)
    Ln(Box<Expr>),
    Sqrt(Box<Expr>),
    Cos(Box<Expr>),
    /// A function of sin(a), which lies inside its domain, or of 0.9·sin(a).
    Of(Function, Box<Expr>),
    /// atan2(a, b + 4)
    Atan2(Box<Expr>, Box<Expr>),
    /// |a + 0.37|: not 0 for any simple difference
    Abs(Box<Expr>),
    /// max(a, b + 0.37), or min
    Extreme(bool, Box<Expr>, Box<Expr>),
    /// if(a < b + 0.37, a, b·a)
    If(Box<Expr>, Box<Expr>),
}

#[derive(Debug, Clone, Copy)]
enum Function {
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Log10,
}

impl Function {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Tan, "tan(sin(#))"),
        (Self::Asin, "asin(0.9 * sin(#))"),
        (Self::Acos, "acos(0.9 * sin(#))"),
        (Self::Atan, "atan(#)"),
        (Self::Sinh, "sinh(sin(#))"),
        (Self::Cosh, "cosh(sin(#))"),
        (Self::Tanh, "tanh(sin(#))"),
        (Self::Log10, "log10(1.5 + sin(#))"),
    ];

    fn text(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    fn eval<D: Number>(self, a: D) -> D {
        match self {
            Self::Tan => a.sin().tan(),
            Self::Asin => (a.sin() * 0.9).asin(),
            Self::Acos => (a.sin() * 0.9).acos(),
            Self::Atan => a.atan(),
            Self::Sinh => a.sin().sinh(),
            Self::Cosh => a.sin().cosh(),
            Self::Tanh => a.sin().tanh(),
            Self::Log10 => (a.sin() + 1.5).log10(),
        }
    }
}

/// The numbers of the other crate.
trait Number: DualNum<Primitive = f64> + Copy {}

impl<D: DualNum<Primitive = f64> + Copy> Number for D {}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => write!(f, "({value})"),
            Self::Input(index) => write!(f, "x{index}"),
            Self::Add(a, b) => write!(f, "({a} + {b})"),
            Self::Sub(a, b) => write!(f, "({a} - {b})"),
            Self::Mul(a, b) => write!(f, "({a} * {b})"),
            Self::Div(a, b) => write!(f, "({a} / (1.5 + ({b})^2))"),
            Self::PowInt(a, n) => write!(f, "((1.5 + ({a})^2)^({n}))"),
            Self::Pow(a, b) => write!(f, "((1.5 + ({a})^2)^cos({b}))"),
            Self::Exp(a) => write!(f, "exp(sin({a}))"),
            Self::Ln(a) => write!(f, "ln(1.5 + ({a})^2)"),
            Self::Sqrt(a) => write!(f, "sqrt(1.5 + ({a})^2)"),
            Self::Cos(a) => write!(f, "cos({a})"),
            Self::Of(function, a) => f.write_str(&function.text().replace('#', &a.to_string())),
            Self::Atan2(a, b) => write!(f, "atan2({a}, {b} + 4)"),
            Self::Abs(a) => write!(f, "abs({a} + 0.37)"),
            Self::Extreme(true, a, b) => write!(f, "max({a}, {b} + 0.37)"),
            Self::Extreme(false, a, b) => write!(f, "min({a}, {b} + 0.37)"),
            Self::If(a, b) => write!(f, "if({a} < {b} + 0.37, {a}, {b} * {a})"),
        }
    }
}

impl Expr {
    fn eval<D: Number>(&self, x: &[D; 3]) -> D {
        let lifted = |a: &Self| a.eval(x).powi(2) + 1.5;
        match self {
            Self::Number(value) => x[0] * 0.0 + *value,
            Self::Input(index) => x[*index],
            Self::Add(a, b) => a.eval(x) + b.eval(x),
            Self::Sub(a, b) => a.eval(x) - b.eval(x),
            Self::Mul(a, b) => a.eval(x) * b.eval(x),
            Self::Div(a, b) => a.eval(x) / lifted(b),
            Self::PowInt(a, n) => lifted(a).powi(*n),
            Self::Pow(a, b) => lifted(a).powd(b.eval(x).cos()),
            Self::Exp(a) => a.eval(x).sin().exp(),
            Self::Ln(a) => lifted(a).ln(),
            Self::Sqrt(a) => lifted(a).sqrt(),
            Self::Cos(a) => a.eval(x).cos(),
            Self::Of(function, a) => function.eval(a.eval(x)),
            Self::Atan2(a, b) => a.eval(x).atan2(b.eval(x) + 4.0),
            Self::Abs(a) => (a.eval(x) + 0.37).abs(),
            Self::Extreme(larger, a, b) => {
                let (a, b) = (a.eval(x), b.eval(x) + 0.37);
                if (a.re() > b.re()) == *larger { a } else { b }
            }
            Self::If(a, b) => {
                let (a, b) = (a.eval(x), b.eval(x));
                if a.re() < b.re() + 0.37 { a } else { b * a }
            }
        }
    }
}

fn expression() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (-3.0..3.0_f64).prop_map(Expr::Number),
        (0_usize..3).prop_map(Expr::Input),
        (0_usize..3).prop_map(Expr::Input),
    ];
    leaf.prop_recursive(5, 40, 2, |inner| {
        let one = || inner.clone().prop_map(Box::new);
        prop_oneof![
            (one(), one()).prop_map(|(a, b)| Expr::Add(a, b)),
            (one(), one()).prop_map(|(a, b)| Expr::Sub(a, b)),
            (one(), one()).prop_map(|(a, b)| Expr::Mul(a, b)),
            (one(), one()).prop_map(|(a, b)| Expr::Div(a, b)),
            (one(), -3_i32..4).prop_map(|(a, n)| Expr::PowInt(a, n)),
            (one(), one()).prop_map(|(a, b)| Expr::Pow(a, b)),
            one().prop_map(Expr::Exp),
            one().prop_map(Expr::Ln),
            one().prop_map(Expr::Sqrt),
            one().prop_map(Expr::Cos),
            (0_usize..8, one()).prop_map(|(at, a)| Expr::Of(Function::ALL[at].0, a)),
            (0_usize..8, one()).prop_map(|(at, a)| Expr::Of(Function::ALL[at].0, a)),
            (one(), one()).prop_map(|(a, b)| Expr::Atan2(a, b)),
            one().prop_map(Expr::Abs),
            (prop::bool::ANY, one(), one()).prop_map(|(larger, a, b)| Expr::Extreme(larger, a, b)),
            (one(), one()).prop_map(|(a, b)| Expr::If(a, b)),
        ]
    })
}

/// For each input i: f, f_i, Σ f_ij·d_j and Σ f_ijk·d_j·d_k from numbers that carry three
/// independent infinitesimals: one along the input, two along the direction.
fn derivatives_of(
    function: impl Fn(&[HyperHyperDual64; 3]) -> HyperHyperDual64,
    x: &[f64; 3],
    direction: &[f64; 3],
) -> Vec<[f64; 4]> {
    let number = |input: usize, at: usize| {
        let seed = f64::from(u8::from(input == at));
        HyperHyperDual64::new(
            x[at],
            seed,
            direction[at],
            direction[at],
            0.0,
            0.0,
            0.0,
            0.0,
        )
    };
    let parts = |input: usize| {
        let y = function(&[number(input, 0), number(input, 1), number(input, 2)]);
        [y.re, y.eps1, y.eps1eps2, y.eps1eps2eps3]
    };
    (0..3).map(parts).collect()
}

fn is_tie(operation: &str) -> bool {
    let switches = ["max", "min", "abs"];
    switches.iter().any(|switch| operation.starts_with(switch)) || operation.contains('<')
}

/// Compares with [`Model::gradient_along`]. Rounding grows with the size of the numbers that
/// pass through: 1e−9 of the largest leaves room for that and none for a wrong rule.
fn same_derivatives(
    model: &Model,
    x: &[f64; 3],
    direction: &[f64; 3],
    wanted: &[[f64; 4]],
) -> Result<(), TestCaseError> {
    let largest = wanted
        .iter()
        .flatten()
        .fold(1.0, |max: f64, part| max.max(part.abs()));
    let (value, found) = match model.gradient_along("y", x, direction) {
        // max(max(a, b), b) where b is the larger.
        Err(EvalError::NotDifferentiable { operation, .. }) if is_tie(&operation) => {
            return Err(TestCaseError::reject("exactly at a switch"));
        }
        found => found.unwrap(),
    };
    for (found, wanted) in found.iter().zip(wanted) {
        let found = [value, found[0], found[1], found[2]];
        for (found, part) in found.iter().zip(wanted) {
            prop_assert!(
                (found - part).abs() <= 1e-9 * largest,
                "{found} {part} of {wanted:?}, {largest} in {}",
                model.source()
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn derivatives_to_the_third_order_are_those_of_dual_numbers(
        expression in expression(),
        x in [0.5..2.0_f64, 0.5..2.0_f64, 0.5..2.0_f64],
        direction in [-1.0..1.0_f64, -1.0..1.0_f64, -1.0..1.0_f64],
    ) {
        let text = format!("z = 0 * x0 + 0 * x1 + 0 * x2\ny = z + {expression}");
        let model = Model::compile(&text, Library::shipped()).unwrap();
        let wanted = derivatives_of(|x| expression.eval(x), &x, &direction);
        prop_assume!(wanted.iter().flatten().all(|part| part.abs() < 1e6));
        same_derivatives(&model, &x, &direction, &wanted)?;
        // Sweeps of plain numbers and of jets are the same sweep.
        let (value, gradient) = model.gradient("y", &x).unwrap();
        let (again, jets) = model.gradient_along("y", &x, &direction).unwrap();
        prop_assert_eq!(value.to_bits(), again.to_bits());
        for (slope, jet) in gradient.iter().zip(&jets) {
            prop_assert_eq!(*slope, jet[0]);
        }
    }

    #[test]
    fn derivatives_through_an_equation_are_those_of_dual_numbers(
        [left, right] in [expression(), expression()],
        x in [0.5..2.0_f64, 0.5..2.0_f64, 0.5..2.0_f64],
        direction in [-1.0..1.0_f64, -1.0..1.0_f64, -1.0..1.0_f64],
    ) {
        // u·(2 + l²)/(1 + l²) + sin(u)/2 = r rises with u: one solution whatever l and r are.
        let text = format!(
            "z = 0 * x0 + 0 * x1 + 0 * x2\nl = {left}\nr = {right}\n\
             solve u: u * (2 + l^2) / (1 + l^2) + sin(u) / 2 = r near r\ny = z + u * (1 + x0 * u)"
        );
        let model = Model::compile(&text, Library::shipped()).unwrap();
        let root = model.eval("u", &|name| match name {
            "x0" => Some(x[0]),
            "x1" => Some(x[1]),
            _ => Some(x[2]),
        });
        prop_assume!(left.eval(&x.map(Dual64::from)).re.abs() < 1e3);
        let root = root.unwrap();
        let function = |x: &[HyperHyperDual64; 3]| {
            let (l, r) = (left.eval(x), right.eval(x));
            let rate = (l * l + 2.0) / (l * l + 1.0);
            // Newton's method in the numbers themselves: every step doubles the order.
            let mut u = HyperHyperDual64::from(root);
            for _ in 0..3 {
                let slope = rate + u.cos() * 0.5;
                u -= (u * rate + u.sin() * 0.5 - r) / slope;
            }
            u * (x[0] * u + 1.0)
        };
        let wanted = derivatives_of(function, &x, &direction);
        prop_assume!(wanted.iter().flatten().all(|part| part.abs() < 1e6));
        same_derivatives(&model, &x, &direction, &wanted)?;
    }

    #[test]
    fn no_text_panics(text in "[a-c0-9.+*/^()=,# \\n-]{0,60}") {
        if let Ok(model) = Model::compile(&text, Library::shipped()) {
            let zeros = vec![0.0; model.inputs().len()];
            for output in model.outputs().to_vec() {
                let _ = model.eval(&output, &|_| Some(0.5));
                let _ = model.gradient(&output, &zeros);
                let _ = model.gradient_along(&output, &zeros, &vec![1.0; zeros.len()]);
            }
            prop_assert!(!model.to_typst().is_empty());
        }
    }
}

#[test]
fn powers_have_their_derivatives_where_the_base_is_zero_or_negative() {
    let along = |text: &str, x: f64| {
        let model = Model::compile(text, Library::shipped()).unwrap();
        model.gradient_along("y", &[x], &[1.0])
    };
    let slopes = |text: &str, x: f64| along(text, x).unwrap().1[0];
    assert_eq!(slopes("y = x^2", 0.0), [0.0, 2.0, 0.0]);
    assert_eq!(slopes("y = x^3", 0.0), [0.0, 0.0, 6.0]);
    assert_eq!(slopes("y = x", 0.0), [1.0, 0.0, 0.0]);
    assert_eq!(slopes("y = x^3", -2.0), [12.0, -12.0, 6.0]);
    assert_eq!(slopes("y = x^-1", -2.0), [-0.25, -0.25, -0.375]);
    // An exponent too large for multiplication goes another way: 66·(−1)⁶⁵ and so on.
    assert_eq!(slopes("y = x^66", -1.0), [-66.0, 4290.0, -274_560.0]);
    assert_eq!(slopes("y = x^3.5", 0.0), [0.0, 0.0, 0.0]);
    // x^2.5 has two derivatives at 0, √x none, and |x|·x one.
    for text in ["y = x^2.5", "y = sqrt(x)", "y = abs(x) * x"] {
        let error = along(text, 0.0).unwrap_err().to_string();
        assert!(error.contains("derivative"), "{text}: {error}");
    }
    let model = Model::compile("y = abs(x) * x", Library::shipped()).unwrap();
    assert_eq!(model.gradient("y", &[0.0]).unwrap(), (0.0, vec![0.0]));
}
