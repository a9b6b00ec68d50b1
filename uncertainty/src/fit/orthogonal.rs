//! Householder's factorisation of a design.

use super::twofold::{Twofold, dot};

/// What is left of a column beside those before it, in parts of its length, below which the
/// column counts as depending on them: about a hundred roundings of a datum.
const DEPENDENCE: f64 = 1e-14;

/// Q·R of a design whose columns were divided by powers of two near their lengths.
#[derive(Debug, Clone)]
pub struct Orthogonal {
    /// Normals of the reflections; normal k begins at row k.
    normals: Vec<Vec<Twofold>>,
    /// Upper triangle R by columns, of the columns as scaled.
    columns: Vec<Vec<Twofold>>,
    /// Power of two by which each column was multiplied.
    scales: Vec<f64>,
    rows: usize,
}

/// A column that depends on those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependence {
    pub column: usize,
    /// Columns with a share in it; none for a column of zeros.
    pub on: Vec<usize>,
}

/// The power of two that brings the largest element into 1 to 2; 1 for zeros.
fn scale_of(column: &[Twofold]) -> f64 {
    let largest = column
        .iter()
        .fold(0.0, |largest: f64, x| largest.max(x.rounded().abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let (_, exponent) = libm::frexp(largest);
    // Within the range of normal numbers.
    libm::ldexp(1.0, (1 - exponent).clamp(-1000, 1000))
}

impl Orthogonal {
    /// Of columns of one length, which is at least their number.
    pub fn new(design: &[Vec<Twofold>]) -> Result<Self, Dependence> {
        let rows = design.first().map_or(0, Vec::len);
        let mut found = Self {
            normals: Vec::new(),
            columns: Vec::new(),
            scales: Vec::new(),
            rows,
        };
        for column in design {
            found.append(column)?;
        }
        Ok(found)
    }

    fn append(&mut self, column: &[Twofold]) -> Result<(), Dependence> {
        let at = self.columns.len();
        let scale = scale_of(column);
        let mut column: Vec<Twofold> = column.iter().map(|&x| x * scale.into()).collect();
        let length = dot(&column, &column).sqrt();
        self.reflect(&mut column);
        let (above, below) = column.split_at(at);
        let norm = dot(below, below).sqrt();
        if norm.rounded() <= DEPENDENCE * length.rounded() {
            let on = self.shares(above, length.rounded());
            return Err(Dependence { column: at, on });
        }
        // The sign that adds up, so that nothing cancels in the normal.
        let pivot = if below[0].rounded() > 0.0 {
            -norm
        } else {
            norm
        };
        let mut normal = below.to_vec();
        normal[0] = normal[0] - pivot;
        let mut kept = above.to_vec();
        kept.push(pivot);
        self.normals.push(normal);
        self.columns.push(kept);
        self.scales.push(scale);
        Ok(())
    }

    /// Columns whose part in `above` is more than rounding.
    fn shares(&self, above: &[Twofold], length: f64) -> Vec<usize> {
        let parts = self.back(above);
        let felt = |at: &usize| {
            let own = dot(&self.columns[*at], &self.columns[*at]).sqrt();
            (parts[*at] * own).rounded().abs() > 1e-9 * length
        };
        (0..self.columns.len()).filter(felt).collect()
    }

    /// Qᵀ·v.
    fn reflect(&self, v: &mut [Twofold]) {
        for (at, normal) in self.normals.iter().enumerate() {
            let below = &mut v[at..];
            let factor = dot(normal, below) / dot(normal, normal);
            let factor = factor + factor;
            for (x, &n) in below.iter_mut().zip(normal) {
                *x = *x - factor * n;
            }
        }
    }

    /// R⁻¹·v of the columns as scaled.
    fn back(&self, v: &[Twofold]) -> Vec<Twofold> {
        let mut x = v[..self.columns.len()].to_vec();
        for at in (0..x.len()).rev() {
            x[at] = x[at] / self.columns[at][at];
            for row in 0..at {
                x[row] = x[row] - self.columns[at][row] * x[at];
            }
        }
        x
    }

    /// The combination of the columns nearest to `y`: one factor for each.
    pub fn solve(&self, y: &[Twofold]) -> Vec<Twofold> {
        let mut y = y.to_vec();
        self.reflect(&mut y);
        let x = self.back(&y).into_iter().zip(&self.scales);
        x.map(|(x, &scale)| x * scale.into()).collect()
    }

    /// R of the design as it was given, by rows.
    pub fn triangle(&self) -> Vec<Vec<Twofold>> {
        let count = self.columns.len();
        let element = |row: usize, column: usize| {
            if row > column {
                return Twofold::ZERO;
            }
            self.columns[column][row] / self.scales[column].into()
        };
        let row = |row| (0..count).map(|column| element(row, column)).collect();
        (0..count).map(row).collect()
    }

    /// (XᵀX)⁻¹ of the design X.
    pub fn cofactor(&self) -> Vec<Vec<Twofold>> {
        let count = self.columns.len();
        let mut inverse = Vec::new();
        for at in 0..count {
            let mut unit = vec![Twofold::ZERO; count];
            unit[at] = Twofold::ONE;
            inverse.push(self.back(&unit));
        }
        // Column `at` of R⁻¹ is inverse[at].
        let element = |a: usize, b: usize| {
            let products = inverse.iter().map(|column| column[a] * column[b]);
            let sum = products.fold(Twofold::ZERO, |sum, product| sum + product);
            sum * self.scales[a].into() * self.scales[b].into()
        };
        let row = |a| (0..count).map(|b| element(a, b)).collect();
        (0..count).map(row).collect()
    }

    /// Diagonal of Q·Qᵀ: the share of each observation in its own fitted value.
    pub fn leverages(&self) -> Vec<f64> {
        let mut leverages = vec![Twofold::ZERO; self.rows];
        for at in 0..self.columns.len() {
            let mut column = vec![Twofold::ZERO; self.rows];
            column[at] = Twofold::ONE;
            // Q is the product of the reflections: the last one acts first.
            for (place, normal) in self.normals.iter().enumerate().rev() {
                let below = &mut column[place..];
                let factor = dot(normal, below) / dot(normal, normal);
                let factor = factor + factor;
                for (x, &n) in below.iter_mut().zip(normal) {
                    *x = *x - factor * n;
                }
            }
            for (sum, &x) in leverages.iter_mut().zip(&column) {
                *sum = *sum + x * x;
            }
        }
        leverages.into_iter().map(Twofold::rounded).collect()
    }
}
