//! Comma-separated values as RFC 4180 quotes them.

/// A cell, in quotes where it must be.
pub fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// Words that a spreadsheet would take for a formula, with an apostrophe before them; words
/// that begin with an apostrophe as well, so that taking one away gives every text back.
pub fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        return format!("'{text}");
    }
    text.to_owned()
}

/// A line of cells, with its end.
pub fn line(cells: impl IntoIterator<Item = String>) -> String {
    let quoted = cells.into_iter().map(|text| cell(&text));
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula_and_every_text_comes_back() {
        for text in [
            "=1+1", "+1", "-1", "@A1", "\t=1", "'quoted", "plain", "", "a=b", "−1",
        ] {
            let made = inert(text);
            assert!(
                !made.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{made}"
            );
            assert_eq!(made.strip_prefix('\'').unwrap_or(&made), text);
        }
        assert_eq!(cell("a\rb"), "\"a\rb\"");
    }
}
