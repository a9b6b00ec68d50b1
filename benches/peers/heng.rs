//! The engine beside its peers: one timed run in a process of its own, as `peer.py` does it,
//! with the same models and the same line of JSON.
//!
//! `peer MODEL TRIALS THREADS` draws; `peer h1 SECONDS` makes first-order budgets. Without
//! arguments each runs once, on one thread. Linux only: the processor time and the peak memory
//! are the kernel's.

mod catalogue;

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use catalogue::{COVERAGE, Case, Outcome};
use heng_uncertainty::{Input, MonteCarlo, Propagator, Sampling, monte_carlo, propagate};
use serde_json::{Value, json};

fn main() -> Outcome<()> {
    // Cargo adds `--bench` to whatever is asked for.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => {
            for name in ["gauge", "mass", "bath"] {
                println!("{}", timed_trials(name, 1_000_000, 1)?);
            }
            println!("{}", timed_budgets("h1", 0.5)?);
        }
        [name, seconds] => {
            println!("{}", timed_budgets(name, seconds.parse()?)?);
        }
        [name, trials, threads] => {
            let (trials, threads) = (trials.parse()?, threads.parse()?);
            println!("{}", timed_trials(name, trials, threads)?);
        }
        _ => return Err("peer MODEL TRIALS THREADS, or peer h1 SECONDS".into()),
    }
    Ok(())
}

/// Both coverage intervals, moments and histogram of one run. The model is compiled before the
/// clock starts, as the peers have parsed theirs; tables of the distributions are within.
fn timed_trials(name: &str, trials: u64, threads: usize) -> Outcome<Value> {
    let Case {
        model,
        output,
        inputs,
    } = Case::to_draw(name)?;
    let sampling = Sampling {
        trials,
        coverage: COVERAGE,
        ..Sampling::with_seed(1)
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let (wall, processor) = (Instant::now(), processor_s()?);
    let drawn = pool.install(|| monte_carlo(&model, &output, &inputs, &sampling))?;
    let (processor, wall) = (processor_s()? - processor, wall.elapsed().as_secs_f64());
    let MonteCarlo {
        mean,
        u,
        symmetric,
        shortest,
        ..
    } = drawn;
    Ok(json!({
        "program": "heng", "version": env!("CARGO_PKG_VERSION"), "model": name,
        "trials": trials, "threads": threads, "cpu_s": processor, "wall_s": wall,
        "mean": mean, "sd": u, "symmetric": symmetric, "shortest": shortest,
        "peak_mib": peak_mib()?,
    }))
}

/// Budgets a second: from a [`Propagator`], whose numbers change from one budget to the next,
/// and with [`propagate`], which is given everything anew and returns the whole table.
fn timed_budgets(name: &str, seconds: f64) -> Outcome<Value> {
    let Case {
        model,
        output,
        inputs,
    } = Case::to_propagate(name)?;
    let of = |symbol: &String| {
        inputs
            .quantities
            .iter()
            .find(|input| input.symbol == *symbol)
    };
    let ordered: Option<Vec<&Input>> = model.inputs().iter().map(of).collect();
    let ordered = ordered.ok_or("an input of the model is missing")?;
    let column = |entry: fn(&Input) -> f64| ordered.iter().map(|&input| entry(input)).collect();
    let (mut values, u, dof): (Vec<f64>, Vec<f64>, Vec<f64>) = (
        column(|input| input.value),
        column(|input| input.u),
        column(|input| input.dof),
    );
    let mut propagator = Propagator::new(&model, &output, &inputs)?;
    let first = propagator.evaluate(&values, &u, &dof)?;
    let start = values[0];
    let mut turn = 0;
    let prepared = per_second(seconds, || {
        turn = (turn + 1) % 8;
        values[0] = start + f64::from(turn);
        let budget = propagator.evaluate(black_box(&values), &u, &dof)?;
        black_box((budget, propagator.components()));
        Ok(())
    })?;
    let table = per_second(seconds, || {
        let stated = black_box(&inputs).clone();
        black_box(propagate(&model, &output, &stated, COVERAGE)?);
        Ok(())
    })?;
    Ok(json!({
        "program": "heng", "version": env!("CARGO_PKG_VERSION"), "model": name,
        "per_cpu_s": prepared, "per_cpu_s_table": table,
        "value": first.value, "u": first.u, "dof": first.dof, "peak_mib": peak_mib()?,
    }))
}

/// How often `once` runs in one second of processor time.
fn per_second(seconds: f64, mut once: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    /// Runs between two looks at the clock.
    const BATCH: u32 = 1000;
    let (wall, processor) = (Instant::now(), processor_s()?);
    let mut count = 0.0;
    while wall.elapsed().as_secs_f64() < seconds {
        for _ in 0..BATCH {
            once()?;
        }
        count += f64::from(BATCH);
    }
    Ok(count / (processor_s()? - processor))
}

/// Processor time of the threads that live, in seconds.
fn processor_s() -> Outcome<f64> {
    // The kernel adds up the time of a running thread only when it is scheduled.
    std::thread::yield_now();
    let mut nanoseconds = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let line = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = line.split(' ').next().ok_or("an empty schedstat")?;
        nanoseconds += first.parse::<u64>()?;
    }
    Ok(nanoseconds as f64 * 1e-9)
}

/// Largest resident memory so far.
fn peak_mib() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.ok_or("no VmHWM")?.parse::<f64>()? / 1024.0)
}
