//! A short session on simulated instruments, in this process, for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heng_drivers::{Clock as _, SkippingClock, description, unescape};
use heng_records::{Entry, Event, Opened, Reader, Storage, TextRole, TextUsed};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::bench::Bench;
use super::calendar::Calendar;
use super::evidence::{parse_toml, single, text_used};
use super::live::{self, Answers, Ended, Session};
use super::replay::{self, Finding};
use super::simulated::SimulatedBench;
use crate::tui::ToSession;

pub const SOAK_S: u64 = 300;
pub const WINDOW_S: u64 = 240;
const START: &str = "2026-11-25T08:00:00+08:00";
const SEED: u64 = 20_261_125;

/// The shipped procedure with short waits, wide criteria and two points.
fn procedure() -> String {
    let text = include_str!("../../procedures/library/thermo-hygrometer-comparison.toml");
    let text = text
        .replace("minimum_wait_s = 1800", "minimum_wait_s = 300")
        .replace("maximum_wait_s = 14400", "maximum_wait_s = 3600")
        .replace("window_s = 1200", "window_s = 240")
        .replace("count = 10", "count = 3");
    let third = text.match_indices("[[point]]").nth(2).unwrap().0;
    let steady = text.find("# Sized for").unwrap();
    with_wide_criteria(&(text[..third].to_owned() + &text[steady..]))
}

/// Every criterion with a limit that the simulated chamber keeps.
pub fn with_wide_criteria(procedure: &str) -> String {
    let lines = procedure.lines();
    let lines = lines.filter(|line| !line.starts_with("slope_per_h"));
    let lines = lines.map(|line| match line.strip_prefix("range = ") {
        Some(_) => "range = \"5\"",
        None => line,
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

pub fn texts(bench: &str) -> Vec<TextUsed> {
    let mut texts: Vec<TextUsed> = [
        (TextRole::Procedure, "procedure.toml", procedure().as_str()),
        (TextRole::Bench, "bench.toml", bench),
        (
            TextRole::Order,
            "order.toml",
            include_str!("../../fixtures/demo/order.toml"),
        ),
        (
            TextRole::Scope,
            "scope.toml",
            include_str!("../../fixtures/demo/scope.toml"),
        ),
        (
            TextRole::Standard,
            "DEMO-H-2026-0417.toml",
            include_str!("../../fixtures/demo/standards/DEMO-H-2026-0417.toml"),
        ),
        (
            TextRole::Standard,
            "DEMO-T-2026-0931.toml",
            include_str!("../../fixtures/demo/standards/DEMO-T-2026-0931.toml"),
        ),
        (
            TextRole::Standard,
            "DEMO-P-2026-2231.toml",
            include_str!("../../fixtures/demo/standards/DEMO-P-2026-2231.toml"),
        ),
    ]
    .map(|(role, name, text)| text_used(role, name, text))
    .into();
    let bench = bench_of(&texts);
    for one in &bench.instruments {
        if !texts.iter().any(|text| text.name == one.model) {
            let text = description(&one.model).unwrap().text();
            texts.push(text_used(TextRole::Driver, &one.model, text));
        }
    }
    texts
}

pub fn bench_of(texts: &[TextUsed]) -> Bench {
    parse_toml(single(texts, TextRole::Bench, "bench").unwrap()).unwrap()
}

/// Every instrument on a line of its own.
pub fn bench() -> &'static str {
    include_str!("../../fixtures/demo/bench.toml")
}

/// An empty folder; kept where a test fails.
pub fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("heng-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// What a session left.
pub struct Left {
    pub ended: Ended,
    pub entries: Vec<Entry>,
}

/// Runs the session until the second point has begun to settle, then aborts it, so that it
/// ends in the safe state and without a certificate.
pub fn run(folder: &Path, bench: &str, faults: &[String]) -> Left {
    let (say, person) = unbounded_channel();
    let told = Mutex::new(false);
    let sink = move |entry: &Entry| {
        let second = is_step(entry, "stabilise", Some(1));
        if second && !std::mem::replace(&mut *told.lock().unwrap(), true) {
            let reason = "the test has seen enough".to_owned();
            say.send(ToSession::Abort { reason }).unwrap();
        }
    };
    let ended = start(
        folder,
        texts(bench),
        faults,
        Some(person),
        Box::new(sink),
        None,
    );
    assert_recomputes(&ended.record);
    let entries = Reader::open(&ended.record).unwrap().entries;
    Left { ended, entries }
}

/// Runs the session to its certificate.
pub fn complete(folder: &Path, texts: Vec<TextUsed>, faults: &[String]) -> Left {
    let ended = start(folder, texts, faults, None, Box::new(|_| ()), None);
    assert_recomputes(&ended.record);
    let entries = Reader::open(&ended.record).unwrap().entries;
    Left { ended, entries }
}

/// Runs the session to its certificate; the record alone is left.
pub fn leave(folder: &Path, texts: Vec<TextUsed>) -> Ended {
    start(folder, texts, &[], None, Box::new(|_| ()), None)
}

/// Runs the session on a machine whose clock is moved by so much when the first step of that
/// kind is told; the person explains it, or does not.
pub fn with_moved_clock(
    folder: &Path,
    (kind, moved_us): (&'static str, i64),
    explanation: Option<&'static str>,
) -> Left {
    let (say, person) = unbounded_channel();
    let moved = Arc::new(AtomicI64::new(0));
    let shared = Arc::clone(&moved);
    let sink = move |entry: &Entry| {
        if is_step(entry, kind, Some(0)) {
            shared.store(moved_us, Ordering::Relaxed);
        }
        if let (Event::Clock(_), Some(text)) = (&entry.event, explanation) {
            say.send(ToSession::Note(text.to_owned())).unwrap();
        }
    };
    let ended = start(
        folder,
        texts(bench()),
        &[],
        Some(person),
        Box::new(sink),
        Some(moved),
    );
    assert_recomputes(&ended.record);
    let entries = Reader::open(&ended.record).unwrap().entries;
    Left { ended, entries }
}

/// `moved` is what is added to the machine's clock, in microseconds.
fn start(
    folder: &Path,
    texts: Vec<TextUsed>,
    faults: &[String],
    person: Option<UnboundedReceiver<ToSession>>,
    sink: Box<dyn FnMut(&Entry) + Send>,
    moved: Option<Arc<AtomicI64>>,
) -> Ended {
    let clock = SkippingClock::new();
    let laboratory = SimulatedBench::start(&bench_of(&texts), SEED, &clock, faults).unwrap();
    let mut calendar = Calendar::at(START).unwrap();
    if let Some(moved) = moved {
        let (begin, clock): (jiff::Timestamp, _) = (START.parse().unwrap(), clock.clone());
        let machine = move || {
            let passed = Duration::from_micros(clock.now_us());
            begin + passed + jiff::SignedDuration::from_micros(moved.load(Ordering::Relaxed))
        };
        calendar = calendar.watching(Arc::new(machine), 0);
    }
    let session = Session {
        storage: Storage::default(),
        opened: opened(),
        texts,
        folder: folder.to_owned(),
        clock: Arc::new(clock),
        calendar,
        connections: laboratory.connections(),
        adapters: laboratory.adapters(),
        answers: Answers {
            prepared: answers(),
            person,
        },
        pace: None,
        sink,
    };
    runtime().block_on(live::run(session)).unwrap()
}

/// What is answered to each question.
pub fn answers() -> BTreeMap<String, String> {
    let answers = [
        ("visual_check", "good"),
        ("warm_up", "warm"),
        ("mirror_state", "water"),
        ("instrument_lost", "abort"),
    ];
    answers
        .map(|(prompt, choice)| (prompt.to_owned(), choice.to_owned()))
        .into()
}

pub fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

pub fn opened() -> Opened {
    Opened {
        format: heng_records::FORMAT,
        program: "heng".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        session: "TRIAL-1".to_owned(),
        clock: "simulated".to_owned(),
        seed: SEED,
        job: "comparison".to_owned(),
        operator: "Li Na".to_owned(),
    }
}

pub fn assert_recomputes(record: &Path) {
    let report = replay::replay(record).unwrap();
    assert_eq!(report.finding, Finding::Identical, "{}", record.display());
}

pub fn derived<'a>(entry: &'a Entry, what: &str) -> Option<&'a Value> {
    match &entry.event {
        Event::Derived { body } if body["what"] == what => Some(body),
        _ => None,
    }
}

pub fn is_step(entry: &Entry, kind: &str, point: Option<usize>) -> bool {
    derived(entry, "step").is_some_and(|step| {
        step["kind"] == kind && point.is_none_or(|point| step["point"] == point)
    })
}

/// Requests that an instrument has received with each exchange: a bare line end is none.
pub fn requests(exchange: &heng_records::Exchange) -> u64 {
    let tx = unescape(&exchange.tx).unwrap();
    let lines = tx.split(|byte| matches!(byte, b'\r' | b'\n'));
    lines.filter(|line| !line.is_empty()).count() as u64
}

/// Alarms as `place: text`.
pub fn alarms(entries: &[Entry]) -> Vec<String> {
    let alarms = entries.iter().filter_map(|entry| derived(entry, "alarm"));
    alarms
        .map(|alarm| {
            let text = alarm["text"]["en"].as_str().unwrap_or_default();
            format!("{}: {text}", alarm["place"].as_str().unwrap_or_default())
        })
        .collect()
}
