//! Mapping of a climatic chamber or room: readings of many locations become the
//! characteristics of the space, by the definition that was chosen and is printed.
//!
//! Definitions are data of the procedure file ([`Definition`]). The statistics are those of
//! JJF 1101-2019 and DKD-R 5-7; each definition says which of them it prints and which of
//! them enter its budget.

mod budget;
mod characteristics;
mod definition;

use heng_quantities::{Decimal, RoundingError, Text, Unit};
use heng_uncertainty::{PropagationError, SampleError};
use serde::{Deserialize, Serialize};

pub use characteristics::CharacteristicId;
pub(crate) use characteristics::mean;
pub use definition::{At, Definition, DefinitionInput, DefinitionMeasurand, MappingSource, Need};

use crate::evaluate::Rules;
use crate::monitoring::{Watch, excursions};
use crate::outcome::{Characteristic, LocationSummary, MappingResult};
use crate::schema::Procedure;
use crate::standard::{OutOfRange, StandardChannel};
use characteristics::Figures;

/// Readings of a mapped space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocationTable {
    /// Time of `t_us = 0`, RFC 3339.
    pub start: String,
    pub quantities: Vec<QuantityTable>,
}

/// Readings of one quantity at all locations. Rows are times; a missing reading stays
/// missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantityTable {
    pub quantity: String,
    pub unit: Unit,
    /// One step of the last digit of the sensors.
    pub resolution: Decimal,
    /// Time of every row, never falling.
    pub t_us: Vec<u64>,
    pub locations: Vec<LocationSeries>,
    /// Location that stands for the space: its centre, as a rule.
    pub reference: Option<String>,
    pub set_value: Option<Decimal>,
    pub display: Option<DisplaySeries>,
    /// Readings of a globe thermometer beside the reference location.
    pub globe: Option<Vec<Option<Decimal>>>,
    /// Length of one set where the logger writes its sensors in turn; none where every row
    /// is a set.
    pub set_interval_s: Option<u64>,
    /// Limits to watch; they are no part of any definition.
    pub watch: Option<Watch>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocationSeries {
    pub location: String,
    /// One entry a row.
    pub digits: Vec<Option<Decimal>>,
    /// Channel of the sensor's certificate; none where the sensor has none.
    pub sensor: Option<StandardChannel>,
}

/// Readings of the chamber's own display.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisplaySeries {
    pub digits: Vec<Option<Decimal>>,
    pub resolution: Decimal,
}

/// What is asked of the evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappingRequest {
    /// Id of a [`Definition`] of the procedure.
    pub definition: String,
    /// Effects that were determined apart: radiation, loading, ambient influence.
    #[serde(default)]
    pub effects: Vec<Effect>,
}

/// Size of an effect that the readings do not show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    pub quantity: String,
    /// Name that the definition uses: `radiation`, `loading`, `ambient`.
    pub effect: String,
    /// In the unit of a difference; the definition says which part of it is the half-width.
    pub size: f64,
    /// How it was determined.
    pub note: Text,
}

/// Why a mapping cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    #[error("the procedure {procedure} has no definition {wanted:?}: choose one of {known}")]
    UnknownDefinition {
        procedure: String,
        wanted: String,
        known: String,
    },
    #[error("{quantity}: no location is given")]
    NoLocations { quantity: String },
    #[error(
        "{quantity} at location {location}: no reading in the window; take the location out or widen the window"
    )]
    NoReadings { quantity: String, location: String },
    #[error("{quantity} at location {location}: {readings} readings for {times} times")]
    Ragged {
        quantity: String,
        location: String,
        readings: usize,
        times: usize,
    },
    #[error("{quantity}: the times fall at row {row}; rows must be in the order of time")]
    TimesFall { quantity: String, row: usize },
    #[error("{quantity}: the reference location {location:?} is not among the locations")]
    UnknownReference { quantity: String, location: String },
    #[error(
        "{quantity} at location {location}: the sensor's certificate is for {certified}, the readings are in {unit}"
    )]
    SensorMismatch {
        quantity: String,
        location: String,
        unit: Unit,
        certified: String,
    },
    #[error("location {location}: {source}")]
    OutOfRange {
        location: String,
        #[source]
        source: OutOfRange,
    },
    #[error("{quantity}: the definition {definition} needs {needed}; state it in the map")]
    NeedsMore {
        quantity: String,
        definition: String,
        needed: String,
    },
    #[error("the effect {effect:?} of {quantity} must be a finite number, not {size}")]
    Effect {
        quantity: String,
        effect: String,
        size: f64,
    },
    #[error("the definition {definition} knows no effect {effect:?} (given for {quantity})")]
    UnknownEffect {
        quantity: String,
        effect: String,
        definition: String,
    },
    #[error("model of the definition {definition}: {message}")]
    Model { definition: String, message: String },
    #[error("{quantity}: {source}")]
    Propagation {
        quantity: String,
        #[source]
        source: PropagationError,
    },
    #[error("{quantity}: {source}")]
    Sampling {
        quantity: String,
        #[source]
        source: Box<SampleError>,
    },
    #[error("{quantity}: {source}")]
    Rounding {
        quantity: String,
        #[source]
        source: RoundingError,
    },
}

impl QuantityTable {
    fn reference_index(&self) -> Result<Option<usize>, MappingError> {
        let Some(name) = &self.reference else {
            return Ok(None);
        };
        let found = self.locations.iter().position(|one| one.location == *name);
        found
            .map(Some)
            .ok_or_else(|| MappingError::UnknownReference {
                quantity: self.quantity.clone(),
                location: name.clone(),
            })
    }

    /// Time from the first to the last row.
    fn covered_s(&self) -> f64 {
        match (self.t_us.first(), self.t_us.last()) {
            (Some(first), Some(last)) => (last - first) as f64 / 1e6,
            _ => 0.0,
        }
    }
}

/// Evaluates every quantity of `table` by the definition of `request`.
///
/// Monte Carlo trials of the quantity at index `i` use the seed of
/// [`result_seed`](crate::evaluate::result_seed)`(seed, i, 0)`.
///
/// # Errors
/// [`MappingError`]: what is missing or inconsistent, and where.
pub fn map_space(
    procedure: &Procedure,
    request: &MappingRequest,
    table: &LocationTable,
    seed: u64,
    rules: Rules,
) -> Result<Vec<MappingResult>, MappingError> {
    let definition = procedure
        .definition
        .iter()
        .find(|one| one.id == request.definition)
        .ok_or_else(|| MappingError::UnknownDefinition {
            procedure: procedure.id.clone(),
            wanted: request.definition.clone(),
            known: names(procedure.definition.iter().map(|one| one.id.as_str())),
        })?;
    check_effects(definition, request)?;
    let mut results = Vec::new();
    for (index, quantity) in table.quantities.iter().enumerate() {
        let seed = crate::evaluate::result_seed(seed, index, 0);
        results.push(map_quantity(definition, request, quantity, (seed, rules))?);
    }
    Ok(results)
}

fn map_quantity(
    definition: &Definition,
    request: &MappingRequest,
    table: &QuantityTable,
    seed_and_rules: (u64, Rules),
) -> Result<MappingResult, MappingError> {
    let figures = figures(table)?;
    let evaluated = budget::evaluate(definition, request, table, &figures, seed_and_rules)?;
    let mut notes = vec![definition.text.clone()];
    notes.extend(conditions(definition, table, &figures));
    notes.extend(evaluated.notes);
    Ok(MappingResult {
        quantity: table.quantity.clone(),
        unit: table.unit,
        definition: definition.id.clone(),
        measurand: evaluated.measurand,
        set_value: figures.set_value,
        locations: figures.summaries(),
        characteristics: figures.characteristics(&definition.characteristics),
        budget: evaluated.budget,
        monte_carlo: evaluated.monte_carlo,
        validation: evaluated.validation,
        rounded: evaluated.rounded,
        notes,
    })
}

fn figures(table: &QuantityTable) -> Result<Figures, MappingError> {
    if let Some(row) = table.t_us.windows(2).position(|pair| pair[1] < pair[0]) {
        return Err(MappingError::TimesFall {
            quantity: table.quantity.clone(),
            row: row + 1,
        });
    }
    Figures::of(table)
}

/// What a monitored room was like: its locations, and every characteristic that the
/// readings allow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomProfile {
    pub locations: Vec<LocationSummary>,
    pub characteristics: Vec<Characteristic>,
}

/// The profile of a room, without budget.
///
/// # Errors
/// [`MappingError`]: what is missing or inconsistent, and where.
pub fn room_profile(table: &QuantityTable) -> Result<RoomProfile, MappingError> {
    let figures = figures(table)?;
    Ok(RoomProfile {
        locations: figures.summaries(),
        characteristics: figures.characteristics(&CharacteristicId::ALL),
    })
}

/// An effect that no model names would silently be left out of the budget.
fn check_effects(definition: &Definition, request: &MappingRequest) -> Result<(), MappingError> {
    for effect in &request.effects {
        let known = definition.input.iter().any(|input| {
            matches!(&input.source, MappingSource::Given { effect: name, .. } if *name == effect.effect)
        });
        if !known {
            return Err(MappingError::UnknownEffect {
                quantity: effect.quantity.clone(),
                effect: effect.effect.clone(),
                definition: definition.id.clone(),
            });
        }
        if !effect.size.is_finite() {
            return Err(MappingError::Effect {
                quantity: effect.quantity.clone(),
                effect: effect.effect.clone(),
                size: effect.size,
            });
        }
    }
    Ok(())
}

/// What the definition asks of the readings and they do not fulfil.
fn conditions(definition: &Definition, table: &QuantityTable, figures: &Figures) -> Vec<Text> {
    let mut notes = Vec::new();
    let norm = &definition.title;
    let asked = definition.minimum_readings;
    let fewest = figures.locations.iter().map(|one| one.values().len()).min();
    if let Some(fewest) = fewest.filter(|&fewest| fewest < asked) {
        notes.push(Text::new(
            &format!(
                "{} asks for at least {asked} readings; a location has {fewest}.",
                norm.en
            ),
            &format!("{}要求至少{asked}次读数；有测点仅{fewest}次。", norm.zh),
        ));
    }
    let (covered_s, asked_s) = (table.covered_s(), definition.minimum_duration_s);
    if covered_s < asked_s as f64 {
        notes.push(Text::new(
            &format!(
                "{} asks for readings over {asked_s} s; these cover {covered_s:.0} s.",
                norm.en
            ),
            &format!(
                "{}要求读数持续{asked_s} s;实际覆盖{covered_s:.0} s。",
                norm.zh
            ),
        ));
    }
    let count = table.locations.len();
    if let Some(asked) = definition.minimum_locations.get(&table.quantity)
        && count < *asked
    {
        notes.push(Text::new(
            &format!(
                "{} asks for {asked} locations of {}; there are {count}.",
                norm.en, table.quantity
            ),
            &format!(
                "{}要求{asked}个测点（{}）；实际{count}个。",
                norm.zh, table.quantity
            ),
        ));
    }
    let [complete, all] = figures.sets;
    if complete < all
        && definition
            .characteristics
            .contains(&CharacteristicId::Uniformity)
    {
        notes.push(Text::new(
            &format!("Uniformity is the mean over {complete} of {all} sets; in the others a location is missing."),
            &format!("均匀度取{all}组中{complete}组的平均；其余各组缺少测点。"),
        ));
    }
    if let Some(watch) = &table.watch {
        notes.extend(
            table
                .locations
                .iter()
                .filter_map(|one| watched(table, one, watch)),
        );
    }
    notes
}

fn watched(table: &QuantityTable, series: &LocationSeries, watch: &Watch) -> Option<Text> {
    let found = excursions(&table.t_us, &series.digits, watch);
    let (outside, readings, events) = (found.outside, found.readings, found.events.len());
    let Watch { low, high, .. } = watch;
    let (name, unit) = (&series.location, table.unit);
    (outside > 0).then(|| {
        Text::new(
            &format!("{name}: {outside} of {readings} readings outside {low} to {high} {unit}, {events} excursions."),
            &format!("{name}：{readings}次读数中{outside}次超出{low}~{high} {unit}，超限事件{events}次。"),
        )
    })
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}
