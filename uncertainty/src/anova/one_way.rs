//! One factor.

use serde::{Deserialize, Serialize};

use super::{
    AnovaError, AnovaRow, Component, FTest, GrandMean, Group, Source, between, check_levels,
    check_readings, sum,
};

/// Analysis of variance of one factor, with the components of variance of random effects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneWay {
    /// Number of readings of each group.
    pub n: Vec<usize>,
    /// Mean of each group, in the unit of the readings.
    pub means: Vec<f64>,
    /// Experimental standard deviation of the group means.
    pub sd_of_means: f64,
    /// Between groups, with the test against within.
    pub between: AnovaRow,
    /// Within groups; the square root of its mean square is the pooled standard deviation.
    pub within: AnovaRow,
    /// All readings about their mean.
    pub total: AnovaRow,
    /// Pooled standard deviation within groups (JCGM 100:2008, 4.2.4).
    pub pooled_sd: f64,
    /// Share of the sum of squares that lies between groups.
    pub r_squared: f64,
    /// Component of variance within groups.
    pub component_within: Component,
    /// Component of variance between groups; groups of different size count with
    /// n₀ = (N − Σn²/N)/(J − 1).
    pub component_between: Component,
    /// Mean of the group means with its uncertainty from their scatter, J − 1 degrees of
    /// freedom: where groups differ (JCGM 100:2008, H.5).
    pub mean_of_groups: GrandMean,
    /// Mean of all readings with the uncertainty from all their scatter, N − 1 degrees of
    /// freedom: where the groups do not differ (JCGM 100:2008, H.5).
    pub mean_of_all: GrandMean,
}

/// Number, mean and experimental standard deviation of the readings of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// Number of readings.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their experimental standard deviation; 0 for a single reading.
    pub s: f64,
}

/// Analysis of variance of `groups` of readings, of the same size or not
/// (JCGM 100:2008, H.5).
///
/// # Errors
/// [`AnovaError`].
pub fn one_way(groups: &[Vec<f64>]) -> Result<OneWay, AnovaError> {
    check_levels(Source::Between, groups.len())?;
    for (at, group) in (1..).zip(groups) {
        check_readings(group, || format!("group {at}"))?;
    }
    let pivot = groups[0][0];
    let evaluated = groups.iter().map(|group| Group::new(group, pivot));
    let n = groups.iter().map(Vec::len).collect();
    analyse(&evaluated.collect::<Vec<_>>(), n, pivot)
}

/// As [`one_way`], from a summary of each group.
///
/// # Errors
/// [`AnovaError`].
pub fn one_way_of_summaries(groups: &[GroupSummary]) -> Result<OneWay, AnovaError> {
    check_levels(Source::Between, groups.len())?;
    let pivot = groups[0].mean;
    let mut evaluated = Vec::new();
    for (at, group) in (1..).zip(groups) {
        let name = || format!("group {at}");
        if group.n == 0 {
            return Err(AnovaError::EmptyGroup { group: name() });
        }
        check_readings(&[group.mean], name)?;
        if !(group.s >= 0.0 && group.s.is_finite()) {
            let (group, found) = (name(), group.s);
            return Err(AnovaError::Deviation { group, found });
        }
        let n = group.n as f64;
        evaluated.push(Group {
            n,
            mean: group.mean - pivot,
            squares: (n - 1.0) * group.s * group.s,
        });
    }
    let n = groups.iter().map(|group| group.n).collect();
    analyse(&evaluated, n, pivot)
}

fn analyse(groups: &[Group], counts: Vec<usize>, pivot: f64) -> Result<OneWay, AnovaError> {
    let levels = groups.len() as f64;
    let n = sum(groups.iter().map(|group| group.n));
    let weighted: Vec<_> = groups.iter().map(|group| (group.n, group.mean)).collect();
    let (grand, squares_between) = between(&weighted);
    let squares_within = sum(groups.iter().map(|group| group.squares));
    let within = AnovaRow::new(Source::Within, squares_within, n - levels)?;
    let mut row = AnovaRow::new(Source::Between, squares_between, levels - 1.0)?;
    row.test = Some(FTest::new(&row, &within)?);
    let total = AnovaRow::new(Source::Total, squares_between + squares_within, n - 1.0)?;
    let n_squares = sum(groups.iter().map(|group| group.n * group.n));
    let n0 = (n - n_squares / n) / (levels - 1.0);
    let alike: Vec<_> = groups.iter().map(|group| (1.0, group.mean)).collect();
    let (middle, squares_of_means) = between(&alike);
    let sd_of_means = (squares_of_means / (levels - 1.0)).sqrt();
    Ok(OneWay {
        n: counts,
        means: groups.iter().map(|group| pivot + group.mean).collect(),
        sd_of_means,
        pooled_sd: within.mean_square.sqrt(),
        r_squared: squares_between / total.sum_of_squares,
        component_within: Component::new(Source::Within, &[(1.0, &within)]),
        component_between: Component::new(
            Source::Between,
            &[(1.0 / n0, &row), (-1.0 / n0, &within)],
        ),
        mean_of_groups: GrandMean {
            mean: pivot + middle,
            u: sd_of_means / levels.sqrt(),
            dof: levels - 1.0,
        },
        mean_of_all: GrandMean {
            mean: pivot + grand,
            u: (total.mean_square / n).sqrt(),
            dof: n - 1.0,
        },
        between: row,
        within,
        total,
    })
}
