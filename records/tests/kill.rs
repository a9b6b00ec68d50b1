//! A session is killed at random moments and at every operation of the file layer, taken up,
//! killed again while it is taken up, and goes on. Every entry that was reported is there
//! afterwards, byte for byte.
//!
//! The session is this program itself, started again, with the real writer on the real file
//! system. At a fail point it stops dead and asks for the SIGKILL, so the state of the file is
//! exactly that of the operation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heng_records::{
    Disk, DiskFile, Ending, Event, Exchange, Interrupted, Machine, NotInterrupted, Opened,
    ReadError, Recovered, Storage, Verdict, Writer, checkpoints_of, sha256_hex, verify,
};

mod session;
use session::{Folder, Random, opened};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    /// Half of the bytes of an append are written.
    Within,
    After,
}

/// The n-th time that something is done to a file of this kind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Point {
    /// As `append record`.
    operation: String,
    number: u64,
    moment: Moment,
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split(' ').collect();
        let [verb, file, number, moment] = words[..] else {
            return Err(format!("{text:?} is no fail point"));
        };
        Ok(Self {
            operation: format!("{verb} {file}"),
            number: number.parse().map_err(|_| text.to_owned())?,
            moment: match moment {
                "Before" => Moment::Before,
                "Within" => Moment::Within,
                "After" => Moment::After,
                _ => return Err(text.to_owned()),
            },
        })
    }
}

/// Counts what is done to each kind of file, and stops dead at one point.
#[derive(Clone, Default)]
struct Deadly {
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
    at: Option<Point>,
}

fn kind_of(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let copy = path.parent().is_some_and(|folder| folder.ends_with("copy"));
    let name = name.trim_end_matches(".part");
    let ending = Path::new(name).extension().unwrap_or_default();
    match ending.to_string_lossy().as_ref() {
        "checkpoints" if copy => "copy",
        "checkpoints" => "checkpoints",
        "lock" => "lock",
        ending if ending.starts_with("torn") => "aside",
        _ => "record",
    }
}

/// Nothing of this process runs on; the parent sends the SIGKILL.
fn stop_dead() -> ! {
    say("dead\n");
    loop {
        std::thread::park();
    }
}

fn say(text: &str) {
    io::stderr()
        .write_all(text.as_bytes())
        .expect("a parent reads");
}

impl Deadly {
    /// Counts, and stops before; the answer is where else to stop.
    fn enter(&self, verb: &str, path: &Path) -> Option<Moment> {
        let operation = format!("{verb} {}", kind_of(path));
        let mut counts = self.counts.lock().unwrap();
        let number = counts.entry(operation.clone()).or_default();
        *number += 1;
        let at = self.at.as_ref()?;
        if at.operation != operation || at.number != *number {
            return None;
        }
        if at.moment == Moment::Before {
            stop_dead();
        }
        Some(at.moment)
    }

    fn around<T>(&self, verb: &str, path: &Path, work: impl FnOnce() -> T) -> T {
        let moment = self.enter(verb, path);
        let done = work();
        if moment.is_some() {
            stop_dead();
        }
        done
    }

    fn file(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(DeadlyFile {
            disk: self.clone(),
            path: path.to_owned(),
            file,
        })
    }
}

impl Disk for Deadly {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.around("create", path, || Machine.create(path))?;
        Ok(self.file(path, file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = self.around("open", path, || Machine.open(path))?;
        Ok(self.file(path, file))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.around("read", path, || Machine.read(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.around("rename", to, || Machine.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.around("remove", path, || Machine.remove(path))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.around("sync_folder", path, || Machine.sync_folder(path))
    }
}

struct DeadlyFile {
    disk: Deadly,
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl DiskFile for DeadlyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let moment = self.disk.enter("append", &self.path);
        if moment == Some(Moment::Within) {
            self.file.append(&bytes[..bytes.len() / 2])?;
            stop_dead();
        }
        let count = self.file.append(bytes);
        if moment.is_some() {
            stop_dead();
        }
        count
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = &mut self.file;
        self.disk.around("sync", &self.path, || file.sync())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let read = || self.file.read_at(offset, into);
        self.disk.around("read_at", &self.path, read)
    }

    fn length(&self) -> io::Result<u64> {
        self.disk
            .around("length", &self.path, || self.file.length())
    }

    fn lock(&self, path: &Path) -> io::Result<bool> {
        let lock = || self.file.lock(path);
        self.disk.around("lock", &self.path, lock)
    }
}

fn storage(folder: &Path, disk: Deadly) -> Storage {
    Storage {
        disk: Arc::new(disk),
        witness: Some(folder.join("copy")),
        holder: "the session of a test".to_owned(),
    }
}

/// A writer that says what it did: `wrote` after an append, `durable` after a commit.
struct Session<'a> {
    writer: Writer,
    random: Random,
    t_us: u64,
    said: u64,
    say: &'a mut dyn FnMut(&str),
}

impl Session<'_> {
    fn append(&mut self, event: Event) {
        let entry = self.writer.append(self.t_us, "u".into(), event).unwrap();
        (self.say)(&format!("wrote {} {}\n", entry.seq, entry.hash));
        self.tell();
    }

    fn tell(&mut self) {
        if self.writer.acknowledged() > self.said {
            self.said = self.writer.acknowledged();
            (self.say)(&format!("durable {}\n", self.said));
        }
    }

    fn reading(&mut self) {
        self.t_us += self.random.below(400_000);
        let reply = "0123456789".repeat(1 + usize::try_from(self.random.below(40)).unwrap());
        self.append(Event::Exchange(Exchange {
            role: "mirror".into(),
            command: "dew_point".into(),
            tx: "DP?\\r".into(),
            rx: reply + "\\r\\n",
            unsolicited: String::new(),
            sent_us: self.t_us,
            received_us: self.t_us,
            outcome: "complete".into(),
            reason: String::new(),
        }));
        let value = self.random.below(1 << 40) as f64 / 1e9;
        self.append(Event::Derived {
            body: serde_json::json!({ "what": "scan", "value": value }),
        });
        match self.random.below(12) {
            0 => self.writer.commit().unwrap(),
            _ => {
                self.writer.commit_group(self.t_us).unwrap();
            }
        }
        self.tell();
    }

    fn seal(&mut self) {
        let sealed = self.writer.seal(self.t_us, "u".into(), "complete").unwrap();
        (self.say)(&format!("wrote {} {}\n", sealed.seq, sealed.hash));
        self.tell();
    }
}

fn record(folder: &Path) -> PathBuf {
    folder.join("S-1.jsonl")
}

/// A session from its beginning; a third of them are sealed.
fn begin(folder: &Path, seed: u64, disk: Deadly, say: &mut dyn FnMut(&str)) {
    let mut random = Random(seed);
    let readings = 20 + random.below(120);
    let seals = random.below(3) == 0;
    say("ready\n");
    let writer = Writer::create(&record(folder), storage(folder, disk)).unwrap();
    let mut session = Session {
        writer,
        random,
        t_us: 0,
        said: 0,
        say,
    };
    session.append(Event::Opened(Opened { seed, ..opened() }));
    session.writer.commit().unwrap();
    session.tell();
    for _ in 0..readings {
        session.reading();
    }
    if seals {
        session.seal();
    }
}

/// Takes a record up, states it, goes on, and seals.
fn go_on(folder: &Path, seed: u64, disk: Deadly, say: &mut dyn FnMut(&str)) {
    let path = record(folder);
    say("ready\n");
    let interrupted = Interrupted::open_on(&disk, &path).unwrap();
    let (writer, dropped) = Writer::resume(&interrupted, storage(folder, disk)).unwrap();
    let mut session = Session {
        said: writer.acknowledged(),
        writer,
        random: Random(seed),
        t_us: interrupted.entries.last().map_or(0, |entry| entry.t_us),
        say,
    };
    session.append(Event::Recovered(Recovered {
        person: "A".into(),
        reason: "the program was killed".into(),
        dropped,
    }));
    session.writer.commit().unwrap();
    session.tell();
    for _ in 0..5 {
        session.reading();
    }
    session.seal();
}

/// The process that is killed; without its variable it is no test.
#[test]
#[ignore = "the session that the other tests start and kill"]
fn child() {
    let Ok(task) = std::env::var("HENG_KILL") else {
        return;
    };
    let mut words = task.splitn(4, '|');
    let mut word = || words.next().unwrap();
    let (stage, folder, seed, at) = (word(), PathBuf::from(word()), word(), word());
    let seed = seed.parse().unwrap();
    let disk = Deadly {
        counts: Arc::default(),
        at: at.parse().ok(),
    };
    let mut out = say;
    match stage {
        "begin" => begin(&folder, seed, disk, &mut out),
        _ => go_on(&folder, seed, disk, &mut out),
    }
    say("done\n");
}

#[derive(Debug, Clone)]
enum Kill {
    At(Point),
    /// So long after the session said that it is ready.
    After(Duration),
}

/// What a session said before it was killed.
#[derive(Debug, Default)]
struct Said {
    wrote: BTreeMap<u64, String>,
    durable: u64,
    dead: bool,
    done: bool,
}

impl Said {
    fn take(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["wrote", seq, hash] => {
                self.wrote.insert(seq.parse().unwrap(), hash.to_owned());
            }
            ["durable", count] => self.durable = count.parse().unwrap(),
            ["dead"] => self.dead = true,
            ["done"] => self.done = true,
            ["ready"] => {}
            _ => panic!("the session said {line:?}"),
        }
    }
}

/// Runs a session in a process of its own and kills it.
fn killed(stage: &str, folder: &Path, seed: u64, kill: &Kill) -> Said {
    let at = match kill {
        Kill::At(point) => format!("{} {} {:?}", point.operation, point.number, point.moment),
        Kill::After(_) => "-".to_owned(),
    };
    let task = format!("{stage}|{}|{seed}|{at}", folder.display());
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture", "-q"])
        .env("HENG_KILL", task)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap());
    let mut said = Said::default();
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    said.take(first.trim_end());
    if let Kill::After(moment) = kill {
        std::thread::sleep(*moment);
        process.kill().unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        // The last line may be cut by the kill: it was not said then.
        for line in rest
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
        {
            said.take(line);
        }
    } else {
        for line in lines.by_ref().lines() {
            said.take(&line.unwrap());
            if said.dead || said.done {
                break;
            }
        }
        process.kill().unwrap();
    }
    process.wait().unwrap();
    said
}

/// What must hold of the files after every kill: the answer is whether there is something to
/// take up, and what stands behind the last line.
struct State {
    open: bool,
    torn: Vec<u8>,
}

fn examine(folder: &Path, due: &BTreeMap<u64, String>, durable: u64) -> State {
    let path = record(folder);
    let Ok(bytes) = std::fs::read(&path) else {
        assert!(due.is_empty(), "the record is gone");
        return State {
            open: false,
            torn: Vec::new(),
        };
    };
    let whole = bytes
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let lines: Vec<_> = bytes[..whole]
        .split_inclusive(|&byte| byte == b'\n')
        .collect();
    for (seq, hash) in due {
        let line = lines[usize::try_from(*seq).unwrap()];
        let end = format!(",\"hash\":\"{hash}\"}}\n");
        let hashed = line.strip_suffix(end.as_bytes());
        let hashed = hashed.unwrap_or_else(|| panic!("entry {seq} is not the one reported"));
        assert_eq!(sha256_hex(hashed), *hash, "entry {seq}");
    }
    assert!(lines.len() as u64 >= durable, "durable entries are gone");
    let sealed = lines.last().is_some_and(|line| line_is_sealed(line));
    let found = match verify(&path, &[]) {
        Ok(found) => found,
        Err(ReadError::NotARecord { .. }) => {
            assert!(lines.is_empty(), "a record with entries is not recognised");
            return State {
                open: false,
                torn: Vec::new(),
            };
        }
        Err(error) => panic!("{error}"),
    };
    let torn = bytes[whole..].to_vec();
    if sealed {
        assert!(torn.is_empty(), "something stands behind the seal");
        assert_ne!(found.verdict, Verdict::Altered, "{found}");
    } else {
        assert_eq!(found.verdict, Verdict::Incomplete, "{found}");
        let due = if torn.is_empty() { "Open" } else { "Torn" };
        let is = matches!(
            (&found.ending, due),
            (Ending::Open, "Open") | (Ending::Torn(_), "Torn")
        );
        assert!(is, "{due} is due: {found}");
        assert_eq!(found.entries, lines.len() as u64, "one torn line at most");
    }
    State {
        open: !sealed && !lines.is_empty(),
        torn,
    }
}

/// Of a record, and of the second copy of its checkpoints.
fn folders(name: &str) -> Folder {
    let folder = Folder::new(name);
    std::fs::create_dir(folder.0.join("copy")).unwrap();
    folder
}

fn line_is_sealed(line: &[u8]) -> bool {
    String::from_utf8_lossy(line).contains("\"event\":{\"kind\":\"sealed\"")
}

/// What happened to the trials.
#[derive(Debug, Default)]
struct Tally {
    kills: AtomicUsize,
    torn: AtomicUsize,
    sealed: AtomicUsize,
    recovered: AtomicUsize,
    /// Kills in a session that was being taken up.
    again: AtomicUsize,
}

/// One session: killed, taken up and killed again a few times, taken up, sealed, good.
fn trial(seed: u64, first: &Kill, then: &[Kill], tally: &Tally) {
    let folder = folders("trial");
    let said = killed("begin", &folder.0, seed, first);
    tally.kills.fetch_add(1, Ordering::Relaxed);
    let (mut due, mut durable) = (said.wrote, said.durable);
    let mut torn = Vec::new();
    let mut state = examine(&folder.0, &due, durable);
    for (round, kill) in then.iter().enumerate() {
        if !state.open {
            break;
        }
        torn.push(state.torn);
        let said = killed("go on", &folder.0, seed ^ (round as u64 + 1), kill);
        tally.kills.fetch_add(1, Ordering::Relaxed);
        tally.again.fetch_add(1, Ordering::Relaxed);
        due.extend(said.wrote);
        durable = durable.max(said.durable);
        state = examine(&folder.0, &due, durable);
    }
    let path = record(&folder.0);
    if state.open {
        torn.push(state.torn);
        go_on(&folder.0, seed, Deadly::default(), &mut |_| ());
        tally.recovered.fetch_add(1, Ordering::Relaxed);
        let copy = folder
            .0
            .join("copy")
            .join(checkpoints_of(&path).file_name().unwrap());
        let found = verify(&path, &[copy]).unwrap();
        assert_eq!(found.verdict, Verdict::Good, "{found}");
    } else if !due.is_empty() {
        tally.sealed.fetch_add(1, Ordering::Relaxed);
        let sealed = Interrupted::open(&path).err();
        assert!(
            matches!(sealed, Some(NotInterrupted::Sealed { .. })),
            "{sealed:?}"
        );
    }
    assert!(!examine(&folder.0, &due, durable).open);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    for torn in torn.iter().filter(|torn| !torn.is_empty()) {
        tally.torn.fetch_add(1, Ordering::Relaxed);
        let stated = format!("\"sha256\":\"{}\"", sha256_hex(torn));
        assert!(
            text.contains(&stated),
            "a torn line was dropped and not stated"
        );
    }
}

/// Every operation of a session, the first `times` times that it is done.
fn points(counts: &BTreeMap<String, u64>, times: u64) -> Vec<Kill> {
    let mut found = Vec::new();
    for number in 1..=times {
        for (operation, count) in counts {
            if number > *count {
                continue;
            }
            let mut moments = vec![Moment::Before, Moment::After];
            if operation.starts_with("append") {
                moments.push(Moment::Within);
            }
            found.extend(moments.into_iter().map(|moment| {
                Kill::At(Point {
                    operation: operation.clone(),
                    number,
                    moment,
                })
            }));
        }
    }
    found
}

/// The fail points of a session that seals, and of one that takes up a torn record.
fn fail_points(times: u64) -> (Vec<Kill>, Vec<Kill>) {
    let folder = folders("points");
    let disk = Deadly::default();
    begin(&folder.0, sealing_seed(0), disk.clone(), &mut |_| ());
    let begins = points(&disk.counts.lock().unwrap(), times);
    let path = record(&folder.0);
    let cut = |path: &Path, bytes: u64| {
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length - bytes).unwrap();
    };
    // A torn line in each of the files.
    cut(&path, 20);
    for folder in [folder.0.clone(), folder.0.join("copy")] {
        cut(&folder.join("S-1.checkpoints"), 20);
    }
    let disk = Deadly::default();
    go_on(&folder.0, 1, disk.clone(), &mut |_| ());
    let goes_on = points(&disk.counts.lock().unwrap(), times);
    (begins, goes_on)
}

/// A seed whose session is sealed, so that it comes to every fail point.
fn sealing_seed(from: u64) -> u64 {
    let seals = |seed: &u64| {
        let mut random = Random(*seed);
        random.below(120);
        random.below(3) == 0
    };
    (from..from + 1000).find(seals).unwrap()
}

/// So many kills of sessions that begin; the fail points in turn, then random moments.
fn kills(count: u64, times: u64, workers: u64) -> String {
    let (begins, goes_on) = fail_points(times);
    let tally = Tally::default();
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let so_far = tally.kills.load(Ordering::Relaxed) as u64;
            if so_far >= count {
                return;
            }
            let mut random = Random(number);
            let mut seed = number;
            let index = usize::try_from(number).unwrap();
            // Half of the trials are at the fail points until all were taken.
            let first = match begins.get(index / 2).filter(|_| number.is_multiple_of(2)) {
                Some(point) => {
                    seed = sealing_seed(seed);
                    point.clone()
                }
                None => Kill::After(Duration::from_micros(random.below(40_000))),
            };
            let second = goes_on[index % goes_on.len()].clone();
            let third = Kill::After(Duration::from_micros(random.below(8_000)));
            let then = match number % 3 {
                0 => vec![second],
                1 => vec![second, third],
                _ => Vec::new(),
            };
            let shown = format!("trial {number}: seed {seed}, {first:?}, then {then:?}");
            let run = || trial(seed, &first, &then, &tally);
            let survived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            assert!(survived.is_ok(), "{shown}");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let mut text = String::new();
    let (begins, goes_on) = (begins.len(), goes_on.len());
    let _ = write!(text, "{begins} and {goes_on} fail points, {tally:?}");
    text
}

#[test]
fn three_hundred_kills_lose_nothing_that_was_reported() {
    println!("{}", kills(300, 2, 4));
}

/// `cargo test --release -p heng-records --test kill -- --ignored ten_thousand`
#[test]
#[ignore = "ten thousand kills take minutes"]
fn ten_thousand_kills_lose_nothing_that_was_reported() {
    println!("{}", kills(10_000, 40, 4));
}
