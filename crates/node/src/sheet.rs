//! What one collector found in one run: samples, written as they will be read.
//!
//! A sample line is the same in the classic text format and in OpenMetrics, so lines are made once, when a value is
//! read; an exposition puts them together.

use std::collections::HashSet;
use std::ops::Range;

use trainyard_plan::metrics::Metric;

use crate::foreign::{ForeignFamily, ForeignLines};
use crate::format::label;
use crate::value::{Value, put_value};

/// The most series that one collector may have, unless it asks for another limit: a node with 200 disks and 100
/// interfaces needs some 10,000.
pub const SERIES_MAX: usize = 20_000;

/// Samples while they are collected.
#[derive(Debug, Default)]
pub struct Sheet {
    text: String,
    runs: Vec<Run>,
    families: Vec<Family>,
    /// The family of the last run.
    family: usize,
    series: usize,
    foreign: Vec<ForeignLines>,
    /// `,name="value"` for every line.
    constant: String,
    limit: Option<usize>,
    dropped: u64,
}

/// Samples of one metric that came one after the other.
#[derive(Debug, PartialEq)]
struct Run {
    lines: Range<usize>,
    /// The metric's next run.
    next: Option<usize>,
}

/// Label names and values, escaped once for many samples; each with a comma before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(String);

impl Labels {
    /// From names and values, in this order.
    pub fn new(pairs: &[(&str, &str)]) -> Self {
        let mut labels = Self::default();
        for (name, value) in pairs {
            labels.add(name, value);
        }
        labels
    }

    /// These, and then others.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.push_str(&others.0);
        self
    }

    /// One more.
    pub fn add(&mut self, name: &str, value: &str) {
        put_label(&mut self.0, name, value);
    }
}

impl Sheet {
    /// One whose every sample also has these labels.
    pub fn with_constant(labels: &Labels) -> Self {
        Self { constant: labels.0.clone(), ..Self::default() }
    }

    /// Makes room for as much as there was last time: a text that grows is copied again and again.
    #[must_use]
    pub fn as_long_as(mut self, last: &Page) -> Self {
        self.text.reserve(room(last.text.len()));
        self.runs.reserve(last.runs.len());
        self.families.reserve(last.families.len());
        self
    }

    /// Lets this sheet have so many series; what comes beyond is counted and left out.
    pub fn limit(&mut self, series: usize) {
        self.limit = Some(series);
    }

    /// One sample. `values` are those of the metric's labels, in the table's order.
    pub fn put(&mut self, metric: &'static Metric, values: &[&str], value: impl Into<Value>) {
        debug_assert_eq!(metric.labels.len(), values.len(), "labels of {}", metric.name);
        let Some(start) = self.begin(metric) else { return };
        for (index, (name, text)) in metric.labels.iter().zip(values).enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            put_pair(&mut self.text, name, text);
        }
        self.end(metric, start, value.into());
    }

    /// One sample with labels that were made before.
    pub fn put_with(&mut self, metric: &'static Metric, labels: &Labels, value: impl Into<Value>) {
        let Some(start) = self.begin(metric) else { return };
        put_made(&mut self.text, false, &labels.0);
        self.end(metric, start, value.into());
    }

    /// One sample with labels that were made before, and others after them.
    pub fn put_and(
        &mut self,
        metric: &'static Metric,
        labels: &Labels,
        more: &[(&str, &str)],
        value: impl Into<Value>,
    ) {
        let Some(start) = self.begin(metric) else { return };
        put_made(&mut self.text, false, &labels.0);
        for (index, (name, text)) in more.iter().enumerate() {
            self.text.push(if index == 0 && labels.0.is_empty() { '{' } else { ',' });
            put_pair(&mut self.text, name, text);
        }
        self.end(metric, start, value.into());
    }

    /// Where there is a value. One that is not known is left out, never written as 0.
    pub fn put_known(&mut self, metric: &'static Metric, labels: &Labels, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put_with(metric, labels, value);
        }
    }

    /// Another program's metric. Labels of ours that it has too are called `exported_…` there, as Prometheus does.
    pub fn put_foreign(&mut self, mut family: ForeignFamily) {
        let mut lines = Vec::with_capacity(family.samples.len());
        let mut series = HashSet::with_capacity(family.samples.len());
        let is_ours = |name: &str| self.constant.contains(&format!(",{name}=\""));
        for sample in family.samples.drain(..) {
            let mut labels = String::new();
            // No label may be there twice: Prometheus would throw the whole scrape away.
            let mut taken: Vec<String> = sample.labels.iter().map(|(name, _)| name.clone()).collect();
            for (name, value) in &sample.labels {
                let mut shown = name.clone();
                while is_ours(&shown) || (shown != *name && taken.contains(&shown)) {
                    shown.insert_str(0, "exported_");
                }
                put_label(&mut labels, &shown, value);
                taken.push(shown);
            }
            labels.push_str(&self.constant);
            let mut line = sample.name.clone();
            if let Some(labels) = labels.strip_prefix(',') {
                line.extend(["{", labels, "}"]);
            }
            // Two whose labels were told apart by a name of ours alone are one now.
            if !series.insert(line.clone()) {
                self.dropped += 1;
                continue;
            }
            line.push(' ');
            put_value(&mut line, sample.value);
            line.push('\n');
            lines.push((sample.name, line));
        }
        // Stable: values of one name stay in their order.
        lines.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.foreign.push(ForeignLines { family, lines });
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.series
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.series == 0
    }

    fn begin(&mut self, metric: &'static Metric) -> Option<usize> {
        if self.series >= self.limit.unwrap_or(SERIES_MAX) {
            self.dropped += 1;
            return None;
        }
        let start = self.text.len();
        self.text.push_str(metric.name);
        Some(start)
    }

    fn end(&mut self, metric: &'static Metric, start: usize, value: Value) {
        let has_labels = self.text.len() > start + metric.name.len();
        put_made(&mut self.text, has_labels, &self.constant);
        self.text.push_str(if has_labels || !self.constant.is_empty() { "} " } else { " " });
        put_value(&mut self.text, value);
        self.text.push('\n');
        self.series += 1;
        let end = self.text.len();
        match (self.runs.last_mut(), self.families.get_mut(self.family)) {
            (Some(run), Some(family)) if std::ptr::eq(family.metric, metric) => {
                run.lines.end = end;
                family.series += 1;
            }
            _ => self.begin_run(metric, start..end),
        }
    }

    fn begin_run(&mut self, metric: &'static Metric, lines: Range<usize>) {
        let run = self.runs.len();
        self.runs.push(Run { lines, next: None });
        let is_it = |family: &Family| std::ptr::eq(family.metric, metric);
        // Devices follow one another with the same metrics in the same order: nearly always it is the next one.
        let next = self.family + 1;
        let known =
            if self.families.get(next).is_some_and(is_it) { Some(next) } else { self.families.iter().position(is_it) };
        self.family = known.unwrap_or(self.families.len());
        let Some(family) = self.families.get_mut(self.family) else {
            self.families.push(Family { metric, runs: run..run, series: 1 });
            return;
        };
        if let Some(last) = self.runs.get_mut(family.runs.end) {
            last.next = Some(run);
        }
        family.runs.end = run;
        family.series += 1;
    }

    /// The finished page: samples of one metric together, metrics in the order in which they came up.
    pub fn into_page(self) -> Page {
        let Self { text, runs, families, foreign, dropped, .. } = self;
        Page { text, runs, families, foreign, dropped }
    }
}

/// A collector's samples, a metric's together.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// In the order in which they were read: to sort them would need a second text of that length.
    text: String,
    runs: Vec<Run>,
    /// The metrics that have samples.
    pub families: Vec<Family>,
    /// Those of other programs.
    pub foreign: Vec<ForeignLines>,
    /// Samples that were left out.
    pub dropped: u64,
}

/// The samples of one metric.
#[derive(Debug, PartialEq)]
pub struct Family {
    /// Which.
    pub metric: &'static Metric,
    /// The first run, and the last one.
    runs: Range<usize>,
    /// How many.
    pub series: usize,
}

impl Page {
    /// The sample lines of a family, each with its newline, in as many pieces as they came in.
    pub fn lines(&self, family: &Family) -> impl Iterator<Item = &str> {
        let first = self.runs.get(family.runs.start);
        let runs = std::iter::successors(first, |run| self.runs.get(run.next?));
        runs.filter_map(|run| self.text.get(run.lines.clone()))
    }

    /// How many series there are, those of other programs included.
    pub fn series(&self) -> usize {
        let own: usize = self.families.iter().map(|family| family.series).sum();
        own + self.foreign.iter().map(|foreign| foreign.lines().count()).sum::<usize>()
    }

    /// All samples' lines of ours.
    pub fn text(&self) -> String {
        self.families.iter().flat_map(|family| self.lines(family)).collect()
    }
}

/// Room for a text that was so long last time, and grows by some digits. One of a size that comes again takes the place of
/// the one before it; sizes that creep would leave holes in the memory that only the next larger one could use.
pub(crate) fn room(length: usize) -> usize {
    let step = if length < 16 << 10 { 1 << 10 } else { 32 << 10 };
    (length + length / 32).next_multiple_of(step)
}

/// Labels that were made before, each with a comma before it, after others or as the first.
fn put_made(text: &mut String, is_after_others: bool, labels: &str) {
    match labels.strip_prefix(',') {
        Some(first) if !is_after_others => {
            text.push('{');
            text.push_str(first);
        }
        _ => text.push_str(labels),
    }
}

fn put_label(text: &mut String, name: &str, value: &str) {
    text.push(',');
    put_pair(text, name, value);
}

fn put_pair(text: &mut String, name: &str, value: &str) {
    text.reserve(name.len() + value.len() + 4);
    text.push_str(name);
    text.push_str("=\"");
    let value = label(value);
    if !value.bytes().any(|byte| matches!(byte, b'\\' | b'"' | b'\n')) {
        text.push_str(value);
        text.push('"');
        return;
    }
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            _ => text.push(character),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trainyard_plan::metrics::agent::{
        node_scrape_collector_duration_seconds as duration, node_scrape_collector_success as success,
        trainyard_agent_scrapes_total,
    };
    use trainyard_plan::metrics::loadavg::node_load1;

    use super::*;

    #[test]
    fn samples_of_one_metric_stand_together_whenever_they_came() {
        let mut sheet = Sheet::default();
        sheet.put(&duration, &["cpu"], 0.5);
        sheet.put(&success, &["cpu"], true);
        sheet.put(&duration, &["disk \"x\"\\\n"], 2e-7);
        sheet.put(&success, &["disk"], 0_u32);
        let page = sheet.into_page();
        assert_eq!(
            page.text(),
            "node_scrape_collector_duration_seconds{collector=\"cpu\"} 0.5\n\
             node_scrape_collector_duration_seconds{collector=\"disk \\\"x\\\"\\\\\\n\"} 0.0000002\n\
             node_scrape_collector_success{collector=\"cpu\"} 1\n\
             node_scrape_collector_success{collector=\"disk\"} 0\n"
        );
        assert_eq!(page.families.iter().map(|family| family.series).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn constant_labels_are_on_every_line() {
        let mut sheet = Sheet::with_constant(&Labels::new(&[("replay", "p5")]));
        sheet.put(&node_load1, &[], f64::NAN);
        sheet.put(&success, &["efa"], u64::MAX);
        let page = sheet.into_page();
        let expected = "node_load1{replay=\"p5\"} NaN\n\
                        node_scrape_collector_success{collector=\"efa\",replay=\"p5\"} 18446744073709551615\n";
        assert_eq!(page.text(), expected);
    }

    #[test]
    fn what_passes_the_limit_is_counted_and_left_out() {
        let mut sheet = Sheet::default();
        sheet.limit(2);
        for number in 0..5_u32 {
            sheet.put(&success, &[&number.to_string()], number);
        }
        let page = sheet.into_page();
        assert_eq!((page.families[0].series, page.dropped), (2, 3));
    }

    proptest! {
        #[test]
        fn samples_in_any_order_stand_as_if_they_were_sorted(order in prop::collection::vec(0..4_usize, 0..60)) {
            let metrics = [&duration, &success, &node_load1, &trainyard_agent_scrapes_total];
            let mut sheet = Sheet::default();
            for (number, metric) in order.iter().enumerate() {
                sheet.put_with(metrics[*metric], &Labels::default(), number);
            }
            let first = |metric| order.iter().position(|other| *other == metric);
            let mut sorted: Vec<(usize, usize)> = order.iter().copied().enumerate().collect();
            sorted.sort_by_key(|(number, metric)| (first(*metric), *number));
            let line = |(number, metric): (usize, usize)| format!("{} {number}\n", metrics[metric].name);
            let expected: String = sorted.into_iter().map(line).collect();
            prop_assert_eq!(sheet.into_page().text(), expected);
        }

        #[test]
        fn any_label_is_one_line_that_reads_back(value in ".{0,600}") {
            let mut sheet = Sheet::default();
            sheet.put(&success, &[&value], 1_u32);
            let text = sheet.into_page().text();
            let line = text.strip_suffix("\"} 1\n").and_then(|text| text.split_once("=\"")).unwrap().1;
            prop_assert!(!line.contains('\n'));
            let read = line.replace("\\\\", "\u{0}").replace("\\n", "\n").replace("\\\"", "\"").replace('\u{0}', "\\");
            let is_its_beginning = value.replace('\u{0}', "\\").starts_with(&read);
            prop_assert!(is_its_beginning, "{}", read);
            prop_assert!(read.len() >= value.len().min(crate::format::LABEL_BYTES_MAX - 4));
        }
    }
}
