//! Mapping of spaces against figures computed apart, on constructed and on measured readings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use heng_procedures::{
    DisplaySeries, Effect, LocationSeries, LocationTable, MappingError, MappingRequest,
    MappingResult, Procedure, QuantityTable, Rules, StandardCertificate, Watch, excursions,
    library, map_space, radiation_indicator,
};
use heng_quantities::Decimal;
use serde_json::Value;

const SEED: u64 = 11;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn read(path: &str) -> String {
    let path = fixtures().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn case(id: &str) -> Value {
    let all: Value = serde_json::from_str(&read("references/mapping.json")).unwrap();
    let cases = all["cases"].as_array().unwrap();
    cases
        .iter()
        .find(|one| one["id"] == id)
        .unwrap_or_else(|| panic!("no case {id}"))
        .clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn assert_near(name: &str, value: f64, expected: f64, tolerance: f64) {
    assert!(
        (value - expected).abs() <= tolerance,
        "{name}: {value} is not {expected} within {tolerance}"
    );
}

fn procedure() -> Procedure {
    let (id, text) = library()
        .iter()
        .find(|(id, _)| *id == "chamber-mapping")
        .unwrap();
    Procedure::parse(id, text).unwrap()
}

fn request(definition: &str) -> MappingRequest {
    MappingRequest {
        definition: definition.to_owned(),
        effects: Vec::new(),
    }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn quantity(name: &str, unit: &str, resolution: &str) -> QuantityTable {
    QuantityTable {
        quantity: name.to_owned(),
        unit: unit.parse().unwrap(),
        resolution: decimal(resolution),
        t_us: Vec::new(),
        locations: Vec::new(),
        reference: None,
        set_value: None,
        display: None,
        globe: None,
        set_interval_s: None,
        watch: None,
    }
}

fn table(quantity: QuantityTable) -> LocationTable {
    LocationTable {
        start: "2026-11-23T00:00:00Z".to_owned(),
        quantities: vec![quantity],
    }
}

fn series(name: &str, digits: Vec<Option<Decimal>>) -> LocationSeries {
    LocationSeries {
        location: name.to_owned(),
        digits,
        sensor: None,
    }
}

/// The sixteen sets of nine points of `jjf1101.map`, two minutes apart; T5 is the centre.
fn nine_points() -> QuantityTable {
    let inputs = &case("jjf1101.map")["inputs"];
    let rows = inputs["rows_time_cols_point"].as_array().unwrap();
    let mut made = quantity("temperature", "°C", "0.001");
    made.t_us = (0..rows.len() as u64)
        .map(|row| row * 120_000_000)
        .collect();
    made.locations = (0..9)
        .map(|point| {
            let digits = rows
                .iter()
                .map(|row| Some(decimal(&format!("{:.3}", number(&row[point])))));
            series(&format!("T{}", point + 1), digits.collect())
        })
        .collect();
    made.set_value = Some(decimal(&inputs["set_degC"].to_string()));
    made.reference = Some("T5".to_owned());
    made
}

fn map_one(definition: &str, quantity: QuantityTable) -> MappingResult {
    map_space(
        &procedure(),
        &request(definition),
        &table(quantity),
        SEED,
        Rules::Present,
    )
    .unwrap()
    .remove(0)
}

fn characteristic(result: &MappingResult, id: &str) -> f64 {
    let found = result.characteristics.iter().find(|one| one.id == id);
    found
        .unwrap_or_else(|| panic!("no characteristic {id}"))
        .value
}

fn contribution(result: &MappingResult, symbol: &str) -> f64 {
    result
        .budget
        .rows
        .iter()
        .find(|row| row.symbol == symbol)
        .unwrap()
        .contribution
}

fn noted(result: &MappingResult, words: &str) -> bool {
    result.notes.iter().any(|note| note.en.contains(words))
}

#[test]
fn jjf_1101_characteristics_are_those_computed_apart() {
    let case = case("jjf1101.map");
    let result = map_one("jjf1101-2019", nine_points());
    let tolerance = number(&case["tolerance"]["abs"]);
    for (id, key) in [
        ("upper_deviation", "upper_deviation"),
        ("lower_deviation", "lower_deviation"),
        ("uniformity", "uniformity"),
        ("fluctuation", "fluctuation_pm"),
    ] {
        assert_near(
            id,
            characteristic(&result, id),
            number(&case["expected"][key]),
            tolerance,
        );
    }
    // The deviation of larger magnitude is the upper one; 16 sets over 30 min are enough.
    assert_near("deviation", result.budget.value, 0.056, 1e-9);
    assert!(!noted(&result, "asks for at least"));
}

#[test]
fn jjf_1101_budget_has_its_four_terms() {
    let mut quantity = nine_points();
    let certificate = StandardCertificate::parse("sensors.toml", SENSOR).unwrap();
    for location in &mut quantity.locations {
        location.sensor = certificate.channel("temperature").cloned();
    }
    let result = map_one("jjf1101-2019", quantity);
    // T7 holds the extreme reading; its readings lie between 20.026 and 20.056.
    let case = case("jjf1101.map");
    let rows = case["inputs"]["rows_time_cols_point"].as_array().unwrap();
    let t7: Vec<f64> = rows.iter().map(|row| number(&row[6])).collect();
    let mean = t7.iter().sum::<f64>() / 16.0;
    let s = (t7.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 15.0).sqrt();
    for (symbol, expected) in [
        ("d_scatter", s),
        ("d_resolution", 0.001 / (2.0 * 3_f64.sqrt())),
        ("d_certificate", 0.02 / 2.0),
        ("d_drift", 0.006 / 3_f64.sqrt()),
    ] {
        assert_near(symbol, contribution(&result, symbol), expected, 1e-12);
    }
    // The correction of +0.010 K moves the reading, not its scatter.
    assert_near("deviation", result.budget.value, 0.066, 1e-9);
    assert!(!noted(&result, "not traceable"));
}

const SENSOR: &str = r#"
number = "S-1"
issuer = { en = "Demonstration institute", zh = "演示机构" }
calibrated = "2026-02-03"
valid_until = "2027-02-02"
instrument = { maker = "Demo", model = "Pt100", serial = "1" }
traceable = true
[[channel]]
quantity = "temperature"
unit = "°C"
min = 0.0
max = 50.0
correction = [[0.0, 0.01], [50.0, 0.01]]
expanded_u = 0.02
k = 2.0
drift_half_width = 0.006
"#;

#[test]
fn dkd_5_7_characteristics_are_those_computed_apart_and_16_readings_are_too_few() {
    let case = case("dkd57.map");
    let result = map_one("dkd-r-5-7", nine_points());
    let tolerance = number(&case["tolerance"]["abs"]);
    for id in ["inhomogeneity", "instability"] {
        let expected = number(&case["expected"][id]);
        assert_near(id, characteristic(&result, id), expected, tolerance);
        let width = contribution(&result, &format!("d_{id}")) * 3_f64.sqrt();
        assert_near(id, width, expected, tolerance);
    }
    assert!(noted(
        &result,
        "asks for at least 30 readings; a location has 16"
    ));
    assert!(noted(&result, "not traceable"));
    assert!(noted(&result, "\"radiation\" was not determined"));
}

/// Humidity with the half-widths of the annex example: 1.8 %RH in space, 1.2 %RH in time,
/// 20 % of 2.2 %RH by the load, half of 1.0 %RH of the display.
#[test]
fn dkd_5_7_contributions_are_those_of_the_printed_example() {
    let case = case("dkd57.hum");
    let mut made = quantity("humidity", "%RH", "0.00001");
    made.t_us = (0..32).map(|row| row * 60_000_000).collect();
    let around = |centre: &str| {
        let base: f64 = centre.parse().unwrap();
        let digits = (0..32).map(|row| {
            let x = base + if row % 2 == 0 { 1.2 } else { -1.2 };
            Some(decimal(&format!("{x:.5}")))
        });
        digits.collect()
    };
    made.locations = vec![
        series("centre", around("50.0")),
        series("top", around("51.8")),
    ];
    made.reference = Some("centre".to_owned());
    made.display = Some(DisplaySeries {
        digits: vec![Some(decimal("50")); 32],
        resolution: decimal("1"),
    });
    let effect = Effect {
        quantity: "humidity".to_owned(),
        effect: "loading".to_owned(),
        size: -2.2,
        note: heng_quantities::Text::new("loaded minus empty", "负载减空载"),
    };
    let asked = MappingRequest {
        definition: "dkd-r-5-7".to_owned(),
        effects: vec![effect],
    };
    let result = map_space(&procedure(), &asked, &table(made), SEED, Rules::Present)
        .unwrap()
        .remove(0);
    let tolerance = number(&case["tolerance"]["abs"]);
    let symbols = [
        "d_inhomogeneity",
        "d_instability",
        "d_loading",
        "d_display_resolution",
    ];
    let expected = case["expected"]["u_each_pct"].as_array().unwrap();
    for (symbol, expected) in symbols.iter().zip(expected) {
        assert_near(
            symbol,
            contribution(&result, symbol),
            number(expected),
            tolerance,
        );
    }
    assert_near(
        "u",
        result.budget.u,
        number(&case["expected"]["u_sum_pct"]),
        tolerance,
    );
    assert_eq!(result.budget.output, "correction");
}

/// Rows of a TU Berlin file: time text and cells by column name.
fn rows(file: &str, room: &str) -> Vec<(String, BTreeMap<String, Option<Decimal>>)> {
    let text = read(&format!("tub-climate-chamber/{file}"));
    let mut lines = text.lines();
    let header: Vec<&str> = lines
        .next()
        .unwrap()
        .split(',')
        .map(|name| name.trim_matches('"'))
        .collect();
    lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|cells| cells[1] == room)
        .map(|cells| {
            let named = header.iter().zip(&cells).skip(3);
            let digits = named.map(|(name, cell)| {
                (
                    (*name).to_owned(),
                    (!cell.is_empty()).then(|| decimal(cell)),
                )
            });
            (cells[2].to_owned(), digits.collect())
        })
        .collect()
}

/// Microseconds since the first of the month; the windows lie within one day.
fn t_us(time: &str) -> u64 {
    let part = |range: std::ops::Range<usize>| time[range].parse::<u64>().unwrap();
    (((part(8..10) * 24 + part(11..13)) * 60 + part(14..16)) * 60 + part(17..19)) * 1_000_000
}

fn column(
    rows: &[(String, BTreeMap<String, Option<Decimal>>)],
    name: &str,
) -> Vec<Option<Decimal>> {
    rows.iter().map(|(_, cells)| cells[name]).collect()
}

#[test]
fn room_profiles_of_measured_data_are_those_computed_apart() {
    for id in ["data.tub.2023-12-07.room1", "data.tub.2024-01-16.room2"] {
        let case = case(id);
        let (inputs, expected) = (&case["inputs"], &case["expected"]);
        let window =
            [&inputs["window"][0], &inputs["window"][1]].map(|edge| edge.as_str().unwrap());
        let mut rows = rows("elsys.csv", &inputs["room_id"].to_string());
        rows.retain(|(time, _)| (window[0]..window[1]).contains(&time.as_str()));
        let mut made = quantity("temperature", "°C", "0.1");
        made.t_us = rows.iter().map(|(time, _)| t_us(time)).collect();
        let names = inputs["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap());
        made.locations = names
            .map(|name| series(name, column(&rows, name)))
            .collect();
        made.reference = Some("temp11".to_owned());
        made.set_interval_s = Some(300);
        let result = map_one("dkd-r-5-7", made.clone());
        let tolerance = number(&case["tolerance"]["abs"]);
        for location in &result.locations {
            let name = &location.location;
            assert_eq!(
                location.n as u64,
                expected["n"][name].as_u64().unwrap(),
                "{id} {name}"
            );
            assert_near(
                name,
                location.mean,
                number(&expected["mean"][name]),
                tolerance,
            );
        }
        for (characteristic_id, key) in [
            ("spread_of_means", "spread_of_means"),
            ("fluctuation", "fluctuation_half_range"),
            ("maximum", "max"),
            ("minimum", "min"),
        ] {
            let value = characteristic(&result, characteristic_id);
            assert_near(key, value, number(&expected[key]), tolerance);
        }
        // These rooms were not steady, and nobody calibrated the sensors for this.
        assert!(noted(&result, "asks for at least 30 readings"));
        assert!(noted(&result, "Systematic change"));
        // Without a set value the measurand is the value in the space, in °C.
        let shipped = procedure();
        let definition = shipped
            .definition
            .iter()
            .find(|one| one.id == "dkd-r-5-7")
            .unwrap();
        let measurand = definition
            .measurand
            .iter()
            .find(|one| one.id == result.measurand);
        assert_eq!(measurand.unwrap().unit(result.unit), result.unit);
        assert_near(
            "value",
            result.budget.value,
            number(&expected["mean"]["temp11"]),
            tolerance,
        );
        // JJF 1101 compares with a set value, which the table does not have.
        let refused = map_space(
            &procedure(),
            &request("jjf1101-2019"),
            &table(made),
            SEED,
            Rules::Present,
        );
        assert!(matches!(refused, Err(MappingError::NeedsMore { .. })));
    }
}

#[test]
fn excursions_of_measured_data_are_those_counted_apart() {
    for id in [
        "data.tub.alarm.2023-12-05.room1",
        "data.tub.alarm.2024-01-22.room1",
    ] {
        let case = case(id);
        let (inputs, expected) = (&case["inputs"], &case["expected"]);
        let mut rows = rows("testo.csv", &inputs["room_id"].to_string());
        rows.retain(|(time, _)| time.starts_with(inputs["date"].as_str().unwrap()));
        let times: Vec<u64> = rows.iter().map(|(time, _)| t_us(time)).collect();
        let watch = Watch {
            low: decimal(&inputs["lo"].to_string()),
            high: decimal(&inputs["hi"].to_string()),
            minimum_run: usize::try_from(inputs["min_run"].as_u64().unwrap()).unwrap(),
            gap_s: inputs["gap_s"].as_u64().unwrap(),
        };
        let digits = column(&rows, inputs["column"].as_str().unwrap());
        let found = excursions(&times, &digits, &watch);
        let count = |key: &str| usize::try_from(expected[key].as_u64().unwrap()).unwrap();
        assert_eq!(found.readings, count("readings"), "{id}");
        assert_eq!(found.outside, count("readings_out"), "{id}");
        assert_eq!(found.events.len(), count("events"), "{id}");
        let first = t_us(expected["first_event_start"].as_str().unwrap());
        assert_eq!(found.events[0].from_us, first, "{id}");
        let longest = found.events.iter().map(|event| event.readings).max();
        assert_eq!(longest, Some(count("longest_run")), "{id}");
    }
}

#[test]
fn the_radiation_indicator_of_measured_data_is_the_one_computed_apart() {
    let case = case("data.tub.radiation.2023-12-07.room1");
    let mut rows = rows("testo.csv", "1");
    rows.retain(|(time, _)| time.starts_with(case["inputs"]["date"].as_str().unwrap()));
    let globe = column(&rows, "globe_temp");
    let air = column(&rows, "testo_temp1");
    let found = radiation_indicator(&globe, &air).unwrap();
    let tolerance = number(&case["tolerance"]["abs"]);
    assert_eq!(found.n as u64, case["expected"]["n"].as_u64().unwrap());
    assert_near(
        "mean",
        found.mean,
        number(&case["expected"]["mean_K"]),
        tolerance,
    );
    assert_near("s", found.s, number(&case["expected"]["s_K"]), tolerance);
    assert_eq!(radiation_indicator(&[None], &[Some(decimal("20.0"))]), None);
}

#[test]
fn a_set_without_every_location_is_left_out_of_the_uniformity_and_said() {
    let mut made = nine_points();
    let whole = characteristic(&map_one("jjf1101-2019", made.clone()), "uniformity");
    made.locations[3].digits[0] = None;
    let result = map_one("jjf1101-2019", made);
    let without = characteristic(&result, "uniformity");
    // The first set spans 20.033 − 19.969.
    assert_near("uniformity", without, (whole * 16.0 - 0.064) / 15.0, 1e-9);
    assert!(noted(&result, "15 of 16 sets"));
    assert!(noted(
        &result,
        "asks for at least 16 readings; a location has 15"
    ));
}

#[test]
fn readings_outside_the_watched_limits_are_said() {
    let mut made = nine_points();
    made.watch = Some(Watch {
        low: decimal("19.95"),
        high: decimal("20.050"),
        minimum_run: 2,
        gap_s: 300,
    });
    let result = map_one("jjf1101-2019", made);
    // T7 reads 20.055, 20.054, 20.056 in a row, later 20.055 and 20.052; 20.050 is inside.
    assert!(noted(
        &result,
        "T7: 5 of 16 readings outside 19.95 to 20.050 °C, 2 excursions."
    ));
    assert!(!noted(&result, "T1:"));
}

#[test]
fn what_is_missing_or_inconsistent_is_refused_with_its_place() {
    let refused = |change: &dyn Fn(&mut QuantityTable, &mut MappingRequest)| {
        let (mut made, mut asked) = (nine_points(), request("jjf1101-2019"));
        change(&mut made, &mut asked);
        map_space(&procedure(), &asked, &table(made), SEED, Rules::Present)
            .unwrap_err()
            .to_string()
    };
    let sensor = |text: &str| {
        let certificate = StandardCertificate::parse("sensors.toml", text).unwrap();
        certificate.channel("temperature").cloned()
    };
    let effect = |name: &str, size: f64| Effect {
        quantity: "temperature".to_owned(),
        effect: name.to_owned(),
        size,
        note: heng_quantities::Text::default(),
    };
    let cases: [(String, &str); 11] = [
        (
            refused(&|_, asked| asked.definition = "iec".into()),
            "jjf1101-2019, dkd-r-5-7",
        ),
        (refused(&|made, _| made.set_value = None), "a set value"),
        (
            refused(&|made, _| made.reference = Some("T99".into())),
            "\"T99\"",
        ),
        (
            refused(&|made, _| made.locations[2].digits.fill(None)),
            "T3: no reading",
        ),
        (refused(&|made, _| made.locations.clear()), "no location"),
        (refused(&|made, _| made.t_us[4] = 0), "row 4"),
        (
            refused(&|made, _| _ = made.locations[1].digits.pop()),
            "15 readings for 16 times",
        ),
        (
            refused(&|made, _| made.locations[0].sensor = sensor(&SENSOR.replace("50.0", "19.0"))),
            "T1: temperature 20.001 °C is outside",
        ),
        (
            refused(&|made, _| made.locations[0].sensor = sensor(&SENSOR.replace("°C", "K"))),
            "temperature in K",
        ),
        (
            refused(&|_, asked| asked.effects.push(effect("radiation", 0.1))),
            "knows no effect",
        ),
        (
            refused(&|_, asked| {
                asked.definition = "dkd-r-5-7".into();
                asked.effects.push(effect("radiation", f64::NAN));
            }),
            "finite",
        ),
    ];
    for (message, cause) in &cases {
        assert!(
            message.contains(cause),
            "{message:?} does not say {cause:?}"
        );
    }
}

#[test]
fn a_mapping_gives_the_same_bits_again_and_survives_being_stored() {
    let first = map_one("dkd-r-5-7", nine_points());
    let text = serde_json::to_string(&first).unwrap();
    assert_eq!(
        text,
        serde_json::to_string(&map_one("dkd-r-5-7", nine_points())).unwrap()
    );
    assert_eq!(serde_json::from_str::<MappingResult>(&text).unwrap(), first);
}
