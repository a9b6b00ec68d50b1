//! The terminal screen of a replay.

use std::io::{self, IsTerminal};

use super::inspect::{Replay, plain};
use super::{Exit, Failure};

pub fn screen(arguments: &Replay) -> Result<Exit, Failure> {
    if !io::stdout().is_terminal() {
        let message = "the screen of a replay needs a terminal: use --plain for one line an entry, or --verify for the verdict";
        return Err(Failure::new(Exit::Usage, &message));
    }
    plain(arguments)
}
