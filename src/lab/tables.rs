//! What the index holds: one row a record, a result, a checkpoint. `records/INDEX.md` lists
//! the same columns for people.

use std::fmt::Write as _;

use heng_quantities::Decimal;
use heng_records::sha256_hex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Version of the columns. Whatever changes their names, units or meanings raises it.
pub const SCHEMA: u32 = 1;

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Decimal digits, exactly as they are certified.
    Digits,
    /// An integer.
    Count,
    /// Binary64.
    Number,
    /// True or false.
    Flag,
}

#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

/// A row of one of the tables.
pub trait Row: Serialize + DeserializeOwned {
    const TABLE: &'static str;
    const COLUMNS: &'static [Column];

    /// The cells in the order of the columns.
    fn cells(&self) -> Result<Vec<Value>, serde_json::Error> {
        let mut fields = match serde_json::to_value(self)? {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let cells = Self::COLUMNS
            .iter()
            .map(|column| fields.remove(column.name));
        Ok(cells.map(Option::unwrap_or_default).collect())
    }

    /// The row of these cells.
    fn of_cells(cells: Vec<Value>) -> Result<Self, serde_json::Error> {
        let names = Self::COLUMNS.iter().map(|column| column.name.to_owned());
        serde_json::from_value(Value::Object(names.zip(cells).collect()))
    }
}

/// One file that is, or should be, a record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordRow {
    /// Relative to the folder of the laboratory, with `/`.
    pub path: String,
    /// `good`, `altered`, `incomplete` or `unreadable`.
    pub verdict: String,
    /// What speaks against it, one a line.
    pub reasons: Option<String>,
    pub format: Option<u32>,
    pub program: Option<String>,
    pub version: Option<String>,
    pub session: Option<String>,
    pub job: Option<String>,
    pub clock: Option<String>,
    pub operator: Option<String>,
    pub opened_utc: Option<String>,
    pub sealed_utc: Option<String>,
    pub close_reason: Option<String>,
    /// Entries that hold, the hash of the last one and the root over them.
    pub entries: u64,
    pub head: Option<String>,
    pub root: Option<String>,
    /// Lengths of the record and of its checkpoints, as they lie in the folder.
    pub record_bytes: u64,
    pub checkpoint_bytes: u64,
    pub procedure: Option<String>,
    pub procedure_version: Option<String>,
    pub procedure_sha256: Option<String>,
    pub certificate: Option<String>,
    pub issued: Option<String>,
    pub demonstration: Option<bool>,
    pub item: Option<String>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub serial: Option<String>,
    /// Numbers of the standards' certificates.
    pub standards: Option<String>,
    pub conditions: Option<String>,
}

impl Row for RecordRow {
    const TABLE: &'static str = "records";
    const COLUMNS: &'static [Column] = &[
        column("path", Kind::Text),
        column("verdict", Kind::Text),
        column("reasons", Kind::Text),
        column("format", Kind::Count),
        column("program", Kind::Text),
        column("version", Kind::Text),
        column("session", Kind::Text),
        column("job", Kind::Text),
        column("clock", Kind::Text),
        column("operator", Kind::Text),
        column("opened_utc", Kind::Text),
        column("sealed_utc", Kind::Text),
        column("close_reason", Kind::Text),
        column("entries", Kind::Count),
        column("head", Kind::Text),
        column("root", Kind::Text),
        column("record_bytes", Kind::Count),
        column("checkpoint_bytes", Kind::Count),
        column("procedure", Kind::Text),
        column("procedure_version", Kind::Text),
        column("procedure_sha256", Kind::Text),
        column("certificate", Kind::Text),
        column("issued", Kind::Text),
        column("demonstration", Kind::Flag),
        column("item", Kind::Text),
        column("manufacturer", Kind::Text),
        column("model", Kind::Text),
        column("serial", Kind::Text),
        column("standards", Kind::Text),
        column("conditions", Kind::Text),
    ];
}

/// One result of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    pub path: String,
    /// From 1 in each record.
    pub number: u64,
    /// Entry of the record that holds it.
    pub entry: u64,
    pub measurand: String,
    pub quantity: String,
    pub quantity_zh: String,
    pub point: String,
    pub point_title: String,
    pub point_title_zh: String,
    pub set_points: Option<String>,
    pub value_unit: Option<String>,
    pub reference: Option<f64>,
    pub indication: Option<f64>,
    pub error_unit: String,
    pub error: f64,
    pub expanded_uncertainty: f64,
    pub certified_error: Decimal,
    pub certified_uncertainty: Decimal,
    pub coverage_factor: Option<f64>,
    pub coverage_probability: f64,
    /// `gum` or `monte_carlo`: whose interval is reported.
    pub evaluation: String,
    pub limit_low: Option<f64>,
    pub limit_high: Option<f64>,
    pub conformity: Option<String>,
    /// Inputs that need later points are missing.
    pub preliminary: bool,
    /// RFC 3339, in the zone of the record.
    pub measured: String,
    pub measured_utc: String,
}

impl Row for ResultRow {
    const TABLE: &'static str = "results";
    const COLUMNS: &'static [Column] = &[
        column("path", Kind::Text),
        column("number", Kind::Count),
        column("entry", Kind::Count),
        column("measurand", Kind::Text),
        column("quantity", Kind::Text),
        column("quantity_zh", Kind::Text),
        column("point", Kind::Text),
        column("point_title", Kind::Text),
        column("point_title_zh", Kind::Text),
        column("set_points", Kind::Text),
        column("value_unit", Kind::Text),
        column("reference", Kind::Number),
        column("indication", Kind::Number),
        column("error_unit", Kind::Text),
        column("error", Kind::Number),
        column("expanded_uncertainty", Kind::Number),
        column("certified_error", Kind::Digits),
        column("certified_uncertainty", Kind::Digits),
        column("coverage_factor", Kind::Number),
        column("coverage_probability", Kind::Number),
        column("evaluation", Kind::Text),
        column("limit_low", Kind::Number),
        column("limit_high", Kind::Number),
        column("conformity", Kind::Text),
        column("preliminary", Kind::Flag),
        column("measured", Kind::Text),
        column("measured_utc", Kind::Text),
    ];
}

/// One checkpoint of a record: how long it was at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRow {
    pub path: String,
    /// Line in the file of checkpoints, from 1.
    pub number: u64,
    pub entries: u64,
    pub bytes: u64,
    pub head: String,
    pub root: String,
    pub utc: String,
}

impl Row for CheckpointRow {
    const TABLE: &'static str = "checkpoints";
    const COLUMNS: &'static [Column] = &[
        column("path", Kind::Text),
        column("number", Kind::Count),
        column("entries", Kind::Count),
        column("bytes", Kind::Count),
        column("head", Kind::Text),
        column("root", Kind::Text),
        column("utc", Kind::Text),
    ];
}

/// One reading that a result rests on. It stands in the record, not in the index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadingRow {
    pub path: String,
    /// From 1 in each record.
    pub number: u64,
    pub point: String,
    /// Number of the scan within the point, from 1.
    pub cycle: Option<u32>,
    pub channel: String,
    pub indication: Decimal,
    pub unit: String,
    pub quality: String,
    /// Microseconds since the session was opened.
    pub t_us: u64,
    /// Entry of the record that holds the bytes.
    pub entry: u64,
}

impl Row for ReadingRow {
    const TABLE: &'static str = "readings";
    const COLUMNS: &'static [Column] = &[
        column("path", Kind::Text),
        column("number", Kind::Count),
        column("point", Kind::Text),
        column("cycle", Kind::Count),
        column("channel", Kind::Text),
        column("indication", Kind::Digits),
        column("unit", Kind::Text),
        column("quality", Kind::Text),
        column("t_us", Kind::Count),
        column("entry", Kind::Count),
    ];
}

/// Everything that the index holds, in the order of paths and numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    pub records: Vec<RecordRow>,
    pub results: Vec<ResultRow>,
    pub checkpoints: Vec<CheckpointRow>,
}

impl Tables {
    /// One line a row: a JSON object whose fields stand in the order of the columns. The last
    /// line counts the rows and states the SHA-256 of all bytes before it.
    ///
    /// # Errors
    /// A row that is no JSON.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = format!("# heng index, schema {SCHEMA}\n");
        lines(&self.records, &mut text)?;
        lines(&self.results, &mut text)?;
        lines(&self.checkpoints, &mut text)?;
        let (records, results, checkpoints) = (
            self.records.len(),
            self.results.len(),
            self.checkpoints.len(),
        );
        let hash = sha256_hex(text.as_bytes());
        let _ = writeln!(
            text,
            "# end: {records} records, {results} results, {checkpoints} checkpoints, {hash}"
        );
        Ok(text)
    }
}

fn lines<R: Row>(rows: &[R], text: &mut String) -> Result<(), serde_json::Error> {
    for row in rows {
        let _ = write!(text, "{{\"table\":\"{}\"", R::TABLE);
        for (column, cell) in R::COLUMNS.iter().zip(row.cells()?) {
            let _ = write!(text, ",\"{}\":{cell}", column.name);
        }
        text.push_str("}\n");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// As the page says it.
    fn word(kind: Kind) -> &'static str {
        match kind {
            Kind::Text => "text",
            Kind::Digits => "digits",
            Kind::Count => "integer",
            Kind::Number => "number",
            Kind::Flag => "flag",
        }
    }

    fn fields<R: Row>(row: &R) {
        let Ok(Value::Object(fields)) = serde_json::to_value(row) else {
            panic!("{} is no object", R::TABLE);
        };
        let fields: BTreeSet<_> = fields.keys().cloned().collect();
        let columns: BTreeSet<_> = R::COLUMNS.iter().map(|one| one.name.to_owned()).collect();
        assert_eq!(fields, columns, "{}", R::TABLE);
        assert_eq!(
            R::COLUMNS.len(),
            columns.len(),
            "{}: a name twice",
            R::TABLE
        );
    }

    fn result() -> ResultRow {
        ResultRow {
            path: "S-1.jsonl".into(),
            number: 1,
            entry: 9,
            measurand: "temperature".into(),
            quantity: "Temperature".into(),
            quantity_zh: "温度".into(),
            point: "t20".into(),
            point_title: "20 °C".into(),
            point_title_zh: "20 °C".into(),
            set_points: None,
            value_unit: Some("°C".into()),
            reference: Some(20.0),
            indication: None,
            error_unit: "K".into(),
            error: 0.1 + 0.2,
            expanded_uncertainty: 5e-324,
            certified_error: "0.30".parse().unwrap(),
            certified_uncertainty: "0.11".parse().unwrap(),
            coverage_factor: Some(2.0),
            coverage_probability: 0.9545,
            evaluation: "gum".into(),
            limit_low: None,
            limit_high: None,
            conformity: None,
            preliminary: false,
            measured: String::new(),
            measured_utc: String::new(),
        }
    }

    #[test]
    fn every_field_is_a_column_and_comes_back() {
        let checkpoint = CheckpointRow {
            path: String::new(),
            number: 1,
            entries: 2,
            bytes: 3,
            head: String::new(),
            root: String::new(),
            utc: String::new(),
        };
        let reading = ReadingRow {
            path: String::new(),
            number: 1,
            point: String::new(),
            cycle: None,
            channel: String::new(),
            indication: "20.10".parse().unwrap(),
            unit: String::new(),
            quality: String::new(),
            t_us: 0,
            entry: 0,
        };
        fields(&reading);
        fields(&RecordRow::default());
        fields(&result());
        fields(&checkpoint);
        let back = ResultRow::of_cells(result().cells().unwrap()).unwrap();
        assert_eq!(back, result());
    }

    #[test]
    fn the_page_lists_the_columns_in_their_order() {
        let page = include_str!("../../records/INDEX.md");
        let all = [
            (RecordRow::TABLE, RecordRow::COLUMNS),
            (ResultRow::TABLE, ResultRow::COLUMNS),
            (CheckpointRow::TABLE, CheckpointRow::COLUMNS),
            (ReadingRow::TABLE, ReadingRow::COLUMNS),
        ];
        assert!(page.contains(&format!("schema {SCHEMA}")));
        for (table, columns) in all {
            let heading = format!("## Table `{table}`\n");
            let (_, rest) = page.split_once(&heading).expect(&heading);
            let part = rest.split("\n## ").next().unwrap_or_default();
            let listed: Vec<_> = part
                .lines()
                .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
                .map(|(name, rest)| (name, rest.split('|').nth(1).unwrap_or_default().trim()))
                .collect();
            let due: Vec<_> = columns
                .iter()
                .map(|column| (column.name, word(column.kind)))
                .collect();
            assert_eq!(listed, due, "records/INDEX.md, table {table}");
        }
    }
}
