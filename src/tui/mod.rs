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
use std::time::Duration;

use heng_quantities::Language;
use heng_records::Entry;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

pub use captions::Captions;
pub use format::{clock_range, one_line, result_places, severity, signed, verdict};
pub use glyphs::Glyphs;
pub use talk::{Direction, TalkScreen, Traffic, Typed};
pub use text::Word;
pub use view::time_of_day;

use update::{Effect, Message, State, update};

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
    let mut terminal = ratatui::try_init()?;
    let left = serve(&mut terminal, &mut state, incoming, &outgoing);
    ratatui::try_restore()?;
    left
}

fn serve(
    terminal: &mut DefaultTerminal,
    state: &mut State,
    incoming: &Receiver<FromSession>,
    outgoing: &impl Fn(ToSession),
) -> io::Result<()> {
    loop {
        receive(state, incoming);
        terminal.draw(|frame| screens::draw(frame, state))?;
        let mut first = true;
        while event::poll(if first { FRAME } else { Duration::ZERO })? {
            first = false;
            let Event::Key(key) = event::read()? else {
                continue;
            };
            for effect in update(state, Message::Key(key)) {
                match effect {
                    Effect::Send(said) => outgoing(said),
                    Effect::Leave => return Ok(()),
                }
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
