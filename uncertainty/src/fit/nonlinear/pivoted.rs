//! Factorisation of derivatives in single length, again at every step of a search.

/// A·P = Q·R by Householder's reflections, the column with the largest rest taken first: the
/// diagonal of R falls, so that its end shows what columns do not tell apart.
///
/// Every sum runs from the first row to the last, so that the bits are the same everywhere.
#[derive(Debug, Clone)]
pub struct Pivoted {
    rows: usize,
    /// Reflectors on and below the diagonal, R above it; column by column.
    factors: Vec<f64>,
    /// Diagonal of R.
    diagonal: Vec<f64>,
    /// Which column of A stands at each place.
    order: Vec<usize>,
}

impl Pivoted {
    /// `columns` of `rows` numbers each, one after the other; at least as many rows as
    /// columns.
    pub fn new(columns: Vec<f64>, rows: usize) -> Self {
        let count = columns.len() / rows.max(1);
        let mut this = Self {
            rows,
            factors: columns,
            diagonal: vec![0.0; count],
            order: (0..count).collect(),
        };
        for at in 0..count {
            this.bring_largest(at);
            this.reflect(at);
        }
        this
    }

    fn column(&self, at: usize) -> &[f64] {
        &self.factors[at * self.rows..(at + 1) * self.rows]
    }

    fn bring_largest(&mut self, at: usize) {
        let mut largest = (at, -1.0);
        for other in at..self.order.len() {
            let rest = norm(&self.column(other)[at..]);
            if rest > largest.1 {
                largest = (other, rest);
            }
        }
        if largest.0 != at {
            self.order.swap(at, largest.0);
            for row in 0..self.rows {
                let (a, b) = (at * self.rows + row, largest.0 * self.rows + row);
                self.factors.swap(a, b);
            }
        }
    }

    /// Turns the column `at` onto its axis, and the columns after it along.
    fn reflect(&mut self, at: usize) {
        let (done, after) = self.factors.split_at_mut((at + 1) * self.rows);
        let column = &mut done[at * self.rows..];
        let length = norm(&column[at..]);
        if length == 0.0 {
            return;
        }
        let length = if column[at] < 0.0 { -length } else { length };
        for element in &mut column[at..] {
            *element /= length;
        }
        column[at] += 1.0;
        self.diagonal[at] = -length;
        for other in after.chunks_exact_mut(self.rows) {
            turn(&column[at..], &mut other[at..]);
        }
    }

    /// Diagonal of R; its magnitudes fall.
    pub fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    /// Which column of A stands at each place of R.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Qᵀ·v in place.
    pub fn turn(&self, vector: &mut [f64]) {
        for at in 0..self.order.len() {
            if self.diagonal[at] != 0.0 {
                turn(&self.column(at)[at..], &mut vector[at..]);
            }
        }
    }

    /// Element of R, `row` < `column`, in the order of [`Pivoted::order`].
    pub fn above(&self, row: usize, column: usize) -> f64 {
        self.factors[column * self.rows + row]
    }

    /// Solves R·x = the first elements of `right`; x in the order of the columns of A. The
    /// diagonal must not vanish.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let count = self.order.len();
        let mut x = right[..count].to_vec();
        for at in (0..count).rev() {
            x[at] /= self.diagonal[at];
            for row in 0..at {
                x[row] -= self.above(row, at) * x[at];
            }
        }
        let mut found = vec![0.0; count];
        for (&column, x) in self.order.iter().zip(x) {
            found[column] = x;
        }
        found
    }

    /// The combination of the first columns, in their order, that comes nearest to the one at
    /// the place `at`. The diagonal before it must not vanish.
    pub fn shares(&self, at: usize) -> Vec<f64> {
        let mut x = self.column(at)[..at].to_vec();
        for column in (0..at).rev() {
            x[column] /= self.diagonal[column];
            for row in 0..column {
                x[row] -= self.above(row, column) * x[column];
            }
        }
        x
    }

    /// Solves Rᵀ·z = Pᵀ·`right`, with `right` in the order of the columns of A.
    pub fn solve_transposed(&self, right: &[f64]) -> Vec<f64> {
        let mut z: Vec<f64> = self.order.iter().map(|&column| right[column]).collect();
        for at in 0..z.len() {
            for row in 0..at {
                z[at] -= self.above(row, at) * z[row];
            }
            z[at] /= self.diagonal[at];
        }
        z
    }
}

/// Applies the reflector with the unit `axis[0]` − 1 to `vector`.
fn turn(axis: &[f64], vector: &mut [f64]) {
    let along = axis
        .iter()
        .zip(&*vector)
        .fold(0.0, |sum, (a, v)| sum + a * v)
        / axis[0];
    for (element, a) in vector.iter_mut().zip(axis) {
        *element -= along * a;
    }
}

/// Euclidean length; scaled where a square would over- or underflow.
pub fn norm(vector: &[f64]) -> f64 {
    let squares = vector.iter().fold(0.0, |sum, x| sum + x * x);
    if (1e-280..1e280).contains(&squares) {
        return squares.sqrt();
    }
    let largest = vector.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let squares = vector.iter().fold(0.0, |sum, x| {
        let scaled = x / largest;
        sum + scaled * scaled
    });
    largest * squares.sqrt()
}
