//! Screen 6: a record as its reader goes through it, and the recomputation of it.

mod side;

use heng_records::{Broken, Ending};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{cells, lines, panel};
use crate::session::replay::{Finding, Report};
use crate::tui::format::{fitted, grouped, one_line, pieces, right, short_hash, width};
use crate::tui::intents::Screen;
use crate::tui::replay::{Kind, Mark, Pane, Replay};
use crate::tui::style;
use crate::tui::text::Word;
use crate::tui::update::{State, Ui};
use crate::tui::view::time_of_day;

/// Cells of a list that names the kind of each entry.
const KINDS: usize = 54;
/// Columns from which the panes stand side by side.
const WIDE: u16 = 80;
/// Columns from which both have room enough.
const ROOMY: u16 = 110;

/// ```text
/// where the chain does not hold
/// time line
/// entries | entry, way or what-if
/// recomputation
/// ```
/// Below 80 columns only the pane in which the arrow keys move.
pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let Some(replay) = state.replay.as_deref() else {
        return;
    };
    let ui = state.ui;
    let banner = banner(ui, replay, area.width);
    let rows = u16::try_from(banner.len()).unwrap_or(0);
    let (marks, verdict) = if area.height >= 26 { (5, 7) } else { (4, 5) };
    let [warned, top, middle, bottom] = if area.width >= WIDE {
        let parts = [
            Constraint::Length(rows),
            Constraint::Length(marks),
            Constraint::Min(4),
            Constraint::Length(verdict),
        ];
        Layout::vertical(parts).areas(area)
    } else {
        let parts = [
            Constraint::Length(rows),
            Constraint::Length(1),
            Constraint::Min(4),
            Constraint::Length(0),
        ];
        Layout::vertical(parts).areas(area)
    };
    lines(frame, warned, banner);
    if area.width < WIDE {
        let bar = time_bar(ui, replay, top.width);
        lines(frame, top, vec![bar]);
        match replay.pane {
            Pane::Entries => draw_entries(frame, ui, replay, middle),
            Pane::Side => side::draw(frame, ui, replay, middle),
            Pane::Verdict => draw_verdict(frame, ui, replay, middle),
        }
        return;
    }
    draw_timeline(frame, ui, replay, top);
    // Where there is little room, what is read gets most of it.
    let share = if area.width < ROOMY && replay.pane == Pane::Side {
        36
    } else {
        50
    };
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(share), Constraint::Min(0)]).areas(middle);
    draw_entries(frame, ui, replay, left);
    side::draw(frame, ui, replay, right);
    draw_verdict(frame, ui, replay, bottom);
}

/// Where the record does not hold, and why; folded to the width of the screen.
fn banner(ui: Ui, replay: &Replay, room: u16) -> Vec<Line<'static>> {
    let (word, broken, style): (_, &Broken, _) = match &replay.reader().ending {
        Ending::Broken(broken) => (Word::ChainBroken, broken, style::BAD),
        Ending::Torn(broken) => (Word::TornTail, broken, style::WARNING),
        Ending::Sealed | Ending::Open => return Vec::new(),
    };
    let place = one_line(&broken.to_string());
    let room = usize::from(room).saturating_sub(3);
    [ui.word(word).to_owned(), ui.glyphs.spell(&place)]
        .iter()
        .zip(["!", " "])
        .map(|(text, mark)| Line::styled(format!(" {mark} {}", fitted(text, room)), style))
        .collect()
}

/// A text behind its head, in lines that fit and stand under its beginning.
fn folded(head: &str, text: &str, room: usize, style: Style) -> Vec<Line<'static>> {
    let cells = width(head);
    let pieces = pieces(text, room.saturating_sub(cells).max(8));
    let heads = std::iter::once(head.to_owned()).chain(std::iter::repeat(" ".repeat(cells)));
    let lines = heads.zip(pieces);
    lines
        .map(|(head, piece)| Line::styled(head + &piece, style))
        .collect()
}

fn draw_timeline(frame: &mut Frame<'_>, ui: Ui, replay: &Replay, area: Rect) {
    let mut title = ui.word(Word::Timeline).to_owned();
    for mark in Mark::ALL {
        let (symbol, word) = (mark.symbol(), ui.word(mark.word()));
        title = format!("{title}   {symbol} {word} {}", replay.outline.count(mark));
    }
    let inside = panel(frame, area, &title, false);
    let (track, first) = track(inside.width);
    let mut text = vec![time_bar(ui, replay, inside.width)];
    let points = points(replay, track);
    let marks = marks(replay, track);
    if inside.height > 2 {
        let name = format!(" {}", ui.word(Word::Point));
        let named = |name: &str, line: &str| format!("{}{line}", fitted(name, first));
        text.push(Line::styled(named(&name, &points), style::DIM));
        text.push(Line::styled(named("", &marks), style::WARNING));
    } else {
        let both: String = points
            .chars()
            .zip(marks.chars())
            .map(|(point, mark)| if mark == ' ' { point } else { mark })
            .collect();
        let both = format!("{}{both}", " ".repeat(first));
        text.push(Line::styled(both, style::DIM));
    }
    lines(frame, inside, text);
}

/// Cells of the bar, and the first of them.
fn track(room: u16) -> (usize, usize) {
    let track = usize::from(room).saturating_sub(30);
    (track.max(4), 10)
}

/// Cell of the bar at which an entry stands, by the time of the session.
fn cell_of(replay: &Replay, at: usize, track: usize) -> usize {
    let entries = replay.entries();
    let time = |at: usize| entries.get(at).map_or(0, |entry| entry.t_us);
    let (from, to) = (time(0), time(entries.len().saturating_sub(1)));
    let share = u128::from(time(at).saturating_sub(from)) * (track as u128 - 1);
    let cell = share / u128::from(to.saturating_sub(from).max(1));
    usize::try_from(cell).unwrap_or(usize::MAX).min(track - 1)
}

/// `11:02:14 ├───┼──●───┼───┤ 16:22:40  x1 ▸`.
fn time_bar(ui: Ui, replay: &Replay, room: u16) -> Line<'static> {
    let (track, _) = track(room);
    let mut bar = vec!["─"; track];
    for begun in &replay.outline.points {
        bar[cell_of(replay, begun.at, track)] = "┼";
    }
    bar[0] = "├";
    bar[track - 1] = "┤";
    let here = cell_of(replay, replay.at, track);
    let entries = replay.entries();
    let time = |at: usize| {
        let entry = entries.get(at);
        entry.map_or_else(|| "--:--:--".to_owned(), |entry| time_of_day(&entry.utc))
    };
    let (from, to) = (time(0), time(entries.len().saturating_sub(1)));
    let pace = if replay.playing { "▸ " } else { "||" };
    let pace = ui
        .glyphs
        .spell(&format!("  {pace} x{}", short(replay.speed)));
    Line::from(vec![
        Span::styled(format!(" {from} "), style::DIM),
        Span::styled(bar[..here].concat(), style::DIM),
        Span::styled("●", style::ACT),
        Span::styled(bar[here + 1..].concat(), style::DIM),
        Span::styled(format!(" {to}"), style::DIM),
        Span::styled(
            pace,
            if replay.playing {
                style::ACT
            } else {
                style::PLAIN
            },
        ),
    ])
}

/// A speed with few digits.
fn short(speed: f64) -> String {
    let text = format!("{speed}");
    if text.len() <= 7 {
        text
    } else {
        format!("{speed:.1e}")
    }
}

/// The numbers of the points under the cells at which they begin.
fn points(replay: &Replay, track: usize) -> String {
    let mut line = String::new();
    for begun in &replay.outline.points {
        let cell = cell_of(replay, begun.at, track);
        let number = (begun.point + 1).to_string();
        if (line.is_empty() || cell > line.len()) && cell + number.len() <= track {
            line = format!("{line:<cell$}{number}");
        }
    }
    format!("{line:<track$}")
}

fn marks(replay: &Replay, track: usize) -> String {
    let mut line = vec![" "; track];
    for (at, mark) in &replay.outline.marks {
        line[cell_of(replay, *at, track)] = mark.symbol();
    }
    line.concat()
}

/// Draws as many entries as there are rows, whatever the length of the record.
fn draw_entries(frame: &mut Frame<'_>, ui: Ui, replay: &Replay, area: Rect) {
    let title = entries_title(ui, replay);
    let title = fitted(
        &title,
        width(&title).min(usize::from(area.width).saturating_sub(4)),
    );
    let inside = panel(frame, area, &title, replay.pane == Pane::Entries);
    let (found, filtered) = (replay.filter.found(), replay.filter.is_active());
    let (count, here) = if filtered {
        (found.len(), found.partition_point(|&at| at < replay.at))
    } else {
        (replay.entries().len(), replay.at)
    };
    if count == 0 {
        let word = match (replay.entries().is_empty(), is_looking(replay)) {
            (true, _) => Word::NoEntries,
            (false, true) => Word::Looking,
            (false, false) => Word::NothingFits,
        };
        let none = format!(" {}", ui.word(word));
        lines(frame, inside, vec![Line::styled(none, style::DIM)]);
        return;
    }
    let rows = usize::from(inside.height);
    let first = here
        .saturating_sub(rows / 2)
        .min(count.saturating_sub(rows));
    let room = usize::from(inside.width);
    let rows = first..count.min(first + rows);
    let text = rows.map(|row| {
        let at = if filtered { found[row] } else { row };
        entry_line(ui, replay, at, room)
    });
    lines(frame, inside, text.collect());
}

fn is_looking(replay: &Replay) -> bool {
    !replay.filter.is_done(replay.entries())
}

fn entries_title(ui: Ui, replay: &Replay) -> String {
    let (title, of) = (ui.word(Word::EntriesTitle), ui.word(Word::Of));
    let count = replay.entries().len() as u64;
    let at = replay.entry().map_or(0, |entry| entry.seq);
    let title = format!("{title} {} {of} {}", grouped(at), grouped(count));
    let filter = &replay.filter;
    if !filter.is_active() {
        return title;
    }
    let kind = filter.kind().map(|kind| ui.word(kind.word()).to_owned());
    let text = Some(filter.text()).filter(|text| !text.is_empty());
    let parts = kind
        .into_iter()
        .chain(text.map(|text| format!("\"{text}\"")));
    let parts: Vec<_> = parts.collect();
    let found = grouped(filter.found().len() as u64);
    // More may be found as long as not all were looked at.
    let more = if is_looking(replay) { "+" } else { "" };
    format!("{title}  / {}: {found}{more}", parts.join(" "))
}

/// `▸ 18240 12:41:00 traffic  DUT 1: send\r -> RH= 51.9`.
fn entry_line(ui: Ui, replay: &Replay, at: usize, room: usize) -> Line<'static> {
    let Some(entry) = replay.entries().get(at) else {
        return Line::default();
    };
    let kind = Kind::of(&entry.event);
    let here = at == replay.at;
    let mark = if here { "▸" } else { " " };
    let left_out = if replay.without.contains(&entry.seq) {
        "~"
    } else {
        " "
    };
    let digits = replay.entries().len().to_string().len();
    let number = right(&entry.seq.to_string(), digits);
    let head = format!("{mark}{number} {}{left_out}", time_of_day(&entry.utc));
    // What is said begins with the kind, or with who was spoken to.
    let word = if room < KINDS {
        String::new()
    } else {
        format!("{} ", fitted(ui.word(kind.word()), 7))
    };
    let said = ui.glyphs.spell(&one_line(&replay.said.say(&entry.event)));
    let rest = room.saturating_sub(width(&head) + width(&word));
    let kind_style = match kind {
        Kind::Alarm => style::WARNING,
        Kind::Traffic => style::DIM,
        Kind::Reading => style::REFERENCE,
        _ => style::PLAIN,
    };
    let line = Line::from(vec![
        Span::styled(head, style::DIM),
        Span::styled(word, kind_style),
        Span::raw(fitted(&said, rest)),
    ]);
    if here {
        line.patch_style(style::SELECTED)
    } else {
        line
    }
}

fn draw_verdict(frame: &mut Frame<'_>, ui: Ui, replay: &Replay, area: Rect) {
    let title = ui.word(Word::Verification);
    let inside = panel(frame, area, title, replay.pane == Pane::Verdict);
    let room = usize::from(inside.width);
    let mut said = vec![seal(ui, replay)];
    match &replay.report {
        None => said.push((" · ", ui.word(Word::Recomputing).to_owned(), style::ACT)),
        Some(report) => said.extend(reported(ui, report)),
    }
    let program = ui.word(Word::ByThisProgram);
    let by = format!("heng {}: {program}", env!("CARGO_PKG_VERSION"));
    said.push(("   ", by, style::DIM));
    let said = said.iter();
    let text = said.flat_map(|(mark, text, style)| folded(mark, text, room, *style));
    lines(frame, inside, text.collect());
}

/// A mark, what is said, and how.
type Verdict = (&'static str, String, Style);

/// Chain and seal, as they were read.
fn seal(ui: Ui, replay: &Replay) -> Verdict {
    let entries = grouped(replay.entries().len() as u64);
    let head = replay.entries().last().map_or("", |entry| &entry.hash);
    let chain = format!("{entries} {}, {}", ui.word(Word::Entries), short_hash(head));
    let holds = ui.word(Word::ChainHolds);
    let open = ui.word(Word::NotSealed);
    match &replay.reader().ending {
        Ending::Sealed => {
            let sealed = ui.word(Word::SealHolds);
            (" ✓ ", format!("{holds}: {chain}; {sealed}"), style::GOOD)
        }
        Ending::Open => (" ! ", format!("{holds}: {chain}; {open}"), style::WARNING),
        Ending::Torn(_) => {
            let torn = ui.word(Word::TornTail);
            (" ! ", format!("{chain}; {torn}; {open}"), style::WARNING)
        }
        Ending::Broken(broken) => {
            let place = ui.glyphs.spell(&one_line(&broken.to_string()));
            let word = ui.word(Word::VerdictAltered);
            (" ✗ ", format!("{word}: {place}"), style::BAD)
        }
    }
}

fn reported(ui: Ui, report: &Report) -> Vec<Verdict> {
    let count = grouped(report.identical as u64);
    let same = format!("{count} {}", ui.word(Word::Identical));
    let mut said = match &report.finding {
        Finding::Broken(_) => Vec::new(),
        Finding::Differs(difference) => {
            let cause = ui.glyphs.spell(&one_line(&difference.to_string()));
            let word = ui.word(Word::ValueDiffers);
            vec![
                (" ✗ ", format!("{word}: {cause}"), style::BAD),
                ("   ", same, style::PLAIN),
            ]
        }
        Finding::Identical | Finding::Incomplete => vec![(" ✓ ", same, style::GOOD)],
    };
    let mut files = |mark, word: Word, names: &[String], style| {
        if !names.is_empty() {
            let (count, word) = (names.len(), ui.word(word));
            let names = one_line(&names.join(", "));
            said.push((mark, format!("{count} {word}: {names}"), style));
        }
    };
    files(" ✓ ", Word::FilesIdentical, &report.artefacts, style::GOOD);
    files(
        " ! ",
        Word::NotCompared,
        &report.not_compared,
        style::WARNING,
    );
    said
}

/// The verdict in one word.
fn verdict(replay: &Replay) -> (&'static str, Word, Style) {
    match replay.report.as_ref().map(|report| &report.finding) {
        _ if matches!(replay.reader().ending, Ending::Broken(_)) => {
            ("✗", Word::VerdictAltered, style::BAD)
        }
        None => ("·", Word::VerdictPending, style::ACT),
        Some(Finding::Identical) => ("✓", Word::VerdictIdentical, style::GOOD),
        Some(Finding::Incomplete) => ("!", Word::VerdictIncomplete, style::WARNING),
        Some(Finding::Broken(_)) => ("✗", Word::VerdictAltered, style::BAD),
        Some(Finding::Differs(_)) => ("✗", Word::ValueDiffers, style::BAD),
    }
}

/// The last line, of every screen of a replay.
pub fn draw_state(frame: &mut Frame<'_>, state: &State, replay: &Replay, area: Rect) {
    let ui = state.ui;
    let (mark, word, verdict_style) = verdict(replay);
    let entry = replay.entry();
    let time = entry.map_or_else(String::new, |entry| time_of_day(&entry.utc));
    let number = grouped(entry.map_or(0, |entry| entry.seq));
    let session = one_line(replay.session());
    let mut items = vec![
        (
            format!(" {} {session}", ui.word(Word::ReplayState)),
            style::TITLE,
        ),
        (format!("  {mark} {}", ui.word(word)), verdict_style),
        (
            format!("  {} {number}", ui.word(Word::EntryNumber)),
            style::PLAIN,
        ),
        (format!("  {time}"), style::PLAIN),
        (format!("  {}", ui.word(Word::ReadOnly)), style::DIM),
    ];
    if state.screen != Screen::Replay && !replay.is_folded() {
        let percent = (replay.folded() * 100.0).round();
        let reading = format!("  {} {percent} %", ui.word(Word::ReadingOn));
        items.insert(1, (reading, style::ACT));
    }
    while items.len() > 2 && cells(&items) > usize::from(area.width) {
        items.pop();
    }
    let spans = items
        .into_iter()
        .map(|(text, style)| Span::styled(text, style));
    lines(frame, area, vec![Line::from(spans.collect::<Vec<_>>())]);
}
