//! What is known about the input quantities.

use serde::{Deserialize, Serialize};

use crate::type_a::TypeA;

/// Distribution assigned to an input quantity (JCGM 101:2008, 6.4 and table 1).
///
/// Unless a line says otherwise the distribution is shifted and scaled so that the value of
/// the input is its expectation and `u` its standard deviation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Distribution {
    /// Normal, of mean `value` and standard deviation `u` (6.4.7).
    Normal,
    /// Scaled and shifted t with the degrees of freedom of the input; `u` is its *scale*
    /// (s/√n), as in JCGM 101:2008, 6.4.9: the standard deviation of the samples is larger.
    StudentT,
    /// The same with `u` as the standard deviation; needs more than 2 degrees of freedom.
    StudentTSd,
    /// Rectangular over value ± u·√3 (6.4.2).
    Rectangular,
    /// Symmetric triangle over value ± u·√6 (6.4.5).
    Triangular,
    /// Arcsine: a quantity that cycles between two limits (6.4.6).
    UShaped,
    /// Symmetric trapezoid; `beta` is the width of the top over that of the base (6.4.4).
    Trapezoidal {
        /// Width of the top over that of the base, 0 to 1.
        beta: f64,
    },
    /// Rectangle whose limits are themselves known only to ±d (6.4.3); `ratio` is d over
    /// the half width, 0 to 1.
    CurvilinearTrapezoid {
        /// d over the half width, 0 to 1.
        ratio: f64,
    },
    /// Exponential (6.4.10) that begins at value − u.
    Exponential,
    /// Gamma of that shape (6.4.11); begins at value − u·√shape.
    Gamma {
        /// Shape parameter, above 0.
        shape: f64,
    },
    /// Beta over an interval that follows from value and `u`.
    Beta {
        /// First shape parameter, above 0.
        alpha: f64,
        /// Second shape parameter, above 0.
        beta: f64,
    },
    /// Log-normal that begins at 0; the value must be positive.
    LogNormal,
    /// u²/value times a count that follows Poisson's law with expectation (value/u)²; the
    /// value must be positive.
    Poisson,
    /// Each of the values equally often: a sample drawn with replacement. Mean and
    /// standard deviation of the values are those of the input.
    Empirical {
        /// The sample, in the unit of the input.
        values: Vec<f64>,
    },
    /// Each value with the weight beside it. Mean and standard deviation are those of the
    /// input.
    Discrete {
        /// Possible values, in the unit of the input.
        values: Vec<f64>,
        /// One for each value, 0 or more; they need not sum to 1.
        weights: Vec<f64>,
    },
    /// No uncertainty.
    Constant,
}

/// An input quantity of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Name in the model.
    pub symbol: String,
    /// Best estimate.
    pub value: f64,
    /// Standard uncertainty, in the unit of the value.
    pub u: f64,
    /// Degrees of freedom of `u`; infinite where it is taken as exactly known.
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
    /// State of knowledge about the quantity (JCGM 101:2008, 6.1).
    pub distribution: Distribution,
}

/// Why an input quantity is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InputError {
    /// A value or standard uncertainty that is not finite, or a negative uncertainty.
    #[error(
        "the input {symbol:?} needs a finite value and a standard uncertainty of 0 or more, not {value} with {u}"
    )]
    NotANumber {
        /// Symbol of the input.
        symbol: String,
        /// As given.
        value: f64,
        /// Standard uncertainty, as given.
        u: f64,
    },
    /// Degrees of freedom of 0 or less, or none.
    #[error("the input {symbol:?} needs more than 0 degrees of freedom, not {dof}")]
    DegreesOfFreedom {
        /// Symbol of the input.
        symbol: String,
        /// As given.
        dof: f64,
    },
    /// Degrees of freedom for which the t distribution asked for does not exist.
    #[error(
        "the input {symbol:?} follows Student's t and needs finite degrees of freedom (more than 2 where u is its standard deviation), not {dof}"
    )]
    StudentDof {
        /// Symbol of the input.
        symbol: String,
        /// As given.
        dof: f64,
    },
    /// An exact constant with an uncertainty.
    #[error("the input {symbol:?} is a constant and cannot have the uncertainty {u}")]
    UncertainConstant {
        /// Symbol of the input.
        symbol: String,
        /// Standard uncertainty, as given.
        u: f64,
    },
    /// A distribution whose parameters are out of its range.
    #[error("the distribution of input {symbol:?} needs {needs}, not {found}")]
    Shape {
        /// Symbol of the input.
        symbol: String,
        /// What the distribution asks for.
        needs: &'static str,
        /// The number that does not meet it.
        found: f64,
    },
    /// Value and standard uncertainty that are not those of the points of a discrete
    /// distribution.
    #[error(
        "the distribution of input {symbol:?} has mean {mean} and standard deviation {sd}, but the input states {value} and {u}"
    )]
    Moments {
        /// Symbol of the input.
        symbol: String,
        /// Mean of the points, in their unit.
        mean: f64,
        /// Standard deviation of the points, in their unit.
        sd: f64,
        /// Value that the input states.
        value: f64,
        /// Standard uncertainty that the input states.
        u: f64,
    },
    /// Two inputs with one symbol.
    #[error("the input {symbol:?} stands twice in the list")]
    Repeated {
        /// The symbol.
        symbol: String,
    },
    /// An input that the model does not have, so that its uncertainty would be lost.
    #[error("the input {symbol:?} is not used by the model; its inputs are {known}")]
    NotInModel {
        /// Symbol of the input.
        symbol: String,
        /// Inputs of the model.
        known: String,
    },
    /// An input of the model about which nothing is said.
    #[error("the input {symbol:?} of the model is missing from the list")]
    Missing {
        /// Symbol of the input.
        symbol: String,
    },
}

impl Input {
    fn new(symbol: &str, value: f64, u: f64, distribution: Distribution) -> Self {
        Self {
            symbol: symbol.to_owned(),
            value,
            u,
            dof: f64::INFINITY,
            distribution,
        }
    }

    /// A quantity without uncertainty: an exact constant.
    pub fn constant(symbol: &str, value: f64) -> Self {
        Self::new(symbol, value, 0.0, Distribution::Constant)
    }

    /// A normal quantity of which mean and standard uncertainty are known (JCGM 101:2008, 6.4.7).
    pub fn normal(symbol: &str, value: f64, u: f64) -> Self {
        Self::new(symbol, value, u, Distribution::Normal)
    }

    /// An expanded uncertainty and its coverage factor, as a certificate states them.
    pub fn certificate(symbol: &str, value: f64, expanded: f64, k: f64) -> Self {
        Self::normal(symbol, value, expanded / k)
    }

    /// `u` is the scale s/√n, see [`Distribution::StudentT`].
    pub fn student(symbol: &str, value: f64, u: f64, dof: f64) -> Self {
        Self {
            dof,
            ..Self::new(symbol, value, u, Distribution::StudentT)
        }
    }

    /// Mean of a series with the standard uncertainty that [`type_a`](crate::type_a) found.
    pub fn type_a(symbol: &str, evaluated: &TypeA) -> Self {
        Self::student(symbol, evaluated.mean, evaluated.u, evaluated.dof)
    }

    /// Limits value ± `half_width` and nothing else known: u = a/√3 (JCGM 100:2008, 4.3.7; JCGM
    /// 101:2008, 6.4.2).
    pub fn rectangular(symbol: &str, value: f64, half_width: f64) -> Self {
        let u = half_width / 3_f64.sqrt();
        Self::new(symbol, value, u, Distribution::Rectangular)
    }

    /// Limits value ± `half_width`, the middle likelier: u = a/√6 (JCGM 100:2008, 4.3.9; JCGM
    /// 101:2008, 6.4.5).
    pub fn triangular(symbol: &str, value: f64, half_width: f64) -> Self {
        let u = half_width / 6_f64.sqrt();
        Self::new(symbol, value, u, Distribution::Triangular)
    }

    /// A quantity that cycles as a sine between value ± `half_width`: u = a/√2 (JCGM 101:2008,
    /// 6.4.6).
    pub fn u_shaped(symbol: &str, value: f64, half_width: f64) -> Self {
        let u = half_width / 2_f64.sqrt();
        Self::new(symbol, value, u, Distribution::UShaped)
    }

    /// `beta` is the width of the top over that of the base (JCGM 101:2008, 6.4.4).
    pub fn trapezoidal(symbol: &str, value: f64, half_width: f64, beta: f64) -> Self {
        let u = half_width * ((1.0 + beta * beta) / 6.0).sqrt();
        Self::new(symbol, value, u, Distribution::Trapezoidal { beta })
    }

    /// Limits value ± `half_width`, each known only to ±`d` (JCGM 101:2008, 6.4.3, where
    /// the half width is (b − a)/2): u² = `half_width`²/3 + `d`²/9.
    pub fn curvilinear_trapezoid(symbol: &str, value: f64, half_width: f64, d: f64) -> Self {
        let u = (half_width * half_width / 3.0 + d * d / 9.0).sqrt();
        let ratio = d / half_width;
        Self::new(
            symbol,
            value,
            u,
            Distribution::CurvilinearTrapezoid { ratio },
        )
    }

    /// A non-negative quantity of which only the best estimate is known (JCGM 101:2008,
    /// 6.4.10).
    pub fn exponential(symbol: &str, value: f64) -> Self {
        Self::new(symbol, value, value, Distribution::Exponential)
    }

    /// The mean number of objects behind a count of `q` (JCGM 101:2008, 6.4.11).
    pub fn counted(symbol: &str, q: u32) -> Self {
        let shape = f64::from(q) + 1.0;
        Self::new(symbol, shape, shape.sqrt(), Distribution::Gamma { shape })
    }

    /// Beta law over `low` to `high`.
    pub fn beta(symbol: &str, [low, high]: [f64; 2], alpha: f64, beta: f64) -> Self {
        let total = alpha + beta;
        let variance = alpha * beta / (total * total * (total + 1.0));
        let value = low + (high - low) * alpha / total;
        let u = (high - low) * variance.sqrt();
        Self::new(symbol, value, u, Distribution::Beta { alpha, beta })
    }

    /// Values that are drawn equally often; at least one.
    pub fn empirical(symbol: &str, values: Vec<f64>) -> Self {
        let weights = vec![1.0; values.len()];
        let (value, u) = weighted_moments(&values, &weights);
        Self::new(symbol, value, u, Distribution::Empirical { values })
    }

    /// Values with their weights, which need not sum to 1.
    pub fn discrete(symbol: &str, values: Vec<f64>, weights: Vec<f64>) -> Self {
        let (value, u) = weighted_moments(&values, &weights);
        Self::new(symbol, value, u, Distribution::Discrete { values, weights })
    }

    /// Scale of an input that follows Student's t.
    pub(crate) fn student_scale(&self) -> Option<f64> {
        match self.distribution {
            Distribution::StudentT => Some(self.u),
            Distribution::StudentTSd => Some(self.u * ((self.dof - 2.0) / self.dof).sqrt()),
            _ => None,
        }
    }

    /// The same input with the degrees of freedom of its standard uncertainty.
    #[must_use]
    pub fn with_dof(self, dof: f64) -> Self {
        Self { dof, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), InputError> {
        let Self { value, u, dof, .. } = *self;
        let symbol = || self.symbol.clone();
        if !(value.is_finite() && u.is_finite() && u >= 0.0) {
            let symbol = symbol();
            return Err(InputError::NotANumber { symbol, value, u });
        }
        if dof.is_nan() || dof <= 0.0 {
            let symbol = symbol();
            return Err(InputError::DegreesOfFreedom { symbol, dof });
        }
        let shape = |needs, found| {
            Err(InputError::Shape {
                symbol: symbol(),
                needs,
                found,
            })
        };
        match &self.distribution {
            Distribution::StudentT if dof.is_infinite() => {
                let symbol = symbol();
                Err(InputError::StudentDof { symbol, dof })
            }
            Distribution::StudentTSd if dof.is_infinite() || dof <= 2.0 => {
                let symbol = symbol();
                Err(InputError::StudentDof { symbol, dof })
            }
            Distribution::Constant if u != 0.0 => {
                let symbol = symbol();
                Err(InputError::UncertainConstant { symbol, u })
            }
            Distribution::Trapezoidal { beta: ratio }
            | Distribution::CurvilinearTrapezoid { ratio }
                if !(0.0..=1.0).contains(ratio) =>
            {
                shape("a ratio from 0 to 1", *ratio)
            }
            Distribution::Gamma { shape: found }
            | Distribution::Beta { alpha: found, .. }
            | Distribution::Beta { beta: found, .. }
                if !(found.is_finite() && *found > 0.0) =>
            {
                shape("positive finite shape parameters", *found)
            }
            Distribution::LogNormal | Distribution::Poisson if value <= 0.0 => {
                shape("a positive value", value)
            }
            Distribution::Empirical { values } => {
                self.check_points(values, &vec![1.0; values.len()])
            }
            Distribution::Discrete { values, weights } => self.check_points(values, weights),
            _ => Ok(()),
        }
    }

    /// The points of a discrete law: finite, as many as weights, and with the moments that
    /// the input states (to 1e−9 of u, more than rounding and less than any meaning).
    fn check_points(&self, values: &[f64], weights: &[f64]) -> Result<(), InputError> {
        let Self { value, u, .. } = *self;
        let symbol = self.symbol.clone();
        let shape = |needs, found| {
            let symbol = self.symbol.clone();
            Err(InputError::Shape {
                symbol,
                needs,
                found,
            })
        };
        if values.is_empty() || values.len() != weights.len() {
            return shape(
                "at least one value, and a weight for each",
                values.len() as f64,
            );
        }
        if let Some(&bad) = values.iter().find(|value| !value.is_finite()) {
            return shape("finite values", bad);
        }
        if let Some(&bad) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return shape("finite weights of 0 or more", bad);
        }
        if weights.iter().sum::<f64>() <= 0.0 {
            return shape("a positive weight", 0.0);
        }
        let (mean, sd) = weighted_moments(values, weights);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * u.max(sd) + 1e-15 * mean.abs();
        if near(mean, value) && near(sd, u) {
            Ok(())
        } else {
            Err(InputError::Moments {
                symbol,
                mean,
                sd,
                value,
                u,
            })
        }
    }
}

/// Mean and standard deviation of a discrete law, in two passes.
fn weighted_moments(values: &[f64], weights: &[f64]) -> (f64, f64) {
    let total: f64 = weights.iter().sum();
    let sum = |term: &dyn Fn(f64) -> f64| {
        values
            .iter()
            .zip(weights)
            .fold(0.0, |sum, (&value, weight)| sum + weight * term(value))
            / total
    };
    let mean = sum(&|value| value);
    (mean, sum(&|value| (value - mean) * (value - mean)).sqrt())
}

/// Correlation of two inputs, −1 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Symbol of one input.
    pub a: String,
    /// Symbol of the other input.
    pub b: String,
    /// Correlation coefficient (JCGM 100:2008, 5.2.2, equation 14).
    pub r: f64,
}

/// What the coefficients of [`Inputs::correlations`] measure between inputs that are not
/// both normal. For normal inputs and for ensembles it makes no difference to the law of
/// propagation, which always takes the coefficients as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrelationMeasure {
    /// Pearson's r of the inputs themselves, met exactly by the trials.
    #[default]
    Pearson,
    /// Spearman's rank correlation of the inputs.
    Rank,
}

/// Everything that is known about the inputs of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Each input of the model once, in any order.
    pub quantities: Vec<Input>,
    /// Pairs that are correlated; all others are not.
    #[serde(default)]
    pub correlations: Vec<Correlation>,
    /// Symbols of inputs that were estimated together, from the same simultaneous
    /// observations, and share their degrees of freedom: one term of the formula of Welch
    /// and Satterthwaite (Willink, Metrologia 44, 2007, 340), one multivariate t
    /// distribution (JCGM 102:2011, 5.3.2.2).
    #[serde(default)]
    pub ensembles: Vec<Vec<String>>,
    /// Kind of the coefficients; for the Monte Carlo method.
    #[serde(default)]
    pub measure: CorrelationMeasure,
}

impl From<Vec<Input>> for Inputs {
    /// Independent inputs.
    fn from(quantities: Vec<Input>) -> Self {
        Self {
            quantities,
            ..Self::default()
        }
    }
}

/// The inputs in the order of `symbols`, each checked; a list with more or fewer is refused,
/// because a wrong symbol would otherwise silently leave an uncertainty out.
pub(crate) fn in_order<'a>(
    symbols: &[String],
    inputs: &'a [Input],
) -> Result<Vec<&'a Input>, InputError> {
    for (index, input) in inputs.iter().enumerate() {
        input.check()?;
        let symbol = || input.symbol.clone();
        if inputs[..index]
            .iter()
            .any(|other| other.symbol == input.symbol)
        {
            return Err(InputError::Repeated { symbol: symbol() });
        }
        if !symbols.contains(&input.symbol) {
            return Err(InputError::NotInModel {
                symbol: symbol(),
                known: symbols.join(", "),
            });
        }
    }
    let find = |symbol: &String| {
        let found = inputs.iter().find(|input| input.symbol == *symbol);
        found.ok_or_else(|| InputError::Missing {
            symbol: symbol.clone(),
        })
    };
    symbols.iter().map(find).collect()
}
