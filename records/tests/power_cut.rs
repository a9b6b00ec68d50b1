//! The power fails at any moment, any operation of the disk fails, syncs lie: what was
//! acknowledged is there, or its loss is found. The disk is simulated and follows a seed.
//!
//! `HENG_SEEDS=100000` runs so many seeds in the place of 2000, `HENG_SEED=17` that one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heng_records::{
    Ending, Event, Interrupted, NotInterrupted, Opened, ReadError, Reader, Recovered, Storage,
    Verdict, Verification, WriteError, Writer, sha256_hex, verify_on,
};

mod session;
mod simulated;
use session::Random;
use simulated::{Fault, Simulated};

const RECORD: &str = "laboratory/S-1.jsonl";
const COPY: &str = "elsewhere/S-1.checkpoints";

fn storage(disk: &Simulated) -> Storage {
    Storage {
        disk: Arc::new(disk.clone()),
        witness: Some("elsewhere".into()),
        holder: "a test".to_owned(),
    }
}

fn opened(random: &mut Random) -> Event {
    Event::Opened(Opened {
        operator: letters(random, 900),
        ..session::opened()
    })
}

/// Of any length up to `most`, so that lines lie anyhow across the sectors.
fn letters(random: &mut Random, most: u64) -> String {
    let count = random.below(most);
    (0..count)
        .map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap()))
        .collect()
}

fn exchange(random: &mut Random, t_us: u64) -> Event {
    let most = [30, 300, 1400][random.index(3)];
    session::exchange(letters(random, most), t_us, t_us)
}

/// What the sessions were told about a record.
#[derive(Default)]
struct Known {
    /// Hashes of the entries that were appended.
    hashes: BTreeMap<u64, String>,
    acknowledged: u64,
    sealed: bool,
    /// SHA-256 of what stood behind the last entry, whenever somebody looked.
    torn: BTreeSet<String>,
}

struct Session<'a> {
    writer: Writer,
    known: &'a mut Known,
    t_us: u64,
}

impl Session<'_> {
    fn append(&mut self, event: Event) -> Result<(), WriteError> {
        let entry = self.writer.append(self.t_us, "u".into(), event);
        let entry = self.heed(entry)?;
        self.known.hashes.insert(entry.seq, entry.hash);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), WriteError> {
        let done = self.writer.commit();
        self.heed(done)
    }

    fn commit_group(&mut self) -> Result<(), WriteError> {
        let done = self.writer.commit_group(self.t_us);
        self.heed(done).map(|_| ())
    }

    fn seal(&mut self) -> Result<(), WriteError> {
        let entry = self.writer.seal(self.t_us, "u".into(), "completed");
        let entry = self.heed(entry)?;
        assert_eq!(self.writer.acknowledged(), entry.seq + 1);
        self.known.hashes.insert(entry.seq, entry.hash);
        self.known.sealed = true;
        Ok(())
    }

    /// After an error the writer says the same for ever and acknowledges nothing.
    fn heed<T>(&mut self, answer: Result<T, WriteError>) -> Result<T, WriteError> {
        let acknowledged = self.writer.acknowledged();
        if let Err(error) = &answer {
            assert_eq!(acknowledged, self.known.acknowledged, "{error}");
            let text = error.to_string();
            assert!(text.contains("nothing more is acknowledged"), "{text}");
            let late = Event::Derived {
                body: serde_json::Value::Null,
            };
            for _ in 0..2 {
                let late = self.writer.append(self.t_us, "u".into(), late.clone());
                assert!(matches!(late, Err(WriteError::Broken { .. })));
                let group = self.writer.commit_group(u64::MAX);
                assert!(matches!(group, Err(WriteError::Broken { .. })));
                let commit = self.writer.commit();
                assert!(matches!(commit, Err(WriteError::Broken { .. })));
            }
            assert_eq!(self.writer.acknowledged(), acknowledged);
        }
        self.known.acknowledged = acknowledged;
        answer
    }

    fn work(&mut self, random: &mut Random, steps: u64) -> Result<(), WriteError> {
        for _ in 0..steps {
            // Now and then a checkpoint becomes due.
            let kind = random.index(4);
            self.t_us += random.below([1000, 90_000, 300_000, 6_000_000][kind]);
            let event = exchange(random, self.t_us);
            self.append(event)?;
            match random.below(6) {
                0 => self.commit()?,
                1..=3 => self.commit_group()?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn begin(
    disk: &Simulated,
    known: &mut Known,
    random: &mut Random,
    steps: u64,
    seals: bool,
) -> Result<(), WriteError> {
    let writer = Writer::create(Path::new(RECORD), storage(disk))?;
    let mut session = Session {
        writer,
        known,
        t_us: 0,
    };
    session.append(opened(random))?;
    // A run has its texts before the first commit.
    if random.below(2) == 0 {
        session.commit()?;
    }
    session.work(random, steps)?;
    if seals {
        session.seal()?;
    }
    Ok(())
}

/// What a restart found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// No entry: nothing was acknowledged.
    Nothing,
    Open,
    Sealed,
}

fn judge(disk: &Simulated) -> Result<Verification, ReadError> {
    let copy = PathBuf::from(COPY);
    let copies: Vec<_> = disk
        .look(&copy)
        .is_some()
        .then_some(copy)
        .into_iter()
        .collect();
    verify_on(disk, Path::new(RECORD), &copies)
}

/// What must hold of a record on an honest disk, whatever happened.
fn hold(disk: &Simulated, known: &Known) -> Found {
    let bytes = disk.look(Path::new(RECORD));
    let bytes = bytes.unwrap_or_default();
    let lines: Vec<_> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    for seq in 0..known.acknowledged {
        let line = lines.get(usize::try_from(seq).unwrap());
        let line = line.unwrap_or_else(|| panic!("entry {seq} was acknowledged and is gone"));
        let hash = &known.hashes[&seq];
        let end = format!(",\"hash\":\"{hash}\"}}\n");
        let hashed = line.strip_suffix(end.as_bytes());
        let hashed = hashed.unwrap_or_else(|| panic!("entry {seq} is another one"));
        assert_eq!(sha256_hex(hashed), *hash, "entry {seq}");
    }
    let verdict = match judge(disk) {
        Ok(found) => {
            assert_ne!(found.verdict, Verdict::Altered, "{found}");
            found.verdict
        }
        Err(ReadError::NotARecord { .. } | ReadError::Io { .. }) => {
            assert_eq!(known.acknowledged, 0, "the record is not recognised");
            return Found::Nothing;
        }
        Err(error) => panic!("{error}"),
    };
    match Interrupted::open_on(disk, Path::new(RECORD)) {
        Ok(interrupted) => {
            assert!(!known.sealed, "the seal is gone");
            assert_eq!(verdict, Verdict::Incomplete);
            let whole = bytes.len() - interrupted.torn.len();
            assert_eq!(bytes[whole..], interrupted.torn);
            Found::Open
        }
        Err(NotInterrupted::Empty { .. }) => {
            assert_eq!((known.acknowledged, verdict), (0, Verdict::Incomplete));
            Found::Nothing
        }
        Err(NotInterrupted::Sealed { .. }) => Found::Sealed,
        Err(error) => panic!("{error}"),
    }
}

/// Takes the record up, states what was dropped, goes on, and seals it if asked to.
fn go_on(
    disk: &Simulated,
    known: &mut Known,
    random: &mut Random,
    steps: u64,
    seals: bool,
) -> Result<(), WriteError> {
    let interrupted = Interrupted::open_on(disk, Path::new(RECORD))?;
    let torn = sha256_hex(&interrupted.torn);
    if !interrupted.torn.is_empty() {
        known.torn.insert(torn.clone());
    }
    let (writer, dropped) = Writer::resume(&interrupted, storage(disk))?;
    assert!(interrupted.torn.is_empty() || dropped.iter().any(|one| one.sha256 == torn));
    for one in &dropped {
        let kept = disk.look(&Path::new(RECORD).with_file_name(&one.file));
        let kept = kept.expect("what was dropped is kept aside");
        assert_eq!(one.sha256, sha256_hex(&kept));
        assert_eq!(one.bytes, kept.len() as u64);
        assert!(known.torn.contains(&one.sha256), "it was never there");
    }
    known.hashes = interrupted
        .entries
        .iter()
        .map(|entry| (entry.seq, entry.hash.clone()))
        .collect();
    known.acknowledged = writer.acknowledged();
    let mut session = Session {
        writer,
        known,
        t_us: interrupted.entries.last().map_or(0, |entry| entry.t_us),
    };
    session.append(Event::Recovered(Recovered {
        person: "A".into(),
        reason: "a test".into(),
        dropped,
    }))?;
    session.work(random, steps)?;
    if seals {
        session.seal()?;
    }
    Ok(())
}

/// Nothing fails any more: whatever was left becomes a good record that states all that was
/// dropped, or there never was an acknowledged entry.
fn end_well(disk: &Simulated, known: &mut Known, random: &mut Random) -> Found {
    let found = hold(disk, known);
    match found {
        Found::Nothing => return found,
        Found::Open => go_on(disk, known, random, 3, true).unwrap(),
        Found::Sealed => {}
    }
    // What was acknowledged stands on nothing that only looks durable.
    for _ in 0..2 {
        // A seal that nobody was told of may still need its checkpoint, which looks whole and
        // is gone at the cut where its sync had failed.
        let path = Path::new(RECORD);
        let missing = Writer::complete(path, storage(disk)).unwrap();
        assert!(!(missing && known.sealed), "a checkpoint is gone");
        assert!(!Writer::complete(path, storage(disk)).unwrap());
        assert_eq!(hold(disk, known), Found::Sealed);
        let verdict = judge(disk).unwrap();
        assert_eq!(verdict.verdict, Verdict::Good, "{verdict}");
        disk.cut_and_restart();
    }
    let record = disk.look(Path::new(RECORD)).unwrap();
    let reader = Reader::from_bytes(Path::new(RECORD), &record).unwrap();
    let mut stated = BTreeMap::new();
    for entry in reader.entries {
        if let Event::Recovered(recovered) = entry.event {
            let dropped = recovered.dropped.into_iter();
            stated.extend(dropped.map(|one| (one.file, one.sha256)));
        }
    }
    for (file, sha256) in &stated {
        let kept = disk.look(&Path::new(RECORD).with_file_name(file)).unwrap();
        assert_eq!(*sha256, sha256_hex(&kept));
        assert!(known.torn.contains(sha256), "{file} was never there");
    }
    for path in disk.names() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let part = path.extension().is_some_and(|ending| ending == "part");
        let aside = name.contains(".torn") && !part;
        assert!(!aside || stated.contains_key(&name), "{name} is not stated");
    }
    found
}

#[derive(Debug, Default)]
struct Tally {
    nothing: AtomicU64,
    open: AtomicU64,
    sealed: AtomicU64,
    torn: AtomicU64,
    found_lost: AtomicU64,
    lost_behind_checkpoint: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A session, and up to four power cuts while it runs and while it is taken up.
fn honest(seed: u64, tally: &Tally) {
    let disk = Simulated::new(seed);
    let mut random = Random(!seed);
    let mut known = Known::default();
    let steps = random.below(40);
    let seals = random.below(2) == 0;
    disk.fail(1 + random.below(40 + 5 * steps), Fault::Cut);
    let _ = begin(&disk, &mut known, &mut random, steps, seals);
    for _ in 0..random.below(4) {
        disk.disarm();
        disk.cut_and_restart();
        let found = hold(&disk, &known);
        disk.fail(1 + random.below(90), Fault::Cut);
        let _ = match found {
            Found::Nothing => break,
            Found::Sealed => Writer::complete(Path::new(RECORD), storage(&disk)).map(|_| ()),
            Found::Open => go_on(&disk, &mut known, &mut random, 8, seals),
        };
    }
    disk.disarm();
    disk.cut_and_restart();
    match end_well(&disk, &mut known, &mut random) {
        Found::Nothing => count(&tally.nothing),
        Found::Open => count(&tally.open),
        Found::Sealed => count(&tally.sealed),
    }
    if !known.torn.is_empty() {
        count(&tally.torn);
    }
}

/// What can be promised where syncs lied. What holds is what was written; the record is good
/// only if all of it is there; entries that a checkpoint knew of are missed, and then nothing is
/// taken up or changed. What was acknowledged after the last checkpoint may be gone unnoticed.
fn hold_after_lies(disk: &Simulated, known: &Known, tally: &Tally) {
    let path = Path::new(RECORD);
    let held = disk.look(path).and_then(|bytes| {
        let reader = Reader::from_bytes(path, &bytes).ok()?;
        Some(reader.entries)
    });
    let held = held.unwrap_or_default();
    for entry in &held {
        // A seal is told when it is durable, not when it is written.
        let untold = !known.sealed && matches!(entry.event, Event::Sealed { .. });
        let same = known.hashes.get(&entry.seq) == Some(&entry.hash);
        assert!(same || untold, "entry {} was never written", entry.seq);
    }
    let mut witnessed = 0;
    let copies = [PathBuf::from(COPY), path.with_extension("checkpoints")];
    let before: Vec<_> = copies.iter().map(|path| disk.look(path)).collect();
    for bytes in before.iter().flatten() {
        let lines = bytes.split(|&byte| byte == b'\n');
        let known = lines.filter_map(|line| {
            let line: serde_json::Value = serde_json::from_slice(line).ok()?;
            line["entries"].as_u64()
        });
        witnessed = witnessed.max(known.max().unwrap_or(0));
    }
    let verdict = judge(disk);
    let lost = (held.len() as u64) < known.acknowledged;
    if let Ok(found) = &verdict {
        let whole = matches!(found.ending, Ending::Sealed) && !lost;
        assert!(found.verdict != Verdict::Good || whole, "{found}");
    }
    if witnessed > held.len() as u64 {
        count(&tally.found_lost);
        let missed = matches!(&verdict, Err(ReadError::Io { .. }))
            || verdict.is_ok_and(|found| found.verdict == Verdict::Altered);
        assert!(missed, "a loss before a checkpoint is not found");
        let record = disk.look(path);
        if let Ok(interrupted) = Interrupted::open_on(disk, path) {
            let refused = Writer::resume(&interrupted, storage(disk)).err();
            assert!(
                matches!(refused, Some(WriteError::Contradicted { .. })),
                "{refused:?}"
            );
        }
        let after: Vec<_> = copies.iter().map(|path| disk.look(path)).collect();
        assert_eq!((disk.look(path), after), (record, before));
    } else if lost {
        count(&tally.lost_behind_checkpoint);
        assert_eq!(verdict.unwrap().verdict, Verdict::Incomplete);
    }
}

/// Every sync of the folder of the record lies; the other copy of the checkpoints is on
/// an honest disk.
fn lying(seed: u64, tally: &Tally) {
    let disk = Simulated::new(seed);
    let mut random = Random(!seed);
    disk.lie_in(Path::new("laboratory"), random.below(4) == 0);
    let mut known = Known::default();
    let steps = random.below(40);
    disk.fail(1 + random.below(40 + 5 * steps), Fault::Cut);
    let seals = random.below(2) == 0;
    let _ = begin(&disk, &mut known, &mut random, steps, seals);
    disk.disarm();
    disk.cut_and_restart();
    hold_after_lies(&disk, &known, tally);
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_acknowledged() {
    let seeds = match variable("HENG_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("HENG_SEEDS").unwrap_or(2000),
    };
    let (tally, next) = (Tally::default(), AtomicU64::new(seeds.start));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let run = || {
                honest(seed, &tally);
                lying(seed, &tally);
            };
            let survived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            assert!(
                survived.is_ok(),
                "seed {seed} fails; again: HENG_SEED={seed} cargo test --release -p heng-records --test power_cut a_power_cut"
            );
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    println!("{seeds:?}: {tally:?}");
    if seeds.end - seeds.start >= 1000 {
        let Tally {
            nothing,
            open,
            sealed,
            torn,
            found_lost,
            lost_behind_checkpoint,
        } = tally;
        for counter in [
            nothing,
            open,
            sealed,
            torn,
            found_lost,
            lost_behind_checkpoint,
        ] {
            assert!(
                counter.into_inner() > 0,
                "some situation has never occurred"
            );
        }
    }
}

const FAULTS: [Fault; 7] = [
    Fault::Error,
    Fault::Reverts,
    Fault::Short,
    Fault::Full,
    Fault::Interrupted,
    Fault::Lie,
    Fault::Cut,
];

/// More operations than a short session has: the loops over them must end.
const MOST: u64 = 1000;

/// A short session with groups, a checkpoint in the middle, and a seal.
fn script(disk: &Simulated, known: &mut Known) -> Result<(), WriteError> {
    let mut random = Random(1);
    let writer = Writer::create(Path::new(RECORD), storage(disk))?;
    let mut session = Session {
        writer,
        known,
        t_us: 0,
    };
    session.append(opened(&mut random))?;
    session.commit()?;
    for step in 0..8 {
        session.t_us += if step == 4 { 11_000_000 } else { 90_000 };
        let event = exchange(&mut random, session.t_us);
        session.append(event)?;
        session.commit_group()?;
    }
    session.seal()
}

/// Where no entry was acknowledged a session begins anew: under the same name where the first
/// could not even be created, unless a power cut has brought back what that attempt had made.
fn begin_anew(disk: &Simulated, taken: bool, place: &str) {
    let mut known = Known::default();
    match script(disk, &mut known) {
        Ok(()) => assert_eq!(hold(disk, &known), Found::Sealed, "{place}"),
        Err(error) => assert!(
            taken && matches!(error, WriteError::Create { .. }),
            "{place}: {error}"
        ),
    }
}

/// With this fault at the n-th operation of a session; the answer is whether it came.
fn session_fails_at(number: u64, fault: Fault, cut: bool, tally: &Tally) -> bool {
    let place = format!("{fault:?} at operation {number}, then a power cut: {cut}");
    let disk = Simulated::new(number);
    let mut known = Known::default();
    disk.fail(number, fault);
    let ended = script(&disk, &mut known);
    let fired = disk.disarm();
    disk.make_room();
    assert!(fired || ended.is_ok(), "{place}: {ended:?}");
    let cut = cut || fault == Fault::Cut;
    if cut {
        disk.cut_and_restart();
    }
    if fault == Fault::Lie {
        // A sync that lies is no error: nobody knows before the power fails.
        assert!(ended.is_ok(), "{place}");
        hold_after_lies(&disk, &known, tally);
        return fired;
    }
    let found = end_well(&disk, &mut known, &mut Random(number));
    if found == Found::Nothing {
        let created = !matches!(ended, Err(WriteError::Create { .. }));
        begin_anew(&disk, cut || created, &place);
    }
    fired
}

/// As `SQLite` is tested: the first operation fails, the second, and so on until none is left.
#[test]
fn any_one_operation_may_fail_in_any_way() {
    let tally = Tally::default();
    for fault in FAULTS {
        for cut in [false, true] {
            let failed = (1..MOST).find(|number| {
                let number = *number;
                !session_fails_at(number, fault, cut, &tally)
            });
            let operations = failed.expect("the session ends") - 1;
            assert!(operations > 60, "{operations}");
            println!("{fault:?}, then a power cut {cut}: {operations} operations");
        }
    }
}

/// A session whose first fault is at one operation, and whose recovery has one at the next
/// ones in turn; then it is taken up once more.
fn recovery_fails_at(first: (u64, Fault), second: (u64, Fault), cut: bool) -> (bool, bool) {
    let disk = Simulated::new(first.0 * MOST + second.0);
    let mut known = Known::default();
    disk.fail(first.0, first.1);
    let _ = script(&disk, &mut known);
    let came = disk.disarm();
    disk.make_room();
    if cut {
        disk.cut_and_restart();
    }
    let found = hold(&disk, &known);
    disk.fail(second.0, second.1);
    let mut random = Random(second.0);
    let ended = match found {
        Found::Nothing => return (came, false),
        Found::Open => go_on(&disk, &mut known, &mut random, 2, true),
        Found::Sealed => Writer::complete(Path::new(RECORD), storage(&disk)).map(|_| ()),
    };
    let came_again = disk.disarm();
    disk.make_room();
    assert!(came_again || ended.is_ok(), "{ended:?}");
    if cut || second.1 == Fault::Cut {
        disk.cut_and_restart();
    }
    end_well(&disk, &mut known, &mut random);
    (came, came_again)
}

#[test]
fn any_one_operation_of_a_recovery_may_fail_as_well() {
    let mut pairs = 0;
    let kinds = [
        (Fault::Short, Fault::Error, false),
        (Fault::Error, Fault::Reverts, true),
        (Fault::Full, Fault::Short, true),
        (Fault::Cut, Fault::Cut, true),
    ];
    for (one, other, cut) in kinds {
        for first in 1..MOST {
            let mut came = false;
            for second in 1..MOST {
                let place = format!("{one:?} at {first}, {other:?} at {second}, cut {cut}");
                let run = || recovery_fails_at((first, one), (second, other), cut);
                let Ok((at_all, again)) = std::panic::catch_unwind(run) else {
                    panic!("{place}");
                };
                came = at_all;
                pairs += 1;
                if !again {
                    break;
                }
            }
            if !came {
                break;
            }
        }
    }
    println!("{pairs} pairs of faults");
    assert!(pairs > 5000, "{pairs}");
}

/// One second of events, a thousand of them: syncs are counted, not timed.
#[test]
fn a_thousand_events_in_a_second_cost_a_few_syncs() {
    let disk = Simulated::new(1);
    let mut random = Random(1);
    let mut known = Known::default();
    let writer = Writer::create(Path::new(RECORD), storage(&disk)).unwrap();
    let mut session = Session {
        writer,
        known: &mut known,
        t_us: 0,
    };
    session.append(opened(&mut random)).unwrap();
    session.commit().unwrap();
    let before = disk.count("sync", "S-1.jsonl");
    for number in 1..=1000 {
        session.t_us = number * 1000;
        let event = exchange(&mut random, session.t_us);
        session.append(event).unwrap();
        session.commit_group().unwrap();
        // Nothing waits longer than a fifth of a second.
        assert!(number < 202 || session.writer.acknowledged() >= number - 200);
    }
    let syncs = disk.count("sync", "S-1.jsonl") - before;
    assert!((4..=5).contains(&syncs), "{syncs} syncs");
    assert!(disk.count("sync", "S-1.checkpoints") <= 4);
}
