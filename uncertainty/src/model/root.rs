//! Roots of implicit equations.

/// Steps of Newton's method at most; from a fair start it takes about six.
pub const NEWTON_STEPS: usize = 50;

/// A step that does not lower |f| ends the search where it is this small beside x: the
/// rounding of the equation hides what is left. Larger, and |f| has a minimum there.
pub const SETTLED: f64 = 1e-9;

/// A change of sign is a root only where |f| falls below this part of what it was at the
/// ends of the bracket: at a pole it grows, at a jump it stays.
const VANISHED: f64 = 1e-6;

/// A root of f near `start`, to the last bits that the rounding of f leaves; `at` gives f
/// and its slope at x, NaN where it has none.
///
/// Newton's method, each step halved until |f| falls. Where that leads nowhere, the nearest
/// change of sign on either side of the start is looked for and bisected.
pub fn find_root(mut at: impl FnMut(f64) -> (f64, f64), start: f64) -> Option<f64> {
    if !start.is_finite() {
        return None;
    }
    newton(&mut at, start).or_else(|| {
        let bracket = bracket(&mut |x| at(x).0, start)?;
        bisected(&mut |x| at(x).0, bracket)
    })
}

fn newton(at: &mut impl FnMut(f64) -> (f64, f64), start: f64) -> Option<f64> {
    let mut x = start;
    let (mut f, mut slope) = at(x);
    for _ in 0..NEWTON_STEPS {
        if f == 0.0 {
            return Some(x);
        }
        let whole_step = -f / slope;
        if !whole_step.is_finite() {
            return None;
        }
        let settled = x + whole_step == x || whole_step.abs() <= SETTLED * x.abs();
        let mut step = whole_step;
        loop {
            let next = x + step;
            if next == x {
                return settled.then_some(x);
            }
            let (next_f, next_slope) = at(next);
            if next_f.abs() < f.abs() {
                (x, f, slope) = (next, next_f, next_slope);
                break;
            }
            if settled && next_f.is_finite() {
                return Some(x);
            }
            step *= 0.5;
        }
    }
    None
}

/// Two points next to each other, on a grid that doubles its distance from the start, at
/// which f has opposite signs.
fn bracket(f: &mut impl FnMut(f64) -> f64, start: f64) -> Option<[f64; 2]> {
    let mut distance = 1e-3 * start.abs().max(1.0);
    let at_start = f(start);
    let mut sides = [(start, at_start, -1.0), (start, at_start, 1.0)];
    for _ in 0..60 {
        for (x, at_x, side) in &mut sides {
            let next = start + *side * distance;
            let at_next = f(next);
            if (*at_x < 0.0 && at_next > 0.0) || (*at_x > 0.0 && at_next < 0.0) {
                return Some([*x, next]);
            }
            // Zero alone is no crossing: eˣ underflows to it.
            if at_next != 0.0 {
                (*x, *at_x) = (next, at_next);
            }
        }
        distance *= 2.0;
    }
    None
}

fn bisected(f: &mut impl FnMut(f64) -> f64, [mut a, mut b]: [f64; 2]) -> Option<f64> {
    let (mut at_a, mut at_b) = (f(a), f(b));
    let limit = VANISHED * at_a.abs().max(at_b.abs());
    loop {
        let middle = 0.5 * a + 0.5 * b;
        if middle == a || middle == b {
            let (x, left) = if at_a.abs() <= at_b.abs() {
                (a, at_a)
            } else {
                (b, at_b)
            };
            return (left.abs() <= limit).then_some(x);
        }
        let at_middle = f(middle);
        if at_middle.is_nan() {
            return None;
        }
        if (at_middle < 0.0) == (at_a < 0.0) {
            (a, at_a) = (middle, at_middle);
        } else {
            (b, at_b) = (middle, at_middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_in_closed_form() {
        // Each from a start at which Newton's method alone would leave the domain, run away
        // or stand still; the tolerance is one unit of the last place.
        type Equation = fn(f64) -> (f64, f64);
        let cases: [(&str, Equation, f64, f64); 7] = [
            ("x² = 2", |x| (x * x - 2.0, 2.0 * x), 1.0, 2_f64.sqrt()),
            (
                "x² = 2, flat start",
                |x| (x * x - 2.0, 2.0 * x),
                0.0,
                -(2_f64.sqrt()),
            ),
            ("ln x = 0", |x| (libm::log(x), 1.0 / x), 8.0, 1.0),
            (
                "ln x = 0, start without a value",
                |x| (libm::log(x), 1.0 / x),
                -0.5,
                1.0,
            ),
            (
                "atan x = 0",
                |x| (libm::atan(x), 1.0 / (1.0 + x * x)),
                20.0,
                0.0,
            ),
            (
                "x + eˣ = 0, the omega constant",
                |x| (x + libm::exp(x), 1.0 + libm::exp(x)),
                -3.0,
                -0.567_143_290_409_783_8,
            ),
            ("x·1e300 = 1", |x| (x * 1e300 - 1.0, 1e300), 5.0, 1e-300),
        ];
        for (name, equation, start, wanted) in cases {
            let found = find_root(equation, start).unwrap_or_else(|| panic!("{name}"));
            assert!(
                (found - wanted).abs() <= 2.3e-16 * wanted.abs(),
                "{name}: {found}, wanted {wanted}"
            );
        }
    }

    #[test]
    fn what_is_no_root_is_none() {
        let sign = |x: f64| if x < 0.3 { -1.0 } else { 1.0 };
        assert_eq!(find_root(|x| (x * x + 1.0, 2.0 * x), 0.7), None);
        assert_eq!(find_root(|x| (1.0 / (x - 2.0), -1.0), 1.0), None, "a pole");
        assert_eq!(find_root(|x| (sign(x), 0.0), 0.0), None, "a jump");
        assert_eq!(find_root(|x| (libm::exp(x), libm::exp(x)), 1.0), None);
        assert_eq!(find_root(|_| (f64::NAN, f64::NAN), 1.0), None);
        assert_eq!(find_root(|x| (x, 1.0), f64::NAN), None);
    }
}
