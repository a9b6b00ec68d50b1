//! Precision of a measurement method from an experiment of several laboratories
//! (ISO 5725-2:2019).

use serde::{Deserialize, Serialize};

use crate::anova::{AnovaError, OneWay, f_upper_tail, one_way};
use crate::student;

/// Verdict on a laboratory by a test at 5 % and 1 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not beyond the value at 5 %.
    Correct,
    /// Beyond the value at 5 %, not beyond that at 1 %.
    Straggler,
    /// Beyond the value at 1 %.
    Outlier,
}

impl Standing {
    fn of(statistic: f64, critical: [f64; 2]) -> Self {
        if statistic > critical[1] {
            Self::Outlier
        } else if statistic > critical[0] {
            Self::Straggler
        } else {
            Self::Correct
        }
    }
}

/// Test of an extreme laboratory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtremeTest {
    /// Position of the laboratory, from 0.
    pub laboratory: usize,
    /// Cochran's C or Grubbs' G.
    pub statistic: f64,
    /// Critical values at 5 % and 1 %.
    pub critical: [f64; 2],
    /// What follows.
    pub standing: Standing,
}

/// Mandel's statistics of a laboratory (ISO 5725-2:2019, 7.3.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mandel {
    /// Deviation of the laboratory mean in standard deviations of the means.
    pub h: f64,
    /// Verdict on h.
    pub h_standing: Standing,
    /// Standard deviation of the laboratory over the pooled one; none for a single result.
    pub k: Option<f64>,
    /// Verdict on k.
    pub k_standing: Option<Standing>,
}

/// Repeatability and reproducibility of a method at one level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Precision {
    /// Analysis of variance between laboratories. `mean_of_all` is the general mean.
    pub anova: OneWay,
    /// Repeatability standard deviation.
    pub s_r: f64,
    /// Standard deviation between laboratories; 0 where its estimate is negative.
    pub s_l: f64,
    /// Reproducibility standard deviation, the root of the squares of both.
    pub s_reproducibility: f64,
    /// Cochran's test of the largest variance; for results of different number, that of most
    /// laboratories counts.
    pub cochran: ExtremeTest,
    /// Grubbs' test of the smallest laboratory mean; none for two laboratories.
    pub grubbs_smallest: Option<ExtremeTest>,
    /// Grubbs' test of the largest laboratory mean; none for two laboratories.
    pub grubbs_largest: Option<ExtremeTest>,
    /// Consistency of each laboratory; empty for two laboratories.
    pub mandel: Vec<Mandel>,
}

const LEVELS: [f64; 2] = [0.05, 0.01];

/// Evaluates the results of each laboratory (ISO 5725-2:2019, 7.4). Outliers are named, not
/// removed: that is for the laboratory's experts to decide (7.2.6).
///
/// # Errors
/// [`AnovaError`].
pub fn precision(laboratories: &[Vec<f64>]) -> Result<Precision, AnovaError> {
    let anova = one_way(laboratories)?;
    let variances: Vec<f64> = laboratories
        .iter()
        .map(|results| variance(results))
        .collect();
    let s_l = anova.component_between.sd;
    let s_reproducibility = (anova.pooled_sd * anova.pooled_sd + s_l * s_l).sqrt();
    let enough = laboratories.len() > 2 && anova.sd_of_means > 0.0;
    Ok(Precision {
        s_r: anova.pooled_sd,
        s_l,
        s_reproducibility,
        cochran: cochran(&variances, &anova.n),
        grubbs_smallest: enough.then(|| grubbs(&anova, -1.0)),
        grubbs_largest: enough.then(|| grubbs(&anova, 1.0)),
        mandel: if enough {
            mandel(&anova, &variances)
        } else {
            Vec::new()
        },
        anova,
    })
}

/// The variance of results of one laboratory; 0 for one result.
fn variance(results: &[f64]) -> f64 {
    crate::type_a(results).map_or(0.0, |found| found.s * found.s)
}

/// The number of results that most laboratories with a variance have; the larger of two as
/// frequent.
fn usual(n: &[usize]) -> f64 {
    let count = |n_each: usize| n.iter().filter(|&&other| other == n_each).count();
    let several = n.iter().copied().filter(|&each| each > 1);
    let most = several.max_by_key(|&each| (count(each), each));
    most.unwrap_or_default() as f64
}

/// Laboratories that have a variance: a single result has none.
fn with_variance(n: &[usize]) -> usize {
    n.iter().filter(|&&each| each > 1).count()
}

fn cochran(variances: &[f64], n: &[usize]) -> ExtremeTest {
    let total = variances.iter().fold(0.0, |sum, variance| sum + variance);
    let (laboratory, statistic) = largest(variances.iter().map(|variance| variance / total));
    let critical = LEVELS.map(|level| cochran_critical(with_variance(n), usual(n), level));
    ExtremeTest {
        laboratory,
        statistic,
        critical,
        standing: Standing::of(statistic, critical),
    }
}

fn largest(values: impl Iterator<Item = f64>) -> (usize, f64) {
    let start = (0, f64::NEG_INFINITY);
    values.enumerate().fold(
        start,
        |best, next| {
            if next.1 > best.1 { next } else { best }
        },
    )
}

/// Critical value of the largest of `p` variances of `n` results over their sum, at the level
/// shared between the laboratories (ISO 5725-2:2019, table 4, by the F distribution).
fn cochran_critical(p: usize, n: f64, level: f64) -> f64 {
    share_critical(p as f64, n, level / p as f64)
}

/// Share of one of `p` variances of `n` results in their sum that is exceeded with the
/// probability `level`. One result has no variance, and the only variance is all of the sum: the
/// share is 1.
fn share_critical(p: f64, n: f64, level: f64) -> f64 {
    if n < 2.0 || p < 2.0 {
        return 1.0;
    }
    let (above, below) = (n - 1.0, (p - 1.0) * (n - 1.0));
    let exceeded = |share: f64| f_upper_tail((p - 1.0) * share / (1.0 - share), above, below);
    let (mut low, mut high) = (0.0, 1.0);
    // Halving ends where the two are neighbours.
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if exceeded(middle) > level {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// Grubbs' test of the largest (`sign` 1) or smallest (−1) laboratory mean; the level is shared
/// between both ends (ISO 5725-2:2019, table 5).
fn grubbs(anova: &OneWay, sign: f64) -> ExtremeTest {
    let (mean, sd) = (anova.mean_of_groups.mean, anova.sd_of_means);
    let deviations = anova.means.iter().map(|each| sign * (each - mean) / sd);
    let (laboratory, statistic) = largest(deviations);
    let critical = LEVELS.map(|level| grubbs_critical(anova.means.len() as f64, level));
    ExtremeTest {
        laboratory,
        statistic,
        critical,
        standing: Standing::of(statistic, critical),
    }
}

/// F. E. Grubbs, Technometrics 11 (1969): (p − 1)/√p·√(t²/(p − 2 + t²)) with t exceeded with
/// the probability level/(2p).
fn grubbs_critical(p: f64, level: f64) -> f64 {
    let t = student::upper_quantile(0.5 * level / p, p - 2.0);
    (p - 1.0) / p.sqrt() * (t * t / (p - 2.0 + t * t)).sqrt()
}

/// Indicators of 5 % and 1 % for one laboratory (ISO 5725-2:2019, tables 6 and 7).
fn mandel(anova: &OneWay, variances: &[f64]) -> Vec<Mandel> {
    let p = anova.means.len() as f64;
    let h_critical = LEVELS.map(|level| {
        let t = student::upper_quantile(0.5 * level, p - 2.0);
        (p - 1.0) * t / (p * (p - 2.0 + t * t)).sqrt()
    });
    let with_variance = with_variance(&anova.n) as f64;
    let each = anova.means.iter().zip(variances).zip(&anova.n);
    each.map(|((mean, variance), &n)| {
        let h = (mean - anova.mean_of_groups.mean) / anova.sd_of_means;
        let k = (n > 1).then(|| (variance / anova.within.mean_square).sqrt());
        let k_critical = LEVELS
            .map(|level| (with_variance * share_critical(with_variance, n as f64, level)).sqrt());
        Mandel {
            h,
            h_standing: Standing::of(h.abs(), h_critical),
            k,
            k_standing: k.map(|k| Standing::of(k, k_critical)),
        }
    })
    .collect()
}

/// Why a standard deviation for proficiency assessment is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "s_R = {reproducibility} and s_r = {repeatability} with {replicates} replicates give no standard deviation: \
     s_R must not be below s_r, which must be finite and 0 or above, and there must be a replicate"
)]
pub struct PrecisionError {
    /// Reproducibility standard deviation.
    pub reproducibility: f64,
    /// Repeatability standard deviation.
    pub repeatability: f64,
    /// Replicates of each participant.
    pub replicates: usize,
}

/// Standard deviation for proficiency assessment of means of `replicates` results, from the
/// precision of the method: √(σ_R² − σ_r²(1 − 1/m)) (ISO 13528:2022, 8.5).
///
/// # Errors
/// [`PrecisionError`].
pub fn sigma_from_precision(
    reproducibility: f64,
    repeatability: f64,
    replicates: usize,
) -> Result<f64, PrecisionError> {
    let fits = repeatability >= 0.0 && reproducibility >= repeatability;
    if !(fits && reproducibility.is_finite() && replicates > 0) {
        return Err(PrecisionError {
            reproducibility,
            repeatability,
            replicates,
        });
    }
    let kept = 1.0 - 1.0 / replicates as f64;
    let square = reproducibility * reproducibility - repeatability * repeatability * kept;
    Ok(square.sqrt())
}
