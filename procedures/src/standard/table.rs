//! Values on straight lines between calibrated points.

use super::written::Row;

/// Pairs of argument and value in rising order of arguments; empty for the value 0.
#[derive(Debug, Clone)]
pub(super) struct Table(Vec<[f64; 2]>);

impl Table {
    /// `key` names the table in messages. A single row is one constant value; several must
    /// reach both ends of the range.
    pub(super) fn new(
        key: &str,
        rows: Vec<[f64; 2]>,
        [min, max]: [f64; 2],
    ) -> Result<Self, String> {
        if rows.iter().flatten().any(|number| !number.is_finite()) {
            return Err(format!("all numbers of `{key}` must be finite"));
        }
        if rows.windows(2).any(|pair| pair[0][0] >= pair[1][0]) {
            return Err(format!(
                "the indications of `{key}` must rise from row to row"
            ));
        }
        if let [[first, _], .., [last, _]] = rows.as_slice()
            && (*first > min || *last < max)
        {
            return Err(format!(
                "`{key}` runs from {first} to {last} and does not cover `min` {min} to `max` {max}; \
                 narrow the range, corrections are not extrapolated"
            ));
        }
        Ok(Self(rows))
    }

    /// Corrections of the rows, and their expanded uncertainties where the rows state them.
    pub(super) fn split(rows: &[Row], range: [f64; 2]) -> Result<(Self, Option<Self>), String> {
        let corrections = rows.iter().map(|row| match row {
            Row::Bare(pair) => *pair,
            Row::WithU([at, correction, _]) => [*at, *correction],
        });
        let corrections = Self::new("correction", corrections.collect(), range)?;
        let stated = rows.iter().filter_map(|row| match row {
            Row::Bare(_) => None,
            Row::WithU([at, _, expanded_u]) => Some([*at, *expanded_u]),
        });
        let stated: Vec<_> = stated.collect();
        if stated.is_empty() {
            return Ok((corrections, None));
        }
        if stated.len() < rows.len() {
            return Err(
                "some rows of `correction` state an expanded uncertainty and some do not; \
                 state it in all of them or in none"
                    .to_owned(),
            );
        }
        Ok((corrections, Some(Self::new("correction", stated, range)?)))
    }

    /// Beyond the outermost rows their values hold.
    pub(super) fn at(&self, x: f64) -> f64 {
        match self.0.as_slice() {
            [] => 0.0,
            [[_, only]] => *only,
            several => {
                let x = x.clamp(several[0][0], several[several.len() - 1][0]);
                let upper = several
                    .iter()
                    .position(|[at, _]| x <= *at)
                    .unwrap_or(several.len() - 1)
                    .max(1);
                let [x0, y0] = several[upper - 1];
                let [x1, y1] = several[upper];
                y0 + (y1 - y0) * (x - x0) / (x1 - x0)
            }
        }
    }

    pub(super) fn rows(&self) -> &[[f64; 2]] {
        &self.0
    }
}
