//! What went wrong, what caused it, and what to type next.

use std::error::Error;
use std::fmt;

/// Whose fault it is: decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The checked thing is bad (exit 1).
    Bad,
    /// The command cannot be meant (exit 2).
    Usage,
    /// The machine or the cloud said no (exit 3).
    Refused,
    /// Stopped half-way; the same command resumes (exit 4).
    Interrupted,
    /// A defect of ours (exit 5).
    Internal,
}

/// One sentence, its cause, and hints. A failure adds its own sentence and never repeats its source.
#[derive(Debug)]
pub struct Failure {
    /// Whose fault it is.
    pub kind: Kind,
    /// What happened.
    pub what: String,
    /// What to do next, each a sentence or a command.
    pub hints: Vec<String>,
    /// What caused it.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), hints: Vec::new(), source: None }
    }

    /// The checked thing is bad.
    pub fn bad(what: impl Into<String>) -> Self {
        Self::new(Kind::Bad, what)
    }

    /// The command cannot be meant.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what)
    }

    /// The machine or the cloud said no.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::new(Kind::Refused, what)
    }

    /// Stopped half-way.
    pub fn interrupted(what: impl Into<String>) -> Self {
        Self::new(Kind::Interrupted, what)
    }

    /// A defect of ours.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(Kind::Internal, what)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// This failure as the cause of a larger one of the same kind; its hints move along.
    #[must_use]
    pub fn within(mut self, what: impl Into<String>) -> Self {
        let (kind, hints) = (self.kind, std::mem::take(&mut self.hints));
        Self { kind, what: what.into(), hints, source: Some(Box::new(self)) }
    }

    /// The sentence and all causes, one a line.
    pub fn chain(&self) -> Vec<String> {
        let mut chain = vec![self.what.clone()];
        let mut next = self.source();
        while let Some(error) = next {
            chain.push(error.to_string());
            next = error.source();
        }
        chain
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<trainyard_run::RunError> for Failure {
    fn from(error: trainyard_run::RunError) -> Self {
        let kind =
            if matches!(error, trainyard_run::RunError::Cancelled { .. }) { Kind::Interrupted } else { Kind::Refused };
        Self::new(kind, error.to_string())
    }
}

impl From<trainyard_plan::NotRehearsed> for Failure {
    fn from(error: trainyard_plan::NotRehearsed) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // fs-err has put the path and the operation into the message.
        Self::refused(error.to_string())
    }
}

/// A system call's refusal, with what it was for.
pub(crate) fn system<T>(result: nix::Result<T>, what: &str) -> Result<T, Failure> {
    result.map_err(|error| Failure::refused(format!("the system does not let trainyard {what}")).caused_by(error))
}
