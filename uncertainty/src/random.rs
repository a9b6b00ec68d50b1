//! Random numbers: 16 streams of xoshiro256++ side by side (D. Blackman and S. Vigna, ACM
//! Trans. Math. Softw. 47, 2021, 36), and one for what has to be drawn again.
//!
//! Each input of each block of trials has streams of its own, so that a trial is the same
//! however the trials are divided over threads, and whatever other inputs a model has.

/// Streams side by side: two vector registers of AVX-512, four of AVX2, eight of SSE2.
pub const LANES: usize = 16;

/// Identifies the streams of one input in one block.
#[derive(Clone, Copy, Debug)]
pub struct Key(u64);

/// Finaliser of SplitMix64 (G. Steele, D. Lea and C. Flood, OOPSLA 2014).
#[inline(always)]
const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key {
    /// The seed of a run.
    pub fn of_seed(seed: u64) -> Self {
        Self(mix(seed.wrapping_add(GOLDEN)))
    }

    /// The key of a named part, for example of an input by its symbol.
    pub fn of_name(self, name: &str) -> Self {
        let key = name.bytes().fold(self.0, |key, byte| {
            mix(key.wrapping_add(GOLDEN) ^ u64::from(byte))
        });
        // An end mark that no byte is: "ab" then "c" differs from "a" then "bc".
        Self(mix(key.wrapping_add(GOLDEN) ^ 0xff00))
    }

    /// The key of a numbered part, for example of a block of trials.
    pub const fn of_number(self, number: u64) -> Self {
        Self(mix(self.0.wrapping_add(mix(number.wrapping_add(GOLDEN)))))
    }
}

/// Words of SplitMix64, to fill the states.
struct Seeder(u64);

impl Seeder {
    #[inline(always)]
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }
}

/// 16 streams.
#[derive(Clone, Debug)]
pub struct Wide {
    state: [[u64; LANES]; 4],
}

impl Wide {
    pub fn new(key: Key) -> Self {
        let mut seeder = Seeder(key.0);
        let mut state = [[0; LANES]; 4];
        for word in &mut state {
            for lane in word {
                *lane = seeder.next();
            }
        }
        Self { state }
    }

    /// One word of each stream.
    #[inline(always)]
    pub fn next(&mut self) -> [u64; LANES] {
        let [a, b, c, d] = &mut self.state;
        let mut out = [0; LANES];
        for lane in 0..LANES {
            let (s0, s1, s2, s3) = (a[lane], b[lane], c[lane], d[lane]);
            out[lane] = s0.wrapping_add(s3).rotate_left(23).wrapping_add(s0);
            let t = s1 << 17;
            let s2 = s2 ^ s0;
            let s3 = s3 ^ s1;
            b[lane] = s1 ^ s2;
            a[lane] = s0 ^ s3;
            c[lane] = s2 ^ t;
            d[lane] = s3.rotate_left(45);
        }
        out
    }
}

/// One stream.
#[derive(Clone, Debug)]
pub struct Narrow {
    state: [u64; 4],
}

impl Narrow {
    pub fn new(key: Key) -> Self {
        // Apart from the words that seed the wide streams of the same key.
        let mut seeder = Seeder(mix(!key.0));
        Self {
            state: [(); 4].map(|()| seeder.next()),
        }
    }

    pub fn next(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.state;
        let out = s0.wrapping_add(s3).rotate_left(23).wrapping_add(s0);
        let (c, d) = (s2 ^ s0, s3 ^ s1);
        self.state = [s0 ^ d, s1 ^ c, c ^ (s1 << 17), d.rotate_left(45)];
        out
    }

    pub fn uniform(&mut self) -> f64 {
        uniform(self.next())
    }
}

/// Uniform in the open interval (0, 1): the middle of one of 2⁵² equal cells. Neither end
/// is ever drawn.
#[inline(always)]
pub fn uniform(word: u64) -> f64 {
    // 1 ≤ x < 2 from the upper 52 bits, then back by 1 and on by half a cell.
    f64::from_bits((word >> 12) | 0x3ff0_0000_0000_0000) - (1.0 - 0.5 * f64::EPSILON)
}

/// Uniform in (−1, 1), symmetric.
#[inline(always)]
pub fn symmetric(word: u64) -> f64 {
    // 2 ≤ x < 4, then −1 ≤ x < 1, and on by half a cell; both sums are exact.
    (f64::from_bits((word >> 12) | 0x4000_0000_0000_0000) - 3.0) + f64::EPSILON
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generators_give_the_published_words() {
        // Test vector of the authors' C code, state 1, 2, 3, 4.
        let mut narrow = Narrow {
            state: [1, 2, 3, 4],
        };
        let words = [(); 4].map(|()| narrow.next());
        let published = [41943041, 58720359, 3588806011781223, 3591011842654386];
        assert_eq!(words, published);
        // SplitMix64, seed 1234567.
        let mut seeder = Seeder(1_234_567);
        let words = [(); 3].map(|()| seeder.next());
        let published = [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
        ];
        assert_eq!(words, published);
    }

    #[test]
    fn streams_of_a_key_are_pinned() {
        // From an independent implementation in Python. Any change of key, seeding or
        // generator changes results that records hold: it needs a new name of the sampler.
        let key = Key::of_seed(1).of_name("ab").of_number(7);
        let mut wide = Wide::new(key);
        let words = [(); 3].map(|()| wide.next());
        let found = [words[0][0], words[0][15], words[2][3]];
        let wanted = [
            0x32cf_cf32_49b7_037f,
            0x43fc_0ca4_ee22_56c8,
            0x0b7d_770e_6995_71ad,
        ];
        assert_eq!(found, wanted);
        let mut narrow = Narrow::new(key);
        let words = [(); 3].map(|()| narrow.next());
        assert_eq!(words[2], 0x1ca4_3ee4_9990_50c2);
    }

    #[test]
    fn uniform_numbers_never_reach_their_ends() {
        assert!(uniform(0) > 0.0 && uniform(u64::MAX) < 1.0);
        assert_eq!(uniform(0), 1.0 - uniform(u64::MAX));
        assert_eq!(symmetric(0), -symmetric(u64::MAX));
        assert!(symmetric(u64::MAX) < 1.0);
    }
}
