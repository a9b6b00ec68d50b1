//! Check characters that end a line, by the name under which a description asks for them.

use serde::Deserialize;

/// How the check characters of a line are computed from the bytes before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Checksum {
    /// One character, 20h + (sum AND 3Fh): Rotronic RO-ASCII.
    Rotronic,
    /// Sum modulo 256 as two hexadecimal digits: item CS2 of a Vaisala output format.
    Sum256,
    /// Sum modulo 65536 as four hexadecimal digits: item CS4.
    Sum65536,
    /// Exclusive or of what stands between `$` and `*`, two hexadecimal digits: NMEA 0183,
    /// and item CSX of Vaisala.
    Nmea,
    /// Sum modulo 100 as two decimal digits: Druck DPI, Mensor's emulation of it.
    Sum100,
}

impl Checksum {
    /// The check characters of `line`, which ends where they begin.
    pub fn of(self, line: &[u8]) -> Vec<u8> {
        let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
        match self {
            Self::Rotronic => {
                // `|` only sends the string on through a master and does not count.
                let line = line.strip_prefix(b"|").unwrap_or(line);
                vec![0x20 + low_byte(sum(line) & 0x3F)]
            }
            Self::Sum256 => format!("{:02X}", sum(line) & 0xFF).into_bytes(),
            Self::Sum65536 => format!("{:04X}", sum(line) & 0xFFFF).into_bytes(),
            Self::Nmea => {
                let line = line.strip_prefix(b"$").unwrap_or(line);
                let line = line.strip_suffix(b"*").unwrap_or(line);
                format!("{:02X}", line.iter().fold(0, |check, byte| check ^ byte)).into_bytes()
            }
            Self::Sum100 => format!("{:02}", sum(line) % 100).into_bytes(),
        }
    }

    /// Number of check characters.
    pub const fn width(self) -> usize {
        match self {
            Self::Rotronic => 1,
            Self::Sum256 | Self::Nmea | Self::Sum100 => 2,
            Self::Sum65536 => 4,
        }
    }
}

fn low_byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

/// CRC-16 of Modbus RTU (polynomial A001h reflected, start FFFFh), low byte first on the wire.
/// Modbus over Serial Line V1.02, 6.2.2.
pub(crate) fn modbus_crc(bytes: &[u8]) -> [u8; 2] {
    let crc = bytes.iter().fold(0xFFFF_u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xA001
            } else {
                crc >> 1
            }
        })
    });
    crc.to_le_bytes()
}

/// Longitudinal redundancy check of Modbus ASCII: minus the sum. V1.02, 6.2.1.
pub(crate) fn modbus_lrc(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0_u8, |sum, &byte| sum.wrapping_add(byte))
        .wrapping_neg()
}

/// Check byte of Greisinger's EASYBus over two bytes: polynomial 0700h over 16 bits, inverted.
/// Greisinger's description of the interface, 8.5, after MSLNZ/msl-equipment.
pub(crate) fn easybus_check(pair: [u8; 2]) -> u8 {
    let rest = (0..16).fold(u16::from_be_bytes(pair), |rest, _| {
        if rest & 0x8000 != 0 {
            (rest << 1) ^ 0x0700
        } else {
            rest << 1
        }
    });
    !rest.to_be_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotronic_vectors_of_the_makers_documents() {
        // E-M-AC3000-CP_25 p. 9-23, E-T-2P TempAdj_10 p. 6, E-M-HFHP-CP_13.
        for (line, check) in [
            (&b"{F09RDD"[..], b'$'),
            (b"{F04ren OK", b'D'),
            (b"{F01hca OK", b'('),
            (b"{F05lgc OK", b'6'),
            (b"{F05lgc 001;001;00002;0050746164;00000;", b'H'),
            (b"{F05lgc 000;001;00002;0050746164;00037;", b'Q'),
            (b"{F00erd 016;202;038;017;198;038;", b'Y'),
            (b"{ 99erd 050;017;128;059;", b'Z'),
            (b"{ 99erd 127;005;027;181;", b'V'),
            (b"{ 99erd 000;000;000;000;", b'4'),
            (b"{ 99erd 052;254;181;067;", b']'),
            (b"{M03RDD 0027.50;0023.76;0029.31;0022.77;#", b'M'),
        ] {
            assert_eq!(
                Checksum::Rotronic.of(line),
                [check],
                "{}",
                crate::escape(line)
            );
        }
    }

    #[test]
    fn easybus_vectors_of_a_real_thermometer() {
        for [a, b, check] in [
            *b"\xFE\x05\x26",
            *b"\x71\x00\x48",
            *b"\xF7\x80\x09",
            *b"\x72\xFF\x84",
            *b"\x4F\x00\x67",
            *b"\xBF\x30\xE3",
        ] {
            assert_eq!(easybus_check([a, b]), check);
        }
    }

    #[test]
    fn vaisala_and_modbus_vectors() {
        // PTB330 user's guide: the text "1010.09 " has CS4 0179 and CS2 79.
        assert_eq!(Checksum::Sum65536.of(b"1010.09 "), b"0179");
        assert_eq!(Checksum::Sum256.of(b"1010.09 "), b"79");
        // PTB220 user's guide p. 105, with the blank in front that the print lost.
        assert_eq!(Checksum::Sum65536.of(b" 994.16 "), b"017B");
        // A frame seen between two other programs.
        assert_eq!(
            modbus_crc(b"\xF0\x03\x08\x7A\xE1\x41\xF4\x00\x00\x41\xA4"),
            [0x6B, 0x52]
        );
        // Rotronic E-M-AC3000-CP_25 p. 30.
        assert_eq!(modbus_lrc(b"\x01\x03\x06\x01\x5E\x04\xCE\x04\x2B"), 0x96);
        // A GLL sentence that GPS receivers' manuals print.
        assert_eq!(
            Checksum::Nmea.of(b"$GPGLL,5057.970,N,00146.110,E,142451,A*"),
            b"27"
        );
    }
}
