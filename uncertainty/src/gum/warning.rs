//! What makes a budget less trustworthy than it looks.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::{Budget, BudgetRow};
use crate::input::Distribution;
use crate::model::{Sequence, Workspace};
use crate::second_order::{Point, Terms};

/// Relative change of u, and correction of the estimate in units of u, above which a
/// budget counts as non-linear. Rounding u to two digits (JCGM 100:2008, 7.2.6) changes it
/// by up to 5 % (0.5 in 10): what is larger shows in the stated result whatever its digits.
const NON_LINEAR: f64 = 0.05;

/// Below 3 whole degrees of freedom Student's t has no variance (JCGM 101:2008, 6.4.9.4).
const FEW_DOF: f64 = 3.0;

/// Standard uncertainties of the margin within which a switch is near: a normal quantity is
/// on its other side with a probability of more than 2 %.
const NEAR: f64 = 2.0;

/// Share of the variance above which the rest is at most 0.3 of the dominant contribution
/// (EA-4/02 M:2022, supplement 9: 1/(1 + 0.3²)).
const DOMINANT: f64 = 0.917;

/// Operations times inputs up to which second derivatives are looked at: a few
/// milliseconds.
const MOST_WORK: usize = 300_000;

/// A reason not to trust an interval of the law of propagation without the Monte Carlo
/// method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Warning {
    /// `min`, `max`, `abs` or `if` may take its other branch: the estimate of what it
    /// compares is within two of its standard uncertainties of the switch.
    Kink {
        /// Place in the text of the model, counted from 1.
        line: usize,
        /// Characters, counted from 1.
        column: usize,
        /// The operation with the values of its operands: `max(1.2, 1.3)`.
        operation: String,
        /// Distance from the switch, in the unit of what is compared.
        margin: f64,
        /// Standard uncertainty of the margin, in the unit of the margin.
        u: f64,
    },
    /// The second order changes u or the estimate by more than 5 % of u.
    NonLinear {
        /// Correction of the estimate, to be added, in the unit of the value (JCGM
        /// 100:2008/Amd.1:2026).
        correction: f64,
        /// Standard uncertainty of the first order, in the unit of the value.
        u_first: f64,
        /// None where the second order gives a negative variance.
        u_second: Option<f64>,
    },
    /// Nothing is known of the second order.
    NoSecondOrder {
        /// Why: too much work for every budget, or a derivative that does not exist.
        reason: String,
    },
    /// Fewer than 3 effective degrees of freedom.
    FewDof {
        /// Effective degrees of freedom, not truncated.
        dof: f64,
    },
    /// One input that is not normal makes almost all of the variance, so that the output is
    /// not normal either.
    Dominant {
        /// Symbol of that input.
        symbol: String,
        /// Its share of the combined variance, above 0.917.
        share: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kink {
                line,
                column,
                operation,
                margin,
                u,
            } => write!(
                f,
                "line {line}, column {column}: {operation} is {margin:.3e} from its switch with \
                 a standard uncertainty of {u:.3e}, so the other branch may hold as well"
            ),
            Self::NonLinear {
                correction,
                u_first,
                u_second: Some(u_second),
            } => write!(
                f,
                "the model is not linear within its uncertainties: the second order gives a \
                 standard uncertainty of {u_second:.3e} instead of {u_first:.3e} and corrects \
                 the estimate by {correction:.3e}"
            ),
            Self::NonLinear {
                correction,
                u_second: None,
                ..
            } => write!(
                f,
                "the model is so far from linear within its uncertainties that the second order \
                 gives no standard uncertainty; it corrects the estimate by {correction:.3e}"
            ),
            Self::NoSecondOrder { reason } => {
                write!(f, "how far the model is from linear is not known: {reason}")
            }
            Self::FewDof { dof } => write!(
                f,
                "{dof:.2} effective degrees of freedom are too few for an expanded uncertainty \
                 that means much"
            ),
            Self::Dominant { symbol, share } => write!(
                f,
                "{symbol} makes {:.1} % of the variance and is not normal, so the coverage \
                 factor of a normal or t distribution does not hold",
                100.0 * share
            ),
        }
    }
}

/// The warnings for a budget whose sensitivities stand in `workspace`.
pub fn warnings(
    budget: &Budget,
    sequence: &Sequence,
    workspace: &mut Workspace<f64>,
    layout: &Layout,
    point: &Point,
) -> Vec<Warning> {
    let mut warnings = kinks(sequence, workspace, layout, point);
    if budget.u > 0.0 {
        warnings.extend(non_linear(budget.u, sequence, layout, point));
    }
    if budget.dof < FEW_DOF {
        warnings.push(Warning::FewDof { dof: budget.dof });
    }
    warnings.extend(budget.rows.iter().filter_map(dominant));
    warnings
}

fn kinks(
    sequence: &Sequence,
    workspace: &mut Workspace<f64>,
    layout: &Layout,
    point: &Point,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for switch in sequence.switches(workspace) {
        let parts = switch.slopes.iter().zip(&point.u);
        let mut parts: Vec<f64> = parts.map(|(slope, u)| slope * u).collect();
        layout.whiten(&mut parts);
        let u = parts.iter().fold(0.0, |sum, part| sum + part * part).sqrt();
        if u > 0.0 && switch.margin.abs() <= NEAR * u {
            warnings.push(Warning::Kink {
                line: switch.line,
                column: switch.column,
                operation: switch.operation,
                margin: switch.margin,
                u,
            });
        }
    }
    warnings
}

fn non_linear(u: f64, sequence: &Sequence, layout: &Layout, point: &Point) -> Option<Warning> {
    let inputs = point.uncertain();
    let unknown = |reason| Some(Warning::NoSecondOrder { reason });
    if sequence.len().saturating_mul(inputs) > MOST_WORK {
        let operations = sequence.len();
        return unknown(format!(
            "{operations} operations on {inputs} uncertain inputs are too many to look at; ask for \
             the second order, or use the Monte Carlo method"
        ));
    }
    let terms = match Terms::new(sequence, layout, point) {
        Ok(terms) => terms,
        Err(error) => return unknown(error.to_string()),
    };
    let (correction, variance) = (terms.correction(), u * u + terms.second_variance());
    if !(correction.is_finite() && variance.is_finite()) {
        return unknown("its second order is too large for a number".to_owned());
    }
    let u_second = (variance >= 0.0).then(|| variance.sqrt());
    let change = u_second.map_or(f64::INFINITY, |u_second| (u_second - u).abs());
    (change.max(correction.abs()) > NON_LINEAR * u).then_some(Warning::NonLinear {
        correction,
        u_first: u,
        u_second,
    })
}

fn dominant(row: &BudgetRow) -> Option<Warning> {
    let normal = matches!(
        row.distribution,
        Distribution::Normal | Distribution::StudentT | Distribution::StudentTSd
    );
    (!normal && row.share > DOMINANT).then(|| Warning::Dominant {
        symbol: row.symbol.clone(),
        share: row.share,
    })
}
