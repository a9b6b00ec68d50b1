//! Reading of case files, with the place of every value: a laboratory writes these files by
//! hand.

use serde_json::Value;

/// What is wrong with a case file, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file}: {}{}{problem}; {cure}",
    part("case", case),
    part("field", field)
)]
pub struct Fault {
    pub file: String,
    /// Empty where the file as a whole is meant.
    pub case: String,
    pub field: String,
    pub problem: String,
    pub cure: String,
}

fn part(word: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{word} {text:?}: ")
    }
}

/// A value of a case, or the place where one could stand.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    pub file: &'a str,
    pub case: &'a str,
    path: String,
    value: &'a Value,
}

impl<'a> Field<'a> {
    pub const fn root(file: &'a str, case: &'a str, value: &'a Value) -> Self {
        Self {
            file,
            case,
            path: String::new(),
            value,
        }
    }

    /// The member `key`; a missing one is null.
    pub fn at(&self, key: &str) -> Self {
        let path = match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        };
        let value = self.value.get(key).unwrap_or(&Value::Null);
        Self {
            path,
            value,
            ..*self
        }
    }

    /// None where the value is missing or null.
    pub fn given(self) -> Option<Self> {
        (!self.value.is_null()).then_some(self)
    }

    pub fn fault(&self, problem: &str, cure: &str) -> Fault {
        Fault {
            file: self.file.to_owned(),
            case: self.case.to_owned(),
            field: self.path.clone(),
            problem: problem.to_owned(),
            cure: cure.to_owned(),
        }
    }

    fn wants<T>(&self, found: Option<T>, what: &str) -> Result<T, Fault> {
        found.ok_or_else(|| {
            let is = match self.value {
                Value::Null => "is missing".to_owned(),
                other => format!("is {}", shortened(&other.to_string())),
            };
            self.fault(&is, &format!("write {what} here"))
        })
    }

    pub fn number(&self) -> Result<f64, Fault> {
        let number = self.value.as_f64().filter(|number| number.is_finite());
        self.wants(number, "a number")
    }

    /// A number; null is infinite, as degrees of freedom are written.
    pub fn number_or_infinite(&self) -> Result<f64, Fault> {
        if self.value.is_null() {
            return Ok(f64::INFINITY);
        }
        self.number()
    }

    /// A number of things.
    pub fn count(&self) -> Result<usize, Fault> {
        let number = self.value.as_u64().and_then(|n| usize::try_from(n).ok());
        self.wants(number, "a whole number, 0 or above")
    }

    pub fn text(&self) -> Result<&'a str, Fault> {
        self.wants(self.value.as_str(), "a text in quotes")
    }

    pub fn list(&self) -> Result<Vec<Self>, Fault> {
        let list = self.wants(self.value.as_array(), "a list in square brackets")?;
        Ok(list
            .iter()
            .enumerate()
            .map(|(at, value)| Self {
                path: format!("{}[{at}]", self.path),
                value,
                ..*self
            })
            .collect())
    }

    pub fn numbers(&self) -> Result<Vec<f64>, Fault> {
        self.list()?.iter().map(Self::number).collect()
    }

    /// Two numbers.
    pub fn pair(&self) -> Result<[f64; 2], Fault> {
        let pair = <[f64; 2]>::try_from(self.numbers()?);
        pair.map_err(|list| {
            self.fault(
                &format!("has {} numbers", list.len()),
                "write two numbers in square brackets",
            )
        })
    }

    pub fn rows(&self) -> Result<Vec<Vec<f64>>, Fault> {
        self.list()?.iter().map(Self::numbers).collect()
    }

    /// Names and values, in the order of the names.
    pub fn members(&self) -> Result<Vec<(&'a str, Self)>, Fault> {
        let members = self.wants(self.value.as_object(), "names and values in curly brackets")?;
        Ok(members
            .keys()
            .map(|key| (key.as_str(), self.at(key)))
            .collect())
    }

    pub const fn value(&self) -> &'a Value {
        self.value
    }

    pub const fn is_list(&self) -> bool {
        matches!(self.value, Value::Array(_))
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MOST).collect();
    short.push('…');
    short
}
