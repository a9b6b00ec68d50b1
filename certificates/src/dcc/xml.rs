//! The few shapes of XML element that a DCC is made of.

use std::io;

use heng_quantities::Text;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// An XML document that is being written, two blanks a level.
pub(super) struct Xml(Writer<Vec<u8>>);

pub(super) type Written = io::Result<()>;

impl Xml {
    pub(super) fn new() -> io::Result<Self> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        Ok(Self(writer))
    }

    pub(super) fn finish(self) -> io::Result<String> {
        let mut bytes = self.0.into_inner();
        bytes.push(b'\n');
        String::from_utf8(bytes).map_err(io::Error::other)
    }

    /// An element with children.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        children: impl FnOnce(&mut Self) -> Written,
    ) -> Written {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.0.write_event(Event::Start(start))?;
        children(self)?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    /// An element that may carry a `refType`.
    pub(super) fn referenced(
        &mut self,
        name: &str,
        ref_type: Option<&str>,
        children: impl FnOnce(&mut Self) -> Written,
    ) -> Written {
        match ref_type {
            Some(ref_type) => self.element(name, &[("refType", ref_type)], children),
            None => self.element(name, &[], children),
        }
    }

    /// An element with text; blanks at either end are not part of it, as the schema's
    /// `notEmptyStringType` wants.
    pub(super) fn leaf(&mut self, name: &str, text: &str) -> Written {
        self.leaf_with(name, &[], text)
    }

    fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) -> Written {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.0.write_event(Event::Start(start))?;
        self.0
            .write_event(Event::Text(BytesText::new(text.trim())))?;
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    /// A leaf that is left out where its text is blank.
    pub(super) fn optional(&mut self, name: &str, text: &str) -> Written {
        if text.trim().is_empty() {
            return Ok(());
        }
        self.leaf(name, text)
    }

    /// An element holding the text in both languages (`dcc:textType`, `dcc:richContentType`).
    pub(super) fn text(&mut self, name: &str, text: &Text) -> Written {
        self.element(name, &[], |xml| xml.contents(text))
    }

    /// Both languages as `dcc:content`.
    pub(super) fn contents(&mut self, text: &Text) -> Written {
        self.leaf_with("dcc:content", &[("lang", "en")], &text.en)?;
        self.leaf_with("dcc:content", &[("lang", "zh")], &text.zh)
    }

    /// A `dcc:name` that is the same in every language.
    pub(super) fn plain_name(&mut self, name: &str) -> Written {
        self.element("dcc:name", &[], |xml| xml.leaf("dcc:content", name))
    }
}
