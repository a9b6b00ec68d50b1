//! Series of readings: mean, standard deviation, autocorrelation.

use clap::Args;
use heng_certificates::{Diagram, Layer, Mark, Style};
use heng_quantities::Text;
use heng_uncertainty::{Autocorrelated, TypeA, autocorrelated, pooled, type_a};
use serde_json::json;

use super::Given;
use super::data::{Data, grouped};
use super::sheet::{Cell, Grid, Sheet};
use crate::cli::Failure;

#[derive(Args)]
pub struct Summary {
    #[command(flatten)]
    pub data: Data,
    /// Column of the readings
    #[arg(long)]
    value: String,
    /// Column of the name of the series, where the file has several
    #[arg(long)]
    group: Option<String>,
    #[command(flatten)]
    pub given: Given,
}

impl Summary {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let mut needed = vec![self.value.as_str()];
        needed.extend(self.group.as_deref());
        let rows = self.data.rows(&needed)?;
        let values = rows.numbers(&self.value)?;
        let series = match &self.group {
            Some(column) => grouped(&rows.labels(column)?, &values),
            None => vec![(self.value.as_str(), values)],
        };
        let mut remarks = rows.remarks();
        let mut found: Vec<Found> = Vec::new();
        for (name, values) in &series {
            let one = type_a(values)
                .map_err(|error| rows.refuse(&format!("series {name:?}: {error}")))?;
            remarks.extend(dependent(name, &one));
            // Where the series is too short for it, s is the standard uncertainty.
            let effective = (!one.independent)
                .then(|| autocorrelated(values).ok())
                .flatten();
            found.push(Found {
                name,
                one,
                effective,
            });
        }
        let results = found.iter().map(|found| {
            json!({
                "series": found.name,
                "type_a": found.one,
                "autocorrelated": found.effective,
            })
        });
        Ok(Sheet {
            title: Text::new("Series of readings", "读数列"),
            method: "JCGM 100:2008, 4.2",
            facts: together(&found),
            tables: vec![table(&found)],
            remarks,
            result: results.collect(),
            diagram: diagram(&self.value, &series, &found),
        })
    }
}

/// A series and what was found of it.
struct Found<'a> {
    name: &'a str,
    one: TypeA,
    /// For readings that follow each other.
    effective: Option<Autocorrelated>,
}

/// The standard deviation of all series together, where there are several.
fn together(found: &[Found]) -> Vec<(Text, Cell)> {
    let each: Vec<(f64, f64)> = found
        .iter()
        .map(|found| (found.one.s, found.one.dof))
        .collect();
    let Some(pooled) = pooled(&each).ok().filter(|_| each.len() > 1) else {
        return Vec::new();
    };
    vec![
        (
            Text::new("pooled standard deviation", "合并标准偏差"),
            Cell::Uncertainty(pooled.s),
        ),
        (
            Text::new("its degrees of freedom", "其自由度"),
            Cell::Dof(pooled.dof),
        ),
    ]
}

fn dependent(name: &str, one: &TypeA) -> Option<Text> {
    let lag1 = one.lag1.filter(|_| !one.independent)?;
    let (lag1, limit) = (format!("{lag1:.3}"), format!("{:.3}", one.lag1_limit));
    Some(Text::new(
        &format!(
            "{name}: neighbouring readings depend on each other (r1 = {lag1}, limit {limit}); \
             the standard uncertainty of the mean is not s/√n"
        ),
        &format!(
            "{name}: 相邻读数不独立 (r1 = {lag1}, 限值 {limit}); 平均值的标准不确定度不取 s/√n"
        ),
    ))
}

fn table(found: &[Found]) -> Grid {
    let row = |found: &Found| {
        let one = &found.one;
        let effective = found.effective.as_ref();
        let or_none = |of: fn(&Autocorrelated) -> f64| {
            effective.map_or(Cell::None, |found| Cell::Uncertainty(of(found)))
        };
        vec![
            Cell::name(found.name),
            Cell::count(one.n),
            Cell::Beside(one.mean, one.u),
            Cell::Uncertainty(one.s),
            one.lag1.map_or(Cell::None, Cell::Uncertainty),
            Cell::Uncertainty(one.u),
            Cell::Dof(one.dof),
            or_none(|found| found.n_effective),
            or_none(|found| found.u),
        ]
    };
    Grid {
        heads: vec![
            Text::new("series", "读数列"),
            Text::same("n"),
            Text::new("mean", "平均值"),
            Text::same("s"),
            Text::same("r1"),
            Text::new("u(mean)", "u(平均值)"),
            Text::same("ν"),
            Text::same("n_eff"),
            Text::same("s/√n_eff"),
        ],
        rows: found.iter().map(row).collect(),
    }
}

/// The readings in their order, each series in its colour, with its mean.
fn diagram(value: &str, series: &[(&str, Vec<f64>)], found: &[Found]) -> Diagram {
    let mut layers = Vec::new();
    let mut from = 1.0;
    for (number, ((name, values), found)) in series.iter().zip(found).enumerate() {
        let points = values.iter().zip(0_u32..);
        let points = points.map(|(&y, at)| (from + f64::from(at), y));
        let to = from + values.len() as f64 - 1.0;
        layers.push(Layer {
            name: Text::same(name),
            style: Style::Series(number),
            mark: Mark::Points(points.collect()),
        });
        layers.push(Layer {
            name: Text::same(""),
            style: Style::Dashed(number),
            mark: Mark::Line(vec![(from, found.one.mean), (to, found.one.mean)]),
        });
        from = to + 1.0;
    }
    Diagram {
        title: Text::new("Series of readings and their means", "读数列及其平均值"),
        x_label: Text::new("number of the reading", "读数序号"),
        y_label: Text::same(value),
        x_names: Vec::new(),
        layers,
    }
}
