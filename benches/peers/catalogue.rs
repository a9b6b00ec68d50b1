//! The trial models of `models.json`, which the peers read too.

use std::error::Error;

use heng_uncertainty::{Input, Inputs, Library, Model};
use serde_json::Value;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Coverage probability of all intervals that are compared.
pub const COVERAGE: f64 = 0.95;

/// Model, output and inputs of an entry of `models.json`.
pub struct Case {
    pub model: Model,
    pub output: String,
    pub inputs: Inputs,
}

impl Case {
    /// An entry of `models`: its inputs follow their laws.
    pub fn to_draw(name: &str) -> Outcome<Self> {
        Self::read("models", name, input_of_law)
    }

    /// An entry of `budgets`: of its inputs estimate, u and degrees of freedom are known.
    pub fn to_propagate(name: &str) -> Outcome<Self> {
        Self::read("budgets", name, input_of_budget)
    }

    fn read(kind: &str, name: &str, input: fn(&Value) -> Outcome<Input>) -> Outcome<Self> {
        let catalogue: Value = serde_json::from_str(include_str!("models.json"))?;
        let case = &catalogue[kind][name];
        let output = text(case, "output")?;
        let lines = case["expression"].as_array().ok_or("no expression")?;
        let lines: Option<Vec<&str>> = lines.iter().map(Value::as_str).collect();
        let expression = lines.ok_or("an expression is text")?.join(" ");
        let model = Model::compile(&format!("{output} = {expression}"), Library::shipped())
            .map_err(|found| format!("{found:?}"))?;
        let inputs = case["inputs"].as_array().ok_or("no inputs")?;
        let inputs: Outcome<Vec<Input>> = inputs.iter().map(input).collect();
        Ok(Self {
            model,
            output: output.to_owned(),
            inputs: inputs?.into(),
        })
    }
}

fn input_of_law(entry: &Value) -> Outcome<Input> {
    let (symbol, value) = (text(entry, "symbol")?, number(entry, "value")?);
    let get = |key| number(entry, key);
    Ok(match text(entry, "law")? {
        "normal" => Input::normal(symbol, value, get("u")?),
        "t" => Input::student(symbol, value, get("scale")?, get("dof")?),
        "rectangular" => Input::rectangular(symbol, value, get("half_width")?),
        "triangular" => Input::triangular(symbol, value, get("half_width")?),
        "arcsine" => Input::u_shaped(symbol, value, get("half_width")?),
        "curvilinear" => Input::curvilinear_trapezoid(symbol, value, get("half_width")?, get("d")?),
        other => return Err(format!("no law {other:?}").into()),
    })
}

fn input_of_budget(entry: &Value) -> Outcome<Input> {
    let input = Input::normal(
        text(entry, "symbol")?,
        number(entry, "value")?,
        number(entry, "u")?,
    );
    let dof = entry.get("dof").and_then(Value::as_f64);
    Ok(input.with_dof(dof.unwrap_or(f64::INFINITY)))
}

fn number(entry: &Value, key: &str) -> Outcome<f64> {
    let found = entry[key].as_f64();
    Ok(found.ok_or_else(|| format!("models.json: no number {key:?} in {entry}"))?)
}

fn text<'a>(entry: &'a Value, key: &str) -> Outcome<&'a str> {
    let found = entry[key].as_str();
    Ok(found.ok_or_else(|| format!("models.json: no text {key:?} in {entry}"))?)
}
