//! Thermometers: the named formulas of the program, and the models of their calibration.

use heng_uncertainty::{CalibrationError, thermistor_calibration};
use heng_uncertainty::{Library, Model, Thermistor, TriplePoint, sprt_calibration};

use super::super::case::ScienceCase;
use super::super::field::{Fault, Field};
use super::super::judge::Found;
use super::{Check, by_name, number_or_refusal};

/// Beginnings of ids, and what answers them.
pub const CHECKS: &[(&str, Check)] = &[
    ("its90.wr.", |case| {
        evaluate(case, "Wr", "its90_wr(t90_degC)")
    }),
    ("its90.t.", |case| evaluate(case, "t90_degC", "its90_t(Wr)")),
    ("its90.dev.", deviation),
    ("its90.sprt.ipq.", |case| {
        evaluate(case, "t90_degC", "its90_sr7_t(R_ohm / R_tpw_ohm, a, b, c)")
    }),
    ("its90.sprt.isotech.sr7", calibration),
    ("its90.prop.", sensitivities),
    ("iec60751.R.", |case| {
        evaluate(case, "R_ohm", "iec60751_r(t_degC, R0_ohm)")
    }),
    ("iec60751.t.", |case| {
        evaluate(case, "t_degC", "iec60751_t(R_ohm, R0_ohm)")
    }),
    ("iec60751.tol", tolerances),
    ("cvd.msl.R.", |case| {
        evaluate(case, "R_ohm", "cvd_r(t_degC, R0, A, B, C, 0)")
    }),
    ("cvd.msl.t.", |case| {
        evaluate(case, "t_degC", "cvd_t(R_ohm, R0, A, B, C, 0)")
    }),
    ("cvd.msl.rh", stated_equation),
    ("thermistor.sh.t.", |case| {
        evaluate(case, "t_degC", "steinhart_hart_t(R_ohm, A, B, C)")
    }),
    ("thermistor.sh.fit3", thermistor),
    ("tc.", |case| thermocouple(case, "E_mV", "e(t_degC)")),
    ("tc.K.cjc", |case| {
        evaluate(case, "t_degC", "tc_k_t(E_measured_mV + tc_k_e(t_ref_degC))")
    }),
    ("tcinv.", |case| thermocouple(case, "t_degC", "t(E_mV)")),
];

fn compile(case: &ScienceCase, text: &str) -> Result<Model, Fault> {
    Model::compile(text, Library::shipped()).map_err(|findings| {
        let problem = findings
            .first()
            .map_or_else(String::new, ToString::to_string);
        case.root
            .fault(&problem, "this check of the program is broken: report it")
    })
}

/// The one expected quantity by an expression in the names of `inputs`.
fn evaluate(case: &ScienceCase, quantity: &str, expression: &str) -> Result<Vec<Found>, Fault> {
    let model = compile(case, &format!("y = {expression}"))?;
    let place = case.root.at("inputs");
    let names = model.inputs().iter();
    let values = names.map(|name| Ok((name.as_str(), place.at(name).number()?)));
    let values = values.collect::<Result<Vec<_>, Fault>>()?;
    let value_of = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    };
    let found = number_or_refusal(model.eval("y", &value_of));
    by_name(case, quantity, |what| {
        (what == quantity).then(|| found.clone())
    })
}

/// `its90.dev.sr4.…`: the printed deviations belong to the reference ratio, not to W.
fn deviation(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let expression = match case.id.split('.').nth(2) {
        Some("sr4") => "its90_sr4_dev(its90_wr_low(t90_degC), a, b)",
        _ => "its90_sr7_dev(its90_wr_high(t90_degC), a, b, c)",
    };
    evaluate(case, "deltaW", expression)
}

fn thermocouple(case: &ScienceCase, quantity: &str, rest: &str) -> Result<Vec<Found>, Fault> {
    let letter = case.root.at("inputs").at("type").text()?.to_lowercase();
    evaluate(case, quantity, &format!("tc_{letter}_{rest}"))
}

fn calibrated(case: &ScienceCase, text: Result<String, CalibrationError>) -> Result<Model, Fault> {
    let text = text.map_err(|error| {
        let place = case.root.at("inputs");
        place.fault(&error.to_string(), "give the points of the sub-range")
    })?;
    compile(case, &text)
}

/// Values of the inputs `R[1]`, `t[1]`, … of a calibration.
fn point_of(name: &str, resistances: &[f64], temperatures: &[f64]) -> Option<f64> {
    let (series, rest) = name.split_once('[')?;
    let index: usize = rest.trim_end_matches(']').parse().ok()?;
    let list = if series == "R" {
        resistances
    } else {
        temperatures
    };
    list.get(index.checked_sub(1)?).copied()
}

/// Coefficients of a standard thermometer from resistances at tin, zinc and aluminium.
fn calibration(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let points = place.at("points").list()?;
    let column = |name: &str| {
        let numbers = points.iter().map(|point: &Field| point.at(name).number());
        numbers.collect::<Result<Vec<_>, _>>()
    };
    let (resistances, temperatures) = (column("R_ohm")?, column("t90_degC")?);
    let tpw = place.at("R_tpw_ohm").number()?;
    let model = calibrated(case, sprt_calibration(7, points.len(), TriplePoint::Once))?;
    let value_of = |name: &str| match name {
        "R_tpw" => Some(tpw),
        _ => point_of(name, &resistances, &temperatures),
    };
    by_name(case, "a, b or c", |what| {
        ["a", "b", "c"]
            .contains(&what)
            .then(|| number_or_refusal(model.eval(what, &value_of)))
    })
}

/// What a temperature feels of a wrong tin or zinc point.
fn sensitivities(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    /// Temperatures of the points in °C, ITS-90, table 1.
    const POINTS: [f64; 2] = [231.928, 419.527];
    let place = case.root.at("inputs");
    let [t, a, b] = ["t90_degC", "a", "b"].map(|name| place.at(name).number());
    let (t, a, b) = (t?, a?, b?);
    let text = sprt_calibration(8, 2, TriplePoint::Once)
        .map(|text| text + "t_x = its90_sr8_t(R_x / R_tpw, a, b)\n");
    let model = calibrated(case, text)?;
    let w = compile(case, "W = its90_sr8_w(t, a, b)")?;
    let ratio = |t: f64| {
        w.eval("W", &|name| match name {
            "t" => Some(t),
            "a" => Some(a),
            _ => Some(b),
        })
    };
    let slopes = || {
        let [tin, zinc] = POINTS;
        let at = [ratio(tin)?, ratio(zinc)?, tin, zinc, 1.0, ratio(t)?];
        model.gradient("t_x", &at).map(|(_, slopes)| slopes)
    };
    by_name(case, "c_Sn or c_Zn", |what| {
        let input = ["t[1]", "t[2]"][["c_Sn", "c_Zn"].iter().position(|name| *name == what)?];
        let at = model.inputs().iter().position(|name| name == input)?;
        Some(number_or_refusal(slopes().map(|slopes| slopes[at])))
    })
}

fn tolerances(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let t = case.root.at("inputs").at("t_degC").number()?;
    let class = |name: &str| format!("{name} = iec60751_tol_{}_wire(t)\n", name.to_lowercase());
    let text: String = ["AA", "A", "B", "C"].map(class).concat();
    let model = compile(case, &text)?;
    by_name(case, "AA, A, B or C", |what| {
        let known = model.outputs().iter().any(|output| output == what);
        known.then(|| number_or_refusal(model.eval(what, &|_| Some(t))))
    })
}

/// An equation that the case states itself.
fn stated_equation(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let equation = case.root.at("inputs").at("equation").text()?;
    evaluate(case, "value", equation)
}

fn thermistor(case: &ScienceCase) -> Result<Vec<Found>, Fault> {
    let place = case.root.at("inputs");
    let (resistances, temperatures) = (place.at("R_ohm").numbers()?, place.at("t_degC").numbers()?);
    let text = thermistor_calibration(Thermistor::SteinhartHart, resistances.len());
    let model = calibrated(case, text)?;
    let value_of = |name: &str| point_of(name, &resistances, &temperatures);
    by_name(case, "A, B or C", |what| {
        ["A", "B", "C"]
            .contains(&what)
            .then(|| number_or_refusal(model.eval(what, &value_of)))
    })
}
