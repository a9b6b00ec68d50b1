//! Numbers as a budget shows them.

/// Power of ten of the leading digit once `x` is rounded to `digits` digits; none for 0 and
/// for what is no number.
fn leading(x: f64, digits: usize) -> Option<i32> {
    if x == 0.0 || !x.is_finite() {
        return None;
    }
    let places = digits.saturating_sub(1);
    format!("{x:.places$e}").rsplit('e').next()?.parse().ok()
}

fn places(power: i32) -> usize {
    usize::try_from(-power).unwrap_or(0)
}

/// `x` down to the decimal place 10^`last`.
fn down_to(x: f64, last: i32) -> String {
    let power = leading(x, 17).unwrap_or(last);
    let plain = (-4..9).contains(&power) && last > -9;
    if plain || power < last {
        let text = format!("{x:.*}", places(last));
        // What rounds to zero has no sign.
        let zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
        return if zero { text.replace('-', "") } else { text };
    }
    format!("{x:.*e}", places(last - power))
}

/// `x` with that many significant digits.
pub fn significant(x: f64, digits: usize) -> String {
    match leading(x, digits) {
        None if x == 0.0 => "0".to_owned(),
        None if x == f64::INFINITY => "∞".to_owned(),
        None if x == f64::NEG_INFINITY => "-∞".to_owned(),
        None => "-".to_owned(),
        Some(power) => down_to(x, power + 1 - i32::try_from(digits).unwrap_or(i32::MAX)),
    }
}

/// `x` down to the place of the `digits`th significant digit of the uncertainty beside it;
/// with no uncertainty in its fewest digits.
pub fn beside(x: f64, u: f64, digits: usize) -> String {
    match leading(u, digits) {
        _ if x == 0.0 => "0".to_owned(),
        None if x.abs() >= 1e9 || x.abs() < 1e-4 => format!("{x:e}"),
        None => format!("{x}"),
        Some(power) => down_to(x, power + 1 - i32::try_from(digits).unwrap_or(i32::MAX)),
    }
}

/// `x` with its sampling error in units of its last digit: `35.81(2)`.
pub fn with_error(x: f64, error: f64) -> String {
    let Some(power) = leading(error, 1) else {
        return significant(x, 4);
    };
    if x.abs() < error && power < -8 {
        return format!("0({error:.0e})");
    }
    let text = down_to(x, power);
    let digit = format!("{error:.0e}");
    let digit = digit.chars().next().unwrap_or('0');
    // An error of whole tens and more: its last digits are zeros.
    let zeros = "0".repeat(usize::try_from(power).unwrap_or(0));
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}({digit})e{exponent}"),
        None => format!("{text}({digit}{zeros})"),
    }
}

/// Degrees of freedom: whole where they are, else to a tenth.
pub fn dof(dof: f64) -> String {
    if dof.is_infinite() {
        "∞".to_owned()
    } else if dof >= 1e6 {
        format!("{dof:.0e}")
    } else if (dof - dof.round()).abs() < 1e-6 {
        // 3.9999999 by rounding is 4.
        format!("{}", dof.round())
    } else {
        format!("{dof:.1}")
    }
}

/// A probability in per cent, in its fewest digits.
pub fn percent(p: f64) -> String {
    let text = format!("{:.4}", 100.0 * p);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_carry_meaning() {
        assert_eq!(significant(0.0028867, 3), "0.00289");
        assert_eq!(significant(-50000623.0, 4), "-50000623");
        assert_eq!(significant(5.7735e-7, 3), "5.77e-7");
        assert_eq!(significant(0.0, 3), "0");
        assert_eq!(beside(50_000_623.0, 25.0, 3), "50000623.0");
        assert_eq!(beside(11.5e-6, 1.1547e-6, 3), "1.150e-5");
        assert_eq!(beside(0.0, 5.8, 3), "0");
        assert_eq!(beside(1.2, 0.0, 3), "1.2");
        assert_eq!(beside(-0.0001, 3.0, 2), "0.0");
        assert_eq!(with_error(35.8067, 0.0179), "35.81(2)");
        assert_eq!(with_error(837.998, 0.25), "838.0(2)");
        assert_eq!(with_error(5.0012e-5, 5e-8), "5.001(5)e-5");
        assert_eq!(with_error(123_456.0, 31.0), "123456(30)");
        assert_eq!(percent(0.9545), "95.45 %");
        assert_eq!(percent(0.99), "99 %");
        assert_eq!(with_error(1.2e-12, 3e-9), "0(3e-9)");
        assert_eq!(dof(16.75), "16.8");
        assert_eq!(dof(3.999_999_999), "4");
        assert_eq!(dof(f64::INFINITY), "∞");
    }
}
