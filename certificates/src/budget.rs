//! The uncertainty budget for reading in a terminal or a text file.

use std::fmt::Write;

use heng_quantities::{Language, Text};
use unicode_width::UnicodeWidthStr;

use crate::document::{BudgetLine, BudgetTable, Certificate};
use crate::fields;
use crate::wording::demonstration;

/// Every budget of the certificate as text in fixed columns; a hanzi is two columns wide.
pub fn budget_text(certificate: &Certificate, language: Language) -> String {
    let mut out = String::new();
    let heading = fields::BUDGETS.label();
    line(
        &mut out,
        &format!("{}  {}", heading.get(language), certificate.number),
    );
    if certificate.demonstration {
        line(&mut out, demonstration().get(language));
    }
    if !certificate.model.trim().is_empty() {
        line(&mut out, "");
        line(&mut out, fields::MODEL.label().get(language));
        for text in certificate.model.lines() {
            line(&mut out, &format!("  {text}"));
        }
    }
    for budget in &certificate.budgets {
        line(&mut out, "");
        one(&mut out, budget, language);
    }
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}", text.trim_end());
}

/// The headings of a budget in both languages, in the order of [`cells`].
pub(crate) fn headings(budget: &BudgetTable) -> [Text; 10] {
    let unit = budget.unit.symbol();
    [
        Text::new("Symbol", "符号"),
        Text::new("Quantity", "输入量"),
        Text::new("Estimate", "估计值"),
        Text::new("Unit", "单位"),
        Text::new("u(x)", "u(x)"),
        Text::new("Distribution", "分布"),
        Text::new("DoF", "自由度"),
        Text::new("c", "c"),
        Text {
            en: format!("|c| u(x), {unit}"),
            zh: format!("|c| u(x), {unit}"),
        },
        Text::new("Share, %", "占比, %"),
    ]
}

/// One input quantity, in the order of [`headings`].
pub(crate) fn cells(row: &BudgetLine, language: Language) -> [&str; 10] {
    [
        &row.symbol,
        row.name.get(language),
        &row.value,
        &row.unit,
        &row.u,
        row.distribution.get(language),
        &row.dof,
        &row.sensitivity,
        &row.contribution,
        &row.share,
    ]
}

/// Columns of words; the others hold numbers and are aligned right.
pub(crate) const WORDS: [bool; 10] = [
    true, true, false, true, false, true, false, false, false, false,
];

/// The headings of the comparison of both methods (JCGM 101:2008, 8).
pub(crate) fn comparison_headings() -> [Text; 3] {
    [
        Text::new("Comparison", "比较"),
        Text::new("GUM", "GUM"),
        Text::new("Monte Carlo", "蒙特卡洛"),
    ]
}

fn one(out: &mut String, budget: &BudgetTable, language: Language) {
    line(out, budget.title.get(language));
    let heads = headings(budget);
    let mut rows = vec![heads.each_ref().map(|text| text.get(language)).to_vec()];
    rows.extend(budget.rows.iter().map(|row| cells(row, language).to_vec()));
    grid(out, &rows, &WORDS);
    for text in &budget.result {
        line(out, &format!("  {}", text.get(language)));
    }
    if let Some(comparison) = &budget.comparison {
        let heads = comparison_headings();
        let mut rows = vec![heads.each_ref().map(|text| text.get(language)).to_vec()];
        let texts = comparison.iter();
        rows.extend(texts.map(|row| row.each_ref().map(|text| text.get(language)).to_vec()));
        grid(out, &rows, &[true, false, false]);
    }
}

/// Rows under a head row, each column as wide as its widest cell.
fn grid(out: &mut String, rows: &[Vec<&str>], words: &[bool]) {
    let widths: Vec<usize> = (0..words.len())
        .map(|at| rows.iter().map(|row| row[at].width()).max().unwrap_or(0))
        .collect();
    for (number, row) in rows.iter().enumerate() {
        let mut text = String::from("  ");
        for ((cell, width), is_words) in row.iter().zip(&widths).zip(words) {
            let blank = " ".repeat(width - cell.width());
            if *is_words {
                text.push_str(cell);
                text.push_str(&blank);
            } else {
                text.push_str(&blank);
                text.push_str(cell);
            }
            text.push_str("  ");
        }
        line(out, &text);
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            line(out, &format!("  {}", rules.join("  ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn columns_line_up_in_both_languages() {
        let certificate = sample::thermo_hygrometer();
        for language in [Language::En, Language::Zh] {
            let text = budget_text(&certificate, language);
            let rule = text.lines().find(|line| line.starts_with("  --")).unwrap();
            let table: Vec<&str> = text
                .lines()
                .skip_while(|line| *line != rule)
                .take(certificate.budgets[0].rows.len() + 1)
                .collect();
            assert_eq!(table.len(), certificate.budgets[0].rows.len() + 1);
            for row in &table {
                assert_eq!(row.width(), rule.width(), "{row}");
            }
        }
    }

    #[test]
    fn a_demonstration_says_so() {
        let certificate = sample::thermo_hygrometer();
        assert!(budget_text(&certificate, Language::Zh).contains("演示, 无计量溯源性"));
    }
}
