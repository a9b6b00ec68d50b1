//! Propagation of uncertainty by the GUM (JCGM 100:2008, clause 5 and annex G).

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::covariance::{CorrelationError, correlation_matrix, factor};
use crate::input::{Correlation, Distribution, Input, InputError, in_order};
use crate::model::{EvalError, Model};
use crate::student;

/// Result of a propagation: value, uncertainty and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    pub output: String,
    pub value: f64,
    /// Combined standard uncertainty, in the unit of the value.
    pub u: f64,
    /// Effective degrees of freedom (JCGM 100:2008, G.4.1), not truncated.
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
    /// Coverage factor: Student's t at the truncated degrees of freedom.
    pub k: f64,
    /// k·u.
    pub expanded: f64,
    /// Coverage probability, for example 0.9545.
    pub coverage: f64,
    /// Inputs on which the output depends, in the order of the model.
    pub rows: Vec<BudgetRow>,
}

/// One input of a budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetRow {
    pub symbol: String,
    pub value: f64,
    pub u: f64,
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
    pub distribution: Distribution,
    /// ∂output/∂input at the estimates.
    pub sensitivity: f64,
    /// |sensitivity|·u.
    pub contribution: f64,
    /// contribution² over the combined variance. The shares sum to 1 where no inputs are
    /// correlated; correlation adds or takes what no single input owns.
    pub share: f64,
}

/// Why the law of propagation gives no uncertainty.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PropagationError {
    #[error("the coverage probability must lie between 0 and 1, not {0}")]
    Coverage(f64),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Correlation(#[from] CorrelationError),
    #[error(transparent)]
    Model(#[from] EvalError),
    #[error(
        "every sensitivity of {output:?} vanishes at the estimates, so that a first-order \
         propagation would give no uncertainty at all: use the Monte Carlo method"
    )]
    Vanishing { output: String },
    #[error(
        "{symbol:?} is correlated and has {dof} degrees of freedom: the formula of Welch and \
         Satterthwaite holds for independent inputs only; enter it with a covariance that \
         counts as exactly known"
    )]
    CorrelatedDof { symbol: String, dof: f64 },
}

/// Combines the standard uncertainties of `inputs` to that of `output`
/// (JCGM 100:2008, equations 13 and 16) with exact derivatives, and expands it for the
/// probability `coverage`.
///
/// `inputs` must be exactly the inputs of the model, in any order.
///
/// # Errors
/// [`PropagationError`]: wrong inputs, contradicting correlations, a model without value or
/// derivative, a first order that says nothing, or correlated inputs with finite degrees of
/// freedom.
pub fn propagate(
    model: &Model,
    output: &str,
    inputs: &[Input],
    correlations: &[Correlation],
    coverage: f64,
) -> Result<Budget, PropagationError> {
    if !(coverage > 0.0 && coverage < 1.0) {
        return Err(PropagationError::Coverage(coverage));
    }
    let inputs = in_order(model.inputs(), inputs)?;
    let correlation = correlation_matrix(&inputs, correlations)?;
    let lower = factor(&correlation, &inputs)?;
    let values: Vec<f64> = inputs.iter().map(|input| input.value).collect();
    let (value, sensitivities) = model.gradient(output, &values)?;
    let parts: Vec<f64> = inputs
        .iter()
        .zip(&sensitivities)
        .map(|(input, c)| c * input.u)
        .collect();
    // cᵀ·V·c with V = diag(u)·L·Lᵀ·diag(u): a sum of squares, never negative.
    let variance = (0..parts.len())
        .map(|k| (k..parts.len()).fold(0.0, |sum, i| sum + lower[(i, k)] * parts[i]))
        .fold(0.0, |sum, column| sum + column * column);
    let u = variance.sqrt();
    let used = model.inputs_of(output)?;
    let felt = |input: &&&Input| used.contains(&input.symbol.as_str());
    if parts.iter().all(|&part| part == 0.0)
        && inputs.iter().filter(felt).any(|input| input.u > 0.0)
    {
        return Err(PropagationError::Vanishing {
            output: output.to_owned(),
        });
    }
    let dof = effective_dof(&inputs, &parts, &correlation, u)?;
    let k = coverage_factor(dof, coverage);
    let rows = inputs
        .iter()
        .zip(sensitivities.iter().zip(&parts))
        .filter(|(input, _)| felt(input))
        .map(|(input, (&sensitivity, part))| BudgetRow {
            symbol: input.symbol.clone(),
            value: input.value,
            u: input.u,
            dof: input.dof,
            distribution: input.distribution.clone(),
            sensitivity,
            contribution: part.abs(),
            share: if variance > 0.0 {
                part * part / variance
            } else {
                0.0
            },
        })
        .collect();
    Ok(Budget {
        output: output.to_owned(),
        value,
        u,
        dof,
        k,
        expanded: k * u,
        coverage,
        rows,
    })
}

/// Welch–Satterthwaite (JCGM 100:2008, G.4.1, equation G.2b). Inputs that are correlated
/// among themselves are one term of the sum only where their covariance counts as exactly
/// known.
fn effective_dof(
    inputs: &[&Input],
    parts: &[f64],
    correlation: &DMatrix<f64>,
    u: f64,
) -> Result<f64, PropagationError> {
    for (i, input) in inputs.iter().enumerate() {
        let correlated =
            (0..inputs.len()).any(|j| j != i && correlation[(i, j)] != 0.0 && parts[j] != 0.0);
        if correlated && parts[i] != 0.0 && input.dof.is_finite() {
            let (symbol, dof) = (input.symbol.clone(), input.dof);
            return Err(PropagationError::CorrelatedDof { symbol, dof });
        }
    }
    // Ratios to u, so that small units do not underflow in the fourth power.
    let sum = inputs
        .iter()
        .zip(parts)
        .filter(|(_, part)| **part != 0.0)
        .fold(0.0, |sum, (input, part)| {
            let square = (part / u) * (part / u);
            sum + square * square / input.dof
        });
    Ok(if sum > 0.0 { 1.0 / sum } else { f64::INFINITY })
}

/// Coverage factor for a two-sided interval of probability `coverage`: Student's t at `dof`
/// truncated to a whole number (JCGM 100:2008, G.4.1, note 1), the normal quantile where
/// `dof` is infinite.
pub fn coverage_factor(dof: f64, coverage: f64) -> f64 {
    // A single input with 9 degrees of freedom gives 8.999…8 by rounding; that is 9.
    let whole = (dof * (1.0 + 1e-9)).floor().max(1.0);
    student::upper_quantile(0.5 * (1.0 - coverage), whole)
}
