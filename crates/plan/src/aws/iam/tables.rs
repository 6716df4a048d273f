//! The reviewed tables behind docs/iam.md and `trainyard render iam`, read. Never looks outside the text that it is
//! given; a line that does not fit is an error with its number.

use std::collections::BTreeMap;

/// The types in the stack of ParallelCluster's provider, its nested stack included, and in the one that hands it the
/// cluster. They are published by ParallelCluster, so no source of ours makes them.
pub const PROVIDERS: &[&str] = &[
    "AWS::CloudFormation::CustomResource",
    "AWS::CloudFormation::Stack",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "Custom::PclusterCluster",
];

/// What CloudFormation does to a resource.
pub const OPERATIONS: &[&str] = &["create", "update", "delete"];

/// A line that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Something that trainyard itself asks of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// The line.
    pub line: usize,
    /// `service:Operation`, as the sources name it.
    pub name: &'a str,
    /// What IAM asks for; nothing where anybody may.
    pub actions: Vec<&'a str>,
    /// The commands that make it.
    pub commands: &'a str,
    /// What for.
    pub about: &'a str,
}

/// What `CloudFormation` asks of the caller for one operation on a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler<'a> {
    /// The line.
    pub line: usize,
    /// `AWS::S3::Bucket`.
    pub kind: &'a str,
    /// One of [`OPERATIONS`].
    pub operation: &'a str,
    /// What IAM asks for.
    pub actions: Vec<&'a str>,
    /// Where that is written.
    pub source: &'a str,
}

/// A resource on which actions are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The actions, with `*`.
    pub pattern: &'a str,
    /// The resource, with `*` and `<placeholders>`.
    pub resource: &'a str,
    /// Why this one.
    pub why: &'a str,
    /// What has to hold besides.
    pub condition: Option<Condition<'a>>,
}

/// What has to hold besides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition<'a> {
    /// `StringEquals`.
    pub operator: &'a str,
    /// `iam:PassedToService`.
    pub key: &'a str,
    /// One of these.
    pub values: Vec<&'a str>,
}

/// Reads `calls.tsv`.
pub fn calls(text: &str) -> Result<Vec<Call<'_>>, Misfit> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    for (line, fields) in rows(text) {
        let misfit = |what: String| Err(Misfit { line, what });
        let [name, asked, commands, about] = fields[..] else {
            return misfit(format!("a call, its actions, commands and purpose are 4 columns, not {}", fields.len()));
        };
        if calls.last().is_some_and(|before| before.name >= name) {
            return misfit(format!("`{name}` is there twice, or not where it belongs in the order"));
        }
        let actions = if asked == "-" { Vec::new() } else { actions(asked, line)? };
        if !is_action(name) || commands.is_empty() || about.is_empty() {
            return misfit(format!("`{name}`: a call is `service:Operation`, with commands and a purpose"));
        }
        calls.push(Call { line, name, actions, commands, about });
    }
    Ok(calls)
}

/// Reads `actions.tsv`.
pub fn handlers(text: &str) -> Result<Vec<Handler<'_>>, Misfit> {
    let mut handlers: Vec<Handler<'_>> = Vec::new();
    for (line, fields) in rows(text) {
        let misfit = |what: String| Err(Misfit { line, what });
        let [kind, operation, asked, source] = fields[..] else {
            return misfit(format!("a type, its operation, actions and source are 4 columns, not {}", fields.len()));
        };
        if !OPERATIONS.contains(&operation) || !source.starts_with("https://") {
            return misfit(format!("`{kind}`: an operation is one of {}, with a source", OPERATIONS.join(", ")));
        }
        if handlers.last().is_some_and(|before| (before.kind, before.operation) >= (kind, operation)) {
            return misfit(format!("`{kind}`, {operation} is there twice, or not where it belongs in the order"));
        }
        handlers.push(Handler { line, kind, operation, actions: actions(asked, line)?, source });
    }
    Ok(handlers)
}

/// Reads `scope.tsv`.
pub fn scopes(text: &str) -> Result<Vec<Scope<'_>>, Misfit> {
    let mut scopes = Vec::new();
    for (line, fields) in rows(text) {
        let misfit = |what: String| Err(Misfit { line, what });
        let (pattern, resource, why, condition) = match fields[..] {
            [pattern, resource, why] => (pattern, resource, why, None),
            [pattern, resource, why, condition] => {
                let mut words = condition.split(' ');
                let (operator, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                (pattern, resource, why, Some(Condition { operator, key, values: words.collect() }))
            }
            _ => return misfit(format!("a pattern, resource and reason are 3 or 4 columns, not {}", fields.len())),
        };
        if condition.as_ref().is_some_and(|condition| condition.values.is_empty()) {
            return misfit(format!("`{pattern}`: a condition is an operator, a key and values"));
        }
        if !pattern.contains(':') || !(resource == "*" || resource.starts_with("arn:*:")) {
            return misfit(format!("`{pattern}` or `{resource}` is neither a pattern of actions nor a resource"));
        }
        scopes.push(Scope { pattern, resource, why, condition });
    }
    Ok(scopes)
}

/// The comments of `actions.tsv` on types: `# TYPE: text`, which goes on in lines that begin with `#` and 3 blanks.
pub fn notes(text: &str) -> BTreeMap<&str, String> {
    let mut notes: BTreeMap<&str, String> = BTreeMap::new();
    let mut last = None;
    for line in text.lines() {
        let more = line.strip_prefix("#   ").zip(last);
        let begin = line.strip_prefix("# ").and_then(|line| line.split_once(": ")).filter(|(kind, _)| is_type(kind));
        last = match (more, begin) {
            (Some((more, kind)), _) => {
                let note = notes.entry(kind).or_default();
                note.push(' ');
                note.push_str(more.trim());
                last
            }
            (None, Some((kind, note))) => {
                notes.insert(kind, note.trim().to_owned());
                Some(kind)
            }
            (None, None) => None,
        };
    }
    notes
}

/// The resources on which an action is asked for: the rows of the longest pattern that fits it.
pub fn on<'s, 'a>(scopes: &'s [Scope<'a>], action: &str) -> Vec<&'s Scope<'a>> {
    let fitting = scopes.iter().map(|scope| scope.pattern).filter(|pattern| fits(pattern, action));
    let longest = fitting.max_by_key(|pattern| (pattern.len(), *pattern));
    scopes.iter().filter(|scope| Some(scope.pattern) == longest).collect()
}

/// Whether text is a resource type of `CloudFormation`'s, or one of its custom ones.
pub fn is_type(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    match text.split("::").collect::<Vec<_>>()[..] {
        ["AWS", service, kind] => is_word(service) && is_word(kind),
        ["Custom", kind] => is_word(kind),
        _ => false,
    }
}

/// Whether text is `service:Operation`.
pub fn is_action(text: &str) -> bool {
    let Some((service, operation)) = text.split_once(':') else { return false };
    let is_service = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    service.starts_with(|c: char| c.is_ascii_lowercase())
        && service.chars().all(is_service)
        && operation.starts_with(|c: char| c.is_ascii_uppercase())
        && operation.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The lines that are no comment, with their numbers and fields.
fn rows(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    numbered.map(|(number, line)| (number + 1, line.split('\t').collect()))
}

fn actions(text: &str, line: usize) -> Result<Vec<&str>, Misfit> {
    let actions: Vec<&str> = text.split(' ').collect();
    match actions.iter().find(|action| !is_action(action)) {
        Some(odd) => Err(Misfit { line, what: format!("`{odd}` is no action of IAM's") }),
        None => Ok(actions),
    }
}

/// Whether the text fits the pattern, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pattern_that_fits_counts() {
        let scopes = scopes("iam:*\t*\ta\niam:*Role*\t*\tb\niam:*Role*\tarn:*:x\tc\niam:PassRole\t*\td\tIs k v w\n")
            .expect("rows");
        let why = |action: &str| on(&scopes, action).iter().map(|scope| scope.why).collect::<String>();
        assert_eq!(
            [why("iam:GetUser"), why("iam:GetRolePolicy"), why("iam:PassRole"), why("s3:Get")],
            ["a", "bc", "d", ""]
        );
        let [pass] = on(&scopes, "iam:PassRole")[..] else { panic!("one row") };
        assert_eq!(pass.condition, Some(Condition { operator: "Is", key: "k", values: vec!["v", "w"] }));
        assert!(fits("a*b*c", "aXbYc") && fits("a*", "a") && !fits("a*b*c", "aXc") && !fits("a*a", "a"));
    }

    #[test]
    fn a_line_that_does_not_fit_is_named() {
        let line = |misfit: Misfit| misfit.line;
        assert_eq!(calls("# c\na:B\ta:B\tup\n").map_err(line), Err(2));
        assert_eq!(calls("a:B\ta:b\tup\tx\n").map_err(line), Err(1));
        assert_eq!(calls("a:C\ta:C\tup\tx\na:B\ta:B\tup\tx\n").map_err(line), Err(2));
        assert_eq!(handlers("A\tread\ta:B\thttps://a\n").map_err(line), Err(1));
        assert_eq!(scopes("a:*\ts3\twhy\n").map_err(line), Err(1));
        assert_eq!(scopes("a:*\t*\twhy\tIs key\n").map_err(line), Err(1));
        assert_eq!(calls("a:B\t-\tup\tx\n").map(|calls| calls[0].actions.len()), Ok(0));
    }

    #[test]
    fn notes_go_on_in_indented_lines() {
        let notes = notes("# read: this\n# AWS::A::B: One\n#   and\n#   two.\n# Other text\n#   more\nAWS::A::B\tx\n");
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes.iter().all(|(kind, note)| is_type(kind) && note == "One and two."), "{notes:?}");
    }
}
