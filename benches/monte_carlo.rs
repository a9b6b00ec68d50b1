//! 10⁶ trials of the humidity model: draw, evaluate, sort, summarise.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heng_uncertainty::{Input, Library, Model, Sampling, monte_carlo, propagate};

const TRIALS: u32 = 1_000_000;

fn humidity() -> (Model, Vec<Input>) {
    let text = "rh = hardy_rh_dew(td + d_td_cal + d_td_drift, t + d_t_cal + d_t_grad, p + d_p)\n\
                error = x + d_res + d_hys - rh * (1 + d_formula)";
    let model = Model::compile(text, Library::shipped()).expect("the model is written above");
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
    (model, inputs)
}

fn bench(criterion: &mut Criterion) {
    let (model, inputs) = humidity();
    let sampling = Sampling {
        seed: 1,
        trials: TRIALS,
        coverage: 0.9545,
    };
    let mut group = criterion.benchmark_group("humidity");
    group.bench_function("gum", |bencher| {
        bencher.iter(|| propagate(&model, "error", &inputs, &[], 0.9545));
    });
    group
        .sample_size(10)
        .throughput(Throughput::Elements(u64::from(TRIALS)));
    group.bench_function("monte_carlo", |bencher| {
        bencher.iter(|| monte_carlo(&model, "error", &inputs, &[], &sampling));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
