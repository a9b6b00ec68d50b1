//! Replies of real instruments and of their manuals, decoded.

mod transcript;

use std::path::Path;

use heng_drivers::catalogue;
use transcript::{Exchange, Transcript, check};

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
        let quantities = model.quantities().iter();
        let reads = quantities
            .filter(|info| model.read(&[&info.name]).is_ok())
            .count();
        // A model may only be told something, and say nothing that is a reading.
        let told = |exchange: &Exchange| !exchange.values.is_empty() || reads == 0;
        let outside = |exchange: &Exchange| exchange.mark != "own" && told(exchange);
        assert!(evidence.iter().any(outside), "{}", model.id());
    }
}
