//! The room of the laboratory. Its state is a function of time alone.

use super::humidity::{dew_point, saturation_pa};
use super::{Channel, Mark, PlantSettings, Process, Role};

/// Amplitude of the temperature of the room over a day. The climatic chamber is set up for
/// the mean temperature and takes no notice of it.
const SWING_K: f64 = 0.3;

#[derive(Debug, Clone)]
pub(super) struct Room {
    mean_celsius: f64,
    rh_percent: f64,
    mean_pressure_hpa: f64,
    pressure_drift_hpa: f64,
    second: u64,
}

impl Room {
    pub fn new(settings: &PlantSettings) -> Self {
        Self {
            mean_celsius: settings.room_celsius,
            rh_percent: settings.room_rh_percent,
            mean_pressure_hpa: settings.pressure_hpa,
            pressure_drift_hpa: settings.pressure_drift_hpa,
            second: 0,
        }
    }

    pub fn celsius(&self, second: u64) -> f64 {
        let phase = second as f64 / (24.0 * 3600.0) * std::f64::consts::TAU;
        self.mean_celsius + SWING_K * libm::sin(phase)
    }

    /// The pressure swings over 26 h; a session sees a part of it.
    pub fn pressure_hpa(&self, second: u64) -> f64 {
        let phase = second as f64 / (26.0 * 3600.0) * std::f64::consts::TAU;
        self.mean_pressure_hpa + self.pressure_drift_hpa * libm::sin(phase)
    }

    /// The water in the air of the room stays what it is while the temperature swings.
    fn vapour_pa(&self) -> f64 {
        self.rh_percent / 100.0 * saturation_pa(self.mean_celsius)
    }
}

impl Process for Room {
    fn step(&mut self, second: u64) {
        self.second = second;
    }

    fn sensed(&self, _role: Role, channel: Channel<'_>) -> Option<f64> {
        let celsius = self.celsius(self.second);
        match (channel.quantity, channel.number) {
            // A second probe of the same recorder stands a little off the first.
            ("temperature", number) => Some(celsius + 0.1 * (number - 1) as f64),
            ("relative_humidity", number) => {
                let celsius = celsius + 0.1 * (number - 1) as f64;
                Some(100.0 * self.vapour_pa() / saturation_pa(celsius))
            }
            ("dew_point", _) => Some(dew_point(self.vapour_pa())),
            ("pressure", 1) => Some(self.pressure_hpa(self.second)),
            _ => None,
        }
    }

    fn noise(&self, _role: Role, channel: Channel<'_>) -> f64 {
        match channel.quantity {
            "relative_humidity" => 0.1,
            _ => 0.02,
        }
    }

    fn mark(&self, mark: Mark) -> bool {
        mark == Mark::Steady
    }
}
