//! Two crossed factors.

use serde::{Deserialize, Serialize};

use super::{
    AnovaError, AnovaRow, Component, FTest, GrandMean, Group, Source, between, check_levels,
    check_readings, sum,
};

/// What the levels of both factors are, which decides the denominator of their tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effects {
    /// The levels themselves are of interest: factors are tested against repetition.
    Fixed,
    /// The levels are a sample of many: factors are tested against the interaction.
    Random,
}

/// Analysis of variance of two crossed factors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crossed {
    /// Mean of each level of factor A, in the unit of the readings.
    pub means_a: Vec<f64>,
    /// Mean of each level of factor B.
    pub means_b: Vec<f64>,
    /// Factor A.
    pub a: AnovaRow,
    /// Factor B.
    pub b: AnovaRow,
    /// Interaction, with its test against repetition; none without repetition, or where it is
    /// pooled.
    pub interaction: Option<AnovaRow>,
    /// Repetition; without repetition what both factors leave over.
    pub within: AnovaRow,
    /// All readings about their mean.
    pub total: AnovaRow,
    /// Components of variance of random effects: A, B, the interaction where it has a line, and
    /// within.
    pub components: Vec<Component>,
    /// Mean of all readings, with the uncertainty that follows from random effects of both
    /// factors.
    pub grand_mean: GrandMean,
    /// Readings a cell.
    pub repetitions: usize,
}

impl Crossed {
    /// The component of a source; none where it has no line.
    pub fn component(&self, source: Source) -> Option<&Component> {
        self.components
            .iter()
            .find(|component| component.source == source)
    }

    /// The same with the interaction counted as repetition, for effects that do not interact.
    ///
    /// # Errors
    /// [`AnovaError::NoScatter`] where nothing is left over.
    pub fn pooled(&self) -> Result<Self, AnovaError> {
        let Some(interaction) = &self.interaction else {
            return Ok(self.clone());
        };
        let within = AnovaRow::new(
            Source::Within,
            self.within.sum_of_squares + interaction.sum_of_squares,
            self.within.dof + interaction.dof,
        )?;
        let mut pooled = Self {
            interaction: None,
            within,
            ..self.clone()
        };
        pooled.a.test = Some(FTest::new(&pooled.a, &pooled.within)?);
        pooled.b.test = Some(FTest::new(&pooled.b, &pooled.within)?);
        pooled.set_components();
        Ok(pooled)
    }

    fn set_components(&mut self) {
        let [levels_a, levels_b] = [&self.means_a, &self.means_b].map(|means| means.len() as f64);
        let repetitions = self.repetitions as f64;
        let (a, b, within) = (&self.a, &self.b, &self.within);
        let below = self.interaction.as_ref().unwrap_or(within);
        let factor = |source, row, count: f64| {
            Component::new(source, &[(1.0 / count, row), (-1.0 / count, below)])
        };
        let mut components = vec![
            factor(Source::A, a, levels_b * repetitions),
            factor(Source::B, b, levels_a * repetitions),
        ];
        if let Some(row) = &self.interaction {
            let each = 1.0 / repetitions;
            components.push(Component::new(
                Source::Interaction,
                &[(each, row), (-each, within)],
            ));
        }
        components.push(Component::new(Source::Within, &[(1.0, within)]));
        // var(mean) = (MS_A + MS_B − MS_below)/N, by the expected mean squares.
        let n = levels_a * levels_b * repetitions;
        let terms = [(1.0 / n, a), (1.0 / n, b), (-1.0 / n, below)];
        let of_mean = Component::new(Source::Total, &terms);
        // Where the difference vanishes, repetition alone is left.
        let of_mean = match of_mean.dof {
            Some(_) => of_mean,
            None => Component::new(Source::Total, &[(1.0 / n, below)]),
        };
        self.grand_mean.u = of_mean.sd;
        self.grand_mean.dof = of_mean.dof.unwrap_or(below.dof);
        self.components = components;
    }
}

/// Analysis of variance of two crossed factors: `cells[a][b]` holds the readings at level `a`
/// of the first and `b` of the second factor, as many in each cell. With one reading a cell
/// there is no line for the interaction, which then counts as repetition.
///
/// # Errors
/// [`AnovaError`].
pub fn crossed(cells: &[Vec<Vec<f64>>], effects: Effects) -> Result<Crossed, AnovaError> {
    let [levels_a, levels_b, repetitions] = check(cells)?;
    let pivot = cells[0][0][0];
    let groups: Vec<Vec<Group>> = cells
        .iter()
        .map(|row| row.iter().map(|cell| Group::new(cell, pivot)).collect())
        .collect();
    let [count_a, count_b, count] = [levels_a, levels_b, repetitions].map(|n| n as f64);
    let of_a = |a: usize| sum(groups[a].iter().map(|cell| cell.mean)) / count_b;
    let of_b = |b: usize| sum(groups.iter().map(|row| row[b].mean)) / count_a;
    let means_a: Vec<f64> = (0..levels_a).map(of_a).collect();
    let means_b: Vec<f64> = (0..levels_b).map(of_b).collect();
    let alike = |means: &[f64], n: f64| -> Vec<_> { means.iter().map(|&mean| (n, mean)).collect() };
    let (grand, squares_a) = between(&alike(&means_a, count_b * count));
    let (_, squares_b) = between(&alike(&means_b, count_a * count));
    let left = groups.iter().zip(&means_a).flat_map(|(row, mean_a)| {
        let cells = row.iter().zip(&means_b);
        cells.map(move |(cell, mean_b)| {
            let left = (cell.mean - mean_a) - (mean_b - grand);
            count * left * left
        })
    });
    let squares_left = sum(left);
    let squares_within = sum(groups.iter().flatten().map(|cell| cell.squares));
    let mut a = AnovaRow::new(Source::A, squares_a, count_a - 1.0)?;
    let mut b = AnovaRow::new(Source::B, squares_b, count_b - 1.0)?;
    let dof_left = (count_a - 1.0) * (count_b - 1.0);
    let (interaction, within) = if repetitions == 1 {
        (None, AnovaRow::new(Source::Within, squares_left, dof_left)?)
    } else {
        let dof = count_a * count_b * (count - 1.0);
        let within = AnovaRow::new(Source::Within, squares_within, dof)?;
        let mut row = AnovaRow::new(Source::Interaction, squares_left, dof_left)?;
        row.test = Some(FTest::new(&row, &within)?);
        (Some(row), within)
    };
    let below = match (&interaction, effects) {
        (Some(interaction), Effects::Random) => interaction,
        _ => &within,
    };
    // Effects that add up to the last digit leave an interaction of rounding alone, or none: the
    // factors then have no test against it.
    let none_left = squares_left <= 1e-28 * (squares_a + squares_b + squares_within);
    if effects == Effects::Fixed || interaction.is_none() || !none_left {
        a.test = Some(FTest::new(&a, below)?);
        b.test = Some(FTest::new(&b, below)?);
    }
    let squares = squares_a + squares_b + squares_left + squares_within;
    let total = AnovaRow::new(Source::Total, squares, count_a * count_b * count - 1.0)?;
    let mut found = Crossed {
        means_a: means_a.iter().map(|mean| pivot + mean).collect(),
        means_b: means_b.iter().map(|mean| pivot + mean).collect(),
        a,
        b,
        interaction,
        within,
        total,
        components: Vec::new(),
        grand_mean: GrandMean {
            mean: pivot + grand,
            u: 0.0,
            dof: 0.0,
        },
        repetitions,
    };
    found.set_components();
    Ok(found)
}

/// Levels of both factors and readings a cell.
fn check(cells: &[Vec<Vec<f64>>]) -> Result<[usize; 3], AnovaError> {
    check_levels(Source::A, cells.len())?;
    let levels = cells[0].len();
    check_levels(Source::B, levels)?;
    let repetitions = cells[0][0].len();
    for (a, row) in (1..).zip(cells) {
        if row.len() != levels {
            return Err(AnovaError::Unbalanced {
                group: format!("row {a}"),
                found: row.len(),
                expected: levels,
            });
        }
        for (b, cell) in (1..).zip(row) {
            let group = || format!("cell {a}, {b}");
            check_readings(cell, group)?;
            if cell.len() != repetitions {
                return Err(AnovaError::Unbalanced {
                    group: group(),
                    found: cell.len(),
                    expected: repetitions,
                });
            }
        }
    }
    Ok([cells.len(), levels, repetitions])
}
