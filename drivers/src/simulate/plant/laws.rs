//! What must hold of every plant, whatever its figures.

use super::thermal::{platinum_celsius, platinum_ohm};
use super::*;

const SECOND_US: u64 = 1_000_000;
const MINUTE_US: u64 = 60 * SECOND_US;

fn plant(seed: u64) -> Plant {
    Plant::new(PlantSettings::default(), seed)
}

fn driven(set_points: &[(&str, f64)]) -> Drive {
    Drive {
        runs: true,
        set_points: set_points
            .iter()
            .map(|&(name, value)| (name.to_owned(), value))
            .collect(),
        latest: set_points.last().map(|(name, _)| (*name).to_owned()),
    }
}

fn off() -> Drive {
    Drive::default()
}

/// Readings without noise, one a second.
fn course(plant: &mut Plant, role: Role, quantity: &str, seconds: (u64, u64)) -> Vec<f64> {
    (seconds.0..seconds.1)
        .map(|second| plant.sensed(role, quantity, second * SECOND_US).unwrap())
        .collect()
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

fn deviation(all: &[f64]) -> f64 {
    let mean = mean(all);
    let sum: f64 = all.iter().map(|x| (x - mean) * (x - mean)).sum();
    (sum / (all.len() - 1) as f64).sqrt()
}

const SENSED: &[(Role, &str)] = &[
    (Role::Mirror, "dew_point"),
    (Role::Mirror, "pressure"),
    (Role::Thermometer, "temperature"),
    (Role::Thermometer, "temperature_4"),
    (Role::Barometer, "pressure"),
    (Role::Chamber, "relative_humidity"),
    (Role::UnitUnderTest, "relative_humidity"),
    (Role::UnitUnderTest, "dew_point"),
    (Role::Room, "temperature_2"),
    (Role::Room, "relative_humidity"),
    (Role::Source, "temperature"),
    (Role::Source, "power"),
    (Role::ResistanceThermometer, "temperature_3"),
    (Role::ResistanceThermometer, "resistance"),
    (Role::Multimeter, "voltage"),
    (Role::PressureController, "pressure"),
    (Role::PressureReference, "gauge_pressure"),
    (Role::PressureGauge, "pressure"),
    (Role::Balance, "mass"),
    (Role::LengthGauge, "length_8"),
    (Role::HumidityGenerator, "relative_humidity"),
    (Role::HumidityGenerator, "humidity_ratio"),
];

const DRIVEN: &[(Role, &[(&str, f64)])] = &[
    (
        Role::Chamber,
        &[("temperature", 30.0), ("relative_humidity", 40.0)],
    ),
    (Role::Source, &[("temperature", 80.0)]),
    (Role::PressureController, &[("pressure", 1800.0)]),
    (
        Role::HumidityGenerator,
        &[("temperature", 25.0), ("relative_humidity", 40.0)],
    ),
];

#[test]
fn the_state_does_not_depend_on_who_looks_when() {
    let (mut often, mut once) = (plant(7), plant(7));
    for (role, set_points) in DRIVEN {
        often.drive(*role, &driven(set_points), 500_000);
        once.drive(*role, &driven(set_points), 900_000);
    }
    for step in 0..4000 {
        for (role, quantity) in SENSED {
            let _looked = often.sensed(*role, quantity, step * 350_000);
        }
    }
    for (role, quantity) in SENSED {
        let late = 3999 * 350_000;
        let (often, once) = (
            often.sensed(*role, quantity, late).unwrap(),
            once.sensed(*role, quantity, late).unwrap(),
        );
        assert!(often.is_finite());
        assert_eq!(often.to_bits(), once.to_bits(), "{role:?} {quantity}");
    }
}

#[test]
fn another_seed_is_another_course_of_what_fluctuates() {
    for (role, quantity) in [
        (Role::Mirror, "dew_point"),
        (Role::ResistanceThermometer, "temperature"),
        (Role::PressureReference, "pressure"),
        (Role::Balance, "mass"),
        (Role::HumidityGenerator, "dew_point"),
    ] {
        let one = course(&mut plant(1), role, quantity, (1, 300));
        let other = course(&mut plant(2), role, quantity, (1, 300));
        assert_ne!(one, other, "{role:?} {quantity}");
    }
}

#[test]
fn a_role_has_its_own_quantities_and_no_others() {
    let mut plant = plant(1);
    for (role, quantity) in [
        (Role::Balance, "pressure"),
        (Role::Chamber, "temperature_2"),
        (Role::LengthGauge, "length_9"),
        (Role::Barometer, "pressure_2"),
        (Role::Source, "nonsense"),
        (Role::Room, "mass"),
    ] {
        assert_eq!(plant.sensed(role, quantity, 0), None, "{role:?} {quantity}");
    }
    for (_, quantity) in SENSED {
        assert!(unit_of(quantity).is_some(), "{quantity}");
    }
}

#[test]
fn the_chamber_settles_within_half_an_hour_to_an_hour() {
    let mut plant = plant(1);
    let drive = driven(&[("temperature", 20.0), ("relative_humidity", 75.0)]);
    plant.drive(Role::Chamber, &drive, 0);
    let mut sensed =
        |role, quantity, minutes: u64| plant.sensed(role, quantity, minutes * MINUTE_US).unwrap();
    let rh = sensed(Role::Chamber, "relative_humidity", 10);
    assert!((rh - 75.0).abs() > 3.0, "settled too soon: {rh}");
    let rh = sensed(Role::Chamber, "relative_humidity", 60);
    let t = sensed(Role::Thermometer, "temperature", 60);
    assert!((rh - 75.0).abs() < 0.1, "{rh}");
    assert!((t - 20.1).abs() < 0.05, "{t}");
    assert!(plant.mark(Role::Mirror, Mark::Steady, 60 * MINUTE_US));
}

#[test]
fn the_unit_shows_more_on_the_way_down_than_on_the_way_up() {
    let mut plant = plant(3);
    let mut reading = |start_min: u64, rh: f64| {
        let drive = driven(&[("temperature", 23.0), ("relative_humidity", rh)]);
        plant.drive(Role::Chamber, &drive, start_min * MINUTE_US);
        plant
            .sensed(
                Role::UnitUnderTest,
                "relative_humidity",
                (start_min + 90) * MINUTE_US,
            )
            .unwrap()
    };
    let _start = reading(0, 20.0);
    let rising = reading(90, 50.0);
    let _top = reading(180, 80.0);
    let falling = reading(270, 50.0);
    assert!(
        (0.5..1.0).contains(&(falling - rising)),
        "{rising} {falling}"
    );
}

#[test]
fn a_dry_well_overshoots_then_holds_its_set_point() {
    for target in [-20.0, 60.0, 156.0, 420.0] {
        let mut plant = plant(4);
        plant.drive(Role::Source, &driven(&[("temperature", target)]), 0);
        let all = course(&mut plant, Role::Source, "temperature", (1, 5400));
        let away = |t: &f64| (t - target) * (target - 23.0).signum();
        let overshoot = all.iter().map(away).fold(f64::MIN, f64::max);
        assert!((0.02..8.0).contains(&overshoot), "{target}: {overshoot}");
        let settled = all.iter().rposition(|t| (t - target).abs() > 0.05).unwrap();
        // Longer than the way at full power takes, and done within the hour.
        let fastest = (target - 23.0) / if target > 23.0 { 0.2 } else { -0.05 };
        assert!(
            settled as f64 > fastest && settled < 3600,
            "{target}: {settled}"
        );
        assert!(plant.mark(Role::Source, Mark::Steady, 5400 * SECOND_US));
        let probe = course(
            &mut plant,
            Role::ResistanceThermometer,
            "temperature",
            (5400, 9000),
        );
        assert!((mean(&probe) - target).abs() < 0.004, "{target}");
        assert!((0.001..0.006).contains(&deviation(&probe)), "{target}");
    }
}

#[test]
fn a_hotter_set_point_needs_more_power_and_no_power_means_cooling() {
    let mut last = 0.0;
    for target in [50.0, 150.0, 300.0] {
        let mut plant = plant(4);
        plant.drive(Role::Source, &driven(&[("temperature", target)]), 0);
        let power = mean(&course(&mut plant, Role::Source, "power", (4000, 5000)));
        // In balance the heater gives what is lost to the room.
        assert!(
            (power - (target - 23.0) / 7.2).abs() < 0.1,
            "{target}: {power}"
        );
        assert!(power > last);
        last = power;
        plant.drive(Role::Source, &off(), 5000 * SECOND_US);
        let cooling = course(&mut plant, Role::Source, "temperature", (5060, 9000));
        assert!(cooling.windows(2).all(|pair| pair[1] < pair[0]));
        assert!(cooling.iter().all(|t| *t > 23.0));
    }
}

#[test]
fn a_cutout_keeps_the_heater_off_until_it_is_reset() {
    let mut plant = plant(4);
    let drive = driven(&[("cutout", 90.0), ("temperature", 100.0)]);
    plant.drive(Role::Source, &drive, 0);
    assert!(plant.mark(Role::Source, Mark::Cutout, 1200 * SECOND_US));
    assert!(!plant.mark(Role::Source, Mark::Runs, 1200 * SECOND_US));
    let later = 3600 * SECOND_US;
    assert!(plant.sensed(Role::Source, "temperature", later).unwrap() < 80.0);
    let lower = driven(&[("cutout", 90.0), ("temperature", 70.0)]);
    plant.drive(Role::Source, &lower, later);
    assert!(plant.mark(Role::Source, Mark::Cutout, later + MINUTE_US));
    plant.act(Role::Source, Action::ResetCutout, later + MINUTE_US);
    let t = plant.sensed(Role::Source, "temperature", 2 * later);
    assert!((t.unwrap() - 70.0).abs() < 0.05, "{t:?}");
}

#[test]
fn platinum_follows_iec_60751_both_ways() {
    // Rounded values of the table of IEC 60751.
    for (celsius, ohm) in [
        (-200.0, 18.52),
        (-100.0, 60.26),
        (0.0, 100.0),
        (100.0, 138.51),
        (400.0, 247.09),
        (850.0, 390.48),
    ] {
        assert!((platinum_ohm(celsius) - ohm).abs() < 0.005, "{celsius}");
    }
    for step in -200..850 {
        let celsius = f64::from(step) + 0.37;
        assert!((platinum_celsius(platinum_ohm(celsius)) - celsius).abs() < 1e-8);
    }
}

#[test]
fn resistance_temperature_and_voltage_of_one_probe_agree() {
    let mut plant = plant(2);
    plant.drive(Role::Source, &driven(&[("temperature", 120.0)]), 0);
    let mut sensed =
        |role: Role, quantity: &str| plant.sensed(role, quantity, 4000 * SECOND_US).unwrap();
    for channel in ["", "_2", "_5"] {
        let ohm = sensed(Role::ResistanceThermometer, &format!("resistance{channel}"));
        let celsius = sensed(
            Role::ResistanceThermometer,
            &format!("temperature{channel}"),
        );
        assert!((platinum_ohm(celsius) - ohm).abs() < 1e-9);
    }
    let ohm = sensed(Role::ResistanceThermometer, "resistance_2");
    assert!((sensed(Role::Multimeter, "resistance") - ohm).abs() < 1e-12);
    assert!((sensed(Role::Multimeter, "voltage") - 0.001 * ohm).abs() < 1e-12);
    // The second unit has more resistance at 0 °C and so reads higher.
    let second = sensed(Role::ResistanceThermometer, "temperature_2");
    assert!(sensed(Role::ResistanceThermometer, "temperature_3") > second);
}

#[test]
fn pressure_ramps_at_its_slew_rate_and_is_within_limits_only_after_a_while() {
    let mut plant = plant(5);
    let controller = Role::PressureController;
    plant.drive(controller, &driven(&[("pressure", 1800.0)]), 0);
    let all = course(&mut plant, controller, "pressure", (1, 120));
    assert!(all.windows(2).all(|pair| pair[1] - pair[0] < 100.5));
    let reached = all.iter().position(|p| (p - 1800.0).abs() < 0.2).unwrap() as u64;
    assert!((8..60).contains(&reached), "{reached}");
    let mut again = self::plant(5);
    again.drive(controller, &driven(&[("pressure", 1800.0)]), 0);
    assert!(!again.mark(controller, Mark::Steady, (reached + 5) * SECOND_US));
    assert!(again.mark(controller, Mark::Steady, (reached + 30) * SECOND_US));
    // It controls on its own sensor; the reference tells what that is wrong by.
    let at = 120 * SECOND_US;
    let own = plant.sensed(controller, "pressure", at).unwrap();
    let reference = plant
        .sensed(Role::PressureReference, "pressure", at)
        .unwrap();
    assert!((own - reference - 0.084).abs() < 0.001, "{own} {reference}");
}

#[test]
fn gas_in_a_closed_line_cools_to_the_walls_and_then_only_leaks() {
    for target in [1900.0, 200.0] {
        let mut plant = plant(6);
        let controller = Role::PressureController;
        plant.drive(controller, &driven(&[("pressure", target)]), 0);
        let close = 30;
        plant.drive(controller, &off(), close * SECOND_US);
        let reference = Role::PressureReference;
        let all = course(&mut plant, reference, "pressure", (close, close + 600));
        let back = (all[0] - mean(&all[100..120])) * (target - 1008.0).signum();
        assert!((0.5..40.0).contains(&back), "{target}: {back}");
        // A leak of two millionths a second of the difference from the room.
        let leak = mean(&all[100..110]) - mean(&all[590..600]);
        let expected = 2e-6 * 490.0 * (target - 1008.0);
        assert!((leak - expected).abs() < 0.1, "{target}: {leak} {expected}");
    }
}

#[test]
fn venting_brings_the_line_to_the_room_and_lasts_until_it_is_driven() {
    let mut plant = plant(6);
    let controller = Role::PressureController;
    plant.drive(controller, &driven(&[("gauge_pressure", 500.0)]), 0);
    let gauge = plant.sensed(controller, "gauge_pressure", 60 * SECOND_US);
    assert!((gauge.unwrap() - 500.0).abs() < 0.2, "{gauge:?}");
    plant.act(controller, Action::Vent, 60 * SECOND_US);
    assert!(!plant.mark(controller, Mark::Vented, 62 * SECOND_US));
    assert!(plant.mark(controller, Mark::Vented, 120 * SECOND_US));
    plant.drive(controller, &off(), 120 * SECOND_US);
    assert!(plant.mark(controller, Mark::Vented, 900 * SECOND_US));
    plant.drive(controller, &driven(&[("pressure", 900.0)]), 900 * SECOND_US);
    assert!(!plant.mark(controller, Mark::Vented, 960 * SECOND_US));
    plant.power_dip(controller, 960 * SECOND_US);
    assert!(!plant.mark(controller, Mark::Runs, 961 * SECOND_US));
}

#[test]
fn a_gauge_shows_more_on_the_way_down() {
    let mut plant = plant(8);
    let mut reading = |start: u64, target: f64| {
        let drive = driven(&[("pressure", target)]);
        plant.drive(Role::PressureController, &drive, start * SECOND_US);
        let settled = (start + 200, start + 300);
        mean(&course(
            &mut plant,
            Role::PressureGauge,
            "pressure",
            settled,
        ))
    };
    let rising = reading(0, 1400.0);
    let _top = reading(300, 1900.0);
    let falling = reading(600, 1400.0);
    // Twice the play.
    assert!((falling - rising - 0.3).abs() < 0.01, "{rising} {falling}");
}

#[test]
fn a_balance_settles_after_its_load_and_creeps_on() {
    let mut plant = plant(9);
    assert!(plant.place(Role::Balance, "mass", 100.0, 10 * SECOND_US));
    assert!(!plant.mark(Role::Balance, Mark::Steady, 11 * SECOND_US));
    let all = course(&mut plant, Role::Balance, "mass", (10, 40));
    assert!(all[1] > 50.0 && all[1] < 99.0, "{}", all[1]);
    assert!(all[1..10].windows(2).all(|pair| pair[1] > pair[0]));
    assert!(plant.mark(Role::Balance, Mark::Steady, 40 * SECOND_US));
    // Sensitivity 3e-6, creep 0.8e-6 of the load; zero walks by 4 µg a root second.
    assert!((all[29] - 100.000_3).abs() < 2e-4, "{}", all[29]);
    let later = plant
        .sensed(Role::Balance, "mass", 600 * SECOND_US)
        .unwrap();
    assert!((later - 100.000_38).abs() < 5e-4, "{later}");
    assert!(!plant.place(Role::Balance, "mass_2", 1.0, 600 * SECOND_US));
}

#[test]
fn tare_zero_and_adjustment_do_what_they_say() {
    let mut plant = plant(9);
    let balance = Role::Balance;
    let at = |seconds: u64| seconds * SECOND_US;
    assert!(plant.place(balance, "mass", 200.0, 0));
    plant.act(balance, Action::Tare, at(60));
    assert!(plant.sensed(balance, "mass", at(60)).unwrap().abs() < 1e-9);
    // Net, gross and tare belong together.
    assert!(plant.place(balance, "mass", 250.0, at(60)));
    let mut all = ["mass", "mass_2", "mass_3"]
        .map(|quantity| plant.sensed(balance, quantity, at(120)).unwrap());
    assert!((all[0] - 50.0).abs() < 0.002 && (all[0] + all[2] - all[1]).abs() < 1e-9);
    plant.act(balance, Action::ClearTare, at(120));
    all[0] = plant.sensed(balance, "mass", at(120)).unwrap();
    assert!((all[0] - all[1]).abs() < 1e-9);
    plant.act(balance, Action::Adjust, at(120));
    assert!(plant.mark(balance, Mark::Adjusting, at(130)));
    assert!(!plant.mark(balance, Mark::Steady, at(130)));
    assert!(!plant.mark(balance, Mark::Adjusting, at(150)));
    let adjusted = plant.sensed(balance, "mass", at(160)).unwrap();
    assert!(
        (adjusted - 250.0).abs() < (all[0] - 250.0).abs(),
        "{adjusted}"
    );
    plant.power_dip(balance, at(200));
    assert!(plant.sensed(balance, "mass", at(200)).unwrap().abs() < 1e-9);
}

#[test]
fn a_length_gauge_follows_its_object_with_its_play() {
    let mut plant = plant(1);
    let gauge = Role::LengthGauge;
    let mut at = 0;
    let mut reading = |object_mm: f64| {
        assert!(plant.place(gauge, "length_2", object_mm, at));
        at += 10 * SECOND_US;
        plant.sensed(gauge, "length_2", at).unwrap()
    };
    let rising = reading(5.0);
    let _top = reading(12.0);
    let falling = reading(5.0);
    assert!(
        (falling - rising - 0.0004).abs() < 1e-6,
        "{rising} {falling}"
    );
    assert!(plant.place(gauge, "length", 90.0, at));
    assert!(!plant.mark(gauge, Mark::Steady, at + SECOND_US));
    assert!(plant.mark(gauge, Mark::Steady, at + 10 * SECOND_US));
    plant.act(gauge, Action::Zero, at + 10 * SECOND_US);
    let zero = plant.sensed(gauge, "length", at + 10 * SECOND_US).unwrap();
    assert!(zero.abs() < 1e-12);
}

#[test]
fn a_two_pressure_generator_keeps_the_water_of_the_saturator() {
    let mut plant = plant(3);
    let generator = Role::HumidityGenerator;
    let drive = driven(&[("temperature", 25.0), ("relative_humidity", 30.0)]);
    plant.drive(generator, &drive, 0);
    let at = 2 * 3600 * SECOND_US;
    assert!(plant.mark(generator, Mark::Steady, at));
    let mut sensed = |quantity| plant.sensed(generator, quantity, at).unwrap();
    let rh = sensed("relative_humidity");
    assert!((rh - 30.0).abs() < 0.05, "{rh}");
    // The mole fraction of water is that of the saturator.
    let (t, ts) = (sensed("temperature"), sensed("saturation_temperature"));
    let (p, ps) = (sensed("pressure"), sensed("saturation_pressure"));
    let expected = 100.0 * humidity::saturation_pa(ts) / humidity::saturation_pa(t) * p / ps;
    assert!((rh - expected).abs() < 0.05, "{rh} {expected}");
    assert!((sensed("relative_humidity_2") - 100.0 * p / ps).abs() < 1e-9);
    let dew = sensed("dew_point");
    let vapour = rh / 100.0 * humidity::saturation_pa(t);
    assert!((humidity::saturation_pa(dew) - vapour).abs() < 1e-6);
}

#[test]
fn the_set_point_written_last_governs_the_generator() {
    let mut plant = plant(3);
    let generator = Role::HumidityGenerator;
    let mut drive = driven(&[
        ("temperature", 25.0),
        ("relative_humidity", 30.0),
        ("dew_point", 10.0),
    ]);
    plant.drive(generator, &drive, 0);
    let dew = plant.sensed(generator, "dew_point", 3600 * SECOND_US);
    assert!((dew.unwrap() - 10.0).abs() < 0.02, "{dew:?}");
    drive.latest = Some("relative_humidity".to_owned());
    plant.drive(generator, &drive, 3600 * SECOND_US);
    let rh = plant.sensed(generator, "relative_humidity", 7200 * SECOND_US);
    assert!((rh.unwrap() - 30.0).abs() < 0.05, "{rh:?}");
}

#[test]
fn the_room_is_drier_when_it_is_warmer() {
    let mut plant = plant(1);
    let mut at = |hours: u64, quantity| {
        plant
            .sensed(Role::Room, quantity, hours * 3600 * SECOND_US)
            .unwrap()
    };
    let (warm, moist) = (at(6, "temperature"), at(6, "relative_humidity"));
    let dew = at(6, "dew_point");
    let (cold, moister) = (at(18, "temperature"), at(18, "relative_humidity"));
    assert!((warm - cold - 0.6).abs() < 1e-9 && moister > moist);
    assert!((at(18, "dew_point") - dew).abs() < 1e-12);
}

#[test]
fn a_fluctuation_has_the_deviation_and_the_correlation_that_it_says() {
    let mut fluctuation = Fluctuation::new(0.5, 20.0, ChaCha8Rng::seed_from_u64(2));
    let all: Vec<f64> = (0..100_000)
        .map(|_| {
            fluctuation.step();
            fluctuation.value
        })
        .collect();
    // 100 000 s are 2500 independent pieces: 1.4 % of the deviation; five times that.
    assert!((deviation(&all) - 0.5).abs() < 0.035);
    let products: Vec<f64> = all.windows(21).map(|piece| piece[0] * piece[20]).collect();
    let correlation = mean(&products) / 0.25;
    assert!((correlation - libm::exp(-1.0)).abs() < 0.1, "{correlation}");
}

#[test]
fn deviates_have_mean_zero_and_variance_one() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let all: Vec<f64> = (0..20_000).map(|_| normal(&mut random)).collect();
    let mean = all.iter().sum::<f64>() / 20_000.0;
    let variance = all.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / 20_000.0;
    // Five standard errors.
    assert!(
        mean.abs() < 0.036 && (variance - 1.0).abs() < 0.05,
        "{mean} {variance}"
    );
}
