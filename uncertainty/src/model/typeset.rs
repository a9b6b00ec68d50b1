//! Equations as typst mathematics, for print.

use super::parse::{Node, NodeKind, Statement};
use super::tape::Binary;

/// Names that typst prints as the Greek letter.
const GREEK: &[&str] = &[
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega",
];

pub fn equations(statements: &[Statement]) -> String {
    let lines = statements
        .iter()
        .map(|statement| format!("{} = {}", symbol(&statement.name), node(&statement.value)));
    lines.collect::<Vec<_>>().join(" \\\n")
}

/// `t_ref` becomes t with the index ref; a word becomes upright text.
fn symbol(name: &str) -> String {
    match name.split_once('_') {
        Some((stem, index)) if !stem.is_empty() && !index.is_empty() => {
            format!("{}_{}", word(stem), word(&index.replace('_', ",")))
        }
        _ => word(name),
    }
}

fn word(text: &str) -> String {
    let letter = text.chars().count() == 1 && text.chars().all(char::is_alphabetic);
    if letter || GREEK.contains(&text) {
        text.to_owned()
    } else {
        format!("\"{text}\"")
    }
}

fn node(node: &Node) -> String {
    match &node.kind {
        NodeKind::Number(value) => number(*value),
        NodeKind::Symbol(name) => symbol(name),
        NodeKind::Negative(inner) => format!("-{}", bracketed(inner, 2)),
        NodeKind::Binary(operation, left, right) => binary(*operation, left, right),
        NodeKind::Call(name, arguments) => {
            let printed: Vec<_> = arguments.iter().map(self::node).collect();
            let printed = printed.join(", ");
            match name.as_str() {
                "exp" | "ln" | "sin" | "cos" | "min" | "max" | "sqrt" | "abs" => {
                    format!("{name}({printed})")
                }
                "log10" => format!("log_10({printed})"),
                // The space keeps the arguments out of an index.
                _ => format!("{} ({printed})", symbol(name)),
            }
        }
    }
}

fn binary(operation: Binary, left: &Node, right: &Node) -> String {
    match operation {
        Binary::Add => format!("{} + {}", bracketed(left, 1), bracketed(right, 1)),
        Binary::Sub => format!("{} - {}", bracketed(left, 1), bracketed(right, 2)),
        Binary::Mul => format!("{} dot.op {}", bracketed(left, 2), bracketed(right, 2)),
        Binary::Div => format!("frac({}, {})", node(left), node(right)),
        Binary::Pow => format!("{}^({})", bracketed(left, 4), node(right)),
        Binary::Min | Binary::Max => {
            format!("{}({}, {})", operation.word(), node(left), node(right))
        }
    }
}

/// The node, in parentheses where it binds more loosely than its place asks.
fn bracketed(inner: &Node, wanted: u8) -> String {
    let printed = node(inner);
    if strength(inner) < wanted {
        format!("({printed})")
    } else {
        printed
    }
}

fn strength(node: &Node) -> u8 {
    match &node.kind {
        NodeKind::Binary(Binary::Add | Binary::Sub, ..) | NodeKind::Negative(_) => 1,
        NodeKind::Binary(Binary::Mul, ..) => 2,
        // A number in print may hold a product: 1.5 · 10⁻⁵.
        NodeKind::Number(value) if number(*value).contains(' ') => 2,
        NodeKind::Binary(..) => 3,
        NodeKind::Number(_) | NodeKind::Symbol(_) | NodeKind::Call(..) => 4,
    }
}

fn number(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() <= 9 {
        return plain;
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        Some((digits, "0")) => digits.to_owned(),
        Some((digits, power)) => format!("{digits} dot.op 10^({power})"),
        None => plain,
    }
}
