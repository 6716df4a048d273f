//! What Xids mean, how bad they are, and what to do: reviewed data, a line each.

use std::sync::LazyLock;

use crate::events::Severity;

/// What an Xid asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: the driver dealt with it.
    Ignore,
    /// To be watched: often enough, it becomes something else.
    Monitor,
    /// The program that it hit has to begin again; the GPU is well.
    RestartApplication,
    /// The GPU must be reset, with nothing on it.
    ResetGpu,
    /// The node must be started anew.
    Reboot,
    /// The node must take no work until somebody has looked at it.
    Isolate,
    /// Nothing that can be done here.
    ContactSupport,
    /// What to do stands in the message itself.
    ReadMessage,
}

impl Action {
    /// As it stands in the catalogue and in a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Monitor => "monitor",
            Self::RestartApplication => "restart_application",
            Self::ResetGpu => "reset_gpu",
            Self::Reboot => "reboot",
            Self::Isolate => "isolate",
            Self::ContactSupport => "contact_support",
            Self::ReadMessage => "read_message",
        }
    }

    /// What somebody should do, as the end of a sentence.
    pub fn instruction(self) -> &'static str {
        match self {
            Self::Ignore => "nothing has to be done",
            Self::Monitor => "watch whether it comes again",
            Self::RestartApplication => "start the program again, and look for the fault in it if it comes again",
            Self::ResetGpu => "drain the node and reset the GPU (nvidia-smi --gpu-reset)",
            Self::Reboot => "drain the node and reboot it",
            Self::Isolate => "drain the node and leave it so until the hardware was looked at",
            Self::ContactSupport => "drain the node and ask the vendor's support",
            Self::ReadMessage => "its line in the kernel log says what to do",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Ignore,
            Self::Monitor,
            Self::RestartApplication,
            Self::ResetGpu,
            Self::Reboot,
            Self::Isolate,
            Self::ContactSupport,
            Self::ReadMessage,
        ];
        all.into_iter().find(|action| action.name() == name)
    }
}

/// One Xid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The number.
    pub xid: u32,
    /// NVIDIA's name of it.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What to do.
    pub action: Action,
    /// Who says so.
    pub source: &'static str,
    /// What it means, as part of a sentence.
    pub meaning: &'static str,
}

/// One that is not in the catalogue, as one of a newer driver.
const UNKNOWN: Entry = Entry {
    xid: 0,
    name: "",
    severity: Severity::Warning,
    action: Action::Monitor,
    source: "",
    meaning: "this Xid is not in the agent's catalogue",
};

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| include_str!("catalog.tsv").lines().filter_map(read).collect());

/// What is known of an Xid.
pub fn find(xid: u32) -> Entry {
    let known = ENTRIES.binary_search_by_key(&xid, |entry| entry.xid).ok().and_then(|at| ENTRIES.get(at));
    known.copied().unwrap_or(Entry { xid, ..UNKNOWN })
}

/// How bad, as a label.
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A line, unless it is a comment or the head.
fn read(line: &'static str) -> Option<Entry> {
    let mut fields = line.split('\t');
    let xid = fields.next()?.parse().ok()?;
    let name = fields.next()?;
    let severity = match fields.next()? {
        "info" => Severity::Info,
        "warning" => Severity::Warning,
        "error" => Severity::Error,
        _ => return None,
    };
    let action = Action::named(fields.next()?)?;
    let (source, meaning) = (fields.next()?, fields.next()?);
    fields.next().is_none().then_some(Entry { xid, name, severity, action, source, meaning })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_and_in_order() {
        let text = include_str!("catalog.tsv");
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("xid\t")).count();
        assert_eq!(ENTRIES.len(), lines);
        assert!(ENTRIES.len() > 100 && ENTRIES.is_sorted_by(|a, b| a.xid < b.xid));
        for entry in &*ENTRIES {
            assert!(["aws", "catalog"].contains(&entry.source), "{entry:?}");
            assert!(entry.meaning.len() > 10 && !entry.meaning.ends_with('.') && !entry.name.is_empty(), "{entry:?}");
        }
    }

    #[test]
    fn actions_are_those_that_were_reviewed() {
        let reviewed: &[(Action, &[u32])] = &[
            (Action::Isolate, &[54]),
            (Action::Reboot, &[79, 151, 168]),
            (Action::ResetGpu, &[48, 64, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158, 74]),
            (Action::Monitor, &[144, 145, 146, 147, 148, 149, 150, 159, 162, 163, 164, 165]),
            (Action::RestartApplication, &[13, 31, 94, 126]),
            (Action::Ignore, &[43, 63, 92, 121]),
            (Action::ReadMessage, &[154]),
            (Action::ContactSupport, &[81, 125, 157]),
        ];
        for (action, xids) in reviewed {
            for xid in *xids {
                assert_eq!(find(*xid).action, *action, "{xid}");
                assert_eq!(find(*xid).source, "aws", "{xid}");
            }
        }
        // Nothing else is said to be AWS's.
        let count: usize = reviewed.iter().map(|(_, xids)| xids.len()).sum();
        assert_eq!(ENTRIES.iter().filter(|entry| entry.source == "aws").count(), count);
    }

    #[test]
    fn what_is_in_no_catalogue_is_said_to_be_so() {
        assert_eq!(find(9999), Entry { xid: 9999, ..UNKNOWN });
    }
}
