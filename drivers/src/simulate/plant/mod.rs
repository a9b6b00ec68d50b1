//! What the simulated instruments sense and drive.
//!
//! Plants that have nothing to do with each other are [`Process`]es of their own, one file
//! each: the climatic chamber, the room, a source of temperature, a pressure line, a balance,
//! a length gauge, a humidity generator. The state of each moves on a fixed grid of one
//! second, so that it does not depend on when anybody looks, and a plant that nobody looks
//! at costs nothing. Only `+ − × ÷`, square roots and `libm` are used: the same seed gives
//! the same bytes on every machine.

mod climate;
mod generator;
mod humidity;
#[cfg(test)]
mod laws;
mod length;
mod mass;
mod pressure;
mod room;
mod thermal;

use std::collections::BTreeMap;
use std::fmt::Debug;

use heng_quantities::Unit;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Deserialize;

use super::Role;

pub use climate::PlantSettings;

/// Units of what is sensed and driven, by quantity without the number of its channel.
const UNITS: &[(&str, &str)] = &[
    ("temperature", "°C"),
    ("dew_point", "°C"),
    ("frost_point", "°C"),
    ("mirror_temperature", "°C"),
    ("saturation_temperature", "°C"),
    ("cutout", "°C"),
    ("relative_humidity", "%RH"),
    ("humidity_ratio", "1"),
    ("pressure", "hPa"),
    ("gauge_pressure", "hPa"),
    ("saturation_pressure", "hPa"),
    ("resistance", "Ω"),
    ("voltage", "V"),
    ("mass", "g"),
    ("length", "mm"),
    ("power", "%"),
    ("flow", "L/min"),
];

/// Unit in which [`Plant::sensed`] gives a quantity; none where no plant has it or the
/// program does not know the unit.
pub(super) fn unit_of(quantity: &str) -> Option<Unit> {
    let base = Channel::parse(quantity).quantity;
    let (_, symbol) = UNITS.iter().find(|(name, _)| *name == base)?;
    symbol.parse().ok()
}

/// A quantity and the number of its channel, from 1: `temperature_3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Channel<'a> {
    quantity: &'a str,
    number: usize,
}

impl<'a> Channel<'a> {
    const fn first(quantity: &'a str) -> Self {
        Self {
            quantity,
            number: 1,
        }
    }

    fn parse(name: &'a str) -> Self {
        name.rsplit_once('_')
            .and_then(|(quantity, number)| {
                let number = number.parse().ok().filter(|number| *number > 1)?;
                Some(Self { quantity, number })
            })
            .unwrap_or(Self::first(name))
    }
}

/// What a command makes a plant do beside being driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Pressure line: opens it to the room.
    Vent,
    /// Balance and length gauge: what is there now becomes zero.
    Zero,
    Tare,
    ClearTare,
    /// Balance: begins an internal adjustment.
    Adjust,
    /// Temperature source: lets the heater on again after an over-temperature.
    ResetCutout,
}

/// What may hold of a plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    /// As the instrument itself judges it: mirror quiet, source within its band, pressure
    /// within limits, load at rest, generator settled.
    Steady,
    /// It is driven to a set point.
    Runs,
    Vented,
    /// The over-temperature cutout has tripped.
    Cutout,
    Adjusting,
}

/// What an instrument asks of its plant.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Drive {
    /// Whether the instrument's own state says that the plant runs.
    pub runs: bool,
    /// Set points by quantity, in the units of [`Plant::sensed`].
    pub set_points: BTreeMap<String, f64>,
    /// Which of them was written last: where several exclude each other, it wins.
    pub latest: Option<String>,
}

impl Drive {
    /// The set point of a plant that runs.
    fn set_point(&self, quantity: &str) -> Option<f64> {
        let value = self.set_points.get(quantity).copied();
        value.filter(|_| self.runs)
    }

    /// The one of these set points that holds: the one written last, or the first there is.
    fn governing<'a>(&self, quantities: &[&'a str]) -> Option<(&'a str, f64)> {
        let value = |quantity: &'a str| Some((quantity, self.set_point(quantity)?));
        let latest = quantities
            .iter()
            .find(|name| self.latest.as_deref() == Some(**name));
        latest
            .and_then(|name| value(name))
            .or_else(|| quantities.iter().find_map(|name| value(name)))
    }
}

/// One kind of plant. It knows nothing of instruments but their roles.
trait Process: Debug + Send {
    /// Moves the state over the second that ends at `second`.
    fn step(&mut self, second: u64);

    /// Set points and running state; they take effect at the next second of the grid.
    fn drive(&mut self, _drive: &Drive) {}

    /// What an ideal display of this sensor would show now; `None` where it has no such
    /// quantity.
    fn sensed(&self, role: Role, channel: Channel<'_>) -> Option<f64>;

    /// Standard deviation of a single reading.
    fn noise(&self, role: Role, channel: Channel<'_>) -> f64;

    fn mark(&self, _mark: Mark) -> bool {
        false
    }

    fn act(&mut self, _action: Action) {}

    /// The operator puts this much there; false where nothing can be put.
    fn place(&mut self, _channel: Channel<'_>, _value: f64) -> bool {
        false
    }

    /// The supply of the instrument in this role was off for a moment.
    fn power_dip(&mut self, _role: Role) {}
}

#[derive(Debug)]
struct Part {
    second: u64,
    process: Box<dyn Process>,
}

/// Everything that there is to sense and to drive.
#[derive(Debug)]
pub(super) struct Plant {
    parts: [Part; 7],
}

impl Plant {
    pub fn new(settings: PlantSettings, seed: u64) -> Self {
        // The streams of the instruments count up from 1, those of the plants down.
        let random = |below: u64| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(u64::MAX - below);
            random
        };
        let room = room::Room::new(&settings);
        let processes: [Box<dyn Process>; 7] = [
            Box::new(climate::Climate::new(settings, seed)),
            Box::new(room.clone()),
            Box::new(thermal::Thermal::new(&room, random(0))),
            Box::new(pressure::PressureLine::new(room.clone(), random(1))),
            Box::new(mass::Balance::new(room.clone(), random(2))),
            Box::new(length::LengthGauge::new(room.clone())),
            Box::new(generator::Generator::new(room, random(3))),
        ];
        Self {
            parts: processes.map(|process| Part { second: 0, process }),
        }
    }

    /// The process of a role, at the last whole second before `t_us`. Time never runs
    /// backwards.
    fn process(&mut self, role: Role, t_us: u64) -> &mut dyn Process {
        let part = &mut self.parts[part_of(role)];
        while part.second < t_us / 1_000_000 {
            part.second += 1;
            part.process.step(part.second);
        }
        part.process.as_mut()
    }

    pub fn drive(&mut self, role: Role, drive: &Drive, t_us: u64) {
        self.process(role, t_us).drive(drive);
    }

    /// What an ideal display of the instrument in this role would show, in the unit of
    /// [`unit_of`]; `None` where the role has no such quantity.
    pub fn sensed(&mut self, role: Role, quantity: &str, t_us: u64) -> Option<f64> {
        self.process(role, t_us)
            .sensed(role, Channel::parse(quantity))
    }

    /// Standard deviation of a single reading, in the same unit.
    pub fn noise(&self, role: Role, quantity: &str) -> f64 {
        let process = &self.parts[part_of(role)].process;
        process.noise(role, Channel::parse(quantity))
    }

    pub fn mark(&mut self, role: Role, mark: Mark, t_us: u64) -> bool {
        self.process(role, t_us).mark(mark)
    }

    pub fn act(&mut self, role: Role, action: Action, t_us: u64) {
        self.process(role, t_us).act(action);
    }

    pub fn place(&mut self, role: Role, quantity: &str, value: f64, t_us: u64) -> bool {
        self.process(role, t_us)
            .place(Channel::parse(quantity), value)
    }

    pub fn power_dip(&mut self, role: Role, t_us: u64) {
        self.process(role, t_us).power_dip(role);
    }
}

fn part_of(role: Role) -> usize {
    match role {
        Role::Mirror
        | Role::Thermometer
        | Role::Barometer
        | Role::Chamber
        | Role::UnitUnderTest => 0,
        Role::Room => 1,
        Role::Source | Role::ResistanceThermometer | Role::Multimeter => 2,
        Role::PressureController | Role::PressureReference | Role::PressureGauge => 3,
        Role::Balance => 4,
        Role::LengthGauge => 5,
        Role::HumidityGenerator => 6,
    }
}

/// A standard normal deviate, near enough: the sum of twelve uniform ones. It needs no
/// elementary function and stays within six standard deviations.
pub(super) fn normal(random: &mut ChaCha8Rng) -> f64 {
    let sum: f64 = (0..12)
        .map(|_| f64::from(random.next_u32()) / 4_294_967_296.0)
        .sum();
    sum - 6.0
}

/// A first-order autoregression around zero.
#[derive(Debug)]
struct Fluctuation {
    value: f64,
    keep: f64,
    sigma: f64,
    random: ChaCha8Rng,
}

impl Fluctuation {
    fn new(sigma: f64, time_constant_s: f64, random: ChaCha8Rng) -> Self {
        Self {
            value: 0.0,
            keep: decay(time_constant_s),
            sigma,
            random,
        }
    }

    fn step(&mut self) {
        let fresh = (1.0 - self.keep * self.keep).sqrt() * self.sigma;
        self.value = self.keep * self.value + fresh * normal(&mut self.random);
    }
}

/// What is left of a first-order difference after one second.
fn decay(time_constant_s: f64) -> f64 {
    libm::exp(-1.0 / time_constant_s)
}
