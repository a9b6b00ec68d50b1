//! Several instruments on one line, and lines that come and go.

use std::sync::Arc;
use std::time::Duration;

use heng_drivers::{
    Bus, Clock, Description, Exchange, ExchangeOutcome, Laboratory, PlantSettings, Port, PortError,
    PortSettings, Quality, Request, Role, SimulatedPort, SimulatorOptions, SkippingClock, Tenant,
    UsbAdapters, description,
};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn laboratory(seed: u64) -> (Laboratory, SkippingClock) {
    let clock = SkippingClock::with_longest_wait(Duration::from_millis(400));
    let laboratory = Laboratory::new(PlantSettings::default(), seed, Arc::new(clock.clone()));
    (laboratory, clock)
}

fn chamber(address: &str) -> Description {
    let layout = [("address".to_owned(), address.to_owned())].into();
    description("weiss-ascii2")
        .unwrap()
        .with_layout(&layout)
        .unwrap()
}

/// A line with two climatic chambers, a hygrometer and a thermometer: three protocols.
struct Line {
    tenants: Vec<(Tenant, &'static str)>,
    bus: Bus,
    clock: SkippingClock,
    _far_end: SimulatedPort,
}

impl Line {
    /// `faults` of the instrument with that index.
    async fn new(seed: u64, faulty: usize, faults: &[&str]) -> Self {
        let (laboratory, clock) = laboratory(seed);
        let models = [
            (Role::Chamber, chamber("01"), "temperature"),
            (
                Role::UnitUnderTest,
                description("vaisala-hmt330").unwrap().clone(),
                "temperature",
            ),
            (
                Role::Thermometer,
                description("fluke-1529").unwrap().clone(),
                "temperature",
            ),
            (Role::Chamber, chamber("02"), "temperature"),
        ];
        let instruments = models.iter().enumerate().map(|(index, (role, model, _))| {
            let faults = faults.iter().filter(|_| index == faulty);
            let options = SimulatorOptions {
                serial_number: Some(format!("SIM-{index}")),
                faults: faults.map(|fault| fault.parse().unwrap()).collect(),
            };
            (*role, model.clone(), options)
        });
        let line = laboratory.attach_line(instruments.collect()).unwrap();
        let mut settings = PortSettings::new(&line.path, "9600 8N1".parse().unwrap());
        settings.adapter = Some(line.adapter.clone());
        let bus = Bus::new(settings, Arc::new(clock.clone()), Arc::new(laboratory));
        bus.open().await.unwrap();
        let tenants = models.map(|(_, model, quantity)| (bus.tenant(model), quantity));
        Self {
            tenants: tenants.into(),
            bus,
            clock,
            _far_end: line,
        }
    }

    async fn read(&mut self, index: usize) -> Result<heng_drivers::Value, String> {
        let (tenant, quantity) = &mut self.tenants[index];
        let recipe = tenant.description().read(&[*quantity]).unwrap();
        let read = tenant.run(recipe, &mut |_| ()).await;
        read.map(|outcome| outcome.values[0].clone())
            .map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn three_protocols_share_one_line_and_each_gets_its_own_answer() {
    let mut line = Line::new(11, 0, &[]).await;
    for (index, serial) in [(1, "SIM-1"), (2, "SIM-2")] {
        let (tenant, _) = &mut line.tenants[index];
        let recipe = tenant.description().identify();
        let identity = tenant
            .run(recipe, &mut |_| ())
            .await
            .unwrap()
            .identity
            .unwrap();
        assert_eq!(identity.serial.as_deref(), Some(serial));
    }
    for _ in 0..20 {
        for index in 0..4 {
            let value = line.read(index).await.unwrap();
            assert!(
                matches!(value.quality, Quality::Valid | Quality::Settling),
                "{value:?}"
            );
            assert!(
                (20.0..27.0).contains(&value.digits.to_f64()),
                "{index}: {value:?}"
            );
        }
    }
}

#[tokio::test]
async fn tenants_take_turns_and_none_is_crowded_out() {
    let line = Line::new(11, 0, &[]).await;
    let order: Arc<std::sync::Mutex<Vec<usize>>> = Arc::default();
    let mut readers = Vec::new();
    for (index, (mut tenant, quantity)) in line.tenants.into_iter().enumerate() {
        let order = Arc::clone(&order);
        readers.push(tokio::spawn(async move {
            for _ in 0..25 {
                let recipe = tenant.description().read(&[quantity]).unwrap();
                let seen = &mut |_: &Exchange| order.lock().unwrap().push(index);
                tenant.run(recipe, seen).await.unwrap();
            }
        }));
    }
    for reader in readers {
        reader.await.unwrap();
    }
    let order = order.lock().unwrap();
    for turn in order[..4 * 20].chunks(4) {
        let mut speakers = turn.to_vec();
        speakers.sort_unstable();
        assert_eq!(speakers, [0, 1, 2, 3], "{order:?}");
    }
}

#[tokio::test]
async fn the_next_speaker_waits_for_the_silence_that_the_last_one_needs() {
    let mut line = Line::new(11, 0, &[]).await;
    let mut before: Option<(u64, u64)> = None;
    for round in 0..8 {
        let (tenant, quantity) = &mut line.tenants[round % 4];
        let model = tenant.description().clone();
        let recipe = model.read(&[*quantity]).unwrap();
        let mut times = Vec::new();
        let seen = &mut |one: &Exchange| times.push((one.sent_us, one.received_us));
        tenant.run(recipe, seen).await.unwrap();
        let gap_us = model.limits(&Request::new("")).gap_us;
        for (sent_us, received_us) in times {
            if let Some((last_us, last_gap_us)) = before {
                let silence_us = sent_us - last_us;
                assert!(
                    silence_us >= last_gap_us.max(gap_us),
                    "{round}: {silence_us}"
                );
            }
            before = Some((received_us, gap_us));
        }
    }
}

/// The reply of one chamber comes while its neighbour is asked: same maker, same layout of
/// the reply, nothing in it that says who sent it.
#[test]
fn a_late_reply_is_never_taken_for_the_answer_of_another() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let refused = std::cell::Cell::new(0);
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) }, |(seed in 0u64..1000, late_ms in 1u64..9000, request in 2u64..7)| {
        let late = format!("late:{late_ms}@{request}");
        let wrong = runtime.block_on(async {
            let mut line = Line::new(seed, 0, &[&late]).await;
            let set = |value: &str| [("temperature", value.parse().unwrap())];
            for (index, value) in [(0, "15.0"), (3, "45.0")] {
                let (tenant, _) = &mut line.tenants[index];
                // A late reply spoils one attempt, and then the one that is disputed by it.
                for _ in 0..4 {
                    let write = tenant.description().set(&set(value)).unwrap();
                    if tenant.run(write, &mut |_| ()).await.is_ok() {
                        break;
                    }
                    line.clock.wait_until(line.clock.now_us() + 1_500_000).await;
                }
            }
            let mut wrong = Vec::new();
            for _ in 0..3 {
                for (index, due) in [(0, "15.0"), (3, "45.0")] {
                    let (tenant, _) = &mut line.tenants[index];
                    let request = Request::new("state");
                    let exchange = tenant.exchange(&request).await.unwrap();
                    let reply = tenant.description().decode(&request, &exchange.rx);
                    match reply.ok().as_ref().and_then(|reply| reply.value("temperature.set")) {
                        Some(value) if value.digits.to_string() != due => wrong.push(exchange),
                        Some(_) => {}
                        None => refused.set(refused.get() + 1),
                    }
                }
                line.clock.wait_until(line.clock.now_us() + 1_500_000).await;
            }
            wrong
        });
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    });
    assert!(refused.get() > 0, "no reply was ever late");
}

/// Two bytes of a late reply and the whole of the due one, from a server in real time.
#[tokio::test]
async fn the_second_of_two_replies_disputes_the_first() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let path = format!("tcp:{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 64];
        // The first request is answered late, just when the second one has come.
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        stream.write_all(b"1 23.4\r\n").await.unwrap();
        stream.write_all(b"2 56.7\r\n").await.unwrap();
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        stream.write_all(b"3 78.9\r\n").await.unwrap();
        stream
    });
    let clock = SkippingClock::with_longest_wait(Duration::from_millis(300));
    let mut port = Port::open(&PortSettings::new(&path, "9600 8N1".parse().unwrap()))
        .await
        .unwrap();
    let limits = description("fluke-1529").unwrap().limits(&Request::new(""));
    let mut frame = |bytes: &[u8]| {
        let end = bytes.windows(2).position(|two| two == b"\r\n");
        end.map_or(heng_drivers::Framing::NeedMore, |at| {
            heng_drivers::Framing::Complete(at + 2)
        })
    };
    let first = port.exchange(b"a?\r", &mut frame, limits, &clock).await;
    assert_eq!(first.outcome, ExchangeOutcome::TimedOut);
    let second = port.exchange(b"b?\r", &mut frame, limits, &clock).await;
    assert_eq!(second.outcome, ExchangeOutcome::TimedOut, "{second:?}");
    let said = [second.unsolicited, second.rx].concat();
    assert!(said.ends_with(b"56.7\r\n"), "nothing is lost: {said:?}");
    let third = port.exchange(b"c?\r", &mut frame, limits, &clock).await;
    assert_eq!(third.outcome, ExchangeOutcome::Complete);
    assert_eq!(third.rx, b"3 78.9\r\n");
    drop(server.await.unwrap());
}

#[tokio::test]
async fn a_port_comes_back_under_another_name_when_its_time_has_come() {
    for (outage, seconds) in [("vanish:0.1@5", 0.1), ("vanish:60@5", 60.0)] {
        let mut line = Line::new(5, 2, &[outage]).await;
        for _ in 0..2 {
            line.read(2).await.unwrap();
        }
        let gone = line.read(2).await.unwrap_err();
        assert!(gone.contains("no reply"), "{gone}");
        // All tenants of the line have lost it.
        let (tenant, _) = &mut line.tenants[0];
        let exchange = tenant.exchange(&Request::new("state")).await.unwrap();
        assert!(
            matches!(exchange.outcome, ExchangeOutcome::Closed { .. }),
            "{exchange:?}"
        );
        let lost_us = line.clock.now_us();
        let mut looks = 0;
        let opening = loop {
            looks += 1;
            match line.bus.open().await {
                Ok(opening) => break opening,
                Err(error) => assert!(matches!(error, PortError::NoAdapter { .. }), "{error}"),
            }
            line.clock.wait_until(line.clock.now_us() + 1_000_000).await;
        };
        let away_s = (line.clock.now_us() - lost_us) as f64 * 1e-6;
        assert!(away_s <= seconds + 1.0, "{outage}: found after {away_s} s");
        assert_eq!(opening.was.as_deref(), Some("simulated-1"), "{looks}");
        assert_ne!(opening.name, "simulated-1");
        for index in 0..4 {
            line.read(index).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_port_that_is_not_there_is_named_with_what_to_do() {
    let (_, clock) = laboratory(1);
    let line = "9600 8N1".parse().unwrap();
    let mut settings = PortSettings::new("/dev/heng-none", line);
    let message = |error: PortError| error.to_string();
    let error = message(Port::open(&settings).await.unwrap_err());
    assert!(
        error.contains("/dev/heng-none") && error.contains("check the path"),
        "{error}"
    );
    let server = PortSettings::new("tcp:127.0.0.1:1", line);
    let error = message(Port::open(&server).await.unwrap_err());
    assert!(error.contains("tcp:127.0.0.1:1"), "{error}");
    settings.adapter = Some("NO-SUCH-ADAPTER".to_owned());
    let bus = Bus::new(settings, Arc::new(clock), Arc::new(UsbAdapters));
    let error = message(bus.open().await.unwrap_err());
    assert!(
        error.contains("NO-SUCH-ADAPTER") && error.contains("plug it in"),
        "{error}"
    );
    let mut tenant = bus.tenant(description("mbw-473").unwrap().clone());
    let exchange = tenant.exchange(&Request::new("dew_point")).await.unwrap();
    let reason = "the port is not open".to_owned();
    assert_eq!(exchange.outcome, ExchangeOutcome::Closed { reason });
}

#[tokio::test]
async fn flow_control_is_set_and_modem_lines_are_missed_only_where_they_are_needed() {
    let (laboratory, _) = laboratory(1);
    let model = description("mbw-473").unwrap();
    let attach = || {
        let options = SimulatorOptions::default();
        laboratory.attach(Role::Mirror, model, options).unwrap()
    };
    for line in ["9600 8N1 xonxoff", "9600 8N1 rtscts", "9600 8N1"] {
        let instrument = attach();
        let settings = PortSettings::new(&instrument.path, line.parse().unwrap());
        let port = Port::open(&settings).await;
        assert!(port.is_ok(), "{line}: {port:?}");
    }
    for (dtr, rts, name) in [(Some(true), None, "DTR"), (None, Some(false), "RTS")] {
        let instrument = attach();
        let mut settings = PortSettings::new(&instrument.path, "9600 8N1".parse().unwrap());
        (settings.dtr, settings.rts) = (dtr, rts);
        let error = Port::open(&settings).await.unwrap_err().to_string();
        assert!(
            error.contains(name) && error.contains("no modem lines"),
            "{error}"
        );
        assert!(error.contains(&instrument.path), "{error}");
    }
}
