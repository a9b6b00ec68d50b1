//! What the certificates of the standards say about the readings of a point.

use heng_quantities::{Decimal, convert};

use super::{EvaluationError, OnePoint, mean};
use crate::outcome::{BeyondCertificate, Forced, Violation};
use crate::schema::{Channel, InputSource};
use crate::standard::{Corrected, OutOfRange, StandardCertificate, StandardChannel};

impl OnePoint<'_> {
    pub(super) fn channel(&self, name: &str) -> Result<&Channel, EvaluationError> {
        self.session
            .procedure
            .channel(name)
            .ok_or_else(|| self.not_read(name))
    }

    fn not_read(&self, channel: &str) -> EvaluationError {
        EvaluationError::MissingChannel {
            place: self.place.clone(),
            channel: channel.to_owned(),
        }
    }

    pub(super) fn certified(&self, name: &str) -> Result<&StandardChannel, EvaluationError> {
        self.certificate(name).map(|(_, channel)| channel)
    }

    fn certificate(
        &self,
        name: &str,
    ) -> Result<(&StandardCertificate, &StandardChannel), EvaluationError> {
        let channel = self.channel(name)?;
        self.session
            .standards
            .get(&channel.role)
            .and_then(|certificate| Some((certificate, certificate.channel(&channel.quantity)?)))
            .ok_or_else(|| EvaluationError::MissingCertificate {
                place: self.place.clone(),
                channel: name.to_owned(),
                role: channel.role.clone(),
            })
    }

    /// As the instrument sent them, in its unit.
    fn indications(&self, channel: &str) -> Vec<f64> {
        let all = self.point.cycles.iter().flat_map(|scan| &scan.indications);
        all.filter(|one| one.channel == channel)
            .map(|one| one.digits.to_f64())
            .collect()
    }

    /// The correction at the mean of the indications.
    pub(super) fn calibration(&self, name: &str) -> Result<Corrected, EvaluationError> {
        let (certificate, channel) = self.certificate(name)?;
        let indications = self.indications(name);
        if indications.is_empty() {
            return Err(self.not_read(name));
        }
        let found = channel.at(mean(&indications));
        found.map_err(|outside| self.beyond(certificate, outside))
    }

    fn beyond(&self, certificate: &StandardCertificate, outside: OutOfRange) -> EvaluationError {
        EvaluationError::BeyondCertificate {
            place: self.place.clone(),
            violation: Box::new(BeyondCertificate {
                certificate: certificate.number.clone(),
                outside,
            }),
        }
    }

    /// Channels of standards that left the ranges of their certificates, each with its
    /// farthest reading and the statement of the order that answers for it.
    pub(super) fn beyond_certificates(&self) -> Result<Vec<Forced>, EvaluationError> {
        let mut all = Vec::new();
        for name in self.corrected_channels() {
            let (certificate, channel) = self.certificate(name)?;
            let mut farthest: Option<OutOfRange> = None;
            for indication in self.indications(name) {
                let found = channel.at(indication);
                let found = found.map_err(|outside| self.beyond(certificate, outside))?;
                let distance = farthest.as_ref().map_or(0.0, OutOfRange::distance);
                farthest = found
                    .outside
                    .filter(|one| one.distance() > distance)
                    .or(farthest);
            }
            let Some(outside) = farthest else { continue };
            let order = self.session.order;
            let statement = order.beyond_certificate(&certificate.number, channel.quantity());
            let Some(statement) = statement else {
                return Err(self.beyond(certificate, outside));
            };
            all.push(Forced {
                violation: Violation::Standard(BeyondCertificate {
                    certificate: certificate.number.clone(),
                    outside,
                }),
                reason: statement.reason.clone(),
                person: statement.person.clone(),
            });
        }
        Ok(all)
    }

    /// Channels of the measurand that a certificate corrects, each once.
    fn corrected_channels(&self) -> Vec<&str> {
        let measurand = self.measurand;
        let inputs = measurand
            .input
            .iter()
            .filter_map(|input| match &input.source {
                InputSource::Mean { channel }
                | InputSource::Certificate { channel }
                | InputSource::Drift { channel } => Some(channel.as_str()),
                _ => None,
            });
        let procedure = self.session.procedure;
        let mut names: Vec<&str> = Vec::new();
        for name in inputs.chain([measurand.reference.as_str()]) {
            let is_corrected = procedure
                .channel(name)
                .is_some_and(|channel| procedure.is_corrected(channel));
            if is_corrected && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Value of one step of the last digit that the instrument sent; the coarsest where the
    /// digits change with the value.
    pub(super) fn resolution(&self, name: &str) -> Result<f64, EvaluationError> {
        let channel = self.channel(name)?;
        let digits = self.point.cycles.iter().flat_map(|scan| &scan.indications);
        let digits = digits.filter(|one| one.channel == name);
        let coarsest: Option<(Decimal, _)> = digits
            .map(|one| (one.digits, one.unit))
            .max_by_key(|(digits, _)| digits.exponent());
        let (digits, unit) = coarsest.ok_or_else(|| self.not_read(name))?;
        if let Some(step) = self.resolution_through_equation(name, digits) {
            return Ok(step);
        }
        convert(
            digits.resolution(),
            unit.difference(),
            channel.unit.difference(),
        )
        .map_err(|_| self.not_read(name))
    }

    /// A step of the indication in the unit of the value, where a standard indicates another
    /// quantity.
    fn resolution_through_equation(&self, name: &str, digits: Decimal) -> Option<f64> {
        let channel = self.channel(name).ok()?;
        if !self.session.procedure.is_corrected(channel) {
            return None;
        }
        let certified = self.certified(name).ok()?;
        if certified.indication_unit() == certified.unit() {
            return None;
        }
        let sensitivity = certified.sensitivity(mean(&self.indications(name)))?;
        Some(digits.resolution() * sensitivity.abs())
    }
}
