//! Control charts of check standards.

use clap::{Args, ValueEnum};
use heng_certificates::{Diagram, Layer, Mark, Style};
use heng_quantities::Text;
use heng_uncertainty::{
    Baseline, Chart, ChartError, ChartLimits, Cusum, EwmaLimits, RunRule, Side, Signal, cusum,
    ewma, individuals, runs, s_chart,
};
use serde_json::{Value, json};

use super::data::Data;
use super::sheet::{Cell, Grid, Sheet};
use super::{Given, probability};
use crate::cli::{Exit, Failure};

#[derive(Args)]
pub struct ChartArguments {
    #[command(flatten)]
    pub data: Data,
    /// Column of the values, in the order of time; for the chart of scatter the standard
    /// deviations within each run
    #[arg(long)]
    value: String,
    /// Column that names the values, such as a date
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Which chart
    #[arg(long, value_enum, default_value_t = Kind::Individuals)]
    kind: Kind,
    /// How many values from the first are the baseline; all, where it is left out
    #[arg(long, value_name = "N")]
    baseline: Option<usize>,
    /// Standard deviation of the baseline from moving ranges
    #[arg(long)]
    moving_range: bool,
    /// Centre line that is known instead of found; with --known-s
    #[arg(
        long,
        value_name = "X",
        requires = "known_s",
        allow_negative_numbers = true
    )]
    known_mean: Option<f64>,
    /// Standard deviation that is known instead of found; with --known-mean
    #[arg(long, value_name = "S", requires = "known_mean")]
    known_s: Option<f64>,
    /// Width of the limits in standard deviations
    #[arg(long, default_value_t = 3.0)]
    sigma: f64,
    /// Limits of this probability: of the t distribution for single values, of F for scatter
    #[arg(long, value_name = "P", value_parser = probability)]
    probability: Option<f64>,
    /// Weight of the newest value of the moving average
    #[arg(long, default_value_t = 0.2)]
    lambda: f64,
    /// Allowance of the cumulative sums in standard deviations
    #[arg(long, default_value_t = 0.5)]
    allowance: f64,
    /// Decision limit of the cumulative sums in standard deviations
    #[arg(long, default_value_t = 5.0)]
    decision: f64,
    /// Degrees of freedom of each standard deviation within a run
    #[arg(long, value_name = "DOF", required_if_eq("kind", "scatter"))]
    dof: Option<f64>,
    /// Rules for runs of single values
    #[arg(long, value_enum)]
    rules: Option<Rules>,
    #[command(flatten)]
    pub given: Given,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Single values with limits
    Individuals,
    /// Exponentially weighted moving average: small lasting shifts
    Ewma,
    /// Cumulative sums: small lasting shifts
    Cusum,
    /// Standard deviations within runs against the pooled one
    Scatter,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rules {
    /// The four rules of the Western Electric handbook
    WesternElectric,
    /// The eight tests of Nelson
    Nelson,
}

/// A chart of any kind as it is shown.
struct Shown {
    statistic: Vec<f64>,
    /// The second sum of a CUSUM chart.
    below: Option<Vec<f64>>,
    centre: f64,
    lower: Option<Vec<f64>>,
    upper: Vec<f64>,
    signals: Vec<Signal>,
    baseline: Option<Baseline>,
    result: Value,
}

impl ChartArguments {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        if self.rules.is_some() && self.kind != Kind::Individuals {
            let message = "--rules goes with --kind individuals: leave it out here";
            return Err(Failure::new(Exit::Usage, &message));
        }
        let mut needed = vec![self.value.as_str()];
        needed.extend(self.label.as_deref());
        let rows = self.data.rows(&needed)?;
        let values = rows.numbers(&self.value)?;
        let labels: Vec<String> = match &self.label {
            Some(column) => rows
                .labels(column)?
                .into_iter()
                .map(str::to_owned)
                .collect(),
            None => (1..=values.len())
                .map(|number| number.to_string())
                .collect(),
        };
        let past = self.baseline.unwrap_or(values.len());
        if past > values.len() {
            let message = format!(
                "--baseline {past}: there are {} values; take as many or fewer",
                values.len()
            );
            return Err(Failure::new(Exit::Usage, &message));
        }
        let shown = self
            .shown(&values, past)
            .map_err(|error| rows.refuse(&error))?;
        let mut remarks = rows.remarks();
        if self.baseline.is_none() && self.known_mean.is_none() {
            remarks.push(Text::new(
                "all values are the baseline: a change among them widens the limits; state the \
                 time in control with --baseline",
                "全部数值都作为基线: 其中的变化会放宽控制限; 请用 --baseline 给出受控时段",
            ));
        }
        Ok(Sheet {
            title: Text::new("Control chart of a check standard", "核查标准控制图"),
            method: self.method(),
            facts: facts(&shown, past),
            tables: vec![self.table(&shown, &values, &labels)],
            remarks,
            result: shown.result.clone(),
            diagram: self.diagram(&shown, past),
        })
    }

    const fn method(&self) -> &'static str {
        match self.kind {
            Kind::Individuals => "NIST/SEMATECH e-Handbook of Statistical Methods, 2.2.2.1",
            Kind::Ewma => "NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4",
            Kind::Cusum => "NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.3",
            Kind::Scatter => "NIST/SEMATECH e-Handbook of Statistical Methods, 2.2.3.1",
        }
    }

    fn known_or_found(&self, past: &[f64]) -> Result<Baseline, ChartError> {
        match (self.known_mean, self.known_s) {
            (Some(mean), Some(s)) => Baseline::known(mean, s, f64::INFINITY),
            _ if self.moving_range => Baseline::of_moving_ranges(past),
            _ => Baseline::of(past),
        }
    }

    fn shown(&self, values: &[f64], past: usize) -> Result<Shown, ChartError> {
        if self.kind == Kind::Scatter {
            let p = self.probability.unwrap_or(0.99);
            let chart = s_chart(values, self.dof.unwrap_or(f64::NAN), past, p)?;
            let result = json!({"chart": chart});
            return Ok(Shown {
                lower: None,
                ..Shown::of(chart, None, result)
            });
        }
        let baseline = self.known_or_found(&values[..past])?;
        match self.kind {
            Kind::Individuals => {
                let limits = self
                    .probability
                    .map_or(ChartLimits::Sigma(self.sigma), ChartLimits::Student);
                let mut chart = individuals(values, &baseline, limits)?;
                let rules = match self.rules {
                    None => &[][..],
                    Some(Rules::WesternElectric) => RunRule::WESTERN_ELECTRIC,
                    Some(Rules::Nelson) => RunRule::NELSON,
                };
                // The limits of the chart are its own rule for single values.
                let patterns = runs(values, &baseline, rules)?.into_iter();
                chart
                    .signals
                    .extend(patterns.filter(|one| one.rule != Some(RunRule::BeyondThreeSigma)));
                chart.signals.sort_by_key(|signal| signal.index);
                let result = json!({"baseline": baseline, "chart": chart});
                Ok(Shown::of(chart, Some(baseline), result))
            }
            Kind::Ewma => {
                let limits = EwmaLimits::Exact;
                let chart = ewma(values, &baseline, self.lambda, self.sigma, limits)?;
                let result = json!({"baseline": baseline, "lambda": self.lambda, "chart": chart});
                Ok(Shown::of(chart, Some(baseline), result))
            }
            Kind::Cusum | Kind::Scatter => {
                let found = cusum(values, &baseline, self.allowance, self.decision)?;
                Ok(Shown::of_sums(found, baseline))
            }
        }
    }

    fn table(&self, shown: &Shown, values: &[f64], labels: &[String]) -> Grid {
        let s = shown.baseline.as_ref().map_or(shown.centre, |one| one.s);
        let mut heads = vec![
            Text::new("value no.", "序号"),
            Text::same(self.label.as_deref().unwrap_or("label")),
            Text::same(&self.value),
            Text::new("statistic", "统计量"),
            Text::new("lower limit", "下限"),
            Text::new("upper limit", "上限"),
            Text::new("signal", "信号"),
        ];
        let rows = (0..values.len()).map(|at| {
            let found = shown.signals.iter().filter(|signal| signal.index == at);
            let words: Vec<Text> = found.map(|signal| word(*signal)).collect();
            let join = |of: fn(&Text) -> &str| words.iter().map(of).collect::<Vec<_>>().join(", ");
            let statistic = match &shown.below {
                Some(below) if below[at] > shown.statistic[at] => -below[at],
                _ => shown.statistic[at],
            };
            vec![
                Cell::count(at + 1),
                Cell::name(&labels[at]),
                Cell::Beside(values[at], s),
                Cell::Beside(statistic, s),
                shown
                    .lower
                    .as_ref()
                    .map_or(Cell::None, |lower| Cell::Beside(lower[at], s)),
                Cell::Beside(shown.upper[at], s),
                Cell::Word(Text::new(&join(|text| &text.en), &join(|text| &text.zh))),
            ]
        });
        let mut rows: Vec<_> = rows.collect();
        if self.label.is_none() {
            heads.remove(1);
            for row in &mut rows {
                row.remove(1);
            }
        }
        Grid { heads, rows }
    }

    fn diagram(&self, shown: &Shown, past: usize) -> Diagram {
        let place = |at: usize| at as f64 + 1.0;
        let line = |values: &[f64]| {
            let points = values.iter().enumerate();
            points.map(|(at, &y)| (place(at), y)).collect::<Vec<_>>()
        };
        let last = place(shown.statistic.len().saturating_sub(1));
        let layer = |name: Text, style, mark| Layer { name, style, mark };
        let nameless = || Text::same("");
        let mut layers = vec![
            layer(
                Text::new("baseline", "基线时段"),
                Style::Series(2),
                Mark::Stretches(vec![(0.5, past as f64 + 0.5)]),
            ),
            layer(
                Text::new("centre", "中心线"),
                Style::Pale,
                Mark::Line(vec![(1.0, shown.centre), (last, shown.centre)]),
            ),
            layer(
                Text::new("limits", "控制限"),
                Style::Limit,
                Mark::Line(line(&shown.upper)),
            ),
        ];
        if let Some(lower) = &shown.lower {
            layers.push(layer(nameless(), Style::Limit, Mark::Line(line(lower))));
        }
        let mut beyond: Vec<(f64, f64)> = Vec::new();
        for signal in &shown.signals {
            let at = signal.index;
            let y = match (&shown.below, signal.side) {
                (Some(below), Side::Below) => -below[at],
                _ => shown.statistic[at],
            };
            beyond.push((place(at), y));
        }
        layers.push(layer(
            Text::new("signals", "信号"),
            Style::Signal,
            Mark::Points(beyond),
        ));
        layers.push(layer(
            nameless(),
            Style::Series(0),
            Mark::Points(line(&shown.statistic)),
        ));
        if let Some(below) = &shown.below {
            let below: Vec<f64> = below.iter().map(|sum| -sum).collect();
            layers.push(layer(
                nameless(),
                Style::Series(1),
                Mark::Points(line(&below)),
            ));
        }
        Diagram {
            title: Text::new("Control chart", "控制图"),
            x_label: Text::new("number of the value", "数值序号"),
            y_label: Text::same(&self.value),
            x_names: Vec::new(),
            layers,
        }
    }
}

impl Shown {
    fn of(chart: Chart, baseline: Option<Baseline>, result: Value) -> Self {
        Self {
            statistic: chart.statistic,
            below: None,
            centre: chart.centre,
            lower: Some(chart.lower),
            upper: chart.upper,
            signals: chart.signals,
            baseline,
            result,
        }
    }

    fn of_sums(found: Cusum, baseline: Baseline) -> Self {
        let result = json!({"baseline": baseline, "cusum": found});
        let n = found.above.len();
        Self {
            statistic: found.above,
            below: Some(found.below),
            centre: 0.0,
            lower: Some(vec![-found.limit; n]),
            upper: vec![found.limit; n],
            signals: found.signals,
            baseline: Some(baseline),
            result,
        }
    }
}

fn facts(shown: &Shown, past: usize) -> Vec<(Text, Cell)> {
    let mut facts = Vec::new();
    if let Some(baseline) = &shown.baseline {
        facts.extend([
            (
                Text::new("centre line", "中心线"),
                Cell::Beside(baseline.mean, baseline.s),
            ),
            (
                Text::new("standard deviation", "标准偏差"),
                Cell::Uncertainty(baseline.s),
            ),
            (
                Text::new("its degrees of freedom", "其自由度"),
                Cell::Dof(baseline.dof),
            ),
        ]);
    } else {
        facts.push((
            Text::new("pooled standard deviation", "合并标准偏差"),
            Cell::Uncertainty(shown.centre),
        ));
    }
    facts.push((
        Text::new("values of the baseline", "基线数值个数"),
        Cell::count(past),
    ));
    let (inside, later): (Vec<&Signal>, Vec<&Signal>) =
        shown.signals.iter().partition(|signal| signal.index < past);
    facts.push((
        Text::new("signals in the baseline", "基线内的信号"),
        Cell::count(inside.len()),
    ));
    facts.push((
        Text::new("signals after the baseline", "基线后的信号"),
        Cell::count(later.len()),
    ));
    facts
}

/// A signal in words.
fn word(signal: Signal) -> Text {
    let (en, zh) = match signal.side {
        Side::Above => ("above", "高于"),
        Side::Below => ("below", "低于"),
        Side::Both => ("pattern", "模式"),
    };
    let Some(rule) = signal.rule else {
        return Text::new(&format!("{en} the limit"), &format!("{zh}控制限"));
    };
    let (rule_en, rule_zh) = match rule {
        RunRule::BeyondThreeSigma => ("beyond 3 s", "超出 3 s"),
        RunRule::NineOnOneSide => ("9 on one side", "连续 9 点同侧"),
        RunRule::EightOnOneSide => ("8 on one side", "连续 8 点同侧"),
        RunRule::SixTrending => ("6 rising or falling", "连续 6 点递增或递减"),
        RunRule::FourteenAlternating => ("14 alternating", "连续 14 点交替"),
        RunRule::TwoOfThreeBeyondTwoSigma => ("2 of 3 beyond 2 s", "3 点中 2 点超出 2 s"),
        RunRule::FourOfFiveBeyondOneSigma => ("4 of 5 beyond 1 s", "5 点中 4 点超出 1 s"),
        RunRule::FifteenWithinOneSigma => ("15 within 1 s", "连续 15 点在 1 s 内"),
        RunRule::EightOutsideOneSigma => ("8 outside 1 s", "连续 8 点在 1 s 外"),
    };
    Text::new(&format!("{rule_en} ({en})"), &format!("{rule_zh} ({zh})"))
}
