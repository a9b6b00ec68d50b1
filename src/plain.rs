//! One line per event: for pipes, screen readers and continuous integration.

use std::io::{self, Write};

use heng_quantities::Language;
use heng_records::Entry;

use crate::tui::{Said, one_line, time_of_day};

/// Writes a record as lines, in the order of its entries.
pub struct Plain<W> {
    said: Said,
    out: W,
}

impl<W: Write> Plain<W> {
    pub fn new(language: Language, out: W) -> Self {
        let said = Said::new(language);
        Self { said, out }
    }

    /// Writes the line of one entry: time, number of the entry, what happened.
    ///
    /// # Errors
    /// What the output says.
    pub fn line(&mut self, entry: &Entry) -> io::Result<()> {
        self.pass(entry);
        let said = one_line(&self.said.say(&entry.event));
        writeln!(
            self.out,
            "{} #{:<5} {said}",
            time_of_day(&entry.utc),
            entry.seq
        )?;
        self.out.flush()
    }

    /// Takes an entry without writing its line: later lines use its titles.
    pub fn pass(&mut self, entry: &Entry) {
        self.said.take(entry);
    }
}

#[cfg(test)]
mod tests {
    use heng_records::{Event, Operator};

    use super::*;
    use crate::tui::rehearsal::Rehearsal;

    fn lines(language: Language, run: &Rehearsal) -> Vec<String> {
        let mut out = Vec::new();
        let mut plain = Plain::new(language, &mut out);
        for entry in &run.entries {
            plain.line(entry).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_entry_is_one_line_with_its_number() {
        for language in [Language::En, Language::Zh] {
            for mut run in [Rehearsal::held(), Rehearsal::finished()] {
                run.push(Event::Operator(Operator::Note {
                    person: "Li Na".to_owned(),
                    text: "door\nopened\u{1b}[2J".to_owned(),
                }));
                let lines = lines(language, &run);
                assert_eq!(lines.len(), run.entries.len());
                for (line, entry) in lines.iter().zip(&run.entries) {
                    let number = format!(" #{:<5} ", entry.seq);
                    assert!(line.contains(&number), "{line}");
                    assert!(!line.chars().any(char::is_control), "{line}");
                }
            }
        }
    }

    #[test]
    fn a_line_says_what_happened() {
        let run = Rehearsal::finished();
        let all = lines(Language::En, &run).join("\n");
        for due in [
            "08:00:00 #11    Dew-point mirror: ID?\\r -> 473 S/N 22-0417\\r\\n (31 ms)",
            "question warm_up: Switched on for 30 min? 1) yes [yes] 2) no [no]",
            "answer warm_up = yes, Li Na",
            "settling: td 4.265 °C, t 20.012 °C, rh_uut 35.6 %RH, d_rh 2.012, rh_ref 33.549",
            "error -0.70 %RH, U 0.50 %RH (k = 2.00): ✓ PASS",
            "finished: all points are done",
        ] {
            assert!(all.contains(due), "{due} is missing");
        }
        let held = lines(Language::Zh, &Rehearsal::held());
        assert!(
            held.last()
                .unwrap()
                .contains("1) water [water] 2) ice [ice]")
        );
    }
}
