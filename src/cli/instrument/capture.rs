//! `heng capture`: the replies of a real instrument as a transcript that the tests of the
//! drivers read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use heng_drivers::{Class, Description, Exchange, ExchangeOutcome, RecipeError, Request, escape};
use toml::Value;

use super::document::Document;

use super::{Connected, Trouble, Unit, failed, interrupted, until_stopped, usage};
use crate::cli::{Exit, Failure, print, write_file};

#[derive(Args)]
pub struct Capture {
    #[command(flatten)]
    unit: Unit,
    /// Where the bytes come from: instrument, serial number, date, who
    #[arg(long)]
    source: String,
    /// The transcript; the standard output without
    #[arg(long)]
    out: Option<PathBuf>,
}

pub fn capture(arguments: &Capture) -> Result<Exit, Failure> {
    if arguments.source.trim().is_empty() {
        return usage(
            "--source is empty: say which instrument the bytes come from, when and who took them",
        );
    }
    let Some(text) = until_stopped(captured(arguments))? else {
        return interrupted();
    };
    let Some(out) = &arguments.out else {
        return print(&text);
    };
    write_file(out, text.as_bytes())?;
    print(&format!("written  {}\n", out.display()))
}

async fn captured(arguments: &Capture) -> Result<String, Failure> {
    let layout = arguments.unit.layout()?;
    let mut connected = Connected::of(&arguments.unit).await?;
    let document = Document::of(&connected.description)?;
    let mut comments = head(&connected, &document);
    let greeted = connected.greet(&mut |_, _| {}).await;
    // A reply that the description refuses is what a capture is for; another model is not.
    if let Err(trouble) = greeted
        && !matches!(trouble, Trouble::Recipe(RecipeError::Decode(_)))
    {
        return Err(failed(&trouble));
    }
    let mut any_reply = false;
    let mut text = String::new();
    for command in &document.command {
        let request = Request::new(&command.name);
        let is_read = connected.description.class(&command.name) == Some(Class::Read);
        // A reading command with arguments is asked with values that only a person knows.
        if !is_read || connected.description.encode(&request).is_err() {
            comments.push(format!("not asked: {}", command.name));
            continue;
        }
        let made = connected.exchange(&request).await;
        let made = made.map_err(|trouble| failed(&trouble))?;
        if let ExchangeOutcome::Closed { reason } = &made.outcome {
            return Err(failed(&format!(
                "the port {} is gone: {reason}; nothing was written",
                arguments.unit.port
            )));
        }
        any_reply |= !made.rx.is_empty();
        if !made.unsolicited.is_empty() {
            let bytes = escape(&made.unsolicited);
            let name = &command.name;
            comments.push(format!("unsolicited around {name}: {bytes}"));
        }
        let written = entry(
            &connected.description,
            &request,
            &made,
            &layout,
            &arguments.source,
        );
        text.push_str(&written.map_err(|error| Failure::new(Exit::Write, &error))?);
    }
    if !any_reply {
        return Err(failed(&format!(
            "no reply came on {} at {}: check cable, line settings and power; nothing was written",
            arguments.unit.port,
            connected.port.settings().line
        )));
    }
    let comments = comments.iter().map(|line| format!("# {line}\n"));
    Ok(comments.collect::<String>() + &text)
}

fn head(connected: &Connected, document: &Document) -> Vec<String> {
    let settings = connected.port.settings();
    let begun = connected.moment(0);
    vec![
        format!(
            "Captured by heng {} from {} at {}, begun {begun}.",
            env!("CARGO_PKG_VERSION"),
            settings.path.escape_default(),
            settings.line,
        ),
        format!(
            "Description {} {}; times count from the opening of the port.",
            connected.description.id(),
            document.version
        ),
    ]
}

/// The exchange with what the description makes of it: values and texts, or the refusal.
fn entry(
    description: &Description,
    request: &Request,
    made: &Exchange,
    layout: &BTreeMap<String, String>,
    source: &str,
) -> Result<String, toml::ser::Error> {
    let mut fields = vec![("command", Value::from(request.command.as_str()))];
    if !layout.is_empty() {
        fields.push(("layout", Value::try_from(layout)?));
    }
    fields.extend([
        ("request", escape(&made.tx).into()),
        ("reply", escape(&made.rx).into()),
        ("mark", "L".into()),
        ("source", source.into()),
        ("sent_us", Value::try_from(made.sent_us)?),
        ("received_us", Value::try_from(made.received_us)?),
    ]);
    match description.decode(request, &made.rx) {
        Ok(reply) => {
            if !reply.values.is_empty() {
                fields.push(("values", Value::try_from(&reply.values)?));
            }
            if !reply.texts.is_empty() {
                let texts: BTreeMap<_, _> = reply.texts.into_iter().collect();
                fields.push(("texts", Value::try_from(texts)?));
            }
        }
        Err(error) => fields.push(("error", error.cause.to_string().into())),
    }
    let lines = fields
        .iter()
        .map(|(name, value)| format!("{name} = {value}\n"));
    Ok("\n[[exchange]]\n".to_owned() + &lines.collect::<String>())
}
