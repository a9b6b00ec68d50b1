//! Incomplete functions of gamma and beta, both sides at once, from the four operations and
//! `libm`.
//!
//! The side that is computed directly has a relative error below 1e−13 times the size of its
//! logarithm; the other is 1 less it, and is never the small one, except for shapes far below
//! 1, where it loses a factor of 1/shape.

use std::f64::consts::PI;

/// P(a, x) and Q(a, x), the probabilities below and above x of the gamma law of shape `a` > 0
/// and scale 1, for 0 < x < ∞ (DLMF 8.2.4).
pub fn gamma(a: f64, x: f64) -> (f64, f64) {
    if a >= UNIFORM {
        gamma_uniform(a, x)
    } else if x < a + 1.0 {
        let below = gamma_weight(a, x) * gamma_series(a, x);
        (below, 1.0 - below)
    } else {
        let above = gamma_weight(a, x) * gamma_fraction(a, x);
        (1.0 - above, above)
    }
}

/// xᵃe⁻ˣ/Γ(a): the derivative of P by ln x.
pub fn gamma_weight(a: f64, x: f64) -> f64 {
    if a < 10.0 && x < 700.0 {
        return libm::pow(x, a) * libm::exp(-x) / libm::tgamma(a);
    }
    // With Stirling's formula the large terms cancel before they are rounded.
    let exponent = a * deficit((x - a) / a, x / a) + stirling_error(a);
    (a / (2.0 * PI)).sqrt() * libm::exp(-exponent)
}

/// I(a, b) at x and its complement: the probabilities below and above x of the beta law of
/// shapes `a`, `b` > 0, for 0 < x < 1 and `y` = 1 − x with its own digits (DLMF 8.17.2).
pub fn beta(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let weight = beta_weight(a, b, x, y);
    if x < (a + 1.0) / (a + b + 2.0) {
        let below = weight * beta_fraction(a, b, x) / a;
        (below, 1.0 - below)
    } else {
        let above = weight * beta_fraction(b, a, y) / b;
        (1.0 - above, above)
    }
}

/// xᵃyᵇ/B(a, b): the derivative of I by ln(x/y).
pub fn beta_weight(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let total = a + b;
    let apart = b * x - a * y;
    let exponent = a * deficit(apart / a, x * (total / a))
        + b * deficit(-apart / b, y * (total / b))
        + stirling_error(a)
        + stirling_error(b)
        - stirling_error(total);
    (a / total).sqrt() * (b / (2.0 * PI)).sqrt() * libm::exp(-exponent)
}

/// ln B(a, b).
pub fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// u − ln(1 + u), also where the two nearly cancel (the deviance of C. Loader, Fast and
/// accurate computation of binomial probabilities, 2000). `ratio` is 1 + u, which has digits
/// of its own where it is small.
fn deficit(u: f64, ratio: f64) -> f64 {
    if u.abs() > 0.3 {
        return u - libm::log(ratio);
    }
    // ln(1 + u) = 2·artanh v.
    let v = u / (2.0 + u);
    let square = v * v;
    // v² is below 0.032: the terms left out are below 1e−17 of the first.
    let series = (1..=11).rev().fold(0.0, |sum, k| {
        sum * square + 1.0 / (2.0 * f64::from(k) + 1.0)
    });
    v * (u - 2.0 * square * series)
}

/// ln Γ(a) less Stirling's formula (a − ½)·ln a − a + ½·ln 2π (DLMF 5.11.1).
fn stirling_error(a: f64) -> f64 {
    if a < 10.0 {
        let formula = (a - 0.5) * libm::log(a) - a + 0.5 * libm::log(2.0 * PI);
        return libm::lgamma(a) - formula;
    }
    let r = 1.0 / (a * a);
    let series = 1.0 / 1188.0 - r * (691.0 / 360_360.0 - r / 156.0);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r * series)))) / a
}

/// P over its weight (DLMF 8.11.4).
fn gamma_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    let mut n = a;
    while term > 0.1 * f64::EPSILON * sum {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

/// A continued fraction by the method of Lentz, from its first denominator on (DLMF 3.10.(iii)).
struct Fraction {
    value: f64,
    c: f64,
    d: f64,
}

impl Fraction {
    /// Takes the next partial numerator and denominator; whether the value still changed.
    fn next(&mut self, numerator: f64, denominator: f64) -> bool {
        const TINY: f64 = 1e-300;
        let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
        self.d = 1.0 / guard(denominator + numerator * self.d);
        self.c = guard(denominator + numerator / self.c);
        let step = self.c * self.d;
        self.value *= step;
        (step - 1.0).abs() > f64::EPSILON
    }
}

/// Far more terms than any convergent fraction takes here: a shape of 1e14 needs 1e8.
const MOST: u32 = 1_000_000_000;

/// Q over its weight, for x ≥ a + 1 (DLMF 8.9.2).
fn gamma_fraction(a: f64, x: f64) -> f64 {
    let d = 1.0 / (x + 1.0 - a);
    let (value, c) = (d, f64::INFINITY);
    let mut fraction = Fraction { value, c, d };
    let mut more = |n: f64| fraction.next(-n * (n - a), x + 2.0 * n + 1.0 - a);
    (1..MOST).map(f64::from).find(|n| !more(*n));
    fraction.value
}

/// I over its weight, times a, for x below the mean (DLMF 8.17.22).
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let d = 1.0 / (1.0 - (a + b) * x / (a + 1.0));
    let (value, c) = (d, 1.0);
    let mut fraction = Fraction { value, c, d };
    let mut more = |m: f64| {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        fraction.next(even, 1.0);
        fraction.next(odd, 1.0)
    };
    (1..MOST).map(f64::from).find(|m| !more(*m));
    fraction.value
}

/// Shape from which the uniform expansion has 16 digits with the coefficients below, where
/// the others would take √a terms.
const UNIFORM: f64 = 1e4;

/// The uniform expansion of N. M. Temme (DLMF 8.12.3 to 8.12.8).
fn gamma_uniform(a: f64, x: f64) -> (f64, f64) {
    let exponent = a * deficit((x - a) / a, x / a);
    let upper = x >= a;
    if exponent > 745.0 {
        return if upper { (1.0, 0.0) } else { (0.0, 1.0) };
    }
    let side = if upper { 1.0 } else { -1.0 };
    let eta = side * (2.0 * exponent / a).sqrt();
    let sum = TEMME.iter().rev().fold(0.0, |sum, row| {
        sum / a + row.iter().rev().fold(0.0, |sum, c| sum * eta + c)
    });
    let rest = libm::exp(-exponent) / (2.0 * PI * a).sqrt() * sum;
    let tail = 0.5 * libm::erfc(exponent.sqrt()) + side * rest;
    if upper {
        (1.0 - tail, tail)
    } else {
        (tail, 1.0 - tail)
    }
}

/// The functions cₖ(η) of DLMF 8.12.9 in powers of η: row k, |η| < 0.4 (expanded in rational
/// arithmetic from 8.12.11).
const TEMME: [&[f64]; 4] = [
    &[
        -0.3333333333333333,
        0.08333333333333333,
        -0.014814814814814815,
        0.0011574074074074073,
        0.0003527336860670194,
        -0.0001787551440329218,
        3.919263178522438e-05,
        -2.185448510679992e-06,
        -1.85406221071516e-06,
        8.296711340953087e-07,
        -1.7665952736826078e-07,
        6.707853543401498e-09,
        1.0261809784240309e-08,
        -4.382036018453353e-09,
        9.14769958223679e-10,
    ],
    &[
        -0.001851851851851852,
        -0.003472222222222222,
        0.0026455026455026454,
        -0.0009902263374485596,
        0.00020576131687242798,
        -4.018775720164609e-07,
        -1.8098550334489977e-05,
        7.64916091608111e-06,
        -1.6120900894563446e-06,
    ],
    &[
        0.004133597883597883,
        -0.0026813271604938273,
        0.0007716049382716049,
        2.0093878600823047e-06,
        -0.0001073665322636516,
    ],
    &[0.0006494341563786008, 0.00022947209362139917],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Shape, x, P and Q by integration of the density with mpmath 1.3 at 40 digits.
    const GAMMA: [(f64, f64, f64, f64); 41] = [
        (
            12.5,
            8.964466094067262,
            0.1546073364625636,
            0.8453926635374364,
        ),
        (12.5, 12.5, 0.5376263370733864, 0.4623736629266137),
        (
            12.5,
            23.106601717798213,
            0.9939378781722397,
            0.006062121827760388,
        ),
        (
            12.5,
            40.7842712474619,
            0.9999999353448522,
            6.465514777129795e-08,
        ),
        (12.5, 83.21067811865476, 1.0, 7.439641882246085e-23),
        (300.0, 161.4359353944898, 1.3659742622721637e-22, 1.0),
        (
            300.0,
            282.6794919243112,
            0.15851505936920127,
            0.8414849406307987,
        ),
        (300.0, 300.0, 0.5076777888862635, 0.4923222111137365),
        (
            300.0,
            351.9615242270663,
            0.9978912202201624,
            0.002108779779837591,
        ),
        (
            300.0,
            438.56406460551017,
            0.9999999999990358,
            9.641811289030516e-13,
        ),
        (300.0, 646.4101615137755, 1.0, 7.404549928856819e-53),
        (
            9000.0,
            8241.053361559589,
            9.122336111513075e-17,
            0.9999999999999999,
        ),
        (
            9000.0,
            8905.131670194949,
            0.1586507391391381,
            0.8413492608608619,
        ),
        (9000.0, 9000.0, 0.5014017411550684, 0.49859825884493164),
        (
            9000.0,
            9284.604989415155,
            0.9985228454717447,
            0.0014771545282552092,
        ),
        (
            9000.0,
            9758.946638440411,
            0.9999999999999967,
            3.3752466456521773e-15,
        ),
        (9000.0, 10897.366596101028, 1.0, 9.867182456474314e-79),
        (10000.0, 9200.0, 1.0130928844019716e-16, 0.9999999999999999),
        (10000.0, 9900.0, 0.15865119219356466, 0.8413488078064354),
        (10000.0, 10000.0, 0.5013298083399552, 0.4986701916600448),
        (10000.0, 10300.0, 0.9985295051036143, 0.0014704948963856813),
        (10000.0, 10800.0, 0.9999999999999969, 3.109819962168845e-15),
        (10000.0, 12000.0, 1.0, 3.3272024923451615e-79),
        (
            1000000.0,
            992000.0,
            5.240122815430831e-16,
            0.9999999999999994,
        ),
        (1000000.0, 999000.0, 0.15865521357430365, 0.8413447864256963),
        (1000000.0, 1000000.0, 0.5001329807608725, 0.4998670192391274),
        (
            1000000.0,
            1003000.0,
            0.9986382593537824,
            0.0013617406462175915,
        ),
        (
            1000000.0,
            1008000.0,
            0.9999999999999992,
            7.370278579605256e-16,
        ),
        (1000000.0, 1020000.0, 1.0, 3.8098103227133604e-88),
        (
            100000000.0,
            99920000.0,
            6.11569983219279e-16,
            0.9999999999999994,
        ),
        (
            100000000.0,
            99990000.0,
            0.15865525352814383,
            0.8413447464718562,
        ),
        (
            100000000.0,
            100000000.0,
            0.5000132980760141,
            0.49998670192398587,
        ),
        (
            100000000.0,
            100030000.0,
            0.998648919898398,
            0.0013510801016019577,
        ),
        (
            100000000.0,
            100080000.0,
            0.9999999999999993,
            6.327903413122214e-16,
        ),
        (100000000.0, 100200000.0, 1.0, 3.5936926217788e-89),
        (
            1000000000000.0,
            999992000000.0,
            6.219899681443617e-16,
            0.9999999999999993,
        ),
        (
            1000000000000.0,
            999999000000.0,
            0.15865525393141672,
            0.8413447460685832,
        ),
        (
            1000000000000.0,
            1000000000000.0,
            0.5000001329807602,
            0.4999998670192399,
        ),
        (
            1000000000000.0,
            1000003000000.0,
            0.9986500901500831,
            0.0013499098499169014,
        ),
        (
            1000000000000.0,
            1000008000000.0,
            0.9999999999999993,
            6.222021635306897e-16,
        ),
        (1000000000000.0, 1000020000000.0, 1.0, 2.760976668498511e-89),
    ];

    #[test]
    fn gamma_in_both_tails_against_mpmath() {
        for (a, x, below, above) in GAMMA {
            let found = gamma(a, x);
            for (found, wanted) in [(found.0, below), (found.1, above)] {
                // Rounding of the exponent.
                let tolerance = 1e-15 * (4.0 - 2.0 * libm::log(wanted));
                let error = (found / wanted - 1.0).abs();
                assert!(error < tolerance, "{a} {x} {found:e} {wanted:e} {error:e}");
            }
        }
    }

    #[test]
    fn both_ways_to_gamma_meet() {
        for z in [-20.0, -8.0, -2.0, -0.1, 0.0, 0.1, 1.0, 5.0, 12.0, 30.0] {
            let x = UNIFORM + z * UNIFORM.sqrt();
            let direct = if x < UNIFORM + 1.0 {
                gamma_weight(UNIFORM, x) * gamma_series(UNIFORM, x)
            } else {
                gamma_weight(UNIFORM, x) * gamma_fraction(UNIFORM, x)
            };
            let (below, above) = gamma_uniform(UNIFORM, x);
            let uniform = if x < UNIFORM + 1.0 { below } else { above };
            assert!(
                (uniform / direct - 1.0).abs() < 1e-12,
                "{z} {uniform:e} {direct:e}"
            );
        }
    }

    #[test]
    fn closed_forms() {
        for x in [1e-300, 1e-10, 0.3, 1.9, 2.1, 40.0, 600.0, 900.0_f64] {
            let (below, above) = gamma(1.0, x);
            assert!(
                (below + libm::expm1(-x)).abs() <= 4e-16 * below,
                "{x} {below}"
            );
            // Far out, rounding of the exponent.
            let error = (above - libm::exp(-x)).abs();
            assert!(
                error <= 1e-15 * (1.0 + x) * libm::exp(-x) + 1e-323,
                "{x} {above:e}"
            );
            // Γ(½, x)/√π = erfc √x.
            let (_, above) = gamma(0.5, x);
            let wanted = libm::erfc(x.sqrt());
            let error = (above - wanted).abs();
            assert!(
                error <= 1e-15 * (2.0 + x) * wanted + 1e-323,
                "{x} {above:e} {wanted:e}"
            );
        }
        for x in [1e-300, 1e-8, 0.2, 0.5, 0.9, 1.0 - 1e-9] {
            let y = 1.0 - x;
            for a in [0.3, 1.0, 8.0, 1e5] {
                let (below, above) = beta(a, 1.0, x, y);
                let exponent = a * libm::log(x);
                let tolerance = 1e-15 * (10.0 + exponent.abs());
                let wanted = libm::exp(exponent);
                assert!(
                    (below - wanted).abs() <= tolerance * wanted,
                    "{a} {x} {below:e}"
                );
                let wanted = -libm::expm1(exponent);
                // ln x near 1 is known as well as 1 − x, whose last digit is 1e-16.
                let tolerance = tolerance + 1e-16 / y;
                assert!(
                    (above - wanted).abs() <= tolerance * wanted,
                    "{a} {x} {above:e}"
                );
            }
        }
    }
}
