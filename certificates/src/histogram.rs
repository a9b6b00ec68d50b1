//! The histogram of a Monte Carlo run as SVG, with the curve of another method over it.
//!
//! Axes and bars are drawn by plotters, which cannot measure words; the legend and the axis
//! name are set as text elements with fixed left ends.

use std::fmt::Write as _;

use heng_quantities::{Language, Text};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use quick_xml::escape::escape;

use crate::CertificateError;
use crate::plot::COLOURS;

const SIZE: (u32, u32) = (900, 420);

/// Height of the band above the bars in which the legend stands, in pixels.
const LEGEND: u32 = 70;

const BARS: RGBColor = RGBColor(200, 208, 216);

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What is drawn. Numbers are in the unit of the quantity, heights in its inverse.
#[derive(Debug, Clone, PartialEq)]
pub struct DensityPlot {
    pub title: Text,
    pub symbol: String,
    pub unit: String,
    /// Left end of the first bar, and the width of each.
    pub low: f64,
    pub width: f64,
    pub heights: Vec<f64>,
    /// Density of the other method; may be empty.
    pub curve: Vec<(f64, f64)>,
    /// The first belongs to the bars, the second to the curve.
    pub intervals: Vec<Interval>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    pub name: Text,
    pub ends: [f64; 2],
}

/// The histogram as an SVG file.
///
/// # Errors
/// [`CertificateError::Plot`] where there is no bar, or a number is not finite.
pub fn density_svg(plot: &DensityPlot, language: Language) -> Result<String, CertificateError> {
    let fail = |reason: &dyn std::fmt::Display| CertificateError::Plot {
        title: plot.title.en.clone(),
        reason: reason.to_string(),
    };
    let [x, y] = ranges(plot).map_err(|reason| fail(&reason))?;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let (_, below) = area.split_vertically(LEGEND);
        draw(&below, plot, x, y).map_err(|reason| fail(&reason))?;
        area.present().map_err(|reason| fail(&reason))?;
    }
    let end = svg
        .rfind("</svg>")
        .ok_or_else(|| fail(&"the SVG has no end"))?;
    svg.insert_str(end, &legend(plot, language));
    let head = svg
        .find("xmlns")
        .and_then(|at| svg[at..].find('>').map(|end| at + end + 1));
    let at = head.ok_or_else(|| fail(&"the SVG has no root element"))?;
    let title = escape(plot.title.get(language)).into_owned();
    svg.insert_str(at, &format!("\n<title>{title}</title>"));
    Ok(svg)
}

fn ranges(plot: &DensityPlot) -> Result<[(f64, f64); 2], &'static str> {
    if plot.heights.is_empty() {
        return Err("it has no bars");
    }
    let high = plot.low + plot.width * plot.heights.len() as f64;
    let ends = plot.intervals.iter().flat_map(|interval| interval.ends);
    let xs = ends.chain([plot.low, high]);
    let (left, right) = xs.fold((f64::INFINITY, f64::NEG_INFINITY), |(left, right), x| {
        if x.is_finite() {
            (left.min(x), right.max(x))
        } else {
            (f64::NAN, f64::NAN)
        }
    });
    let curve = plot.curve.iter().map(|point| point.1);
    let top = plot
        .heights
        .iter()
        .copied()
        .chain(curve)
        .fold(0.0, |top: f64, height| {
            if height.is_finite() {
                top.max(height)
            } else {
                f64::NAN
            }
        });
    if !(left < right && top > 0.0 && (right - left).is_finite() && top.is_finite()) {
        return Err("a number is not finite, or the result does not vary");
    }
    let margin = 0.03 * (right - left);
    Ok([(left - margin, right + margin), (0.0, 1.05 * top)])
}

fn draw(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    plot: &DensityPlot,
    x: (f64, f64),
    y: (f64, f64),
) -> Result<(), Box<dyn std::error::Error>> {
    let mut chart: Chart<'_, '_> = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(34)
        .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_labels(7)
        .x_label_formatter(&|value| tick(*value, x.1 - x.0))
        .label_style(("Noto Sans CJK SC", 17))
        .bold_line_style(RGBColor(225, 225, 225))
        .light_line_style(TRANSPARENT)
        .axis_style(BLACK)
        .draw()?;
    chart.draw_series(plot.heights.iter().enumerate().map(|(number, &height)| {
        let left = plot.low + plot.width * number as f64;
        Rectangle::new([(left, 0.0), (left + plot.width, height)], BARS.filled())
    }))?;
    let curve = colour(1).stroke_width(2);
    chart.draw_series(LineSeries::new(plot.curve.iter().copied(), curve))?;
    for (number, interval) in plot.intervals.iter().enumerate() {
        for end in interval.ends {
            let line = [(end, y.0), (end, y.1)];
            let style = colour(number).stroke_width(2);
            if number == 0 {
                chart.draw_series([PathElement::new(line, style)])?;
            } else {
                chart.draw_series(DashedLineSeries::new(line, 9, 6, style))?;
            }
        }
    }
    Ok(())
}

fn colour(number: usize) -> RGBColor {
    let (r, g, b) = COLOURS[number % COLOURS.len()];
    RGBColor(r, g, b)
}

/// A tick label that tells neighbours apart, with as many digits as that takes.
fn tick(value: f64, span: f64) -> String {
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
    let zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    if zero {
        text.replace('-', "")
    } else {
        text.replace('-', "−")
    }
}

fn legend(plot: &DensityPlot, language: Language) -> String {
    let mut svg = String::new();
    let mut say = |x: u32, y: u32, size: u32, words: &str| {
        let words = escape(words);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" font-family=\"Noto Sans CJK SC, sans-serif\" font-size=\"{size}\">{words}</text>"
        );
    };
    let unit = if plot.unit.is_empty() {
        String::new()
    } else {
        format!(" / {}", plot.unit)
    };
    say(16, 24, 18, plot.title.get(language));
    say(16, SIZE.1 - 6, 16, &format!("{}{unit}", plot.symbol));
    for (number, interval) in plot.intervals.iter().enumerate() {
        let left = 16 + 430 * u32::try_from(number).unwrap_or(0);
        say(left + 38, 52, 16, interval.name.get(language));
    }
    for number in 0..plot.intervals.len() {
        let left = 16 + 430 * number;
        let RGBColor(r, g, b) = colour(number);
        let dashes = if number == 0 {
            ""
        } else {
            " stroke-dasharray=\"9 6\""
        };
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"47\" x2=\"{}\" y2=\"47\" stroke=\"#{r:02X}{g:02X}{b:02X}\" stroke-width=\"2\"{dashes}/>",
            left + 30
        );
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> DensityPlot {
        DensityPlot {
            title: Text::new("Length <1>", "长度"),
            symbol: "l".to_owned(),
            unit: "nm".to_owned(),
            low: 0.0,
            width: 0.5,
            heights: vec![0.25, 0.75, 0.75, 0.25],
            curve: vec![(0.0, 0.1), (1.0, 0.8), (2.0, 0.1)],
            intervals: vec![
                Interval {
                    name: Text::new("Monte Carlo", "蒙特卡洛"),
                    ends: [0.1, 1.9],
                },
                Interval {
                    name: Text::new("first order", "一阶"),
                    ends: [0.2, 1.8],
                },
            ],
        }
    }

    #[test]
    fn the_drawing_holds_bars_curve_intervals_and_their_names() {
        let svg = density_svg(&plot(), Language::En).unwrap();
        assert_eq!(svg.matches("#C8D0D8").count(), 4);
        for words in [
            "<title>Length &lt;1&gt;</title>",
            "Monte Carlo",
            "first order",
            "l / nm",
        ] {
            assert!(svg.contains(words), "{words}");
        }
        assert!(
            density_svg(&plot(), Language::Zh)
                .unwrap()
                .contains("蒙特卡洛")
        );
        assert_eq!(svg, density_svg(&plot(), Language::En).unwrap());
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let empty = DensityPlot {
            heights: Vec::new(),
            ..plot()
        };
        let infinite = DensityPlot {
            width: f64::INFINITY,
            ..plot()
        };
        let narrow = DensityPlot {
            width: 0.0,
            intervals: Vec::new(),
            ..plot()
        };
        for wrong in [empty, infinite, narrow] {
            let found = density_svg(&wrong, Language::En);
            assert!(matches!(found, Err(CertificateError::Plot { .. })));
        }
    }

    #[test]
    fn ticks_differ_from_their_neighbours() {
        assert_eq!(tick(-0.25, 1.0), "−0.25");
        assert_eq!(tick(50_000_838.0, 190.0), "50000838");
        assert_eq!(tick(5.6704e-8, 1e-12), "5.670400e−8");
        assert_eq!(tick(-1e-12, 1.0), "0.00");
    }
}
