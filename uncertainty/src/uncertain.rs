//! Uncertain numbers: values that know which elementary inputs their uncertainty comes from.
//!
//! Every elementary input has an id that names it for ever, such as
//! `lab-cert-2026-17/ls`. An uncertain number holds one component of uncertainty for each
//! elementary input on which it depends, so that two items calibrated with one standard
//! stay correlated, whatever file or certificate they have travelled through. The idea is
//! that of B. D. Hall, Metrologia 43 (2006) L56; degrees of freedom as in [`crate::propagate`].

use std::collections::BTreeMap;
use std::sync::Arc;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::covariance::{CorrelationError, correlated_pairs, factor};
use crate::dof::{ComplexContribution, DofError, complex_dof};
use crate::gum::{Entry, Layout, PropagationError};
use crate::input::{Correlation, Input, InputError, Inputs, in_order};
use crate::model::{EvalError, Model};

/// An elementary input: an estimate that nothing else in the chain of calibration explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// The estimate; its symbol is a label for people.
    pub quantity: Input,
    /// Name of the ensemble, where others were estimated together with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<String>,
    /// Correlation coefficients with other elementary inputs, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub correlations: BTreeMap<String, f64>,
}

pub(crate) type Elements = BTreeMap<String, Arc<Element>>;

/// A value with its components of uncertainty.
#[derive(Clone, Debug, PartialEq)]
pub struct UncertainNumber {
    value: f64,
    u: f64,
    unit: Option<String>,
    components: BTreeMap<String, f64>,
    elements: Elements,
}

/// Why uncertain numbers cannot be made or combined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UncertainError {
    /// An elementary input has an empty id, or a set of them an empty origin.
    #[error("the id of the elementary input {symbol:?} is empty; it must name it for ever")]
    EmptyId {
        /// Symbol of the input, or symbols of the set.
        symbol: String,
    },
    /// One id stands for two elementary inputs that differ.
    #[error(
        "the id {id:?} stands for two elementary inputs that differ: {difference}; an id names \
         one estimate for ever, so give the newer one an id of its own"
    )]
    Conflict {
        /// The id.
        id: String,
        /// In what they differ.
        difference: String,
    },
    /// Two elementary inputs do not state one correlation coefficient from −1 to 1.
    #[error(
        "the elementary input {a:?} states a correlation of {stated} with {b:?}, which states \
         {returned:?}: both must state one coefficient from -1 to 1"
    )]
    OneSided {
        /// Id of the elementary input that states the coefficient.
        a: String,
        /// Id of the other one.
        b: String,
        /// Correlation coefficient that `a` states.
        stated: f64,
        /// Correlation coefficient that `b` states with `a`; none where it states none.
        returned: Option<f64>,
    },
    /// The value, a component of uncertainty or the combined standard uncertainty is not finite.
    #[error("{output:?} or a component of its uncertainty is too large for a number")]
    NotFinite {
        /// Name of the number.
        output: String,
    },
    /// A component of uncertainty belongs to an elementary input that is not known.
    #[error("the component of {id:?} has no elementary input of that id beside it")]
    NoElement {
        /// Id of the elementary input.
        id: String,
    },
    /// Every sensitivity coefficient is 0 at the estimates (JCGM 100:2008, 5.1.2, note).
    #[error(
        "every sensitivity of {output:?} vanishes at the estimates, so that a first-order \
         propagation would give no uncertainty at all: use the Monte Carlo method"
    )]
    Vanishing {
        /// Name of the output quantity in the model.
        output: String,
    },
    /// An input is not possible, or is not one of the model.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Correlation coefficients are not possible together.
    #[error(transparent)]
    Correlation(#[from] CorrelationError),
    /// First-order propagation is refused.
    #[error(transparent)]
    Propagation(#[from] PropagationError),
    /// Degrees of freedom of a pair of results cannot be given.
    #[error(transparent)]
    Dof(#[from] DofError),
    /// The model has no value or derivative at the estimates.
    #[error(transparent)]
    Model(#[from] EvalError),
}

impl UncertainNumber {
    /// The uncertain number of one independent input, whose symbol becomes the label.
    ///
    /// # Errors
    /// [`UncertainError`]: an empty id or an impossible input.
    pub fn elementary(id: &str, quantity: &Input) -> Result<Self, UncertainError> {
        in_order(
            std::slice::from_ref(&quantity.symbol),
            std::slice::from_ref(quantity),
        )?;
        let element = Element {
            quantity: quantity.clone(),
            ensemble: None,
            correlations: BTreeMap::new(),
        };
        Self::of_element(id, element)
    }

    /// The uncertain numbers of `inputs` in their order, with correlations and ensembles.
    /// Their ids are `origin/symbol`; `origin` names for ever where they come from, such as
    /// the number of a certificate.
    ///
    /// # Errors
    /// [`UncertainError`]: an empty id, impossible inputs, correlations or ensembles.
    pub fn elementary_set(origin: &str, inputs: &Inputs) -> Result<Vec<Self>, UncertainError> {
        let list = &inputs.quantities;
        let symbols: Vec<String> = list.iter().map(|input| input.symbol.clone()).collect();
        let quantities = in_order(&symbols, list)?;
        let everything: Vec<usize> = (0..list.len()).collect();
        // Refuses correlations and ensembles that are not possible.
        Layout::new(&quantities, &everything, inputs)?;
        let pairs = correlated_pairs(&quantities, &inputs.correlations)?;
        let id = |at: usize| format!("{origin}/{}", symbols[at]);
        let element = |(at, quantity): (usize, &Input)| {
            let own = |members: &&Vec<String>| members.contains(&quantity.symbol);
            let ensemble = inputs.ensembles.iter().find(own);
            let together = ensemble.map(|members| format!("{origin}/{}", members.join("+")));
            let others = pairs.iter().filter(|(a, b, _)| *a == at || *b == at);
            let correlations = others
                .filter(|(_, _, r)| *r != 0.0)
                .map(|&(a, b, r)| (id(if a == at { b } else { a }), r))
                .collect();
            let element = Element {
                quantity: quantity.clone(),
                ensemble: together,
                correlations,
            };
            Self::of_element(&id(at), element)
        };
        if origin.is_empty() {
            let symbol = symbols.join(", ");
            return Err(UncertainError::EmptyId { symbol });
        }
        let numbers = list.iter().enumerate().map(element);
        let numbers = numbers.collect::<Result<Vec<Self>, UncertainError>>()?;
        merged(numbers.iter().map(|number| &number.elements))?;
        Ok(numbers)
    }

    fn of_element(id: &str, element: Element) -> Result<Self, UncertainError> {
        let Input {
            symbol, value, u, ..
        } = &element.quantity;
        if id.is_empty() {
            let symbol = symbol.clone();
            return Err(UncertainError::EmptyId { symbol });
        }
        let (value, label) = (*value, symbol.clone());
        let components = BTreeMap::from([(id.to_owned(), *u)]);
        let elements = Elements::from([(id.to_owned(), Arc::new(element))]);
        Self::assemble(&label, value, None, components, &elements)
    }

    /// A number from its components; what contributes nothing is left out.
    pub(crate) fn assemble(
        output: &str,
        value: f64,
        unit: Option<String>,
        mut components: BTreeMap<String, f64>,
        known: &Elements,
    ) -> Result<Self, UncertainError> {
        let finite = |number: f64| {
            let output = output.to_owned();
            if number.is_finite() {
                Ok(number)
            } else {
                Err(UncertainError::NotFinite { output })
            }
        };
        for number in components.values().copied().chain([value]) {
            finite(number)?;
        }
        components.retain(|_, component| *component != 0.0);
        let mut elements = Elements::new();
        for id in components.keys() {
            let element = known
                .get(id)
                .ok_or_else(|| UncertainError::NoElement { id: id.clone() })?;
            elements.insert(id.clone(), Arc::clone(element));
        }
        let u = finite(combined(&components, &elements)?)?;
        Ok(Self {
            value,
            u,
            unit,
            components,
            elements,
        })
    }

    /// The same number with its unit, which is kept as it is written.
    #[must_use]
    pub fn with_unit(self, unit: &str) -> Self {
        let unit = Some(unit.to_owned());
        Self { unit, ..self }
    }

    /// Estimate of the quantity, in the unit of [`Self::unit`].
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Unit as it was written; none where none was given.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// Combined standard uncertainty, in the unit of the value (JCGM 100:2008, equation 13).
    pub fn standard_uncertainty(&self) -> f64 {
        self.u
    }

    /// Components of uncertainty ∂y/∂xᵢ·u(xᵢ) with their sign, by the id of the elementary
    /// input; none is 0.
    pub fn components(&self) -> &BTreeMap<String, f64> {
        &self.components
    }

    /// The elementary input of that id, where the number depends on it.
    pub fn element(&self, id: &str) -> Option<&Element> {
        self.elements.get(id).map(AsRef::as_ref)
    }

    pub(crate) fn elements(&self) -> &Elements {
        &self.elements
    }

    /// Effective degrees of freedom, not truncated.
    ///
    /// # Errors
    /// [`PropagationError::CorrelatedDof`]: elementary inputs with finite degrees of freedom
    /// are correlated but were not estimated together.
    pub fn dof(&self) -> Result<f64, UncertainError> {
        let parts: Vec<f64> = self.components.values().copied().collect();
        effective_dof(&parts, self.u, &self.elements)
    }
}

/// Effective degrees of freedom of a sum of `parts`, one for each element.
fn effective_dof(parts: &[f64], u: f64, elements: &Elements) -> Result<f64, UncertainError> {
    let ids: Vec<&str> = elements.keys().map(String::as_str).collect();
    let renamed = |(id, element): (&String, &Arc<Element>)| Input {
        symbol: id.clone(),
        ..element.quantity.clone()
    };
    let quantities: Vec<Input> = elements.iter().map(renamed).collect();
    let pairs = elements.iter().flat_map(|(a, element)| {
        let later = element.correlations.iter().filter(move |(b, _)| a < *b);
        later.map(move |(b, &r)| (a.clone(), b.clone(), r))
    });
    let members = |group: Vec<usize>| group.into_iter().map(|at| ids[at].to_owned()).collect();
    let all = Inputs {
        correlations: pairs
            .filter(|(_, b, _)| elements.contains_key(b))
            .map(|(a, b, r)| Correlation { a, b, r })
            .collect(),
        ensembles: ensembles_among(&ids, elements)
            .into_iter()
            .map(members)
            .collect(),
        ..Inputs::default()
    };
    let ordered: Vec<&Input> = quantities.iter().collect();
    let everything: Vec<usize> = (0..ordered.len()).collect();
    let layout = Layout::new(&ordered, &everything, &all)?;
    let entry = |(&part, input): (&f64, &&Input)| Entry {
        u: input.u,
        dof: input.dof,
        part,
    };
    let entries: Vec<Entry> = parts.iter().zip(&ordered).map(entry).collect();
    let dof = layout.effective_dof(&entries, u);
    Ok(dof.map_err(|fault| fault.named(|slot| ids[slot].to_owned()))?)
}

impl Element {
    /// What tells it from `other`, in words.
    fn difference(&self, other: &Self) -> Option<String> {
        // First, because −0 equals the 0 that an archive makes of it.
        if self == other {
            return None;
        }
        let (a, b) = (&self.quantity, &other.quantity);
        let facts = [
            ("label", a.symbol.clone(), b.symbol.clone()),
            ("value", a.value.to_string(), b.value.to_string()),
            ("standard uncertainty", a.u.to_string(), b.u.to_string()),
            ("degrees of freedom", a.dof.to_string(), b.dof.to_string()),
            (
                "distribution",
                format!("{:?}", a.distribution),
                format!("{:?}", b.distribution),
            ),
            (
                "ensemble",
                format!("{:?}", self.ensemble),
                format!("{:?}", other.ensemble),
            ),
            (
                "correlations",
                format!("{:?}", self.correlations),
                format!("{:?}", other.correlations),
            ),
        ];
        let differing = facts.into_iter().find(|(_, a, b)| a != b);
        differing.map(|(fact, a, b)| format!("{fact} {a} and {b}"))
    }
}

/// Correlation matrix of the elements with these ids.
fn matrix_among(ids: &[&str], elements: &Elements) -> DMatrix<f64> {
    DMatrix::from_fn(ids.len(), ids.len(), |i, j| {
        if i == j {
            return 1.0;
        }
        let table = elements.get(ids[i]).map(|element| &element.correlations);
        table
            .and_then(|table| table.get(ids[j]))
            .copied()
            .unwrap_or(0.0)
    })
}

/// Positions among `ids` of those that share an ensemble; a single one left of its ensemble
/// is a list of one.
fn ensembles_among(ids: &[&str], elements: &Elements) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, id) in ids.iter().enumerate() {
        let ensemble = elements
            .get(*id)
            .and_then(|element| element.ensemble.as_deref());
        if let Some(ensemble) = ensemble {
            groups.entry(ensemble).or_default().push(at);
        }
    }
    groups.into_values().collect()
}

/// Combined standard uncertainty. Independent elements need no matrix; the others go through
/// the factor of theirs, a sum of squares that cannot become negative.
fn combined(
    components: &BTreeMap<String, f64>,
    elements: &Elements,
) -> Result<f64, CorrelationError> {
    let correlated = |id: &str| {
        let table = elements.get(id).map(|element| &element.correlations);
        table.is_some_and(|table| table.keys().any(|other| components.contains_key(other)))
    };
    // Over the largest, so that small units do not underflow in the squares.
    let scale = components
        .values()
        .fold(0.0, |most: f64, part| most.max(part.abs()));
    if scale == 0.0 {
        return Ok(0.0);
    }
    let (mut dependent, mut parts) = (Vec::new(), Vec::new());
    let mut sum = 0.0;
    for (id, component) in components {
        let part = component / scale;
        if correlated(id) {
            dependent.push(id.as_str());
            parts.push(part);
        } else {
            sum += part * part;
        }
    }
    let named: Vec<&Input> = dependent
        .iter()
        .filter_map(|id| elements.get(*id).map(|element| &element.quantity))
        .collect();
    let lower = factor(&matrix_among(&dependent, elements), &named)?;
    for k in 0..parts.len() {
        let column = (k..parts.len()).fold(0.0, |sum, i| sum + lower[(i, k)] * parts[i]);
        sum += column * column;
    }
    Ok(scale * sum.sqrt())
}

/// All elements of `lists`, each id with one definition.
pub(crate) fn merged<'a>(
    lists: impl IntoIterator<Item = &'a Elements>,
) -> Result<Elements, UncertainError> {
    let mut all = Elements::new();
    for (id, element) in lists.into_iter().flatten() {
        let known = all.entry(id.clone()).or_insert_with(|| Arc::clone(element));
        if !Arc::ptr_eq(known, element)
            && let Some(difference) = known.difference(element)
        {
            let id = id.clone();
            return Err(UncertainError::Conflict { id, difference });
        }
    }
    check_correlations(&all)?;
    check_ensembles(&all)?;
    Ok(all)
}

fn check_correlations(elements: &Elements) -> Result<(), UncertainError> {
    for (a, element) in elements {
        for (b, &stated) in &element.correlations {
            let other = elements.get(b);
            let returned = other.and_then(|other| other.correlations.get(a)).copied();
            let agreed = other.is_none() || returned == Some(stated);
            if !agreed || a == b || !(-1.0..=1.0).contains(&stated) {
                return Err(UncertainError::OneSided {
                    a: a.clone(),
                    b: b.clone(),
                    stated,
                    returned,
                });
            }
        }
    }
    Ok(())
}

fn check_ensembles(elements: &Elements) -> Result<(), UncertainError> {
    let mut first: BTreeMap<&str, f64> = BTreeMap::new();
    for (id, element) in elements {
        let Some(ensemble) = &element.ensemble else {
            continue;
        };
        let dof = element.quantity.dof;
        let shared = *first.entry(ensemble).or_insert(dof);
        if shared != dof {
            let symbol = id.clone();
            let problem = "it has other degrees of freedom than the rest of its ensemble";
            return Err(PropagationError::Ensemble { symbol, problem }.into());
        }
    }
    Ok(())
}

/// Results of a model whose inputs are uncertain numbers, to first order (JCGM 100:2008,
/// 5.1.2 and 5.2.2) with exact derivatives. `numbers` are exactly the inputs of the model;
/// the results, in the order of `outputs`, depend on the elementary inputs of all of them.
/// They have no unit until [`UncertainNumber::with_unit`] gives one.
///
/// # Errors
/// [`UncertainError`]: wrong inputs, an id with two definitions, a model without value or
/// derivative, or a first order that says nothing.
pub fn propagate_uncertain(
    model: &Model,
    outputs: &[&str],
    numbers: &[(&str, &UncertainNumber)],
) -> Result<Vec<UncertainNumber>, UncertainError> {
    let numbers = inputs_in_order(model, numbers)?;
    let known = merged(numbers.iter().map(|number| &number.elements))?;
    let values: Vec<f64> = numbers.iter().map(|number| number.value).collect();
    let result = |output: &&str| {
        let (value, sensitivities) = model.gradient(output, &values)?;
        let used = model.inputs_of(output)?;
        let uncertain = |(symbol, number): (&String, &&UncertainNumber)| {
            number.u > 0.0 && used.contains(&symbol.as_str())
        };
        let pairs = || numbers.iter().zip(&sensitivities);
        let silent = pairs().all(|(number, c)| number.u == 0.0 || *c == 0.0);
        if silent && model.inputs().iter().zip(&numbers).any(uncertain) {
            let output = (*output).to_owned();
            return Err(UncertainError::Vanishing { output });
        }
        let mut components = BTreeMap::new();
        for (number, c) in pairs().filter(|(_, c)| **c != 0.0) {
            for (id, component) in &number.components {
                *components.entry(id.clone()).or_insert(0.0) += c * component;
            }
        }
        UncertainNumber::assemble(output, value, None, components, &known)
    };
    outputs.iter().map(result).collect()
}

fn inputs_in_order<'a>(
    model: &Model,
    numbers: &[(&str, &'a UncertainNumber)],
) -> Result<Vec<&'a UncertainNumber>, InputError> {
    for (at, (symbol, _)) in numbers.iter().enumerate() {
        let symbol = || (*symbol).to_owned();
        if numbers[..at].iter().any(|(other, _)| *other == symbol()) {
            return Err(InputError::Repeated { symbol: symbol() });
        }
        if !model.inputs().contains(&symbol()) {
            return Err(InputError::NotInModel {
                symbol: symbol(),
                known: model.inputs().join(", "),
            });
        }
    }
    let find = |symbol: &String| {
        let found = numbers.iter().find(|(name, _)| name == symbol);
        found
            .map(|(_, number)| *number)
            .ok_or_else(|| InputError::Missing {
                symbol: symbol.clone(),
            })
    };
    model.inputs().iter().map(find).collect()
}

/// Covariance of two uncertain numbers, in the product of their units: from the elementary
/// inputs that they share and from those that are correlated.
///
/// # Errors
/// [`UncertainError::Conflict`] or [`UncertainError::OneSided`].
pub fn covariance(a: &UncertainNumber, b: &UncertainNumber) -> Result<f64, UncertainError> {
    let known = merged([&a.elements, &b.elements])?;
    Ok(covariance_among(&a.components, &b.components, &known))
}

fn covariance_among(
    a: &BTreeMap<String, f64>,
    b: &BTreeMap<String, f64>,
    elements: &Elements,
) -> f64 {
    a.iter().fold(0.0, |sum, (id, part)| {
        let own = b.get(id).copied().unwrap_or(0.0);
        let table = elements.get(id).map(|element| &element.correlations);
        let others = table.into_iter().flatten().fold(own, |others, (other, r)| {
            others + r * b.get(other).copied().unwrap_or(0.0)
        });
        sum + part * others
    })
}

/// Correlation coefficient of two uncertain numbers; 0 where one has no uncertainty.
///
/// # Errors
/// As [`covariance`].
pub fn correlation(a: &UncertainNumber, b: &UncertainNumber) -> Result<f64, UncertainError> {
    let covariance = covariance(a, b)?;
    if a.u == 0.0 || b.u == 0.0 {
        return Ok(0.0);
    }
    // Rounding may take fully correlated numbers a digit beyond 1.
    Ok((covariance / a.u / b.u).clamp(-1.0, 1.0))
}

/// Effective degrees of freedom of two results as a pair, such as the real and the imaginary
/// part of one; for [`crate::coverage_factor_2d`]. Each ensemble is one contribution to
/// [`complex_dof`] (R. Willink and B. D. Hall, An extension to GUM methodology:
/// degrees-of-freedom calculations for correlated multidimensional estimates, 2013).
///
/// # Errors
/// As [`covariance`] and [`UncertainNumber::dof`].
pub fn joint_dof(a: &UncertainNumber, b: &UncertainNumber) -> Result<f64, UncertainError> {
    let known = merged([&a.elements, &b.elements])?;
    let ids: Vec<&str> = known.keys().map(String::as_str).collect();
    let dof: Vec<f64> = known.values().map(|element| element.quantity.dof).collect();
    let groups = ensembles_among(&ids, &known);
    // Every element contributes to one of both: only the check of independence is wanted.
    effective_dof(&vec![1.0; ids.len()], 1.0, &known)?;
    // What is exactly known may be correlated, and is one contribution to the total.
    let exact = (0..ids.len()).filter(|&at| dof[at].is_infinite()).collect();
    let alone = |at: &usize| dof[*at].is_finite() && !groups.iter().any(|group| group.contains(at));
    let contributions: Vec<ComplexContribution> = groups
        .iter()
        .filter(|group| dof[group[0]].is_finite())
        .cloned()
        .chain((0..ids.len()).filter(alone).map(|at| vec![at]))
        .chain([exact])
        .filter(|group: &Vec<usize>| !group.is_empty())
        .map(|group| {
            let of = |number: &UncertainNumber| -> BTreeMap<String, f64> {
                let parts = group
                    .iter()
                    .filter_map(|&at| number.components.get_key_value(ids[at]));
                parts.map(|(id, part)| (id.clone(), *part)).collect()
            };
            let (a, b) = (of(a), of(b));
            let cov = covariance_among(&a, &b, &known);
            let variance = |parts| covariance_among(parts, parts, &known).max(0.0);
            ComplexContribution {
                covariance: [[variance(&a), cov], [cov, variance(&b)]],
                dof: dof[group[0]],
            }
        })
        .collect();
    Ok(complex_dof(&contributions)?)
}
