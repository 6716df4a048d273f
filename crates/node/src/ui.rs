//! What the agent prints: metrics on stdout where it is asked to, everything else on stderr, where systemd's journal
//! takes it.

use std::io::Write as _;
use std::process::ExitCode;

use trainyard_node::conductor::Happening;
use trainyard_node::events::Event;

/// Data, for whoever asked. A reader that went away is no error.
pub(crate) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// One line of talk.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The last line of a run that went wrong.
pub(crate) fn failure(code: u8, sentence: &str) -> ExitCode {
    say(&format!("error: {sentence}"));
    ExitCode::from(code)
}

/// What happened to a collector.
pub(crate) fn happening(happening: &Happening) {
    match happening {
        Happening::Failed(name, problem) => say(&format!("collector {name}: {}", problem.told())),
        Happening::Hangs(name, since) => {
            say(&format!(
                "collector {name}: has not come back for {:.1} s; its last values are shown",
                since.as_secs_f64()
            ));
        }
        Happening::Works(name) => say(&format!("collector {name}: works again")),
    }
}

/// Something that was noticed, as a line of JSON.
pub(crate) fn event(event: &Event) {
    say(&serde_json::to_string(event).unwrap_or_else(|_| event.text.clone()));
}
