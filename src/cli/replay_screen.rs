//! The terminal screen of a replay.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use heng_records::{Ending, Reader};

use super::inspect::{Replay, first_entry, read, told};
use super::{Exit, Failure, print};
use crate::session::replay as replaying;
use crate::session::trace::{Step, Trail};
use crate::session::whatif::{Change, what_if};
use crate::tui::{self, Answer, Question, Recorded, Told};

pub fn screen(arguments: &Replay) -> Result<Exit, Failure> {
    if !io::stdout().is_terminal() {
        let message = "the screen of a replay needs a terminal: use --plain for one line an entry, or --verify for the verdict";
        return Err(Failure::new(Exit::Usage, &message));
    }
    let record = Arc::new(read(&arguments.record)?);
    let from = first_entry(&record, arguments.from)?;
    let options = tui::Options {
        language: arguments.show.lang.into(),
        person: String::new(),
        glyphs: tui::Glyphs::from_environment(),
    };
    let recorded = Recorded {
        reader: Arc::clone(&record),
        from,
        speed: arguments.speed,
    };
    let (tell, from_others) = mpsc::channel();
    let (ask, questions) = mpsc::channel();
    // Neither is waited for: who leaves, leaves at once.
    let (judged, teller) = (Arc::clone(&record), tell.clone());
    std::thread::spawn(move || {
        let _ = teller.send(Told::Verified(replaying::judge(&judged)));
    });
    let asked = Arc::clone(&record);
    std::thread::spawn(move || answer_all(&asked, &questions, &tell));
    let report = tui::replay(&options, recorded, &from_others, |question| {
        let _ = ask.send(question);
    });
    let report = report.map_err(|error| {
        let message = format!("terminal: {error}; --plain and --verify need none");
        Failure::new(Exit::Instrument, &message)
    })?;
    match report {
        Some(report) => told(&report),
        // Known without computing anything.
        None if matches!(record.ending, Ending::Broken(_)) => told(&replaying::judge(&record)),
        None => {
            print(
                "verdict  none: left before everything was computed again; --verify computes it\n",
            )?;
            Ok(Exit::Incomplete)
        }
    }
}

/// Answers until nobody asks; of several questions that wait, the last one.
fn answer_all(reader: &Reader, questions: &Receiver<Question>, tell: &Sender<Told>) {
    let mut trail = None;
    while let Ok(mut question) = questions.recv() {
        while let Ok(newer) = questions.try_recv() {
            question = newer;
        }
        let answer = match &question {
            Question::Without(entries) => without(reader, entries),
            way => {
                let trail = trail.get_or_insert_with(|| Trail::of(&reader.entries));
                answer_way(trail, way)
            }
        };
        if tell.send(Told::Answer(question, answer)).is_err() {
            return;
        }
    }
}

fn answer_way(trail: &Trail<'_>, question: &Question) -> Answer {
    let lines = trail.lines();
    let steps: Option<Vec<Step>> = match question {
        Question::Up(entry) => Some(trail.up(*entry)),
        Question::Down(number) => lines
            .iter()
            .find(|line| line.number == *number)
            .map(|line| trail.down(line)),
        _ => lines.first().map(|line| trail.up(line.entry)),
    };
    steps.map_or(Answer::NoLine, Answer::Way)
}

fn without(reader: &Reader, entries: &[u64]) -> Answer {
    let changes: Vec<_> = entries
        .iter()
        .map(|&entry| Change::Without { entry })
        .collect();
    match what_if(&reader.entries, &changes) {
        Ok(results) => Answer::WhatIf(results),
        Err(error) => Answer::Refused(error.to_string()),
    }
}
