//! Simulated instruments over real pseudo-terminals: the whole path from request to value.

use std::sync::Arc;

use heng_drivers::{
    Bus, Clock, Description, Exchange, ExchangeOutcome, Laboratory, PlantSettings, Port, PortError,
    PortSettings, Quality, Recipe, RecipeError, RecipeOutcome, Request, Role, SimulatedPort,
    SimulatorOptions, SkippingClock, Step, Tenant, catalogue, description,
};

/// One instrument of the laboratory with the bus that leads to it.
struct Connection {
    model: &'static Description,
    tenant: Tenant,
    bus: Bus,
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
            serial_number: Some("70007".to_owned()),
            faults,
        };
        let instrument = laboratory.attach(role, model, options).unwrap();
        // A pseudo-terminal carries no parity.
        let settings = PortSettings::new(&instrument.path, "9600 8N1".parse().unwrap());
        let adapters = Arc::new(laboratory.clone());
        let bus = Bus::new(settings, Arc::new(clock.clone()), adapters);
        bus.open().await.unwrap();
        Self {
            model,
            tenant: bus.tenant(model.clone()),
            bus,
            log: Vec::new(),
            _instrument: instrument,
        }
    }

    async fn exchange(&mut self, request: &Request) -> Exchange {
        let exchange = self.tenant.exchange(request).await.unwrap();
        self.log.push(exchange.clone());
        exchange
    }

    /// Runs a recipe without any repetition.
    async fn run(&mut self, recipe: Recipe) -> Result<RecipeOutcome, RecipeError> {
        let log = &mut self.log;
        self.tenant
            .run(recipe, &mut |exchange| log.push(exchange.clone()))
            .await
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

/// Whether nothing can be asked of it.
fn only_talks(model: &Description) -> bool {
    match model.identify().advance(None) {
        Step::Send(request) => model.encode(&request).unwrap().is_empty(),
        _ => false,
    }
}

#[tokio::test]
async fn every_model_identifies_itself_and_gives_every_quantity() {
    let (laboratory, clock) = laboratory(1);
    for model in catalogue().iter().filter(|model| !only_talks(model)) {
        let role = model.simulated_role();
        let mut connection = Connection::new(&laboratory, &clock, model.id(), role, &[]).await;
        connection.run(model.stop_talk()).await.unwrap();
        let identity = connection.run(model.identify()).await.unwrap().identity;
        if let Some(serial) = identity.and_then(|identity| identity.serial) {
            assert_eq!(serial, "70007", "{}", model.id());
        }
        // What can only be set is not read.
        let read = |name: &str| model.read(&[name]).is_ok();
        for info in model.quantities().iter().filter(|info| read(&info.name)) {
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

/// The port of an instrument, without the bus.
async fn bare(laboratory: &Laboratory, id: &str, role: Role) -> (Port, SimulatedPort) {
    let model = description(id).unwrap();
    let instrument = laboratory.attach(role, model, SimulatorOptions::default());
    let instrument = instrument.unwrap();
    let settings = PortSettings::new(&instrument.path, "9600 8N1".parse().unwrap());
    (Port::open(&settings).await.unwrap(), instrument)
}

#[tokio::test]
async fn an_unknown_command_meets_silence() {
    let (laboratory, clock) = laboratory(4);
    let (mut port, _mirror) = bare(&laboratory, "mbw-473", Role::Mirror).await;
    let model = description("mbw-473").unwrap();
    let request = Request::new("dew_point");
    let limits = model.limits(&request);
    let mut frame = |bytes: &[u8]| model.frame(&request, bytes);
    let exchange = port
        .exchange(b"Nonsense?\r\n", &mut frame, limits, &clock)
        .await;
    assert_eq!(exchange.outcome, ExchangeOutcome::TimedOut);
    assert_eq!(exchange.received_us - exchange.sent_us, limits.total_us);
}

#[tokio::test]
async fn a_port_is_exclusive_and_its_settings_are_read_back() {
    let (laboratory, clock) = laboratory(4);
    let mirror = Connection::new(&laboratory, &clock, "mbw-473", Role::Mirror, &[]).await;
    let path = &mirror.bus.settings().path;
    let open = |line: &str| PortSettings::new(path, line.parse().unwrap());
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
    let missing = PortSettings::new("/dev/heng-no-such-port", "9600 8N1".parse().unwrap());
    let error = Port::open(&missing).await.unwrap_err().to_string();
    assert!(error.contains("/dev/heng-no-such-port"), "{error}");
}

#[tokio::test]
async fn what_an_instrument_says_unasked_is_drained() {
    let (laboratory, clock) = laboratory(4);
    let (mut port, _unit) = bare(&laboratory, "vaisala-hmt330", Role::UnitUnderTest).await;
    let model = description("vaisala-hmt330").unwrap();
    let request = Request::new("send");
    // Ends the exchange before the reply: the line then belongs to nobody.
    let limits = model.limits(&request);
    let tx = model.encode(&request).unwrap();
    let mut first_byte = |bytes: &[u8]| {
        if bytes.is_empty() {
            heng_drivers::Framing::NeedMore
        } else {
            heng_drivers::Framing::Complete(1)
        }
    };
    let exchange = port.exchange(&tx, &mut first_byte, limits, &clock).await;
    assert_eq!(exchange.rx, b"R");
    let rest = [exchange.unsolicited, port.drain(limits, &clock).await].concat();
    assert!(rest.ends_with(b"'C\r\n"), "{rest:?}");
    let mut frame = |bytes: &[u8]| model.frame(&request, bytes);
    let exchange = port.exchange(&tx, &mut frame, limits, &clock).await;
    assert!(model.decode(&request, &exchange.rx).is_ok());
}

#[tokio::test]
async fn a_dip_of_the_supply_leaves_a_well_idle_until_it_is_set_again() {
    let (laboratory, clock) = laboratory(4);
    let mut well =
        Connection::new(&laboratory, &clock, "fluke-9144", Role::Source, &["dip@5"]).await;
    let before = well.read("temperature").await.unwrap();
    assert_eq!(before.quality, Quality::Settling, "{before:?}");
    assert!(well.read("temperature").await.is_err());
    let after = well.read("temperature").await.unwrap();
    assert_eq!(after.quality, Quality::Idle, "{after:?}");
    let set = well.model.set(&[("temperature", "100".parse().unwrap())]);
    let outcome = well.run(set.unwrap()).await.unwrap();
    assert_eq!(outcome.values[0].digits.to_string(), "100.00");
    let again = well.read("temperature").await.unwrap();
    assert_eq!(again.quality, Quality::Settling, "{again:?}");
    well.run(well.model.safe_state().unwrap()).await.unwrap();
    let safe = well.read("temperature").await.unwrap();
    assert_eq!(safe.quality, Quality::Idle, "{safe:?}");
}

#[tokio::test]
async fn a_unit_that_only_talks_is_listened_to() {
    let (laboratory, clock) = laboratory(4);
    let mut heard_of = 0;
    for model in catalogue().iter().filter(|model| only_talks(model)) {
        let role = model.simulated_role();
        let (mut port, _unit) = bare(&laboratory, model.id(), role).await;
        clock.wait_until(clock.now_us() + 10_000_000).await;
        for info in model.quantities() {
            let mut recipe = model.read(&[&info.name]).unwrap();
            let Step::Send(request) = recipe.advance(None) else {
                panic!("{}", model.id())
            };
            // The lines are due; this thread may be quicker than that of the unit.
            let mut heard = Vec::new();
            for _ in 0..100 {
                heard.extend(port.drain(model.limits(&request), &clock).await);
                if !heard.is_empty() {
                    break;
                }
            }
            let heng_drivers::Framing::Complete(length) = model.frame(&request, &heard) else {
                panic!("{}: {heard:?}", model.id())
            };
            let reply = model.decode(&request, &heard[..length]).unwrap();
            assert_eq!(reply.value(&info.name).unwrap().unit, info.unit);
            heard_of += 1;
        }
    }
    assert_eq!(
        heard_of, 2,
        "one quantity each of a balance and a height gauge"
    );
}

#[tokio::test]
async fn a_pressure_is_set_read_within_limits_and_vented() {
    let (laboratory, clock) = laboratory(9);
    let role = Role::PressureController;
    let mut controller = Connection::new(&laboratory, &clock, "druck-pace", role, &[]).await;
    let role = Role::PressureReference;
    let mut reference = Connection::new(&laboratory, &clock, "paroscientific-735", role, &[]).await;
    let room = reference.read("pressure").await.unwrap().digits.to_f64();
    let set = controller
        .model
        .set(&[("pressure", "800".parse().unwrap())]);
    controller.run(set.unwrap()).await.unwrap();
    let begun = controller.read("pressure").await.unwrap();
    assert_eq!(begun.quality, Quality::Settling);
    clock.wait_until(clock.now_us() + 60_000_000).await;
    let reached = controller.read("pressure").await.unwrap();
    assert_eq!(reached.quality, Quality::Valid, "{reached:?}");
    assert!((reached.digits.to_f64() - 800.0).abs() < 0.2, "{reached:?}");
    let seen = reference.read("pressure").await.unwrap().digits.to_f64();
    assert!((seen - 800.0).abs() < 0.5, "{seen}");
    let safe = controller.model.safe_state().unwrap();
    controller.run(safe).await.unwrap();
    clock.wait_until(clock.now_us() + 30_000_000).await;
    let vented = reference.read("pressure").await.unwrap().digits.to_f64();
    assert!((vented - room).abs() < 1.0, "{vented} {room}");
}

#[tokio::test]
async fn a_balance_says_while_its_weight_moves() {
    for id in ["mettler-mtsics", "sartorius-sbi"] {
        let (laboratory, clock) = laboratory(9);
        let mut balance = Connection::new(&laboratory, &clock, id, Role::Balance, &[]).await;
        clock.wait_until(20_000_000).await;
        laboratory.place(Role::Balance, "mass", 100.0).unwrap();
        let moving = balance.read("mass").await.unwrap();
        assert_eq!(moving.quality, Quality::Settling, "{id} {moving:?}");
        clock.wait_until(clock.now_us() + 30_000_000).await;
        let resting = balance.read("mass").await.unwrap();
        assert_eq!(resting.quality, Quality::Valid, "{id} {resting:?}");
        assert!(
            (resting.digits.to_f64() - 100.0).abs() < 0.01,
            "{id} {resting:?}"
        );
    }
}
