//! Names, titles and units from the texts at the head of a record.

use std::collections::BTreeMap;

use heng_procedures::{Measurand, Order, Procedure, StandardCertificate};
use heng_quantities::{Text, Unit};
use heng_records::{TextRole, TextUsed};
use serde::de::DeserializeOwned;

use crate::session::bench::Bench;

/// What the texts of a session say about names. A text that is not understood leaves its
/// part empty and the screens show bare names: judging texts is the session's work.
#[derive(Debug, Clone, Default)]
pub struct Captions {
    pub procedure: Option<Procedure>,
    pub order: Option<Order>,
    pub bench: Option<Bench>,
    /// By the number of the certificate.
    pub standards: BTreeMap<String, StandardCertificate>,
}

/// A curve pair of a chart: a reference and what is compared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub title: Text,
    pub reference: String,
    /// None for a signal that stands alone.
    pub unit_under_test: Option<String>,
    /// Quantity of the source whose set point belongs to the pair.
    pub quantity: String,
}

fn read<T: DeserializeOwned>(text: &TextUsed) -> Option<T> {
    toml::from_str(&text.text).ok()
}

impl Captions {
    pub fn take(&mut self, text: &TextUsed) {
        match text.role {
            TextRole::Procedure => self.procedure = read(text),
            TextRole::Order => self.order = read(text),
            TextRole::Bench => self.bench = read(text),
            TextRole::Standard => {
                if let Some(certificate) = read::<StandardCertificate>(text) {
                    self.standards
                        .insert(certificate.number.clone(), certificate);
                }
            }
            _ => {}
        }
    }

    pub fn role(&self, name: &str) -> Text {
        let role = self
            .procedure
            .as_ref()
            .and_then(|procedure| procedure.role(name));
        role.map_or_else(|| Text::same(name), |role| role.title.clone())
    }

    /// Title of a channel or derived signal.
    pub fn signal(&self, name: &str) -> Text {
        let Some(procedure) = &self.procedure else {
            return Text::same(name);
        };
        let derived = procedure
            .derived
            .iter()
            .find(|derived| derived.name == name);
        procedure
            .channel(name)
            .map(|channel| &channel.title)
            .or_else(|| derived.map(|derived| &derived.title))
            .map_or_else(|| Text::same(name), Clone::clone)
    }

    pub fn unit(&self, signal: &str) -> Option<Unit> {
        self.procedure.as_ref()?.signal_unit(signal)
    }

    /// Channels and derived signals in the order of the procedure.
    pub fn signals(&self) -> Vec<&str> {
        let Some(procedure) = &self.procedure else {
            return Vec::new();
        };
        let channels = procedure
            .channel
            .iter()
            .map(|channel| channel.name.as_str());
        channels
            .chain(
                procedure
                    .derived
                    .iter()
                    .map(|derived| derived.name.as_str()),
            )
            .collect()
    }

    pub fn measurand(&self, id: &str) -> Option<&Measurand> {
        self.procedure
            .as_ref()?
            .measurand
            .iter()
            .find(|measurand| measurand.id == id)
    }

    /// What an input of a budget is called.
    pub fn input(&self, measurand: &str, symbol: &str) -> Text {
        self.measurand(measurand)
            .and_then(|measurand| measurand.input.iter().find(|input| input.symbol == symbol))
            .map_or_else(|| Text::same(symbol), |input| input.title.clone())
    }

    /// Charts: each measurand's pair, then every signal that is in none.
    pub fn pairs(&self) -> Vec<Pair> {
        let Some(procedure) = &self.procedure else {
            return Vec::new();
        };
        let mut pairs: Vec<_> = procedure
            .measurand
            .iter()
            .map(|measurand| {
                let channel = procedure.channel(&measurand.indication);
                Pair {
                    title: measurand.title.clone(),
                    reference: measurand.reference.clone(),
                    unit_under_test: Some(measurand.indication.clone()),
                    quantity: channel.map_or_else(String::new, |channel| channel.quantity.clone()),
                }
            })
            .collect();
        for name in self.signals() {
            let taken = pairs.iter().any(|pair| {
                pair.reference == name || pair.unit_under_test.as_deref() == Some(name)
            });
            if !taken {
                pairs.push(Pair {
                    title: self.signal(name),
                    reference: name.to_owned(),
                    unit_under_test: None,
                    quantity: String::new(),
                });
            }
        }
        pairs
    }

    /// Number of readings that a point asks for.
    pub fn reading_count(&self) -> Option<u32> {
        Some(self.procedure.as_ref()?.reading.as_ref()?.count)
    }
}
