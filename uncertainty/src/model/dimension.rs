//! Dimensions of the expressions of a model, from the units of its inputs.
//!
//! What is not known is never guessed: an expression with an unknown part is unknown, and
//! nothing is found about it.

use std::collections::BTreeMap;

use heng_quantities::{Dimension, UnitExpression};

use super::Diagnostic;
use super::compile::{quoted, refused};
use super::parse::{Node, NodeKind, Statement, StatementKind};
use super::tape::Binary;
use crate::formula::Formula;

/// Relative difference up to which two scales are the same: products of powers of ten are
/// rounded in each factor, and no two units differ by so little.
const SAME_SCALE: f64 = 1e-9;

const CORRECT: &str = "correct the units of the inputs or convert in the model";

/// Unit of an input or output by its name.
pub type UnitOf<'a> = &'a dyn Fn(&str) -> Option<UnitExpression>;

/// Formula by the name under which the text calls it.
pub type FormulaOf<'a> = &'a dyn Fn(&str) -> Option<&'a Formula>;

/// What is known about an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    Nothing,
    /// Made of numbers in the text alone.
    Literal(Literal),
    Measure(Measure),
}

/// What a number in the text may do to the unit of what it multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Literal {
    Zero,
    /// No unit: a small whole number, a half, π, a function of numbers.
    Pure,
    /// A factor between units of the same dimension.
    Conversion,
    /// A constant that may have a unit of its own.
    Constant,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Measure {
    dimension: Dimension,
    /// In coherent SI units; none after a factor that may convert units.
    scale: Option<f64>,
    /// Zero of the unit in SI units, for values on the Celsius scale; none where a sum
    /// leaves it open.
    zero: Option<f64>,
}

impl Measure {
    const RATIO: Self = Self {
        dimension: Dimension::ONE,
        scale: None,
        zero: Some(0.0),
    };
    const RADIAN: Self = Self {
        scale: Some(1.0),
        ..Self::RATIO
    };

    fn is_ratio(self) -> bool {
        self.dimension == Dimension::ONE
    }

    /// Whether both scales are known and differ.
    fn clashes(self, other: Self) -> bool {
        matches!((self.scale, other.scale), (Some(a), Some(b)) if differ(a, b))
    }

    fn product(self, other: Self) -> Option<Self> {
        Some(Self {
            dimension: self.dimension.times(other.dimension)?,
            scale: self.scale.zip(other.scale).map(|(a, b)| a * b),
            zero: Some(0.0),
        })
    }

    fn power(self, n: i8) -> Option<Self> {
        let scale = self.scale.map(|scale| {
            let power = (0..n.unsigned_abs()).fold(1.0, |power, _| power * scale);
            if n < 0 { 1.0 / power } else { power }
        });
        Some(Self {
            dimension: self.dimension.power(n)?,
            scale,
            zero: Some(0.0),
        })
    }

    fn square_root(self) -> Option<Self> {
        Some(Self {
            dimension: self.dimension.root(2)?,
            scale: self.scale.map(f64::sqrt),
            zero: Some(0.0),
        })
    }
}

impl From<UnitExpression> for Measure {
    fn from(unit: UnitExpression) -> Self {
        Self {
            dimension: unit.dimension(),
            scale: Some(unit.scale()),
            zero: Some(unit.offset()),
        }
    }
}

impl From<Option<Measure>> for Known {
    fn from(measure: Option<Measure>) -> Self {
        measure.map_or(Self::Nothing, Self::Measure)
    }
}

fn differ(a: f64, b: f64) -> bool {
    (a - b).abs() > SAME_SCALE * a.abs().max(b.abs())
}

/// Everything that the units say against the statements.
pub fn findings<'a>(
    statements: &[Statement],
    unit_of: UnitOf<'a>,
    formula_of: FormulaOf<'a>,
) -> Vec<Diagnostic> {
    let mut check = Check {
        unit_of,
        formula_of,
        names: BTreeMap::new(),
        found: Vec::new(),
    };
    for statement in statements {
        check.statement(statement);
    }
    check.found
}

struct Check<'a> {
    unit_of: UnitOf<'a>,
    formula_of: FormulaOf<'a>,
    /// Declared and assigned names so far.
    names: BTreeMap<String, Known>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn statement(&mut self, statement: &Statement) {
        let name = &statement.name;
        let known = match &statement.kind {
            StatementKind::Assign(value) => {
                let known = self.node(value);
                self.result(statement, known)
            }
            StatementKind::Solve { left, right, start } => {
                let unknown = self.stated(&[name]);
                self.names.insert(name.clone(), unknown);
                self.joined("the sides of the equation are", &[left, right], left);
                if let Some(start) = start {
                    let start_known = self.node(start);
                    if let Err(difference) = agreement(unknown, start_known) {
                        let message = format!("the start of `{name}` differs: {difference}");
                        self.found.push(refused(start, message, CORRECT));
                    }
                }
                unknown
            }
            StatementKind::Vector(length) => self.vector(name, *length),
            StatementKind::Complex => {
                let parts = ["re", "im"].map(|part| self.stated(&[&format!("{name}.{part}")]));
                match self.stated(&[name]) {
                    Known::Nothing if parts[0] == parts[1] => parts[0],
                    whole => whole,
                }
            }
            StatementKind::Polar => {
                if let Known::Measure(argument) = self.stated(&[&format!("{name}.arg")])
                    && (!argument.is_ratio() || argument.clashes(Measure::RADIAN))
                {
                    let message = format!("`{name}.arg` is an angle in radians");
                    self.found.push(Diagnostic {
                        line: statement.line,
                        column: statement.column,
                        message,
                        help: Some("state it in rad".to_owned()),
                    });
                }
                self.stated(&[&format!("{name}.abs"), name])
            }
        };
        self.names.insert(name.clone(), known);
    }

    /// The first unit that is stated under one of the names.
    fn stated(&self, names: &[&str]) -> Known {
        let unit = names.iter().find_map(|name| (self.unit_of)(name));
        unit.map(Measure::from).into()
    }

    /// The unit of all elements, where they have one.
    fn vector(&self, name: &str, length: u32) -> Known {
        let first = self.stated(&[&format!("{name}[1]"), name]);
        let same =
            (2..=length).all(|index| self.stated(&[&format!("{name}[{index}]"), name]) == first);
        if same { first } else { Known::Nothing }
    }

    /// Holds a result against its stated unit, which is the one that later lines see.
    fn result(&mut self, statement: &Statement, known: Known) -> Known {
        let name = &statement.name;
        let names = [name.clone(), format!("{name}[1]"), format!("{name}.re")];
        let unit = names.iter().find_map(|name| (self.unit_of)(name));
        let Some(unit) = unit else {
            return known;
        };
        let stated = Measure::from(unit.clone());
        if let Known::Measure(found) = known {
            let message = if found.dimension != stated.dimension {
                let dimension = found.dimension;
                Some(format!(
                    "`{name}` is stated in {unit} ({}), but its expression has the dimension {dimension}",
                    stated.dimension
                ))
            } else if found.clashes(stated) {
                Some(format!(
                    "`{name}` is stated in {unit}, but the units of its expression give another scale"
                ))
            } else {
                None
            };
            self.found.extend(message.map(|message| Diagnostic {
                line: statement.line,
                column: statement.column,
                message,
                help: Some("correct the units or convert in the model".to_owned()),
            }));
        }
        Known::Measure(stated)
    }

    fn node(&mut self, node: &Node) -> Known {
        match &node.kind {
            NodeKind::Number(value) => Known::Literal(literal(*value)),
            NodeKind::Symbol(name) => self.symbol(name),
            NodeKind::Element(name, index) => match self.stated(&[&format!("{name}[{index}]")]) {
                Known::Nothing => self.names.get(name).copied().unwrap_or(Known::Nothing),
                stated => stated,
            },
            NodeKind::Negative(inner) | NodeKind::Not(inner) => self.node(inner),
            NodeKind::Binary(Binary::Add, left, right) => {
                self.joined("added are", &[left, right], node)
            }
            NodeKind::Binary(Binary::Sub, left, right) => self.difference(left, right, node),
            NodeKind::Binary(Binary::Pow, base, exponent) => self.power(base, exponent),
            NodeKind::Binary(operation, left, right) => {
                let (left, right) = (self.node(left), self.node(right));
                match operation {
                    Binary::Div => product(left, inverse(right)),
                    _ => product(left, right),
                }
            }
            NodeKind::Compare(_, left, right) => {
                self.joined("compared are", &[left, right], node);
                Known::Nothing
            }
            NodeKind::Both(_, left, right) => {
                self.node(left);
                self.node(right);
                Known::Nothing
            }
            NodeKind::Call(name, arguments) => self.call(name, arguments, node),
        }
    }

    fn symbol(&self, name: &str) -> Known {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        if let Some((stem, part)) = name.split_once('.') {
            return match (part, self.stated(&[name])) {
                ("arg", Known::Nothing) => Known::Measure(Measure::RADIAN),
                (_, Known::Nothing) => self.names.get(stem).copied().unwrap_or(Known::Nothing),
                (_, stated) => stated,
            };
        }
        match self.stated(&[name]) {
            Known::Nothing if name == "pi" => Known::Literal(Literal::Pure),
            stated => stated,
        }
    }

    /// What several expressions have in common that stand side by side: terms, both sides of
    /// a comparison, branches.
    fn joined(&mut self, what: &str, nodes: &[&Node], at: &Node) -> Known {
        let known: Vec<_> = nodes.iter().map(|node| self.node(node)).collect();
        self.common(what, nodes, &known, at)
    }

    fn common(&mut self, what: &str, nodes: &[&Node], known: &[Known], at: &Node) -> Known {
        let mut common = None;
        for (index, &known) in known.iter().enumerate() {
            let joined = common.map_or(Ok(known), |before| agreement(before, known));
            match joined {
                Ok(joined) => common = Some(joined),
                Err(difference) => {
                    let (left, right) = (quoted(nodes[index - 1]), quoted(nodes[index]));
                    let message = format!("{what} `{left}` and `{right}`: {difference}");
                    self.found.push(refused(at, message, CORRECT));
                    return Known::Nothing;
                }
            }
        }
        common.unwrap_or(Known::Nothing)
    }

    /// Of a difference the zero: two values on a scale leave an interval.
    fn difference(&mut self, left: &Node, right: &Node, at: &Node) -> Known {
        let known = [self.node(left), self.node(right)];
        let joined = self.common("subtracted are", &[left, right], &known, at);
        let Known::Measure(measure) = joined else {
            return joined;
        };
        let zeros = known.map(|known| match known {
            Known::Measure(measure) => measure.zero,
            _ => None,
        });
        let zero = match zeros {
            [Some(a), Some(b)] if a == b => Some(0.0),
            [Some(a), Some(0.0)] => Some(a),
            _ => None,
        };
        Known::Measure(Measure { zero, ..measure })
    }

    fn power(&mut self, base: &Node, exponent: &Node) -> Known {
        let known = self.node(base);
        if let Known::Measure(measure) = self.node(exponent)
            && !measure.is_ratio()
        {
            self.with_dimension("an exponent", exponent, measure);
            return Known::Nothing;
        }
        match known {
            Known::Literal(Literal::Conversion) => Known::Literal(Literal::Conversion),
            Known::Literal(literal) => Known::Literal(literal.max(Literal::Pure)),
            Known::Nothing => Known::Nothing,
            Known::Measure(measure) => match constant(exponent) {
                Some(0.5) => measure.square_root().into(),
                Some(n) if n == n.trunc() && n.abs() <= 100.0 =>
                {
                    #[expect(clippy::cast_possible_truncation, reason = "whole, at most 100")]
                    measure.power(n as i8).into()
                }
                _ if measure.is_ratio() => Known::Measure(Measure::RATIO),
                _ => Known::Nothing,
            },
        }
    }

    fn with_dimension(&mut self, what: &str, node: &Node, measure: Measure) {
        let message = format!(
            "{what} is a number, and `{}` has the dimension {}",
            quoted(node),
            measure.dimension
        );
        let help = "divide by a reference quantity of the same unit";
        self.found.push(refused(node, message, help));
    }

    /// Looks at the argument of a function that knows numbers only, an angle in radians where
    /// `angle`; gives what the function gives.
    fn ratio(&mut self, name: &str, argument: &Node, angle: bool) -> Known {
        let measure = match self.node(argument) {
            Known::Nothing => return Known::Nothing,
            Known::Literal(_) => return Known::Literal(Literal::Pure),
            Known::Measure(measure) => measure,
        };
        if !measure.is_ratio() {
            self.with_dimension(&format!("the argument of `{name}`"), argument, measure);
        } else if angle && measure.clashes(Measure::RADIAN) {
            let message = format!(
                "`{name}` takes an angle in radians, and `{}` is in another unit",
                quoted(argument)
            );
            let help = "convert it: x * pi / 180";
            self.found.push(refused(argument, message, help));
        }
        Known::Measure(Measure::RATIO)
    }

    fn call(&mut self, name: &str, arguments: &[Node], node: &Node) -> Known {
        let all: Vec<&Node> = arguments.iter().collect();
        match (name, arguments) {
            ("exp" | "ln" | "log10" | "sinh" | "cosh" | "tanh", [x]) => self.ratio(name, x, false),
            ("sin" | "cos" | "tan", [x]) => self.ratio(name, x, true),
            ("asin" | "acos" | "atan", [x]) => match self.ratio(name, x, false) {
                Known::Measure(_) => Known::Measure(Measure::RADIAN),
                other => other,
            },
            ("sqrt", [x]) => match self.node(x) {
                Known::Measure(measure) => measure.square_root().into(),
                Known::Literal(literal) => Known::Literal(literal.min(Literal::Pure)),
                Known::Nothing => Known::Nothing,
            },
            ("abs" | "conj" | "re" | "im" | "sum" | "mean", [x]) => self.node(x),
            ("sumsq", [x]) => match self.node(x) {
                Known::Measure(measure) => measure.power(2).into(),
                other => other,
            },
            ("dot", [x, y]) => product(self.node(x), self.node(y)),
            ("arg", [x]) => {
                self.node(x);
                Known::Measure(Measure::RADIAN)
            }
            ("atan2", [_, _]) => {
                self.joined("`atan2` compares", &all, node);
                Known::Measure(Measure::RADIAN)
            }
            ("min" | "max", _) => self.joined("compared are", &all, node),
            ("complex", [_, _]) => self.joined("real and imaginary part are", &all, node),
            ("polar", [modulus, argument]) => {
                self.ratio(name, argument, true);
                self.node(modulus)
            }
            ("if", [condition, holds, fails]) => {
                self.node(condition);
                self.joined("the branches are", &[holds, fails], node)
            }
            ("poly", [x, coefficients @ ..]) => self.polynomial(x, coefficients, node),
            _ => self.formula(name, arguments),
        }
    }

    /// Coefficients in the text have the units that the terms need.
    fn polynomial(&mut self, x: &Node, coefficients: &[Node], at: &Node) -> Known {
        let x = self.node(x);
        let mut terms = Vec::new();
        for (power, coefficient) in (0_i8..=100).zip(coefficients) {
            terms.push(match (self.node(coefficient), x) {
                (Known::Measure(factor), Known::Measure(x)) => {
                    x.power(power).and_then(|x| factor.product(x)).into()
                }
                (known, _) if power == 0 => known,
                _ => Known::Nothing,
            });
        }
        // Of a vector of coefficients the elements have units of their own.
        if terms.len() < 2 {
            return Known::Nothing;
        }
        let nodes: Vec<_> = coefficients.iter().collect();
        self.common("in `poly` the terms do not fit of", &nodes, &terms, at)
    }

    /// A named formula states the units of its arguments and of its result.
    fn formula(&mut self, name: &str, arguments: &[Node]) -> Known {
        let formula = (self.formula_of)(name);
        for (index, argument) in arguments.iter().enumerate() {
            let stated = formula.and_then(|formula| formula.arguments.get(index));
            let (Known::Measure(found), Some(stated)) = (self.node(argument), stated) else {
                continue;
            };
            let wanted = Measure::from(UnitExpression::from(stated.unit));
            let zero_differs =
                matches!((found.zero, wanted.zero), (Some(a), Some(b)) if differ(a, b));
            if found.dimension != wanted.dimension || found.clashes(wanted) || zero_differs {
                let message = format!(
                    "`{name}` takes its argument {} in {}, and `{}` is in another unit",
                    stated.name,
                    stated.unit,
                    quoted(argument)
                );
                let help = "convert it in the model";
                self.found.push(refused(argument, message, help));
            }
        }
        formula
            .map(|formula| Measure::from(UnitExpression::from(formula.result_unit)))
            .into()
    }
}

/// What two expressions side by side have in common, or how they differ.
fn agreement(left: Known, right: Known) -> Result<Known, String> {
    let (a, b) = match (left, right) {
        (Known::Nothing, _) | (_, Known::Nothing) => return Ok(Known::Nothing),
        (Known::Literal(Literal::Zero), other) | (other, Known::Literal(Literal::Zero)) => {
            return Ok(other);
        }
        (Known::Literal(_), Known::Literal(_)) => return Ok(Known::Literal(Literal::Constant)),
        (Known::Literal(_), Known::Measure(measure))
        | (Known::Measure(measure), Known::Literal(_)) => return Ok(beside_number(measure)),
        (Known::Measure(a), Known::Measure(b)) => (a, b),
    };
    if a.dimension != b.dimension {
        return Err(format!(
            "the dimensions {} and {}",
            a.dimension, b.dimension
        ));
    }
    if a.clashes(b) {
        return Err("different scales of the same dimension".to_owned());
    }
    Ok(Known::Measure(Measure {
        scale: a.scale.or(b.scale),
        zero: match (a.zero, b.zero) {
            // A value on the scale plus an interval.
            (Some(zero), Some(0.0)) | (Some(0.0), Some(zero)) => Some(zero),
            _ => None,
        },
        ..a
    }))
}

fn literal(value: f64) -> Literal {
    const CONVERSIONS: [f64; 13] = [
        10.0, 100.0, 1e3, 1e6, 1e9, 0.1, 0.01, 1e-3, 1e-6, 1e-9, 60.0, 3600.0, 1e12,
    ];
    if value == 0.0 {
        Literal::Zero
    } else if value == 0.5 || (value == value.trunc() && value < 10.0) {
        Literal::Pure
    } else if CONVERSIONS.contains(&value) {
        Literal::Conversion
    } else {
        Literal::Constant
    }
}

/// The value of an expression of numbers: −2, 1/3.
fn constant(node: &Node) -> Option<f64> {
    match &node.kind {
        NodeKind::Number(value) => Some(*value),
        NodeKind::Negative(inner) => constant(inner).map(|value| -value),
        NodeKind::Binary(operation, left, right) => {
            Some(operation.apply(constant(left)?, constant(right)?))
        }
        _ => None,
    }
}

fn product(left: Known, right: Known) -> Known {
    match (left, right) {
        (Known::Nothing, _) | (_, Known::Nothing) => Known::Nothing,
        (Known::Literal(Literal::Zero), _) | (_, Known::Literal(Literal::Zero)) => {
            Known::Literal(Literal::Zero)
        }
        (Known::Literal(a), Known::Literal(b)) => Known::Literal(a.max(b)),
        (Known::Measure(a), Known::Measure(b)) => a.product(b).into(),
        (Known::Literal(literal), Known::Measure(measure))
        | (Known::Measure(measure), Known::Literal(literal)) => match literal {
            Literal::Zero | Literal::Pure => Known::Measure(Measure {
                zero: None,
                ..measure
            }),
            // A constant times a ratio is whatever the constant is.
            Literal::Conversion if !measure.is_ratio() => Known::Measure(Measure {
                scale: None,
                zero: None,
                ..measure
            }),
            Literal::Conversion | Literal::Constant => Known::Nothing,
        },
    }
}

fn inverse(known: Known) -> Known {
    match known {
        Known::Measure(measure) => measure.power(-1).into(),
        other => other,
    }
}

/// A quantity and a number side by side. The number has the unit of the quantity, unless a
/// number in the quantity may itself be a constant with a unit: 1 + 1e-3 * t.
fn beside_number(measure: Measure) -> Known {
    if measure.scale.is_none() && !measure.is_ratio() {
        return Known::Nothing;
    }
    Known::Measure(Measure {
        zero: None,
        ..measure
    })
}
