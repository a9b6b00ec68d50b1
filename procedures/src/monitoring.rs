//! Figures of a monitored room: excursions over limits and the radiation indicator.

use heng_quantities::Decimal;
use serde::{Deserialize, Serialize};

use crate::mapping::mean;

/// When a reading outside limits becomes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    pub low: Decimal,
    pub high: Decimal,
    /// Consecutive readings outside the limits that make an event.
    pub minimum_run: usize,
    /// A longer time between two readings ends a run: nobody knows what happened between.
    pub gap_s: u64,
}

/// One run of consecutive readings outside the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excursion {
    /// Times of the first and of the last reading outside.
    pub from_us: u64,
    pub to_us: u64,
    pub readings: usize,
}

/// What a watch found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excursions {
    pub readings: usize,
    pub outside: usize,
    pub events: Vec<Excursion>,
}

/// Runs of readings outside `watch`'s limits. Limits and readings are compared as decimal
/// digits; a reading on a limit is inside.
#[must_use]
pub fn excursions(t_us: &[u64], digits: &[Option<Decimal>], watch: &Watch) -> Excursions {
    let readings = t_us
        .iter()
        .zip(digits)
        .filter_map(|(&t_us, digits)| digits.map(|digits| (t_us, digits)));
    let mut found = Excursions {
        readings: 0,
        outside: 0,
        events: Vec::new(),
    };
    let mut run: Option<Excursion> = None;
    let mut close = |run: &mut Option<Excursion>| {
        found
            .events
            .extend(run.take().filter(|run| run.readings >= watch.minimum_run));
    };
    let mut last_us = None;
    let [mut count, mut outside] = [0, 0];
    for (t_us, digits) in readings {
        count += 1;
        let gap = last_us.is_some_and(|last_us| {
            t_us.saturating_sub(last_us) > watch.gap_s.saturating_mul(1_000_000)
        });
        let inside = !below(digits, watch.low) && !below(watch.high, digits);
        if gap || inside {
            close(&mut run);
        }
        if !inside {
            outside += 1;
            let open = run.get_or_insert(Excursion {
                from_us: t_us,
                to_us: t_us,
                readings: 0,
            });
            open.to_us = t_us;
            open.readings += 1;
        }
        last_us = Some(t_us);
    }
    close(&mut run);
    found.readings = count;
    found.outside = outside;
    found
}

/// Whether `a` is below `b`, exactly.
fn below(a: Decimal, b: Decimal) -> bool {
    let exponent = a.exponent().min(b.exponent());
    match (a.steps(exponent), b.steps(exponent)) {
        (Some(a), Some(b)) => a < b,
        // Only numbers of more than 18 digits at the common resolution come here.
        _ => a.to_f64() < b.to_f64(),
    }
}

/// Difference of a globe thermometer and the air around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RadiationIndicator {
    /// Rows in which both were read.
    pub n: usize,
    pub mean: f64,
    /// Standard deviation of the differences; zero for a single row.
    pub s: f64,
}

/// Globe minus air over the rows in which both were read; none where no row has both.
#[must_use]
pub fn radiation_indicator(
    globe: &[Option<Decimal>],
    air: &[Option<Decimal>],
) -> Option<RadiationIndicator> {
    let differences: Vec<f64> = globe
        .iter()
        .zip(air)
        .filter_map(|(globe, air)| Some(globe.as_ref()?.to_f64() - air.as_ref()?.to_f64()))
        .collect();
    if differences.is_empty() {
        return None;
    }
    let mean = mean(&differences);
    let squares: f64 = differences
        .iter()
        .map(|one| (one - mean) * (one - mean))
        .sum();
    let dof = differences.len().saturating_sub(1).max(1) as f64;
    Some(RadiationIndicator {
        n: differences.len(),
        mean,
        s: (squares / dof).sqrt(),
    })
}
