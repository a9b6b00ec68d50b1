//! `heng simulate`, ended with the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Simulator {
    process: Child,
    link: PathBuf,
}

impl Simulator {
    /// Starts a model and waits until its port is there; `name` tells tests apart.
    pub fn start(model: &str, name: &str) -> Self {
        let file = format!("heng-{name}-{}", std::process::id());
        let link = std::env::temp_dir().join(file);
        // A link of a process that was killed under the same number.
        let _absent = std::fs::remove_file(&link);
        let process = Command::new(env!("CARGO_BIN_EXE_heng"))
            .args(["simulate", model, "--link"])
            .arg(&link)
            .stdout(Stdio::null())
            .spawn()
            .expect("heng starts");
        let mut simulator = Self { process, link };
        simulator.wait_for_link();
        simulator
    }

    pub fn port(&self) -> &str {
        self.link.to_str().expect("a path of ours is UTF-8")
    }

    fn wait_for_link(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while std::fs::symlink_metadata(&self.link).is_err() {
            let ended = self.process.try_wait().expect("the process is ours");
            assert!(ended.is_none(), "heng simulate ended: {ended:?}");
            assert!(
                Instant::now() < end,
                "{} did not appear",
                Path::new(&self.link).display()
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
