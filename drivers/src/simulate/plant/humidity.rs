//! Humidity of the simulated air, ideal gas.
//!
//! Saturation vapour pressure after Sonntag (Z. Meteorol. 70 (1990) 340–344), ITS-90; within
//! 0.01 % of Hardy (1998) between −50 °C and 100 °C. The enhancement factor is left out: it
//! cancels in a relative humidity but for 0.05 % of its value.

/// Over water, in pascal; temperature in degrees Celsius.
pub(super) fn saturation_pa(t_celsius: f64) -> f64 {
    let t = t_celsius + 273.15;
    libm::exp(
        -6096.9385 / t + 21.2409642 - 2.711193e-2 * t
            + 1.673952e-5 * t * t
            + 2.433502 * libm::log(t),
    )
}

/// Over ice, in pascal.
fn saturation_ice_pa(t_celsius: f64) -> f64 {
    let t = t_celsius + 273.15;
    libm::exp(
        -6024.5282 / t + 29.32707 + 1.0613868e-2 * t
            - 1.3198825e-5 * t * t
            - 0.49382577 * libm::log(t),
    )
}

/// Temperature of saturation over water.
pub(super) fn dew_point(pressure_pa: f64) -> f64 {
    solve(pressure_pa, saturation_pa)
}

/// Temperature of saturation over ice; above 0 °C there is none, and the dew point is given
/// as mirror hygrometers do.
pub(super) fn frost_point(pressure_pa: f64) -> f64 {
    let over_water = dew_point(pressure_pa);
    if over_water >= 0.0 {
        over_water
    } else {
        solve(pressure_pa, saturation_ice_pa)
    }
}

/// Bisection on a rising function: 48 halvings of 260 K leave less than 1e-12 K.
fn solve(pressure_pa: f64, saturation: fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-110.0, 150.0);
    for _ in 0..48 {
        let middle = f64::midpoint(low, high);
        if saturation(middle) < pressure_pa {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturation_follows_the_published_values() {
        // Sonntag (1990): 611.213 Pa at 0 °C by the formula; 2339.25 Pa at 20 °C.
        assert!((saturation_pa(0.0) - 611.213).abs() < 0.01);
        assert!((saturation_pa(20.0) - 2339.25).abs() < 0.02);
        assert!((saturation_ice_pa(0.0) - 611.15).abs() < 0.02);
    }

    #[test]
    fn dew_point_inverts_saturation() {
        for t in [-40.0, -10.0, 0.0, 9.27, 23.0, 60.0] {
            assert!((dew_point(saturation_pa(t)) - t).abs() < 1e-9);
        }
        assert!((frost_point(saturation_ice_pa(-10.0)) + 10.0).abs() < 1e-9);
        assert!(frost_point(saturation_pa(-10.0)) > -10.0);
    }
}
