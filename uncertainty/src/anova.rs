//! Analysis of variance: tables, F tests and components of variance.
//!
//! Sums of squares are taken from readings less a common pivot, the first reading, which is
//! exact where readings agree in their leading digits; all sums are compensated. What is lost
//! is only what the readings lost when they became binary numbers.

mod crossed;
mod nested;
mod one_way;

use serde::{Deserialize, Serialize};

pub use crossed::{Crossed, Effects, crossed};
pub use nested::{Nested, nested};
pub use one_way::{GroupSummary, OneWay, one_way, one_way_of_summaries};

use crate::special;

/// Why an analysis of variance is refused. Groups, cells and readings count from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnovaError {
    /// Fewer than two groups.
    #[error(
        "{factor} has {found} levels: variation between levels needs at least 2; add a level, or \
         evaluate the readings as one series"
    )]
    TooFewLevels {
        /// The factor that has too few.
        factor: Source,
        /// How many there are.
        found: usize,
    },
    /// A group without readings.
    #[error("{group} has no readings: remove it, or add its readings")]
    EmptyGroup {
        /// `group 2`, `cell 1, 3`.
        group: String,
    },
    /// A reading that is infinite or not a number.
    #[error("reading {reading} of {group} is not a finite number: correct it, or leave it out")]
    NotFinite {
        /// `group 2`, `cell 1, 3`.
        group: String,
        /// Number of the reading.
        reading: usize,
    },
    /// A summary whose standard deviation is negative or not finite.
    #[error("the standard deviation of {group} is {found}: give a finite number, 0 or above")]
    Deviation {
        /// `group 2`.
        group: String,
        /// As given.
        found: f64,
    },
    /// A crossed design without the same number of readings in each cell.
    #[error(
        "{group} has {found} readings, others have {expected}: a crossed design needs as many in \
         each cell; complete it, or leave out the surplus"
    )]
    Unbalanced {
        /// `cell 1, 3`, `row 2`.
        group: String,
        /// Readings found.
        found: usize,
        /// Readings of the first cell.
        expected: usize,
    },
    /// No degrees of freedom for the scatter of repeated readings.
    #[error(
        "no degrees of freedom are left for the variation {0}: repeat readings in at least one group"
    )]
    NoDof(Source),
    /// The mean square in the denominator of F is 0.
    #[error(
        "the variation {0} is 0, so that F is not defined: record more digits, or treat the \
         resolution as an input of its own"
    )]
    NoScatter(Source),
    /// Squares of the readings are beyond the largest number.
    #[error("the sums of squares are too large for a number: enter the readings in a larger unit")]
    Overflow,
}

/// Source of variation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Between groups of a one-way layout, or between the outer groups of a nested one.
    Between,
    /// Between the inner groups of one outer group.
    BetweenInner,
    /// First factor of a crossed layout.
    A,
    /// Second factor of a crossed layout.
    B,
    /// Interaction of both factors.
    Interaction,
    /// Repetition; in a layout without repetition, what the factors leave over.
    Within,
    /// All together.
    Total,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Between => "between groups",
            Self::BetweenInner => "between inner groups",
            Self::A => "of factor A",
            Self::B => "of factor B",
            Self::Interaction => "of the interaction",
            Self::Within => "within groups",
            Self::Total => "in total",
        })
    }
}

/// A test of two mean squares by their ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FTest {
    /// Ratio of the mean squares.
    pub f: f64,
    /// Degrees of freedom of the numerator.
    pub dof: f64,
    /// Degrees of freedom of the denominator.
    pub dof_below: f64,
    /// Probability of a ratio at least as large where there is no effect.
    pub p: f64,
}

impl FTest {
    fn new(above: &AnovaRow, below: &AnovaRow) -> Result<Self, AnovaError> {
        Self::of(above, below.mean_square, below.dof, below.source)
    }

    fn of(
        above: &AnovaRow,
        below: f64,
        dof_below: f64,
        source: Source,
    ) -> Result<Self, AnovaError> {
        if below <= 0.0 {
            return Err(AnovaError::NoScatter(source));
        }
        let f = above.mean_square / below;
        let p = f_upper_tail(f, above.dof, dof_below);
        Ok(Self {
            f,
            dof: above.dof,
            dof_below,
            p,
        })
    }
}

/// P(F > `f`) at `dof` and `dof_below` degrees of freedom, both positive, whole or not
/// (Abramowitz and Stegun, 26.6.2). NaN for what is no ratio of mean squares.
pub fn f_upper_tail(f: f64, dof: f64, dof_below: f64) -> f64 {
    if f.is_nan() || f < 0.0 || !(dof > 0.0 && dof_below > 0.0) {
        return f64::NAN;
    }
    let scaled = dof * f;
    let x = scaled / (scaled + dof_below);
    let y = dof_below / (scaled + dof_below);
    if x <= 0.0 {
        1.0
    } else if y <= 0.0 || y.is_nan() {
        0.0
    } else {
        special::beta(0.5 * dof, 0.5 * dof_below, x, y).1
    }
}

/// A line of the table of an analysis of variance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnovaRow {
    /// Source of variation.
    pub source: Source,
    /// Sum of squared deviations, in the unit of the readings squared.
    pub sum_of_squares: f64,
    /// Degrees of freedom.
    pub dof: f64,
    /// Sum of squares over degrees of freedom.
    pub mean_square: f64,
    /// Test of the source, where it has one.
    pub test: Option<FTest>,
}

impl AnovaRow {
    fn new(source: Source, sum_of_squares: f64, dof: f64) -> Result<Self, AnovaError> {
        if dof <= 0.0 {
            return Err(AnovaError::NoDof(source));
        }
        if !sum_of_squares.is_finite() {
            return Err(AnovaError::Overflow);
        }
        Ok(Self {
            source,
            sum_of_squares,
            dof,
            mean_square: sum_of_squares / dof,
            test: None,
        })
    }
}

/// A component of variance (JCGM 100:2008, H.5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Source of variation.
    pub source: Source,
    /// Variance, in the unit of the readings squared; 0 where the estimate is negative.
    pub variance: f64,
    /// The estimate from the mean squares, which may be negative.
    pub estimate: f64,
    /// Square root of the variance.
    pub sd: f64,
    /// Effective degrees of freedom by Satterthwaite; none for a variance of 0.
    pub dof: Option<f64>,
}

impl Component {
    /// From mean squares with their coefficients and degrees of freedom
    /// (F. E. Satterthwaite, Biometrics Bulletin 2, 1946).
    fn new(source: Source, terms: &[(f64, &AnovaRow)]) -> Self {
        let estimate = sum(terms.iter().map(|(c, row)| c * row.mean_square));
        let spread = sum(terms.iter().map(|(c, row)| {
            let term = c * row.mean_square;
            term * term / row.dof
        }));
        let variance = estimate.max(0.0);
        Self {
            source,
            variance,
            estimate,
            sd: variance.sqrt(),
            dof: (variance > 0.0 && spread > 0.0).then(|| variance * variance / spread),
        }
    }
}

/// A mean with its standard uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrandMean {
    /// The mean, in the unit of the readings.
    pub mean: f64,
    /// Its standard uncertainty.
    pub u: f64,
    /// Degrees of freedom of the standard uncertainty.
    pub dof: f64,
}

/// Sum in the order given, with the rounding errors added at the end (A. Neumaier, 1974).
pub(crate) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() {
            (total - next) + value
        } else {
            (value - next) + total
        };
        total = next;
    }
    // Beyond the largest number the correction is NaN, the sum is not.
    if total.is_finite() {
        total + lost
    } else {
        total
    }
}

/// Readings of one group less a pivot: their number, mean and sum of squared deviations.
struct Group {
    n: f64,
    /// Mean less the pivot.
    mean: f64,
    /// Squared deviations from the mean of the group.
    squares: f64,
}

impl Group {
    fn new(readings: &[f64], pivot: f64) -> Self {
        let n = readings.len() as f64;
        let from_pivot = || readings.iter().map(|reading| reading - pivot);
        let mean = sum(from_pivot()) / n;
        let squares = sum(from_pivot().map(|from| (from - mean) * (from - mean)));
        Self { n, mean, squares }
    }
}

/// Mean of means weighted with their numbers, and the weighted squares about it.
fn between(groups: &[(f64, f64)]) -> (f64, f64) {
    let n = sum(groups.iter().map(|(n, _)| *n));
    let mean = sum(groups.iter().map(|(n, mean)| n * mean)) / n;
    let squares = groups
        .iter()
        .map(|(n, each)| n * (each - mean) * (each - mean));
    (mean, sum(squares))
}

fn check_levels(factor: Source, found: usize) -> Result<(), AnovaError> {
    if found < 2 {
        return Err(AnovaError::TooFewLevels { factor, found });
    }
    Ok(())
}

fn check_readings(readings: &[f64], group: impl Fn() -> String) -> Result<(), AnovaError> {
    if readings.is_empty() {
        return Err(AnovaError::EmptyGroup { group: group() });
    }
    match readings.iter().position(|reading| !reading.is_finite()) {
        Some(at) => Err(AnovaError::NotFinite {
            group: group(),
            reading: at + 1,
        }),
        None => Ok(()),
    }
}
