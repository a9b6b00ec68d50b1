//! Calibration of thermometers: the fixed points of ITS-90, and measurement models that give
//! the coefficients of a thermometer from its calibration points.
//!
//! The equations of thermometers themselves are formulas of the [`Library`](crate::Library)
//! (`its90_…`, `iec60751_…`, `steinhart_hart_…`, `tc_…`). The coefficients are results like all
//! others: their model is text in the language of [`Model`](crate::Model), so that
//! uncertainties and correlations of the points go through [`propagate_all`](crate::propagate_all)
//! or a Monte Carlo run, and lines may be added to it.

use std::fmt::Write as _;

/// A defining fixed point of ITS-90 (H. Preston-Thomas, Metrologia 27 (1990) 3-10, tables 1
/// and 2). A certificate may state other temperatures for its cells: these count there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedPoint {
    /// Symbol of the substance.
    pub symbol: &'static str,
    /// Which equilibrium defines it.
    pub state: Equilibrium,
    /// Temperature in °C: at 101 325 Pa, of a triple point without head of liquid.
    pub t90_degc: f64,
    /// Reference function at that temperature; none beyond the range of the resistance
    /// thermometer.
    pub wr: Option<f64>,
    /// Change of the temperature with pressure, in K/Pa; of a triple point only the head of
    /// liquid matters.
    pub pressure_effect_k_per_pa: f64,
    /// Change of the temperature with depth in the liquid, in K/m.
    pub head_effect_k_per_m: f64,
}

/// The equilibrium of a fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equilibrium {
    /// Triple point.
    Triple,
    /// Melting point at 101 325 Pa.
    Melting,
    /// Freezing point at 101 325 Pa.
    Freezing,
}

use Equilibrium::{Freezing, Melting, Triple};

/// Fixed points of ITS-90 from 13.8033 K on, rising; the vapour pressure points of hydrogen
/// near 17 K and 20.3 K depend on the pressure.
pub const FIXED_POINTS: [FixedPoint; 14] = [
    point(
        "e-H2",
        Triple,
        -259.3467,
        Some(0.001_190_07),
        34e-8,
        0.25e-3,
    ),
    point("Ne", Triple, -248.5939, Some(0.008_449_74), 16e-8, 1.9e-3),
    point("O2", Triple, -218.7916, Some(0.091_718_04), 12e-8, 1.5e-3),
    point("Ar", Triple, -189.3442, Some(0.215_859_75), 25e-8, 3.3e-3),
    point("Hg", Triple, -38.8344, Some(0.844_142_11), 5.4e-8, 7.1e-3),
    point("H2O", Triple, 0.01, Some(1.0), -7.5e-8, -0.73e-3),
    point("Ga", Melting, 29.7646, Some(1.118_138_89), -2.0e-8, -1.2e-3),
    point("In", Freezing, 156.5985, Some(1.609_801_85), 4.9e-8, 3.3e-3),
    point("Sn", Freezing, 231.928, Some(1.892_797_68), 3.3e-8, 2.2e-3),
    point("Zn", Freezing, 419.527, Some(2.568_917_30), 4.3e-8, 2.7e-3),
    point("Al", Freezing, 660.323, Some(3.376_008_60), 7.0e-8, 1.6e-3),
    point("Ag", Freezing, 961.78, Some(4.286_420_53), 6.0e-8, 5.4e-3),
    point("Au", Freezing, 1064.18, None, 6.1e-8, 10e-3),
    point("Cu", Freezing, 1084.62, None, 3.3e-8, 2.6e-3),
];

const fn point(
    symbol: &'static str,
    state: Equilibrium,
    t90_degc: f64,
    wr: Option<f64>,
    pressure_effect_k_per_pa: f64,
    head_effect_k_per_m: f64,
) -> FixedPoint {
    FixedPoint {
        symbol,
        state,
        t90_degc,
        wr,
        pressure_effect_k_per_pa,
        head_effect_k_per_m,
    }
}

impl FixedPoint {
    /// The fixed point of a substance by its symbol, such as `Sn`.
    pub fn of(symbol: &str) -> Option<&'static Self> {
        FIXED_POINTS.iter().find(|point| point.symbol == symbol)
    }

    /// Temperature in °C at the sensor: `gas_pressure_pa` is the pressure on the surface (no
    /// matter for a triple point), `depth_m` the depth of the middle of the sensor below it.
    pub fn at_sensor_degc(&self, gas_pressure_pa: f64, depth_m: f64) -> f64 {
        let excess_pa = match self.state {
            Triple => 0.0,
            Melting | Freezing => gas_pressure_pa - 101_325.0,
        };
        self.t90_degc
            + self.pressure_effect_k_per_pa * excess_pa
            + self.head_effect_k_per_m * depth_m
    }
}

/// How often the triple point of water was measured in a calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriplePoint {
    /// One resistance for all points, the input `R_tpw`.
    Once,
    /// After each point, the inputs `R_tpw[1]`, `R_tpw[2]`, …; at the silver point `R_tpw_ag`.
    AfterEachPoint,
}

/// The equation of a thermistor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thermistor {
    /// 1/T = A + B·ln R + C·(ln R)³.
    SteinhartHart,
    /// 1/T = A0 + A1·ln R + A2·(ln R)² + A3·(ln R)³.
    Hoge,
}

/// Why there is no model of a calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// A number that is no sub-range of ITS-90.
    #[error("{0} is no sub-range of the resistance thermometer; take 1 to 11")]
    SubRange(u8),
    /// Fewer points than coefficients.
    #[error("{wanted} coefficients need {wanted} points, and {found} are given; measure more")]
    TooFewPoints {
        /// Number of coefficients.
        wanted: usize,
        /// Number of points.
        found: usize,
    },
}

/// The model that gives the coefficients of a standard platinum resistance thermometer.
///
/// Inputs are the resistances `R[1]`, `R[2]`, … at the points and their temperatures `t[1]`, …
/// in °C, in the same order and without the triple point of water, and the resistance `R_tpw`
/// there. Outputs are `a`, `b`, `c`, `c1`, … as the sub-range has them (ITS-90, 3.3.1 to
/// 3.3.3); with more points than coefficients by least squares of W, and the residual standard
/// deviation `s` of W. In sub-range 6 the last of the points is aluminium, silver comes as
/// `R_ag` and `t_ag` besides (not counted in `points`), and `d` follows from it alone.
///
/// Evaluated where two of the points are one, the model has no value: the message names a
/// division by 0. Take another point.
///
/// ```
/// use heng_uncertainty::{Library, Model, TriplePoint, sprt_calibration};
/// let mut text = sprt_calibration(8, 2, TriplePoint::Once)?;      // tin and zinc
/// text.push_str("t_x = its90_sr8_t(R_x / R_tpw, a, b)\n");
/// let model = Model::compile(&text, Library::shipped()).map_err(|found| found[0].clone())?;
/// assert_eq!(model.inputs(), ["R[1]", "R[2]", "t[1]", "t[2]", "R_tpw", "R_x"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CalibrationError`].
pub fn sprt_calibration(
    sub_range: u8,
    points: usize,
    tpw: TriplePoint,
) -> Result<String, CalibrationError> {
    let terms = deviation(sub_range).ok_or(CalibrationError::SubRange(sub_range))?;
    let reference = match sub_range {
        1..=4 => "its90_wr_low",
        5 => "its90_wr",
        _ => "its90_wr_high",
    };
    let each = tpw == TriplePoint::AfterEachPoint;
    let mut text = format!("vector R[{points}], t[{points}]\n");
    if each {
        let _ = writeln!(text, "vector R_tpw[{points}]");
    }
    let _ = writeln!(text, "W = R / R_tpw\nx = W - 1");
    if sub_range <= 4 {
        text.push_str("l = ln(W)\n");
    }
    let _ = writeln!(text, "y = W - {reference}(t)");
    text.push_str(&least_squares(terms, points)?);
    if sub_range == 6 {
        let _ = writeln!(text, "W_al = W[{points}]");
        let tpw = if each { "R_tpw_ag" } else { "R_tpw" };
        let _ = writeln!(text, "W_ag = R_ag / {tpw}\nx_ag = W_ag - 1");
        let _ = writeln!(
            text,
            "d = (W_ag - its90_wr_high(t_ag) - x_ag * poly(x_ag, a, b, c)) / (W_ag - W_al)^2"
        );
    }
    Ok(text)
}

/// Coefficients of the deviation function of a sub-range with what each multiplies, in
/// x = W − 1 and l = ln W (ITS-90, table 5).
const fn deviation(sub_range: u8) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match sub_range {
        1 => &[
            ("a", "x"),
            ("b", "x^2"),
            ("c1", "l^3"),
            ("c2", "l^4"),
            ("c3", "l^5"),
            ("c4", "l^6"),
            ("c5", "l^7"),
        ],
        2 => &[
            ("a", "x"),
            ("b", "x^2"),
            ("c1", "l"),
            ("c2", "l^2"),
            ("c3", "l^3"),
        ],
        3 => &[("a", "x"), ("b", "x^2"), ("c1", "l^2")],
        4 => &[("a", "x"), ("b", "x * l")],
        6 | 7 => &[("a", "x"), ("b", "x^2"), ("c", "x^3")],
        5 | 8 | 9 => &[("a", "x"), ("b", "x^2")],
        10 | 11 => &[("a", "x")],
        _ => return None,
    })
}

/// The model that gives the coefficients of a thermistor.
///
/// Inputs are the resistances `R[1]`, `R[2]`, … in Ω and the temperatures `t[1]`, … in °C.
/// Outputs are `A`, `B`, `C`, or `A0` to `A3`, in 1/K; with more points than coefficients by
/// least squares of 1/T, and the residual standard deviation `s` of 1/T. Evaluated where two
/// of the points are one, the model has no value: the message names a division by 0.
///
/// # Errors
/// [`CalibrationError::TooFewPoints`].
pub fn thermistor_calibration(
    equation: Thermistor,
    points: usize,
) -> Result<String, CalibrationError> {
    let terms: &[(&str, &str)] = match equation {
        Thermistor::SteinhartHart => &[("A", "0 * l + 1"), ("B", "l"), ("C", "l^3")],
        Thermistor::Hoge => &[
            ("A0", "0 * l + 1"),
            ("A1", "l"),
            ("A2", "l^2"),
            ("A3", "l^3"),
        ],
    };
    let fit = least_squares(terms, points)?;
    Ok(format!(
        "vector R[{points}], t[{points}]\nl = ln(R)\ny = 1 / (t + 273.15)\n{fit}"
    ))
}

/// A column is taken for a sum of the columns before it where less than this part of its
/// square is left beside them; rounding leaves some 1e-31.
const DEPENDENT: f64 = 1e-26;

/// Lines that fit the vector `y` by the terms, each a name of a coefficient with its column:
/// modified Gram and Schmidt, the columns made orthogonal one after the other, which keeps
/// the digits that normal equations lose. With as many points as terms it interpolates.
fn least_squares(terms: &[(&str, &str)], points: usize) -> Result<String, CalibrationError> {
    let count = terms.len();
    if points < count {
        return Err(CalibrationError::TooFewPoints {
            wanted: count,
            found: points,
        });
    }
    let mut text = String::new();
    for (column, (_, expression)) in terms.iter().enumerate() {
        let _ = writeln!(text, "q{column}_0 = {expression}");
        for before in 0..column {
            let _ = writeln!(
                text,
                "r{before}_{column} = dot(q{before}, q{column}_{before}) / n{before}\n\
                 q{column}_{} = q{column}_{before} - r{before}_{column} * q{before}",
                before + 1
            );
        }
        let y = if column == 0 {
            "y".to_owned()
        } else {
            format!("y_{}", column - 1)
        };
        let _ = writeln!(
            text,
            "q{column} = q{column}_{column}\n\
             n{column} = if(sumsq(q{column}) > {DEPENDENT:e} * sumsq(q{column}_0), sumsq(q{column}), 0)\n\
             g{column} = dot(q{column}, {y}) / n{column}\n\
             y_{column} = {y} - g{column} * q{column}"
        );
    }
    if points > count {
        let freedom = points - count;
        let _ = writeln!(text, "s = sqrt(sumsq(y_{}) / {freedom})", count - 1);
    }
    for (column, (name, _)) in terms.iter().enumerate().rev() {
        let _ = write!(text, "{name} = g{column}");
        for (after, (later, _)) in terms.iter().enumerate().skip(column + 1) {
            let _ = write!(text, " - r{column}_{after} * {later}");
        }
        text.push('\n');
    }
    Ok(text)
}
