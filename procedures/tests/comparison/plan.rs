//! The plan against scripted benches: it measures, holds, repeats, and always ends safely.

use std::collections::BTreeMap;

use crate::dry_run::{DryRun, SHIPPED, order, procedure, standards};
use heng_procedures::{
    Command, Input, Order, Outcome, Plan, ScanPurpose, Setup, SetupError, Standards, StepKind,
    evaluate_point,
};
use proptest::prelude::*;

/// The shipped procedure with short waits and two points, where a test needs no more.
fn short() -> String {
    let text = patient();
    let (loss, end) = (
        text.find("[loss]").unwrap(),
        text.find("[[prompt]]").unwrap(),
    );
    format!("{}{}", &text[..loss], &text[end..])
}

/// The same, with its rules for lost instruments.
fn patient() -> String {
    let text = SHIPPED
        .replace("minimum_wait_s = 1800", "minimum_wait_s = 300")
        .replace("maximum_wait_s = 14400", "maximum_wait_s = 900")
        .replace("window_s = 1200", "window_s = 240")
        .replace("count = 10", "count = 3");
    let third = text.match_indices("[[point]]").nth(2).unwrap().0;
    let steady = text.find("# Sized for").unwrap();
    format!("{}{}", &text[..third], &text[steady..])
}

fn steps(run: &DryRun) -> Vec<(StepKind, Option<usize>)> {
    run.derived
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Step(step) => Some((step.kind, step.point)),
            _ => None,
        })
        .collect()
}

fn last_finish(run: &DryRun) -> (bool, String) {
    match run.derived.last() {
        Some(Outcome::Finished {
            completed, reason, ..
        }) => (*completed, reason.en.clone()),
        other => panic!("the last derived value is {other:?}"),
    }
}

#[test]
fn nine_points_are_measured_in_their_order() {
    let mut run = DryRun::new(SHIPPED);
    run.run_out();
    assert_eq!(run.finished, Some(true));
    assert_eq!(
        last_finish(&run),
        (true, "9 of 9 points measured".to_owned())
    );
    let points = run.points();
    assert_eq!(points.len(), 9);
    for (index, point) in points.iter().enumerate() {
        assert!(point.complete && point.repeats.is_empty());
        assert_eq!((point.index, point.cycles.len()), (index, 10));
        let accepted = point.steady.as_ref().unwrap();
        assert!(accepted.steady && accepted.waited_s >= 1800.0);
        assert!(accepted.criteria.iter().all(|one| one.covered_s >= 1200.0));
        for (cycle, scan) in (1..).zip(&point.cycles) {
            assert_eq!(
                (scan.cycle, scan.purpose),
                (Some(cycle), ScanPurpose::Reading)
            );
            assert_eq!(
                scan.indications
                    .iter()
                    .filter(|one| one.channel == "td")
                    .count(),
                2
            );
        }
        // A scan is due by its beginning; the bench of the dry run begins up to 0.1 s late.
        let taken_us = point.cycles[9].t_us - point.cycles[0].t_us;
        assert!(taken_us.abs_diff(9 * 60_000_000) <= 100_000, "{taken_us}");
    }
    let mut expected = vec![(StepKind::Identify, None), (StepKind::Prepare, None)];
    for index in 0..9 {
        let kinds = [
            StepKind::Set,
            StepKind::Stabilise,
            StepKind::Read,
            StepKind::Closed,
        ];
        expected.extend(kinds.map(|kind| (kind, Some(index))));
    }
    expected.push((StepKind::SafeState, None));
    assert_eq!(steps(&run), expected);
}

#[test]
fn the_planned_time_holds_what_a_run_takes() {
    let mut run = DryRun::new(SHIPPED);
    let Outcome::Planned(planned) = run.derived[0].clone() else {
        panic!("not planned")
    };
    run.run_out();
    let [least, most] = planned.duration_s;
    let taken = run.now_us / 1_000_000;
    assert!((least..=most).contains(&taken), "{least} {taken} {most}");
    let progress = run.plan.progress();
    assert_eq!((progress.left_s, progress.fraction), ([0, 0], 1.0));
}

#[test]
fn progress_never_goes_back_in_a_run_without_faults() {
    let mut run = DryRun::new(&short());
    let mut before = run.plan.progress();
    while run.finished.is_none() {
        run.go();
        let now = run.plan.progress();
        assert!(now.fraction >= before.fraction, "{before:?} {now:?}");
        assert!(now.left_s[0] <= before.left_s[0], "{before:?} {now:?}");
        before = now;
    }
}

#[test]
fn the_same_inputs_give_the_same_values() {
    let [mut one, mut two] = [DryRun::new(&short()), DryRun::new(&short())];
    one.run_out();
    two.run_out();
    let json = |run: &DryRun| serde_json::to_string(&run.derived).unwrap();
    assert_eq!(json(&one), json(&two));
}

#[test]
fn the_mirror_state_is_asked_only_where_it_is_open() {
    let mut run = DryRun::new(SHIPPED);
    run.run_out();
    let answered: Vec<_> = run
        .points()
        .iter()
        .filter_map(|point| point.answers.get("mirror_state").cloned())
        .collect();
    // 10 %RH at 20 °C is a dew point of −11 °C, rising and falling; 30 %RH is above 0 °C.
    assert_eq!(answered, ["water", "water"]);
}

#[test]
fn ice_on_the_mirror_changes_the_formulas_of_its_point_at_once() {
    let humidity = |mirror| {
        let mut run = DryRun::new(SHIPPED);
        run.mirror = mirror;
        run.until(|run| run.is_asked("mirror_state"));
        let asked_us = run.now_us;
        run.until(|run| !run.points().is_empty());
        let point = run.points()[0].clone();
        // The windows are computed again, so no new window has to be waited for.
        assert!(point.cycles[0].t_us - asked_us < 60_000_000);
        point.cycles[0].signals["rh_ref"]
    };
    let (water, ice) = (humidity("water"), humidity("ice"));
    // e_w/e_i at −11.2 °C is 1.115 (Hardy 1998): the same reading means less humidity on ice.
    assert!((water / ice - 1.115).abs() < 0.003, "{water} {ice}");
}

#[test]
fn the_budget_of_50_percent_has_the_published_sensitivities() {
    let mut run = DryRun::new(SHIPPED);
    run.until(|run| run.points().len() == 3);
    let (procedure, order, standards) = (procedure(SHIPPED), order(), standards());
    let point = run.points()[2].clone();
    let results = evaluate_point(
        &procedure,
        &order,
        &standards,
        &point,
        &[],
        1,
        heng_procedures::Rules::Present,
    )
    .unwrap();
    let row = |symbol: &str| {
        results[0]
            .budget
            .rows
            .iter()
            .find(|row| row.symbol == symbol)
            .unwrap()
            .clone()
    };
    // dRH/dtd = 3.370 and dRH/dt = −3.099 %RH/K at 20 °C, 50 %RH (Hardy 1998); here the
    // error is indication minus reference, and td is 9.26 °C instead of exactly 50 %RH.
    assert!(
        (row("d_td_cal").sensitivity + 3.37).abs() < 0.01,
        "{:?}",
        row("d_td_cal")
    );
    assert!(
        (row("d_t_cal").sensitivity - 3.10).abs() < 0.01,
        "{:?}",
        row("d_t_cal")
    );
    assert!((row("d_td_cal").contribution - 0.10).abs() < 0.005);
    assert!((row("d_t_grad").contribution - 0.09).abs() < 0.005);
    // The hysteresis is not known before the falling point is measured.
    assert!(results[0].preliminary);
    assert!(results[0].error.abs() < 0.2 && (results[1].error - 0.1).abs() < 0.01);
}

#[test]
fn a_reading_that_does_not_count_starts_the_point_over() {
    type Change = fn(&mut heng_procedures::Indication);
    let cases: [(&str, Change, &str); 5] = [
        (
            "td",
            |one| one.quality = "purge".to_owned(),
            "the instrument says \"purge\"",
        ),
        (
            "t",
            |one| one.unit = "K".parse().unwrap(),
            "came in K instead of °C",
        ),
        (
            "td",
            |one| one.digits = "70.00".parse().unwrap(),
            "outside the calibrated range",
        ),
        (
            "rh_uut",
            |one| one.channel = "nothing".to_owned(),
            "no value came",
        ),
        (
            "t",
            |one| one.digits = "20.402".parse().unwrap(),
            "no longer steady",
        ),
    ];
    for (channel, change, reason) in cases {
        let mut run = DryRun::new(&short());
        run.until(DryRun::is_reading);
        run.go();
        run.go_with(channel, change);
        run.run_out();
        let points = run.points();
        assert_eq!(points.len(), 2, "{reason}");
        assert!(
            points[0].complete && points[0].cycles.len() == 3,
            "{reason}"
        );
        assert_eq!(points[0].repeats.len(), 1, "{reason}");
        assert!(
            points[0].repeats[0].contains(reason),
            "{:?}",
            points[0].repeats
        );
        assert!(run.alarms()[0].contains(reason), "{:?}", run.alarms());
        assert!(points[1].repeats.is_empty());
        // The failed reading stays among the derived values.
        let scans = run.derived.iter().filter(|one| {
            matches!(one, Outcome::Scan(scan) if scan.cycle == Some(2) && scan.point == Some(0))
        });
        assert_eq!(scans.count(), 2);
    }
}

#[test]
fn after_the_allowed_repeats_a_person_decides() {
    for (choice, complete, points) in [("retry", true, 2), ("skip", false, 2), ("abort", false, 1)]
    {
        let mut run = DryRun::new(&short());
        for _ in 0..3 {
            assert!(
                run.asked()
                    .is_none_or(|prompt| prompt.id != "reading_failed")
            );
            run.until(DryRun::is_reading);
            run.go_with("p", |one| one.quality = "no_value".to_owned());
        }
        assert!(run.is_asked("reading_failed"), "{:?}", run.open);
        run.answer(choice);
        run.run_out();
        let closed = run.points();
        assert_eq!(
            (closed.len(), closed[0].complete),
            (points, complete),
            "{choice}"
        );
        assert_eq!(closed[0].repeats.len(), 3);
        assert_eq!(run.finished, Some(choice != "abort"));
    }
}

#[test]
fn a_value_missing_while_settling_breaks_its_window_only() {
    let mut run = DryRun::new(&short());
    run.until(|run| run.now_us > 200_000_000);
    run.go_with("rh_uut", |one| one.quality = "settling".to_owned());
    let Some(Outcome::Steady(steady)) = run.derived.last() else {
        panic!("no verdict")
    };
    let covered: BTreeMap<_, _> = steady
        .criteria
        .iter()
        .map(|one| (one.signal.as_str(), one.count))
        .collect();
    assert_eq!((covered["d_rh"], covered["t"] > 3), (0, true));
    let broken_us = run.now_us;
    run.until(DryRun::is_reading);
    assert!(run.now_us - broken_us >= 240_000_000, "the gap was bridged");
    assert!(
        run.alarms().is_empty(),
        "settling is no reason for an alarm"
    );
}

#[test]
fn difference_state_and_soak_are_judged_by_the_plan() {
    let text = short().replace(
        "# Standard, item, standard",
        "[[steady.criterion]]\nsignal = \"t_uut\"\nminus = \"t\"\nwindow_s = 240\nrange = \"0.05\"\n\
         \n[[steady.criterion]]\nsignal = \"p\"\nwindow_s = 60\nstate = [\"1013.02\"]\n\
         \n[[steady.criterion]]\nsignal = \"t\"\nwindow_s = 60\n\
         reach = { quantity = \"temperature\", within = \"0.01\", soak_s = 400 }\n\
         \n# Standard, item, standard",
    );
    let mut run = DryRun::new(&text);
    run.until(|run| run.now_us > 200_000_000);
    // Two tenths off for one scan: the difference and the soak begin anew.
    let digits = heng_quantities::Decimal::new(20_202, -3);
    run.go_with("t", |one| one.digits = digits);
    let left_us = run.now_us;
    let verdict = |run: &DryRun| {
        let mut derived = run.derived.iter().rev();
        let found = derived.find_map(|outcome| match outcome {
            Outcome::Steady(steady) => Some(steady.criteria.clone()),
            _ => None,
        });
        found.unwrap()
    };
    let criteria = verdict(&run);
    let difference = criteria.iter().find(|one| one.minus.is_some()).unwrap();
    // 20.10 − 20.002 before and 20.10 − 20.202 now, to the digit.
    assert_eq!(
        (difference.range, difference.subject()),
        (0.2, "t_uut − t".to_owned())
    );
    assert_eq!(criteria.last().unwrap().soak.unwrap().soaked_s, None);
    run.until(DryRun::is_reading);
    assert!(run.now_us - left_us >= 400_000_000, "the soak went on");
    let accepted = verdict(&run);
    assert!(accepted.iter().all(|one| one.steady));
    // The state ends while it is read: the readings start over.
    run.go_with("p", |one| {
        one.digits = heng_quantities::Decimal::new(101_303, -2);
    });
    let alarms = run.alarms();
    assert!(alarms[0].contains("no longer steady: p"), "{alarms:?}");
    run.run_out();
    assert_eq!(run.finished, Some(true));
}

#[test]
fn a_signal_that_drifts_is_never_steady_and_a_person_decides() {
    for (choice, points, completed) in
        [("wait_on", 2, true), ("skip", 2, true), ("abort", 1, false)]
    {
        let mut run = DryRun::new(&short());
        let mut milli = 20_000_i64;
        while !run.is_asked("not_steady") {
            milli += 10;
            let digits = heng_quantities::Decimal::new(milli, -3);
            run.go_with("t", |one| one.digits = digits);
        }
        assert!(run.now_us >= 900_000_000);
        run.answer(choice);
        run.run_out();
        let closed = run.points();
        assert_eq!(
            (closed.len(), run.finished),
            (points, Some(completed)),
            "{choice}"
        );
        assert_eq!(closed[0].complete, choice == "wait_on");
    }
}

#[test]
fn a_procedure_may_decide_a_timeout_by_itself() {
    for (rule, completed, points) in [("skip", true, 2), ("abort", false, 1)] {
        let text = short().replace("on_timeout = \"ask\"", &format!("on_timeout = \"{rule}\""));
        let mut run = DryRun::new(&text);
        while run.points().is_empty() {
            run.go_with("rh_uut", |one| one.quality = "settling".to_owned());
        }
        run.run_out();
        assert_eq!(
            (run.finished, run.points().len()),
            (Some(completed), points),
            "{rule}"
        );
        assert!(!run.points()[0].complete);
    }
}

#[test]
fn a_pause_stops_the_scans_and_is_no_soak_time() {
    let mut run = DryRun::new(&short());
    run.until(|run| run.now_us > 200_000_000);
    run.give(Input::Pause { t_us: run.now_us });
    run.go();
    assert_eq!(run.open, None, "a scan was begun during the pause");
    let hour_us = 3_600_000_000;
    run.now_us += hour_us;
    run.give(Input::Resume { t_us: run.now_us });
    let resumed_us = run.now_us;
    run.until(DryRun::is_reading);
    assert!(
        run.now_us - resumed_us >= 240_000_000,
        "the window did not start anew"
    );
    let accepted = run.derived.iter().rev().find_map(|outcome| match outcome {
        Outcome::Steady(steady) => Some(steady.waited_s),
        _ => None,
    });
    assert!(
        accepted.is_some_and(|waited| waited < 900.0),
        "{accepted:?}"
    );
    run.run_out();
    assert_eq!(run.finished, Some(true));
}

#[test]
fn a_pause_during_readings_starts_them_over() {
    let mut run = DryRun::new(&short());
    run.until(DryRun::is_reading);
    run.go();
    run.give(Input::Pause { t_us: run.now_us });
    run.give(Input::Pause { t_us: run.now_us });
    run.go();
    run.give(Input::Resume { t_us: run.now_us });
    run.give(Input::Resume { t_us: run.now_us });
    run.run_out();
    assert_eq!(run.points()[0].repeats, ["paused"]);
    assert_eq!(run.finished, Some(true));
}

/// Number of answers of a whole short run.
fn length() -> usize {
    let mut run = DryRun::new(&short());
    let mut length = 0;
    while run.finished.is_none() {
        run.go();
        length += 1;
    }
    length
}

#[test]
fn an_abort_in_any_step_reaches_the_safe_state() {
    for at in 0..length() {
        for paused in [false, true] {
            let mut run = DryRun::new(&short());
            (0..at).for_each(|_| run.go());
            if paused {
                run.give(Input::Pause { t_us: run.now_us });
            }
            run.give(Input::Abort {
                t_us: run.now_us,
                reason: "smoke".to_owned(),
            });
            let Some(Command::SafeState { role, .. }) = &run.open else {
                panic!("after {at} answers: {:?}", run.open);
            };
            assert_eq!(role, "chamber");
            // A late answer to the withdrawn command changes nothing.
            run.give(Input::Identified { t_us: run.now_us });
            let begun = run
                .derived
                .iter()
                .any(|one| matches!(one, Outcome::Step(step) if step.kind == StepKind::Set));
            let ending = run.plan.progress().step == StepKind::SafeState;
            assert!(ending);
            run.run_out();
            let (completed, reason) = last_finish(&run);
            if reason == "smoke" {
                assert_eq!((completed, run.finished), (false, Some(false)));
                let open = run.points().iter().filter(|point| !point.complete).count();
                assert!(open <= 1 && (!begun || !run.points().is_empty()));
            } else {
                // The abort came on the way to the safe state: all points were measured.
                assert_eq!((at, completed), (length() - 1, true));
            }
        }
    }
}

#[test]
fn a_lost_instrument_holds_the_run_until_it_is_identified_again() {
    for at in 0..length() - 1 {
        let mut run = DryRun::new(&short());
        (0..at).for_each(|_| run.go());
        let (role, reason) = ("thermometer".to_owned(), "port closed".to_owned());
        run.give(Input::Lost {
            t_us: run.now_us,
            role,
            reason,
        });
        assert!(
            run.is_asked("instrument_lost"),
            "after {at} answers: {:?}",
            run.open
        );
        assert!(run.alarms()[0].starts_with("thermometer: instrument lost: port closed"));
        run.answer("retry");
        assert!(
            matches!(run.open, Some(Command::Identify { .. })),
            "a stranger could be read"
        );
        run.run_out();
        assert_eq!(run.finished, Some(true), "after {at} answers");
        assert!(
            run.points()
                .iter()
                .all(|point| point.complete && point.cycles.len() == 3)
        );
    }
    let mut run = DryRun::new(&short());
    let (role, reason) = ("mirror".to_owned(), "port closed".to_owned());
    run.give(Input::Lost {
        t_us: 0,
        role,
        reason,
    });
    run.answer("abort");
    run.run_out();
    assert_eq!(run.finished, Some(false));
    assert_eq!(run.open, None, "a command is open after the end");
}

fn lose(run: &mut DryRun, role: &str) {
    run.give(Input::Lost {
        t_us: run.now_us,
        role: role.to_owned(),
        reason: "port closed".to_owned(),
    });
}

/// Each role lost in each state and found again: by itself, and with the cost of its role.
#[test]
fn what_was_lost_is_looked_for_and_costs_what_the_rules_say() {
    for (role, anew) in [
        ("chamber", "set"),
        ("uut", "soak"),
        ("thermometer", "windows"),
    ] {
        for at in 0..length() - 1 {
            let mut run = DryRun::new(&patient());
            (0..at).for_each(|_| run.go());
            let before = run.plan.progress();
            let (lost_us, set_before) = (run.now_us, run.set.clone());
            lose(&mut run, role);
            if matches!(run.open, Some(Command::SafeState { .. })) {
                continue;
            }
            for look in 1..=3 {
                let Some(Command::Identify { at_us }) = run.open else {
                    panic!("{role} after {at} answers, look {look}: {:?}", run.open);
                };
                assert_eq!(at_us, run.now_us + 5_000_000);
                run.now_us = at_us;
                if look < 3 {
                    lose(&mut run, role);
                }
            }
            run.give(Input::Identified { t_us: run.now_us });
            let alarms = run.alarms();
            let lost = alarms.iter().filter(|one| one.contains("instrument lost"));
            assert_eq!(lost.count(), 1, "one absence, one alarm");
            assert!(
                alarms
                    .iter()
                    .any(|one| one.contains("back and identified after 15 s"))
            );
            let in_point = matches!(
                before.step,
                StepKind::Set | StepKind::Stabilise | StepKind::Read
            );
            if in_point && anew == "set" {
                assert!(
                    matches!(run.open, Some(Command::Set { .. })),
                    "{:?}",
                    run.open
                );
            }
            let back_us = run.now_us;
            run.run_out();
            assert_eq!(run.finished, Some(true), "{role} after {at} answers");
            let points = run.points();
            assert!(
                points
                    .iter()
                    .all(|one| one.complete && one.cycles.len() == 3)
            );
            assert!(!set_before.is_empty() || at < 10);
            if !matches!(before.step, StepKind::Stabilise | StepKind::Read) {
                continue;
            }
            // Nothing is read before the window, or the whole soak, has passed again.
            let point = points[before.point.unwrap()];
            let first_us = point.cycles[0].t_us;
            let least_s = if anew == "windows" { 240 } else { 300 };
            assert!(
                first_us - back_us >= least_s * 1_000_000,
                "{role} {at}: {first_us}"
            );
            let repeated = usize::from(before.step == StepKind::Read);
            assert_eq!(point.repeats.len(), repeated, "{role} lost at {lost_us}");
        }
    }
}

#[test]
fn what_stays_lost_is_asked_about_and_looked_for_again() {
    let mut run = DryRun::new(&patient());
    run.until(DryRun::is_reading);
    let begun_us = run.now_us;
    while !run.is_asked("instrument_lost") {
        if let Some(Command::Identify { at_us }) = run.open {
            run.now_us = at_us;
        }
        lose(&mut run, "thermometer");
    }
    assert_eq!(run.now_us - begun_us, 120_000_000);
    run.answer("retry");
    assert!(matches!(run.open, Some(Command::Identify { .. })));
    lose(&mut run, "thermometer");
    assert!(
        matches!(run.open, Some(Command::Identify { .. })),
        "one look only"
    );
    run.run_out();
    assert_eq!(run.finished, Some(true));
}

#[test]
fn a_source_that_is_away_is_told_to_be_safe_until_it_is_back() {
    for back_s in [1, 60, 1000] {
        let mut run = DryRun::new(&patient());
        run.until(|run| matches!(run.open, Some(Command::SafeState { .. })));
        let begun_us = run.now_us;
        while let Some(Command::SafeState { at_us, .. }) = run.open {
            run.now_us = run.now_us.max(at_us);
            if run.now_us - begun_us >= back_s * 1_000_000 {
                break;
            }
            lose(&mut run, "chamber");
        }
        if back_s == 1000 {
            assert_eq!(run.plan.not_safe(), ["chamber"]);
            assert!(run.now_us - begun_us >= 120_000_000);
        } else {
            run.run_out();
            assert!(run.plan.not_safe().is_empty());
        }
        assert_eq!(run.finished, Some(true));
    }
}

#[test]
fn a_source_that_refuses_is_asked_about() {
    for (choice, complete) in [("retry", true), ("skip", false)] {
        let mut run = DryRun::new(&short());
        run.until(|run| matches!(run.open, Some(Command::Set { .. })));
        let result = Err("read back 19.0 instead of 20.0".to_owned());
        run.give(Input::SourceSet {
            t_us: run.now_us,
            result,
        });
        assert!(run.is_asked("source_refused"));
        assert!(run.alarms()[0].contains("read back 19.0"));
        run.answer(choice);
        run.run_out();
        assert_eq!(
            (run.points()[0].complete, run.finished),
            (complete, Some(true))
        );
    }
}

#[test]
fn a_safe_state_that_is_not_confirmed_is_tried_twice_and_said() {
    let mut run = DryRun::new(&short());
    run.until(|run| matches!(run.open, Some(Command::SafeState { .. })));
    for _ in 0..2 {
        assert!(matches!(run.open, Some(Command::SafeState { .. })));
        let result = Err("no reply".to_owned());
        run.give(Input::SafeStateReached {
            t_us: run.now_us,
            result,
        });
    }
    assert_eq!(
        run.finished,
        Some(true),
        "the points were measured all the same"
    );
    assert_eq!(run.alarms().len(), 2);
    assert!(run.alarms()[1].contains("attempt 2 of 2"));
}

#[test]
fn an_answer_can_end_the_run() {
    let mut run = DryRun::new(&short());
    run.until(|run| run.is_asked("visual_check"));
    run.answer("damaged");
    run.run_out();
    assert_eq!(last_finish(&run), (false, "no: end the run".to_owned()));
}

#[test]
fn a_plan_refuses_what_does_not_fit_together() {
    let (procedure, good, all) = (procedure(SHIPPED), order(), standards());
    let mut other = good.clone();
    other
        .choices
        .insert("vapour_pressure".to_owned(), "goff".to_owned());
    let mut few = all.clone();
    few.remove("barometer");
    let plan = |order: &Order, standards: &Standards| {
        Plan::new(Setup {
            procedure: &procedure,
            order,
            standards,
        })
    };
    assert!(matches!(
        plan(&other, &all),
        Err(SetupError::UnknownChoice { .. })
    ));
    assert!(matches!(
        plan(&good, &few),
        Err(SetupError::MissingCertificate { .. })
    ));
    for option in ["hardy-1998", "sonntag-1994", "wmo-8"] {
        other
            .choices
            .insert("vapour_pressure".to_owned(), option.to_owned());
        assert!(plan(&other, &all).is_ok(), "{option}");
    }
}

/// One random thing that happens: what kind, which of several, and how much time passes.
fn random_step(run: &mut DryRun, (kind, which, wait_s): (u8, u8, u16)) {
    run.now_us += u64::from(wait_s) * 1_000_000;
    let t_us = run.now_us;
    let text = || "reason".to_owned();
    let input = match kind {
        0 => Input::Pause { t_us },
        1 => Input::Resume { t_us },
        2 if which == 0 => Input::Abort {
            t_us,
            reason: text(),
        },
        3 => Input::Lost {
            t_us,
            role: text(),
            reason: text(),
        },
        4 => Input::Identified { t_us },
        5 => Input::SourceSet {
            t_us,
            result: if which < 2 { Ok(()) } else { Err(text()) },
        },
        6 => Input::SafeStateReached {
            t_us,
            result: if which < 2 { Ok(()) } else { Err(text()) },
        },
        7 => Input::Scanned {
            t_us,
            indications: Vec::new(),
            missing: BTreeMap::new(),
        },
        8 => Input::Start { t_us },
        9 => {
            let Some(prompt) = run.asked() else { return };
            let choices = &prompt.choices;
            let choice = choices[usize::from(which) % choices.len()].id.clone();
            Input::Answered {
                t_us,
                prompt: prompt.id.clone(),
                choice,
            }
        }
        10 => Input::Answered {
            t_us,
            prompt: text(),
            choice: text(),
        },
        _ if run.set.is_empty() && matches!(run.open, Some(Command::Scan { .. })) => return,
        _ => match run.reply() {
            Some(input) => input,
            None => return,
        },
    };
    run.give(input);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// `DryRun::give` refuses a second open command, and any command after the end.
    #[test]
    fn whatever_happens_one_command_is_open_and_the_run_can_be_ended(
        steps in prop::collection::vec((0_u8..60, 0_u8..4, 0_u16..50), 0..300),
    ) {
        let mut run = DryRun::new(&short());
        for step in steps {
            random_step(&mut run, step);
            let progress = run.plan.progress();
            prop_assert!((0.0..=1.0).contains(&progress.fraction));
        }
        if run.finished.is_none() {
            run.give(Input::Abort { t_us: run.now_us, reason: "end".to_owned() });
            run.run_out();
        }
        let safe = run.derived.iter().any(|one| matches!(one, Outcome::Step(step) if step.kind == StepKind::SafeState));
        prop_assert!(safe, "ended without the safe state");
    }
}
