//! Serial and networked ports: one request, one reply, with time limits and an account of every byte.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};

use crate::clock::Clock;
use crate::line::{Flow, LineSettings, Parity};
use crate::reply::{Framing, TimeLimits};

/// Silence after which a line counts as drained, where the caller has no longer gap.
const QUIET: Duration = Duration::from_millis(40);

/// How long a networked port may take to accept.
const CONNECT: Duration = Duration::from_secs(5);

/// For how many times the limit of the whole exchange a reply that did not come is expected.
const OWED: u64 = 3;

const GONE: &str = "the port has disappeared";

/// What stands in front of host and port of a serial server or a networked instrument.
const TCP: &str = "tcp:";

/// A port and how to open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortSettings {
    /// Path of a serial port, or `tcp:HOST:PORT`; there the line is that of the server.
    pub path: String,
    pub line: LineSettings,
    /// Serial number of the USB adapter: the port is where this adapter is plugged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// Levels of the modem lines, where the instrument needs them (some take their supply
    /// from there); none leaves a line as the system sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtr: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rts: Option<bool>,
}

impl PortSettings {
    #[must_use]
    pub fn new(path: &str, line: LineSettings) -> Self {
        Self {
            path: path.to_owned(),
            line,
            adapter: None,
            dtr: None,
            rts: None,
        }
    }
}

/// The bytes of a port, whatever carries them.
#[derive(Debug)]
enum Wire {
    Serial(SerialStream),
    Tcp(TcpStream),
    /// A simulated instrument in the same program.
    Memory(DuplexStream),
}

/// An open port, held exclusively.
#[derive(Debug)]
pub struct Port {
    wire: Wire,
    settings: PortSettings,
    /// The last exchange failed: what still arrives belongs to it, not to the next one.
    stale: bool,
    /// A reply did not come in time. Until the first time nothing new is asked, until the
    /// second one every reply may be that one.
    hushed_until_us: u64,
    owed_until_us: u64,
    /// When the last byte passed, and the silence that its instrument needs.
    last_us: u64,
    last_gap_us: u64,
}

/// One request and everything that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub tx: Vec<u8>,
    /// The bytes of the reply, complete or not.
    pub rx: Vec<u8>,
    /// Bytes that belong to no reply: waiting before the request, or beyond its end.
    pub unsolicited: Vec<u8>,
    /// When the request was handed to the line.
    pub sent_us: u64,
    /// When the last byte of the reply had come, or the limit had passed.
    pub received_us: u64,
    pub outcome: ExchangeOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeOutcome {
    Complete,
    TimedOut,
    /// The port is gone; open it again.
    Closed {
        reason: String,
    },
}

impl Exchange {
    /// What is said of a request where there is no port to send it to.
    #[must_use]
    pub fn not_open(tx: &[u8], now_us: u64) -> Self {
        let reason = "the port is not open".to_owned();
        Self {
            tx: tx.to_vec(),
            rx: Vec::new(),
            unsolicited: Vec::new(),
            sent_us: now_us,
            received_us: now_us,
            outcome: ExchangeOutcome::Closed { reason },
        }
    }
}

/// Why a port cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    #[error(
        "{path}: cannot be opened at {line}: {reason}; check the path, that no other program holds it, and your right to use it"
    )]
    Open {
        path: String,
        line: LineSettings,
        reason: String,
    },
    #[error(
        "{path}: {setting} is {found} although {line} was set: the adapter (or a pseudo-terminal) does not support it, use another adapter"
    )]
    Setting {
        path: String,
        line: LineSettings,
        setting: &'static str,
        found: String,
    },
    #[error(
        "{path}: {modem_line} cannot be set as the instrument needs it: {reason}; use an adapter that has it"
    )]
    ModemLine {
        path: String,
        modem_line: &'static str,
        reason: String,
    },
    #[error(
        "no adapter with the serial number {adapter:?} is plugged in, or more than one: plug it in, or correct the bench"
    )]
    NoAdapter { adapter: String },
}

/// A serial port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    pub path: String,
    /// Maker, product and serial number of a USB adapter, as far as it says so.
    pub adapter: String,
    /// Serial number of a USB adapter: what a bench names to find it wherever it is.
    pub serial: Option<String>,
}

/// The serial ports of this machine, by path. Empty where the machine does not tell.
pub fn ports() -> Vec<PortInfo> {
    let mut ports: Vec<_> = serialport::available_ports()
        .unwrap_or_default()
        .into_iter()
        .map(|port| {
            let (adapter, serial) = match port.port_type {
                serialport::SerialPortType::UsbPort(usb) => {
                    let serial = usb.serial_number.clone();
                    let words = [usb.manufacturer, usb.product, usb.serial_number];
                    let words: Vec<_> = words.into_iter().flatten().collect();
                    (words.join(" "), serial)
                }
                _ => (String::new(), None),
            };
            PortInfo {
                path: port.port_name,
                adapter,
                serial,
            }
        })
        .collect();
    ports.sort_by(|a, b| a.path.cmp(&b.path));
    ports
}

/// Knows under which path an adapter is found now: a USB adapter that was unplugged may
/// come back under another one.
pub trait Adapters: Send + Sync {
    /// Where the adapter with that serial number is; none where it is not plugged in.
    fn find(&self, serial: &str) -> Option<Whereabouts>;
}

/// Where an adapter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    pub path: String,
    /// What people call the port.
    pub name: String,
}

/// The USB adapters of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct UsbAdapters;

impl Adapters for UsbAdapters {
    fn find(&self, serial: &str) -> Option<Whereabouts> {
        let ports = ports().into_iter();
        let mut found = ports.filter(|port| port.serial.as_deref() == Some(serial));
        // Two adapters of one number are none: which of them is meant cannot be known.
        let only = found.next().filter(|_| found.next().is_none())?;
        Some(Whereabouts {
            name: only.path.clone(),
            path: only.path,
        })
    }
}

/// How waiting for the next bytes ended.
enum Arrival {
    Bytes,
    Silence,
    Gone(String),
}

impl Port {
    /// Opens the port exclusively, sets the line and reads the settings back: some adapters
    /// and every pseudo-terminal keep 8N1 whatever is asked for.
    ///
    /// # Errors
    /// [`PortError`] where it cannot be opened or keeps other settings.
    pub async fn open(settings: &PortSettings) -> Result<Self, PortError> {
        let wire = match settings.path.strip_prefix(TCP) {
            Some(host) => {
                let stream = timeout(CONNECT, TcpStream::connect(host)).await;
                let stream = stream.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
                let stream = stream.and_then(|stream| {
                    // A request is small, and its reply is waited for.
                    stream.set_nodelay(true)?;
                    Ok(stream)
                });
                Wire::Tcp(stream.map_err(|error| cannot_open(settings, &error))?)
            }
            None => Wire::Serial(open_serial(settings)?),
        };
        Ok(Self::on(wire, settings.clone()))
    }

    /// A port whose other end is in the same program, such as
    /// [`crate::Laboratory::attach_in_memory`] gives.
    #[must_use]
    pub fn over(stream: DuplexStream, settings: PortSettings) -> Self {
        Self::on(Wire::Memory(stream), settings)
    }

    fn on(wire: Wire, settings: PortSettings) -> Self {
        Self {
            wire,
            settings,
            stale: true,
            hushed_until_us: 0,
            owed_until_us: 0,
            last_us: 0,
            last_gap_us: 0,
        }
    }

    pub fn settings(&self) -> &PortSettings {
        &self.settings
    }

    /// Sends `tx` and collects the reply until `frame` finds its end. Never repeats: that
    /// is the caller's decision. After a failure the next exchange first lets the line fall
    /// silent, so that a late reply is never taken for the answer to another question.
    pub async fn exchange(
        &mut self,
        tx: &[u8],
        frame: &mut (dyn FnMut(&[u8]) -> Framing + Send),
        limits: TimeLimits,
        clock: &dyn Clock,
    ) -> Exchange {
        let (unsolicited, gone) = self.quiet_line(limits, clock).await;
        let before = unsolicited.len();
        let sent_us = clock.now_us();
        let mut exchange = Exchange {
            tx: tx.to_vec(),
            rx: Vec::new(),
            unsolicited,
            sent_us,
            received_us: sent_us,
            outcome: ExchangeOutcome::Complete,
        };
        if let Some(reason) = gone {
            exchange.outcome = ExchangeOutcome::Closed { reason };
        } else if let Err(error) = self.send(tx, clock.real_limit(limits.total_us)).await {
            exchange.outcome = ExchangeOutcome::Closed {
                reason: error.to_string(),
            };
        } else {
            self.receive(&mut exchange, frame, limits, clock).await;
        }
        self.account(&mut exchange, limits, clock);
        match exchange.outcome {
            ExchangeOutcome::Complete if sent_us < self.owed_until_us => {
                self.listen_on(&mut exchange, before, limits, clock).await;
            }
            ExchangeOutcome::TimedOut | ExchangeOutcome::Closed { .. } => {
                self.hushed_until_us = sent_us.saturating_add(limits.total_us);
                self.owed_until_us = sent_us.saturating_add(OWED * limits.total_us);
            }
            ExchangeOutcome::Complete => {}
        }
        exchange
    }

    /// What the line still owes, for the port that is opened in the place of this one.
    pub(crate) const fn debt(&self) -> (u64, u64) {
        (self.hushed_until_us, self.owed_until_us)
    }

    /// Replies to requests of an earlier port may still come.
    pub(crate) const fn owing(&mut self, debt: (u64, u64)) {
        (self.hushed_until_us, self.owed_until_us) = debt;
    }

    /// The last reply made no sense: what belongs to it may still be on its way.
    pub(crate) const fn distrust(&mut self) {
        self.stale = true;
    }

    /// Waits until the line may be used: after a failure until it has fallen silent, else for
    /// the silence that the last instrument on it and the next one need, from the last byte.
    async fn quiet_line(
        &mut self,
        limits: TimeLimits,
        clock: &dyn Clock,
    ) -> (Vec<u8>, Option<String>) {
        let gap_us = self.last_gap_us.max(limits.gap_us);
        let quiet = QUIET.max(clock.real_gap(gap_us));
        if self.stale {
            let (mut bytes, mut gone) = self.collect_until_quiet(quiet).await;
            while gone.is_none() && clock.now_us() < self.hushed_until_us {
                let rest_us = self.hushed_until_us - clock.now_us();
                match self
                    .arrival(&mut bytes, Duration::from_micros(rest_us))
                    .await
                {
                    Arrival::Bytes => {}
                    Arrival::Silence => break,
                    Arrival::Gone(reason) => gone = Some(reason),
                }
            }
            return (bytes, gone);
        }
        let free_us = self.last_us.saturating_add(gap_us);
        if self.last_us > 0 && free_us > clock.now_us() {
            clock.wait_until(free_us).await;
        }
        let (mut bytes, gone) = self.waiting();
        if gone.is_some() || only_line_ends(&bytes) {
            return (bytes, gone);
        }
        let (more, gone) = self.collect_until_quiet(quiet).await;
        bytes.extend(more);
        (bytes, gone)
    }

    /// A reply is owed by an earlier request, so what came may be that one. The instrument
    /// that was asked answers within its limit: where a second reply comes in that time,
    /// neither is taken. `before` bytes had come before the request.
    async fn listen_on(
        &mut self,
        exchange: &mut Exchange,
        before: usize,
        limits: TimeLimits,
        clock: &dyn Clock,
    ) {
        let limit_us = limits.first_byte_us;
        let (bytes, gone) = self
            .collect_until_quiet(QUIET.max(clock.real_gap(limit_us)))
            .await;
        clock.spent(limit_us);
        let beyond = exchange.unsolicited.split_off(before);
        let more = [beyond, bytes].concat();
        if let Some(reason) = gone {
            exchange.outcome = ExchangeOutcome::Closed { reason };
        } else if !only_line_ends(&more) {
            let first = std::mem::take(&mut exchange.rx);
            exchange.unsolicited.extend(first);
            exchange.outcome = ExchangeOutcome::TimedOut;
            exchange.received_us = clock.now_us();
            self.stale = true;
            // Both have come.
            self.owed_until_us = 0;
        }
        exchange.unsolicited.extend(more);
        self.last_us = clock.now_us();
    }

    /// Reads until the line has been silent for the gap of `limits`; gives what came.
    pub async fn drain(&mut self, limits: TimeLimits, clock: &dyn Clock) -> Vec<u8> {
        let gap = limits.gap_us.max(limits.between_bytes_us);
        let (bytes, _) = self
            .collect_until_quiet(QUIET.max(clock.real_gap(gap)))
            .await;
        clock.spent(gap + self.settings.line.wire_us(bytes.len()));
        self.stale = clock.now_us() < self.hushed_until_us;
        bytes
    }

    async fn send(&mut self, tx: &[u8], limit: Duration) -> std::io::Result<()> {
        let write = async {
            match &mut self.wire {
                Wire::Serial(stream) => stream.write_all(tx).await,
                Wire::Tcp(stream) => stream.write_all(tx).await,
                Wire::Memory(stream) => stream.write_all(tx).await,
            }
        };
        let write = timeout(limit.max(QUIET), write).await;
        write.unwrap_or_else(|_| {
            Err(std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                "the line does not take bytes",
            ))
        })
    }

    async fn receive(
        &mut self,
        exchange: &mut Exchange,
        frame: &mut (dyn FnMut(&[u8]) -> Framing + Send),
        limits: TimeLimits,
        clock: &dyn Clock,
    ) {
        let silent = matches!(frame(&[]), Framing::Complete(0));
        if silent {
            // Nothing may come, and an instrument needs its gap to take the command in.
            let (bytes, gone) = self
                .collect_until_quiet(QUIET.max(clock.real_gap(limits.gap_us)))
                .await;
            exchange.rx = bytes;
            if let Some(reason) = gone {
                exchange.outcome = ExchangeOutcome::Closed { reason };
            }
            return;
        }
        let end = Instant::now() + clock.real_limit(limits.total_us);
        let mut limit = clock.real_limit(limits.first_byte_us);
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            match self.arrival(&mut exchange.rx, limit.min(rest)).await {
                Arrival::Bytes => {}
                Arrival::Silence => {
                    exchange.outcome = ExchangeOutcome::TimedOut;
                    return;
                }
                Arrival::Gone(reason) => {
                    exchange.outcome = ExchangeOutcome::Closed { reason };
                    return;
                }
            }
            if let Framing::Complete(length) = frame(&exchange.rx) {
                let beyond = exchange.rx.split_off(length.min(exchange.rx.len()));
                exchange.unsolicited.extend(beyond);
                return;
            }
            limit = clock.real_limit(limits.between_bytes_us);
        }
    }

    /// Charges the clock, stamps the end and remembers whether the line is in step.
    fn account(&mut self, exchange: &mut Exchange, limits: TimeLimits, clock: &dyn Clock) {
        let wire_us = self
            .settings
            .line
            .wire_us(exchange.tx.len() + exchange.rx.len());
        let spent = match exchange.outcome {
            ExchangeOutcome::Complete => wire_us + limits.latency_us,
            ExchangeOutcome::TimedOut | ExchangeOutcome::Closed { .. } => limits.total_us,
        };
        clock.spent(spent);
        exchange.received_us = clock.now_us();
        clock.spent(limits.gap_us);
        (self.last_us, self.last_gap_us) = (exchange.received_us, limits.gap_us);
        self.stale =
            exchange.outcome != ExchangeOutcome::Complete || !only_line_ends(&exchange.unsolicited);
    }

    /// What has arrived already.
    fn waiting(&mut self) -> (Vec<u8>, Option<String>) {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 512]);
        loop {
            let read = match &mut self.wire {
                Wire::Serial(stream) => stream.try_read(&mut buffer),
                Wire::Tcp(stream) => stream.try_read(&mut buffer),
                Wire::Memory(stream) => try_read(stream, &mut buffer),
            };
            match read {
                Ok(0) => return (bytes, Some(GONE.to_owned())),
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    return (bytes, None);
                }
                Err(error) => return (bytes, Some(error.to_string())),
            }
        }
    }

    /// Everything that arrives until nothing has for `quiet`.
    async fn collect_until_quiet(&mut self, quiet: Duration) -> (Vec<u8>, Option<String>) {
        let mut bytes = Vec::new();
        // A line that never falls silent must not hold the session for ever.
        let end = Instant::now() + quiet * 20 + QUIET;
        while Instant::now() < end {
            match self.arrival(&mut bytes, quiet).await {
                Arrival::Bytes => {}
                Arrival::Silence => break,
                Arrival::Gone(reason) => return (bytes, Some(reason)),
            }
        }
        (bytes, None)
    }

    async fn arrival(&mut self, bytes: &mut Vec<u8>, limit: Duration) -> Arrival {
        let mut buffer = [0; 512];
        let read = async {
            match &mut self.wire {
                Wire::Serial(stream) => stream.read(&mut buffer).await,
                Wire::Tcp(stream) => stream.read(&mut buffer).await,
                Wire::Memory(stream) => stream.read(&mut buffer).await,
            }
        };
        match timeout(limit, read).await {
            Err(_) => Arrival::Silence,
            Ok(Ok(0)) => Arrival::Gone(GONE.to_owned()),
            Ok(Ok(count)) => {
                bytes.extend_from_slice(&buffer[..count]);
                Arrival::Bytes
            }
            Ok(Err(error)) => Arrival::Gone(error.to_string()),
        }
    }
}

/// What lies in the pipe already.
fn try_read(stream: &mut DuplexStream, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut buffer = ReadBuf::new(buffer);
    let mut context = Context::from_waker(Waker::noop());
    match Pin::new(stream).poll_read(&mut context, &mut buffer) {
        Poll::Pending => Err(std::io::ErrorKind::WouldBlock.into()),
        Poll::Ready(read) => read.map(|()| buffer.filled().len()),
    }
}

fn only_line_ends(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

fn cannot_open(settings: &PortSettings, reason: &dyn std::fmt::Display) -> PortError {
    PortError::Open {
        path: settings.path.clone(),
        line: settings.line,
        reason: reason.to_string(),
    }
}

fn open_serial(settings: &PortSettings) -> Result<SerialStream, PortError> {
    let line = settings.line;
    let mut stream = tokio_serial::new(&settings.path, line.baud)
        .data_bits(data_bits(line))
        .stop_bits(stop_bits(line))
        .parity(parity(line))
        .flow_control(flow_control(line))
        .exclusive(true)
        .open_native_async()
        .map_err(|error| cannot_open(settings, &error))?;
    read_settings_back(settings, &stream)?;
    let refused = |modem_line| {
        move |error: tokio_serial::Error| PortError::ModemLine {
            path: settings.path.clone(),
            modem_line,
            reason: format!("the port has no modem lines, or not this one ({error})"),
        }
    };
    if let Some(level) = settings.dtr {
        stream
            .write_data_terminal_ready(level)
            .map_err(refused("DTR"))?;
    }
    if let Some(level) = settings.rts {
        stream
            .write_request_to_send(level)
            .map_err(refused("RTS"))?;
    }
    Ok(stream)
}

fn read_settings_back(settings: &PortSettings, stream: &SerialStream) -> Result<(), PortError> {
    let line = settings.line;
    let check = |setting, due: String, found: tokio_serial::Result<String>| {
        let found = found.unwrap_or_else(|error| error.to_string());
        if found == due {
            return Ok(());
        }
        Err(PortError::Setting {
            path: settings.path.clone(),
            line,
            setting,
            found,
        })
    };
    check(
        "the rate",
        line.baud.to_string(),
        stream.baud_rate().map(|rate| rate.to_string()),
    )?;
    check(
        "the number of data bits",
        format!("{:?}", data_bits(line)),
        stream.data_bits().map(|bits| format!("{bits:?}")),
    )?;
    check(
        "the parity",
        format!("{:?}", parity(line)),
        stream.parity().map(|parity| format!("{parity:?}")),
    )?;
    check(
        "the number of stop bits",
        format!("{:?}", stop_bits(line)),
        stream.stop_bits().map(|bits| format!("{bits:?}")),
    )?;
    check(
        "the flow control",
        format!("{:?}", flow_control(line)),
        stream.flow_control().map(|flow| format!("{flow:?}")),
    )
}

fn data_bits(line: LineSettings) -> tokio_serial::DataBits {
    match line.data_bits {
        7 => tokio_serial::DataBits::Seven,
        _ => tokio_serial::DataBits::Eight,
    }
}

fn stop_bits(line: LineSettings) -> tokio_serial::StopBits {
    match line.stop_bits {
        2 => tokio_serial::StopBits::Two,
        _ => tokio_serial::StopBits::One,
    }
}

fn parity(line: LineSettings) -> tokio_serial::Parity {
    match line.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    }
}

fn flow_control(line: LineSettings) -> tokio_serial::FlowControl {
    match line.flow {
        Flow::None => tokio_serial::FlowControl::None,
        Flow::XonXoff => tokio_serial::FlowControl::Software,
        Flow::RtsCts => tokio_serial::FlowControl::Hardware,
    }
}
