//! A record over time as SVG: readings, where they were steady, where they are missing.
//!
//! Axes and readings are drawn by plotters, which cannot measure words; titles, names and
//! times are set as text elements at the places that it gives.

use std::fmt::Write as _;

use heng_quantities::{Language, Text};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use quick_xml::escape::escape;

use crate::CertificateError;
use crate::diagram::tick;
use crate::plot::{COLOURS, LIMIT, span, titled, widened};

const WIDTH: u32 = 1000;
/// Height of the title and the legend, of each panel, and of the line of times.
const HEAD: u32 = 62;
const PANEL: u32 = 250;
const FOOT: u32 = 30;

/// Room for the numbers of the ordinate.
const LEFT: u32 = 70;
const MARGIN: u32 = 8;

const STEADY: RGBColor = RGBColor(205, 232, 205);
const GAP: RGBColor = RGBColor(226, 226, 226);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What is drawn. Times are seconds from the same moment everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendPlot {
    pub title: Text,
    pub panels: Vec<TrendPanel>,
    /// Stretches that are steady.
    pub steady: Vec<[f64; 2]>,
    /// Times with their names, where grid lines stand.
    pub ticks: Vec<(f64, String)>,
}

/// The readings of one signal, above each other on one axis of time.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendPanel {
    /// Name and unit of the signal.
    pub name: String,
    /// Runs without a gap; between them no line is drawn.
    pub runs: Vec<Vec<(f64, f64)>>,
    /// Limits of a window: its ends in time, and the lowest and highest value that it allows.
    pub windows: Vec<[f64; 4]>,
    /// Lowest and highest value that is near enough to the set point.
    pub band: Option<[f64; 2]>,
}

/// The record as an SVG file.
///
/// # Errors
/// [`CertificateError::Plot`] where there is no reading, or a number is not finite.
pub fn trend_svg(plot: &TrendPlot, language: Language) -> Result<String, CertificateError> {
    let fail = |reason: &dyn std::fmt::Display| CertificateError::Plot {
        title: plot.title.en.clone(),
        reason: reason.to_string(),
    };
    let without = |panel: &TrendPanel| points(panel).next().is_none();
    if plot.panels.is_empty() || plot.panels.iter().any(without) {
        return Err(fail(&"a signal has no reading"));
    }
    let panels = u32::try_from(plot.panels.len()).unwrap_or(0);
    let height = HEAD + PANEL * panels + FOOT;
    let times = plot.panels.iter().flat_map(points).map(|point| point.0);
    let x = bounded(times.chain(plot.steady.iter().flatten().copied()))
        .ok_or_else(|| fail(&"a time is not finite"))?;
    let mut svg = String::new();
    let mut words = head(plot, language);
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE).map_err(|reason| fail(&reason))?;
        for (number, panel) in plot.panels.iter().enumerate() {
            let top = HEAD + PANEL * u32::try_from(number).unwrap_or(0);
            let (_, below) = area.split_vertically(top);
            let (own, _) = below.split_vertically(PANEL);
            let places = draw(&own, plot, panel, x).map_err(|reason| fail(&reason))?;
            say(&mut words, LEFT, top + 2, 15, "start", &panel.name);
            if number + 1 == plot.panels.len() {
                for (at, name) in places {
                    say(&mut words, at, height - 10, 14, "middle", &name);
                }
            }
        }
        area.present().map_err(|reason| fail(&reason))?;
    }
    let end = svg.rfind("</svg>");
    let end = end.ok_or_else(|| fail(&"the SVG has no end"))?;
    svg.insert_str(end, &words);
    titled(svg, plot.title.get(language)).map_err(|reason| fail(&reason))
}

fn points(panel: &TrendPanel) -> impl Iterator<Item = &(f64, f64)> {
    panel.runs.iter().flatten()
}

/// The ends of an axis; none where there is no number, or one is not finite.
fn bounded(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = span(numbers);
    (low.is_finite() && high.is_finite()).then(|| widened((low, high)))
}

/// Draws a panel, and gives the places of the ticks in pixels, with their names.
fn draw(
    area: &Area<'_>,
    plot: &TrendPlot,
    panel: &TrendPanel,
    x: (f64, f64),
) -> Result<Vec<(u32, String)>, Box<dyn std::error::Error>> {
    let limits = panel
        .windows
        .iter()
        .flat_map(|window| [window[2], window[3]]);
    let band = panel.band.into_iter().flatten();
    let values = points(panel).map(|point| point.1);
    let y = bounded(values.chain(limits).chain(band));
    let y = y.ok_or("a reading or a limit is not finite")?;
    let mut chart: Chart<'_, '_> = ChartBuilder::on(area)
        .margin(MARGIN)
        .y_label_area_size(LEFT - MARGIN)
        .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
    for (stretches, colour) in [(gaps(panel), GAP), (plot.steady.clone(), STEADY)] {
        chart.draw_series(
            stretches
                .iter()
                .map(|&[from, to]| Rectangle::new([(from, y.0), (to, y.1)], colour.filled())),
        )?;
    }
    chart
        .configure_mesh()
        .disable_x_mesh()
        .y_labels(6)
        .y_label_formatter(&|value| tick(*value, y.1 - y.0))
        .label_style(("Noto Sans CJK SC", 15))
        .bold_line_style(RGBColor(215, 215, 215))
        .light_line_style(TRANSPARENT)
        .axis_style(BLACK)
        .draw()?;
    let ticks = plot.ticks.iter().filter(|(at, _)| *at >= x.0 && *at <= x.1);
    let grid = |(at, _): &(f64, String)| {
        PathElement::new(vec![(*at, y.0), (*at, y.1)], RGBColor(215, 215, 215))
    };
    chart.draw_series(ticks.clone().map(grid))?;
    let limit = LIMIT.stroke_width(2);
    for value in panel.band.into_iter().flatten() {
        chart.draw_series(DashedLineSeries::new(
            [(x.0, value), (x.1, value)],
            9,
            6,
            limit,
        ))?;
    }
    let colour = RGBColor(COLOURS[0].0, COLOURS[0].1, COLOURS[0].2);
    for run in &panel.runs {
        chart.draw_series(LineSeries::new(run.iter().copied(), colour.stroke_width(1)))?;
        // A reading between two gaps has no line.
        if let [alone] = run.as_slice() {
            chart.draw_series([Circle::new(*alone, 2, colour.filled())])?;
        }
    }
    chart.draw_series(
        panel
            .windows
            .iter()
            .map(|&[from, to, low, high]| Rectangle::new([(from, low), (to, high)], limit)),
    )?;
    let pixel = |(at, name): &(f64, String)| {
        let (column, _) = chart.backend_coord(&(*at, y.0));
        (u32::try_from(column).unwrap_or(0), name.clone())
    };
    Ok(ticks.map(pixel).collect())
}

/// Times between the runs.
fn gaps(panel: &TrendPanel) -> Vec<[f64; 2]> {
    let ends = panel.runs.windows(2);
    let gap = |pair: &[Vec<(f64, f64)>]| Some([pair[0].last()?.0, pair[1].first()?.0]);
    ends.filter_map(gap).collect()
}

fn say(svg: &mut String, x: u32, y: u32, size: u32, anchor: &str, words: &str) {
    let words = escape(words);
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" font-family=\"Noto Sans CJK SC, sans-serif\" font-size=\"{size}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// Title and legend.
fn head(plot: &TrendPlot, language: Language) -> String {
    let mut svg = String::new();
    say(&mut svg, MARGIN, 20, 17, "start", plot.title.get(language));
    let colour = |RGBColor(r, g, b): RGBColor| format!("#{r:02X}{g:02X}{b:02X}");
    let entries = [
        (Text::new("steady", "稳定"), STEADY, true),
        (Text::new("gap", "间断"), GAP, true),
        (
            Text::new(
                "first window of a stretch and its limits",
                "各稳定段首窗口及限值",
            ),
            LIMIT,
            false,
        ),
    ];
    let mut left = LEFT;
    for (words, shade, filled) in entries {
        let shade = colour(shade);
        let fill = if filled { shade.as_str() } else { "none" };
        let _ = writeln!(
            svg,
            "<rect x=\"{left}\" y=\"30\" width=\"22\" height=\"12\" fill=\"{fill}\" stroke=\"{shade}\" stroke-width=\"2\"/>"
        );
        say(&mut svg, left + 30, 41, 14, "start", words.get(language));
        left += 130;
    }
    if plot.panels.iter().any(|panel| panel.band.is_some()) {
        left += 190;
        let shade = colour(LIMIT);
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"36\" x2=\"{}\" y2=\"36\" stroke=\"{shade}\" stroke-width=\"2\" stroke-dasharray=\"9 6\"/>",
            left + 30
        );
        let words = Text::new("limits around the set point", "设定值附近的限值");
        say(&mut svg, left + 38, 41, 14, "start", words.get(language));
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> TrendPlot {
        TrendPlot {
            title: Text::new("Room <1>", "房间"),
            panels: vec![TrendPanel {
                name: "t / °C".to_owned(),
                runs: vec![
                    vec![(0.0, 20.0), (60.0, 20.1), (120.0, 20.0)],
                    vec![(600.0, 20.3)],
                ],
                windows: vec![[0.0, 120.0, 19.95, 20.15]],
                band: Some([19.5, 20.5]),
            }],
            steady: vec![[120.0, 180.0]],
            ticks: vec![(0.0, "10:00".to_owned()), (9e9, "never".to_owned())],
        }
    }

    #[test]
    fn the_drawing_holds_readings_stretches_gaps_limits_and_times() {
        let svg = trend_svg(&plot(), Language::En).unwrap();
        // Once in the drawing and once (twice with its edge) in the legend.
        assert_eq!(svg.matches("#CDE8CD").count(), 3, "steady");
        assert_eq!(svg.matches("#E2E2E2").count(), 3, "gap");
        assert_eq!(svg.matches("<circle").count(), 1, "the reading alone");
        for words in ["<title>Room &lt;1&gt;</title>", "t / °C", "10:00", "steady"] {
            assert!(svg.contains(words), "{words}");
        }
        assert!(!svg.contains("never"), "a time outside of the axis");
        let zh = trend_svg(&plot(), Language::Zh).unwrap();
        assert!(zh.contains("稳定") && zh.contains("房间"));
        assert_eq!(svg, trend_svg(&plot(), Language::En).unwrap());
    }

    #[test]
    fn every_signal_has_a_panel_of_its_own() {
        let mut two = plot();
        let mut other = two.panels[0].clone();
        "d / K".clone_into(&mut other.name);
        two.panels.push(other);
        let svg = trend_svg(&two, Language::En).unwrap();
        assert!(svg.contains("t / °C") && svg.contains("d / K"));
        assert_eq!(svg.matches("10:00").count(), 1);
        assert!(svg.contains(&format!("height=\"{}\"", HEAD + 2 * PANEL + FOOT)));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let with = |change: &dyn Fn(&mut TrendPlot)| {
            let mut plot = plot();
            change(&mut plot);
            trend_svg(&plot, Language::En)
        };
        let cases: [&dyn Fn(&mut TrendPlot); 4] = [
            &|plot| plot.panels.clear(),
            &|plot| {
                plot.panels[0].runs.clear();
                plot.steady.clear();
            },
            &|plot| plot.panels[0].runs[0][1].1 = f64::NAN,
            &|plot| plot.panels[0].runs[0][1].0 = f64::INFINITY,
        ];
        for change in cases {
            assert!(matches!(with(change), Err(CertificateError::Plot { .. })));
        }
    }
}
