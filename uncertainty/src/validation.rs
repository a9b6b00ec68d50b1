//! The GUM result held against the Monte Carlo one (JCGM 101:2008, clause 8).

use serde::{Deserialize, Serialize};

use crate::gum::Budget;
use crate::monte_carlo::MonteCarlo;

/// Verdict on whether the law of propagation was good enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Significant digits of u that the comparison regards: 2, or 1 where the number of
    /// trials cannot resolve two.
    pub digits: u8,
    /// Numerical tolerance δ of u at that many digits (7.9.2), in the unit of the value.
    pub tolerance: f64,
    /// |y − U − y_low| (8.1.3 b), in the unit of the value.
    pub d_low: f64,
    /// |y + U − y_high| (8.1.3 b), in the unit of the value.
    pub d_high: f64,
    /// Neither difference is larger than the tolerance.
    pub validated: bool,
}

/// Compares y ± U of the budget with the probabilistically symmetric interval of the trials.
///
/// δ belongs to two significant digits of u where the ends of the Monte Carlo interval are
/// known that well (twice their standard error within δ), else to one. Both results must
/// have been made for the same coverage probability: different ones are never validated.
pub fn validate(budget: &Budget, mc: &MonteCarlo) -> Validation {
    let [low, high] = mc.errors.symmetric;
    let resolution = 2.0 * low.max(high);
    let digits = if resolution <= tolerance(budget.u, 2) {
        2
    } else {
        1
    };
    let tolerance = tolerance(budget.u, digits);
    let d_low = (budget.value - budget.expanded - mc.symmetric[0]).abs();
    let d_high = (budget.value + budget.expanded - mc.symmetric[1]).abs();
    let validated = budget.coverage == mc.coverage && d_low <= tolerance && d_high <= tolerance;
    Validation {
        digits,
        tolerance,
        d_low,
        d_high,
        validated,
    }
}

/// δ = ½·10^l where u = c·10^l and c is an integer of `digits` digits (7.9.2).
pub(crate) fn tolerance(u: f64, digits: u8) -> f64 {
    // Read from the decimal text: a logarithm would misplace numbers next to a power of ten,
    // and 0.0996 counts as 0.10.
    let places = usize::from(digits.max(1)) - 1;
    let scientific = format!("{u:.places$e}");
    let power: i32 = scientific
        .rsplit('e')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let shift = i32::from(digits) - 1;
    format!("5e{}", power - shift - 1)
        .parse()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::tolerance;

    #[test]
    fn tolerances_of_the_examples_of_clause_7_9_2() {
        // 0.00032 g to two digits is 32·10⁻⁵: δ = 0.000005; 2 K to one digit: 0.5 K.
        assert_eq!(tolerance(0.00032, 2), 0.000_005);
        assert_eq!(tolerance(2.0, 1), 0.5);
        assert_eq!(tolerance(2.0, 2), 0.05);
        assert_eq!(tolerance(0.0996, 2), 0.005);
    }
}
