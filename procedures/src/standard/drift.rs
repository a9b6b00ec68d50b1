//! The drift of a channel from its earlier calibrations.

use heng_uncertainty::Drift;

use super::channel::{Correction, StandardChannel};
use crate::order::Date;

/// Places at which the calibrations are compared besides the calibrated points.
const PLACES: u32 = 11;

impl StandardChannel {
    /// Takes the history into the drift; `calibrated` and `valid_until` are those of the
    /// certificate.
    ///
    /// At each place of the range the changes from one calibration to the next are fitted by a
    /// drift that is proportional to time ([`Drift`]), and continued to the end of validity.
    /// There the change is expected to be d with standard uncertainty u, which no correction
    /// takes off: about 0 its standard deviation is √(d² + u²), a rectangle of √3 times that
    /// half-width. The largest over the range counts.
    pub(super) fn with_history(
        mut self,
        calibrated: Date,
        valid_until: Date,
    ) -> Result<Self, String> {
        let history = &self.written.history;
        if history.is_empty() {
            return Ok(self);
        }
        let refuse = |cause: String| format!("channel {}: `history`: {cause}", self.quantity());
        if history.len() < 2 {
            return Err(refuse(
                "one earlier calibration shows no drift; state at least two, or `drift_half_width` alone"
                    .to_owned(),
            ));
        }
        let dates: Vec<Date> = history
            .iter()
            .map(|one| one.calibrated)
            .chain([calibrated])
            .collect();
        let falls = |pair: &&[Date]| pair[0] >= pair[1];
        if let Some([date, next]) = dates.windows(2).find(falls) {
            return Err(refuse(format!(
                "{date} is followed by {next}; the dates must rise and lie before `calibrated`"
            )));
        }
        let earlier = history.iter().map(|one| {
            let of_date = |cause| refuse(format!("calibration of {}: {cause}", one.calibrated));
            let stated = one.stated().map_err(of_date)?;
            let correction = Correction::new(stated, self.units(), self.range());
            correction
                .map(|(correction, _)| correction)
                .map_err(of_date)
        });
        let earlier = earlier.collect::<Result<Vec<_>, _>>()?;
        let calibrations: Vec<_> = earlier.iter().chain([&self.correction]).collect();
        let validity_d = valid_until.days_since(calibrated);
        if validity_d <= 0.0 {
            return Err(refuse(format!(
                "the drift is predicted for `valid_until` {valid_until}, which does not follow \
                 `calibrated` {calibrated}; correct the dates"
            )));
        }
        let half_width =
            half_width(&calibrations, &dates, validity_d, self.range()).map_err(refuse)?;
        if let Some(stated) = self.written.drift_half_width
            && stated < half_width
        {
            return Err(refuse(format!(
                "the earlier calibrations show a drift of half-width {half_width:.3e}, \
                 `drift_half_width` states only {stated:e}; raise it or leave it out"
            )));
        }
        self.drift_half_width = self.written.drift_half_width.unwrap_or(half_width);
        Ok(self)
    }
}

/// `calibrations` from the first to the present one.
fn half_width(
    calibrations: &[&Correction],
    dates: &[Date],
    validity_d: f64,
    [min, max]: [f64; 2],
) -> Result<f64, String> {
    let days: Vec<f64> = dates
        .windows(2)
        .map(|pair| pair[1].days_since(pair[0]))
        .collect();
    let step = (max - min) / f64::from(PLACES - 1);
    let even = (0..PLACES).map(|at| (min + f64::from(at) * step).min(max));
    let mut places: Vec<f64> = even.collect();
    for calibration in calibrations {
        if let Correction::Points(table) = calibration {
            let inside = |at: &f64| (min..=max).contains(at);
            places.extend(table.rows().iter().map(|row| row[0]).filter(inside));
        }
    }
    let present = calibrations.last().ok_or("no calibration")?;
    let mut widest: f64 = 0.0;
    for place in places {
        // One indication, seen by each calibration.
        let values = present.indication_of(place).and_then(|indication| {
            calibrations
                .iter()
                .map(|one| one.value(indication))
                .collect()
        });
        let values: Vec<f64> =
            values.ok_or_else(|| format!("a calibration has no value at {place}"))?;
        let changes: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let found = Drift::fit(&days, &changes, 1, 0.0, 0.0)
            .and_then(|drift| drift.predict(validity_d))
            .map_err(|error| error.to_string())?;
        let [change, u] = found;
        widest = widest.max((3.0 * (change * change + u * u)).sqrt());
    }
    Ok(widest)
}
