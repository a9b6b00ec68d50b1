//! A pressure line: a controller, the volume that it fills, and what is connected to it.
//!
//! The gas in the volume is a quantity, given as the pressure that it would have at the
//! temperature of the walls, and an excess of temperature that a change of pressure makes
//! and the walls take away. So a line that is closed after a rise falls again by itself.

use rand_chacha::ChaCha8Rng;

use super::room::Room;
use super::{Action, Channel, Drive, Fluctuation, Mark, Process, Role, decay};

const SLEW_HPA_PER_S: f64 = 100.0;
/// Settling of the control loop, of the vent, and of the gas to the walls.
const CONTROL_S: f64 = 2.0;
const VENT_S: f64 = 3.0;
const WALLS_S: f64 = 12.0;
/// Share of the adiabatic change of temperature that a small volume with thick walls shows,
/// times (κ − 1)/κ of nitrogen.
const ADIABATIC: f64 = 0.25 * 0.286;
/// Part of the difference from the room that leaks away in a second.
const LEAK_PER_S: f64 = 2e-6;
/// The controller says "within limits" after so long within this of its set point.
const LIMIT_HPA: f64 = 0.2;
const LIMIT_S: u32 = 10;
const FLUCTUATION_HPA: f64 = 0.01;
/// Deviations of the controller's own sensor and of the gauge: offset and share of reading.
const CONTROLLER: (f64, f64) = (0.03, 3e-5);
const GAUGE: (f64, f64) = (0.4, -2e-4);
/// Half of the difference between falling and rising pressure at the gauge.
const GAUGE_PLAY_HPA: f64 = 0.15;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Valve {
    /// The line is closed; the controller only measures.
    Closed,
    Control {
        gauge: bool,
        target_hpa: f64,
    },
    Vent,
}

#[derive(Debug)]
pub(super) struct PressureLine {
    room: Room,
    ambient_hpa: f64,
    valve: Valve,
    /// Where the ramp of the controller stands, absolute.
    ramp_hpa: f64,
    gas_hpa: f64,
    /// Excess of the temperature of the gas, as a share of the absolute temperature.
    excess: f64,
    fluctuation: Fluctuation,
    within_s: u32,
    gauge_hpa: f64,
}

impl PressureLine {
    pub fn new(room: Room, random: ChaCha8Rng) -> Self {
        let ambient_hpa = room.pressure_hpa(0);
        Self {
            room,
            ambient_hpa,
            valve: Valve::Closed,
            ramp_hpa: ambient_hpa,
            gas_hpa: ambient_hpa,
            excess: 0.0,
            fluctuation: Fluctuation::new(FLUCTUATION_HPA, 5.0, random),
            within_s: 0,
            gauge_hpa: ambient_hpa,
        }
    }

    fn line_hpa(&self) -> f64 {
        self.gas_hpa * (1.0 + self.excess)
    }

    /// The controller's own sensor, which is what it controls on.
    fn controller_hpa(&self) -> f64 {
        let line_hpa = self.line_hpa();
        let (offset_hpa, share) = CONTROLLER;
        line_hpa + offset_hpa + share * line_hpa
    }

    /// Lets gas in or out until the line has this pressure; what is compressed warms up.
    fn bring_to(&mut self, line_hpa: f64) {
        let before_hpa = self.line_hpa();
        let line_hpa = line_hpa.max(0.01);
        self.excess += ADIABATIC * (line_hpa - before_hpa) / before_hpa.max(line_hpa);
        self.gas_hpa = line_hpa / (1.0 + self.excess);
    }

    fn control(&mut self, target_hpa: f64) {
        let change = (target_hpa - self.ramp_hpa).clamp(-SLEW_HPA_PER_S, SLEW_HPA_PER_S);
        self.ramp_hpa += change;
        let deviation_hpa = self.ramp_hpa - self.controller_hpa();
        let step_hpa = deviation_hpa * (1.0 - decay(CONTROL_S));
        self.bring_to(self.line_hpa() + step_hpa);
        let within = (target_hpa - self.controller_hpa()).abs() < LIMIT_HPA;
        self.within_s = if within {
            (self.within_s + 1).min(LIMIT_S)
        } else {
            0
        };
    }

    fn target_hpa(&self) -> Option<f64> {
        match self.valve {
            Valve::Control { gauge, target_hpa } => {
                Some(target_hpa + if gauge { self.ambient_hpa } else { 0.0 })
            }
            _ => None,
        }
    }
}

impl Process for PressureLine {
    fn step(&mut self, second: u64) {
        self.ambient_hpa = self.room.pressure_hpa(second);
        self.excess *= decay(WALLS_S);
        let lost_hpa = LEAK_PER_S * (self.line_hpa() - self.ambient_hpa);
        self.gas_hpa -= lost_hpa;
        match (self.valve, self.target_hpa()) {
            (Valve::Vent, _) => {
                let difference_hpa = self.ambient_hpa - self.line_hpa();
                self.bring_to(self.line_hpa() + difference_hpa * (1.0 - decay(VENT_S)));
            }
            (_, Some(target_hpa)) => self.control(target_hpa),
            (_, None) => {}
        }
        if self.target_hpa().is_none() {
            self.ramp_hpa = self.controller_hpa();
            self.within_s = 0;
        }
        self.fluctuation.step();
        let line_hpa = self.line_hpa();
        self.gauge_hpa = self
            .gauge_hpa
            .max(line_hpa - GAUGE_PLAY_HPA)
            .min(line_hpa + GAUGE_PLAY_HPA);
    }

    fn drive(&mut self, drive: &Drive) {
        match drive.governing(&["pressure", "gauge_pressure"]) {
            Some((quantity, target_hpa)) => {
                self.valve = Valve::Control {
                    gauge: quantity == "gauge_pressure",
                    target_hpa,
                };
            }
            // A line that is being vented goes on venting.
            None if self.valve != Valve::Vent => self.valve = Valve::Closed,
            None => {}
        }
        self.within_s = 0;
    }

    fn sensed(&self, role: Role, channel: Channel<'_>) -> Option<f64> {
        let absolute_hpa = match role {
            Role::PressureController => self.controller_hpa(),
            Role::PressureReference => self.line_hpa(),
            _ => {
                let (offset_hpa, share) = GAUGE;
                self.gauge_hpa + offset_hpa + share * self.gauge_hpa
            }
        } + self.fluctuation.value;
        match (channel.quantity, channel.number) {
            ("pressure", 1) => Some(absolute_hpa),
            // A controller's barometer, or that of a reference.
            ("pressure", 2) => Some(self.ambient_hpa),
            ("gauge_pressure", 1) => Some(absolute_hpa - self.ambient_hpa),
            ("temperature", 1) => Some(self.room.celsius(0)),
            _ => None,
        }
    }

    fn noise(&self, role: Role, channel: Channel<'_>) -> f64 {
        match (role, channel.quantity) {
            (_, "temperature") => 0.002,
            (Role::PressureReference, _) => 0.004,
            (Role::PressureController, _) => 0.008,
            _ => 0.03,
        }
    }

    fn mark(&self, mark: Mark) -> bool {
        match mark {
            Mark::Steady => self.within_s >= LIMIT_S,
            Mark::Vented => {
                self.valve == Valve::Vent && (self.line_hpa() - self.ambient_hpa).abs() < 0.5
            }
            Mark::Runs => self.target_hpa().is_some(),
            _ => false,
        }
    }

    fn act(&mut self, action: Action) {
        if action == Action::Vent {
            self.valve = Valve::Vent;
        }
    }

    fn power_dip(&mut self, role: Role) {
        // Valves without current close.
        if role == Role::PressureController {
            self.valve = Valve::Closed;
        }
    }
}
