//! The histogram of the trials with both intervals.

use std::path::Path;

use heng_certificates::{DensityPlot, Interval, density_svg};
use heng_quantities::{Language, Text};
use heng_uncertainty::{Evaluation, OutputEvaluation};

use super::{Exit, Failure};

/// Writes one file for each result; where there are several, their names go before the ending.
pub fn write(path: &Path, evaluation: &Evaluation, language: Language) -> Result<(), Failure> {
    let several = evaluation.outputs.len() > 1;
    for output in &evaluation.outputs {
        let Some(plot) = plot(evaluation, output) else {
            let message = format!("--svg: {:?} has no trials to draw", output.symbol);
            return Err(Failure::new(Exit::Incomplete, &message));
        };
        let svg =
            density_svg(&plot, language).map_err(|error| Failure::new(Exit::Incomplete, &error))?;
        let place = if several {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            path.with_file_name(format!("{stem}-{}.svg", output.symbol))
        } else {
            path.to_owned()
        };
        std::fs::write(&place, svg).map_err(|error| {
            let message = format!("cannot write {}: {error}", place.display());
            Failure::new(Exit::Write, &message)
        })?;
    }
    Ok(())
}

/// Points of the curve of first order.
const POINTS: u32 = 200;

fn plot(evaluation: &Evaluation, output: &OutputEvaluation) -> Option<DensityPlot> {
    let trials = output.monte_carlo.as_ref().ok()?;
    let histogram = &trials.histogram;
    let total: u64 = histogram.counts.iter().chain(&histogram.outside).sum();
    let heights = histogram
        .counts
        .iter()
        .map(|&count| count as f64 / (total as f64 * histogram.width));
    let mut intervals = vec![Interval {
        name: Text::new("Monte Carlo, symmetric", "蒙特卡洛, 概率对称"),
        ends: trials.symmetric,
    }];
    let (mut low, mut high) = (
        histogram.low,
        histogram.low + histogram.width * histogram.counts.len() as f64,
    );
    if let Ok(budget) = &output.first_order {
        let ends = [
            budget.value - budget.expanded,
            budget.value + budget.expanded,
        ];
        (low, high) = (low.min(ends[0]), high.max(ends[1]));
        intervals.push(Interval {
            name: Text::new("first order", "一阶 (GUM)"),
            ends,
        });
    }
    let step = (high - low) / f64::from(POINTS);
    let places = (0..=POINTS).map(|number| low + step * f64::from(number));
    let curve = places.filter_map(|x| Some((x, output.first_order_density(x)?)));
    Some(DensityPlot {
        title: Text::same(&evaluation.title),
        symbol: output.symbol.clone(),
        unit: output
            .unit
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        low: histogram.low,
        width: histogram.width,
        heights: heights.collect(),
        curve: curve.collect(),
        intervals,
    })
}
