//! A measurement uncertainty budget as a file that a person writes.
//!
//! ```toml
//! title = "Resistance of a wire"
//! model = """
//! R = V / I
//! """
//!
//! [inputs.V]
//! value = 4.999
//! expanded = 0.0064
//! k = 2
//! unit = "V"
//!
//! [inputs.I]
//! readings = [0.019663, 0.019639, 0.019640, 0.019685, 0.019678]
//! unit = "A"
//!
//! [outputs.R]
//! unit = "Ohm"
//! ```
//!
//! Every input says how much is known about it in one of many ways; one that says nothing is
//! refused, because an unknown uncertainty is not zero. All keys stand, with their meaning, in
//! the JSON Schema of the file, [`BUDGET_SCHEMA`].

mod amount;
mod place;
mod stated;
mod text;

use std::collections::BTreeSet;
use std::ops::Range;

use heng_quantities::{Text, UnitExpression};
use toml::Spanned;

use crate::conformity::DecisionRule;
use crate::covariance::{CorrelationError, correlated_groups, correlated_pairs};
use crate::formula::Library;
use crate::input::{Correlation, Input, InputError, Inputs, in_order};
use crate::model::{Diagnostic, Model, RangeViolation};
use crate::monte_carlo::IntervalKind;
use crate::type_a::TypeA;

pub use place::FileDiagnostic;
use place::Source;
pub(crate) use stated::with_u;
use stated::{Series, Stated};
use text::{FileText, OutputText, QuantityText, Rule};

/// JSON Schema (draft 2020-12) of a budget file, for completion in an editor.
pub const BUDGET_SCHEMA: &str = include_str!("../budget.schema.json");

/// Largest file, in bytes: a hundred thousand readings fit.
pub const MAX_BUDGET_BYTES: usize = 8 << 20;

/// Most inputs of a budget: their correlation matrix is kept whole.
const MAX_INPUTS: usize = 1000;

/// A budget as its file states it, interpreted and checked.
#[derive(Debug, Clone)]
pub struct BudgetFile {
    /// Title of the budget.
    pub title: String,
    /// Measurement model (JCGM 100:2008, 4.1).
    pub model: Model,
    /// Input quantities in the order of the model, with their correlations and ensembles.
    pub inputs: Inputs,
    /// One for each input of the model, in its order.
    pub described: Vec<Described>,
    /// The results that are asked for, in the order of the model; at least one.
    pub outputs: Vec<Requested>,
    /// Coverage probability, seed and length of the Monte Carlo run.
    pub plan: Plan,
}

/// What a file says about an input besides its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Name of the input quantity in the model.
    pub symbol: String,
    /// What the quantity is; none where the file does not say.
    pub description: Option<String>,
    /// Unit of the estimate and its standard uncertainty; none where the file states none.
    pub unit: Option<UnitExpression>,
    /// Where the knowledge comes from: a certificate, a data sheet, the readings.
    pub source: Option<String>,
    /// Where it is a series of readings.
    pub series: Option<TypeA>,
}

/// A result that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Requested {
    /// Name of the output quantity in the model.
    pub symbol: String,
    /// What the quantity is; none where the file does not say.
    pub description: Option<String>,
    /// Unit of the output quantity; none where the file states none.
    pub unit: Option<UnitExpression>,
    /// Significant digits of the reported uncertainty.
    pub digits: u8,
    /// Tolerance limits to judge the result against; none where no statement is asked for.
    pub limits: Option<Limits>,
}

/// Tolerance limits and how to judge against them.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// −∞ where there is no lower limit.
    pub lower: f64,
    /// ∞ where there is no upper limit.
    pub upper: f64,
    /// Decision rule of the statement of conformity (ILAC-G8:09/2019, 4.2).
    pub rule: DecisionRule,
}

/// How the budget is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Coverage probability p, 0.5 to 0.9999.
    pub coverage: f64,
    /// Seed of the generator of the Monte Carlo trials.
    pub seed: u64,
    /// How many Monte Carlo trials are made.
    pub run: Run,
    /// Why formulas may be used outside of the ranges of their sources; none where they may
    /// not.
    pub beyond_range: Option<String>,
}

/// Length of the Monte Carlo run.
#[derive(Debug, Clone, PartialEq)]
pub enum Run {
    /// A number of trials M chosen beforehand (JCGM 101:2008, 7.2).
    Trials(u64),
    /// JCGM 101:2008, 7.9.
    Adaptive {
        /// Significant digits of the standard uncertainty that must be stable, 1 to 3.
        digits: u8,
        /// Number of trials at which the run gives up.
        max_trials: u64,
        /// Coverage interval whose ends must be stable (JCGM 101:2008, 7.7).
        interval: IntervalKind,
    },
}

/// One number of an input to be replaced, for a "what if".
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Name of the input quantity in the model.
    pub symbol: String,
    /// Which of its numbers is replaced.
    pub what: Replaced,
    /// New number: in the unit of the input, or a number of degrees of freedom.
    pub value: f64,
}

/// Which number of an input a [`Setting`] replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// The estimate. Uncertainties that are stated in percent of it follow.
    Value,
    /// The standard uncertainty; the law keeps its form.
    U,
    /// Degrees of freedom of the standard uncertainty (JCGM 100:2008, G.4).
    Dof,
}

impl BudgetFile {
    /// Reads the text of a budget file; `name` is the file's name for messages.
    ///
    /// # Errors
    /// Everything that is found wrong, each with file, line, column, cause and cure.
    pub fn parse(name: &str, text: &str, library: &Library) -> Result<Self, Vec<FileDiagnostic>> {
        Self::parse_with(name, text, library, &[])
    }

    /// [`BudgetFile::parse`] with some numbers replaced.
    ///
    /// # Errors
    /// As [`BudgetFile::parse`]; also a setting of an input that the file does not have.
    pub fn parse_with(
        name: &str,
        text: &str,
        library: &Library,
        settings: &[Setting],
    ) -> Result<Self, Vec<FileDiagnostic>> {
        let source = Source::new(name, text);
        let file: FileText = source.read(MAX_BUDGET_BYTES)?;
        let model = Model::compile(file.model.get_ref(), library)
            .map_err(|found| in_model(&source, &file.model, found))?;
        let reader = Reader {
            source,
            file: &file,
            model: &model,
        };
        let (inputs, described) = reader.inputs(settings)?;
        let outputs = reader.outputs()?;
        let plan = reader.plan()?;
        reader.check_units(&described, &outputs)?;
        Ok(Self {
            title: file.title.clone(),
            inputs,
            described,
            outputs,
            plan,
            model,
        })
    }

    /// A result of the model as the file asks for it, or by its name alone; none where the
    /// model does not compute it.
    pub fn request(&self, symbol: &str) -> Option<Requested> {
        let requested = self.outputs.iter().find(|one| one.symbol == symbol);
        requested.cloned().or_else(|| {
            let known = self.model.outputs().iter().any(|name| name == symbol);
            known.then(|| Requested::plain(symbol))
        })
    }
}

impl BudgetFile {
    /// Formulas that the estimates take outside of the ranges of their sources on the way to
    /// this result. A laboratory that reports such a result has to answer for it:
    /// [`Plan::beyond_range`].
    pub fn range_violations(&self, symbol: &str) -> Vec<RangeViolation> {
        let value_of = |name: &str| {
            let mut inputs = self.inputs.quantities.iter();
            inputs.find(|one| one.symbol == name).map(|one| one.value)
        };
        self.model.check_ranges(&[symbol], &value_of)
    }
}

impl Requested {
    fn plain(symbol: &str) -> Self {
        Self {
            symbol: symbol.to_owned(),
            description: None,
            unit: None,
            digits: REPORTED_DIGITS,
            limits: None,
        }
    }
}

/// Findings in the text of the model, in lines and columns of the file.
fn in_model(
    source: &Source<'_>,
    model: &Spanned<String>,
    found: Vec<Diagnostic>,
) -> Vec<FileDiagnostic> {
    let moved = |diagnostic: Diagnostic| {
        let place = (diagnostic.line, diagnostic.column);
        let (line, column) = source.inside(model, place);
        FileDiagnostic {
            file: source.name.to_owned(),
            line,
            column,
            message: diagnostic.message,
            help: diagnostic.help,
        }
    };
    found.into_iter().map(moved).collect()
}

struct Reader<'a> {
    source: Source<'a>,
    file: &'a FileText,
    model: &'a Model,
}

type Found<T> = Result<T, Vec<FileDiagnostic>>;

impl Reader<'_> {
    fn one(&self, at: Range<usize>, message: String, help: &str) -> Vec<FileDiagnostic> {
        vec![self.source.at(at, message, help)]
    }

    /// Where an input is stated, for messages.
    fn place_of(&self, symbol: &str) -> Range<usize> {
        let named = self.file.inputs.keys().find(|key| key.get_ref() == symbol);
        let column = || {
            let columns = self.file.simultaneous.iter().flat_map(|s| &s.columns);
            columns
                .into_iter()
                .find(|column| column.get_ref() == symbol)
        };
        named.or_else(column).map_or(0..0, toml::Spanned::span)
    }

    fn inputs(&self, settings: &[Setting]) -> Found<(Inputs, Vec<Described>)> {
        self.check_names()?;
        for setting in settings {
            if !self.model.inputs().contains(&setting.symbol) {
                let known = self.model.inputs().join(", ");
                let Setting { symbol, .. } = setting;
                let message = format!("{symbol:?} cannot be set: it is no input of the model");
                return Err(self.one(0..0, message, &format!("its inputs are {known}")));
            }
        }
        let mut inputs = Inputs {
            measure: self.file.correlation_measure,
            ..Inputs::default()
        };
        let mut series = Vec::new();
        let mut problems = Vec::new();
        for together in &self.file.simultaneous {
            match stated::simultaneous(&self.source, together) {
                Ok(found) => {
                    inputs.ensembles.push(found.symbols());
                    inputs.correlations.extend(found.correlations);
                    inputs.quantities.extend(found.quantities);
                    series.extend(found.series);
                }
                Err(problem) => problems.push(problem),
            }
        }
        for (symbol, text) in &self.file.inputs {
            let by_rows = self.is_simultaneous(symbol.get_ref());
            match self.stated(symbol, text, by_rows, settings) {
                Ok(None) => {}
                Ok(Some(Series { input, evaluated })) => {
                    series.extend(evaluated.map(|found| (input.symbol.clone(), found)));
                    inputs.quantities.push(input);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        for input in &mut inputs.quantities {
            for setting in settings {
                if setting.symbol == input.symbol {
                    *input = stated::replaced(input, setting);
                }
            }
        }
        self.together(&mut inputs)?;
        Ok((self.ordered(inputs)?, self.described(&series)))
    }

    /// The input that a table states, or none where simultaneous readings state it.
    fn stated(
        &self,
        symbol: &Spanned<String>,
        text: &QuantityText,
        by_rows: bool,
        settings: &[Setting],
    ) -> Result<Option<Series>, FileDiagnostic> {
        let stated = Stated {
            source: &self.source,
            symbol: symbol.get_ref(),
            at: symbol.span(),
            text,
            settings,
        };
        if by_rows {
            return stated.only_described().map(|()| None);
        }
        stated.input().map(Some)
    }

    fn is_simultaneous(&self, symbol: &str) -> bool {
        let mut columns = self.file.simultaneous.iter().flat_map(|s| &s.columns);
        columns.any(|column| column.get_ref() == symbol)
    }

    /// Inputs that the model does not have, and inputs of the model that are not stated.
    fn check_names(&self) -> Found<()> {
        let known = self.model.inputs();
        let columns = self.file.simultaneous.iter().flat_map(|s| &s.columns);
        let named: Vec<_> = self.file.inputs.keys().chain(columns).collect();
        let mut problems = Vec::new();
        if known.len() > MAX_INPUTS {
            let message = format!("the model has {} inputs", known.len());
            let help = format!("a budget has at most {MAX_INPUTS}: evaluate parts of it first");
            problems.extend(self.one(self.file.model.span(), message, &help));
        }
        for symbol in &named {
            if !known.contains(symbol.get_ref()) {
                let name = symbol.get_ref();
                let message = if self.model.outputs().contains(name) {
                    format!("{name:?} is computed by the model and cannot be an input")
                } else {
                    format!("the model has no input {name:?}")
                };
                let help = format!("its inputs are {}", known.join(", "));
                problems.push(self.source.at(symbol.span(), message, &help));
            }
        }
        for symbol in known {
            if !named.iter().any(|name| name.get_ref() == symbol) {
                let message = format!("the model uses {symbol:?}, of which nothing is stated");
                let help = format!("add a table [inputs.{}]", place::key(symbol));
                problems.extend(self.one(self.file.model.span(), message, &help));
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// Correlations and ensembles that the file states.
    fn together(&self, inputs: &mut Inputs) -> Found<()> {
        let known = self.model.inputs();
        for correlation in &self.file.correlations {
            let Some([a, b]) = correlation.pair() else {
                let count = correlation.between.get_ref().len();
                let message = format!("a correlation of {count} inputs");
                let help = "a coefficient belongs to two: write one entry for each pair";
                return Err(self.one(correlation.between.span(), message, help));
            };
            for name in [a, b] {
                if !known.contains(name.get_ref()) {
                    let message = format!("the model has no input {:?}", name.get_ref());
                    let help = format!("its inputs are {}", known.join(", "));
                    return Err(self.one(name.span(), message, &help));
                }
            }
            inputs.correlations.push(Correlation {
                a: a.get_ref().clone(),
                b: b.get_ref().clone(),
                r: *correlation.r.get_ref(),
            });
        }
        let mut seen: BTreeSet<String> = inputs.ensembles.iter().flatten().cloned().collect();
        for ensemble in &self.file.ensembles {
            for name in &ensemble.inputs {
                let (symbol, at) = (name.get_ref(), name.span());
                if !known.contains(symbol) {
                    let message = format!("the model has no input {symbol:?}");
                    let help = format!("its inputs are {}", known.join(", "));
                    return Err(self.one(at, message, &help));
                }
                if !seen.insert(symbol.clone()) {
                    let message = format!("{symbol:?} belongs to two ensembles");
                    let help = "an input is estimated together with one set of others: join them";
                    return Err(self.one(at, message, help));
                }
            }
            let symbols = ensemble.inputs.iter().map(|name| name.get_ref().clone());
            inputs.ensembles.push(symbols.collect());
        }
        Ok(())
    }

    /// The inputs in the order of the model, checked with their correlations.
    fn ordered(&self, mut inputs: Inputs) -> Found<Inputs> {
        let order = self.model.inputs();
        let at = |input: &Input| order.iter().position(|symbol| *symbol == input.symbol);
        inputs.quantities.sort_by_key(at);
        let checked = in_order(order, &inputs.quantities).map_err(|error| {
            let help = "correct the numbers of this input";
            self.one(self.place_of(symbol_of(&error)), error.to_string(), help)
        })?;
        correlated_pairs(&checked, &inputs.correlations)
            .and_then(|pairs| correlated_groups(&checked, &pairs))
            .map_err(|error| self.correlation(&error))?;
        Ok(inputs)
    }

    fn correlation(&self, error: &CorrelationError) -> Vec<FileDiagnostic> {
        let of = |symbols: [Option<&str>; 2]| {
            let names = |text: &&text::CorrelationText| {
                let has = |symbol: &str| {
                    text.between
                        .get_ref()
                        .iter()
                        .any(|name| name.get_ref() == symbol)
                };
                symbols.into_iter().flatten().all(has)
            };
            // The later of two that say the same is the one too many.
            let found = self.file.correlations.iter().rev().find(names);
            found.map_or(0..0, |text| text.r.span())
        };
        let (at, help) = match error {
            CorrelationError::OutOfRange { a, b, .. } => {
                (of([Some(a), Some(b)]), "write a coefficient from -1 to 1")
            }
            CorrelationError::Repeated { a, b } => (
                of([Some(a), Some(b)]),
                "state each pair once; simultaneous readings state theirs themselves",
            ),
            CorrelationError::Contradictory { symbol } => (
                of([Some(symbol), None]),
                "check the signs: what goes with two others cannot be independent of neither",
            ),
            CorrelationError::Unknown { symbol } => {
                (of([Some(symbol), None]), "name inputs of the model")
            }
        };
        self.one(at, error.to_string(), help)
    }

    fn described(&self, series: &[(String, TypeA)]) -> Vec<Described> {
        let describe = |symbol: &String| {
            let text = self
                .file
                .inputs
                .iter()
                .find(|(key, _)| key.get_ref() == symbol);
            let text = text.map(|(_, text)| text);
            let evaluated = series.iter().find(|(of, _)| of == symbol);
            Described {
                symbol: symbol.clone(),
                description: text.and_then(|text| text.description.clone()),
                unit: text.and_then(|text| text.unit.clone()),
                source: text.and_then(|text| text.source.clone()),
                series: evaluated.map(|(_, found)| found.clone()),
            }
        };
        self.model.inputs().iter().map(describe).collect()
    }

    fn outputs(&self) -> Found<Vec<Requested>> {
        let known = self.model.outputs();
        let mut problems = Vec::new();
        for name in self.file.outputs.keys() {
            if !known.contains(name.get_ref()) {
                let message = format!("the model computes no {:?}", name.get_ref());
                let help = format!("its results are {}", known.join(", "));
                problems.push(self.source.at(name.span(), message, &help));
            }
        }
        let mut outputs = Vec::new();
        for symbol in known {
            let found = self
                .file
                .outputs
                .iter()
                .find(|(key, _)| key.get_ref() == symbol);
            if let Some((_, text)) = found {
                match self.requested(symbol, text) {
                    Ok(requested) => outputs.push(requested),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if outputs.is_empty() {
            outputs = last_result(known);
        }
        Ok(outputs)
    }

    fn requested(&self, symbol: &str, text: &OutputText) -> Result<Requested, FileDiagnostic> {
        if let Some(digits) = &text.digits
            && !(1..=4).contains(digits.get_ref())
        {
            let message = format!("{} significant digits of U", digits.get_ref());
            let help = "report 1 or 2 (ILAC-P14), at most 4";
            return Err(self.source.at(digits.span(), message, help));
        }
        Ok(Requested {
            symbol: symbol.to_owned(),
            description: text.description.clone(),
            unit: text.unit.clone(),
            digits: text
                .digits
                .as_ref()
                .map_or(REPORTED_DIGITS, |d| *d.get_ref()),
            limits: self.limits(text)?,
        })
    }

    fn limits(&self, text: &OutputText) -> Result<Option<Limits>, FileDiagnostic> {
        let lower = self.finite(text.lower.as_ref())?;
        let upper = self.finite(text.upper.as_ref())?;
        let first = text.lower.as_ref().or(text.upper.as_ref());
        let Some(first) = first.map(Spanned::span) else {
            let keys = [
                text.rule.as_ref().map(Spanned::span),
                text.guard_fraction.as_ref().map(Spanned::span),
                text.threshold.as_ref().map(Spanned::span),
            ];
            return match keys.into_iter().flatten().next() {
                None => Ok(None),
                Some(at) => {
                    let message = "a decision rule without limits".to_owned();
                    Err(self.source.at(at, message, "add `lower`, `upper` or both"))
                }
            };
        };
        let (lower, upper) = (
            lower.unwrap_or(f64::NEG_INFINITY),
            upper.unwrap_or(f64::INFINITY),
        );
        if lower >= upper {
            let message = format!("the limits {lower} and {upper} leave no conforming value");
            return Err(self.source.at(first, message, "`lower` is the smaller one"));
        }
        let rule = self.rule(text, first)?;
        Ok(Some(Limits { lower, upper, rule }))
    }

    fn rule(&self, text: &OutputText, at: Range<usize>) -> Result<DecisionRule, FileDiagnostic> {
        let Some(rule) = &text.rule else {
            let message = "limits without a decision rule".to_owned();
            let help = "agree on one before measuring (ISO/IEC 17025:2017, 7.1.3) and add `rule = \
                        \"simple\"`, \"guarded\", \"non_binary\" or \"probability\"";
            return Err(self.source.at(at, message, help));
        };
        let guard_fraction = match self.finite(text.guard_fraction.as_ref())? {
            None => 1.0,
            Some(fraction) if fraction >= 0.0 => fraction,
            Some(fraction) => {
                let message = format!("a guard band of {fraction} U");
                let help = "write the guard band over U, for example 1.0";
                return Err(self.source.at(rule.span(), message, help));
            }
        };
        let threshold = self.finite(text.threshold.as_ref())?;
        let kind = *rule.get_ref();
        let beside = |message: &str| {
            let help = "`guard_fraction` goes with \"guarded\" and \"non_binary\", `threshold` with \
                        \"probability\"";
            Err(self.source.at(rule.span(), message.to_owned(), help))
        };
        match kind {
            Rule::Simple | Rule::Probability if text.guard_fraction.is_some() => {
                beside("this rule has no guard band")
            }
            Rule::Simple | Rule::Guarded | Rule::NonBinary if threshold.is_some() => {
                beside("this rule has no threshold")
            }
            Rule::Simple => Ok(DecisionRule::Simple),
            Rule::Guarded => Ok(DecisionRule::Guarded { guard_fraction }),
            Rule::NonBinary => Ok(DecisionRule::NonBinary { guard_fraction }),
            Rule::Probability => match threshold {
                Some(threshold) if threshold > 0.0 && threshold < 1.0 => {
                    Ok(DecisionRule::Probability { threshold })
                }
                _ => {
                    let message = "the rule \"probability\" needs a threshold".to_owned();
                    let help = "add for example `threshold = 0.95`, between 0 and 1";
                    Err(self.source.at(rule.span(), message, help))
                }
            },
        }
    }

    fn finite(&self, number: Option<&Spanned<f64>>) -> Result<Option<f64>, FileDiagnostic> {
        number.map(|number| self.source.finite(number)).transpose()
    }

    fn plan(&self) -> Found<Plan> {
        let text = &self.file.evaluation;
        let coverage = match &text.coverage {
            None => COVERAGE,
            Some(coverage) if (0.5..=0.9999).contains(coverage.get_ref()) => *coverage.get_ref(),
            Some(coverage) => {
                let message = format!("the coverage probability {}", coverage.get_ref());
                let help = "write a probability between 0.5 and 0.9999, such as 0.9545";
                return Err(self.one(coverage.span(), message, help));
            }
        };
        let run = match (&text.trials, &text.adaptive) {
            (Some(trials), Some(_)) => {
                let message = "`trials` beside `adaptive`".to_owned();
                let help = "an adaptive run finds its own number of trials: keep one of the two";
                return Err(self.one(trials.span(), message, help));
            }
            (trials, None) => Run::Trials(trials.as_ref().map_or(TRIALS, |n| *n.get_ref())),
            (None, Some(adaptive)) => Run::Adaptive {
                digits: adaptive.digits,
                max_trials: adaptive.max_trials,
                interval: adaptive.interval,
            },
        };
        Ok(Plan {
            coverage,
            seed: text.seed.unwrap_or(SEED),
            run,
            beyond_range: self.reason()?,
        })
    }

    /// A statement without a reason is none.
    fn reason(&self) -> Found<Option<String>> {
        match &self.file.evaluation.beyond_range {
            Some(reason) if reason.get_ref().trim().is_empty() => {
                let help = "say why the formula holds there, or delete the key";
                Err(self.one(
                    reason.span(),
                    "`beyond_range` gives no reason".to_owned(),
                    help,
                ))
            }
            reason => Ok(reason.as_ref().map(|reason| reason.get_ref().clone())),
        }
    }

    fn check_units(&self, described: &[Described], outputs: &[Requested]) -> Found<()> {
        let unit_of = |symbol: &str| {
            let input = described.iter().find(|one| one.symbol == symbol);
            let output = || outputs.iter().find(|one| one.symbol == symbol);
            match input {
                Some(input) => input.unit.clone(),
                None => output().and_then(|output| output.unit.clone()),
            }
        };
        let found = self.model.check_units(&unit_of);
        if found.is_empty() {
            Ok(())
        } else {
            Err(in_model(&self.source, &self.file.model, found))
        }
    }
}

/// Significant digits of a reported uncertainty (ILAC-P14:09/2020, 5.4).
const REPORTED_DIGITS: u8 = 2;
const COVERAGE: f64 = 0.9545;
const TRIALS: u64 = 1_000_000;
const SEED: u64 = 1;

/// The last result of a model: of a complex quantity both parts, of a vector all elements.
fn last_result(known: &[String]) -> Vec<Requested> {
    let base = |name: &String| name.split(['.', '[']).next().map(str::to_owned);
    let last = known.last().and_then(base);
    let parts = known.iter().filter(|name| base(name) == last);
    parts.map(|name| Requested::plain(name)).collect()
}

fn symbol_of(error: &InputError) -> &str {
    match error {
        InputError::NotANumber { symbol, .. }
        | InputError::DegreesOfFreedom { symbol, .. }
        | InputError::StudentDof { symbol, .. }
        | InputError::UncertainConstant { symbol, .. }
        | InputError::Shape { symbol, .. }
        | InputError::Moments { symbol, .. }
        | InputError::Repeated { symbol }
        | InputError::NotInModel { symbol, .. }
        | InputError::Missing { symbol } => symbol,
    }
}

/// The note of a series whose readings follow each other.
pub(crate) fn dependent(symbol: &str, series: &TypeA) -> Option<Text> {
    let lag1 = series.lag1.filter(|_| !series.independent)?;
    let limit = series.lag1_limit;
    Some(Text::new(
        &format!(
            "The readings of {symbol} follow each other (autocorrelation {lag1:.2}, independent \
             ones stay within {limit:.2}): their standard deviation counts, not that of the mean."
        ),
        &format!(
            "{symbol} 的读数前后相关 (自相关系数 {lag1:.2}, 独立读数应在 {limit:.2} 以内): \
             采用单次测量的标准偏差, 而非平均值的标准偏差。"
        ),
    ))
}
