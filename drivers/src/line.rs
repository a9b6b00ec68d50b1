//! Settings of a serial line, written as people write them: `4800 7E1`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Baud rate, data bits, parity, stop bits, and flow control where there is one:
/// `9600 8N1 xonxoff`, `4800 7E1 rtscts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LineSettings {
    pub baud: u32,
    /// 7 or 8.
    pub data_bits: u8,
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
    pub flow: Flow,
}

/// Who may stop the other side, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flow {
    #[default]
    None,
    /// With the bytes DC1 and DC3, which then carry nothing else.
    XonXoff,
    /// With the lines RTS and CTS.
    RtsCts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parity {
    None,
    Even,
    Odd,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} are no line settings: write rate and frame, and xonxoff or rtscts where there is flow control, such as \"9600 8N1\" or \"4800 7E1 rtscts\""
)]
pub struct LineError(String);

impl LineSettings {
    /// Bits on the wire for one byte: start, data, parity and stop bits.
    #[must_use]
    pub fn bits_per_byte(self) -> u64 {
        let parity = u64::from(self.parity != Parity::None);
        1 + u64::from(self.data_bits) + parity + u64::from(self.stop_bits)
    }

    /// Time that `bytes` bytes take on the wire.
    #[must_use]
    pub fn wire_us(self, bytes: usize) -> u64 {
        bytes as u64 * self.bits_per_byte() * 1_000_000 / u64::from(self.baud.max(1))
    }
}

impl FromStr for LineSettings {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        let refuse = || LineError(text.to_owned());
        let (baud, rest) = text.split_once(' ').ok_or_else(refuse)?;
        let (frame, flow) = match rest.split_once(' ') {
            None => (rest, Flow::None),
            Some((frame, "xonxoff")) => (frame, Flow::XonXoff),
            Some((frame, "rtscts")) => (frame, Flow::RtsCts),
            Some(_) => return Err(refuse()),
        };
        let &[data @ (b'7' | b'8'), parity, stop @ (b'1' | b'2')] = frame.as_bytes() else {
            return Err(refuse());
        };
        let parity = match parity {
            b'N' => Parity::None,
            b'E' => Parity::Even,
            b'O' => Parity::Odd,
            _ => return Err(refuse()),
        };
        let baud = baud
            .parse()
            .ok()
            .filter(|&baud: &u32| baud > 0)
            .ok_or_else(refuse)?;
        Ok(Self {
            baud,
            data_bits: data - b'0',
            parity,
            stop_bits: stop - b'0',
            flow,
        })
    }
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        let flow = match self.flow {
            Flow::None => "",
            Flow::XonXoff => " xonxoff",
            Flow::RtsCts => " rtscts",
        };
        write!(
            f,
            "{} {}{parity}{}{flow}",
            self.baud, self.data_bits, self.stop_bits
        )
    }
}

impl TryFrom<String> for LineSettings {
    type Error = LineError;

    fn try_from(text: String) -> Result<Self, LineError> {
        text.parse()
    }
}

impl From<LineSettings> for String {
    fn from(line: LineSettings) -> Self {
        line.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_print_as_they_were_read() {
        for text in [
            "9600 8N1",
            "4800 7E1",
            "19200 8O1",
            "4800 7E2",
            "2400 8N2",
            "9600 8N1 xonxoff",
            "4800 7E1 rtscts",
        ] {
            assert_eq!(text.parse::<LineSettings>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "9600",
            "9600 9N1",
            "9600 8X1",
            "0 8N1",
            "x 8N1",
            "9600 8N3",
            "9600 8n1",
            "9600 8N1 dtr",
            "9600 8N1  rtscts",
            "9600 8N1 ",
        ] {
            assert!(
                text.parse::<LineSettings>().is_err(),
                "{text:?} was accepted"
            );
        }
    }

    #[test]
    fn a_byte_takes_ten_bit_times_at_8n1_and_at_7e1() {
        assert_eq!(
            "9600 8N1".parse::<LineSettings>().unwrap().wire_us(96),
            100_000
        );
        assert_eq!(
            "4800 7E1".parse::<LineSettings>().unwrap().wire_us(48),
            100_000
        );
        assert_eq!(
            "2400 8E2".parse::<LineSettings>().unwrap().wire_us(2),
            10_000
        );
    }
}
