//! Tokens to the paths that a file mentions, imports followed.

use std::collections::BTreeMap;

use super::Token;

/// One path in the code.
#[derive(Debug, Clone)]
pub struct Mention {
    /// Its segments, the import that they come from put in front; `*` for an import of everything.
    pub path: Vec<String>,
    /// Its line.
    pub line: usize,
    /// Whether it exists only under `cfg(test)`.
    pub test: bool,
    /// Whether it is a macro's call.
    pub is_macro: bool,
    /// How many segments come from an import elsewhere in the file.
    imported: usize,
}

impl Mention {
    /// Whether it names the thing or something in it. A use through an import that already names the thing does not
    /// count: one import to repair is one finding.
    pub fn names(&self, thing: &str) -> bool {
        let thing: Vec<&str> = thing.split("::").collect();
        let (own, is_glob) = match self.path.split_last() {
            Some((last, rest)) if last == "*" => (rest, true),
            _ => (self.path.as_slice(), false),
        };
        let begins_the_same = own.iter().zip(&thing).all(|(a, b)| a == b);
        begins_the_same && (own.len() >= thing.len() || is_glob) && self.imported < thing.len()
    }
}

/// Words before a path, or before `!`, that are no part of it.
const KEYWORDS: &[&str] =
    &["as", "dyn", "else", "for", "if", "impl", "in", "match", "move", "mut", "return", "where", "while"];

/// Every path that is imported, called as a macro, written with `::`, or used through an import.
pub(super) fn read(tokens: &[Token]) -> Vec<Mention> {
    let mut reader = Reader { tokens, at: 0, imports: BTreeMap::new(), found: Vec::new() };
    while reader.at < tokens.len() {
        reader.step();
    }
    let Reader { imports, found, .. } = reader;
    let follow = |found| match found {
        Found::Import(mention) => Some(mention),
        Found::Use(mention) => follow(mention, &imports),
    };
    found.into_iter().filter_map(follow).collect()
}

enum Found {
    Import(Mention),
    Use(Mention),
}

fn follow(mut mention: Mention, imports: &BTreeMap<String, Vec<String>>) -> Option<Mention> {
    if let Some(import) = imports.get(&mention.path[0]) {
        mention.imported = import.len();
        mention.path.splice(..1, import.iter().cloned());
    }
    (mention.path.len() > 1 || mention.is_macro).then_some(mention)
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    imports: BTreeMap<String, Vec<String>>,
    found: Vec<Found>,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn step(&mut self) {
        let before = if self.at == 0 { "" } else { self.text(self.at - 1) };
        // `use<'a>` is a bound, not an import.
        if self.text(self.at) == "use" && self.text(self.at + 1) != "<" {
            self.at += 1;
            self.import(&[]);
        } else if begins_path(self.text(self.at)) && before != "." && !self.continues_a_path() {
            self.path();
        } else {
            self.at += 1;
        }
    }

    /// `::name` after a type or a name; `::name` after anything else, also an arrow, begins a path.
    fn continues_a_path(&self) -> bool {
        if self.at < 2 || self.text(self.at - 1) != "::" {
            return false;
        }
        match self.text(self.at - 2) {
            ">" => self.at < 3 || !matches!(self.text(self.at - 3), "-" | "="),
            owner => begins_path(owner),
        }
    }

    fn path(&mut self) {
        let begin = self.at;
        let mut path = vec![self.text(self.at).to_owned()];
        self.at += 1;
        while self.text(self.at) == "::" && is_name(self.text(self.at + 1)) {
            path.push(self.text(self.at + 1).to_owned());
            self.at += 2;
        }
        let is_macro = self.text(self.at) == "!" && matches!(self.text(self.at + 1), "(" | "[" | "{");
        let Token { line, test, .. } = self.tokens[begin];
        self.found.push(Found::Use(Mention { path, line, test, is_macro, imported: 0 }));
    }

    /// One tree of an import, up to the `,`, `}` or `;` after it.
    fn import(&mut self, prefix: &[String]) {
        let mut path = prefix.to_vec();
        let mut line = self.at;
        while self.at < self.tokens.len() {
            match self.text(self.at) {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(self.at), "}" | "") {
                        self.import(&path);
                        self.at += usize::from(self.text(self.at) == ",");
                    }
                    self.at += 1;
                    return;
                }
                "as" => {
                    let name = self.text(self.at + 1).to_owned();
                    self.at += 2;
                    return self.imported(path, line, &name);
                }
                name if name == "*" || is_name(name) => {
                    if name != "self" || path.is_empty() {
                        path.push(name.to_owned());
                    }
                    line = self.at;
                    self.at += 1;
                }
                _ => break,
            }
        }
        let name = path.last().cloned().unwrap_or_default();
        self.imported(path, line, &name);
        // Never stand still on a token that belongs to no import: the caller's loops end.
        self.at += usize::from(!matches!(self.text(self.at), "," | "}" | ";"));
    }

    fn imported(&mut self, path: Vec<String>, token: usize, name: &str) {
        let Some(&Token { line, test, .. }) = self.tokens.get(token) else { return };
        if path.is_empty() {
            return;
        }
        if !matches!(name, "*" | "_") {
            self.imports.insert(name.to_owned(), path.clone());
        }
        self.found.push(Found::Import(Mention { path, line, test, is_macro: false, imported: 0 }));
    }
}

fn begins_path(text: &str) -> bool {
    is_name(text) && !KEYWORDS.contains(&text)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}
