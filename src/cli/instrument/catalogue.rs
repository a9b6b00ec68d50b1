//! `heng instruments`: what this program can talk to, and the documentation page of a model.

use std::collections::BTreeMap;

use clap::Args;
use heng_drivers::{Description, Evidence, LineSettings, QuantityInfo, escape};
use heng_quantities::{Language, Text};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::document::{Command, Document, Limits};
use super::{Format, described, json_page};
use crate::cli::budget::tables::Words;
use crate::cli::table::{Facts, WIDTH, wrapped};
use crate::cli::{Exit, Failure, Tongue, print};

#[derive(Args)]
pub struct Instruments {
    /// A model: prints its documentation page
    model: Option<String>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Language of texts
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    title: &'a str,
    kind: &'a Text,
    version: &'a str,
    line: LineSettings,
    /// Kinds of evidence, best first.
    evidence: Vec<Evidence>,
    marks: Vec<&'a str>,
    quantities: Vec<Ranged<'a>>,
}

#[derive(Serialize)]
struct Ranged<'a> {
    name: &'a str,
    unit: String,
    min: f64,
    max: f64,
    /// Range of set points; none where the quantity is only measured.
    set_range: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct Page<'a> {
    program: &'static str,
    #[serde(flatten)]
    entry: Entry<'a>,
    description: &'a Document,
}

impl<'a> Entry<'a> {
    fn of(description: &'a Description, document: &'a Document) -> Self {
        let ranged = |info: &'a QuantityInfo| Ranged {
            name: &info.name,
            unit: info.unit.to_string(),
            min: info.min,
            max: info.max,
            set_range: info.set_range,
        };
        Self {
            id: description.id(),
            title: description.title(),
            kind: description.kind(),
            version: description.version(),
            line: description.line(),
            evidence: description.evidence(),
            marks: document.marks(),
            quantities: description.quantities().iter().map(ranged).collect(),
        }
    }
}

pub fn instruments(arguments: &Instruments) -> Result<Exit, Failure> {
    let words = Words(arguments.lang.into());
    let Some(model) = &arguments.model else {
        return list(arguments.format, words);
    };
    let description = described(model, &[])?;
    let document = Document::of(&description)?;
    let entry = Entry::of(&description, &document);
    print(&match arguments.format {
        Format::Json => json_page(&Page {
            program: concat!("heng ", env!("CARGO_PKG_VERSION")),
            entry,
            description: &document,
        })?,
        Format::Text => page(&description, &document, &entry, words),
    })
}

fn list(format: Format, words: Words) -> Result<Exit, Failure> {
    let described = heng_drivers::catalogue();
    let documents = described
        .iter()
        .map(Document::of)
        .collect::<Result<Vec<_>, _>>()?;
    let entries = described.iter().zip(&documents);
    let entries: Vec<_> = entries.map(|(one, text)| Entry::of(one, text)).collect();
    if format == Format::Json {
        return print(&json_page(&entries)?);
    }
    let mut lines = Vec::new();
    for entry in &entries {
        let said = format!(
            "{} ({}); {}; {} ({})",
            entry.title,
            entry.kind.get(words.0),
            entry.line,
            evidence(&entry.evidence, words),
            entry.marks.join(", ")
        );
        lines.extend(wrapped(&format!("{:<17} ", entry.id), &said));
        for quantity in &entry.quantities {
            let said = ranges(quantity, words);
            lines.extend(wrapped(&format!("{:18}  ", ""), &said));
        }
    }
    lines.push(String::new());
    let more = words.say(
        "`heng instruments MODEL` prints the page of a model: commands, limits, sources.",
        "`heng instruments 型号` 给出该型号的说明页：命令、时限、来源。",
    );
    lines.push(more.to_owned());
    print(&(lines.join("\n") + "\n"))
}

fn evidence(kinds: &[Evidence], words: Words) -> String {
    let said: Vec<_> = kinds
        .iter()
        .map(|kind| match kind {
            Evidence::Manual => words.say("maker's manual", "制造商手册"),
            Evidence::Log => words.say("bytes of a real instrument", "真实仪器的通信记录"),
            Evidence::Peer => words.say("public drivers", "公开的驱动程序"),
            Evidence::Own => words.say("our word alone", "仅为自述"),
        })
        .collect();
    said.join(", ")
}

fn ranges(quantity: &Ranged<'_>, words: Words) -> String {
    let (name, unit, to) = (quantity.name, &quantity.unit, words.say("to", "至"));
    let mut said = format!("{name} {} {to} {} {unit}", quantity.min, quantity.max);
    if let Some([min, max]) = quantity.set_range {
        let set = words.say("set points", "设定值");
        said = format!("{said}, {set} {min} {to} {max} {unit}");
    }
    said
}

fn page(description: &Description, document: &Document, entry: &Entry<'_>, words: Words) -> String {
    let mut lines = vec![description.title().to_owned(), "═".repeat(WIDTH)];
    lines.extend(head(description, document, words));
    lines.extend(section(words.say("Quantities", "量")));
    for quantity in &entry.quantities {
        lines.extend(wrapped("  ", &ranges(quantity, words)));
    }
    lines.extend(section(words.say("Commands", "命令")));
    lines.extend(wrapped(
        "  ",
        words.say(
            "In braces: what is read or written, with the format of a number; > request without its end, < one line of the reply each.",
            "花括号内为读写的内容及数字格式；> 为不含结束符的请求，< 为应答的各行。",
        ),
    ));
    for command in &document.command {
        lines.extend(of_command(description, document, command, words));
    }
    if let Some(set) = setting(document, words) {
        lines.extend(section(
            words.say("Setting and safe state", "设定与安全状态"),
        ));
        lines.extend(set);
    }
    if !document.parameters.is_empty() {
        lines.extend(section(words.say(
            "Parameters that differ from unit to unit (--layout NAME=VALUE)",
            "各台仪器不同的参数（--layout 名称=值）",
        )));
        let mut facts = Facts::default();
        for (name, value) in &document.parameters {
            facts.row(format!("  {name}"), visible(value));
        }
        lines.extend(facts.lines());
    }
    lines.extend(sources(description, words));
    lines.join("\n") + "\n"
}

fn section(title: &str) -> [String; 3] {
    [String::new(), title.to_owned(), "─".repeat(title.width())]
}

fn head(description: &Description, document: &Document, words: Words) -> Vec<String> {
    let mut facts = Facts::default();
    let mut row = |en, zh, said: String| facts.row(words.say(en, zh).to_owned(), said);
    row(
        "model",
        "型号",
        format!(
            "{} {} {}, {}",
            description.id(),
            words.say("description", "描述文件"),
            description.version(),
            description.kind().get(words.0)
        ),
    );
    row(
        "line",
        "线路",
        format!(
            "{} {}",
            document.line,
            words.say(
                "from the factory; the unit may be set otherwise",
                "（出厂设置，各台可能不同）",
            )
        ),
    );
    for (en, zh, end) in [
        ("request", "请求", &document.request),
        ("reply", "应答", &document.reply),
    ] {
        if let Some(end) = end {
            let said = words.say("ends with", "结束符");
            row(en, zh, format!("{said} {}", visible(&end.end)));
        }
    }
    row("time limits", "时限", time_limits(&document.limits, words));
    let mut said = document.identify.commands.join(", ");
    if let Some(model) = &document.identify.model {
        let begins = words.say("the model must begin with", "型号须以此开头：");
        said = format!("{said}; {begins} \"{model}\"");
    }
    row("identify", "识别", said);
    if !document.stop_talk.is_empty() {
        row("stop talk", "停止自动输出", document.stop_talk.join(", "));
    }
    if let Some(query) = &document.error_query {
        row("last error", "错误查询", query.clone());
    }
    row(
        "evidence",
        "依据",
        format!(
            "{} ({})",
            evidence(&description.evidence(), words),
            document.marks().join(", ")
        ),
    );
    facts.lines()
}

fn time_limits(limits: &Limits, words: Words) -> String {
    let Limits {
        first_byte_ms,
        between_bytes_ms,
        total_ms,
        gap_ms,
        retries,
    } = limits;
    match words.0 {
        Language::En => format!(
            "first byte {first_byte_ms} ms, between bytes {between_bytes_ms} ms, whole reply {total_ms} ms, gap before the next request {gap_ms} ms; {retries} repeats in a session"
        ),
        Language::Zh => format!(
            "首字节 {first_byte_ms} ms，字节间 {between_bytes_ms} ms，整个应答 {total_ms} ms，请求间隔 {gap_ms} ms；会话中重复 {retries} 次"
        ),
    }
}

fn of_command(
    description: &Description,
    document: &Document,
    command: &Command,
    words: Words,
) -> Vec<String> {
    let class = description.class(&command.name).unwrap_or_default().name();
    let mut head = format!("  {}  {class}", command.name);
    if let Some(ms) = command.first_byte_ms {
        let said = words.say("first byte", "首字节");
        head = format!("{head}, {said} {ms} ms");
    }
    if let Some(ms) = command.gap_ms {
        let said = words.say("gap", "间隔");
        head = format!("{head}, {said} {ms} ms");
    }
    let none = BTreeMap::new();
    let shown = |template: &str| visible(&document.filled(template, &none));
    let mut lines = vec![head];
    if let Some(registers) = &command.modbus {
        let each = registers
            .iter()
            .map(|(name, value)| format!("{name} {value}"));
        lines.push(format!(
            "    Modbus {}",
            each.collect::<Vec<_>>().join(", ")
        ));
    }
    if command.modbus.is_none() || !command.send.is_empty() {
        lines.extend(broken("    > ", &shown(&command.send)));
    }
    if command.reply.is_empty() && command.modbus.is_none() {
        lines.push(format!("    < {}", words.say("no reply", "无应答")));
    }
    for line in &command.reply {
        lines.extend(broken("    < ", &shown(line)));
    }
    lines
}

/// A template in lines of at most [`WIDTH`], cut after a blank where there is one: its blanks
/// count, so it is not wrapped as words are.
fn broken(head: &str, text: &str) -> Vec<String> {
    let room = WIDTH - head.width();
    let mut lines = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    while rest.len() > room {
        let blank = rest[..room].iter().rposition(|&character| character == ' ');
        let tail = rest.split_off(blank.map_or(room, |at| at + 1));
        lines.push(std::mem::replace(&mut rest, tail));
    }
    lines.push(rest);
    let indent = " ".repeat(head.width());
    let heads = std::iter::once(head).chain(std::iter::repeat(&*indent));
    let lines = heads.zip(lines);
    lines
        .map(|(head, piece)| format!("{head}{}", piece.into_iter().collect::<String>()))
        .collect()
}

fn setting(document: &Document, words: Words) -> Option<Vec<String>> {
    let set = document.set.as_ref()?;
    let mut steps = Vec::new();
    if let Some(read) = &set.read {
        let read = read.names().join(", ");
        steps.push(format!("{} {read}", words.say("reads", "读取")));
    }
    steps.push(format!(
        "{} {}",
        words.say("writes", "写入"),
        set.write.join(", ")
    ));
    steps.push(format!(
        "{} {} ms",
        words.say("waits", "等待"),
        set.settle_ms
    ));
    steps.push(format!(
        "{} {}",
        words.say("reads back with", "回读"),
        set.verify.names().join(", ")
    ));
    let mut facts = Facts::default();
    facts.row(format!("  {}", words.say("set", "设定")), steps.join("; "));
    let stated = |fields: &BTreeMap<String, String>| {
        let each = fields.iter().map(|(name, text)| format!("{name} = {text}"));
        each.collect::<Vec<_>>().join(", ")
    };
    if !set.always.is_empty() {
        facts.row(
            format!("  {}", words.say("always", "始终写入")),
            stated(&set.always),
        );
    }
    let safe = match &document.safe_state {
        Some(fields) => stated(fields),
        None if document.safe_step.is_empty() => words.say("none described", "未描述").to_owned(),
        None => {
            let steps = document.safe_step.iter().map(|step| {
                let write = step
                    .write
                    .as_ref()
                    .map_or_else(String::new, |write| format!("{write}, "));
                format!("{write}{} = {}", step.verify, stated(&step.expect))
            });
            steps.collect::<Vec<_>>().join("; ")
        }
    };
    facts.row(format!("  {}", words.say("safe state", "安全状态")), safe);
    Some(facts.lines())
}

fn sources(description: &Description, words: Words) -> Vec<String> {
    let mut lines = section(words.say("Sources", "来源")).to_vec();
    for source in description.sources() {
        lines.extend(wrapped("  ", source));
    }
    lines.push(String::new());
    lines.extend(wrapped("  ", words.say(
        "M maker's manual, L log of a real instrument, C public driver read, T public program tried, own our word.",
        "M 制造商手册，L 真实仪器的通信记录，C 公开的驱动程序，T 试用过的公开程序，own 自述。",
    )));
    if !description.quirks().is_empty() {
        lines.extend(section(words.say("Peculiarities", "特殊之处")));
        for quirk in description.quirks() {
            lines.extend(wrapped("  ", &format!("{} ({})", quirk.text, quirk.source)));
        }
    }
    if !description.not_confirmed().is_empty() {
        lines.extend(section(
            words.say("Not confirmed, and left out", "未经证实，未采用"),
        ));
        for note in description.not_confirmed() {
            lines.extend(wrapped("  ", note));
        }
    }
    lines
}

/// Bytes that no terminal shows, written as escapes.
fn visible(template: &str) -> String {
    template
        .chars()
        .map(|character| match u8::try_from(character) {
            Ok(byte) if character.is_control() => escape(&[byte]),
            _ => character.to_string(),
        })
        .collect()
}
