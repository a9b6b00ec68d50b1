//! Results of laboratories that measured the same quantity: reference value and degrees of
//! equivalence.

use clap::{Args, ValueEnum};
use heng_certificates::{Diagram, Layer, Mark, Style};
use heng_quantities::Text;
use heng_uncertainty::{
    Comparison, ComparisonError, Equivalence, LabResult, RandomEffects, Reference, WeightedMean,
};
use serde_json::json;

use super::Given;
use super::data::Data;
use super::sheet::{Cell, Grid, Sheet};
use crate::cli::Failure;

/// Trials of the median.
const TRIALS: usize = 100_000;

/// Probability of a larger χ² below which results count as inconsistent.
const LEVEL: f64 = 0.05;

#[derive(Args)]
pub struct ComparisonArguments {
    #[command(flatten)]
    pub data: Data,
    /// Column of the names of the laboratories
    #[arg(long)]
    laboratory: String,
    /// Column of the results
    #[arg(long)]
    value: String,
    /// Column of their standard uncertainties
    #[arg(long)]
    u: String,
    /// Column that is `true` for the results that enter the reference value
    #[arg(long, value_name = "COLUMN")]
    contributes: Option<String>,
    /// How the reference value is made
    #[arg(long, value_enum, default_value_t = Estimator::Weighted)]
    reference: Estimator,
    /// Coverage factor of degrees of equivalence
    #[arg(long, default_value_t = 2.0)]
    k: f64,
    /// Seed of the trials of the median
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    pub given: Given,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Estimator {
    /// Weighted mean with the test of consistency (Cox 2002, procedure A)
    Weighted,
    /// Weighted mean of the largest consistent subset (Cox 2007)
    Subset,
    /// Median with Monte Carlo trials (Cox 2002, procedure B)
    Median,
    /// Power-moderated mean (Pommé and Keightley 2015)
    PowerModerated,
    /// Random effects by DerSimonian and Laird
    DersimonianLaird,
    /// Random effects by Mandel and Paule
    MandelPaule,
}

/// A reference value and what there is to say about it.
struct Found {
    value: f64,
    u: f64,
    equivalence: Vec<Equivalence>,
    facts: Vec<(Text, Cell)>,
    remarks: Vec<Text>,
}

impl Estimator {
    const fn method(self) -> &'static str {
        match self {
            Self::Weighted => "M. G. Cox, Metrologia 39, 2002, 589-595, procedure A",
            Self::Subset => "M. G. Cox, Metrologia 44, 2007, 187-200",
            Self::Median => "M. G. Cox, Metrologia 39, 2002, 589-595, procedure B",
            Self::PowerModerated => {
                "S. Pommé and J. Keightley, Metrologia 52, 2015, S200-S212; alpha = 2 - 3/n"
            }
            Self::DersimonianLaird => {
                "R. DerSimonian and N. Laird, Controlled Clinical Trials 7, 1986, 177-188"
            }
            Self::MandelPaule => {
                "R. C. Paule and J. Mandel, J. Res. Natl. Bur. Stand. 87, 1982, 377-385"
            }
        }
    }
}

impl ComparisonArguments {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let mut needed = vec![
            self.laboratory.as_str(),
            self.value.as_str(),
            self.u.as_str(),
        ];
        needed.extend(self.contributes.as_deref());
        let rows = self.data.rows(&needed)?;
        let labs = rows.names(&self.laboratory)?;
        let (values, u) = (rows.numbers(&self.value)?, rows.numbers(&self.u)?);
        let mut contributes = vec![true; labs.len()];
        if let Some(column) = &self.contributes {
            for (at, word) in rows.labels(column)?.into_iter().enumerate() {
                contributes[at] = word.to_lowercase().parse::<bool>().map_err(|_| {
                    rows.refuse(&format!(
                        "{:?} has {word:?} in column {column:?}; write true or false",
                        labs[at]
                    ))
                })?;
            }
        }
        let results = (0..labs.len()).map(|at| LabResult {
            lab: labs[at].to_owned(),
            value: values[at],
            u: u[at],
            contributes: contributes[at],
        });
        let comparison = Comparison::from(results.collect::<Vec<_>>());
        let found = self
            .found(&comparison)
            .map_err(|error| rows.refuse(&error))?;
        let mut remarks = rows.remarks();
        remarks.extend(found.remarks.iter().cloned());
        let mut facts = vec![
            (
                Text::new("reference value", "参考值"),
                Cell::Beside(found.value, found.u),
            ),
            (
                Text::new("standard uncertainty", "标准不确定度"),
                Cell::Uncertainty(found.u),
            ),
        ];
        facts.extend(found.facts);
        Ok(Sheet {
            title: Text::new("Comparison of laboratories", "实验室比对"),
            method: self.reference.method(),
            facts,
            tables: vec![table(&comparison, &found.equivalence)],
            remarks,
            result: json!({
                "reference": {"value": found.value, "u": found.u},
                "equivalence": found.equivalence,
                "k": self.k,
            }),
            diagram: self.diagram(&comparison, found.value, found.u),
        })
    }

    fn found(&self, comparison: &Comparison) -> Result<Found, ComparisonError> {
        let of = |reference: &Reference, facts, remarks| {
            Ok(Found {
                value: reference.value,
                u: reference.u,
                equivalence: comparison.equivalence(reference, self.k)?,
                facts,
                remarks,
            })
        };
        let between = |reference: &Reference| {
            (
                Text::new(
                    "standard deviation between laboratories",
                    "实验室间标准偏差",
                ),
                Cell::Uncertainty(reference.s_between),
            )
        };
        match self.reference {
            Estimator::Weighted => {
                let mean = comparison.weighted_mean(LEVEL)?;
                let remarks = inconsistent(&mean);
                of(&mean.reference, chi_squared(&mean), remarks)
            }
            Estimator::Subset => {
                let subset = comparison.largest_consistent_subset(LEVEL)?;
                let names = subset.left_out.iter();
                let names: Vec<&str> = names
                    .map(|&at| comparison.results[at].lab.as_str())
                    .collect();
                let remarks = left_out(&names, subset.is_unique);
                of(&subset.mean.reference, chi_squared(&subset.mean), remarks)
            }
            Estimator::PowerModerated => {
                let mean = comparison.power_moderated_mean(None)?;
                let facts = vec![
                    (Text::same("alpha"), Cell::Number(mean.alpha)),
                    between(&mean.reference),
                ];
                of(&mean.reference, facts, Vec::new())
            }
            Estimator::DersimonianLaird | Estimator::MandelPaule => {
                let kind = if self.reference == Estimator::MandelPaule {
                    RandomEffects::MandelPaule
                } else {
                    RandomEffects::DerSimonianLaird
                };
                let reference = comparison.random_effects(kind)?;
                of(&reference, vec![between(&reference)], Vec::new())
            }
            Estimator::Median => self.median(comparison),
        }
    }

    fn median(&self, comparison: &Comparison) -> Result<Found, ComparisonError> {
        let median = comparison.median(0.95, TRIALS, self.seed)?;
        let each = median.equivalence.iter().zip(&comparison.results);
        let equivalence = each.map(|(one, result)| {
            let expanded = 0.5 * (one.interval[1] - one.interval[0]);
            Equivalence {
                lab: one.lab.clone(),
                d: one.d,
                u: one.u,
                expanded,
                en: one.d / expanded,
                contributes: result.contributes,
            }
        });
        Ok(Found {
            value: median.value,
            u: median.u,
            equivalence: equivalence.collect(),
            facts: vec![
                (Text::new("trials", "试验次数"), Cell::count(median.trials)),
                (Text::new("seed", "随机数种子"), Cell::Count(median.seed)),
            ],
            remarks: vec![Text::new(
                "U is half of the 95 % interval of the trials",
                "U 取 95 % 包含区间的半宽",
            )],
        })
    }

    /// Results with their standard uncertainties times k, and the reference value.
    fn diagram(&self, comparison: &Comparison, value: f64, u: f64) -> Diagram {
        let results = comparison.results.iter().zip(1_u32..);
        let bars = |contributes: bool| {
            let chosen = results
                .clone()
                .filter(move |(one, _)| one.contributes == contributes);
            let bars = chosen.map(|(one, at)| (f64::from(at), one.value, self.k * one.u));
            bars.collect::<Vec<_>>()
        };
        let ends = [0.5, comparison.results.len() as f64 + 0.5];
        let level = |y: f64| Mark::Line(vec![(ends[0], y), (ends[1], y)]);
        let layer = |name: Text, style, mark| Layer { name, style, mark };
        let mut layers = vec![
            layer(
                Text::new("reference value", "参考值"),
                Style::Series(1),
                level(value),
            ),
            layer(
                Text::new("its expanded uncertainty", "参考值的扩展不确定度"),
                Style::Dashed(1),
                level(value - self.k * u),
            ),
            layer(Text::same(""), Style::Dashed(1), level(value + self.k * u)),
            layer(
                Text::new("contributes", "参与参考值计算"),
                Style::Series(0),
                Mark::Bars(bars(true)),
            ),
        ];
        let others = bars(false);
        if !others.is_empty() {
            layers.push(layer(
                Text::new("only compared", "仅作比较"),
                Style::Series(2),
                Mark::Bars(others),
            ));
        }
        Diagram {
            title: Text::new(
                &format!("Results with U (k = {})", self.k),
                &format!("各实验室结果及 U (k = {})", self.k),
            ),
            x_label: Text::same(""),
            y_label: Text::same(&self.value),
            x_names: results
                .map(|(one, at)| (f64::from(at), one.lab.clone()))
                .collect(),
            layers,
        }
    }
}

fn chi_squared(mean: &WeightedMean) -> Vec<(Text, Cell)> {
    let test = &mean.consistency;
    vec![
        (
            Text::new("chi-squared", "χ²"),
            Cell::Number(test.chi_squared),
        ),
        (
            Text::new("degrees of freedom", "自由度"),
            Cell::Dof(test.dof),
        ),
        (
            Text::new("limit of chi-squared (95 %)", "χ² 限值 (95 %)"),
            Cell::Number(test.limit),
        ),
        (
            Text::new("probability of a larger one", "更大 χ² 的概率"),
            Cell::Uncertainty(test.probability),
        ),
        (
            Text::new("Birge ratio", "Birge 比"),
            Cell::Uncertainty(mean.birge_ratio),
        ),
    ]
}

fn inconsistent(mean: &WeightedMean) -> Vec<Text> {
    if mean.consistency.consistent {
        return Vec::new();
    }
    vec![Text::new(
        "the results do not agree within their uncertainties: the weighted mean and its \
         uncertainty may mislead; take --reference subset, median, power-moderated or \
         mandel-paule",
        "各结果在其不确定度内不一致: 加权平均值及其不确定度可能失真; 请改用 --reference subset, \
         median, power-moderated 或 mandel-paule",
    )]
}

fn left_out(names: &[&str], is_unique: bool) -> Vec<Text> {
    let mut remarks = Vec::new();
    if !names.is_empty() {
        let names = names.join(", ");
        remarks.push(Text::new(
            &format!("left out of the reference value: {names}"),
            &format!("未参与参考值计算: {names}"),
        ));
    }
    if !is_unique {
        remarks.push(Text::new(
            "another subset of this size is consistent too; the one with the smallest \
             chi-squared was taken",
            "另有同样大小的一致子集; 取 χ² 最小者",
        ));
    }
    remarks
}

fn table(comparison: &Comparison, equivalence: &[Equivalence]) -> Grid {
    let yes = || Cell::Word(Text::new("yes", "是"));
    let no = || Cell::Word(Text::new("no", "否"));
    let rows = comparison.results.iter().zip(equivalence);
    let rows = rows.map(|(result, one)| {
        vec![
            Cell::name(&result.lab),
            Cell::Beside(result.value, result.u),
            Cell::Uncertainty(result.u),
            if one.contributes { yes() } else { no() },
            Cell::Beside(one.d, one.u),
            Cell::Uncertainty(one.expanded),
            Cell::Uncertainty(one.en),
        ]
    });
    Grid {
        heads: vec![
            Text::new("laboratory", "实验室"),
            Text::new("value", "结果"),
            Text::same("u"),
            Text::new("contributes", "参与"),
            Text::same("d"),
            Text::same("U(d)"),
            Text::same("En"),
        ],
        rows: rows.collect(),
    }
}
