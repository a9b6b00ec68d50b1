//! A session on a machine whose clock is moved.

use heng_records::Event;

use super::trial::{self, Left};

fn jumps(left: &Left) -> Vec<i64> {
    let jumps = left.entries.iter().filter_map(|entry| match &entry.event {
        Event::Clock(jump) => Some(jump.jump_us),
        _ => None,
    });
    jumps.collect()
}

/// Order is kept whatever people read, and moments go on from the machine's clock.
fn assert_ordered(left: &Left, moved_us: i64) {
    let times: Vec<_> = left.entries.iter().map(|entry| entry.t_us).collect();
    assert!(times.is_sorted());
    let moment = |utc: &str| utc.parse::<jiff::Timestamp>().unwrap();
    let (first, last) = (&left.entries[0], left.entries.last().unwrap());
    let passed = moment(&last.utc).duration_since(moment(&first.utc));
    let due = i128::from(last.t_us) + i128::from(moved_us);
    assert_eq!(passed.as_micros(), due);
}

#[test]
fn no_certificate_rests_on_readings_over_a_jump_that_nobody_explains() {
    for moved_us in [3_000_000, -3_600_000_000, 86_400_000_000] {
        let folder = trial::folder(&format!("clock-unexplained-{moved_us}"));
        let left = trial::with_moved_clock(&folder, ("read", moved_us), None);
        assert_eq!(jumps(&left), [moved_us]);
        assert_ordered(&left, moved_us);
        assert!(!left.ended.completed && left.ended.files.is_empty());
        let alarms = trial::alarms(&left.entries);
        let told = |words: &str| alarms.iter().any(|alarm| alarm.contains(words));
        assert!(
            told("during readings") && told("nobody explained"),
            "{alarms:?}"
        );
        assert!(left.ended.not_safe.is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_note_after_the_jump_explains_it() {
    let folder = trial::folder("clock-explained");
    let why = Some("the time service set the clock after its network came back");
    let left = trial::with_moved_clock(&folder, ("read", 3_600_000_000), why);
    assert_eq!(jumps(&left), [3_600_000_000]);
    assert_ordered(&left, 3_600_000_000);
    assert!(left.ended.completed && !left.ended.files.is_empty());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_jump_outside_of_readings_and_a_small_step_cost_nothing() {
    for (kind, moved_us, told) in [("stabilise", 7_200_000_000, 1), ("read", 1_000_000, 0)] {
        let folder = trial::folder(&format!("clock-{kind}"));
        let left = trial::with_moved_clock(&folder, (kind, moved_us), None);
        assert_eq!(jumps(&left).len(), told, "{kind}");
        assert!(left.ended.completed, "{kind}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
