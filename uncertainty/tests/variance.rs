//! Series, analysis of variance, studies of measurement systems and precision experiments
//! against published and certified values. Figures called computed come from numpy, scipy
//! 1.17.1 and statsmodels 0.15.0.

use heng_uncertainty::{
    AnovaError, AutocorrelationError, Effects, Nested, OneWay, PoolError, Source,
    StabilityEvidence, StandardError, Standing, StudyError, autocorrelated, autocorrelation,
    bias_study, crossed, f_upper_tail, gauge_study, gauge_study_nested, nested, one_way, pooled,
    precision, sigma_from_precision, standard_repeatability, standard_stability, type_a,
};
use proptest::prelude::*;

fn text(path: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/");
    std::fs::read_to_string(format!("{folder}{path}")).unwrap()
}

/// Rows of numbers below the heading of a file of Dataplot or of NIST StRD.
fn rows(path: &str) -> Vec<Vec<f64>> {
    let text = text(path);
    let is_heading = |line: &&str| line.starts_with("Data:") || line.trim().starts_with("-----");
    let below = text.lines().rev().take_while(|line| !is_heading(line));
    let numbers = below.filter_map(|line| {
        let words = line.split_whitespace().map(str::parse::<f64>);
        words.collect::<Result<Vec<_>, _>>().ok()
    });
    let mut rows: Vec<_> = numbers.filter(|row| !row.is_empty()).collect();
    rows.reverse();
    rows
}

fn column(path: &str, at: usize) -> Vec<f64> {
    rows(path).iter().map(|row| row[at]).collect()
}

/// Groups of `value` that agree in the columns `keys`, in order of appearance.
fn grouped(rows: &[Vec<f64>], keys: &[usize], value: usize) -> Vec<Vec<f64>> {
    let mut groups: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    for row in rows {
        let key: Vec<f64> = keys.iter().map(|&at| row[at]).collect();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(row[value]),
            None => groups.push((key, vec![row[value]])),
        }
    }
    groups.into_iter().map(|(_, values)| values).collect()
}

/// Cells `[first][second]` of groups in which the second key turns fastest.
fn cells(groups: &[Vec<f64>], second: usize) -> Vec<Vec<Vec<f64>>> {
    groups.chunks(second).map(<[Vec<f64>]>::to_vec).collect()
}

fn near(found: f64, wanted: f64, relative: f64) {
    let difference = (found - wanted).abs();
    assert!(
        difference <= relative * wanted.abs(),
        "{found} is not {wanted}"
    );
}

/// Number of digits in which two numbers agree, at most 15 as the certified values.
fn lre(found: f64, certified: f64) -> f64 {
    if found == certified {
        return 15.0;
    }
    (-libm::log10((found - certified).abs() / certified.abs())).min(15.0)
}

/// A centre and two values in turn, as in the sets NumAcc2 to NumAcc4.
fn alternating(whole: u32) -> Vec<f64> {
    let number = |tenth: u8| format!("{whole}.{tenth}").parse().unwrap();
    let pairs = (0..500).flat_map(|_| [number(1), number(3)]);
    std::iter::once(number(2)).chain(pairs).collect()
}

#[test]
fn univariate_sets_of_nist_have_their_certified_digits() {
    let dataplot = |name: &str| -> Vec<f64> { rows(&format!("nist-dataplot/{name}.DAT")).concat() };
    // Certified mean, standard deviation and lag-1 autocorrelation; floors of the LRE. What
    // exact arithmetic makes of the binary readings: NumAcc3 15.0, 9.5, 12.2; NumAcc4 15.0,
    // 8.3, 11.0; Mavro 15.0, 13.1, 13.9; Michelso 15.0, 13.8, 13.4; the others above 14.7.
    for (name, series, certified, floors) in [
        (
            "Lottery",
            rows("nist-strd/Lottery.dat").concat(),
            [518.958715596330, 291.699727470969, -0.120948622967393],
            [14.9, 14.4, 14.4],
        ),
        (
            "Lew",
            dataplot("LEW"),
            [-177.435, 277.332168044316, -0.307304800605679],
            [14.9, 14.4, 14.4],
        ),
        (
            "Mavro",
            dataplot("MAVRO"),
            [2.001856, 0.000429123454003053, 0.937989183438248],
            [14.9, 13.0, 13.7],
        ),
        (
            "Michelso",
            column("nist-dataplot/MICHELSO.DAT", 0),
            [299.8524, 0.0790105478190518, 0.535199668621283],
            [14.9, 13.6, 13.2],
        ),
        (
            "NumAcc1",
            vec![10000001.0, 10000003.0, 10000002.0],
            [10000002.0, 1.0, -0.5],
            [15.0, 15.0, 15.0],
        ),
        (
            "NumAcc2",
            alternating(1),
            [1.2, 0.1, -0.999],
            [14.9, 14.9, 14.9],
        ),
        (
            "NumAcc3",
            alternating(1_000_000),
            [1000000.2, 0.1, -0.999],
            [14.9, 9.4, 11.8],
        ),
        (
            "NumAcc4",
            alternating(10_000_000),
            [10000000.2, 0.1, -0.999],
            [14.9, 8.2, 10.6],
        ),
    ] {
        let found = type_a(&series).unwrap();
        let digits = [
            lre(found.mean, certified[0]),
            lre(found.s, certified[1]),
            lre(found.lag1.unwrap(), certified[2]),
        ];
        println!(
            "{name}: mean {:.1}, s {:.1}, r1 {:.1}",
            digits[0], digits[1], digits[2]
        );
        assert!(
            digits.iter().zip(floors).all(|(lre, floor)| *lre >= floor),
            "{name} {digits:?}"
        );
    }
}

/// The groups of Simon and Lesage: a centre, then a tenth less and a tenth more in turn.
fn simon_lesage(whole: u64, replicates: usize) -> Vec<Vec<f64>> {
    let number = |tenth: u8| format!("{whole}.{tenth}").parse().unwrap();
    [4, 3, 5, 3, 5, 3, 5, 3, 5]
        .map(|centre: u8| {
            let turns = [number(centre - 1), number(centre + 1)].into_iter().cycle();
            std::iter::once(number(centre))
                .chain(turns)
                .take(replicates)
                .collect()
        })
        .to_vec()
}

fn digits(found: &OneWay, certified: [f64; 3]) -> [f64; 3] {
    [
        lre(found.between.test.as_ref().unwrap().f, certified[0]),
        lre(found.between.sum_of_squares, certified[1]),
        lre(found.within.sum_of_squares, certified[2]),
    ]
}

#[test]
fn anova_sets_of_nist_have_the_digits_that_binary_readings_leave() {
    // Certified F and sums of squares between and within, and what exact arithmetic (Python's
    // fractions) makes of the readings as binary numbers.
    let small = [
        [21.0, 1.68, 1.8],
        [201.0, 16.08, 18.0],
        [2001.0, 160.08, 180.0],
    ];
    let exact = [
        [21.0, 1.680000000000001, 1.800000000000001],
        [201.00000000000003, 16.08000000000001, 18.00000000000001],
        [2001.0000000000002, 160.0800000000001, 180.00000000000009],
        [21.0000000007761, 1.6800000001490116, 1.8000000000931322],
        [201.00000001241764, 16.080000001825393, 18.000000000931323],
        [2001.0000001288329, 160.0800000185892, 180.00000000931323],
        [21.00081188781877, 1.6801562694014696, 1.8000978373345875],
        [201.01300409594845, 16.081914284204238, 18.00097824625708],
        [2001.1349262209505, 160.09949443572512, 180.00978232919425],
    ];
    let floors = [14.4, 14.4, 14.4, 9.9, 9.9, 9.9, 3.9, 3.9, 3.9];
    for (set, exact) in exact.iter().enumerate() {
        let whole = [1, 1_000_000, 1_000_000_000_000][set / 3];
        let found = one_way(&simon_lesage(whole, [21, 201, 2001][set % 3])).unwrap();
        let [f, between, within] = digits(&found, small[set % 3]);
        println!(
            "SmLs0{}: F {f:.1}, between {between:.1}, within {within:.1}",
            set + 1
        );
        assert!(
            f.min(between).min(within) >= floors[set],
            "{f} {between} {within}"
        );
        let lost = digits(&found, *exact);
        assert!(
            lost.iter().all(|lre| *lre >= 13.5),
            "SmLs0{}: {lost:?}",
            set + 1
        );
    }
    for (name, certified, exact, floor) in [
        (
            "SiRstv",
            [1.18046237440255, 0.0511462616, 0.21663656],
            [1.1804623744024467, 0.05114626159999952, 0.2166365600000165],
            12.9,
        ),
        (
            "AtmWtAg",
            [15.946733567793, 3.638341875e-9, 1.04951729166667e-8],
            [
                15.946733566676926,
                3.6383418747907132e-9,
                1.049517291679747e-8,
            ],
            10.0,
        ),
    ] {
        let found = one_way(&grouped(&rows(&format!("nist-strd/{name}.dat")), &[0], 1)).unwrap();
        let [f, between, within] = digits(&found, certified);
        println!("{name}: F {f:.1}, between {between:.1}, within {within:.1}");
        assert!(
            f.min(between).min(within) >= floor,
            "{name} {f} {between} {within}"
        );
        let lost = digits(&found, exact);
        assert!(lost.iter().all(|lre| *lre >= 13.0), "{name} {lost:?}");
    }
}

#[test]
fn tails_of_f() {
    // Computed: scipy.stats.f.sf.
    for (f, above, below, p) in [
        (2.25, 9.0, 40.0, 0.038318870739316606),
        (6.612, 2.0, 53.0, 0.002731506286802371),
        (0.434, 18.0, 60.0, 0.9740208028890078),
        (0.001, 3.5, 7.2, 0.9999890509250429),
        (150.0, 1.0, 1.0, 0.051864735965384774),
        (40.0, 30.0, 2000.5, 1.0517194441498768e-179),
    ] {
        near(f_upper_tail(f, above, below), p, 1e-11);
    }
    assert_eq!(f_upper_tail(0.0, 2.0, 3.0), 1.0);
    assert_eq!(f_upper_tail(f64::INFINITY, 2.0, 3.0), 0.0);
    assert!(f_upper_tail(1.0, 0.0, 3.0).is_nan());
}

#[test]
fn readings_that_follow_each_other_count_for_fewer() {
    let series = |name: &str| rows(&format!("nist-dataplot/{name}.DAT")).concat();
    // Computed with statsmodels' acf: r₁, last lag above 2/√n, effective number.
    for (series, r1, cutoff, effective) in [
        (series("MAVRO"), 0.9379891834382404, 7, 5.334179462171257),
        (series("SOULEN"), 0.3148023327561909, 23, 58.96804645738294),
        (series("LEW"), -0.3073048006056794, 8, 200.0),
        (series("ZARR13"), 0.2805783505266228, 2, 100.24834049937894),
        (
            column("nist-dataplot/100OHM.DAT", 10),
            -0.06365666861616781,
            0,
            25.0,
        ),
        (
            column("nist-dataplot/MICHELSO.DAT", 0),
            0.5351996686212634,
            1,
            48.550869572828766,
        ),
    ] {
        let found = autocorrelated(&series).unwrap();
        near(found.autocorrelation[0], r1, 1e-11);
        assert_eq!(found.cutoff, cutoff);
        near(found.n_effective, effective, 1e-10);
        near(found.u, found.s / effective.sqrt(), 1e-10);
        near(found.dof, effective - 1.0, 1e-10);
        assert_eq!(found.autocorrelation.len(), series.len() / 4);
    }
    let mavro = autocorrelated(&series("MAVRO")).unwrap();
    assert!(mavro.u > 3.0 * mavro.s / 50.0_f64.sqrt());
    // All lags of deviations from the mean: 1 + 2Σr = 0, for any series.
    let all = autocorrelation(&series("MAVRO"), 1000).unwrap();
    assert_eq!(all.len(), 49);
    assert!((1.0 + 2.0 * all.iter().fold(0.0, |sum, r| sum + r)).abs() < 1e-10);
}

#[test]
fn pooled_standard_deviation_of_the_gauge_study() {
    // Computed with numpy from MPC61: short-term and day-to-day scatter (half a printed digit).
    let data = rows("nist-dataplot/MPC61.DAT");
    let short: Vec<_> = data.iter().map(|row| (row[8], 5.0)).collect();
    let found = pooled(&short).unwrap();
    assert!(
        (found.s - 0.107391).abs() <= 5e-7 && found.dof == 1500.0,
        "{found:?}"
    );
    let days = grouped(&data, &[0, 1, 2], 7);
    let days = days.iter().map(|day| type_a(day).unwrap());
    let found = pooled(&days.map(|day| (day.s, day.dof)).collect::<Vec<_>>()).unwrap();
    assert!(
        (found.s - 0.046702).abs() <= 5e-7 && found.dof == 250.0,
        "{found:?}"
    );
    // 25 check-standard values of six readings (MPC62).
    let check: Vec<_> = column("nist-dataplot/MPC62.DAT", 11);
    let found = pooled(&check.iter().map(|&s| (s, 5.0)).collect::<Vec<_>>()).unwrap();
    near(found.s, 0.061387946699657574, 1e-13);
    assert_eq!(found.dof, 125.0);
}

#[test]
fn gears_differ_between_batches() {
    // NIST/SEMATECH e-Handbook, 1.3.5.4: F 2.2969, sums of squares 0.000729 and 0.003174.
    let found = one_way(&grouped(&rows("nist-dataplot/GEAR.DAT"), &[1], 0)).unwrap();
    let test = found.between.test.as_ref().unwrap();
    assert!((test.f - 2.2969).abs() < 5e-5);
    assert!((found.between.sum_of_squares - 0.000729).abs() < 5e-7);
    near(found.within.sum_of_squares, 0.003174, 1e-12);
    near(test.p, 0.0226608192786, 1e-11);
    near(
        found.component_between.variance,
        (8.10044444444e-5 - 3.52666666667e-5) / 10.0,
        1e-10,
    );
    // Unbalanced, computed with scipy.stats.f_oneway; the wafers of MPC536, of 5 or 6 readings.
    let groups = [
        vec![1.0, 1.2, 0.9],
        vec![2.1, 2.3],
        vec![1.5, 1.4, 1.6, 1.8],
    ];
    let test = one_way(&groups).unwrap().between.test.unwrap();
    near(test.f, 32.027027027027046, 1e-13);
    near(test.p, 0.0006282810078811654, 1e-11);
    let wafers = grouped(&rows("nist-dataplot/MPC536.DAT"), &[0], 3);
    let found = one_way(&wafers).unwrap();
    near(
        found.between.test.as_ref().unwrap().f,
        0.0909520615525768,
        1e-11,
    );
    near(
        found.between.test.as_ref().unwrap().p,
        0.9844095795447295,
        1e-11,
    );
    assert!(found.component_between.estimate < 0.0);
    assert_eq!(
        (
            found.component_between.variance,
            found.component_between.dof
        ),
        (0.0, None)
    );
}

fn furnace() -> Nested {
    let groups = grouped(&rows("nist-dataplot/FURNACE.DAT"), &[0, 1], 3);
    nested(&cells(&groups, 4)).unwrap()
}

#[test]
fn components_of_the_furnace() {
    // NIST/SEMATECH e-Handbook, 3.5.1.4: half a unit of the last digit printed.
    let found = furnace();
    let (outer, inner) = (
        found.outer.test.as_ref().unwrap(),
        found.inner.test.as_ref().unwrap(),
    );
    assert!((found.outer.sum_of_squares - 61442.29).abs() <= 5e-3);
    assert!((found.inner.sum_of_squares - 36014.5).abs() <= 5e-2);
    assert!((outer.f - 5.37404).abs() <= 5e-6 && (inner.f - 4.72864).abs() <= 5e-6);
    assert!((outer.p - 1e-7).abs() <= 5e-8 && (inner.p - 3.85e-11).abs() <= 5e-14);
    assert!((found.component_outer.variance - 312.55694).abs() <= 5e-6);
    assert!((found.component_inner.variance - 225.38294).abs() <= 5e-6);
    assert!((found.component_within.variance - 120.89286).abs() <= 5e-6);
    assert_eq!(found.component_within.dof, Some(84.0));
    near(
        found.mean_of_groups.u,
        (found.outer.mean_square / 168.0).sqrt(),
        1e-12,
    );
}

#[test]
fn unbalanced_groups_in_groups_have_their_expected_mean_squares() {
    // Computed: mean squares by projection matrices, components by traces (numpy).
    let found = nested(&[
        vec![vec![9.535, 9.402, 9.661], vec![11.228, 11.515]],
        vec![vec![11.849, 12.389, 12.109, 11.943]],
        vec![
            vec![9.733, 9.995],
            vec![11.246, 11.104],
            vec![11.672, 11.529, 9.67, 10.081, 10.938],
        ],
    ])
    .unwrap();
    near(found.outer.mean_square, 3.989930794444423, 1e-12);
    near(found.inner.mean_square, 1.9749281740740818, 1e-12);
    near(found.within.mean_square, 0.2824728472222315, 1e-12);
    near(found.component_outer.estimate, 0.26160107, 2e-8);
    near(found.component_inner.estimate, 0.65655595, 2e-8);
}

#[test]
fn two_crossed_factors() {
    // Computed with statsmodels: probes and wafers of MPC5312, one reading a cell.
    let probes = rows("nist-dataplot/MPC5312.DAT");
    let each = |row: &Vec<f64>| row[1..].iter().map(|&reading| vec![reading]).collect();
    let table: Vec<Vec<Vec<f64>>> = probes.iter().map(each).collect();
    let found = crossed(&table, Effects::Fixed).unwrap();
    near(found.a.sum_of_squares, 0.009627316, 1e-8);
    near(found.within.sum_of_squares, 0.005720764, 1e-8);
    near(found.a.test.as_ref().unwrap().f, 6.73148971012, 1e-8);
    near(found.a.test.as_ref().unwrap().p, 0.00224212986632, 1e-8);
    assert!(found.interaction.is_none());
    // Run 1 of MPC61: wafers and probes, six days.
    let data: Vec<_> = rows("nist-dataplot/MPC61.DAT")
        .into_iter()
        .filter(|row| row[0] == 1.0)
        .collect();
    let table = cells(&grouped(&data, &[1, 2], 7), 5);
    let found = crossed(&table, Effects::Fixed).unwrap();
    let interaction = found.interaction.as_ref().unwrap();
    near(found.a.test.as_ref().unwrap().f, 132994.144369, 1e-9);
    near(found.b.test.as_ref().unwrap().f, 7.5701568308, 1e-9);
    near(interaction.test.as_ref().unwrap().p, 0.340881780207, 1e-9);
    near(
        found.total.sum_of_squares,
        1014.92638508 + 0.0577706029333 + 0.0342948090667 + 0.238480045,
        1e-9,
    );
    let random = crossed(&table, Effects::Random).unwrap();
    near(
        random.b.test.unwrap().f,
        0.0144426507333 / 0.00214342556667,
        1e-9,
    );
}

fn gauge_table(column: usize) -> Vec<Vec<Vec<f64>>> {
    let text = text("interlab/gage_rr_sixsigma.csv");
    let mut table = vec![vec![Vec::new(); 3]; 3];
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let level = |field: &str| field.split('#').nth(1).unwrap().parse::<usize>().unwrap() - 1;
        table[level(fields[0])][level(fields[1])].push(fields[column].parse().unwrap());
    }
    table
}

#[test]
fn gauge_studies() {
    // Computed with statsmodels from the tables of ss.data.rr: interaction pooled at p 0.446,
    // kept at 0.218. EV, AV, GRR, PV, TV.
    for (column, pooled, sd, categories) in [
        (
            3,
            true,
            [
                0.14597518353731984,
                0.02394812950621058,
                0.14792655987212183,
                0.2536512270926591,
                0.2936344872817431,
            ],
            2,
        ),
        (
            4,
            false,
            [
                0.09049247973665482,
                0.0,
                0.09910401070729478,
                0.3597023804051564,
                0.3731050889594076,
            ],
            5,
        ),
    ] {
        let found = gauge_study(&gauge_table(column), Some(2.0)).unwrap();
        assert_eq!(found.interaction.is_none(), pooled);
        let shares = [
            &found.repeatability,
            &found.reproducibility,
            &found.gauge,
            &found.part,
            &found.total,
        ];
        for (share, sd) in shares.iter().zip(sd) {
            near(share.sd, sd, 1e-10);
            near(share.of_tolerance_pct.unwrap(), 300.0 * sd, 1e-10);
        }
        assert_eq!(found.distinct_categories, Some(categories));
        near(
            found.gauge.of_variance_pct + found.part.of_variance_pct,
            100.0,
            1e-13,
        );
    }
    // The furnace as a nested study: components as printed above.
    let groups = grouped(&rows("nist-dataplot/FURNACE.DAT"), &[0, 1], 3);
    let found = gauge_study_nested(&cells(&groups, 4), None).unwrap();
    near(found.reproducibility.sd, 17.679, 3e-5);
    near(found.part.sd, 15.013, 4e-5);
    near(found.repeatability.sd, 10.995, 5e-5);
    let once = vec![vec![vec![1.0], vec![2.0]], vec![vec![2.0], vec![2.5]]];
    assert_eq!(
        gauge_study(&once, None).unwrap_err(),
        StudyError::NoRepetition
    );
    assert_eq!(
        gauge_study(&once, Some(0.0)).unwrap_err(),
        StudyError::Tolerance(0.0)
    );
}

#[test]
fn bias_has_an_interval() {
    // mfgqc 0.3.1: t 0.5371 of bias 0.011, s 0.2048, n 100.
    let found = bias_study(6.01, 6.021, 0.2048, 100, 0.95).unwrap();
    assert!((found.t - 0.5371).abs() < 5e-5 && !found.significant);
    // Twice the tail of t² by F: a law of both distributions.
    near(found.p, f_upper_tail(found.t * found.t, 1.0, 99.0), 1e-12);
    assert!(bias_study(6.0, 6.5, 0.2, 100, 0.95).unwrap().significant);
    assert!(matches!(
        bias_study(6.0, 6.1, 0.0, 9, 0.95),
        Err(StudyError::Readings { .. })
    ));
    assert!(matches!(
        bias_study(6.0, f64::NAN, 0.1, 9, 0.95),
        Err(StudyError::NotFinite { .. })
    ));
    assert!(matches!(
        bias_study(6.0, 6.1, 0.1, 9, 1.0),
        Err(StudyError::Coverage(_))
    ));
}

#[test]
fn precision_of_arsenic_in_27_laboratories() {
    // Computed with numpy: 27 laboratories, five results each, one with two.
    let text = text("interlab/rm_study_metals_29_labs.csv");
    let mut names: Vec<&str> = Vec::new();
    let mut laboratories: Vec<Vec<f64>> = Vec::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let name = fields.next().unwrap();
        let Ok(result) = fields.next().unwrap().parse() else {
            continue;
        };
        if let Some(at) = names.iter().position(|known| *known == name) {
            laboratories[at].push(result);
        } else {
            names.push(name);
            laboratories.push(vec![result]);
        }
    }
    assert_eq!(names.len(), 27);
    let found = precision(&laboratories).unwrap();
    near(found.s_r, 0.8750100404947417, 1e-12);
    near(found.s_l, 4.188136438338874, 1e-12);
    near(found.s_reproducibility, 4.2785662782184914, 1e-12);
    near(found.anova.mean_of_all.mean, 10.758229280303029, 1e-13);
    near(found.cochran.statistic, 0.8096252753540397, 1e-12);
    assert_eq!(names[found.cochran.laboratory], "Lab9");
    assert_eq!(found.cochran.standing, Standing::Outlier);
    let [smallest, largest] = [found.grubbs_smallest, found.grubbs_largest].map(Option::unwrap);
    near(smallest.statistic, 1.308902296533248, 1e-12);
    near(largest.statistic, 4.829535336685033, 1e-12);
    assert_eq!(names[smallest.laboratory], "Lab28");
    assert_eq!(
        (names[largest.laboratory], largest.standing),
        ("Lab9", Standing::Outlier)
    );
    assert_eq!(smallest.standing, Standing::Correct);
    let k = found
        .mandel
        .iter()
        .filter_map(|each| each.k)
        .fold(0.0, f64::max);
    near(k, 4.610491177585156, 1e-12);
    // The deviations from the mean add up to nothing.
    assert!(
        found
            .mandel
            .iter()
            .fold(0.0, |sum, each| sum + each.h)
            .abs()
            < 1e-12
    );
}

#[test]
fn critical_values_of_laboratories() {
    // Ten laboratories with two results, by quantiles of F and t of scipy to three decimals.
    let laboratories: Vec<_> = (0..10)
        .map(|at| vec![f64::from(at), f64::from(at) + 0.1])
        .collect();
    let found = precision(&laboratories).unwrap();
    assert!((found.cochran.critical[0] - 0.602).abs() < 6e-4);
    assert!((found.cochran.critical[1] - 0.717).abs() < 6e-4);
    let grubbs = found.grubbs_largest.unwrap().critical;
    assert!(
        (grubbs[0] - 2.290).abs() < 6e-4 && (grubbs[1] - 2.482).abs() < 6e-4,
        "{grubbs:?}"
    );
    // Two laboratories have no outlier among them.
    let two = precision(&laboratories[..2]).unwrap();
    assert!(two.grubbs_largest.is_none() && two.mandel.is_empty());
    assert!((sigma_from_precision(23.2, 14.3, 2).unwrap() - 20.9).abs() < 0.05);
    assert_eq!(sigma_from_precision(23.2, 14.3, 1).unwrap(), 23.2);
    assert!(
        sigma_from_precision(1.0, 2.0, 2).is_err() && sigma_from_precision(2.0, 1.0, 0).is_err()
    );
}

#[test]
fn repeatability_and_stability_of_a_standard() {
    let readings = [
        20.013, 20.011, 20.015, 20.012, 20.014, 20.01, 20.013, 20.012, 20.016, 20.012,
    ];
    let found = standard_repeatability(&readings, Some(0.002)).unwrap();
    assert!((found.readings.s - 0.0018135).abs() < 1e-7 && found.passed == Some(true));
    assert_eq!(
        standard_repeatability(&readings[1..], None),
        Err(StandardError::Readings(9))
    );
    let new = StabilityEvidence::New {
        means: vec![20.0128, 20.0141, 20.0119, 20.0135],
    };
    let found = standard_stability(&new, Some(0.002)).unwrap();
    assert!((found.change.unwrap() - 0.0022).abs() < 1e-9 && found.passed == Some(false));
    let existing = StabilityEvidence::Existing {
        last: 20.0135,
        this: 20.0128,
    };
    assert_eq!(
        standard_stability(&existing, Some(0.002)).unwrap().passed,
        Some(true)
    );
    assert_eq!(standard_stability(&existing, None).unwrap().passed, None);
    for in_control in [true, false] {
        let found = standard_stability(&StabilityEvidence::Chart { in_control }, None).unwrap();
        assert_eq!((found.change, found.passed), (None, Some(in_control)));
    }
    let short = StabilityEvidence::New {
        means: vec![1.0; 3],
    };
    assert_eq!(
        standard_stability(&short, None),
        Err(StandardError::Groups(3))
    );
    assert_eq!(
        standard_stability(&new, Some(0.0)),
        Err(StandardError::Limit(0.0))
    );
}

#[test]
fn what_cannot_be_evaluated_is_refused_with_a_cure() {
    let message = |groups: &[Vec<f64>]| one_way(groups).unwrap_err().to_string();
    let one = vec![1.0, 2.0];
    assert!(message(&[]).contains("at least 2; add a level"));
    assert!(message(std::slice::from_ref(&one)).contains("evaluate the readings as one series"));
    assert!(message(&[one.clone(), vec![]]).starts_with("group 2 has no readings: remove it"));
    assert!(message(&[one.clone(), vec![1.0, f64::NAN]]).starts_with("reading 2 of group 2"));
    assert!(message(&[vec![1.0], vec![2.0]]).contains("repeat readings"));
    assert!(message(&[vec![1.0; 3], vec![2.0; 3]]).contains("record more digits"));
    assert!(message(&[vec![1e300, 2e300], one.clone()]).contains("larger unit"));
    let uneven = [vec![one.clone(), one.clone()], vec![one.clone(), vec![1.0]]];
    let found = crossed(&uneven, Effects::Fixed).unwrap_err();
    assert!(
        found
            .to_string()
            .starts_with("cell 2, 2 has 1 readings, others have 2")
    );
    let ragged = [vec![one.clone(), one.clone()], vec![one.clone()]];
    assert!(matches!(
        crossed(&ragged, Effects::Fixed),
        Err(AnovaError::Unbalanced { .. })
    ));
    let single = [vec![one.clone()], vec![one.clone()]];
    assert_eq!(
        nested(&single).unwrap_err(),
        AnovaError::NoDof(Source::BetweenInner)
    );
    assert!(nested(&[vec![], vec![one.clone()]]).is_err());
    assert_eq!(pooled(&[]), Err(PoolError::NoDof));
    assert_eq!(pooled(&[(1.0, 0.0)]), Err(PoolError::NoDof));
    assert!(matches!(
        pooled(&[(f64::NAN, 1.0)]),
        Err(PoolError::Series { position: 1, .. })
    ));
    assert_eq!(
        autocorrelated(&[1.0; 9]),
        Err(AutocorrelationError::NoScatter)
    );
    assert!(matches!(
        autocorrelated(&[1.0]),
        Err(AutocorrelationError::TooFewReadings(_))
    ));
    let ramp: Vec<f64> = (0..40).map(f64::from).collect();
    let found = autocorrelated(&ramp).unwrap();
    assert!(found.n_effective < 4.0, "{found:?}");
}

proptest! {
    /// A new origin and unit of the readings change sums of squares by the square of the unit,
    /// F and p not at all.
    #[test]
    fn f_has_no_unit(readings in prop::collection::vec(-1.0..1.0_f64, 24), origin in -9.0..9.0_f64, unit in 0.1..9.0_f64) {
        let groups: Vec<Vec<f64>> = readings.chunks(6).map(<[f64]>::to_vec).collect();
        let other: Vec<Vec<f64>> = groups.iter().map(|group| group.iter().map(|x| origin + unit * x).collect()).collect();
        let (found, other) = (one_way(&groups).unwrap(), one_way(&other).unwrap());
        near(other.within.sum_of_squares, unit * unit * found.within.sum_of_squares, 1e-10);
        let [f, g] = [&found, &other].map(|table| table.between.test.as_ref().unwrap());
        prop_assert!((f.f - g.f).abs() <= 1e-9 * (1.0 + f.f) && (f.p - g.p).abs() <= 1e-9);
        // The squares of all readings about their mean are those of both lines.
        let all = type_a(&readings).unwrap();
        near(found.total.sum_of_squares, all.s * all.s * 23.0, 1e-11);
        near(found.mean_of_all.u, all.s / 24.0_f64.sqrt(), 1e-11);
    }

    /// Balanced groups in groups are the one-way layout of their means.
    #[test]
    fn outer_groups_are_those_of_their_means(readings in prop::collection::vec(-1.0..1.0_f64, 24)) {
        let inner: Vec<Vec<f64>> = readings.chunks(2).map(<[f64]>::to_vec).collect();
        let groups = cells(&inner, 3);
        let means: Vec<Vec<f64>> = groups.iter().map(|outer| outer.iter().map(|pair| 0.5 * (pair[0] + pair[1])).collect()).collect();
        let (found, of_means) = (nested(&groups).unwrap(), one_way(&means).unwrap());
        let [f, g] = [&found.outer, &of_means.between].map(|row| row.test.as_ref().unwrap().f);
        prop_assert!((f - g).abs() <= 1e-9 * (1.0 + g));
        let table = crossed(&groups, Effects::Fixed).unwrap();
        near(table.total.sum_of_squares, found.total.sum_of_squares, 1e-11);
    }
}
