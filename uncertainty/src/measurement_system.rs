//! Studies of measurement systems: gauge repeatability and reproducibility, bias
//! (AIAG, Measurement systems analysis, 4th edition, chapter III).

use serde::{Deserialize, Serialize};

use crate::anova::{AnovaError, Component, Crossed, Effects, Nested, Source, crossed, nested};
use crate::gum::coverage_factor;
use crate::student;

/// Above this probability the interaction of parts and appraisers counts as repetition.
const POOL_ABOVE: f64 = 0.25;
/// The spread of a component is this many standard deviations.
const STUDY_WIDTH: f64 = 6.0;
/// Distinct categories for one ratio of part to gauge variation, √2 as printed by the AIAG.
const CATEGORIES: f64 = 1.41;

/// Why a study of a measurement system is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StudyError {
    /// The analysis of variance is refused.
    #[error(transparent)]
    Anova(#[from] AnovaError),
    /// A study without repetition, whose repeatability is not known.
    #[error("each appraiser has measured each part once: repeat the measurements at least twice")]
    NoRepetition,
    /// A tolerance that has no width.
    #[error("the tolerance is {0}: give the width between the limits, above 0")]
    Tolerance(f64),
    /// A bias study of fewer than two readings, or without scatter.
    #[error(
        "a bias study needs at least 2 readings and a finite standard deviation above 0, not {n} \
         readings and s = {s}: repeat the reading, or record more digits"
    )]
    Readings {
        /// Number of readings.
        n: usize,
        /// Their standard deviation.
        s: f64,
    },
    /// Mean or reference value is not a number.
    #[error("mean {mean} and reference value {reference} must be finite numbers: correct them")]
    NotFinite {
        /// Mean of the readings.
        mean: f64,
        /// Value of the reference.
        reference: f64,
    },
    /// A coverage probability outside (0, 1).
    #[error("the coverage probability is {0}: give one between 0 and 1, such as 0.95")]
    Coverage(f64),
}

/// A source of variation as share of the total variation and of the tolerance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyShare {
    /// Standard deviation, in the unit of the readings.
    pub sd: f64,
    /// Standard deviation over that of the total variation, in percent. These do not add up.
    pub of_total_pct: f64,
    /// Variance over that of the total variation, in percent. These add up.
    pub of_variance_pct: f64,
    /// Six standard deviations over the tolerance, in percent; none without tolerance.
    pub of_tolerance_pct: Option<f64>,
}

/// The table behind a gauge study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyTable {
    /// All appraisers measured the same parts: parts are factor A, appraisers factor B.
    Crossed {
        /// With the interaction, whether it is pooled or not.
        full: Box<Crossed>,
        /// With the interaction counted as repetition, where its p is above 0.25.
        pooled: Option<Box<Crossed>>,
    },
    /// Each appraiser measured parts of their own.
    Nested(Box<Nested>),
}

/// Repeatability and reproducibility of a measurement system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaugeStudy {
    /// Repeatability: equipment variation EV.
    pub repeatability: StudyShare,
    /// Reproducibility: appraiser variation AV, without the interaction.
    pub reproducibility: StudyShare,
    /// Interaction of parts and appraisers; none where it is pooled or not estimable.
    pub interaction: Option<StudyShare>,
    /// Repeatability, reproducibility and interaction together: GRR.
    pub gauge: StudyShare,
    /// Part variation PV.
    pub part: StudyShare,
    /// Total variation TV.
    pub total: StudyShare,
    /// Number of distinct categories, 1.41·PV/GRR without its decimals and at least 0; none
    /// where the gauge does not vary.
    pub distinct_categories: Option<u32>,
    /// The analysis of variance.
    pub table: StudyTable,
}

/// Study in which every appraiser measures every part: `cells[part][appraiser]` holds the
/// readings. The interaction is pooled where its p is above 0.25. `tolerance` is the width
/// between the limits, in the unit of the readings.
///
/// # Errors
/// [`StudyError`].
pub fn gauge_study(
    cells: &[Vec<Vec<f64>>],
    tolerance: Option<f64>,
) -> Result<GaugeStudy, StudyError> {
    check_tolerance(tolerance)?;
    let full = crossed(cells, Effects::Random)?;
    let test = full.interaction.as_ref().and_then(|row| row.test.as_ref());
    let Some(test) = test else {
        return Err(StudyError::NoRepetition);
    };
    let pooled = if test.p > POOL_ABOVE {
        Some(full.pooled()?)
    } else {
        None
    };
    let used = pooled.as_ref().unwrap_or(&full);
    let variance = |source| used.component(source).map_or(0.0, |found| found.variance);
    let interaction = used
        .component(Source::Interaction)
        .map(|found| found.variance);
    let parts = Variances {
        repeatability: variance(Source::Within),
        reproducibility: variance(Source::B),
        interaction,
        part: variance(Source::A),
    };
    Ok(parts.study(
        tolerance,
        StudyTable::Crossed {
            full: Box::new(full),
            pooled: pooled.map(Box::new),
        },
    ))
}

/// Study in which each appraiser measures parts of their own, such as destructive tests of
/// homogeneous batches: `groups[appraiser][part]` holds the readings.
///
/// # Errors
/// [`StudyError`].
pub fn gauge_study_nested(
    groups: &[Vec<Vec<f64>>],
    tolerance: Option<f64>,
) -> Result<GaugeStudy, StudyError> {
    check_tolerance(tolerance)?;
    let table = nested(groups)?;
    let variance = |component: &Component| component.variance;
    let parts = Variances {
        repeatability: variance(&table.component_within),
        reproducibility: variance(&table.component_outer),
        interaction: None,
        part: variance(&table.component_inner),
    };
    Ok(parts.study(tolerance, StudyTable::Nested(Box::new(table))))
}

fn check_tolerance(tolerance: Option<f64>) -> Result<(), StudyError> {
    match tolerance {
        Some(width) if !(width > 0.0 && width.is_finite()) => Err(StudyError::Tolerance(width)),
        _ => Ok(()),
    }
}

struct Variances {
    repeatability: f64,
    reproducibility: f64,
    interaction: Option<f64>,
    part: f64,
}

impl Variances {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number of categories is what is left without the decimals"
    )]
    fn study(&self, tolerance: Option<f64>, table: StudyTable) -> GaugeStudy {
        let interaction = self.interaction.unwrap_or(0.0);
        let gauge = self.repeatability + self.reproducibility + interaction;
        let total = gauge + self.part;
        // The variation within is above 0, or F was refused.
        let share = |variance: f64| StudyShare {
            sd: variance.sqrt(),
            of_total_pct: 100.0 * (variance / total).sqrt(),
            of_variance_pct: 100.0 * variance / total,
            of_tolerance_pct: tolerance.map(|width| 100.0 * STUDY_WIDTH * variance.sqrt() / width),
        };
        let categories = CATEGORIES * (self.part / gauge).sqrt();
        GaugeStudy {
            repeatability: share(self.repeatability),
            reproducibility: share(self.reproducibility),
            interaction: self.interaction.map(share),
            gauge: share(gauge),
            part: share(self.part),
            total: share(total),
            distinct_categories: categories.is_finite().then_some(categories as u32),
            table,
        }
    }
}

/// Bias of a measurement system against a reference value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasStudy {
    /// Mean less reference value, in the unit of the readings.
    pub bias: f64,
    /// s/√n.
    pub u: f64,
    /// Bias over its standard uncertainty.
    pub t: f64,
    /// Degrees of freedom n − 1.
    pub dof: f64,
    /// Probability of |t| at least as large without bias.
    pub p: f64,
    /// Confidence interval of the bias.
    pub interval: [f64; 2],
    /// Whether the interval leaves out 0.
    pub significant: bool,
}

/// Test of the bias of a mean of `n` readings with the standard deviation `s`; `coverage` is
/// the probability of the confidence interval, such as 0.95.
///
/// The reference value counts as exact: its uncertainty belongs into the budget.
///
/// # Errors
/// [`StudyError`].
pub fn bias_study(
    reference: f64,
    mean: f64,
    s: f64,
    n: usize,
    coverage: f64,
) -> Result<BiasStudy, StudyError> {
    if !(mean.is_finite() && reference.is_finite()) {
        return Err(StudyError::NotFinite { mean, reference });
    }
    if n < 2 || !(s > 0.0 && s.is_finite()) {
        return Err(StudyError::Readings { n, s });
    }
    if !(coverage > 0.0 && coverage < 1.0) {
        return Err(StudyError::Coverage(coverage));
    }
    let dof = n as f64 - 1.0;
    let bias = mean - reference;
    let u = s / (n as f64).sqrt();
    let t = bias / u;
    let half = coverage_factor(dof, coverage) * u;
    Ok(BiasStudy {
        bias,
        u,
        t,
        dof,
        p: 2.0 * student::upper_tail(t.abs(), dof),
        interval: [bias - half, bias + half],
        significant: bias.abs() > half,
    })
}
