//! The replay of a record: where its reader is, and what is told about that place.
//!
//! Reads entries only. What takes long, the recomputation, the ways and the what-if, is asked
//! of another thread ([`Question`]) and told when it is there ([`Told`]).

mod detail;
mod filter;
mod outline;
mod seek;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use heng_procedures::{Outcome, ScanPurpose};
use heng_quantities::Language;
use heng_records::{Entry, Event, Reader};
use serde::Deserialize as _;

use super::said::Said;
use super::text::Word;
use super::view::View;
use crate::session::replay::Report;
use crate::session::trace::Step;
use crate::session::whatif::Changed;

pub use detail::Detail;
pub use filter::Filter;
pub use outline::{Kind, Mark, Outline};
use seek::Seek;

/// Entries that are looked at or folded between two frames.
const SLICE: usize = 4096;
/// Entries, steps or lines of a page.
const PAGE: usize = 20;
/// Ways that can be gone back.
const WAYS: usize = 32;
/// Speeds that the keys reach.
const SPEEDS: [f64; 2] = [1.0 / 16.0, 65_536.0];

/// A record to be shown.
pub struct Recorded {
    pub reader: Arc<Reader>,
    /// Number of the entry to begin with.
    pub from: usize,
    /// How many times faster than the session it plays at once; it waits without one.
    pub speed: Option<f64>,
}

/// What is asked of the thread that computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The lines of the certificate.
    Lines,
    /// The way from a line of it, by its number, down to the bytes.
    Down(usize),
    /// The way from an entry up to the lines.
    Up(u64),
    /// The results without the readings whose scans are these entries.
    Without(Vec<u64>),
}

/// What the thread that computes has found.
#[derive(Debug)]
pub enum Told {
    Verified(Report),
    Answer(Question, Answer),
}

#[derive(Debug, Clone)]
pub enum Answer {
    Way(Vec<Step>),
    WhatIf(Vec<Changed>),
    /// The record has no certificate, so there is no such line.
    NoLine,
    /// Why there is no what-if.
    Refused(String),
}

/// What a key does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Play,
    Faster,
    Slower,
    Back,
    Forth,
    PageBack,
    PageForth,
    First,
    Last,
    PointBack,
    PointForth,
    MarkBack,
    MarkForth,
    MatchBack,
    MatchForth,
    Pane,
    Kind,
    Open,
    Lines,
    Return,
    Without,
}

/// The part of the screen that the arrow keys move in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    Entries,
    Side,
    Verdict,
}

/// What stands beside the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Entry,
    Way,
    WhatIf,
}

/// A way through the record, and the step that is looked at.
#[derive(Debug)]
pub struct Way {
    pub question: Question,
    pub steps: Vec<Step>,
    pub selected: usize,
}

pub struct Replay {
    reader: Arc<Reader>,
    language: Language,
    pub said: Said,
    pub outline: Outline,
    pub filter: Filter,
    /// The place of the first entry that fits is looked for from the cursor on.
    searching: bool,
    seek: Seek,
    /// Place of the entry under the cursor: all screens show this moment.
    pub at: usize,
    pub playing: bool,
    pub speed: f64,
    /// Moment of the session while it plays.
    clock_us: f64,
    pub pane: Pane,
    pub side: Side,
    /// First line of the side that is shown.
    pub scroll: usize,
    /// The last is the one that is looked at.
    ways: Vec<Way>,
    /// Readings that the what-if leaves out, by the entries of their scans.
    pub without: BTreeSet<u64>,
    pub what_if: Vec<Changed>,
    /// Why the last question has no answer.
    pub refused: Option<String>,
    pub waiting: Option<Question>,
    pub report: Option<Report>,
}

impl Replay {
    pub fn new(recorded: Recorded, language: Language) -> Self {
        let Recorded {
            reader,
            from,
            speed,
        } = recorded;
        let entries = &reader.entries;
        let mut said = Said::new(language);
        for entry in entries {
            said.take(entry);
        }
        let (outline, seek) = (Outline::of(entries), Seek::over(entries));
        let mut replay = Self {
            reader,
            language,
            said,
            outline,
            filter: Filter::default(),
            searching: false,
            seek,
            at: 0,
            playing: speed.is_some(),
            speed: speed.unwrap_or(1.0),
            clock_us: 0.0,
            pane: Pane::Entries,
            side: Side::Entry,
            scroll: 0,
            ways: Vec::new(),
            without: BTreeSet::new(),
            what_if: Vec::new(),
            refused: None,
            waiting: None,
            report: None,
        };
        replay.go(from);
        replay
    }

    pub fn entries(&self) -> &[Entry] {
        &self.reader.entries
    }

    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Name of the session, as its opening entry states it.
    pub fn session(&self) -> &str {
        match self.entries().first().map(|entry| &entry.event) {
            Some(Event::Opened(opened)) => &opened.session,
            _ => "",
        }
    }

    pub fn entry(&self) -> Option<&Entry> {
        self.entries().get(self.at)
    }

    pub fn way(&self) -> Option<&Way> {
        self.ways.last()
    }

    /// Whether something goes on without a key.
    pub fn is_busy(&self, folding: bool) -> bool {
        !self.filter.is_done(self.entries()) || (folding && !self.is_folded())
    }

    fn wanted(&self) -> usize {
        (self.at + 1).min(self.entries().len())
    }

    /// Whether the view is that of the entry under the cursor.
    pub fn is_folded(&self) -> bool {
        self.seek.taken() == self.wanted()
    }

    /// Share of the way that the view has come.
    pub fn folded(&self) -> f64 {
        self.seek.taken() as f64 / self.wanted().max(1) as f64
    }

    /// Brings the view nearer to the entry under the cursor.
    pub fn fold(&mut self, view: &mut View) {
        let wanted = self.wanted();
        self.seek.towards(view, &self.reader.entries, wanted, SLICE);
    }

    /// Time has passed: plays, and looks on for entries that fit.
    pub fn tick(&mut self, passed: Duration) {
        let (entries, said) = (&self.reader.entries, &self.said);
        self.filter.look(entries, said, SLICE);
        if self.searching {
            self.search();
        }
        if !self.playing {
            return;
        }
        self.clock_us += passed.as_secs_f64() * 1e6 * self.speed;
        let (entries, mut at) = (&self.reader.entries, self.at);
        let due = |entry: &Entry| entry.t_us as f64 <= self.clock_us;
        while entries.get(at + 1).is_some_and(due) {
            at += 1;
        }
        if at != self.at {
            self.at = at;
            self.scroll = 0;
        }
        self.playing = at + 1 < entries.len();
    }

    /// Moves to the first entry that fits, from the cursor on, or to the last one before it.
    fn search(&mut self) {
        let here = self.filter.found().binary_search(&self.at).ok();
        let next = here.map(|_| self.at).or_else(|| self.filter.after(self.at));
        let done = self.filter.is_done(self.entries());
        let next = next.or_else(|| self.filter.before(self.at).filter(|_| done));
        self.searching = next.is_none() && !done;
        if let Some(next) = next {
            self.go(next);
        }
    }

    pub fn told(&mut self, told: Told) {
        match told {
            Told::Verified(report) => self.report = Some(report),
            Told::Answer(question, answer) => {
                // Another question was asked since.
                if self.waiting.as_ref() != Some(&question) {
                    return;
                }
                self.waiting = None;
                self.scroll = 0;
                match answer {
                    Answer::Way(steps) => self.show_way(question, steps),
                    Answer::WhatIf(mut changed) => {
                        // What is otherwise comes first.
                        changed.sort_by_key(|one| one.what_if == one.recorded);
                        self.what_if = changed;
                    }
                    Answer::NoLine => {
                        let reason = Word::NoCertificate.get(self.language);
                        self.refused = Some(reason.to_owned());
                    }
                    Answer::Refused(reason) => self.refused = Some(reason),
                }
            }
        }
    }

    fn show_way(&mut self, question: Question, steps: Vec<Step>) {
        if self.ways.len() == WAYS {
            self.ways.remove(0);
        }
        self.ways.push(Way {
            question,
            steps,
            selected: 0,
        });
        self.side = Side::Way;
    }

    fn ask(&mut self, question: Question) -> Question {
        self.pane = Pane::Side;
        self.side = match question {
            Question::Without(_) => Side::WhatIf,
            _ => Side::Way,
        };
        self.scroll = 0;
        self.refused = None;
        self.waiting = Some(question.clone());
        question
    }

    /// The number of the reading under the cursor, if it is one that a what-if can leave out.
    fn reading(&self) -> Option<u64> {
        let entry = self.entry()?;
        let Event::Derived { body } = &entry.event else {
            return None;
        };
        match (body["what"] == "scan").then(|| Outcome::deserialize(body)) {
            Some(Ok(Outcome::Scan(scan))) if scan.purpose == ScanPurpose::Reading => {
                Some(entry.seq)
            }
            _ => None,
        }
    }

    /// Whether the command does anything here; the panes are on the screen of the replay only.
    pub fn can(&self, command: Command, panes: bool) -> bool {
        let last = self.entries().len().saturating_sub(1);
        match command {
            Command::Play => self.playing || self.at < last,
            Command::Faster => self.speed < SPEEDS[1],
            Command::Slower => self.speed > SPEEDS[0],
            Command::Back => self.at > 0,
            Command::Forth => self.at < last,
            Command::PageBack | Command::First => self.can_move(-1, panes),
            Command::PageForth | Command::Last => self.can_move(1, panes),
            Command::PointBack => self.outline.point(self.at, false).is_some(),
            Command::PointForth => self.outline.point(self.at, true).is_some(),
            Command::MarkBack => self.outline.mark(self.at, false).is_some(),
            Command::MarkForth => self.outline.mark(self.at, true).is_some(),
            Command::MatchBack => self.filter.is_active() && self.filter.before(self.at).is_some(),
            Command::MatchForth => self.filter.is_active() && self.filter.after(self.at).is_some(),
            Command::Pane | Command::Kind | Command::Lines => true,
            Command::Open => match (self.pane, self.side) {
                (Pane::Side, Side::Way) => self.step().is_some(),
                (Pane::Verdict, _) | (_, Side::WhatIf) => false,
                _ => self.entry().is_some(),
            },
            Command::Return => self.side != Side::Entry || !self.ways.is_empty(),
            Command::Without => self.reading().is_some(),
        }
    }

    /// The step of the way that is selected, where there is a way and no question waits.
    fn step(&self) -> Option<&Step> {
        let way = self.way().filter(|_| self.waiting.is_none())?;
        way.steps.get(way.selected)
    }

    pub fn command(&mut self, command: Command, panes: bool) -> Option<Question> {
        let place = match command {
            Command::Back => self.at.checked_sub(1),
            Command::Forth => Some(self.at + 1),
            Command::PointBack => self.outline.point(self.at, false),
            Command::PointForth => self.outline.point(self.at, true),
            Command::MarkBack => self.outline.mark(self.at, false),
            Command::MarkForth => self.outline.mark(self.at, true),
            Command::MatchBack => self.filter.before(self.at),
            Command::MatchForth => self.filter.after(self.at),
            _ => None,
        };
        if let Some(place) = place {
            self.go(place);
            return None;
        }
        match command {
            Command::Play => self.play(),
            Command::Faster => self.speed = (self.speed * 2.0).min(SPEEDS[1]),
            Command::Slower => self.speed = (self.speed / 2.0).max(SPEEDS[0]),
            Command::PageBack => self.step_by(-PAGE.cast_signed(), panes),
            Command::PageForth => self.step_by(PAGE.cast_signed(), panes),
            Command::First => self.step_by(isize::MIN, panes),
            Command::Last => self.step_by(isize::MAX, panes),
            Command::Pane => {
                self.pane = match self.pane {
                    Pane::Entries => Pane::Side,
                    Pane::Side => Pane::Verdict,
                    Pane::Verdict => Pane::Entries,
                }
            }
            Command::Kind => self.next_kind(),
            Command::Open => return self.open(),
            Command::Lines => return Some(self.ask(Question::Lines)),
            Command::Return => self.give_back(),
            Command::Without => return self.leave_out(),
            _ => {}
        }
        None
    }

    fn play(&mut self) {
        self.playing = !self.playing;
        self.go(self.at);
    }

    /// Moves the cursor; an entry behind the last one is the last one.
    pub fn go(&mut self, place: usize) {
        self.at = place.min(self.entries().len().saturating_sub(1));
        self.clock_us = self.entry().map_or(0.0, |entry| entry.t_us as f64);
        self.searching = false;
        if self.side == Side::Entry {
            self.scroll = 0;
        }
    }

    /// Moves in the list, in the way or in the text of a pane.
    pub fn step_by(&mut self, by: isize, panes: bool) {
        let pane = if panes { self.pane } else { Pane::Entries };
        match (pane, self.side) {
            (Pane::Entries, _) => self.step_in_list(by),
            (Pane::Side, Side::Way) => {
                if let Some(way) = self.ways.last_mut() {
                    way.selected = moved(way.selected, by, way.steps.len());
                }
            }
            (Pane::Side, _) => self.scroll = moved(self.scroll, by, self.side_lines()),
            (Pane::Verdict, _) => {}
        }
    }

    pub fn can_move(&self, by: isize, panes: bool) -> bool {
        let pane = if panes { self.pane } else { Pane::Entries };
        let (at, count) = match (pane, self.side) {
            (Pane::Entries, _) if self.filter.is_active() => {
                return match by {
                    ..0 => self.filter.before(self.at).is_some(),
                    _ => self.filter.after(self.at).is_some(),
                };
            }
            (Pane::Entries, _) => (self.at, self.entries().len()),
            (Pane::Side, Side::Way) => self
                .way()
                .map_or((0, 0), |way| (way.selected, way.steps.len())),
            (Pane::Side, _) => (self.scroll, self.side_lines()),
            (Pane::Verdict, _) => (0, 0),
        };
        moved(at, by, count) != at
    }

    /// Lines of the entry or of the what-if, whatever the width of the screen.
    fn side_lines(&self) -> usize {
        match self.side {
            Side::Entry => self.detail().map_or(0, |detail| detail.count()),
            Side::Way => 0,
            Side::WhatIf => self.what_if.len(),
        }
    }

    pub fn detail(&self) -> Option<Detail<'_>> {
        let entry = self.entry()?;
        Some(Detail::of(entry, &self.said, self.language))
    }

    fn step_in_list(&mut self, by: isize) {
        if !self.filter.is_active() {
            self.go(moved(self.at, by, self.entries().len()));
            return;
        }
        let found = self.filter.found();
        // Places in front of the cursor, and places up to it.
        let before = found.partition_point(|&place| place < self.at);
        let within = found.partition_point(|&place| place <= self.at);
        let next = match by {
            ..0 => before.checked_sub(1).map(|last| (last, by + 1)),
            _ => (within < found.len()).then_some((within, by.saturating_sub(1))),
        };
        if let Some((first, rest)) = next {
            self.go(found[moved(first, rest, found.len())]);
        }
    }

    fn next_kind(&mut self) {
        let kinds = Kind::ALL.iter();
        let kind = match self.filter.kind() {
            None => Some(Kind::ALL[0]),
            Some(kind) => kinds.skip_while(|one| **one != kind).nth(1).copied(),
        };
        self.filter.set_kind(kind);
        self.searching = true;
    }

    pub fn set_filter(&mut self, text: &str) {
        self.filter.set_text(text);
        self.searching = true;
    }

    /// From the list the way up; from a line of the certificate the way down; from any other
    /// step to its entry.
    fn open(&mut self) -> Option<Question> {
        if (self.pane, self.side) != (Pane::Side, Side::Way) {
            let number = self.entry()?.seq;
            return Some(self.ask(Question::Up(number)));
        }
        let step = self.step()?;
        let (entry, line) = (step.entry, step.line);
        let down = self.way().map(|way| &way.question);
        if let Some(line) = line
            && down != Some(&Question::Down(line))
        {
            return Some(self.ask(Question::Down(line)));
        }
        self.side = Side::Entry;
        self.go(self.place(entry));
        None
    }

    /// Place of the entry of that number.
    pub fn place(&self, number: u64) -> usize {
        self.entries().partition_point(|entry| entry.seq < number)
    }

    /// From an entry back to the way that led there, and from a way to the one before it.
    fn give_back(&mut self) {
        self.scroll = 0;
        let (waited, refused) = (self.waiting.take(), self.refused.take());
        if self.side == Side::Way && waited.is_none() && refused.is_none() {
            self.ways.pop();
        }
        self.side = match self.side {
            Side::WhatIf => Side::Entry,
            _ if self.ways.is_empty() => Side::Entry,
            _ => Side::Way,
        };
    }

    /// Leaves a reading out of the what-if, or takes it back in.
    fn leave_out(&mut self) -> Option<Question> {
        let number = self.reading()?;
        if !self.without.remove(&number) {
            self.without.insert(number);
        }
        self.what_if.clear();
        if self.without.is_empty() {
            self.side = Side::Entry;
            self.pane = Pane::Entries;
            self.waiting = None;
            return None;
        }
        let numbers = self.without.iter().copied().collect();
        let pane = self.pane;
        let question = self.ask(Question::Without(numbers));
        // More readings are chosen in the list.
        self.pane = pane;
        Some(question)
    }

    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.seek.kept()
    }
}

/// The next place in a list that ends at its ends.
fn moved(at: usize, by: isize, count: usize) -> usize {
    at.saturating_add_signed(by).min(count.saturating_sub(1))
}
