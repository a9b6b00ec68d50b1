//! Puts every description of `models/` into the program, so that a new instrument is one
//! file and needs no list.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("models");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            let id = path.file_stem().and_then(|stem| stem.to_str());
            ids.push(
                id.ok_or("a description has a name that is no text")?
                    .to_owned(),
            );
        }
    }
    // The order of the catalogue is that of the names, on every machine.
    ids.sort();
    let mut table = String::from("&[\n");
    for id in ids {
        let path = folder.join(format!("{id}.toml"));
        writeln!(
            table,
            "    ({id:?}, include_str!({:?})),",
            path.display().to_string()
        )?;
    }
    table.push(']');
    let target = PathBuf::from(std::env::var("OUT_DIR")?).join("models.rs");
    Ok(std::fs::write(target, table)?)
}
