//! Everything that a budget file asks for, evaluated by every method.
//!
//! First order, second order, Monte Carlo and the verdict between them are always computed:
//! what one method cannot give stands in the result as the reason why.

mod caution;
mod explain;

use std::fmt::Display;

use heng_quantities::{Rounded, UnitExpression, round_result};
use serde::{Serialize, Serializer};

pub use caution::{Caution, CautionKind};
pub use explain::{Explanation, Improvement, explain};

use crate::budget_file::{BudgetFile, Limits, Plan, Requested, Run};
use crate::conformity::{Decision, DecisionRule, Verdict, decide};
use crate::formula::Library;
use crate::gum::{Budget, PropagationError, propagate, propagate_all, whole_dof};
use crate::input::{Correlation, CorrelationMeasure, Distribution, Input};
use crate::law::Law;
use crate::model::{Model, RangeViolation};
use crate::monte_carlo::{
    Adaptive, Convergence, JointMonteCarlo, MonteCarlo, Regions, SAMPLER, SampleError, Sampling,
    monte_carlo, monte_carlo_adaptive, monte_carlo_all,
};
use crate::second_order::{SecondOrder, second_order};
use crate::validation::{Validation, validate};

/// A budget, evaluated. The same file gives the same bits on every machine.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// Title of the budget.
    pub title: String,
    /// The engine that computed, with its version.
    pub engine: String,
    /// Name of the way from seed to samples.
    pub sampler: String,
    /// Seed of the generator of the Monte Carlo trials.
    pub seed: u64,
    /// Coverage probability p, 0.5 to 0.9999.
    pub coverage: f64,
    /// The model in its one spelling, see [`Model::canonical`].
    pub model: String,
    /// Named formulas that the model calls, with their versions.
    pub formulas: Vec<FormulaUsed>,
    /// Input quantities, in the order of the model.
    pub inputs: Vec<InputUsed>,
    /// Correlation coefficients of pairs of inputs (JCGM 100:2008, 5.2.2); all others are 0.
    pub correlations: Vec<Correlation>,
    /// What those coefficients measure in the Monte Carlo method.
    pub correlation_measure: CorrelationMeasure,
    /// Symbols of inputs that were estimated together, one list for each ensemble.
    pub ensembles: Vec<Vec<String>>,
    /// Results that the file asks for, in the order of the model.
    pub outputs: Vec<OutputEvaluation>,
    /// Of two outputs or more.
    pub joint: Option<Joint>,
    /// Of an adaptive run.
    pub convergence: Option<Convergence>,
}

/// A named formula that the model calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormulaUsed {
    /// Name of the formula in the library.
    pub name: String,
    /// Version of the formula.
    pub version: u32,
}

/// An input as the evaluation used it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputUsed {
    /// Name of the input quantity in the model.
    pub symbol: String,
    /// What the quantity is; none where the file does not say.
    pub description: Option<String>,
    /// Unit of the estimate and its standard uncertainty; none where the file states none.
    pub unit: Option<UnitExpression>,
    /// Where the knowledge comes from; none where the file does not say.
    pub source: Option<String>,
    /// Input estimate x (JCGM 100:2008, 4.1.4), in `unit`.
    pub value: f64,
    /// Standard uncertainty u(x) (JCGM 100:2008, 4.1.5), in `unit`.
    pub u: f64,
    /// Degrees of freedom of u(x), which may be infinite.
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
    /// Probability distribution of the input (JCGM 101:2008, 6.4).
    pub distribution: Distribution,
}

/// One result by every method.
#[derive(Debug, Clone, Serialize)]
pub struct OutputEvaluation {
    /// Name of the output quantity in the model.
    pub symbol: String,
    /// What the quantity is; none where the file does not say.
    pub description: Option<String>,
    /// Unit of the output quantity; none where the file states none.
    pub unit: Option<UnitExpression>,
    /// Law of propagation (JCGM 100:2008, 5.1.2 and 5.2.2), or why it gives nothing.
    #[serde(serialize_with = "outcome")]
    pub first_order: Result<Budget, PropagationError>,
    /// JCGM 100:2008, 5.1.2, note.
    #[serde(serialize_with = "outcome")]
    pub second_order: Result<SecondOrder, PropagationError>,
    /// Monte Carlo trials (JCGM 101:2008, clause 7), or why there are none.
    #[serde(serialize_with = "outcome")]
    pub monte_carlo: Result<MonteCarlo, SampleError>,
    /// Whether the law of the result has a standard deviation, as far as its inputs tell; if
    /// not, those of the trials mean nothing.
    pub spread: bool,
    /// JCGM 101:2008, clause 8; none where one of the two methods gives nothing.
    pub validation: Option<Validation>,
    /// None where no method gives a result.
    pub reported: Option<Reported>,
    /// Statement of conformity; none without limits or without a reported result.
    pub conformity: Option<Conformity>,
    /// Formulas that were used outside of the ranges of their sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beyond_range: Vec<RangeViolation>,
    /// What must be known before the result is trusted.
    pub cautions: Vec<Caution>,
}

impl OutputEvaluation {
    /// Density of the normal distribution, or of Student's t, that the result of first order
    /// stands for (JCGM 100:2008, G.3); none where there is no such result.
    pub fn first_order_density(&self, at: f64) -> Option<f64> {
        let budget = self.first_order.as_ref().ok()?;
        let &Budget { value, u, dof, .. } = budget;
        let law = if dof.is_finite() {
            Input::student(&self.symbol, value, u, dof)
        } else {
            Input::normal(&self.symbol, value, u)
        };
        Law::new(&law).ok()?.density(at)
    }
}

/// `{"refused": reason}` in the place of what could not be computed.
fn outcome<T: Serialize, E: Display, S: Serializer>(
    outcome: &Result<T, E>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Refused {
        refused: String,
    }
    match outcome {
        Ok(result) => result.serialize(serializer),
        Err(error) => {
            let refused = error.to_string();
            Refused { refused }.serialize(serializer)
        }
    }
}

/// The result that is reported: the GUM's where the Monte Carlo method validates it
/// (JCGM 101:2008, clause 8) or gives none, otherwise that of the trials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reported {
    /// Method that the result is taken from.
    pub method: ReportedMethod,
    /// Output estimate y, in the unit of the output (JCGM 100:2008, 7.2).
    pub value: f64,
    /// Of a t distribution with 2 degrees of freedom or fewer trials have no standard
    /// deviation; this is then the one of first order.
    pub u: f64,
    /// Ends of the coverage interval.
    pub interval: [f64; 2],
    /// Half the length of the interval.
    pub expanded: f64,
    /// Expanded over standard uncertainty; none where the trials have no standard deviation.
    pub k: Option<f64>,
    /// Effective degrees of freedom, of a first-order result.
    pub dof: Option<Dof>,
    /// Value and U to the last digit of U; none where the uncertainty is 0.
    pub rounded: Option<Rounded>,
}

/// Degrees of freedom, which may be infinite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Dof(#[serde(with = "crate::serde_inf")] pub f64);

impl Dof {
    /// Truncated to the whole number whose t distribution gives k (JCGM 100:2008, G.4.1,
    /// note 1).
    pub fn truncated(self) -> f64 {
        whole_dof(self.0)
    }
}

/// Which method gives the reported result, and which coverage interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedMethod {
    /// Law of propagation: y ± U with U = k·u (JCGM 100:2008, 6.2.1).
    FirstOrder,
    /// Ends that leave equal fractions of the trials outside.
    MonteCarloSymmetric,
    /// The law is skew: the shortest interval is shorter than the symmetric one by more than
    /// their sampling errors (JCGM 101:2008, 5.3.4).
    MonteCarloShortest,
}

impl Reported {
    fn of(
        first_order: Option<&Budget>,
        trials: Option<&MonteCarlo>,
        validation: Option<&Validation>,
        digits: u8,
        spread: bool,
    ) -> Option<Self> {
        let holds = trials.is_none() || validation.is_some_and(|found| found.validated);
        match (first_order.filter(|_| holds), trials) {
            (Some(budget), _) => Some(Self::first_order(budget, digits)),
            (None, Some(trials)) => {
                let found = Self::monte_carlo(trials, digits);
                Some(match first_order {
                    Some(budget) if !spread => Self {
                        u: budget.u,
                        k: None,
                        ..found
                    },
                    _ => found,
                })
            }
            (None, None) => None,
        }
    }

    fn first_order(budget: &Budget, digits: u8) -> Self {
        let &Budget {
            value,
            u,
            expanded,
            k,
            dof,
            ..
        } = budget;
        Self {
            method: ReportedMethod::FirstOrder,
            value,
            u,
            interval: [value - expanded, value + expanded],
            expanded,
            k: Some(k),
            dof: Some(Dof(dof)),
            rounded: round_result(value, expanded, digits).ok(),
        }
    }

    fn monte_carlo(trials: &MonteCarlo, digits: u8) -> Self {
        let length = |[low, high]: [f64; 2]| high - low;
        let [low, high] = trials.errors.symmetric;
        let gain = length(trials.symmetric) - length(trials.shortest);
        let (method, interval) = if gain > 2.0 * (low + high) {
            (ReportedMethod::MonteCarloShortest, trials.shortest)
        } else {
            (ReportedMethod::MonteCarloSymmetric, trials.symmetric)
        };
        let expanded = 0.5 * length(interval);
        let known = trials.u.is_finite() && trials.u > 0.0;
        Self {
            method,
            value: trials.mean,
            u: trials.u,
            interval,
            expanded,
            k: known.then(|| expanded / trials.u),
            dof: None,
            rounded: round_result(trials.mean, expanded, digits).ok(),
        }
    }
}

/// A statement of conformity with its limits, by the rule that the file names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conformity {
    /// Lower tolerance limit, in the unit of the output; −∞ where there is none.
    #[serde(with = "crate::serde_inf")]
    pub lower: f64,
    /// Upper tolerance limit, in the unit of the output; ∞ where there is none.
    #[serde(with = "crate::serde_inf")]
    pub upper: f64,
    /// Decision rule (ILAC-G8:09/2019, 4.2).
    pub rule: DecisionRule,
    /// Its probability is that of a normal distribution. A rule of probability is decided by
    /// that of the trials where there are any: they follow the law of the result itself.
    pub decision: Decision,
    /// Probability of conformity from the trials themselves (JCGM 106:2012, 7.5).
    pub trials: Option<TrialConformity>,
}

/// Probability of conformity as the fraction of Monte Carlo trials within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrialConformity {
    /// Fraction of the trials within the tolerance limits, 0 to 1.
    pub probability: f64,
    /// Standard error from the finite number of trials.
    pub error: f64,
}

/// How the outputs vary together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Joint {
    /// Names of the output quantities, in the order of rows and columns.
    pub symbols: Vec<String>,
    /// Of first order (JCGM 102:2011, 6.2); none where it gives no result for one of them.
    pub first_order: Option<Matrices>,
    /// Of the trials (JCGM 102:2011, 7.6); none where one of them has no trials.
    pub monte_carlo: Option<Matrices>,
    /// Coverage regions of the trials (JCGM 102:2011, 7.7); none where there are none.
    pub regions: Option<Regions>,
}

/// Covariance and correlation of the outputs, row by row in their order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matrices {
    /// Covariances, in the product of the units of the two outputs.
    pub covariance: Vec<Vec<f64>>,
    /// 0 beside an output that does not vary.
    pub correlation: Vec<Vec<f64>>,
}

impl Joint {
    fn of(file: &BudgetFile, drawn: Option<&JointMonteCarlo>) -> Option<Self> {
        let symbols: Vec<_> = file.outputs.iter().map(|one| one.symbol.as_str()).collect();
        if symbols.len() < 2 {
            return None;
        }
        let budgets = propagate_all(&file.model, &symbols, &file.inputs, file.plan.coverage);
        Some(Self {
            first_order: budgets.ok().map(|joint| Matrices {
                covariance: joint.covariance,
                correlation: joint.correlation,
            }),
            monte_carlo: drawn.map(|joint| Matrices {
                correlation: correlation(&joint.covariance),
                covariance: joint.covariance.clone(),
            }),
            regions: drawn.and_then(|joint| joint.regions.clone()),
            symbols: symbols.into_iter().map(str::to_owned).collect(),
        })
    }
}

fn correlation(covariance: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let coefficient = |i: usize, j: usize| {
        let scale = covariance[i][i].sqrt() * covariance[j][j].sqrt();
        match covariance[i][j] / scale {
            _ if i == j => 1.0,
            r if scale > 0.0 && r.is_finite() => r.clamp(-1.0, 1.0),
            _ => 0.0,
        }
    };
    let places = 0..covariance.len();
    let row = |i: usize| places.clone().map(|j| coefficient(i, j)).collect();
    places.clone().map(row).collect()
}

/// Evaluates a budget by every method. `library` is the one that the file was read with.
pub fn evaluate(file: &BudgetFile, library: &Library) -> Evaluation {
    let drawn = Drawn::of(file);
    let outputs = file
        .outputs
        .iter()
        .zip(drawn.outputs)
        .map(|(requested, trials)| output(file, library, requested, trials))
        .collect();
    let formulas = file
        .model
        .formulas()
        .into_iter()
        .map(|formula| FormulaUsed {
            name: formula.name.clone(),
            version: formula.version,
        });
    let inputs = file.inputs.quantities.iter().zip(&file.described);
    Evaluation {
        title: file.title.clone(),
        engine: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        sampler: SAMPLER.to_owned(),
        seed: file.plan.seed,
        coverage: file.plan.coverage,
        model: file.model.canonical(),
        formulas: formulas.collect(),
        inputs: inputs
            .map(|(input, described)| InputUsed {
                symbol: input.symbol.clone(),
                description: described.description.clone(),
                unit: described.unit.clone(),
                source: described.source.clone(),
                value: input.value,
                u: input.u,
                dof: input.dof,
                distribution: input.distribution.clone(),
            })
            .collect(),
        correlations: file.inputs.correlations.clone(),
        correlation_measure: file.inputs.measure,
        ensembles: file.inputs.ensembles.clone(),
        outputs,
        joint: drawn.joint,
        convergence: drawn.convergence,
    }
}

/// Trials of all outputs.
struct Drawn {
    outputs: Vec<Result<MonteCarlo, SampleError>>,
    joint: Option<Joint>,
    convergence: Option<Convergence>,
}

impl Drawn {
    fn of(file: &BudgetFile) -> Self {
        let symbols: Vec<_> = file.outputs.iter().map(|one| one.symbol.as_str()).collect();
        match draw(file, &symbols) {
            Ok(joint) => Self {
                joint: Joint::of(file, Some(&joint)),
                convergence: joint.convergence,
                outputs: joint.outputs.into_iter().map(Ok).collect(),
            },
            Err(error) if symbols.len() == 1 => Self::apart(file, vec![Err(error)]),
            // One output that has no value somewhere does not take the others with it.
            Err(_) => Self::apart(
                file,
                symbols
                    .iter()
                    .map(|&symbol| Ok(draw(file, &[symbol])?.outputs.remove(0)))
                    .collect(),
            ),
        }
    }

    fn apart(file: &BudgetFile, outputs: Vec<Result<MonteCarlo, SampleError>>) -> Self {
        Self {
            outputs,
            joint: Joint::of(file, None),
            convergence: None,
        }
    }
}

fn draw(file: &BudgetFile, symbols: &[&str]) -> Result<JointMonteCarlo, SampleError> {
    let (model, inputs) = (&file.model, &file.inputs);
    let &Plan { coverage, seed, .. } = &file.plan;
    match file.plan.run {
        Run::Trials(trials) => {
            let sampling = Sampling {
                seed,
                trials,
                coverage,
            };
            monte_carlo_all(model, symbols, inputs, &sampling)
        }
        Run::Adaptive {
            digits,
            max_trials,
            interval,
        } => {
            let adaptive = Adaptive {
                seed,
                coverage,
                digits,
                max_trials,
                interval,
            };
            monte_carlo_adaptive(model, symbols, inputs, &adaptive)
        }
    }
}

fn output(
    file: &BudgetFile,
    library: &Library,
    requested: &Requested,
    monte_carlo: Result<MonteCarlo, SampleError>,
) -> OutputEvaluation {
    let symbol = &requested.symbol;
    let first_order = propagate(&file.model, symbol, &file.inputs, file.plan.coverage);
    let (budget, trials) = (first_order.as_ref().ok(), monte_carlo.as_ref().ok());
    let validation = budget
        .zip(trials)
        .map(|(budget, trials)| validate(budget, trials));
    let spread = caution::has_spread(file, requested);
    let reported = Reported::of(
        budget,
        trials,
        validation.as_ref(),
        requested.digits,
        spread,
    );
    let conformity = requested
        .limits
        .as_ref()
        .zip(reported.as_ref())
        .map(|(limits, reported)| conformity(file, library, symbol, limits, reported, trials));
    let mut evaluated = OutputEvaluation {
        symbol: symbol.clone(),
        description: requested.description.clone(),
        unit: requested.unit.clone(),
        first_order,
        second_order: second_order(&file.model, symbol, &file.inputs),
        monte_carlo,
        spread,
        validation,
        reported,
        conformity,
        beyond_range: file.range_violations(symbol),
        cautions: Vec::new(),
    };
    evaluated.cautions = caution::all(file, requested, &evaluated);
    evaluated
}

fn conformity(
    file: &BudgetFile,
    library: &Library,
    symbol: &str,
    limits: &Limits,
    reported: &Reported,
    trials: Option<&MonteCarlo>,
) -> Conformity {
    let Limits { lower, upper, rule } = limits;
    let Reported {
        value, u, expanded, ..
    } = *reported;
    let mut decision = decide(value, u, expanded, *lower, *upper, rule);
    let trials = trials.and_then(|trials| within(file, library, symbol, limits, trials.trials));
    if let (DecisionRule::Probability { threshold }, Some(found)) = (rule, trials) {
        decision.verdict = if found.probability >= *threshold {
            Verdict::Pass
        } else {
            Verdict::Fail
        };
    }
    Conformity {
        lower: *lower,
        upper: *upper,
        rule: rule.clone(),
        decision,
        trials,
    }
}

/// The fraction of the trials within the limits: the mean of an indicator that is appended to
/// the model. The streams of the inputs depend on seed and name only, so that these are the
/// trials of the result itself.
fn within(
    file: &BudgetFile,
    library: &Library,
    symbol: &str,
    limits: &Limits,
    trials: u64,
) -> Option<TrialConformity> {
    let taken = |name: &String| {
        let mut names = file.model.inputs().iter().chain(file.model.outputs());
        names.any(|known| known == name)
    };
    let name = std::iter::successors(Some("conforms".to_owned()), |name| Some(format!("{name}_")))
        .find(|name| !taken(name))?;
    let lower = limits
        .lower
        .is_finite()
        .then(|| format!("{symbol} >= {:?}", limits.lower));
    let upper = limits
        .upper
        .is_finite()
        .then(|| format!("{symbol} <= {:?}", limits.upper));
    let condition: Vec<_> = lower.into_iter().chain(upper).collect();
    let source = file.model.source();
    let text = format!("{source}\n{name} = if({}, 1, 0)\n", condition.join(" and "));
    let model = Model::compile(&text, library).ok()?;
    let sampling = Sampling {
        seed: file.plan.seed,
        trials,
        coverage: file.plan.coverage,
    };
    let found = monte_carlo(&model, &name, &file.inputs, &sampling).ok()?;
    let (inside, n) = (found.mean, trials as f64);
    // For a uniform prior: not 0 where every trial, or none, lies within.
    let (k, n) = (inside * n + 1.0, n + 2.0);
    Some(TrialConformity {
        probability: inside,
        error: (k / n * ((n - k) / n) / (n + 1.0)).sqrt(),
    })
}
