//! What a simulated instrument remembers: its text fields and set points.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::plant::Mark;

/// A text field that changes by itself: some time after it became `from` it becomes `to`.
/// Several of them in a row make a countdown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Later {
    pub field: String,
    pub from: String,
    pub to: String,
    pub after_ms: u32,
}

/// A text field that says whether something holds of the plant. Where one of the two texts is
/// left out, the field then shows what was last written to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marked {
    pub mark: Mark,
    pub yes: Option<String>,
    pub no: Option<String>,
}

#[derive(Debug)]
pub(super) struct Memory {
    texts: BTreeMap<String, String>,
    later: Vec<Later>,
    /// When which change of `later` is due.
    due: Vec<(u64, usize)>,
}

impl Memory {
    pub fn new(texts: BTreeMap<String, String>, later: Vec<Later>, now_us: u64) -> Self {
        let mut memory = Self {
            texts: BTreeMap::new(),
            later,
            due: Vec::new(),
        };
        for (field, text) in texts {
            memory.set(&field, text, now_us);
        }
        memory
    }

    pub fn get(&self, field: &str) -> Option<&String> {
        self.texts.get(field)
    }

    /// Writes a field; a change of its own that was under way is off.
    pub fn set(&mut self, field: &str, text: String, now_us: u64) {
        self.due
            .retain(|&(_, index)| self.later[index].field != field);
        let follows = |later: &Later| later.field == field && later.from == text;
        if let Some(index) = self.later.iter().position(follows) {
            let after_us = u64::from(self.later[index].after_ms.max(1)) * 1000;
            self.due.push((now_us + after_us, index));
        }
        self.texts.insert(field.to_owned(), text);
    }

    /// Makes the changes that are due by now, in their order.
    pub fn settle(&mut self, now_us: u64) {
        while let Some(&(due_us, index)) = self
            .due
            .iter()
            .filter(|(due_us, _)| *due_us <= now_us)
            .min()
        {
            let Later { field, to, .. } = self.later[index].clone();
            self.set(&field, to, due_us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(field: &str, from: &str, to: &str, after_ms: u32) -> Later {
        Later {
            field: field.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            after_ms,
        }
    }

    #[test]
    fn a_countdown_runs_whoever_looks_when() {
        let steps = vec![
            later("rest", "3", "2", 1000),
            later("rest", "2", "1", 1000),
            later("rest", "1", "0", 1000),
        ];
        let mut memory = Memory::new(BTreeMap::new(), steps, 0);
        memory.set("rest", "3".to_owned(), 500_000);
        for (now_us, rest) in [
            (1_499_999, "3"),
            (1_500_000, "2"),
            (3_499_999, "1"),
            (60_000_000, "0"),
        ] {
            memory.settle(now_us);
            assert_eq!(memory.get("rest").unwrap(), rest, "{now_us}");
        }
        memory.set("rest", "2".to_owned(), 60_000_000);
        memory.set("rest", "x".to_owned(), 60_100_000);
        memory.settle(90_000_000);
        assert_eq!(memory.get("rest").unwrap(), "x");
    }
}
