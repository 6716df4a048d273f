//! The program is asked in the same surroundings everywhere, and an answer that names this machine is refused.
//! One test alone: a script that another thread's new process still holds open for writing cannot be started.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use xtask::trainyard::Trainyard;

const SCRIPT: &str = r#"#!/bin/sh
case "$1" in
surroundings) echo "$HOME/.trainyard $COLUMNS $NO_COLOR <$TRAINYARD_HOME><$CARGO_MANIFEST_DIR> $2" ;;
itself) echo "I am $0" ;;
*) echo "no such command" >&2; exit 2 ;;
esac
"#;

#[test]
fn nothing_of_this_machine_gets_into_an_answer() {
    let root = tempfile::tempdir().expect("a folder");
    let program = root.path().join("trainyard");
    assert!(Trainyard::at(&program, root.path()).is_err_and(|error| error.contains("run `cargo build` first")));
    fs::write(&program, SCRIPT).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    let trainyard = Trainyard::at(&program, root.path()).expect("there");
    assert_eq!(trainyard.ask(&["surroundings", "--help"]).as_deref(), Ok("~/.trainyard 100 1 <><> --help\n"));
    let refused = trainyard.ask(&["itself"]).expect_err("a path of this machine");
    assert!(refused.contains("only on this machine"), "{refused}");
    let failed = trainyard.ask(&["wrong"]).expect_err("the program's own failure");
    assert!(failed.contains("exit status: 2") && failed.contains("no such command"), "{failed}");
}
