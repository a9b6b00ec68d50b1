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
//! | `{name}` / `{name:W}` | text | up to the next part, or exactly `W` bytes | the text |
//!
//! `{{` and `}}` are literal braces.

use heng_quantities::Decimal;

/// What a field of a template stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// Name with or without `.set`.
    Number {
        name: String,
        format: NumberFormat,
    },
    Unit {
        quantity: String,
        text: String,
    },
    Text {
        name: String,
        width: Option<usize>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NumberFormat {
    plus: bool,
    zeros: bool,
    width: usize,
    pub places: u8,
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
}

impl Template {
    /// `is_quantity` tells number fields from texts.
    pub fn parse(text: &str, is_quantity: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if rest.starts_with("{{") || rest.starts_with("}}") {
                push_literal(&mut parts, first)?;
                rest = &rest[2..];
            } else if first == '{' {
                let end = rest.find('}').ok_or("a field is not closed with '}'")?;
                parts.push(Part::Field(Field::parse(&rest[1..end], is_quantity)?));
                rest = &rest[end + 1..];
            } else if first == '}' {
                return Err("a '}' stands alone: write '}}' for the character".to_owned());
            } else {
                if first == ' ' {
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
        let template = Self { parts };
        template.check_boundaries()?;
        Ok(template)
    }

    /// A text without width that runs into another field could end anywhere.
    fn check_boundaries(&self) -> Result<(), String> {
        for pair in self.parts.windows(2) {
            if let [
                Part::Field(Field::Text { name, width: None }),
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

    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            _ => None,
        })
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
                        return Err(Mismatch { at, expected });
                    }
                    at += bytes.len();
                }
                Part::Blank(_) => {
                    let blanks = leading_blanks(&line[at..]);
                    // A padded line may have lost its blanks at the end.
                    if blanks == 0 && at < line.len() {
                        return Err(Mismatch {
                            at,
                            expected: "a blank".to_owned(),
                        });
                    }
                    at += blanks;
                }
                Part::Field(field) => {
                    let (start, end) = field.extent(line, at, self.parts.get(index + 1))?;
                    captures.push(Capture {
                        field,
                        text: latin1(&line[start..end]),
                    });
                    at = end;
                }
            }
        }
        at += leading_blanks(&line[at..]);
        if at < line.len() {
            return Err(Mismatch {
                at,
                expected: "the end of the line".to_owned(),
            });
        }
        Ok(captures)
    }

    /// Writes the line; `fill` gives the text of each field.
    pub fn write<E>(
        &self,
        fill: &mut dyn FnMut(&Field) -> Result<String, E>,
    ) -> Result<Vec<u8>, E> {
        let mut line = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(bytes) => line.extend_from_slice(bytes),
                Part::Blank(count) => line.resize(line.len() + count, b' '),
                // `check_text` lets only U+0000–U+00FF through.
                Part::Field(field) => line.extend(
                    fill(field)?
                        .chars()
                        .map(|c| u8::try_from(c).unwrap_or(b'?')),
                ),
            }
        }
        Ok(line)
    }
}

impl Field {
    fn parse(text: &str, is_quantity: &dyn Fn(&str) -> bool) -> Result<Self, String> {
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
        if let Some(quantity) = name.strip_suffix(".unit") {
            if !is_quantity(quantity) {
                return Err(format!("{{{text}}}: there is no quantity {quantity:?}"));
            }
            let text = spec.ok_or_else(|| {
                format!("{{{name}}}: write the unit as it stands on the wire after ':'")
            })?;
            return Ok(Self::Unit {
                quantity: quantity.to_owned(),
                text: text.to_owned(),
            });
        }
        if is_quantity(name.strip_suffix(".set").unwrap_or(name)) {
            let spec = spec.ok_or_else(|| {
                format!("{{{name}}}: write the format of the number after ':', such as '6.1'")
            })?;
            return Ok(Self::Number {
                name: name.to_owned(),
                format: NumberFormat::parse(spec)?,
            });
        }
        if name.contains('.') {
            return Err(format!("{{{text}}}: there is no quantity of this name"));
        }
        let width = spec
            .map(|spec| spec.parse().ok().filter(|&width| width > 0))
            .map(|width| {
                width.ok_or_else(|| {
                    format!("{{{text}}}: the width of a text is a whole number above 0")
                })
            })
            .transpose()?;
        Ok(Self::Text {
            name: name.to_owned(),
            width,
        })
    }

    /// Start and end of the field's bytes, blanks around it left out.
    fn extent(
        &self,
        line: &[u8],
        at: usize,
        next: Option<&Part>,
    ) -> Result<(usize, usize), Mismatch> {
        let until = |start: usize, stop_at_blank: bool| {
            let end = match next {
                Some(Part::Literal(bytes)) => find(&line[start..], bytes),
                Some(Part::Blank(_)) => line[start..].iter().position(|&byte| is_blank(byte)),
                _ => None,
            };
            let blank = line[start..]
                .iter()
                .position(|&byte| stop_at_blank && is_blank(byte));
            start
                + [end, blank]
                    .into_iter()
                    .flatten()
                    .min()
                    .unwrap_or(line.len() - start)
        };
        match self {
            Self::Number { name, .. } => {
                let start = at + leading_blanks(&line[at..]);
                let end = start + number_length(&line[start..]);
                if end == start {
                    return Err(Mismatch {
                        at: start,
                        expected: format!("the number {name:?}"),
                    });
                }
                Ok((start, end))
            }
            Self::Unit { quantity, .. } => {
                let start = at + leading_blanks(&line[at..]);
                let end = until(start, true);
                if end == start {
                    return Err(Mismatch {
                        at: start,
                        expected: format!("the unit of {quantity:?}"),
                    });
                }
                Ok((start, end))
            }
            Self::Text {
                name,
                width: Some(width),
            } => {
                let end = at + width;
                if end > line.len() {
                    return Err(Mismatch {
                        at,
                        expected: format!("{width} characters of {name:?}"),
                    });
                }
                check_printable(line, at, end, name)
            }
            Self::Text { name, width: None } => {
                let start = at + leading_blanks(&line[at..]);
                let mut end = until(start, false);
                while end > start && is_blank(line[end - 1]) {
                    end -= 1;
                }
                check_printable(line, start, end, name)
            }
        }
    }
}

impl NumberFormat {
    fn parse(spec: &str) -> Result<Self, String> {
        let refuse =
            || format!("{spec:?} is no number format: write [+][0][width].places, such as '06.1'");
        let (plus, rest) = spec
            .strip_prefix('+')
            .map_or((false, spec), |rest| (true, rest));
        let (zeros, rest) = rest
            .strip_prefix('0')
            .map_or((false, rest), |rest| (true, rest));
        let (width, places) = rest.split_once('.').ok_or_else(refuse)?;
        let width = if width.is_empty() {
            0
        } else {
            width.parse().map_err(|_| refuse())?
        };
        let places = places
            .parse()
            .ok()
            .filter(|&places: &u8| places <= 12)
            .ok_or_else(refuse)?;
        if width > 64 || (zeros && width == 0) {
            return Err(refuse());
        }
        Ok(Self {
            plus,
            zeros,
            width,
            places,
        })
    }

    /// Text of the number, or why it cannot be written: digits are never dropped.
    pub fn write(self, value: Decimal) -> Result<String, String> {
        let exponent = -i8::try_from(self.places).unwrap_or(i8::MAX);
        let steps = value.steps(exponent).ok_or_else(|| {
            format!(
                "{value} has more digits than the {} decimal places that can be sent",
                self.places
            )
        })?;
        let magnitude = Decimal::new(
            steps.checked_abs().ok_or("the number is too large")?,
            exponent,
        )
        .to_string();
        let sign = if steps < 0 {
            "-"
        } else if self.plus {
            "+"
        } else {
            ""
        };
        let text = if self.zeros {
            let width = self.width.saturating_sub(sign.len());
            format!("{sign}{magnitude:0>width$}")
        } else {
            format!(
                "{:>width$}",
                format!("{sign}{magnitude}"),
                width = self.width
            )
        };
        if self.width > 0 && text.len() > self.width {
            return Err(format!(
                "{value} is wider than the {} characters of the field",
                self.width
            ));
        }
        Ok(text)
    }

    /// A field filled with `*`, as instruments print a missing value.
    pub fn fill(self) -> String {
        "*".repeat(self.width.max(4))
    }
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
        Some(offset) => Err(Mismatch {
            at: start + offset,
            expected: format!("a printable character of {name:?}"),
        }),
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

/// Length of the run of number characters: digits, signs, points, fill characters, and an
/// exponent where digits follow it.
fn number_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(&byte) = bytes.get(length) {
        let exponent = matches!(byte, b'E' | b'e')
            && length > 0
            && matches!(bytes.get(length + 1), Some(b'0'..=b'9' | b'+' | b'-'));
        if !exponent && !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'*') {
            break;
        }
        length += 1;
    }
    length
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

    fn template(text: &str) -> Template {
        Template::parse(text, &|name| name == "t" || name == "rh").unwrap()
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
    fn numbers_are_written_in_the_width_of_the_wire() {
        let written = |format: &str, value: &str| {
            NumberFormat::parse(format)
                .unwrap()
                .write(value.parse().unwrap())
        };
        assert_eq!(written("06.1", "25").unwrap(), "0025.0");
        assert_eq!(written("06.1", "-40").unwrap(), "-040.0");
        assert_eq!(written("06.1", "-0.5").unwrap(), "-000.5");
        assert_eq!(written("5.1", "98.4").unwrap(), " 98.4");
        assert_eq!(written("+.3", "1.5").unwrap(), "+1.500");
        assert_eq!(written(".0", "2").unwrap(), "2");
        assert!(written("06.1", "25.05").is_err());
        assert!(written("5.1", "12345.0").is_err());
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
                Template::parse(text, &|name| name == "t").is_err(),
                "{text:?} was accepted"
            );
        }
    }
}
