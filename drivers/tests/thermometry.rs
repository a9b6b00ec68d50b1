//! What is particular to baths, wells, readouts and meters: outputs that go off by themselves,
//! units of the display, constants that short commands change, replies that do not come.

use heng_drivers::{
    Class, Description, Quality, Recipe, RecipeError, Request, Step, catalogue, description,
};

/// Plays a recipe; `answer` gives the reply to each request on the wire, without line ends.
fn play(
    model: &Description,
    mut recipe: Recipe,
    answer: &mut dyn FnMut(&str) -> String,
) -> (Vec<String>, Step) {
    let mut sent = Vec::new();
    let mut reply = None;
    loop {
        reply = match recipe.advance(reply) {
            Step::Send(request) => {
                let tx = String::from_utf8(model.encode(&request).unwrap()).unwrap();
                let tx = tx.trim_end().to_owned();
                let rx = answer(&tx);
                sent.push(tx);
                Some(model.decode(&request, rx.as_bytes()))
            }
            Step::Wait { .. } => None,
            end => return (sent, end),
        };
    }
}

fn well(output: &str, unit: &str) -> impl FnMut(&str) -> String {
    let mut heat = output.to_owned();
    let mut set_point = "50.00".to_owned();
    let unit = unit.to_owned();
    move |tx| {
        if let Some(state) = tx.strip_prefix("OUTP:STAT ") {
            state.clone_into(&mut heat);
        }
        if let Some(value) = tx.strip_prefix("SOUR:SPO ") {
            value.clone_into(&mut set_point);
        }
        match tx {
            "OUTP:STAT?" => format!("{heat}\r\n"),
            "SOUR:STAB:TEST?" => "1\r\n".to_owned(),
            "UNIT:TEMP?" => format!("{unit}\r\n"),
            "SOUR:SENS:DATA?" => "100.02\r\n".to_owned(),
            "SOUR:SPO?" => format!("{set_point}\r\n"),
            _ => String::new(),
        }
    }
}

fn failed(step: Step) -> RecipeError {
    match step {
        Step::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

fn quality(step: &Step) -> Quality {
    match step {
        Step::Done(outcome) => outcome.values[0].quality,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_set_point_outside_the_range_is_refused_by_every_model() {
    for model in catalogue() {
        for info in model.quantities() {
            let Some([min, max]) = info.set_range else {
                continue;
            };
            for value in [min - 1.0, max + 1.0] {
                let value = format!("{value:.1}").parse().unwrap();
                let error = model.set(&[(&info.name, value)]).unwrap_err();
                assert!(matches!(error, RecipeError::SetPoint { .. }), "{error}");
            }
        }
    }
}

#[test]
fn a_well_whose_output_went_off_gives_idle_readings() {
    for id in ["fluke-9142", "fluke-9144", "fluke-9173", "fluke-6109a"] {
        let model = description(id).unwrap();
        let read = || model.read(&["temperature"]).unwrap();
        let (_, on) = play(model, read(), &mut well("1", "C"));
        assert_eq!(quality(&on), Quality::Valid, "{id}");
        let (_, off) = play(model, read(), &mut well("0", "C"));
        assert_eq!(quality(&off), Quality::Idle, "{id}");
    }
}

#[test]
fn a_well_in_another_unit_is_not_set() {
    let model = description("fluke-9144").unwrap();
    let set = model.set(&[("temperature", "300".parse().unwrap())]);
    let (sent, end) = play(model, set.unwrap(), &mut well("1", "F"));
    assert_eq!(sent, ["UNIT:TEMP?"]);
    let message = failed(end).to_string();
    assert!(message.contains("temperature comes in \"F\""), "{message}");
}

#[test]
fn a_well_is_set_switched_on_and_read_back() {
    let model = description("fluke-9144").unwrap();
    let set = || {
        let set = model.set(&[("temperature", "300".parse().unwrap())]);
        set.unwrap()
    };
    let (sent, end) = play(model, set(), &mut well("0", "C"));
    let expected = [
        "UNIT:TEMP?",
        "SOUR:SPO 300.000",
        "OUTP:STAT 1",
        "SOUR:SPO?",
        "OUTP:STAT?",
    ];
    assert_eq!(sent, expected);
    assert!(matches!(end, Step::Done(_)), "{end:?}");
    // The set-point protection refuses without a word.
    let mut guarded = well("0", "C");
    let (_, end) = play(model, set(), &mut |tx: &str| {
        if tx.starts_with("SOUR:SPO ") {
            return String::new();
        }
        guarded(tx)
    });
    let error = failed(end);
    assert!(
        matches!(&error, RecipeError::ReadBack { found, .. } if found == "50.00"),
        "{error}"
    );
}

#[test]
fn the_safe_state_of_a_well_is_off_and_proved() {
    let model = description("fluke-9173").unwrap();
    let safe = || model.safe_state().unwrap();
    let (sent, end) = play(model, safe(), &mut well("1", "C"));
    assert_eq!(sent, ["OUTP:STAT 0", "OUTP:STAT?"]);
    assert!(matches!(end, Step::Done(_)), "{end:?}");
    let (sent, end) = play(model, safe(), &mut |tx: &str| match tx {
        "OUTP:STAT?" => "1\r\n".to_owned(),
        _ => String::new(),
    });
    assert!(
        sent.len() > 2,
        "it asks again while there is time: {sent:?}"
    );
    assert!(matches!(failed(end), RecipeError::ReadBack { .. }));
}

#[test]
fn a_reply_left_over_at_a_well_is_noticed_within_one_reading() {
    let model = description("fluke-9144").unwrap();
    let mut inner = well("1", "C");
    let mut late = "100.02\r\n".to_owned();
    let (_, end) = play(model, model.read(&["temperature"]).unwrap(), &mut |tx| {
        std::mem::replace(&mut late, inner(tx))
    });
    assert!(matches!(failed(end), RecipeError::Decode(_)));
}

#[test]
fn constants_of_adjustment_are_recognised_however_they_are_written() {
    for (id, tx) in [
        ("fluke-7341", "r=100.324\r"),
        ("fluke-7341", "R0=100.324\r"),
        ("fluke-7341", "al=0.0038433\r"),
        ("fluke-7341", "ALPHA=0.0038433\r"),
        ("fluke-7341", "de=1.45\r"),
        ("fluke-7341", "*bg=1\r"),
        ("hart-9103", "beta=0.342\r"),
        ("hart-9105", "*b0=0\r"),
        ("fluke-9009", "C:delta=1.3742\r"),
        ("fluke-9009", "h:r=100.1\r"),
        ("fluke-9142", "SYST:PASS:CEN 1234\r"),
        ("fluke-1522", "*c1=-0.012\r"),
        ("hart-1502a", "*C0=0.0001\r"),
        ("wika-ctd4000", "$1WVAR33 0.1\r"),
    ] {
        let model = description(id).unwrap();
        let found = model.recognise(tx.as_bytes());
        let found = found.unwrap_or_else(|| panic!("{id} does not know {tx:?}"));
        assert_eq!(found.1, Class::Calibrate, "{id} {tx:?}");
    }
    // The queries beside them change nothing.
    for (id, tx) in [
        ("fluke-7341", "r\r"),
        ("fluke-9009", "C:de\r"),
        ("fluke-1522", "*c1\r"),
    ] {
        let found = description(id).unwrap().recognise(tx.as_bytes()).unwrap();
        assert_eq!(found.1, Class::Read, "{id} {tx:?}");
    }
}

#[test]
fn the_constants_of_a_source_are_read_for_comparison() {
    let model = description("hart-9103").unwrap();
    let (sent, end) = play(model, model.constants().unwrap(), &mut |tx: &str| {
        let value = match tx {
            "r" => "r0: 100.578",
            "al" => "al: 0.0038573",
            "de" => "de: 1.507",
            _ => "be:0.342",
        };
        format!("{value}\r\n")
    });
    assert_eq!(sent, ["r", "al", "de", "be"]);
    let Step::Done(outcome) = end else {
        panic!("{end:?}");
    };
    assert_eq!(outcome.texts["alpha"], "0.0038573");
    assert_eq!(outcome.texts.len(), 4);
}

#[test]
fn a_bath_is_read_with_and_without_echo_and_with_its_cutout() {
    let model = description("fluke-7341").unwrap();
    let mut states = [("in", Quality::Valid), ("out", Quality::Idle)].into_iter();
    for echo in [false, true] {
        let (state, expected) = states.next().unwrap();
        let (sent, end) = play(
            model,
            model.read(&["temperature"]).unwrap(),
            &mut |tx: &str| {
                let reply = match tx {
                    "c" => format!("c: 160 C, {state}\r\n"),
                    _ => "t: 55.69 C\r\n".to_owned(),
                };
                if echo {
                    format!("{tx}\r\n{reply}")
                } else {
                    reply
                }
            },
        );
        assert_eq!(sent, ["c", "t"]);
        assert_eq!(quality(&end), expected);
    }
    // The reply to the question before carries another label.
    let late = model.decode(&Request::new("temperature"), b"set: 150.00 C\r\n");
    assert!(late.is_err());
}

#[test]
fn a_super_thermometer_says_what_is_new_and_what_is_not_there() {
    let model = description("fluke-1594a").unwrap();
    let read = |new: &str, reply: &str| {
        let (_, end) = play(
            model,
            model.read(&["temperature_4"]).unwrap(),
            &mut |tx: &str| match tx {
                "STAT:OPER?" => format!("{new}\r\n"),
                _ => reply.to_owned(),
            },
        );
        quality(&end)
    };
    let reply = "231.92811,C,4,2009-03-23 14:33:20\r\n";
    assert_eq!(read("16", reply), Quality::Valid);
    assert_eq!(read("0", reply), Quality::Stale);
    assert_eq!(read("16", ""), Quality::NoValue);
    let query = model.error_query().unwrap();
    assert_eq!(model.encode(&query).unwrap(), b"SYST:ERR?\r");
}

#[test]
fn a_readout_without_units_asks_for_what_it_measures() {
    let model = description("keithley-2182").unwrap();
    let (_, end) = play(
        model,
        model.read(&["voltage"]).unwrap(),
        &mut |tx: &str| match tx {
            ":SENS:FUNC?" => "\"TEMP\"\r".to_owned(),
            _ => "3.1415\r".to_owned(),
        },
    );
    assert!(matches!(failed(end), RecipeError::Decode(_)));
}
