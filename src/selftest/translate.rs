//! From the spelling of the case files, Python's, to the model language.

use std::collections::BTreeMap;

use heng_uncertainty::{Library, Model};

/// Names of functions that are spelled otherwise; `log` is the natural logarithm in Python.
const FUNCTIONS: &[(&str, &str)] = &[
    ("log", "ln"),
    ("arcsin", "asin"),
    ("arccos", "acos"),
    ("arctan", "atan"),
    ("arctan2", "atan2"),
];

/// Prefixes of functions that mean nothing more.
const MODULES: &[&str] = &["math.", "np.", "numpy.", "cmath."];

/// Quantities whose names the model language has taken for something else (`re`, `pi`), and
/// what they are called instead.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    pub fn of<'a>(quantities: impl IntoIterator<Item = &'a str>) -> Self {
        let taken = quantities.into_iter().filter(|name| is_taken(name));
        Self(
            taken
                .map(|name| (name.to_owned(), format!("{name}_")))
                .collect(),
        )
    }

    pub fn get<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }
}

/// Whether a model cannot have an input of this name. Asked of the language itself, whose
/// words grow.
fn is_taken(name: &str) -> bool {
    let model = Model::compile(&format!("y_ = {name}"), &Library::default());
    model.is_ok_and(|model| model.inputs() != [name])
        || Model::compile(&format!("y_ = {name} + 1"), &Library::default()).is_err()
}

/// An expression in the model language.
pub fn expression(python: &str, names: &Names) -> String {
    let mut rest = python;
    let mut text = String::new();
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
            text.push('^');
            rest = after;
        } else if let Some(after) = MODULES.iter().find_map(|module| rest.strip_prefix(module)) {
            rest = after;
        } else if first.is_alphabetic() || first == '_' {
            let (word, after) = split(rest, |c| c.is_alphanumeric() || c == '_');
            text.push_str(named(word, after, names));
            rest = after;
        } else if first.is_ascii_digit() || first == '.' {
            let (number, after) = split_number(rest);
            text.push_str(number);
            rest = after;
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

fn named<'a>(word: &'a str, after: &str, names: &'a Names) -> &'a str {
    if after.trim_start().starts_with('(') {
        let function = FUNCTIONS.iter().find(|(python, _)| *python == word);
        return function.map_or(word, |(_, ours)| ours);
    }
    names.get(word)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

/// A number with its exponent, whose `e` is no name.
fn split_number(text: &str) -> (&str, &str) {
    let (mantissa, after) = split(text, |c| c.is_ascii_digit() || c == '.');
    let Some(exponent) = after.strip_prefix(['e', 'E']) else {
        return (mantissa, after);
    };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (digits, _) = split(digits, |c| c.is_ascii_digit());
    if digits.is_empty() {
        return (mantissa, after);
    }
    let sign = usize::from(exponent.starts_with(['+', '-']));
    text.split_at(mantissa.len() + 1 + sign + digits.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(python: &str, inputs: &[(&str, f64)]) -> f64 {
        let names = Names::of(inputs.iter().map(|(name, _)| *name));
        let text = format!("y_ = {}", expression(python, &names));
        let model = Model::compile(&text, &Library::default())
            .unwrap_or_else(|findings| panic!("{text}: {findings:?}"));
        let value_of = |symbol: &str| {
            let input = inputs.iter().find(|(name, _)| names.get(name) == symbol)?;
            Some(input.1)
        };
        model.eval("y_", &value_of).unwrap()
    }

    #[test]
    fn powers_logarithms_and_numbers_keep_their_meaning() {
        // Right-hand sides are what Python prints.
        assert_eq!(value("-2**2", &[]), -4.0);
        assert_eq!(value("2**-1", &[]), 0.5);
        assert_eq!(value("2**3**2", &[]), 512.0);
        assert_eq!(value("log(100)", &[]), 4.605170185988092);
        assert_eq!(value("math.log10(1000) + np.sqrt(4)", &[]), 5.0);
        assert_eq!(value("1e3 + 2.5E-1 + 1.e+2 + .5", &[]), 1100.75);
        assert_eq!(value("numpy.arctan2(0, 1)", &[]), 0.0);
    }

    #[test]
    fn quantities_may_be_called_like_words_of_the_language() {
        assert_eq!(value("e * 2e1", &[("e", 3.0)]), 60.0);
        assert_eq!(value("log(log)", &[("log", 1.0)]), 0.0);
        let parts = [("re", 3.0), ("im", 4.0)];
        assert_eq!(value("sqrt(re**2 + im**2)", &parts), 5.0);
        assert_eq!(value("exp(exp)*if", &[("exp", 0.0), ("if", 2.0)]), 2.0);
        assert_eq!(value("pi", &[("pi", 3.0)]), 3.0);
        assert_eq!(value("pi", &[]), std::f64::consts::PI);
    }

    #[test]
    fn nothing_ends_in_a_panic() {
        for python in [
            "",
            "**",
            "1e",
            "1e+",
            "é**ü",
            "math.",
            "\u{0}log (x",
            "....",
        ] {
            let _ = expression(python, &Names::of(["", "*", "x y"]));
        }
    }
}
