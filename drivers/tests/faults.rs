//! What faults and hooks of simulated instruments look like on the wire, byte for byte
//! against the same instrument without them.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use heng_drivers::{
    Clock, Description, Laboratory, PlantSettings, Role, SimulateError, SimulatedPort,
    SimulatorOptions, SkippingClock, description,
};
use serialport::TTYPort;

/// A client that writes and reads bytes and knows nothing of descriptions.
struct Wire {
    laboratory: Laboratory,
    clock: SkippingClock,
    line: TTYPort,
    _instrument: SimulatedPort,
}

impl Wire {
    fn new(seed: u64, role: Role, model: &Description, faults: &[&str]) -> Self {
        let clock = SkippingClock::new();
        let laboratory = Laboratory::new(PlantSettings::default(), seed, Arc::new(clock.clone()));
        let options = SimulatorOptions {
            serial_number: Some("SIM-7".to_owned()),
            faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        };
        let instrument = laboratory.attach(role, model, options).unwrap();
        let line = serialport::new(&instrument.path, 9600)
            .timeout(Duration::from_secs(20))
            .open_native()
            .unwrap();
        Self {
            laboratory,
            clock,
            line,
            _instrument: instrument,
        }
    }

    fn send(&mut self, request: &str) {
        self.line.write_all(request.as_bytes()).unwrap();
        self.line.write_all(b"\r").unwrap();
    }

    fn pass(&self, ms: u64) {
        self.clock.spent(ms * 1000);
    }

    /// Everything before `reply`, which is the sound reply to `request`: nothing is waited
    /// for that does not come.
    fn until(&mut self, request: &str, reply: &str) -> String {
        self.send(request);
        let mut all = Vec::new();
        let mut byte = [0];
        while !all.ends_with(reply.as_bytes()) {
            self.line.read_exact(&mut byte).unwrap();
            all.push(byte[0]);
        }
        all.truncate(all.len() - reply.len());
        all.iter().map(|&byte| char::from(byte)).collect()
    }

    /// One reply of one line.
    fn ask(&mut self, request: &str) -> String {
        self.send(request);
        let mut all = Vec::new();
        let mut byte = [0];
        while !all.ends_with(b"\r\n") {
            self.line.read_exact(&mut byte).unwrap();
            all.push(byte[0]);
        }
        String::from_utf8(all).unwrap().trim_end().to_owned()
    }

    fn number(&mut self, request: &str) -> f64 {
        let reply = self.ask(request);
        reply.parse().unwrap_or_else(|_| panic!("{reply:?}"))
    }
}

const SENTINEL: (&str, &str) = ("VERS", "HMT330 / 5.16\r\n");

/// Bytes that five readings at one instant bring.
fn readings(seed: u64, faults: &[&str]) -> String {
    let model = description("vaisala-hmt330").unwrap();
    let mut wire = Wire::new(seed, Role::UnitUnderTest, model, faults);
    for _ in 0..5 {
        wire.send("SEND");
    }
    wire.until(SENTINEL.0, SENTINEL.1)
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[test]
fn each_fault_changes_the_wire_as_it_says_and_leaves_the_readings_alone() {
    let clean = readings(5, &[]);
    let all = lines(&clean);
    assert_eq!(all.len(), 5);
    let unique: std::collections::BTreeSet<_> = all.iter().collect();
    assert!(
        unique.len() > 1,
        "readings without noise prove nothing: {clean}"
    );
    let [one, two, three, four, five] = [all[0], all[1], all[2], all[3], all[4]];
    let expect = |parts: &[&str]| parts.concat();
    for (fault, expected) in [
        ("drop@2", expect(&[one, three, four, five])),
        ("truncate:4@2", expect(&[one, &two[..4], three, four, five])),
        ("duplicate@2", expect(&[one, two, two, three, four, five])),
        (
            "echo@2x2",
            expect(&[one, "SEND\r", two, "SEND\r", three, four, five]),
        ),
        ("swap@2x2", expect(&[one, one, two, four, five])),
        ("swap@1", expect(&[two, three, four, five])),
        ("noise:0@1x100", clean.clone()),
    ] {
        assert_eq!(readings(5, &[fault]), expected, "{fault}");
    }
}

#[test]
fn noise_on_the_line_is_the_same_for_one_seed_and_ends_with_its_count() {
    let clean = readings(5, &[]);
    let fault = ["noise:8@1x4"];
    let noisy = readings(5, &fault);
    assert_eq!(noisy, readings(5, &fault));
    assert_ne!(noisy, clean);
    assert_ne!(noisy, readings(6, &fault));
    assert!(noisy.ends_with(lines(&clean)[4]), "{noisy:?}");
}

#[test]
fn a_stranger_has_another_serial_number_from_then_on() {
    let model = description("vaisala-hmt330").unwrap();
    let mut wire = Wire::new(1, Role::UnitUnderTest, model, &["stranger:SN-9@2"]);
    let serials: Vec<_> = (0..3).map(|_| wire.ask("SNUM")).collect();
    let label = |serial| format!("Serial number  : {serial}");
    assert_eq!(serials, [label("SIM-7"), label("SN-9"), label("SN-9")]);
}

/// Readings unasked from two triggers, with what the stop command leaves.
fn talking(fault: &str) -> (String, String) {
    let model = description("vaisala-hmt330").unwrap();
    let mut wire = Wire::new(3, Role::UnitUnderTest, model, &[fault]);
    assert_eq!(wire.until(SENTINEL.0, SENTINEL.1), "");
    wire.pass(3_700);
    let said = wire.until(SENTINEL.0, SENTINEL.1);
    wire.send("s");
    // The reply shows that the command before it was taken in.
    let between = wire.until(SENTINEL.0, SENTINEL.1);
    assert_eq!(between, "");
    wire.pass(60_000);
    (said, wire.until(SENTINEL.0, SENTINEL.1))
}

#[test]
fn an_instrument_talks_unasked_until_it_is_stopped() {
    let (said, rest) = talking("talk:1000@1");
    assert_eq!(lines(&said).len(), 3, "{said:?}");
    assert!(lines(&said).iter().all(|line| line.starts_with("RH=")));
    assert_eq!(rest, "");
    assert_eq!(talking("talk:1000@1").0, said);
    assert_eq!(lines(&talking("talk:500@2s").0).len(), 3);
}

#[test]
fn a_late_reply_comes_before_the_reply_to_the_next_request() {
    let model = description("vaisala-hmt330").unwrap();
    let mut wire = Wire::new(3, Role::UnitUnderTest, model, &["late:5000@1"]);
    wire.send("SEND");
    assert_eq!(wire.until(SENTINEL.0, SENTINEL.1), "");
    wire.pass(6_000);
    let late = wire.until(SENTINEL.0, SENTINEL.1);
    assert!(
        late.starts_with("RH=") && lines(&late).len() == 1,
        "{late:?}"
    );
}

/// A dry well and a balance, reduced to what the hooks of `[simulate]` need. The units differ
/// from those of the plants.
fn described(quantities: &str, commands: &[(&str, &str, &str)], simulate: &str) -> Description {
    let mut text = format!(
        r#"
format = 1
version = "1.0.0"
maker = "none"
model = "made for a test"
kind = {{ en = "test", zh = "测试" }}
line = "9600 8N1"
sources = ["none: made for this test"]
request = {{ end = "\r" }}
reply = {{ end = "\r\n" }}
limits = {{ first_byte_ms = 1000, between_bytes_ms = 200, total_ms = 2000, gap_ms = 0, latency_ms = 1, retries = 0 }}
identify = {{ commands = [] }}
{quantities}
"#
    );
    for (name, send, reply) in commands {
        text.extend([
            "[[command]]\nname = ",
            &quoted(name),
            "\nsend = ",
            &quoted(send),
            "\n",
        ]);
        if !reply.is_empty() {
            text.extend(["reply = [", &quoted(reply), "]\n"]);
        }
    }
    text.push_str(simulate);
    Description::parse("made-for-a-test", &text).unwrap()
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn dry_well() -> Description {
    described(
        r#"
[[quantity]]
name = "temperature"
unit = "K"
min = 0.0
max = 1000.0
read = ["read"]
set = [200.0, 900.0]
[set]
write = ["set"]
settle_ms = 0
verify = "set_point"
"#,
        &[
            ("read", "SOUR:SENS:DATA?", "{temperature:.3}"),
            ("set", "SOUR:SPO {temperature.set:.2}", ""),
            ("set_point", "SOUR:SPO?", "{temperature.set:.2}"),
            ("on", "OUTP:STAT 1", ""),
            ("off", "OUTP:STAT 0", ""),
            ("output", "OUTP:STAT?", "{output}"),
            ("stable", "SOUR:STAB:TEST?", "{stable}"),
        ],
        r#"
[simulate]
role = "source"
texts = { output = "0" }
set_points = { temperature = "298.15" }
running = { output = "1" }
steady = { stable = ["0", "1"] }
power_up = { output = "0" }
does = { on = { output = "1" }, off = { output = "0" } }
"#,
    )
}

#[test]
fn a_power_dip_switches_the_output_off_and_the_well_cools() {
    let mut wire = Wire::new(2, Role::Source, &dry_well(), &["dip@4000s"]);
    wire.send("SOUR:SPO 353.15");
    wire.pass(1_800_000);
    let cold = wire.number("SOUR:SENS:DATA?");
    assert!((cold - 296.15).abs() < 0.1, "the output is off: {cold}");
    wire.send("outp:stat 1");
    assert_eq!(wire.ask("OUTP:STAT?"), "1");
    wire.pass(2_100_000);
    let hot = wire.number("SOUR:SENS:DATA?");
    assert!((hot - 353.15).abs() < 0.1, "{hot}");
    assert_eq!(wire.ask("SOUR:STAB:TEST?"), "1");
    wire.pass(200_000);
    // This one meets the dip and has no reply.
    wire.send("SOUR:STAB:TEST?");
    assert_eq!(wire.ask("OUTP:STAT?"), "0");
    assert_eq!(wire.ask("SOUR:SPO?"), "353.15");
    wire.pass(900_000);
    let cooler = wire.number("SOUR:SENS:DATA?");
    assert!((300.0..345.0).contains(&cooler), "{cooler}");
    assert_eq!(wire.ask("SOUR:STAB:TEST?"), "0");
}

fn balance() -> Description {
    described(
        r#"
[[quantity]]
name = "mass"
unit = "kg"
min = 0.0
max = 1.0
read = ["now"]
"#,
        &[
            ("now", "SI", "S {state} {mass:10.7}"),
            ("tare", "T", "T S"),
            ("adjust", "C3", "C3 B"),
            ("adjusted", "C3?", "{done} {rest}"),
        ],
        r#"
[simulate]
role = "balance"
texts = { done = "A", rest = "0" }
steady = { state = ["D", "S"] }
acts = { tare = "tare", adjust = "adjust" }
does = { adjust = { rest = "2" } }
later = [
  { field = "rest", from = "2", to = "1", after_ms = 10000 },
  { field = "rest", from = "1", to = "0", after_ms = 15000 },
]
marks = { done = { mark = "adjusting", yes = "B" } }
"#,
    )
}

#[test]
fn commands_act_on_the_plant_and_text_fields_follow_it() {
    let mut wire = Wire::new(2, Role::Balance, &balance(), &[]);
    wire.laboratory.place(Role::Balance, "mass", 200.0).unwrap();
    wire.pass(1_000);
    assert!(wire.ask("SI").starts_with("S D"));
    wire.pass(30_000);
    let loaded = wire.ask("SI");
    let kilograms: f64 = loaded.strip_prefix("S S ").unwrap().trim().parse().unwrap();
    assert!((kilograms - 0.2).abs() < 2e-6, "{loaded}");
    assert_eq!(wire.ask("T"), "T S");
    assert!(wire.ask("SI").contains(" 0.000000") || wire.ask("SI").contains("-0.000000"));
    assert_eq!(wire.ask("C3?"), "A 0");
    assert_eq!(wire.ask("C3"), "C3 B");
    for (ms, reply) in [(5000, "B 2"), (10_000, "B 1"), (15_000, "A 0")] {
        wire.pass(ms);
        assert_eq!(wire.ask("C3?"), reply);
    }
}

#[test]
fn what_a_role_does_not_have_is_refused_before_anything_is_asked() {
    let clock = Arc::new(SkippingClock::new());
    let laboratory = Laboratory::new(PlantSettings::default(), 1, clock);
    let refused = |role, model: &Description| {
        laboratory
            .attach(role, model, SimulatorOptions::default())
            .unwrap_err()
    };
    let error = refused(Role::Barometer, &balance()).to_string();
    assert!(
        error.contains("made-for-a-test") && error.contains("\"mass\""),
        "{error}"
    );
    let text = balance().text().replace("unit = \"kg\"", "unit = \"K\"");
    let kelvin = Description::parse("kelvin", &text).unwrap();
    let error = refused(Role::Balance, &kelvin).to_string();
    assert!(error.contains("cannot be converted to K"), "{error}");
    let text = balance()
        .text()
        .replace("tare = \"tare\"", "tara = \"tare\"");
    let misspelt = Description::parse("misspelt", &text).unwrap();
    let error = refused(Role::Balance, &misspelt);
    assert!(matches!(error, SimulateError::Hook { .. }), "{error}");
    let error = laboratory.place(Role::Barometer, "mass", 1.0).unwrap_err();
    assert!(error.to_string().contains("mass"), "{error}");
}
