//! Criteria of a steady state as data: inline in a procedure, or a named and versioned file.

use std::collections::{BTreeMap, BTreeSet};

use heng_quantities::{Decimal, Text, Unit};
use serde::{Deserialize, Serialize};

use crate::diagnostics::{Diagnostic, Key, Source, read_toml};

/// Limits on one signal over a sliding window. What has no limit is not judged.
///
/// Range and state are compared as decimal digits where the readings have them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Channel or derived signal; in a criteria file a role.
    pub signal: String,
    /// Channel whose reading next in time is subtracted from each reading of `signal`: two
    /// sensors are judged by their difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minus: Option<String>,
    pub window_s: f64,
    #[serde(default)]
    pub window: WindowKind,
    /// Fewest readings in the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_readings: Option<usize>,
    /// Largest allowed highest − lowest, in the unit of a difference. Decimal, because it is
    /// compared with decimal readings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Decimal>,
    /// Limit of |least-squares slope| + `slope_k` · u(slope), per hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope_per_h: Option<f64>,
    /// 0, the default: the slope alone is compared. With 2 a drift above the limit passes in
    /// about one window of forty, and a window whose scatter hides the slope does not pass.
    #[serde(default)]
    pub slope_k: f64,
    /// Largest allowed standard deviation about the least-squares line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scatter: Option<f64>,
    /// State of an instrument: every reading of the window is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<Decimal>,
    /// The signal stays near its set point from a soak before the verdict on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// Name and version of the criteria file that it came from; empty for an inline criterion.
    #[serde(skip)]
    pub named: String,
}

/// Which readings make the window that ends at a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// The shortest run of readings that covers `window_s` from first to last.
    #[default]
    Covering,
    /// The readings less than `window_s` old; `minimum_readings` of them stand for the time.
    Trailing,
    /// The last `minimum_readings`, which lie within `window_s`.
    Last,
}

/// Nearness to the set point, and how long it has lasted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Quantity whose set point counts.
    pub quantity: String,
    /// Largest allowed |signal − set point|.
    pub within: Decimal,
    pub soak_s: f64,
}

/// A criteria file: limits for roles, to be used for signals of a procedure or columns of a
/// logger's file. A released version is never edited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    pub name: String,
    pub version: String,
    pub title: Text,
    /// Document that the limits come from.
    pub source: Text,
    /// A longer time between two readings breaks every window.
    pub gap_s: f64,
    pub signal: Vec<CriteriaSignal>,
    pub criterion: Vec<Criterion>,
}

/// A role in a criteria file. The limits are in its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriteriaSignal {
    pub role: String,
    pub title: Text,
    pub unit: Unit,
}

/// Use of a shipped criteria file in a procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriteriaUse {
    pub criteria: String,
    pub version: String,
    /// Signal of the procedure by role of the criteria file.
    pub signals: BTreeMap<String, String>,
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../criteria/", $name, ".toml")))),*]
    };
}

/// The criteria files that come with the program, by name.
#[must_use]
pub fn criteria_library() -> &'static [(&'static str, &'static str)] {
    files! {
        "chamber-dkd-r-5-7"
        "chamber-jjf1101-2019"
        "liquid-bath-10min"
        "room-temperature-30min"
        "soak-30-readings"
        "thermo-hygrometer-comparison"
    }
}

impl Criteria {
    /// Reads a criteria file; `name` is the file's name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, with file, line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut criteria: Self = read_toml(name, text)?;
        let found = criteria.check(Source { name, text });
        if !found.is_empty() {
            return Err(found);
        }
        let named = format!("{} {}", criteria.name, criteria.version);
        for criterion in &mut criteria.criterion {
            criterion.named.clone_from(&named);
        }
        Ok(criteria)
    }

    /// The shipped criteria file of that name.
    ///
    /// # Errors
    /// The names that there are.
    pub fn shipped(name: &str) -> Result<Self, String> {
        let found = criteria_library().iter().find(|(known, _)| *known == name);
        let Some((name, text)) = found else {
            let known: Vec<_> = criteria_library().iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "no criterion of the program is named {name:?}: name one of {}",
                known.join(", ")
            ));
        };
        Self::parse(name, text).map_err(|found| {
            let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
            lines.join("; ")
        })
    }

    /// The role of that name.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&CriteriaSignal> {
        self.signal.iter().find(|one| one.role == name)
    }

    fn check(&self, source: Source<'_>) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut report = |path: &[Key<'_>], message: String, help: &str| {
            found.push(source.at(path, message, Some(help)));
        };
        for (key, text) in [("name", &self.name), ("version", &self.version)] {
            if text.trim().is_empty() || text.contains(char::is_whitespace) {
                let message = format!("{key} {text:?} is empty or has a space in it");
                report(&[key.into()], message, "write one word");
            }
        }
        if let Some((message, help)) = time_problem(self.gap_s) {
            report(&["gap_s".into()], message, help);
        }
        let mut roles = BTreeSet::new();
        for (index, signal) in self.signal.iter().enumerate() {
            let path = ["signal".into(), index.into(), "role".into()];
            let role = signal.role.as_str();
            if !roles.insert(role) {
                let message = format!("role {role:?} is defined a second time");
                report(&path, message, "give each its own name");
            }
            let mut all = self.criterion.iter();
            if !all.any(|one| one.signal == role || one.minus.as_deref() == Some(role)) {
                let message = format!("no criterion judges the role {role:?}");
                report(&path, message, "add a [[criterion]] or remove the role");
            }
        }
        if self.criterion.is_empty() {
            let message = "there is no criterion of the steady state".to_owned();
            report(&["name".into()], message, "add a [[criterion]]");
        }
        for (index, criterion) in self.criterion.iter().enumerate() {
            let at = |key| ["criterion".into(), index.into(), Key::Name(key)];
            for (key, role) in criterion.roles() {
                if self.role(role).is_none() {
                    let message = format!("role {role:?} is not defined");
                    report(&at(key), message, "name one of the [[signal]] entries");
                }
            }
            for (key, message, help) in criterion.problems() {
                report(&at(key), message, help);
            }
        }
        found
    }
}

impl Criterion {
    /// Longest time that readings must be remembered for.
    pub(crate) fn longest_s(&self) -> f64 {
        let soak_s = self.reach.as_ref().map_or(0.0, |reach| reach.soak_s);
        if soak_s > self.window_s {
            soak_s
        } else {
            self.window_s
        }
    }

    /// The keys that name signals, with the names.
    pub(crate) fn roles(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let minus = self.minus.as_deref().map(|minus| ("minus", minus));
        [("signal", self.signal.as_str())].into_iter().chain(minus)
    }

    /// What is wrong with the limits in themselves: key, message and cure.
    pub fn problems(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut found = Vec::new();
        if let Some((message, help)) = time_problem(self.window_s) {
            found.push(("window_s", message, help));
        }
        self.limit_problems(&mut found);
        self.count_problems(&mut found);
        if self.minus.as_ref() == Some(&self.signal) {
            let message = format!("{:?} is subtracted from itself", self.signal);
            found.push(("minus", message, "name the other signal"));
        }
        if let Some(reach) = &self.reach {
            if reach.within.digits() <= 0 {
                let message = format!("{} around the set point is not above zero", reach.within);
                found.push(("reach", message, "write the largest allowed distance"));
            }
            if !(0.0..=MAX_SECONDS).contains(&reach.soak_s) {
                let message = format!("{} is not a time up to {MAX_SECONDS} s", reach.soak_s);
                found.push(("reach", message, "write `soak_s` in seconds"));
            }
        }
        found
    }

    fn limit_problems(&self, found: &mut Vec<(&'static str, String, &'static str)>) {
        if let Some(range) = self.range.filter(|range| range.digits() <= 0) {
            let message = format!("range {range} is not above zero");
            found.push(("range", message, "write the largest allowed range"));
        }
        let positive = |limit: &f64| limit.is_finite() && *limit > 0.0;
        if let Some(slope) = self.slope_per_h.filter(|slope| !positive(slope)) {
            let message = format!("slope {slope} is not above zero");
            found.push((
                "slope_per_h",
                message,
                "write the largest allowed slope per hour",
            ));
        }
        if let Some(scatter) = self.scatter.filter(|scatter| !positive(scatter)) {
            let message = format!("scatter {scatter} is not above zero");
            let help = "write the largest allowed standard deviation";
            found.push(("scatter", message, help));
        }
        if !(0.0..=10.0).contains(&self.slope_k) {
            let message = format!("slope_k {} is not between 0 and 10", self.slope_k);
            let help = "write how many standard uncertainties are added to the slope";
            found.push(("slope_k", message, help));
        } else if self.slope_k > 0.0 && self.slope_per_h.is_none() {
            let message = "slope_k has no slope limit that it could belong to".to_owned();
            found.push(("slope_k", message, "add `slope_per_h` or remove `slope_k`"));
        }
        let limits = [
            self.range.is_some(),
            self.slope_per_h.is_some(),
            self.scatter.is_some(),
            !self.state.is_empty(),
            self.reach.is_some(),
        ];
        if !limits.contains(&true) {
            let message = format!("the criterion of {:?} limits nothing", self.signal);
            let help = "add `range`, `slope_per_h`, `scatter`, `state` or `reach`";
            found.push(("signal", message, help));
        }
    }

    fn count_problems(&self, found: &mut Vec<(&'static str, String, &'static str)>) {
        let line = self.slope_per_h.is_some() || self.scatter.is_some();
        let least = if line { 3 } else { 1 };
        match self.minimum_readings {
            Some(count) if count < least => {
                let message = format!("{count} readings do not allow these limits");
                let help = "ask for at least one reading, and for three with slope or scatter";
                found.push(("minimum_readings", message, help));
            }
            None if self.window != WindowKind::Covering => {
                let message =
                    "this kind of window does not say how many readings it takes".to_owned();
                let help = "add `minimum_readings`, or use `window = \"covering\"`";
                found.push(("window", message, help));
            }
            _ => {}
        }
    }
}

/// Longest time of a rule, 30 days: microseconds then stay far from overflow.
pub(crate) const MAX_SECONDS: f64 = 30.0 * 86_400.0;

/// What is wrong with a time in seconds that must be above zero.
pub(crate) fn time_problem(value: f64) -> Option<(String, &'static str)> {
    let good = value.is_finite() && value > 0.0 && value <= MAX_SECONDS;
    (!good).then(|| {
        (
            format!("{value} is not a time above 0 s and up to {MAX_SECONDS} s"),
            "write a time in seconds",
        )
    })
}
