//! Type A evaluation of readings that a display has rounded.

use crate::type_a::{TooFewReadings, type_a};

/// Standard uncertainty of the mean of readings with the resolution `resolution`, in their
/// unit, by the rules of R. B. Frenkel and L. Kirkup (Metrologia 42, 2005, L27).
///
/// Readings that are all equal hide a scatter below the resolution δ: √(c/12)·δ with c = 6.4
/// for two, 1.3 for three and 1 for more readings. Readings on two neighbouring steps say where
/// between both the quantity lies: at least its distance from their middle, over √3. All others
/// have s/√n.
///
/// # Errors
/// [`TooFewReadings`], as for [`type_a`].
pub fn digitised_u(series: &[f64], resolution: f64) -> Result<f64, TooFewReadings> {
    let evaluated = type_a(series)?;
    let n = evaluated.n as f64;
    let low = series.iter().copied().fold(f64::INFINITY, f64::min);
    let high = series.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low == high {
        let factor: f64 = match evaluated.n {
            2 => 6.4,
            3 => 1.3,
            _ => 1.0,
        };
        return Ok((factor / 12.0).sqrt() * resolution);
    }
    let scatter = evaluated.s * evaluated.s / n;
    // Steps of decimal readings differ from the resolution by rounding alone.
    let neighbours = (high - low - resolution).abs() <= 1e-6 * resolution;
    let from_middle = 0.5 * (low + high) - evaluated.mean;
    Ok(if neighbours {
        scatter.max(from_middle * from_middle / 3.0).sqrt()
    } else {
        scatter.sqrt()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that the documentation of GTC prints for these readings, in units of 0.0001.
    #[test]
    fn published_examples() {
        let a = [56, 55, 56, 56, 56, 57, 57, 56, 56, 57, 57];
        let b = [56, 56, 56, 56, 56, 57, 57, 56, 56, 57, 57];
        for (steps, expected) in [
            (&a[..], 1.9497827808661e-5),
            (&b[..], 1.52120004824377e-5),
            (&[56; 11][..], 2.8867513459481e-5),
            (&[56; 3][..], 3.2914029430219e-5),
        ] {
            let series: Vec<f64> = steps.iter().map(|&step| f64::from(-step) / 1e4).collect();
            let found = digitised_u(&series, 1e-4).unwrap();
            // The printed digits are cut after the 14th.
            assert!((found - expected).abs() < 1e-17, "{found}");
        }
        assert!(
            (digitised_u(&[1.0, 1.0], 0.1).unwrap() - 0.1 * (6.4_f64 / 12.0).sqrt()).abs() < 1e-16
        );
        assert!(digitised_u(&[1.0], 0.1).is_err());
    }
}
