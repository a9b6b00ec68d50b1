//! Every instrument unplugged in every state of a run, for a moment and for ever.

use std::collections::BTreeMap;
use std::sync::Mutex;

use heng_drivers::{Recipe, Step, description};
use heng_records::{Entry, Event, PortChange};

use super::trial::{self, Left, SOAK_S, WINDOW_S, derived, is_step};

/// Seconds of absence; none for ever.
const OUTAGES: [Option<&str>; 5] = [Some("0.1"), Some("1"), Some("10"), Some("60"), None];
const ROLES: [&str; 3] = ["chamber", "thermometer", "uut"];
const WORKERS: usize = 8;

/// A place in a run at which a lead is pulled.
#[derive(Debug, Clone)]
struct Place {
    role: &'static str,
    state: String,
    /// Number of the request that finds nobody any more.
    request: u64,
    /// Faults that lead to the state.
    before: Vec<String>,
}

impl Place {
    fn faults(&self, outage: Option<&str>) -> Vec<String> {
        let Self { role, request, .. } = self;
        let vanish = match outage {
            Some(seconds) => format!("{role}:vanish:{seconds}@{request}"),
            None => format!("{role}:vanish@{request}"),
        };
        self.before.iter().cloned().chain([vanish]).collect()
    }
}

/// States that a run without loss goes through, with the number of the first request to the
/// role in each.
fn states(entries: &[Entry], role: &str) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = Vec::new();
    let (mut kind, mut begun_us, mut point) = (String::new(), 0, 0);
    let (mut count, mut cycle) = (0, 0);
    let steady_at = entries.iter().position(|one| is_step(one, "read", None));
    for (index, entry) in entries.iter().enumerate() {
        if let Some(step) = derived(entry, "step") {
            kind = step["kind"].as_str().unwrap().to_owned();
            point = step["point"].as_u64().unwrap_or(0);
            (begun_us, cycle) = (entry.t_us, 0);
        }
        if derived(entry, "scan").is_some() {
            cycle += 1;
        }
        let Event::Exchange(exchange) = &entry.event else {
            continue;
        };
        if exchange.role != role {
            continue;
        }
        count += trial::requests(exchange);
        // The trial is aborted once it is told that the second point settles, which may be
        // a scan later: entries are told when they are durable.
        if kind == "stabilise" && point > 0 {
            continue;
        }
        let since_s = (entry.t_us - begun_us) / 1_000_000;
        let last = steady_at.is_some_and(|at| index < at && index + 40 > at);
        let state = match kind.as_str() {
            "stabilise" if last => "steady".to_owned(),
            "stabilise" if since_s < SOAK_S / 2 => format!("approach of point {point}"),
            "stabilise" => "soak".to_owned(),
            "read" => format!("reading {}", cycle + 1),
            // Each of read, write and read-back is a place of its own.
            "set" | "safe_state" => format!("{kind} of point {point}, {}", exchange.command),
            other => other.to_owned(),
        };
        if trial::requests(exchange) > 0 && found.last().is_none_or(|(last, _)| *last != state) {
            found.push((state, count));
        }
    }
    found
}

fn places() -> Vec<Place> {
    let learn = |name: &str, faults: &[String]| {
        let folder = trial::folder(name);
        let left = trial::run(&folder, trial::bench(), faults);
        std::fs::remove_dir_all(&folder).unwrap();
        left
    };
    let plain = learn("learn", &[]);
    let mut places = Vec::new();
    for role in ROLES {
        for (state, request) in states(&plain.entries, role) {
            let before = Vec::new();
            places.push(Place {
                role,
                state,
                request,
                before,
            });
        }
    }
    // A reading that does not count sends the point back: the lead is pulled after that.
    let second = places
        .iter()
        .find(|place| place.role == "uut" && place.state == "reading 2");
    let repeat = vec![format!("uut:over-range@{}", second.unwrap().request)];
    let repeated = learn("learn-repeat", &repeat);
    let again = repeated
        .entries
        .iter()
        .position(|one| is_step(one, "read", None))
        .unwrap();
    let rest = &repeated.entries[again..];
    let at = again
        + rest
            .iter()
            .position(|one| is_step(one, "stabilise", Some(0)))
            .unwrap();
    for role in ROLES {
        let exchanges = |entries: &[Entry]| -> u64 {
            let exchanges = entries.iter().filter_map(|entry| match &entry.event {
                Event::Exchange(exchange) if exchange.role == role => Some(exchange),
                _ => None,
            });
            exchanges.map(trial::requests).sum()
        };
        // The chamber is not read while the point settles.
        if role != "chamber" {
            places.push(Place {
                role,
                state: "repeat".to_owned(),
                request: exchanges(&repeated.entries[..at]) + 1,
                before: repeat.clone(),
            });
        }
        // Pulled again while it is asked who it is.
        let reading = places.iter().rfind(|one| {
            one.role == role
                && (one.state == "reading 1" || one.state.starts_with("set of point 0"))
        });
        let first = reading.unwrap().request;
        places.push(Place {
            role,
            state: "return".to_owned(),
            request: first + 1,
            before: vec![format!("{role}:vanish:1@{first}")],
        });
    }
    places
}

/// Commands that stop an instrument and ask who it is: the only ones said to a stranger.
fn introductions(role: &str) -> Vec<String> {
    let bench = trial::bench_of(&trial::texts(trial::bench()));
    let one = bench
        .instruments
        .iter()
        .find(|one| one.role == role)
        .unwrap();
    let model = description(&one.model).unwrap();
    let names = |mut recipe: Recipe| match recipe.advance(None) {
        Step::Send(request) => Some(request.command),
        _ => None,
    };
    [model.stop_talk(), model.identify()]
        .into_iter()
        .filter_map(names)
        .collect()
}

/// After every opening of a port the first thing said is who are you.
fn assert_introduced(entries: &[Entry], what: &str) {
    let mut strangers: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::Port(PortChange::Opened { role, .. }) => {
                strangers.insert(role, true);
            }
            Event::Exchange(exchange)
                if exchange.outcome != "closed"
                    && strangers.insert(&exchange.role, false) == Some(true) =>
            {
                let allowed = introductions(&exchange.role);
                assert!(
                    allowed.contains(&exchange.command),
                    "{what}: {} is told {} before it is asked who it is (entry {})",
                    exchange.role,
                    exchange.command,
                    entry.seq
                );
            }
            _ => {}
        }
    }
}

/// Time of the last return of a lost instrument.
fn back_us(entries: &[Entry]) -> Option<u64> {
    let back = |entry: &&Entry| {
        let alarm = derived(entry, "alarm");
        alarm.is_some_and(|one| {
            one["text"]["en"]
                .as_str()
                .unwrap()
                .starts_with("back and identified")
        })
    };
    entries.iter().rfind(back).map(|entry| entry.t_us)
}

fn judge(place: &Place, outage: Option<&str>, left: &Left) {
    let what = format!("{place:?} for {outage:?}");
    let entries = &left.entries;
    assert_introduced(entries, &what);
    let safe = is_safe(entries);
    let lost = entries.iter().any(|entry| {
        matches!(&entry.event, Event::Exchange(exchange)
            if exchange.role == place.role && exchange.outcome == "closed")
    });
    assert!(lost, "{what}: nothing was lost");
    let ending = place.state.starts_with("safe_state");
    let forever = outage.is_none();
    // The source is safe unless it is the one that is gone.
    let gone = forever && place.role == "chamber";
    assert_eq!(left.ended.not_safe.is_empty(), !gone, "{what}");
    assert_eq!(safe, !gone, "{what}");
    let returned = entries.iter().any(|entry| {
        matches!(
            &entry.event,
            Event::Port(PortChange::Opened { was: Some(_), .. })
        )
    });
    assert!(
        returned || forever,
        "{what}: the return is not in the record"
    );
    let point = entries.iter().find_map(|entry| derived(entry, "point"));
    if forever && !ending && place.state != "set of point 1, state" {
        let asked = entries.iter().any(|one| {
            derived(one, "prompt").is_some_and(|prompt| prompt["id"] == "instrument_lost")
        });
        assert!(asked, "{what}: nobody was asked");
    }
    if forever || ending {
        return;
    }
    let point = point.unwrap_or_else(|| panic!("{what}: {:?}", trial::alarms(entries)));
    assert_eq!(point["complete"], true, "{what}");
    assert_eq!(point["cycles"].as_array().unwrap().len(), 3, "{what}");
    let Some(back_us) = back_us(entries) else {
        panic!("{what}: no return is told");
    };
    let in_point = [
        "set of point 0",
        "approach of point 0",
        "soak",
        "steady",
        "reading",
        "repeat",
    ];
    if !in_point.iter().any(|state| place.state.starts_with(state)) {
        return;
    }
    let first_us = point["cycles"][0]["t_us"].as_u64().unwrap();
    let least_s = match place.role {
        "thermometer" => WINDOW_S,
        _ => SOAK_S,
    };
    assert!(
        first_us >= back_us + least_s * 1_000_000,
        "{what}: read too early"
    );
    if place.role == "chamber" {
        let set = |entry: &Entry| is_step(entry, "set", Some(0)) && entry.t_us >= back_us;
        assert!(entries.iter().any(set), "{what}: not set again");
    }
}

/// The last thing that the chamber said is that it is off.
fn is_safe(entries: &[Entry]) -> bool {
    let last = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Exchange(exchange) if exchange.role == "chamber" => Some(exchange),
        _ => None,
    });
    let Some(last) = last.filter(|last| last.outcome == "complete") else {
        return false;
    };
    let model = description("weiss-ascii2").unwrap();
    let rx = heng_drivers::unescape(&last.rx).unwrap();
    let reply = model.decode(&heng_drivers::Request::new(&last.command), &rx);
    reply.is_ok_and(|reply| reply.text("start") == Some("0"))
}

#[test]
fn every_role_may_be_unplugged_in_every_state_for_any_time() {
    let places = places();
    for role in ROLES {
        let states = places.iter().filter(|place| place.role == role).count();
        assert!(
            states >= 5,
            "{role} is known in {states} states only: {places:?}"
        );
    }
    let cases: Vec<_> = places
        .iter()
        .flat_map(|place| OUTAGES.map(|outage| (place, outage)))
        .collect();
    let next = Mutex::new(cases.iter().enumerate());
    let take = || next.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((number, (place, outage))) = take() {
                    let folder = trial::folder(&format!("unplug-{number}"));
                    let left = trial::run(&folder, trial::bench(), &place.faults(*outage));
                    judge(place, *outage, &left);
                    std::fs::remove_dir_all(&folder).unwrap();
                }
            });
        }
    });
    println!("{} sessions", cases.len());
}

/// Two roles on one line: what is pulled is the line.
#[test]
fn instruments_on_one_line_are_lost_and_identified_together() {
    let shared = trial::bench()
        .replace("role = \"chamber\"\nmodel = \"weiss-ascii2\"\nserial = \"CH-04\"\nport = \"simulated\"", "role = \"chamber\"\nmodel = \"weiss-ascii2\"\nserial = \"CH-04\"\nport = \"simulated:line\"")
        .replace("serial = \"A8C042\"\nport = \"simulated\"", "serial = \"A8C042\"\nport = \"simulated:line\"");
    assert_eq!(shared.matches("simulated:line").count(), 2);
    let folder = trial::folder("shared");
    let left = trial::run(&folder, &shared, &["thermometer:vanish:10@20".to_owned()]);
    assert_introduced(&left.entries, "a shared line");
    for role in ["chamber", "thermometer"] {
        let opened = left.entries.iter().filter(|entry| {
            matches!(&entry.event, Event::Port(PortChange::Opened { role: one, .. }) if one == role)
        });
        assert_eq!(opened.count(), 2, "{role}");
    }
    assert!(left.ended.not_safe.is_empty());
    std::fs::remove_dir_all(&folder).unwrap();
    let differ = shared.replacen("line = \"9600 8N1\"", "line = \"4800 8N1\"", 2);
    let evidence = super::evidence::Evidence::parse;
    let texts = trial::texts(&differ);
    let bench = trial::bench_of(&texts);
    let opened = trial::opened();
    let runtime = trial::runtime();
    let _entered = runtime.enter();
    let clock: std::sync::Arc<dyn heng_drivers::Clock> =
        std::sync::Arc::new(heng_drivers::SkippingClock::new());
    let adapters: std::sync::Arc<dyn heng_drivers::Adapters> =
        std::sync::Arc::new(heng_drivers::UsbAdapters);
    let connections = super::ports::connections(&bench).unwrap();
    let evidence = evidence(&opened, &texts).unwrap();
    let error = super::ports::Ports::new(&connections, &evidence, &clock, &adapters).err();
    let error = error.expect("two settings for one line").to_string();
    for word in [
        "chamber",
        "thermometer",
        "9600 8N1",
        "4800 8N1",
        "correct the bench",
    ] {
        assert!(error.contains(word), "{error}");
    }
}
