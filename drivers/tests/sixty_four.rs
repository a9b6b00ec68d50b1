//! 64 instruments read ten times a second, in virtual time: no reading is missed.

use std::sync::Arc;
use std::time::Instant;

use heng_drivers::{
    Bus, Clock, Laboratory, PlantSettings, PortSettings, Request, SimulatorOptions, SkippingClock,
    description,
};

const INSTRUMENTS: u64 = 64;
const PERIOD_US: u64 = 100_000;

/// Reads one instrument at 10 Hz. Each port has a timeline of its own, as real ports have:
/// what passes on one line takes no time of another.
async fn read(number: u64, readings: u64) -> u64 {
    let clock = SkippingClock::new();
    let laboratory = Laboratory::new(PlantSettings::default(), number, Arc::new(clock.clone()));
    let model = description("fluke-1529").unwrap();
    let instrument = laboratory
        .attach(model.simulated_role(), model, SimulatorOptions::default())
        .unwrap();
    let settings = PortSettings::new(&instrument.path, "9600 8N1".parse().unwrap());
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let bus = Bus::new(settings, Arc::clone(&clock), Arc::new(laboratory));
    bus.open().await.unwrap();
    let mut tenant = bus.tenant(model.clone());
    // The first request on a port waits for the line to fall silent.
    tenant.run(model.identify(), &mut |_| ()).await.unwrap();
    let request = Request::new("read_1");
    let begun_us = clock.now_us() + PERIOD_US;
    for reading in 0..readings {
        let due_us = begun_us + reading * PERIOD_US;
        assert!(
            clock.now_us() <= due_us,
            "{number}: reading {reading} comes too late"
        );
        clock.wait_until(due_us).await;
        let exchange = tenant.exchange(&request).await.unwrap();
        assert_eq!(exchange.sent_us, due_us);
        let reply = model.decode(&request, &exchange.rx);
        let reply = reply.unwrap_or_else(|error| panic!("{number}: reading {reading}: {error}"));
        assert!(!reply.values.is_empty() && exchange.unsolicited.is_empty());
    }
    readings
}

fn all(readings: u64) {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let read = runtime.unwrap().block_on(async {
        let tasks: Vec<_> = (0..INSTRUMENTS)
            .map(|number| tokio::spawn(read(number, readings)))
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(read, INSTRUMENTS * readings);
    println!("{read} readings in {:.1} s", begun.elapsed().as_secs_f64());
}

#[test]
fn sixty_four_instruments_at_ten_hertz_miss_no_reading_in_a_minute() {
    all(600);
}

/// Ten minutes of the laboratory; half a minute or more of the machine:
/// `cargo test --release -p heng-drivers --test sixty_four -- --ignored`.
#[test]
#[ignore = "the long form of the test above, for the figures in benches/README.md"]
fn sixty_four_instruments_at_ten_hertz_miss_no_reading_in_ten_minutes() {
    all(6_000);
}
