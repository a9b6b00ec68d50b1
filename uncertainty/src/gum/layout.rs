//! How the inputs of an output hang together: correlations and ensembles.

use std::collections::BTreeMap;

use super::PropagationError;
use super::propagator::Entry;
use crate::covariance::{CorrelatedGroup, correlated_groups, correlated_pairs};
use crate::input::{Input, Inputs};

/// Inputs are counted by their place among those that the output uses.
#[derive(Debug, Clone)]
pub struct Layout {
    groups: Vec<CorrelatedGroup>,
    /// Inputs that belong to no ensemble.
    alone: Vec<usize>,
    ensembles: Vec<Ensemble>,
    /// Correlated inputs that were not estimated together.
    strangers: Vec<(usize, usize)>,
}

#[derive(Debug, Clone)]
struct Ensemble {
    members: Vec<usize>,
    pairs: Vec<(usize, usize, f64)>,
}

/// Why there are no effective degrees of freedom; the input by its place.
#[derive(Debug, Clone, Copy)]
pub enum DofFault {
    Correlated { slot: usize, dof: f64 },
    Ensemble { slot: usize },
}

impl DofFault {
    #[cold]
    pub fn named(self, symbol: impl Fn(usize) -> String) -> PropagationError {
        match self {
            Self::Correlated { slot, dof } => PropagationError::CorrelatedDof {
                symbol: symbol(slot),
                dof,
            },
            Self::Ensemble { slot } => PropagationError::Ensemble {
                symbol: symbol(slot),
                problem: "it has other degrees of freedom than the rest of its ensemble",
            },
        }
    }
}

impl Layout {
    /// `ordered` are all inputs of the model, `used` the indices of those that matter.
    /// Correlations of the others are checked and then left out.
    pub fn new(ordered: &[&Input], used: &[usize], all: &Inputs) -> Result<Self, PropagationError> {
        let pairs = correlated_pairs(ordered, &all.correlations)?;
        correlated_groups(ordered, &pairs)?;
        let slots: BTreeMap<usize, usize> = (0..).zip(used).map(|(slot, &at)| (at, slot)).collect();
        let slot = |index: &usize| slots.get(index).copied();
        let pairs: Vec<(usize, usize, f64)> = pairs
            .iter()
            .filter(|(_, _, r)| *r != 0.0)
            .filter_map(|(a, b, r)| Some((slot(a)?, slot(b)?, *r)))
            .collect();
        let chosen: Vec<&Input> = used.iter().map(|&index| ordered[index]).collect();
        let ensemble_of = ensembles(ordered, all)?;
        let ensemble_of: Vec<Option<usize>> =
            used.iter().map(|&index| ensemble_of[index]).collect();
        let together =
            |a: usize, b: usize| ensemble_of[a].is_some() && ensemble_of[a] == ensemble_of[b];
        let inside = |number: usize| Ensemble {
            members: (0..used.len())
                .filter(|&slot| ensemble_of[slot] == Some(number))
                .collect(),
            pairs: pairs
                .iter()
                .filter(|(a, b, _)| together(*a, *b) && ensemble_of[*a] == Some(number))
                .copied()
                .collect(),
        };
        let strangers = pairs.iter().filter(|(a, b, _)| !together(*a, *b));
        Ok(Self {
            groups: correlated_groups(&chosen, &pairs)?,
            alone: (0..used.len())
                .filter(|&slot| ensemble_of[slot].is_none())
                .collect(),
            strangers: strangers.map(|&(a, b, _)| (a, b)).collect(),
            ensembles: (0..all.ensembles.len())
                .map(inside)
                .filter(|ensemble| !ensemble.members.is_empty())
                .collect(),
        })
    }

    /// The same inputs without their correlations.
    pub fn independent(&self) -> Self {
        Self {
            groups: Vec::new(),
            ..self.clone()
        }
    }

    pub fn is_independent(&self) -> bool {
        self.groups.is_empty()
    }

    /// Turns parts c·u into as many uncorrelated ones with the same variance of their sum.
    #[inline]
    pub fn whiten(&self, parts: &mut [f64]) {
        for group in &self.groups {
            group.whiten(parts);
        }
    }

    /// Direction of the uncorrelated coordinate `k`, as a step of every input.
    pub fn direction(&self, k: usize, u: &[f64]) -> Vec<f64> {
        let mut direction = vec![0.0; u.len()];
        let place = |group: &CorrelatedGroup| group.members.iter().position(|&member| member == k);
        let found = self
            .groups
            .iter()
            .find_map(|group| Some((group, place(group)?)));
        match found {
            None => direction[k] = u[k],
            Some((group, column)) => {
                for (member, coefficient) in group.column(column) {
                    direction[member] = coefficient * u[member];
                }
            }
        }
        direction
    }

    /// Effective degrees of freedom by Welch and Satterthwaite (JCGM 100:2008, G.4.1,
    /// equation G.2b). Inputs of one ensemble are one term, with the variance of their sum
    /// and the degrees of freedom that they share (R. Willink, Metrologia 44, 2007, 340).
    #[inline]
    pub fn effective_dof(&self, entries: &[Entry], u: f64) -> Result<f64, DofFault> {
        for &(a, b) in &self.strangers {
            let [(x, slot_x), (y, slot_y)] = [(entries[a], a), (entries[b], b)];
            if x.part == 0.0 || y.part == 0.0 {
                continue;
            }
            for (entry, slot) in [(x, slot_x), (y, slot_y)] {
                if entry.dof.is_finite() {
                    let dof = entry.dof;
                    return Err(DofFault::Correlated { slot, dof });
                }
            }
        }
        // Ratios to u, so that small units do not underflow in the fourth power.
        let mut sum = 0.0;
        for &slot in &self.alone {
            let Entry { part, dof, .. } = entries[slot];
            if part != 0.0 {
                let square = (part / u) * (part / u);
                sum += square * square / dof;
            }
        }
        for ensemble in &self.ensembles {
            sum += ensemble.term(entries, u)?;
        }
        Ok(if sum > 0.0 { 1.0 / sum } else { f64::INFINITY })
    }
}

impl Ensemble {
    fn term(&self, entries: &[Entry], u: f64) -> Result<f64, DofFault> {
        let dof = entries[self.members[0]].dof;
        let other = |slot: &&usize| entries[**slot].dof != dof;
        if let Some(&slot) = self.members.iter().find(other) {
            return Err(DofFault::Ensemble { slot });
        }
        let part = |slot: usize| entries[slot].part / u;
        let squares = self.members.iter().fold(0.0, |sum, &slot| {
            let part = part(slot);
            if part == 0.0 { sum } else { sum + part * part }
        });
        let variance = self
            .pairs
            .iter()
            .filter(|(a, b, _)| entries[*a].part != 0.0 && entries[*b].part != 0.0)
            .fold(squares, |sum, &(a, b, r)| sum + 2.0 * r * part(a) * part(b));
        Ok(variance * variance / dof)
    }
}

/// For each input of the model the number of its ensemble.
pub fn ensembles(ordered: &[&Input], all: &Inputs) -> Result<Vec<Option<usize>>, PropagationError> {
    let mut ensemble_of = vec![None; ordered.len()];
    for (number, ensemble) in all.ensembles.iter().enumerate() {
        for symbol in ensemble {
            let refuse = |problem| {
                let symbol = symbol.clone();
                Err(PropagationError::Ensemble { symbol, problem })
            };
            let at = ordered.iter().position(|input| input.symbol == *symbol);
            match at.map(|at| &mut ensemble_of[at]) {
                None => return refuse("the model does not have this input"),
                Some(Some(_)) => return refuse("it stands in an ensemble already"),
                Some(free) => *free = Some(number),
            }
        }
    }
    Ok(ensemble_of)
}
