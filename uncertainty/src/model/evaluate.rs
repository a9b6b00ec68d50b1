//! Running the tape on one set of values, and backwards for derivatives.

use std::ops::Range;

use super::EvalError;
use super::jet::Scalar;
use super::root::find_root;
use super::tape::{Binary, Op, Place, Register, Tape, Unary};

/// Where the result of an operation stands in a [`Workspace`].
pub type Position = usize;

/// The operations that some outputs need, numbered without gaps: constants, inputs,
/// unknowns, the operations in order, and last those inside implicit equations, which run
/// as often as their solver asks.
#[derive(Debug, Clone)]
pub struct Sequence {
    constants: Vec<f64>,
    /// Index in the model of each input, rising, and its name.
    inputs: Vec<(usize, String)>,
    /// Operands are positions.
    steps: Range<Position>,
    ops: Vec<Op>,
    places: Vec<Place>,
    formulas: Vec<String>,
    /// Whether a result depends on an input or an unknown.
    varies: Vec<bool>,
    roots: Vec<Root>,
    /// Every `if` in order, with the comparisons that decide it.
    choices: Vec<(Position, Vec<Position>)>,
    outputs: Vec<Position>,
}

/// An implicit equation.
#[derive(Debug, Clone)]
struct Root {
    at: Position,
    equation: Position,
    unknown: Position,
    start: Position,
    /// Operations that change with the unknown.
    body: Range<Position>,
    /// What these use from outside.
    leaves: Vec<Position>,
}

/// Registers of a [`Sequence`].
#[derive(Debug, Clone)]
pub struct Workspace<S> {
    values: Vec<S>,
    /// Derivatives of what is swept back from.
    adjoints: Vec<S>,
    /// Derivatives of an equation, while it is solved or passed.
    inner: Vec<S>,
}

/// A place where the model changes from one expression to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Switch {
    pub line: usize,
    pub column: usize,
    pub operation: String,
    /// Distance from the switch, in the unit of what is compared.
    pub margin: f64,
    /// Derivatives of the margin to the inputs of the sequence.
    pub slopes: Vec<f64>,
}

impl<S: Scalar> Workspace<S> {
    pub fn set_input(&mut self, sequence: &Sequence, input: usize, value: S) {
        self.values[sequence.constants.len() + input] = value;
    }

    /// One number for each input of the sequence.
    #[inline]
    pub fn inputs(&mut self, sequence: &Sequence) -> &mut [S] {
        &mut self.values[sequence.input_positions()]
    }

    pub fn output(&self, sequence: &Sequence, output: usize) -> S {
        self.values[sequence.outputs[output]]
    }

    /// After [`Sequence::backward`].
    #[inline]
    pub fn gradient(&self, sequence: &Sequence) -> &[S] {
        &self.adjoints[sequence.input_positions()]
    }
}

impl Sequence {
    /// Indices in the model of the inputs, in the order in which the sequence has them.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = usize> {
        self.inputs.iter().map(|(index, _)| *index)
    }

    /// Number of operations.
    pub fn len(&self) -> usize {
        self.ops.len() - self.steps.start
    }

    pub fn workspace<S: Scalar>(&self) -> Workspace<S> {
        let zeros = vec![S::constant(0.0); self.ops.len()];
        let mut values = zeros.clone();
        for (value, &constant) in values.iter_mut().zip(&self.constants) {
            *value = S::constant(constant);
        }
        Workspace {
            values,
            inner: if self.roots.is_empty() {
                Vec::new()
            } else {
                zeros.clone()
            },
            adjoints: zeros,
        }
    }

    #[inline]
    fn input_positions(&self) -> Range<Position> {
        let first = self.constants.len();
        first..first + self.inputs.len()
    }

    /// Computes everything from the inputs in the workspace. What has no value is NaN,
    /// and so is all that depends on it: see [`Sequence::check`].
    #[inline]
    pub fn forward<S: Scalar>(&self, workspace: &mut Workspace<S>) {
        self.run(self.steps.clone(), workspace);
    }

    #[inline]
    fn run<S: Scalar>(&self, steps: Range<Position>, workspace: &mut Workspace<S>) {
        for at in steps {
            let values = &workspace.values;
            let value = match self.ops[at] {
                Op::Unary(function, a) => values[a as usize].unary(function),
                Op::Binary(function, a, b) => {
                    S::binary(function, values[a as usize], values[b as usize])
                }
                Op::PowInt(a, n) => values[a as usize].whole_power(n),
                Op::Select(condition, a, b) => {
                    let condition = values[condition as usize].value();
                    S::select(condition, values[a as usize], values[b as usize])
                }
                Op::Root { .. } => self.solve(at, workspace),
                Op::Constant(_) | Op::Input(_) | Op::Unknown(_) => values[at],
            };
            workspace.values[at] = value;
        }
    }

    /// Solves the equation of the root at that position; NaN where no solution is found.
    #[cold]
    fn solve<S: Scalar>(&self, at: Position, workspace: &mut Workspace<S>) -> S {
        let nothing = S::constant(f64::NAN);
        let Some(root) = self.roots.iter().find(|root| root.at == at) else {
            return nothing;
        };
        let start = workspace.values[root.start].value();
        let mut probe = |x: f64| {
            workspace.values[root.unknown] = S::constant(x);
            self.run(root.body.clone(), workspace);
            let slope = self.slope(root, workspace);
            (workspace.values[root.equation].value(), slope.value())
        };
        let Some(solution) = find_root(&mut probe, start) else {
            workspace.values[root.unknown] = nothing;
            return nothing;
        };
        // Newton's method on the derivatives: each step makes one more order exact.
        let mut x = S::constant(solution);
        for order in 0..=S::ORDER {
            workspace.values[root.unknown] = x;
            self.run(root.body.clone(), workspace);
            if order < S::ORDER {
                let left = workspace.values[root.equation];
                let slope = self.slope(root, workspace);
                x = x - (left - S::constant(left.value())) / slope;
            }
        }
        x
    }

    /// Derivative of an equation to its unknown; NaN where there is none. Leaves that of the
    /// leaves in `workspace.inner`.
    fn slope<S: Scalar>(&self, root: &Root, workspace: &mut Workspace<S>) -> S {
        let Workspace { values, inner, .. } = workspace;
        let zero = S::constant(0.0);
        inner[root.body.clone()].fill(zero);
        inner[root.unknown] = zero;
        for &leaf in &root.leaves {
            inner[leaf] = zero;
        }
        inner[root.equation] += S::constant(1.0);
        for at in root.body.clone().rev() {
            if self.pull(at, values, inner).is_err() {
                return S::constant(f64::NAN);
            }
        }
        inner[root.unknown]
    }

    /// # Errors
    /// What keeps the output from having a finite value, at its origin.
    pub fn check<S: Scalar>(
        &self,
        workspace: &Workspace<S>,
        output: usize,
    ) -> Result<(), EvalError> {
        let value = |at: Position| workspace.values[at].value();
        let mut at = self.outputs[output];
        if value(at).is_finite() {
            return Ok(());
        }
        loop {
            let candidates: Vec<Register> = match self.ops[at] {
                Op::Select(condition, _, b) if value(condition as usize) == 0.0 => {
                    vec![condition, b]
                }
                Op::Select(condition, a, _) => vec![condition, a],
                Op::Root { start, .. } => {
                    let root = self.roots.iter().find(|root| root.at == at);
                    let leaves = root.map_or(&[][..], |root| &root.leaves);
                    let leaves = leaves.iter().map(|&leaf| register(leaf));
                    leaves.chain([start]).collect()
                }
                op => op.operands().collect(),
            };
            let origin = candidates
                .into_iter()
                .find(|&operand| !value(operand as usize).is_finite());
            match origin {
                Some(operand) => at = operand as usize,
                None => return Err(self.no_value(at, value)),
            }
        }
    }

    /// Derivatives of an output to all inputs, after [`Sequence::forward`].
    ///
    /// # Errors
    /// Where the output feels an operation that has no derivative.
    #[inline]
    pub fn backward<S: Scalar>(
        &self,
        workspace: &mut Workspace<S>,
        output: usize,
    ) -> Result<(), EvalError> {
        workspace.adjoints.fill(S::constant(0.0));
        workspace.adjoints[self.outputs[output]] = S::constant(1.0);
        self.sweep(workspace)
    }

    #[inline]
    fn sweep<S: Scalar>(&self, workspace: &mut Workspace<S>) -> Result<(), EvalError> {
        for at in self.steps.clone().rev() {
            if matches!(self.ops[at], Op::Root { .. }) {
                self.pass_root(at, workspace)?;
                continue;
            }
            let Workspace {
                values, adjoints, ..
            } = &mut *workspace;
            if let Err(kink) = self.pull(at, values, adjoints) {
                return Err(self.kink(kink, |at| values[at].value()));
            }
        }
        Ok(())
    }

    /// Carries the adjoint of one operation on to its operands.
    ///
    /// # Errors
    /// The operation that has no derivative.
    #[inline]
    fn pull<S: Scalar>(
        &self,
        at: Position,
        values: &[S],
        adjoints: &mut [S],
    ) -> Result<(), Position> {
        let adjoint = adjoints[at];
        // An operation that the result does not feel has no say, even where its own
        // derivative does not exist.
        if adjoint.is_zero() || !self.varies[at] {
            return Ok(());
        }
        match self.ops[at] {
            Op::Constant(_)
            | Op::Input(_)
            | Op::Unknown(_)
            | Op::Root { .. }
            | Op::PowInt(_, 0) => {}
            Op::Unary(function, a) => {
                let slope = values[a as usize].slope(function, values[at]).ok_or(at)?;
                adjoints[a as usize] += adjoint * slope;
            }
            Op::PowInt(a, n) => {
                let slope = S::constant(f64::from(n)) * values[a as usize].whole_power(n - 1);
                adjoints[a as usize] += adjoint * slope;
            }
            Op::Binary(function, a, b) => {
                let (to_a, to_b) = function
                    .slopes(
                        values[a as usize],
                        values[b as usize],
                        values[at],
                        self.varies[b as usize],
                    )
                    .ok_or(at)?;
                adjoints[a as usize] += adjoint * to_a;
                adjoints[b as usize] += adjoint * to_b;
            }
            Op::Select(condition, a, b) => {
                self.check_choice(at, values)?;
                let taken = if values[condition as usize].value() == 0.0 {
                    b
                } else {
                    a
                };
                adjoints[taken as usize] += adjoint;
            }
        }
        Ok(())
    }

    /// What decides the `if` at that position.
    fn comparisons(&self, at: Position) -> &[Position] {
        let found = self
            .choices
            .binary_search_by_key(&at, |(choice, _)| *choice);
        found.map_or(&[], |found| &self.choices[found].1)
    }

    /// An `if` has no derivative exactly where one of its comparisons changes.
    #[cold]
    fn check_choice<S: Scalar>(&self, at: Position, values: &[S]) -> Result<(), Position> {
        let comparisons = self.comparisons(at);
        let at_jump = |comparison: &&Position| match self.ops[**comparison] {
            Op::Binary(_, a, b) => {
                self.varies[**comparison]
                    && values[a as usize].value() == values[b as usize].value()
            }
            _ => false,
        };
        comparisons
            .iter()
            .find(at_jump)
            .map_or(Ok(()), |&at| Err(at))
    }

    /// Implicit function theorem: from F(x, p) = 0 follows dx/dp = −(∂F/∂p)/(∂F/∂x).
    #[cold]
    fn pass_root<S: Scalar>(
        &self,
        at: Position,
        workspace: &mut Workspace<S>,
    ) -> Result<(), EvalError> {
        let adjoint = workspace.adjoints[at];
        let root = self.roots.iter().find(|root| root.at == at);
        let Some(root) = root.filter(|_| !adjoint.is_zero()) else {
            return Ok(());
        };
        let slope = self.slope(root, workspace);
        if slope.value() == 0.0 || !slope.value().is_finite() {
            return Err(self.kink(at, |at| workspace.values[at].value()));
        }
        for &leaf in &root.leaves {
            let felt = adjoint * workspace.inner[leaf] / slope;
            workspace.adjoints[leaf] += -felt;
        }
        Ok(())
    }

    /// Every switch that an output feels at these values, after [`Sequence::backward`] for
    /// that output; the derivatives of the workspace are used up.
    pub fn switches(&self, workspace: &mut Workspace<f64>) -> Vec<Switch> {
        let felt = |at: Position| {
            let root = self.roots.iter().find(|root| root.body.contains(&at));
            workspace.adjoints[root.map_or(at, |root| root.at)] != 0.0
        };
        let mut found: Vec<Position> = Vec::new();
        for at in self.steps.start..self.ops.len() {
            match self.ops[at] {
                Op::Unary(Unary::Abs, _) | Op::Binary(Binary::Min | Binary::Max, ..)
                    if felt(at) && self.varies[at] =>
                {
                    found.push(at);
                }
                Op::Select(..) if felt(at) => found.extend(self.comparisons(at)),
                _ => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .filter_map(|at| self.switch(at, workspace))
            .collect()
    }

    fn switch(&self, at: Position, workspace: &mut Workspace<f64>) -> Option<Switch> {
        let value = |at: Register| workspace.values[at as usize];
        let (margin, seeds) = match self.ops[at] {
            Op::Unary(_, a) => (value(a), vec![(a, 1.0)]),
            Op::Binary(_, a, b) => (value(a) - value(b), vec![(a, 1.0), (b, -1.0)]),
            _ => return None,
        };
        let (line, column, operation) = self.describe(at, |at| workspace.values[at]);
        workspace.adjoints.fill(0.0);
        for (operand, seed) in seeds {
            workspace.adjoints[operand as usize] += seed;
        }
        if let Some(root) = self.roots.iter().find(|root| root.body.contains(&at)) {
            // Inside an equation: first back to its unknown, which is the root.
            for at in root.body.clone().rev() {
                let Workspace {
                    values, adjoints, ..
                } = &mut *workspace;
                self.pull(at, values, adjoints).ok()?;
            }
            workspace.adjoints[root.at] += workspace.adjoints[root.unknown];
        }
        self.sweep(workspace).ok()?;
        Some(Switch {
            line,
            column,
            operation,
            margin,
            slopes: workspace.gradient(self).to_vec(),
        })
    }

    #[cold]
    fn no_value(&self, at: Position, value: impl Fn(Position) -> f64) -> EvalError {
        if let Op::Root { start, .. } = self.ops[at] {
            let Place { line, column, .. } = self.places[at];
            return EvalError::Unsolved {
                line,
                column,
                start: value(start as usize).to_string(),
            };
        }
        let (line, column, operation) = self.describe(at, value);
        EvalError::Domain {
            line,
            column,
            operation,
        }
    }

    #[cold]
    fn kink(&self, at: Position, value: impl Fn(Position) -> f64) -> EvalError {
        let (line, column, operation) = self.describe(at, value);
        EvalError::NotDifferentiable {
            line,
            column,
            operation,
        }
    }

    /// After [`Sequence::backward`].
    ///
    /// # Errors
    /// A derivative to an input that is not finite though every operation has one: an
    /// overflow, or a higher derivative that does not exist.
    #[inline]
    pub fn check_gradient<S: Scalar>(
        &self,
        workspace: &Workspace<S>,
        output: usize,
    ) -> Result<(), EvalError> {
        let gradient = workspace.gradient(self);
        match gradient.iter().position(|slope| !slope.is_finite()) {
            None => Ok(()),
            Some(input) => Err(self.no_derivative(output, input)),
        }
    }

    #[cold]
    fn no_derivative(&self, output: usize, input: usize) -> EvalError {
        let Place { line, column, .. } = self.places[self.outputs[output]];
        EvalError::NotDifferentiable {
            line,
            column,
            operation: format!("derivative to {}", self.inputs[input].1),
        }
    }

    /// Place and wording of an operation with its operands: `ln(-0.2)`.
    fn describe(&self, at: Position, value: impl Fn(Position) -> f64) -> (usize, usize, String) {
        let value = |at: Register| value(at as usize);
        let place = self.places[at];
        let mut operation = match self.ops[at] {
            Op::Constant(bits) => f64::from_bits(bits).to_string(),
            Op::Input(_) => format!("input {}", self.inputs[at - self.constants.len()].1),
            Op::Unary(unary, a) => format!("{}({})", unary.word(), value(a)),
            Op::Binary(binary @ (Binary::Min | Binary::Max | Binary::Atan2), a, b) => {
                format!("{}({}, {})", binary.word(), value(a), value(b))
            }
            Op::Binary(binary, a, b) => format!("({}) {} ({})", value(a), binary.word(), value(b)),
            Op::PowInt(a, n) => format!("({})^{n}", value(a)),
            Op::Select(..) => "if".to_owned(),
            Op::Unknown(_) | Op::Root { .. } => "the solution of the equation".to_owned(),
        };
        if let Some(formula) = place.formula {
            operation.push_str(" in the formula ");
            operation.push_str(&self.formulas[formula]);
        }
        (place.line, place.column, operation)
    }
}

fn register(at: Position) -> Register {
    Register::try_from(at).unwrap_or(Register::MAX)
}

/// Numbers the operations of a [`Sequence`].
struct Numbering<'a> {
    tape: &'a Tape,
    /// Registers in the order of their positions.
    order: Vec<Register>,
    position: Vec<Position>,
}

impl Numbering<'_> {
    fn take(&mut self, registers: &[Register], wanted: impl Fn(Register, Op) -> bool) -> usize {
        for &register in registers {
            if wanted(register, self.tape.ops[register as usize]) {
                self.position[register as usize] = self.order.len();
                self.order.push(register);
            }
        }
        self.order.len()
    }

    fn dense(&self, op: Op) -> Op {
        let to = |at: Register| register(self.position[at as usize]);
        match op {
            Op::Constant(_) | Op::Input(_) | Op::Unknown(_) => op,
            Op::Unary(function, a) => Op::Unary(function, to(a)),
            Op::Binary(function, a, b) => Op::Binary(function, to(a), to(b)),
            Op::PowInt(a, n) => Op::PowInt(to(a), n),
            Op::Select(condition, a, b) => Op::Select(to(condition), to(a), to(b)),
            Op::Root {
                equation,
                unknown,
                start,
            } => Op::Root {
                equation: to(equation),
                unknown: to(unknown),
                start: to(start),
            },
        }
    }
}

impl Sequence {
    /// The operations for `outputs`, registers of `tape`. Names are those of the model's
    /// inputs and formulas, for messages.
    pub fn new(
        tape: &Tape,
        outputs: &[Register],
        inputs: &[String],
        formulas: Vec<String>,
    ) -> Self {
        let needed = needed_for_all(tape, outputs);
        let owner = owners(tape, &needed);
        let mut numbering = Numbering {
            tape,
            order: Vec::new(),
            position: vec![0; tape.ops.len()],
        };
        let constants = numbering.take(&needed, |_, op| matches!(op, Op::Constant(_)));
        let mut drawn = needed.clone();
        drawn.sort_by_key(|&register| match tape.ops[register as usize] {
            Op::Input(index) => index,
            _ => u32::MAX,
        });
        numbering.take(&drawn, |_, op| matches!(op, Op::Input(_)));
        let leaf = |op| matches!(op, Op::Constant(_) | Op::Input(_) | Op::Unknown(_));
        let first = numbering.take(&needed, |_, op| matches!(op, Op::Unknown(_)));
        let outside = |register: Register, op| !leaf(op) && owner[register as usize].is_none();
        let last = numbering.take(&needed, outside);
        let mut bodies = Vec::new();
        for &root in &needed {
            let Op::Root { unknown, .. } = tape.ops[root as usize] else {
                continue;
            };
            let begin = numbering.order.len();
            let end = numbering.take(&needed, |register, op| {
                !leaf(op) && owner[register as usize] == Some(unknown)
            });
            bodies.push((root, begin..end));
        }
        let ops: Vec<Op> = numbering
            .order
            .iter()
            .map(|&register| numbering.dense(tape.ops[register as usize]))
            .collect();
        let at = |register: Register| numbering.position[register as usize];
        Self {
            constants: ops[..constants].iter().filter_map(constant).collect(),
            inputs: ops.iter().filter_map(|op| input(op, inputs)).collect(),
            steps: first..last,
            places: numbering
                .order
                .iter()
                .map(|&register| tape.places[register as usize])
                .collect(),
            formulas,
            varies: varying(&ops, first..last),
            roots: bodies
                .into_iter()
                .filter_map(|(root, body)| Root::new(&ops, at(root), body))
                .collect(),
            choices: choices(&ops),
            outputs: outputs.iter().map(|&output| at(output)).collect(),
            ops,
        }
    }
}

impl Root {
    fn new(ops: &[Op], at: Position, body: Range<Position>) -> Option<Self> {
        let Op::Root {
            equation,
            unknown,
            start,
        } = ops[at]
        else {
            return None;
        };
        let (equation, unknown, start) = (equation as usize, unknown as usize, start as usize);
        let mut leaves: Vec<Position> = ops[body.clone()]
            .iter()
            .flat_map(|op| op.operands())
            .map(|operand| operand as usize)
            .filter(|operand| !body.contains(operand) && *operand != unknown)
            .collect();
        leaves.sort_unstable();
        leaves.dedup();
        Some(Self {
            at,
            equation,
            unknown,
            start,
            body,
            leaves,
        })
    }
}

fn constant(op: &Op) -> Option<f64> {
    match op {
        Op::Constant(bits) => Some(f64::from_bits(*bits)),
        _ => None,
    }
}

fn input(op: &Op, names: &[String]) -> Option<(usize, String)> {
    match op {
        Op::Input(index) => Some((*index as usize, names[*index as usize].clone())),
        _ => None,
    }
}

/// Registers on which any of `outputs` depends, in order.
fn needed_for_all(tape: &Tape, outputs: &[Register]) -> Vec<Register> {
    let mut needed = vec![false; tape.ops.len()];
    for &output in outputs {
        needed[output as usize] = true;
    }
    for (at, op) in tape.ops.iter().enumerate().rev() {
        if needed[at] {
            for operand in op.operands() {
                needed[operand as usize] = true;
            }
        }
    }
    let registers = 0..tape.ops.len();
    registers.filter(|&at| needed[at]).map(register).collect()
}

/// For each register the unknown with which it changes while an equation is solved.
fn owners(tape: &Tape, needed: &[Register]) -> Vec<Option<Register>> {
    let mut owner = vec![None; tape.ops.len()];
    for &register in needed {
        let op = tape.ops[register as usize];
        owner[register as usize] = match op {
            Op::Unknown(_) => Some(register),
            Op::Root { .. } => None,
            _ => op.operands().find_map(|operand| owner[operand as usize]),
        };
    }
    owner
}

/// Which positions depend on an input or an unknown.
fn varying(ops: &[Op], steps: Range<Position>) -> Vec<bool> {
    let mut varies: Vec<bool> = ops
        .iter()
        .map(|op| matches!(op, Op::Input(_) | Op::Unknown(_) | Op::Root { .. }))
        .collect();
    for at in steps.start..ops.len() {
        varies[at] |= ops[at].operands().any(|operand| varies[operand as usize]);
    }
    varies
}

/// Every `if`, with the comparisons behind its condition.
fn choices(ops: &[Op]) -> Vec<(Position, Vec<Position>)> {
    let comparisons = |condition: Register| {
        let (mut open, mut found) = (vec![condition as usize], Vec::new());
        while let Some(at) = open.pop() {
            if let Op::Binary(Binary::Less | Binary::LessEqual, ..) = ops[at] {
                found.push(at);
            } else {
                open.extend(ops[at].operands().map(|operand| operand as usize));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    };
    let choice = |(at, op): (Position, &Op)| match op {
        Op::Select(condition, ..) => Some((at, comparisons(*condition))),
        _ => None,
    };
    ops.iter().enumerate().filter_map(choice).collect()
}
