//! Metrics of other programs. They stand in no table of ours, so what the table says of ours is carried along here: name,
//! type, help. Who makes one has checked its names.

pub mod claims;
pub mod text;

use std::fmt::Write as _;

use crate::format::Format;
use crate::value::Value;

/// The types that the classic text format has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the format's own words")]
pub enum ForeignKind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Untyped,
}

impl ForeignKind {
    /// By its name in the classic text format.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Counter, Self::Gauge, Self::Histogram, Self::Summary, Self::Untyped];
        all.into_iter().find(|kind| kind.classic() == name)
    }

    fn classic(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }
}

/// A metric of another program.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignFamily {
    /// What its samples are called, but for the endings of histograms and summaries.
    pub name: String,
    /// Its type.
    pub kind: ForeignKind,
    /// What it is, in plain text; may be empty.
    pub help: String,
    /// Its values.
    pub samples: Vec<ForeignSample>,
}

/// One of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignSample {
    /// The name of its series.
    pub name: String,
    /// Names and values.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: Value,
}

impl ForeignFamily {
    /// What OpenMetrics calls it.
    pub fn open_metrics_name(&self) -> &str {
        match self.kind {
            ForeignKind::Counter => self.name.strip_suffix("_total").unwrap_or(&self.name),
            _ => &self.name,
        }
    }

    /// All names that it has in either format.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let samples = self.samples.iter().map(|sample| sample.name.as_str());
        [self.name.as_str(), self.open_metrics_name()].into_iter().chain(samples)
    }
}

/// One as it is exposed: its lines are made, what describes them depends on the format.
#[derive(Debug, PartialEq)]
pub struct ForeignLines {
    /// Without its samples.
    pub(crate) family: ForeignFamily,
    /// Names of series and their lines; those of one name stand together.
    pub(crate) lines: Vec<(String, String)>,
}

impl ForeignLines {
    /// All of it, in this format.
    pub fn write(&self, text: &mut String, format: Format) {
        let ForeignFamily { name, kind, help, .. } = &self.family;
        match (format, kind) {
            (Format::Classic, _) => describe(text, name, help, kind.classic(), format),
            (Format::OpenMetrics, ForeignKind::Counter) if name.ends_with("_total") => {
                describe(text, self.family.open_metrics_name(), help, "counter", format);
            }
            (Format::OpenMetrics, ForeignKind::Gauge) => describe(text, name, help, "gauge", format),
            (Format::OpenMetrics, ForeignKind::Counter | ForeignKind::Untyped) => {
                describe(text, name, help, "unknown", format);
            }
            // What OpenMetrics asks of buckets and quantiles is more than the classic format holds a program to. Each
            // name on its own is of no type, and has the same series.
            (Format::OpenMetrics, ForeignKind::Histogram | ForeignKind::Summary) => {
                let mut before = "";
                for (name, line) in &self.lines {
                    if name != before {
                        describe(text, name, help, "unknown", format);
                        before = name;
                    }
                    text.push_str(line);
                }
                return;
            }
        }
        text.extend(self.lines.iter().map(|(_, line)| line.as_str()));
    }

    /// Its lines, whatever the format.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().map(|(name, line)| (name.as_str(), line.as_str()))
    }
}

fn describe(text: &mut String, name: &str, help: &str, kind: &str, format: Format) {
    if !help.is_empty() {
        let mut help = help.replace('\\', "\\\\").replace('\n', "\\n");
        if format == Format::OpenMetrics {
            help = help.replace('"', "\\\"");
        }
        let _ = writeln!(text, "# HELP {name} {help}");
    }
    let _ = writeln!(text, "# TYPE {name} {kind}");
}
