//! How long the run may still take, from its own limits.

use super::{Plan, Progress, Stage};
use crate::outcome::StepKind;
use crate::steady::{micros, seconds};

impl Plan {
    /// How far the run is, as of the last input.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let points = self.procedure.point.len() as f64;
        let within = match self.stage {
            Stage::Stabilise => {
                let waited = seconds(self.waited_us());
                0.7 * (waited / self.steady.maximum_wait_s.max(1.0)).min(1.0)
            }
            Stage::Read => {
                0.7 + 0.3 * (self.current.cycles.len() as f64 / f64::from(self.reading.count))
            }
            _ => 0.0,
        };
        let fraction = match self.stage {
            Stage::Idle | Stage::Identify | Stage::Prepare => 0.0,
            Stage::SafeState(..) | Stage::Finished => 1.0,
            _ => (self.point as f64 + within) / points,
        };
        let step = match self.stage {
            Stage::Idle | Stage::Identify => StepKind::Identify,
            Stage::Prepare => StepKind::Prepare,
            Stage::Set(_) => StepKind::Set,
            Stage::Stabilise => StepKind::Stabilise,
            Stage::Read => StepKind::Read,
            Stage::SafeState(..) => StepKind::SafeState,
            Stage::Finished => StepKind::Closed,
        };
        Progress {
            left_s: self.left_s(),
            fraction,
            point: self.point_under_way(),
            step,
        }
    }

    pub(super) fn point_under_way(&self) -> Option<usize> {
        matches!(self.stage, Stage::Set(_) | Stage::Stabilise | Stage::Read).then_some(self.point)
    }

    pub(super) fn waited_us(&self) -> u64 {
        self.now_us.saturating_sub(self.current.since_us)
    }

    pub(super) fn left_s(&self) -> [u64; 2] {
        let longest = self
            .steady
            .criterion
            .iter()
            .map(|one| micros(one.longest_s()))
            .max();
        let soak_us = micros(self.steady.minimum_wait_s).max(longest.unwrap_or(0));
        let limit_us = micros(self.steady.maximum_wait_s);
        let interval_us = micros(self.reading.interval_s);
        let readings_us = |count: u64| interval_us.saturating_mul(count.saturating_sub(1));
        let all_us = readings_us(u64::from(self.reading.count));
        let whole = |count: usize| {
            let count = count as u64;
            [soak_us + all_us, limit_us + all_us].map(|us| us.saturating_mul(count))
        };
        let ahead = self.procedure.point.len().saturating_sub(self.point + 1);
        let here = match self.stage {
            Stage::Idle | Stage::Identify | Stage::Prepare | Stage::Set(_) => whole(1),
            Stage::Stabilise => {
                let waited_us = self.waited_us();
                [soak_us, self.current.limit_us]
                    .map(|us| us.saturating_sub(waited_us).saturating_add(all_us))
            }
            Stage::Read => {
                let taken = self.current.cycles.len() as u64;
                [readings_us(u64::from(self.reading.count).saturating_sub(taken)); 2]
            }
            Stage::SafeState(..) | Stage::Finished => return [0, 0],
        };
        let ahead = whole(ahead);
        [0, 1].map(|end: usize| here[end].saturating_add(ahead[end]).div_ceil(1_000_000))
    }
}
