//! A run that is killed, and the way back: the binary, real time, pseudo-terminals.

mod simulator;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use heng_records::{Event, FORMAT, Opened, Storage, Writer, checkpoints_of};
use simulator::Simulator;

const RECORD: &str = "DEMO-2026-1183.jsonl";

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// A process of ours, killed with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn heng(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heng"));
    command.args(arguments).stdin(Stdio::null());
    command
}

const BENCH: [(&str, &str, &str, &str); 5] = [
    ("mirror", "mbw-473", "13-0418", "DEMO-H-2026-0417"),
    ("thermometer", "fluke-1529", "A5B012", "DEMO-T-2026-0931"),
    (
        "barometer",
        "vaisala-ptb330",
        "A1234567",
        "DEMO-P-2026-2231",
    ),
    ("chamber", "weiss-ascii2", "CH-04", ""),
    ("uut", "vaisala-hmt330", "D1234567", ""),
];

fn bench(instruments: &[Simulator]) -> String {
    let name = "name = { en = \"Bench\", zh = \"校准台\" }\n".to_owned();
    let described = BENCH.iter().zip(instruments);
    let described = described.map(|((role, model, serial, certificate), simulator)| {
        let port = simulator.port();
        let certificate = match *certificate {
            "" => String::new(),
            number => format!("certificate = \"{number}\"\n"),
        };
        format!(
            "[[instrument]]\nrole = \"{role}\"\nmodel = \"{model}\"\nserial = \"{serial}\"\nport = \"{port}\"\nline = \"9600 8N1\"\n{certificate}"
        )
    });
    name + &described.collect::<String>()
}

fn run(folder: &Path) -> Command {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let mut command = heng(&["run", "--plain"]);
    command
        .args([Path::new("--procedure"), &folder.join("procedure.toml")])
        .args([Path::new("--bench"), &folder.join("bench.toml")])
        .args([Path::new("--order"), &demo.join("order.toml")])
        .args([Path::new("--scope"), &demo.join("scope.toml")])
        .args([Path::new("--standards"), &demo.join("standards")])
        .args([Path::new("--out"), folder]);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_killed_run_is_refused_recovered_and_then_forgotten() {
    let folder = folder("killed");
    let mut instruments: Vec<_> = BENCH
        .iter()
        .map(|(role, model, ..)| Simulator::start(model, &format!("recovery-{role}")))
        .collect();
    std::fs::write(folder.join("bench.toml"), bench(&instruments)).unwrap();
    // A source that is gone is looked for in real time here: for a second.
    let shipped = include_str!("../procedures/library/thermo-hygrometer-comparison.toml");
    let hasty = shipped
        .replace("look_every_s = 5", "look_every_s = 0.2")
        .replace("look_for_s = 120", "look_for_s = 1");
    assert_ne!(hasty, shipped);
    std::fs::write(folder.join("procedure.toml"), hasty).unwrap();
    // The first question comes when every instrument is identified; nobody answers it.
    let mut killed = Process(
        run(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let lines = BufReader::new(killed.0.stdout.take().unwrap()).lines();
    let asked = lines
        .map_while(Result::ok)
        .any(|line| line.contains("question"));
    assert!(asked, "the run ended before its first question");
    let record = folder.join(RECORD);
    let record = record.to_str().unwrap();
    let meanwhile = run(&folder).output().unwrap();
    assert_eq!(meanwhile.status.code(), Some(4), "{}", said(&meanwhile));
    assert!(
        said(&meanwhile).contains("still running"),
        "{}",
        said(&meanwhile)
    );
    let meanwhile = heng(&["resume", "--close", "--plain", record])
        .output()
        .unwrap();
    let holder = format!("process {} on", killed.0.id());
    assert!(said(&meanwhile).contains(&holder), "{}", said(&meanwhile));
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();

    let refused = run(&folder).output().unwrap();
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(
        said(&refused).contains(&format!("heng resume --close {record}")),
        "{}",
        said(&refused)
    );
    // A kill tears the last line where it falls into a write.
    let mut bytes = std::fs::read(record).unwrap();
    bytes.extend_from_slice(b"{\"seq\":99,\"t_us\":1");
    std::fs::write(record, &bytes).unwrap();
    let recovered = heng(&["resume", "--close", "--plain", record])
        .output()
        .unwrap();
    assert_eq!(recovered.status.code(), Some(0), "{}", said(&recovered));
    let torn = std::fs::read(folder.join(format!("{RECORD}.torn"))).unwrap();
    assert_eq!(torn, b"{\"seq\":99,\"t_us\":1");
    assert!(said(&recovered).contains(".torn"), "{}", said(&recovered));
    let replayed = heng(&["replay", "--verify", record]).output().unwrap();
    assert!(
        said(&replayed).starts_with("verdict  identical"),
        "{}",
        said(&replayed)
    );
    // Its ports are free again; only the record's name is taken.
    let next = run(&folder).output().unwrap();
    assert_eq!(next.status.code(), Some(5), "{}", said(&next));

    // Without its chamber the bench cannot be called safe.
    let cut = std::fs::read(record).unwrap();
    let lines: Vec<_> = cut.split_inclusive(|&byte| byte == b'\n').collect();
    let left = lines.len() - 8;
    std::fs::write(record, lines[..left].concat()).unwrap();
    // The checkpoints know that there was more.
    let rolled_back = heng(&["resume", "--close", "--plain", record])
        .output()
        .unwrap();
    assert_eq!(rolled_back.status.code(), Some(1), "{}", said(&rolled_back));
    let checkpoints = folder.join(RECORD).with_extension("checkpoints");
    let known = std::fs::read_to_string(&checkpoints).unwrap();
    let earlier = known.split_inclusive('\n').filter(|line| {
        let checkpoint: serde_json::Value = serde_json::from_str(line).unwrap();
        checkpoint["entries"].as_u64().unwrap() <= left as u64
    });
    std::fs::write(&checkpoints, earlier.collect::<String>()).unwrap();
    drop(instruments.remove(3));
    let unsafe_source = heng(&["resume", "--close", "--plain", record])
        .output()
        .unwrap();
    assert_eq!(
        unsafe_source.status.code(),
        Some(4),
        "{}",
        said(&unsafe_source)
    );
    assert!(
        said(&unsafe_source).contains("NOT SAFE  chamber"),
        "{}",
        said(&unsafe_source)
    );
}

/// A power cut between the seal and its checkpoint would leave the record incomplete for ever.
#[test]
fn a_sealed_record_gets_the_checkpoint_that_a_crash_kept_from_it() {
    let record = folder("sealed").join("S-1.jsonl");
    let mut writer = Writer::create(&record, Storage::default()).unwrap();
    let opened = Event::Opened(Opened {
        format: FORMAT,
        program: "heng".into(),
        version: "0.1.0".into(),
        session: "S-1".into(),
        clock: "simulated".into(),
        seed: 7,
        job: "comparison".into(),
        operator: "A".into(),
    });
    writer.append(0, "u".into(), opened).unwrap();
    writer.commit().unwrap();
    writer.seal(1, "u".into(), "completed").unwrap();
    drop(writer);
    let checkpoints = checkpoints_of(&record);
    let whole = std::fs::read(&checkpoints).unwrap();
    std::fs::write(&checkpoints, &whole[..whole.len() - 20]).unwrap();
    let record = record.to_str().unwrap();
    let exit = |arguments: &[&str]| heng(arguments).output().unwrap().status.code();
    assert_eq!(exit(&["verify", record]), Some(2));
    let completed = heng(&["resume", record]).output().unwrap();
    assert_eq!(completed.status.code(), Some(0), "{}", said(&completed));
    assert_eq!(exit(&["verify", record]), Some(0));
    assert_eq!(std::fs::read(&checkpoints).unwrap(), whole);
    let again = heng(&["resume", record]).output().unwrap();
    assert_eq!(again.status.code(), Some(3), "{}", said(&again));
}
