//! 64 simulated instruments on 64 pseudo-terminals at 10 Hz by the wall clock: share of the
//! processor, and how much longer than its bytes need on the wire a reading takes.
//!
//!     cargo bench -p heng-drivers --bench bus -- 60
//!
//! The argument is the time in seconds. Linux only: the figures come from /proc.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heng_drivers::{
    Bus, Clock, ExchangeOutcome, Laboratory, PlantSettings, PortSettings, Request,
    SimulatorOptions, WallClock, description,
};

const INSTRUMENTS: usize = 64;
const PERIOD_US: u64 = 100_000;
/// Clock ticks a second of /proc on Linux.
const TICKS: f64 = 100.0;

/// What the readings of one instrument brought.
#[derive(Default)]
struct Tally {
    complete: u64,
    missed: u64,
    /// Time of each exchange, and how late it began, in microseconds.
    taken_us: Vec<u64>,
    late_us: Vec<u64>,
    wire_us: u64,
}

async fn read(number: usize, seconds: u64) -> Tally {
    let clock: Arc<dyn Clock> = Arc::new(WallClock::new());
    let laboratory = Laboratory::new(PlantSettings::default(), number as u64, Arc::clone(&clock));
    let model = description("fluke-1529").expect("a known model");
    let instrument = laboratory
        .attach(model.simulated_role(), model, SimulatorOptions::default())
        .expect("a pseudo-terminal");
    let line: heng_drivers::LineSettings = "9600 8N1".parse().expect("a line");
    let settings = PortSettings::new(&instrument.path, line);
    let bus = Bus::new(settings, Arc::clone(&clock), Arc::new(laboratory));
    bus.open().await.expect("the port opens");
    let mut tenant = bus.tenant(model.clone());
    tenant
        .run(model.identify(), &mut |_| ())
        .await
        .expect("an identity");
    let request = Request::new("read_1");
    let mut tally = Tally::default();
    // Spread over the period, as instruments of a bench are.
    let first_us = clock.now_us() + PERIOD_US + number as u64 * PERIOD_US / INSTRUMENTS as u64;
    for reading in 0..seconds * 1_000_000 / PERIOD_US {
        let due_us = first_us + reading * PERIOD_US;
        if clock.now_us() > due_us + PERIOD_US {
            tally.missed += 1;
            continue;
        }
        clock.wait_until(due_us).await;
        let exchange = tenant.exchange(&request).await.expect("a known request");
        let read = model.decode(&request, &exchange.rx).is_ok();
        if exchange.outcome == ExchangeOutcome::Complete && read {
            tally.complete += 1;
        } else {
            tally.missed += 1;
        }
        tally.late_us.push(exchange.sent_us.saturating_sub(due_us));
        tally.taken_us.push(exchange.received_us - exchange.sent_us);
        tally.wire_us = line.wire_us(exchange.tx.len() + exchange.rx.len());
    }
    tally
}

/// Processor seconds of this process: all of it, and its simulated instruments alone.
fn processor_s() -> (f64, f64) {
    let ticks = |stat: &str| -> f64 {
        let behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let fields: Vec<&str> = behind.split_whitespace().collect();
        let field = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
        (field(11).unwrap_or(0.0) + field(12).unwrap_or(0.0)) / TICKS
    };
    let all = std::fs::read_to_string("/proc/self/stat").map_or(0.0, |stat| ticks(&stat));
    let threads = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let stats =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    let simulated = stats.filter(|stat| stat.contains("(simulated"));
    (all, simulated.map(|stat| ticks(&stat)).sum())
}

fn quantile(sorted: &[u64], share: f64) -> f64 {
    let at = (share * (sorted.len().saturating_sub(1)) as f64).round();
    // An index below the length of the list.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, not negative"
    )]
    let at = at as usize;
    sorted.get(at).map_or(f64::NAN, |&us| us as f64 * 1e-3)
}

fn main() {
    let seconds = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(10);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (tallies, before, after, begun) = runtime.block_on(async {
        let tasks: Vec<_> = (0..INSTRUMENTS)
            .map(|number| tokio::spawn(read(number, seconds)))
            .collect();
        // Past the opening of the ports, before the end of the readings.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (before, begun) = (processor_s(), Instant::now());
        tokio::time::sleep(Duration::from_secs(seconds.saturating_sub(2))).await;
        let (after, begun) = (processor_s(), begun.elapsed().as_secs_f64());
        let mut tallies = Vec::new();
        for task in tasks {
            tallies.push(task.await.expect("a reader"));
        }
        (tallies, before, after, begun)
    });
    let complete: u64 = tallies.iter().map(|one| one.complete).sum();
    let missed: u64 = tallies.iter().map(|one| one.missed).sum();
    let wire_ms = tallies.iter().map(|one| one.wire_us).max().unwrap_or(0) as f64 * 1e-3;
    println!("{INSTRUMENTS} instruments, {seconds} s: {complete} readings, {missed} missed");
    let share = |to: f64, from: f64| 100.0 * (to - from) / begun;
    let (all, simulated) = (share(after.0, before.0), share(after.1, before.1));
    println!(
        "processor: {:.1} % of one core for the program, {simulated:.1} % for the simulated instruments",
        all - simulated
    );
    for (name, of) in [
        (
            "exchange, without its time on a wire",
            Tally::taken as fn(&Tally) -> &Vec<u64>,
        ),
        ("begin after its due time", Tally::late),
    ] {
        let mut all: Vec<u64> = tallies.iter().flat_map(of).copied().collect();
        all.sort_unstable();
        let [half, most, last] = [0.5, 0.99, 1.0].map(|share| quantile(&all, share));
        println!(
            "{name}: median {half:.2} ms, 99 % {most:.2} ms, longest {last:.2} ms (the bytes would take {wire_ms:.1} ms at 9600 8N1)"
        );
    }
    assert_eq!(missed, 0, "readings were missed");
}

impl Tally {
    fn taken(&self) -> &Vec<u64> {
        &self.taken_us
    }

    fn late(&self) -> &Vec<u64> {
        &self.late_us
    }
}
