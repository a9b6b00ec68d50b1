//! Screen 3: errors, uncertainties and verdicts by measurand and point.

use heng_procedures::{MappingResult, PointResult};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table, TableState, Wrap};

use super::{kept, labelled, lines, panel};
use crate::tui::chart::{ErrorBar, ErrorChart};
use crate::tui::format::{
    figures, fitted, places_of, result_places, right, signed, verdict, width,
};
use crate::tui::style;
use crate::tui::text::Word;
use crate::tui::update::State;
use crate::tui::view::MeasurandResults;

/// Cells of a share bar.
const BAR: usize = 12;

/// ```text
/// table by measurand
/// error plot | detail of the selected point
/// ```
pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let view = state.shown();
    let Some(measurand) = view.results.get(state.measurand).or(view.results.first()) else {
        return draw_mappings(frame, state, area);
    };
    let rows = u16::try_from(measurand.rows.len())
        .unwrap_or(u16::MAX)
        .clamp(3, 40);
    let lower = if area.height >= 26 {
        12
    } else {
        area.height / 2
    };
    let table = (rows + 4).min(area.height.saturating_sub(lower));
    let [top, bottom] =
        Layout::vertical([Constraint::Length(table), Constraint::Min(0)]).areas(area);
    draw_table(frame, state, top, measurand);
    let plot = if area.width >= 80 { 46 } else { 0 };
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(plot), Constraint::Min(0)]).areas(bottom);
    if plot > 0 {
        draw_plot(frame, state, left, measurand);
    }
    if let Some(result) = selected(state) {
        let (ui, point) = (state.ui, point_name(state, result.point));
        let title = format!("{} {}", ui.word(Word::Point), point);
        let inside = panel(frame, right, &title, false);
        let mut text = summary(state, result);
        text.extend(budget_rows(state, result, usize::from(inside.width)));
        lines(frame, inside, text);
    }
}

/// Result under the cursor.
pub fn selected(state: &State) -> Option<&PointResult> {
    let view = state.shown();
    let measurand = view.results.get(state.measurand).or(view.results.first())?;
    measurand.rows.get(state.row).or(measurand.rows.last())
}

/// Title of a planned point.
pub fn point_name(state: &State, index: usize) -> String {
    let planned = state.shown().planned.as_ref();
    let point = planned.and_then(|planned| planned.points.get(index));
    point.map_or_else(
        || (index + 1).to_string(),
        |point| state.ui.text(&point.title),
    )
}

fn direction(state: &State, index: usize) -> &'static str {
    let planned = state.shown().planned.as_ref();
    let point = planned.and_then(|planned| planned.points.get(index));
    match point.map(|point| point.direction.as_str()) {
        Some("rising") => state.ui.word(Word::Rising),
        Some("falling") => state.ui.word(Word::Falling),
        _ => "",
    }
}

fn table_title(state: &State, measurand: &MeasurandResults) -> String {
    let (ui, view) = (state.ui, state.shown());
    let first = measurand.rows.first();
    let title = first.map_or_else(|| measurand.id.clone(), |row| ui.text(&row.title));
    let number = if view.results.len() > 1 {
        format!(
            " {}/{}",
            state.measurand.min(view.results.len() - 1) + 1,
            view.results.len()
        )
    } else {
        String::new()
    };
    let units = first.map_or_else(String::new, |row| {
        let (unit, difference) = (ui.unit(row.unit), ui.unit(row.unit.difference()));
        if unit == difference {
            format!(" ({unit})")
        } else {
            format!(" ({unit}; {} {difference})", ui.word(Word::ErrorUnit))
        }
    });
    format!("{}: {title}{units}{number}", ui.word(Word::ResultsTitle))
}

/// `limits -5.0 to +5.0 %RH`, which the order agreed before measuring.
fn limit_text(state: &State, measurand: &MeasurandResults) -> String {
    let ui = state.ui;
    let Some((row, [low, high])) = measurand
        .rows
        .iter()
        .find_map(|row| Some((row, row.limit?)))
    else {
        return ui.word(Word::NoLimits).to_owned();
    };
    let places = places_of(high.abs().min(low.abs()), 2).max(1);
    let unit = ui.unit(row.unit.difference());
    format!(
        "{} {} {} {} {unit}",
        ui.word(Word::Limits),
        signed(low, places),
        ui.word(Word::To),
        signed(high, places)
    )
}

fn draw_table(frame: &mut Frame<'_>, state: &State, area: Rect, measurand: &MeasurandResults) {
    let ui = state.ui;
    let inside = panel(frame, area, &table_title(state, measurand), true);
    let [note, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(inside);
    let mut limits = format!(" {}", limit_text(state, measurand));
    if measurand.rows.iter().any(|row| row.preliminary) {
        limits.push_str("   ");
        limits.push_str(ui.word(Word::Preliminary));
    }
    lines(frame, note, vec![Line::styled(limits, style::DIM)]);
    // A narrow terminal keeps point, error, uncertainty and verdict.
    let keep: &[usize] = if area.width < 80 {
        &[0, 1, 4, 5, 7]
    } else {
        &[0, 1, 2, 3, 4, 5, 6, 7]
    };
    let header = [
        format!("  {}", ui.word(Word::Point)),
        format!(" {}", ui.word(Word::Direction)),
        right(ui.word(Word::Reference), 11),
        right(ui.word(Word::Indication), 12),
        right(ui.word(Word::Error), 10),
        right("U", 8),
        right("k", 6),
        format!("   {}", ui.word(Word::Verdict)),
    ];
    let at = state.row.min(measurand.rows.len().saturating_sub(1));
    let rows = measurand
        .rows
        .iter()
        .enumerate()
        .map(|(index, row)| result_row(state, row, index == at, keep));
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(10),
        Constraint::Length(11),
        Constraint::Length(12),
        Constraint::Length(10),
        Constraint::Length(8),
        Constraint::Length(6),
        Constraint::Length(if keep.len() < 8 { 16 } else { 24 }),
    ];
    let header = Row::new(kept(header, keep)).style(style::DIM);
    let table = Table::new(rows, kept(widths, keep))
        .column_spacing(0)
        .header(header);
    let mut place = TableState::new().with_selected(Some(at));
    frame.render_stateful_widget(table, body, &mut place);
}

fn result_row(state: &State, result: &PointResult, selected: bool, keep: &[usize]) -> Row<'static> {
    let ui = state.ui;
    let places = result_places(result);
    let (verdict, kind) = verdict(ui.language, result);
    let mark = if selected { "▸" } else { " " };
    // The interval of the trials has no coverage factor.
    let factor = match result.reported.as_str() {
        "monte_carlo" => "MC".to_owned(),
        _ => format!("{:.2}", result.budget.k),
    };
    let plus = if result.rounded.value.digits() > 0 {
        "+"
    } else {
        ""
    };
    let verdict = if result.preliminary {
        format!("{verdict} ~")
    } else {
        verdict
    };
    let cells = [
        Span::raw(format!(" {mark}{}", point_name(state, result.point))),
        Span::raw(format!(" {}", direction(state, result.point))),
        Span::raw(right(&format!("{:.places$}", result.reference), 11)),
        Span::raw(right(&format!("{:.places$}", result.indication), 12)),
        Span::raw(right(&format!("{plus}{}", result.rounded.value), 10)),
        Span::raw(right(&result.rounded.uncertainty.to_string(), 8)),
        Span::raw(right(&factor, 6)),
        Span::styled(format!("   {verdict}"), style::of_verdict(kind)),
    ];
    Row::new(kept(cells, keep)).style(if selected { style::TITLE } else { style::PLAIN })
}

fn draw_plot(frame: &mut Frame<'_>, state: &State, area: Rect, measurand: &MeasurandResults) {
    let ui = state.ui;
    let inside = panel(frame, area, ui.word(Word::ErrorPlot), false);
    let at = state.row.min(measurand.rows.len().saturating_sub(1));
    let bars = measurand.rows.iter().enumerate().map(|(index, row)| {
        let rising = direction(state, row.point) != ui.word(Word::Falling);
        ErrorBar {
            error: row.error,
            expanded: row.rounded.uncertainty.to_f64(),
            label: (row.point + 1).to_string(),
            symbol: if rising { "▲" } else { "▼" },
            style: style::of_verdict(row.decision.as_ref().map(|decision| decision.verdict)),
            selected: index == at,
        }
    });
    let limits = measurand.rows.iter().find_map(|row| row.limit);
    frame.render_widget(
        ErrorChart {
            bars: bars.collect(),
            limits,
        },
        inside,
    );
}

/// Both evaluations, their comparison and the decision.
pub fn summary(state: &State, result: &PointResult) -> Vec<Line<'static>> {
    let ui = state.ui;
    let unit = ui.unit(result.unit.difference());
    let (budget, trials) = (&result.budget, &result.monte_carlo);
    let places = places_of(budget.u, 3);
    let [low, high] = trials.shortest;
    let dof = if budget.dof.is_finite() {
        format!("{:.0}", budget.dof)
    } else {
        ui.word(Word::Infinite).to_owned()
    };
    let dof_word = ui.word(Word::DegreesOfFreedom);
    let mut checked = if result.validation.validated {
        Line::styled(format!(" ✓ {}", ui.word(Word::Validated)), style::GOOD)
    } else {
        Line::styled(
            format!(" ✗ {}", ui.word(Word::NotValidated)),
            style::WARNING,
        )
    };
    let validation = &result.validation;
    let largest = validation.d_low.max(validation.d_high);
    let sign = if largest <= validation.tolerance {
        "≤"
    } else {
        ">"
    };
    let (largest, tolerance) = (figures(largest), figures(validation.tolerance));
    let numbers = ui
        .glyphs
        .spell(&format!("  d {largest} {sign} {tolerance} {unit}"));
    checked.push_span(Span::styled(numbers, style::DIM));
    let u = figures(budget.u);
    let gum = format!(
        "u {u}  k {:.2}  U {} {unit}  {dof_word} {dof}",
        budget.k,
        figures(budget.expanded)
    );
    let monte_carlo = format!(
        "u {}  [{}, {}] {unit}",
        figures(trials.u),
        signed(low, places),
        signed(high, places)
    );
    let cells = width(ui.word(Word::MonteCarlo)).max(8);
    let mut text = vec![
        labelled(ui.word(Word::Gum), cells, gum),
        labelled(ui.word(Word::MonteCarlo), cells, monte_carlo),
        checked,
        labelled(
            ui.word(Word::Reported),
            cells,
            ui.text(&result.reported_why),
        ),
    ];
    text.extend(decision_lines(state, result));
    text
}

fn decision_lines(state: &State, result: &PointResult) -> Vec<Line<'static>> {
    let ui = state.ui;
    let (word, kind) = verdict(ui.language, result);
    let verdict_span = Span::styled(format!(" {word}"), style::of_verdict(kind));
    let Some(decision) = &result.decision else {
        return vec![Line::from(verdict_span)];
    };
    let places = places_of(result.budget.expanded, 2);
    let mut text = vec![Line::from(vec![
        verdict_span,
        Span::raw(format!(
            "  {} {:.3}",
            ui.word(Word::Probability),
            decision.probability
        )),
        Span::styled(
            format!(
                "  [{}, {}]",
                signed(decision.acceptance_low, places),
                signed(decision.acceptance_high, places)
            ),
            style::DIM,
        ),
    ])];
    if let Some(note) = &decision.note {
        text.push(Line::styled(
            format!(" ! {}", ui.text(note)),
            style::WARNING,
        ));
    }
    text
}

/// Influence quantities, the largest share first.
pub fn budget_rows(state: &State, result: &PointResult, room: usize) -> Vec<Line<'static>> {
    let (ui, view) = (state.ui, state.shown());
    let unit = ui.unit(result.unit.difference());
    let wide = room >= 80;
    let name_cells = room.saturating_sub(if wide { 64 } else { 30 }).clamp(8, 44);
    let mut header = format!(" {} ", fitted(ui.word(Word::Influence), name_cells));
    if wide {
        for word in [
            "u(x)",
            ui.word(Word::Sensitivity),
            ui.word(Word::DegreesOfFreedom),
        ] {
            header.push_str(&right(word, 11));
        }
    }
    header.push_str(&right(
        &format!("{}/{unit}", ui.word(Word::Contribution)),
        11,
    ));
    header.push_str(&right(ui.word(Word::Share), 6));
    let mut rows: Vec<_> = result.budget.rows.iter().collect();
    rows.sort_by(|a, b| b.share.total_cmp(&a.share));
    let mut text = vec![Line::styled(header, style::DIM)];
    for row in rows {
        let title = ui.text(&view.captions.input(&result.measurand, &row.symbol));
        let mut line = format!(" {} ", fitted(&title, name_cells));
        if wide {
            let dof = if row.dof.is_finite() {
                format!("{:.0}", row.dof)
            } else {
                ui.word(Word::Infinite).to_owned()
            };
            line.push_str(&right(&figures(row.u), 11));
            line.push_str(&right(&figures(row.sensitivity), 11));
            line.push_str(&right(&dof, 11));
        }
        line.push_str(&right(&figures(row.contribution), 11));
        line.push_str(&right(&format!("{:.0} %", row.share * 100.0), 6));
        let bar = if wide { BAR } else { BAR - 4 };
        text.push(Line::from(vec![
            Span::raw(line),
            Span::styled(format!(" {}", share_bar(row.share, bar)), style::REFERENCE),
        ]));
    }
    text
}

fn share_bar(share: f64, cells: usize) -> String {
    let filled = share.clamp(0.0, 1.0) * cells as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0..=cells"
    )]
    let filled = filled.round() as usize;
    "█".repeat(filled)
}

/// Results of a mapped space: one table a quantity.
fn draw_mappings(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (ui, view) = (state.ui, state.shown());
    if view.mappings.is_empty() {
        let inside = panel(frame, area, ui.word(Word::ResultsTitle), true);
        let none = format!(" {}", ui.word(Word::NoResults));
        lines(frame, inside, vec![Line::styled(none, style::DIM)]);
        return;
    }
    let heights = view.mappings.iter().map(|_| Constraint::Fill(1));
    for (mapping, area) in view
        .mappings
        .iter()
        .zip(Layout::vertical(heights).split(area).iter())
    {
        draw_mapping(frame, state, *area, mapping);
    }
}

fn draw_mapping(frame: &mut Frame<'_>, state: &State, area: Rect, mapping: &MappingResult) {
    let ui = state.ui;
    let title = format!(
        "{}: {} ({})",
        ui.word(Word::Mapping),
        mapping.quantity,
        mapping.definition
    );
    let inside = panel(frame, area, &title, false);
    let unit = ui.unit(mapping.unit.difference());
    let result = format!(
        "{} ± {} {unit}",
        mapping.rounded.value, mapping.rounded.uncertainty
    );
    let mut text = vec![labelled(
        ui.word(Word::Result),
        20,
        ui.glyphs.spell(&result),
    )];
    for one in &mapping.characteristics {
        text.push(labelled(
            &ui.text(&one.title),
            40,
            format!("{} {unit}", figures(one.value)),
        ));
    }
    let words = [Word::Locations, Word::Mean, Word::Lowest, Word::Highest];
    let header: Vec<_> = words.map(|word| right(ui.word(word), 12)).into();
    text.push(Line::styled(header.concat(), style::DIM));
    for location in &mapping.locations {
        let numbers =
            [location.mean, location.min, location.max].map(|value| format!("{value:.2}"));
        let numbers: Vec<_> = numbers.iter().map(|number| right(number, 12)).collect();
        text.push(Line::raw(format!(
            "{}{}",
            right(&location.location, 12),
            numbers.concat()
        )));
    }
    frame.render_widget(
        Paragraph::new(text)
            .style(Style::new())
            .wrap(Wrap { trim: false }),
        inside,
    );
}
