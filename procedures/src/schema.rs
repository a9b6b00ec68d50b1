//! A procedure as data: what is measured, when it is steady, and with which model.

use std::collections::BTreeMap;

use heng_quantities::{Decimal, Text, Unit};
use heng_uncertainty::DecisionRule;
use serde::{Deserialize, Serialize};

use crate::check;
use crate::criterion::{Criteria, CriteriaUse, Criterion};
use crate::diagnostics::{Diagnostic, Source, read_toml};
use crate::mapping::Definition;
use crate::standard::Standards;

/// One procedure, read from its TOML text and free of contradictions in itself.
/// Whether it fits an order and a bench is asked of [`crate::lint`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    pub id: String,
    pub version: String,
    pub kind: Kind,
    pub title: Text,
    /// Documents that the procedure follows, as they are cited on a certificate.
    pub norms: Vec<String>,
    #[serde(default)]
    pub role: Vec<Role>,
    #[serde(default)]
    pub channel: Vec<Channel>,
    /// Signals computed from channels and earlier derived signals.
    #[serde(default)]
    pub derived: Vec<Derived>,
    /// Formula that stands for each generic name of a model while no choice or answer says
    /// otherwise.
    #[serde(default)]
    pub bind: BTreeMap<String, String>,
    #[serde(default)]
    pub choice: Vec<Choice>,
    #[serde(default)]
    pub point: Vec<Point>,
    #[serde(default)]
    pub steady: Option<SteadyRules>,
    #[serde(default)]
    pub reading: Option<ReadingRules>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossRules>,
    #[serde(default)]
    pub prompt: Vec<PromptRule>,
    #[serde(default)]
    pub measurand: Vec<Measurand>,
    /// Definitions that a mapping may be evaluated by.
    #[serde(default)]
    pub definition: Vec<Definition>,
    /// Name and text that it was read from, for messages with line and column.
    #[serde(skip)]
    pub(crate) file: String,
    #[serde(skip)]
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Indications are compared with a reference at set points.
    Comparison,
    /// A space is mapped from the record of a data logger.
    Mapping,
}

/// A part that an instrument plays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub name: String,
    pub title: Text,
    pub purpose: Purpose,
    pub quantities: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A standard: its certificate corrects it.
    Reference,
    UnitUnderTest,
    /// Makes the set points.
    Source,
    Environment,
}

/// A quantity read from a role. The name is its symbol in every model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub name: String,
    pub role: String,
    pub quantity: String,
    pub unit: Unit,
    pub title: Text,
}

/// A signal computed at every scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    pub name: String,
    pub unit: Unit,
    pub title: Text,
    /// Model text whose last output is the signal.
    pub model: String,
}

/// Something chosen in the order, before measuring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub name: String,
    pub title: Text,
    /// Id of the option that holds where the order is silent.
    pub default: String,
    pub option: Vec<ChoiceOption>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceOption {
    pub id: String,
    pub title: Text,
    /// Generic name of a formula -> formula, or another generic name.
    pub bind: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    pub id: String,
    pub title: Text,
    #[serde(default)]
    pub direction: Option<Direction>,
    /// Set points by quantity of the source.
    pub set: BTreeMap<String, Decimal>,
    /// Points of one group are the same set point, reached from below and from above.
    #[serde(default)]
    pub group: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Rising,
    Falling,
}

impl Direction {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rising => "rising",
            Self::Falling => "falling",
        }
    }
}

/// When a point counts as steady.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SteadyRules {
    pub scan_interval_s: f64,
    /// Soak: readings never begin earlier, however steady the signals are.
    pub minimum_wait_s: f64,
    pub maximum_wait_s: f64,
    /// A longer time between two scans breaks every window.
    pub gap_s: f64,
    pub on_timeout: OnTimeout,
    /// Shipped criteria files, whose criteria stand before those written here.
    #[serde(default)]
    pub named: Vec<CriteriaUse>,
    #[serde(default)]
    pub criterion: Vec<Criterion>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    Ask,
    Skip,
    Abort,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingRules {
    /// Readings of a point.
    pub count: u32,
    pub interval_s: f64,
    /// Order of the channels within one reading. A channel named twice is averaged, so that
    /// a linear drift cancels.
    pub sequence: Vec<String>,
    /// How often a point's readings are started over before the operator is asked.
    pub point_repeats: u32,
}

/// What follows when an instrument is lost: its port is gone, it does not answer, or another
/// one answers. The run holds; the instrument is looked for, and every instrument identified
/// anew before anything is read or set. Then:
///
/// - readings of the point under way start over, and every window of the steady state begins
///   anew: nothing is judged over the gap;
/// - where a source was lost, its set points are set and read back again and the whole soak
///   begins anew, because nobody knows what it did meanwhile;
/// - where one of `soak_anew` was lost, the whole soak begins anew: it may have been without
///   power;
/// - a source that does not confirm its safe state is told again for the same time.
///
/// A procedure without these rules asks a person at once and sets nothing again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossRules {
    /// Time between two looks.
    pub look_every_s: f64,
    /// How long it is looked for before a person is asked.
    pub look_for_s: f64,
    /// Roles besides the sources.
    #[serde(default)]
    pub soak_anew: Vec<String>,
}

/// A question of the procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptRule {
    pub id: String,
    pub at: PromptAt,
    pub text: Text,
    /// Asked only while this channel lies above `above` and below `below`.
    #[serde(default)]
    pub signal: Option<String>,
    #[serde(default)]
    pub above: Option<f64>,
    #[serde(default)]
    pub below: Option<f64>,
    /// Answer that needs no person where the signal is not above `above`.
    #[serde(default)]
    pub otherwise_low: Option<String>,
    /// Answer that needs no person where the signal is not below `below`.
    #[serde(default)]
    pub otherwise_high: Option<String>,
    /// Answer supposed while settling, before a person is asked.
    #[serde(default)]
    pub presume: Option<String>,
    pub choice: Vec<PromptOption>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptAt {
    Start,
    BeforeReadings,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptOption {
    pub id: String,
    pub key: char,
    pub text: Text,
    /// Re-binds generic names of formulas for the point.
    #[serde(default)]
    pub bind: BTreeMap<String, String>,
    /// The run ends with this answer.
    #[serde(default)]
    pub ends_run: bool,
}

/// What is reported at each point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurand {
    pub id: String,
    pub title: Text,
    pub unit: Unit,
    /// Signal of the reference value.
    pub reference: String,
    /// Signal of the unit under test.
    pub indication: String,
    pub model: String,
    /// Which output of the model is the result: indication minus reference.
    pub output: String,
    pub input: Vec<MeasurandInput>,
    pub decision: DecisionDefault,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionDefault {
    /// Rule that holds where the order names none.
    pub default_rule: DecisionRule,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasurandInput {
    pub symbol: String,
    pub title: Text,
    pub unit: Unit,
    pub source: InputSource,
}

/// Where the value and the uncertainty of an input come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum InputSource {
    /// Mean of the corrected readings of the point; its scatter is an input of its own.
    Mean { channel: String },
    /// Zero mean; type A evaluation of the signal's readings at the point.
    TypeA { signal: String },
    /// Zero mean; U/k of the standard's certificate.
    Certificate { channel: String },
    /// Zero mean, rectangular; half-width from the standard's certificate file.
    Drift { channel: String },
    /// Zero mean, rectangular; half of the last digit received.
    Resolution { channel: String },
    /// Zero mean; figure of the accepted steady state by the law.
    Instability {
        signal: String,
        /// Of a criterion that judges the difference of two channels.
        #[serde(default)]
        minus: Option<String>,
        #[serde(default)]
        law: InstabilityLaw,
    },
    /// Zero mean, rectangular; half of |up − down| over the group of points.
    Hysteresis,
    /// As written here, with its reason in `note`.
    Fixed(FixedInput),
}

/// What is taken from the accepted steady state, and with which law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstabilityLaw {
    /// Rectangular, half of the range (DKD-R 5-7 takes the half-width so); the degrees of freedom are
    /// infinite.
    #[default]
    HalfRange,
    /// Student's t with the standard deviation about the line, not divided by the root of the
    /// number of readings, and n − 2 degrees of freedom.
    Scatter,
    /// Rectangular, half of what the largest slope that the window allows for,
    /// |slope| + `slope_k` · u(slope), changes during the readings.
    Drift,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedInput {
    #[serde(default)]
    pub value: f64,
    pub distribution: FixedDistribution,
    /// Of a bounded distribution.
    #[serde(default)]
    pub half_width: Option<f64>,
    /// Standard uncertainty of a normal distribution.
    #[serde(default)]
    pub u: Option<f64>,
    /// Degrees of freedom; none for infinitely many.
    #[serde(default)]
    pub dof: Option<f64>,
    pub note: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedDistribution {
    Normal,
    Rectangular,
    Triangular,
    UShaped,
}

/// The procedures that come with the program, by id.
#[must_use]
pub fn library() -> &'static [(&'static str, &'static str)] {
    &[
        (
            "thermo-hygrometer-comparison",
            include_str!("../library/thermo-hygrometer-comparison.toml"),
        ),
        (
            "chamber-mapping",
            include_str!("../library/chamber-mapping.toml"),
        ),
    ]
}

impl Procedure {
    /// Reads a procedure; `name` is the file's name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with the text itself, with file, line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut procedure: Self = read_toml(name, text)?;
        name.clone_into(&mut procedure.file);
        text.clone_into(&mut procedure.text);
        procedure.take_named_criteria()?;
        let found = check::check(&procedure);
        if found.is_empty() {
            Ok(procedure)
        } else {
            Err(found)
        }
    }

    /// Puts the criteria of the named files, with the procedure's signals, before its own.
    fn take_named_criteria(&mut self) -> Result<(), Vec<Diagnostic>> {
        let Some(rules) = &self.steady else {
            return Ok(());
        };
        let (mut taken, mut found) = (Vec::new(), Vec::new());
        for (index, used) in rules.named.iter().enumerate() {
            match self.named_criteria(rules.gap_s, used) {
                Ok(criteria) => taken.extend(criteria),
                Err((key, message, help)) => {
                    let path = ["steady".into(), "named".into(), index.into(), key.into()];
                    found.push(self.source().at(&path, message, Some(help)));
                }
            }
        }
        if !found.is_empty() {
            return Err(found);
        }
        if let Some(rules) = &mut self.steady {
            taken.append(&mut rules.criterion);
            rules.criterion = taken;
        }
        Ok(())
    }

    fn named_criteria(
        &self,
        gap_s: f64,
        used: &CriteriaUse,
    ) -> Result<Vec<Criterion>, (&'static str, String, &'static str)> {
        let file = Criteria::shipped(&used.criteria)
            .map_err(|message| ("criteria", message, "correct the name"))?;
        if file.version != used.version {
            let message = format!(
                "{} has the version {}, not {}",
                file.name, file.version, used.version
            );
            return Err(("version", message, "name the version that the program has"));
        }
        if gap_s > file.gap_s {
            let (name, least) = (&file.name, file.gap_s);
            let message = format!("{name} bridges gaps up to {least} s, this procedure {gap_s} s");
            return Err(("criteria", message, "shorten `gap_s` of the procedure"));
        }
        if let Some(role) = used.signals.keys().find(|role| file.role(role).is_none()) {
            let message = format!("{} has no role {role:?}", file.name);
            return Err(("signals", message, "name the roles of the criteria file"));
        }
        for one in &file.signal {
            let Some(signal) = used.signals.get(&one.role) else {
                let message = format!("no signal plays the role {:?} of {}", one.role, file.name);
                return Err(("signals", message, "name a signal for every role"));
            };
            let unit = self.signal_unit(signal);
            if let Some(unit) = unit.filter(|unit| unit.difference() != one.unit.difference()) {
                let message = format!(
                    "{} limits {signal} in {}, it is in {unit}",
                    file.name, one.unit
                );
                return Err((
                    "signals",
                    message,
                    "use a signal in the unit of the criteria",
                ));
            }
        }
        let signal = |role: &String| used.signals.get(role).unwrap_or(role).clone();
        let criteria = file.criterion.into_iter().map(|one| Criterion {
            signal: signal(&one.signal),
            minus: one.minus.as_ref().map(signal),
            ..one
        });
        Ok(criteria.collect())
    }

    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            name: &self.file,
            text: &self.text,
        }
    }

    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channel.iter().find(|channel| channel.name == name)
    }

    #[must_use]
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.role.iter().find(|role| role.name == name)
    }

    /// Unit of a channel or derived signal.
    #[must_use]
    pub fn signal_unit(&self, name: &str) -> Option<Unit> {
        self.channel(name).map(|channel| channel.unit).or_else(|| {
            let mut derived = self.derived.iter();
            derived
                .find(|derived| derived.name == name)
                .map(|derived| derived.unit)
        })
    }

    /// Unit in which the instrument of a channel indicates: that of the channel, unless the
    /// certificate of a standard gives its values from another quantity.
    pub(crate) fn indication_unit(&self, channel: &Channel, standards: &Standards) -> Unit {
        let certificate = standards
            .get(&channel.role)
            .filter(|_| self.is_corrected(channel))
            .and_then(|one| one.channel(&channel.quantity));
        // Units that do not fit are the lint's to say.
        match certificate.filter(|one| one.indication_unit() != one.unit()) {
            Some(certified) => certified.indication_unit(),
            None => channel.unit,
        }
    }

    /// The standard's role of a channel, where it is one that a certificate corrects.
    #[must_use]
    pub fn is_corrected(&self, channel: &Channel) -> bool {
        self.role(&channel.role)
            .is_some_and(|role| role.purpose == Purpose::Reference)
    }
}
