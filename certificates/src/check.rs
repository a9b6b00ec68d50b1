//! Whether a certificate may be issued: every finding names its clause and its cure.

use std::fmt;

use heng_quantities::{Decimal, Text};
use jiff::civil::Date;
use serde_json::Value;

use crate::document::{Cells, Certificate, Column, Expanded, Standard, Table};
use crate::fields::{FIELDS, is_written};
use crate::wording::dcc_verdict;

const RESULTS: &str = "ISO/IEC 17025:2017, 7.8.2.1 m)";
const UNCERTAINTY: &str = "ISO/IEC 17025:2017, 7.8.4.1 a)";
const TRACEABILITY: &str = "ISO/IEC 17025:2017, 7.8.4.1 c)";
const DATES: &str = "ISO/IEC 17025:2017, 7.8.2.1 h) to j)";
const DECISION: &str = "ISO/IEC 17025:2017, 7.8.6";
const DIGITS: &str = "ILAC-P14:09/2020, 5.4";
const RECORDS: &str = "ISO/IEC 17025:2017, 7.5.1";
const DCC: &str = "DCC 3.3.0";

/// Something that stops a certificate from being issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The clause that asks for it.
    pub clause: &'static str,
    /// Path in the document model, `standards[1].sha256`.
    pub field: String,
    /// What to do.
    pub cure: Text,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.field, self.clause, self.cure.en)
    }
}

/// Everything that stops the certificate from being issued; empty where nothing does.
pub fn check(certificate: &Certificate) -> Vec<Missing> {
    let mut findings = Findings(Vec::new());
    findings.presence(certificate);
    findings.texts(certificate);
    findings.dates(certificate);
    findings.identity(certificate);
    findings.tables(certificate);
    for (index, standard) in certificate.standards.iter().enumerate() {
        findings.standard(certificate, index, standard);
    }
    findings.conformity(certificate);
    findings.0
}

struct Findings(Vec<Missing>);

impl Findings {
    fn add(&mut self, clause: &'static str, field: impl Into<String>, en: &str, zh: &str) {
        self.0.push(Missing {
            clause,
            field: field.into(),
            cure: Text::new(en, zh),
        });
    }

    fn presence(&mut self, certificate: &Certificate) {
        for field in FIELDS {
            if field.required && !field.is_present(certificate) {
                self.add(
                    field.clause,
                    field.key,
                    &format!("give \"{}\" in both languages", field.en),
                    &format!("请用两种语言填写“{}”", field.zh),
                );
            }
        }
        if certificate.persons.iter().filter(|p| p.main_signer).count() != 1 {
            self.add(
                "ISO/IEC 17025:2017, 7.8.2.1 o)",
                "persons",
                "name exactly one person who authorises the certificate",
                "请指定且仅指定一名批准人",
            );
        }
        for (index, influence) in certificate.environment.iter().enumerate() {
            let (min, mean, max) = (
                influence.min.to_f64(),
                influence.mean.to_f64(),
                influence.max.to_f64(),
            );
            if !(min <= mean && mean <= max) {
                self.add(
                    "ISO/IEC 17025:2017, 7.8.4.1 b)",
                    format!("environment[{index}]"),
                    "give min, mean and max in this order of size",
                    "最小值、平均值、最大值应依次增大",
                );
            }
        }
    }

    /// Names and words must be written in both languages (cells of a table may be blank); no
    /// text may hold control characters, which XML 1.0 cannot carry.
    fn texts(&mut self, certificate: &Certificate) {
        for (path, text) in strings(certificate) {
            if text.chars().any(is_forbidden) {
                self.add(
                    DCC,
                    path.clone(),
                    "remove the control characters",
                    "请删除控制字符",
                );
            }
            let is_text = [".en", ".zh"].iter().any(|last| path.ends_with(last))
                && !path.contains(".cells.")
                && !path.contains(".distribution.");
            let is_identity = [".certificate", ".symbol", ".id", "].name", "].version"]
                .iter()
                .any(|last| path.ends_with(last));
            let covered = FIELDS.iter().any(|field| {
                path == field.key
                    || path
                        .strip_prefix(field.key)
                        .is_some_and(|rest| rest.starts_with(".en") || rest.starts_with(".zh"))
            });
            if (is_text || is_identity) && !covered && text.trim().is_empty() {
                self.add(
                    "ISO/IEC 17025:2017, 7.8.1.2",
                    path,
                    "write the text; it is blank",
                    "该文本为空, 请填写",
                );
            }
        }
    }

    fn dates(&mut self, certificate: &Certificate) {
        let mut parse = |field: &str, text: &str| {
            let date = date(text);
            if date.is_none() && !text.trim().is_empty() {
                self.add(
                    DATES,
                    field,
                    "write the date as YYYY-MM-DD",
                    "日期请写成 YYYY-MM-DD",
                );
            }
            date
        };
        let received = certificate
            .received
            .as_deref()
            .and_then(|text| parse("received", text));
        let begun = parse("begun", &certificate.begun);
        let ended = parse("ended", &certificate.ended);
        let issued = parse("issued", &certificate.issued);
        for (field, first, second) in [
            ("begun", received, begun),
            ("ended", begun, ended),
            ("issued", ended, issued),
        ] {
            if let (Some(first), Some(second)) = (first, second)
                && first > second
            {
                self.add(
                    DATES,
                    field,
                    "put receipt, begin, end and issue in this order of time",
                    "接收、开始、结束、签发日期应依次不早于前者",
                );
            }
        }
    }

    fn identity(&mut self, certificate: &Certificate) {
        if certificate.country.len() != 2
            || !certificate.country.bytes().all(|b| b.is_ascii_uppercase())
        {
            self.add(
                DCC,
                "country",
                "give the ISO 3166-1 code, as CN",
                "请填写 ISO 3166-1 代码, 如 CN",
            );
        }
        let programs = std::iter::once(("program".to_owned(), &certificate.program)).chain(
            certificate
                .software
                .iter()
                .enumerate()
                .map(|(i, p)| (format!("software[{i}]"), p)),
        );
        for (path, program) in programs {
            if !is_release(&program.version) {
                self.add(
                    DCC,
                    format!("{path}.version"),
                    "give one to four numbers with points, as 1.2.3",
                    "版本号请用一至四个以点分隔的数字, 如 1.2.3",
                );
            }
        }
        let methods = certificate.methods.iter().enumerate();
        let hashes = methods
            .map(|(i, m)| (format!("methods[{i}].sha256"), &m.sha256))
            .chain(std::iter::once((
                "record.head".to_owned(),
                &certificate.record.head,
            )));
        for (path, hash) in hashes {
            self.hash(RECORDS, path, hash);
        }
    }

    fn hash(&mut self, clause: &'static str, path: String, hash: &str) {
        let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if hash.len() != 64 || !hash.bytes().all(is_hex) {
            self.add(
                clause,
                path,
                "give the SHA-256 as 64 lower-case hexadecimal digits",
                "请给出 64 位小写十六进制 SHA-256",
            );
        }
    }

    fn standard(&mut self, certificate: &Certificate, index: usize, standard: &Standard) {
        let path = |field: &str| format!("standards[{index}].{field}");
        self.hash(TRACEABILITY, path("sha256"), &standard.sha256);
        let (calibrated, until) = (date(&standard.calibrated), date(&standard.valid_until));
        if calibrated.is_none() || until.is_none() {
            self.add(
                TRACEABILITY,
                path("valid_until"),
                "write the dates of the standard's certificate as YYYY-MM-DD",
                "标准器证书日期请写成 YYYY-MM-DD",
            );
        }
        let work = (date(&certificate.begun), date(&certificate.ended));
        if let (Some(from), Some(until), (Some(begun), Some(ended))) = (calibrated, until, work)
            && standard.in_validity
            && (from > begun || until < ended)
        {
            self.add(
                TRACEABILITY,
                path("in_validity"),
                "the standard's certificate does not cover the days of the work: use another standard",
                "标准器证书有效期未覆盖校准日期, 请更换标准器",
            );
        }
        let is_sound = standard.traceable && standard.in_validity;
        if !certificate.demonstration && !is_sound {
            self.add(
                TRACEABILITY,
                path("traceable"),
                "use a standard that is traceable and within its validity, or issue a demonstration",
                "请使用可溯源且在有效期内的标准器, 否则只能出具演示证书",
            );
        }
    }

    fn tables(&mut self, certificate: &Certificate) {
        let mut uncertain = false;
        for (index, table) in certificate.tables.iter().enumerate() {
            self.shape(index, table);
            for column in &table.columns {
                let path = format!("tables[{index}].{}", column.key);
                uncertain |= self.column(&path, table, column);
            }
        }
        if !uncertain && !certificate.tables.is_empty() {
            self.add(
                UNCERTAINTY,
                "tables",
                "give the results their expanded uncertainties",
                "请给出校准结果的扩展不确定度",
            );
        }
    }

    fn shape(&mut self, index: usize, table: &Table) {
        let rows = table.columns.first().map_or(0, Column::rows);
        let path = format!("tables[{index}]");
        if rows == 0 || table.columns.iter().any(|column| column.rows() != rows) {
            self.add(
                RESULTS,
                path.clone(),
                "give every column the same number of cells, at least one",
                "各列行数应相同且至少一行",
            );
        }
        let mut keys: Vec<&str> = table.columns.iter().map(|c| c.key.as_str()).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            self.add(
                RESULTS,
                path,
                "give every column its own key",
                "各列 key 应互不相同",
            );
        }
    }

    /// Checks one column; true where it states uncertainties.
    fn column(&mut self, path: &str, table: &Table, column: &Column) -> bool {
        match &column.cells {
            Cells::Text(_) => false,
            Cells::Verdict { of, verdicts } => {
                let known = table
                    .columns
                    .iter()
                    .any(|c| c.key == *of && matches!(c.cells, Cells::Number { .. }));
                if !known {
                    self.add(
                        DECISION,
                        path,
                        "name the column of numbers that is judged",
                        "请指明被判定的数值列",
                    );
                }
                for verdict in verdicts {
                    self.verdict(path, verdict);
                }
                false
            }
            Cells::Number {
                values,
                uncertainty: None,
                ..
            } => {
                if column.ref_type.as_deref() == Some("basic_measurementError")
                    && !values.is_empty()
                {
                    self.add(
                        UNCERTAINTY,
                        path,
                        "give each error its expanded uncertainty",
                        "每个误差均应给出扩展不确定度",
                    );
                }
                false
            }
            Cells::Number {
                values,
                uncertainty: Some(all),
                ..
            } => {
                if all.len() != values.len() {
                    self.add(
                        UNCERTAINTY,
                        path,
                        "give each value one uncertainty",
                        "每个值应各有一个不确定度",
                    );
                }
                for (row, (value, expanded)) in values.iter().zip(all).enumerate() {
                    self.expanded(&format!("{path}[{row}]"), *value, expanded);
                }
                true
            }
        }
    }

    fn expanded(&mut self, path: &str, value: Decimal, expanded: &Expanded) {
        let sound = expanded.value.digits() > 0
            && expanded.k.is_finite()
            && expanded.k >= 1.0
            && expanded.coverage > 0.0
            && expanded.coverage < 1.0
            && !expanded.distribution.trim().is_empty();
        if !sound {
            self.add(
                UNCERTAINTY,
                path,
                "give a positive uncertainty, k of at least 1, a probability as a fraction and a distribution",
                "不确定度应为正, k 不小于 1, 包含概率为小数, 并给出分布",
            );
        }
        // Whole units are written out even where U has three digits before the point.
        let excess = expanded.value.digits() > 99 && expanded.value.exponent() < 0;
        if excess || value.exponent() != expanded.value.exponent() {
            self.add(
                DIGITS,
                path,
                "round U to two significant digits and the value to the same place",
                "U 保留两位有效数字, 测量值末位与 U 对齐",
            );
        }
    }

    fn verdict(&mut self, path: &str, verdict: &str) {
        if dcc_verdict(verdict).is_none() {
            self.add(
                DECISION,
                path,
                "write pass, fail, conditional_pass or conditional_fail",
                "请写 pass、fail、conditional_pass 或 conditional_fail",
            );
        }
    }

    fn conformity(&mut self, certificate: &Certificate) {
        for (index, statement) in certificate.conformity.iter().enumerate() {
            self.verdict(&format!("conformity[{index}].verdict"), &statement.verdict);
        }
        let judged = certificate
            .tables
            .iter()
            .flat_map(|table| &table.columns)
            .any(|column| matches!(column.cells, Cells::Verdict { .. }));
        let ruled = certificate.decision_rule.as_ref().is_some_and(is_written);
        if (judged || !certificate.conformity.is_empty()) && !ruled {
            self.add(
                DECISION,
                "decision_rule",
                "state the decision rule; it was agreed before measuring",
                "请写明校准前商定的判定规则",
            );
        }
    }
}

impl Column {
    pub(crate) fn rows(&self) -> usize {
        match &self.cells {
            Cells::Text(texts) => texts.len(),
            Cells::Number { values, .. } => values.len(),
            Cells::Verdict { verdicts, .. } => verdicts.len(),
        }
    }
}

/// A calendar date `YYYY-MM-DD`, nothing else.
pub(crate) fn date(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok())?
}

/// One to four numbers of at most three digits (PTB's Schematron of the DCC, releases).
fn is_release(version: &str) -> bool {
    let parts: Vec<&str> = version.split('.').collect();
    parts.len() <= 4
        && parts
            .iter()
            .all(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
}

/// Characters outside XML 1.0 (section 2.2), and the direction marks that make a text read
/// otherwise than it is stored.
fn is_forbidden(character: char) -> bool {
    let control = character.is_control() && !matches!(character, '\n' | '\t');
    control
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

/// Every text of the certificate with its path, in a stable order.
pub(crate) fn strings(certificate: &Certificate) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::to_value(certificate) {
        walk(&value, String::new(), &mut found);
    }
    found
}

fn walk(value: &Value, path: String, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((path, text.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, format!("{path}[{index}]"), found);
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                walk(item, format!("{path}{dot}{key}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
