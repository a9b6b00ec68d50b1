//! What `heng steady` found, for people and for programs.

use std::fmt::Write as _;

use heng_procedures::{Criteria, Criterion, CriterionState, Gap, History, SteadyTest, WindowKind};
use heng_quantities::{Language, Text};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::limits::{Judgement, Wanted};
use crate::cli::csv::cell;
use crate::cli::number::{beside, significant};
use crate::cli::table::{Align, Facts, Table, wrapped};
use crate::cli::{Exit, Failure};

/// Stretches and gaps that a text lists; a picture and the other formats have all.
const LISTED: usize = 12;

pub struct Report<'a> {
    pub file: String,
    pub file_sha256: String,
    pub filter: Vec<(String, String)>,
    /// Time of `t_us = 0`.
    pub start: Timestamp,
    pub zone: Offset,
    pub rows: usize,
    pub span_us: u64,
    /// Of each criterion.
    pub readings: Vec<usize>,
    pub wanted: &'a Wanted,
}

fn both(en: &str, zh: &str, language: Language) -> String {
    Text::new(en, zh).get(language).to_owned()
}

/// Name, title and limits of a criteria file.
pub fn described(criteria: &Criteria, language: Language) -> String {
    let mut lines = vec![format!("{} {}", criteria.name, criteria.version)];
    lines.extend(wrapped("  ", criteria.title.get(language)));
    lines.extend(wrapped("  ", criteria.source.get(language)));
    for one in &criteria.criterion {
        let unit = criteria.role(&one.signal).map(|signal| signal.unit);
        let unit = unit.map_or("", |unit| unit.difference().symbol());
        let minus = one.minus.as_ref();
        let minus = minus.map_or_else(String::new, |minus| format!(" − {minus}"));
        let limits = limits(one, unit, language);
        lines.extend(wrapped("  ", &format!("{}{minus}: {limits}", one.signal)));
    }
    lines.join("\n") + "\n"
}

/// Window and limits of a criterion, in words.
fn limits(one: &Criterion, unit: &str, language: Language) -> String {
    let say = |en: &str, zh: &str| both(en, zh, language);
    let time = duration(one.window_s);
    let least = one.minimum_readings.unwrap_or(0);
    let mut parts = vec![match one.window {
        WindowKind::Covering => say(&format!("over {time}"), &format!("窗口覆盖{time}")),
        WindowKind::Trailing => say(
            &format!("readings of the last {time}"),
            &format!("最近{time}内的读数"),
        ),
        WindowKind::Last => say(
            &format!("the last {least} readings, within {time}"),
            &format!("最近{least}个读数，{time}之内"),
        ),
    }];
    if least > 0 && one.window != WindowKind::Last {
        parts.push(say(
            &format!("at least {least} readings"),
            &format!("至少{least}个读数"),
        ));
    }
    if let Some(range) = one.range {
        parts.push(format!(
            "{} ≤ {range} {unit}",
            test_name(SteadyTest::Range, language)
        ));
    }
    if let Some(slope) = one.slope_per_h {
        let k = one.slope_k;
        let word = test_name(SteadyTest::Slope, language);
        let judged = if k > 0.0 {
            format!("|{word}| + {k} u")
        } else {
            format!("|{word}|")
        };
        parts.push(format!("{judged} ≤ {slope} {unit}/h"));
    }
    if let Some(scatter) = one.scatter {
        parts.push(format!(
            "{} ≤ {scatter} {unit}",
            test_name(SteadyTest::Scatter, language)
        ));
    }
    if let Some(reach) = &one.reach {
        let (within, soak) = (reach.within, duration(reach.soak_s));
        parts.push(say(
            &format!("within {within} {unit} of the set point for {soak}"),
            &format!("与设定值之差不超过{within} {unit}并保持{soak}"),
        ));
    }
    if !one.state.is_empty() {
        parts.push(say("the state holds", "状态保持"));
    }
    parts.join(", ")
}

fn test_name(test: SteadyTest, language: Language) -> String {
    let (en, zh) = match test {
        SteadyTest::Covered => ("time covered", "覆盖时间"),
        SteadyTest::Readings => ("readings", "读数个数"),
        SteadyTest::Range => ("range", "极差"),
        SteadyTest::Slope => ("slope", "斜率"),
        SteadyTest::Scatter => ("scatter", "标准差"),
        SteadyTest::State => ("state", "状态"),
        SteadyTest::Soak => ("soak", "恒温"),
    };
    both(en, zh, language)
}

/// `30 min`, `2.5 h`, in the largest unit that is not below 1.
fn duration(s: f64) -> String {
    let units = [
        (86_400.0 * 2.0, 86_400.0, "d"),
        (7200.0, 3600.0, "h"),
        (60.0, 60.0, "min"),
    ];
    let found = units.iter().find(|(from, ..)| s >= *from);
    let (factor, unit) = found.map_or((1.0, "s"), |(_, factor, unit)| (*factor, *unit));
    let text = format!("{:.1}", s / factor);
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

impl Report<'_> {
    fn at(&self, t_us: u64) -> jiff::Zoned {
        let since = SignedDuration::from_micros(i64::try_from(t_us).unwrap_or(i64::MAX));
        let moment = self.start.saturating_add(since).unwrap_or(self.start);
        moment.to_zoned(TimeZone::fixed(self.zone))
    }

    fn time(&self, t_us: u64) -> String {
        self.at(t_us).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Seconds of the start on the logger's clock, from an epoch of its own.
    pub fn local_s(&self) -> i64 {
        self.start.as_second() + i64::from(self.zone.seconds())
    }

    /// Name of a time on the logger's clock, as exact as the steps between them.
    pub fn tick(&self, local_s: i64, step_s: u64) -> String {
        let moment = Timestamp::from_second(local_s).unwrap_or(self.start);
        let zoned = moment.to_zoned(TimeZone::UTC);
        let midnight = local_s.rem_euclid(86_400) == 0;
        let form = match step_s {
            0..60 => "%H:%M:%S",
            _ if midnight => "%m-%d",
            _ => "%H:%M",
        };
        zoned.strftime(form).to_string()
    }

    /// File and filter.
    pub fn heading(&self, _: Language) -> String {
        let filter = self
            .filter
            .iter()
            .map(|(column, text)| format!("{column} = {text}"));
        let name = std::path::Path::new(&self.file).file_name();
        let name = name.unwrap_or_default().to_string_lossy().into_owned();
        [name]
            .into_iter()
            .chain(filter)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What was judged by.
    pub fn title(&self, language: Language) -> String {
        let criteria = &self.wanted.criteria;
        match (self.wanted.inline, self.wanted.judgements.first()) {
            (true, Some(first)) => {
                limits(&first.criterion, first.unit.difference().symbol(), language)
            }
            _ => criteria.title.get(language).to_owned(),
        }
    }

    pub fn text(&self, found: &History, language: Language) -> String {
        let say = |en: &str, zh: &str| both(en, zh, language);
        let mut text = format!("{}\n\n", self.heading(language));
        let mut facts = Facts::default();
        self.criteria_rows(&mut facts, language);
        let last = self.time(self.span_us);
        facts.row(
            say("Rows", "数据行"),
            say(
                &format!("{}, {} to {last}", self.rows, self.time(0)),
                &format!("{}行，{}至{last}", self.rows, self.time(0)),
            ),
        );
        facts.row(
            say("Steady", "稳定"),
            say(
                &format!("{} of {} windows", found.steady, found.verdicts),
                &format!("{}个窗口中{}个稳定", found.verdicts, found.steady),
            ),
        );
        let first = found
            .stretches
            .first()
            .map(|first| self.time(first.from_us));
        facts.row(
            say("First steady", "首次稳定"),
            first.unwrap_or_else(|| say("never", "从未")),
        );
        self.failure_rows(&mut facts, found, language);
        self.gap_row(&mut facts, &found.gaps, language);
        self.end_row(&mut facts, found, language);
        for line in facts.lines() {
            let _ = writeln!(text, "{line}");
        }
        self.stretches(&mut text, found, language);
        text
    }

    fn criteria_rows(&self, facts: &mut Facts, language: Language) {
        let say = |en: &str, zh: &str| both(en, zh, language);
        let criteria = &self.wanted.criteria;
        if !self.wanted.inline {
            let named = format!("{} {}", criteria.name, criteria.version);
            facts.row(say("Criterion", "判据"), named);
            facts.row(String::new(), criteria.title.get(language).to_owned());
            facts.row(
                say("Source", "来源"),
                criteria.source.get(language).to_owned(),
            );
        }
        for judgement in &self.wanted.judgements {
            let unit = judgement.unit.difference();
            let limits = limits(&judgement.criterion, unit.symbol(), language);
            facts.row(judgement.readings.name(), limits);
        }
        let gap = duration(criteria.gap_s);
        facts.row(
            String::new(),
            say(
                &format!("no window over a gap of more than {gap}"),
                &format!("窗口不跨越超过{gap}的间断"),
            ),
        );
    }

    fn failure_rows(&self, facts: &mut Facts, found: &History, language: Language) {
        let judgements = self.wanted.judgements.iter().zip(&found.failed);
        let mut head = both("Not steady by", "未稳定原因", language);
        for (judgement, failed) in judgements {
            let tests = failed
                .iter()
                .map(|(&test, count)| format!("{} {count}", test_name(test, language)));
            let tests = tests.collect::<Vec<_>>().join(", ");
            if !tests.is_empty() {
                let line = format!("{}: {tests}", judgement.readings.name());
                facts.row(std::mem::take(&mut head), line);
            }
        }
    }

    fn gap_row(&self, facts: &mut Facts, gaps: &[Gap], language: Language) {
        let say = |en: &str, zh: &str| both(en, zh, language);
        let longest = gaps.iter().max_by_key(|gap| gap.to_us - gap.from_us);
        let found = match longest {
            None => say("none", "无"),
            Some(longest) => {
                let long = duration((longest.to_us - longest.from_us) as f64 / 1e6);
                let at = self.time(longest.from_us);
                let count = gaps.len();
                say(
                    &format!("{count}, the longest {long} from {at}"),
                    &format!("{count}处，最长{long}，自{at}起"),
                )
            }
        };
        facts.row(say("Gaps", "间断"), found);
    }

    fn end_row(&self, facts: &mut Facts, found: &History, language: Language) {
        let mut head = both("At the end", "结束时", language);
        for (judgement, state) in self.wanted.judgements.iter().zip(&found.at_end) {
            let figures = figures(state, language);
            let verdict = if state.steady {
                both("steady", "稳定", language)
            } else {
                both("not steady", "未稳定", language)
            };
            let line = format!("{}: {verdict}; {figures}", judgement.readings.name());
            facts.row(std::mem::take(&mut head), line);
        }
    }

    fn stretches(&self, text: &mut String, found: &History, language: Language) {
        let say = |en: &str, zh: &str| both(en, zh, language);
        if found.stretches.is_empty() {
            return;
        }
        let heads = [
            say("steady from", "稳定自"),
            say("to", "至"),
            say("windows", "窗口数"),
            say("lasts", "持续"),
            say("first window", "首个窗口"),
        ];
        let heads: Vec<_> = heads.iter().map(String::as_str).collect();
        let align = [
            Align::Left,
            Align::Left,
            Align::Right,
            Align::Right,
            Align::Left,
        ];
        let mut table = Table::new(&align, &heads);
        for stretch in found.stretches.iter().take(LISTED) {
            let figures = stretch.states.iter().map(|state| figures(state, language));
            table.row(vec![
                self.time(stretch.from_us),
                self.time(stretch.to_us),
                stretch.verdicts.to_string(),
                duration((stretch.to_us - stretch.from_us) as f64 / 1e6),
                figures.collect::<Vec<_>>().join("; "),
            ]);
        }
        let _ = writeln!(text, "\n{}", table.lines().join("\n"));
        let more = found.stretches.len().saturating_sub(LISTED);
        if more > 0 {
            let _ = writeln!(
                text,
                "{}",
                say(
                    &format!("and {more} more: --format json has all"),
                    &format!("另有{more}段：--format json 列出全部"),
                )
            );
        }
    }

    pub fn json(&self, found: &History) -> Result<String, Failure> {
        let wanted = self.wanted;
        let criteria = &wanted.criteria;
        let signal = |(judgement, readings): (&Judgement, &usize)| {
            json!({
                "signal": judgement.criterion.signal, "readings_of": judgement.readings.name(),
                "unit": judgement.unit.symbol(), "readings": readings,
                "criterion": judgement.criterion,
            })
        };
        let signals: Vec<Value> = wanted
            .judgements
            .iter()
            .zip(&self.readings)
            .map(signal)
            .collect();
        let stretch = |one: &heng_procedures::Stretch| {
            json!({
                "from": self.time(one.from_us), "to": self.time(one.to_us),
                "window_from": self.time(one.window_from_us), "windows": one.verdicts,
                "first_window": one.states,
            })
        };
        let gap = |one: &Gap| {
            json!({
                "readings_of": wanted.judgements[one.criterion].readings.name(),
                "from": self.time(one.from_us), "to": self.time(one.to_us),
                "seconds": (one.to_us - one.from_us) as f64 / 1e6,
            })
        };
        let named = (!wanted.inline).then(|| {
            json!({
                "name": criteria.name, "version": criteria.version,
                "title": criteria.title, "source": criteria.source,
            })
        });
        let report = json!({
            "program": concat!("heng ", env!("CARGO_PKG_VERSION")),
            "file": self.file, "file_sha256": self.file_sha256,
            "filter": self.filter.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "criterion": named, "gap_s": criteria.gap_s, "signals": signals,
            "rows": self.rows, "from": self.time(0), "to": self.time(self.span_us),
            "windows": found.verdicts, "steady": found.steady,
            "first_steady": found.stretches.first().map(|first| self.time(first.from_us)),
            "stretches": found.stretches.iter().map(stretch).collect::<Vec<_>>(),
            "failed": found.failed, "gaps": found.gaps.iter().map(gap).collect::<Vec<_>>(),
            "at_end": found.at_end,
        });
        let text = serde_json::to_string_pretty(&report);
        Ok(text.map_err(|error| Failure::new(Exit::Input, &error))? + "\n")
    }

    /// Names of the columns of the verdicts.
    pub fn csv_head(&self) -> String {
        let mut head = "time,steady".to_owned();
        for judgement in &self.wanted.judgements {
            let name = judgement.readings.name();
            for column in [
                "steady",
                "readings",
                "covered_s",
                "range",
                "slope_per_h",
                "failed",
            ] {
                let _ = write!(head, ",{}", cell(&format!("{name}: {column}")));
            }
        }
        head + "\n"
    }

    /// One verdict, in full precision.
    pub fn csv_line(&self, csv: &mut String, t_us: u64, states: &[CriterionState]) {
        let all = states.iter().all(|state| state.steady);
        let _ = write!(csv, "{},{}", self.time(t_us), u8::from(all));
        for state in states {
            let slope = state
                .slope_per_h
                .map_or_else(String::new, |slope| format!("{slope:?}"));
            let failed = state.failed();
            let failed = failed.iter().map(|&test| test_name(test, Language::En));
            let _ = write!(
                csv,
                ",{},{},{:?},{:?},{slope},{}",
                u8::from(state.steady),
                state.count,
                state.covered_s,
                state.range,
                failed.collect::<Vec<_>>().join(" ")
            );
        }
        csv.push('\n');
    }
}

/// What a window came to, as far as it is limited, and its time.
fn figures(state: &CriterionState, language: Language) -> String {
    let unit = state.unit.symbol();
    let name = |test| test_name(test, language);
    let mut parts = Vec::new();
    if state.range_limit.is_some() {
        parts.push(format!(
            "{} {} {unit}",
            name(SteadyTest::Range),
            significant(state.range, 3)
        ));
    }
    if let Some(slope) = state
        .slope_per_h
        .filter(|_| state.slope_limit_per_h.is_some())
    {
        let u = state
            .slope_u_per_h
            .map(|u| format!(" ± {}", significant(u, 2)));
        // A slope that rounds to nothing beside its limit is shown as nothing.
        let scale = state
            .slope_u_per_h
            .filter(|u| *u > 0.0)
            .or(state.slope_limit_per_h);
        let slope = beside(slope, scale.unwrap_or(1.0), 2);
        let u = u.unwrap_or_default();
        parts.push(format!("{} {slope}{u} {unit}/h", name(SteadyTest::Slope)));
    }
    if let Some(scatter) = state.scatter {
        parts.push(format!(
            "{} {} {unit}",
            name(SteadyTest::Scatter),
            significant(scatter, 2)
        ));
    }
    if let Some(soaked_s) = state.soak.and_then(|soak| soak.soaked_s) {
        parts.push(format!("{} {}", name(SteadyTest::Soak), duration(soaked_s)));
    }
    let count = both(
        &format!("{} readings", state.count),
        &format!("{}个读数", state.count),
        language,
    );
    parts.push(format!("{count}, {}", duration(state.covered_s)));
    parts.join(", ")
}
