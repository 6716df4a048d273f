//! Pages of collectors put together as one text: the classic format, or OpenMetrics. Series have the same names, labels
//! and values in both.

use std::collections::BTreeMap;
use std::sync::Arc;

use trainyard_plan::metrics::{Metric, MetricKind};

use crate::sheet::Page;

pub use crate::format::Format;

/// The whole text. A metric must be on one page only.
pub fn write(pages: &[Arc<Page>], format: Format) -> String {
    Blocks::new(pages.to_vec(), format).collect()
}

/// How long a block gets, or as long as one metric's samples are.
const BLOCK_BYTES: usize = 32 << 10;

/// The text of [`write`], block after block: half a megabyte at once would be most of what the agent keeps in memory.
pub struct Blocks {
    pages: std::vec::IntoIter<Arc<Page>>,
    page: Option<Arc<Page>>,
    /// How many of the page's metrics are written, ours before other programs'.
    written: usize,
    format: Format,
}

impl Blocks {
    /// Nothing is written before it is asked for.
    pub fn new(pages: Vec<Arc<Page>>, format: Format) -> Self {
        let mut pages = pages.into_iter();
        let page = pages.next();
        Self { pages, page, written: 0, format }
    }

    /// One metric more, or the next page.
    fn step(&mut self, text: &mut String, page: &Page) {
        if let Some(family) = page.families.get(self.written) {
            describe(text, family.metric, self.format);
            text.extend(page.lines(family));
        } else if let Some(foreign) = page.foreign.get(self.written - page.families.len()) {
            foreign.write(text, self.format);
        } else {
            self.written = 0;
            self.page = self.pages.next();
            if self.page.is_none() && self.format == Format::OpenMetrics {
                text.push_str("# EOF\n");
            }
            return;
        }
        self.written += 1;
    }
}

impl Iterator for Blocks {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut text = String::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 8);
        while text.len() < BLOCK_BYTES {
            let Some(page) = self.page.clone() else { break };
            self.step(&mut text, &page);
        }
        (!text.is_empty()).then_some(text)
    }
}

/// A sample line's name, labels and value. `None` where it is none.
pub fn read_line(line: &str) -> Option<(&str, BTreeMap<String, String>, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = series.split_once('{') else { return Some((series, BTreeMap::new(), value)) };
    let mut rest = labels.strip_suffix('}')?;
    let mut read = BTreeMap::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"")?;
        let mut text = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => match characters.next()? {
                    (_, 'n') => text.push('\n'),
                    (_, other) => text.push(other),
                },
                (_, other) => text.push(other),
            }
        };
        read.insert(label.to_owned(), text);
        let after = after.get(end..)?;
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some((name, read, value))
}

fn describe(text: &mut String, metric: &Metric, format: Format) {
    let (name, kind) = match format {
        Format::Classic => (metric.name, classic_type(metric)),
        Format::OpenMetrics => open_metrics_type(metric),
    };
    let mut line = |word: &str, rest: &str| {
        for part in ["# ", word, " ", name, " ", rest, "\n"] {
            text.push_str(part);
        }
    };
    line("HELP", metric.help);
    line("TYPE", kind);
    // A unit may be declared only where the name of the family ends with it.
    if format == Format::OpenMetrics && metric.is_named_after_its_unit() && name.ends_with(metric.unit()) {
        line("UNIT", metric.unit());
    }
}

fn classic_type(metric: &Metric) -> &'static str {
    match metric.kind {
        MetricKind::counter => "counter",
        MetricKind::gauge | MetricKind::info => "gauge",
        MetricKind::untyped => "untyped",
    }
}

/// OpenMetrics names a counter without its `_total`, and an info without its `_info`. Where the field's name of a counter
/// lacks it, the type is `unknown`: a name that every dashboard uses is worth more than a type.
fn open_metrics_type(metric: &Metric) -> (&'static str, &'static str) {
    match metric.kind {
        MetricKind::counter => match metric.name.strip_suffix("_total") {
            Some(family) => (family, "counter"),
            None => (metric.name, "unknown"),
        },
        MetricKind::gauge => (metric.name, "gauge"),
        MetricKind::untyped => (metric.name, "unknown"),
        MetricKind::info => match metric.name.strip_suffix("_info") {
            Some(family) => (family, "info"),
            None => (metric.name, "gauge"),
        },
    }
}

#[cfg(test)]
mod tests {
    use trainyard_plan::metrics::agent::trainyard_agent_build_info;
    use trainyard_plan::metrics::loadavg::node_load1;
    use trainyard_plan::metrics::process::process_cpu_seconds_total;

    use super::*;
    use crate::sheet::Sheet;

    fn pages() -> Vec<Arc<Page>> {
        let mut sheet = Sheet::default();
        sheet.put(&trainyard_agent_build_info, &["1.2", "arm64"], 1_u32);
        sheet.put(&process_cpu_seconds_total, &[], 2.5);
        let mut other = Sheet::default();
        other.put(&node_load1, &[], 0.25);
        vec![Arc::new(sheet.into_page()), Arc::new(other.into_page())]
    }

    #[test]
    fn both_formats_have_the_same_series() {
        let series = |format| -> Vec<String> {
            write(&pages(), format).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
        };
        assert_eq!(series(Format::Classic), series(Format::OpenMetrics));
    }

    #[test]
    fn a_line_reads_back() {
        let mut sheet = Sheet::default();
        sheet.put(&trainyard_agent_build_info, &["a \"b\" {c},d=\\e\nf", ""], 2.5);
        let text = sheet.into_page().text();
        let (name, labels, value) = read_line(text.trim_end()).unwrap();
        assert_eq!((name, value), ("trainyard_agent_build_info", 2.5));
        assert_eq!(labels["version"], "a \"b\" {c},d=\\e\nf");
        assert_eq!(labels["architecture"], "");
        for bad in ["", "x", "x{ 1", "x{a=\"b 1", "x{a} 1", "x{a=\"\\\"} 1"] {
            assert_eq!(read_line(bad), None, "{bad}");
        }
    }

    #[test]
    fn openmetrics_declares_what_it_knows() {
        insta::assert_snapshot!(write(&pages(), Format::OpenMetrics), @r#"
        # HELP trainyard_agent_build The agent's version.
        # TYPE trainyard_agent_build info
        trainyard_agent_build_info{version="1.2",architecture="arm64"} 1
        # HELP process_cpu_seconds Processor time of the agent, user and system.
        # TYPE process_cpu_seconds counter
        # UNIT process_cpu_seconds seconds
        process_cpu_seconds_total 2.5
        # HELP node_load1 Load average over 1 minute.
        # TYPE node_load1 gauge
        node_load1 0.25
        # EOF
        "#);
    }
}
