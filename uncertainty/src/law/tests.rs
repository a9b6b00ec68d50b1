use proptest::prelude::*;
use statrs::distribution::{Beta, Continuous, ContinuousCDF, Discrete, DiscreteCDF};
use statrs::distribution::{Exp, Gamma, LogNormal, Poisson, StudentsT, Triangular, Uniform};

use super::continuous::Standard;
use super::quadrature::gauss;
use super::*;

fn law(input: &Input) -> Law {
    Law::new(input).unwrap()
}

fn with(value: f64, u: f64, distribution: Distribution) -> Input {
    Input {
        distribution,
        ..Input::normal("x", value, u)
    }
}

/// One of each continuous law, in standard form, with shapes from mild to extreme.
fn standards() -> Vec<Standard> {
    let mut all = vec![
        Standard::Normal,
        Standard::Arcsine,
        Standard::Exponential,
        Standard::LogNormal { sigma: 0.1 },
        Standard::LogNormal { sigma: 1.5 },
    ];
    all.extend([1.0, 2.5, 9.0, 300.0].map(|dof| Standard::Student { dof }));
    all.extend([0.0, 0.3, 1.0].map(|beta| Standard::Trapezoid { beta }));
    all.extend([1e-12, 1e-3, 0.4, 1.0].map(|ratio| Standard::Curvilinear { ratio }));
    all.extend([0.02, 0.5, 1.0, 3.7, 250.0, 1e5].map(|shape| Standard::Gamma { shape }));
    let shapes = [
        (0.5, 0.5),
        (0.05, 3.0),
        (1.0, 1.0),
        (2.0, 5.0),
        (400.0, 3.0),
        (3e4, 2e4),
    ];
    all.extend(shapes.map(|(alpha, beta)| Standard::Beta { alpha, beta }));
    all
}

/// Inputs with one of each law, away from 0.
fn inputs() -> Vec<Input> {
    let shapes = [
        Distribution::Normal,
        Distribution::StudentT,
        Distribution::StudentTSd,
        Distribution::Rectangular,
        Distribution::Triangular,
        Distribution::UShaped,
        Distribution::Trapezoidal { beta: 0.3 },
        Distribution::CurvilinearTrapezoid { ratio: 0.4 },
        Distribution::CurvilinearTrapezoid { ratio: 1.0 },
        Distribution::Exponential,
        Distribution::Gamma { shape: 0.6 },
        Distribution::Gamma { shape: 7.0 },
        Distribution::Beta {
            alpha: 0.7,
            beta: 3.0,
        },
        Distribution::LogNormal,
        Distribution::Poisson,
    ];
    let mut all: Vec<Input> = shapes
        .into_iter()
        .map(|shape| with(5.0, 2.0, shape).with_dof(9.5))
        .collect();
    all.push(Input::empirical("x", vec![3.0, 1.0, 2.5, 2.5, 7.0]));
    all.push(Input::discrete(
        "x",
        vec![4.0, -1.0, 2.0],
        vec![1.0, 2.0, 0.5],
    ));
    all
}

/// P, and x with P below and above it, found by mpmath 1.3 with 50 digits.
const GAMMA: [(f64, f64, f64, f64); 15] = [
    (0.25, 1e-16, 6.74969789311173e-65, 32.91107576270857),
    (0.25, 0.001, 6.749697893115375e-13, 4.376444257886687),
    (0.25, 0.4, 0.0175223873895771, 0.09420587354495596),
    (1.5, 1e-16, 2.60469853936616e-11, 38.80405102521304),
    (1.5, 0.001, 0.01214879290784637, 8.133118098119066),
    (1.5, 0.4, 0.9345842016943579, 1.473083036550975),
    (4.0, 1e-16, 0.0002213461825135292, 46.64209125895275),
    (4.0, 0.001, 0.428552413628423, 13.06224077918807),
    (4.0, 0.4, 3.211322780120958, 4.17526273387683),
    (60.5, 1e-16, 16.65972397800118, 148.17173102627126),
    (60.5, 0.001, 39.27821887817775, 87.40818073570337),
    (60.5, 0.4, 58.22408358384709, 62.15267752324097),
    (2000.0, 1e-16, 1654.179807986132, 2390.204464745911),
    (2000.0, 0.001, 1864.645358703467, 2141.053931192648),
    (2000.0, 0.4, 1988.359135748431, 2011.017006607951),
];

#[test]
fn gamma_quantiles_in_both_tails_against_mpmath() {
    for (shape, p, low, high) in GAMMA {
        let gamma = Standard::Gamma { shape };
        for (found, wanted) in [(gamma.lower(p), low), (gamma.upper(p), high)] {
            // ln x is known to about 1e-15/shape: the conditioning of the quantile.
            let tolerance = 2e-14 * (1.0 + 1.0 / shape);
            let error = (found / wanted - 1.0).abs();
            assert!(error < tolerance, "{shape} {p} {found} {wanted} {error:e}");
        }
    }
}

/// α, β, P, and x with P below and above it, by mpmath.
const BETA: [(f64, f64, f64, f64, f64); 15] = [
    (0.5, 0.5, 1e-16, 2.46740110027234e-32, 1.0),
    (0.5, 0.5, 0.001, 2.467399070916944e-06, 0.999997532600929),
    (0.5, 0.5, 0.4, 0.3454915028125263, 0.6545084971874737),
    (2.0, 5.0, 1e-16, 2.5819889063605e-09, 0.9995590374841345),
    (2.0, 5.0, 0.001, 0.008255492787746678, 0.818613866919134),
    (2.0, 5.0, 0.4, 0.2225835336154239, 0.3094444275453144),
    (0.3, 4.0, 1e-16, 8.842065761995682e-55, 0.9998312608121848),
    (0.3, 4.0, 0.001, 1.904965321002401e-11, 0.7134437015152071),
    (0.3, 4.0, 0.4, 0.00917480785539139, 0.03784421933710746),
    (40.0, 60.5, 1e-16, 0.09105197943590383, 0.7793979258391645),
    (40.0, 60.5, 0.001, 0.2559501593225368, 0.5514284602505368),
    (40.0, 60.5, 0.4, 0.384979979917017, 0.4097695516503064),
    (900.0, 1.5, 1e-16, 0.9578120743821171, 0.9999999999999711),
    (900.0, 1.5, 0.001, 0.9910063957567748, 0.9999865051799841),
    (900.0, 1.5, 0.4, 0.9983650334487995, 0.9989624000688464),
];

#[test]
fn beta_quantiles_in_both_tails_against_mpmath() {
    for (alpha, beta, p, low, high) in BETA {
        let law = Standard::Beta { alpha, beta };
        for (found, wanted) in [(law.lower(p), low), (law.upper(p), high)] {
            let tolerance = 2e-14 * (1.0 + 1.0 / alpha);
            let error = (found / wanted - 1.0).abs();
            assert!(error < tolerance, "{alpha} {beta} {p} {found} {wanted}");
        }
    }
}

#[test]
fn quantiles_and_tails_are_inverse_to_the_last_digits() {
    for standard in standards() {
        for p in [1e-300, 1e-100, 1e-16, 1e-8, 1e-3, 0.1, 0.3, 0.45, 0.5] {
            let (low, high) = (standard.lower(p), standard.upper(p));
            let below = |t| standard.tails(t).below;
            let above = |t| standard.tails(t).above;
            let student = matches!(standard, Standard::Student { .. });
            if (low.abs() < 1e-300 && p < 1e-3) || (student && p < 1e-200) {
                // Underflow of a law of tiny shape, or of the density of t.
                continue;
            }
            // What two units of the last digit of t can do, and 1e-12.
            for (t, tail) in [(low, &below as &dyn Fn(f64) -> f64), (high, &above)] {
                let near = 2.0 * f64::EPSILON * t.abs();
                let (one, other) = (tail(t - near), tail(t + near));
                let (least, most) = (one.min(other), one.max(other));
                assert!(
                    least * (1.0 - 1e-12) <= p && p <= most * (1.0 + 1e-12),
                    "{standard:?} {p:e} {t:e} {least:e} {most:e}"
                );
            }
        }
    }
}

#[test]
fn distribution_functions_agree_with_an_independent_implementation() {
    type Peer = (Input, Box<dyn Fn(f64) -> (f64, f64, f64)>);
    fn peer<T: ContinuousCDF<f64, f64> + Continuous<f64, f64> + 'static>(
        input: Input,
        law: T,
    ) -> Peer {
        (
            input,
            Box::new(move |x| (law.cdf(x), law.sf(x), law.pdf(x))),
        )
    }
    let third = 3_f64.sqrt();
    let sixth = 6_f64.sqrt();
    let (mu, sigma) = (0.4_f64, 0.6_f64);
    let mean = libm::exp(mu + 0.5 * sigma * sigma);
    let u = mean * libm::expm1(sigma * sigma).sqrt();
    let peers = vec![
        peer(
            with(1.0, 2.0, Distribution::Rectangular),
            Uniform::new(1.0 - 2.0 * third, 1.0 + 2.0 * third).unwrap(),
        ),
        peer(
            with(1.0, 2.0, Distribution::Triangular),
            Triangular::new(1.0 - 2.0 * sixth, 1.0 + 2.0 * sixth, 1.0).unwrap(),
        ),
        peer(
            Input::student("x", 1.0, 2.0, 4.5),
            StudentsT::new(1.0, 2.0, 4.5).unwrap(),
        ),
        peer(Input::exponential("x", 2.0), Exp::new(0.5).unwrap()),
        peer(
            with(4.0, 2.0, Distribution::Gamma { shape: 4.0 }),
            Gamma::new(4.0, 1.0).unwrap(),
        ),
        peer(
            Input::beta("x", [0.0, 1.0], 2.0, 5.0),
            Beta::new(2.0, 5.0).unwrap(),
        ),
        peer(
            with(mean, u, Distribution::LogNormal),
            LogNormal::new(mu, sigma).unwrap(),
        ),
    ];
    for (input, theirs) in peers {
        let ours = law(&input);
        for step in 1..400 {
            let x = ours.quantile(f64::from(step) / 400.0);
            let (cdf, survival, density) = theirs(x);
            // What statrs promises.
            assert!((ours.cdf(x) - cdf).abs() < 1e-9, "{input:?} {x}");
            assert!((ours.survival(x) - survival).abs() < 1e-9, "{input:?} {x}");
            let found = ours.density(x).unwrap();
            assert!((found / density - 1.0).abs() < 1e-9, "{input:?} {x}");
        }
    }
}

#[test]
fn counts_agree_with_an_independent_implementation() {
    for expected in [0.3, 3.5, 40.0, 2500.0_f64] {
        let peer = Poisson::new(expected).unwrap();
        // In units of 0.1: u²/value = 0.1.
        let input = with(0.1 * expected, 0.1 * expected.sqrt(), Distribution::Poisson);
        let ours = law(&input);
        let mut below = 0.0;
        for n in 0..60 {
            let x = 0.1 * n as f64;
            assert!((ours.cdf(x) - peer.cdf(n)).abs() < 1e-10, "{expected} {n}");
            below += peer.pmf(n);
            assert!((ours.cdf(x) - below).abs() < 1e-10, "{expected} {n}");
            assert!((ours.cdf(x + 0.09) - ours.cdf(x)).abs() == 0.0);
            let alone = ours.between([x, x]);
            assert!((alone - peer.pmf(n)).abs() < 1e-10, "{expected} {n}");
        }
        let Kind::Count { count, .. } = &ours.kind else {
            panic!()
        };
        for p in [1e-16, 1e-5, 0.2, 0.5, 0.9, 1.0 - 1e-9] {
            let n = count.quantile(p);
            assert!(count.up_to(n).below >= p && (n == 0.0 || count.up_to(n - 1.0).below < p));
            let n = count.upper_quantile(p);
            assert!(count.up_to(n).above <= p && (n == 0.0 || count.up_to(n - 1.0).above > p));
        }
    }
}

#[test]
fn points_step_where_they_stand() {
    let ours = law(&Input::empirical("x", (1..=10).map(f64::from).collect()));
    assert_eq!(ours.cdf(0.5), 0.0);
    assert_eq!(ours.cdf(3.0), 0.3);
    assert_eq!(ours.cdf(2.999), 0.2);
    assert_eq!(ours.survival(9.0), 0.1);
    for p in 1..=10 {
        assert_eq!(ours.quantile(f64::from(p) / 10.0), f64::from(p));
    }
    // Differences and sums of such fractions.
    assert!((ours.between([2.0, 4.0]) - 0.3).abs() < 1e-15);
    assert!((ours.outside([2.0, 4.0]) - 0.7).abs() < 1e-15);
    assert_eq!(ours.from_normal(-37.0), 1.0);
    assert_eq!(ours.from_normal(37.0), 10.0);
    // A value without weight never occurs; equal values add.
    let ours = law(&Input::discrete(
        "x",
        vec![9.0, 1.0, 2.0, 2.0],
        vec![0.0, 3.0, 1.0, 4.0],
    ));
    assert_eq!(ours.support(), [1.0, 2.0]);
    assert_eq!(ours.cdf(1.0), 0.375);
    assert_eq!(ours.quantile(0.376), 2.0);
}

#[test]
fn moments_are_those_of_the_input() {
    for input in inputs() {
        let law = law(&input);
        let (mean, sd) = (law.mean(), law.sd());
        let central =
            |k: i32| law.expectation(|x| (0..k).fold(1.0, |y, _| y * (x - mean) / sd), &[]);
        assert!((central(0) - 1.0).abs() < 1e-13, "{input:?}");
        assert!(central(1).abs() < 1e-12, "{input:?} {}", central(1));
        // The logarithmic pole in the centre of the curvilinear trapezoid costs digits.
        assert!((central(2) - 1.0).abs() < 1e-10, "{input:?} {}", central(2));
        let (skewness, kurtosis) = (law.skewness().unwrap(), law.excess_kurtosis().unwrap());
        assert!(
            (central(3) - skewness).abs() < 1e-9,
            "{input:?} {}",
            central(3)
        );
        let error = central(4) - 3.0 - kurtosis;
        assert!(error.abs() < 1e-7, "{input:?} {} {kurtosis}", central(4));
        let wanted = match input.distribution {
            Distribution::StudentT => 2.0 * (9.5_f64 / 7.5).sqrt(),
            _ => input.u,
        };
        assert!((sd / wanted - 1.0).abs() < 1e-15, "{input:?}");
        assert_eq!(mean, input.value);
    }
}

#[test]
fn densities_integrate_to_the_distribution_function() {
    for input in inputs() {
        let law = law(&input);
        if law.density(1.0).is_none() {
            continue;
        }
        for step in -30..30 {
            let z = 0.1 * f64::from(step);
            let (low, high) = (law.from_normal(z), law.from_normal(z + 0.1));
            let area = gauss(low, high).fold(0.0, |sum, (x, weight)| {
                sum + weight * law.density(x).unwrap()
            });
            let wanted = law.between([low, high]);
            // Panels that meet a corner or the pole at the centre lose digits.
            assert!(
                (area - wanted).abs() < 3e-5,
                "{input:?} {z} {area} {wanted}"
            );
            if z < -2.0 {
                assert!(
                    (area / wanted - 1.0).abs() < 1e-9,
                    "{input:?} {z} {area} {wanted}"
                );
            }
        }
    }
}

#[test]
fn normal_deviates_and_probabilities_lead_to_the_same_values() {
    for input in inputs() {
        let law = law(&input);
        let [low, high] = law.support();
        let mut before = low;
        for step in -80..=80 {
            // Off the jumps of the discrete laws.
            let z = 0.1 * f64::from(step) + 0.013;
            let x = law.from_normal(z);
            assert!(before <= x && x <= high, "{input:?} {z} {x}");
            before = x;
            let by_probability = law.quantile(normal::cdf(z));
            // Above, Φ(z) near 1 has no digits left: that is why `from_normal` exists.
            if z < 2.0 {
                let near = 1e-12 * (x.abs() + law.sd());
                assert!((x - by_probability).abs() < near, "{input:?} {z} {x}");
            }
        }
        for z in [-40.0, -37.0, 37.0, 40.0] {
            let x = law.from_normal(z);
            assert!(!x.is_nan() && low <= x && x <= high, "{input:?} {z} {x}");
        }
        assert_eq!(law.quantile(0.0), low);
        assert_eq!(law.quantile(1.0), high);
    }
}

#[test]
fn the_curvilinear_trapezoid_ends_in_the_rectangle() {
    let sharp = law(&Input::curvilinear_trapezoid("x", 0.0, 50.0, 0.0));
    let rectangle = law(&Input::rectangular("x", 0.0, 50.0));
    for step in -55..=55 {
        let x = f64::from(step);
        assert!((sharp.cdf(x) - rectangle.cdf(x)).abs() < 1e-15);
    }
    let blunt = law(&Input::curvilinear_trapezoid("x", 10.0, 50.0, 25.0));
    assert_eq!(blunt.support(), [10.0 - 75.0, 10.0 + 75.0]);
    // The density of 6.4.3.2 in the middle: ln((w + d)/(w − d))/(4d).
    let wanted = libm::log(3.0) / 100.0;
    assert!((blunt.density(10.0).unwrap() / wanted - 1.0).abs() < 1e-14);
}

#[test]
fn densities_at_the_ends_are_limits_and_never_nan() {
    let gamma = |shape| Standard::Gamma { shape }.density(0.0);
    assert_eq!(
        (gamma(0.5), gamma(1.0), gamma(2.0)),
        (f64::INFINITY, 1.0, 0.0)
    );
    let beta = |alpha, beta| Standard::Beta { alpha, beta };
    assert_eq!(beta(1.0, 1.0).density(0.0), 1.0);
    assert_eq!(beta(0.5, 2.0).density(0.0), f64::INFINITY);
    assert_eq!(beta(2.0, 0.5).density(1.0), f64::INFINITY);
    for standard in standards() {
        for t in [-1.5, -1.0, 0.0, 1.0, 2.5, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(standard.density(t) >= 0.0, "{standard:?} {t}");
            let tails = standard.tails(t);
            assert!(
                (tails.below + tails.above - 1.0).abs() < 1e-12,
                "{standard:?} {t}"
            );
        }
    }
}

#[test]
fn laws_without_moments_say_so() {
    let t = |dof| law(&Input::student("x", 1.0, 2.0, dof));
    assert_eq!((t(1.0).mean(), t(1.0).sd()), (1.0, f64::INFINITY));
    assert_eq!((t(2.0).skewness(), t(2.0).excess_kurtosis()), (None, None));
    assert_eq!(t(3.5).excess_kurtosis(), Some(f64::INFINITY));
    // Cauchy: closed form.
    let quartile = t(1.0).quantile(0.75);
    assert!((quartile - 3.0).abs() < 1e-14, "{quartile}");
}

#[test]
fn no_uncertainty_makes_a_constant_of_every_law() {
    let constant = law(&Input::constant("x", 3.0));
    for shape in [Distribution::Gamma { shape: 2.0 }, Distribution::Poisson] {
        assert_eq!(law(&with(3.0, 0.0, shape)), constant);
    }
    assert_eq!((constant.cdf(2.9), constant.cdf(3.0)), (0.0, 1.0));
    assert_eq!(constant.from_normal(1.0), 3.0);
    assert_eq!(constant.between([3.0, 3.0]), 1.0);
    assert_eq!((constant.sd(), constant.density(3.0)), (0.0, None));
}

#[test]
fn numbers_that_leave_the_range_are_refused() {
    for input in [
        with(1e-300, 1e10, Distribution::LogNormal),
        with(1e-150, 1e10, Distribution::Poisson),
        with(0.0, 1.0, Distribution::Gamma { shape: 1e-310 }),
        with(
            0.0,
            1.0,
            Distribution::Beta {
                alpha: 1e-200,
                beta: 1.0,
            },
        ),
        with(f64::NAN, 1.0, Distribution::Normal),
        with(0.0, -1.0, Distribution::Rectangular),
        with(0.0, 1e300, Distribution::Gamma { shape: 1e-300 }),
        Input::student("x", 0.0, 1.0, 0.0),
    ] {
        assert!(Law::new(&input).is_err(), "{input:?}");
    }
}

fn any_law() -> impl Strategy<Value = Distribution> {
    let shape = (-3.0..6.0).prop_map(|exponent: f64| libm::pow(10.0, exponent));
    (0..8, shape.clone(), shape, 0.0..=1.0).prop_map(|(kind, a, b, ratio)| match kind {
        0 => Distribution::StudentT,
        1 => Distribution::Gamma { shape: a },
        2 => Distribution::Beta { alpha: a, beta: b },
        3 => Distribution::Trapezoidal { beta: ratio },
        4 => Distribution::CurvilinearTrapezoid { ratio },
        5 => Distribution::LogNormal,
        6 => Distribution::Poisson,
        _ => Distribution::Exponential,
    })
}

proptest! {
    #[test]
    fn every_law_leads_back_to_its_probability(
        shape in any_law(),
        exponent in -6.0..6.0_f64,
        dof in 0.5..1e5_f64,
        z in -8.0..8.0_f64,
    ) {
        let u = libm::pow(10.0, exponent);
        let law = law(&with(1.0, u, shape.clone()).with_dof(dof));
        let [low, high] = law.support();
        let x = law.from_normal(z);
        prop_assert!(low <= x && x <= high, "{x}");
        let (before, up_to) = (law.before(x), law.up_to(x));
        prop_assert!((up_to.below + up_to.above - 1.0).abs() < 1e-12);
        // The probabilities at what rounding of origin, scale and x makes of x enclose the
        // wanted one; so do the two sides of a step.
        let ends = [low, high].into_iter().filter(|end| end.is_finite());
        let size = ends.fold(x.abs() + 10.0 * u, |size, end| size.max(end.abs()));
        let near = 4.0 * f64::EPSILON * size;
        let least = before.below.min(law.cdf(x - near));
        let most = up_to.below.max(law.cdf(x + near));
        let p = normal::cdf(z);
        prop_assert!(least <= p * (1.0 + 1e-11) && p * (1.0 - 1e-11) <= most, "{least} {p} {most}");
    }
}

mod copula {
    use super::*;

    fn rectangle() -> Law {
        law(&Input::rectangular("x", 5.0, 0.1))
    }

    fn coin(value: f64) -> Law {
        law(&Input::discrete(
            "x",
            vec![value, value + 2.0],
            vec![1.0; 2],
        ))
    }

    #[test]
    fn closed_forms() {
        let normal = law(&Input::normal("x", 1.0, 2.0));
        let log_normal = |sigma: f64| {
            let u = libm::expm1(sigma * sigma).sqrt();
            law(&with(1.0, u, Distribution::LogNormal))
        };
        let (a, b) = (0.5_f64, 0.8_f64);
        let scale = libm::expm1(a * a).sqrt() * libm::expm1(b * b).sqrt();
        let pi = std::f64::consts::PI;
        for r in [-0.6, -0.3, -1e-3, 0.0, 1e-3, 0.5, 0.7] {
            let found = |a: &Law, b: &Law| pearson_to_normal(a, b, r).unwrap();
            assert_eq!(found(&normal, &normal), r);
            // K. Pearson 1907.
            let wanted = 2.0 * libm::sin(pi * r / 6.0);
            let rho = found(&rectangle(), &rectangle());
            assert!((rho - wanted).abs() < 1e-9, "{r} {rho} {wanted}");
            // Φ(Z) has correlation √(3/π) with Z.
            let rho = found(&normal, &rectangle());
            assert!((rho - r / (3.0 / pi).sqrt()).abs() < 1e-9, "{r} {rho}");
            // A step at the median has correlation √(2/π) with Z; two of them, 2/π·asin ρ.
            if r.abs() < 0.7 {
                let rho = found(&coin(1.0), &normal);
                assert!((rho - r / (2.0 / pi).sqrt()).abs() < 1e-9, "{r} {rho}");
            }
            let rho = found(&coin(3.0), &coin(-7.0));
            assert!((rho - libm::sin(0.5 * pi * r)).abs() < 1e-12, "{r} {rho}");
            let rho = found(&log_normal(a), &log_normal(b));
            let wanted = libm::log1p(r * scale) / (a * b);
            assert!((rho - wanted).abs() < 1e-8, "{r} {rho} {wanted}");
        }
        assert_eq!(pearson_to_normal(&rectangle(), &rectangle(), 1.0), Ok(1.0));
        assert_eq!(pearson_to_normal(&coin(0.0), &coin(0.0), -1.0), Ok(-1.0));
        assert_eq!((rank_to_normal(1.0), rank_to_normal(0.0)), (1.0, 0.0));
    }

    /// Pearson's r of two laws under ρ, by brute force: Gauss panels in both deviates.
    fn pearson(a: &Law, b: &Law, rho: f64) -> f64 {
        let nodes: Vec<(f64, f64)> = (-36..36)
            .flat_map(|step| gauss(0.25 * f64::from(step), 0.25 * f64::from(step + 1)))
            .map(|(z, weight)| (z, weight * normal::density(z)))
            .collect();
        let standardised = |law: &Law, z| (law.from_normal(z) - law.mean()) / law.sd();
        let rest = ((1.0 - rho) * (1.0 + rho)).sqrt();
        // The second deviate on a table of b would hide its own errors: each value is exact.
        let coarse: Vec<(f64, f64)> = (-18..18)
            .flat_map(|step| gauss(0.5 * f64::from(step), 0.5 * f64::from(step + 1)))
            .map(|(z, weight)| (z, weight * normal::density(z)))
            .collect();
        nodes.iter().fold(0.0, |sum, (z, weight)| {
            let inner = coarse.iter().fold(0.0, |sum, (w, weight)| {
                sum + weight * standardised(b, rho * z + rest * w)
            });
            sum + weight * standardised(a, *z) * inner
        })
    }

    #[test]
    fn skew_and_bounded_laws_by_brute_force() {
        let gamma = law(&with(2.0, 1.0, Distribution::Gamma { shape: 0.8 }));
        let arcsine = law(&Input::u_shaped("x", 0.0, 1.0));
        let exponential = law(&Input::exponential("x", 3.0));
        let student = law(&Input::student("x", 0.0, 1.0, 6.0));
        for (a, b, r) in [
            (&gamma, &arcsine, 0.6),
            (&gamma, &exponential, -0.4),
            (&exponential, &exponential, 0.9),
            (&student, &arcsine, -0.5),
        ] {
            let rho = pearson_to_normal(a, b, r).unwrap();
            let back = pearson(a, b, rho);
            assert!((back - r).abs() < ACCURACY, "{a:?} {b:?} {r} {rho} {back}");
        }
    }

    /// The accuracy that is promised.
    const ACCURACY: f64 = 1e-6;

    #[test]
    fn both_ways_for_discrete_laws_agree() {
        // 10 × 10 values are summed in pairs, 200 × 200 by expansions; the same values
        // repeated twenty times have the same law.
        let values: Vec<f64> = (0..10).map(|n| f64::from(n * n)).collect();
        let few = law(&Input::empirical("x", values.clone()));
        let many = law(&Input::empirical("x", values.repeat(20)));
        let count = law(&with(4.0, 2.0, Distribution::Poisson));
        for r in [-0.7, -0.2, 0.4, 0.85] {
            let by_pairs = pearson_to_normal(&few, &few, r).unwrap();
            let by_expansions = pearson_to_normal(&many, &many, r).unwrap();
            assert!(
                (by_pairs - by_expansions).abs() < 3e-6,
                "{r} {by_pairs} {by_expansions}"
            );
            // A count with itself: r = 1 at ρ = 1, less in between.
            let rho = pearson_to_normal(&count, &count, r).unwrap();
            assert!(rho.abs() > r.abs() && rho.abs() < 1.0, "{r} {rho}");
        }
    }

    #[test]
    fn extreme_shapes_are_solved_or_refused() {
        let steep = |shape| law(&with(2.0, 1.0, shape));
        let laws = [
            steep(Distribution::Gamma { shape: 0.05 }),
            steep(Distribution::Gamma { shape: 0.005 }),
            steep(Distribution::Beta {
                alpha: 0.05,
                beta: 0.02,
            }),
            law(&with(1.0, 8.0, Distribution::LogNormal)),
            law(&Input::student("x", 0.0, 1.0, 2.2)),
            law(&with(1.0, 5.0, Distribution::Poisson)),
            law(&Input::normal("x", 0.0, 1.0)),
        ];
        let mut solved = 0;
        for a in &laws {
            for b in &laws {
                match pearson_to_normal(a, b, 0.04) {
                    Ok(rho) => {
                        solved += 1;
                        assert!((0.0399..0.9).contains(&rho), "{a:?} {b:?} {rho}");
                    }
                    Err(CopulaError::Unresolved { error, .. }) => {
                        println!("{a:?} {b:?} {error}");
                        assert!(error > ACCURACY);
                    }
                    Err(other) => panic!("{a:?} {b:?} {other}"),
                }
            }
        }
        // All but those that no quadrature of this size resolves.
        assert!(solved >= 45, "{solved}");
    }

    #[test]
    fn what_cannot_be_attained_is_refused_with_its_bounds() {
        let exponential = law(&Input::exponential("x", 3.0));
        let Err(CopulaError::NotAttainable { low, high, .. }) =
            pearson_to_normal(&exponential, &exponential, -0.9)
        else {
            panic!()
        };
        // Closed form: 1 − π²/6.
        let wanted = 1.0 - std::f64::consts::PI * std::f64::consts::PI / 6.0;
        assert!(
            (low - wanted).abs() < 1e-6 && (high - 1.0).abs() < 1e-6,
            "{low} {high}"
        );
        let coin = coin(0.0);
        let lopsided = law(&Input::discrete("x", vec![0.0, 1.0], vec![1.0, 9.0]));
        let Err(CopulaError::NotAttainable { high, .. }) = pearson_to_normal(&coin, &lopsided, 0.9)
        else {
            panic!()
        };
        // Two steps of probabilities ½ and 1/10: (1/10 − 1/20)/√(1/4·9/100).
        assert!((high - 1.0 / 3.0).abs() < 1e-6, "{high}");
        let heavy = law(&Input::student("x", 0.0, 1.0, 2.0));
        assert_eq!(
            pearson_to_normal(&heavy, &coin, 0.1),
            Err(CopulaError::NoVariance)
        );
        assert!(pearson_to_normal(&coin, &coin, f64::NAN).is_err());
        assert!(pearson_to_normal(&coin, &coin, 1.1).is_err());
        let constant = law(&Input::constant("x", 1.0));
        assert_eq!(pearson_to_normal(&constant, &coin, 0.3), Ok(0.3));
    }
}

#[test]
fn tables_follow_the_exact_quantile() {
    for input in inputs() {
        let law = law(&input);
        let table = LawTable::new(law.clone());
        for step in -2500..2500 {
            let z = 0.0034 * f64::from(step) + 0.0011;
            let (exact, found) = (law.from_normal(z), table.from_normal(z));
            let size = law.sd().max((exact - law.mean()).abs());
            let error = (found - exact).abs() / size;
            assert!(error < 1e-7, "{input:?} {z} {found} {exact} {error:e}");
        }
        for z in [-37.0, -8.5, 8.5, 37.0] {
            assert_eq!(table.from_normal(z), law.from_normal(z));
        }
    }
}
