//! The report of a validation of the program (ISO/IEC 17025:2017, 7.11.2): what a laboratory
//! keeps to show that the software it uses computes what it should.

use heng_quantities::{Language, Text};
use serde::Serialize;

use crate::CertificateError;
use crate::document::Program;
use crate::pdf::typeset_validation;

/// What was validated, on what, by which cases, and how each of them ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Name and version of the program.
    pub program: Program,
    /// SHA-256 of the program's file, in hexadecimal digits: which of several builds this was.
    pub program_sha256: String,
    /// What the program ran on: names and values, in the order of printing.
    pub machine: Vec<(Text, String)>,
    /// When the run began; RFC 3339 with zone.
    pub begun: String,
    /// Seed of all random numbers of the run.
    pub seed: u64,
    /// The files of cases.
    pub files: Vec<CaseFileNote>,
    /// Every case, in the order of the files.
    pub cases: Vec<ValidatedCase>,
}

/// A file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFileNote {
    /// As the program names it.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// A case and its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedCase {
    /// Name in its file.
    pub id: String,
    /// What the case is about.
    pub topic: String,
    /// Where the expected numbers were published.
    pub source: String,
    /// Every expected number of the case.
    pub numbers: Vec<ValidatedNumber>,
}

/// An expected number and what the program found, as printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedNumber {
    /// Name of the quantity within the case.
    pub what: String,
    /// As the source states it.
    pub expected: String,
    /// What the program found.
    pub got: String,
    /// Greatest difference that passes, absolute.
    pub tolerance: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was skipped, or what there is to say about the comparison.
    pub remark: Option<String>,
}

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Within the tolerance.
    Pass,
    /// Beyond the tolerance, or refused by the program.
    Fail,
    /// Not compared.
    Skip,
}

/// Sets the report as PDF/A-3a and PDF/UA-1, in one language.
///
/// The bytes depend on the arguments only. Texts reach the typesetter as data.
///
/// # Errors
/// [`CertificateError::Glyph`] where the embedded fonts cannot draw a character of a case;
/// [`CertificateError::Typesetting`] where the time is no RFC 3339 time, or the result would
/// break PDF/A-3a or PDF/UA-1.
pub fn validation_pdf(
    validation: &Validation,
    language: Language,
) -> Result<Vec<u8>, CertificateError> {
    let view = View::new(validation, language);
    typeset_validation(&view, validation)
}

/// The report as the template gets it.
#[derive(Serialize)]
pub(crate) struct View {
    language: &'static str,
    words: Words,
    identity: Vec<[String; 2]>,
    verdict: String,
    failed: bool,
    files: Vec<[String; 2]>,
    topics: Vec<[String; 5]>,
    exceptions: Vec<[String; 3]>,
    cases: Vec<CaseView>,
}

#[derive(Serialize)]
struct CaseView {
    id: String,
    topic: String,
    source: String,
    numbers: Vec<[String; 5]>,
    remarks: Vec<String>,
}

/// Headings and sentences of the layout.
#[derive(Serialize)]
struct Words {
    title: &'static str,
    page: [&'static str; 3],
    purpose: &'static str,
    scope: &'static str,
    summary: &'static str,
    files: &'static str,
    file_heads: [&'static str; 2],
    topic_heads: [&'static str; 5],
    exceptions: &'static str,
    exception_heads: [&'static str; 3],
    cases: &'static str,
    number_heads: [&'static str; 5],
    source: &'static str,
    signers: [&'static str; 2],
    date: &'static str,
    end: &'static str,
}

const ENGLISH: Words = Words {
    title: "Validation report of the software",
    page: ["Page ", " of ", ""],
    purpose: "ISO/IEC 17025:2017, 7.11.2: the laboratory validates the functionality of its \
              information management systems before it uses them. This report shows that the \
              program identified below, on the machine identified below, reproduces published \
              reference values within their tolerances.",
    scope: "The report is about the computations that its cases exercise. It does not replace \
            the validation of the laboratory's own procedures, budgets and instruments, and it \
            is to be repeated after a change of the program or of the machine.",
    summary: "Summary",
    files: "Files of cases",
    file_heads: ["File", "SHA-256"],
    topic_heads: ["Topic", "Cases", "Passed", "Failed", "Skipped"],
    exceptions: "Numbers that failed or were skipped",
    exception_heads: ["Case", "Number", "Reason"],
    cases: "Cases",
    number_heads: ["Number", "Expected", "Found", "Tolerance", "Result"],
    source: "Source",
    signers: ["Performed by", "Reviewed by"],
    date: "Date",
    end: "End of the report",
};

const CHINESE: Words = Words {
    title: "软件确认报告",
    page: ["第 ", " 页 共 ", " 页"],
    purpose: "ISO/IEC 17025:2017, 7.11.2: 实验室在使用信息管理系统之前, 应对其功能进行确认。\
              本报告表明: 下述程序在下述计算机上, 能在允差之内复现公开发表的参考值。",
    scope: "本报告仅涉及所列案例涵盖的计算, 不能代替对实验室自身方法、不确定度评定和仪器的确认; \
            程序或计算机变更后应重新进行。",
    summary: "汇总",
    files: "案例文件",
    file_heads: ["文件", "SHA-256"],
    topic_heads: ["主题", "案例", "通过", "不通过", "跳过"],
    exceptions: "不通过或跳过的数值",
    exception_heads: ["案例", "数值", "原因"],
    cases: "案例",
    number_heads: ["数值", "期望值", "所得值", "允差", "结果"],
    source: "来源",
    signers: ["执行人", "审核人"],
    date: "日期",
    end: "报告结束",
};

impl Outcome {
    const fn word(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Pass, Language::En) => "pass",
            (Self::Fail, Language::En) => "FAIL",
            (Self::Skip, Language::En) => "skipped",
            (Self::Pass, Language::Zh) => "通过",
            (Self::Fail, Language::Zh) => "不通过",
            (Self::Skip, Language::Zh) => "跳过",
        }
    }
}

impl View {
    fn new(validation: &Validation, language: Language) -> Self {
        let words = match language {
            Language::En => ENGLISH,
            Language::Zh => CHINESE,
        };
        let files = validation.files.iter();
        Self {
            language: match language {
                Language::En => "en",
                Language::Zh => "zh",
            },
            words,
            identity: identity(validation, language),
            verdict: verdict(validation, language),
            failed: count(&validation.cases, Outcome::Fail) > 0,
            files: files
                .map(|file| [file.name.clone(), file.sha256.clone()])
                .collect(),
            topics: topics(validation),
            exceptions: exceptions(validation),
            cases: validation
                .cases
                .iter()
                .map(|case| case_view(case, language))
                .collect(),
        }
    }

    /// Every text that is drawn, with its place.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (String, &str)> {
        let heads = self.identity.iter().chain(&self.files);
        let heads = heads.flatten().map(|text| (text.clone(), text.as_str()));
        let cases = self.cases.iter().flat_map(|case| {
            let texts = [&case.id, &case.topic, &case.source];
            let numbers = case.numbers.iter().flatten().chain(&case.remarks);
            let all = texts.into_iter().chain(numbers);
            all.map(|text| (format!("case {}", case.id), text.as_str()))
        });
        heads.chain(cases)
    }
}

fn count<'a>(cases: impl IntoIterator<Item = &'a ValidatedCase>, outcome: Outcome) -> usize {
    let numbers = cases.into_iter().flat_map(|case| &case.numbers);
    numbers.filter(|number| number.outcome == outcome).count()
}

fn identity(validation: &Validation, language: Language) -> Vec<[String; 2]> {
    let row = |en: &str, zh: &str, value: String| {
        let name = match language {
            Language::En => en,
            Language::Zh => zh,
        };
        [name.to_owned(), value]
    };
    let Program { name, version } = &validation.program;
    let mut rows = vec![
        row("Program", "程序", format!("{name} {version}")),
        row(
            "SHA-256 of the program",
            "程序的 SHA-256",
            validation.program_sha256.clone(),
        ),
    ];
    let machine = validation.machine.iter();
    rows.extend(machine.map(|(name, value)| [name.get(language).to_owned(), value.clone()]));
    rows.push(row("Begun", "开始时间", validation.begun.clone()));
    rows.push(row(
        "Seed of random numbers",
        "随机数种子",
        validation.seed.to_string(),
    ));
    rows
}

fn verdict(validation: &Validation, language: Language) -> String {
    let cases = validation.cases.len();
    let [passed, failed, skipped] =
        [Outcome::Pass, Outcome::Fail, Outcome::Skip].map(|one| count(&validation.cases, one));
    match language {
        Language::En => {
            format!("{cases} cases: {passed} numbers passed, {failed} failed, {skipped} skipped")
        }
        Language::Zh => {
            format!("{cases} 个案例: {passed} 个数值通过, {failed} 个不通过, {skipped} 个跳过")
        }
    }
}

/// Topics in the order of their first case, with their cases and numbers.
fn topics(validation: &Validation) -> Vec<[String; 5]> {
    let mut groups: Vec<(&str, Vec<&ValidatedCase>)> = Vec::new();
    for case in &validation.cases {
        match groups.iter_mut().find(|(topic, _)| *topic == case.topic) {
            Some((_, cases)) => cases.push(case),
            None => groups.push((&case.topic, vec![case])),
        }
    }
    let row = |(topic, cases): (&str, Vec<&ValidatedCase>)| {
        let counted = [Outcome::Pass, Outcome::Fail, Outcome::Skip]
            .map(|one| count(cases.iter().copied(), one).to_string());
        let [passed, failed, skipped] = counted;
        let topic = topic.to_owned();
        [topic, cases.len().to_string(), passed, failed, skipped]
    };
    groups.into_iter().map(row).collect()
}

fn exceptions(validation: &Validation) -> Vec<[String; 3]> {
    let cases = validation.cases.iter();
    let numbers = cases.flat_map(|case| case.numbers.iter().map(move |number| (case, number)));
    let exceptional = numbers.filter(|(_, number)| number.outcome != Outcome::Pass);
    exceptional
        .map(|(case, number)| {
            let reason = number.remark.clone().unwrap_or_default();
            [case.id.clone(), number.what.clone(), reason]
        })
        .collect()
}

fn case_view(case: &ValidatedCase, language: Language) -> CaseView {
    let numbers = case.numbers.iter().map(|number| {
        let verdict = number.outcome.word(language).to_owned();
        let ValidatedNumber {
            what,
            expected,
            got,
            tolerance,
            ..
        } = number.clone();
        [what, expected, got, tolerance, verdict]
    });
    let remarks = case.numbers.iter().filter_map(|number| {
        let remark = number.remark.as_ref()?;
        Some(format!("{}: {remark}", number.what))
    });
    CaseView {
        id: case.id.clone(),
        topic: case.topic.clone(),
        source: case.source.clone(),
        numbers: numbers.collect(),
        remarks: remarks.collect(),
    }
}
