//! An invented session for the tests of the screens: entries as a run would leave them.

use std::collections::BTreeMap;

use heng_procedures::{
    Alarm, CriterionState, Indication, Outcome, Planned, PlannedPoint, PointClosed, PointResult,
    Procedure, Prompt, PromptChoice, Scan, ScanPurpose, Severity, Steady, Step, StepKind,
    WindowKind,
};
use heng_quantities::{Decimal, Text, Unit, round_result};
use heng_records::{
    Entry, Event, Exchange, FORMAT, GENESIS, Opened, Operator, PortChange, TextRole, TextUsed,
    sha256_hex,
};
use heng_uncertainty::{
    Budget, BudgetRow, Decision, Distribution, Histogram, MonteCarlo, SamplingErrors, Validation,
    Verdict,
};

const PROCEDURE: &str = include_str!("../../fixtures/screens/procedure.toml");
const BENCH: &str = include_str!("../../fixtures/screens/bench.toml");
const ORDER: &str = include_str!("../../fixtures/screens/order.toml");
const STANDARD: &str = include_str!("../../fixtures/screens/standard.toml");

/// Seconds from one point to the next.
const POINT_S: u64 = 6_000;

/// Entries in the order in which they were written.
#[derive(Default)]
pub struct Rehearsal {
    pub entries: Vec<Entry>,
    t_us: u64,
}

fn unit(symbol: &str) -> Unit {
    symbol.parse().expect("a unit of the table")
}

fn decimal(value: f64, places: u8) -> Decimal {
    Decimal::from_f64(value, places).expect("a finite number")
}

/// Time of day of an entry: the session opens at 08:00.
fn moment(t_us: u64) -> String {
    let s = t_us / 1_000_000 + 8 * 3_600;
    format!(
        "2026-11-23T{:02}:{:02}:{:02}.000+08:00",
        s / 3600 % 24,
        s / 60 % 60,
        s % 60
    )
}

impl Rehearsal {
    /// A session that has read its texts and opened its ports.
    pub fn opened() -> Self {
        let mut run = Self::default();
        run.push(Event::Opened(Opened {
            format: FORMAT,
            program: "heng".into(),
            version: "0.1.0".into(),
            session: "2026-1183-A".into(),
            clock: "simulated".into(),
            seed: 7,
            job: "comparison".into(),
            operator: "Li Na".into(),
        }));
        for (role, name, text) in [
            (TextRole::Procedure, "screen-rehearsal", PROCEDURE),
            (TextRole::Order, "order.toml", ORDER),
            (TextRole::Bench, "bench.toml", BENCH),
            (TextRole::Standard, "standard.toml", STANDARD),
        ] {
            let sha256 = sha256_hex(text.as_bytes());
            let (name, text) = (name.to_owned(), text.to_owned());
            run.push(Event::Text(TextUsed {
                role,
                name,
                sha256,
                text,
            }));
        }
        run.derive(&Outcome::Planned(planned()));
        run.step(StepKind::Identify, None, [16_200, 46_800]);
        for (role, path) in [
            ("mirror", "0"),
            ("thermometer", "1"),
            ("chamber", "2"),
            ("uut", "3"),
        ] {
            let path = format!("/dev/ttyUSB{path}");
            let (role, line) = (role.to_owned(), "9600 8N1".to_owned());
            run.push(Event::Port(PortChange::Opened {
                role,
                path,
                line,
                was: None,
            }));
        }
        run.exchange("mirror", "ID?\\r", "473 S/N 22-0417\\r\\n", "complete");
        run.exchange("uut", "?\\r", "HMT330 SN R1240077\\r\\n", "complete");
        run
    }

    /// The first point is done, the second one is steady for most of its window.
    pub fn running() -> Self {
        let mut run = Self::opened();
        run.warm_up();
        run.point(0, 10);
        run.settle(1, 78);
        run
    }

    /// Held by a question in the second point, after a warning.
    pub fn held() -> Self {
        let mut run = Self::running();
        run.alarm(
            Severity::Warning,
            "uut",
            "no complete reply in time (attempt 1 of 2)",
        );
        run.exchange("uut", "SEND\\r", "RH= 5", "timed_out");
        run.prompt(
            "mirror_state",
            "What covers the mirror?",
            &[('w', "water"), ('i', "ice")],
        );
        run
    }

    /// All three points are evaluated and the record is sealed.
    pub fn finished() -> Self {
        let mut run = Self::opened();
        run.warm_up();
        for point in 0..3 {
            run.point(point, 10);
        }
        run.step(StepKind::SafeState, None, [0, 0]);
        let (t_us, reason) = (run.t_us, Text::new("all points are done", "所有点均已完成"));
        run.derive(&Outcome::Finished {
            t_us,
            completed: true,
            reason,
        });
        run.push(Event::Artefact {
            name: "certificate.pdf".into(),
            bytes: 1,
            sha256: "0".repeat(64),
        });
        let entries = run.entries.len() as u64;
        run.push(Event::Sealed {
            entries,
            root: None,
            reason: "completed".into(),
        });
        run
    }

    pub fn push(&mut self, event: Event) {
        let seq = self.entries.len() as u64;
        let prev = self
            .entries
            .last()
            .map_or_else(|| GENESIS.to_owned(), |last| last.hash.clone());
        let hash = sha256_hex(format!("{prev}{seq}").as_bytes());
        let (t_us, utc) = (self.t_us, moment(self.t_us));
        self.entries.push(Entry {
            seq,
            t_us,
            utc,
            event,
            prev,
            hash,
        });
    }

    pub fn derive(&mut self, outcome: &Outcome) {
        let body = serde_json::to_value(outcome).expect("an outcome is JSON");
        self.push(Event::Derived { body });
    }

    pub fn step(&mut self, kind: StepKind, point: Option<usize>, left_s: [u64; 2]) {
        let t_us = self.t_us;
        self.derive(&Outcome::Step(Step {
            t_us,
            kind,
            point,
            left_s,
        }));
    }

    pub fn exchange(&mut self, role: &str, tx: &str, rx: &str, outcome: &str) {
        self.push(Event::Exchange(Exchange {
            role: role.to_owned(),
            command: "read".to_owned(),
            tx: tx.to_owned(),
            rx: rx.to_owned(),
            sent_us: self.t_us,
            received_us: self.t_us + 31_000,
            outcome: outcome.to_owned(),
            reason: String::new(),
            unsolicited: String::new(),
        }));
    }

    pub fn alarm(&mut self, severity: Severity, place: &str, text: &str) {
        let (t_us, place, text) = (self.t_us, place.to_owned(), Text::same(text));
        self.derive(&Outcome::Alarm(Alarm {
            t_us,
            severity,
            place,
            text,
        }));
    }

    pub fn prompt(&mut self, id: &str, text: &str, choices: &[(char, &str)]) {
        let choices = choices.iter().map(|&(key, id)| PromptChoice {
            id: id.to_owned(),
            key,
            text: Text::same(id),
        });
        self.derive(&Outcome::Prompt(Prompt {
            id: id.to_owned(),
            t_us: self.t_us,
            point: None,
            text: Text::same(text),
            choices: choices.collect(),
        }));
    }

    pub fn answer(&mut self, prompt: &str, choice: &str) {
        self.push(Event::Operator(Operator::Answer {
            person: "Li Na".into(),
            prompt: prompt.to_owned(),
            choice: choice.to_owned(),
            note: String::new(),
        }));
    }

    fn warm_up(&mut self) {
        self.step(StepKind::Prepare, None, [16_000, 46_000]);
        self.prompt(
            "warm_up",
            "Switched on for 30 min?",
            &[('y', "yes"), ('n', "no")],
        );
        self.answer("warm_up", "yes");
    }

    /// Sets a point and scans `scans` times while the chamber settles.
    fn settle(&mut self, point: usize, scans: u64) {
        let left_s = [
            16_200 - 5_400 * point as u64,
            46_800 - 15_600 * point as u64,
        ];
        self.step(StepKind::Set, Some(point), left_s);
        self.exchange("chamber", "$00E 0020.0 0050.0\\r", "0\\r", "complete");
        self.step(StepKind::Stabilise, Some(point), left_s);
        for scan in 0..scans {
            self.t_us += 30_000_000;
            self.scan(point, scan * 30, ScanPurpose::Settling, None);
            let steady = self.steady(point, scan * 30);
            self.derive(&Outcome::Steady(steady));
        }
    }

    /// A whole point, evaluated.
    fn point(&mut self, point: usize, cycles: u32) {
        let began_us = self.t_us;
        self.settle(point, 80);
        self.step(StepKind::Read, Some(point), [12_000, 40_000]);
        for cycle in 1..=cycles {
            self.t_us += 60_000_000;
            let after_s = (self.t_us - began_us) / 1_000_000;
            self.scan(point, after_s, ScanPurpose::Reading, Some(cycle));
        }
        self.step(StepKind::Closed, Some(point), [11_000, 39_000]);
        self.derive(&Outcome::Point(PointClosed {
            index: point,
            t_us: self.t_us,
            complete: true,
            repeats: Vec::new(),
            cycles: Vec::new(),
            steady: None,
            answers: BTreeMap::new(),
        }));
        self.derive(&Outcome::Result(Box::new(result(point))));
        self.t_us = self.t_us.max(began_us + POINT_S * 1_000_000);
    }

    fn scan(&mut self, point: usize, after_s: u64, purpose: ScanPurpose, cycle: Option<u32>) {
        let (rh, lag) = humidity(point, after_s);
        let td = 9.2 + (rh - 50.0) * 0.3;
        self.exchange(
            "mirror",
            "DP?\\r",
            &format!("DP= {td:.3}\\r\\n"),
            "complete",
        );
        self.exchange(
            "uut",
            "SEND\\r",
            &format!("RH= {lag:.1} %RH\\r\\n"),
            "complete",
        );
        let t_us = self.t_us;
        let entry = self.entries.len() as u64 - 1;
        let sent = |channel: &str, digits: Decimal, symbol: &str| Indication {
            channel: channel.to_owned(),
            digits,
            unit: unit(symbol),
            quality: "valid".to_owned(),
            t_us,
            entry,
        };
        let indications = vec![
            sent("td", decimal(td, 3), "°C"),
            sent("t", decimal(20.012, 3), "°C"),
            sent("rh_uut", decimal(lag, 1), "%RH"),
        ];
        let mut signals: BTreeMap<_, _> = indications
            .iter()
            .map(|indication| (indication.channel.clone(), indication.digits.to_f64()))
            .collect();
        signals.insert("rh_ref".to_owned(), rh);
        signals.insert("d_rh".to_owned(), lag - rh);
        let (point, missing) = (Some(point), BTreeMap::new());
        self.derive(&Outcome::Scan(Scan {
            t_us,
            point,
            purpose,
            cycle,
            indications,
            missing,
            signals,
        }));
    }

    fn steady(&self, point: usize, after_s: u64) -> Steady {
        let earlier = humidity(point, after_s.saturating_sub(1_200)).0;
        let range = (humidity(point, after_s).0 - earlier).abs();
        let covered_s = after_s.min(1_200) as f64;
        let slope = 3.0 * range * if point == 2 { -1.0 } else { 1.0 };
        let steady = covered_s >= 1_200.0 && range <= 0.8 && slope.abs() <= 0.6;
        Steady {
            t_us: self.t_us,
            point: Some(point),
            criteria: vec![CriterionState {
                signal: "rh_ref".to_owned(),
                minus: None,
                named: String::new(),
                unit: unit("%RH"),
                window: WindowKind::Covering,
                window_s: 1_200.0,
                covered_s,
                count: usize::try_from(after_s / 30).unwrap_or(0),
                minimum_readings: None,
                range,
                range_limit: Some(0.8),
                slope_per_h: (after_s >= 60).then_some(slope),
                slope_limit_per_h: Some(0.6),
                slope_u_per_h: None,
                slope_k: 0.0,
                scatter: None,
                scatter_limit: None,
                other_state: None,
                soak: None,
                steady,
            }],
            waited_s: after_s as f64,
            minimum_wait_s: 1_800.0,
            maximum_wait_s: 14_400.0,
            steady: steady && after_s >= 1_800,
        }
    }
}

/// Humidity of the chamber and of the unit, a time after the set point was given: a first-
/// order approach with a ripple that needs no random numbers.
fn humidity(point: usize, after_s: u64) -> (f64, f64) {
    let [from, to] = [[45.0, 30.0], [30.0, 50.0], [50.0, 30.0]][point.min(2)];
    let fraction = (-(after_s as f64) / 420.0).exp();
    let ripple = 0.05 * (after_s as f64 / 140.0).sin();
    let slow = (-(after_s as f64) / 520.0).exp();
    (
        to + (from - to) * fraction + ripple,
        to + 0.83 + (from - to) * slow,
    )
}

fn planned() -> Planned {
    let procedure: Procedure = toml::from_str(PROCEDURE).expect("the procedure of the rehearsal");
    let points = procedure.point.iter().map(|point| PlannedPoint {
        id: point.id.clone(),
        title: point.title.clone(),
        direction: point
            .direction
            .map_or("", heng_procedures::Direction::name)
            .to_owned(),
        set: point.set.clone(),
    });
    Planned {
        procedure: procedure.id.clone(),
        version: procedure.version.clone(),
        title: procedure.title.clone(),
        points: points.collect(),
        duration_s: [16_200, 46_800],
    }
}

/// Invented figures that agree with each other: limits of 2 %RH, guard band of one U.
pub fn result(point: usize) -> PointResult {
    let (reference, indication, u, verdict) = [
        (30.021, 30.9, 0.21, Verdict::Pass),
        (50.07, 51.9, 0.28, Verdict::Fail),
        (30.4, 29.7, 0.25, Verdict::Pass),
    ][point.min(2)];
    let error = indication - reference;
    PointResult {
        point,
        measurand: "humidity".to_owned(),
        title: Text::new("Relative humidity", "相对湿度"),
        unit: unit("%RH"),
        preliminary: point == 1,
        reference,
        indication,
        error,
        hysteresis: Some(0.42),
        budget: budget(error, u),
        monte_carlo: monte_carlo(error, u),
        validation: Validation {
            digits: 2,
            tolerance: 0.005,
            d_low: 0.0021,
            d_high: 0.0019,
            validated: true,
        },
        reported: "gum".to_owned(),
        reported_why: Text::new("GUM, validated by Monte Carlo", "GUM，经蒙特卡洛验证"),
        rounded: round_result(error, 2.0 * u, 2).expect("a finite result"),
        limit: Some([-2.0, 2.0]),
        decision: Some(Decision {
            verdict,
            probability: if verdict == Verdict::Pass {
                0.999
            } else {
                0.727
            },
            acceptance_low: -2.0 + 2.0 * u,
            acceptance_high: 2.0 - 2.0 * u,
            rule_applicable: true,
            note: None,
        }),
        forced: Vec::new(),
        notes: Vec::new(),
    }
}

fn budget(error: f64, u: f64) -> Budget {
    let row = |symbol: &str, share: f64, distribution| BudgetRow {
        symbol: symbol.to_owned(),
        value: 0.0,
        u: u * share.sqrt() / 3.37,
        dof: f64::INFINITY,
        distribution,
        sensitivity: -3.37,
        contribution: u * share.sqrt(),
        share,
    };
    let rows = vec![
        row("td", 0.22, Distribution::Normal),
        row("d_hys", 0.71, Distribution::Rectangular),
        row("rh_uut", 0.07, Distribution::StudentT),
    ];
    Budget {
        output: "error".to_owned(),
        value: error,
        u,
        dof: f64::INFINITY,
        k: 2.0,
        expanded: 2.0 * u,
        coverage: 0.9545,
        rows,
        warnings: Vec::new(),
    }
}

fn monte_carlo(error: f64, u: f64) -> MonteCarlo {
    let interval = [error - 1.98 * u, error + 1.98 * u];
    MonteCarlo {
        output: "error".to_owned(),
        sampler: heng_uncertainty::SAMPLER.to_owned(),
        seed: 7,
        trials: 1_000_000,
        mean: error,
        u: u * 1.002,
        coverage: 0.9545,
        shortest: interval,
        symmetric: interval,
        errors: SamplingErrors {
            mean: u * 1e-3,
            u: u * 7e-4,
            shortest: [u * 1e-2; 2],
            symmetric: [u * 2e-3; 2],
        },
        histogram: Histogram {
            low: -1.0,
            width: 0.1,
            counts: vec![1; 40],
            outside: [0, 0],
        },
    }
}
