//! Statements to tape; calls of named formulas are written out in place.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Diagnostic;
use super::parse::{Node, NodeKind, Statement};
use super::tape::{Binary, Op, Place, Register, Tape, Unary};
use crate::formula::{Entry, Formula, Library};

/// One call of a named formula: its arguments are checked against its range.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSite {
    pub formula: usize,
    pub arguments: Vec<Register>,
}

/// Operations at most; a library of formulas could otherwise unfold without end.
const MAX_OPERATIONS: usize = 100_000;

pub struct Compiler<'a> {
    library: &'a Library,
    pub tape: Tape,
    pub inputs: Vec<String>,
    pub calls: Vec<CallSite>,
    pub formulas: Vec<Arc<Formula>>,
    /// Names of the formulas being written out, outermost first.
    open: Vec<String>,
}

/// Names that an expression may use.
struct Scope {
    names: BTreeMap<String, Register>,
    /// Whether an unknown name is a new input (in a model) or a mistake (in a formula).
    open_ended: bool,
    /// The call that is being written out.
    place: Option<Place>,
}

impl<'a> Compiler<'a> {
    pub fn new(library: &'a Library) -> Self {
        Self {
            library,
            tape: Tape::default(),
            inputs: Vec::new(),
            calls: Vec::new(),
            formulas: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Compiles a model; gives the register of each output in the order of the statements.
    pub fn model(&mut self, statements: &[Statement]) -> Result<Vec<Register>, Vec<Diagnostic>> {
        let mut scope = Scope {
            names: BTreeMap::new(),
            open_ended: true,
            place: None,
        };
        let mut diagnostics = Vec::new();
        let mut results = Vec::new();
        for statement in statements {
            match self.statement(statement, &mut scope) {
                Ok(register) => results.push(register),
                Err(diagnostic) => {
                    diagnostics.push(diagnostic);
                    // Known from here on, so that one mistake is reported once.
                    let place = at(statement.line, statement.column);
                    let zero = self.tape.constant(0.0, place);
                    scope.names.insert(statement.name.clone(), zero);
                }
            }
        }
        if diagnostics.is_empty() {
            Ok(results)
        } else {
            Err(diagnostics)
        }
    }

    /// Writes out the formula on its own arguments, to find what is wrong with it.
    pub fn formula(&mut self, name: &str, entry: &Entry) -> Result<Register, Diagnostic> {
        let place = at(1, 1);
        let arguments = (0_u32..)
            .zip(&entry.formula.arguments)
            .map(|(index, _)| self.tape.push(Op::Input(index), place))
            .collect();
        self.call(name, entry, arguments, place)
    }

    fn statement(
        &mut self,
        statement: &Statement,
        scope: &mut Scope,
    ) -> Result<Register, Diagnostic> {
        let name = &statement.name;
        let refuse = |message: String, help: &str| {
            Err(found(statement.line, statement.column, message, help))
        };
        if is_reserved(name) || self.library.get(name).is_some() {
            return refuse(
                format!("`{name}` is the name of a function"),
                "choose another name",
            );
        }
        if scope.names.contains_key(name) {
            let help = "give every result a name of its own";
            return refuse(format!("`{name}` is assigned a second time"), help);
        }
        let register = self.node(&statement.value, scope)?;
        if scope.open_ended && self.inputs.contains(name) {
            let help = "move this line above the first use";
            return refuse(format!("`{name}` is used before it is assigned"), help);
        }
        scope.names.insert(name.clone(), register);
        Ok(register)
    }

    fn node(&mut self, node: &Node, scope: &Scope) -> Result<Register, Diagnostic> {
        let place = scope.place.unwrap_or(at(node.line, node.column));
        if self.tape.ops.len() >= MAX_OPERATIONS {
            let message = format!("the model unfolds to more than {MAX_OPERATIONS} operations");
            return Err(found(place.line, place.column, message, "simplify it"));
        }
        Ok(match &node.kind {
            NodeKind::Number(value) => self.tape.constant(*value, place),
            NodeKind::Symbol(name) => self.symbol(name, node, scope, place)?,
            NodeKind::Negative(inner) => {
                let inner = self.node(inner, scope)?;
                self.tape.push(Op::Unary(Unary::Neg, inner), place)
            }
            NodeKind::Binary(operation, left, right) => {
                let left = self.node(left, scope)?;
                let right = self.node(right, scope)?;
                self.tape.binary(*operation, left, right, place)
            }
            NodeKind::Call(name, arguments) => {
                let registers = arguments
                    .iter()
                    .map(|argument| self.node(argument, scope))
                    .collect::<Result<Vec<_>, _>>()?;
                self.named(name, registers, node, place)?
            }
        })
    }

    fn symbol(
        &mut self,
        name: &str,
        node: &Node,
        scope: &Scope,
        place: Place,
    ) -> Result<Register, Diagnostic> {
        if let Some(&register) = scope.names.get(name) {
            return Ok(register);
        }
        if name == "pi" {
            return Ok(self.tape.constant(std::f64::consts::PI, place));
        }
        if is_reserved(name) || self.library.get(name).is_some() {
            let message = format!("`{name}` is a function and needs its arguments");
            return Err(found(
                node.line,
                node.column,
                message,
                "write it with parentheses",
            ));
        }
        if !scope.open_ended {
            let message = format!("`{name}` is neither an argument nor assigned before");
            let help = "a formula sees its arguments only";
            return Err(found(node.line, node.column, message, help));
        }
        let index = self
            .inputs
            .iter()
            .position(|input| input == name)
            .unwrap_or_else(|| {
                self.inputs.push(name.to_owned());
                self.inputs.len() - 1
            });
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Ok(self.tape.push(Op::Input(index), place))
    }

    fn named(
        &mut self,
        name: &str,
        arguments: Vec<Register>,
        node: &Node,
        place: Place,
    ) -> Result<Register, Diagnostic> {
        let refuse = |message, help: &str| Err(found(node.line, node.column, message, help));
        let given = arguments.len();
        let count = |wanted: usize| format!("`{name}` takes {wanted} argument(s), {given} given");
        if let Some(unary) = Unary::named(name) {
            return match arguments[..] {
                [x] => Ok(self.tape.push(Op::Unary(unary, x), place)),
                _ => refuse(count(1), ""),
            };
        }
        if let Some(binary) = Binary::named(name) {
            return match arguments[..] {
                [a, b] => Ok(self.tape.push(Op::Binary(binary, a, b), place)),
                _ => refuse(count(2), "nest it for more"),
            };
        }
        let library = self.library;
        let Some(entry) = library.entry(name) else {
            let known = library.names();
            let help = match name {
                "log" => "write ln for the natural and log10 for the decimal logarithm".to_owned(),
                _ => format!("known are exp ln log10 sqrt abs sin cos min max {known}"),
            };
            return refuse(format!("there is no function `{name}`"), &help);
        };
        if given != entry.formula.arguments.len() {
            let wanted: Vec<_> = entry
                .formula
                .arguments
                .iter()
                .map(|a| a.name.as_str())
                .collect();
            return refuse(
                count(wanted.len()),
                &format!("write {name}({})", wanted.join(", ")),
            );
        }
        self.call(name, entry, arguments, place)
    }

    fn call(
        &mut self,
        name: &str,
        entry: &Entry,
        arguments: Vec<Register>,
        place: Place,
    ) -> Result<Register, Diagnostic> {
        if self.open.iter().any(|open| *open == entry.formula.name) {
            let message = format!("the formula `{name}` calls itself");
            return Err(found(
                place.line,
                place.column,
                message,
                "a formula must be closed",
            ));
        }
        let formula = self.used(&entry.formula);
        let inside = Place {
            formula: Some(formula),
            ..place
        };
        let names = entry
            .formula
            .arguments
            .iter()
            .map(|argument| argument.name.clone());
        let mut scope = Scope {
            names: names.zip(arguments.iter().copied()).collect(),
            open_ended: false,
            place: Some(inside),
        };
        let site = CallSite { formula, arguments };
        if !self.calls.contains(&site) {
            self.calls.push(site);
        }
        self.open.push(entry.formula.name.clone());
        let mut result = self.tape.constant(0.0, inside);
        for statement in entry.statements.iter() {
            result = self.statement(statement, &mut scope)?;
        }
        self.open.pop();
        Ok(result)
    }

    fn used(&mut self, formula: &Arc<Formula>) -> usize {
        let known = self
            .formulas
            .iter()
            .position(|used| used.name == formula.name);
        known.unwrap_or_else(|| {
            self.formulas.push(Arc::clone(formula));
            self.formulas.len() - 1
        })
    }
}

pub fn is_reserved(name: &str) -> bool {
    name == "pi" || Unary::named(name).is_some() || Binary::named(name).is_some()
}

fn at(line: usize, column: usize) -> Place {
    Place {
        line,
        column,
        formula: None,
    }
}

fn found(line: usize, column: usize, message: String, help: &str) -> Diagnostic {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Diagnostic {
        line,
        column,
        message,
        help,
    }
}
