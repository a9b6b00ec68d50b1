//! The Digital Calibration Certificate: DCC 3.3.0 with D-SI 2.2.1.
//!
//! Beside the schema this keeps PTB's business rules (its Schematron): methods, software and
//! influence conditions are declared for every result, every text stands in every declared
//! language, releases read `v1.2.3`. Temperatures, humidities and pressures are hybrids, the
//! SI unit first, as in PTB's good-practice certificates.

mod administrative;
mod results;
mod xml;

use crate::CertificateError;
use crate::check::check;
use crate::document::{Certificate, Program};
use xml::{Written, Xml};

/// Writes the certificate as DCC 3.3.0, always the same bytes for the same certificate.
///
/// # Errors
/// [`CertificateError::Incomplete`] where [`check`] has findings.
pub fn to_dcc(certificate: &Certificate) -> Result<String, CertificateError> {
    let missing = check(certificate);
    if !missing.is_empty() {
        return Err(CertificateError::Incomplete(missing));
    }
    let mut xml = Xml::new()?;
    let root = [
        ("xmlns:dcc", "https://ptb.de/dcc"),
        ("xmlns:si", "https://ptb.de/si"),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        (
            "xsi:schemaLocation",
            "https://ptb.de/dcc https://ptb.de/dcc/v3.3.0/dcc.xsd",
        ),
        ("schemaVersion", "3.3.0"),
    ];
    xml.element("dcc:digitalCalibrationCertificate", &root, |xml| {
        administrative::write(xml, certificate)?;
        results::write(xml, certificate)
    })?;
    Ok(xml.finish()?)
}

/// A `dcc:software`; PTB's rules want a letter before the numbers of a release.
fn software(
    xml: &mut Xml,
    program: &Program,
    description: impl FnOnce(&mut Xml) -> Written,
) -> Written {
    xml.element("dcc:software", &[], |xml| {
        xml.plain_name(&program.name)?;
        xml.leaf("dcc:release", &format!("v{}", program.version))?;
        xml.leaf("dcc:type", "application")?;
        description(xml)
    })
}
