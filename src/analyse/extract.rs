//! Tables as Parquet, for programs that read many laboratories at once.

use polars::prelude::{
    Column, DataFrame, KeyValueMetadata, ParquetCompression, ParquetWriter, PolarsResult,
};
use serde_json::Value;

use crate::lab::tables::{self, Kind};

/// The rows as a Parquet file. Its metadata states the schema under `heng.schema`.
///
/// # Errors
/// What polars cannot write.
pub fn to_parquet(columns: &[tables::Column], rows: &[Vec<Value>]) -> PolarsResult<Vec<u8>> {
    let columns = columns.iter().enumerate().map(|(at, column)| {
        let cells = rows.iter().map(|row| row.get(at).unwrap_or(&Value::Null));
        let name = column.name.into();
        match column.kind {
            Kind::Text | Kind::Digits => {
                let cells: Vec<_> = cells.map(Value::as_str).collect();
                Column::new(name, cells)
            }
            Kind::Count => {
                let cells: Vec<_> = cells.map(Value::as_i64).collect();
                Column::new(name, cells)
            }
            Kind::Number => {
                let cells: Vec<_> = cells.map(Value::as_f64).collect();
                Column::new(name, cells)
            }
            Kind::Flag => {
                let cells: Vec<_> = cells.map(Value::as_bool).collect();
                Column::new(name, cells)
            }
        }
    });
    let mut frame = DataFrame::new(rows.len(), columns.collect())?;
    let schema = tables::SCHEMA.to_string();
    let metadata = KeyValueMetadata::from_static(vec![("heng.schema".to_owned(), schema)]);
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        // Any reader has it, and the files are small.
        .with_compression(ParquetCompression::Snappy)
        .with_key_value_metadata(Some(metadata))
        .set_parallel(false)
        .finish(&mut frame)?;
    Ok(bytes)
}
