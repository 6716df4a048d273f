//! Tables: aligned columns, no frames, readable without colour.

use std::io::IsTerminal as _;

use comfy_table::{Table, presets};

use super::Ui;

/// A table with a header.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    first(N, &header, &rows)
}

impl Ui {
    /// A table whose last columns people can do without: on a terminal that is too narrow they go, from the right, and
    /// that is said. What is no terminal gets all of them.
    pub fn fitting_table(&self, optional: usize, header: &[&str], rows: &[Vec<String>]) {
        let columns = fitting(width(), optional, header, rows);
        self.data(&first(columns, header, rows));
        if columns < header.len() {
            self.say(&format!("  the terminal is too narrow for: {}", header[columns..].join(", ")));
        }
    }
}

/// How many columns fit; at least those that nobody can do without, and more than the first.
fn fitting(width: Option<usize>, optional: usize, header: &[&str], rows: &[Vec<String>]) -> usize {
    let all = header.len();
    let fewest = all.saturating_sub(optional).max(2).min(all);
    let Some(width) = width else { return all };
    let fits =
        |columns: &usize| first(*columns, header, rows).lines().all(|line| console::measure_text_width(line) <= width);
    (fewest..=all).rev().find(fits).unwrap_or(fewest)
}

/// Of the terminal that stdout is, if it is one. COLUMNS goes before what the terminal says of itself, as elsewhere.
fn width() -> Option<usize> {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return None;
    }
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    told.or_else(|| console::Term::stdout().size_checked().map(|(_, columns)| columns.into()))
        .filter(|width| *width > 0)
}

/// The first columns, aligned.
fn first(columns: usize, header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().take(columns));
    for row in rows {
        table.add_row(row.iter().take(columns));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_optional_goes_from_the_right_until_the_table_fits() {
        let header = ["node", "reason", "CPUs used", "net"];
        let rows = [["train-1", "the node was lost", "0.5", "1 B/s"].map(str::to_owned).to_vec()];
        let fitting = |width, rows: &[Vec<String>]| fitting(width, 2, &header, rows);
        // 7 and 3, 17 and 3, 9 and 3, 5.
        for (width, columns) in [(None, 4), (Some(200), 4), (Some(47), 4), (Some(46), 3), (Some(39), 3), (Some(38), 2)]
        {
            assert_eq!(fitting(width, &rows), columns, "{width:?}");
        }
        assert_eq!(fitting(Some(10), &rows), 2, "what is not optional stays");
        assert_eq!(fitting(Some(31), &[]), 4, "a table without rows has a header");
    }
}
