//! A two-pressure humidity generator: air is saturated at one pressure and temperature and
//! expanded into a chamber at another. Ideal gas, without enhancement factors.

use rand_chacha::ChaCha8Rng;

use super::humidity::{dew_point, frost_point, saturation_pa};
use super::room::Room;
use super::{Channel, Drive, Fluctuation, Mark, Process, Role, decay};

const TEMPERATURE_S: f64 = 300.0;
const TEMPERATURE_K_PER_S: f64 = 0.02;
const PRESSURE_S: f64 = 15.0;
/// Exchange of the air of the chamber.
const AIR_S: f64 = 45.0;
/// The saturator holds no more than this.
const LARGEST_HPA: f64 = 10_000.0;
/// Loss of pressure from saturator to chamber when the valve is open.
const SMALLEST_DROP_HPA: f64 = 5.0;
const FLOW_L_PER_MIN: f64 = 20.0;
/// Molar mass of water over that of dry air.
const MASS_RATIO: f64 = 0.621_98;
/// Steady: so long with both the pressure and the temperatures where they are to be.
const STEADY_S: u32 = 120;

#[derive(Debug)]
pub(super) struct Generator {
    room: Room,
    chamber_hpa: f64,
    temperature: Option<f64>,
    /// Quantity that is controlled, and its set point.
    governed: Option<(&'static str, f64)>,
    saturator_celsius: f64,
    chamber_celsius: f64,
    saturator_hpa: f64,
    chamber_vapour_pa: f64,
    fluctuation: Fluctuation,
    steady_s: u32,
}

impl Generator {
    pub fn new(room: Room, random: ChaCha8Rng) -> Self {
        let (celsius, chamber_hpa) = (room.celsius(0), room.pressure_hpa(0));
        let saturator_hpa = chamber_hpa + SMALLEST_DROP_HPA;
        Self {
            room,
            chamber_hpa,
            temperature: None,
            governed: None,
            saturator_celsius: celsius,
            chamber_celsius: celsius,
            saturator_hpa,
            chamber_vapour_pa: saturation_pa(celsius) * chamber_hpa / saturator_hpa,
            fluctuation: Fluctuation::new(0.003, 40.0, random),
            steady_s: 0,
        }
    }

    /// Saturation pressure that gives what is asked for, within what the saturator can do.
    fn wanted_hpa(&self) -> f64 {
        let saturated_pa = saturation_pa(self.saturator_celsius);
        let for_vapour = |vapour_pa: f64| self.chamber_hpa * saturated_pa / vapour_pa.max(1e-3);
        let wanted_hpa = match self.governed {
            Some(("relative_humidity", percent)) => {
                for_vapour(percent / 100.0 * saturation_pa(self.chamber_celsius))
            }
            Some(("dew_point", celsius)) => for_vapour(saturation_pa(celsius)),
            Some((_, hpa)) => hpa,
            None => 0.0,
        };
        let smallest_hpa = self.chamber_hpa + SMALLEST_DROP_HPA;
        wanted_hpa.min(LARGEST_HPA).max(smallest_hpa)
    }
}

impl Process for Generator {
    fn step(&mut self, second: u64) {
        self.chamber_hpa = self.room.pressure_hpa(second);
        let bath = self
            .temperature
            .unwrap_or_else(|| self.room.celsius(second));
        let approach = |from: f64| {
            ((bath - from) * (1.0 - decay(TEMPERATURE_S)))
                .clamp(-TEMPERATURE_K_PER_S, TEMPERATURE_K_PER_S)
        };
        self.saturator_celsius += approach(self.saturator_celsius);
        // The chamber lies in the same bath and lags behind the saturator.
        self.chamber_celsius +=
            (self.saturator_celsius - self.chamber_celsius) * (1.0 - decay(60.0));
        let missing_hpa = self.wanted_hpa() - self.saturator_hpa;
        self.saturator_hpa += missing_hpa * (1.0 - decay(PRESSURE_S));
        self.fluctuation.step();
        let entering_pa = saturation_pa(self.saturator_celsius + self.fluctuation.value)
            * self.chamber_hpa
            / self.saturator_hpa;
        self.chamber_vapour_pa += (entering_pa - self.chamber_vapour_pa) * (1.0 - decay(AIR_S));
        let there = missing_hpa.abs() < 1e-4 * self.saturator_hpa
            && (bath - self.saturator_celsius).abs() < 0.02
            && (entering_pa - self.chamber_vapour_pa).abs() < 1e-3 * entering_pa;
        self.steady_s = if there {
            (self.steady_s + 1).min(STEADY_S)
        } else {
            0
        };
    }

    fn drive(&mut self, drive: &Drive) {
        self.temperature = drive
            .governing(&["saturation_temperature", "temperature"])
            .map(|(_, celsius)| celsius);
        self.governed = drive.governing(&[
            "relative_humidity",
            "dew_point",
            "saturation_pressure",
            "pressure",
        ]);
        self.steady_s = 0;
    }

    fn sensed(&self, _role: Role, channel: Channel<'_>) -> Option<f64> {
        match (channel.quantity, channel.number) {
            ("relative_humidity", 1) => {
                Some(100.0 * self.chamber_vapour_pa / saturation_pa(self.chamber_celsius))
            }
            // Of the two pressures alone, as if both were at one temperature.
            ("relative_humidity", 2) => Some(100.0 * self.chamber_hpa / self.saturator_hpa),
            ("dew_point", 1) => Some(dew_point(self.chamber_vapour_pa)),
            ("frost_point", 1) => Some(frost_point(self.chamber_vapour_pa)),
            ("humidity_ratio", 1) => {
                let dry_pa = 100.0 * self.chamber_hpa - self.chamber_vapour_pa;
                Some(MASS_RATIO * self.chamber_vapour_pa / dry_pa)
            }
            ("temperature", 1) => Some(self.chamber_celsius),
            ("saturation_temperature", 1) | ("temperature", 2) => Some(self.saturator_celsius),
            ("pressure", 1) => Some(self.chamber_hpa),
            ("saturation_pressure", 1) | ("pressure", 2) => Some(self.saturator_hpa),
            ("flow", 1) => Some(if self.governed.is_some() {
                FLOW_L_PER_MIN
            } else {
                0.0
            }),
            _ => None,
        }
    }

    fn noise(&self, _role: Role, channel: Channel<'_>) -> f64 {
        match channel.quantity {
            "relative_humidity" => 0.01,
            "humidity_ratio" => 1e-6,
            "pressure" | "saturation_pressure" => 0.05,
            "flow" => 0.02,
            _ => 0.003,
        }
    }

    fn mark(&self, mark: Mark) -> bool {
        match mark {
            Mark::Steady => self.steady_s >= STEADY_S,
            Mark::Runs => self.governed.is_some(),
            _ => false,
        }
    }
}
