//! The one spelling of a model: what two texts of the same model have in common.

use super::Diagnostic;
use super::lex::{MAX_CHARACTERS, too_long};
use super::parse::{Node, NodeKind, Statement, StatementKind, strength};
use super::tape::Binary;

/// One statement a line, without comments.
pub fn text(statements: &[Statement]) -> String {
    statements.iter().map(|one| statement(one) + "\n").collect()
}

/// No text gets longer than this many times itself: `complex z,z,z` grows most.
const MOST_GROWTH: usize = 8;

/// Refuses a text that fits while its canonical text does not: that must compile too.
pub fn check_length(source: &str, statements: &[Statement]) -> Result<(), Vec<Diagnostic>> {
    if source.len() > MAX_CHARACTERS / MOST_GROWTH
        && text(statements).chars().count() > MAX_CHARACTERS
    {
        return Err(vec![too_long(" in its canonical text")]);
    }
    Ok(())
}

fn statement(statement: &Statement) -> String {
    let name = &statement.name;
    match &statement.kind {
        StatementKind::Assign(value) => format!("{name} = {}", expression(value)),
        StatementKind::Solve { left, right, start } => {
            let equation = format!("solve {name}: {} = {}", expression(left), expression(right));
            match start {
                // 1 is where the search begins unless another start is given.
                None => equation,
                Some(node) if matches!(node.kind, NodeKind::Number(1.0)) => equation,
                Some(start) => format!("{equation} near {}", expression(start)),
            }
        }
        StatementKind::Vector(length) => format!("vector {name}[{length}]"),
        StatementKind::Complex => format!("complex {name}"),
        StatementKind::Polar => format!("polar {name}"),
    }
}

/// An expression with the fewest parentheses that keep its tree.
pub fn expression(node: &Node) -> String {
    let own = node.strength();
    match &node.kind {
        NodeKind::Number(value) => number(*value),
        NodeKind::Symbol(name) => name.clone(),
        NodeKind::Element(name, index) => format!("{name}[{index}]"),
        NodeKind::Negative(inner) => format!("-{}", bracketed(inner, own)),
        NodeKind::Not(inner) => format!("not {}", bracketed(inner, own)),
        NodeKind::Binary(Binary::Pow, base, exponent) => {
            let base = bracketed(base, strength::ATOM);
            format!("{base}^{}", bracketed(exponent, strength::NEGATIVE))
        }
        NodeKind::Binary(operation, left, right) => infix(left, operation.word(), right, own, own),
        NodeKind::Compare(comparison, left, right) => {
            infix(left, comparison.word(), right, own + 1, own)
        }
        NodeKind::Both(junction, left, right) => infix(left, junction.word(), right, own, own),
        NodeKind::Call(name, arguments) => {
            let arguments: Vec<_> = arguments.iter().map(expression).collect();
            format!("{name}({})", arguments.join(", "))
        }
    }
}

fn infix(left: &Node, word: &str, right: &Node, left_least: u8, own: u8) -> String {
    let (left, right) = (bracketed(left, left_least), bracketed(right, own + 1));
    format!("{left} {word} {right}")
}

fn bracketed(node: &Node, least: u8) -> String {
    let text = expression(node);
    if node.strength() < least {
        format!("({text})")
    } else {
        text
    }
}

/// The shorter of the two shortest spellings that read back to the same bits.
fn number(value: f64) -> String {
    let (plain, scientific) = (format!("{value}"), format!("{value:e}"));
    if scientific.len() < plain.len() {
        scientific
    } else {
        plain
    }
}
