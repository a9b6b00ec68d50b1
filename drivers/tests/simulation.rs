//! Simulated instruments over real pseudo-terminals: the whole path from request to value.

use std::sync::Arc;

use heng_drivers::{
    Clock, Description, Exchange, ExchangeOutcome, Laboratory, PlantSettings, Port, PortError,
    PortSettings, Quality, Recipe, RecipeError, RecipeOutcome, Request, Role, SimulatedPort,
    SimulatorOptions, SkippingClock, Step, catalogue, description,
};

/// One instrument of the laboratory with the port that leads to it.
struct Connection {
    model: &'static Description,
    port: Port,
    clock: SkippingClock,
    log: Vec<Exchange>,
    _instrument: SimulatedPort,
}

impl Connection {
    async fn new(
        laboratory: &Laboratory,
        clock: &SkippingClock,
        id: &str,
        role: Role,
        faults: &[&str],
    ) -> Self {
        let model = description(id).unwrap();
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        let options = SimulatorOptions {
            serial_number: Some("SIM-7".to_owned()),
            faults,
        };
        let instrument = laboratory.attach(role, model, options).unwrap();
        // A pseudo-terminal carries no parity.
        let settings = PortSettings {
            path: instrument.path.clone(),
            line: "9600 8N1".parse().unwrap(),
        };
        let port = Port::open(&settings).await.unwrap();
        Self {
            model,
            port,
            clock: clock.clone(),
            log: Vec::new(),
            _instrument: instrument,
        }
    }

    async fn exchange(&mut self, request: &Request) -> Exchange {
        let tx = self.model.encode(request).unwrap();
        let mut frame = |bytes: &[u8]| self.model.frame(request, bytes);
        let exchange = self
            .port
            .exchange(&tx, &mut frame, self.model.limits(request), &self.clock)
            .await;
        self.log.push(exchange.clone());
        exchange
    }

    /// Runs a recipe without any repetition.
    async fn run(&mut self, mut recipe: Recipe) -> Result<RecipeOutcome, RecipeError> {
        let mut reply = None;
        loop {
            match recipe.advance(reply.take()) {
                Step::Send(request) => {
                    let exchange = self.exchange(&request).await;
                    reply = Some(self.model.decode(&request, &exchange.rx));
                }
                Step::Wait { us } => self.clock.wait_until(self.clock.now_us() + us).await,
                Step::Done(outcome) => return Ok(outcome),
                Step::Failed(error) => return Err(error),
            }
        }
    }

    async fn read(&mut self, quantity: &str) -> Result<heng_drivers::Value, RecipeError> {
        let recipe = self.model.read(&[quantity]).unwrap();
        self.run(recipe)
            .await
            .map(|outcome| outcome.values[0].clone())
    }
}

fn laboratory(seed: u64) -> (Laboratory, SkippingClock) {
    // A missing reply is waited for in earnest, so the tests keep that short; a reply that
    // comes at all comes within a millisecond.
    let clock = SkippingClock::with_longest_wait(std::time::Duration::from_millis(400));
    (
        Laboratory::new(PlantSettings::default(), seed, Arc::new(clock.clone())),
        clock,
    )
}

const BENCH: [(&str, Role, &str); 5] = [
    ("mbw-473", Role::Mirror, "dew_point"),
    ("fluke-1529", Role::Thermometer, "temperature"),
    ("vaisala-ptb330", Role::Barometer, "pressure"),
    ("vaisala-hmt330", Role::UnitUnderTest, "relative_humidity"),
    ("weiss-ascii2", Role::Chamber, "relative_humidity"),
];

#[tokio::test]
async fn every_model_identifies_itself_and_gives_every_quantity() {
    let (laboratory, clock) = laboratory(1);
    for model in catalogue() {
        let role = match model.id() {
            "fluke-7341" => Role::Source,
            id => BENCH.iter().find(|(known, ..)| *known == id).unwrap().1,
        };
        let mut connection = Connection::new(&laboratory, &clock, model.id(), role, &[]).await;
        connection.run(model.stop_talk()).await.unwrap();
        let identity = connection.run(model.identify()).await.unwrap().identity;
        match model.id() {
            "weiss-ascii2" => assert_eq!(identity, None),
            "fluke-7341" => assert_eq!(identity.unwrap().serial, None),
            id => assert_eq!(identity.unwrap().serial.as_deref(), Some("SIM-7"), "{id}"),
        }
        for info in model.quantities() {
            let value = connection.read(&info.name).await.unwrap();
            assert_eq!(value.unit, info.unit);
            assert!(
                matches!(value.quality, Quality::Valid | Quality::Settling),
                "{} {value:?}",
                model.id()
            );
        }
        assert!(
            connection
                .log
                .iter()
                .all(|exchange| exchange.outcome == ExchangeOutcome::Complete)
        );
        assert!(
            connection
                .log
                .iter()
                .all(|exchange| exchange.unsolicited.is_empty())
        );
    }
}

/// Sets the chamber, waits an hour of virtual time, reads everything twenty times.
async fn session(seed: u64) -> Vec<Exchange> {
    let (laboratory, clock) = laboratory(seed);
    let mut bench = Vec::new();
    for (id, role, quantity) in BENCH {
        bench.push((
            Connection::new(&laboratory, &clock, id, role, &[]).await,
            quantity,
        ));
    }
    let chamber = &mut bench[4].0;
    let set = chamber.model.set(&[
        ("temperature", "23.0".parse().unwrap()),
        ("relative_humidity", "60.0".parse().unwrap()),
    ]);
    chamber.run(set.unwrap()).await.unwrap();
    clock.wait_until(3_600_000_000).await;
    for _ in 0..20 {
        for (connection, quantity) in &mut bench {
            let value = connection.read(quantity).await.unwrap();
            assert_eq!(value.quality, Quality::Valid, "{value:?}");
        }
        clock.wait_until(clock.now_us() + 10_000_000).await;
    }
    bench
        .into_iter()
        .flat_map(|(connection, _)| connection.log)
        .collect()
}

#[tokio::test]
async fn a_session_with_one_seed_is_the_same_to_the_last_byte() {
    let (first, again, other) = (session(42).await, session(42).await, session(43).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn the_chamber_takes_a_set_point_and_the_references_follow() {
    let (laboratory, clock) = laboratory(9);
    let mut chamber =
        Connection::new(&laboratory, &clock, "weiss-ascii2", Role::Chamber, &[]).await;
    let mut thermometer =
        Connection::new(&laboratory, &clock, "fluke-1529", Role::Thermometer, &[]).await;
    let set = chamber
        .model
        .set(&[("temperature", "30.0".parse().unwrap())])
        .unwrap();
    let outcome = chamber.run(set).await.unwrap();
    assert_eq!(outcome.values[0].digits.to_string(), "30.0");
    clock.wait_until(4_000_000_000).await;
    let reference = thermometer
        .read("temperature")
        .await
        .unwrap()
        .digits
        .to_f64();
    // Set point plus the gradient to the reference place.
    assert!((reference - 30.1).abs() < 0.06, "{reference}");
    let safe = chamber.model.safe_state().unwrap();
    chamber.run(safe).await.unwrap();
    clock.wait_until(12_000_000_000).await;
    let reference = thermometer
        .read("temperature")
        .await
        .unwrap()
        .digits
        .to_f64();
    assert!((reference - 23.1).abs() < 0.06, "{reference}");
}

#[tokio::test]
async fn a_bath_without_acknowledgement_is_set_and_read_back() {
    let (laboratory, clock) = laboratory(9);
    let mut bath = Connection::new(&laboratory, &clock, "fluke-7341", Role::Source, &[]).await;
    let set = bath
        .model
        .set(&[("temperature", "40.00".parse().unwrap())])
        .unwrap();
    assert_eq!(
        bath.run(set).await.unwrap().values[0].digits.to_string(),
        "40.00"
    );
}

#[tokio::test]
async fn every_fault_gives_a_clear_error_and_the_next_reading_is_sound() {
    let cases = [
        ("drop@1", "no reply"),
        ("truncate:9@1", "breaks off before its end"),
        ("truncate:0@1", "no reply"),
        ("garble:12@1", "line 1, byte 13"),
        ("late:30000@1", "no reply"),
        (
            "unit:kPa@1",
            "pressure comes in \"kPa\", the description says hPa",
        ),
    ];
    for (fault, message) in cases {
        let (laboratory, clock) = laboratory(4);
        let mut barometer = Connection::new(
            &laboratory,
            &clock,
            "vaisala-ptb330",
            Role::Barometer,
            &[fault],
        )
        .await;
        let error = barometer.read("pressure").await.unwrap_err().to_string();
        assert!(error.contains(message), "{fault}: {error}");
        assert!(
            error.contains("vaisala-ptb330, command \"send\""),
            "{error}"
        );
        clock.wait_until(clock.now_us() + 60_000_000).await;
        let value = barometer.read("pressure").await.unwrap();
        assert_eq!(value.quality, Quality::Valid, "{fault}");
        assert!((1006.0..1010.0).contains(&value.digits.to_f64()), "{fault}");
        let late = &barometer.log[1].unsolicited;
        assert_eq!(
            fault.starts_with("late"),
            late.ends_with(b"hPa\r\n"),
            "{fault}: {late:?}"
        );
    }
}

#[tokio::test]
async fn over_range_missing_and_frozen_values_are_told_as_they_are() {
    let (laboratory, clock) = laboratory(4);
    let faults = ["over-range@1", "no-value@2", "freeze@3x2"];
    let mut unit = Connection::new(
        &laboratory,
        &clock,
        "vaisala-hmt330",
        Role::UnitUnderTest,
        &faults,
    )
    .await;
    let mut read = Vec::new();
    for _ in 0..4 {
        read.push(unit.read("relative_humidity").await.unwrap());
    }
    assert_eq!(
        (read[0].quality, read[0].digits.to_string().as_str()),
        (Quality::OverRange, "101.0")
    );
    assert_eq!(read[1].quality, Quality::NoValue);
    assert_eq!(unit.log[2].rx, unit.log[3].rx);
}

#[tokio::test]
async fn a_port_that_disappears_is_reported_as_closed() {
    for fault in ["vanish@2", "vanish@100s"] {
        let (laboratory, clock) = laboratory(4);
        let mut unit = Connection::new(
            &laboratory,
            &clock,
            "vaisala-hmt330",
            Role::UnitUnderTest,
            &[fault],
        )
        .await;
        unit.read("temperature").await.unwrap();
        clock.wait_until(200_000_000).await;
        let exchange = unit.exchange(&Request::new("send")).await;
        assert!(
            matches!(exchange.outcome, ExchangeOutcome::Closed { .. }),
            "{fault}: {exchange:?}"
        );
        assert!(exchange.rx.is_empty());
        let exchange = unit.exchange(&Request::new("send")).await;
        assert!(
            matches!(exchange.outcome, ExchangeOutcome::Closed { .. }),
            "{fault}: {exchange:?}"
        );
    }
}

#[tokio::test]
async fn an_unknown_command_meets_silence() {
    let (laboratory, clock) = laboratory(4);
    let mut mirror = Connection::new(&laboratory, &clock, "mbw-473", Role::Mirror, &[]).await;
    let request = Request::new("dew_point");
    let limits = mirror.model.limits(&request);
    let mut frame = |bytes: &[u8]| mirror.model.frame(&request, bytes);
    let exchange = mirror
        .port
        .exchange(b"Nonsense?\r\n", &mut frame, limits, &clock)
        .await;
    assert_eq!(exchange.outcome, ExchangeOutcome::TimedOut);
    assert_eq!(exchange.received_us - exchange.sent_us, limits.total_us);
}

#[tokio::test]
async fn a_port_is_exclusive_and_its_settings_are_read_back() {
    let (laboratory, clock) = laboratory(4);
    let mirror = Connection::new(&laboratory, &clock, "mbw-473", Role::Mirror, &[]).await;
    let open = |line: &str| PortSettings {
        path: mirror.port.settings().path.clone(),
        line: line.parse().unwrap(),
    };
    let error = Port::open(&open("9600 8N1")).await.unwrap_err();
    assert!(matches!(error, PortError::Open { .. }), "{error}");
    // A pseudo-terminal keeps eight bits or refuses seven, depending on the C library.
    let other = laboratory
        .attach(Role::Mirror, mirror.model, SimulatorOptions::default())
        .unwrap();
    let error = Port::open(&PortSettings {
        path: other.path.clone(),
        ..open("4800 7E1")
    })
    .await
    .unwrap_err();
    assert!(
        error.to_string().contains(&other.path) && error.to_string().contains("4800 7E1"),
        "{error}"
    );
    let missing = PortSettings {
        path: "/dev/heng-no-such-port".to_owned(),
        line: "9600 8N1".parse().unwrap(),
    };
    let error = Port::open(&missing).await.unwrap_err().to_string();
    assert!(error.contains("/dev/heng-no-such-port"), "{error}");
}

#[tokio::test]
async fn what_an_instrument_says_unasked_is_drained() {
    let (laboratory, clock) = laboratory(4);
    let mut unit = Connection::new(
        &laboratory,
        &clock,
        "vaisala-hmt330",
        Role::UnitUnderTest,
        &[],
    )
    .await;
    let request = Request::new("send");
    // Ends the exchange before the reply: the line then belongs to nobody.
    let limits = unit.model.limits(&request);
    let tx = unit.model.encode(&request).unwrap();
    let mut first_byte = |bytes: &[u8]| {
        if bytes.is_empty() {
            heng_drivers::Framing::NeedMore
        } else {
            heng_drivers::Framing::Complete(1)
        }
    };
    let exchange = unit
        .port
        .exchange(&tx, &mut first_byte, limits, &clock)
        .await;
    assert_eq!(exchange.rx, b"R");
    let rest = [exchange.unsolicited, unit.port.drain(limits, &clock).await].concat();
    assert!(rest.ends_with(b"'C\r\n"), "{rest:?}");
    assert_eq!(
        unit.read("temperature").await.unwrap().quality,
        Quality::Valid
    );
}
