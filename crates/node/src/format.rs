//! The two text formats.

/// The longest label value that is shown; the rest of a longer one is left out. A path has up to 4096 bytes, and nobody
/// reads more than this of it.
pub(crate) const LABEL_BYTES_MAX: usize = 512;

/// What is shown of a label's value. Whoever tells values apart takes this of each: two that differ only behind it would be one
/// series twice.
pub(crate) fn label(value: &str) -> &str {
    &value[..value.floor_char_boundary(LABEL_BYTES_MAX)]
}

/// How the text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`, which every Prometheus reads.
    Classic,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

impl Format {
    /// What the reader of an `Accept` header gets.
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Classic }
    }

    /// The answer's type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}
