//! Test atmospheres and pressure holds for packagings of dangerous goods (UN Model
//! Regulations, 6.1.5): verdicts on records.

use heng_quantities::Decimal;
use heng_uncertainty::{Slope, slope};
use serde::{Deserialize, Serialize};

use crate::steady::{micros, seconds};

/// Atmosphere in which packagings of paper or fibreboard are conditioned (6.1.5.2.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditioning {
    /// Temperature and tolerance of its mean, in °C.
    pub temperature: [f64; 2],
    /// Relative humidity and tolerance of its mean, in %RH.
    pub humidity: [f64; 2],
    /// Largest distance of a single reading from the relative humidity, in %RH.
    pub single_humidity: f64,
    /// Shortest time without a break, in hours.
    pub hours: f64,
}

/// The atmospheres of 6.1.5.2.3; the first is the preferred one.
pub const CONDITIONINGS: [Conditioning; 3] = [
    conditioning(23.0, 50.0),
    conditioning(20.0, 65.0),
    conditioning(27.0, 65.0),
];

const fn conditioning(t: f64, rh: f64) -> Conditioning {
    Conditioning {
        temperature: [t, 2.0],
        humidity: [rh, 2.0],
        single_humidity: 5.0,
        hours: 24.0,
    }
}

/// What the record of an atmosphere comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtmosphereRecord {
    pub mean_t: f64,
    pub mean_rh: f64,
    pub min_rh: f64,
    pub max_rh: f64,
    /// Time covered without a gap.
    pub hours: f64,
}

/// What an atmosphere does not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditioningFault {
    MeanTemperature,
    MeanHumidity,
    SingleHumidity,
    Duration,
}

impl Conditioning {
    /// What the record does not keep; empty for a conditioning that is good. Means count
    /// against the tolerances, single readings of the humidity against their own.
    #[must_use]
    pub fn faults(&self, record: &AtmosphereRecord) -> Vec<ConditioningFault> {
        // A NaN keeps nothing.
        let keeps = |value: f64, [nominal, tolerance]: [f64; 2]| {
            let away = (value - nominal).abs();
            away <= tolerance
        };
        let single = [self.humidity[0], self.single_humidity];
        let kept = [
            (
                ConditioningFault::MeanTemperature,
                keeps(record.mean_t, self.temperature),
            ),
            (
                ConditioningFault::MeanHumidity,
                keeps(record.mean_rh, self.humidity),
            ),
            (
                ConditioningFault::SingleHumidity,
                keeps(record.min_rh, single) && keeps(record.max_rh, single),
            ),
            (ConditioningFault::Duration, record.hours >= self.hours),
        ];
        let faults = kept.into_iter().filter(|(_, kept)| !kept);
        faults.map(|(fault, _)| fault).collect()
    }
}

/// The last stretch of a record in which temperature and humidity were read without a gap;
/// none where no row has both. Rows with one of them alone count as missing.
///
/// Means are of the readings, so these should come at one interval.
#[must_use]
pub fn atmosphere_record(
    t_us: &[u64],
    temperature: &[Option<Decimal>],
    humidity: &[Option<Decimal>],
    gap_s: f64,
) -> Option<AtmosphereRecord> {
    let rows = t_us.iter().zip(temperature.iter().zip(humidity));
    let both = rows.filter_map(|(&at, (t, rh))| Some((at, t.as_ref()?, rh.as_ref()?)));
    let mut stretch: Vec<(u64, f64, f64)> = Vec::new();
    for (at, t, rh) in both {
        let gap = stretch.last().map_or(0, |last| at.saturating_sub(last.0));
        if gap > micros(gap_s) {
            stretch.clear();
        }
        stretch.push((at, t.to_f64(), rh.to_f64()));
    }
    let ((first, ..), (last, ..)) = (stretch.first()?, stretch.last()?);
    let n = stretch.len() as f64;
    let humidities = || stretch.iter().map(|row| row.2);
    Some(AtmosphereRecord {
        mean_t: stretch.iter().fold(0.0, |sum, row| sum + row.1) / n,
        mean_rh: humidities().fold(0.0, |sum, rh| sum + rh) / n,
        min_rh: humidities().fold(f64::INFINITY, f64::min),
        max_rh: humidities().fold(f64::NEG_INFINITY, f64::max),
        hours: seconds(last.saturating_sub(*first)) / 3600.0,
    })
}

/// What a packaging is made of, as far as the pressure test asks (6.1.5.5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packaging {
    Metal,
    Plastics,
    CompositePlastics,
    /// Composite packaging of glass, porcelain or stoneware.
    CompositeGlass,
}

impl Packaging {
    /// How long the pressure is held, in minutes.
    #[must_use]
    pub const fn hold_minutes(self) -> u32 {
        match self {
            Self::Metal | Self::CompositeGlass => 5,
            Self::Plastics | Self::CompositePlastics => 30,
        }
    }
}

/// What a pressure hold must keep. Pressures are in one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PressureHold {
    pub required: f64,
    /// Expanded uncertainty of the indicated pressure: the indication stays above
    /// `required` + `expanded_u`.
    pub expanded_u: f64,
    /// The pressure is even: the indication stays at or below this, where it is given.
    pub at_most: Option<f64>,
    pub hold_s: f64,
    /// A longer time between two readings stops the clock.
    pub gap_s: f64,
    /// Largest fall of the least-squares line an hour; a steeper one is a leak.
    pub fall_per_h: Option<f64>,
}

/// One run of the clock: from the first reading that reaches the pressure to the last one
/// before a dip, a gap, or a pressure above the band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    pub from_us: u64,
    pub to_us: u64,
    pub readings: usize,
    pub lowest: f64,
    /// None for fewer than three readings.
    pub slope: Option<Slope>,
    /// Long enough, and without a leak.
    pub passed: bool,
}

impl PressureHold {
    /// The runs of the clock in a record; a missing reading stops it as a gap would.
    #[must_use]
    pub fn runs(&self, t_us: &[u64], pressure: &[Option<f64>]) -> Vec<Hold> {
        let mut found = Vec::new();
        let mut run: Vec<(u64, f64)> = Vec::new();
        for (&at, p) in t_us.iter().zip(pressure) {
            let gap = run.last().map_or(0, |last| at.saturating_sub(last.0));
            let held = p.filter(|p| self.is_held(*p));
            if gap > micros(self.gap_s) || held.is_none() {
                found.extend(self.close(&run));
                run.clear();
            }
            run.extend(held.map(|p| (at, p)));
        }
        found.extend(self.close(&run));
        found
    }

    fn is_held(&self, p: f64) -> bool {
        p >= self.required + self.expanded_u && self.at_most.is_none_or(|most| p <= most)
    }

    fn close(&self, run: &[(u64, f64)]) -> Option<Hold> {
        let (from_us, to_us) = (run.first()?.0, run.last()?.0);
        let hours = |at: u64| seconds(at.saturating_sub(from_us)) / 3600.0;
        let (t_h, p): (Vec<f64>, Vec<f64>) = run.iter().map(|&(at, p)| (hours(at), p)).unzip();
        let slope = slope(&t_h, &p);
        let tight = self.fall_per_h.is_none_or(|most| {
            let fall = slope.as_ref().map(|slope| -slope.per_h);
            fall.is_some_and(|fall| fall <= most)
        });
        Some(Hold {
            from_us,
            to_us,
            readings: run.len(),
            lowest: p.iter().copied().fold(f64::INFINITY, f64::min),
            // Written so that a time that is no number passes nothing.
            passed: tight && seconds(to_us.saturating_sub(from_us)) >= self.hold_s,
            slope,
        })
    }
}
