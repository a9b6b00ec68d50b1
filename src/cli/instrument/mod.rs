//! Commands that find instruments and try them: one port, one instrument, no session. They
//! leave no record; what is measured for a certificate goes through `heng run`.

mod capture;
mod catalogue;
mod document;
mod guard;
mod identify;
mod ports;
mod read;
mod talk;

use std::collections::BTreeMap;
use std::future::Future;

use clap::{Args, ValueEnum};
use heng_drivers::{
    Clock, Description, EncodeError, Exchange, ExchangeOutcome, LineSettings, Port, Recipe,
    RecipeError, RecipeOutcome, Request, Step, WallClock, description,
};
use serde::Serialize;

use super::{Exit, Failure, runtime, stopped};
use crate::session::calendar::Calendar;

pub use capture::{Capture, capture};
pub use catalogue::{Instruments, instruments};
pub use identify::{Identify, identify};
pub use ports::{Ports, ports};
pub use read::{Read, read};
pub use talk::{Talk, talk};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// One named unit on one port.
#[derive(Args)]
struct Unit {
    /// Path of the port; `heng ports` lists those of this machine
    port: String,
    /// Driver description of the instrument; `heng instruments` lists them
    #[arg(long)]
    model: String,
    /// Line settings of this unit, such as "9600 8N1"; the factory's without
    #[arg(long)]
    line: Option<LineSettings>,
    /// Value of a parameter of the description that this unit has (address, order of channels)
    #[arg(long, value_name = "NAME=VALUE")]
    layout: Vec<String>,
}

impl Unit {
    fn description(&self) -> Result<Description, Failure> {
        described(&self.model, &self.layout)
    }

    fn layout(&self) -> Result<BTreeMap<String, String>, Failure> {
        pairs(&self.layout)
    }
}

fn usage<T>(message: &str) -> Result<T, Failure> {
    Err(Failure::new(Exit::Usage, &message))
}

fn failed(message: &impl ToString) -> Failure {
    Failure::new(Exit::Instrument, message)
}

fn pairs(written: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    for text in written {
        let Some((name, value)) = text.split_once('=') else {
            return usage(&format!("--layout {text:?}: write NAME=VALUE"));
        };
        if found.insert(name.to_owned(), value.to_owned()).is_some() {
            return usage(&format!("--layout {name} is given twice: keep one value"));
        }
    }
    Ok(found)
}

/// The description of a model, with what differs on this unit.
fn described(model: &str, layout: &[String]) -> Result<Description, Failure> {
    let layout = pairs(layout)?;
    let Some(found) = description(model) else {
        return usage(&format!(
            "there is no driver description {model:?}; `heng instruments` lists them"
        ));
    };
    found
        .with_layout(&layout)
        .map_err(|error| Failure::new(Exit::Usage, &error))
}

/// Why a sequence of exchanges did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the port {path} is gone: {reason}; plug the adapter in and start again")]
    Gone { path: String, reason: String },
}

/// An instrument on an open port, with the time of both.
struct Connected {
    description: Description,
    port: Port,
    clock: WallClock,
    calendar: Calendar,
}

/// Takes each exchange as it was made.
type OnExchange<'a> = &'a mut dyn FnMut(&Request, &Exchange);

impl Connected {
    async fn open(
        path: &str,
        line: LineSettings,
        description: Description,
    ) -> Result<Self, heng_drivers::PortError> {
        let port = Port::open(&description.port_settings(path, line)).await?;
        Ok(Self {
            description,
            port,
            clock: WallClock::new(),
            calendar: Calendar::now(),
        })
    }

    /// Opens the port of a named unit, at the factory's line settings where none are given.
    async fn of(unit: &Unit) -> Result<Self, Failure> {
        let description = unit.description()?;
        let line = unit.line.unwrap_or(description.line());
        let opened = Self::open(&unit.port, line, description).await;
        opened.map_err(|error| failed(&error))
    }

    /// A moment of the clock for people.
    fn moment(&self, t_us: u64) -> String {
        self.calendar.moment(t_us)
    }

    async fn exchange(&mut self, request: &Request) -> Result<Exchange, Trouble> {
        exchange(&mut self.port, &self.description, request, &self.clock).await
    }

    async fn run(
        &mut self,
        recipe: Recipe,
        on_exchange: OnExchange<'_>,
    ) -> Result<RecipeOutcome, Trouble> {
        let Self {
            description,
            port,
            clock,
            ..
        } = self;
        run_recipe(port, description, recipe, clock, on_exchange).await
    }

    /// Ends unasked output and lets the line fall silent.
    async fn stop_talk(&mut self, on_exchange: OnExchange<'_>) -> Result<(), Trouble> {
        let mut limits = None;
        let description = self.description.clone();
        let recipe = description.stop_talk();
        self.run(recipe, &mut |request, exchange| {
            limits = Some(description.limits(request));
            on_exchange(request, exchange);
        })
        .await?;
        if let Some(limits) = limits {
            self.port.drain(limits, &self.clock).await;
        }
        Ok(())
    }

    /// Who is there, after the end of unasked output; a stranger is refused.
    async fn greet(&mut self, on_exchange: OnExchange<'_>) -> Result<RecipeOutcome, Trouble> {
        self.stop_talk(on_exchange).await?;
        let recipe = self.description.identify();
        self.run(recipe, on_exchange).await
    }
}

/// One exchange, and afterwards the silence that the instrument needs.
async fn exchange(
    port: &mut Port,
    description: &Description,
    request: &Request,
    clock: &dyn Clock,
) -> Result<Exchange, Trouble> {
    let tx = description.encode(request)?;
    let limits = description.limits(request);
    let frame = &mut |received: &[u8]| description.frame(request, received);
    let exchange = port.exchange(&tx, frame, limits, clock).await;
    clock.wait_until(exchange.received_us + limits.gap_us).await;
    Ok(exchange)
}

/// Performs a recipe to its end; nothing is repeated.
async fn run_recipe(
    port: &mut Port,
    description: &Description,
    mut recipe: Recipe,
    clock: &dyn Clock,
    on_exchange: OnExchange<'_>,
) -> Result<RecipeOutcome, Trouble> {
    let mut reply = None;
    loop {
        match recipe.advance(reply.take()) {
            Step::Send(request) => {
                let exchange = exchange(port, description, &request, clock).await?;
                on_exchange(&request, &exchange);
                if let ExchangeOutcome::Closed { reason } = exchange.outcome {
                    let path = port.settings().path.clone();
                    return Err(Trouble::Gone { path, reason });
                }
                reply = Some(description.decode(&request, &exchange.rx));
            }
            Step::Wait { us } => clock.wait_until(clock.now_us() + us).await,
            Step::Done(outcome) => return Ok(outcome),
            Step::Failed(error) => return Err(error.into()),
        }
    }
}

/// Runs to the end, or until Ctrl-C or a termination: then `None`. The port is released in
/// every case, because it lives inside of `work`.
fn until_stopped<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<Option<T>, Failure> {
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let stop = stopped()?;
        tokio::select! {
            done = work => done.map(Some),
            () = stop => Ok(None),
        }
    });
    // A thread may still wait for a line of the standard input.
    runtime.shutdown_background();
    done
}

/// Why nothing more is said after an interruption.
fn interrupted<T>() -> Result<T, Failure> {
    let message = "interrupted; the port was released";
    Err(Failure::new(Exit::Incomplete, &message))
}

/// An identity in words.
fn who(outcome: &RecipeOutcome) -> String {
    let Some(identity) = &outcome.identity else {
        return "the replies fit, but this protocol tells no identity".to_owned();
    };
    let mut said = identity.model.clone();
    for (name, value) in [("serial", &identity.serial), ("version", &identity.version)] {
        if let Some(value) = value {
            said = format!("{said}, {name} {value}");
        }
    }
    said
}

fn json_line(value: &impl Serialize) -> Result<String, Failure> {
    let line = serde_json::to_string(value);
    line.map(|line| line + "\n")
        .map_err(|error| Failure::new(Exit::Write, &error))
}

fn json_page(value: &impl Serialize) -> Result<String, Failure> {
    let page = serde_json::to_string_pretty(value);
    page.map(|page| page + "\n")
        .map_err(|error| Failure::new(Exit::Write, &error))
}
