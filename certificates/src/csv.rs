//! The results as CSV (RFC 4180): one line for each cell of each table.

use heng_quantities::Text;

use crate::document::{Cells, Certificate, Column, Table};
use crate::number::{degrees_of_freedom, factor};

const HEADER: &str = "certificate,table,row,column,name_en,name_zh,ref_type,value,unit,\
expanded_uncertainty,uncertainty_unit,coverage_factor,coverage_probability,distribution,\
effective_degrees_of_freedom";

/// The tables of the certificate in long form, UTF-8, lines ended by CR LF.
///
/// A text cell has its English text as value and no unit. Empty degrees of freedom beside an
/// uncertainty mean infinite ones.
pub fn to_csv(certificate: &Certificate) -> String {
    let mut lines = vec![HEADER.to_owned()];
    for table in &certificate.tables {
        for column in &table.columns {
            for row in 0..column.rows() {
                lines.push(line(certificate, table, column, row));
            }
        }
    }
    lines.push(String::new());
    lines.join("\r\n")
}

fn line(certificate: &Certificate, table: &Table, column: &Column, row: usize) -> String {
    let mut fields = vec![
        certificate.number.clone(),
        table.id.clone(),
        (row + 1).to_string(),
        column.key.clone(),
        column.name.en.clone(),
        column.name.zh.clone(),
        column.ref_type.clone().unwrap_or_default(),
    ];
    fields.extend(cell(&column.cells, row));
    fields.resize(HEADER.split(',').count(), String::new());
    let quoted: Vec<String> = fields.iter().map(|field| quote(field)).collect();
    quoted.join(",")
}

fn cell(cells: &Cells, row: usize) -> Vec<String> {
    match cells {
        Cells::Text(texts) => vec![
            texts
                .get(row)
                .map(|t: &Text| t.en.clone())
                .unwrap_or_default(),
        ],
        Cells::Verdict { verdicts, .. } => vec![verdicts.get(row).cloned().unwrap_or_default()],
        Cells::Number {
            unit,
            values,
            uncertainty,
        } => {
            let value = values.get(row).map(ToString::to_string).unwrap_or_default();
            let mut fields = vec![value, unit.symbol().to_owned()];
            if let Some(expanded) = uncertainty.as_ref().and_then(|all| all.get(row)) {
                fields.extend([
                    expanded.value.to_string(),
                    unit.difference().symbol().to_owned(),
                    factor(expanded.k),
                    expanded.coverage.to_string(),
                    expanded.distribution.clone(),
                    degrees_of_freedom(expanded.dof).unwrap_or_default(),
                ]);
            }
            fields
        }
    }
}

fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_cell_is_one_line_with_its_uncertainty() {
        let certificate = sample::thermo_hygrometer();
        let text = to_csv(&certificate);
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        let cells: usize = certificate
            .tables
            .iter()
            .flat_map(|table| &table.columns)
            .map(Column::rows)
            .sum();
        assert_eq!(lines.len(), cells + 1);
        assert!(lines.contains(
            &"DEMO-2026-0001,humidity,1,error,Error,示值误差,basic_measurementError,1.1,%RH,1.2,%RH,2.00,0.95,normal,214"
        ), "{text}");
    }

    #[test]
    fn commas_and_quotes_in_names_do_not_break_a_line() {
        assert_eq!(quote("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quote("plain"), "plain");
    }
}
