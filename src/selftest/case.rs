//! Cases of a file, in either of the two formats.
//!
//! `{"cases": [...]}`: each case has `id`, `kind`, mostly `model` and `inputs`, and a list
//! `expected` of `{of, what, value, tol, why}`. `{"oracles": [...]}`: each has `id`, `topic`,
//! `inputs`, a map `expected` and `tolerance` with `abs` or `rel`.

use serde_json::Value;

use super::field::{Fault, Field};

/// A file of cases.
#[derive(Debug)]
pub struct CaseFile {
    pub name: String,
    content: Value,
}

/// One case of either format.
#[derive(Debug)]
pub enum Case<'a> {
    /// `cases`: checks of the engine.
    Engine(EngineCase<'a>),
    /// `oracles`: checks of formulas and procedures.
    Science(ScienceCase<'a>),
}

#[derive(Debug)]
pub struct EngineCase<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub root: Field<'a>,
    pub expected: Vec<Expected<'a>>,
}

#[derive(Debug)]
pub struct ScienceCase<'a> {
    pub id: &'a str,
    pub root: Field<'a>,
    /// The list in which it stands: some cases take the readings of another.
    pub all: Field<'a>,
    /// Leaves of `expected`, in the order of their names, each with its tolerance.
    pub expected: Vec<Leaf<'a>>,
}

/// A number or a list of numbers that a case expects.
#[derive(Debug)]
pub struct Expected<'a> {
    pub of: &'a str,
    pub what: &'a str,
    pub values: Vec<f64>,
    /// Absolute.
    pub tol: f64,
    pub field: Field<'a>,
}

/// One value under `expected` of a science case.
#[derive(Debug)]
pub struct Leaf<'a> {
    /// Path, `mean.temp01` or `k[3]`.
    pub what: String,
    pub field: Field<'a>,
    /// Absolute; none where the file states it in words.
    pub tolerance: Option<f64>,
    /// The tolerance is stated as relative, for all values of the case.
    pub is_relative: bool,
}

impl CaseFile {
    pub fn parse(name: &str, text: &str) -> Result<Self, Fault> {
        let content: Value = serde_json::from_str(text).map_err(|error| Fault {
            file: name.to_owned(),
            case: last_id(text, error.line(), error.column()),
            field: String::new(),
            problem: format!("is no valid JSON: {error}"),
            cure: "mend this place (JSON has no NaN, no infinity, no comments and no comma \
                   after the last value)"
                .to_owned(),
        })?;
        let name = name.to_owned();
        Ok(Self { name, content })
    }

    pub fn cases(&self) -> Result<Vec<Case<'_>>, Fault> {
        let root = Field::root(&self.name, "", &self.content);
        let (engine, science) = (root.at("cases").given(), root.at("oracles").given());
        if engine.is_none() && science.is_none() {
            return Err(root.fault(
                "has neither \"cases\" nor \"oracles\"",
                "write {\"cases\": [...]} as the shipped fixtures/oracles/uncertainty.json does",
            ));
        }
        let mut cases = Vec::new();
        let mut ids = Vec::new();
        for list in [engine, science].into_iter().flatten() {
            let is_engine = list.value() == &self.content["cases"];
            for place in list.list()? {
                let id = place.at("id").text()?;
                if ids.contains(&id) {
                    return Err(place.fault(
                        &format!("the id {id:?} stands twice"),
                        "give each case an id of its own",
                    ));
                }
                ids.push(id);
                let root = Field::root(&self.name, id, place.value());
                cases.push(if is_engine {
                    Case::Engine(engine_case(id, root)?)
                } else {
                    Case::Science(science_case(id, root, list.clone())?)
                });
            }
        }
        Ok(cases)
    }
}

impl Case<'_> {
    pub const fn id(&self) -> &str {
        match self {
            Self::Engine(case) => case.id,
            Self::Science(case) => case.id,
        }
    }

    const fn root(&self) -> &Field<'_> {
        match self {
            Self::Engine(case) => &case.root,
            Self::Science(case) => &case.root,
        }
    }

    /// What the case is about, for the report of a validation.
    pub fn topic(&self) -> String {
        match self {
            Self::Engine(case) => super::engine::topic(case.kind).to_owned(),
            Self::Science(case) => words(&case.root.at("topic")),
        }
    }

    /// Where the expected values come from: document and clause, or a sentence.
    pub fn source(&self) -> String {
        let source = self.root().at("source");
        let parts = ["document", "clause"].map(|part| words(&source.at(part)));
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            words(&source)
        } else {
            parts.join(", ")
        }
    }
}

/// A text, or nothing: neither topic nor source is needed to run a case.
fn words(field: &Field) -> String {
    field.value().as_str().unwrap_or_default().to_owned()
}

/// The case in which a text breaks off being JSON: the last id before that place.
fn last_id(text: &str, line: usize, column: usize) -> String {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let before = text.get(..start + column).unwrap_or(text);
    let after_key = before.rsplit_once("\"id\"").map_or("", |(_, rest)| rest);
    let id = after_key.split('"').nth(1).unwrap_or_default();
    id.to_owned()
}

fn engine_case<'a>(id: &'a str, root: Field<'a>) -> Result<EngineCase<'a>, Fault> {
    let kind = root.at("kind").text()?;
    let expected = root
        .at("expected")
        .list()?
        .into_iter()
        .map(|field| {
            let value = field.at("value");
            let values = if value.is_list() {
                value.numbers()?
            } else {
                vec![value.number()?]
            };
            Ok(Expected {
                of: field.at("of").text()?,
                what: field.at("what").text()?,
                values,
                tol: tolerance(&field.at("tol"))?,
                field,
            })
        })
        .collect::<Result<_, Fault>>()?;
    Ok(EngineCase {
        id,
        kind,
        root,
        expected,
    })
}

fn tolerance(field: &Field) -> Result<f64, Fault> {
    let tolerance = field.number()?;
    if tolerance < 0.0 {
        return Err(field.fault("is negative", "write a tolerance of 0 or more"));
    }
    Ok(tolerance)
}

fn science_case<'a>(
    id: &'a str,
    root: Field<'a>,
    all: Field<'a>,
) -> Result<ScienceCase<'a>, Fault> {
    let mut expected = Vec::new();
    leaves(root.at("expected"), String::new(), &mut expected)?;
    for leaf in &mut expected {
        let stated = root.at("tolerance");
        leaf.tolerance = leaf_tolerance(&stated, leaf)?;
        leaf.is_relative = stated.at("abs").given().is_none();
    }
    Ok(ScienceCase {
        id,
        root,
        all,
        expected,
    })
}

fn leaves<'a>(place: Field<'a>, what: String, found: &mut Vec<Leaf<'a>>) -> Result<(), Fault> {
    match place.value() {
        Value::Null => {
            let cure = "write the expected values here, {\"name\": value}";
            return Err(place.fault("is missing", cure));
        }
        Value::Array(_) => {
            for (at, element) in place.list()?.into_iter().enumerate() {
                leaves(element, format!("{what}[{at}]"), found)?;
            }
        }
        Value::Object(_) => {
            for (name, member) in place.members()? {
                let what = match what.as_str() {
                    "" => name.to_owned(),
                    what => format!("{what}.{name}"),
                };
                leaves(member, what, found)?;
            }
        }
        _ => found.push(Leaf {
            what,
            field: place,
            tolerance: None,
            is_relative: false,
        }),
    }
    Ok(())
}

/// `abs` or `rel`, one number for all values or a map by name.
fn leaf_tolerance(stated: &Field, leaf: &Leaf) -> Result<Option<f64>, Fault> {
    let name = leaf.what.split(['.', '[']).next().unwrap_or_default();
    for (key, scale) in [
        ("abs", Some(1.0)),
        ("rel", leaf.field.value().as_f64().map(f64::abs)),
    ] {
        let Some(field) = stated.at(key).given() else {
            continue;
        };
        let field = match field.value() {
            Value::String(_) => return Ok(None),
            Value::Object(_) => match field.at(name).given() {
                Some(field) => field,
                // What the map leaves out is exact.
                None => return Ok(Some(0.0)),
            },
            _ => field,
        };
        let tolerance = tolerance(&field)?;
        return Ok(Some(tolerance * scale.unwrap_or(0.0)));
    }
    Err(stated.fault(
        "has neither \"abs\" nor \"rel\"",
        "write {\"abs\": 0.001} or {\"rel\": 1e-6}",
    ))
}
