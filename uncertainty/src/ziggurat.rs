//! Exact samples of the normal and of every t distribution from layers of equal area
//! (G. Marsaglia and W. W. Tsang, Journal of Statistical Software 5, 2000, 8).
//!
//! All but one sample in 160 need a product and a comparison only. Those that do not are
//! drawn again, one by one, from a stream of their own.

use std::sync::LazyLock;

use crate::random::{LANES, Narrow, Wide, uniform};
use crate::student;

/// Layers; a power of 2, taken from the low bits of a word.
const LAYERS: usize = 512;

/// Bit of the word that gives the sign; bits 12 to 63 give the place in the layer.
const SIGN: u64 = 1 << SIGN_BIT;
const SIGN_BIT: u32 = 9;

/// Densities are left unnormalised, 1 at the middle.
#[derive(Debug, Clone)]
pub struct Ziggurat {
    dof: f64,
    /// Width of each layer and of the next one inside; the first is the layer with the tail,
    /// as wide as a rectangle of its area would be.
    widths: [[f64; 2]; LAYERS],
    /// Density at both widths.
    heights: [[f64; 2]; LAYERS],
    /// Where the tail begins.
    tail: f64,
}

/// Samples that are worked on together.
pub const PART: usize = 256;

/// Room for the words and look-ups of one part, used again for the next.
#[derive(Debug)]
pub struct Worktop {
    words: [u64; PART],
    edges: [[f64; 2]; PART],
}

impl Default for Worktop {
    fn default() -> Self {
        Self {
            words: [0; PART],
            edges: [[0.0; 2]; PART],
        }
    }
}

impl Ziggurat {
    pub fn normal() -> &'static Self {
        static NORMAL: LazyLock<Ziggurat> = LazyLock::new(|| Ziggurat::new(f64::INFINITY));
        &NORMAL
    }

    /// Layers of the t distribution with `dof` degrees of freedom; the normal distribution
    /// where they are infinite.
    pub fn new(dof: f64) -> Self {
        let width = outermost(dof);
        let area = layer_area(dof, width);
        let base = density(dof, width);
        let mut edges = vec![(width, base)];
        stack(dof, width, &mut |x, y| edges.push((x, y)));
        edges.push((0.0, 1.0));
        let mut widths = [[area / base, width]; LAYERS];
        let mut heights = [[0.0, base]; LAYERS];
        for (layer, pair) in edges.windows(2).take(LAYERS - 1).enumerate() {
            widths[layer + 1] = [pair[0].0, pair[1].0];
            heights[layer + 1] = [pair[0].1, pair[1].1];
        }
        Self {
            dof,
            widths,
            heights,
            tail: width,
        }
    }

    /// Fills `out`, a multiple of 256 samples, with standard deviates.
    #[inline(always)]
    pub fn fill(
        &self,
        wide: &mut Wide,
        narrow: &mut Narrow,
        worktop: &mut Worktop,
        out: &mut [f64],
    ) {
        for part in out.as_chunks_mut::<PART>().0 {
            self.part(wide, narrow, worktop, part);
        }
    }

    /// In passes of one kind of work each: words, look-ups, arithmetic, and at last the few
    /// samples that are outside of their layer's inner part.
    #[inline(always)]
    fn part(
        &self,
        wide: &mut Wide,
        narrow: &mut Narrow,
        worktop: &mut Worktop,
        out: &mut [f64; PART],
    ) {
        let Worktop { words, edges } = worktop;
        for group in words.as_chunks_mut::<LANES>().0 {
            *group = wide.next();
        }
        for at in 0..PART {
            edges[at] = self.widths[(words[at] & (SIGN - 1)) as usize];
        }
        let mut outside = [0_u8; PART];
        for at in 0..PART {
            let [width, inner] = edges[at];
            let x = width * uniform(words[at]);
            outside[at] = u8::from(x >= inner);
            out[at] = with_sign(x, words[at]);
        }
        for (group, flags) in outside.as_chunks::<LANES>().0.iter().enumerate() {
            if u128::from_ne_bytes(*flags) != 0 {
                for at in (group * LANES..).take(LANES).filter(|&at| outside[at] != 0) {
                    out[at] = self.finish(words[at], narrow);
                }
            }
        }
    }

    /// One standard deviate.
    pub fn draw(&self, narrow: &mut Narrow) -> f64 {
        let word = narrow.next();
        self.finish(word, narrow)
    }

    /// The sample of a word, or of a later one where it is rejected.
    fn finish(&self, mut word: u64, narrow: &mut Narrow) -> f64 {
        loop {
            let layer = (word & (SIGN - 1)) as usize;
            let [width, inner] = self.widths[layer];
            let x = width * uniform(word);
            if x < inner {
                return with_sign(x, word);
            }
            if layer == 0 {
                return with_sign(self.draw_tail(narrow), word);
            }
            let [below, above] = self.heights[layer];
            if below + narrow.uniform() * (above - below) < density(self.dof, x) {
                return with_sign(x, word);
            }
            word = narrow.next();
        }
    }

    /// A deviate beyond the tail's beginning: the polar form of Bailey (Mathematics of
    /// Computation 62, 1994, 779) with the radius drawn among those that can reach so far.
    fn draw_tail(&self, narrow: &mut Narrow) -> f64 {
        let most = radius_tail(self.dof, self.tail);
        loop {
            let radius = radius_at(self.dof, most * narrow.uniform());
            let cosine = libm::cos(std::f64::consts::PI * 0.5 * narrow.uniform());
            let x = radius * cosine;
            if x > self.tail {
                return x;
            }
        }
    }
}

#[inline(always)]
fn with_sign(x: f64, word: u64) -> f64 {
    f64::from_bits(x.to_bits() | ((word & SIGN) << (63 - SIGN_BIT)))
}

/// Density over its value at 0.
fn density(dof: f64, x: f64) -> f64 {
    if dof.is_infinite() {
        libm::exp(-0.5 * x * x)
    } else {
        libm::exp(-0.5 * (dof + 1.0) * libm::log1p(x * x / dof))
    }
}

/// The x at which the density has fallen to `y` (0 < y ≤ 1).
fn inverse_density(dof: f64, y: f64) -> f64 {
    let log = -2.0 * libm::log(y);
    if dof.is_infinite() {
        log.sqrt()
    } else {
        (dof * libm::expm1(log / (dof + 1.0))).sqrt()
    }
}

/// P(R > r) of the radius in Bailey's form.
fn radius_tail(dof: f64, r: f64) -> f64 {
    if dof.is_infinite() {
        libm::exp(-0.5 * r * r)
    } else {
        libm::exp(-0.5 * dof * libm::log1p(r * r / dof))
    }
}

/// The radius that is exceeded with that probability.
fn radius_at(dof: f64, tail: f64) -> f64 {
    let log = -2.0 * libm::log(tail);
    if dof.is_infinite() {
        log.sqrt()
    } else {
        (dof * libm::expm1(log / dof)).sqrt()
    }
}

/// Area right of `x`.
fn area_beyond(dof: f64, x: f64) -> f64 {
    if dof.is_infinite() {
        // √(π/2)·erfc(x/√2)
        1.253_314_137_315_500_3 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2)
    } else {
        student::upper_tail(x, dof) / student::density(0.0, dof)
    }
}

/// Area of every layer where the outermost rectangle is `width` wide.
fn layer_area(dof: f64, width: f64) -> f64 {
    width * density(dof, width) + area_beyond(dof, width)
}

/// The outermost width whose layers end at the middle of the curve. What is left over there
/// is below 10⁻⁹ of one layer: no number of trials could show it.
fn outermost(dof: f64) -> f64 {
    // The layers together are larger than the curve by about so many layers (found by
    // trying); that gives the first guess.
    let wanted = area_beyond(dof, 0.0) / (LAYERS as f64 - 1.85 - 2.1 / dof);
    let first = root(|x| layer_area(dof, x) / wanted - 1.0, 1.0, 1e-6);
    root(|x| stack(dof, x, &mut |_, _| {}), first, 1e-11)
}

/// Root of a falling function near `start`: secant steps inside a bracket.
fn root(function: impl Fn(f64) -> f64, start: f64, relative: f64) -> f64 {
    let (mut low, mut high) = (0.0, f64::INFINITY);
    // A second point nearby, for the first secant.
    let near = start * (1.0 + 1e-4);
    let (mut last, mut x) = ((near, function(near)), start);
    for _ in 0..200 {
        let y = function(x);
        if y == 0.0 {
            return x;
        }
        if y > 0.0 {
            low = x;
        } else {
            high = x;
        }
        let secant = x - y * (x - last.0) / (y - last.1);
        last = (x, y);
        let next = if secant > low && secant < high && secant < 4.0 * x {
            secant
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * x
        };
        if (next - x).abs() <= relative * x {
            return next;
        }
        x = next;
    }
    x
}

/// Builds layers inwards from `width`, telling each layer's inner width and the density there, and gives the
/// height that the last layer would reach beyond the top of the curve.
fn stack(dof: f64, width: f64, inner: &mut dyn FnMut(f64, f64)) -> f64 {
    let area = layer_area(dof, width);
    let (mut x, mut y) = (width, density(dof, width));
    for layer in 1..LAYERS {
        y += area / x;
        if layer == LAYERS - 1 {
            break;
        }
        if y >= 1.0 {
            // Too few layers are left over: further out by as many as are missing.
            return y - 1.0 + (LAYERS - 1 - layer) as f64;
        }
        x = inverse_density(dof, y);
        inner(x, y);
    }
    y - 1.0
}
