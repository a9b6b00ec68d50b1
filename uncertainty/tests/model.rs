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
        ("min(3, 1, 2) + max(1, 7, 5, 6)", 8.0),
        ("4 * atan(1) - pi", 0.0),
        ("4 * atan2(1, 1) - pi", 0.0),
        ("asin(1) + acos(1) - pi / 2", 0.0),
        ("sinh(0) + cosh(0) + tanh(0) + tan(0)", 1.0),
        // 3 + 2·2 + 1·4
        ("poly(2, 3, 2, 1)", 11.0),
        ("if(1 < 2, 3, 4)", 3.0),
        ("if(2 <= 2, 3, 4)", 3.0),
        ("if(2 ≥ 3, 3, 4)", 4.0),
        ("if(1 > 2 or 1 < 2 and 2 < 1, 3, 4)", 4.0),
        ("if(1 < 2 or 1 < 2 and 2 < 1, 3, 4)", 3.0),
        ("if(not 1 < 2 and 2 < 1, 3, 4)", 4.0),
        ("if(not (1 < 2 and 2 < 1), 3, 4)", 3.0),
        ("if(not (1 < 2 or 2 < 1), 3, 4)", 4.0),
        ("2 + if(1 > 2, 1, if(1 > 3, 2, 3)) * 2", 8.0),
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

/// Text, line, column and a part of the message.
type Mistake = (&'static str, usize, usize, &'static str);

const MISTAKES: &[Mistake] = &[
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
    ("y = min(1)", 1, 5, "takes 2 or more"),
    ("y = 1\ny = 2", 2, 1, "second time"),
    ("y = a + 1\na = 2", 2, 1, "used before"),
    ("exp = 1", 1, 1, "name of a function"),
    ("hardy_ice = 1", 1, 1, "name of a function"),
    ("3 = x", 1, 1, "a name to assign to"),
    ("y x", 1, 3, "`=`"),
    ("y = 1 2", 1, 7, "operator"),
    ("温度 = t +", 1, 9, "parentheses"),
];

const MISTAKES_IN_WIDER_FORMS: &[Mistake] = &[
    ("y = poly(x)", 1, 5, "poly(x, c0"),
    ("y = atan2(x)", 1, 5, "takes 2"),
    ("y = if(x, 1, 2)", 1, 8, "`x` is a number"),
    ("y = if(x < 1, 2)", 1, 5, "takes 3"),
    (
        "y = 2 + (x < 1)",
        1,
        12,
        "a condition stands where a number is wanted",
    ),
    ("y = x < 1", 1, 7, "a condition stands"),
    ("y = if(x < 1, x < 2, 3)", 1, 17, "a condition stands"),
    ("y = if(x < 1 and 2, 3, 4)", 1, 18, "`2` is a number"),
    ("y = if(not x, 3, 4)", 1, 12, "`x` is a number"),
    ("y = if(1 < x < 2, 3, 4)", 1, 14, "a < b and b < c"),
    ("y = if(x == 2, 3, 4)", 1, 10, "two measured values"),
    ("y = and", 1, 5, "found `and`"),
    ("if = 2", 1, 1, "name of a function"),
    ("tan = 2", 1, 1, "name of a function"),
    ("vector x[2]\ny = x[3]", 2, 5, "has 2 elements"),
    ("vector x[2]\ny = x[0]", 2, 7, "from 1"),
    ("vector x[2]\ny = x[1.5]", 2, 7, "whole"),
    (
        "vector x[2]\ny = x[i]",
        2,
        7,
        "an index, a whole number, found `i`",
    ),
    ("vector x[0]\ny = x", 1, 10, "from 1"),
    ("vector x\ny = x", 1, 9, "vector x[5]"),
    ("y = x[1]", 1, 5, "vector x[1]"),
    ("y = x\nvector x[2]", 2, 8, "before it is declared"),
    ("vector x[2]\nx = 2", 2, 1, "second time"),
    ("x = 2\nvector x[2]", 2, 8, "second time"),
    (
        "vector x[2], z[3]\ny = x + 2 * z",
        2,
        7,
        "`x` has 2 elements and `2 * z` has 3",
    ),
    ("y = sum(x)", 1, 9, "`x` is a number"),
    ("vector x[2]\ny = if(x > 1, 2, 3)", 2, 8, "a vector of 2"),
    ("vector x[2]\nx[1] = 2", 2, 1, "cannot be assigned alone"),
    (
        "complex z\nvector x[2]\ny = x * z",
        3,
        7,
        "a vector and a complex quantity",
    ),
    ("complex z\ny = sin(z)", 2, 5, "`sin` of a complex quantity"),
    (
        "complex z\ny = min(z, 1)",
        2,
        9,
        "`z` is a complex quantity",
    ),
    ("complex z\ny = z^0.5", 2, 7, "exp(p * ln(z))"),
    ("complex z\ny = 2^z", 2, 7, "whole number"),
    ("complex z\ny = if(z < 1, 2, 3)", 2, 8, "a complex quantity"),
    (
        "complex z\ny = hardy_water(z)",
        2,
        17,
        "`z` is a complex quantity",
    ),
    ("complex z\ny = complex(z, 1)", 2, 5, "two real numbers"),
    ("complex z[3]\ny = z", 1, 10, "both complex and a vector"),
    ("y = G.re", 1, 5, "complex G"),
    ("G.re = 2", 1, 1, "G = complex(a, b)"),
    ("complex z", 1, 1, "empty"),
    ("solve x: x^2 = 2 near x", 1, 7, "used before"),
    ("solve x: a = 2", 1, 7, "does not contain its unknown"),
    ("solve x x = 2", 1, 9, "`:`"),
    ("solve x: x", 1, 11, "`=`"),
    ("solve x[2]: x = 1", 1, 8, "not a vector"),
    (
        "complex z\nsolve x: x * z = 1",
        2,
        12,
        "a real number is wanted",
    ),
    ("y = x !", 1, 7, "'!'"),
];

#[test]
fn mistakes_are_found_with_line_column_and_cure() {
    for &(text, line, column, part) in MISTAKES.iter().chain(MISTAKES_IN_WIDER_FORMS) {
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
fn one_mistake_is_reported_once() {
    let found = refused("vector x[3]\ny = foo(x)\nz = sum(y)\nw = z[1]\nv = bar(1)");
    assert_eq!(found.iter().map(|d| d.line).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(refused("a = $ $\nb = $").len(), 2);
    assert_eq!(refused("complex exp, sin\ny = 1").len(), 1);
}

#[test]
fn words_with_a_place_may_name_quantities() {
    let model = compile("mean = (vector + near) / 2\nsolve = mean + re + polar");
    assert_eq!(model.inputs(), ["vector", "near", "re", "polar"]);
    assert_eq!(model.eval("solve", &|_| Some(1.0)), Ok(3.0));
}

#[test]
fn vectors_are_written_out_element_by_element() {
    let model = compile(
        "vector x[3], w[3]\n\
         m = mean(x)\n\
         d = x - m\n\
         s2 = sumsq(d) / 2\n\
         p = dot(x, w) + sum(w) + x[2]\n\
         r = max(x) - min(x) + min(x, 2)",
    );
    assert_eq!(
        model.inputs(),
        ["x[1]", "x[2]", "x[3]", "w[1]", "w[2]", "w[3]"]
    );
    assert_eq!(
        model.outputs(),
        [
            "m", "d[1]", "d[2]", "d[3]", "s2", "p", "r[1]", "r[2]", "r[3]"
        ]
    );
    let values = [1.0, 2.0, 6.0, 3.0, 5.0, 7.0];
    let value_of = |name: &str| {
        let at = model.inputs().iter().position(|input| input == name)?;
        Some(values[at])
    };
    for (output, wanted) in [
        ("m", 3.0),
        ("d[1]", -2.0),
        ("d[3]", 3.0),
        ("s2", 7.0),
        ("p", 72.0),
        ("r[1]", 6.0),
        ("r[3]", 7.0),
    ] {
        assert_eq!(model.eval(output, &value_of), Ok(wanted), "{output}");
    }
    let text = "vector c[3], t[2]\ny = poly(t, c)\nz = hardy_water(t)\nv = if(c[1] < 0, t, 1)";
    let model = compile(text);
    let value_of = |name: &str| match name {
        "c[2]" => Some(2.0),
        "t[2]" => Some(20.0),
        _ => Some(-1.0),
    };
    assert_eq!(model.eval("y[2]", &value_of), Ok(-1.0 + 40.0 - 400.0));
    assert_eq!(model.eval("v[2]", &value_of), Ok(20.0));
    let scalar = compile("z = hardy_water(20)").eval("z", &|_| None);
    assert_eq!(model.eval("z[2]", &value_of), scalar);
}

const COMPLEX: [(&str, f64, f64); 30] = [
    ("z + w", 1.2, -1.3),
    ("z - w", 1.8, -2.7),
    ("z * w", 0.95, 1.65),
    ("z / w", -3.189655172413793, -0.7758620689655172),
    ("2 + z", 3.5, -2.0),
    ("z + 2", 3.5, -2.0),
    ("2 - z", 0.5, 2.0),
    ("z - 2", -0.5, -2.0),
    ("2 * z", 3.0, -4.0),
    ("z * 2", 3.0, -4.0),
    ("z / 2", 0.75, -1.0),
    ("2 / z", 0.48, 0.64),
    ("-z", -1.5, 2.0),
    ("z^0", 1.0, 0.0),
    ("z^1", 1.5, -2.0),
    ("z^3", -14.625, -5.5),
    ("w^-2", -1.1890606420927468, 1.2485136741973841),
    ("z^5", -7.40625, 97.375),
    ("exp(z)", -1.8650407290090891, -4.075188339491183),
    ("ln(w)", -0.272363587720836, 1.9756881130799802),
    ("sqrt(w)", 0.4804046786753803, 0.7285524382590421),
    ("sqrt(z - 1)", 1.1317139242778693, -0.8836155308755134),
    ("conj(z) * w", -1.8499999999999999, 0.44999999999999984),
    ("complex(abs(z), arg(w))", 2.5, 1.9756881130799802),
    ("complex(re(z), im(w))", 1.5, 0.7),
    ("polar(2, 0.5)", 1.7551651237807455, 0.958851077208406),
    ("poly(z, 1, w, 2)", -1.55, -10.35),
    ("exp(0.5 * ln(w))", 0.4804046786753803, 0.7285524382590421),
    ("complex(re(2), im(2) + arg(-2))", 2.0, std::f64::consts::PI),
    ("conj(2) + 0 * z", 2.0, 0.0),
];

/// Values computed with the `cmath` module of Python 3 at z = 1.5 − 2i, w = −0.3 + 0.7i.
#[test]
fn complex_arithmetic_agrees_with_an_independent_evaluation() {
    for (expression, re, im) in COMPLEX {
        let model = compile(&format!("complex z, w\nG = {expression}"));
        let value_of = |name: &str| match name {
            "z.re" => Some(1.5),
            "z.im" => Some(-2.0),
            "w.re" => Some(-0.3),
            "w.im" => Some(0.7),
            _ => None,
        };
        assert_eq!(model.inputs(), ["z.re", "z.im", "w.re", "w.im"]);
        for (part, wanted) in [("G.re", re), ("G.im", im)] {
            let found = model.eval(part, &value_of).unwrap();
            // A handful of roundings of numbers up to 100.
            let limit = 1e-14 * wanted.abs().max(10.0);
            assert!(
                (found - wanted).abs() < limit,
                "{expression} {part} {found}"
            );
        }
    }
}

/// The derivative of an analytic function is f', whose parts are those of the gradient
/// (Cauchy and Riemann); f' from the closed form, evaluated as above.
#[test]
fn derivatives_of_complex_functions_obey_cauchy_and_riemann() {
    for (function, derivative) in [
        ("z^3", "3 * z^2"),
        ("1 / z", "-1 / z^2"),
        ("exp(z)", "exp(z)"),
        ("ln(z)", "1 / z"),
        ("sqrt(z)", "1 / (2 * sqrt(z))"),
        ("z / (1 - 0.2 * z)", "1 / (1 - 0.2 * z)^2"),
    ] {
        // Also on the positive real axis, where half-angle formulas of √z have a kink.
        for point in [[1.5, -2.0], [-0.3, 0.7], [4.0, 0.0]] {
            let model = compile(&format!("complex z\nf = {function}\nd = {derivative}"));
            let (_, re) = model.gradient("f.re", &point).unwrap();
            let (_, im) = model.gradient("f.im", &point).unwrap();
            let value_of = |name: &str| Some(point[usize::from(name == "z.im")]);
            let d_re = model.eval("d.re", &value_of).unwrap();
            let d_im = model.eval("d.im", &value_of).unwrap();
            for (found, wanted) in [(re[0], d_re), (re[1], -d_im), (im[0], d_im), (im[1], d_re)] {
                // Some ten roundings of numbers up to 50.
                assert!(
                    (found - wanted).abs() < 1e-13,
                    "{function}: {found} {wanted}"
                );
            }
        }
    }
}

#[test]
fn parts_of_complex_quantities_have_names() {
    let model = compile(
        "polar S\ncomplex T\nG = S * T\nmag = abs(G)\na = G.re + T.im\nphase = G.arg\nb = S.abs + S.arg + S.re",
    );
    assert_eq!(model.inputs(), ["S.abs", "S.arg", "T.re", "T.im"]);
    assert_eq!(model.outputs(), ["G.re", "G.im", "mag", "a", "phase", "b"]);
    let value_of = |name: &str| match name {
        "S.abs" => Some(2.0),
        "S.arg" => Some(0.0),
        "T.re" => Some(3.0),
        _ => Some(4.0),
    };
    assert_eq!(model.eval("mag", &value_of), Ok(10.0));
    assert_eq!(model.eval("a", &value_of), Ok(10.0));
    assert_eq!(model.eval("b", &value_of), Ok(4.0));
    let phase = model.eval("phase", &value_of).unwrap();
    assert!((phase - libm::atan2(4.0, 3.0)).abs() < 1e-15);
    // A real branch beside a complex one.
    let model = compile("complex z\nG = if(re(z) > 0, z, 2)");
    assert_eq!(model.eval("G.im", &|_| Some(-1.0)), Ok(0.0));
    assert_eq!(model.eval("G.re", &|_| Some(-1.0)), Ok(2.0));
}

/// Inputs over their range and far beyond, where searches are long or fail.
fn sweep(formula: &heng_uncertainty::Formula) -> Vec<Vec<f64>> {
    let rows = (0..1500_u32).map(|at| {
        let part = 1.2 * f64::from(at) / 1499.0 - 0.1;
        let arguments = formula.arguments.iter().enumerate();
        let values = arguments.map(|(index, argument)| {
            let width = argument.max - argument.min;
            if index == 0 {
                argument.min + part * width
            } else {
                argument.min + (0.4 + 0.2 * part) * width
            }
        });
        values.collect()
    });
    rows.collect()
}

/// Every trial of a block has the bits of the trial alone, and its errors.
fn assert_same_in_lanes(model: &Model, output: &str, rows: &[Vec<f64>]) -> usize {
    let alone = |row: &Vec<f64>| {
        model.eval(output, &|name| {
            let at = model.inputs().iter().position(|input| input == name)?;
            Some(row[at])
        })
    };
    let good: Vec<_> = rows.iter().filter(|row| alone(row).is_ok()).collect();
    let columns: Vec<Vec<f64>> = (0..model.inputs().len())
        .map(|input| good.iter().map(|row| row[input]).collect())
        .collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut out = vec![0.0; good.len()];
    model.eval_block(output, &columns, &mut out).unwrap();
    for (row, found) in good.iter().zip(&out) {
        let wanted = alone(row).unwrap();
        assert_eq!(
            found.to_bits(),
            wanted.to_bits(),
            "{} {row:?}",
            model.source()
        );
    }
    // One that has no value among two that have one.
    if let (Some(bad), [first, last, ..]) = (rows.iter().find(|row| alone(row).is_err()), &*good) {
        let columns: Vec<[f64; 3]> = (0..bad.len())
            .map(|input| [first[input], bad[input], last[input]])
            .collect();
        let columns: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
        let found = model.eval_block(output, &columns, &mut [0.0; 3]);
        assert_eq!(found.unwrap_err(), alone(bad).unwrap_err());
    }
    good.len()
}

#[test]
fn equations_of_formulas_have_the_same_roots_in_lanes_and_alone() {
    let mut count = 0;
    for formula in Library::shipped().iter() {
        if !formula.body.contains("solve ") {
            continue;
        }
        count += 1;
        let names: Vec<_> = formula.arguments.iter().map(|a| a.name.as_str()).collect();
        let call = format!("y = {}({})", formula.name, names.join(", "));
        let good = assert_same_in_lanes(&compile(&call), "y", &sweep(formula));
        assert!(good >= 1200, "{} {good}", formula.name);
    }
    assert!(count >= 26, "{count}");
}

#[test]
fn equations_of_every_operation_have_the_same_roots_in_lanes_and_alone() {
    let rows: Vec<Vec<f64>> = (-700..=700)
        .map(|at| vec![f64::from(at) / 100.0, f64::from(at % 7) / 2.0])
        .collect();
    for (text, least) in [
        ("solve y: y^3 + y = a near b", 1400),
        ("solve y: exp(y) + y = a near b", 1400),
        ("solve y: y / (1 + y^2) * 3 = sin(a) near a / 5", 900),
        ("solve y: sqrt(y) + ln(y) - 2 / y = a near 2 + b", 1400),
        (
            "solve y: y + 0.4 * cos(y) + 0.3 * sin(2 * y) = a near a",
            1400,
        ),
        // The start stands on the joint, on a tie and at a slope of 0 again and again.
        ("solve y: if(y < b, 2 * y - b, y) = a near b", 1400),
        (
            "solve y: if(y <= 1 or a > 3, y, 2 * y - 1) = a near 1",
            1400,
        ),
        ("solve y: y + min(y, b)^3 - max(y, b) / 3 = a near b", 1400),
        ("solve y: y^2 = a near b - 1", 600),
        ("solve y: (y - b)^2 * y = a near b", 1200),
        // No slope is written out for these.
        ("solve y: y + abs(y) / 2 = a near b", 1400),
        ("solve y: y + tanh(y) = a near b", 1400),
        ("solve y: y * (y^2 + 1)^0.3 = a near b", 1400),
        // Starts without a value, equations that do not bend, one after the other.
        ("solve y: y + exp(y) = a near ln(b - 1)", 400),
        ("solve y: 3 * y - b = a near 100", 1400),
        (
            "solve u: u + exp(u) = a near 0\nsolve v: v^3 + v * u = b + 2 near u\ny = u + v",
            900,
        ),
        ("solve u: u^3 + u = a\ny = if(b > 1, u, ln(b + u^2))", 1000),
    ] {
        let model = compile(&format!("# a, b\nz = a + b\n{text}"));
        assert_eq!(model.inputs(), ["a", "b"]);
        let good = assert_same_in_lanes(&model, "y", &rows);
        assert!(good >= least, "{text} {good}");
    }
}

#[test]
fn equations_are_statements_and_do_not_nest() {
    let model = compile("solve x: exp(x) + x = a near 0.5\nsolve y: y^3 = x\nz = x + y");
    assert_eq!(model.inputs(), ["a"]);
    assert_eq!(model.outputs(), ["x", "y", "z"]);
    assert_eq!(model.inputs_of("z").unwrap(), ["a"]);
    let formula = "name = 'root'\nversion = 1\ntitle = { en = 'A', zh = 'A' }\nsource = 's'\n\
                   arguments = [{ name = 't', unit = '1', min = 0.0, max = 1.0 }]\n\
                   result_unit = '1'\nbody = 'solve x: x^3 + x = t'\n";
    let library = Library::parse(&[("root.toml", formula)]).unwrap();
    assert!(Model::compile("y = root(a) + root(b)", &library).is_ok());
    let found = Model::compile("a = 1\nsolve z: root(z) = a", &library).unwrap_err();
    assert_eq!((found[0].line, found[0].column), (2, 7));
    assert!(found[0].message.contains("contains another equation"));
    for (body, part) in [
        ("y = complex(t, t)", "a complex quantity"),
        ("vector x[2]\\ny = t", "declares nothing"),
    ] {
        let wrong = formula.replace("'solve x: x^3 + x = t'", &format!("\"{body}\""));
        let found = Library::parse(&[("root.toml", &wrong)]).unwrap_err();
        assert!(found[0].message.contains(part), "{}", found[0]);
    }
    let taken = formula.replace("'root'", "'mean'");
    assert!(Library::parse(&[("root.toml", &taken)]).is_err());
}

#[test]
fn the_canonical_text_is_one_for_all_spellings() {
    for (text, wanted) in [
        ("y=((a))+ (b*c) # no", "y = a + b * c\n"),
        ("y = a+(b+c)-(d-e)", "y = a + (b + c) - (d - e)\n"),
        ("y = -(a^2)*(-b)", "y = -a^2 * -b\n"),
        ("y = -(a*b)/(c/d)", "y = -(a * b) / (c / d)\n"),
        ("y = (a^b)^(-c)^d", "y = (a^b)^(-c)^d\n"),
        ("y = (-a)^2 + +b", "y = (-a)^2 + b\n"),
        (
            "y = 1000000000 + .50 + 1E-7 + 0.001 + 1e3",
            "y = 1e9 + 0.5 + 1e-7 + 1e-3 + 1e3\n",
        ),
        (
            "y = if ((a≤b) or ((c>1) and (not (d<2))), 1, min(2,3,(4)))",
            "y = if(a <= b or c > 1 and not d < 2, 1, min(2, 3, 4))\n",
        ),
        (
            "y = if((a<b or c<d) and not(a<b and c<d), 1, 2)",
            "y = if((a < b or c < d) and not (a < b and c < d), 1, 2)\n",
        ),
        (
            "vector x[2],z[3]\n\n complex S,T\npolar U\ny = x[ 1 ] + S.re",
            "vector x[2]\nvector z[3]\ncomplex S\ncomplex T\npolar U\ny = x[1] + S.re\n",
        ),
        (
            "solve x : (x^2) = (2*a) near (a)\nsolve z: z = 2 near 1.0",
            "solve x: x^2 = 2 * a near a\nsolve z: z = 2\n",
        ),
    ] {
        let model = compile(text);
        assert_eq!(model.canonical(), wanted, "{text}");
        assert_eq!(compile(wanted).canonical(), wanted);
    }
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

#[test]
fn every_form_prints_in_both_notations() {
    for (text, typst, latex) in [
        (
            "y = if(a <= b and not c > 1, x, if(a > 2, -x, 0))",
            "y = cases(x &\"if\" a <= b \"and\" \"not\" c > 1, -x &\"if\" a > 2, 0 &\"otherwise\")",
            "y = \\begin{cases} x & \\text{if } a \\le b \\text{ and } \\text{not } c > 1 \\\\ \
             -x & \\text{if } a > 2 \\\\ 0 & \\text{otherwise} \\end{cases}",
        ),
        (
            "y = 2 * if(a < b, 1, 2)",
            "y = 2 dot.op (cases(1 &\"if\" a < b, 2 &\"otherwise\"))",
            "y = 2 \\cdot \\left(\\begin{cases} 1 & \\text{if } a < b \\\\ \
             2 & \\text{otherwise} \\end{cases}\\right)",
        ),
        (
            "vector x[2], w_r[2]\nm = mean(x) + w_r[2]\ns = sumsq(x) / 2 - sum(x - 1)\nd = 2 * dot(x, w_r)",
            "m = overline(x) + w_(r, 2) \\\n\
             s = frac(sum_i x_(i)^(2), 2) - op(\"sum\") (x - 1) \\\n\
             d = 2 dot.op (sum_i x_(i) dot.op w_(r, i))",
            "m = \\overline{x} + w_{r, 2} \\\\\n\
             s = \\frac{\\sum_i x_{i}^{2}}{2} - \\operatorname{sum}\\left(x - 1\\right) \\\\\n\
             d = 2 \\cdot \\left(\\sum_i x_{i} \\cdot w_{r, i}\\right)",
        ),
        (
            "complex S, T\nG_a = conj(S) * complex(1, b) + polar(2, phi + 1) * abs(T)\nr = S.re + im(G_a) + G_a.arg",
            "G_a = S^(*) dot.op (1 + upright(i) dot.op b) + 2 dot.op upright(e)^(upright(i) dot.op (phi + 1)) dot.op abs(T) \\\n\
             r = op(\"Re\") (S) + op(\"Im\") (G_a) + arg(G_a)",
            "G_{a} = S^{\\ast} \\cdot \\left(1 + \\mathrm{i} \\cdot b\\right) + 2 \\cdot \
             \\mathrm{e}^{\\mathrm{i} \\cdot \\left(\\phi + 1\\right)} \\cdot \\left|T\\right| \\\\\n\
             r = \\operatorname{Re}\\left(S\\right) + \\operatorname{Im}\\left(G_{a}\\right) + \\arg\\left(G_{a}\\right)",
        ),
        (
            "solve td: hardy_water(td) = e near t - 10",
            "\"hardy\"_\"water\" (\"td\") = e quad (\"solved for\" \"td\")",
            "\\mathrm{hardy}_{\\mathrm{water}}\\left(\\mathrm{td}\\right) = e \\quad (\\text{solved for } \\mathrm{td})",
        ),
        (
            "y = poly(t - 1, a, -b, 1.5e-12) * atan2(a, b)^2 + asin(x) - log10(温度)",
            "y = (a + (-b) dot.op (t - 1) + 1.5 dot.op 10^(-12) dot.op (t - 1)^(2)) dot.op op(\"atan2\") (a, b)^(2) + arcsin(x) - log_10(\"温度\")",
            "y = \\left(a + \\left(-b\\right) \\cdot \\left(t - 1\\right) + 1.5 \\cdot 10^{-12} \\cdot \
             \\left(t - 1\\right)^{2}\\right) \\cdot \\operatorname{atan2}\\left(a, b\\right)^{2} + \
             \\arcsin\\left(x\\right) - \\log_{10}\\left(\\text{温度}\\right)",
        ),
        (
            "y = sqrt(x) / exp(-x_1)",
            "y = frac(sqrt(x), exp(-x_\"1\"))",
            "y = \\frac{\\sqrt{x}}{\\exp\\left(-x_{\\mathrm{1}}\\right)}",
        ),
    ] {
        let model = compile(text);
        assert_eq!(model.to_typst(), typst, "{text}");
        assert_eq!(model.to_latex(), latex, "{text}");
    }
}
