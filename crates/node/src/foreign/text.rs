//! Another program's metrics in the classic text format. A text is taken as a whole, or not at all: half of what a program
//! has to tell is easily taken for all of it.

use std::collections::{HashMap, HashSet};

use super::{ForeignFamily, ForeignKind, ForeignSample};
use crate::format::LABEL_BYTES_MAX;
use crate::value::Value;

/// More than any metric has, and few enough to look through one by one.
const LABELS_MAX: usize = 32;

/// No dashboard has longer ones.
const NAME_BYTES_MAX: usize = 256;

/// What is told of a metric: more is no help.
const HELP_BYTES_MAX: usize = 1024;

/// A series: its name, and its labels in the order of their names.
pub type Series = (String, Vec<(String, String)>);

/// The metrics of a text, with at most so many series.
///
/// # Errors
///
/// What makes no sense, in a sentence that says where and quotes nothing: whoever may write into a folder of such texts could
/// have linked any file there.
pub fn parse(text: &str, most: usize) -> Result<Vec<ForeignFamily>, String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("its last line has no end, as if it were still being written".into());
    }
    let mut file = File::default();
    for (number, line) in (1..).zip(text.lines()) {
        file.line(line.trim_matches([' ', '\t'])).map_err(|what| format!("line {number} {what}"))?;
        // A line may be four bytes long, and what is known of a series is fifty times that.
        if file.series.len() > most || file.families.len() > most {
            return Err(format!("it has more than {most} series, in line {number} at the latest"));
        }
    }
    Ok(file.families.into_iter().filter(|family| !family.samples.is_empty()).collect())
}

/// The name and the labels of a sample, by which it is known.
pub fn series(sample: &ForeignSample) -> Series {
    let mut labels = sample.labels.clone();
    labels.sort();
    (sample.name.clone(), labels)
}

#[derive(Default)]
struct File {
    families: Vec<ForeignFamily>,
    by_name: HashMap<String, Known>,
    series: HashSet<Series>,
}

struct Known {
    at: usize,
    has_help: bool,
    has_type: bool,
}

impl File {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        match line.strip_prefix('#') {
            Some(comment) => self.comment(comment.trim_start_matches([' ', '\t'])),
            None if line.is_empty() => Ok(()),
            None => self.sample(line),
        }
    }

    fn comment(&mut self, comment: &str) -> Result<(), &'static str> {
        let Some((word, rest)) = comment.split_once([' ', '\t']) else { return Ok(()) };
        if word != "HELP" && word != "TYPE" {
            return Ok(());
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        let (name, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        if !is_name(name, true) {
            return Err("describes what is no name of a metric");
        }
        let known = self.known(name);
        let at = known.at;
        if word == "HELP" {
            if std::mem::replace(&mut known.has_help, true) {
                return Err("describes a metric that was described before");
            }
            let Some(family) = self.families.get_mut(at) else { return Ok(()) };
            family.help = help(rest.trim_start_matches([' ', '\t']));
            return Ok(());
        }
        if std::mem::replace(&mut known.has_type, true) {
            return Err("gives a metric a type that has one");
        }
        let kind = ForeignKind::named(rest.trim_matches([' ', '\t'])).ok_or("has no known type")?;
        let Some(family) = self.families.get_mut(at) else { return Ok(()) };
        if !family.samples.is_empty() {
            return Err("gives a metric its type after its values");
        }
        family.kind = kind;
        Ok(())
    }

    /// The family of that name, which may be new.
    fn known(&mut self, name: &str) -> &mut Known {
        let at = self.families.len();
        self.by_name.entry(name.to_owned()).or_insert_with(|| {
            let (name, kind) = (name.to_owned(), ForeignKind::Untyped);
            self.families.push(ForeignFamily { name, kind, help: String::new(), samples: Vec::new() });
            Known { at, has_help: false, has_type: false }
        })
    }

    fn sample(&mut self, line: &str) -> Result<(), &'static str> {
        let end = line.find(['{', ' ', '\t']).ok_or("has no value")?;
        let (name, rest) = line.split_at(end);
        if !is_name(name, true) {
            return Err("begins with what is no name of a metric");
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Vec::new(), rest),
        };
        let value = value(rest.trim_matches([' ', '\t']))?;
        let at = self.family_of(name, &labels)?;
        let sample = ForeignSample { name: name.to_owned(), labels, value };
        if !self.series.insert(series(&sample)) {
            return Err("has a series that is there already");
        }
        if let Some(family) = self.families.get_mut(at) {
            family.samples.push(sample);
        }
        Ok(())
    }

    /// Where a sample of this name belongs.
    fn family_of(&mut self, name: &str, labels: &[(String, String)]) -> Result<usize, &'static str> {
        let has = |label: &str| labels.iter().any(|(name, _)| name == label);
        let kind_of = |base: &str| {
            let at = self.by_name.get(base)?.at;
            Some((at, self.families.get(at)?.kind))
        };
        for ending in ["_bucket", "_sum", "_count"] {
            let Some((at, kind)) = name.strip_suffix(ending).and_then(kind_of) else { continue };
            match (kind, ending) {
                (ForeignKind::Histogram, "_bucket") if !has("le") => return Err("is a bucket without a limit"),
                (ForeignKind::Histogram, _) | (ForeignKind::Summary, "_sum" | "_count") => return Ok(at),
                _ => {}
            }
        }
        match kind_of(name) {
            Some((_, ForeignKind::Histogram)) => Err("is of a histogram, and neither bucket, sum nor count"),
            Some((_, ForeignKind::Summary)) if !has("quantile") => Err("is of a summary, and has no quantile"),
            Some((at, _)) => Ok(at),
            None => Ok(self.known(name).at),
        }
    }
}

fn is_name(name: &str, may_have_colons: bool) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (may_have_colons && byte == b':');
    name.len() <= NAME_BYTES_MAX
        && name.bytes().next().is_some_and(|first| is_inner(first) && !first.is_ascii_digit())
        && name.bytes().all(is_inner)
}

/// Backslashes and line ends are escaped.
fn help(escaped: &str) -> String {
    let mut help = String::new();
    let mut characters = escaped.chars();
    while let Some(character) = characters.next() {
        if help.len() >= HELP_BYTES_MAX {
            break;
        }
        match character {
            '\\' => match characters.next() {
                Some('n') => help.push('\n'),
                Some('\\') | None => help.push('\\'),
                Some(other) => help.extend(['\\', other]),
            },
            _ => help.push(character),
        }
    }
    help
}

type Labels = Vec<(String, String)>;

/// What stands behind the opening brace, and what comes after the closing one.
fn labels(mut rest: &str) -> Result<(Labels, &str), &'static str> {
    let mut labels: Labels = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_once('=').ok_or("has labels that do not end")?;
        let name = name.trim_end_matches([' ', '\t']);
        if !is_name(name, false) || name.starts_with("__") {
            return Err("has a label with a name that is none");
        }
        if names.contains(&name) {
            return Err("has a label twice");
        }
        if names.len() >= LABELS_MAX {
            return Err("has too many labels");
        }
        names.push(name);
        let after = after.trim_start_matches([' ', '\t']).strip_prefix('"').ok_or("has a label without a value")?;
        let (value, after) = quoted(after)?;
        // One without a value is one that is not there.
        if !value.is_empty() {
            labels.push((name.to_owned(), value));
        }
        let after = after.trim_start_matches([' ', '\t']);
        rest = match after.strip_prefix(',') {
            Some(after) => after,
            None if after.starts_with('}') => after,
            None => return Err("has labels that do not end"),
        };
    }
}

/// A label's value, and what follows the quotation mark at its end.
fn quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if value.len() <= LABEL_BYTES_MAX => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            '"' => return Err("has a label that is too long"),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                _ => return Err("has a label with an escape that is none"),
            },
            _ => value.push(character),
        }
    }
    Err("has a label that does not end")
}

fn value(word: &str) -> Result<Value, &'static str> {
    if word.contains([' ', '\t']) {
        return Err("has a time, or more than a value: a scrape is always of now");
    }
    if let Ok(whole) = word.parse::<u64>() {
        return Ok(whole.into());
    }
    word.parse::<f64>().map(Value::from).map_err(|_| "has a value that is no number")
}
