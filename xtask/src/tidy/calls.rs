//! Every call that the provider makes of AWS is in the table of calls, and nothing else is: from that table come
//! docs/iam.md and people's policies.
//!
//! A call is seen in three ways: an SDK client's method (`account.s3.put_object()`), an argument called `operation` of a
//! function that takes it as `&'static str`, and text that names one whole (`"s3:PutObject"`). A client that is kept in
//! a variable first is seen by its text alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::tables::{self, is_action};
use crate::iam::{CALLS, SCOPES};
use crate::repository::{File, Repository};
use crate::source::Token;

use super::{Check, Violation};

pub(super) static CHECK: Check = Check { name: RULE, about: "every call of AWS is in its table", run };

const RULE: &str = "calls";

/// Where AWS is called from.
const FOLDER: &str = "crates/provider/src/aws/";

/// What SDK clients have besides operations.
const NO_OPERATIONS: &[&str] = &["clone", "config", "from_conf"];

const WHY: &str = "docs/iam.md and rendered policies are made from that table";

fn run(repository: &Repository) -> Vec<Violation> {
    let finding = |path: &str, line, what, fix: &str| Violation {
        rule: RULE,
        path: path.to_owned(),
        line,
        what,
        why: WHY,
        fix: fix.to_owned(),
    };
    let sources = Sources::of(repository);
    // Nothing to hold together before there is a provider of AWS.
    if sources.files.is_empty() {
        return Vec::new();
    }
    let text = |path| repository.file(path).map_or("", |file| file.text.as_str());
    let (calls, scopes) = match (tables::calls(text(CALLS)), tables::scopes(text(SCOPES))) {
        (Ok(calls), Ok(scopes)) => (calls, scopes),
        (Err(misfit), _) => return vec![finding(CALLS, misfit.line, misfit.what, "repair the line")],
        (_, Err(misfit)) => return vec![finding(SCOPES, misfit.line, misfit.what, "repair the line")],
    };
    let mut violations = Vec::new();
    let mut made: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for file in &sources.files {
        for found in sources.calls(file) {
            match found.call {
                Ok(call) => {
                    made.entry(call).or_insert((file.path, found.line));
                }
                Err(what) => {
                    let fix = "name the operation and its service there, as text";
                    violations.push(finding(file.path, found.line, what, fix));
                }
            }
        }
    }
    let known: BTreeSet<&str> = calls.iter().map(|call| call.name).collect();
    for (call, (path, line)) in made.iter().filter(|(call, _)| !known.contains(call.as_str())) {
        let what = format!("{call} has no line in {CALLS}");
        violations.push(finding(path, *line, what, "add it: call, IAM's actions, commands, what for"));
    }
    for call in &calls {
        if !made.contains_key(call.name) {
            violations.push(finding(CALLS, call.line, format!("nothing calls {}", call.name), "remove the line"));
        }
        for action in call.actions.iter().filter(|action| tables::on(&scopes, action).is_empty()) {
            let what = format!("no pattern of {SCOPES} fits {action}");
            violations.push(finding(CALLS, call.line, what, "add the resources there on which it is asked for"));
        }
    }
    violations.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    violations
}

/// The provider's files, and what they declare.
struct Sources<'a> {
    files: Vec<Source<'a>>,
    /// Fields that are SDK clients; they are called like the service.
    clients: BTreeSet<&'a str>,
    askers: Vec<Asker<'a>>,
}

/// One file, without its tests.
struct Source<'a> {
    path: &'a str,
    tokens: Vec<&'a Token>,
    /// `static EC2: Service = Service { name: "ec2", … }`, by the static's name.
    services: BTreeMap<&'a str, &'a str>,
}

/// A function that takes an operation's name.
struct Asker<'a> {
    name: &'a str,
    path: &'a str,
    is_method: bool,
    is_public: bool,
    /// Which argument it is, `self` not counted.
    at: usize,
}

/// A call, or why it cannot be told.
struct Found {
    line: usize,
    call: Result<String, String>,
}

impl<'a> Sources<'a> {
    fn of(repository: &'a Repository) -> Self {
        let code = |file: &'a File| Some(&file.code.as_ref()?.tokens);
        let below = repository.files.iter().filter(|file| file.path.starts_with(FOLDER));
        let source = |(file, tokens): (&'a File, &'a Vec<Token>)| {
            let tokens: Vec<&Token> = tokens.iter().filter(|token| !token.test).collect();
            Source { path: &file.path, services: services(&tokens), tokens }
        };
        let files: Vec<Source<'a>> = below.filter_map(|file| Some((file, code(file)?))).map(source).collect();
        let clients = files.iter().flat_map(|file| clients(&file.tokens)).collect();
        let askers = files.iter().flat_map(askers).collect();
        Self { files, clients, askers }
    }

    fn calls(&self, file: &Source<'a>) -> Vec<Found> {
        let mut found = Vec::new();
        for (at, token) in file.tokens.iter().enumerate() {
            let text = |offset: usize| file.tokens.get(at + offset).map_or("", |token| token.text.as_str());
            let before = if at == 0 { "" } else { file.tokens[at - 1].text.as_str() };
            let line = token.line;
            if let Some(call) = literal(&token.text).filter(|text| is_action(text)) {
                found.push(Found { line, call: Ok(call.to_owned()) });
            }
            let is_client = before == "." && self.clients.contains(token.text.as_str()) && text(1) == ".";
            if is_client && text(3) == "(" && !NO_OPERATIONS.contains(&text(2)) {
                found.push(Found { line, call: Ok(format!("{}:{}", token.text, operation_name(text(2)))) });
            }
            if text(1) == "(" && before != "fn" {
                found.extend(self.asked(file, at).into_iter().map(|call| Found { line, call }));
            }
        }
        found
    }

    /// What is asked for, where a function that takes an operation is called.
    fn asked(&self, file: &Source<'a>, at: usize) -> Option<Result<String, String>> {
        let name = file.tokens[at].text.as_str();
        let is_method = at > 0 && file.tokens[at - 1].text == ".";
        let can_mean = |asker: &&Asker<'_>| {
            asker.name == name
                && asker.is_method == is_method
                && (asker.is_method || asker.is_public || asker.path == file.path)
        };
        let asker = self.askers.iter().find(can_mean)?;
        let arguments = arguments(&file.tokens[at + 1..]);
        let operation = match arguments.get(asker.at).map(Vec::as_slice) {
            // It is passed on: where it comes from, it is a text.
            Some([word]) if word.text == "operation" => return None,
            Some([text]) => literal(&text.text),
            _ => None,
        };
        let Some(operation) = operation else {
            return Some(Err(format!("{name}() is not told which operation it is")));
        };
        let is_constant = |name: &str| name.starts_with(|first: char| first.is_uppercase());
        let named = arguments.iter().find_map(|argument| match argument.as_slice() {
            [and, name] if and.text == "&" && is_constant(&name.text) => Some(name.text.as_str()),
            _ => None,
        });
        // Without a service of its own, it asks that of its file.
        let service = match named {
            Some(name) => std::iter::once(file).chain(&self.files).find_map(|file| file.services.get(name).copied()),
            None => self.files.iter().find(|file| file.path == asker.path).and_then(Source::only_service),
        };
        let told = service.map(|service| format!("{service}:{operation}"));
        Some(told.ok_or_else(|| format!("{name}() is not told whose operation {operation} is")))
    }
}

impl<'a> Source<'a> {
    fn only_service(&self) -> Option<&'a str> {
        self.services.values().next().copied().filter(|_| self.services.len() == 1)
    }
}

/// `static EC2: Service = Service { name: "ec2", … }`
fn services<'a>(tokens: &[&'a Token]) -> BTreeMap<&'a str, &'a str> {
    let mut services = BTreeMap::new();
    for (at, window) in tokens.windows(4).enumerate() {
        let is = |number: usize, text: &str| window[number].text == text;
        if is(0, "static") && is(2, ":") && is(3, "Service") {
            let rest = tokens[at..].windows(3).take_while(|three| three[0].text != ";");
            let named = rest.into_iter().find(|three| three[0].text == "name" && three[1].text == ":");
            if let Some(service) = named.and_then(|three| literal(&three[2].text)) {
                services.insert(window[1].text.as_str(), service);
            }
        }
    }
    services
}

/// `s3: aws_sdk_s3::Client`
fn clients<'a>(tokens: &[&'a Token]) -> Vec<&'a str> {
    let is_client = |window: &&[&Token]| {
        window[1].text == ":" && window[2].text.starts_with("aws_sdk_") && window[4].text == "Client"
    };
    tokens.windows(5).filter(is_client).map(|window| window[0].text.as_str()).collect()
}

/// Functions with a parameter `operation: &'static str`.
fn askers<'a>(source: &Source<'a>) -> Vec<Asker<'a>> {
    let mut askers = Vec::new();
    for at in (0..source.tokens.len()).filter(|at| source.tokens[*at].text == "fn") {
        let Some(name) = source.tokens.get(at + 1) else { continue };
        let parameters = parameters(&source.tokens[at..]);
        let words = |parameter: &[&Token]| parameter.iter().map(|token| token.text.as_str()).collect::<String>();
        let is_method = parameters.first().is_some_and(|first| words(first).ends_with("self"));
        let Some(found) = parameters.iter().position(|parameter| words(parameter) == "operation:&'staticstr") else {
            continue;
        };
        let before = source.tokens[..at].iter().rev().take(5);
        let is_public = before.take_while(|token| !matches!(token.text.as_str(), ";" | "}" | "{" | "]"));
        askers.push(Asker {
            name: &name.text,
            path: source.path,
            is_method,
            is_public: is_public.into_iter().any(|token| token.text == "pub"),
            at: found - usize::from(is_method),
        });
    }
    askers
}

/// The parameters of a function that these tokens begin with.
fn parameters<'a>(tokens: &[&'a Token]) -> Vec<Vec<&'a Token>> {
    // A bound may have parentheses too: `fn f<F: Fn(u8)>(…)`.
    let opens = |at: &usize| tokens[*at].text == "(" && angles(&tokens[..*at]) == 0;
    let Some(open) = (0..tokens.len()).find(opens) else { return Vec::new() };
    let mut whole: Vec<Vec<&Token>> = Vec::new();
    for part in arguments(&tokens[open..]) {
        match whole.last_mut() {
            // A comma within `BTreeMap<String, u8>` ends no parameter.
            Some(last) if angles(last) > 0 => last.extend(part),
            _ => whole.push(part),
        }
    }
    whole
}

/// How many `<` are not closed. The arrow `->` closes none.
fn angles(tokens: &[&Token]) -> usize {
    let mut open = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "<" => open += 1,
            ">" if at == 0 || tokens[at - 1].text != "-" => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

/// The parts between the first parenthesis, which these tokens begin with, and its end.
fn arguments<'a>(tokens: &[&'a Token]) -> Vec<Vec<&'a Token>> {
    let mut parts: Vec<Vec<&Token>> = vec![Vec::new()];
    let mut depth = 0_usize;
    for token in tokens {
        match token.text.as_str() {
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && token.text == ")" {
            break;
        }
        if depth == 1 && token.text == "," {
            parts.push(Vec::new());
        } else if let Some(last) = parts.last_mut().filter(|_| depth > 0) {
            last.push(token);
        }
        if matches!(token.text.as_str(), "(" | "[" | "{") {
            depth += 1;
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// What stands between the quotes.
fn literal(token: &str) -> Option<&str> {
    token.strip_prefix('"')?.strip_suffix('"')
}

/// `list_objects_v2` → `ListObjectsV2`
fn operation_name(method: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    method.split('_').map(word).collect()
}
