//! Least-squares fits of the engine's cases.

use heng_uncertainty::{
    CoordinateScatter, Fit, Input, Inputs, Library, Model, Polynomial, Reading, Scatter,
    line_of_uncertain_points, linear_fit, propagate,
};

use super::case::{EngineCase, Expected};
use super::field::Fault;
use super::judge::Found;

type Number = Result<f64, String>;

fn text<T, E: ToString>(found: Result<T, E>) -> Result<T, String> {
    found.map_err(|error| error.to_string())
}

fn answer(
    case: &EngineCase,
    number: impl Fn(&Expected) -> Option<Number>,
) -> Result<Vec<Vec<Found>>, Fault> {
    let each = case.expected.iter().map(|expected| {
        let found = number(expected).ok_or_else(|| {
            let problem = "is not known for a fit";
            expected.field.at("what").fault(
                problem,
                "take value, u, cov, r, s or another figure of the fit",
            )
        })?;
        Ok(vec![found.map_or_else(Found::Refused, Found::Value)])
    });
    each.collect()
}

/// Place of a parameter by the name that the case gives it.
fn place(fit: &Fit, of: &str) -> Option<usize> {
    match of {
        "a" | "y1" | "intercept" | "const" => Some(0),
        "slope" | "y2" => Some(fit.parameters.len() - 1),
        "b" => Some(1),
        _ => {
            let known = |name: &String| name.eq_ignore_ascii_case(of);
            fit.parameters.iter().position(known)
        }
    }
}

fn uncertainty(fit: &Fit, at: usize) -> Number {
    Ok(text(fit.uncertainties())?[at])
}

/// Figures of a fit and of its parameters.
fn figure(fit: &Fit, of: &str, what: &str) -> Option<Number> {
    if of == "fit" {
        let s = fit.s.ok_or_else(|| "no degrees of freedom".to_owned());
        return Some(match what {
            "s" => s,
            "variance" => s.map(|s| s * s),
            "ssr" | "chi2" => Ok(fit.sum_of_squares),
            "r2" => fit.r_squared.ok_or_else(|| "not defined".to_owned()),
            "dof" | "dof_scaled" => Ok(fit.dof),
            _ => return None,
        });
    }
    if let Some((a, b)) = of.split_once(',') {
        let (a, b) = (place(fit, a)?, place(fit, b)?);
        return Some(match what {
            "r" => Ok(fit.correlation(a, b)),
            "cov" => text(fit.covariance()).map(|covariance| covariance[a][b]),
            _ => return None,
        });
    }
    let at = place(fit, of)?;
    Some(match what {
        "value" => Ok(fit.estimates[at]),
        "u" => uncertainty(fit, at),
        "variance" => uncertainty(fit, at).map(|u| u * u),
        _ => return None,
    })
}

/// A figure of the prediction that a case names `y(1200)`.
fn predicted(line: &Polynomial, fit: &Fit, of: &str, what: &str) -> Option<Number> {
    let at = of.split_once('(')?.1.strip_suffix(')')?.parse().ok()?;
    let found = match text(line.predict(fit, at)) {
        Ok(found) => found,
        Err(refused) => return Some(Err(refused)),
    };
    let single = found.u_single.ok_or_else(String::new);
    Some(match what {
        "value" => Ok(found.value),
        "u" => Ok(found.u),
        "dof" => Ok(found.dof),
        "variance_mean" => Ok(found.u * found.u),
        "variance_prediction" => single.map(|u| u * u),
        _ => return None,
    })
}

fn points(case: &EngineCase) -> Result<[Vec<f64>; 2], Fault> {
    let data = case.root.at("data");
    let thermometer = data.at("t").given().is_some();
    let names = if thermometer { ["t", "b"] } else { ["x", "y"] };
    let [x, y] = names.map(|name| data.at(name).numbers());
    Ok([x?, y?])
}

/// The thermometer of JCGM 100:2008, H.3 counts from 20 °C.
fn line_of(case: &EngineCase) -> Polynomial {
    let model = case.root.at("model").at("b").given();
    let from_20 = model.is_some_and(|model| model.text().is_ok_and(|text| text.contains("- 20)")));
    Polynomial::line().about(if from_20 { 20.0 } else { 0.0 })
}

/// Ordinary and weighted lines; `_scaled` figures have their scale from the residuals.
pub fn line(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let [x, y] = points(case)?;
    let line = line_of(case);
    let data = case.root.at("data");
    let u_y = data.at("u_y").given().map(|u| u.numbers()).transpose()?;
    let stated = match &u_y {
        Some(u) => line.fit(&x, &y, Scatter::Stated(u)),
        None => line.fit(&x, &y, Scatter::Unknown),
    };
    let scaled = u_y.as_ref().map(|u| line.fit(&x, &y, Scatter::Relative(u)));
    let new = data.at("new_y").given().map(|new| new.pair()).transpose()?;
    answer(case, |expected| {
        let unscaled = expected.what.strip_suffix("_scaled");
        let fit = match (unscaled, &scaled) {
            (Some(_), Some(scaled)) => scaled,
            _ => &stated,
        };
        let fit = match fit {
            Ok(fit) => fit,
            Err(refused) => return Some(Err(refused.to_string())),
        };
        let what = unscaled.unwrap_or(expected.what);
        if let (Some([value, u]), "x0") = (new, expected.of) {
            let dof = f64::INFINITY;
            return backwards(&line, fit, &Reading::Evaluated { value, u, dof }, what);
        }
        predicted(&line, fit, expected.of, what).or_else(|| figure(fit, expected.of, what))
    })
}

fn backwards(line: &Polynomial, fit: &Fit, reading: &Reading, what: &str) -> Option<Number> {
    let found = text(line.inverse(fit, reading, 0.95));
    Some(match what {
        "value" => found.map(|found| found.value),
        "u" => found.map(|found| found.u),
        "dof" => found.map(|found| found.dof),
        _ => return None,
    })
}

/// A calibration line used backwards for the mean of new readings.
pub fn inverse(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let [x, y] = points(case)?;
    let new = case.root.at("data").at("new_y").numbers()?;
    let k = new.len();
    let mean = new.iter().fold(0.0, |sum, y| sum + y) / k as f64;
    let line = Polynomial::line();
    let fit = text(line.fit(&x, &y, Scatter::Unknown));
    answer(case, |expected| match &fit {
        Err(refused) => Some(Err(refused.clone())),
        Ok(fit) if expected.of == "x0" => {
            backwards(&line, fit, &Reading::Repeated { mean, k }, expected.what)
        }
        Ok(fit) => figure(fit, expected.of, expected.what),
    })
}

/// A line with an offset that is common to all points.
pub fn merged(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let [x, y] = points(case)?;
    let offset = case.root.at("data").at("common_offset");
    let offset = Input::normal("E", offset.at("value").number()?, offset.at("u").number()?);
    let fit = text(line_of(case).fit(&x, &y, Scatter::Unknown));
    let budget = |of: &str| {
        let from = if of == "y1" { "y1 = b0 + E" } else { "y2 = b1" };
        let found = Model::compile(from, &Library::default());
        let model = found.map_err(|found| found[0].to_string())?;
        let all = text(fit.clone()?.inputs(&["b0", "b1"]))?;
        let wanted = model.inputs();
        let mut quantities = all.quantities;
        quantities.push(offset.clone());
        quantities.retain(|input| wanted.contains(&input.symbol));
        text(propagate(&model, of, &Inputs::from(quantities), 0.95))
    };
    answer(case, |expected| {
        let found = budget(expected.of);
        Some(match expected.what {
            "value" => found.map(|found| found.value),
            "u" => found.map(|found| found.u),
            "dof" => found.map(|found| found.dof),
            _ => return None,
        })
    })
}

/// Lines through the origin of means of n readings: `ols` of the readings themselves, so that a
/// mean counts n times, and `wls` with weights n/s².
pub fn through_origin(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let [x, y] = points(case)?;
    let data = case.root.at("data");
    let (s, n) = (data.at("s").numbers()?, data.at("n").numbers()?);
    let u: Vec<f64> = s.iter().zip(&n).map(|(s, n)| s / n.sqrt()).collect();
    let of_n: Vec<f64> = n.iter().map(|n| 1.0 / n.sqrt()).collect();
    let line = Polynomial::line().through_origin();
    answer(case, |expected| {
        let scatter = match expected.of {
            "ols" => Scatter::Relative(&of_n),
            "wls" => Scatter::Stated(&u),
            _ => return None,
        };
        let slope = line.fit(&x, &y, scatter).map(|fit| fit.estimates[0]);
        (expected.what == "slope").then(|| text(slope))
    })
}

/// A line through points of which both coordinates are uncertain.
pub fn both(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let [x, y] = points(case)?;
    let data = case.root.at("data");
    let (u_x, u_y) = (data.at("u_x").numbers()?, data.at("u_y").numbers()?);
    let covariances = &[][..];
    let scatter = CoordinateScatter::Points {
        u_x: &u_x,
        u_y: &u_y,
        covariances,
    };
    let fit = text(line_of_uncertain_points(&x, &y, &scatter));
    answer(case, |expected| match &fit {
        Err(refused) => Some(Err(refused.clone())),
        Ok(fit) => figure(fit, expected.of, expected.what),
    })
}

pub fn polynomial(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let [x, y] = points(case)?;
    let place = case.root.at("data").at("degree");
    let degree = place.number()?;
    if !(0.0..=30.0).contains(&degree) {
        return Err(place.fault("is no degree of a polynomial", "write 0 to 30"));
    }
    let degree = (0..=30)
        .find(|known| f64::from(*known) >= degree)
        .unwrap_or(0);
    let fit = text(Polynomial::of_degree(degree).fit(&x, &y, Scatter::Unknown));
    answer(case, |expected| match &fit {
        Err(refused) => Some(Err(refused.clone())),
        Ok(fit) => figure(fit, expected.of, expected.what),
    })
}

/// Any design: the columns of the table but the response, and a constant.
pub fn design(case: &EngineCase) -> Result<Vec<Vec<Found>>, Fault> {
    let data = case.root.at("data");
    let (heads, rows) = (data.at("columns").list()?, data.at("rows").rows()?);
    let response = data.at("response").text()?;
    let mut columns = vec![("const", vec![1.0; rows.len()])];
    let mut y = Vec::new();
    for (at, head) in heads.iter().enumerate() {
        let column: Vec<f64> = rows.iter().filter_map(|row| row.get(at).copied()).collect();
        match head.text()? {
            name if name == response => y = column,
            name => columns.push((name, column)),
        }
    }
    let columns: Vec<(&str, &[f64])> = columns.iter().map(|(name, x)| (*name, &x[..])).collect();
    let fit = text(linear_fit(&columns, &y, Scatter::Unknown));
    answer(case, |expected| match &fit {
        Err(refused) => Some(Err(refused.clone())),
        Ok(fit) => figure(fit, expected.of, expected.what),
    })
}
