//! A run of the engine: a live line on a terminal, plain lines elsewhere, JSON lines for programs.
//! Silent for the first 250 ms: what is that quick needs no talk.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trainyard_provider::engine::{Event, Reporter};

use super::Format;

const SILENT: Duration = Duration::from_millis(250);
/// Without a terminal, a step that takes long is mentioned this often.
const PLAIN_PAUSE: Duration = Duration::from_secs(10);

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
    expected_seconds: u64,
    step_begun: Option<Instant>,
    told: Option<Instant>,
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
        self.state.borrow_mut().held_back.push(text);
        self.flush();
    }

    fn flush(&self) {
        if self.begun.elapsed() < SILENT {
            return;
        }
        for line in self.state.borrow_mut().held_back.drain(..) {
            match &self.bar {
                Some(bar) => bar.println(line),
                None => drop(writeln!(anstream::stderr().lock(), "{line}")),
            }
        }
    }

    fn start(&self, text: String, expected_seconds: u64) {
        let mut state = self.state.borrow_mut();
        state.current = text;
        state.expected_seconds = expected_seconds;
        state.step_begun = Some(Instant::now());
        state.told = None;
        drop(state);
        self.live("");
    }

    /// On a terminal the last line lives; elsewhere a long step is heard of now and then.
    fn live(&self, awaited: &str) {
        self.flush();
        let mut state = self.state.borrow_mut();
        let elapsed = state.step_begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let awaited = if awaited.is_empty() { String::new() } else { format!(": {awaited}") };
        let time = format!("{} s of about {} s", elapsed.as_secs(), state.expected_seconds);
        let text = format!("{}{awaited} \x1b[2m({time})\x1b[0m", state.current);
        if let Some(bar) = &self.bar {
            if self.begun.elapsed() >= SILENT {
                bar.set_message(text);
                bar.tick();
            }
            return;
        }
        let heard = state.told.or(state.step_begun).map_or(Duration::ZERO, |told| told.elapsed());
        if heard >= PLAIN_PAUSE {
            state.told = Some(Instant::now());
            drop(writeln!(anstream::stderr().lock(), "    {text}"));
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
            Event::Started { title, number, of, expected_seconds, .. } => {
                self.start(format!("[{number}/{of}] {title}"), *expected_seconds);
            }
            Event::Progress { progress, .. } => self.live(&progress.text),
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
            Event::Kept { step, because } => self.line(format!("  \x1b[2m- {step} stays: {because}\x1b[0m")),
            Event::End => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
