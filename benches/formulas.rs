//! What a formula costs: read from a file of the library, beside the same expression written
//! by hand in Rust.

#![allow(
    dead_code,
    unused_imports,
    reason = "the shared sources hold more than this program uses"
)]

#[path = "../uncertainty/src/elementary.rs"]
mod elementary;
#[expect(
    clippy::excessive_precision,
    reason = "coefficients stand as published"
)]
#[path = "../uncertainty/src/normal.rs"]
mod normal;
#[path = "../uncertainty/src/random.rs"]
mod random;
#[path = "../uncertainty/src/student.rs"]
mod student;
#[path = "../uncertainty/src/ziggurat.rs"]
mod ziggurat;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heng_uncertainty::{ConstantValue, Input, Inputs, Library, Model, Sampling, monte_carlo};
use random::{Key, Narrow, Wide};
use ziggurat::{Worktop, Ziggurat};

const COUNT: u32 = 1_000_000;

fn compile(text: &str) -> Model {
    Model::compile(text, Library::shipped()).expect("the model is written here")
}

/// Coefficients of a shipped formula.
fn constants<const N: usize>(formula: &str, name: &str) -> [f64; N] {
    let formula = Library::shipped().get(formula).expect("a shipped formula");
    let found = formula.constants.iter().find(|one| one.name == name);
    match &found.expect("a constant of it").value {
        ConstantValue::Vector(list) => list.as_slice().try_into().expect("its length"),
        ConstantValue::Number(one) => [*one; N],
    }
}

fn horner<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let down = coefficients.iter().rev();
    down.fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// Value and slope.
fn horner_slope<const N: usize>(coefficients: &[f64; N], x: f64) -> (f64, f64) {
    let down = coefficients.iter().rev();
    down.fold((0.0, 0.0), |(sum, slope), coefficient| {
        (sum * x + coefficient, slope * x + sum)
    })
}

/// Newton's method to the last bit, as a program for one thermometer would have it.
fn solved(mut at: impl FnMut(f64) -> (f64, f64), start: f64) -> f64 {
    let mut x = start;
    let mut last = f64::INFINITY;
    loop {
        let (left, slope) = at(x);
        if left.abs() >= last {
            return x;
        }
        last = left.abs();
        x -= left / slope;
    }
}

/// Ratios of a standard thermometer to temperatures: the reference function of ITS-90 is
/// solved for each.
fn thermometer(criterion: &mut Criterion) {
    let spread = |from: f64, to: f64| -> Vec<f64> {
        let part = |at: u32| f64::from(at) / f64::from(COUNT);
        (0..COUNT).map(|at| from + (to - from) * part(at)).collect()
    };
    let mut group = criterion.benchmark_group("temperature by ITS-90, 1e6 values, one core");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(u64::from(COUNT)));
    let mut out = vec![0.0; COUNT as usize];

    let above = spread(1.0, 4.28);
    let (c, d) = (
        constants::<10>("its90_wr_high", "C"),
        constants::<10>("its90_t_high", "D"),
    );
    group.bench_function("above 0 °C, formula", |bencher| {
        let model = compile("t = its90_t_high(wr)");
        bencher.iter(|| model.eval_block("t", &[&above], &mut out));
    });
    group.bench_function("above 0 °C, by hand", |bencher| {
        bencher.iter(|| {
            for (out, &wr) in out.iter_mut().zip(&above) {
                let at = |t: f64| {
                    let (ratio, slope) = horner_slope(&c, (t - 481.0) / 481.0);
                    (ratio - wr, slope / 481.0)
                };
                *out = solved(at, horner(&d, (wr - 2.64) / 1.64));
            }
            black_box(&mut out);
        });
    });

    let below = spread(0.002, 0.9999);
    let (a, b) = (
        constants::<13>("its90_wr_low", "A"),
        constants::<16>("its90_t_low", "B"),
    );
    group.bench_function("below 0 °C, formula", |bencher| {
        let model = compile("t = its90_t_low(wr)");
        bencher.iter(|| model.eval_block("t", &[&below], &mut out));
    });
    group.bench_function("below 0 °C, by hand", |bencher| {
        bencher.iter(|| {
            for (out, &wr) in out.iter_mut().zip(&below) {
                let at = |t: f64| {
                    let kelvin = t + 273.15;
                    let x = (libm::log(kelvin / 273.16) + 1.5) / 1.5;
                    let (exponent, slope) = horner_slope(&a, x);
                    let ratio = libm::exp(exponent);
                    (ratio - wr, ratio * slope / (1.5 * kelvin))
                };
                let start = horner(&b, (libm::cbrt(wr.sqrt()) - 0.65) / 0.35);
                *out = solved(at, 273.16 * start - 273.15);
            }
            black_box(&mut out);
        });
    });
    group.finish();
}

/// The phase refractive index of moist air by Ciddor above 0 °C, from relative humidity.
fn ciddor_by_hand(lambda: f64, t: f64, p: f64, rh: f64, co2: f64) -> f64 {
    let kelvin = t + 273.15;
    let e = 0.01 * rh * saturation(kelvin);
    let xv = (1.00062 + 3.14e-8 * p + 5.6e-7 * t * t) * e / p;
    let s = (1000.0 / lambda) * (1000.0 / lambda);
    let dry = 1e-8 * (5_792_105.0 / (238.0185 - s) + 167_917.0 / (57.362 - s));
    let dry = dry * (1.0 + 5.34e-7 * (co2 - 450.0));
    let vapour = 1.022e-8 * (295.235 + s * (2.6422 + s * (-0.03238 + s * 0.004028)));
    let first = 1.58123e-6
        + t * (-2.9331e-8 + t * 1.1043e-10)
        + (5.707e-6 - 2.051e-8 * t) * xv
        + (1.9898e-4 - 2.376e-6 * t) * xv * xv;
    let ratio = p / kelvin;
    let z = 1.0 - ratio * first + ratio * ratio * (1.83e-11 - 0.765e-8 * xv * xv);
    let rho_dry = (1.0 - xv) * ratio / z * (0.999_592_211_5 * 288.15 / 101_325.0);
    let rho_vapour = xv * ratio * 0.018_015 / (z * 8.314_472);
    1.0 + rho_dry * dry + rho_vapour / 0.009_859_38 * vapour
}

/// Saturation pressure of water in pascals, IAPWS-IF97, region 4.
fn saturation(kelvin: f64) -> f64 {
    let s = kelvin - 0.238_555_575_678_49 / (kelvin - 650.175_348_447_98);
    let a = s * s + 1_167.052_145_276_7 * s - 724_213.167_032_06;
    let b = -17.073_846_940_092 * s * s + 12_020.824_702_470 * s - 3_232_555.032_233_3;
    let c = 14.915_108_613_530 * s * s - 4_823.265_736_159_1 * s + 405_113.405_420_57;
    let root = 2.0 * c / (-b + (b * b - 4.0 * a * c).sqrt());
    1e6 * root * root * root * root
}

/// A million readings of the air of a laboratory to refractive indices: the formula of the
/// library in lanes, and by hand one after the other.
fn refractive_index(criterion: &mut Criterion) {
    const COUNT: u32 = 1_000_000;
    let ramp = |low: f64, high: f64| -> Vec<f64> {
        let step = (high - low) / f64::from(COUNT);
        (0..COUNT).map(|at| low + step * f64::from(at)).collect()
    };
    let (lambda, t, p) = (ramp(500.0, 700.0), ramp(15.0, 25.0), ramp(9e4, 1.1e5));
    let (rh, co2) = (ramp(10.0, 90.0), ramp(400.0, 600.0));
    let columns = [&lambda[..], &t, &p, &rh, &co2];
    let model = compile("n = ciddor(lambda, t, p, rh, co2)");
    let mut out = vec![0.0; t.len()];
    let mut hand = out.clone();
    let scalar = |hand: &mut [f64]| {
        for (at, n) in hand.iter_mut().enumerate() {
            *n = ciddor_by_hand(lambda[at], t[at], p[at], rh[at], co2[at]);
        }
    };
    model
        .eval_block("n", &columns, &mut out)
        .expect("values within the range");
    scalar(&mut hand);
    // What is not the same would be no comparison.
    let apart = out.iter().zip(&hand).map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f64::max) < 1e-15);
    let mut group = criterion.benchmark_group("refractive index by Ciddor, 1e6 values");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(u64::from(COUNT)));
    group.bench_function("formula", |bencher| {
        bencher.iter(|| model.eval_block("n", &columns, &mut out));
    });
    group.bench_function("by hand, one after the other", |bencher| {
        bencher.iter(|| scalar(&mut hand));
    });
    group.finish();
}

/// A run of trials with a formula in the model, beside a program that draws the same laws from
/// the same sources and has the expression in Rust: mean, standard deviation and interval.
fn trials(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.expect("a thread");
    let mut group = criterion.benchmark_group("voltage of type K, 1e6 trials, one core");
    group.sample_size(10);
    group.bench_function("formula", |bencher| {
        let model = compile("E = tc_k_e(t + d) - tc_k_e(t_ref)");
        let inputs = Inputs::from(vec![
            Input::normal("t", 300.0, 0.5),
            Input::normal("d", 0.0, 0.2),
            Input::normal("t_ref", 23.0, 0.1),
        ]);
        let sampling = Sampling {
            trials: u64::from(COUNT),
            ..Sampling::with_seed(1)
        };
        pool.install(|| bencher.iter(|| monte_carlo(&model, "E", &inputs, &sampling)));
    });
    group.bench_function("by hand", |bencher| bencher.iter(trials_by_hand));
    group.finish();
}

fn trials_by_hand() -> (f64, f64, [f64; 2]) {
    const CHUNK: usize = 256;
    let layers = Ziggurat::normal();
    let (low, high) = (
        constants::<11>("tc_k_e", "c1"),
        constants::<10>("tc_k_e", "c2"),
    );
    let [a0, a1, a2] = ["a0", "a1", "a2"].map(|name| constants::<1>("tc_k_e", name)[0]);
    let voltage = |t: f64| {
        if t < 0.0 {
            return horner(&low, t);
        }
        let bell = (t - a2) * (t - a2);
        horner(&high, t) + a0 * libm::exp(a1 * bell)
    };
    let mut streams: Vec<_> = (0..3)
        .map(|number| {
            let key = Key::of_seed(1).of_number(number);
            (Wide::new(key), Narrow::new(key), Worktop::default())
        })
        .collect();
    let mut lanes = [[0.0; CHUNK]; 3];
    let mut drawn = Vec::with_capacity(COUNT as usize);
    for _ in 0..COUNT as usize / CHUNK {
        for (lane, (wide, narrow, worktop)) in lanes.iter_mut().zip(&mut streams) {
            layers.fill(wide, narrow, worktop, lane);
        }
        let [t, d, reference] = &lanes;
        for at in 0..CHUNK {
            let hot = 300.0 + 0.5 * t[at] + 0.2 * d[at];
            drawn.push(voltage(hot) - voltage(23.0 + 0.1 * reference[at]));
        }
    }
    let count = drawn.len() as f64;
    let mean = drawn.iter().sum::<f64>() / count;
    let squares = drawn.iter().map(|drawn| (drawn - mean) * (drawn - mean));
    let deviation = (squares.sum::<f64>() / (count - 1.0)).sqrt();
    let ends = [0.025, 0.975].map(|part| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank"
        )]
        let rank = (part * count) as usize;
        *drawn.select_nth_unstable_by(rank, f64::total_cmp).1
    });
    (mean, deviation, ends)
}

criterion_group!(benches, thermometer, refractive_index, trials);
criterion_main!(benches);
