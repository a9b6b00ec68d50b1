//! Groups within groups.

use serde::{Deserialize, Serialize};

use super::{
    AnovaError, AnovaRow, Component, FTest, GrandMean, Group, Source, between, check_levels,
    check_readings, sum,
};

/// Analysis of variance of readings in inner groups in outer groups, all random effects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nested {
    /// Mean of each outer group, in the unit of the readings.
    pub means: Vec<f64>,
    /// Between outer groups. Groups of different size are tested against the combination of
    /// mean squares that has the same expectation, with degrees of freedom by Satterthwaite.
    pub outer: AnovaRow,
    /// Between inner groups, tested against within.
    pub inner: AnovaRow,
    /// Within inner groups.
    pub within: AnovaRow,
    /// All readings about their mean.
    pub total: AnovaRow,
    /// Component of variance between outer groups.
    pub component_outer: Component,
    /// Component of variance between inner groups.
    pub component_inner: Component,
    /// Component of variance within inner groups.
    pub component_within: Component,
    /// Mean of the means of the outer groups, with its uncertainty from their scatter.
    pub mean_of_groups: GrandMean,
}

/// Analysis of variance of readings `groups[outer][inner]`, of the same size or not; mean
/// squares are expected as in S. R. Searle, G. Casella, C. E. McCulloch, Variance components
/// (1992), appendix F.
///
/// # Errors
/// [`AnovaError`].
pub fn nested(groups: &[Vec<Vec<f64>>]) -> Result<Nested, AnovaError> {
    check(groups)?;
    let pivot = groups[0][0][0];
    let evaluated: Vec<Vec<Group>> = groups
        .iter()
        .map(|outer| outer.iter().map(|inner| Group::new(inner, pivot)).collect())
        .collect();
    let mut outer_means = Vec::new();
    let mut inner_squares = Vec::new();
    for outer in &evaluated {
        let weighted: Vec<_> = outer.iter().map(|inner| (inner.n, inner.mean)).collect();
        let (mean, squares) = between(&weighted);
        outer_means.push((sum(outer.iter().map(|inner| inner.n)), mean));
        inner_squares.push(squares);
    }
    let (_, squares_outer) = between(&outer_means);
    let squares_inner = sum(inner_squares.into_iter());
    let squares_within = sum(evaluated.iter().flatten().map(|inner| inner.squares));
    let n = sum(outer_means.iter().map(|(n, _)| *n));
    let outer_count = evaluated.len() as f64;
    let inner_count = evaluated.iter().map(Vec::len).sum::<usize>() as f64;
    let within = AnovaRow::new(Source::Within, squares_within, n - inner_count)?;
    let dof_inner = inner_count - outer_count;
    let mut inner = AnovaRow::new(Source::BetweenInner, squares_inner, dof_inner)?;
    let mut outer = AnovaRow::new(Source::Between, squares_outer, outer_count - 1.0)?;
    inner.test = Some(FTest::new(&inner, &within)?);
    let k = Coefficients::new(&evaluated, &outer_means, n, dof_inner);
    let ratio = k.inner_in_outer / k.inner;
    let terms = [(ratio, &inner), (1.0 - ratio, &within)];
    let below = Component::new(Source::BetweenInner, &terms);
    let dof_below = below.dof.unwrap_or(inner.dof);
    let test = FTest::of(&outer, below.variance, dof_below, Source::BetweenInner)?;
    outer.test = Some(test);
    let squares = squares_outer + squares_inner + squares_within;
    let alike: Vec<_> = outer_means.iter().map(|(_, mean)| (1.0, *mean)).collect();
    let (middle, squares_of_means) = between(&alike);
    Ok(Nested {
        means: outer_means.iter().map(|(_, mean)| pivot + mean).collect(),
        component_within: Component::new(Source::Within, &[(1.0, &within)]),
        component_inner: Component::new(
            Source::BetweenInner,
            &[(1.0 / k.inner, &inner), (-1.0 / k.inner, &within)],
        ),
        component_outer: Component::new(
            Source::Between,
            &[
                (1.0 / k.outer, &outer),
                (-ratio / k.outer, &inner),
                ((ratio - 1.0) / k.outer, &within),
            ],
        ),
        mean_of_groups: GrandMean {
            mean: pivot + middle,
            u: (squares_of_means / (outer_count - 1.0) / outer_count).sqrt(),
            dof: outer_count - 1.0,
        },
        total: AnovaRow::new(Source::Total, squares, n - 1.0)?,
        outer,
        inner,
        within,
    })
}

/// How often components of variance stand in the expected mean squares.
struct Coefficients {
    /// The inner component in the inner mean square.
    inner: f64,
    /// The inner component in the outer mean square.
    inner_in_outer: f64,
    /// The outer component in the outer mean square.
    outer: f64,
}

impl Coefficients {
    fn new(groups: &[Vec<Group>], outer: &[(f64, f64)], n: f64, dof_inner: f64) -> Self {
        let squares = |group: &Vec<Group>| sum(group.iter().map(|inner| inner.n * inner.n));
        let all = sum(groups.iter().map(squares));
        let shares = groups.iter().zip(outer);
        let shares = sum(shares.map(|(group, (n, _))| squares(group) / n));
        let dof_outer = groups.len() as f64 - 1.0;
        Self {
            inner: (n - shares) / dof_inner,
            inner_in_outer: (shares - all / n) / dof_outer,
            outer: (n - sum(outer.iter().map(|(n, _)| n * n)) / n) / dof_outer,
        }
    }
}

fn check(groups: &[Vec<Vec<f64>>]) -> Result<(), AnovaError> {
    check_levels(Source::Between, groups.len())?;
    for (at, outer) in (1..).zip(groups) {
        if outer.is_empty() {
            let group = format!("group {at}");
            return Err(AnovaError::EmptyGroup { group });
        }
        for (inside, inner) in (1..).zip(outer) {
            check_readings(inner, || format!("group {at}, {inside}"))?;
        }
    }
    Ok(())
}
