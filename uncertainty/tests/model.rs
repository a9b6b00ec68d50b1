//! The model language: what it means, what it refuses, and its exact derivatives.

use heng_uncertainty::{Diagnostic, EvalError, Library, Model};

fn compile(text: &str) -> Model {
    Model::compile(text, Library::shipped()).unwrap()
}

fn value(expression: &str) -> f64 {
    compile(&format!("y = {expression}"))
        .eval("y", &|_| None)
        .unwrap()
}

fn refused(text: &str) -> Vec<Diagnostic> {
    Model::compile(text, Library::shipped()).unwrap_err()
}

#[test]
fn operators_bind_as_on_paper() {
    for (expression, wanted) in [
        ("2 + 3 * 4", 14.0),
        ("2 - 3 - 4", -5.0),
        ("12 / 3 / 2", 2.0),
        ("-2^2", -4.0),
        ("(-2)^2", 4.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("4^0.5", 2.0),
        ("--3", 3.0),
        ("2 * -3", -6.0),
        ("1.5e-3 + .5", 0.5015),
        ("min(3, max(1, 2))", 2.0),
        ("sqrt(abs(-16))", 4.0),
        ("log10(1000)", 3.0),
        ("ln(exp(2))", 2.0),
        ("exp(\n  0 # nothing\n  + 0)", 1.0),
        ("cos(0) + sin(0) + 0 * pi", 1.0),
    ] {
        assert_eq!(value(expression), wanted, "{expression}");
    }
}

#[test]
fn inputs_and_outputs_come_in_order_of_appearance() {
    let model = compile("# humidity\ne = a * x  # first\n\nrh = 100 * e / (b + x) + e^2\n");
    assert_eq!(model.inputs(), ["a", "x", "b"]);
    assert_eq!(model.outputs(), ["e", "rh"]);
    assert_eq!(model.inputs_of("e").unwrap(), ["a", "x"]);
    // `e` needs no `b`.
    let value_of = |name: &str| match name {
        "a" => Some(2.0),
        "x" => Some(3.0),
        _ => None,
    };
    assert_eq!(model.eval("e", &value_of), Ok(6.0));
    assert_eq!(
        model.eval("rh", &value_of),
        Err(EvalError::MissingInput {
            input: "b".to_owned()
        })
    );
    assert!(
        model
            .eval("nothing", &value_of)
            .unwrap_err()
            .to_string()
            .contains("e, rh")
    );
}

#[test]
fn mistakes_are_found_with_line_column_and_cure() {
    for (text, line, column, part) in [
        ("", 1, 1, "empty"),
        ("y = ", 1, 5, "parentheses"),
        ("y = 2 +\n3", 1, 8, "parentheses"),
        ("y = (2", 1, 7, "close the parenthesis"),
        ("y = 2 $ 3", 1, 7, "'$'"),
        ("y = x**2", 1, 6, "x^2"),
        ("y = 2x", 1, 5, "\"2x\""),
        ("y = 1.2.3", 1, 5, "1.2.3"),
        ("y = 1e999", 1, 5, "1e999"),
        ("y = log(x)", 1, 5, "ln"),
        ("a = 1\ny = hardy_watr(a)", 2, 5, "hardy_water"),
        ("y = hardy_water(1, 2)", 1, 5, "hardy_water(t)"),
        ("y = hardy_water", 1, 5, "parentheses"),
        ("y = exp", 1, 5, "parentheses"),
        ("y = sqrt(1, 2)", 1, 5, "takes 1"),
        ("y = min(1)", 1, 5, "takes 2"),
        ("y = 1\ny = 2", 2, 1, "second time"),
        ("y = a + 1\na = 2", 2, 1, "used before"),
        ("exp = 1", 1, 1, "name of a function"),
        ("hardy_ice = 1", 1, 1, "name of a function"),
        ("3 = x", 1, 1, "a name to assign to"),
        ("y x", 1, 3, "`=`"),
        ("y = 1 2", 1, 7, "operator"),
        ("温度 = t +", 1, 9, "parentheses"),
    ] {
        let found = &refused(text)[0];
        assert_eq!(
            (found.line, found.column),
            (line, column),
            "{text:?}: {found}"
        );
        assert!(found.to_string().contains(part), "{text:?}: {found}");
        assert!(
            found
                .to_string()
                .starts_with(&format!("line {line}, column {column}: "))
        );
    }
}

#[test]
fn every_wrong_line_is_reported() {
    let found = refused("a = 1 +\nb = 2\nc = $\nd = b b");
    assert_eq!(
        found.len(),
        1,
        "a character without meaning comes first: {found:?}"
    );
    let found = refused("a = 1 +\nb = 2\nd = b b");
    assert_eq!(found.iter().map(|d| d.line).collect::<Vec<_>>(), [1, 3]);
    let found = refused("a = foo(1)\nb = a + 1\nc = bar(2)");
    assert_eq!(found.iter().map(|d| d.line).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn hostile_texts_end_in_a_message() {
    let deep = format!("y = {}1{}", "(".repeat(50_000 / 2), ")".repeat(50_000 / 2));
    assert!(refused(&deep)[0].message.contains("nested"));
    let minus = format!("y = {}1", "-".repeat(60_000));
    assert!(refused(&minus)[0].message.contains("nested"));
    let chain = format!("y = 1{}", "+1".repeat(30_000));
    assert!(refused(&chain)[0].message.contains("nested"));
    let long = format!("y = 1 #{}", "x".repeat(70_000));
    assert!(refused(&long)[0].message.contains("65536"));
    let tower = format!("y = 2{}", "^2".repeat(30_000));
    assert!(refused(&tower)[0].message.contains("nested"));
}

#[test]
fn a_value_outside_the_domain_names_the_operation_and_its_place() {
    for (text, x, part) in [
        ("y = 1 +\\\n", 0.0, ""),
        ("y = 2 + ln(x)", -1.0, "line 1, column 9: ln(-1)"),
        ("a = x\ny = 1 / (a - 1)", 1.0, "line 2, column 7: (1) / (0)"),
        ("y = sqrt(x)", -4.0, "sqrt(-4)"),
        ("y = x^0.5", -4.0, "(-4) ^ (0.5)"),
        ("y = x^-2", 0.0, "(0)^-2"),
        ("y = exp(x)", 1e6, "exp(1000000)"),
        ("y = x * x", 1e300, "has no finite value"),
        ("y = wmo_water(x)", -243.12, "in the formula wmo_water"),
        // A value that is not finite must not come back in by a comparison.
        ("y = min(1 / x, 3)", 0.0, "(1) / (0)"),
    ] {
        if part.is_empty() {
            assert!(Model::compile(text, Library::shipped()).is_err());
            continue;
        }
        let model = compile(text);
        let error = model.eval("y", &|_| Some(x)).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
        // The same from the block, for the first trial that fails.
        let column = [2.0, x, x];
        let mut out = [0.0; 3];
        let block = model
            .eval_block("y", &[&column], &mut out)
            .unwrap_err()
            .to_string();
        assert_eq!(block, error, "{text}");
    }
}

#[test]
fn a_missing_derivative_is_an_error_and_an_unfelt_one_is_not() {
    for text in [
        "y = abs(x)",
        "y = min(x, -x)",
        "y = sqrt(x)",
        "y = x^0.5",
        "y = max(0 * x, x)",
    ] {
        let error = compile(text).gradient("y", &[0.0]).unwrap_err();
        assert!(
            matches!(error, EvalError::NotDifferentiable { .. }),
            "{text}: {error}"
        );
    }
    assert_eq!(
        compile("y = 0 * sqrt(x) + x").gradient("y", &[0.0]),
        Ok((0.0, vec![1.0]))
    );
    assert_eq!(
        compile("y = (x - 3)^2").gradient("y", &[1.0]),
        Ok((4.0, vec![-4.0]))
    );
    assert_eq!(
        compile("y = x^(1 + 1.5)").gradient("y", &[4.0]),
        Ok((32.0, vec![20.0]))
    );
    assert!(compile("y = x").gradient("y", &[]).is_err());
}

#[test]
fn blocks_give_the_bits_of_single_values() {
    let text = "a = hardy_rh_dew(td, t, p)\n\
                y = a + x^-3 + min(a, x) * log10(t) - sin(x) / cos(p) + abs(td)^1.3 + sqrt(t)";
    let model = compile(text);
    // 200 trials: three full lanes of 64 and a short one.
    let column = |start: f64, step: f64| -> Vec<f64> {
        (0..200)
            .map(|trial| start + step * f64::from(trial))
            .collect()
    };
    let columns: Vec<Vec<f64>> = model
        .inputs()
        .iter()
        .map(|name| match name.as_str() {
            "td" => column(-3.1, 0.07),
            "t" => column(15.0, 0.11),
            "p" => column(9e4, 101.7),
            _ => column(0.5, 0.031),
        })
        .collect();
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut out = vec![0.0; 200];
    model.eval_block("y", &slices, &mut out).unwrap();
    for (trial, found) in out.iter().enumerate() {
        let single = model.eval("y", &|name| {
            let at = model.inputs().iter().position(|input| input == name)?;
            Some(columns[at][trial])
        });
        assert_eq!(single.unwrap().to_bits(), found.to_bits(), "{trial}");
    }
    let mut short = vec![0.0; 199];
    assert!(matches!(
        model.eval_block("y", &slices, &mut short),
        Err(EvalError::WrongShape { .. })
    ));
}

#[test]
fn equations_print_as_typst_mathematics() {
    let model = compile(
        "e_td = 6.112 * exp(17.62 * t_d / (243.12 + t_d))\n\
         rh = -(a - (b - c)) * 1.5e-12^2 / sqrt(alpha)\n\
         y = log10(hardy_water(t))",
    );
    assert_eq!(
        model.to_typst(),
        "e_\"td\" = 6.112 dot.op exp(frac(17.62 dot.op t_d, 243.12 + t_d)) \\\n\
         \"rh\" = frac((-(a - (b - c))) dot.op (1.5 dot.op 10^(-12))^(2), sqrt(alpha)) \\\n\
         y = log_10(\"hardy\"_\"water\" (t))"
    );
}
