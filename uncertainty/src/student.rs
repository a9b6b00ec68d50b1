//! Student's t distribution, for any ν ≥ 1, whole or not.
//!
//! Written on `libm` and the four operations so that a coverage factor has the same bits on
//! every machine; the crates for statistics call the elementary functions of the platform.

use std::f64::consts::PI;

use crate::normal;

/// Above this ν the expansion of Cornish and Fisher is exact to double precision.
const MANY: f64 = 1e4;

/// t that is exceeded with probability `q` (0 < q ≤ 0.5) at `dof` degrees of freedom.
/// Relative error below 1e−12.
pub fn upper_quantile(q: f64, dof: f64) -> f64 {
    let z = -normal::quantile(q);
    if dof.is_infinite() || q >= 0.5 {
        return z;
    }
    if dof > MANY {
        return expansion(z, dof);
    }
    solve(q, dof, z)
}

/// Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
fn expansion(z: f64, dof: f64) -> f64 {
    let z2 = z * z;
    let g1 = (z2 + 1.0) * z / 4.0;
    let g2 = ((5.0 * z2 + 16.0) * z2 + 3.0) * z / 96.0;
    let g3 = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) * z / 384.0;
    let g4 = ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) * z / 92160.0;
    z + (g1 + (g2 + (g3 + g4 / dof) / dof) / dof) / dof
}

/// Newton's method on the logarithm of the tail, kept inside a bracket.
fn solve(q: f64, dof: f64, start: f64) -> f64 {
    let mut low = 0.0;
    let mut high = start.max(1.0);
    while upper_tail(high, dof) > q {
        low = high;
        high *= 2.0;
    }
    let mut t = if start > low && start < high {
        start
    } else {
        0.5 * (low + high)
    };
    for _ in 0..200 {
        let tail = upper_tail(t, dof);
        if tail > q {
            low = t;
        } else {
            high = t;
        }
        let step = libm::log(tail / q) * tail / density(t, dof);
        let newton = t + step;
        let next = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - t).abs() <= 4.0 * f64::EPSILON * t.abs() {
            return next;
        }
        t = next;
    }
    t
}

/// Density of t.
pub fn density(t: f64, dof: f64) -> f64 {
    let log_body = -0.5 * (dof + 1.0) * libm::log1p(t * t / dof);
    gamma_ratio(0.5 * dof) / (dof * PI).sqrt() * libm::exp(log_body)
}

/// P(T > t) for t ≥ 0, without loss of digits far out.
pub fn upper_tail(t: f64, dof: f64) -> f64 {
    let half = 0.5 * dof;
    let x = dof / (dof + t * t);
    let y = t * t / (dof + t * t);
    // x^a·y^b / B(a, b) with a = ν/2, b = ½ is t·f(t): nothing cancels.
    let front = t * density(t, dof);
    if x < (half + 1.0) / (half + 2.5) {
        0.5 * front * continued_fraction(half, 0.5, x) / half
    } else {
        0.5 - 0.5 * front * continued_fraction(0.5, half, y) / 0.5
    }
}

/// Continued fraction of the incomplete beta function by the method of Lentz
/// (DLMF 8.17.22).
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..2000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let step = d * c;
        result *= step;
        if (step - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    result
}

/// Γ(a + ½)/Γ(a): asymptotic series (DLMF 5.11.13) above 60, reached by recurrence.
fn gamma_ratio(a: f64) -> f64 {
    let mut a = a;
    let mut factor = 1.0;
    while a < 60.0 {
        factor *= a / (a + 0.5);
        a += 1.0;
    }
    let r = 1.0 / a;
    let series = 1.0
        + r * (-1.0 / 8.0
            + r * (1.0 / 128.0
                + r * (5.0 / 1024.0
                    + r * (-21.0 / 32768.0
                        + r * (-399.0 / 262_144.0 + r * (869.0 / 4_194_304.0))))));
    factor * a.sqrt() * series
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, StudentsT};

    #[test]
    fn quantiles_agree_with_an_independent_implementation() {
        for dof in [1.0, 2.0, 3.0, 4.5, 9.0, 16.0, 50.0, 251.5, 9999.0, 20_000.0] {
            let peer = StudentsT::new(0.0, 1.0, dof).unwrap();
            for q in [0.4, 0.15865, 0.05, 0.02275, 0.01, 0.005, 0.00135] {
                let t = upper_quantile(q, dof);
                assert!(
                    (peer.sf(t) / q - 1.0).abs() < 1e-9,
                    "{dof} {q} {t} {}",
                    peer.sf(t)
                );
            }
        }
    }

    #[test]
    fn closed_forms_at_one_and_two_degrees_of_freedom() {
        for q in [0.49_f64, 0.25, 0.1, 1e-3, 1e-8, 1e-16] {
            let two = (1.0 - 2.0 * q) / (2.0 * q * (1.0 - q)).sqrt();
            let found = upper_quantile(q, 2.0);
            assert!((found / two - 1.0).abs() < 1e-12, "{q} {found} {two}");
            let one = libm::cos(PI * q) / libm::sin(PI * q);
            let found = upper_quantile(q, 1.0);
            assert!((found / one - 1.0).abs() < 1e-12, "{q} {found} {one}");
        }
    }

    #[test]
    fn expansion_and_solution_meet() {
        for q in [0.3, 0.02275, 1e-6, 1e-16] {
            let z = -normal::quantile(q);
            let (left, right) = (solve(q, MANY, z), expansion(z, MANY));
            assert!((left / right - 1.0).abs() < 1e-11, "{q} {left} {right}");
        }
    }
}
