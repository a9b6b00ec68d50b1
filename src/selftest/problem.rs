//! The measurement model and the input quantities of a case.

use std::fmt::Write as _;

use heng_uncertainty::{Correlation, Distribution, Input, Inputs, Library, Model};

use super::case::EngineCase;
use super::field::{Fault, Field};
use super::translate::{Names, expression};

/// What a case states about a measurement.
#[derive(Debug)]
pub struct Problem {
    pub model: Model,
    names: Names,
    /// With the standard uncertainties of the law of propagation.
    pub first_order: Inputs,
    /// With the distributions of the Monte Carlo method.
    pub drawn: Inputs,
}

impl Problem {
    /// Model and inputs of kinds that have `model` and `inputs`.
    pub fn read(case: &EngineCase) -> Result<Self, Fault> {
        let inputs = case.root.at("inputs");
        let quantities = read_inputs(&inputs)?;
        Self::with_quantities(case, quantities)
    }

    /// The same with inputs that the case states in another way.
    pub fn with_quantities(case: &EngineCase, quantities: Vec<Quantity>) -> Result<Self, Fault> {
        let outputs = case.root.at("model").members()?;
        let symbols = quantities.iter().map(|quantity| quantity.name.as_str());
        let names = Names::of(symbols.chain(outputs.iter().map(|(name, _)| bare(name))));
        let model = compile(&outputs, "", &names, &case.root.at("model"))?;
        let problem = Self::assemble(case, model, names, quantities)?;
        problem.check_inputs(&case.root.at("inputs"))?;
        Ok(problem)
    }

    /// Complex inputs in polar form: rows of name, modulus, its uncertainty, argument in
    /// radians, its uncertainty.
    pub fn polar(case: &EngineCase) -> Result<Self, Fault> {
        let outputs = case.root.at("model").members()?;
        let mut quantities = Vec::new();
        let mut declared = Vec::new();
        for row in case.root.at("complex_polar").list()? {
            let cells = row.list()?;
            let [name, modulus, u_modulus, argument, u_argument] = cells.as_slice() else {
                let cure = "write [name, modulus, u(modulus), argument in rad, u(argument)]";
                return Err(row.fault(&format!("has {} values", cells.len()), cure));
            };
            let name = name.text()?;
            declared.push(name);
            for (part, value, u) in [("abs", modulus, u_modulus), ("arg", argument, u_argument)] {
                let input = Input::normal(&format!("{name}.{part}"), value.number()?, u.number()?);
                quantities.push(Quantity::normal(input));
            }
        }
        let names = Names::default();
        let head = if declared.is_empty() {
            String::new()
        } else {
            format!("polar {}\n", declared.join(", "))
        };
        let place = case.root.at("model");
        compile(&outputs, &head, &names, &place)?;
        let mut text = text_of(&outputs, &head, &names)?;
        for (name, _) in &outputs {
            let _ = writeln!(text, "abs_{name} = abs({name})\narg_{name} = arg({name})");
        }
        let model = compile_text(&text, &place)?;
        let problem = Self::assemble(case, model, names, quantities)?;
        problem.check_inputs(&case.root.at("complex_polar"))?;
        Ok(problem)
    }

    fn assemble(
        case: &EngineCase,
        model: Model,
        names: Names,
        quantities: Vec<Quantity>,
    ) -> Result<Self, Fault> {
        let correlations = correlations(&case.root.at("correlation"), &names)?;
        let (mut first_order, mut drawn) = (Vec::new(), Vec::new());
        for quantity in quantities {
            let symbol = names.get(&quantity.name).to_owned();
            first_order.push(Input {
                symbol: symbol.clone(),
                ..quantity.first_order
            });
            drawn.push(Input {
                symbol,
                ..quantity.drawn
            });
        }
        let inputs = |quantities| Inputs {
            correlations: correlations.clone(),
            ..Inputs::from(quantities)
        };
        Ok(Self {
            model,
            names,
            first_order: inputs(first_order),
            drawn: inputs(drawn),
        })
    }

    fn check_inputs(&self, place: &Field) -> Result<(), Fault> {
        let stated: Vec<_> = self
            .first_order
            .quantities
            .iter()
            .map(|input| &input.symbol)
            .collect();
        if let Some(missing) = self
            .model
            .inputs()
            .iter()
            .find(|name| !stated.contains(name))
        {
            let problem = format!("has no {missing:?}, which the model uses");
            return Err(place.fault(&problem, "state this input, or mend its name in the model"));
        }
        let used = self.model.inputs();
        if let Some(unused) = stated.into_iter().find(|name| !used.contains(name)) {
            let problem = format!("has {unused:?}, which the model does not use");
            return Err(place.fault(&problem, "remove this input, or mend its name"));
        }
        Ok(())
    }

    /// The output of the model that a case calls `of`: `l`, `re(Gamma)`, `abs(Gamma)`.
    pub fn output(&self, of: &str) -> Option<&str> {
        let known = |name: &str| {
            let outputs = self.model.outputs();
            outputs
                .iter()
                .find(|output| *output == name)
                .map(String::as_str)
        };
        if let Some((part, rest)) = of.split_once('(') {
            let name = rest.strip_suffix(')')?;
            return known(&format!("{name}.{part}")).or_else(|| known(&format!("{part}_{name}")));
        }
        known(self.names.get(of)).or_else(|| {
            // `re` and `im` of the only complex result.
            let outputs = self.model.outputs();
            outputs
                .iter()
                .find(|output| output.ends_with(&format!(".{of}")))
                .map(String::as_str)
        })
    }

    pub fn symbol<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name)
    }

    /// The values of the inputs.
    pub fn value_of(&self, symbol: &str) -> Option<f64> {
        let inputs = &self.first_order.quantities;
        inputs
            .iter()
            .find(|input| input.symbol == symbol)
            .map(|input| input.value)
    }
}

/// The name in `implicit x`.
fn bare(output: &str) -> &str {
    output.strip_prefix("implicit ").unwrap_or(output).trim()
}

fn statement(output: &str, python: &str, names: &Names) -> String {
    let name = names.get(bare(output));
    let text = expression(python, names);
    if output.starts_with("implicit ") {
        format!("solve {name}: {text}")
    } else {
        format!("{name} = {text}")
    }
}

/// The statements in an order in which each comes after those whose results it uses: the
/// members of a JSON object have none.
fn text_of(outputs: &[(&str, Field)], head: &str, names: &Names) -> Result<String, Fault> {
    let mut waiting = Vec::new();
    for (name, python) in outputs {
        waiting.push((
            names.get(bare(name)).to_owned(),
            statement(name, python.text()?, names),
        ));
    }
    let mut text = head.to_owned();
    while !waiting.is_empty() {
        let free = waiting.iter().position(|(name, statement)| {
            waiting
                .iter()
                .all(|(other, _)| other == name || !mentions(statement, other))
        });
        // Where none is free they depend on each other, which the compiler then says.
        let (_, statement) = waiting.remove(free.unwrap_or(0));
        text.push_str(&statement);
        text.push('\n');
    }
    Ok(text)
}

fn mentions(statement: &str, name: &str) -> bool {
    let words = statement.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.into_iter().any(|word| word == name)
}

fn compile(
    outputs: &[(&str, Field)],
    head: &str,
    names: &Names,
    place: &Field,
) -> Result<Model, Fault> {
    if outputs.is_empty() {
        return Err(place.fault("is empty", "write {\"y\": \"a + b\"} here"));
    }
    let text = text_of(outputs, head, names)?;
    compile_text(&text, place).map_err(|fault| {
        // The field that is wrong by itself, where one is.
        let alone = outputs.iter().find_map(|(name, field)| {
            let python = field.text().ok()?;
            let text = format!("{head}{}", statement(name, python, names));
            compile_text(&text, field).err()
        });
        alone.unwrap_or(fault)
    })
}

/// A model that the runner or a case has written.
pub fn compile_text(text: &str, place: &Field) -> Result<Model, Fault> {
    Model::compile(text, &Library::default()).map_err(|findings| {
        let (problem, help) = findings.first().map_or_else(Default::default, |finding| {
            (finding.message.clone(), finding.help.clone())
        });
        let problem = format!("cannot be read as {:?}: {problem}", text.trim());
        let cure = help.unwrap_or_else(|| "mend the expression".to_owned());
        place.fault(&problem, &cure)
    })
}

/// An input quantity as a case states it.
#[derive(Debug)]
pub struct Quantity {
    name: String,
    first_order: Input,
    drawn: Input,
}

impl Quantity {
    pub fn normal(input: Input) -> Self {
        Self {
            name: input.symbol.clone(),
            first_order: input.clone(),
            drawn: input,
        }
    }

    pub fn into_first_order(self) -> Input {
        self.first_order
    }
}

pub fn read_inputs(list: &Field) -> Result<Vec<Quantity>, Fault> {
    list.list()?.iter().map(quantity).collect()
}

fn quantity(field: &Field) -> Result<Quantity, Fault> {
    let name = field.at("name").text()?;
    let (value, u) = (field.at("value").number()?, field.at("u").number()?);
    if u < 0.0 {
        let problem = "is negative";
        return Err(field
            .at("u")
            .fault(problem, "write a standard uncertainty of 0 or more"));
    }
    let dof = field.at("dof").number_or_infinite()?;
    if dof <= 0.0 {
        let cure = "write degrees of freedom above 0, or null where they are infinite";
        return Err(field.at("dof").fault("is not positive", cure));
    }
    let drawn = law(field, name, value, u)?;
    let distribution = match drawn.distribution {
        // The law of propagation takes `u` as it stands, whatever it is of the t.
        Distribution::StudentT | Distribution::StudentTSd => Distribution::Normal,
        ref other => other.clone(),
    };
    let first_order = Input {
        u,
        dof,
        distribution,
        ..Input::normal(name, value, u)
    };
    let drawn_dof = if drawn.dof.is_finite() {
        drawn.dof
    } else {
        dof
    };
    Ok(Quantity {
        name: name.to_owned(),
        first_order,
        drawn: drawn.with_dof(drawn_dof),
    })
}

const LAWS: &str = "normal, rectangular, triangular, arcsine, t, ctrap, exponential or constant";

/// The distribution from which the Monte Carlo method draws.
fn law(field: &Field, name: &str, value: f64, u: f64) -> Result<Input, Fault> {
    let params = field.at("params");
    let plain = |distribution| Input {
        distribution,
        ..Input::normal(name, value, u)
    };
    let width = half_width(&params)?;
    let dist = field.at("dist");
    Ok(match (dist.text()?, width) {
        ("normal", _) => Input::normal(name, value, u),
        ("constant", _) => Input::constant(name, value),
        ("exponential", _) => plain(Distribution::Exponential),
        ("rectangular", None) => plain(Distribution::Rectangular),
        ("triangular", None) => plain(Distribution::Triangular),
        ("arcsine", None) => plain(Distribution::UShaped),
        ("rectangular", Some((middle, half))) => {
            Input::rectangular(name, middle.unwrap_or(value), half)
        }
        ("triangular", Some((middle, half))) => {
            Input::triangular(name, middle.unwrap_or(value), half)
        }
        ("arcsine", Some((middle, half))) => Input::u_shaped(name, middle.unwrap_or(value), half),
        ("ctrap", Some((middle, half))) => {
            let d = params.at("d").number()?;
            Input::curvilinear_trapezoid(name, middle.unwrap_or(value), half, d)
        }
        ("ctrap", None) => {
            let cure = "write {\"lower\": a, \"upper\": b, \"d\": d}";
            return Err(params.fault("needs limits", cure));
        }
        ("t", _) => student(field, name, value, u)?,
        (other, _) => {
            let cure = format!("take {LAWS}");
            return Err(dist.fault(&format!("is {other:?}, which is no distribution"), &cure));
        }
    })
}

/// Middle and half width from `half_width` (without middle) or `lower` and `upper`.
fn half_width(params: &Field) -> Result<Option<(Option<f64>, f64)>, Fault> {
    let found = if let Some(half) = params.at("half_width").given() {
        (None, half.number()?)
    } else if params.at("lower").given().is_some() {
        let (low, high) = (params.at("lower").number()?, params.at("upper").number()?);
        (Some(0.5 * (low + high)), 0.5 * (high - low))
    } else {
        return Ok(None);
    };
    if found.1 <= 0.0 {
        return Err(params.fault(
            "is an empty interval",
            "write the upper limit above the lower",
        ));
    }
    Ok(Some(found))
}

/// Centre, scale and degrees of freedom; the standard deviation where `sd` is given.
fn student(field: &Field, name: &str, value: f64, u: f64) -> Result<Input, Fault> {
    let params = field.at("params");
    let dof = params.at("dof").given().unwrap_or_else(|| field.at("dof"));
    let dof_value = dof.number()?;
    let centre = params.at("centre").given();
    let centre = centre.map_or(Ok(value), |field| field.number())?;
    if let Some(sd) = params.at("sd").given() {
        let drawn = Input {
            distribution: Distribution::StudentTSd,
            ..Input::normal(name, centre, sd.number()?)
        };
        return Ok(drawn.with_dof(dof_value));
    }
    let scale = params.at("scale").given();
    let scale = scale.map_or(Ok(u), |field| field.number())?;
    Ok(Input::student(name, centre, scale, dof_value))
}

fn correlations(list: &Field, names: &Names) -> Result<Vec<Correlation>, Fault> {
    let Some(list) = list.clone().given() else {
        return Ok(Vec::new());
    };
    let entries = list.list()?;
    let read = entries.iter().map(|entry| {
        let cells = entry.list()?;
        let [a, b, r] = cells.as_slice() else {
            let cure = "write [\"a\", \"b\", 0.9]";
            return Err(entry.fault(&format!("has {} values", cells.len()), cure));
        };
        Ok(Correlation {
            a: names.get(a.text()?).to_owned(),
            b: names.get(b.text()?).to_owned(),
            r: r.number()?,
        })
    });
    read.collect()
}
