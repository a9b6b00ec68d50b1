//! The shipped procedures, and what is said about wrong ones.

use crate::dry_run::{ORDER, SHIPPED, order, procedure, standards};
use heng_procedures::{
    BenchQuantity, BenchRole, Criteria, Finding, Order, Procedure, Severity, StandardCertificate,
    Standards, criteria_library, library, lint,
};

/// Line and column of `needle` in `text`, from 1.
fn place(text: &str, needle: &str) -> (usize, usize) {
    let at = text
        .find(needle)
        .unwrap_or_else(|| panic!("{needle:?} is not in the text"));
    let before = &text[..at];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[start..].chars().count() + 1,
    )
}

#[test]
fn every_shipped_procedure_is_free_of_contradictions() {
    for (id, text) in library() {
        let procedure = Procedure::parse(id, text).unwrap_or_else(|found| panic!("{found:?}"));
        assert_eq!(procedure.id, *id);
    }
}

/// What is replaced, by what, where the message points to, and what it says.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        "model = \"d_t = t_uut - t\"",
        "model = \"d_t = t_uut - tx\"",
        "tx\"",
        "\"tx\" in the model is neither a channel",
    ),
    (
        "t_x = t + d_t_cal",
        "t_x = t + d_t_call",
        "d_t_call",
        "\"d_t_call\" in the model has no [[measurand.input]]",
    ),
    (
        "- rh * (1 + d_formula)",
        "- rh * (1 + d_formula",
        "",
        "line",
    ),
    (
        "e_ice = \"hardy_ice\"",
        "e_ice = \"hardy_snow\"",
        "{ e_water = \"hardy_water\"",
        "no formula \"hardy_snow\"",
    ),
    (
        "e_air = \"e_water\"",
        "e_air = \"e_steam\"",
        "[bind]",
        "no formula \"e_steam\"",
    ),
    (
        "name = \"rh_uut\"",
        "name = \"t\"",
        "\"t\"\nrole = \"uut\"",
        "signal \"t\" is defined a second time",
    ),
    (
        "name = \"barometer\"",
        "name = \"mirror\"",
        "\"mirror\"\ntitle = { en = \"Baro",
        "role \"mirror\" is defined a second time",
    ),
    (
        "id = \"f75\"",
        "id = \"r75\"",
        "\"r75\"\ntitle = { en = \"75 %RH, falling",
        "point \"r75\" is defined a second time",
    ),
    (
        "role = \"barometer\"",
        "role = \"barograph\"",
        "\"barograph\"",
        "role \"barograph\", which is not defined",
    ),
    (
        "quantities = [\"pressure\"]",
        "quantities = [\"dew_point\"]",
        "\"pressure\"\nunit",
        "does not measure \"pressure\"",
    ),
    (
        "unit = \"hPa\"",
        "unit = \"furlong\"",
        "\"furlong\"",
        "unknown unit \"furlong\"",
    ),
    (
        "unit = \"K\"\nsource = { kind = \"drift\", channel = \"td\" }",
        "unit = \"hPa\"\nsource = { kind = \"drift\", channel = \"td\" }",
        "\"hPa\"\nsource = { kind = \"drift\"",
        "the input is in hPa, its source in K",
    ),
    (
        "unit = \"%RH\"\nreference",
        "unit = \"K\"\nreference",
        "\"K\"\nreference",
        "rh_ref is in %RH",
    ),
    (
        "default = \"hardy-1998\"",
        "default = \"goff\"",
        "\"goff\"",
        "has no option \"goff\"",
    ),
    (
        "set = { temperature = \"20.0\", relative_humidity = \"90.0\" }",
        "set = { temperature = \"20.0\", light = \"90.0\" }",
        "\"90.0\"",
        "no source sets the quantity \"light\"",
    ),
    (
        "scan_interval_s = 30",
        "scan_interval_s = -30",
        "-30",
        "-30 is not a time",
    ),
    (
        "gap_s = 90",
        "gap_s = 20",
        "20\non_timeout",
        "every scan would be a gap",
    ),
    (
        "range = \"0.8\"",
        "range = \"0\"",
        "\"0\"\nslope",
        "range 0 is not above zero",
    ),
    (
        "signal = \"rh_ref\"\nwindow",
        "signal = \"rh\"\nwindow",
        "\"rh\"\nwindow",
        "signal \"rh\" is neither a channel nor",
    ),
    (
        "range = \"0.8\"\nslope_per_h = 0.6\n",
        "",
        "\"rh_ref\"\nwindow",
        "the criterion of \"rh_ref\" limits nothing",
    ),
    (
        "slope_per_h = 0.6",
        "slope_per_h = -0.6",
        "-0.6",
        "slope -0.6 is not above zero",
    ),
    (
        "slope_per_h = 0.6",
        "slope_k = 2.0",
        "2.0",
        "slope_k has no slope limit",
    ),
    (
        "slope_per_h = 0.6",
        "scatter = 0.0",
        "0.0\n\n[[steady.criterion]]\nsignal = \"d_t\"",
        "scatter 0 is not above zero",
    ),
    (
        "slope_per_h = 0.6",
        "slope_per_h = 0.6\nminimum_readings = 2",
        "2\n\n[[steady.criterion]]\nsignal = \"d_t\"",
        "2 readings do not allow these limits",
    ),
    (
        "slope_per_h = 0.6",
        "slope_per_h = 0.6\nwindow = \"last\"",
        "\"last\"",
        "add `minimum_readings`",
    ),
    (
        "slope_per_h = 0.6",
        "slope_per_h = 0.6\nwindow = \"first\"",
        "\"first\"",
        "unknown variant `first`, expected one of `covering`, `trailing`, `last`",
    ),
    (
        "signal = \"t\"\nwindow",
        "signal = \"t\"\nminus = \"d_t\"\nwindow",
        "\"d_t\"\nwindow",
        "are not both channels",
    ),
    (
        "signal = \"t\"\nwindow",
        "signal = \"t\"\nminus = \"p\"\nwindow",
        "\"p\"\nwindow",
        "t is in °C, p in hPa; subtract channels of one unit",
    ),
    (
        "signal = \"t\"\nwindow",
        "signal = \"t\"\nminus = \"t\"\nwindow",
        "\"t\"\nwindow_s = 1200\nrange = \"0.15\"",
        "subtracted from itself",
    ),
    (
        "slope_per_h = 0.6",
        "reach = { quantity = \"pressure\", within = \"1\", soak_s = 60 }",
        "{ quantity = \"pressure\"",
        "point \"r10\" does not set \"pressure\"",
    ),
    (
        "slope_per_h = 0.6",
        "reach = { quantity = \"temperature\", within = \"0\", soak_s = 60 }",
        "{ quantity = \"temperature\"",
        "0 around the set point is not above zero",
    ),
    (
        "kind = \"instability\", signal = \"d_t\"",
        "kind = \"instability\", signal = \"d_t\", law = \"scatter\"",
        "{ kind = \"instability\", signal = \"d_t\", law",
        "no criterion of \"d_t\" has the limit `scatter`",
    ),
    (
        "kind = \"instability\", signal = \"d_t\"",
        "kind = \"instability\", signal = \"p\"",
        "{ kind = \"instability\", signal = \"p\"",
        "no criterion of the steady state judges \"p\"",
    ),
    (
        "on_timeout = \"ask\"",
        "on_timeout = \"ask\"\n[[steady.named]]\ncriteria = \"bath\"\nversion = \"1.0.0\"\nsignals = {}",
        "\"bath\"",
        "no criterion of the program is named \"bath\": name one of",
    ),
    (
        "on_timeout = \"ask\"",
        "on_timeout = \"ask\"\n[[steady.named]]\ncriteria = \"soak-30-readings\"\nversion = \"2\"\nsignals = {}",
        "\"2\"",
        "soak-30-readings has the version 1.0.0, not 2",
    ),
    (
        "on_timeout = \"ask\"",
        "on_timeout = \"ask\"\n[[steady.named]]\ncriteria = \"soak-30-readings\"\nversion = \"1.0.0\"\nsignals = {}",
        "{}",
        "no signal plays the role \"temperature\"",
    ),
    (
        "on_timeout = \"ask\"",
        "on_timeout = \"ask\"\n[[steady.named]]\ncriteria = \"soak-30-readings\"\nversion = \"1.0.0\"\nsignals = { temperature = \"p\" }",
        "{ temperature = \"p\" }",
        "limits p in °C, it is in hPa",
    ),
    (
        "on_timeout = \"ask\"",
        "on_timeout = \"ask\"\n[[steady.named]]\ncriteria = \"soak-30-readings\"\nversion = \"1.0.0\"\nsignals = { temperature = \"t\", air = \"t\" }",
        "{ temperature = \"t\"",
        "has no role \"air\"",
    ),
    (
        "on_timeout = \"ask\"",
        "on_timeout = \"ask\"\n[[steady.named]]\ncriteria = \"liquid-bath-10min\"\nversion = \"1.0.0\"\nsignals = { bath = \"t\" }",
        "\"liquid-bath-10min\"",
        "bridges gaps up to 60 s, this procedure 90 s",
    ),
    (
        "count = 10",
        "count = 1",
        "1\ninterval_s",
        "1 readings allow no type A evaluation",
    ),
    (
        "\"rh_uut\", \"t_uut\", \"td\", \"t\"]",
        "\"rh_uut\", \"td\", \"t\"]",
        "[\"td\", \"t\", \"p\"",
        "channel \"t_uut\" is never read",
    ),
    (
        "id = \"warm_up\"",
        "id = \"not_steady\"",
        "\"not_steady\"",
        "belongs to a prompt of the plan",
    ),
    (
        "otherwise_low = \"ice\"",
        "otherwise_low = \"fog\"",
        "\"fog\"",
        "\"fog\" is no answer",
    ),
    (
        "key = \"i\"",
        "key = \"w\"",
        "\"w\"\ntext = { en = \"ice",
        "key \"w\" is defined a second time",
    ),
    (
        "above = -25.0",
        "above = 25.0",
        "25.0",
        "`above` is not less than `below`",
    ),
    (
        "half_width = 0.35",
        "u = 0.35",
        "{ kind = \"fixed\", distribution = \"rectangular\", u",
        "`half_width` (bounded)",
    ),
    (
        "output = \"error\"",
        "output = \"errors\"",
        "\"errors\"",
        "no output \"errors\"",
    ),
    (
        "source = { kind = \"certificate\", channel = \"td\" }",
        "source = { kind = \"certificate\", channel = \"rh_uut\" }",
        "{ kind = \"certificate\", channel = \"rh_uut\" }",
        "belongs to no reference",
    ),
    (
        "kind = \"hysteresis\"",
        "kind = \"history\"",
        "",
        "unknown variant `history`",
    ),
    (
        "purpose = \"source\"",
        "purpose = \"environment\"",
        "",
        "a comparison needs `role`",
    ),
    (
        "on_timeout = \"ask\"",
        "on_timeout = \"hope\"",
        "\"hope\"",
        "unknown variant `hope`",
    ),
    (
        "point_repeats = 2",
        "point_repeat = 2",
        "point_repeat",
        "unknown field `point_repeat`",
    ),
    (
        "version = \"1.1.0\"",
        "version 1.1.0",
        "1.1.0",
        "key with no value",
    ),
];

#[test]
fn a_wrong_procedure_is_refused_with_line_column_cause_and_cure() {
    for &(from, to, needle, cause) in WRONG {
        assert!(
            SHIPPED.contains(from),
            "{from:?} is not in the shipped text"
        );
        let text = SHIPPED.replacen(from, to, 1);
        let found = Procedure::parse("wrong.toml", &text).expect_err(to);
        let messages: Vec<_> = found.iter().map(ToString::to_string).collect();
        let one = found.iter().find(|one| one.to_string().contains(cause));
        let one = one.unwrap_or_else(|| panic!("{to}: {messages:?}"));
        assert!(one.to_string().starts_with("wrong.toml, line "), "{one}");
        if !needle.is_empty() {
            assert_eq!(
                (one.line, one.column),
                place(&text, needle),
                "{to}: {messages:?}"
            );
        }
    }
}

#[test]
fn a_named_criteria_file_stands_for_the_same_lines() {
    let start = SHIPPED.find("[[steady.criterion]]").unwrap();
    let end = SHIPPED.find("# Standard, item, standard").unwrap();
    let named = |signals: &str| {
        let lines = format!(
            "[[steady.named]]\ncriteria = \"thermo-hygrometer-comparison\"\nversion = \"1.0.0\"\nsignals = {signals}\n"
        );
        format!("{}{lines}{}", &SHIPPED[..start], &SHIPPED[end..])
    };
    let text = named(
        "{ temperature = \"t\", humidity = \"rh_ref\", temperature_of_the_item = \"t_uut\", humidity_of_the_item = \"rh_uut\" }",
    );
    let found = Procedure::parse("named.toml", &text).unwrap_err();
    // The reference humidity is computed: it has no digits to subtract.
    let message = found[0].to_string();
    assert!(
        message.contains("\"rh_uut\" and \"rh_ref\" are not both channels"),
        "{message}"
    );

    let lines = "[[steady.named]]\ncriteria = \"room-temperature-30min\"\nversion = \"1.0.0\"\nsignals = { temperature = \"t\" }\n\n";
    let text = format!("{}{lines}{}", &SHIPPED[..start], &SHIPPED[start..]);
    let (with, without) = (procedure(&text), procedure(SHIPPED));
    let criteria = |procedure: &Procedure| procedure.steady.clone().unwrap().criterion;
    let (with, without) = (criteria(&with), criteria(&without));
    assert_eq!(with[1..], without);
    let first = &with[0];
    assert_eq!(
        (first.signal.as_str(), first.minimum_readings),
        ("t", Some(28))
    );
    assert_eq!(first.named, "room-temperature-30min 1.0.0");
    assert!(without.iter().all(|one| one.named.is_empty()));
}

#[test]
fn a_wrong_criteria_file_is_refused_with_line_column_cause_and_cure() {
    let (name, good) = criteria_library()[2];
    for (from, to, needle, cause) in [
        ("\"1.0.0\"", "\"\"", "\"\"", "version \"\" is empty"),
        (
            "gap_s = 60",
            "gap_s = 0",
            "0\n\n[[signal",
            "0 is not a time",
        ),
        (
            "signal = \"bath\"",
            "signal = \"tank\"",
            "\"tank\"",
            "role \"tank\" is not defined",
        ),
        (
            "signal = \"bath\"",
            "signal = \"tank\"",
            "\"bath\"\ntitle",
            "no criterion judges",
        ),
        (
            "scatter = 0.005",
            "scatter = nan",
            "nan",
            "scatter NaN is not above zero",
        ),
        (
            "slope_k = 1.0",
            "slope_k = -1.0",
            "-1.0",
            "slope_k -1 is not between 0 and 10",
        ),
        ("window_s = 600", "window_s = 1e9", "1e9", "up to 2592000 s"),
        (
            "unit = \"°C\"",
            "unit = \"grad\"",
            "\"grad\"",
            "unknown unit \"grad\"",
        ),
        ("source = {", "sauce = {", "sauce", "unknown field `sauce`"),
    ] {
        assert!(good.contains(from), "{from:?} is not in {name}");
        let text = good.replacen(from, to, 1);
        let found = Criteria::parse("wrong.toml", &text).expect_err(to);
        let one = found.iter().find(|one| one.to_string().contains(cause));
        let one = one.unwrap_or_else(|| panic!("{to}: {found:?}"));
        assert_eq!((one.line, one.column), place(&text, needle), "{to}");
    }
}

fn bench() -> Vec<BenchRole> {
    let quantity = |name: &str, unit: &str, min, max, settable| BenchQuantity {
        name: name.to_owned(),
        unit: unit.parse().unwrap(),
        min,
        max,
        settable,
    };
    let role = |role: &str, quantities: Vec<BenchQuantity>| BenchRole {
        role: role.to_owned(),
        quantities,
    };
    vec![
        role(
            "mirror",
            vec![quantity("dew_point", "°C", -80.0, 95.0, false)],
        ),
        role(
            "thermometer",
            vec![quantity("temperature", "°C", -200.0, 960.0, false)],
        ),
        role(
            "barometer",
            vec![quantity("pressure", "hPa", 500.0, 1100.0, false)],
        ),
        role(
            "chamber",
            vec![
                quantity("temperature", "°C", -40.0, 180.0, true),
                quantity("relative_humidity", "%RH", 10.0, 95.0, true),
            ],
        ),
        role(
            "uut",
            vec![
                quantity("relative_humidity", "%RH", 0.0, 100.0, false),
                quantity("temperature", "°C", -70.0, 180.0, false),
            ],
        ),
    ]
}

fn findings(text: &str, order: &Order, standards: &Standards, bench: &[BenchRole]) -> Vec<Finding> {
    lint(&procedure(text), order, standards, bench)
}

fn assert_found(found: &[Finding], severity: Severity, at: (usize, usize), cause: &str) {
    let place = format!("procedure.toml, line {}, column {}", at.0, at.1);
    let one = found.iter().find(|one| one.text.en.contains(cause));
    let one = one.unwrap_or_else(|| panic!("{cause}: {found:?}"));
    assert_eq!(
        (one.severity, one.place.as_str()),
        (severity, place.as_str()),
        "{one:?}"
    );
    assert!(!one.text.zh.is_empty() && one.text.zh != one.text.en);
}

#[test]
fn the_shipped_procedure_fits_the_bench_of_the_demonstration() {
    assert_eq!(findings(SHIPPED, &order(), &standards(), &bench()), []);
}

#[test]
fn a_bench_that_does_not_fit_is_found_before_the_run() {
    let without = |index: usize| {
        let mut bench = bench();
        bench.remove(index);
        bench
    };
    let found = findings(SHIPPED, &order(), &standards(), &without(2));
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"barometer\"\ntitle"),
        "plays the role \"barometer\"",
    );

    let mut changed = bench();
    changed[3].quantities[1].max = 80.0;
    let found = findings(SHIPPED, &order(), &standards(), &changed);
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"90.0\""),
        "reaches 10 to 80 %RH",
    );

    changed[3].quantities[0].settable = false;
    let found = findings(SHIPPED, &order(), &standards(), &changed);
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"20.0\""),
        "cannot set \"temperature\"",
    );

    changed[4].quantities.remove(0);
    let found = findings(SHIPPED, &order(), &standards(), &changed);
    let at = place(
        SHIPPED,
        "[\"relative_humidity\", \"temperature\"]\n\n[[channel]]",
    );
    assert_found(
        &found,
        Severity::Alarm,
        at,
        "does not know \"relative_humidity\"",
    );

    changed[2].quantities[0].unit = "Pa".parse().unwrap();
    let found = findings(SHIPPED, &order(), &standards(), &changed);
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"hPa\""),
        "the instrument sends Pa",
    );
}

#[test]
fn certificates_that_do_not_fit_are_found_before_the_run() {
    let mut few = standards();
    few.remove("mirror");
    let found = findings(SHIPPED, &order(), &few, &bench());
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"mirror\"\ntitle"),
        "has no certificate",
    );

    let mut swapped = standards();
    let thermometer = swapped["thermometer"].clone();
    swapped.insert("mirror".to_owned(), thermometer);
    let found = findings(SHIPPED, &order(), &swapped, &bench());
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"dew_point\"\nunit"),
        "does not cover \"dew_point\"",
    );

    let text = SHIPPED.replace("\"hPa\"", "\"Pa\"");
    let found = findings(&text, &order(), &standards(), &bench());
    assert_found(
        &found,
        Severity::Alarm,
        place(&text, "\"Pa\""),
        "certificate DEMO-P-2026-2231 in hPa",
    );

    let late = Order::parse("order.toml", &ORDER.replace("2026-11-20", "2027-01-20")).unwrap();
    let found = findings(SHIPPED, &late, &standards(), &bench());
    assert_found(
        &found,
        Severity::Warning,
        place(SHIPPED, "\"thermometer\"\ntitle"),
        "was valid until 2027-01-18",
    );
}

#[test]
fn a_thermometer_that_indicates_a_resistance_needs_an_instrument_that_sends_it() {
    let text = include_str!("../../../fixtures/references/standards/pt100-cvd.toml");
    let pt100 = StandardCertificate::parse("pt100-cvd.toml", text).unwrap();
    let mut standards = standards();
    standards.insert("thermometer".to_owned(), pt100);
    let found = findings(SHIPPED, &order(), &standards, &bench());
    let at = place(SHIPPED, "\"°C\"\ntitle = { en = \"Air temperature\"");
    let cause = "channel \"t\" is in Ω, the instrument sends °C";
    assert_found(&found, Severity::Alarm, at, cause);

    let mut bench = bench();
    bench[1].quantities[0].unit = "Ω".parse().unwrap();
    assert_eq!(findings(SHIPPED, &order(), &standards, &bench), []);
}

#[test]
fn a_statement_beyond_a_certificate_is_told_and_must_name_one_on_the_bench() {
    let stated = |number: &str, quantity: &str| {
        let text = format!(
            "{ORDER}\n[[beyond_range]]\ncertificate = \"{number}\"\nquantity = \"{quantity}\"\n\
             person = \"Li Hua\"\nreason = {{ en = \"compared\", zh = \"已比对\" }}\n"
        );
        let order = Order::parse("order.toml", &text).unwrap();
        findings(SHIPPED, &order, &standards(), &bench())
    };
    let at = place(SHIPPED, "\"thermo-hygrometer-comparison\"");
    let found = stated("DEMO-T-2026-0931", "temperature");
    assert_found(&found, Severity::Notice, at, "Li Hua answers for it");
    for (number, quantity) in [("DEMO-T-2026-0931", "dew_point"), ("OTHER", "temperature")] {
        let found = stated(number, quantity);
        assert_found(
            &found,
            Severity::Alarm,
            at,
            "which no standard on the bench has",
        );
    }
}

#[test]
fn an_order_that_does_not_fit_is_found_before_the_run() {
    let find = |from: &str, to: &str| {
        assert!(ORDER.contains(from), "{from}");
        let order = Order::parse("order.toml", &ORDER.replacen(from, to, 1)).unwrap();
        findings(SHIPPED, &order, &standards(), &bench())
    };
    let found = find("hardy-1998", "goff");
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"vapour_pressure\""),
        "chooses \"goff\"",
    );
    let found = find("measurand = \"humidity\"", "measurand = \"pressure\"");
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"thermo-hygrometer-comparison\""),
        "limits \"pressure\"",
    );
    let found = find("unit = \"%RH\"", "unit = \"K\"");
    assert_found(
        &found,
        Severity::Alarm,
        place(SHIPPED, "\"%RH\"\nreference"),
        "limits \"humidity\" in K",
    );
}
