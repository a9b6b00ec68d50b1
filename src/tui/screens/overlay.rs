//! What lies over a screen: help, a typed reason or note, the whole budget, the end.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Wrap};

use super::results::{budget_rows, point_name, selected, summary};
use super::{labelled, pane};
use crate::tui::format::{one_line, width};
use crate::tui::intents::{Intent, Row, TABLE, belongs, offered_in};
use crate::tui::style;
use crate::tui::text::Word;
use crate::tui::update::{Asked, Overlay, State};

pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let ui = state.ui;
    match &state.overlay {
        Overlay::None => {}
        Overlay::Help => {
            let text = help(state, usize::from(area.height.saturating_sub(2)));
            popup(frame, area, ui.word(Word::Help), text, style::PLAIN);
        }
        Overlay::Detail => detail(frame, state, area),
        Overlay::Closing => closing(frame, state, area),
        Overlay::Abort(text) => {
            let hint = Some(ui.word(Word::AbortHint));
            popup(
                frame,
                area,
                ui.word(Word::AbortTitle),
                typed(text, hint),
                style::BAD,
            );
        }
        Overlay::Note(text) => {
            popup(
                frame,
                area,
                ui.word(Word::NoteTitle),
                typed(text, None),
                style::ACT,
            );
        }
        Overlay::Asking(asked, text) => asking(frame, state, area, (*asked, text)),
    }
}

/// The text to filter by, or the number of an entry.
fn asking(frame: &mut Frame<'_>, state: &State, area: Rect, (asked, text): (Asked, &str)) {
    let ui = state.ui;
    let last = state
        .replay
        .as_deref()
        .and_then(|replay| replay.entries().last());
    let last = last.map_or(0, |entry| entry.seq);
    let (title, hint) = match asked {
        Asked::Filter => (Word::FilterTitle, ui.word(Word::FilterHint).to_owned()),
        Asked::Entry => (
            Word::GoToTitle,
            format!("{} {last}", ui.word(Word::NumbersUpTo)),
        ),
    };
    popup(
        frame,
        area,
        ui.word(title),
        typed(text, Some(&hint)),
        style::ACT,
    );
}

/// A framed text in the middle, as large as it needs and never larger than the screen.
fn popup(frame: &mut Frame<'_>, area: Rect, title: &str, text: Vec<Line<'_>>, style: Style) {
    let widest = text
        .iter()
        .map(Line::width)
        .max()
        .unwrap_or(0)
        .max(width(title) + 2)
        .max(56);
    let cells = u16::try_from(widest + 4)
        .unwrap_or(u16::MAX)
        .min(area.width.saturating_sub(2));
    let inside = usize::from(cells.saturating_sub(2)).max(1);
    let rows: usize = text
        .iter()
        .map(|line| line.width().div_ceil(inside).max(1))
        .sum();
    let height = u16::try_from(rows + 2).unwrap_or(u16::MAX).min(area.height);
    let place = Rect {
        x: area.x + area.width.saturating_sub(cells) / 2,
        y: area.y + area.height.saturating_sub(height) / 2,
        width: cells,
        height,
    };
    frame.render_widget(Clear, place);
    let block = pane(title, true).border_style(style);
    let text = Paragraph::new(text).wrap(Wrap { trim: false }).block(block);
    frame.render_widget(text, place);
}

fn typed(text: &str, hint: Option<&str>) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(vec![
        Span::raw(format!(" {}", one_line_keeping_end(text))),
        Span::styled(" ", style::SELECTED),
    ])];
    lines.push(Line::default());
    lines.extend(hint.map(|hint| Line::styled(format!(" {hint}"), style::DIM)));
    lines
}

/// Typed text as it is: a space at the end must be seen.
fn one_line_keeping_end(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

/// All keys of the screen below, and those that cannot be used now, dimmed; in two columns
/// where one is too long.
fn help(state: &State, room: usize) -> Vec<Line<'static>> {
    let below = state.below();
    let of_screen = |row: &&Row| {
        // In a replay `q` says already what Ctrl-C does.
        let twice = row.control && row.intent == Intent::Quit;
        row.scopes.contains(&below) && belongs(state, row) && !twice
    };
    let usable: Vec<_> = offered_in(state, below).map(|row| row.intent).collect();
    let lines = TABLE.iter().filter(of_screen).map(|row| {
        let title = state.ui.glyphs.spell(row.title(state.ui.language));
        let line = labelled(row.key, 8, title);
        if usable.contains(&row.intent) {
            line
        } else {
            line.patch_style(style::DIM)
        }
    });
    let lines: Vec<_> = lines.collect();
    if lines.len() <= room {
        return lines;
    }
    let (left, right) = lines.split_at(lines.len().div_ceil(2));
    let widest = left.iter().map(Line::width).max().unwrap_or(0);
    let joined = left.iter().enumerate().map(|(at, line)| {
        let mut line = line.clone();
        if let Some(second) = right.get(at) {
            let fill = (widest + 1).saturating_sub(line.width());
            line.push_span(Span::raw(" ".repeat(fill)));
            let spans = second.spans.iter().cloned();
            line.extend(spans.map(|span| span.patch_style(second.style)));
        }
        line
    });
    joined.collect()
}

fn detail(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let Some(result) = selected(state) else {
        return;
    };
    let ui = state.ui;
    let title = format!(
        "{}: {}, {}",
        ui.word(Word::Budget),
        ui.text(&result.title),
        point_name(state, result.point)
    );
    let trials = &result.monte_carlo;
    let mut text = summary(state, result);
    text.push(Line::styled(
        format!(
            " {} {} {}, {} {}, {}",
            ui.word(Word::MonteCarlo),
            trials.trials,
            ui.word(Word::Trials),
            ui.word(Word::Seed),
            trials.seed,
            trials.sampler
        ),
        style::DIM,
    ));
    if let Some(hysteresis) = result.hysteresis {
        let places = crate::tui::format::result_places(result);
        let value = format!(
            "{hysteresis:.places$} {}",
            ui.unit(result.unit.difference())
        );
        text.push(labelled(ui.word(Word::Hysteresis), 12, value));
    }
    text.push(Line::default());
    text.extend(budget_rows(
        state,
        result,
        usize::from(area.width.saturating_sub(6)),
    ));
    for note in &result.notes {
        text.push(Line::styled(
            format!(" ! {}", one_line(&ui.text(note))),
            style::WARNING,
        ));
    }
    popup(frame, area, &title, text, style::PLAIN);
}

fn closing(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let ui = state.ui;
    let Some(ended) = &state.ended else { return };
    let (title, said, style) = match ended {
        Ok(said) => (Word::ClosingTitle, said, style::GOOD),
        Err(said) => (Word::ClosingBad, said, style::BAD),
    };
    let text: Vec<_> = said
        .lines()
        .map(|line| Line::raw(format!(" {}", ui.glyphs.spell(line))))
        .collect();
    popup(frame, area, ui.word(title), text, style);
}
