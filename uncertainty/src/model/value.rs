//! What an expression stands for while it is compiled: one register or several.

use super::tape::Register;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Real(Register),
    Complex(Complex),
    /// Never empty.
    Vector(Vec<Register>),
    /// 1 where it holds, else 0.
    Condition(Register),
}

/// Real and imaginary part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complex {
    pub re: Register,
    pub im: Register,
}

impl Value {
    /// In words, for messages.
    pub fn kind(&self) -> String {
        match self {
            Self::Real(_) => "a number".to_owned(),
            Self::Complex(_) => "a complex quantity".to_owned(),
            Self::Vector(elements) => format!("a vector of {}", elements.len()),
            Self::Condition(_) => "a condition".to_owned(),
        }
    }

    /// Registers that it takes.
    pub fn len(&self) -> usize {
        match self {
            Self::Real(_) | Self::Condition(_) => 1,
            Self::Complex(_) => 2,
            Self::Vector(elements) => elements.len(),
        }
    }

    /// The real quantities of a result of that name.
    pub fn named(self, name: &str) -> Vec<(String, Register)> {
        match self {
            Self::Real(register) | Self::Condition(register) => vec![(name.to_owned(), register)],
            Self::Complex(Complex { re, im }) => {
                vec![(format!("{name}.re"), re), (format!("{name}.im"), im)]
            }
            Self::Vector(elements) => (1_usize..)
                .zip(elements)
                .map(|(index, register)| (format!("{name}[{index}]"), register))
                .collect(),
        }
    }
}
