//! What people reviewed: rows of types, column, value, whether somebody has seen it, and where it comes from.

use super::Input;
use super::instance::Column;

/// The cores that one socket of the CPU has.
pub(super) const SOCKET_CORES: &str = "socket_cores";

/// Whether types are in the catalogue.
const LISTED: &str = "listed";

const HEADING: &[&str] = &["types", "column", "value", "verified", "source"];

/// The reviewed file.
pub(super) struct Reviewed<'a> {
    pub path: &'a str,
    /// The comment that stands above the catalogue.
    pub head: Vec<&'a str>,
    rows: Vec<Row<'a>>,
}

/// One reviewed value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    line: usize,
    types: &'a str,
    column: &'a str,
    pub value: &'a str,
    pub is_verified: bool,
}

impl<'a> Reviewed<'a> {
    pub fn read(input: Input<'a>) -> Result<Self, String> {
        let Input { path, text } = input;
        let mut reviewed = Self { path, head: Vec::new(), rows: Vec::new() };
        let mut has_heading = false;
        for (at, line) in text.lines().enumerate() {
            let place = |what: String| format!("{path}:{}: {what}", at + 1);
            if let Some(head) = line.strip_prefix("#>") {
                reviewed.head.push(head.trim());
            }
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            let fields: Vec<&str> = line.split('\t').collect();
            if !has_heading {
                has_heading = fields == HEADING;
                if !has_heading {
                    return Err(place(format!("the first row must be {}", HEADING.join(", "))));
                }
                continue;
            }
            let [types, column, value, verified, source] = fields.as_slice() else {
                return Err(place(format!("{} fields, where {} are needed", fields.len(), HEADING.len())));
            };
            let is_known = [LISTED, SOCKET_CORES].contains(column) || Column::of(column).is_some();
            if !is_known || matches!(*column, "name" | "unverified") {
                return Err(place(format!("`{column}` cannot be reviewed")));
            }
            let is_verified = match *verified {
                "yes" => true,
                "no" => false,
                other => return Err(place(format!("verified is `{other}`, neither yes nor no"))),
            };
            if types.is_empty() || value.is_empty() || source.is_empty() {
                return Err(place("a field is empty".to_owned()));
            }
            if *column == LISTED && !matches!(*value, "yes" | "no") {
                return Err(place(format!("`{LISTED}` is `{value}`, neither yes nor no")));
            }
            reviewed.rows.push(Row { line: at + 1, types, column, value, is_verified });
        }
        Ok(reviewed)
    }

    /// The row that counts for a type and a column.
    pub fn winner(&self, name: &str, column: &str) -> Option<&Row<'a>> {
        self.rows.iter().rev().find(|row| row.column == column && matches(row.types, name))
    }

    /// Whether the type is in the catalogue.
    pub fn lists(&self, name: &str) -> bool {
        self.winner(name, LISTED).is_some_and(|row| row.value == "yes")
    }

    /// The types that are listed by their whole name.
    pub fn own(&self) -> impl Iterator<Item = &'a str> {
        let own = self.rows.iter().filter(|row| row.column == LISTED && !row.types.contains('*'));
        own.map(|row| row.types).filter(|name| self.lists(name))
    }

    /// A sentence with the place of a row.
    pub fn at(&self, row: &Row<'_>, what: &str) -> String {
        format!("{}:{}: {what}", self.path, row.line)
    }
}

/// Whether a name is among the types that a pattern stands for; `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}
