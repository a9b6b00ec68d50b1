//! Tests of the terminal over invented sessions.

use std::path::PathBuf;

use heng_procedures::{Severity, StepKind};
use heng_quantities::Language;
use heng_records::{Event, Operator};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::intents::{Intent, Screen, TABLE, offered};
use super::rehearsal::Rehearsal;
use super::screens;
use super::update::{Effect, Message, Overlay, State, update};
use super::view::{Identity, Link, PointState, Run, View};
use super::{FromSession, Glyphs, Options, ToSession};

fn state_in(language: Language, run: &Rehearsal) -> State {
    let options = Options {
        language,
        person: "Li Na".to_owned(),
        glyphs: Glyphs::Unicode,
    };
    let mut state = State::new(&options);
    for entry in &run.entries {
        update(
            &mut state,
            Message::Session(FromSession::Entry(entry.clone())),
        );
    }
    state
}

fn state(run: &Rehearsal) -> State {
    state_in(Language::En, run)
}

fn view(run: &Rehearsal) -> View {
    state(run).view
}

fn press(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(state, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn letter(state: &mut State, character: char) -> Vec<Effect> {
    press(state, KeyCode::Char(character))
}

fn control_c(state: &mut State) -> Vec<Effect> {
    update(
        state,
        Message::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
    )
}

pub fn drawn(state: &State, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screens::draw(frame, state)).unwrap();
    terminal.backend().buffer().clone()
}

/// The characters of a screen; the second cell of a wide one is not written.
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = super::format::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Compares a screen with `fixtures/screens/NAME.txt`, or writes that file where
/// `HENG_UPDATE_SCREENS` is set; the change is then seen in the diff.
fn golden(name: &str, state: &State) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = path
        .join("fixtures/screens")
        .join(name)
        .with_extension("txt");
    let screen = text(&drawn(state, 100, 30));
    if std::env::var_os("HENG_UPDATE_SCREENS").is_some() {
        std::fs::write(&path, &screen).unwrap();
    }
    let due = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        screen, due,
        "{name} is not the stored screen; HENG_UPDATE_SCREENS=1 stores it"
    );
}

#[test]
fn bench_screen_is_the_stored_one() {
    let mut run = Rehearsal::held();
    run.alarm(
        Severity::Alarm,
        "thermometer",
        "the port is closed: No such device",
    );
    let mut state = state(&run);
    state.screen = Screen::Bench;
    golden("bench-en", &state);
}

#[test]
fn run_screen_is_the_stored_one_in_both_languages() {
    golden("run-en", &state(&Rehearsal::running()));
    golden("run-zh", &state_in(Language::Zh, &Rehearsal::held()));
}

#[test]
fn results_screen_and_budget_are_the_stored_ones() {
    let mut state = state(&Rehearsal::finished());
    state.screen = Screen::Results;
    letter(&mut state, '3');
    press(&mut state, KeyCode::Down);
    golden("results-en", &state);
    press(&mut state, KeyCode::Enter);
    golden("budget-en", &state);
}

#[test]
fn a_narrow_wide_character_terminal_gets_a_screen_of_its_own() {
    let mut state = state_in(Language::Zh, &Rehearsal::running());
    state.ui.glyphs = Glyphs::Cjk;
    golden("run-zh-cjk", &state);
}

#[test]
fn no_size_of_terminal_panics() {
    let mut states: Vec<State> = [
        Rehearsal::default(),
        Rehearsal::opened(),
        Rehearsal::finished(),
    ]
    .iter()
    .map(state)
    .collect();
    states.push(state_in(Language::Zh, &Rehearsal::held()));
    for state in &mut states {
        for screen in [Screen::Bench, Screen::Run, Screen::Results] {
            state.screen = screen;
            for overlay in [
                Overlay::None,
                Overlay::Help,
                Overlay::Detail,
                Overlay::Abort("温度".into()),
            ] {
                state.overlay = overlay;
                for (width, height) in sizes() {
                    drawn(state, width, height);
                }
            }
        }
    }
}

/// Every small size by steps, and the edges of the layouts.
fn sizes() -> Vec<(u16, u16)> {
    let widths = [1, 2, 7, 59, 60, 61, 79, 80, 131, 250];
    let heights = [1, 2, 5, 17, 18, 19, 20, 24, 26, 34, 60];
    widths
        .iter()
        .flat_map(|&width| heights.map(|height| (width, height)))
        .collect()
}

#[test]
fn a_screen_too_small_still_shows_alarms() {
    let mut run = Rehearsal::running();
    run.alarm(Severity::Alarm, "uut", "port disappeared");
    let screen = text(&drawn(&state(&run), 50, 10));
    assert!(
        screen.contains("too small") && screen.contains("60 x 18"),
        "{screen}"
    );
    assert!(screen.contains("port disappeared"), "{screen}");
}

#[test]
fn a_small_terminal_keeps_what_matters() {
    let mut state = state(&Rehearsal::finished());
    for (screen, due) in [
        (Screen::Bench, ["Dew-point mirror", "✓ matches", "answers"]),
        (
            Screen::Run,
            ["Relative humidity", "reference", "not steady"],
        ),
        (Screen::Results, ["20 °C, 30 %RH", "+0.88", "✗ FAIL"]),
    ] {
        state.screen = screen;
        let screen = text(&drawn(&state, 60, 18));
        for due in due {
            assert!(screen.contains(due), "{due} is missing in\n{screen}");
        }
    }
}

#[test]
fn every_glyph_set_keeps_the_layout() {
    let mut state = state(&Rehearsal::held());
    for glyphs in [Glyphs::Cjk, Glyphs::Ascii] {
        state.ui.glyphs = glyphs;
        for screen in [Screen::Bench, Screen::Run, Screen::Results] {
            state.screen = screen;
            let screen = text(&drawn(&state, 100, 30));
            let foreign = screen.chars().find(|character| {
                !character.is_ascii() && !('\u{2800}'..='\u{28FF}').contains(character)
            });
            assert_eq!(foreign, None, "{glyphs:?}\n{screen}");
            assert!(glyphs == Glyphs::Cjk || screen.is_ascii());
            assert!(screen.contains("+-"), "{screen}");
        }
    }
}

#[test]
fn entries_fold_into_the_view() {
    let view = view(&Rehearsal::held());
    assert_eq!(view.run, Run::Running);
    assert_eq!(
        view.points,
        [PointState::Complete, PointState::Active, PointState::Ahead]
    );
    assert_eq!(view.current_point(), Some(1));
    assert_eq!(view.prompt.as_ref().unwrap().id, "mirror_state");
    let mirror = &view.instruments[0];
    assert_eq!(
        (mirror.role.as_str(), mirror.model.as_str()),
        ("mirror", "mbw-473")
    );
    assert_eq!(
        (mirror.identity, mirror.link),
        (Identity::Matches, Link::Answers)
    );
    let unit = view
        .instruments
        .iter()
        .find(|one| one.role == "uut")
        .unwrap();
    assert_eq!(unit.link, Link::Silent);
    let thermometer = view
        .instruments
        .iter()
        .find(|one| one.role == "thermometer")
        .unwrap();
    assert_eq!(thermometer.identity, Identity::LabelOnly);
    assert_eq!(view.live["rh_uut"].digits.as_deref(), Some("50.6"));
    assert_eq!(view.live["rh_ref"].digits, None);
    assert_eq!(view.series["rh_ref"].len(), 80 + 10 + 78);
    assert_eq!(view.results[0].rows.len(), 1);
    assert_eq!(view.alarm_count(), 1);
    assert_eq!(view.traffic.len(), 200);
    assert_eq!(view.entries, Rehearsal::held().entries.len() as u64);
    assert_eq!(view.head, Rehearsal::held().entries.last().unwrap().hash);
    assert_eq!(
        view.captions.standards["C-0417"].valid_until.to_string(),
        "2027-03-02"
    );
}

#[test]
fn a_new_result_replaces_the_preliminary_one() {
    let mut run = Rehearsal::running();
    let mut result = super::rehearsal::result(0);
    result.error = 1.25;
    run.derive(&heng_procedures::Outcome::Result(Box::new(result)));
    let view = view(&run);
    assert_eq!(view.results[0].rows.len(), 1);
    assert_eq!(view.results[0].rows[0].error, 1.25);
}

#[test]
fn readings_that_start_over_are_no_longer_shown() {
    let mut run = Rehearsal::running();
    run.step(StepKind::Read, Some(1), [1, 2]);
    for cycle in [1, 2, 1] {
        run.derive(&scan(cycle));
    }
    let view = view(&run);
    let cycles: Vec<_> = view
        .scans
        .iter()
        .filter_map(|line| line.scan.cycle)
        .collect();
    assert_eq!(cycles, [1]);
}

fn scan(cycle: u32) -> heng_procedures::Outcome {
    heng_procedures::Outcome::Scan(heng_procedures::Scan {
        t_us: 1,
        point: Some(1),
        purpose: heng_procedures::ScanPurpose::Reading,
        cycle: Some(cycle),
        indications: Vec::new(),
        missing: [("td".to_owned(), "silent".to_owned())].into(),
        signals: std::collections::BTreeMap::new(),
    })
}

#[test]
fn a_derived_value_of_another_kind_changes_nothing_but_the_count() {
    let mut run = Rehearsal::running();
    let before = view(&run);
    run.push(Event::Derived {
        body: serde_json::json!({ "what": "certificate", "number": 1 }),
    });
    let after = view(&run);
    assert_eq!(after.entries, before.entries + 1);
    assert_eq!((after.step, after.results), (before.step, before.results));
}

#[test]
fn pause_and_resume_follow_the_record_not_the_key() {
    let mut run = Rehearsal::running();
    let mut state = state(&run);
    assert_eq!(letter(&mut state, 'p'), [Effect::Send(ToSession::Pause)]);
    assert_eq!(state.view.run, Run::Running);
    run.push(Event::Operator(Operator::Pause {
        person: "Li Na".into(),
    }));
    let pause = run.entries.last().unwrap().clone();
    update(&mut state, Message::Session(FromSession::Entry(pause)));
    assert_eq!(state.view.run, Run::Paused);
    assert_eq!(letter(&mut state, 'p'), [Effect::Send(ToSession::Resume)]);
}

#[test]
fn the_letters_of_a_question_answer_it_on_the_run_screen_only() {
    let mut state = state(&Rehearsal::held());
    let answer = |choice: &str| {
        Effect::Send(ToSession::Answer {
            prompt: "mirror_state".into(),
            choice: choice.into(),
            note: String::new(),
        })
    };
    assert_eq!(letter(&mut state, 'i'), [answer("ice")]);
    assert_eq!(
        press(&mut state, KeyCode::Enter),
        [],
        "nothing is chosen in advance"
    );
    press(&mut state, KeyCode::Down);
    assert_eq!(press(&mut state, KeyCode::Enter), [answer("water")]);
    press(&mut state, KeyCode::Up);
    assert_eq!(press(&mut state, KeyCode::Enter), [answer("ice")]);
    letter(&mut state, '1');
    assert_eq!(letter(&mut state, 'i'), []);
    assert!(text(&drawn(&state, 100, 30)).contains("a question waits on screen 2"));
}

#[test]
fn a_question_owns_its_letters() {
    let mut run = Rehearsal::running();
    run.prompt(
        "clean",
        "Clean the mirror?",
        &[('n', "no"), ('p', "pause first")],
    );
    let mut state = state(&run);
    assert!(offered(&state).all(|row| row.intent != Intent::Note && row.intent != Intent::Pause));
    let sent = letter(&mut state, 'n');
    assert!(
        matches!(&sent[..], [Effect::Send(ToSession::Answer { choice, .. })] if choice == "no")
    );
    assert_eq!(state.overlay, Overlay::None);
}

#[test]
fn an_abort_needs_a_reason() {
    let mut state = state(&Rehearsal::running());
    assert_eq!(letter(&mut state, 'x'), []);
    assert_eq!(press(&mut state, KeyCode::Enter), []);
    for character in "doorx".chars() {
        letter(&mut state, character);
    }
    press(&mut state, KeyCode::Backspace);
    let reason = "door".to_owned();
    assert_eq!(
        press(&mut state, KeyCode::Enter),
        [Effect::Send(ToSession::Abort { reason })]
    );
    assert_eq!(state.overlay, Overlay::None);
    letter(&mut state, 'x');
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.overlay, Overlay::None);
}

#[test]
fn control_c_asks_once_and_aborts_before_it_leaves() {
    let mut state = state(&Rehearsal::running());
    letter(&mut state, 'n');
    assert_eq!(control_c(&mut state), [], "a note is not an abort");
    assert!(matches!(state.overlay, Overlay::Abort(_)));
    let effects = control_c(&mut state);
    assert!(matches!(
        &effects[..],
        [Effect::Send(ToSession::Abort { .. }), Effect::Leave]
    ));
}

#[test]
fn only_an_ended_session_can_be_left_with_q() {
    let mut state = state(&Rehearsal::finished());
    assert_eq!(letter(&mut state, 'q'), []);
    update(
        &mut state,
        Message::Session(FromSession::Ended(Ok("record.jsonl\nidentical".into()))),
    );
    assert!(text(&drawn(&state, 100, 30)).contains("identical"));
    assert_eq!(letter(&mut state, 'q'), [Effect::Leave]);
    press(&mut state, KeyCode::Esc);
    assert_eq!(control_c(&mut state), [Effect::Leave]);
}

#[test]
fn a_frozen_picture_stays_while_the_run_goes_on() {
    let mut run = Rehearsal::running();
    let mut state = state(&run);
    letter(&mut state, 'F');
    run.step(StepKind::Read, Some(1), [60, 60]);
    let entry = run.entries.last().unwrap().clone();
    update(&mut state, Message::Session(FromSession::Entry(entry)));
    assert_eq!(state.shown().entries + 1, state.view.entries);
    assert!(text(&drawn(&state, 100, 30)).contains("FROZEN"));
    letter(&mut state, 'F');
    assert_eq!(state.shown().entries, state.view.entries);
}

#[test]
fn a_key_does_what_footer_and_help_say_and_nothing_else() {
    let runs = [
        Rehearsal::opened(),
        Rehearsal::running(),
        Rehearsal::held(),
        Rehearsal::finished(),
    ];
    for run in &runs {
        for screen in [Screen::Bench, Screen::Run, Screen::Results] {
            for row in TABLE {
                let mut state = state(run);
                state.screen = screen;
                let modifiers = if row.control {
                    KeyModifiers::CONTROL
                } else {
                    KeyModifiers::NONE
                };
                let means: Vec<_> = offered(&state)
                    .filter(|one| one.is(row.code, modifiers))
                    .map(|one| one.intent)
                    .collect();
                assert!(means.len() <= 1, "{means:?}");
                let before = fingerprint(&state);
                let effects = update(&mut state, Message::Key(KeyEvent::new(row.code, modifiers)));
                let changed = fingerprint(&state) != before || !effects.is_empty();
                let one_place = matches!(
                    row.code,
                    KeyCode::Tab | KeyCode::Up | KeyCode::Down | KeyCode::Left | KeyCode::Right
                );
                // A letter of the question answers it, whatever it does elsewhere.
                let asked = run.entries.len() == Rehearsal::held().entries.len();
                let answers = asked && screen == Screen::Run && row.code == KeyCode::Char('w');
                assert!(
                    changed != means.is_empty() || one_place || answers,
                    "{} on {screen:?}: {means:?}",
                    row.key
                );
            }
        }
    }
}

/// What a key may change.
fn fingerprint(state: &State) -> String {
    format!(
        "{:?} {:?} {} {} {} {} {:?} {} {} {}",
        state.screen,
        state.overlay,
        state.chart,
        state.instrument,
        state.measurand,
        state.row,
        state.choice,
        state.traffic,
        state.zoomed,
        state.frozen.is_some()
    )
}

#[test]
fn the_footer_shows_only_keys_that_can_be_used() {
    for run in [
        Rehearsal::running(),
        Rehearsal::held(),
        Rehearsal::finished(),
    ] {
        for width in [60, 80, 100, 160] {
            let state = state(&run);
            let screen = text(&drawn(&state, width, 30));
            let footer = screen.lines().nth(28).unwrap().to_owned();
            assert!(footer.contains("? help"), "{footer}");
            let usable: Vec<_> = offered(&state).map(|row| row.en).collect();
            for row in TABLE.iter().filter(|row| row.footer) {
                let item = format!(" {} {} ", row.key, row.en);
                let shown = format!("{footer} ").contains(&item);
                assert!(!shown || usable.contains(&row.en), "{item:?} in {footer}");
            }
        }
    }
}

#[test]
fn no_colour_carries_a_meaning_of_its_own() {
    let mut state = state(&Rehearsal::finished());
    state.screen = Screen::Results;
    let screen = text(&drawn(&state, 100, 30));
    assert!(
        screen.contains("✓ PASS") && screen.contains("✗ FAIL"),
        "{screen}"
    );
}
