//! `heng statistics`: what a laboratory computes from its series and comparisons, each with a
//! text, JSON, a table as CSV and a picture.

mod capability;
mod chart;
mod comparison;
mod data;
mod fit;
mod interval;
mod proficiency;
mod sheet;
mod summary;
mod variance;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use heng_certificates::diagram_svg;

use super::{Exit, Failure, Tongue, print, refuse_overwriting, write_file};
use sheet::Sheet;

#[derive(Args)]
pub struct Statistics {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// Mean, standard deviation and autocorrelation of series of readings
    Summary(summary::Summary),
    /// Straight line or polynomial through points, used in both directions
    Fit(fit::FitArguments),
    /// Control chart of a check standard
    Chart(chart::ChartArguments),
    /// Reference value of a comparison, and degrees of equivalence
    Comparison(comparison::ComparisonArguments),
    /// Scores of a proficiency test
    Proficiency(proficiency::Proficiency),
    /// Analysis of variance and components of variance
    Anova(variance::Anova),
    /// Repeatability and reproducibility of a measurement system
    Gauge(variance::Gauge),
    /// Repeatability and reproducibility of a method between laboratories
    Precision(variance::PrecisionArguments),
    /// Repeatability or stability of a measurement standard
    Standard(variance::Standard),
    /// Indices of process capability
    Capability(capability::CapabilityArguments),
    /// Interval between calibrations from the drift of a history
    Drift(interval::DriftArguments),
    /// Interval between calibrations from items in tolerance, or from the last calibration
    Interval(interval::IntervalArguments),
}

/// How the result is given.
#[derive(Args, Debug)]
pub struct Given {
    /// What is printed; CSV is the table, JSON is everything with all digits
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also draw the result
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Language of headings and messages
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
}

pub fn statistics(arguments: &Statistics) -> Result<Exit, Failure> {
    let (sheet, given, read) = match &arguments.kind {
        Kind::Summary(summary) => (summary.sheet()?, &summary.given, Some(summary.data.file())),
        Kind::Fit(fit) => (fit.sheet()?, &fit.given, Some(fit.data.file())),
        Kind::Chart(chart) => (chart.sheet()?, &chart.given, Some(chart.data.file())),
        Kind::Comparison(comparison) => (
            comparison.sheet()?,
            &comparison.given,
            Some(comparison.data.file()),
        ),
        Kind::Proficiency(proficiency) => (
            proficiency.sheet()?,
            &proficiency.given,
            Some(proficiency.data.file()),
        ),
        Kind::Anova(anova) => (anova.sheet()?, &anova.given, Some(anova.data.file())),
        Kind::Gauge(gauge) => (gauge.sheet()?, &gauge.given, Some(gauge.data.file())),
        Kind::Precision(precision) => (
            precision.sheet()?,
            &precision.given,
            Some(precision.data.file()),
        ),
        Kind::Standard(standard) => (
            standard.sheet()?,
            &standard.given,
            Some(standard.data.file()),
        ),
        Kind::Capability(capability) => (
            capability.sheet()?,
            &capability.given,
            Some(capability.data.file()),
        ),
        Kind::Drift(drift) => (drift.sheet()?, &drift.given, Some(drift.data.file())),
        Kind::Interval(interval) => (interval.sheet()?, &interval.given, None),
    };
    sheet.check()?;
    if let (Some(path), Some(read)) = (&given.svg, read) {
        refuse_overwriting(path, &[read])?;
    }
    give(&sheet, given)
}

fn give(sheet: &Sheet, given: &Given) -> Result<Exit, Failure> {
    let language = given.lang.into();
    if let Some(path) = &given.svg {
        let svg = diagram_svg(&sheet.diagram, language)
            .map_err(|error| Failure::new(Exit::Incomplete, &error))?;
        write_file(path, svg.as_bytes())?;
    }
    let written = match given.format {
        Format::Text => sheet.text(language),
        Format::Json => sheet.json(),
        Format::Csv => sheet.csv(),
    };
    print(&written)
}

/// A coverage probability on the command line.
fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|p| (0.5..1.0).contains(p))
        .ok_or_else(|| "write a probability of 0.5 or more and less than 1".to_owned())
}
