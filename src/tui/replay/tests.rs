//! A record on the screen: the same views in any order, the way to the bytes and back, and
//! nothing that could change a session.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use heng_procedures::{Scan, Severity};
use heng_records::{Ending, GENESIS, sha256_hex};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::session::replay::judge;
use crate::session::trace::{Place, Trail};
use crate::session::whatif::{Change, what_if};
use crate::tui::Options;
use crate::tui::glyphs::Glyphs;
use crate::tui::intents::{Screen, TABLE};
use crate::tui::rehearsal::Rehearsal;
use crate::tui::tests::{drawn, text};
use crate::tui::update::{Effect, Message, Overlay, State, update};

/// The bytes of a record with these events.
fn bytes(run: &Rehearsal) -> Vec<u8> {
    let (mut bytes, mut prev) = (Vec::new(), GENESIS.to_owned());
    for entry in &run.entries {
        let (prev_hash, hash) = (std::mem::take(&mut prev), String::new());
        let entry = Entry {
            prev: prev_hash,
            hash,
            ..entry.clone()
        };
        let line = serde_json::to_string(&entry).unwrap();
        let hashed = line.strip_suffix(",\"hash\":\"\"}").unwrap();
        prev = sha256_hex(hashed.as_bytes());
        bytes.extend(format!("{hashed},\"hash\":\"{prev}\"}}\n").bytes());
    }
    bytes
}

fn read(bytes: &[u8]) -> Reader {
    Reader::from_bytes(Path::new("record.jsonl"), bytes).unwrap()
}

/// A whole session that an earlier version wrote, with its certificate.
fn session() -> Arc<Reader> {
    let path = "fixtures/sessions/v2/comparison/DEMO-2026-1183.jsonl";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    Arc::new(Reader::open(&path).unwrap())
}

fn on(reader: Arc<Reader>, language: Language) -> State {
    let options = Options {
        language,
        person: String::new(),
        glyphs: Glyphs::Unicode,
    };
    let recorded = Recorded {
        reader,
        from: 0,
        speed: None,
    };
    State::replaying(&options, recorded)
}

fn finished() -> State {
    on(Arc::new(read(&bytes(&Rehearsal::finished()))), Language::En)
}

fn replay(state: &State) -> &Replay {
    state.replay.as_deref().unwrap()
}

fn key(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(state, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn type_in(state: &mut State, text: &str) {
    for character in text.chars() {
        key(state, KeyCode::Char(character));
    }
}

fn tick(state: &mut State, passed: Duration) {
    update(state, Message::Tick(passed));
}

/// Lets everything come to its end.
fn settle(state: &mut State) {
    while state.is_busy() {
        tick(state, Duration::ZERO);
    }
}

fn screen(state: &State, width: u16, height: u16) -> String {
    text(&drawn(state, width, height))
}

fn answer(reader: &Reader, effects: &[Effect]) -> Message {
    let [Effect::Ask(question)] = effects else {
        panic!("{effects:?}");
    };
    let trail = Trail::of(&reader.entries);
    let line = |number: usize| &trail.lines()[number - 1];
    let answer = match question {
        Question::Lines if trail.lines().is_empty() => Answer::NoLine,
        Question::Lines => Answer::Way(trail.up(trail.lines()[0].entry)),
        Question::Down(number) => Answer::Way(trail.down(line(*number))),
        Question::Up(entry) => Answer::Way(trail.up(*entry)),
        Question::Without(_) => Answer::Refused("not here".into()),
    };
    Message::Told(Told::Answer(question.clone(), answer))
}

/// xorshift64*, the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(value).unwrap() % count
    }
}

/// A long session: exchanges and scans of one channel.
fn long(scans: u32) -> Reader {
    let mut run = Rehearsal::running();
    for cycle in 0..scans {
        run.exchange("uut", "SEND\\r", "RH= 50.6\\r\\n", "complete");
        run.derive(&Outcome::Scan(Scan {
            t_us: u64::from(cycle),
            point: Some(1),
            purpose: ScanPurpose::Settling,
            cycle: None,
            indications: Vec::new(),
            missing: BTreeMap::new(),
            signals: [("rh_uut".to_owned(), f64::from(cycle % 97) / 7.0)].into(),
        }));
    }
    read(&bytes(&run))
}

fn mark(view: &View) -> String {
    sha256_hex(format!("{view:?}").as_bytes())
}

#[test]
fn the_view_at_an_entry_is_the_same_from_wherever_it_is_reached() {
    let seed = 0x1183;
    println!("seed {seed}");
    let mut random = Random(seed);
    let reader = Arc::new(long(40_000));
    let count = reader.entries.len();
    let mut places: Vec<_> = (0..20).map(|_| random.below(count)).collect();
    places.extend([0, 4095, 4096, 65_535, count - 2, count - 1]);
    places.sort_unstable();
    let (mut view, mut due) = (View::default(), BTreeMap::new());
    for (at, entry) in reader.entries.iter().enumerate() {
        view.apply(entry);
        if places.binary_search(&at).is_ok() {
            due.insert(at, mark(&view));
        }
    }
    let mut state = on(Arc::clone(&reader), Language::En);
    key(&mut state, KeyCode::Char('1'));
    for _ in 0..36 {
        let place = places[random.below(places.len())];
        state.replay.as_mut().unwrap().go(place);
        settle(&mut state);
        assert_eq!(mark(&state.view), due[&place], "entry {place}");
        assert_eq!(state.view.entries, place as u64 + 1);
    }
    assert!((8..=16).contains(&replay(&state).kept()));
}

#[test]
fn steps_back_and_forth_on_a_screen_of_the_session_give_its_view_there() {
    let mut state = finished();
    key(&mut state, KeyCode::Char('2'));
    key(&mut state, KeyCode::End);
    settle(&mut state);
    let end = mark(&state.view);
    assert_eq!(state.view.results[0].rows.len(), 3);
    for _ in 0..5 {
        key(&mut state, KeyCode::Char(','));
    }
    assert!(mark(&state.view) != end);
    for _ in 0..5 {
        key(&mut state, KeyCode::Char('.'));
    }
    assert_eq!(mark(&state.view), end);
    key(&mut state, KeyCode::Home);
    assert_eq!(state.view.entries, 1);
}

#[test]
fn it_plays_at_the_speed_that_was_asked_for_and_stops_at_the_end() {
    let mut state = finished();
    let time = |state: &State| replay(state).entry().unwrap().t_us;
    key(&mut state, KeyCode::Char(' '));
    for _ in 0..6 {
        key(&mut state, KeyCode::Char('+'));
    }
    assert_eq!(replay(&state).speed, 64.0);
    tick(&mut state, Duration::from_secs(30));
    let entries = replay(&state).entries();
    let (at, now) = (replay(&state).at, time(&state));
    assert!(now <= 64 * 30_000_000 && at > 0);
    assert!(entries[at + 1].t_us > 64 * 30_000_000);
    key(&mut state, KeyCode::Char(' '));
    tick(&mut state, Duration::from_hours(1));
    assert_eq!(time(&state), now);
    key(&mut state, KeyCode::Char(' '));
    tick(&mut state, Duration::from_secs(1_000_000));
    assert!(!replay(&state).playing);
    assert_eq!(replay(&state).at + 1, replay(&state).entries().len());
}

#[test]
fn a_filter_shows_what_its_text_and_kind_are_in_and_nothing_else() {
    let mut state = on(Arc::new(long(5_000)), Language::En);
    key(&mut state, KeyCode::Char('/'));
    type_in(&mut state, "rh= 5");
    key(&mut state, KeyCode::Enter);
    assert!(state.is_busy(), "one frame does not look at all of them");
    settle(&mut state);
    let holds = |state: &State, text: &str| {
        let replay = replay(state);
        let entries = replay.entries().iter().enumerate();
        let said = |entry: &Entry| replay.said.say(&entry.event).to_lowercase();
        let fits = entries.filter(|(_, entry)| said(entry).contains(text));
        fits.map(|(at, _)| at).collect::<Vec<_>>()
    };
    assert_eq!(replay(&state).filter.found(), holds(&state, "rh= 5"));
    assert!(replay(&state).filter.found().len() >= 5_000);
    // Traffic first, then readings: no reading is told with a reply.
    key(&mut state, KeyCode::Char('k'));
    settle(&mut state);
    assert_eq!(replay(&state).filter.found(), holds(&state, "rh= 5"));
    key(&mut state, KeyCode::Char('k'));
    settle(&mut state);
    assert!(replay(&state).filter.found().is_empty());
    assert!(screen(&state, 80, 24).contains("no entry fits the filter"));
}

#[test]
fn the_cursor_goes_to_the_first_entry_that_fits_and_from_match_to_match() {
    let mut run = Rehearsal::finished();
    let seal = run.entries.pop().unwrap();
    run.alarm(Severity::Warning, "uut", "door opened");
    run.push(seal.event.clone());
    run.entries.pop();
    run.alarm(Severity::Alarm, "uut", "door open again");
    let alarms = [run.entries.len() - 2, run.entries.len() - 1];
    let mut state = on(Arc::new(read(&bytes(&run))), Language::En);
    key(&mut state, KeyCode::Char('/'));
    type_in(&mut state, "Door Open");
    key(&mut state, KeyCode::Enter);
    settle(&mut state);
    assert_eq!(replay(&state).at, alarms[0]);
    key(&mut state, KeyCode::Char('n'));
    assert_eq!(replay(&state).at, alarms[1]);
    key(&mut state, KeyCode::Char('N'));
    key(&mut state, KeyCode::Left);
    assert_eq!(replay(&state).at, alarms[0] - 1);
    key(&mut state, KeyCode::Down);
    assert_eq!(replay(&state).at, alarms[0]);
    key(&mut state, KeyCode::Home);
    assert_eq!(replay(&state).at, alarms[0]);
    key(&mut state, KeyCode::Char('/'));
    for _ in 0.."door open".len() {
        key(&mut state, KeyCode::Backspace);
    }
    key(&mut state, KeyCode::Enter);
    assert!(!replay(&state).filter.is_active());
    key(&mut state, KeyCode::Char('}'));
    assert_eq!(replay(&state).at, alarms[1]);
}

#[test]
fn an_entry_is_gone_to_by_its_number_and_a_number_beyond_the_end_is_not_taken() {
    let mut state = finished();
    for (typed, due) in [("17", 17), ("99999", 17), ("x", 17)] {
        key(&mut state, KeyCode::Char('g'));
        type_in(&mut state, typed);
        key(&mut state, KeyCode::Enter);
        assert_eq!(replay(&state).at, due, "{typed}");
        key(&mut state, KeyCode::Esc);
        assert_eq!(state.overlay, Overlay::None);
    }
}

#[test]
fn a_line_of_the_certificate_leads_to_the_bytes_and_the_bytes_back_to_it() {
    let reader = session();
    let mut state = on(Arc::clone(&reader), Language::En);
    let asked = key(&mut state, KeyCode::Char('l'));
    assert!(screen(&state, 120, 40).contains("looking it up"));
    update(&mut state, answer(&reader, &asked));
    let lines = screen(&state, 120, 40);
    assert!(lines.contains("certificate, line 1: "), "{lines}");
    key(&mut state, KeyCode::Down);
    let asked = key(&mut state, KeyCode::Enter);
    assert_eq!(asked, [Effect::Ask(Question::Down(2))]);
    update(&mut state, answer(&reader, &asked));
    let way = replay(&state).way().unwrap();
    let bytes = way
        .steps
        .iter()
        .position(|one| one.place == Place::Exchange);
    let bytes = bytes.unwrap();
    let number = way.steps[bytes].entry;
    for _ in 0..bytes {
        key(&mut state, KeyCode::Down);
    }
    assert!(
        screen(&state, 120, 40).contains("received"),
        "the bytes of the step"
    );
    assert_eq!(key(&mut state, KeyCode::Enter), []);
    assert_eq!(replay(&state).entry().unwrap().seq, number);
    let Event::Exchange(exchange) = &replay(&state).entry().unwrap().event else {
        panic!("no exchange: {number}");
    };
    let received = heng_drivers::unescape(&exchange.rx).unwrap();
    let hex = received.iter().take(8).map(|byte| format!("{byte:02x}"));
    let hex = hex.collect::<Vec<_>>().join(" ");
    let entry = screen(&state, 120, 40);
    assert!(
        entry.contains("received: ") && entry.contains(&hex),
        "{entry}"
    );
    // And from the entry back: to its line, by the way up.
    let asked = key(&mut state, KeyCode::Enter);
    assert_eq!(asked, [Effect::Ask(Question::Up(number))]);
    update(&mut state, answer(&reader, &asked));
    let up = replay(&state).way().unwrap();
    assert!(up.steps.iter().any(|step| step.line == Some(2)));
    // The ways before are still there.
    key(&mut state, KeyCode::Char('b'));
    assert_eq!(replay(&state).way().unwrap().question, Question::Down(2));
    key(&mut state, KeyCode::Char('b'));
    key(&mut state, KeyCode::Char('b'));
    assert_eq!(replay(&state).side, Side::Entry);
    assert_eq!(key(&mut state, KeyCode::Char('b')), []);
}

#[test]
fn an_answer_to_a_question_that_nobody_waits_for_is_not_shown() {
    let reader = session();
    let mut state = on(Arc::clone(&reader), Language::En);
    let first = key(&mut state, KeyCode::Enter);
    let late = answer(&reader, &first);
    let second = key(&mut state, KeyCode::Char('l'));
    update(&mut state, late);
    assert!(replay(&state).way().is_none());
    update(&mut state, answer(&reader, &second));
    assert_eq!(replay(&state).way().unwrap().question, Question::Lines);
}

#[test]
fn a_what_if_stands_beside_the_record_and_says_what_it_is() {
    let reader = session();
    for language in [Language::En, Language::Zh] {
        let mut state = on(Arc::clone(&reader), language);
        let counts = |entry: &Entry| {
            let event = serde_json::to_value(&entry.event).unwrap();
            event["body"]["purpose"] == "reading"
        };
        let place = reader.entries.iter().rposition(counts).unwrap();
        state.replay.as_mut().unwrap().go(place);
        let number = reader.entries[place].seq;
        let asked = key(&mut state, KeyCode::Char('w'));
        let question = Question::Without(vec![number]);
        assert_eq!(asked, [Effect::Ask(question.clone())]);
        let changes = [Change::Without { entry: number }];
        let results = what_if(&reader.entries, &changes).unwrap();
        let told = Told::Answer(question, Answer::WhatIf(results));
        update(&mut state, Message::Told(told));
        let screen = screen(&state, 120, 40);
        let due = match language {
            Language::En => ["WHAT-IF", "recorded nowhere", "recorded ", "n = 2"],
            Language::Zh => ["WHAT-IF", "假设：临时计算", "记录 ", "n = 2"],
        };
        for due in due {
            assert!(screen.contains(due), "{due} is missing in\n{screen}");
        }
        assert_eq!(key(&mut state, KeyCode::Char('w')), []);
        assert!(replay(&state).without.is_empty() && replay(&state).side == Side::Entry);
    }
}

#[test]
fn no_key_of_a_replay_tells_a_session_anything() {
    let reader = Arc::new(read(&bytes(&Rehearsal::held())));
    for screen in [Screen::Bench, Screen::Run, Screen::Results, Screen::Replay] {
        for code in TABLE.iter().map(|row| (row.code, row.control)) {
            let mut state = on(Arc::clone(&reader), Language::En);
            state.screen = screen;
            key(&mut state, KeyCode::End);
            settle(&mut state);
            let modifiers = if code.1 {
                KeyModifiers::CONTROL
            } else {
                KeyModifiers::NONE
            };
            let press = Message::Key(KeyEvent::new(code.0, modifiers));
            for effect in update(&mut state, press) {
                assert!(!matches!(effect, Effect::Send(_)), "{code:?} on {screen:?}");
            }
            assert!(!matches!(
                state.overlay,
                Overlay::Abort(_) | Overlay::Note(_)
            ));
            assert!(state.frozen.is_none());
        }
        // The letters of the question that the session waited with.
        let mut state = on(Arc::clone(&reader), Language::En);
        state.screen = screen;
        key(&mut state, KeyCode::End);
        settle(&mut state);
        for letter in ['w', 'i'] {
            let effects = key(&mut state, KeyCode::Char(letter));
            assert!(!effects.iter().any(|one| matches!(one, Effect::Send(_))));
        }
    }
}

#[test]
fn q_and_control_c_leave_at_once_from_every_screen() {
    for screen in ['1', '2', '3', '6'] {
        let mut state = finished();
        key(&mut state, KeyCode::Char(screen));
        assert_eq!(key(&mut state, KeyCode::Char('q')), [Effect::Leave]);
        for opened in ['?', '/', 'g'] {
            key(&mut state, KeyCode::Char(opened));
            let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(update(&mut state, Message::Key(control_c)), [Effect::Leave]);
        }
    }
}

#[test]
fn the_screen_says_everything_in_both_languages_at_every_size() {
    let reader = session();
    for (language, due) in [
        (
            Language::En,
            [
                "6 Replay",
                "Entries 0 of ",
                "Entry 0",
                "identical",
                "REPLAY",
                "help",
            ],
        ),
        (
            Language::Zh,
            ["6 回放", "条目 0 / ", "条目 0", "一致", "回放", "帮助"],
        ),
    ] {
        let mut state = on(Arc::clone(&reader), language);
        update(&mut state, Message::Told(Told::Verified(judge(&reader))));
        for (width, height) in [(80, 24), (120, 40)] {
            let screen = screen(&state, width, height);
            for due in due {
                assert!(screen.contains(due), "{due} is missing in\n{screen}");
            }
            let first = reader.entries[0].utc.get(11..19).unwrap();
            assert!(screen.contains(&format!("{first} ●")), "{screen}");
        }
        // One pane at a time where there is no room for all.
        let narrow = screen(&state, 60, 20);
        assert!(narrow.contains(due[1]) && !narrow.contains(&format!("{}┐", due[2])));
        key(&mut state, KeyCode::Tab);
        let narrow = screen(&state, 60, 20);
        assert!(narrow.contains(&format!("▸{}", due[2])), "{narrow}");
        key(&mut state, KeyCode::Tab);
        let narrow = screen(&state, 60, 20);
        let word = crate::tui::text::Word::Verification.get(language);
        assert!(narrow.contains(&format!("▸{word}")), "{narrow}");
    }
}

#[test]
fn a_record_that_does_not_hold_opens_with_the_place_on_top() {
    let mut whole = bytes(&Rehearsal::finished());
    let lines: Vec<_> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    let before: usize = lines[..30].iter().map(|line| line.len()).sum();
    // Torn in the middle of the last line.
    let torn = read(&whole[..whole.len() - 40]);
    assert!(matches!(torn.ending, Ending::Torn(_)));
    whole[before + 60] ^= 1;
    let broken = read(&whole);
    assert!(matches!(broken.ending, Ending::Broken(_)));
    for (reader, due) in [(torn, "torn behind"), (broken, "entry 30 (line 31)")] {
        let mut state = on(Arc::new(reader), Language::En);
        for (width, height) in [(60, 20), (80, 24)] {
            let screen = screen(&state, width, height);
            let top: Vec<_> = screen.lines().skip(1).take(2).collect();
            assert!(top.concat().contains(due), "{screen}");
        }
        key(&mut state, KeyCode::End);
        assert!(screen(&state, 100, 30).contains("finished") || due.contains("30"));
    }
    // Torn in the first entry: nothing but the verdict.
    let state = on(Arc::new(read(b"{\"seq\":0,\"t_us\":0")), Language::En);
    assert!(screen(&state, 80, 24).contains("no whole entry"));
}

#[test]
fn any_keys_in_any_order_at_any_size_do_not_panic() {
    let session = session();
    let held = Arc::new(read(&bytes(&Rehearsal::held())));
    let empty = Arc::new(read(b"{\"seq\":0,"));
    for seed in 1..=24 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let reader = [&session, &held, &empty][random.below(3)];
        let language = [Language::En, Language::Zh][random.below(2)];
        let mut state = on(Arc::clone(reader), language);
        state.ui.glyphs = [Glyphs::Unicode, Glyphs::Cjk, Glyphs::Ascii][random.below(3)];
        for _ in 0..150 {
            let row = &TABLE[random.below(TABLE.len())];
            let typed = ['5', 'r', '7', 'é', '湿'][random.below(5)];
            let code = [row.code, row.code, KeyCode::Char(typed)][random.below(3)];
            for effect in key(&mut state, code) {
                // Some questions are answered before the next key, some never.
                if matches!(effect, Effect::Ask(_)) && random.below(4) > 0 {
                    update(&mut state, answer(reader, &[effect]));
                }
            }
            tick(
                &mut state,
                Duration::from_millis(random.below(60_000) as u64),
            );
            let (width, height) = (1 + random.below(140), 1 + random.below(45));
            let (width, height) = (width.try_into().unwrap(), height.try_into().unwrap());
            drawn(&state, width, height);
        }
    }
}

#[test]
fn drawing_a_long_list_says_the_lines_on_the_screen_and_no_others() {
    let mut state = on(Arc::new(long(10)), Language::En);
    key(&mut state, KeyCode::End);
    let screen = screen(&state, 80, 24);
    let last = replay(&state).entries().last().unwrap().seq;
    assert!(screen.contains(&format!("▸{last} ")), "{screen}");
    assert!(!screen.contains(&format!("{} ", last - 30)), "{screen}");
}

#[test]
fn a_derived_value_is_laid_out_and_a_text_is_there_in_full() {
    let reader = session();
    let said = Said::new(Language::En);
    for entry in &reader.entries {
        let detail = Detail::of(entry, &said, Language::En);
        let lines: Vec<_> = detail.lines().collect();
        assert_eq!(lines.len(), detail.count());
        assert!(!lines.concat().chars().any(char::is_control));
        if let Event::Text(text) = &entry.event {
            let due = text.text.lines().count();
            assert!(lines.len() > due);
        }
        if let Event::Derived { body } = &entry.event {
            let what = body["what"].as_str().unwrap();
            assert!(lines.contains(&format!("what: {what}")), "{lines:?}");
        }
    }
}
