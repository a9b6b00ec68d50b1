//! Characters that a terminal may draw. Everything drawn passes [`Glyphs::restrict`], so no
//! screen has to think about them.

use ratatui::buffer::Buffer;
use ratatui::symbols::Marker;
use ratatui::text::Span;

/// Which characters a terminal draws one cell wide.
///
/// Lines, `°`, `±` and arrows are of ambiguous width (Unicode, UAX #11): a terminal set up
/// for Chinese may give them two cells, which breaks every frame on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// Lines, symbols and braille.
    #[default]
    Unicode,
    /// ASCII and braille, which is one cell wide everywhere; Chinese texts stay.
    Cjk,
    /// ASCII only; Chinese texts stay.
    Ascii,
}

/// Replacements that need another number of cells, so they happen before the layout.
const SPELLED: &[(&str, &str)] = &[
    ("°C", "degC"),
    ("°", "deg"),
    ("±", "+/-"),
    ("≤", "<="),
    ("≥", ">="),
    ("…", "..."),
    ("²", "^2"),
    ("³", "^3"),
    ("Ω", "Ohm"),
    ("Δ", "d"),
    ("µ", "u"),
    ("μ", "u"),
    ("—", "--"),
];

/// Replacements of one cell by one cell.
const REPLACED: &[(&str, &str)] = &[
    ("─", "-"),
    ("│", "|"),
    ("┌", "+"),
    ("┐", "+"),
    ("└", "+"),
    ("┘", "+"),
    ("┄", "-"),
    ("┤", "|"),
    ("├", "|"),
    ("┼", "+"),
    ("▸", ">"),
    ("✓", "+"),
    ("✗", "x"),
    ("●", "*"),
    ("○", "o"),
    ("•", "*"),
    ("▲", "^"),
    ("▼", "v"),
    ("█", "#"),
    ("░", "."),
    ("·", "."),
    ("×", "x"),
    ("→", ">"),
    ("←", "<"),
    ("–", "-"),
    ("−", "-"),
];

impl Glyphs {
    /// The set that fits the terminal, from `HENG_GLYPHS` (`unicode`, `cjk`, `ascii`) or, where
    /// that is silent, from `TERM` and the locale.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable("HENG_GLYPHS").as_deref() {
            Some("unicode") => return Self::Unicode,
            Some("cjk") => return Self::Cjk,
            Some("ascii") => return Self::Ascii,
            _ => {}
        }
        if matches!(variable("TERM").as_deref(), Some("linux" | "dumb")) {
            return Self::Ascii;
        }
        // The first of the three that is set decides (POSIX.1-2017, 8.2).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(variable);
        let Some(locale) = locale.map(|locale| locale.to_lowercase()) else {
            return Self::Unicode;
        };
        if !(locale.contains("utf-8") || locale.contains("utf8")) {
            Self::Ascii
        } else if ["zh", "ja", "ko"]
            .iter()
            .any(|wide| locale.starts_with(wide))
        {
            Self::Cjk
        } else {
            Self::Unicode
        }
    }

    /// A text in the characters of this set, before it is laid out.
    pub fn spell(self, text: &str) -> String {
        if self == Self::Unicode || text.is_ascii() {
            return text.to_owned();
        }
        let start = text.to_owned();
        SPELLED
            .iter()
            .fold(start, |text, (from, to)| text.replace(from, to))
    }

    /// Marker of curves.
    pub const fn marker(self) -> Marker {
        match self {
            Self::Unicode | Self::Cjk => Marker::Braille,
            Self::Ascii => Marker::Dot,
        }
    }

    /// Leaves nothing in the drawn buffer that the terminal might give another width.
    pub fn restrict(self, buffer: &mut Buffer) {
        if self == Self::Unicode {
            return;
        }
        for cell in &mut buffer.content {
            let symbol = cell.symbol();
            if symbol.is_ascii() || Span::raw(symbol).width() != 1 {
                continue;
            }
            if self == Self::Cjk && symbol.chars().all(is_braille) {
                continue;
            }
            let found = REPLACED.iter().find(|(from, _)| *from == symbol);
            cell.set_symbol(found.map_or("?", |(_, to)| to));
        }
    }
}

fn is_braille(character: char) -> bool {
    ('\u{2800}'..='\u{28FF}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    #[test]
    fn a_restricted_screen_holds_nothing_of_ambiguous_width() {
        for (glyphs, expected) in [
            (Glyphs::Unicode, "┌✓°±⣿温a"),
            (Glyphs::Cjk, "++??⣿温a"),
            (Glyphs::Ascii, "++???温a"),
        ] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 9, 1));
            buffer.set_string(0, 0, "┌✓°±⣿温a", ratatui::style::Style::new());
            glyphs.restrict(&mut buffer);
            let text: String = buffer
                .content
                .iter()
                .map(ratatui::buffer::Cell::symbol)
                .collect();
            // The second cell of a wide character is a blank.
            assert_eq!(text.replace("温 ", "温").trim_end(), expected, "{glyphs:?}");
        }
    }

    #[test]
    fn the_environment_decides_which_characters_are_safe() {
        for (variables, expected) in [
            (vec![], Glyphs::Unicode),
            (vec![("LANG", "en_GB.UTF-8")], Glyphs::Unicode),
            (vec![("LANG", "zh_CN.utf8")], Glyphs::Cjk),
            (
                vec![("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C.UTF-8")],
                Glyphs::Unicode,
            ),
            (vec![("LC_CTYPE", "POSIX")], Glyphs::Ascii),
            (
                vec![("TERM", "linux"), ("LANG", "en_GB.UTF-8")],
                Glyphs::Ascii,
            ),
            (
                vec![("HENG_GLYPHS", "unicode"), ("TERM", "linux")],
                Glyphs::Unicode,
            ),
        ] {
            let find = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Glyphs::from_variables(find), expected, "{variables:?}");
        }
    }

    #[test]
    fn units_are_spelled_out_before_the_layout() {
        assert_eq!(Glyphs::Cjk.spell("20.0 °C ± 0.1"), "20.0 degC +/- 0.1");
        assert_eq!(Glyphs::Unicode.spell("20.0 °C"), "20.0 °C");
        assert_eq!(Glyphs::Ascii.spell("湿度 ≤ 2"), "湿度 <= 2");
    }
}
