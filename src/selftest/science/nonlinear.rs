//! Non-linear fits of the Statistical Reference Datasets of NIST.

use super::super::case::ScienceCase;
use super::super::data;
use super::super::field::Fault;
use super::super::judge::Found;
use super::super::nonlinear::{Search, worst};
use super::super::problem::compile_text;
use super::Check;

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[("strd.nl.", certified)];

/// The models of the sets in the model language, by their names.
const MODELS: &str = include_str!("../../../fixtures/nist-strd/models.toml");

/// The minimum from both starts that the file of the data states.
pub fn certified(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs").at("data");
    let text = data::file(&place)?;
    let name = case.id.rsplit('.').next().unwrap_or_default();
    let models: toml::Table = toml::from_str(MODELS).unwrap_or_default();
    let Some(model) = models.get(name).and_then(toml::Value::as_str) else {
        let known: Vec<_> = models.keys().map(String::as_str).collect();
        let cure = format!("end it with one of {}", known.join(", "));
        return Err(case
            .root
            .at("id")
            .fault("names no set of the program", &cure));
    };
    let rows = data::rows(text);
    let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<_>>();
    let search = Search {
        model: compile_text(model, &place)?,
        output: "y".to_owned(),
        columns: vec![("x".to_owned(), column(1))],
        y: column(0),
    };
    let fits = search.fits(&starts(text));
    let answer = |leaf: &super::super::case::Leaf| {
        let number = leaf.field.number()?;
        let (group, of) = leaf.what.split_once('.').unwrap_or((&leaf.what, ""));
        let what = match group {
            "b" => "value",
            "sd" => "u",
            "rss" => "ssr",
            other => other,
        };
        let found = worst(&fits, number, |fit| search.figure(fit, of, what));
        found.ok_or_else(|| {
            let problem = format!("{:?} is not known for this topic", leaf.what);
            leaf.field
                .fault(&problem, "take b and sd of the parameters, or rss")
        })
    };
    case.expected.iter().map(answer).collect()
}

/// Of lines `b1 = start 1, start 2, certified value, certified standard deviation`.
fn starts(text: &str) -> Vec<Vec<f64>> {
    let parameter = |line: &str| {
        let (_, numbers) = line.split_once('=')?;
        let words = numbers.split_whitespace().map(str::parse::<f64>);
        let numbers = words.collect::<Result<Vec<_>, _>>().ok()?;
        (numbers.len() == 4).then_some([numbers[0], numbers[1]])
    };
    let pairs: Vec<_> = text.lines().filter_map(parameter).collect();
    let of = |which: usize| pairs.iter().map(|pair| pair[which]).collect();
    vec![of(0), of(1)]
}
