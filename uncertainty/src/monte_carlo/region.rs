//! Coverage regions of several outputs (JCGM 102:2011, 7.7).

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::covariance::lower_triangle;

/// Regions that hold the fraction `coverage` of the trials of several outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regions {
    /// Coverage probability p of every region here.
    pub coverage: f64,
    /// Ellipsoid about the mean with the covariance of the trials: points whose distance
    /// √((η − y)ᵀ·V⁻¹·(η − y)) is at most this (7.7.2).
    pub k: f64,
    /// Area of the ellipse, volume of the ellipsoid, in the product of the units.
    pub ellipsoid_volume: f64,
    /// Approximate smallest region (7.7.4), for two outputs.
    pub smallest: Option<SmallestRegion>,
}

/// Cells of a mesh over two outputs, those with most trials first, until together they hold
/// the wanted fraction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SmallestRegion {
    /// Area in the product of the units.
    pub area: f64,
    /// Cells that the region consists of.
    pub cells: usize,
    /// Area of one cell: the area of the region is known to some cells of its border.
    pub cell_area: f64,
}

/// Coordinates in which the outputs have zero mean and unit covariance.
struct Whitened {
    coordinates: Vec<Vec<f64>>,
    /// Product of the diagonal of the factor: the volume of a unit cube.
    volume: f64,
}

/// None where the outputs depend on each other so strictly that no region has a volume.
pub fn regions(
    columns: &[Vec<f64>],
    means: &[f64],
    covariance: &[Vec<f64>],
    coverage: f64,
) -> Option<Regions> {
    let whitened = whiten(columns, means, covariance)?;
    let dimension = columns.len();
    let k = distance(&whitened, coverage);
    let ball = ball_volume(dimension);
    Some(Regions {
        coverage,
        k,
        ellipsoid_volume: ball * whitened.volume * libm::pow(k, dimension as f64),
        smallest: (dimension == 2).then(|| smallest(&whitened, coverage)),
    })
}

fn whiten(columns: &[Vec<f64>], means: &[f64], covariance: &[Vec<f64>]) -> Option<Whitened> {
    let size = columns.len();
    let sd: Vec<f64> = (0..size).map(|at| covariance[at][at].sqrt()).collect();
    if sd.iter().any(|&sd| sd <= 0.0) {
        return None;
    }
    let correlation = DMatrix::from_fn(size, size, |a, b| covariance[a][b] / (sd[a] * sd[b]));
    let lower = lower_triangle(&correlation).ok()?;
    if (0..size).any(|at| lower[(at, at)] == 0.0) {
        return None;
    }
    let mut coordinates: Vec<Vec<f64>> = Vec::with_capacity(size);
    for row in 0..size {
        let mut own: Vec<f64> = columns[row]
            .iter()
            .map(|value| (value - means[row]) / sd[row])
            .collect();
        for (column, other) in coordinates.iter().enumerate() {
            let weight = lower[(row, column)];
            for (own, other) in own.iter_mut().zip(other) {
                *own -= weight * other;
            }
        }
        for own in &mut own {
            *own /= lower[(row, row)];
        }
        coordinates.push(own);
    }
    let volume = (0..size).fold(1.0, |product, at| product * sd[at] * lower[(at, at)]);
    Some(Whitened {
        coordinates,
        volume,
    })
}

/// The distance that the wanted fraction of the trials stays within.
fn distance(whitened: &Whitened, coverage: f64) -> f64 {
    let trials = whitened.coordinates[0].len();
    let mut squares = vec![0.0; trials];
    for coordinate in &whitened.coordinates {
        for (square, x) in squares.iter_mut().zip(coordinate) {
            *square += x * x;
        }
    }
    let rank = super::intervals::span(trials, coverage).max(1) - 1;
    let (_, square, _) = squares.select_nth_unstable_by(rank, f64::total_cmp);
    square.sqrt()
}

/// Volume of the unit ball: 2, π, 4π/3, … by V(m) = V(m − 2)·2π/m.
fn ball_volume(dimension: usize) -> f64 {
    let mut volume = if dimension.is_multiple_of(2) {
        1.0
    } else {
        2.0
    };
    let mut m = if dimension.is_multiple_of(2) { 2 } else { 3 };
    while m <= dimension {
        volume *= 2.0 * std::f64::consts::PI / m as f64;
        m += 2;
    }
    volume
}

/// Cells of the mesh a side; about 250 trials fall into a cell of the middle when there are
/// a million.
const MESH: usize = 100;

fn smallest(whitened: &Whitened, coverage: f64) -> SmallestRegion {
    let [x, y] = [&whitened.coordinates[0], &whitened.coordinates[1]];
    // The mesh leaves out a hundredth of what the region leaves out, at each of four sides.
    let outside = 0.01 * (1.0 - coverage);
    let edges = [x, y].map(|axis| super::intervals::Tails::new(axis, 1.0 - 2.0 * outside).ends());
    let step = edges.map(|[low, high]| (high - low) / MESH as f64);
    let mut counts = vec![0_u64; MESH * MESH];
    for (x, y) in x.iter().zip(y) {
        let cell = |value: f64, axis: usize| {
            let at = ((value - edges[axis][0]) / step[axis]).floor();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to lie on the mesh"
            )]
            let at = (0.0..MESH as f64).contains(&at).then_some(at as usize);
            at
        };
        if let (Some(column), Some(row)) = (cell(*x, 0), cell(*y, 1)) {
            counts[row * MESH + column] += 1;
        }
    }
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let wanted = super::intervals::span(x.len(), coverage) as u64;
    let mut held = 0;
    let cells = counts
        .iter()
        .take_while(|&&count| {
            let more = held < wanted;
            held += count;
            more
        })
        .count();
    let cell_area = step[0] * step[1] * whitened.volume;
    SmallestRegion {
        area: cells as f64 * cell_area,
        cells,
        cell_area,
    }
}
