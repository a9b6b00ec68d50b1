//! The histogram of the trials with both intervals.

use std::path::Path;

use heng_certificates::{Diagram, Layer, Mark, Style, diagram_svg};
use heng_quantities::{Language, Text};
use heng_uncertainty::{Evaluation, OutputEvaluation};

use super::{Exit, Failure};
use crate::cli::write_file;

/// Writes one file for each result; where there are several, their names go before the ending.
pub fn write(path: &Path, evaluation: &Evaluation, language: Language) -> Result<(), Failure> {
    let several = evaluation.outputs.len() > 1;
    for output in &evaluation.outputs {
        let Some(plot) = plot(evaluation, output) else {
            let message = format!("--svg: {:?} has no trials to draw", output.symbol);
            return Err(Failure::new(Exit::Incomplete, &message));
        };
        let svg =
            diagram_svg(&plot, language).map_err(|error| Failure::new(Exit::Incomplete, &error))?;
        let place = if several {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            path.with_file_name(format!("{stem}-{}.svg", output.symbol))
        } else {
            path.to_owned()
        };
        write_file(&place, svg.as_bytes())?;
    }
    Ok(())
}

/// Points of the curve of first order.
const POINTS: u32 = 200;

fn plot(evaluation: &Evaluation, output: &OutputEvaluation) -> Option<Diagram> {
    let trials = output.monte_carlo.as_ref().ok()?;
    let histogram = &trials.histogram;
    let total: u64 = histogram.counts.iter().chain(&histogram.outside).sum();
    let left = |column: usize| histogram.low + histogram.width * column as f64;
    let columns = histogram.counts.iter().enumerate().map(|(number, &count)| {
        let height = count as f64 / (total as f64 * histogram.width);
        (left(number), left(number + 1), height)
    });
    let layer = |name: Text, style, mark| Layer { name, style, mark };
    let nameless = || Text::same("");
    let mut layers = vec![
        layer(nameless(), Style::Pale, Mark::Columns(columns.collect())),
        layer(
            Text::new("Monte Carlo, symmetric", "蒙特卡洛, 概率对称"),
            Style::Series(0),
            Mark::Verticals(trials.symmetric.to_vec()),
        ),
    ];
    if let Ok(budget) = &output.first_order {
        let ends = [
            budget.value - budget.expanded,
            budget.value + budget.expanded,
        ];
        let low = histogram.low.min(ends[0]);
        let high = left(histogram.counts.len()).max(ends[1]);
        let step = (high - low) / f64::from(POINTS);
        let places = (0..=POINTS).map(|number| low + step * f64::from(number));
        let curve = places.filter_map(|x| Some((x, output.first_order_density(x)?)));
        layers.extend([
            layer(nameless(), Style::Series(1), Mark::Line(curve.collect())),
            layer(
                Text::new("first order", "一阶 (GUM)"),
                Style::Dashed(1),
                Mark::Verticals(ends.to_vec()),
            ),
        ]);
    }
    let unit = output.unit.as_ref().map(|unit| format!(" / {unit}"));
    Some(Diagram {
        title: Text::same(&evaluation.title),
        x_label: Text::same(&(output.symbol.clone() + &unit.unwrap_or_default())),
        y_label: nameless(),
        x_names: Vec::new(),
        layers,
    })
}
