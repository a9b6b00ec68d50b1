//! Named formulas: data with source, range and version, not code.
//!
//! Each is one TOML file in `formulas/`, its body in the model language. A procedure calls a
//! formula under a generic name (`ew`, `f`); the choice of the laboratory binds the name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use heng_quantities::{Text, Unit};
use serde::{Deserialize, Serialize};

use crate::model::{Compiler, Diagnostic, Statement, is_function, is_reserved, parse};

/// A named formula as its file states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formula {
    /// Under which models call it; unique in a library.
    pub name: String,
    /// Raised with every change of the file that changes a value.
    pub version: u32,
    /// What it computes, for certificates.
    pub title: Text,
    /// Where the formula and its coefficients were published.
    pub source: String,
    /// What else a user must know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// In the order of the call.
    pub arguments: Vec<Argument>,
    /// Numbers of the source that the body uses by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<Constant>,
    /// Unit of the result.
    pub result_unit: Unit,
    /// Model language; the last line is the result.
    pub body: String,
}

/// An argument of a formula with the range for which the formula is stated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    /// As the body of the formula uses it.
    pub name: String,
    /// Unit in which the argument must be given.
    pub unit: Unit,
    /// Least value for which the source states the formula, in that unit.
    pub min: f64,
    /// Greatest value for which the source states the formula, in that unit.
    pub max: f64,
}

impl fmt::Display for Argument {
    /// Name and range: `td: 0 … 100 °C`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            unit,
            min,
            max,
        } = self;
        write!(f, "{name}: {min} … {max} {unit}")
    }
}

/// A number of the source, or a list of them such as the coefficients of a polynomial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// As the body of the formula uses it.
    pub name: String,
    /// One number, or the elements of a vector.
    pub value: ConstantValue,
    /// Unit of the number; none for coefficients, whose units follow from the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where it was published, if not with the formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// One number, or the elements of a vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConstantValue {
    /// A number.
    Number(f64),
    /// The elements of a vector, counted from 1 in the body.
    Vector(Vec<f64>),
}

/// Why a generic name cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// A name that leads to no formula.
    #[error("there is no formula {name:?}; known are {known}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// All names that can be called.
        known: String,
    },
    /// A generic name that already means something else.
    #[error("{name:?} cannot be bound to another formula: it is itself a formula or a function")]
    Taken {
        /// The name that is taken.
        name: String,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub formula: Arc<Formula>,
    pub statements: Arc<Vec<Statement>>,
}

/// Formulas by name, and generic names bound to some of them.
#[derive(Debug, Clone, Default)]
pub struct Library {
    entries: BTreeMap<String, Entry>,
    bound: BTreeMap<String, String>,
}

/// File names and texts of the formulas of one folder.
macro_rules! folder {
    ($folder:literal: $($name:ident)*) => {
        [$((
            concat!($folder, "/", stringify!($name), ".toml"),
            include_str!(concat!("../formulas/", $folder, "/", stringify!($name), ".toml")),
        )),*]
    };
}

/// The formulas in the program, folder by folder.
const SHIPPED: &[&[(&str, &str)]] = &[
    &folder!("air":
        cipm_2007 cipm_2007_dew cipm_xv cipm_z r111_air_density sop2_air_density
        sop2_air_density_simplified
    ),
    &folder!("humidity":
        absolute_humidity alduchov_water cipm_f cipm_water goff_gratch_dew_point goff_gratch_ice
        goff_gratch_water hardy_dew_point hardy_dew_point_supercooled hardy_f_ice
        hardy_f_supercooled hardy_f_water hardy_frost_point hardy_ice hardy_rh_dew hardy_rh_frost
        hardy_rh_supercooled hardy_water iapws93_ice iapws95_gibbs iapws95_residual iapws95_slope
        iapws95_water iapws_ice if97_boiling if97_water mixing_ratio psychrometer_cn_ice
        psychrometer_cn_water sonntag_dew_point sonntag_frost_point sonntag_ice sonntag_rh_dew
        sonntag_rh_frost sonntag_water wmo_dew_point wmo_f wmo_frost_point wmo_ice
        wmo_psychrometer_ice wmo_psychrometer_water wmo_rh_dew wmo_rh_frost wmo_water
    ),
    &folder!("length":
        birch_downs boensch_potulski ciddor ciddor_e ciddor_xv edlen gauge_block_at_20
    ),
    &folder!("mass":
        buoyancy_correction buoyancy_factor conventional_from_mass conventional_mass_compared
        mass_from_conventional
    ),
    &folder!("pressure": head_correction nitrogen_density nitrogen_slope),
    &folder!("thermometry":
        cvd_r cvd_ratio cvd_t cvd_t_ratio hoge_r hoge_t iec60751_r iec60751_ratio iec60751_t
        iec60751_t_ratio iec60751_tol_a_film iec60751_tol_a_wire iec60751_tol_aa_film
        iec60751_tol_aa_wire iec60751_tol_b_film iec60751_tol_b_wire iec60751_tol_c_film
        iec60751_tol_c_wire its90_sr10_dev its90_sr10_t its90_sr10_w its90_sr11_dev its90_sr11_t
        its90_sr11_w its90_sr1_dev its90_sr1_t its90_sr1_w its90_sr2_dev its90_sr2_t its90_sr2_w
        its90_sr3_dev its90_sr3_t its90_sr3_w its90_sr4_dev its90_sr4_t its90_sr4_w its90_sr5_dev
        its90_sr5_t its90_sr5_w its90_sr6_dev its90_sr6_t its90_sr6_w its90_sr7_dev its90_sr7_t
        its90_sr7_w its90_sr8_dev its90_sr8_t its90_sr8_w its90_sr9_dev its90_sr9_t its90_sr9_w
        its90_t its90_t_high its90_t_low its90_wr its90_wr_high its90_wr_low steinhart_hart_r
        steinhart_hart_t tc_b_e tc_b_t tc_e_e tc_e_t tc_j_e tc_j_t tc_k_e tc_k_t tc_n_e tc_n_t tc_r_e
        tc_r_t tc_s_e tc_s_t tc_t_e tc_t_t
    ),
];

impl Library {
    /// The formulas that come with the program.
    ///
    /// # Panics
    /// Where a shipped file is wrong; a test of this crate holds that it is not.
    pub fn shipped() -> &'static Self {
        static LIBRARY: LazyLock<Library> =
            LazyLock::new(|| match Library::parse(&SHIPPED.concat()) {
                Ok(library) => library,
                Err(diagnostics) => panic!("shipped formulas: {diagnostics:?}"),
            });
        &LIBRARY
    }

    /// Reads formulas from `(file name, text)` pairs.
    ///
    /// # Errors
    /// Everything that is wrong with the files; each message begins with its file name.
    /// Lines and columns inside a body count from its first line.
    pub fn parse(texts: &[(&str, &str)]) -> Result<Self, Vec<Diagnostic>> {
        let mut library = Self::default();
        let mut diagnostics = Vec::new();
        for (file, text) in texts {
            match library.read(text) {
                Ok(()) => {}
                Err(found) => diagnostics.extend(found.into_iter().map(|d| in_file(file, d))),
            }
        }
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        for (name, entry) in &library.entries {
            if let Err(found) = Compiler::new(&library).formula(name, entry) {
                diagnostics.push(in_file(name, found));
            }
        }
        if diagnostics.is_empty() {
            Ok(library)
        } else {
            Err(diagnostics)
        }
    }

    /// The formula of that name, or the one that the name is bound to.
    pub fn get(&self, name: &str) -> Option<&Formula> {
        self.entry(name).map(|entry| entry.formula.as_ref())
    }

    /// All formulas in alphabetical order, without generic names.
    pub fn iter(&self) -> impl Iterator<Item = &Formula> {
        self.entries.values().map(|entry| entry.formula.as_ref())
    }

    /// A library in which each first name calls the second formula: `("ew", "hardy_water")`.
    /// Bindings are made in order, so that a later one may go to a name that an earlier one
    /// bound, and may replace an earlier one.
    ///
    /// # Errors
    /// [`FormulaError`] where the target does not exist or the name is no free name.
    pub fn bind(&self, bindings: &[(&str, &str)]) -> Result<Self, FormulaError> {
        let mut library = self.clone();
        for &(generic, target) in bindings {
            if is_taken(&library, generic) {
                return Err(FormulaError::Taken {
                    name: generic.to_owned(),
                });
            }
            let Some(formula) = library.get(target) else {
                let (name, known) = (target.to_owned(), library.names());
                return Err(FormulaError::Unknown { name, known });
            };
            let name = formula.name.clone();
            library.bound.insert(generic.to_owned(), name);
        }
        Ok(library)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        let name = self.bound.get(name).map_or(name, String::as_str);
        self.entries.get(name)
    }

    /// All names that can be called, for messages.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self
            .bound
            .keys()
            .chain(self.entries.keys())
            .cloned()
            .collect();
        names.join(" ")
    }

    fn read(&mut self, text: &str) -> Result<(), Vec<Diagnostic>> {
        let formula: Formula = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let (line, column) = line_and_column(text, at);
            vec![Diagnostic {
                line,
                column,
                message: error.message().to_owned(),
                help: None,
            }]
        })?;
        let refuse = |message: String| {
            Err(vec![Diagnostic {
                line: 1,
                column: 1,
                message,
                help: None,
            }])
        };
        if is_taken(self, &formula.name) {
            return refuse(format!("the name {:?} is taken", formula.name));
        }
        if let Some(message) = contradiction(&formula) {
            return refuse(message);
        }
        let statements = Arc::new(parse(&formula.body)?);
        let name = formula.name.clone();
        self.entries.insert(
            name,
            Entry {
                formula: Arc::new(formula),
                statements,
            },
        );
        Ok(())
    }
}

/// What is wrong with arguments and constants, before the body is read.
fn contradiction(formula: &Formula) -> Option<String> {
    for argument in &formula.arguments {
        if argument
            .min
            .partial_cmp(&argument.max)
            .is_none_or(std::cmp::Ordering::is_gt)
        {
            return Some(format!(
                "the range of argument {:?} is empty",
                argument.name
            ));
        }
    }
    for constant in &formula.constants {
        let numbers = match &constant.value {
            ConstantValue::Number(one) => std::slice::from_ref(one),
            ConstantValue::Vector(list) => list,
        };
        if numbers.is_empty() || numbers.iter().any(|number| !number.is_finite()) {
            return Some(format!("the constant {:?} is no number", constant.name));
        }
    }
    let arguments = formula.arguments.iter().map(|argument| &argument.name);
    let constants = formula.constants.iter().map(|constant| &constant.name);
    let names: Vec<_> = arguments.chain(constants).collect();
    let twice = |(at, name): (usize, &&String)| names[..at].contains(name);
    let repeated = names.iter().enumerate().find(|&one| twice(one));
    repeated
        .map(|(_, name)| format!("the name {name:?} stands twice among arguments and constants"))
}

fn is_taken(library: &Library, name: &str) -> bool {
    library.entries.contains_key(name) || is_reserved(name) || is_function(name)
}

fn in_file(file: &str, diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic {
        message: format!("formula {file}: {}", diagnostic.message),
        ..diagnostic
    }
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}
