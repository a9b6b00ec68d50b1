//! What is known about an input quantity.

use serde::{Deserialize, Serialize};

use crate::type_a::TypeA;

/// Distribution assigned to an input quantity (JCGM 101:2008, 6.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Distribution {
    Normal,
    /// Scaled and shifted t with the degrees of freedom of the input; `u` is its *scale*
    /// (s/√n), as in JCGM 101:2008, 6.4.9: the standard deviation of the samples is larger.
    StudentT,
    Rectangular,
    Triangular,
    /// Arcsine: a quantity that cycles between two limits.
    UShaped,
    /// Symmetric trapezoid; `beta` is the width of the top over that of the base.
    Trapezoidal {
        beta: f64,
    },
    /// No uncertainty.
    Constant,
}

/// An input quantity of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub symbol: String,
    /// Best estimate.
    pub value: f64,
    /// Standard uncertainty, in the unit of the value.
    pub u: f64,
    /// Degrees of freedom of `u`; infinite where it is taken as exactly known.
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
    pub distribution: Distribution,
}

/// Why an input quantity is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InputError {
    #[error(
        "the input {symbol:?} needs a finite value and a standard uncertainty of 0 or more, not {value} with {u}"
    )]
    NotANumber { symbol: String, value: f64, u: f64 },
    #[error("the input {symbol:?} needs 1 degree of freedom or more, not {dof}")]
    DegreesOfFreedom { symbol: String, dof: f64 },
    #[error("the input {symbol:?} follows Student's t and needs finite degrees of freedom")]
    EndlessStudent { symbol: String },
    #[error("the input {symbol:?} is a constant and cannot have the uncertainty {u}")]
    UncertainConstant { symbol: String, u: f64 },
    #[error(
        "the trapezoid of input {symbol:?} needs a ratio of top to base from 0 to 1, not {beta}"
    )]
    Trapezoid { symbol: String, beta: f64 },
    #[error("the input {symbol:?} stands twice in the list")]
    Repeated { symbol: String },
    #[error("the input {symbol:?} is not used by the model; its inputs are {known}")]
    NotInModel { symbol: String, known: String },
    #[error("the input {symbol:?} of the model is missing from the list")]
    Missing { symbol: String },
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

    pub fn constant(symbol: &str, value: f64) -> Self {
        Self::new(symbol, value, 0.0, Distribution::Constant)
    }

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

    pub fn rectangular(symbol: &str, value: f64, half_width: f64) -> Self {
        Self::new(
            symbol,
            value,
            half_width / 3_f64.sqrt(),
            Distribution::Rectangular,
        )
    }

    pub fn triangular(symbol: &str, value: f64, half_width: f64) -> Self {
        Self::new(
            symbol,
            value,
            half_width / 6_f64.sqrt(),
            Distribution::Triangular,
        )
    }

    pub fn u_shaped(symbol: &str, value: f64, half_width: f64) -> Self {
        Self::new(
            symbol,
            value,
            half_width / 2_f64.sqrt(),
            Distribution::UShaped,
        )
    }

    /// `beta` is the width of the top over that of the base (JCGM 101:2008, 6.4.4).
    pub fn trapezoidal(symbol: &str, value: f64, half_width: f64, beta: f64) -> Self {
        let u = half_width * ((1.0 + beta * beta) / 6.0).sqrt();
        Self::new(symbol, value, u, Distribution::Trapezoidal { beta })
    }

    fn check(&self) -> Result<(), InputError> {
        let Self { value, u, dof, .. } = *self;
        let symbol = || self.symbol.clone();
        if !(value.is_finite() && u.is_finite() && u >= 0.0) {
            return Err(InputError::NotANumber {
                symbol: symbol(),
                value,
                u,
            });
        }
        if dof.is_nan() || dof < 1.0 {
            return Err(InputError::DegreesOfFreedom {
                symbol: symbol(),
                dof,
            });
        }
        match self.distribution {
            Distribution::StudentT if dof.is_infinite() => {
                Err(InputError::EndlessStudent { symbol: symbol() })
            }
            Distribution::Constant if u != 0.0 => Err(InputError::UncertainConstant {
                symbol: symbol(),
                u,
            }),
            Distribution::Trapezoidal { beta } if !(0.0..=1.0).contains(&beta) => {
                Err(InputError::Trapezoid {
                    symbol: symbol(),
                    beta,
                })
            }
            _ => Ok(()),
        }
    }
}

/// Correlation of two inputs, −1 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    pub a: String,
    pub b: String,
    pub r: f64,
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
