//! What a non-linear fit costs: two heavy sets of NIST's reference datasets, from the first of
//! their starts to estimates, covariance and residual diagnostics. `benches/peers/strd.py` times
//! SciPy on the same sets.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use heng_uncertainty::{Library, Model, NonlinearProblem, Scatter};

const SETS: [(&str, &str); 2] = [
    ("Hahn1", include_str!("../fixtures/nist-strd/Hahn1.dat")),
    ("Thurber", include_str!("../fixtures/nist-strd/Thurber.dat")),
];

/// Both sets have this model.
const MODEL: &str = "y = (b1 + b2*x + b3*x^2 + b4*x^3)/(1 + b5*x + b6*x^2 + b7*x^3)";

fn numbers(line: &str) -> Vec<f64> {
    let words = line.split_whitespace().map(str::parse::<f64>);
    words.collect::<Result<_, _>>().unwrap_or_default()
}

fn nonlinear(criterion: &mut Criterion) {
    let model = Model::compile(MODEL, &Library::default()).expect("the model is written here");
    let names = ["b1", "b2", "b3", "b4", "b5", "b6", "b7"];
    let mut group = criterion.benchmark_group("nonlinear");
    group.measurement_time(Duration::from_secs(3));
    for (name, text) in SETS {
        let (head, data) = text.rsplit_once("Data:").expect("the file has data");
        let rows = || data.lines().map(numbers).filter(|row| row.len() == 2);
        let (y, x): (Vec<f64>, Vec<f64>) = rows().map(|row| (row[0], row[1])).unzip();
        let lines = head.lines().filter_map(|line| line.split_once('='));
        let starts = lines.map(|(_, line)| numbers(line));
        let starts = starts.filter(|row| row.len() == 4).map(|row| row[0]);
        let parameters: Vec<(&str, f64)> = names.into_iter().zip(starts).collect();
        let columns = [("x", &x[..])];
        let problem = NonlinearProblem {
            model: &model,
            output: "y",
            parameters: &parameters,
            columns: &columns,
            y: &y,
            scatter: Scatter::Unknown,
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&problem).fit().expect("the fit is certified"));
        });
    }
    group.finish();
}

criterion_group!(benches, nonlinear);
criterion_main!(benches);
