//! What the units of the inputs say against a model, and what they do not say.

use std::collections::BTreeMap;

use heng_quantities::UnitExpression;
use heng_uncertainty::{Diagnostic, Library, Model};

/// `units` as `x: mm, T: °C`.
fn findings(text: &str, units: &str) -> Vec<Diagnostic> {
    let units: BTreeMap<&str, UnitExpression> = units
        .split(", ")
        .filter(|one| !one.is_empty())
        .map(|one| {
            let (name, unit) = one.split_once(": ").unwrap();
            (name, unit.parse().unwrap())
        })
        .collect();
    let model = Model::compile(text, Library::shipped()).unwrap();
    model.check_units(&|name| units.get(name).cloned())
}

/// Text, units, column and a part of the message.
const CLASHES: &[(&str, &str, usize, &str)] = &[
    (
        "y = a + b",
        "a: m, b: s",
        7,
        "`a` and `b`: the dimensions m and s",
    ),
    ("y = a - b", "a: m, b: mm", 7, "different scales"),
    ("y = a + 2 * b", "a: m, b: mm", 7, "different scales"),
    ("y = a + b", "a: %, b: ppm", 7, "different scales"),
    ("y = a * b + c", "a: V, b: A, c: V", 11, "`a * b` and `c`"),
    ("y = a^2 + b", "a: m, b: m", 9, "m2 and m"),
    ("y = sqrt(a) + b", "a: m2, b: s", 13, "m and s"),
    ("y = a^0.5 + b", "a: m2, b: s", 11, "m and s"),
    ("y = a^-1 + b", "a: m, b: m", 10, "m-1 and m"),
    ("y = exp(a)", "a: K", 9, "argument of `exp` is a number"),
    ("y = ln(a / b)", "a: K, b: m", 10, "dimension m-1 K"),
    ("y = sin(a)", "a: °", 9, "radians"),
    ("y = 2^a", "a: V", 7, "an exponent is a number"),
    ("y = min(a, b, c)", "a: m, b: m, c: K", 5, "`b` and `c`"),
    ("y = if(a < b, 1, 2)", "a: m, b: K", 10, "compared are"),
    (
        "y = if(a < 1, b, c)",
        "a: m, b: K, c: s",
        5,
        "the branches are",
    ),
    ("y = atan2(a, b)", "a: m, b: mm", 5, "different scales"),
    ("y = a + b", "a: m, b: m, y: s", 1, "stated in s"),
    ("y = a * b", "a: m, b: m, y: mm2", 1, "another scale"),
    (
        "y = hardy_water(t)",
        "t: K",
        17,
        "takes its argument t in °C",
    ),
    (
        "y = hardy_water(p)",
        "p: Pa",
        17,
        "takes its argument t in °C",
    ),
    (
        "y = hardy_water(t) + p",
        "t: °C, p: hPa",
        20,
        "different scales",
    ),
    ("y = hardy_water(t - u)", "t: °C, u: °C", 19, "another unit"),
    (
        "solve x: x^2 = a",
        "x: m, a: m",
        11,
        "the sides of the equation",
    ),
    (
        "solve x: x^2 = a near b",
        "x: m, a: m2, b: mm",
        23,
        "start of `x`",
    ),
    ("y = poly(x, a, b)", "x: K, a: m, b: m", 5, "m and m K"),
    (
        "y = pi * d^2 / 4 + a",
        "d: mm, a: m2",
        18,
        "different scales",
    ),
    ("y = a / sqrt(3) + b", "a: mm, b: m", 17, "different scales"),
    ("y = 1000 * a + b", "a: m, b: V", 14, "the dimensions"),
    // A temperature coefficient in µm/(m K) is not one in 1/K.
    (
        "y = a * (1 + b * (t - 20))",
        "a: mm, b: µm/(m K), t: °C, y: mm",
        1,
        "another scale",
    ),
];

#[test]
fn a_clash_of_units_is_found_with_its_place() {
    for &(text, units, column, part) in CLASHES {
        let found = findings(text, units);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(
            (found[0].line, found[0].column),
            (1, column),
            "{text}: {}",
            found[0]
        );
        assert!(found[0].message.contains(part), "{text}: {}", found[0]);
        assert!(found[0].help.is_some());
    }
}

#[test]
fn series_and_complex_quantities_have_units() {
    for (text, units, line, part) in [
        (
            "vector x[2], w[2]\ny = x + w",
            "x: m, w: K",
            2,
            "the dimensions",
        ),
        (
            "vector x[2]\ny = mean(x) + b",
            "x[1]: m, x[2]: m, b: s",
            2,
            "the dimensions",
        ),
        (
            "vector x[2]\ny = x[2] + b",
            "x[2]: m, b: s",
            2,
            "the dimensions",
        ),
        ("vector x[2]\ny = sumsq(x) + b", "x: m, b: m", 2, "m2 and m"),
        (
            "vector x[2]\ny = dot(x, x) + b",
            "x: m, b: m",
            2,
            "m2 and m",
        ),
        ("vector x[2]\ny = 2 * x", "x: m, y[1]: s", 2, "stated in s"),
        (
            "complex z\ny = z + b",
            "z.re: Ω, z.im: Ω, b: V",
            2,
            "the dimensions",
        ),
        (
            "complex z\ny = abs(z) + b",
            "z: Ω, b: V",
            2,
            "the dimensions",
        ),
        (
            "complex z\ny = z.re + b",
            "z.re: Ω, b: V",
            2,
            "the dimensions",
        ),
        ("polar z\ny = z", "z.arg: °", 1, "in radians"),
        (
            "polar z\ny = z.abs + z.arg",
            "z.abs: Ω, z.arg: rad",
            2,
            "the dimensions",
        ),
        ("complex z\nG = 2 * z", "z: Ω, G.re: V", 2, "stated in V"),
        ("y = polar(a, b)", "a: V, b: °", 1, "radians"),
        (
            "y = complex(a, b)",
            "a: V, b: A",
            1,
            "real and imaginary part",
        ),
    ] {
        let found = findings(text, units);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].line, line, "{text}: {}", found[0]);
        assert!(found[0].message.contains(part), "{text}: {}", found[0]);
    }
}

/// Models as laboratories write them, with constants in the text, all in order.
const SOUND: &[(&str, &str)] = &[
    // Unknown units are not guessed.
    ("y = a + b", "a: m"),
    ("y = a + b * c", "a: m, b: s"),
    ("y = exp(a * b)", "a: K"),
    // Callendar and van Dusen with the coefficients of IEC 60751 in the text.
    (
        "r = r0 * (1 + 3.9083e-3 * t - 5.775e-7 * t^2)",
        "r0: Ω, t: °C, r: Ω",
    ),
    (
        "r = r0 * (1 + t * (3.9083e-3 - t * 5.775e-7))",
        "r0: Ω, t: °C, r: Ω",
    ),
    (
        "r = r0 * poly(t, 1, 3.9083e-3, -5.775e-7)",
        "r0: Ω, t: °C, r: Ω",
    ),
    ("r = r0 * (1 + 1e-3 * t)", "r0: Ω, t: °C, r: Ω"),
    // The Magnus formula.
    ("e = 6.112 * exp(17.62 * t / (243.12 + t))", "t: °C, e: hPa"),
    ("e = 100 * exp(17.62 * t / (243.12 + t))", "t: °C, e: Pa"),
    ("y = t - 20", "t: °C, y: °C"),
    ("T = t + 273.15", "t: °C, T: K"),
    ("d = t_uut - t_ref", "t_uut: °C, t_ref: °C, d: K"),
    ("t = t_ind + d", "t_ind: °C, d: K, t: °C"),
    ("e = hardy_water(t + d) + p", "t: °C, d: K, p: Pa, e: Pa"),
    ("e = hardy_water((a + b) / 2)", "a: °C, b: °C, e: Pa"),
    ("e = hardy_water(T - 273.15)", "T: K, e: Pa"),
    (
        "rh = 100 * hardy_water(td) / hardy_water(t)",
        "td: °C, t: °C, rh: %RH",
    ),
    ("rho = 1000 * m / V", "m: g, V: mL, rho: kg/m3"),
    ("y = 1000 * a + b", "a: m, b: mm, y: mm"),
    ("y = a / 1000 + b", "a: mm, b: m"),
    ("y = 0 + a - 0", "a: m, y: m"),
    ("y = if(a > 0, a, 0)", "a: m, y: m"),
    ("y = if(a > 5 and not b < 2, a, b)", "a: m, b: m, y: m"),
    ("y = max(a, 0, b)", "a: m, b: m, y: m"),
    // Gauge blocks, JCGM 100:2008, H.1.
    (
        "l = ls + d - ls * (da * theta + alpha * dt)",
        "ls: mm, d: mm, da: 1/K, theta: K, alpha: 1/°C, dt: °C, l: mm",
    ),
    // Mass in air, with densities.
    (
        "m = mr * (1 + (rho_a - 1.2) * (1 / rho - 1 / rho_r)) + dm",
        "mr: g, rho_a: kg/m3, rho: kg/m3, rho_r: kg/m3, dm: g, m: g",
    ),
    // Resistance and reactance, JCGM 100:2008, H.2.
    (
        "R = V / I * cos(phi)\nX = V / I * sin(phi)\nZ = sqrt(R^2 + X^2)",
        "V: V, I: mA, phi: rad, R: kΩ, X: kΩ, Z: kΩ",
    ),
    ("a = sin(x * pi / 180)", "x: °"),
    (
        "a = atan2(x, y)\nb = a * 180 / pi",
        "x: m, y: m, a: rad, b: °",
    ),
    ("y = a / sqrt(3)", "a: mm, y: mm"),
    ("y = pi * d^2 / 4", "d: mm, y: mm2"),
    ("p = p0 * (T / T0)^n", "p0: Pa, T: K, T0: K, n: 1, p: Pa"),
    ("y = x^1.5", "x: m, y: m2"),
    ("solve x: x^2 = a near 3", "x: m, a: m2"),
    ("vector x[2]\ny = x[1] + b", "x[1]: m, x[2]: s, b: m"),
    (
        "vector x[3]\ns = sqrt(sumsq(x - mean(x)) / (3 * 2))",
        "x: mm, s: mm",
    ),
    ("vector c[3]\ny = poly(t, c)", "t: K, c: m, y: m"),
    (
        "polar S\ncomplex T\nG = S * T\np = G.arg + 1",
        "S.abs: 1, T: 1, S.arg: rad, p: rad",
    ),
];

#[test]
fn nothing_is_found_where_nothing_is_wrong_or_nothing_known() {
    for &(text, units) in SOUND {
        assert_eq!(findings(text, units), [], "{text} with {units}");
    }
}

#[test]
fn a_line_has_one_finding_and_a_stated_result_stops_the_cascade() {
    let found = findings(
        "y = exp(a) + sin(a)\nz = y + a\nw = z * a + b",
        "a: m, b: s, y: m, z: m",
    );
    let lines: Vec<_> = found.iter().map(|one| one.line).collect();
    assert_eq!(lines, [1, 3], "{found:?}");
}
