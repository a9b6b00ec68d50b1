//! What the command line asks for: a named criterion, or limits of its own.

use std::path::Path;

use clap::{Args, ValueEnum};
use heng_procedures::{Criteria, CriteriaSignal, Criterion, Reach, WindowKind};
use heng_quantities::{Decimal, Text, Unit};

use super::Steady;
use crate::cli::{Exit, Failure, read_text};

/// Limits in place of a named criterion.
#[derive(Args)]
pub struct Limits {
    /// Length of the window: 30min, 1800s, 2h
    #[arg(long, value_name = "TIME", value_parser = time_s)]
    window: Option<f64>,
    /// A longer time between two readings breaks the window
    #[arg(long, value_name = "TIME", value_parser = time_s)]
    gap: Option<f64>,
    /// Which readings make the window: those that cover it, those less old, or the last ones
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Fewest readings in the window
    #[arg(long, value_name = "COUNT")]
    readings: Option<usize>,
    /// Largest highest − lowest
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    range: Option<Decimal>,
    /// Largest |least-squares slope| an hour
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    slope: Option<f64>,
    /// Standard uncertainties of the slope that are added to it
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    slope_k: Option<f64>,
    /// Largest standard deviation about the line
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    scatter: Option<f64>,
    /// Largest distance from the set point
    #[arg(long, value_name = "NUMBER", requires = "set_point")]
    within: Option<Decimal>,
    /// Time since the set point was reached
    #[arg(long, value_name = "TIME", value_parser = time_s, requires = "within")]
    soak: Option<f64>,
    /// Column that is subtracted: the difference of two sensors is judged
    #[arg(long, value_name = "COLUMN")]
    minus: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Covering,
    Trailing,
    Last,
}

/// `30min` in seconds.
fn time_s(text: &str) -> Result<f64, String> {
    let refuse = || format!("{text:?} is no time: write it as 90s, 30min, 2h or 1d");
    let units = [("min", 60.0), ("s", 1.0), ("h", 3600.0), ("d", 86_400.0)];
    let unit = units.iter().find(|(unit, _)| text.ends_with(unit));
    let (unit, factor) = unit.ok_or_else(refuse)?;
    let number = text.trim_end_matches(unit).trim_end();
    let number: f64 = number.parse().map_err(|_| refuse())?;
    Ok(number * factor)
}

/// What is judged, by which criterion.
pub struct Wanted {
    pub criteria: Criteria,
    /// The limits are those of the command line.
    pub inline: bool,
    pub judgements: Vec<Judgement>,
}

/// One criterion, and the readings that it judges.
pub struct Judgement {
    pub criterion: Criterion,
    pub readings: Readings,
    /// Of the readings.
    pub unit: Unit,
}

pub enum Readings {
    Column(String),
    /// The first less the second.
    Difference(String, String),
    /// Whether the column has the text.
    State(String, String),
}

impl Readings {
    /// As tables and pictures name it.
    pub fn name(&self) -> String {
        match self {
            Self::Column(column) => column.clone(),
            Self::Difference(column, minus) => format!("{column} − {minus}"),
            Self::State(column, text) => format!("{column} = {text}"),
        }
    }
}

fn usage(message: &impl ToString) -> Failure {
    Failure::new(Exit::Usage, message)
}

impl Wanted {
    pub fn of(arguments: &Steady) -> Result<Self, Failure> {
        let inline = arguments.criterion.is_none();
        let criteria = match &arguments.criterion {
            Some(name) => named(name)?,
            None => stated(arguments)?,
        };
        let columns = columns(&criteria, &arguments.value, inline)?;
        let column = |role: &str| -> String {
            let found = columns.iter().find(|(known, _)| known == role);
            found.map_or_else(|| role.to_owned(), |(_, column)| column.clone())
        };
        let mut judgements = Vec::new();
        for criterion in &criteria.criterion {
            let signal = criteria.role(&criterion.signal);
            let own = signal.map(|signal| signal.unit).or(arguments.unit);
            let own = own.ok_or_else(|| usage(&"the criterion has no unit: state --unit"))?;
            let unit = match arguments.unit {
                Some(unit) if unit.difference() != own.difference() => {
                    let message = format!(
                        "--unit: {} limits {} in {own}, the values are in {unit}: convert them, or state limits in {unit}",
                        criteria.name, criterion.signal
                    );
                    return Err(usage(&message));
                }
                Some(unit) => unit,
                None => own,
            };
            if criterion.reach.is_some() && arguments.set_point.is_none() {
                let message =
                    "the criterion waits until the set point is reached: state --set-point";
                return Err(usage(&message));
            }
            let value = column(&criterion.signal);
            let readings = match &criterion.minus {
                Some(minus) => Readings::Difference(value, column(minus)),
                None => Readings::Column(value),
            };
            judgements.push(Judgement {
                criterion: criterion.clone(),
                readings,
                unit,
            });
        }
        judgements.extend(states(arguments, &criteria, &judgements)?);
        Ok(Self {
            criteria,
            inline,
            judgements,
        })
    }
}

fn named(name: &str) -> Result<Criteria, Failure> {
    if Path::new(name).extension().is_none_or(|end| end != "toml") {
        return Criteria::shipped(name).map_err(|error| usage(&format!("--criterion: {error}")));
    }
    let text = read_text(&name.into())?;
    Criteria::parse(name, &text).map_err(|found| {
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Input, &lines.join("\nheng: "))
    })
}

/// The limits of the command line as a criteria file would have them.
fn stated(arguments: &Steady) -> Result<Criteria, Failure> {
    let limits = &arguments.limits;
    let (Some(window_s), Some(gap_s)) = (limits.window, limits.gap) else {
        let message = "name a --criterion (heng steady --list shows them), or state --window and --gap with --range, --slope, --scatter or --within";
        return Err(usage(&message));
    };
    let [value] = arguments.value.as_slice() else {
        return Err(usage(&"state one --value, the column that is judged"));
    };
    let Some(unit) = arguments.unit else {
        return Err(usage(&"state the --unit of the values: limits carry units"));
    };
    let criterion = Criterion {
        signal: value.clone(),
        minus: limits.minus.clone(),
        window_s,
        window: match limits.kind {
            None | Some(Kind::Covering) => WindowKind::Covering,
            Some(Kind::Trailing) => WindowKind::Trailing,
            Some(Kind::Last) => WindowKind::Last,
        },
        minimum_readings: limits.readings,
        range: limits.range,
        slope_per_h: limits.slope,
        slope_k: limits.slope_k.unwrap_or(0.0),
        scatter: limits.scatter,
        state: Vec::new(),
        reach: limits.within.map(|within| Reach {
            quantity: value.clone(),
            within,
            soak_s: limits.soak.unwrap_or(0.0),
        }),
        named: String::new(),
    };
    if let Some((key, message, help)) = criterion.problems().first() {
        return Err(usage(&format!("{}: {message}; {help}", flag(key))));
    }
    let words = Text::new("limits of the command line", "命令行给出的限值");
    Ok(Criteria {
        name: String::new(),
        version: String::new(),
        title: words.clone(),
        source: words.clone(),
        gap_s,
        signal: vec![CriteriaSignal {
            role: value.clone(),
            title: words,
            unit,
        }],
        criterion: vec![criterion],
    })
}

/// The option that states what a criteria file calls `key`.
fn flag(key: &str) -> &'static str {
    match key {
        "window_s" => "--window",
        "window" | "minimum_readings" => "--readings",
        "range" => "--range",
        "slope_per_h" => "--slope",
        "slope_k" => "--slope-k",
        "scatter" => "--scatter",
        "reach" => "--within",
        "minus" => "--minus",
        _ => "limits",
    }
}

/// Roles and their columns.
fn columns(
    criteria: &Criteria,
    values: &[String],
    inline: bool,
) -> Result<Vec<(String, String)>, Failure> {
    if inline {
        return Ok(Vec::new());
    }
    let roles: Vec<_> = criteria
        .signal
        .iter()
        .map(|one| one.role.as_str())
        .collect();
    let mut found: Vec<(String, String)> = Vec::new();
    for value in values {
        let (role, column) = match value.split_once('=') {
            Some((role, column)) if roles.contains(&role) => (role, column),
            _ if roles.len() == 1 => (roles[0], value.as_str()),
            _ => {
                let message = format!(
                    "--value {value:?}: the criterion has the roles {}: write ROLE=COLUMN",
                    roles.join(", ")
                );
                return Err(usage(&message));
            }
        };
        found.push((role.to_owned(), column.to_owned()));
    }
    for role in &roles {
        match found.iter().filter(|(known, _)| known == role).count() {
            1 => {}
            0 => {
                let message =
                    format!("no column plays the role {role:?}: add --value {role}=COLUMN");
                return Err(usage(&message));
            }
            _ => {
                return Err(usage(&format!(
                    "--value: two columns play the role {role:?}"
                )));
            }
        }
    }
    Ok(found)
}

/// Criteria of the states, over the longest window of the others.
fn states(
    arguments: &Steady,
    criteria: &Criteria,
    judged: &[Judgement],
) -> Result<Vec<Judgement>, Failure> {
    let windows = criteria.criterion.iter().map(|one| one.window_s);
    let window_s = windows.fold(0.0, |longest: f64, one| longest.max(one));
    let unit = judged.first().map(|one| one.unit);
    let state = |(column, text): &(String, String)| {
        let unit = unit.ok_or_else(|| usage(&"--state needs a value that is judged too"))?;
        Ok(Judgement {
            criterion: Criterion {
                signal: column.clone(),
                minus: None,
                window_s,
                window: WindowKind::Covering,
                minimum_readings: None,
                range: None,
                slope_per_h: None,
                slope_k: 0.0,
                scatter: None,
                state: vec![Decimal::new(1, 0)],
                reach: None,
                named: String::new(),
            },
            readings: Readings::State(column.clone(), text.clone()),
            unit,
        })
    };
    arguments.state.iter().map(state).collect()
}
