//! What a validation ran on: the program's file and the machine.

use std::fs;
use std::path::Path;

use heng_quantities::Text;
use heng_records::sha256_hex;

/// SHA-256 of the file of the running program.
pub fn program_sha256() -> std::io::Result<String> {
    Ok(sha256_hex(&fs::read(std::env::current_exe()?)?))
}

/// Names and values, for the report. What the system does not tell is left out.
pub fn description() -> Vec<(Text, String)> {
    let cores = std::thread::available_parallelism().map(|count| count.to_string());
    let rows = [
        ("Machine", "计算机", first_line("/proc/sys/kernel/hostname")),
        ("Processor", "处理器", processor()),
        ("Processors available", "可用处理器数", cores.ok()),
        ("Operating system", "操作系统", system()),
        (
            "Built for",
            "编译目标",
            Some(format!(
                "{} {}",
                std::env::consts::ARCH,
                std::env::consts::OS
            )),
        ),
    ];
    rows.into_iter()
        .filter_map(|(en, zh, value)| Some((Text::new(en, zh), value?)))
        .collect()
}

fn first_line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// `model name` of the first processor.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// Name and release of the system and of its kernel.
fn system() -> Option<String> {
    let kernel = first_line("/proc/sys/kernel/osrelease");
    let release = fs::read_to_string("/etc/os-release").ok().and_then(|text| {
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("PRETTY_NAME="));
        name.map(|name| name.trim_matches('"').to_owned())
    });
    match (release, kernel) {
        (Some(release), Some(kernel)) => Some(format!("{release}, kernel {kernel}")),
        (one, other) => one.or(other),
    }
}
