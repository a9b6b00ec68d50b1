//! A long published series through polars and a named formula: relative humidity as an airport
//! reported it, against that from its temperature and dew point.

use std::io::Cursor;

use heng_uncertainty::{Library, Model};
use polars::prelude::{CsvReadOptions, DataFrame, SerReader};

const JFK: &str = include_str!("../../fixtures/weather-nyc/jfk_2013_q1.csv");

fn column(frame: &DataFrame, name: &str) -> Vec<f64> {
    let numbers = frame.column(name).unwrap().f64().unwrap();
    numbers.iter().map(Option::unwrap).collect()
}

/// |reported − computed| in percent of relative humidity, hour by hour.
fn differences(frame: &DataFrame, formula: &str) -> Vec<f64> {
    let text = format!(
        "d = abs(100 * {formula}((dewp - 32) / 1.8) / {formula}((temp - 32) / 1.8) - humid)"
    );
    let model = Model::compile(&text, Library::shipped()).unwrap();
    let columns: Vec<Vec<f64>> = model
        .inputs()
        .iter()
        .map(|name| column(frame, name))
        .collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut out = vec![0.0; frame.height()];
    model.eval_block("d", &columns, &mut out).unwrap();
    out
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn reported_humidity_is_that_of_temperature_and_dew_point() {
    let read = CsvReadOptions::default().into_reader_with_file_handle(Cursor::new(JFK));
    let frame = read.finish().unwrap();
    assert_eq!(frame.height(), 2155);
    assert_eq!(frame.column("pressure").unwrap().null_count(), 223);
    let magnus = differences(&frame, "alduchov_water");
    // Four digits of the mean are stated for this series.
    assert!((mean(&magnus) - 0.1695).abs() < 2e-4, "{}", mean(&magnus));
    assert_eq!(magnus.iter().filter(|&&d| d > 0.5).count(), 139);
    // The choice of the formula moves a humidity of weather by less than its rounding: the
    // vapour pressures of Sonntag differ from this Magnus form by up to 0.4 %.
    let sonntag = differences(&frame, "sonntag_water");
    assert!((mean(&sonntag) - mean(&magnus)).abs() < 0.1);
}
