//! Measurement models as text: the language.
//!
//! ```text
//! # vapour pressure at the mirror, then relative humidity
//! e  = f(td + d_td, p) * ew(td + d_td)
//! rh = 100 * e / (f(t, p) * ew(t))
//! ```
//!
//! # Text
//!
//! One statement a line; inside parentheses and brackets it may go over several lines. `#`
//! begins a comment. Names are letters, digits and `_`, in any script: `t_ref`, `温度`.
//!
//! ```text
//! statement   = name "=" expression
//!             | "solve" name ":" expression "=" expression [ "near" expression ]
//!             | "vector" name "[" length "]" { "," name "[" length "]" }
//!             | ( "complex" | "polar" ) name { "," name }
//! expression  = operators, loosest first:  or   and   not   < <= > >=   + -   * /   -x   ^
//!             | number | name | name "." part | name "[" index "]"
//!             | name "(" [ expression { "," expression } ] ")" | "(" expression ")"
//! part        = "re" | "im" | "abs" | "arg"
//! ```
//!
//! Operators of one strength group from the left, `^` from the right; −x² is −(x²) and
//! 2^-1 is a half. Comparisons do not chain. Numbers are `12`, `0.5`, `1.5e-3`; `2x` is no
//! product.
//!
//! Names that are never assigned are the inputs; every assigned name is an output, and the
//! last one is the result. A name is assigned once, before its first use. The names of
//! elementary functions and formulas, `pi`, `if`, `and`, `or` and `not` are taken; all other
//! words (`mean`, `near`, …) have their meaning in their place only and may name quantities.
//!
//! # Functions
//!
//! `exp ln log10 sqrt abs sin cos tan asin acos atan sinh cosh tanh`, angles in radians;
//! `atan2(y, x)`; `min` and `max` of two or more numbers or of one vector;
//! `poly(x, c0, c1, c2)` = c0 + c1·x + c2·x² by Horner's rule, the coefficients also as one
//! vector; and the named formulas of a [`Library`].
//!
//! # Conditions
//!
//! ```text
//! e = if(t >= 0 and not (ice > 0.5), ew(t), ei(t))
//! ```
//!
//! A condition compares real numbers and stands in the first argument of `if` alone: it is
//! no number, and a number is no condition.
//!
//! # Series
//!
//! ```text
//! vector x[5]
//! x_mean = mean(x)
//! s2     = sumsq(x - x_mean) / 4
//! slope  = x[5] - x[1]
//! ```
//!
//! The elements of a declared vector are the inputs `x[1]` … `x[5]`. Operators and functions
//! work element by element, a number goes with every element, and two vectors must have the
//! same length. `sum`, `mean`, `sumsq` and `dot(x, y)` give a number, added from the first
//! element to the last. A vector that is assigned to `y` gives the outputs `y[1]`, `y[2]`, ….
//!
//! # Complex quantities
//!
//! ```text
//! complex S11, S22          # inputs S11.re, S11.im, …
//! polar   S12               # inputs S12.abs, S12.arg (rad)
//! G = S11 + S12^2 * g / (1 - S22 * g)
//! L = -20 * log10(abs(G))
//! ```
//!
//! They have `+ - * /`, whole powers, `exp ln sqrt conj re im abs arg`, principal values cut
//! along the negative real axis; `complex(a, b)` is a + ib, `polar(r, phi)` is r·exp(i·phi).
//! A real number beside a complex one is complex. A complex `G` gives the outputs `G.re` and
//! `G.im`; its parts may be read as `G.re`, `G.im`, `G.abs` and `G.arg`.
//!
//! # Equations
//!
//! ```text
//! solve td: hardy_water(td) = rh / 100 * hardy_water(t) near t - 10
//! ```
//!
//! assigns to `td` the solution near the start, which is 1 unless it is given. The unknown
//! is one real number, and an equation may not contain another one that depends on it.

mod canonical;
mod compile;
mod complex;
mod derivative;
mod dimension;
mod evaluate;
mod functions;
mod jet;
mod lanes;
mod lex;
mod newton;
mod parse;
mod root;
mod tape;
#[cfg(test)]
mod tests;
mod typeset;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use heng_quantities::{Text, Unit, UnitExpression};

pub(crate) use compile::{Compiler, is_reserved};
pub(crate) use evaluate::{Sequence, Workspace};
pub(crate) use functions::is_function;
pub(crate) use jet::{Jet, Scalar};
pub(crate) use lanes::{CHUNK, Program, Registers};
pub(crate) use parse::{Statement, parse};

use crate::formula::{Argument, Formula, Library};
use compile::CallSite;
use tape::{Op, Register, Tape};

/// Something wrong in the text of a model or a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Counted from 1.
    pub line: usize,
    /// Characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.message
        )?;
        self.help
            .as_ref()
            .map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

impl std::error::Error for Diagnostic {}

/// Keeps the first finding of each line: the others are mostly its consequences.
fn one_a_line(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|diagnostic| diagnostic.line);
    diagnostics.dedup_by_key(|diagnostic| diagnostic.line);
}

/// Why a model gives no value. Lines and columns are those of its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// An output that the model does not have.
    #[error("the model has no result {output:?}; its results are {known}")]
    UnknownOutput {
        /// The name that was asked for.
        output: String,
        /// Outputs of the model.
        known: String,
    },
    /// An input on which the output depends, without a value.
    #[error("the input {input:?} of the model has no value")]
    MissingInput {
        /// Symbol of the input.
        input: String,
    },
    /// Lists of another length than the model has inputs.
    #[error(
        "the model has {expected} inputs, but {found} values or columns of equal length were given"
    )]
    WrongShape {
        /// Inputs of the model.
        expected: usize,
        /// Values, or columns of the right length, that were given.
        found: usize,
    },
    /// An operation outside of its domain, or a result beyond double precision.
    #[error("line {line}, column {column}: {operation} has no finite value")]
    Domain {
        /// Counted from 1.
        line: usize,
        /// Characters, counted from 1.
        column: usize,
        /// The operation with the values of its operands: `ln(-0.2)`.
        operation: String,
    },
    /// A derivative that does not exist or is infinite.
    #[error("line {line}, column {column}: {operation} has no finite derivative at this point")]
    NotDifferentiable {
        /// Counted from 1.
        line: usize,
        /// Characters, counted from 1.
        column: usize,
        /// The operation with the values of its operands: `ln(-0.2)`.
        operation: String,
    },
    /// An implicit equation without a solution near its start.
    #[error(
        "line {line}, column {column}: no solution of the equation was found near {start}; look \
         whether it has one there, or give a start that is nearer to it"
    )]
    Unsolved {
        /// Counted from 1.
        line: usize,
        /// Characters, counted from 1.
        column: usize,
        /// Where the search began.
        start: String,
    },
}

/// A formula used outside the range for which its source states it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RangeViolation {
    /// Name of the formula.
    pub formula: String,
    /// Version of the formula.
    pub version: u32,
    /// Where the formula and its range were published.
    pub source: String,
    /// Name of the argument that is out of range.
    pub argument: String,
    /// Unit of the argument and of the numbers here.
    pub unit: Unit,
    /// The argument as it was used.
    pub value: f64,
    /// Least value for which the source states the formula.
    pub min: f64,
    /// Greatest value for which the source states the formula.
    pub max: f64,
}

impl RangeViolation {
    /// The argument of the formula at that value.
    fn of(formula: &Formula, argument: &Argument, value: f64) -> Self {
        Self {
            formula: formula.name.clone(),
            version: formula.version,
            source: formula.source.clone(),
            argument: argument.name.clone(),
            unit: argument.unit,
            value,
            min: argument.min,
            max: argument.max,
        }
    }

    /// Formula, argument, range and value, in both languages.
    pub fn text(&self) -> Text {
        let Self {
            formula,
            argument,
            unit,
            value,
            min,
            max,
            ..
        } = self;
        Text::new(
            &self.to_string(),
            &format!(
                "公式 {formula} 对 {argument} 声明的适用范围为 {min} {unit} 至 {max} {unit}, 实际使用值为 \
                 {value:.6} {unit}"
            ),
        )
    }
}

impl fmt::Display for RangeViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            formula,
            argument,
            unit,
            value,
            min,
            max,
            ..
        } = self;
        write!(
            f,
            "the formula {formula} is stated for {argument} from {min} {unit} to {max} {unit}, "
        )?;
        write!(f, "but was used at {value:.6} {unit}")
    }
}

/// A compiled measurement model.
#[derive(Debug, Clone)]
pub struct Model {
    source: String,
    statements: Vec<Statement>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// The register of each output.
    results: Vec<Register>,
    /// For each output the operations that it needs, in order; its own is the last. Made
    /// when first asked for: a model of vectors has thousands of outputs.
    programs: Vec<OnceLock<Vec<Register>>>,
    /// The same, ready to run.
    sequences: Vec<OnceLock<Arc<Sequence>>>,
    tape: Tape,
    calls: Vec<CallSite>,
    formulas: Vec<Arc<Formula>>,
    /// Index of the formula for each name that the text calls.
    called: BTreeMap<String, usize>,
}

impl Model {
    /// Compiles a text; the named formulas that it calls come from `library`.
    ///
    /// # Errors
    /// Everything that is wrong with the text, at most one finding a line.
    pub fn compile(source: &str, library: &Library) -> Result<Self, Vec<Diagnostic>> {
        let statements = parse(source)?;
        canonical::check_length(source, &statements)?;
        let mut compiler = Compiler::new(library);
        let (outputs, results): (Vec<_>, Vec<_>) = compiler.model(&statements)?.into_iter().unzip();
        Ok(Self {
            source: source.to_owned(),
            inputs: compiler.inputs,
            programs: vec![OnceLock::new(); results.len()],
            sequences: vec![OnceLock::new(); results.len()],
            outputs,
            results,
            tape: compiler.tape,
            calls: compiler.calls,
            formulas: compiler.formulas,
            called: compiler.called,
            statements,
        })
    }

    /// The text as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text in its one spelling: a statement a line, normal spaces, the fewest
    /// parentheses, the shortest numbers, no comments. It compiles to the same operations,
    /// and two texts that differ in their spelling alone have it in common: hash this.
    pub fn canonical(&self) -> String {
        canonical::text(&self.statements)
    }

    /// Names that the text uses but never assigns, in order of first appearance; of a
    /// declared vector all elements (`x[1]`), of a declared complex quantity both parts
    /// (`S11.re`, `S11.im`; polar: `S12.abs`, `S12.arg` in radians).
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Assigned names in order; the last one is the result of the model. A vector gives
    /// `y[1]`, `y[2]`, …, a complex quantity `G.re` and `G.im`.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Inputs on which `output` depends, in the order of [`Model::inputs`].
    ///
    /// # Errors
    /// [`EvalError::UnknownOutput`].
    pub fn inputs_of(&self, output: &str) -> Result<Vec<&str>, EvalError> {
        let program = self.program(output)?;
        let mut used = vec![false; self.inputs.len()];
        for &register in program {
            if let Op::Input(index) = self.tape.ops[register as usize] {
                used[index as usize] = true;
            }
        }
        Ok(self
            .inputs
            .iter()
            .zip(used)
            .filter(|(_, used)| *used)
            .map(|(n, _)| n.as_str())
            .collect())
    }

    /// Value of `output`; only the inputs on which it depends are asked for.
    ///
    /// # Errors
    /// Where `output` or an input is unknown, or an operation has no finite value.
    pub fn eval(
        &self,
        output: &str,
        value_of: &dyn Fn(&str) -> Option<f64>,
    ) -> Result<f64, EvalError> {
        let sequence = self.sequence(output)?;
        let mut workspace = sequence.workspace();
        for (at, index) in sequence.inputs().enumerate() {
            let input = &self.inputs[index];
            let value = value_of(input).ok_or_else(|| EvalError::MissingInput {
                input: input.clone(),
            })?;
            workspace.set_input(&sequence, at, value);
        }
        sequence.forward(&mut workspace);
        sequence.check(&workspace, 0)?;
        Ok(workspace.output(&sequence, 0))
    }

    /// Value of `output` and its exact derivatives to all inputs (reverse differentiation),
    /// `values` and derivatives in the order of [`Model::inputs`].
    ///
    /// # Errors
    /// As [`Model::eval`]; also where a derivative does not exist (|x| at 0, a tie of
    /// `min`, √x at 0, an `if` exactly where it changes).
    pub fn gradient(&self, output: &str, values: &[f64]) -> Result<(f64, Vec<f64>), EvalError> {
        let still = vec![0.0; values.len()];
        let (value, derivatives) = self.differentiate(output, values, &still, |value, _| value)?;
        Ok((value, derivatives))
    }

    /// Value of `output`, and for each input x the derivative ∂f/∂x with its first and second
    /// derivative along `direction`: Σ f_xj·d_j and Σ f_xjk·d_j·d_k. All in the order of
    /// [`Model::inputs`], exact to rounding.
    ///
    /// # Errors
    /// As [`Model::gradient`], for derivatives up to the third order.
    pub fn gradient_along(
        &self,
        output: &str,
        values: &[f64],
        direction: &[f64],
    ) -> Result<(f64, Vec<[f64; 3]>), EvalError> {
        let jet = |value, first| Jet {
            value,
            first,
            second: 0.0,
        };
        let (value, gradient) = self.differentiate(output, values, direction, jet)?;
        let parts = |jet: Jet| [jet.value, jet.first, jet.second];
        Ok((value.value, gradient.into_iter().map(parts).collect()))
    }

    fn differentiate<S: Scalar>(
        &self,
        output: &str,
        values: &[f64],
        direction: &[f64],
        scalar: impl Fn(f64, f64) -> S,
    ) -> Result<(S, Vec<S>), EvalError> {
        let sequence = self.sequence(output)?;
        self.check_shape(values.len())?;
        self.check_shape(direction.len())?;
        let mut workspace = sequence.workspace();
        for (at, index) in sequence.inputs().enumerate() {
            workspace.set_input(&sequence, at, scalar(values[index], direction[index]));
        }
        sequence.forward(&mut workspace);
        sequence.check(&workspace, 0)?;
        sequence.backward(&mut workspace, 0)?;
        sequence.check_gradient(&workspace, 0)?;
        let mut gradient = vec![S::constant(0.0); self.inputs.len()];
        for (index, &slope) in sequence.inputs().zip(workspace.gradient(&sequence)) {
            gradient[index] = slope;
        }
        Ok((workspace.output(&sequence, 0), gradient))
    }

    /// The operations of one output.
    pub(crate) fn sequence(&self, output: &str) -> Result<Arc<Sequence>, EvalError> {
        self.program(output)?;
        let at = self.outputs.iter().position(|name| name == output);
        let at = at.unwrap_or_default();
        let made =
            self.sequences[at].get_or_init(|| Arc::new(self.arranged(&self.results[at..=at])));
        Ok(Arc::clone(made))
    }

    fn arranged(&self, results: &[Register]) -> Sequence {
        let formulas = self.formulas.iter().map(|formula| formula.name.clone());
        Sequence::new(&self.tape, results, &self.inputs, formulas.collect())
    }

    /// `output` for many trials at once: `columns` in the order of [`Model::inputs`], each as
    /// long as `out`. The same bits as [`Model::eval`] trial by trial.
    ///
    /// # Errors
    /// As [`Model::eval`], for the first trial that fails.
    pub fn eval_block(
        &self,
        output: &str,
        columns: &[&[f64]],
        out: &mut [f64],
    ) -> Result<(), EvalError> {
        self.program(output)?;
        let fitting = columns
            .iter()
            .filter(|column| column.len() == out.len())
            .count();
        self.check_shape(if fitting == columns.len() {
            columns.len()
        } else {
            fitting
        })?;
        self.lanes(output, columns, out)
    }

    /// Named formulas that the model uses, in order of first use; for the certificate.
    pub fn formulas(&self) -> Vec<&Formula> {
        self.formulas.iter().map(AsRef::as_ref).collect()
    }

    /// Formulas that these values take outside their stated ranges, of those that the outputs
    /// depend on; a name that is no output asks for nothing. A call in the branch of an `if`
    /// that is not taken gives nothing to the result and is not judged, and neither is one
    /// whose arguments need an input without a value.
    pub fn check_ranges(
        &self,
        outputs: &[&str],
        value_of: &dyn Fn(&str) -> Option<f64>,
    ) -> Vec<RangeViolation> {
        let values = self.deciding_values(value_of);
        let active = self.active(outputs, &values);
        let mut violations = Vec::new();
        let calls = self
            .calls
            .iter()
            .filter(|call| active[call.result as usize]);
        for call in calls {
            let formula = &self.formulas[call.formula];
            for (argument, register) in formula.arguments.iter().zip(&call.arguments) {
                let value = values.get(register).copied().unwrap_or(f64::NAN);
                // No number: an input is not known, or the model has no value here.
                if !value.is_nan() && !(argument.min..=argument.max).contains(&value) {
                    violations.push(RangeViolation::of(formula, argument, value));
                }
            }
        }
        violations
    }

    /// Values of the arguments of all calls and of the conditions of all branches.
    fn deciding_values(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> BTreeMap<Register, f64> {
        let arguments = self.calls.iter().flat_map(|call| &call.arguments).copied();
        // The roots too, so that calls inside an equation are judged at its solution.
        let deciding = (0..).zip(&self.tape.ops).filter_map(|(at, op)| match op {
            Op::Root { .. } => Some(at),
            Op::Select(condition, _, _) => Some(*condition),
            _ => None,
        });
        let registers: Vec<Register> = arguments.chain(deciding).collect();
        let sequence = self.arranged(&registers);
        let mut workspace = sequence.workspace();
        for (at, index) in sequence.inputs().enumerate() {
            let value = value_of(&self.inputs[index]);
            workspace.set_input(&sequence, at, value.unwrap_or(f64::NAN));
        }
        sequence.forward(&mut workspace);
        let places = registers.into_iter().enumerate();
        places
            .map(|(at, register)| (register, workspace.output(&sequence, at)))
            .collect()
    }

    /// The operations that reach one of the outputs, by register. Where a condition has no
    /// value both branches may.
    fn active(&self, outputs: &[&str], values: &BTreeMap<Register, f64>) -> Vec<bool> {
        let mut active = vec![false; self.tape.ops.len()];
        for (name, &result) in self.outputs.iter().zip(&self.results) {
            if outputs.contains(&name.as_str()) {
                active[result as usize] = true;
            }
        }
        for at in (0..active.len()).rev() {
            if !active[at] {
                continue;
            }
            let op = self.tape.ops[at];
            let not_taken = match op {
                Op::Select(condition, then, otherwise) => match values.get(&condition) {
                    Some(0.0) => Some(then),
                    Some(found) if !found.is_nan() => Some(otherwise),
                    _ => None,
                }
                .filter(|_| then != otherwise),
                _ => None,
            };
            for operand in op.operands().filter(|&one| Some(one) != not_taken) {
                active[operand as usize] = true;
            }
        }
        active
    }

    /// The equations in the mathematical notation of typst, one a line.
    pub fn to_typst(&self) -> String {
        typeset::equations(&self.statements, typeset::Notation::Typst)
    }

    /// The equations in the mathematical notation of LaTeX (amsmath), one a line.
    pub fn to_latex(&self) -> String {
        typeset::equations(&self.statements, typeset::Notation::Latex)
    }

    /// What the units of inputs and outputs say against the text: sums and comparisons of
    /// different dimensions or of different scales (mm + m), functions of something with a
    /// dimension, angles in degrees, arguments of formulas and results in another unit than
    /// stated. `unit_of` is asked for inputs, declared names (`x` for all elements of a
    /// vector, `S11` for both parts) and outputs; what has no unit is not judged.
    ///
    /// A number in the text may be a constant with a unit of its own, `1013.25` or `17.62`:
    /// what it is added to keeps its dimension, and a product with it is judged only where
    /// it is a small whole number, a half, π, or a factor between units such as 1000.
    ///
    /// At most one finding a line, in the order of the text; none means that nothing speaks
    /// against it.
    pub fn check_units(&self, unit_of: &dyn Fn(&str) -> Option<UnitExpression>) -> Vec<Diagnostic> {
        let formula = |name: &str| self.called.get(name).map(|&at| self.formulas[at].as_ref());
        let mut found = dimension::findings(&self.statements, unit_of, &formula);
        one_a_line(&mut found);
        found
    }

    fn program(&self, output: &str) -> Result<&[Register], EvalError> {
        let at = self.outputs.iter().position(|name| name == output);
        at.map(|at| {
            self.programs[at]
                .get_or_init(|| self.tape.needed_for(self.results[at]))
                .as_slice()
        })
        .ok_or_else(|| EvalError::UnknownOutput {
            output: output.to_owned(),
            known: self.outputs.join(", "),
        })
    }

    fn check_shape(&self, found: usize) -> Result<(), EvalError> {
        let expected = self.inputs.len();
        if found == expected {
            Ok(())
        } else {
            Err(EvalError::WrongShape { expected, found })
        }
    }
}
