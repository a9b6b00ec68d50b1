//! `heng-verify` as a stranger runs it: exit codes, files that are no records, pipes that are
//! closed; and what it is built of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use heng_records::{Event, FORMAT, Opened, Operator, Storage, Writer, checkpoints_of};

mod session;
use session::Folder;

const PROGRAM: &str = env!("CARGO_BIN_EXE_heng-verify");

fn file(folder: &Folder, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.0.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn record(path: &Path, format: u32, seals: bool) {
    let mut writer = Writer::create(path, Storage::default()).unwrap();
    let opened = Event::Opened(Opened {
        format,
        version: "9.9.9".into(),
        ..session::opened()
    });
    let person = "A".into();
    let pause = Event::Operator(Operator::Pause { person });
    writer.append(0, "u".into(), opened).unwrap();
    writer.append(1, "u".into(), pause).unwrap();
    writer.commit().unwrap();
    if seals {
        writer.seal(2, "u".into(), "completed").unwrap();
    }
}

fn run(arguments: &[&Path]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    output.status.code().expect("it ends by itself")
}

/// Its exit code, and that the first line says the same.
fn judged(path: &Path) -> i32 {
    let output = run(&[path]);
    let code = code(&output);
    let verdicts = ["good: ", "altered: ", "incomplete: ", "cannot read: "];
    let said = String::from_utf8_lossy(&output.stdout);
    let due = verdicts[usize::try_from(code).unwrap()];
    assert!(said.starts_with(due), "{code}: {said}");
    code
}

#[test]
fn the_exit_code_is_the_verdict_of_the_worst_record() {
    let folder = Folder::new("codes");
    let [good, altered, open, later] = ["good", "altered", "open", "later"]
        .map(|name| folder.0.join(name).with_extension("jsonl"));
    record(&good, FORMAT, true);
    record(&altered, FORMAT, true);
    record(&open, FORMAT, false);
    record(&later, FORMAT + 1, true);
    let mut bytes = std::fs::read(&altered).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&altered, bytes).unwrap();
    let missing = folder.0.join("missing.jsonl");
    let empty = file(&folder, "empty.jsonl", b"");
    let noise = file(&folder, "noise.jsonl", &[0xff; 3000]);
    let due = [
        (&good, 0),
        (&altered, 1),
        (&open, 2),
        (&later, 3),
        (&missing, 3),
        (&empty, 3),
        (&noise, 3),
        (&folder.0, 3),
    ];
    for (path, due) in due {
        assert_eq!(judged(path), due, "{}", path.display());
    }
    assert_eq!(code(&run(&[&good, &open])), 2);
    assert_eq!(code(&run(&[&open, &missing, &good])), 3);
    assert_eq!(code(&run(&[&missing, &altered, &open])), 1);
    let copy = Path::new("--checkpoints");
    assert_eq!(code(&run(&[copy, &checkpoints_of(&good), &good])), 0);
    assert_eq!(code(&run(&[copy, &checkpoints_of(&later), &good])), 1);
    assert_eq!(code(&run(&[copy, &missing, &good])), 3);
    for wrong in [
        &[][..],
        &[Path::new("--no-such")],
        &[copy],
        &[copy, &open, &open, &open],
    ] {
        assert_eq!(code(&run(wrong)), 64, "{wrong:?}");
    }
}

/// Where everything may be read there is nothing to refuse: root.
#[test]
fn what_may_not_be_read_cannot_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("permission");
    let path = folder.0.join("s.jsonl");
    record(&path, FORMAT, true);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&path).is_ok() {
        println!("skipped: this user may read every file");
        return;
    }
    assert_eq!(judged(&path), 3);
}

/// A gigabyte of zeros, as the record and as its checkpoints, in 256 MiB of memory and 20 s of
/// the processor: a limit that is far from what it takes, not a measurement.
#[test]
fn a_gigabyte_of_zeros_fills_no_memory() {
    let folder = Folder::new("zeros");
    let path = folder.0.join("s.jsonl");
    record(&path, FORMAT, true);
    let zeros = |path: &Path| File::create(path).unwrap().set_len(1 << 30).unwrap();
    let limited = |due: i32, what: &str| {
        let script = "ulimit -v 262144; ulimit -t 20; exec \"$@\"";
        let output = Command::new("bash")
            .args(["-c", script, "bash", PROGRAM])
            .arg(&path)
            .output()
            .unwrap();
        assert_eq!(code(&output), due, "{what}");
    };
    zeros(&checkpoints_of(&path));
    limited(
        2,
        "sealed, and its checkpoints are one line that does not hold",
    );
    zeros(&path);
    limited(
        2,
        "no line holds, and no checkpoint says that one was durable",
    );
    std::fs::remove_file(checkpoints_of(&path)).unwrap();
    limited(3, "it does not begin as a record does");
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let folder = Folder::new("pipe");
    let path = folder.0.join("s.jsonl");
    record(&path, FORMAT, false);
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let run = |arguments: &[&Path]| {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).stdout(closed()).stderr(closed());
        command.status().unwrap().code()
    };
    assert_eq!(run(&[&path]), Some(2));
    assert_eq!(run(&[Path::new("--help")]), Some(0));
    assert_eq!(run(&[Path::new("--wrong")]), Some(64));
}

/// The packages of `Cargo.lock` with what each needs.
fn locked(lock: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let name = block.lines().find_map(|line| line.strip_prefix("name = "));
        let name = name.unwrap().trim_matches('"');
        let needs = block.lines().filter_map(|line| {
            let words = line.strip_prefix(" \"")?.strip_suffix("\",")?;
            words.split(' ').next()
        });
        found.entry(name).or_default().extend(needs);
    }
    found
}

/// A stranger builds the verifier without a compiler of documents, a runtime, or ports.
#[test]
fn the_verifier_is_built_of_little() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(here.join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("\n[dependencies]\n").unwrap();
    let own = rest.split("\n[").next().unwrap().lines();
    let own = own.filter_map(|line| line.split(['.', ' ', '=']).next());
    let mut due: Vec<&str> = own.filter(|name| !name.is_empty()).collect();
    assert!(due.contains(&"sha2"), "{due:?}");
    let lock = std::fs::read_to_string(here.join("../Cargo.lock")).unwrap();
    let locked = locked(&lock);
    let mut all = BTreeSet::new();
    while let Some(name) = due.pop() {
        if all.insert(name) {
            due.extend(&locked[name]);
        }
    }
    assert!(all.contains("digest") && all.len() > 8, "{all:?}");
    let heavy = [
        "typst",
        "tokio",
        "serialport",
        "polars",
        "rusqlite",
        "ratatui",
        "plotters",
        "clap",
    ];
    for name in &all {
        let found = heavy.iter().find(|heavy| name.starts_with(**heavy));
        assert!(found.is_none(), "heng-verify is built with {name}");
    }
    assert!(all.len() <= 40, "{} packages: {all:?}", all.len());
}
