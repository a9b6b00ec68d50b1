//! What the engine costs: against the number of trials, of inputs, of threads; an adaptive run,
//! shares of the variance, and the law of propagation.

#[path = "peers/catalogue.rs"]
mod catalogue;

use std::hint::black_box;
use std::time::Duration;

use catalogue::{COVERAGE, Case};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use heng_uncertainty::{
    Adaptive, Input, Inputs, IntervalKind, Library, Model, Propagator, Sampling, monte_carlo,
    monte_carlo_adaptive, propagate, second_order, sobol,
};

fn sampling(trials: u64) -> Sampling {
    Sampling {
        seed: 1,
        trials,
        coverage: COVERAGE,
    }
}

/// A model with formulas of the library: the error of indication of a hygrometer.
fn humidity() -> Case {
    let text = "rh = hardy_rh_dew(td + d_td_cal + d_td_drift, t + d_t_cal + d_t_grad, p + d_p)\n\
                error = x + d_res + d_hys - rh * (1 + d_formula)";
    let inputs = vec![
        Input::constant("td", 9.2756),
        Input::normal("d_td_cal", 0.0, 0.03),
        Input::rectangular("d_td_drift", 0.0, 0.035),
        Input::constant("t", 20.0),
        Input::normal("d_t_cal", 0.0, 0.015),
        Input::rectangular("d_t_grad", 0.0, 0.05),
        Input::constant("p", 101_325.0),
        Input::rectangular("d_p", 0.0, 35.0),
        Input::student("x", 51.2, 0.05, 9.0),
        Input::rectangular("d_res", 0.0, 0.05),
        Input::rectangular("d_hys", 0.0, 0.3),
        Input::rectangular("d_formula", 0.0, 1.7e-4),
    ];
    case(text, "error", inputs.into())
}

/// y = x1 + … + xn of normal inputs.
fn sum(inputs: usize) -> Case {
    let symbols: Vec<String> = (1..=inputs).map(|at| format!("x{at}")).collect();
    let quantities = symbols.iter().map(|symbol| Input::normal(symbol, 0.0, 1.0));
    let quantities: Vec<Input> = quantities.collect();
    case(
        &format!("y = {}", symbols.join(" + ")),
        "y",
        quantities.into(),
    )
}

fn case(text: &str, output: &str, inputs: Inputs) -> Case {
    Case {
        model: Model::compile(text, Library::shipped()).expect("the model is written here"),
        output: output.to_owned(),
        inputs,
    }
}

fn against_trials(criterion: &mut Criterion) {
    let gauge = Case::to_draw("gauge").expect("a model");
    let mut group = criterion.benchmark_group("gauge, all cores, against trials");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2));
    for trials in [10_000, 100_000, 1_000_000, 10_000_000] {
        group.throughput(Throughput::Elements(trials));
        group.bench_function(BenchmarkId::from_parameter(trials), |bencher| {
            let sampling = sampling(trials);
            bencher.iter(|| monte_carlo(&gauge.model, &gauge.output, &gauge.inputs, &sampling));
        });
    }
    group.finish();
}

fn against_inputs(criterion: &mut Criterion) {
    /// Trials of each.
    const TRIALS: u64 = 1_000_000;
    let mut group = criterion.benchmark_group("sum of normals, 1e6 trials, against inputs");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2));
    for inputs in [2, 8, 32, 128] {
        let case = sum(inputs);
        group.throughput(Throughput::Elements(TRIALS * inputs as u64));
        group.bench_function(BenchmarkId::from_parameter(inputs), |bencher| {
            let sampling = sampling(TRIALS);
            bencher.iter(|| monte_carlo(&case.model, &case.output, &case.inputs, &sampling));
        });
    }
    group.finish();
}

fn against_threads(criterion: &mut Criterion) {
    let bath = Case::to_draw("bath").expect("a model");
    let mut group = criterion.benchmark_group("bath, 1e6 trials, against threads");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads");
        group.bench_function(BenchmarkId::from_parameter(threads), |bencher| {
            let sampling = sampling(1_000_000);
            pool.install(|| {
                bencher.iter(|| monte_carlo(&bath.model, &bath.output, &bath.inputs, &sampling));
            });
        });
    }
    group.finish();
}

/// Other ways to draw: a model of formulas, until two digits are stable, and to share out.
fn other_runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("runs, all cores");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2));
    let air = humidity();
    group.bench_function("humidity, 1e6 trials", |bencher| {
        let sampling = sampling(1_000_000);
        bencher.iter(|| monte_carlo(&air.model, &air.output, &air.inputs, &sampling));
    });
    let gauge = Case::to_draw("gauge").expect("a model");
    let outputs = [gauge.output.as_str()];
    group.bench_function("gauge, adaptive, two digits", |bencher| {
        let adaptive = Adaptive {
            seed: 1,
            coverage: COVERAGE,
            digits: 2,
            max_trials: 10_000_000,
            interval: IntervalKind::Symmetric,
        };
        bencher.iter(|| monte_carlo_adaptive(&gauge.model, &outputs, &gauge.inputs, &adaptive));
    });
    group.bench_function("gauge, shares of the variance, 1e5 trials", |bencher| {
        let sampling = sampling(100_000);
        bencher.iter(|| sobol(&gauge.model, &gauge.output, &gauge.inputs, &sampling));
    });
    group.finish();
}

/// JCGM 100:2008, H.1.
fn budgets(criterion: &mut Criterion) {
    let Case {
        model,
        output,
        inputs,
    } = Case::to_propagate("h1").expect("a budget");
    let mut group = criterion.benchmark_group("budget H.1");
    group
        .measurement_time(Duration::from_secs(1))
        .throughput(Throughput::Elements(1));
    let column = |entry: fn(&Input) -> f64| -> Vec<f64> {
        let of = |symbol: &String| {
            inputs
                .quantities
                .iter()
                .find(|input| input.symbol == *symbol)
        };
        let all = model.inputs().iter().map(|symbol| of(symbol).map(entry));
        all.collect::<Option<_>>().expect("an input of each symbol")
    };
    let (values, u, dof) = (
        column(|input| input.value),
        column(|input| input.u),
        column(|input| input.dof),
    );
    let mut propagator = Propagator::new(&model, &output, &inputs).expect("a budget");
    group.bench_function("propagator", |bencher| {
        bencher.iter(|| propagator.evaluate(black_box(&values), &u, &dof));
    });
    group.bench_function("propagate, with its table", |bencher| {
        bencher.iter(|| propagate(&model, &output, black_box(&inputs), COVERAGE));
    });
    group.bench_function("second order", |bencher| {
        bencher.iter(|| second_order(&model, &output, black_box(&inputs)));
    });
    group.finish();
}

criterion_group!(
    benches,
    against_trials,
    against_inputs,
    against_threads,
    other_runs,
    budgets
);
criterion_main!(benches);
