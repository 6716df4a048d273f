//! A run of the engine: a live line on a terminal, plain lines elsewhere, JSON lines for programs.
//! Silent for the first 250 ms: what is that quick needs no talk.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trainyard_provider::engine::{Event, Reporter};

use super::Format;

const SILENT: Duration = Duration::from_millis(250);

/// Draws events.
pub struct Progress {
    format: Format,
    bar: Option<ProgressBar>,
    begun: Instant,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    held_back: Vec<String>,
    current: String,
    last_text: String,
}

impl Progress {
    pub(super) fn new(format: Format, is_terminal: bool) -> Self {
        let bar = (is_terminal && format == Format::Text).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("  {spinner} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Self { format, bar, begun: Instant::now(), state: RefCell::default() }
    }

    fn line(&self, text: String) {
        let mut state = self.state.borrow_mut();
        state.held_back.push(text);
        if self.begun.elapsed() >= SILENT {
            for line in state.held_back.drain(..) {
                match &self.bar {
                    Some(bar) => bar.println(line),
                    None => drop(writeln!(anstream::stderr().lock(), "{line}")),
                }
            }
        }
    }

    fn live(&self, text: &str) {
        let mut state = self.state.borrow_mut();
        match &self.bar {
            Some(bar) if self.begun.elapsed() >= SILENT => {
                bar.set_message(text.to_owned());
                bar.tick();
            }
            // Plain lines are told when they change, not again and again.
            None if state.last_text != text && self.begun.elapsed() >= SILENT => {
                text.clone_into(&mut state.last_text);
            }
            _ => {}
        }
    }
}

impl Reporter for Progress {
    fn tell(&self, event: &Event) {
        if self.format == Format::Json {
            // Our own types always serialize.
            let line = serde_json::to_string(event).unwrap_or_default();
            let _ = writeln!(anstream::stdout().lock(), "{line}");
            return;
        }
        match event {
            Event::Begin { .. } => {}
            Event::Skipped { title, .. } => self.line(format!("  \x1b[2m- {title} (stands already)\x1b[0m")),
            Event::Started { title, number, of, .. } => {
                let text = format!("[{number}/{of}] {title}");
                self.live(&text);
                self.state.borrow_mut().current = text;
            }
            Event::Progress { text, .. } => {
                let current = self.state.borrow().current.clone();
                self.live(&format!("{current}: {text}"));
            }
            Event::Done { seconds, .. } => {
                let current = self.state.borrow().current.clone();
                self.line(format!("  \x1b[32m✓\x1b[0m {current} \x1b[2m({seconds:.1} s)\x1b[0m"));
            }
            Event::Failed { required, causes, .. } => {
                let current = self.state.borrow().current.clone();
                let word = if *required { "\x1b[31m✗\x1b[0m" } else { "\x1b[33m!\x1b[0m" };
                self.line(format!("  {word} {current}"));
                if !required {
                    self.line(format!("    went on without it: {}", causes.join(": ")));
                }
            }
            Event::Kept { because, .. } => self.line(format!("  \x1b[2m- kept: {because}\x1b[0m")),
            Event::End => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
