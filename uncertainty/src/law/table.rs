//! Quantiles for many deviates at once.

use super::{Kind, Law};
use crate::normal;

/// Nodes a unit of the normal deviate.
const NODES: f64 = 128.0;
/// Deviates in the table, ±; no uniform number of 53 bits leads beyond 8.3.
const REACH: f64 = 8.5;
/// Steps from one end to the other.
const STEPS: u32 = 17 * 128;

/// [`Law::from_normal`] for Monte Carlo trials: laws whose quantile takes an iteration are
/// tabulated, the others pass through.
///
/// Cubic interpolation of Hermite with the exact slope at every node: relative error below
/// 1e−7 of the distance from the mean or of the standard deviation, whichever is larger, and
/// far less where most trials fall; solving for each would take most of the time of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct LawTable {
    law: Law,
    /// Value and slope times the step, from −8.5 upwards; empty for laws that need no table.
    nodes: Vec<(f64, f64)>,
}

impl LawTable {
    /// Tabulates the law where that is worth while: gamma, beta and Student's t.
    pub fn new(law: Law) -> Self {
        let nodes = match &law.kind {
            Kind::Continuous {
                scale, standard, ..
            } if standard.is_slow() => (0..=STEPS)
                .map(|node| {
                    let z = f64::from(node) / NODES - REACH;
                    let x = law.from_normal(z);
                    let density = law.density(x).unwrap_or(0.0);
                    let slope = normal::density(z) / (density * NODES);
                    // At an end of the support, as far as x can tell, nothing rises.
                    let level = !(slope.is_finite() && slope < scale * NODES);
                    (x, if level { 0.0 } else { slope })
                })
                .collect(),
            _ => Vec::new(),
        };
        Self { law, nodes }
    }

    /// The value at the standard normal deviate `z`, as [`Law::from_normal`].
    pub fn from_normal(&self, z: f64) -> f64 {
        let place = (z + REACH) * NODES;
        if self.nodes.is_empty() || !(place >= 0.0 && z < REACH) {
            return self.law.from_normal(z);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 2175"
        )]
        let node = (place as usize).min(self.nodes.len() - 2);
        let s = place - node as f64;
        let ((x0, d0), (x1, d1)) = (self.nodes[node], self.nodes[node + 1]);
        let rise = x1 - x0;
        let x = x0 + s * (d0 + s * (3.0 * rise - 2.0 * d0 - d1 + s * (d0 + d1 - 2.0 * rise)));
        x.clamp(x0, x1)
    }
}
