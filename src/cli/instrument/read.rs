//! `heng read`: readings of one instrument, each with the bytes that it came in.

use std::cell::Cell;

use clap::{Args, ValueEnum};
use heng_drivers::{Clock, Exchange, Request, Value, escape};
use serde::Serialize;

use super::document::Document;
use super::{Connected, Trouble, Unit, failed, interrupted, json_line, until_stopped, usage, who};
use crate::cli::{Exit, Failure, csv, print_on};

#[derive(Args)]
pub struct Read {
    #[command(flatten)]
    unit: Unit,
    /// A quantity to read; all that the model measures without
    #[arg(long)]
    quantity: Vec<String>,
    /// Number of readings; 0 reads until Ctrl-C
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Time from one reading to the next; one after the other without
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    every: f64,
    /// What is printed; json is one object a line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Csv,
    Json,
}

/// One quantity of one reading, or why there is none.
#[derive(Serialize)]
struct Reading {
    /// Counted from 1.
    #[serde(rename = "reading")]
    number: u64,
    quantity: String,
    /// As sent; none where there is no value.
    digits: Option<String>,
    unit: String,
    quality: Option<&'static str>,
    /// When the request was handed to the line, and when the last byte had come.
    sent: Option<String>,
    received: Option<String>,
    /// The exchange that carried it, escaped.
    request: Option<String>,
    reply: Option<String>,
    error: Option<String>,
}

/// Names of the columns are those of the JSON keys.
const COLUMNS: [&str; 10] = [
    "reading", "quantity", "digits", "unit", "quality", "sent", "received", "request", "reply",
    "error",
];

pub fn read(arguments: &Read) -> Result<Exit, Failure> {
    let every_us = period_us(arguments.every)?;
    let any_failed = Cell::new(false);
    let done = until_stopped(readings(arguments, every_us, &any_failed))?;
    if done.is_none() && arguments.count > 0 {
        return interrupted();
    }
    Ok(if any_failed.get() {
        Exit::Instrument
    } else {
        Exit::Done
    })
}

fn period_us(every_s: f64) -> Result<u64, Failure> {
    // A day is more than any instrument is waited for between two readings.
    if !(0.0..=86_400.0).contains(&every_s) {
        return usage(&format!("--every {every_s}: write seconds from 0 to 86400"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above"
    )]
    Ok((every_s * 1e6) as u64)
}

async fn readings(arguments: &Read, every_us: u64, any_failed: &Cell<bool>) -> Result<(), Failure> {
    let mut connected = Connected::of(&arguments.unit).await?;
    let groups = together(&connected, &arguments.quantity)?;
    let greeted = connected.greet(&mut |_, _| {}).await;
    let outcome = greeted.map_err(|trouble| failed(&trouble))?;
    let line = connected.port.settings().line;
    let port = &arguments.unit.port;
    let said = format!(
        "{} on {port} at {line}: {}",
        arguments.unit.model,
        who(&outcome)
    );
    // The table alone goes to the standard output, so that it can be read by programs.
    eprintln!("{said}");
    if arguments.format == Format::Csv && !print_on(&csv::line(COLUMNS.map(str::to_owned)))? {
        return Ok(());
    }
    let start_us = connected.clock.now_us();
    let mut number = 0;
    while arguments.count == 0 || number < arguments.count {
        connected
            .clock
            .wait_until(start_us + number * every_us)
            .await;
        number += 1;
        for quantities in &groups {
            let (found, gone) = reading(&mut connected, number, quantities).await?;
            for one in &found {
                any_failed.set(any_failed.get() || one.error.is_some());
                if !print_on(&line_of(one, arguments.format)?)? {
                    return Ok(());
                }
            }
            if let Some(trouble) = gone {
                return Err(failed(&trouble));
            }
        }
    }
    Ok(())
}

/// The quantities in groups that come with the same commands: one of them that fails takes
/// no other along.
fn together(connected: &Connected, wanted: &[String]) -> Result<Vec<Vec<String>>, Failure> {
    let description = &connected.description;
    for name in wanted {
        let asked = description.read(&[name]);
        asked.map_err(|error| Failure::new(Exit::Usage, &error))?;
    }
    let document = Document::of(description)?;
    let mut groups: Vec<(&[String], Vec<String>)> = Vec::new();
    for quantity in &document.quantity {
        let is_wanted = wanted.is_empty() || wanted.contains(&quantity.name);
        if quantity.read.is_empty() || !is_wanted {
            continue;
        }
        let name = quantity.name.clone();
        match groups.iter_mut().find(|(read, _)| *read == quantity.read) {
            Some((_, names)) => names.push(name),
            None => groups.push((&quantity.read, vec![name])),
        }
    }
    Ok(groups.into_iter().map(|(_, names)| names).collect())
}

/// One reading of quantities that come together; with it the end of the port, where it came.
async fn reading(
    connected: &mut Connected,
    number: u64,
    quantities: &[String],
) -> Result<(Vec<Reading>, Option<Trouble>), Failure> {
    let names: Vec<&str> = quantities.iter().map(String::as_str).collect();
    let recipe = connected.description.read(&names);
    let recipe = recipe.map_err(|error| failed(&error))?;
    let mut exchanges: Vec<(Request, Exchange)> = Vec::new();
    let outcome = connected
        .run(recipe, &mut |request, exchange| {
            exchanges.push((request.clone(), exchange.clone()));
        })
        .await;
    let carried = |name: &str| {
        exchanges.iter().find(|(request, exchange)| {
            let reply = connected.description.decode(request, &exchange.rx);
            reply.is_ok_and(|reply| reply.value(name).is_some())
        })
    };
    let last = exchanges.last();
    match outcome {
        Ok(outcome) => {
            let of = |value: &Value| {
                let exchange = carried(&value.quantity).or(last).map(|(_, one)| one);
                valued(connected, number, value, exchange)
            };
            Ok((outcome.values.iter().map(of).collect(), None))
        }
        Err(trouble) => {
            let missing = |name: &String| Reading {
                error: Some(trouble.to_string()),
                ..unread(connected, number, name, last.map(|(_, one)| one))
            };
            let found = quantities.iter().map(missing).collect();
            let gone = matches!(trouble, Trouble::Gone { .. }).then_some(trouble);
            Ok((found, gone))
        }
    }
}

fn unread(
    connected: &Connected,
    number: u64,
    quantity: &str,
    exchange: Option<&Exchange>,
) -> Reading {
    let mut infos = connected.description.quantities().iter();
    let info = infos.find(|info| info.name == quantity);
    Reading {
        number,
        quantity: quantity.to_owned(),
        digits: None,
        unit: info.map(|info| info.unit.to_string()).unwrap_or_default(),
        quality: None,
        sent: exchange.map(|one| connected.moment(one.sent_us)),
        received: exchange.map(|one| connected.moment(one.received_us)),
        request: exchange.map(|one| escape(&one.tx)),
        reply: exchange.map(|one| escape(&one.rx)),
        error: None,
    }
}

fn valued(
    connected: &Connected,
    number: u64,
    value: &Value,
    exchange: Option<&Exchange>,
) -> Reading {
    let has_digits = value.quality != heng_drivers::Quality::NoValue;
    Reading {
        digits: has_digits.then(|| value.digits.to_string()),
        quality: Some(value.quality.name()),
        ..unread(connected, number, &value.quantity, exchange)
    }
}

fn line_of(reading: &Reading, format: Format) -> Result<String, Failure> {
    let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
    let quality = reading.quality.unwrap_or_default().to_owned();
    match format {
        Format::Json => json_line(reading),
        Format::Csv => Ok(csv::line([
            reading.number.to_string(),
            reading.quantity.clone(),
            text(&reading.digits),
            reading.unit.clone(),
            quality,
            text(&reading.sent),
            text(&reading.received),
            text(&reading.request),
            text(&reading.reply),
            text(&reading.error),
        ])),
        Format::Text => {
            let number = format!("#{}", reading.number);
            let sent = text(&reading.sent);
            let received = text(&reading.received);
            let time = |moment: &str| moment.get(11..23).unwrap_or("-").to_owned();
            let what = reading.error.clone().unwrap_or_else(|| {
                let digits = reading.digits.as_deref().unwrap_or("-");
                format!("{digits} {} {quality}", reading.unit)
            });
            Ok(format!(
                "{number:<5} {} to {}  {}  {what}  \"{}\"\n",
                time(&sent),
                time(&received),
                reading.quantity,
                text(&reading.reply)
            ))
        }
    }
}
