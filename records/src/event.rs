//! The events of a session. Evidence is what came from outside (texts, bytes, people);
//! derived values are what the program computed from it and can compute again.

use serde::{Deserialize, Serialize};

/// Format of the events and of the chain; a reader refuses a higher one.
pub const FORMAT: u32 = 3;

/// One event. Variants are append-only: old records replay for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// First entry of every record.
    Opened(Opened),
    /// Full text of something used: a later change of the file cannot change the evidence.
    Text(TextUsed),
    /// Bytes that went over a wire, appended before anyone parses them.
    Exchange(Exchange),
    /// What a person did.
    Operator(Operator),
    /// A port was lost or came back.
    Port(PortChange),
    /// The program had ended without closing the record, and somebody took it up.
    Recovered(Recovered),
    /// The machine's clock and the session's disagree more than they did.
    Clock(ClockJump),
    /// A value computed from the entries before it.
    Derived { body: serde_json::Value },
    /// A file made from the record.
    Artefact {
        name: String,
        bytes: u64,
        sha256: String,
    },
    /// Last entry: nothing may follow.
    Sealed {
        entries: u64,
        /// Merkle root over the entries before it, since format 3.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root: Option<String>,
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub format: u32,
    pub program: String,
    pub version: String,
    pub session: String,
    /// `wall`, or `simulated` where waits were skipped and instruments were simulated.
    pub clock: String,
    /// Seed of the Monte Carlo trials (and of the simulated laboratory).
    pub seed: u64,
    /// What the session does: `comparison`, `import`.
    pub job: String,
    pub operator: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextRole {
    Procedure,
    Driver,
    Bench,
    Standard,
    Scope,
    Order,
    Map,
    Data,
    Formulas,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextUsed {
    pub role: TextRole,
    pub name: String,
    pub sha256: String,
    pub text: String,
}

/// One request and its reply. Bytes are escaped: printable ASCII as it is, `\\`, `\r`, `\n`,
/// `\t`, and `\xNN` for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub role: String,
    /// Command of the driver description that was sent.
    pub command: String,
    pub tx: String,
    pub rx: String,
    /// Bytes that belong to no reply: waiting before the request, or beyond the reply's end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unsolicited: String,
    pub sent_us: u64,
    pub received_us: u64,
    /// `complete`, `timed_out` or `closed`.
    pub outcome: String,
    /// Reason given by the operating system where the port closed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Operator {
    Answer {
        person: String,
        prompt: String,
        choice: String,
        note: String,
    },
    Pause {
        person: String,
    },
    Resume {
        person: String,
    },
    Abort {
        person: String,
        reason: String,
    },
    Note {
        person: String,
        text: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum PortChange {
    Opened {
        role: String,
        path: String,
        line: String,
        /// Name of the port before, where it came back under another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<String>,
    },
    Failed {
        role: String,
        path: String,
        reason: String,
    },
}

/// What was found when a record was taken up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    pub person: String,
    /// How the session ended, and what is to be done with it.
    pub reason: String,
    /// What stood behind the last entry that holds, moved to files next to the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
}

/// Bytes behind the last entry that holds: what a crash left of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Name of the file next to the record that keeps them.
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A step of the machine's clock against the time that passed in the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJump {
    /// The moment that is due: the last known one and the time that passed since.
    pub expected: String,
    /// The moment that the machine's clock gives; entries go on from it.
    pub found: String,
    /// `found` less `expected`.
    pub jump_us: i64,
}
