//! A `Cargo.toml`'s package and dependencies, with their lines. Never looks outside the text that it is given.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// What the checks need of a manifest.
#[derive(Debug)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// The line of the name.
    pub name_line: usize,
    /// Its dependencies of every kind.
    pub dependencies: Vec<Dependency>,
}

/// One dependency.
#[derive(Debug)]
pub struct Dependency {
    /// The package's own name, also where the manifest renames it.
    pub package: String,
    /// Its line.
    pub line: usize,
    /// Whether only tests have it.
    pub for_tests: bool,
}

/// The packages behind the keys of `[workspace.dependencies]`; only renamed ones differ from their key.
#[derive(Debug, Default)]
pub struct Renames(BTreeMap<String, String>);

const FOR_TESTS: &str = "dev-dependencies";

const KINDS: &[&str] = &["dependencies", FOR_TESTS, "build-dependencies"];

impl Manifest {
    /// Reads a crate's manifest; the error is a line and what is wrong there.
    pub fn parse(text: &str, renames: &Renames) -> Result<Self, (usize, String)> {
        let document = parse(text)?;
        let document = document.get_ref();
        let name = document.get("package").and_then(|package| package.get_ref().as_table()?.get("name"));
        let name = name.ok_or((1, "no package name".to_owned()))?;
        let mut dependencies = Vec::new();
        collect(document, &mut |found| {
            let package = package_of(found.value).or(renames.0.get(found.key).map(String::as_str));
            dependencies.push(Dependency {
                package: package.unwrap_or(found.key).to_owned(),
                line: line_at(text, found.offset),
                for_tests: found.kind == FOR_TESTS,
            });
        });
        dependencies.sort_by_key(|dependency| dependency.line);
        let name_line = line_at(text, name.span().start);
        Ok(Self { name: name.get_ref().as_str().unwrap_or_default().to_owned(), name_line, dependencies })
    }
}

impl Renames {
    /// Reads the root manifest; the error is a line and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let document = parse(text)?;
        let mut renames = BTreeMap::new();
        if let Some(workspace) = document.get_ref().get("workspace").and_then(|table| table.get_ref().as_table()) {
            collect(workspace, &mut |found| {
                if let Some(package) = package_of(found.value) {
                    renames.insert(found.key.to_owned(), package.to_owned());
                }
            });
        }
        Ok(Self(renames))
    }
}

fn parse(text: &str) -> Result<toml::Spanned<DeTable<'_>>, (usize, String)> {
    DeTable::parse(text).map_err(|error| {
        (line_at(text, error.span().map_or(0, |span| span.start)), format!("not TOML: {}", error.message()))
    })
}

/// A dependency as it stands in a table.
struct Found<'a> {
    kind: &'static str,
    key: &'a str,
    offset: usize,
    value: &'a DeValue<'a>,
}

/// Tells every dependency of a table, also the target-specific ones.
fn collect<'a>(table: &'a DeTable<'a>, tell: &mut impl FnMut(Found<'a>)) {
    for kind in KINDS {
        let Some(dependencies) = table.get(*kind).and_then(|value| value.get_ref().as_table()) else { continue };
        for (key, value) in dependencies {
            tell(Found { kind, key: key.get_ref(), offset: key.span().start, value: value.get_ref() });
        }
    }
    let Some(targets) = table.get("target").and_then(|value| value.get_ref().as_table()) else { return };
    for target in targets.values().filter_map(|value| value.get_ref().as_table()) {
        collect(target, tell);
    }
}

fn package_of<'a>(value: &'a DeValue<'_>) -> Option<&'a str> {
    value.as_table()?.get("package")?.get_ref().as_str()
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
