//! `heng history`: earlier results of an item, its drift and the agreement of its calibrations.

use std::path::PathBuf;

use clap::Args;
use heng_quantities::{Language, Text};

use super::index::tables_of;
use super::table::{Align, Table, wrapped};
use super::{Exit, Failure, Tongue, print};
use crate::analyse::budget::significant;
use crate::lab::history::{History, HistoryError, Line, history as compare};

#[derive(Args)]
pub struct ItemHistory {
    /// Serial number of the item, or MANUFACTURER/MODEL/SERIAL
    item: String,
    /// The folder of the laboratory
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    lab: PathBuf,
    /// Language of the table
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

pub fn history(arguments: &ItemHistory) -> Result<Exit, Failure> {
    let tables = tables_of(&arguments.lab)?;
    let found = compare(&tables, &arguments.item).map_err(|error| {
        let exit = match error {
            HistoryError::Nobody { .. } | HistoryError::Several { .. } => Exit::Usage,
            HistoryError::Compare(_) => Exit::Input,
        };
        Failure::new(exit, &error)
    })?;
    print(&page(&found, arguments.lang.into()))
}

fn page(found: &History, language: Language) -> String {
    let say = |en: &str, zh: &str| Text::new(en, zh).get(language).to_owned();
    let count = found.calibrations;
    let mut lines = vec![say(
        &format!("{}: certified calibrations: {count}", found.item),
        &format!("{}：{count} 次校准已出具证书", found.item),
    )];
    for series in &found.series {
        lines.push(String::new());
        lines.extend(table(series, language));
    }
    lines.push(String::new());
    if found.series.iter().any(|series| series.len() > 1) {
        lines.extend(
            explanation()
                .iter()
                .flat_map(|text| wrapped("", text.get(language))),
        );
    }
    for record in &found.left_out {
        let (path, verdict) = (&record.path, &record.verdict);
        let why = match verdict.as_str() {
            "good" => Text::new("it has no certificate", "没有证书"),
            "incomplete" => Text::new("it is not sealed", "未封存"),
            "altered" => Text::new("it is altered", "已被更改"),
            _ => Text::new("it cannot be read", "无法读取"),
        };
        let text = Text::new(
            &format!("{path} is left out: {}.", why.en),
            &format!("未采用 {path}：{}。", why.zh),
        );
        lines.extend(wrapped("", text.get(language)));
    }
    lines.join("\n").trim_end().to_owned() + "\n"
}

fn table(series: &[Line], language: Language) -> Vec<String> {
    let Some(last) = series.last() else {
        return Vec::new();
    };
    let (result, unit) = (last.result, &last.result.error_unit);
    let title = Text::new(
        &format!("{}, {}", result.quantity, result.point_title),
        &format!("{}，{}", result.quantity_zh, result.point_title_zh),
    );
    let heads = [
        Text::new("Date", "日期"),
        Text::new("Certificate", "证书编号"),
        Text::new(&format!("Error/{unit}"), &format!("误差/{unit}")),
        Text::same(&format!("U/{unit}")),
        Text::new(&format!("Drift/{unit}"), &format!("漂移/{unit}")),
        Text::new("in a year", "每年"),
        Text::same("E_n"),
        Text::default(),
    ];
    let heads: Vec<_> = heads.iter().map(|head| head.get(language)).collect();
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(
        &[left, left, right, right, right, right, right, left],
        &heads,
    );
    for (at, line) in series.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| series.get(before));
        table.row(row(line, before, language));
    }
    let mut lines = vec![title.get(language).to_owned()];
    lines.extend(table.lines());
    lines
}

fn row(line: &Line, before: Option<&Line>, language: Language) -> Vec<String> {
    let (result, change) = (line.result, &line.change);
    let error = result.certified_error;
    // As many places as a difference of both errors has.
    let exponent = before.map_or(error.exponent(), |before| {
        let before = before.result.certified_error;
        before.exponent().min(error.exponent())
    });
    let places = usize::from(exponent.min(0).unsigned_abs());
    let none = || "–".to_owned();
    let drift = change.drift.map(|drift| format!("{drift:+.places$}"));
    let per_year = change.drift_per_year.map(|drift| significant(drift, 2));
    let mut remarks = Vec::new();
    if change.en.is_some_and(|en| en.abs() >= 1.0) {
        remarks.push("|E_n| ≥ 1".to_owned());
    }
    if line.same_standard {
        remarks.push(
            Text::new("same standard", "同一标准器")
                .get(language)
                .to_owned(),
        );
    }
    vec![
        result
            .measured
            .get(..10)
            .unwrap_or(&result.measured)
            .to_owned(),
        line.record.certificate.clone().unwrap_or_default(),
        error.to_string(),
        result.certified_uncertainty.to_string(),
        drift.unwrap_or_else(none),
        per_year.unwrap_or_else(none),
        change.en.map_or_else(none, |en| format!("{en:+.2}")),
        remarks.join(", "),
    ]
}

fn explanation() -> [Text; 3] {
    [
        Text::new(
            "Errors and U are those of the certificates. Drift is the error less the one of the calibration before; a year has 365.25 days.",
            "误差与 U 均取自证书。漂移为本次误差减去上次校准的误差；一年按 365.25 天计。",
        ),
        Text::new(
            "E_n = (x2 − x1)/√(U1² + U2²) (ISO 13528:2022, 9.7): with |E_n| ≥ 1 the item has changed by more than the uncertainties explain. No E_n is given where the U have different coverage probabilities.",
            "E_n = (x2 − x1)/√(U1² + U2²)（ISO 13528:2022，9.7）：|E_n| ≥ 1 表示该器具的变化超出不确定度所能解释的范围。U 的包含概率不同时不给出 E_n。",
        ),
        Text::new(
            "The formula takes both results as independent. Results that rest on the same certificate of a standard share its errors: their true E_n is larger than the one shown, and a drift of the standard shows as a drift of the item.",
            "该公式假定两次结果相互独立。使用同一标准器证书的结果含有相同的误差：其真实 E_n 大于所示值，且标准器的漂移会表现为器具的漂移。",
        ),
    ]
}
