//! What the tests of records share: a session's first entry and its readings, numbers by a
//! seed, a folder.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use heng_records::{Event, Exchange, FORMAT, Opened};

pub fn opened() -> Opened {
    Opened {
        format: FORMAT,
        program: "heng".into(),
        version: "0.1.0".into(),
        session: "S-1".into(),
        clock: "simulated".into(),
        seed: 7,
        job: "comparison".into(),
        operator: "张三".into(),
    }
}

pub fn exchange(rx: String, sent_us: u64, received_us: u64) -> Event {
    Event::Exchange(Exchange {
        role: "mirror".into(),
        command: "dew_point".into(),
        tx: "DP?\\r".into(),
        rx,
        unsolicited: String::new(),
        sent_us,
        received_us,
        outcome: "complete".into(),
        reason: String::new(),
    })
}

/// A reading each millisecond.
pub fn reading(index: u64) -> Event {
    let sent_us = index * 1000;
    exchange(format!("{index}.4971\\r\\n"), sent_us, sent_us + 40)
}

/// Numbers that are the same on every machine (SplitMix64; Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }
}

/// A folder of its own, removed at the end; it stays where the test fails.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("heng-records-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
