//! A data logger's file, read by its map: a pure function of both texts, so that a replay
//! takes the same way as the first reading.

use std::collections::BTreeMap;

use heng_procedures::{DisplaySeries, LocationSeries, LocationTable, QuantityTable};
use jiff::Timestamp;

use super::map::{Map, QuantityMap};
use super::table::{Clock, Table, TableError};

/// Why a logger's file cannot be read by its map.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(
        "no row lies in the window {from} to {to}: of {rows} rows {matching} match the filter{span}"
    )]
    EmptyWindow {
        from: Timestamp,
        to: Timestamp,
        rows: usize,
        matching: usize,
        span: String,
    },
}

/// Reads a logger's file into the readings of every location.
///
/// Times count from the beginning of the map's window. A quantity has a row for every row of
/// the file inside the window in which any of its locations, display or globe was read.
///
/// # Errors
/// [`ImportError`], with the line where there is one.
pub fn read_table(map: &Map, csv: &[u8]) -> Result<LocationTable, ImportError> {
    let table = Table::read(csv, &map.file)?;
    let rows = window(&table, map)?;
    let quantities = map
        .quantity
        .iter()
        .map(|one| quantity(&table, map, one, &rows))
        .collect::<Result<_, _>>()?;
    Ok(LocationTable {
        start: map.window.from.to_string(),
        quantities,
    })
}

/// The rows inside the window, and their times.
struct Rows {
    indices: Vec<usize>,
    t_us: Vec<u64>,
}

/// The rows that match the filter and lie in the window, in the order of time.
fn window(table: &Table, map: &Map) -> Result<Rows, ImportError> {
    let matching = table.matching(&map.filter)?;
    let clock = Clock {
        format: Some(map.time.format.clone()),
        zone: map.time.zone.0,
    };
    let column = &map.time.column;
    let moments = table.moments(column, &matching, &clock)?;
    table.in_order(column, &matching, &moments)?;
    let inside = matching.iter().zip(&moments);
    let inside = inside.filter(|(_, moment)| (map.window.from..map.window.to).contains(moment));
    let from_us = map.window.from.as_microsecond();
    let (indices, t_us): (Vec<usize>, Vec<u64>) = inside
        .map(|(&row, moment)| (row, moment.as_microsecond().abs_diff(from_us)))
        .unzip();
    if indices.is_empty() {
        let span = match (moments.first(), moments.last()) {
            (Some(first), Some(last)) => format!(", from {first} to {last}"),
            _ => String::new(),
        };
        return Err(ImportError::EmptyWindow {
            from: map.window.from,
            to: map.window.to,
            rows: table.height(),
            matching: matching.len(),
            span,
        });
    }
    Ok(Rows { indices, t_us })
}

fn quantity(
    table: &Table,
    map: &Map,
    quantity: &QuantityMap,
    rows: &Rows,
) -> Result<QuantityTable, ImportError> {
    let display = quantity.display.as_ref();
    let columns = quantity
        .location
        .iter()
        .map(|location| location.column.as_str());
    let columns = columns
        .chain(display.map(|display| display.column.as_str()))
        .chain(quantity.globe.as_deref());
    let mut read = BTreeMap::new();
    for column in columns {
        read.insert(column, table.digits(column, &rows.indices)?);
    }
    let kept: Vec<usize> = (0..rows.indices.len())
        .filter(|&at| read.values().any(|digits| digits[at].is_some()))
        .collect();
    let take = |column: &str| kept.iter().map(|&at| read[column][at]).collect::<Vec<_>>();
    let locations = quantity
        .location
        .iter()
        .map(|location| LocationSeries {
            location: location.name().to_owned(),
            digits: take(&location.column),
            sensor: map.sensor(quantity, location).cloned(),
        })
        .collect();
    Ok(QuantityTable {
        quantity: quantity.quantity.clone(),
        unit: quantity.unit,
        resolution: quantity.resolution,
        t_us: kept.iter().map(|&at| rows.t_us[at]).collect(),
        locations,
        reference: quantity.reference().map(str::to_owned),
        set_value: quantity.set_value,
        display: display.map(|display| DisplaySeries {
            digits: take(&display.column),
            resolution: display.resolution,
        }),
        globe: quantity.globe.as_deref().map(take),
        set_interval_s: quantity.set_interval_s,
        watch: quantity.watch,
    })
}

#[cfg(test)]
mod tests;
