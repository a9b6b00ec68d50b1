//! Evaluation of series of readings (JCGM 100:2008, 4.2).

use serde::{Deserialize, Serialize};

use crate::anova::sum;
use crate::input::{Correlation, Input, Inputs};

/// A series of readings taken under repeatability conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeA {
    /// Number of readings n.
    pub n: usize,
    /// Arithmetic mean (JCGM 100:2008, 4.2.1), in the unit of the readings.
    pub mean: f64,
    /// Experimental standard deviation of a single reading.
    pub s: f64,
    /// Autocorrelation of neighbours; none where all readings are equal.
    pub lag1: Option<f64>,
    /// 2/√n: what independent readings exceed in about one series of twenty.
    pub lag1_limit: f64,
    /// Whether |lag1| is within its limit.
    pub independent: bool,
    /// s/√n where the readings are independent, otherwise s: neighbours that follow each
    /// other do not average out.
    pub u: f64,
    /// Degrees of freedom n − 1 (JCGM 100:2008, 4.2.6).
    pub dof: f64,
}

/// A series that is too short for a standard deviation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a type A evaluation needs at least 2 finite readings, whose squares are finite too, not {0}"
)]
pub struct TooFewReadings(pub usize);

/// Mean and standard uncertainty of a series.
///
/// Deviations are taken from the mean, in two passes, so that readings which differ in
/// their last digits only keep all of their scatter.
///
/// # Errors
/// [`TooFewReadings`] for fewer than two readings, or where one is not finite (it then says
/// how many are).
pub fn type_a(series: &[f64]) -> Result<TypeA, TooFewReadings> {
    summed_by(series, |values| sum(values))
}

/// [`type_a`] with sums in the order of the readings and without compensation, as records of
/// format 1 have it: the last bits may differ.
///
/// # Errors
/// As [`type_a`].
pub fn type_a_uncompensated(series: &[f64]) -> Result<TypeA, TooFewReadings> {
    summed_by(series, |values| values.fold(0.0, |sum, value| sum + value))
}

fn summed_by(
    series: &[f64],
    sum: fn(&mut dyn Iterator<Item = f64>) -> f64,
) -> Result<TypeA, TooFewReadings> {
    let finite = series.iter().filter(|value| value.is_finite()).count();
    if finite < 2 || finite < series.len() {
        return Err(TooFewReadings(finite.min(series.len())));
    }
    let n = series.len() as f64;
    let first = sum(&mut series.iter().copied()) / n;
    let mean = first + sum(&mut series.iter().map(|value| value - first)) / n;
    let squares = sum(&mut series.iter().map(|value| (value - mean) * (value - mean)));
    let pairs = series.windows(2);
    let products = sum(&mut pairs.map(|pair| (pair[0] - mean) * (pair[1] - mean)));
    let s = (squares / (n - 1.0)).sqrt();
    let lag1 = (squares > 0.0).then(|| products / squares);
    let lag1_limit = 2.0 / n.sqrt();
    // Squares beyond the range of numbers.
    if !(mean.is_finite() && s.is_finite()) {
        return Err(TooFewReadings(0));
    }
    let independent = lag1.is_none_or(|lag1| lag1.abs() <= lag1_limit);
    let u = if independent { s / n.sqrt() } else { s };
    Ok(TypeA {
        n: series.len(),
        mean,
        s,
        lag1,
        lag1_limit,
        independent,
        u,
        dof: n - 1.0,
    })
}

/// Standard deviation of several series, pooled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// Root of the variances weighted with their degrees of freedom, in the unit of the
    /// readings.
    pub s: f64,
    /// Sum of the degrees of freedom.
    pub dof: f64,
}

/// Why standard deviations are not pooled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PoolError {
    /// A standard deviation or its degrees of freedom are negative or not finite.
    #[error(
        "standard deviation {position} is {s} with {dof} degrees of freedom: give finite numbers, \
         0 or above"
    )]
    Series {
        /// Counted from 1.
        position: usize,
        /// Standard deviation.
        s: f64,
        /// Degrees of freedom.
        dof: f64,
    },
    /// No series, or none with two readings.
    #[error("no series has degrees of freedom: add a series of at least 2 readings")]
    NoDof,
}

/// Pools standard deviations with their degrees of freedom, `(s, dof)`, of series that have the
/// same scatter (JCGM 100:2008, 4.2.4).
///
/// # Errors
/// [`PoolError`].
pub fn pooled(series: &[(f64, f64)]) -> Result<Pooled, PoolError> {
    let (mut squares, mut total) = (0.0, 0.0);
    for (position, &(s, dof)) in (1..).zip(series) {
        let fits = |number: f64| number >= 0.0 && number.is_finite();
        if !(fits(s) && fits(dof)) {
            return Err(PoolError::Series { position, s, dof });
        }
        squares += dof * s * s;
        total += dof;
    }
    if total > 0.0 {
        let s = (squares / total).sqrt();
        Ok(Pooled { s, dof: total })
    } else {
        Err(PoolError::NoDof)
    }
}

/// Drift of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Least-squares slope in units of the series an hour.
    pub per_h: f64,
    /// Its standard uncertainty from the residuals.
    pub u: f64,
    /// Experimental standard deviation of the readings about the line, n − 2 degrees of freedom.
    pub s: f64,
}

/// Least-squares slope of `y` over the times `t_h` in hours; none for fewer than three
/// readings, lists of different length, or times that are all equal.
pub fn slope(t_h: &[f64], y: &[f64]) -> Option<Slope> {
    if t_h.len() != y.len() || t_h.len() < 3 {
        return None;
    }
    let n = t_h.len() as f64;
    // The sums of one pass do not wait for each other; the order within each is that of time.
    let pairs = || t_h.iter().zip(y);
    let (t_sum, y_sum) = pairs().fold((0.0, 0.0), |(ts, ys), (t, y)| (ts + t, ys + y));
    let (t_mean, y_mean) = (t_sum / n, y_sum / n);
    let pairs = || pairs().map(|(t, y)| (t - t_mean, y - y_mean));
    let (tt, ty) = pairs().fold((0.0, 0.0), |(tt, ty), (t, y)| (tt + t * t, ty + t * y));
    if !(tt > 0.0 && tt.is_finite()) {
        return None;
    }
    let per_h = ty / tt;
    let residuals = pairs().fold(0.0, |sum, (t, y)| sum + (y - per_h * t) * (y - per_h * t));
    let variance = residuals / (n - 2.0);
    let (u, s) = ((variance / tt).sqrt(), variance.sqrt());
    per_h.is_finite().then_some(Slope { per_h, u, s })
}

/// Why simultaneous observations are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimultaneousError {
    /// Fewer than two rows, which have no experimental standard deviation; holds their number.
    #[error("simultaneous observations need at least 2 rows, not {0}")]
    TooFewRows(usize),
    /// A row does not have one value for each quantity.
    #[error("row {row} has {found} values for the {expected} quantities observed together")]
    RowLength {
        /// Counted from 1.
        row: usize,
        /// Number of values in the row.
        found: usize,
        /// Number of quantities observed together.
        expected: usize,
    },
    /// An observed value is infinite or not a number.
    #[error("the value of {symbol:?} in row {row} is not a finite number")]
    NotFinite {
        /// Counted from 1.
        row: usize,
        /// Symbol of the quantity.
        symbol: String,
    },
}

/// Inputs estimated together from `rows` of simultaneous observations, one value a row for
/// each of `symbols`: means, their standard uncertainties s/√n and correlations
/// (JCGM 100:2008, 4.2 and 5.2.3, equation 17), n − 1 degrees of freedom, and one ensemble.
///
/// The rows are taken as independent of each other; [`type_a`] of a column says whether
/// neighbours follow each other.
///
/// # Errors
/// [`SimultaneousError`].
pub fn simultaneous(symbols: &[&str], rows: &[Vec<f64>]) -> Result<Inputs, SimultaneousError> {
    check_rows(symbols, rows)?;
    let n = rows.len() as f64;
    let deviations = |column: usize| {
        let sum = rows.iter().fold(0.0, |sum, row| sum + row[column]);
        let first = sum / n;
        let rest = rows
            .iter()
            .fold(0.0, |sum, row| sum + (row[column] - first));
        let mean = first + rest / n;
        let from_mean = rows.iter().map(|row| row[column] - mean).collect();
        (mean, from_mean)
    };
    let columns: Vec<(f64, Vec<f64>)> = (0..symbols.len()).map(deviations).collect();
    let product = |a: &[f64], b: &[f64]| {
        let pairs = a.iter().zip(b);
        pairs.fold(0.0, |sum, (a, b)| sum + a * b)
    };
    let root = |column: &[f64]| product(column, column).sqrt();
    let mut correlations = Vec::new();
    for (j, (_, b)) in columns.iter().enumerate() {
        for (i, (_, a)) in columns[..j].iter().enumerate() {
            let scale = root(a) * root(b);
            // A column without scatter has no correlation.
            if scale > 0.0 {
                correlations.push(Correlation {
                    a: symbols[i].to_owned(),
                    b: symbols[j].to_owned(),
                    // Rounding may take proportional columns a digit beyond 1.
                    r: (product(a, b) / scale).clamp(-1.0, 1.0),
                });
            }
        }
    }
    let quantities = symbols
        .iter()
        .zip(&columns)
        .map(|(symbol, (mean, column))| {
            let u = root(column) / (n * (n - 1.0)).sqrt();
            Input::student(symbol, *mean, u, n - 1.0)
        });
    let together = symbols.iter().map(|&symbol| symbol.to_owned()).collect();
    Ok(Inputs {
        quantities: quantities.collect(),
        correlations,
        ensembles: if symbols.len() > 1 {
            vec![together]
        } else {
            Vec::new()
        },
        ..Inputs::default()
    })
}

fn check_rows(symbols: &[&str], rows: &[Vec<f64>]) -> Result<(), SimultaneousError> {
    if rows.len() < 2 {
        return Err(SimultaneousError::TooFewRows(rows.len()));
    }
    for (row, values) in (1..).zip(rows) {
        let (found, expected) = (values.len(), symbols.len());
        if found != expected {
            return Err(SimultaneousError::RowLength {
                row,
                found,
                expected,
            });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let symbol = symbols[at].to_owned();
            return Err(SimultaneousError::NotFinite { row, symbol });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simultaneous_readings_have_the_printed_means_and_correlations() {
        // JCGM 100:2008, table H.2: half a unit of the last digit printed.
        let rows = [
            [5.007, 0.019663, 1.0456],
            [4.994, 0.019639, 1.0438],
            [5.005, 0.01964, 1.0468],
            [4.99, 0.019685, 1.0428],
            [4.999, 0.019678, 1.0433],
        ]
        .map(|row| row.to_vec());
        let inputs = simultaneous(&["V", "I", "phi"], &rows).unwrap();
        for (input, value, value_tolerance, u, u_tolerance) in [
            (0, 4.999, 5e-5, 0.0032, 5e-5),
            (1, 0.019661, 5e-7, 9.5e-6, 5e-8),
            (2, 1.04446, 5e-6, 0.00075, 5e-6),
        ] {
            let input = &inputs.quantities[input];
            assert!((input.value - value).abs() <= value_tolerance, "{input:?}");
            assert!((input.u - u).abs() <= u_tolerance, "{input:?}");
            assert_eq!(input.dof, 4.0);
        }
        for (correlation, r) in inputs.correlations.iter().zip([-0.36, 0.86, -0.65]) {
            assert!((correlation.r - r).abs() <= 5e-3, "{correlation:?}");
        }
        assert_eq!(inputs.ensembles, [["V", "I", "phi"].map(str::to_owned)]);
    }

    #[test]
    fn simultaneous_observations_are_checked() {
        let rows =
            |rows: &[&[f64]]| -> Vec<Vec<f64>> { rows.iter().map(|row| row.to_vec()).collect() };
        let check = |list: &[&[f64]]| simultaneous(&["a", "b"], &rows(list)).unwrap_err();
        assert_eq!(check(&[&[1.0, 2.0]]), SimultaneousError::TooFewRows(1));
        let (row, found, expected) = (2, 1, 2);
        let short = SimultaneousError::RowLength {
            row,
            found,
            expected,
        };
        assert_eq!(check(&[&[1.0, 2.0], &[1.0]]), short);
        let symbol = "b".to_owned();
        let not_finite = SimultaneousError::NotFinite { row: 1, symbol };
        assert_eq!(check(&[&[1.0, f64::NAN], &[1.0, 2.0]]), not_finite);
        // Proportional columns, and one that stands still.
        let list = rows(&[&[0.1, 0.3, 7.0], &[0.2, 0.6, 7.0], &[0.7, 2.1, 7.0]]);
        let inputs = simultaneous(&["a", "b", "c"], &list).unwrap();
        assert_eq!(inputs.correlations.len(), 1);
        assert!(1.0 - inputs.correlations[0].r < 1e-15);
        assert_eq!(inputs.quantities[2].u, 0.0);
    }
}
