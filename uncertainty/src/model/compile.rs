//! Statements to tape; calls of named formulas are written out in place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::complex::Arithmetic;
use super::functions::{is_elementary, is_function};
use super::parse::{JOINING, Node, NodeKind, Statement, StatementKind};
use super::tape::{Binary, Op, Place, Register, Tape};
use super::value::{Complex, Value};
use super::{Diagnostic, canonical, one_a_line};
use crate::formula::{ConstantValue, Entry, Formula, Library};

/// One call of a named formula: its arguments are checked against its range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallSite {
    pub formula: usize,
    pub arguments: Vec<Register>,
    pub result: Register,
}

/// Operations at most; a library of formulas could otherwise unfold without end.
const MAX_OPERATIONS: usize = 100_000;

/// Steps of compilation at most. Equal operations are stored once, so that a text can ask
/// for much more work than it leaves on the tape.
const MAX_STEPS: usize = 1_000_000;

pub struct Compiler<'a> {
    library: &'a Library,
    pub tape: Tape,
    pub inputs: Vec<String>,
    pub calls: Vec<CallSite>,
    pub formulas: Vec<Arc<Formula>>,
    /// Index of the formula that each name stood for.
    pub called: BTreeMap<String, usize>,
    known_inputs: BTreeMap<String, u32>,
    known_calls: BTreeSet<(usize, Vec<Register>)>,
    /// Unknowns of `solve` so far.
    unknowns: u32,
    steps: usize,
    /// Names of the formulas being written out, outermost first.
    open: Vec<String>,
}

/// Names that an expression may use.
pub(super) struct Scope {
    names: BTreeMap<String, Value>,
    /// Whether an unknown name is a new input (in a model) or a mistake (in a formula).
    open_ended: bool,
    /// The call that is being written out.
    place: Option<Place>,
}

/// A value with the expression that gave it, for messages.
pub(super) struct Operand<'n> {
    pub value: Value,
    pub node: &'n Node,
}

impl Scope {
    fn place(&self, node: &Node) -> Place {
        self.place.unwrap_or(at(node.line, node.column))
    }

    fn element(&self, name: &str, index: u32, node: &Node) -> Result<Value, Diagnostic> {
        let Some(Value::Vector(elements)) = self.names.get(name) else {
            let message = format!("`{name}` is not a vector");
            let help = format!("declare it above: vector {name}[{index}]");
            return Err(refused(node, message, &help));
        };
        match elements.get(index as usize - 1) {
            Some(&register) => Ok(Value::Real(register)),
            None => Err(refused(
                node,
                format!(
                    "`{name}` has {} elements, and {index} is beyond them",
                    elements.len()
                ),
                "elements are counted from 1",
            )),
        }
    }
}

impl<'a> Compiler<'a> {
    pub fn new(library: &'a Library) -> Self {
        Self {
            library,
            tape: Tape::default(),
            inputs: Vec::new(),
            calls: Vec::new(),
            formulas: Vec::new(),
            called: BTreeMap::new(),
            known_inputs: BTreeMap::new(),
            known_calls: BTreeSet::new(),
            unknowns: 0,
            steps: 0,
            open: Vec::new(),
        }
    }

    /// Compiles a model; gives name and register of each output in the order of the
    /// statements.
    pub fn model(
        &mut self,
        statements: &[Statement],
    ) -> Result<Vec<(String, Register)>, Vec<Diagnostic>> {
        let mut scope = Scope {
            names: BTreeMap::new(),
            open_ended: true,
            place: None,
        };
        let mut diagnostics = Vec::new();
        let mut results = Vec::new();
        // What the names in wrong statements stand for is not known: a second finding about
        // them might be none. One mistake is reported once.
        let mut broken = BTreeSet::new();
        for statement in statements {
            match self.statement(statement, &mut scope) {
                Ok(value) if is_result(statement) => results.extend(value.named(&statement.name)),
                Ok(_) => {}
                Err(diagnostic) => {
                    let test = |name: &str| broken.contains(name);
                    if !statement.nodes().any(|node| node.mentions(&test)) {
                        diagnostics.push(diagnostic);
                    }
                    let zero = self
                        .tape
                        .constant(0.0, at(statement.line, statement.column));
                    scope
                        .names
                        .entry(statement.name.clone())
                        .or_insert(Value::Real(zero));
                    broken.insert(statement.name.clone());
                }
            }
        }
        one_a_line(&mut diagnostics);
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

    fn statement(&mut self, statement: &Statement, scope: &mut Scope) -> Result<Value, Diagnostic> {
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
        let place = scope.place.unwrap_or(at(statement.line, statement.column));
        let value = match &statement.kind {
            StatementKind::Assign(value) => self.quantity(value, scope)?,
            StatementKind::Solve { left, right, start } => {
                self.solve(name, [left, right], start.as_ref(), scope, place)?
            }
            _ if !scope.open_ended => {
                let help = "its arguments are real numbers";
                return refuse("a formula declares nothing".to_owned(), help);
            }
            kind => {
                if self.known_inputs.contains_key(name) {
                    let help = "move this line above the first use";
                    return refuse(format!("`{name}` is used before it is declared"), help);
                }
                self.declaration(name, kind, scope, place)?
            }
        };
        if scope.open_ended && self.known_inputs.contains_key(name) {
            let help = "move this line above the first use";
            return refuse(format!("`{name}` is used before it is assigned"), help);
        }
        scope.names.insert(name.clone(), value.clone());
        self.step(value.len(), place)?;
        Ok(value)
    }

    /// The inputs that a declaration makes, all of them, whether used or not.
    fn declaration(
        &mut self,
        name: &str,
        kind: &StatementKind,
        scope: &mut Scope,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        Ok(match kind {
            StatementKind::Vector(length) => {
                self.step(*length as usize, place)?;
                let elements = 1..=*length;
                Value::Vector(
                    elements
                        .map(|index| self.input(&format!("{name}[{index}]"), place))
                        .collect(),
                )
            }
            StatementKind::Polar => {
                let [modulus, argument] =
                    ["abs", "arg"].map(|part| self.input_part(name, part, scope, place));
                Value::Complex(Arithmetic::new(&mut self.tape, place).polar(modulus, argument))
            }
            _ => {
                let [re, im] = ["re", "im"].map(|part| self.input_part(name, part, scope, place));
                Value::Complex(Complex { re, im })
            }
        })
    }

    fn input_part(&mut self, name: &str, part: &str, scope: &mut Scope, place: Place) -> Register {
        let full = format!("{name}.{part}");
        let register = self.input(&full, place);
        scope.names.insert(full, Value::Real(register));
        register
    }

    fn input(&mut self, name: &str, place: Place) -> Register {
        let index = self.known_inputs.get(name).copied().unwrap_or_else(|| {
            let index = u32::try_from(self.inputs.len()).unwrap_or(u32::MAX);
            self.inputs.push(name.to_owned());
            self.known_inputs.insert(name.to_owned(), index);
            index
        });
        self.tape.push(Op::Input(index), place)
    }

    fn solve(
        &mut self,
        name: &str,
        [left, right]: [&Node; 2],
        start: Option<&Node>,
        scope: &mut Scope,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        let start = match start {
            Some(node) => self.real(node, scope)?,
            None => self.tape.constant(1.0, place),
        };
        let unknown = self.tape.push(Op::Unknown(self.unknowns), place);
        self.unknowns += 1;
        scope.names.insert(name.to_owned(), Value::Real(unknown));
        let sides = self
            .real(left, scope)
            .and_then(|left| Ok((left, self.real(right, scope)?)));
        scope.names.remove(name);
        let (left, right) = sides?;
        let equation = self.tape.binary(Binary::Sub, left, right, place);
        let refuse = |message, help: &str| Err(found(place.line, place.column, message, help));
        match self.tape.dependence(equation, unknown) {
            Dependence::None => refuse(
                format!("the equation does not contain its unknown `{name}`"),
                "write solve x: left = right with x in it",
            ),
            Dependence::ThroughRoot => refuse(
                format!("the equation for `{name}` contains another equation that must be solved"),
                "solve one after the other, each for its own unknown",
            ),
            Dependence::Direct => Ok(Value::Real(self.tape.push(
                Op::Root {
                    equation,
                    unknown,
                    start,
                },
                place,
            ))),
        }
    }

    /// Counts work against the limits.
    pub(super) fn step(&mut self, steps: usize, place: Place) -> Result<(), Diagnostic> {
        self.steps += steps;
        if self.tape.ops.len() >= MAX_OPERATIONS || self.steps > MAX_STEPS {
            let message = format!("the model unfolds to more than {MAX_OPERATIONS} operations");
            return Err(found(place.line, place.column, message, "simplify it"));
        }
        Ok(())
    }

    /// The value of an expression that is no condition.
    fn quantity(&mut self, node: &Node, scope: &Scope) -> Result<Value, Diagnostic> {
        match self.node(node, scope)? {
            Value::Condition(_) => Err(refused(
                node,
                "a condition stands where a number is wanted".to_owned(),
                "a condition is the first argument of if(condition, a, b)",
            )),
            value => Ok(value),
        }
    }

    fn operand<'n>(&mut self, node: &'n Node, scope: &Scope) -> Result<Operand<'n>, Diagnostic> {
        let value = self.quantity(node, scope)?;
        Ok(Operand { value, node })
    }

    /// The register of an expression that must be one real number.
    fn real(&mut self, node: &Node, scope: &Scope) -> Result<Register, Diagnostic> {
        match self.quantity(node, scope)? {
            Value::Real(register) => Ok(register),
            other => Err(refused(
                node,
                format!("a real number is wanted here, and this is {}", other.kind()),
                "use sum, mean or an element of a vector; re, im, abs or arg of a complex quantity",
            )),
        }
    }

    fn condition(&mut self, node: &Node, scope: &Scope) -> Result<Register, Diagnostic> {
        match self.node(node, scope)? {
            Value::Condition(register) => Ok(register),
            other => Err(refused(
                node,
                format!(
                    "a condition is wanted here, and `{}` is {}",
                    quoted(node),
                    other.kind()
                ),
                "compare it: x > 0",
            )),
        }
    }

    fn node(&mut self, node: &Node, scope: &Scope) -> Result<Value, Diagnostic> {
        let place = scope.place(node);
        self.step(1, place)?;
        match &node.kind {
            NodeKind::Number(value) => Ok(Value::Real(self.tape.constant(*value, place))),
            NodeKind::Symbol(name) => self.symbol(name, node, scope, place),
            NodeKind::Element(name, index) => scope.element(name, *index, node),
            NodeKind::Negative(inner) => {
                let inner = self.operand(inner, scope)?;
                self.negative(inner, place)
            }
            NodeKind::Binary(operation, left, right) => {
                let left = self.operand(left, scope)?;
                let right = self.operand(right, scope)?;
                self.arithmetic(*operation, left, right, node, place)
            }
            NodeKind::Compare(comparison, left, right) => {
                let left = self.real(left, scope)?;
                let right = self.real(right, scope)?;
                Ok(Value::Condition(self.compare(
                    *comparison,
                    left,
                    right,
                    place,
                )))
            }
            NodeKind::Not(inner) => {
                let inner = self.condition(inner, scope)?;
                Ok(Value::Condition(self.not(inner, place)))
            }
            NodeKind::Both(junction, left, right) => {
                let left = self.condition(left, scope)?;
                let right = self.condition(right, scope)?;
                Ok(Value::Condition(self.both(*junction, left, right, place)))
            }
            NodeKind::Call(name, arguments) => {
                self.called_function(name, arguments, node, scope, place)
            }
        }
    }

    fn called_function(
        &mut self,
        name: &str,
        arguments: &[Node],
        node: &Node,
        scope: &Scope,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        if name == "if" {
            let [condition, holds, fails] = arguments else {
                let message = format!("`if` takes 3 arguments, {} given", arguments.len());
                return Err(refused(node, message, "write if(a < b, x, y)"));
            };
            let condition = self.condition(condition, scope)?;
            let holds = self.operand(holds, scope)?;
            let fails = self.operand(fails, scope)?;
            return self.select(condition, holds, fails, node, place);
        }
        let operands = arguments
            .iter()
            .map(|argument| self.operand(argument, scope))
            .collect::<Result<Vec<_>, _>>()?;
        if is_function(name) {
            self.function(name, operands, node, place)
        } else {
            self.named_formula(name, &operands, node, place)
        }
    }

    fn symbol(
        &mut self,
        name: &str,
        node: &Node,
        scope: &Scope,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        if let Some(value) = scope.names.get(name) {
            self.step(value.len(), place)?;
            return Ok(value.clone());
        }
        if let Some((stem, part)) = name.split_once('.') {
            return self.part(stem, part, node, scope, place);
        }
        if name == "pi" {
            return Ok(Value::Real(self.tape.constant(std::f64::consts::PI, place)));
        }
        if is_reserved(name) || self.library.get(name).is_some() {
            let message = format!("`{name}` is a function and needs its arguments");
            return Err(refused(node, message, "write it with parentheses"));
        }
        if !scope.open_ended {
            let message = format!("`{name}` is neither an argument nor assigned before");
            let help = "a formula sees its arguments only";
            return Err(refused(node, message, help));
        }
        Ok(Value::Real(self.input(name, place)))
    }

    /// A part of a complex quantity by its name: `G.re`.
    fn part(
        &mut self,
        stem: &str,
        part: &str,
        node: &Node,
        scope: &Scope,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        let Some(&Value::Complex(z)) = scope.names.get(stem) else {
            let message = format!("`{stem}` is not a complex quantity");
            let help = format!("declare it above: complex {stem}");
            return Err(refused(node, message, &help));
        };
        let mut arithmetic = Arithmetic::new(&mut self.tape, place);
        Ok(Value::Real(match part {
            "re" => z.re,
            "im" => z.im,
            "abs" => arithmetic.modulus(z),
            _ => arithmetic.argument(z),
        }))
    }

    fn named_formula(
        &mut self,
        name: &str,
        operands: &[Operand<'_>],
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        let library = self.library;
        let Some(entry) = library.entry(name) else {
            let known = library.names();
            let help = match name {
                "log" => "write ln for the natural and log10 for the decimal logarithm".to_owned(),
                _ => format!("known are {} {known}", super::functions::names()),
            };
            return Err(refused(
                node,
                format!("there is no function `{name}`"),
                &help,
            ));
        };
        let wanted: Vec<_> = entry
            .formula
            .arguments
            .iter()
            .map(|argument| argument.name.as_str())
            .collect();
        if operands.len() != wanted.len() {
            let message = super::functions::count(name, &wanted.len(), operands.len());
            let help = format!("write {name}({})", wanted.join(", "));
            return Err(refused(node, message, &help));
        }
        self.elementwise(operands, node, place, |compiler, arguments| {
            compiler.call(name, entry, arguments.to_vec(), place)
        })
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
            let help = "a formula must be closed";
            return Err(found(place.line, place.column, message, help));
        }
        let formula = self.used(&entry.formula);
        self.called.insert(name.to_owned(), formula);
        let inside = Place {
            formula: Some(formula),
            ..place
        };
        let names = entry
            .formula
            .arguments
            .iter()
            .map(|argument| argument.name.clone());
        let values = arguments.iter().map(|&register| Value::Real(register));
        let mut names: BTreeMap<_, _> = names.zip(values).collect();
        for constant in &entry.formula.constants {
            let mut number = |&number: &f64| self.tape.constant(number, inside);
            let value = match &constant.value {
                ConstantValue::Number(one) => Value::Real(number(one)),
                ConstantValue::Vector(list) => Value::Vector(list.iter().map(number).collect()),
            };
            names.insert(constant.name.clone(), value);
        }
        let mut scope = Scope {
            names,
            open_ended: false,
            place: Some(inside),
        };
        // Its place among the calls is in front of those that its body makes.
        let site = self.calls.len();
        let is_new = self.known_calls.insert((formula, arguments.clone()));
        if is_new {
            self.calls.push(CallSite {
                formula,
                arguments,
                result: 0,
            });
        }
        self.open.push(entry.formula.name.clone());
        let mut result = Value::Real(self.tape.constant(0.0, inside));
        for statement in entry.statements.iter() {
            result = self.statement(statement, &mut scope)?;
        }
        self.open.pop();
        match result {
            Value::Real(register) => {
                if is_new {
                    self.calls[site].result = register;
                }
                Ok(register)
            }
            other => {
                let message = format!("the result of the formula is {}", other.kind());
                let help = "a formula gives one real number";
                Err(found(place.line, place.column, message, help))
            }
        }
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

/// How an equation depends on its unknown.
enum Dependence {
    None,
    Direct,
    /// Also by an equation inside that is solved anew for each value of the unknown.
    ThroughRoot,
}

impl Tape {
    fn dependence(&self, equation: Register, unknown: Register) -> Dependence {
        let mut depends = vec![false; equation.max(unknown) as usize + 1];
        depends[unknown as usize] = true;
        for register in self.needed_for(equation) {
            let op = self.ops[register as usize];
            if op.operands().any(|operand| depends[operand as usize]) {
                if matches!(op, Op::Root { .. }) {
                    return Dependence::ThroughRoot;
                }
                depends[register as usize] = true;
            }
        }
        if depends[equation as usize] {
            Dependence::Direct
        } else {
            Dependence::None
        }
    }
}

fn is_result(statement: &Statement) -> bool {
    matches!(
        statement.kind,
        StatementKind::Assign(_) | StatementKind::Solve { .. }
    )
}

/// Whether no quantity can have that name. The words of vectors, complex quantities and
/// polynomials are functions only where an opening parenthesis follows: `mean` is a common
/// name of a result.
pub fn is_reserved(name: &str) -> bool {
    name == "pi" || JOINING.contains(&name) || is_elementary(name)
}

/// The expression as text, for messages.
pub(super) fn quoted(node: &Node) -> String {
    const LONGEST: usize = 40;
    let text = canonical::expression(node);
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain("…".chars()).collect()
}

fn at(line: usize, column: usize) -> Place {
    Place {
        line,
        column,
        formula: None,
    }
}

pub(super) fn refused(node: &Node, message: String, help: &str) -> Diagnostic {
    found(node.line, node.column, message, help)
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
