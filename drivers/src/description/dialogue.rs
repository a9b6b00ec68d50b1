//! Encoding, framing and decoding, and the same dialogue from the instrument's side.

use std::collections::BTreeMap;

use heng_quantities::{Decimal, Unit};

use super::{Command, Description, LONGEST_REPLY, argument_names};
use crate::escape::escape;
use crate::reply::{
    DecodeCause, DecodeError, EncodeError, Framing, Quality, Reply, Request, Value,
};
use crate::template::{Field, Mismatch, Template, check_text, find};

/// A request as the simulator understands it.
pub(crate) struct SimulatedLine<'a> {
    command: &'a Command,
    /// Field -> text of every field that the request carries.
    pub fields: Vec<(String, String)>,
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
        let mut line = command
            .send
            .write(&mut |field| self.argument(request, field))?;
        line.extend_from_slice(&self.request_end);
        Ok(line)
    }

    fn argument(&self, request: &Request, field: &Field) -> Result<String, EncodeError> {
        let (instrument, command) = (self.id.clone(), request.command.clone());
        let given = |name: &str| {
            request
                .args
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, text)| text)
        };
        let (name, text) = match field {
            Field::Unit { text, .. } => return Ok(text.clone()),
            Field::Number { name, .. } | Field::Text { name, .. } => (name, given(name)),
        };
        let argument = name.clone();
        let Some(text) = text else {
            return Err(EncodeError::MissingArgument {
                instrument,
                command,
                argument,
            });
        };
        let written = match field {
            Field::Number { format, .. } => text
                .parse()
                .map_err(|error| format!("{error}"))
                .and_then(|value: Decimal| format.write(value)),
            Field::Text { width, .. } => check_text(text, *width).map(|()| text.clone()),
            Field::Unit { text, .. } => Ok(text.clone()),
        };
        written.map_err(|reason| EncodeError::Argument {
            instrument,
            command,
            argument,
            reason,
        })
    }

    /// Where the reply to `request` ends in the bytes so far; not what it says. Bytes that
    /// never end are cut after 8192.
    pub fn frame(&self, request: &Request, received: &[u8]) -> Framing {
        let reply = self
            .command(&request.command)
            .map_or(&[][..], |command| &command.reply);
        let start = match self.echo_length(request, received) {
            Echo::Partial => return Framing::NeedMore,
            Echo::Complete(length) => length,
            Echo::Absent => 0,
        };
        if reply.is_empty() {
            return Framing::Complete(start);
        }
        let mut at = start + line_ends(&received[start..]);
        while let Some(length) = find(&received[at..], &self.reply_end) {
            let line = &received[at..at + length];
            at += length + self.reply_end.len();
            if reply.len() == 1 || reply.last().is_some_and(|last| last.labels(line)) {
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
        let mut rest = received;
        if self.echo {
            match self.echo_length(request, received) {
                Echo::Complete(length) => rest = &received[length..],
                Echo::Partial | Echo::Absent if received.is_empty() => {
                    return Err(DecodeCause::NoReply);
                }
                Echo::Partial | Echo::Absent => return Err(DecodeCause::NoEcho),
            }
        }
        rest = &rest[line_ends(rest)..];
        if command.reply.is_empty() {
            return if rest.is_empty() {
                Ok(Reply::default())
            } else {
                Err(DecodeCause::Unexpected)
            };
        }
        if rest.is_empty() {
            return Err(DecodeCause::NoReply);
        }
        let Some(body) = rest.strip_suffix(&self.reply_end[..]) else {
            return Err(DecodeCause::Truncated {
                end: escape(&self.reply_end),
            });
        };
        self.read_lines(command, &split(body, &self.reply_end))
    }

    fn read_lines(&self, command: &Command, lines: &[&[u8]]) -> Result<Reply, DecodeCause> {
        let mut reply = Reply::default();
        let mut units = BTreeMap::new();
        let mut next = 0;
        for template in &command.reply {
            // A block may carry lines that nobody asked for between those described.
            let rest = &lines[next.min(lines.len())..];
            let offset = rest
                .iter()
                .position(|line| template.labels(line))
                .unwrap_or(0);
            let index = next + offset;
            let line = lines.get(index).copied().unwrap_or(&[]);
            let captures = template
                .read(line, false)
                .map_err(|miss| layout(index, line, &miss))?;
            for capture in captures {
                match capture.field {
                    Field::Number { name, .. } => {
                        reply.values.push(self.value(index, name, &capture.text)?);
                    }
                    Field::Unit { quantity, .. } => {
                        units.insert(quantity.clone(), capture.text);
                    }
                    Field::Text { name, .. } => reply.texts.push((name.clone(), capture.text)),
                }
            }
            next = index + 1;
        }
        if command.reply.len() == 1 && lines.len() > 1 {
            let line = lines[1];
            return Err(layout(
                1,
                line,
                &Mismatch {
                    at: 0,
                    expected: "the end of the reply".to_owned(),
                },
            ));
        }
        self.check_units(&units)?;
        let quality = stated_quality(&command.quality, &reply)?;
        for value in reply
            .values
            .iter_mut()
            .filter(|value| value.quality == Quality::Valid)
        {
            value.quality = quality;
        }
        Ok(reply)
    }

    fn value(&self, line: usize, field: &str, text: &str) -> Result<Value, DecodeCause> {
        let quantity = field.strip_suffix(".set").unwrap_or(field);
        let index = self.quantity_index(quantity).unwrap_or_default();
        let info = &self.quantities[index];
        let missing = !text.bytes().any(|byte| byte.is_ascii_digit()) || text.contains('*');
        let (digits, quality) = if missing {
            (Decimal::new(0, 0), Quality::NoValue)
        } else {
            let digits: Decimal = text.parse().map_err(|error| DecodeCause::Number {
                line: line + 1,
                field: field.to_owned(),
                found: text.to_owned(),
                reason: format!("{error}"),
            })?;
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

    fn check_units(&self, units: &BTreeMap<String, String>) -> Result<(), DecodeCause> {
        for (quantity, found) in units {
            let index = self.quantity_index(quantity).unwrap_or_default();
            let expected = self.quantities[index].unit;
            if found.parse::<Unit>() != Ok(expected) {
                return Err(DecodeCause::UnitChanged {
                    quantity: quantity.clone(),
                    expected,
                    found: found.clone(),
                });
            }
        }
        Ok(())
    }

    fn echo_length(&self, request: &Request, received: &[u8]) -> Echo {
        if !self.echo {
            return Echo::Absent;
        }
        let Ok(sent) = self.encode(request) else {
            return Echo::Absent;
        };
        if received.starts_with(&sent) {
            Echo::Complete(sent.len())
        } else if sent.starts_with(received) {
            Echo::Partial
        } else {
            Echo::Absent
        }
    }

    /// The instrument's side: which command a received line is. Letters in any case match,
    /// as on every instrument described so far.
    pub(crate) fn understand(&self, line: &[u8]) -> Option<SimulatedLine<'_>> {
        self.commands.iter().find_map(|command| {
            let captures = command.send.read(line, true).ok()?;
            let fields = captures
                .into_iter()
                .filter_map(|capture| match capture.field {
                    Field::Number { name, .. } | Field::Text { name, .. } => {
                        Some((name.clone(), capture.text))
                    }
                    Field::Unit { .. } => None,
                });
            Some(SimulatedLine {
                command,
                fields: fields.collect(),
            })
        })
    }

    /// The instrument's side: the bytes of the reply, with the echo where there is one.
    pub(crate) fn answer(
        &self,
        request: &[u8],
        line: &SimulatedLine<'_>,
        fill: &mut dyn FnMut(&Field) -> Option<String>,
    ) -> Option<Vec<u8>> {
        let mut bytes = if self.echo {
            [request, &self.request_end].concat()
        } else {
            Vec::new()
        };
        for template in &line.command.reply {
            bytes.extend(write_line(template, fill)?);
            bytes.extend_from_slice(&self.reply_end);
        }
        Some(bytes)
    }

    pub(crate) fn reply_end(&self) -> &[u8] {
        &self.reply_end
    }
}

fn write_line(
    template: &Template,
    fill: &mut dyn FnMut(&Field) -> Option<String>,
) -> Option<Vec<u8>> {
    template.write(&mut |field| fill(field).ok_or(())).ok()
}

enum Echo {
    Absent,
    Partial,
    Complete(usize),
}

/// What the state fields of one reply say about its values.
pub(crate) fn stated_quality(
    table: &BTreeMap<String, BTreeMap<String, Quality>>,
    reply: &Reply,
) -> Result<Quality, DecodeCause> {
    for (field, states) in table {
        let found = reply.text(field).unwrap_or_default();
        let quality = states.get(found).ok_or_else(|| DecodeCause::UnknownState {
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

fn layout(line: usize, bytes: &[u8], miss: &Mismatch) -> DecodeCause {
    DecodeCause::Layout {
        line: line + 1,
        at: miss.at + 1,
        expected: miss.expected.clone(),
        found: escape(bytes.get(miss.at..).unwrap_or(&[])),
    }
}

/// Line ends left over from the reply before.
fn line_ends(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|&&byte| byte == b'\r' || byte == b'\n')
        .count()
}

fn split<'a>(mut body: &'a [u8], end: &[u8]) -> Vec<&'a [u8]> {
    let mut lines = Vec::new();
    while let Some(length) = find(body, end) {
        lines.push(&body[..length]);
        body = &body[length + end.len()..];
    }
    lines.push(body);
    lines
}
