//! Non-linear fits of the uncertainty engine.

use heng_uncertainty::{Model, NonlinearError, NonlinearFit, NonlinearProblem, Scatter};

use super::case::{EngineCase, Expected};
use super::field::Fault;
use super::judge::Found;
use super::measurement::unknown_what;
use super::problem::compile_text;
use super::translate::{Names, expression};

/// A model with its points; the parameters are what the points do not have.
pub struct Search {
    pub model: Model,
    pub output: String,
    pub columns: Vec<(String, Vec<f64>)>,
    pub y: Vec<f64>,
}

impl Search {
    /// In the order of their names, `b2` before `b10`, which is that of the start values.
    pub fn parameters(&self) -> Vec<&str> {
        let is_column = |name: &str| self.columns.iter().any(|(column, _)| column == name);
        let inputs = self.model.inputs().iter().map(String::as_str);
        let mut parameters: Vec<&str> = inputs.filter(|name| !is_column(name)).collect();
        parameters.sort_by_key(|name| (name.len(), *name));
        parameters
    }

    fn fit(&self, starts: &[f64]) -> Result<NonlinearFit, NonlinearError> {
        let parameters = self.parameters().into_iter().zip(starts.iter().copied());
        let parameters: Vec<(&str, f64)> = parameters.collect();
        let columns = self.columns.iter();
        let columns: Vec<_> = columns.map(|(name, x)| (name.as_str(), &x[..])).collect();
        NonlinearProblem {
            model: &self.model,
            output: &self.output,
            parameters: &parameters,
            columns: &columns,
            y: &self.y,
            scatter: Scatter::Unknown,
        }
        .fit()
    }

    pub fn fits(&self, starts: &[Vec<f64>]) -> Result<Vec<NonlinearFit>, String> {
        let each = starts.iter().map(|start| self.fit(start));
        let fits: Result<_, _> = each.collect();
        fits.map_err(|error: NonlinearError| error.to_string())
    }

    /// `of` is a parameter, or anything for the whole fit; none where either is not known.
    pub fn figure(&self, fit: &NonlinearFit, of: &str, what: &str) -> Option<Result<f64, String>> {
        let at = || self.parameters().iter().position(|name| *name == of);
        Some(match what {
            "value" => Ok(fit.fit.estimates[at()?]),
            "u" => {
                let (u, at) = (fit.fit.uncertainties(), at()?);
                u.map(|u| u[at]).map_err(|error| error.to_string())
            }
            "ssr" => Ok(fit.fit.sum_of_squares),
            "s" => fit.fit.s.ok_or_else(|| "0 degrees of freedom".to_owned()),
            _ => return None,
        })
    }
}

/// The answer of the start that comes least near: each of them must find the minimum.
pub fn worst(
    fits: &Result<Vec<NonlinearFit>, String>,
    expected: f64,
    figure: impl Fn(&NonlinearFit) -> Option<Result<f64, String>>,
) -> Option<Found> {
    let fits = match fits {
        Ok(fits) => fits,
        Err(reason) => return Some(Found::Refused(reason.clone())),
    };
    let mut figures = Vec::new();
    for fit in fits {
        match figure(fit)? {
            Ok(found) => figures.push(found),
            Err(reason) => return Some(Found::Refused(reason)),
        }
    }
    // What is no number counts as farthest.
    let distance = |found: &f64| (found - expected).abs();
    let farthest = figures
        .into_iter()
        .max_by(|a, b| distance(a).total_cmp(&distance(b)));
    Some(farthest.map_or_else(
        || Found::Refused("the case has no start values".to_owned()),
        Found::Value,
    ))
}

/// The minimum from each of the starts `start1`, `start2`, ….
pub fn fit(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let data = case.root.at("data");
    let members = case.root.at("model").members()?;
    let Some((output, python)) = members.first() else {
        let place = case.root.at("model");
        return Err(place.fault("is empty", "write the fitted quantity and its expression"));
    };
    let text = expression(python.text()?, &Names::default());
    let (mut starts, mut columns, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for (name, field) in data.members()? {
        if name.starts_with("start") {
            starts.push(field.numbers()?);
        } else if name == *output {
            y = field.numbers()?;
        } else {
            columns.push((name.to_owned(), field.numbers()?));
        }
    }
    let search = Search {
        model: compile_text(&format!("{output} = {text}"), python)?,
        output: (*output).to_owned(),
        columns,
        y,
    };
    let parameters = search.parameters().len();
    if starts.is_empty() || starts.iter().any(|start| start.len() != parameters) {
        let cure = format!("write lists start1, start2 of {parameters} numbers");
        return Err(data.fault("has no start value for each parameter", &cure));
    }
    let fits = search.fits(&starts);
    let answer = |expected: &Expected| {
        let number = expected.values.first().copied().unwrap_or(f64::NAN);
        let figure = |fit: &NonlinearFit| search.figure(fit, expected.of, expected.what);
        let known = "value or u of a parameter, or ssr or s of the fit";
        let found = worst(&fits, number, figure);
        Ok(vec![found.ok_or_else(|| unknown_what(expected, known))?])
    };
    case.expected.iter().map(answer).collect()
}
