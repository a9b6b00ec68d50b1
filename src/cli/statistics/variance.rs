//! Components of variance: analysis of variance, studies of measurement systems, precision
//! experiments, and the tests of a standard.

use clap::{Args, ValueEnum};
use heng_certificates::{Diagram, Layer, Mark, Style};
use heng_quantities::Text;
use heng_uncertainty::{
    AnovaRow, Component, Crossed, Effects, ExtremeTest, GaugeStudy, GrandMean, Nested, OneWay,
    Precision, Source, StabilityEvidence, Standing, StudyShare, StudyTable, crossed, gauge_study,
    gauge_study_nested, nested, one_way, precision, standard_repeatability, standard_stability,
};
use serde_json::{Value, json};

use super::Given;
use super::data::{Data, Rows, grouped};
use super::sheet::{Cell, Grid, Sheet};
use crate::cli::Failure;

/// Readings by the first label and, within it, by the second.
struct Layout {
    outer: Vec<String>,
    inner: Vec<Vec<String>>,
    cells: Vec<Vec<Vec<f64>>>,
}

impl Layout {
    fn read(rows: &Rows, [outer, inner]: [&str; 2], value: &str) -> Result<Self, Failure> {
        let values = rows.numbers(value)?;
        let (outer, inner) = (rows.labels(outer)?, rows.labels(inner)?);
        let mut layout = Self {
            outer: Vec::new(),
            inner: Vec::new(),
            cells: Vec::new(),
        };
        for ((&a, &b), &value) in outer.iter().zip(&inner).zip(&values) {
            let at = place(&mut layout.outer, a);
            if at == layout.cells.len() {
                layout.inner.push(Vec::new());
                layout.cells.push(Vec::new());
            }
            let within = place(&mut layout.inner[at], b);
            if within == layout.cells[at].len() {
                layout.cells[at].push(Vec::new());
            }
            layout.cells[at][within].push(value);
        }
        Ok(layout)
    }

    /// The same with the inner labels in the order of the first outer one: the levels of a
    /// second factor.
    fn crossed(mut self, rows: &Rows) -> Result<Self, Failure> {
        let levels = self.inner.first().cloned().unwrap_or_default();
        for (at, labels) in self.inner.iter().enumerate() {
            let mut cells = Vec::new();
            for level in &levels {
                let Some(place) = labels.iter().position(|label| label == level) else {
                    return Err(rows.refuse(&format!(
                        "{:?} has no reading with {level:?}: every level needs readings with \
                         every other; fill the gap, or take --nested",
                        self.outer[at]
                    )));
                };
                cells.push(self.cells[at][place].clone());
            }
            if labels.len() > levels.len() {
                return Err(rows.refuse(&format!(
                    "{:?} has {} levels of the second factor and {:?} has {}: every level needs \
                     readings with every other; fill the gap, or take --nested",
                    self.outer[at],
                    labels.len(),
                    self.outer[0],
                    levels.len()
                )));
            }
            self.cells[at] = cells;
        }
        Ok(self)
    }

    /// Every reading over the number of its outer label, with the means.
    fn diagram(&self, title: Text, value: &str) -> Diagram {
        let readings: Vec<Vec<f64>> = self.cells.iter().map(|cells| cells.concat()).collect();
        by_group(title, value, &self.outer, &readings)
    }
}

fn place(labels: &mut Vec<String>, label: &str) -> usize {
    labels
        .iter()
        .position(|known| known == label)
        .unwrap_or_else(|| {
            labels.push(label.to_owned());
            labels.len() - 1
        })
}

fn by_group(title: Text, value: &str, names: &[String], groups: &[Vec<f64>]) -> Diagram {
    let (mut readings, mut means) = (Vec::new(), Vec::new());
    for (group, number) in groups.iter().zip(1_u32..) {
        let x = f64::from(number);
        readings.extend(group.iter().map(|&reading| (x, reading)));
        let mean = group.iter().sum::<f64>() / group.len() as f64;
        means.extend([(x - 0.3, mean), (x + 0.3, mean), (x, f64::NAN)]);
    }
    Diagram {
        title,
        x_label: Text::same(""),
        y_label: Text::same(value),
        x_names: names
            .iter()
            .zip(1_u32..)
            .map(|(name, number)| (f64::from(number), name.clone()))
            .collect(),
        layers: vec![
            Layer {
                name: Text::new("readings", "读数"),
                style: Style::Series(0),
                mark: Mark::Points(readings),
            },
            Layer {
                name: Text::new("means", "平均值"),
                style: Style::Series(1),
                mark: Mark::Line(means),
            },
        ],
    }
}

#[derive(Args)]
pub struct Anova {
    #[command(flatten)]
    pub data: Data,
    /// Column of the readings
    #[arg(long)]
    value: String,
    /// Column of the groups, or of the first factor
    #[arg(long, value_name = "COLUMN")]
    group: String,
    /// Column of the second factor, or of the groups within the groups
    #[arg(long, value_name = "COLUMN")]
    inner: Option<String>,
    /// The groups of the second column are others in every group of the first
    #[arg(long, requires = "inner")]
    nested: bool,
    /// What the levels of two crossed factors are
    #[arg(long, value_enum, default_value_t = Levels::Random)]
    levels: Levels,
    #[command(flatten)]
    pub given: Given,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Levels {
    /// A sample of many: factors are tested against their interaction
    Random,
    /// Of interest themselves: factors are tested against repetition
    Fixed,
}

/// An analysis of any layout, as it is shown.
struct Analysed {
    table: Vec<AnovaRow>,
    components: Vec<Component>,
    mean: GrandMean,
    result: Value,
    diagram: Diagram,
}

impl Anova {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let mut needed = vec![self.value.as_str(), self.group.as_str()];
        needed.extend(self.inner.as_deref());
        let rows = self.data.rows(&needed)?;
        let found = match &self.inner {
            None => self.one_way(&rows)?,
            Some(inner) => {
                let layout = Layout::read(&rows, [&self.group, inner], &self.value)?;
                if self.nested {
                    self.nested(&rows, &layout)?
                } else {
                    self.crossed(&rows, &layout.crossed(&rows)?)?
                }
            }
        };
        Ok(Sheet {
            title: Text::new("Analysis of variance", "方差分析"),
            method: "JCGM 100:2008, H.5; components by mean squares, degrees of freedom by \
                     Satterthwaite",
            facts: mean_facts(&found.mean),
            tables: vec![anova_grid(&found.table), component_grid(&found.components)],
            remarks: rows.remarks(),
            result: found.result,
            diagram: found.diagram,
        })
    }

    fn one_way(&self, rows: &Rows) -> Result<Analysed, Failure> {
        let (names, groups) = named_groups(rows, &self.group, &self.value)?;
        let found = one_way(&groups).map_err(|error| rows.refuse(&error))?;
        let components = [&found.component_between, &found.component_within];
        Ok(Analysed {
            table: one_way_table(&found),
            components: components.map(Clone::clone).to_vec(),
            mean: found.mean_of_groups.clone(),
            result: json!(found),
            diagram: by_group(picture(), &self.value, &names, &groups),
        })
    }

    fn nested(&self, rows: &Rows, layout: &Layout) -> Result<Analysed, Failure> {
        let found = nested(&layout.cells).map_err(|error| rows.refuse(&error))?;
        Ok(Analysed {
            table: nested_table(&found),
            components: nested_components(&found),
            mean: found.mean_of_groups.clone(),
            result: json!(found),
            diagram: layout.diagram(picture(), &self.value),
        })
    }

    fn crossed(&self, rows: &Rows, layout: &Layout) -> Result<Analysed, Failure> {
        let effects = match self.levels {
            Levels::Random => Effects::Random,
            Levels::Fixed => Effects::Fixed,
        };
        let found = crossed(&layout.cells, effects).map_err(|error| rows.refuse(&error))?;
        Ok(Analysed {
            table: crossed_table(&found),
            components: found.components.clone(),
            mean: found.grand_mean.clone(),
            result: json!(found),
            diagram: layout.diagram(picture(), &self.value),
        })
    }
}

fn picture() -> Text {
    Text::new("Readings and means of the groups", "各组读数与平均值")
}

/// The values of each label of a column, with the labels.
fn named_groups(
    rows: &Rows,
    column: &str,
    value: &str,
) -> Result<(Vec<String>, Vec<Vec<f64>>), Failure> {
    let values = rows.numbers(value)?;
    let groups = grouped(&rows.labels(column)?, &values);
    let owned = groups
        .into_iter()
        .map(|(name, members)| (name.to_owned(), members));
    Ok(owned.unzip())
}

fn mean_facts(mean: &GrandMean) -> Vec<(Text, Cell)> {
    vec![
        (Text::new("mean", "平均值"), Cell::Beside(mean.mean, mean.u)),
        (
            Text::new(
                "its standard uncertainty with all effects",
                "其标准不确定度 (含全部效应)",
            ),
            Cell::Uncertainty(mean.u),
        ),
        (
            Text::new("degrees of freedom", "自由度"),
            Cell::Dof(mean.dof),
        ),
    ]
}

fn one_way_table(found: &OneWay) -> Vec<AnovaRow> {
    [&found.between, &found.within, &found.total]
        .map(Clone::clone)
        .to_vec()
}

fn nested_table(found: &Nested) -> Vec<AnovaRow> {
    [&found.outer, &found.inner, &found.within, &found.total]
        .map(Clone::clone)
        .to_vec()
}

fn nested_components(found: &Nested) -> Vec<Component> {
    [
        &found.component_outer,
        &found.component_inner,
        &found.component_within,
    ]
    .map(Clone::clone)
    .to_vec()
}

fn crossed_table(found: &Crossed) -> Vec<AnovaRow> {
    let rows = [Some(&found.a), Some(&found.b), found.interaction.as_ref()];
    let rest = [Some(&found.within), Some(&found.total)];
    rows.into_iter().chain(rest).flatten().cloned().collect()
}

fn source(source: Source) -> Text {
    match source {
        Source::Between => Text::new("between groups", "组间"),
        Source::BetweenInner => Text::new("between inner groups", "内层组间"),
        Source::A => Text::new("first factor", "第一因素"),
        Source::B => Text::new("second factor", "第二因素"),
        Source::Interaction => Text::new("interaction", "交互作用"),
        Source::Within => Text::new("within groups", "组内"),
        Source::Total => Text::new("total", "总和"),
    }
}

fn anova_grid(rows: &[AnovaRow]) -> Grid {
    let row = |row: &AnovaRow| {
        let test = row.test.as_ref();
        vec![
            Cell::Word(source(row.source)),
            Cell::Number(row.sum_of_squares),
            Cell::Dof(row.dof),
            Cell::Number(row.mean_square),
            test.map_or(Cell::None, |test| Cell::Number(test.f)),
            test.map_or(Cell::None, |test| Cell::Uncertainty(test.p)),
        ]
    };
    Grid {
        heads: vec![
            Text::new("source", "来源"),
            Text::new("sum of squares", "平方和"),
            Text::same("ν"),
            Text::new("mean square", "均方"),
            Text::same("F"),
            Text::same("p"),
        ],
        rows: rows.iter().map(row).collect(),
    }
}

fn component_grid(components: &[Component]) -> Grid {
    let row = |one: &Component| {
        vec![
            Cell::Word(source(one.source)),
            Cell::Number(one.estimate),
            Cell::Uncertainty(one.sd),
            one.dof.map_or(Cell::None, Cell::Dof),
        ]
    };
    Grid {
        heads: vec![
            Text::new("component of variance", "方差分量"),
            Text::new("estimate", "估计值"),
            Text::new("standard deviation", "标准偏差"),
            Text::same("ν"),
        ],
        rows: components.iter().map(row).collect(),
    }
}

#[derive(Args)]
pub struct Gauge {
    #[command(flatten)]
    pub data: Data,
    /// Column of the readings
    #[arg(long)]
    value: String,
    /// Column of the parts
    #[arg(long)]
    part: String,
    /// Column of the appraisers
    #[arg(long)]
    appraiser: String,
    /// Width between the limits of tolerance
    #[arg(long, value_name = "WIDTH")]
    tolerance: Option<f64>,
    /// Each appraiser measured parts of their own
    #[arg(long)]
    nested: bool,
    #[command(flatten)]
    pub given: Given,
}

impl Gauge {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let rows = self
            .data
            .rows(&[&self.value, &self.part, &self.appraiser])?;
        let refuse = |error: heng_uncertainty::StudyError| rows.refuse(&error);
        let (layout, study) = if self.nested {
            let layout = Layout::read(&rows, [&self.appraiser, &self.part], &self.value)?;
            let study = gauge_study_nested(&layout.cells, self.tolerance).map_err(refuse)?;
            (layout, study)
        } else {
            let layout = Layout::read(&rows, [&self.part, &self.appraiser], &self.value)?;
            let layout = layout.crossed(&rows)?;
            let study = gauge_study(&layout.cells, self.tolerance).map_err(refuse)?;
            (layout, study)
        };
        let table = match &study.table {
            StudyTable::Crossed { full, .. } => crossed_table(full),
            StudyTable::Nested(nested) => nested_table(nested),
        };
        let mut remarks = rows.remarks();
        if let StudyTable::Crossed {
            pooled: Some(_), ..
        } = &study.table
        {
            remarks.push(Text::new(
                "the interaction is not significant (p > 0.25): it counts as repetition",
                "交互作用不显著 (p > 0.25): 并入重复性",
            ));
        }
        let categories = study.distinct_categories;
        Ok(Sheet {
            title: Text::new("Study of a measurement system", "测量系统分析"),
            method: "AIAG Measurement Systems Analysis, 4th edition, method of analysis of variance",
            facts: vec![(
                Text::new("distinct categories", "可区分类别数"),
                categories.map_or(Cell::None, |count| Cell::Count(u64::from(count))),
            )],
            tables: vec![shares(&study), anova_grid(&table)],
            remarks,
            result: json!(study),
            diagram: layout.diagram(Text::new("Readings and means", "读数与平均值"), &self.value),
        })
    }
}

fn shares(study: &GaugeStudy) -> Grid {
    let rows: [(Text, Option<&StudyShare>); 6] = [
        (
            Text::new("repeatability (EV)", "重复性 (EV)"),
            Some(&study.repeatability),
        ),
        (
            Text::new("reproducibility (AV)", "再现性 (AV)"),
            Some(&study.reproducibility),
        ),
        (
            Text::new("interaction", "交互作用"),
            study.interaction.as_ref(),
        ),
        (
            Text::new("gauge (GRR)", "测量系统 (GRR)"),
            Some(&study.gauge),
        ),
        (Text::new("parts (PV)", "零件 (PV)"), Some(&study.part)),
        (Text::new("total (TV)", "总变差 (TV)"), Some(&study.total)),
    ];
    let row = |(name, share): (Text, &StudyShare)| {
        vec![
            Cell::Word(name),
            Cell::Uncertainty(share.sd),
            Cell::Uncertainty(share.of_total_pct),
            Cell::Uncertainty(share.of_variance_pct),
            share.of_tolerance_pct.map_or(Cell::None, Cell::Uncertainty),
        ]
    };
    Grid {
        heads: vec![
            Text::new("source", "来源"),
            Text::new("standard deviation", "标准偏差"),
            Text::new("% of total", "占总变差 %"),
            Text::new("% of variance", "占方差 %"),
            Text::new("% of tolerance", "占公差 %"),
        ],
        rows: rows
            .into_iter()
            .filter_map(|(name, share)| Some(row((name, share?))))
            .collect(),
    }
}

#[derive(Args)]
pub struct PrecisionArguments {
    #[command(flatten)]
    pub data: Data,
    /// Column of the laboratories
    #[arg(long)]
    laboratory: String,
    /// Column of the results
    #[arg(long)]
    value: String,
    #[command(flatten)]
    pub given: Given,
}

impl PrecisionArguments {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let rows = self.data.rows(&[&self.laboratory, &self.value])?;
        let (names, groups) = named_groups(&rows, &self.laboratory, &self.value)?;
        let found = precision(&groups).map_err(|error| rows.refuse(&error))?;
        let mut remarks = rows.remarks();
        remarks.extend(extremes(&found, &names));
        Ok(Sheet {
            title: Text::new("Precision of a method", "测量方法的精密度"),
            method: "ISO 5725-2:2019",
            facts: vec![
                (
                    Text::new("general mean", "总平均值"),
                    Cell::Beside(found.anova.mean_of_all.mean, found.anova.mean_of_all.u),
                ),
                (
                    Text::new("repeatability standard deviation", "重复性标准差"),
                    Cell::Uncertainty(found.s_r),
                ),
                (
                    Text::new("standard deviation between laboratories", "实验室间标准差"),
                    Cell::Uncertainty(found.s_l),
                ),
                (
                    Text::new("reproducibility standard deviation", "再现性标准差"),
                    Cell::Uncertainty(found.s_reproducibility),
                ),
            ],
            tables: vec![mandel(&found, &names)],
            remarks,
            result: json!(found),
            diagram: by_group(
                Text::new("Results of the laboratories", "各实验室结果"),
                &self.value,
                &names,
                &groups,
            ),
        })
    }
}

fn standing(standing: Standing) -> Text {
    match standing {
        Standing::Correct => Text::new("correct", "正常"),
        Standing::Straggler => Text::new("straggler", "歧离"),
        Standing::Outlier => Text::new("outlier", "离群"),
    }
}

fn extremes(found: &Precision, names: &[String]) -> Vec<Text> {
    let tests: [(&str, &str, Option<&ExtremeTest>); 3] = [
        (
            "Cochran, largest variance",
            "Cochran, 最大方差",
            Some(&found.cochran),
        ),
        (
            "Grubbs, smallest mean",
            "Grubbs, 最小平均值",
            found.grubbs_smallest.as_ref(),
        ),
        (
            "Grubbs, largest mean",
            "Grubbs, 最大平均值",
            found.grubbs_largest.as_ref(),
        ),
    ];
    let flagged = tests.into_iter().filter_map(|(en, zh, test)| {
        let test = test.filter(|test| test.standing != Standing::Correct)?;
        let (name, verdict) = (&names[test.laboratory], standing(test.standing));
        let numbers = format!(
            "{:.3} ({:.3}, {:.3})",
            test.statistic, test.critical[0], test.critical[1]
        );
        Some(Text::new(
            &format!("{en}: {name} is a {}: {numbers}", verdict.en),
            &format!("{zh}: {name} {}: {numbers}", verdict.zh),
        ))
    });
    flagged.collect()
}

fn mandel(found: &Precision, names: &[String]) -> Grid {
    let anova = &found.anova;
    let rows = names.iter().enumerate().map(|(at, name)| {
        let one = found.mandel.get(at);
        let worst = one.map(|one| {
            let h = one.h_standing;
            match one.k_standing {
                Some(k) if h == Standing::Correct || k == Standing::Outlier => k,
                _ => h,
            }
        });
        vec![
            Cell::name(name),
            Cell::count(anova.n[at]),
            Cell::Beside(anova.means[at], found.s_r),
            one.map_or(Cell::None, |one| Cell::Uncertainty(one.h)),
            one.and_then(|one| one.k)
                .map_or(Cell::None, Cell::Uncertainty),
            worst.map_or(Cell::None, |one| Cell::Word(standing(one))),
        ]
    });
    Grid {
        heads: vec![
            Text::new("laboratory", "实验室"),
            Text::same("n"),
            Text::new("mean", "平均值"),
            Text::new("Mandel h", "曼德尔 h"),
            Text::new("Mandel k", "曼德尔 k"),
            Text::new("standing", "判定"),
        ],
        rows: rows.collect(),
    }
}

#[derive(Args)]
pub struct Standard {
    #[command(flatten)]
    pub data: Data,
    /// Column of the readings
    #[arg(long)]
    value: String,
    /// Column of the group, such as the day: stability of a new standard from 4 groups or more;
    /// without it, repeatability from 10 readings or more
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// What the standard deviation, or the change, must not exceed
    #[arg(long)]
    limit: Option<f64>,
    /// Mean of the year before: stability of an existing standard from the readings of this year
    #[arg(long, conflicts_with = "group", allow_negative_numbers = true)]
    last: Option<f64>,
    #[command(flatten)]
    pub given: Given,
}

impl Standard {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let mut needed = vec![self.value.as_str()];
        needed.extend(self.group.as_deref());
        let rows = self.data.rows(&needed)?;
        let (names, groups) = match &self.group {
            Some(column) => named_groups(&rows, column, &self.value)?,
            None => (vec![self.value.clone()], vec![rows.numbers(&self.value)?]),
        };
        let mut remarks = rows.remarks();
        let (fact, result) = match (&self.group, self.last) {
            (None, None) => {
                let found = standard_repeatability(&groups[0], self.limit)
                    .map_err(|error| rows.refuse(&error))?;
                remarks.extend(repeatability_verdict(found.passed));
                let fact = (
                    Text::new("repeatability", "重复性"),
                    Cell::Uncertainty(found.readings.s),
                );
                (fact, json!({"repeatability": found}))
            }
            (_, last) => {
                let found = standard_stability(&evidence(&groups, last), self.limit)
                    .map_err(|error| rows.refuse(&error))?;
                remarks.push(found.statement.clone());
                let fact = (
                    Text::new("change", "变化量"),
                    found.change.map_or(Cell::None, Cell::Uncertainty),
                );
                (fact, json!({"stability": found}))
            }
        };
        Ok(Sheet {
            title: Text::new(
                "Repeatability and stability of a standard",
                "计量标准的重复性与稳定性",
            ),
            method: "JJF 1033",
            facts: [Some(fact), self.limit.map(limit_fact)]
                .into_iter()
                .flatten()
                .collect(),
            tables: Vec::new(),
            remarks,
            result,
            diagram: by_group(picture(), &self.value, &names, &groups),
        })
    }
}

fn limit_fact(limit: f64) -> (Text, Cell) {
    (Text::new("limit", "限值"), Cell::Number(limit))
}

fn evidence(groups: &[Vec<f64>], last: Option<f64>) -> StabilityEvidence {
    let mean = |group: &Vec<f64>| group.iter().sum::<f64>() / group.len() as f64;
    match last {
        Some(last) => StabilityEvidence::Existing {
            last,
            this: mean(&groups[0]),
        },
        None => StabilityEvidence::New {
            means: groups.iter().map(mean).collect(),
        },
    }
}

fn repeatability_verdict(passed: Option<bool>) -> Option<Text> {
    passed.map(|passed| {
        if passed {
            Text::new("the repeatability is within the limit", "重复性符合要求")
        } else {
            Text::new("the repeatability exceeds the limit", "重复性超出要求")
        }
    })
}
