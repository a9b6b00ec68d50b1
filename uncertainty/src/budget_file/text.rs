//! The file as it is written: every key, with its place.

use std::collections::BTreeMap;

use heng_quantities::UnitExpression;
use serde::Deserialize;
use toml::Spanned;

use super::amount::Amount;
use crate::input::CorrelationMeasure;
use crate::monte_carlo::IntervalKind;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileText {
    pub title: String,
    pub model: Spanned<String>,
    #[serde(default)]
    pub inputs: BTreeMap<Spanned<String>, QuantityText>,
    #[serde(default)]
    pub simultaneous: Vec<SimultaneousText>,
    #[serde(default)]
    pub correlations: Vec<CorrelationText>,
    #[serde(default)]
    pub correlation_measure: CorrelationMeasure,
    #[serde(default)]
    pub ensembles: Vec<EnsembleText>,
    #[serde(default)]
    pub outputs: BTreeMap<Spanned<String>, OutputText>,
    #[serde(default)]
    pub evaluation: EvaluationText,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantityText {
    pub description: Option<String>,
    pub unit: Option<UnitExpression>,
    pub source: Option<String>,
    pub value: Option<Spanned<f64>>,
    pub exact: Option<Spanned<bool>>,
    pub u: Option<Spanned<Amount>>,
    pub u_rel: Option<Spanned<f64>>,
    pub expanded: Option<Spanned<Amount>>,
    pub k: Option<Spanned<f64>>,
    pub coverage: Option<Spanned<f64>>,
    pub half_width: Option<Spanned<Amount>>,
    pub lower: Option<Spanned<f64>>,
    pub upper: Option<Spanned<f64>>,
    pub scale: Option<Spanned<Amount>>,
    pub sd: Option<Spanned<Amount>>,
    pub dof: Option<Spanned<f64>>,
    pub dist: Option<Spanned<Dist>>,
    pub readings: Option<Spanned<Vec<Spanned<f64>>>>,
    pub counts: Option<Spanned<u32>>,
    pub values: Option<Spanned<Vec<Spanned<f64>>>>,
    pub weights: Option<Spanned<Vec<Spanned<f64>>>>,
    pub alpha: Option<Spanned<f64>>,
    pub beta: Option<Spanned<f64>>,
    pub d: Option<Spanned<Amount>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dist {
    Normal,
    T,
    Rectangular,
    Triangular,
    Arcsine,
    Trapezoidal,
    Ctrap,
    Exponential,
    Gamma,
    Beta,
    Lognormal,
    Poisson,
    Empirical,
    Discrete,
    Constant,
}

impl Dist {
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::T => "t",
            Self::Rectangular => "rectangular",
            Self::Triangular => "triangular",
            Self::Arcsine => "arcsine",
            Self::Trapezoidal => "trapezoidal",
            Self::Ctrap => "ctrap",
            Self::Exponential => "exponential",
            Self::Gamma => "gamma",
            Self::Beta => "beta",
            Self::Lognormal => "lognormal",
            Self::Poisson => "poisson",
            Self::Empirical => "empirical",
            Self::Discrete => "discrete",
            Self::Constant => "constant",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimultaneousText {
    pub columns: Vec<Spanned<String>>,
    pub rows: Spanned<Vec<Spanned<Vec<Spanned<f64>>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrelationText {
    pub between: Spanned<Vec<Spanned<String>>>,
    pub r: Spanned<f64>,
}

impl CorrelationText {
    /// The two names; none where they are not two.
    pub fn pair(&self) -> Option<[&Spanned<String>; 2]> {
        match &self.between.get_ref()[..] {
            [a, b] => Some([a, b]),
            _ => None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsembleText {
    pub inputs: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputText {
    pub description: Option<String>,
    pub unit: Option<UnitExpression>,
    pub digits: Option<Spanned<u8>>,
    pub lower: Option<Spanned<f64>>,
    pub upper: Option<Spanned<f64>>,
    pub rule: Option<Spanned<Rule>>,
    pub guard_fraction: Option<Spanned<f64>>,
    pub threshold: Option<Spanned<f64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    Simple,
    Guarded,
    NonBinary,
    Probability,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationText {
    pub coverage: Option<Spanned<f64>>,
    pub trials: Option<Spanned<u64>>,
    pub adaptive: Option<AdaptiveText>,
    pub seed: Option<u64>,
    pub beyond_range: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveText {
    #[serde(default = "two")]
    pub digits: u8,
    #[serde(default = "ceiling")]
    pub max_trials: u64,
    #[serde(default)]
    pub interval: IntervalKind,
}

fn two() -> u8 {
    2
}

fn ceiling() -> u64 {
    100_000_000
}
