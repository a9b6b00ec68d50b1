//! Intervals between calibrations: from the share of items in tolerance, from one calibration,
//! and from the drift of a history.

use clap::Args;
use heng_certificates::{Diagram, Layer, Mark, Style};
use heng_quantities::Text;
use heng_uncertainty::{
    Drift, DriftInterval, RecalibrationError, Staircase, StopRule, attributes_interval,
};
use serde_json::json;

use super::data::Data;
use super::sheet::{Cell, Grid, Sheet};
use super::{Given, probability};
use crate::cli::{Exit, Failure};

/// Places of the predicted curve in the picture.
const PLACES: u32 = 200;

#[derive(Args)]
pub struct DriftArguments {
    #[command(flatten)]
    pub data: Data,
    /// Column of the days since the calibration before
    #[arg(long)]
    days: String,
    /// Column of the deviations then found
    #[arg(long)]
    deviation: String,
    /// Degree of the polynomial through the origin
    #[arg(long, default_value_t = 1)]
    degree: u32,
    /// Value at the last calibration
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    start: f64,
    /// Standard uncertainty of the last calibration
    #[arg(long, value_name = "U")]
    u_start: f64,
    /// Ends the interval when the standard uncertainty reaches this
    #[arg(long, value_name = "U")]
    u_limit: Option<f64>,
    /// Ends the interval when the value with its expanded uncertainty reaches this from above
    #[arg(long, allow_negative_numbers = true)]
    low: Option<f64>,
    /// Ends the interval when the value with its expanded uncertainty reaches this from below
    #[arg(long, allow_negative_numbers = true)]
    high: Option<f64>,
    /// Probability of the coverage factor
    #[arg(long, default_value_t = 0.95, value_parser = probability)]
    confidence: f64,
    /// Longest interval that is considered, in days
    #[arg(long, value_name = "DAYS", default_value_t = 3650.0)]
    horizon: f64,
    #[command(flatten)]
    pub given: Given,
}

impl DriftArguments {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let rows = self.data.rows(&[&self.days, &self.deviation])?;
        let days = rows.numbers(&self.days)?;
        let deviations = rows.numbers(&self.deviation)?;
        let longest = days.iter().copied().fold(0.0, f64::max);
        let refuse = |error: RecalibrationError| rows.refuse(&error);
        let drift = Drift::fit(&days, &deviations, self.degree, self.start, self.u_start)
            .map_err(refuse)?;
        let mut found = Vec::new();
        for (name, rule) in self.rules()? {
            let interval = drift
                .interval(rule, longest, self.horizon)
                .map_err(refuse)?;
            found.push((name, rule, interval));
        }
        let mut remarks = rows.remarks();
        if found.iter().any(|(.., interval)| interval.extrapolated) {
            remarks.push(Text::new(
                "the interval ends beyond the history: the drift is extrapolated",
                "间隔超出历史数据: 漂移为外推",
            ));
        }
        if found.iter().any(|(.., one)| one.interval_d == Some(0.0)) {
            remarks.push(Text::new(
                "the rule stops at the start already: there is no interval",
                "起始时即已超限: 没有可用的间隔",
            ));
        }
        let results = found.iter().map(
            |(name, rule, interval)| json!({"rule": name.en, "stop": rule, "interval": interval}),
        );
        Ok(Sheet {
            title: Text::new("Recalibration interval from drift", "由漂移确定的校准间隔"),
            method: "ILAC-G24:2022/OIML D 10:2022; NASA-HDBK-8739.19-5 (variables data)",
            facts: drift
                .fit
                .parameters
                .iter()
                .zip(&drift.fit.estimates)
                .map(|(name, &estimate)| (Text::same(name), Cell::Number(estimate)))
                .chain([(
                    Text::new("residual standard deviation", "残余标准偏差"),
                    drift.fit.s.map_or(Cell::None, Cell::Uncertainty),
                )])
                .collect(),
            tables: vec![table(&found)],
            remarks,
            result: json!({"drift": drift, "intervals": results.collect::<Vec<_>>()}),
            diagram: self.diagram(&drift, &days, &deviations, &found)?,
        })
    }

    fn rules(&self) -> Result<Vec<(Text, StopRule)>, Failure> {
        let mut rules = Vec::new();
        if let Some(u) = self.u_limit {
            rules.push((
                Text::new("standard uncertainty", "标准不确定度"),
                StopRule::Uncertainty(u),
            ));
        }
        if self.low.is_some() || self.high.is_some() {
            rules.push((
                Text::new("value within its limits", "值在限内"),
                StopRule::Reliability {
                    limits: [
                        self.low.unwrap_or(f64::NEG_INFINITY),
                        self.high.unwrap_or(f64::INFINITY),
                    ],
                    confidence: self.confidence,
                },
            ));
        }
        if rules.is_empty() {
            let message = "state when the interval ends: --u-limit, or --low and --high";
            return Err(Failure::new(Exit::Usage, &message));
        }
        Ok(rules)
    }

    /// Deviations found, the predicted value with its standard uncertainty, and the ends.
    fn diagram(
        &self,
        drift: &Drift,
        days: &[f64],
        deviations: &[f64],
        found: &[(Text, StopRule, DriftInterval)],
    ) -> Result<Diagram, Failure> {
        let ends = found.iter().filter_map(|(.., one)| one.interval_d);
        let ends: Vec<f64> = ends.collect();
        let last = days.iter().chain(&ends).copied().fold(0.0, f64::max);
        let (mut middle, mut below, mut above) = (Vec::new(), Vec::new(), Vec::new());
        for place in 0..=PLACES {
            let day = last * f64::from(place) / f64::from(PLACES);
            let [value, u] = drift
                .predict(day)
                .map_err(|error| Failure::new(Exit::Input, &error))?;
            middle.push((day, value));
            below.push((day, value - u));
            above.push((day, value + u));
        }
        let points = days.iter().zip(deviations);
        let points = points.map(|(&day, &deviation)| (day, self.start + deviation));
        let layer = |name: Text, style, mark| Layer { name, style, mark };
        let mut layers = vec![
            layer(
                Text::new("found", "实测"),
                Style::Series(0),
                Mark::Points(points.collect()),
            ),
            layer(
                Text::new("predicted", "预测"),
                Style::Series(1),
                Mark::Line(middle),
            ),
            layer(Text::new("± u", "± u"), Style::Dashed(1), Mark::Line(below)),
            layer(Text::same(""), Style::Dashed(1), Mark::Line(above)),
            layer(
                Text::new("end of the interval", "间隔终点"),
                Style::Series(2),
                Mark::Verticals(ends),
            ),
        ];
        let limits = [self.low, self.high].into_iter().flatten();
        layers.extend(limits.map(|y| {
            layer(
                Text::same(""),
                Style::Limit,
                Mark::Line(vec![(0.0, y), (last, y)]),
            )
        }));
        Ok(Diagram {
            title: Text::new("Drift since calibration", "校准后的漂移"),
            x_label: Text::new("days", "天"),
            y_label: Text::same(&self.deviation),
            x_names: Vec::new(),
            layers,
        })
    }
}

fn table(found: &[(Text, StopRule, DriftInterval)]) -> Grid {
    let row = |(name, _, one): &(Text, StopRule, DriftInterval)| {
        vec![
            Cell::Word(name.clone()),
            one.interval_d.map_or_else(
                || Cell::Word(Text::new("beyond the horizon", "超出考察期")),
                |days| Cell::Beside(days, 10.0),
            ),
            Cell::Beside(one.value, one.u),
            Cell::Uncertainty(one.u),
            one.k.map_or(Cell::None, Cell::Uncertainty),
        ]
    };
    Grid {
        heads: vec![
            Text::new("ends by", "终止条件"),
            Text::new("days", "天数"),
            Text::new("value then", "届时的值"),
            Text::same("u"),
            Text::same("k"),
        ],
        rows: found.iter().map(row).collect(),
    }
}

#[derive(Args)]
pub struct IntervalArguments {
    /// Present interval in days
    #[arg(long)]
    days: f64,
    /// Calibrations that found the items in tolerance; with --of
    #[arg(long, requires = "of", conflicts_with = "deviation")]
    pass: Option<u32>,
    /// Number of calibrations
    #[arg(long, requires = "pass")]
    of: Option<u32>,
    /// Wanted share of items in tolerance
    #[arg(long, default_value_t = 0.95)]
    target: f64,
    /// Confidence that the evidence must reach before the interval changes
    #[arg(long, default_value_t = 0.5)]
    confidence: f64,
    /// Deviation that the last calibration found; with --limit
    #[arg(
        long,
        requires = "limit",
        required_unless_present = "pass",
        allow_negative_numbers = true
    )]
    deviation: Option<f64>,
    /// Limit of the deviation
    #[arg(long, requires = "deviation")]
    limit: Option<f64>,
    #[command(flatten)]
    pub given: Given,
}

impl IntervalArguments {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let refuse = |error: RecalibrationError| Failure::new(Exit::Input, &error);
        let (method, mut facts, result, next) = if let (Some(pass), Some(of)) = (self.pass, self.of)
        {
            let counts = [pass, of];
            let found = attributes_interval(counts, self.days, self.target, self.confidence)
                .map_err(refuse)?;
            let facts = vec![
                (
                    Text::new("observed reliability", "实测可靠度"),
                    Cell::Uncertainty(found.observed),
                ),
                (
                    Text::new("confidence that the target is missed", "拒绝目标的置信度"),
                    Cell::Uncertainty(found.rejection),
                ),
            ];
            let result = json!({
                "given": {
                    "days": self.days, "pass": pass, "of": of,
                    "target": self.target, "confidence": self.confidence,
                },
                "attributes": found,
            });
            ("NCSLI RP-1, method A3", facts, result, found.interval_d)
        } else {
            let stairs = Staircase::default();
            let [deviation, limit] =
                [self.deviation, self.limit].map(|one| one.unwrap_or(f64::NAN));
            let next = stairs.next_d(self.days, deviation, limit).map_err(refuse)?;
            let share = (
                Text::new("deviation over limit", "偏差与限值之比"),
                Cell::Uncertainty(deviation / limit),
            );
            let result = json!({
                "given": {"days": self.days, "deviation": deviation, "limit": limit},
                "staircase": stairs,
                "interval_d": next,
            });
            let method = "ILAC-G24:2022/OIML D 10:2022, method 1 (staircase)";
            (method, vec![share], result, next)
        };
        facts.push((
            Text::new("present interval in days", "现行间隔 (天)"),
            Cell::Beside(self.days, 10.0),
        ));
        facts.push((
            Text::new("suggested interval in days", "建议间隔 (天)"),
            Cell::Beside(next, 10.0),
        ));
        Ok(Sheet {
            title: Text::new("Recalibration interval", "校准间隔"),
            method,
            facts,
            tables: Vec::new(),
            remarks: Vec::new(),
            result,
            diagram: now_and_next(self.days, next),
        })
    }
}

fn now_and_next(now_d: f64, next_d: f64) -> Diagram {
    let column = |at: f64, days: f64| Layer {
        name: Text::same(""),
        style: Style::Series(0),
        mark: Mark::Columns(vec![(at - 0.3, at + 0.3, days)]),
    };
    Diagram {
        title: Text::new("Interval between calibrations", "校准间隔"),
        x_label: Text::same(""),
        y_label: Text::new("days", "天"),
        x_names: vec![(1.0, "now".to_owned()), (2.0, "next".to_owned())],
        layers: vec![column(1.0, now_d), column(2.0, next_d)],
    }
}
