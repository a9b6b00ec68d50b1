//! Proficiency tests: robust assigned value, and the scores of the participants.

use clap::{Args, ValueEnum};
use heng_certificates::{Diagram, Layer, Mark, Style};
use heng_quantities::Text;
use heng_uncertainty::{
    AssignedValue, RobustError, RobustEstimate, Score, ScoreSignal, Scores, Stopping, Submitted,
    algorithm_a, median, normalised_iqr, q_hampel, scaled_mad,
};
use serde_json::json;

use super::Given;
use super::data::Data;
use super::sheet::{Cell, Grid, Sheet};
use crate::cli::Failure;

#[derive(Args)]
pub struct Proficiency {
    #[command(flatten)]
    pub data: Data,
    /// Column of the names of the participants
    #[arg(long)]
    laboratory: String,
    /// Column of the results
    #[arg(long)]
    value: String,
    /// Column of the standard uncertainties of the results; ζ needs it
    #[arg(long, value_name = "COLUMN")]
    u: Option<String>,
    /// Column of the expanded uncertainties of the results; En needs it
    #[arg(long, value_name = "COLUMN")]
    expanded: Option<String>,
    /// Robust estimate that gives what is not stated
    #[arg(long, value_enum, default_value_t = Robust::AlgorithmA)]
    robust: Robust,
    /// Assigned value, where it is not the robust mean of the results
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    assigned: Option<f64>,
    /// Standard uncertainty of the stated assigned value
    #[arg(long, value_name = "U", requires = "assigned", default_value_t = 0.0)]
    u_assigned: f64,
    /// Standard deviation for proficiency assessment, where it is not the robust one
    #[arg(long, value_name = "SIGMA")]
    sigma: Option<f64>,
    /// Largest permissible error
    #[arg(long, value_name = "ERROR")]
    permissible: Option<f64>,
    #[command(flatten)]
    pub given: Given,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Robust {
    /// Algorithm A, ended by the third significant figure
    AlgorithmA,
    /// Algorithm A, iterated until nothing changes
    AlgorithmAConverged,
    /// Q method and Hampel's estimator
    QHampel,
}

impl Robust {
    fn of(self, results: &[f64]) -> Result<RobustEstimate, RobustError> {
        match self {
            Self::AlgorithmA => algorithm_a(results, Stopping::ThirdFigure),
            Self::AlgorithmAConverged => algorithm_a(results, Stopping::Converged),
            Self::QHampel => q_hampel(results),
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::AlgorithmA => {
                "ISO 13528:2022, clause 9 and C.3.1 (stop: third significant figure)"
            }
            Self::AlgorithmAConverged => "ISO 13528:2022, clause 9 and C.3.1 (stop: convergence)",
            Self::QHampel => "ISO 13528:2022, clause 9 and C.5",
        }
    }
}

impl Proficiency {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let mut needed = vec![self.laboratory.as_str(), self.value.as_str()];
        needed.extend(self.u.as_deref());
        needed.extend(self.expanded.as_deref());
        let rows = self.data.rows(&needed)?;
        let labs = rows.names(&self.laboratory)?;
        let values = rows.numbers(&self.value)?;
        let optional = |column: &Option<String>| {
            let numbers = column.as_ref().map(|column| rows.numbers(column));
            numbers.transpose()
        };
        let (u, expanded) = (optional(&self.u)?, optional(&self.expanded)?);
        let robust = self.robust.of(&values);
        let estimate = |robust: &Result<RobustEstimate, RobustError>| {
            robust.clone().map_err(|error| rows.refuse(&error))
        };
        let assigned = AssignedValue {
            value: match self.assigned {
                Some(value) => value,
                None => estimate(&robust)?.mean,
            },
            u: match self.assigned {
                Some(_) => self.u_assigned,
                None => estimate(&robust)?.u,
            },
            sigma_pt: Some(match self.sigma {
                Some(sigma) => sigma,
                None => estimate(&robust)?.s,
            }),
            permissible_error: self.permissible,
        };
        let scores = values.iter().enumerate().map(|(at, &value)| {
            let submitted = Submitted {
                value,
                u: u.as_ref().map(|u| u[at]),
                expanded: expanded.as_ref().map(|expanded| expanded[at]),
            };
            let scores = assigned.scores(&submitted);
            scores.map_err(|error| rows.refuse(&format!("{:?}: {error}", labs[at])))
        });
        let scores = scores.collect::<Result<Vec<_>, _>>()?;
        let mut remarks = rows.remarks();
        remarks.extend(z_prime(&scores));
        Ok(Sheet {
            title: Text::new("Scores of a proficiency test", "能力验证评分"),
            method: self.robust.method(),
            facts: facts(&values, robust.as_ref().ok(), &assigned),
            tables: vec![table(&labs, &values, &scores)],
            remarks,
            result: json!({
                "assigned": assigned,
                "robust": robust.ok(),
                "median": median(&values).ok(),
                "scaled_mad": scaled_mad(&values).ok(),
                "normalised_iqr": normalised_iqr(&values).ok(),
                "scores": labs.iter().zip(&scores).map(|(lab, scores)| {
                    json!({"laboratory": lab, "scores": scores})
                }).collect::<Vec<_>>(),
            }),
            diagram: diagram(&labs, &scores),
        })
    }
}

/// What is shown of the results as a whole.
fn facts(
    values: &[f64],
    robust: Option<&RobustEstimate>,
    assigned: &AssignedValue,
) -> Vec<(Text, Cell)> {
    let mut facts = vec![
        (
            Text::new("participants", "参加者数"),
            Cell::count(values.len()),
        ),
        (
            Text::new("assigned value", "指定值"),
            Cell::Beside(assigned.value, assigned.u),
        ),
        (
            Text::new("its standard uncertainty", "指定值的标准不确定度"),
            Cell::Uncertainty(assigned.u),
        ),
        (
            Text::new(
                "standard deviation for proficiency assessment",
                "能力评定标准差",
            ),
            assigned.sigma_pt.map_or(Cell::None, Cell::Uncertainty),
        ),
    ];
    if let Some(robust) = robust {
        facts.push((
            Text::new("robust mean", "稳健平均值"),
            Cell::Beside(robust.mean, robust.u),
        ));
        facts.push((
            Text::new("robust standard deviation", "稳健标准差"),
            Cell::Uncertainty(robust.s),
        ));
    }
    let of = |found: Result<f64, RobustError>| found.map_or(Cell::None, Cell::Uncertainty);
    facts.extend([
        (
            Text::new("median", "中位值"),
            median(values).map_or(Cell::None, |one| Cell::Beside(one, assigned.u)),
        ),
        (Text::same("MADe"), of(scaled_mad(values))),
        (Text::same("nIQR"), of(normalised_iqr(values))),
    ]);
    facts
}

fn z_prime(scores: &[Scores]) -> Option<Text> {
    let used = scores.iter().any(|scores| scores.use_z_prime);
    used.then(|| {
        Text::new(
            "the uncertainty of the assigned value exceeds 0.3 of the standard deviation for \
             proficiency assessment: z' counts, not z (ISO 13528:2022, 9.2.1)",
            "指定值的不确定度超过能力评定标准差的 0.3 倍: 以 z' 而非 z 评价 (ISO 13528:2022, 9.2.1)",
        )
    })
}

/// The score that a result is judged by first.
fn leading(scores: &Scores) -> Option<Score> {
    if scores.use_z_prime {
        scores.z_prime
    } else {
        scores.z
    }
}

fn table(labs: &[&str], values: &[f64], scores: &[Scores]) -> Grid {
    let number =
        |score: Option<Score>| score.map_or(Cell::None, |one| Cell::Uncertainty(one.value));
    let rows = labs.iter().zip(values).zip(scores);
    let rows = rows.map(|((lab, &value), scores)| {
        let all = [
            leading(scores),
            scores.zeta,
            scores.en,
            scores.permissible_pct,
        ];
        let worst = all.into_iter().flatten().map(|score| score.signal);
        let worst = worst.max_by_key(|signal| match signal {
            ScoreSignal::Acceptable => 0,
            ScoreSignal::Warning => 1,
            ScoreSignal::Action => 2,
        });
        vec![
            Cell::name(lab),
            Cell::Number(value),
            Cell::Uncertainty(scores.difference),
            scores.difference_pct.map_or(Cell::None, Cell::Uncertainty),
            number(scores.z),
            number(scores.z_prime),
            number(scores.zeta),
            number(scores.en),
            number(scores.permissible_pct),
            worst.map_or(Cell::None, |signal| Cell::Word(word(signal))),
        ]
    });
    Grid {
        heads: vec![
            Text::new("laboratory", "实验室"),
            Text::new("value", "结果"),
            Text::same("D"),
            Text::same("D%"),
            Text::same("z"),
            Text::same("z'"),
            Text::same("ζ"),
            Text::same("En"),
            Text::same("PA%"),
            Text::new("worst", "最差判定"),
        ],
        rows: rows.collect(),
    }
}

fn word(signal: ScoreSignal) -> Text {
    match signal {
        ScoreSignal::Acceptable => Text::new("acceptable", "满意"),
        ScoreSignal::Warning => Text::new("warning", "有问题"),
        ScoreSignal::Action => Text::new("action", "不满意"),
    }
}

/// Scores as columns in their order, with the limits 2 and 3.
fn diagram(labs: &[&str], scores: &[Scores]) -> Diagram {
    let mut order: Vec<(usize, f64)> = scores
        .iter()
        .enumerate()
        .filter_map(|(at, scores)| Some((at, leading(scores)?.value)))
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let place = |number: usize| number as f64 + 1.0;
    let columns = order.iter().enumerate().map(|(number, &(_, score))| {
        let middle = place(number);
        (middle - 0.35, middle + 0.35, score)
    });
    let ends = [0.4, order.len() as f64 + 0.6];
    let level = |y: f64| Mark::Line(vec![(ends[0], y), (ends[1], y)]);
    let layer = |name: Text, style, mark| Layer { name, style, mark };
    let prime = scores.iter().any(|scores| scores.use_z_prime);
    let name = if prime { "z'" } else { "z" };
    Diagram {
        title: Text::new("Scores of the participants", "参加者评分"),
        x_label: Text::same(""),
        y_label: Text::same(name),
        x_names: order
            .iter()
            .enumerate()
            .map(|(number, &(at, _))| (place(number), labs[at].to_owned()))
            .collect(),
        layers: vec![
            layer(
                Text::same(name),
                Style::Series(0),
                Mark::Columns(columns.collect()),
            ),
            layer(
                Text::new("warning (2)", "警戒 (2)"),
                Style::Dashed(1),
                level(2.0),
            ),
            layer(Text::same(""), Style::Dashed(1), level(-2.0)),
            layer(
                Text::new("action (3)", "行动 (3)"),
                Style::Limit,
                level(3.0),
            ),
            layer(Text::same(""), Style::Limit, level(-3.0)),
        ],
    }
}
