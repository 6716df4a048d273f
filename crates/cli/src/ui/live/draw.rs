//! A run as lines: the step that is worked on, what it waits for, and what is left. A function of its arguments.

use std::time::Duration;

use trainyard_provider::{Progress, QueueNodes, Resource, Resources};

use super::line::{Line, Tone, column};
use super::run::{Current, Run};
use super::times::{clock, left};

/// Resources and queues beyond this many are counted only: the view stays in sight with what is above it.
const NAMES_MAX: usize = 5;
const QUEUES_MAX: usize = 8;
/// What takes so long is told with its time.
const NAMED_SECONDS: u64 = 10;
/// Lines that are always there: title, time, stage, all in all, and the cursor's.
const OTHER_LINES: usize = 5;
const NAME_COLUMNS_MAX: usize = 16;
/// It turns, so that one sees that the program lives while nothing changes.
const WHEEL: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const WHEEL_MILLISECONDS: u128 = 100;

/// What may be drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// The view.
pub fn draw(run: &Run, size: Size, now: Duration) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(current) = &run.current {
        let turn = usize::try_from(now.as_millis() / WHEEL_MILLISECONDS % 10).unwrap_or_default();
        let wheel = WHEEL.get(turn).copied().unwrap_or_default();
        lines.push(Line::new(Tone::Good, format!("  {wheel} ")).with(Tone::Plain, current.title.as_str()));
        lines.push(time(current, size.width, now));
        lines.extend(details(&current.progress, size));
    }
    let left = left(run.left(now));
    let left = if left.is_empty() { left } else { format!(", {left}") };
    lines.push(Line::new(Tone::Dim, format!("  {} in all{left}", clock(now))));
    // The last row is the cursor's.
    lines.truncate(size.height.saturating_sub(1));
    lines.into_iter().map(|line| line.fit(size.width)).collect()
}

/// Elapsed against typical.
fn time(current: &Current, width: usize, now: Duration) -> Line {
    let elapsed = current.elapsed(now);
    let typical = Duration::from_secs(current.expected);
    let indent = Line::new(Tone::Plain, "    ");
    if typical.is_zero() {
        return indent.with(Tone::Plain, clock(elapsed));
    }
    let words = if elapsed > typical {
        format!(" {}, usually {}", clock(elapsed), clock(typical))
    } else {
        format!(" {} of about {}", clock(elapsed), clock(typical))
    };
    let columns = bar_columns(width);
    let filled = share(elapsed.as_secs(), typical.as_secs(), columns);
    let tone = if elapsed > typical { Tone::Warm } else { Tone::Good };
    indent.with(tone, "█".repeat(filled)).with(Tone::Dim, "░".repeat(columns - filled)).with(Tone::Plain, words)
}

fn details(progress: &Progress, size: Size) -> Vec<Line> {
    let mut lines = Vec::new();
    let counted = progress.resources.as_ref().map(count);
    let parts: Vec<&str> = [progress.stage.as_deref(), counted.as_deref()].into_iter().flatten().collect();
    let together = Line::new(Tone::Plain, format!("    {}", parts.join("; ")));
    if !parts.is_empty() && together.width() <= size.width {
        lines.push(together);
    } else if !parts.is_empty() {
        lines.extend(parts.iter().map(|part| Line::new(Tone::Plain, format!("    {part}"))));
    } else if progress.queues.is_empty() && !progress.text.is_empty() {
        lines.push(Line::new(Tone::Dim, format!("    {}", progress.text)));
    }
    let queues = queues(&progress.queues, size);
    let room = size.height.saturating_sub(OTHER_LINES - 1 + lines.len() + queues.len()).min(NAMES_MAX);
    let names = progress.resources.as_ref().map(|resources| resources.in_progress.as_slice()).unwrap_or_default();
    lines.extend(first(names.len(), room, |index| {
        let Resource { name, seconds } = &names[index];
        // At first there is nothing to be said about a time.
        let since = if *seconds < NAMED_SECONDS {
            String::new()
        } else {
            format!(", {}", clock(Duration::from_secs(*seconds)))
        };
        Line::new(Tone::Dim, format!("      {name}{since}"))
    }));
    lines.extend(queues);
    lines
}

fn count(resources: &Resources) -> String {
    let done = match (resources.done, resources.of) {
        // An answer may be older than what is known otherwise: nothing is done more than wholly.
        (done, Some(of)) if done <= of => format!("{done} of {of} resources done"),
        (1, _) => "1 resource done".to_owned(),
        (done, _) => format!("{done} resources done"),
    };
    match resources.in_progress.len() {
        0 => done,
        moving => format!("{done}, {moving} in progress"),
    }
}

fn queues(queues: &[QueueNodes], size: Size) -> Vec<Line> {
    let room = size.height.saturating_sub(OTHER_LINES).min(QUEUES_MAX);
    let widest = queues.iter().take(QUEUES_MAX).map(|queue| Line::new(Tone::Plain, queue.name.as_str()).width()).max();
    let names = widest.unwrap_or_default().min(NAME_COLUMNS_MAX);
    let columns = bar_columns(size.width) / 2;
    first(queues.len(), room, |index| {
        let queue = &queues[index];
        let idle = share(queue.idle.unwrap_or_default().into(), queue.asked.into(), columns);
        let running = share(queue.running.into(), queue.asked.into(), columns).max(idle);
        let idle_words = queue.idle.map(|idle| format!(", {idle} idle")).unwrap_or_default();
        let busy = queue.ready.zip(queue.idle).map_or(0, |(ready, idle)| ready.saturating_sub(idle));
        let busy_words = if busy > 0 { format!(", {busy} at work") } else { String::new() };
        Line::new(Tone::Plain, format!("    {} ", column(&queue.name, names)))
            .with(Tone::Good, "█".repeat(idle))
            .with(Tone::Warm, "▒".repeat(running - idle))
            .with(Tone::Dim, "░".repeat(columns - running))
            .with(Tone::Plain, format!(" {} of {} run{idle_words}{busy_words}", queue.running, queue.asked))
    })
}

/// As many lines as there is room for; the last one counts what is left out.
fn first(all: usize, room: usize, line: impl Fn(usize) -> Line) -> Vec<Line> {
    if all <= room {
        return (0..all).map(line).collect();
    }
    let shown = room.saturating_sub(1);
    let more = Line::new(Tone::Dim, format!("      and {} more", all - shown));
    (0..shown).map(line).chain(std::iter::once(more)).take(room).collect()
}

fn bar_columns(width: usize) -> usize {
    match width {
        90.. => 24,
        60..90 => 16,
        _ => 10,
    }
}

/// How many of so many columns a part of a whole fills.
fn share(part: u64, whole: u64, columns: usize) -> usize {
    let filled = u128::from(part.min(whole)) * columns as u128 / u128::from(whole.max(1));
    usize::try_from(filled).unwrap_or(columns).min(columns)
}
