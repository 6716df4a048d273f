//! A run of the engine: a live view on a terminal, plain lines elsewhere, JSON lines for programs.
//! Silent for the first 250 ms: what is that quick needs no talk.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::{Duration, Instant};

use trainyard_provider::engine::{Event, Reporter};

use super::live::Live;
use super::{Format, plain};

const SILENT: Duration = Duration::from_millis(250);
/// Without a terminal, a step that takes long is mentioned this often.
const PLAIN_PAUSE: Duration = Duration::from_secs(10);

/// Tells events to who started the program.
pub enum Progress {
    /// To a program.
    Json,
    /// To people who watch.
    Live(Live),
    /// To people who read later.
    Plain(Lines),
}

impl Progress {
    pub(super) fn new(format: Format, is_terminal: bool) -> Self {
        match format {
            Format::Json => Self::Json,
            Format::Text if is_terminal => Self::Live(Live::new(SILENT)),
            Format::Text => Self::Plain(Lines { begun: Instant::now(), state: RefCell::default() }),
        }
    }
}

impl Reporter for Progress {
    fn tell(&self, event: &Event) {
        match self {
            Self::Json => {
                // Our own types always serialize.
                let line = serde_json::to_string(event).unwrap_or_default();
                let _ = writeln!(anstream::stdout().lock(), "{line}");
            }
            Self::Live(live) => live.hear(event),
            Self::Plain(lines) => lines.hear(event),
        }
    }
}

/// Lines, one below the other.
pub struct Lines {
    begun: Instant,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    held_back: Vec<String>,
    current: String,
    expected_seconds: u64,
    step_begun: Option<Instant>,
    told: Option<Instant>,
}

impl Lines {
    fn line(&self, text: String) {
        self.state.borrow_mut().held_back.push(text);
        self.flush();
    }

    fn flush(&self) {
        if self.begun.elapsed() < SILENT {
            return;
        }
        for line in self.state.borrow_mut().held_back.drain(..) {
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        }
    }

    fn start(&self, text: String, expected_seconds: u64) {
        let mut state = self.state.borrow_mut();
        state.current = text;
        state.expected_seconds = expected_seconds;
        state.step_begun = Some(Instant::now());
        state.told = None;
        drop(state);
        self.flush();
    }

    /// A long step is heard of now and then.
    fn go_on(&self, awaited: &str) {
        self.flush();
        let mut state = self.state.borrow_mut();
        let elapsed = state.step_begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let heard = state.told.or(state.step_begun).map_or(Duration::ZERO, |told| told.elapsed());
        if heard < PLAIN_PAUSE {
            return;
        }
        let awaited = if awaited.is_empty() { String::new() } else { format!(": {}", plain(awaited)) };
        let usual = match state.expected_seconds {
            0 => String::new(),
            seconds => format!(" of about {seconds} s"),
        };
        state.told = Some(Instant::now());
        let line = format!("    {}{awaited} \x1b[2m({} s{usual})\x1b[0m", state.current, elapsed.as_secs());
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }

    fn hear(&self, event: &Event) {
        match event {
            Event::Skipped { title, .. } => self.line(format!("  \x1b[2m- {} (stands already)\x1b[0m", plain(title))),
            Event::Started { title, number, of, expected_seconds, .. } => {
                self.start(format!("[{number}/{of}] {}", plain(title)), *expected_seconds);
            }
            Event::Progress { progress, .. } => self.go_on(&progress.text),
            Event::Done { seconds, .. } => {
                let current = self.state.borrow().current.clone();
                self.line(format!("  \x1b[32m✓\x1b[0m {current} \x1b[2m({seconds:.1} s)\x1b[0m"));
            }
            Event::Failed { required, causes, .. } => {
                let current = self.state.borrow().current.clone();
                let word = if *required { "\x1b[31m✗\x1b[0m" } else { "\x1b[33m!\x1b[0m" };
                self.line(format!("  {word} {current}"));
                if !required {
                    self.line(format!("    went on without it: {}", plain(&causes.join(": "))));
                }
            }
            Event::Kept { step, because } => self.line(format!("  \x1b[2m- {step} stays: {because}\x1b[0m")),
            Event::Begin { .. } | Event::End => {}
        }
    }
}
