//! Propagation, factors, risks and rules of the science cases.

use heng_uncertainty::{
    Correlation, DecisionRule, Input, Inputs, Law, Library, Model, RiskProblem, Verdict,
    conformance_probability, coverage_factor, decide, process_capability, propagate, propagate_all,
    second_order, specific_risk, type_a,
};

use super::super::case::ScienceCase;
use super::super::data;
use super::super::field::{Fault, Field};
use super::super::judge::Found;
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("gum.h1", gauge_block),
    ("gum.h2", impedance),
    ("gum.t", student),
    ("risk.rp19", in_tolerance),
    ("risk.deaver", false_decisions),
    ("risk.specific", specific),
    ("conf.pc.", conformance),
    ("conf.guard", decision_rules),
    ("jjf1033.rep", repeatability),
    ("strd.michelso", speed_of_light),
    ("dkd57.hum", half_widths),
];

fn compile(case: &ScienceCase, text: &str) -> Result<Model, Fault> {
    Model::compile(text, &Library::default()).map_err(|findings| {
        let problem = findings
            .first()
            .map_or_else(String::new, ToString::to_string);
        case.root
            .fault(&problem, "this check of the program is broken: report it")
    })
}

/// An input of `gum.h1`: `u` or a half width `rect` or `arcsine`, with `nu`.
fn stated(symbol: &str, field: &Field) -> Result<Input, Fault> {
    let or_zero = |name: &str| {
        field
            .at(name)
            .given()
            .map_or(Ok(0.0), |field| field.number())
    };
    let value = or_zero("x")?;
    let input = if let Some(half) = field.at("rect").given() {
        Input::rectangular(symbol, value, half.number()?)
    } else if let Some(half) = field.at("arcsine").given() {
        Input::u_shaped(symbol, value, half.number()?)
    } else {
        Input::normal(symbol, value, field.at("u").number()?)
    };
    Ok(input.with_dof(field.at("nu").number_or_infinite()?))
}

/// The end gauge of JCGM 100:2008, H.1.
pub fn gauge_block(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let text = "l = lS_nm + d0_nm + d1 + d2 \
                - lS_nm * (dalpha * (theta_bar + Delta) + alphaS * dtheta)";
    let model = compile(case, text)?;
    let place = case.root.at("inputs");
    let inputs = model
        .inputs()
        .iter()
        .map(|name| stated(name, &place.at(name)));
    let inputs = Inputs::from(inputs.collect::<Result<Vec<_>, _>>()?);
    let budget = propagate(&model, "l", &inputs, 0.99);
    let second = second_order(&model, "l", &inputs);
    let known = "l_nm, u_first_order_nm, u_second_order_GUM_nm, nu_eff, k99 or U99_nm";
    by_name(case, known, |what| {
        if what == "u_second_order_GUM_nm" {
            return Some(match &second {
                Ok(second) => number_or_refusal(second.u.ok_or("the series says nothing")),
                Err(error) => Found::Refused(error.to_string()),
            });
        }
        let budget = match &budget {
            Ok(budget) => budget,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        Some(Found::Value(match what {
            "l_nm" => budget.value,
            "u_first_order_nm" => budget.u,
            "nu_eff" => budget.dof,
            "k99" => budget.k,
            "U99_nm" => budget.expanded,
            _ => return None,
        }))
    })
}

/// The impedance of JCGM 100:2008, H.2, from rounded means and correlations.
pub fn impedance(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let model = compile(case, "Z = V / I\nR = Z * cos(phi)\nX = Z * sin(phi)")?;
    let place = case.root.at("inputs");
    let inputs = ["V", "I", "phi"].map(|name| stated(name, &place.at(name)));
    let quantities = inputs.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut inputs = Inputs::from(quantities);
    for (a, b) in [("V", "I"), ("V", "phi"), ("I", "phi")] {
        inputs.correlations.push(Correlation {
            a: a.to_owned(),
            b: b.to_owned(),
            r: place.at("r").at(&format!("{a}{b}")).number()?,
        });
    }
    let order = ["R", "X", "Z"];
    let joint = propagate_all(&model, &order, &inputs, 0.95);
    by_name(case, "R, u_R, X, u_X, Z, u_Z, r_RX, r_RZ or r_XZ", |what| {
        let joint = match &joint {
            Ok(joint) => joint,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        let at = |name: &str| order.iter().position(|output| *output == name);
        let number = if let Some(pair) = what.strip_prefix("r_") {
            let (a, b) = pair.split_at_checked(1)?;
            joint.correlation[at(a)?][at(b)?]
        } else if let Some(name) = what.strip_prefix("u_") {
            joint.budgets[at(name)?].u
        } else {
            joint.budgets[at(what)?].value
        };
        Some(Found::Value(number))
    })
}

/// Element `at` of `name[at]`.
fn index(what: &str, name: &str) -> Option<usize> {
    what.strip_prefix(name)?
        .strip_prefix('[')?
        .strip_suffix(']')?
        .parse()
        .ok()
}

pub fn student(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let dof = place.at("nu").numbers()?;
    let p = place.at("p_pct").number()? / 100.0;
    by_name(case, "k, one for each nu", |what| {
        let dof = dof.get(index(what, "k")?)?;
        Some(Found::Value(coverage_factor(*dof, p)))
    })
}

fn normal(mean: f64, sd: f64) -> Result<Law, String> {
    Law::new(&Input::normal("quantity", mean, sd)).map_err(|error| error.to_string())
}

/// False acceptance for a probability of items in tolerance, without guard band. The
/// measurement has a quarter of the process's standard deviation.
pub fn in_tolerance(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let (limits, probabilities) = (place.at("limits").pair()?, place.at("itp").numbers()?);
    let risks = |p: f64| {
        let sigma = limits[1] / normal(0.0, 1.0)?.quantile(0.5 * (1.0 + p));
        let prior = normal(0.0, sigma)?;
        let problem = RiskProblem::guarded(prior, 0.25 * sigma, limits, 0.0);
        problem.risks().map_err(|error| error.to_string())
    };
    by_name(case, "PFA_pct and CPFA_pct, one for each itp", |what| {
        let conditional = what.starts_with("CPFA_pct");
        let at = index(what, if conditional { "CPFA_pct" } else { "PFA_pct" })?;
        let risks = risks(*probabilities.get(at)?);
        Some(number_or_refusal(risks.map(|risks| {
            let of = if conditional { risks.accepted } else { 1.0 };
            100.0 * risks.consumer_global / of
        })))
    })
}

pub fn false_decisions(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let limits = place.at("limits").pair()?;
    let u = place.at("test_sigma").number()?;
    let risks = normal(0.0, place.at("process_sigma").number()?).and_then(|prior| {
        let problem = RiskProblem::guarded(prior, u, limits, 0.0);
        problem.risks().map_err(|error| error.to_string())
    });
    by_name(case, "PFA or PFR", |what| {
        let risks = risks.clone();
        Some(number_or_refusal(match what {
            "PFA" => risks.map(|risks| risks.consumer_global),
            "PFR" => risks.map(|risks| risks.producer_global),
            _ => return None,
        }))
    })
}

pub fn specific(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let limits = place.at("limits").pair()?;
    let law = normal(place.at("mean").number()?, place.at("sigma").number()?);
    let law = law.map_err(|error| place.fault(&error, "mend the inputs"))?;
    let [low, high] = limits;
    by_name(case, "cpk, risk, risk_low or risk_high", |what| {
        Some(number_or_refusal(match what {
            "cpk" => process_capability(&law, limits),
            "risk" => specific_risk(&law, limits),
            "risk_low" => specific_risk(&law, [low, f64::INFINITY]),
            "risk_high" => specific_risk(&law, [f64::NEG_INFINITY, high]),
            _ => return None,
        }))
    })
}

pub fn conformance(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let law = normal(place.at("y").number()?, place.at("u").number()?);
    let law = law.map_err(|error| place.fault(&error, "mend the inputs"))?;
    let low = place.at("TL").given();
    let low = low.map_or(Ok(f64::NEG_INFINITY), |field| field.number())?;
    let high = place.at("TU").number_or_infinite()?;
    let found = number_or_refusal(conformance_probability(&law, [low, high]));
    by_name(case, "p_c", |what| (what == "p_c").then(|| found.clone()))
}

pub fn decision_rules(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let errors = place.at("error").numbers()?;
    let (expanded, limit) = (place.at("U").number()?, place.at("MPE").number()?);
    by_name(
        case,
        "simple, guarded or non_binary, one for each error",
        |what| {
            let (name, _) = what.split_once('[')?;
            let whole = 1.0;
            let rule = match name {
                "simple" => DecisionRule::Simple,
                "guarded" => DecisionRule::Guarded {
                    guard_fraction: whole,
                },
                "non_binary" => DecisionRule::NonBinary {
                    guard_fraction: whole,
                },
                _ => return None,
            };
            let error = *errors.get(index(what, name)?)?;
            let decision = decide(error, 0.5 * expanded, expanded, -limit, limit, &rule);
            Some(Found::Word(verdict(decision.verdict).to_owned()))
        },
    )
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::ConditionalPass => "conditional pass",
        Verdict::ConditionalFail => "conditional fail",
        Verdict::Fail => "fail",
    }
}

pub fn repeatability(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let series = case.root.at("inputs").at("x").numbers()?;
    let found = number_or_refusal(type_a(&series).map(|evaluated| evaluated.s));
    by_name(case, "s", |what| (what == "s").then(|| found.clone()))
}

/// Half widths of rectangles that are added up.
pub fn half_widths(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let widths = case.root.at("inputs").at("half_widths_pct").numbers()?;
    let symbols: Vec<String> = (0..widths.len()).map(|at| format!("x{at}")).collect();
    let inputs = symbols.iter().zip(&widths);
    let inputs = inputs.map(|(symbol, &width)| Input::rectangular(symbol, 0.0, width));
    let model = compile(case, &format!("y = {}", symbols.join(" + ")))?;
    let budget = propagate(&model, "y", &Inputs::from(inputs.collect::<Vec<_>>()), 0.95);
    by_name(case, "u_each_pct or u_sum_pct", |what| {
        let budget = match &budget {
            Ok(budget) => budget,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        Some(Found::Value(if what == "u_sum_pct" {
            budget.u
        } else {
            budget.rows.get(index(what, "u_each_pct")?)?.contribution
        }))
    })
}

/// The first column of a file: mean, standard deviation and autocorrelation of neighbours.
pub fn speed_of_light(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let text = data::file(&case.root.at("inputs").at("data"))?;
    let series: Vec<f64> = data::rows(text).iter().map(|row| row[0]).collect();
    let found = type_a(&series);
    by_name(case, "mean, sd, r1 or n", |what| {
        let found = match &found {
            Ok(found) => found,
            Err(error) => return Some(Found::Refused(error.to_string())),
        };
        Some(match what {
            "mean" => Found::Value(found.mean),
            "sd" => Found::Value(found.s),
            "r1" => number_or_refusal(found.lag1.ok_or("all readings are equal")),
            "n" => Found::Value(found.n as f64),
            _ => return None,
        })
    })
}
