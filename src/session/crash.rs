//! A session that ends anywhere, and what `heng recover` makes of its record.

use std::path::Path;
use std::sync::Arc;

use heng_drivers::Clock;
use heng_records::{Ending, Event, Reader};

use super::recovery::{Recovered, Recovery, RecoveryError, Site};
use super::simulated::SimulatedBench;
use super::trial;

fn recover(record: &Path, faults: &[String]) -> Result<Recovered, RecoveryError> {
    let recovery = Recovery::read(record)?;
    let clock = recovery.simulated_clock();
    let bench = trial::bench_of(&trial::texts(trial::bench()));
    let laboratory = SimulatedBench::start(&bench, 5, &clock, faults).unwrap();
    let site = Site {
        clock: Arc::new(clock) as Arc<dyn Clock>,
        connections: laboratory.connections(),
        adapters: laboratory.adapters(),
        person: "Wang Wei".to_owned(),
        sink: Box::new(|_| ()),
    };
    Ok(trial::runtime().block_on(recovery.run(site)).unwrap())
}

/// The record of a whole session cut at any byte is what a killed program leaves.
#[test]
fn a_session_that_ends_anywhere_is_led_to_its_safe_state_and_sealed() {
    let folder = trial::folder("crash");
    let whole = trial::run(&folder, trial::bench(), &[]).ended.record;
    let bytes = std::fs::read(&whole).unwrap();
    let needle = b"\"kind\":\"exchange\"";
    let first = bytes.windows(needle.len()).position(|one| one == needle);
    let begun = first.unwrap();
    let cuts: Vec<_> = (1..=16)
        .map(|place| begun + (bytes.len() - begun) * place / 17)
        .collect();
    std::thread::scope(|scope| {
        for cut in cuts {
            let (folder, bytes) = (&folder, &bytes);
            scope.spawn(move || one_cut(&folder.join(format!("cut-{cut}.jsonl")), bytes, cut));
        }
    });
    std::fs::remove_dir_all(&folder).unwrap();
}

fn one_cut(record: &Path, bytes: &[u8], cut: usize) {
    std::fs::write(record, &bytes[..cut]).unwrap();
    let recovered = recover(record, &[]).unwrap();
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
    match &recovered.torn {
        Some(torn) => assert_eq!(std::fs::read(torn).unwrap(), &bytes[whole..cut]),
        None => assert_eq!(whole, cut),
    }
    let entries = Reader::open(record).unwrap().entries;
    assert!(recovered.ended.not_safe.is_empty(), "{cut}");
    assert!(!recovered.ended.completed);
    let abort = entries.iter().any(|entry| {
        matches!(&entry.event, Event::Operator(heng_records::Operator::Abort { person, reason })
            if person == "Wang Wei" && reason.contains("without closing the record")
                && reason.contains("torn") == recovered.torn.is_some())
    });
    assert!(abort, "{cut}: who recovered is not told");
    let Some(Event::Sealed { reason, .. }) = entries.last().map(|entry| &entry.event) else {
        panic!("{cut}: not sealed");
    };
    assert!(reason.starts_with("aborted: "), "{reason}");
    let again = recover(record, &[])
        .err()
        .expect("sealed records are closed")
        .to_string();
    assert!(again.contains("is sealed"), "{again}");
}

#[test]
fn a_source_that_is_gone_is_said_to_be_unsafe() {
    let folder = trial::folder("crash-unsafe");
    let whole = trial::run(&folder, trial::bench(), &[]).ended.record;
    let bytes = std::fs::read(&whole).unwrap();
    let record = folder.join("unsafe.jsonl");
    std::fs::write(&record, &bytes[..bytes.len() / 2]).unwrap();
    let recovered = recover(&record, &["chamber:vanish@1".to_owned()]).unwrap();
    assert_eq!(recovered.ended.not_safe, ["chamber"]);
    trial::assert_recomputes(&record);
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
        assert!(recover(&record, &[]).is_err());
        assert_eq!(std::fs::read(&record).unwrap(), left);
    }
    assert_ne!(Reader::open(&whole).unwrap().ending, Ending::Open);
    std::fs::remove_dir_all(&folder).unwrap();
}
