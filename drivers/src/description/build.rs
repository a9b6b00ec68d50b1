//! From the written description to the one that runs: every mistake is found here, with its
//! line and column.

use std::collections::BTreeMap;

use toml::Spanned;

use super::{Command, Description, DescriptionError, QuantityInfo, SetSteps, schema};
use crate::template::{Field, Template};

/// The one format of descriptions that this program reads.
const FORMAT: u32 = 1;

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
        if *document.format.get_ref() != FORMAT {
            let message = format!(
                "format {} is unknown; this program reads format {FORMAT}",
                document.format.get_ref()
            );
            return Err(self.at(&document.format, &message));
        }
        let quantities = self.quantities(&document.quantity)?;
        let commands = self.commands(&document.command, &quantities, parameters)?;
        let known = |names: &[Spanned<String>]| -> Result<Vec<String>, DescriptionError> {
            names
                .iter()
                .map(|name| self.known_command(name, &commands))
                .collect()
        };
        let reads = document
            .quantity
            .iter()
            .map(|quantity| known(&quantity.read))
            .collect::<Result<_, _>>()?;
        let set = document.set.map(|set| self.set_steps(set, &commands));
        let description = Description {
            id: self.id.to_owned(),
            text: self.text.to_owned(),
            version: document.version,
            title: format!("{} {}", document.maker, document.model),
            kind: document.kind,
            model: document.model,
            line: document.line,
            request_end: self.bytes(&document.request.end)?,
            reply_end: self.bytes(&document.reply.end)?,
            echo: document.reply.echo,
            limits: (&document.limits).into(),
            retries: document.limits.retries,
            reads,
            identify: known(&document.identify.commands)?,
            identify_model: document.identify.model,
            stop_talk: known(&document.stop_talk)?,
            set: set.transpose()?,
            safe_state: document.safe_state,
            simulation: document.simulate,
            quantities,
            commands,
        };
        self.check(&description, document.sources.len())?;
        Ok(description)
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
        written: &[schema::Command],
        quantities: &[QuantityInfo],
        parameters: &BTreeMap<String, String>,
    ) -> Result<Vec<Command>, DescriptionError> {
        let mut commands: Vec<Command> = Vec::new();
        let template = |text: &Spanned<String>| {
            let filled = substitute(text.get_ref(), parameters)
                .map_err(|message| self.at(text, &message))?;
            let is_quantity = |name: &str| quantities.iter().any(|info| info.name == name);
            Template::parse(&filled, &is_quantity).map_err(|message| self.at(text, &message))
        };
        for command in written {
            let name = command.name.get_ref();
            if commands.iter().any(|known| known.name == *name) {
                return Err(self.at(
                    &command.name,
                    &format!("the command {name:?} is described twice"),
                ));
            }
            let reply: Vec<Template> = command
                .reply
                .iter()
                .map(template)
                .collect::<Result<_, _>>()?;
            if let Some(index) = (1..reply.len()).find(|&index| !reply[index].has_label()) {
                let message = "every line of a block but the first must begin with a literal text that tells it apart";
                return Err(self.at(&command.reply[index], message));
            }
            commands.push(Command {
                name: name.clone(),
                send: template(&command.send)?,
                reply,
                first_byte_us: command.first_byte_ms.map(schema::microseconds),
                quality: command.quality.clone(),
            });
        }
        Ok(commands)
    }

    fn set_steps(
        &self,
        set: schema::Set,
        commands: &[Command],
    ) -> Result<SetSteps, DescriptionError> {
        let known = |name: &Spanned<String>| self.known_command(name, commands);
        Ok(SetSteps {
            read: set.read.as_ref().map(known).transpose()?,
            write: set.write.iter().map(known).collect::<Result<_, _>>()?,
            settle_us: schema::microseconds(set.settle_ms),
            verify: known(&set.verify)?,
            always: set.always,
        })
    }

    fn known_command(
        &self,
        name: &Spanned<String>,
        commands: &[Command],
    ) -> Result<String, DescriptionError> {
        if commands
            .iter()
            .any(|command| command.name == *name.get_ref())
        {
            return Ok(name.get_ref().clone());
        }
        Err(self.at(name, &format!("there is no command {:?}", name.get_ref())))
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
    fn check(&self, description: &Description, sources: usize) -> Result<(), DescriptionError> {
        let refuse = |message: String| Err(self.error(0, &message));
        if sources == 0 {
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
        if description.safe_state.is_some() && description.set.is_none() {
            return refuse("a safe state needs [set] to reach it".to_owned());
        }
        Ok(())
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
