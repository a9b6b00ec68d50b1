//! Expressions of the named formulas of the program, on the inputs of a case.

use heng_uncertainty::{Library, Model};

use super::super::case::ScienceCase;
use super::super::field::Fault;
use super::super::judge::Found;
use super::{by_name, number_or_refusal};

pub fn compile(case: &ScienceCase, text: &str) -> Result<Model, Fault> {
    Model::compile(text, Library::shipped()).map_err(|findings| {
        let problem = findings
            .first()
            .map_or_else(String::new, ToString::to_string);
        case.root
            .fault(&problem, "this check of the program is broken: report it")
    })
}

/// The inputs that a model uses, from `inputs` of the case.
pub fn inputs(
    case: &ScienceCase,
    model: &Model,
    left_out: &str,
) -> Result<Vec<(String, f64)>, Fault> {
    let used = model.inputs().iter().filter(|name| *name != left_out);
    used.map(|name| Ok((name.clone(), case.root.at("inputs").at(name).number()?)))
        .collect()
}

pub fn value_of(values: &[(String, f64)]) -> impl Fn(&str) -> Option<f64> + '_ {
    move |name| {
        values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }
}

/// Answers by expressions, each under the name of the quantity that it gives.
pub fn evaluate(case: &ScienceCase, expressions: &[(&str, &str)]) -> Result<Vec<Found>, Fault> {
    let mut answers = Vec::new();
    for (quantity, expression) in expressions {
        let model = compile(case, &format!("y = {expression}"))?;
        let values = inputs(case, &model, "")?;
        let found = number_or_refusal(model.eval("y", &value_of(&values)));
        answers.push((*quantity, found));
    }
    by_name(case, &names(expressions), |what| {
        let answer = answers.iter().find(|(quantity, _)| *quantity == what);
        answer.map(|(_, found)| found.clone())
    })
}

/// Derivatives of one expression, each under its name with the input to which it is taken.
pub fn derivatives(
    case: &ScienceCase,
    expression: &str,
    slopes: &[(&str, &str)],
) -> Result<Vec<Found>, Fault> {
    let model = compile(case, &format!("y = {expression}"))?;
    let values = inputs(case, &model, "")?;
    let at: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    let gradient = model.gradient("y", &at);
    by_name(case, &names(slopes), |what| {
        let (_, input) = slopes.iter().find(|(name, _)| *name == what)?;
        let at = values.iter().position(|(name, _)| name == input)?;
        let slope = gradient.clone().map(|(_, slopes)| slopes[at]);
        Some(number_or_refusal(slope))
    })
}

fn names(pairs: &[(&str, &str)]) -> String {
    let names: Vec<_> = pairs.iter().map(|(name, _)| *name).collect();
    names.join(" or ")
}
