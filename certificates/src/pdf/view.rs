//! The certificate as the template gets it: one language, every word and number as printed.

use heng_quantities::{Language, Text, Unit};
use serde::Serialize;

use crate::budget::{WORDS, cells, comparison_headings, headings};
use crate::document::{BudgetTable, Cells, Certificate, Column, Expanded, Plot, Table};
use crate::fields::{self, Block, FIELDS, Field};
use crate::number::{degrees_of_freedom, factor};
use crate::plot::COLOURS;
use crate::wording::{demonstration, standing_statements, verdict_text};

#[derive(Serialize)]
pub(super) struct View {
    language: &'static str,
    title: String,
    number: String,
    /// The notice on every page of a demonstration.
    demonstration: Option<String>,
    laboratory: Vec<String>,
    document: Vec<[String; 2]>,
    customer: Vec<[String; 2]>,
    item: Vec<[String; 2]>,
    persons: Vec<Signer>,
    /// Tables in front of the results: methods, standards, environment.
    basis: Vec<Grid>,
    results: Vec<Grid>,
    plots: Vec<Drawing>,
    decision_rule: Option<String>,
    conformity: Vec<[String; 2]>,
    statements: Vec<String>,
    budgets: Vec<Budget>,
    model: String,
    formulas: Option<Grid>,
    record: Vec<[String; 2]>,
    labels: Labels,
}

/// Headings and words of the layout.
#[derive(Serialize)]
struct Labels {
    number: String,
    page: [String; 3],
    end: String,
    results: String,
    decision_rule: String,
    conformity: String,
    statements: String,
    budgets: String,
    model: String,
    record: String,
    limits: String,
    attachment: String,
}

#[derive(Serialize)]
struct Signer {
    role: String,
    name: String,
}

/// A table: a head and its rows, with notes under it.
#[derive(Serialize)]
struct Grid {
    title: String,
    heads: Vec<Head>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Head {
    name: String,
    unit: String,
    is_number: bool,
}

#[derive(Serialize)]
struct Drawing {
    path: String,
    title: String,
    x: String,
    y: String,
    series: Vec<Legend>,
    has_limits: bool,
    description: String,
}

#[derive(Serialize)]
struct Legend {
    name: String,
    colour: (u8, u8, u8),
}

#[derive(Serialize)]
struct Budget {
    grid: Grid,
    comparison: Option<Grid>,
}

/// Where the template finds the drawing of a plot.
pub(super) fn plot_path(number: usize) -> String {
    format!("/plot-{number}.svg")
}

impl View {
    pub(super) fn new(certificate: &Certificate, language: Language) -> Self {
        let say = |text: &Text| text.get(language).to_owned();
        let standing = standing_statements(certificate);
        let own = certificate.statements.iter();
        let formulas = formulas(certificate, language);
        Self {
            language: match language {
                Language::En => "en",
                Language::Zh => "zh",
            },
            title: say(&certificate.title),
            number: certificate.number.clone(),
            demonstration: certificate.demonstration.then(|| say(&demonstration())),
            laboratory: laboratory(certificate, language),
            document: rows(certificate, Block::Document, language),
            customer: rows(certificate, Block::Customer, language),
            item: rows(certificate, Block::Item, language),
            persons: certificate
                .persons
                .iter()
                .map(|person| Signer {
                    role: say(&person.role),
                    name: person.name.clone(),
                })
                .collect(),
            basis: [
                methods(certificate, language),
                standards(certificate, language),
                environment(certificate, language),
            ]
            .into_iter()
            .filter(|grid| !grid.rows.is_empty())
            .collect(),
            results: certificate
                .tables
                .iter()
                .map(|table| results(table, language))
                .collect(),
            plots: (0..)
                .zip(&certificate.plots)
                .map(|(i, plot)| drawing(i, plot, language))
                .collect(),
            decision_rule: certificate.decision_rule.as_ref().map(say),
            conformity: certificate
                .conformity
                .iter()
                .map(|statement| [say(&statement.text), say(&verdict_text(&statement.verdict))])
                .collect(),
            statements: standing
                .iter()
                .map(|s| &s.text)
                .chain(own)
                .map(say)
                .collect(),
            budgets: certificate
                .budgets
                .iter()
                .map(|b| budget(b, language))
                .collect(),
            model: certificate.model.clone(),
            formulas: (!certificate.formulas.is_empty()).then_some(formulas),
            record: record(certificate, language),
            labels: labels(language),
        }
    }
}

fn labels(language: Language) -> Labels {
    let say = |en: &str, zh: &str| Text::new(en, zh).get(language).to_owned();
    let field = |field: &Field| field.label().get(language).to_owned();
    Labels {
        number: field(&fields::NUMBER),
        page: [
            say("Page ", "第 "),
            say(" of ", " 页 / 共 "),
            say("", " 页"),
        ],
        end: say("End of certificate", "证书结束"),
        results: field(&fields::RESULTS),
        decision_rule: field(&fields::DECISION_RULE),
        conformity: field(&fields::CONFORMITY),
        statements: field(&fields::STATEMENTS),
        budgets: field(&fields::BUDGETS),
        model: field(&fields::MODEL),
        record: field(&fields::RECORD),
        limits: say("Limits", "允许极限"),
        attachment: say(
            "Digital Calibration Certificate (DCC 3.3.0) of the same results",
            "同一结果的数字校准证书 (DCC 3.3.0)",
        ),
    }
}

fn rows(certificate: &Certificate, block: Block, language: Language) -> Vec<[String; 2]> {
    FIELDS
        .iter()
        .filter(|field| field.block == block && field.key != fields::TITLE.key)
        .filter_map(|field| {
            let value = field.value(certificate)?;
            Some([
                field.label().get(language).to_owned(),
                value.get(language).to_owned(),
            ])
        })
        .collect()
}

/// Name, then address, contact and code, for the head of the first page.
fn laboratory(certificate: &Certificate, language: Language) -> Vec<String> {
    FIELDS
        .iter()
        .filter(|field| field.block == Block::Laboratory)
        .filter_map(|field| Some(field.value(certificate)?.get(language).to_owned()))
        .collect()
}

fn word(en: &str, zh: &str, language: Language) -> Head {
    Head {
        name: Text::new(en, zh).get(language).to_owned(),
        unit: String::new(),
        is_number: false,
    }
}

fn methods(certificate: &Certificate, language: Language) -> Grid {
    Grid {
        title: fields::METHODS.label().get(language).to_owned(),
        heads: vec![
            word("Procedure", "程序", language),
            word("Title", "名称", language),
            word("Norm", "依据文件", language),
        ],
        rows: certificate
            .methods
            .iter()
            .map(|method| {
                vec![
                    format!("{} {}", method.id, method.version),
                    method.title.get(language).to_owned(),
                    method.norm.join(", "),
                ]
            })
            .collect(),
        notes: Vec::new(),
    }
}

fn standards(certificate: &Certificate, language: Language) -> Grid {
    let untraceable = Text::new("not traceable", "无溯源性");
    let outside = Text::new("outside its validity", "超出有效期");
    Grid {
        title: fields::STANDARDS.label().get(language).to_owned(),
        heads: vec![
            word("Standard", "标准器", language),
            word("Model, serial number", "型号, 编号", language),
            word("Certificate", "证书编号", language),
            word("Issued by", "证书出具机构", language),
            word("Calibrated, valid until", "校准日期, 有效期至", language),
        ],
        rows: certificate
            .standards
            .iter()
            .map(|standard| {
                let mut issuer = standard.issuer.get(language).to_owned();
                for (is_sound, remark) in [
                    (standard.traceable, &untraceable),
                    (standard.in_validity, &outside),
                ] {
                    if !is_sound {
                        issuer = format!("{issuer} ({})", remark.get(language));
                    }
                }
                vec![
                    format!(
                        "{}\n{}",
                        standard.name.get(language),
                        standard.role.get(language)
                    ),
                    format!("{}\n{}", standard.model, standard.serial),
                    standard.certificate.clone(),
                    issuer,
                    format!("{}\n{}", standard.calibrated, standard.valid_until),
                ]
            })
            .collect(),
        notes: Vec::new(),
    }
}

fn environment(certificate: &Certificate, language: Language) -> Grid {
    let number = |en, zh| Head {
        is_number: true,
        ..word(en, zh, language)
    };
    Grid {
        title: fields::ENVIRONMENT.label().get(language).to_owned(),
        heads: vec![
            word("Influence quantity", "影响量", language),
            word("Unit", "单位", language),
            number("Minimum", "最小值"),
            number("Mean", "平均值"),
            number("Maximum", "最大值"),
        ],
        rows: certificate
            .environment
            .iter()
            .map(|influence| {
                vec![
                    influence.name.get(language).to_owned(),
                    influence.unit.symbol().to_owned(),
                    printed(&influence.min.to_string()),
                    printed(&influence.mean.to_string()),
                    printed(&influence.max.to_string()),
                ]
            })
            .collect(),
        notes: Vec::new(),
    }
}

/// A number with a true minus sign.
fn printed(number: &str) -> String {
    number.replace('-', "−")
}

/// A printed column: its head and its cells.
type Strip = (Head, Vec<String>);

fn results(table: &Table, language: Language) -> Grid {
    let mut notes: Vec<String> = Vec::new();
    let strips: Vec<Strip> = table
        .columns
        .iter()
        .flat_map(|column| strips(column, language, &mut notes))
        .collect();
    notes.extend(table.note.iter().map(|note| note.get(language).to_owned()));
    let lines = strips.first().map_or(0, |(_, cells)| cells.len());
    let rows = (0..lines)
        .map(|line| {
            strips
                .iter()
                .map(|(_, cells)| cells[line].clone())
                .collect()
        })
        .collect();
    Grid {
        title: table.title.get(language).to_owned(),
        heads: strips.into_iter().map(|(head, _)| head).collect(),
        rows,
        notes,
    }
}

fn strips(column: &Column, language: Language, notes: &mut Vec<String>) -> Vec<Strip> {
    let name = column.name.get(language).to_owned();
    let head = |unit: &str, is_number| Head {
        name: name.clone(),
        unit: unit.to_owned(),
        is_number,
    };
    match &column.cells {
        Cells::Text(texts) => {
            let cells = texts.iter().map(|text| text.get(language).to_owned());
            vec![(head("", false), cells.collect())]
        }
        Cells::Verdict { verdicts, .. } => {
            let cells = verdicts
                .iter()
                .map(|v| verdict_text(v).get(language).to_owned());
            vec![(head("", false), cells.collect())]
        }
        Cells::Number {
            unit,
            values,
            uncertainty,
        } => {
            let cells = values.iter().map(|value| printed(&value.to_string()));
            let mut strips = vec![(head(unit.symbol(), true), cells.collect())];
            if let Some(all) = uncertainty {
                strips.extend(uncertainties(*unit, all));
                notes.push(coverage_note(&name, all, language));
            }
            strips
        }
    }
}

/// U beside its values; k and the degrees of freedom in columns where they vary.
fn uncertainties(unit: Unit, all: &[Expanded]) -> Vec<Strip> {
    let head = |name: &str, unit: &str| Head {
        name: name.to_owned(),
        unit: unit.to_owned(),
        is_number: true,
    };
    let widths = all.iter().map(|e| e.value.to_string()).collect();
    let mut strips = vec![(head("U", unit.difference().symbol()), widths)];
    if common(all, |e| factor(e.k)).is_none() {
        strips.push((head("k", ""), all.iter().map(|e| factor(e.k)).collect()));
    }
    strips
}

/// What all uncertainties of a column have in common; none where they differ.
fn common(all: &[Expanded], read: impl Fn(&Expanded) -> String) -> Option<String> {
    let first = read(all.first()?);
    all.iter().all(|e| read(e) == first).then_some(first)
}

/// "U (Error): expanded uncertainty, coverage probability 95 %, k = 2.00, normal distribution".
fn coverage_note(name: &str, all: &[Expanded], language: Language) -> String {
    let percent = |e: &Expanded| {
        let text = format!("{:.2}", e.coverage * 100.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        format!("{text} %")
    };
    let say = |en: &str, zh: &str| Text::new(en, zh).get(language).to_owned();
    let mut parts = Vec::new();
    if let Some(probability) = common(all, percent) {
        parts.push(say("coverage probability ", "包含概率 ") + &probability);
    } else {
        let each: Vec<String> = all.iter().map(percent).collect();
        parts.push(say("coverage probabilities ", "包含概率依次为 ") + &each.join(", "));
    }
    if let Some(k) = common(all, |e| factor(e.k)) {
        parts.push(format!("k = {k}"));
    }
    let freedom: Vec<u64> = all
        .iter()
        .filter_map(|e| degrees_of_freedom(e.dof)?.parse().ok())
        .collect();
    if let Some(least) = freedom.iter().min() {
        parts.push(
            say(
                "effective degrees of freedom at least ",
                "有效自由度不小于 ",
            ) + &least.to_string(),
        );
    }
    let head = say("expanded uncertainty", "扩展不确定度");
    let colon = say(": ", ": ");
    format!("U ({name}){colon}{head}, {}", parts.join(", "))
}

fn drawing(number: usize, plot: &Plot, language: Language) -> Drawing {
    let axis = |label: &Text, unit: Unit| format!("{} / {unit}", label.get(language));
    let points: usize = plot.series.iter().map(|series| series.points.len()).sum();
    let (x, y) = (
        axis(&plot.x_label, plot.x_unit),
        axis(&plot.y_label, plot.y_unit),
    );
    let title = plot.title.get(language).to_owned();
    Drawing {
        path: plot_path(number),
        description: match language {
            Language::En => format!(
                "{title}: {points} points with bars of expanded uncertainty; abscissa {x}, ordinate {y}"
            ),
            Language::Zh => {
                format!("{title}: 共 {points} 点, 竖线为扩展不确定度; 横轴 {x}, 纵轴 {y}")
            }
        },
        title,
        x,
        y,
        series: plot
            .series
            .iter()
            .enumerate()
            .map(|(at, series)| Legend {
                name: series.name.get(language).to_owned(),
                colour: COLOURS[at % COLOURS.len()],
            })
            .collect(),
        has_limits: plot.limit_low.is_some() || plot.limit_high.is_some(),
    }
}

fn budget(budget: &BudgetTable, language: Language) -> Budget {
    let head = |text: &Text, is_number| Head {
        name: text.get(language).to_owned(),
        unit: String::new(),
        is_number,
    };
    let line = |cells: &[&str], words: &[bool]| -> Vec<String> {
        let both = cells.iter().zip(words);
        both.map(|(cell, is_word)| {
            if *is_word {
                (*cell).to_owned()
            } else {
                printed(cell)
            }
        })
        .collect()
    };
    let comparison = budget.comparison.as_ref().map(|lines| Grid {
        title: String::new(),
        heads: comparison_headings()
            .iter()
            .zip([false, true, true])
            .map(|(text, is_number)| head(text, is_number))
            .collect(),
        rows: lines
            .iter()
            .map(|row| {
                let row = row.each_ref().map(|text| text.get(language));
                line(&row, &[true, false, false])
            })
            .collect(),
        notes: Vec::new(),
    });
    Budget {
        grid: Grid {
            title: budget.title.get(language).to_owned(),
            heads: headings(budget)
                .iter()
                .zip(WORDS)
                .map(|(text, is_word)| head(text, !is_word))
                .collect(),
            rows: budget
                .rows
                .iter()
                .map(|row| line(&cells(row, language), &WORDS))
                .collect(),
            notes: budget
                .result
                .iter()
                .map(|text| text.get(language).to_owned())
                .collect(),
        },
        comparison,
    }
}

fn formulas(certificate: &Certificate, language: Language) -> Grid {
    // Certificates of records of format 1 state no ranges, and are made again as they were.
    let has_ranges = certificate
        .formulas
        .iter()
        .any(|formula| !formula.ranges.is_empty());
    let with_range = |[formula, title, source]: [String; 3], ranges: String| {
        let ranges = has_ranges.then_some(ranges);
        let front = [formula, title].into_iter().chain(ranges);
        front.chain([source]).collect::<Vec<_>>()
    };
    let mut heads = vec![
        word("Formula", "公式", language),
        word("Title", "名称", language),
        word("Source", "来源", language),
    ];
    if has_ranges {
        heads.insert(2, word("Range", "适用范围", language));
    }
    Grid {
        title: fields::FORMULAS.label().get(language).to_owned(),
        heads,
        rows: certificate
            .formulas
            .iter()
            .map(|formula| {
                let cells = [
                    format!("{} v{}", formula.name, formula.version),
                    formula.title.get(language).to_owned(),
                    formula.source.clone(),
                ];
                with_range(cells, formula.ranges.join("\n"))
            })
            .collect(),
        notes: certificate
            .formulas
            .iter()
            .flat_map(|formula| {
                let notes = formula.forced.iter();
                notes.map(|note| format!("{}: {}", formula.name, note.get(language)))
            })
            .collect(),
    }
}

fn record(certificate: &Certificate, language: Language) -> Vec<[String; 2]> {
    let say = |en: &str, zh: &str| Text::new(en, zh).get(language).to_owned();
    let record = &certificate.record;
    let program = |p: &crate::Program| format!("{} {}", p.name, p.version);
    let programs: Vec<String> = std::iter::once(&certificate.program)
        .chain(&certificate.software)
        .map(program)
        .collect();
    let methods = certificate.methods.iter().map(|method| {
        [
            format!("{} {}", method.id, method.version),
            method.sha256.clone(),
        ]
    });
    let standards = certificate
        .standards
        .iter()
        .map(|standard| [standard.certificate.clone(), standard.sha256.clone()]);
    let mut rows = vec![
        [
            fields::RECORD.label().get(language).to_owned(),
            record.file.clone(),
        ],
        [say("Entries", "条目数"), record.entries.to_string()],
        [
            say("SHA-256 of the chain", "哈希链 SHA-256"),
            record.head.clone(),
        ],
        [
            fields::PROGRAM.label().get(language).to_owned(),
            programs.join(", "),
        ],
    ];
    rows.extend(methods.chain(standards));
    rows
}
