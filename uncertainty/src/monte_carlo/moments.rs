//! Sums over trials in one fixed order.

use crate::random::LANES;

/// Power sums of deviations from a fixed number near the mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PowerSums {
    pub count: f64,
    sums: [f64; 4],
}

impl PowerSums {
    /// Of one block. 16 partial sums run side by side and are added in their order, so that
    /// the result does not depend on the width of the vector registers.
    #[inline(always)]
    pub fn of(values: &[f64], shift: f64) -> Self {
        let mut lanes = [[0.0; LANES]; 4];
        let (chunks, rest) = values.as_chunks::<LANES>();
        for chunk in chunks {
            add(&mut lanes, chunk, shift);
        }
        let mut last = [shift; LANES];
        last[..rest.len()].copy_from_slice(rest);
        add(&mut lanes, &last, shift);
        Self {
            count: values.len() as f64,
            sums: lanes.map(|lane| lane.iter().sum()),
        }
    }

    pub fn plus(mut self, other: &Self) -> Self {
        self.count += other.count;
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum += more;
        }
        self
    }

    /// Mean less the shift.
    pub fn offset(&self) -> f64 {
        self.sums[0] / self.count
    }

    /// Variance with M − 1 in the denominator (JCGM 101:2008, equation 17).
    pub fn variance(&self) -> f64 {
        let [s1, s2, ..] = self.sums;
        ((s2 - s1 * s1 / self.count) / (self.count - 1.0)).max(0.0)
    }

    /// Standard error of the standard deviation, √((μ₄/σ⁴ − 1)/(4M))·σ.
    pub fn error_of_sd(&self) -> f64 {
        let n = self.count;
        let [m1, m2, m3, m4] = self.sums.map(|sum| sum / n);
        let variance = m2 - m1 * m1;
        let fourth = m4 - 4.0 * m1 * m3 + 6.0 * m1 * m1 * m2 - 3.0 * m1 * m1 * m1 * m1;
        if variance <= 0.0 {
            return 0.0;
        }
        let kurtosis = (fourth / (variance * variance)).max(1.0);
        ((kurtosis - 1.0) / (4.0 * n)).sqrt() * variance.sqrt()
    }
}

#[inline(always)]
fn add(lanes: &mut [[f64; LANES]; 4], chunk: &[f64; LANES], shift: f64) {
    let [first, second, third, fourth] = lanes;
    for at in 0..LANES {
        let d = chunk[at] - shift;
        let square = d * d;
        first[at] += d;
        second[at] += square;
        third[at] += square * d;
        fourth[at] += square * square;
    }
}

/// Sum of products of deviations of two outputs.
#[inline(always)]
pub fn product_sum(a: &[f64], b: &[f64], shift: [f64; 2]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for at in 0..LANES {
            lanes[at] += (a[at] - shift[0]) * (b[at] - shift[1]);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += (a - shift[0]) * (b - shift[1]);
    }
    lanes.iter().sum()
}
