//! Indices of process capability.

use clap::Args;
use heng_certificates::{Diagram, Layer, Mark, Style};
use heng_quantities::Text;
use heng_uncertainty::{Capability, CapabilityIndex, CapabilityStudy};
use serde_json::json;

use super::data::{Data, grouped};
use super::sheet::{Cell, Grid, Sheet};
use super::{Given, probability};
use crate::cli::Failure;

/// Columns of the histogram.
const COLUMNS: usize = 20;

#[derive(Args)]
pub struct CapabilityArguments {
    #[command(flatten)]
    pub data: Data,
    /// Column of the values
    #[arg(long)]
    value: String,
    /// Column of the subgroup, such as the run
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Lower specification limit
    #[arg(long, allow_negative_numbers = true)]
    low: f64,
    /// Upper specification limit
    #[arg(long, allow_negative_numbers = true)]
    high: f64,
    /// Target, where it is not the middle of the limits
    #[arg(long, allow_negative_numbers = true)]
    target: Option<f64>,
    /// Standard uncertainty of a measurement, whose scatter is taken off
    #[arg(long, value_name = "U", default_value_t = 0.0)]
    u_measurement: f64,
    /// Confidence of the limits of the indices
    #[arg(long, default_value_t = 0.95, value_parser = probability)]
    confidence: f64,
    #[command(flatten)]
    pub given: Given,
}

impl CapabilityArguments {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let mut needed = vec![self.value.as_str()];
        needed.extend(self.group.as_deref());
        let rows = self.data.rows(&needed)?;
        let values = rows.numbers(&self.value)?;
        let subgroups: Vec<Vec<f64>> = match &self.group {
            Some(column) => {
                let groups = grouped(&rows.labels(column)?, &values);
                groups.into_iter().map(|(_, members)| members).collect()
            }
            None => vec![values.clone()],
        };
        let study = CapabilityStudy {
            limits: [self.low, self.high],
            target: self.target,
            confidence: self.confidence,
            u_measurement: self.u_measurement,
        };
        let found = study
            .evaluate(&subgroups)
            .map_err(|error| rows.refuse(&error))?;
        Ok(Sheet {
            title: Text::new("Process capability", "过程能力"),
            method: "ISO 22514-2; confidence limits by chi-squared and A. F. Bissell, Applied \
                     Statistics 39, 1990, 331-340",
            facts: facts(&found),
            tables: vec![table(&found)],
            remarks: rows.remarks(),
            result: json!({"study": study, "capability": found}),
            diagram: self.diagram(&values),
        })
    }

    /// Histogram of the values with the limits.
    fn diagram(&self, values: &[f64]) -> Diagram {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let width = (high - low) / COLUMNS as f64;
        let mut counts = [0_u32; COLUMNS];
        for value in values {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the value is not below the lowest"
            )]
            let column = ((value - low) / width) as usize;
            counts[column.min(COLUMNS - 1)] += 1;
        }
        let columns = counts.iter().enumerate().map(|(at, &count)| {
            let left = low + width * at as f64;
            (left, left + width, f64::from(count))
        });
        let layer = |name: Text, style, mark| Layer { name, style, mark };
        Diagram {
            title: Text::new("Values and specification limits", "数值与规范限"),
            x_label: Text::same(&self.value),
            y_label: Text::new("count", "个数"),
            x_names: Vec::new(),
            layers: vec![
                layer(
                    Text::same(""),
                    Style::Pale,
                    Mark::Columns(columns.collect()),
                ),
                layer(
                    Text::new("limits", "规范限"),
                    Style::Limit,
                    Mark::Verticals(vec![self.low, self.high]),
                ),
            ],
        }
    }
}

fn facts(found: &Capability) -> Vec<(Text, Cell)> {
    vec![
        (Text::new("values", "数值个数"), Cell::count(found.n)),
        (
            Text::new("mean", "平均值"),
            Cell::Beside(found.mean, found.s_overall),
        ),
        (
            Text::new("standard deviation within subgroups", "组内标准偏差"),
            found.s_within.map_or(Cell::None, Cell::Uncertainty),
        ),
        (
            Text::new("standard deviation of all values", "总标准偏差"),
            Cell::Uncertainty(found.s_overall),
        ),
    ]
}

fn table(found: &Capability) -> Grid {
    let rows = [
        ("Cp", found.cp),
        ("Cpk", found.cpk),
        ("Cpm", Some(found.cpm)),
        ("Pp", Some(found.pp)),
        ("Ppk", Some(found.ppk)),
    ];
    let row = |(name, index): (&str, Option<CapabilityIndex>)| {
        let of = |part: fn(CapabilityIndex) -> f64| {
            index.map_or(Cell::None, |one| Cell::Uncertainty(part(one)))
        };
        vec![
            Cell::name(name),
            of(|one| one.value),
            of(|one| one.low),
            of(|one| one.high),
        ]
    };
    Grid {
        heads: vec![
            Text::new("index", "指数"),
            Text::new("value", "数值"),
            Text::new("low", "下限"),
            Text::new("high", "上限"),
        ],
        rows: rows.into_iter().map(row).collect(),
    }
}
