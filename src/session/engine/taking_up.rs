//! What a session that was taken up again has to do anew.

use heng_procedures::Input;

use super::{Awaited, Engine, EngineError};

impl Engine {
    /// The program that wrote the entries before had ended: whoever answers is a stranger.
    pub(super) fn taken_up(&mut self) -> Result<(), EngineError> {
        if matches!(self.awaited, Awaited::End) {
            return Ok(());
        }
        self.drop_tasks();
        for identified in self.identified.values_mut() {
            *identified = false;
        }
        if matches!(self.awaited, Awaited::Constants) {
            return self.last_constants(true);
        }
        self.awaited = Awaited::Nothing;
        self.step(Input::TakenUp { t_us: self.now_us })
    }
}
