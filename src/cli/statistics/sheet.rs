//! One form for all kinds of statistics: facts, tables, remarks and a picture.

use heng_certificates::Diagram;
use heng_quantities::{Language, Text};
use serde_json::{Value, json};

use crate::cli::csv::line;
use crate::cli::number::{beside, dof, significant};
use crate::cli::table::{Align, Facts, Table, wrapped};
use crate::cli::{Exit, Failure};

/// Significant digits of a number that stands alone.
const DIGITS: usize = 6;

/// Significant digits of an uncertainty, and of the value beside it.
const UNCERTAIN: usize = 3;

/// What a kind of statistics found.
pub struct Sheet {
    pub title: Text,
    /// Document and clause of the method.
    pub method: &'static str,
    /// Results that stand alone.
    pub facts: Vec<(Text, Cell)>,
    /// Tables; the first is the CSV output.
    pub tables: Vec<Grid>,
    /// What the user must know: verdicts and their reasons.
    pub remarks: Vec<Text>,
    /// Everything, for programs.
    pub result: Value,
    pub diagram: Diagram,
}

/// A table, each column with its heading.
pub struct Grid {
    pub heads: Vec<Text>,
    pub rows: Vec<Vec<Cell>>,
}

pub enum Cell {
    Word(Text),
    Number(f64),
    /// A value that has this standard uncertainty or standard deviation.
    Beside(f64, f64),
    /// A standard uncertainty, standard deviation or the like.
    Uncertainty(f64),
    Dof(f64),
    Count(u64),
    /// There is no such number.
    None,
}

impl Cell {
    pub fn name(name: &str) -> Self {
        Self::Word(Text::same(name))
    }

    pub fn count(count: usize) -> Self {
        Self::Count(count as u64)
    }

    fn shown(&self, language: Language) -> String {
        match self {
            Self::Word(word) => word.get(language).to_owned(),
            Self::Number(number) => significant(*number, DIGITS),
            Self::Beside(value, u) => beside(*value, *u, UNCERTAIN),
            Self::Uncertainty(u) => significant(*u, UNCERTAIN),
            Self::Dof(number) => dof(*number),
            Self::Count(count) => count.to_string(),
            Self::None => "–".to_owned(),
        }
    }

    /// All digits, for programs: the fewest that give the same bits back.
    fn exact(&self) -> String {
        match self {
            Self::Word(word) => word.en.clone(),
            Self::Number(number)
            | Self::Beside(number, _)
            | Self::Uncertainty(number)
            | Self::Dof(number) => format!("{number:?}"),
            Self::Count(count) => count.to_string(),
            Self::None => String::new(),
        }
    }

    const fn align(&self) -> Align {
        match self {
            Self::Word(_) => Align::Left,
            _ => Align::Right,
        }
    }
}

impl Sheet {
    /// Refuses a result that is beyond the range of numbers.
    pub fn check(&self) -> Result<(), Failure> {
        let facts = self.facts.iter().map(|(_, cell)| cell);
        let tables = self.tables.iter().flat_map(|grid| &grid.rows).flatten();
        let is_none = |cell: &Cell| match cell {
            Cell::Number(number) => !number.is_finite(),
            Cell::Beside(number, u) => !number.is_finite() || u.is_nan(),
            Cell::Uncertainty(u) | Cell::Dof(u) => u.is_nan(),
            _ => false,
        };
        if facts.chain(tables).any(is_none) {
            let message = "a result is too large for a number: take a larger unit, or values \
                           nearer to those measured";
            return Err(Failure::new(Exit::Input, &message));
        }
        Ok(())
    }

    pub fn text(&self, language: Language) -> String {
        let mut lines = vec![self.title.get(language).to_owned()];
        let method = match language {
            Language::En => "method: ",
            Language::Zh => "方法: ",
        };
        lines.extend(wrapped(method, self.method));
        if !self.facts.is_empty() {
            lines.push(String::new());
            let mut facts = Facts::default();
            for (name, cell) in &self.facts {
                facts.row(name.get(language).to_owned(), cell.shown(language));
            }
            lines.extend(facts.lines());
        }
        for grid in &self.tables {
            lines.push(String::new());
            lines.extend(grid.lines(language));
        }
        if !self.remarks.is_empty() {
            lines.push(String::new());
        }
        for remark in &self.remarks {
            lines.extend(wrapped("! ", remark.get(language)));
        }
        lines.join("\n") + "\n"
    }

    pub fn json(&self) -> String {
        let document = json!({
            "format": 1,
            "program": concat!("heng ", env!("CARGO_PKG_VERSION")),
            "title": self.title.en,
            "method": self.method,
            "result": self.result,
            "remarks": self.remarks.iter().map(|remark| &remark.en).collect::<Vec<_>>(),
        });
        format!("{document:#}\n")
    }

    /// The first table; the facts where there is none.
    pub fn csv(&self) -> String {
        let Some(grid) = self.tables.first() else {
            let facts = self.facts.iter();
            let rows = facts.map(|(name, cell)| line([name.en.clone(), cell.exact()]));
            return "quantity,value\n".to_owned() + &rows.collect::<String>();
        };
        let heads = grid.heads.iter().map(|head| head.en.clone());
        let rows = grid.rows.iter();
        let rows = rows.map(|row| line(row.iter().map(Cell::exact)));
        line(heads) + &rows.collect::<String>()
    }
}

impl Grid {
    fn lines(&self, language: Language) -> Vec<String> {
        let column = |at: usize| self.rows.iter().filter_map(move |row| row.get(at));
        let align = (0..self.heads.len()).map(|at| {
            let words = column(at).any(|cell| cell.align() == Align::Left);
            if words { Align::Left } else { Align::Right }
        });
        let heads: Vec<_> = self.heads.iter().map(|head| head.get(language)).collect();
        let mut table = Table::new(&align.collect::<Vec<_>>(), &heads);
        for row in &self.rows {
            table.row(row.iter().map(|cell| cell.shown(language)).collect());
        }
        table.lines()
    }
}
