//! What changed from one calibration of an item to the next.

use polars::prelude::{
    ChunkApply, ChunkCompareEq, ChunkShift, Column, DataFrame, Float64Chunked, PolarsResult,
    SortMultipleOptions,
};

/// One result of an item at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Earlier {
    /// Results of one series are of the same measurand at the same point.
    pub series: u32,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub moment_us: i64,
    /// Error of indication and its expanded uncertainty, in the same unit.
    pub error: f64,
    pub expanded: f64,
    pub coverage: f64,
}

/// A result against the one before it in its series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Place of the result in what was given.
    pub row: usize,
    /// Place of the result before it; none for the first of a series.
    pub before: Option<usize>,
    /// x₂ − x₁.
    pub drift: Option<f64>,
    /// In a year of 365.25 d; none where both have the same moment.
    pub drift_per_year: Option<f64>,
    /// (x₂ − x₁)/√(U₁² + U₂²) (ISO 13528:2022, 9.7); none where the coverage probabilities of U
    /// differ, or both U are 0.
    pub en: Option<f64>,
}

const YEAR_US: f64 = 365.25 * 86_400e6;

/// The results in the order of series and time, each against the one before it.
///
/// # Errors
/// None that is known: polars checks lengths and types that are right by construction.
pub fn changes(results: &[Earlier]) -> PolarsResult<Vec<Change>> {
    let numbers = |name: &str, of: fn(&Earlier) -> f64| {
        let values: Vec<f64> = results.iter().map(of).collect();
        Column::new(name.into(), values)
    };
    let rows: Vec<u64> = (0..results.len() as u64).collect();
    let series: Vec<u32> = results.iter().map(|one| one.series).collect();
    let moments: Vec<i64> = results.iter().map(|one| one.moment_us).collect();
    let frame = DataFrame::new(
        results.len(),
        vec![
            Column::new("row".into(), rows),
            Column::new("series".into(), series),
            Column::new("moment".into(), moments),
            numbers("error", |one| one.error),
            numbers("expanded", |one| one.expanded),
            numbers("coverage", |one| one.coverage),
        ],
    )?
    .sort(
        ["series", "moment", "row"],
        SortMultipleOptions::default().with_multithreaded(false),
    )?;
    let number =
        |name: &str| -> PolarsResult<Float64Chunked> { Ok(frame.column(name)?.f64()?.clone()) };
    let (error, expanded, coverage) = (number("error")?, number("expanded")?, number("coverage")?);
    let (row, series) = (frame.column("row")?.u64()?, frame.column("series")?.u32()?);
    let moment = frame.column("moment")?.i64()?;
    let same_series = series.equal(&series.shift(1));
    let same_coverage = coverage.equal(&coverage.shift(1));
    let elapsed = moment - &moment.shift(1);
    let drift = &error - &error.shift(1);
    let squares = &expanded * &expanded;
    let joint = (&squares + &squares.shift(1)).apply_values(f64::sqrt);
    let en = &drift / &joint;
    let changes = (0..frame.height()).map(|at| {
        let place = |at: usize| row.get(at).and_then(|row| usize::try_from(row).ok());
        let follows = at > 0 && same_series.get(at) == Some(true);
        let finite = |value: Option<f64>| value.filter(|value| follows && value.is_finite());
        let drift = finite(drift.get(at));
        let elapsed = elapsed.get(at).map(|us| us as f64 / YEAR_US);
        let per_year = drift.zip(elapsed).map(|(drift, years)| drift / years);
        let comparable = same_coverage.get(at) == Some(true);
        Change {
            row: place(at).unwrap_or_default(),
            before: at.checked_sub(1).filter(|_| follows).and_then(place),
            drift,
            drift_per_year: finite(per_year),
            en: finite(en.get(at)).filter(|_| comparable),
        }
    });
    Ok(changes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earlier(series: u32, days: i64, error: f64, expanded: f64) -> Earlier {
        Earlier {
            series,
            moment_us: days * 86_400_000_000,
            error,
            expanded,
            coverage: 0.9545,
        }
    }

    #[test]
    fn each_result_is_held_against_the_one_before_it_in_its_series() {
        let results = [
            earlier(1, 1461, 1.5, 0.3),
            earlier(0, 0, 7.0, 1.0),
            earlier(1, 0, 1.0, 0.4),
            earlier(1, 1826, 1.5, 0.0),
        ];
        let found = changes(&results).unwrap();
        let rows: Vec<_> = found.iter().map(|one| (one.row, one.before)).collect();
        assert_eq!(
            rows,
            [(1, None), (2, None), (0, Some(2)), (3, Some(0))],
            "in the order of series and time"
        );
        assert_eq!(found[1].drift, None);
        // 0.5 in four years of 365.25 d; √(0.3² + 0.4²) = 0.5.
        assert_eq!(found[2].drift, Some(0.5));
        assert_eq!(found[2].drift_per_year, Some(0.125));
        assert_eq!(found[2].en, Some(1.0));
        assert_eq!(found[3].en, Some(0.0));
    }

    #[test]
    fn what_cannot_be_compared_has_no_number() {
        let mut results = [
            earlier(0, 0, 1.0, 0.4),
            earlier(0, 0, 2.0, 0.3),
            earlier(0, 9, 3.0, 0.3),
        ];
        results[2].coverage = 0.99;
        let found = changes(&results).unwrap();
        assert_eq!(found[1].drift_per_year, None, "no time passed");
        assert!(found[1].en.is_some());
        assert_eq!(found[2].en, None, "another coverage probability");
        let zero = [earlier(0, 0, 1.0, 0.0), earlier(0, 1, 1.0, 0.0)];
        assert_eq!(changes(&zero).unwrap()[1].en, None);
        assert_eq!(changes(&[]).unwrap(), []);
    }
}
