//! A climatic chamber with a reference place and a unit under test in it.

use std::collections::VecDeque;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use super::humidity::{dew_point, frost_point, saturation_pa};
use super::room::Room;
use super::thermal::platinum_ohm;
use super::{Channel, Drive, Mark, Process, Role, normal};

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
];

/// Seconds that the mirror must have been quiet before it calls itself steady.
const MIRROR_QUIET_S: u32 = 30;

#[derive(Debug)]
pub(super) struct Climate {
    settings: PlantSettings,
    random: ChaCha8Rng,
    second: u64,
    room: Room,
    /// Set points; none leaves the chamber to the room.
    celsius: Option<f64>,
    rh_percent: Option<f64>,
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

impl Climate {
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
        let mut climate = Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            second: 0,
            room: Room::new(&settings),
            celsius: None,
            rh_percent: None,
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
        climate.mix();
        climate
    }

    fn control(&mut self) {
        let settings = &self.settings;
        let ramp_k = settings.ramp_k_per_min / 60.0;
        let ramp_rh = settings.ramp_rh_percent_per_min / 60.0;
        self.temperature
            .step(self.celsius.unwrap_or(settings.room_celsius), ramp_k);
        self.humidity
            .step(self.rh_percent.unwrap_or(settings.room_rh_percent), ramp_rh);
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

    fn unit_rh_percent(&self) -> f64 {
        self.settings.unit_offset_rh_percent + self.settings.unit_gain * self.unit_play_rh
    }
}

impl Process for Climate {
    fn step(&mut self, second: u64) {
        self.second = second;
        self.control();
    }

    fn drive(&mut self, drive: &Drive) {
        self.celsius = drive.set_point("temperature");
        self.rh_percent = drive.set_point("relative_humidity");
    }

    fn sensed(&self, role: Role, channel: Channel<'_>) -> Option<f64> {
        let settings = &self.settings;
        let vapour_pa = saturation_pa(self.mirror_celsius);
        let Channel { quantity, number } = channel;
        match (role, quantity) {
            // Further channels of a thermometer lie in the room.
            (Role::Thermometer, "temperature") if number > 1 => Some(settings.room_celsius),
            (Role::Thermometer, "resistance") if number > 1 => {
                Some(platinum_ohm(settings.room_celsius))
            }
            _ if number > 1 => None,
            (Role::Mirror, "dew_point") => Some(self.mirror_celsius),
            (Role::Mirror, "frost_point" | "mirror_temperature") => Some(frost_point(vapour_pa)),
            (Role::Mirror, "relative_humidity") => {
                Some(100.0 * vapour_pa / saturation_pa(self.thermometer_celsius))
            }
            (Role::Mirror | Role::Thermometer, "temperature") => Some(self.thermometer_celsius),
            (Role::Thermometer, "resistance") => Some(platinum_ohm(self.thermometer_celsius)),
            (Role::Mirror | Role::Barometer, "pressure") => {
                Some(self.room.pressure_hpa(self.second))
            }
            (Role::Barometer, "temperature") => Some(settings.room_celsius),
            (Role::Chamber, "temperature") => Some(self.temperature.value),
            (Role::Chamber, "relative_humidity") => Some(self.humidity.value),
            (Role::UnitUnderTest, "temperature") => {
                Some(self.unit_celsius + settings.unit_offset_k)
            }
            (Role::UnitUnderTest, "relative_humidity") => Some(self.unit_rh_percent()),
            (Role::UnitUnderTest, "dew_point" | "frost_point") => {
                let own_celsius = self.unit_celsius + settings.unit_offset_k;
                let vapour_pa = self.unit_rh_percent() / 100.0 * saturation_pa(own_celsius);
                Some(if quantity == "dew_point" {
                    dew_point(vapour_pa)
                } else {
                    frost_point(vapour_pa)
                })
            }
            _ => None,
        }
    }

    fn noise(&self, role: Role, channel: Channel<'_>) -> f64 {
        NOISE
            .iter()
            .find(|(of, name, _)| *of == role && channel == Channel::first(name))
            .map_or(0.0, |(_, _, sigma)| *sigma)
    }

    fn mark(&self, mark: Mark) -> bool {
        match mark {
            Mark::Steady => self.mirror_quiet_s >= MIRROR_QUIET_S,
            Mark::Runs => self.celsius.is_some() || self.rh_percent.is_some(),
            _ => false,
        }
    }
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
