//! Numbers, times and verdicts as they are written on screens.

use heng_procedures::{PointResult, Severity};
use heng_quantities::Language;
use heng_uncertainty::Verdict;
use ratatui::text::Span;

use super::text::Word;

/// `2 h 50 to 3 h 40`: a range of times for people.
pub fn clock_range(language: Language, range_s: [u64; 2]) -> String {
    let [short, long] = range_s.map(|s| clock(language, s));
    if short == long {
        short
    } else {
        format!("{short} {} {long}", Word::To.get(language))
    }
}

fn clock(language: Language, s: u64) -> String {
    let minutes = s.div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} {}", Word::Minutes.get(language)),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

/// A number with its sign, also where it is positive.
pub fn signed(value: f64, places: usize) -> String {
    format!("{value:+.places$}")
}

/// Three significant digits, for standard uncertainties and slopes.
pub fn figures(value: f64) -> String {
    format!("{value:.*}", places_of(value, 3))
}

/// Decimal places that show `digits` significant digits of `value`.
pub fn places_of(value: f64, digits: i32) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    let scientific = format!("{value:e}");
    let exponent = scientific
        .rsplit('e')
        .next()
        .and_then(|power| power.parse::<i32>().ok());
    usize::try_from(digits - 1 - exponent.unwrap_or(0))
        .unwrap_or(0)
        .min(9)
}

/// `17 203`: an integer in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `9f3c..e1` of a hash.
pub fn short_hash(hash: &str) -> String {
    match (hash.get(..4), hash.get(hash.len().saturating_sub(2)..)) {
        (Some(head), Some(tail)) if hash.len() > 8 => format!("{head}..{tail}"),
        _ => hash.to_owned(),
    }
}

/// A text without line ends and control characters.
pub fn one_line(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cells that a text takes.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// A text cut to `cells` cells, with `..` where something is missing, and padded to them.
pub fn fitted(text: &str, cells: usize) -> String {
    let mut out = text.to_owned();
    if width(&out) > cells {
        let keep = cells.saturating_sub(2);
        while width(&out) > keep {
            out.pop();
        }
        out.push_str(&".."[..cells.min(2)]);
    }
    let fill = cells.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', fill));
    out
}

/// The same, filled on the left.
pub fn right(text: &str, cells: usize) -> String {
    let fill = cells.saturating_sub(width(text));
    if fill == 0 {
        fitted(text, cells)
    } else {
        format!("{}{text}", " ".repeat(fill))
    }
}

/// The text in pieces that fit, one at least; cut at a blank where there is one.
pub fn pieces(text: &str, cells: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        piece.push(character);
        if width(&piece) > cells {
            let blank = piece.rfind(' ').filter(|&at| at > 0);
            let at = blank.map_or(piece.len() - character.len_utf8(), |at| at + 1);
            let rest = piece.split_off(at);
            pieces.push(std::mem::replace(&mut piece, rest));
        }
    }
    pieces.push(piece);
    pieces
}

/// Symbol and word of a verdict.
pub fn verdict(language: Language, result: &PointResult) -> (String, Option<Verdict>) {
    let verdict = result.decision.as_ref().map(|decision| decision.verdict);
    let (symbol, word) = match verdict {
        Some(Verdict::Pass) => ("✓", Word::Pass),
        Some(Verdict::Fail) => ("✗", Word::Fail),
        Some(Verdict::ConditionalPass) => ("✓", Word::ConditionalPass),
        Some(Verdict::ConditionalFail) => ("✗", Word::ConditionalFail),
        None => ("?", Word::NotStated),
    };
    (format!("{symbol} {}", word.get(language)), verdict)
}

pub const fn severity(severity: Severity) -> Word {
    match severity {
        Severity::Notice => Word::Notice,
        Severity::Warning => Word::Warning,
        Severity::Alarm => Word::Alarm,
    }
}

/// Places to which reference, indication and error of a result are written.
pub fn result_places(result: &PointResult) -> usize {
    usize::from(result.rounded.value.exponent().min(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(
            clock_range(Language::En, [10_200, 13_200]),
            "2 h 50 to 3 h 40"
        );
        assert_eq!(clock_range(Language::En, [60, 60]), "1 min");
        assert_eq!(grouped(17_203), "17 203");
        assert_eq!(grouped(203), "203");
        assert_eq!(figures(0.041_53), "0.0415");
        assert_eq!(figures(0.0), "0");
        assert_eq!(signed(0.5, 2), "+0.50");
        assert_eq!(short_hash(&"ab".repeat(32)), "abab..ab");
        assert_eq!(one_line("a\r\n\tb\u{1b}[2J"), "a b [2J");
    }

    #[test]
    fn texts_are_fitted_by_cells_not_by_characters() {
        assert_eq!(fitted("湿度计", 8), "湿度计  ");
        assert_eq!(fitted("湿度计湿度计", 8), "湿度计..");
        assert_eq!(fitted("湿度计湿度计", 7), "湿度.. ");
        assert_eq!(fitted("abc", 1), ".");
        assert_eq!(right("12", 5), "   12");
    }
}
