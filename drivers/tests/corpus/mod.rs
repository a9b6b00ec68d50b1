//! Replies from the transcripts, to be damaged.

use std::collections::BTreeMap;
use std::path::Path;

use heng_drivers::{Description, Reply, Request, catalogue, unescape};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// One exchange of a transcript that ends in values or texts.
pub struct Sample {
    pub model: Description,
    pub request: Request,
    pub reply: Vec<u8>,
    /// What the reply says.
    pub said: Reply,
}

fn pairs(table: Option<&toml::Value>) -> BTreeMap<String, String> {
    let entries = table.and_then(toml::Value::as_table).into_iter().flatten();
    entries
        .map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// Every exchange of the transcripts of one model that its source calls good and that has a
/// reply.
pub fn samples(id: &str) -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/transcripts")
        .join(id);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut samples = Vec::new();
    for path in paths {
        let document: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        for exchange in document["exchange"].as_array().unwrap() {
            let reply = unescape(exchange["reply"].as_str().unwrap()).unwrap();
            if exchange.get("error").is_some() || reply.is_empty() {
                continue;
            }
            let model = heng_drivers::description(id).unwrap();
            let request = Request {
                command: exchange["command"].as_str().unwrap().to_owned(),
                args: pairs(exchange.get("args")).into_iter().collect(),
            };
            let model = model.with_layout(&pairs(exchange.get("layout"))).unwrap();
            let said = model.decode(&request, &reply).unwrap();
            samples.push(Sample {
                model,
                request,
                reply,
                said,
            });
        }
    }
    samples
}

/// Ids of all models, in the order of the catalogue.
pub fn ids() -> Vec<&'static str> {
    catalogue().iter().map(Description::id).collect()
}

/// Damages each byte with a probability of `per_million`: a bit inverted, the byte replaced,
/// left out, or another one put in front of it, each as likely as the others.
pub fn damage(reply: &[u8], per_million: u32, random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut damaged = Vec::with_capacity(reply.len() + 4);
    for &byte in reply {
        let draw = random.next_u32();
        if (u64::from(draw) * 1_000_000) >> 32 >= u64::from(per_million) {
            damaged.push(byte);
            continue;
        }
        let [other, bit, kind, _] = random.next_u32().to_le_bytes();
        match kind % 4 {
            0 => damaged.push(byte ^ (1 << (bit % 8))),
            1 => damaged.push(other),
            2 => {}
            _ => damaged.extend([other, byte]),
        }
    }
    damaged
}
