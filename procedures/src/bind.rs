//! Which formula stands for each generic name of a procedure's models.

use std::collections::BTreeMap;

use heng_uncertainty::{FormulaError, Library};

use crate::schema::{ChoiceOption, Procedure, PromptOption};

/// Chosen option by choice, or answer by prompt.
pub type Answers = BTreeMap<String, String>;

impl Procedure {
    /// The option that holds for each choice; what the order does not choose takes its default.
    pub fn chosen<'a>(
        &'a self,
        choices: &'a Answers,
    ) -> impl Iterator<Item = (&'a str, Option<&'a ChoiceOption>)> {
        self.choice.iter().map(|choice| {
            let id = choices.get(&choice.name).unwrap_or(&choice.default);
            let option = choice.option.iter().find(|option| option.id == *id);
            (choice.name.as_str(), option)
        })
    }

    /// Generic name -> formula, for the order's choices and the operator's answers.
    ///
    /// An answer wins over a choice, a choice over the procedure's own `bind`. A name may be
    /// bound to another generic name, so that an answer (ice on the mirror) does not need to
    /// know which family of formulas was chosen.
    #[must_use]
    pub fn bindings(&self, choices: &Answers, answers: &Answers) -> BTreeMap<String, String> {
        let mut names = self.bind.clone();
        let chosen = self.chosen(choices).filter_map(|(_, option)| option);
        names.extend(chosen.flat_map(|option| option.bind.clone()));
        let answered = self.prompt.iter().filter_map(|prompt| {
            let answer = answers.get(&prompt.id)?;
            prompt.choice.iter().find(|option| option.id == *answer)
        });
        names.extend(answered.flat_map(|option| option.bind.clone()));
        names
            .keys()
            .map(|name| {
                let mut to = name;
                // A ring of names ends after as many steps as there are names.
                for _ in 0..names.len() {
                    match names.get(to) {
                        Some(next) => to = next,
                        None => break,
                    }
                }
                (name.clone(), to.clone())
            })
            .collect()
    }

    /// The shipped formulas, also under the generic names of this procedure.
    ///
    /// # Errors
    /// [`FormulaError`] where a name is bound to a formula that does not exist.
    pub fn formulas(&self, choices: &Answers, answers: &Answers) -> Result<Library, FormulaError> {
        let bindings = self.bindings(choices, answers);
        let pairs: Vec<(&str, &str)> = bindings
            .iter()
            .map(|(name, to)| (name.as_str(), to.as_str()))
            .collect();
        Library::shipped().bind(&pairs)
    }
}

/// Every set of bindings that some choice and some answers can lead to.
pub(crate) fn contexts(procedure: &Procedure) -> Vec<(Answers, Answers)> {
    let choices = combinations(procedure.choice.iter().map(|choice| {
        (
            choice.name.as_str(),
            choice
                .option
                .iter()
                .map(|option| option.id.as_str())
                .collect(),
        )
    }));
    let binds = |option: &&PromptOption| !option.bind.is_empty();
    let answers = combinations(procedure.prompt.iter().filter_map(|prompt| {
        let ids: Vec<&str> = prompt
            .choice
            .iter()
            .filter(binds)
            .map(|option| option.id.as_str())
            .collect();
        (!ids.is_empty()).then(|| {
            let unanswered = std::iter::once("");
            (prompt.id.as_str(), unanswered.chain(ids).collect())
        })
    }));
    choices
        .iter()
        .flat_map(|choice| {
            answers
                .iter()
                .map(|answer| (choice.clone(), answer.clone()))
        })
        .collect()
}

/// Contexts grow as a product; a procedure with more is refused.
pub(crate) const MAX_CONTEXTS: usize = 200;

fn combinations<'a>(names: impl Iterator<Item = (&'a str, Vec<&'a str>)>) -> Vec<Answers> {
    names.fold(vec![Answers::new()], |all, (name, ids)| {
        all.iter()
            .flat_map(|one| {
                ids.iter().map(move |id| {
                    let mut next = one.clone();
                    if !id.is_empty() {
                        next.insert(name.to_owned(), (*id).to_owned());
                    }
                    next
                })
            })
            .take(MAX_CONTEXTS + 1)
            .collect()
    })
}
