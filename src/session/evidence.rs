//! What a session starts from: the texts in front of a record, parsed.

use std::collections::BTreeMap;

use heng_drivers::Description;
use heng_procedures::{
    BenchQuantity, BenchRole, Finding, Order, Procedure, Rules, StandardCertificate, Standards,
    lint,
};
use heng_records::{Opened, TextRole, TextUsed, sha256_hex};
use serde::de::DeserializeOwned;

use super::bench::{Bench, Scope};

/// Everything that a comparison session uses, each part parsed from a text in the record.
pub struct Evidence {
    pub opened: Opened,
    pub procedure: Procedure,
    pub procedure_sha256: String,
    pub order: Order,
    pub scope: Scope,
    pub bench: Bench,
    /// Driver descriptions by role.
    pub drivers: BTreeMap<String, Description>,
    /// Certificates of the standards by role, with the SHA-256 of their text.
    pub standards: Standards,
    pub standard_sha256: BTreeMap<String, String>,
}

/// Why the texts do not make a session.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error("{name}: {cause}")]
    Text { name: String, cause: String },
    #[error("no {0} is given: name one")]
    Missing(&'static str),
    #[error("role {role:?} of the bench: {cause}")]
    Bench { role: String, cause: String },
    #[error("the text {name} does not have the SHA-256 that the record states for it")]
    Hash { name: String },
}

impl EvidenceError {
    pub fn text(name: &str, cause: &impl ToString) -> Self {
        Self::Text {
            name: name.to_owned(),
            cause: cause.to_string(),
        }
    }
}

/// A text together with the hash that identifies it.
pub fn text_used(role: TextRole, name: &str, text: &str) -> TextUsed {
    TextUsed {
        role,
        name: name.to_owned(),
        sha256: sha256_hex(text.as_bytes()),
        text: text.to_owned(),
    }
}

/// The one text of a role.
pub fn single<'a>(
    texts: &'a [TextUsed],
    role: TextRole,
    what: &'static str,
) -> Result<&'a TextUsed, EvidenceError> {
    let mut found = texts.iter().filter(|text| text.role == role);
    match (found.next(), found.next()) {
        (Some(text), None) => Ok(text),
        (Some(_), Some(second)) => Err(EvidenceError::Text {
            name: second.name.clone(),
            cause: format!("a second {what}: a session has one"),
        }),
        (None, _) => Err(EvidenceError::Missing(what)),
    }
}

/// Parses TOML; the parser's message holds line and column.
pub fn parse_toml<T: DeserializeOwned>(text: &TextUsed) -> Result<T, EvidenceError> {
    toml::from_str(&text.text).map_err(|error| EvidenceError::text(&text.name, &error))
}

fn joined<T: ToString>(problems: &[T]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

pub fn procedure(texts: &[TextUsed]) -> Result<(Procedure, String), EvidenceError> {
    let text = single(texts, TextRole::Procedure, "procedure")?;
    let procedure = Procedure::parse(&text.name, &text.text)
        .map_err(|problems| EvidenceError::text(&text.name, &joined(&problems)))?;
    Ok((procedure, text.sha256.clone()))
}

pub fn order(texts: &[TextUsed]) -> Result<Order, EvidenceError> {
    let text = single(texts, TextRole::Order, "order")?;
    Order::parse(&text.name, &text.text)
        .map_err(|problems| EvidenceError::text(&text.name, &joined(&problems)))
}

/// A number names the record and every file made from it, so it must be a file name.
pub fn check_number(number: &str) -> Result<(), EvidenceError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !number.is_empty() && !number.starts_with('.') && number.chars().all(fits) {
        return Ok(());
    }
    let cause = format!(
        "the number {number:?} names the record and the certificate: use letters, digits, \"-\", \"_\" and \".\""
    );
    Err(EvidenceError::text("order", &cause))
}

/// Refuses a text that is not the one whose hash the record states.
pub fn check_hashes(texts: &[TextUsed]) -> Result<(), EvidenceError> {
    match texts
        .iter()
        .find(|text| sha256_hex(text.text.as_bytes()) != text.sha256)
    {
        Some(text) => Err(EvidenceError::Hash {
            name: text.name.clone(),
        }),
        None => Ok(()),
    }
}

impl Evidence {
    /// # Errors
    /// [`EvidenceError`] naming the text and the place in it.
    pub fn parse(opened: &Opened, texts: &[TextUsed]) -> Result<Self, EvidenceError> {
        check_hashes(texts)?;
        let (procedure, procedure_sha256) = procedure(texts)?;
        let order = order(texts)?;
        check_number(&order.number)?;
        let scope = parse_toml(single(texts, TextRole::Scope, "scope of the laboratory")?)?;
        let bench: Bench = parse_toml(single(texts, TextRole::Bench, "bench")?)?;
        let drivers = drivers(&bench, texts)?;
        let (standards, standard_sha256) = standards(&bench, texts)?;
        Ok(Self {
            opened: opened.clone(),
            procedure,
            procedure_sha256,
            order,
            scope,
            bench,
            drivers,
            standards,
            standard_sha256,
        })
    }
}

impl Evidence {
    pub const fn rules(&self) -> Rules {
        Rules::of_format(self.opened.format)
    }

    /// Whether procedure, order and standards fit the instruments on the bench.
    pub fn lint(&self) -> Vec<Finding> {
        let bench: Vec<_> = self
            .drivers
            .iter()
            .map(|(role, driver)| bench_role(role, driver))
            .collect();
        lint(&self.procedure, &self.order, &self.standards, &bench)
    }
}

fn bench_role(role: &str, driver: &Description) -> BenchRole {
    let quantities = driver
        .quantities()
        .iter()
        .map(|quantity| {
            let [min, max] = quantity.set_range.unwrap_or([quantity.min, quantity.max]);
            let (name, unit, settable) = (quantity.name.clone(), quantity.unit, quantity.settable);
            BenchQuantity {
                name,
                unit,
                min,
                max,
                settable,
            }
        })
        .collect();
    BenchRole {
        role: role.to_owned(),
        quantities,
    }
}

fn drivers(
    bench: &Bench,
    texts: &[TextUsed],
) -> Result<BTreeMap<String, Description>, EvidenceError> {
    let mut drivers = BTreeMap::new();
    for instrument in &bench.instruments {
        let refuse = |cause: String| EvidenceError::Bench {
            role: instrument.role.clone(),
            cause,
        };
        let text = texts
            .iter()
            .find(|text| text.role == TextRole::Driver && text.name == instrument.model)
            .ok_or_else(|| refuse(format!("no driver description {:?}", instrument.model)))?;
        let description = Description::parse(&text.name, &text.text)
            .map_err(|error| EvidenceError::text(&text.name, &error))?
            .with_layout(&instrument.layout)
            .map_err(|error| refuse(error.to_string()))?
            .with_limits(&instrument.limits)
            .map_err(|error| refuse(error.to_string()))?;
        if drivers
            .insert(instrument.role.clone(), description)
            .is_some()
        {
            return Err(refuse("two instruments play this role".to_owned()));
        }
    }
    Ok(drivers)
}

fn standards(
    bench: &Bench,
    texts: &[TextUsed],
) -> Result<(Standards, BTreeMap<String, String>), EvidenceError> {
    let mut by_number = BTreeMap::new();
    for text in texts.iter().filter(|text| text.role == TextRole::Standard) {
        let certificate = StandardCertificate::parse(&text.name, &text.text)
            .map_err(|problems| EvidenceError::text(&text.name, &joined(&problems)))?;
        by_number.insert(
            certificate.number.clone(),
            (certificate, text.sha256.clone()),
        );
    }
    let mut standards = Standards::new();
    let mut hashes = BTreeMap::new();
    for instrument in &bench.instruments {
        let Some(number) = &instrument.certificate else {
            continue;
        };
        let (certificate, sha256) = by_number.get(number).ok_or_else(|| EvidenceError::Bench {
            role: instrument.role.clone(),
            cause: format!("certificate {number:?} is not among the standards' certificates"),
        })?;
        standards.insert(instrument.role.clone(), certificate.clone());
        hashes.insert(instrument.role.clone(), sha256.clone());
    }
    Ok((standards, hashes))
}
