//! What is known of a formula or a table, without values: the list and the page.

use heng_quantities::{Language, Text};
use heng_uncertainty::{
    Argument, Constant, ConstantValue, Formula, Library, Model, Table as Published,
};
use serde::Serialize;

use super::{Format, Report};
use crate::cli::budget::tables::Words;
use crate::cli::number::{beside, significant};
use crate::cli::table::{Align, Table, WIDTH, wrapped};
use crate::cli::{Exit, Failure};

pub fn json(report: &impl Serialize) -> Result<String, Failure> {
    let json = serde_json::to_string_pretty(report);
    json.map(|json| json + "\n")
        .map_err(|error| Failure::new(Exit::Input, &error))
}

/// Name, version, title and source.
pub fn head(name: &str, version: u32, title: &Text, source: &str, words: Words) -> Vec<String> {
    let mut lines = wrapped("", title.get(words.0));
    lines.push("═".repeat(WIDTH));
    let versioned = words.say("version", "版本");
    lines.push(format!("{name}, {versioned} {version}"));
    lines.extend(wrapped(words.say("source    ", "来源      "), source));
    lines
}

/// The result and its derivatives, where no value has an uncertainty.
pub fn values(report: &Report<'_>, words: Words) -> Vec<String> {
    let mut table = Table::new(
        &[Align::Left, Align::Right, Align::Left, Align::Right],
        &[
            words.say("argument", "自变量"),
            words.say("value", "值"),
            words.say("unit", "单位"),
            words.say("derivative", "偏导数"),
        ],
    );
    for given in &report.arguments {
        table.row(vec![
            given.argument.name.clone(),
            exact(given.value),
            given.argument.unit.to_string(),
            significant(given.derivative, 6),
        ]);
    }
    table.rule();
    let (value, unit) = (exact(report.value), report.unit.clone());
    table.row(vec![report.formula.to_owned(), value, unit]);
    table.lines()
}

/// In the fewest digits that give the same number back: nothing says how many are known.
fn exact(x: f64) -> String {
    beside(x, 0.0, 0)
}

/// One row of the list.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Row<'a> {
    Formula {
        name: &'a str,
        version: u32,
        title: &'a Text,
        source: &'a str,
        result_unit: String,
        arguments: &'a [Argument],
    },
    Table {
        name: &'a str,
        version: u32,
        title: &'a Text,
        source: &'a str,
        nominal_unit: String,
        value_unit: String,
        classes: &'a [String],
    },
}

/// Formulas and tables whose name or title holds the word.
pub fn list(word: &str, format: Format, language: Language) -> Result<String, Failure> {
    let word = word.to_lowercase();
    let holds = |name: &str, title: &Text| {
        [name, &title.en, &title.zh]
            .iter()
            .any(|text| text.to_lowercase().contains(&word))
    };
    let formulas: Vec<_> = Library::shipped()
        .iter()
        .filter(|one| holds(&one.name, &one.title))
        .collect();
    let tables: Vec<_> = Published::shipped()
        .iter()
        .filter(|one| holds(&one.name, &one.title))
        .collect();
    if formulas.is_empty() && tables.is_empty() {
        let message =
            format!("no formula or table has {word:?} in name or title: take --list alone for all");
        return Err(Failure::new(Exit::Usage, &message));
    }
    if format == Format::Json {
        let formulas = formulas.iter().map(|one| Row::Formula {
            name: &one.name,
            version: one.version,
            title: &one.title,
            source: &one.source,
            result_unit: one.result_unit.to_string(),
            arguments: &one.arguments,
        });
        let tables = tables.iter().map(|one| Row::Table {
            name: &one.name,
            version: one.version,
            title: &one.title,
            source: &one.source,
            nominal_unit: one.nominal_unit.to_string(),
            value_unit: one.value_unit.to_string(),
            classes: &one.classes,
        });
        return json(&formulas.chain(tables).collect::<Vec<_>>());
    }
    let words = Words(language);
    let mut lines = Vec::new();
    for one in formulas {
        lines.push(format!("{} v{}", one.name, one.version));
        let unit = format!("{} [{}]", one.title.get(language), one.result_unit);
        lines.extend(wrapped("    ", &unit));
        let arguments: Vec<_> = one.arguments.iter().map(ToString::to_string).collect();
        lines.extend(wrapped("    ", &arguments.join("; ")));
        lines.extend(wrapped("    ", &one.source));
    }
    for one in tables {
        let table = words.say("table", "表格");
        lines.push(format!("{} v{} ({table})", one.name, one.version));
        let unit = format!("{} [{}]", one.title.get(language), one.value_unit);
        lines.extend(wrapped("    ", &unit));
        let classes = one.classes.join(", ");
        lines.extend(wrapped(
            "    ",
            &format!("nominal / {}; class: {classes}", one.nominal_unit),
        ));
        lines.extend(wrapped("    ", &one.source));
    }
    Ok(lines.join("\n") + "\n")
}

/// Everything that the file of a formula states.
pub fn formula(formula: &Formula, format: Format, language: Language) -> Result<String, Failure> {
    match format {
        Format::Text => {}
        Format::Json => return json(formula),
        Format::Latex => return Ok(body(formula)?.to_latex() + "\n"),
        Format::Typst => return Ok(body(formula)?.to_typst() + "\n"),
    }
    let words = Words(language);
    let mut lines = head(
        &formula.name,
        formula.version,
        &formula.title,
        &formula.source,
        words,
    );
    if let Some(note) = &formula.note {
        lines.extend(wrapped(
            words.say("note      ", "说明      "),
            note.get(language),
        ));
    }
    let unit = words.say("result    ", "结果单位  ");
    lines.push(format!("{unit}{}", formula.result_unit));
    lines.push(String::new());
    let mut table = Table::new(
        &[Align::Left, Align::Left, Align::Right, Align::Right],
        &[
            words.say("argument", "自变量"),
            words.say("unit", "单位"),
            words.say("from", "下限"),
            words.say("to", "上限"),
        ],
    );
    for argument in &formula.arguments {
        let ends = [argument.min, argument.max].map(|end| end.to_string());
        let mut row = vec![argument.name.clone(), argument.unit.to_string()];
        row.extend(ends);
        table.row(row);
    }
    lines.extend(table.lines());
    if !formula.constants.is_empty() {
        lines.push(String::new());
        lines.push(words.say("constants", "常量").to_owned());
    }
    for constant in &formula.constants {
        lines.extend(stated(constant));
    }
    lines.push(String::new());
    lines.extend(formula.body.trim_end().lines().map(str::to_owned));
    Ok(lines.join("\n") + "\n")
}

/// `A = [1.5, 2.5] K-1 (source)`.
fn stated(constant: &Constant) -> Vec<String> {
    let number = |x: &f64| format!("{x:?}");
    let value = match &constant.value {
        ConstantValue::Number(one) => number(one),
        ConstantValue::Vector(list) => {
            let numbers: Vec<_> = list.iter().map(number).collect();
            format!("[{}]", numbers.join(", "))
        }
    };
    let unit = constant
        .unit
        .as_ref()
        .map_or(String::new(), |unit| format!(" {unit}"));
    let source = constant
        .source
        .as_ref()
        .map_or(String::new(), |source| format!(" ({source})"));
    wrapped(
        &format!("  {} = ", constant.name),
        &format!("{value}{unit}{source}"),
    )
}

/// The body as a model of its own: arguments and constants are its inputs.
fn body(formula: &Formula) -> Result<Model, Failure> {
    let vectors = formula
        .constants
        .iter()
        .filter_map(|constant| match &constant.value {
            ConstantValue::Number(_) => None,
            ConstantValue::Vector(list) => {
                Some(format!("vector {}[{}]\n", constant.name, list.len()))
            }
        });
    let text = vectors.collect::<String>() + &formula.body;
    Model::compile(&text, Library::shipped()).map_err(|found| {
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        let message = format!(
            "{} cannot be set as equations: {}",
            formula.name,
            lines.join("; ")
        );
        Failure::new(Exit::Input, &message)
    })
}

/// The whole table.
pub fn table(published: &Published, format: Format, language: Language) -> Result<String, Failure> {
    match format {
        Format::Text => {}
        Format::Json => return json(published),
        Format::Latex | Format::Typst => {
            let message = format!(
                "{} is a table: --format text or json prints it",
                published.name
            );
            return Err(Failure::new(Exit::Usage, &message));
        }
    }
    let words = Words(language);
    let Published {
        name,
        version,
        title,
        source,
        ..
    } = published;
    let mut lines = head(name, *version, title, source, words);
    if let Some(note) = &published.note {
        lines.extend(wrapped(
            words.say("note      ", "说明      "),
            note.get(language),
        ));
    }
    let units = format!(
        "nominal / {}, class / {}",
        published.nominal_unit, published.value_unit
    );
    lines.extend([String::new(), units]);
    let mut head = vec!["nominal"];
    head.extend(published.classes.iter().map(String::as_str));
    let mut table = Table::new(&vec![Align::Right; head.len()], &head);
    for row in &published.rows {
        let cell = |class: &String| {
            row.values
                .get(class)
                .map_or("-".to_owned(), |value| format!("{value}"))
        };
        let mut cells = vec![format!("{}", row.nominal)];
        cells.extend(published.classes.iter().map(cell));
        table.row(cells);
    }
    lines.extend(table.lines());
    Ok(lines.join("\n") + "\n")
}
