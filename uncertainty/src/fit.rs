//! Least-squares fits: one result for all of them.

mod both;
mod diagnostics;
mod inverse;
mod linear;
mod nonlinear;
mod orthogonal;
mod polynomial;
mod twofold;

use serde::{Deserialize, Serialize};

use crate::critical::{chi_squared_quantile, chi_squared_tail};
use crate::input::{Correlation, Input, Inputs};

pub use both::{CoordinateScatter, line_of_uncertain_points};
pub use diagnostics::{LargestResidual, Residuals, Runs};
pub use inverse::{Inverse, InverseError, Reading};
pub use linear::{Scatter, linear_fit};
pub use nonlinear::{NonlinearError, NonlinearFit, NonlinearProblem};
use orthogonal::Orthogonal;
pub use polynomial::Polynomial;
use twofold::{Twofold, dot, rounded, twofold};

/// What sets the scale of the uncertainties of a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FitScale {
    /// The scatter of the points about the fitted function: s with n − p degrees of freedom.
    /// What was stated about the points counts as relative only.
    Residuals,
    /// The stated standard uncertainties of the points, taken as exactly known.
    Stated,
}

/// One point of a fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitPoint {
    /// Ordinate as observed.
    pub observed: f64,
    /// Observed less fitted ordinate, in the unit of the ordinate.
    pub residual: f64,
    /// Residual over the standard uncertainty stated for the point, or multiplied by the root
    /// of its weight; what the sum of squares is made of. With a covariance matrix of the points:
    /// what is left of the residual beside the points before it.
    pub weighted: f64,
    /// Share of the observation in its own fitted value, 0 to 1: diagonal of the hat matrix.
    pub leverage: f64,
    /// Weighted residual over its own standard deviation σ·√(1 − leverage), where σ is s or, for
    /// stated uncertainties, 1. None where the fitted function must pass through the point, and
    /// where s is 0 or unknown.
    pub standardised: Option<f64>,
}

/// Result of any least-squares fit: estimates with their covariance, and what the residuals say.
///
/// The sum of squares Σ (rᵢ/uᵢ)² is minimal; uᵢ are the standard uncertainties stated for the
/// points, or 1 where nothing was stated. Non-linear fits give the same result, linear about the
/// minimum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Names of the parameters.
    pub parameters: Vec<String>,
    /// One for each parameter.
    pub estimates: Vec<f64>,
    /// (JᵀW·J)⁻¹ of the derivatives J and weights W: the covariance of the estimates where the
    /// points have the stated uncertainties; s² times it, where the residuals set the scale.
    pub cofactor: Vec<Vec<f64>>,
    /// Upper triangle R of the weighted derivatives, cofactor = (RᵀR)⁻¹, by rows.
    triangle: Vec<Vec<f64>>,
    /// What the uncertainties rest on.
    pub scale: FitScale,
    /// Weighted sum of squared residuals; χ² where the uncertainties of the points are stated.
    pub sum_of_squares: f64,
    /// Points less parameters.
    pub dof: f64,
    /// Residual standard deviation √(sum of squares/dof) of a point of weight 1; for stated
    /// uncertainties a ratio that is near 1 where they are right. None for 0 degrees of freedom.
    pub s: Option<f64>,
    /// Coefficient of determination R²; about the mean where the design has a constant, else
    /// about 0. None where the fit is not linear, or the ordinates do not vary.
    pub r_squared: Option<f64>,
    /// In the order as given.
    pub points: Vec<FitPoint>,
    /// What the residuals say about function and scatter; in the order of the points.
    pub residuals: Residuals,
}

/// Value of a fitted function, or of any function of the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// Best estimate.
    pub value: f64,
    /// Standard uncertainty of the fitted function (the mean response).
    pub u: f64,
    /// Standard uncertainty of one more observation of weight 1 there; none where the
    /// uncertainty of a new observation is not that of the residuals.
    pub u_single: Option<f64>,
    /// Degrees of freedom of both; infinite for stated uncertainties.
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
}

/// χ² of the residuals against stated uncertainties (ISO/TS 28037:2010, 6.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consistency {
    /// Sum of squared residuals over stated uncertainties.
    pub chi_squared: f64,
    /// Points less parameters.
    pub dof: f64,
    /// What χ² exceeds with the probability 1 − p where function and uncertainties are right.
    pub limit: f64,
    /// Probability of a larger χ² than the one found.
    pub probability: f64,
    /// Whether χ² is within the limit.
    pub consistent: bool,
}

/// Why points are refused, or a question to a fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Lists of different length.
    #[error("{what} has {found} values for {expected} points; give one for each point")]
    Length {
        /// Which list.
        what: String,
        /// Values in it.
        found: usize,
        /// Number of points.
        expected: usize,
    },
    /// A value that is infinite, no number, or too large to compute with.
    #[error("{what} of point {point} is not a finite number; mend it, or leave the point out")]
    NotFinite {
        /// Which list.
        what: String,
        /// Counted from 1.
        point: usize,
    },
    /// No parameter to fit.
    #[error("the fit has no parameters; give at least one column or power")]
    NoParameters,
    /// Two parameters of one name.
    #[error("two parameters are called {name:?}; give each its own name")]
    Repeated {
        /// The name.
        name: String,
    },
    /// Fewer points than parameters.
    #[error(
        "{points} points cannot determine {parameters} parameters; add points, or fit a function with fewer parameters"
    )]
    TooFewPoints {
        /// Number of points.
        points: usize,
        /// Number of parameters.
        parameters: usize,
    },
    /// A standard uncertainty or weight that is not positive.
    #[error(
        "{what} of point {point} is {found}; it must be positive and finite: a point that is exactly known, or counts for nothing, cannot be weighed"
    )]
    Uncertainty {
        /// Which list.
        what: String,
        /// Counted from 1.
        point: usize,
        /// As given.
        found: f64,
    },
    /// A covariance matrix of the points that is none.
    #[error(
        "the covariance matrix of the points is not symmetric and positive definite in row {row}: that value would follow exactly from those before it, or contradict them; check the covariances"
    )]
    NotPositiveDefinite {
        /// Counted from 1.
        row: usize,
    },
    /// A column of the design that is a combination of others.
    #[error("{}", dependent(column, on))]
    Dependent {
        /// Name of the parameter.
        column: String,
        /// Parameters whose columns make up this one; none for a column of zeros.
        on: Vec<String>,
    },
    /// Fewer different abscissae than a polynomial has coefficients.
    #[error(
        "the points have {distinct} different abscissae, too few for {coefficients} coefficients; measure at more points, or take a lower degree"
    )]
    Abscissae {
        /// Number of different abscissae (other than the origin, where the constant is left out).
        distinct: usize,
        /// Number of coefficients.
        coefficients: usize,
    },
    /// Numbers beyond what can be computed with.
    #[error(
        "the numbers of the fit are too large to compute with; take a larger unit, or powers of the distance from an origin among the points"
    )]
    TooLarge,
    /// A search for the minimum that does not come to an end.
    #[error(
        "no minimum was found in {steps} steps: the points hardly determine the parameters with these uncertainties; check the uncertainties, or measure over a wider range"
    )]
    NotConverged {
        /// Number of steps.
        steps: usize,
    },
    /// As many parameters as points, and nothing stated about the points.
    #[error(
        "{parameters} parameters from {parameters} points leave 0 degrees of freedom: the fit has values, but no standard uncertainties; add points, or state the uncertainties of the points"
    )]
    NoDegreesOfFreedom {
        /// Number of parameters, and of points.
        parameters: usize,
    },
    /// Another number of symbols or sensitivities than of parameters.
    #[error("the fit has the parameters {parameters}; {found} {what} were given")]
    Parameters {
        /// Names.
        parameters: String,
        /// What was given: symbols, sensitivities.
        what: &'static str,
        /// Number of them.
        found: usize,
    },
}

fn dependent(column: &str, on: &[String]) -> String {
    let cure = "leave one of them out, or measure where they differ";
    if on.is_empty() {
        return format!(
            "the column of {column:?} has only zeros: the points say nothing about it; leave it out"
        );
    }
    let on: Vec<String> = on.iter().map(|name| format!("{name:?}")).collect();
    format!(
        "the column of {column:?} is a combination of that of {}: the points cannot tell them apart; {cure}",
        on.join(", ")
    )
}

/// A minimum of the sum of squares, from which a [`Fit`] is made.
pub(crate) struct Minimum<'a> {
    pub parameters: &'a [String],
    pub estimates: Vec<f64>,
    pub scale: FitScale,
    /// Ordinates as observed.
    pub observed: &'a [f64],
    /// Observed less fitted, in the unit of the ordinate.
    pub residuals: Vec<f64>,
    /// What the sum of squares is made of.
    pub weighted: Vec<f64>,
}

impl Minimum<'_> {
    /// Ordinates carry no scatter below the rounding of their own digits: residuals that are all
    /// within it are 0, so that an exact fit has s = 0 and no outliers.
    fn without_rounding(mut self) -> Self {
        let largest = self
            .observed
            .iter()
            .fold(0.0, |most: f64, y| most.max(y.abs()));
        let rounding = 4.0 * f64::EPSILON * largest;
        if self
            .residuals
            .iter()
            .all(|residual| residual.abs() <= rounding)
        {
            self.residuals.fill(0.0);
            self.weighted.fill(0.0);
        }
        self
    }
}

/// Design (or derivatives) by columns, weighted; the error names columns.
pub(crate) fn factorise(
    parameters: &[String],
    columns: &[Vec<Twofold>],
) -> Result<Orthogonal, FitError> {
    let points = columns.first().map_or(0, Vec::len);
    if parameters.is_empty() {
        return Err(FitError::NoParameters);
    }
    for (at, name) in parameters.iter().enumerate() {
        if parameters[..at].contains(name) {
            let name = name.clone();
            return Err(FitError::Repeated { name });
        }
    }
    if points < parameters.len() {
        let parameters = parameters.len();
        return Err(FitError::TooFewPoints { points, parameters });
    }
    for (column, name) in columns.iter().zip(parameters) {
        if let Some(at) = column.iter().position(|x| !x.is_finite()) {
            let what = format!("the column of {name:?}");
            return Err(FitError::NotFinite {
                what,
                point: at + 1,
            });
        }
    }
    Orthogonal::new(columns).map_err(|found| FitError::Dependent {
        column: parameters[found.column].clone(),
        on: found.on.iter().map(|&at| parameters[at].clone()).collect(),
    })
}

impl Fit {
    /// The result at a minimum, with the factorised weighted derivatives there.
    pub(crate) fn at(minimum: Minimum, design: &Orthogonal) -> Result<Self, FitError> {
        let minimum = minimum.without_rounding();
        let squares = twofold(&minimum.weighted);
        let sum_of_squares = dot(&squares, &squares).rounded();
        if !sum_of_squares.is_finite() {
            return Err(FitError::TooLarge);
        }
        let dof = (minimum.observed.len() - minimum.parameters.len()) as f64;
        let s = (dof > 0.0).then(|| (sum_of_squares / dof).sqrt());
        let leverages = design.leverages();
        let point = |at: usize| FitPoint {
            observed: minimum.observed[at],
            residual: minimum.residuals[at],
            weighted: minimum.weighted[at],
            leverage: leverages[at],
            standardised: None,
        };
        let points: Vec<FitPoint> = (0..minimum.observed.len()).map(point).collect();
        let rows = |matrix: Vec<Vec<Twofold>>| matrix.iter().map(|row| rounded(row)).collect();
        let unscaled = Self {
            parameters: minimum.parameters.to_vec(),
            estimates: minimum.estimates,
            cofactor: rows(design.cofactor()),
            triangle: rows(design.triangle()),
            scale: minimum.scale,
            sum_of_squares,
            dof,
            s,
            r_squared: None,
            points,
            residuals: Residuals::default(),
        };
        Ok(unscaled.on(minimum.scale))
    }

    /// The same fit with its uncertainties on another scale.
    #[must_use]
    pub fn on(self, scale: FitScale) -> Self {
        let sigma = match scale {
            FitScale::Residuals => self.s,
            FitScale::Stated => Some(1.0),
        };
        let mut points = self.points;
        for point in &mut points {
            point.standardised = diagnostics::standardised(point, sigma);
        }
        let residuals = Residuals::of(&points, scale, self.dof);
        Self {
            scale,
            points,
            residuals,
            ..self
        }
    }

    /// Degrees of freedom of the uncertainties: n − p, or infinite for stated uncertainties.
    pub const fn dof_of_u(&self) -> f64 {
        match self.scale {
            FitScale::Residuals => self.dof,
            FitScale::Stated => f64::INFINITY,
        }
    }

    /// Standard deviation of a point of weight 1.
    fn sigma(&self) -> Result<f64, FitError> {
        match (self.scale, self.s) {
            (FitScale::Stated, _) => Ok(1.0),
            (FitScale::Residuals, Some(s)) => Ok(s),
            (FitScale::Residuals, None) => Err(FitError::NoDegreesOfFreedom {
                parameters: self.parameters.len(),
            }),
        }
    }

    /// Standard uncertainties of the estimates, in their order.
    ///
    /// # Errors
    /// [`FitError::NoDegreesOfFreedom`].
    pub fn uncertainties(&self) -> Result<Vec<f64>, FitError> {
        let sigma = self.sigma()?;
        let root = |at: usize| sigma * self.cofactor[at][at].sqrt();
        Ok((0..self.parameters.len()).map(root).collect())
    }

    /// Covariance matrix of the estimates.
    ///
    /// # Errors
    /// [`FitError::NoDegreesOfFreedom`].
    pub fn covariance(&self) -> Result<Vec<Vec<f64>>, FitError> {
        let sigma = self.sigma()?;
        let scaled = |row: &Vec<f64>| row.iter().map(|c| c * sigma * sigma).collect();
        Ok(self.cofactor.iter().map(scaled).collect())
    }

    /// Correlation coefficient of two estimates by their places.
    pub fn correlation(&self, a: usize, b: usize) -> f64 {
        let scale = self.cofactor[a][a].sqrt() * self.cofactor[b][b].sqrt();
        // Rounding may take it a digit beyond 1.
        (self.cofactor[a][b] / scale).clamp(-1.0, 1.0)
    }

    /// Uncertainty of a function of the parameters of which `value` and the derivatives by each
    /// parameter are known: a fitted value, a difference, a slope.
    ///
    /// # Errors
    /// [`FitError::NoDegreesOfFreedom`]; [`FitError::Parameters`] for another number of
    /// sensitivities.
    pub fn predict(&self, value: f64, sensitivities: &[f64]) -> Result<Predicted, FitError> {
        self.predict_twofold(value, &twofold(sensitivities))
    }

    /// The same with sensitivities of 32 digits.
    fn predict_twofold(
        &self,
        value: f64,
        sensitivities: &[Twofold],
    ) -> Result<Predicted, FitError> {
        self.check_count("sensitivities", sensitivities.len())?;
        let sigma = self.sigma()?;
        // R⁻ᵀ·g: nothing cancels as in g·C·gᵀ, however strongly the estimates are correlated.
        let mut parts: Vec<Twofold> = Vec::new();
        for (at, &g) in sensitivities.iter().enumerate() {
            let rest = (0..at).fold(g, |rest, row| {
                rest - parts[row] * self.triangle[row][at].into()
            });
            parts.push(rest / self.triangle[at][at].into());
        }
        let squares = dot(&parts, &parts).rounded();
        Ok(Predicted {
            value,
            u: sigma * squares.sqrt(),
            u_single: (self.scale == FitScale::Residuals).then(|| sigma * (1.0 + squares).sqrt()),
            dof: self.dof_of_u(),
        })
    }

    /// The parameters as inputs of a model, under `symbols`, with all of their correlation.
    ///
    /// Where the residuals set the scale, they follow a multivariate t distribution: one ensemble
    /// with n − p degrees of freedom (JCGM 102:2011, 5.3.2.2). For stated uncertainties they are
    /// normal.
    ///
    /// # Errors
    /// [`FitError::NoDegreesOfFreedom`]; [`FitError::Parameters`] for another number of symbols.
    pub fn inputs(&self, symbols: &[&str]) -> Result<Inputs, FitError> {
        self.check_count("symbols", symbols.len())?;
        let u = self.uncertainties()?;
        let each = symbols.iter().zip(self.estimates.iter().zip(&u));
        let quantities = each.map(|(symbol, (&value, &u))| match self.scale {
            FitScale::Residuals => Input::student(symbol, value, u, self.dof),
            FitScale::Stated => Input::normal(symbol, value, u),
        });
        let pairs = (0..symbols.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let correlations = pairs.map(|(a, b)| Correlation {
            a: symbols[a].to_owned(),
            b: symbols[b].to_owned(),
            r: self.correlation(a, b),
        });
        let together = symbols.iter().map(|&symbol| symbol.to_owned()).collect();
        let is_ensemble = self.scale == FitScale::Residuals && symbols.len() > 1;
        Ok(Inputs {
            quantities: quantities.collect(),
            correlations: correlations.collect(),
            ensembles: if is_ensemble {
                vec![together]
            } else {
                Vec::new()
            },
            ..Inputs::default()
        })
    }

    fn check_count(&self, what: &'static str, found: usize) -> Result<(), FitError> {
        if found == self.parameters.len() {
            return Ok(());
        }
        Err(FitError::Parameters {
            parameters: self.parameters.join(", "),
            what,
            found,
        })
    }

    /// Whether the residuals agree with the uncertainties stated for the points, at the
    /// probability `p` (ISO/TS 28037:2010, 6.3, takes 0.95). None where the scale comes from
    /// the residuals themselves, or no degrees of freedom are left: then nothing can be tested.
    pub fn consistency(&self, p: f64) -> Option<Consistency> {
        if self.scale != FitScale::Stated || self.dof <= 0.0 {
            return None;
        }
        Some(Consistency::of(self.sum_of_squares, self.dof, p))
    }
}

impl Consistency {
    /// χ² of positive degrees of freedom against its limit at the probability `p`.
    pub(crate) fn of(chi_squared: f64, dof: f64, p: f64) -> Self {
        let limit = chi_squared_quantile(p, dof);
        Self {
            chi_squared,
            dof,
            limit,
            probability: chi_squared_tail(chi_squared, dof),
            consistent: chi_squared <= limit,
        }
    }
}
