//! Random texts: a model that compiles survives its own spelling, and no text whatever
//! panics or takes long.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::Model;
use crate::formula::Library;

/// Writes an expression of one kind, nested so deeply at most.
type Write = fn(&mut Writer, u32);

/// Writes random models. Redundant parentheses, blanks and comments come in on purpose.
struct Writer {
    random: ChaCha8Rng,
    text: String,
}

impl Writer {
    fn new(seed: u64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            text: String::new(),
        }
    }

    fn below(&mut self, end: u32) -> u32 {
        self.random.next_u32() % end
    }

    fn one_of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let count = u32::try_from(words.len()).unwrap();
        words[self.below(count) as usize]
    }

    fn push(&mut self, words: &[&str]) {
        let word = self.one_of(words);
        self.text.push_str(word);
        let blank = self.one_of(&["", "", " ", "  "]);
        self.text.push_str(blank);
    }

    fn model(&mut self) -> String {
        self.text
            .push_str("vector v[3], w[3] # series\ncomplex z\npolar p_a\n");
        for line in 0..=self.below(5) {
            let kind = self.below(4);
            match kind {
                0 => {
                    self.head(line, "r", " = ");
                    self.real(4);
                }
                1 => {
                    self.head(line, "s", "= ");
                    self.vector(3);
                }
                2 => {
                    self.head(line, "c", " =");
                    self.complex(3);
                }
                _ => {
                    // The unknown stands outside of the random part, so that it is there.
                    self.head(line, "solve u", ": ");
                    self.head(line, "u", " + ");
                    self.real(2);
                    self.text.push('=');
                    self.real(2);
                    if self.below(2) == 0 {
                        self.text.push_str(" near ");
                        self.real(2);
                    }
                }
            }
            self.push(&["\n", "\n\n", " # so\n"]);
        }
        std::mem::take(&mut self.text)
    }

    /// A name with the number of its line.
    fn head(&mut self, line: u32, before: &str, after: &str) {
        let line = line.to_string();
        self.text.extend([before, &line, after]);
    }

    fn list(&mut self, name: &str, arguments: &[Write], depth: u32) {
        self.text.push_str(name);
        self.push(&["("]);
        for (index, write) in arguments.iter().enumerate() {
            if index > 0 {
                self.push(&[",", ",\n"]);
            }
            write(self, depth);
        }
        self.push(&[")"]);
    }

    fn bracketed(&mut self, write: Write, depth: u32) {
        self.push(&["("]);
        write(self, depth);
        self.push(&[")"]);
    }

    /// Two expressions of a kind with an operator, in parentheses half the time.
    fn infix(&mut self, write: Write, operators: &[&str], depth: u32) {
        for side in 0..2 {
            if self.below(2) == 0 {
                self.bracketed(write, depth);
            } else {
                write(self, depth);
            }
            if side == 0 {
                self.push(operators);
            }
        }
    }

    fn real(&mut self, depth: u32) {
        if depth == 0 {
            self.push(&[
                "a",
                "b_1",
                "温度",
                "v[2]",
                "z.re",
                "p_a.abs",
                "pi",
                "0.10",
                "3",
                "1e-7",
                "12345678901",
                "2.5E3",
                ".5",
                "near",
            ]);
            return;
        }
        let next = depth - 1;
        match self.below(9) {
            0..=2 => self.infix(Self::real, &["+", "-", "*", "/", "^"], next),
            3 => {
                self.push(&["-", "+", "--"]);
                self.bracketed(Self::real, next);
            }
            4 => {
                let name = self.one_of(&["exp", "sin", "atan", "sqrt", "abs", "hardy_ice"]);
                self.list(name, &[Self::real], next);
            }
            5 => {
                let name = self.one_of(&["min", "max", "poly", "hardy_f_ice", "atan2"]);
                self.list(name, &[Self::real, Self::real], next);
            }
            6 => self.list("if", &[Self::condition, Self::real, Self::real], next),
            7 => {
                let name = self.one_of(&["sum", "mean", "sumsq", "max"]);
                self.list(name, &[Self::vector], next);
            }
            _ => {
                let name = self.one_of(&["re", "im", "abs", "arg"]);
                self.list(name, &[Self::complex], next);
            }
        }
    }

    fn vector(&mut self, depth: u32) {
        if depth == 0 {
            return self.push(&["v", "w"]);
        }
        match self.below(4) {
            0 | 1 => self.infix(Self::vector, &["+", "-", "*", "/"], depth - 1),
            2 => self.list("cos", &[Self::vector], depth - 1),
            _ => {
                self.bracketed(Self::real, depth - 1);
                self.push(&["*", "-"]);
                self.bracketed(Self::vector, depth - 1);
            }
        }
    }

    fn complex(&mut self, depth: u32) {
        if depth == 0 {
            return self.push(&["z", "p_a"]);
        }
        match self.below(6) {
            0 | 1 => self.infix(Self::complex, &["+", "-", "*", "/"], depth - 1),
            2 => {
                let name = self.one_of(&["conj", "exp", "ln", "sqrt"]);
                self.list(name, &[Self::complex], depth - 1);
            }
            3 => self.list("complex", &[Self::real, Self::real], depth - 1),
            4 => {
                self.bracketed(Self::complex, depth - 1);
                self.push(&["^2", "^-1", "^(3)"]);
            }
            _ => {
                self.bracketed(Self::real, depth - 1);
                self.push(&["*", "/", "+"]);
                self.bracketed(Self::complex, depth - 1);
            }
        }
    }

    fn condition(&mut self, depth: u32) {
        match self.below(4) {
            0 if depth > 0 => {
                self.push(&["not "]);
                self.bracketed(Self::condition, depth - 1);
            }
            1 if depth > 0 => self.infix(Self::condition, &[" and ", " or "], depth - 1),
            _ => self.infix(Self::real, &["<", "<=", ">", ">=", "≥"], depth.min(1)),
        }
    }
}

#[test]
fn a_random_model_is_the_model_of_its_canonical_text() {
    let library = Library::shipped();
    for seed in 0..3000 {
        let text = Writer::new(seed).model();
        let model = Model::compile(&text, library)
            .unwrap_or_else(|found| panic!("seed {seed}: {} in\n{text}", found[0]));
        let canonical = model.canonical();
        let again = Model::compile(&canonical, library)
            .unwrap_or_else(|found| panic!("seed {seed}: {} in\n{canonical}", found[0]));
        assert_eq!(again.canonical(), canonical, "seed {seed}");
        assert_eq!(
            again.tape.ops, model.tape.ops,
            "seed {seed}:\n{text}{canonical}"
        );
        assert_eq!(again.results, model.results, "seed {seed}");
        assert_eq!(again.inputs, model.inputs, "seed {seed}");
        assert_eq!(again.outputs, model.outputs, "seed {seed}");
    }
}

/// Everything that can be asked of a model without values.
fn exercise(text: &str) -> bool {
    let units = ["m", "mm", "°C", "1", "°", "V/A", "%"];
    match Model::compile(text, Library::shipped()) {
        Ok(model) => {
            let findings = model.check_units(&|name| {
                let unit = units.get(name.len() % (units.len() + 2))?;
                unit.parse().ok()
            });
            assert!(findings.is_sorted_by(|a, b| a.line < b.line), "{text:?}");
            assert!(!model.to_typst().is_empty() && !model.to_latex().is_empty());
            let canonical = model.canonical();
            let again = Model::compile(&canonical, Library::shipped());
            assert_eq!(again.unwrap().canonical(), canonical);
            true
        }
        Err(found) => {
            assert!(!found.is_empty());
            assert!(found.is_sorted_by(|a, b| a.line < b.line), "{text:?}");
            assert!(found.iter().all(|one| one.line > 0 && one.column > 0));
            false
        }
    }
}

#[test]
fn no_sequence_of_characters_panics() {
    for seed in 0..8000 {
        let mut writer = Writer::new(seed);
        let length = writer.below(60);
        let text: String = (0..length)
            .filter_map(|_| {
                // Characters of the language, of one byte, and of all of Unicode.
                let code = match writer.below(3) {
                    0 => u32::from(b"xyz=+-*/^()[],.<>:#\n 019eE"[writer.below(26) as usize]),
                    1 => writer.below(0x80),
                    _ => writer.below(0x11_0000),
                };
                char::from_u32(code)
            })
            .collect();
        exercise(&text);
    }
}

#[test]
fn no_sequence_of_tokens_panics() {
    const TOKENS: &[&str] = &[
        "x",
        "y",
        "z",
        "x.re",
        "z.arg",
        "=",
        "=",
        "+",
        "-",
        "*",
        "/",
        "^",
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        "<",
        "<=",
        ">",
        ">=",
        "1",
        "2",
        "3",
        "0",
        "0.5",
        "1e300",
        "if",
        "and",
        "or",
        "not",
        "solve",
        "near",
        "vector",
        "complex",
        "polar",
        "sum",
        "min",
        "poly",
        "conj",
        "abs",
        "exp",
        "hardy_water",
        "log",
        "pi",
        "\n",
        "\n",
        "#",
        "vector x[2]\n",
        "complex z\n",
        "y = ",
    ];
    let mut sound = 0;
    for seed in 0..12_000 {
        let mut writer = Writer::new(seed);
        let start = writer.one_of(&["", "vector x[2]\ncomplex z\ny = "]);
        let rest: String = (0..=writer.below(24))
            .map(|_| writer.one_of(TOKENS).to_owned() + writer.one_of(&[" ", ""]))
            .collect();
        let text = format!("{start}{rest}");
        sound += u32::from(exercise(&text));
    }
    assert!(sound > 20, "nearly nothing compiles: {sound}");
}

#[test]
fn no_damaged_model_panics() {
    let mut sound = 0;
    for seed in 0..8000 {
        let mut writer = Writer::new(seed);
        let mut text: Vec<char> = writer.model().chars().collect();
        for _ in 0..=writer.below(3) {
            let length = u32::try_from(text.len()).unwrap();
            let (from, to) = (writer.below(length), writer.below(length));
            let (from, to) = (from as usize, to as usize);
            match writer.below(4) {
                0 => drop(text.remove(from)),
                1 => text.swap(from, to),
                2 => text.insert(from, text[to]),
                _ => {
                    let end = (from + 12).min(text.len());
                    let piece: Vec<char> = text[from..end].to_vec();
                    text.splice(to..to, piece);
                }
            }
        }
        let text: String = text.into_iter().collect();
        sound += u32::from(exercise(&text));
    }
    assert!(sound > 500, "nearly nothing compiles: {sound}");
}

fn lines(range: Range<u32>, line: impl Fn(u32) -> String) -> String {
    range.fold(String::new(), |lines, i| lines + &line(i))
}

/// Each of these would be slow, or would not end, without a limit.
#[test]
fn texts_that_ask_for_much_end_in_a_message_or_a_model() {
    for text in [
        "not ".repeat(16_000),
        format!("y = {}", "if(a<".repeat(13_000)),
        format!("y = {}1{}", "exp(".repeat(300), ")".repeat(300)),
        format!("y = {}x{}", "if(x < 1, 2, ".repeat(300), ")".repeat(300)),
        format!("y = x{}", "[1]".repeat(20_000)),
        format!(
            "vector x[10000]\n{}",
            lines(0..5000, |i| format!("a{i}=x+x\n"))
        ),
        format!(
            "vector x[10000]\n{}",
            lines(0..5000, |i| format!("a{i}=x\n"))
        ),
        format!(
            "vector x[9000]\ny0 = x\n{}",
            lines(1..12, |i| format!("y{i}=y{}+sum(y{})\n", i - 1, i - 1))
        ),
        format!("complex z\ny = z{}", "^64".repeat(300)),
        lines(0..6000, |i| format!("vector x{i}[9999]\n")) + "y=1",
        lines(0..3000, |i| format!("solve x{i}: x{i}=a\n")),
        format!("complex {}z\ny = 1", "z,".repeat(30_000)),
        "$".repeat(65_000),
        format!("a = 1{}", "\nb = a a".repeat(8000)),
    ] {
        exercise(&format!("y = {text}"));
        exercise(&text);
    }
    // Formulas that call each other unfold to twice the work at each level.
    let formula = |level: usize| {
        let body = match level {
            0 => "y = t + 1".to_owned(),
            _ => format!("y = f{0}(t) + f{0}(t)", level - 1),
        };
        format!(
            "name = 'f{level}'\nversion = 1\ntitle = {{ en = 'A', zh = 'A' }}\nsource = 's'\n\
             arguments = [{{ name = 't', unit = '1', min = 0.0, max = 1.0 }}]\n\
             result_unit = '1'\nbody = '{body}'\n"
        )
    };
    let texts: Vec<String> = (0..30).map(formula).collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|text| ("f", text.as_str())).collect();
    let found = Library::parse(&files).unwrap_err();
    assert!(found[0].message.contains("unfolds"), "{}", found[0]);
}
