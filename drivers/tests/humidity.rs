//! What is particular to hygrometers, humidity generators and their protocols.

use std::collections::BTreeMap;

use heng_drivers::{
    Class, DecodeCause, DecodeError, Description, Quality, Recipe, RecipeError, RecipeOutcome,
    Reply, Request, Step, description,
};

type Replies<'a> = BTreeMap<&'a str, Vec<Vec<u8>>>;

/// Plays a recipe against given replies, the last of each command again and again.
fn play(
    model: &Description,
    mut recipe: Recipe,
    replies: &Replies<'_>,
) -> (Vec<String>, Result<RecipeOutcome, RecipeError>) {
    let mut queues = replies.clone();
    let mut sent = Vec::new();
    let mut reply: Option<Result<Reply, DecodeError>> = None;
    loop {
        match recipe.advance(reply.take()) {
            Step::Send(request) => {
                sent.push(request.command.clone());
                let queue = queues.get_mut(request.command.as_str());
                let bytes = match queue {
                    None => Vec::new(),
                    Some(queue) if queue.len() > 1 => queue.remove(0),
                    Some(queue) => queue[0].clone(),
                };
                reply = Some(model.decode(&request, &bytes));
            }
            Step::Wait { us } => assert!(us > 0),
            Step::Done(outcome) => return (sent, Ok(outcome)),
            Step::Failed(error) => return (sent, Err(error)),
        }
    }
}

/// A frame of Modbus RTU, with the check bytes that belong to it.
fn rtu(bytes: &[u8]) -> Vec<u8> {
    let mut crc = 0xFFFF_u16;
    for &byte in bytes {
        crc ^= u16::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xA001
            } else {
                crc >> 1
            };
        }
    }
    [bytes, &crc.to_le_bytes()].concat()
}

fn vaisala_replies() -> Replies<'static> {
    let object = |id: u8, text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        let head = [0xF0, 43, 14, 4, 0x83, 0, 0, 1, id, length];
        vec![rtu(&[&head[..], text.as_bytes()].concat())]
    };
    BTreeMap::from([
        ("test_integer", vec![rtu(b"\xF0\x03\x02\xCF\xC7")]),
        ("test_float", vec![rtu(b"\xF0\x03\x04\xE6\x66\xC2\xF6")]),
        ("product", object(1, "HMP4")),
        ("version", object(2, "1.2.3")),
        ("serial_number", object(128, "K0710040")),
    ])
}

#[test]
fn a_wrong_word_order_is_found_before_any_value_is_read() {
    let probe = description("vaisala-hmp-modbus").unwrap();
    let (_, end) = play(probe, probe.identify(), &vaisala_replies());
    let identity = end.unwrap().identity.unwrap();
    assert_eq!(identity.serial.as_deref(), Some("K0710040"));
    assert_eq!(identity.model, "HMP4");

    let mut swapped = vaisala_replies();
    swapped.insert("test_float", vec![rtu(b"\xF0\x03\x04\xC2\xF6\xE6\x66")]);
    let (sent, end) = play(probe, probe.identify(), &swapped);
    assert_eq!(sent, ["test_integer", "test_float"]);
    let RecipeError::Decode(error) = end.unwrap_err() else {
        panic!("another error")
    };
    assert!(
        matches!(*error.cause, DecodeCause::Layout { .. }),
        "{error}"
    );
}

#[test]
fn status_registers_bear_on_the_values_that_were_read_with_them() {
    let probe = description("vaisala-hmp-modbus").unwrap();
    let measured = rtu(b"\xF0\x03\x08\x7A\xE1\x41\xF4\x00\x00\x41\xA4");
    for (errors, online, quality) in [
        (1, 1, Quality::Valid),
        (0, 1, Quality::NoValue),
        (1, 0, Quality::Stale),
    ] {
        let status = rtu(&[0xF0, 3, 4, 0, errors, 0, online]);
        let replies = BTreeMap::from([
            ("measured", vec![measured.clone()]),
            ("status", vec![status]),
        ]);
        let recipe = probe.read(&["relative_humidity"]).unwrap();
        let (sent, end) = play(probe, recipe, &replies);
        assert_eq!(sent, ["measured", "status"]);
        let value = &end.unwrap().values[0];
        assert_eq!(
            (value.digits.to_string(), value.quality),
            ("30.56".to_owned(), quality)
        );
    }
}

#[test]
fn a_mirror_that_is_cleaned_or_held_gives_no_measurement() {
    let mirror = description("michell-optidew").unwrap();
    let measured = rtu(&[
        &[1, 3, 16][..],
        &(-12.34_f32).to_be_bytes(),
        &23.45_f32.to_be_bytes(),
        &101.3_f32.to_be_bytes(),
        &7.5_f32.to_be_bytes(),
    ]
    .concat());
    let unit = rtu(&[1, 3, 4, 0, 0, 0, 4]);
    for (mode, sensor, fault, hold, quality) in [
        (8, 1, 0, 0, Quality::Valid),
        (6, 1, 0, 0, Quality::Purge),
        (7, 1, 0, 0, Quality::Stale),
        (8, 3, 0, 0, Quality::Settling),
        (8, 1, 16, 0, Quality::NoValue),
        (8, 1, 64, 0, Quality::Valid),
        (8, 1, 80, 0, Quality::NoValue),
        (8, 1, 0, 1, Quality::Stale),
        (9, 0, 0, 0, Quality::Idle),
    ] {
        let words = [mode, 0, 0, 0, sensor, fault, 0, 0, 0, hold, 0];
        let words: Vec<u8> = words.iter().flat_map(|&low| [0, low]).collect();
        let state = rtu(&[&[1, 3, 22][..], &words].concat());
        let replies = BTreeMap::from([
            ("measured", vec![measured.clone()]),
            ("unit", vec![unit.clone()]),
            ("state", vec![state]),
        ]);
        let (_, end) = play(mirror, mirror.read(&["dew_point"]).unwrap(), &replies);
        let value = &end.unwrap().values[0];
        assert_eq!(
            value.quality, quality,
            "mode {mode}, sensor {sensor}, fault {fault}"
        );
        assert_eq!(value.digits.to_string(), "-12.34");
    }
}

#[test]
fn commands_that_adjust_are_recognised_with_and_without_a_check_character() {
    let probe = description("rotronic-hc2").unwrap();
    let layout = BTreeMap::from([
        ("device".to_owned(), "F01".to_owned()),
        ("close".to_owned(), "}}".to_owned()),
    ]);
    let open = probe.with_layout(&layout).unwrap();
    for (request, command, class) in [
        (&b"{F01HCA 0;1;1;;}\r"[..], "adjust", Class::Calibrate),
        (b"{F01HCA 0;0;0;20.00;}\r", "adjust", Class::Calibrate),
        (
            b"{F01EWR 0;1300;050;017;128;059;}\r",
            "write_memory",
            Class::Calibrate,
        ),
        (b"{F01REN 0000000002;4;}\r", "change_address", Class::Set),
        (b"{F01RDD}\r", "read", Class::Read),
    ] {
        assert_eq!(
            recognised(&open, request),
            Some((command.to_owned(), class))
        );
    }
    assert_eq!(open.recognise(b"{F01XYZ}\r"), None);
    let adjust = Request {
        command: "adjust".to_owned(),
        args: [("kind", "0"), ("action", "1"), ("reference", "")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .to_vec(),
    };
    let sent = probe.encode(&adjust).unwrap();
    assert_eq!(
        recognised(probe, &sent),
        Some(("adjust".to_owned(), Class::Calibrate))
    );
    assert_eq!(probe.class("coefficient_a"), Some(Class::Read));
}

#[test]
fn coefficients_are_read_before_and_after_a_run() {
    let probe = description("rotronic-hc2").unwrap();
    let layout = BTreeMap::from([("close".to_owned(), "}}".to_owned())]);
    let probe = probe.with_layout(&layout).unwrap();
    let replies = BTreeMap::from([
        (
            "coefficient_a",
            vec![b"{ 99erd 050;017;128;059;Z\r".to_vec()],
        ),
        (
            "coefficient_b",
            vec![b"{ 99erd 127;005;027;181;V\r".to_vec()],
        ),
    ]);
    let (_, end) = play(&probe, probe.constants().unwrap(), &replies);
    let texts = end.unwrap().texts;
    let byte = |name: &str| texts[name].parse::<u8>().unwrap();
    let a = f32::from_le_bytes(["a_0", "a_1", "a_2", "a_3"].map(byte));
    assert_eq!(a.to_string(), "0.0039083");
}

#[test]
fn a_generator_is_left_without_flow_and_says_so() {
    let generator = description("grz5013").unwrap();
    let line = |flow: &str| {
        format!(
            "Uw= 0.0,Ui= 0.0,Tc= 42.379,Ts= 43.009,Td= -1001.00,Tf= -1001.00,Pc= 1013.40,Ps= 1017.54,Flux= {flow},PST= 00:00:00,TST= 00:00:00\r\n"
        )
        .into_bytes()
    };
    let replies = |flows: Vec<&str>| {
        BTreeMap::from([
            ("flow_off", vec![b"FA=0.0\r\n".to_vec()]),
            ("control_off", vec![b"CTRL=OFF\r\n".to_vec()]),
            ("cool_off", vec![b"COOL=OFF\r\n".to_vec()]),
            ("heat_off", vec![b"HEAT=OFF\r\n".to_vec()]),
            ("all", flows.into_iter().map(line).collect()),
        ])
    };
    let safe = || generator.safe_state().unwrap();
    let (sent, end) = play(
        generator,
        safe(),
        &replies(vec!["15.0", "14.0", "9.0", "3.0", "0.4", "0.0"]),
    );
    assert!(end.is_ok(), "{end:?}");
    let written: Vec<_> = sent.iter().filter(|name| *name != "all").collect();
    assert_eq!(written, ["flow_off", "control_off", "cool_off", "heat_off"]);

    let (_, end) = play(generator, safe(), &replies(vec!["15.0"]));
    let message = end.unwrap_err().to_string();
    assert!(message.contains("flow was set to 0.0"), "{message}");
    assert!(matches!(
        generator.set(&[("temperature", "20".parse().unwrap())]),
        Err(RecipeError::NotSettable { .. })
    ));
}

#[test]
fn a_line_with_echo_or_a_late_reply_is_told_apart() {
    let probe = description("vaisala-hmp155").unwrap();
    let send = Request::new("send");
    let plain = b"RH= 23.8 %RH T= 19.4 'C\r\n";
    let echoed = [b"SEND\r", &plain[..]].concat();
    assert_eq!(probe.decode(&send, plain), probe.decode(&send, &echoed));
    // The reply to VERS that comes after the time limit is no reading.
    let error = probe.decode(&send, b"HMP155 / 1.27\r\n").unwrap_err();
    assert!(matches!(*error.cause, DecodeCause::Layout { .. }));
    let generator = description("thunder-3900").unwrap();
    let set = Request {
        command: "set_relative_humidity".to_owned(),
        args: vec![("relative_humidity.set".to_owned(), "10".to_owned())],
    };
    assert_eq!(generator.decode(&set, b"\r\n"), Ok(Reply::default()));
    assert!(generator.decode(&set, b"\r\n20.14\r\n").is_err());
}

/// Command and class of a request on the wire.
fn recognised(model: &Description, tx: &[u8]) -> Option<(String, Class)> {
    let (request, class) = model.recognise(tx)?;
    Some((request.command, class))
}
