//! Elementary functions without branches, so that a loop over them runs in vector
//! registers, and with the same bits on every machine and in every loop.
//!
//! Reductions and polynomials are those of fdlibm (Sun Microsystems, 1993; error below one
//! unit in the last place); the selection of special cases is by value instead of by jump.
//! Where an argument or a result is not finite the function gives NaN: a trial is either
//! a number or it is counted as undefined.

/// 1.5·2⁵²: adding it rounds to a whole number, which then stands in the low bits.
pub const ROUND: f64 = 6_755_399_441_055_744.0;

/// The value, or NaN where it is not finite.
#[inline(always)]
pub fn finite(x: f64) -> f64 {
    x + x * 0.0
}

/// 2^k for −1022 ≤ k ≤ 1023, `k` a whole number.
#[inline(always)]
fn power_of_two(k: f64) -> f64 {
    f64::from_bits((k + (ROUND + 1023.0)).to_bits() << 52)
}

/// eˣ.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let k = (x * std::f64::consts::LOG2_E + ROUND) - ROUND;
    let high = x - k * LN2_HIGH;
    let low = k * LN2_LOW;
    let r = high - low;
    let z = r * r;
    let c = r - z
        * (1.666_666_666_666_660_2e-1
            + z * (-2.777_777_777_701_559_3e-3
                + z * (6.613_756_321_437_934e-5
                    + z * (-1.653_390_220_546_525_2e-6 + z * 4.138_136_797_057_238_5e-8))));
    let body = 1.0 + ((r * c) / (2.0 - c) - low + high);
    // In two steps, so that results below 2⁻¹⁰²² come out rounded instead of lost.
    let half = (k * 0.5 + ROUND) - ROUND;
    let scaled = body * power_of_two(half) * power_of_two(k - half);
    let scaled = if x < -746.0 { 0.0 } else { scaled };
    let scaled = if x > 709.782_712_893_384 {
        f64::NAN
    } else {
        scaled
    };
    // An infinite or NaN argument.
    scaled + x * 0.0
}

const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Natural logarithm; NaN for x ≤ 0.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    let small = x < f64::MIN_POSITIVE;
    let scaled = if small {
        x * 18_014_398_509_481_984.0
    } else {
        x
    };
    let bits = scaled
        .to_bits()
        .wrapping_add(0x3ff0_0000_0000_0000 - 0x3fe6_a09e_0000_0000);
    // The exponent as a number, by the trick of `power_of_two` backwards.
    let exponent = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000) - 4_503_599_627_370_496.0;
    let k = exponent - if small { 1023.0 + 54.0 } else { 1023.0 };
    let mantissa =
        f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(0x3fe6_a09e_0000_0000));
    let f = mantissa - 1.0;
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w
        * (3.999_999_999_940_942e-1
            + w * (2.222_219_843_214_978_4e-1 + w * 1.531_383_769_920_937_3e-1));
    let odd = z
        * (6.666_666_666_666_735e-1
            + w * (2.857_142_874_366_239e-1
                + w * (1.818_357_216_161_805e-1 + w * 1.479_819_860_511_658_6e-1)));
    let result = s * (half_square + (odd + even)) + k * LN2_LOW - half_square + f + k * LN2_HIGH;
    if x > 0.0 && x < f64::INFINITY {
        result
    } else {
        f64::NAN
    }
}

/// Decimal logarithm; NaN for x ≤ 0.
#[inline(always)]
pub fn log10(x: f64) -> f64 {
    // Relative error of the product below 1.5 units in the last place.
    ln(x) * std::f64::consts::LOG10_E
}

/// Largest argument for which the reduction below keeps all digits.
pub const REDUCED: f64 = 1e5;

/// (sin x, cos x) for |x| ≤ [`REDUCED`].
#[inline(always)]
fn sin_cos_reduced(x: f64) -> (f64, f64) {
    let shifted = x * std::f64::consts::FRAC_2_PI + ROUND;
    let n = shifted - ROUND;
    let quadrant = shifted.to_bits();
    // π/2 in three parts of 33 bits: the products with n are exact (Cody and Waite).
    let a = x - n * 1.570_796_326_734_125_6;
    let b = n * 6.077_100_506_303_966e-11;
    let high = a - b;
    let rest = (a - high) - b;
    let c = n * 2.022_266_248_795_950_6e-21;
    let r = high - (c - rest);
    let low = (high - r) - (c - rest);
    let (sin, cos) = (kernel_sin(r, low), kernel_cos(r, low));
    let swap = quadrant & 1 == 1;
    let (s, c) = if swap { (cos, sin) } else { (sin, cos) };
    let s = f64::from_bits(s.to_bits() ^ ((quadrant & 2) << 62));
    let c = f64::from_bits(c.to_bits() ^ ((quadrant.wrapping_add(1) & 2) << 62));
    (s, c)
}

#[inline(always)]
fn kernel_sin(x: f64, low: f64) -> f64 {
    let z = x * x;
    let w = z * z;
    let r = 8.333_333_333_322_49e-3
        + z * (-1.984_126_982_985_795e-4 + z * 2.755_731_370_707_006_8e-6)
        + z * w * (-2.505_076_025_340_686_3e-8 + z * 1.589_690_995_211_55e-10);
    let v = z * x;
    x - ((z * (0.5 * low - v * r) - low) - v * -1.666_666_666_666_663_2e-1)
}

#[inline(always)]
fn kernel_cos(x: f64, low: f64) -> f64 {
    let z = x * x;
    let w = z * z;
    let r = z
        * (4.166_666_666_666_66e-2
            + z * (-1.388_888_888_887_411e-3 + z * 2.480_158_728_947_673e-5))
        + w * w
            * (-2.755_731_435_139_066_3e-7
                + z * (2.087_572_321_298_175e-9 + z * -1.135_964_755_778_819_5e-11));
    let half = 0.5 * z;
    let w = 1.0 - half;
    w + (((1.0 - w) - half) + (z * r - x * low))
}

/// sin x for |x| ≤ π/2.
#[inline(always)]
pub fn sin_quarter(x: f64) -> f64 {
    // The polynomial holds for |x| ≤ π/4; above, cos of the rest.
    let magnitude = x.abs();
    let rest = std::f64::consts::FRAC_PI_2 - magnitude;
    let near = kernel_sin(magnitude, 0.0);
    let far = kernel_cos(rest, 6.123_233_995_736_766e-17);
    let s = if magnitude > std::f64::consts::FRAC_PI_4 {
        far
    } else {
        near
    };
    s.copysign(x)
}

#[inline(always)]
pub fn sin(x: f64) -> f64 {
    sin_cos_reduced(x).0 + x * 0.0
}

#[inline(always)]
pub fn cos(x: f64) -> f64 {
    sin_cos_reduced(x).1 + x * 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units in the last place of the reference.
    fn ulps(found: f64, exact: f64) -> f64 {
        if found == exact {
            return 0.0;
        }
        let ulp = f64::from_bits(exact.abs().to_bits() + 1) - exact.abs();
        ((found - exact) / ulp).abs()
    }

    /// 200 000 arguments over `from` to `to`, evenly and unevenly.
    fn arguments(from: f64, to: f64) -> impl Iterator<Item = f64> {
        (0..200_000_u32).map(move |at| {
            let even = f64::from(at) / 200_000.0;
            let uneven = even * 0.618_033_988_749_895 % 1.0;
            from + (to - from) * if at % 2 == 0 { even } else { uneven }
        })
    }

    /// The reference is the `libm` crate, itself below one unit in the last place; two such
    /// results may lie two units apart.
    fn compare(from: f64, to: f64, ours: fn(f64) -> f64, theirs: fn(f64) -> f64, bound: f64) {
        for x in arguments(from, to) {
            let (found, exact) = (ours(x), theirs(x));
            assert!(ulps(found, exact) <= bound, "{x:e}: {found:e} {exact:e}");
        }
    }

    #[test]
    fn functions_agree_with_an_independent_library() {
        compare(-745.0, 709.7, exp, libm::exp, 1.0);
        compare(-1.0, 1.0, exp, libm::exp, 1.0);
        compare(1e-12, 3.0, ln, libm::log, 1.0);
        compare(1e-300, 1e300, ln, libm::log, 1.0);
        compare(0.5, 1e6, log10, libm::log10, 2.0);
        compare(-10.0, 10.0, sin, libm::sin, 1.0);
        compare(-10.0, 10.0, cos, libm::cos, 1.0);
        compare(-REDUCED, REDUCED, sin, libm::sin, 1.0);
        compare(-REDUCED, REDUCED, cos, libm::cos, 1.0);
        let quarter = std::f64::consts::FRAC_PI_2;
        compare(-quarter, quarter, sin_quarter, libm::sin, 1.0);
    }

    #[test]
    fn hard_arguments_of_the_reduction() {
        // Multiples of π/2, where almost all digits cancel.
        for n in 1..60_000 {
            let x = f64::from(n) * std::f64::consts::FRAC_PI_2;
            assert!(ulps(sin(x), libm::sin(x)) <= 1.0, "{x}");
            assert!(ulps(cos(x), libm::cos(x)) <= 1.0, "{x}");
        }
    }

    #[test]
    fn outside_the_domain_there_is_no_number() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for f in [exp, ln, log10, sin, cos, finite] {
                assert!(f(x).is_nan(), "{x}");
            }
        }
        assert!(exp(710.0).is_nan());
        assert_eq!(exp(-800.0), 0.0);
        assert!(exp(-745.0) > 0.0);
        assert!(ln(0.0).is_nan() && ln(-1.0).is_nan());
        assert!(ulps(ln(5e-324), libm::log(5e-324)) <= 1.0);
        assert_eq!(
            (ln(1.0), exp(0.0), sin(0.0), cos(0.0)),
            (0.0, 1.0, 0.0, 1.0)
        );
    }
}
