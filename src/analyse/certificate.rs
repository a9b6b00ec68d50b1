//! From results to the certificate document.
//!
//! Composition only: numbers come rounded from the results, words from procedure and order.

use heng_certificates::{
    Cells, Certificate, Column, ConformityStatement, FormulaNote, Influence, Item, Method, Party,
    Person, Plot, PlotPoint, Program, RecordRef, Series, Standard, Table,
};
use heng_procedures::{
    BeyondRange, Channel, CorrectionKind, Direction, Measurand, Order, PointClosed, PointResult,
    Procedure, Purpose, Rules, Scan, StandardCertificate, StandardChannel, Violation,
};
use heng_quantities::{Decimal, Text, Unit, round_result};
use heng_uncertainty::{DecisionRule, Distribution, Formula, Model, Verdict};

use super::artefact::Composed;
use super::budget;
use crate::session::bench::Scope;
use crate::session::evidence::Evidence;

/// How a measurement ended: the entry that the certificate names, and the days.
#[derive(Debug, Clone)]
pub struct Closing {
    pub entry: u64,
    pub head: String,
    /// RFC 3339 moments of the first and the last entry.
    pub begun: String,
    pub ended: String,
}

/// Day of an RFC 3339 moment.
fn day(moment: &str) -> String {
    moment.get(..10).unwrap_or(moment).to_owned()
}

/// Parts of a certificate that do not depend on what was measured.
pub struct Frame<'a> {
    pub number: &'a str,
    pub order: &'a Order,
    pub scope: &'a Scope,
    pub procedure: &'a Procedure,
    pub procedure_sha256: &'a str,
    pub operator: &'a str,
    pub closing: &'a Closing,
    /// RFC 3339 moment of issue.
    pub issued: String,
}

impl Frame<'_> {
    fn method(&self) -> Method {
        let procedure = self.procedure;
        Method {
            id: procedure.id.clone(),
            version: procedure.version.clone(),
            title: procedure.title.clone(),
            norm: procedure.norms.clone(),
            sha256: self.procedure_sha256.to_owned(),
        }
    }

    /// A certificate without results.
    pub fn certificate(&self) -> Certificate {
        let Self {
            number,
            order,
            scope,
            operator,
            closing,
            issued,
            ..
        } = self;
        let customer = &order.customer;
        let item = &order.item;
        Certificate {
            number: (*number).to_owned(),
            program: Program {
                name: "heng".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            demonstration: scope.demonstration,
            title: Text::new("Calibration Certificate", "校准证书"),
            laboratory: Party {
                name: scope.name.clone(),
                address: scope.address.clone(),
                contact: scope.contact.clone(),
                code: scope.code.clone(),
            },
            customer: Party {
                name: customer.name.clone(),
                address: customer.address.clone(),
                contact: customer.contact.clone(),
                code: None,
            },
            place: order.place.clone().unwrap_or_else(|| scope.address.clone()),
            item: Item {
                name: item.name.clone(),
                manufacturer: item.manufacturer.clone(),
                model: item.model.clone(),
                serial: item.serial.clone(),
                condition: item.condition.clone(),
            },
            received: Some(order.received.to_string()),
            begun: day(&closing.begun),
            ended: day(&closing.ended),
            issued: day(issued),
            country: scope.country.clone(),
            methods: vec![self.method()],
            formulas: Vec::new(),
            model: String::new(),
            standards: Vec::new(),
            environment: Vec::new(),
            tables: Vec::new(),
            budgets: Vec::new(),
            plots: Vec::new(),
            decision_rule: None,
            conformity: Vec::new(),
            statements: scope.statements.clone(),
            persons: vec![Person {
                role: Text::new("Measured by", "校准员"),
                name: (*operator).to_owned(),
                main_signer: true,
            }],
            software: Vec::new(),
            record: RecordRef {
                file: format!("{number}.jsonl"),
                entries: closing.entry + 1,
                head: closing.head.clone(),
            },
        }
    }
}

/// Composes the certificate of a comparison.
///
/// # Errors
/// A sentence that names the result which cannot be written.
pub fn comparison(
    evidence: &Evidence,
    points: &[PointClosed],
    results: &[PointResult],
    closing: &Closing,
) -> Result<Composed, String> {
    let Evidence {
        procedure, order, ..
    } = evidence;
    let frame = Frame {
        number: &evidence.opened.session,
        order,
        scope: &evidence.scope,
        procedure,
        procedure_sha256: &evidence.procedure_sha256,
        operator: &evidence.opened.operator,
        closing,
        issued: closing.ended.clone(),
    };
    let mut document = frame.certificate();
    document.formulas = formula_notes(evidence, points, results)?;
    document.standards = standards(evidence, points, &document.ended);
    document.environment = environment(evidence, points)?;
    document.statements.extend(bench_statements(evidence));
    document.statements.extend(equation_statements(evidence));
    let mut budgets = Vec::new();
    for measurand in &procedure.measurand {
        let own: Vec<_> = results
            .iter()
            .filter(|one| one.measurand == measurand.id)
            .collect();
        if own.is_empty() {
            continue;
        }
        document
            .tables
            .push(table(procedure, measurand, points, &own)?);
        document.plots.push(plot(procedure, measurand, &own));
        document.conformity.extend(conformity(measurand, &own));
        if !document.model.is_empty() {
            document.model.push('\n');
        }
        document.model.push_str(measurand.model.trim_end());
        let all: Vec<_> = own
            .iter()
            .map(|result| budget::table(measurand, &point_title(procedure, result.point), result))
            .collect();
        let largest = own
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| a.budget.expanded.total_cmp(&b.budget.expanded));
        document
            .budgets
            .extend(largest.and_then(|(index, _)| all.get(index).cloned()));
        budgets.extend(all);
        document.statements.extend(notes(&own));
    }
    if results.iter().any(|result| result.decision.is_some()) {
        document.decision_rule = Some(rule_in_words(procedure, order));
    }
    Ok(Composed { document, budgets })
}

fn bench_statements(evidence: &Evidence) -> Vec<Text> {
    let bench = &evidence.bench.name;
    let mut statements = vec![Text::new(
        &format!("Bench: {}.", bench.en),
        &format!("校准装置：{}。", bench.zh),
    )];
    if evidence.opened.clock == "simulated" {
        statements.push(Text::new(
            "All instruments were simulated: the results describe no real item.",
            "所有仪器均为模拟，结果不代表任何真实器具。",
        ));
    }
    statements
}

/// Notes of the results, each said once.
fn notes(results: &[&PointResult]) -> Vec<Text> {
    let mut said: Vec<Text> = Vec::new();
    for note in results.iter().flat_map(|result| &result.notes) {
        if !said.contains(note) {
            said.push(note.clone());
        }
    }
    said
}

fn point_title(procedure: &Procedure, index: usize) -> Text {
    let point = procedure.point.get(index);
    point.map_or_else(Text::default, |point| point.title.clone())
}

fn direction(procedure: &Procedure, index: usize) -> Text {
    match procedure.point.get(index).and_then(|point| point.direction) {
        Some(Direction::Rising) => Text::new("rising", "上升"),
        Some(Direction::Falling) => Text::new("falling", "下降"),
        None => Text::same("–"),
    }
}

/// Channels of standards whose certificates state an equation, with the certificates.
fn equations(evidence: &Evidence) -> Vec<(&StandardCertificate, &StandardChannel)> {
    let roles = evidence.procedure.role.iter();
    let mut found = Vec::new();
    for role in roles.filter(|role| role.purpose == Purpose::Reference) {
        let Some(certificate) = evidence.standards.get(&role.name) else {
            continue;
        };
        let channels = role
            .quantities
            .iter()
            .filter_map(|one| certificate.channel(one));
        let by_equation = channels.filter(|one| one.correction_kind() != CorrectionKind::Points);
        found.extend(by_equation.map(|channel| (certificate, channel)));
    }
    found
}

/// How the values of such channels came from the indications.
fn equation_statements(evidence: &Evidence) -> Vec<Text> {
    let in_words = |(certificate, channel): (&StandardCertificate, &StandardChannel)| {
        let (number, quantity) = (&certificate.number, channel.quantity());
        let (unit, kind) = (channel.indication_unit(), channel.correction_kind().text());
        Text::new(
            &format!(
                "Certificate {number}, {quantity}: values from the indications in {unit} by the {}.",
                kind.en
            ),
            &format!(
                "证书 {number}，{quantity}：由以 {unit} 为单位的示值按{}求得。",
                kind.zh
            ),
        )
    };
    equations(evidence).into_iter().map(in_words).collect()
}

/// Formulas that the models called, as bound by the order's choices and the answers given, and
/// those of the standards' equations.
fn formula_notes(
    evidence: &Evidence,
    points: &[PointClosed],
    results: &[PointResult],
) -> Result<Vec<FormulaNote>, String> {
    let Evidence {
        procedure, order, ..
    } = evidence;
    let has_ranges = evidence.rules() == Rules::Present;
    let mut notes: Vec<FormulaNote> = Vec::new();
    let note = |notes: &mut Vec<FormulaNote>, formula: &Formula| {
        if notes.iter().any(|note| note.name == formula.name) {
            return;
        }
        let arguments = formula.arguments.iter().filter(|_| has_ranges);
        notes.push(FormulaNote {
            name: formula.name.clone(),
            version: formula.version,
            title: formula.title.clone(),
            source: formula.source.clone(),
            ranges: arguments.map(ToString::to_string).collect(),
            forced: forced(order, &formula.name, results),
        });
    };
    for point in points {
        let library = procedure
            .formulas(&order.choices, &point.answers)
            .map_err(|error| error.to_string())?;
        for measurand in &procedure.measurand {
            let model = Model::compile(&measurand.model, &library).map_err(|problems| {
                let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
                lines.join("; ")
            })?;
            for formula in model.formulas() {
                note(&mut notes, formula);
            }
        }
    }
    for (_, channel) in equations(evidence) {
        for formula in channel.formulas() {
            note(&mut notes, formula);
        }
    }
    Ok(notes)
}

/// The statement of the order, where a result needed it.
fn forced(order: &Order, formula: &str, results: &[PointResult]) -> Vec<Text> {
    let mut uses = results.iter().flat_map(|result| &result.forced);
    let is_used = uses
        .any(|one| matches!(&one.violation, Violation::Formula(found) if found.formula == formula));
    let statement = order.beyond_range_of(formula).filter(|_| is_used);
    let in_words = |statement: &BeyondRange| Text {
        en: format!(
            "USED OUTSIDE OF ITS RANGE, forced by {}: {}.",
            statement.person,
            statement.reason.en.trim_end_matches('.')
        ),
        zh: format!(
            "超出适用范围使用，由{}决定强制使用：{}。",
            statement.person,
            statement.reason.zh.trim_end_matches('。')
        ),
    };
    statement.map(in_words).into_iter().collect()
}

fn standards(evidence: &Evidence, points: &[PointClosed], ended: &str) -> Vec<Standard> {
    let used = |role: &str, quantity: &str| -> Vec<f64> {
        let channels = evidence.procedure.channel.iter();
        let names: Vec<_> = channels
            .filter(|channel| channel.role == role && channel.quantity == quantity)
            .map(|channel| &channel.name)
            .collect();
        let scans = points.iter().flat_map(|point| &point.cycles);
        scans
            .flat_map(|scan| &scan.indications)
            .filter(|indication| names.contains(&&indication.channel))
            .map(|indication| indication.digits.to_f64())
            .collect()
    };
    let roles = evidence
        .procedure
        .role
        .iter()
        .filter(|role| role.purpose != Purpose::UnitUnderTest);
    roles
        .filter_map(|role| Some((role, evidence.standards.get(&role.name)?)))
        .map(|(role, certificate)| {
            let in_range = role.quantities.iter().all(|quantity| {
                used(&role.name, quantity)
                    .into_iter()
                    .all(|indication| certificate.corrected(quantity, indication).is_ok())
            });
            let valid_until = certificate.valid_until.to_string();
            Standard {
                role: role.title.clone(),
                name: Text::same(&format!(
                    "{} {}",
                    certificate.instrument.maker, certificate.instrument.model
                )),
                model: certificate.instrument.model.clone(),
                serial: certificate.instrument.serial.clone(),
                certificate: certificate.number.clone(),
                issuer: certificate.issuer.clone(),
                calibrated: certificate.calibrated.to_string(),
                // Days are written YYYY-MM-DD and compare as texts.
                in_validity: in_range && ended <= valid_until.as_str(),
                valid_until,
                sha256: evidence
                    .standard_sha256
                    .get(&role.name)
                    .cloned()
                    .unwrap_or_default(),
                traceable: certificate.traceable,
            }
        })
        .collect()
}

/// Decimal places for a mean of readings: one digit beyond what the instrument shows would
/// claim more than the readings hold, so the instrument's own.
fn places(exponent: i8) -> u8 {
    exponent.min(0).unsigned_abs()
}

/// Readings of a channel in its unit: as the instrument sent them, or, where a standard
/// indicates another quantity, the values from its certificate to the digit that a step of the
/// indication is worth.
fn values_read(
    evidence: &Evidence,
    channel: &Channel,
    points: &[PointClosed],
) -> Result<Vec<Decimal>, String> {
    let certificate = evidence.standards.get(&channel.role);
    let certified = certificate
        .filter(|_| evidence.procedure.is_corrected(channel))
        .and_then(|one| one.channel(&channel.quantity))
        .filter(|one| one.indication_unit() != one.unit());
    let scans = points.iter().flat_map(|point| &point.cycles);
    let indications = scans
        .flat_map(|scan: &Scan| &scan.indications)
        .filter(|indication| indication.channel == channel.name);
    let value = |digits: Decimal| -> Result<Decimal, String> {
        let Some(certified) = certified else {
            return Ok(digits);
        };
        let indication = digits.to_f64();
        let refuse = |cause: &dyn std::fmt::Display| format!("values of {}: {cause}", channel.name);
        let found = certified.at(indication).map_err(|error| refuse(&error))?;
        let step = certified.sensitivity(indication).unwrap_or(1.0).abs() * digits.resolution();
        let places = (0_u8..9).find(|&places| step * f64::from(10_u32.pow(places.into())) >= 1.0);
        Decimal::from_f64(found.value, places.unwrap_or(9)).map_err(|error| refuse(&error))
    };
    indications.map(|one| value(one.digits)).collect()
}

fn environment(evidence: &Evidence, points: &[PointClosed]) -> Result<Vec<Influence>, String> {
    let procedure = &evidence.procedure;
    let mut influences = Vec::new();
    for channel in &procedure.channel {
        let purpose = procedure.role(&channel.role).map(|role| role.purpose);
        let ref_type = match (purpose, channel.quantity.as_str()) {
            (Some(Purpose::Reference | Purpose::Environment), "temperature") => {
                Some("basic_temperature")
            }
            (Some(Purpose::Reference | Purpose::Environment), "pressure") => None,
            _ => continue,
        };
        let readings = values_read(evidence, channel, points)?;
        let by_value = |a: &&Decimal, b: &&Decimal| a.to_f64().total_cmp(&b.to_f64());
        let (Some(min), Some(max)) = (
            readings.iter().min_by(by_value),
            readings.iter().max_by(by_value),
        ) else {
            continue;
        };
        let sum: f64 = readings.iter().map(|reading| reading.to_f64()).sum();
        let mean = Decimal::from_f64(sum / readings.len() as f64, places(min.exponent()))
            .map_err(|error| format!("mean of {}: {error}", channel.name))?;
        influences.push(Influence {
            name: channel.title.clone(),
            ref_type: ref_type.map(str::to_owned),
            unit: channel.unit,
            min: *min,
            mean,
            max: *max,
        });
    }
    Ok(influences)
}

/// As documents and files name it.
pub fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::ConditionalPass => "conditional_pass",
        Verdict::ConditionalFail => "conditional_fail",
        Verdict::Fail => "fail",
    }
}

fn text_column(key: &str, name: Text, cells: Vec<Text>) -> Column {
    Column {
        key: key.to_owned(),
        name,
        ref_type: None,
        cells: Cells::Text(cells),
    }
}

/// One row a result.
fn table(
    procedure: &Procedure,
    measurand: &Measurand,
    points: &[PointClosed],
    results: &[&PointResult],
) -> Result<Table, String> {
    let titles = results
        .iter()
        .map(|result| point_title(procedure, result.point))
        .collect();
    let unit = procedure
        .signal_unit(&measurand.reference)
        .unwrap_or(measurand.unit);
    let reference = Text::new("Reference value", "标准值");
    let indication = Text::new("Indication", "示值");
    let mut columns = vec![
        text_column("point", Text::new("Set point", "设定点"), titles),
        Column {
            ref_type: Some("basic_referenceValue".to_owned()),
            ..beside("reference", reference, unit, results, &|one| one.reference)?
        },
        Column {
            ref_type: Some("basic_measuredValue".to_owned()),
            ..beside("indication", indication, unit, results, &|one| {
                one.indication
            })?
        },
        errors(measurand, results),
    ];
    columns.extend(hysteresis(measurand, results)?);
    columns.extend(verdicts(results));
    columns.extend(beyond_range(results));
    let readings = points.first().map_or(0, |point| point.cycles.len());
    let note = Text::new(
        &format!("Means of {readings} readings a point. Error = indication − reference value."),
        &format!("每点 {readings} 次读数取平均。误差 = 示值 − 标准值。"),
    );
    Ok(Table {
        id: measurand.id.clone(),
        title: measurand.title.clone(),
        note: Some(note),
        columns,
    })
}

/// A column of values printed beside the errors, rounded to the last place of each error.
fn beside(
    key: &str,
    name: Text,
    unit: Unit,
    results: &[&PointResult],
    of: &dyn Fn(&PointResult) -> f64,
) -> Result<Column, String> {
    let values = results
        .iter()
        .map(|result| rounded_beside(of(result), result))
        .collect::<Result<_, _>>()?;
    Ok(Column {
        key: key.to_owned(),
        name,
        ref_type: None,
        cells: Cells::Number {
            unit,
            values,
            uncertainty: None,
        },
    })
}

/// The error falling minus the error rising, where a set point was reached both ways. Text,
/// because a point reached one way only has none.
fn hysteresis(measurand: &Measurand, results: &[&PointResult]) -> Result<Option<Column>, String> {
    if results.iter().all(|result| result.hysteresis.is_none()) {
        return Ok(None);
    }
    let unit = measurand.unit.difference();
    let cells = results
        .iter()
        .map(|result| match result.hysteresis {
            Some(value) => Ok(Text::same(&rounded_beside(value, result)?.to_string())),
            None => Ok(Text::same("–")),
        })
        .collect::<Result<_, String>>()?;
    let name = Text::new(
        &format!("Falling minus rising / {unit}"),
        &format!("降程减升程 / {unit}"),
    );
    Ok(Some(text_column("hysteresis", name, cells)))
}

/// A value printed beside the error of `result`, to the same last place.
fn rounded_beside(value: f64, result: &PointResult) -> Result<Decimal, String> {
    round_result(value, result.rounded.uncertainty.to_f64(), 2)
        .map(|both| both.value)
        .map_err(|error| format!("{} at point {}: {error}", result.measurand, result.point))
}

fn errors(measurand: &Measurand, results: &[&PointResult]) -> Column {
    let expanded = |result: &&PointResult| {
        let gum = result.reported == "gum";
        budget::expanded(&result.rounded, &result.budget, &result.monte_carlo, gum)
    };
    Column {
        key: "error".to_owned(),
        name: Text::new("Error of indication", "示值误差"),
        ref_type: Some("basic_measurementError".to_owned()),
        cells: Cells::Number {
            unit: measurand.unit.difference(),
            values: results.iter().map(|result| result.rounded.value).collect(),
            uncertainty: Some(results.iter().map(expanded).collect()),
        },
    }
}

/// The verdicts, where every result has one.
fn verdicts(results: &[&PointResult]) -> Option<Column> {
    let verdicts = results
        .iter()
        .map(|result| Some(verdict_name(result.decision.as_ref()?.verdict).to_owned()))
        .collect::<Option<_>>()?;
    Some(Column {
        key: "verdict".to_owned(),
        name: Text::new("Conformity", "符合性"),
        ref_type: None,
        cells: Cells::Verdict {
            of: "error".to_owned(),
            verdicts,
        },
    })
}

/// Which results used a formula or a standard outside of its range; none where no result did.
fn beyond_range(results: &[&PointResult]) -> Option<Column> {
    let cell = |result: &&PointResult| {
        if result.forced.is_empty() {
            return Text::same("–");
        }
        let mut names: Vec<&str> = Vec::new();
        for one in &result.forced {
            if !names.contains(&one.violation.name()) {
                names.push(one.violation.name());
            }
        }
        let names = names.join(", ");
        Text::new(&format!("forced: {names}"), &format!("强制使用: {names}"))
    };
    let mut forced = results.iter().flat_map(|result| &result.forced).peekable();
    forced.peek()?;
    let has_standard = forced.any(|one| matches!(one.violation, Violation::Standard(_)));
    let name = if has_standard {
        Text::new("Outside of range", "超出范围")
    } else {
        Text::new("Outside of formula range", "超出公式范围")
    };
    Some(text_column(
        "beyond_range",
        name,
        results.iter().map(cell).collect(),
    ))
}

fn plot(procedure: &Procedure, measurand: &Measurand, results: &[&PointResult]) -> Plot {
    let mut series: Vec<Series> = Vec::new();
    for result in results {
        let name = direction(procedure, result.point);
        let point = PlotPoint {
            x: result.reference,
            y: result.error,
            u: result.rounded.uncertainty.to_f64(),
        };
        match series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(point),
            None => series.push(Series {
                name,
                points: vec![point],
            }),
        }
    }
    let limit = results.iter().find_map(|result| result.limit);
    Plot {
        title: measurand.title.clone(),
        x_label: Text::new("Reference value", "标准值"),
        x_unit: procedure
            .signal_unit(&measurand.reference)
            .unwrap_or(measurand.unit),
        y_label: Text::new("Error of indication", "示值误差"),
        y_unit: measurand.unit.difference(),
        series,
        limit_low: limit.map(|limit| limit[0]),
        limit_high: limit.map(|limit| limit[1]),
    }
}

/// One statement a measurand: the worst verdict over its points.
fn conformity(measurand: &Measurand, results: &[&PointResult]) -> Option<ConformityStatement> {
    let rank = |verdict: Verdict| match verdict {
        Verdict::Pass => 0,
        Verdict::ConditionalPass => 1,
        Verdict::ConditionalFail => 2,
        Verdict::Fail => 3,
    };
    let decisions: Vec<_> = results
        .iter()
        .filter_map(|result| result.decision.as_ref())
        .collect();
    let worst = decisions
        .iter()
        .map(|decision| decision.verdict)
        .max_by_key(|verdict| rank(*verdict))?;
    let [low, high] = results.iter().find_map(|result| result.limit)?;
    let passed = decisions
        .iter()
        .filter(|decision| decision.verdict == Verdict::Pass)
        .count();
    let unit = measurand.unit.difference();
    let count = decisions.len();
    Some(ConformityStatement {
        text: Text::new(
            &format!(
                "{}: limits of error {low} {unit} to {high} {unit}; {passed} of {count} points pass.",
                measurand.title.en
            ),
            &format!(
                "{}：误差限 {low} {unit} 至 {high} {unit}；{count} 点中 {passed} 点合格。",
                measurand.title.zh
            ),
        ),
        verdict: verdict_name(worst).to_owned(),
    })
}

fn rule_in_words(procedure: &Procedure, order: &Order) -> Text {
    let default = procedure
        .measurand
        .first()
        .map(|measurand| &measurand.decision.default_rule);
    match order.decision.as_ref().or(default) {
        None | Some(DecisionRule::Simple) => Text::new(
            "Simple acceptance: an error within the limits passes (ILAC-G8:09/2019, 4.2.1). Agreed before measuring.",
            "简单接受：误差在误差限内即为合格（ILAC-G8:09/2019，4.2.1）。测量前商定。",
        ),
        Some(DecisionRule::Guarded { guard_fraction }) => Text::new(
            &format!(
                "Guard band w = {guard_fraction} U: an error within the limits reduced by w passes (ILAC-G8:09/2019, 4.2.2). Agreed before measuring."
            ),
            &format!(
                "保护带 w = {guard_fraction} U：误差在缩减 w 后的限内为合格（ILAC-G8:09/2019，4.2.2）。测量前商定。"
            ),
        ),
        Some(DecisionRule::NonBinary { guard_fraction }) => Text::new(
            &format!(
                "Non-binary with guard band w = {guard_fraction} U: pass and fail outside w of a limit, conditional pass and conditional fail within it (ILAC-G8:09/2019, 4.2.3). Agreed before measuring."
            ),
            &format!(
                "非二元判定，保护带 w = {guard_fraction} U：距误差限 w 之外为合格或不合格，之内为有条件合格或有条件不合格（ILAC-G8:09/2019，4.2.3）。测量前商定。"
            ),
        ),
        Some(DecisionRule::Probability { threshold }) => Text::new(
            &format!(
                "A result passes where its probability of conformity is at least {threshold} (JCGM 106:2012, 8.3). Agreed before measuring."
            ),
            &format!("符合概率不小于 {threshold} 为合格（JCGM 106:2012，8.3）。测量前商定。"),
        ),
    }
}

/// Name of a distribution for a budget.
pub fn distribution_name(distribution: &Distribution) -> Text {
    match distribution {
        Distribution::Normal => Text::new("normal", "正态"),
        Distribution::StudentT | Distribution::StudentTSd => Text::new("t", "t 分布"),
        Distribution::Rectangular => Text::new("rectangular", "均匀"),
        Distribution::Triangular => Text::new("triangular", "三角"),
        Distribution::UShaped => Text::new("U-shaped", "反正弦"),
        Distribution::Trapezoidal { .. } => Text::new("trapezoidal", "梯形"),
        Distribution::CurvilinearTrapezoid { .. } => Text::new("curvilinear trapezoid", "曲边梯形"),
        Distribution::Exponential => Text::new("exponential", "指数"),
        Distribution::Gamma { .. } => Text::new("gamma", "伽马"),
        Distribution::Beta { .. } => Text::new("beta", "贝塔"),
        Distribution::LogNormal => Text::new("log-normal", "对数正态"),
        Distribution::Poisson => Text::new("Poisson", "泊松"),
        Distribution::Empirical { .. } => Text::new("empirical", "经验"),
        Distribution::Discrete { .. } => Text::new("discrete", "离散"),
        Distribution::Constant => Text::new("–", "–"),
    }
}
