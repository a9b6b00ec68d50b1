//! What is drawn: a first line with the screens, the screen, the keys and the state.

mod bench;
mod overlay;
mod replay;
mod results;
mod run;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::format::{clock_range, fitted, grouped, short_hash, width};
use super::intents::{Screen, offered};
use super::style;
use super::text::Word;
use super::update::{State, Ui};
use super::view::{AlarmLine, Run};

/// Smallest terminal on which the screens are drawn.
const LEAST: (u16, u16) = (60, 18);

/// Draws the state. Any size of terminal is allowed.
pub fn draw(frame: &mut Frame<'_>, state: &State) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(frame, state, area);
    } else {
        let [tabs, body, keys, line] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(0),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(area);
        draw_tabs(frame, state, tabs);
        match state.screen {
            Screen::Bench => bench::draw(frame, state, body),
            Screen::Run => run::draw(frame, state, body),
            Screen::Results => results::draw(frame, state, body),
            Screen::Replay => replay::draw(frame, state, body),
        }
        overlay::draw(frame, state, body);
        draw_keys(frame, state, keys);
        match state.replay.as_deref() {
            Some(replay) => replay::draw_state(frame, state, replay, line),
            None => draw_state(frame, state, line),
        }
    }
    state.ui.glyphs.restrict(frame.buffer_mut());
}

/// A pane with a title; the cursor marks the one that the arrow keys move in.
fn pane(title: &str, focused: bool) -> Block<'static> {
    let title = if focused {
        format!("▸{title} ")
    } else {
        format!(" {title} ")
    };
    Block::bordered()
        .border_style(style::DIM)
        .title(Span::styled(title, style::TITLE))
}

/// Draws a pane and gives the room inside.
fn panel(frame: &mut Frame<'_>, area: Rect, title: &str, focused: bool) -> Rect {
    let block = pane(title, focused);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}

fn lines(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>) {
    frame.render_widget(Paragraph::new(lines), area);
}

/// The cells of a table that are kept where there is no room for all of them.
fn kept<T, const N: usize>(cells: [T; N], keep: &[usize]) -> Vec<T> {
    let cells = cells.into_iter().enumerate();
    let cells = cells.filter(|(at, _)| keep.contains(at));
    cells.map(|(_, cell)| cell).collect()
}

fn too_small(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let ui = state.ui;
    let size = format!("{} x {}", area.width, area.height);
    let needed = format!("{} {} x {}", ui.word(Word::Needs), LEAST.0, LEAST.1);
    let mut text = vec![
        Line::styled(ui.word(Word::TooSmall), style::TITLE),
        Line::raw(format!("{size}, {needed}")),
        Line::styled(run_word(state), style::TITLE),
    ];
    text.extend(
        state
            .view
            .worst_alarms()
            .into_iter()
            .map(|alarm| alarm_line(ui, state, alarm)),
    );
    lines(frame, area, text);
}

fn draw_tabs(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let ui = state.ui;
    let mut spans = vec![Span::raw(" ")];
    let replay = state.replay.is_some();
    for (number, screen, word) in [
        (1, Screen::Bench, Word::Bench),
        (2, Screen::Run, Word::Run),
        (3, Screen::Results, Word::Results),
        (6, Screen::Replay, Word::Replay),
    ] {
        if screen == Screen::Replay && !replay {
            continue;
        }
        let word = ui.word(word);
        spans.push(if state.screen == screen {
            Span::styled(format!("[{number} {word}]"), style::TITLE)
        } else {
            Span::raw(format!(" {number} {word} "))
        });
        spans.push(Span::raw(" "));
    }
    let mut line = Line::from(spans);
    let person = if replay {
        format!("{} ", ui.word(Word::ReadOnlyShort))
    } else {
        format!("{} ", state.person)
    };
    if line.width() + width(&person) < usize::from(area.width) {
        let fill = usize::from(area.width) - line.width() - width(&person);
        line.push_span(Span::raw(" ".repeat(fill)));
        line.push_span(Span::styled(person, style::DIM));
    }
    lines(frame, area, vec![line]);
}

/// As many keys as there is room for; help is last and always there.
fn draw_keys(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let ui = state.ui;
    let room = usize::from(area.width);
    let item = |key: &str, title: &str| (key.to_owned(), ui.glyphs.spell(title));
    let mut items: Vec<_> = offered(state)
        .filter(|row| row.footer)
        .map(|row| item(row.key, row.title(ui.language)))
        .collect();
    let total = |items: &[(String, String)]| {
        items
            .iter()
            .map(|(k, t)| width(k) + width(t) + 3)
            .sum::<usize>()
    };
    while items.len() > 1 && total(&items) > room {
        items.remove(items.len() - 2);
    }
    let mut line = Line::default();
    for (key, title) in items {
        line.push_span(Span::styled(format!(" {key}"), style::KEY));
        line.push_span(Span::raw(format!(" {title} ")));
    }
    lines(frame, area, vec![line]);
}

fn run_word(state: &State) -> &'static str {
    let word = match (state.view.run, state.prompt()) {
        (Run::Ended { completed: true }, _) => Word::RunEnded,
        (Run::Ended { completed: false }, _) => Word::RunAborted,
        _ if matches!(state.ended, Some(Err(_))) => Word::RunAborted,
        _ if state.ended.is_some() => Word::RunEnded,
        (Run::Paused, _) => Word::RunPaused,
        (_, Some(_)) => Word::RunHeld,
        (Run::Opening, _) => Word::RunOpening,
        (Run::Running, _) => Word::RunRunning,
    };
    state.ui.word(word)
}

fn draw_state(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, &state.view);
    let session = view
        .opened
        .as_ref()
        .map_or("", |opened| opened.session.as_str());
    let word = run_word(state);
    let paused = view.run == Run::Paused || state.prompt().is_some();
    let run_style = if paused { style::ACT } else { style::TITLE };
    let mut line = Line::from(vec![Span::styled(format!(" {word} {session}"), run_style)]);
    if state.frozen.is_some() {
        line.push_span(Span::styled(
            format!("  {}", ui.word(Word::Frozen)),
            style::ACT,
        ));
    }
    if state.prompt().is_some() && state.screen != Screen::Run {
        line.push_span(Span::styled(
            format!("  {}", ui.word(Word::AnswerOnRun)),
            style::ACT,
        ));
    }
    let alarms = view.alarm_count();
    let alarm_style = if alarms > 0 { style::BAD } else { style::PLAIN };
    let mark = if alarms > 0 { "! " } else { "" };
    let mut items = vec![
        (
            format!("  {mark}{} {alarms}", ui.word(Word::Alarms)),
            alarm_style,
        ),
        (format!("  {}", view.time), style::PLAIN),
    ];
    if let Some(step) = view
        .step
        .as_ref()
        .filter(|_| !view.ended() && state.ended.is_none())
    {
        let left = clock_range(ui.language, step.left_s);
        items.insert(
            1,
            (format!("  {} {left}", ui.word(Word::Left)), style::PLAIN),
        );
    }
    let chain = short_hash(&view.head);
    items.insert(
        0,
        (format!("  {} {chain}", ui.word(Word::Chain)), style::DIM),
    );
    let entries = format!("  ● {} {}", grouped(view.entries), ui.word(Word::Entries));
    items.insert(0, (entries, style::PLAIN));
    // Where the line is too short the chain goes first, then the number of entries.
    while items.len() > 2 && line.width() + cells(&items) > usize::from(area.width) {
        let at = usize::from(items.len() > 4);
        items.remove(at);
    }
    line.extend(
        items
            .into_iter()
            .map(|(text, style)| Span::styled(text, style)),
    );
    lines(frame, area, vec![line]);
}

fn cells(items: &[(String, Style)]) -> usize {
    items.iter().map(|(text, _)| width(text)).sum()
}

/// `! 12:04:17 role: text`.
fn alarm_line(ui: Ui, state: &State, line: &AlarmLine) -> Line<'static> {
    let alarm = &line.alarm;
    let style = style::of_severity(alarm.severity);
    let mark = if alarm.severity == heng_procedures::Severity::Notice {
        " "
    } else {
        "!"
    };
    let view = state.shown();
    let place = if alarm.place.is_empty() {
        String::new()
    } else {
        format!("{}: ", ui.text(&view.captions.role(&alarm.place)))
    };
    let text = super::format::one_line(&ui.text(&alarm.text));
    Line::from(vec![
        Span::styled(format!(" {mark} {} ", line.time), style),
        Span::styled(format!("{place}{text}"), style),
    ])
}

/// `name  value` with the name in a column of its own.
fn labelled(name: &str, cells: usize, value: impl Into<String>) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!(" {} ", fitted(name, cells)), style::DIM),
        Span::raw(value.into()),
    ])
}
