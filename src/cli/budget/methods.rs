//! The methods side by side, the verdict between them, and the decision.

use heng_quantities::Language;
use heng_uncertainty::{Budget, Conformity, MonteCarlo, OutputEvaluation, SecondOrder, Verdict};

use super::tables::{DIGITS, Words};
use crate::cli::number::{beside, percent, significant, with_error};
use crate::cli::table::{Align, Table, wrapped};

/// First order, second order and Monte Carlo side by side.
pub fn methods(output: &OutputEvaluation, words: Words) -> Vec<String> {
    use Align::{Left, Right};
    let coverage = output
        .monte_carlo
        .as_ref()
        .map(|found| found.coverage)
        .or_else(|_| output.first_order.as_ref().map(|found| found.coverage))
        .unwrap_or(f64::NAN);
    let interval = format!(
        "{} p = {}",
        words.say("interval", "包含区间"),
        percent(coverage)
    );
    let head = [
        words.say("method", "方法"),
        words.say("value", "值"),
        "u",
        "k",
        "U",
        interval.as_str(),
    ];
    let mut table = Table::new(&[Left, Right, Right, Right, Right, Left], &head);
    let mut refused = Vec::new();
    let first = words.say("first order", "一阶 (GUM)");
    match &output.first_order {
        Ok(budget) => table.row(first_order(budget, first)),
        Err(error) => refused.push((first, error.to_string())),
    }
    let second = words.say("second order", "二阶");
    match &output.second_order {
        Ok(found) => table.row(second_order(found, second)),
        Err(error) => refused.push((second, error.to_string())),
    }
    let trials = words.say("Monte Carlo", "蒙特卡洛");
    match &output.monte_carlo {
        Ok(found) => sampled(&mut table, (output, found), trials, words),
        Err(error) => refused.push((trials, error.to_string())),
    }
    let mut lines = table.lines();
    for (method, reason) in refused {
        lines.extend(wrapped(&format!("{method}: "), &reason));
    }
    if output.monte_carlo.is_ok() {
        let note = words.say(
            "A digit in parentheses is the standard error of the digit before it, from the finite \
             number of trials.",
            "括号内数字为有限试验次数引起的末位标准误差。",
        );
        lines.extend(wrapped("  ", note));
    }
    lines
}

fn first_order(budget: &Budget, label: &str) -> Vec<String> {
    let number = |x: f64| beside(x, budget.u, DIGITS);
    let [low, high] = [-1.0, 1.0].map(|sign| number(budget.value + sign * budget.expanded));
    vec![
        label.to_owned(),
        number(budget.value),
        significant(budget.u, DIGITS),
        format!("{:.2}", budget.k),
        significant(budget.expanded, DIGITS),
        format!("{low} … {high}"),
    ]
}

fn second_order(found: &SecondOrder, label: &str) -> Vec<String> {
    let u = found.u.unwrap_or(found.u_first);
    let shown = found.u.map_or("-".to_owned(), |u| significant(u, DIGITS));
    vec![label.to_owned(), beside(found.estimate, u, DIGITS), shown]
}

fn sampled(
    table: &mut Table,
    (output, found): (&OutputEvaluation, &MonteCarlo),
    label: &str,
    words: Words,
) {
    let spread = output.spread && found.u > 0.0;
    let u = if output.spread {
        with_error(found.u, found.errors.u)
    } else {
        "-".to_owned()
    };
    let rows = [
        (
            words.say("symmetric", "概率对称"),
            found.symmetric,
            found.errors.symmetric,
        ),
        (
            words.say("shortest", "最短"),
            found.shortest,
            found.errors.shortest,
        ),
    ];
    for (number, (kind, [low, high], errors)) in rows.into_iter().enumerate() {
        let expanded = 0.5 * (high - low);
        let ends = [with_error(low, errors[0]), with_error(high, errors[1])];
        let once = |text: String| if number == 0 { text } else { String::new() };
        let k = if spread {
            format!("{:.2}", expanded / found.u)
        } else {
            "-".to_owned()
        };
        table.row(vec![
            once(label.to_owned()),
            once(with_error(found.mean, found.errors.mean)),
            once(u.clone()),
            k,
            significant(expanded, DIGITS),
            format!("{} … {}  {kind}", ends[0], ends[1]),
        ]);
    }
}

pub fn verdict(output: &OutputEvaluation, words: Words) -> Vec<String> {
    let label = words.say("verdict   ", "结论      ");
    let Some(found) = &output.validation else {
        let text = words.say(
            "not compared: one of the two methods gives no result.",
            "未比较: 两种方法之一无结果。",
        );
        return wrapped(label, text);
    };
    let number = |x: f64| significant(x, 2);
    let (tolerance, digits) = (number(found.tolerance), found.digits);
    let ends = [number(found.d_low), number(found.d_high)];
    let text = match (found.validated, words.0) {
        (true, Language::En) => format!(
            "first order is validated: the ends of both intervals differ by {} and {}, at most \
             δ = {tolerance} ({digits} digit(s) of u; JCGM 101:2008, clause 8).",
            ends[0], ends[1]
        ),
        (false, Language::En) => format!(
            "first order is NOT validated: the ends of both intervals differ by {} and {}, more \
             than δ = {tolerance} ({digits} digit(s) of u; JCGM 101:2008, clause 8).",
            ends[0], ends[1]
        ),
        (true, Language::Zh) => format!(
            "一阶传播通过验证: 两区间端点相差 {} 与 {}, 不大于 δ = {tolerance} (u 的 {digits} 位有效数字; \
             JCGM 101:2008 第 8 章)。",
            ends[0], ends[1]
        ),
        (false, Language::Zh) => format!(
            "一阶传播未通过验证: 两区间端点相差 {} 与 {}, 大于 δ = {tolerance} (u 的 {digits} 位有效数字; \
             JCGM 101:2008 第 8 章)。",
            ends[0], ends[1]
        ),
    };
    wrapped(label, &text)
}

pub fn judged(conformity: &Conformity, words: Words) -> Vec<String> {
    let decision = &conformity.decision;
    let verdict = match decision.verdict {
        Verdict::Pass => words.say("PASS", "合格"),
        Verdict::ConditionalPass => words.say("CONDITIONAL PASS", "有条件合格"),
        Verdict::ConditionalFail => words.say("CONDITIONAL FAIL", "有条件不合格"),
        Verdict::Fail => words.say("FAIL", "不合格"),
    };
    let limit = |x: f64| {
        if x.is_finite() {
            format!("{x}")
        } else {
            significant(x, 2)
        }
    };
    let ends = [limit(conformity.lower), limit(conformity.upper)];
    let accepted = [decision.acceptance_low, decision.acceptance_high].map(|x| significant(x, 4));
    let trials = conformity.trials.map_or(String::new(), |trials| {
        let label = words.say(", of the trials ", ", 按试验 ");
        format!("{label}{}", with_error(trials.probability, trials.error))
    });
    let text = match words.0 {
        Language::En => format!(
            "{verdict} for the limits {} … {}, rule {}, acceptance interval {} … {}; probability of \
             conformity {:.5} for a normal distribution{trials} (JCGM 106:2012).",
            ends[0],
            ends[1],
            rule(conformity),
            accepted[0],
            accepted[1],
            decision.probability
        ),
        Language::Zh => format!(
            "{verdict}: 限值 {} … {}, 判定规则 {}, 接受区间 {} … {}; 合格概率 (正态分布) {:.5}{trials} \
             (JCGM 106:2012)。",
            ends[0],
            ends[1],
            rule(conformity),
            accepted[0],
            accepted[1],
            decision.probability
        ),
    };
    let mut lines = wrapped(words.say("conformity  ", "符合性    "), &text);
    if let Some(note) = &decision.note {
        lines.extend(wrapped("  ! ", note.get(words.0)));
    }
    lines
}

fn rule(conformity: &Conformity) -> String {
    use heng_uncertainty::DecisionRule::{Guarded, NonBinary, Probability, Simple};
    match &conformity.rule {
        Simple => "simple".to_owned(),
        Guarded { guard_fraction } => format!("guarded (w = {guard_fraction} U)"),
        NonBinary { guard_fraction } => format!("non_binary (w = {guard_fraction} U)"),
        Probability { threshold } => format!("probability (at least {threshold})"),
    }
}
