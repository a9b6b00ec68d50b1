//! The record as a picture.

use std::path::Path;

use heng_certificates::{TrendPanel, TrendPlot, trend_svg};
use heng_procedures::{History, Sample};
use heng_quantities::{Decimal, Language, Text};

use super::limits::{Judgement, Readings};
use super::report::Report;
use crate::cli::{Exit, Failure, write_file};

pub fn write(
    path: &Path,
    report: &Report<'_>,
    found: &History,
    series: &[Vec<Sample>],
    set_point: Option<Decimal>,
    language: Language,
) -> Result<(), Failure> {
    let plot = plot(report, found, series, set_point);
    let svg = trend_svg(&plot, language).map_err(|error| Failure::new(Exit::Input, &error))?;
    write_file(path, svg.as_bytes())
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

fn plot(
    report: &Report<'_>,
    found: &History,
    series: &[Vec<Sample>],
    set_point: Option<Decimal>,
) -> TrendPlot {
    let judgements = report.wanted.judgements.iter().zip(series).enumerate();
    let panels = judgements.map(|(index, (judgement, samples))| TrendPanel {
        name: judgement.panel_name(),
        runs: runs(samples, report.wanted.criteria.gap_s),
        windows: windows(found, index),
        band: judgement
            .criterion
            .reach
            .as_ref()
            .zip(set_point)
            .map(|(reach, set_point)| {
                let (middle, within) = (set_point.to_f64(), reach.within.to_f64());
                [middle - within, middle + within]
            }),
    });
    let stretches = found.stretches.iter();
    let title = |language| format!("{}: {}", report.heading(language), report.title(language));
    TrendPlot {
        title: Text::new(&title(Language::En), &title(Language::Zh)),
        panels: panels.collect(),
        steady: stretches
            .map(|stretch| [stretch.from_us, stretch.to_us].map(seconds))
            .collect(),
        ticks: ticks(report),
    }
}

impl Judgement {
    /// Name and unit of what is drawn.
    fn panel_name(&self) -> String {
        let name = self.readings.name();
        let unit = match &self.readings {
            Readings::Column(_) => self.unit,
            Readings::Difference(..) => self.unit.difference(),
            // 1 where it holds, 0 where it does not.
            Readings::State(..) => return name,
        };
        format!("{name} / {unit}")
    }
}

/// Readings without a gap between them.
fn runs(samples: &[Sample], gap_s: f64) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    for sample in samples {
        let point = (seconds(sample.t_us), sample.value.to_f64());
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| point.0 - last.0 <= gap_s) => {
                run.push(point);
            }
            _ => runs.push(vec![point]),
        }
    }
    runs
}

/// The first window of each stretch, with the range that it allows.
fn windows(found: &History, index: usize) -> Vec<[f64; 4]> {
    let stretches = found.stretches.iter();
    let window = |stretch: &heng_procedures::Stretch| {
        let state = &stretch.states[index];
        let (half, middle) = (state.range_limit? / 2.0, stretch.middles[index]);
        let to = seconds(stretch.from_us);
        Some([to - state.covered_s, to, middle - half, middle + half])
    };
    stretches.filter_map(window).collect()
}

/// Six to fourteen times, at whole hours or days where the record is that long.
fn ticks(report: &Report<'_>) -> Vec<(f64, String)> {
    const STEPS_S: [u64; 14] = [
        10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800,
    ];
    let span_s = report.span_us / 1_000_000;
    let fits = |step: &&u64| span_s / **step < 14;
    let days = span_s.div_ceil(14 * 86_400).max(1) * 86_400;
    let step_s = STEPS_S.iter().find(fits).copied().unwrap_or(days);
    let start_s = report.local_s();
    let first_s = start_s.div_euclid(i64::try_from(step_s).unwrap_or(1)) + 1;
    let mut ticks = Vec::new();
    for number in 0..16 {
        let at_s = (first_s + number) * i64::try_from(step_s).unwrap_or(1);
        let after_s = (at_s - start_s) as f64;
        if after_s > span_s as f64 {
            break;
        }
        ticks.push((after_s, report.tick(at_s, step_s)));
    }
    ticks
}
