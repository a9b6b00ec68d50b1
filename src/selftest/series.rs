//! Kinds that begin with readings.

use std::fmt::Write as _;

use heng_uncertainty::{Input, Inputs, Model, digitised_u, propagate, propagate_all, type_a};

use super::case::{EngineCase, Expected};
use super::field::{Fault, Field};
use super::judge::Found;
use super::measurement::{Expansion, expanded, unknown_what};
use super::problem::{compile_text, read_inputs};
use super::translate::{Names, expression};

/// Mean, standard deviation and autocorrelation of one series.
pub fn numerics(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let data = case.root.at("data");
    let series = match data.at("rule").given() {
        Some(rule) => alternating(&rule)?,
        None => data.at("x").numbers()?,
    };
    let evaluated = type_a(&series).map_err(|error| {
        let cure = "write at least two readings in \"x\"";
        data.fault(&error.to_string(), cure)
    })?;
    let answer = |expected: &Expected| {
        Ok(vec![match expected.what {
            "value" => Found::Value(evaluated.mean),
            "sd" => Found::Value(evaluated.s),
            "autocorrelation1" => evaluated.lag1.map_or_else(
                || Found::Refused("all readings are equal".to_owned()),
                Found::Value,
            ),
            _ => return Err(unknown_what(expected, "value, sd or autocorrelation1")),
        }])
    };
    case.expected.iter().map(answer).collect()
}

/// Standard uncertainties of the means of series that a display of the resolution `delta` has
/// rounded.
pub fn digitised(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let data = case.root.at("data");
    let resolution = data.at("delta").number()?;
    let answer = |expected: &Expected| {
        if expected.what != "u" {
            return Err(unknown_what(expected, "u"));
        }
        let series = data.at(expected.of).numbers()?;
        let u = digitised_u(&series, resolution);
        Ok(vec![u.map_or_else(
            |error| Found::Refused(error.to_string()),
            Found::Value,
        )])
    };
    case.expected.iter().map(answer).collect()
}

/// `1001 values: 1.2, then 1.1 and 1.3 alternating 500 times`.
fn alternating(rule: &Field) -> Result<Vec<f64>, Fault> {
    let words = rule
        .text()?
        .split(|c: char| c.is_whitespace() || c == ',' || c == ':');
    let numbers: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
    let [_, first, low, high, times] = numbers.as_slice() else {
        let cure = "write \"1001 values: 1.2, then 1.1 and 1.3 alternating 500 times\"";
        return Err(rule.fault("is no rule", cure));
    };
    let mut series = vec![*first];
    let mut left = *times;
    while left >= 1.0 && series.len() < 1_000_000 {
        series.extend([*low, *high]);
        left -= 1.0;
    }
    Ok(series)
}

/// Simultaneous readings of several quantities, and results of their means: values, standard
/// uncertainties and correlations (JCGM 100:2008, 5.2.3 and H.2).
struct Simultaneous {
    model: Model,
    inputs: Inputs,
    /// Expressions that the expectations name, and the output of each.
    named: Vec<(String, String)>,
    /// Readings of each.
    n: f64,
}

/// Means of simultaneous readings and what follows from them.
pub fn simultaneous(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let problem = Simultaneous::read(case)?;
    case.expected
        .iter()
        .map(|expected| problem.answer(expected))
        .collect()
}

impl Simultaneous {
    fn read(case: &EngineCase) -> Result<Self, Fault> {
        let columns = columns(case)?;
        let n = columns.first().map_or(0, |(_, column)| column.len()) as f64;
        let mut inputs = means(case, &columns)?;
        if let Some(list) = case.root.at("inputs").given() {
            let others = read_inputs(&list)?.into_iter();
            inputs
                .quantities
                .extend(others.map(super::problem::Quantity::into_first_order));
        }
        let mut text = String::new();
        let mut named = Vec::new();
        let names = Names::default();
        for (output, python) in case.root.at("model").members()? {
            if columns.iter().any(|(name, _)| name == output) {
                continue;
            }
            // The inputs are the means.
            let python = python.text()?.replace("mean(", "(");
            let _ = writeln!(text, "{output} = {}", expression(&python, &names));
            named.push((output.to_owned(), output.to_owned()));
        }
        let expectations = case
            .expected
            .iter()
            .flat_map(|expected| expected.of.split(','));
        for of in expectations.map(str::trim) {
            if named.iter().all(|(known, _)| known != of) {
                let output = format!("result_{}", named.len());
                let _ = writeln!(text, "{output} = {}", expression(of, &names));
                named.push((of.to_owned(), output));
            }
        }
        let model = compile_text(&text, &case.root.at("model"))?;
        inputs
            .quantities
            .retain(|input| model.inputs().contains(&input.symbol));
        let known = |name: &String| model.inputs().contains(name);
        inputs
            .correlations
            .retain(|pair| known(&pair.a) && known(&pair.b));
        if let Some(missing) = model
            .inputs()
            .iter()
            .find(|name| inputs.quantities.iter().all(|input| input.symbol != **name))
        {
            let problem = format!("uses {missing:?}, of which the case has no readings");
            return Err(case
                .root
                .at("model")
                .fault(&problem, "mend the name, or add the readings"));
        }
        let symbols = inputs.quantities.iter().map(|input| &input.symbol);
        let read_together = |symbol: &&String| columns.iter().any(|(name, _)| name == *symbol);
        inputs.ensembles = vec![symbols.filter(read_together).cloned().collect()];
        Ok(Self {
            model,
            inputs,
            named,
            n,
        })
    }

    fn output(&self, of: &str) -> &str {
        let found = self.named.iter().find(|(name, _)| name == of.trim());
        found.map_or("", |(_, output)| output)
    }

    fn answer(&self, expected: &Expected) -> Result<Vec<Found>, Fault> {
        let found = match expected.what {
            "r" | "one_minus_r" => self.correlation(expected)?,
            what => {
                let coverage = match expanded(what) {
                    Some(Expansion::Coverage(p)) => p,
                    _ => 0.95,
                };
                let output = self.output(expected.of);
                let number = match propagate(&self.model, output, &self.inputs, coverage) {
                    Err(error) => return Ok(vec![Found::Refused(error.to_string())]),
                    Ok(budget) => match (what, expanded(what)) {
                        ("value", _) => budget.value,
                        ("u", _) => budget.u,
                        // The covariance S/n of a single set of readings, not S/(n(n − 1)).
                        ("u_n", _) => budget.u * (self.n - 1.0).sqrt(),
                        ("dof", _) => budget.dof,
                        (_, Some(Expansion::Coverage(_))) => budget.expanded,
                        (_, Some(Expansion::Factor(k))) => k * budget.u,
                        _ => {
                            let known = "value, u, u_n, dof, r, one_minus_r or U95";
                            return Err(unknown_what(expected, known));
                        }
                    },
                };
                Found::Value(number)
            }
        };
        Ok(vec![found])
    }

    fn correlation(&self, expected: &Expected) -> Result<Found, Fault> {
        let Some((a, b)) = expected.of.split_once(',') else {
            let place = expected.field.at("of");
            return Err(place.fault("must name two results", "write \"A,B\""));
        };
        let outputs = [self.output(a), self.output(b)];
        let joint = match propagate_all(&self.model, &outputs, &self.inputs, 0.95) {
            Ok(joint) => joint,
            Err(error) => return Ok(Found::Refused(error.to_string())),
        };
        let r = joint.correlation[0][1];
        Ok(Found::Value(if expected.what == "r" { r } else { 1.0 - r }))
    }
}

type Column = (String, Vec<f64>);

/// Readings by name: the columns of a table, or series that the model makes of the data
/// element by element.
fn columns(case: &EngineCase) -> Result<Vec<Column>, Fault> {
    let data = case.root.at("data");
    let columns: Vec<Column> = if let Some(heads) = data.at("columns").given() {
        let heads = heads.list()?;
        let rows = data.at("rows").rows()?;
        if let Some(row) = rows.iter().find(|row| row.len() != heads.len()) {
            let problem = format!("has a row of {} numbers", row.len());
            let cure = format!("write {} in each, one a column", heads.len());
            return Err(data.at("rows").fault(&problem, &cure));
        }
        let column = |(at, head): (usize, &Field)| {
            Ok((
                head.text()?.to_owned(),
                rows.iter().map(|row| row[at]).collect(),
            ))
        };
        heads
            .iter()
            .enumerate()
            .map(column)
            .collect::<Result<_, Fault>>()?
    } else {
        derived_series(case)?
    };
    let lengths: Vec<usize> = columns.iter().map(|(_, column)| column.len()).collect();
    if lengths.iter().any(|&length| length != lengths[0]) || lengths.first().is_none_or(|&n| n < 2)
    {
        let problem = "has no simultaneous series of two readings or more";
        return Err(data.fault(problem, "write as many readings of each quantity"));
    }
    Ok(columns)
}

/// Outputs of the model that take no mean, for each set of the data lists.
fn derived_series(case: &EngineCase) -> Result<Vec<Column>, Fault> {
    let mut found = Vec::new();
    let data = case.root.at("data").members()?;
    for (name, python) in case.root.at("model").members()? {
        if python.text()?.contains("mean(") {
            continue;
        }
        let text = format!("{name} = {}", expression(python.text()?, &Names::default()));
        let model = compile_text(&text, &python)?;
        let mut lists = Vec::new();
        for symbol in model.inputs() {
            let Some((_, field)) = data.iter().find(|(name, _)| name == symbol) else {
                let problem = format!("uses {symbol:?}, which the data do not have");
                return Err(python.fault(&problem, "add it to \"data\", or mend the name"));
            };
            lists.push(if field.is_list() {
                field.numbers()?
            } else {
                vec![field.number()?]
            });
        }
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        let mut series = Vec::new();
        for row in 0..longest {
            let values: Option<Vec<f64>> = lists
                .iter()
                .map(|list| {
                    if list.len() == 1 {
                        Some(list[0])
                    } else {
                        list.get(row).copied()
                    }
                })
                .collect();
            let Some(values) = values else {
                let problem = "uses lists of different length";
                return Err(python.fault(problem, "give each list as many numbers"));
            };
            let value_of = |symbol: &str| {
                let at = model.inputs().iter().position(|input| input == symbol)?;
                Some(values[at])
            };
            let value = model.eval(name, &value_of);
            series.push(value.map_err(|error| python.fault(&error.to_string(), "mend the data"))?);
        }
        found.push((name.to_owned(), series));
    }
    Ok(found)
}

/// Means of simultaneous readings with their standard uncertainties and correlations
/// (JCGM 100:2008, 5.2.3, equation 17).
fn means(case: &EngineCase, columns: &[Column]) -> Result<Inputs, Fault> {
    let data = case.root.at("data");
    let length = columns.iter().map(|(_, column)| column.len()).min();
    let symbols: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let rows: Vec<Vec<f64>> = (0..length.unwrap_or_default())
        .map(|row| columns.iter().map(|(_, column)| column[row]).collect())
        .collect();
    let inputs = heng_uncertainty::simultaneous(&symbols, &rows)
        .map_err(|error| data.fault(&error.to_string(), "mend the readings"))?;
    // Which of them were read together is the case's to say.
    Ok(Inputs {
        ensembles: Vec::new(),
        ..inputs
    })
}

/// Correlation coefficient of two series, evaluated by the model language.
pub fn correlation(x: &[f64], y: &[f64], place: &Field) -> Result<f64, Fault> {
    let n = x.len();
    let text = format!(
        "vector x[{n}], y[{n}]\ndx = x - mean(x)\ndy = y - mean(y)\n\
         r = max(-1, min(1, dot(dx, dy) / sqrt(sumsq(dx) * sumsq(dy))))"
    );
    let model = compile_text(&text, place)?;
    let element = |symbol: &str| {
        let (series, index) = symbol.strip_suffix(']')?.split_once('[')?;
        let at = index.parse::<usize>().ok()?.checked_sub(1)?;
        if series == "x" { x } else { y }.get(at).copied()
    };
    model.eval("r", &element).map_err(|error| {
        let cure = "a series of equal readings has no correlation: enter it as an input";
        place.fault(&error.to_string(), cure)
    })
}

/// Interpolation at `at` on the line through points of known uncertainty and degrees of
/// freedom, whose effective degrees of freedom are those of Welch and Satterthwaite for the
/// weights of the points.
pub fn line_of_known_points(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let data = case.root.at("data");
    let lists = ["x", "y", "u", "dof"].map(|name| data.at(name).numbers());
    let [x, y, u, dof] = lists;
    let (x, y, u, dof) = (x?, y?, u?, dof?);
    let n = x.len();
    if n < 2 || [&y, &u, &dof].iter().any(|list| list.len() != n) {
        let problem = "has lists of different or no length";
        return Err(data.fault(problem, "write as many of x, y, u and dof"));
    }
    let text = format!(
        "vector x[{n}], y[{n}]\nmiddle = mean(x)\n\
         line = mean(y) + (at - middle) * dot(x - middle, y) / sumsq(x - middle)"
    );
    let model = compile_text(&text, &data)?;
    let mut inputs = vec![Input::constant("at", data.at("at").number()?)];
    for at in 0..n {
        inputs.push(Input::constant(&format!("x[{}]", at + 1), x[at]));
        inputs.push(Input::normal(&format!("y[{}]", at + 1), y[at], u[at]).with_dof(dof[at]));
    }
    let budget = propagate(&model, "line", &Inputs::from(inputs), 0.95);
    let answer = |expected: &Expected| {
        let number = match (&budget, expected.what) {
            (Err(error), _) => return Ok(vec![Found::Refused(error.to_string())]),
            (Ok(budget), "value") => budget.value,
            (Ok(budget), "u") => budget.u,
            (Ok(budget), "variance") => budget.u * budget.u,
            (Ok(budget), "dof") => budget.dof,
            _ => return Err(unknown_what(expected, "value, u, variance or dof")),
        };
        Ok(vec![Found::Value(number)])
    };
    case.expected.iter().map(answer).collect()
}
