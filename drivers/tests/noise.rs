//! What a noisy line does: 1 000 seeded exchanges for each model and rate of damage. Every
//! reply that is not what the instrument sent must be refused; how often a protocol without a
//! check lets another value through is the table of `drivers/NOISE.md`.

mod corpus;
mod table;

use std::fmt::Write;

use corpus::{Sample, damage, ids, samples};
use heng_drivers::{Framing, Reply};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const EXCHANGES: usize = 1000;
const SEED: u64 = 5;
/// Damaged bytes in a million: 0.1 %, 1 %, 5 %.
const RATES: [u32; 3] = [1_000, 10_000, 50_000];

#[derive(Default, Clone, Copy)]
struct Counts {
    damaged: usize,
    refused: usize,
    wrong: usize,
}

/// What the program makes of the bytes: the reply up to its end, as the port cuts it.
fn exchange(sample: &Sample, received: &[u8]) -> Option<Reply> {
    match sample.model.frame(&sample.request, received) {
        Framing::NeedMore => None,
        Framing::Complete(length) => sample
            .model
            .decode(&sample.request, &received[..length])
            .ok(),
    }
}

fn count(samples: &[Sample], rate: u32) -> Counts {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + u64::from(rate));
    let mut counts = Counts::default();
    for number in 0..EXCHANGES {
        let sample = &samples[number % samples.len()];
        let received = damage(&sample.reply, rate, &mut random);
        if received == sample.reply {
            continue;
        }
        counts.damaged += 1;
        match exchange(sample, &received) {
            None => counts.refused += 1,
            Some(reply) if reply.values == sample.said.values => {}
            Some(_) => counts.wrong += 1,
        }
    }
    counts
}

/// Whether the protocol has a check: no byte can be changed alone.
fn checked(samples: &[Sample]) -> bool {
    samples.iter().all(|sample| {
        (0..sample.reply.len()).all(|at| {
            let mut received = sample.reply.clone();
            received[at] ^= 1;
            exchange(sample, &received).is_none_or(|reply| reply.values == sample.said.values)
        })
    })
}

fn measured() -> String {
    let mut table = String::from(
        "| model | check | 0.1 %: damaged | refused | wrong | 1 %: damaged | refused | wrong | 5 %: damaged | refused | wrong |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for id in ids() {
        let mut samples = samples(id);
        samples.retain(|sample| !sample.said.values.is_empty());
        if samples.is_empty() {
            continue;
        }
        let check = checked(&samples);
        write!(table, "| {id} | {} |", if check { "yes" } else { "no" }).unwrap();
        for rate in RATES {
            let Counts {
                damaged,
                refused,
                wrong,
            } = count(&samples, rate);
            write!(table, " {damaged} | {refused} | {wrong} |").unwrap();
            assert!(
                !check || wrong == 0,
                "{id}: {wrong} wrong values passed the check at {rate} in a million (seed {SEED})"
            );
        }
        table.push('\n');
    }
    table
}

#[test]
fn the_table_of_noise_is_what_is_measured() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/NOISE.md");
    let text = std::fs::read_to_string(page).unwrap();
    let measured = measured();
    println!("{measured}");
    table::compare(&text, &measured);
}
