//! Complex quantities written out in real operations.
//!
//! Branches are the principal ones: `arg`, `ln` and `sqrt` are cut along the negative real
//! axis. A real operand is never padded with a zero imaginary part: 0·x would be NaN where
//! x is not finite, and a term in every derivative.

use super::tape::{Binary, Op, Place, Register, Tape, Unary};
use super::value::Complex;

/// Real operations of one place of the text.
pub struct Arithmetic<'t> {
    tape: &'t mut Tape,
    place: Place,
}

impl<'t> Arithmetic<'t> {
    pub fn new(tape: &'t mut Tape, place: Place) -> Self {
        Self { tape, place }
    }

    fn both(&mut self, binary: Binary, a: Register, b: Register) -> Register {
        self.tape.binary(binary, a, b, self.place)
    }

    fn one(&mut self, unary: Unary, a: Register) -> Register {
        self.tape.push(Op::Unary(unary, a), self.place)
    }

    fn number(&mut self, value: f64) -> Register {
        self.tape.constant(value, self.place)
    }

    pub fn negative(&mut self, z: Complex) -> Complex {
        Complex {
            re: self.one(Unary::Neg, z.re),
            im: self.one(Unary::Neg, z.im),
        }
    }

    pub fn conjugate(&mut self, z: Complex) -> Complex {
        Complex {
            re: z.re,
            im: self.one(Unary::Neg, z.im),
        }
    }

    pub fn add(&mut self, z: Complex, w: Complex) -> Complex {
        Complex {
            re: self.both(Binary::Add, z.re, w.re),
            im: self.both(Binary::Add, z.im, w.im),
        }
    }

    pub fn subtract(&mut self, z: Complex, w: Complex) -> Complex {
        Complex {
            re: self.both(Binary::Sub, z.re, w.re),
            im: self.both(Binary::Sub, z.im, w.im),
        }
    }

    pub fn multiply(&mut self, z: Complex, w: Complex) -> Complex {
        let (aa, bb) = (
            self.both(Binary::Mul, z.re, w.re),
            self.both(Binary::Mul, z.im, w.im),
        );
        let (ab, ba) = (
            self.both(Binary::Mul, z.re, w.im),
            self.both(Binary::Mul, z.im, w.re),
        );
        Complex {
            re: self.both(Binary::Sub, aa, bb),
            im: self.both(Binary::Add, ab, ba),
        }
    }

    pub fn divide(&mut self, z: Complex, w: Complex) -> Complex {
        let conjugate = self.conjugate(w);
        let product = self.multiply(z, conjugate);
        let square = self.square_of_modulus(w);
        self.scale(Binary::Div, product, square)
    }

    /// Both parts times or over a real number.
    pub fn scale(&mut self, binary: Binary, z: Complex, by: Register) -> Complex {
        Complex {
            re: self.both(binary, z.re, by),
            im: self.both(binary, z.im, by),
        }
    }

    /// A real number plus a complex one.
    pub fn shift(&mut self, x: Register, z: Complex) -> Complex {
        Complex {
            re: self.both(Binary::Add, x, z.re),
            im: z.im,
        }
    }

    /// A complex number minus a real one.
    pub fn shift_down(&mut self, z: Complex, x: Register) -> Complex {
        Complex {
            re: self.both(Binary::Sub, z.re, x),
            im: z.im,
        }
    }

    /// A real number over a complex one.
    pub fn divide_real(&mut self, x: Register, z: Complex) -> Complex {
        let conjugate = self.conjugate(z);
        let product = self.scale(Binary::Mul, conjugate, x);
        let square = self.square_of_modulus(z);
        self.scale(Binary::Div, product, square)
    }

    /// z^n by squaring.
    pub fn power(&mut self, z: Complex, n: i32) -> Complex {
        let mut left = n.unsigned_abs();
        let mut square = z;
        let mut product = None;
        while left > 0 {
            if left & 1 == 1 {
                product = Some(match product {
                    None => square,
                    Some(product) => self.multiply(product, square),
                });
            }
            left >>= 1;
            if left > 0 {
                square = self.multiply(square, square);
            }
        }
        let one = self.number(1.0);
        match product {
            None => Complex {
                re: one,
                im: self.number(0.0),
            },
            Some(product) if n < 0 => self.divide_real(one, product),
            Some(product) => product,
        }
    }

    fn square_of_modulus(&mut self, z: Complex) -> Register {
        let re = self.both(Binary::Mul, z.re, z.re);
        let im = self.both(Binary::Mul, z.im, z.im);
        self.both(Binary::Add, re, im)
    }

    pub fn modulus(&mut self, z: Complex) -> Register {
        let square = self.square_of_modulus(z);
        self.one(Unary::Sqrt, square)
    }

    pub fn argument(&mut self, z: Complex) -> Register {
        self.both(Binary::Atan2, z.im, z.re)
    }

    pub fn polar(&mut self, modulus: Register, argument: Register) -> Complex {
        let (cos, sin) = (
            self.one(Unary::Cos, argument),
            self.one(Unary::Sin, argument),
        );
        Complex {
            re: self.both(Binary::Mul, modulus, cos),
            im: self.both(Binary::Mul, modulus, sin),
        }
    }

    pub fn exp(&mut self, z: Complex) -> Complex {
        let modulus = self.one(Unary::Exp, z.re);
        self.polar(modulus, z.im)
    }

    pub fn ln(&mut self, z: Complex) -> Complex {
        let modulus = self.modulus(z);
        Complex {
            re: self.one(Unary::Ln, modulus),
            im: self.argument(z),
        }
    }

    /// By modulus and half the argument: differentiable all over the cut plane, where the
    /// half-angle formulas have a kink on the positive real axis.
    pub fn sqrt(&mut self, z: Complex) -> Complex {
        let modulus = self.modulus(z);
        let root = self.one(Unary::Sqrt, modulus);
        let argument = self.argument(z);
        let half = self.number(0.5);
        let half = self.both(Binary::Mul, half, argument);
        self.polar(root, half)
    }
}
