//! The report of a run, for people: what was done, what failed, what is left, and how AWS differs from the emulator.

use std::fmt::Write as _;
use std::time::Duration;

use super::steps::Kept;

/// Lines of a failed step's output.
const OUTPUT_LINES: usize = 120;
/// An account's number.
const NUMBER_DIGITS: usize = 12;

/// A step that was carried out.
pub struct Done {
    /// What it is to show.
    pub about: &'static str,
    /// The command, as somebody types it.
    pub command: String,
    /// Its exit code.
    pub code: Option<i32>,
    /// How long it took.
    pub time: Duration,
    /// Why it is not good, and what it said.
    pub failure: Option<(String, String)>,
}

/// What a run leaves in the account.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    /// It ended before it made anything.
    NothingMade,
    /// What the last `down` says stays.
    Kept(Vec<Kept>),
    /// It could not be asked.
    Unknown,
}

/// Everything that a run came to.
pub struct Report<'a> {
    /// The cluster.
    pub name: &'a str,
    /// Its region.
    pub region: &'a str,
    /// What `trainyard --version` says.
    pub version: &'a str,
    /// How many steps there are in a run to the end.
    pub planned: usize,
    /// The steps, with those of the way out.
    pub done: &'a [Done],
    /// What is left in the account.
    pub left: &'a Left,
    /// The command that deletes the rest.
    pub delete: &'a str,
    /// What differs from the emulator, or why that is not known.
    pub differences: Result<Vec<String>, String>,
}

impl Report<'_> {
    /// Whether every step was good.
    pub fn is_good(&self) -> bool {
        self.done.len() == self.planned && self.done.iter().all(|done| done.failure.is_none())
    }

    /// As Markdown.
    pub fn text(&self) -> String {
        let word = if self.is_good() { "every step went well" } else { "it did not come to the end" };
        let mut text = format!("# Acceptance run of {} in {}: {word}\n\n{}.\n", self.name, self.region, self.version);
        text.push_str("\n## Steps\n\n| step | command | exit code | time | |\n|---|---|---|---|---|\n");
        for done in self.done {
            let code = done.code.map_or("-".to_owned(), |code| code.to_string());
            let said = done.failure.as_ref().map_or("ok", |(why, _)| why);
            let seconds = done.time.as_secs_f64();
            let _ = writeln!(text, "| {} | `{}` | {code} | {seconds:.1} s | {said} |", done.about, done.command);
        }
        if let Some((done, (why, said))) = self.done.iter().find_map(|done| Some((done, done.failure.as_ref()?))) {
            let lines: Vec<&str> = said.lines().collect();
            let end = lines[lines.len().saturating_sub(OUTPUT_LINES)..].join("\n");
            let _ = write!(text, "\n## First failure\n\n`{}`: {why}. ", done.command);
            text.push_str("Its output has names and ids of the account: look through it before you send it.\n\n");
            let _ = writeln!(text, "~~~text\n{end}\n~~~");
        }
        text.push_str("\n## What is left\n\n");
        text.push_str(&self.left_over());
        text.push_str("\n## Differences from the emulator\n\n");
        match &self.differences {
            Err(why) => {
                let _ = writeln!(text, "Not known: {why}.");
            }
            Ok(lines) if lines.is_empty() => text.push_str("None.\n"),
            Ok(lines) => lines.iter().for_each(|line| {
                let _ = writeln!(text, "- {line}");
            }),
        }
        without_numbers(&text)
    }

    /// What is left in the account, in lines.
    pub fn left_over(&self) -> String {
        let delete = self.delete;
        let left = match self.left {
            Left::Kept(left) => left,
            Left::NothingMade => {
                return format!(
                    "This run made nothing. What may be there of that name is somebody else's, or of an earlier run; this deletes it:\n\n    {delete}\n"
                );
            }
            Left::Unknown => {
                return format!(
                    "Not known: it could not be asked. Look, and delete everything with:\n\n    {delete}\n"
                );
            }
        };
        if left.is_empty() {
            return "Nothing.\n".to_owned();
        }
        let mut text = String::new();
        for one in left {
            let cost = match one.monthly_cents {
                Some(0) => "costs nothing".to_owned(),
                Some(cents) => format!("${}.{:02} a month at list price in us-east-1", cents / 100, cents % 100),
                None => "costs by use".to_owned(),
            };
            let _ = writeln!(text, "- {}: {}, {cost}", one.name, one.what);
        }
        let _ = writeln!(text, "\nThis deletes it:\n\n    {delete}");
        text
    }
}

/// Account numbers, wherever one stands by itself or in an ARN, become stars.
fn without_numbers(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let length = from.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(length);
        clean.push_str(before);
        clean.push_str(if length == NUMBER_DIGITS { "************" } else { digits });
        rest = after;
    }
    clean + rest
}
