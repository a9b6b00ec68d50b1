//! Inverse of a model: the input that gives a wanted result.

use crate::model::{EvalError, Model};

/// Why a model could not be inverted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// A model without a value somewhere in the bracket.
    #[error(transparent)]
    Model(#[from] EvalError),
    /// An output that does not depend on the unknown.
    #[error("{symbol:?} is no input on which {output:?} depends")]
    NotAnInput {
        /// Symbol of the unknown.
        symbol: String,
        /// Name of the output quantity.
        output: String,
    },
    /// Results at both ends on the same side of the target.
    #[error(
        "no {symbol} from {low} to {high} is known to give {target}: the model gives {at_low} and {at_high} at the ends"
    )]
    NotBracketed {
        /// Symbol of the unknown.
        symbol: String,
        /// Lower end of the bracket, in the unit of the unknown.
        low: f64,
        /// Upper end of the bracket, in the unit of the unknown.
        high: f64,
        /// Result that was asked for, in the unit of the output.
        target: f64,
        /// Result at the lower end.
        at_low: f64,
        /// Result at the upper end.
        at_high: f64,
    },
}

/// The value of the input `symbol` inside `bracket` at which `output` equals `target`; the
/// other inputs come from `value_of`. By bisection down to neighbouring numbers: slow and
/// certain (a dew point costs about 60 evaluations).
///
/// # Errors
/// [`SolveError`]: the model has no value somewhere in the bracket, or both ends lie on the
/// same side of the target.
pub fn solve(
    model: &Model,
    output: &str,
    symbol: &str,
    target: f64,
    bracket: [f64; 2],
    value_of: &dyn Fn(&str) -> Option<f64>,
) -> Result<f64, SolveError> {
    if !model.inputs_of(output)?.contains(&symbol) {
        let (symbol, output) = (symbol.to_owned(), output.to_owned());
        return Err(SolveError::NotAnInput { symbol, output });
    }
    let excess = |x: f64| -> Result<f64, EvalError> {
        let value = |name: &str| {
            if name == symbol {
                Some(x)
            } else {
                value_of(name)
            }
        };
        Ok(model.eval(output, &value)? - target)
    };
    let [mut low, mut high] = bracket;
    let (mut at_low, mut at_high) = (excess(low)?, excess(high)?);
    let opposite = (at_low <= 0.0 && at_high >= 0.0) || (at_low >= 0.0 && at_high <= 0.0);
    if !(opposite && low < high) {
        return Err(SolveError::NotBracketed {
            symbol: symbol.to_owned(),
            low,
            high,
            target,
            at_low: at_low + target,
            at_high: at_high + target,
        });
    }
    let rising = at_low < at_high;
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return Ok(if at_low.abs() <= at_high.abs() {
                low
            } else {
                high
            });
        }
        let at_middle = excess(middle)?;
        if (at_middle > 0.0) == rising {
            (high, at_high) = (middle, at_middle);
        } else {
            (low, at_low) = (middle, at_middle);
        }
    }
}
