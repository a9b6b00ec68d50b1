//! Copies of a laboratory's folder: they come back byte for byte, and a copy that is not whole
//! is never taken for one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use heng_records::{Event, FORMAT, Opened, Storage, Writer, sha256_hex};

const MANIFEST: &str = "MANIFEST.sha256";

/// Room for a laboratory, its backup and what is restored.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("backup-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Runs `heng` with the names taken as folders of this room.
    fn run(&self, words: &[&str]) -> (i32, String) {
        let words: Vec<_> = words
            .iter()
            .enumerate()
            .map(|(at, word)| match at {
                0 => (*word).to_owned(),
                _ if word.starts_with("--") => (*word).to_owned(),
                _ => self.at(word),
            })
            .collect();
        let mut heng = Command::new(env!("CARGO_BIN_EXE_heng"));
        let output = heng.args(words).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let code = output.status.code().expect("ended by itself");
        (code, String::from_utf8(said).unwrap())
    }

    fn good(&self, words: &[&str]) -> String {
        let (code, said) = self.run(words);
        assert_eq!(code, 0, "{words:?}: {said}");
        said
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Pseudo-random numbers of a seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.next(most))
            .map(|_| self.next(256).to_le_bytes()[0])
            .collect()
    }
}

const UTC: &str = "2026-11-23T08:00:00.000000+08:00";

fn note(writer: &mut Writer, t_us: u64, value: u64) {
    let body = serde_json::json!({ "what": "point", "value": value });
    writer
        .append(t_us, UTC.into(), Event::Derived { body })
        .unwrap();
}

fn record(path: &Path, random: &mut Random) -> Writer {
    let mut writer = Writer::create(path, Storage::default()).unwrap();
    let opened = Event::Opened(Opened {
        format: FORMAT,
        program: "heng".into(),
        version: "0.1.0".into(),
        session: "S".into(),
        clock: "simulated".into(),
        seed: 7,
        job: "comparison".into(),
        operator: "A".into(),
    });
    writer.append(0, UTC.into(), opened).unwrap();
    for t_us in 1..3 + random.next(30) {
        note(&mut writer, t_us, random.next(1000));
    }
    writer.commit().unwrap();
    writer
}

/// A sealed record with an artefact, an open one in a folder below, and other files. The
/// open one can be gone on with.
fn laboratory(folder: &Path, seed: u64) -> Writer {
    let mut random = Random(seed);
    let below = folder.join("2026/十一月");
    fs::create_dir_all(&below).unwrap();
    let mut sealed = record(&folder.join("S-1.jsonl"), &mut random);
    let artefact = random.bytes(3000);
    fs::write(folder.join("S-1.pdf"), &artefact).unwrap();
    let stated = Event::Artefact {
        name: "S-1.pdf".into(),
        bytes: artefact.len() as u64,
        sha256: sha256_hex(&artefact),
    };
    sealed.append(1000, UTC.into(), stated).unwrap();
    sealed.seal(1001, UTC.into(), "complete").unwrap();
    fs::write(folder.join("empty"), b"").unwrap();
    fs::write(below.join("notes of 张三.txt"), random.bytes(5000)).unwrap();
    record(&below.join("S-2.jsonl"), &mut random)
}

/// Every file below a folder but locks.
fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if path.is_dir() {
                walk(root, &path, files);
            } else if path.extension().is_none_or(|end| end != "lock") {
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(folder, folder, &mut files);
    files
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn fifty_backups_come_back_byte_for_byte() {
    for seed in 0..50 {
        let room = Room::new("rounds");
        let lab = room.0.join("lab");
        let mut open = laboratory(&lab, seed);
        room.good(&["backup", "lab", "copy"]);
        note(&mut open, 500, seed);
        open.commit().unwrap();
        if seed % 2 == 0 {
            open.seal(501, UTC.into(), "complete").unwrap();
        }
        drop(open);
        put(&lab, "late/new file", &Random(seed).bytes(100));
        let said = room.good(&["backup", "lab", "copy"]);
        assert!(!said.contains("copied   0"), "seed {seed}: {said}");
        let said = room.good(&["backup", "lab", "copy"]);
        assert!(said.contains("copied   0"), "seed {seed}: {said}");
        let before = snapshot(&lab);
        fs::remove_dir_all(&lab).unwrap();
        room.good(&["backup", "--check", "copy"]);
        room.good(&["restore", "copy", "lab"]);
        assert_eq!(snapshot(&lab), before, "seed {seed}");
    }
}

#[test]
fn the_manifest_is_one_of_sha256sum() {
    let room = Room::new("manifest");
    laboratory(&room.0.join("lab"), 1);
    room.good(&["backup", "lab", "copy"]);
    let mut files = snapshot(&room.0.join("copy"));
    let manifest = String::from_utf8(files.remove(MANIFEST).unwrap()).unwrap();
    let mut listed = BTreeMap::new();
    for line in manifest.lines().filter(|line| !line.starts_with('#')) {
        let (hash, name) = line.split_once("  ").unwrap();
        listed.insert(name.to_owned(), hash.to_owned());
    }
    let found = files
        .iter()
        .map(|(name, bytes)| (name.clone(), sha256_hex(bytes)));
    assert_eq!(listed, found.collect());
}

#[test]
fn a_half_copy_is_recognised_after_every_file() {
    let room = Room::new("half");
    laboratory(&room.0.join("lab"), 2);
    room.good(&["backup", "lab", "whole"]);
    let whole = snapshot(&room.0.join("whole"));
    let mut files: Vec<_> = whole.iter().filter(|(name, _)| *name != MANIFEST).collect();
    files.sort_by_key(|(name, _)| !name.ends_with(".checkpoints"));
    for count in 0..=files.len() {
        let copy = room.0.join("copy");
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir(&copy).unwrap();
        for (name, bytes) in &files[..count] {
            put(&copy, name, bytes);
        }
        if let Some((name, bytes)) = files.get(count) {
            put(&copy, &format!("{name}.part"), &bytes[..bytes.len() / 2]);
        }
        let (code, said) = room.run(&["backup", "--check", "copy"]);
        assert_eq!(code, 2, "{count} files: {said}");
        assert!(
            said.starts_with("half") && said.contains("MANIFEST.sha256 is missing"),
            "{said}"
        );
        for (name, _) in &files[..count] {
            assert!(
                said.contains(&format!("{name} is not in the manifest")),
                "{said}"
            );
        }
        let (code, said) = room.run(&["restore", "copy", "back"]);
        assert_eq!(code, 2, "{count} files: {said}");
        assert!(!room.0.join("back").exists());
        room.good(&["backup", "lab", "copy"]);
        assert_eq!(snapshot(&copy), whole, "{count} files");
    }
}

#[test]
fn a_manifest_that_was_cut_or_changed_is_recognised() {
    let room = Room::new("cut");
    laboratory(&room.0.join("lab"), 3);
    room.good(&["backup", "lab", "copy"]);
    let path = room.0.join("copy").join(MANIFEST);
    let manifest = fs::read(&path).unwrap();
    let mut seen = Vec::new();
    for at in (0..manifest.len()).step_by(13) {
        seen.push(manifest[..at].to_vec());
        let mut changed = manifest.clone();
        changed[at] ^= 1;
        seen.push(changed);
    }
    for line in manifest.split_inclusive(|&byte| byte == b'\n') {
        let mut longer = manifest.clone();
        longer.extend_from_slice(line);
        seen.push(longer);
    }
    for bytes in seen {
        fs::write(&path, &bytes).unwrap();
        let (code, said) = room.run(&["backup", "--check", "copy"]);
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(code, 2, "{text}: {said}");
        assert!(said.contains(MANIFEST), "{said}");
    }
}

#[test]
fn every_alteration_of_a_copy_is_named() {
    let room = Room::new("altered");
    laboratory(&room.0.join("lab"), 4);
    room.good(&["backup", "lab", "copy"]);
    let copy = room.0.join("copy");
    let whole = snapshot(&copy);
    for (name, bytes) in whole.iter().filter(|(name, _)| *name != MANIFEST) {
        let path = copy.join(name);
        let mut longer = bytes.clone();
        longer.push(b'x');
        let mut changed = vec![Some(longer), None];
        if !bytes.is_empty() {
            let mut flipped = bytes.clone();
            flipped[bytes.len() / 2] ^= 4;
            changed.push(Some(flipped));
            changed.push(Some(bytes[..bytes.len() - 1].to_vec()));
            changed.push(Some(Vec::new()));
        }
        for other in changed {
            match &other {
                Some(other) => fs::write(&path, other).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let (code, said) = room.run(&["backup", "--check", "copy"]);
            assert_eq!(code, 1, "{name}: {said}");
            let what = if other.is_some() {
                "altered"
            } else {
                "missing"
            };
            assert!(
                said.contains(&format!("reason   {name} is {what}")),
                "{said}"
            );
            let (code, _) = room.run(&["restore", "copy", "back"]);
            assert_eq!(code, 1);
            assert!(!room.0.join("back").exists());
        }
        fs::write(&path, bytes).unwrap();
    }
    put(&copy, "2026/extra", b"x");
    let (code, said) = room.run(&["backup", "--check", "copy"]);
    assert_eq!(code, 2);
    assert!(said.contains("2026/extra is not in the manifest"), "{said}");
    let (code, said) = room.run(&["backup", "lab", "copy"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("2026/extra"), "{said}");
}

/// The backup refuses that state of one file of the folder, with both hashes, and stays.
fn refuses(room: &Room, name: &str, bytes: &[u8]) {
    let path = room.0.join("lab").join(name);
    let before = fs::read(&path).unwrap();
    let kept = snapshot(&room.0.join("copy"));
    fs::write(&path, bytes).unwrap();
    put(&room.0.join("lab"), "another", b"new");
    let (code, said) = room.run(&["backup", "lab", "copy"]);
    assert_eq!(code, 1, "{name}: {said}");
    assert!(
        said.contains(name) && said.contains(&sha256_hex(&before)),
        "{said}"
    );
    assert_eq!(snapshot(&room.0.join("copy")), kept, "{name}");
    assert_eq!(said.matches("SHA-256").count(), 1, "{said}");
    fs::write(&path, before).unwrap();
}

#[test]
fn a_roll_back_of_the_folder_is_refused() {
    let room = Room::new("rolled");
    let lab = room.0.join("lab");
    laboratory(&lab, 5);
    room.good(&["backup", "lab", "copy"]);
    for name in ["S-1.jsonl", "S-1.checkpoints", "2026/十一月/S-2.jsonl"] {
        let bytes = fs::read(lab.join(name)).unwrap();
        let last = bytes[..bytes.len() - 1]
            .iter()
            .rposition(|&byte| byte == b'\n');
        let cut = last.map_or(0, |at| at + 1);
        refuses(&room, name, &bytes[..cut]);
        refuses(&room, name, &bytes[..bytes.len() - 1]);
        refuses(&room, name, b"");
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 3] ^= 1;
        refuses(&room, name, &flipped);
    }
    let mut behind = fs::read(lab.join("S-1.jsonl")).unwrap();
    behind.extend_from_slice(b"{\"seq\"");
    refuses(&room, "S-1.jsonl", &behind);
    refuses(&room, "S-1.pdf", b"another certificate");
    // A record that is gone is no reason to lose its copy.
    fs::remove_file(lab.join("S-1.pdf")).unwrap();
    let said = room.good(&["backup", "lab", "copy"]);
    assert!(
        said.contains("S-1.pdf is no longer in the folder"),
        "{said}"
    );
    room.good(&["restore", "copy", "back"]);
    assert!(room.0.join("back/S-1.pdf").exists());
}

#[test]
fn an_open_record_is_copied_up_to_its_last_whole_line() {
    let room = Room::new("open");
    let lab = room.0.join("lab");
    laboratory(&lab, 6);
    let path = lab.join("2026/十一月/S-2.jsonl");
    let whole = fs::read(&path).unwrap();
    for torn in ["{", "{\"seq\":99,\"t_us\":", &"x".repeat(200_000)] {
        let mut bytes = whole.clone();
        bytes.extend_from_slice(torn.as_bytes());
        fs::write(&path, &bytes).unwrap();
        let said = room.good(&["backup", "lab", "copy"]);
        assert!(said.contains("S-2.jsonl has no seal"), "{said}");
        let copied = fs::read(room.0.join("copy/2026/十一月/S-2.jsonl")).unwrap();
        assert!(copied == whole);
    }
}

#[test]
fn a_record_that_was_altered_before_is_copied_and_told() {
    let room = Room::new("before");
    let lab = room.0.join("lab");
    laboratory(&lab, 7);
    let path = lab.join("S-1.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    for words in [
        &["backup", "lab", "copy"][..],
        &["backup", "--check", "copy"],
        &["restore", "copy", "back"],
    ] {
        let (code, said) = room.run(words);
        assert_eq!(code, 1, "{said}");
        assert!(
            said.contains("the record S-1.jsonl is altered: entry "),
            "{said}"
        );
    }
    assert_eq!(snapshot(&room.0.join("back")), snapshot(&lab));
}

#[test]
fn what_cannot_be_copied_is_refused_by_its_name() {
    let room = Room::new("refused");
    let lab = room.0.join("lab");
    laboratory(&lab, 8);
    let odd = lab.join("odd");
    let expect = |words: &[&str], wanted: i32, what: &str| {
        let (code, said) = room.run(words);
        assert_eq!(code, wanted, "{words:?}: {said}");
        assert!(said.contains(what), "{said}");
    };
    std::os::unix::fs::symlink("S-1.jsonl", &odd).unwrap();
    expect(&["backup", "lab", "copy"], 3, "lab/odd is a symbolic link");
    fs::remove_file(&odd).unwrap();
    let socket = std::os::unix::net::UnixListener::bind_addr;
    // A path of a socket is short by nature; the room may lie deep.
    let short = std::env::temp_dir().join(format!("heng-backup-{}", std::process::id()));
    let _ = fs::remove_file(&short);
    let address = std::os::unix::net::SocketAddr::from_pathname(&short).unwrap();
    let bound = socket(&address).unwrap();
    fs::rename(&short, &odd).unwrap();
    expect(
        &["backup", "lab", "copy"],
        3,
        "lab/odd is neither a file nor a folder",
    );
    drop(bound);
    fs::remove_file(&odd).unwrap();
    let name = lab.join(std::ffi::OsStr::from_bytes(b"n\xff"));
    fs::write(&name, b"").unwrap();
    expect(&["backup", "lab", "copy"], 3, "is not UTF-8");
    fs::remove_file(&name).unwrap();
    fs::write(lab.join("a\nb"), b"").unwrap();
    expect(&["backup", "lab", "copy"], 3, "rename it");
    fs::remove_file(lab.join("a\nb")).unwrap();
    expect(&["backup", "lab", "lab"], 64, "a folder of its own");
    expect(
        &["backup", "lab", "lab/new/copy"],
        64,
        "a folder of its own",
    );
    expect(&["backup", "lab/2026", "lab"], 64, "a folder of its own");
    expect(&["backup", "nowhere", "copy"], 3, "is not there");
    expect(&["backup", "--check", "nowhere"], 3, "is not there");
    assert!(!room.0.join("copy").exists());
    room.good(&["backup", "lab", "copy"]);
    expect(&["restore", "copy", "lab"], 3, "is not empty");
    expect(&["backup", "copy", "twice"], 3, "is itself a backup");
    put(&room.0, "back/RESTORE-NOT-FINISHED.part", b"");
    expect(
        &["backup", "back", "twice"],
        3,
        "was not restored to its end",
    );
    put(&room.0, "file", b"");
    expect(&["backup", "lab", "file"], 5, "cannot create");
}
