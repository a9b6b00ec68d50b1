//! One line of a record and the hash that chains it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::Event;

/// Hash before the first entry: there is nothing before it.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One entry. Its line is this struct as JSON with the fields in this order, and
/// `hash` is the SHA-256 of the bytes of the line in front of `,"hash":`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counts from 0 without a gap.
    pub seq: u64,
    /// Microseconds since the session was opened, from a clock that never goes back.
    pub t_us: u64,
    /// The same moment for people, RFC 3339 with zone.
    pub utc: String,
    pub event: Event,
    /// Hash of the entry before.
    pub prev: String,
    pub hash: String,
}

/// What separates the hashed part of a line from the hash.
const HASH_FIELD: &[u8] = b",\"hash\":\"";

impl Entry {
    /// Line of a new entry, without the line end, and its hash.
    pub(crate) fn seal(mut self) -> Result<(Self, Vec<u8>), serde_json::Error> {
        self.hash = String::new();
        let mut line = serde_json::to_vec(&self)?;
        let hashed = line.len() - HASH_FIELD.len() - b"\"}".len();
        self.hash = sha256_hex(&line[..hashed]);
        line.truncate(hashed + HASH_FIELD.len());
        line.extend_from_slice(self.hash.as_bytes());
        line.extend_from_slice(b"\"}");
        Ok((self, line))
    }
}

/// Splits a line into its hashed part and the hash that it claims.
pub(crate) fn split_hash(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let tail = HASH_FIELD.len() + 64 + b"\"}".len();
    let at = line.len().checked_sub(tail)?;
    let (hashed, rest) = line.split_at(at);
    let hash = rest.strip_prefix(HASH_FIELD)?.strip_suffix(b"\"}")?;
    Some((hashed, hash))
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
