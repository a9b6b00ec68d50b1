//! A table of text in aligned columns.

use unicode_width::UnicodeWidthStr;

/// Widest line.
pub const WIDTH: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

pub struct Table {
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
    /// Indices of rows that a line is drawn above.
    rules: Vec<usize>,
}

impl Table {
    pub fn new(align: &[Align], head: &[&str]) -> Self {
        Self {
            align: align.to_vec(),
            rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()],
            rules: vec![1],
        }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub fn rule(&mut self) {
        self.rules.push(self.rows.len());
    }

    /// The lines; two blanks between columns, one where two would not fit.
    pub fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> = (0..self.align.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect();
        let gaps = widths.len().saturating_sub(1);
        let bare: usize = widths.iter().sum();
        let gap = if bare + 2 * gaps <= WIDTH { 2 } else { 1 };
        let mut lines = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            if self.rules.contains(&number) {
                lines.push("─".repeat(bare + gap * gaps));
            }
            let cells = row.iter().zip(&widths).zip(&self.align);
            let cells = cells.map(|((cell, &width), align)| padded(cell, width, *align));
            let line = cells.collect::<Vec<_>>().join(&" ".repeat(gap));
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

/// Names with what is said about each, the names in a column of their own and long texts wrapped.
#[derive(Default)]
pub struct Facts(Vec<(String, String)>);

impl Facts {
    pub fn row(&mut self, name: String, said: String) {
        self.0.push((name, said));
    }

    pub fn lines(&self) -> Vec<String> {
        let width = self.0.iter().map(|(name, _)| name.width()).max();
        let each = self.0.iter().flat_map(|(name, said)| {
            let name = padded(name, width.unwrap_or(0), Align::Left);
            wrapped(&format!("{name}  "), said)
        });
        each.collect()
    }
}

fn padded(cell: &str, width: usize, align: Align) -> String {
    let blanks = " ".repeat(width.saturating_sub(cell.width()));
    match align {
        Align::Left => format!("{cell}{blanks}"),
        Align::Right => format!("{blanks}{cell}"),
    }
}

/// Text in lines of at most [`WIDTH`], the first after `head`, the others under it.
pub fn wrapped(head: &str, text: &str) -> Vec<String> {
    let indent = " ".repeat(head.width());
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    let mut blank = true;
    for (piece, space) in pieces(text) {
        let needed = piece.width() + usize::from(space && !blank);
        if !blank && line.width() + needed > WIDTH {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            blank = true;
        }
        if space && !blank {
            line.push(' ');
        }
        line.push_str(&piece);
        blank = false;
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// What may not be broken, and whether a blank goes before it. Chinese breaks between any two
/// characters, but punctuation does not begin a line.
fn pieces(text: &str) -> Vec<(String, bool)> {
    let mut pieces: Vec<(String, bool)> = Vec::new();
    for word in text.split_whitespace() {
        let mut narrow = false;
        for (number, character) in word.chars().enumerate() {
            let wide = !character.is_ascii() && character.to_string().width() > 1;
            let closes = "。，、；：）,.;:)%".contains(character);
            match pieces.last_mut() {
                Some((last, _)) if number > 0 && (closes || (!wide && narrow)) => {
                    last.push(character);
                }
                _ => pieces.push((character.to_string(), number == 0)),
            }
            narrow = !wide;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_in_both_scripts() {
        let mut table = Table::new(&[Align::Left, Align::Right], &["量", "estimate"]);
        table.row(vec!["R_X".into(), "12.5".into()]);
        table.rule();
        table.row(vec!["温度差".into(), "0.25".into()]);
        let lines = table.lines();
        let widths: Vec<_> = lines.iter().map(|line| line.width()).collect();
        assert_eq!(widths, vec![16; 5], "{lines:#?}");
    }

    #[test]
    fn no_line_of_a_text_is_too_wide() {
        for text in ["word ".repeat(60), "不确定度".repeat(40)] {
            let lines = wrapped("  ! ", &text);
            assert!(lines.len() > 2);
            assert!(lines.iter().all(|line| line.width() <= WIDTH), "{lines:#?}");
            assert!(lines[1].starts_with("    "));
        }
    }
}
