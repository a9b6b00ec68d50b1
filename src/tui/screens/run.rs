//! Screen 2: the point under way, its steps, its readings, and what the operator is asked.

use heng_procedures::{CriterionState, ScanPurpose, SteadyTest, StepKind};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table, Wrap};

use super::bench::{draw_traffic, places};
use super::{lines, panel};
use crate::tui::captions::Pair;
use crate::tui::chart::{Band, Curve, TimeChart};
use crate::tui::format::{figures, fitted, one_line, right, signed, width};
use crate::tui::style;
use crate::tui::text::Word;
use crate::tui::update::State;
use crate::tui::view::{PointState, Run, ScanLine, View};

/// Least and most of the past that a chart shows.
const LEAST_US: u64 = 30 * 60_000_000;
const MOST_US: u64 = 4 * 3_600_000_000;
/// Minutes before the set point was given that are still shown.
const BEFORE_US: u64 = 2 * 60_000_000;

/// ```text
/// chart and figures | steps
/// readings or traffic
/// operator
/// ```
pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let asked = operator_height(state, area.width);
    let readings = match area.height {
        0..=19 => 0,
        20..=24 => 5,
        25..=33 => 6,
        _ => 10,
    };
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Min(6),
        Constraint::Length(readings),
        Constraint::Length(asked),
    ])
    .areas(area);
    let steps = if area.width >= 80 { 33 } else { 0 };
    let [left, right] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(steps)]).areas(top);
    draw_chart(frame, state, left);
    if steps > 0 {
        draw_steps(frame, state, right);
    }
    if state.traffic {
        draw_traffic(frame, state, middle, None);
    } else if readings > 0 {
        draw_readings(frame, state, middle);
    }
    draw_operator(frame, state, bottom);
}

/// Title of the point under way: `humidity, point 3 of 10: 20 °C, 50 %RH`.
fn point_title(state: &State, pair: Option<&Pair>) -> String {
    let (ui, view) = (state.ui, state.shown());
    let mut title = pair.map_or_else(String::new, |pair| ui.text(&pair.title));
    let (Some(planned), Some(index)) = (&view.planned, view.current_point()) else {
        return if title.is_empty() {
            ui.word(Word::NoPoint).to_owned()
        } else {
            title
        };
    };
    if let Some(point) = planned.points.get(index) {
        let (number, all) = (index + 1, planned.points.len());
        let (word, of) = (ui.word(Word::Point), ui.word(Word::Of));
        title = format!(
            "{title}, {word} {number} {of} {all}: {}",
            ui.text(&point.title)
        );
    }
    title
}

fn draw_chart(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, state.shown());
    let pairs = view.captions.pairs();
    let pair = pairs.get(state.chart.min(pairs.len().saturating_sub(1)));
    let inside = panel(frame, area, &point_title(state, pair), true);
    let criteria = view
        .steady
        .as_ref()
        .map_or(&[][..], |steady| &steady.criteria);
    let figure_rows = u16::try_from(criteria.len()).unwrap_or(0).clamp(1, 6) + 1;
    let figure_rows = if inside.height > figure_rows + 6 {
        figure_rows
    } else {
        1
    };
    let [legend, plot, below] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(figure_rows),
    ])
    .areas(inside);
    if let Some(pair) = pair {
        draw_legend(frame, state, legend, pair);
        frame.render_widget(time_chart(state, pair), plot);
    }
    if figure_rows == 1 && !criteria.is_empty() {
        lines(frame, below, vec![waited(state)]);
    } else if criteria.is_empty() {
        let none = format!(" {}", ui.word(Word::NoFigures));
        lines(frame, below, vec![Line::styled(none, style::DIM)]);
    } else {
        let mut text: Vec<_> = criteria
            .iter()
            .map(|criterion| criterion_line(state, criterion, below.width))
            .collect();
        text.truncate(usize::from(figure_rows) - 1);
        text.push(waited(state));
        lines(frame, below, text);
    }
}

fn current(state: &State, signal: &str) -> String {
    let view = state.shown();
    let Some(live) = view.live.get(signal) else {
        return "--".to_owned();
    };
    let unit = live
        .unit
        .map(|unit| state.ui.unit(unit))
        .unwrap_or_default();
    match &live.digits {
        Some(digits) => format!("{digits} {unit}"),
        None if live.value.is_finite() => {
            format!("{:.*} {unit}", places(view, signal), live.value)
        }
        None => format!("-- {unit}"),
    }
}

fn draw_legend(frame: &mut Frame<'_>, state: &State, area: Rect, pair: &Pair) {
    let ui = state.ui;
    let reference = format!(
        " R {} {}",
        ui.word(Word::Reference),
        current(state, &pair.reference)
    );
    let mut line = Line::from(vec![Span::styled(reference, style::REFERENCE)]);
    if let Some(unit) = &pair.unit_under_test {
        let unit = format!("   U {} {}", ui.word(Word::Unit), current(state, unit));
        line.push_span(Span::styled(unit, style::UNIT));
    }
    if let Some(band) = band(state.shown(), &pair.reference) {
        let half = figures((band.high - band.low) / 2.0);
        let text = ui
            .glyphs
            .spell(&format!("   ─ {} ±{half}", ui.word(Word::Band)));
        line.push_span(Span::styled(text, style::BAND));
    }
    if let Some(set) = set_point(state.shown(), pair) {
        let text = format!("   · {} {set}", ui.word(Word::SetPoint));
        if line.width() + width(&text) <= usize::from(area.width) {
            line.push_span(Span::styled(text, style::DIM));
        }
    }
    lines(frame, area, vec![line]);
}

fn criterion<'a>(view: &'a View, signal: &str) -> Option<&'a CriterionState> {
    let mut criteria = view.steady.iter().flat_map(|steady| &steady.criteria);
    criteria.find(|one| one.signal == signal && one.minus.is_none() && one.range_limit.is_some())
}

/// The allowed range around the middle of what the window holds.
fn band(view: &View, signal: &str) -> Option<Band> {
    let criterion = criterion(view, signal)?;
    let range_limit = criterion.range_limit?;
    let steady = view.steady.as_ref()?;
    // The window holds whole seconds; what a fraction more draws is one pixel.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds of a window"
    )]
    let window_us = (criterion.window_s.clamp(0.0, 1e6) * 1e6) as u64;
    let from_us = steady.t_us.saturating_sub(window_us);
    let samples = view.series.get(signal)?;
    let inside = samples
        .iter()
        .filter(|sample| sample.t_us >= from_us)
        .map(|sample| sample.value);
    let (low, high) = inside.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let middle = f64::midpoint(low, high);
    middle.is_finite().then(|| Band {
        from_us,
        low: middle - range_limit / 2.0,
        high: middle + range_limit / 2.0,
    })
}

fn set_point(view: &View, pair: &Pair) -> Option<String> {
    let point = view.planned.as_ref()?.points.get(view.current_point()?)?;
    point.set.get(&pair.quantity).map(ToString::to_string)
}

fn time_chart<'a>(state: &'a State, pair: &Pair) -> TimeChart<'a> {
    let (ui, view) = (state.ui, state.shown());
    let band = band(view, &pair.reference);
    let began = view.point_began_us.saturating_sub(BEFORE_US);
    let to_us = view.t_us;
    let past = to_us.saturating_sub(began).clamp(LEAST_US, MOST_US);
    let mut from_us = to_us.saturating_sub(past);
    if state.zoomed
        && let Some(band) = band
    {
        from_us = band.from_us.min(to_us.saturating_sub(60_000_000));
    }
    let samples = |signal: &str| view.series.get(signal).map_or(&[][..], Vec::as_slice);
    let mut curves = vec![Curve {
        samples: samples(&pair.reference),
        label: "R",
        style: style::REFERENCE,
        joined: true,
    }];
    if let Some(unit) = &pair.unit_under_test {
        curves.push(Curve {
            samples: samples(unit),
            label: "U",
            style: style::UNIT,
            joined: false,
        });
    }
    TimeChart {
        curves,
        from_us,
        to_us,
        band,
        set_point: set_point(view, pair).and_then(|set| set.parse().ok()),
        glyphs: ui.glyphs,
        now: ui.word(Word::Now),
        minutes: ui.word(Word::Minutes),
    }
}

/// `✓ t  range 0.042/0.15  slope +0.012/0.15 K/h  20/20 min`: each figure over its limit.
fn criterion_line(state: &State, one: &CriterionState, room: u16) -> Line<'static> {
    let ui = state.ui;
    // A window that is only not full yet has nothing to warn of.
    let filling = one.failed().iter().all(|test| {
        matches!(
            test,
            SteadyTest::Covered | SteadyTest::Readings | SteadyTest::Soak
        )
    });
    let full = one.covered_s >= one.window_s;
    let (mark, style) = match (one.steady, filling || !full) {
        (true, _) => ("✓", style::GOOD),
        (false, true) => ("·", style::PLAIN),
        (false, false) => ("✗", style::WARNING),
    };
    // The symbol, as it heads the readings below.
    let text = format!(
        " {mark} {} {}",
        fitted(&one.subject(), 7),
        limited(state, one).join("  ")
    );
    let covered = format!(
        "  {:.0}/{:.0} {}",
        one.covered_s / 60.0,
        one.window_s / 60.0,
        ui.word(Word::Minutes)
    );
    let mut line = Line::styled(text, style);
    if line.width() + width(&covered) <= usize::from(room) {
        line.push_span(Span::styled(covered, style));
    }
    line
}

/// What the criterion limits, each figure over its limit; the unit stands once.
fn limited(state: &State, one: &CriterionState) -> Vec<String> {
    let ui = state.ui;
    let unit = ui.unit(one.unit.difference());
    let mut parts = Vec::new();
    let coarsest = one.range_limit.or(one.slope_limit_per_h).unwrap_or(1.0);
    let places = crate::tui::format::places_of(coarsest, 2);
    if let Some(limit) = one.range_limit {
        let range = right(&format!("{:.places$}", one.range), 5);
        let unit = match one.slope_limit_per_h {
            Some(_) => String::new(),
            None => format!(" {unit}"),
        };
        parts.push(format!(
            "{} {range}/{limit:.places$}{unit}",
            ui.word(Word::Range)
        ));
    }
    if let Some(limit) = one.slope_limit_per_h {
        let slope = one.slope_per_h.map_or_else(
            || "--".to_owned(),
            |slope| match one.slope_judged_per_h().filter(|_| one.slope_k > 0.0) {
                Some(judged) => format!("{judged:.places$}"),
                None => signed(slope, places),
            },
        );
        let (word, slope) = (ui.word(Word::Slope), right(&slope, 6));
        parts.push(format!("{word} {slope}/{limit:.places$} {unit}/h"));
    }
    if let Some(limit) = one.scatter_limit {
        let places = crate::tui::format::places_of(limit, 2);
        let scatter = one.scatter.map(|scatter| format!("{scatter:.places$}"));
        let scatter = scatter.unwrap_or_else(|| "--".to_owned());
        parts.push(format!(
            "{} {scatter}/{limit:.places$} {unit}",
            ui.word(Word::Scatter)
        ));
    }
    if let Some(other) = one.other_state {
        let word = ui.word(Word::OtherState);
        parts.push(format!("{word} {other}/{}", one.count));
    }
    if let Some(soak) = one.soak {
        let [soaked, least] = [soak.soaked_s.unwrap_or(0.0), soak.least_s].map(|s| s / 60.0);
        let (word, minutes) = (ui.word(Word::Soak), ui.word(Word::Minutes));
        parts.push(format!("{word} {soaked:.0}/{least:.0} {minutes}"));
    }
    if let Some(least) = one.minimum_readings {
        parts.push(format!(
            "{} {}/{least}",
            ui.word(Word::ReadingsInWindow),
            one.count
        ));
    }
    parts
}

fn waited(state: &State) -> Line<'static> {
    let ui = state.ui;
    let Some(steady) = &state.shown().steady else {
        return Line::default();
    };
    let minutes = |seconds: f64| format!("{:.0}", seconds / 60.0);
    let (word, style) = if steady.steady {
        (Word::Steady, style::GOOD)
    } else {
        (Word::NotSteady, style::PLAIN)
    };
    let text = format!(
        " {} {} {}, {} {}, {} {}",
        ui.word(Word::WaitedFor),
        minutes(steady.waited_s),
        ui.word(Word::Minutes),
        ui.word(Word::AtLeast),
        minutes(steady.minimum_wait_s),
        ui.word(Word::AtMost),
        minutes(steady.maximum_wait_s),
    );
    let mark = if steady.steady { "✓ " } else { "" };
    Line::from(vec![
        Span::styled(text, style::DIM),
        Span::styled(format!(": {mark}{}", ui.word(word)), style),
    ])
}

fn draw_steps(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, state.shown());
    let inside = panel(frame, area, ui.word(Word::Steps), false);
    let Some(planned) = &view.planned else {
        let none = format!(" {}", ui.word(Word::NoPlan));
        lines(frame, inside, vec![Line::styled(none, style::DIM)]);
        return;
    };
    let step = view.step.as_ref();
    let kind = step.map(|step| step.kind);
    let began = view.points.iter().any(|state| *state != PointState::Ahead);
    let mut text = Vec::new();
    let mut focus = 0;
    for (step, word) in [
        (StepKind::Identify, Word::StepIdentify),
        (StepKind::Prepare, Word::StepPrepare),
    ] {
        let done = began || kind.is_some_and(|kind| kind > step);
        let active = !began && kind == Some(step);
        text.push(mark_line(done, active, "", ui.word(word).to_owned()));
    }
    for (index, point) in planned.points.iter().enumerate() {
        let state_of = view.points.get(index).copied().unwrap_or(PointState::Ahead);
        let title = format!(
            "{}{} {}",
            ui.text(&point.title),
            arrow(&point.direction),
            ""
        );
        let line = match state_of {
            PointState::GivenUp => Line::styled(format!(" ✗ {title}"), style::WARNING),
            other => mark_line(
                other == PointState::Complete,
                other == PointState::Active,
                "",
                title,
            ),
        };
        if state_of == PointState::Active {
            focus = text.len();
        }
        text.push(line);
        if state_of == PointState::Active && view.current_point() == Some(index) {
            text.extend(inner_steps(state, kind));
        }
    }
    let safe = kind == Some(StepKind::SafeState);
    text.push(mark_line(
        view.ended(),
        safe && !view.ended(),
        "",
        ui.word(Word::StepSafe).to_owned(),
    ));
    if safe || view.ended() {
        focus = text.len() - 1;
    }
    // The point under way stays in the pane, with what is ahead of it below.
    let room = usize::from(inside.height);
    let first = focus
        .saturating_sub(room / 3)
        .min(text.len().saturating_sub(room));
    lines(frame, inside, text.split_off(first));
}

fn arrow(direction: &str) -> &'static str {
    match direction {
        "rising" => " ▲",
        "falling" => " ▼",
        _ => "",
    }
}

fn mark_line(done: bool, active: bool, indent: &str, text: String) -> Line<'static> {
    let (mark, style) = match (done, active) {
        (true, _) => ("✓", style::GOOD),
        (false, true) => ("▸", style::TITLE),
        (false, false) => (" ", style::PLAIN),
    };
    let text_style = if done { style::PLAIN } else { style };
    Line::from(vec![
        Span::styled(format!(" {indent}{mark} "), style),
        Span::styled(text, text_style),
    ])
}

fn inner_steps(state: &State, now: Option<StepKind>) -> Vec<Line<'static>> {
    let (ui, view) = (state.ui, state.shown());
    let readings = view
        .scans
        .iter()
        .filter_map(|line| line.scan.cycle)
        .max()
        .unwrap_or(0);
    let wanted = view.captions.reading_count();
    let stabilise = view.steady.as_ref().map_or_else(String::new, |steady| {
        let inside = steady
            .criteria
            .iter()
            .filter(|criterion| criterion.steady)
            .count();
        format!(" {inside}/{}", steady.criteria.len())
    });
    let read = wanted.map_or_else(String::new, |wanted| format!(" {readings}/{wanted}"));
    [
        (StepKind::Set, Word::StepSet, String::new()),
        (StepKind::Stabilise, Word::StepStabilise, stabilise),
        (StepKind::Read, Word::StepRead, read),
        (StepKind::Closed, Word::StepClose, String::new()),
    ]
    .into_iter()
    .map(|(kind, word, detail)| {
        let done = now.is_some_and(|now| now > kind);
        let text = format!("{}{detail}", ui.word(word));
        mark_line(done, now == Some(kind), "  ", text)
    })
    .collect()
}

fn draw_readings(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, state.shown());
    let inside = panel(frame, area, ui.word(Word::ReadingsTitle), false);
    if view.scans.is_empty() {
        let none = format!(" {}", ui.word(Word::NoReadings));
        lines(frame, inside, vec![Line::styled(none, style::DIM)]);
        return;
    }
    // As many signals as there is room for, eleven cells each.
    let room = usize::from(inside.width).saturating_sub(26) / 12;
    let names: Vec<_> = view.signal_names().into_iter().take(room).collect();
    let mut header = vec!["#".to_owned(), ui.word(Word::Time).to_owned()];
    header.extend(names.iter().map(|name| {
        let unit = view
            .captions
            .unit(name)
            .map(|unit| format!("/{}", ui.unit(unit)));
        right(&format!("{name}{}", unit.unwrap_or_default()), 11)
    }));
    header.push(ui.word(Word::Flags).to_owned());
    let shown = usize::from(inside.height).saturating_sub(1);
    let first = view.scans.len().saturating_sub(shown);
    let rows = view.scans[first..]
        .iter()
        .map(|line| reading_row(state, line, &names));
    let mut widths = vec![Constraint::Length(4), Constraint::Length(8)];
    widths.extend(names.iter().map(|_| Constraint::Length(11)));
    widths.push(Constraint::Fill(1));
    let header = Row::new(header).style(style::DIM);
    frame.render_widget(Table::new(rows, widths).header(header), inside);
}

fn reading_row(state: &State, line: &ScanLine, names: &[&str]) -> Row<'static> {
    let (ui, view, scan) = (state.ui, state.shown(), &line.scan);
    let number = scan
        .cycle
        .map_or_else(|| "-".to_owned(), |cycle| cycle.to_string());
    let mut cells = vec![right(&number, 3), line.time.clone()];
    for name in names {
        let sent = scan
            .indications
            .iter()
            .find(|indication| indication.channel == **name);
        let text = match (sent, scan.signals.get(*name)) {
            (Some(sent), _) => sent.digits.to_string(),
            (None, Some(value)) => format!("{value:.*}", places(view, name)),
            (None, None) => "--".to_owned(),
        };
        cells.push(right(&text, 11));
    }
    let quality = scan
        .indications
        .iter()
        .find(|indication| indication.quality != "valid");
    let (flag, style) = if let Some((channel, reason)) = scan.missing.iter().next() {
        (
            format!(
                "! {channel} {}: {}",
                ui.word(Word::Missing),
                one_line(reason)
            ),
            style::WARNING,
        )
    } else if let Some(indication) = quality {
        (
            format!("! {} {}", indication.channel, indication.quality),
            style::WARNING,
        )
    } else if scan.purpose == ScanPurpose::Settling {
        (ui.word(Word::Settling).to_owned(), style::DIM)
    } else {
        (ui.word(Word::Reading).to_owned(), Style::new())
    };
    cells.push(flag);
    Row::new(cells).style(style)
}

/// Lines of the question and its choices, with the frame.
fn operator_height(state: &State, room: u16) -> u16 {
    let Some(prompt) = state.prompt() else {
        return 4;
    };
    let inside = usize::from(room.max(10)) - 4;
    let cells = width(&state.ui.text(&prompt.text)) + 2;
    let rows = cells.div_ceil(inside) + prompt.choices.len() + 2;
    u16::try_from(rows).unwrap_or(u16::MAX).clamp(4, 10)
}

fn draw_operator(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let ui = state.ui;
    let inside = panel(
        frame,
        area,
        ui.word(Word::Operator),
        state.prompt().is_some(),
    );
    let Some(prompt) = state.prompt() else {
        let hint = match state.view.run {
            Run::Paused => Line::styled(format!(" {}", ui.word(Word::PausedHint)), style::ACT),
            _ if state.ended.is_some() || state.view.ended() => Line::default(),
            _ => Line::styled(format!(" {}", ui.word(Word::NothingToDo)), style::DIM),
        };
        let mut text = vec![hint];
        if let Some(alarm) = state.shown().alarms.last() {
            text.push(super::alarm_line(ui, state, alarm));
        } else if let Some(note) = &state.shown().last_note {
            let note = format!(" {}: {}", ui.word(Word::LastNote), one_line(note));
            text.push(Line::styled(note, style::DIM));
        }
        lines(frame, inside, text);
        return;
    };
    let mut text = vec![Line::styled(
        format!(" ? {}", one_line(&ui.text(&prompt.text))),
        style::ACT,
    )];
    for (at, choice) in prompt.choices.iter().enumerate() {
        let selected = state.choice == Some(at);
        let mark = if selected { "▸" } else { " " };
        let style = if selected {
            style::SELECTED
        } else {
            style::PLAIN
        };
        text.push(Line::from(vec![
            Span::styled(format!("  {mark}[{}] ", choice.key), style::KEY),
            Span::styled(ui.text(&choice.text), style),
        ]));
    }
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), inside);
}
