//! A straight line or a polynomial through points, and its use in both directions.

use clap::Args;
use heng_certificates::{Diagram, Layer, Mark, Style};
use heng_quantities::Text;
use heng_uncertainty::{
    CoordinateScatter, Fit, FitScale, Inverse, Polynomial, Predicted, Reading, Scatter,
    coverage_factor, line_of_uncertain_points,
};
use serde_json::json;

use super::data::{Data, Rows};
use super::sheet::{Cell, Grid, Sheet};
use super::{Given, probability};
use crate::cli::{Exit, Failure};

/// Places of the fitted curve in the picture.
const PLACES: u32 = 200;

#[derive(Args)]
pub struct FitArguments {
    #[command(flatten)]
    pub data: Data,
    /// Column of the abscissae
    #[arg(long)]
    x: String,
    /// Column of the ordinates
    #[arg(long)]
    y: String,
    /// Column of the standard uncertainties of the ordinates
    #[arg(long, value_name = "COLUMN")]
    u_y: Option<String>,
    /// Column of the standard uncertainties of the abscissae; a straight line only
    #[arg(long, value_name = "COLUMN", requires = "u_y")]
    u_x: Option<String>,
    /// The stated uncertainties hold up to a common factor, which the residuals give
    #[arg(long, requires = "u_y", conflicts_with = "u_x")]
    relative: bool,
    /// Degree of the polynomial
    #[arg(long, default_value_t = 1)]
    degree: u32,
    /// No constant: the curve goes through 0 at the origin
    #[arg(long, conflicts_with = "u_x")]
    through_origin: bool,
    /// Powers of the distance from this abscissa
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    about: f64,
    /// Predict the ordinate at this abscissa; may be given several times
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    at: Vec<f64>,
    /// Find the abscissa for this reading, as Y, or Y:U with its standard uncertainty; may be
    /// given several times
    #[arg(long, value_name = "Y[:U]", allow_hyphen_values = true)]
    reading: Vec<String>,
    /// Coverage probability of expanded uncertainties
    #[arg(long, default_value_t = 0.9545, value_parser = probability)]
    coverage: f64,
    #[command(flatten)]
    pub given: Given,
}

/// The fit and what was asked of it.
struct Fitted {
    curve: Polynomial,
    fit: Fit,
    predicted: Vec<(f64, Predicted)>,
    inverse: Vec<Inverse>,
}

impl FitArguments {
    pub fn sheet(&self) -> Result<Sheet, Failure> {
        let mut needed = vec![self.x.as_str(), self.y.as_str()];
        needed.extend(self.u_y.as_deref());
        needed.extend(self.u_x.as_deref());
        let rows = self.data.rows(&needed)?;
        let (x, y) = (rows.numbers(&self.x)?, rows.numbers(&self.y)?);
        let fitted = self.fitted(&rows, &x, &y)?;
        let mut remarks = rows.remarks();
        remarks.extend(remarks_of(&fitted.fit));
        let mut tables = vec![parameters(&fitted, self.coverage)];
        tables.extend(self.predictions(&fitted));
        tables.extend(abscissae(&fitted));
        Ok(Sheet {
            title: Text::new("Least-squares fit", "最小二乘拟合"),
            method: if self.u_x.is_some() {
                "ISO/TS 28037:2010, clause 7; generalised distance regression"
            } else if self.degree == 1 {
                "ISO/TS 28037:2010, clause 6; JCGM 100:2008, H.3"
            } else {
                "linear least squares by orthogonal factorisation"
            },
            facts: facts(&fitted, &self.y),
            tables,
            remarks,
            result: json!({
                "model": fitted.curve.model(&self.y, &self.x),
                "fit": fitted.fit,
                "predicted": fitted.predicted.iter().map(|(at, predicted)| {
                    json!({"at": at, "predicted": predicted})
                }).collect::<Vec<_>>(),
                "inverse": fitted.inverse,
            }),
            diagram: self.diagram(&fitted, &x, &rows)?,
        })
    }

    fn fitted(&self, rows: &Rows, x: &[f64], y: &[f64]) -> Result<Fitted, Failure> {
        let mut curve = Polynomial::of_degree(self.degree).about(self.about);
        if self.through_origin {
            curve = curve.through_origin();
        }
        let u_y = self.u_y.as_ref().map(|column| rows.numbers(column));
        let u_y = u_y.transpose()?;
        let fit = match (&self.u_x, &u_y) {
            (Some(_), _) if self.degree != 1 || self.about != 0.0 => {
                let message = "--u-x: uncertain abscissae go with a straight line in powers of x: \
                               leave out --degree and --about";
                return Err(Failure::new(Exit::Usage, &message));
            }
            (Some(column), Some(u_y)) => {
                let u_x = rows.numbers(column)?;
                let scatter = CoordinateScatter::Points {
                    u_x: &u_x,
                    u_y,
                    covariances: &[],
                };
                line_of_uncertain_points(x, y, &scatter)
            }
            (_, Some(u)) if self.relative => curve.fit(x, y, Scatter::Relative(u)),
            (_, Some(u)) => curve.fit(x, y, Scatter::Stated(u)),
            (_, None) => curve.fit(x, y, Scatter::Unknown),
        };
        let fit = fit.map_err(|error| rows.refuse(&error))?;
        let at = self.at.iter();
        let predicted = at
            .map(|&at| Ok((at, curve.predict(&fit, at)?)))
            .collect::<Result<_, heng_uncertainty::FitError>>();
        let readings = self.reading.iter();
        let inverse = readings
            .map(|text| {
                let reading = reading(text)?;
                let found = curve.inverse(&fit, &reading, self.coverage);
                found.map_err(|error| rows.refuse(&format!("--reading {text}: {error}")))
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Fitted {
            predicted: predicted.map_err(|error| rows.refuse(&error))?,
            inverse,
            curve,
            fit,
        })
    }

    fn predictions(&self, fitted: &Fitted) -> Option<Grid> {
        if fitted.predicted.is_empty() {
            return None;
        }
        let rows = fitted.predicted.iter().map(|(at, one)| {
            let k = coverage_factor(one.dof, self.coverage);
            let single = one.u_single;
            vec![
                Cell::Number(*at),
                Cell::Beside(one.value, one.u),
                Cell::Uncertainty(one.u),
                Cell::Uncertainty(k * one.u),
                single.map_or(Cell::None, Cell::Uncertainty),
                single.map_or(Cell::None, |u| Cell::Uncertainty(k * u)),
                Cell::Dof(one.dof),
                Cell::Uncertainty(k),
            ]
        });
        Some(Grid {
            heads: vec![
                Text::same(&self.x),
                Text::new("fitted", "拟合值"),
                Text::same("u"),
                Text::same("U"),
                Text::new("u (single)", "u (单次)"),
                Text::new("U (single)", "U (单次)"),
                Text::same("ν"),
                Text::same("k"),
            ],
            rows: rows.collect(),
        })
    }

    /// Residuals about the curve, and its expanded uncertainty: on the scale of the ordinate
    /// itself a good fit shows nothing.
    fn diagram(&self, fitted: &Fitted, x: &[f64], rows: &Rows) -> Result<Diagram, Failure> {
        let fit = &fitted.fit;
        let low = x.iter().chain(&self.at).copied().fold(x[0], f64::min);
        let high = x.iter().chain(&self.at).copied().fold(x[0], f64::max);
        let step = (high - low) / f64::from(PLACES);
        let k = coverage_factor(fit.dof_of_u(), self.coverage);
        let (mut below, mut above) = (Vec::new(), Vec::new());
        for place in 0..=PLACES {
            let at = low + step * f64::from(place);
            if let Ok(one) = fitted.curve.predict(fit, at) {
                below.push((at, -k * one.u));
                above.push((at, k * one.u));
            }
        }
        let u_y = self.u_y.as_ref().map(|column| rows.numbers(column));
        let u_y = u_y.transpose()?.unwrap_or_else(|| vec![0.0; x.len()]);
        let points = x.iter().zip(&fit.points).zip(&u_y);
        let bars = points.map(|((&x, point), &u)| (x, point.residual, u));
        let layer = |name: Text, style, mark| Layer { name, style, mark };
        Ok(Diagram {
            title: Text::new(
                &format!("Residuals of {}", fitted.curve.model(&self.y, &self.x)),
                &format!("{} 的残差", fitted.curve.model(&self.y, &self.x)),
            ),
            x_label: Text::same(&self.x),
            y_label: Text::new(
                &format!("observed less fitted {}", self.y),
                &format!("{} 的观测值减拟合值", self.y),
            ),
            x_names: Vec::new(),
            layers: vec![
                layer(
                    Text::same(""),
                    Style::Pale,
                    Mark::Line(vec![(low, 0.0), (high, 0.0)]),
                ),
                layer(
                    Text::new("points", "测量点"),
                    Style::Series(0),
                    Mark::Bars(bars.collect()),
                ),
                layer(
                    Text::new("U of the curve", "曲线的 U"),
                    Style::Dashed(1),
                    Mark::Line(below),
                ),
                layer(Text::same(""), Style::Dashed(1), Mark::Line(above)),
            ],
        })
    }
}

/// `Y` or `Y:U`.
fn reading(text: &str) -> Result<Reading, Failure> {
    let wrong = || {
        let message = format!("--reading {text}: write Y, or Y:U with its standard uncertainty");
        Failure::new(Exit::Usage, &message)
    };
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
    Ok(match text.split_once(':') {
        None => Reading::Repeated {
            mean: number(text)?,
            k: 1,
        },
        Some((value, u)) => Reading::Evaluated {
            value: number(value)?,
            u: number(u)?,
            dof: f64::INFINITY,
        },
    })
}

fn facts(fitted: &Fitted, ordinate: &str) -> Vec<(Text, Cell)> {
    let fit = &fitted.fit;
    let mut facts = vec![
        (Text::new("points", "点数"), Cell::count(fit.points.len())),
        (
            Text::new("degrees of freedom", "自由度"),
            Cell::Dof(fit.dof),
        ),
    ];
    let s = fit.s.map_or(Cell::None, Cell::Uncertainty);
    facts.push((
        match fit.scale {
            FitScale::Residuals => Text::new(
                &format!("residual standard deviation of {ordinate}"),
                &format!("{ordinate} 的残余标准偏差"),
            ),
            FitScale::Stated => Text::new(
                "residuals over stated uncertainties, root mean square",
                "残差与所给不确定度之比的均方根",
            ),
        },
        s,
    ));
    if let Some(consistency) = fit.consistency(0.95) {
        facts.push((
            Text::new("chi-squared", "χ²"),
            Cell::Number(consistency.chi_squared),
        ));
        facts.push((
            Text::new("limit of chi-squared (95 %)", "χ² 限值 (95 %)"),
            Cell::Number(consistency.limit),
        ));
    }
    if let Some(r_squared) = fit.r_squared {
        facts.push((Text::same("R²"), Cell::Number(r_squared)));
    }
    facts
}

/// Coefficients, their uncertainties and correlations.
fn parameters(fitted: &Fitted, coverage: f64) -> Grid {
    let fit = &fitted.fit;
    let u = fit.uncertainties().ok();
    let k = coverage_factor(fit.dof_of_u(), coverage);
    let mut heads = vec![
        Text::new("coefficient", "系数"),
        Text::new("estimate", "估计值"),
        Text::same("u"),
        Text::same("U"),
    ];
    let earlier = fit.parameters.len().saturating_sub(1);
    heads.extend(
        fit.parameters[..earlier]
            .iter()
            .map(|name| Text::same(&format!("r({name})"))),
    );
    let rows = fit.parameters.iter().enumerate().map(|(at, name)| {
        let estimate = fit.estimates[at];
        let u = u.as_ref().map(|u| u[at]);
        let mut row = vec![
            Cell::name(name),
            u.map_or(Cell::Number(estimate), |u| Cell::Beside(estimate, u)),
            u.map_or(Cell::None, Cell::Uncertainty),
            u.map_or(Cell::None, |u| Cell::Uncertainty(k * u)),
        ];
        row.extend((0..earlier).map(|other| {
            if other < at {
                Cell::Uncertainty(fit.correlation(at, other))
            } else {
                Cell::None
            }
        }));
        row
    });
    Grid {
        heads,
        rows: rows.collect(),
    }
}

fn abscissae(fitted: &Fitted) -> Option<Grid> {
    if fitted.inverse.is_empty() {
        return None;
    }
    let rows = fitted.inverse.iter().map(|one| {
        let limit = |at: usize| {
            one.fieller
                .map_or(Cell::None, |ends| Cell::Beside(ends[at], one.u))
        };
        vec![
            Cell::Beside(one.value, one.u),
            Cell::Uncertainty(one.u),
            Cell::Dof(one.dof),
            Cell::Uncertainty(one.k),
            Cell::Uncertainty(one.expanded),
            limit(0),
            limit(1),
        ]
    });
    Some(Grid {
        heads: vec![
            Text::new("abscissa", "横坐标"),
            Text::same("u"),
            Text::same("ν"),
            Text::same("k"),
            Text::same("U"),
            Text::new("low (Fieller)", "下限 (Fieller)"),
            Text::new("high (Fieller)", "上限 (Fieller)"),
        ],
        rows: rows.collect(),
    })
}

/// What the residuals say against the fit.
fn remarks_of(fit: &Fit) -> Vec<Text> {
    let mut remarks = Vec::new();
    if let Some(found) = fit.consistency(0.95).filter(|found| !found.consistent) {
        let p = format!("{:.4}", found.probability);
        remarks.push(Text::new(
            &format!("the points do not fit the curve within their stated uncertainties (p = {p})"),
            &format!("按所给不确定度, 各点与曲线不一致 (p = {p})"),
        ));
    }
    if fit.s.is_none() && fit.scale == FitScale::Residuals {
        remarks.push(Text::new(
            "0 degrees of freedom: the coefficients have no uncertainty; measure more points, or \
             state the uncertainties with --u-y",
            "自由度为 0: 系数没有不确定度; 请增加测量点, 或用 --u-y 给出不确定度",
        ));
    }
    let largest = fit.residuals.largest.as_ref();
    if let Some(largest) = largest
        && let Some(limit) = largest
            .limit
            .filter(|limit| largest.standardised.abs() > *limit)
    {
        let (point, size) = (largest.point + 1, format!("{:.2}", largest.standardised));
        remarks.push(Text::new(
            &format!(
                "point {point} lies off the curve: standardised residual {size}, limit {limit:.2}"
            ),
            &format!("第 {point} 点偏离曲线: 标准化残差 {size}, 限值 {limit:.2}"),
        ));
    }
    let runs = fit.residuals.runs.as_ref().filter(|runs| runs.too_few);
    if let Some(runs) = runs {
        let (found, expected) = (runs.found, format!("{:.1}", runs.expected));
        remarks.push(Text::new(
            &format!(
                "neighbouring residuals have the same sign ({found} runs, {expected} expected): \
                 the curve may have the wrong shape"
            ),
            &format!("相邻残差同号 ({found} 个游程, 期望 {expected}): 曲线形式可能不合适"),
        ));
    }
    remarks
}
