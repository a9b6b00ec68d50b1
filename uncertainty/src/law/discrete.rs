//! Discrete laws.

use super::Tails;
use crate::normal;

/// A finite set of values with weights, in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Points {
    values: Vec<f64>,
    weights: Vec<f64>,
    /// P(X ≤ value) and P(X > value), each summed from its own end.
    tails: Vec<Tails>,
}

impl Points {
    /// Values of weight 0 are left out: they never occur.
    pub fn new(values: &[f64], weights: &[f64]) -> Self {
        let mut pairs: Vec<(f64, f64)> = values
            .iter()
            .copied()
            .zip(weights.iter().copied())
            .filter(|(_, weight)| *weight > 0.0)
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let running = |pairs: &mut dyn Iterator<Item = &(f64, f64)>| {
            let mut sum = 0.0;
            let sums = pairs.map(|(_, weight)| {
                sum += weight;
                sum
            });
            sums.collect::<Vec<f64>>()
        };
        let up = running(&mut pairs.iter());
        let mut down = running(&mut pairs.iter().rev());
        down.reverse();
        let (total, total_down) = (up[up.len() - 1], down[0]);
        // What lies above a value begins at the next one.
        let above = down[1..].iter().copied().chain([0.0]);
        let tails = up
            .iter()
            .zip(above)
            .map(|(up, above)| Tails::new(up / total, above / total_down))
            .collect();
        Self {
            values: pairs.iter().map(|pair| pair.0).collect(),
            weights: pairs.iter().map(|pair| pair.1 / total).collect(),
            tails,
        }
    }

    pub fn support(&self) -> [f64; 2] {
        [self.values[0], self.values[self.values.len() - 1]]
    }

    /// Each value with its probability.
    pub fn iter(&self) -> impl Iterator<Item = (f64, f64)> {
        let weights = self.weights.iter().copied();
        self.values.iter().copied().zip(weights)
    }

    /// Each value, and the tails that end at it.
    pub fn steps(&self) -> impl Iterator<Item = (f64, Tails)> {
        self.values.iter().copied().zip(self.tails.iter().copied())
    }

    pub fn up_to(&self, x: f64) -> Tails {
        self.first(self.values.partition_point(|value| *value <= x))
    }

    pub fn before(&self, x: f64) -> Tails {
        self.first(self.values.partition_point(|value| *value < x))
    }

    /// Tails after the first `count` values.
    fn first(&self, count: usize) -> Tails {
        match count.checked_sub(1) {
            Some(last) => self.tails[last],
            None => Tails::step(false),
        }
    }

    /// Smallest value with P(X ≤ value) ≥ `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        let at = self.tails.partition_point(|tails| tails.below < p);
        self.values[at.min(self.values.len() - 1)]
    }

    /// Smallest value with P(X > value) ≤ `q`.
    pub fn upper_quantile(&self, q: f64) -> f64 {
        let at = self.tails.partition_point(|tails| tails.above > q);
        self.values[at.min(self.values.len() - 1)]
    }

    /// Σ weight·((value − mean)/sd)ᵏ.
    pub fn standardised_moment(&self, k: u32, mean: f64, sd: f64) -> f64 {
        self.iter().fold(0.0, |sum, (value, weight)| {
            let t = (value - mean) / sd;
            sum + (0..k).fold(weight, |product, _| product * t)
        })
    }
}

/// Poisson's law of a count.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Count {
    pub expected: f64,
}

impl Count {
    pub fn new(expected: f64) -> Self {
        Self { expected }
    }

    /// Tails of the whole number `count`: the count stays at or below it as often as a gamma
    /// variable of shape `count` + 1 exceeds the expectation.
    pub fn up_to(&self, count: f64) -> Tails {
        if count < 0.0 {
            return Tails::step(false);
        }
        if count == f64::INFINITY {
            return Tails::step(true);
        }
        super::incomplete::gamma_tails(count + 1.0, self.expected).mirrored()
    }

    /// Smallest count with P(N ≤ count) ≥ `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        let z = normal::quantile(p);
        self.search(z, |tails| tails.below >= p)
    }

    /// Smallest count with P(N > count) ≤ `q`.
    pub fn upper_quantile(&self, q: f64) -> f64 {
        let z = if q > 0.0 { -normal::quantile(q) } else { 40.0 };
        self.search(z, |tails| tails.above <= q)
    }

    /// The counts between which all but 1e−19 of the probability lies, with their tails.
    pub fn steps(&self) -> impl Iterator<Item = (f64, Tails)> {
        let (first, last) = self.range();
        std::iter::successors(Some(first), move |n| (*n < last).then_some(n + 1.0))
            .map(|n| (n, self.up_to(n)))
    }

    fn range(&self) -> (f64, f64) {
        (self.quantile(1e-19), self.upper_quantile(1e-19))
    }

    /// E[f(N)], by recurrence of the probabilities from the most probable count outwards.
    pub fn expectation(&self, f: impl Fn(f64) -> f64) -> f64 {
        let (first, last) = self.range();
        let top = self.expected.floor();
        let (mut sum, mut total) = (f(top), 1.0);
        let mut add = |n: f64, probability: f64| {
            sum += probability * f(n);
            total += probability;
        };
        let (mut n, mut probability) = (top, 1.0);
        while n < last {
            n += 1.0;
            probability *= self.expected / n;
            add(n, probability);
        }
        (n, probability) = (top, 1.0);
        while n > first {
            probability *= n / self.expected;
            n -= 1.0;
            add(n, probability);
        }
        sum / total
    }

    /// Smallest count that is `enough`, from where the expansion of Cornish and Fisher
    /// expects it: the bracket doubles until it holds it, then halves.
    fn search(&self, z: f64, enough: impl Fn(Tails) -> bool) -> f64 {
        let enough = |count: f64| enough(self.up_to(count));
        let root = self.expected.sqrt();
        let guess = self.expected + root * z + (z * z - 1.0) / 6.0;
        let guess = guess.max(0.0).floor();
        let (mut low, mut high, mut step) = (guess - 1.0, guess, 1.0);
        while !enough(high) {
            (low, high) = (high, high + step);
            step *= 2.0;
        }
        step = 1.0;
        while low >= 0.0 && enough(low) {
            (low, high) = (low - step, low);
            step *= 2.0;
        }
        low = low.max(-1.0);
        while high - low > 1.0 {
            let middle = (0.5 * (low + high)).floor();
            if enough(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}
