//! Indices of process capability with confidence limits.

use serde::{Deserialize, Serialize};

use crate::critical::chi_squared_quantile;
use crate::normal;
use crate::type_a::type_a;

/// What a capability study asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapabilityStudy {
    /// Lower and upper specification limit, in the unit of the values.
    pub limits: [f64; 2],
    /// Target; without one, the middle of the limits.
    pub target: Option<f64>,
    /// Confidence of the two-sided limits of the indices, 0 to 1.
    pub confidence: f64,
    /// Standard uncertainty of a measurement whose scatter is in the values: it is taken off,
    /// s² − u², as of the process alone (ISO 22514-7: 1/Cp² observed less (6u/T)²). 0 leaves the
    /// indices as observed.
    pub u_measurement: f64,
}

/// An index with its two-sided confidence limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapabilityIndex {
    /// The index.
    pub value: f64,
    /// Lower confidence limit.
    pub low: f64,
    /// Upper confidence limit; infinite where the measurement may be all of the scatter.
    #[serde(with = "crate::serde_inf")]
    pub high: f64,
}

/// Indices of a process (ISO 22514-2). C are made with the scatter within subgroups, P with that
/// of all values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capability {
    /// Number of values.
    pub n: usize,
    /// Mean of all.
    pub mean: f64,
    /// Standard deviation within subgroups; none where no subgroup has two values.
    pub s_within: Option<f64>,
    /// Standard deviation of all values.
    pub s_overall: f64,
    /// T/(6s) within subgroups.
    pub cp: Option<CapabilityIndex>,
    /// Distance of the mean to the nearer limit over 3s, within subgroups.
    pub cpk: Option<CapabilityIndex>,
    /// T/(6·√(s² + (mean − target)²)), of all values.
    pub cpm: CapabilityIndex,
    /// T/(6s) of all values.
    pub pp: CapabilityIndex,
    /// Distance of the mean to the nearer limit over 3s, of all values.
    pub ppk: CapabilityIndex,
}

/// Why a study is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CapabilityError {
    /// Too few values.
    #[error("a capability study needs at least 2 values, not {found}; measure more items")]
    TooFew {
        /// Values given.
        found: usize,
    },
    /// A value that is infinite or no number.
    #[error("a value of subgroup {subgroup} is not a finite number; mend it, or leave it out")]
    NotFinite {
        /// Counted from 1.
        subgroup: usize,
    },
    /// Limits in the wrong order, or not finite.
    #[error(
        "the specification limits {low} and {high} are no interval; state the lower first, both finite"
    )]
    Limits {
        /// As given.
        low: f64,
        /// As given.
        high: f64,
    },
    /// No scatter.
    #[error(
        "the values {which} do not scatter; measure with more digits: an index would be infinite"
    )]
    NoScatter {
        /// Within subgroups, or altogether.
        which: &'static str,
    },
    /// More measurement scatter than scatter.
    #[error(
        "the standard uncertainty of the measurement {u} is not below the standard deviation {s} of the values: nothing would be left of the process; leave it out, or measure better"
    )]
    Measurement {
        /// Standard uncertainty given.
        u: f64,
        /// Standard deviation found.
        s: f64,
    },
    /// A parameter outside its range.
    #[error("{what} is {found}; it must lie in {range}")]
    Parameter {
        /// Which parameter.
        what: &'static str,
        /// As given.
        found: f64,
        /// Its range in words.
        range: &'static str,
    },
}

impl CapabilityStudy {
    /// Indices of `subgroups`; single values may be given as one subgroup.
    ///
    /// Confidence limits: Cp, Pp by χ² with the degrees of freedom of s; Cpk, Ppk by the normal
    /// approximation of A. F. Bissell (Applied Statistics 39, 1990, 331–340); Cpm by χ² as of
    /// R. A. Boyles (Journal of Quality Technology 23, 1991, 17–26).
    ///
    /// # Errors
    /// [`CapabilityError`].
    pub fn evaluate(&self, subgroups: &[Vec<f64>]) -> Result<Capability, CapabilityError> {
        self.check()?;
        let bad = |group: &Vec<f64>| group.iter().any(|x| !x.is_finite());
        if let Some(at) = subgroups.iter().position(bad) {
            return Err(CapabilityError::NotFinite { subgroup: at + 1 });
        }
        let values: Vec<f64> = subgroups.iter().flatten().copied().collect();
        let found = values.len();
        let all = type_a(&values).map_err(|_| CapabilityError::TooFew { found })?;
        let each = subgroups.iter().filter_map(|group| type_a(group).ok());
        let (squares, dof) = each.fold((0.0, 0.0), |(squares, dof), group| {
            (squares + group.dof * group.s * group.s, dof + group.dof)
        });
        let s_within = if dof > 0.0 {
            Some(self.of_process((squares / dof).sqrt(), "within subgroups")?)
        } else {
            None
        };
        let s = self.of_process(all.s, "altogether")?;
        let n = all.n as f64;
        let index = |s: f64, dof: f64| self.relative(self.width() / (6.0 * s), s, dof);
        // Of s² − u² only s² varies from sample to sample.
        let left = |s: f64, dof: f64| {
            let share = s * s / (s * s + self.u_measurement * self.u_measurement);
            dof * share * share
        };
        let nearer = |s: f64| self.nearer(all.mean) / (3.0 * s);
        let target = self
            .target
            .unwrap_or(0.5 * (self.limits[0] + self.limits[1]));
        let off = (all.mean - target) / s;
        let cpm_dof = n * (1.0 + off * off) * (1.0 + off * off) / (1.0 + 2.0 * off * off);
        let cpm = self.width() / (6.0 * s * (1.0 + off * off).sqrt());
        Ok(Capability {
            n: all.n,
            mean: all.mean,
            s_within,
            s_overall: s,
            cp: s_within.map(|s| index(s, dof)),
            cpk: s_within.map(|s| self.bissell(nearer(s), n, left(s, dof))),
            cpm: self.by_chi_squared(cpm, left(s, cpm_dof)),
            pp: index(s, all.dof),
            ppk: self.bissell(nearer(s), n, left(s, all.dof)),
        })
    }

    fn check(&self) -> Result<(), CapabilityError> {
        let [low, high] = self.limits;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Err(CapabilityError::Limits { low, high });
        }
        let parameters = [
            (
                "the confidence",
                self.confidence,
                "0 to 1, without the ends",
            ),
            (
                "the target",
                self.target.unwrap_or(low),
                "the finite numbers",
            ),
            (
                "the standard uncertainty of the measurement",
                self.u_measurement,
                "the numbers from 0",
            ),
        ];
        let fits = [
            self.confidence > 0.0 && self.confidence < 1.0,
            parameters[1].1.is_finite(),
            self.u_measurement.is_finite() && self.u_measurement >= 0.0,
        ];
        match fits.iter().position(|fits| !fits) {
            None => Ok(()),
            Some(at) => {
                let (what, found, range) = parameters[at];
                Err(CapabilityError::Parameter { what, found, range })
            }
        }
    }

    fn width(&self) -> f64 {
        self.limits[1] - self.limits[0]
    }

    fn nearer(&self, mean: f64) -> f64 {
        (mean - self.limits[0]).min(self.limits[1] - mean)
    }

    /// Scatter of the process without that of the measurement.
    fn of_process(&self, s: f64, which: &'static str) -> Result<f64, CapabilityError> {
        if s == 0.0 {
            return Err(CapabilityError::NoScatter { which });
        }
        let u = self.u_measurement;
        if u >= s {
            return Err(CapabilityError::Measurement { u, s });
        }
        Ok(((s - u) * (s + u)).sqrt())
    }

    /// An index in 1/s of the process, with limits by χ² for the degrees of freedom of the
    /// observed standard deviation, of which the measurement is taken off.
    fn relative(&self, value: f64, s: f64, dof: f64) -> CapabilityIndex {
        let tail = 0.5 * (1.0 - self.confidence);
        let taken_off = self.u_measurement * self.u_measurement;
        let limit = |p: f64| {
            let variance = dof * (s * s + taken_off) / chi_squared_quantile(p, dof) - taken_off;
            if variance > 0.0 {
                value * s / variance.sqrt()
            } else {
                f64::INFINITY
            }
        };
        CapabilityIndex {
            value,
            low: limit(tail),
            high: limit(1.0 - tail),
        }
    }

    fn by_chi_squared(&self, value: f64, dof: f64) -> CapabilityIndex {
        let tail = 0.5 * (1.0 - self.confidence);
        CapabilityIndex {
            value,
            low: value * (chi_squared_quantile(tail, dof) / dof).sqrt(),
            high: value * (chi_squared_quantile(1.0 - tail, dof) / dof).sqrt(),
        }
    }

    fn bissell(&self, value: f64, n: f64, dof: f64) -> CapabilityIndex {
        let z = normal::quantile(0.5 * (1.0 + self.confidence));
        let half = z * (1.0 / (9.0 * n) + value * value / (2.0 * dof)).sqrt();
        CapabilityIndex {
            value,
            low: value - half,
            high: value + half,
        }
    }
}
