//! The budget of a mapped space by its definition.

use heng_quantities::{Rounded, Text, round_result};
use heng_uncertainty::{
    Budget, Input, Inputs, Library, Model, MonteCarlo, Sampling, Validation, monte_carlo,
    propagate, slope, validate,
};

use super::characteristics::{Figures, mean};
use super::definition::{At, Definition, DefinitionMeasurand, MappingSource, Need};
use super::{LocationSeries, MappingError, MappingRequest, QuantityTable, names};
use crate::evaluate::{COVERAGE, Rules};
use crate::standard::StandardChannel;

const SET_VALUE: &str = "a set value";
const DISPLAY: &str = "readings of the display";
const REFERENCE: &str = "a reference location";

pub(super) struct Evaluated {
    pub(super) measurand: String,
    pub(super) budget: Budget,
    pub(super) monte_carlo: MonteCarlo,
    pub(super) validation: Validation,
    pub(super) rounded: Rounded,
    pub(super) notes: Vec<Text>,
}

pub(super) fn evaluate(
    definition: &Definition,
    request: &MappingRequest,
    table: &QuantityTable,
    figures: &Figures,
    (seed, rules): (u64, Rules),
) -> Result<Evaluated, MappingError> {
    let measurand = choose(definition, table, figures)?;
    let model = Model::compile(&measurand.model, Library::shipped()).map_err(|found| {
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        MappingError::Model {
            definition: definition.id.clone(),
            message: lines.join("; "),
        }
    })?;
    let mut sources = Sources {
        definition,
        request,
        table,
        figures,
        rules,
        notes: vec![Text::new(
            &format!("Measurand: {}.", measurand.title.en),
            &format!("被测量：{}。", measurand.title.zh),
        )],
    };
    let inputs = model
        .inputs()
        .iter()
        .map(|symbol| sources.input(symbol))
        .collect::<Result<Vec<_>, _>>()?;
    let inputs = Inputs::from(inputs);
    sources.note_sensors();
    sources.note_drift();
    let quantity = || table.quantity.clone();
    let budget = propagate(&model, &measurand.output, &inputs, COVERAGE).map_err(|source| {
        MappingError::Propagation {
            quantity: quantity(),
            source,
        }
    })?;
    let sampling = Sampling {
        coverage: COVERAGE,
        ..Sampling::with_seed(seed)
    };
    let sampled = monte_carlo(&model, &measurand.output, &inputs, &sampling).map_err(|source| {
        MappingError::Sampling {
            quantity: quantity(),
            source: Box::new(source),
        }
    })?;
    let validation = validate(&budget, &sampled);
    let reported = crate::evaluate::Reported::of(&budget, &sampled, &validation);
    let mut notes = sources.notes;
    notes.push(reported.why.clone());
    let rounded = round_result(reported.value, reported.expanded, 2).map_err(|source| {
        MappingError::Rounding {
            quantity: quantity(),
            source,
        }
    })?;
    Ok(Evaluated {
        measurand: measurand.id.clone(),
        budget,
        monte_carlo: sampled,
        validation,
        rounded,
        notes,
    })
}

/// The first measurand of the definition whose needs are met.
fn choose<'a>(
    definition: &'a Definition,
    table: &QuantityTable,
    figures: &Figures,
) -> Result<&'a DefinitionMeasurand, MappingError> {
    let met = |need: &Need| match need {
        Need::SetValue => figures.set_value.is_some(),
        Need::Display => figures.display_mean.is_some(),
        Need::Reference => figures.reference_index.is_some(),
    };
    definition
        .measurand
        .iter()
        .find(|one| one.needs.iter().all(met))
        .ok_or_else(|| MappingError::NeedsMore {
            quantity: table.quantity.clone(),
            definition: definition.id.clone(),
            // The last one asks for the least.
            needed: names(
                definition
                    .measurand
                    .last()
                    .into_iter()
                    .flat_map(|one| &one.needs)
                    .filter(|need| !met(need))
                    .map(|need| match need {
                        Need::SetValue => SET_VALUE,
                        Need::Display => DISPLAY,
                        Need::Reference => REFERENCE,
                    }),
            ),
        })
}

struct Sources<'a> {
    definition: &'a Definition,
    request: &'a MappingRequest,
    table: &'a QuantityTable,
    figures: &'a Figures,
    rules: Rules,
    notes: Vec<Text>,
}

impl Sources<'_> {
    fn input(&mut self, symbol: &str) -> Result<Input, MappingError> {
        let mut declared = self.definition.input.iter();
        let declared = declared.find(|one| one.symbol == symbol);
        let source = &declared
            .ok_or_else(|| MappingError::Model {
                definition: self.definition.id.clone(),
                message: format!("the symbol {symbol:?} has no [[definition.input]]"),
            })?
            .source;
        let figures = self.figures;
        let (constant, zero) = (
            |value: f64| Input::constant(symbol, value),
            |half_width: f64| Input::rectangular(symbol, 0.0, half_width),
        );
        Ok(match source {
            MappingSource::SetValue => constant(self.need(figures.set_value, SET_VALUE)?),
            MappingSource::DisplayMean => constant(self.need(figures.display_mean, DISPLAY)?),
            MappingSource::ReferenceMean => {
                constant(self.need(figures.reference(), REFERENCE)?.mean)
            }
            MappingSource::ExtremeReading => constant(self.need(figures.extreme(), SET_VALUE)?.1),
            MappingSource::Scatter => {
                let (at, _) = self.need(figures.extreme(), SET_VALUE)?;
                let found = self.rules.type_a(figures.locations[at].values());
                let found = self.need(found.ok(), "at least two readings a location")?;
                Input::student(symbol, 0.0, found.s, found.dof)
            }
            MappingSource::Certificate { at } => Input::normal(symbol, 0.0, self.certified_u(*at)?),
            MappingSource::Drift { at } => {
                let drift = self.sensor(*at).map(StandardChannel::drift_half_width);
                zero(drift.unwrap_or(0.0))
            }
            MappingSource::Resolution => zero(self.table.resolution.to_f64() / 2.0),
            MappingSource::DisplayResolution => {
                let display = self.need(self.table.display.as_ref(), DISPLAY)?;
                zero(display.resolution.to_f64() / 2.0)
            }
            MappingSource::Inhomogeneity => zero(self.need(figures.inhomogeneity(), REFERENCE)?),
            MappingSource::Instability => zero(self.need(figures.instability(), REFERENCE)?),
            MappingSource::Given { effect, fraction } => zero(self.given(effect, *fraction)),
        })
    }

    fn need<T>(&self, found: Option<T>, what: &str) -> Result<T, MappingError> {
        found.ok_or_else(|| MappingError::NeedsMore {
            quantity: self.table.quantity.clone(),
            definition: self.definition.id.clone(),
            needed: what.to_owned(),
        })
    }

    /// Half-width of an effect that was stated with the request; zero, and a note, where it
    /// was not.
    fn given(&mut self, effect: &str, fraction: f64) -> f64 {
        let stated = self
            .request
            .effects
            .iter()
            .find(|one| one.quantity == self.table.quantity && one.effect == effect);
        let Some(stated) = stated else {
            self.notes.push(Text::new(
                &format!("The effect \"{effect}\" was not determined and is not in the budget."),
                &format!("未测定“{effect}”的影响，未计入不确定度。"),
            ));
            return 0.0;
        };
        self.notes.push(Text::new(
            &format!("Effect \"{effect}\": {}", stated.note.en),
            &format!("影响“{effect}”：{}", stated.note.zh),
        ));
        (stated.size * fraction).abs()
    }

    fn location(&self, at: At) -> Option<&LocationSeries> {
        let index = match at {
            At::Reference => self.figures.reference_index,
            At::Extreme => self.figures.extreme().map(|(index, _)| index),
        };
        Some(&self.table.locations[index?])
    }

    fn sensor(&self, at: At) -> Option<&StandardChannel> {
        self.location(at)?.sensor.as_ref()
    }

    /// Standard uncertainty of the correction at the mean of the indications; 0 without a
    /// certificate, which a note says.
    fn certified_u(&self, at: At) -> Result<f64, MappingError> {
        let Some((location, sensor)) = self
            .location(at)
            .and_then(|location| Some((location, location.sensor.as_ref()?)))
        else {
            return Ok(0.0);
        };
        let read = location.digits.iter().flatten().map(|one| one.to_f64());
        let found = sensor.at(mean(&read.collect::<Vec<_>>()));
        let found = found.map_err(|source| MappingError::OutOfRange {
            location: location.location.clone(),
            source,
        })?;
        Ok(found.u)
    }

    fn note_sensors(&mut self) {
        let bare = self
            .table
            .locations
            .iter()
            .filter(|one| one.sensor.is_none());
        let bare = names(bare.map(|one| one.location.as_str()));
        if !bare.is_empty() {
            self.notes.push(Text::new(
                &format!("Sensors without certificate ({bare}): no correction, and the uncertainty of the sensors is not in the budget; the result is not traceable."),
                &format!("传感器无校准证书（{bare}）：未作修正，传感器的不确定度未计入；结果不具溯源性。"),
            ));
        }
    }

    /// DKD-R 5-7 and JJF 1101 both start only when no systematic change is seen.
    fn note_drift(&mut self) {
        let Some(at) = self.figures.reference_index else {
            return;
        };
        let rows = self.table.t_us.iter().zip(&self.table.locations[at].digits);
        let (t_h, y): (Vec<f64>, Vec<f64>) = rows
            .filter_map(|(&t_us, digits)| Some((t_us as f64 / 3.6e9, digits.as_ref()?.to_f64())))
            .unzip();
        if let Some(found) = slope(&t_h, &y)
            && found.per_h.abs() > 3.0 * found.u
            && found.per_h.abs() * self.table.covered_s() / 3600.0 > self.table.resolution.to_f64()
        {
            let (per_h, unit) = (found.per_h, self.table.unit.difference());
            self.notes.push(Text::new(
                &format!("Systematic change at the reference location: {per_h:.3} {unit}/h; the space was not steady."),
                &format!("参考点存在系统性变化：{per_h:.3} {unit}/h；空间未达稳定。"),
            ));
        }
    }
}
