//! Kinds with a model and inputs: first and second order, moments, Monte Carlo.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use heng_uncertainty::{
    Budget, JointMonteCarlo, PropagationError, SampleError, Sampling, SecondOrder, monte_carlo_all,
    propagate, propagate_all, second_order,
};

use super::SEED;
use super::case::{EngineCase, Expected};
use super::field::Fault;
use super::judge::{Found, resolves};
use super::problem::Problem;

/// Trials of the first run, and the most: ten times as many where the stated tolerance is
/// finer than four standard errors.
const TRIALS: [u64; 2] = [1_000_000, 10_000_000];

/// Words of `what` that this format knows for these kinds.
const WORDS: &str = "value, u, u_gum, dof, k, U95, U99, U(k=2), component:NAME, cov, r, \
                     u_second_order, bias, variance, mu3, skewness, mc_mean, mc_sd, interval95, \
                     interval95_shortest or interval95_exact (any percentage)";

type Runs = BTreeMap<(u64, u64), Result<Rc<JointMonteCarlo>, SampleError>>;

/// A problem with the Monte Carlo runs that were made for it.
pub struct Measurement {
    pub problem: Problem,
    /// By the bits of the coverage probability and the number of trials.
    runs: RefCell<Runs>,
    /// Whether standard deviations are exact moments (kind `moments`), or sampled.
    exact_moments: bool,
    /// Whether components include the terms of second order (kind `lpu2`).
    second_components: bool,
}

impl Measurement {
    pub fn new(problem: Problem, kind: &str) -> Self {
        Self {
            problem,
            runs: RefCell::default(),
            exact_moments: kind == "moments",
            second_components: kind == "lpu2",
        }
    }

    /// One answer for each value of `expected`.
    pub fn answer(&self, expected: &Expected) -> Result<Vec<Found>, Fault> {
        let what = expected.what;
        if matches!(what, "cov" | "r") {
            return self.joint(expected);
        }
        let output = self.output(expected)?;
        if let Some(symbol) = what.strip_prefix("component:") {
            return self.component(expected, output, symbol);
        }
        if let Some(interval) = what.strip_prefix("interval") {
            return self.interval(expected, output, interval);
        }
        let found = match what {
            "value" => self.first_order(output, 0.95, |budget| budget.value),
            "u" => self.first_order(output, 0.95, |budget| budget.u),
            "u_gum" => self.u_gum(output),
            "dof" => self.first_order(output, 0.95, |budget| budget.dof),
            "k" => {
                let p = probability(expected)?.unwrap_or(0.95);
                self.first_order(output, p, |budget| budget.k)
            }
            "u_second_order" => self.second(output, |second| {
                second
                    .u
                    .ok_or("the series of Taylor says nothing here: use the Monte Carlo method")
            }),
            "bias" => self.second(output, |second| Ok(second.quadratic.bias)),
            "variance" => self.second(output, |second| Ok(second.quadratic.variance)),
            "mu3" => self.second(output, |second| Ok(second.quadratic.third)),
            "skewness" => self.second(output, |second| {
                second
                    .quadratic
                    .skewness
                    .ok_or("the result has no uncertainty")
            }),
            "mc_sd" if self.exact_moments => {
                self.second(output, |second| Ok(second.quadratic.variance.sqrt()))
            }
            "mc_mean" | "mc_sd" => return Ok(self.sampled_moment(expected, output)),
            _ => match expanded(what) {
                Some(Expansion::Factor(k)) => self.first_order(output, 0.95, |budget| k * budget.u),
                Some(Expansion::Coverage(p)) => self.expanded(expected, output, p)?,
                None => return Err(unknown_what(expected, WORDS)),
            },
        };
        Ok(vec![found])
    }

    fn output(&self, expected: &Expected) -> Result<&str, Fault> {
        self.problem.output(expected.of).ok_or_else(|| {
            let known = self.problem.model.outputs().join(", ");
            let problem = format!("is {:?}, which is no result of the model", expected.of);
            expected
                .field
                .at("of")
                .fault(&problem, &format!("take one of {known}"))
        })
    }

    fn budget(&self, output: &str, coverage: f64) -> Result<Budget, PropagationError> {
        propagate(
            &self.problem.model,
            output,
            &self.problem.first_order,
            coverage,
        )
    }

    fn first_order(&self, output: &str, coverage: f64, number: impl Fn(&Budget) -> f64) -> Found {
        match self.budget(output, coverage) {
            Ok(budget) => Found::Value(number(&budget)),
            Err(error) => self.vanishing(output, &error, number),
        }
    }

    /// Where all sensitivities vanish the engine refuses a budget, as it should; value and
    /// first-order uncertainty, 0, are still known.
    fn vanishing(
        &self,
        output: &str,
        error: &PropagationError,
        number: impl Fn(&Budget) -> f64,
    ) -> Found {
        if !matches!(error, PropagationError::Vanishing { .. }) {
            return Found::Refused(error.to_string());
        }
        let value_of = |symbol: &str| self.problem.value_of(symbol);
        match self.problem.model.eval(output, &value_of) {
            Err(error) => Found::Refused(error.to_string()),
            Ok(value) => {
                let budget = Budget {
                    value,
                    u: 0.0,
                    ..nothing()
                };
                let note = "the program refuses this budget: all sensitivities vanish";
                Found::Noted(number(&budget), note.to_owned())
            }
        }
    }

    /// The law of propagation with the scale of each t as its standard uncertainty.
    fn u_gum(&self, output: &str) -> Found {
        match propagate(&self.problem.model, output, &self.problem.drawn, 0.95) {
            Ok(budget) => Found::Value(budget.u),
            Err(error) => Found::Refused(error.to_string()),
        }
    }

    /// U = k·u. Where the case states the factor of its source, the source multiplied the
    /// standard uncertainty that it had rounded to two digits (JCGM 100:2008, H.1.6).
    fn expanded(&self, expected: &Expected, output: &str, p: f64) -> Result<Found, Fault> {
        let Some(factor) = expected.field.at("k").given() else {
            return Ok(self.first_order(output, p, |budget| budget.expanded));
        };
        factor.number()?;
        let budget = match self.budget(output, p) {
            Ok(budget) => budget,
            Err(error) => return Ok(Found::Refused(error.to_string())),
        };
        let rounded: f64 = format!("{:.1e}", budget.u).parse().unwrap_or(budget.u);
        let note = format!(
            "k = {:.4} times u rounded to {rounded}, as the source did; unrounded {:.4}",
            budget.k, budget.expanded
        );
        Ok(Found::Noted(budget.k * rounded, note))
    }

    fn component(
        &self,
        expected: &Expected,
        output: &str,
        name: &str,
    ) -> Result<Vec<Found>, Fault> {
        let symbol = self.problem.symbol(name);
        if !self
            .problem
            .model
            .inputs()
            .iter()
            .any(|input| input == symbol)
        {
            let known = self.problem.model.inputs().join(", ");
            let problem = format!("names {name:?}, which is no input");
            let cure = format!("take one of {known}");
            return Err(expected.field.at("what").fault(&problem, &cure));
        }
        let found = if self.second_components {
            self.second(output, |second| {
                let row = second.rows.iter().find(|row| row.symbol == symbol);
                row.map_or(Ok(0.0), |row| {
                    row.contribution
                        .ok_or("the series of Taylor says nothing here")
                })
            })
        } else {
            self.first_order(output, 0.95, |budget| {
                let row = budget.rows.iter().find(|row| row.symbol == symbol);
                row.map_or(0.0, |row| row.contribution)
            })
        };
        Ok(vec![found])
    }

    fn second(
        &self,
        output: &str,
        number: impl Fn(&SecondOrder) -> Result<f64, &'static str>,
    ) -> Found {
        let found = second_order(&self.problem.model, output, &self.problem.first_order);
        match found.map(|second| number(&second)) {
            Ok(Ok(number)) => Found::Value(number),
            Ok(Err(reason)) => Found::Refused(reason.to_owned()),
            Err(error) => Found::Refused(error.to_string()),
        }
    }

    /// Covariance or correlation of two results, `A,B`.
    fn joint(&self, expected: &Expected) -> Result<Vec<Found>, Fault> {
        let place = expected.field.at("of");
        let names: Vec<&str> = expected.of.split(',').map(str::trim).collect();
        let [a, b] = names.as_slice() else {
            return Err(place.fault("must name two results", "write \"A,B\""));
        };
        let known = |name: &str| {
            self.problem.output(name).ok_or_else(|| {
                let problem = format!("names {name:?}, which is no result of the model");
                let outputs = self.problem.model.outputs().join(", ");
                place.fault(&problem, &format!("take two of {outputs}"))
            })
        };
        let outputs = [known(a)?, known(b)?];
        let first_order = &self.problem.first_order;
        let found = match propagate_all(&self.problem.model, &outputs, first_order, 0.95) {
            Ok(joint) if expected.what == "cov" => Found::Value(joint.covariance[0][1]),
            Ok(joint) => Found::Value(joint.correlation[0][1]),
            Err(error) => Found::Refused(error.to_string()),
        };
        Ok(vec![found])
    }

    fn sampled_moment(&self, expected: &Expected, output: &str) -> Vec<Found> {
        let mean = expected.what == "mc_mean";
        self.sampled(expected.tol, output, 0.95, |mc| {
            vec![if mean {
                (mc.mean, mc.errors.mean)
            } else {
                (mc.u, mc.errors.u)
            }]
        })
    }

    fn interval(
        &self,
        expected: &Expected,
        output: &str,
        interval: &str,
    ) -> Result<Vec<Found>, Fault> {
        let (percent, kind) = interval.split_once('_').unwrap_or((interval, ""));
        let coverage = percent.parse::<f64>().ok().map(|percent| percent / 100.0);
        let (Some(coverage), "" | "shortest" | "exact") = (coverage, kind) else {
            return Err(unknown_what(expected, WORDS));
        };
        if expected.values.len() != 2 {
            let problem = "is no interval";
            return Err(expected
                .field
                .at("value")
                .fault(problem, "write [low, high]"));
        }
        Ok(self.sampled(expected.tol, output, coverage, |mc| {
            let (ends, errors) = if kind == "shortest" {
                (mc.shortest, mc.errors.shortest)
            } else {
                (mc.symmetric, mc.errors.symmetric)
            };
            vec![(ends[0], errors[0]), (ends[1], errors[1])]
        }))
    }

    /// Numbers with their standard errors, from as many trials as decide them.
    fn sampled(
        &self,
        tolerance: f64,
        output: &str,
        coverage: f64,
        numbers: impl Fn(&heng_uncertainty::MonteCarlo) -> Vec<(f64, f64)>,
    ) -> Vec<Found> {
        let (mut found, mut made) = (Vec::new(), 0);
        for trials in TRIALS {
            made = trials;
            let joint = match self.run(coverage, trials) {
                Ok(joint) => joint,
                Err(error) => return vec![Found::Refused(error.to_string())],
            };
            let Some(mc) = joint.outputs.iter().find(|mc| mc.output == output) else {
                return vec![Found::Refused("the trials have no such result".to_owned())];
            };
            found = numbers(mc);
            if found.iter().all(|&(_, error)| resolves(error, tolerance)) {
                break;
            }
        }
        let sampled = |(value, error)| Found::Sampled {
            value,
            error,
            trials: made,
        };
        found.into_iter().map(sampled).collect()
    }

    fn run(&self, coverage: f64, trials: u64) -> Result<Rc<JointMonteCarlo>, SampleError> {
        let key = (coverage.to_bits(), trials);
        let mut runs = self.runs.borrow_mut();
        let run = runs.entry(key).or_insert_with(|| {
            let sampling = Sampling {
                seed: SEED,
                trials,
                coverage,
            };
            let outputs = self.problem.model.outputs();
            let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
            monte_carlo_all(
                &self.problem.model,
                &outputs,
                &self.problem.drawn,
                &sampling,
            )
            .map(Rc::new)
        });
        run.clone()
    }
}

/// A budget without anything in it.
fn nothing() -> Budget {
    Budget {
        output: String::new(),
        value: 0.0,
        u: 0.0,
        dof: f64::INFINITY,
        k: 0.0,
        expanded: 0.0,
        coverage: 0.0,
        rows: Vec::new(),
        warnings: Vec::new(),
    }
}

/// How far a word like `U95` or `U(k=2)` expands.
pub enum Expansion {
    Coverage(f64),
    Factor(f64),
}

pub fn expanded(what: &str) -> Option<Expansion> {
    let rest = what.strip_prefix('U')?;
    let factor = rest
        .strip_prefix("(k=")
        .and_then(|rest| rest.strip_suffix(')'));
    if let Some(factor) = factor {
        return factor
            .parse()
            .ok()
            .filter(|k: &f64| k.is_finite())
            .map(Expansion::Factor);
    }
    let percent: f64 = rest.parse().ok()?;
    let p = percent / 100.0;
    (p > 0.0 && p < 1.0).then_some(Expansion::Coverage(p))
}

/// The coverage probability `p` of an expectation.
pub fn probability(expected: &Expected) -> Result<Option<f64>, Fault> {
    let Some(field) = expected.field.at("p").given() else {
        return Ok(None);
    };
    let p = field.number()?;
    if p > 0.0 && p < 1.0 {
        return Ok(Some(p));
    }
    Err(field.fault("is no probability", "write a number between 0 and 1"))
}

pub fn unknown_what(expected: &Expected, known: &str) -> Fault {
    let problem = format!(
        "is {:?}, which this kind of case does not have",
        expected.what
    );
    expected
        .field
        .at("what")
        .fault(&problem, &format!("take {known}"))
}

/// Every number of a case that states a model and inputs.
pub fn with_inputs(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    answers(&Measurement::new(Problem::read(case)?, case.kind), case)
}

/// Every number of a case with complex inputs in polar form.
pub fn complex(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    answers(&Measurement::new(Problem::polar(case)?, case.kind), case)
}

fn answers(measurement: &Measurement, case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    case.expected
        .iter()
        .map(|expected| measurement.answer(expected))
        .collect()
}
