//! Decoders take any bytes: no panic, no reading beyond the end, no endless loop, and the same
//! answer every time.

mod corpus;

use corpus::{Sample, damage, ids, samples};
use heng_drivers::{Framing, Request, description};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Damage in millionths of the bytes, from almost whole replies to rubble.
const DAMAGE: [u32; 4] = [10_000, 50_000, 200_000, 600_000];

/// One input: a damaged reply, a piece of another reply, or bytes from nowhere.
fn input(samples: &[Sample], random: &mut ChaCha8Rng) -> Vec<u8> {
    let draw = random.next_u32() as usize;
    let (choice, rest) = (draw % 8, draw / 8);
    match choice {
        0 => {
            let mut bytes = vec![0; rest % 96];
            random.fill_bytes(&mut bytes);
            bytes
        }
        1 => {
            let (head, tail) = (
                &samples[rest % samples.len()],
                &samples[rest / 7 % samples.len()],
            );
            let cut = rest / 49 % (head.reply.len() + 1);
            let from = rest / 343 % (tail.reply.len() + 1);
            [&head.reply[..cut], &tail.reply[from..]].concat()
        }
        _ => {
            let sample = &samples[rest % samples.len()];
            damage(&sample.reply, DAMAGE[choice % 4], random)
        }
    }
}

fn fuzz(id: &str, inputs: u64, seed: u64) {
    let samples = samples(id);
    for Sample {
        model,
        request,
        reply,
        said,
    } in &samples
    {
        assert_eq!(model.decode(request, reply).as_ref(), Ok(said), "{id}");
    }
    let model = description(id).unwrap();
    let requests: Vec<Request> = model.commands().map(Request::new).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    println!("{id}: {inputs} inputs, seed {seed}");
    for number in 0..inputs {
        let bytes = input(&samples, &mut random);
        let draw = random.next_u32() as usize;
        // Mostly the request that the reply belongs to, sometimes any other.
        let (description, request) = if draw.is_multiple_of(4) {
            (model, &requests[draw / 4 % requests.len()])
        } else {
            let sample = &samples[draw / 4 % samples.len()];
            (&sample.model, &sample.request)
        };
        let framing = description.frame(request, &bytes);
        if let Framing::Complete(length) = framing {
            assert!(
                length <= bytes.len(),
                "{id} {request:?} input {number}: {bytes:?}"
            );
        }
        let reply = description.decode(request, &bytes);
        if number.is_multiple_of(16) {
            assert_eq!(
                reply,
                description.decode(request, &bytes),
                "{id} input {number}"
            );
        }
        // A request made of the same bytes is understood or not, and never more than that.
        let _recognised = description.recognise(&bytes);
    }
}

#[test]
fn decoders_take_any_bytes() {
    for id in ids() {
        fuzz(id, 4_000, 1);
    }
}

/// The long run: `cargo test --release -p heng-drivers --test fuzz -- --ignored`, 10 million inputs for each model.
#[test]
#[ignore = "takes many minutes"]
fn decoders_take_ten_million_inputs_each() {
    let threads: Vec<_> = ids()
        .into_iter()
        .zip(1000..)
        .map(|(id, seed)| std::thread::spawn(move || fuzz(id, 10_000_000, seed)))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
