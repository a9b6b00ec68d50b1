//! Independent public clients talk to our simulators over a pseudo-terminal.
//!
//! `HENG_PYTHON` names the interpreter that has the clients (`pip install pymeasure
//! pyvisa-py pyVT4002`); `python3` where it is not set. A test whose client is missing says
//! so and passes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Exit code of a script whose client is not installed.
const SKIPPED: i32 = 77;

/// `heng simulate`, ended with the test.
struct Simulator {
    process: Child,
    link: PathBuf,
}

impl Simulator {
    fn start(model: &str) -> Self {
        let link = std::env::temp_dir().join(format!("heng-peer-{model}-{}", std::process::id()));
        // A link of a process that was killed under the same number.
        let _absent = std::fs::remove_file(&link);
        let mut command = Command::new(env!("CARGO_BIN_EXE_heng"));
        let process = command
            .args(["simulate", model, "--link"])
            .arg(&link)
            .spawn()
            .expect("heng starts");
        let mut simulator = Self { process, link };
        simulator.wait_for_link();
        simulator
    }

    fn wait_for_link(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while std::fs::symlink_metadata(&self.link).is_err() {
            let ended = self.process.try_wait().expect("the process is ours");
            assert!(ended.is_none(), "heng simulate ended: {ended:?}");
            assert!(
                Instant::now() < end,
                "{} did not appear",
                self.link.display()
            );
            std::thread::yield_now();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
        let _removed = std::fs::remove_file(&self.link);
    }
}

fn client(model: &str, script: &str) {
    let python = std::env::var("HENG_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(script);
    let simulator = Simulator::start(model);
    match Command::new(&python)
        .arg(&script)
        .arg(&simulator.link)
        .output()
    {
        Err(error) => println!("skipped: {python}: {error}"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            println!("{model}: {said}");
            let passed = output.status.success() || output.status.code() == Some(SKIPPED);
            assert!(
                passed,
                "{said}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

#[test]
fn pymeasure_reads_and_sets_the_simulated_bath() {
    client("fluke-7341", "fluke_7341.py");
}

#[test]
fn pyvt4002_reads_the_simulated_chamber() {
    client("weiss-ascii2", "weiss_ascii2.py");
}
