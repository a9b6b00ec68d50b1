//! Reads `fixtures/references/gum.json`.

use heng_uncertainty::{Distribution, Input};
use serde_json::Value;

pub fn cases() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/references/gum.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn case(id: &str) -> Value {
    cases().into_iter().find(|case| case["id"] == id).unwrap()
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The inputs as the fixture states them; `u` is the scale for Student's t, see its README.
pub fn inputs_of(case: &Value) -> Vec<Input> {
    let list = case["inputs"].as_array().unwrap();
    list.iter()
        .map(|input| {
            let distribution = match input["dist"].as_str().unwrap() {
                "normal" => Distribution::Normal,
                "rectangular" => Distribution::Rectangular,
                "triangular" => Distribution::Triangular,
                "arcsine" => Distribution::UShaped,
                "t" => Distribution::StudentT,
                other => panic!("{other}"),
            };
            Input {
                symbol: input["name"].as_str().unwrap().to_owned(),
                value: number(&input["value"]),
                u: number(&input["u"]),
                dof: input["dof"].as_f64().unwrap_or(f64::INFINITY),
                distribution,
            }
        })
        .collect()
}
