//! `dcc:measurementResults`: methods, standards, environment and the tables of results.

use heng_quantities::{Decimal, Text, Unit};

use super::xml::{Written, Xml};
use crate::document::{
    Cells, Certificate, Column, Expanded, Influence, Method, RecordRef, Standard, Table,
};
use crate::fields;
use crate::number::{degrees_of_freedom, factor, si_form};
use crate::wording::dcc_verdict;

pub(super) fn write(xml: &mut Xml, certificate: &Certificate) -> Written {
    xml.element("dcc:measurementResults", &[], |xml| {
        xml.element("dcc:measurementResult", &[], |xml| {
            xml.text("dcc:name", &fields::RESULTS.label())?;
            methods(xml, certificate)?;
            software(xml, certificate)?;
            let standards = &certificate.standards;
            if !standards.is_empty() {
                xml.element("dcc:measuringEquipments", &[], |xml| {
                    standards.iter().try_for_each(|s| equipment(xml, s))
                })?;
            }
            xml.element("dcc:influenceConditions", &[], |xml| {
                let environment = &certificate.environment;
                environment.iter().try_for_each(|i| influence(xml, i))
            })?;
            xml.element("dcc:results", &[], |xml| {
                let mut tables = (1..).zip(&certificate.tables);
                tables.try_for_each(|(number, table)| result(xml, number, table))
            })?;
            xml.element("dcc:measurementMetaData", &[], |xml| {
                record(xml, &certificate.record)
            })
        })
    })
}

fn methods(xml: &mut Xml, certificate: &Certificate) -> Written {
    xml.element("dcc:usedMethods", &[], |xml| {
        for method in &certificate.methods {
            procedure(xml, method)?;
        }
        xml.referenced("dcc:usedMethod", Some("basic_uncertainty"), |xml| {
            xml.text(
                "dcc:name",
                &Text::new(
                    "Evaluation of the measurement uncertainty",
                    "测量不确定度评定",
                ),
            )?;
            if !certificate.model.trim().is_empty() {
                let label = fields::MODEL.label();
                let model = Text {
                    en: format!("{}:\n{}", label.en, certificate.model),
                    zh: format!("{}:\n{}", label.zh, certificate.model),
                };
                xml.text("dcc:description", &model)?;
            }
            xml.leaf("dcc:norm", "JCGM 100:2008")?;
            xml.leaf("dcc:norm", "JCGM 101:2008")
        })?;
        for formula in &certificate.formulas {
            xml.element("dcc:usedMethod", &[], |xml| {
                xml.text("dcc:name", &formula.title)?;
                if let Some(range) = formula.range() {
                    xml.text("dcc:description", &range)?;
                }
                xml.leaf("dcc:reference", &formula.source)?;
                xml.leaf(
                    "dcc:reference",
                    &format!("{} v{}", formula.name, formula.version),
                )
            })?;
        }
        Ok(())
    })
}

fn procedure(xml: &mut Xml, method: &Method) -> Written {
    xml.referenced("dcc:usedMethod", Some("basic_calibrationMethod"), |xml| {
        xml.text("dcc:name", &method.title)?;
        for norm in &method.norm {
            xml.optional("dcc:norm", norm)?;
        }
        xml.leaf(
            "dcc:reference",
            &format!("{} {}, sha256:{}", method.id, method.version, method.sha256),
        )
    })
}

fn software(xml: &mut Xml, certificate: &Certificate) -> Written {
    xml.element("dcc:usedSoftware", &[], |xml| {
        super::software(xml, &certificate.program, |xml| {
            xml.text("dcc:description", &recomputed_from(&certificate.record))
        })?;
        let others = &certificate.software;
        others
            .iter()
            .try_for_each(|program| super::software(xml, program, |_| Ok(())))
    })
}

fn recomputed_from(record: &RecordRef) -> Text {
    let RecordRef {
        file,
        entries,
        head,
    } = record;
    Text {
        en: format!(
            "All results can be recomputed from the session record {file}, {entries} entries, SHA-256 of the chain {head}."
        ),
        zh: format!(
            "全部结果可由原始记录 {file} (共 {entries} 条, 哈希链 SHA-256 {head}) 重新计算得到。"
        ),
    }
}

/// The record as a machine finds it: file name, number of entries and hash apart.
fn record(xml: &mut Xml, record: &RecordRef) -> Written {
    xml.element("dcc:metaData", &[], |xml| {
        xml.text("dcc:name", &fields::RECORD.label())?;
        xml.leaf("dcc:reference", &record.file)?;
        xml.text("dcc:declaration", &recomputed_from(record))?;
        xml.element("dcc:data", &[], |xml| {
            xml.element("dcc:quantity", &[], |xml| {
                xml.text("dcc:name", &Text::new("Entries", "条目数"))?;
                xml.element("si:real", &[], |xml| {
                    xml.leaf("si:value", &record.entries.to_string())?;
                    xml.leaf("si:unit", "\\one")
                })
            })?;
            xml.element("dcc:quantity", &[], |xml| {
                xml.text(
                    "dcc:name",
                    &Text::new("SHA-256 of the chain", "哈希链 SHA-256"),
                )?;
                xml.leaf("dcc:charsXMLList", &record.head)
            })
        })
    })
}

fn equipment(xml: &mut Xml, standard: &Standard) -> Written {
    let flag = |set: bool| if set { "true" } else { "false" };
    xml.referenced(
        "dcc:measuringEquipment",
        Some("basic_standardUsed"),
        |xml| {
            xml.text("dcc:name", &standard.name)?;
            xml.text("dcc:description", &standard.role)?;
            xml.element("dcc:certificate", &[], |xml| {
                xml.text("dcc:referral", &standard.issuer)?;
                xml.leaf("dcc:referralID", &standard.certificate)?;
                xml.leaf("dcc:procedure", "SHA-256")?;
                xml.leaf("dcc:value", &standard.sha256)?;
                xml.text(
                    "dcc:description",
                    &Text {
                        en: format!(
                            "Calibrated {}, valid until {}",
                            standard.calibrated, standard.valid_until
                        ),
                        zh: format!(
                            "校准日期 {}, 有效期至 {}",
                            standard.calibrated, standard.valid_until
                        ),
                    },
                )?;
                xml.leaf("dcc:inValidityRange", flag(standard.in_validity))?;
                xml.leaf("dcc:traceable", flag(standard.traceable))
            })?;
            xml.optional("dcc:model", &standard.model)?;
            if standard.serial.trim().is_empty() {
                return Ok(());
            }
            xml.element("dcc:identifications", &[], |xml| {
                xml.element("dcc:identification", &[], |xml| {
                    xml.leaf("dcc:issuer", "manufacturer")?;
                    xml.leaf("dcc:value", &standard.serial)?;
                    xml.text("dcc:name", &fields::ITEM_SERIAL.label())
                })
            })
        },
    )
}

fn influence(xml: &mut Xml, influence: &Influence) -> Written {
    let ref_type = influence.ref_type.as_deref();
    let extremes = [
        ("Min", "minimum", "最小值", influence.min),
        ("Mean", "mean", "平均值", influence.mean),
        ("Max", "maximum", "最大值", influence.max),
    ];
    xml.referenced("dcc:influenceCondition", ref_type, |xml| {
        xml.text("dcc:name", &influence.name)?;
        xml.element("dcc:data", &[], |xml| {
            extremes
                .into_iter()
                .try_for_each(|(suffix, en, zh, value)| {
                    let ref_type = ref_type.map(|base| format!("{base}{suffix}"));
                    xml.referenced("dcc:quantity", ref_type.as_deref(), |xml| {
                        let name = Text {
                            en: format!("{}, {en}", influence.name.en),
                            zh: format!("{}{zh}", influence.name.zh),
                        };
                        xml.text("dcc:name", &name)?;
                        real(xml, influence.unit, value)
                    })
                })
        })
    })
}

/// One value: `si:real`, or a hybrid of two where there is an SI form.
fn real(xml: &mut Xml, unit: Unit, value: Decimal) -> Written {
    let write = |xml: &mut Xml, unit: &str, value: Decimal| {
        xml.element("si:real", &[], |xml| {
            xml.leaf("si:value", &value.to_string())?;
            xml.leaf("si:unit", unit)
        })
    };
    let si = si_form(unit).and_then(|form| Some((form.unit, form.value(value)?)));
    match si {
        None => write(xml, unit.dsi(), value),
        Some((si_unit, si_value)) => xml.element("si:hybrid", &[], |xml| {
            write(xml, si_unit, si_value)?;
            write(xml, unit.dsi(), value)
        }),
    }
}

fn result(xml: &mut Xml, number: u32, table: &Table) -> Written {
    let ref_type = format!("gp_measuringResult{number}");
    xml.referenced("dcc:result", Some(&ref_type), |xml| {
        xml.text("dcc:name", &table.title)?;
        if let Some(note) = &table.note {
            xml.text("dcc:description", note)?;
        }
        xml.element("dcc:data", &[], |xml| {
            let ref_type = format!("gp_table{number}");
            xml.referenced("dcc:list", Some(&ref_type), |xml| {
                for column in &table.columns {
                    if !matches!(column.cells, Cells::Verdict { .. }) {
                        quantity(xml, table, column)?;
                    }
                }
                Ok(())
            })
        })
    })
}

fn quantity(xml: &mut Xml, table: &Table, column: &Column) -> Written {
    xml.referenced("dcc:quantity", column.ref_type.as_deref(), |xml| {
        xml.text("dcc:name", &column.name)?;
        match &column.cells {
            Cells::Text(texts) => labels(xml, texts),
            Cells::Number {
                unit,
                values,
                uncertainty,
            } => {
                numbers(xml, *unit, values, uncertainty.as_deref())?;
                meta_data(xml, table, column, uncertainty.as_deref())
            }
            Cells::Verdict { .. } => Ok(()),
        }
    })
}

/// Texts of a column. Where they are the same in both languages and free of blanks they
/// are an XML list; otherwise a text in each language, its entries parted by semicolons.
fn labels(xml: &mut Xml, texts: &[Text]) -> Written {
    let is_token =
        |t: &Text| t.en == t.zh && !t.en.is_empty() && !t.en.contains(char::is_whitespace);
    if texts.iter().all(is_token) {
        let tokens: Vec<&str> = texts.iter().map(|t| t.en.as_str()).collect();
        return xml.leaf("dcc:charsXMLList", &tokens.join(" "));
    }
    let joined = |pick: fn(&Text) -> &str| {
        let all: Vec<&str> = texts.iter().map(pick).collect();
        all.join("; ")
    };
    let both = Text {
        en: joined(|t| &t.en),
        zh: joined(|t| &t.zh),
    };
    xml.text("dcc:noQuantity", &both)
}

/// A column of numbers: an XML list, or a hybrid of two where there is an SI form.
fn numbers(
    xml: &mut Xml,
    unit: Unit,
    values: &[Decimal],
    uncertainty: Option<&[Expanded]>,
) -> Written {
    let customary_u: Vec<Decimal> = uncertainty
        .iter()
        .copied()
        .flatten()
        .map(|e| e.value)
        .collect();
    let si = si_form(unit).and_then(|form| {
        let si_values: Option<Vec<Decimal>> = values.iter().map(|v| form.value(*v)).collect();
        let si_u: Option<Vec<Decimal>> = customary_u.iter().map(|u| form.difference(*u)).collect();
        Some((form.unit, si_values?, si_u?))
    });
    let Some((si_unit, si_values, si_u)) = si else {
        return value_list(xml, unit.dsi(), values, &customary_u, uncertainty);
    };
    xml.element("si:hybrid", &[], |xml| {
        value_list(xml, si_unit, &si_values, &si_u, uncertainty)?;
        value_list(xml, unit.dsi(), values, &customary_u, uncertainty)
    })
}

fn value_list(
    xml: &mut Xml,
    unit: &str,
    values: &[Decimal],
    widths: &[Decimal],
    uncertainty: Option<&[Expanded]>,
) -> Written {
    xml.element("si:realListXMLList", &[], |xml| {
        xml.leaf("si:valueXMLList", &joined(values.iter()))?;
        xml.leaf("si:unitXMLList", unit)?;
        let Some(all) = uncertainty else {
            return Ok(());
        };
        xml.element("si:measurementUncertaintyUnivariateXMLList", &[], |xml| {
            xml.element("si:expandedMUXMLList", &[], |xml| {
                xml.leaf("si:valueExpandedMUXMLList", &joined(widths.iter()))?;
                let factors = joined(all.iter().map(|e| factor(e.k)));
                xml.leaf("si:coverageFactorXMLList", &factors)?;
                let coverage = joined(all.iter().map(|e| e.coverage));
                xml.leaf("si:coverageProbabilityXMLList", &coverage)?;
                let kinds = joined(
                    all.iter()
                        .map(|e| e.distribution.replace(char::is_whitespace, "_")),
                );
                xml.leaf("si:distributionXMLList", &kinds)
            })
        })
    })
}

/// What belongs to a column of numbers beside them: verdicts, effective degrees of freedom.
fn meta_data(
    xml: &mut Xml,
    table: &Table,
    column: &Column,
    uncertainty: Option<&[Expanded]>,
) -> Written {
    let verdicts: Vec<(&Column, &[String])> = table
        .columns
        .iter()
        .filter_map(|judge| match &judge.cells {
            Cells::Verdict { of, verdicts } if *of == column.key => Some((judge, &verdicts[..])),
            _ => None,
        })
        .collect();
    let freedom: Vec<Option<String>> = uncertainty
        .iter()
        .copied()
        .flatten()
        .map(|e| degrees_of_freedom(e.dof))
        .collect();
    let finite = freedom.iter().any(Option::is_some);
    if verdicts.is_empty() && !finite {
        return Ok(());
    }
    xml.element("dcc:measurementMetaData", &[], |xml| {
        for (judge, verdicts) in verdicts {
            xml.referenced("dcc:metaData", Some("basic_conformity"), |xml| {
                xml.text("dcc:name", &judge.name)?;
                let words = verdicts.iter().filter_map(|v| dcc_verdict(v));
                xml.leaf("dcc:conformityXMLList", &joined(words))
            })?;
        }
        if !finite {
            return Ok(());
        }
        xml.element("dcc:metaData", &[], |xml| {
            xml.text(
                "dcc:name",
                &Text::new("Effective degrees of freedom", "有效自由度"),
            )?;
            xml.element("dcc:data", &[], |xml| {
                xml.element("dcc:quantity", &[], |xml| {
                    let tokens = freedom.iter().map(|f| f.as_deref().unwrap_or("infinite"));
                    xml.leaf("dcc:charsXMLList", &joined(tokens))
                })
            })
        })
    })
}

/// Entries with exactly one blank between them (PTB's Schematron of the DCC, lists).
fn joined(items: impl Iterator<Item = impl ToString>) -> String {
    let all: Vec<String> = items.map(|item| item.to_string()).collect();
    all.join(" ")
}
