//! Length gauges: a probe on an object at each of eight inputs.

use super::room::Room;
use super::{Action, Channel, Mark, Process, Role};

const INPUTS: usize = 8;
/// Half of the difference between outward and inward movement.
const PLAY_MM: f64 = 0.0002;
/// Expansion of the stand over the length that the probe is out, for each kelvin.
const EXPANSION_PER_K: f64 = 11.5e-6;
/// Speed at which the plunger follows.
const SPEED_MM_PER_S: f64 = 20.0;

/// Lengths in mm.
#[derive(Debug, Clone, Copy, Default)]
struct Input {
    object: f64,
    plunger: f64,
    play: f64,
    zero: f64,
}

#[derive(Debug)]
pub(super) struct LengthGauge {
    room: Room,
    second: u64,
    inputs: [Input; INPUTS],
}

impl LengthGauge {
    pub fn new(room: Room) -> Self {
        Self {
            room,
            second: 0,
            inputs: [Input::default(); INPUTS],
        }
    }

    fn scale_mm(&self, input: &Input) -> f64 {
        let warmer_k = self.room.celsius(self.second) - self.room.celsius(0);
        input.play * (1.0 + EXPANSION_PER_K * warmer_k)
    }
}

impl Process for LengthGauge {
    fn step(&mut self, second: u64) {
        self.second = second;
        for input in &mut self.inputs {
            let way_mm = input.object - input.plunger;
            input.plunger += way_mm.clamp(-SPEED_MM_PER_S, SPEED_MM_PER_S);
            input.play = input
                .play
                .max(input.plunger - PLAY_MM)
                .min(input.plunger + PLAY_MM);
        }
    }

    fn sensed(&self, _role: Role, channel: Channel<'_>) -> Option<f64> {
        if channel.quantity != "length" {
            return None;
        }
        let input = self.inputs.get(channel.number - 1)?;
        Some(self.scale_mm(input) - input.zero)
    }

    fn noise(&self, _role: Role, _channel: Channel<'_>) -> f64 {
        5e-5
    }

    fn mark(&self, mark: Mark) -> bool {
        let resting = |input: &Input| input.object.to_bits() == input.plunger.to_bits();
        mark == Mark::Runs || mark == Mark::Steady && self.inputs.iter().all(resting)
    }

    fn act(&mut self, action: Action) {
        if action == Action::Zero {
            for index in 0..INPUTS {
                self.inputs[index].zero = self.scale_mm(&self.inputs[index]);
            }
        }
    }

    fn place(&mut self, channel: Channel<'_>, value: f64) -> bool {
        let input = self.inputs.get_mut(channel.number - 1);
        let Some(input) = input.filter(|_| channel.quantity == "length") else {
            return false;
        };
        input.object = value;
        true
    }

    /// An incremental scale counts from where it is switched on.
    fn power_dip(&mut self, _role: Role) {
        self.act(Action::Zero);
    }
}
