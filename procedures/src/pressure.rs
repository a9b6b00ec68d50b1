//! Calibration of pressure gauges in cycles of rising and falling pressure
//! (DKD-R 6-1:2014, 8.4; EURAMET cg-17).

/// Evaluation of complete cycles, in the unit of the readings.
#[derive(Debug, Clone, PartialEq)]
pub struct PressureCycles {
    /// One for each point, in the order of the points.
    pub points: Vec<PressurePoint>,
    /// Largest |zero after − zero before| of one cycle.
    pub zero_deviation: f64,
}

/// Evaluation of one point.
#[derive(Debug, Clone, PartialEq)]
pub struct PressurePoint {
    /// Mean of all readings minus the reference.
    pub mean_deviation: f64,
    /// Mean of |falling − rising| over the cycles.
    pub mean_hysteresis: f64,
    /// Largest difference of two rising readings, or of two falling ones, each less the zero
    /// of its series; none for a single cycle.
    pub repeatability: Option<f64>,
}

/// Why readings are no cycles of rising and falling pressure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PressureCyclesError {
    /// Fewer than two points.
    #[error("a cycle needs its zero and at least one more point, not {0} points")]
    TooFewPoints(usize),
    /// No cycle, or series without their counterpart.
    #[error(
        "there are {up} rising and {down} falling series: enter one of each for every cycle, at least one"
    )]
    Unpaired {
        /// Rising series.
        up: usize,
        /// Falling series.
        down: usize,
    },
    /// A series that does not have one reading for each point.
    #[error("the {direction} series of cycle {cycle} has {found} readings for {expected} points")]
    Length {
        /// Rising or falling.
        direction: &'static str,
        /// Counted from 1.
        cycle: usize,
        /// Readings in the series.
        found: usize,
        /// Points of the reference.
        expected: usize,
    },
    /// A reading or a reference that is infinite or not a number.
    #[error(
        "point {point} has a value that is no finite number: repeat it, or leave the point out"
    )]
    NotFinite {
        /// Counted from 1.
        point: usize,
    },
    /// The first point is the zero of each series and must be the lowest.
    #[error(
        "the references must rise from the zero on, but point {point} does not: sort the points"
    )]
    NotRising {
        /// Counted from 1.
        point: usize,
    },
}

/// Evaluates cycles: `up` and `down` hold a series for each cycle with a reading for each
/// point of `reference`, both in the order of the points, so that a falling series is
/// written from its end. The first point is the zero.
///
/// # Errors
/// [`PressureCyclesError`].
pub fn pressure_cycles(
    reference: &[f64],
    up: &[Vec<f64>],
    down: &[Vec<f64>],
) -> Result<PressureCycles, PressureCyclesError> {
    check(reference, up, down)?;
    let cycles = up.len() as f64;
    let evaluate = |(at, reference): (usize, &f64)| {
        let readings = up.iter().chain(down).map(|series| series[at]);
        let deviations = readings.fold(0.0, |sum, reading| sum + (reading - reference));
        let pairs = up.iter().zip(down);
        let hysteresis = pairs.fold(0.0, |sum, (up, down)| sum + (down[at] - up[at]).abs());
        PressurePoint {
            mean_deviation: deviations / (2.0 * cycles),
            mean_hysteresis: hysteresis / cycles,
            repeatability: spread(up, at).map(|rising| {
                let falling = spread(down, at).unwrap_or(0.0);
                rising.max(falling)
            }),
        }
    };
    let zeros = up
        .iter()
        .zip(down)
        .map(|(up, down)| (down[0] - up[0]).abs());
    Ok(PressureCycles {
        points: reference.iter().enumerate().map(evaluate).collect(),
        zero_deviation: zeros.fold(0.0, f64::max),
    })
}

/// Largest minus least reading of a point, each less the zero of its series; none for a
/// single series.
fn spread(series: &[Vec<f64>], at: usize) -> Option<f64> {
    if series.len() < 2 {
        return None;
    }
    let corrected = || series.iter().map(|series| series[at] - series[0]);
    let highest = corrected().fold(f64::NEG_INFINITY, f64::max);
    Some(highest - corrected().fold(f64::INFINITY, f64::min))
}

fn check(reference: &[f64], up: &[Vec<f64>], down: &[Vec<f64>]) -> Result<(), PressureCyclesError> {
    let expected = reference.len();
    if expected < 2 {
        return Err(PressureCyclesError::TooFewPoints(expected));
    }
    if up.is_empty() || up.len() != down.len() {
        let (up, down) = (up.len(), down.len());
        return Err(PressureCyclesError::Unpaired { up, down });
    }
    for (direction, all) in [("rising", up), ("falling", down)] {
        for (cycle, series) in (1..).zip(all) {
            let found = series.len();
            if found != expected {
                return Err(PressureCyclesError::Length {
                    direction,
                    cycle,
                    found,
                    expected,
                });
            }
        }
    }
    for at in 0..expected {
        let point = at + 1;
        let mut values = up.iter().chain(down).map(|series| series[at]);
        if !reference[at].is_finite() || values.any(|value| !value.is_finite()) {
            return Err(PressureCyclesError::NotFinite { point });
        }
        if at > 0 && reference[at] <= reference[at - 1] {
            return Err(PressureCyclesError::NotRising { point });
        }
    }
    Ok(())
}
