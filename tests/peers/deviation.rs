//! What peers are known to do otherwise than the instruments: `deviations.toml`.

use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    deviation: Vec<Deviation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Package and version.
    pub peer: String,
    does: String,
    manual: String,
    page: String,
}

pub fn listed() -> Vec<Deviation> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/deviations.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let file: File = toml::from_str(&text).unwrap();
    for one in &file.deviation {
        let stated = [&one.does, &one.manual, &one.page];
        assert!(
            stated.iter().all(|text| !text.trim().is_empty()),
            "{}: {}",
            one.peer,
            one.does
        );
    }
    file.deviation
}

/// The deviations of one peer that were not seen yet.
pub struct Deviations {
    left: Vec<Deviation>,
}

impl Deviations {
    pub fn of(package: &str) -> Self {
        let mut left = listed();
        left.retain(|one| one.peer.split(' ').next() == Some(package));
        Self { left }
    }

    /// The peer was looked at: the deviation that begins so must be there. One that is gone
    /// has to leave the list, and the test its allowance.
    pub fn seen(&mut self, does: &str, occurs: bool, evidence: &str) {
        let mut places = self.left.iter();
        let place = places.position(|one| one.does.starts_with(does));
        let one = self
            .left
            .remove(place.unwrap_or_else(|| panic!("{does:?} is not in deviations.toml")));
        assert!(
            occurs,
            "{} no longer {}: take it out of deviations.toml. {} ({})\n{evidence}",
            one.peer, one.does, one.manual, one.page
        );
    }

    pub fn all_seen(self) {
        let left: Vec<_> = self.left.iter().map(|one| &*one.does).collect();
        assert!(left.is_empty(), "not looked at: {left:?}");
    }
}
