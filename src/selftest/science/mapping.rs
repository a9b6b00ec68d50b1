//! Mapping of chambers, by the procedure of the program.

use heng_procedures::{
    LocationSeries, LocationTable, MappingRequest, MappingResult, Procedure, QuantityTable, Rules,
    library, map_space,
};

use super::super::SEED;
use super::super::case::ScienceCase;
use super::super::field::{Fault, Field};
use super::super::judge::Found;
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[("dkd57.map", dkd_r_5_7), ("jjf1101.map", jjf_1101)];

const PROCEDURE: &str = "chamber-mapping";

/// Readings of a case lie two minutes apart.
const INTERVAL_US: u64 = 120_000_000;

/// JJF 1101-2019.
pub fn jjf_1101(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let inputs = case.root.at("inputs");
    let result = map(case, &inputs, "jjf1101-2019")?;
    let known = "upper_deviation, lower_deviation, uniformity or fluctuation_pm";
    by_name(case, known, |what| {
        let id = match what {
            "upper_deviation" | "lower_deviation" | "uniformity" => what,
            "fluctuation_pm" => "fluctuation",
            _ => return None,
        };
        Some(characteristic(&result, id))
    })
}

/// DKD-R 5-7 on the readings of another case, which `inputs.ref` names.
pub fn dkd_r_5_7(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let reference = case.root.at("inputs").at("ref");
    let id = reference.text()?;
    let all = case.all.list()?;
    let other = all
        .iter()
        .find(|other| other.at("id").text().is_ok_and(|name| name == id));
    let other = other.ok_or_else(|| {
        let problem = format!("names {id:?}, which is not in this file");
        reference.fault(&problem, "name a case of this file")
    })?;
    let result = map(case, &other.at("inputs"), "dkd-r-5-7")?;
    by_name(case, "inhomogeneity or instability", |what| {
        let known = matches!(what, "inhomogeneity" | "instability");
        known.then(|| characteristic(&result, what))
    })
}

type Mapped = Result<MappingResult, String>;

fn characteristic(result: &Mapped, id: &str) -> Found {
    let result = match result {
        Ok(result) => result,
        Err(error) => return Found::Refused(error.clone()),
    };
    let found = result.characteristics.iter().find(|one| one.id == id);
    number_or_refusal(
        found
            .map(|one| one.value)
            .ok_or("the procedure does not give it"),
    )
}

fn map(case: &ScienceCase, inputs: &Field, definition: &str) -> Result<Mapped, Fault> {
    let table = table(inputs)?;
    let broken = |problem: &str| {
        let cure = "this check of the program is broken: report it";
        case.root.fault(problem, cure)
    };
    let text = library().iter().find(|(id, _)| *id == PROCEDURE);
    let (id, text) = text.ok_or_else(|| broken("the procedure is missing"))?;
    let procedure = Procedure::parse(id, text).map_err(|_| broken("the procedure is wrong"))?;
    let request = MappingRequest {
        definition: definition.to_owned(),
        effects: Vec::new(),
    };
    let mapped = map_space(&procedure, &request, &table, SEED, Rules::Present);
    Ok(mapped
        .map_err(|error| error.to_string())
        .and_then(|mut results| results.pop().ok_or_else(|| "no result".to_owned())))
}

fn table(inputs: &Field) -> Result<LocationTable, Fault> {
    let place = inputs.at("rows_time_cols_point");
    let rows = place.rows()?;
    let locations = rows.first().map_or(0, Vec::len);
    if locations == 0 || rows.iter().any(|row| row.len() != locations) {
        let cure = "write a row for each moment with a reading of every location";
        return Err(place.fault("has rows of different or no length", cure));
    }
    let places = rows
        .iter()
        .flatten()
        .map(|&reading| decimals(reading))
        .max();
    let places = places.unwrap_or(0);
    let digits = |reading: f64| {
        let parsed = format!("{reading:.places$}").parse();
        parsed.map_err(|_| place.fault("has a reading that is no decimal", "mend the readings"))
    };
    let series = (0..locations).map(|at| {
        let readings = rows.iter().map(|row| digits(row[at]).map(Some));
        Ok(LocationSeries {
            location: format!("T{}", at + 1),
            digits: readings.collect::<Result<_, Fault>>()?,
            sensor: None,
        })
    });
    let resolution = format!("1e-{places}").parse().unwrap_or(1.0);
    let quantity = QuantityTable {
        quantity: "temperature".to_owned(),
        unit: "°C"
            .parse()
            .map_err(|_| place.fault("has no unit", "report it"))?,
        resolution: digits(resolution)?,
        t_us: (0..rows.len() as u64)
            .map(|row| row * INTERVAL_US)
            .collect(),
        locations: series.collect::<Result<_, Fault>>()?,
        reference: Some(format!("T{}", locations.div_ceil(2))),
        set_value: inputs
            .at("set_degC")
            .given()
            .map_or(Ok(None), |field| digits(field.number()?).map(Some))?,
        display: None,
        globe: None,
        set_interval_s: None,
        watch: None,
    };
    Ok(LocationTable {
        start: "2026-01-01T00:00:00Z".to_owned(),
        quantities: vec![quantity],
    })
}

/// Decimal places of the shortest spelling.
fn decimals(reading: f64) -> usize {
    let text = format!("{reading}");
    text.split_once('.')
        .map_or(0, |(_, decimals)| decimals.len())
}
