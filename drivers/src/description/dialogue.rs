//! Encoding, framing and decoding, and the same dialogue from the instrument's side.

use std::collections::BTreeMap;

use heng_quantities::Decimal;

use super::{Command, Description, Echo, LONGEST_REPLY, Says, argument_names};
use crate::escape::escape;
use crate::number::NumberFormat;
use crate::recipe::QualityTable;
use crate::reply::{
    Class, DecodeCause, DecodeError, EncodeError, Framing, Quality, Reply, Request, Value,
};
use crate::template::{Capture, Field, Mismatch, Template};
use crate::wire::modbus_exception;

/// A request as the simulator understands it.
pub(crate) struct SimulatedLine<'a> {
    command: &'a Command,
    /// Field -> text of every field that the request carries.
    pub fields: Vec<(String, String)>,
}

impl<'a> SimulatedLine<'a> {
    pub fn name(&self) -> &'a str {
        &self.command.name
    }

    pub fn class(&self) -> Class {
        self.command.class
    }
}

impl Description {
    /// The bytes of a request.
    ///
    /// # Errors
    /// [`EncodeError`] where the command is unknown, or an argument is missing, unknown or
    /// does not fit its field.
    pub fn encode(&self, request: &Request) -> Result<Vec<u8>, EncodeError> {
        let command =
            self.command(&request.command)
                .ok_or_else(|| EncodeError::UnknownCommand {
                    instrument: self.id.clone(),
                    command: request.command.clone(),
                    known: self
                        .commands
                        .iter()
                        .map(|command| command.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", "),
                })?;
        let names = argument_names(&command.send);
        if let Some((name, _)) = request.args.iter().find(|(name, _)| !names.contains(name)) {
            return Err(EncodeError::UnknownArgument {
                instrument: self.id.clone(),
                command: request.command.clone(),
                argument: name.clone(),
            });
        }
        let line = command
            .send
            .write(&mut |field| self.argument(request, field))?;
        if command.listen {
            return Ok(Vec::new());
        }
        Ok(self.wire.request(&line))
    }

    fn argument(&self, request: &Request, field: &Field) -> Result<String, EncodeError> {
        let given = |name: &str| {
            request
                .args
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, text)| text)
        };
        let (name, text) = match field {
            Field::Unit { text, .. } => return Ok(unit_on_wire(text).to_owned()),
            Field::Check(_) | Field::Block => return Ok(String::new()),
            Field::Number { name, .. } | Field::Text { name, .. } => (name, given(name)),
        };
        let Some(text) = text else {
            return Err(EncodeError::MissingArgument {
                instrument: self.id.clone(),
                command: request.command.clone(),
                argument: name.clone(),
            });
        };
        let written = match field {
            Field::Number { format, .. } => text
                .parse()
                .map_err(|error| format!("{error}"))
                .and_then(|value: Decimal| format.write(value)),
            Field::Text { coding, .. } => coding.write(text),
            Field::Unit { .. } | Field::Check(_) | Field::Block => Ok(text.clone()),
        };
        written.map_err(|reason| EncodeError::Argument {
            instrument: self.id.clone(),
            command: request.command.clone(),
            argument: name.clone(),
            reason,
        })
    }

    /// Where the reply to `request` ends in the bytes so far; not what it says. Bytes that
    /// never end are cut after 8192.
    pub fn frame(&self, request: &Request, received: &[u8]) -> Framing {
        let command = self.command(&request.command);
        let reply = command.map_or(&[][..], |command| &command.reply);
        let start = match self.echoed(request, received) {
            Echoed::Partial if self.echo == Echo::Yes => return Framing::NeedMore,
            Echoed::Complete(length) => length,
            Echoed::Partial | Echoed::Absent => 0,
        };
        let (Some(command), Some(last)) = (command, reply.last()) else {
            return Framing::Complete(start);
        };
        let mut at = start + self.skipped(command, &received[start..]);
        let mut lines = 0;
        while let Some(length) = self.wire.reply_length(&received[at..]) {
            let body = self.wire.open(&received[at..at + length]);
            at += length;
            let ends = |body: &[u8]| last.labels(body) || self.instead(command, body).is_some();
            lines += 1;
            let complete = if command.in_order {
                lines == reply.len()
                    || body.is_ok_and(|body| self.instead(command, &body).is_some())
            } else {
                let block = command.block || reply.len() > 1;
                !block || body.map_or(true, |body| ends(&body))
            };
            if complete {
                return Framing::Complete(at);
            }
        }
        if received.len() >= LONGEST_REPLY {
            Framing::Complete(received.len())
        } else {
            Framing::NeedMore
        }
    }

    /// What a reply says: a pure function of the bytes.
    ///
    /// # Errors
    /// [`DecodeError`] with instrument, command, bytes and cause.
    pub fn decode(&self, request: &Request, received: &[u8]) -> Result<Reply, DecodeError> {
        self.decode_cause(request, received)
            .map_err(|cause| DecodeError::new(&self.id, &request.command, received, cause))
    }

    fn decode_cause(&self, request: &Request, received: &[u8]) -> Result<Reply, DecodeCause> {
        self.encode(request).map_err(DecodeCause::Request)?;
        let Some(command) = self.command(&request.command) else {
            return Err(DecodeCause::Unexpected);
        };
        let rest = match (self.echo, self.echoed(request, received)) {
            (Echo::Yes | Echo::Either, Echoed::Complete(length)) => &received[length..],
            (Echo::Yes, _) if received.is_empty() => return Err(DecodeCause::NoReply),
            (Echo::Yes, _) => return Err(DecodeCause::NoEcho),
            _ => received,
        };
        let rest = &rest[self.skipped(command, rest)..];
        if rest.is_empty() {
            return match command.silence {
                _ if command.reply.is_empty() => Ok(Reply::default()),
                Some(quality) => Ok(self.nothing(command, quality)),
                None => Err(DecodeCause::NoReply),
            };
        }
        let bodies = self.bodies(rest)?;
        for body in &bodies {
            match self.instead(command, body) {
                Some(Says::Quality(quality)) => return Ok(self.nothing(command, *quality)),
                Some(Says::Refused(meaning)) => {
                    return Err(DecodeCause::Refused {
                        said: escape(body),
                        meaning: meaning.clone(),
                    });
                }
                None => {}
            }
        }
        if command.reply.is_empty() {
            return Err(DecodeCause::Unexpected);
        }
        self.read_lines(command, &bodies)
    }

    /// Line ends in front of a reply mean nothing, unless the reply is an empty line.
    fn skipped(&self, command: &Command, received: &[u8]) -> usize {
        match command.reply.first() {
            Some(line) if line.is_empty() => 0,
            _ => self.wire.skipped(received),
        }
    }

    /// The lines or frames of a reply.
    fn bodies(&self, mut rest: &[u8]) -> Result<Vec<Vec<u8>>, DecodeCause> {
        let mut bodies = Vec::new();
        while !rest.is_empty() {
            let length = self.wire.reply_length(rest).unwrap_or(rest.len());
            let body = self.wire.open(&rest[..length])?;
            if let Some(exception) = modbus_exception(&body).filter(|_| self.wire.is_modbus()) {
                return Err(DecodeCause::Refused {
                    said: escape(&body),
                    meaning: exception.to_owned(),
                });
            }
            bodies.push(body);
            rest = &rest[length..];
        }
        Ok(bodies)
    }

    /// What a line says that stands in the place of a reply.
    fn instead<'a>(&'a self, command: &'a Command, body: &[u8]) -> Option<&'a Says> {
        let mut lines = command.instead.iter().chain(&self.instead);
        lines
            .find(|instead| instead.line.read(body, false).is_ok())
            .map(|instead| &instead.says)
    }

    /// A reply whose values did not come, with the reason for each.
    fn nothing(&self, command: &Command, quality: Quality) -> Reply {
        let fields = command.reply.iter().flat_map(Template::fields);
        let values = fields.filter_map(|field| match field {
            Field::Number { name, .. } => Some(Value {
                quantity: name.clone(),
                digits: Decimal::new(0, 0),
                unit: self.info(name).unit,
                quality,
            }),
            _ => None,
        });
        Reply {
            values: values.collect(),
            texts: Vec::new(),
            instead: Some(quality),
        }
    }

    fn read_lines(&self, command: &Command, lines: &[Vec<u8>]) -> Result<Reply, DecodeCause> {
        let mut reply = Reply::default();
        let mut moving = Vec::new();
        let mut next = 0;
        let block = !command.in_order && (command.block || command.reply.len() > 1);
        for template in &command.reply {
            // A block may carry lines that nobody asked for between those described.
            let rest = &lines[next.min(lines.len())..];
            let found = rest.iter().position(|line| template.labels(line));
            let index = next + found.filter(|_| block).unwrap_or(0);
            let line = lines.get(index).map_or(&[][..], Vec::as_slice);
            let captures = template
                .read(line, false)
                .map_err(|miss| layout(index, line, &miss))?;
            for capture in captures {
                self.take(index, capture, &mut reply, &mut moving)?;
            }
            next = index + 1;
        }
        if let Some(line) = lines.get(next).filter(|_| !block) {
            return Err(layout(
                next,
                line,
                &Mismatch::new(0, "the end of the reply"),
            ));
        }
        let quality = stated_quality(&command.quality, &reply)?;
        for value in reply
            .values
            .iter_mut()
            .filter(|value| value.quality == Quality::Valid)
        {
            let moves = moving.contains(&value.quantity);
            value.quality = if moves { Quality::Settling } else { quality };
        }
        Ok(reply)
    }

    /// Takes one field of a line; a unit that is blank is noted in `moving`.
    fn take(
        &self,
        line: usize,
        capture: Capture<'_>,
        reply: &mut Reply,
        moving: &mut Vec<String>,
    ) -> Result<(), DecodeCause> {
        match capture.field {
            Field::Number {
                name,
                format,
                absent,
            } => {
                let value = self.value(line, name, *format, absent, &capture.text)?;
                reply.values.push(value);
            }
            Field::Unit {
                quantity,
                optional: true,
                ..
            } if capture.text.is_empty() => {
                moving.push(quantity.clone());
            }
            Field::Unit { quantity, text, .. } => {
                let expected = self.info(quantity).unit;
                // A code such as =1001 names the unit only to this instrument.
                let same = match text.strip_prefix('=') {
                    Some(code) => capture.text == code.trim(),
                    None => capture.text.parse() == Ok(expected),
                };
                if !same {
                    return Err(DecodeCause::UnitChanged {
                        quantity: quantity.clone(),
                        expected,
                        found: capture.text,
                    });
                }
            }
            Field::Text { name, .. } => reply.texts.push((name.clone(), capture.text)),
            Field::Check(_) | Field::Block => {}
        }
        Ok(())
    }

    fn value(
        &self,
        line: usize,
        field: &str,
        format: NumberFormat,
        absent: &[String],
        text: &str,
    ) -> Result<Value, DecodeCause> {
        let info = self.info(field);
        let missing = !text.bytes().any(|byte| byte.is_ascii_digit())
            || text.contains('*')
            || absent.iter().any(|said| same_number(said, text));
        let (digits, quality) = if missing {
            (Decimal::new(0, 0), Quality::NoValue)
        } else {
            let wrong = |reason: String| DecodeCause::Number {
                line: line + 1,
                field: field.to_owned(),
                found: text.to_owned(),
                reason,
            };
            let digits: Decimal = text.parse().map_err(|error| wrong(format!("{error}")))?;
            let digits = format
                .value(digits)
                .ok_or_else(|| wrong("too many decimal places".to_owned()))?;
            let number = digits.to_f64();
            // SCPI-99, volume 1, 7.2.1.4: 9.91E+37 means "not a number".
            let quality = if number.abs() >= 9.9e37 {
                Quality::NoValue
            } else if (info.min..=info.max).contains(&number) {
                Quality::Valid
            } else {
                Quality::OverRange
            };
            (digits, quality)
        };
        Ok(Value {
            quantity: field.to_owned(),
            digits,
            unit: info.unit,
            quality,
        })
    }

    /// The quantity of a number field, with or without `.set`; `build` let no other through.
    fn info(&self, field: &str) -> &super::QuantityInfo {
        let quantity = field.strip_suffix(".set").unwrap_or(field);
        &self.quantities[self.quantity_index(quantity).unwrap_or_default()]
    }

    fn echoed(&self, request: &Request, received: &[u8]) -> Echoed {
        if self.echo == Echo::No {
            return Echoed::Absent;
        }
        let Ok(sent) = self.encode(request) else {
            return Echoed::Absent;
        };
        if received.starts_with(&sent) {
            Echoed::Complete(sent.len())
        } else if sent.starts_with(received) {
            Echoed::Partial
        } else {
            Echoed::Absent
        }
    }

    /// The instrument's side: bytes to throw away and the length of the first whole request
    /// after them.
    pub(crate) fn frame_request(&self, received: &[u8]) -> Option<(usize, usize)> {
        self.wire.request_length(received)
    }

    /// The instrument's side: which command a request is. Letters in any case match where
    /// the description does not say that the instrument minds.
    pub(crate) fn understand(&self, request: &[u8]) -> Option<SimulatedLine<'_>> {
        let body = self.wire.open_request(request)?;
        let fold = !self.exact_case && !self.wire.is_binary();
        let mut commands = self.commands.iter().filter(|command| !command.listen);
        commands.find_map(|command| {
            let captures = command.send.read(&body, fold).ok()?;
            let fields = captures
                .into_iter()
                .filter_map(|capture| match capture.field {
                    Field::Number { name, format, .. } => {
                        // The wire may leave out decimal places.
                        let value = capture.text.parse().ok();
                        let value = value.and_then(|digits| format.value(digits));
                        let text = value.map_or(capture.text, |value| value.to_string());
                        Some((name.clone(), text))
                    }
                    Field::Text { name, .. } => Some((name.clone(), capture.text)),
                    Field::Unit { .. } | Field::Check(_) | Field::Block => None,
                });
            Some(SimulatedLine {
                command,
                fields: fields.collect(),
            })
        })
    }

    /// The instrument's side: what it says by itself.
    pub(crate) fn unasked(&self) -> Option<SimulatedLine<'_>> {
        let command = self.commands.iter().find(|command| command.listen)?;
        let fields = Vec::new();
        Some(SimulatedLine { command, fields })
    }

    /// The instrument's side: the bytes of the reply, with the echo where there is one.
    pub(crate) fn answer(
        &self,
        request: &[u8],
        line: &SimulatedLine<'_>,
        fill: &mut dyn FnMut(&Field) -> Option<String>,
    ) -> Option<Vec<u8>> {
        let lines = line.command.reply.iter();
        let lines: Option<Vec<_>> = lines.map(|template| write_line(template, fill)).collect();
        let echo = match self.echo {
            Echo::Yes => self.echo(request),
            Echo::No | Echo::Either => Vec::new(),
        };
        Some([echo, self.wire.reply(&lines?)].concat())
    }

    /// The instrument's side: a request as it comes back, with the whole of its end.
    pub(crate) fn echo(&self, request: &[u8]) -> Vec<u8> {
        let body = self.wire.open_request(request);
        body.map_or_else(|| request.to_vec(), |body| self.wire.request(&body))
    }

    /// The instrument's side: one line that is no reply to a described command.
    pub(crate) fn simulated_line(&self, text: &[u8]) -> Vec<u8> {
        self.wire.reply(&[text.to_vec()])
    }
}

fn write_line(
    template: &Template,
    fill: &mut dyn FnMut(&Field) -> Option<String>,
) -> Option<Vec<u8>> {
    template.write(&mut |field| fill(field).ok_or(())).ok()
}

enum Echoed {
    Absent,
    Partial,
    Complete(usize),
}

/// What the state fields of one reply say about its values.
pub(crate) fn stated_quality(table: &QualityTable, reply: &Reply) -> Result<Quality, DecodeCause> {
    if let Some(quality) = reply.instead {
        return Ok(quality);
    }
    for (field, states) in table {
        let found = reply.text(field).unwrap_or_default();
        let quality = state(states, found).ok_or_else(|| DecodeCause::UnknownState {
            field: field.clone(),
            found: found.to_owned(),
            known: states
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        if *quality != Quality::Valid {
            return Ok(*quality);
        }
    }
    Ok(Quality::Valid)
}

/// What a state says, named as it is or by a range of whole numbers, `32..255`.
fn state<'a>(states: &'a BTreeMap<String, Quality>, found: &str) -> Option<&'a Quality> {
    let within = |range: &str| {
        let (low, high) = range.split_once("..")?;
        let ends = (low.parse::<u32>().ok()?, high.parse::<u32>().ok()?);
        let number = found.trim().parse::<u32>().ok()?;
        Some((ends.0..=ends.1).contains(&number))
    };
    let by_range = || {
        let mut ranges = states.iter();
        ranges.find(|(range, _)| within(range) == Some(true))
    };
    states
        .get(found)
        .or_else(|| by_range().map(|(_, quality)| quality))
}

/// Equal as texts, or as numbers with other signs and zeros.
pub(crate) fn same_number(said: &str, text: &str) -> bool {
    let number = |text: &str| text.parse::<Decimal>().ok().map(Decimal::to_f64);
    said == text || number(said).is_some_and(|said| number(text) == Some(said))
}

/// A unit, or its code, as it stands on the wire.
pub(crate) fn unit_on_wire(text: &str) -> &str {
    text.strip_prefix('=').unwrap_or(text)
}

fn layout(line: usize, bytes: &[u8], miss: &Mismatch) -> DecodeCause {
    let found = escape(bytes.get(miss.at..).unwrap_or(&[]));
    if miss.check {
        let expected = miss.expected.clone();
        return DecodeCause::Check { expected, found };
    }
    DecodeCause::Layout {
        line: line + 1,
        at: miss.at + 1,
        expected: miss.expected.clone(),
        found,
    }
}
