//! From the certificate document in a record to the files made from it.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use heng_certificates::{
    BudgetTable, Certificate, CertificateError, budget_text, to_csv, to_dcc, to_pdf,
};
use heng_quantities::Language;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The derived value that holds the document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Derived {
    Certificate {
        document: Box<Certificate>,
        /// Budgets of every result; the document prints the one with the largest U of each
        /// measurand.
        budgets: Vec<BudgetTable>,
    },
}

/// A certificate and the budgets of all its results.
#[derive(Debug)]
pub struct Composed {
    pub document: Certificate,
    pub budgets: Vec<BudgetTable>,
}

/// The derived value of a certificate.
pub fn derived(composed: Composed) -> Result<Value, serde_json::Error> {
    let document = Box::new(composed.document);
    serde_json::to_value(Derived::Certificate {
        document,
        budgets: composed.budgets,
    })
}

pub fn is_certificate(body: &Value) -> bool {
    body["what"] == "certificate"
}

/// A file made from a certificate.
pub struct Artefact {
    pub name: String,
    pub bytes: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    #[error("the certificate in the record cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
}

const MAKERS: [(&str, Maker); 5] = [
    (".xml", |composed| {
        Ok(to_dcc(&composed.document)?.into_bytes())
    }),
    ("-en.pdf", |composed| pdf(composed, Language::En)),
    ("-zh.pdf", |composed| pdf(composed, Language::Zh)),
    (".csv", |composed| {
        Ok(to_csv(&composed.document).into_bytes())
    }),
    ("-budget.txt", |composed| {
        Ok(all_budgets(composed).into_bytes())
    }),
];

pub fn is_pdf(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "pdf")
}

type Maker = fn(&Composed) -> Result<Vec<u8>, ArtefactError>;

fn pdf(composed: &Composed, language: Language) -> Result<Vec<u8>, ArtefactError> {
    let dcc = to_dcc(&composed.document)?;
    Ok(to_pdf(&composed.document, &dcc, language)?)
}

fn all_budgets(composed: &Composed) -> String {
    let document = Certificate {
        budgets: composed.budgets.clone(),
        ..composed.document.clone()
    };
    let languages = [Language::En, Language::Zh];
    languages
        .map(|language| budget_text(&document, language))
        .join("\n")
}

fn composed(body: &Value) -> Result<Composed, serde_json::Error> {
    let Derived::Certificate { document, budgets } = serde_json::from_value(body.clone())?;
    Ok(Composed {
        document: *document,
        budgets,
    })
}

/// The document of a certificate.
///
/// # Errors
/// Where the value is no certificate.
pub fn document(body: &Value) -> Result<Certificate, serde_json::Error> {
    composed(body).map(|composed| composed.document)
}

/// Every file that is made from a certificate.
///
/// # Errors
/// [`ArtefactError`] where the certificate is incomplete or cannot be typeset.
pub fn artefacts(body: &Value) -> Result<Vec<Artefact>, ArtefactError> {
    let composed = composed(body)?;
    MAKERS
        .iter()
        .map(|(ending, make)| {
            let name = format!("{}{ending}", composed.document.number);
            Ok(Artefact {
                name,
                bytes: make(&composed)?,
            })
        })
        .collect()
}

/// The one file of that name, where the certificate has it.
pub fn artefact(body: &Value, name: &str) -> Result<Option<Vec<u8>>, ArtefactError> {
    let composed = composed(body)?;
    let ending = name
        .strip_prefix(&composed.document.number)
        .unwrap_or_default();
    let maker = MAKERS.iter().find(|(known, _)| *known == ending);
    maker.map(|(_, make)| make(&composed)).transpose()
}

/// Writes a file whole or not at all: under another name first, synced, then renamed.
///
/// # Errors
/// [`ArtefactError::Write`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ArtefactError> {
    let refuse = |source| ArtefactError::Write {
        path: path.to_owned(),
        source,
    };
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = File::create(&partial).map_err(refuse)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(refuse)?;
    std::fs::rename(&partial, path).map_err(refuse)
}
