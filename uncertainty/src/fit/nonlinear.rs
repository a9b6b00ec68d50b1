//! Fits of measurement models that are not linear in their parameters.

mod descent;
mod pivoted;
mod region;
mod surface;

use serde::{Deserialize, Serialize};

use super::linear::{Whitener, check_finite, check_length};
use super::twofold::{Twofold, twofold};
use super::{Fit, FitError, Minimum, Scatter, factorise};
use crate::model::{EvalError, Model};
use descent::Descent;
use surface::{Surface, Undefined};

/// Steps of a search; the hardest of NIST's reference datasets takes a third of them.
const MOST_STEPS: usize = 2000;

/// A measurement model and the points that its parameters are to be found from.
///
/// Every input on which the output depends is either a parameter or a column. What is neither
/// (a constant of the model) is a column of equal values, or stands in the text.
#[derive(Clone, Copy, Debug)]
pub struct NonlinearProblem<'a> {
    /// The model.
    pub model: &'a Model,
    /// Name of the output that was observed.
    pub output: &'a str,
    /// Names of the parameters and the values where the search starts, in their units.
    pub parameters: &'a [(&'a str, f64)],
    /// Names of the other inputs and their values, one for each point.
    pub columns: &'a [(&'a str, &'a [f64])],
    /// Observed values of the output, one for each point, in its unit.
    pub y: &'a [f64],
    /// What is known about the scatter of the observed values.
    pub scatter: Scatter<'a>,
}

/// A fit of a measurement model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NonlinearFit {
    /// Estimates, their covariance and the residuals; linear about the minimum.
    pub fit: Fit,
    /// Steps of the search.
    pub steps: usize,
    /// Relative offset at the estimates: what is left of the residuals in the directions of the
    /// parameters beside what is left in all others. The estimates are about as many of their
    /// standard uncertainties away from the minimum. None for 0 degrees of freedom, and where
    /// no residuals are left.
    pub relative_offset: Option<f64>,
}

/// Why a model is not fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NonlinearError {
    /// Points or uncertainties that are refused by every fit.
    #[error(transparent)]
    Points(#[from] FitError),
    /// An output that the model does not have.
    #[error(transparent)]
    Model(#[from] EvalError),
    /// A parameter on which the output does not depend.
    #[error(
        "{output:?} does not depend on the parameter {parameter:?}; its inputs are {inputs}: mend the name, or leave the parameter out"
    )]
    NotAnInput {
        /// Name of the parameter.
        parameter: String,
        /// Name of the output.
        output: String,
        /// What it depends on.
        inputs: String,
    },
    /// An input that is neither a parameter nor a column.
    #[error(
        "the input {input:?} is neither a parameter nor a column: give it a start value, or its values for all points"
    )]
    MissingInput {
        /// Symbol of the input.
        input: String,
    },
    /// Two lists with the values of one input.
    #[error("{input:?} is given twice; an input is one column, or one parameter")]
    Twice {
        /// Symbol of the input.
        input: String,
    },
    /// A start value that is infinite or no number.
    #[error("the start value of {parameter:?} is {value}; take a finite number near the solution")]
    Start {
        /// Name of the parameter.
        parameter: String,
        /// As given.
        value: f64,
    },
    /// A model without a value, or without a derivative, at the start.
    #[error(
        "at the start values the model fails for point {point} ({inputs}): {cause}; take start values for which it has a value everywhere, or leave the point out"
    )]
    Undefined {
        /// Counted from 1.
        point: usize,
        /// Values of the inputs there.
        inputs: String,
        /// What has no value.
        cause: EvalError,
    },
    /// Parameters that the points do not determine.
    #[error("{}", undetermined(parameter, *value, on))]
    Undetermined {
        /// Name of the parameter.
        parameter: String,
        /// Where the search left it, in its unit.
        value: f64,
        /// Parameters that change the model in the same way; none where the model does not
        /// change with this one.
        on: Vec<String>,
    },
    /// A search that ended where there is no minimum.
    #[error(
        "the search stopped after {steps} steps at {values}, where the sum of squares falls too little to be seen but is not least (relative offset {offset:.1e}, 1e-6 is needed); take start values nearer to the solution, bring the inputs to numbers near 1, or fit fewer parameters"
    )]
    Stalled {
        /// Steps taken.
        steps: usize,
        /// Values of the parameters.
        values: String,
        /// Relative offset; infinite for 0 degrees of freedom.
        offset: f64,
    },
    /// A search that does not come to an end.
    #[error(
        "no minimum was found in {steps} steps; the last values were {values} (relative offset {offset:.1e}, 1e-6 is needed); take start values nearer to the solution, bring the inputs to numbers near 1, or fit fewer parameters"
    )]
    TooManySteps {
        /// Steps taken.
        steps: usize,
        /// Values of the parameters.
        values: String,
        /// Relative offset; infinite for 0 degrees of freedom.
        offset: f64,
    },
}

fn undetermined(parameter: &str, value: f64, on: &[String]) -> String {
    if on.is_empty() {
        return format!(
            "the model does not change with {parameter:?} near {value:.6e}, where the search ended: the points say nothing about it; take another start value for it, measure where it matters, or leave it out"
        );
    }
    let on: Vec<String> = on.iter().map(|name| format!("{name:?}")).collect();
    format!(
        "the points cannot tell {parameter:?} from {}: near {value:.6e} they change the model in the same way; write the model with fewer parameters, fix one of them, or measure where they differ",
        on.join(", ")
    )
}

impl NonlinearProblem<'_> {
    /// The least-squares fit.
    ///
    /// Steps of Levenberg and Marquardt inside a region of trust scaled by the derivatives
    /// (J. J. Moré, Lecture Notes in Mathematics 630, 1978, 105), on the exact derivatives of
    /// the model; each step solves an orthogonal factorisation, no normal equations. At the end
    /// steps of Gauss and Newton bring the point to the minimum as far as double precision
    /// sees. A point counts as minimum by its relative offset alone (D. M. Bates and D. G. Watts,
    /// Technometrics 23, 1981, 179): a short step or a sum of squares that stands still is no
    /// proof. A search that finds none is made once more from the start, with steps that follow
    /// the curvature of the model (M. K. Transtrum and J. P. Sethna, arXiv:1201.5885, 2012).
    ///
    /// The minimum is the one that the search finds from the start values; a model may have
    /// others. Covariances hold as far as the model is linear within the uncertainties of its
    /// parameters.
    ///
    /// # Errors
    /// [`NonlinearError`].
    ///
    /// ```
    /// use heng_uncertainty::{Library, Model, NonlinearProblem, Scatter};
    ///
    /// // A thermometer that comes to the temperature of a bath: s and °C.
    /// let model = Model::compile("t = bath - step*exp(-time/tau)", &Library::default()).unwrap();
    /// let time = [0.0, 5.0, 10.0, 20.0, 40.0, 80.0];
    /// let t = [20.02, 37.70, 48.39, 58.86, 64.27, 65.00];
    /// let found = NonlinearProblem {
    ///     model: &model,
    ///     output: "t",
    ///     parameters: &[("bath", 60.0), ("step", 40.0), ("tau", 20.0)],
    ///     columns: &[("time", &time)],
    ///     y: &t,
    ///     scatter: Scatter::Unknown,
    /// }
    /// .fit()?;
    ///
    /// assert!((found.fit.estimates[2] - 10.0).abs() < 0.1);
    /// assert_eq!(found.fit.dof, 3.0);
    /// # Ok::<(), heng_uncertainty::NonlinearError>(())
    /// ```
    pub fn fit(&self) -> Result<NonlinearFit, NonlinearError> {
        // Those that follow the curvature get along narrow valleys, straight ones stray less.
        self.search(false)
            .or_else(|straight| self.search(true).map_err(|_| straight))
    }

    fn search(&self, bends: bool) -> Result<NonlinearFit, NonlinearError> {
        let start: Vec<f64> = self.parameters.iter().map(|(_, value)| *value).collect();
        let descent = Descent::from(self.surface()?, &start, bends);
        let mut descent = descent.map_err(|found| self.undefined(found))?;
        descent.run(MOST_STEPS);
        let faded = || descent.faded().map(|column| (column, Vec::new()));
        if let Some((column, on)) = descent.linear.dependent().or_else(faded) {
            let name = |at: usize| self.parameters[at].0.to_owned();
            return Err(NonlinearError::Undetermined {
                parameter: name(column),
                value: descent.point.values[column],
                on: on.into_iter().map(name).collect(),
            });
        }
        if !descent.is_minimum() {
            return Err(self.not_found(&descent));
        }
        Ok(NonlinearFit {
            fit: self.result(&descent)?,
            steps: descent.steps,
            relative_offset: descent.offset(),
        })
    }

    fn surface(&self) -> Result<Surface<'_>, NonlinearError> {
        let sequence = self.model.sequence(self.output)?;
        let names = self.model.inputs();
        let used: Vec<&str> = sequence.inputs().map(|at| names[at].as_str()).collect();
        self.check(&used)?;
        let place = |name: &str| used.iter().position(|input| *input == name);
        let parameters = self.parameters.iter();
        let columns = self.columns.iter();
        Ok(Surface {
            workspace: sequence.workspace(),
            parameters: parameters.filter_map(|(name, _)| place(name)).collect(),
            columns: columns
                .filter_map(|(name, column)| Some((place(name)?, *column)))
                .collect(),
            observed: self.y,
            whitener: Whitener::of(&self.scatter, self.y.len())?,
            sequence,
        })
    }

    /// `used` are the inputs of the output.
    fn check(&self, used: &[&str]) -> Result<(), NonlinearError> {
        let (points, count) = (self.y.len(), self.parameters.len());
        if count == 0 {
            return Err(FitError::NoParameters.into());
        }
        check_finite("the ordinate", self.y)?;
        for (name, column) in self.columns {
            check_length(&format!("the column of {name:?}"), column.len(), points)?;
            check_finite(&format!("the column of {name:?}"), column)?;
        }
        if points < count {
            let parameters = count;
            return Err(FitError::TooFewPoints { points, parameters }.into());
        }
        let parameters = self.parameters.iter().map(|(name, _)| *name);
        let given: Vec<&str> = parameters.chain(self.columns.iter().map(|c| c.0)).collect();
        for (at, &name) in given.iter().enumerate() {
            if given[..at].contains(&name) {
                let input = name.to_owned();
                return Err(NonlinearError::Twice { input });
            }
        }
        for &(name, value) in self.parameters {
            let parameter = name.to_owned();
            if !used.contains(&name) {
                let (output, inputs) = (self.output.to_owned(), used.join(", "));
                return Err(NonlinearError::NotAnInput {
                    parameter,
                    output,
                    inputs,
                });
            }
            if !value.is_finite() {
                return Err(NonlinearError::Start { parameter, value });
            }
        }
        match used.iter().find(|input| !given.contains(input)) {
            None => Ok(()),
            Some(input) => Err(NonlinearError::MissingInput {
                input: (*input).to_owned(),
            }),
        }
    }

    fn undefined(&self, found: Undefined) -> NonlinearError {
        let columns = self.columns.iter();
        let values = columns.map(|(name, column)| format!("{name} = {}", column[found.point - 1]));
        let starts = self.parameters.iter();
        let starts = starts.map(|(name, value)| format!("{name} = {value}"));
        NonlinearError::Undefined {
            point: found.point,
            inputs: values.chain(starts).collect::<Vec<_>>().join(", "),
            cause: found.cause,
        }
    }

    fn not_found(&self, descent: &Descent) -> NonlinearError {
        let pairs = self.parameters.iter().zip(&descent.point.values);
        let each: Vec<String> = pairs
            .map(|((name, _), value)| format!("{name} = {value:.6e}"))
            .collect();
        let values = each.join(", ");
        let offset = descent.offset().unwrap_or(f64::INFINITY);
        let steps = descent.steps;
        if steps < MOST_STEPS {
            NonlinearError::Stalled {
                steps,
                values,
                offset,
            }
        } else {
            NonlinearError::TooManySteps {
                steps,
                values,
                offset,
            }
        }
    }

    fn result(&self, descent: &Descent) -> Result<Fit, FitError> {
        let names = self.parameters.iter().map(|(name, _)| (*name).to_owned());
        let names: Vec<String> = names.collect();
        let point = &descent.point;
        let columns = point.jacobian.chunks_exact(self.y.len());
        let columns: Vec<Vec<Twofold>> = columns.map(twofold).collect();
        let minimum = Minimum {
            parameters: &names,
            estimates: point.values.clone(),
            scale: self.scatter.scale(),
            observed: self.y,
            residuals: point.residuals.clone(),
            weighted: point.weighted.clone(),
        };
        Fit::at(minimum, &factorise(&names, &columns)?)
    }
}
