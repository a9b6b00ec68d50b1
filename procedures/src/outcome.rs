//! What a procedure derives from the evidence: every value that a screen, a certificate or
//! an assessor sees. Each [`Outcome`] is stored in the record as JSON beside the evidence it
//! came from, and is computed again and compared at every replay.

use std::collections::BTreeMap;

use heng_quantities::{Decimal, Rounded, Text, Unit};
use heng_uncertainty::{Budget, Decision, MonteCarlo, RangeViolation, Validation};
use serde::{Deserialize, Serialize};

use crate::criterion::WindowKind;
use crate::standard::OutOfRange;

/// One derived value. The variants are append-only: old records replay for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Outcome {
    /// The points and steps ahead, said once at the start.
    Planned(Planned),
    /// The run entered another step of a point.
    Step(Step),
    /// One scan over the channels, with everything computed from it.
    Scan(Scan),
    /// Verdict of the steady-state criteria on the readings so far.
    Steady(Steady),
    /// A question to the operator; the run waits for the answer.
    Prompt(Prompt),
    /// Readings of a point are complete (or the point was given up).
    Point(PointClosed),
    /// Evaluated result of one measurand at one point.
    Result(Box<PointResult>),
    /// Result of a spatial mapping at one set point.
    Mapping(Box<MappingResult>),
    /// Something that a person must know.
    Alarm(Alarm),
    /// The run has ended.
    Finished {
        t_us: u64,
        completed: bool,
        reason: Text,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    pub procedure: String,
    pub version: String,
    pub title: Text,
    pub points: Vec<PlannedPoint>,
    /// Shortest and longest time that the plan can take, from its own limits.
    pub duration_s: [u64; 2],
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedPoint {
    pub id: String,
    pub title: Text,
    /// `rising`, `falling` or empty where the procedure knows no direction.
    pub direction: String,
    /// Set points by quantity of the source.
    pub set: BTreeMap<String, Decimal>,
}

/// Steps of a point, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    Identify,
    Prepare,
    Set,
    Stabilise,
    Read,
    Closed,
    SafeState,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub t_us: u64,
    pub kind: StepKind,
    /// Index into [`Planned::points`]; none outside any point.
    pub point: Option<usize>,
    /// Shortest and longest time left to the end of the run.
    pub left_s: [u64; 2],
}

/// One value of one channel, as the instrument sent it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Indication {
    pub channel: String,
    pub digits: Decimal,
    pub unit: Unit,
    /// `valid`, or what the instrument said instead (`settling`, `purge`, …).
    pub quality: String,
    pub t_us: u64,
    /// Sequence number of the record's entry that holds the bytes.
    pub entry: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanPurpose {
    Settling,
    Reading,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    pub t_us: u64,
    pub point: Option<usize>,
    pub purpose: ScanPurpose,
    /// Number of this reading within the point, from 1; none while settling.
    pub cycle: Option<u32>,
    pub indications: Vec<Indication>,
    /// Channels whose value is missing, with the reason.
    pub missing: BTreeMap<String, String>,
    /// Corrected channel values and derived signals by name.
    pub signals: BTreeMap<String, f64>,
}

/// Figures of one criterion over its window, and its limits. What the criterion does not
/// limit is not written, so that records of earlier versions compute to the same text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CriterionState {
    pub signal: String,
    /// Channel that was subtracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minus: Option<String>,
    /// Name and version of the criteria file; empty for a criterion of the procedure itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub named: String,
    /// Of a difference.
    pub unit: Unit,
    #[serde(default, skip_serializing_if = "is_covering")]
    pub window: WindowKind,
    pub window_s: f64,
    /// Time really covered by readings without a gap.
    pub covered_s: f64,
    pub count: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_readings: Option<usize>,
    pub range: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range_limit: Option<f64>,
    /// Least-squares slope per hour; none with fewer than three readings.
    pub slope_per_h: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope_limit_per_h: Option<f64>,
    /// Standard uncertainty of the slope, where it counts in the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope_u_per_h: Option<f64>,
    /// How many of them are added to the slope.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slope_k: f64,
    /// Standard deviation about the least-squares line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scatter: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scatter_limit: Option<f64>,
    /// Readings of the window in which the instrument was in another state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_state: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<Soak>,
    pub steady: bool,
}

/// How long the signal has been near its set point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Soak {
    /// None where the last reading is not near it.
    pub soaked_s: Option<f64>,
    pub least_s: f64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_covering(window: &WindowKind) -> bool {
    *window == WindowKind::Covering
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

/// One test of a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SteadyTest {
    /// The readings cover the window without a gap.
    Covered,
    /// There are enough of them.
    Readings,
    Range,
    Slope,
    Scatter,
    /// The instrument was in the state that it should be.
    State,
    /// The set point was reached long enough ago.
    Soak,
}

impl SteadyTest {
    /// All tests, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Covered,
        Self::Readings,
        Self::Range,
        Self::Slope,
        Self::Scatter,
        Self::State,
        Self::Soak,
    ];
}

impl CriterionState {
    /// `t_uut − t`, or the signal alone.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.minus {
            Some(minus) => format!("{} − {minus}", self.signal),
            None => self.signal.clone(),
        }
    }

    /// |slope| with what its uncertainty adds, as it is compared with the limit.
    #[must_use]
    pub fn slope_judged_per_h(&self) -> Option<f64> {
        let slope = self.slope_per_h?.abs();
        if self.slope_k == 0.0 {
            return Some(slope);
        }
        Some(slope + self.slope_k * self.slope_u_per_h?)
    }

    /// Whether the window has a test of that kind, and how it ended.
    #[must_use]
    pub fn passes(&self, test: SteadyTest) -> Option<bool> {
        // A figure that is missing, or not a number, passes nothing.
        let within = |figure: Option<f64>, limit: f64| figure.is_some_and(|figure| figure <= limit);
        match test {
            SteadyTest::Covered => match self.window {
                WindowKind::Covering => Some(self.covered_s >= self.window_s),
                WindowKind::Trailing => None,
                WindowKind::Last => Some(self.covered_s <= self.window_s),
            },
            SteadyTest::Readings => self.minimum_readings.map(|least| self.count >= least),
            SteadyTest::Range => self
                .range_limit
                .map(|limit| within(Some(self.range), limit)),
            SteadyTest::Slope => self
                .slope_limit_per_h
                .map(|limit| within(self.slope_judged_per_h(), limit)),
            SteadyTest::Scatter => self.scatter_limit.map(|limit| within(self.scatter, limit)),
            SteadyTest::State => self.other_state.map(|other| self.count > 0 && other == 0),
            SteadyTest::Soak => self.soak.map(|soak| {
                let soaked = soak.soaked_s;
                soaked.is_some_and(|soaked_s| soaked_s >= soak.least_s)
            }),
        }
    }

    /// The tests that the window does not pass.
    #[must_use]
    pub fn failed(&self) -> Vec<SteadyTest> {
        let failed = |test: &SteadyTest| self.passes(*test) == Some(false);
        SteadyTest::ALL.into_iter().filter(failed).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steady {
    pub t_us: u64,
    pub point: Option<usize>,
    pub criteria: Vec<CriterionState>,
    pub waited_s: f64,
    pub minimum_wait_s: f64,
    pub maximum_wait_s: f64,
    pub steady: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptChoice {
    pub id: String,
    /// The key that a person presses.
    pub key: char,
    pub text: Text,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    pub id: String,
    pub t_us: u64,
    pub point: Option<usize>,
    pub text: Text,
    pub choices: Vec<PromptChoice>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointClosed {
    pub index: usize,
    pub t_us: u64,
    pub complete: bool,
    /// How often the readings of this point were started over, with the reasons.
    pub repeats: Vec<String>,
    /// The readings that count, one scan a cycle.
    pub cycles: Vec<Scan>,
    /// The accepted steady state, which enters the budget.
    pub steady: Option<Steady>,
    /// Answers of the operator that change the evaluation, by prompt id.
    pub answers: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointResult {
    pub point: usize,
    pub measurand: String,
    pub title: Text,
    pub unit: Unit,
    /// True while inputs that need later points (hysteresis) are still missing.
    pub preliminary: bool,
    pub reference: f64,
    pub indication: f64,
    /// Indication minus reference, corrected as the model says.
    pub error: f64,
    pub hysteresis: Option<f64>,
    pub budget: Budget,
    pub monte_carlo: MonteCarlo,
    pub validation: Validation,
    /// `gum` or `monte_carlo`: whose interval is reported, and why.
    pub reported: String,
    pub reported_why: Text,
    /// Error and expanded uncertainty as they are printed.
    pub rounded: Rounded,
    pub limit: Option<[f64; 2]>,
    pub decision: Option<Decision>,
    /// Formulas and standards that were used outside of their ranges, each by a statement of
    /// the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forced: Vec<Forced>,
    /// Formula ranges that were left, inputs that are not independent, and the like.
    pub notes: Vec<Text>,
}

/// A use of a formula or a standard outside of its range, and who answers for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forced {
    pub violation: Violation,
    pub reason: Text,
    pub person: String,
}

/// A range that was left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Violation {
    /// Of a formula, as its source states it.
    Formula(RangeViolation),
    /// Of a standard, as its certificate states it.
    Standard(BeyondCertificate),
}

/// A reading beyond what the certificate of its standard covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeyondCertificate {
    /// Number of the certificate.
    pub certificate: String,
    #[serde(flatten)]
    pub outside: OutOfRange,
}

impl BeyondCertificate {
    /// Certificate, range and reading, in both languages.
    #[must_use]
    pub fn text(&self) -> Text {
        let Self {
            certificate,
            outside,
        } = self;
        let OutOfRange {
            quantity,
            found,
            unit,
            min,
            max,
        } = outside;
        Text::new(
            &format!(
                "certificate {certificate} covers {quantity} from {min} {unit} to {max} {unit}, but \
                 the standard was used at {found:.6} {unit}"
            ),
            &format!(
                "证书 {certificate} 对 {quantity} 的校准范围为 {min} {unit} 至 {max} {unit}, 实际使用值为 \
                 {found:.6} {unit}"
            ),
        )
    }
}

impl Violation {
    /// Range and use, in both languages.
    #[must_use]
    pub fn text(&self) -> Text {
        match self {
            Self::Formula(violation) => violation.text(),
            Self::Standard(violation) => violation.text(),
        }
    }

    /// Which kind of range it is.
    #[must_use]
    pub fn range(&self) -> Text {
        match self {
            Self::Formula(_) => Text::new("range of a formula", "公式适用范围"),
            Self::Standard(_) => Text::new("certified range of a standard", "标准器的校准范围"),
        }
    }

    /// Name of the formula, or number of the certificate.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Formula(violation) => &violation.formula,
            Self::Standard(violation) => &violation.certificate,
        }
    }
}

/// One location of a mapped space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocationSummary {
    pub location: String,
    pub n: usize,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    /// Half of the largest change in time.
    pub half_range: f64,
}

/// A characteristic of the mapped space, by the definition chosen and printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Characteristic {
    pub id: String,
    pub title: Text,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappingResult {
    pub quantity: String,
    pub unit: Unit,
    /// `jjf1101-2019` or `dkd-r-5-7`.
    pub definition: String,
    /// Id of the definition's measurand that the budget and the result belong to.
    pub measurand: String,
    pub set_value: Option<f64>,
    pub locations: Vec<LocationSummary>,
    pub characteristics: Vec<Characteristic>,
    pub budget: Budget,
    pub monte_carlo: MonteCarlo,
    pub validation: Validation,
    pub rounded: Rounded,
    pub notes: Vec<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Notice,
    Warning,
    Alarm,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    pub t_us: u64,
    pub severity: Severity,
    /// Role or channel it concerns; empty for the whole run.
    pub place: String,
    pub text: Text,
}
