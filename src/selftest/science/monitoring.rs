//! Monitoring of rooms on published records, and verdicts on atmospheres and pressure holds
//! of packagings.

use heng_procedures::{
    AtmosphereRecord, CONDITIONINGS, Criterion, Judged, LocationSeries, Packaging, QuantityTable,
    RoomProfile, Watch, Window, WindowKind, excursions, history, radiation_indicator, room_profile,
};
use heng_quantities::{Decimal, Unit};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::super::case::ScienceCase;
use super::super::data;
use super::super::field::{Fault, Field};
use super::super::judge::Found;
use super::{Check, by_name, number_or_refusal};
use crate::analyse::map::FileFormat;
use crate::analyse::series::{Choice, Series};
use crate::analyse::table::{Clock, Table};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("data.tub.", profile),
    ("data.tub.alarm.", alarm),
    ("data.tub.radiation.", radiation),
    ("data.tub.soak.", soak),
    ("un.cond", conditioning),
    ("un.hyd", hold_times),
];

/// Readings of the chambers have one decimal place.
const TENTH: Decimal = Decimal::new(1, -1);

const CLOCK: Clock = Clock {
    format: None,
    zone: Offset::UTC,
};

fn broken(field: &Field, problem: &impl ToString) -> Fault {
    let cure = "mend the case, or report it: this check of the program is broken";
    field.fault(&problem.to_string(), cure)
}

fn table(inputs: &Field) -> Result<Table, Fault> {
    let field = inputs.at("data");
    let text = data::file(&field)?;
    let table = Table::read(text.as_bytes(), &FileFormat::default());
    table.map_err(|error| broken(&field, &error))
}

fn moment(field: &Field) -> Result<Timestamp, Fault> {
    let text = field.text()?;
    CLOCK.read(text).map_err(|error| broken(field, &error))
}

/// The rows of a room from one time until before another.
fn room<'a>(
    table: &'a Table,
    inputs: &Field,
    [from, to]: [Timestamp; 2],
) -> Result<Series<'a>, Fault> {
    let room = inputs.at("room_id").number()?;
    let choice = Choice {
        time: "datetime",
        clock: &CLOCK,
        filter: &[("room_id".to_owned(), room.to_string())],
        from: Some(from),
        to: Some(to),
        sort: true,
    };
    Series::choose(table, &choice).map_err(|error| broken(&inputs.at("data"), &error))
}

/// The rows of a room on the day that the case names.
fn day<'a>(table: &'a Table, inputs: &Field) -> Result<Series<'a>, Fault> {
    let from = moment(&inputs.at("date"))?;
    let to = from.saturating_add(SignedDuration::from_hours(24));
    let to = to.map_err(|error| broken(&inputs.at("date"), &error))?;
    room(table, inputs, [from, to])
}

fn digits(
    series: &Series<'_>,
    column: &str,
    inputs: &Field,
) -> Result<Vec<Option<Decimal>>, Fault> {
    let digits = series.digits(column);
    digits.map_err(|error| broken(&inputs.at("data"), &error))
}

fn decimal(field: &Field) -> Result<Decimal, Fault> {
    let number = field.number()?;
    let parsed = number.to_string().parse();
    parsed.map_err(|_| field.fault("is no decimal number", "write one like 18.5"))
}

fn count(field: &Field) -> Result<usize, Fault> {
    let number = field.number()?;
    let parsed = number.to_string().parse();
    parsed.map_err(|_| field.fault("is no count", "write a whole number"))
}

fn celsius(field: &Field) -> Result<Unit, Fault> {
    let unit = "°C".parse();
    unit.map_err(|error| broken(field, &format!("{error}")))
}

/// A time of a series as the published files write it.
fn written(series: &Series<'_>, t_us: u64) -> Found {
    let since = SignedDuration::from_micros(i64::try_from(t_us).unwrap_or(i64::MAX));
    let moment = series.start.saturating_add(since).unwrap_or(series.start);
    let zoned = moment.to_zoned(TimeZone::UTC);
    Found::Word(zoned.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Means of the heights, their spread, and extremes.
pub fn profile(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let inputs = case.root.at("inputs");
    let window = inputs.at("window").list()?;
    let [from, to] = window.as_slice() else {
        let place = inputs.at("window");
        return Err(place.fault("is not two times", "write where it begins and ends"));
    };
    let table = table(&inputs)?;
    let series = room(&table, &inputs, [moment(from)?, moment(to)?])?;
    let mut locations = Vec::new();
    for column in inputs.at("columns").list()? {
        let location = column.text()?.to_owned();
        locations.push(LocationSeries {
            digits: digits(&series, &location, &inputs)?,
            location,
            sensor: None,
        });
    }
    let profile = room_profile(&QuantityTable {
        quantity: "temperature".to_owned(),
        unit: celsius(&inputs)?,
        resolution: TENTH,
        t_us: series.t_us().to_vec(),
        locations,
        reference: None,
        set_value: None,
        display: None,
        globe: None,
        set_interval_s: None,
        watch: None,
    });
    let known = "n, mean, spread_of_means, fluctuation_half_range, max or min";
    by_name(case, known, |what| match &profile {
        Ok(profile) => figure(profile, what).map(Found::Value),
        Err(error) => Some(Found::Refused(error.to_string())),
    })
}

fn figure(profile: &RoomProfile, what: &str) -> Option<f64> {
    let location = |name: &str| profile.locations.iter().find(|one| one.location == name);
    let id = match what.split_once('.') {
        Some(("n", name)) => return location(name).map(|one| one.n as f64),
        Some(("mean", name)) => return location(name).map(|one| one.mean),
        Some(_) => return None,
        None => match what {
            "fluctuation_half_range" => "fluctuation",
            "max" => "maximum",
            "min" => "minimum",
            other => other,
        },
    };
    let mut all = profile.characteristics.iter();
    all.find(|one| one.id == id).map(|one| one.value)
}

/// Events in which a room was outside its limits.
pub fn alarm(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let inputs = case.root.at("inputs");
    let table = table(&inputs)?;
    let series = day(&table, &inputs)?;
    let digits = digits(&series, inputs.at("column").text()?, &inputs)?;
    let watch = Watch {
        low: decimal(&inputs.at("lo"))?,
        high: decimal(&inputs.at("hi"))?,
        minimum_run: count(&inputs.at("min_run"))?,
        gap_s: count(&inputs.at("gap_s"))? as u64,
    };
    let found = excursions(series.t_us(), &digits, &watch);
    let longest = found.events.iter().map(|event| event.readings).max();
    let known = "readings, readings_out, events, first_event_start or longest_run";
    by_name(case, known, |what| match what {
        "readings" => Some(Found::Value(found.readings as f64)),
        "readings_out" => Some(Found::Value(found.outside as f64)),
        "events" => Some(Found::Value(found.events.len() as f64)),
        "longest_run" => Some(Found::Value(longest.unwrap_or(0) as f64)),
        "first_event_start" => Some(match found.events.first() {
            Some(event) => written(&series, event.from_us),
            None => Found::Refused("there was no event".to_owned()),
        }),
        _ => None,
    })
}

/// First moment at which the last readings of a day are steady.
pub fn soak(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let inputs = case.root.at("inputs");
    let table = table(&inputs)?;
    let series = day(&table, &inputs)?;
    let column = inputs.at("column").text()?;
    let samples = series.samples(column);
    let samples = samples.map_err(|error| broken(&inputs.at("data"), &error))?;
    let span_s = inputs.at("max_span_h").number()? * 3600.0;
    let criterion = Criterion {
        signal: column.to_owned(),
        minus: None,
        window_s: span_s,
        window: WindowKind::Last,
        minimum_readings: Some(count(&inputs.at("window"))?),
        range: Some(decimal(&inputs.at("range_K"))?),
        slope_per_h: Some(inputs.at("slope_K_per_h").number()?),
        slope_k: 0.0,
        scatter: None,
        state: Vec::new(),
        reach: None,
        named: String::new(),
    };
    // The case asks for the time covered alone: no shorter gap breaks its window.
    let window = Window::new(&criterion, celsius(&inputs)?, span_s);
    let found = history(vec![Judged { window, samples }], span_s, |_, _| {});
    let first = found.stretches.first();
    let never = || Found::Refused("it was never steady".to_owned());
    by_name(case, "steady_at or slope_K_per_h", |what| match what {
        "steady_at" => Some(first.map_or_else(never, |one| written(&series, one.from_us))),
        // How steep, whatever the direction.
        "slope_K_per_h" => {
            let slope = first.and_then(|one| one.states[0].slope_per_h);
            Some(slope.map_or_else(never, |slope| Found::Value(slope.abs())))
        }
        _ => None,
    })
}

/// Globe less air temperature over a day.
pub fn radiation(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let inputs = case.root.at("inputs");
    let table = table(&inputs)?;
    let series = day(&table, &inputs)?;
    let globe = digits(&series, "globe_temp", &inputs)?;
    let air = digits(&series, "testo_temp1", &inputs)?;
    let found = radiation_indicator(&globe, &air).ok_or("no row has both temperatures");
    by_name(case, "n, mean_K or s_K", |what| {
        let figure = match what {
            "n" => found.map(|found| found.n as f64),
            "mean_K" => found.map(|found| found.mean),
            "s_K" => found.map(|found| found.s),
            _ => return None,
        };
        Some(number_or_refusal(figure))
    })
}

/// The preferred atmosphere for packagings of paper and fibreboard.
pub fn conditioning(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let inputs = case.root.at("inputs");
    let number = |key| inputs.at(key).number();
    let record = AtmosphereRecord {
        mean_t: number("mean_T")?,
        mean_rh: number("mean_RH")?,
        min_rh: number("min_RH")?,
        max_rh: number("max_RH")?,
        hours: number("hours")?,
    };
    let passes = CONDITIONINGS[0].faults(&record).is_empty();
    by_name(case, "pass", |what| {
        (what == "pass").then(|| Found::Word(passes.to_string()))
    })
}

/// How long packagings are held under pressure.
pub fn hold_times(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let mut minutes = Vec::new();
    for packaging in case.root.at("inputs").at("packagings").list()? {
        let packaging = match packaging.text()? {
            "metal" => Packaging::Metal,
            "plastics" => Packaging::Plastics,
            "composite plastics" => Packaging::CompositePlastics,
            "composite glass" => Packaging::CompositeGlass,
            other => {
                let cure = "write metal, plastics, composite plastics or composite glass";
                return Err(packaging.fault(&format!("{other:?} is no packaging"), cure));
            }
        };
        minutes.push(f64::from(packaging.hold_minutes()));
    }
    by_name(case, "minutes of each packaging", |what| {
        let at = what.strip_prefix("minutes[")?.strip_suffix(']')?;
        let at: usize = at.parse().ok()?;
        minutes.get(at).map(|&minutes| Found::Value(minutes))
    })
}
