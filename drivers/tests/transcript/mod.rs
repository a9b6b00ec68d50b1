//! The format of a wire transcript and what must hold for every exchange in it. Also used by
//! the test of the program that writes such files.

use std::collections::BTreeMap;

use heng_drivers::{Framing, Request, Value, description, escape, unescape};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    pub exchange: Vec<Exchange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub command: String,
    #[serde(default)]
    pub args: BTreeMap<String, String>,
    #[serde(default)]
    pub layout: BTreeMap<String, String>,
    pub request: String,
    pub reply: String,
    pub mark: String,
    pub source: String,
    #[serde(default)]
    pub values: Vec<Value>,
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    pub error: Option<String>,
    /// Microseconds since the port was opened, where a log has them.
    pub sent_us: Option<u64>,
    pub received_us: Option<u64>,
}

/// What may differ between a source and this program: case, and the end of the line.
fn core(bytes: &[u8]) -> String {
    escape(bytes)
        .trim_end_matches("\\n")
        .trim_end_matches("\\r")
        .to_uppercase()
}

/// Encodes, frames and decodes one exchange and compares everything that it states.
pub fn check(id: &str, exchange: &Exchange) {
    let place = format!(
        "{id}, {:?}, {} ({})",
        exchange.reply, exchange.source, exchange.mark
    );
    let model = description(id)
        .unwrap()
        .with_layout(&exchange.layout)
        .unwrap();
    let request = Request {
        command: exchange.command.clone(),
        args: exchange.args.clone().into_iter().collect(),
    };
    if let Some((sent_us, received_us)) = exchange.sent_us.zip(exchange.received_us) {
        assert!(
            sent_us <= received_us,
            "{place}: received before it was sent"
        );
    }
    let sent = unescape(&exchange.request).unwrap();
    assert_eq!(
        core(&model.encode(&request).unwrap()),
        core(&sent),
        "{place}"
    );
    let received = unescape(&exchange.reply).unwrap();
    match (model.decode(&request, &received), &exchange.error) {
        (Ok(reply), None) => {
            assert_eq!(reply.values, exchange.values, "{place}");
            let texts: BTreeMap<_, _> = reply.texts.into_iter().collect();
            assert_eq!(texts, exchange.texts, "{place}");
            // A silence that means something has no end but the time limit.
            let silence = received.is_empty() && reply.instead.is_some();
            let ends = if silence {
                Framing::NeedMore
            } else {
                Framing::Complete(received.len())
            };
            assert_eq!(model.frame(&request, &received), ends, "{place}");
            for length in 0..received.len() {
                assert_eq!(
                    model.frame(&request, &received[..length]),
                    Framing::NeedMore,
                    "{place}"
                );
            }
        }
        (Err(error), Some(expected)) => {
            let message = error.to_string();
            assert!(message.contains(expected), "{place}: {message}");
            assert!(
                message.starts_with(&format!("{id}, command {:?}, received", exchange.command)),
                "{message}"
            );
        }
        (Ok(reply), Some(expected)) => panic!("{place}: {reply:?}, expected {expected:?}"),
        (Err(error), None) => panic!("{place}: {error}"),
    }
}
