//! Risks of wrong decisions before an item is measured (JCGM 106:2012, clause 9), and the
//! guard bands that bound them.

use crate::conformity::{ConformityError, check_tolerance, conformity};
use crate::law::Law;

/// Items of a process that are measured and accepted or rejected.
///
/// Limits belong to their intervals; each may be infinite, but not both of the tolerance.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskProblem {
    /// What is known about the true value of an item before it is measured.
    pub prior: Law,
    /// Standard uncertainty of the measurement, whose error is normal with mean 0.
    pub u_measurement: f64,
    /// Tolerance limits (JCGM 106:2012, 3.3.4), in the unit of the quantity.
    pub tolerance: [f64; 2],
    /// Acceptance limits (JCGM 106:2012, 3.3.8), in the unit of the quantity.
    pub acceptance: [f64; 2],
}

/// Probabilities for an item that is drawn from the process and measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Risks {
    /// The item does not conform and is accepted (JCGM 106:2012, 9.5.2): the probability of
    /// false acceptance.
    pub consumer_global: f64,
    /// The item conforms and is rejected (9.5.2): the probability of false rejection.
    pub producer_global: f64,
    /// The item conforms.
    pub conforming: f64,
    /// The item is accepted.
    pub accepted: f64,
}

/// Multiples of the standard uncertainty at which the probability of acceptance, as a
/// function of the true value, is cut into pieces for quadrature.
const CUTS: [f64; 11] = [-8.0, -6.0, -4.0, -3.0, -1.5, 0.0, 1.5, 3.0, 4.0, 6.0, 8.0];

impl RiskProblem {
    /// The acceptance interval lies inside the tolerance interval by `guard` at each finite
    /// limit.
    pub fn guarded(prior: Law, u_measurement: f64, tolerance: [f64; 2], guard: f64) -> Self {
        let [low, high] = tolerance;
        Self {
            prior,
            u_measurement,
            tolerance,
            acceptance: [low + guard, high - guard],
        }
    }

    /// Integrals over the prior law, to about 1e−10.
    ///
    /// # Errors
    /// If the uncertainty is no number of 0 or more, limits are in the wrong order, or the
    /// acceptance interval is empty.
    pub fn risks(&self) -> Result<Risks, ConformityError> {
        self.check()?;
        let [low, high] = self.tolerance;
        let conforms = |x: f64| low <= x && x <= high;
        let consumer_global = self.integrate(|x| if conforms(x) { 0.0 } else { self.accepts(x) });
        let producer_global = self.integrate(|x| if conforms(x) { self.rejects(x) } else { 0.0 });
        let conforming = self.prior.between(self.tolerance);
        Ok(Risks {
            consumer_global,
            producer_global,
            conforming,
            accepted: consumer_global + (conforming - producer_global).max(0.0),
        })
    }

    fn check(&self) -> Result<(), ConformityError> {
        check_tolerance(self.tolerance)?;
        let u = self.u_measurement;
        if !(u.is_finite() && u >= 0.0) {
            return Err(ConformityError::Uncertainty { u });
        }
        let [low, high] = self.acceptance;
        // Written so that a NaN fails.
        if low < high {
            Ok(())
        } else {
            Err(ConformityError::NoAcceptance { low, high })
        }
    }

    /// Probability that an item of true value `x` is accepted.
    fn accepts(&self, x: f64) -> f64 {
        let [low, high] = self.acceptance;
        conformity(x, self.u_measurement, low, high)
    }

    fn rejects(&self, x: f64) -> f64 {
        let [low, high] = self.acceptance;
        let u = self.u_measurement;
        if u == 0.0 {
            return 1.0 - self.accepts(x);
        }
        crate::normal::cdf((low - x) / u) + crate::normal::cdf((x - high) / u)
    }

    fn integrate(&self, f: impl Fn(f64) -> f64) -> f64 {
        let mut breaks = self.tolerance.to_vec();
        for limit in self.acceptance {
            breaks.extend(CUTS.map(|cut| limit + cut * self.u_measurement));
        }
        self.prior.expectation(f, &breaks).clamp(0.0, 1.0)
    }

    /// The guard band at each finite tolerance limit for which the global consumer's risk is
    /// `max_risk`, in the unit of the limits; 0 where it is no more without. The acceptance
    /// interval of the problem does not matter.
    ///
    /// # Errors
    /// As [`Self::risks`], and if `max_risk` is not between 0 and 1.
    pub fn guard_band_for(&self, max_risk: f64) -> Result<f64, ConformityError> {
        if !(max_risk > 0.0 && max_risk < 1.0) {
            return Err(ConformityError::Risk {
                what: "largest global consumer's risk",
                found: max_risk,
            });
        }
        let consumer = |guard: f64| {
            let prior = self.prior.clone();
            let problem = Self::guarded(prior, self.u_measurement, self.tolerance, guard);
            problem.risks().map(|risks| risks.consumer_global)
        };
        if consumer(0.0)? <= max_risk {
            return Ok(0.0);
        }
        let [low, high] = self.tolerance;
        let half_width = 0.5 * (high - low);
        let (mut short, mut enough) = (0.0, self.u_measurement.max(f64::MIN_POSITIVE));
        while enough < half_width && consumer(enough)? > max_risk {
            (short, enough) = (enough, 2.0 * enough);
        }
        enough = enough.min(half_width);
        // The risk falls with the guard band, and is 0 where nothing is accepted.
        while enough - short > 1e-12 * enough {
            let middle = 0.5 * (short + enough);
            if consumer(middle)? > max_risk {
                short = middle;
            } else {
                enough = middle;
            }
        }
        Ok(enough)
    }
}

/// Index of process capability Cpk: distance of the mean from the nearer limit, in three
/// standard deviations (ISO 22514-2).
///
/// # Errors
/// If the limits are none, or the law has no finite standard deviation above 0.
pub fn process_capability(process: &Law, tolerance: [f64; 2]) -> Result<f64, ConformityError> {
    check_tolerance(tolerance)?;
    let (mean, sd) = (process.mean(), process.sd());
    if !(sd.is_finite() && sd > 0.0) {
        return Err(ConformityError::Uncertainty { u: sd });
    }
    let [low, high] = tolerance;
    Ok((mean - low).min(high - mean) / (3.0 * sd))
}

/// A rule for the width of the guard band, from the tolerance and the expanded uncertainty U
/// (k = 2). TUR is the test uncertainty ratio: half the width of the tolerance interval
/// over U (ANSI/NCSL Z540.3-2006).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GuardBand {
    /// None: simple acceptance (ILAC-G8:09/2019, 4.2.1; JCGM 106:2012, 8.2).
    None,
    /// r·U: guarded acceptance and the inner limits of non-binary acceptance
    /// (ILAC-G8:09/2019, 4.2.2 and 4.2.3, r = 1; JCGM 106:2012, 8.3.2).
    Expanded {
        /// The factor r: guard band over expanded uncertainty.
        fraction: f64,
    },
    /// Acceptance limits at the tolerance times √(1 − 1/TUR²), the difference of the squares of
    /// tolerance and U; known as RSS or RDS.
    RootSumSquare,
    /// U·(1.04 − exp(0.38·ln TUR − 0.54)), 0 where that is negative: keeps the global
    /// consumer's risk at 2 % or less for any normal process about the middle of the limits
    /// (the managed guard band of M. Dobbert, known as method 6).
    Dobbert,
}

impl GuardBand {
    /// Acceptance interval for tolerance limits and the expanded uncertainty of the
    /// measurement, in one unit.
    ///
    /// # Errors
    /// If a number is none, if nothing would be accepted, or if a rule that needs the ratio TUR
    /// meets an infinite limit.
    pub fn acceptance(
        self,
        tolerance: [f64; 2],
        expanded: f64,
    ) -> Result<[f64; 2], ConformityError> {
        check_tolerance(tolerance)?;
        if !(expanded.is_finite() && expanded >= 0.0) {
            return Err(ConformityError::Uncertainty { u: expanded });
        }
        let [low, high] = tolerance;
        let half_width = 0.5 * (high - low);
        let ratio = half_width / expanded;
        let guard = match self {
            Self::None => 0.0,
            Self::Expanded { fraction } => fraction * expanded,
            Self::RootSumSquare | Self::Dobbert if half_width.is_infinite() => {
                return Err(ConformityError::OneSided { low, high });
            }
            Self::RootSumSquare | Self::Dobbert if expanded == 0.0 => 0.0,
            Self::RootSumSquare if ratio <= 1.0 => half_width,
            Self::RootSumSquare => half_width * (1.0 - (1.0 - 1.0 / (ratio * ratio)).sqrt()),
            Self::Dobbert => {
                let multiple = 1.04 - libm::exp(0.38 * libm::log(ratio) - 0.54);
                expanded * multiple.max(0.0)
            }
        };
        let (low, high) = (low + guard, high - guard);
        // Written so that a NaN fails.
        if low < high {
            Ok([low, high])
        } else {
            Err(ConformityError::NoAcceptance { low, high })
        }
    }
}
