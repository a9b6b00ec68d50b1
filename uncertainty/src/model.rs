//! Measurement models as text.
//!
//! ```text
//! # vapour pressure at the mirror, then relative humidity
//! e  = f(td + d_td, p) * ew(td + d_td)
//! rh = 100 * e / (f(t, p) * ew(t))
//! ```
//!
//! One `name = expression` a line; inside parentheses an expression may go over several
//! lines. Operators `+ - * / ^` (−x² is −(x²)), functions `exp ln log10 sqrt abs sin cos min
//! max`, the constant `pi`, and the named formulas of a [`Library`]. Names that are never
//! assigned are the inputs; every assigned name is an output.

mod compile;
mod evaluate;
mod lex;
mod parse;
mod tape;
mod typeset;

use std::fmt;
use std::sync::Arc;

use heng_quantities::Unit;

pub(crate) use compile::{Compiler, is_reserved};
pub(crate) use parse::{Statement, parse};

use crate::formula::{Formula, Library};
use compile::CallSite;
use evaluate::known_values;
use tape::{Register, Tape};

/// Something wrong in the text of a model or a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Counted from 1.
    pub line: usize,
    /// Characters, counted from 1.
    pub column: usize,
    pub message: String,
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

/// Why a model gives no value. Lines and columns are those of its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    #[error("the model has no result {output:?}; its results are {known}")]
    UnknownOutput { output: String, known: String },
    #[error("the input {input:?} of the model has no value")]
    MissingInput { input: String },
    #[error(
        "the model has {expected} inputs, but {found} values or columns of equal length were given"
    )]
    WrongShape { expected: usize, found: usize },
    #[error("line {line}, column {column}: {operation} has no finite value")]
    Domain {
        line: usize,
        column: usize,
        operation: String,
    },
    #[error("line {line}, column {column}: {operation} has no finite derivative at this point")]
    NotDifferentiable {
        line: usize,
        column: usize,
        operation: String,
    },
}

/// A formula used outside the range for which its source states it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RangeViolation {
    pub formula: String,
    pub argument: String,
    pub unit: Unit,
    pub value: f64,
    pub min: f64,
    pub max: f64,
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
    /// For each output the operations that it needs, in order; its own is the last.
    programs: Vec<Vec<Register>>,
    tape: Tape,
    calls: Vec<CallSite>,
    formulas: Vec<Arc<Formula>>,
}

impl Model {
    /// Compiles a text; the named formulas that it calls come from `library`.
    ///
    /// # Errors
    /// Everything that is wrong with the text, at most one finding a line.
    pub fn compile(source: &str, library: &Library) -> Result<Self, Vec<Diagnostic>> {
        let statements = parse(source)?;
        let mut compiler = Compiler::new(library);
        let results = compiler.model(&statements)?;
        Ok(Self {
            source: source.to_owned(),
            inputs: compiler.inputs,
            outputs: statements
                .iter()
                .map(|statement| statement.name.clone())
                .collect(),
            programs: results
                .iter()
                .map(|&result| compiler.tape.needed_for(result))
                .collect(),
            tape: compiler.tape,
            calls: compiler.calls,
            formulas: compiler.formulas,
            statements,
        })
    }

    /// The text as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Names that the text uses but never assigns, in order of first appearance.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Assigned names in order; the last one is the result of the model.
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
            if let tape::Op::Input(index) = self.tape.ops[register as usize] {
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
        let program = self.program(output)?;
        let mut values = vec![0.0; self.inputs.len()];
        for &register in program {
            if let tape::Op::Input(index) = self.tape.ops[register as usize] {
                let input = &self.inputs[index as usize];
                values[index as usize] =
                    value_of(input).ok_or_else(|| EvalError::MissingInput {
                        input: input.clone(),
                    })?;
            }
        }
        let registers = self.forward(program, |index| values[index as usize])?;
        Ok(last_of(program, &registers))
    }

    /// Value of `output` and its exact derivatives to all inputs (reverse differentiation),
    /// `values` and derivatives in the order of [`Model::inputs`].
    ///
    /// # Errors
    /// As [`Model::eval`]; also where a derivative does not exist (|x| at 0, a tie of
    /// `min`, √x at 0).
    pub fn gradient(&self, output: &str, values: &[f64]) -> Result<(f64, Vec<f64>), EvalError> {
        let program = self.program(output)?;
        self.check_shape(values.len())?;
        let registers = self.forward(program, |index| values[index as usize])?;
        let gradient = self.backward(program, &registers)?;
        Ok((last_of(program, &registers), gradient))
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
        let program = self.program(output)?;
        let fitting = columns
            .iter()
            .filter(|column| column.len() == out.len())
            .count();
        self.check_shape(if fitting == columns.len() {
            columns.len()
        } else {
            fitting
        })?;
        self.lanes(program, columns, out)
    }

    /// Named formulas that the model uses, in order of first use; for the certificate.
    pub fn formulas(&self) -> Vec<&Formula> {
        self.formulas.iter().map(AsRef::as_ref).collect()
    }

    /// Formulas that these values take outside their stated ranges. Calls whose arguments
    /// need an input without a value are left out.
    pub fn check_ranges(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> Vec<RangeViolation> {
        let values = known_values(&self.tape, |index| value_of(&self.inputs[index as usize]));
        let mut violations = Vec::new();
        for call in &self.calls {
            let formula = &self.formulas[call.formula];
            for (argument, &register) in formula.arguments.iter().zip(&call.arguments) {
                let Some(value) = values[register as usize] else {
                    continue;
                };
                if !(argument.min..=argument.max).contains(&value) {
                    violations.push(RangeViolation {
                        formula: formula.name.clone(),
                        argument: argument.name.clone(),
                        unit: argument.unit,
                        value,
                        min: argument.min,
                        max: argument.max,
                    });
                }
            }
        }
        violations
    }

    /// The equations in the mathematical notation of typst, one a line.
    pub fn to_typst(&self) -> String {
        typeset::equations(&self.statements)
    }

    fn program(&self, output: &str) -> Result<&[Register], EvalError> {
        let at = self.outputs.iter().position(|name| name == output);
        at.map(|at| self.programs[at].as_slice())
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

fn last_of(program: &[Register], registers: &[f64]) -> f64 {
    program
        .last()
        .map_or(f64::NAN, |&last| registers[last as usize])
}
