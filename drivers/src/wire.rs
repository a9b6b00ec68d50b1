//! What lies between a line of a description and the bytes of the wire: terminators, or the
//! frame of a protocol. All functions are pure.

use crate::checksum::{easybus_check, modbus_crc, modbus_lrc};
use crate::escape::escape;
use crate::reply::DecodeCause;
use crate::template::find;

/// How bodies are wrapped. A body is one line without its end, or the content of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Lines with terminators.
    Lines { request: Vec<u8>, reply: Vec<u8> },
    /// The body is a protocol data unit: function and data. Modbus over Serial Line V1.02.
    Modbus {
        unit: u8,
        ascii: bool,
        /// Some instruments take requests in ASCII without the LRC.
        request_check: bool,
    },
    /// Clima Temperatur Systeme: `STX`, address, body, check, `ETX`, bit 7 set in between.
    Cts { address: u8 },
    /// Greisinger EASYBus: pairs of bytes, each with a check byte; the first is the inverted
    /// address, the second says how many pairs follow.
    EasyBus { address: u8 },
    /// Sartorius SBI: requests begin with `ESC` and end by themselves, replies are lines.
    Sbi { reply: Vec<u8> },
}

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const ESC: u8 = 0x1B;

impl Wire {
    /// The bytes of a request.
    pub fn request(&self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Lines { request, .. } => [body, request].concat(),
            Self::Modbus {
                unit,
                ascii,
                request_check,
            } => modbus_frame(*unit, body, *ascii, *request_check),
            Self::Cts { address } => cts_frame(*address, body),
            Self::EasyBus { address } => easybus_frame(*address, body),
            Self::Sbi { .. } => [&[ESC], body, b"\r\n"].concat(),
        }
    }

    /// The bytes of a reply that consists of these lines, from the instrument's side.
    pub fn reply(&self, bodies: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for body in bodies {
            match self {
                Self::Lines { reply, .. } | Self::Sbi { reply } => {
                    bytes.extend_from_slice(body);
                    bytes.extend_from_slice(reply);
                }
                Self::Modbus { unit, ascii, .. } => {
                    bytes.extend(modbus_frame(*unit, body, *ascii, true));
                }
                Self::Cts { address } => bytes.extend(cts_frame(*address, body)),
                Self::EasyBus { address } => bytes.extend(easybus_frame(*address, body)),
            }
        }
        bytes
    }

    pub const fn is_modbus(&self) -> bool {
        matches!(self, Self::Modbus { .. })
    }

    /// Whether bodies are bytes and no characters.
    pub const fn is_binary(&self) -> bool {
        matches!(self, Self::Modbus { .. } | Self::EasyBus { .. })
    }

    /// Line ends and the like that may lie in front of a reply and mean nothing.
    pub fn skipped(&self, received: &[u8]) -> usize {
        match self {
            Self::Lines { reply, .. } | Self::Sbi { reply } => received
                .iter()
                .take_while(|&&byte| byte == b'\r' || byte == b'\n' || reply == &[byte])
                .count(),
            _ => 0,
        }
    }

    /// Length of the first line or frame of a reply with its end; none where more must come.
    pub fn reply_length(&self, received: &[u8]) -> Option<usize> {
        match self {
            Self::Lines { reply, .. } | Self::Sbi { reply } => {
                find(received, reply).map(|length| length + reply.len())
            }
            Self::Modbus { ascii: true, .. } => find(received, b"\r\n").map(|length| length + 2),
            Self::Modbus { .. } => {
                rtu_reply_length(received).filter(|&length| length <= received.len())
            }
            Self::Cts { .. } => find(received, &[ETX]).map(|length| length + 1),
            Self::EasyBus { .. } => easybus_length(received),
        }
    }

    /// The body of one line or frame, as cut by [`Wire::reply_length`].
    ///
    /// # Errors
    /// The frame is not what the protocol makes: broken off, a check that does not match,
    /// another address.
    pub fn open(&self, frame: &[u8]) -> Result<Vec<u8>, DecodeCause> {
        match self {
            Self::Lines { reply, .. } | Self::Sbi { reply } => {
                let body = frame
                    .strip_suffix(&reply[..])
                    .ok_or_else(|| DecodeCause::Truncated { end: escape(reply) })?;
                // Whether CR comes before LF is a menu item of many instruments.
                let carriage_return = reply == b"\n" && body.ends_with(b"\r");
                Ok(body[..body.len() - usize::from(carriage_return)].to_vec())
            }
            Self::Modbus { unit, ascii, .. } => open_modbus(*unit, frame, *ascii),
            Self::Cts { address } => open_cts(*address, frame),
            Self::EasyBus { address } => open_easybus(*address, frame),
        }
    }

    /// From the instrument's side: bytes to throw away and the length of the first request
    /// after them; none where more must come.
    pub fn request_length(&self, received: &[u8]) -> Option<(usize, usize)> {
        match self {
            // Requests end with CR, LF or both; an empty one is a bare CR that clears what
            // was half typed.
            Self::Lines { request, .. } => {
                let ends: &[u8] = match request.last() {
                    Some(b'\r' | b'\n') | None => b"\r\n",
                    Some(_) => request,
                };
                let start = received
                    .iter()
                    .take_while(|byte| ends.contains(byte))
                    .count();
                let length = received[start..]
                    .iter()
                    .position(|byte| ends.contains(byte))?;
                Some((start, length + 1))
            }
            Self::Sbi { .. } => {
                let start = received.iter().position(|&byte| byte == ESC)?;
                let rest = &received[start + 1..];
                let length = match rest.first()? {
                    b'A'..=b'Z' => 1,
                    _ => rest.iter().position(|&byte| byte == b'_')? + 1,
                };
                Some((start, 1 + length))
            }
            Self::Modbus { ascii: true, .. } => {
                let start = received.iter().position(|&byte| byte == b':')?;
                let length = find(&received[start..], b"\r\n")?;
                Some((start, length + 2))
            }
            Self::Modbus { .. } => {
                let length = rtu_request_length(received)?;
                (length <= received.len()).then_some((0, length))
            }
            Self::Cts { .. } => {
                let start = received.iter().position(|&byte| byte == STX)?;
                let length = find(&received[start..], &[ETX])?;
                Some((start, length + 1))
            }
            Self::EasyBus { .. } => easybus_length(received).map(|length| (0, length)),
        }
    }

    /// From the instrument's side: the body of a request, where it is meant for this one.
    pub fn open_request(&self, frame: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Lines { request, .. } => {
                let end = request.last().copied().unwrap_or(b'\r');
                let body = frame
                    .strip_suffix(&[end])
                    .or_else(|| frame.strip_suffix(b"\r"))
                    .or_else(|| frame.strip_suffix(b"\n"));
                Some(body.unwrap_or(frame).to_vec())
            }
            Self::Sbi { .. } => frame.strip_prefix(&[ESC]).map(<[u8]>::to_vec),
            Self::Modbus {
                unit,
                ascii: true,
                request_check: false,
            } => {
                let bytes = hexadecimal(frame.strip_prefix(b":")?.strip_suffix(b"\r\n")?)?;
                (bytes.first() == Some(unit)).then(|| bytes[1..].to_vec())
            }
            _ => self.open(frame).ok(),
        }
    }
}

/// Names of the exception codes of Modbus Application Protocol V1.1b3, clause 7.
pub(crate) fn modbus_exception(body: &[u8]) -> Option<&'static str> {
    let &[function, code] = body else {
        return None;
    };
    (function & 0x80 != 0).then_some(match code {
        1 => "Modbus exception 1: illegal function",
        2 => "Modbus exception 2: illegal data address",
        3 => "Modbus exception 3: illegal data value",
        4 => "Modbus exception 4: device failure",
        5 => "Modbus exception 5: accepted, it takes long",
        6 => "Modbus exception 6: device busy",
        8 => "Modbus exception 8: memory parity error",
        10 | 11 => "Modbus exception of a gateway: its target does not answer",
        _ => "Modbus exception with a code that the standard does not name",
    })
}

fn modbus_frame(unit: u8, body: &[u8], ascii: bool, check: bool) -> Vec<u8> {
    let mut bytes = vec![unit];
    bytes.extend_from_slice(body);
    if !ascii {
        bytes.extend(modbus_crc(&bytes));
        return bytes;
    }
    if check {
        bytes.push(modbus_lrc(&bytes));
    }
    let mut line = vec![b':'];
    for byte in bytes {
        line.extend(format!("{byte:02X}").into_bytes());
    }
    line.extend_from_slice(b"\r\n");
    line
}

fn open_modbus(unit: u8, frame: &[u8], ascii: bool) -> Result<Vec<u8>, DecodeCause> {
    let wrong = |reason: &str| DecodeCause::Frame {
        reason: reason.to_owned(),
    };
    let (bytes, check, due) = if ascii {
        let digits = frame
            .strip_suffix(b"\r\n")
            .ok_or_else(|| DecodeCause::Truncated {
                end: "\\r\\n".to_owned(),
            })?;
        let bytes = digits.strip_prefix(b":").and_then(hexadecimal);
        let mut bytes =
            bytes.ok_or_else(|| wrong("a frame is ':' and pairs of hexadecimal digits"))?;
        let check = bytes.split_off(bytes.len().saturating_sub(1));
        let due = vec![modbus_lrc(&bytes)];
        (bytes, check, due)
    } else {
        let cut = frame.len().saturating_sub(2);
        let (bytes, check) = frame.split_at(cut);
        (bytes.to_vec(), check.to_vec(), modbus_crc(bytes).to_vec())
    };
    if bytes.len() < 2 {
        return Err(wrong("the frame is shorter than address and function"));
    }
    if check != due {
        return Err(DecodeCause::Check {
            expected: escape(&due),
            found: escape(&check),
        });
    }
    if bytes[0] != unit {
        return Err(DecodeCause::Frame {
            reason: format!("unit {} answers, unit {unit} was asked", bytes[0]),
        });
    }
    Ok(bytes[1..].to_vec())
}

/// Length of an RTU reply from its function and byte count; none where they have not come.
/// A function that this program never asks for has no known length: silence ends it.
fn rtu_reply_length(received: &[u8]) -> Option<usize> {
    match received.get(1)? {
        1..=4 => Some(5 + usize::from(*received.get(2)?)),
        5 | 6 | 8 | 15 | 16 => Some(8),
        43 => rtu_identification_length(received),
        0x80.. => Some(5),
        _ => None,
    }
}

/// A reply to function 43/14 names the number of its objects and the length of each.
fn rtu_identification_length(received: &[u8]) -> Option<usize> {
    let mut length = 8;
    for _ in 0..*received.get(7)? {
        length += 2 + usize::from(*received.get(length + 1)?);
    }
    Some(length + 2)
}

fn rtu_request_length(received: &[u8]) -> Option<usize> {
    match received.get(1)? {
        15 | 16 => Some(9 + usize::from(*received.get(6)?)),
        43 => Some(7),
        _ => Some(8),
    }
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(digits).ok()?;
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn easybus_frame(address: u8, body: &[u8]) -> Vec<u8> {
    let bytes: Vec<u8> = std::iter::once(!address)
        .chain(body.iter().copied())
        .collect();
    let pairs = bytes
        .chunks(2)
        .map(|pair| [pair[0], pair.get(1).copied().unwrap_or(0)]);
    pairs
        .flat_map(|pair| [pair[0], pair[1], easybus_check(pair)])
        .collect()
}

/// Bits 1 and 2 of the second byte: number of further pairs.
fn easybus_length(received: &[u8]) -> Option<usize> {
    let length = 3 + 3 * usize::from((received.get(1)? >> 1) & 3);
    (length <= received.len()).then_some(length)
}

fn open_easybus(address: u8, frame: &[u8]) -> Result<Vec<u8>, DecodeCause> {
    let wrong = |reason: String| DecodeCause::Frame { reason };
    let mut bytes = Vec::new();
    for triple in frame.chunks(3) {
        let &[a, b, check] = triple else {
            let reason = "a pair of bytes lacks its check byte: the reply breaks off";
            return Err(wrong(reason.to_owned()));
        };
        let due = easybus_check([a, b]);
        if check != due {
            return Err(DecodeCause::Check {
                expected: escape(&[due]),
                found: escape(&[check]),
            });
        }
        bytes.extend([a, b]);
    }
    if easybus_length(frame) != Some(frame.len()) {
        return Err(wrong(
            "the frame has another length than it says".to_owned(),
        ));
    }
    if bytes[0] != !address {
        let reason = format!("unit {} answers, unit {address} was asked", !bytes[0]);
        return Err(wrong(reason));
    }
    Ok(bytes[1..].to_vec())
}

fn cts_frame(address: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![STX, address | 0x80];
    frame.extend(body.iter().map(|byte| byte | 0x80));
    frame.push(cts_check(&frame[1..]));
    frame.push(ETX);
    frame
}

fn cts_check(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |check, byte| check ^ byte) | 0x80
}

fn open_cts(address: u8, frame: &[u8]) -> Result<Vec<u8>, DecodeCause> {
    let wrong = |reason: String| DecodeCause::Frame { reason };
    let Some(inner) = frame.strip_suffix(&[ETX]) else {
        return Err(DecodeCause::Truncated {
            end: "\\x03".to_owned(),
        });
    };
    let Some([from, body @ .., check]) = inner.strip_prefix(&[STX]) else {
        return Err(wrong(
            "a frame is STX, address, characters, check and ETX".to_owned(),
        ));
    };
    let due = cts_check(&inner[1..inner.len() - 1]);
    if *check != due {
        return Err(DecodeCause::Check {
            expected: escape(&[due]),
            found: escape(&[*check]),
        });
    }
    if *from != address | 0x80 {
        let reason = format!("unit {} answers, unit {address} was asked", from & 0x7F);
        return Err(wrong(reason));
    }
    if let Some(byte) = body.iter().find(|&&byte| byte < 0x80) {
        return Err(wrong(format!("the character {byte:02X}h lacks bit 7")));
    }
    Ok(body.iter().map(|byte| byte & 0x7F).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_other_programs_are_made_and_read() {
        let rtu = Wire::Modbus {
            unit: 0xF0,
            ascii: false,
            request_check: true,
        };
        // Seen between a public Modbus server and a public client.
        assert_eq!(
            rtu.request(b"\x03\x00\x00\x00\x04"),
            b"\xF0\x03\x00\x00\x00\x04\x51\x28"
        );
        let reply = b"\xF0\x03\x08\x7A\xE1\x41\xF4\x00\x00\x41\xA4\x6B\x52";
        assert_eq!(rtu.reply_length(reply), Some(13));
        assert_eq!(rtu.open(reply).unwrap(), &reply[1..11]);
        assert!(matches!(
            rtu.open(&reply[..12]),
            Err(DecodeCause::Check { .. })
        ));
        // Protocol page of the maker: `O` to unit 1.
        let cts = Wire::Cts { address: 1 };
        assert_eq!(cts.request(b"O"), b"\x02\x81\xCF\xCE\x03");
        assert_eq!(cts.open(b"\x02\x81\xCF\xCE\x03").unwrap(), b"O");
        // Rotronic E-M-AC3000-CP_25 p. 30.
        let ascii = Wire::Modbus {
            unit: 1,
            ascii: true,
            request_check: false,
        };
        assert_eq!(ascii.request(b"\x03"), b":0103\r\n");
        assert_eq!(
            ascii.open(b":010306015E04CE042B96\r\n").unwrap(),
            b"\x03\x06\x01\x5E\x04\xCE\x04\x2B"
        );
    }

    #[test]
    fn an_instrument_finds_requests_in_a_stream() {
        let lines = Wire::Lines {
            request: b"\r".to_vec(),
            reply: b"\r\n".to_vec(),
        };
        assert_eq!(lines.request_length(b"\r\nSEND\rS"), Some((2, 5)));
        assert_eq!(lines.open_request(b"SEND\r").unwrap(), b"SEND");
        assert_eq!(lines.request_length(b"SEN"), None);
        let fed = Wire::Lines {
            request: b"\n".to_vec(),
            reply: b"\n".to_vec(),
        };
        assert_eq!(fed.open(b":OUTP:STAT 0\n").unwrap(), b":OUTP:STAT 0");
        assert_eq!(fed.open(b":OUTP:STAT 0\r\n").unwrap(), b":OUTP:STAT 0");
        let sbi = Wire::Sbi {
            reply: b"\r\n".to_vec(),
        };
        assert_eq!(sbi.request_length(b"\r\n\x1Bx1_"), Some((2, 4)));
        assert_eq!(sbi.request_length(b"\x1BP"), Some((0, 2)));
        assert_eq!(sbi.open_request(b"\x1BP").unwrap(), b"P");
        let rtu = Wire::Modbus {
            unit: 1,
            ascii: false,
            request_check: true,
        };
        let write = rtu.request(b"\x10\x00\x00\x00\x02\x04\x00\x00\x41\xA0");
        assert_eq!(rtu.request_length(&write), Some((0, 13)));
        assert_eq!(rtu.request_length(&write[..12]), None);
    }
}
