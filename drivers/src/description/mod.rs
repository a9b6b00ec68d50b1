//! Declarative descriptions of instrument models: decoder, encoder, recipes and the
//! simulator's dialogue come from the same text.

mod build;
mod dialogue;
mod schema;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use heng_quantities::{Decimal, Unit};

use crate::line::LineSettings;
use crate::recipe::{Recipe, RecipeError};
use crate::reply::{Quality, Request, TimeLimits};
use crate::template::{Field, Template};

pub(crate) use dialogue::{SimulatedLine, stated_quality};
pub(crate) use schema::Simulation;

/// Longest reply; whatever talks on without an end is not answering.
const LONGEST_REPLY: usize = 8192;

macro_rules! models {
    ($($id:literal),+ $(,)?) => {
        &[$(($id, include_str!(concat!("../../models/", $id, ".toml")))),+]
    };
}

static MODELS: &[(&str, &str)] = models![
    "mbw-473",
    "fluke-1529",
    "vaisala-ptb330",
    "weiss-ascii2",
    "vaisala-hmt330",
    "fluke-7341",
];

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
    request_end: Vec<u8>,
    reply_end: Vec<u8>,
    echo: bool,
    limits: TimeLimits,
    retries: u32,
    quantities: Vec<QuantityInfo>,
    reads: Vec<Vec<String>>,
    commands: Vec<Command>,
    identify: Vec<String>,
    identify_model: Option<String>,
    stop_talk: Vec<String>,
    set: Option<SetSteps>,
    safe_state: Option<BTreeMap<String, String>>,
    pub(crate) simulation: Simulation,
}

#[derive(Debug, Clone)]
struct Command {
    name: String,
    send: Template,
    reply: Vec<Template>,
    first_byte_us: Option<u64>,
    quality: BTreeMap<String, BTreeMap<String, Quality>>,
}

#[derive(Debug, Clone)]
struct SetSteps {
    read: Option<String>,
    write: Vec<String>,
    settle_us: u64,
    verify: String,
    always: BTreeMap<String, String>,
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

    /// What a simulator of this model senses or drives where the bench says nothing else.
    pub fn simulated_role(&self) -> crate::simulate::Role {
        self.simulation.role
    }

    /// Time limits of one exchange.
    pub fn limits(&self, request: &Request) -> TimeLimits {
        let longer = self
            .command(&request.command)
            .and_then(|command| command.first_byte_us);
        longer.map_or(self.limits, |first_byte_us| TimeLimits {
            first_byte_us,
            total_us: self.limits.total_us + first_byte_us,
            ..self.limits
        })
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
            .map(|command| (command.name.clone(), command.quality.clone()))
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
            let steps = info.set_range.zip(self.set.as_ref());
            let (range, steps) = steps.ok_or_else(|| self.not_settable(name))?;
            let number = value.to_f64();
            if !(range[0]..=range[1]).contains(&number) {
                let [min, max] = range;
                let quantity = name.to_owned();
                return Err(RecipeError::SetPoint {
                    quantity,
                    value,
                    min,
                    max,
                    unit: info.unit,
                });
            }
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

    /// Brings the instrument to the state in which it may be left alone; `None` where it
    /// only measures.
    pub fn safe_state(&self) -> Option<Recipe> {
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
        let mut recipe = Recipe::set(
            wanted.to_vec(),
            plain(std::slice::from_ref(&steps.verify)),
            steps.settle_us,
        );
        if let Some(read) = &steps.read {
            recipe = recipe.after(Request::new(read));
        }
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
                recipe = recipe.write(name, fields);
            }
        }
        recipe
    }

    fn written_format(
        &self,
        steps: &SetSteps,
        field: &str,
    ) -> Option<crate::template::NumberFormat> {
        let fields = steps
            .write
            .iter()
            .filter_map(|name| self.command(name))
            .flat_map(|command| command.send.fields());
        fields.into_iter().find_map(|candidate| match candidate {
            Field::Number { name, format } if name == field => Some(*format),
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
            Field::Unit { .. } => None,
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
                good.replace("format = 1", "format = 2"),
                "format 2 is unknown",
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
