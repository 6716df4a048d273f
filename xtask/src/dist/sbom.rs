//! The bill of materials: CycloneDX 1.5, of what is linked into the programs.
//!
//! Made from three things: the packages that cargo said it compiled for each target, `cargo metadata`, and Cargo.lock's
//! checksums. The same input gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// All that a bill is made from.
pub struct Input<'a> {
    /// What `cargo metadata --format-version 1` said.
    pub metadata: &'a Value,
    /// Cargo.lock.
    pub lock: &'a str,
    /// For each target, the ids of the packages that are linked there.
    pub linked: &'a BTreeMap<String, BTreeSet<String>>,
    /// What is linked beside cargo's packages.
    pub beside: &'a [Beside],
    /// Where this workspace's own packages are.
    pub repository: &'a str,
    /// The commit.
    pub commit: &'a str,
    /// When that was, as RFC 3339 in UTC.
    pub time: &'a str,
    /// The archives: name, target, SHA-256.
    pub archives: &'a [(String, String, String)],
}

/// A library that is linked and is no package of cargo's.
#[derive(Debug, Clone)]
pub struct Beside {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licences, as an SPDX expression.
    pub license: String,
    /// What it is here for.
    pub about: String,
}

/// The package that is given out.
const PROGRAM: &str = "trainyard";

/// The package of the program that comes with it.
const AGENT: &str = "trainyard-node";

/// The bill.
pub fn bill(input: &Input<'_>) -> Result<Value, String> {
    let packages = list(input.metadata, "packages");
    let by_id: BTreeMap<&str, &Value> = packages.iter().map(|package| (text(package, "id"), package)).collect();
    let checksums = checksums(input.lock)?;
    let all: BTreeSet<&str> = input.linked.values().flatten().map(String::as_str).collect();
    let mut refs = BTreeMap::new();
    for id in &all {
        let package = by_id.get(id).ok_or_else(|| format!("cargo metadata does not know {id}"))?;
        refs.insert(*id, purl(package, input));
    }
    let program = all.iter().find(|id| by_id.get(*id).is_some_and(|package| text(package, "name") == PROGRAM));
    let program = *program.ok_or_else(|| format!("{PROGRAM} itself is not among what was linked"))?;
    let mut components = Vec::new();
    for id in all.iter().filter(|id| **id != program) {
        let mut component = component(by_id[id], &refs[id], &checksums, &targets_of(id, input));
        if text(by_id[id], "name") == AGENT {
            component["type"] = json!("application");
        }
        components.push(component);
    }
    for beside in input.beside {
        components.push(json!({
            "type": "library", "bom-ref": beside.reference(), "name": beside.name, "version": beside.version,
            "description": beside.about, "licenses": [{ "expression": beside.license }], "purl": beside.reference(),
        }));
    }
    components.sort_by(|a, b| text(a, "bom-ref").cmp(text(b, "bom-ref")));
    let mut main = component(by_id[program], &refs[program], &checksums, &targets_of(program, input));
    main["type"] = json!("application");
    // Each archive is a file of its own, with its checksum.
    main["components"] = input.archives.iter().map(archive).collect();
    let mut bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": input.time,
            "component": main,
            "properties": [{ "name": "trainyard:commit", "value": input.commit }],
        },
        "components": components,
        "dependencies": dependencies(input, &refs, program),
    });
    // The same content has the same number.
    bill["serialNumber"] = json!(serial(&bill.to_string()));
    Ok(bill)
}

impl Beside {
    fn reference(&self) -> String {
        format!("pkg:generic/{}@{}", self.name, escape(&self.version))
    }
}

/// All packages that `cargo metadata` says the programs need at run time: what is linked is a part of them, because
/// `cargo metadata` counts the features that other members of the workspace ask for, too.
pub fn reachable(metadata: &Value) -> BTreeSet<String> {
    let is_macro = |id: &str| {
        let package = list(metadata, "packages").iter().find(|package| text(package, "id") == id);
        package.is_some_and(|package| {
            list(package, "targets").iter().any(|target| list(target, "kind").contains(&json!("proc-macro")))
        })
    };
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"], "nodes").iter().map(|node| (text(node, "id"), node)).collect();
    let packages = list(metadata, "packages");
    let is_given_out = |package: &&Value| [PROGRAM, AGENT].contains(&text(package, "name"));
    let mut waiting: Vec<&str> = packages.iter().filter(is_given_out).map(|package| text(package, "id")).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if is_macro(id) || !found.insert(id.to_owned()) {
            continue;
        }
        waiting.extend(nodes.get(id).into_iter().flat_map(|node| needs(node)));
    }
    found
}

fn needs(node: &Value) -> impl Iterator<Item = &str> {
    let normal = |dependency: &&Value| list(dependency, "dep_kinds").iter().any(|kind| kind["kind"].is_null());
    list(node, "deps").iter().filter(normal).map(|dependency| text(dependency, "pkg"))
}

fn dependencies(input: &Input<'_>, refs: &BTreeMap<&str, String>, program: &str) -> Vec<Value> {
    let mut dependencies = BTreeMap::new();
    for node in list(&input.metadata["resolve"], "nodes") {
        let Some(reference) = refs.get(text(node, "id")) else { continue };
        let mut on: BTreeSet<String> = needs(node).filter_map(|id| refs.get(id).cloned()).collect();
        if text(node, "id") == program {
            on.extend(input.beside.iter().map(Beside::reference));
        }
        dependencies.insert(reference.clone(), on);
    }
    for beside in input.beside {
        dependencies.insert(beside.reference(), BTreeSet::new());
    }
    dependencies.into_iter().map(|(reference, on)| json!({ "ref": reference, "dependsOn": on })).collect()
}

fn component(
    package: &Value,
    reference: &str,
    checksums: &BTreeMap<(String, String), String>,
    targets: &[&str],
) -> Value {
    let (name, version) = (text(package, "name"), text(package, "version"));
    let mut component = json!({
        "type": "library", "bom-ref": reference, "name": name, "version": version, "scope": "required",
        "purl": reference,
    });
    if let Some(about) = package["description"].as_str() {
        component["description"] = json!(about.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    if let Some(license) = package["license"].as_str() {
        component["licenses"] = json!([{ "expression": spdx(license) }]);
    }
    if let Some(checksum) = checksums.get(&(name.to_owned(), version.to_owned())) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = package["repository"].as_str() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    let property = |target: &&str| json!({ "name": "trainyard:target", "value": target });
    component["properties"] = targets.iter().map(property).collect();
    component
}

fn archive((name, target, digest): &(String, String, String)) -> Value {
    json!({
        "type": "file", "bom-ref": format!("file:{name}"), "name": name,
        "hashes": [{ "alg": "SHA-256", "content": digest }],
        "properties": [{ "name": "trainyard:target", "value": target }],
    })
}

fn targets_of<'a>(id: &str, input: &'a Input<'_>) -> Vec<&'a str> {
    input.linked.iter().filter(|(_, ids)| ids.contains(id)).map(|(target, _)| target.as_str()).collect()
}

/// The package's address; for those of this workspace with the place where they are.
fn purl(package: &Value, input: &Input<'_>) -> String {
    let address = format!("pkg:cargo/{}@{}", text(package, "name"), escape(text(package, "version")));
    if !package["source"].is_null() {
        return address;
    }
    let place = format!("git+{}@{}", input.repository, input.commit);
    format!("{address}?vcs_url={}", escape(&place))
}

/// As purls escape: all but letters, digits, and `.-_~`; a colon and a slash may stay.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Cargo's old way to write "or" is no SPDX.
fn spdx(license: &str) -> String {
    license.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

/// Name and version to SHA-256, of everything that came from a registry.
fn checksums(lock: &str) -> Result<BTreeMap<(String, String), String>, String> {
    let lock = toml::de::DeTable::parse(lock).map_err(|error| format!("Cargo.lock: {}", error.message()))?;
    let packages = lock.get_ref().get("package").and_then(|packages| packages.get_ref().as_array());
    let mut checksums = BTreeMap::new();
    for package in packages.into_iter().flat_map(|packages| packages.iter()) {
        let field = |name: &str| Some(package.get_ref().as_table()?.get(name)?.get_ref().as_str()?.to_owned());
        if let (Some(name), Some(version), Some(checksum)) = (field("name"), field("version"), field("checksum")) {
            checksums.insert((name, version), checksum);
        }
    }
    Ok(checksums)
}

/// A UUID of the content: version 8, the one whose bits are whoever made it.
fn serial(content: &str) -> String {
    let mut bytes: Vec<u8> = Sha256::digest(content.as_bytes()).iter().take(16).copied().collect();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = super::hex(&bytes);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
