//! Bytes of a wire as text that a person can read and a file can keep.

/// What is wrong with an escaped text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EscapeError {
    #[error("character {at}: {sequence:?} is no escape; write \\\\, \\r, \\n, \\t or \\xNN")]
    Sequence { at: usize, sequence: String },
    #[error("character {at}: {found:?} must be written as an escape")]
    Character { at: usize, found: char },
    #[error("character {at}: {found:?} has a shorter form, and one byte has one spelling only")]
    NotCanonical { at: usize, found: String },
}

/// Printable ASCII as it is, `\\`, `\r`, `\n`, `\t`, and `\xNN` in upper-case hexadecimal
/// for every other byte. [`unescape`] gives back exactly the same bytes.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            0x20..=0x7E => text.push(char::from(byte)),
            other => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                text.push_str("\\x");
                text.push(char::from(DIGITS[usize::from(other >> 4)]));
                text.push(char::from(DIGITS[usize::from(other & 15)]));
            }
        }
    }
    text
}

/// The bytes behind a text of [`escape`]. Every other spelling is refused, so that a byte
/// string has exactly one text.
///
/// # Errors
/// [`EscapeError`] with the place, counted in characters from 1.
pub fn unescape(text: &str) -> Result<Vec<u8>, EscapeError> {
    let characters: Vec<char> = text.chars().collect();
    let mut bytes = Vec::with_capacity(characters.len());
    let mut at = 0;
    while at < characters.len() {
        let (byte, length) = match characters[at] {
            '\\' => escaped_byte(&characters, at)?,
            found @ ' '..='~' => (u8::try_from(found).unwrap_or(b'?'), 1),
            found => return Err(EscapeError::Character { at: at + 1, found }),
        };
        bytes.push(byte);
        at += length;
    }
    Ok(bytes)
}

fn escaped_byte(characters: &[char], at: usize) -> Result<(u8, usize), EscapeError> {
    let sequence = |length: usize| -> String {
        characters[at..characters.len().min(at + length)]
            .iter()
            .collect()
    };
    match characters.get(at + 1) {
        Some('\\') => Ok((b'\\', 2)),
        Some('r') => Ok((b'\r', 2)),
        Some('n') => Ok((b'\n', 2)),
        Some('t') => Ok((b'\t', 2)),
        Some('x') => {
            let found = sequence(4);
            let byte = found
                .get(2..)
                .filter(|digits| digits.len() == 2)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or_else(|| EscapeError::Sequence {
                    at: at + 1,
                    sequence: found.clone(),
                })?;
            if escape(&[byte]) == found {
                Ok((byte, 4))
            } else {
                Err(EscapeError::NotCanonical { at: at + 1, found })
            }
        }
        _ => Err(EscapeError::Sequence {
            at: at + 1,
            sequence: sequence(2),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_read_as_text() {
        assert_eq!(escape(b"DP?\r\n"), "DP?\\r\\n");
        assert_eq!(escape(b"a\\b\t\x02\xB0~\x7F"), "a\\\\b\\t\\x02\\xB0~\\x7F");
    }

    #[test]
    fn every_other_spelling_is_refused_with_its_place() {
        for text in [
            "\\", "\\q", "\\x4", "\\xZZ", "a\u{b0}", "\\x41", "\\x0D", "\\xb0", "\r", "\\x+4",
        ] {
            assert!(unescape(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(
            unescape("ab\\q").unwrap_err().to_string(),
            "character 3: \"\\\\q\" is no escape; write \\\\, \\r, \\n, \\t or \\xNN"
        );
    }

    proptest! {
        #[test]
        fn escape_is_a_bijection(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "\\PC{0,12}") {
            prop_assert_eq!(unescape(&escape(&bytes)), Ok(bytes));
            if let Ok(back) = unescape(&text) {
                prop_assert_eq!(escape(&back), text);
            }
        }
    }
}
