//! Screen 1: the instruments, what they say now, and what went over their wires.

use heng_quantities::Text;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Row, Table};

use super::{alarm_line, kept, labelled, lines, panel};
use crate::tui::format::{clock_range, fitted, one_line, right, width};
use crate::tui::style;
use crate::tui::text::Word;
use crate::tui::update::State;
use crate::tui::view::{Identity, Instrument, Link, TrafficLine, View};

/// ```text
/// instruments
/// live        | traffic
/// alarms
/// order
/// ```
pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let view = state.shown();
    let instruments = u16::try_from(view.instruments.len())
        .unwrap_or(u16::MAX)
        .clamp(1, 8)
        + 3;
    let order = if area.height >= 24 { 4 } else { 0 };
    let alarms = if area.height >= 20 { 5 } else { 3 };
    let [top, middle, warned, ordered] = Layout::vertical([
        Constraint::Length(instruments),
        Constraint::Min(4),
        Constraint::Length(alarms),
        Constraint::Length(order),
    ])
    .areas(area);
    draw_instruments(frame, state, top);
    let [live, traffic] =
        Layout::horizontal([Constraint::Percentage(46), Constraint::Percentage(54)]).areas(middle);
    draw_live(frame, state, live);
    let chosen = view
        .instruments
        .get(state.instrument)
        .map(|one| one.role.as_str());
    draw_traffic(frame, state, traffic, chosen);
    draw_alarms(frame, state, warned);
    if order > 0 {
        draw_order(frame, state, ordered);
    }
}

fn draw_instruments(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, state.shown());
    let inside = panel(frame, area, ui.word(Word::Instruments), true);
    // A narrow terminal keeps role, identity and state.
    let keep: &[usize] = if area.width < 80 {
        &[0, 1, 5, 7]
    } else {
        &[0, 1, 2, 3, 4, 5, 6, 7]
    };
    let header = [
        Word::RoleColumn,
        Word::Model,
        Word::Serial,
        Word::Port,
        Word::Line,
        Word::Identity,
        Word::CalDue,
        Word::State,
    ];
    let header = header.map(|word| ui.word(word).to_owned());
    let mut widest = header.each_ref().map(|word| width(word));
    let rows = view.instruments.iter().enumerate().map(|(at, one)| {
        let selected = at == state.instrument;
        let mark = if selected { "▸" } else { " " };
        let (identity, identity_style) = identity(state, one);
        let (link, link_style) = link(state, one.link);
        let due = one
            .certificate
            .as_ref()
            .and_then(|number| view.captions.standards.get(number));
        let title = ui.text(&view.captions.role(&one.role));
        let cells = [
            Span::raw(format!("{mark}{title}")),
            Span::raw(one.model.clone()),
            Span::raw(one.serial.clone()),
            Span::raw(
                one.port
                    .strip_prefix("/dev/")
                    .unwrap_or(&one.port)
                    .to_owned(),
            ),
            Span::raw(one.line.clone()),
            Span::styled(identity, identity_style),
            Span::raw(due.map_or_else(|| "-".to_owned(), |due| due.valid_until.to_string())),
            Span::styled(link, link_style),
        ];
        for (widest, cell) in widest.iter_mut().zip(&cells) {
            *widest = cell.width().max(*widest);
        }
        Row::new(kept(cells, keep)).style(if selected { style::TITLE } else { style::PLAIN })
    });
    let rows: Vec<_> = rows.collect();
    // The title of the role takes what the columns of data leave.
    let mut widths =
        widest.map(|cells| Constraint::Max(u16::try_from(cells).unwrap_or(20).min(20)));
    widths[0] = Constraint::Fill(1);
    let header = Row::new(kept(header, keep)).style(style::DIM);
    let table = Table::new(rows, kept(widths, keep)).header(header);
    frame.render_widget(table, inside);
}

fn identity(state: &State, instrument: &Instrument) -> (String, Style) {
    let (mark, word, style) = match instrument.identity {
        Identity::NotAsked => ("", Word::NotAsked, style::DIM),
        Identity::Matches => ("✓ ", Word::Matches, style::GOOD),
        Identity::LabelOnly => ("", Word::LabelOnly, style::PLAIN),
        Identity::Doubtful => ("! ", Word::Differs, style::BAD),
    };
    (format!("{mark}{}", state.ui.word(word)), style)
}

fn link(state: &State, link: Link) -> (String, Style) {
    let (word, style) = match link {
        Link::NotOpen => (Word::NotOpen, style::DIM),
        Link::Open => (Word::Opened, style::PLAIN),
        Link::Answers => (Word::Answers, style::GOOD),
        Link::Silent => (Word::Silent, style::WARNING),
        Link::Failed => (Word::PortFailed, style::BAD),
    };
    let mark = if matches!(link, Link::Silent | Link::Failed) {
        "! "
    } else {
        ""
    };
    (format!("{mark}{}", state.ui.word(word)), style)
}

/// Places that a computed signal is written with: enough to judge its criterion.
pub fn places(view: &View, signal: &str) -> usize {
    let criterion = view
        .steady
        .iter()
        .flat_map(|steady| &steady.criteria)
        .filter(|criterion| criterion.signal == signal)
        .find_map(|criterion| criterion.range_limit);
    criterion.map_or(3, |range_limit| {
        crate::tui::format::places_of(range_limit / 50.0, 1).min(6)
    })
}

fn draw_live(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, state.shown());
    let inside = panel(frame, area, ui.word(Word::Live), false);
    let cells = usize::from(inside.width).saturating_sub(26).clamp(6, 24);
    let mut text = Vec::new();
    for name in view.signal_names() {
        let title = ui.text(&view.captions.signal(name));
        let Some(live) = view.live.get(name) else {
            text.push(labelled(&title, cells, ui.word(Word::NoValue)));
            continue;
        };
        let unit = live.unit.map(|unit| ui.unit(unit)).unwrap_or_default();
        let value = match &live.digits {
            Some(digits) => digits.clone(),
            None if live.value.is_finite() => format!("{:.*}", places(view, name), live.value),
            None => "--".to_owned(),
        };
        let (note, note_style) = match (live.quality.as_str(), &live.digits) {
            ("valid", Some(_)) => (live.time.clone(), style::DIM),
            ("valid", None) => (ui.word(Word::Derived).to_owned(), style::DIM),
            (quality, _) => (format!("! {}", one_line(quality)), style::WARNING),
        };
        let mut line = labelled(
            &title,
            cells,
            format!("{} {} ", right(&value, 9), fitted(&unit, 4)),
        );
        line.push_span(Span::styled(note, note_style));
        text.push(line);
    }
    if text.is_empty() {
        text.push(Line::styled(
            format!(" {}", ui.word(Word::NoValue)),
            style::DIM,
        ));
    }
    lines(frame, inside, text);
}

/// The last exchanges, as bytes and as text, of one role or of all.
pub fn draw_traffic(frame: &mut Frame<'_>, state: &State, area: Rect, role: Option<&str>) {
    let (ui, view) = (state.ui, state.shown());
    let who = role.map_or_else(
        || ui.word(Word::AllRoles).to_owned(),
        |role| ui.text(&view.captions.role(role)),
    );
    let inside = panel(
        frame,
        area,
        &format!("{}: {who}", ui.word(Word::Traffic)),
        false,
    );
    let room = usize::from(inside.height);
    let mut text: Vec<Line<'_>> = Vec::new();
    for one in view.traffic.iter().rev() {
        if role.is_some_and(|role| role != one.exchange.role) {
            continue;
        }
        if text.len() >= room {
            break;
        }
        // The newest exchange stands last, so the lines are collected backwards.
        text.extend(
            exchange_lines(one, usize::from(inside.width))
                .into_iter()
                .rev(),
        );
    }
    text.truncate(room);
    text.reverse();
    if text.is_empty() {
        text.push(Line::styled(
            format!(" {}", ui.word(Word::NoTraffic)),
            style::DIM,
        ));
    }
    lines(frame, inside, text);
}

/// Bytes of an escaped text of the record.
fn bytes(escaped: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = escaped;
    while let Some(character) = rest.chars().next() {
        let (byte, used) = match rest.as_bytes() {
            [b'\\', b'r', ..] => (Some(b'\r'), 2),
            [b'\\', b'n', ..] => (Some(b'\n'), 2),
            [b'\\', b't', ..] => (Some(b'\t'), 2),
            [b'\\', b'\\', ..] => (Some(b'\\'), 2),
            [b'\\', b'x', ..] => (
                rest.get(2..4)
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
                rest.len().min(4),
            ),
            _ => (u8::try_from(character).ok(), character.len_utf8()),
        };
        bytes.push(byte.unwrap_or(b'?'));
        rest = rest.get(used..).unwrap_or_default();
    }
    bytes
}

/// `04.802 > 73 65 6e 64 0d  send·`, folded to the width of the pane; `!` marks bytes that
/// belong to no reply.
fn exchange_lines(line: &TrafficLine, room: usize) -> Vec<Line<'static>> {
    let exchange = &line.exchange;
    let sides = [
        ('>', &exchange.tx, exchange.sent_us, style::PLAIN),
        ('<', &exchange.rx, exchange.received_us, style::REFERENCE),
        (
            '!',
            &exchange.unsolicited,
            exchange.received_us,
            style::WARNING,
        ),
    ];
    // Twelve cells for the stamp; each byte takes three in hex and one as text.
    let per_line = (room.saturating_sub(13) / 4).clamp(4, 16);
    let mut text = Vec::new();
    for (arrow, escaped, t_us, style) in sides {
        for (at, chunk) in bytes(escaped).chunks(per_line).enumerate() {
            let hex: Vec<_> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            let shown: String = chunk
                .iter()
                .map(|&byte| {
                    if (0x20..0x7F).contains(&byte) {
                        char::from(byte)
                    } else {
                        '·'
                    }
                })
                .collect();
            let stamp = if at == 0 { stamp(t_us) } else { String::new() };
            let hex = fitted(&hex.join(" "), per_line * 3);
            text.push(Line::from(vec![
                Span::styled(format!(" {} {arrow} ", right(&stamp, 6)), style::DIM),
                Span::raw(hex),
                Span::styled(shown, style),
            ]));
        }
    }
    if exchange.outcome != "complete" {
        let reason = one_line(&format!("{} {}", exchange.outcome, exchange.reason));
        text.push(Line::styled(format!("        ! {reason}"), style::WARNING));
    }
    text
}

/// Seconds within the minute, with milliseconds.
fn stamp(t_us: u64) -> String {
    format!("{:02}.{:03}", t_us / 1_000_000 % 60, t_us / 1_000 % 1_000)
}

fn draw_alarms(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, state.shown());
    let alarms = view.worst_alarms();
    let title = match alarms.len() {
        0 => ui.word(Word::Alarms).to_owned(),
        count => format!(
            "{} ({count}, {})",
            ui.word(Word::Alarms),
            ui.word(Word::WorstFirst)
        ),
    };
    let inside = panel(frame, area, &title, false);
    let mut text: Vec<_> = alarms
        .into_iter()
        .map(|alarm| alarm_line(ui, state, alarm))
        .collect();
    if text.is_empty() {
        text.push(Line::styled(
            format!(" ✓ {}", ui.word(Word::NoAlarms)),
            style::GOOD,
        ));
    }
    lines(frame, inside, text);
}

fn draw_order(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, state.shown());
    let order = view.captions.order.as_ref();
    let number = order.map_or("", |order| order.number.as_str());
    let inside = panel(
        frame,
        area,
        &format!("{} {number}", ui.word(Word::OrderTitle)),
        false,
    );
    let text_of = |text: &Text| ui.text(text);
    let pair = |word: Word, value: String| {
        let word = ui.word(word);
        [
            Span::styled(format!(" {word}  "), style::DIM),
            Span::raw(format!("{value}  ")),
        ]
    };
    let mut first = Line::default();
    if let Some(order) = order {
        let item = &order.item;
        let item = format!("{}, {} {}", text_of(&item.name), item.model, item.serial);
        first.extend(pair(Word::Customer, text_of(&order.customer.name)));
        first.extend(pair(Word::Item, item));
    }
    let mut second = Line::default();
    if let Some(planned) = &view.planned {
        let procedure = format!("{} {}", planned.procedure, planned.version);
        second.extend(pair(Word::Procedure, procedure));
        second.extend(pair(Word::Points, planned.points.len().to_string()));
        second.extend(pair(
            Word::Planned,
            clock_range(ui.language, planned.duration_s),
        ));
    } else if let Some(procedure) = &view.captions.procedure {
        let name = format!("{} {}", procedure.id, procedure.version);
        second.extend(pair(Word::Procedure, name));
    }
    if width(&first.to_string()) + width(&second.to_string()) == 0 {
        first.push_span(Span::styled(
            format!(" {}", ui.word(Word::NoPlan)),
            style::DIM,
        ));
    }
    lines(frame, inside, vec![first, second]);
}
