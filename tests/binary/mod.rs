//! The program, run as a person or a script runs it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

#[allow(dead_code, reason = "not every test runs it as it is")]
pub fn heng(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(arguments)
        .output()
        .unwrap()
}

/// As [`heng`], with these lines on the standard input.
#[allow(dead_code, reason = "not every test of the program types")]
pub fn scripted(arguments: &[&str], lines: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    // A process that has refused a line reads no more.
    let _closed = input.write_all(lines.as_bytes());
    drop(input);
    process.wait_with_output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[allow(dead_code, reason = "not every test looks at it alone")]
pub fn code(output: &Output) -> i32 {
    output.status.code().expect("ended by itself")
}

pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        stdout(output),
        String::from_utf8_lossy(&output.stderr)
    )
}
