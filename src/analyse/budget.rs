//! Budgets worded for people: numbers as texts, written once for screen, paper and file.

use heng_certificates::{BudgetLine, BudgetTable, Expanded};
use heng_procedures::{Measurand, PointResult};
use heng_quantities::{Rounded, Text, Unit};
use heng_uncertainty::{Budget, MonteCarlo, Validation};

use super::certificate::distribution_name;

/// `digits` significant digits, as a decimal number while that is readable.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value.is_infinite() {
            "∞".to_owned()
        } else {
            value.to_string()
        };
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let power: i32 = scientific
        .rsplit('e')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    if !(-5..7).contains(&power) {
        return scientific;
    }
    let wanted = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - power;
    format!("{value:.*}", usize::try_from(wanted.max(0)).unwrap_or(0))
}

/// The budget of one result of a comparison.
pub fn table(measurand: &Measurand, point: &Text, result: &PointResult) -> BudgetTable {
    let title = Text::new(
        &format!("{}, {}", measurand.title.en, point.en),
        &format!("{}，{}", measurand.title.zh, point.zh),
    );
    let describe = |symbol: &str| {
        let input = measurand.input.iter().find(|input| input.symbol == symbol);
        input.map(|input| (input.title.clone(), input.unit))
    };
    let mut table = of(title, result.unit, &result.budget, &describe);
    table.result.push(result.reported_why.clone());
    table.result.extend(result.forced.iter().map(|forced| {
        let (said, reason) = (forced.violation.text(), &forced.reason);
        let range = forced.violation.range();
        Text::new(
            &format!(
                "Outside of the {}, forced by {}: {}. Reason: {}",
                range.en, forced.person, said.en, reason.en
            ),
            &format!(
                "超出{}, 由{}决定强制使用: {}。理由: {}",
                range.zh, forced.person, said.zh, reason.zh
            ),
        )
    }));
    table.comparison = Some(comparison(
        result.unit.difference(),
        &result.budget,
        &result.monte_carlo,
        &result.validation,
    ));
    table
}

/// A budget with the names and units of its inputs from `describe`.
pub fn of(
    title: Text,
    unit: Unit,
    budget: &Budget,
    describe: &dyn Fn(&str) -> Option<(Text, Unit)>,
) -> BudgetTable {
    let unit = unit.difference();
    let rows = budget
        .rows
        .iter()
        .map(|row| {
            let (name, unit) = match describe(&row.symbol) {
                Some((name, unit)) => (name, unit.symbol().to_owned()),
                None => (Text::same(&row.symbol), String::new()),
            };
            BudgetLine {
                symbol: row.symbol.clone(),
                name,
                value: significant(row.value, 6),
                unit,
                u: significant(row.u, 3),
                distribution: distribution_name(&row.distribution),
                dof: significant(row.dof, 3),
                sensitivity: significant(row.sensitivity, 4),
                contribution: significant(row.contribution, 3),
                share: format!("{:.1}", 100.0 * row.share),
            }
        })
        .collect();
    let u = significant(budget.u, 3);
    let k = format!("{:.2}", budget.k);
    let expanded = significant(budget.expanded, 3);
    let dof = if budget.dof.is_finite() {
        format!("{:.0}", budget.dof.floor())
    } else {
        "∞".to_owned()
    };
    let coverage = 100.0 * budget.coverage;
    let summary = Text::new(
        &format!(
            "Combined standard uncertainty u = {u} {unit}; effective degrees of freedom {dof}; k = {k} ({coverage} %); U = {expanded} {unit}"
        ),
        &format!(
            "合成标准不确定度 u = {u} {unit}；有效自由度 {dof}；k = {k}（{coverage} %）；U = {expanded} {unit}"
        ),
    );
    BudgetTable {
        title,
        unit,
        rows,
        result: vec![summary],
        comparison: None,
    }
}

/// Both methods side by side (JCGM 101:2008, clause 8); `unit` is that of the value.
pub fn comparison(
    unit: Unit,
    budget: &Budget,
    trials: &MonteCarlo,
    validation: &Validation,
) -> Vec<[Text; 3]> {
    let number = |value: f64| Text::same(&significant(value, 4));
    let empty = Text::same("–");
    let verdict = if validation.validated {
        Text::new("validated", "已验证")
    } else {
        Text::new("not validated", "未验证")
    };
    vec![
        [
            Text::new(&format!("Value ({unit})"), &format!("值（{unit}）")),
            number(budget.value),
            number(trials.mean),
        ],
        [
            Text::new(
                &format!("u ({})", unit.difference()),
                &format!("u（{}）", unit.difference()),
            ),
            number(budget.u),
            number(trials.u),
        ],
        [
            Text::new("Interval, lower end", "区间下端"),
            number(budget.value - budget.expanded),
            number(trials.shortest[0]),
        ],
        [
            Text::new("Interval, upper end", "区间上端"),
            number(budget.value + budget.expanded),
            number(trials.shortest[1]),
        ],
        [
            Text::new(
                &format!("Trials, seed ({})", trials.sampler),
                &format!("试验次数，种子（{}）", trials.sampler),
            ),
            empty.clone(),
            Text::same(&format!("{}, {}", trials.trials, trials.seed)),
        ],
        [
            Text::new("Differences of the ends, tolerance δ", "两端差值，容差 δ"),
            Text::same(&format!(
                "{}, {}",
                significant(validation.d_low, 2),
                significant(validation.d_high, 2)
            )),
            number(validation.tolerance),
        ],
        [
            Text::new("GUM against Monte Carlo", "GUM 法与蒙特卡洛法比较"),
            verdict,
            empty,
        ],
    ]
}

/// The expanded uncertainty as a certificate states it; `gum` says whose interval it is.
pub fn expanded(rounded: &Rounded, budget: &Budget, trials: &MonteCarlo, gum: bool) -> Expanded {
    let dof = budget.dof;
    Expanded {
        value: rounded.uncertainty,
        k: if gum {
            budget.k
        } else {
            factor(rounded.uncertainty.to_f64(), budget, trials)
        },
        coverage: budget.coverage,
        distribution: match (gum, dof.is_finite()) {
            (true, true) => "t",
            (true, false) => "normal",
            (false, _) => "monte_carlo",
        }
        .to_owned(),
        dof: (gum && dof.is_finite()).then_some(dof),
    }
}

/// Half-width over standard uncertainty where the interval is that of the trials: the factor
/// that gives U back. A t distribution with two degrees of freedom, of three readings, has no
/// standard deviation (JCGM 101:2008, 6.4.9.4): what the trials give for it grows with their
/// number, until U is below it. The factor then is the one to the standard uncertainty of the GUM.
fn factor(expanded: f64, budget: &Budget, trials: &MonteCarlo) -> f64 {
    let k = expanded / trials.u;
    if k < 1.0 { expanded / budget.u } else { k }
}

#[cfg(test)]
mod tests {
    use heng_quantities::round_result;
    use heng_uncertainty::{Input, Inputs, Library, Model, Sampling, monte_carlo, propagate};

    use super::{expanded, significant};

    #[test]
    fn a_certificate_of_three_readings_has_a_factor_above_one() {
        let model = Model::compile("y = x", Library::shipped()).unwrap();
        let inputs = Inputs::from(vec![Input::student("x", 20.0, 0.03, 2.0)]);
        let budget = propagate(&model, "y", &inputs, 0.9545).unwrap();
        let mut below = 0;
        for seed in 0..40 {
            let sampling = Sampling {
                trials: 20_000,
                ..Sampling::with_seed(seed)
            };
            let trials = monte_carlo(&model, "y", &inputs, &sampling).unwrap();
            let half = (trials.shortest[1] - trials.shortest[0]) / 2.0;
            let rounded = round_result(trials.mean, half, 2).unwrap();
            let stated = expanded(&rounded, &budget, &trials, false);
            assert!(stated.k >= 1.0, "seed {seed}: {stated:?}");
            below += u32::from(rounded.uncertainty.to_f64() < trials.u);
        }
        assert!(below > 0, "no seed has trials whose u is above U");
    }

    #[test]
    fn numbers_are_written_with_their_significant_digits() {
        for (value, digits, text) in [
            (0.023456, 3, "0.0235"),
            (101325.0, 3, "101325"),
            (-3.09851, 4, "-3.099"),
            (0.0996, 2, "0.10"),
            (1.5e-9, 3, "1.50e-9"),
            (0.0, 3, "0"),
            (f64::INFINITY, 3, "∞"),
        ] {
            assert_eq!(significant(value, digits), text);
        }
    }
}
