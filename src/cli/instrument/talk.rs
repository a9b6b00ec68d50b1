//! `heng talk`: a terminal on one port. Nothing is sent that was not typed.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use heng_drivers::{
    Class, Clock, Description, Exchange, ExchangeOutcome, Framing, LineSettings, Port,
    PortSettings, Reply, Request, TimeLimits, WallClock, unescape,
};
use tokio::sync::mpsc::{UnboundedReceiver, error::TryRecvError, unbounded_channel};

use super::document::Document;
use super::guard::{Guard, set_points};
use super::{described, failed, interrupted, until_stopped, usage};
use crate::cli::{Exit, Failure, Tongue, print_on};
use crate::session::calendar::Calendar;
use crate::tui::{Direction, TalkScreen, Traffic, Typed};

#[derive(Args)]
pub struct Talk {
    /// Path of the port; `heng ports` lists those of this machine
    port: String,
    /// Driver description: typed lines may be its commands, and replies are decoded
    #[arg(long, required_unless_present = "raw", conflicts_with = "raw")]
    model: Option<String>,
    /// No description: every line is sent as it is and a reply ends with silence
    #[arg(long, requires = "line")]
    raw: bool,
    /// Line settings of this unit, such as "9600 8N1"; the factory's of the model without
    #[arg(long)]
    line: Option<LineSettings>,
    /// Value of a parameter of the description that this unit has
    #[arg(long, value_name = "NAME=VALUE")]
    layout: Vec<String>,
    /// What is sent after a typed line in raw mode, escaped
    #[arg(long, default_value = "\\r", value_name = "BYTES")]
    end: String,
    #[command(flatten)]
    guard: Guard,
    /// Keeps everything that is shown in a new file
    #[arg(long)]
    log: Option<PathBuf>,
    /// Language of the screen
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

/// Reply of an unknown instrument: how long to wait for it, and which silence ends it.
const RAW: TimeLimits = TimeLimits {
    first_byte_us: 2_000_000,
    between_bytes_us: 300_000,
    total_us: 30_000_000,
    gap_us: 0,
    latency_us: 0,
};

/// Time between two looks at the keyboard while a reply is waited for.
const FRAME: Duration = Duration::from_millis(33);

pub fn talk(arguments: &Talk) -> Result<Exit, Failure> {
    arguments.guard.check()?;
    let any_failed = Cell::new(false);
    let is_screen = io::stdin().is_terminal() && io::stdout().is_terminal();
    let done = until_stopped(async {
        let mut speaker = Speaker::open(arguments).await?;
        let mut shown = Shown::new(arguments, &speaker)?;
        if is_screen {
            let title = speaker.title();
            let screen = TalkScreen::open(arguments.lang.into(), &title);
            let mut screen = screen.map_err(|error| failed(&error))?;
            typed_on_screen(&mut speaker, &mut shown, &mut screen).await
        } else {
            scripted(&mut speaker, &mut shown, &any_failed).await
        }
    })?;
    if done.is_none() {
        return interrupted();
    }
    Ok(if any_failed.get() {
        Exit::Instrument
    } else {
        Exit::Done
    })
}

/// One end of the wire.
struct Speaker<'a> {
    port: Port,
    clock: WallClock,
    calendar: Calendar,
    known: Option<(Description, Document)>,
    /// Ends a request.
    end: Vec<u8>,
    guard: &'a Guard,
}

/// What a typed line means.
struct Utterance {
    tx: Vec<u8>,
    /// The command of the description that it is.
    request: Option<Request>,
}

impl<'a> Speaker<'a> {
    async fn open(arguments: &'a Talk) -> Result<Self, Failure> {
        let known = match &arguments.model {
            Some(model) => {
                let description = described(model, &arguments.layout)?;
                let document = Document::of(&description)?;
                Some((description, document))
            }
            None => None,
        };
        let end = match &known {
            Some((_, document)) => {
                let end = document.request.as_ref().map(|end| &*end.end);
                end.unwrap_or_default().as_bytes().to_vec()
            }
            None => unescape(&arguments.end)
                .map_err(|error| Failure::new(Exit::Usage, &format!("--end: {error}")))?,
        };
        let line = arguments.line.or(known.as_ref().map(|(one, _)| one.line()));
        let Some(line) = line else {
            return usage("--raw needs --line, such as --line \"9600 8N1\"");
        };
        let path = &arguments.port;
        let settings = match &known {
            Some((description, _)) => description.port_settings(path, line),
            None => PortSettings::new(path, line),
        };
        let port = Port::open(&settings).await;
        Ok(Self {
            port: port.map_err(|error| failed(&error))?,
            clock: WallClock::new(),
            calendar: Calendar::now(),
            known,
            end,
            guard: &arguments.guard,
        })
    }

    fn title(&self) -> String {
        let settings = self.port.settings();
        let model = self.known.as_ref().map_or("raw", |(one, _)| one.id());
        format!("{} {}  {model}", settings.path, settings.line)
    }

    /// The bytes of a typed line, or why they are not sent.
    fn understood(&self, line: &str) -> Result<Utterance, String> {
        let bytes = |text: &str| {
            let text = text.strip_prefix(' ').unwrap_or(text);
            unescape(text).map_err(|error| format!("not sent: {error}"))
        };
        let utterance = if let Some(exact) = line.strip_prefix(">>") {
            self.raw(bytes(exact)?)
        } else if let Some(text) = line.strip_prefix('>') {
            self.raw([bytes(text)?, self.end.clone()].concat())
        } else if let Some(named) = self.named(line) {
            named?
        } else {
            self.raw(
                [
                    unescape(line).map_err(|error| format!("not sent: {error}"))?,
                    self.end.clone(),
                ]
                .concat(),
            )
        };
        self.guard.admit(self.class_of(&utterance))?;
        if let Some(((description, _), request)) =
            self.known.as_ref().zip(utterance.request.as_ref())
        {
            set_points(description, request)?;
        }
        Ok(utterance)
    }

    /// A line that begins with the name of a command.
    fn named(&self, line: &str) -> Option<Result<Utterance, String>> {
        let (description, document) = self.known.as_ref()?;
        let mut words = line.split_whitespace();
        let name = words.next()?;
        document
            .command
            .iter()
            .find(|command| command.name == name)?;
        let mut request = Request::new(name);
        for word in words {
            let Some((field, text)) = word.split_once('=') else {
                return Some(Err(format!(
                    "not sent: {name} is a command of the description, and {word:?} no name=value; > before the line sends it as text"
                )));
            };
            request.args.push((field.to_owned(), text.to_owned()));
        }
        let sent = description.encode(&request);
        let sent = sent.map_err(|error| format!("not sent: {error}"));
        Some(sent.map(|tx| Utterance {
            tx,
            request: Some(request),
        }))
    }

    fn raw(&self, tx: Vec<u8>) -> Utterance {
        let known = self.known.as_ref();
        let request = known.and_then(|(description, _)| description.recognise(&tx));
        let request = request.map(|(request, _)| request);
        Utterance { tx, request }
    }

    /// What these bytes may do; `None` where nobody knows.
    fn class_of(&self, utterance: &Utterance) -> Option<Class> {
        let (description, _) = self.known.as_ref()?;
        if utterance.tx.is_empty() {
            return description.class(&utterance.request.as_ref()?.command);
        }
        // What goes out is judged, not what it was called.
        description.recognise(&utterance.tx).map(|(_, class)| class)
    }

    async fn exchange(&mut self, utterance: &Utterance) -> Exchange {
        let described = self.known.as_ref().zip(utterance.request.as_ref());
        let limits = match (&described, &self.known) {
            (Some(((description, _), request)), _) => description.limits(request),
            (None, Some((description, _))) => description.limits(&Request::new("")),
            (None, None) => RAW,
        };
        let frame = &mut |received: &[u8]| match &described {
            Some(((description, _), request)) => description.frame(request, received),
            None => Framing::NeedMore,
        };
        let tx = &utterance.tx;
        let exchange = self.port.exchange(tx, frame, limits, &self.clock).await;
        let ready_us = exchange.received_us + limits.gap_us;
        self.clock.wait_until(ready_us).await;
        exchange
    }

    /// What came while nobody asked. Waits a moment for it.
    async fn listen(&mut self) -> Option<Traffic> {
        let none = TimeLimits {
            between_bytes_us: 0,
            ..RAW
        };
        let bytes = self.port.drain(none, &self.clock).await;
        (!bytes.is_empty()).then(|| self.traffic(Direction::Unasked, self.clock.now_us(), bytes))
    }

    fn traffic(&self, direction: Direction, t_us: u64, bytes: Vec<u8>) -> Traffic {
        Traffic {
            time: self.time(t_us),
            direction,
            bytes,
            text: String::new(),
        }
    }

    fn say(&self, direction: Direction, t_us: u64, text: String) -> Traffic {
        Traffic {
            time: self.time(t_us),
            direction,
            bytes: Vec::new(),
            text,
        }
    }

    fn time(&self, t_us: u64) -> String {
        let moment = self.calendar.moment(t_us);
        moment.get(11..23).unwrap_or(&moment).to_owned()
    }

    /// An exchange in the order of the wire, with its meaning; the second is true where it
    /// failed.
    fn told(&self, utterance: &Utterance, exchange: Exchange) -> (Vec<Traffic>, bool) {
        let (sent_us, end_us) = (exchange.sent_us, exchange.received_us);
        let mut told = Vec::new();
        if !exchange.unsolicited.is_empty() {
            told.push(self.traffic(Direction::Unasked, sent_us, exchange.unsolicited));
        }
        told.push(self.traffic(Direction::Sent, sent_us, exchange.tx));
        let any = !exchange.rx.is_empty();
        if any {
            told.push(self.traffic(Direction::Received, end_us, exchange.rx.clone()));
        }
        let trouble = |text: String| self.say(Direction::Trouble, end_us, text);
        if let ExchangeOutcome::Closed { reason } = &exchange.outcome {
            told.push(trouble(format!("the port is gone: {reason}")));
            return (told, true);
        }
        let Some(((description, _), request)) = self.known.as_ref().zip(utterance.request.as_ref())
        else {
            if !any {
                told.push(trouble("nothing came".to_owned()));
            }
            return (told, false);
        };
        match description.decode(request, &exchange.rx) {
            Ok(reply) => {
                let text = meaning(&request.command, &reply);
                told.push(self.say(Direction::Meaning, end_us, text));
                (told, false)
            }
            Err(error) => {
                told.push(trouble(error.cause.to_string()));
                (told, true)
            }
        }
    }
}

fn meaning(command: &str, reply: &Reply) -> String {
    let values = reply.values.iter().map(|value| {
        let quality = value.quality.name();
        format!(
            "{} {} {} {quality}",
            value.quantity, value.digits, value.unit
        )
    });
    let texts = reply
        .texts
        .iter()
        .map(|(name, text)| format!("{name} {text:?}"));
    let said: Vec<_> = values.chain(texts).collect();
    format!(
        "{command}: {}",
        if said.is_empty() {
            "done".to_owned()
        } else {
            said.join(", ")
        }
    )
}

/// The log, and the standard output where there is no screen.
struct Shown {
    log: Option<(PathBuf, File)>,
}

/// Bytes on one line of the log and of the standard output.
const BYTES_PER_LINE: usize = 16;

impl Shown {
    fn new(arguments: &Talk, speaker: &Speaker<'_>) -> Result<Self, Failure> {
        let Some(path) = &arguments.log else {
            return Ok(Self { log: None });
        };
        let file = File::options().write(true).create_new(true).open(path);
        let file = file.map_err(|error| {
            let message = format!(
                "cannot begin the log {}: {error}; a log is never written over, choose a new name",
                path.display()
            );
            Failure::new(Exit::Write, &message)
        })?;
        let mut shown = Self {
            log: Some((path.clone(), file)),
        };
        let begun = speaker.calendar.moment(0);
        let mut head = format!("# {}, begun {begun}\n", speaker.title());
        for allowed in &arguments.guard.allow {
            head.push_str(&format!("# allowed: {allowed:?}\n").to_lowercase());
        }
        for (what, said) in [
            ("person", &arguments.guard.person),
            ("reason", &arguments.guard.reason),
        ] {
            if let Some(said) = said {
                head = format!("{head}# {what}: {}\n", said.escape_debug());
            }
        }
        shown.keep(&head)?;
        Ok(shown)
    }

    fn keep(&mut self, text: &str) -> Result<(), Failure> {
        let Some((path, file)) = &mut self.log else {
            return Ok(());
        };
        let path: &Path = path;
        file.write_all(text.as_bytes()).map_err(|error| {
            let message = format!("cannot go on with the log {}: {error}", path.display());
            Failure::new(Exit::Write, &message)
        })
    }

    /// The lines of some traffic, kept in the log.
    fn lines(&mut self, traffic: &Traffic) -> Result<String, Failure> {
        let lines = traffic.lines(BYTES_PER_LINE, usize::MAX).join("\n") + "\n";
        self.keep(&lines)?;
        Ok(lines)
    }
}

/// Lines of the standard input, one exchange each. The first one that is refused ends the
/// script: what follows may rely on it.
async fn scripted(
    speaker: &mut Speaker<'_>,
    shown: &mut Shown,
    any_failed: &Cell<bool>,
) -> Result<(), Failure> {
    let mut lines = standard_input();
    loop {
        let line = match lines.try_recv() {
            Ok(line) => Some(line.map_err(|error| Failure::new(Exit::Input, &error))?),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => break,
        };
        let told = match line
            .as_deref()
            .map(|line| line.trim_end_matches(['\r', '\n']))
        {
            Some(line) if line.trim().is_empty() => continue,
            Some(line) => {
                let utterance = speaker.understood(line);
                let utterance = utterance
                    .map_err(|reason| Failure::new(Exit::Usage, &format!("{line:?}: {reason}")))?;
                let exchange = speaker.exchange(&utterance).await;
                let gone = matches!(exchange.outcome, ExchangeOutcome::Closed { .. });
                let (told, failed) = speaker.told(&utterance, exchange);
                any_failed.set(any_failed.get() || failed);
                (told, gone)
            }
            None => (speaker.listen().await.into_iter().collect(), false),
        };
        for traffic in &told.0 {
            if !print_on(&shown.lines(traffic)?)? {
                return Ok(());
            }
        }
        if told.1 {
            return Ok(());
        }
    }
    if let Some(traffic) = speaker.listen().await {
        print_on(&shown.lines(&traffic)?)?;
    }
    Ok(())
}

fn standard_input() -> UnboundedReceiver<io::Result<String>> {
    let (sender, receiver) = unbounded_channel();
    // Ends with the program: a read of the standard input cannot be called off.
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let ended = line.is_err();
            if sender.send(line).is_err() || ended {
                return;
            }
        }
    });
    receiver
}

/// The screen: it is drawn and takes keys while a reply is waited for.
async fn typed_on_screen(
    speaker: &mut Speaker<'_>,
    shown: &mut Shown,
    screen: &mut TalkScreen,
) -> Result<(), Failure> {
    let mut waiting = VecDeque::new();
    loop {
        if !keys(screen, false, &mut waiting)? {
            return Ok(());
        }
        let Some(line) = waiting.pop_front() else {
            if let Some(traffic) = speaker.listen().await {
                shown.lines(&traffic)?;
                screen.push(traffic);
            }
            continue;
        };
        let told = match speaker.understood(&line) {
            Err(reason) => {
                let text = format!("{line}: {reason}");
                vec![speaker.say(Direction::Trouble, speaker.clock.now_us(), text)]
            }
            Ok(utterance) => {
                let exchange = {
                    let mut exchange = std::pin::pin!(speaker.exchange(&utterance));
                    loop {
                        tokio::select! {
                            made = &mut exchange => break made,
                            () = tokio::time::sleep(FRAME) => {}
                        }
                        if !keys(screen, true, &mut waiting)? {
                            return Ok(());
                        }
                    }
                };
                speaker.told(&utterance, exchange).0
            }
        };
        for traffic in told {
            shown.lines(&traffic)?;
            screen.push(traffic);
        }
    }
}

/// Draws and takes the keys; false where the person leaves.
fn keys(
    screen: &mut TalkScreen,
    is_waiting: bool,
    lines: &mut VecDeque<String>,
) -> Result<bool, Failure> {
    let typed = screen.frame(is_waiting).map_err(|error| failed(&error))?;
    for one in typed {
        match one {
            Typed::Leave => return Ok(false),
            Typed::Line(line) => lines.push_back(line),
        }
    }
    Ok(true)
}
