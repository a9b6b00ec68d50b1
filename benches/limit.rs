//! The limit program: the draws of a model and the model itself written in Rust, and
//! nothing else — no interpretation, no moments, no intervals. What the engine takes beyond
//! this is what generality costs; ARCHITECTURE.md and `uncertainty/METHOD.md` quote the ratio.
//!
//! It is compiled from the same sources of random numbers as the engine.

#![allow(
    dead_code,
    unused_imports,
    reason = "the shared sources hold more than this program uses"
)]

#[path = "peers/catalogue.rs"]
mod catalogue;
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

use std::f64::consts::PI;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use catalogue::Case;
use criterion::{Criterion, criterion_group, criterion_main};
use elementary::sin_quarter;
use fearless_simd::{Level, Simd as _, dispatch};
use heng_uncertainty::{MonteCarlo, Sampling, monte_carlo};
use random::{Key, LANES, Narrow, Wide, symmetric};
use ziggurat::{Worktop, Ziggurat};

const CHUNK: usize = 256;
type Lane = [f64; CHUNK];

struct Stream(Wide, Narrow, Worktop);

impl Stream {
    fn new(number: u64) -> Self {
        let key = Key::of_seed(1).of_number(number);
        Self(Wide::new(key), Narrow::new(key), Worktop::default())
    }

    #[inline(always)]
    fn rectangle(&mut self, out: &mut Lane, value: f64, half_width: f64) {
        for out in out.as_chunks_mut::<LANES>().0 {
            let words = self.0.next();
            for lane in 0..LANES {
                out[lane] = value + half_width * symmetric(words[lane]);
            }
        }
    }

    #[inline(always)]
    fn arcsine(&mut self, out: &mut Lane, value: f64, half_width: f64) {
        for out in out.as_chunks_mut::<LANES>().0 {
            let words = self.0.next();
            for lane in 0..LANES {
                out[lane] = value + half_width * sin_quarter(0.5 * PI * symmetric(words[lane]));
            }
        }
    }

    #[inline(always)]
    fn triangle(&mut self, out: &mut Lane, value: f64, half_width: f64) {
        for out in out.as_chunks_mut::<LANES>().0 {
            let (first, second) = (self.0.next(), self.0.next());
            for lane in 0..LANES {
                let sum = symmetric(first[lane]) + symmetric(second[lane]);
                out[lane] = value + 0.5 * half_width * sum;
            }
        }
    }

    #[inline(always)]
    fn curvilinear(&mut self, out: &mut Lane, half_width: f64, d: f64) {
        for out in out.as_chunks_mut::<LANES>().0 {
            let (first, second) = (self.0.next(), self.0.next());
            for lane in 0..LANES {
                out[lane] = symmetric(first[lane]) * (half_width + d * symmetric(second[lane]));
            }
        }
    }

    #[inline(always)]
    fn layers(&mut self, out: &mut Lane, layers: &Ziggurat, value: f64, scale: f64) {
        layers.fill(&mut self.0, &mut self.1, &mut self.2, out);
        for out in out {
            *out = value + scale * *out;
        }
    }
}

/// JCGM 101:2008, 9.5.
#[expect(clippy::large_stack_arrays, reason = "18 KiB of lanes")]
fn gauge(trials: usize, out: &mut [f64]) {
    static STUDENTS: LazyLock<[Ziggurat; 4]> =
        LazyLock::new(|| [18.0, 24.0, 5.0, 8.0].map(Ziggurat::new));
    let students = &*STUDENTS;
    let normal = Ziggurat::normal();
    let mut streams: Vec<Stream> = (0..9).map(Stream::new).collect();
    let mut lanes = [[0.0; CHUNK]; 9];
    dispatch!(Level::new(), simd => simd.vectorize(#[inline(always)] || {
        for at in 0..trials / CHUNK {
            let [ls, d, d1, d2, al, th, de, da, dt] = &mut lanes;
            streams[0].layers(ls, &students[0], 50_000_623.0, 25.0);
            streams[1].layers(d, &students[1], 215.0, 6.0);
            streams[2].layers(d1, &students[2], 0.0, 4.0);
            streams[3].layers(d2, &students[3], 0.0, 7.0);
            streams[4].rectangle(al, 1.15e-5, 2e-6);
            streams[5].layers(th, normal, -0.1, 0.2);
            streams[6].arcsine(de, 0.0, 0.5);
            streams[7].curvilinear(da, 1e-6, 1e-7);
            streams[8].curvilinear(dt, 0.05, 0.025);
            let out = &mut out[at * CHUNK..(at + 1) * CHUNK];
            for i in 0..CHUNK {
                let expansion = da[i] * (th[i] + de[i]) + al[i] * dt[i];
                out[i] = ls[i] + d[i] + d1[i] + d2[i] - ls[i] * expansion - 50_000_000.0;
            }
        }
    }));
}

/// JCGM 101:2008, 9.3.
fn mass(trials: usize, out: &mut [f64]) {
    let normal = Ziggurat::normal();
    let mut streams: Vec<Stream> = (0..5).map(Stream::new).collect();
    let mut lanes = [[0.0; CHUNK]; 5];
    dispatch!(Level::new(), simd => simd.vectorize(#[inline(always)] || {
        for at in 0..trials / CHUNK {
            let [mr, dm, ra, rw, rr] = &mut lanes;
            streams[0].layers(mr, normal, 100_000.0, 0.05);
            streams[1].layers(dm, normal, 1.234, 0.02);
            streams[2].rectangle(ra, 1.2, 0.1);
            streams[3].rectangle(rw, 8000.0, 1000.0);
            streams[4].rectangle(rr, 8000.0, 50.0);
            let out = &mut out[at * CHUNK..(at + 1) * CHUNK];
            for i in 0..CHUNK {
                let buoyancy = (ra[i] - 1.2) * (1.0 / rw[i] - 1.0 / rr[i]);
                out[i] = (mr[i] + dm[i]) * (1.0 + buoyancy) - 100_000.0;
            }
        }
    }));
}

/// A thermometer against two resistance thermometers in a stirred bath, 30 inputs; see
/// `peers/models.json`.
#[expect(clippy::large_stack_arrays, reason = "60 KiB of lanes")]
fn bath(trials: usize, out: &mut [f64]) {
    static NINE: LazyLock<Ziggurat> = LazyLock::new(|| Ziggurat::new(9.0));
    static FOUR: LazyLock<Ziggurat> = LazyLock::new(|| Ziggurat::new(4.0));
    let (nine, four) = (&*NINE, &*FOUR);
    let mut streams: Vec<Stream> = (0..30).map(Stream::new).collect();
    let mut lanes = [[0.0; CHUNK]; 30];
    dispatch!(Level::new(), simd => simd.vectorize(#[inline(always)] || {
        for out in out[..trials].as_chunks_mut::<CHUNK>().0 {
            draw_reference(&mut streams, &mut lanes, nine);
            draw_thermometers(&mut streams, &mut lanes);
            draw_comparison(&mut streams, &mut lanes, nine, four);
            read_bath(&lanes, out);
        }
    }));
}

#[inline(always)]
fn draw_reference(streams: &mut [Stream], lanes: &mut [Lane; 30], nine: &Ziggurat) {
    let normal = Ziggurat::normal();
    streams[0].layers(&mut lanes[0], normal, 100.0, 5e-5);
    streams[1].rectangle(&mut lanes[1], 0.0, 1e-4);
    streams[2].rectangle(&mut lanes[2], 0.0, 2e-6);
    streams[3].arcsine(&mut lanes[3], 0.0, 0.5);
    streams[4].layers(&mut lanes[4], nine, 1.385_055, 2e-6);
    streams[5].layers(&mut lanes[5], nine, 1.385_061, 2e-6);
    streams[6].rectangle(&mut lanes[6], 0.0, 1e-7);
    streams[7].rectangle(&mut lanes[7], 0.0, 1e-7);
}

#[inline(always)]
fn draw_thermometers(streams: &mut [Stream], lanes: &mut [Lane; 30]) {
    let normal = Ziggurat::normal();
    for at in 0..2 {
        streams[8 + at].layers(&mut lanes[8 + at], normal, 100.0, 2e-4);
        streams[10 + at].layers(&mut lanes[10 + at], normal, 3.9083e-3, 2e-8);
        streams[12 + at].layers(&mut lanes[12 + at], normal, -5.775e-7, 2e-11);
        streams[14 + at].rectangle(&mut lanes[14 + at], 0.001, 0.001);
        streams[16 + at].rectangle(&mut lanes[16 + at], 0.0, 0.003);
        streams[18 + at].triangle(&mut lanes[18 + at], 0.001, 0.001);
    }
}

#[inline(always)]
fn draw_comparison(
    streams: &mut [Stream],
    lanes: &mut [Lane; 30],
    nine: &Ziggurat,
    four: &Ziggurat,
) {
    streams[20].curvilinear(&mut lanes[20], 0.005, 0.001);
    streams[21].curvilinear(&mut lanes[21], 0.003, 0.001);
    streams[22].layers(&mut lanes[22], nine, 0.0, 0.0015);
    streams[23].layers(&mut lanes[23], nine, 100.02, 0.004);
    streams[24].rectangle(&mut lanes[24], 0.0, 0.005);
    streams[25].rectangle(&mut lanes[25], 0.0, 0.01);
    streams[26].rectangle(&mut lanes[26], 0.002, 0.002);
    streams[27].triangle(&mut lanes[27], 0.003, 0.003);
    streams[28].layers(&mut lanes[28], four, 0.0, 0.003);
    streams[29].rectangle(&mut lanes[29], 0.0, 0.006);
}

#[inline(always)]
fn read_bath(lanes: &[Lane; 30], out: &mut [f64; CHUNK]) {
    let [
        rs,
        drs,
        als,
        dtr,
        q1,
        q2,
        l1,
        l2,
        r01,
        r02,
        a1,
        a2,
        b1,
        b2,
        ..,
    ] = lanes;
    let [
        ..,
        sh1,
        sh2,
        dr1,
        dr2,
        st1,
        st2,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
    ] = lanes;
    let [.., ax, rdl, stab, x, res, hys, shd, stm, rep, cal] = lanes;
    for i in 0..CHUNK {
        let resistance = rs[i] + drs[i] + rs[i] * als[i] * dtr[i];
        // The equation of Callendar and Van Dusen above 0 °C, solved for the temperature.
        let temperature = |a: f64, b: f64, q: f64, lead: f64, zero: f64| {
            let root = a * a - 4.0 * b * (1.0 - q * resistance * (1.0 + lead) / zero);
            (root.sqrt() - a) / (2.0 * b)
        };
        let first = temperature(a1[i], b1[i], q1[i], l1[i], r01[i]) - sh1[i] + dr1[i] - st1[i];
        let second = temperature(a2[i], b2[i], q2[i], l2[i], r02[i]) - sh2[i] + dr2[i] - st2[i];
        let indicated = x[i] + res[i] + hys[i] - shd[i] - stm[i] + rep[i] + cal[i];
        out[i] = indicated - (0.5 * (first + second) + ax[i] + rdl[i] + stab[i]);
    }
}

/// Fills the beginning of the column with that many trials, in whole chunks.
type Limit = fn(usize, &mut [f64]);

const TRIALS: usize = 1_000_000;

fn limits(criterion: &mut Criterion) {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let one = one.expect("a thread");
    let mut out = vec![0.0; TRIALS];
    let sampling = Sampling {
        trials: TRIALS as u64,
        coverage: 0.95,
        ..Sampling::with_seed(1)
    };
    let limits: [(&str, Limit); 3] = [("gauge", gauge), ("mass", mass), ("bath", bath)];
    for (name, limit) in limits {
        let Case {
            model,
            output,
            inputs,
        } = Case::to_draw(name).expect("a model");
        let engine = || monte_carlo(&model, &output, &inputs, &sampling);
        limit(TRIALS, &mut out);
        check_same_law(&out, &engine().expect("a distribution"));
        let mut group = criterion.benchmark_group(format!("1e6 trials, one core: {name}"));
        group
            .sample_size(20)
            .measurement_time(Duration::from_secs(2));
        group.bench_function("limit program", |bencher| {
            bencher.iter(|| limit(black_box(TRIALS), &mut out));
        });
        group.bench_function("engine, with moments and both intervals", |bencher| {
            one.install(|| bencher.iter(engine));
        });
        group.finish();
    }
}

/// A limit of another model would be none: the means agree to six standard errors of their
/// difference. The last 64 trials, less than a chunk, are not drawn.
fn check_same_law(drawn: &[f64], engine: &MonteCarlo) {
    let drawn = &drawn[..TRIALS / CHUNK * CHUNK];
    let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
    let allowed = 6.0 * std::f64::consts::SQRT_2 * engine.errors.mean;
    let found = (mean - engine.mean).abs();
    assert!(found < allowed, "{mean} is not {}", engine.mean);
}

criterion_group!(benches, limits);
criterion_main!(benches);
