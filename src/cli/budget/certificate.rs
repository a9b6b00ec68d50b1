//! The lines that a certificate needs of a budget (JCGM 100:2008, 7.2; ILAC-P14:09/2020, 5).

use heng_quantities::{Language, round_result};
use heng_uncertainty::{BudgetFile, Evaluation, OutputEvaluation, Reported, ReportedMethod};

use super::tables::{Words, method};
use crate::cli::number::{beside, dof, percent, significant};
use crate::cli::table::wrapped;

/// Digits of U where the file's choice cannot be met.
const DIGITS: usize = 2;

pub fn lines(
    evaluation: &Evaluation,
    forced: Option<&str>,
    file: &BudgetFile,
    language: Language,
) -> String {
    let words = Words(language);
    let mut lines = Vec::new();
    for (output, requested) in evaluation.outputs.iter().zip(&file.outputs) {
        let Some(reported) = &output.reported else {
            let none = words.say("no method gives a result.", "各方法均无结果。");
            lines.extend(wrapped(&format!("{}: ", output.symbol), none));
            continue;
        };
        lines.extend(wrapped("", &statement(output, reported, words)));
        if reported.expanded == 0.0 {
            continue;
        }
        let p = percent(evaluation.coverage);
        lines.extend(wrapped(
            "  ",
            &sentence(reported, requested.digits, &p, words),
        ));
        for violation in &output.beyond_range {
            lines.extend(wrapped("  ! ", violation.text().get(language)));
        }
    }
    lines.extend(forced.map(|reason| words.forced(reason)));
    lines.join("\n") + "\n"
}

/// `m = (10000.025 ± 0.060) g, k = 2.08, p = 95.45 %, ν = 34 (first order)`.
pub fn statement(output: &OutputEvaluation, reported: &Reported, words: Words) -> String {
    let unit = output
        .unit
        .as_ref()
        .filter(|unit| unit.symbol() != "1")
        .map_or(String::new(), |unit| format!(" {unit}"));
    let symbol = &output.symbol;
    if reported.expanded == 0.0 {
        let value = reported.value;
        let exact = words.say("without uncertainty", "无不确定度");
        return format!("{symbol} = {value}{unit}, {exact}");
    }
    let [value, expanded] = rounded(reported);
    let coverage = match (&output.first_order, &output.monte_carlo) {
        (_, Ok(found)) => percent(found.coverage),
        (Ok(found), _) => percent(found.coverage),
        _ => String::new(),
    };
    let mut parts = vec![if reported.method == ReportedMethod::MonteCarloShortest {
        // A skew law has no ±: its interval stands instead.
        let [low, high] = reported
            .interval
            .map(|end| beside(end, reported.expanded, DIGITS));
        let interval = words.say("interval", "包含区间");
        format!("{symbol} = {value}{unit}, {interval} [{low}, {high}]{unit}")
    } else {
        format!("{symbol} = ({value} ± {expanded}){unit}")
    }];
    parts.extend(reported.k.map(|k| format!("k = {k:.2}")));
    parts.push(format!("p = {coverage}"));
    parts.extend(reported.dof.map(|found| format!("ν = {}", dof(found.0))));
    format!("{} ({})", parts.join(", "), method(reported.method, words))
}

/// Value and U to the last digit of U; of numbers that have no plain decimal notation in
/// powers of ten.
fn rounded(reported: &Reported) -> [String; 2] {
    let &Reported {
        value, expanded, ..
    } = reported;
    reported.rounded.map_or_else(
        || {
            [
                beside(value, expanded, DIGITS),
                significant(expanded, DIGITS),
            ]
        },
        |rounded| [rounded.value.to_string(), rounded.uncertainty.to_string()],
    )
}

/// What U is, in the words that JCGM 100:2008, 7.2.3 asks for.
fn sentence(reported: &Reported, digits: u8, p: &str, words: Words) -> String {
    let u = round_result(reported.value, reported.u, digits).map_or_else(
        |_| significant(reported.u, 2),
        |u| u.uncertainty.to_string(),
    );
    let k = reported.k.map_or("-".to_owned(), |k| format!("{k:.2}"));
    match (reported.method, reported.dof, words.0) {
        (ReportedMethod::FirstOrder, Some(freedom), Language::En) if freedom.0.is_finite() => {
            let freedom = dof(freedom.truncated());
            format!(
                "U is the standard uncertainty u = {u} multiplied by k = {k}, which for a t \
                 distribution with {freedom} effective degrees of freedom corresponds to a coverage \
                 probability of {p}."
            )
        }
        (ReportedMethod::FirstOrder, Some(freedom), Language::Zh) if freedom.0.is_finite() => {
            let freedom = dof(freedom.truncated());
            format!(
                "扩展不确定度 U 由标准不确定度 u = {u} 乘以包含因子 k = {k} 得到; 对有效自由度 {freedom} 的 t 分布, \
                 包含概率为 {p}。"
            )
        }
        (ReportedMethod::FirstOrder, _, Language::En) => format!(
            "U is the standard uncertainty u = {u} multiplied by k = {k}, which for a normal \
             distribution corresponds to a coverage probability of {p}."
        ),
        (ReportedMethod::FirstOrder, _, Language::Zh) => format!(
            "扩展不确定度 U 由标准不确定度 u = {u} 乘以包含因子 k = {k} 得到; 对正态分布, 包含概率为 {p}。"
        ),
        (_, _, Language::En) if reported.k.is_none() => format!(
            "The value is the mean of Monte Carlo trials, of which the interval holds {p} \
             (JCGM 101:2008); they have no standard deviation. First order gives u = {u}."
        ),
        (_, _, Language::Zh) if reported.k.is_none() => format!(
            "值为蒙特卡洛试验的平均值, 区间包含其中的 {p} (JCGM 101:2008); 试验无标准偏差, 一阶传播给出 u = {u}。"
        ),
        (_, _, Language::En) => format!(
            "Value and standard uncertainty u = {u} are mean and standard deviation of Monte Carlo \
             trials, of which the interval holds {p} (JCGM 101:2008)."
        ),
        (_, _, Language::Zh) => format!(
            "值与标准不确定度 u = {u} 为蒙特卡洛试验的平均值与标准偏差, 区间包含其中的 {p} (JCGM 101:2008)。"
        ),
    }
}
