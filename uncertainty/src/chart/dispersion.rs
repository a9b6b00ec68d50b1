//! Chart of within-run standard deviations.

use super::{Chart, ChartError, check_share, check_values};
use crate::critical::f_quantile;

/// Chart of standard deviations `s` with `dof` degrees of freedom each; the first `baseline` of
/// them are pooled to the centre line sₚ. Only the upper limit sₚ·√F counts, where a process in
/// control lies with the probability `p` (NIST/SEMATECH e-Handbook, 2.2.3.1).
///
/// # Errors
/// [`ChartError`].
pub fn s_chart(s: &[f64], dof: f64, baseline: usize, p: f64) -> Result<Chart, ChartError> {
    check_values(s)?;
    check_share("the probability of the limit", p)?;
    if let Some(negative) = s.iter().find(|s| **s < 0.0) {
        return Err(ChartError::Parameter {
            what: "a standard deviation",
            found: *negative,
            range: "the numbers from 0",
        });
    }
    if !(dof.is_finite() && dof > 0.0) {
        return Err(ChartError::Parameter {
            what: "the number of degrees of freedom of each standard deviation",
            found: dof,
            range: "the positive numbers: repeat the reading within the run",
        });
    }
    if baseline == 0 || baseline > s.len() {
        return Err(ChartError::TooFew {
            needed: baseline.max(1),
            found: s.len().min(baseline),
        });
    }
    let squares = s[..baseline].iter().fold(0.0, |sum, s| sum + s * s);
    let pooled = (squares / baseline as f64).sqrt();
    if pooled == 0.0 {
        return Err(ChartError::NoScatter { s: pooled });
    }
    let limit = pooled * f_quantile(p, [dof, dof * baseline as f64]).sqrt();
    let n = s.len();
    Ok(Chart::with_limits(
        s.to_vec(),
        pooled,
        vec![0.0; n],
        vec![limit; n],
    ))
}
