//! Comma-separated values as RFC 4180 quotes them.

/// A cell, in quotes where it must be.
pub fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// A line of cells, with its end.
pub fn line(cells: impl IntoIterator<Item = String>) -> String {
    let quoted = cells.into_iter().map(|text| cell(&text));
    quoted.collect::<Vec<_>>().join(",") + "\n"
}
