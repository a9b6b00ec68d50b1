//! The shipped formulas against `fixtures/references/humidity.json`.

use std::collections::BTreeMap;

use heng_uncertainty::{Input, Inputs, Library, Model, propagate, solve};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    id: String,
    inputs: BTreeMap<String, f64>,
    expected: BTreeMap<String, f64>,
    tolerance: BTreeMap<String, Value>,
}

impl Case {
    fn check(&self, quantity: &str, found: f64) {
        let wanted = self.expected[quantity];
        let limit = match (self.tolerance.get("rel"), self.tolerance.get("abs")) {
            (Some(relative), _) => relative.as_f64().unwrap() * wanted.abs(),
            (_, Some(Value::Object(each))) => each[quantity].as_f64().unwrap(),
            (_, absolute) => absolute.unwrap().as_f64().unwrap(),
        };
        assert!(
            (found - wanted).abs() <= limit,
            "{} {quantity}: {found}, wanted {wanted}",
            self.id
        );
    }

    /// Value of one expression on the inputs of the case.
    fn value(&self, expression: &str) -> f64 {
        let model = compile(&format!("y = {expression}"));
        model
            .eval("y", &|name| self.inputs.get(name).copied())
            .unwrap()
    }
}

fn compile(text: &str) -> Model {
    Model::compile(text, Library::shipped()).unwrap()
}

fn cases(prefix: &str) -> Vec<Case> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/references/humidity.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let all: Vec<Case> = serde_json::from_str(&text).unwrap();
    all.into_iter()
        .filter(|case| case.id.starts_with(prefix))
        .collect()
}

#[test]
fn saturation_vapour_pressures_agree_with_independent_evaluations() {
    let table = [
        ("pws.hardy.", "hardy_water(t_degC)", 6),
        ("psi.hardy.", "hardy_ice(t_degC)", 4),
        ("pws.sonntag.", "sonntag_water(t_degC)", 3),
        ("psi.sonntag.", "sonntag_ice(t_degC)", 2),
        ("pws.wmo.", "wmo_water(t_degC)", 3),
    ];
    for (prefix, expression, count) in table {
        let cases = cases(prefix);
        assert_eq!(cases.len(), count, "{prefix}");
        for case in cases {
            case.check("p_Pa", case.value(expression));
        }
    }
}

#[test]
fn enhancement_factors_agree_with_independent_evaluations() {
    let all = cases("f.");
    assert_eq!(all.len(), 6);
    for case in all {
        let expression = match case.id.as_str() {
            "f.hardy.ice.-10" => "hardy_f_ice(t_degC, p_Pa)",
            id if id.starts_with("f.hardy.") => "hardy_f_water(t_degC, p_Pa)",
            _ => "wmo_f(20, 100 * p_hPa)",
        };
        case.check("f", case.value(expression));
    }
}

#[test]
fn relative_humidity_from_dew_and_frost_point_and_the_frost_point_as_a_dew_point() {
    let all = cases("rh.hardy.");
    assert_eq!(all.len(), 5);
    let dew = compile("rh = hardy_rh_dew(td, 20, p)");
    for case in all {
        if case.inputs.contains_key("td_degC") {
            case.check("RH_pct", case.value("hardy_rh_dew(td_degC, t_degC, p_Pa)"));
            continue;
        }
        let rh = case.value("hardy_rh_frost(tf_degC, t_degC, p_Pa)");
        case.check("RH_pct", rh);
        let p = |name: &str| (name == "p").then_some(case.inputs["p_Pa"]);
        case.check(
            "td_degC",
            solve(&dew, "rh", "td", rh, [-50.0, 20.0], &p).unwrap(),
        );
    }
}

#[test]
fn dew_points_are_the_roots_of_the_humidity_model() {
    let table = [
        ("dew.hardy.", "rh = hardy_rh_dew(td, t_degC, p_Pa)", 4),
        (
            "dew.wmo.",
            "rh = 100 * wmo_water(td) / wmo_water(t_degC)",
            2,
        ),
    ];
    for (prefix, text, count) in table {
        let cases = cases(prefix);
        assert_eq!(cases.len(), count);
        for case in cases {
            let value_of = |name: &str| case.inputs.get(name).copied();
            let target = case.inputs["RH_pct"];
            let found = solve(&compile(text), "rh", "td", target, [-40.0, 50.0], &value_of);
            case.check("td_degC", found.unwrap());
        }
    }
}

#[test]
fn sensitivities_of_relative_humidity_at_20_degrees_and_50_percent() {
    let case = cases("rh.unc.").remove(0);
    let dew_point = compile("rh = hardy_rh_dew(td, t_degC, p_Pa)");
    let value_of = |name: &str| case.inputs.get(name).copied();
    let td = solve(&dew_point, "rh", "td", 50.0, [-40.0, 50.0], &value_of).unwrap();
    let model = compile("rh = hardy_rh_dew(td, t, p)");
    assert_eq!(model.inputs(), ["td", "t", "p"]);
    let (rh, slopes) = model.gradient("rh", &[td, 20.0, 101_325.0]).unwrap();
    assert!((rh - 50.0).abs() < 1e-9);
    case.check("dRH_dtd_pct_per_K", slopes[0]);
    case.check("dRH_dt_pct_per_K", slopes[1]);
}

#[test]
fn every_formula_states_source_titles_and_a_range_within_which_it_has_a_value() {
    let mut count = 0;
    for formula in Library::shipped().iter() {
        count += 1;
        assert!(
            formula.version >= 1 && formula.source.len() > 20,
            "{}",
            formula.name
        );
        assert!(!formula.title.en.is_empty() && !formula.title.zh.is_empty());
        let names: Vec<_> = formula.arguments.iter().map(|a| a.name.as_str()).collect();
        let model = compile(&format!("y = {}({})", formula.name, names.join(", ")));
        // Each argument over its range, the others in the middle: coefficients of a
        // certificate that are all extreme belong to no thermometer.
        for moved in &names {
            for end in [0.0, 0.5, 1.0] {
                let at = |name: &str| {
                    let argument = formula.arguments.iter().find(|a| a.name == name)?;
                    let part = if name == *moved { end } else { 0.5 };
                    Some(argument.min + part * (argument.max - argument.min))
                };
                let found = model.eval("y", &at);
                // R = 40 kΩ of a sensor of 5 kΩ: the formula inside says that it is too much.
                let is_told = !model.check_ranges(&["y"], &at).is_empty();
                assert!(found.is_ok() || is_told, "{} {moved} {end}", formula.name);
            }
        }
    }
    assert!(count >= 141, "{count}");
}

#[test]
fn water_and_ice_meet_at_the_triple_point() {
    // The formulas were fitted through 611.657 Pa; the enhancement factors differ slightly.
    for (water, ice, limit) in [
        ("hardy_water(0.01)", "hardy_ice(0.01)", 2e-6),
        ("sonntag_water(0.01)", "sonntag_ice(0.01)", 2e-6),
        ("wmo_water(0)", "wmo_ice(0)", 0.0),
        ("hardy_f_water(0, 1e5)", "hardy_f_supercooled(0, 1e5)", 4e-6),
    ] {
        let model = compile(&format!("y = {water} / {ice} - 1"));
        let difference = model.eval("y", &|_| None).unwrap();
        assert!(difference.abs() <= limit, "{water} {difference}");
    }
}

#[test]
fn a_choice_binds_the_generic_names_of_a_procedure() {
    let text = "rh = 100 * f_m(td, p) * e_m(td) / (f_a(t, p) * e_a(t))";
    let value_of = |name: &str| match name {
        "td" => Some(-5.0),
        "t" => Some(20.0),
        "p" => Some(101_325.0),
        _ => None,
    };
    let hardy = [
        ("e_water", "hardy_water"),
        ("e_ice", "hardy_ice"),
        ("f_ice", "hardy_f_ice"),
        ("f_a", "hardy_f_water"),
        ("e_a", "e_water"),
        ("f_m", "f_a"),
        ("e_m", "e_water"),
    ];
    let water = Library::shipped().bind(&hardy).unwrap();
    let model = Model::compile(text, &water).unwrap();
    assert!((model.eval("rh", &value_of).unwrap() - 18.02982).abs() < 2e-5);
    let names: Vec<_> = model.formulas().iter().map(|f| f.name.clone()).collect();
    assert_eq!(names, ["hardy_f_water", "hardy_water"]);
    // The operator's answer binds the mirror anew: to the ice formula of the same family.
    let ice = water.bind(&[("e_m", "e_ice"), ("f_m", "f_ice")]).unwrap();
    let model = Model::compile(text, &ice).unwrap();
    assert!((model.eval("rh", &value_of).unwrap() - 17.17365).abs() < 2e-5);

    let unknown = Library::shipped()
        .bind(&[("ew", "hardy_watr")])
        .unwrap_err()
        .to_string();
    assert!(
        unknown.contains("hardy_watr") && unknown.contains("hardy_water"),
        "{unknown}"
    );
    assert!(
        Library::shipped()
            .bind(&[("hardy_ice", "hardy_water")])
            .is_err()
    );
    assert!(Library::shipped().bind(&[("exp", "hardy_water")]).is_err());
}

#[test]
fn a_formula_outside_its_range_is_named_with_the_value() {
    let model = compile("rh = 100 * wmo_water(td) / wmo_water(t)");
    let at = |td: f64, t: f64| {
        move |name: &str| match name {
            "td" => Some(td),
            "t" => Some(t),
            _ => None,
        }
    };
    assert_eq!(model.check_ranges(&["rh"], &at(10.0, 20.0)), []);
    let found = model.check_ranges(&["rh"], &at(10.0, 61.5));
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "the formula wmo_water is stated for t from -45 °C to 60 °C, but was used at 61.500000 °C"
    );
    // Without the air temperature only the other call can be judged.
    let only_td = |name: &str| (name == "td").then_some(-50.0);
    assert_eq!(model.check_ranges(&["rh"], &only_td).len(), 1);
}

#[test]
fn the_budget_of_a_humidity_point_is_that_of_the_hand_calculation() {
    // Sensitivities of the case `rh.unc.20.50`: 3.3701·0.03 and 3.0985·0.015 %RH.
    let model = compile("rh = hardy_rh_dew(td, t, p)");
    let inputs = Inputs::from(vec![
        Input::normal("td", 9.27562, 0.03),
        Input::normal("t", 20.0, 0.015),
        Input::rectangular("p", 101_325.0, 20.0),
    ]);
    let budget = propagate(&model, "rh", &inputs, 0.9545).unwrap();
    assert!((budget.value - 50.0).abs() < 1e-4);
    assert!((budget.rows[0].contribution - 0.101_103).abs() < 2e-5);
    assert!((budget.rows[1].contribution - 0.046_478).abs() < 2e-5);
    let shares: f64 = budget.rows.iter().map(|row| row.share).sum();
    assert!((shares - 1.0).abs() < 1e-12);
}

#[test]
fn a_wrong_formula_file_is_refused_with_its_place() {
    let good = "name = 'a'\nversion = 1\ntitle = { en = 'A', zh = 'A' }\nsource = 's'\n\
                arguments = [{ name = 't', unit = '°C', min = 0.0, max = 1.0 }]\n\
                result_unit = 'Pa'\nbody = 'y = 2 * t'\n";
    assert!(Library::parse(&[("a.toml", good)]).is_ok());
    let table = [
        (good.replace("version = 1", "version = 'x'"), "a.toml", 2),
        (
            good.replace("unit = '°C'", "unit = 'furlong'"),
            "furlong",
            5,
        ),
        (
            good.replace("2 * t", "2 * q"),
            "`q` is neither an argument",
            1,
        ),
        (good.replace("2 * t", "a(t)"), "calls itself", 1),
        (
            good.replace("max = 1.0", "max = -1.0"),
            "range of argument \"t\" is empty",
            1,
        ),
        (good.replace("name = 'a'", "name = 'exp'"), "is taken", 1),
        (
            good.replace("'y = 2 * t'", "'y = 2 *'"),
            "expected a number",
            1,
        ),
        (
            good.replace("source = 's'\n", ""),
            "missing field `source`",
            1,
        ),
    ];
    for (text, part, line) in table {
        let found = Library::parse(&[("a.toml", &text)]).unwrap_err();
        let message = found[0].to_string();
        assert!(
            message.contains(part) && message.contains("a.toml") || message.contains("formula a"),
            "{message}"
        );
        assert!(message.contains(part), "{message}");
        assert_eq!(found[0].line, line, "{message}");
    }
    assert!(Library::parse(&[("a.toml", good), ("b.toml", good)]).is_err());
}
