//! From a message to the next state: no drawing, no terminal, no channel.

use std::time::Duration;

use heng_procedures::{Prompt, PromptChoice};
use heng_quantities::{Language, Text, Unit};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::glyphs::Glyphs;
use super::intents::{Intent, Scope, Screen, offered};
use super::replay::{Question, Recorded, Replay, Told};
use super::text::Word;
use super::view::View;
use super::{FromSession, Options, ToSession};

/// Longest reason or note that can be typed.
const TYPED: usize = 400;

/// Language and characters of the screens.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    pub language: Language,
    pub glyphs: Glyphs,
}

impl Ui {
    pub const fn word(self, word: Word) -> &'static str {
        word.get(self.language)
    }

    pub fn text(self, text: &Text) -> String {
        self.glyphs.spell(text.get(self.language))
    }

    pub fn unit(self, unit: Unit) -> String {
        self.glyphs.spell(unit.symbol())
    }
}

/// What lies over a screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Overlay {
    #[default]
    None,
    Help,
    Detail,
    Closing,
    Abort(String),
    Note(String),
    Asking(Asked, String),
}

/// What a replay asks its reader for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A text to filter by.
    Filter,
    /// The number of an entry to go to.
    Entry,
}

/// What was typed and can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    Filter(String),
    Entry(u64),
}

/// Everything that decides what is drawn.
pub struct State {
    pub ui: Ui,
    pub person: String,
    pub screen: Screen,
    pub view: View,
    /// The view at the moment of the freeze, while frozen.
    pub frozen: Option<Box<View>>,
    pub overlay: Overlay,
    pub ended: Option<Result<String, String>>,
    /// Which chart of the run, instrument, measurand and row of results is selected.
    pub chart: usize,
    pub instrument: usize,
    pub measurand: usize,
    pub row: usize,
    /// Choice of the prompt that Enter would give; none until one was selected.
    pub choice: Option<usize>,
    pub traffic: bool,
    pub zoomed: bool,
    /// The record that is read; none while a session runs.
    pub replay: Option<Box<Replay>>,
}

pub enum Message {
    Session(FromSession),
    Key(KeyEvent),
    /// So much time has passed.
    Tick(Duration),
    Told(Told),
}

/// What the world outside has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Send(ToSession),
    Ask(Question),
    Leave,
}

impl State {
    pub fn new(options: &Options) -> Self {
        Self {
            ui: Ui {
                language: options.language,
                glyphs: options.glyphs,
            },
            person: options.person.clone(),
            screen: Screen::Run,
            view: View::default(),
            frozen: None,
            overlay: Overlay::None,
            ended: None,
            chart: 0,
            instrument: 0,
            measurand: 0,
            row: 0,
            choice: None,
            traffic: false,
            zoomed: false,
            replay: None,
        }
    }

    /// A record to be read.
    pub fn replaying(options: &Options, recorded: Recorded) -> Self {
        let mut state = Self::new(options);
        state.screen = Screen::Replay;
        state.replay = Some(Box::new(Replay::new(recorded, options.language)));
        state
    }

    /// Whether something goes on without a message.
    pub fn is_busy(&self) -> bool {
        let folding = self.screen != Screen::Replay;
        let replay = self.replay.as_deref();
        replay.is_some_and(|replay| replay.is_busy(folding))
    }

    /// What was typed, where it can be taken.
    pub fn accepted(&self) -> Option<Accepted> {
        let Overlay::Asking(asked, text) = &self.overlay else {
            return None;
        };
        match asked {
            Asked::Filter => Some(Accepted::Filter(text.clone())),
            Asked::Entry => {
                let number = text.trim().parse().ok()?;
                let last = self.replay.as_deref()?.entries().last()?.seq;
                (number <= last).then_some(Accepted::Entry(number))
            }
        }
    }

    /// The view that is drawn.
    pub fn shown(&self) -> &View {
        self.frozen.as_deref().unwrap_or(&self.view)
    }

    pub const fn scope(&self) -> Scope {
        match &self.overlay {
            Overlay::None => self.below(),
            Overlay::Help => Scope::Help,
            Overlay::Detail => Scope::Detail,
            Overlay::Closing => Scope::Closing,
            Overlay::Abort(_) | Overlay::Note(_) => Scope::Typing,
            Overlay::Asking(..) => Scope::Asking,
        }
    }

    /// Scope of the screen, whatever lies over it.
    pub const fn below(&self) -> Scope {
        match self.screen {
            Screen::Bench => Scope::Bench,
            Screen::Run => Scope::Run,
            Screen::Results => Scope::Results,
            Screen::Replay => Scope::Replay,
        }
    }

    /// The question that waits, also while the picture is frozen.
    pub fn prompt(&self) -> Option<&Prompt> {
        if self.ended.is_some() {
            None
        } else {
            self.view.prompt.as_ref()
        }
    }

    /// The question that can be answered: that of a record was answered long ago.
    fn answerable(&self) -> Option<&Prompt> {
        self.prompt().filter(|_| self.replay.is_none())
    }

    pub fn choice_by_key(&self, key: char) -> Option<&PromptChoice> {
        let same = |choice: &&PromptChoice| choice.key.eq_ignore_ascii_case(&key);
        self.answerable()?.choices.iter().find(same)
    }

    /// The choice that Enter gives.
    pub fn chosen(&self) -> Option<&PromptChoice> {
        self.answerable()?.choices.get(self.choice?)
    }
}

/// Takes a message; the answer is what has to happen outside, in this order.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let effects = take(state, message);
    // The screens of the session show the moment that the reader has gone to.
    if state.screen != Screen::Replay
        && let Some(replay) = &mut state.replay
    {
        replay.fold(&mut state.view);
    }
    effects
}

fn take(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Session(FromSession::Entry(entry)) => {
            let asked = state.view.prompt.clone();
            state.view.apply(&entry);
            if state.view.prompt != asked {
                state.choice = None;
            }
            Vec::new()
        }
        Message::Session(FromSession::Ended(how)) => {
            state.ended = Some(how);
            state.overlay = Overlay::Closing;
            state.frozen = None;
            Vec::new()
        }
        Message::Tick(passed) => {
            if let Some(replay) = &mut state.replay {
                replay.tick(passed);
            }
            Vec::new()
        }
        Message::Told(told) => {
            if let Some(replay) = &mut state.replay {
                replay.told(told);
            }
            Vec::new()
        }
        Message::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
        Message::Key(key) => press(state, key),
    }
}

fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let row = offered(state).find(|row| row.is(key.code, key.modifiers));
    if let Some(intent) = row.map(|row| row.intent) {
        return act(state, intent);
    }
    let plain = !key
        .modifiers
        .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match &mut state.overlay {
        Overlay::Abort(text) | Overlay::Note(text) | Overlay::Asking(_, text) => {
            match key.code {
                KeyCode::Char(character) if plain && text.chars().count() < TYPED => {
                    text.push(character);
                }
                KeyCode::Backspace => {
                    text.pop();
                }
                _ => {}
            }
            Vec::new()
        }
        Overlay::None if state.screen == Screen::Run && plain => match key.code {
            KeyCode::Char(character) => {
                let choice = state
                    .choice_by_key(character)
                    .map(|choice| choice.id.clone());
                choice.map_or_else(Vec::new, |choice| answer(state, choice))
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Answers the question; it stays on the screen until the record holds the answer.
fn answer(state: &State, choice: String) -> Vec<Effect> {
    let Some(prompt) = state.prompt() else {
        return Vec::new();
    };
    let (prompt, note) = (prompt.id.clone(), String::new());
    vec![Effect::Send(ToSession::Answer {
        prompt,
        choice,
        note,
    })]
}

fn act(state: &mut State, intent: Intent) -> Vec<Effect> {
    let mut effects = Vec::new();
    match intent {
        Intent::Show(screen) => state.screen = screen,
        Intent::Next => turn(state, 1),
        Intent::Previous => turn(state, -1),
        Intent::Up => select(state, -1),
        Intent::Down => select(state, 1),
        Intent::Answer => {
            if let Some(choice) = state.chosen().map(|choice| choice.id.clone()) {
                effects = answer(state, choice);
            }
        }
        Intent::Detail => state.overlay = Overlay::Detail,
        Intent::Pause => effects.push(Effect::Send(ToSession::Pause)),
        Intent::Resume => effects.push(Effect::Send(ToSession::Resume)),
        Intent::Abort => state.overlay = Overlay::Abort(String::new()),
        Intent::Note => state.overlay = Overlay::Note(String::new()),
        Intent::Zoom => state.zoomed = !state.zoomed,
        Intent::Freeze => state.frozen = Some(Box::new(state.view.clone())),
        Intent::Unfreeze => state.frozen = None,
        Intent::Traffic => state.traffic = !state.traffic,
        Intent::Replay(command) => {
            let panes = state.screen == Screen::Replay;
            let replay = state.replay.as_deref_mut();
            let question = replay.and_then(|replay| replay.command(command, panes));
            effects.extend(question.map(Effect::Ask));
        }
        Intent::Ask(asked) => state.overlay = Overlay::Asking(asked, typed_before(state, asked)),
        Intent::Accept => accept(state),
        Intent::Help => state.overlay = Overlay::Help,
        Intent::Close => state.overlay = Overlay::None,
        Intent::Send => match std::mem::take(&mut state.overlay) {
            Overlay::Abort(reason) => {
                let reason = reason.trim().to_owned();
                effects.push(Effect::Send(ToSession::Abort { reason }));
            }
            Overlay::Note(text) => {
                effects.push(Effect::Send(ToSession::Note(text.trim().to_owned())));
            }
            other => state.overlay = other,
        },
        Intent::Quit => effects.push(Effect::Leave),
        // One slip of the hand must not end a run of hours: the first Ctrl-C only asks.
        Intent::Interrupt => match state.ended {
            Some(_) => effects.push(Effect::Leave),
            None => state.overlay = Overlay::Abort(String::new()),
        },
        Intent::InterruptAgain => {
            if state.ended.is_none() {
                let reason = state.ui.word(Word::Interrupted).to_owned();
                effects.push(Effect::Send(ToSession::Abort { reason }));
            }
            effects.push(Effect::Leave);
        }
    }
    effects
}

/// A filter is changed; the number of an entry is typed anew.
fn typed_before(state: &State, asked: Asked) -> String {
    let replay = state.replay.as_deref();
    let filter = replay.map(|replay| replay.filter.text().to_owned());
    filter
        .filter(|_| asked == Asked::Filter)
        .unwrap_or_default()
}

fn accept(state: &mut State) {
    let accepted = state.accepted();
    state.overlay = Overlay::None;
    let Some(replay) = &mut state.replay else {
        return;
    };
    match accepted {
        Some(Accepted::Filter(text)) => replay.set_filter(&text),
        Some(Accepted::Entry(number)) => replay.go(replay.place(number)),
        None => {}
    }
}

fn turn(state: &mut State, by: isize) {
    if state.screen == Screen::Run {
        state.chart = moved(state.chart, by, state.shown().captions.pairs().len());
    } else {
        state.measurand = moved(state.measurand, by, state.shown().results.len());
        let rows = state
            .shown()
            .results
            .get(state.measurand)
            .map_or(0, |one| one.rows.len());
        state.row = state.row.min(rows.saturating_sub(1));
    }
}

fn select(state: &mut State, by: isize) {
    match state.screen {
        Screen::Bench => {
            // One more than there are instruments: the last place shows all of them.
            let places = state.shown().instruments.len() + 1;
            state.instrument = moved(state.instrument, by, places);
        }
        Screen::Run => {
            let choices = state.prompt().map_or(0, |prompt| prompt.choices.len());
            state.choice = Some(match state.choice {
                None if by < 0 => choices.saturating_sub(1),
                None => 0,
                Some(at) => moved(at, by, choices),
            });
        }
        Screen::Results => {
            let rows = state
                .shown()
                .results
                .get(state.measurand)
                .map_or(0, |one| one.rows.len());
            state.row = moved(state.row, by, rows);
        }
        Screen::Replay => {
            if let Some(replay) = &mut state.replay {
                replay.step_by(by, true);
            }
        }
    }
}

/// The next place in a list that closes to a ring.
fn moved(at: usize, by: isize, length: usize) -> usize {
    if length == 0 {
        0
    } else {
        (at.min(length - 1) + length).saturating_add_signed(by) % length
    }
}
