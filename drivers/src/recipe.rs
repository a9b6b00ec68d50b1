//! Sequences of exchanges that belong together. A recipe does no I/O, never repeats and
//! never waits: it says what is next and takes what came of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use heng_quantities::{Decimal, Unit};

use crate::description::{same_number, stated_quality};
use crate::reply::{
    DecodeCause, DecodeError, EncodeError, Identity, Quality, Reply, Request, Value,
};

/// What a state field says about the values of its reply: states by field.
pub(crate) type QualityTable = BTreeMap<String, BTreeMap<String, Quality>>;

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
    /// Refuses a set point outside of what the unit says it takes.
    Within(UnitLimits),
    /// Asks again until the fields are as wanted.
    Until {
        request: Request,
        wanted: Vec<(String, String)>,
        tries: u64,
    },
    /// Looks at the reply to that.
    Reached {
        request: Request,
        wanted: Vec<(String, String)>,
        tries: u64,
    },
}

/// How often a state is asked for that the plant takes time to reach.
const LOOK_US: u64 = 500_000;

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
        quality: BTreeMap<String, Arc<QualityTable>>,
    },
    Set {
        wanted: Vec<(String, String)>,
    },
    /// Text fields, as they are.
    Texts,
    /// Every state was reached on the way.
    Reached,
}

/// Limits of a set point that the unit itself tells, in text fields of its reply.
#[derive(Debug, Clone)]
pub(crate) struct UnitLimits {
    pub quantity: String,
    pub value: Decimal,
    pub unit: Unit,
    pub fields: [String; 2],
}

/// What the read-backs of a setting wait for: the fields that each of them carries.
#[derive(Debug, Clone)]
pub(crate) struct ReadBackInTime {
    pub wanted: Vec<Vec<(String, String)>>,
    pub within_us: u64,
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
    /// Text fields by name, where texts were asked for.
    pub texts: BTreeMap<String, String>,
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
    #[error(
        "the limits {min} to {max} of {quantity} reach beyond the range {low} to {high} of the model: narrow them"
    )]
    Limits {
        quantity: String,
        min: f64,
        max: f64,
        low: f64,
        high: f64,
    },
    #[error("the set point of {quantity} cannot be sent: {reason}")]
    Resolution { quantity: String, reason: String },
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
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
        quality: BTreeMap<String, Arc<QualityTable>>,
    ) -> Self {
        Self::new(
            requests.into_iter().map(Stage::Ask),
            Goal::Read { wanted, quality },
        )
    }

    /// Ends with a wait and the read-back; [`Recipe::after`] and [`Recipe::write`] put the
    /// rest before them.
    pub(crate) fn set(
        wanted: Vec<(String, String)>,
        verify: Vec<Request>,
        settle_us: u64,
        limits: Vec<UnitLimits>,
        in_time: Option<ReadBackInTime>,
    ) -> Self {
        let end = [Stage::Wait { us: settle_us }, Stage::Forget];
        let mut stages: Vec<_> = limits.into_iter().map(Stage::Within).chain(end).collect();
        match in_time {
            None => stages.extend(verify.into_iter().map(Stage::Ask)),
            Some(in_time) => {
                let asked = verify.into_iter().zip(in_time.wanted);
                stages.extend(asked.map(|(request, wanted)| Stage::Until {
                    request,
                    wanted,
                    tries: 1 + in_time.within_us / LOOK_US,
                }));
            }
        }
        Self::new(stages, Goal::Set { wanted })
    }

    pub(crate) fn texts(requests: Vec<Request>) -> Self {
        Self::new(requests.into_iter().map(Stage::Ask), Goal::Texts)
    }

    /// Begins a way to a state, step by step with [`Recipe::reach`].
    pub(crate) fn until() -> Self {
        Self::new([], Goal::Reached)
    }

    /// Writes, then asks until the fields are as wanted.
    pub(crate) fn reach(
        mut self,
        write: Option<&str>,
        request: Request,
        wanted: &[(String, String)],
        within_us: u64,
    ) -> Self {
        let write = write.map(|command| Stage::Ask(Request::new(command)));
        self.stages.extend(write);
        self.stages.push_back(Stage::Until {
            request,
            wanted: wanted.to_vec(),
            tries: 1 + within_us / LOOK_US,
        });
        self
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
                let instead = reply.instead.is_some();
                // A line in the place of a reply tells no identity and confirms no setting.
                if instead
                    && matches!(
                        self.goal,
                        Goal::Identify { .. } | Goal::Set { .. } | Goal::Texts
                    )
                {
                    return Err(RecipeError::Missing { quantity: command });
                }
                for value in &reply.values {
                    // What is no value is not 0 either.
                    if instead || value.quality == Quality::NoValue {
                        self.fields.remove(&value.quantity);
                    } else {
                        let digits = value.digits.to_string();
                        self.fields.insert(value.quantity.clone(), digits);
                    }
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
                Some(Stage::Within(limits)) => {
                    self.within(&limits)?;
                    continue;
                }
                Some(Stage::Until {
                    request,
                    wanted,
                    tries,
                }) => {
                    let asked = request.clone();
                    self.stages.push_front(Stage::Reached {
                        request,
                        wanted,
                        tries,
                    });
                    asked
                }
                Some(Stage::Reached {
                    request,
                    wanted,
                    tries,
                }) => match self.differs(&wanted) {
                    None => continue,
                    Some(error) if tries <= 1 => return Err(error),
                    Some(_) => {
                        let tries = tries - 1;
                        self.stages.push_front(Stage::Until {
                            request,
                            wanted,
                            tries,
                        });
                        return Ok(Step::Wait { us: LOOK_US });
                    }
                },
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
            Goal::Send | Goal::Reached => Ok(RecipeOutcome::default()),
            Goal::Texts => Ok(RecipeOutcome {
                texts: self.fields.clone(),
                ..RecipeOutcome::default()
            }),
            Goal::Identify { model, expected } => self.identity(model, expected.as_deref()),
            Goal::Read { wanted, quality } => {
                let values = wanted
                    .iter()
                    .map(|(name, commands)| self.value(name, commands, quality))
                    .collect::<Result<_, _>>()?;
                Ok(RecipeOutcome {
                    values,
                    ..RecipeOutcome::default()
                })
            }
            Goal::Set { wanted } => self.read_back(wanted),
        }
    }

    fn identity(&self, model: &str, expected: Option<&str>) -> Result<RecipeOutcome, RecipeError> {
        let field = |name: &str| self.fields.get(name).cloned();
        let reported = field("model");
        if let (Some(expected), Some(found)) = (expected, &reported)
            && !found
                .get(..expected.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(expected))
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
            identity,
            ..RecipeOutcome::default()
        })
    }

    fn value(
        &self,
        name: &str,
        commands: &[String],
        quality: &BTreeMap<String, Arc<QualityTable>>,
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
        if let Some(error) = self.differs(wanted) {
            return Err(error);
        }
        let mut values: Vec<Value> = Vec::new();
        for value in self.replies.iter().flat_map(|(_, reply)| &reply.values) {
            if wanted.iter().any(|(field, _)| *field == value.quantity) {
                // What was asked for again replaces what came before.
                values.retain(|known| known.quantity != value.quantity);
                values.push(value.clone());
            }
        }
        Ok(RecipeOutcome {
            values,
            ..RecipeOutcome::default()
        })
    }

    /// The first field that is not as wanted.
    fn differs(&self, wanted: &[(String, String)]) -> Option<RecipeError> {
        wanted.iter().find_map(|(field, text)| {
            let Some(found) = self.fields.get(field) else {
                return Some(RecipeError::Missing {
                    quantity: field.clone(),
                });
            };
            (!same(field, text, found)).then(|| RecipeError::ReadBack {
                field: field.clone(),
                wanted: text.clone(),
                found: found.clone(),
            })
        })
    }

    /// Refuses a set point that the unit would not take. A limit that cannot be read is no
    /// limit that can be relied on.
    fn within(&self, limits: &UnitLimits) -> Result<(), RecipeError> {
        let told = |field: &String| {
            let text = self.fields.get(field);
            let number = text.and_then(|text| text.trim().parse::<Decimal>().ok());
            number
                .map(Decimal::to_f64)
                .ok_or_else(|| RecipeError::Missing {
                    quantity: field.clone(),
                })
        };
        let [min, max] = [told(&limits.fields[0])?, told(&limits.fields[1])?];
        if (min..=max).contains(&limits.value.to_f64()) {
            return Ok(());
        }
        Err(RecipeError::SetPoint {
            quantity: limits.quantity.clone(),
            value: limits.value,
            unit: limits.unit,
            min,
            max,
        })
    }
}

fn state_error(command: &str, cause: DecodeCause) -> RecipeError {
    RecipeError::Decode(DecodeError::new("", command, &[], cause))
}

/// Equal as texts, or as numbers whatever their zeros at the end: a set point is a number, and
/// so is a text with a point in it.
fn same(field: &str, wanted: &str, found: &str) -> bool {
    let numeric = field.strip_suffix(".set").is_some() || wanted.contains('.');
    wanted == found || (numeric && same_number(wanted, found))
}
