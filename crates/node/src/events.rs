//! What the agent noticed and somebody should know: an Xid, a job whose fabric stands still. Told once, when it begins.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// The newest that `/api/v1/snapshot` shows.
const KEPT: usize = 256;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody should look.
    Warning,
    /// Work is lost or will be.
    Error,
}

/// One thing that was noticed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When it happened, or was noticed.
    pub at: Timestamp,
    /// What kind of thing, in words with underscores: `xid`, `silent_tcp`.
    pub kind: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence: what, where, and what to do next.
    pub text: String,
    /// The same for programs.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// Where events go. Clones are the same place.
#[derive(Clone, Default)]
pub struct Events {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    kept: Mutex<VecDeque<Event>>,
    listener: Mutex<Option<Listener>>,
}

type Listener = Box<dyn Fn(&Event) + Send>;

impl Events {
    /// Tells one.
    pub fn tell(&self, event: Event) {
        if let Some(listener) = &*self.inner.listener.lock().unwrap_or_else(PoisonError::into_inner) {
            listener(&event);
        }
        let mut kept = self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(event);
    }

    /// Has each event told to this as well, for the log.
    pub fn listen(&self, listener: Listener) {
        *self.inner.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// The newest ones, oldest first.
    pub fn kept(&self) -> Vec<Event> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
