//! Peers: programs of others in an environment of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Exit code of a script whose peer is not installed.
pub const SKIPPED: i32 = 77;

/// A peer that is slower is not coming.
const START: Duration = Duration::from_mins(1);

/// Scripts whose peer needs a newer Python than some of the machines have: at least 3.12.
const NEWER_PYTHON: [&str; 3] = [
    "labmcp_check.py",
    "serve_labmcp_mettler.py",
    "serve_labmcp_sartorius.py",
];

/// The interpreter that has the peers.
pub fn python() -> Command {
    Command::new(std::env::var("HENG_PYTHON").unwrap_or_else(|_| "python3".to_owned()))
}

pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(name)
}

/// A peer that is not there: said, and a failure where all have to be there.
pub fn skip(name: &str, reason: &str) {
    let required = std::env::var("HENG_PEERS").is_ok_and(|value| value == "required");
    let excused = NEWER_PYTHON.contains(&name) && !is_python_new();
    assert!(
        !required || excused,
        "HENG_PEERS=required, and {name} cannot run: {reason}"
    );
    println!("skipped: {name}: {reason}");
}

fn is_python_new() -> bool {
    let question = "import sys; sys.exit(sys.version_info < (3, 12))";
    let asked = python().args(["-c", question]).status();
    asked.is_ok_and(|status| status.success())
}

/// The simulator of a peer on a pseudo-terminal or a TCP port. It ends with the test: it
/// serves until its standard input closes.
pub struct Served {
    process: Child,
    link: PathBuf,
    port: String,
}

impl Served {
    /// Starts `serve_….py` and waits until it says `ready`, with its port where that is not
    /// the link; `None` where the peer is not installed.
    pub fn start(name: &str, arguments: &[&str]) -> Option<Self> {
        let file = format!("heng-{name}-{}", std::process::id());
        let link = std::env::temp_dir().join(file);
        // A link of a process that was killed under the same number.
        let _absent = std::fs::remove_file(&link);
        let spawned = python()
            .arg(script(name))
            .arg(&link)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = match spawned {
            Ok(process) => process,
            Err(error) => {
                skip(name, &error.to_string());
                return None;
            }
        };
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let port = link.to_str().expect("a path of ours is UTF-8").to_owned();
        let mut served = Self {
            process,
            link,
            port,
        };
        let (sender, receiver) = channel();
        // Reads on to the end: a peer that may not write any more would end.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _nobody_waits = sender.send(line);
            }
        });
        let first = receiver.recv_timeout(START);
        let first = first.unwrap_or_else(|error| panic!("{name} did not start: {error}"));
        if let Some(reason) = first.strip_prefix("skipped: ") {
            skip(name, reason);
            return None;
        }
        match first.strip_prefix("ready ") {
            Some(port) => port.clone_into(&mut served.port),
            None => assert_eq!(first, "ready", "{name}"),
        }
        Some(served)
    }

    pub fn port(&self) -> &str {
        &self.port
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _reaped = self.process.wait();
        let _removed = std::fs::remove_file(&self.link);
    }
}
