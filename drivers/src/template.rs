//! One line of a dialogue as a pattern that both reads and writes it.
//!
//! ```text
//! RH={relative_humidity:5.1} {relative_humidity.unit:%RH} T={temperature:5.1} {temperature.unit:'C}
//! ```
//!
//! | part | means | reads | writes |
//! |---|---|---|---|
//! | `RH=` | literal bytes, one character each (U+0000–U+00FF) | exactly these | these |
//! | blanks | separator | one or more blanks or tabs | the same blanks |
//! | `{q:[+][0][W].P}` | number of a quantity, or `q.set`, its set point | leading blanks, then the longest run of number characters | width `W`, `P` decimal places |
//! | `{q.unit:TEXT}` | unit of quantity `q` | up to a blank or the next literal | `TEXT` |
//! | `{q.unit:=1281}` | unit by a code of the instrument | exactly this | `1281` |
//! | `{q.unit:TEXT?}` | unit that is blank while the value moves | so many bytes | `TEXT` |
//! | `{name}` / `{name:W}` | text | up to the next part, or exactly `W` bytes | the text |
//! | `{check}` | check characters over all bytes before | exactly these | these |
//! | `{block}` | length header of a SCPI block, `#231` | the rest of the line must be so long | the header |
//!
//! `{{` and `}}` are literal braces. In the registers of Modbus a blank is a byte like any
//! other, and fields are binary: `{q:f32}`, `{q:i16/10}`, `{name:u16}`, `{name:counted}`.

use crate::checksum::Checksum;
use crate::number::{Binary, NumberFormat, WordOrder};

/// What a field of a template stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// Name with or without `.set`.
    Number {
        name: String,
        format: NumberFormat,
        /// Texts that stand here instead of a number and mean "no value".
        absent: Vec<String>,
    },
    Unit {
        quantity: String,
        text: String,
        /// Blank while the value moves.
        optional: bool,
    },
    Text {
        name: String,
        coding: TextCoding,
    },
    Check(Checksum),
    /// Length header of a block (IEEE 488.2, 8.7.9) that fills the rest of the line.
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextCoding {
    /// Up to the next part.
    Open,
    Width(usize),
    /// One byte says how many follow.
    Counted,
    Binary(Binary),
}

/// What the fields of a template can be.
pub(crate) struct Grammar<'a> {
    /// The "no value" texts of a quantity; none where there is no such quantity.
    pub quantity: &'a dyn Fn(&str) -> Option<Vec<String>>,
    pub check: Option<Checksum>,
    /// Registers instead of a line of characters.
    pub words: Option<WordOrder>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    Blank(usize),
    Field(Field),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Template {
    parts: Vec<Part>,
    binary: bool,
}

/// A field and the bytes that stood in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Capture<'a> {
    pub field: &'a Field,
    pub text: String,
}

/// Where a line does not follow its template: byte place from 0, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub at: usize,
    pub expected: String,
    /// The layout is right, the check characters are not.
    pub check: bool,
}

impl Mismatch {
    pub fn new(at: usize, expected: impl Into<String>) -> Self {
        Self {
            at,
            expected: expected.into(),
            check: false,
        }
    }
}

impl Template {
    pub fn parse(text: &str, grammar: &Grammar<'_>) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if rest.starts_with("{{") || rest.starts_with("}}") {
                push_literal(&mut parts, first)?;
                rest = &rest[2..];
            } else if first == '{' {
                let end = rest.find('}').ok_or("a field is not closed with '}'")?;
                parts.push(Part::Field(Field::parse(&rest[1..end], grammar)?));
                rest = &rest[end + 1..];
            } else if first == '}' {
                return Err("a '}' stands alone: write '}}' for the character".to_owned());
            } else {
                if first == ' ' && grammar.words.is_none() {
                    match parts.last_mut() {
                        Some(Part::Blank(count)) => *count += 1,
                        _ => parts.push(Part::Blank(1)),
                    }
                } else {
                    push_literal(&mut parts, first)?;
                }
                rest = &rest[first.len_utf8()..];
            }
        }
        let binary = grammar.words.is_some();
        let template = Self { parts, binary };
        template.check_boundaries()?;
        Ok(template)
    }

    /// A text without width that runs into another field could end anywhere.
    fn check_boundaries(&self) -> Result<(), String> {
        for pair in self.parts.windows(2) {
            if let [
                Part::Field(Field::Text {
                    name,
                    coding: TextCoding::Open,
                }),
                Part::Field(_),
            ] = pair
            {
                return Err(format!(
                    "the text {name:?} runs into the next field: give it a width"
                ));
            }
        }
        Ok(())
    }

    /// Registers without any field.
    pub fn binary() -> Self {
        Self {
            parts: Vec::new(),
            binary: true,
        }
    }

    /// The same template behind a head of fixed bytes.
    #[must_use]
    pub fn headed(mut self, head: Vec<u8>) -> Self {
        self.parts.insert(0, Part::Literal(head));
        self
    }

    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            _ => None,
        })
    }

    /// An empty line.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a literal text comes before the first field: what tells one line of a block
    /// from another.
    pub fn has_label(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Literal(_)))
    }

    /// Whether a line carries the label of this template.
    pub fn labels(&self, line: &[u8]) -> bool {
        let label = self
            .parts
            .iter()
            .take_while(|part| !matches!(part, Part::Field(_)));
        let mut rest = line;
        for part in label {
            match part {
                Part::Literal(bytes) => match rest.strip_prefix(&bytes[..]) {
                    Some(after) => rest = after,
                    None => return false,
                },
                _ => rest = &rest[leading_blanks(rest)..],
            }
        }
        true
    }

    /// Reads a line without its terminator. `fold` ignores the case of literal letters.
    pub fn read<'a>(&'a self, line: &[u8], fold: bool) -> Result<Vec<Capture<'a>>, Mismatch> {
        let mut captures = Vec::new();
        let mut at = 0;
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Literal(bytes) => {
                    if !starts_with(&line[at..], bytes, fold) {
                        let expected = format!("\"{}\"", crate::escape(bytes));
                        return Err(Mismatch::new(at, expected));
                    }
                    at += bytes.len();
                }
                Part::Blank(_) => {
                    let blanks = leading_blanks(&line[at..]);
                    // A padded line may have lost its blanks at the end.
                    if blanks == 0 && at < line.len() {
                        return Err(Mismatch::new(at, "a blank"));
                    }
                    at += blanks;
                }
                Part::Field(field) => {
                    let (start, end) = field.extent(line, at, self.parts.get(index + 1))?;
                    captures.push(Capture {
                        field,
                        text: field.text(&line[start..end]),
                    });
                    at = end;
                    // Blanks that pad a text belong to it.
                    if matches!(self.parts.get(index + 1), Some(Part::Literal(_)))
                        && field.is_open()
                    {
                        at += leading_blanks(&line[at..]);
                    }
                }
            }
        }
        if !self.binary {
            at += leading_blanks(&line[at..]);
        }
        if at < line.len() {
            return Err(Mismatch::new(at, "the end of the line"));
        }
        Ok(captures)
    }

    /// Writes the line; `fill` gives the text of each field.
    pub fn write<E>(
        &self,
        fill: &mut dyn FnMut(&Field) -> Result<String, E>,
    ) -> Result<Vec<u8>, E> {
        let mut line = Vec::new();
        let mut block = None;
        for part in &self.parts {
            match part {
                Part::Literal(bytes) => line.extend_from_slice(bytes),
                Part::Blank(count) => line.resize(line.len() + count, b' '),
                Part::Field(Field::Check(check)) => {
                    let check = check.of(&line);
                    line.extend(check);
                }
                Part::Field(Field::Block) => block = Some(line.len()),
                // `check_text` lets only U+0000–U+00FF through.
                Part::Field(field) => line.extend(
                    fill(field)?
                        .chars()
                        .map(|c| u8::try_from(c).unwrap_or(b'?')),
                ),
            }
        }
        if let Some(at) = block {
            let length = (line.len() - at).to_string();
            let header = format!("#{}{length}", length.len());
            line.splice(at..at, header.into_bytes());
        }
        Ok(line)
    }
}

impl Field {
    fn parse(text: &str, grammar: &Grammar<'_>) -> Result<Self, String> {
        let (name, spec) = match text.split_once(':') {
            Some((name, spec)) => (name, Some(spec)),
            None => (text, None),
        };
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
        if name.is_empty() || !name.chars().all(known) {
            return Err(format!(
                "{name:?} is no field name: use a-z, 0-9, '_', and '.set' or '.unit'"
            ));
        }
        if text == "block" {
            return Ok(Self::Block);
        }
        if text == "check" {
            let check = grammar
                .check
                .ok_or("{check}: name the kind of check, such as check = \"rotronic\"")?;
            return Ok(Self::Check(check));
        }
        if let Some(quantity) = name.strip_suffix(".unit") {
            if (grammar.quantity)(quantity).is_none() {
                return Err(format!("{{{text}}}: there is no quantity {quantity:?}"));
            }
            let text = spec.ok_or_else(|| {
                format!("{{{name}}}: write the unit as it stands on the wire after ':'")
            })?;
            return Ok(Self::Unit {
                quantity: quantity.to_owned(),
                text: text.strip_suffix('?').unwrap_or(text).to_owned(),
                optional: text.ends_with('?'),
            });
        }
        if let Some(absent) = (grammar.quantity)(name.strip_suffix(".set").unwrap_or(name)) {
            let spec = spec.ok_or_else(|| {
                format!("{{{name}}}: write the format of the number after ':', such as '6.1'")
            })?;
            return Ok(Self::Number {
                name: name.to_owned(),
                format: NumberFormat::parse(spec, grammar.words)?,
                absent,
            });
        }
        if name.contains('.') {
            return Err(format!("{{{text}}}: there is no quantity of this name"));
        }
        Ok(Self::Text {
            name: name.to_owned(),
            coding: TextCoding::parse(text, spec, grammar.words)?,
        })
    }

    fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Text {
                coding: TextCoding::Open,
                ..
            }
        )
    }

    /// Start and end of the field's bytes, blanks around it left out.
    fn extent(
        &self,
        line: &[u8],
        at: usize,
        next: Option<&Part>,
    ) -> Result<(usize, usize), Mismatch> {
        let exactly = |width: usize, what: &str| exactly(line, at, width, what);
        match self {
            Self::Number {
                name,
                format,
                absent,
            } => match format.binary() {
                Some(binary) => exactly(binary.width(), &format!("{name:?}")),
                None => number_extent(line, at, *format, absent)
                    .map_err(|at| Mismatch::new(at, format!("the number {name:?}"))),
            },
            Self::Unit {
                quantity,
                text,
                optional,
            } => {
                if *optional {
                    let width = text.strip_prefix('=').unwrap_or(text).len();
                    return exactly(width, &format!("the unit of {quantity:?}"));
                }
                let start = at + leading_blanks(&line[at..]);
                let end = until(line, start, next, true);
                if end == start {
                    return Err(Mismatch::new(start, format!("the unit of {quantity:?}")));
                }
                Ok((start, end))
            }
            Self::Text { name, coding } => match coding {
                TextCoding::Binary(binary) => exactly(binary.width(), &format!("{name:?}")),
                TextCoding::Counted => {
                    let count = line.get(at).copied().unwrap_or(0);
                    let (start, end) = exactly(1 + usize::from(count), &format!("{name:?}"))?;
                    check_printable(line, start + 1, end, name)?;
                    Ok((start, end))
                }
                TextCoding::Width(width) => {
                    let (start, end) = exactly(*width, &format!("{name:?}"))?;
                    check_printable(line, start, end, name)
                }
                TextCoding::Open => {
                    let start = at + leading_blanks(&line[at..]);
                    let mut end = until(line, start, next, false);
                    while end > start && is_blank(line[end - 1]) {
                        end -= 1;
                    }
                    check_printable(line, start, end, name)
                }
            },
            Self::Block => block_header(line, at),
            Self::Check(check) => check_extent(line, at, *check),
        }
    }

    /// What the bytes of the field say.
    fn text(&self, bytes: &[u8]) -> String {
        let binary = match self {
            Self::Number { format, .. } => format.binary(),
            Self::Text {
                coding: TextCoding::Binary(binary),
                ..
            } => Some(*binary),
            _ => None,
        };
        match (self, binary) {
            (_, Some(binary)) => binary.read(bytes),
            // A sign may stand apart from its digits.
            (Self::Number { .. }, None) => {
                let kept = bytes.iter().filter(|&&byte| !is_blank(byte));
                kept.map(|&byte| char::from(byte)).collect()
            }
            (Self::Unit { .. }, None) => latin1(bytes).trim().to_owned(),
            (
                Self::Text {
                    coding: TextCoding::Counted,
                    ..
                },
                None,
            ) => latin1(bytes.get(1..).unwrap_or_default()),
            _ => latin1(bytes),
        }
    }
}

impl TextCoding {
    fn parse(text: &str, spec: Option<&str>, words: Option<WordOrder>) -> Result<Self, String> {
        let Some(spec) = spec else {
            return Ok(Self::Open);
        };
        if let Some(binary) = Binary::parse(spec, words) {
            return Ok(Self::Binary(binary));
        }
        if words.is_some() && spec == "counted" {
            return Ok(Self::Counted);
        }
        let width = spec
            .parse()
            .ok()
            .filter(|&width: &usize| width > 0 && width <= 4096);
        width
            .map(Self::Width)
            .ok_or_else(|| format!("{{{text}}}: the width of a text is a whole number above 0"))
    }

    /// Whether the text stands in bytes that are no characters.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Counted | Self::Binary(_))
    }

    /// Why a text cannot stand in such a field, or what stands on the wire for it.
    pub fn write(self, text: &str) -> Result<String, String> {
        let width = match self {
            Self::Binary(binary) => return binary.write_text(text),
            Self::Counted => {
                check_text(text, None)?;
                let count = u8::try_from(text.chars().count())
                    .map_err(|_| format!("{text:?} is longer than 255 characters"))?;
                return Ok(format!("{}{text}", char::from(count)));
            }
            Self::Width(width) => Some(width),
            Self::Open => None,
        };
        check_text(text, width).map(|()| text.to_owned())
    }
}

fn exactly(line: &[u8], at: usize, width: usize, what: &str) -> Result<(usize, usize), Mismatch> {
    let end = at.saturating_add(width);
    let missing = || Mismatch::new(at, format!("{width} bytes of {what}"));
    (end <= line.len()).then_some((at, end)).ok_or_else(missing)
}

/// Check characters that match the bytes before them.
fn check_extent(line: &[u8], at: usize, check: Checksum) -> Result<(usize, usize), Mismatch> {
    let (start, end) = exactly(line, at, check.width(), "check characters")?;
    let due = check.of(&line[..at]);
    if line[start..end].eq_ignore_ascii_case(&due) {
        return Ok((start, end));
    }
    let expected = format!("the check characters \"{}\"", crate::escape(&due));
    Err(Mismatch {
        check: true,
        ..Mismatch::new(at, expected)
    })
}

/// Start and end of a number, or the place where there is none.
fn number_extent(
    line: &[u8],
    at: usize,
    format: NumberFormat,
    absent: &[String],
) -> Result<(usize, usize), usize> {
    let start = at + leading_blanks(&line[at..]);
    let rest = &line[start..];
    let length = format.length(rest);
    let said = absent
        .iter()
        .filter(|text| rest.starts_with(text.as_bytes()))
        .map(String::len)
        .max();
    match said.unwrap_or(0).max(length) {
        0 => Err(start),
        length => Ok((start, start + length)),
    }
}

/// Extent of a length header whose block is the rest of the line.
fn block_header(line: &[u8], at: usize) -> Result<(usize, usize), Mismatch> {
    let missing = || Mismatch::new(at, "the length header of a block, such as #231");
    let rest = line[at..].strip_prefix(b"#").ok_or_else(missing)?;
    let count = rest.first().filter(|byte| (b'1'..=b'9').contains(byte));
    let count = usize::from(*count.ok_or_else(missing)? - b'0');
    let digits = rest.get(1..=count).ok_or_else(missing)?;
    let length = std::str::from_utf8(digits).ok();
    let length = length.and_then(|digits| digits.parse::<usize>().ok());
    let length = length.ok_or_else(missing)?;
    let end = at + 2 + count;
    if line.len() - end == length {
        return Ok((at, end));
    }
    let came = line.len() - end;
    let expected = format!("a block of {length} bytes, {came} came");
    Err(Mismatch::new(end, expected))
}

/// Where a field without width ends: at the next part, at a blank or at the end.
fn until(line: &[u8], start: usize, next: Option<&Part>, stop_at_blank: bool) -> usize {
    let end = match next {
        Some(Part::Literal(bytes)) => find(&line[start..], bytes),
        Some(Part::Blank(_)) => line[start..].iter().position(|&byte| is_blank(byte)),
        _ => None,
    };
    let blank = line[start..]
        .iter()
        .position(|&byte| stop_at_blank && is_blank(byte));
    let ends = [end, blank].into_iter().flatten().min();
    start + ends.unwrap_or(line.len() - start)
}

/// Why a text cannot stand in a field of this width.
pub(crate) fn check_text(text: &str, width: Option<usize>) -> Result<(), String> {
    if let Some(found) = text
        .chars()
        .find(|&c| !(' '..='~').contains(&c) && !('\u{A0}'..='\u{FF}').contains(&c))
    {
        return Err(format!("{found:?} cannot stand in a line"));
    }
    match width {
        Some(width) if text.chars().count() != width => {
            Err(format!("{text:?} must have {width} characters"))
        }
        _ => Ok(()),
    }
}

fn push_literal(parts: &mut Vec<Part>, character: char) -> Result<(), String> {
    let byte = u8::try_from(character)
        .map_err(|_| format!("{character:?} is more than one byte on a wire"))?;
    match parts.last_mut() {
        Some(Part::Literal(bytes)) => bytes.push(byte),
        _ => parts.push(Part::Literal(vec![byte])),
    }
    Ok(())
}

fn check_printable(
    line: &[u8],
    start: usize,
    end: usize,
    name: &str,
) -> Result<(usize, usize), Mismatch> {
    match line[start..end]
        .iter()
        .position(|&byte| byte < b' ' || (0x7F..0xA0).contains(&byte))
    {
        Some(offset) => Err(Mismatch::new(
            start + offset,
            format!("a printable character of {name:?}"),
        )),
        None => Ok((start, end)),
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn leading_blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| is_blank(byte)).count()
}

fn starts_with(bytes: &[u8], prefix: &[u8], fold: bool) -> bool {
    match bytes.get(..prefix.len()) {
        Some(start) if fold => start.eq_ignore_ascii_case(prefix),
        Some(start) => start == prefix,
        None => false,
    }
}

pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grammar(words: Option<WordOrder>) -> Grammar<'static> {
        Grammar {
            quantity: &|name| match name {
                "t" => Some(vec!["-1001.00".to_owned(), "OFF".to_owned()]),
                "rh" => Some(Vec::new()),
                _ => None,
            },
            check: Some(Checksum::Sum65536),
            words,
        }
    }

    fn template(text: &str) -> Template {
        Template::parse(text, &grammar(None)).unwrap()
    }

    fn captured(pattern: &str, line: &[u8]) -> Result<Vec<String>, usize> {
        let template = template(pattern);
        let result = template.read(line, false);
        result
            .map(|all| all.into_iter().map(|capture| capture.text).collect())
            .map_err(|miss| miss.at)
    }

    #[test]
    fn lines_are_read_as_instruments_write_them() {
        let vaisala = "RH={rh:5.1} {rh.unit:%RH} T={t:5.1} {t.unit:'C}";
        assert_eq!(
            captured(vaisala, b"RH= 98.4 %RH T= 31.1 'C").unwrap(),
            ["98.4", "%RH", "31.1", "'C"]
        );
        assert_eq!(
            captured(vaisala, b"RH=***** %RH T=-31.1 'C").unwrap(),
            ["*****", "%RH", "-31.1", "'C"]
        );
        assert_eq!(
            captured("srat:{t:.1}{t.unit:C}/min", b"srat:12.4C/min").unwrap(),
            ["12.4", "C"]
        );
        assert_eq!(
            captured("{name} / {v}", b"PTB330 / 1.01 ").unwrap(),
            ["PTB330", "1.01"]
        );
        assert_eq!(
            captured("{a:1}{s:1}{b:3}", b"01001").unwrap(),
            ["0", "1", "001"]
        );
        assert_eq!(captured("{t:.1}", b"+9.91E+37").unwrap(), ["+9.91E+37"]);
    }

    #[test]
    fn a_line_that_deviates_is_refused_with_its_place() {
        assert_eq!(captured("T={t:.1}", b"t=1.0"), Err(0));
        assert_eq!(captured("T={t:.1}", b"T=x"), Err(2));
        assert_eq!(captured("T={t:.1}", b"T=1.0z"), Err(5));
        assert_eq!(captured("T={t:.1} {t.unit:C}", b"T=1.0"), Err(5));
        assert_eq!(captured("{a:4}", b"01"), Err(0));
        assert_eq!(captured("{a}", b"ab\x07"), Err(2));
    }

    #[test]
    fn check_characters_are_written_and_compared() {
        let line = template("{t:.2} {check}");
        let read = |bytes: &[u8]| line.read(bytes, false).map(|all| all[0].text.clone());
        // PTB220 user's guide p. 105, with the blank in front that the print lost.
        assert_eq!(read(b" 994.16 017B").unwrap(), "994.16");
        let miss = read(b" 994.17 017B").unwrap_err();
        assert!(miss.check && miss.expected.contains("017C"), "{miss:?}");
        let written = line.write::<()>(&mut |_| Ok("994.16".to_owned())).unwrap();
        assert_eq!(written, b"994.16 015B");
    }

    #[test]
    fn what_stands_for_no_value_is_taken_whole() {
        assert_eq!(captured("T={t:.1},{a}", b"T=OFF,1").unwrap(), ["OFF", "1"]);
        assert_eq!(
            captured("T={t:.2},", b"T= -1001.00,").unwrap(),
            ["-1001.00"]
        );
        assert_eq!(
            captured("{rh:+ 9.4}{rh.unit:%RH?}", b"+  52.1874   ").unwrap(),
            ["+52.1874", ""]
        );
        assert_eq!(
            captured("{rh:+ 8.2}{rh.unit:= G?}{a:1}{s:1}", b"+ 100.00 GHS").unwrap(),
            ["+100.00", "G", "H", "S"]
        );
    }

    #[test]
    fn a_block_is_as_long_as_its_header_says() {
        let template = Template::parse("{block}(@{list})", &grammar(None)).unwrap();
        let listed = |line: &[u8]| {
            let all = template.read(line, false);
            all.map(|all| all.into_iter().map(|one| one.text).collect::<Vec<_>>())
        };
        // 34970A user's guide: the reply to ROUTe:SCAN?.
        let line = b"#214(@101,102,103)";
        assert_eq!(listed(line).unwrap(), ["#214", "101,102,103"]);
        let miss = listed(b"#214(@101,102,10)").unwrap_err();
        assert_eq!(
            (miss.at, &*miss.expected),
            (4, "a block of 14 bytes, 13 came")
        );
        for damaged in [&b"214(@1)"[..], b"#", b"#0(@1)", b"#2x4(@1)", b"#9"] {
            assert!(listed(damaged).is_err());
        }
        let written = template.write(&mut |_| Ok::<_, ()>("101,102,103".to_owned()));
        assert_eq!(written.unwrap(), line);
    }

    #[test]
    fn registers_are_read_byte_by_byte() {
        let binary = Template::parse("{t:f32}{state:u16} ", &grammar(Some(WordOrder::LowFirst)))
            .unwrap()
            .headed(vec![3, 7]);
        let texts = |bytes: &[u8]| {
            let all = binary.read(bytes, false);
            all.map(|all| all.into_iter().map(|one| one.text).collect::<Vec<_>>())
        };
        let bytes = b"\x03\x07\x7A\xE1\x41\xF4\x00\x20 ";
        assert_eq!(texts(bytes).unwrap(), ["30.56", "32"]);
        assert_eq!(texts(&bytes[..7]).unwrap_err().at, 6);
    }

    #[test]
    fn a_malformed_template_says_what_is_wrong() {
        for text in [
            "{",
            "}",
            "{t}",
            "{t:x}",
            "{x.set:.1}",
            "{x.unit:C}",
            "{t.unit}",
            "{a}{b}",
            "{A}",
            "{a:0}",
            "\u{2103}",
            "{t:0.1}",
        ] {
            assert!(
                Template::parse(text, &grammar(None)).is_err(),
                "{text:?} was accepted"
            );
        }
    }
}
