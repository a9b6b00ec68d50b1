//! What the typesetter may see: the template, the data of the paper and the embedded fonts.
//!
//! No file system, no network, no packages, no clock.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

/// In the order of preference; the second pair holds what the first lacks.
const FONTS: [&[u8]; 4] = [
    include_bytes!("../../fonts/NotoSansCJKsc-Regular-GB2312.otf"),
    include_bytes!("../../fonts/NotoSansCJKsc-Bold-GB2312.otf"),
    include_bytes!("../../fonts/NotoSans-Regular-Latin.ttf"),
    include_bytes!("../../fonts/NotoSans-Bold-Latin.ttf"),
];

/// What is the same for every paper, built once.
struct Shared {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let fonts: Vec<Font> = FONTS
        .iter()
        .flat_map(|data| Font::iter(Bytes::new(*data)))
        .collect();
    Shared {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
    }
});

/// True where one of the fonts draws the character, or where nothing is drawn for it.
pub(super) fn is_drawable(character: char) -> bool {
    matches!(character, '\n' | '\t')
        || SHARED
            .fonts
            .iter()
            .any(|font| font.info().coverage.contains(character.into()))
}

/// A layout, and the name under which its data stand beside it.
#[derive(Clone, Copy)]
pub(super) struct Template {
    text: &'static str,
    pub data: &'static str,
}

pub(super) const CERTIFICATE: Template = Template {
    text: include_str!("../../templates/certificate.typ"),
    data: "/certificate.json",
};

pub(super) const VALIDATION: Template = Template {
    text: include_str!("../../templates/validation.typ"),
    data: "/validation.json",
};

/// The world of one paper.
pub(super) struct PaperWorld {
    main: Source,
    files: Vec<(FileId, Bytes)>,
}

impl PaperWorld {
    /// `files` are named by their absolute path in this world, `/certificate.json`.
    pub(super) fn new(template: Template, files: Vec<(String, Vec<u8>)>) -> Result<Self, String> {
        let files: Result<Vec<_>, String> = files
            .into_iter()
            .map(|(path, bytes)| Ok((id(&path)?, Bytes::new(bytes))))
            .collect();
        Ok(Self {
            main: Source::new(id("/main.typ")?, template.text.to_owned()),
            files: files?,
        })
    }
}

fn id(path: &str) -> Result<FileId, String> {
    let path = VirtualPath::new(path).map_err(|error| error.to_string())?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl World for PaperWorld {
    fn library(&self) -> &LazyHash<Library> {
        &SHARED.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &SHARED.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() {
            Ok(self.main.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let found = self.files.iter().find(|(known, _)| *known == id);
        found
            .map(|(_, bytes)| bytes.clone())
            .ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        SHARED.fonts.get(index).cloned()
    }

    /// None: a paper has the date that it states, never today's.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
