//! Replies of real instruments and of their manuals, decoded.

use std::collections::BTreeMap;
use std::path::Path;

use heng_drivers::{Framing, Request, Value, catalogue, description, escape, unescape};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transcript {
    exchange: Vec<Exchange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    command: String,
    #[serde(default)]
    args: BTreeMap<String, String>,
    #[serde(default)]
    layout: BTreeMap<String, String>,
    request: String,
    reply: String,
    mark: String,
    source: String,
    #[serde(default)]
    values: Vec<Value>,
    #[serde(default)]
    texts: BTreeMap<String, String>,
    error: Option<String>,
}

fn transcripts(id: &str) -> Vec<Exchange> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/transcripts")
        .join(id);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| {
            panic!(
                "{}: {error}: every model has a transcript",
                folder.display()
            )
        })
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        toml::from_str::<Transcript>(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .exchange
    };
    paths.iter().flat_map(read).collect()
}

/// What may differ between a source and this program: case, and the end of the line.
fn core(bytes: &[u8]) -> String {
    escape(bytes)
        .trim_end_matches("\\n")
        .trim_end_matches("\\r")
        .to_uppercase()
}

fn check(id: &str, exchange: &Exchange) {
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
            assert_eq!(
                model.frame(&request, &received),
                Framing::Complete(received.len()),
                "{place}"
            );
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

#[test]
fn every_reply_is_decoded_as_its_source_says() {
    for model in catalogue() {
        for exchange in &transcripts(model.id()) {
            check(model.id(), exchange);
        }
    }
}

#[test]
fn every_model_has_evidence_from_outside_for_its_readings() {
    for model in catalogue() {
        let evidence = transcripts(model.id());
        assert!(
            evidence
                .iter()
                .all(|exchange| ["M", "C", "L", "T", "own"].contains(&&*exchange.mark))
        );
        let outside = |exchange: &&Exchange| exchange.mark != "own" && !exchange.values.is_empty();
        assert!(
            evidence.iter().any(|exchange| outside(&exchange)),
            "{}",
            model.id()
        );
    }
}
