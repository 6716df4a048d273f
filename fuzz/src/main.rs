//! The program of the targets: under libFuzzer with `--features libfuzzer`, otherwise one that lists them, writes their seeds
//! and reads given inputs again.
#![cfg_attr(feature = "libfuzzer", no_main)]

/// Which target libFuzzer runs: its own arguments are libFuzzer's.
#[cfg(feature = "libfuzzer")]
static TARGET: std::sync::LazyLock<&trainyard_fuzz::Target> = std::sync::LazyLock::new(|| {
    let name = std::env::var("TRAINYARD_FUZZ").unwrap_or_default();
    trainyard_fuzz::find(&name).unwrap_or_else(|| panic!("TRAINYARD_FUZZ={name} names no target"))
});

#[cfg(feature = "libfuzzer")]
libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));

#[cfg(not(feature = "libfuzzer"))]
fn main() -> std::process::ExitCode {
    use std::io::Write as _;

    let arguments: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["list"] => list(),
        ["seeds", name, folder] => target(name).and_then(|target| write_seeds(target, folder)),
        ["run", name, files @ ..] if !files.is_empty() => target(name).and_then(|target| run(target, files)),
        _ => Err(std::io::Error::other("usage: trainyard-fuzz list | seeds TARGET FOLDER | run TARGET FILE...")),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(feature = "libfuzzer"))]
fn target(name: &str) -> std::io::Result<&'static trainyard_fuzz::Target> {
    let none = || std::io::Error::other(format!("there is no target {name}; see: trainyard-fuzz list"));
    trainyard_fuzz::find(name).ok_or_else(none)
}

#[cfg(not(feature = "libfuzzer"))]
fn list() -> std::io::Result<()> {
    use std::io::Write as _;

    let mut out = std::io::stdout();
    trainyard_fuzz::TARGETS.iter().try_for_each(|target| writeln!(out, "{:16} {}", target.name, target.about))
}

#[cfg(not(feature = "libfuzzer"))]
fn write_seeds(target: &trainyard_fuzz::Target, folder: &str) -> std::io::Result<()> {
    fs_err::create_dir_all(folder)?;
    for (number, seed) in (target.seeds)().iter().enumerate() {
        fs_err::write(format!("{folder}/seed-{number:03}"), seed)?;
    }
    Ok(())
}

#[cfg(not(feature = "libfuzzer"))]
fn run(target: &trainyard_fuzz::Target, files: &[&str]) -> std::io::Result<()> {
    files.iter().try_for_each(|file| fs_err::read(file).map(|data| (target.run)(&data)))
}
