//! What to improve first.

use heng_quantities::Text;
use serde::Serialize;

use super::OutputEvaluation;
use crate::budget_file::{BudgetFile, with_u};
use crate::gum::{Budget, propagate};
use crate::input::{Input, Inputs};
use crate::monte_carlo::{Sampling, monte_carlo};

/// The inputs of a result, ranked by what a better knowledge of each would gain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Name of the output quantity in the model.
    pub output: String,
    /// U as it is, by the method of the improvements.
    pub expanded: f64,
    /// Whether U is that of first order, else half the interval of Monte Carlo trials.
    pub first_order: bool,
    /// The largest gain first.
    pub improvements: Vec<Improvement>,
    /// Where correlation, nonlinearity or few degrees of freedom dominate.
    pub remarks: Vec<Text>,
}

/// U of the result if one input were known better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Improvement {
    /// Name of the input quantity in the model.
    pub symbol: String,
    /// With half of its standard uncertainty.
    pub halved: f64,
    /// With none.
    pub removed: f64,
    /// With its standard uncertainty exactly known: infinitely many readings of the same
    /// scatter of their mean. None where it counts as that already.
    pub dof_infinite: Option<f64>,
}

/// Trials of each "what if" where first order gives nothing: U to about half a per cent.
const TRIALS: u64 = 100_000;

/// Ranks the inputs of a result. None where no method gives a result.
pub fn explain(file: &BudgetFile, found: &OutputEvaluation) -> Option<Explanation> {
    let what_if = WhatIf {
        file,
        output: &found.symbol,
        first_order: found.first_order.is_ok(),
    };
    let expanded = what_if.expanded(&file.inputs)?;
    let used = file.model.inputs_of(&found.symbol).ok()?;
    let uncertain = |input: &&Input| used.contains(&input.symbol.as_str()) && input.u > 0.0;
    let mut improvements: Vec<_> = file
        .inputs
        .quantities
        .iter()
        .filter(uncertain)
        .filter_map(|input| what_if.improvement(input, expanded))
        .collect();
    improvements.sort_by(|a, b| a.halved.total_cmp(&b.halved).then(a.symbol.cmp(&b.symbol)));
    Some(Explanation {
        output: found.symbol.clone(),
        expanded,
        first_order: what_if.first_order,
        remarks: remarks(file, found),
        improvements,
    })
}

struct WhatIf<'a> {
    file: &'a BudgetFile,
    output: &'a str,
    first_order: bool,
}

impl WhatIf<'_> {
    fn improvement(&self, input: &Input, expanded: f64) -> Option<Improvement> {
        let with = |changed: Input| {
            let mut inputs = self.file.inputs.clone();
            for one in &mut inputs.quantities {
                if one.symbol == changed.symbol {
                    *one = changed.clone();
                }
            }
            self.expanded(&inputs)
        };
        let finite = self.first_order && input.dof.is_finite();
        let known = finite.then(|| self.with_dof(input)).flatten();
        Some(Improvement {
            symbol: input.symbol.clone(),
            halved: with(with_u(input, 0.5 * input.u))?,
            // Without its last uncertain input a result has none.
            removed: with(with_u(input, 0.0)).unwrap_or(0.0),
            dof_infinite: known.filter(|known| *known < expanded),
        })
    }

    /// U with the degrees of freedom of this input, or of its ensemble, infinite.
    fn with_dof(&self, input: &Input) -> Option<f64> {
        let mut inputs = self.file.inputs.clone();
        let shares = |symbol: &String| {
            let mut ensembles = self.file.inputs.ensembles.iter();
            *symbol == input.symbol
                || ensembles.any(|one| one.contains(symbol) && one.contains(&input.symbol))
        };
        for one in &mut inputs.quantities {
            if shares(&one.symbol) {
                *one = Input::normal(&one.symbol, one.value, one.u);
            }
        }
        inputs.ensembles.retain(|one| !one.contains(&input.symbol));
        self.expanded(&inputs)
    }

    fn expanded(&self, inputs: &Inputs) -> Option<f64> {
        let (model, plan) = (&self.file.model, &self.file.plan);
        if self.first_order {
            let budget = propagate(model, self.output, inputs, plan.coverage).ok()?;
            return Some(budget.expanded);
        }
        let sampling = Sampling {
            seed: plan.seed,
            trials: TRIALS,
            coverage: plan.coverage,
        };
        let found = monte_carlo(model, self.output, inputs, &sampling).ok()?;
        let [low, high] = found.symmetric;
        Some(0.5 * (high - low))
    }
}

/// Part of the variance from which correlation is worth a word.
const NOTABLE: f64 = 0.1;

fn remarks(file: &BudgetFile, found: &OutputEvaluation) -> Vec<Text> {
    let mut remarks = Vec::new();
    let budget = found.first_order.as_ref().ok();
    remarks.extend(budget.and_then(correlation));
    remarks.extend(budget.and_then(|budget| few_readings(file, budget)));
    let trials = found.monte_carlo.as_ref().ok();
    if let (Some(budget), Some(trials)) = (budget, trials) {
        let ratio = trials.u / budget.u;
        if found.spread && ratio.is_finite() && (ratio - 1.0).abs() > NOTABLE {
            remarks.push(Text::new(
                &format!(
                    "The model is not linear over the uncertainties of its inputs, or an input \
                     follows a t distribution: u of the trials is {ratio:.2} times that of first \
                     order, so the ranking is rough."
                ),
                &format!("模型在输入量的不确定度范围内非线性, 或有输入量服从 t 分布: 蒙特卡洛法的 u 为一阶的 {ratio:.2} 倍, 以下排序仅供参考。"),
            ));
        }
    }
    if budget.is_none() {
        remarks.push(Text::new(
            "First order gives no result: every U here is half an interval of Monte Carlo trials.",
            "一阶传播无结果: 此处各 U 为蒙特卡洛法区间的半宽。",
        ));
    }
    remarks
}

fn correlation(budget: &Budget) -> Option<Text> {
    let own: f64 = budget.rows.iter().map(|row| row.share).sum();
    let together = 100.0 * (1.0 - own);
    (budget.u > 0.0 && together.abs() > 100.0 * NOTABLE).then(|| {
        Text::new(
            &format!(
                "Correlation makes {together:+.0} % of the variance: no single input owns it, and \
                 improving one of a pair may even raise U."
            ),
            &format!("相关性贡献方差的 {together:+.0} %, 不属于任一输入量; 单独改进相关量之一可能反而使 U 增大。"),
        )
    })
}

/// Which input takes the degrees of freedom away, where they are few.
fn few_readings(file: &BudgetFile, budget: &Budget) -> Option<Text> {
    let weight = |share: f64, dof: f64| share * share / dof;
    let rows = budget.rows.iter().filter(|row| row.dof.is_finite());
    let worst = rows.max_by(|a, b| weight(a.share, a.dof).total_cmp(&weight(b.share, b.dof)))?;
    let normal = crate::gum::coverage_factor(f64::INFINITY, file.plan.coverage);
    let gain = 100.0 * (1.0 - normal / budget.k);
    (gain > 100.0 * NOTABLE).then(|| {
        let (symbol, dof, k) = (&worst.symbol, worst.dof, budget.k);
        Text::new(
            &format!(
                "Few degrees of freedom make k = {k:.2} and U larger by {gain:.0} % of itself than \
                 the same u exactly known would; they come from {symbol} ({dof:.0}): take more \
                 readings, or pool earlier ones."
            ),
            &format!("自由度较少, k = {k:.2}, 使 U 增大 {gain:.0} %; 主要来自 {symbol} (自由度 {dof:.0}): 请增加读数, 或采用合并样本标准偏差。"),
        )
    })
}
