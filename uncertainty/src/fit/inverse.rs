//! A calibration line used backwards.

use serde::{Deserialize, Serialize};

use super::{Fit, FitError, Polynomial};
use crate::formula::Library;
use crate::gum::{PropagationError, coverage_factor, propagate};
use crate::input::{Input, Inputs};
use crate::model::{Diagnostic, Model};

/// What was read where the abscissa is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Mean of observations that scatter as points of weight 1 of the line do.
    Repeated {
        /// Mean of the observations.
        mean: f64,
        /// Number of observations.
        k: usize,
    },
    /// A reading with a standard uncertainty of its own, independent of the line.
    Evaluated {
        /// Best estimate.
        value: f64,
        /// Standard uncertainty.
        u: f64,
        /// Degrees of freedom of u; infinite where it is exactly known.
        dof: f64,
    },
}

/// Abscissa found from a reading with a calibration line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inverse {
    /// The model in the model language; its output is `x`.
    pub model: String,
    /// Its inputs: the coefficients of the line and the reading `y`, to go on with
    /// [`propagate`](crate::propagate) or [`monte_carlo`](crate::monte_carlo).
    pub inputs: Inputs,
    /// Best estimate.
    pub value: f64,
    /// Standard uncertainty by the law of propagation (JCGM 100:2008, 5.2).
    pub u: f64,
    /// Effective degrees of freedom.
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
    /// Coverage probability.
    pub p: f64,
    /// Coverage factor for p.
    pub k: f64,
    /// Expanded uncertainty k·u.
    pub expanded: f64,
    /// Ends of the interval by Fieller's theorem: exact for normal scatter, and not symmetric.
    /// None where the reading has another scatter than the line and finite degrees of freedom,
    /// for which no exact interval is known.
    pub fieller: Option<[f64; 2]>,
}

/// Why a line cannot be used backwards.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InverseError {
    /// Of the fit.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A polynomial that is not of degree 1.
    #[error(
        "a polynomial of degree {degree} is not inverted in closed form; state it as a model with solve(…), whose inputs are those of the fit"
    )]
    NotALine {
        /// Degree of the polynomial.
        degree: u32,
    },
    /// A slope that may as well be 0.
    #[error(
        "the slope {slope} with standard uncertainty {u} does not differ from 0 at the probability {p}: any abscissa could have given the reading; calibrate over a wider range, or with more or better points"
    )]
    NoSlope {
        /// Slope of the line.
        slope: f64,
        /// Its standard uncertainty.
        u: f64,
        /// Probability that was asked for.
        p: f64,
    },
    /// A reading without scatter of its own, where the line does not know it.
    #[error(
        "the line was fitted with stated uncertainties, which say nothing about a new reading: state the standard uncertainty of the reading"
    )]
    UnknownScatter,
    /// No observations, or a value or uncertainty that is none.
    #[error(
        "the reading needs a finite value, a standard uncertainty of 0 or more and at least one observation"
    )]
    NoReading,
    /// A probability that is none.
    #[error("the probability {0} is not between 0 and 1")]
    Probability(f64),
    /// From the law of propagation.
    #[error(transparent)]
    Propagation(#[from] PropagationError),
    /// From the model.
    #[error(transparent)]
    Model(#[from] Diagnostic),
}

impl Polynomial {
    /// The abscissa at which the fitted straight line gives the reading, with the covariance of
    /// its coefficients and the uncertainty of the reading; `p` is the coverage probability.
    ///
    /// Observations that scatter as the points do share the degrees of freedom of s with the
    /// coefficients: one ensemble. EURACHEM/CITAC CG 4, A5 is the published example.
    ///
    /// # Errors
    /// [`InverseError`]; the slope must differ from 0 at the probability `p`.
    ///
    /// ```
    /// use heng_uncertainty::{Polynomial, Reading, Scatter};
    ///
    /// let (x, y) = ([1.0, 2.0, 3.0, 4.0], [2.1, 3.9, 6.1, 7.9]);
    /// let line = Polynomial::line();
    /// let fit = line.fit(&x, &y, Scatter::Unknown)?;
    /// let found = line.inverse(&fit, &Reading::Repeated { mean: 5.0, k: 2 }, 0.95)?;
    ///
    /// assert!((found.value - 2.5).abs() < 1e-12 && (found.dof - 2.0).abs() < 1e-9);
    /// # Ok::<(), heng_uncertainty::InverseError>(())
    /// ```
    pub fn inverse(&self, fit: &Fit, reading: &Reading, p: f64) -> Result<Inverse, InverseError> {
        if self.degree != 1 {
            let degree = self.degree;
            return Err(InverseError::NotALine { degree });
        }
        if !(p > 0.0 && p < 1.0) {
            return Err(InverseError::Probability(p));
        }
        let names = self.parameters();
        let symbols: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut inputs = fit.inputs(&symbols)?;
        let input = self.reading(fit, reading)?;
        let is_shared = matches!(reading, Reading::Repeated { .. });
        if is_shared {
            inputs.ensembles = vec![names.iter().cloned().chain(["y".to_owned()]).collect()];
        }
        inputs.quantities.push(input.clone());
        let constant = if self.has_constant { "y - b0" } else { "y" };
        let model = format!("x = {:?} + ({constant}) / b1", self.origin);
        let fieller = self.fieller(fit, &input, is_shared, p)?;
        let compiled = Model::compile(&model, &Library::default());
        let compiled = compiled.map_err(|found| found[0].clone())?;
        let budget = propagate(&compiled, "x", &inputs, p)?;
        Ok(Inverse {
            model,
            inputs,
            value: budget.value,
            u: budget.u,
            dof: budget.dof,
            p,
            k: budget.k,
            expanded: budget.expanded,
            fieller,
        })
    }

    fn reading(&self, fit: &Fit, reading: &Reading) -> Result<Input, InverseError> {
        let input = match *reading {
            Reading::Repeated { mean, k } => {
                let at_origin = self.predict(fit, self.origin)?;
                if k == 0 {
                    return Err(InverseError::NoReading);
                }
                if at_origin.u_single.is_none() {
                    return Err(InverseError::UnknownScatter);
                }
                let s = fit.s.unwrap_or_default();
                Input::student("y", mean, s / (k as f64).sqrt(), fit.dof)
            }
            Reading::Evaluated { value, u, dof } if dof.is_infinite() => {
                Input::normal("y", value, u)
            }
            Reading::Evaluated { value, u, dof } => Input::student("y", value, u, dof),
        };
        input.check().map_err(|_| InverseError::NoReading)?;
        Ok(input)
    }

    /// Ends of the x for which the reading less the line does not differ from 0.
    fn fieller(
        &self,
        fit: &Fit,
        reading: &Input,
        is_shared: bool,
        p: f64,
    ) -> Result<Option<[f64; 2]>, InverseError> {
        let dof = fit.dof_of_u();
        let t = coverage_factor(dof, p);
        let slope_at = usize::from(self.has_constant);
        let covariance = fit.covariance()?;
        let (slope, v11) = (fit.estimates[slope_at], covariance[slope_at][slope_at]);
        let lead = slope * slope - t * t * v11;
        if lead <= 0.0 {
            let u = v11.sqrt();
            return Err(InverseError::NoSlope { slope, u, p });
        }
        let is_exact = is_shared || reading.u == 0.0 || (dof.is_infinite() && reading.dof == dof);
        if !is_exact {
            return Ok(None);
        }
        let [constant, v00, v01] = if self.has_constant {
            [fit.estimates[0], covariance[0][0], covariance[0][1]]
        } else {
            [0.0; 3]
        };
        let distance = reading.value - constant;
        let variance = reading.u * reading.u + v00;
        // lead·z² − 2·middle·z + distance² − t²·variance ≤ 0, with z from the origin.
        let middle = slope * distance + t * t * v01;
        let inner = slope * slope * variance
            + 2.0 * slope * distance * v01
            + distance * distance * v11
            + t * t * (v01 * v01 - variance * v11);
        let half = t * inner.max(0.0).sqrt();
        let end = |sign: f64| self.origin + (middle + sign * half) / lead;
        Ok(Some([end(-1.0), end(1.0)]))
    }
}
