//! The table of keys. Footer, help and the handling of keys all come from it.

use heng_quantities::Language;
use ratatui::crossterm::event::{KeyCode, KeyModifiers};

use super::replay::Command;
use super::update::{Asked, Overlay, State};

/// Where a key means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Bench,
    Run,
    Results,
    Replay,
    Help,
    Detail,
    Typing,
    /// What to filter by, or where to go.
    Asking,
    Closing,
}

/// One of the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Screen {
    Bench,
    #[default]
    Run,
    Results,
    /// Of a record that is read; the others then show its moment under the cursor.
    Replay,
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
    Replay(Command),
    Ask(Asked),
    Help,
    Close,
    Send,
    Accept,
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
const REPLAY: &[Scope] = &[Scope::Replay];
const ALL_SCREENS: &[Scope] = &[Scope::Bench, Scope::Run, Scope::Results, Scope::Replay];
const LISTS: &[Scope] = &[
    Scope::Bench,
    Scope::Run,
    Scope::Results,
    Scope::Detail,
    Scope::Replay,
];
const LEAVABLE: &[Scope] = &[
    Scope::Bench,
    Scope::Run,
    Scope::Results,
    Scope::Replay,
    Scope::Closing,
];
const LEFT_RIGHT: &[Scope] = &[Scope::Run, Scope::Results, Scope::Detail];
const EVERYWHERE: &[Scope] = &[
    Scope::Bench,
    Scope::Run,
    Scope::Results,
    Scope::Replay,
    Scope::Help,
    Scope::Detail,
    Scope::Typing,
    Scope::Asking,
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
        &[Scope::Typing, Scope::Asking],
    ),
    row(
        (KeyCode::Enter, "Enter"),
        Intent::Accept,
        ("go on", "确定"),
        &[Scope::Asking],
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
    row(
        (KeyCode::Char(' '), "Space"),
        Intent::Replay(Command::Play),
        ("play", "播放"),
        ALL_SCREENS,
    ),
    row(
        (KeyCode::Enter, "Enter"),
        Intent::Replay(Command::Open),
        ("way", "追溯"),
        REPLAY,
    ),
    row(
        letter('b', "b"),
        Intent::Replay(Command::Return),
        ("back", "返回"),
        REPLAY,
    ),
    row(
        (KeyCode::Tab, "Tab"),
        Intent::Replay(Command::Pane),
        ("pane", "窗格"),
        REPLAY,
    ),
    row(
        letter('l', "l"),
        Intent::Replay(Command::Lines),
        ("certificate", "证书"),
        REPLAY,
    ),
    row(
        letter('/', "/"),
        Intent::Ask(Asked::Filter),
        ("filter", "筛选"),
        REPLAY,
    ),
    row(letter('q', "q"), Intent::Quit, ("leave", "退出"), LEAVABLE),
    row(
        letter('k', "k"),
        Intent::Replay(Command::Kind),
        ("kind", "类型"),
        REPLAY,
    ),
    row(
        letter('w', "w"),
        Intent::Replay(Command::Without),
        ("what-if", "假设"),
        REPLAY,
    ),
    row(
        letter('g', "g"),
        Intent::Ask(Asked::Entry),
        ("go to", "转到"),
        ALL_SCREENS,
    ),
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
        ALL_SCREENS,
    )),
    hidden(row(
        letter('2', "2"),
        Intent::Show(Screen::Run),
        ("run", "运行"),
        ALL_SCREENS,
    )),
    hidden(row(
        letter('3', "3"),
        Intent::Show(Screen::Results),
        ("results", "结果"),
        ALL_SCREENS,
    )),
    hidden(row(
        letter('6', "6"),
        Intent::Show(Screen::Replay),
        ("replay", "回放"),
        ALL_SCREENS,
    )),
    hidden(row(
        (KeyCode::Right, "Right"),
        Intent::Replay(Command::Forth),
        ("next entry", "下一条"),
        REPLAY,
    )),
    hidden(row(
        (KeyCode::Left, "Left"),
        Intent::Replay(Command::Back),
        ("entry before", "上一条"),
        REPLAY,
    )),
    hidden(row(
        letter('.', "."),
        Intent::Replay(Command::Forth),
        ("next entry", "下一条"),
        SCREENS,
    )),
    hidden(row(
        letter(',', ","),
        Intent::Replay(Command::Back),
        ("entry before", "上一条"),
        SCREENS,
    )),
    hidden(row(
        (KeyCode::PageDown, "PgDn"),
        Intent::Replay(Command::PageForth),
        ("page on", "下翻页"),
        ALL_SCREENS,
    )),
    hidden(row(
        (KeyCode::PageUp, "PgUp"),
        Intent::Replay(Command::PageBack),
        ("page back", "上翻页"),
        ALL_SCREENS,
    )),
    hidden(row(
        (KeyCode::Home, "Home"),
        Intent::Replay(Command::First),
        ("first", "首条"),
        ALL_SCREENS,
    )),
    hidden(row(
        (KeyCode::End, "End"),
        Intent::Replay(Command::Last),
        ("last", "末条"),
        ALL_SCREENS,
    )),
    hidden(row(
        letter(']', "]"),
        Intent::Replay(Command::PointForth),
        ("next point", "下一校准点"),
        ALL_SCREENS,
    )),
    hidden(row(
        letter('[', "["),
        Intent::Replay(Command::PointBack),
        ("point before", "上一校准点"),
        ALL_SCREENS,
    )),
    hidden(row(
        letter('}', "}"),
        Intent::Replay(Command::MarkForth),
        ("next alarm or note", "下一报警或备注"),
        ALL_SCREENS,
    )),
    hidden(row(
        letter('{', "{"),
        Intent::Replay(Command::MarkBack),
        ("alarm or note before", "上一报警或备注"),
        ALL_SCREENS,
    )),
    hidden(row(
        letter('n', "n"),
        Intent::Replay(Command::MatchForth),
        ("next that fits", "下一符合项"),
        REPLAY,
    )),
    hidden(row(
        letter('N', "N"),
        Intent::Replay(Command::MatchBack),
        ("one before that fits", "上一符合项"),
        REPLAY,
    )),
    hidden(row(
        letter('+', "+"),
        Intent::Replay(Command::Faster),
        ("faster", "加快"),
        ALL_SCREENS,
    )),
    hidden(row(
        letter('-', "-"),
        Intent::Replay(Command::Slower),
        ("slower", "减慢"),
        ALL_SCREENS,
    )),
    row(
        letter('?', "?"),
        Intent::Help,
        ("help", "帮助"),
        ALL_SCREENS,
    ),
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
        Intent::Quit,
        ("leave", "退出"),
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

/// Whether a row is of the live session or of a replay, and so of what is on the screen: a
/// record that is read takes no answer, pause, abort or note.
pub fn belongs(state: &State, row: &Row) -> bool {
    let replay = state.replay.is_some();
    match row.intent {
        Intent::Answer
        | Intent::Pause
        | Intent::Resume
        | Intent::Abort
        | Intent::Note
        | Intent::Send
        | Intent::Freeze
        | Intent::Unfreeze
        | Intent::Interrupt
        | Intent::InterruptAgain => !replay,
        Intent::Replay(_) | Intent::Ask(_) | Intent::Accept => replay,
        Intent::Show(Screen::Replay) => replay && state.screen != Screen::Replay,
        // Ctrl-C leaves a replay at once: nothing is lost.
        Intent::Quit if row.control => replay,
        _ => true,
    }
}

/// Whether the intent makes sense in this state; a choice of a prompt owns its key.
fn can(state: &State, scope: Scope, row: &Row) -> bool {
    if !belongs(state, row) {
        return false;
    }
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
        Intent::Quit => over || state.replay.is_some(),
        Intent::Freeze => state.frozen.is_none(),
        Intent::Unfreeze => state.frozen.is_some(),
        Intent::Show(screen) => screen != state.screen,
        Intent::Send => match &state.overlay {
            Overlay::Abort(text) | Overlay::Note(text) => !text.trim().is_empty(),
            _ => false,
        },
        Intent::Replay(command) => {
            let panes = scope == Scope::Replay;
            let replay = state.replay.as_deref();
            replay.is_some_and(|replay| replay.can(command, panes))
        }
        Intent::Ask(_) => {
            let replay = state.replay.as_deref();
            replay.is_some_and(|replay| replay.entry().is_some())
        }
        Intent::Accept => state.accepted().is_some(),
        Intent::Up | Intent::Down => match scope {
            Scope::Replay => {
                let by = if row.intent == Intent::Up { -1 } else { 1 };
                let replay = state.replay.as_deref();
                replay.is_some_and(|replay| replay.can_move(by, true))
            }
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
            Intent::Quit,
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
