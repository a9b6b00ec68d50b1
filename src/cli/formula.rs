//! `heng formula`: the named formulas and tables of the program, at given values.

mod amount;
mod page;

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use heng_quantities::{Language, UnitExpression};
use heng_uncertainty::{
    Argument, BudgetFile, Described, Evaluation, Formula, Inputs, Library, Model, OutputEvaluation,
    Plan, RangeViolation, Requested, Run, Table, evaluate,
};
use serde::Serialize;

use super::budget::tables::{self, Words};
use super::table::wrapped;
use super::{Exit, Failure, Tongue, print};
use amount::Amount;

#[derive(Args)]
pub struct FormulaCommand {
    /// Name of a formula or a table
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// A value for each argument: t=20.00, t=68°F, t=20.00±0.02, t=20.00(2), t=20±0.05:k=2,
    /// t=20±0.1:rect; none prints the page of the formula
    #[arg(value_name = "KEY=VALUE")]
    values: Vec<String>,
    /// Lists formulas and tables; with a word those whose name or title holds it
    #[arg(long, value_name = "WORD", num_args = 0..=1, default_missing_value = "")]
    list: Option<String>,
    /// Computes outside of the range of the source too, and says so
    #[arg(long)]
    force: bool,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Number of Monte Carlo trials
    #[arg(long, default_value_t = 1_000_000)]
    trials: u64,
    /// Seed of the trials
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Coverage probability
    #[arg(long, default_value_t = 0.9545)]
    coverage: f64,
    /// Language of texts
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    /// The equations of the page for LaTeX (amsmath)
    Latex,
    /// The equations of the page for typst
    Typst,
}

/// A formula or a table under its name.
enum Named {
    Formula(&'static Formula),
    Table(&'static Table),
}

pub fn formula(arguments: &FormulaCommand) -> Result<Exit, Failure> {
    let language: Language = arguments.lang.into();
    let is_page = arguments.values.is_empty();
    let is_typeset = matches!(arguments.format, Format::Latex | Format::Typst);
    if is_typeset && (!is_page || arguments.list.is_some()) {
        return usage(
            "--format latex and typst print the page of one formula: give its name alone",
        );
    }
    if let Some(word) = &arguments.list {
        if arguments.name.is_some() {
            return usage("--list takes one word and no name");
        }
        return print(&page::list(word, arguments.format, language)?);
    }
    let Some(name) = &arguments.name else {
        return usage("name a formula, or take --list");
    };
    match find(name)? {
        Named::Formula(formula) if is_page => {
            print(&page::formula(formula, arguments.format, language)?)
        }
        Named::Table(table) if is_page => print(&page::table(table, arguments.format, language)?),
        Named::Formula(formula) => evaluated(formula, arguments),
        Named::Table(table) => looked_up(table, arguments),
    }
}

fn usage<T>(message: &str) -> Result<T, Failure> {
    Err(Failure::new(Exit::Usage, &message))
}

fn find(name: &str) -> Result<Named, Failure> {
    let library = Library::shipped();
    if let Some(formula) = library.get(name) {
        return Ok(Named::Formula(formula));
    }
    if let Some(table) = Table::named(name) {
        return Ok(Named::Table(table));
    }
    let formulas = library.iter().map(|formula| formula.name.as_str());
    let tables = Table::shipped().iter().map(|table| table.name.as_str());
    let near = nearest(name, formulas.chain(tables));
    usage(&format!(
        "there is no formula or table {name:?}; the nearest names are {near}; `heng formula --list` lists all"
    ))
}

/// Names nearest to the one asked for, and how many are told.
const TOLD: usize = 3;

/// By the least number of letters to change; names that hold the word come first.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut by_distance: Vec<_> = names
        .map(|name| (!name.contains(word), distance(word, name), name))
        .collect();
    by_distance.sort_unstable();
    let told = by_distance.iter().take(TOLD).map(|(.., name)| *name);
    told.collect::<Vec<_>>().join(", ")
}

/// Levenshtein's distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The values by key; each key of `known` once and no other.
fn keyed<'a>(
    values: &'a [String],
    known: &[&str],
    of: &str,
) -> Result<BTreeMap<&'a str, &'a str>, Failure> {
    let keys = known.join(", ");
    let mut found = BTreeMap::new();
    for text in values {
        let Some((key, value)) = text.split_once('=') else {
            return usage(&format!(
                "{text:?} is no KEY=VALUE; the keys of {of} are {keys}"
            ));
        };
        let key = key.trim();
        if !known.contains(&key) {
            return usage(&format!(
                "{of} has no argument {key:?}; its arguments are {keys}"
            ));
        }
        if found.insert(key, value).is_some() {
            return usage(&format!("{key} is given twice: keep one value"));
        }
    }
    let missing: Vec<_> = known
        .iter()
        .filter(|key| !found.contains_key(*key))
        .copied()
        .collect();
    if missing.is_empty() {
        return Ok(found);
    }
    usage(&format!(
        "{of} needs {keys}; no value is given for {}",
        missing.join(", ")
    ))
}

/// An argument as it was used.
#[derive(Serialize)]
struct Given {
    #[serde(flatten)]
    argument: Argument,
    value: f64,
    /// Standard uncertainty; none where the value was given alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    u: Option<f64>,
    /// ∂f/∂x, in the unit of the result over that of the argument.
    derivative: f64,
}

/// A formula at values, with everything that an assessor needs to compute it again.
#[derive(Serialize)]
struct Report<'a> {
    program: &'static str,
    formula: &'a str,
    version: u32,
    title: &'a heng_quantities::Text,
    source: &'a str,
    arguments: Vec<Given>,
    value: f64,
    unit: String,
    forced: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    beyond_range: Vec<RangeViolation>,
    /// By every method; none where no argument has an uncertainty.
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation: Option<OutputEvaluation>,
}

fn evaluated(formula: &Formula, arguments: &FormulaCommand) -> Result<Exit, Failure> {
    let words = Words(arguments.lang.into());
    let names: Vec<_> = formula
        .arguments
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let given = keyed(&arguments.values, &names, &formula.name)?;
    let amounts = formula
        .arguments
        .iter()
        .map(|argument| {
            let text = given[argument.name.as_str()];
            Amount::parse(text, argument.unit).map_err(|problem| {
                let message = format!("{}={text}: the value {problem}", argument.name);
                Failure::new(Exit::Usage, &message)
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let file = budget(formula, &amounts, arguments)?;
    let beyond_range = file.range_violations(RESULT);
    refuse(&beyond_range, arguments.force)?;
    let values: Vec<f64> = amounts.iter().map(|one| one.value).collect();
    let (value, slopes) = gradient(&file.model, &names, &values)?;
    let uncertain = amounts.iter().any(|amount| amount.spread.is_some());
    let evaluation = uncertain.then(|| evaluate(&file, Library::shipped()));
    let inputs = formula.arguments.iter().zip(&amounts).zip(slopes);
    let report = Report {
        program: concat!("heng ", env!("CARGO_PKG_VERSION")),
        formula: &formula.name,
        version: formula.version,
        title: &formula.title,
        source: &formula.source,
        arguments: inputs
            .map(|((argument, amount), derivative)| Given {
                argument: argument.clone(),
                value: amount.value,
                u: amount.spread.map(|_| amount.input(&argument.name).u),
                derivative,
            })
            .collect(),
        value,
        unit: formula.result_unit.to_string(),
        forced: !beyond_range.is_empty(),
        beyond_range,
        evaluation: evaluation
            .as_ref()
            .and_then(|found| found.outputs.first().cloned()),
    };
    let text = match arguments.format {
        Format::Json => page::json(&report)?,
        _ => text(&report, evaluation.as_ref(), words),
    };
    print(&text)?;
    let complete = report
        .evaluation
        .is_none_or(|found| found.monte_carlo.is_ok());
    Ok(if complete {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}

/// Name of the result in the model, which no formula calls an argument.
const RESULT: &str = "result";

/// The formula at the values as the budget of one result.
fn budget(
    formula: &Formula,
    amounts: &[Amount],
    arguments: &FormulaCommand,
) -> Result<BudgetFile, Failure> {
    if !(0.5..=0.9999).contains(&arguments.coverage) {
        let coverage = arguments.coverage;
        return usage(&format!(
            "--coverage {coverage}: write a probability between 0.5 and 0.9999"
        ));
    }
    let names: Vec<_> = formula
        .arguments
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let call = format!("{RESULT} = {}({})", formula.name, names.join(", "));
    let model = Model::compile(&call, Library::shipped()).map_err(|found| {
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Input, &lines.join("; "))
    })?;
    let described = |argument: &Argument| Described {
        symbol: argument.name.clone(),
        description: None,
        unit: Some(argument.unit.into()),
        source: None,
        series: None,
    };
    let at = |name: &String| names.iter().position(|known| known == name);
    let order: Vec<_> = model.inputs().iter().filter_map(at).collect();
    let inputs = order.iter().map(|&at| amounts[at].input(names[at]));
    Ok(BudgetFile {
        title: formula.title.get(arguments.lang.into()).to_owned(),
        inputs: Inputs::from(inputs.collect::<Vec<_>>()),
        described: order
            .iter()
            .map(|&at| described(&formula.arguments[at]))
            .collect(),
        outputs: vec![Requested {
            symbol: RESULT.to_owned(),
            description: None,
            unit: Some(UnitExpression::from(formula.result_unit)),
            digits: 2,
            limits: None,
        }],
        plan: Plan {
            coverage: arguments.coverage,
            seed: arguments.seed,
            run: Run::Trials(arguments.trials),
            beyond_range: None,
        },
        model,
    })
}

fn refuse(violations: &[RangeViolation], is_forced: bool) -> Result<(), Failure> {
    match violations.first() {
        Some(first) if !is_forced => {
            let message = format!(
                "{first} ({}); compute it in spite of that with --force",
                first.source
            );
            Err(Failure::new(Exit::Input, &message))
        }
        _ => Ok(()),
    }
}

/// Value and derivatives in the order of the formula's arguments. Where the value has no
/// derivative (the start of a root, say) the value alone is no result either.
fn gradient(model: &Model, names: &[&str], values: &[f64]) -> Result<(f64, Vec<f64>), Failure> {
    let place = |name: &str| names.iter().position(|known| *known == name);
    let ordered: Vec<_> = model
        .inputs()
        .iter()
        .filter_map(|name| place(name).map(|at| values[at]))
        .collect();
    let (value, slopes) = model
        .gradient(RESULT, &ordered)
        .map_err(|error| Failure::new(Exit::Input, &error))?;
    let slope = |name: &&str| {
        let at = model.inputs().iter().position(|known| known == name);
        at.map_or(0.0, |at| slopes[at])
    };
    Ok((value, names.iter().map(slope).collect()))
}

fn text(report: &Report<'_>, evaluation: Option<&Evaluation>, words: Words) -> String {
    let mut lines = page::head(
        report.formula,
        report.version,
        report.title,
        report.source,
        words,
    );
    lines.push(String::new());
    if let Some((evaluation, output)) = evaluation.zip(report.evaluation.as_ref()) {
        lines.extend(tables::result(evaluation, output, words));
    } else {
        lines.extend(page::values(report, words));
    }
    if report.forced {
        lines.push(String::new());
        lines.extend(wrapped("", &words.forced("--force")));
        // The cautions of an evaluation have said it already.
        let said = report.beyond_range.iter().filter(|_| evaluation.is_none());
        for violation in said {
            lines.extend(wrapped("  ! ", violation.text().get(words.0)));
        }
    }
    lines.join("\n") + "\n"
}

fn looked_up(table: &Table, arguments: &FormulaCommand) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Found<'a> {
        program: &'static str,
        table: &'a str,
        version: u32,
        title: &'a heng_quantities::Text,
        source: &'a str,
        nominal: f64,
        nominal_unit: String,
        class: &'a str,
        value: f64,
        unit: String,
    }
    let given = keyed(&arguments.values, &["nominal", "class"], &table.name)?;
    let (text, class) = (given["nominal"], given["class"].trim());
    let refused = |message: String| Failure::new(Exit::Usage, &message);
    let amount = Amount::parse(text, table.nominal_unit)
        .map_err(|problem| refused(format!("nominal={text}: the value {problem}")))?;
    if amount.spread.is_some() {
        return usage("a nominal value has no uncertainty: the table is looked up, not evaluated");
    }
    let value = table
        .value(amount.value, class)
        .map_err(|error| Failure::new(Exit::Input, &error))?;
    let found = Found {
        program: concat!("heng ", env!("CARGO_PKG_VERSION")),
        table: &table.name,
        version: table.version,
        title: &table.title,
        source: &table.source,
        nominal: amount.value,
        nominal_unit: table.nominal_unit.to_string(),
        class,
        value,
        unit: table.value_unit.to_string(),
    };
    if arguments.format == Format::Json {
        return print(&page::json(&found)?);
    }
    let words = Words(arguments.lang.into());
    let mut lines = page::head(
        &table.name,
        table.version,
        &table.title,
        &table.source,
        words,
    );
    lines.push(String::new());
    let (label, unit) = (words.say("class", "等级"), &found.unit);
    lines.push(format!(
        "{} {}, {label} {class}: {value} {unit}",
        found.nominal, found.nominal_unit
    ));
    print(&(lines.join("\n") + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_are_told() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        let names = ["hardy_water", "hardy_ice", "wmo_water", "edlen"];
        assert!(nearest("hardy_watr", names.into_iter()).starts_with("hardy_water, "));
        assert!(nearest("water", names.into_iter()).starts_with("wmo_water, hardy_water"));
    }

    #[test]
    fn no_formula_calls_an_argument_or_itself_as_the_result() {
        for formula in Library::shipped().iter() {
            assert!(formula.name != RESULT);
            assert!(
                formula.arguments.iter().all(|one| one.name != RESULT),
                "{}",
                formula.name
            );
        }
    }
}
