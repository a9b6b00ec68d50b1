//! Propagation of uncertainty by the GUM (JCGM 100:2008, clause 5 and annex G).

mod layout;
mod propagator;
mod warning;

use serde::{Deserialize, Serialize};

use crate::covariance::CorrelationError;
use crate::input::{Distribution, Input, InputError, Inputs, in_order};
use crate::model::{EvalError, Model};
use crate::second_order::Point;
use crate::student;

pub use layout::{Layout, ensembles};
pub use propagator::{Entry, Propagated, Propagator};
pub use warning::Warning;

/// Result of a propagation: value, uncertainty and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Name of the output quantity in the model.
    pub output: String,
    /// Output estimate y = f(x₁, …) (JCGM 100:2008, 4.1.4).
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
    /// Reasons not to trust the expanded uncertainty without the Monte Carlo method.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl Budget {
    /// What correlation adds to the sum of the shares of the rows (or takes, where it is
    /// negative) to make 1; 0 without uncertainty.
    pub fn share_of_correlation(&self) -> f64 {
        if self.u > 0.0 {
            1.0 - self.rows.iter().fold(0.0, |sum, row| sum + row.share)
        } else {
            0.0
        }
    }
}

/// One input of a budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetRow {
    /// Symbol of the input quantity in the model.
    pub symbol: String,
    /// Input estimate (JCGM 100:2008, 4.1.4).
    pub value: f64,
    /// Standard uncertainty (JCGM 100:2008, 2.3.1), in the unit of the value.
    pub u: f64,
    /// Degrees of freedom of `u` (JCGM 100:2008, 4.2.6 and G.4.2).
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
    /// Probability distribution of the input (JCGM 100:2008, 4.3; JCGM 101:2008, 6.4).
    pub distribution: Distribution,
    /// ∂output/∂input at the estimates.
    pub sensitivity: f64,
    /// |sensitivity|·u.
    pub contribution: f64,
    /// contribution² over the combined variance. The shares sum to 1 where no inputs are
    /// correlated; correlation adds or takes what no single input owns.
    pub share: f64,
}

/// Budgets of several outputs of one model, and how their errors go together
/// (JCGM 102:2011, 6.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JointBudget {
    /// One of each output, in the order in which they were asked for.
    pub budgets: Vec<Budget>,
    /// Covariances of the outputs: rows and columns in the order of the budgets, each in the
    /// product of the two units. Symmetric and positive semidefinite to rounding.
    pub covariance: Vec<Vec<f64>>,
    /// Correlation coefficients in the same order: 1 on the diagonal, 0 between outputs of
    /// which one has no uncertainty.
    pub correlation: Vec<Vec<f64>>,
}

/// Why the law of propagation gives no uncertainty.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PropagationError {
    /// A coverage probability that is none; as given.
    #[error("the coverage probability must lie between 0 and 1, not {0}")]
    Coverage(f64),
    /// An input that is refused, missing or too many.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Correlations that are refused.
    #[error(transparent)]
    Correlation(#[from] CorrelationError),
    /// A model without value or derivative at the estimates.
    #[error(transparent)]
    Model(#[from] EvalError),
    /// Uncertain inputs, but no sensitivity to any of them: u = 0 would be wrong (JCGM 100:2008,
    /// 5.1.2, note).
    #[error(
        "every sensitivity of {output:?} vanishes at the estimates, so that a first-order \
         propagation would give no uncertainty at all: ask for the second order, or use the \
         Monte Carlo method"
    )]
    Vanishing {
        /// Name of the output quantity.
        output: String,
    },
    /// Finite degrees of freedom of correlated inputs outside of an ensemble (JCGM 100:2008,
    /// G.4.1, asks for independent inputs).
    #[error(
        "{symbol:?} is correlated and has {dof} degrees of freedom: the formula of Welch and \
         Satterthwaite holds for independent inputs only; name the inputs that were estimated \
         together as an ensemble, or enter them with a covariance that counts as exactly known"
    )]
    CorrelatedDof {
        /// Symbol of the correlated input.
        symbol: String,
        /// Its degrees of freedom.
        dof: f64,
    },
    /// An ensemble that is none.
    #[error("{symbol:?} cannot belong to an ensemble in this way: {problem}")]
    Ensemble {
        /// Symbol of the input.
        symbol: String,
        /// What is wrong with its place in the ensemble.
        problem: &'static str,
    },
    /// Effective degrees of freedom next to 0: the coverage factor exceeds 10¹⁰⁰.
    #[error(
        "{output:?} has {dof} effective degrees of freedom, for which no interval is wide enough: \
         look at the degrees of freedom of its largest contributions"
    )]
    TooFewDof {
        /// Name of the output quantity.
        output: String,
        /// Its effective degrees of freedom (JCGM 100:2008, G.4.1).
        dof: f64,
    },
    /// A number beyond double precision.
    #[error("the {what} of {output:?} is too large for a number; choose larger units")]
    NotFinite {
        /// Name of the output quantity.
        output: String,
        /// Which of its numbers.
        what: &'static str,
    },
    /// More uncertain inputs than the second order takes.
    #[error(
        "{count} uncertain inputs are too many for the second order, which takes {limit}: use \
         the Monte Carlo method"
    )]
    TooManyInputs {
        /// Uncertain inputs of the output.
        count: usize,
        /// The most that are taken.
        limit: usize,
    },
}

/// Combines the standard uncertainties of `inputs` to that of `output`
/// (JCGM 100:2008, equations 13 and 16) with exact derivatives, and expands it for the
/// probability `coverage`.
///
/// `inputs` must be exactly the inputs of the model, in any order; those that `output` does
/// not use change nothing.
///
/// # Errors
/// [`PropagationError`]: wrong inputs, contradicting correlations, a model without value or
/// derivative, a first order that says nothing, or degrees of freedom of inputs that are
/// correlated but not estimated together.
pub fn propagate(
    model: &Model,
    output: &str,
    inputs: &Inputs,
    coverage: f64,
) -> Result<Budget, PropagationError> {
    let given = Given::new(model, inputs, coverage)?;
    Ok(given.budget(model, output)?.0)
}

/// [`propagate`] for several outputs, with the covariances that their common inputs give
/// them (JCGM 102:2011, 6.2.1.3: U_y = C·U_x·Cᵀ).
///
/// # Errors
/// As [`propagate`], for the first output that has no budget.
pub fn propagate_all(
    model: &Model,
    outputs: &[&str],
    inputs: &Inputs,
    coverage: f64,
) -> Result<JointBudget, PropagationError> {
    let given = Given::new(model, inputs, coverage)?;
    let mut budgets = Vec::with_capacity(outputs.len());
    let mut parts = Vec::with_capacity(outputs.len());
    for output in outputs {
        let (budget, components) = given.budget(model, output)?;
        budgets.push(budget);
        parts.push(components);
    }
    // One set of uncorrelated parts for all outputs makes the covariances sums of products.
    let everything: Vec<usize> = (0..given.ordered.len()).collect();
    let layout = Layout::new(&given.ordered, &everything, inputs)?;
    for part in &mut parts {
        layout.whiten(part);
    }
    let count = budgets.len();
    let mut covariance = vec![vec![0.0; count]; count];
    let mut correlation = covariance.clone();
    for i in 0..count {
        covariance[i][i] = budgets[i].u * budgets[i].u;
        correlation[i][i] = 1.0;
        for j in 0..i {
            let products = parts[i].iter().zip(&parts[j]);
            let shared = products.fold(0.0, |sum, (a, b)| sum + a * b);
            let scale = budgets[i].u * budgets[j].u;
            let r = if scale > 0.0 { shared / scale } else { 0.0 };
            (covariance[i][j], covariance[j][i]) = (shared, shared);
            correlation[i][j] = r.clamp(-1.0, 1.0);
            correlation[j][i] = correlation[i][j];
        }
    }
    Ok(JointBudget {
        budgets,
        covariance,
        correlation,
    })
}

/// What all outputs of one propagation share.
struct Given<'a> {
    ordered: Vec<&'a Input>,
    inputs: &'a Inputs,
    coverage: f64,
    values: Vec<f64>,
    u: Vec<f64>,
    dof: Vec<f64>,
}

impl<'a> Given<'a> {
    fn new(model: &Model, inputs: &'a Inputs, coverage: f64) -> Result<Self, PropagationError> {
        if !(coverage > 0.0 && coverage < 1.0) {
            return Err(PropagationError::Coverage(coverage));
        }
        let ordered = in_order(model.inputs(), &inputs.quantities)?;
        Ok(Self {
            values: ordered.iter().map(|input| input.value).collect(),
            u: ordered.iter().map(|input| input.u).collect(),
            dof: ordered.iter().map(|input| input.dof).collect(),
            ordered,
            inputs,
            coverage,
        })
    }

    /// The budget, and the signed components of all inputs of the model.
    fn budget(&self, model: &Model, output: &str) -> Result<(Budget, Vec<f64>), PropagationError> {
        let mut propagator = Propagator::prepared(model, output, &self.ordered, self.inputs)?;
        let found = propagator.evaluate(&self.values, &self.u, &self.dof)?;
        let k = coverage_factor(found.dof, self.coverage);
        if k.is_infinite() {
            let (output, dof) = (output.to_owned(), found.dof);
            return Err(PropagationError::TooFewDof { output, dof });
        }
        if !(k * found.u).is_finite() {
            return Err(propagator.too_large("expanded uncertainty"));
        }
        let used = propagator.used().to_vec();
        let row = |&index: &usize| {
            let (input, part) = (self.ordered[index], propagator.components()[index]);
            let relative = if found.u > 0.0 { part / found.u } else { 0.0 };
            BudgetRow {
                symbol: input.symbol.clone(),
                value: input.value,
                u: input.u,
                dof: input.dof,
                distribution: input.distribution.clone(),
                sensitivity: propagator.sensitivities()[index],
                contribution: part.abs(),
                share: relative * relative,
            }
        };
        let mut budget = Budget {
            output: output.to_owned(),
            value: found.value,
            u: found.u,
            dof: found.dof,
            k,
            expanded: k * found.u,
            coverage: self.coverage,
            rows: used.iter().map(row).collect(),
            warnings: Vec::new(),
        };
        let point = Point {
            values: used.iter().map(|&index| self.values[index]).collect(),
            u: used.iter().map(|&index| self.u[index]).collect(),
        };
        let components = propagator.components().to_vec();
        let (sequence, workspace, layout) = propagator.parts();
        budget.warnings = warning::warnings(&budget, sequence, workspace, layout, &point);
        Ok((budget, components))
    }
}

/// Beyond it the squares in Student's t overflow.
const LARGEST_FACTOR: f64 = 1e100;

/// Coverage factor for a two-sided interval of probability `coverage`: Student's t at `dof`
/// truncated to a whole number (JCGM 100:2008, G.4.1, note 1), the normal quantile where
/// `dof` is infinite.
///
/// Below 1 nothing is left to truncate to, and 1 would give too small a factor: there the
/// quantile of `dof` itself is taken, the other choice of that note. A factor above 10¹⁰⁰, for
/// degrees of freedom near 0, is given as infinite.
pub fn coverage_factor(dof: f64, coverage: f64) -> f64 {
    let factor = student::upper_quantile(0.5 * (1.0 - coverage), whole_dof(dof));
    if factor < LARGEST_FACTOR {
        factor
    } else {
        f64::INFINITY
    }
}

/// The degrees of freedom of the t distribution behind [`coverage_factor`].
pub(crate) fn whole_dof(dof: f64) -> f64 {
    // A single input with 9 degrees of freedom gives 8.999…8 by rounding; that is 9.
    let whole = (dof * (1.0 + 1e-9)).floor();
    if whole < 1.0 { dof } else { whole }
}
