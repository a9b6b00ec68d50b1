//! The terminal: screens over the record of a session.
//!
//! Keys become intents ([`intents`]), intents and entries change a state ([`update`]), a
//! state is drawn ([`screens`]). What is known of the session is a fold over its entries
//! ([`view`]), so a replayed record shows the same screens as the live run.

mod captions;
mod chart;
mod format;
mod glyphs;
mod intents;
#[cfg(test)]
pub mod rehearsal;
mod replay;
mod said;
mod screens;
mod style;
mod talk;
#[cfg(test)]
mod tests;
mod text;
mod update;
mod view;

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use heng_quantities::Language;
use heng_records::Entry;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

pub use format::{one_line, result_places, signed};
pub use glyphs::Glyphs;
pub use replay::{Answer, Question, Recorded, Told};
pub use said::Said;
pub use talk::{Direction, TalkScreen, Traffic, Typed};
pub use view::time_of_day;

use text::Word;
use update::{Effect, Message, State, update};

use crate::session::replay::Report;

/// What the session tells the terminal.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are entries")]
pub enum FromSession {
    Entry(Entry),
    /// Closing lines, or why the session could not go on.
    Ended(Result<String, String>),
}

/// What the operator tells the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToSession {
    Answer {
        prompt: String,
        choice: String,
        note: String,
    },
    Pause,
    Resume,
    Abort {
        reason: String,
    },
    Note(String),
}

#[derive(Debug, Clone)]
pub struct Options {
    pub language: Language,
    /// Who sits at the terminal.
    pub person: String,
    pub glyphs: Glyphs,
}

/// Time between two looks at the keyboard, and so between two frames at least.
const FRAME: Duration = Duration::from_millis(33);

/// Runs the terminal until the operator leaves: `q` after the end, or Ctrl-C twice, which
/// aborts the run first.
///
/// # Errors
/// What the terminal says. It is restored in any case, also where the program panics.
pub fn run(
    options: &Options,
    incoming: &Receiver<FromSession>,
    outgoing: impl Fn(ToSession),
) -> io::Result<()> {
    let mut state = State::new(options);
    let act = |effect| {
        if let Effect::Send(said) = effect {
            outgoing(said);
        }
    };
    on_screen(&mut state, |state| receive(state, incoming), act)
}

/// Shows a record until its reader leaves. Opens no port and writes nothing: what takes long is
/// asked of another thread, and what that tells is shown when it is there.
///
/// Gives the report of the recomputation, if it was told by then.
///
/// # Errors
/// What the terminal says. It is restored in any case, also where the program panics.
pub fn replay(
    options: &Options,
    recorded: Recorded,
    told: &Receiver<Told>,
    ask: impl Fn(Question),
) -> io::Result<Option<Report>> {
    let mut state = State::replaying(options, recorded);
    let mut before = Instant::now();
    let receive = |state: &mut State| {
        while let Ok(told) = told.try_recv() {
            update(state, Message::Told(told));
        }
        let now = Instant::now();
        update(state, Message::Tick(now.duration_since(before)));
        before = now;
    };
    let act = |effect| {
        if let Effect::Ask(question) = effect {
            ask(question);
        }
    };
    on_screen(&mut state, receive, act)?;
    Ok(state.replay.and_then(|replay| replay.report))
}

fn on_screen(
    state: &mut State,
    receive: impl FnMut(&mut State),
    act: impl Fn(Effect),
) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let left = serve(&mut terminal, state, receive, act);
    ratatui::try_restore()?;
    left
}

fn serve(
    terminal: &mut DefaultTerminal,
    state: &mut State,
    mut receive: impl FnMut(&mut State),
    act: impl Fn(Effect),
) -> io::Result<()> {
    loop {
        receive(state);
        terminal.draw(|frame| screens::draw(frame, state))?;
        let mut wait = if state.is_busy() {
            Duration::ZERO
        } else {
            FRAME
        };
        while event::poll(wait)? {
            wait = Duration::ZERO;
            let Event::Key(key) = event::read()? else {
                continue;
            };
            for effect in update(state, Message::Key(key)) {
                if effect == Effect::Leave {
                    return Ok(());
                }
                act(effect);
            }
        }
    }
}

/// Takes everything that the session has said so far.
fn receive(state: &mut State, incoming: &Receiver<FromSession>) {
    loop {
        let said = match incoming.try_recv() {
            Ok(said) => said,
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) if state.ended.is_some() => return,
            Err(TryRecvError::Disconnected) => {
                FromSession::Ended(Err(state.ui.word(Word::Lost).to_owned()))
            }
        };
        update(state, Message::Session(said));
    }
}
