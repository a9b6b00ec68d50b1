//! A table of `drivers/NOISE.md` and what is measured.

/// Every row of the page must be the one that was measured. A model without a row is new: its
/// row is printed.
pub fn compare(page: &str, table: &str) {
    let id = |row: &str| row.split('|').nth(1).unwrap_or_default().trim().to_owned();
    let (mut compared, mut differs) = (0, Vec::new());
    let columns = table.lines().next().unwrap_or_default();
    let rows = page.lines().skip_while(|line| *line != columns);
    let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
    for row in table.lines() {
        match rows.iter().find(|written| id(written) == id(row)) {
            Some(written) if *written == row => compared += 1,
            Some(written) => differs.push(format!("page: {written}\nnow:  {row}")),
            None => println!("new: {row}"),
        }
    }
    assert!(
        differs.is_empty() && compared > 2,
        "drivers/NOISE.md differs from what is measured; put the new rows there and read what changed\n{}",
        differs.join("\n")
    );
}
