//! Operators and built-in functions on numbers, vectors and complex quantities.

use std::fmt::Display;

use super::Diagnostic;
use super::compile::{Compiler, Operand, quoted, refused};
use super::complex::Arithmetic;
use super::parse::{Comparison, Junction, Node};
use super::tape::{Binary, Op, Place, Register, Unary};
use super::value::{Complex, Value};

/// Functions beyond those of one or two real numbers.
const WORDS: &[&str] = &[
    "if", "poly", "sum", "mean", "sumsq", "dot", "complex", "polar", "conj", "re", "im", "arg",
];

/// Largest whole power of a complex quantity.
const MAX_POWER: f64 = 64.0;

/// Whether the name is a function of real numbers, known without a library.
pub fn is_elementary(name: &str) -> bool {
    Unary::named(name).is_some() || Binary::named(name).is_some()
}

/// Whether the name before an opening parenthesis means a function of the language.
pub fn is_function(name: &str) -> bool {
    is_elementary(name) || WORDS.contains(&name)
}

/// All functions, for messages.
pub fn names() -> String {
    let elementary =
        "exp ln log10 sqrt abs sin cos tan asin acos atan sinh cosh tanh min max atan2";
    format!("{elementary} {}", WORDS.join(" "))
}

pub fn count(name: &str, wanted: &dyn Display, given: usize) -> String {
    format!("`{name}` takes {wanted} argument(s), {given} given")
}

impl Compiler<'_> {
    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        left: Register,
        right: Register,
        place: Place,
    ) -> Register {
        let op = match comparison {
            Comparison::Less => Op::Binary(Binary::Less, left, right),
            Comparison::LessEqual => Op::Binary(Binary::LessEqual, left, right),
            Comparison::Greater => Op::Binary(Binary::Less, right, left),
            Comparison::GreaterEqual => Op::Binary(Binary::LessEqual, right, left),
        };
        self.tape.push(op, place)
    }

    pub(super) fn not(&mut self, condition: Register, place: Place) -> Register {
        let (no, yes) = (
            self.tape.constant(0.0, place),
            self.tape.constant(1.0, place),
        );
        self.tape.push(Op::Select(condition, no, yes), place)
    }

    pub(super) fn both(
        &mut self,
        junction: Junction,
        left: Register,
        right: Register,
        place: Place,
    ) -> Register {
        let op = match junction {
            Junction::And => Op::Select(left, right, self.tape.constant(0.0, place)),
            Junction::Or => Op::Select(left, self.tape.constant(1.0, place), right),
        };
        self.tape.push(op, place)
    }

    pub(super) fn select(
        &mut self,
        condition: Register,
        holds: Operand<'_>,
        fails: Operand<'_>,
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        if is_complex(&holds) || is_complex(&fails) {
            let holds = self.promoted(&holds, place)?;
            let fails = self.promoted(&fails, place)?;
            let mut part = |a, b| self.tape.push(Op::Select(condition, a, b), place);
            return Ok(Value::Complex(Complex {
                re: part(holds.re, fails.re),
                im: part(holds.im, fails.im),
            }));
        }
        self.elementwise(&[holds, fails], node, place, |compiler, branches| {
            let op = Op::Select(condition, branches[0], branches[1]);
            Ok(compiler.tape.push(op, place))
        })
    }

    pub(super) fn negative(
        &mut self,
        operand: Operand<'_>,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        if let Value::Complex(z) = operand.value {
            let negative = Arithmetic::new(&mut self.tape, place).negative(z);
            return Ok(Value::Complex(negative));
        }
        let node = operand.node;
        self.unary(Unary::Neg, &[operand], node, place)
    }

    pub(super) fn arithmetic(
        &mut self,
        operation: Binary,
        left: Operand<'_>,
        right: Operand<'_>,
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        if is_complex(&left) || is_complex(&right) {
            if operation == Binary::Pow {
                return self.complex_power(&left, &right, place);
            }
            return self.complex_arithmetic(operation, &left, &right, node, place);
        }
        self.elementwise(&[left, right], node, place, |compiler, operands| {
            let [a, b] = [operands[0], operands[1]];
            Ok(compiler.tape.binary(operation, a, b, place))
        })
    }

    fn complex_arithmetic(
        &mut self,
        operation: Binary,
        left: &Operand<'_>,
        right: &Operand<'_>,
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        self.step(8, place)?;
        let mut arithmetic = Arithmetic::new(&mut self.tape, place);
        let value = match (operation, &left.value, &right.value) {
            (Binary::Add, &Value::Complex(z), &Value::Complex(w)) => arithmetic.add(z, w),
            (Binary::Sub, &Value::Complex(z), &Value::Complex(w)) => arithmetic.subtract(z, w),
            (Binary::Mul, &Value::Complex(z), &Value::Complex(w)) => arithmetic.multiply(z, w),
            (Binary::Div, &Value::Complex(z), &Value::Complex(w)) => arithmetic.divide(z, w),
            (Binary::Add, &Value::Real(x), &Value::Complex(z))
            | (Binary::Add, &Value::Complex(z), &Value::Real(x)) => arithmetic.shift(x, z),
            (Binary::Sub, &Value::Complex(z), &Value::Real(x)) => arithmetic.shift_down(z, x),
            (Binary::Sub, &Value::Real(x), &Value::Complex(z)) => {
                let negative = arithmetic.negative(z);
                arithmetic.shift(x, negative)
            }
            (Binary::Mul, &Value::Real(x), &Value::Complex(z))
            | (Binary::Mul, &Value::Complex(z), &Value::Real(x)) => {
                arithmetic.scale(Binary::Mul, z, x)
            }
            (Binary::Div, &Value::Complex(z), &Value::Real(x)) => {
                arithmetic.scale(Binary::Div, z, x)
            }
            (Binary::Div, &Value::Real(x), &Value::Complex(z)) => arithmetic.divide_real(x, z),
            _ => return Err(mixed(&[left.node, right.node], node)),
        };
        Ok(Value::Complex(value))
    }

    fn complex_power(
        &mut self,
        base: &Operand<'_>,
        exponent: &Operand<'_>,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        let whole = match exponent.value {
            Value::Real(register) => self.tape.constant_at(register),
            _ => None,
        };
        let whole = whole.filter(|n| *n == n.round() && n.abs() <= MAX_POWER);
        match (&base.value, whole) {
            (&Value::Complex(z), Some(n)) => {
                // At most seven squarings and as many products, of six operations each.
                self.step(100, place)?;
                #[expect(clippy::cast_possible_truncation, reason = "whole and at most 64")]
                let n = n as i32;
                let power = Arithmetic::new(&mut self.tape, place).power(z, n);
                Ok(Value::Complex(power))
            }
            _ => Err(refused(
                exponent.node,
                format!("the power of a complex quantity is a whole number up to {MAX_POWER}"),
                "write exp(p * ln(z)) for another power",
            )),
        }
    }

    /// A complex value from a complex or a real one.
    fn promoted(&mut self, operand: &Operand<'_>, place: Place) -> Result<Complex, Diagnostic> {
        match operand.value {
            Value::Complex(z) => Ok(z),
            Value::Real(re) => Ok(Complex {
                re,
                im: self.tape.constant(0.0, place),
            }),
            _ => Err(mixed(&[operand.node], operand.node)),
        }
    }

    /// The same operation on each element; a number goes with every element.
    pub(super) fn elementwise(
        &mut self,
        operands: &[Operand<'_>],
        node: &Node,
        place: Place,
        mut operation: impl FnMut(&mut Self, &[Register]) -> Result<Register, Diagnostic>,
    ) -> Result<Value, Diagnostic> {
        let length = common_length(operands, node)?;
        let mut results = Vec::with_capacity(length.unwrap_or(1));
        for index in 0..length.unwrap_or(1) {
            let registers: Vec<_> = operands
                .iter()
                .filter_map(|operand| match &operand.value {
                    Value::Vector(elements) => elements.get(index).copied(),
                    Value::Real(register) => Some(*register),
                    Value::Complex(_) | Value::Condition(_) => None,
                })
                .collect();
            self.step(1, place)?;
            results.push(operation(self, &registers)?);
        }
        Ok(match (length, results.first()) {
            (None, Some(&one)) => Value::Real(one),
            _ => Value::Vector(results),
        })
    }

    fn unary(
        &mut self,
        unary: Unary,
        operands: &[Operand<'_>],
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        self.elementwise(operands, node, place, |compiler, operands| {
            Ok(compiler.tape.push(Op::Unary(unary, operands[0]), place))
        })
    }

    /// A built-in function other than `if`.
    pub(super) fn function(
        &mut self,
        name: &str,
        operands: Vec<Operand<'_>>,
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        let wanted = match name {
            "min" | "max" => return self.extreme(name, &operands, node, place),
            "poly" => return self.polynomial(operands, node, place),
            "atan2" | "dot" | "complex" | "polar" => 2,
            _ => 1,
        };
        if operands.len() != wanted {
            return Err(refused(node, count(name, &wanted, operands.len()), ""));
        }
        match name {
            "sum" | "mean" | "sumsq" | "dot" => self.reduction(name, &operands, node, place),
            "complex" | "polar" => {
                let [a, b] = [&operands[0], &operands[1]];
                let (Value::Real(a), Value::Real(b)) = (&a.value, &b.value) else {
                    let message = format!("`{name}` takes two real numbers");
                    return Err(refused(
                        node,
                        message,
                        "take re or im of a complex quantity",
                    ));
                };
                Ok(Value::Complex(if name == "complex" {
                    Complex { re: *a, im: *b }
                } else {
                    Arithmetic::new(&mut self.tape, place).polar(*a, *b)
                }))
            }
            "atan2" => self.elementwise(&operands, node, place, |compiler, operands| {
                let op = Op::Binary(Binary::Atan2, operands[0], operands[1]);
                Ok(compiler.tape.push(op, place))
            }),
            _ => self.of_one(name, &operands, node, place),
        }
    }

    /// A function of one real or complex argument.
    fn of_one(
        &mut self,
        name: &str,
        operands: &[Operand<'_>],
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        if let Some(Value::Complex(z)) = operands.first().map(|operand| &operand.value) {
            self.step(8, place)?;
            return self.of_complex(name, *z, node, place);
        }
        if let Some(unary) = Unary::named(name) {
            return self.unary(unary, operands, node, place);
        }
        // A real number is its own real part and conjugate; its argument is 0 or π.
        self.elementwise(operands, node, place, |compiler, operands| {
            let zero = compiler.tape.constant(0.0, place);
            Ok(match name {
                "im" => zero,
                "arg" => {
                    let op = Op::Binary(Binary::Atan2, zero, operands[0]);
                    compiler.tape.push(op, place)
                }
                _ => operands[0],
            })
        })
    }

    fn of_complex(
        &mut self,
        name: &str,
        z: Complex,
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        let mut arithmetic = Arithmetic::new(&mut self.tape, place);
        Ok(match name {
            "re" => Value::Real(z.re),
            "im" => Value::Real(z.im),
            "abs" => Value::Real(arithmetic.modulus(z)),
            "arg" => Value::Real(arithmetic.argument(z)),
            "conj" => Value::Complex(arithmetic.conjugate(z)),
            "exp" => Value::Complex(arithmetic.exp(z)),
            "ln" => Value::Complex(arithmetic.ln(z)),
            "sqrt" => Value::Complex(arithmetic.sqrt(z)),
            _ => {
                let message = format!("`{name}` of a complex quantity has no meaning here");
                let help = "complex quantities have exp ln sqrt conj re im abs arg";
                return Err(refused(node, message, help));
            }
        })
    }

    /// `min` and `max`: of several arguments, element by element, or of one vector.
    fn extreme(
        &mut self,
        name: &str,
        operands: &[Operand<'_>],
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        let binary = if name == "min" {
            Binary::Min
        } else {
            Binary::Max
        };
        if let [one] = operands
            && let Value::Vector(elements) = &one.value
        {
            return self.fold(elements, place, |compiler, a, b| {
                compiler.tape.push(Op::Binary(binary, a, b), place)
            });
        }
        if operands.len() < 2 {
            let message = count(name, &"2 or more", operands.len());
            return Err(refused(node, message, "or one vector"));
        }
        self.elementwise(operands, node, place, |compiler, operands| {
            compiler.step(operands.len(), place)?;
            let (first, rest) = (operands[0], &operands[1..]);
            Ok(rest.iter().fold(first, |least, &next| {
                compiler.tape.push(Op::Binary(binary, least, next), place)
            }))
        })
    }

    /// From the first element to the last, so that the order of a sum is that of the vector.
    fn fold(
        &mut self,
        elements: &[Register],
        place: Place,
        mut join: impl FnMut(&mut Self, Register, Register) -> Register,
    ) -> Result<Value, Diagnostic> {
        self.step(elements.len(), place)?;
        let first = elements.first().copied().unwrap_or_default();
        let rest = elements.iter().skip(1);
        Ok(Value::Real(
            rest.fold(first, |so_far, &next| join(self, so_far, next)),
        ))
    }

    fn reduction(
        &mut self,
        name: &str,
        operands: &[Operand<'_>],
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        for operand in operands {
            if !matches!(operand.value, Value::Vector(_)) {
                let message = format!(
                    "`{name}` takes vectors, and `{}` is {}",
                    quoted(operand.node),
                    operand.value.kind()
                );
                return Err(refused(operand.node, message, "declare it: vector x[5]"));
            }
        }
        let terms = self.elementwise(operands, node, place, |compiler, operands| {
            let [first, last] = [operands[0], operands[operands.len() - 1]];
            Ok(match name {
                "sumsq" | "dot" => compiler.tape.binary(Binary::Mul, first, last, place),
                _ => first,
            })
        })?;
        let Value::Vector(terms) = terms else {
            return Ok(terms);
        };
        let sum = self.fold(&terms, place, |compiler, a, b| {
            compiler.tape.binary(Binary::Add, a, b, place)
        })?;
        match sum {
            Value::Real(sum) if name == "mean" => {
                let length = self.tape.constant(terms.len() as f64, place);
                Ok(Value::Real(self.tape.binary(
                    Binary::Div,
                    sum,
                    length,
                    place,
                )))
            }
            sum => Ok(sum),
        }
    }

    /// poly(x, c0, c1, …) by Horner's rule; the coefficients may be one vector.
    fn polynomial(
        &mut self,
        mut operands: Vec<Operand<'_>>,
        node: &Node,
        place: Place,
    ) -> Result<Value, Diagnostic> {
        if let [_, coefficients] = &operands[..]
            && let Value::Vector(elements) = coefficients.value.clone()
        {
            let node = coefficients.node;
            self.step(elements.len(), place)?;
            operands.truncate(1);
            operands.extend(elements.into_iter().map(|register| Operand {
                value: Value::Real(register),
                node,
            }));
        }
        let mut operands = operands.into_iter();
        let (Some(x), Some(mut result)) = (operands.next(), operands.next_back()) else {
            let message = "`poly` takes a variable and its coefficients".to_owned();
            return Err(refused(node, message, "write poly(x, c0, c1, c2)"));
        };
        while let Some(coefficient) = operands.next_back() {
            let x = Operand {
                value: x.value.clone(),
                node: x.node,
            };
            let term = self.arithmetic(Binary::Mul, x, result, node, place)?;
            let term = Operand { value: term, node };
            let value = self.arithmetic(Binary::Add, coefficient, term, node, place)?;
            result = Operand { value, node };
        }
        Ok(result.value)
    }
}

fn is_complex(operand: &Operand<'_>) -> bool {
    matches!(operand.value, Value::Complex(_))
}

/// The length of the vectors among the operands; none where all are numbers.
fn common_length(operands: &[Operand<'_>], node: &Node) -> Result<Option<usize>, Diagnostic> {
    let mut first: Option<(usize, &Node)> = None;
    for operand in operands {
        match (&operand.value, first) {
            (Value::Complex(_) | Value::Condition(_), _) => {
                let message = format!(
                    "real numbers are wanted here, and `{}` is {}",
                    quoted(operand.node),
                    operand.value.kind()
                );
                let help = "complex quantities have + - * / ^ exp ln sqrt conj re im abs arg";
                return Err(refused(operand.node, message, help));
            }
            (Value::Vector(elements), None) => first = Some((elements.len(), operand.node)),
            (Value::Vector(elements), Some((length, other))) if elements.len() != length => {
                let message = format!(
                    "`{}` has {length} elements and `{}` has {}",
                    quoted(other),
                    quoted(operand.node),
                    elements.len()
                );
                let help = "vectors go together element by element";
                return Err(refused(node, message, help));
            }
            _ => {}
        }
    }
    Ok(first.map(|(length, _)| length))
}

fn mixed(operands: &[&Node], node: &Node) -> Diagnostic {
    let operands: Vec<_> = operands.iter().map(|node| quoted(node)).collect();
    let message = format!(
        "a vector and a complex quantity meet in `{}`",
        operands.join("` and `")
    );
    refused(node, message, "a vector holds real numbers only")
}
