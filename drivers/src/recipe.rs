//! Sequences of exchanges that belong together. A recipe does no I/O, never repeats and
//! never waits: it says what is next and takes what came of it.

use std::collections::{BTreeMap, VecDeque};

use heng_quantities::{Decimal, Unit};

use crate::description::stated_quality;
use crate::reply::{DecodeCause, DecodeError, Identity, Quality, Reply, Request, Value};

type QualityTable = BTreeMap<String, BTreeMap<String, Quality>>;

/// One run of a sequence: identify, read, set, safe state or stop.
#[derive(Debug, Clone)]
pub struct Recipe {
    stages: VecDeque<Stage>,
    /// The request whose reply comes next.
    asked: Option<String>,
    /// Text of every field of the replies so far; what a writing command takes its
    /// unchanged fields from.
    fields: BTreeMap<String, String>,
    replies: Vec<(String, Reply)>,
    goal: Goal,
    ended: bool,
}

#[derive(Debug, Clone)]
enum Stage {
    Ask(Request),
    /// Writes fields as read, with the wanted ones put in.
    Write {
        command: String,
        fields: Vec<String>,
    },
    Wait {
        us: u64,
    },
    /// Forgets what was read, so that only the read-back can satisfy the comparison.
    Forget,
}

#[derive(Debug, Clone)]
enum Goal {
    Send,
    Identify {
        model: String,
        expected: Option<String>,
    },
    /// Quantities with the commands that bear on each.
    Read {
        wanted: Vec<(String, Vec<String>)>,
        quality: BTreeMap<String, QualityTable>,
    },
    Set {
        wanted: Vec<(String, String)>,
    },
}

/// What a recipe wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Perform the exchange and pass its decoded reply to [`Recipe::advance`].
    Send(Request),
    /// Let this time pass, then call [`Recipe::advance`] with `None`.
    Wait {
        us: u64,
    },
    Done(RecipeOutcome),
    Failed(RecipeError),
}

/// What a recipe brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecipeOutcome {
    /// Of a reading: the quantities in the order asked for, each with the worst quality
    /// stated for it. Of a setting: what was read back.
    pub values: Vec<Value>,
    pub identity: Option<Identity>,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RecipeError {
    #[error("{instrument} does not measure {quantity:?}; it has {known}")]
    UnknownQuantity {
        instrument: String,
        quantity: String,
        known: String,
    },
    #[error("{quantity:?} cannot be set on {instrument}")]
    NotSettable {
        instrument: String,
        quantity: String,
    },
    #[error(
        "the set point {value} {unit} of {quantity} lies outside {min} to {max} {unit}: it is refused, not clamped"
    )]
    SetPoint {
        quantity: String,
        value: Decimal,
        unit: Unit,
        min: f64,
        max: f64,
    },
    #[error("the set point of {quantity} cannot be sent: {reason}")]
    Resolution { quantity: String, reason: String },
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(
        "the instrument says it is {found:?}, its description is for {expected:?}: choose the right description or connect the right instrument"
    )]
    WrongModel { expected: String, found: String },
    #[error(
        "{field} was set to {wanted}, the instrument reads back {found}: it did not take the setting"
    )]
    ReadBack {
        field: String,
        wanted: String,
        found: String,
    },
    #[error("no reply carried {quantity}")]
    Missing { quantity: String },
    #[error("the recipe was asked for a step after its end or without the reply it waits for")]
    OutOfOrder,
}

impl Recipe {
    fn new(stages: impl IntoIterator<Item = Stage>, goal: Goal) -> Self {
        Self {
            stages: stages.into_iter().collect(),
            asked: None,
            fields: BTreeMap::new(),
            replies: Vec::new(),
            goal,
            ended: false,
        }
    }

    pub(crate) fn send(requests: Vec<Request>) -> Self {
        Self::new(requests.into_iter().map(Stage::Ask), Goal::Send)
    }

    pub(crate) fn identify(requests: Vec<Request>, model: &str, expected: Option<String>) -> Self {
        Self::new(
            requests.into_iter().map(Stage::Ask),
            Goal::Identify {
                model: model.to_owned(),
                expected,
            },
        )
    }

    pub(crate) fn read(
        requests: Vec<Request>,
        wanted: Vec<(String, Vec<String>)>,
        quality: BTreeMap<String, QualityTable>,
    ) -> Self {
        Self::new(
            requests.into_iter().map(Stage::Ask),
            Goal::Read { wanted, quality },
        )
    }

    /// Ends with a wait and the read-back; [`Recipe::after`] and [`Recipe::write`] put the
    /// rest before them.
    pub(crate) fn set(wanted: Vec<(String, String)>, verify: Vec<Request>, settle_us: u64) -> Self {
        let end = [Stage::Wait { us: settle_us }, Stage::Forget];
        Self::new(
            end.into_iter().chain(verify.into_iter().map(Stage::Ask)),
            Goal::Set { wanted },
        )
    }

    pub(crate) fn after(mut self, request: Request) -> Self {
        self.stages.push_front(Stage::Ask(request));
        self
    }

    pub(crate) fn write(mut self, command: &str, fields: Vec<String>) -> Self {
        let at = self
            .stages
            .iter()
            .position(|stage| matches!(stage, Stage::Wait { .. }))
            .unwrap_or(self.stages.len());
        self.stages.insert(
            at,
            Stage::Write {
                command: command.to_owned(),
                fields,
            },
        );
        self
    }

    /// Takes the reply to the last [`Step::Send`] (or `None` at the start and after a wait)
    /// and says what is next. The first failure ends the recipe.
    pub fn advance(&mut self, reply: Option<Result<Reply, DecodeError>>) -> Step {
        if self.ended {
            return Step::Failed(RecipeError::OutOfOrder);
        }
        let step = self
            .take(reply)
            .and_then(|()| self.next())
            .unwrap_or_else(Step::Failed);
        self.ended = matches!(step, Step::Done(_) | Step::Failed(_));
        step
    }

    fn take(&mut self, reply: Option<Result<Reply, DecodeError>>) -> Result<(), RecipeError> {
        match (self.asked.take(), reply) {
            (None, None) => Ok(()),
            // An instrument that is told to stop talking may be in the middle of a line.
            (Some(_), Some(_)) if matches!(self.goal, Goal::Send) => Ok(()),
            (Some(command), Some(reply)) => {
                let reply = reply?;
                for value in &reply.values {
                    self.fields
                        .insert(value.quantity.clone(), value.digits.to_string());
                }
                self.fields.extend(reply.texts.iter().cloned());
                self.replies.push((command, reply));
                Ok(())
            }
            _ => Err(RecipeError::OutOfOrder),
        }
    }

    fn next(&mut self) -> Result<Step, RecipeError> {
        loop {
            let request = match self.stages.pop_front() {
                Some(Stage::Ask(request)) => request,
                Some(Stage::Write { command, fields }) => self.filled(command, &fields)?,
                Some(Stage::Wait { us }) => return Ok(Step::Wait { us }),
                Some(Stage::Forget) => {
                    self.fields.clear();
                    self.replies.clear();
                    continue;
                }
                None => return self.outcome().map(Step::Done),
            };
            self.asked = Some(request.command.clone());
            return Ok(Step::Send(request));
        }
    }

    fn filled(&self, command: String, fields: &[String]) -> Result<Request, RecipeError> {
        let wanted = match &self.goal {
            Goal::Set { wanted } => wanted.as_slice(),
            _ => &[],
        };
        let text = |field: &String| {
            let set = wanted
                .iter()
                .find(|(name, _)| name == field)
                .map(|(_, text)| text);
            let text = set.or_else(|| self.fields.get(field)).cloned();
            text.map(|text| (field.clone(), text))
                .ok_or_else(|| RecipeError::Missing {
                    quantity: field.clone(),
                })
        };
        Ok(Request {
            command,
            args: fields.iter().map(text).collect::<Result<_, _>>()?,
        })
    }

    fn outcome(&self) -> Result<RecipeOutcome, RecipeError> {
        match &self.goal {
            Goal::Send => Ok(RecipeOutcome::default()),
            Goal::Identify { model, expected } => self.identity(model, expected.as_deref()),
            Goal::Read { wanted, quality } => {
                let values = wanted
                    .iter()
                    .map(|(name, commands)| self.value(name, commands, quality))
                    .collect::<Result<_, _>>()?;
                Ok(RecipeOutcome {
                    values,
                    identity: None,
                })
            }
            Goal::Set { wanted } => self.read_back(wanted),
        }
    }

    fn identity(&self, model: &str, expected: Option<&str>) -> Result<RecipeOutcome, RecipeError> {
        let field = |name: &str| self.fields.get(name).cloned();
        let reported = field("model");
        if let (Some(expected), Some(found)) = (expected, &reported)
            && !found.starts_with(expected)
        {
            return Err(RecipeError::WrongModel {
                expected: expected.to_owned(),
                found: found.clone(),
            });
        }
        let (serial, version) = (field("serial"), field("version"));
        // A protocol without any identification proves nothing about who answered.
        let known = reported.is_some() || serial.is_some();
        let identity = known.then(|| Identity {
            model: reported.unwrap_or_else(|| model.to_owned()),
            serial,
            version,
        });
        Ok(RecipeOutcome {
            values: Vec::new(),
            identity,
        })
    }

    fn value(
        &self,
        name: &str,
        commands: &[String],
        quality: &BTreeMap<String, QualityTable>,
    ) -> Result<Value, RecipeError> {
        let replies = || {
            self.replies
                .iter()
                .filter(|(command, _)| commands.contains(command))
        };
        let found = replies().find_map(|(_, reply)| reply.value(name));
        let mut value = found.cloned().ok_or_else(|| RecipeError::Missing {
            quantity: name.to_owned(),
        })?;
        for (command, reply) in replies() {
            if value.quality != Quality::Valid {
                break;
            }
            // The table was checked when the reply was decoded.
            let stated = quality
                .get(command)
                .map(|table| stated_quality(table, reply));
            value.quality = stated
                .transpose()
                .map_err(|cause| state_error(command, cause))?
                .unwrap_or(Quality::Valid);
        }
        Ok(value)
    }

    fn read_back(&self, wanted: &[(String, String)]) -> Result<RecipeOutcome, RecipeError> {
        for (field, text) in wanted {
            let found = self.fields.get(field).ok_or_else(|| RecipeError::Missing {
                quantity: field.clone(),
            })?;
            if !same(text, found) {
                return Err(RecipeError::ReadBack {
                    field: field.clone(),
                    wanted: text.clone(),
                    found: found.clone(),
                });
            }
        }
        let values = self.replies.iter().flat_map(|(_, reply)| &reply.values);
        let values =
            values.filter(|value| wanted.iter().any(|(field, _)| *field == value.quantity));
        Ok(RecipeOutcome {
            values: values.cloned().collect(),
            identity: None,
        })
    }
}

fn state_error(command: &str, cause: DecodeCause) -> RecipeError {
    RecipeError::Decode(DecodeError::new("", command, &[], cause))
}

/// Equal as texts, or as numbers whatever their zeros at the end.
fn same(wanted: &str, found: &str) -> bool {
    let number = |text: &str| text.parse::<Decimal>().ok().map(Decimal::to_f64);
    wanted == found
        || number(wanted)
            .zip(number(found))
            .is_some_and(|(a, b)| wanted.contains('.') && a == b)
}
