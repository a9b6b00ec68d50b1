//! What goes wrong on purpose.

use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// One fault of a simulated instrument: `KIND[:ARGUMENT]@WHEN[xCOUNT]`, with `WHEN` either
/// the number of the request (from 1) or virtual seconds with an `s`: `drop@12`,
/// `late:5000@3600sx3` (argument in milliseconds), `truncate:4@7`, `garble:2@7`,
/// `unit:kPa@7`, `over-range@7`, `no-value@7`, `freeze@600sx100`, `vanish@1800s`,
/// `vanish:10@7` (seconds, also with decimals), `duplicate@7`, `echo@7x100`,
/// `noise:0.1@1x100000` (per cent), `dip@3600s`, `stranger:SN-2@9`, `talk:500@9`
/// (milliseconds), `swap@9`.
///
/// Every fault hangs on the number of the request or on the time of the laboratory, and what
/// is random in it on the seed: the same run has the same faults. A fault with a time comes
/// with the first request after it; `talk` and `vanish` need no request.
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
    /// The port disappears; after this time it is there again under another path.
    Vanish { for_us: Option<u64> },
    /// The reply is sent twice.
    Duplicate,
    /// The request is sent back first, with the line end of a reply.
    Echo,
    /// Each byte of the reply is, with this probability, replaced, dropped, or followed by
    /// another one.
    Noise { per_million: u32 },
    /// The supply fails for a moment: no reply, the fields of `[simulate] power_up` and what
    /// the plant does not keep without current are lost. Each request that it spoils is
    /// another dip.
    Dip,
    /// Another unit answers from then on: it has this serial number.
    Stranger { serial: String },
    /// The instrument sends a reading unasked every so often, until it gets one of its
    /// commands to stop. It repeats what was sensed at the last request, with fresh noise.
    Talk { us: u64 },
    /// The reply to the request before in place of this one's, as after a late reply.
    Swap,
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
    "{0:?} is no fault: write KIND[:ARGUMENT]@REQUEST or @SECONDSs, and xCOUNT, such as \"drop@12\", \"late:5000@3600sx3\", \"unit:kPa@7\"; kinds are drop, truncate:BYTES, garble:BYTE, late:MS, unit:TEXT, over-range, no-value, freeze, vanish, duplicate, echo, noise:PERCENT, dip, stranger:SERIAL, talk:MS, swap"
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
        let text = || argument.map(str::to_owned).ok_or_else(refuse);
        let index = || number().and_then(|number| usize::try_from(number).map_err(|_| refuse()));
        let kind = match kind {
            "drop" => FaultKind::Drop,
            "truncate" => FaultKind::Truncate { keep: index()? },
            "garble" => FaultKind::Garble { at: index()? },
            "late" => FaultKind::Late {
                us: number()?.checked_mul(1000).ok_or_else(refuse)?,
            },
            "unit" => FaultKind::Unit { text: text()? },
            "over-range" => FaultKind::OverRange,
            "no-value" => FaultKind::NoValue,
            "freeze" => FaultKind::Freeze,
            "vanish" => FaultKind::Vanish {
                for_us: argument
                    .map(|seconds| microseconds(seconds).ok_or_else(refuse))
                    .transpose()?,
            },
            "duplicate" => FaultKind::Duplicate,
            "echo" => FaultKind::Echo,
            "noise" => FaultKind::Noise {
                per_million: argument.and_then(per_million).ok_or_else(refuse)?,
            },
            "dip" => FaultKind::Dip,
            "stranger" => FaultKind::Stranger { serial: text()? },
            "talk" => FaultKind::Talk {
                us: number()?.checked_mul(1000).ok_or_else(refuse)?,
            },
            "swap" => FaultKind::Swap,
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

/// Per cent as written, up to four decimal places.
fn per_million(percent: &str) -> Option<u32> {
    let (whole, places) = percent.split_once('.').unwrap_or((percent, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || places.len() > 4 || !digits(whole) || !digits(places) {
        return None;
    }
    let share = format!("{whole}{places:0<4}").parse().ok()?;
    (share <= 1_000_000).then_some(share)
}

/// Why instruments do not serve their line any more.
pub(super) enum Left {
    /// They were stopped, or the other side is gone.
    Stopped,
    /// The port is to vanish, for ever or for this time.
    Vanished { for_us: Option<u64> },
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

    /// The port is to vanish at this time, without any request.
    pub fn vanished(&mut self, now_us: u64) -> Option<Left> {
        let due = |when| matches!(when, Trigger::Time { t_us } if now_us >= t_us);
        self.faults
            .iter_mut()
            .find_map(|(fault, done)| match fault.kind {
                FaultKind::Vanish { for_us } if due(fault.when) && *done < fault.count => {
                    *done += 1;
                    Some(Left::Vanished { for_us })
                }
                _ => None,
            })
    }

    /// Interval and beginning of a talking that begins without a request.
    pub fn begin_talk(&mut self, now_us: u64) -> Option<(u64, u64)> {
        self.faults
            .iter_mut()
            .find_map(|(fault, done)| match (&fault.kind, fault.when) {
                (FaultKind::Talk { us }, Trigger::Time { t_us })
                    if now_us >= t_us && *done < fault.count =>
                {
                    *done += 1;
                    Some((*us, t_us))
                }
                _ => None,
            })
    }

    pub fn may_talk(&self) -> bool {
        self.faults
            .iter()
            .any(|(fault, _)| matches!(fault.kind, FaultKind::Talk { .. }))
    }
}

/// What comes of a reply on its way: the bytes, and how late they are where they are late;
/// none where nothing comes.
pub(super) fn spoil(
    faults: &[FaultKind],
    echo: &[u8],
    reply: Option<Vec<u8>>,
    random: &mut ChaCha8Rng,
) -> Option<(Vec<u8>, Option<u64>)> {
    let mut bytes = reply;
    let mut late_us = None;
    for fault in faults {
        match fault {
            FaultKind::Drop => return None,
            FaultKind::Dip => bytes = None,
            FaultKind::Late { us } => late_us = Some(*us),
            FaultKind::Echo => {
                let own = bytes.unwrap_or_default();
                bytes = Some([echo, &own[..]].concat());
            }
            fault => {
                if let Some(bytes) = &mut bytes {
                    change(fault, bytes, random);
                }
            }
        }
    }
    bytes.map(|bytes| (bytes, late_us))
}

fn change(fault: &FaultKind, bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    match fault {
        FaultKind::Truncate { keep } => bytes.truncate(*keep),
        FaultKind::Garble { at } => {
            let at = (*at).min(bytes.len().saturating_sub(1));
            bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= 0x40);
        }
        FaultKind::Duplicate => bytes.extend_from_within(..),
        FaultKind::Noise { per_million } => {
            *bytes = bytes
                .iter()
                .flat_map(|&byte| noisy(byte, *per_million, random))
                .collect();
        }
        _ => {}
    }
}

/// One byte on a noisy line: none, one or two bytes.
fn noisy(byte: u8, per_million: u32, random: &mut ChaCha8Rng) -> Vec<u8> {
    let hit = u64::from(random.next_u32()) * 1_000_000 < u64::from(per_million) << 32;
    if !hit {
        return vec![byte];
    }
    let draw = random.next_u32();
    let [other, kind, ..] = draw.to_le_bytes();
    match kind % 3 {
        // A byte that is replaced is another one.
        0 => vec![if other == byte { byte ^ 1 } else { other }],
        1 => Vec::new(),
        _ => vec![byte, other],
    }
}

/// Seconds with at most six decimals.
fn microseconds(seconds: &str) -> Option<u64> {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(part)
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

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
        let gone: Fault = "vanish:0.1@7".parse().unwrap();
        assert_eq!(
            gone.kind,
            FaultKind::Vanish {
                for_us: Some(100_000)
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
            "noise@1",
            "noise:101@1",
            "noise:0.00001@1",
            "stranger@1",
            "talk:x@1",
            "vanish:-1@1",
            "vanish:1.0000001@1",
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

    #[test]
    fn a_noisy_line_hits_as_many_bytes_as_it_says() {
        let noise: Fault = "noise:0.5@1".parse().unwrap();
        assert_eq!(noise.kind, FaultKind::Noise { per_million: 5000 });
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut kinds = [0_u32; 3];
        let trials = 400_000;
        for _ in 0..trials {
            match noisy(b'7', 5000, &mut random)[..] {
                [] => kinds[0] += 1,
                [b'7'] => {}
                [_] => kinds[1] += 1,
                _ => kinds[2] += 1,
            }
        }
        // 2000 hits expected, a third of each kind; five standard deviations.
        assert!(
            (1777..2223).contains(&kinds.iter().sum::<u32>()),
            "{kinds:?}"
        );
        assert!(
            kinds.iter().all(|kind| (538..796).contains(kind)),
            "{kinds:?}"
        );
    }

    #[test]
    fn faults_of_one_reply_add_up() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut wire = |faults: &[FaultKind], reply: Option<&[u8]>| {
            spoil(faults, b"SEND\r\n", reply.map(<[u8]>::to_vec), &mut random)
        };
        let (duplicate, echo) = (FaultKind::Duplicate, FaultKind::Echo);
        assert_eq!(
            wire(&[duplicate, echo.clone()], Some(b"1\r\n")),
            Some((b"SEND\r\n1\r\n1\r\n".to_vec(), None))
        );
        assert_eq!(
            wire(&[FaultKind::Late { us: 5 }, echo], None),
            Some((b"SEND\r\n".to_vec(), Some(5)))
        );
        assert_eq!(wire(&[FaultKind::Drop], Some(b"1")), None);
        assert_eq!(wire(&[], None), None);
    }
}
