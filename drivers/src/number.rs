//! How one number stands on a wire: digits in a field, or bytes of a register.

use heng_quantities::Decimal;

use crate::easybus;

/// `[+|+ ][0][width].places[/10^n]`, `e.places`, or a binary type with `[/10^n][-offset]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberFormat {
    coding: Coding,
    /// Decimal places that the wire leaves out: `/100` is 2.
    implied: u8,
    /// Whole number that is added to what the register says: `/10-100` is -100.
    offset: i16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Digits {
        plus: bool,
        /// Blanks may stand between the sign and the digits.
        apart: bool,
        zeros: bool,
        width: usize,
        places: u8,
    },
    Scientific {
        places: u8,
    },
    Binary(Binary),
}

/// A number of one or two 16-bit registers, most significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binary {
    kind: BinaryKind,
    words: WordOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BinaryKind {
    U8,
    U16,
    I16,
    U32,
    I32,
    F32,
    EasyWord,
    EasyId,
    Easy16,
    Easy32,
}

/// Which of the two words of a 32-bit number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WordOrder {
    HighFirst,
    LowFirst,
}

impl NumberFormat {
    /// Reads a format; binary types only where `words` says their order.
    pub fn parse(spec: &str, words: Option<WordOrder>) -> Result<Self, String> {
        let refuse = || {
            format!(
                "{spec:?} is no number format: write [+][0][width].places such as '06.1', '+ 9.4' for a sign that stands apart, \
                 'e.8' for an exponent, 'u8', 'u16', 'i16', 'u32', 'i32' or 'f32' for registers, and '/100' after it for places that the wire leaves out, '/10-100' where 100 is to be taken off then"
            )
        };
        let (body, implied, offset) = match spec.split_once('/') {
            None => (spec, 0, 0),
            Some((body, divisor)) => {
                let (divisor, offset) = match divisor.find(['+', '-']) {
                    Some(at) => (&divisor[..at], divisor[at..].parse().ok()),
                    None => (divisor, Some(0)),
                };
                let implied = power_of_ten(divisor).ok_or_else(refuse)?;
                (body, implied, offset.ok_or_else(refuse)?)
            }
        };
        let coding = match (words, Binary::parse(body, words)) {
            (Some(_), Some(binary)) => Coding::Binary(binary),
            (None, None) => parse_digits(body).ok_or_else(refuse)?,
            _ => return Err(refuse()),
        };
        Ok(Self {
            coding,
            implied,
            offset,
        })
    }

    pub const fn binary(self) -> Option<Binary> {
        match self.coding {
            Coding::Binary(binary) => Some(binary),
            _ => None,
        }
    }

    /// Decimal places of a value that is written in this format; those of a float are as many
    /// as it can carry near 100.
    pub const fn places(self) -> u8 {
        self.implied
            + match self.coding {
                Coding::Digits { places, .. } | Coding::Scientific { places } => places,
                Coding::Binary(Binary {
                    kind: BinaryKind::F32,
                    ..
                }) => 4,
                Coding::Binary(Binary {
                    kind: BinaryKind::Easy16 | BinaryKind::Easy32,
                    ..
                }) => 2,
                Coding::Binary(_) => 0,
            }
    }

    /// The value behind the digits of the wire.
    pub fn value(self, digits: Decimal) -> Option<Decimal> {
        let exponent = digits
            .exponent()
            .checked_sub(i8::try_from(self.implied).ok()?)?;
        let shifted = Decimal::new(digits.digits(), exponent);
        shifted_by(shifted, self.offset)
    }

    /// What stands on the wire for `value`, one character a byte, or why it cannot be
    /// written: digits are never dropped.
    pub fn write(self, value: Decimal) -> Result<String, String> {
        let value = shifted_by(value, -self.offset).ok_or("the number is too large")?;
        let implied = i8::try_from(self.implied).unwrap_or(0);
        let raised = value.exponent().checked_add(implied);
        let value = Decimal::new(value.digits(), raised.ok_or("the number is too large")?);
        match self.coding {
            Coding::Binary(binary) => binary.write(value),
            Coding::Scientific { places } => Ok(scientific(value, places)),
            Coding::Digits { .. } => self.write_digits(value),
        }
    }

    fn write_digits(self, value: Decimal) -> Result<String, String> {
        let Coding::Digits {
            plus,
            apart,
            zeros,
            width,
            places,
        } = self.coding
        else {
            return Err("not a field of digits".to_owned());
        };
        let exponent = -i8::try_from(places).unwrap_or(i8::MAX);
        let steps = value.steps(exponent).ok_or_else(|| {
            format!("{value} has more digits than the {places} decimal places that can be sent")
        })?;
        let magnitude = Decimal::new(
            steps.checked_abs().ok_or("the number is too large")?,
            exponent,
        )
        .to_string();
        let sign = match steps < 0 {
            true => "-",
            false if plus => "+",
            false => "",
        };
        let rest = width.saturating_sub(sign.len());
        let text = if zeros {
            format!("{sign}{magnitude:0>rest$}")
        } else if apart {
            format!("{sign}{magnitude:>rest$}")
        } else {
            format!("{:>width$}", format!("{sign}{magnitude}"))
        };
        if width > 0 && text.len() > width {
            return Err(format!(
                "{value} is wider than the {width} characters of the field"
            ));
        }
        Ok(text)
    }

    /// A value that is missing, as instruments say it: a field of `*`, a quiet NaN, 9.91E+37
    /// (SCPI-99, volume 1, 7.2.1.4). An integer register has no such state.
    pub fn missing(self) -> Option<String> {
        match self.coding {
            Coding::Digits { width, .. } => Some("*".repeat(width.max(4))),
            Coding::Scientific { .. } => Some("+9.91000000E+37".to_owned()),
            Coding::Binary(Binary {
                kind: BinaryKind::F32,
                words,
            }) => Some(words.text(f32::NAN.to_bits())),
            Coding::Binary(Binary {
                kind: BinaryKind::Easy32,
                ..
            }) => Some(easybus::NO_SENSOR.to_owned()),
            Coding::Binary(_) => None,
        }
    }

    /// Length of the run of number characters: digits, signs, points, fill characters, and
    /// an exponent where digits follow it.
    pub fn length(self, bytes: &[u8]) -> usize {
        let mut length = 0;
        if matches!(self.coding, Coding::Digits { apart: true, .. })
            && matches!(bytes.first(), Some(b'+' | b'-'))
        {
            length = 1 + bytes[1..].iter().take_while(|&&byte| byte == b' ').count();
        }
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
}

impl Binary {
    pub fn parse(text: &str, words: Option<WordOrder>) -> Option<Self> {
        let kind = match text {
            "u16" => BinaryKind::U16,
            "i16" => BinaryKind::I16,
            "u32" => BinaryKind::U32,
            "i32" => BinaryKind::I32,
            "f32" => BinaryKind::F32,
            "u8" => BinaryKind::U8,
            "easy_word" => BinaryKind::EasyWord,
            "easy_id" => BinaryKind::EasyId,
            "easy16" => BinaryKind::Easy16,
            "easy32" => BinaryKind::Easy32,
            _ => return None,
        };
        Some(Self {
            kind,
            words: words?,
        })
    }

    pub const fn width(self) -> usize {
        match self.kind {
            BinaryKind::U8 => 1,
            BinaryKind::U16 | BinaryKind::I16 | BinaryKind::EasyWord | BinaryKind::Easy16 => 2,
            _ => 4,
        }
    }

    /// The number as text. A float is the shortest decimal that is nearest to it and to no
    /// other float; one that is no number has no digit in its text.
    pub fn read(self, bytes: &[u8]) -> String {
        match (self.kind, bytes) {
            (BinaryKind::U8, &[a]) => a.to_string(),
            (BinaryKind::EasyWord, &[a, b]) => easybus::word(a, b).to_string(),
            (BinaryKind::Easy16, &[a, b]) => easybus::read_short(a, b),
            (BinaryKind::EasyId, &[a, b, c, d]) => easybus::read_id([a, b, c, d]),
            (BinaryKind::Easy32, &[a, b, c, d]) => easybus::read_long([a, b, c, d]),
            (BinaryKind::U16, &[a, b]) => u16::from_be_bytes([a, b]).to_string(),
            (BinaryKind::I16, &[a, b]) => i16::from_be_bytes([a, b]).to_string(),
            (kind, &[a, b, c, d]) => {
                let number = match self.words {
                    WordOrder::HighFirst => u32::from_be_bytes([a, b, c, d]),
                    WordOrder::LowFirst => u32::from_be_bytes([c, d, a, b]),
                };
                match kind {
                    BinaryKind::I32 => number.cast_signed().to_string(),
                    BinaryKind::F32 => f32::from_bits(number).to_string(),
                    _ => number.to_string(),
                }
            }
            _ => String::new(),
        }
    }

    /// What stands on the wire for a text, where the bytes are no number.
    pub fn write_text(self, text: &str) -> Result<String, String> {
        if let BinaryKind::EasyId = self.kind {
            return easybus::write_id(text).map(|bytes| latin(&bytes));
        }
        let number = text.parse().map_err(|error| format!("{error}"))?;
        self.write(number)
    }

    pub fn write(self, value: Decimal) -> Result<String, String> {
        if let BinaryKind::F32 = self.kind {
            let number: f32 = value
                .to_string()
                .parse()
                .map_err(|_| "the number is too large")?;
            return Ok(self.words.text(number.to_bits()));
        }
        match self.kind {
            BinaryKind::Easy16 => return easybus::write_short(value).map(|bytes| latin(&bytes)),
            BinaryKind::Easy32 => return easybus::write_long(value).map(|bytes| latin(&bytes)),
            _ => {}
        }
        let steps = value
            .steps(0)
            .ok_or_else(|| format!("{value} has more digits than the register can carry"))?;
        let range = || format!("{value} does not fit the register");
        Ok(match self.kind {
            BinaryKind::U8 => latin(&[u8::try_from(steps).map_err(|_| range())?]),
            BinaryKind::EasyWord => {
                let [a, b] = u16::try_from(steps).map_err(|_| range())?.to_be_bytes();
                latin(&[!a, b])
            }
            BinaryKind::U16 => latin(&u16::try_from(steps).map_err(|_| range())?.to_be_bytes()),
            BinaryKind::I16 => latin(&i16::try_from(steps).map_err(|_| range())?.to_be_bytes()),
            BinaryKind::I32 => self
                .words
                .text(i32::try_from(steps).map_err(|_| range())?.cast_unsigned()),
            _ => self.words.text(u32::try_from(steps).map_err(|_| range())?),
        })
    }
}

impl WordOrder {
    fn text(self, number: u32) -> String {
        let [a, b, c, d] = number.to_be_bytes();
        match self {
            Self::HighFirst => latin(&[a, b, c, d]),
            Self::LowFirst => latin(&[c, d, a, b]),
        }
    }
}

/// The sum of a number and a whole one, with the digits of the first.
fn shifted_by(value: Decimal, offset: i16) -> Option<Decimal> {
    if offset == 0 {
        return Some(value);
    }
    let exponent = value.exponent().min(0);
    let one = 10_i64.checked_pow(u32::from(exponent.unsigned_abs()))?;
    let steps = value.steps(exponent)?;
    let sum = steps.checked_add(i64::from(offset).checked_mul(one)?)?;
    Some(Decimal::new(sum, exponent))
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn power_of_ten(text: &str) -> Option<u8> {
    let zeros = text.strip_prefix('1')?;
    let fits = !zeros.is_empty() && zeros.len() <= 9 && zeros.bytes().all(|byte| byte == b'0');
    fits.then(|| u8::try_from(zeros.len()).ok()).flatten()
}

fn parse_digits(spec: &str) -> Option<Coding> {
    let places = |text: &str| text.parse().ok().filter(|&places: &u8| places <= 12);
    if let Some(rest) = spec.strip_prefix("e.") {
        return Some(Coding::Scientific {
            places: places(rest)?,
        });
    }
    let (apart, plus, rest) = match (spec.strip_prefix("+ "), spec.strip_prefix('+')) {
        (Some(rest), _) => (true, true, rest),
        (None, Some(rest)) => (false, true, rest),
        (None, None) => (false, false, spec),
    };
    let (zeros, rest) = rest
        .strip_prefix('0')
        .map_or((false, rest), |rest| (true, rest));
    let (width, decimals) = rest.split_once('.')?;
    let width = if width.is_empty() {
        0
    } else {
        width.parse().ok()?
    };
    let refused = width > 64 || ((zeros || apart) && width == 0) || (zeros && apart);
    (!refused).then_some(Coding::Digits {
        plus,
        apart,
        zeros,
        width,
        places: places(decimals)?,
    })
}

/// `+2.61400000E+01`, as SCPI instruments write.
fn scientific(value: Decimal, places: u8) -> String {
    let text = format!("{:.*e}", usize::from(places), value.to_f64());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if mantissa.starts_with('-') { "" } else { "+" };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{mantissa}E{exponent_sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: &str, value: &str) -> Result<String, String> {
        NumberFormat::parse(format, None)
            .unwrap()
            .write(value.parse().unwrap())
    }

    #[test]
    fn numbers_are_written_in_the_width_of_the_wire() {
        assert_eq!(written("06.1", "25").unwrap(), "0025.0");
        assert_eq!(written("06.1", "-40").unwrap(), "-040.0");
        assert_eq!(written("06.1", "-0.5").unwrap(), "-000.5");
        assert_eq!(written("5.1", "98.4").unwrap(), " 98.4");
        assert_eq!(written("+.3", "1.5").unwrap(), "+1.500");
        assert_eq!(written("+ 9.4", "52.1874").unwrap(), "+ 52.1874");
        assert_eq!(written(".0", "2").unwrap(), "2");
        assert_eq!(written("9.0/10000", "1.2345").unwrap(), "    12345");
        assert_eq!(written("e.8", "26.14").unwrap(), "+2.61400000E+01");
        assert_eq!(written("e.8", "-0.00173730").unwrap(), "-1.73730000E-03");
        assert!(written("06.1", "25.05").is_err());
        assert!(written("5.1", "12345.0").is_err());
    }

    #[test]
    fn registers_hold_numbers_in_both_word_orders() {
        // Indigo500 user's guide p. 118: 41F4 7AE1h is 30.56 %RH, least significant word first.
        let low = NumberFormat::parse("f32", Some(WordOrder::LowFirst)).unwrap();
        let binary = low.binary().unwrap();
        assert_eq!(binary.read(b"\x7A\xE1\x41\xF4"), "30.56");
        assert_eq!(
            low.write("30.56".parse().unwrap()).unwrap(),
            "z\u{E1}A\u{F4}"
        );
        let high = NumberFormat::parse("f32", Some(WordOrder::HighFirst)).unwrap();
        assert_eq!(high.binary().unwrap().read(b"\x41\xF4\x7A\xE1"), "30.56");
        assert_eq!(high.binary().unwrap().read(b"\x7F\xC0\x00\x00"), "NaN");
        let tenth = NumberFormat::parse("i16/10", Some(WordOrder::HighFirst)).unwrap();
        assert_eq!(tenth.write("-40.5".parse().unwrap()).unwrap(), "\u{FE}k");
        assert_eq!(
            tenth.value("-405".parse().unwrap()).unwrap().to_string(),
            "-40.5"
        );
        assert!(tenth.write("4000.0".parse().unwrap()).is_err());
        assert!(NumberFormat::parse("f32", None).is_err());
        assert!(NumberFormat::parse("5.1", Some(WordOrder::LowFirst)).is_err());
    }
}
