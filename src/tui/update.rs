//! From a message to the next state: no drawing, no terminal, no channel.

use heng_procedures::{Prompt, PromptChoice};
use heng_quantities::{Language, Text, Unit};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::glyphs::Glyphs;
use super::intents::{Intent, Scope, Screen, offered};
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
}

#[expect(clippy::large_enum_variant, reason = "nearly all of them are entries")]
pub enum Message {
    Session(FromSession),
    Key(KeyEvent),
}

/// What the world outside has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Send(ToSession),
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
        }
    }

    /// Scope of the screen, whatever lies over it.
    pub const fn below(&self) -> Scope {
        match self.screen {
            Screen::Bench => Scope::Bench,
            Screen::Run => Scope::Run,
            Screen::Results => Scope::Results,
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

    pub fn choice_by_key(&self, key: char) -> Option<&PromptChoice> {
        let same = |choice: &&PromptChoice| choice.key.eq_ignore_ascii_case(&key);
        self.prompt()?.choices.iter().find(same)
    }

    /// The choice that Enter gives.
    pub fn chosen(&self) -> Option<&PromptChoice> {
        self.prompt()?.choices.get(self.choice?)
    }
}

/// Takes a message; the answer is what has to happen outside, in this order.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
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
        Overlay::Abort(text) | Overlay::Note(text) => {
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
