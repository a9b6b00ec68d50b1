//! A bath or dry well with resistance thermometers in it.
//!
//! The block takes heat from a heater that lags behind its controller, and loses heat to the
//! room. The controller is proportional and integral with a limited output; approach,
//! overshoot and settling come from that, and nothing prescribes them.

use rand_chacha::ChaCha8Rng;

use super::room::Room;
use super::{Action, Channel, Drive, Fluctuation, Mark, Process, Role, decay};

/// Heating and cooling at full output, as rates of the block without loss.
const HEATING_K_PER_S: f64 = 0.2;
const COOLING_K_PER_S: f64 = 0.05;
/// Time constant of the loss to the room.
const LOSS_S: f64 = 3600.0;
const HEATER_LAG_S: f64 = 6.0;
const SENSOR_LAG_S: f64 = 4.0;
/// Rate of the block for each kelvin of deviation, and the integral time.
const GAIN_PER_S: f64 = 0.02;
const INTEGRAL_S: f64 = 150.0;
/// Of the working volume, correlated over half a minute.
const FLUCTUATION_K: f64 = 0.004;
/// The source calls itself steady after so long within this of its set point.
const STEADY_BAND_K: f64 = 0.05;
const STEADY_S: u32 = 60;
const CUTOUT_CELSIUS: f64 = 700.0;
/// Current through the sensor whose voltage the multimeter takes.
const CURRENT_A: f64 = 0.001;

/// IEC 60751:2022, 4.2: coefficients of industrial platinum thermometers.
const A: f64 = 3.9083e-3;
const B: f64 = -5.775e-7;
const C: f64 = -4.183e-12;

/// Resistance of a platinum thermometer of 100 Ω.
pub(super) fn platinum_ohm(celsius: f64) -> f64 {
    let t = celsius;
    let below = if t < 0.0 {
        C * (t - 100.0) * t * t * t
    } else {
        0.0
    };
    100.0 * (1.0 + A * t + B * t * t + below)
}

/// Temperature at which a platinum thermometer of 100 Ω has this resistance.
pub(super) fn platinum_celsius(ohm: f64) -> f64 {
    let excess = ohm / 100.0 - 1.0;
    if excess >= 0.0 {
        return (-A + (A * A + 4.0 * B * excess).sqrt()) / (2.0 * B);
    }
    // Newton from the quadratic branch; the slope changes little, so five steps are plenty.
    let mut t = excess / A;
    for _ in 0..5 {
        let slope = 100.0 * (A + 2.0 * B * t + C * (4.0 * t - 300.0) * t * t);
        t -= (platinum_ohm(t) - ohm) / slope;
    }
    t
}

#[derive(Debug)]
pub(super) struct Thermal {
    room_celsius: f64,
    set_point: Option<f64>,
    integral_k_per_s: f64,
    output_k_per_s: f64,
    heat_k_per_s: f64,
    block_celsius: f64,
    sensor_celsius: f64,
    fluctuation: Fluctuation,
    /// Reference probe and unit under test, both deep in the block.
    reference_celsius: f64,
    unit_celsius: f64,
    steady_s: u32,
    cutout_celsius: f64,
    cut_out: bool,
}

impl Thermal {
    pub fn new(room: &Room, random: ChaCha8Rng) -> Self {
        let room_celsius = room.celsius(0);
        Self {
            room_celsius,
            set_point: None,
            integral_k_per_s: 0.0,
            output_k_per_s: 0.0,
            heat_k_per_s: 0.0,
            block_celsius: room_celsius,
            sensor_celsius: room_celsius,
            fluctuation: Fluctuation::new(FLUCTUATION_K, 30.0, random),
            reference_celsius: room_celsius,
            unit_celsius: room_celsius,
            steady_s: 0,
            cutout_celsius: CUTOUT_CELSIUS,
            cut_out: false,
        }
    }

    fn control(&mut self) {
        let Some(set_point) = self.set_point.filter(|_| !self.cut_out) else {
            self.output_k_per_s = 0.0;
            self.integral_k_per_s = 0.0;
            self.steady_s = 0;
            return;
        };
        let deviation = set_point - self.sensor_celsius;
        let wanted = GAIN_PER_S * deviation + self.integral_k_per_s;
        self.output_k_per_s = wanted.clamp(-COOLING_K_PER_S, HEATING_K_PER_S);
        // The integral stands still while the output is at its limit.
        if (wanted - self.output_k_per_s).abs() < f64::EPSILON {
            self.integral_k_per_s += GAIN_PER_S * deviation / INTEGRAL_S;
        }
        self.steady_s = if deviation.abs() < STEADY_BAND_K {
            (self.steady_s + 1).min(STEADY_S)
        } else {
            0
        };
    }

    /// Of probe `number`: the reference, the unit under test, and then more of its kind,
    /// each of a resistance of its own at 0 °C.
    fn probe_ohm(&self, number: usize) -> f64 {
        match number {
            1 => platinum_ohm(self.reference_celsius),
            number => {
                let step = (number - 1) as f64;
                platinum_ohm(self.unit_celsius) * (1.0 + 1.2e-4 * step)
            }
        }
    }
}

impl Process for Thermal {
    fn step(&mut self, _second: u64) {
        self.control();
        self.heat_k_per_s +=
            (self.output_k_per_s - self.heat_k_per_s) * (1.0 - decay(HEATER_LAG_S));
        let loss = (self.block_celsius - self.room_celsius) / LOSS_S;
        self.block_celsius += self.heat_k_per_s - loss;
        self.sensor_celsius +=
            (self.block_celsius - self.sensor_celsius) * (1.0 - decay(SENSOR_LAG_S));
        self.cut_out |= self.sensor_celsius > self.cutout_celsius;
        self.fluctuation.step();
        let volume = self.block_celsius + self.fluctuation.value;
        // The unit is immersed less deeply: a ten-thousandth of the way to the room.
        let shallow = volume - 1e-4 * (volume - self.room_celsius);
        self.reference_celsius += (volume - self.reference_celsius) * (1.0 - decay(8.0));
        self.unit_celsius += (shallow - self.unit_celsius) * (1.0 - decay(20.0));
    }

    fn drive(&mut self, drive: &Drive) {
        self.set_point = drive.set_point("temperature");
        if let Some(limit) = drive.set_points.get("cutout") {
            self.cutout_celsius = *limit;
        }
    }

    fn sensed(&self, role: Role, channel: Channel<'_>) -> Option<f64> {
        let Channel { quantity, number } = channel;
        match (role, quantity, number) {
            (Role::Source, "temperature", 1) => return Some(self.sensor_celsius),
            (Role::Source, "power", 1) => {
                return Some(100.0 * self.output_k_per_s.max(0.0) / HEATING_K_PER_S);
            }
            (Role::Source, "cutout", 1) => return Some(self.cutout_celsius),
            _ => {}
        }
        let probe = match (role, quantity) {
            // A well's inputs for reference and unit under test come after its own sensor.
            (Role::Source, "temperature") => number - 1,
            // The multimeter is on the unit under test.
            (Role::Multimeter, _) => number + 1,
            _ => number,
        };
        match (role, quantity) {
            (_, "temperature") => Some(platinum_celsius(self.probe_ohm(probe))),
            (_, "resistance") => Some(self.probe_ohm(probe)),
            (Role::Multimeter, "voltage") => Some(CURRENT_A * self.probe_ohm(probe)),
            _ => None,
        }
    }

    fn noise(&self, role: Role, channel: Channel<'_>) -> f64 {
        match (role, channel.quantity) {
            (Role::ResistanceThermometer, "temperature") | (Role::Multimeter, "resistance") => {
                0.001
            }
            (Role::ResistanceThermometer, "resistance") => 0.0004,
            (Role::Source | Role::Multimeter, "temperature") => 0.003,
            (Role::Multimeter, "voltage") => 1e-6,
            _ => 0.0,
        }
    }

    fn mark(&self, mark: Mark) -> bool {
        match mark {
            Mark::Steady => self.steady_s >= STEADY_S,
            Mark::Cutout => self.cut_out,
            Mark::Runs => self.set_point.is_some() && !self.cut_out,
            _ => false,
        }
    }

    fn act(&mut self, action: Action) {
        if action == Action::ResetCutout {
            self.cut_out = false;
        }
    }

    fn power_dip(&mut self, role: Role) {
        if role == Role::Source {
            self.integral_k_per_s = 0.0;
            self.steady_s = 0;
        }
    }
}
