//! From the written description to the one that runs: every mistake is found here, with its
//! line and column.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;

use super::{
    Command, Description, DescriptionError, Echo, Instead, QuantityInfo, SafeStep, Says, SetSteps,
    schema,
};
use crate::number::WordOrder;
use crate::reply::{Class, Quality};
use crate::template::{Field, Grammar, Template};
use crate::wire::Wire;
use schema::{EchoRule, ProtocolKind};

/// Formats of descriptions that this program reads. Format 2 added protocols, classes, lines
/// in the place of a reply and steps to the safe state; what format 1 says means the same.
const FORMATS: std::ops::RangeInclusive<u32> = 1..=2;

/// Reads, fills in the parameters and checks.
pub(super) fn build(
    id: &str,
    text: &str,
    layout: &BTreeMap<String, String>,
) -> Result<Description, DescriptionError> {
    let place = Place { id, text };
    let document: schema::Document = toml::from_str(text).map_err(|error| {
        place.error(
            error.span().map_or(0, |span| span.start),
            error.message().trim(),
        )
    })?;
    let mut parameters = document.parameters.clone();
    for (name, value) in layout {
        if parameters.insert(name.clone(), value.clone()).is_none() {
            let known: Vec<_> = document.parameters.keys().map(String::as_str).collect();
            let message = format!(
                "there is no parameter {name:?}; known are {}",
                known.join(", ")
            );
            return Err(place.error(0, &message));
        }
    }
    place.assemble(document, &parameters)
}

/// The text that errors point into.
struct Place<'a> {
    id: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn error(&self, offset: usize, message: &str) -> DescriptionError {
        let before = self.text.get(..offset).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        DescriptionError {
            id: self.id.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.to_owned(),
        }
    }

    fn at<T>(&self, value: &Spanned<T>, message: &str) -> DescriptionError {
        self.error(value.span().start, message)
    }

    fn assemble(
        &self,
        document: schema::Document,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Description, DescriptionError> {
        self.check_format(&document.format)?;
        let quantities = self.quantities(&document.quantity)?;
        let texts = Texts {
            place: self,
            parameters,
            quantities: &document.quantity,
            protocol: document.protocol.as_ref(),
            words: self.words(&document, parameters)?,
        };
        let commands = self.commands(&document, &texts)?;
        let instead = texts.instead(&document.instead)?;
        let wire = self.wire(&document, parameters)?;
        let known = |names: &[Spanned<String>]| {
            let names = names.iter();
            names
                .map(|name| self.known_command(name, &commands))
                .collect::<Result<Vec<_>, _>>()
        };
        let reads = document
            .quantity
            .iter()
            .map(|quantity| known(&quantity.read))
            .collect::<Result<_, _>>()?;
        let set_limits = document.quantity.iter().map(|one| one.set_limits.clone());
        let set_limits = set_limits.collect();
        let safe_steps = self.safe_steps(&document.safe_step, &commands)?;
        let error_query = known(document.error_query.as_slice())?.pop();
        let set = document.set.map(|set| self.set_steps(set, &commands));
        let description = Description {
            id: self.id.to_owned(),
            text: self.text.to_owned(),
            version: document.version,
            title: format!("{} {}", document.maker, document.model),
            kind: document.kind,
            model: document.model,
            line: document.line,
            modem: document.modem,
            quirks: document.quirk,
            not_confirmed: document.not_confirmed,
            wire,
            exact_case: document.request.is_some_and(|request| request.exact_case),
            echo: document.reply.map_or(Echo::No, |reply| reply.echo.into()),
            limits: (&document.limits).into(),
            retries: document.limits.retries,
            reads,
            set_limits,
            instead,
            identify: known(&document.identify.commands)?,
            identify_model: document.identify.model,
            stop_talk: known(&document.stop_talk)?,
            constants: known(&document.constants)?,
            error_query,
            set: set.transpose()?,
            safe_state: document.safe_state,
            safe_steps,
            simulation: document.simulate,
            sources: document.sources,
            quantities,
            commands,
        };
        self.check(&description)?;
        Ok(description)
    }

    fn check_format(&self, format: &Spanned<u32>) -> Result<(), DescriptionError> {
        if FORMATS.contains(format.get_ref()) {
            return Ok(());
        }
        let message = format!(
            "format {} is unknown; this program reads formats {} to {}",
            format.get_ref(),
            FORMATS.start(),
            FORMATS.end()
        );
        Err(self.at(format, &message))
    }

    fn quantities(
        &self,
        written: &[schema::Quantity],
    ) -> Result<Vec<QuantityInfo>, DescriptionError> {
        let mut quantities: Vec<QuantityInfo> = Vec::new();
        for quantity in written {
            let name = quantity.name.get_ref();
            if quantities.iter().any(|known| known.name == *name) {
                return Err(self.at(
                    &quantity.name,
                    &format!("the quantity {name:?} is described twice"),
                ));
            }
            let ordered = |min: f64, max: f64| min.is_finite() && max.is_finite() && min < max;
            if !ordered(quantity.min, quantity.max)
                || quantity.set.is_some_and(|[min, max]| !ordered(min, max))
            {
                return Err(self.at(
                    &quantity.name,
                    &format!("the range of {name:?} must have min below max"),
                ));
            }
            quantities.push(QuantityInfo {
                name: name.clone(),
                unit: quantity.unit,
                min: quantity.min,
                max: quantity.max,
                settable: quantity.set.is_some(),
                set_range: quantity.set,
            });
        }
        Ok(quantities)
    }

    fn commands(
        &self,
        document: &schema::Document,
        texts: &Texts<'_>,
    ) -> Result<Vec<Command>, DescriptionError> {
        let mut commands: Vec<Command> = Vec::new();
        for command in &document.command {
            let name = command.name.get_ref();
            if commands.iter().any(|known| known.name == *name) {
                return Err(self.at(
                    &command.name,
                    &format!("the command {name:?} is described twice"),
                ));
            }
            let (send, reply) = texts.dialogue(command)?;
            let quality = stated(command, &reply);
            let unlabelled = (1..reply.len()).find(|&index| !reply[index].has_label());
            if let Some(index) = unlabelled.filter(|_| !command.in_order) {
                let message = "every line of a block but the first must begin with a literal text that tells it apart, or the command says in_order = true";
                return Err(self.at(&command.reply[index], message));
            }
            if command.block && !reply.last().is_some_and(Template::has_label) {
                let message =
                    "the last line of a block must begin with a literal text that tells it apart";
                return Err(self.at(&command.name, message));
            }
            if command.listen && (reply.is_empty() || command.send.is_some()) {
                let message = "a command that listens has a reply and sends nothing";
                return Err(self.at(&command.name, message));
            }
            let writes = document
                .set
                .as_ref()
                .is_some_and(|set| set.write.iter().any(|written| written.get_ref() == name));
            let class = match command.class {
                Some(Class::Read | Class::Calibrate) if writes => {
                    let message = format!("[set] writes {name:?}: its class is set or actuate");
                    return Err(self.at(&command.name, &message));
                }
                Some(class) => class,
                None if writes => Class::Actuate,
                None => Class::Read,
            };
            commands.push(Command {
                name: name.clone(),
                class,
                send,
                reply,
                block: command.block,
                in_order: command.in_order,
                listen: command.listen,
                silence: command.silence,
                instead: texts.instead(&command.instead)?,
                first_byte_us: command.first_byte_ms.map(schema::microseconds),
                gap_us: command.gap_ms.map(schema::microseconds),
                quality: Arc::new(quality),
            });
        }
        Ok(commands)
    }

    /// Order of the words of 32-bit registers.
    fn words(
        &self,
        document: &schema::Document,
        parameters: &BTreeMap<String, String>,
    ) -> Result<WordOrder, DescriptionError> {
        let protocol = document.protocol.as_ref();
        let Some(written) = protocol.and_then(|protocol| protocol.words.as_ref()) else {
            return Ok(WordOrder::HighFirst);
        };
        let text = substitute(written.get_ref(), parameters)
            .map_err(|message| self.at(written, &message))?;
        match text.as_str() {
            "high_first" => Ok(WordOrder::HighFirst),
            "low_first" => Ok(WordOrder::LowFirst),
            _ => Err(self.at(
                written,
                &format!("the order of words {text:?} is neither high_first nor low_first"),
            )),
        }
    }

    fn wire(
        &self,
        document: &schema::Document,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Wire, DescriptionError> {
        let kind = document
            .protocol
            .as_ref()
            .map_or(ProtocolKind::Lines, |protocol| protocol.kind);
        let end = |end: Option<&Spanned<String>>, table: &str| match end {
            Some(end) => self.bytes(end),
            None => Err(self.error(0, &format!("write [{table}] with the end of its lines"))),
        };
        let request = || {
            end(
                document.request.as_ref().map(|request| &request.end),
                "request",
            )
        };
        let reply = || end(document.reply.as_ref().map(|reply| &reply.end), "reply");
        let address = || {
            let written = document
                .protocol
                .as_ref()
                .and_then(|protocol| protocol.address.as_ref());
            let written =
                written.ok_or_else(|| self.error(0, "write the address in [protocol]"))?;
            let text = substitute(written.get_ref(), parameters)
                .map_err(|message| self.at(written, &message))?;
            text.parse::<u8>()
                .map_err(|_| self.at(written, &format!("the address {text:?} is not 0 to 255")))
        };
        let request_check = document
            .protocol
            .as_ref()
            .is_none_or(|one| one.request_check);
        Ok(match kind {
            ProtocolKind::Lines => Wire::Lines {
                request: request()?,
                reply: reply()?,
            },
            ProtocolKind::Sbi => Wire::Sbi { reply: reply()? },
            ProtocolKind::Easybus => Wire::EasyBus {
                address: address()?,
            },
            ProtocolKind::Cts => Wire::Cts {
                address: match address()? {
                    address @ 0..=127 => address,
                    other => {
                        let message = format!("the address {other} is not 0 to 127");
                        return Err(self.error(0, &message));
                    }
                },
            },
            ProtocolKind::ModbusRtu | ProtocolKind::ModbusAscii => Wire::Modbus {
                unit: address()?,
                ascii: kind == ProtocolKind::ModbusAscii,
                request_check,
            },
        })
    }

    fn safe_steps(
        &self,
        written: &[schema::SafeStep],
        commands: &[Command],
    ) -> Result<Vec<SafeStep>, DescriptionError> {
        let step = |step: &schema::SafeStep| {
            let write = step
                .write
                .as_ref()
                .map(|name| self.known_command(name, commands));
            Ok(SafeStep {
                write: write.transpose()?,
                verify: self.known_command(&step.verify, commands)?,
                expect: step
                    .expect
                    .iter()
                    .map(|(name, text)| (name.clone(), text.clone()))
                    .collect(),
                within_us: schema::microseconds(step.within_ms),
            })
        };
        written.iter().map(step).collect()
    }

    fn set_steps(
        &self,
        set: schema::Set,
        commands: &[Command],
    ) -> Result<SetSteps, DescriptionError> {
        let known = |name: &Spanned<String>| self.known_command(name, commands);
        let several = |names: &Spanned<schema::Commands>| match names.get_ref() {
            schema::Commands::One(name) => Ok(vec![self.command_at(names, name, commands)?]),
            schema::Commands::Several(all) => all
                .iter()
                .map(|name| self.command_at(names, name, commands))
                .collect(),
        };
        Ok(SetSteps {
            read: set.read.as_ref().map_or(Ok(Vec::new()), several)?,
            write: set.write.iter().map(known).collect::<Result<_, _>>()?,
            settle_us: schema::microseconds(set.settle_ms),
            verify: several(&set.verify)?,
            within_us: schema::microseconds(set.within_ms),
            always: set.always,
        })
    }

    fn known_command(
        &self,
        name: &Spanned<String>,
        commands: &[Command],
    ) -> Result<String, DescriptionError> {
        self.command_at(name, name.get_ref(), commands)
    }

    fn command_at<T>(
        &self,
        place: &Spanned<T>,
        name: &str,
        commands: &[Command],
    ) -> Result<String, DescriptionError> {
        if commands.iter().any(|command| command.name == name) {
            return Ok(name.to_owned());
        }
        Err(self.at(place, &format!("there is no command {name:?}")))
    }

    fn bytes(&self, text: &Spanned<String>) -> Result<Vec<u8>, DescriptionError> {
        let bytes: Option<Vec<u8>> = text
            .get_ref()
            .chars()
            .map(|c| u8::try_from(c).ok())
            .collect();
        match bytes {
            Some(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Err(self.at(
                text,
                "the end of a line is one or more bytes (U+0000–U+00FF)",
            )),
        }
    }

    /// What only shows when everything is put together.
    fn check(&self, description: &Description) -> Result<(), DescriptionError> {
        let refuse = |message: String| Err(self.error(0, &message));
        if description.sources.is_empty() {
            return refuse("a description names the sources of its facts".to_owned());
        }
        for (info, reads) in description.quantities.iter().zip(&description.reads) {
            let sent =
                |field: &Field| matches!(field, Field::Number { name, .. } if *name == info.name);
            let mut replies = reads
                .iter()
                .filter_map(|name| description.command(name))
                .flat_map(|command| &command.reply);
            if !reads.is_empty() && !replies.any(|line| line.fields().any(sent)) {
                return refuse(format!(
                    "no command that reads {:?} has it in its reply",
                    info.name
                ));
            }
            let writable = description
                .set
                .as_ref()
                .and_then(|set| description.written_format(set, &format!("{}.set", info.name)));
            if info.settable && writable.is_none() {
                return refuse(format!("no command of [set] writes {:?}", info.name));
            }
        }
        for command in &description.commands {
            for field in command.quality.keys() {
                let sent = |candidate: &Field| matches!(candidate, Field::Text { name, .. } if name == field);
                if !command.reply.iter().any(|line| line.fields().any(sent)) {
                    return refuse(format!(
                        "the reply to {:?} has no field {field:?} to take a quality from",
                        command.name
                    ));
                }
            }
        }
        if description.safe_state.is_some() && !description.safe_steps.is_empty() {
            return refuse("write [safe_state] or [[safe_step]], not both".to_owned());
        }
        if description.safe_state.is_some() && description.set.is_none() {
            return refuse("a safe state needs [set] to reach it".to_owned());
        }
        Ok(())
    }
}

/// What the templates of one description are read with.
struct Texts<'a> {
    place: &'a Place<'a>,
    parameters: &'a BTreeMap<String, String>,
    quantities: &'a [schema::Quantity],
    protocol: Option<&'a schema::Protocol>,
    words: WordOrder,
}

impl Texts<'_> {
    /// The body of a line or frame: characters, but for a protocol of bytes.
    fn line(&self, text: &Spanned<String>) -> Result<Template, DescriptionError> {
        let kind = self.protocol.map(|protocol| protocol.kind);
        self.template(text, kind == Some(ProtocolKind::Easybus))
    }

    fn template(
        &self,
        text: &Spanned<String>,
        registers: bool,
    ) -> Result<Template, DescriptionError> {
        let filled = substitute(text.get_ref(), self.parameters)
            .map_err(|message| self.place.at(text, &message))?;
        let quantity = |name: &str| {
            let found = self
                .quantities
                .iter()
                .find(|one| one.name.get_ref() == name);
            found.map(|quantity| quantity.no_value.clone())
        };
        let grammar = Grammar {
            quantity: &quantity,
            check: self.protocol.and_then(|protocol| protocol.check),
            words: registers.then_some(self.words),
        };
        Template::parse(&filled, &grammar).map_err(|message| self.place.at(text, &message))
    }

    /// Request and reply of a command.
    fn dialogue(
        &self,
        command: &schema::Command,
    ) -> Result<(Template, Vec<Template>), DescriptionError> {
        let Some(registers) = &command.modbus else {
            let send = match &command.send {
                Some(send) => self.line(send)?,
                None if command.listen => Template::default(),
                None => return Err(self.place.at(&command.name, "write what to send")),
            };
            let reply = command.reply.iter().map(|line| self.line(line));
            return Ok((send, reply.collect::<Result<_, _>>()?));
        };
        let empty = || Ok(Template::binary());
        let data = command
            .send
            .as_ref()
            .map_or_else(empty, |send| self.template(send, true))?;
        let fields = match &command.reply[..] {
            [] => empty()?,
            [fields] => self.template(fields, true)?,
            [_, second, ..] => {
                return Err(self
                    .place
                    .at(second, "a Modbus reply is one line of registers"));
            }
        };
        let (send, reply) = registers
            .dialogue(data, fields, self.parameters)
            .map_err(|message| self.place.at(&command.name, &message))?;
        Ok((send, vec![reply]))
    }

    fn instead(&self, written: &[schema::Instead]) -> Result<Vec<Instead>, DescriptionError> {
        let one = |instead: &schema::Instead| {
            let says = match (&instead.refused, instead.quality) {
                (Some(meaning), None) => Says::Refused(meaning.clone()),
                (None, Some(quality)) => Says::Quality(quality),
                _ => {
                    let message = "say what the line means: refused = \"…\" or quality = \"…\"";
                    return Err(self.place.at(&instead.line, message));
                }
            };
            Ok(Instead {
                line: self.line(&instead.line)?,
                says,
            })
        };
        written.iter().map(one).collect()
    }
}

impl schema::Registers {
    /// Request and reply with their heads, Modbus Application Protocol V1.1b3, clause 6.
    fn dialogue(
        &self,
        data: Template,
        fields: Template,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(Template, Template), String> {
        let number = |register: &Option<schema::Register>| {
            let register = register.as_ref();
            register
                .map(|register| register.number(parameters))
                .transpose()
        };
        let function = self.function.number(parameters)?;
        let function = u8::try_from(function).map_err(|error| error.to_string())?;
        let first = number(&self.first)?.map(u16::to_be_bytes);
        let count = number(&self.count)?.unwrap_or(0);
        let head = [
            &[function][..],
            &first.unwrap_or_default()[..first.map_or(0, |_| 2)],
        ]
        .concat();
        let size = |bytes: u16| {
            u8::try_from(bytes).map_err(|_| format!("{count} registers are too many for one reply"))
        };
        match function {
            1..=4 if count > 0 => {
                let bytes = if function < 3 {
                    count.div_ceil(8)
                } else {
                    count.saturating_mul(2)
                };
                let asked = if first.is_some() {
                    count.to_be_bytes().to_vec()
                } else {
                    Vec::new()
                };
                let send = Template::binary().headed([head, asked].concat());
                Ok((send, fields.headed(vec![function, size(bytes)?])))
            }
            // The reply repeats the request.
            5 | 6 if first.is_some() => Ok((data.clone().headed(head.clone()), data.headed(head))),
            15 | 16 if first.is_some() && count > 0 => {
                let bytes = if function == 15 {
                    count.div_ceil(8)
                } else {
                    count.saturating_mul(2)
                };
                let head = [head, count.to_be_bytes().to_vec()].concat();
                let send = data.headed([&head[..], &[size(bytes)?]].concat());
                Ok((send, Template::binary().headed(head)))
            }
            // Read device identification, one object: what its bytes of conformity and of
            // continuation say is up to the instrument.
            43 if self.object.is_some() => {
                let head = vec![43, 14, 4];
                let asked = self.object.into_iter().collect();
                let send = Template::binary().headed([head.clone(), asked].concat());
                Ok((send, fields.headed(head)))
            }
            _ => Err(
                "write a function of 1 to 6, 15 or 16, with `first` and, but for 5 and 6, `count`, or 43 with `object`"
                    .to_owned(),
            ),
        }
    }
}

impl schema::Register {
    fn number(&self, parameters: &BTreeMap<String, String>) -> Result<u16, String> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Parameter(text) => {
                let text = substitute(text, parameters)?;
                text.parse().map_err(|_| {
                    format!("{text:?} is no register, function or count: write 0 to 65535")
                })
            }
        }
    }
}

/// The states of a reply. A line that a parameter gives may lack some of the fields.
fn stated(
    command: &schema::Command,
    reply: &[Template],
) -> BTreeMap<String, BTreeMap<String, Quality>> {
    let mut quality = command.quality.clone();
    let by_parameter = command
        .reply
        .iter()
        .any(|line| line.get_ref().contains('<'));
    if by_parameter {
        let sent = |name: &String| {
            let is =
                |field: &Field| matches!(field, Field::Text { name: text, .. } if text == name);
            reply.iter().any(|line| line.fields().any(is))
        };
        quality.retain(|name, _| sent(name));
    }
    quality
}

impl From<EchoRule> for Echo {
    fn from(rule: EchoRule) -> Self {
        match rule {
            EchoRule::Always(false) => Self::No,
            EchoRule::Always(true) => Self::Yes,
            EchoRule::Setting(_) => Self::Either,
        }
    }
}

/// Puts the values of parameters in the place of `<name>`.
fn substitute(text: &str, parameters: &BTreeMap<String, String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        filled.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('>') else {
            return Err("a parameter is not closed with '>'".to_owned());
        };
        let name = &rest[start + 1..start + length];
        filled.push_str(
            parameters
                .get(name)
                .ok_or_else(|| format!("there is no parameter {name:?}"))?,
        );
        rest = &rest[start + length + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}
