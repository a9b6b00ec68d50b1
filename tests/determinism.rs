//! The same evidence gives the same bytes under every time zone, locale and number of threads.

mod binary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use binary::{said, stdout};

/// Time zone, locale, threads. The zones lie on both sides of UTC's date at the time of the
/// session, with offsets in parts of an hour; the locales write numbers with a comma, change
/// the case of letters in another way, or are Chinese.
const SURROUNDINGS: [(&str, &str, &str); 4] = [
    ("UTC", "C", "1"),
    ("Asia/Shanghai", "zh_CN.UTF-8", "2"),
    ("Pacific/Chatham", "de_DE.UTF-8", "8"),
    ("America/St_Johns", "tr_TR.UTF-8", "8"),
];

fn heng(arguments: &[&str], (zone, locale, threads): (&str, &str, &str)) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(arguments)
        .env("TZ", zone)
        .env("LANG", locale)
        .env("LC_ALL", locale)
        .env("RAYON_NUM_THREADS", threads)
        .env("POLARS_MAX_THREADS", threads)
        .output()
        .unwrap()
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    path.join(name).to_str().unwrap().to_owned()
}

fn empty(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    });
    files.collect()
}

/// What each surrounding gives, held against the first.
fn same_everywhere(of: impl Fn((&str, &str, &str)) -> BTreeMap<String, Vec<u8>>) {
    let first = of(SURROUNDINGS[0]);
    assert!(!first.is_empty());
    for surrounding in &SURROUNDINGS[1..] {
        let other = of(*surrounding);
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&first), names(&other), "{surrounding:?}");
        for (name, bytes) in &first {
            assert!(*bytes == other[name], "{surrounding:?}: {name} differs");
        }
    }
}

#[test]
fn a_session_leaves_the_same_files_everywhere() {
    let procedure = fixture("sessions/v2/procedure.toml");
    same_everywhere(|surrounding| {
        let out = empty(&format!("determinism-{}", surrounding.1));
        let folder = out.to_str().unwrap();
        let arguments = [
            "demo",
            "--plain",
            "--procedure",
            &procedure,
            "--out",
            folder,
        ];
        let run = heng(&arguments, surrounding);
        assert_eq!(
            run.status.code(),
            Some(0),
            "{surrounding:?}: {}",
            said(&run)
        );
        let files = files(&out);
        assert!(
            files.contains_key("DEMO-2026-1183.xml"),
            "{:?}",
            files.keys()
        );
        files
    });
}

/// A replay makes the DCC and the budget again, from the bytes on the wire, and holds them
/// against the hashes in the record: hashes that another program wrote, in another place.
#[test]
fn a_replay_gives_the_same_document_and_budget_everywhere() {
    let records = [
        (
            "sessions/v2/comparison/DEMO-2026-1183.jsonl",
            "DEMO-2026-1183",
        ),
        (
            "sessions/v2/import/TUB-2024-01-16-2.jsonl",
            "TUB-2024-01-16-2",
        ),
    ];
    for (record, certificate) in records {
        let record = fixture(record);
        same_everywhere(|surrounding| {
            let replayed = heng(&["replay", "--verify", &record], surrounding);
            let told = stdout(&replayed);
            assert_eq!(replayed.status.code(), Some(0), "{surrounding:?}: {told}");
            for ending in [".xml", "-budget.txt", ".csv"] {
                let line = format!("file     {certificate}{ending} made again, identical");
                assert!(told.contains(&line), "{surrounding:?}: {told}");
            }
            BTreeMap::from([("verdict".to_owned(), replayed.stdout)])
        });
    }
}

/// Every trial of every method, to the last bit.
#[test]
fn a_budget_has_the_same_bits_everywhere() {
    for name in ["mass-jcgm101-9-3", "impedance-gum-h2"] {
        let file = fixture(&format!("budgets/{name}.toml"));
        same_everywhere(|surrounding| {
            let budget = heng(&["budget", "--format", "json", &file], surrounding);
            assert_eq!(budget.status.code(), Some(0), "{}", said(&budget));
            assert!(
                stdout(&budget).contains("monte_carlo"),
                "{}",
                stdout(&budget)
            );
            BTreeMap::from([(name.to_owned(), budget.stdout)])
        });
    }
}
