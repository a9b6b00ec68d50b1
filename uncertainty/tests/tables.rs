//! The shipped tables, and what a table refuses.

use heng_uncertainty::{Table, TableError};

fn weights() -> &'static Table {
    Table::named("oiml_r111_mpe").unwrap()
}

#[test]
fn every_table_states_source_titles_and_units() {
    for table in Table::shipped() {
        assert!(
            table.version >= 1 && table.source.len() > 20,
            "{}",
            table.name
        );
        assert!(!table.title.en.is_empty() && !table.title.zh.is_empty());
        let text = serde_json::to_string(table).unwrap();
        assert_eq!(&serde_json::from_str::<Table>(&text).unwrap(), table);
    }
    assert!(Table::named("oiml_r112").is_none());
}

/// Rows as two public copies print them: the pages of a maker of weights (E1 to M3, to 5 kg)
/// and the Greek market regulation (M1 to M3, to 50 kg); for 2 t and 5 t an extract of the
/// document (F1 to M2). Limits in mg.
#[test]
fn rows_of_oiml_r_111_as_public_copies_print_them() {
    let table = weights();
    let row = |nominal_mg: f64, classes: &[&str], limits: &[f64]| {
        for (class, limit) in classes.iter().zip(limits) {
            assert_eq!(
                table.value(nominal_mg, class),
                Ok(*limit),
                "{nominal_mg} mg {class}"
            );
        }
    };
    let all = ["E1", "E2", "F1", "F2", "M1", "M2", "M3"];
    row(1.0, &all[..5], &[0.003, 0.006, 0.02, 0.06, 0.2]);
    // One of the copies prints 0.02 for M1.
    row(5.0, &all[..5], &[0.003, 0.006, 0.02, 0.06, 0.2]);
    row(10.0, &all[..5], &[0.003, 0.008, 0.025, 0.08, 0.25]);
    row(50.0, &all[..5], &[0.004, 0.012, 0.04, 0.12, 0.4]);
    row(200.0, &all[..6], &[0.006, 0.02, 0.06, 0.2, 0.6, 2.0]);
    row(500.0, &all[..6], &[0.008, 0.025, 0.08, 0.25, 0.8, 2.5]);
    row(2e3, &all, &[0.012, 0.04, 0.12, 0.4, 1.2, 4.0, 12.0]);
    row(5e3, &all, &[0.016, 0.05, 0.16, 0.5, 1.6, 5.0, 16.0]);
    row(5e4, &all, &[0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]);
    row(2e5, &all, &[0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]);
    row(1e6, &all, &[0.5, 1.6, 5.0, 16.0, 50.0, 160.0, 500.0]);
    row(5e6, &all, &[2.5, 8.0, 25.0, 80.0, 250.0, 800.0, 2500.0]);
    row(1e7, &all[4..], &[500.0, 1600.0, 5000.0]);
    row(2e7, &all[4..], &[1000.0, 3000.0, 10_000.0]);
    row(5e7, &all[4..], &[2500.0, 8000.0, 25_000.0]);
    let large = ["F1", "F2", "M1", "M1-2", "M2"];
    row(2e9, &large, &[1e4, 3e4, 1e5, 2e5, 3e5]);
    row(5e9, &large, &[2.5e4, 8e4, 2.5e5, 5e5, 8e5]);
}

/// The limits follow each other by tens, and the classes between by two: a misprint breaks one
/// of these.
#[test]
fn the_classes_of_oiml_r_111_are_in_proportion() {
    let table = weights();
    let mut compared = 0;
    for row in &table.rows {
        let ratio =
            |coarse: &str, fine: &str| Some(row.values.get(coarse)? / row.values.get(fine)?);
        for (coarse, fine) in [("M1", "F1"), ("M3", "M1"), ("F2", "E2"), ("M2", "F2")] {
            if let Some(ratio) = ratio(coarse, fine) {
                assert!(
                    (ratio - 10.0).abs() < 1e-9,
                    "{} {coarse}/{fine}",
                    row.nominal
                );
                compared += 1;
            }
        }
        for (coarse, fine) in [("M1-2", "M1"), ("M2-3", "M2")] {
            // 2 · 16 000 is printed as 30 000.
            if let Some(ratio) = ratio(coarse, fine) {
                assert!(
                    (1.87..=2.0).contains(&ratio),
                    "{} {coarse}/{fine}",
                    row.nominal
                );
                compared += 1;
            }
        }
        let ordered: Vec<f64> = table
            .classes
            .iter()
            .filter_map(|class| row.values.get(class).copied())
            .collect();
        assert!(ordered.is_sorted_by(|finer, coarser| finer < coarser));
    }
    for pair in table.rows.windows(2) {
        for (class, limit) in &pair[0].values {
            if let Some(next) = pair[1].values.get(class) {
                assert!(next >= limit, "{class} at {}", pair[1].nominal);
            }
        }
    }
    assert_eq!(table.rows.len(), 30);
    assert_eq!(compared, 117);
}

#[test]
fn a_nominal_value_between_rows_is_refused_with_its_neighbours() {
    let error = weights().value(30_000.0, "E2").unwrap_err();
    assert!(matches!(error, TableError::NotInTable { .. }));
    let message = error.to_string();
    assert!(
        message.contains("30000 mg") && message.contains("20000 mg and 50000 mg"),
        "{message}"
    );
    let low = weights().value(0.5, "E2").unwrap_err().to_string();
    assert!(low.contains("nearest are 1 mg:"), "{low}");
    let high = weights().value(1e10, "M1").unwrap_err().to_string();
    assert!(high.contains("nearest are 5000000000 mg:"), "{high}");
    assert!(weights().value(f64::NAN, "M1").is_err());
    // A conversion of 0.3 g that does not quite give 200 mg is no row; one of 0.2 g is.
    assert_eq!(
        weights().value(0.2 * 1000.0 * (1.0 + 1e-15), "E2"),
        Ok(0.02)
    );
}

#[test]
fn a_class_that_is_not_there_is_refused_with_those_that_are() {
    let unknown = weights().value(1000.0, "E3").unwrap_err().to_string();
    assert!(
        unknown.contains("\"E3\"") && unknown.contains("E1, E2, F1"),
        "{unknown}"
    );
    let none = weights().value(50.0, "M2").unwrap_err().to_string();
    assert!(none.ends_with("it has E1, E2, F1, F2, M1"), "{none}");
}

#[test]
fn a_wrong_table_is_refused() {
    let text = |rows: &str| {
        format!(
            "name = 't'\nversion = 1\ntitle = {{ en = 'a', zh = 'b' }}\nsource = 's'\n\
             nominal_unit = 'g'\nvalue_unit = 'mg'\nclasses = ['A']\nrow = [{rows}]"
        )
    };
    let row = |nominal: f64, class: &str| {
        format!("{{ nominal = {nominal:?}, values = {{ {class} = 1.0 }} }},")
    };
    assert!(Table::parse(&text(&row(1.0, "A"))).is_ok());
    assert!(Table::parse(&text("")).unwrap_err().contains("rising"));
    let falling = row(2.0, "A") + &row(1.0, "A");
    assert!(
        Table::parse(&text(&falling))
            .unwrap_err()
            .contains("rising")
    );
    assert!(
        Table::parse(&text(&row(1.0, "B")))
            .unwrap_err()
            .contains("\"B\"")
    );
    assert!(Table::parse(&text(&row(f64::NAN, "A"))).is_err());
    assert!(Table::parse(&text("{ nominal = 1.0 }")).is_err());
}
