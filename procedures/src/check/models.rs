//! The models of a procedure, compiled under every set of formulas it offers.

use std::collections::BTreeSet;

use heng_uncertainty::{Library, Model};

use super::Check;
use crate::bind::contexts;
use crate::diagnostics::{Diagnostic, Key};

impl Check<'_> {
    pub(super) fn models(&mut self) {
        for (choices, answers) in contexts(self.procedure) {
            match self.procedure.formulas(&choices, &answers) {
                Ok(formulas) => self.models_with(&formulas),
                Err(error) => {
                    let path = self.path_of_binding(&choices);
                    self.report(
                        &path,
                        error.to_string(),
                        "bind the name to one of the formulas",
                    );
                }
            }
            // The other sets of formulas would say the same again.
            if !self.found.is_empty() {
                return;
            }
        }
    }

    /// The choice whose option binds a name to something unknown, else the procedure's `bind`.
    fn path_of_binding(&self, choices: &crate::bind::Answers) -> Vec<Key<'static>> {
        let known = Library::shipped();
        let bound_somewhere = |name: &String| {
            let everywhere = self
                .procedure
                .choice
                .iter()
                .flat_map(|choice| &choice.option);
            self.procedure.bind.contains_key(name)
                || everywhere
                    .into_iter()
                    .any(|option| option.bind.contains_key(name))
        };
        let wrong = |to: &&String| known.get(to).is_none() && !bound_somewhere(to);
        for (index, choice) in self.procedure.choice.iter().enumerate() {
            let id = choices.get(&choice.name).unwrap_or(&choice.default);
            let chosen = choice.option.iter().position(|option| option.id == *id);
            if let Some(option) = chosen
                && choice.option[option].bind.values().any(|to| wrong(&to))
            {
                return vec![
                    "choice".into(),
                    index.into(),
                    "option".into(),
                    option.into(),
                    "bind".into(),
                ];
            }
        }
        if self.procedure.bind.values().any(|to| wrong(&to)) {
            return vec!["bind".into()];
        }
        for (index, prompt) in self.procedure.prompt.iter().enumerate() {
            let option = prompt
                .choice
                .iter()
                .position(|one| one.bind.values().any(|to| wrong(&to)));
            if let Some(option) = option {
                return vec![
                    "prompt".into(),
                    index.into(),
                    "choice".into(),
                    option.into(),
                    "bind".into(),
                ];
            }
        }
        vec!["bind".into()]
    }

    fn models_with(&mut self, formulas: &Library) {
        let mut known: BTreeSet<&str> = self
            .procedure
            .channel
            .iter()
            .map(|channel| channel.name.as_str())
            .collect();
        for (index, derived) in self.procedure.derived.iter().enumerate() {
            let path = ["derived".into(), index.into(), "model".into()];
            if let Some(model) = self.compile(&path, &derived.model, formulas) {
                for input in model
                    .inputs()
                    .iter()
                    .filter(|input| !known.contains(input.as_str()))
                {
                    self.symbol(
                        &path,
                        &derived.model,
                        input,
                        "is neither a channel nor an earlier derived signal",
                    );
                }
            }
            known.insert(&derived.name);
        }
        for (index, measurand) in self.procedure.measurand.iter().enumerate() {
            let path = ["measurand".into(), index.into(), "model".into()];
            let Some(model) = self.compile(&path, &measurand.model, formulas) else {
                continue;
            };
            let stated: BTreeSet<&str> = measurand
                .input
                .iter()
                .map(|one| one.symbol.as_str())
                .collect();
            for input in model
                .inputs()
                .iter()
                .filter(|input| !stated.contains(input.as_str()))
            {
                self.symbol(&path, &measurand.model, input, "has no [[measurand.input]]");
            }
            for (i, input) in measurand.input.iter().enumerate() {
                if !model.inputs().contains(&input.symbol) {
                    let path = [
                        "measurand".into(),
                        index.into(),
                        "input".into(),
                        i.into(),
                        "symbol".into(),
                    ];
                    self.report(
                        &path,
                        format!("the model does not use input {:?}", input.symbol),
                        "use it or remove it",
                    );
                }
            }
            if !model.outputs().contains(&measurand.output) {
                let path = ["measurand".into(), index.into(), "output".into()];
                self.report(
                    &path,
                    format!("the model has no output {:?}", measurand.output),
                    "name an assigned quantity of the model",
                );
            }
        }
    }

    fn compile(&mut self, path: &[Key<'_>], text: &str, formulas: &Library) -> Option<Model> {
        match Model::compile(text, formulas) {
            Ok(model) => Some(model),
            Err(found) => {
                for one in found {
                    let (line, column) = self.source.place_inside(path, one.line, one.column);
                    self.found.push(Diagnostic {
                        file: self.source.name.to_owned(),
                        line,
                        column,
                        message: one.message,
                        help: one.help,
                    });
                }
                None
            }
        }
    }

    /// Reports `name` where it first stands in the model.
    fn symbol(&mut self, path: &[Key<'_>], text: &str, name: &str, what: &str) {
        let (line, column) = first_use(text, name);
        let (line, column) = self.source.place_inside(path, line, column);
        self.found.push(Diagnostic {
            file: self.source.name.to_owned(),
            line,
            column,
            message: format!("{name:?} in the model {what}"),
            help: Some("define it or correct the name".to_owned()),
        });
    }
}

/// Line and column in `text` of the whole word `name` outside comments; the start if absent.
fn first_use(text: &str, name: &str) -> (usize, usize) {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    for (row, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default();
        let mut from = 0;
        while let Some(at) = code[from..].find(name).map(|at| at + from) {
            let end = at + name.len();
            let open = code[..at].chars().next_back().is_none_or(|c| !inside(c));
            if open && code[end..].chars().next().is_none_or(|c| !inside(c)) {
                return (row + 1, code[..at].chars().count() + 1);
            }
            from = end;
        }
    }
    (1, 1)
}
