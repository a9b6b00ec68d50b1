//! The certificate of a mapped space.

use heng_certificates::{Cells, Certificate, Column, Influence, Standard, Table};
use heng_procedures::{
    CharacteristicId, Definition, DefinitionMeasurand, MappingResult, MappingSource, Procedure,
};
use heng_quantities::{Decimal, Text, Unit, round_result};

use super::artefact::Composed;
use super::budget;
use super::certificate::Frame;
use super::map::Map;

/// Composes the certificate of a mapping.
///
/// # Errors
/// A sentence that names the result which cannot be written.
pub fn compose(
    frame: &Frame<'_>,
    procedure: &Procedure,
    (map, map_sha256): (&Map, &str),
    results: &[MappingResult],
) -> Result<Composed, String> {
    let definition = procedure
        .definition
        .iter()
        .find(|one| one.id == map.definition)
        .ok_or_else(|| format!("no definition {:?}", map.definition))?;
    let mut document: Certificate = frame.certificate();
    document.statements.push(Text::new(
        &format!(
            "Definition used: {}. {}",
            definition.title.en, definition.text.en
        ),
        &format!(
            "采用的定义：{}。{}",
            definition.title.zh, definition.text.zh
        ),
    ));
    document.standards = sensors(map, map_sha256, &document.ended);
    for result in results {
        document.environment.push(influence(result)?);
        let measurand = measurand_of(definition, result)?;
        document.tables.push(locations(result)?);
        document.tables.push(characteristics(result, measurand)?);
        document
            .budgets
            .push(budget_of(definition, measurand, result));
        if !document.model.contains(measurand.model.trim()) {
            document.model.push_str(measurand.model.trim());
            document.model.push('\n');
        }
        for note in &result.notes {
            if *note != definition.text && !document.statements.contains(note) {
                document.statements.push(note.clone());
            }
        }
    }
    let budgets = document.budgets.clone();
    Ok(Composed { document, budgets })
}

/// Certificates of the sensors; their text stands in the map, so its hash identifies them.
fn sensors(map: &Map, map_sha256: &str, ended: &str) -> Vec<Standard> {
    map.certificate
        .iter()
        .map(|(name, certificate)| {
            let instrument = &certificate.instrument;
            let valid_until = certificate.valid_until.to_string();
            Standard {
                role: Text::new(&format!("Sensor {name}"), &format!("传感器 {name}")),
                name: Text::same(&format!("{} {}", instrument.maker, instrument.model)),
                model: instrument.model.clone(),
                serial: instrument.serial.clone(),
                certificate: certificate.number.clone(),
                issuer: certificate.issuer.clone(),
                calibrated: certificate.calibrated.to_string(),
                // Evaluation refuses a reading outside the certified range, so only the
                // days are left to compare; they are written YYYY-MM-DD.
                in_validity: ended <= valid_until.as_str(),
                valid_until,
                sha256: map_sha256.to_owned(),
                traceable: certificate.traceable,
            }
        })
        .collect()
}

/// The mapped quantity itself is the condition that prevailed.
fn influence(result: &MappingResult) -> Result<Influence, String> {
    let at = &result.locations;
    let low = at.iter().map(|one| one.min).fold(f64::INFINITY, f64::min);
    let high = at
        .iter()
        .map(|one| one.max)
        .fold(f64::NEG_INFINITY, f64::max);
    let mean = at.iter().map(|one| one.mean).sum::<f64>() / at.len() as f64;
    Ok(Influence {
        name: quantity_name(&result.quantity),
        ref_type: match result.quantity.as_str() {
            "temperature" => Some("basic_temperature".to_owned()),
            "humidity" | "relative_humidity" => Some("basic_humidityRelative".to_owned()),
            _ => None,
        },
        unit: result.unit,
        min: rounded(result, low)?,
        mean: rounded(result, mean)?,
        max: rounded(result, high)?,
    })
}

fn measurand_of<'a>(
    definition: &'a Definition,
    result: &MappingResult,
) -> Result<&'a DefinitionMeasurand, String> {
    definition
        .measurand
        .iter()
        .find(|measurand| measurand.id == result.measurand)
        .ok_or_else(|| format!("{}: no measurand {:?}", result.quantity, result.measurand))
}

/// A quantity in words.
pub fn quantity_name(quantity: &str) -> Text {
    match quantity {
        "temperature" => Text::new("Temperature", "温度"),
        "humidity" | "relative_humidity" => Text::new("Relative humidity", "相对湿度"),
        other => Text::same(other),
    }
}

/// Rounded to the place of the uncertainty, as everything beside it is.
fn rounded(result: &MappingResult, value: f64) -> Result<Decimal, String> {
    round_result(value, result.rounded.uncertainty.to_f64(), 2)
        .map(|both| both.value)
        .map_err(|error| format!("{}: {error}", result.quantity))
}

fn number(
    result: &MappingResult,
    key: &str,
    name: Text,
    unit: Unit,
    values: &[f64],
) -> Result<Column, String> {
    let values = values
        .iter()
        .map(|value| rounded(result, *value))
        .collect::<Result<_, _>>()?;
    Ok(Column {
        key: key.to_owned(),
        name,
        ref_type: None,
        cells: Cells::Number {
            unit,
            values,
            uncertainty: None,
        },
    })
}

fn locations(result: &MappingResult) -> Result<Table, String> {
    let column = |key: &str, name: Text, unit: Unit, of: &dyn Fn(usize) -> f64| {
        let values: Vec<_> = (0..result.locations.len()).map(of).collect();
        number(result, key, name, unit, &values)
    };
    let at = &result.locations;
    let unit = result.unit;
    let text = |cells: Vec<Text>| Cells::Text(cells);
    let mut mean = column("mean", Text::new("Mean", "平均值"), unit, &|index| {
        at[index].mean
    })?;
    mean.ref_type = Some("basic_measuredValue".to_owned());
    let columns = vec![
        Column {
            key: "location".to_owned(),
            name: Text::new("Location", "测点"),
            ref_type: None,
            cells: text(at.iter().map(|one| Text::same(&one.location)).collect()),
        },
        Column {
            key: "readings".to_owned(),
            name: Text::new("Readings", "读数次数"),
            ref_type: None,
            cells: text(
                at.iter()
                    .map(|one| Text::same(&one.n.to_string()))
                    .collect(),
            ),
        },
        mean,
        column(
            "minimum",
            Text::new("Minimum", "最小值"),
            unit,
            &|index| at[index].min,
        )?,
        column(
            "maximum",
            Text::new("Maximum", "最大值"),
            unit,
            &|index| at[index].max,
        )?,
        column(
            "half_range",
            Text::new("Half range in time", "时间半极差"),
            unit.difference(),
            &|index| at[index].half_range,
        )?,
    ];
    let name = quantity_name(&result.quantity);
    Ok(Table {
        id: format!("{}-locations", result.quantity),
        title: Text::new(
            &format!("{}: locations", name.en),
            &format!("{}：各测点", name.zh),
        ),
        note: None,
        columns,
    })
}

/// One row: a column for each characteristic, and the measurand of the budget with its U.
fn characteristics(
    result: &MappingResult,
    measurand: &DefinitionMeasurand,
) -> Result<Table, String> {
    let mut columns = Vec::new();
    for one in &result.characteristics {
        let id: CharacteristicId = serde_json::from_value(serde_json::Value::from(one.id.as_str()))
            .map_err(|error| format!("{}: {error}", result.quantity))?;
        columns.push(number(
            result,
            &one.id,
            one.title.clone(),
            id.unit(result.unit),
            &[one.value],
        )?);
    }
    let expanded = budget::expanded(
        &result.rounded,
        &result.budget,
        &result.monte_carlo,
        result.validation.validated,
    );
    columns.push(Column {
        key: "measurand".to_owned(),
        name: measurand.title.clone(),
        ref_type: Some("basic_measurementError".to_owned()),
        cells: Cells::Number {
            unit: measurand.unit(result.unit),
            values: vec![result.rounded.value],
            uncertainty: Some(vec![expanded]),
        },
    });
    let name = quantity_name(&result.quantity);
    Ok(Table {
        id: result.quantity.clone(),
        title: Text::new(
            &format!("{}: characteristics of the space", name.en),
            &format!("{}：空间特性", name.zh),
        ),
        note: None,
        columns,
    })
}

fn budget_of(
    definition: &Definition,
    measurand: &DefinitionMeasurand,
    result: &MappingResult,
) -> heng_certificates::BudgetTable {
    let name = quantity_name(&result.quantity);
    let title = Text::new(
        &format!("{}, {}", name.en, measurand.title.en),
        &format!("{}，{}", name.zh, measurand.title.zh),
    );
    let describe = |symbol: &str| {
        let input = definition
            .input
            .iter()
            .find(|input| input.symbol == symbol)?;
        let value = matches!(
            input.source,
            MappingSource::SetValue
                | MappingSource::DisplayMean
                | MappingSource::ReferenceMean
                | MappingSource::ExtremeReading
        );
        let unit = if value {
            result.unit
        } else {
            result.unit.difference()
        };
        Some((input.title.clone(), unit))
    };
    let mut table = budget::of(title, result.unit, &result.budget, &describe);
    table.comparison = Some(budget::comparison(
        measurand.unit(result.unit),
        &result.budget,
        &result.monte_carlo,
        &result.validation,
    ));
    table
}
