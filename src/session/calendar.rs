//! Moments for people. Entries are ordered by a clock that only goes forward; what a wall
//! clock says beside it may be moved by anybody, and is told when it is.

use std::sync::Arc;
use std::time::Duration;

use heng_records::ClockJump;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

/// A larger difference between the machine's clock and the time that passed is a jump. Time
/// services slew differences below half a second, and both clocks with them; what is beyond
/// was set by a hand or a service, or the machine slept.
const JUMP_US: i64 = 2_000_000;

/// What the machine says that the time is.
pub type Machine = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A start, the offset of its zone, and how the machine's clock was moved since.
#[derive(Clone)]
pub struct Calendar {
    /// The zone has one offset: a record keeps the one that it began with.
    start: Zoned,
    /// None where time is simulated.
    machine: Option<Machine>,
    jumped_us: i64,
}

impl Calendar {
    /// Starts now, in the zone of the machine, and watches its clock.
    pub fn now() -> Self {
        let now = Zoned::now();
        let offset = now.offset();
        Self {
            start: now.with_time_zone(TimeZone::fixed(offset)),
            machine: Some(Arc::new(Timestamp::now)),
            jumped_us: 0,
        }
    }

    /// Starts at an RFC 3339 moment, such as `2026-11-23T08:00:00+08:00`, and watches nothing.
    ///
    /// # Errors
    /// The parser's message.
    pub fn at(moment: &str) -> Result<Self, jiff::Error> {
        let timestamp: Timestamp = moment.parse()?;
        let pieces = jiff::fmt::temporal::Pieces::parse(moment)?;
        let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
        Ok(Self {
            start: timestamp.to_zoned(TimeZone::fixed(offset)),
            machine: None,
            jumped_us: 0,
        })
    }

    /// Watches this clock from now on; earlier jumps are already known.
    pub fn watching(self, machine: Machine, jumped_us: i64) -> Self {
        Self {
            machine: Some(machine),
            jumped_us,
            ..self
        }
    }

    /// Microseconds of the session by the machine's clock; 0 where that says that the start is
    /// still to come.
    pub fn elapsed_us(&self) -> u64 {
        let now = self
            .machine
            .as_ref()
            .map_or_else(Timestamp::now, |now| now());
        let elapsed = now.duration_since(self.start.timestamp());
        let elapsed = elapsed.saturating_sub(SignedDuration::from_micros(self.jumped_us));
        u64::try_from(elapsed.as_micros()).unwrap_or(0)
    }

    /// Whether the machine's clock was moved since the last look; moments go on from it then.
    pub fn jump(&mut self, t_us: u64) -> Option<ClockJump> {
        let found = self.machine.as_ref()?();
        let expected = self.zoned(t_us);
        let jump = found.duration_since(expected.timestamp()).as_micros();
        let jump_us = i64::try_from(jump).unwrap_or(if jump < 0 { i64::MIN } else { i64::MAX });
        if jump_us.unsigned_abs() <= JUMP_US.unsigned_abs() {
            return None;
        }
        self.jumped_us = self.jumped_us.saturating_add(jump_us);
        Some(ClockJump {
            expected: text(&expected),
            found: text(&self.zoned(t_us)),
            jump_us,
        })
    }

    /// RFC 3339, with microseconds and the offset of the zone.
    pub fn moment(&self, t_us: u64) -> String {
        text(&self.zoned(t_us))
    }

    fn zoned(&self, t_us: u64) -> Zoned {
        let jumped = SignedDuration::from_micros(self.jumped_us);
        let moment = self.start.checked_add(Duration::from_micros(t_us));
        let moment = moment.and_then(|moment| moment.checked_add(jumped));
        moment.unwrap_or_else(|_| self.start.clone())
    }
}

fn text(moment: &Zoned) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%6f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const SECOND: i64 = 1_000_000;

    /// The next number of a sequence (splitmix64, Steele, Lea and Flood 2014).
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A session of 200 looks on a machine whose clock is moved, at moments that are known to
    /// be awkward; the seed is the number of the case.
    fn case(seed: u64) {
        let mut state = seed;
        let starts = [
            "2026-11-25T23:59:50+08:00",
            "2016-12-31T23:59:50Z",
            "2038-01-19T03:14:00Z",
            "2028-02-29T12:00:00-03:30",
            "1999-12-31T23:59:59Z",
        ];
        let start = starts[usize::try_from(next(&mut state) % 5).unwrap()];
        let origin = Calendar::at(start).unwrap();
        let machine_us = Arc::new(AtomicI64::new(0));
        let (shared, begin) = (Arc::clone(&machine_us), origin.start.timestamp());
        let machine =
            Arc::new(move || begin + SignedDuration::from_micros(shared.load(Ordering::Relaxed)));
        let mut calendar = origin.watching(machine, 0);
        let moves = [
            SECOND,
            -SECOND,
            3 * SECOND,
            -3 * SECOND,
            3600 * SECOND,
            -3600 * SECOND,
            86_400 * SECOND,
            -86_400 * SECOND,
        ];
        let (mut t_us, mut moved_us, mut told_us) = (0_u64, 0_i64, 0_i64);
        for look in 0..200 {
            t_us += next(&mut state) % 20_000_000;
            if next(&mut state).is_multiple_of(10) {
                let pick = usize::try_from(next(&mut state) % 8).unwrap();
                moved_us += moves[pick];
            }
            let now_us = i64::try_from(t_us).unwrap() + moved_us;
            machine_us.store(now_us, Ordering::Relaxed);
            let before = calendar.moment(t_us);
            let jump = calendar.jump(t_us);
            let place = format!("case {seed}, look {look}");
            let difference_us = moved_us - told_us;
            if difference_us.abs() <= JUMP_US {
                assert_eq!(jump, None, "{place}");
            } else {
                let jump = jump.unwrap_or_else(|| panic!("{place}: not seen"));
                assert_eq!(jump.jump_us, difference_us, "{place}");
                assert_eq!(jump.expected, before, "{place}");
                assert_eq!(jump.found, calendar.moment(t_us), "{place}");
                told_us = moved_us;
                // Told once.
                assert_eq!(calendar.jump(t_us), None, "{place}");
            }
            let shown: Timestamp = calendar.moment(t_us).parse().unwrap();
            let machine = calendar.machine.as_ref().unwrap()();
            let apart = shown.duration_since(machine).as_micros();
            assert!(apart.abs() <= i128::from(JUMP_US), "{place}: {apart}");
        }
    }

    #[test]
    fn every_move_of_the_clock_beyond_two_seconds_is_told_once_with_both_moments() {
        for seed in 0..500 {
            case(seed);
        }
    }

    #[test]
    fn the_offset_of_the_zone_is_the_one_of_the_start() {
        let calendar = Calendar::at("2026-03-29T01:59:59+01:00").unwrap();
        assert_eq!(
            calendar.moment(2_000_000),
            "2026-03-29T02:00:01.000000+01:00"
        );
    }

    #[test]
    fn a_slow_drift_is_told_when_it_has_grown_to_two_seconds() {
        let drift_us = Arc::new(AtomicI64::new(0));
        let shared = Arc::clone(&drift_us);
        let origin = Calendar::at("2026-11-25T08:00:00+08:00").unwrap();
        let begin = origin.start.timestamp();
        let machine =
            Arc::new(move || begin + SignedDuration::from_micros(shared.load(Ordering::Relaxed)));
        let mut calendar = origin.watching(machine, 0);
        // 500 parts in a million, the most that a time service slews: 2 s in 4000 s.
        let told: Vec<u64> = (1..=8001_u64)
            .filter(|&second| {
                let t_us = second * 1_000_000;
                let slewed = second * 500;
                let now_us = i64::try_from(t_us + slewed).unwrap();
                drift_us.store(now_us, Ordering::Relaxed);
                calendar.jump(t_us).is_some()
            })
            .collect();
        assert_eq!(told, [4001]);
    }
}
