//! The live view of a run: what is done scrolls by above it, what goes on is drawn again and again in place.

mod draw;
mod line;
mod run;
mod times;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use trainyard_provider::engine::Event;

use draw::{Size, draw};
use line::Line;
use run::{Run, Said};

/// Between two drawings: clocks go on although nothing happens.
const PAUSE: Duration = Duration::from_millis(100);
/// A terminal that does not say how large it is.
const USUAL: Size = Size { width: 80, height: 24 };

/// The view, with the thread that keeps it going.
pub struct Live {
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
}

struct Shared {
    view: Mutex<View>,
    ends: Condvar,
}

struct View {
    run: Run,
    begun: Instant,
    silent: Duration,
    colour: bool,
    /// What was said while the view was silent.
    held_back: Vec<Said>,
    region: Region,
    is_over: bool,
}

impl Live {
    /// A view that shows nothing while it is `silent`.
    pub fn new(silent: Duration) -> Self {
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        let view = View {
            run: Run::default(),
            begun: Instant::now(),
            silent,
            colour,
            held_back: Vec::new(),
            region: Region::default(),
            is_over: false,
        };
        let shared = Arc::new(Shared { view: Mutex::new(view), ends: Condvar::new() });
        let kept = Arc::clone(&shared);
        // Without the thread the view moves with events only.
        let keeper = std::thread::Builder::new().name("live".to_owned()).spawn(move || keep(&kept)).ok();
        Self { shared, keeper }
    }

    /// Hears an event.
    pub fn hear(&self, event: &Event) {
        let mut view = self.shared.lock();
        let now = view.begun.elapsed();
        let said = view.run.hear(event, now);
        view.held_back.extend(said);
        match event {
            // These may come fast: the next drawing shows them.
            Event::Progress { .. } => {}
            Event::End | Event::Failed { required: true, .. } => view.clear(),
            _ => view.show(),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut view = self.shared.lock();
        view.clear();
        view.is_over = true;
        drop(view);
        self.shared.ends.notify_all();
        if let Some(keeper) = self.keeper.take() {
            // It only draws; what went wrong there is gone with the view.
            let _ = keeper.join();
        }
    }
}

fn keep(shared: &Shared) {
    let mut view = shared.lock();
    while !view.is_over {
        if view.run.current.is_some() {
            view.show();
        }
        view = shared.ends.wait_timeout(view, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    fn show(&mut self) {
        let size = size();
        let lines = draw(&self.run, size, self.begun.elapsed());
        self.write(&lines, size.width);
    }

    /// Takes the view away; what was said stays.
    fn clear(&mut self) {
        self.write(&[], size().width);
    }

    fn write(&mut self, lines: &[Line], width: usize) {
        let is_nothing = lines.is_empty() && self.held_back.is_empty() && self.region.widths.is_empty();
        if is_nothing || self.begun.elapsed() < self.silent {
            return;
        }
        let said: Vec<Line> = self.held_back.drain(..).map(|said| said.line(width)).collect();
        let text = self.region.redraw(&said, lines, Columns { width: width + 1, colour: self.colour });
        // In one piece, so that no half of it is ever seen. A broken terminal stops no cluster.
        let mut terminal = std::io::stderr().lock();
        let _ = terminal.write_all(text.as_bytes());
        let _ = terminal.flush();
    }
}

/// The last column stays empty: terminals differ in what they do after a letter in it.
fn size() -> Size {
    let told = console::Term::stderr().size_checked().filter(|(rows, columns)| *rows > 0 && *columns > 0);
    let size = told.map_or(USUAL, |(rows, columns)| Size { width: columns.into(), height: rows.into() });
    Size { width: size.width - 1, ..size }
}

/// What is on the terminal, to be drawn over.
#[derive(Debug, Default)]
struct Region {
    widths: Vec<usize>,
}

/// How wide the terminal is, and whether it has colours.
#[derive(Debug, Clone, Copy)]
struct Columns {
    width: usize,
    colour: bool,
}

impl Region {
    /// What to write so that `said` stays and `lines` stand in place of those before. Nothing is erased before it is
    /// written over, so nothing flickers.
    fn redraw(&mut self, said: &[Line], lines: &[Line], columns: Columns) -> String {
        // In a terminal that became narrower, lines were broken.
        let rows: usize = self.widths.iter().map(|width| width.div_ceil(columns.width.max(1)).max(1)).sum();
        let mut text = if rows > 0 { format!("\x1b[{rows}A\r") } else { "\r".to_owned() };
        for line in said.iter().chain(lines) {
            text += &line.styled(columns.colour);
            text += "\x1b[K\n";
        }
        if rows > 0 {
            text += "\x1b[J";
        }
        self.widths = lines.iter().map(Line::width).collect();
        text
    }
}
