//! A budget as text, 100 columns wide.

use heng_quantities::Language;
use heng_uncertainty::{
    Budget, BudgetFile, Distribution, Evaluation, Explanation, InputUsed, OutputEvaluation,
    ReportedMethod, Run,
};

use super::Report;
use super::certificate::statement;
use super::methods::{judged, methods, verdict};
use crate::cli::number::{beside, dof, percent, significant};
use crate::cli::table::{Align, Table, WIDTH, wrapped};

/// Significant digits of uncertainties in a budget: one more than is reported.
pub const DIGITS: usize = 3;

/// Words of one language.
#[derive(Clone, Copy)]
pub struct Words(pub Language);

impl Words {
    pub fn say<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self.0 {
            Language::En => en,
            Language::Zh => zh,
        }
    }
}

impl Words {
    /// That a result was computed outside of the ranges of its formulas, and why.
    pub fn forced(self, reason: &str) -> String {
        let forced = self.say(
            "FORCED    beyond the range of a formula: ",
            "强制计算  超出公式适用范围: ",
        );
        format!("{forced}{reason}")
    }
}

pub fn text(report: &Report, file: &BudgetFile, language: Language) -> String {
    let words = Words(language);
    let evaluation = &report.evaluation;
    let mut lines = vec![evaluation.title.clone(), "═".repeat(WIDTH), String::new()];
    let (label, more) = (words.say("model", "模型"), "       ");
    for (number, equation) in evaluation.model.lines().enumerate() {
        let head = if number == 0 { label } else { "" };
        let pad = more.len() - head.chars().count() - usize::from(head == "模型") * 2;
        lines.extend(wrapped(&format!("{head}{}", " ".repeat(pad)), equation));
    }
    lines.extend(described(evaluation, words));
    for output in &evaluation.outputs {
        lines.push(String::new());
        lines.extend(result(evaluation, output, words));
        let mut found = report.explanations.iter();
        if let Some(explanation) = found.find(|one| one.output == output.symbol) {
            lines.push(String::new());
            lines.extend(explained(explanation, words));
        }
    }
    lines.extend(together(evaluation, words));
    lines.push(String::new());
    lines.extend(provenance(report, file, words));
    lines.join("\n") + "\n"
}

/// What the symbols mean, where the file says so.
fn described(evaluation: &Evaluation, words: Words) -> Vec<String> {
    let widest = evaluation
        .inputs
        .iter()
        .map(|one| one.symbol.chars().count());
    let width = widest.max().unwrap_or(0);
    let mut lines = Vec::new();
    for input in &evaluation.inputs {
        let said = [input.description.as_deref(), input.source.as_deref()];
        let said: Vec<_> = said.into_iter().flatten().collect();
        if !said.is_empty() {
            if lines.is_empty() {
                lines.push(String::new());
            }
            let symbol = &input.symbol;
            lines.extend(wrapped(&format!("  {symbol:width$}  "), &said.join("; ")));
        }
    }
    for formula in &evaluation.formulas {
        let (name, version) = (&formula.name, formula.version);
        let label = words.say("formula", "公式");
        lines.push(format!(
            "  {label} {name}, {} {version}",
            words.say("version", "版本")
        ));
    }
    lines
}

/// One result by every method, with what must be known before it is trusted.
pub fn result(evaluation: &Evaluation, output: &OutputEvaluation, words: Words) -> Vec<String> {
    let unit = output
        .unit
        .as_ref()
        .map_or(String::new(), |unit| format!(" / {unit}"));
    let description = output.description.as_deref().unwrap_or_default();
    let mut lines = wrapped(&format!("{}{unit}  ", output.symbol), description);
    lines.push("─".repeat(WIDTH));
    match &output.first_order {
        Ok(budget) => lines.extend(contributions(evaluation, output, budget, words)),
        Err(_) => lines.extend(inputs_only(evaluation, words)),
    }
    lines.push(String::new());
    lines.extend(methods(output, words));
    lines.push(String::new());
    lines.extend(verdict(output, words));
    if let Some(reported) = &output.reported {
        let label = words.say("reported  ", "报告      ");
        lines.extend(wrapped(label, &statement(output, reported, words)));
    }
    if let Some(conformity) = &output.conformity {
        lines.extend(judged(conformity, words));
    }
    for caution in &output.cautions {
        lines.extend(wrapped("  ! ", caution.text.get(words.0)));
    }
    lines
}

/// The budget of first order as GUM and EA-4/02 print it.
fn contributions(
    evaluation: &Evaluation,
    output: &OutputEvaluation,
    budget: &Budget,
    words: Words,
) -> Vec<String> {
    use Align::{Left, Right};
    let align = [Left, Right, Right, Left, Left, Right, Right, Right, Right];
    let head = [
        words.say("quantity", "输入量"),
        words.say("estimate", "估计值"),
        "u",
        words.say("unit", "单位"),
        words.say("distribution", "分布"),
        "ν",
        words.say("sensitivity", "灵敏系数"),
        words.say("contribution", "不确定度分量"),
        words.say("share", "占比"),
    ];
    let mut table = Table::new(&align, &head);
    for row in &budget.rows {
        let unit = unit_of(evaluation, &row.symbol);
        table.row(vec![
            row.symbol.clone(),
            beside(row.value, row.u, DIGITS),
            significant(row.u, DIGITS),
            unit,
            law(&row.distribution, words).to_owned(),
            dof(row.dof),
            significant(row.sensitivity, 4),
            significant(row.contribution, DIGITS),
            share(row.share),
        ]);
    }
    let correlation = budget.share_of_correlation();
    if correlation.abs() > 5e-4 {
        let mut cells = vec![words.say("correlation", "相关性").to_owned()];
        cells.extend(vec![String::new(); 7]);
        cells.push(share(correlation));
        table.row(cells);
    }
    table.rule();
    table.row(vec![
        output.symbol.clone(),
        beside(budget.value, budget.u, DIGITS),
        String::new(),
        output
            .unit
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        String::new(),
        dof(budget.dof),
        String::new(),
        significant(budget.u, DIGITS),
        String::new(),
    ]);
    table.lines()
}

/// The inputs alone, where first order gives no budget.
fn inputs_only(evaluation: &Evaluation, words: Words) -> Vec<String> {
    use Align::{Left, Right};
    let head = [
        words.say("quantity", "输入量"),
        words.say("estimate", "估计值"),
        "u",
        words.say("unit", "单位"),
        words.say("distribution", "分布"),
        "ν",
    ];
    let mut table = Table::new(&[Left, Right, Right, Left, Left, Right], &head);
    for input in &evaluation.inputs {
        let InputUsed {
            symbol, value, u, ..
        } = input;
        table.row(vec![
            symbol.clone(),
            beside(*value, *u, DIGITS),
            significant(*u, DIGITS),
            unit_of(evaluation, symbol),
            law(&input.distribution, words).to_owned(),
            dof(input.dof),
        ]);
    }
    table.lines()
}

fn unit_of(evaluation: &Evaluation, symbol: &str) -> String {
    let input = evaluation.inputs.iter().find(|one| one.symbol == symbol);
    let unit = input.and_then(|input| input.unit.as_ref());
    unit.map(ToString::to_string).unwrap_or_default()
}

fn share(part: f64) -> String {
    format!("{:.1} %", 100.0 * part)
}

pub fn law(distribution: &Distribution, words: Words) -> &'static str {
    match (distribution, words.0) {
        (Distribution::Normal, Language::En) => "normal",
        (Distribution::Normal, Language::Zh) => "正态",
        (Distribution::StudentT | Distribution::StudentTSd, _) => "t",
        (Distribution::Rectangular, Language::En) => "rectangular",
        (Distribution::Rectangular, Language::Zh) => "均匀",
        (Distribution::Triangular, Language::En) => "triangular",
        (Distribution::Triangular, Language::Zh) => "三角",
        (Distribution::UShaped, Language::En) => "arcsine",
        (Distribution::UShaped, Language::Zh) => "反正弦",
        (Distribution::Trapezoidal { .. }, Language::En) => "trapezoidal",
        (Distribution::Trapezoidal { .. }, Language::Zh) => "梯形",
        (Distribution::CurvilinearTrapezoid { .. }, Language::En) => "ctrap",
        (Distribution::CurvilinearTrapezoid { .. }, Language::Zh) => "曲边梯形",
        (Distribution::Exponential, Language::En) => "exponential",
        (Distribution::Exponential, Language::Zh) => "指数",
        (Distribution::Gamma { .. }, _) => "gamma",
        (Distribution::Beta { .. }, _) => "beta",
        (Distribution::LogNormal, Language::En) => "lognormal",
        (Distribution::LogNormal, Language::Zh) => "对数正态",
        (Distribution::Poisson, Language::En) => "poisson",
        (Distribution::Poisson, Language::Zh) => "泊松",
        (Distribution::Empirical { .. }, Language::En) => "empirical",
        (Distribution::Empirical { .. }, Language::Zh) => "经验",
        (Distribution::Discrete { .. }, Language::En) => "discrete",
        (Distribution::Discrete { .. }, Language::Zh) => "离散",
        (Distribution::Constant, Language::En) => "constant",
        (Distribution::Constant, Language::Zh) => "常量",
    }
}

/// What to improve first.
fn explained(explanation: &Explanation, words: Words) -> Vec<String> {
    use Align::{Left, Right};
    let title = words.say("what to improve first", "优先改进");
    let now = significant(explanation.expanded, DIGITS);
    let mut lines = vec![format!("{title} (U = {now})")];
    let head = [
        words.say("quantity", "输入量"),
        words.say("U if u is halved", "u 减半后 U"),
        words.say("gain", "改善"),
        words.say("U if u is 0", "u 为 0 时 U"),
        words.say("gain", "改善"),
        words.say("U if ν is ∞", "ν 为 ∞ 时 U"),
    ];
    let mut table = Table::new(&[Left, Right, Right, Right, Right, Right], &head);
    let gain = |u: f64| format!("{:+.1} %", 100.0 * (u / explanation.expanded - 1.0));
    for one in &explanation.improvements {
        table.row(vec![
            one.symbol.clone(),
            significant(one.halved, DIGITS),
            gain(one.halved),
            significant(one.removed, DIGITS),
            gain(one.removed),
            one.dof_infinite
                .map_or(String::new(), |u| significant(u, DIGITS)),
        ]);
    }
    if explanation.improvements.is_empty() {
        let none = words.say("every input is exactly known.", "所有输入量均精确已知。");
        lines.push(format!("  {none}"));
    } else {
        lines.extend(table.lines());
    }
    for remark in &explanation.remarks {
        lines.extend(wrapped("  ! ", remark.get(words.0)));
    }
    lines
}

/// Correlations between several results.
fn together(evaluation: &Evaluation, words: Words) -> Vec<String> {
    let Some(joint) = &evaluation.joint else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let titled = [
        (
            words.say(
                "correlation of the results, first order",
                "结果间的相关系数, 一阶",
            ),
            &joint.first_order,
        ),
        (
            words.say(
                "correlation of the results, Monte Carlo",
                "结果间的相关系数, 蒙特卡洛",
            ),
            &joint.monte_carlo,
        ),
    ];
    for (title, matrices) in titled {
        let Some(matrices) = matrices else { continue };
        let mut head = vec![""];
        head.extend(joint.symbols.iter().map(String::as_str));
        let mut align = vec![Align::Right; head.len()];
        align[0] = Align::Left;
        let mut table = Table::new(&align, &head);
        for (symbol, row) in joint.symbols.iter().zip(&matrices.correlation) {
            let mut cells = vec![symbol.clone()];
            cells.extend(row.iter().map(|r| format!("{r:.4}")));
            table.row(cells);
        }
        lines.extend([String::new(), title.to_owned()]);
        lines.extend(table.lines());
    }
    if let Some(regions) = &joint.regions {
        let text = match words.0 {
            Language::En => format!(
                "the ellipsoid that holds {} of the trials has k = {:.3} (JCGM 102:2011, 7.7)",
                percent(regions.coverage),
                regions.k
            ),
            Language::Zh => format!(
                "包含 {} 试验的椭球域 k = {:.3} (JCGM 102:2011, 7.7)",
                percent(regions.coverage),
                regions.k
            ),
        };
        lines.extend(wrapped("", &text));
    }
    lines
}

/// What an assessor needs to compute it again.
fn provenance(report: &Report, file: &BudgetFile, words: Words) -> Vec<String> {
    let evaluation = &report.evaluation;
    let trials: Vec<_> = evaluation
        .outputs
        .iter()
        .filter_map(|one| one.monte_carlo.as_ref().ok())
        .map(|found| found.trials.to_string())
        .collect();
    let trials = trials.first().map_or("-", String::as_str);
    let run = match (&file.plan.run, &evaluation.convergence) {
        (Run::Adaptive { digits, .. }, Some(found)) => {
            let sequences = found.sequences;
            match words.0 {
                Language::En => format!(
                    "{trials} trials, adaptive: {sequences} sequences, stable to {digits} digit(s) of u"
                ),
                Language::Zh => {
                    format!("{trials} 次试验, 自适应: {sequences} 组, u 的 {digits} 位稳定")
                }
            }
        }
        _ => format!("{trials} {}", words.say("trials", "次试验")),
    };
    let mut lines = wrapped(
        words.say("drawn     ", "抽样      "),
        &format!(
            "{run}, {} {}, {}",
            words.say("seed", "种子"),
            evaluation.seed,
            evaluation.sampler
        ),
    );
    let (program, engine) = (&report.program, &evaluation.engine);
    let computed = words.say("computed  ", "计算      ");
    lines.extend(wrapped(computed, &format!("{program}, {engine}")));
    lines.extend(wrapped(
        words.say("file      ", "文件      "),
        &format!("{} sha256:{}", report.file, report.file_sha256),
    ));
    let model = words.say("model     ", "模型      ");
    lines.extend(wrapped(model, &format!("sha256:{}", report.model_sha256)));
    if let Some(reason) = &report.forced {
        lines.extend(wrapped("", &words.forced(reason)));
    }
    if !report.set.is_empty() {
        let set = words.say("replaced  ", "替换      ");
        lines.extend(wrapped(set, &report.set.join(" ")));
    }
    lines
}

/// Name of the method of a reported result.
pub fn method(of: ReportedMethod, words: Words) -> &'static str {
    match (of, words.0) {
        (ReportedMethod::FirstOrder, Language::En) => "first order",
        (ReportedMethod::FirstOrder, Language::Zh) => "一阶 (GUM)",
        (ReportedMethod::MonteCarloSymmetric, Language::En) => "Monte Carlo, symmetric interval",
        (ReportedMethod::MonteCarloSymmetric, Language::Zh) => "蒙特卡洛, 概率对称区间",
        (ReportedMethod::MonteCarloShortest, Language::En) => "Monte Carlo, shortest interval",
        (ReportedMethod::MonteCarloShortest, Language::Zh) => "蒙特卡洛, 最短区间",
    }
}
