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
    replay: Mutex<Option<String>>,
}

type Listener = Box<dyn Fn(&Event) + Send>;

impl Events {
    /// From now on, what is told comes from this replay, and says so: nobody drains a node for it.
    pub fn are_replayed(&self, profile: &str) {
        *self.inner.replay.lock().unwrap_or_else(PoisonError::into_inner) = Some(profile.to_owned());
    }

    /// Tells one.
    pub fn tell(&self, mut event: Event) {
        if let Some(profile) = &*self.inner.replay.lock().unwrap_or_else(PoisonError::into_inner) {
            event.text = format!("in a replay of {profile}: {}", event.text);
            event.fields.insert("replay".to_owned(), profile.clone().into());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replayed_says_so_to_people_and_programs() {
        let event = || Event {
            at: Timestamp::UNIX_EPOCH,
            kind: "xid",
            severity: Severity::Error,
            text: "GPU 3 had Xid 79".to_owned(),
            fields: Map::new(),
        };
        let events = Events::default();
        events.tell(event());
        events.clone().are_replayed("p5");
        events.tell(event());
        let told = events.kept();
        assert_eq!(
            told.iter().map(|event| event.text.as_str()).collect::<Vec<_>>(),
            ["GPU 3 had Xid 79", "in a replay of p5: GPU 3 had Xid 79"]
        );
        assert_eq!((told[0].fields.get("replay"), &told[1].fields["replay"]), (None, &Value::from("p5")));
    }
}
