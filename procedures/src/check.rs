//! What can be wrong with a procedure in itself, whatever the order and the bench.

use std::collections::BTreeSet;

use heng_quantities::Unit;

use crate::criterion::time_problem;
use crate::diagnostics::{Diagnostic, Key, Source};
use crate::schema::{
    FixedDistribution, FixedInput, InputSource, InstabilityLaw, Kind, Procedure, PromptRule,
    Purpose, SteadyRules,
};

mod models;

/// Prompts of the plan itself; a procedure cannot use these ids.
pub const PLAN_PROMPTS: [&str; 4] = [
    "not_steady",
    "reading_failed",
    "source_refused",
    "instrument_lost",
];

/// Everything wrong with `procedure`, in the order of the schema.
pub fn check(procedure: &Procedure) -> Vec<Diagnostic> {
    let mut check = Check {
        procedure,
        source: procedure.source(),
        found: Vec::new(),
    };
    check.names();
    check.channels();
    check.choices();
    check.points();
    check.steady();
    check.loss();
    check.reading();
    check.prompts();
    check.measurands();
    if procedure.kind == Kind::Comparison {
        check.completeness();
    }
    // A model over wrong names would repeat what is already said.
    if check.found.is_empty() {
        check.models();
    }
    check.found
}

struct Check<'a> {
    procedure: &'a Procedure,
    source: Source<'a>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn report(&mut self, path: &[Key<'_>], message: String, help: &str) {
        self.found.push(self.source.at(path, message, Some(help)));
    }

    fn unique<'b>(&mut self, kind: &str, names: impl Iterator<Item = (Vec<Key<'b>>, &'b str)>) {
        let mut seen = BTreeSet::new();
        for (path, name) in names {
            if !seen.insert(name) {
                let message = format!("{kind} {name:?} is defined a second time");
                self.report(&path, message, "give each its own name");
            }
        }
    }

    fn names(&mut self) {
        let all = self.procedure;
        let list =
            |table, key| move |index: usize| vec![Key::Name(table), index.into(), Key::Name(key)];
        let path = list("role", "name");
        self.unique(
            "role",
            all.role
                .iter()
                .enumerate()
                .map(|(i, one)| (path(i), one.name.as_str())),
        );
        let (channel, derived) = (list("channel", "name"), list("derived", "name"));
        let channels = all
            .channel
            .iter()
            .enumerate()
            .map(|(i, one)| (channel(i), one.name.as_str()));
        let derived = all
            .derived
            .iter()
            .enumerate()
            .map(|(i, one)| (derived(i), one.name.as_str()));
        self.unique("signal", channels.chain(derived));
        let path = list("choice", "name");
        self.unique(
            "choice",
            all.choice
                .iter()
                .enumerate()
                .map(|(i, one)| (path(i), one.name.as_str())),
        );
        let path = list("point", "id");
        self.unique(
            "point",
            all.point
                .iter()
                .enumerate()
                .map(|(i, one)| (path(i), one.id.as_str())),
        );
        let path = list("prompt", "id");
        self.unique(
            "prompt",
            all.prompt
                .iter()
                .enumerate()
                .map(|(i, one)| (path(i), one.id.as_str())),
        );
        let path = list("measurand", "id");
        self.unique(
            "measurand",
            all.measurand
                .iter()
                .enumerate()
                .map(|(i, one)| (path(i), one.id.as_str())),
        );
        let path = list("definition", "id");
        self.unique(
            "definition",
            all.definition
                .iter()
                .enumerate()
                .map(|(i, one)| (path(i), one.id.as_str())),
        );
    }

    fn channels(&mut self) {
        for (index, channel) in self.procedure.channel.iter().enumerate() {
            let at = |key| ["channel".into(), index.into(), Key::Name(key)];
            match self.procedure.role(&channel.role) {
                None => self.report(
                    &at("role"),
                    format!(
                        "channel {:?} is read from role {:?}, which is not defined",
                        channel.name, channel.role
                    ),
                    "name one of the [[role]] entries",
                ),
                Some(role) if !role.quantities.contains(&channel.quantity) => self.report(
                    &at("quantity"),
                    format!(
                        "role {:?} does not measure {:?}",
                        role.name, channel.quantity
                    ),
                    "list the quantity in the role's `quantities`",
                ),
                Some(_) => {}
            }
        }
    }

    fn choices(&mut self) {
        for (index, choice) in self.procedure.choice.iter().enumerate() {
            let path = |key| ["choice".into(), index.into(), Key::Name(key)];
            let ids = choice.option.iter().enumerate().map(|(i, option)| {
                let path = vec![
                    "choice".into(),
                    index.into(),
                    "option".into(),
                    i.into(),
                    "id".into(),
                ];
                (path, option.id.as_str())
            });
            self.unique("option", ids);
            if !choice
                .option
                .iter()
                .any(|option| option.id == choice.default)
            {
                let message = format!(
                    "choice {:?} has no option {:?}",
                    choice.name, choice.default
                );
                self.report(
                    &path("default"),
                    message,
                    "name the id of one of its options",
                );
            }
        }
        let contexts = crate::bind::contexts(self.procedure).len();
        if contexts > crate::bind::MAX_CONTEXTS {
            let message = format!(
                "choices and answers combine to more than {} sets of formulas",
                crate::bind::MAX_CONTEXTS
            );
            self.report(&["choice".into()], message, "offer fewer options");
        }
    }

    fn points(&mut self) {
        for (index, point) in self.procedure.point.iter().enumerate() {
            let path = ["point".into(), index.into(), "set".into()];
            if point.set.is_empty() {
                self.report(
                    &path,
                    format!("point {:?} sets nothing", point.id),
                    "give at least one set point",
                );
            }
            for quantity in point.set.keys() {
                let sets = |role: &crate::schema::Role| {
                    role.purpose == Purpose::Source && role.quantities.contains(quantity)
                };
                if !self.procedure.role.iter().any(sets) {
                    let message = format!(
                        "no source sets the quantity {quantity:?} of point {:?}",
                        point.id
                    );
                    let path = [
                        "point".into(),
                        index.into(),
                        "set".into(),
                        quantity.as_str().into(),
                    ];
                    self.report(
                        &path,
                        message,
                        "name a quantity of a role whose purpose is \"source\"",
                    );
                }
            }
        }
    }

    fn signal(&mut self, path: &[Key<'_>], name: &str) -> Option<Unit> {
        let unit = self.procedure.signal_unit(name);
        if unit.is_none() {
            let message = format!("signal {name:?} is neither a channel nor a derived signal");
            self.report(path, message, "name a [[channel]] or a [[derived]]");
        }
        unit
    }

    fn channel_unit(&mut self, path: &[Key<'_>], name: &str) -> Option<Unit> {
        let unit = self.procedure.channel(name).map(|channel| channel.unit);
        if unit.is_none() {
            self.report(
                path,
                format!("channel {name:?} is not defined"),
                "name one of the [[channel]] entries",
            );
        }
        unit
    }

    fn positive(&mut self, path: &[Key<'_>], value: f64) {
        if let Some((message, help)) = time_problem(value) {
            self.report(path, message, help);
        }
    }

    fn steady(&mut self) {
        let Some(rules) = &self.procedure.steady else {
            return;
        };
        let at = |key| ["steady".into(), Key::Name(key)];
        for (key, value) in [
            ("scan_interval_s", rules.scan_interval_s),
            ("maximum_wait_s", rules.maximum_wait_s),
            ("gap_s", rules.gap_s),
        ] {
            self.positive(&at(key), value);
        }
        if !(0.0..=rules.maximum_wait_s).contains(&rules.minimum_wait_s) {
            self.report(
                &at("minimum_wait_s"),
                "the minimum wait is not between 0 s and the maximum wait".into(),
                "exchange or correct the two",
            );
        }
        let longest = self
            .procedure
            .reading
            .as_ref()
            .map_or(0.0, |reading| reading.interval_s);
        if rules.gap_s < rules.scan_interval_s || rules.gap_s < longest {
            self.report(
                &at("gap_s"),
                "every scan would be a gap".into(),
                "make `gap_s` longer than both the scan and the reading interval",
            );
        }
        if rules.criterion.is_empty() {
            self.report(
                &["steady".into()],
                "there is no criterion of the steady state".into(),
                "add a [[steady.criterion]]",
            );
        }
        self.criteria(rules);
    }

    fn loss(&mut self) {
        let Some(rules) = &self.procedure.loss else {
            return;
        };
        let at = |key| ["loss".into(), Key::Name(key)];
        self.positive(&at("look_every_s"), rules.look_every_s);
        if rules.look_for_s < rules.look_every_s || !rules.look_for_s.is_finite() {
            self.report(
                &at("look_for_s"),
                "the instrument would never be looked for".into(),
                "make `look_for_s` at least as long as `look_every_s`",
            );
        }
        for (index, role) in rules.soak_anew.iter().enumerate() {
            if self.procedure.role(role).is_none() {
                let path = ["loss".into(), "soak_anew".into(), index.into()];
                self.report(
                    &path,
                    format!("there is no role {role:?}"),
                    "name a role of the procedure",
                );
            }
        }
    }

    fn criteria(&mut self, rules: &SteadyRules) {
        for (index, criterion) in rules.criterion.iter().enumerate() {
            let at = |key| {
                [
                    "steady".into(),
                    "criterion".into(),
                    index.into(),
                    Key::Name(key),
                ]
            };
            self.signal(&at("signal"), &criterion.signal);
            for (key, message, help) in criterion.problems() {
                self.report(&at(key), message, help);
            }
            if let Some(minus) = &criterion.minus {
                self.subtracted(&at("minus"), &criterion.signal, minus);
            }
            if criterion.window_s > rules.maximum_wait_s {
                self.report(
                    &at("window_s"),
                    "the window is longer than the maximum wait".into(),
                    "shorten the window or wait longer",
                );
            }
            if let Some(reach) = &criterion.reach {
                let sets = |point: &crate::schema::Point| point.set.contains_key(&reach.quantity);
                if let Some(point) = self.procedure.point.iter().find(|point| !sets(point)) {
                    let message = format!("point {:?} does not set {:?}", point.id, reach.quantity);
                    self.report(
                        &at("reach"),
                        message,
                        "name a quantity that every point sets",
                    );
                }
                if reach.soak_s > rules.maximum_wait_s {
                    self.report(
                        &at("reach"),
                        "the soak is longer than the maximum wait".into(),
                        "shorten the soak or wait longer",
                    );
                }
            }
        }
    }

    fn subtracted(&mut self, path: &[Key<'_>], signal: &str, minus: &str) {
        let both = [signal, minus].map(|name| self.procedure.channel(name));
        match both {
            [Some(one), Some(other)] if one.unit.difference() != other.unit.difference() => self
                .report(
                    path,
                    format!("{signal} is in {}, {minus} in {}", one.unit, other.unit),
                    "subtract channels of one unit",
                ),
            [Some(_), Some(_)] => {}
            _ => self.report(
                path,
                format!("{signal:?} and {minus:?} are not both channels"),
                "name two [[channel]] entries, or judge a [[derived]] signal",
            ),
        }
    }

    fn reading(&mut self) {
        let Some(rules) = &self.procedure.reading else {
            return;
        };
        let at = |key| ["reading".into(), Key::Name(key)];
        self.positive(&at("interval_s"), rules.interval_s);
        if !(2..=10_000).contains(&rules.count) {
            self.report(
                &at("count"),
                format!("{} readings allow no type A evaluation", rules.count),
                "take 2 to 10000 readings",
            );
        }
        for (index, name) in rules.sequence.iter().enumerate() {
            self.channel_unit(&["reading".into(), "sequence".into(), index.into()], name);
        }
        for channel in &self.procedure.channel {
            if !rules.sequence.contains(&channel.name) {
                self.report(
                    &at("sequence"),
                    format!("channel {:?} is never read", channel.name),
                    "add it to the sequence or remove the channel",
                );
            }
        }
    }

    fn prompts(&mut self) {
        for (index, prompt) in self.procedure.prompt.iter().enumerate() {
            let at = |key| ["prompt".into(), index.into(), Key::Name(key)];
            if PLAN_PROMPTS.contains(&prompt.id.as_str()) {
                self.report(
                    &at("id"),
                    format!(
                        "the id {:?} belongs to a prompt of the plan itself",
                        prompt.id
                    ),
                    "choose another id",
                );
            }
            if let Some(signal) = &prompt.signal {
                self.channel_unit(&at("signal"), signal);
            }
            self.prompt_condition(index, prompt);
            if prompt.choice.is_empty() {
                self.report(
                    &at("id"),
                    format!("prompt {:?} has no choice to answer with", prompt.id),
                    "add a [[prompt.choice]]",
                );
            }
            let path = |i: usize, key| {
                vec![
                    "prompt".into(),
                    index.into(),
                    "choice".into(),
                    i.into(),
                    Key::Name(key),
                ]
            };
            let ids = prompt
                .choice
                .iter()
                .enumerate()
                .map(|(i, one)| (path(i, "id"), one.id.as_str()));
            self.unique("choice", ids);
            let keys: Vec<String> = prompt
                .choice
                .iter()
                .map(|one| one.key.to_string())
                .collect();
            self.unique(
                "key",
                keys.iter()
                    .enumerate()
                    .map(|(i, key)| (path(i, "key"), key.as_str())),
            );
        }
    }

    fn prompt_condition(&mut self, index: usize, prompt: &PromptRule) {
        let at = |key| ["prompt".into(), index.into(), Key::Name(key)];
        let bounded = prompt.above.is_some() || prompt.below.is_some();
        if bounded != prompt.signal.is_some() {
            self.report(
                &at("id"),
                "a condition needs `signal` and at least one of `above`, `below`".into(),
                "give all or none of them",
            );
        }
        let nan = prompt.above.is_some_and(f64::is_nan) || prompt.below.is_some_and(f64::is_nan);
        if nan || matches!((prompt.above, prompt.below), (Some(low), Some(high)) if low >= high) {
            self.report(
                &at("above"),
                "`above` is not less than `below`".into(),
                "exchange the two",
            );
        }
        for (key, answer, bound) in [
            ("otherwise_low", &prompt.otherwise_low, prompt.above),
            ("otherwise_high", &prompt.otherwise_high, prompt.below),
            ("presume", &prompt.presume, Some(0.0)),
        ] {
            let Some(answer) = answer else { continue };
            if !prompt.choice.iter().any(|option| option.id == *answer) || bound.is_none() {
                self.report(
                    &at(key),
                    format!("{answer:?} is no answer that `{key}` could stand for"),
                    "name the id of a choice, and the bound it belongs to",
                );
            }
        }
    }

    fn measurands(&mut self) {
        for (index, measurand) in self.procedure.measurand.iter().enumerate() {
            let at = |key| ["measurand".into(), index.into(), Key::Name(key)];
            for (key, signal) in [
                ("reference", &measurand.reference),
                ("indication", &measurand.indication),
            ] {
                let unit = self.signal(&at(key), signal);
                if let Some(unit) =
                    unit.filter(|unit| unit.difference() != measurand.unit.difference())
                {
                    let message = format!(
                        "{signal} is in {unit}, measurand {:?} in {}",
                        measurand.id, measurand.unit
                    );
                    self.report(&at("unit"), message, "use one unit for both");
                }
            }
            let path = |i: usize| {
                vec![
                    "measurand".into(),
                    index.into(),
                    "input".into(),
                    i.into(),
                    "symbol".into(),
                ]
            };
            let symbols = measurand
                .input
                .iter()
                .enumerate()
                .map(|(i, one)| (path(i), one.symbol.as_str()));
            self.unique("input", symbols);
            for (i, input) in measurand.input.iter().enumerate() {
                let path = ["measurand".into(), index.into(), "input".into(), i.into()];
                self.input_source(&path, input.unit, &input.source, measurand.unit);
            }
        }
    }

    fn input_source(
        &mut self,
        path: &[Key<'_>; 4],
        unit: Unit,
        source: &InputSource,
        result: Unit,
    ) {
        let at = |key| [path[0], path[1], path[2], path[3], Key::Name(key)];
        let expected = match source {
            InputSource::Mean { channel } => self.channel_unit(&at("source"), channel),
            InputSource::Certificate { channel } | InputSource::Drift { channel } => {
                let corrected = |name: &str| {
                    self.procedure
                        .channel(name)
                        .is_none_or(|channel| self.procedure.is_corrected(channel))
                };
                if !corrected(channel) {
                    self.report(&at("source"), format!("channel {channel:?} belongs to no reference, so no certificate covers it"), "use another kind of source");
                }
                self.channel_unit(&at("source"), channel)
                    .map(Unit::difference)
            }
            InputSource::Resolution { channel } => self
                .channel_unit(&at("source"), channel)
                .map(Unit::difference),
            InputSource::TypeA { signal } => {
                self.signal(&at("source"), signal).map(Unit::difference)
            }
            InputSource::Instability { signal, minus, law } => {
                self.instability(&at("source"), signal, minus.as_deref(), *law);
                self.signal(&at("source"), signal).map(Unit::difference)
            }
            InputSource::Hysteresis => Some(result.difference()),
            InputSource::Fixed(fixed) => {
                self.fixed(&at("source"), fixed);
                None
            }
        };
        if let Some(expected) = expected.filter(|&expected| expected != unit) {
            self.report(
                &at("unit"),
                format!("the input is in {unit}, its source in {expected}"),
                "write the unit of the source",
            );
        }
    }

    /// An instability is a figure of a criterion that judges it, so that a limit stands behind
    /// the budget.
    fn instability(
        &mut self,
        path: &[Key<'_>],
        signal: &str,
        minus: Option<&str>,
        law: InstabilityLaw,
    ) {
        let rules = self.procedure.steady.iter();
        let mut judging = rules
            .flat_map(|rules| &rules.criterion)
            .filter(|one| one.signal == signal && one.minus.as_deref() == minus)
            .peekable();
        if judging.peek().is_none() {
            let minus = minus.map_or_else(String::new, |minus| format!(" minus {minus:?}"));
            let message = format!("no criterion of the steady state judges {signal:?}{minus}");
            return self.report(path, message, "add a [[steady.criterion]] for it");
        }
        let (has, wanted) = match law {
            InstabilityLaw::HalfRange => (judging.any(|one| one.range.is_some()), "`range`"),
            InstabilityLaw::Scatter => (judging.any(|one| one.scatter.is_some()), "`scatter`"),
            InstabilityLaw::Drift => (
                judging.any(|one| one.slope_per_h.is_some()),
                "`slope_per_h`",
            ),
        };
        if !has {
            self.report(
                path,
                format!("no criterion of {signal:?} has the limit {wanted} that this law needs"),
                "add the limit, or choose another `law`",
            );
        }
    }

    fn fixed(&mut self, path: &[Key<'_>], fixed: &FixedInput) {
        let normal = fixed.distribution == FixedDistribution::Normal;
        let width = match (normal, fixed.u, fixed.half_width) {
            (true, Some(u), None) => Some(u),
            (false, None, Some(half_width)) => Some(half_width),
            _ => None,
        };
        if !(width.is_some_and(|width| width.is_finite() && width >= 0.0)
            && fixed.value.is_finite())
        {
            self.report(
                path,
                "a fixed input needs `u` (normal) or `half_width` (bounded), not negative".into(),
                "give exactly the one that belongs to its distribution",
            );
        }
        if fixed.dof.is_some_and(|dof| dof.is_nan() || dof <= 0.0) {
            self.report(
                path,
                "degrees of freedom are not above zero".into(),
                "leave `dof` out for infinitely many",
            );
        }
    }

    /// What a comparison cannot run without.
    fn completeness(&mut self) {
        let all = self.procedure;
        let lacks: [(&'static str, bool); 5] = [
            (
                "role",
                all.role.iter().all(|role| role.purpose != Purpose::Source),
            ),
            ("point", all.point.is_empty()),
            ("steady", all.steady.is_none()),
            ("reading", all.reading.is_none()),
            ("measurand", all.measurand.is_empty()),
        ];
        for (what, lacking) in lacks {
            if lacking {
                let help = if what == "role" {
                    "add a role whose purpose is \"source\""
                } else {
                    "add the section"
                };
                self.report(&[what.into()], format!("a comparison needs `{what}`"), help);
            }
        }
    }
}
