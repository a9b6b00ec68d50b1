//! What a reader of a budget must know before trusting it.

use heng_quantities::Text;
use serde::Serialize;

use super::{OutputEvaluation, ReportedMethod, TrialConformity};
use crate::budget_file::{BudgetFile, Requested, dependent};
use crate::conformity::DecisionRule;
use crate::gum::{Budget, Warning};
use crate::input::{Distribution, Input};
use crate::monte_carlo::MonteCarlo;
use crate::validation::tolerance;

/// One thing to know before a result is trusted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Caution {
    /// What it is about.
    pub kind: CautionKind,
    /// The caution in words.
    pub text: Text,
}

/// What a [`Caution`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CautionKind {
    /// Readings that follow each other.
    DependentReadings,
    /// A formula outside of the range of its source.
    FormulaRange,
    /// First order gives nothing, or nothing that holds.
    FirstOrder,
    /// No trials, or too few for the digits that are reported.
    MonteCarlo,
    /// The second order matters, or a branch of the model is near.
    NonLinear,
    /// Few effective degrees of freedom.
    FewDegreesOfFreedom,
    /// A probability of conformity that more trials may carry over the threshold.
    Conformity,
    /// A law without standard deviation among the inputs.
    HeavyTails,
    /// One input that is not normal makes nearly all of the uncertainty.
    DominantInput,
    /// Inputs or the result without a unit.
    UnitsNotChecked,
}

pub fn all(file: &BudgetFile, requested: &Requested, found: &OutputEvaluation) -> Vec<Caution> {
    let mut cautions = Vec::new();
    let mut say = |kind, text| cautions.push(Caution { kind, text });
    for (input, series) in used(file, requested) {
        if let Some(text) = series {
            say(CautionKind::DependentReadings, text);
        }
        if let Some(text) = heavy_tails(input) {
            say(CautionKind::HeavyTails, text);
        }
    }
    for violation in &found.beyond_range {
        let said = violation.text();
        let text = Text {
            en: format!("Beyond the range of its source: {}.", said.en),
            zh: format!("超出其来源的适用范围: {}。", said.zh),
        };
        say(CautionKind::FormulaRange, text);
    }
    match (&found.first_order, &found.monte_carlo) {
        (Ok(budget), trials) => {
            for (kind, text) in budget.warnings.iter().map(of_budget) {
                say(kind, text);
            }
            if found.validation.as_ref().is_some_and(|v| !v.validated)
                && let Ok(trials) = trials
            {
                say(
                    CautionKind::FirstOrder,
                    not_validated(found, budget, trials),
                );
            }
        }
        (Err(error), _) => {
            let text = Text::new(
                &format!("First order gives no result: {error}."),
                &format!("一阶传播 (GUM 法) 无结果: {error}。"),
            );
            say(CautionKind::FirstOrder, text);
        }
    }
    if let Some(text) = close_to_threshold(found) {
        say(CautionKind::Conformity, text);
    }
    if let Some(text) = of_trials(requested, found) {
        say(CautionKind::MonteCarlo, text);
    }
    if let Some(text) = without_units(file, requested) {
        say(CautionKind::UnitsNotChecked, text);
    }
    cautions
}

/// Inputs of the output with the caution about their readings.
fn used<'a>(
    file: &'a BudgetFile,
    requested: &Requested,
) -> impl Iterator<Item = (&'a Input, Option<Text>)> {
    let symbols = file.model.inputs_of(&requested.symbol).unwrap_or_default();
    let inputs = file.inputs.quantities.iter().zip(&file.described);
    inputs
        .filter(move |(input, _)| symbols.contains(&input.symbol.as_str()))
        .map(|(input, described)| {
            let series = described.series.as_ref();
            (
                input,
                series.and_then(|series| dependent(&input.symbol, series)),
            )
        })
}

/// Whether the law of the result has a standard deviation, as far as its inputs tell.
pub fn has_spread(file: &BudgetFile, requested: &Requested) -> bool {
    !used(file, requested).any(|(input, _)| is_heavy(input))
}

/// Student's t has no standard deviation (JCGM 101:2008, 6.4.9.4).
fn is_heavy(input: &Input) -> bool {
    input.distribution == Distribution::StudentT && input.dof <= 2.0 && input.u > 0.0
}

fn heavy_tails(input: &Input) -> Option<Text> {
    let (symbol, dof) = (&input.symbol, input.dof);
    is_heavy(input).then(|| {
        Text::new(
            &format!(
                "{symbol} has {dof} degrees of freedom: its t distribution has no standard \
                 deviation, and neither has that of the result; its coverage interval stands."
            ),
            &format!("{symbol} 的自由度为 {dof}: 其 t 分布无标准偏差, 结果亦然; 包含区间仍有效。"),
        )
    })
}

/// A warning of the budget, in both languages.
fn of_budget(warning: &Warning) -> (CautionKind, Text) {
    let (kind, zh) = match warning {
        Warning::Kink { operation, .. } => (
            CautionKind::NonLinear,
            format!("模型中的 {operation} 在估计值附近切换分支, 一阶传播可能不成立。"),
        ),
        Warning::NonLinear { .. } => (
            CautionKind::NonLinear,
            "模型在输入量的不确定度范围内非线性: 二阶项改变 u 或估计值超过 u 的 5 %。".to_owned(),
        ),
        Warning::NoSecondOrder { .. } => (
            CautionKind::NonLinear,
            "无法求得二阶项, 非线性程度未知。".to_owned(),
        ),
        Warning::FewDof { dof } => (
            CautionKind::FewDegreesOfFreedom,
            format!("有效自由度仅 {dof:.1}, t 分布的包含因子很大。"),
        ),
        Warning::Dominant { symbol, share } => (
            CautionKind::DominantInput,
            format!(
                "{symbol} 占方差的 {:.0} %, 且非正态: 结果呈其分布形状, 正态分布的 k 不适用。",
                100.0 * share
            ),
        ),
    };
    (kind, Text::new(&format!("{warning}."), &zh))
}

fn not_validated(found: &OutputEvaluation, budget: &Budget, trials: &MonteCarlo) -> Text {
    if !found.spread {
        return Text::new(
            "The interval of first order is not validated by the Monte Carlo method \
             (JCGM 101:2008, clause 8).",
            "一阶传播的包含区间未通过蒙特卡洛法验证 (JCGM 101:2008 第 8 章)。",
        );
    }
    let ratio = trials.u / budget.u;
    let shift = (trials.mean - budget.value) / budget.u;
    if (ratio - 1.0).abs() < 0.01 && shift.abs() < 0.01 {
        return Text::new(
            "The interval of first order is not validated by the Monte Carlo method \
             (JCGM 101:2008, clause 8): estimate and u agree, but the result is neither normal \
             nor t distributed.",
            "一阶传播的包含区间未通过蒙特卡洛法验证 (JCGM 101:2008 第 8 章): 估计值与 u 一致, 但结果既非正态\
             也非 t 分布。",
        );
    }
    Text::new(
        &format!(
            "The interval of first order is not validated by the Monte Carlo method \
             (JCGM 101:2008, clause 8): u of the trials is {ratio:.2} times that of first order, \
             their mean lies {shift:+.2} u from the estimate."
        ),
        &format!(
            "一阶传播的包含区间未通过蒙特卡洛法验证 (JCGM 101:2008 第 8 章): 蒙特卡洛法的 u 为一阶的 \
             {ratio:.2} 倍, 其平均值偏离估计值 {shift:+.2} u。"
        ),
    )
}

fn of_trials(requested: &Requested, found: &OutputEvaluation) -> Option<Text> {
    let trials = match &found.monte_carlo {
        Ok(trials) => trials,
        Err(error) => {
            return Some(Text::new(
                &format!("The Monte Carlo method gives no result: {error}."),
                &format!("蒙特卡洛法无结果: {error}。"),
            ));
        }
    };
    let reported = found.reported.as_ref()?;
    let errors = match reported.method {
        ReportedMethod::FirstOrder => return None,
        ReportedMethod::MonteCarloSymmetric => trials.errors.symmetric,
        ReportedMethod::MonteCarloShortest => trials.errors.shortest,
    };
    let half_digit = tolerance(reported.expanded, requested.digits);
    let error = errors[0].max(errors[1]);
    (reported.expanded > 0.0 && 2.0 * error > half_digit).then(|| {
        let digits = requested.digits;
        Text::new(
            &format!(
                "The ends of the interval are known to {error:.1e} only, which is too coarse for \
                 {digits} digits of U: take more trials."
            ),
            &format!("区间端点的抽样误差为 {error:.1e}, 不足以给出 U 的 {digits} 位有效数字: 请增加试验次数。"),
        )
    })
}

fn close_to_threshold(found: &OutputEvaluation) -> Option<Text> {
    let conformity = found.conformity.as_ref()?;
    let trials = conformity.trials?;
    let DecisionRule::Probability { threshold } = conformity.rule else {
        return None;
    };
    let TrialConformity { probability, error } = trials;
    ((probability - threshold).abs() <= 2.0 * error).then(|| {
        Text::new(
            &format!(
                "The probability of conformity {probability:.6} is known to {error:.1e} only and \
                 lies within twice that of the threshold {threshold}: take more trials."
            ),
            &format!(
                "合格概率 {probability:.6} 的抽样误差为 {error:.1e}, 与阈值 {threshold} 之差在其两倍以内: \
                 请增加试验次数。"
            ),
        )
    })
}

fn without_units(file: &BudgetFile, requested: &Requested) -> Option<Text> {
    let some = file.described.iter().any(|one| one.unit.is_some());
    let missing: Vec<_> = file
        .described
        .iter()
        .filter(|one| one.unit.is_none())
        .map(|one| one.symbol.as_str())
        .chain(
            requested
                .unit
                .is_none()
                .then_some(requested.symbol.as_str()),
        )
        .collect();
    (some && !missing.is_empty()).then(|| {
        let list = missing.join(", ");
        Text::new(
            &format!("Units are checked as far as they are stated; without one: {list}."),
            &format!("仅检查已声明的单位; 未声明单位的量: {list}。"),
        )
    })
}
