//! Kinds without a model: factors, budgets of contributions, risks, shares of variance.

use heng_uncertainty::{
    Budget, Distribution, Input, Inputs, Law, RiskProblem, Sampling, Warning, coverage_factor,
    coverage_factor_2d, process_capability, propagate, sobol, specific_risk,
};

use super::SEED;
use super::case::{EngineCase, Expected};
use super::field::{Fault, Field};
use super::judge::Found;
use super::measurement::{Expansion, expanded, probability, unknown_what};
use super::problem::{Problem, Quantity, compile_text};

/// Coverage factors for a probability and degrees of freedom.
pub fn quantile(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let answer = |expected: &Expected| {
        if expected.what != "k" {
            return Err(unknown_what(expected, "k"));
        }
        let p = probability(expected)?.ok_or_else(|| {
            expected
                .field
                .at("p")
                .fault("is missing", "write a probability")
        })?;
        let dof = expected.field.at("dof").number_or_infinite()?;
        let found = match expected.of {
            "t" => Found::Value(coverage_factor(dof, p)),
            "k2" => elliptical(dof, p),
            other => {
                let problem = format!("is {other:?}");
                return Err(expected.field.at("of").fault(&problem, "take t or k2"));
            }
        };
        Ok(vec![found])
    };
    case.expected.iter().map(answer).collect()
}

/// Factor of a two-dimensional elliptical region.
fn elliptical(dof: f64, p: f64) -> Found {
    coverage_factor_2d(dof, p).map_or_else(
        || Found::Refused("such a region needs more than 1 degree of freedom".to_owned()),
        Found::Value,
    )
}

/// A list of contributions that are added up.
pub fn budget(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let list = case.root.at("contributions");
    let mut terms = Vec::new();
    let mut inputs = Vec::new();
    for (at, contribution) in list.list()?.iter().enumerate() {
        let symbol = format!("x{at}");
        terms.push(format!("({:?}) * {symbol}", contribution.at("c").number()?));
        let u = contribution.at("u").number()?;
        let dof = contribution.at("dof").number_or_infinite()?;
        let distribution = match contribution.at("dist").text()? {
            "rectangular" => Distribution::Rectangular,
            "triangular" => Distribution::Triangular,
            "arcsine" => Distribution::UShaped,
            // A product or a t counts here by its standard uncertainty alone.
            _ => Distribution::Normal,
        };
        inputs.push(Input {
            distribution,
            ..Input::normal(&symbol, 0.0, u).with_dof(dof)
        });
    }
    if terms.is_empty() {
        return Err(list.fault("is empty", "write at least one contribution"));
    }
    let model = compile_text(&format!("y = {}", terms.join(" + ")), &list)?;
    let inputs = Inputs::from(inputs);
    let answer = |expected: &Expected| {
        let coverage = match (expected.what, expanded(expected.what)) {
            (_, Some(Expansion::Coverage(p))) => p,
            // EA-4/02 calls 95 % what is 95.45 %.
            ("k", _) => probability(expected)?.unwrap_or(0.9545),
            _ => 0.95,
        };
        let found = match propagate(&model, "y", &inputs, coverage) {
            Err(error) => Found::Refused(error.to_string()),
            Ok(budget) => budget_number(expected, &budget)?,
        };
        Ok(vec![found])
    };
    case.expected.iter().map(answer).collect()
}

fn budget_number(expected: &Expected, budget: &Budget) -> Result<Found, Fault> {
    let (k, note) = match dominant_factor(budget) {
        Some(k) => (
            k,
            Some("k of the one contribution that dominates (EA-4/02, S9)"),
        ),
        None => (budget.k, None),
    };
    let number = match (expected.what, expanded(expected.what)) {
        ("value", _) => budget.value,
        ("u", _) => return Ok(Found::Value(budget.u)),
        ("dof", _) => budget.dof,
        ("k", _) => k,
        (_, Some(Expansion::Coverage(_))) => k * budget.u,
        (_, Some(Expansion::Factor(k))) => return Ok(Found::Value(k * budget.u)),
        _ => {
            return Err(unknown_what(expected, "value, u, dof, k, U95 or U(k=2)"));
        }
    };
    Ok(match note {
        Some(note) if expected.what != "dof" => Found::Noted(number, note.to_owned()),
        _ => Found::Value(number),
    })
}

/// Coverage factor of 95 % of the one distribution that dominates a budget, where it is not
/// normal (EA-4/02 M:2022, S9.14).
fn dominant_factor(budget: &Budget) -> Option<f64> {
    let dominant = budget.warnings.iter().find_map(|warning| match warning {
        Warning::Dominant { symbol, .. } => Some(symbol),
        _ => None,
    })?;
    let row = budget.rows.iter().find(|row| row.symbol == *dominant)?;
    let law = Law::new(&Input {
        distribution: row.distribution.clone(),
        ..Input::normal("x", 0.0, 1.0)
    });
    law.ok().map(|law| law.quantile(0.975))
}

/// Risks of decisions, capability and guard bands.
pub fn conformity(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let answer = |expected: &Expected| {
        let found = match expected.of {
            "pfa" | "pfr" => test_uncertainty_ratio(expected)?,
            "cpk" | "risk" => specific(case, expected)?,
            "prior" | "rule" => of_prior(case, expected)?,
            other => {
                let problem = format!("is {other:?}");
                let cure = "take prior, rule, pfa, pfr, cpk or risk";
                return Err(expected.field.at("of").fault(&problem, cure));
            }
        };
        Ok(vec![found.unwrap_or_else(Found::Refused)])
    };
    case.expected.iter().map(answer).collect()
}

type Judged = Result<Found, String>;

fn value<E: ToString>(found: Result<f64, E>) -> Judged {
    found.map(Found::Value).map_err(|error| error.to_string())
}

fn normal(mean: f64, sd: f64) -> Result<Law, String> {
    Law::new(&Input::normal("quantity", mean, sd)).map_err(|error| error.to_string())
}

/// Deaver's problem: a process of standard deviation 1 about the middle of ±SL, a measurement
/// of standard deviation 1/TUR, acceptance within `guard` times the limits.
fn test_uncertainty_ratio(expected: &Expected) -> Result<Judged, Fault> {
    let of = |name: &str| expected.field.at(name).number();
    let (limit, ratio) = (of("SL")?, of("TUR")?);
    let guard = of("guard")?;
    let risks = normal(0.0, 1.0).and_then(|prior| {
        let problem = RiskProblem {
            prior,
            u_measurement: 1.0 / ratio,
            tolerance: [-limit, limit],
            acceptance: [-limit * guard, limit * guard],
        };
        problem.risks().map_err(|error| error.to_string())
    });
    Ok(risks.map(|risks| {
        Found::Value(if expected.of == "pfa" {
            risks.consumer_global
        } else {
            risks.producer_global
        })
    }))
}

/// A normal result against limits. They stand in `data` as `limits` and `sd`, or in words in
/// the clause of the source: `limits 9 to 11, sd 0.4`.
fn specific(case: &EngineCase, expected: &Expected) -> Result<Judged, Fault> {
    let data = case.root.at("data");
    let (limits, sd) = if data.clone().given().is_some() {
        (data.at("limits").pair()?, data.at("sd").number()?)
    } else {
        let clause = case.root.at("source").at("clause");
        let words = clause
            .clone()
            .given()
            .map_or(Ok(""), |clause| clause.text())?;
        let number = |word| number_after(words, word);
        let found = (number("limits"), number(" to"), number("sd"));
        let (Some(low), Some(high), Some(sd)) = found else {
            let cure = "write {\"limits\": [9, 11], \"sd\": 0.4}";
            return Err(data.fault("is missing", cure));
        };
        ([low, high], sd)
    };
    let mean = expected.field.at("mean").number()?;
    Ok(normal(mean, sd).and_then(|law| match expected.of {
        "cpk" => value(process_capability(&law, limits)),
        _ => value(specific_risk(&law, limits)),
    }))
}

fn number_after(words: &str, word: &str) -> Option<f64> {
    let (_, after) = words.split_once(word)?;
    let number = after.split([' ', ',', ')']).find(|part| !part.is_empty())?;
    number.parse().ok()
}

/// A process of known law, a normal measurement and a tolerance.
fn of_prior(case: &EngineCase, expected: &Expected) -> Result<Judged, Fault> {
    let data = case.root.at("data");
    let tolerance = data.at("tolerance").pair()?;
    let acceptance = data.at("acceptance").given();
    let problem = RiskProblem {
        prior: match prior(&data.at("prior"))? {
            Ok(prior) => prior,
            Err(error) => return Ok(Err(error)),
        },
        u_measurement: data.at("measurement").at("sd").number()?,
        tolerance,
        acceptance: acceptance.map_or(Ok(tolerance), |field| field.pair())?,
    };
    let risks = || problem.risks().map_err(|error| error.to_string());
    let what = expected.what;
    if let Some(percent) = what.strip_prefix("guard_band_for_") {
        let percent = percent
            .strip_suffix('%')
            .and_then(|text| text.parse::<f64>().ok());
        return match percent {
            Some(percent) => Ok(value(problem.guard_band_for(percent / 100.0))),
            None => Err(unknown_what(expected, "guard_band_for_0.1%")),
        };
    }
    Ok(match what {
        "p_nonconforming" => value(specific_risk(&problem.prior, tolerance)),
        "p_conforming" => risks().map(|risks| Found::Value(risks.conforming)),
        "consumer_risk" => risks().map(|risks| Found::Value(risks.consumer_global)),
        "producer_risk" => risks().map(|risks| Found::Value(risks.producer_global)),
        // The upper limit of the guard band for a consumer's risk of 0.1 %.
        "acceptance_limit" => value(problem.guard_band_for(0.001).map(|w| tolerance[1] - w)),
        _ => {
            let known = "p_nonconforming, p_conforming, consumer_risk, producer_risk, \
                         guard_band_for_0.1% or acceptance_limit";
            return Err(unknown_what(expected, known));
        }
    })
}

fn prior(field: &Field) -> Result<Result<Law, String>, Fault> {
    let of = |name: &str| field.at(name).number();
    let input = match field.at("dist").text()? {
        "normal" => Input::normal("process", of("mean")?, of("sd")?),
        "gamma" => {
            let (shape, scale) = (of("shape")?, of("scale")?);
            Input {
                distribution: Distribution::Gamma { shape },
                ..Input::normal("process", shape * scale, shape.sqrt() * scale)
            }
        }
        other => {
            let problem = format!("is {other:?}");
            return Err(field.at("dist").fault(&problem, "take normal or gamma"));
        }
    };
    Ok(Law::new(&input).map_err(|error| error.to_string()))
}

/// Trials of each sample of the variance-based shares.
const SHARE_TRIALS: u64 = 1_000_000;

/// Total shares of variance. The inputs stand in `inputs`, or all uniform in the words of the
/// source: `inputs uniform on (-pi, pi)`.
pub fn shares(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let problem = if case.root.at("inputs").given().is_some() {
        Problem::read(case)?
    } else {
        uniform_inputs(case)?
    };
    let outputs = problem.model.outputs();
    let output = outputs.last().map_or("", String::as_str);
    let sampling = Sampling {
        trials: SHARE_TRIALS,
        ..Sampling::with_seed(SEED)
    };
    let shares = sobol(&problem.model, output, &problem.drawn, &sampling);
    let answer = |expected: &Expected| {
        let shares = match &shares {
            Ok(shares) => shares,
            Err(error) => return Ok(vec![Found::Refused(error.to_string())]),
        };
        let symbol = problem.symbol(expected.of);
        let mut groups = shares.shares.iter();
        let Some(share) = groups.find(|share| share.symbols.iter().any(|name| name == symbol))
        else {
            let problem = format!("is {:?}, which is no input", expected.of);
            return Err(expected.field.at("of").fault(&problem, "name an input"));
        };
        let (value, error) = match expected.what {
            "ST" => (share.total, share.total_error),
            "S" => (share.first, share.first_error),
            _ => return Err(unknown_what(expected, "S or ST")),
        };
        let trials = shares.trials;
        Ok(vec![Found::Sampled {
            value,
            error,
            trials,
        }])
    };
    case.expected.iter().map(answer).collect()
}

fn uniform_inputs(case: &EngineCase) -> Result<Problem, Fault> {
    let place = case.root.at("inputs");
    let clause = case.root.at("source").at("clause");
    let words = clause
        .clone()
        .given()
        .map_or(Ok(""), |clause| clause.text())?;
    let limits = words
        .split_once("uniform on (")
        .and_then(|(_, rest)| rest.split_once(')'))
        .and_then(|(limits, _)| limits.split_once(','));
    let Some((low, high)) = limits else {
        return Err(place.fault("is missing", "write a list of input quantities"));
    };
    let model = case.root.at("model");
    let limit = |text: &str| {
        let constant = compile_text(&format!("limit = {text}"), &clause)?;
        let value = constant.eval("limit", &|_| None);
        value.map_err(|error| clause.fault(&error.to_string(), "write numbers"))
    };
    let (low, high) = (limit(low)?, limit(high)?);
    let mut names: Vec<String> = Vec::new();
    for (output, python) in model.members()? {
        let text = format!(
            "{output} = {}",
            super::translate::expression(python.text()?, &super::translate::Names::default())
        );
        let inputs = compile_text(&text, &python)?;
        names.extend(inputs.inputs().iter().cloned());
    }
    names.sort();
    names.dedup();
    let inputs = names
        .iter()
        .map(|name| Input::rectangular(name, 0.5 * (low + high), 0.5 * (high - low)));
    Problem::with_quantities(case, inputs.map(Quantity::normal).collect())
}
