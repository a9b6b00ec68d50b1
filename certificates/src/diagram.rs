//! Diagrams with words, as SVG files that stand alone: histograms, charts, fitted curves.
//!
//! Axes and marks are drawn by plotters, which cannot measure words; title, legend and names of
//! axes are set as text elements with fixed left ends.

use std::fmt::Write as _;

use heng_quantities::{Language, Text};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use quick_xml::escape::escape;
use unicode_width::UnicodeWidthStr;

use crate::CertificateError;
use crate::plot::{COLOURS, LIMIT, titled};

const WIDTH: u32 = 900;
/// Height of the drawing below title and legend, in pixels.
const HEIGHT: u32 = 360;
/// Height of the title, and of each line of the legend, in pixels.
const TITLE: u32 = 34;
const LEGEND_LINE: u32 = 24;
/// Height of the names below the abscissa, where there are any, in pixels.
const NAMES: u32 = 80;
/// Left margin of words, and length of the sample of a mark in the legend, in pixels.
const MARGIN: u32 = 16;
const SAMPLE: u32 = 30;

const PALE: RGBColor = RGBColor(200, 208, 216);

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// What is drawn: layers over each other, the first at the bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagram {
    pub title: Text,
    /// Name and unit of the abscissa, as printed.
    pub x_label: Text,
    /// Name and unit of the ordinate; empty where its numbers mean nothing to a reader, which
    /// are then left out.
    pub y_label: Text,
    /// Names of places on the abscissa, `(x, name)`, instead of numbers.
    pub x_names: Vec<(f64, String)>,
    pub layers: Vec<Layer>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// For the legend; empty where the mark speaks for itself.
    pub name: Text,
    pub style: Style,
    pub mark: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One of four colours, counted from 0.
    Series(usize),
    /// As the colour, dashed.
    Dashed(usize),
    /// Limits: red and dashed.
    Limit,
    /// What calls for attention: red.
    Signal,
    /// What is behind: grey.
    Pale,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// `(x, y)`.
    Points(Vec<(f64, f64)>),
    /// `(x, y, half length)`: points with bars.
    Bars(Vec<(f64, f64, f64)>),
    /// A line through the points. A break is a point that is not a number.
    Line(Vec<(f64, f64)>),
    /// Vertical lines.
    Verticals(Vec<f64>),
    /// `(left, right, height)` from zero up.
    Columns(Vec<(f64, f64, f64)>),
    /// Stretches of the abscissa over the whole height.
    Stretches(Vec<(f64, f64)>),
}

/// The diagram as an SVG file.
///
/// # Errors
/// [`CertificateError::Plot`] where there is nothing to draw, or a number is not finite.
pub fn diagram_svg(diagram: &Diagram, language: Language) -> Result<String, CertificateError> {
    let fail = |reason: &dyn std::fmt::Display| CertificateError::Plot {
        title: diagram.title.en.clone(),
        reason: reason.to_string(),
    };
    let [x, y] = ranges(diagram).map_err(|reason| fail(&reason))?;
    let names = if diagram.x_names.is_empty() { 0 } else { NAMES };
    let mut words = words(diagram, language, HEIGHT + names);
    let mut svg = String::new();
    {
        let size = (WIDTH, words.height + HEIGHT + names);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).map_err(|reason| fail(&reason))?;
        let (_, below) = area.split_vertically(words.height);
        let places = draw(&below, diagram, x, y, names).map_err(|reason| fail(&reason))?;
        area.present().map_err(|reason| fail(&reason))?;
        for ((_, name), place) in diagram.x_names.iter().zip(places) {
            words.svg.push_str(&slanted(name, place));
        }
    }
    let end = svg
        .rfind("</svg>")
        .ok_or_else(|| fail(&"the SVG has no end"))?;
    svg.insert_str(end, &words.svg);
    titled(svg, diagram.title.get(language)).map_err(|reason| fail(&reason))
}

impl Mark {
    /// What the axes must hold: abscissas and ordinates.
    fn reach(&self) -> (Vec<f64>, Vec<f64>) {
        match self {
            Self::Points(points) => points.iter().copied().unzip(),
            Self::Line(points) => {
                let drawn = points.iter().filter(|point| !point.1.is_nan());
                drawn.copied().unzip()
            }
            Self::Bars(bars) => {
                let ends = bars.iter().flat_map(|&(x, y, u)| [(x, y - u), (x, y + u)]);
                ends.unzip()
            }
            Self::Verticals(at) => (at.clone(), Vec::new()),
            Self::Columns(columns) => {
                let ends = columns
                    .iter()
                    .flat_map(|&(left, right, height)| [(left, 0.0), (right, height)]);
                ends.unzip()
            }
            Self::Stretches(stretches) => {
                let ends = stretches.iter().flat_map(|&(left, right)| [left, right]);
                (ends.collect(), Vec::new())
            }
        }
    }
}

fn ranges(diagram: &Diagram) -> Result<[(f64, f64); 2], &'static str> {
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for layer in &diagram.layers {
        let (x, y) = layer.mark.reach();
        xs.extend(x);
        ys.extend(y);
    }
    if ys.is_empty() {
        return Err("there is nothing to draw");
    }
    if !xs.iter().chain(&ys).all(|number| number.is_finite()) {
        return Err("a number is not finite");
    }
    let columns = |layer: &Layer| matches!(layer.mark, Mark::Columns(_));
    let [low, high] = [f64::min, f64::max].map(|of| ys.iter().copied().fold(ys[0], of));
    let y = if diagram.layers.iter().any(columns) {
        if high <= 0.0 {
            return Err("no column has a height");
        }
        // Columns stand on the axis.
        (low, low + 1.05 * (high - low))
    } else {
        widened((low, high), 0.06)
    };
    let [left, right] = [f64::min, f64::max].map(|of| xs.iter().copied().fold(xs[0], of));
    Ok([widened((left, right), 0.03), y])
}

/// A span with a margin on both sides; one of a single value gets a width that its digits show.
fn widened((low, high): (f64, f64), share: f64) -> (f64, f64) {
    let margin = if high > low {
        share * (high - low)
    } else {
        (low.abs() * 1e-3).max(f64::MIN_POSITIVE.sqrt())
    };
    (low - margin, high + margin)
}

/// Gives the pixel below the abscissa of every named place.
fn draw(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    diagram: &Diagram,
    x: (f64, f64),
    y: (f64, f64),
    names: u32,
) -> Result<Vec<(i32, i32)>, Box<dyn std::error::Error>> {
    let ordinate = !diagram.y_label.en.is_empty();
    let mut chart: Chart<'_, '_> = ChartBuilder::on(area)
        .margin(12)
        .margin_bottom(LEGEND_LINE + names)
        .x_label_area_size(34)
        .y_label_area_size(if ordinate { 84 } else { 0 })
        .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
    let mut mesh = chart.configure_mesh();
    mesh.x_labels(7)
        .y_labels(7)
        .label_style(("Noto Sans CJK SC", 17))
        .bold_line_style(RGBColor(225, 225, 225))
        .light_line_style(TRANSPARENT)
        .axis_style(BLACK);
    if !ordinate {
        mesh.disable_y_mesh();
    }
    let x_tick = |value: &f64| tick(*value, x.1 - x.0);
    let y_tick = |value: &f64| tick(*value, y.1 - y.0);
    let without = |_: &f64| String::new();
    mesh.y_label_formatter(&y_tick);
    if diagram.x_names.is_empty() {
        mesh.x_label_formatter(&x_tick).draw()?;
    } else {
        mesh.disable_x_mesh().x_label_formatter(&without).draw()?;
    }
    for layer in &diagram.layers {
        layer.draw(&mut chart, y)?;
    }
    let places = diagram.x_names.iter();
    Ok(places
        .map(|&(at, _)| chart.backend_coord(&(at, y.0)))
        .collect())
}

/// The name of a place under the abscissa, from its end downwards to the left.
fn slanted(name: &str, (x, y): (i32, i32)) -> String {
    let (name, y) = (escape(name), y + 14);
    format!(
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\" transform=\"rotate(-50 {x} {y})\" font-family=\"Noto Sans CJK SC, sans-serif\" font-size=\"15\">{name}</text>\n"
    )
}

impl Style {
    fn colour(self) -> RGBColor {
        match self {
            Self::Series(number) | Self::Dashed(number) => {
                let (r, g, b) = COLOURS[number % COLOURS.len()];
                RGBColor(r, g, b)
            }
            Self::Limit | Self::Signal => LIMIT,
            Self::Pale => PALE,
        }
    }

    const fn is_dashed(self) -> bool {
        matches!(self, Self::Dashed(_) | Self::Limit)
    }
}

impl Layer {
    fn draw(&self, chart: &mut Chart<'_, '_>, (bottom, top): (f64, f64)) -> Drawn {
        let colour = self.style.colour();
        match &self.mark {
            Mark::Points(points) => {
                let radius = if self.style == Style::Signal { 6 } else { 3 };
                let dot = |&at: &(f64, f64)| Circle::new(at, radius, colour.filled());
                chart.draw_series(points.iter().map(dot))?;
            }
            Mark::Bars(bars) => {
                for &(x, y, half) in bars {
                    self.line(chart, &[(x, y - half), (x, y + half)])?;
                    chart.draw_series([Circle::new((x, y), 4, colour.filled())])?;
                }
            }
            Mark::Line(points) => {
                for unbroken in points.split(|point| point.1.is_nan()) {
                    self.line(chart, unbroken)?;
                }
            }
            Mark::Verticals(at) => {
                for &x in at {
                    self.line(chart, &[(x, bottom), (x, top)])?;
                }
            }
            Mark::Columns(columns) => {
                chart.draw_series(columns.iter().map(|&(left, right, height)| {
                    Rectangle::new([(left, 0.0), (right, height)], colour.filled())
                }))?;
            }
            Mark::Stretches(stretches) => {
                let pale = colour.mix(0.18).filled();
                chart.draw_series(
                    stretches
                        .iter()
                        .map(|&(left, right)| Rectangle::new([(left, bottom), (right, top)], pale)),
                )?;
            }
        }
        Ok(())
    }

    fn line(&self, chart: &mut Chart<'_, '_>, points: &[(f64, f64)]) -> Drawn {
        let style = self.style.colour().stroke_width(2);
        if self.style.is_dashed() {
            let points = points.iter().copied();
            chart.draw_series(DashedLineSeries::new(points, 9, 6, style))?;
        } else {
            chart.draw_series([PathElement::new(points.to_vec(), style)])?;
        }
        Ok(())
    }
}

/// A tick label that tells neighbours apart, with as many digits as that takes.
pub(crate) fn tick(value: f64, span: f64) -> String {
    let step = format!("{:e}", span / 20.0);
    let power: i32 = step
        .rsplit('e')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let text = if power < -6 {
        // Relative to the step, so that all labels have the same last place.
        let leading = format!("{value:e}");
        let leading: i32 = leading
            .rsplit('e')
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        format!("{value:.*e}", usize::try_from(leading - power).unwrap_or(0))
    } else {
        format!("{value:.*}", usize::try_from(-power).unwrap_or(0))
    };
    // A tick just below zero must not be labelled as a negative zero.
    let zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    if zero {
        text.replace('-', "")
    } else {
        text.replace('-', "−")
    }
}

/// Text elements, and the height that those above the drawing take.
struct Words {
    svg: String,
    height: u32,
}

/// Pixels that words take at most, at the size of the legend.
fn pixels(words: &str) -> u32 {
    10 * u32::try_from(words.width()).unwrap_or(WIDTH)
}

fn words(diagram: &Diagram, language: Language, drawing: u32) -> Words {
    let mut svg = String::new();
    let say = |svg: &mut String, x: u32, y: u32, size: u32, words: &str| {
        let words = escape(words);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" font-family=\"Noto Sans CJK SC, sans-serif\" font-size=\"{size}\">{words}</text>"
        );
    };
    say(&mut svg, MARGIN, 24, 18, diagram.title.get(language));
    let (mut left, mut line) = (MARGIN, TITLE);
    for layer in &diagram.layers {
        let name = layer.name.get(language);
        if name.is_empty() {
            continue;
        }
        let needed = SAMPLE + 8 + pixels(name) + 24;
        if left > MARGIN && left + needed > WIDTH {
            (left, line) = (MARGIN, line + LEGEND_LINE);
        }
        svg.push_str(&sample(layer, left, line + LEGEND_LINE / 2));
        say(&mut svg, left + SAMPLE + 8, line + 17, 16, name);
        left += needed;
    }
    let legend = diagram.layers.iter().any(|layer| !layer.name.en.is_empty());
    let height = if legend { line + LEGEND_LINE } else { line };
    let y_label = diagram.y_label.get(language);
    let height = if y_label.is_empty() {
        height
    } else {
        say(&mut svg, MARGIN, height + 17, 16, y_label);
        height + LEGEND_LINE
    };
    let x_label = diagram.x_label.get(language);
    say(&mut svg, MARGIN, height + drawing - 6, 16, x_label);
    Words { svg, height }
}

/// The mark of a layer in the legend.
fn sample(layer: &Layer, left: u32, middle: u32) -> String {
    let RGBColor(r, g, b) = layer.style.colour();
    let colour = format!("#{r:02X}{g:02X}{b:02X}");
    match &layer.mark {
        Mark::Points(_) | Mark::Bars(_) => format!(
            "<circle cx=\"{}\" cy=\"{middle}\" r=\"5\" fill=\"{colour}\"/>\n",
            left + SAMPLE / 2
        ),
        Mark::Line(_) | Mark::Verticals(_) => {
            let dashes = if layer.style.is_dashed() {
                " stroke-dasharray=\"9 6\""
            } else {
                ""
            };
            format!(
                "<line x1=\"{left}\" y1=\"{middle}\" x2=\"{}\" y2=\"{middle}\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\n",
                left + SAMPLE
            )
        }
        Mark::Columns(_) | Mark::Stretches(_) => {
            let opacity = if matches!(layer.mark, Mark::Stretches(_)) {
                "0.18"
            } else {
                "1"
            };
            format!(
                "<rect x=\"{left}\" y=\"{}\" width=\"{SAMPLE}\" height=\"12\" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>\n",
                middle - 6
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: Text, style: Style, mark: Mark) -> Layer {
        Layer { name, style, mark }
    }

    fn histogram() -> Diagram {
        let columns = [0.25, 0.75, 0.75, 0.25].iter().zip(0_u32..);
        let columns = columns.map(|(&height, at)| {
            let left = 0.5 * f64::from(at);
            (left, left + 0.5, height)
        });
        Diagram {
            title: Text::new("Length <1>", "长度"),
            x_label: Text::same("l / nm"),
            y_label: Text::same(""),
            x_names: Vec::new(),
            layers: vec![
                layer(
                    Text::same(""),
                    Style::Pale,
                    Mark::Columns(columns.collect()),
                ),
                layer(
                    Text::new("Monte Carlo", "蒙特卡洛"),
                    Style::Series(0),
                    Mark::Verticals(vec![0.1, 1.9]),
                ),
                layer(
                    Text::new("first order", "一阶"),
                    Style::Dashed(1),
                    Mark::Line(vec![(0.0, 0.1), (1.0, 0.8), (2.0, 0.1)]),
                ),
            ],
        }
    }

    #[test]
    fn the_drawing_holds_columns_lines_and_their_names() {
        let svg = diagram_svg(&histogram(), Language::En).unwrap();
        assert_eq!(svg.matches("#C8D0D8").count(), 4);
        for words in [
            "<title>Length &lt;1&gt;</title>",
            "Monte Carlo",
            "first order",
            "l / nm",
        ] {
            assert!(svg.contains(words), "{words}");
        }
        let chinese = diagram_svg(&histogram(), Language::Zh).unwrap();
        assert!(chinese.contains("蒙特卡洛"));
        assert_eq!(svg, diagram_svg(&histogram(), Language::En).unwrap());
    }

    #[test]
    fn a_chart_names_its_places_and_breaks_its_lines() {
        let gap = (2.0, f64::NAN);
        let chart = Diagram {
            title: Text::same("laboratories"),
            x_label: Text::same("laboratory"),
            y_label: Text::same("x / mg"),
            x_names: vec![(1.0, "KRISS".to_owned()), (3.0, "LNE & co".to_owned())],
            layers: vec![
                layer(
                    Text::same("results"),
                    Style::Series(0),
                    Mark::Bars(vec![(1.0, 2.5, 0.1), (3.0, 2.7, 0.2)]),
                ),
                layer(
                    Text::same("limits"),
                    Style::Series(1),
                    Mark::Line(vec![(1.0, 2.0), gap, (3.0, 2.0), (3.5, 2.1)]),
                ),
                layer(
                    Text::same(""),
                    Style::Signal,
                    Mark::Points(vec![(3.0, 2.7)]),
                ),
                layer(
                    Text::same("steady"),
                    Style::Series(2),
                    Mark::Stretches(vec![(1.5, 2.5)]),
                ),
            ],
        };
        let svg = diagram_svg(&chart, Language::En).unwrap();
        assert!(svg.contains(">KRISS</text>") && svg.contains(">LNE &amp; co</text>"));
        // Two results, one signal, and the sample of the results in the legend.
        assert_eq!(svg.matches("<circle").count(), 4);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut empty = histogram();
        empty.layers.clear();
        let mut flat = histogram();
        flat.layers = vec![layer(
            Text::same(""),
            Style::Pale,
            Mark::Columns(vec![(0.0, 1.0, 0.0)]),
        )];
        let mut infinite = histogram();
        infinite.layers[1].mark = Mark::Verticals(vec![f64::INFINITY]);
        for wrong in [empty, flat, infinite] {
            let found = diagram_svg(&wrong, Language::En);
            assert!(matches!(found, Err(CertificateError::Plot { .. })));
        }
    }

    #[test]
    fn a_single_point_can_be_drawn() {
        let mut single = histogram();
        single.layers = vec![layer(
            Text::same(""),
            Style::Series(0),
            Mark::Points(vec![(0.0, 0.0)]),
        )];
        assert!(diagram_svg(&single, Language::En).is_ok());
    }

    #[test]
    fn ticks_differ_from_their_neighbours() {
        assert_eq!(tick(-0.25, 1.0), "−0.25");
        assert_eq!(tick(50_000_838.0, 190.0), "50000838");
        assert_eq!(tick(5.6704e-8, 1e-12), "5.670400e−8");
        assert_eq!(tick(-1e-12, 1.0), "0.00");
    }
}
