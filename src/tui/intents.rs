//! The table of keys. Footer, help and the handling of keys all come from it.

use heng_quantities::Language;
use ratatui::crossterm::event::{KeyCode, KeyModifiers};

use super::update::{Overlay, State};

/// Where a key means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Bench,
    Run,
    Results,
    Help,
    Detail,
    Typing,
    Closing,
}

/// One of the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Screen {
    Bench,
    #[default]
    Run,
    Results,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    Show(Screen),
    Next,
    Previous,
    Up,
    Down,
    Answer,
    Detail,
    Pause,
    Resume,
    Abort,
    Note,
    Zoom,
    Freeze,
    Unfreeze,
    Traffic,
    Help,
    Close,
    Send,
    Quit,
    Interrupt,
    InterruptAgain,
}

/// One row: a key, what it does, what it is called, and where.
#[derive(Clone, Copy)]
pub struct Row {
    pub code: KeyCode,
    pub control: bool,
    pub key: &'static str,
    pub intent: Intent,
    pub en: &'static str,
    pub zh: &'static str,
    pub scopes: &'static [Scope],
    /// Shown in the footer; the others stand in the help only.
    pub footer: bool,
}

impl Row {
    pub const fn title(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }

    pub fn is(&self, code: KeyCode, modifiers: KeyModifiers) -> bool {
        self.code == code && self.control == modifiers.contains(KeyModifiers::CONTROL)
    }
}

const SCREENS: &[Scope] = &[Scope::Bench, Scope::Run, Scope::Results];
const RUN: &[Scope] = &[Scope::Run];
const RESULTS: &[Scope] = &[Scope::Results];
const LISTS: &[Scope] = &[Scope::Bench, Scope::Run, Scope::Results, Scope::Detail];
const LEAVABLE: &[Scope] = &[Scope::Bench, Scope::Run, Scope::Results, Scope::Closing];
const LEFT_RIGHT: &[Scope] = &[Scope::Run, Scope::Results, Scope::Detail];
const EVERYWHERE: &[Scope] = &[
    Scope::Bench,
    Scope::Run,
    Scope::Results,
    Scope::Help,
    Scope::Detail,
    Scope::Typing,
    Scope::Closing,
];
const OVERLAYS: &[Scope] = &[Scope::Help, Scope::Detail, Scope::Closing];

const fn row(
    (code, key): (KeyCode, &'static str),
    intent: Intent,
    (en, zh): (&'static str, &'static str),
    scopes: &'static [Scope],
) -> Row {
    Row {
        code,
        control: false,
        key,
        intent,
        en,
        zh,
        scopes,
        footer: true,
    }
}

const fn hidden(row: Row) -> Row {
    Row {
        footer: false,
        ..row
    }
}

const fn control(row: Row) -> Row {
    Row {
        control: true,
        footer: false,
        ..row
    }
}

const fn letter(character: char, key: &'static str) -> (KeyCode, &'static str) {
    (KeyCode::Char(character), key)
}

/// Every key, in the order of the footer.
pub static TABLE: &[Row] = &[
    row(
        (KeyCode::Enter, "Enter"),
        Intent::Answer,
        ("answer", "回答"),
        RUN,
    ),
    row(
        (KeyCode::Enter, "Enter"),
        Intent::Detail,
        ("budget", "不确定度预算"),
        RESULTS,
    ),
    row(
        (KeyCode::Enter, "Enter"),
        Intent::Send,
        ("record", "写入记录"),
        &[Scope::Typing],
    ),
    row(
        (KeyCode::Esc, "Esc"),
        Intent::Close,
        ("no", "取消"),
        &[Scope::Typing],
    ),
    row(
        (KeyCode::Esc, "Esc"),
        Intent::Close,
        ("close", "关闭"),
        OVERLAYS,
    ),
    hidden(row(
        (KeyCode::Enter, "Enter"),
        Intent::Close,
        ("close", "关闭"),
        OVERLAYS,
    )),
    row(letter('q', "q"), Intent::Quit, ("leave", "退出"), LEAVABLE),
    row(letter('p', "p"), Intent::Pause, ("pause", "暂停"), SCREENS),
    row(
        letter('p', "p"),
        Intent::Resume,
        ("resume", "恢复"),
        SCREENS,
    ),
    row(
        letter('x', "x"),
        Intent::Abort,
        ("abort...(reason)", "中止…（原因）"),
        SCREENS,
    ),
    row(letter('n', "n"), Intent::Note, ("note", "备注"), SCREENS),
    row(
        (KeyCode::Tab, "Tab"),
        Intent::Next,
        ("next chart", "下一图"),
        RUN,
    ),
    row(
        (KeyCode::Tab, "Tab"),
        Intent::Next,
        ("next measurand", "下一被测量"),
        RESULTS,
    ),
    row(letter('z', "z"), Intent::Zoom, ("zoom", "缩放"), RUN),
    row(letter('l', "l"), Intent::Traffic, ("traffic", "通信"), RUN),
    row(
        letter('F', "F"),
        Intent::Freeze,
        ("freeze", "冻结"),
        SCREENS,
    ),
    row(
        letter('F', "F"),
        Intent::Unfreeze,
        ("go on", "解冻"),
        SCREENS,
    ),
    row(
        (KeyCode::Down, "Up/Down"),
        Intent::Down,
        ("select", "选择"),
        LISTS,
    ),
    hidden(row(
        (KeyCode::Up, "Up"),
        Intent::Up,
        ("select upwards", "向上选择"),
        LISTS,
    )),
    hidden(row(
        (KeyCode::Right, "Right"),
        Intent::Next,
        ("next", "下一个"),
        LEFT_RIGHT,
    )),
    hidden(row(
        (KeyCode::Left, "Left"),
        Intent::Previous,
        ("previous", "上一个"),
        LEFT_RIGHT,
    )),
    hidden(row(
        letter('1', "1"),
        Intent::Show(Screen::Bench),
        ("bench", "台架"),
        SCREENS,
    )),
    hidden(row(
        letter('2', "2"),
        Intent::Show(Screen::Run),
        ("run", "运行"),
        SCREENS,
    )),
    hidden(row(
        letter('3', "3"),
        Intent::Show(Screen::Results),
        ("results", "结果"),
        SCREENS,
    )),
    row(letter('?', "?"), Intent::Help, ("help", "帮助"), SCREENS),
    hidden(row(
        letter('?', "?"),
        Intent::Close,
        ("close", "关闭"),
        &[Scope::Help],
    )),
    control(row(
        letter('c', "Ctrl-C"),
        Intent::Interrupt,
        ("abort; twice: leave", "中止，按两次并退出"),
        EVERYWHERE,
    )),
    control(row(
        letter('c', "Ctrl-C"),
        Intent::InterruptAgain,
        ("abort and leave", "中止并退出"),
        &[Scope::Typing],
    )),
];

/// The rows that can be used now.
pub fn offered(state: &State) -> impl Iterator<Item = &'static Row> {
    offered_in(state, state.scope())
}

/// The rows that can be used in a scope as things stand.
pub fn offered_in(state: &State, scope: Scope) -> impl Iterator<Item = &'static Row> {
    TABLE
        .iter()
        .filter(move |row| row.scopes.contains(&scope) && can(state, scope, row))
}

/// Whether the intent makes sense in this state; a choice of a prompt owns its key.
fn can(state: &State, scope: Scope, row: &Row) -> bool {
    let view = state.shown();
    let over = state.ended.is_some();
    let results = || {
        view.results
            .get(state.measurand)
            .is_some_and(|one| !one.rows.is_empty())
    };
    if scope == Scope::Run
        && let KeyCode::Char(key) = row.code
        && !row.control
        && state.choice_by_key(key).is_some()
    {
        return false;
    }
    match row.intent {
        Intent::Answer => state.chosen().is_some(),
        Intent::Detail => results(),
        Intent::Pause => !over && state.view.run == super::view::Run::Running,
        Intent::Resume => !over && state.view.run == super::view::Run::Paused,
        Intent::Abort => !over && !state.view.ended(),
        Intent::Note => !over,
        Intent::Quit => over,
        Intent::Freeze => state.frozen.is_none(),
        Intent::Unfreeze => state.frozen.is_some(),
        Intent::Show(screen) => screen != state.screen,
        Intent::Send => match &state.overlay {
            Overlay::Abort(text) | Overlay::Note(text) => !text.trim().is_empty(),
            _ => false,
        },
        Intent::Up | Intent::Down => match scope {
            Scope::Bench => !view.instruments.is_empty(),
            Scope::Run => state.prompt().is_some(),
            _ => results(),
        },
        Intent::Next | Intent::Previous => match scope {
            Scope::Run => view.captions.pairs().len() > 1,
            _ => view.results.len() > 1,
        },
        Intent::Zoom | Intent::Traffic | Intent::Help | Intent::Close => true,
        Intent::Interrupt => !matches!(state.overlay, Overlay::Abort(_)),
        Intent::InterruptAgain => matches!(state.overlay, Overlay::Abort(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_intent_has_a_key_and_both_languages() {
        for row in TABLE {
            assert!(
                !row.key.is_empty() && !row.scopes.is_empty(),
                "{:?}",
                row.intent
            );
            assert!(row.en.is_ascii() && !row.en.is_empty(), "{:?}", row.intent);
            assert!(!row.zh.is_ascii(), "{:?} has no Chinese title", row.intent);
        }
    }

    #[test]
    fn a_key_has_one_meaning_in_a_scope_unless_the_state_decides() {
        // Of each pair at most one is ever offered.
        let by_state = [
            Intent::Pause,
            Intent::Resume,
            Intent::Freeze,
            Intent::Unfreeze,
            Intent::Interrupt,
            Intent::InterruptAgain,
        ];
        for (at, row) in TABLE.iter().enumerate() {
            for other in &TABLE[at + 1..] {
                let same = row.code == other.code && row.control == other.control;
                let shared = row.scopes.iter().any(|scope| other.scopes.contains(scope));
                let exclusive = by_state.contains(&row.intent) && by_state.contains(&other.intent);
                assert!(
                    !(same && shared) || exclusive,
                    "{:?} and {:?}",
                    row.intent,
                    other.intent
                );
            }
        }
    }
}
