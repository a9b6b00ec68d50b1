//! One calibrated channel: what becomes of an indication.

use heng_quantities::{Text, Unit};
use heng_uncertainty::Formula;
use serde::{Deserialize, Serialize};

use super::equation::{Equation, Units};
use super::table::Table;
use super::written::{ExpandedU, LinearU, Stated, WrittenChannel};
use super::{CorrectionKind, OutOfRange};

/// One calibrated channel. However its certificate states the correction, an indication
/// becomes a [`Corrected`] value in one way, [`StandardChannel::at`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "WrittenChannel", into = "WrittenChannel")]
pub struct StandardChannel {
    /// As it stands in the file; what follows is made from it.
    pub(super) written: WrittenChannel,
    pub(super) correction: Correction,
    stated_u: Option<StatedU>,
    /// Half-width of the drift, stated or from the history.
    pub(super) drift_half_width: f64,
}

/// An indication with its correction, and how well the correction is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// In the unit of the channel.
    pub value: f64,
    /// Standard uncertainty of the correction, in the unit of a difference.
    pub u: f64,
    /// How the certificate states the correction.
    pub from: CorrectionKind,
    /// The range that was left; the value then rests on more than the certificate says.
    pub outside: Option<OutOfRange>,
}

#[derive(Debug, Clone)]
pub(super) enum Correction {
    /// Corrections that are added to the indication.
    Points(Table),
    Equation(Box<Equation>),
}

/// A stated expanded uncertainty with its coverage factor.
#[derive(Debug, Clone)]
struct StatedU {
    expanded: StatedExpanded,
    k: f64,
}

#[derive(Debug, Clone)]
enum StatedExpanded {
    Constant(f64),
    Linear(LinearU),
    Points(Table),
}

impl PartialEq for StandardChannel {
    /// Everything follows from what the file says.
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written && self.drift_half_width == other.drift_half_width
    }
}

impl Correction {
    /// The correction, and the uncertainties that its rows state.
    pub(super) fn new(
        stated: Stated<'_>,
        units: Units,
        range: [f64; 2],
    ) -> Result<(Self, Option<Table>), String> {
        if let Some(equation) = Equation::new(stated, units, range)? {
            return Ok((Self::Equation(Box::new(equation)), None));
        }
        let Stated::Points(rows) = stated else {
            return Err("the correction is neither points nor an equation".to_owned());
        };
        if units.indication != units.value {
            return Err(format!(
                "`correction` is added to the indication, but `unit` is {} and `indication_unit` {}; \
                 take one unit or state an equation",
                units.value, units.indication
            ));
        }
        let (table, expanded_u) = Table::split(rows, range)?;
        Ok((Self::Points(table), expanded_u))
    }

    /// The corrected value; none where the equation has none.
    pub(super) fn value(&self, indication: f64) -> Option<f64> {
        match self {
            Self::Points(table) => Some(indication + table.at(indication)),
            Self::Equation(equation) => equation.value(indication).ok(),
        }
    }

    /// The indication at an argument of the range.
    pub(super) fn indication_of(&self, argument: f64) -> Option<f64> {
        match self {
            Self::Points(_) => Some(argument),
            Self::Equation(equation) => equation.indication_of(argument).ok(),
        }
    }

    fn kind(&self) -> CorrectionKind {
        match self {
            Self::Points(_) => CorrectionKind::Points,
            Self::Equation(equation) => equation.kind(),
        }
    }

    fn is_stated_for_value(&self) -> bool {
        match self {
            Self::Points(_) => false,
            Self::Equation(equation) => equation.is_stated_for_value(),
        }
    }
}

impl StatedU {
    fn new(written: &WrittenChannel, of_rows: Option<Table>) -> Result<Option<Self>, String> {
        let range = [written.min, written.max];
        let expanded = match (&written.expanded_u, of_rows) {
            (Some(_), Some(_)) => {
                return Err(
                    "the expanded uncertainty is stated by `expanded_u` and in the rows of `correction`; \
                     keep one of them"
                        .to_owned(),
                );
            }
            (None, None) => return Ok(None),
            (None, Some(rows)) => StatedExpanded::Points(rows),
            (Some(ExpandedU::Constant(constant)), None) => StatedExpanded::Constant(*constant),
            (Some(ExpandedU::Linear(linear)), None) => StatedExpanded::Linear(*linear),
            (Some(ExpandedU::Points(rows)), None) => {
                StatedExpanded::Points(Table::new("expanded_u", rows.clone(), range)?)
            }
        };
        let is_sound = match &expanded {
            StatedExpanded::Constant(constant) => *constant > 0.0,
            StatedExpanded::Linear(LinearU {
                constant,
                proportional,
            }) => *constant >= 0.0 && *proportional >= 0.0 && constant + proportional > 0.0,
            StatedExpanded::Points(table) => {
                !table.rows().is_empty() && table.rows().iter().all(|row| row[1] > 0.0)
            }
        };
        let k = written.k.ok_or_else(|| {
            "an expanded uncertainty is stated without its coverage factor; state `k`".to_owned()
        })?;
        if !is_sound || k <= 0.0 {
            return Err("`expanded_u` and `k` must be above zero".to_owned());
        }
        Ok(Some(Self { expanded, k }))
    }

    fn at(&self, argument: f64) -> f64 {
        let expanded = match &self.expanded {
            StatedExpanded::Constant(constant) => *constant,
            StatedExpanded::Linear(linear) => {
                linear.constant + linear.proportional * argument.abs()
            }
            StatedExpanded::Points(table) => table.at(argument),
        };
        expanded / self.k
    }
}

impl StandardChannel {
    #[must_use]
    pub fn quantity(&self) -> &str {
        &self.written.quantity
    }

    /// Unit of corrected values.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.written.unit
    }

    /// Unit in which the standard indicates.
    #[must_use]
    pub fn indication_unit(&self) -> Unit {
        self.units().indication
    }

    /// Lowest and highest temperature of an equation that gives it from a resistance, else
    /// lowest and highest indication, that the certificate covers.
    #[must_use]
    pub fn range(&self) -> [f64; 2] {
        [self.written.min, self.written.max]
    }

    /// Half-width of the drift since the calibration (rectangular), to the end of validity
    /// where it follows from earlier calibrations.
    #[must_use]
    pub fn drift_half_width(&self) -> f64 {
        self.drift_half_width
    }

    #[must_use]
    pub fn note(&self) -> Option<&Text> {
        self.written.note.as_ref()
    }

    /// How the certificate states the correction.
    #[must_use]
    pub fn correction_kind(&self) -> CorrectionKind {
        self.correction.kind()
    }

    /// Formulas behind the correction; none for points and polynomials.
    #[must_use]
    pub fn formulas(&self) -> Vec<&Formula> {
        match &self.correction {
            Correction::Points(_) => Vec::new(),
            Correction::Equation(equation) => equation.formulas(),
        }
    }

    /// The corrected value, wherever there is one.
    ///
    /// # Errors
    /// [`OutOfRange`] where the equation has no value, or its uncertainty none.
    pub fn at(&self, indication: f64) -> Result<Corrected, OutOfRange> {
        let nowhere = || self.without_value(indication);
        let value = self.correction.value(indication).ok_or_else(nowhere)?;
        let u = self.u(indication, value).ok_or_else(nowhere)?;
        if value.is_nan() || u.is_nan() {
            return Err(nowhere());
        }
        Ok(Corrected {
            value,
            u,
            from: self.correction.kind(),
            outside: self.outside(indication, value),
        })
    }

    /// The corrected value within the range of the certificate.
    ///
    /// # Errors
    /// [`OutOfRange`]: a correction is never extrapolated unasked.
    pub fn corrected(&self, indication: f64) -> Result<f64, OutOfRange> {
        let value = self.correction.value(indication);
        let value = value.ok_or_else(|| self.without_value(indication))?;
        match self.outside(indication, value) {
            Some(outside) => Err(outside),
            None => Ok(value),
        }
    }

    /// Change of the corrected value with the indication; none where the equation has none.
    /// Where both have one unit it is taken as 1: a correction does not change what a step of
    /// the display is worth.
    #[must_use]
    pub fn sensitivity(&self, indication: f64) -> Option<f64> {
        match &self.correction {
            Correction::Equation(equation) if self.indication_unit() != self.unit() => {
                equation.slope(indication).ok()
            }
            _ => Some(1.0),
        }
    }

    /// What range and uncertainty are stated for.
    fn argument(&self, indication: f64, value: f64) -> f64 {
        if self.correction.is_stated_for_value() {
            value
        } else {
            indication
        }
    }

    fn u(&self, indication: f64, value: f64) -> Option<f64> {
        let argument = self.argument(indication, value);
        let stated = self.stated_u.as_ref().map(|stated| stated.at(argument));
        let Correction::Equation(equation) = &self.correction else {
            return Some(stated.unwrap_or(0.0));
        };
        if !equation.has_covariance() {
            return Some(stated.unwrap_or(0.0));
        }
        let (stated, of_coefficients) = (stated.unwrap_or(0.0), equation.u(indication).ok()?);
        Some((stated * stated + of_coefficients * of_coefficients).sqrt())
    }

    fn outside(&self, indication: f64, value: f64) -> Option<OutOfRange> {
        let [min, max] = self.range();
        let argument = self.argument(indication, value);
        let unit = if self.correction.is_stated_for_value() {
            self.unit()
        } else {
            self.indication_unit()
        };
        (!(min..=max).contains(&argument)).then(|| OutOfRange {
            quantity: self.written.quantity.clone(),
            found: argument,
            unit,
            min,
            max,
        })
    }

    /// Where the equation has no value, in indications: there is no other argument.
    fn without_value(&self, indication: f64) -> OutOfRange {
        let at = |argument| self.correction.indication_of(argument).unwrap_or(f64::NAN);
        let [min, max] = self.range();
        OutOfRange {
            quantity: self.written.quantity.clone(),
            found: indication,
            unit: self.indication_unit(),
            min: at(min),
            max: at(max),
        }
    }

    pub(super) fn units(&self) -> Units {
        self.written.units()
    }
}

impl WrittenChannel {
    fn units(&self) -> Units {
        Units {
            value: self.unit,
            indication: self.indication_unit.unwrap_or(self.unit),
        }
    }
}

impl TryFrom<WrittenChannel> for StandardChannel {
    type Error = String;

    fn try_from(written: WrittenChannel) -> Result<Self, String> {
        let refuse = |cause: String| format!("channel {}: {cause}", written.quantity);
        let drift_half_width = written.drift_half_width.unwrap_or(0.0);
        let mut numbers = vec![written.min, written.max, drift_half_width];
        numbers.extend(written.k);
        match &written.expanded_u {
            Some(ExpandedU::Constant(constant)) => numbers.push(*constant),
            Some(ExpandedU::Linear(linear)) => {
                numbers.extend([linear.constant, linear.proportional]);
            }
            _ => {}
        }
        if !numbers.iter().all(|number| number.is_finite()) || written.min >= written.max {
            return Err(refuse(
                "`min` must lie below `max` and all numbers must be finite".to_owned(),
            ));
        }
        if drift_half_width < 0.0 {
            return Err(refuse("`drift_half_width` must not be negative".to_owned()));
        }
        let range = [written.min, written.max];
        let stated = written.stated().map_err(refuse)?;
        let (correction, of_rows) =
            Correction::new(stated, written.units(), range).map_err(refuse)?;
        let stated_u = StatedU::new(&written, of_rows).map_err(refuse)?;
        let has_covariance = match &correction {
            Correction::Points(_) => false,
            Correction::Equation(equation) => equation.has_covariance(),
        };
        if stated_u.is_none() && !has_covariance {
            return Err(refuse(
                "no uncertainty is stated; give `expanded_u` and `k`, uncertainties in the rows of \
                 `correction`, or the `covariance` of the coefficients"
                    .to_owned(),
            ));
        }
        Ok(Self {
            written,
            correction,
            stated_u,
            drift_half_width,
        })
    }
}

impl From<StandardChannel> for WrittenChannel {
    fn from(channel: StandardChannel) -> Self {
        channel.written
    }
}
