//! The fields of a certificate: one row each. The headings of the PDF, the names in the DCC
//! and the completeness check all follow from these rows.

use heng_quantities::Text;

use crate::document::Certificate;

/// Where a field stands on the printed certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// The head of the certificate: title, number, dates, place.
    Document,
    Laboratory,
    Customer,
    Item,
    /// A section with a layout of its own; the field is its heading.
    Section,
}

/// How a field is read off a certificate.
#[derive(Clone, Copy)]
pub enum Reading {
    /// The text of the field; blank or none where it is missing.
    Value(fn(&Certificate) -> Option<Text>),
    /// Whether the section has anything to show.
    Present(fn(&Certificate) -> bool),
}

/// One field: what asks for it, what it is called, where it stands.
pub struct Field {
    pub key: &'static str,
    pub clause: &'static str,
    pub en: &'static str,
    pub zh: &'static str,
    pub block: Block,
    pub required: bool,
    pub reading: Reading,
}

impl Field {
    #[must_use]
    pub fn label(&self) -> Text {
        Text::new(self.en, self.zh)
    }

    /// The text of the field, none where it is missing, blank or a section.
    #[must_use]
    pub fn value(&self, certificate: &Certificate) -> Option<Text> {
        match self.reading {
            Reading::Value(read) => read(certificate).filter(is_written),
            Reading::Present(_) => None,
        }
    }

    #[must_use]
    pub fn is_present(&self, certificate: &Certificate) -> bool {
        match self.reading {
            Reading::Value(_) => self.value(certificate).is_some(),
            Reading::Present(present) => present(certificate),
        }
    }
}

/// Both languages say something.
pub(crate) fn is_written(text: &Text) -> bool {
    !text.en.trim().is_empty() && !text.zh.trim().is_empty()
}

/// Declares each field as a constant and all of them, in order, as [`FIELDS`].
macro_rules! fields {
    ($($name:ident: $key:literal, $clause:literal, $en:literal, $zh:literal,
       $block:ident, $required:literal, $kind:ident($read:expr);)*) => {
        $(pub(crate) const $name: Field = Field {
            key: $key,
            clause: concat!("ISO/IEC 17025:2017, ", $clause),
            en: $en,
            zh: $zh,
            block: Block::$block,
            required: $required,
            reading: Reading::$kind($read),
        };)*
        /// Every field, in the order of the printed certificate.
        pub const FIELDS: &[Field] = &[$($name),*];
    };
}

fields! {
    TITLE: "title", "7.8.2.1 a)", "Title", "名称",
        Document, true, Value(|c| Some(c.title.clone()));
    NUMBER: "number", "7.8.2.1 d)", "Certificate number", "证书编号",
        Document, true, Value(|c| Some(Text::same(&c.number)));
    LABORATORY_NAME: "laboratory.name", "7.8.2.1 b)", "Calibration laboratory", "校准机构",
        Laboratory, true, Value(|c| Some(c.laboratory.name.clone()));
    LABORATORY_ADDRESS: "laboratory.address", "7.8.2.1 b)", "Address", "地址",
        Laboratory, true, Value(|c| Some(c.laboratory.address.clone()));
    LABORATORY_CONTACT: "laboratory.contact", "7.8.2.1 b)", "Contact", "联系方式",
        Laboratory, false, Value(|c| Some(Text::same(&c.laboratory.contact)));
    LABORATORY_CODE: "laboratory.code", "7.8.1.3", "Laboratory code", "机构代码",
        Laboratory, false, Value(|c| c.laboratory.code.as_deref().map(Text::same));
    CUSTOMER_NAME: "customer.name", "7.8.2.1 e)", "Customer", "委托方",
        Customer, true, Value(|c| Some(c.customer.name.clone()));
    CUSTOMER_ADDRESS: "customer.address", "7.8.2.1 e)", "Address", "地址",
        Customer, true, Value(|c| Some(c.customer.address.clone()));
    CUSTOMER_CONTACT: "customer.contact", "7.8.2.1 e)", "Contact", "联系方式",
        Customer, false, Value(|c| Some(Text::same(&c.customer.contact)));
    CUSTOMER_CODE: "customer.code", "7.1.1", "Order number", "委托单号",
        Customer, false, Value(|c| c.customer.code.as_deref().map(Text::same));
    ITEM_NAME: "item.name", "7.8.2.1 g)", "Calibration item", "器具名称",
        Item, true, Value(|c| Some(c.item.name.clone()));
    ITEM_MANUFACTURER: "item.manufacturer", "7.8.2.1 g)", "Manufacturer", "制造厂",
        Item, true, Value(|c| Some(Text::same(&c.item.manufacturer)));
    ITEM_MODEL: "item.model", "7.8.2.1 g)", "Model", "型号规格",
        Item, true, Value(|c| Some(Text::same(&c.item.model)));
    ITEM_SERIAL: "item.serial", "7.8.2.1 g)", "Serial number", "出厂编号",
        Item, true, Value(|c| Some(Text::same(&c.item.serial)));
    ITEM_CONDITION: "item.condition", "7.8.2.1 g)", "Condition on receipt", "接收状态",
        Item, true, Value(|c| Some(c.item.condition.clone()));
    PLACE: "place", "7.8.2.1 c)", "Place of calibration", "校准地点",
        Document, true, Value(|c| Some(c.place.clone()));
    RECEIVED: "received", "7.8.2.1 h)", "Date of receipt", "接收日期",
        Document, false, Value(|c| c.received.as_deref().map(Text::same));
    BEGUN: "begun", "7.8.2.1 i)", "Calibration begun", "校准开始日期",
        Document, true, Value(|c| Some(Text::same(&c.begun)));
    ENDED: "ended", "7.8.2.1 i)", "Calibration ended", "校准结束日期",
        Document, true, Value(|c| Some(Text::same(&c.ended)));
    ISSUED: "issued", "7.8.2.1 j)", "Date of issue", "签发日期",
        Document, true, Value(|c| Some(Text::same(&c.issued)));
    METHODS: "methods", "7.8.2.1 f)", "Calibration methods", "校准依据",
        Section, true, Present(|c| !c.methods.is_empty());
    STANDARDS: "standards", "7.8.4.1 c)", "Measurement standards and traceability",
        "计量标准器具与溯源性", Section, true, Present(|c| c.demonstration || !c.standards.is_empty());
    ENVIRONMENT: "environment", "7.8.4.1 b)", "Environmental conditions", "环境条件",
        Section, true, Present(|c| !c.environment.is_empty());
    RESULTS: "tables", "7.8.2.1 m)", "Calibration results", "校准结果",
        Section, true, Present(|c| !c.tables.is_empty());
    DECISION_RULE: "decision_rule", "7.8.6.1", "Decision rule", "判定规则",
        Section, false, Value(|c| c.decision_rule.clone());
    CONFORMITY: "conformity", "7.8.6.2", "Statement of conformity", "符合性声明",
        Section, false, Present(|c| !c.conformity.is_empty());
    STATEMENTS: "statements", "7.8.2.1 l)", "Statements", "声明",
        Section, false, Present(|_| true);
    BUDGETS: "budgets", "7.6", "Uncertainty budget", "不确定度评定",
        Section, false, Present(|c| !c.budgets.is_empty());
    MODEL: "model", "7.6", "Measurement model", "测量模型",
        Section, false, Value(|c| Some(Text::same(&c.model)));
    FORMULAS: "formulas", "7.8.2.1 f)", "Formulas", "计算公式",
        Section, false, Present(|c| !c.formulas.is_empty());
    PERSONS: "persons", "7.8.2.1 o)", "Persons responsible", "责任人",
        Section, true, Present(|c| !c.persons.is_empty());
    RECORD: "record.file", "7.5.1", "Session record", "原始记录",
        Section, true, Value(|c| Some(Text::same(&c.record.file)));
    PROGRAM: "program.name", "7.11.2", "Software", "软件",
        Section, true, Value(|c| Some(Text::same(&c.program.name)));
}
