//! The printed certificate: PDF/A-3a and PDF/UA-1 with the DCC inside, set by typst.

mod view;
mod world;

use heng_quantities::Language;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::check::{check, date, strings};
use crate::document::Certificate;
use crate::plot::plot_svg;
use crate::validation::Validation;
use crate::{CertificateError, Missing};
use world::{PaperWorld, Template};

/// Sets the certificate in one language, with `dcc` attached as `dcc.xml`.
///
/// The bytes depend on the arguments only; the time in the file is the day of issue, 00:00
/// UTC. Texts of the certificate reach the typesetter as data and are never read as code.
///
/// # Errors
/// [`CertificateError::Incomplete`] where [`check`] has findings;
/// [`CertificateError::Glyph`] where the embedded fonts cannot draw a character;
/// [`CertificateError::Typesetting`] where the result would break PDF/A-3a or PDF/UA-1.
pub fn to_pdf(
    certificate: &Certificate,
    dcc: &str,
    language: Language,
) -> Result<Vec<u8>, CertificateError> {
    let missing = check(certificate);
    if !missing.is_empty() {
        return Err(CertificateError::Incomplete(missing));
    }
    drawable(certificate)?;
    let view = view::View::new(certificate, language);
    let mut files = vec![
        (
            world::CERTIFICATE.data.to_owned(),
            serde_json::to_vec(&view)?,
        ),
        ("/dcc.xml".to_owned(), dcc.as_bytes().to_vec()),
    ];
    for (number, plot) in certificate.plots.iter().enumerate() {
        files.push((
            view::plot_path(number),
            plot_svg(plot, language)?.into_bytes(),
        ));
    }
    typeset(world::CERTIFICATE, files, &options(certificate)?)
}

/// Sets the report of a validation.
pub(crate) fn typeset_validation(
    view: &crate::validation::View,
    validation: &Validation,
) -> Result<Vec<u8>, CertificateError> {
    for (field, text) in view.texts() {
        if let Some(character) = text.chars().find(|c| !world::is_drawable(*c)) {
            return Err(CertificateError::Glyph { field, character });
        }
    }
    let program = &validation.program;
    let begun = begun(&validation.begun)?;
    let options = PdfOptions {
        ident: Smart::Custom(format!(
            "{} {}",
            validation.begun, validation.program_sha256
        )),
        creator: Smart::Custom(Some(format!("{} {}", program.name, program.version))),
        timestamp: Some(Timestamp::new_utc(begun)),
        standards: standards()?,
        ..PdfOptions::default()
    };
    let template = world::VALIDATION;
    let data = serde_json::to_vec(view)?;
    typeset(template, vec![(template.data.to_owned(), data)], &options)
}

fn begun(time: &str) -> Result<Datetime, CertificateError> {
    let wrong = || CertificateError::Typesetting(format!("{time:?} is no RFC 3339 time"));
    let moment: jiff::Timestamp = time.parse().map_err(|_| wrong())?;
    let at = moment.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let byte = |part: i8| u8::try_from(part).unwrap_or_default();
    Datetime::from_ymd_hms(
        i32::from(at.year()),
        byte(at.month()),
        byte(at.day()),
        byte(at.hour()),
        byte(at.minute()),
        byte(at.second()),
    )
    .ok_or_else(wrong)
}

fn typeset(
    template: Template,
    files: Vec<(String, Vec<u8>)>,
    options: &PdfOptions,
) -> Result<Vec<u8>, CertificateError> {
    let world = PaperWorld::new(template, files).map_err(CertificateError::Typesetting)?;
    let compiled = typst::compile::<PagedDocument>(&world);
    let document = compiled.output.map_err(|errors| typesetting(&errors))?;
    typst_pdf::pdf(&document, options).map_err(|errors| typesetting(&errors))
}

fn standards() -> Result<PdfStandards, CertificateError> {
    PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1])
        .map_err(|error| CertificateError::Typesetting(error.message().to_string()))
}

fn drawable(certificate: &Certificate) -> Result<(), CertificateError> {
    for (field, text) in strings(certificate) {
        if let Some(character) = text.chars().find(|c| !world::is_drawable(*c)) {
            return Err(CertificateError::Glyph { field, character });
        }
    }
    Ok(())
}

fn options(certificate: &Certificate) -> Result<PdfOptions, CertificateError> {
    let undated = || {
        CertificateError::Incomplete(vec![Missing {
            clause: "ISO/IEC 17025:2017, 7.8.2.1 j)",
            field: "issued".to_owned(),
            cure: heng_quantities::Text::new(
                "write the date as YYYY-MM-DD",
                "日期请写成 YYYY-MM-DD",
            ),
        }])
    };
    let day = date(&certificate.issued).ok_or_else(undated)?;
    let parts = (
        i32::from(day.year()),
        u8::try_from(day.month()).unwrap_or_default(),
        u8::try_from(day.day()).unwrap_or_default(),
    );
    let issued = Datetime::from_ymd_hms(parts.0, parts.1, parts.2, 0, 0, 0).ok_or_else(undated)?;
    let program = &certificate.program;
    Ok(PdfOptions {
        ident: Smart::Custom(format!(
            "{} {}",
            certificate.number, certificate.record.head
        )),
        creator: Smart::Custom(Some(format!("{} {}", program.name, program.version))),
        timestamp: Some(Timestamp::new_utc(issued)),
        standards: standards()?,
        ..PdfOptions::default()
    })
}

fn typesetting(errors: &[SourceDiagnostic]) -> CertificateError {
    let messages: Vec<String> = errors
        .iter()
        .map(|error| {
            let hints = error.hints.iter().map(|hint| format!(" ({})", hint.v));
            error.message.to_string() + &hints.collect::<String>()
        })
        .collect();
    CertificateError::Typesetting(messages.join("; "))
}
