//! Samples of the input quantities, a chunk of trials at a time.

use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::sync::Arc;

use crate::elementary::{exp, ln, sin_quarter};
use crate::input::{Distribution, Input};
use crate::random::{Key, LANES, Narrow, Wide, symmetric, uniform};
use crate::ziggurat::{Worktop, Ziggurat};

/// How one input is drawn: `value` plus `scale` times a deviate of the shape.
#[derive(Debug)]
pub struct Sampler {
    value: f64,
    scale: f64,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Constant,
    Normal(&'static Ziggurat),
    Student(Arc<Ziggurat>),
    /// (−1, 1).
    Rectangular,
    /// Sum of two rectangles of those half widths (JCGM 101:2008, 6.4.4.4).
    Sum(f64, f64),
    /// Rectangle of half width 1 ± `ratio` (6.4.3.4).
    Curvilinear {
        ratio: f64,
    },
    /// sin over (−π/2, π/2) (6.4.6.4).
    Arcsine,
    /// From 0; the value of the sampler is the lower end.
    Exponential,
    /// exp of a normal with that standard deviation.
    LogNormal {
        sigma: f64,
    },
    Gamma(Gamma),
    /// First over the sum of both.
    Beta(Gamma, Gamma),
    Poisson {
        mean: f64,
    },
    Points(Points),
}

/// Layers of the t distributions of a model. Inputs with the same degrees of freedom share
/// theirs: they are made once, and stay in the cache of the processor.
#[derive(Debug, Default)]
pub struct Students(BTreeMap<u64, Arc<Ziggurat>>);

impl Students {
    fn of(&mut self, dof: f64) -> Arc<Ziggurat> {
        let made = || Arc::new(Ziggurat::new(dof));
        Arc::clone(self.0.entry(dof.to_bits()).or_insert_with(made))
    }
}

/// State of the streams of one input in one block.
#[derive(Clone, Debug)]
pub struct Streams {
    pub wide: Wide,
    pub narrow: Narrow,
}

impl Streams {
    pub fn new(key: Key) -> Self {
        Self {
            wide: Wide::new(key),
            narrow: Narrow::new(key),
        }
    }
}

impl Sampler {
    /// The input must have passed its check.
    pub fn new(input: &Input, students: &mut Students) -> Self {
        let (value, u) = (input.value, input.u);
        let (value, scale, shape) = match &input.distribution {
            _ if u == 0.0 => (value, 0.0, Shape::Constant),
            Distribution::Constant => (value, 0.0, Shape::Constant),
            Distribution::Normal => (value, u, Shape::Normal(Ziggurat::normal())),
            Distribution::StudentT | Distribution::StudentTSd => {
                let scale = input.student_scale().unwrap_or(u);
                (value, scale, Shape::Student(students.of(input.dof)))
            }
            Distribution::Rectangular => (value, u * 3_f64.sqrt(), Shape::Rectangular),
            Distribution::Triangular => (value, u * 6_f64.sqrt(), Shape::Sum(0.5, 0.5)),
            Distribution::UShaped => (value, u * 2_f64.sqrt(), Shape::Arcsine),
            Distribution::Trapezoidal { beta } => {
                let half_width = u * (6.0 / (1.0 + beta * beta)).sqrt();
                let shape = Shape::Sum(0.5 * (1.0 + beta), 0.5 * (1.0 - beta));
                (value, half_width, shape)
            }
            &Distribution::CurvilinearTrapezoid { ratio } => {
                let half_width = u / (1.0 / 3.0 + ratio * ratio / 9.0).sqrt();
                (value, half_width, Shape::Curvilinear { ratio })
            }
            Distribution::Exponential => (value - u, u, Shape::Exponential),
            &Distribution::Gamma { shape } => {
                let root = shape.sqrt();
                let drawn = Shape::Gamma(Gamma::new(shape));
                (value - u * root, u / root, drawn)
            }
            &Distribution::Beta { alpha, beta } => {
                let total = alpha + beta;
                let sd = (alpha * beta / (total + 1.0)).sqrt() / total;
                let width = u / sd;
                let shape = Shape::Beta(Gamma::new(alpha), Gamma::new(beta));
                (value - width * alpha / total, width, shape)
            }
            Distribution::LogNormal => {
                let variance = libm::log1p((u / value) * (u / value));
                let median = value * libm::exp(-0.5 * variance);
                let sigma = variance.sqrt();
                (0.0, median, Shape::LogNormal { sigma })
            }
            Distribution::Poisson => {
                let mean = (value / u) * (value / u);
                (0.0, u * u / value, Shape::Poisson { mean })
            }
            Distribution::Empirical { values } => {
                let shape = Shape::Points(Points::new(values, &vec![1.0; values.len()]));
                (0.0, 1.0, shape)
            }
            Distribution::Discrete { values, weights } => {
                (0.0, 1.0, Shape::Points(Points::new(values, weights)))
            }
        };
        Self {
            value,
            scale,
            shape,
        }
    }

    /// Fills `out`, a multiple of 256 long.
    #[inline(always)]
    pub fn fill(&self, streams: &mut Streams, worktop: &mut Worktop, out: &mut [f64]) {
        let Streams { wide, narrow } = streams;
        match &self.shape {
            Shape::Constant => {
                out.fill(self.value);
                return;
            }
            Shape::Normal(ziggurat) => ziggurat.fill(wide, narrow, worktop, out),
            Shape::Student(ziggurat) => ziggurat.fill(wide, narrow, worktop, out),
            Shape::Rectangular => each(wide, out, symmetric),
            &Shape::Sum(a, b) => pairs(
                wide,
                out,
                #[inline(always)]
                |one, two| a * symmetric(one) + b * symmetric(two),
            ),
            &Shape::Curvilinear { ratio } => pairs(
                wide,
                out,
                #[inline(always)]
                |one, two| symmetric(one) * (1.0 + ratio * symmetric(two)),
            ),
            Shape::Arcsine => each(
                wide,
                out,
                #[inline(always)]
                |word| sin_quarter(0.5 * PI * symmetric(word)),
            ),
            Shape::Exponential => each(
                wide,
                out,
                #[inline(always)]
                |word| -ln(uniform(word)),
            ),
            &Shape::LogNormal { sigma } => {
                Ziggurat::normal().fill(wide, narrow, worktop, out);
                for out in out.iter_mut() {
                    *out = exp(sigma * *out);
                }
            }
            Shape::Gamma(gamma) => singly(out, || gamma.draw(narrow)),
            Shape::Beta(first, second) => singly(out, || ratio(first, second, narrow)),
            &Shape::Poisson { mean } => singly(out, || poisson(mean, narrow)),
            Shape::Points(points) => singly(out, || points.draw(narrow)),
        }
        for out in out {
            *out = self.value + self.scale * *out;
        }
    }
}

#[inline(always)]
fn each(wide: &mut Wide, out: &mut [f64], deviate: impl Fn(u64) -> f64) {
    for out in out.as_chunks_mut::<LANES>().0 {
        let words = wide.next();
        for lane in 0..LANES {
            out[lane] = deviate(words[lane]);
        }
    }
}

#[inline(always)]
fn pairs(wide: &mut Wide, out: &mut [f64], deviate: impl Fn(u64, u64) -> f64) {
    for out in out.as_chunks_mut::<LANES>().0 {
        let (first, second) = (wide.next(), wide.next());
        for lane in 0..LANES {
            out[lane] = deviate(first[lane], second[lane]);
        }
    }
}

#[inline(always)]
fn singly(out: &mut [f64], mut deviate: impl FnMut() -> f64) {
    for out in out {
        *out = deviate();
    }
}

/// Gamma deviates of scale 1 (G. Marsaglia and W. W. Tsang, ACM Trans. Math. Softw. 26,
/// 2000, 363).
#[derive(Clone, Copy, Debug)]
pub struct Gamma {
    /// Below 1 the deviate of shape + 1 is multiplied by a power of a uniform number.
    power: Option<f64>,
    d: f64,
    c: f64,
}

impl Gamma {
    pub fn new(shape: f64) -> Self {
        let power = (shape < 1.0).then(|| 1.0 / shape);
        let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Self {
            power,
            d,
            c: 1.0 / (9.0 * d).sqrt(),
        }
    }

    pub fn draw(&self, narrow: &mut Narrow) -> f64 {
        let normal = Ziggurat::normal();
        loop {
            let x = normal.draw(narrow);
            let root = 1.0 + self.c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let limit = 0.5 * x * x + self.d * (1.0 - v + libm::log(v));
            if libm::log(narrow.uniform()) < limit {
                let power = |power| libm::pow(narrow.uniform(), power);
                return self.d * v * self.power.map_or(1.0, power);
            }
        }
    }
}

/// A beta deviate. Shapes far below 1 may underflow in both gammas: then again.
fn ratio(first: &Gamma, second: &Gamma, narrow: &mut Narrow) -> f64 {
    loop {
        let (a, b) = (first.draw(narrow), second.draw(narrow));
        if a + b > 0.0 {
            return a / (a + b);
        }
    }
}

/// A count that follows Poisson's law: by the product of uniform numbers where few are
/// expected, else by transformed rejection (W. Hörmann, Insurance: Mathematics and Economics
/// 12, 1993, 39, algorithm PTRS).
fn poisson(mean: f64, narrow: &mut Narrow) -> f64 {
    if mean < 10.0 {
        let floor = libm::exp(-mean);
        let mut count = 0.0;
        let mut product = narrow.uniform();
        while product > floor {
            product *= narrow.uniform();
            count += 1.0;
        }
        return count;
    }
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let v_r = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = narrow.uniform() - 0.5;
        let v = narrow.uniform();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= v_r {
            return k;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let bound = k * libm::log(mean) - mean - libm::lgamma(k + 1.0);
        if libm::log(v * inverse_alpha / (a / (us * us) + b)) <= bound {
            return k;
        }
    }
}

/// A finite set of values.
#[derive(Clone, Debug)]
struct Points {
    values: Vec<f64>,
    /// Sums of the weights up to each value.
    cumulative: Vec<f64>,
}

impl Points {
    fn new(values: &[f64], weights: &[f64]) -> Self {
        let mut sum = 0.0;
        let cumulative = weights
            .iter()
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        Self {
            values: values.to_vec(),
            cumulative,
        }
    }

    fn draw(&self, narrow: &mut Narrow) -> f64 {
        let total = self.cumulative.last().copied().unwrap_or_default();
        let place = narrow.uniform() * total;
        let at = self.cumulative.partition_point(|&sum| sum <= place);
        self.values[at.min(self.values.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Law;

    const SAMPLES: usize = 1 << 19;

    fn samples(input: &Input, seed: u64) -> Vec<f64> {
        let mut streams = Streams::new(Key::of_seed(seed).of_name(&input.symbol));
        let mut out = vec![0.0; SAMPLES];
        Sampler::new(input, &mut Students::default()).fill(
            &mut streams,
            &mut Worktop::default(),
            &mut out,
        );
        out
    }

    /// Largest distance between the steps of the sample and the distribution function, on
    /// both sides of each step.
    fn distance(samples: &mut [f64], law: &Law, steps: bool) -> f64 {
        samples.sort_unstable_by(f64::total_cmp);
        let count = samples.len() as f64;
        let mut largest: f64 = 0.0;
        let mut first = 0;
        while first < samples.len() {
            let x = samples[first];
            let mut end = first + 1;
            while end < samples.len() && samples[end] == x {
                end += 1;
            }
            let exact = law.cdf(x);
            largest = largest.max((end as f64 / count - exact).abs());
            if !steps {
                largest = largest.max((exact - first as f64 / count).abs());
            }
            first = end;
        }
        largest
    }

    fn inputs() -> Vec<Input> {
        let law = |distribution| Input {
            distribution,
            ..Input::normal("x", 3.0, 0.7)
        };
        let mut inputs = vec![
            Input::normal("x", 3.0, 0.7),
            Input::student("x", 3.0, 0.7, 9.5).with_dof(6.0),
            Input::rectangular("x", 3.0, 0.7),
            Input::triangular("x", 3.0, 0.7),
            Input::u_shaped("x", 3.0, 0.7),
            Input::trapezoidal("x", 3.0, 0.7, 0.4),
            Input::curvilinear_trapezoid("x", 3.0, 0.7, 0.3),
            Input::exponential("x", 3.0),
            law(Distribution::Gamma { shape: 0.4 }),
            law(Distribution::Gamma { shape: 7.5 }),
            Input::counted("x", 0),
            Input::beta("x", [1.0, 4.0], 0.6, 2.5),
            law(Distribution::LogNormal),
            law(Distribution::StudentTSd).with_dof(3.5),
            Input::normal("x", 4.0, 2.0),
        ];
        for dof in [0.7, 1.0, 2.0, 3.0, 5.0, 9.0, 30.0, 1e6] {
            inputs.push(Input::student("x", -1.0, 2.0, dof));
        }
        inputs
    }

    /// The test is passed by a correct sampler but once in 10⁷ for each law
    /// (A. Kolmogorov: P(√n·D > c) ≈ 2·exp(−2c²)).
    const CRITICAL: f64 = 2.9;

    #[test]
    fn samples_follow_their_distribution_functions() {
        for seed in [1, 2] {
            for input in inputs() {
                let law = Law::new(&input).unwrap();
                let d = distance(&mut samples(&input, seed), &law, false);
                let statistic = d * (SAMPLES as f64).sqrt();
                assert!(statistic < CRITICAL, "{input:?} seed {seed}: {statistic}");
            }
        }
    }

    #[test]
    fn counts_and_points_follow_their_distribution_functions() {
        let count = |mean: f64| Input {
            distribution: Distribution::Poisson,
            ..Input::normal("x", mean, mean.sqrt())
        };
        for input in [
            count(0.3),
            count(9.9),
            count(10.0),
            count(250.0),
            count(1e6),
            Input::empirical("x", vec![1.0, 1.5, 1.5, 7.0]),
            Input::discrete("x", vec![0.0, 1.0, 5.0], vec![1.0, 0.0, 3.0]),
        ] {
            let law = Law::new(&input).unwrap();
            let d = distance(&mut samples(&input, 3), &law, true);
            let statistic = d * (SAMPLES as f64).sqrt();
            assert!(statistic < CRITICAL, "{input:?}: {statistic}");
        }
    }

    #[test]
    fn far_tails_are_as_frequent_as_they_should_be() {
        // Beyond the last layer the samples come from another way.
        for dof in [1.0, 4.0, 50.0, f64::INFINITY] {
            let mut input = Input::normal("x", 0.0, 1.0);
            if dof.is_finite() {
                input = Input::student("x", 0.0, 1.0, dof);
            }
            let law = Law::new(&input).unwrap();
            let drawn = samples(&input, 4);
            for probability in [1e-3, 2e-4] {
                let end = -law.quantile(probability);
                let wanted = 2.0 * probability * SAMPLES as f64;
                let found = drawn.iter().filter(|x| x.abs() > end).count() as f64;
                // Five standard deviations of a count.
                assert!(
                    (found - wanted).abs() < 5.0 * wanted.sqrt(),
                    "{dof} {found} {wanted}"
                );
            }
        }
    }
}
