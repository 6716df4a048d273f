//! What is given out: the header of a program, and the shape of the bill of materials.
//!
//! The bill is of this workspace's real packages. CycloneDX's own schema judges it whenever `dist` runs; what is held
//! here needs no Python.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use xtask::dist;
use xtask::dist::elf::{Elf, X86_64};
use xtask::dist::linked::Linked;
use xtask::dist::sbom::{self, Beside, Input};

const TARGET: &str = "x86_64-unknown-linux-musl";

/// A header with these kinds of program headers.
fn program(kinds: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18] = 62;
    bytes[32] = 64;
    bytes[54] = 56;
    bytes[56] = u8::try_from(kinds.len()).expect("few");
    for kind in kinds {
        bytes.extend(kind.to_le_bytes());
        bytes.extend([0; 52]);
    }
    bytes
}

#[test]
fn a_program_is_static_without_interpreter_and_dynamic_section() {
    let read = |kinds: &[u32]| Elf::read(&program(kinds)).expect("a header");
    let sound = read(&[1, 1]);
    assert!(sound.is_static() && sound.machine == X86_64);
    assert!(!read(&[1, 3]).is_static() && read(&[1, 3]).interpreter);
    assert!(!read(&[2, 1]).is_static() && read(&[2, 1]).dynamic);
}

#[test]
fn this_test_itself_is_a_program_that_is_not_static() {
    let own = std::env::current_exe().and_then(fs::read).expect("this test");
    assert!(Elf::read(&own).expect("a program").interpreter);
}

#[test]
fn what_a_program_asks_the_loader_for_is_read_from_the_program() {
    let own = std::env::current_exe().and_then(fs::read).expect("this test");
    let linked = Linked::read(&own).expect("a dynamic program");
    assert!(linked.loader.contains("/ld-linux"), "{linked:?}");
    assert!(linked.libraries.iter().any(|library| library == "libc.so.6"), "{linked:?}");
    assert!(linked.versions.iter().any(|version| version.starts_with("GLIBC_2.")), "{linked:?}");
    assert!(!linked.newer_than((2, 2)).is_empty() && linked.newer_than((9, 0)).is_empty(), "{linked:?}");
    // Cut off anywhere, or with a byte that is another, it is read or refused.
    for length in (0..own.len()).step_by(own.len() / 500) {
        let _ = Linked::read(&own[..length]);
    }
    let mut changed = own[..own.len().min(1 << 16)].to_vec();
    for at in 0..changed.len().min(4096) {
        let before = std::mem::replace(&mut changed[at], 0xff);
        let _ = Linked::read(&changed);
        changed[at] = before;
    }
    assert!(Linked::read(&program(&[1, 1])).is_err(), "a static program has no dynamic section");
}

#[test]
fn versions_of_glibc_are_compared_by_their_numbers() {
    let asked = ["GLIBC_2.2.5", "GLIBC_2.26", "GLIBC_2.9", "GCC_3.3", "GLIBC_2.27", "GLIBC_3.0", "GLIBC_PRIVATE"];
    let linked = Linked { versions: asked.map(str::to_owned).to_vec(), ..Linked::default() };
    assert_eq!(linked.newer_than((2, 26)), ["GLIBC_2.27", "GLIBC_3.0", "GLIBC_PRIVATE"]);
}

#[test]
fn what_is_no_whole_header_is_refused() {
    let whole = program(&[1, 3]);
    for length in 0..whole.len() - 52 {
        assert!(Elf::read(&whole[..length]).is_err(), "{length} bytes");
    }
    // A table far outside of the file.
    let mut wild = program(&[1]);
    wild[32..40].fill(0xff);
    assert!(Elf::read(&wild).is_err());
    assert!(Elf::read(b"#!/bin/sh\n").is_err());
}

/// The bill of all packages that can be linked.
fn bill() -> Value {
    let metadata = metadata();
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the lock");
    let linked = BTreeMap::from([(TARGET.to_owned(), sbom::reachable(&metadata))]);
    let [name, version, license, about] = ["musl", "1.2.5", "MIT", "The C library"].map(str::to_owned);
    let beside = [Beside { name, version, license, about }];
    let archives = [("trainyard.tar.gz".to_owned(), TARGET.to_owned(), "0".repeat(64))];
    let input = Input {
        metadata: &metadata,
        lock: &lock,
        linked: &linked,
        beside: &beside,
        repository: "https://example.com/a/b",
        commit: "0123456789abcdef",
        time: "2026-11-21T12:00:00Z",
        archives: &archives,
    };
    let bill = sbom::bill(&input).expect("a bill");
    assert_eq!(bill, sbom::bill(&input).expect("a bill"), "the same input gives the same bill");
    bill
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[allow(clippy::disallowed_methods, reason = "a chore must not depend on crates/run, which it also checks")]
fn metadata() -> Value {
    let arguments = ["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[test]
fn the_bill_has_the_shape_of_cyclonedx() {
    let bill = bill();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["specVersion"], "1.5");
    assert_eq!(bill["version"], 1);
    assert_eq!(bill["metadata"]["timestamp"], "2026-11-21T12:00:00Z");
    let serial: Vec<&str> = text(&bill, "serialNumber").trim_start_matches("urn:uuid:").split('-').collect();
    let lengths: Vec<usize> = serial.iter().map(|part| part.len()).collect();
    assert!(lengths == [8, 4, 4, 4, 12] && serial.iter().all(|part| is_hex(part, part.len())), "{serial:?}");
    let main = &bill["metadata"]["component"];
    assert_eq!((text(main, "type"), text(main, "name")), ("application", "trainyard"));
    let place = "?vcs_url=git%2Bhttps://example.com/a/b%400123456789abcdef";
    assert!(text(main, "purl").ends_with(place), "{main}");
    assert_eq!(main["components"][0]["hashes"], json!([{ "alg": "SHA-256", "content": "0".repeat(64) }]));

    let mut refs = BTreeSet::from([text(main, "bom-ref")]);
    for component in list(&bill, "components") {
        let name = text(component, "name");
        for key in ["type", "bom-ref", "name", "version", "purl"] {
            assert!(!text(component, key).is_empty(), "{name} without {key}");
        }
        assert!(refs.insert(text(component, "bom-ref")), "{name} twice");
        let expression = text(&component["licenses"][0], "expression");
        assert!(!expression.is_empty() && !expression.contains('/'), "{name}: `{expression}` is no SPDX expression");
        // What came from a registry has its checksum; the rest is this workspace's, or no package.
        let is_foreign = text(component, "purl").starts_with("pkg:cargo/") && !text(component, "purl").contains('?');
        let hash = &component["hashes"][0];
        assert!(
            !is_foreign || (hash["alg"] == "SHA-256" && is_hex(text(hash, "content"), 64)),
            "{name} without a hash"
        );
        assert!(!text(component, "purl").contains('+'), "{name}: a purl escapes its version");
    }
    let mut told = BTreeSet::new();
    for dependency in list(&bill, "dependencies") {
        told.insert(text(dependency, "ref"));
        for on in list(dependency, "dependsOn") {
            assert!(refs.contains(on.as_str().unwrap_or_default()), "{on} is no component");
        }
    }
    assert_eq!(told, refs, "every component has its dependencies");
}

#[test]
fn the_bill_has_what_is_linked_and_nothing_else() {
    let bill = bill();
    let names: BTreeSet<&str> = list(&bill, "components").iter().map(|component| text(component, "name")).collect();
    for linked in ["trainyard-spec", "trainyard-node", "hyper", "clap", "serde", "rustls", "musl"] {
        assert!(names.contains(linked), "{linked} is linked");
    }
    for other in ["insta", "proptest", "xtask", "testing-specs", "serde_derive", "cc", "windows-sys", "trainyard"] {
        assert!(!names.contains(other), "{other} is not linked");
    }
    let all = bill.to_string();
    assert!(!all.contains("file://"), "no path of this machine is in it");
}

#[test]
fn a_package_that_nobody_knows_is_refused() {
    let metadata = json!({ "packages": [], "resolve": { "nodes": [] } });
    let linked = BTreeMap::from([(TARGET.to_owned(), BTreeSet::from(["registry#nothing@1.0.0".to_owned()]))]);
    let input = Input {
        metadata: &metadata,
        lock: "",
        linked: &linked,
        beside: &[],
        repository: "",
        commit: "",
        time: "",
        archives: &[],
    };
    let error = sbom::bill(&input).expect_err("nobody knows it");
    assert!(error.contains("registry#nothing@1.0.0"), "{error}");
}

#[test]
fn the_agent_alone_goes_into_no_folder() {
    let out = std::env::temp_dir().join("trainyard-no-such-folder");
    let asked =
        dist::Request { root: root().to_owned(), out: Some(out.clone()), targets: Vec::new(), is_agent_only: true };
    let error = dist::run(&asked, &|_| ()).expect_err("a refusal");
    assert!(error.contains("--agent-only writes no folder"), "{error}");
    assert!(!out.exists());
}
