//! A directory service that is not named as one, or is asked in the clear.

use super::{Rule, Scope};
use crate::model::Directory;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "directory",
    summary: "The directory has a domain, and is asked over TLS",
    explain: "The domain is a name (`corp.example.com`) or its parts (`dc=corp,dc=example,dc=com`). Passwords travel to the \
              directory, so its address is `ldaps://`. ParallelCluster takes `ldap://` only with a switch whose name ends \
              in never_use_in_production.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Some(Directory::Existing(directory)) = &spec.directory else { return Vec::new() };
    let mut found = Vec::new();
    if !is_name(&directory.domain) && !is_parts(&directory.domain) {
        let what = "this is neither a domain's name nor its parts";
        found.push(
            Diagnostic::error(RULE.code, path!["directory", "domain"], what)
                .fix("write `corp.example.com`, or `dc=corp,dc=example,dc=com`"),
        );
    }
    if directory.address.starts_with("ldap://") {
        found.push(
            Diagnostic::error(RULE.code, path!["directory", "address"], "`ldap://` sends passwords in the clear")
                .fix("use `ldaps://`, and give the authority's certificate in `ca_certificate`"),
        );
    }
    found
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn is_name(domain: &str) -> bool {
    domain.split('.').all(is_word)
}

fn is_parts(domain: &str) -> bool {
    domain.split(',').all(|part| part.strip_prefix("dc=").or(part.strip_prefix("DC=")).is_some_and(is_word))
}
