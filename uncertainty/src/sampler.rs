//! Samples of the input quantities, all by inversion: one uniform number gives one sample,
//! so that a trial is the same however the trials are divided over threads.

use std::f64::consts::PI;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::input::{Distribution, Input};
use crate::{normal, student};

/// Generator of one block of trials: the seed in the first eight bytes of the key (little
/// endian), the number of the block as the stream.
pub fn generator(seed: u64, block: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(block);
    generator
}

/// Uniform in the open interval (0, 1): the middle of one of 2⁵² equal cells. Neither end
/// is ever drawn, where the inverse of a distribution would be infinite.
fn uniform(generator: &mut ChaCha8Rng) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "52 bits are exact")]
    let cell = (generator.next_u64() >> 12) as f64;
    (cell + 0.5) / 4_503_599_627_370_496.0
}

/// How one input is drawn.
pub struct Sampler {
    value: f64,
    shape: Shape,
}

enum Shape {
    Constant,
    /// Standard normal, times `u`.
    Normal {
        u: f64,
    },
    Student {
        u: f64,
        table: StudentTable,
    },
    /// Trapezoid of half width `a`; the rectangle has `beta` 1, the triangle 0.
    Trapezoid {
        a: f64,
        beta: f64,
    },
    UShaped {
        a: f64,
    },
}

impl Sampler {
    pub fn new(input: &Input) -> Self {
        let u = input.u;
        let shape = match input.distribution {
            _ if u == 0.0 => Shape::Constant,
            Distribution::Constant => Shape::Constant,
            Distribution::Normal => Shape::Normal { u },
            Distribution::StudentT => Shape::Student {
                u,
                table: StudentTable::new(input.dof),
            },
            Distribution::Rectangular => trapezoid(u, 1.0),
            Distribution::Triangular => trapezoid(u, 0.0),
            Distribution::Trapezoidal { beta } => trapezoid(u, beta),
            Distribution::UShaped => Shape::UShaped {
                a: u * 2_f64.sqrt(),
            },
        };
        Self {
            value: input.value,
            shape,
        }
    }

    /// Fills `out` with samples, one random number each.
    pub fn fill(&self, generator: &mut ChaCha8Rng, out: &mut [f64]) {
        let value = self.value;
        let mut each = |draw: &dyn Fn(f64) -> f64| {
            for out in out.iter_mut() {
                *out = value + draw(uniform(generator));
            }
        };
        match &self.shape {
            Shape::Constant => out.fill(value),
            Shape::Normal { u } => each(&|p| u * normal::quantile(p)),
            Shape::Student { u, table } => each(&|p| u * table.at(normal::quantile(p))),
            Shape::Trapezoid { a, beta } => each(&|p| a * unit_trapezoid(p, *beta)),
            Shape::UShaped { a } => each(&|p| a * libm::sin(PI * (p - 0.5))),
        }
    }
}

/// Standard normal deviates, before correlation.
pub fn fill_standard_normal(generator: &mut ChaCha8Rng, out: &mut [f64]) {
    for out in out {
        *out = normal::quantile(uniform(generator));
    }
}

fn trapezoid(u: f64, beta: f64) -> Shape {
    Shape::Trapezoid {
        a: u * (6.0 / (1.0 + beta * beta)).sqrt(),
        beta,
    }
}

/// Inverse of the distribution function of the trapezoid over (−1, 1) with top ±`beta`
/// (JCGM 101:2008, 6.4.4, solved for the quantile).
fn unit_trapezoid(p: f64, beta: f64) -> f64 {
    let ramp = 0.5 * (1.0 - beta) / (1.0 + beta);
    let rising = |p: f64| (2.0 * p * (1.0 - beta * beta)).sqrt() - 1.0;
    if p < ramp {
        rising(p)
    } else if 1.0 - p < ramp {
        -rising(1.0 - p)
    } else {
        (p - 0.5) * (1.0 + beta)
    }
}

/// Steps a unit of the normal deviate.
const STEPS: usize = 128;

/// The t that has the same probability as a normal deviate z, from a table with cubic
/// Hermite interpolation: exact derivatives at the nodes, relative error below 2e−7 for
/// every ν ≥ 1, and far smaller in the body. Solving for each sample would take most of the
/// time of a run.
struct StudentTable {
    /// (t, dt/dz · step) at z = 0, 1/128, … up to the largest deviate that can be drawn.
    nodes: Vec<(f64, f64)>,
}

impl StudentTable {
    fn new(dof: f64) -> Self {
        // The smallest uniform number, 2⁻⁵³, is z = −8.21.
        let count = 8 * STEPS + STEPS / 2;
        let step = 1.0 / to_f64(STEPS);
        let nodes = (0..=count)
            .map(|node| {
                let z = to_f64(node) * step;
                let t = student::upper_quantile(normal::cdf(-z), dof);
                let slope = normal::density(z) / student::density(t, dof);
                (t, slope * step)
            })
            .collect();
        Self { nodes }
    }

    fn at(&self, z: f64) -> f64 {
        let scaled = z.abs() * to_f64(STEPS);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1088"
        )]
        let node = (scaled as usize).min(self.nodes.len() - 2);
        let s = scaled - to_f64(node);
        let ((t0, d0), (t1, d1)) = (self.nodes[node], self.nodes[node + 1]);
        let rise = t1 - t0;
        let t = t0 + s * (d0 + s * (3.0 * rise - 2.0 * d0 - d1 + s * (d0 + d1 - 2.0 * rise)));
        if z < 0.0 { -t } else { t }
    }
}

fn to_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_student_follows_the_exact_quantile() {
        for dof in [1.0, 2.0, 4.0, 9.0, 30.5] {
            let table = StudentTable::new(dof);
            for step in 0..800 {
                let z = 0.01 * f64::from(step) + 0.003;
                let exact = student::upper_quantile(normal::cdf(-z), dof);
                let found = table.at(z);
                assert!(
                    (found / exact - 1.0).abs() < 2e-7,
                    "{dof} {z} {found} {exact}"
                );
                assert_eq!(table.at(-z), -found);
            }
        }
    }

    #[test]
    fn trapezoid_has_rectangle_and_triangle_as_ends() {
        assert_eq!(unit_trapezoid(0.25, 1.0), -0.5);
        assert_eq!(unit_trapezoid(0.125, 0.0), -0.5);
        for beta in [0.0, 0.3, 0.7, 1.0] {
            assert_eq!(unit_trapezoid(0.5, beta), 0.0);
            let ramp = 0.5 * (1.0 - beta) / (1.0 + beta);
            if ramp > 0.0 {
                let (below, above) = (ramp * (1.0 - 1e-12), ramp * (1.0 + 1e-12));
                let jump = unit_trapezoid(above, beta) - unit_trapezoid(below, beta);
                assert!(jump.abs() < 1e-6, "{beta} {jump}");
            }
        }
    }

    #[test]
    fn the_stream_of_the_first_block_is_pinned() {
        // Any change of generator, key or cells changes records that must replay for ever.
        let mut generator = generator(1, 0);
        let first: Vec<u64> = (0..3).map(|_| uniform(&mut generator).to_bits()).collect();
        assert_eq!(first, PINNED);
    }

    /// From an independent implementation of ChaCha with 8 rounds in Python.
    const PINNED: [u64; 3] = [0x3fd86a5292683a56, 0x3fd2e016dcbb7542, 0x3fe98b4c7dccb49f];
}
