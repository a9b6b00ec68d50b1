//! The simulated laboratory: a climatic chamber with a reference place and a unit under
//! test in it, and the air pressure around.
//!
//! The state moves on a fixed grid of one second, so that it does not depend on when
//! anybody looks. Only `+ − × ÷`, square roots and `libm` are used: the same seed gives the
//! same bytes on every machine.

use std::collections::VecDeque;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use super::Role;
use super::humidity::{dew_point, frost_point, saturation_pa};

/// Figures of the simulated laboratory. The defaults are those of an ordinary climatic
/// chamber of 0.5 m³ and of a capacitive hygrometer some years after its adjustment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlantSettings {
    /// State of the room, from which the chamber starts.
    pub room_celsius: f64,
    pub room_rh_percent: f64,
    /// Ambient pressure, and the amplitude of its drift over a day.
    pub pressure_hpa: f64,
    pub pressure_drift_hpa: f64,
    /// Ramps of the chamber's own set-point control.
    pub ramp_k_per_min: f64,
    pub ramp_rh_percent_per_min: f64,
    /// Dead times and time constants.
    pub dead_time_temperature_s: u32,
    pub dead_time_humidity_s: u32,
    pub time_constant_temperature_s: f64,
    pub time_constant_humidity_s: f64,
    /// Standard deviations of the fluctuation of the air, correlated over a minute.
    pub fluctuation_k: f64,
    pub fluctuation_vapour: f64,
    /// Chamber sensor to reference place, and reference place to unit under test.
    pub gradient_reference_k: f64,
    pub gradient_unit_k: f64,
    /// The unit under test: `indication = offset + gain × (humidity with hysteresis)`.
    pub unit_offset_rh_percent: f64,
    pub unit_gain: f64,
    /// Half of the difference between falling and rising humidity.
    pub unit_hysteresis_rh_percent: f64,
    pub unit_offset_k: f64,
}

impl Default for PlantSettings {
    fn default() -> Self {
        Self {
            room_celsius: 23.0,
            room_rh_percent: 45.0,
            pressure_hpa: 1008.0,
            pressure_drift_hpa: 1.5,
            ramp_k_per_min: 1.0,
            ramp_rh_percent_per_min: 2.0,
            dead_time_temperature_s: 45,
            dead_time_humidity_s: 60,
            time_constant_temperature_s: 240.0,
            time_constant_humidity_s: 240.0,
            fluctuation_k: 0.006,
            fluctuation_vapour: 0.0003,
            gradient_reference_k: 0.10,
            gradient_unit_k: 0.04,
            unit_offset_rh_percent: 0.6,
            unit_gain: 1.012,
            unit_hysteresis_rh_percent: 0.35,
            unit_offset_k: 0.12,
        }
    }
}

/// Standard deviations of single readings.
const NOISE: &[(Role, &str, f64)] = &[
    (Role::Mirror, "dew_point", 0.004),
    (Role::Mirror, "frost_point", 0.004),
    (Role::Mirror, "mirror_temperature", 0.004),
    (Role::Thermometer, "temperature", 0.002),
    (Role::Barometer, "pressure", 0.01),
    (Role::UnitUnderTest, "relative_humidity", 0.04),
    (Role::UnitUnderTest, "temperature", 0.03),
    (Role::Chamber, "temperature", 0.02),
    (Role::Chamber, "relative_humidity", 0.05),
    (Role::Source, "temperature", 0.003),
];

/// Seconds that the mirror must have been quiet before it calls itself steady.
const MIRROR_QUIET_S: u32 = 30;

/// Set point that a plant is driven to; `None` leaves it to the room.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Drive {
    pub celsius: Option<f64>,
    pub rh_percent: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Plant {
    settings: PlantSettings,
    random: ChaCha8Rng,
    second: u64,
    drive: Drive,
    temperature: Control,
    humidity: Control,
    fluctuation_k: f64,
    fluctuation_vapour: f64,
    air: Air,
    mirror_celsius: f64,
    mirror_quiet_s: u32,
    thermometer_celsius: f64,
    unit_celsius: f64,
    unit_lagged_rh: f64,
    unit_play_rh: f64,
}

/// What the air is like at this second.
#[derive(Debug, Clone, Copy, Default)]
struct Air {
    reference_celsius: f64,
    unit_celsius: f64,
    vapour_pa: f64,
}

impl Plant {
    pub fn new(settings: PlantSettings, seed: u64) -> Self {
        let (room, rh) = (settings.room_celsius, settings.room_rh_percent);
        let temperature = Control::new(
            room,
            settings.dead_time_temperature_s,
            settings.time_constant_temperature_s,
        );
        let humidity = Control::new(
            rh,
            settings.dead_time_humidity_s,
            settings.time_constant_humidity_s,
        );
        let dew = dew_point(rh / 100.0 * saturation_pa(room));
        let mut plant = Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            second: 0,
            drive: Drive::default(),
            temperature,
            humidity,
            fluctuation_k: 0.0,
            fluctuation_vapour: 0.0,
            air: Air::default(),
            mirror_celsius: dew,
            mirror_quiet_s: 0,
            thermometer_celsius: room,
            unit_celsius: room,
            unit_lagged_rh: rh,
            unit_play_rh: rh,
            settings,
        };
        plant.mix();
        plant
    }

    /// Takes effect at the next second of the grid.
    pub fn set(&mut self, t_us: u64, drive: Drive) {
        self.advance(t_us);
        self.drive = drive;
    }

    /// Moves the state to the last whole second before `t_us`. Time never runs backwards.
    pub fn advance(&mut self, t_us: u64) {
        while self.second < t_us / 1_000_000 {
            self.second += 1;
            self.step();
        }
    }

    fn step(&mut self) {
        let settings = &self.settings;
        let ramp_k = settings.ramp_k_per_min / 60.0;
        let ramp_rh = settings.ramp_rh_percent_per_min / 60.0;
        self.temperature
            .step(self.drive.celsius.unwrap_or(settings.room_celsius), ramp_k);
        self.humidity.step(
            self.drive.rh_percent.unwrap_or(settings.room_rh_percent),
            ramp_rh,
        );
        // First-order autoregression, correlated over 60 s.
        let (keep, drive) = (1.0 - 1.0 / 60.0, (2.0_f64 / 60.0).sqrt());
        self.fluctuation_k =
            keep * self.fluctuation_k + drive * settings.fluctuation_k * normal(&mut self.random);
        self.fluctuation_vapour = keep * self.fluctuation_vapour
            + drive * settings.fluctuation_vapour * normal(&mut self.random);
        self.mix();
        self.sense();
    }

    fn mix(&mut self) {
        let chamber = self.temperature.value;
        let reference = chamber + self.settings.gradient_reference_k + self.fluctuation_k;
        let vapour =
            self.humidity.value / 100.0 * saturation_pa(chamber) * (1.0 + self.fluctuation_vapour);
        self.air = Air {
            reference_celsius: reference,
            unit_celsius: reference + self.settings.gradient_unit_k,
            vapour_pa: vapour,
        };
    }

    /// Sensor lags, each of first order over one second.
    fn sense(&mut self) {
        let dew = dew_point(self.air.vapour_pa);
        self.mirror_celsius += (dew - self.mirror_celsius) / 25.0;
        let quiet = (dew - self.mirror_celsius).abs() < 0.05;
        self.mirror_quiet_s = if quiet {
            (self.mirror_quiet_s + 1).min(MIRROR_QUIET_S)
        } else {
            0
        };
        self.thermometer_celsius += (self.air.reference_celsius - self.thermometer_celsius) / 15.0;
        self.unit_celsius += (self.air.unit_celsius - self.unit_celsius) / 60.0;
        let rh = 100.0 * self.air.vapour_pa / saturation_pa(self.air.unit_celsius);
        self.unit_lagged_rh += (rh - self.unit_lagged_rh) / 40.0;
        // The play operator: the polymer follows the humidity at a distance.
        let play = self.settings.unit_hysteresis_rh_percent;
        self.unit_play_rh = self
            .unit_play_rh
            .max(self.unit_lagged_rh - play)
            .min(self.unit_lagged_rh + play);
    }

    pub fn steady(&self) -> bool {
        self.mirror_quiet_s >= MIRROR_QUIET_S
    }

    /// What an ideal display of this sensor would show now; `None` where it has no such
    /// quantity.
    pub fn sensed(&self, role: Role, quantity: &str) -> Option<f64> {
        let settings = &self.settings;
        // The pressure swings over 26 h; a session sees a part of it.
        let phase = self.second as f64 / (26.0 * 3600.0) * std::f64::consts::TAU;
        let pressure_hpa = settings.pressure_hpa + settings.pressure_drift_hpa * libm::sin(phase);
        let vapour_pa = saturation_pa(self.mirror_celsius);
        match (role, quantity) {
            (Role::Mirror, "dew_point") => Some(self.mirror_celsius),
            (Role::Mirror, "frost_point" | "mirror_temperature") => Some(frost_point(vapour_pa)),
            (Role::Mirror, "pressure") => Some(pressure_hpa * 100.0),
            (Role::Thermometer, "temperature") => Some(self.thermometer_celsius),
            // Further channels lie in the room.
            (Role::Thermometer, _) => Some(settings.room_celsius),
            (Role::Barometer, "pressure") => Some(pressure_hpa),
            (Role::Chamber | Role::Source, "temperature") => Some(self.temperature.value),
            (Role::Chamber, "relative_humidity") => Some(self.humidity.value),
            (Role::UnitUnderTest, "temperature") => {
                Some(self.unit_celsius + settings.unit_offset_k)
            }
            (Role::UnitUnderTest, "relative_humidity") => {
                Some(settings.unit_offset_rh_percent + settings.unit_gain * self.unit_play_rh)
            }
            _ => None,
        }
    }
}

/// Standard deviation of a single reading.
pub(super) fn noise(role: Role, quantity: &str) -> f64 {
    NOISE
        .iter()
        .find(|(of, name, _)| *of == role && *name == quantity)
        .map_or(0.0, |(_, _, sigma)| *sigma)
}

/// A standard normal deviate, near enough: the sum of twelve uniform ones. It needs no
/// elementary function and stays within six standard deviations.
pub(super) fn normal(random: &mut ChaCha8Rng) -> f64 {
    let sum: f64 = (0..12)
        .map(|_| f64::from(random.next_u32()) / 4_294_967_296.0)
        .sum();
    sum - 6.0
}

/// A controlled quantity: set-point ramp, dead time, first order.
#[derive(Debug)]
struct Control {
    value: f64,
    ramped: f64,
    delayed: VecDeque<f64>,
    time_constant_s: f64,
}

impl Control {
    fn new(value: f64, dead_time_s: u32, time_constant_s: f64) -> Self {
        let delayed = std::iter::repeat_n(value, dead_time_s as usize).collect();
        Self {
            value,
            ramped: value,
            delayed,
            time_constant_s,
        }
    }

    fn step(&mut self, target: f64, ramp: f64) {
        self.ramped += (target - self.ramped).clamp(-ramp, ramp);
        self.delayed.push_back(self.ramped);
        let drive = self.delayed.pop_front().unwrap_or(self.ramped);
        self.value += (drive - self.value) / self.time_constant_s;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_US: u64 = 60_000_000;

    fn driven(celsius: f64, rh_percent: f64) -> Drive {
        Drive {
            celsius: Some(celsius),
            rh_percent: Some(rh_percent),
        }
    }

    #[test]
    fn the_chamber_settles_within_half_an_hour_to_an_hour() {
        let mut plant = Plant::new(PlantSettings::default(), 1);
        plant.set(0, driven(20.0, 75.0));
        plant.advance(10 * MINUTE_US);
        let rh = plant.sensed(Role::Chamber, "relative_humidity").unwrap();
        assert!((rh - 75.0).abs() > 3.0, "settled too soon: {rh}");
        plant.advance(60 * MINUTE_US);
        let rh = plant.sensed(Role::Chamber, "relative_humidity").unwrap();
        let t = plant.sensed(Role::Thermometer, "temperature").unwrap();
        assert!((rh - 75.0).abs() < 0.1, "{rh}");
        assert!((t - 20.1).abs() < 0.05, "{t}");
        assert!(plant.steady());
    }

    #[test]
    fn the_state_does_not_depend_on_who_looks_when() {
        let settings = PlantSettings::default();
        let (mut often, mut once) = (Plant::new(settings.clone(), 7), Plant::new(settings, 7));
        often.set(500_000, driven(30.0, 40.0));
        once.set(900_000, driven(30.0, 40.0));
        for step in 0..4000 {
            often.advance(step * 350_000);
        }
        once.advance(3999 * 350_000);
        for (role, quantity, _) in NOISE {
            assert_eq!(
                often.sensed(*role, quantity),
                once.sensed(*role, quantity),
                "{role:?} {quantity}"
            );
        }
    }

    #[test]
    fn the_unit_shows_more_on_the_way_down_than_on_the_way_up() {
        let mut plant = Plant::new(PlantSettings::default(), 3);
        let mut reading = |start_min: u64, rh: f64| {
            plant.set(start_min * MINUTE_US, driven(23.0, rh));
            plant.advance((start_min + 90) * MINUTE_US);
            plant
                .sensed(Role::UnitUnderTest, "relative_humidity")
                .unwrap()
        };
        let _start = reading(0, 20.0);
        let rising = reading(90, 50.0);
        let _top = reading(180, 80.0);
        let falling = reading(270, 50.0);
        assert!(
            (0.5..1.0).contains(&(falling - rising)),
            "{rising} {falling}"
        );
    }

    #[test]
    fn deviates_have_mean_zero_and_variance_one() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let all: Vec<f64> = (0..20_000).map(|_| normal(&mut random)).collect();
        let mean = all.iter().sum::<f64>() / 20_000.0;
        let variance = all.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / 20_000.0;
        // Five standard errors.
        assert!(
            mean.abs() < 0.036 && (variance - 1.0).abs() < 0.05,
            "{mean} {variance}"
        );
    }
}
