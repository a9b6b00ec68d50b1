use super::*;

const TEXT: &str = r#"
number = "DEMO-0042"
issuer = { en = "Demonstration institute", zh = "演示机构" }
calibrated = "2026-02-03"
valid_until = "2027-02-02"
instrument = { maker = "MBW", model = "473", serial = "17-0042" }
traceable = false

[[channel]]
quantity = "dew_point"
unit = "°C"
min = -20.0
max = 30.0
correction = [[-20.0, 0.10], [0.0, 0.02], [30.0, -0.04]]
expanded_u = 0.06
k = 2.0
drift_half_width = 0.03
"#;

fn parsed(text: &str) -> Result<StandardCertificate, String> {
    StandardCertificate::parse("mirror.toml", text).map_err(|all| {
        let lines: Vec<_> = all.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

#[test]
fn corrections_lie_on_straight_lines_between_the_calibrated_points() {
    let certificate = parsed(TEXT).unwrap();
    for (indication, expected) in [
        (-20.0, -19.90),
        (-10.0, -9.94),
        (0.0, 0.02),
        (15.0, 14.99),
        (30.0, 29.96),
    ] {
        let corrected = certificate.corrected("dew_point", indication).unwrap();
        assert!(
            (corrected - expected).abs() < 1e-12,
            "{indication}: {corrected}"
        );
    }
    let channel = certificate.channel("dew_point").unwrap();
    assert_eq!(channel.at(0.0).unwrap().u, 0.03);
    assert_eq!(channel.drift_half_width(), 0.03);
}

#[test]
fn a_correction_is_never_extrapolated() {
    let certificate = parsed(TEXT).unwrap();
    let message = certificate
        .corrected("dew_point", 30.001)
        .unwrap_err()
        .to_string();
    for part in ["DEMO-0042", "30.001", "-20 to 30 °C"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(certificate.corrected("dew_point", f64::NAN).is_err());
    assert!(matches!(
        certificate.corrected("pressure", 1.0),
        Err(StandardError::NoChannel { .. })
    ));
}

#[test]
fn a_malformed_certificate_is_refused_with_place_and_cause() {
    for (from, to, cause) in [
        ("[0.0, 0.02]", "[-20.0, 0.02]", "must rise"),
        ("[30.0, -0.04]", "[25.0, -0.04]", "not extrapolated"),
        ("k = 2.0", "k = 0.0", "above zero"),
        ("max = 30.0", "max = -30.0", "below `max`"),
        ("unit = \"°C\"", "unit = \"furlong\"", "furlong"),
        ("expanded_u = 0.06", "expanded = 0.06", "expanded"),
        ("2026-02-03", "03.02.2026", "YYYY-MM-DD"),
        ("traceable = false", "", "traceable"),
    ] {
        let message = parsed(&TEXT.replace(from, to)).unwrap_err();
        assert!(message.contains(cause), "{to}: {message}");
        assert!(message.contains("mirror.toml"), "{message}");
        assert!(message.contains("line "), "{message}");
    }
}

#[test]
fn a_certificate_survives_being_written_and_read() {
    let certificate = parsed(TEXT).unwrap();
    let json = serde_json::to_string(&certificate).unwrap();
    assert_eq!(
        serde_json::from_str::<StandardCertificate>(&json).unwrap(),
        certificate
    );
}
