//! The report of a self-test, for people and for programs.

use std::fmt::Write as _;

use heng_quantities::Language;
use serde_json::json;

use super::judge::{Figure, Line, Verdict};
use super::{Report, SEED};

const WIDTH: usize = 100;
const CASE: usize = 20;
const WHAT: usize = 28;
const NUMBER: usize = 16;
const TOLERANCE: usize = 8;

/// Headings and verdicts.
struct Words {
    heading: [&'static str; 6],
    pass: &'static str,
    fail: &'static str,
    skipped: &'static str,
    numbers: &'static str,
}

const ENGLISH: Words = Words {
    heading: ["case", "what", "expected", "got", "tol.", "verdict"],
    pass: "pass",
    fail: "FAIL",
    skipped: "Skipped",
    numbers: "numbers:",
};

const CHINESE: Words = Words {
    heading: ["案例", "量", "期望值", "所得值", "允差", "判定"],
    pass: "通过",
    fail: "不通过",
    skipped: "跳过",
    numbers: "数目：",
};

/// One line for each compared number, the reasons of the skips, and the counts.
pub fn text(report: &Report, language: Language) -> String {
    let words = match language {
        Language::En => &ENGLISH,
        Language::Zh => &CHINESE,
    };
    let mut out = String::new();
    let [case, what, expected, got, tolerance, verdict] = words.heading;
    row(&mut out, case, what, [expected, got, tolerance], verdict);
    for line in report
        .lines
        .iter()
        .filter(|line| line.verdict != Verdict::Skip)
    {
        compared(&mut out, line, words);
    }
    skips(&mut out, report, words);
    out.push_str(&counts(report));
    out.push('\n');
    out
}

fn counts(report: &Report) -> String {
    format!(
        "{} passed, {} failed, {} skipped",
        report.count(Verdict::Pass),
        report.count(Verdict::Fail),
        report.count(Verdict::Skip)
    )
}

fn compared(out: &mut String, line: &Line, words: &Words) {
    let got = line.got.as_ref().map_or_else(|| "-".to_owned(), figure);
    let tolerance = line
        .tolerance
        .map_or_else(|| "-".to_owned(), |tol| short(tol, 2));
    let verdict = if line.verdict == Verdict::Pass {
        words.pass
    } else {
        words.fail
    };
    let numbers = [figure(&line.expected), got, tolerance];
    let [expected, got, tolerance] = numbers.each_ref().map(String::as_str);
    row(
        out,
        &line.case,
        &line.what,
        [expected, got, tolerance],
        verdict,
    );
    if let Some(remark) = &line.remark {
        wrapped(out, remark, CASE + 1);
    }
}

/// Skipped numbers and their cases, gathered by reason in the order of their first case.
fn skips(out: &mut String, report: &Report, words: &Words) {
    let mut groups: Vec<(&str, usize, Vec<&str>)> = Vec::new();
    for line in report
        .lines
        .iter()
        .filter(|line| line.verdict == Verdict::Skip)
    {
        let reason = line.remark.as_deref().unwrap_or_default();
        let at = groups.iter().position(|(known, ..)| *known == reason);
        let at = at.unwrap_or_else(|| {
            groups.push((reason, 0, Vec::new()));
            groups.len() - 1
        });
        let (_, count, cases) = &mut groups[at];
        *count += 1;
        if cases.last() != Some(&line.case.as_str()) {
            cases.push(&line.case);
        }
    }
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}:", words.skipped);
    for (reason, count, cases) in groups {
        let cases = cases.join(", ");
        wrapped(
            out,
            &format!("{reason} ({} {count}): {cases}", words.numbers),
            2,
        );
    }
}

/// A row of the table. Long names take what room their neighbours leave; where that is not
/// enough they stand on a line of their own.
fn row(out: &mut String, case: &str, what: &str, numbers: [&str; 3], verdict: &str) {
    let [expected, got, tolerance] = numbers;
    let mut line = format!("{} {what}", padded(case, CASE));
    let end = CASE + 1 + WHAT + 1 + NUMBER;
    if width(&line) + 1 + width(expected) > end {
        out.push_str(&line);
        out.push('\n');
        line.clear();
    }
    for (text, end) in [
        (expected, end),
        (got, end + 1 + NUMBER),
        (tolerance, end + 1 + NUMBER + 1 + TOLERANCE),
    ] {
        let room = end.saturating_sub(width(&line) + width(text)).max(1);
        line.push_str(&" ".repeat(room));
        line.push_str(text);
    }
    let _ = writeln!(out, "{line} {verdict}");
}

fn padded(text: &str, places: usize) -> String {
    format!("{text}{}", " ".repeat(places.saturating_sub(width(text))))
}

/// Cells on a terminal: Chinese characters and their punctuation take two.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{2e80}'..='\u{ffef}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// Words in lines of at most [`WIDTH`] that begin at the indent.
fn wrapped(out: &mut String, text: &str, indent: usize) {
    let margin = " ".repeat(indent);
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + width(&line) + 1 + width(word) > WIDTH {
            let _ = writeln!(out, "{margin}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{margin}{line}");
}

/// An expected or found value as it is printed.
pub fn figure(figure: &Figure) -> String {
    match figure {
        Figure::Number(number) => short(*number, 10),
        Figure::Word(word) => word.clone(),
    }
}

/// A number of so many significant digits at most, in the shorter of its two spellings.
pub fn short(number: f64, digits: usize) -> String {
    if number == 0.0 || !number.is_finite() {
        return format!("{number}");
    }
    let scientific = format!("{number:.*e}", digits - 1);
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let mantissa = trimmed(mantissa);
    let scientific = format!("{mantissa}e{power}");
    if !(-4..10).contains(&power) {
        return scientific;
    }
    let last = i32::try_from(digits).unwrap_or(i32::MAX) - 1;
    let places = usize::try_from(last - power).unwrap_or(0);
    let plain = format!("{number:.places$}");
    let plain = trimmed(&plain).to_owned();
    if plain.len() <= scientific.len() || plain.len() <= NUMBER.min(digits + 4) {
        plain
    } else {
        scientific
    }
}

fn trimmed(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

/// The same for programs: every number with all its digits.
pub fn json(report: &Report) -> String {
    let document = json!({
        "format": 1,
        "program": concat!("heng ", env!("CARGO_PKG_VERSION")),
        "seed": SEED,
        "numbers": report.lines,
        "passed": report.count(Verdict::Pass),
        "failed": report.count(Verdict::Fail),
        "skipped": report.count(Verdict::Skip),
    });
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_in_few_places() {
        for (number, expected) in [
            (0.0, "0"),
            (50_000_838.0, "50000838"),
            (31.663879111, "31.66387911"),
            (-3.879406741347821, "-3.879406741"),
            (9.5e-6, "9.5e-6"),
            (0.019661, "0.019661"),
            (-1.234_567_891_2e-12, "-1.234567891e-12"),
            (f64::NAN, "NaN"),
        ] {
            let found = short(number, 10);
            assert_eq!(found, expected);
            assert!(found.len() <= NUMBER);
        }
        assert_eq!(short(5e-10, 2), "5e-10");
        assert_eq!(short(0.5, 2), "0.5");
    }

    #[test]
    fn rows_are_aligned_whatever_their_names() {
        let ends = |case: &str, what: &str| {
            let mut out = String::new();
            row(&mut out, case, what, ["1.5", "2", "0.1"], "pass");
            let last = out.lines().last().unwrap_or_default().to_owned();
            (out.lines().count(), width(&last))
        };
        let usual = ends("gum-h1", "l u");
        assert_eq!(usual.0, 1);
        assert_eq!(ends("a-case-of-thirty-characters-it", "l U99"), usual);
        assert_eq!(ends("deaver", "pfa (SL 2, TUR 2, guard 0.91)"), usual);
        assert_eq!(ends("案例", "期望值"), usual);
        assert_eq!(ends("gum-h1", &"x".repeat(60)), (2, usual.1));
    }

    #[test]
    fn words_are_wrapped_within_the_width() {
        let mut out = String::new();
        wrapped(&mut out, &"word ".repeat(60), 4);
        assert!(
            out.lines()
                .all(|line| line.len() <= WIDTH && line.starts_with("    w"))
        );
        assert_eq!(out.split_whitespace().count(), 60);
    }
}
