//! What stands at each place of a way: the words for results, points, scans and bytes.

use heng_drivers::{
    Class, DecodeError, Description, Reply, Request, description, escape, unescape,
};
use heng_procedures::{Indication, PointClosed, PointResult, ScanPurpose};
use heng_quantities::Text;
use heng_records::{Event, Exchange, TextRole};

use super::{Derived, Place, Step, Trail, text_of};

/// What the bytes of an exchange say by the driver description in the record.
pub(super) struct Decoded {
    pub class: Class,
    pub reply: Result<Reply, DecodeError>,
}

impl Trail<'_> {
    fn exchange(&self, number: u64) -> Option<&Exchange> {
        match &self.entry(number)?.event {
            Event::Exchange(exchange) => Some(exchange),
            _ => None,
        }
    }

    fn driver(&self, role: &str) -> Option<&Description> {
        self.evidence.as_ref()?.drivers.get(role)
    }

    /// None where the description does not know the request: the record keeps its bytes and the
    /// name of the command, not its arguments.
    pub(super) fn decoded(&self, number: u64) -> Option<Decoded> {
        let exchange = self.exchange(number)?;
        let driver = self.driver(&exchange.role)?;
        let tx = unescape(&exchange.tx).ok()?;
        let rx = unescape(&exchange.rx).ok()?;
        let plain = Request::new(&exchange.command);
        let request = match driver.encode(&plain) {
            Ok(bytes) if bytes == tx => plain,
            _ => driver
                .recognise(&tx)
                .map(|(request, _)| request)
                .filter(|request| request.command == exchange.command)?,
        };
        Some(Decoded {
            class: driver.class(&exchange.command)?,
            reply: driver.decode(&request, &rx),
        })
    }

    /// The exchange whose reply holds the digits of an indication. The indication names the last
    /// exchange of its read; where that took several commands, the digits came with one of them.
    pub(super) fn carrier(&self, scan: usize, indication: &Indication) -> Option<u64> {
        let channel = self.procedure()?.channel(&indication.channel)?;
        let before = scan.checked_sub(1).map_or(0, |at| self.scans[at].entry);
        (before..=indication.entry).rev().find(|&number| {
            let exchange = self.exchange(number);
            exchange.is_some_and(|one| one.role == channel.role)
                && self.decoded(number).is_some_and(|decoded| {
                    let reply = decoded.reply.ok();
                    let value = reply.and_then(|reply| reply.value(&channel.quantity).cloned());
                    value.is_some_and(|value| {
                        value.digits == indication.digits && value.unit == indication.unit
                    })
                })
        })
    }

    /// Why an exchange carries no reading.
    pub(super) fn no_reading(&self, number: u64) -> Text {
        let Some(exchange) = self.exchange(number) else {
            return Text::default();
        };
        if exchange.outcome != "complete" {
            let (outcome, reason) = (&exchange.outcome, &exchange.reason);
            return Text::new(
                format!("no complete reply came: {outcome} {reason}").trim_end(),
                format!("没有完整应答：{outcome} {reason}").trim_end(),
            );
        }
        match self.decoded(number) {
            None => Text::new(
                "the driver description in the record does not recognise the request: the way ends here",
                "记录中的驱动描述不能识别该请求：到此为止",
            ),
            Some(Decoded { class, .. }) if class != Class::Read => Text::new(
                &format!("a command of class {}: it carries no reading", class.name()),
                &format!("{} 类命令：不含读数", class.name()),
            ),
            Some(Decoded {
                reply: Err(error), ..
            }) => Text::new(
                &format!("the reply is none: {error}"),
                &format!("应答无效：{error}"),
            ),
            Some(_) => Text::new(
                "no scan took a value from its reply: it tells who answers, a state or a setting",
                "没有扫描取用其应答中的值：它说明身份、状态或设置",
            ),
        }
    }

    pub(super) fn exchange_step(&self, number: u64, depth: usize) -> Step {
        let Some(exchange) = self.exchange(number) else {
            let (en, zh) = ("this entry is no exchange", "该条目不是通信");
            return Step::end(number, depth, en, zh);
        };
        let role = self.role(&exchange.role);
        let text = Text::new(
            &format!("exchange with {}: {}", role.en, exchange.command),
            &format!("与{}通信：{}", role.zh, exchange.command),
        );
        let mut step = Step::new(number, Place::Exchange, depth, text);
        step.details = vec![
            bytes("sent", "发送", &exchange.tx),
            bytes("received", "接收", &exchange.rx),
        ];
        if !exchange.unsolicited.is_empty() {
            let all = &exchange.unsolicited;
            step.details
                .push(bytes("belongs to no reply", "不属于任何应答", all));
        }
        step.details.push(self.says(number));
        step.details.push(self.driver_then_and_now(&exchange.role));
        step
    }

    /// The values and texts of the reply.
    fn says(&self, number: u64) -> Text {
        match self.decoded(number).map(|decoded| decoded.reply) {
            None => self.no_reading(number),
            Some(Err(error)) => Text::new(
                &format!("the reply is none: {error}"),
                &format!("应答无效：{error}"),
            ),
            Some(Ok(reply)) => {
                let values = reply.values.iter().map(|value| {
                    let quality = value.quality.name();
                    format!(
                        "{} {} {} ({quality})",
                        value.quantity, value.digits, value.unit
                    )
                });
                let texts = reply.texts.iter();
                let texts = texts.map(|(name, text)| format!("{name} {}", escape(text.as_bytes())));
                let all: Vec<_> = values.chain(texts).collect();
                let all = all.join(", ");
                Text::new(&format!("says {all}"), &format!("解码 {all}"))
            }
        }
    }

    fn driver_then_and_now(&self, role: &str) -> Text {
        let Some(then) = self.driver(role) else {
            return Text::new(
                "the record holds no driver description for it that can be read",
                "记录中没有可读的驱动描述",
            );
        };
        let (id, version) = (then.id(), then.version());
        match description(id) {
            None => Text::new(
                &format!("driver {id} {version} in the record; this program has none of that name"),
                &format!("记录中的驱动 {id} {version}；本程序没有同名驱动"),
            ),
            Some(now) if now.text() == then.text() => Text::new(
                &format!("driver {id} {version} in the record; this program has the same text"),
                &format!("记录中的驱动 {id} {version}；本程序的文本相同"),
            ),
            Some(now) => Text::new(
                &format!(
                    "driver {id} {version} in the record; this program has {} with another text: the one in the record decodes",
                    now.version()
                ),
                &format!(
                    "记录中的驱动 {id} {version}；本程序为 {}，文本不同：按记录中的解码",
                    now.version()
                ),
            ),
        }
    }

    fn role(&self, name: &str) -> Text {
        let role = self.procedure().and_then(|procedure| procedure.role(name));
        role.map_or_else(|| Text::same(name), |role| role.title.clone())
    }

    pub(super) fn indication_step(
        &self,
        scan: usize,
        indication: &Indication,
        depth: usize,
    ) -> Step {
        let scan = &self.scans[scan];
        let Indication {
            channel,
            digits,
            unit,
            quality,
            ..
        } = indication;
        let said = format!("{channel} {digits} {unit} ({quality})");
        let text = Text::new(&format!("indication {said}"), &format!("示值 {said}"));
        let mut step = Step::new(scan.entry, Place::Indication, depth, text);
        step.details.extend(self.corrected(indication));
        step
    }

    /// The certificate that an indication of a standard is corrected by.
    fn corrected(&self, indication: &Indication) -> Option<Text> {
        let evidence = self.evidence.as_ref()?;
        let channel = evidence.procedure.channel(&indication.channel)?;
        if !evidence.procedure.is_corrected(channel) {
            return None;
        }
        let certificate = evidence.standards.get(&channel.role)?;
        let found = certificate
            .at(&channel.quantity, indication.digits.to_f64())
            .ok()?;
        let sha256 = evidence.standard_sha256.get(&channel.role)?;
        let text = |one: &&heng_records::Entry| {
            text_of(one)
                .is_some_and(|text| text.role == TextRole::Standard && text.sha256 == *sha256)
        };
        let entry = self.entries.iter().find(text)?.seq;
        let (number, value, unit) = (&certificate.number, found.value, channel.unit);
        Some(Text::new(
            &format!("by certificate {number} (#{entry}): {value} {unit}"),
            &format!("按证书 {number}（#{entry}）：{value} {unit}"),
        ))
    }

    pub(super) fn scan_step(&self, at: usize, depth: usize) -> Step {
        let Derived { entry, value: scan } = &self.scans[at];
        let signals = scan.signals.iter();
        let signals: Vec<_> = signals
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let signals = signals.join(", ");
        if scan.purpose == ScanPurpose::Settling {
            let text = Text::new(
                &format!("scan while settling: {signals}"),
                &format!("稳定过程扫描：{signals}"),
            );
            return Step::new(*entry, Place::Settling, depth, text);
        }
        let cycle = scan.cycle.unwrap_or_default();
        let rules = self.procedure().and_then(|one| one.reading.as_ref());
        let rules = rules.map(|rules| rules.count);
        let of = rules.map_or_else(String::new, |count| format!(" of {count}"));
        let text = Text::new(
            &format!("reading {cycle}{of}: {signals}"),
            &format!("读数 {cycle}{}：{signals}", of.replace(" of ", "/")),
        );
        Step::new(*entry, Place::Reading, depth, text)
    }

    pub(super) fn point_step(&self, point: &Derived<PointClosed>, depth: usize) -> Step {
        let Derived {
            entry,
            value: point,
        } = point;
        let rules = self.procedure().map_or(&[][..], |one| &one.point);
        let title = rules.get(point.index).map(|rule| rule.title.clone());
        let title = title.unwrap_or_default();
        let number = point.index + 1;
        let (n, repeats) = (point.cycles.len(), point.repeats.len());
        let text = Text::new(
            &format!(
                "point {number}, {}: {n} readings count, started over {repeats} times",
                title.en
            ),
            &format!(
                "第 {number} 点 {}：{n} 次有效读数，重新读数 {repeats} 次",
                title.zh
            ),
        );
        let mut step = Step::new(*entry, Place::Point, depth, text);
        if let Some(steady) = &point.steady {
            let waited_s = steady.waited_s;
            step.details.push(Text::new(
                &format!(
                    "steady after {waited_s:.0} s by {} criteria",
                    steady.criteria.len()
                ),
                &format!("{waited_s:.0} s 后稳定，{} 项判据", steady.criteria.len()),
            ));
        }
        step
    }

    pub(super) fn result_step(&self, result: &Derived<PointResult>, depth: usize) -> Step {
        let Derived {
            entry,
            value: result,
        } = result;
        let unit = result.unit.difference();
        let said = format!(
            "{} ± {} {unit} (k = {}, {})",
            result.rounded.value, result.rounded.uncertainty, result.budget.k, result.reported
        );
        let text = Text::new(
            &format!("result {}: {said}", result.title.en),
            &format!("结果 {}：{said}", result.title.zh),
        );
        let mut step = Step::new(*entry, Place::Result, depth, text);
        let Some(evidence) = &self.evidence else {
            return step;
        };
        let procedure = &evidence.procedure;
        let (id, version) = (&procedure.id, &procedure.version);
        let sha256 = &evidence.procedure_sha256;
        step.details.push(Text::new(
            &format!("procedure {id} {version}, SHA-256 {sha256}"),
            &format!("程序 {id} {version}，SHA-256 {sha256}"),
        ));
        let measurands = procedure.measurand.iter();
        for measurand in measurands.filter(|one| one.id == result.measurand) {
            let lines = measurand
                .model
                .lines()
                .filter(|line| !line.trim().is_empty());
            step.details
                .extend(lines.map(|line| Text::same(line.trim())));
        }
        step
    }
}

/// Bytes as hexadecimal pairs and as the text of the record.
fn bytes(en: &str, zh: &str, escaped: &str) -> Text {
    let hex = unescape(escaped).map_or_else(
        |error| error.to_string(),
        |all| {
            let pairs: Vec<_> = all.iter().map(|byte| format!("{byte:02X}")).collect();
            pairs.join(" ")
        },
    );
    Text::new(
        &format!("{en} {hex}  \"{escaped}\""),
        &format!("{zh} {hex}  \"{escaped}\""),
    )
}
