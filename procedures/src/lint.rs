//! Whether a procedure fits the order, the standards and the bench, said before anything moves.

use heng_quantities::{Text, Unit};

use crate::diagnostics::Key;
use crate::order::{Order, RangeOf};
use crate::outcome::Severity;
use crate::schema::{Channel, Procedure, Purpose};
use crate::standard::Standards;

/// An instrument on the bench, by the role it plays.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchRole {
    pub role: String,
    pub quantities: Vec<BenchQuantity>,
}

/// A quantity that an instrument measures, and sets where it is `settable`.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchQuantity {
    pub name: String,
    pub unit: Unit,
    pub min: f64,
    pub max: f64,
    pub settable: bool,
}

/// Something to put right before the run, or to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// [`Severity::Alarm`] where the run cannot succeed.
    pub severity: Severity,
    /// File, line and column.
    pub place: String,
    pub text: Text,
}

/// Everything about `procedure` that does not fit the rest, in the order of its text.
#[must_use]
pub fn lint(
    procedure: &Procedure,
    order: &Order,
    standards: &Standards,
    roles_on_bench: &[BenchRole],
) -> Vec<Finding> {
    let mut lint = Lint {
        procedure,
        order,
        standards,
        bench: roles_on_bench,
        found: Vec::new(),
    };
    lint.roles();
    lint.channels();
    lint.points();
    lint.order();
    lint.beyond_certificates();
    lint.found
}

struct Lint<'a> {
    procedure: &'a Procedure,
    order: &'a Order,
    standards: &'a Standards,
    bench: &'a [BenchRole],
    found: Vec<Finding>,
}

impl<'a> Lint<'a> {
    fn report(&mut self, severity: Severity, path: &[Key<'_>], en: &str, zh: &str) {
        let source = self.procedure.source();
        let (line, column) = source.place(path);
        let place = format!("{}, line {line}, column {column}", source.name);
        self.found.push(Finding {
            severity,
            place,
            text: Text::new(en, zh),
        });
    }

    fn on_bench(&self, role: &str, quantity: &str) -> Option<&'a BenchQuantity> {
        let bench = self.bench.iter().find(|one| one.role == role)?;
        bench.quantities.iter().find(|one| one.name == quantity)
    }

    fn roles(&mut self) {
        for (index, role) in self.procedure.role.iter().enumerate() {
            let path = ["role".into(), index.into(), "name".into()];
            let name = &role.name;
            if !self.bench.iter().any(|one| one.role == *name) {
                self.report(
                    Severity::Alarm,
                    &path,
                    &format!("no instrument on the bench plays the role {name:?}: add it to the bench file"),
                    &format!("校准台上没有担任 {name:?} 的仪器：请在校准台文件中添加"),
                );
                continue;
            }
            for quantity in &role.quantities {
                if self.on_bench(name, quantity).is_none() {
                    self.report(
                        Severity::Alarm,
                        &["role".into(), index.into(), "quantities".into()],
                        &format!("the instrument in the role {name:?} does not know {quantity:?}: use another instrument"),
                        &format!("担任 {name:?} 的仪器没有量 {quantity:?}：请更换仪器"),
                    );
                }
            }
            self.certificate(index, name, role.purpose == Purpose::Reference);
        }
    }

    fn certificate(&mut self, index: usize, role: &str, reference: bool) {
        let path = ["role".into(), index.into(), "name".into()];
        match self.standards.get(role) {
            None if reference => self.report(
                Severity::Alarm,
                &path,
                &format!("the standard in the role {role:?} has no certificate: name it in the bench file"),
                &format!("担任 {role:?} 的标准器没有校准证书：请在校准台文件中注明"),
            ),
            Some(certificate) if certificate.valid_until < self.order.received => self.report(
                Severity::Warning,
                &path,
                &format!(
                    "certificate {} of the role {role:?} was valid until {}, the item was received on {}: have the standard calibrated",
                    certificate.number, certificate.valid_until, self.order.received
                ),
                &format!(
                    "{role:?} 的证书 {} 有效期至 {}，样品接收日期为 {}：请送校标准器",
                    certificate.number, certificate.valid_until, self.order.received
                ),
            ),
            _ => {}
        }
    }

    fn channels(&mut self) {
        for (index, channel) in self.procedure.channel.iter().enumerate() {
            let path = ["channel".into(), index.into(), "unit".into()];
            let name = &channel.name;
            let unit = self.procedure.indication_unit(channel, self.standards);
            if let Some(bench) = self
                .on_bench(&channel.role, &channel.quantity)
                .filter(|one| one.unit != unit)
            {
                self.report(
                    Severity::Alarm,
                    &path,
                    &format!("channel {name:?} is in {unit}, the instrument sends {}: use the instrument's unit", bench.unit),
                    &format!("通道 {name:?} 的单位为 {unit}，仪器发送 {}：请使用仪器的单位", bench.unit),
                );
            }
            if self.procedure.is_corrected(channel) {
                self.correction(index, channel);
            }
        }
    }

    fn correction(&mut self, index: usize, channel: &Channel) {
        let Some(certificate) = self.standards.get(&channel.role) else {
            return;
        };
        let number = &certificate.number;
        match certificate.channel(&channel.quantity) {
            None => self.report(
                Severity::Alarm,
                &["channel".into(), index.into(), "quantity".into()],
                &format!("certificate {number} does not cover {:?}: use a standard that is calibrated for it", channel.quantity),
                &format!("证书 {number} 不包含 {:?}：请使用已校准该量的标准器", channel.quantity),
            ),
            Some(covered) if covered.unit() != channel.unit => self.report(
                Severity::Alarm,
                &["channel".into(), index.into(), "unit".into()],
                &format!("channel {:?} is in {}, certificate {number} in {}: use one unit", channel.name, channel.unit, covered.unit()),
                &format!("通道 {:?} 的单位为 {}，证书 {number} 为 {}：请统一单位", channel.name, channel.unit, covered.unit()),
            ),
            Some(_) => {}
        }
    }

    fn points(&mut self) {
        for (index, point) in self.procedure.point.iter().enumerate() {
            for (quantity, value) in &point.set {
                let path = [
                    "point".into(),
                    index.into(),
                    "set".into(),
                    quantity.as_str().into(),
                ];
                let id = &point.id;
                for role in &self.procedure.role {
                    if role.purpose != Purpose::Source || !role.quantities.contains(quantity) {
                        continue;
                    }
                    let Some(bench) = self.on_bench(&role.name, quantity) else {
                        continue;
                    };
                    let BenchQuantity { unit, min, max, .. } = *bench;
                    if !bench.settable {
                        self.report(
                            Severity::Alarm,
                            &path,
                            &format!("the instrument in the role {:?} cannot set {quantity:?}: use another source", role.name),
                            &format!("担任 {:?} 的仪器不能设定 {quantity:?}：请更换", role.name),
                        );
                    } else if !(min..=max).contains(&value.to_f64()) {
                        self.report(
                            Severity::Alarm,
                            &path,
                            &format!("point {id:?} sets {quantity} to {value} {unit}, the source reaches {min} to {max} {unit}: change the point or the source"),
                            &format!("校准点 {id:?} 将 {quantity} 设为 {value} {unit}，设备范围为 {min} 至 {max} {unit}：请更改校准点或设备"),
                        );
                    }
                }
            }
        }
    }

    /// Statements about standards; one that names what nobody uses is a mistake.
    fn beyond_certificates(&mut self) {
        for statement in &self.order.beyond_range {
            let RangeOf::Standard { number, quantity } = &statement.of else {
                continue;
            };
            let used = self.standards.values().find(|one| one.number == *number);
            let Some(covered) = used.and_then(|one| one.channel(quantity)) else {
                self.report(
                    Severity::Alarm,
                    &["id".into()],
                    &format!("the order goes beyond the range of {quantity:?} in certificate {number:?}, which no standard on the bench has: correct the order"),
                    &format!("委托单声明超出证书 {number:?} 中 {quantity:?} 的范围，校准台上没有该标准器：请更正委托单"),
                );
                continue;
            };
            let [min, max] = covered.range();
            let person = &statement.person;
            self.report(
                Severity::Notice,
                &["id".into()],
                &format!("readings of {quantity:?} outside of {min} to {max} of certificate {number} are used: {person} answers for it"),
                &format!("证书 {number} 中 {quantity:?} 在 {min} 至 {max} 范围之外的读数将被使用：由 {person} 负责"),
            );
        }
    }

    /// Findings about the order stand at the place of the procedure that they concern.
    fn order(&mut self) {
        for (name, option) in &self.order.choices {
            let index = self
                .procedure
                .choice
                .iter()
                .position(|choice| choice.name == *name);
            let known = index.is_some_and(|index| {
                self.procedure.choice[index]
                    .option
                    .iter()
                    .any(|one| one.id == *option)
            });
            if !known {
                let path: &[Key<'_>] = match index {
                    Some(index) => &["choice".into(), index.into(), "name".into()],
                    None => &["id".into()],
                };
                self.report(
                    Severity::Alarm,
                    path,
                    &format!("the order chooses {option:?} for {name:?}, which the procedure does not offer: correct the order"),
                    &format!("委托单为 {name:?} 选择了 {option:?}，本程序不提供：请更正委托单"),
                );
            }
        }
        for limit in &self.order.limit {
            let index = self
                .procedure
                .measurand
                .iter()
                .position(|one| one.id == limit.measurand);
            let Some(index) = index else {
                self.report(
                    Severity::Alarm,
                    &["id".into()],
                    &format!("the order limits {:?}, which the procedure does not measure: correct the order", limit.measurand),
                    &format!("委托单规定了 {:?} 的限值，本程序不测量该量：请更正委托单", limit.measurand),
                );
                continue;
            };
            let unit = self.procedure.measurand[index].unit.difference();
            if unit.dimension() != limit.unit.dimension()
                || (unit != limit.unit && unit.symbol().starts_with('%'))
            {
                self.report(
                    Severity::Alarm,
                    &["measurand".into(), index.into(), "unit".into()],
                    &format!(
                        "the order limits {:?} in {}, the error is in {unit}: correct the order",
                        limit.measurand, limit.unit
                    ),
                    &format!(
                        "委托单中 {:?} 的限值单位为 {}，误差单位为 {unit}：请更正委托单",
                        limit.measurand, limit.unit
                    ),
                );
            }
        }
    }
}
