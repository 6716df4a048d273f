//! The house rules: the repository keeps them, and each check finds what breaks it.
//!
//! Every case is a sound little tree with one thing changed; what is found must be exactly what the case says.

use std::fs;
use std::path::Path;

use xtask::tidy::{self, CHECKS, Violation};

const SCHEMA_LINE: &str = "# yaml-language-server: $schema=../docs/trainyard.schema.json\n";

/// A tree that breaks nothing: every crate, every registry, and every thing that a rule allows.
const SOUND: &[(&str, &str)] = &[
    ("Cargo.toml", "[workspace]\n[workspace.dependencies]\ntrainyard-spec = { path = \"crates/spec\" }\n"),
    ("crates/spec/Cargo.toml", "[package]\nname = \"trainyard-spec\"\n[dependencies]\nserde = \"1\"\n"),
    ("crates/spec/src/rules/mod.rs", "//! Rules.\nmod a;\npub static RULES: &[&Rule] = &[\n    &a::RULE,\n];\n"),
    ("crates/spec/src/rules/a.rs", "//! A: see std::fs.\nconst NAME: &str = env!(\"CARGO_PKG_NAME\");\n"),
    ("crates/spec/tests/check.rs", "use std::fs;\nfn f() { println!(); }\n"),
    (
        "crates/plan/Cargo.toml",
        "[package]\nname = \"trainyard-plan\"\n[dependencies]\ntrainyard-spec.workspace = true\n",
    ),
    ("crates/plan/src/artifacts/mod.rs", "//! Kinds.\nmod a;\npub static KINDS: &[&Kind] = &[&a::KIND];\n"),
    ("crates/plan/src/aws/stacks/mod.rs", "//! Stacks.\nmod a;\npub static STACKS: &[&Kind] = &[&a::STACK];\n"),
    ("crates/plan/src/aws/stacks/a.rs", "//! A.\n"),
    ("crates/plan/src/metrics/mod.rs", "//! Metrics.\nmod a;\nstatic TABLES: &[&Table] = &[&a::TABLE];\n"),
    ("crates/plan/src/metrics/a.rs", "//! A.\n"),
    ("crates/node/src/collect/mod.rs", "//! Kinds.\nmod a;\npub static COLLECTORS: &[&Kind] = &[&a::COLLECTOR];\n"),
    ("crates/node/src/collect/a.rs", "//! A.\n"),
    ("fuzz/Cargo.toml", "[package]\nname = \"trainyard-fuzz\"\n[dependencies]\ntrainyard-spec.workspace = true\n"),
    ("fuzz/src/targets/mod.rs", "//! Targets.\nmod a;\npub static TARGETS: &[&Target] = &[&a::TARGET];\n"),
    ("fuzz/src/targets/a.rs", "//! A.\n"),
    ("crates/plan/src/artifacts/a.rs", "//! A.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n"),
    (
        "crates/run/Cargo.toml",
        "[package]\nname = \"trainyard-run\"\n[dev-dependencies]\ntesting-specs.workspace = true\n",
    ),
    ("testing/specs/Cargo.toml", "[package]\nname = \"testing-specs\"\n"),
    ("crates/run/src/lib.rs", "//! Run.\nuse std::process::Command;\n"),
    (
        "crates/provider/Cargo.toml",
        "[package]\nname = \"trainyard-provider\"\n[dependencies]\ntokio = \"1\"\naws-config = \"1\"\n",
    ),
    ("crates/provider/src/lib.rs", "//! Provider: `/fsx/Users/` and TODO(#12).\nuse std::{fs, process};\n"),
    ("crates/provider/src/aws/mod.rs", PROVIDER),
    ("crates/plan/src/aws/iam/calls.tsv", CALLS),
    ("crates/plan/src/aws/iam/scope.tsv", "a:*\t*\twhy\nb:*\t*\twhy\n"),
    ("crates/node/Cargo.toml", "[package]\nname = \"trainyard-node\"\n"),
    ("crates/node/src/gpus/nvml_ffi.rs", "//! NVML.\nunsafe fn f() {}\n"),
    ("crates/collectives/Cargo.toml", "[package]\nname = \"trainyard-collectives\"\n"),
    ("crates/collectives/src/lib.rs", "//! Collectives.\nunsafe fn f() {}\n"),
    (
        "crates/cli/Cargo.toml",
        "[package]\nname = \"trainyard\"\n[dependencies]\ntrainyard-spec.workspace = true\n\
         trainyard-provider = { path = \"../provider\" }\ntrainyard-node = { path = \"../node\" }\ntokio = \"1\"\n",
    ),
    (
        "crates/cli/src/commands/mod.rs",
        "//! Commands.\nmacro_rules! commands { ($($module:ident: $name:ident,)+) => {}; }\n\
         commands! {\n    up: Up,\n    #[command(hide = true)]\n    supervisor: Supervisor,\n}\n",
    ),
    ("crates/cli/src/commands/up.rs", "//! Up.\n"),
    ("crates/cli/src/commands/supervisor.rs", "//! Supervisor.\nfn f() { std::io::stdout(); }\n"),
    ("crates/cli/src/ui/mod.rs", "//! Draws.\nfn f() { println!(); std::io::stderr(); }\n"),
    ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
    ("xtask/src/main.rs", "//! Chores.\nfn f() { println!(); std::process::Command::new(\"x\"); }\n"),
    ("xtask/src/tidy/mod.rs", "//! Checks.\nmod a;\npub static CHECKS: &[&Check] = &[&a::CHECK];\n"),
    ("xtask/src/tidy/a.rs", "//! TODO and /Users/.\n"),
    ("xtask/src/generate/mod.rs", "//! References.\npub static REFERENCES: &[&Reference] = &[];\n"),
    ("examples/a.yaml", "# yaml-language-server: $schema=../docs/trainyard.schema.json\nversion: 1\n"),
    ("examples/train/job.yaml", "version: 1\n"),
    ("target/CACHEDIR.TAG", ""),
    ("target/debug/out.rs", "TODO"),
];

/// A provider that makes each kind of call.
const PROVIDER: &str = r#"//! AWS.
struct Account { a: aws_sdk_a::Client }
static B: Service = Service { name: "b", protocol: P("1") };
impl Account {
    async fn call<F: Fn(u8)>(&self, map: Map<u8, u8>, service: &'static Service, operation: &'static str) {}
}
async fn ask(account: &Account, operation: &'static str) { account.call(m, &B, operation).await }
fn f(account: &Account) {
    account.a.get_item_v2().send().map_err(|e| Refused::new("a:GetItemV2", &e));
    account.call(m(1, 2), &B, "One");
    ask(account, "Two").map(|x, y| y);
    account.other("a:NoCallAtAll it only looks like one");
}
#[cfg(test)]
mod tests { fn f() { account.a.list(); g("a:Tested") } }
"#;

/// Its table.
const CALLS: &str = "a:GetItemV2\ta:Get\tup\twhy\nb:One\tb:One\tup\twhy\nb:Two\t-\tup\twhy\n";

/// One thing that breaks a check.
struct Case {
    /// The check that must find it.
    rule: &'static str,
    /// The file that is written over the sound tree.
    path: &'static str,
    text: &'static str,
    /// Every finding, as `path:line`.
    found: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        rule: "readable",
        path: "crates/run/src/lib.rs",
        text: "//! Run.\nfn f() {\n",
        found: &["crates/run/src/lib.rs:2"],
    },
    // Calls.
    Case {
        rule: "calls",
        path: "crates/provider/src/aws/more.rs",
        text: "//! More.\nfn f() {\n    account.a.put_item();\n    account.call(m, &B, \"Three\");\n    super::ask(\"Four\");\n    \
                 g(\"c:Five\");\n    account.call(m, &B, name);\n    account.call(m, &C, \"Six\");\n}\n",
        found: &[
            "crates/provider/src/aws/more.rs:3",
            "crates/provider/src/aws/more.rs:4",
            "crates/provider/src/aws/more.rs:6",
            "crates/provider/src/aws/more.rs:7",
            "crates/provider/src/aws/more.rs:8",
        ],
    },
    Case {
        rule: "calls",
        path: "crates/plan/src/aws/iam/calls.tsv",
        text: "a:GetItemV2\ta:Get\tup\twhy\nb:One\tb:One\tup\twhy\nb:Ten\tc:Ten\tup\twhy\nb:Two\t-\tup\twhy\n",
        found: &["crates/plan/src/aws/iam/calls.tsv:3", "crates/plan/src/aws/iam/calls.tsv:3"],
    },
    Case {
        rule: "calls",
        path: "crates/plan/src/aws/iam/calls.tsv",
        text: "b:One\tb:One\tup\twhy\na:GetItemV2\ta:Get\tup\twhy\n",
        found: &["crates/plan/src/aws/iam/calls.tsv:2"],
    },
    // Arrows.
    Case {
        rule: "arrows",
        path: "crates/spec/Cargo.toml",
        text: "[package]\nname = \"trainyard-spec\"\n[dependencies]\nserde = \"1\"\n\
                 trainyard-plan = { path = \"../plan\" }\n",
        found: &["crates/spec/Cargo.toml:5"],
    },
    Case {
        rule: "arrows",
        path: "crates/node/Cargo.toml",
        text: "[package]\nname = \"trainyard-node\"\n\n[dev-dependencies]\n\
                 trainyard-provider = { path = \"../provider\" }\n",
        found: &["crates/node/Cargo.toml:5"],
    },
    Case {
        rule: "arrows",
        path: "crates/provider/Cargo.toml",
        text: "[package]\nname = \"trainyard-provider\"\n[target.'cfg(unix)'.build-dependencies]\n\
                 trainyard = { path = \"../cli\" }\n",
        found: &["crates/provider/Cargo.toml:4"],
    },
    // Renamed: the package counts, not the name that the manifest gives it.
    Case {
        rule: "arrows",
        path: "crates/run/Cargo.toml",
        text: "[package]\nname = \"trainyard-run\"\n[dependencies]\n\
                 asked = { path = \"../spec\", package = \"trainyard-spec\" }\n",
        found: &["crates/run/Cargo.toml:4"],
    },
    Case {
        rule: "arrows",
        path: "crates/plan/Cargo.toml",
        text: "[package]\nname = \"trainyard-plan\"\n[dependencies]\n[dependencies.trainyard-run]\npath = \"../run\"\n",
        found: &["crates/plan/Cargo.toml:4"],
    },
    Case {
        rule: "arrows",
        path: "crates/plan/Cargo.toml",
        text: "[package]\nname = \"trainyard-plan\"\n[dependencies]\ntesting-specs.workspace = true\n",
        found: &["crates/plan/Cargo.toml:4"],
    },
    Case {
        rule: "arrows",
        path: "testing/specs/Cargo.toml",
        text: "[package]\nname = \"testing-specs\"\n[dev-dependencies]\n\
                 trainyard-provider = { path = \"../../crates/provider\" }\n",
        found: &["testing/specs/Cargo.toml:4"],
    },
    Case {
        rule: "arrows",
        path: "crates/extra/Cargo.toml",
        text: "[package]\nname = \"trainyard-extra\"\n",
        found: &["crates/extra/Cargo.toml:2"],
    },
    Case {
        rule: "arrows",
        path: "xtask/Cargo.toml",
        text: "[package]\nname = \"xtask\"\n[dependencies]\ntrainyard-spec.workspace = true\n",
        found: &["xtask/Cargo.toml:4"],
    },
    Case {
        rule: "arrows",
        path: "fuzz/Cargo.toml",
        text: "[package]\nname = \"trainyard-fuzz\"\n[dependencies]\ntesting-specs.workspace = true\n",
        found: &["fuzz/Cargo.toml:4"],
    },
    Case { rule: "arrows", path: "crates/run/Cargo.toml", text: "[package\n", found: &["crates/run/Cargo.toml:1"] },
    // Bans.
    Case {
        rule: "bans",
        path: "crates/spec/Cargo.toml",
        text: "[package]\nname = \"trainyard-spec\"\n[dependencies]\nfs-err = \"3\"\n[dev-dependencies]\n\
                 tokio-util = \"1\"\ntokio = \"1\"\n",
        found: &["crates/spec/Cargo.toml:4", "crates/spec/Cargo.toml:7"],
    },
    Case {
        rule: "bans",
        path: "crates/node/Cargo.toml",
        text: "[package]\nname = \"trainyard-node\"\n[dependencies]\naws-sdk-s3 = \"1\"\n",
        found: &["crates/node/Cargo.toml:4"],
    },
    Case {
        rule: "bans",
        path: "crates/cli/Cargo.toml",
        text: "[package]\nname = \"trainyard\"\n[dependencies]\n\
                 cloud = { version = \"1\", package = \"aws-config\" }\n",
        found: &["crates/cli/Cargo.toml:4"],
    },
    Case {
        rule: "bans",
        path: "crates/spec/src/rules/a.rs",
        text: "//! A.\nuse std::{\n    collections::BTreeMap,\n    fs::{self, File},\n};\n\n\
                 fn f() { fs::read(\"x\"); }\n",
        found: &["crates/spec/src/rules/a.rs:4", "crates/spec/src/rules/a.rs:4"],
    },
    Case {
        rule: "bans",
        path: "crates/plan/src/artifacts/a.rs",
        text: "//! A.\nuse std::time;\n\nfn f() {\n    let now = time::Instant::now();\n\
                     g(std::env::var(\"X\"));\n    std::io::stdin();\n}\n",
        found: &[
            "crates/plan/src/artifacts/a.rs:5",
            "crates/plan/src/artifacts/a.rs:6",
            "crates/plan/src/artifacts/a.rs:7",
        ],
    },
    Case {
        rule: "bans",
        path: "crates/plan/src/artifacts/a.rs",
        text: "//! A.\nuse std::time::*;\n",
        found: &["crates/plan/src/artifacts/a.rs:2"],
    },
    // Prints.
    Case {
        rule: "prints",
        path: "crates/cli/src/commands/up.rs",
        text: "//! Up.\nfn f() {\n    let it = \"println!\";\n    anstream::eprintln!(\"{it}\");\n}\n",
        found: &["crates/cli/src/commands/up.rs:4"],
    },
    Case {
        rule: "prints",
        path: "crates/provider/src/lib.rs",
        text: "//! Provider.\nuse std::io::{self, Write};\nfn f() {\n    writeln!(io::stdout(), \"x\");\n\
                     dbg!(1);\n}\n",
        found: &["crates/provider/src/lib.rs:4", "crates/provider/src/lib.rs:5"],
    },
    // The exception is for the pipe, not for the file.
    Case {
        rule: "prints",
        path: "crates/cli/src/commands/supervisor.rs",
        text: "//! Supervisor.\nfn f() {\n    std::io::stdout();\n    std::io::stderr();\n}\n",
        found: &["crates/cli/src/commands/supervisor.rs:4"],
    },
    // Processes.
    Case {
        rule: "processes",
        path: "crates/provider/src/lib.rs",
        text: "//! Provider.\nuse std::process;\nfn f() {\n    process::Command::new(\"x\");\n\
                     std::process::exit(1);\n    process::id();\n}\n",
        found: &["crates/provider/src/lib.rs:4", "crates/provider/src/lib.rs:5"],
    },
    Case {
        rule: "processes",
        path: "crates/cli/src/commands/up.rs",
        text: "//! Up.\nuse std::process::{Child, Command as Start};\nfn f() { Start::new(\"x\"); }\n",
        found: &["crates/cli/src/commands/up.rs:2"],
    },
    Case {
        rule: "processes",
        path: "crates/run/src/lib.rs",
        text: "//! Run.\nuse std::process::Command;\n#[cfg(test)]\nmod tests {\n\
                     fn f() { std::process::exit(0); }\n}\n",
        found: &["crates/run/src/lib.rs:5"],
    },
    // Unsafe.
    Case {
        rule: "unsafe",
        path: "crates/node/src/lib.rs",
        text: "//! Node: unsafe.\n#![forbid(unsafe_code)]\nfn f() {\n    unsafe { g() }\n}\n",
        found: &["crates/node/src/lib.rs:4"],
    },
    // Lists.
    Case {
        rule: "lists",
        path: "crates/spec/src/rules/b.rs",
        text: "//! B.\n",
        found: &["crates/spec/src/rules/b.rs:1", "crates/spec/src/rules/b.rs:1"],
    },
    Case {
        rule: "lists",
        path: "crates/spec/src/rules/mod.rs",
        text: "//! Rules.\nmod a;\npub static RULES: &[&Rule] = &[];\n",
        found: &["crates/spec/src/rules/a.rs:1"],
    },
    Case {
        rule: "lists",
        path: "crates/plan/src/artifacts/mod.rs",
        text: "//! Kinds.\nmod a;\nmod b { static KIND: Kind = Kind; }\npub static KINDS: &[&Kind] = &[\n\
                     &a::KIND,\n    &b::KIND,\n    &a::KIND,\n];\n",
        found: &["crates/plan/src/artifacts/mod.rs:6", "crates/plan/src/artifacts/mod.rs:7"],
    },
    Case {
        rule: "lists",
        path: "crates/cli/src/commands/down.rs",
        text: "//! Down.\n",
        found: &["crates/cli/src/commands/down.rs:1"],
    },
    Case {
        rule: "lists",
        path: "crates/cli/src/commands/mod.rs",
        text: "//! Commands.\ncommands! {\n    up: Up,\n    supervisor: Supervisor,\n    gone: Gone,\n}\n",
        found: &["crates/cli/src/commands/mod.rs:5"],
    },
    Case {
        rule: "lists",
        path: "xtask/src/generate/mod.rs",
        text: "//! References, in a list of another name.\npub static FILES: &[&Reference] = &[];\n",
        found: &["xtask/src/generate/mod.rs:1"],
    },
    // Layout.
    Case { rule: "layout", path: "testing/utils/run.sh", text: "true\n", found: &["testing/utils:1"] },
    Case {
        rule: "layout",
        path: "crates/provider/src/helpers.rs",
        text: "//! Helpers.\n",
        found: &["crates/provider/src/helpers.rs:1"],
    },
    Case {
        rule: "layout",
        path: "crates/provider/src/lib.rs",
        text: "//! Provider.\n\nmod common {\n}\n",
        found: &["crates/provider/src/lib.rs:3"],
    },
    Case {
        rule: "layout",
        path: "crates/run/Cargo.toml",
        text: "[package]\nversion = \"1\"\nname = \"trainyard-core\"\n",
        found: &["crates/run/Cargo.toml:3"],
    },
    Case {
        rule: "layout",
        path: "crates/provider/src/lib.rs",
        text: "// Provider.\n",
        found: &["crates/provider/src/lib.rs:1"],
    },
    // Unfinished.
    Case {
        rule: "unfinished",
        path: "crates/plan/templates/job.sh",
        text: "# TODO(#7): later\n# TODO: never\n# FIXME(me)\n",
        found: &["crates/plan/templates/job.sh:2", "crates/plan/templates/job.sh:3"],
    },
    Case {
        rule: "unfinished",
        path: "crates/spec/tests/check.rs",
        text: "fn f() {\n    todo!()\n}\nfn g() {\n    unimplemented!(\"x\")\n}\n",
        found: &["crates/spec/tests/check.rs:2", "crates/spec/tests/check.rs:5"],
    },
    // Machine paths.
    Case {
        rule: "machine-paths",
        path: "testing/run.sh",
        text: "cd $HOME/Users/\ncd /Users/me\n",
        found: &["testing/run.sh:2"],
    },
    // Examples.
    Case { rule: "examples", path: "examples/a.yaml", text: "version: 1\n", found: &["examples/a.yaml:1"] },
];

#[test]
fn the_repository_keeps_its_rules() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let violations = tidy::check(own.parent().expect("a workspace"));
    assert!(violations.is_empty(), "\n{}\n", lines(&violations, Violation::to_string));
}

#[test]
fn a_sound_tree_breaks_nothing() {
    let violations = check_with("examples/b.yaml", SCHEMA_LINE);
    assert!(violations.is_empty(), "\n{}\n", lines(&violations, Violation::to_string));
}

#[test]
fn each_check_finds_what_breaks_it() {
    for Case { rule, path, text, found } in CASES {
        let violations = check_with(path, text);
        let expected = found.iter().map(|place| format!("{place}: {rule}")).collect::<Vec<_>>().join("\n");
        let told = lines(&violations, |it| format!("{}:{}: {}", it.path, it.line, it.rule));
        assert_eq!(told, expected, "{rule}: {path}:\n{text}");
    }
}

#[test]
fn a_long_file_is_found_where_it_becomes_too_long() {
    let at_the_limit = format!("//! Node.\n{}", "\n".repeat(499));
    assert_eq!(check_with("crates/node/src/lib.rs", &at_the_limit), []);
    let violations = check_with("crates/node/src/lib.rs", &format!("{at_the_limit}\n"));
    assert_eq!(
        lines(&violations, |it| format!("{}:{}: {}", it.path, it.line, it.rule)),
        "crates/node/src/lib.rs:501: layout"
    );
}

#[test]
fn no_check_is_without_a_case() {
    for check in CHECKS {
        assert!(CASES.iter().any(|case| case.rule == check.name), "no case breaks `{}`: {}", check.name, check.about);
    }
}

#[test]
fn a_finding_says_what_why_and_what_to_do() {
    let violations = check_with("examples/a.yaml", "version: 1\n");
    assert_eq!(
        violations[0].to_string(),
        "examples/a.yaml:1: examples: the first line does not name the schema, but people copy examples, and with that \
         line their editor checks while they type; begin with `# yaml-language-server: \
         $schema=../docs/trainyard.schema.json`"
    );
}

/// What is found in the sound tree with one more, or another, file.
fn check_with(path: &str, text: &str) -> Vec<Violation> {
    let root = tempfile::tempdir().expect("a folder");
    for (path, text) in SOUND.iter().chain([&(path, text)]) {
        let file = root.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, text).expect("written");
    }
    tidy::check(root.path())
}

fn lines(violations: &[Violation], line: impl Fn(&Violation) -> String) -> String {
    violations.iter().map(line).collect::<Vec<_>>().join("\n")
}
