//! Equations in mathematical notation, for print: typst and LaTeX.

use super::parse::{Comparison, Junction, Node, NodeKind, Statement, StatementKind, strength};
use super::tape::Binary;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    Typst,
    Latex,
}

/// Names that are printed as the Greek letter.
const GREEK: &[&str] = &[
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega",
];

/// Functions that both notations know, with their name there.
const KNOWN: &[(&str, &str)] = &[
    ("exp", "exp"),
    ("ln", "ln"),
    ("sin", "sin"),
    ("cos", "cos"),
    ("tan", "tan"),
    ("asin", "arcsin"),
    ("acos", "arccos"),
    ("atan", "arctan"),
    ("sinh", "sinh"),
    ("cosh", "cosh"),
    ("tanh", "tanh"),
    ("min", "min"),
    ("max", "max"),
    ("arg", "arg"),
];

/// Declarations are no equations and are left out.
pub fn equations(statements: &[Statement], notation: Notation) -> String {
    let lines: Vec<_> = statements
        .iter()
        .filter_map(|statement| notation.statement(statement))
        .collect();
    lines.join(match notation {
        Notation::Typst => " \\\n",
        Notation::Latex => " \\\\\n",
    })
}

impl Notation {
    /// One of two spellings.
    fn pick(self, typst: &str, latex: &str) -> String {
        match self {
            Self::Typst => typst.to_owned(),
            Self::Latex => latex.to_owned(),
        }
    }

    fn statement(self, statement: &Statement) -> Option<String> {
        let name = self.symbol(&statement.name);
        match &statement.kind {
            StatementKind::Assign(value) => Some(format!("{name} = {}", self.node(value))),
            StatementKind::Solve { left, right, .. } => {
                let note = match self {
                    Self::Typst => format!("quad (\"solved for\" {name})"),
                    Self::Latex => format!("\\quad (\\text{{solved for }} {name})"),
                };
                Some(format!("{} = {} {note}", self.node(left), self.node(right)))
            }
            StatementKind::Vector(_) | StatementKind::Complex | StatementKind::Polar => None,
        }
    }

    /// `t_ref` becomes t with the index ref; a word becomes upright text; `G.re` is Re(G).
    fn symbol(self, name: &str) -> String {
        if let Some((stem, part)) = name.split_once('.') {
            let stem = self.symbol(stem);
            return match part {
                "re" => self.operator("Re", &stem),
                "im" => self.operator("Im", &stem),
                "abs" => self.modulus(&stem),
                _ => self.known("arg", &stem),
            };
        }
        let (stem, index) = split_index(name);
        let stem = self.word(stem);
        match (self, index) {
            (_, None) => stem,
            (Self::Typst, Some(index)) => format!("{stem}_{}", self.word(&index)),
            (Self::Latex, Some(index)) => format!("{stem}_{{{}}}", self.word(&index)),
        }
    }

    /// Element of a vector by number or letter: an index more.
    fn element(self, name: &str, element: &str) -> String {
        let (stem, index) = split_index(name);
        let stem = self.word(stem);
        let index = index.map_or(element.to_owned(), |index| {
            format!("{}, {element}", self.word(&index))
        });
        match self {
            Self::Typst => format!("{stem}_({index})"),
            Self::Latex => format!("{stem}_{{{index}}}"),
        }
    }

    fn word(self, text: &str) -> String {
        let letter = text.chars().count() == 1 && text.chars().all(char::is_alphabetic);
        let greek = GREEK.contains(&text);
        match self {
            Self::Typst if letter || greek => text.to_owned(),
            Self::Typst => format!("\"{text}\""),
            Self::Latex if greek => format!("\\{text}"),
            Self::Latex if letter && text.is_ascii() => text.to_owned(),
            Self::Latex => {
                let style = if text.is_ascii() { "mathrm" } else { "text" };
                format!("\\{style}{{{}}}", text.replace('_', "\\_"))
            }
        }
    }

    fn parentheses(self, inner: &str) -> String {
        match self {
            Self::Typst => format!("({inner})"),
            Self::Latex => format!("\\left({inner}\\right)"),
        }
    }

    fn group(self, command: &str, inner: &str) -> String {
        match self {
            Self::Typst => format!("{command}({inner})"),
            Self::Latex => format!("\\{command}{{{inner}}}"),
        }
    }

    /// A function that the notation knows by that name.
    fn known(self, name: &str, arguments: &str) -> String {
        let name = self.pick(name, &format!("\\{name}"));
        format!("{name}{}", self.parentheses(arguments))
    }

    /// A function that the notation does not know.
    fn operator(self, name: &str, arguments: &str) -> String {
        let arguments = self.parentheses(arguments);
        match self {
            // The space keeps the arguments out of the call of `op`.
            Self::Typst => format!("op(\"{name}\") {arguments}"),
            Self::Latex => format!("\\operatorname{{{name}}}{arguments}"),
        }
    }

    fn modulus(self, inner: &str) -> String {
        match self {
            Self::Typst => format!("abs({inner})"),
            Self::Latex => format!("\\left|{inner}\\right|"),
        }
    }

    fn raised(self, base: &str, exponent: &str) -> String {
        match self {
            Self::Typst => format!("{base}^({exponent})"),
            Self::Latex => format!("{base}^{{{exponent}}}"),
        }
    }

    fn product(self, left: &str, right: &str) -> String {
        format!("{left} {} {right}", self.pick("dot.op", "\\cdot"))
    }

    fn node(self, node: &Node) -> String {
        match &node.kind {
            NodeKind::Number(value) => self.number(*value),
            NodeKind::Symbol(name) => self.symbol(name),
            NodeKind::Element(name, index) => self.element(name, &index.to_string()),
            NodeKind::Negative(inner) => {
                format!("-{}", self.bracketed(inner, strength::PRODUCT))
            }
            NodeKind::Binary(operation, left, right) => self.binary(*operation, left, right),
            NodeKind::Compare(comparison, left, right) => {
                let sign = match comparison {
                    Comparison::Less => "<",
                    Comparison::LessEqual => &self.pick("<=", "\\le"),
                    Comparison::Greater => ">",
                    Comparison::GreaterEqual => &self.pick(">=", "\\ge"),
                };
                let left = self.bracketed(left, strength::SUM);
                format!("{left} {sign} {}", self.bracketed(right, strength::SUM))
            }
            NodeKind::Not(inner) => {
                let inner = self.bracketed(inner, strength::COMPARISON);
                format!("{} {inner}", self.pick("\"not\"", "\\text{not }"))
            }
            NodeKind::Both(junction, left, right) => {
                let (own, sign) = match junction {
                    Junction::And => (strength::AND, self.pick("\"and\"", "\\text{ and }")),
                    Junction::Or => (strength::OR, self.pick("\"or\"", "\\text{ or }")),
                };
                let left = self.bracketed(left, own);
                format!("{left} {sign} {}", self.bracketed(right, own + 1))
            }
            NodeKind::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn binary(self, operation: Binary, left: &Node, right: &Node) -> String {
        match operation {
            Binary::Add | Binary::Sub => {
                let after = strength::SUM + u8::from(operation == Binary::Sub);
                format!(
                    "{} {} {}",
                    self.bracketed(left, strength::SUM),
                    operation.word(),
                    self.bracketed(right, after)
                )
            }
            Binary::Div => match self {
                Self::Typst => format!("frac({}, {})", self.node(left), self.node(right)),
                Self::Latex => format!("\\frac{{{}}}{{{}}}", self.node(left), self.node(right)),
            },
            Binary::Pow => self.raised(&self.bracketed(left, strength::ATOM), &self.node(right)),
            _ => self.product(
                &self.bracketed(left, strength::PRODUCT),
                &self.bracketed(right, strength::PRODUCT),
            ),
        }
    }

    fn call(self, name: &str, arguments: &[Node]) -> String {
        let printed: Vec<_> = arguments.iter().map(|one| self.node(one)).collect();
        let all = printed.join(", ");
        if let Some((_, known)) = KNOWN.iter().find(|(word, _)| *word == name) {
            return self.known(known, &all);
        }
        match (name, arguments) {
            ("sqrt", _) => self.group("sqrt", &all),
            ("abs", _) => self.modulus(&all),
            ("log10", _) => {
                let function = self.pick("log_10", "\\log_{10}");
                format!("{function}{}", self.parentheses(&all))
            }
            ("if", [_, _, _]) => self.cases(arguments),
            ("poly", [x, coefficients @ ..]) if coefficients.len() > 1 => {
                self.polynomial(x, coefficients)
            }
            ("complex", [a, b]) => {
                let (a, b) = (
                    self.bracketed(a, strength::SUM),
                    self.bracketed(b, strength::PRODUCT),
                );
                let unit = self.pick("upright(i)", "\\mathrm{i}");
                format!("{a} + {}", self.product(&unit, &b))
            }
            ("polar", [modulus, argument]) => {
                let unit = self.pick("upright(i)", "\\mathrm{i}");
                let angle = self.product(&unit, &self.bracketed(argument, strength::PRODUCT));
                let turn = self.raised(&self.pick("upright(e)", "\\mathrm{e}"), &angle);
                self.product(&self.bracketed(modulus, strength::PRODUCT), &turn)
            }
            ("conj", [inner]) => {
                let inner = self.bracketed(inner, strength::ATOM);
                self.raised(&inner, &self.pick("*", "\\ast"))
            }
            ("re", _) => self.operator("Re", &all),
            ("im", _) => self.operator("Im", &all),
            ("mean", _) => self.group("overline", &all),
            ("sum" | "sumsq" | "dot", _) => self.series(name, arguments, &all),
            ("poly" | "atan2", _) => self.operator(name, &all),
            _ => match self {
                // The space keeps the arguments out of an index.
                Self::Typst => format!("{} ({all})", self.symbol(name)),
                Self::Latex => format!("{}\\left({all}\\right)", self.symbol(name)),
            },
        }
    }

    /// `if` with further `if` in its last argument as one brace of cases.
    fn cases(self, arguments: &[Node]) -> String {
        let mut cases = Vec::new();
        let mut rest = arguments;
        let end = loop {
            let [condition, holds, fails] = rest else {
                break String::new();
            };
            let (value, condition) = (self.node(holds), self.node(condition));
            cases.push(match self {
                Self::Typst => format!("{value} &\"if\" {condition}"),
                Self::Latex => format!("{value} & \\text{{if }} {condition}"),
            });
            match &fails.kind {
                NodeKind::Call(name, further) if name == "if" => rest = further,
                _ => break self.node(fails),
            }
        };
        match self {
            Self::Typst => {
                cases.push(format!("{end} &\"otherwise\""));
                format!("cases({})", cases.join(", "))
            }
            Self::Latex => {
                cases.push(format!("{end} & \\text{{otherwise}}"));
                let cases = cases.join(" \\\\ ");
                format!("\\begin{{cases}} {cases} \\end{{cases}}")
            }
        }
    }

    /// The polynomial as a sum of powers.
    fn polynomial(self, x: &Node, coefficients: &[Node]) -> String {
        let base = self.bracketed(x, strength::ATOM);
        let terms = coefficients.iter().enumerate().map(|(power, coefficient)| {
            let wanted = match power {
                0 => strength::SUM,
                _ => strength::PRODUCT,
            };
            let coefficient = self.bracketed(coefficient, wanted);
            match power {
                0 => coefficient,
                1 => self.product(&coefficient, &base),
                _ => self.product(&coefficient, &self.raised(&base, &power.to_string())),
            }
        });
        terms.collect::<Vec<_>>().join(" + ")
    }

    /// A sum over the elements; of expressions that are no names, a function.
    fn series(self, name: &str, arguments: &[Node], all: &str) -> String {
        let elements: Option<Vec<_>> = arguments
            .iter()
            .map(|argument| match &argument.kind {
                NodeKind::Symbol(name) => Some(self.element(name, "i")),
                _ => None,
            })
            .collect();
        let sum = self.pick("sum_i", "\\sum_i");
        match (name, elements.as_deref()) {
            ("sum", Some([x])) => format!("{sum} {x}"),
            ("sumsq", Some([x])) => format!("{sum} {}", self.raised(x, "2")),
            ("dot", Some([x, y])) => format!("{sum} {}", self.product(x, y)),
            _ => self.operator(name, all),
        }
    }

    /// The node, in parentheses where it binds more loosely than its place asks.
    fn bracketed(self, inner: &Node, wanted: u8) -> String {
        let printed = self.node(inner);
        if self.strength(inner) < wanted {
            self.parentheses(&printed)
        } else {
            printed
        }
    }

    /// How strongly the printed form binds; a fraction stands for itself but under a power.
    fn strength(self, node: &Node) -> u8 {
        match &node.kind {
            NodeKind::Negative(_) => strength::SUM,
            NodeKind::Binary(Binary::Div, ..) => strength::NEGATIVE,
            // A number in print may hold a product: 1.5 · 10⁻⁵.
            NodeKind::Number(value) if self.number(*value).contains(' ') => strength::PRODUCT,
            NodeKind::Symbol(name) if name.contains('.') => strength::POWER,
            NodeKind::Call(name, arguments) => match (name.as_str(), arguments.len()) {
                ("if", _) => 0,
                ("complex", _) => strength::SUM,
                ("poly", count) if count > 2 => strength::SUM,
                ("polar", _) => strength::PRODUCT,
                // Where such a sum ends is seen only in parentheses.
                ("sum" | "sumsq" | "dot", _) if arguments.iter().all(is_symbol) => 0,
                ("conj", _) => strength::POWER,
                _ => strength::ATOM,
            },
            _ => node.strength(),
        }
    }

    fn number(self, value: f64) -> String {
        let plain = value.to_string();
        if plain.len() <= 9 {
            return plain;
        }
        let scientific = format!("{value:e}");
        match scientific.split_once('e') {
            Some((digits, "0")) => digits.to_owned(),
            Some((digits, power)) => self.product(digits, &self.raised("10", power)),
            None => plain,
        }
    }
}

fn is_symbol(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Symbol(_))
}

/// `t_ref_1` is t with the index "ref,1".
fn split_index(name: &str) -> (&str, Option<String>) {
    match name.split_once('_') {
        Some((stem, index)) if !stem.is_empty() && !index.is_empty() => {
            (stem, Some(index.replace('_', ",")))
        }
        _ => (name, None),
    }
}
