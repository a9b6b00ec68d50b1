//! Diagrams of errors as SVG, drawn by plotters.
//!
//! The drawing holds digits only: without a shaping engine plotters cannot measure words, so
//! titles, axis names and legend are set by the typesetter around it, and a standing-alone
//! file carries them in its `title` element.

use std::fmt::Display;

use heng_quantities::Language;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::CertificateError;
use crate::diagram::tick;
use crate::document::{Plot, PlotPoint};

const SIZE: (u32, u32) = (900, 330);

/// Colour of a series: dark enough for paper, apart for the colour-blind (Okabe and Ito 2008).
pub(crate) const COLOURS: [(u8, u8, u8); 4] =
    [(0, 90, 160), (190, 70, 0), (0, 120, 90), (120, 60, 130)];
pub(crate) const LIMIT: RGBColor = RGBColor(170, 0, 0);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The diagram as an SVG file: points with bars of ± U, limits dashed.
///
/// # Errors
/// [`CertificateError::Plot`] where there is no point or a number is not finite.
pub fn plot_svg(plot: &Plot, language: Language) -> Result<String, CertificateError> {
    let [x_range, y_range] = ranges(plot)?;
    let fail = |reason: &dyn Display| refuse(plot, reason);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw(&area, plot, x_range, y_range).map_err(|reason| fail(&reason))?;
        area.present().map_err(|reason| fail(&reason))?;
    }
    let title = format!(
        "{}: {} ({}), {} ({})",
        plot.title.get(language),
        plot.x_label.get(language),
        plot.x_unit,
        plot.y_label.get(language),
        plot.y_unit
    );
    titled(svg, &title).map_err(|reason| fail(&reason))
}

/// The drawing with a title, which a file that stands alone is named by.
pub(crate) fn titled(mut svg: String, title: &str) -> Result<String, &'static str> {
    let head = svg
        .find("xmlns")
        .and_then(|at| svg[at..].find('>').map(|end| at + end + 1));
    let at = head.ok_or("the SVG has no root element")?;
    let title = quick_xml::escape::escape(title);
    svg.insert_str(at, &format!("\n<title>{title}</title>"));
    Ok(svg)
}

fn refuse(plot: &Plot, reason: &dyn Display) -> CertificateError {
    CertificateError::Plot {
        title: plot.title.en.clone(),
        reason: reason.to_string(),
    }
}

/// Both axes with a margin; the ordinate always shows zero, as errors are judged against it.
fn ranges(plot: &Plot) -> Result<[(f64, f64); 2], CertificateError> {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    if points().next().is_none() {
        return Err(refuse(plot, &"it has no points"));
    }
    let limits = plot.limit_low.into_iter().chain(plot.limit_high);
    let ys = points()
        .flat_map(|p| [p.y - p.u, p.y + p.u])
        .chain(limits)
        .chain([0.0]);
    let x = span(points().map(|p| p.x));
    let y = span(ys);
    if ![x.0, x.1, y.0, y.1].iter().all(|edge| edge.is_finite()) {
        return Err(refuse(plot, &"a number is not finite"));
    }
    Ok([widened(x), widened(y)])
}

/// Smallest and largest number; not a number where one of them is not finite.
pub(crate) fn span(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let unbounded = (f64::INFINITY, f64::NEG_INFINITY);
    numbers.fold(unbounded, |(low, high), number| {
        if number.is_finite() && !low.is_nan() {
            (low.min(number), high.max(number))
        } else {
            (f64::NAN, f64::NAN)
        }
    })
}

pub(crate) fn widened((low, high): (f64, f64)) -> (f64, f64) {
    let margin = if high > low { 0.06 * (high - low) } else { 1.0 };
    (low - margin, high + margin)
}

fn draw(
    area: &Area<'_>,
    plot: &Plot,
    x: (f64, f64),
    y: (f64, f64),
) -> Result<(), Box<dyn std::error::Error>> {
    let mut chart: Chart<'_, '_> = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(64)
        .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
    chart
        .configure_mesh()
        .x_labels(9)
        .y_labels(7)
        .x_label_formatter(&|value| tick(*value, x.1 - x.0))
        .y_label_formatter(&|value| tick(*value, y.1 - y.0))
        .label_style(("Noto Sans CJK SC", 17))
        .bold_line_style(RGBColor(215, 215, 215))
        .light_line_style(TRANSPARENT)
        .axis_style(BLACK)
        .draw()?;
    chart.draw_series([PathElement::new(vec![(x.0, 0.0), (x.1, 0.0)], BLACK)])?;
    for limit in [plot.limit_low, plot.limit_high].into_iter().flatten() {
        let line = [(x.0, limit), (x.1, limit)];
        let style = LIMIT.stroke_width(2);
        chart.draw_series(DashedLineSeries::new(line, 9, 6, style))?;
    }
    // Series measured at the same points stand side by side; the step is for the eye only.
    let step = 0.008 * (x.1 - x.0);
    let middle = (plot.series.len() as f64 - 1.0) / 2.0;
    for (number, series) in plot.series.iter().enumerate() {
        let (r, g, b) = COLOURS[number % COLOURS.len()];
        let colour = RGBColor(r, g, b);
        for point in &series.points {
            let beside = PlotPoint {
                x: point.x + step * (number as f64 - middle),
                ..point.clone()
            };
            bar(&mut chart, &beside, colour)?;
            marker(&mut chart, &beside, colour, number)?;
        }
    }
    Ok(())
}

/// The bar of ± U with its two caps, whose width is in pixels.
fn bar(
    chart: &mut Chart<'_, '_>,
    point: &PlotPoint,
    colour: RGBColor,
) -> Result<(), Box<dyn std::error::Error>> {
    let style = colour.stroke_width(2);
    let (low, high) = (point.y - point.u, point.y + point.u);
    chart.draw_series([PathElement::new(
        vec![(point.x, low), (point.x, high)],
        style,
    )])?;
    for end in [low, high] {
        let cap = EmptyElement::at((point.x, end)) + PathElement::new(vec![(-6, 0), (6, 0)], style);
        chart.draw_series([cap])?;
    }
    Ok(())
}

/// Circle, triangle, square, diamond: the series differ without their colours too.
fn marker(
    chart: &mut Chart<'_, '_>,
    point: &PlotPoint,
    colour: RGBColor,
    number: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let at = (point.x, point.y);
    let outline = match number % COLOURS.len() {
        0 => {
            chart.draw_series([Circle::new(at, 5, colour.filled())])?;
            return Ok(());
        }
        1 => vec![(0, -7), (6, 5), (-6, 5)],
        2 => vec![(-5, -5), (5, -5), (5, 5), (-5, 5)],
        _ => vec![(0, -7), (7, 0), (0, 7), (-7, 0)],
    };
    chart.draw_series([EmptyElement::at(at) + Polygon::new(outline, colour.filled())])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_drawing_holds_every_point_and_both_limits() {
        let plot = &sample::thermo_hygrometer().plots[0];
        let svg = plot_svg(plot, Language::En).unwrap();
        let points: usize = plot.series.iter().map(|series| series.points.len()).sum();
        let circles = svg.matches("<circle").count();
        assert_eq!(circles, plot.series[0].points.len());
        let triangles = svg.matches("<polygon").count();
        assert_eq!(circles + triangles, points);
        assert!(svg.contains("#AA0000"));
        assert!(svg.contains("<title>Error of the relative humidity"));
        assert_eq!(svg, plot_svg(plot, Language::En).unwrap());
    }

    #[test]
    fn words_stay_outside_of_the_drawing() {
        let plot = &sample::thermo_hygrometer().plots[0];
        let svg = plot_svg(plot, Language::Zh).unwrap();
        let inside = &svg[svg.find("</title>").unwrap()..];
        assert!(inside.is_ascii() || inside.chars().all(|c| c.is_ascii() || c == '−'));
    }

    #[test]
    fn a_diagram_without_finite_points_is_refused() {
        let mut plot = sample::thermo_hygrometer().plots[0].clone();
        plot.series[0].points[1].y = f64::NAN;
        assert!(matches!(
            plot_svg(&plot, Language::En),
            Err(CertificateError::Plot { .. })
        ));
        plot.series.clear();
        assert!(matches!(
            plot_svg(&plot, Language::En),
            Err(CertificateError::Plot { .. })
        ));
    }
}
