//! The list of a backup: one line a file, as `sha256sum -c` reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use heng_records::sha256_hex;

/// Name of the manifest in the folder of the backup.
pub const NAME: &str = "MANIFEST.sha256";

const HEAD: &str = "# heng backup, format 1\n";
const END: &str = "# end: ";

/// SHA-256 of each file by its name, relative to the folder and with `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(pub BTreeMap<String, String>);

impl Manifest {
    /// The last line counts the files and states the SHA-256 of all bytes before it.
    pub fn to_text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (name, sha256) in &self.0 {
            let _ = writeln!(text, "{sha256}  {name}");
        }
        let hash = sha256_hex(text.as_bytes());
        let _ = writeln!(text, "{END}{} files, {hash}", self.0.len());
        text
    }

    /// # Errors
    /// What is wrong, with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to()))?;
        let Some(body) = text.strip_prefix(HEAD) else {
            return Err(format!("line 1 is not {:?}", HEAD.trim_end()));
        };
        let mut files = BTreeMap::new();
        for (index, line) in body.lines().enumerate() {
            if line.starts_with(END) {
                break;
            }
            let Some((sha256, name)) = line.split_once("  ") else {
                return Err(format!("line {} is not a SHA-256 and a name", index + 2));
            };
            if let Err(cause) = plain_name(name) {
                return Err(format!("line {}: {name:?} {cause}", index + 2));
            }
            files.insert(name.to_owned(), sha256.to_owned());
        }
        let manifest = Self(files);
        // Every byte is held: order, doubled names and the end as well.
        if manifest.to_text() == text {
            Ok(manifest)
        } else {
            Err("its last line does not fit the lines before it: it was cut or changed".to_owned())
        }
    }
}

/// A backup must not make its reader touch files outside of the folder.
fn plain_name(name: &str) -> Result<(), &'static str> {
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("is not the name of a file below the folder");
    }
    speakable(name)
}

/// Names that `sha256sum` would write in an escaped form are refused.
pub fn speakable(name: &str) -> Result<(), &'static str> {
    if name.contains('\\') || name.chars().any(char::is_control) {
        return Err("has a backslash or a control character in its name: rename it");
    }
    Ok(())
}
