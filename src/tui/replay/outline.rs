//! What a record holds at a glance: kinds of entries, points, and what a reader should look at.

use heng_records::{Entry, Event, Operator};

use crate::tui::text::Word;

/// Kind of an entry, for the list and its filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Traffic,
    Reading,
    Step,
    Result,
    Person,
    Alarm,
    Text,
    File,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Traffic,
        Self::Reading,
        Self::Step,
        Self::Result,
        Self::Person,
        Self::Alarm,
        Self::Text,
        Self::File,
    ];

    pub fn of(event: &Event) -> Self {
        match event {
            Event::Exchange(_) | Event::Port(_) => Self::Traffic,
            Event::Opened(_) | Event::Text(_) => Self::Text,
            Event::Operator(_) => Self::Person,
            Event::Recovered(_) | Event::Clock(_) => Self::Alarm,
            Event::Artefact { .. } | Event::Sealed { .. } => Self::File,
            Event::Derived { body } => match body["what"].as_str() {
                Some("scan") => Self::Reading,
                Some("planned" | "step" | "steady" | "finished") => Self::Step,
                Some("prompt") => Self::Person,
                Some("alarm") => Self::Alarm,
                _ => Self::Result,
            },
        }
    }

    pub const fn word(self) -> Word {
        match self {
            Self::Traffic => Word::KindTraffic,
            Self::Reading => Word::Reading,
            Self::Step => Word::KindStep,
            Self::Result => Word::Result,
            Self::Person => Word::KindPerson,
            Self::Alarm => Word::KindAlarm,
            Self::Text => Word::TextUsed,
            Self::File => Word::Artefact,
        }
    }
}

/// Why a place of the time line is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Alarm,
    Note,
    /// The session was taken up again.
    Restart,
    ClockJump,
}

impl Mark {
    pub const ALL: [Self; 4] = [Self::Alarm, Self::Note, Self::Restart, Self::ClockJump];

    fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Operator(Operator::Note { .. }) => Some(Self::Note),
            Event::Recovered(_) => Some(Self::Restart),
            Event::Clock(_) => Some(Self::ClockJump),
            Event::Derived { body } => {
                let warns = body["what"] == "alarm" && body["severity"] != "notice";
                warns.then_some(Self::Alarm)
            }
            _ => None,
        }
    }

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Alarm => "!",
            Self::Note => "n",
            Self::Restart => "r",
            Self::ClockJump => "c",
        }
    }

    pub const fn word(self) -> Word {
        match self {
            Self::Alarm => Word::AlarmMarks,
            Self::Note => Word::Notes,
            Self::Restart => Word::Restarts,
            Self::ClockJump => Word::ClockJumps,
        }
    }
}

/// A point of the plan that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Place of the entry in which its source was set.
    pub at: usize,
    /// Number of the point, from 0.
    pub point: usize,
}

/// Places of a record that can be jumped to, in their order.
#[derive(Debug, Default)]
pub struct Outline {
    pub points: Vec<Begun>,
    pub marks: Vec<(usize, Mark)>,
}

impl Outline {
    pub fn of(entries: &[Entry]) -> Self {
        let mut outline = Self::default();
        for (at, entry) in entries.iter().enumerate() {
            if let Some(mark) = Mark::of(&entry.event) {
                outline.marks.push((at, mark));
            }
            if let Event::Derived { body } = &entry.event
                && body["what"] == "step"
                && body["kind"] == "set"
                && let Some(point) = body["point"].as_u64()
            {
                let point = usize::try_from(point).unwrap_or(usize::MAX);
                outline.points.push(Begun { at, point });
            }
        }
        outline
    }

    /// Place of the last point that was begun in front of a place, or of the first behind it.
    pub fn point(&self, at: usize, forth: bool) -> Option<usize> {
        neighbour(&self.points, |begun| begun.at, at, forth)
    }

    /// As [`Outline::point`], of the marks.
    pub fn mark(&self, at: usize, forth: bool) -> Option<usize> {
        neighbour(&self.marks, |(place, _)| *place, at, forth)
    }

    pub fn count(&self, mark: Mark) -> usize {
        self.marks.iter().filter(|(_, one)| *one == mark).count()
    }
}

/// Of ordered places the next one that is not `at`.
fn neighbour<T>(all: &[T], place: impl Fn(&T) -> usize, at: usize, forth: bool) -> Option<usize> {
    let found = if forth {
        Some(all.partition_point(|one| place(one) <= at))
    } else {
        all.partition_point(|one| place(one) < at).checked_sub(1)
    };
    all.get(found?).map(place)
}
