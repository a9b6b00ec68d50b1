//! Every fault of a line, an instrument or its supply, for every model: 1 000 exchanges each
//! over the port, in the paused time of the runtime. What was lost is counted, and what was
//! accepted although the instrument had said something else.

mod table;

use std::fmt::Write;
use std::sync::{Arc, PoisonError};

use heng_drivers::{
    Class, Description, ExchangeOutcome, Framing, Laboratory, PlantSettings, Port, PortSettings,
    Request, SimulatorOptions, WallClock, catalogue,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const SEED: u64 = 11;

/// What goes wrong, and how it is written; `#` is put in the place of a number of milliseconds
/// around the time limit of the model.
const FAULTS: [(&str, &str); 8] = [
    ("no reply", "drop"),
    ("late", "late:#"),
    ("twice", "duplicate"),
    ("echo", "echo"),
    ("cut off", "truncate:6"),
    ("one bit", "garble:4"),
    ("reply before", "swap"),
    ("power dip", "dip"),
];

/// One in this many requests is spoilt.
const ONE_IN: u32 = 20;

#[derive(Default, Clone, Copy)]
struct Counts {
    lost: u32,
    wrong: u32,
}

/// Reading commands that need no argument and have a reply.
fn questions(model: &Description) -> Vec<Request> {
    let reading = model
        .commands()
        .filter(|name| model.class(name) == Some(Class::Read));
    let requests = reading.map(Request::new).filter(|request| {
        let sent = model.encode(request);
        let replies = model.frame(request, &[]) == Framing::NeedMore;
        replies && sent.is_ok_and(|sent| !sent.is_empty())
    });
    requests.take(4).collect()
}

/// Faults at seeded requests.
fn schedule(model: &Description, fault: &str, exchanges: u32, seed: u64) -> Vec<String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let limit_ms = model.limits(&Request::new("")).total_us / 1000;
    let mut faults = Vec::new();
    for number in 2..exchanges {
        if random.next_u32().is_multiple_of(ONE_IN) {
            let ms = limit_ms / 2 + u64::from(random.next_u32()) % limit_ms.max(1);
            faults.push(format!("{}@{number}", fault.replace('#', &ms.to_string())));
        }
    }
    faults
}

async fn count(model: &Description, fault: &str, exchanges: u32, seed: u64) -> Counts {
    let questions = questions(model);
    let mut counts = Counts::default();
    let clock = Arc::new(WallClock::new());
    let laboratory = Laboratory::new(PlantSettings::default(), seed, clock.clone()).in_real_time();
    let faults = schedule(model, fault, exchanges, seed);
    let options = SimulatorOptions {
        serial_number: None,
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
    };
    let role = model.simulated_role();
    let (pipe, said) = laboratory.attach_in_memory(role, model, options).unwrap();
    let mut port = Port::over(pipe, PortSettings::new("memory", model.line()));
    for number in 0..exchanges as usize {
        let request = &questions[number % questions.len()];
        let tx = model.encode(request).unwrap();
        let mut frame = |received: &[u8]| model.frame(request, received);
        let limits = model.limits(request);
        let exchange = port.exchange(&tx, &mut frame, limits, &*clock).await;
        let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let due = said.map(|said| model.decode(request, &said));
        // What the simulated instrument refuses is no reading that could be lost.
        let due = match due {
            Some(Err(_)) => continue,
            Some(Ok(due)) => Some(due),
            None => None,
        };
        let got = match exchange.outcome {
            ExchangeOutcome::Complete => model.decode(request, &exchange.rx).ok(),
            _ => None,
        };
        match got {
            None => counts.lost += 1,
            Some(got) if due.is_some_and(|due| due.values == got.values) => {}
            Some(_) => counts.wrong += 1,
        }
    }
    counts
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn row(model: &Description, exchanges: u32) -> String {
    let mut row = format!("| {} |", model.id());
    for (index, (_, fault)) in (0..).zip(FAULTS) {
        let Counts { lost, wrong } =
            runtime().block_on(count(model, fault, exchanges, SEED + index));
        write!(row, " {lost} / {wrong} |").unwrap();
    }
    row + "\n"
}

fn measured(exchanges: u32) -> String {
    let names: Vec<_> = FAULTS.iter().map(|(name, _)| *name).collect();
    let mut table = format!(
        "| model | {} |\n|---{}|\n",
        names.join(" | "),
        "|---".repeat(names.len())
    );
    let all = catalogue().iter();
    let models: Vec<&Description> = all.filter(|model| !questions(model).is_empty()).collect();
    // Two threads, as many as a small machine has.
    let halves = models.split_at(models.len() / 2);
    let rows = std::thread::scope(|scope| {
        let rows = |models: &[&Description]| {
            models
                .iter()
                .map(|model| row(model, exchanges))
                .collect::<String>()
        };
        let first = scope.spawn(move || rows(halves.0));
        let second = rows(halves.1);
        first.join().unwrap() + &second
    });
    table.push_str(&rows);
    table
}

#[test]
fn the_table_of_faults_is_what_is_measured() {
    println!("seed {SEED}");
    let measured = measured(1000);
    println!("{measured}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/NOISE.md");
    let text = std::fs::read_to_string(page).unwrap();
    table::compare(&text, &measured);
}
