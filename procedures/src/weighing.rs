//! WeighingComparison of weights: weighing cycles and the classes of OIML R 111-1:2004.

use heng_uncertainty::{TypeA, type_a};

/// Decimal digits that meet a limit exactly may exceed it by so much as binary fractions:
/// 3 · 0.2 is more than 0.6.
const ROUNDING: f64 = 1e-12;

/// In which order a reference weight A and a test weight B are weighed, at equal intervals of
/// time (OIML R 111-1:2004, C.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeighingCycle {
    /// A B: a drift of the balance stays in the difference.
    Ab,
    /// A B A: a linear drift is eliminated.
    Aba,
    /// A B B A: a linear drift is eliminated.
    Abba,
}

/// Why readings of weighings give no difference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeighingError {
    /// A cycle with too many or too few readings.
    #[error(
        "cycle {cycle} has {found} readings, but a cycle {order} has {expected}: complete it, or leave it out"
    )]
    Readings {
        /// Counted from 1.
        cycle: usize,
        /// Order of the weighings.
        order: &'static str,
        /// Readings in the cycle.
        found: usize,
        /// Readings that the order needs.
        expected: usize,
    },
    /// A reading that is infinite or not a number.
    #[error("cycle {cycle} has a reading that is no finite number: weigh it again")]
    NotFinite {
        /// Counted from 1.
        cycle: usize,
    },
    /// Fewer than two cycles have no standard deviation.
    #[error(
        "{0} cycle gives a difference but no standard deviation: weigh at least 2, or state a pooled one"
    )]
    TooFewCycles(usize),
}

impl WeighingCycle {
    /// The order as it is written.
    #[must_use]
    pub const fn order(self) -> &'static str {
        match self {
            Self::Ab => "AB",
            Self::Aba => "ABA",
            Self::Abba => "ABBA",
        }
    }

    /// B minus A of one cycle, in the unit of the readings; these stand in the order in which
    /// they were taken: `[A1, B1, B2, A2]` for ABBA.
    ///
    /// # Errors
    /// [`WeighingError::Readings`] and [`WeighingError::NotFinite`].
    pub fn difference(self, readings: &[f64]) -> Result<f64, WeighingError> {
        self.of_cycle(1, readings)
    }

    fn of_cycle(self, cycle: usize, readings: &[f64]) -> Result<f64, WeighingError> {
        if readings.iter().any(|reading| !reading.is_finite()) {
            return Err(WeighingError::NotFinite { cycle });
        }
        match (self, readings) {
            (Self::Ab, [a, b]) => Ok(b - a),
            (Self::Aba, [a1, b, a2]) => Ok(b - 0.5 * (a1 + a2)),
            (Self::Abba, [a1, b1, b2, a2]) => Ok(0.5 * ((b1 - a1) + (b2 - a2))),
            _ => Err(WeighingError::Readings {
                cycle,
                order: self.order(),
                found: readings.len(),
                expected: self.order().len(),
            }),
        }
    }

    /// Differences B minus A of all cycles, and their mean with its standard uncertainty
    /// (OIML R 111-1:2004, C.5.1 and C.6.1).
    ///
    /// # Errors
    /// [`WeighingError`].
    pub fn compare(self, cycles: &[Vec<f64>]) -> Result<WeighingComparison, WeighingError> {
        let each = (1..).zip(cycles);
        let differences = each
            .map(|(cycle, readings)| self.of_cycle(cycle, readings))
            .collect::<Result<Vec<_>, _>>()?;
        let evaluated = type_a(&differences).map_err(|few| WeighingError::TooFewCycles(few.0))?;
        Ok(WeighingComparison {
            differences,
            evaluated,
        })
    }
}

/// A test weight compared with a reference weight.
#[derive(Debug, Clone, PartialEq)]
pub struct WeighingComparison {
    /// One of each cycle, in the unit of the readings.
    pub differences: Vec<f64>,
    /// Of the differences: mean, s, standard uncertainty of the mean and degrees of freedom.
    pub evaluated: TypeA,
}

/// What OIML R 111-1:2004 asks of a weight of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassVerdict {
    /// U (k = 2) is at most a third of the maximum permissible error (5.2).
    pub uncertainty_suffices: bool,
    /// That, and the conventional mass differs from the nominal value by at most the maximum
    /// permissible error less U (5.3.1).
    pub conforms: bool,
}

/// Numbers that are no result of a weight.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "error {error}, U {expanded} and maximum permissible error {mpe} are no result of a weight: \
     all must be finite, U not negative and the maximum permissible error above 0"
)]
pub struct NoWeight {
    /// Conventional mass minus nominal value.
    pub error: f64,
    /// Expanded uncertainty.
    pub expanded: f64,
    /// Maximum permissible error.
    pub mpe: f64,
}

/// Whether a weight conforms to a class, from its error, its expanded uncertainty U (k = 2)
/// and the maximum permissible error of the class, all in one unit.
///
/// # Errors
/// [`NoWeight`].
pub fn weight_class(error: f64, expanded: f64, mpe: f64) -> Result<ClassVerdict, NoWeight> {
    let finite = [error, expanded, mpe].iter().all(|one| one.is_finite());
    if !finite || expanded < 0.0 || mpe <= 0.0 {
        return Err(NoWeight {
            error,
            expanded,
            mpe,
        });
    }
    let limit = mpe * (1.0 + ROUNDING);
    let uncertainty_suffices = 3.0 * expanded <= limit;
    Ok(ClassVerdict {
        uncertainty_suffices,
        conforms: uncertainty_suffices && error.abs() + expanded <= limit,
    })
}
