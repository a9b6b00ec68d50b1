//! Corrections of standards by every way in which a certificate may state them, held against
//! published values and computations made apart from this program.

use std::fmt::Write as _;
use std::path::Path;

use heng_procedures::{CorrectionKind, StandardCertificate, StandardChannel};
use serde_json::Value;

fn read(file: &str) -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    std::fs::read_to_string(fixtures.join(file)).unwrap()
}

fn certificate(file: &str) -> String {
    read(&format!("references/standards/{file}"))
}

fn parsed(text: &str) -> Result<StandardCertificate, String> {
    StandardCertificate::parse("standard.toml", text).map_err(|all| {
        let lines: Vec<_> = all.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

fn channel(text: &str) -> StandardChannel {
    parsed(text).unwrap().channel.remove(0)
}

fn reference(part: &str) -> Value {
    let all: Value = serde_json::from_str(&read("references/corrections.json")).unwrap();
    all[part].clone()
}

/// A case of the published values of the self-test.
fn oracle(id: &str) -> Value {
    let all: Value = serde_json::from_str(&read("oracles/science.json")).unwrap();
    let cases = all["oracles"].as_array().unwrap();
    cases.iter().find(|case| case["id"] == id).unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn values_and_uncertainties_are_those_computed_apart() {
    let part = reference("corrections");
    let tolerance = &part["tolerance"];
    let cases = part["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let text = certificate(case["certificate"].as_str().unwrap());
        let found = channel(&text).at(number(&case["indication"])).unwrap();
        let (value, u) = (number(&case["value"]), number(&case["u"]));
        assert!(
            (found.value - value).abs() <= number(&tolerance["value"]),
            "{case}: {found:?}"
        );
        assert!(
            (found.u / u - 1.0).abs() <= number(&tolerance["u_rel"]),
            "{case}: {found:?}"
        );
        assert_eq!(found.outside, None, "{case}");
    }
}

#[test]
fn thermometers_give_the_published_temperatures() {
    for (file, id) in [
        ("sprt-its90.toml", "its90.sprt.ipq.0.01"),
        ("sprt-its90.toml", "its90.sprt.ipq.231.928"),
        ("pt100-cvd.toml", "cvd.msl.t.109.1"),
        ("pt100-cvd.toml", "cvd.msl.t.98.7"),
    ] {
        let case = oracle(id);
        let standard = channel(&certificate(file));
        let found = standard
            .corrected(number(&case["inputs"]["R_ohm"]))
            .unwrap();
        let (expected, within) = (&case["expected"]["t90_degC"], &case["tolerance"]["abs"]);
        let expected = expected
            .as_f64()
            .unwrap_or_else(|| number(&case["expected"]["t_degC"]));
        assert!((found - expected).abs() <= number(within), "{id}: {found}");
    }
    let its90 = channel(&certificate("sprt-its90.toml"));
    assert_eq!(
        its90.correction_kind(),
        CorrectionKind::Its90 { sub_range: 8 }
    );
    let formulas = its90.formulas();
    assert!(formulas.iter().any(|one| one.name == "its90_sr8_t"));
}

/// Coefficients that come from tin and zinc carry the uncertainties of these points to 100 °C
/// with the published sensitivities.
#[test]
fn the_covariance_of_fixed_points_reaches_a_temperature_as_published() {
    let case = oracle("its90.prop.100");
    let (tin, zinc) = (&case["expected"]["c_Sn"], &case["expected"]["c_Zn"]);
    let (tin, zinc) = (number(tin) * 0.5e-3, number(zinc) * 0.8e-3);
    let expected = (tin * tin + zinc * zinc).sqrt();
    let text = certificate("sprt-its90.toml").replace("[6.25e-10,", "[0.0,");
    let standard = channel(&text);
    // Solved with mpmath from the equations of ITS-90 with these coefficients.
    let resistance = 35.263_582_627;
    let found = standard.at(resistance).unwrap();
    assert!((found.value - 100.0).abs() < 1e-7, "{found:?}");
    assert!(
        (found.u / expected - 1.0).abs() < 2e-3,
        "{found:?} {expected}"
    );
}

#[test]
fn a_polynomial_of_the_correction_gives_the_published_humidity() {
    let part = reference("polynomial");
    let coefficients = part["coefficients"].to_string();
    let text = format!(
        "{HEAD}[[channel]]\nquantity = \"relative_humidity\"\nunit = \"%RH\"\nmin = 30.0\nmax = 85.0\n\
         expanded_u = [[30.0, 0.4], [60.0, 0.6], [85.0, 1.1]]\nk = 2.0\n\
         polynomial = {{ of = \"correction\", coefficients = {coefficients} }}\n"
    );
    let standard = channel(&text);
    let found = standard.at(number(&part["indication"])).unwrap();
    let off = found.value - number(&part["value"]);
    assert!(off.abs() <= number(&part["tolerance"]), "{found:?}");
    assert_eq!(found.from, CorrectionKind::Polynomial);
    // U on the straight line from 0.4 at 30 to 0.6 at 60.
    assert!(
        (2.0 * found.u - (0.4 + 0.2 * 20.3 / 30.0)).abs() < 1e-12,
        "{found:?}"
    );
}

#[test]
fn uncertainties_at_points_lie_on_straight_lines() {
    let standard = channel(&certificate("thermometer-history.toml"));
    for (indication, u) in [(0.0, 0.005), (50.0, 0.010), (100.0, 0.015)] {
        let found = standard.at(indication).unwrap();
        assert!((found.u - u).abs() < 1e-15, "{found:?}");
    }
}

#[test]
fn the_drift_follows_from_earlier_calibrations() {
    let part = reference("drift");
    let expected = number(&part["half_width"]);
    let text = certificate("thermometer-history.toml");
    let found = channel(&text).drift_half_width();
    let off = (found / expected - 1.0).abs();
    assert!(off <= number(&part["tolerance_rel"]), "{found} {expected}");

    // A stated half-width counts where it is not smaller.
    let wide = text.replacen("k = 2.0", "k = 2.0\ndrift_half_width = 0.006", 1);
    assert_eq!(channel(&wide).drift_half_width(), 0.006);
    let narrow = text.replacen("k = 2.0", "k = 2.0\ndrift_half_width = 0.005", 1);
    let error = parsed(&narrow).unwrap_err();
    for part in ["line 1", "half-width 5.104e-3", "raise it or leave it out"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

/// Earlier coefficients of a resistance thermometer are compared at the same resistance.
#[test]
fn earlier_coefficients_show_a_drift_in_the_temperature() {
    let mut text = certificate("pt100-cvd.toml").replace("drift_half_width = 0.010\n", "");
    for (date, r0) in [("2024-03-02", 100.0149), ("2025-03-02", 100.0169)] {
        let _ = writeln!(
            text,
            "[[channel.history]]\ncalibrated = \"{date}\"\ncallendar_van_dusen.coefficients = \
             {{ R0 = {r0:.4}, A = 3.913e-3, B = -6.056e-7, C = 1.372e-12 }}"
        );
    }
    // R0 rises by 2 mΩ a year: dt = w·dR0/(R0·dw/dt) with w = R/R0, the most at 150 °C.
    let standard = channel(&text);
    let (w, slope) = (
        1.0 + 0.003_913 * 150.0 - 6.056e-7 * 22_500.0,
        0.003_913 - 2.0 * 6.056e-7 * 150.0,
    );
    let a_year = w * 0.002 / 100.0179 / slope;
    let half_width = standard.drift_half_width();
    assert!(
        (half_width / (3.0_f64.sqrt() * a_year) - 1.0).abs() < 0.01,
        "{half_width} {a_year}"
    );
}

#[test]
fn a_range_is_one_of_temperatures_for_resistance_thermometers() {
    let standard = channel(&certificate("sprt-its90.toml"));
    let error = standard.corrected(70.0).unwrap_err().to_string();
    for part in [
        "temperature 476.125",
        "°C",
        "0 to 419.527 °C",
        "use another standard",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // The value is there for an order that answers for it.
    let found = standard.at(70.0).unwrap();
    assert!(found.outside.is_some() && found.value > 476.0 && found.u > 1e-3);
    // Where the equation has no value the range is said in indications.
    let cvd = channel(&certificate("pt100-cvd.toml"));
    let error = cvd.at(10_000.0).unwrap_err().to_string();
    assert!(
        error.contains("10000 Ω") && error.contains("84.2"),
        "{error}"
    );
    assert!(cvd.corrected(f64::NAN).is_err());
    // A table holds its outermost correction.
    let table = channel(&certificate("thermometer-history.toml"));
    let beyond = table.at(120.0).unwrap();
    assert!((beyond.value - 119.994).abs() < 1e-12 && beyond.outside.is_some());
}

#[test]
fn every_certificate_survives_being_written_and_read() {
    for file in [
        "sprt-its90.toml",
        "pt100-cvd.toml",
        "barometer-polynomial.toml",
        "thermometer-history.toml",
    ] {
        let one = parsed(&certificate(file)).unwrap();
        let json = serde_json::to_string(&one).unwrap();
        let again: StandardCertificate = serde_json::from_str(&json).unwrap();
        assert_eq!(again, one, "{file}");
    }
}

const HEAD: &str = r#"
number = "S"
issuer = { en = "Institute", zh = "机构" }
calibrated = "2026-02-03"
valid_until = "2027-02-02"
instrument = { maker = "Demo", model = "M", serial = "1" }
traceable = true
"#;

/// What is replaced, by what, and what the message says.
type Change = (&'static str, &'static str, &'static str);

const WRONG: &[(&str, &[Change])] = &[
    (
        "sprt-its90.toml",
        &[
            ("sub_range = 8", "sub_range = 12", "take 1 to 11"),
            (
                "sub_range = 8",
                "sub_range = 7",
                "no coefficient c; state R_tpw, a, b, c",
            ),
            (", b = -9.919e-6", "", "no coefficient b"),
            (
                "a = -1.2134e-4",
                "a = -1.2134e-4, q = 1.0",
                "knows no coefficient q",
            ),
            ("a = -1.2134e-4", "a = -1.2134", "correct the coefficient"),
            ("R_tpw = 25.319871", "R_tpw = 0.0", "above 0 Ω"),
            ("R_tpw = 25.319871", "R_tpw = nan", "R_tpw"),
            ("max = 419.527", "max = 420.0", "narrow `min` and `max`"),
            (
                "indication_unit = \"Ω\"",
                "indication_unit = \"V\"",
                "`indication_unit = \"Ω\"`",
            ),
            ("indication_unit = \"Ω\"\n", "", "`indication_unit = \"Ω\"`"),
            ("unit = \"°C\"", "unit = \"K\"", "`unit = \"°C\"`"),
            ("[0.0, 2.88", "[1e-12, 2.88", "not symmetric"),
            ("1.641547913206e-11]", "1.5e-11]", "between -1 and 1"),
            ("1.641547913206e-11]", "-1.6e-11]", "not negative"),
            ("1.641547913206e-11]", "0.0]", "no variance"),
            (
                "1.641547913206e-11]",
                "1.641547913206e-11, 0.0]",
                "3 rows of 3",
            ),
            (
                "of = [\"R_tpw\", \"a\"",
                "of = [\"R_tpw\", \"R_tpw\"",
                "twice",
            ),
            (
                "of = [\"R_tpw\", \"a\"",
                "of = [\"R_tpw\", \"d\"",
                "names d",
            ),
            ("of = [\"R_tpw\"", "off = [\"R_tpw\"", "off"),
            (
                "max = 419.527",
                "max = 419.527\ncorrection = []",
                "`correction` and `its90`",
            ),
            (
                "max = 419.527",
                "max = 419.527\nexpanded_u = 0.001",
                "state `k`",
            ),
            (
                "max = 419.527",
                "max = 419.527\nk = 2.0\nexpanded_u = [[0.0, 0.001], [400.0, 0.002]]",
                "does not cover",
            ),
            (
                "max = 419.527",
                "max = 419.527\nk = 2.0\nexpanded_u = \"small\"",
                "`expanded_u` is a number",
            ),
        ],
    ),
    (
        "pt100-cvd.toml",
        &[
            (", C = 1.372e-12", "", "no coefficient C"),
            ("A = 3.913e-3", "A = 3.913", "correct the coefficient"),
            // Each pair could be correlated so, not the three together.
            (
                "4.1958e-14],\n  [-8.928e-12, 3.844e-15, -2.20224e-17],\n  [4.1958e-14",
                "-4.1958e-14],\n  [-8.928e-12, 3.844e-15, -2.20224e-17],\n  [-4.1958e-14",
                "positive semidefinite",
            ),
            ("k = 2.0", "k = 0.0", "above zero"),
            (
                "drift_half_width = 0.010",
                "drift_half_width = -0.010",
                "negative",
            ),
        ],
    ),
    (
        "barometer-polynomial.toml",
        &[
            ("of = \"value\"", "of = \"correction\"", "`of = \"value\"`"),
            (
                "coefficients = [499.85, 120.021, -0.0113]",
                "coefficients = []",
                "no coefficients",
            ),
            ("constant = 0.02", "constant = -0.02", "above zero"),
            (
                "proportional = 0.004",
                "slope = 0.004",
                "`expanded_u` is a number",
            ),
        ],
    ),
    (
        "thermometer-history.toml",
        &[
            (
                "[100.0, -0.006, 0.030]",
                "[100.0, -0.006]",
                "in all of them or in none",
            ),
            ("[100.0, -0.006, 0.030]", "[100.0]", "a row of `correction`"),
            ("k = 2.0", "k = 2.0\nexpanded_u = 0.01", "keep one of them"),
            (
                "0.010], [100.0, -0.006, 0.030]",
                "0.0], [100.0, -0.006, 0.030]",
                "above zero",
            ),
            (
                "valid_until = \"2027-03-02\"",
                "valid_until = \"2026-03-02\"",
                "correct the dates",
            ),
            (
                "calibrated = \"2022-03-01\"",
                "calibrated = \"2024-03-05\"",
                "must rise",
            ),
            (
                "calibrated = \"2025-03-03\"",
                "calibrated = \"2026-03-02\"",
                "before `calibrated`",
            ),
            (
                "[[0.0, 0.019], [100.0, -0.005]]",
                "[[0.0, 0.019], [90.0, -0.005]]",
                "calibration of 2025-03-03",
            ),
            (
                "correction = [[0.0, 0.021, 0.010], [100.0, -0.006, 0.030]]\n",
                "",
                "no correction is stated",
            ),
            (
                "k = 2.0",
                "k = 2.0\nindication_unit = \"Ω\"",
                "take one unit",
            ),
        ],
    ),
];

#[test]
fn an_inconsistent_certificate_is_refused_with_place_key_and_cure() {
    for (file, changes) in WRONG {
        for (from, to, cause) in *changes {
            let text = certificate(file);
            assert!(text.contains(from), "{file}: {from}");
            let error = parsed(&text.replacen(from, to, 1)).unwrap_err();
            for part in [*cause, "standard.toml, line "] {
                assert!(
                    error.contains(part),
                    "{file}, {to}: {part:?} is not in {error}"
                );
            }
        }
    }
    let bare = format!(
        "{HEAD}[[channel]]\nquantity = \"t\"\nunit = \"°C\"\nmin = 0.0\nmax = 1.0\ncorrection = []\n"
    );
    assert!(
        parsed(&bare)
            .unwrap_err()
            .contains("no uncertainty is stated")
    );
    let short = certificate("thermometer-history.toml");
    let cut = short
        .find("[[channel.history]]\ncalibrated = \"2023")
        .unwrap();
    assert!(parsed(&short[..cut]).unwrap_err().contains("at least two"));
}
