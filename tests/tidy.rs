//! The shape of the project, held by tests: arrows between crates, who may use which
//! outside crate, files that are one idea, and texts that stand alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Names that a package may use at run time (dev-dependencies build no product).
fn uses(package: &Value) -> BTreeSet<String> {
    package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Left may use right; what is not here is not allowed.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "heng",
        &[
            "heng-drivers",
            "heng-procedures",
            "heng-records",
            "heng-certificates",
            "heng-uncertainty",
            "heng-quantities",
        ],
    ),
    ("heng-drivers", &["heng-quantities"]),
    ("heng-procedures", &["heng-uncertainty", "heng-quantities"]),
    ("heng-records", &["heng-quantities"]),
    (
        "heng-certificates",
        &["heng-uncertainty", "heng-quantities"],
    ),
    ("heng-uncertainty", &["heng-quantities"]),
    ("heng-quantities", &[]),
];

#[test]
fn crates_follow_the_arrows() {
    let mut seen = BTreeSet::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let allowed = ARROWS
            .iter()
            .find_map(|(left, right)| (*left == name).then_some(*right))
            .unwrap_or_else(|| panic!("{name} has no arrows: add it to ARCHITECTURE.md and here"));
        seen.insert(name.to_owned());
        for used in uses(&package)
            .iter()
            .filter(|used| used.starts_with("heng"))
        {
            assert!(
                allowed.contains(&used.as_str()),
                "{name} may not use {used}: see ARCHITECTURE.md, \"Arrows\""
            );
        }
    }
    assert_eq!(
        seen.len(),
        ARROWS.len(),
        "a crate named in the arrows is gone"
    );
}

/// Outside crates with one user each.
const ONE_USER: &[(&str, &str)] = &[
    ("serialport", "heng-drivers"),
    ("tokio-serial", "heng-drivers"),
    ("typst", "heng-certificates"),
    ("typst-pdf", "heng-certificates"),
    ("typst-layout", "heng-certificates"),
    ("plotters", "heng-certificates"),
    ("quick-xml", "heng-certificates"),
    ("polars", "heng"),
    ("ratatui", "heng"),
    ("rusqlite", "heng"),
    ("nalgebra", "heng-uncertainty"),
    ("fearless_simd", "heng-uncertainty"),
];

#[test]
fn heavy_outside_crates_have_one_user_each() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        for (outside, user) in ONE_USER {
            assert!(
                name == *user || !uses(&package).contains(*outside),
                "{name} may not use {outside}, only {user} may: see ARCHITECTURE.md, \"Arrows\""
            );
        }
    }
}

fn sources(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

fn rust_files(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in folders {
        let path = root().join(folder);
        if path.exists() {
            sources(&path, ".rs", &mut found);
        }
    }
    found.sort();
    found
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn polars_stays_in_analyse_and_the_terminal_in_its_place() {
    for (path, text) in rust_files(&["src"]) {
        let name = path
            .strip_prefix(root())
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert!(
            !text.contains("polars::") || name.starts_with("src/analyse/"),
            "{name} uses polars: only src/analyse may (its sums need not be bit-stable)"
        );
        assert!(
            !text.contains("ratatui::") || name.starts_with("src/tui/"),
            "{name} uses ratatui: only src/tui may"
        );
        assert!(
            !text.contains("rusqlite::") || name == "src/lab/index.rs",
            "{name} uses rusqlite: only src/lab/index.rs may"
        );
    }
}

/// The pure crates do no I/O, read no clock and hold no global random state.
#[test]
fn pure_crates_read_no_clock_and_no_files() {
    let banned = [
        "std::fs",
        "std::net",
        "UNIX_EPOCH",
        "SystemTime",
        "Instant::now",
        "std::env",
        "thread_rng",
        "HashMap",
    ];
    for (path, text) in rust_files(&["quantities/src", "uncertainty/src", "procedures/src"]) {
        for word in banned {
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            assert!(
                !code.collect::<Vec<_>>().join("\n").contains(word),
                "{} uses {word}: the pure crates may not (ARCHITECTURE.md, \"Invariants\")",
                path.display()
            );
        }
    }
}

#[test]
fn files_and_functions_stay_readable() {
    let folders = [
        "src",
        "quantities/src",
        "drivers/src",
        "uncertainty/src",
        "procedures/src",
        "records/src",
        "certificates/src",
    ];
    for (path, text) in rust_files(&folders) {
        let lines = text.lines().count();
        assert!(
            lines <= 800,
            "{} has {lines} lines: split it by idea",
            path.display()
        );
        for word in ["todo!(", "unimplemented!(", "FIXME", "XXX"] {
            assert!(!text.contains(word), "{} holds {word}", path.display());
        }
        for (name, length) in functions(&text) {
            assert!(
                length <= 70,
                "{}: fn {name} has {length} lines",
                path.display()
            );
        }
    }
}

/// Length of each function, from its head to the brace that closes it at the same indent.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let head = line.trim_start();
        let Some(at) = head
            .find("fn ")
            .filter(|&at| at == 0 || head[..at].ends_with(' '))
        else {
            continue;
        };
        if head.starts_with("//") || head.starts_with('"') || line.trim_end().ends_with(';') {
            continue;
        }
        let indent = line.len() - head.len();
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == close) {
            let name = head[at + 3..].split(['(', '<']).next().unwrap_or_default();
            found.push((name.to_owned(), length + 1));
        }
    }
    found
}

#[test]
fn every_driver_description_has_a_transcript_and_every_formula_a_source() {
    let mut models = Vec::new();
    sources(&root().join("drivers/models"), ".toml", &mut models);
    assert!(!models.is_empty());
    for model in models {
        let name = model.file_stem().unwrap().to_string_lossy().into_owned();
        let folder = root().join("fixtures/transcripts").join(&name);
        let any = std::fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_some());
        assert!(
            any,
            "drivers/models/{name}.toml has no transcript under fixtures/transcripts/{name}/"
        );
    }
    let mut formulas = Vec::new();
    sources(&root().join("uncertainty/formulas"), ".toml", &mut formulas);
    for formula in formulas {
        let text = std::fs::read_to_string(&formula).unwrap();
        assert!(
            text.contains("source"),
            "{} names no source",
            formula.display()
        );
    }
}

#[test]
fn architecture_names_tests_that_exist() {
    let read = |page: &str| std::fs::read_to_string(root().join(page)).unwrap();
    let page = read("ARCHITECTURE.md") + &read("uncertainty/METHOD.md");
    let mut tests = String::new();
    let folders = [
        "tests",
        "src",
        "quantities",
        "drivers",
        "uncertainty",
        "procedures",
        "records",
        "certificates",
    ];
    for (_, text) in rust_files(&folders) {
        tests.push_str(&text);
    }
    let named: Vec<_> = page
        .split('`')
        .filter_map(|word| word.strip_prefix("test:"))
        .collect();
    assert!(
        named.len() >= 10,
        "ARCHITECTURE.md must name the test of each invariant as `test:name`"
    );
    for name in named {
        assert!(
            tests.contains(&format!("fn {name}(")),
            "ARCHITECTURE.md or METHOD.md names the test {name}, which does not exist"
        );
    }
}
