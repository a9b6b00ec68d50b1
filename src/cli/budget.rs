//! `heng budget`: a budget file, evaluated by every method.

mod certificate;
mod csv;
mod figure;
mod methods;
pub mod tables;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use heng_quantities::Language;
use heng_records::sha256_hex;
use heng_uncertainty::{
    BUDGET_SCHEMA, BudgetFile, Evaluation, Explanation, FileDiagnostic, Library, MAX_BUDGET_BYTES,
    Replaced, Run, Setting, evaluate, explain,
};
use serde::Serialize;

use super::{Exit, Failure, Tongue, print, refuse_overwriting};

#[derive(Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Budget {
    /// The budget file; `--schema` needs none
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Writes the histogram of the trials with both intervals
    #[arg(long)]
    svg: Option<PathBuf>,
    /// Replaces a number, NAME.u=…, NAME.value=… or NAME.dof=…; may be given several times
    #[arg(long, value_name = "NAME.KEY=NUMBER")]
    set: Vec<String>,
    /// Ranks the inputs by what a better knowledge of each would gain
    #[arg(long)]
    explain: bool,
    /// Result to evaluate instead of those that the file names; may be given several times
    #[arg(long, value_name = "NAME")]
    output: Vec<String>,
    /// Number of Monte Carlo trials
    #[arg(long)]
    trials: Option<u64>,
    /// Seed of the trials
    #[arg(long)]
    seed: Option<u64>,
    /// Coverage probability
    #[arg(long)]
    coverage: Option<f64>,
    /// Evaluates also where a formula is outside of the range of its source, and says so
    #[arg(long)]
    force: bool,
    /// Prints the lines for the certificate instead of the budget
    #[arg(long)]
    certificate: bool,
    /// Prints the JSON Schema of budget files
    #[arg(long)]
    schema: bool,
    /// Language of tables and messages
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
}

/// A budget with everything that an assessor needs to compute it again.
#[derive(Serialize)]
pub struct Report {
    program: String,
    file: String,
    file_sha256: String,
    /// Of the model in its one spelling.
    model_sha256: String,
    #[serde(flatten)]
    evaluation: Evaluation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explanations: Vec<Explanation>,
    /// Why formulas were used outside of their ranges; only where they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    forced: Option<String>,
    /// Numbers that the command line replaced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    set: Vec<String>,
}

pub fn budget(arguments: &Budget) -> Result<Exit, Failure> {
    if arguments.schema {
        return print(BUDGET_SCHEMA);
    }
    let Some(path) = &arguments.file else {
        return Err(Failure::new(Exit::Usage, &"name a budget file"));
    };
    let name = path.display().to_string();
    let text = read(path)?;
    let settings = arguments
        .set
        .iter()
        .map(|text| setting(text))
        .collect::<Result<Vec<_>, _>>()?;
    let library = Library::shipped();
    let mut file = BudgetFile::parse_with(&name, &text, library, &settings)
        .map_err(|found| malformed(&found))?;
    adjust(&mut file, arguments)?;
    let forced = forced(&file, arguments.force)?;
    let evaluation = evaluate(&file, library);
    let explained = arguments.explain.then_some(&evaluation.outputs);
    let explained = explained.into_iter().flatten();
    let report = Report {
        program: concat!("heng ", env!("CARGO_PKG_VERSION")).to_owned(),
        file_sha256: sha256_hex(text.as_bytes()),
        model_sha256: sha256_hex(evaluation.model.as_bytes()),
        file: name,
        explanations: explained.filter_map(|one| explain(&file, one)).collect(),
        forced,
        set: arguments.set.clone(),
        evaluation,
    };
    if let Some(path) = &arguments.svg {
        refuse_overwriting(path, &[Path::new(&report.file)])?;
        figure::write(path, &report.evaluation, arguments.lang.into())?;
    }
    print(&printed(&report, &file, arguments)?)?;
    let complete = |one: &heng_uncertainty::OutputEvaluation| one.monte_carlo.is_ok();
    Ok(if report.evaluation.outputs.iter().all(complete) {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}

/// Why formulas are used outside of their ranges; none where they are not.
fn forced(file: &BudgetFile, is_forced: bool) -> Result<Option<String>, Failure> {
    let outputs = file.outputs.iter();
    let mut violations = outputs.flat_map(|one| file.range_violations(&one.symbol));
    let Some(first) = violations.next() else {
        return Ok(None);
    };
    if let Some(reason) = &file.plan.beyond_range {
        return Ok(Some(reason.clone()));
    }
    if is_forced {
        return Ok(Some("--force".to_owned()));
    }
    let message = format!(
        "{first} ({}); compute it in spite of that with --force, or state the reason in the file: \
         [evaluation] beyond_range = \"…\"",
        first.source
    );
    Err(Failure::new(Exit::Input, &message))
}

fn printed(report: &Report, file: &BudgetFile, arguments: &Budget) -> Result<String, Failure> {
    let language: Language = arguments.lang.into();
    Ok(match arguments.format {
        _ if arguments.certificate => {
            certificate::lines(&report.evaluation, report.forced.as_deref(), file, language)
        }
        Format::Text => tables::text(report, file, language),
        Format::Csv => csv::rows(&report.evaluation, report.forced.as_deref()),
        Format::Json => {
            let json = serde_json::to_string_pretty(report);
            json.map_err(|error| Failure::new(Exit::Input, &error))? + "\n"
        }
    })
}

fn malformed(found: &[FileDiagnostic]) -> Failure {
    let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
    Failure::new(Exit::Input, &lines.join("\nheng: "))
}

/// Reads the file no further than a budget may go: a person may name any file.
fn read(path: &Path) -> Result<String, Failure> {
    let refuse = |reason: String| {
        let message = format!("{}: {reason}", path.display());
        Failure::new(Exit::Input, &message)
    };
    let most = MAX_BUDGET_BYTES as u64;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| refuse(format!("cannot be read: {error}")))?;
    if bytes.len() > MAX_BUDGET_BYTES {
        return Err(refuse(format!(
            "is larger than the {MAX_BUDGET_BYTES} bytes of a budget: state long series by mean, s and n"
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let message = format!(
            "{}, line {line}, column {column}: the file is not UTF-8 text; save it as UTF-8",
            path.display()
        );
        Failure::new(Exit::Input, &message)
    })
}

/// `NAME.u=0.5`; the name itself may hold a point (`S11.re.u=0.001`).
fn setting(text: &str) -> Result<Setting, Failure> {
    let parsed = || {
        let (place, number) = text.split_once('=')?;
        let (symbol, key) = place.rsplit_once('.')?;
        let what = match key {
            "value" => Replaced::Value,
            "u" => Replaced::U,
            "dof" => Replaced::Dof,
            _ => return None,
        };
        let value: f64 = number.parse().ok()?;
        // Infinite degrees of freedom are the only number that need not be finite.
        let sound = value.is_finite() || (what == Replaced::Dof && value == f64::INFINITY);
        if !sound {
            return None;
        }
        let symbol = symbol.to_owned();
        Some(Setting {
            symbol,
            what,
            value,
        })
    };
    parsed().ok_or_else(|| {
        let message =
            format!("--set {text}: write NAME.u=NUMBER, NAME.value=NUMBER or NAME.dof=NUMBER");
        Failure::new(Exit::Usage, &message)
    })
}

/// What the command line asks for in the place of what the file does.
fn adjust(file: &mut BudgetFile, arguments: &Budget) -> Result<(), Failure> {
    let usage = |message: String| Err(Failure::new(Exit::Usage, &message));
    if let Some(seed) = arguments.seed {
        file.plan.seed = seed;
    }
    if let Some(trials) = arguments.trials {
        file.plan.run = Run::Trials(trials);
    }
    if let Some(coverage) = arguments.coverage {
        if !(0.5..=0.9999).contains(&coverage) {
            return usage(format!(
                "--coverage {coverage}: write a probability between 0.5 and 0.9999"
            ));
        }
        file.plan.coverage = coverage;
    }
    if !arguments.output.is_empty() {
        let requested = arguments.output.iter().map(|name| file.request(name));
        let Some(outputs) = requested.collect::<Option<Vec<_>>>() else {
            let names = arguments.output.join(", ");
            let known = file.model.outputs().join(", ");
            return usage(format!(
                "--output {names}: the results of the model are {known}"
            ));
        };
        file.outputs = outputs;
    }
    Ok(())
}
