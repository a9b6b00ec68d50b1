use heng_procedures::{Procedure, Rules, library, map_space};
use heng_quantities::Decimal;

use super::*;
use crate::analyse::map::MapError;

const MAP: &str = r#"
definition = "dkd-r-5-7"
filter = { room = "1" }

[time]
column = "time"
format = "%Y-%m-%d %H:%M:%S"
zone = "+08:00"

[window]
from = "2026-11-23T10:00:00+08:00"
to = "2026-11-23T10:03:00+08:00"

[[quantity]]
quantity = "temperature"
unit = "°C"
resolution = "0.01"
reference = "centre"
globe = "g"
display = { column = "show", resolution = "0.1" }
location = [
  { column = "t1", name = "centre", certificate = "s1" },
  { column = "t2", name = "top" },
]

[certificate.s1]
number = "S-1"
issuer = { en = "Demonstration institute", zh = "演示机构" }
calibrated = "2026-02-03"
valid_until = "2027-02-02"
instrument = { maker = "Demo", model = "Pt100", serial = "1" }
traceable = true
[[certificate.s1.channel]]
quantity = "temperature"
unit = "°C"
min = 0.0
max = 50.0
correction = [[0.0, 0.01], [50.0, 0.01]]
expanded_u = 0.02
k = 2.0

[order]
number = "1"
operator = "Demonstration"
received = "2026-11-20"
[order.customer]
name = { en = "Customer", zh = "客户" }
address = { en = "Road", zh = "路" }
[order.item]
name = { en = "Chamber", zh = "试验箱" }
manufacturer = "–"
model = "–"
serial = "1"
condition = { en = "good", zh = "完好" }
"#;

const CSV: &str = "\
room,time,t1,t2,g,show
1,2026-11-23 09:59:59,19.00,19.00,19.0,19.0
1,2026-11-23 10:00:00,20.00,20.10,20.5,20.0
2,not a time,x,x,x,x
1,2026-11-23 10:01:00,20.02,,20.5,20.0
1,2026-11-23 10:02:00,,,,
1,2026-11-23 10:02:30,20.04,20.12,,20.1
1,2026-11-23 10:03:00,21.00,21.00,21.0,21.0
";

fn map(text: &str) -> Map {
    Map::parse("map.toml", text).unwrap()
}

fn refused(map_text: &str, csv: &[u8]) -> String {
    read_table(&map(map_text), csv).unwrap_err().to_string()
}

fn written(digits: &[Option<Decimal>]) -> Vec<String> {
    let text =
        |one: &Option<Decimal>| one.map_or_else(|| "-".to_owned(), |digits| digits.to_string());
    digits.iter().map(text).collect()
}

#[test]
fn the_rows_of_filter_and_window_become_digits_and_gaps_stay_gaps() {
    let table = read_table(&map(MAP), CSV.as_bytes()).unwrap();
    assert_eq!(table.start, "2026-11-23T02:00:00Z");
    let quantity = &table.quantities[0];
    assert_eq!(quantity.t_us, [0, 60_000_000, 150_000_000]);
    assert_eq!(
        written(&quantity.locations[0].digits),
        ["20.00", "20.02", "20.04"]
    );
    assert_eq!(
        written(&quantity.locations[1].digits),
        ["20.10", "-", "20.12"]
    );
    assert_eq!(
        written(quantity.globe.as_ref().unwrap()),
        ["20.5", "20.5", "-"]
    );
    assert_eq!(
        written(&quantity.display.as_ref().unwrap().digits),
        ["20.0", "20.0", "20.1"]
    );
    assert!(quantity.locations[0].sensor.is_some() && quantity.locations[1].sensor.is_none());
    assert_eq!(quantity.reference.as_deref(), Some("centre"));
}

#[test]
fn files_of_other_programs_are_read_as_their_map_declares_them() {
    let expected = read_table(&map(MAP), CSV.as_bytes()).unwrap();
    let german = MAP.replace(
        "filter = {",
        "file = { separator = \";\", decimal = \",\", missing = [\"---\"] }\nfilter = {",
    );
    let csv = CSV
        .replace(',', ";")
        .replace('.', ",")
        .replace(";;;;", ";---;---;---;---");
    for (name, map_text, csv) in [
        ("semicolon", german.as_str(), csv),
        ("carriage return", MAP, CSV.replace('\n', "\r\n")),
        ("byte order mark", MAP, format!("\u{feff}{CSV}")),
        (
            "quoted header",
            MAP,
            CSV.replacen("room,time", "\"room\",\"time\"", 1),
        ),
        ("quoted cells", MAP, CSV.replace("20.02", "\"20.02\"")),
        ("no last line break", MAP, CSV.trim_end().to_owned()),
        ("empty last lines", MAP, format!("{CSV}\r\n\n")),
    ] {
        let table = read_table(&map(map_text), csv.as_bytes());
        assert_eq!(
            table.unwrap_or_else(|error| panic!("{name}: {error}")),
            expected,
            "{name}"
        );
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_with_its_line() {
    let replaced = |from: &str, to: &str| CSV.replacen(from, to, 1).into_bytes();
    let mut latin1 = CSV.as_bytes().to_vec();
    latin1.extend(b"1,2026-11-23 10:04:00,20\xb0,,,\n");
    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        (
            replaced("t2,", "tx,"),
            &["no column \"t2\"", "room, time, t1, tx"],
        ),
        (replaced(",g,", ",t1,"), &["\"t1\" twice"]),
        (
            replaced("10:01:00", "10-01"),
            &["line 5", "\"time\"", "10-01", "%H:%M:%S"],
        ),
        (
            replaced("2026-11-23 10:01", "2026-11-31 10:01"),
            &["line 5", "2026-11-31"],
        ),
        (
            replaced("20.02", "2O.02"),
            &["line 5", "\"t1\"", "2O.02", "missing"],
        ),
        (replaced("20.02", " 20.02"), &["line 5", " 20.02"]),
        (replaced("20.02", "-"), &["line 5", "\"-\""]),
        (replaced("20.02", "1e400"), &["line 5", "1e400"]),
        (
            replaced("20.02", "20.02,"),
            &["line 5", "7 cells", "header has 6"],
        ),
        (
            replaced(",20.5,20.0\n2", ",20.5\n2"),
            &["line 3", "5 cells"],
        ),
        (replaced("2,not", "\n2,not"), &["line 4", "1 cells"]),
        (replaced("20.02", "\"20.02"), &["line 5", "not closed"]),
        (
            replaced("10:02:00", "10:00:30"),
            &["line 6", "line 5", "order of time"],
        ),
        (latin1, &["line 9", "UTF-8"]),
        (b"".to_vec(), &["no header"]),
        (
            b"room,time,t1,t2,g,show\n".to_vec(),
            &["no header line and rows"],
        ),
        (
            CSV.replace("1,2026-11-23", "1,2026-11-22").into_bytes(),
            &[
                "no row lies in the window",
                "of 7 rows 6 match",
                "from 2026-11-22",
            ],
        ),
        (
            CSV.replace("1,2026", "3,2026")
                .replace("not a time", "2026")
                .into_bytes(),
            &["of 7 rows 0 match"],
        ),
    ];
    for (csv, parts) in cases {
        let message = refused(MAP, &csv);
        for part in parts {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
}

#[test]
fn a_point_in_a_file_of_decimal_commas_is_not_guessed() {
    let map_text = MAP.replace("filter = {", "file = { decimal = \",\" }\nfilter = {");
    assert!(refused(&map_text, CSV.as_bytes()).contains("line 3"));
}

#[test]
fn a_map_that_contradicts_itself_is_refused_with_its_place() {
    for (from, to, parts) in [
        ("\"°C\"", "\"furlong\"", &["furlong", "line"][..]),
        (
            "reference = \"centre\"",
            "reference = \"middle\"",
            &["line 18, column 13", "middle"],
        ),
        (
            "certificate = \"s1\"",
            "certificate = \"s2\"",
            &["line 22", "certificate.s2"],
        ),
        ("name = \"top\"", "name = \"centre\"", &["line 23", "twice"]),
        (
            "+08:00\"\n\n[window]",
            "Asia/Shanghai\"\n\n[window]",
            &["Asia/Shanghai", "+08:00"],
        ),
        ("T10:03:00", "T09:00:00", &["ends"]),
        ("T10:03:00+08:00", "T10:03:00", &["no moment"]),
        ("definition =", "definitions =", &["definitions"]),
        ("resolution = \"0.01\"", "resolution = 0.01", &["line 17"]),
        ("[time]", "[time", &["line 5"]),
        ("received = \"2026-11-20\"", "", &["received"]),
    ] {
        assert!(MAP.contains(from), "{from}");
        let error = Map::parse("map.toml", &MAP.replacen(from, to, 1)).unwrap_err();
        let message = error.to_string();
        assert!(matches!(
            error,
            MapError::Syntax { .. } | MapError::Contradiction { .. }
        ));
        for part in parts.iter().chain(&["map.toml"]) {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
}

fn fixture(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_shipped_maps_give_the_room_profiles_computed_apart() {
    let (id, text) = library()
        .iter()
        .find(|(id, _)| *id == "chamber-mapping")
        .unwrap();
    let procedure = Procedure::parse(id, text).unwrap();
    let references: serde_json::Value =
        serde_json::from_str(&fixture("references/mapping.json")).unwrap();
    let csv = fixture("tub-climate-chamber/elsys.csv");
    for (file, case) in [
        ("map-room1.toml", "data.tub.2023-12-07.room1"),
        ("map-room2.toml", "data.tub.2024-01-16.room2"),
    ] {
        let map = Map::parse(file, &fixture(&format!("tub-climate-chamber/{file}"))).unwrap();
        let table = read_table(&map, csv.as_bytes()).unwrap();
        let result = &map_space(&procedure, &map.request(), &table, 1, Rules::Present).unwrap()[0];
        let cases = references["cases"].as_array().unwrap();
        let case = cases.iter().find(|one| one["id"] == case).unwrap();
        let columns = ["temp01", "temp06", "temp11", "temp17", "tempx"];
        for (location, column) in result.locations.iter().zip(columns) {
            assert_eq!(
                location.n as u64,
                case["expected"]["n"][column].as_u64().unwrap(),
                "{column}"
            );
            let expected = case["expected"]["mean"][column].as_f64().unwrap();
            // The expected means are printed with four decimal places.
            assert!(
                (location.mean - expected).abs() < 1e-4,
                "{column}: {}",
                location.mean
            );
        }
        for (id, key) in [
            ("spread_of_means", "spread_of_means"),
            ("fluctuation", "fluctuation_half_range"),
            ("maximum", "max"),
            ("minimum", "min"),
        ] {
            let value = result
                .characteristics
                .iter()
                .find(|one| one.id == id)
                .unwrap()
                .value;
            assert!(
                (value - case["expected"][key].as_f64().unwrap()).abs() < 1e-4,
                "{id}: {value}"
            );
        }
    }
}
