//! A budget as comma-separated values, in full precision.

use heng_uncertainty::{Evaluation, OutputEvaluation};

use crate::cli::csv::line;

use super::tables::{Words, law};

const HEAD: &str = "output,row,quantity,estimate,u,unit,distribution,dof,sensitivity,contribution,\
                    share,k,U,low,high,coverage\n";

/// One row for each input of each result, then one for each method.
pub fn rows(evaluation: &Evaluation, forced: Option<&str>) -> String {
    let mut csv = HEAD.to_owned();
    for output in &evaluation.outputs {
        inputs(&mut csv, evaluation, output);
        methods(&mut csv, output);
        beyond_range(&mut csv, output, forced.unwrap_or_default());
    }
    csv
}

/// One row for each argument of a formula outside of its range, with the range as the
/// interval; the reason for using it stands as its distribution.
fn beyond_range(csv: &mut String, output: &OutputEvaluation, reason: &str) {
    for violation in &output.beyond_range {
        let mut cells = vec![String::new(); 16];
        cells[0].clone_from(&output.symbol);
        "forced_beyond_range".clone_into(&mut cells[1]);
        cells[2] = format!("{}({})", violation.formula, violation.argument);
        cells[3] = number(violation.value);
        cells[5] = violation.unit.to_string();
        reason.clone_into(&mut cells[6]);
        cells[13] = number(violation.min);
        cells[14] = number(violation.max);
        csv.push_str(&line(cells));
    }
}

/// The fewest digits that give the same bits back.
fn number(x: f64) -> String {
    format!("{x:?}")
}

fn inputs(csv: &mut String, evaluation: &Evaluation, output: &OutputEvaluation) {
    let Ok(budget) = &output.first_order else {
        return;
    };
    let words = Words(heng_quantities::Language::En);
    for row in &budget.rows {
        let mut inputs = evaluation.inputs.iter();
        let unit = inputs
            .find(|one| one.symbol == row.symbol)
            .and_then(|input| input.unit.as_ref());
        let words = [
            output.symbol.clone(),
            "input".to_owned(),
            row.symbol.clone(),
            number(row.value),
            number(row.u),
            unit.map(ToString::to_string).unwrap_or_default(),
            law(&row.distribution, words).to_owned(),
        ];
        let numbers = [row.dof, row.sensitivity, row.contribution, row.share].map(number);
        let none = vec![String::new(); 5];
        csv.push_str(&line(words.into_iter().chain(numbers).chain(none)));
    }
}

/// What a method says; what it does not say is an empty cell.
#[derive(Default)]
struct Row {
    u: Option<f64>,
    dof: Option<f64>,
    k: Option<f64>,
    ends: Option<[f64; 2]>,
    coverage: Option<f64>,
}

fn methods(csv: &mut String, output: &OutputEvaluation) {
    let unit = output.unit.as_ref().map(ToString::to_string);
    let mut put = |method: &str, value: f64, row: &Row| {
        let cell = |x: Option<f64>| x.map(number).unwrap_or_default();
        let [low, high] = [0, 1].map(|end| row.ends.map(|ends| ends[end]));
        let expanded = row.ends.map(|[low, high]| 0.5 * (high - low));
        let name = output.symbol.clone();
        let words = [name.clone(), method.to_owned(), name, number(value)];
        let more = [cell(row.u), unit.clone().unwrap_or_default(), String::new()];
        let none = vec![String::new(); 3];
        let last = [row.k, expanded, low, high, row.coverage].map(cell);
        let cells = words.into_iter().chain(more).chain([cell(row.dof)]);
        csv.push_str(&line(cells.chain(none).chain(last)));
    };
    if let Ok(found) = &output.first_order {
        let row = Row {
            u: Some(found.u),
            dof: Some(found.dof),
            k: Some(found.k),
            ends: Some([-1.0, 1.0].map(|sign| found.value + sign * found.expanded)),
            coverage: Some(found.coverage),
        };
        put("first_order", found.value, &row);
    }
    if let Ok(found) = &output.second_order {
        let row = Row {
            u: found.u,
            ..Row::default()
        };
        put("second_order", found.estimate, &row);
    }
    if let Ok(found) = &output.monte_carlo {
        let kinds = [
            ("monte_carlo_symmetric", found.symmetric),
            ("monte_carlo_shortest", found.shortest),
        ];
        let u = Some(found.u).filter(|u| output.spread && *u > 0.0);
        for (kind, [low, high]) in kinds {
            let row = Row {
                u,
                k: u.map(|u| 0.5 * (high - low) / u),
                ends: Some([low, high]),
                coverage: Some(found.coverage),
                dof: None,
            };
            put(kind, found.mean, &row);
        }
    }
}
