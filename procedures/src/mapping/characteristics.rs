//! Figures of a mapped space from the readings of its locations.

use heng_quantities::{Decimal, Text, Unit};
use serde::{Deserialize, Serialize};

use super::{LocationSeries, MappingError, QuantityTable};
use crate::monitoring::radiation_indicator;
use crate::outcome::{Characteristic, LocationSummary};

/// The characteristics that a definition can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CharacteristicId {
    /// Largest reading of all locations and times minus the set value.
    UpperDeviation,
    /// Smallest reading of all locations and times minus the set value.
    LowerDeviation,
    /// Mean over the sets of the range across the locations.
    Uniformity,
    /// Largest half-range in time of any location; printed with ±.
    Fluctuation,
    /// Largest difference of a location's mean from the mean at the reference location.
    Inhomogeneity,
    /// Largest deviation in time from the mean at the reference location.
    Instability,
    /// Largest minus smallest mean of the locations.
    SpreadOfMeans,
    Maximum,
    Minimum,
    /// Mean difference of a globe thermometer and the air at the reference location.
    Radiation,
}

impl CharacteristicId {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::UpperDeviation,
        Self::LowerDeviation,
        Self::Uniformity,
        Self::Fluctuation,
        Self::Inhomogeneity,
        Self::Instability,
        Self::SpreadOfMeans,
        Self::Maximum,
        Self::Minimum,
        Self::Radiation,
    ];

    /// Name in files and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Unit of the value, for a quantity measured in `unit`.
    #[must_use]
    pub fn unit(self, unit: Unit) -> Unit {
        match self {
            Self::Maximum | Self::Minimum => unit,
            _ => unit.difference(),
        }
    }

    fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::UpperDeviation => ("upper_deviation", "Upper deviation", "上偏差"),
            Self::LowerDeviation => ("lower_deviation", "Lower deviation", "下偏差"),
            Self::Uniformity => ("uniformity", "Uniformity", "均匀度"),
            Self::Fluctuation => ("fluctuation", "Fluctuation (±)", "波动度（±）"),
            Self::Inhomogeneity => ("inhomogeneity", "Spatial inhomogeneity", "空间不均匀性"),
            Self::Instability => ("instability", "Temporal instability", "时间不稳定性"),
            Self::SpreadOfMeans => (
                "spread_of_means",
                "Spread of location means",
                "各点平均值之差",
            ),
            Self::Maximum => ("maximum", "Largest reading", "最大值"),
            Self::Minimum => ("minimum", "Smallest reading", "最小值"),
            Self::Radiation => (
                "radiation",
                "Globe minus air temperature",
                "黑球与空气温度之差",
            ),
        }
    }

    fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Self::UpperDeviation => Some(figures.maximum() - figures.set_value?),
            Self::LowerDeviation => Some(figures.minimum() - figures.set_value?),
            Self::Uniformity => figures.uniformity,
            Self::Fluctuation => Some(largest(figures.locations.iter().map(Location::half_range))),
            Self::Inhomogeneity => figures.inhomogeneity(),
            Self::Instability => figures.reference().map(Location::largest_deviation),
            Self::SpreadOfMeans => {
                let means = || figures.locations.iter().map(|one| one.mean);
                Some(largest(means()) - smallest(means()))
            }
            Self::Maximum => Some(figures.maximum()),
            Self::Minimum => Some(figures.minimum()),
            Self::Radiation => figures.radiation,
        }
    }
}

/// Corrected readings of one location and their statistics.
pub(super) struct Location {
    name: String,
    values: Vec<f64>,
    pub(super) mean: f64,
}

impl Location {
    fn min(&self) -> f64 {
        smallest(self.values.iter().copied())
    }

    fn max(&self) -> f64 {
        largest(self.values.iter().copied())
    }

    fn half_range(&self) -> f64 {
        (self.max() - self.min()) / 2.0
    }

    fn largest_deviation(&self) -> f64 {
        largest(self.values.iter().map(|value| (value - self.mean).abs()))
    }

    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }
}

/// All figures of one quantity, before any of them is chosen by a definition.
pub(super) struct Figures {
    pub(super) locations: Vec<Location>,
    pub(super) reference_index: Option<usize>,
    pub(super) set_value: Option<f64>,
    pub(super) display_mean: Option<f64>,
    uniformity: Option<f64>,
    /// Sets with a reading of every location, and all sets.
    pub(super) sets: [usize; 2],
    radiation: Option<f64>,
}

impl Figures {
    /// # Errors
    /// [`MappingError`] where a location has no reading, is unknown, or a reading lies
    /// outside the range of its sensor's certificate.
    pub(super) fn of(table: &QuantityTable) -> Result<Self, MappingError> {
        let corrected: Vec<Vec<Option<f64>>> = table
            .locations
            .iter()
            .map(|series| corrected(table, series))
            .collect::<Result<_, _>>()?;
        let mut locations = Vec::new();
        for (series, values) in table.locations.iter().zip(&corrected) {
            let values: Vec<f64> = values.iter().copied().flatten().collect();
            if values.is_empty() {
                return Err(MappingError::NoReadings {
                    quantity: table.quantity.clone(),
                    location: series.location.clone(),
                });
            }
            let mean = mean(&values);
            locations.push(Location {
                name: series.location.clone(),
                values,
                mean,
            });
        }
        if locations.is_empty() {
            return Err(MappingError::NoLocations {
                quantity: table.quantity.clone(),
            });
        }
        let reference_index = table.reference_index()?;
        let ranges = set_ranges(table, &corrected);
        let complete: Vec<f64> = ranges.iter().copied().flatten().collect();
        let display: Vec<f64> = table
            .display
            .iter()
            .flat_map(|display| display.digits.iter().flatten())
            .map(|digits| digits.to_f64())
            .collect();
        let radiation = table
            .globe
            .as_ref()
            .zip(reference_index)
            .and_then(|(globe, at)| radiation_indicator(globe, &table.locations[at].digits));
        Ok(Self {
            locations,
            reference_index,
            set_value: table.set_value.map(Decimal::to_f64),
            display_mean: (!display.is_empty()).then(|| mean(&display)),
            sets: [complete.len(), ranges.len()],
            uniformity: (!complete.is_empty()).then(|| mean(&complete)),
            radiation: radiation.map(|indicator| indicator.mean),
        })
    }

    pub(super) fn reference(&self) -> Option<&Location> {
        self.reference_index.map(|at| &self.locations[at])
    }

    fn maximum(&self) -> f64 {
        largest(self.locations.iter().map(Location::max))
    }

    fn minimum(&self) -> f64 {
        smallest(self.locations.iter().map(Location::min))
    }

    pub(super) fn inhomogeneity(&self) -> Option<f64> {
        let reference = self.reference()?;
        Some(largest(
            self.locations
                .iter()
                .map(|one| (one.mean - reference.mean).abs()),
        ))
    }

    pub(super) fn instability(&self) -> Option<f64> {
        CharacteristicId::Instability.of(self)
    }

    /// The reading farthest from the set value and the index of its location; the first
    /// location wins a tie.
    pub(super) fn extreme(&self) -> Option<(usize, f64)> {
        let set_value = self.set_value?;
        let mut farthest = (0, set_value);
        for (at, location) in self.locations.iter().enumerate() {
            for value in [location.max(), location.min()] {
                if (value - set_value).abs() > (farthest.1 - set_value).abs() {
                    farthest = (at, value);
                }
            }
        }
        Some(farthest)
    }

    pub(super) fn characteristics(&self, wanted: &[CharacteristicId]) -> Vec<Characteristic> {
        wanted
            .iter()
            .filter_map(|id| {
                let (name, en, zh) = id.row();
                id.of(self).map(|value| Characteristic {
                    id: name.to_owned(),
                    title: Text::new(en, zh),
                    value,
                })
            })
            .collect()
    }

    pub(super) fn summaries(&self) -> Vec<LocationSummary> {
        self.locations
            .iter()
            .map(|one| LocationSummary {
                location: one.name.clone(),
                n: one.values.len(),
                mean: one.mean,
                min: one.min(),
                max: one.max(),
                half_range: one.half_range(),
            })
            .collect()
    }
}

fn corrected(
    table: &QuantityTable,
    series: &LocationSeries,
) -> Result<Vec<Option<f64>>, MappingError> {
    if series.digits.len() != table.t_us.len() {
        return Err(MappingError::Ragged {
            quantity: table.quantity.clone(),
            location: series.location.clone(),
            readings: series.digits.len(),
            times: table.t_us.len(),
        });
    }
    let Some(sensor) = &series.sensor else {
        let plain = series.digits.iter().map(|one| one.map(Decimal::to_f64));
        return Ok(plain.collect());
    };
    let units = [sensor.unit(), sensor.indication_unit()];
    if units != [table.unit; 2] || sensor.quantity() != table.quantity {
        return Err(MappingError::SensorMismatch {
            quantity: table.quantity.clone(),
            location: series.location.clone(),
            unit: table.unit,
            certified: format!("{} in {}", sensor.quantity(), sensor.indication_unit()),
        });
    }
    series
        .digits
        .iter()
        .map(|one| {
            one.map(|digits| sensor.corrected(digits.to_f64()))
                .transpose()
                .map_err(|source| MappingError::OutOfRange {
                    location: series.location.clone(),
                    source,
                })
        })
        .collect()
}

/// Range across the locations for every set; none where a location is missing in the set.
///
/// A set is one row, or, for a logger that writes its sensors in turn, all rows of one
/// interval counted from the first row. No reading is carried over from set to set.
fn set_ranges(table: &QuantityTable, corrected: &[Vec<Option<f64>>]) -> Vec<Option<f64>> {
    let first_us = table.t_us.first().copied().unwrap_or(0);
    let set_of = |row: usize| match table.set_interval_s {
        Some(interval_s) => (table.t_us[row] - first_us) / (interval_s.max(1) * 1_000_000),
        None => row as u64,
    };
    let mut ranges = Vec::new();
    let mut row = 0;
    while row < table.t_us.len() {
        let end = (row..table.t_us.len())
            .find(|&next| set_of(next) != set_of(row))
            .unwrap_or(table.t_us.len());
        let rows = row..end;
        let complete = corrected
            .iter()
            .all(|values| values[rows.clone()].iter().any(Option::is_some));
        ranges.push(complete.then(|| {
            let all = || {
                corrected
                    .iter()
                    .flat_map(|values| values[rows.clone()].iter().copied().flatten())
            };
            largest(all()) - smallest(all())
        }));
        row = end;
    }
    ranges
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    // A comparison, not `f64::max`: that may return either zero of −0 and 0.
    values.fold(
        f64::NEG_INFINITY,
        |best, value| if value > best { value } else { best },
    )
}

fn smallest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(
        f64::INFINITY,
        |best, value| if value < best { value } else { best },
    )
}
