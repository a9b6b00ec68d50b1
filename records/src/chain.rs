//! One line of a record and the hash that chains it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::Event;
use crate::merkle::Tree;

/// Hash before the first entry: there is nothing before it.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

pub(crate) type Hash = [u8; 32];

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
    /// Line of a new entry, with its end, and its hash.
    pub(crate) fn seal(mut self) -> Result<(Self, Vec<u8>, Hash), serde_json::Error> {
        self.hash = String::new();
        let (line, hash) = seal_line(serde_json::to_vec(&self)?);
        self.hash = hex(&hash);
        Ok((self, line, hash))
    }
}

/// Puts the hash into a line of JSON whose last field is an empty `hash`, and ends the line.
pub(crate) fn seal_line(mut line: Vec<u8>) -> (Vec<u8>, Hash) {
    let hashed = line.len() - HASH_FIELD.len() - b"\"}".len();
    let hash = Sha256::digest(&line[..hashed]).into();
    line.truncate(hashed + HASH_FIELD.len());
    line.extend_from_slice(hex(&hash).as_bytes());
    line.extend_from_slice(b"\"}\n");
    (line, hash)
}

/// Checks the end and the hash of a line; gives it without its end, and its hash.
pub(crate) fn check_line(line: &[u8]) -> Result<(&[u8], Hash), &'static str> {
    let line = line.strip_suffix(b"\n").ok_or(NO_END)?;
    let (hashed, claimed) = split_hash(line).ok_or("the line does not end with a hash")?;
    let hash = Sha256::digest(hashed).into();
    if digits(&hash) != claimed {
        return Err("its hash does not match its content: a byte was altered");
    }
    Ok((line, hash))
}

pub(crate) const NO_END: &str = "the line has no end: the last write was torn, or the file was cut";

/// Splits a line into its hashed part and the hash that it claims.
fn split_hash(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let tail = HASH_FIELD.len() + 64 + b"\"}".len();
    let at = line.len().checked_sub(tail)?;
    let (hashed, rest) = line.split_at(at);
    let hash = rest.strip_prefix(HASH_FIELD)?.strip_suffix(b"\"}")?;
    Some((hashed, hash))
}

/// What a line says of its place; the rest of its event is checked to be JSON and skipped.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    seq: u64,
    t_us: u64,
    #[serde(borrow)]
    #[expect(dead_code, reason = "its presence is checked")]
    utc: Cow<'a, str>,
    #[serde(borrow)]
    event: Kind<'a>,
    #[serde(borrow)]
    prev: Cow<'a, str>,
    #[serde(borrow)]
    hash: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

/// A line that holds.
pub(crate) struct Taken<'a> {
    /// The line without its end.
    pub text: &'a str,
    pub kind: Cow<'a, str>,
}

impl Taken<'_> {
    pub fn entry(&self) -> Result<Entry, serde_json::Error> {
        match &*self.kind {
            "exchange" => self.with(Event::Exchange),
            "derived" => self.with(|Derived { body }| Event::Derived { body }),
            _ => serde_json::from_str(self.text),
        }
    }

    /// Nearly all entries are of two kinds. With the kind known their fields are read in place;
    /// the enum would first collect them all to look for it.
    fn with<T: DeserializeOwned>(&self, event: fn(T) -> Event) -> Result<Entry, serde_json::Error> {
        let line: Whole<T> = serde_json::from_str(self.text)?;
        Ok(Entry {
            seq: line.seq,
            t_us: line.t_us,
            utc: line.utc,
            event: event(line.event),
            prev: line.prev,
            hash: line.hash,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole<T> {
    seq: u64,
    t_us: u64,
    utc: String,
    event: T,
    prev: String,
    hash: String,
}

#[derive(Deserialize)]
struct Derived {
    body: serde_json::Value,
}

/// What the lines of a record up to some place add up to.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// Number of entries so far.
    pub entries: u64,
    /// Hash of the last entry.
    pub head: String,
    pub t_us: u64,
    pub sealed: bool,
    pub tree: Tree,
}

impl Chain {
    pub fn new() -> Self {
        Self {
            entries: 0,
            head: GENESIS.to_owned(),
            t_us: 0,
            sealed: false,
            tree: Tree::default(),
        }
    }

    /// Takes the next line if it follows; if not, says why, and nothing is taken.
    pub fn take<'a>(&mut self, line: &'a [u8]) -> Result<Taken<'a>, String> {
        let (line, hash) = check_line(line)?;
        let content = |error: &dyn std::fmt::Display| {
            format!("the hash holds but the content is not an entry: {error}")
        };
        // Of the whole line at once: what the parser skips it would not look at.
        let text = std::str::from_utf8(line).map_err(|error| content(&error))?;
        let entry: Line = serde_json::from_str(text).map_err(|error| content(&error))?;
        let (seq, t_us, kind) = (entry.seq, entry.t_us, entry.event.kind);
        self.follows(seq, t_us, &entry.prev, &kind)?;
        let taken = Taken { text, kind };
        if taken.kind == "sealed" {
            self.seals(&taken)?;
        }
        self.advance((&entry.hash, &hash), t_us, taken.kind == "sealed");
        Ok(taken)
    }

    /// One entry further; its hash comes in digits and in bytes.
    pub fn advance(&mut self, (digits, hash): (&str, &Hash), t_us: u64, sealed: bool) {
        self.entries += 1;
        self.head.clear();
        self.head.push_str(digits);
        self.t_us = t_us;
        self.sealed = sealed;
        self.tree.push(hash);
    }

    fn follows(&self, seq: u64, t_us: u64, prev: &str, kind: &str) -> Result<(), String> {
        if prev != self.head {
            let cause = "it is not chained to the entry before it: entries were dropped, moved or spliced in";
            return Err(cause.to_owned());
        }
        if seq != self.entries {
            let due = self.entries;
            return Err(format!("it is numbered {seq} where {due} is due"));
        }
        if self.sealed {
            return Err("it stands after the seal".to_owned());
        }
        if t_us < self.t_us {
            return Err("its time is before that of the entry before it".to_owned());
        }
        if (self.entries == 0) != (kind == "opened") {
            let cause = "a record begins with one opening entry, and only begins with it";
            return Err(cause.to_owned());
        }
        Ok(())
    }

    fn seals(&self, taken: &Taken) -> Result<(), String> {
        let sealed = taken.entry().map(|entry| entry.event);
        let Ok(Event::Sealed { entries, root, .. }) = sealed else {
            return Err("its seal cannot be read".to_owned());
        };
        if entries != self.entries {
            let found = self.entries;
            return Err(format!(
                "the seal counts {entries} entries, {found} stand before it"
            ));
        }
        match root {
            Some(root) if root != self.tree.root() => {
                Err("the root in the seal is not that of the entries before it".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes).into())
}

pub(crate) fn hex(hash: &Hash) -> String {
    digits(hash).map(char::from).iter().collect()
}

fn digits(hash: &Hash) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(hash) {
        *pair = [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ];
    }
    digits
}
