//! Curves over time and errors over points, drawn with as few cells as a terminal has.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Context, Line as Stroke, Points};

use super::format::{places_of, right, width};
use super::glyphs::Glyphs;
use super::style;
use super::view::Sample;

/// One curve; `label` stands at its newest sample.
pub struct Curve<'a> {
    pub samples: &'a [Sample],
    pub label: &'static str,
    pub style: Style,
    /// Joined by lines, or separate dots: the two curves differ without colour.
    pub joined: bool,
}

/// Values inside which the signal has to stay, over the stability window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    pub from_us: u64,
    pub low: f64,
    pub high: f64,
}

/// Signals over time, the newest on the right.
pub struct TimeChart<'a> {
    pub curves: Vec<Curve<'a>>,
    pub from_us: u64,
    pub to_us: u64,
    pub band: Option<Band>,
    pub set_point: Option<f64>,
    pub glyphs: Glyphs,
    pub now: &'static str,
    pub minutes: &'static str,
}

/// Ticks at 1, 2 or 5 times a power of ten, at most `count` of them, and their places.
pub fn ticks(low: f64, high: f64, count: usize) -> (Vec<f64>, usize) {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) || count == 0 {
        return (Vec::new(), 0);
    }
    let raw = span / count as f64;
    let power = 10_f64.powf(raw.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let step = factors
        .iter()
        .map(|factor| factor * power)
        .find(|step| *step >= raw * (1.0 - 1e-9));
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step).ceil();
    // Adding zero turns a negative zero into the one that people write.
    let values = (0..=count).map(|index| (first + index as f64) * step + 0.0);
    let values = values
        .take_while(|value| *value <= high + step * 1e-9)
        .collect();
    (values, places_of(step, 1))
}

impl TimeChart<'_> {
    fn visible<'b>(&self, curve: &'b Curve<'_>) -> &'b [Sample] {
        let from = curve
            .samples
            .partition_point(|sample| sample.t_us < self.from_us);
        &curve.samples[from..]
    }

    /// Lowest and highest of what is drawn, with some air.
    fn bounds(&self) -> Option<[f64; 2]> {
        let values = self
            .curves
            .iter()
            .flat_map(|curve| self.visible(curve).iter().map(|sample| sample.value));
        let band = self.band.iter().flat_map(|band| [band.low, band.high]);
        let mut bounds: Option<[f64; 2]> = None;
        for value in values.chain(band).filter(|value| value.is_finite()) {
            let [low, high] = bounds.unwrap_or([value, value]);
            bounds = Some([low.min(value), high.max(value)]);
        }
        let [low, high] = bounds?;
        let air = ((high - low) * 0.06).max(high.abs().max(1.0) * 1e-6);
        Some([low - air, high + air])
    }

    fn x(&self, t_us: u64) -> f64 {
        (t_us as f64 - self.to_us as f64) * 1e-6
    }

    fn paint(&self, context: &mut Context<'_>, [low, high]: [f64; 2]) {
        let colour = |style: Style| style.fg.unwrap_or(Color::Reset);
        if let Some(set) = self.set_point.filter(|set| (low..high).contains(set)) {
            let from = self.x(self.from_us);
            let dots: Vec<_> = (0..30)
                .map(|at| (from * f64::from(at) / 30.0, set))
                .collect();
            context.draw(&Points {
                coords: &dots,
                color: colour(style::DIM),
            });
        }
        if let Some(band) = self.band {
            let x1 = self.x(band.from_us.max(self.from_us));
            for y in [band.low, band.high] {
                let edge = Stroke {
                    x1,
                    y1: y,
                    x2: 0.0,
                    y2: y,
                    color: colour(style::BAND),
                };
                context.draw(&edge);
            }
        }
        for curve in &self.curves {
            context.layer();
            let samples = self.visible(curve);
            let dots: Vec<_> = samples
                .iter()
                .map(|sample| (self.x(sample.t_us), sample.value))
                .collect();
            if curve.joined {
                for pair in dots.windows(2) {
                    let [(x1, y1), (x2, y2)] = [pair[0], pair[1]];
                    context.draw(&Stroke {
                        x1,
                        y1,
                        x2,
                        y2,
                        color: colour(curve.style),
                    });
                }
            }
            context.draw(&Points {
                coords: &dots,
                color: colour(curve.style),
            });
        }
    }

    fn draw_axis(&self, area: Rect, buffer: &mut Buffer) {
        let minutes = (self.to_us - self.from_us) as f64 / 60e6;
        let middle = format!("-{:.0}", minutes / 2.0);
        let start = format!("-{minutes:.0} {}", self.minutes);
        buffer.set_stringn(area.x, area.y, &start, usize::from(area.width), style::DIM);
        let labels = [(area.width / 2, middle.as_str()), (area.width, self.now)];
        for (at, label) in labels {
            let cells = u16::try_from(width(label)).unwrap_or(0);
            let x = area.x + at.saturating_sub(if at == area.width { cells } else { cells / 2 });
            if at > u16::try_from(width(&start)).unwrap_or(0) + cells {
                let room = usize::from(area.right().saturating_sub(x));
                buffer.set_stringn(x, area.y, label, room, style::DIM);
            }
        }
    }

    /// Letters in the column at the right edge, where each curve ends.
    fn draw_labels(&self, area: Rect, [low, high]: [f64; 2], buffer: &mut Buffer) {
        let mut taken: Option<(u16, f64)> = None;
        for curve in &self.curves {
            let Some(last) = self.visible(curve).last() else {
                continue;
            };
            let share = ((high - last.value) / (high - low)).clamp(0.0, 1.0);
            let row = (share * f64::from(area.height - 1)).round();
            // Truncation is harmless: the row lies inside the area.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0..height"
            )]
            let mut row = row as u16;
            if let Some((other, value)) = taken
                && other == row
            {
                let above = last.value > value && row > 0 || row + 1 >= area.height;
                row = if above {
                    row.saturating_sub(1)
                } else {
                    row + 1
                };
            }
            taken = Some((row, last.value));
            buffer.set_stringn(area.x, area.y + row, curve.label, 1, curve.style);
        }
    }
}

impl Widget for TimeChart<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let Some(bounds) = self.bounds() else { return };
        if area.height < 3 || area.width < 20 || self.to_us <= self.from_us {
            return;
        }
        let rows = area.height - 1;
        let (plot, gutter) = frame(area, bounds, rows, buffer);
        let canvas = Canvas::default()
            .marker(self.glyphs.marker())
            .x_bounds([self.x(self.from_us), 0.0])
            .y_bounds(bounds)
            .paint(|context| self.paint(context, bounds));
        canvas.render(
            Rect {
                width: plot.width - 1,
                ..plot
            },
            buffer,
        );
        self.draw_labels(
            Rect {
                x: plot.right() - 1,
                width: 1,
                ..plot
            },
            bounds,
            buffer,
        );
        let axis = Rect {
            y: area.y + rows,
            height: 1,
            x: area.x + gutter,
            width: plot.width,
        };
        self.draw_axis(axis, buffer);
    }
}

/// Draws the labels of the value axis; gives the room that is left and the gutter's width.
fn frame(area: Rect, [low, high]: [f64; 2], rows: u16, buffer: &mut Buffer) -> (Rect, u16) {
    let (values, places) = ticks(low, high, usize::from(rows / 2).max(2));
    let labels: Vec<_> = values
        .iter()
        .map(|value| format!("{value:.places$}"))
        .collect();
    let widest = labels
        .iter()
        .map(|label| width(label))
        .max()
        .unwrap_or(0)
        .max(4);
    let gutter = u16::try_from(widest + 2)
        .unwrap_or(u16::MAX)
        .min(area.width / 2);
    for (value, label) in values.iter().zip(&labels) {
        let share = ((high - value) / (high - low)).clamp(0.0, 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0..rows"
        )]
        let row = (share * f64::from(rows - 1)).round() as u16;
        let label = right(label, widest);
        buffer.set_stringn(area.x, area.y + row, label, usize::from(gutter), style::DIM);
    }
    let plot = Rect {
        x: area.x + gutter,
        width: area.width - gutter,
        height: rows,
        ..area
    };
    (plot, gutter)
}

/// One point of an error plot.
pub struct ErrorBar {
    pub error: f64,
    pub expanded: f64,
    pub label: String,
    pub symbol: &'static str,
    pub style: Style,
    pub selected: bool,
}

/// Errors with their uncertainty against the limits, one column a point.
pub struct ErrorChart {
    pub bars: Vec<ErrorBar>,
    pub limits: Option<[f64; 2]>,
}

impl ErrorChart {
    fn bounds(&self) -> [f64; 2] {
        let limits = self.limits.into_iter().flatten();
        let ends = self
            .bars
            .iter()
            .flat_map(|bar| [bar.error - bar.expanded, bar.error + bar.expanded]);
        let (low, high) = limits
            .chain(ends)
            .filter(|value| value.is_finite())
            .fold((0.0_f64, 0.0_f64), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let air = ((high - low) * 0.05).max(1e-9);
        [low - air, high + air]
    }
}

impl Widget for ErrorChart {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.height < 4 || area.width < 16 || self.bars.is_empty() {
            return;
        }
        let rows = area.height - 1;
        let [low, high] = self.bounds();
        let (plot, _) = frame(area, [low, high], rows, buffer);
        let row = |value: f64| {
            let share = ((high - value) / (high - low)).clamp(0.0, 1.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0..rows"
            )]
            let row = (share * f64::from(rows - 1)).round() as u16;
            plot.y + row
        };
        for limit in self
            .limits
            .into_iter()
            .flatten()
            .filter(|limit| limit.is_finite())
        {
            let dashes = "- ".repeat(usize::from(plot.width / 2));
            buffer.set_stringn(
                plot.x,
                row(limit),
                dashes,
                usize::from(plot.width),
                style::WARNING,
            );
        }
        let count = u16::try_from(self.bars.len()).unwrap_or(u16::MAX);
        let pitch = (plot.width / count).max(1);
        for (at, bar) in (0_u16..).zip(&self.bars) {
            let x = plot.x + at.saturating_mul(pitch).saturating_add(pitch / 2);
            if x >= plot.right() {
                break;
            }
            for y in row(bar.error + bar.expanded)..=row(bar.error - bar.expanded) {
                buffer.set_string(x, y, "│", bar.style);
            }
            buffer.set_string(x, row(bar.error), bar.symbol, bar.style);
            let cells = width(&bar.label);
            if cells < usize::from(pitch) {
                let left = x.saturating_sub(u16::try_from(cells / 2).unwrap_or(0));
                let style = if bar.selected {
                    style::SELECTED
                } else {
                    style::DIM
                };
                buffer.set_string(left, area.y + rows, &bar.label, style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        for (low, high, count, expected, places) in [
            (0.0, 10.0, 5, vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0], 0),
            (-0.26, 0.3, 6, vec![-0.2, -0.1, 0.0, 0.1, 0.2, 0.3], 1),
            (
                22.91,
                23.68,
                8,
                vec![23.0, 23.1, 23.2, 23.3, 23.4, 23.5, 23.6],
                1,
            ),
            (950.0, 1050.0, 2, vec![950.0, 1000.0, 1050.0], 0),
        ] {
            let (values, found) = ticks(low, high, count);
            assert_eq!(found, places, "{low}..{high}");
            assert_eq!(values.len(), expected.len(), "{values:?}");
            for (value, due) in values.iter().zip(&expected) {
                assert!((value - due).abs() < 1e-9, "{values:?}");
            }
        }
        assert!(ticks(1.0, 1.0, 5).0.is_empty());
        assert!(ticks(f64::NAN, 1.0, 5).0.is_empty());
    }
}
