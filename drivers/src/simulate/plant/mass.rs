//! A balance with internal adjustment.

use rand_chacha::ChaCha8Rng;

use super::room::Room;
use super::{Action, Channel, Mark, Process, Role, decay, normal};

/// Response of the cell to a change of the load, and its creep under load.
const RESPONSE_S: f64 = 0.7;
const CREEP_S: f64 = 150.0;
const CREEP_SHARE: f64 = 8e-7;
/// Drift of zero: a random walk, per root of a second.
const ZERO_WALK_G: f64 = 4e-6;
/// Sensitivity as delivered, and its dependence on temperature.
const SENSITIVITY_ERROR: f64 = 3e-6;
const SENSITIVITY_PER_K: f64 = 1.5e-6;
const ADJUSTMENT_S: u32 = 25;
/// What adjustment leaves.
const ADJUSTED_ERROR: f64 = 2e-7;
/// Steady: so many seconds within this.
const STEADY_G: f64 = 5e-4;
const STEADY_S: u32 = 3;

#[derive(Debug)]
pub(super) struct Balance {
    room: Room,
    second: u64,
    random: ChaCha8Rng,
    load_g: f64,
    cell_g: f64,
    creep_g: f64,
    zero_g: f64,
    /// Error of the sensitivity at the temperature of the last adjustment.
    sensitivity_error: f64,
    adjusted_celsius: f64,
    adjusting_s: u32,
    /// Subtracted by zeroing and by taring.
    set_to_zero_g: f64,
    tare_g: f64,
    quiet_s: u32,
}

impl Balance {
    pub fn new(room: Room, random: ChaCha8Rng) -> Self {
        let adjusted_celsius = room.celsius(0);
        Self {
            room,
            second: 0,
            random,
            load_g: 0.0,
            cell_g: 0.0,
            creep_g: 0.0,
            zero_g: 0.0,
            sensitivity_error: SENSITIVITY_ERROR,
            adjusted_celsius,
            adjusting_s: 0,
            set_to_zero_g: 0.0,
            tare_g: 0.0,
            quiet_s: STEADY_S,
        }
    }

    fn celsius(&self) -> f64 {
        self.room.celsius(self.second)
    }

    /// What the balance makes of the signal of its cell, before zero and tare.
    fn gross_g(&self) -> f64 {
        let error =
            self.sensitivity_error + SENSITIVITY_PER_K * (self.celsius() - self.adjusted_celsius);
        (self.cell_g + self.creep_g) * (1.0 + error) + self.zero_g
    }

    fn display_g(&self) -> f64 {
        self.gross_g() - self.set_to_zero_g - self.tare_g
    }
}

impl Process for Balance {
    fn step(&mut self, second: u64) {
        self.second = second;
        let before_g = self.display_g();
        self.cell_g += (self.load_g - self.cell_g) * (1.0 - decay(RESPONSE_S));
        let creep_g = CREEP_SHARE * self.load_g;
        self.creep_g += (creep_g - self.creep_g) * (1.0 - decay(CREEP_S));
        self.zero_g += ZERO_WALK_G * normal(&mut self.random);
        if self.adjusting_s > 0 {
            self.adjusting_s -= 1;
            if self.adjusting_s == 0 {
                self.sensitivity_error = ADJUSTED_ERROR;
                self.adjusted_celsius = self.celsius();
            }
        }
        let quiet = (self.display_g() - before_g).abs() < STEADY_G && self.adjusting_s == 0;
        self.quiet_s = if quiet {
            (self.quiet_s + 1).min(STEADY_S)
        } else {
            0
        };
    }

    fn sensed(&self, _role: Role, channel: Channel<'_>) -> Option<f64> {
        match (channel.quantity, channel.number) {
            ("mass", 1) => Some(self.display_g()),
            // Gross and tare.
            ("mass", 2) => Some(self.display_g() + self.tare_g),
            ("mass", 3) => Some(self.tare_g),
            ("temperature", 1) => Some(self.celsius() + 1.5),
            _ => None,
        }
    }

    fn noise(&self, _role: Role, channel: Channel<'_>) -> f64 {
        match (channel.quantity, channel.number) {
            ("mass", 1 | 2) => 6e-5,
            ("temperature", _) => 0.005,
            _ => 0.0,
        }
    }

    fn mark(&self, mark: Mark) -> bool {
        match mark {
            Mark::Steady => self.quiet_s >= STEADY_S,
            Mark::Adjusting => self.adjusting_s > 0,
            Mark::Runs => true,
            _ => false,
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Zero => {
                self.tare_g = 0.0;
                self.set_to_zero_g = self.gross_g();
            }
            Action::Tare => self.tare_g = self.gross_g() - self.set_to_zero_g,
            Action::ClearTare => self.tare_g = 0.0,
            Action::Adjust => self.adjusting_s = ADJUSTMENT_S,
            Action::Vent | Action::ResetCutout => {}
        }
    }

    fn place(&mut self, channel: Channel<'_>, value: f64) -> bool {
        let here = channel == Channel::first("mass");
        if here {
            self.load_g = value;
            self.quiet_s = 0;
        }
        here
    }

    /// A balance zeroes itself when it is switched on, whatever lies on it.
    fn power_dip(&mut self, _role: Role) {
        self.adjusting_s = 0;
        self.act(Action::Zero);
    }
}
