//! Published series that cases name as `"data": "nist-dataplot/MASS.DAT"`; they are part of the
//! program, so that a laboratory needs nothing else to repeat the cases.

use super::field::{Fault, Field};

macro_rules! files {
    ($($name:literal: $path:literal)*) => {
        &[$(($name, include_str!(concat!("../../fixtures/", $path)))),*]
    };
}

/// Names in case files, and the texts.
const FILES: &[(&str, &str)] = files! {
    "climate-chamber-tub/elsys.csv": "tub-climate-chamber/elsys.csv"
    "climate-chamber-tub/testo.csv": "tub-climate-chamber/testo.csv"
    "interlab/bipm_sir_key_comparisons.csv": "interlab/bipm_sir_key_comparisons.csv"
    "nist-dataplot/DZIUBA.DAT": "nist-dataplot/DZIUBA.DAT"
    "nist-dataplot/LOADCELL.DAT": "nist-dataplot/LOADCELL.DAT"
    "nist-dataplot/MASS.DAT": "nist-dataplot/MASS.DAT"
    "nist-dataplot/MICHELSO.DAT": "nist-dataplot/MICHELSO.DAT"
    "nist-dataplot/MPC61.DAT": "nist-dataplot/MPC61.DAT"
    "nist-dataplot/PONTIUS.DAT": "nist-dataplot/PONTIUS.DAT"
    "nist-strd/Eckerle4.dat": "nist-strd/Eckerle4.dat"
    "nist-strd/Hahn1.dat": "nist-strd/Hahn1.dat"
    "nist-strd/Misra1a.dat": "nist-strd/Misra1a.dat"
    "nist-strd/Thurber.dat": "nist-strd/Thurber.dat"
    "weather-nyc/jfk_2013_q1.csv": "weather-nyc/jfk_2013_q1.csv"
};

/// The file that a field names; words after the name are for people.
pub fn file(field: &Field) -> Result<&'static str, Fault> {
    let name = field.text()?.split_whitespace().next().unwrap_or_default();
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        let known: Vec<_> = FILES.iter().map(|(known, _)| *known).collect();
        let cure = format!("name one of {}", known.join(", "));
        field.fault(&format!("names no file of the program: {name:?}"), &cure)
    })
}

/// The numbers of a file of Dataplot or of the Statistical Reference Datasets, row by row: what
/// follows the line of dashes, or the line that begins with `Data:`.
pub fn rows(text: &str) -> Vec<Vec<f64>> {
    let is_heading = |line: &&str| line.starts_with("Data:") || line.trim().starts_with("-----");
    let below = text.lines().rev().take_while(|line| !is_heading(line));
    let numbers = |line: &str| {
        let words = line.split_whitespace().map(str::parse::<f64>);
        words.collect::<Result<Vec<_>, _>>().ok()
    };
    let mut rows: Vec<_> = below
        .filter_map(numbers)
        .filter(|row| !row.is_empty())
        .collect();
    rows.reverse();
    rows
}
