//! The index as a witness: what it has seen of a record must still be there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use heng_records::Entry;

use super::tables::{RecordRow, Tables};

/// A state that a record has been seen in and cannot go behind.
struct Seen<'a> {
    entries: u64,
    head: &'a str,
}

/// What the tables of before have seen and the records do not hold any more: one sentence for
/// each record that is gone, went back, or has another history.
pub fn contradictions(folder: &Path, before: &Tables, now: &Tables) -> Vec<String> {
    let known: BTreeMap<_, _> = now.records.iter().map(|one| (&one.path, one)).collect();
    let found = before.records.iter().filter_map(|row| {
        let seen = seen(before, row)?;
        let (path, entries) = (&row.path, seen.entries);
        let Some(found) = known.get(path) else {
            let moved = now
                .records
                .iter()
                .any(|one| one.head.as_deref() == Some(seen.head) && one.entries == entries);
            return (!moved).then(|| format!("{path} is gone; it had {entries} entries"));
        };
        let there = found.entries;
        if there == entries && found.head.as_deref() == Some(seen.head) {
            return None;
        }
        if there < entries {
            return Some(format!(
                "{path} went back: it had {entries} entries, now {there} hold"
            ));
        }
        match head_of(&folder.join(path), entries) {
            Ok(Some(head)) if head == seen.head => None,
            Ok(_) => Some(format!(
                "{path} has another history: the first {entries} of its entries are not those that were there"
            )),
            Err(error) => Some(format!("{path} cannot be read: {error}")),
        }
    });
    found.collect()
}

/// A sealed record stays as it is. Of an open one, what stood behind its last checkpoint may
/// be lost with the power of the machine.
fn seen<'a>(before: &'a Tables, row: &'a RecordRow) -> Option<Seen<'a>> {
    if row.verdict == "good" {
        let (entries, head) = (row.entries, row.head.as_deref()?);
        return Some(Seen { entries, head });
    }
    let own = before.checkpoints.iter().filter(|one| one.path == row.path);
    let last = own.max_by_key(|one| one.entries)?;
    Some(Seen {
        entries: last.entries,
        head: &last.head,
    })
}

/// Hash of the last of so many entries.
fn head_of(record: &Path, entries: u64) -> io::Result<Option<String>> {
    let Some(index) = entries
        .checked_sub(1)
        .and_then(|one| usize::try_from(one).ok())
    else {
        return Ok(None);
    };
    let mut lines = BufReader::new(File::open(record)?).split(b'\n');
    let Some(line) = lines.nth(index).transpose()? else {
        return Ok(None);
    };
    Ok(serde_json::from_slice::<Entry>(&line)
        .ok()
        .map(|entry| entry.hash))
}
