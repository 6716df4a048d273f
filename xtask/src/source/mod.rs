//! A Rust file as the checks see it: tokens with lines, and the paths that it mentions.
//!
//! Comments and the inside of strings are never code; doc comments are attributes. Code that exists only under
//! `cfg(test)` is marked, never dropped. Works on one file alone: what a macro makes is not seen.

mod mentions;
mod tokens;

pub use mentions::Mention;
pub use tokens::Token;

/// One file's code.
#[derive(Debug)]
pub struct Code {
    /// Every token, delimiters included, in order.
    pub tokens: Vec<Token>,
    /// Every path that is imported or used, as far as this file alone says.
    pub mentions: Vec<Mention>,
}

impl Code {
    /// Reads a file; the error is the line where it stops being Rust.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let tokens = tokens::read(text)?;
        let mentions = mentions::read(&tokens);
        Ok(Self { tokens, mentions })
    }

    /// The mentions outside of tests.
    pub fn in_product(&self) -> impl Iterator<Item = &Mention> {
        self.mentions.iter().filter(|mention| !mention.test)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    fn seen(text: &str) -> Vec<String> {
        let code = Code::parse(text).expect("Rust");
        code.in_product().map(|mention| format!("{}:{}", mention.line, mention.path.join("::"))).collect()
    }

    #[test]
    fn comments_strings_and_tests_are_not_code() {
        let text = r##"
            // std::fs::read
            /* std::fs::read /* nested */ */
            /// std::fs::read
            fn f() { g("std::fs::read", r#"std::fs"#, '"'); }
            #[cfg(test)]
            mod tests { use std::fs; fn f() { std::fs::read(); } }
            #[cfg(all(test, unix))]
            use std::fs;
            #[cfg(not(test))]
            use std::env;
        "##;
        assert_eq!(seen(text), ["11:std::env"]);
    }

    #[test]
    fn a_field_under_test_does_not_hide_its_neighbours() {
        assert_eq!(seen("struct S { #[cfg(test)] a: x::A<B>, b: y::B }"), ["1:y::B"]);
    }

    #[test]
    fn imports_are_flattened_and_followed() {
        let text = "use std::{fs::{self, File}, process as p, time::*};\nfn f() { p::Command::new(); fs::read(); }";
        let expected = [
            "1:std::fs",
            "1:std::fs::File",
            "1:std::process",
            "1:std::time::*",
            "2:std::process::Command::new",
            "2:std::fs::read",
        ];
        assert_eq!(seen(text), expected);
    }

    #[test]
    fn a_path_is_a_path_wherever_it_begins() {
        let text = "fn f(a: ::std::fs::File) -> ::std::io::Stdout { return ::std::x::Y; }";
        assert_eq!(seen(text), ["1:std::fs::File", "1:std::io::Stdout", "1:std::x::Y"]);
        let text = "fn f() -> impl T + use<'_> { a.env::<u8>(); <A as B>::fs(); m!(std::env::var) }";
        assert_eq!(seen(text), ["1:m", "1:std::env::var"]);
    }
}
