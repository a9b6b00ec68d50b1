//! Numbers of Greisinger's EASYBus. The first byte of every pair is inverted on the wire, and
//! values from a limit upward are codes of errors. Layout as in the public driver
//! MSLNZ/msl-equipment, greisinger/gmh3000.py, and the replies of a real GMH 3710 in its test.

use heng_quantities::Decimal;

/// A 32-bit value has 27 bits; from here on they are codes.
const LONG_MASK: u32 = 0x07FF_FFFF;
const LONG_CODES: u32 = 0x07F5_E100;
const LONG_SIGN: u32 = 0x0400_0000;
const LONG_ZERO: u32 = 0x0200_0000;
/// A 16-bit value has 14 bits.
const SHORT_MASK: u16 = 0x3FFF;
const SHORT_CODES: u16 = 0x3FE0;
const SHORT_ZERO: i64 = 2048;
const CODE_NO_SENSOR: u32 = 16365;

/// A value that says that no sensor is there, exponent 2, as it stands on the wire.
pub(crate) const NO_SENSOR: &str = "p\u{F6}\u{DF}\u{ED}";

/// Two bytes as a whole number.
pub(crate) fn word(a: u8, b: u8) -> u16 {
    u16::from_be_bytes([!a, b])
}

fn long(bytes: [u8; 4]) -> u32 {
    let [a, b, c, d] = bytes;
    u32::from_be_bytes([!a, b, !c, d])
}

/// What a code means; the text has no digit, so that nobody takes it for a value.
fn meaning(code: u32) -> String {
    let known = match code {
        16352 => "above the range",
        16353 => "below the range",
        16362 => "cannot be computed",
        16363 => "system error",
        16364 => "battery empty",
        CODE_NO_SENSOR => "no sensor",
        16366..=16371 => "data invalid",
        _ => "unknown error code",
    };
    known.to_owned()
}

pub(crate) fn read_short(a: u8, b: u8) -> String {
    let bits = word(a, b);
    let (places, number) = (bits >> 14, bits & SHORT_MASK);
    if number >= SHORT_CODES {
        return meaning(u32::from(number));
    }
    decimal(i64::from(number) - SHORT_ZERO, i64::from(places))
}

pub(crate) fn read_long(bytes: [u8; 4]) -> String {
    let bits = long(bytes);
    let (places, number) = (i64::from(bits >> 27) - 15, bits & LONG_MASK);
    if number >= LONG_CODES {
        return meaning(number - LONG_CODES);
    }
    let mut extended = number;
    if number & LONG_SIGN != 0 {
        extended |= !LONG_MASK;
    }
    let value = extended.wrapping_add(LONG_ZERO).cast_signed();
    decimal(i64::from(value), places)
}

fn decimal(digits: i64, places: i64) -> String {
    match i8::try_from(-places) {
        Ok(exponent) => Decimal::new(digits, exponent).to_string(),
        Err(_) => String::new(),
    }
}

fn places_of(value: Decimal) -> Result<(i64, u8), String> {
    let exponent = value.exponent().min(0);
    let digits = value.steps(exponent).ok_or("the number is too large")?;
    Ok((digits, exponent.unsigned_abs()))
}

pub(crate) fn write_short(value: Decimal) -> Result<[u8; 2], String> {
    let (digits, places) = places_of(value)?;
    let number = u16::try_from(digits + SHORT_ZERO).ok();
    let number = number.filter(|&number| number < SHORT_CODES && places <= 3);
    let number = number.ok_or_else(|| format!("{value} does not fit two bytes"))?;
    let [a, b] = (number | (u16::from(places) << 14)).to_be_bytes();
    Ok([!a, b])
}

pub(crate) fn write_long(value: Decimal) -> Result<[u8; 4], String> {
    let (digits, places) = places_of(value)?;
    let fits = places <= 16 && digits.abs() < 10_000_000;
    let digits = i32::try_from(digits).ok().filter(|_| fits);
    let digits = digits.ok_or_else(|| format!("{value} does not fit four bytes"))?;
    let number = digits.cast_unsigned().wrapping_sub(LONG_ZERO) & LONG_MASK;
    let [a, b, c, d] = (number | ((u32::from(places) + 15) << 27)).to_be_bytes();
    Ok([!a, b, !c, d])
}

/// A serial number: its hexadecimal digits are the decimal ones of the type plate.
pub(crate) fn read_id(bytes: [u8; 4]) -> String {
    format!("{:x}", long(bytes))
}

pub(crate) fn write_id(text: &str) -> Result<[u8; 4], String> {
    let number = u32::from_str_radix(text, 16);
    let number = number.map_err(|_| format!("{text:?} has other characters than 0-9, a-f"))?;
    let [a, b, c, d] = number.to_be_bytes();
    Ok([!a, b, !c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_a_real_thermometer() {
        assert_eq!(read_long([0x71, 0x00, 0xF7, 0x80]), "21.76");
        assert_eq!(read_long([0x72, 0xFF, 0x00, 0xFC]), "-0.04");
        assert_eq!(read_long([0x70, 0xF6, 0xDF, 0xED]), "no sensor");
        assert_eq!(read_short(0xBF, 0x30), "-200.0");
        assert_eq!(read_short(0x96, 0x34), "850.0");
        assert_eq!(
            NO_SENSOR.chars().map(|c| c as u32).collect::<Vec<_>>(),
            [0x70, 0xF6, 0xDF, 0xED]
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "21.76", "-0.04", "850.00", "-200.00", "0.00", "23", "99999.99",
        ] {
            let value: Decimal = text.parse().unwrap();
            assert_eq!(read_long(write_long(value).unwrap()), text);
        }
        for text in ["-200.0", "850.0", "0.00", "-2.048"] {
            let value: Decimal = text.parse().unwrap();
            let [a, b] = write_short(value).unwrap();
            assert_eq!(read_short(a, b), text);
        }
        assert_eq!(
            write_long("21.76".parse().unwrap()).unwrap(),
            [0x71, 0x00, 0xF7, 0x80]
        );
        assert!(write_long("100000.00".parse().unwrap()).is_err());
        assert!(write_short("2000.0".parse().unwrap()).is_err());
        assert_eq!(read_id(write_id("70007").unwrap()), "70007");
        assert!(write_id("SIM").is_err());
        assert_eq!(read_short(0x00, 0xE0), "above the range");
        assert_eq!(read_short(0x00, 0xFF), "unknown error code");
    }
}
