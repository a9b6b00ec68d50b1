//! Cumulative sums.

use serde::{Deserialize, Serialize};

use super::{Baseline, ChartError, Side, Signal, check_positive, check_values};

/// Tabular cumulative sums, in the unit of the values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    /// Sum of what values lie above the centre line by more than the allowance, never below 0.
    pub above: Vec<f64>,
    /// The same below the centre line; positive too.
    pub below: Vec<f64>,
    /// Decision limit of both.
    pub limit: f64,
    /// Values at which a sum exceeds the limit; the pattern begins where the sum last was 0.
    pub signals: Vec<Signal>,
}

/// Tabular CUSUM with the allowance `k` and the decision limit `h`, both in standard deviations
/// of the baseline; 0.5 and 5 find a shift of one standard deviation
/// (NIST/SEMATECH e-Handbook, 6.3.2.3).
///
/// # Errors
/// [`ChartError`].
pub fn cusum(values: &[f64], baseline: &Baseline, k: f64, h: f64) -> Result<Cusum, ChartError> {
    check_values(values)?;
    check_positive("the allowance k", k)?;
    check_positive("the decision limit h", h)?;
    let (allowance, limit) = (k * baseline.s, h * baseline.s);
    let mut found = Cusum {
        above: Vec::new(),
        below: Vec::new(),
        limit,
        signals: Vec::new(),
    };
    let mut sums = [0.0, 0.0];
    let mut first = [0, 0];
    for (index, value) in values.iter().enumerate() {
        let away = value - baseline.mean;
        for (at, side) in [Side::Above, Side::Below].into_iter().enumerate() {
            let towards = if side == Side::Above { away } else { -away };
            if sums[at] == 0.0 {
                first[at] = index;
            }
            sums[at] = f64::max(0.0, sums[at] + towards - allowance);
            if sums[at] > limit {
                found.signals.push(Signal {
                    index,
                    first: first[at],
                    side,
                    rule: None,
                });
            }
        }
        found.above.push(sums[0]);
        found.below.push(sums[1]);
    }
    Ok(found)
}
