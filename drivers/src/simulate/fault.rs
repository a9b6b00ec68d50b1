//! What goes wrong on purpose.

use std::str::FromStr;

/// One fault of a simulated instrument: `KIND[:ARGUMENT]@WHEN[xCOUNT]`, with `WHEN` either
/// the number of the request (from 1) or virtual seconds with an `s`: `drop@12`,
/// `late:5000@3600sx3` (argument in milliseconds), `truncate:4@7`, `garble:2@7`,
/// `unit:kPa@7`, `over-range@7`, `no-value@7`, `freeze@600sx100`, `vanish@1800s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub when: Trigger,
    /// How many requests it spoils from there on.
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// No reply.
    Drop,
    /// Only the first bytes of the reply.
    Truncate { keep: usize },
    /// Bit 6 of one byte of the reply is inverted; counted from 0.
    Garble { at: usize },
    /// The reply comes after this time.
    Late { us: u64 },
    /// Every unit in the reply is this text.
    Unit { text: String },
    /// Values far above the range of the channel.
    OverRange,
    /// Values filled with `*`.
    NoValue,
    /// Values stay as they were when the fault began.
    Freeze,
    /// The port disappears and does not come back.
    Vanish,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Number of the request, from 1.
    Exchange(u64),
    /// Time of the laboratory.
    Time { t_us: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no fault: write KIND[:ARGUMENT]@REQUEST or @SECONDSs, and xCOUNT, such as \"drop@12\", \"late:5000@3600sx3\", \"unit:kPa@7\"; kinds are drop, truncate, garble, late, unit, over-range, no-value, freeze, vanish"
)]
pub struct FaultError(String);

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let refuse = || FaultError(text.to_owned());
        let (kind, when) = text.rsplit_once('@').ok_or_else(refuse)?;
        let (kind, argument) = kind
            .split_once(':')
            .map_or((kind, None), |(kind, argument)| (kind, Some(argument)));
        let number = || argument.unwrap_or("1").parse::<u64>().map_err(|_| refuse());
        let index = || number().and_then(|number| usize::try_from(number).map_err(|_| refuse()));
        let kind = match kind {
            "drop" => FaultKind::Drop,
            "truncate" => FaultKind::Truncate { keep: index()? },
            "garble" => FaultKind::Garble { at: index()? },
            "late" => FaultKind::Late {
                us: number()?.checked_mul(1000).ok_or_else(refuse)?,
            },
            "unit" => FaultKind::Unit {
                text: argument.ok_or_else(refuse)?.to_owned(),
            },
            "over-range" => FaultKind::OverRange,
            "no-value" => FaultKind::NoValue,
            "freeze" => FaultKind::Freeze,
            "vanish" => FaultKind::Vanish,
            _ => return Err(refuse()),
        };
        let (when, count) = when.split_once('x').unwrap_or((when, "1"));
        let when = match when.strip_suffix('s') {
            Some(seconds) => {
                let seconds: u64 = seconds.parse().map_err(|_| refuse())?;
                Trigger::Time {
                    t_us: seconds.checked_mul(1_000_000).ok_or_else(refuse)?,
                }
            }
            None => Trigger::Exchange(when.parse().map_err(|_| refuse())?),
        };
        Ok(Self {
            kind,
            when,
            count: count.parse().map_err(|_| refuse())?,
        })
    }
}

/// Which faults apply to the request in hand.
#[derive(Debug)]
pub(super) struct FaultSchedule {
    faults: Vec<(Fault, u64)>,
    requests: u64,
}

impl FaultSchedule {
    pub fn new(faults: Vec<Fault>) -> Self {
        Self {
            faults: faults.into_iter().map(|fault| (fault, 0)).collect(),
            requests: 0,
        }
    }

    /// Counts a request and gives the faults that spoil it.
    pub fn next(&mut self, now_us: u64) -> Vec<FaultKind> {
        self.requests += 1;
        let mut active = Vec::new();
        for (fault, done) in &mut self.faults {
            let due = match fault.when {
                Trigger::Exchange(number) => self.requests >= number,
                Trigger::Time { t_us } => now_us >= t_us,
            };
            if due && *done < fault.count {
                *done += 1;
                active.push(fault.kind.clone());
            }
        }
        active
    }

    /// Whether the port is to be gone at this time, without any request.
    pub fn vanished(&self, now_us: u64) -> bool {
        let due = |when| matches!(when, Trigger::Time { t_us } if now_us >= t_us);
        self.faults
            .iter()
            .any(|(fault, _)| fault.kind == FaultKind::Vanish && due(fault.when))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_written_in_one_word() {
        let late: Fault = "late:5000@3600sx3".parse().unwrap();
        assert_eq!(late.kind, FaultKind::Late { us: 5_000_000 });
        assert_eq!(
            (late.when, late.count),
            (
                Trigger::Time {
                    t_us: 3_600_000_000
                },
                3
            )
        );
        let unit: Fault = "unit:kPa@7".parse().unwrap();
        assert_eq!(
            unit.kind,
            FaultKind::Unit {
                text: "kPa".to_owned()
            }
        );
        for text in [
            "",
            "drop",
            "drop@",
            "boom@1",
            "unit@1",
            "late:x@1",
            "drop@1x",
            "late:99999999999999999999@1",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_fault_spoils_as_many_requests_as_it_says() {
        let mut schedule = FaultSchedule::new(vec![
            "drop@2x2".parse().unwrap(),
            "garble@5s".parse().unwrap(),
        ]);
        let counts: Vec<_> = [0, 1, 2, 5_000_000, 6_000_000]
            .map(|t_us| schedule.next(t_us).len())
            .to_vec();
        assert_eq!(counts, [0, 1, 1, 1, 0]);
    }
}
