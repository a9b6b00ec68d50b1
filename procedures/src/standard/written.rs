//! A certificate as it stands in its file.

use std::collections::BTreeMap;

use heng_quantities::{Text, Unit};
use serde::{Deserialize, Serialize};

use super::{StandardChannel, StandardInstrument};
use crate::order::Date;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenCertificate {
    pub number: String,
    pub issuer: Text,
    pub calibrated: Date,
    pub valid_until: Date,
    pub instrument: StandardInstrument,
    pub traceable: bool,
    pub channel: Vec<StandardChannel>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenChannel {
    pub quantity: String,
    pub unit: Unit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indication_unit: Option<Unit>,
    pub min: f64,
    pub max: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Vec<Row>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polynomial: Option<WrittenPolynomial>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callendar_van_dusen: Option<WrittenCoefficients>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub its90: Option<WrittenIts90>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expanded_u: Option<ExpandedU>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_half_width: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Earlier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// An earlier calibration of the same channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Earlier {
    pub calibrated: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Vec<Row>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polynomial: Option<WrittenPolynomial>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callendar_van_dusen: Option<WrittenCoefficients>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub its90: Option<WrittenIts90>,
}

/// Indication and correction, and the expanded uncertainty where it differs from row to row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a row of `correction` is [indication, correction] or [indication, correction, expanded uncertainty]"
)]
pub(super) enum Row {
    Bare([f64; 2]),
    WithU([f64; 3]),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "`expanded_u` is a number, { constant = …, proportional = … }, or rows [value, expanded uncertainty]"
)]
pub(super) enum ExpandedU {
    Constant(f64),
    Linear(LinearU),
    Points(Vec<[f64; 2]>),
}

/// U = constant + proportional·|x|.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinearU {
    pub constant: f64,
    pub proportional: f64,
}

/// What a polynomial of the indication gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PolynomialOf {
    /// What is added to the indication.
    Correction,
    /// The corrected value itself.
    Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPolynomial {
    pub of: PolynomialOf,
    /// c0, c1, …: c0 + c1·x + …
    pub coefficients: Vec<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covariance: Option<Covariance>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenCoefficients {
    pub coefficients: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covariance: Option<Covariance>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenIts90 {
    pub sub_range: u8,
    pub coefficients: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covariance: Option<Covariance>,
}

/// Covariances of the named coefficients, in the products of their units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Covariance {
    pub of: Vec<String>,
    pub matrix: Vec<Vec<f64>>,
}

/// The ways in which a correction may be stated, of which a file takes one.
#[derive(Clone, Copy)]
pub(super) enum Stated<'a> {
    Points(&'a [Row]),
    Polynomial(&'a WrittenPolynomial),
    CallendarVanDusen(&'a WrittenCoefficients),
    Its90(&'a WrittenIts90),
}

impl WrittenChannel {
    pub(super) fn stated(&self) -> Result<Stated<'_>, String> {
        one_of([
            self.correction.as_deref().map(Stated::Points),
            self.polynomial.as_ref().map(Stated::Polynomial),
            self.callendar_van_dusen
                .as_ref()
                .map(Stated::CallendarVanDusen),
            self.its90.as_ref().map(Stated::Its90),
        ])
    }
}

impl Earlier {
    pub(super) fn stated(&self) -> Result<Stated<'_>, String> {
        one_of([
            self.correction.as_deref().map(Stated::Points),
            self.polynomial.as_ref().map(Stated::Polynomial),
            self.callendar_van_dusen
                .as_ref()
                .map(Stated::CallendarVanDusen),
            self.its90.as_ref().map(Stated::Its90),
        ])
    }
}

/// Keys of the four, in their order.
const KEYS: [&str; 4] = ["correction", "polynomial", "callendar_van_dusen", "its90"];

fn one_of(all: [Option<Stated<'_>>; 4]) -> Result<Stated<'_>, String> {
    let stated = KEYS
        .iter()
        .zip(all)
        .filter_map(|(key, one)| Some((key, one?)));
    let stated: Vec<_> = stated.collect();
    match stated.as_slice() {
        [(_, one)] => Ok(*one),
        [] => Err(
            "no correction is stated; give one of `correction`, `polynomial`, \
             `callendar_van_dusen` and `its90` (`correction = []` where the indication needs none)"
                .to_owned(),
        ),
        several => {
            let keys: Vec<_> = several.iter().map(|(key, _)| format!("`{key}`")).collect();
            Err(format!(
                "the correction is stated more than once, by {}; keep the one that the certificate gives",
                keys.join(" and ")
            ))
        }
    }
}
