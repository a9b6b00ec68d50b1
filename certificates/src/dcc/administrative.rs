//! `dcc:administrativeData`: who, for whom, what, when, and the statements.

use heng_quantities::Text;

use super::xml::{Written, Xml};
use crate::document::{Certificate, Item, Party, Person};
use crate::fields::{self, Field};
use crate::wording::{dcc_verdict, standing_statements};

pub(super) fn write(xml: &mut Xml, certificate: &Certificate) -> Written {
    xml.element("dcc:administrativeData", &[], |xml| {
        xml.element("dcc:dccSoftware", &[], |xml| {
            super::software(xml, &certificate.program, |_| Ok(()))
        })?;
        core_data(xml, certificate)?;
        xml.element("dcc:items", &[], |xml| item(xml, &certificate.item))?;
        laboratory(xml, certificate)?;
        xml.element("dcc:respPersons", &[], |xml| {
            let persons = &certificate.persons;
            persons
                .iter()
                .try_for_each(|person| responsible(xml, person))
        })?;
        contact(xml, "dcc:customer", &certificate.customer, None)?;
        statements(xml, certificate)
    })
}

fn core_data(xml: &mut Xml, certificate: &Certificate) -> Written {
    xml.element("dcc:coreData", &[], |xml| {
        xml.leaf("dcc:countryCodeISO3166_1", &certificate.country)?;
        xml.leaf("dcc:usedLangCodeISO639_1", "en")?;
        xml.leaf("dcc:usedLangCodeISO639_1", "zh")?;
        xml.leaf("dcc:mandatoryLangCodeISO639_1", "en")?;
        xml.leaf("dcc:mandatoryLangCodeISO639_1", "zh")?;
        xml.leaf("dcc:uniqueIdentifier", &certificate.number)?;
        let order = certificate.customer.code.as_deref().unwrap_or_default();
        if !order.trim().is_empty() {
            xml.element("dcc:identifications", &[], |xml| {
                identification(xml, "customer", order, &fields::CUSTOMER_CODE)
            })?;
        }
        if let Some(received) = &certificate.received {
            xml.optional("dcc:receiptDate", received)?;
        }
        xml.leaf("dcc:beginPerformanceDate", &certificate.begun)?;
        xml.leaf("dcc:endPerformanceDate", &certificate.ended)?;
        xml.leaf("dcc:performanceLocation", location_kind(certificate))?;
        xml.leaf("dcc:issueDate", &certificate.issued)
    })
}

/// The schema's word for the place; the place itself stands in a statement.
fn location_kind(certificate: &Certificate) -> &'static str {
    if certificate.place == certificate.laboratory.address {
        "laboratory"
    } else if certificate.place == certificate.customer.address {
        "customer"
    } else {
        "other"
    }
}

fn identification(xml: &mut Xml, issuer: &str, value: &str, field: &Field) -> Written {
    xml.element("dcc:identification", &[], |xml| {
        xml.leaf("dcc:issuer", issuer)?;
        xml.leaf("dcc:value", value)?;
        xml.text("dcc:name", &field.label())
    })
}

fn item(xml: &mut Xml, item: &Item) -> Written {
    xml.element("dcc:item", &[], |xml| {
        xml.text("dcc:name", &item.name)?;
        let label = fields::ITEM_CONDITION.label();
        let condition = Text {
            en: format!("{}: {}", label.en, item.condition.en),
            zh: format!("{}: {}", label.zh, item.condition.zh),
        };
        xml.text("dcc:description", &condition)?;
        xml.element("dcc:manufacturer", &[], |xml| {
            xml.plain_name(&item.manufacturer)
        })?;
        xml.leaf("dcc:model", &item.model)?;
        xml.element("dcc:identifications", &[], |xml| {
            identification(xml, "manufacturer", &item.serial, &fields::ITEM_SERIAL)
        })
    })
}

fn laboratory(xml: &mut Xml, certificate: &Certificate) -> Written {
    let party = &certificate.laboratory;
    xml.element("dcc:calibrationLaboratory", &[], |xml| {
        let code = party.code.as_deref().unwrap_or_default();
        xml.optional("dcc:calibrationLaboratoryCode", code)?;
        contact(xml, "dcc:contact", party, Some(&certificate.country))
    })
}

fn contact(xml: &mut Xml, name: &str, party: &Party, country: Option<&str>) -> Written {
    xml.element(name, &[], |xml| {
        xml.text("dcc:name", &party.name)?;
        let kind = if party.contact.contains('@') {
            "dcc:eMail"
        } else {
            "dcc:phone"
        };
        xml.optional(kind, &party.contact)?;
        xml.element("dcc:location", &[], |xml| {
            if let Some(country) = country {
                xml.leaf("dcc:countryCode", country)?;
            }
            xml.text("dcc:further", &party.address)
        })
    })
}

fn responsible(xml: &mut Xml, person: &Person) -> Written {
    xml.element("dcc:respPerson", &[], |xml| {
        xml.element("dcc:person", &[], |xml| xml.plain_name(&person.name))?;
        xml.text("dcc:description", &person.role)?;
        xml.leaf("dcc:role", &person.role.en)?;
        xml.leaf(
            "dcc:mainSigner",
            if person.main_signer { "true" } else { "false" },
        )
    })
}

fn statements(xml: &mut Xml, certificate: &Certificate) -> Written {
    let declared = |xml: &mut Xml, label: Text, text: &Text| {
        xml.element("dcc:statement", &[], |xml| {
            xml.text("dcc:name", &label)?;
            xml.text("dcc:declaration", text)
        })
    };
    xml.element("dcc:statements", &[], |xml| {
        for statement in standing_statements(certificate) {
            xml.element("dcc:statement", &[], |xml| {
                xml.leaf("dcc:norm", statement.norm)?;
                xml.leaf("dcc:reference", statement.reference)?;
                xml.text("dcc:declaration", &statement.text)
            })?;
        }
        declared(xml, fields::PLACE.label(), &certificate.place)?;
        if let Some(rule) = &certificate.decision_rule {
            xml.element("dcc:statement", &[], |xml| {
                xml.text("dcc:name", &fields::DECISION_RULE.label())?;
                xml.leaf("dcc:norm", "ISO/IEC 17025:2017")?;
                xml.leaf("dcc:reference", "7.8.6")?;
                xml.text("dcc:declaration", rule)
            })?;
        }
        for statement in &certificate.conformity {
            xml.referenced("dcc:statement", Some("basic_conformity"), |xml| {
                xml.text("dcc:name", &fields::CONFORMITY.label())?;
                xml.text("dcc:declaration", &statement.text)?;
                xml.optional(
                    "dcc:conformity",
                    dcc_verdict(&statement.verdict).unwrap_or_default(),
                )
            })?;
        }
        for text in &certificate.statements {
            declared(xml, fields::STATEMENTS.label(), text)?;
        }
        Ok(())
    })
}
