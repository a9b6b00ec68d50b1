//! A session that ends anywhere, and what `heng resume` makes of its record.

use std::path::Path;
use std::sync::Arc;

use heng_drivers::Clock;
use heng_records::{Ending, Entry, Event, Reader, Storage, sha256_hex};

use super::live::{Answers, Ended};
use super::recovery::{Recovery, RecoveryError, Site};
use super::simulated::SimulatedBench;
use super::trial;

fn take_up(record: &Path, close: bool, faults: &[String]) -> Result<Ended, RecoveryError> {
    let recovery = Recovery::read(record)?;
    let clock = recovery.simulated_clock();
    let bench = trial::bench_of(&trial::texts(trial::bench()));
    let laboratory = SimulatedBench::start(&bench, 5, &clock, faults).unwrap();
    let site = Site {
        clock: Arc::new(clock) as Arc<dyn Clock>,
        connections: laboratory.connections(),
        adapters: laboratory.adapters(),
        person: "Wang Wei".to_owned(),
        close,
        storage: Storage::default(),
        answers: Answers {
            prepared: trial::answers(),
            person: None,
        },
        pace: None,
        sink: Box::new(|_| ()),
    };
    Ok(trial::runtime().block_on(recovery.run(site)).unwrap())
}

/// The record of a session cut at any byte is what a killed program leaves.
fn at_each_cut(folder: &Path, whole: &Path, judge: fn(&Path, &[u8], usize)) {
    let bytes = std::fs::read(whole).unwrap();
    let needle = b"\"kind\":\"exchange\"";
    let first = bytes.windows(needle.len()).position(|one| one == needle);
    let begun = first.unwrap();
    let cuts: Vec<_> = (1..=16)
        .map(|place| begun + (bytes.len() - begun) * place / 17)
        .collect();
    std::thread::scope(|scope| {
        for cut in cuts {
            let bytes = &bytes;
            // A folder each: the artefacts have the names of one certificate.
            let place = folder.join(format!("cut-{cut}"));
            std::fs::create_dir(&place).unwrap();
            scope.spawn(move || judge(&place.join("TRIAL-1.jsonl"), bytes, cut));
        }
    });
}

#[test]
fn a_session_that_ends_anywhere_is_led_to_its_safe_state_and_sealed() {
    let folder = trial::folder("crash");
    let whole = trial::run(&folder, trial::bench(), &[]).ended.record;
    at_each_cut(&folder, &whole, closed_at);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What stood before is there byte for byte, and the record says who took it up and what was
/// dropped. Gives its entries.
fn assert_taken_up(record: &Path, bytes: &[u8], cut: usize) -> Vec<Entry> {
    trial::assert_recomputes(record);
    let left = std::fs::read(record).unwrap();
    let whole = bytes[..cut]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .unwrap()
        + 1;
    assert!(
        left.starts_with(&bytes[..whole]),
        "{cut}: evidence was changed"
    );
    let entries = Reader::open(record).unwrap().entries;
    let found = entries.iter().find_map(|entry| match &entry.event {
        Event::Recovered(found) => Some(found),
        _ => None,
    });
    let found = found.expect("that it was taken up is not told");
    assert_eq!(found.person, "Wang Wei");
    match found.dropped.as_slice() {
        [one] => {
            let kept = std::fs::read(record.with_file_name(&one.file)).unwrap();
            assert_eq!(kept, &bytes[whole..cut]);
            assert_eq!(one.sha256, sha256_hex(&kept));
        }
        other => assert!(other.is_empty() && whole == cut, "{other:?}"),
    }
    let sealed = take_up(record, true, &[]).err().unwrap().to_string();
    assert!(sealed.contains("is sealed"), "{sealed}");
    entries
}

fn closed_at(record: &Path, bytes: &[u8], cut: usize) {
    std::fs::write(record, &bytes[..cut]).unwrap();
    let ended = take_up(record, true, &[]).unwrap();
    let entries = assert_taken_up(record, bytes, cut);
    assert!(ended.not_safe.is_empty(), "{cut}");
    assert!(!ended.completed);
    let Some(Event::Sealed { reason, .. }) = entries.last().map(|entry| &entry.event) else {
        panic!("{cut}: not sealed");
    };
    assert!(reason.starts_with("aborted: "), "{reason}");
}

/// The run goes on to a certificate, and every point is in it: those that were complete as
/// they were, the one under way from its set point on.
fn went_on_at(record: &Path, bytes: &[u8], cut: usize) {
    std::fs::write(record, &bytes[..cut]).unwrap();
    let ended = take_up(record, false, &[]).unwrap();
    let entries = assert_taken_up(record, bytes, cut);
    assert!(ended.completed && ended.not_safe.is_empty(), "{cut}");
    assert!(!ended.files.is_empty(), "{cut}: no certificate");
    let complete = |entry: &&Entry| {
        trial::derived(entry, "point").is_some_and(|point| point["complete"] == true)
    };
    assert_eq!(entries.iter().filter(complete).count(), 2, "{cut}");
    let at = entries
        .iter()
        .position(|entry| matches!(entry.event, Event::Recovered(_)))
        .unwrap();
    let after = &entries[at..];
    let read = |entry: &&Entry| {
        trial::derived(entry, "scan").is_some_and(|scan| scan["purpose"] == "reading")
    };
    let Some(first) = after.iter().find(read) else {
        return;
    };
    // Nothing is read before whoever answers was asked who it is, and the soak began anew.
    let identified = after.iter().position(
        |entry| matches!(&entry.event, Event::Exchange(exchange) if exchange.outcome == "complete"),
    );
    assert!(identified.is_some(), "{cut}");
    let least_us = trial::SOAK_S * 1_000_000;
    assert!(
        first.t_us >= entries[at].t_us + least_us,
        "{cut}: not soaked"
    );
}

#[test]
fn a_session_that_ends_anywhere_goes_on_to_its_certificate() {
    let folder = trial::folder("crash-resume");
    let whole = trial::complete(&folder, trial::texts(trial::bench()), &[])
        .ended
        .record;
    at_each_cut(&folder, &whole, went_on_at);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_session_may_end_and_go_on_more_than_once() {
    let folder = trial::folder("crash-twice");
    let whole = trial::complete(&folder, trial::texts(trial::bench()), &[])
        .ended
        .record;
    let bytes = std::fs::read(&whole).unwrap();
    let record = folder.join("twice.jsonl");
    std::fs::write(&record, &bytes[..bytes.len() / 2]).unwrap();
    assert!(take_up(&record, false, &[]).unwrap().completed);
    let longer = std::fs::read(&record).unwrap();
    let again = folder.join("again.jsonl");
    std::fs::write(&again, &longer[..longer.len() * 3 / 4]).unwrap();
    std::fs::copy(
        folder.join("twice.jsonl.torn"),
        folder.join("again.jsonl.torn"),
    )
    .unwrap();
    assert!(take_up(&again, false, &[]).unwrap().completed);
    trial::assert_recomputes(&again);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_source_that_is_gone_is_said_to_be_unsafe() {
    let folder = trial::folder("crash-unsafe");
    let whole = trial::run(&folder, trial::bench(), &[]).ended.record;
    let bytes = std::fs::read(&whole).unwrap();
    for close in [true, false] {
        let record = folder.join(format!("unsafe-{close}.jsonl"));
        std::fs::write(&record, &bytes[..bytes.len() / 2]).unwrap();
        let ended = take_up(&record, close, &["chamber:vanish@1".to_owned()]).unwrap();
        assert_eq!(ended.not_safe, ["chamber"]);
        assert!(!ended.completed);
        trial::assert_recomputes(&record);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_altered_record_and_one_without_a_beginning_are_left_alone() {
    let folder = trial::folder("crash-altered");
    let whole = trial::run(&folder, trial::bench(), &[]).ended.record;
    let bytes = std::fs::read(&whole).unwrap();
    let record = folder.join("altered.jsonl");
    let mut altered = bytes[..bytes.len() / 2].to_vec();
    altered[bytes.len() / 4] ^= 4;
    for left in [&altered[..], &bytes[..40], &bytes[..bytes.len() / 200], b""] {
        std::fs::write(&record, left).unwrap();
        assert!(take_up(&record, false, &[]).is_err());
        assert_eq!(std::fs::read(&record).unwrap(), left);
    }
    assert_ne!(Reader::open(&whole).unwrap().ending, Ending::Open);
    std::fs::remove_dir_all(&folder).unwrap();
}
