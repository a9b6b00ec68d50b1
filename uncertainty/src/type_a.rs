//! Evaluation of series of readings (JCGM 100:2008, 4.2).

use serde::{Deserialize, Serialize};

/// A series of readings taken under repeatability conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeA {
    pub n: usize,
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
    pub dof: f64,
}

/// A series that is too short for a standard deviation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a type A evaluation needs at least 2 finite readings, not {0}")]
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
    let finite = series.iter().filter(|value| value.is_finite()).count();
    if finite < 2 || finite < series.len() {
        return Err(TooFewReadings(finite.min(series.len())));
    }
    let n = series.len() as f64;
    let first = series.iter().fold(0.0, |sum, value| sum + value) / n;
    let mean = first + series.iter().fold(0.0, |sum, value| sum + (value - first)) / n;
    let squares = series
        .iter()
        .fold(0.0, |sum, value| sum + (value - mean) * (value - mean));
    let products = series
        .windows(2)
        .fold(0.0, |sum, pair| sum + (pair[0] - mean) * (pair[1] - mean));
    let s = (squares / (n - 1.0)).sqrt();
    let lag1 = (squares > 0.0).then(|| products / squares);
    let lag1_limit = 2.0 / n.sqrt();
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

/// Drift of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Least-squares slope in units of the series an hour.
    pub per_h: f64,
    /// Its standard uncertainty from the residuals.
    pub u: f64,
}

/// Least-squares slope of `y` over the times `t_h` in hours; none for fewer than three
/// readings, lists of different length, or times that are all equal.
pub fn slope(t_h: &[f64], y: &[f64]) -> Option<Slope> {
    if t_h.len() != y.len() || t_h.len() < 3 {
        return None;
    }
    let n = t_h.len() as f64;
    let mean = |values: &[f64]| values.iter().fold(0.0, |sum, value| sum + value) / n;
    let (t_mean, y_mean) = (mean(t_h), mean(y));
    let pairs = || t_h.iter().zip(y).map(|(t, y)| (t - t_mean, y - y_mean));
    let tt = pairs().fold(0.0, |sum, (t, _)| sum + t * t);
    let ty = pairs().fold(0.0, |sum, (t, y)| sum + t * y);
    if !(tt > 0.0 && tt.is_finite()) {
        return None;
    }
    let per_h = ty / tt;
    let residuals = pairs().fold(0.0, |sum, (t, y)| sum + (y - per_h * t) * (y - per_h * t));
    let u = (residuals / (n - 2.0) / tt).sqrt();
    per_h.is_finite().then_some(Slope { per_h, u })
}
