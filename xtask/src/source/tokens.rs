//! Text to tokens with lines.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// One token.
#[derive(Debug)]
pub struct Token {
    /// Its text; `::` and `!=` are one token each.
    pub text: String,
    /// Its line.
    pub line: usize,
    /// Whether it exists only under `cfg(test)`.
    pub test: bool,
}

/// Words that begin an item, which ends with `;` or its block. Anything else that carries an attribute (a field,
/// an arm, an argument) also ends with a comma.
const ITEMS: &[&str] = &[
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "let",
    "macro_rules",
    "mod",
    "static",
    "struct",
    "trait",
    "type",
    "union",
    "unsafe",
    "use",
];

/// Every token of a file; the error is the line where it stops being Rust.
pub(super) fn read(text: &str) -> Result<Vec<Token>, usize> {
    let stream: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| error.span().start().line)?;
    let mut tokens = Vec::new();
    push_all(stream, false, &mut tokens);
    Ok(tokens)
}

fn push_all(stream: TokenStream, inside_test: bool, tokens: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut test_ends = 0;
    let mut at = 0;
    while at < trees.len() {
        if at >= test_ends {
            test_ends = end_of_test(&trees, at).unwrap_or(test_ends);
        }
        let test = inside_test || at < test_ends;
        let tree = &trees[at];
        let line = tree.span().start().line;
        at += 1;
        match tree {
            TokenTree::Group(group) => push_group(group, test, tokens),
            TokenTree::Punct(punct) => {
                let mut sign = punct.as_char().to_string();
                if let (Spacing::Joint, Some(TokenTree::Punct(next))) = (punct.spacing(), trees.get(at))
                    && matches!((punct.as_char(), next.as_char()), (':', ':') | ('!', '='))
                {
                    sign.push(next.as_char());
                    at += 1;
                }
                tokens.push(Token { text: sign, line, test });
            }
            other => tokens.push(Token { text: other.to_string(), line, test }),
        }
    }
}

fn push_group(group: &Group, test: bool, tokens: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    };
    tokens.push(Token { text: open.to_owned(), line: group.span_open().start().line, test });
    push_all(group.stream(), test, tokens);
    tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line, test });
}

/// Where the thing ends that a `cfg(test)` at this place covers.
fn end_of_test(trees: &[TokenTree], at: usize) -> Option<usize> {
    if !is_punct(trees.get(at), '#') {
        return None;
    }
    if is_punct(trees.get(at + 1), '!') {
        return is_cfg_test(trees.get(at + 2)?).then_some(trees.len());
    }
    is_cfg_test(trees.get(at + 1)?).then(|| end_of_item(trees, at + 2))
}

/// `[cfg(test)]`, or `[cfg(all(test, …))]`: the conditions under which the thing is in no product.
fn is_cfg_test(tree: &TokenTree) -> bool {
    let inside = |name: &str, trees: &[TokenTree]| match trees {
        [TokenTree::Ident(ident), TokenTree::Group(group), ..] if *ident == name => {
            Some(group.stream().into_iter().collect::<Vec<_>>())
        }
        _ => None,
    };
    let TokenTree::Group(attribute) = tree else { return false };
    let attribute: Vec<TokenTree> = attribute.stream().into_iter().collect();
    let Some(condition) = inside("cfg", &attribute) else { return false };
    let condition = inside("all", &condition).unwrap_or(condition);
    let is_alone = |at: usize| !matches!(condition.get(at + 1), Some(TokenTree::Group(_)));
    condition.iter().enumerate().any(|(at, tree)| matches!(tree, TokenTree::Ident(i) if *i == "test") && is_alone(at))
}

fn end_of_item(trees: &[TokenTree], mut at: usize) -> usize {
    while is_punct(trees.get(at), '#') {
        at += 2;
    }
    let word = |at: usize| trees.get(at).map(ToString::to_string).unwrap_or_default();
    let mut first = at;
    if word(first) == "pub" {
        first += 1;
        first += usize::from(matches!(trees.get(first), Some(TokenTree::Group(_))));
    }
    let is_item = ITEMS.contains(&word(first).as_str());
    while let Some(tree) = trees.get(at) {
        at += 1;
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            TokenTree::Punct(punct) if punct.as_char() == ';' || (punct.as_char() == ',' && !is_item) => break,
            _ => {}
        }
    }
    at
}

fn is_punct(tree: Option<&TokenTree>, wanted: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}
