//! Correlation matrices and their factor.

use std::collections::{BTreeMap, BTreeSet};

use nalgebra::DMatrix;

use crate::input::{Correlation, Input};

/// Why correlations are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CorrelationError {
    /// A correlation between inputs of which one does not exist.
    #[error("the correlation of {symbol:?} names an input that the model does not have")]
    Unknown {
        /// The symbol that the model does not have.
        symbol: String,
    },
    /// A coefficient outside of −1 to 1 (JCGM 100:2008, 5.2.2, equation 14).
    #[error("the correlation of {a:?} and {b:?} is {r}: it must lie between -1 and 1")]
    OutOfRange {
        /// Symbol of one input.
        a: String,
        /// Symbol of the other input.
        b: String,
        /// Correlation coefficient, as given.
        r: f64,
    },
    /// Two coefficients for one pair, or one for an input and itself.
    #[error("the correlation of {a:?} and {b:?} is given twice, or of an input with itself")]
    Repeated {
        /// Symbol of one input.
        a: String,
        /// Symbol of the other input.
        b: String,
    },
    /// Coefficients that no joint distribution has together: the matrix is not positive
    /// semidefinite.
    #[error(
        "the correlations contradict each other (the matrix is not positive semidefinite): \
         {symbol:?} cannot be correlated in this way with the inputs before it"
    )]
    Contradictory {
        /// Symbol of the first input that contradicts those before it.
        symbol: String,
    },
}

/// Correlation matrix of the indices `members`, in their order; pairs with others are left
/// out.
pub fn matrix_among(members: &[usize], pairs: &[(usize, usize, f64)]) -> DMatrix<f64> {
    let place: BTreeMap<usize, usize> = (0..).zip(members).map(|(k, &m)| (m, k)).collect();
    let mut matrix = DMatrix::identity(members.len(), members.len());
    for (a, b, r) in pairs {
        if let (Some(&row), Some(&column)) = (place.get(a), place.get(b)) {
            matrix[(row, column)] = *r;
            matrix[(column, row)] = *r;
        }
    }
    matrix
}

/// The correlations as (index, index, r) into `inputs`, each checked by itself.
pub fn correlated_pairs(
    inputs: &[&Input],
    correlations: &[Correlation],
) -> Result<Vec<(usize, usize, f64)>, CorrelationError> {
    let symbols = inputs.iter().enumerate();
    let places: BTreeMap<&str, usize> = symbols
        .map(|(at, input)| (input.symbol.as_str(), at))
        .collect();
    let find = |symbol: &String| {
        let at = places.get(symbol.as_str()).copied();
        at.ok_or_else(|| CorrelationError::Unknown {
            symbol: symbol.clone(),
        })
    };
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::with_capacity(correlations.len());
    for Correlation { a, b, r } in correlations {
        let (row, column) = (find(a)?, find(b)?);
        if row == column || !seen.insert((row.min(column), row.max(column))) {
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
        pairs.push((row, column, *r));
    }
    Ok(pairs)
}

/// Inputs that are correlated with each other, directly or through others, and the factor
/// of their correlation matrix. Inputs outside every group need none: a matrix of all of
/// them would be mostly zeros, and would let inputs that a result does not use change its
/// last bits.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrelatedGroup {
    /// Indices, rising.
    pub members: Vec<usize>,
    /// Rows of the lower triangle, one after the other.
    lower: Vec<f64>,
}

impl CorrelatedGroup {
    /// Lᵀ·p of the members' places in `parts`: uncorrelated parts with the same sum of
    /// squares as pᵀ·R·p.
    pub fn whiten(&self, parts: &mut [f64]) {
        let count = self.members.len();
        for (k, &to) in self.members.iter().enumerate() {
            let column = (k..count).fold(0.0, |sum, i| {
                sum + self.lower[i * (i + 1) / 2 + k] * parts[self.members[i]]
            });
            parts[to] = column;
        }
    }

    /// Column `k` of L: (index, coefficient) of each member.
    pub fn column(&self, k: usize) -> impl Iterator<Item = (usize, f64)> {
        let rows = self.members.iter().enumerate().skip(k);
        rows.map(move |(i, &member)| (member, self.lower[i * (i + 1) / 2 + k]))
    }
}

/// The groups among `pairs` of indices into `inputs`.
///
/// # Errors
/// [`CorrelationError::Contradictory`].
pub fn correlated_groups(
    inputs: &[&Input],
    pairs: &[(usize, usize, f64)],
) -> Result<Vec<CorrelatedGroup>, CorrelationError> {
    let felt = pairs.iter().filter(|(_, _, r)| *r != 0.0);
    connected(inputs.len(), felt.map(|&(a, b, _)| (a, b)))
        .into_iter()
        .map(|members| {
            let matrix = matrix_among(&members, pairs);
            let chosen: Vec<&Input> = members.iter().map(|&member| inputs[member]).collect();
            let factor = factor(&matrix, &chosen)?;
            let lower = (0..members.len())
                .flat_map(|i| (0..=i).map(move |k| (i, k)))
                .map(|at| factor[at])
                .collect();
            Ok(CorrelatedGroup { members, lower })
        })
        .collect()
}

/// Sets of two and more indices below `count` that the pairs connect, in the order of their
/// first members.
pub fn connected(count: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut neighbours = vec![Vec::new(); count];
    for (a, b) in pairs {
        neighbours[a].push(b);
        neighbours[b].push(a);
    }
    let mut reached = vec![false; count];
    let mut groups = Vec::new();
    for first in 0..count {
        let (mut open, mut members) = (vec![first], Vec::new());
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut reached[at], true) {
                members.push(at);
                open.extend(&neighbours[at]);
            }
        }
        if members.len() > 1 {
            members.sort_unstable();
            groups.push(members);
        }
    }
    groups
}

/// Smallest pivot that counts as more than rounding of correlations given to few digits'
/// worth of double precision.
const PIVOT_TOLERANCE: f64 = 1e-10;

/// [`lower_triangle`] of the correlation matrix of `inputs`.
pub fn factor(matrix: &DMatrix<f64>, inputs: &[&Input]) -> Result<DMatrix<f64>, CorrelationError> {
    lower_triangle(matrix).map_err(|at| CorrelationError::Contradictory {
        symbol: inputs[at].symbol.clone(),
    })
}

/// Lower triangular L with L·Lᵀ = `matrix`, also for matrices that are only semidefinite
/// (|r| = 1 is legitimate: one standard used twice), which `nalgebra::Cholesky` refuses.
/// Written out in one order of operations, because the blocked products of a linear
/// algebra library differ between processors in the last bits. The error is the first row that
/// contradicts those before it.
pub fn lower_triangle(matrix: &DMatrix<f64>) -> Result<DMatrix<f64>, usize> {
    let n = matrix.nrows();
    let mut lower = DMatrix::zeros(n, n);
    for j in 0..n {
        let rest = |i: usize, lower: &DMatrix<f64>| {
            (0..j).fold(matrix[(i, j)], |sum, k| sum - lower[(i, k)] * lower[(j, k)])
        };
        let pivot = rest(j, &lower);
        if pivot < -PIVOT_TOLERANCE {
            return Err(j);
        }
        if pivot <= PIVOT_TOLERANCE {
            // A zero pivot leaves no freedom: the rest of its column must vanish too
            // (|l_ij| is at most √pivot).
            if let Some(i) = (j + 1..n).find(|&i| rest(i, &lower).abs() > PIVOT_TOLERANCE.sqrt()) {
                return Err(i);
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
