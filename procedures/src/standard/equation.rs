//! Corrected values from an equation whose coefficients a certificate states.

use std::collections::BTreeMap;

use heng_quantities::Unit;
use heng_uncertainty::{
    Correlation, EvalError, Formula, Input, Inputs, Library, Model, PropagationError, propagate,
};

use super::CorrectionKind;
use super::written::{Covariance, PolynomialOf, Stated};
use crate::evaluate::COVERAGE;

/// A function of the indication x with its coefficients; the model language computes it.
#[derive(Debug, Clone)]
pub(super) struct Equation {
    kind: CorrectionKind,
    /// `y` of `x` and the coefficients.
    model: Model,
    /// `z`, the indication, at the temperature `t`; none for a polynomial.
    inverse: Option<Model>,
    coefficients: BTreeMap<String, f64>,
    covariance: Option<Covariances>,
}

/// Standard uncertainties of the coefficients and their correlations.
#[derive(Debug, Clone)]
struct Covariances {
    u: BTreeMap<String, f64>,
    correlations: Vec<Correlation>,
}

/// The units of a channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    pub value: Unit,
    pub indication: Unit,
}

const INDICATION: &str = "x";

impl Equation {
    /// `None` for points, which need no equation.
    pub(super) fn new(
        stated: Stated<'_>,
        units: Units,
        range: [f64; 2],
    ) -> Result<Option<Self>, String> {
        let (kind, text, coefficients, covariance) = match stated {
            Stated::Points(_) => return Ok(None),
            Stated::Polynomial(one) => {
                let names = (0..one.coefficients.len()).map(|power| format!("c{power}"));
                let coefficients: BTreeMap<_, _> =
                    names.zip(one.coefficients.iter().copied()).collect();
                let text = polynomial(one.of, one.coefficients.len(), units)?;
                let text = (text, None);
                (
                    CorrectionKind::Polynomial,
                    text,
                    coefficients,
                    &one.covariance,
                )
            }
            Stated::CallendarVanDusen(one) => {
                resistance_to_temperature("callendar_van_dusen", units)?;
                let mut coefficients = one.coefficients.clone();
                let text = callendar_van_dusen(&mut coefficients, range)?;
                let kind = CorrectionKind::CallendarVanDusen;
                (kind, text, coefficients, &one.covariance)
            }
            Stated::Its90(one) => {
                resistance_to_temperature("its90", units)?;
                let text = its90(one.sub_range, &one.coefficients)?;
                let sub_range = one.sub_range;
                let kind = CorrectionKind::Its90 { sub_range };
                (kind, text, one.coefficients.clone(), &one.covariance)
            }
        };
        if let Some((name, value)) = coefficients.iter().find(|(_, value)| !value.is_finite()) {
            return Err(format!(
                "the coefficient {name} is {value}; state a finite number"
            ));
        }
        let covariance = covariance
            .as_ref()
            .map(|covariance| covariances(covariance, &coefficients));
        let equation = Self {
            kind,
            model: compiled(&text.0)?,
            inverse: text.1.as_deref().map(compiled).transpose()?,
            coefficients,
            covariance: covariance.transpose()?,
        };
        equation.check(range)?;
        Ok(Some(equation))
    }

    /// That the equation has values over the range, and the covariances a meaning.
    fn check(&self, range: [f64; 2]) -> Result<(), String> {
        for at in range {
            if let Some(violation) = self.violation(at) {
                return Err(format!(
                    "{violation}; correct the coefficient (sign, exponent, unit) or narrow `min` and `max`"
                ));
            }
            let indication = self.indication_of(at).map_err(|error| error.to_string())?;
            self.value(indication)
                .map_err(|error| format!("no value at {at}: {error}; correct the coefficients"))?;
            self.u(indication).map_err(|error| {
                format!("`covariance`: {error}; correct `matrix`, with more digits where they were rounded")
            })?;
        }
        Ok(())
    }

    /// Range of a formula that a temperature of the range, or a coefficient, leaves.
    fn violation(&self, t: f64) -> Option<heng_uncertainty::RangeViolation> {
        let inverse = self.inverse.as_ref()?;
        let found = inverse.check_ranges(&["z"], &|name| self.value_of(name, t));
        found.into_iter().next()
    }

    pub(super) const fn kind(&self) -> CorrectionKind {
        self.kind
    }

    /// Whether range and uncertainty are stated for the value (a temperature) instead of the
    /// indication.
    pub(super) const fn is_stated_for_value(&self) -> bool {
        self.inverse.is_some()
    }

    pub(super) const fn has_covariance(&self) -> bool {
        self.covariance.is_some()
    }

    /// Formulas that the equation calls.
    pub(super) fn formulas(&self) -> Vec<&Formula> {
        self.model.formulas()
    }

    fn value_of(&self, name: &str, free: f64) -> Option<f64> {
        self.coefficients.get(name).copied().or(Some(free))
    }

    pub(super) fn value(&self, indication: f64) -> Result<f64, EvalError> {
        self.model
            .eval("y", &|name| self.value_of(name, indication))
    }

    /// The indication at an argument of the range.
    pub(super) fn indication_of(&self, argument: f64) -> Result<f64, EvalError> {
        let Some(inverse) = &self.inverse else {
            return Ok(argument);
        };
        inverse.eval("z", &|name| self.value_of(name, argument))
    }

    /// Change of the value with the indication.
    pub(super) fn slope(&self, indication: f64) -> Result<f64, EvalError> {
        smoothly(indication, |x| {
            let names = self.model.inputs();
            let values: Option<Vec<f64>> =
                names.iter().map(|name| self.value_of(name, x)).collect();
            let (_, slopes) = self.model.gradient("y", &values.unwrap_or_default())?;
            let at = names.iter().position(|name| name == INDICATION);
            Ok(at.map_or(0.0, |at| slopes[at]))
        })
    }

    /// Standard uncertainty that the coefficients give to the value (JCGM 100:2008, 5.2.2).
    pub(super) fn u(&self, indication: f64) -> Result<f64, PropagationError> {
        let Some(covariance) = &self.covariance else {
            return Ok(0.0);
        };
        smoothly(indication, |x| {
            let quantity = |name: &String| {
                let u = covariance.u.get(name).copied().filter(|u| *u > 0.0);
                let value = self.value_of(name, x).unwrap_or(x);
                match u {
                    Some(u) => Input::normal(name, value, u),
                    None => Input::constant(name, value),
                }
            };
            let inputs = Inputs {
                quantities: self.model.inputs().iter().map(quantity).collect(),
                correlations: covariance.correlations.clone(),
                ..Inputs::default()
            };
            match propagate(&self.model, "y", &inputs, COVERAGE) {
                Ok(budget) => Ok(budget.u),
                // These equations are linear in their coefficients, or nearly so: where no
                // coefficient is felt (W = 1) there is no second order either.
                Err(PropagationError::Vanishing { .. }) => Ok(0.0),
                Err(error) => Err(error),
            }
        })
    }
}

/// The Callendar-Van Dusen equation is joined at 0 °C, where the derivatives of both sides are
/// the same but the model language gives none: there the derivative beside it is taken.
fn smoothly<T, E>(x: f64, of: impl Fn(f64) -> Result<T, E>) -> Result<T, E> {
    const BESIDE: f64 = 1e-12;
    of(x).or_else(|error| of(x + x.abs() * BESIDE).map_err(|_| error))
}

fn compiled(text: &str) -> Result<Model, String> {
    Model::compile(text, Library::shipped()).map_err(|found| {
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        lines.join(", ")
    })
}

fn polynomial(of: PolynomialOf, count: usize, units: Units) -> Result<String, String> {
    if count == 0 {
        return Err("`polynomial` has no coefficients; give c0, c1, …".to_owned());
    }
    if of == PolynomialOf::Correction && units.indication != units.value {
        return Err(format!(
            "`polynomial` gives a correction, which is added to an indication in {}, but `unit` is {}; \
             state `of = \"value\"`, or take one unit",
            units.indication, units.value
        ));
    }
    let names: Vec<_> = (0..count).map(|power| format!("c{power}")).collect();
    let sum = format!("poly({INDICATION}, {})", names.join(", "));
    Ok(match of {
        PolynomialOf::Correction => format!("y = {INDICATION} + {sum}"),
        PolynomialOf::Value => format!("y = {sum}"),
    })
}

fn resistance_to_temperature(key: &str, units: Units) -> Result<(), String> {
    if units.indication.symbol() == "Ω" && units.value.symbol() == "°C" {
        return Ok(());
    }
    Err(format!(
        "`{key}` gives a temperature in °C from a resistance in Ω, but `unit` is {} and \
         `indication_unit` {}; state `unit = \"°C\"` and `indication_unit = \"Ω\"`",
        units.value, units.indication
    ))
}

/// Texts of the model and of its inverse.
type Texts = (String, Option<String>);

fn callendar_van_dusen(
    coefficients: &mut BTreeMap<String, f64>,
    [min, _]: [f64; 2],
) -> Result<Texts, String> {
    const NAMES: [&str; 5] = ["R0", "A", "B", "C", "D"];
    let needed = if min < 0.0 { &NAMES[..4] } else { &NAMES[..3] };
    named("callendar_van_dusen", coefficients, needed, &NAMES)?;
    for name in &NAMES[3..] {
        coefficients.entry((*name).to_owned()).or_insert(0.0);
    }
    let list = NAMES.join(", ");
    Ok((
        format!("y = cvd_t({INDICATION}, {list})"),
        Some(format!("z = cvd_r(t, {list})")),
    ))
}

fn its90(sub_range: u8, coefficients: &BTreeMap<String, f64>) -> Result<Texts, String> {
    let arguments = |suffix: &str| {
        let formula = Library::shipped().get(&format!("its90_sr{sub_range}_{suffix}"))?;
        let names = formula.arguments.iter().skip(1);
        Some(names.map(|one| one.name.as_str()).collect::<Vec<_>>())
    };
    let (Some(direct), Some(inverse)) = (arguments("t"), arguments("w")) else {
        return Err(format!(
            "`its90`: {sub_range} is no sub-range of the resistance thermometer; take 1 to 11"
        ));
    };
    let needed: Vec<_> = ["R_tpw"].into_iter().chain(direct.clone()).collect();
    named("its90", coefficients, &needed, &needed)?;
    if coefficients.get("R_tpw").is_none_or(|r| *r <= 0.0) {
        return Err("`its90`: R_tpw must be a resistance above 0 Ω".to_owned());
    }
    Ok((
        format!(
            "y = its90_sr{sub_range}_t({INDICATION} / R_tpw, {})",
            direct.join(", ")
        ),
        Some(format!(
            "z = R_tpw * its90_sr{sub_range}_w(t, {})",
            inverse.join(", ")
        )),
    ))
}

/// That the coefficients are those of the equation.
fn named(
    key: &str,
    coefficients: &BTreeMap<String, f64>,
    needed: &[&str],
    known: &[&str],
) -> Result<(), String> {
    if let Some(missing) = needed
        .iter()
        .find(|name| !coefficients.contains_key(**name))
    {
        return Err(format!(
            "`{key}` has no coefficient {missing}; state {}",
            needed.join(", ")
        ));
    }
    match coefficients
        .keys()
        .find(|name| !known.contains(&name.as_str()))
    {
        Some(unknown) => Err(format!(
            "`{key}` knows no coefficient {unknown}; state {}",
            known.join(", ")
        )),
        None => Ok(()),
    }
}

/// How far two entries that should be one may differ: what is lost where a certificate prints
/// fewer digits is printed in both places.
const ASYMMETRY: f64 = 1e-9;

fn covariances(
    covariance: &Covariance,
    coefficients: &BTreeMap<String, f64>,
) -> Result<Covariances, String> {
    let Covariance { of, matrix } = covariance;
    let count = of.len();
    if let Some(unknown) = of.iter().find(|name| !coefficients.contains_key(*name)) {
        let known: Vec<_> = coefficients.keys().map(String::as_str).collect();
        return Err(format!(
            "`covariance` names {unknown}, which is no coefficient; name some of {}",
            known.join(", ")
        ));
    }
    if let Some(twice) = (0..count).find(|&at| of[..at].contains(&of[at])) {
        return Err(format!("`covariance` names {} twice", of[twice]));
    }
    if matrix.len() != count || matrix.iter().any(|row| row.len() != count) {
        return Err(format!(
            "`covariance` names {count} coefficients; its `matrix` needs {count} rows of {count} numbers"
        ));
    }
    if matrix.iter().flatten().any(|number| !number.is_finite()) {
        return Err("all numbers of `covariance` must be finite".to_owned());
    }
    let mut found = Covariances {
        u: BTreeMap::new(),
        correlations: Vec::new(),
    };
    for (row, a) in of.iter().enumerate() {
        if matrix[row][row] < 0.0 {
            return Err(format!(
                "`covariance` gives {a} the variance {}; a variance is not negative",
                matrix[row][row]
            ));
        }
        found.u.insert(a.clone(), matrix[row][row].sqrt());
        for (column, b) in of.iter().enumerate().take(row) {
            let scale = (matrix[row][row] * matrix[column][column]).sqrt();
            let [one, other] = [matrix[row][column], matrix[column][row]];
            if (one - other).abs() > ASYMMETRY * scale.max(one.abs()) {
                return Err(format!(
                    "`covariance` is not symmetric: {a} with {b} is {one}, {b} with {a} is {other}; \
                     correct the wrong one"
                ));
            }
            if one == 0.0 {
                continue;
            }
            if scale == 0.0 {
                return Err(format!(
                    "`covariance` correlates {a} and {b}, of which one has no variance; state its variance"
                ));
            }
            // Full correlation may come out as 1 and a rounding.
            let r = one / scale;
            let is_rounding = r.abs() <= 1.0 + ASYMMETRY;
            found.correlations.push(Correlation {
                a: a.clone(),
                b: b.clone(),
                r: if is_rounding { r.clamp(-1.0, 1.0) } else { r },
            });
        }
    }
    Ok(found)
}
