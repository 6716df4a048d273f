//! Why something could not be read, in a sentence and its cause.

use std::sync::Arc;

/// Why a collector could not give all that it should.
#[derive(Debug, Clone)]
pub struct Problem {
    sentence: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// A sentence without a full stop.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), source: None }
    }

    /// Why.
    #[must_use]
    pub fn because(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// The sentence, and its cause.
    pub fn told(&self) -> String {
        match &self.source {
            Some(source) => format!("{}: {source}", self.sentence),
            None => self.sentence.clone(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// A file that cannot be read.
pub(crate) fn unread(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Problem {
    let sentence = format!("{} cannot be read", path.display());
    move |error| Problem::new(sentence).because(error)
}

/// A file that does not say what it should.
pub(crate) fn misread(path: &std::path::Path, what: &str) -> Problem {
    Problem::new(format!("{} has no {what}", path.display()))
}
