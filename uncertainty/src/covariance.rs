//! Correlation matrices and their factor.

use nalgebra::DMatrix;

use crate::input::{Correlation, Input};

/// Why correlations are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CorrelationError {
    #[error("the correlation of {symbol:?} names an input that the model does not have")]
    Unknown { symbol: String },
    #[error("the correlation of {a:?} and {b:?} is {r}: it must lie between -1 and 1")]
    OutOfRange { a: String, b: String, r: f64 },
    #[error("the correlation of {a:?} and {b:?} is given twice, or of an input with itself")]
    Repeated { a: String, b: String },
    #[error(
        "the correlations contradict each other (the matrix is not positive semidefinite): \
         {symbol:?} cannot be correlated in this way with the inputs before it"
    )]
    Contradictory { symbol: String },
}

/// Correlation matrix of the inputs in their order.
pub fn correlation_matrix(
    inputs: &[&Input],
    correlations: &[Correlation],
) -> Result<DMatrix<f64>, CorrelationError> {
    let mut matrix = DMatrix::identity(inputs.len(), inputs.len());
    let find = |symbol: &String| {
        let at = inputs.iter().position(|input| input.symbol == *symbol);
        at.ok_or_else(|| CorrelationError::Unknown {
            symbol: symbol.clone(),
        })
    };
    let mut seen = Vec::new();
    for Correlation { a, b, r } in correlations {
        let (row, column) = (find(a)?, find(b)?);
        let pair = (row.min(column), row.max(column));
        if row == column || seen.contains(&pair) {
            return Err(CorrelationError::Repeated {
                a: a.clone(),
                b: b.clone(),
            });
        }
        if !(-1.0..=1.0).contains(r) {
            return Err(CorrelationError::OutOfRange {
                a: a.clone(),
                b: b.clone(),
                r: *r,
            });
        }
        seen.push(pair);
        matrix[(row, column)] = *r;
        matrix[(column, row)] = *r;
    }
    Ok(matrix)
}

/// Smallest pivot that counts as more than rounding of correlations given to few digits'
/// worth of double precision.
const PIVOT_TOLERANCE: f64 = 1e-10;

/// Lower triangular L with L·Lᵀ = `matrix`, also for matrices that are only semidefinite
/// (|r| = 1 is legitimate: one standard used twice), which `nalgebra::Cholesky` refuses.
/// Written out in one order of operations, because the blocked products of a linear
/// algebra library differ between processors in the last bits.
pub fn factor(matrix: &DMatrix<f64>, inputs: &[&Input]) -> Result<DMatrix<f64>, CorrelationError> {
    let n = matrix.nrows();
    let mut lower = DMatrix::zeros(n, n);
    for j in 0..n {
        let rest = |i: usize, lower: &DMatrix<f64>| {
            (0..j).fold(matrix[(i, j)], |sum, k| sum - lower[(i, k)] * lower[(j, k)])
        };
        let contradictory = |at: usize| CorrelationError::Contradictory {
            symbol: inputs[at].symbol.clone(),
        };
        let pivot = rest(j, &lower);
        if pivot < -PIVOT_TOLERANCE {
            return Err(contradictory(j));
        }
        if pivot <= PIVOT_TOLERANCE {
            // A zero pivot leaves no freedom: the rest of its column must vanish too
            // (|l_ij| is at most √pivot).
            if let Some(i) = (j + 1..n).find(|&i| rest(i, &lower).abs() > PIVOT_TOLERANCE.sqrt()) {
                return Err(contradictory(i));
            }
            continue;
        }
        lower[(j, j)] = pivot.sqrt();
        for i in j + 1..n {
            lower[(i, j)] = rest(i, &lower) / lower[(j, j)];
        }
    }
    Ok(lower)
}
