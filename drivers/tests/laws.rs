//! What holds for every description of the catalogue.

use std::collections::BTreeMap;

use heng_drivers::{
    DecodeError, Description, Framing, Recipe, RecipeError, Reply, Request, Step, catalogue,
    description,
};
use heng_quantities::Decimal;
use proptest::prelude::*;

/// Command names of a description, from its own text.
fn commands(model: &Description) -> Vec<String> {
    let document: toml::Table = model.text().parse().unwrap();
    let commands = document["command"].as_array().unwrap();
    commands
        .iter()
        .map(|command| command["name"].as_str().unwrap().to_owned())
        .collect()
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
        for model in catalogue() {
            for command in commands(model) {
                let request = Request::new(&command);
                if let Framing::Complete(length) = model.frame(&request, &bytes) {
                    prop_assert!(length <= bytes.len());
                }
                let _any = model.decode(&request, &bytes);
                let _cut = model.decode(&request, &bytes[..cut.min(bytes.len())]);
            }
        }
    }

    #[test]
    fn a_damaged_reply_never_changes_more_than_the_digits(at in 0usize..23, byte in any::<u8>()) {
        let model = description("vaisala-hmt330").unwrap();
        let mut reply = *b"RH= 98.4 %RH T= 31.1 'C\r\n";
        reply[at] = byte;
        if let Ok(reply) = model.decode(&Request::new("send"), &reply) {
            prop_assert_eq!(reply.values.len(), 2);
            prop_assert_eq!(reply.values[0].unit.symbol(), "%RH");
            prop_assert_eq!(reply.values[1].unit.symbol(), "°C");
        }
    }
}

#[test]
fn a_reply_without_end_is_cut() {
    for model in catalogue() {
        for command in commands(model) {
            let request = Request::new(&command);
            assert!(
                matches!(model.frame(&request, &[b'7'; 9000]), Framing::Complete(_)),
                "{} {command}",
                model.id()
            );
        }
    }
}

#[test]
fn an_unknown_command_or_argument_is_refused_by_name() {
    for model in catalogue() {
        let message = model
            .encode(&Request::new("self_destruct"))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(model.id()) && message.contains("self_destruct"),
            "{message}"
        );
    }
    let bath = description("fluke-7341").unwrap();
    let with = |name: &str, text: &str| Request {
        command: "set_set_point".to_owned(),
        args: vec![(name.to_owned(), text.to_owned())],
    };
    assert_eq!(
        bath.encode(&with("temperature.set", "25")).unwrap(),
        b"s=25.00\r"
    );
    for (request, message) in [
        (
            Request::new("set_set_point"),
            "\"temperature.set\" is missing",
        ),
        (
            with("temprature", "25"),
            "there is no argument \"temprature\"",
        ),
        (
            with("temperature.set", "25.005"),
            "more digits than the 2 decimal places",
        ),
        (with("temperature.set", "warm"), "is not a decimal number"),
    ] {
        let error = bath.encode(&request).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn echo_is_taken_off_where_the_instrument_echoes() {
    let text = description("fluke-7341").unwrap().text();
    let text = text.replace("echo = \"either\"", "echo = true");
    let bath = Description::parse("fluke-7341-echo", &text).unwrap();
    let request = Request::new("temperature");
    let received = b"t\rt: 55.69 C\r\n";
    assert_eq!(
        bath.frame(&request, received),
        Framing::Complete(received.len())
    );
    assert_eq!(bath.frame(&request, b"t"), Framing::NeedMore);
    assert_eq!(
        bath.decode(&request, received).unwrap().values[0]
            .digits
            .to_string(),
        "55.69"
    );
    let error = bath
        .decode(&request, b"t: 55.69 C\r\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the echo of the request is missing"),
        "{error}"
    );
    let set = Request {
        command: "set_set_point".to_owned(),
        args: vec![("temperature.set".to_owned(), "1".to_owned())],
    };
    assert_eq!(bath.frame(&set, b"s=1."), Framing::NeedMore);
    assert_eq!(bath.frame(&set, b"s=1.00\r"), Framing::Complete(7));
    assert_eq!(bath.decode(&set, b"s=1.00\r"), Ok(Reply::default()));
}

/// Plays a recipe against given replies; gives the requests and the last step.
fn play(
    model: &Description,
    mut recipe: Recipe,
    replies: &BTreeMap<&str, Vec<&[u8]>>,
) -> (Vec<String>, Step) {
    let mut queues = replies.clone();
    let mut sent = Vec::new();
    let mut reply: Option<Result<Reply, DecodeError>> = None;
    loop {
        match recipe.advance(reply.take()) {
            Step::Send(request) => {
                sent.push(String::from_utf8(model.encode(&request).unwrap()).unwrap());
                let queue = queues.get_mut(request.command.as_str());
                let bytes = queue
                    .filter(|queue| !queue.is_empty())
                    .map_or(&[][..], |queue| queue.remove(0));
                reply = Some(model.decode(&request, bytes));
            }
            Step::Wait { us } => assert!(us > 0),
            end => return (sent, end),
        }
    }
}

#[test]
fn a_mirror_that_is_not_stable_gives_a_settling_value() {
    let mirror = description("mbw-473").unwrap();
    for (stable, quality) in [(&b"0\r\n"[..], "settling"), (b"1\r\n", "valid")] {
        let replies = BTreeMap::from([
            ("dew_point", vec![&b"22.4971\r\n"[..]]),
            ("stable", vec![stable]),
        ]);
        let (sent, end) = play(mirror, mirror.read(&["dew_point"]).unwrap(), &replies);
        assert_eq!(sent, ["DP?\r\n", "Stable?\r\n"]);
        let Step::Done(outcome) = end else {
            panic!("{end:?}")
        };
        assert_eq!(outcome.values[0].quality.name(), quality);
        assert_eq!(outcome.values[0].digits.to_string(), "22.4971");
    }
}

#[test]
fn one_exchange_reads_humidity_and_temperature_together() {
    let unit = description("vaisala-hmt330").unwrap();
    let replies = BTreeMap::from([("send", vec![&b"RH= 98.4 %RH T= 31.1 'C\r\n"[..]])]);
    let (sent, end) = play(
        unit,
        unit.read(&["temperature", "relative_humidity"]).unwrap(),
        &replies,
    );
    assert_eq!(sent, ["SEND\r"]);
    let Step::Done(outcome) = end else {
        panic!("{end:?}")
    };
    let names: Vec<_> = outcome
        .values
        .iter()
        .map(|value| value.quantity.as_str())
        .collect();
    assert_eq!(names, ["temperature", "relative_humidity"]);
}

const BEFORE: &[u8] = b"0023.0 0022.9 0045.0 0045.2 0001.0 0000.0 0002.0 0000.0 0000.0 0000.0 0000.0 0000.0 00100000000000000000000000000011\r";

#[test]
fn setting_a_chamber_changes_one_item_and_reads_it_back() {
    let chamber = description("weiss-ascii2").unwrap();
    let set = || {
        chamber
            .set(&[("relative_humidity", "60.0".parse().unwrap())])
            .unwrap()
    };
    let after = b"0023.0 0022.9 0060.0 0045.2 0001.0 0000.0 0002.0 0000.0 0000.0 0000.0 0000.0 0000.0 01100000000000000000000000000011\r";
    let replies = BTreeMap::from([
        ("state", vec![BEFORE, &after[..]]),
        ("write", vec![&b"0\r"[..]]),
    ]);
    let (sent, end) = play(chamber, set(), &replies);
    assert_eq!(
        sent,
        [
            "$01I\r",
            "$01E 0023.0 0060.0 0001.0 0002.0 0000.0 0000.0 01100000000000000000000000000011\r",
            "$01I\r"
        ]
    );
    let Step::Done(outcome) = end else {
        panic!("{end:?}")
    };
    assert_eq!(outcome.values[0].quantity, "relative_humidity.set");

    let replies = BTreeMap::from([
        ("state", vec![BEFORE, BEFORE]),
        ("write", vec![&b"0\r"[..]]),
    ]);
    let (_, end) = play(chamber, set(), &replies);
    let Step::Failed(error) = end else {
        panic!("{end:?}")
    };
    assert!(
        error.to_string().contains("did not take the setting"),
        "{error}"
    );
}

#[test]
fn the_safe_state_of_a_chamber_is_stopped() {
    let chamber = description("weiss-ascii2").unwrap();
    let running = b"0023.0 0022.9 0045.0 0045.2 0001.0 0000.0 0002.0 0000.0 0000.0 0000.0 0000.0 0000.0 01100000000000000000000000000011\r";
    let replies = BTreeMap::from([
        ("state", vec![&running[..], BEFORE]),
        ("write", vec![&b"0\r"[..]]),
    ]);
    let (sent, end) = play(chamber, chamber.safe_state().unwrap(), &replies);
    assert!(
        sent[1].ends_with(" 00100000000000000000000000000011\r"),
        "{sent:?}"
    );
    assert!(matches!(end, Step::Done(_)), "{end:?}");
    assert!(description("mbw-473").unwrap().safe_state().is_none());
}

#[test]
fn a_set_point_is_refused_and_never_clamped_or_rounded() {
    let chamber = description("weiss-ascii2").unwrap();
    let refused = |quantity: &str, value: &str| {
        let value: Decimal = value.parse().unwrap();
        chamber.set(&[(quantity, value)]).unwrap_err().to_string()
    };
    assert!(refused("relative_humidity", "99.0").contains("outside 10 to 98 %RH"));
    assert!(refused("temperature", "-70.1").contains("refused, not clamped"));
    assert!(refused("temperature", "23.05").contains("more digits than the 1 decimal places"));
    assert!(refused("pressure", "1000").contains("does not measure \"pressure\""));
    let error = description("mbw-473")
        .unwrap()
        .set(&[("dew_point", Decimal::new(1, 0))])
        .unwrap_err();
    assert!(matches!(error, RecipeError::NotSettable { .. }));
}

#[test]
fn another_model_at_the_port_is_noticed() {
    let mirror = description("mbw-473").unwrap();
    let replies = BTreeMap::from([
        ("model", vec![&b"373\r\n"[..]]),
        ("firmware", vec![&b"DPM 373\r\n"[..]]),
        ("serial_number", vec![&b"1\r\n"[..]]),
    ]);
    let (_, end) = play(mirror, mirror.identify(), &replies);
    let Step::Failed(error) = end else {
        panic!("{end:?}")
    };
    assert!(
        error
            .to_string()
            .contains("says it is \"373\", its description is for \"473\""),
        "{error}"
    );
}

#[test]
fn a_recipe_out_of_order_fails_and_stays_failed() {
    let mut recipe = description("mbw-473").unwrap().identify();
    assert!(matches!(recipe.advance(None), Step::Send(_)));
    assert_eq!(recipe.advance(None), Step::Failed(RecipeError::OutOfOrder));
    assert_eq!(recipe.advance(None), Step::Failed(RecipeError::OutOfOrder));
}

fn pressure(text: &str) -> [(&'static str, Decimal); 1] {
    [("pressure", text.parse().unwrap())]
}

#[test]
fn a_pressure_outside_of_the_limits_of_the_model_or_the_asset_is_refused() {
    let series = description("druck-pace").unwrap();
    let message = series.set(&pressure("250000")).unwrap_err().to_string();
    assert!(message.contains("outside -1000 to 210000 hPa"), "{message}");
    let limits = BTreeMap::from([("pressure".to_owned(), [0.0, 2000.0])]);
    let module = series.with_limits(&limits).unwrap();
    let message = module.set(&pressure("2000.1")).unwrap_err().to_string();
    assert!(message.contains("outside 0 to 2000 hPa"), "{message}");
    assert!(module.set(&pressure("2000")).is_ok());
}

#[test]
fn a_controller_is_set_only_in_its_unit_and_reads_back_what_it_took() {
    let controller = description("druck-pace").unwrap();
    let set = || controller.set(&pressure("500")).unwrap();
    let unit = ("unit", vec![&b":UNIT:PRES HPA\r\n"[..]]);
    let taken = (
        "set_point",
        vec![&b":SOUR:PRES:LEV:IMM:AMPL 500.0000000\r\n"[..]],
    );
    let on = ("output", vec![&b":OUTP:STAT 1\r\n"[..]]);
    let replies = BTreeMap::from([unit.clone(), taken.clone(), on.clone()]);
    let (sent, end) = play(controller, set(), &replies);
    assert_eq!(
        sent,
        [
            ":UNIT:PRES?\n",
            ":SOUR:PRES 500.0000\n",
            ":OUTP:STAT 1\n",
            ":SOUR:PRES?\n",
            ":OUTP:STAT?\n"
        ]
    );
    assert!(matches!(end, Step::Done(_)), "{end:?}");

    let other = ("unit", vec![&b":UNIT:PRES MBAR\r\n"[..]]);
    let (sent, end) = play(
        controller,
        set(),
        &BTreeMap::from([other, taken, on.clone()]),
    );
    assert_eq!(sent, [":UNIT:PRES?\n"], "{end:?}");

    let kept = (
        "set_point",
        vec![&b":SOUR:PRES:LEV:IMM:AMPL 1017.6595329\r\n"[..]],
    );
    let (_, end) = play(controller, set(), &BTreeMap::from([unit, kept, on]));
    let Step::Failed(error) = end else {
        panic!("{end:?}")
    };
    let message = error.to_string();
    assert!(message.contains("reads back 1017.6595329"), "{message}");
}

#[test]
fn a_controller_vents_only_after_it_says_that_it_is_off() {
    let controller = description("druck-pace").unwrap();
    let safe = || controller.safe_state().unwrap();
    let vent = |state: &'static [u8]| ("vent_state", vec![state; 300]);
    let off = ("output", vec![&b":OUTP:STAT 0\r\n"[..]]);
    let done = b":SOUR:PRES:LEV:IMM:AMPL:VENT 2\r\n";
    let replies = BTreeMap::from([off.clone(), vent(done)]);
    let (sent, end) = play(controller, safe(), &replies);
    assert_eq!(
        sent,
        [
            ":OUTP:STAT 0\n",
            ":OUTP:STAT?\n",
            ":SOUR:PRES:LEV:IMM:AMPL:VENT 1\n",
            ":SOUR:PRES:LEV:IMM:AMPL:VENT?\n"
        ]
    );
    assert!(matches!(end, Step::Done(_)), "{end:?}");

    let on = ("output", vec![&b":OUTP:STAT 1\r\n"[..]; 10]);
    let (sent, end) = play(controller, safe(), &BTreeMap::from([on, vent(done)]));
    assert!(matches!(end, Step::Failed(_)), "{end:?}");
    assert!(!sent.iter().any(|line| line.contains("VENT")), "{sent:?}");

    for (state, found) in [
        (&b":SOUR:PRES:LEV:IMM:AMPL:VENT 3\r\n"[..], "reads back 3"),
        (b":SOUR:PRES:LEV:IMM:AMPL:VENT 4\r\n", "reads back 4"),
    ] {
        let (_, end) = play(
            controller,
            safe(),
            &BTreeMap::from([off.clone(), vent(state)]),
        );
        let Step::Failed(error) = end else {
            panic!("{end:?}")
        };
        assert!(error.to_string().contains(found), "{error}");
    }
}

#[test]
fn requests_that_change_an_adjustment_are_recognised_on_the_wire() {
    for (id, tx, class) in [
        ("druck-pace", &b":CAL:PRES:POIN 1,1000.0\n"[..], "calibrate"),
        ("druck-pace", b":SENS:PRES:CORR:OFFS 0.1\n", "calibrate"),
        ("druck-pace", b":OUTP:STAT 1\n", "actuate"),
        ("druck-pace", b":UNIT:PRES MBAR\n", "set"),
        ("druck-pace", b":UNIT:PRES?\n", "read"),
        (
            "paroscientific-735",
            b"*0100EW*0100PM=1.0001\r\n",
            "calibrate",
        ),
        ("paroscientific-735", b"*0100EW*0100UN=2\r\n", "set"),
        ("honeywell-hpa", b"*00X=1.0002\r", "calibrate"),
        ("mensor-cpt6020", b"#1SAVE\r", "calibrate"),
        ("mettler-mtsics", b"C3\r\n", "calibrate"),
        ("mettler-mtsics", b"T\r\n", "actuate"),
        ("mettler-mtsics", b"SI\r\n", "read"),
        ("sartorius-sbi", b"\x1BZ", "calibrate"),
        ("sartorius-sbi", b"\x1BP\r\n", "read"),
    ] {
        let recognised = description(id).unwrap().recognise(tx);
        let found = recognised.map(|(_, class)| class.name());
        assert_eq!(found, Some(class), "{id} {tx:?}");
    }
    // An open text does not carry a second command past its class.
    for (id, tx) in [
        (
            "fluke-1594a",
            &b"INP:PROB:TEST? \"a\",1;:CAL:SECURE:CODE 1\r"[..],
        ),
        ("druck-pace", b":UNIT:PRES MBAR;:CAL:PRES:ZERO:AUTO 1\n"),
        ("fluke-7341", b"t\rs=10.00\r"),
    ] {
        assert_eq!(description(id).unwrap().recognise(tx), None, "{id}");
    }
    // In another case it is no command of this balance.
    let balance = description("mettler-mtsics").unwrap();
    assert_eq!(balance.recognise(b"c3\r\n"), None);
}
