//! Critical values of χ² and F, from the gamma and the beta law.

use crate::input::{Distribution, Input};
use crate::law::Law;

/// The χ² law; the degrees of freedom must be positive and finite.
fn chi_squared(dof: f64) -> Option<Law> {
    let distribution = Distribution::Gamma { shape: 0.5 * dof };
    let scaled = Input::normal("chi squared", dof, (2.0 * dof).sqrt());
    Law::new(&Input {
        distribution,
        ..scaled
    })
    .ok()
}

/// Probability that χ² exceeds `x`.
pub fn chi_squared_tail(x: f64, dof: f64) -> f64 {
    chi_squared(dof).map_or(f64::NAN, |law| law.survival(x))
}

/// χ² that is not exceeded with the probability `p`.
pub fn chi_squared_quantile(p: f64, dof: f64) -> f64 {
    chi_squared(dof).map_or(f64::NAN, |law| law.quantile(p))
}

/// F that is not exceeded with the probability `p`; `dof` are those of numerator and
/// denominator.
pub fn f_quantile(p: f64, dof: [f64; 2]) -> f64 {
    let [above, below] = dof;
    // The share of the denominator in the sum of squares follows a beta law.
    let share = Input::beta("share", [0.0, 1.0], 0.5 * below, 0.5 * above);
    let share = Law::new(&share).map_or(f64::NAN, |law| law.quantile(1.0 - p));
    (1.0 - share) / share * (below / above)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of the NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.3 and 1.3.6.7.4:
    /// half a unit of the last digit printed.
    #[test]
    fn critical_values_are_those_of_the_tables() {
        for (p, dof, limit) in [(0.95, 8.0, 15.507), (0.95, 1.0, 3.841), (0.05, 10.0, 3.940)] {
            assert!(
                (chi_squared_quantile(p, dof) - limit).abs() <= 5e-4,
                "{dof}"
            );
            assert!((chi_squared_tail(limit, dof) - (1.0 - p)).abs() < 1e-4);
        }
        for (p, dof, limit) in [
            (0.95, [3.0, 10.0], 3.708),
            (0.99, [5.0, 20.0], 4.103),
            (0.95, [9.0, 10.0], 3.020),
        ] {
            assert!((f_quantile(p, dof) - limit).abs() <= 5e-4, "{dof:?}");
        }
    }
}
