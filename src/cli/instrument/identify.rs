//! `heng identify`: who is on a port, asked with nothing but reading commands.

use clap::Args;
use heng_drivers::{
    Class, Description, Exchange, LineSettings, Recipe, RecipeError, RecipeOutcome, Request,
    catalogue, escape,
};
use serde::Serialize;

use super::document::Document;

use super::{
    Connected, Format, Trouble, described, interrupted, json_page, until_stopped, usage, who,
};
use crate::cli::table::wrapped;
use crate::cli::{Exit, Failure, print};

#[derive(Args)]
pub struct Identify {
    /// Path of the port; `heng ports` lists those of this machine
    port: String,
    /// A model that may be tried; several may be named
    #[arg(long, required_unless_present = "all")]
    model: Vec<String>,
    /// Tries every model whose identification only reads
    #[arg(long, conflicts_with = "model")]
    all: bool,
    /// The one setting of the line that is tried; the factory's of each model without
    #[arg(long)]
    line: Option<LineSettings>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A model that was tried, and what came of it.
#[derive(Serialize)]
struct Attempt {
    model: String,
    line: LineSettings,
    exchanges: Vec<Said>,
    finding: Finding,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<heng_drivers::Identity>,
    /// In words.
    result: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Finding {
    Identified,
    /// The replies fit, but the protocol tells no identity.
    Fits,
    /// An instrument told another model.
    Stranger,
    NoAnswer,
    /// Nothing was sent.
    NotTried,
}

/// What was sent and what came, escaped.
#[derive(Serialize)]
struct Said {
    sent: String,
    received: String,
    unsolicited: String,
}

impl Said {
    fn of(exchange: &Exchange) -> Self {
        Self {
            sent: escape(&exchange.tx),
            received: escape(&exchange.rx),
            unsolicited: escape(&exchange.unsolicited),
        }
    }
}

pub fn identify(arguments: &Identify) -> Result<Exit, Failure> {
    let candidates = candidates(arguments)?;
    let mut attempts = Vec::new();
    let alone = candidates.len() == 1;
    let work = async {
        for (line, models) in by_line(candidates, arguments.line) {
            if tried(&arguments.port, line, models, alone, &mut attempts).await? {
                break;
            }
        }
        Ok(())
    };
    let ended = until_stopped(work)?;
    print(&match arguments.format {
        Format::Json => json_page(&attempts)?,
        Format::Text => text(&arguments.port, &attempts),
    })?;
    if ended.is_none() {
        return interrupted();
    }
    let found = |finding| attempts.iter().any(|attempt| attempt.finding == finding);
    Ok(if found(Finding::Identified) {
        Exit::Done
    } else if found(Finding::Fits) {
        Exit::Incomplete
    } else {
        Exit::Instrument
    })
}

fn candidates(arguments: &Identify) -> Result<Vec<Description>, Failure> {
    if !arguments.all {
        let named = arguments.model.iter();
        return named.map(|model| described(model, &[])).collect();
    }
    let mut found = Vec::new();
    for description in catalogue() {
        let document = Document::of(description)?;
        let mut commands = document.identify.commands.iter();
        if commands.all(|command| description.class(command) == Some(Class::Read)) {
            found.push(description.clone());
        }
    }
    if found.is_empty() {
        return usage("no model of the catalogue can be identified by reading alone: name one");
    }
    Ok(found)
}

/// The models of each setting of the line, in the order of the first of each.
fn by_line(
    candidates: Vec<Description>,
    line: Option<LineSettings>,
) -> Vec<(LineSettings, Vec<Description>)> {
    let mut groups: Vec<(LineSettings, Vec<Description>)> = Vec::new();
    for description in candidates {
        let line = line.unwrap_or(description.line());
        match groups.iter_mut().find(|(setting, _)| *setting == line) {
            Some((_, models)) => models.push(description),
            None => groups.push((line, vec![description])),
        }
    }
    groups
}

/// Tries the models of one setting; true once an instrument has told who it is.
async fn tried(
    path: &str,
    line: LineSettings,
    models: Vec<Description>,
    alone: bool,
    attempts: &mut Vec<Attempt>,
) -> Result<bool, Failure> {
    let mut models = models.into_iter();
    let Some(first) = models.next() else {
        return Ok(false);
    };
    let mut connected = match Connected::open(path, line, first.clone()).await {
        Ok(connected) => connected,
        Err(error) => {
            let not_tried = |description: Description| Attempt {
                model: description.id().to_owned(),
                line,
                exchanges: Vec::new(),
                finding: Finding::NotTried,
                identity: None,
                result: error.to_string(),
            };
            attempts.extend(std::iter::once(first).chain(models).map(not_tried));
            return Ok(false);
        }
    };
    let mut before = Vec::new();
    for description in std::iter::once(first).chain(models) {
        connected.description = description;
        let attempt = attempt(&mut connected, alone, &mut before).await?;
        let found = attempt.finding == Finding::Identified;
        attempts.push(attempt);
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Asks once, and once more where the request before may have left half a line in the
/// instrument.
async fn attempt(
    connected: &mut Connected,
    alone: bool,
    before: &mut Vec<u8>,
) -> Result<Attempt, Failure> {
    let document = Document::of(&connected.description)?;
    let end = document.request.as_ref().map(|end| end.end.as_bytes());
    let again = end.is_some_and(|end| leaves_half_a_line(before, end));
    let mut exchanges = Vec::new();
    let mut noted = |_: &Request, exchange: &Exchange| {
        before.clone_from(&exchange.tx);
        exchanges.push(Said::of(exchange));
    };
    let mut result = if alone {
        connected.greet(&mut noted).await
    } else {
        connected
            .run(connected.description.identify(), &mut noted)
            .await
    };
    if again && matches!(result, Err(Trouble::Recipe(RecipeError::Decode(_)))) {
        let recipe: Recipe = connected.description.identify();
        result = connected.run(recipe, &mut noted).await;
    }
    let (finding, identity, result) = concluded(result);
    Ok(Attempt {
        model: connected.description.id().to_owned(),
        line: connected.port.settings().line,
        exchanges,
        finding,
        identity,
        result,
    })
}

/// Whether an instrument that waits for `end` still holds bytes of the request before.
fn leaves_half_a_line(before: &[u8], end: &[u8]) -> bool {
    let last = before
        .windows(end.len().max(1))
        .rposition(|window| window == end);
    let rest = last.map_or(before, |at| &before[at + end.len()..]);
    rest.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
}

fn concluded(
    result: Result<RecipeOutcome, Trouble>,
) -> (Finding, Option<heng_drivers::Identity>, String) {
    match result {
        Ok(outcome) => {
            let finding = if outcome.identity.is_some() {
                Finding::Identified
            } else {
                Finding::Fits
            };
            (finding, outcome.identity.clone(), who(&outcome))
        }
        Err(trouble) => {
            let finding = match trouble {
                Trouble::Recipe(RecipeError::WrongModel { .. }) => Finding::Stranger,
                _ => Finding::NoAnswer,
            };
            (finding, None, trouble.to_string())
        }
    }
}

fn text(port: &str, attempts: &[Attempt]) -> String {
    let mut lines = Vec::new();
    for (number, attempt) in attempts.iter().enumerate() {
        let word = match attempt.finding {
            Finding::Identified => "identified",
            Finding::Fits => "fits",
            Finding::Stranger => "another instrument",
            Finding::NoAnswer => "no",
            Finding::NotTried => "not tried",
        };
        let head = format!("{}  {} at {}  ", number + 1, attempt.model, attempt.line);
        lines.extend(wrapped(&head, &format!("{word}: {}", attempt.result)));
        for said in &attempt.exchanges {
            if !said.unsolicited.is_empty() {
                lines.push(format!("   ~ {}", said.unsolicited));
            }
            lines.push(format!("   > {}", said.sent));
            lines.push(format!("   < {}", said.received));
        }
    }
    let found = attempts
        .iter()
        .find(|attempt| attempt.finding == Finding::Identified);
    lines.push(found.map_or_else(
        || {
            format!(
                "nobody on {port} said who it is; {} attempts, reasons above",
                attempts.len()
            )
        },
        |attempt| {
            format!(
                "{port} at {}: {}, {}",
                attempt.line, attempt.model, attempt.result
            )
        },
    ));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_is_what_the_other_end_of_line_does_not_close() {
        assert!(leaves_half_a_line(b"*IDN?\r", b"\r\n"));
        assert!(!leaves_half_a_line(b"IDN?\r\n", b"\r"));
        assert!(!leaves_half_a_line(b"", b"\r\n"));
        assert!(!leaves_half_a_line(b"S\r", b"\r"));
    }
}
