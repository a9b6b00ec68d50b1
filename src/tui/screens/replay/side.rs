//! Beside the list: everything in the entry, a way through the record, or a what-if.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use crate::session::trace::{Place, Step};
use crate::session::whatif::{Changed, caution};
use crate::tui::format::{fitted, one_line, width};
use crate::tui::replay::{Pane, Question, Replay, Side, Way};
use crate::tui::screens::panel;
use crate::tui::style;
use crate::tui::text::Word;
use crate::tui::update::Ui;

pub fn draw(frame: &mut Frame<'_>, ui: Ui, replay: &Replay, area: Rect) {
    let focused = replay.pane == Pane::Side;
    let title = title(ui, replay);
    let title = fitted(
        &title,
        width(&title).min(usize::from(area.width).saturating_sub(4)),
    );
    let inside = panel(frame, area, &title, focused);
    let (rows, room) = (usize::from(inside.height), usize::from(inside.width));
    // Lines that go on stand under their beginning.
    let inset = Rect {
        x: inside.x + 1,
        width: inside.width.saturating_sub(2),
        ..inside
    };
    let (text, place) = match replay.side {
        _ if replay.waiting.is_some() => {
            let word = match replay.side {
                Side::WhatIf => Word::Computing,
                _ => Word::Looking,
            };
            (vec![Line::styled(ui.word(word), style::ACT)], inset)
        }
        Side::Entry => (entry(ui, replay, rows), inset),
        Side::Way => match (&replay.refused, replay.way()) {
            (Some(reason), _) => (vec![refused(reason)], inset),
            (None, Some(way)) => (steps(ui, way, rows, room), inside),
            (None, None) => (Vec::new(), inset),
        },
        Side::WhatIf => (what_if(ui, replay), inset),
    };
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), place);
}

fn refused(reason: &str) -> Line<'static> {
    Line::styled(format!("! {}", one_line(reason)), style::WARNING)
}

fn title(ui: Ui, replay: &Replay) -> String {
    let question = replay.waiting.as_ref();
    let question = question.or_else(|| replay.way().map(|way| &way.question));
    match (replay.side, question) {
        (Side::Way, _) if replay.refused.is_some() => ui.word(Word::CertificateLines).to_owned(),
        (Side::WhatIf, _) => ui.word(Word::WhatIfTitle).to_owned(),
        (Side::Way, Some(Question::Lines)) => ui.word(Word::CertificateLines).to_owned(),
        (Side::Way, Some(Question::Down(line))) => format!("{} {line}", ui.word(Word::WayDown)),
        (Side::Way, Some(Question::Up(entry))) => format!("{} {entry}", ui.word(Word::WayUp)),
        _ => {
            let number = replay.entry().map(|entry| entry.seq.to_string());
            let number = number.unwrap_or_default();
            format!("{} {number}", ui.word(Word::EntryTitle))
        }
    }
}

fn entry(ui: Ui, replay: &Replay, rows: usize) -> Vec<Line<'static>> {
    let Some(detail) = replay.detail() else {
        return Vec::new();
    };
    let lines = detail.lines().skip(replay.scroll).take(rows);
    lines
        .map(|line| Line::raw(ui.glyphs.spell(&line)))
        .collect()
}

/// The steps around the selected one, which shows its details.
fn steps(ui: Ui, way: &Way, rows: usize, room: usize) -> Vec<Line<'static>> {
    let first = way.selected.saturating_sub(rows / 3);
    let mut text = Vec::new();
    for (at, step) in way.steps.iter().enumerate().skip(first).take(rows) {
        let selected = at == way.selected;
        let line = step_line(ui, step, selected);
        if selected {
            text.push(line);
            let indent = " ".repeat(step.depth.min(8) + 3);
            text.extend(step.details.iter().map(|detail| {
                let detail = one_line(&ui.text(detail));
                Line::styled(format!("{indent}{detail}"), style::REFERENCE)
            }));
        } else {
            text.push(cut(line, room));
        }
    }
    text
}

fn step_line(ui: Ui, step: &Step, selected: bool) -> Line<'static> {
    let mark = if selected { "▸" } else { " " };
    let indent = " ".repeat(step.depth.min(8));
    let place_style = match step.place {
        Place::Line | Place::Result => style::TITLE,
        Place::Exchange => style::REFERENCE,
        Place::End => style::WARNING,
        _ => style::PLAIN,
    };
    let text = one_line(&ui.text(&step.text));
    let line = Line::from(vec![
        Span::styled(format!("{mark}{indent}#{} ", step.entry), style::DIM),
        Span::styled(text, place_style),
    ]);
    if selected {
        line.patch_style(style::SELECTED)
    } else {
        line
    }
}

/// A line of one row.
fn cut(line: Line<'static>, room: usize) -> Line<'static> {
    let mut left = room;
    let spans = line.spans.into_iter().map(|span| {
        let cells = span.width().min(left);
        left -= cells;
        let text = fitted(&span.content, cells);
        Span::styled(text, span.style)
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// Recorded results and those without the readings, marked as what they are not.
fn what_if(ui: Ui, replay: &Replay) -> Vec<Line<'static>> {
    let numbers: Vec<_> = replay.without.iter().map(|one| format!("#{one}")).collect();
    let left_out = format!("{}: {}", ui.word(Word::LeftOut), numbers.join(" "));
    let mut text = vec![
        Line::styled(caution(ui.language), style::ACT),
        Line::raw(left_out),
    ];
    if let Some(reason) = &replay.refused {
        text.push(refused(reason));
    }
    let changed = replay.what_if.iter().skip(replay.scroll);
    text.extend(changed.flat_map(|one| change(ui, one)));
    text
}

fn change(ui: Ui, one: &Changed) -> Vec<Line<'static>> {
    let title = one_line(&ui.text(&one.title));
    let title = format!("{} {}, {title}", ui.word(Word::Point), one.point + 1);
    if one.what_if == one.recorded {
        let same = format!("{title}: {}", ui.word(Word::SameResult));
        return vec![Line::styled(same, style::DIM)];
    }
    let unit = one.unit.difference();
    let row = |word: Word, said: String| {
        let word = fitted(ui.word(word), 9);
        format!("  {word} {}", ui.glyphs.spell(&said))
    };
    vec![
        Line::styled(title, style::TITLE),
        Line::raw(row(Word::RecordedResult, one.recorded.said(unit))),
        Line::styled(row(Word::OtherResult, one.what_if.said(unit)), style::ACT),
    ]
}
