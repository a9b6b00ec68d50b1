//! From what a person states about a quantity to an [`Input`].
//!
//! The ways of stating it are a table: the key by which each is known, the keys that go with
//! it, and what is read from them. A key that does not go with the way is refused, so that
//! nothing a person wrote is silently left out.

use std::ops::Range;

use toml::Spanned;

use super::amount::Amount;
use super::place::{FileDiagnostic, Source};
use super::text::{Dist, QuantityText, SimultaneousText};
use super::{Replaced, Setting};
use crate::gum::coverage_factor;
use crate::input::{Correlation, Distribution, Input};
use crate::type_a::{self, TypeA, type_a};

/// An input and, where it is a series of readings, what was found about them.
pub struct Series {
    pub input: Input,
    pub evaluated: Option<TypeA>,
}

impl From<Input> for Series {
    fn from(input: Input) -> Self {
        let evaluated = None;
        Self { input, evaluated }
    }
}

pub struct Stated<'a> {
    pub source: &'a Source<'a>,
    pub symbol: &'a str,
    /// Head of the table.
    pub at: Range<usize>,
    pub text: &'a QuantityText,
    pub settings: &'a [Setting],
}

type Found<T> = Result<T, FileDiagnostic>;

struct Way {
    /// The key that says that this is the way.
    by: &'static str,
    beside: &'static [&'static str],
    read: fn(&Stated<'_>) -> Found<Series>,
}

/// In the order in which they are looked for.
const WAYS: &[Way] = &[
    Way {
        by: "exact",
        beside: &["value", "dist"],
        read: |stated| stated.exact(),
    },
    Way {
        by: "readings",
        beside: &["dist"],
        read: |stated| stated.readings(),
    },
    Way {
        by: "counts",
        beside: &["dist"],
        read: |stated| stated.counts(),
    },
    Way {
        by: "values",
        beside: &["weights", "dist"],
        read: |stated| stated.values(),
    },
    Way {
        by: "expanded",
        beside: &["value", "k", "coverage", "dof", "dist"],
        read: |stated| stated.expanded(),
    },
    Way {
        by: "half_width",
        beside: &["value", "dist", "beta", "d", "dof"],
        read: |stated| stated.half_width(),
    },
    Way {
        by: "lower",
        beside: &["upper", "value", "dist", "alpha", "beta", "d", "dof"],
        read: |stated| stated.limits(),
    },
    Way {
        by: "scale",
        beside: &["value", "dof", "dist"],
        read: |stated| stated.scale(),
    },
    Way {
        by: "sd",
        beside: &["value", "dof", "dist"],
        read: |stated| stated.sd(),
    },
    Way {
        by: "u",
        beside: &["value", "dof", "dist", "beta"],
        read: |stated| stated.standard(),
    },
    Way {
        by: "u_rel",
        beside: &["value", "dof", "dist", "beta"],
        read: |stated| stated.standard(),
    },
    Way {
        by: "dist",
        beside: &["value"],
        read: |stated| stated.by_law_alone(),
    },
];

const UNKNOWN: &str = "an unknown uncertainty is not zero: add `u`, `expanded` with `k`, \
                       `half_width` with `dist`, `readings`, or `exact = true` for a constant";

impl Stated<'_> {
    pub fn input(&self) -> Found<Series> {
        let given = self.given();
        let has = |key: &str| given.iter().any(|(name, _)| *name == key);
        // A pair of limits is one way, whichever of the two is there.
        let is = |way: &&Way| has(way.by) || (way.by == "lower" && has("upper"));
        let Some(way) = WAYS.iter().find(is) else {
            let missing = "nothing says how well it is known";
            return Err(self.refuse(self.at.clone(), missing, UNKNOWN));
        };
        let stray = given
            .iter()
            .find(|(name, _)| *name != way.by && !way.beside.contains(name));
        if let Some((name, at)) = stray {
            let message = format!("`{name}` does not go with `{}`", way.by);
            let help = format!(
                "beside `{}` stand {}: state the knowledge in one way",
                way.by,
                way.beside.join(", ")
            );
            return Err(self.refuse(at.clone(), &message, &help));
        }
        (way.read)(self)
    }

    /// A table beside simultaneous readings may describe its input only.
    pub fn only_described(&self) -> Found<()> {
        match self.given().into_iter().next() {
            None => Ok(()),
            Some((name, at)) => {
                let message = format!("`{name}` beside the simultaneous readings that state it");
                let help = "keep description, unit and source here, or take it out of the columns";
                Err(self.refuse(at, &message, help))
            }
        }
    }

    /// The keys of knowledge that the table holds, with the places of their values.
    fn given(&self) -> Vec<(&'static str, Range<usize>)> {
        fn place<T>(
            name: &'static str,
            key: Option<&Spanned<T>>,
        ) -> Option<(&'static str, Range<usize>)> {
            key.map(|key| (name, key.span()))
        }
        let text = self.text;
        let keys = [
            place("value", text.value.as_ref()),
            place("exact", text.exact.as_ref()),
            place("u", text.u.as_ref()),
            place("u_rel", text.u_rel.as_ref()),
            place("expanded", text.expanded.as_ref()),
            place("k", text.k.as_ref()),
            place("coverage", text.coverage.as_ref()),
            place("half_width", text.half_width.as_ref()),
            place("lower", text.lower.as_ref()),
            place("upper", text.upper.as_ref()),
            place("scale", text.scale.as_ref()),
            place("sd", text.sd.as_ref()),
            place("dof", text.dof.as_ref()),
            place("dist", text.dist.as_ref()),
            place("readings", text.readings.as_ref()),
            place("counts", text.counts.as_ref()),
            place("values", text.values.as_ref()),
            place("weights", text.weights.as_ref()),
            place("alpha", text.alpha.as_ref()),
            place("beta", text.beta.as_ref()),
            place("d", text.d.as_ref()),
        ];
        keys.into_iter().flatten().collect()
    }

    fn refuse(&self, at: Range<usize>, message: &str, help: &str) -> FileDiagnostic {
        let message = format!("input {:?}: {message}", self.symbol);
        self.source.at(at, message, help)
    }

    /// A law that this way of stating cannot mean.
    fn not_this(&self, expected: &str) -> FileDiagnostic {
        let (at, found) = self.text.dist.as_ref().map_or_else(
            || (self.at.clone(), "no distribution".to_owned()),
            |dist| {
                (
                    dist.span(),
                    format!("the distribution \"{}\"", dist.get_ref().word()),
                )
            },
        );
        let message = format!("{found} cannot be meant here");
        self.refuse(at, &message, &format!("write `dist` = {expected}"))
    }

    fn dist(&self) -> Option<Dist> {
        self.text.dist.as_ref().map(|dist| *dist.get_ref())
    }

    fn needed<'t, T>(&self, key: &str, found: Option<&'t Spanned<T>>) -> Found<&'t Spanned<T>> {
        found.ok_or_else(|| {
            let message = format!("`{key}` is missing");
            self.refuse(self.at.clone(), &message, &format!("add `{key}`"))
        })
    }

    fn number(&self, key: &str, found: Option<&Spanned<f64>>) -> Found<f64> {
        self.source.finite(self.needed(key, found)?)
    }

    /// A number above 0.
    fn positive(&self, key: &str, found: Option<&Spanned<f64>>) -> Found<f64> {
        let stated = self.needed(key, found)?;
        let number = self.source.finite(stated)?;
        if number > 0.0 {
            return Ok(number);
        }
        let message = format!("`{key}` is {number}");
        Err(self.refuse(stated.span(), &message, "write a number above 0"))
    }

    /// The estimate: as it is set, else as it is stated.
    fn value(&self) -> Found<f64> {
        let stated = self.number("value", self.text.value.as_ref())?;
        let set = self
            .settings
            .iter()
            .rev()
            .find(|setting| setting.symbol == self.symbol && setting.what == Replaced::Value);
        Ok(set.map_or(stated, |setting| setting.value))
    }

    /// A width beside `value`, 0 or more.
    fn width(&self, key: &str, found: Option<&Spanned<Amount>>, value: f64) -> Found<f64> {
        let stated = self.needed(key, found)?;
        let width = stated.get_ref().of(value);
        if width.is_finite() && width >= 0.0 {
            return Ok(width);
        }
        let message = format!("`{key}` is {width}");
        Err(self.refuse(
            stated.span(),
            &message,
            "write a finite number of 0 or more",
        ))
    }

    /// Degrees of freedom, infinite where none are stated.
    fn dof(&self) -> Found<f64> {
        let Some(stated) = &self.text.dof else {
            return Ok(f64::INFINITY);
        };
        let dof = *stated.get_ref();
        if dof > 0.0 {
            return Ok(dof);
        }
        let message = format!("{dof} degrees of freedom");
        let help = "write a number above 0; n readings have n - 1; leave `dof` out where u counts \
                    as exactly known";
        Err(self.refuse(stated.span(), &message, help))
    }

    fn exact(&self) -> Found<Series> {
        let exact = self.needed("exact", self.text.exact.as_ref())?;
        if !*exact.get_ref() {
            return Err(self.refuse(exact.span(), "`exact = false` states nothing", UNKNOWN));
        }
        match self.dist() {
            None | Some(Dist::Constant) => Ok(Input::constant(self.symbol, self.value()?).into()),
            Some(_) => Err(self.not_this("\"constant\", or leave it out")),
        }
    }

    /// Readings under repeatability conditions (JCGM 100:2008, 4.2; JCGM 101:2008, 6.4.9).
    fn readings(&self) -> Found<Series> {
        let stated = self.needed("readings", self.text.readings.as_ref())?;
        let series = self.finite_all(stated.get_ref())?;
        let evaluated = type_a(&series).map_err(|error| {
            let help = "take more readings, or state u from earlier ones with its `dof`";
            self.refuse(stated.span(), &error.to_string(), help)
        })?;
        let input = match self.dist() {
            None | Some(Dist::T) => Input::type_a(self.symbol, &evaluated),
            Some(Dist::Normal) => {
                Input::normal(self.symbol, evaluated.mean, evaluated.u).with_dof(evaluated.dof)
            }
            Some(_) => return Err(self.not_this("\"t\" or \"normal\"")),
        };
        let evaluated = Some(evaluated);
        Ok(Series { input, evaluated })
    }

    fn finite_all(&self, numbers: &[Spanned<f64>]) -> Found<Vec<f64>> {
        numbers.iter().map(|one| self.source.finite(one)).collect()
    }

    fn counts(&self) -> Found<Series> {
        let counts = self.needed("counts", self.text.counts.as_ref())?;
        match self.dist() {
            None | Some(Dist::Gamma) => Ok(Input::counted(self.symbol, *counts.get_ref()).into()),
            Some(_) => Err(self.not_this("\"gamma\", or leave it out")),
        }
    }

    fn values(&self) -> Found<Series> {
        let stated = self.needed("values", self.text.values.as_ref())?;
        let values = self.finite_all(stated.get_ref())?;
        if values.is_empty() {
            return Err(self.refuse(stated.span(), "no values", "write at least one"));
        }
        match (&self.text.weights, self.dist()) {
            (None, None | Some(Dist::Empirical)) => {
                Ok(Input::empirical(self.symbol, values).into())
            }
            (Some(weights), None | Some(Dist::Discrete)) => {
                let found = self.finite_all(weights.get_ref())?;
                let sound = found.len() == values.len()
                    && found.iter().all(|&weight| weight >= 0.0)
                    && found.iter().sum::<f64>() > 0.0;
                if !sound {
                    let message = "the weights do not fit the values";
                    let help = "write one weight of 0 or more for each value";
                    return Err(self.refuse(weights.span(), message, help));
                }
                Ok(Input::discrete(self.symbol, values, found).into())
            }
            (None, Some(_)) => Err(self.not_this("\"empirical\", or \"discrete\" with `weights`")),
            (Some(_), Some(_)) => Err(self.not_this("\"discrete\", or leave it out")),
        }
    }

    /// The expanded uncertainty of a certificate (JCGM 100:2008, 4.3.3 and 4.3.4). Stated
    /// degrees of freedom make it a t distribution with the scale U/k (JCGM 101:2008, 6.4.9.7).
    fn expanded(&self) -> Found<Series> {
        let (value, dof) = (self.value()?, self.dof()?);
        let expanded = self.width("expanded", self.text.expanded.as_ref(), value)?;
        let k = match (&self.text.k, &self.text.coverage) {
            (Some(_), None) => self.positive("k", self.text.k.as_ref())?,
            (None, Some(coverage)) => {
                let p = *coverage.get_ref();
                if !(p > 0.0 && p < 1.0) {
                    let message = format!("the coverage probability {p}");
                    let help = "write a probability between 0 and 1, such as 0.95";
                    return Err(self.refuse(coverage.span(), &message, help));
                }
                coverage_factor(dof, p)
            }
            (None, None) => {
                let message = "an expanded uncertainty without its coverage factor";
                let help = "add `k` from the certificate, or `coverage` (and `dof`)";
                return Err(self.refuse(self.at.clone(), message, help));
            }
            (Some(k), Some(_)) => {
                let message = "`k` beside `coverage`";
                return Err(self.refuse(
                    k.span(),
                    message,
                    "keep one of the two: k is what divides",
                ));
            }
        };
        self.standard_with(value, expanded / k, dof)
    }

    /// A standard uncertainty. It is the scale of a t distribution where its degrees of freedom
    /// are finite, as s/√n is (JCGM 101:2008, 6.4.9).
    fn standard(&self) -> Found<Series> {
        let (value, dof) = (self.value()?, self.dof()?);
        let u = match (&self.text.u, &self.text.u_rel) {
            (Some(u), Some(_)) => {
                let help = "keep one of the two";
                return Err(self.refuse(u.span(), "`u` beside `u_rel`", help));
            }
            (None, Some(part)) => {
                let part = self.source.finite(part)?;
                part * value.abs()
            }
            (stated, None) => self.width("u", stated.as_ref(), value)?,
        };
        if u < 0.0 {
            let at = self
                .text
                .u_rel
                .as_ref()
                .map_or(self.at.clone(), Spanned::span);
            let help = "write a number of 0 or more, such as 0.01 for 1 %";
            return Err(self.refuse(at, "a negative uncertainty", help));
        }
        self.standard_with(value, u, dof)
    }

    fn standard_with(&self, value: f64, u: f64, dof: f64) -> Found<Series> {
        let input = |distribution| Input {
            symbol: self.symbol.to_owned(),
            value,
            u,
            dof,
            distribution,
        };
        let distribution = match self.dist() {
            None if dof.is_finite() && u > 0.0 => Distribution::StudentT,
            None | Some(Dist::Normal) => Distribution::Normal,
            Some(Dist::T) if dof.is_finite() => Distribution::StudentT,
            Some(Dist::T) => {
                self.needed("dof", self.text.dof.as_ref())?;
                return Err(self.not_this("\"normal\" where dof is infinite"));
            }
            Some(Dist::Rectangular) => Distribution::Rectangular,
            Some(Dist::Triangular) => Distribution::Triangular,
            Some(Dist::Arcsine) => Distribution::UShaped,
            Some(Dist::Trapezoidal) => Distribution::Trapezoidal {
                beta: self.number("beta", self.text.beta.as_ref())?,
            },
            Some(Dist::Lognormal) => Distribution::LogNormal,
            Some(Dist::Poisson) => Distribution::Poisson,
            // Begins at 0: value − u·√shape = 0.
            Some(Dist::Gamma) if u > 0.0 => Distribution::Gamma {
                shape: (value / u) * (value / u),
            },
            Some(_) => {
                return Err(self.not_this(
                    "\"normal\", \"t\", \"rectangular\", \"triangular\", \"arcsine\", \
                     \"trapezoidal\", \"lognormal\", \"gamma\" or \"poisson\"",
                ));
            }
        };
        if self.text.beta.is_some() && self.dist() != Some(Dist::Trapezoidal) {
            return Err(self.not_this("\"trapezoidal\" beside `beta`"));
        }
        Ok(input(distribution).into())
    }

    /// Limits around a value: a data sheet, a resolution (JCGM 100:2008, 4.3.7 and 4.3.9).
    fn half_width(&self) -> Found<Series> {
        let value = self.value()?;
        let half_width = self.width("half_width", self.text.half_width.as_ref(), value)?;
        self.within(value, half_width)
    }

    /// A lower and an upper limit.
    fn limits(&self) -> Found<Series> {
        let lower = self.number("lower", self.text.lower.as_ref())?;
        let upper = self.number("upper", self.text.upper.as_ref())?;
        if lower > upper {
            let at = self.needed("upper", self.text.upper.as_ref())?.span();
            let message = format!("the upper limit {upper} lies below the lower one {lower}");
            return Err(self.refuse(at, &message, "exchange the two"));
        }
        if self.dist() == Some(Dist::Beta) {
            if let Some(value) = &self.text.value {
                let message = "`value` beside the limits of a beta distribution";
                let help = "leave it out: limits, alpha and beta determine it";
                return Err(self.refuse(value.span(), message, help));
            }
            let alpha = self.positive("alpha", self.text.alpha.as_ref())?;
            let beta = self.positive("beta", self.text.beta.as_ref())?;
            let input = Input::beta(self.symbol, [lower, upper], alpha, beta);
            return Ok(input.with_dof(self.dof()?).into());
        }
        let (middle, half_width) = (0.5 * (lower + upper), 0.5 * (upper - lower));
        if let Some(stated) = &self.text.value {
            let value = self.source.finite(stated)?;
            // A value written to its last digit, beside limits written to theirs.
            if (value - middle).abs() > 1e-9 * (half_width + middle.abs()) {
                let message = format!("the value {value} is not in the middle of its limits");
                let help = "leave `value` out (JCGM 100:2008, 4.3.8), or describe the asymmetry \
                            with `dist = \"beta\"`";
                return Err(self.refuse(stated.span(), &message, help));
            }
        }
        self.within(middle, half_width)
    }

    fn within(&self, value: f64, half_width: f64) -> Found<Series> {
        let symbol = self.symbol;
        let stray = |key: Option<Range<usize>>, of: &str| match key {
            Some(at) => {
                let message = "a shape that this distribution does not have".to_owned();
                Err(self.refuse(at, &message, &format!("it belongs to `dist = \"{of}\"`")))
            }
            None => Ok(()),
        };
        let dist = self.dist();
        if dist != Some(Dist::Trapezoidal) {
            stray(self.text.beta.as_ref().map(Spanned::span), "trapezoidal")?;
        }
        if dist != Some(Dist::Ctrap) {
            stray(self.text.d.as_ref().map(Spanned::span), "ctrap")?;
        }
        stray(self.text.alpha.as_ref().map(Spanned::span), "beta")?;
        let input = match dist {
            Some(Dist::Rectangular) => Input::rectangular(symbol, value, half_width),
            Some(Dist::Triangular) => Input::triangular(symbol, value, half_width),
            Some(Dist::Arcsine) => Input::u_shaped(symbol, value, half_width),
            Some(Dist::Trapezoidal) => {
                let beta = self.number("beta", self.text.beta.as_ref())?;
                Input::trapezoidal(symbol, value, half_width, beta)
            }
            Some(Dist::Ctrap) => {
                let d = self.width("d", self.text.d.as_ref(), value)?;
                if d > half_width || half_width == 0.0 {
                    let at = self.needed("d", self.text.d.as_ref())?.span();
                    let message = format!("the limits are known to ±{d} only, of ±{half_width}");
                    let help = "write a `d` of at most half the distance of the limits";
                    return Err(self.refuse(at, &message, help));
                }
                Input::curvilinear_trapezoid(symbol, value, half_width, d)
            }
            None => {
                let message = "limits without a distribution";
                let help = "add `dist = \"rectangular\"` where nothing more is known, or \
                            \"triangular\", \"arcsine\", \"trapezoidal\", \"ctrap\"";
                return Err(self.refuse(self.at.clone(), message, help));
            }
            Some(_) => {
                return Err(self.not_this(
                    "\"rectangular\", \"triangular\", \"arcsine\", \"trapezoidal\" or \"ctrap\"",
                ));
            }
        };
        Ok(input.with_dof(self.dof()?).into())
    }

    /// A t distribution by its scale.
    fn scale(&self) -> Found<Series> {
        let value = self.value()?;
        let scale = self.width("scale", self.text.scale.as_ref(), value)?;
        self.student(value, scale, Distribution::StudentT)
    }

    /// A t distribution by its standard deviation.
    fn sd(&self) -> Found<Series> {
        let value = self.value()?;
        let sd = self.width("sd", self.text.sd.as_ref(), value)?;
        self.student(value, sd, Distribution::StudentTSd)
    }

    fn student(&self, value: f64, u: f64, distribution: Distribution) -> Found<Series> {
        self.needed("dof", self.text.dof.as_ref())?;
        match self.dist() {
            None | Some(Dist::T) => Ok(Input {
                symbol: self.symbol.to_owned(),
                value,
                u,
                dof: self.dof()?,
                distribution,
            }
            .into()),
            Some(_) => Err(self.not_this("\"t\", or leave it out")),
        }
    }

    /// Laws whose expectation says everything.
    fn by_law_alone(&self) -> Found<Series> {
        match self.dist() {
            Some(Dist::Exponential) => {
                let value = self.value()?;
                if value > 0.0 {
                    return Ok(Input::exponential(self.symbol, value).into());
                }
                let help = "write a positive value";
                Err(self.refuse(self.at.clone(), "an exponential law about 0 or less", help))
            }
            Some(Dist::Poisson) => {
                let value = self.value()?;
                self.standard_with(value, value.max(0.0).sqrt(), f64::INFINITY)
            }
            Some(Dist::Constant) => Ok(Input::constant(self.symbol, self.value()?).into()),
            _ => {
                let message = "nothing says how well it is known";
                Err(self.refuse(self.at.clone(), message, UNKNOWN))
            }
        }
    }
}

/// What simultaneous readings state.
pub struct Together {
    pub quantities: Vec<Input>,
    pub correlations: Vec<Correlation>,
    pub series: Vec<(String, TypeA)>,
}

impl Together {
    pub fn symbols(&self) -> Vec<String> {
        let symbols = self.quantities.iter().map(|input| input.symbol.clone());
        symbols.collect()
    }
}

/// Means of simultaneous readings and the correlation of the means (JCGM 100:2008, 5.2.3,
/// equation 17). They share n − 1 degrees of freedom.
pub fn simultaneous(source: &Source<'_>, text: &SimultaneousText) -> Found<Together> {
    let width = text.columns.len();
    let rows = text.rows.get_ref();
    if width < 2 || rows.len() < 2 {
        let message = format!("{} rows of {width} simultaneous readings", rows.len());
        let help = "write at least two columns and two rows; a single column is `readings`";
        return Err(source.at(text.rows.span(), message, help));
    }
    let mut columns = vec![Vec::with_capacity(rows.len()); width];
    for row in rows {
        if row.get_ref().len() != width {
            let message = format!(
                "a row of {} readings under {width} columns",
                row.get_ref().len()
            );
            let help = "write one reading for each column; leave an incomplete row out";
            return Err(source.at(row.span(), message, help));
        }
        for (column, reading) in columns.iter_mut().zip(row.get_ref()) {
            column.push(source.finite(reading)?);
        }
    }
    let symbols: Vec<&str> = text
        .columns
        .iter()
        .map(|one| one.get_ref().as_str())
        .collect();
    let refuse = |cause: String| source.at(text.rows.span(), cause, "add rows");
    let mut series = Vec::with_capacity(width);
    for (symbol, column) in symbols.iter().zip(&columns) {
        let evaluated = type_a(column).map_err(|error| refuse(error.to_string()))?;
        series.push(((*symbol).to_owned(), evaluated));
    }
    let readings: Vec<Vec<f64>> = (0..rows.len())
        .map(|row| columns.iter().map(|column| column[row]).collect())
        .collect();
    let inputs = type_a::simultaneous(&symbols, &readings);
    let inputs = inputs.map_err(|error| refuse(error.to_string()))?;
    Ok(Together {
        quantities: inputs.quantities,
        correlations: inputs.correlations,
        series,
    })
}

/// The input with one number replaced; its law keeps its form.
pub fn replaced(input: &Input, setting: &Setting) -> Input {
    match setting.what {
        Replaced::Dof => input.clone().with_dof(setting.value),
        Replaced::U => with_u(input, setting.value),
        Replaced::Value => moved(input, setting.value - input.value, 1.0),
    }
}

/// The input with another standard uncertainty.
pub fn with_u(input: &Input, u: f64) -> Input {
    match input.distribution {
        _ if input.u > 0.0 => moved(input, 0.0, u / input.u),
        Distribution::Constant => Input {
            u,
            distribution: Distribution::Normal,
            ..input.clone()
        },
        _ => Input { u, ..input.clone() },
    }
}

fn moved(input: &Input, shift: f64, stretch: f64) -> Input {
    let Input { value, u, .. } = *input;
    let place = |x: f64| value + shift + stretch * (x - value);
    let (distribution, value, u) = match &input.distribution {
        Distribution::Empirical { values } => {
            let values: Vec<_> = values.iter().map(|&x| place(x)).collect();
            let moved = Input::empirical(&input.symbol, values);
            (moved.distribution, moved.value, moved.u)
        }
        Distribution::Discrete { values, weights } => {
            let values: Vec<_> = values.iter().map(|&x| place(x)).collect();
            let moved = Input::discrete(&input.symbol, values, weights.clone());
            (moved.distribution, moved.value, moved.u)
        }
        other => (other.clone(), value + shift, u * stretch),
    };
    Input {
        value,
        u,
        distribution,
        ..input.clone()
    }
}
