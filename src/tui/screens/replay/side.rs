//! Beside the list: everything in the entry, a way through the record, or a what-if.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::folded;
use crate::session::trace::{Place, Step};
use crate::session::whatif::{Changed, caution};
use crate::tui::format::{fitted, one_line, width};
use crate::tui::replay::{Pane, Question, Replay, Side, Way};
use crate::tui::screens::{lines, panel};
use crate::tui::style;
use crate::tui::text::Word;
use crate::tui::update::Ui;

pub fn draw(frame: &mut Frame<'_>, ui: Ui, replay: &Replay, area: Rect) {
    let focused = replay.pane == Pane::Side;
    let title = title(ui, replay);
    let cells = width(&title).min(usize::from(area.width).saturating_sub(4));
    let inside = panel(frame, area, &fitted(&title, cells), focused);
    let (rows, room) = (usize::from(inside.height), usize::from(inside.width));
    let text = match replay.side {
        _ if replay.waiting.is_some() => {
            let word = match replay.side {
                Side::WhatIf => Word::Computing,
                _ => Word::Looking,
            };
            folded(" ", ui.word(word), room, style::ACT)
        }
        Side::Entry => entry(ui, replay, (rows, room)),
        Side::Way => match (&replay.refused, replay.way()) {
            (Some(reason), _) => refused(reason, room),
            (None, Some(way)) => steps(ui, way, (rows, room)),
            (None, None) => Vec::new(),
        },
        Side::WhatIf => what_if(ui, replay, (rows, room)),
    };
    lines(frame, inside, text);
}

fn refused(reason: &str, room: usize) -> Vec<Line<'static>> {
    folded(" ! ", &one_line(reason), room, style::WARNING)
}

fn title(ui: Ui, replay: &Replay) -> String {
    let question = replay.waiting.as_ref();
    let question = question.or_else(|| replay.way().map(|way| &way.question));
    let lines = ui.word(Word::CertificateLines);
    match (replay.side, question) {
        (Side::WhatIf, _) => ui.word(Word::WhatIfTitle).to_owned(),
        (Side::Way, _) if replay.refused.is_some() => lines.to_owned(),
        (Side::Way, Some(Question::Lines)) => lines.to_owned(),
        (Side::Way, Some(Question::Down(line))) => {
            let (from, to) = (ui.word(Word::CertificateLine), ui.word(Word::BytesInHex));
            format!("{from} {line} → {to}")
        }
        (Side::Way, Some(Question::Up(entry))) => {
            format!("{} {entry} → {lines}", ui.word(Word::EntryTitle))
        }
        _ => {
            let number = replay.entry().map(|entry| entry.seq.to_string());
            let number = number.unwrap_or_default();
            format!("{} {number}", ui.word(Word::EntryTitle))
        }
    }
}

fn entry(ui: Ui, replay: &Replay, (rows, room): (usize, usize)) -> Vec<Line<'static>> {
    let Some(detail) = replay.detail() else {
        return Vec::new();
    };
    let lines = detail.lines().skip(replay.scroll).take(rows);
    let lines = lines.flat_map(|line| {
        // What a value holds stands under its name, also where it goes on.
        let depth = line.len() - line.trim_start_matches(' ').len();
        let indent = " ".repeat(depth.min(room / 2) + 1);
        folded(
            &indent,
            &ui.glyphs.spell(line.trim_start()),
            room,
            style::PLAIN,
        )
    });
    lines.take(rows).collect()
}

/// The steps around the selected one, which is there in full.
fn steps(ui: Ui, way: &Way, (rows, room): (usize, usize)) -> Vec<Line<'static>> {
    let first = way.selected.saturating_sub(rows / 3);
    let around = way.steps.iter().enumerate().skip(first).take(rows);
    let text = around.flat_map(|(at, step)| step_lines(ui, step, at == way.selected, room));
    text.take(rows).collect()
}

fn step_lines(ui: Ui, step: &Step, selected: bool, room: usize) -> Vec<Line<'static>> {
    let mark = if selected { "▸" } else { " " };
    let head = format!("{mark}{}#{} ", " ".repeat(step.depth.min(8)), step.entry);
    let step_style = match step.place {
        Place::Line | Place::Result => style::TITLE,
        Place::Exchange => style::REFERENCE,
        Place::End => style::WARNING,
        _ => style::PLAIN,
    };
    let text = one_line(&ui.text(&step.text));
    if !selected {
        let text = fitted(&text, room.saturating_sub(width(&head)));
        return vec![Line::from(vec![
            Span::styled(head, style::DIM),
            Span::styled(text, step_style),
        ])];
    }
    let mut lines = folded(&head, &text, room, style::SELECTED);
    let indent = " ".repeat(width(&head).min(room / 2));
    for detail in &step.details {
        let detail = one_line(&ui.text(detail));
        lines.extend(folded(&indent, &detail, room, style::REFERENCE));
    }
    lines
}

/// Recorded results and those without the readings, marked as what they are not.
fn what_if(ui: Ui, replay: &Replay, (rows, room): (usize, usize)) -> Vec<Line<'static>> {
    let numbers: Vec<_> = replay.without.iter().map(|one| format!("#{one}")).collect();
    let left_out = format!("{}: {}", ui.word(Word::LeftOut), numbers.join(" "));
    let mut text = folded(" ", &caution(ui.language), room, style::ACT);
    text.extend(folded(" ", &left_out, room, style::PLAIN));
    if let Some(reason) = &replay.refused {
        text.extend(refused(reason, room));
    }
    let changed = replay.what_if.iter().skip(replay.scroll).take(rows);
    text.extend(changed.flat_map(|one| change(ui, one, room)));
    text
}

fn change(ui: Ui, one: &Changed, room: usize) -> Vec<Line<'static>> {
    let title = one_line(&ui.text(&one.title));
    let title = format!("{} {}, {title}", ui.word(Word::Point), one.point + 1);
    if one.what_if == one.recorded {
        let same = format!("{title}: {}", ui.word(Word::SameResult));
        return folded(" ", &same, room, style::DIM);
    }
    let unit = one.unit.difference();
    let row = |word: Word, said: String, style: Style| {
        let word = format!("   {} ", fitted(ui.word(word), 8));
        folded(&word, &ui.glyphs.spell(&said), room, style)
    };
    let mut lines = folded(" ", &title, room, style::TITLE);
    let (was, is) = (one.recorded.said(unit), one.what_if.said(unit));
    lines.extend(row(Word::RecordedResult, was, style::PLAIN));
    lines.extend(row(Word::OtherResult, is, style::ACT));
    lines
}
