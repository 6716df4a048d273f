//! Tables: aligned columns, no frames, readable without colour.

use std::io::IsTerminal as _;

use comfy_table::{Table, presets};

use super::Ui;

/// A table with a header.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().collect();
    aligned(&header, rows.iter().map(|row| &row[..]))
}

impl Ui {
    /// A table whose last columns people can do without: on a terminal that is too narrow they go, from the right, and
    /// that is said. What is no terminal gets all of them.
    pub fn fitting_table(&self, optional: usize, header: &[&str], rows: &[Vec<String>]) {
        let columns = fitting(width(), optional, header, rows);
        self.data(&cut(columns, header, rows));
        if let Some(left_out) = header.get(columns..).filter(|left_out| !left_out.is_empty()) {
            self.say(&format!("  the terminal is too narrow for: {}; what reads a pipe gets all", left_out.join(", ")));
        }
    }
}

fn cut(columns: usize, header: &[&str], rows: &[Vec<String>]) -> String {
    let rows = rows.iter().map(|row| row.get(..columns).unwrap_or(row));
    aligned(header.get(..columns).unwrap_or(header), rows)
}

/// How many columns fit; at least those that nobody can do without.
fn fitting(width: Option<usize>, optional: usize, header: &[&str], rows: &[Vec<String>]) -> usize {
    let fewest = header.len().saturating_sub(optional);
    let Some(width) = width else { return header.len() };
    let fits =
        |columns: &usize| cut(*columns, header, rows).lines().all(|line| console::measure_text_width(line) <= width);
    (fewest..=header.len()).rev().find(fits).unwrap_or(fewest)
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

fn aligned<'a>(header: &[&str], rows: impl IntoIterator<Item = &'a [String]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
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
