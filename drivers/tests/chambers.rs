//! Chambers and circulators: what is refused, what is read back, and what is asked until it
//! is so.

use std::collections::BTreeMap;

use heng_drivers::{Class, Description, Framing, Recipe, Request, Step, description, escape};

/// Plays a recipe against replies by command, the last of which is given again; gives the
/// names of the commands sent and the last step.
fn play(
    model: &Description,
    mut recipe: Recipe,
    replies: &[(&str, &[&str])],
) -> (Vec<String>, Step) {
    let mut replies: BTreeMap<&str, &[&str]> = replies.iter().copied().collect();
    let mut sent = Vec::new();
    let mut reply = None;
    loop {
        match recipe.advance(reply.take()) {
            Step::Send(request) => {
                let queue = replies.get_mut(request.command.as_str());
                let said = queue.map_or("", |queue| match **queue {
                    [] => "",
                    [last] => last,
                    [first, ref rest @ ..] => {
                        *queue = rest;
                        first
                    }
                });
                let bytes: Vec<u8> = said.chars().map(|c| u8::try_from(c).unwrap()).collect();
                reply = Some(model.decode(&request, &bytes));
                sent.push(request.command);
            }
            Step::Wait { us } => assert!(us > 0),
            end => return (sent, end),
        }
    }
}

fn model(id: &str) -> &'static Description {
    description(id).unwrap()
}

fn failure(end: Step) -> String {
    match end {
        Step::Failed(error) => error.to_string(),
        end => panic!("{end:?}"),
    }
}

fn set(model: &Description, quantity: &str, value: &str) -> Recipe {
    model.set(&[(quantity, value.parse().unwrap())]).unwrap()
}

#[test]
fn a_set_point_outside_of_what_the_chamber_tells_is_not_sent() {
    let replies: &[(&str, &[&str])] = &[
        ("temperature", &["24.1,25.0,150.0,-40.0\r\n"]),
        ("humidity", &["53,OFF,95,30\r\n"]),
    ];
    let espec = model("espec-p300");
    for (quantity, value, range) in [
        ("temperature", "150.1", "-40 to 150 °C"),
        ("temperature", "-40.1", "-40 to 150 °C"),
        ("relative_humidity", "20", "30 to 95 %RH"),
    ] {
        let (sent, end) = play(espec, set(espec, quantity, value), replies);
        assert_eq!(sent.len(), 1, "{sent:?}");
        let message = failure(end);
        assert!(
            message.contains(range) && message.contains("refused, not clamped"),
            "{message}"
        );
    }
    let simserv = model("votsch-simserv");
    let replies: &[(&str, &[&str])] = &[
        ("temperature_set_point", &["1\u{B6}23.0\r"]),
        ("temperature_low", &["1\u{B6}-42.0\r"]),
        ("temperature_high", &["1\u{B6}182.0\r"]),
    ];
    let (sent, end) = play(simserv, set(simserv, "temperature", "190.0"), replies);
    assert_eq!(
        sent,
        [
            "temperature_set_point",
            "temperature_low",
            "temperature_high"
        ]
    );
    assert!(failure(end).contains("outside -42 to 182 °C"));
    // A limit that does not come is no limit that can be relied on.
    let refused: &[(&str, &[&str])] = &[
        ("temperature_set_point", &["1\u{B6}23.0\r"]),
        ("temperature_low", &["-8\r"]),
    ];
    let (sent, end) = play(simserv, set(simserv, "temperature", "23.0"), refused);
    assert_eq!(sent, ["temperature_set_point", "temperature_low"]);
    assert!(failure(end).contains("there is no such control variable"));
}

#[test]
fn a_chamber_without_humidity_is_not_asked_about_it() {
    let replies: &[(&str, &[&str])] = &[
        (
            "temperature",
            &["24.1,25.0,150.0,-40.0\r\n", "24.1,-10.0,150.0,-40.0\r\n"],
        ),
        ("set_temperature", &["OK:TEMP, S-10.0\r\n"]),
        ("constant", &["OK:MODE,CONSTANT\r\n"]),
        ("monitor", &["24.1,,STANDBY,0\r\n", "24.0,,CONSTANT,0\r\n"]),
    ];
    let layout = [("monitor", "{temperature:.1},,{mode},{alarms}")];
    let layout = layout.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let espec = model("espec-p300").with_layout(&layout.into()).unwrap();
    let (sent, end) = play(&espec, set(&espec, "temperature", "-10.0"), replies);
    assert_eq!(
        sent,
        [
            "temperature",
            "set_temperature",
            "constant",
            "temperature",
            "monitor",
            "monitor"
        ]
    );
    let Step::Done(outcome) = end else {
        panic!("{end:?}")
    };
    let digits: Vec<_> = outcome
        .values
        .iter()
        .map(|value| value.digits.to_string())
        .collect();
    assert_eq!(digits, ["-10.0"]);
}

#[test]
fn a_circulator_that_is_not_remote_says_so() {
    let julabo = model("julabo-cf40");
    let recipe = || set(julabo, "temperature", "30.00");
    let (sent, end) = play(
        julabo,
        recipe(),
        &[
            ("set_point", &["25.00\r\n", "30.00\r\n"]),
            ("status", &["01 MANUAL START\r\n"]),
        ],
    );
    assert_eq!(sent[..3], ["set_point", "set_set_point", "start"]);
    let message = failure(end);
    assert!(message.contains("01 MANUAL START"), "{message}");
    let (_, end) = play(
        julabo,
        recipe(),
        &[
            ("set_point", &["25.00\r\n", "30.00\r\n"]),
            (
                "status",
                &["-09 COMMAND NOT ALLOWED IN CURRENT OPERATING MODE\r\n"],
            ),
        ],
    );
    assert!(failure(end).contains("set the unit to remote control"));
    let (_, end) = play(
        julabo,
        recipe(),
        &[
            ("set_point", &["25.00\r\n"]),
            ("status", &["03 REMOTE START\r\n"]),
        ],
    );
    assert!(failure(end).contains("did not take the setting"));
    assert_eq!(julabo.error_query().unwrap().command, "status");
}

#[test]
fn a_run_state_that_lags_is_asked_for_until_it_follows() {
    let chamber = model("chamber-modbus");
    let frame = |hex: &str| -> String {
        let bytes = hex.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        bytes.map(|pair| char::from(byte(pair))).collect()
    };
    let (runs, stopped) = (frame("010402000178F0"), frame("0104020000B930"));
    let stop = frame("01051F41FF00DBFA");
    let (sent, end) = play(
        chamber,
        chamber.safe_state().unwrap(),
        &[("stop", &[&stop]), ("run_state", &[&runs, &runs, &stopped])],
    );
    assert_eq!(sent, ["stop", "run_state", "run_state", "run_state"]);
    assert!(matches!(end, Step::Done(_)), "{end:?}");
    let (sent, end) = play(
        chamber,
        chamber.safe_state().unwrap(),
        &[("stop", &[&stop]), ("run_state", &[&runs])],
    );
    // 10 s, asked for twice a second.
    assert_eq!(sent.len(), 1 + 21);
    assert!(failure(end).contains("run was set to 0, the instrument reads back 1"));
}

#[test]
fn the_safe_state_of_every_chamber_and_circulator_is_read_back() {
    for (id, verify, safe) in [
        ("julabo-cf40", "status", "02 REMOTE STOP\r\n"),
        ("lauda-loop-100", "standby", "1\r\n"),
        ("espec-p300", "monitor", "24.1,50,STANDBY,0\r\n"),
        ("espec-ehs411m", "monitor", "24.1,50,OFF,0\r\n"),
        ("thermotron-8200", "mode", "2\r"),
        ("memmert-rs232", "mode", "OK\r\n0\r\n"),
        ("votsch-simserv", "running", "1\u{B6}0\r"),
    ] {
        let model = model(id);
        let step = |said: &str| {
            let acknowledged: &[&str] = match id {
                "lauda-loop-100" | "memmert-rs232" => &["OK\r\n"],
                "espec-p300" => &["OK:MODE,STANDBY\r\n"],
                "espec-ehs411m" => &["OK:MODE,OFF\r\n"],
                "votsch-simserv" => &["1\r"],
                _ => &[""],
            };
            let write = if id == "espec-p300" {
                "standby"
            } else {
                "stop"
            };
            play(
                model,
                model.safe_state().unwrap(),
                &[
                    (write, acknowledged),
                    ("off", acknowledged),
                    ("local", acknowledged),
                    (verify, &[said]),
                ],
            )
        };
        let (sent, end) = step(safe);
        assert!(matches!(end, Step::Done(_)), "{id}: {end:?}");
        assert_eq!(sent.len(), 2, "{id}");
        // Without the read-back nothing is safe.
        let (_, end) = step("");
        assert!(failure(end).contains("no reply"), "{id}");
    }
}

#[test]
fn nothing_that_changes_an_instrument_passes_for_a_question() {
    for (id, request, command, class) in [
        (
            "julabo-cf40",
            &b"OUT_SP_00 55.50\r"[..],
            "set_set_point",
            Class::Actuate,
        ),
        ("julabo-cf40", b"out_mode_05 0\r", "stop", Class::Actuate),
        ("lauda-pro", b"START\r\n", "start", Class::Actuate),
        (
            "lauda-pro",
            b"OUT_SP_04_100\r\n",
            "set_high_limit",
            Class::Set,
        ),
        (
            "espec-p300",
            b"HUMI, SOFF\r\n",
            "humidity_off",
            Class::Actuate,
        ),
        ("espec-p300", b"MODE, RUN\r\n", "set_mode", Class::Actuate),
        ("espec-p300", b"TEMP?\r\n", "temperature", Class::Read),
        ("thermotron-3800", b"RUNM\r", "run", Class::Actuate),
        (
            "memmert-rs232",
            b"OUT_MODE_10_1\r\n",
            "remote",
            Class::Actuate,
        ),
        (
            "cts-chamber",
            b"\x02\x81\xF3\xB1\xA0\xB1\xD2\x03",
            "start",
            Class::Actuate,
        ),
        (
            "chamber-modbus",
            b"\x01\x05\x1F@\xFF\x00\x8A:",
            "start",
            Class::Actuate,
        ),
        (
            "votsch-simserv",
            b"17012\xB61\r",
            "acknowledge_errors",
            Class::Set,
        ),
    ] {
        let place = format!("{id}: {}", escape(request));
        let found = model(id).recognise(request);
        let found = found.map(|(request, class)| (request.command, class));
        assert_eq!(found, Some((command.to_owned(), class)), "{place}");
    }
    // What is not described is not recognised, and so not let through either.
    assert_eq!(model("lauda-pro").recognise(b"OUT_PAR_00_5.0\r\n"), None);
    assert_eq!(
        model("chamber-modbus").recognise(b"\x01\x05\x1F@\xFF\x00\x8A;"),
        None
    );
}

#[test]
fn a_reply_in_two_lines_ends_with_the_second() {
    let cabinet = model("memmert-rs232");
    let request = Request::new("temperature");
    assert_eq!(cabinet.frame(&request, b"OK\r\n"), Framing::NeedMore);
    assert_eq!(
        cabinet.frame(&request, b"OK\r\n14.7\r\n0\r\n"),
        Framing::Complete(10)
    );
    assert_eq!(cabinet.frame(&request, b"ERR_03\r\n"), Framing::Complete(8));
    let late = cabinet.decode(&request, b"14.7\r\nOK\r\n").unwrap_err();
    assert!(
        late.to_string().contains("expected \"OK\", found \"14.7\""),
        "{late}"
    );
}

#[test]
fn registers_that_the_bench_states_are_checked() {
    let transmitter = model("modbus-temperature-humidity");
    let with = |name: &str, text: &str| {
        let layout = BTreeMap::from([(name.to_owned(), text.to_owned())]);
        transmitter.with_layout(&layout)
    };
    for (name, text, message) in [
        ("words", "middle_first", "neither high_first nor low_first"),
        ("first", "40001x", "no register, function or count"),
        ("function", "7", "write a function of 1 to 6"),
        ("count", "0", "write a function of 1 to 6"),
        ("address", "256", "is not 0 to 255"),
        ("layout", "{temperature:5.1}", "is no number format"),
        (
            "layout",
            "{dew_point:f32}",
            "no command that reads \"temperature\"",
        ),
    ] {
        let error = with(name, text).unwrap_err().to_string();
        assert!(error.contains(message), "{name} = {text}: {error}");
    }
    let sent = with("first", "256")
        .unwrap()
        .encode(&Request::new("registers"));
    assert_eq!(sent.unwrap()[..6], *b"\x01\x03\x01\x00\x00\x02");
}
