//! Exact derivatives against dual numbers of another crate, on random expressions.

use std::fmt;

use heng_uncertainty::{Library, Model};
use num_dual::{Dual64, DualNum};
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
}

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
        }
    }
}

impl Expr {
    fn eval(&self, x: &[Dual64; 3]) -> Dual64 {
        let lifted = |a: &Self| a.eval(x).powi(2) + 1.5;
        match self {
            Self::Number(value) => Dual64::from(*value),
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
        ]
    })
}

/// Rounding grows with the size of the numbers that pass through; 1e−9 of the larger of 1
/// and the value leaves room for that and none for a wrong rule of differentiation.
fn close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gradients_are_those_of_dual_numbers(
        expression in expression(),
        x in [0.5..2.0_f64, 0.5..2.0_f64, 0.5..2.0_f64],
    ) {
        // The zero terms make all three inputs known to the model, in a fixed order.
        let text = format!("z = 0 * x0 + 0 * x1 + 0 * x2\ny = z + {expression}");
        let model = Model::compile(&text, Library::shipped()).unwrap();
        let seeds: Vec<Dual64> = (0..3).map(|index| {
            let lane = |i: usize| Dual64::new(x[i], f64::from(u8::from(i == index)));
            expression.eval(&[lane(0), lane(1), lane(2)])
        }).collect();
        prop_assume!(seeds.iter().all(|dual| dual.re.abs() < 1e6 && dual.eps.abs() < 1e6));
        let (value, gradient) = model.gradient("y", &x).unwrap();
        prop_assert!(close(value, seeds[0].re), "{} {}", value, seeds[0].re);
        for (found, wanted) in gradient.iter().zip(&seeds) {
            prop_assert!(close(*found, wanted.eps), "{} {} in {}", found, wanted.eps, text);
        }
    }

    #[test]
    fn no_text_panics(text in "[a-c0-9.+*/^()=,# \\n-]{0,60}") {
        if let Ok(model) = Model::compile(&text, Library::shipped()) {
            let zeros = vec![0.0; model.inputs().len()];
            for output in model.outputs().to_vec() {
                let _ = model.eval(&output, &|_| Some(0.5));
                let _ = model.gradient(&output, &zeros);
            }
            prop_assert!(!model.to_typst().is_empty());
        }
    }
}
