//! Polynomials, the straight line among them.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::linear::{Scatter, check_finite, check_length, fit_design};
use super::twofold::{Twofold, dot, twofold};
use super::{Fit, FitError, Predicted};

/// y = b0 + b1·(x − origin) + b2·(x − origin)² + …, with or without b0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Polynomial {
    pub(super) degree: u32,
    pub(super) has_constant: bool,
    pub(super) origin: f64,
}

impl Polynomial {
    /// A straight line, b0 + b1·x.
    pub const fn line() -> Self {
        Self::of_degree(1)
    }

    /// Powers 0 to `degree`.
    pub const fn of_degree(degree: u32) -> Self {
        Self {
            degree,
            has_constant: true,
            origin: 0.0,
        }
    }

    /// The same without b0: through 0 at the origin.
    #[must_use]
    pub const fn through_origin(self) -> Self {
        Self {
            has_constant: false,
            ..self
        }
    }

    /// The same in powers of x − `origin`. An origin among the points leaves the coefficients
    /// less correlated, and more digits to whoever computes with the rounded ones.
    #[must_use]
    pub const fn about(self, origin: f64) -> Self {
        Self { origin, ..self }
    }

    fn powers(&self) -> impl Iterator<Item = u32> {
        u32::from(!self.has_constant)..=self.degree
    }

    /// Names of the coefficients: b0, b1, …
    pub fn parameters(&self) -> Vec<String> {
        self.powers().map(|power| format!("b{power}")).collect()
    }

    /// The polynomial as a line of the model language, `y = b0 + b1 * (x - 20)`; the inputs are
    /// the coefficients and `variable`.
    pub fn model(&self, output: &str, variable: &str) -> String {
        let base = if self.origin == 0.0 {
            variable.to_owned()
        } else {
            format!("({variable} - ({:?}))", self.origin)
        };
        let mut text = format!("{output} =");
        for power in self.powers() {
            let sign = if text.ends_with('=') { "" } else { " +" };
            let _ = match power {
                0 => write!(text, "{sign} b0"),
                1 => write!(text, "{sign} b1 * {base}"),
                _ => write!(text, "{sign} b{power} * {base}^{power}"),
            };
        }
        text
    }

    /// Powers of the distance from the origin, which are the derivatives by the coefficients.
    fn row(&self, x: f64) -> Vec<Twofold> {
        let z = Twofold::from(x) - Twofold::from(self.origin);
        let mut power = Twofold::ONE;
        let mut powers = Vec::new();
        for exponent in 0..=self.degree {
            if exponent > 0 || self.has_constant {
                powers.push(power);
            }
            power = power * z;
        }
        powers
    }

    /// Least-squares fit to points (`x`, `y`); x is taken as exactly known.
    ///
    /// # Errors
    /// As [`linear_fit`](crate::linear_fit), and [`FitError::Abscissae`] for fewer different x
    /// than coefficients.
    ///
    /// ```
    /// use heng_uncertainty::{Polynomial, Scatter};
    ///
    /// // Corrections b of a thermometer in °C at temperatures t in °C (three of JCGM 100:2008, H.3).
    /// let (t, b) = ([21.521, 24.513, 26.511], [-0.171, -0.156, -0.160]);
    /// let line = Polynomial::line().about(20.0);
    /// let fit = line.fit(&t, &b, Scatter::Unknown)?;
    /// let at_30 = line.predict(&fit, 30.0)?;
    ///
    /// assert_eq!(line.model("b", "t"), "b = b0 + b1 * (t - (20.0))");
    /// assert!((at_30.value - -0.14822).abs() < 1e-5 && at_30.dof == 1.0);
    /// # Ok::<(), heng_uncertainty::FitError>(())
    /// ```
    pub fn fit(&self, x: &[f64], y: &[f64], scatter: Scatter) -> Result<Fit, FitError> {
        check_length("the list of abscissae", x.len(), y.len())?;
        check_finite("the abscissa", x)?;
        let parameters = self.parameters();
        let mut design = vec![Vec::with_capacity(x.len()); parameters.len()];
        for &x in x {
            for (column, power) in design.iter_mut().zip(self.row(x)) {
                column.push(power);
            }
        }
        fit_design(&parameters, &design, y, &scatter).map_err(|error| match error {
            FitError::Dependent { .. } => self.few_abscissae(x).unwrap_or(error),
            // A power, not a datum.
            FitError::NotFinite { ref what, .. } if what.starts_with("the column") => {
                FitError::TooLarge
            }
            error => error,
        })
    }

    fn few_abscissae(&self, x: &[f64]) -> Option<FitError> {
        let mut different: Vec<f64> = x.to_vec();
        different.sort_by(f64::total_cmp);
        different.dedup();
        different.retain(|x| self.has_constant || *x != self.origin);
        let (distinct, coefficients) = (different.len(), self.powers().count());
        (distinct < coefficients).then_some(FitError::Abscissae {
            distinct,
            coefficients,
        })
    }

    /// The fitted value at `x` with the standard uncertainties of the mean response and of a
    /// single observation, and their degrees of freedom.
    ///
    /// # Errors
    /// [`FitError::NoDegreesOfFreedom`]; [`FitError::Parameters`] where the fit is one of another
    /// function.
    pub fn predict(&self, fit: &Fit, x: f64) -> Result<Predicted, FitError> {
        let row = self.row(x);
        let value = dot(&row, &twofold(&fit.estimates)).rounded();
        fit.predict_twofold(value, &row)
    }
}
