//! Serial ports: one request, one reply, with time limits and an account of every byte.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};

use crate::clock::Clock;
use crate::line::{LineSettings, Parity};
use crate::reply::{Framing, TimeLimits};

/// Silence after which a line counts as drained, where the caller has no longer gap.
const QUIET: Duration = Duration::from_millis(40);

const GONE: &str = "the port has disappeared";

/// A port and how to open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortSettings {
    pub path: String,
    pub line: LineSettings,
}

/// An open serial port, held exclusively.
#[derive(Debug)]
pub struct Port {
    stream: SerialStream,
    settings: PortSettings,
    /// The last exchange failed: what still arrives belongs to it, not to the next one.
    stale: bool,
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
}

/// A serial port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    pub path: String,
    /// Maker, product and serial number of a USB adapter, as far as it says so.
    pub adapter: String,
}

/// The serial ports of this machine, by path. Empty where the machine does not tell.
pub fn ports() -> Vec<PortInfo> {
    let mut ports: Vec<_> = serialport::available_ports()
        .unwrap_or_default()
        .into_iter()
        .map(|port| {
            let adapter = match port.port_type {
                serialport::SerialPortType::UsbPort(usb) => {
                    [usb.manufacturer, usb.product, usb.serial_number]
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>()
                        .join(" ")
                }
                _ => String::new(),
            };
            PortInfo {
                path: port.port_name,
                adapter,
            }
        })
        .collect();
    ports.sort_by(|a, b| a.path.cmp(&b.path));
    ports
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
    #[expect(
        clippy::unused_async,
        reason = "registers with the runtime, and other transports connect here"
    )]
    pub async fn open(settings: &PortSettings) -> Result<Self, PortError> {
        let line = settings.line;
        let builder = tokio_serial::new(&settings.path, line.baud)
            .data_bits(if line.data_bits == 7 {
                tokio_serial::DataBits::Seven
            } else {
                tokio_serial::DataBits::Eight
            })
            .stop_bits(if line.stop_bits == 2 {
                tokio_serial::StopBits::Two
            } else {
                tokio_serial::StopBits::One
            })
            .parity(parity(line.parity))
            .flow_control(tokio_serial::FlowControl::None)
            .exclusive(true);
        let open = |error: tokio_serial::Error| PortError::Open {
            path: settings.path.clone(),
            line,
            reason: error.to_string(),
        };
        let stream = builder.open_native_async().map_err(open)?;
        let port = Self {
            stream,
            settings: settings.clone(),
            stale: true,
        };
        port.read_settings_back()?;
        Ok(port)
    }

    fn read_settings_back(&self) -> Result<(), PortError> {
        let line = self.settings.line;
        let check = |setting, expected: String, found: tokio_serial::Result<String>| {
            let found = found.unwrap_or_else(|error| error.to_string());
            if found == expected {
                return Ok(());
            }
            Err(PortError::Setting {
                path: self.settings.path.clone(),
                line,
                setting,
                found,
            })
        };
        let bits = |bits: u8| if bits == 7 { "Seven" } else { "Eight" }.to_owned();
        let stop = |stop: u8| if stop == 2 { "Two" } else { "One" }.to_owned();
        check(
            "the rate",
            line.baud.to_string(),
            self.stream.baud_rate().map(|rate| rate.to_string()),
        )?;
        check(
            "the number of data bits",
            bits(line.data_bits),
            self.stream.data_bits().map(|bits| format!("{bits:?}")),
        )?;
        check(
            "the parity",
            format!("{:?}", parity(line.parity)),
            self.stream.parity().map(|parity| format!("{parity:?}")),
        )?;
        check(
            "the number of stop bits",
            stop(line.stop_bits),
            self.stream.stop_bits().map(|bits| format!("{bits:?}")),
        )
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
        frame: &mut dyn FnMut(&[u8]) -> Framing,
        limits: TimeLimits,
        clock: &dyn Clock,
    ) -> Exchange {
        let (unsolicited, gone) = if self.stale {
            self.collect_until_quiet(QUIET.max(clock.real_gap(limits.gap_us)))
                .await
        } else {
            self.waiting()
        };
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
        exchange
    }

    /// Reads until the line has been silent for the gap of `limits`; gives what came.
    pub async fn drain(&mut self, limits: TimeLimits, clock: &dyn Clock) -> Vec<u8> {
        let gap = limits.gap_us.max(limits.between_bytes_us);
        let (bytes, _) = self
            .collect_until_quiet(QUIET.max(clock.real_gap(gap)))
            .await;
        clock.spent(gap + self.settings.line.wire_us(bytes.len()));
        self.stale = false;
        bytes
    }

    async fn send(&mut self, tx: &[u8], limit: Duration) -> std::io::Result<()> {
        let write = timeout(limit.max(QUIET), self.stream.write_all(tx)).await;
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
        frame: &mut dyn FnMut(&[u8]) -> Framing,
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
        let only_line_ends = exchange
            .unsolicited
            .iter()
            .all(|byte| matches!(byte, b'\r' | b'\n'));
        self.stale = exchange.outcome != ExchangeOutcome::Complete || !only_line_ends;
    }

    /// What has arrived already.
    fn waiting(&mut self) -> (Vec<u8>, Option<String>) {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 512]);
        loop {
            match self.stream.try_read(&mut buffer) {
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
        match timeout(limit, self.stream.read(&mut buffer)).await {
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

fn parity(parity: Parity) -> tokio_serial::Parity {
    match parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    }
}
