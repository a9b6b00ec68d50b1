//! Fits that are linear in their parameters.

use super::twofold::{Twofold, dot, rounded, twofold};
use super::{Fit, FitError, FitScale, Minimum, factorise};

/// What is known about the scatter of the ordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scatter<'a> {
    /// The same for all points, and unknown: it is found from the residuals.
    Unknown,
    /// Standard uncertainties known up to a common factor, one for each point (for weights w
    /// give 1/√w); the factor is found from the residuals.
    Relative(&'a [f64]),
    /// Standard uncertainties of independent ordinates, one for each point, in their unit.
    Stated(&'a [f64]),
    /// Covariance matrix of the ordinates, by rows, in their unit squared.
    Covariance(&'a [Vec<f64>]),
}

impl Scatter<'_> {
    pub(crate) const fn scale(&self) -> FitScale {
        match self {
            Self::Unknown | Self::Relative(_) => FitScale::Residuals,
            Self::Stated(_) | Self::Covariance(_) => FitScale::Stated,
        }
    }
}

/// Turns deviations of the points into as many uncorrelated ones of variance 1.
pub enum Whitener {
    None,
    /// Standard uncertainties.
    Each(Vec<Twofold>),
    /// Lower triangle L of the covariance matrix L·Lᵀ, by rows.
    Joint(Vec<Vec<Twofold>>),
}

impl Whitener {
    pub fn of(scatter: &Scatter, points: usize) -> Result<Self, FitError> {
        match scatter {
            Scatter::Unknown => Ok(Self::None),
            Scatter::Relative(u) | Scatter::Stated(u) => {
                let what = "the standard uncertainty";
                check_length(what, u.len(), points)?;
                let bad = |u: &f64| !(u.is_finite() && *u > 0.0);
                if let Some(at) = u.iter().position(bad) {
                    return Err(FitError::Uncertainty {
                        what: what.to_owned(),
                        point: at + 1,
                        found: u[at],
                    });
                }
                Ok(Self::Each(twofold(u)))
            }
            Scatter::Covariance(matrix) => {
                check_covariance(matrix, points)?;
                let matrix: Vec<Vec<Twofold>> = matrix.iter().map(|row| twofold(row)).collect();
                Self::joint(&matrix)
            }
        }
    }

    /// Of a symmetric matrix, factorised by Cholesky's method.
    pub fn joint(matrix: &[Vec<Twofold>]) -> Result<Self, FitError> {
        let mut lower: Vec<Vec<Twofold>> = Vec::new();
        for (row, values) in matrix.iter().enumerate() {
            let mut new: Vec<Twofold> = Vec::new();
            for column in 0..row {
                let rest = values[column] - dot(&new, &lower[column][..column]);
                new.push(rest / lower[column][column]);
            }
            let pivot = values[row] - dot(&new, &new);
            // 10⁻¹⁴ of the variance: about a hundred roundings of it.
            if pivot.rounded().is_nan() || pivot.rounded() <= 1e-14 * values[row].rounded() {
                return Err(FitError::NotPositiveDefinite { row: row + 1 });
            }
            new.push(pivot.sqrt());
            lower.push(new);
        }
        Ok(Self::Joint(lower))
    }

    pub fn whiten(&self, values: &[Twofold]) -> Vec<Twofold> {
        match self {
            Self::None => values.to_vec(),
            Self::Each(u) => values.iter().zip(u).map(|(&x, &u)| x / u).collect(),
            Self::Joint(lower) => {
                let mut found: Vec<Twofold> = Vec::new();
                for (row, &value) in lower.iter().zip(values) {
                    let at = found.len();
                    let rest = value - dot(&row[..at], &found);
                    found.push(rest / row[at]);
                }
                found
            }
        }
    }

    /// (L·Lᵀ)⁻¹·v from L⁻¹·v.
    pub fn whiten_back(&self, whitened: &[Twofold]) -> Vec<Twofold> {
        match self {
            Self::None => whitened.to_vec(),
            Self::Each(_) => self.whiten(whitened),
            Self::Joint(lower) => {
                let mut found = whitened.to_vec();
                for at in (0..found.len()).rev() {
                    found[at] = found[at] / lower[at][at];
                    for before in 0..at {
                        found[before] = found[before] - lower[at][before] * found[at];
                    }
                }
                found
            }
        }
    }
}

pub fn check_length(what: &str, found: usize, expected: usize) -> Result<(), FitError> {
    if found == expected {
        return Ok(());
    }
    Err(FitError::Length {
        what: what.to_owned(),
        found,
        expected,
    })
}

pub fn check_finite(what: &str, values: &[f64]) -> Result<(), FitError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(FitError::NotFinite {
            what: what.to_owned(),
            point: at + 1,
        }),
    }
}

/// Shape and symmetry; that it is positive definite shows in its factor.
pub fn check_covariance(matrix: &[Vec<f64>], size: usize) -> Result<(), FitError> {
    check_length("the covariance matrix", matrix.len(), size)?;
    for (at, row) in matrix.iter().enumerate() {
        let what = format!("row {} of the covariance matrix", at + 1);
        check_length(&what, row.len(), size)?;
        check_finite(&what, row)?;
        let unlike = |other: usize| {
            let scale = (row[at] * matrix[other][other]).abs().sqrt();
            (row[other] - matrix[other][at]).abs() > 1e-12 * scale
        };
        if (0..at).any(unlike) {
            return Err(FitError::NotPositiveDefinite { row: at + 1 });
        }
    }
    Ok(())
}

/// Least-squares fit of y = Σ parameter·column: any design.
///
/// Each column has the name of its parameter and one value for each point; a constant is a
/// column of ones. The fit is computed with 32 digits (Householder's factorisation), so that
/// strongly correlated columns cost no digits of the result.
///
/// # Errors
/// [`FitError`]: lists of different length, values that are not finite, uncertainties that are
/// not positive, fewer points than parameters, a column that depends on others. No degrees of
/// freedom are refused only where uncertainties are asked for.
///
/// ```
/// use heng_uncertainty::{Scatter, linear_fit};
///
/// // Two weights, each alone and both together on the pan: readings in g.
/// let first = [1.0, 0.0, 1.0];
/// let second = [0.0, 1.0, 1.0];
/// let readings = [10.0003, 20.0002, 30.0008];
/// let columns = [("first", &first[..]), ("second", &second[..])];
/// let fit = linear_fit(&columns, &readings, Scatter::Unknown)?;
///
/// assert!((fit.estimates[0] - 10.0004).abs() < 1e-9 && (fit.estimates[1] - 20.0003).abs() < 1e-9);
/// assert!((fit.uncertainties()?[0] - 0.000_141_42).abs() < 1e-8);
/// assert_eq!(fit.dof, 1.0);
/// # Ok::<(), heng_uncertainty::FitError>(())
/// ```
pub fn linear_fit(
    columns: &[(&str, &[f64])],
    y: &[f64],
    scatter: Scatter,
) -> Result<Fit, FitError> {
    for (name, column) in columns {
        check_length(&format!("the column of {name:?}"), column.len(), y.len())?;
    }
    let parameters: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let design: Vec<Vec<Twofold>> = columns.iter().map(|(_, column)| twofold(column)).collect();
    fit_design(&parameters, &design, y, &scatter)
}

/// The same for columns of 32 digits.
pub fn fit_design(
    parameters: &[String],
    design: &[Vec<Twofold>],
    y: &[f64],
    scatter: &Scatter,
) -> Result<Fit, FitError> {
    check_finite("the ordinate", y)?;
    let whitener = Whitener::of(scatter, y.len())?;
    let whitened: Vec<Vec<Twofold>> = design.iter().map(|x| whitener.whiten(x)).collect();
    let factor = factorise(parameters, &whitened)?;
    let target = whitener.whiten(&twofold(y));
    let estimates = factor.solve(&target);
    if !estimates.iter().all(|estimate| estimate.is_finite()) {
        return Err(FitError::TooLarge);
    }
    let mut residuals = twofold(y);
    for (column, &estimate) in design.iter().zip(&estimates) {
        for (residual, &x) in residuals.iter_mut().zip(column) {
            *residual = *residual - x * estimate;
        }
    }
    let weighted = whitener.whiten(&residuals);
    let is_constant = |column: &Vec<Twofold>| column.iter().all(|x| *x == column[0]);
    let about_mean = design.iter().any(is_constant);
    let minimum = Minimum {
        parameters,
        estimates: rounded(&estimates),
        scale: scatter.scale(),
        observed: y,
        residuals: rounded(&residuals),
        weighted: rounded(&weighted),
    };
    let fit = Fit::at(minimum, &factor)?;
    let total = total_squares(&target, &whitener, about_mean);
    let share = dot(&weighted, &weighted) / total;
    Ok(Fit {
        r_squared: (total.rounded() > 0.0).then(|| (Twofold::ONE - share).rounded()),
        ..fit
    })
}

/// Weighted sum of squares of the ordinates about their weighted mean, or about 0.
fn total_squares(target: &[Twofold], whitener: &Whitener, about_mean: bool) -> Twofold {
    if !about_mean {
        return dot(target, target);
    }
    let ones = whitener.whiten(&vec![Twofold::ONE; target.len()]);
    let mean = dot(&ones, target) / dot(&ones, &ones);
    let pairs = target.iter().zip(&ones);
    let deviations: Vec<Twofold> = pairs.map(|(&y, &one)| y - mean * one).collect();
    dot(&deviations, &deviations)
}
