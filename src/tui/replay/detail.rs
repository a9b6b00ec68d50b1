//! Everything that an entry holds, as lines that do not depend on the width of the screen.

use std::borrow::Cow;
use std::fmt::Write as _;

use heng_drivers::unescape;
use heng_quantities::Language;
use heng_records::{Entry, Event, Exchange};
use serde_json::Value;

use super::outline::Kind;
use crate::tui::format::{fitted, one_line, short_hash};
use crate::tui::said::Said;
use crate::tui::text::Word;

/// Bytes in a line: as hexadecimal pairs and as text they fit half of 80 columns.
const BYTES: usize = 8;
/// Characters of a line that are shown.
const LINE: usize = 1000;

/// The lines of one entry.
pub struct Detail<'a> {
    head: Vec<String>,
    /// The text of a text, the value of a derived one.
    body: Cow<'a, str>,
}

impl<'a> Detail<'a> {
    pub fn of(entry: &'a Entry, said: &Said, language: Language) -> Self {
        let word = |word: Word| word.get(language);
        #[expect(clippy::cast_precision_loss, reason = "microseconds stay below 2^53")]
        let passed_s = entry.t_us as f64 * 1e-6;
        let kind = word(Kind::of(&entry.event).word());
        let (prev, this) = (short_hash(&entry.prev), short_hash(&entry.hash));
        let mut head = vec![
            format!("#{}  {kind}", entry.seq),
            one_line(&entry.utc),
            format!("{passed_s:.6} s {}", word(Word::SinceOpening)),
            format!("{} {prev} -> {this} ✓", word(Word::Chain)),
            String::new(),
            one_line(&said.say(&entry.event)),
        ];
        let body = match &entry.event {
            Event::Exchange(exchange) => {
                exchange_lines(exchange, language, &mut head);
                Cow::default()
            }
            Event::Text(text) => Cow::from(&text.text),
            Event::Derived { body } => {
                let mut lines = String::new();
                outline(body, 0, &mut lines);
                Cow::from(lines)
            }
            _ => Cow::default(),
        };
        if !body.is_empty() {
            head.push(String::new());
        }
        Self { head, body }
    }

    pub fn count(&self) -> usize {
        self.head.len() + self.body.lines().count()
    }

    pub fn lines(&self) -> impl Iterator<Item = String> {
        let head = self.head.iter().map(String::as_str);
        // Control characters of a text from outside would move the cursor of the terminal.
        let clean = |line: &str| {
            let characters = line.chars().take(LINE);
            characters
                .map(|one| if one.is_control() { ' ' } else { one })
                .collect()
        };
        head.chain(self.body.lines()).map(clean)
    }
}

fn exchange_lines(exchange: &Exchange, language: Language, lines: &mut Vec<String>) {
    let parts = [
        (Word::Sent, &exchange.tx),
        (Word::Received, &exchange.rx),
        (Word::NoReply, &exchange.unsolicited),
    ];
    for (word, escaped) in parts {
        if word == Word::NoReply && escaped.is_empty() {
            continue;
        }
        let word = word.get(language);
        let unit = Word::BytesInHex.get(language);
        lines.push(String::new());
        match unescape(escaped) {
            Err(error) => lines.push(format!("{word}: {error}: {}", one_line(escaped))),
            Ok(bytes) => {
                lines.push(format!("{word}: {} {unit}", bytes.len()));
                lines.extend(bytes.chunks(BYTES).map(|chunk| {
                    let hex: Vec<_> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
                    let text = chunk.iter().map(|&byte| match byte {
                        0x20..0x7F => char::from(byte),
                        _ => '·',
                    });
                    let text: String = text.collect();
                    format!(" {} {text}", fitted(&hex.join(" "), BYTES * 3))
                }));
            }
        }
    }
}

/// A derived value as lines: names by depth, lists of plain values in one line.
fn outline(value: &Value, depth: usize, out: &mut String) {
    let parts: Vec<(Cow<'_, str>, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (Cow::from(name), value))
            .collect(),
        Value::Array(values) => {
            let numbered = values.iter().enumerate();
            numbered
                .map(|(at, value)| (Cow::from((at + 1).to_string()), value))
                .collect()
        }
        plain => vec![(Cow::default(), plain)],
    };
    for (name, value) in parts {
        let indent = "  ".repeat(depth);
        if let Some(plain) = plain(value) {
            let _ = writeln!(out, "{indent}{name}: {plain}");
        } else {
            let _ = writeln!(out, "{indent}{name}:");
            outline(value, depth + 1, out);
        }
    }
}

/// What stands in one line: no value with parts, but a list of plain ones.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) if fields.is_empty() => Some("-".to_owned()),
        Value::Object(_) => None,
        Value::Array(values) => {
            let nested = |one: &Value| one.is_object() || one.is_array();
            let all = || values.iter().filter_map(plain).collect::<Vec<_>>();
            (!values.iter().any(nested)).then(|| all().join(", "))
        }
        Value::String(text) => Some(one_line(text)),
        other => Some(other.to_string()),
    }
}
