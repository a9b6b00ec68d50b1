//! Series whose readings follow each other.

use serde::{Deserialize, Serialize};

use crate::type_a::{TooFewReadings, type_a};

/// A series of readings with the number of independent ones that it is worth.
///
/// Autocorrelations are estimated too low from a short series, so u is too small there: of 50
/// readings with neighbours correlated by 0.5 the 95 % interval held the mean in 89 % of trials,
/// by 0.8 in 81 %; of 200 readings in 92 % and 90 %. [`type_a`] takes s itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autocorrelated {
    /// Number of readings n.
    pub n: usize,
    /// Arithmetic mean, in the unit of the readings.
    pub mean: f64,
    /// Experimental standard deviation of a single reading.
    pub s: f64,
    /// Autocorrelation at lags 1 to n/4.
    pub autocorrelation: Vec<f64>,
    /// Last lag that counts; 0 where neighbours do not follow each other.
    pub cutoff: usize,
    /// Effective number of readings n/(1 + 2Σ(1 − k/n)rₖ), at most n.
    pub n_effective: f64,
    /// s/√n_effective.
    pub u: f64,
    /// Degrees of freedom n_effective − 1.
    pub dof: f64,
}

/// Why a correlated series is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AutocorrelationError {
    /// Too few readings for a standard deviation.
    #[error("{0}: add readings, or correct them")]
    TooFewReadings(#[from] TooFewReadings),
    /// Readings that do not differ.
    #[error(
        "all readings are equal and have no autocorrelation: record more digits, or enter the \
         resolution as an input"
    )]
    NoScatter,
    /// The series is worth fewer than two independent readings.
    #[error(
        "the readings follow each other so closely that they are worth {0:.2} independent ones, \
         where a standard deviation needs 2: record a longer series, or wait longer between \
         readings"
    )]
    TooShort(f64),
}

/// Autocorrelation of a series at lags 1 to `lags`, at most n − 1; empty where all readings are
/// equal.
///
/// # Errors
/// [`TooFewReadings`], as for [`type_a`].
pub fn autocorrelation(series: &[f64], lags: usize) -> Result<Vec<f64>, TooFewReadings> {
    let mean = type_a(series)?.mean;
    let deviations: Vec<f64> = series.iter().map(|reading| reading - mean).collect();
    let product = |lag: usize| {
        let pairs = deviations.iter().zip(&deviations[lag..]);
        pairs.fold(0.0, |sum, (a, b)| sum + a * b)
    };
    let squares = product(0);
    if squares <= 0.0 {
        return Ok(Vec::new());
    }
    let lags = 1..=lags.min(series.len() - 1);
    Ok(lags.map(|lag| product(lag) / squares).collect())
}

/// Mean of a series whose readings follow each other, with the uncertainty that its
/// autocorrelation leaves (N. F. Zhang, Metrologia 43 (2006) S276).
///
/// Lags count as long as |rₖ| exceeds 2/√n, the limit of independent readings, at most up to n/4:
/// beyond, what is found is scatter. Zhang cuts off by Bartlett's standard deviation of rₖ, which
/// grows with the lags before and so ends earlier; here the correlation is rather followed on.
/// Where neighbours alternate, the mean may be better than s/√n; the credit is not taken.
///
/// # Errors
/// [`AutocorrelationError`].
pub fn autocorrelated(series: &[f64]) -> Result<Autocorrelated, AutocorrelationError> {
    let evaluated = type_a(series)?;
    let autocorrelation = autocorrelation(series, (series.len() / 4).max(1))?;
    if autocorrelation.is_empty() {
        return Err(AutocorrelationError::NoScatter);
    }
    let n = series.len() as f64;
    let (mut factor, mut cutoff) = (1.0, 0);
    for (lag, r) in (1..).zip(&autocorrelation) {
        if r.abs() <= evaluated.lag1_limit {
            break;
        }
        factor += 2.0 * (1.0 - lag as f64 / n) * r;
        cutoff = lag;
    }
    let n_effective = n / factor.max(1.0);
    if n_effective < 2.0 {
        return Err(AutocorrelationError::TooShort(n_effective));
    }
    Ok(Autocorrelated {
        n: series.len(),
        mean: evaluated.mean,
        s: evaluated.s,
        autocorrelation,
        cutoff,
        n_effective,
        u: evaluated.s / n_effective.sqrt(),
        dof: n_effective - 1.0,
    })
}
