//! From the closed points of a run to results with uncertainty.

mod certified;
mod error;

use heng_quantities::{Text, convert, round_result};
use heng_uncertainty::{
    Budget, Input, Inputs, Model, MonteCarlo, Sampling, TooFewReadings, TypeA, Validation, decide,
    monte_carlo, propagate, type_a, type_a_uncompensated, validate,
};

pub use error::{EvaluationError, Place};

use crate::order::Order;
use crate::outcome::{CriterionState, Forced, PointClosed, PointResult, Scan, Violation};
use crate::schema::{
    FixedDistribution, FixedInput, InputSource, InstabilityLaw, Measurand, MeasurandInput,
    Procedure,
};
use crate::standard::Standards;
use crate::steady::seconds;

/// Coverage probability of every interval that is reported.
pub const COVERAGE: f64 = 0.9545;

/// Significant digits of a reported uncertainty (ILAC-P14:09/2020, 5.4).
const REPORTED_DIGITS: u8 = 2;

/// Seed of the Monte Carlo trials of one result: `seed ^ splitmix64(point << 32 | measurand)`,
/// so that no two results of a session share their random numbers.
#[must_use]
pub fn result_seed(seed: u64, point: usize, measurand: usize) -> u64 {
    // Finaliser of SplitMix64 (Steele, Lea, Flood: OOPSLA 2014).
    let mut z = ((point as u64) << 32 | measurand as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ z ^ (z >> 31)
}

/// How results are computed: records of earlier formats are replayed as they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Of record format 1: a result whose formulas were used outside of the ranges of their
    /// sources is given with a note, and sums over readings are not compensated.
    First,
    /// Such a result is refused, unless the order states that the laboratory answers for it.
    Present,
}

impl Rules {
    #[must_use]
    pub const fn of_format(format: u32) -> Self {
        if format < 2 {
            Self::First
        } else {
            Self::Present
        }
    }

    pub(crate) fn type_a(self, series: &[f64]) -> Result<TypeA, TooFewReadings> {
        match self {
            Self::First => type_a_uncompensated(series),
            Self::Present => type_a(series),
        }
    }
}

/// Evaluates every measurand at every complete point, in the order of `points`.
///
/// Where the other direction of a group is complete too, the hysteresis enters the budget;
/// otherwise the result is preliminary.
///
/// # Errors
/// [`EvaluationError`], naming point and measurand.
pub fn evaluate(
    procedure: &Procedure,
    order: &Order,
    standards: &Standards,
    points: &[PointClosed],
    seed: u64,
    rules: Rules,
) -> Result<Vec<PointResult>, EvaluationError> {
    let session = Session {
        procedure,
        order,
        standards,
        points,
        seed,
        rules,
    };
    let mut results = Vec::new();
    for point in points.iter().filter(|point| point.complete) {
        for measurand in 0..procedure.measurand.len() {
            results.push(session.result(point, measurand)?);
        }
    }
    Ok(results)
}

/// Evaluates one point while the run goes on; results of a group whose other direction is
/// not among `before` are preliminary.
///
/// # Errors
/// [`EvaluationError`], naming point and measurand.
pub fn evaluate_point(
    procedure: &Procedure,
    order: &Order,
    standards: &Standards,
    point: &PointClosed,
    before: &[PointClosed],
    seed: u64,
    rules: Rules,
) -> Result<Vec<PointResult>, EvaluationError> {
    let session = Session {
        procedure,
        order,
        standards,
        points: before,
        seed,
        rules,
    };
    (0..procedure.measurand.len())
        .map(|measurand| session.result(point, measurand))
        .collect()
}

/// The interval that is reported, and why: the GUM's where the Monte Carlo method validates
/// it (JCGM 101:2008, clause 8), otherwise the shortest interval of the trials.
pub(crate) struct Reported {
    pub(crate) method: &'static str,
    pub(crate) value: f64,
    pub(crate) u: f64,
    pub(crate) expanded: f64,
    pub(crate) why: Text,
}

impl Reported {
    pub(crate) fn of(budget: &Budget, sampled: &MonteCarlo, validation: &Validation) -> Self {
        if validation.validated {
            return Self {
                method: "gum",
                value: budget.value,
                u: budget.u,
                expanded: budget.expanded,
                why: Text::new(
                    "Reported: the GUM's interval, validated by the Monte Carlo method (JCGM 101:2008, clause 8).",
                    "报告GUM法的包含区间，已由蒙特卡洛法验证（JCGM 101:2008第8章）。",
                ),
            };
        }
        let [low, high] = sampled.shortest;
        Self {
            method: "monte_carlo",
            value: sampled.mean,
            u: sampled.u,
            expanded: (high - low) / 2.0,
            why: Text::new(
                "Reported: mean and half-width of the shortest interval of the Monte Carlo method, because it does not validate the GUM's interval (JCGM 101:2008, clause 8).",
                "报告蒙特卡洛法的平均值及最短包含区间半宽，因其未能验证GUM法的区间（JCGM 101:2008第8章）。",
            ),
        }
    }
}

struct Session<'a> {
    procedure: &'a Procedure,
    order: &'a Order,
    standards: &'a Standards,
    points: &'a [PointClosed],
    seed: u64,
    rules: Rules,
}

/// State of the other direction of a group.
enum Partner {
    /// The procedure knows no other direction of this point, or the measurand no hysteresis.
    None,
    /// It was not measured, or not yet.
    Missing,
    /// Error falling minus error rising.
    Difference(f64),
}

impl Session<'_> {
    fn result(&self, point: &PointClosed, index: usize) -> Result<PointResult, EvaluationError> {
        let measurand = &self.procedure.measurand[index];
        let one = OnePoint::new(self, point, measurand)?;
        let partner = self.partner(point, measurand)?;
        let hysteresis = match partner {
            Partner::Difference(difference) => Some(difference),
            Partner::None | Partner::Missing => None,
        };
        let model = one.model()?;
        let mut notes = Vec::new();
        let inputs = model
            .inputs()
            .iter()
            .map(|symbol| one.input(symbol, hysteresis, &mut notes))
            .collect::<Result<Vec<_>, _>>()?;
        if matches!(partner, Partner::Missing) {
            notes.push(Text::new(
                "The other direction of this point is missing: hysteresis is not in the budget.",
                "缺少该点另一行程的测量：回差未计入不确定度。",
            ));
        }
        let forced = self.forced(&one, &model, &inputs, &mut notes)?;
        let result = self.assemble(
            &one,
            index,
            &model,
            &inputs,
            hysteresis,
            matches!(partner, Partner::Missing),
            notes,
        )?;
        Ok(PointResult { forced, ..result })
    }

    /// Formulas and standards outside of their ranges that the order answers for; each is
    /// said in a note.
    fn forced(
        &self,
        one: &OnePoint<'_>,
        model: &Model,
        inputs: &[Input],
        notes: &mut Vec<Text>,
    ) -> Result<Vec<Forced>, EvaluationError> {
        let value_of = |symbol: &str| value_of(inputs, symbol);
        let outputs: Vec<_> = match self.rules {
            Rules::First => model.outputs().iter().map(String::as_str).collect(),
            Rules::Present => vec![one.measurand.output.as_str()],
        };
        let mut all = one.beyond_certificates()?;
        notes.extend(all.iter().map(|forced| self.forced_in_words(one, forced)));
        for violation in model.check_ranges(&outputs, &value_of) {
            if self.rules == Rules::First {
                let said = violation.to_string();
                notes.push(Text::new(&said, &format!("公式超出其声明范围：{said}")));
                continue;
            }
            let Some(statement) = self.order.beyond_range_of(&violation.formula) else {
                return Err(EvaluationError::BeyondRange {
                    place: one.place.clone(),
                    violation: Box::new(violation),
                });
            };
            let forced = Forced {
                violation: Violation::Formula(violation),
                reason: statement.reason.clone(),
                person: statement.person.clone(),
            };
            notes.push(self.forced_in_words(one, &forced));
            all.push(forced);
        }
        Ok(all)
    }

    fn forced_in_words(&self, one: &OnePoint<'_>, forced: &Forced) -> Text {
        let rule = self.procedure.point.get(one.point.index);
        let at = rule.map_or_else(Text::default, |rule| rule.title.clone());
        let (title, said) = (&one.measurand.title, forced.violation.text());
        let range = forced.violation.range();
        let Forced { reason, person, .. } = forced;
        Text {
            en: format!(
                "{}, {}: outside of the {}, forced by {person}: {} Reason: {}.",
                title.en,
                at.en,
                range.en,
                said.en + ".",
                reason.en.trim_end_matches('.')
            ),
            zh: format!(
                "{}，{}：超出{}，由{person}决定强制使用：{}。理由：{}。",
                title.zh,
                at.zh,
                range.zh,
                said.zh,
                reason.zh.trim_end_matches('。')
            ),
        }
    }

    /// The GUM's propagation and the Monte Carlo trials of one result.
    fn both_methods(
        &self,
        one: &OnePoint<'_>,
        index: usize,
        model: &Model,
        inputs: &[Input],
    ) -> Result<(Budget, MonteCarlo), EvaluationError> {
        let inputs = &Inputs::from(inputs.to_vec());
        let output = &one.measurand.output;
        let place = || one.place.clone();
        let budget = propagate(model, output, inputs, COVERAGE).map_err(|source| {
            EvaluationError::Propagation {
                place: place(),
                source,
            }
        })?;
        let sampling = Sampling {
            coverage: COVERAGE,
            ..Sampling::with_seed(result_seed(self.seed, one.point.index, index))
        };
        let sampled = monte_carlo(model, output, inputs, &sampling).map_err(|source| {
            EvaluationError::Sampling {
                place: place(),
                source: Box::new(source),
            }
        })?;
        Ok((budget, sampled))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one result, put together once"
    )]
    fn assemble(
        &self,
        one: &OnePoint<'_>,
        index: usize,
        model: &Model,
        inputs: &[Input],
        hysteresis: Option<f64>,
        preliminary: bool,
        notes: Vec<Text>,
    ) -> Result<PointResult, EvaluationError> {
        let (point, measurand) = (one.point, one.measurand);
        let (budget, sampled) = self.both_methods(one, index, model, inputs)?;
        let validation = validate(&budget, &sampled);
        let reported = Reported::of(&budget, &sampled, &validation);
        let rounded =
            round_result(reported.value, reported.expanded, REPORTED_DIGITS).map_err(|source| {
                EvaluationError::Rounding {
                    place: one.place.clone(),
                    source,
                }
            })?;
        let limit = self.limit(one)?;
        let rule = self.order.decision.as_ref();
        let rule = rule.unwrap_or(&measurand.decision.default_rule);
        let decision = limit.map(|[low, high]| {
            decide(
                reported.value,
                reported.u,
                reported.expanded,
                low,
                high,
                rule,
            )
        });
        Ok(PointResult {
            point: point.index,
            measurand: measurand.id.clone(),
            title: measurand.title.clone(),
            unit: measurand.unit,
            preliminary,
            reference: one.mean_of(&measurand.reference)?,
            indication: one.mean_of(&measurand.indication)?,
            error: reported.value,
            hysteresis,
            budget,
            monte_carlo: sampled,
            validation,
            reported: reported.method.to_owned(),
            reported_why: reported.why,
            rounded,
            limit,
            decision,
            forced: Vec::new(),
            notes,
        })
    }

    /// Limits of the order in the unit of the measurand's differences.
    fn limit(&self, one: &OnePoint<'_>) -> Result<Option<[f64; 2]>, EvaluationError> {
        let Some(limit) = self.order.limit_of(&one.measurand.id) else {
            return Ok(None);
        };
        let to = one.measurand.unit.difference();
        let converted = |value| {
            convert(value, limit.unit, to).map_err(|source| EvaluationError::Limit {
                place: one.place.clone(),
                source,
            })
        };
        Ok(Some([converted(limit.low)?, converted(limit.high)?]))
    }

    /// The same set point reached from the other side, and its error less this one's.
    fn partner(
        &self,
        point: &PointClosed,
        measurand: &Measurand,
    ) -> Result<Partner, EvaluationError> {
        let counts = |input: &MeasurandInput| input.source == InputSource::Hysteresis;
        if !measurand.input.iter().any(counts) {
            return Ok(Partner::None);
        }
        let rules = &self.procedure.point;
        let Some(here) = rules.get(point.index) else {
            return Ok(Partner::None);
        };
        let other = rules.iter().position(|rule| {
            rule.group.is_some() && rule.group == here.group && rule.direction != here.direction
        });
        let Some(other) = other else {
            return Ok(Partner::None);
        };
        let closed = self
            .points
            .iter()
            .find(|one| one.index == other && one.complete);
        let Some(closed) = closed else {
            return Ok(Partner::Missing);
        };
        let difference = |point: &PointClosed| -> Result<f64, EvaluationError> {
            let one = OnePoint::new(self, point, measurand)?;
            let indication = one.series(&measurand.indication)?;
            let reference = one.series(&measurand.reference)?;
            // Mean of differences, not difference of means: a drift that both follow cancels.
            let differences = indication.iter().zip(&reference).map(|(uut, is)| uut - is);
            Ok(mean(&differences.collect::<Vec<_>>()))
        };
        let (this, that) = (difference(point)?, difference(closed)?);
        let falling = here.direction == Some(crate::schema::Direction::Falling);
        Ok(Partner::Difference(if falling {
            this - that
        } else {
            that - this
        }))
    }
}

/// One measurand at one point, with the readings that count.
struct OnePoint<'a> {
    session: &'a Session<'a>,
    point: &'a PointClosed,
    measurand: &'a Measurand,
    place: Place,
}

impl<'a> OnePoint<'a> {
    fn new(
        session: &'a Session<'a>,
        point: &'a PointClosed,
        measurand: &'a Measurand,
    ) -> Result<Self, EvaluationError> {
        let rule = session.procedure.point.get(point.index);
        let place = Place {
            point: rule.map_or_else(|| point.index.to_string(), |rule| rule.id.clone()),
            measurand: measurand.id.clone(),
        };
        if rule.is_none() {
            return Err(EvaluationError::UnknownPoint { place });
        }
        Ok(Self {
            session,
            point,
            measurand,
            place,
        })
    }

    /// The measurand's model with the formulas that order and operator chose.
    fn model(&self) -> Result<Model, EvaluationError> {
        let procedure = self.session.procedure;
        let library = procedure
            .formulas(&self.session.order.choices, &self.point.answers)
            .map_err(|source| EvaluationError::Formula {
                place: self.place.clone(),
                source,
            })?;
        Model::compile(&self.measurand.model, &library).map_err(|found| {
            let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
            EvaluationError::Model {
                place: self.place.clone(),
                message: lines.join("; "),
            }
        })
    }

    fn input(
        &self,
        symbol: &str,
        hysteresis: Option<f64>,
        notes: &mut Vec<Text>,
    ) -> Result<Input, EvaluationError> {
        let declared = self
            .measurand
            .input
            .iter()
            .find(|input| input.symbol == symbol);
        let declared = declared.ok_or_else(|| EvaluationError::UndeclaredInput {
            place: self.place.clone(),
            symbol: symbol.to_owned(),
        })?;
        Ok(match &declared.source {
            InputSource::Mean { channel } => Input::constant(symbol, self.mean_of(channel)?),
            InputSource::TypeA { signal } => self.type_a(symbol, signal, notes)?,
            InputSource::Certificate { channel } => {
                Input::normal(symbol, 0.0, self.calibration(channel)?.u)
            }
            InputSource::Drift { channel } => {
                Input::rectangular(symbol, 0.0, self.certified(channel)?.drift_half_width())
            }
            InputSource::Resolution { channel } => {
                Input::rectangular(symbol, 0.0, self.resolution(channel)? / 2.0)
            }
            InputSource::Instability { signal, minus, law } => {
                self.instability(symbol, (signal, minus.as_deref()), *law)?
            }
            InputSource::Hysteresis => {
                Input::rectangular(symbol, 0.0, hysteresis.unwrap_or(0.0).abs() / 2.0)
            }
            InputSource::Fixed(fixed) => self.fixed(declared, fixed)?,
        })
    }

    /// Zero mean with the scatter of the signal's readings: its estimate is already in the
    /// means of the channels.
    fn type_a(
        &self,
        symbol: &str,
        signal: &str,
        notes: &mut Vec<Text>,
    ) -> Result<Input, EvaluationError> {
        let found = self
            .session
            .rules
            .type_a(&self.series(signal)?)
            .map_err(|source| EvaluationError::Readings {
                place: self.place.clone(),
                source,
            })?;
        if !found.independent {
            let r1 = found.lag1.unwrap_or(f64::NAN);
            notes.push(Text::new(
                &format!("The readings of {signal} are not independent (lag-1 autocorrelation {r1:.2}): their scatter is not divided by the root of their number."),
                &format!("{signal}的读数不独立（一阶自相关{r1:.2}）：其标准差未除以读数次数的平方根。"),
            ));
        }
        Ok(Input::student(symbol, 0.0, found.u, found.dof))
    }

    fn fixed(
        &self,
        declared: &MeasurandInput,
        fixed: &FixedInput,
    ) -> Result<Input, EvaluationError> {
        let (symbol, value) = (declared.symbol.as_str(), fixed.value);
        let width = match fixed.distribution {
            FixedDistribution::Normal => fixed.u,
            _ => fixed.half_width,
        };
        let width = width.ok_or_else(|| EvaluationError::FixedWithoutWidth {
            place: self.place.clone(),
            symbol: symbol.to_owned(),
        })?;
        let input = match fixed.distribution {
            FixedDistribution::Normal => Input::normal(symbol, value, width),
            FixedDistribution::Rectangular => Input::rectangular(symbol, value, width),
            FixedDistribution::Triangular => Input::triangular(symbol, value, width),
            FixedDistribution::UShaped => Input::u_shaped(symbol, value, width),
        };
        Ok(Input {
            dof: fixed.dof.unwrap_or(f64::INFINITY),
            ..input
        })
    }

    /// Values of a signal over the readings of the point.
    fn series(&self, signal: &str) -> Result<Vec<f64>, EvaluationError> {
        let value = |(at, scan): (usize, &Scan)| {
            scan.signals
                .get(signal)
                .copied()
                .ok_or_else(|| EvaluationError::MissingSignal {
                    place: self.place.clone(),
                    signal: signal.to_owned(),
                    cycle: at + 1,
                })
        };
        let all: Vec<f64> = self
            .point
            .cycles
            .iter()
            .enumerate()
            .map(value)
            .collect::<Result<_, _>>()?;
        if all.is_empty() {
            return Err(EvaluationError::MissingChannel {
                place: self.place.clone(),
                channel: signal.to_owned(),
            });
        }
        Ok(all)
    }

    fn mean_of(&self, signal: &str) -> Result<f64, EvaluationError> {
        self.series(signal).map(|all| mean(&all))
    }

    /// The last criterion of the accepted steady state that judges the signal and has the
    /// figure of the law.
    fn instability(
        &self,
        symbol: &str,
        (signal, minus): (&str, Option<&str>),
        law: InstabilityLaw,
    ) -> Result<Input, EvaluationError> {
        let duration_h = self.duration_h();
        let figure = |one: &CriterionState| match law {
            InstabilityLaw::HalfRange => Some(Input::rectangular(symbol, 0.0, one.range / 2.0)),
            // A line takes two of the degrees of freedom; fewer than three readings have none.
            InstabilityLaw::Scatter => {
                let dof = one.count.saturating_sub(2) as f64;
                one.scatter.map(|s| Input::student(symbol, 0.0, s, dof))
            }
            InstabilityLaw::Drift => {
                let change = one.slope_judged_per_h()? * duration_h;
                Some(Input::rectangular(symbol, 0.0, change / 2.0))
            }
        };
        let criteria = self.point.steady.iter().flat_map(|steady| &steady.criteria);
        criteria
            .filter(|one| one.signal == signal && one.minus.as_deref() == minus)
            .filter_map(figure)
            .next_back()
            .ok_or_else(|| EvaluationError::MissingSteady {
                place: self.place.clone(),
                signal: signal.to_owned(),
            })
    }

    /// Time from the first to the last reading of the point.
    fn duration_h(&self) -> f64 {
        let cycles = &self.point.cycles;
        match (cycles.first(), cycles.last()) {
            (Some(first), Some(last)) => seconds(last.t_us.saturating_sub(first.t_us)) / 3600.0,
            _ => 0.0,
        }
    }
}

fn value_of(inputs: &[Input], symbol: &str) -> Option<f64> {
    inputs
        .iter()
        .find(|input| input.symbol == symbol)
        .map(|input| input.value)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
