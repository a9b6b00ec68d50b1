//! Degrees of freedom and coverage factors in two dimensions: complex quantities, and two
//! outputs of one model.

/// Why degrees of freedom cannot be combined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DofError {
    /// A contribution that is no covariance matrix with degrees of freedom.
    #[error(
        "a contribution needs a positive semidefinite covariance matrix and more than 0 degrees \
         of freedom; that of contribution {index} is {covariance:?} with {dof}"
    )]
    Contribution {
        /// Counted from 0.
        index: usize,
        /// As given, in the square of the unit.
        covariance: [[f64; 2]; 2],
        /// Degrees of freedom, as given.
        dof: f64,
    },
}

/// One contribution to a complex quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ComplexContribution {
    /// Covariance matrix of real and imaginary part, in the square of the unit.
    pub covariance: [[f64; 2]; 2],
    /// Degrees of freedom of the covariance matrix, above 0; infinite where it counts as exactly
    /// known.
    pub dof: f64,
}

/// Effective degrees of freedom of the sum of independent complex contributions (R. Willink
/// and B. D. Hall, Metrologia 39, 2002, 361).
///
/// # Errors
/// [`DofError::Contribution`].
pub fn complex_dof(contributions: &[ComplexContribution]) -> Result<f64, DofError> {
    // 2·v₁₁² + v₁₁·v₂₂ + v₁₂² + 2·v₂₂²
    let spread = |[[a, c], [_, b]]: [[f64; 2]; 2]| 2.0 * a * a + a * b + c * c + 2.0 * b * b;
    let mut total = [[0.0; 2]; 2];
    for (index, contribution) in contributions.iter().enumerate() {
        let ComplexContribution { covariance, dof } = *contribution;
        let [[a, c], [d, b]] = covariance;
        let sound = a >= 0.0 && b >= 0.0 && c == d && c * c <= a * b * (1.0 + 1e-12);
        if !(sound && (a + b).is_finite() && dof > 0.0) {
            return Err(DofError::Contribution {
                index,
                covariance,
                dof,
            });
        }
        for (total, row) in total.iter_mut().zip(covariance) {
            for (total, value) in total.iter_mut().zip(row) {
                *total += value;
            }
        }
    }
    // In units of the total, so that small units do not underflow.
    let scale = total[0][0] + total[1][1];
    if scale == 0.0 {
        return Ok(f64::INFINITY);
    }
    let scaled = |matrix: [[f64; 2]; 2]| spread(matrix.map(|row| row.map(|value| value / scale)));
    let sum = contributions
        .iter()
        .fold(0.0, |sum, one| sum + scaled(one.covariance) / one.dof);
    Ok(if sum > 0.0 {
        scaled(total) / sum
    } else {
        f64::INFINITY
    })
}

/// Coverage factor of the elliptical region of two outputs or of a complex quantity, for the
/// probability `coverage`: Hotelling's T² with `dof` degrees of freedom,
/// k² = 2ν/(ν − 1)·F(p; 2, ν − 1) = ν·((1 − p)^(−2/(ν − 1)) − 1); χ² where they are infinite.
/// None for `dof` of 1 or less, where no finite region exists, and for a probability outside
/// of 0 to 1.
pub fn coverage_factor_2d(dof: f64, coverage: f64) -> Option<f64> {
    if !(dof > 1.0 && coverage > 0.0 && coverage < 1.0) {
        return None;
    }
    let log = -2.0 * libm::log1p(-coverage);
    Some(if dof.is_infinite() {
        log.sqrt()
    } else {
        (dof * libm::expm1(log / (dof - 1.0))).sqrt()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complex_contributions_as_published() {
        // Willink and Hall (2002), section 5; the further digits are those of GTC.
        let contribution = |a, c, b, dof| ComplexContribution {
            covariance: [[a, c], [c, b]],
            dof,
        };
        let found = complex_dof(&[
            contribution(0.96, -0.34, 0.27, 5.0),
            contribution(0.51, 0.33, 0.31, 3.0),
            contribution(0.45, 0.28, 1.65, 6.0),
        ]);
        assert!((found.unwrap() - 11.340_977_790_491_4).abs() < 1e-12);
        // One contribution keeps its own, of whatever shape and unit.
        let one = complex_dof(&[contribution(1e-200, 0.0, 3e-200, 7.0)]).unwrap();
        assert!((one - 7.0).abs() < 1e-12);
        let exact = contribution(1.0, 0.0, 1.0, f64::INFINITY);
        assert_eq!(complex_dof(&[exact]), Ok(f64::INFINITY));
        for bad in [
            contribution(1.0, 2.0, 1.0, 5.0),
            contribution(-1.0, 0.0, 1.0, 5.0),
            contribution(1.0, 0.0, 1.0, 0.0),
            contribution(f64::NAN, 0.0, 1.0, 5.0),
        ] {
            assert!(complex_dof(&[bad]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn factors_of_two_dimensions_as_published() {
        // Tables of Hotelling's T² as GTC prints them.
        for (dof, p, k) in [
            (2.0, 0.95, 28.248893784),
            (5.0, 0.95, 4.166614906),
            (50.0, 0.95, 2.550142994),
            (f64::INFINITY, 0.95, 2.447746831),
            (10.0, 0.99, 4.222036715),
            (f64::INFINITY, 0.99, 3.034854259),
        ] {
            let found = coverage_factor_2d(dof, p).unwrap();
            assert!((found - k).abs() < 5e-10 * k.max(10.0), "{dof} {p} {found}");
        }
        assert_eq!(coverage_factor_2d(1.0, 0.95), None);
        assert_eq!(coverage_factor_2d(5.0, 1.0), None);
    }
}
