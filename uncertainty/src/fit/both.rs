//! Straight line through points of which both coordinates are uncertain.

use super::linear::{Whitener, check_covariance, check_finite, check_length};
use super::orthogonal::Orthogonal;
use super::twofold::{Twofold, dot, rounded, twofold};
use super::{Fit, FitError, FitScale, Minimum, Polynomial, Scatter, factorise};

/// Uncertainties of both coordinates of the points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CoordinateScatter<'a> {
    /// Points that are independent of each other.
    Points {
        /// Standard uncertainties of the abscissae, one for each point; 0 is allowed.
        u_x: &'a [f64],
        /// Standard uncertainties of the ordinates; 0 is allowed where that of the abscissa is not.
        u_y: &'a [f64],
        /// Covariances of abscissa and ordinate of each point; empty for none.
        covariances: &'a [f64],
    },
    /// Covariance matrix of all coordinates in the order x₁ … xₙ, y₁ … yₙ, by rows; positive
    /// semidefinite, such that no ordinate is exactly known relative to the line.
    Joint(&'a [Vec<f64>]),
}

/// Blocks of the covariance matrix of the coordinates.
enum Blocks {
    /// Variances of x, variances of y, covariances, of each point.
    Points([Vec<Twofold>; 3]),
    /// The same as matrices; the third has rows of x and columns of y.
    Joint([Vec<Vec<Twofold>>; 3]),
}

/// Steps after which the search for the minimum is given up.
const STEPS: usize = 200;

/// A step that moves no parameter by more than this part of its standard uncertainty ends the
/// search.
const SETTLED: f64 = 1e-11;

/// Generalised distance regression of a straight line y = b0 + b1·x (ISO/TS 28037:2010, clauses 7,
/// 8 and 10): the line for which the adjusted points on it are nearest to the observed ones,
/// measured by the stated uncertainties.
///
/// The residual of a point in the result is its distance from the line along y; the weighted one
/// is that over its standard uncertainty √(u²(y) − 2·b1·cov(x, y) + b1²·u²(x)). The covariance of
/// the estimates is that of the linearised problem at the minimum, as ISO/TS 28037 states it.
///
/// # Errors
/// [`FitError`] as for a line with exactly known abscissae; [`FitError::NotConverged`].
pub fn line_of_uncertain_points(
    x: &[f64],
    y: &[f64],
    scatter: &CoordinateScatter,
) -> Result<Fit, FitError> {
    check_length("the list of abscissae", x.len(), y.len())?;
    check_finite("the abscissa", x)?;
    check_finite("the ordinate", y)?;
    let blocks = Blocks::of(scatter, x.len())?;
    let start = Polynomial::line().fit(x, y, Scatter::Unknown)?;
    let parameters = start.parameters;
    let mut line = Line {
        x: twofold(x),
        y: twofold(y),
        at: twofold(&start.estimates),
    };
    let mut here = line.look(&parameters, &blocks)?;
    for _ in 0..STEPS {
        let step = here.factor.solve(&here.weighted);
        if here.is_settled(&step) {
            let minimum = Minimum {
                parameters: &parameters,
                estimates: rounded(&line.at),
                scale: FitScale::Stated,
                observed: y,
                residuals: rounded(&line.residuals()),
                weighted: rounded(&here.weighted),
            };
            return Fit::at(minimum, &here.factor);
        }
        (line, here) = line.descend(&here, &step, &parameters, &blocks)?;
    }
    Err(FitError::NotConverged { steps: STEPS })
}

#[derive(Clone)]
struct Line {
    x: Vec<Twofold>,
    y: Vec<Twofold>,
    /// Intercept and slope.
    at: Vec<Twofold>,
}

/// The problem linearised at a line.
struct Look {
    weighted: Vec<Twofold>,
    squares: f64,
    factor: Orthogonal,
}

impl Look {
    fn is_settled(&self, step: &[Twofold]) -> bool {
        let cofactor = self.factor.cofactor();
        let small = |(at, step): (usize, &Twofold)| {
            step.rounded().abs() <= SETTLED * cofactor[at][at].sqrt().rounded()
        };
        step.iter().enumerate().all(small)
    }
}

impl Line {
    fn residuals(&self) -> Vec<Twofold> {
        let points = self.x.iter().zip(&self.y);
        points
            .map(|(&x, &y)| y - self.at[0] - self.at[1] * x)
            .collect()
    }

    fn look(&self, parameters: &[String], blocks: &Blocks) -> Result<Look, FitError> {
        let slope = self.at[1];
        let whitener = blocks.whitener(slope)?;
        let weighted = whitener.whiten(&self.residuals());
        let pull = whitener.whiten_back(&weighted);
        let shifts = blocks.shifts(slope, &pull);
        // Abscissae of the points on the line that are nearest to the observed ones.
        let adjusted: Vec<Twofold> = self.x.iter().zip(shifts).map(|(&x, d)| x + d).collect();
        let ones = vec![Twofold::ONE; self.x.len()];
        let design = [whitener.whiten(&ones), whitener.whiten(&adjusted)];
        Ok(Look {
            squares: dot(&weighted, &weighted).rounded(),
            factor: factorise(parameters, &design)?,
            weighted,
        })
    }

    /// The step, halved until the sum of squares does not grow.
    fn descend(
        &self,
        here: &Look,
        step: &[Twofold],
        parameters: &[String],
        blocks: &Blocks,
    ) -> Result<(Self, Look), FitError> {
        let mut part = 1.0;
        loop {
            let moved = self.at.iter().zip(step);
            let moved = moved.map(|(&at, &step)| at + step * part.into());
            let next = Self {
                at: moved.collect(),
                ..self.clone()
            };
            let look = next.look(parameters, blocks)?;
            // Rounding of the sum counts as no growth.
            if look.squares <= here.squares * (1.0 + 1e-14) || part < 1e-6 {
                return Ok((next, look));
            }
            part *= 0.5;
        }
    }
}

impl Blocks {
    fn of(scatter: &CoordinateScatter, n: usize) -> Result<Self, FitError> {
        match scatter {
            CoordinateScatter::Points {
                u_x,
                u_y,
                covariances,
            } => {
                for (what, u) in [
                    ("the standard uncertainty of the abscissa", u_x),
                    ("the standard uncertainty of the ordinate", u_y),
                ] {
                    check_length(what, u.len(), n)?;
                    let bad = |u: &f64| !(u.is_finite() && *u >= 0.0);
                    if let Some(at) = u.iter().position(bad) {
                        let (what, point, found) = (what.to_owned(), at + 1, u[at]);
                        return Err(FitError::Uncertainty { what, point, found });
                    }
                }
                let zeros = vec![0.0; n];
                let both = if covariances.is_empty() {
                    &zeros
                } else {
                    *covariances
                };
                check_length("the list of covariances", both.len(), n)?;
                check_finite("the covariance", both)?;
                // Rounding of what is correlated fully does not count.
                let beyond = |at: &usize| both[*at].abs() > u_x[*at] * u_y[*at] * (1.0 + 1e-12);
                if let Some(at) = (0..n).find(beyond) {
                    return Err(FitError::NotPositiveDefinite { row: at + 1 });
                }
                let square = |u: &[f64]| twofold(u).into_iter().map(|u| u * u).collect();
                Ok(Self::Points([square(u_x), square(u_y), twofold(both)]))
            }
            CoordinateScatter::Joint(matrix) => {
                check_covariance(matrix, 2 * n)?;
                let block = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
                    let row = |row: &Vec<f64>| twofold(&row[columns.clone()]);
                    matrix[rows].iter().map(row).collect()
                };
                let (x, y) = (0..n, n..2 * n);
                Ok(Self::Joint([
                    block(x.clone(), x.clone()),
                    block(y.clone(), y.clone()),
                    block(x, y),
                ]))
            }
        }
    }

    /// Of the residuals y − b0 − b1·x for the slope b1.
    fn whitener(&self, slope: Twofold) -> Result<Whitener, FitError> {
        let variance = |xx: Twofold, yy: Twofold, xy: Twofold, yx: Twofold| {
            yy - slope * (xy + yx) + slope * slope * xx
        };
        match self {
            Self::Points([xx, yy, xy]) => {
                let each = |at: usize| variance(xx[at], yy[at], xy[at], xy[at]);
                let variances: Vec<Twofold> = (0..xx.len()).map(each).collect();
                let lost = |at: &usize| variances[*at].rounded() <= 0.0;
                if let Some(at) = (0..xx.len()).find(lost) {
                    return Err(FitError::Uncertainty {
                        what: "the standard uncertainty of the distance from the line".to_owned(),
                        point: at + 1,
                        found: 0.0,
                    });
                }
                Ok(Whitener::Each(
                    variances.into_iter().map(Twofold::sqrt).collect(),
                ))
            }
            Self::Joint([xx, yy, xy]) => {
                let n = xx.len();
                let element = |i: usize, j: usize| variance(xx[i][j], yy[i][j], xy[i][j], xy[j][i]);
                let row = |i: usize| (0..n).map(|j| element(i, j)).collect();
                Whitener::joint(&(0..n).map(row).collect::<Vec<_>>())
            }
        }
    }

    /// How far the nearest points on the line are from the observed abscissae.
    fn shifts(&self, slope: Twofold, pull: &[Twofold]) -> Vec<Twofold> {
        match self {
            Self::Points([xx, _, xy]) => {
                let shift = |at: usize| (slope * xx[at] - xy[at]) * pull[at];
                (0..pull.len()).map(shift).collect()
            }
            Self::Joint([xx, _, xy]) => {
                let shift = |at: usize| slope * dot(&xx[at], pull) - dot(&xy[at], pull);
                (0..pull.len()).map(shift).collect()
            }
        }
    }
}
