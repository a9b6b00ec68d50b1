//! Declarative descriptions of instrument models: decoder, encoder, recipes and the
//! simulator's dialogue come from the same text.

mod build;
mod dialogue;
mod schema;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use heng_quantities::{Decimal, Unit};

use crate::line::LineSettings;
use crate::number::NumberFormat;
use crate::port::PortSettings;
use crate::recipe::{QualityTable, ReadBackInTime, Recipe, RecipeError, UnitLimits};
use crate::reply::{Class, Quality, Request, TimeLimits};
use crate::template::{Field, Template};
use crate::wire::Wire;

pub(crate) use dialogue::{SimulatedLine, same_number, stated_quality, unit_on_wire};
pub(crate) use schema::Simulation;

/// Longest reply; whatever talks on without an end is not answering.
const LONGEST_REPLY: usize = 8192;

/// Id and text of every file in `drivers/models/`, written by the build script.
static MODELS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// Every model that this program knows.
///
/// # Panics
/// Where an embedded description is malformed; a test parses each of them.
pub fn catalogue() -> &'static [Description] {
    static CATALOGUE: OnceLock<Vec<Description>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        MODELS
            .iter()
            .map(|(id, text)| {
                Description::parse(id, text).unwrap_or_else(|error| panic!("{error}"))
            })
            .collect()
    })
}

/// The description of one model by its id, such as `mbw-473`.
pub fn description(id: &str) -> Option<&'static Description> {
    catalogue().iter().find(|description| description.id == id)
}

/// A quantity that a model measures or controls.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityInfo {
    /// `dew_point`, `temperature`, `relative_humidity`, `pressure`, …
    pub name: String,
    /// The unit on the wire; a reply in another unit is an error.
    pub unit: Unit,
    /// Range of the channel; a value outside is [`Quality::OverRange`].
    pub min: f64,
    pub max: f64,
    pub settable: bool,
    /// Range of set points, where `settable`.
    pub set_range: Option<[f64; 2]>,
}

impl QuantityInfo {
    /// Refuses a set point outside of the range. Nothing is clamped.
    ///
    /// # Errors
    /// [`RecipeError::SetPoint`] with the range.
    pub fn check_set_point(&self, value: Decimal) -> Result<(), RecipeError> {
        match self.set_range {
            Some([min, max]) if !(min..=max).contains(&value.to_f64()) => {
                Err(RecipeError::SetPoint {
                    quantity: self.name.clone(),
                    value,
                    unit: self.unit,
                    min,
                    max,
                })
            }
            _ => Ok(()),
        }
    }
}

/// What is wrong with a description, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("driver description {id}, line {line}, column {column}: {message}")]
pub struct DescriptionError {
    pub id: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// One instrument model. All methods are pure functions of the description and their
/// arguments; the file format is described in `drivers/models/README.md`.
#[derive(Debug, Clone)]
pub struct Description {
    id: String,
    text: String,
    version: String,
    title: String,
    kind: heng_quantities::Text,
    model: String,
    line: LineSettings,
    modem: ModemLines,
    sources: Vec<String>,
    quirks: Vec<Quirk>,
    not_confirmed: Vec<String>,
    wire: Wire,
    exact_case: bool,
    echo: Echo,
    limits: TimeLimits,
    retries: u32,
    quantities: Vec<QuantityInfo>,
    reads: Vec<Vec<String>>,
    set_limits: Vec<Option<[String; 2]>>,
    commands: Vec<Command>,
    instead: Vec<Instead>,
    identify: Vec<String>,
    identify_model: Option<String>,
    stop_talk: Vec<String>,
    constants: Vec<String>,
    error_query: Option<String>,
    set: Option<SetSteps>,
    safe_state: Option<BTreeMap<String, String>>,
    safe_steps: Vec<SafeStep>,
    pub(crate) simulation: Simulation,
}

/// Whether the instrument sends the request back before its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    No,
    Yes,
    /// A setting of the unit: taken off where it is there.
    Either,
}

#[derive(Debug, Clone)]
struct Command {
    name: String,
    class: Class,
    send: Template,
    reply: Vec<Template>,
    block: bool,
    in_order: bool,
    listen: bool,
    silence: Option<Quality>,
    instead: Vec<Instead>,
    first_byte_us: Option<u64>,
    gap_us: Option<u64>,
    /// Shared with every recipe that reads.
    quality: Arc<QualityTable>,
}

/// A line in the place of a reply.
#[derive(Debug, Clone)]
struct Instead {
    line: Template,
    says: Says,
}

#[derive(Debug, Clone)]
enum Says {
    Refused(String),
    Quality(Quality),
}

#[derive(Debug, Clone)]
struct SetSteps {
    read: Vec<String>,
    write: Vec<String>,
    settle_us: u64,
    verify: Vec<String>,
    within_us: u64,
    always: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct SafeStep {
    write: Option<String>,
    verify: String,
    expect: Vec<(String, String)>,
    within_us: u64,
}

/// A peculiarity of the instrument that a person has to know, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quirk {
    pub text: String,
    pub source: String,
}

/// Levels that the modem lines must have; none where they do not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModemLines {
    pub dtr: Option<bool>,
    pub rts: Option<bool>,
}

/// Where the facts of a description come from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The maker's manual.
    Manual,
    /// Bytes logged from a real instrument.
    Log,
    /// Another program's driver, or an exchange tried with one.
    Peer,
    /// Our own experience with the instrument.
    Own,
}

impl Description {
    /// Reads and checks a description. `id` is the name of its file without `.toml`.
    ///
    /// # Errors
    /// [`DescriptionError`] with line and column.
    pub fn parse(id: &str, text: &str) -> Result<Self, DescriptionError> {
        build::build(id, text, &BTreeMap::new())
    }

    /// The same model with other values for the parameters of its file: what differs from
    /// one unit to the next (address on the bus, order of the channels, place of the start
    /// bit) is a property of the asset, and stands in the bench file.
    ///
    /// # Errors
    /// [`DescriptionError`] where a parameter is unknown or its value fits no template.
    pub fn with_layout(
        &self,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, DescriptionError> {
        build::build(&self.id, &self.text, parameters)
    }

    /// The same model with narrower ranges of set points: what this unit may be asked for.
    ///
    /// # Errors
    /// [`RecipeError`] where a quantity cannot be set or the limits are wider than its range.
    pub fn with_limits(&self, limits: &BTreeMap<String, [f64; 2]>) -> Result<Self, RecipeError> {
        let mut narrowed = self.clone();
        for (name, &[min, max]) in limits {
            let index = self
                .quantity_index(name)
                .ok_or_else(|| self.unknown_quantity(name))?;
            let range = self.quantities[index].set_range;
            let [low, high] = range.ok_or_else(|| self.not_settable(name))?;
            if !(low <= min && min < max && max <= high) {
                return Err(RecipeError::Limits {
                    quantity: name.clone(),
                    min,
                    max,
                    low,
                    high,
                });
            }
            narrowed.quantities[index].set_range = Some([min, max]);
        }
        Ok(narrowed)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// The TOML source, as it goes into the record of a session.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    /// Maker and model.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Kind of instrument in both languages, such as "chilled-mirror hygrometer".
    pub fn kind(&self) -> &heng_quantities::Text {
        &self.kind
    }

    /// Factory settings of the line; the bench states those of the unit.
    pub fn line(&self) -> LineSettings {
        self.line
    }

    pub fn quantities(&self) -> &[QuantityInfo] {
        &self.quantities
    }

    /// How to open the port at `path` for this model.
    pub fn port_settings(&self, path: &str, line: LineSettings) -> PortSettings {
        PortSettings {
            dtr: self.modem.dtr,
            rts: self.modem.rts,
            ..PortSettings::new(path, line)
        }
    }

    /// Each source with its mark in front: `M` manual, `L` log, `C` public driver, `T` tried.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    pub fn quirks(&self) -> &[Quirk] {
        &self.quirks
    }

    /// What is left out because no source confirms it.
    pub fn not_confirmed(&self) -> &[String] {
        &self.not_confirmed
    }

    /// The kinds of evidence that its sources are, best first.
    pub fn evidence(&self) -> Vec<Evidence> {
        let mut kinds: Vec<_> = self
            .sources
            .iter()
            .filter_map(|source| match source.split(':').next() {
                Some("M") => Some(Evidence::Manual),
                Some("L") => Some(Evidence::Log),
                Some("C" | "T") => Some(Evidence::Peer),
                Some("own") => Some(Evidence::Own),
                _ => None,
            })
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Names of the commands, in the order of the description.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().map(|command| command.name.as_str())
    }

    /// What a command may do to the instrument.
    pub fn class(&self, command: &str) -> Option<Class> {
        self.command(command).map(|command| command.class)
    }

    /// Which command with which arguments these bytes are, and what it may do; none where the
    /// description has no such command, or where anything else is sent with it.
    pub fn recognise(&self, tx: &[u8]) -> Option<(Request, Class)> {
        let (start, length) = self.wire.request_length(tx)?;
        let (before, after) = (tx.get(..start)?, tx.get(start + length..)?);
        let only_line_ends = |bytes: &[u8]| bytes.iter().all(|byte| b"\r\n".contains(byte));
        if !only_line_ends(before) || !only_line_ends(after) {
            return None;
        }
        let line = self.understand(&tx[start..start + length])?;
        // Many instruments take several commands in one line: an open text could carry another.
        let class = line.class();
        let joins = |text: &str| text.contains([';', ':', '*', '?', '&', '|']);
        if class != Class::Calibrate && line.fields.iter().any(|(_, text)| joins(text)) {
            return None;
        }
        let request = Request {
            command: line.name().to_owned(),
            args: line.fields,
        };
        Some((request, class))
    }

    /// The query of the instrument's last error, where it has one: what tells a refusal from
    /// a dead line when nothing came.
    pub fn error_query(&self) -> Option<Request> {
        self.error_query.as_deref().map(Request::new)
    }

    /// Reads the constants of its adjustment, to be compared before and after a run; none
    /// where the protocol does not tell them.
    pub fn constants(&self) -> Option<Recipe> {
        (!self.constants.is_empty()).then(|| Recipe::texts(plain(&self.constants)))
    }

    /// What a simulator of this model senses or drives where the bench says nothing else.
    pub fn simulated_role(&self) -> crate::simulate::Role {
        self.simulation.role
    }

    /// Time limits of one exchange.
    pub fn limits(&self, request: &Request) -> TimeLimits {
        let mut limits = self.limits;
        let Some(command) = self.command(&request.command) else {
            return limits;
        };
        if let Some(first_byte_us) = command.first_byte_us {
            limits.first_byte_us = first_byte_us;
            limits.total_us += first_byte_us;
        }
        limits.gap_us = command.gap_us.unwrap_or(limits.gap_us);
        limits
    }

    /// How often a failed exchange may be repeated.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// Asks who is there and compares the reported model with this description.
    pub fn identify(&self) -> Recipe {
        Recipe::identify(
            plain(&self.identify),
            &self.model,
            self.identify_model.clone(),
        )
    }

    /// Reads the quantities, with every state that bears on them.
    ///
    /// # Errors
    /// [`RecipeError::UnknownQuantity`] where the model does not measure one of them.
    pub fn read(&self, quantities: &[&str]) -> Result<Recipe, RecipeError> {
        let mut commands: Vec<String> = Vec::new();
        let mut wanted = Vec::new();
        for &name in quantities {
            let index = self
                .quantity_index(name)
                .filter(|&index| !self.reads[index].is_empty());
            let index = index.ok_or_else(|| self.unknown_quantity(name))?;
            for command in &self.reads[index] {
                if !commands.contains(command) {
                    commands.push(command.clone());
                }
            }
            wanted.push((name.to_owned(), self.reads[index].clone()));
        }
        let quality = commands
            .iter()
            .filter_map(|name| self.command(name))
            .map(|command| (command.name.clone(), Arc::clone(&command.quality)))
            .collect();
        Ok(Recipe::read(plain(&commands), wanted, quality))
    }

    /// Sets the quantities and reads them back. Whatever else the write command carries is
    /// read first and written unchanged.
    ///
    /// # Errors
    /// [`RecipeError`] where a quantity cannot be set, or its value lies outside the range
    /// or below the resolution of the set point. Nothing is clamped or rounded.
    pub fn set(&self, values: &[(&str, Decimal)]) -> Result<Recipe, RecipeError> {
        let mut wanted = Vec::new();
        for &(name, value) in values {
            let info = self
                .quantity_index(name)
                .map(|index| &self.quantities[index]);
            let info = info.ok_or_else(|| self.unknown_quantity(name))?;
            let steps = self.set.as_ref().filter(|_| info.settable);
            let steps = steps.ok_or_else(|| self.not_settable(name))?;
            info.check_set_point(value)?;
            let field = format!("{name}.set");
            let reason = |reason| RecipeError::Resolution {
                quantity: name.to_owned(),
                reason,
            };
            let format = self
                .written_format(steps, &field)
                .ok_or_else(|| self.not_settable(name))?;
            format.write(value).map_err(reason)?;
            wanted.push((field, value.to_string()));
        }
        let steps = self
            .set
            .as_ref()
            .ok_or_else(|| self.not_settable(values.first().map_or("", |value| value.0)))?;
        wanted.extend(
            steps
                .always
                .iter()
                .map(|(name, text)| (name.clone(), text.clone())),
        );
        Ok(self.write_and_verify(steps, &wanted))
    }

    /// Brings the instrument to the state in which it may be left alone, and reads it back;
    /// `None` where it only measures.
    pub fn safe_state(&self) -> Option<Recipe> {
        if !self.safe_steps.is_empty() {
            let mut recipe = Recipe::until();
            for step in &self.safe_steps {
                let verify = Request::new(&step.verify);
                recipe = recipe.reach(step.write.as_deref(), verify, &step.expect, step.within_us);
            }
            return Some(recipe);
        }
        let steps = self.set.as_ref()?;
        let wanted = self.safe_state.as_ref()?;
        let wanted: Vec<_> = wanted
            .iter()
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect();
        Some(self.write_and_verify(steps, &wanted))
    }

    /// Makes an instrument that talks unasked stop. Drain the port afterwards.
    pub fn stop_talk(&self) -> Recipe {
        Recipe::send(plain(&self.stop_talk))
    }

    fn write_and_verify(&self, steps: &SetSteps, wanted: &[(String, String)]) -> Recipe {
        let mut writes: Vec<(&String, Vec<String>)> = Vec::new();
        for name in &steps.write {
            let command = self.command(name);
            let fields: Vec<String> = command
                .map(|command| argument_names(&command.send))
                .unwrap_or_default();
            // A command that carries nothing of what is to change is not sent.
            if fields.is_empty()
                || fields
                    .iter()
                    .any(|field| wanted.iter().any(|(name, _)| name == field))
            {
                writes.push((name, fields));
            }
        }
        let mut needed: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
        needed.extend(writes.iter().flat_map(|(_, all)| all).map(String::as_str));
        let verify = self.of_these(&steps.verify, &needed);
        let mut recipe = Recipe::set(
            wanted.to_vec(),
            plain(&verify),
            steps.settle_us,
            self.unit_limits(wanted),
            self.in_time(steps, &verify, wanted),
        );
        for read in self.of_these(&steps.read, &needed).iter().rev() {
            recipe = recipe.after(Request::new(read));
        }
        for (name, fields) in writes {
            recipe = recipe.write(name, fields);
        }
        recipe
    }

    /// Of several commands, those whose replies bear on these fields: a chamber without
    /// humidity refuses the questions about it. One that tells of no quantity is asked always.
    fn of_these(&self, commands: &[String], needed: &[&str]) -> Vec<String> {
        let quantity = |field: &str| field.strip_suffix(".set").unwrap_or(field).to_owned();
        let wanted: Vec<_> = needed.iter().map(|field| quantity(field)).collect();
        let about = |field: &Field| match field {
            Field::Number { name, .. } => Some(quantity(name)),
            Field::Text { name, .. } => {
                let mut told = self.quantities.iter().zip(&self.set_limits);
                let limit = |fields: &Option<[String; 2]>| {
                    fields.as_ref().is_some_and(|all| all.contains(name))
                };
                let found = told.find(|(_, fields)| limit(fields));
                found.map(|(info, _)| info.name.clone())
            }
            Field::Unit { .. } | Field::Check(_) | Field::Block => None,
        };
        let bears = |name: &&String| {
            let reply = self.command(name).map_or(&[][..], |command| &command.reply);
            let about: Vec<_> = reply
                .iter()
                .flat_map(Template::fields)
                .filter_map(about)
                .collect();
            about.is_empty() || about.iter().any(|name| wanted.contains(name))
        };
        let several = commands.len() > 1;
        let kept = commands.iter().filter(|name| !several || bears(name));
        kept.cloned().collect()
    }

    /// What each reply must read back, where the instrument may take its time.
    fn in_time(
        &self,
        steps: &SetSteps,
        verify: &[String],
        wanted: &[(String, String)],
    ) -> Option<ReadBackInTime> {
        if steps.within_us == 0 {
            return None;
        }
        let carried = |name: &String| {
            let reply = self.command(name).map_or(&[][..], |command| &command.reply);
            let fields = || reply.iter().flat_map(Template::fields);
            let sent = |field: &str| {
                fields().any(|one| match one {
                    Field::Number { name, .. } | Field::Text { name, .. } => name == field,
                    Field::Unit { .. } | Field::Check(_) | Field::Block => false,
                })
            };
            wanted
                .iter()
                .filter(|(field, _)| sent(field))
                .cloned()
                .collect()
        };
        Some(ReadBackInTime {
            wanted: verify.iter().map(carried).collect(),
            within_us: steps.within_us,
        })
    }

    /// Limits that the unit itself tells, of the set points among `wanted`.
    fn unit_limits(&self, wanted: &[(String, String)]) -> Vec<UnitLimits> {
        let told = self.quantities.iter().zip(&self.set_limits);
        told.filter_map(|(info, fields)| {
            let [low, high] = fields.clone()?;
            let set_point = format!("{}.set", info.name);
            let (_, value) = wanted.iter().find(|(name, _)| *name == set_point)?;
            Some(UnitLimits {
                quantity: info.name.clone(),
                value: value.parse().ok()?,
                unit: info.unit,
                fields: [low, high],
            })
        })
        .collect()
    }

    fn written_format(&self, steps: &SetSteps, field: &str) -> Option<NumberFormat> {
        let fields = steps
            .write
            .iter()
            .filter_map(|name| self.command(name))
            .flat_map(|command| command.send.fields());
        fields.into_iter().find_map(|candidate| match candidate {
            Field::Number { name, format, .. } if name == field => Some(*format),
            _ => None,
        })
    }

    fn command(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|command| command.name == name)
    }

    fn quantity_index(&self, name: &str) -> Option<usize> {
        self.quantities.iter().position(|info| info.name == name)
    }

    fn unknown_quantity(&self, name: &str) -> RecipeError {
        let known: Vec<_> = self
            .quantities
            .iter()
            .map(|info| info.name.as_str())
            .collect();
        RecipeError::UnknownQuantity {
            instrument: self.id.clone(),
            quantity: name.to_owned(),
            known: known.join(", "),
        }
    }

    fn not_settable(&self, name: &str) -> RecipeError {
        RecipeError::NotSettable {
            instrument: self.id.clone(),
            quantity: name.to_owned(),
        }
    }
}

fn plain(commands: &[String]) -> Vec<Request> {
    commands.iter().map(|name| Request::new(name)).collect()
}

/// Names of the fields that a request must be given.
fn argument_names(send: &Template) -> Vec<String> {
    send.fields()
        .filter_map(|field| match field {
            Field::Number { name, .. } | Field::Text { name, .. } => Some(name.clone()),
            Field::Unit { .. } | Field::Check(_) | Field::Block => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_description_names_line_and_column() {
        let good = description("mbw-473").unwrap().text();
        let cases = [
            (
                good.replacen("format = 2", "format = 3", 1),
                "format 3 is unknown",
            ),
            (
                good.replace("line = \"9600 8N1\"", "line = \"9600\""),
                "are no line settings",
            ),
            (
                good.replacen("{dew_point:.4}", "{dew_point}", 1),
                "write the format of the number",
            ),
            (
                good.replacen("{dew_point:.4}", "{dewpoint.set:.4}", 1),
                "there is no quantity",
            ),
            (
                good.replacen("[\"dew_point\", \"stable\"", "[\"dew\", \"stable\"", 1),
                "there is no command \"dew\"",
            ),
            (
                good.replacen("[limits]", "[limit]", 1),
                "unknown field `limit`",
            ),
            (
                good.replacen("unit = \"°C\"", "unit = \"furlong\"", 1),
                "unknown unit",
            ),
        ];
        for (text, message) in cases {
            let error = Description::parse("changed", &text).unwrap_err();
            assert!(error.message.contains(message), "{error}");
            assert!(error.line >= 1 && error.column >= 1);
        }
        let text = good.replacen("{dew_point:.4}", "{dew_point}", 1);
        let line = text
            .lines()
            .position(|line| line.contains("{dew_point}"))
            .unwrap()
            + 1;
        let error = Description::parse("changed", &text).unwrap_err();
        assert_eq!(error.line, line);
    }

    #[test]
    fn a_parameter_that_the_file_does_not_have_is_refused() {
        let weiss = description("weiss-ascii2").unwrap();
        let layout = BTreeMap::from([("adress".to_owned(), "02".to_owned())]);
        let message = weiss.with_layout(&layout).unwrap_err().to_string();
        assert!(
            message.contains("there is no parameter \"adress\"; known are address"),
            "{message}"
        );
    }
}
