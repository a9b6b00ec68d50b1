//! Golden papers of the sample and what outside validators say of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use heng_quantities::{Decimal, Language, Text};

use crate::document::{Cells, Certificate};
use crate::sample::thermo_hygrometer;
use crate::{
    CaseFileNote, CertificateError, FIELDS, Outcome, ValidatedCase, ValidatedNumber, Validation,
    check, to_dcc, to_pdf, validation_pdf,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder of its own for the files that a test hands to a validator.
fn folder(name: &str) -> PathBuf {
    let path =
        std::env::temp_dir().join(format!("heng-certificates-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Compares with the golden file; `HENG_BLESS=1` writes it instead.
fn golden(name: &str, text: &str) {
    let path = root().join("fixtures/certificates").join(name);
    if std::env::var_os("HENG_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap();
    assert!(
        stored == text,
        "{} differs: run with HENG_BLESS=1 and look at the difference",
        path.display()
    );
}

/// Output of a tool; none, with a message, where it is not installed.
fn run(tool: &str, arguments: &[&str]) -> Option<(bool, Vec<u8>, String)> {
    match Command::new(tool).args(arguments).output() {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            Some((output.status.success(), output.stdout, errors))
        }
        Err(error) => {
            eprintln!("skipped: {tool} cannot be run ({error})");
            None
        }
    }
}

fn xmllint(dcc: &str, name: &str) -> Option<(bool, String)> {
    let file = folder("xmllint").join(name);
    std::fs::write(&file, dcc).unwrap();
    let schema = root().join("fixtures/dcc/dcc.xsd");
    let arguments = [
        "--nonet",
        "--noout",
        "--schema",
        schema.to_str()?,
        file.to_str()?,
    ];
    let (sound, _, errors) = run("xmllint", &arguments)?;
    Some((sound, errors))
}

/// A certificate with as little as the check allows.
fn minimal() -> Certificate {
    let mut certificate = thermo_hygrometer();
    certificate.received = None;
    certificate.customer.contact.clear();
    certificate.customer.code = None;
    certificate.place = Text::new("a ship at sea", "海上船舶");
    certificate.formulas.clear();
    certificate.model.clear();
    certificate.budgets.clear();
    certificate.plots.clear();
    certificate.conformity.clear();
    certificate.decision_rule = None;
    certificate.statements.clear();
    certificate.demonstration = true;
    certificate.standards.truncate(1);
    certificate.standards[0].serial.clear();
    certificate.environment.truncate(1);
    certificate.environment[0].ref_type = None;
    for table in &mut certificate.tables {
        table.note = None;
        table
            .columns
            .retain(|column| !matches!(column.cells, Cells::Verdict { .. }));
        for column in &mut table.columns {
            column.ref_type = None;
            match &mut column.cells {
                Cells::Number {
                    values,
                    uncertainty,
                    ..
                } => {
                    values.truncate(1);
                    if let Some(all) = uncertainty {
                        all.truncate(1);
                        all[0].dof = None;
                    }
                }
                Cells::Text(texts) => texts.truncate(1),
                Cells::Verdict { .. } => {}
            }
        }
    }
    certificate
}

#[test]
fn the_sample_is_complete_and_its_json_is_stable() {
    let sample = thermo_hygrometer();
    assert_eq!(check(&sample), Vec::new());
    let json = serde_json::to_string_pretty(&sample).unwrap() + "\n";
    golden("thermo-hygrometer.json", &json);
    let back: Certificate = serde_json::from_str(&json).unwrap();
    assert_eq!(back, sample);
}

#[test]
fn the_dcc_is_the_golden_one_and_its_schema_accepts_it() {
    let dcc = to_dcc(&thermo_hygrometer()).unwrap();
    golden("thermo-hygrometer.xml", &dcc);
    if let Some((sound, errors)) = xmllint(&dcc, "golden.xml") {
        assert!(sound, "{errors}");
    }
}

#[test]
fn the_smallest_certificate_is_valid_too() {
    let certificate = minimal();
    assert_eq!(check(&certificate), Vec::new());
    let dcc = to_dcc(&certificate).unwrap();
    if let Some((sound, errors)) = xmllint(&dcc, "minimal.xml") {
        assert!(sound, "{errors}");
    }
    assert!(
        to_pdf(&certificate, &dcc, Language::Zh)
            .unwrap()
            .starts_with(b"%PDF-")
    );
}

#[test]
fn a_formula_outside_of_its_range_stands_on_every_paper() {
    let mut certificate = thermo_hygrometer();
    certificate.formulas[0].forced.push(Text::new(
        "USED OUTSIDE OF ITS RANGE, forced by Li Hua: compared.",
        "超出适用范围使用，由李华决定强制使用：已比对。",
    ));
    assert_eq!(check(&certificate), Vec::new());
    let dcc = to_dcc(&certificate).unwrap();
    for part in [
        "Range: t: 0 … 100 °C. USED OUTSIDE",
        "适用范围: t: 0 … 100 °C。 超出适用范围使用",
    ] {
        assert!(dcc.contains(part), "{part}");
    }
    if let Some((sound, errors)) = xmllint(&dcc, "forced.xml") {
        assert!(sound, "{errors}");
    }
    for (language, parts) in [
        (Language::En, ["0 … 100 °C", "forced by Li Hua"]),
        (Language::Zh, ["0 … 100 °C", "由李华决定强制使用"]),
    ] {
        let pdf = to_pdf(&certificate, &dcc, language).unwrap();
        let file = folder("forced").join(format!("{language:?}.pdf"));
        std::fs::write(&file, pdf).unwrap();
        if let Some((_, text, _)) = run("pdftotext", &["-layout", file.to_str().unwrap(), "-"]) {
            let text = String::from_utf8_lossy(&text).into_owned();
            let text: String = text.split_whitespace().collect();
            for part in parts {
                let part: String = part.split_whitespace().collect();
                assert!(text.contains(&part), "{part}: {text}");
            }
        }
    }
}

#[test]
fn the_schema_test_would_notice_a_fault() {
    let broken = to_dcc(&thermo_hygrometer())
        .unwrap()
        .replace("dcc:mainSigner", "dcc:signer");
    if let Some((sound, _)) = xmllint(&broken, "broken.xml") {
        assert!(!sound);
    }
}

#[test]
fn ptb_business_rules_find_no_error() {
    let folder = folder("schematron");
    let mut files = Vec::new();
    for (name, certificate) in [
        ("full.xml", thermo_hygrometer()),
        ("minimal.xml", minimal()),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, to_dcc(&certificate).unwrap()).unwrap();
        files.push(file.to_str().unwrap().to_owned());
    }
    let python = std::env::var("HENG_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let modules = run(&python, &["-c", "import dcclib, saxonche"]);
    if !modules.is_some_and(|(found, ..)| found) {
        eprintln!("skipped: the Python packages dcclib and saxonche are not installed");
        return;
    }
    let script = root().join("tests/certificate/schematron.py");
    let mut arguments = vec![script.to_str().unwrap()];
    arguments.extend(files.iter().map(String::as_str));
    let (sound, out, errors) = run(&python, &arguments).unwrap();
    assert!(sound, "{}{errors}", String::from_utf8_lossy(&out));
}

#[test]
fn markup_in_names_stays_text_in_every_paper() {
    let mut certificate = thermo_hygrometer();
    let hostile = "#panic() </dcc:name> & $x$ *b* \"q\" [a] \\ #sys.inputs";
    certificate.customer.name = Text::same(hostile);
    certificate.item.model = hostile.to_owned();
    let dcc = to_dcc(&certificate).unwrap();
    assert!(dcc.contains("#panic() &lt;/dcc:name&gt; &amp; $x$"));
    if let Some((sound, errors)) = xmllint(&dcc, "hostile.xml") {
        assert!(sound, "{errors}");
    }
    let pdf = to_pdf(&certificate, &dcc, Language::En).unwrap();
    let file = folder("markup").join("hostile.pdf");
    std::fs::write(&file, pdf).unwrap();
    if let Some((_, text, _)) = run("pdftotext", &["-layout", file.to_str().unwrap(), "-"]) {
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(text.contains("#panic() </dcc:name> & $x$ *b*"), "{text}");
    }
}

#[test]
fn the_pdf_is_stable_sound_and_carries_the_dcc() {
    let certificate = thermo_hygrometer();
    let dcc = to_dcc(&certificate).unwrap();
    let folder = std::env::var_os("HENG_PAPERS").map_or_else(|| folder("pdf"), PathBuf::from);
    for (language, name) in [(Language::En, "en.pdf"), (Language::Zh, "zh.pdf")] {
        let pdf = to_pdf(&certificate, &dcc, language).unwrap();
        assert!(pdf == to_pdf(&certificate, &dcc, language).unwrap());
        let file = folder.join(name);
        std::fs::write(&file, &pdf).unwrap();
        let path = file.to_str().unwrap();
        if let Some((sound, out, errors)) = run("qpdf", &["--check", path]) {
            assert!(sound, "{}{errors}", String::from_utf8_lossy(&out));
        }
        let key = "--show-attachment=dcc.xml";
        if let Some((sound, out, errors)) = run("qpdf", &[key, path]) {
            assert!(sound, "{errors}");
            assert!(out == dcc.as_bytes(), "the attached DCC differs");
        }
        printed_numbers(&certificate, path);
    }
}

/// Every number of every table is on the printed certificate, and so is the notice on
/// every page.
fn printed_numbers(certificate: &Certificate, path: &str) {
    let Some((_, text, _)) = run("pdftotext", &["-layout", path, "-"]) else {
        return;
    };
    let text = String::from_utf8_lossy(&text).replace('−', "-");
    let words: Vec<&str> = text.split_whitespace().collect();
    for column in certificate.tables.iter().flat_map(|table| &table.columns) {
        if let Cells::Number { values, .. } = &column.cells {
            for value in values {
                assert!(
                    words.contains(&value.to_string().as_str()),
                    "{value} is not printed"
                );
            }
        }
    }
    for page in text.trim_end_matches('\u{c}').split('\u{c}') {
        assert!(
            page.contains(&certificate.number),
            "a page without number:\n{page}"
        );
        let notice = page.contains("no metrological traceability") || page.contains("无计量溯源性");
        assert!(notice, "a page without the notice:\n{page}");
    }
}

#[test]
fn a_character_without_glyph_is_named_with_its_field() {
    let mut certificate = thermo_hygrometer();
    certificate.item.manufacturer = "ACME 🙂".to_owned();
    let dcc = to_dcc(&certificate).unwrap();
    match to_pdf(&certificate, &dcc, Language::En) {
        Err(CertificateError::Glyph { field, character }) => {
            assert_eq!((field.as_str(), character), ("item.manufacturer", '🙂'));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_fonts_draw_every_label_and_the_signs_of_measurement() {
    let signs = "±°℃Ωµμ×·−≤≥²³⁻√Δσ∞→✓—…‰()、。：；“”δ₀¹⁰ŠőΩ";
    let labels = FIELDS.iter().flat_map(|field| [field.en, field.zh]);
    let mut certificate = thermo_hygrometer();
    certificate.statements = labels.chain([signs]).map(Text::same).collect();
    let dcc = to_dcc(&certificate).unwrap();
    to_pdf(&certificate, &dcc, Language::Zh).unwrap();
}

type Fault = (&'static str, fn(&mut Certificate));

/// Field that must be named, and the fault that was made.
const FAULTS: &[Fault] = &[
    ("number", |c| c.number = "  ".to_owned()),
    ("title", |c| c.title.zh.clear()),
    ("laboratory.address", |c| c.laboratory.address.en.clear()),
    ("customer.name", |c| c.customer.name = Text::default()),
    ("item.serial", |c| c.item.serial.clear()),
    ("place", |c| c.place = Text::default()),
    ("methods", |c| c.methods.clear()),
    ("standards", |c| {
        // Only a demonstration may do without.
        c.demonstration = false;
        c.standards.clear();
    }),
    ("environment", |c| c.environment.clear()),
    ("tables", |c| c.tables.clear()),
    ("persons", |c| c.persons[2].main_signer = false),
    ("persons", |c| c.persons[0].main_signer = true),
    ("persons[0].name", |c| c.persons[0].name.clear()),
    ("persons[0].role.zh", |c| c.persons[0].role.zh.clear()),
    ("begun", |c| c.begun = "12.05.2026".to_owned()),
    ("ended", |c| c.ended = "2026-05-11".to_owned()),
    ("issued", |c| c.issued = "2026-05-12".to_owned()),
    ("begun", |c| c.received = Some("2026-05-13".to_owned())),
    ("country", |c| c.country = "China".to_owned()),
    ("program.version", |c| {
        c.program.version = "0.1.0-rc.1".to_owned();
    }),
    ("methods[0].sha256", |c| {
        c.methods[0].sha256 = "D".repeat(64);
    }),
    ("record.head", |c| c.record.head.truncate(63)),
    ("standards[0].sha256", |c| c.standards[0].sha256.clear()),
    ("standards[1].in_validity", |c| {
        c.standards[1].valid_until = "2026-05-12".to_owned();
    }),
    ("standards[0].traceable", |c| c.demonstration = false),
    ("environment[0]", |c| {
        c.environment[0].min = Decimal::new(999, 0);
    }),
    ("decision_rule", |c| c.decision_rule = None),
    ("conformity[0].verdict", |c| {
        c.conformity[0].verdict = "passed".to_owned();
    }),
    ("item.name.en", |c| c.item.name.en = "a\u{1}b".to_owned()),
    ("item.name.en", |c| c.item.name.en = "a\u{202E}b".to_owned()),
    ("tables[0]", |c| {
        c.tables[0].columns[0].cells = Cells::Text(Vec::new());
    }),
    ("tables[0]", |c| {
        c.tables[0].columns[1].key = "error".to_owned();
    }),
    ("tables[0].error", |c| uncertainty(c, Vec::clear)),
    ("tables[0].error", |c| {
        if let Cells::Number { uncertainty, .. } = &mut c.tables[0].columns[3].cells {
            *uncertainty = None;
        }
    }),
    ("tables[0].error[0]", |c| {
        uncertainty(c, |all| all[0].k = 0.5);
    }),
    ("tables[0].error[0]", |c| {
        uncertainty(c, |all| all[0].coverage = 95.0);
    }),
    ("tables[0].error[0]", |c| {
        uncertainty(c, |all| all[0].value = Decimal::new(123, -2));
    }),
    ("tables[0].error[0]", |c| {
        uncertainty(c, |all| all[0].value = Decimal::new(0, -1));
    }),
    ("tables[0].verdict", |c| {
        c.tables[0].columns[4].cells = Cells::Verdict {
            of: "none".to_owned(),
            verdicts: vec!["pass".to_owned(); 10],
        };
    }),
];

fn uncertainty(certificate: &mut Certificate, change: fn(&mut Vec<crate::Expanded>)) {
    if let Cells::Number {
        uncertainty: Some(all),
        ..
    } = &mut certificate.tables[0].columns[3].cells
    {
        change(all);
    }
}

#[test]
fn each_fault_is_found_and_stops_the_issue() {
    for (number, (field, spoil)) in FAULTS.iter().enumerate() {
        let mut certificate = thermo_hygrometer();
        spoil(&mut certificate);
        let missing = check(&certificate);
        assert!(
            missing.iter().any(|m| m.field == *field),
            "fault {number}: {field} not among {missing:?}"
        );
        for finding in &missing {
            assert!(!finding.cure.en.is_empty() && !finding.cure.zh.is_empty());
            assert!(
                ["ISO/IEC 17025", "DCC", "ILAC"]
                    .iter()
                    .any(|norm| finding.clause.starts_with(norm))
            );
        }
        assert!(matches!(
            to_dcc(&certificate),
            Err(CertificateError::Incomplete(_))
        ));
        assert!(matches!(
            to_pdf(&certificate, "", Language::En),
            Err(CertificateError::Incomplete(_))
        ));
    }
}

#[test]
fn real_work_needs_traceable_standards() {
    let mut certificate = thermo_hygrometer();
    certificate.demonstration = false;
    for standard in &mut certificate.standards {
        standard.traceable = true;
    }
    assert_eq!(check(&certificate), Vec::new());
    let dcc = to_dcc(&certificate).unwrap();
    assert!(!dcc.contains("Demonstration"));
}

#[test]
fn both_forms_of_a_hybrid_say_the_same_quantity() {
    let dcc = to_dcc(&thermo_hygrometer()).unwrap();
    let at = dcc
        .find("<si:valueXMLList>263.13 278.13")
        .expect("kelvin first");
    let after = &dcc[at..];
    assert!(after.contains("<si:unitXMLList>\\kelvin</si:unitXMLList>"));
    assert!(after.contains("<si:valueXMLList>-10.02 4.98 20.05 35.01 50.03"));
    // An error in kelvin has one form only: there is no offset to undo.
    assert!(dcc.contains("<si:valueExpandedMUXMLList>0.11 0.10 0.10 0.10 0.12 0.12 0.10 0.10 0.10 0.11</si:valueExpandedMUXMLList>"));
    assert!(dcc.contains("<dcc:conformityXMLList>pass pass pass"));
}

fn validation() -> Validation {
    let number = |what: &str, outcome, remark: Option<&str>| ValidatedNumber {
        what: what.to_owned(),
        expected: "31.66387911".to_owned(),
        got: "31.66387912".to_owned(),
        tolerance: "1e-6".to_owned(),
        outcome,
        remark: remark.map(str::to_owned),
    };
    Validation {
        program: thermo_hygrometer().program,
        program_sha256: "0123456789abcdef".repeat(4),
        machine: vec![(Text::new("Processor", "处理器"), "AMD EPYC".to_owned())],
        begun: "2026-11-25T15:12:08+08:00".to_owned(),
        seed: 7,
        files: vec![CaseFileNote {
            name: "cases.json".to_owned(),
            sha256: "f".repeat(64),
        }],
        cases: vec![
            ValidatedCase {
                id: "gum-h1".to_owned(),
                topic: "propagation of uncertainty".to_owned(),
                source: "JCGM 100:2008, H.1 #panic()".to_owned(),
                numbers: vec![
                    number("l u", Outcome::Pass, None),
                    number("l U99", Outcome::Fail, Some("differs by 1.0e-8")),
                ],
            },
            ValidatedCase {
                id: "nobody-knows".to_owned(),
                topic: "propagation of uncertainty".to_owned(),
                source: "JCGM 100:2008".to_owned(),
                numbers: vec![number("k", Outcome::Skip, Some("unknown kind"))],
            },
        ],
    }
}

#[test]
fn a_validation_report_states_program_cases_sources_and_every_number() {
    let validation = validation();
    for (language, words) in [
        (
            Language::En,
            ["1 numbers passed, 1 failed, 1 skipped", "FAIL"],
        ),
        (
            Language::Zh,
            ["1 个数值通过, 1 个不通过, 1 个跳过", "不通过"],
        ),
    ] {
        let pdf = validation_pdf(&validation, language).unwrap();
        assert!(pdf == validation_pdf(&validation, language).unwrap());
        let file = folder("validation").join(format!("{language:?}.pdf"));
        std::fs::write(&file, pdf).unwrap();
        let path = file.to_str().unwrap();
        if let Some((sound, out, errors)) = run("qpdf", &["--check", path]) {
            assert!(sound, "{}{errors}", String::from_utf8_lossy(&out));
        }
        let Some((_, text, _)) = run("pdftotext", &["-layout", path, "-"]) else {
            continue;
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        let digest = &validation.program_sha256;
        for word in words.into_iter().chain([
            "heng 0.1.0",
            digest.as_str(),
            "AMD EPYC",
            "gum-h1",
            "JCGM 100:2008, H.1 #panic()",
            "31.66387912",
            "differs by 1.0e-8",
            "unknown kind",
        ]) {
            assert!(text.contains(word), "{word:?} is not in\n{text}");
        }
    }
}

#[test]
fn a_validation_report_names_what_it_cannot_set() {
    let mut hostile = validation();
    hostile.cases[1].source = "a page with 🙂".to_owned();
    match validation_pdf(&hostile, Language::En) {
        Err(CertificateError::Glyph { field, character }) => {
            assert_eq!((field.as_str(), character), ("case nobody-knows", '🙂'));
        }
        other => panic!("{other:?}"),
    }
    let mut undated = validation();
    undated.begun = "yesterday".to_owned();
    let error = validation_pdf(&undated, Language::En).unwrap_err();
    assert!(error.to_string().contains("\"yesterday\""), "{error}");
}
