//! Xids: the kernel log and NVML's events, brought together in one ledger.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use trainyard_plan::metrics::xid as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::events::{Event, Events, Severity};
use crate::files::{names, word};
use crate::kernel_log::{KernelLog, Offset, Progress, Record, boot_microseconds};
use crate::sheet::{Labels, Sheet};
use crate::xid::catalog::{self, Action};
use crate::xid::{Counted, Inbox, Ledger, Line, Sighting, Source, Store, Uuids, bus_id, parse};

pub(super) static COLLECTOR: Kind = Kind {
    name: "xid",
    about: "Xids of GPUs and SXids of NVSwitches",
    // It writes what it counted, and waits for the disk.
    lane: Lane::Own,
    scope: Scope::MachineUnlessReplayed,
    make: |setting| {
        let is_wanted = setting.replay.is_some() || has_nvidia(&setting.roots.sys);
        is_wanted.then(|| Box::new(Xid::new(setting)) as _)
    },
};

/// More than a machine has.
const PCI_DEVICES_MAX: usize = 4096;

/// What is told in one collection; a storm of more is summed up.
const EVENTS_MAX: usize = 32;

/// Where the log was read to is kept so often while nothing is counted, so that a restart does not read all of it again.
const KEPT_EVERY: Duration = Duration::from_mins(10);

/// For the collector of GPUs to say which there are, once. Shorter than a round may take.
const GPUS_PATIENCE: Duration = Duration::from_secs(1);

/// Whether the machine has anything that reports Xids. The driver may come later, what is plugged in does not.
fn has_nvidia(sys: &Path) -> bool {
    let devices = sys.join("bus/pci/devices");
    names(&devices, PCI_DEVICES_MAX)
        .iter()
        .any(|name| word(&devices.join(name).join("vendor")).is_some_and(|vendor| vendor == "0x10de"))
}

struct Xid {
    log: KernelLog,
    is_replayed: bool,
    boot: String,
    /// The clock of the log against that of NVML's events.
    offset: Offset,
    /// When the log was last read to its end.
    through: Option<u64>,
    is_behind: bool,
    has_run: bool,
    uuids: Uuids,
    inbox: Inbox,
    ledger: Ledger,
    store: Store,
    saved: Instant,
    /// What was wrong with what was kept.
    loaded: Option<Problem>,
    labels: Labels,
    events: Events,
}

/// One that was counted, to be told.
enum News {
    Xid { sighting: Sighting, action: Option<Action>, count: u64, at: Timestamp },
    Sxid { switch: String, pci_bus_id: String, sxid: u32, is_fatal: bool, at: Timestamp },
}

impl Xid {
    fn new(setting: &Setting) -> Self {
        let path = setting.replay.as_ref().map_or_else(|| "/dev/kmsg".into(), |folder| folder.join("kmsg"));
        let mut store = Store::new(setting.state.as_deref());
        let (mut ledger, loaded) = store.load();
        let is_replayed = setting.replay.is_some();
        let boot = word(&setting.roots.proc.join("sys/kernel/random/boot_id")).unwrap_or_default();
        if !is_replayed {
            ledger.begin(&boot);
        }
        Self {
            log: KernelLog::new(path),
            is_replayed,
            boot,
            offset: if is_replayed { Offset::none() } else { Offset::unknown(boot_microseconds()) },
            through: None,
            is_behind: false,
            has_run: false,
            uuids: Uuids::default(),
            inbox: setting.xids.clone(),
            ledger,
            store,
            saved: Instant::now(),
            loaded,
            labels: setting.replay_labels(),
            events: setting.events.clone(),
        }
    }

    fn read_log(&mut self, news: &mut Vec<News>) -> Result<(), Problem> {
        match self.log.open() {
            Ok(Some(name)) => {
                // Another file is another boot for a replay, which has none of its own.
                let boot = if self.is_replayed { &name } else { &self.boot };
                let cursor = self.ledger.begin(boot);
                self.log.after(cursor);
            }
            Ok(None) => {}
            Err(error) if self.is_replayed && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.unread_log(error)),
        }
        for gpu in self.inbox.gpus().iter() {
            self.uuids.learn(gpu.pci_bus_id.clone(), gpu.uuid.clone());
        }
        let before = boot_microseconds();
        let Self { log, ledger, offset, uuids, through, .. } = self;
        let read = log.read(&mut |record| {
            let now = boot_microseconds();
            offset.see(record.microseconds, *through, now);
            take(record, now, offset, uuids, ledger, news);
        });
        ledger.read_to(log.cursor());
        let progress = read.map_err(|error| self.unread_log(error))?;
        self.is_behind = progress == Progress::More;
        self.through = (!self.is_behind).then_some(before);
        Ok(())
    }

    fn unread_log(&self, error: std::io::Error) -> Problem {
        let path = self.log.path().display();
        let sentence = if self.is_replayed {
            format!("{path} cannot be read")
        } else {
            format!("{path} cannot be read, and Xids are only those that NVML tells of; reading it needs CAP_SYSLOG")
        };
        Problem::new(sentence).because(error)
    }

    fn take_events(&mut self, news: &mut Vec<News>) {
        let now = boot_microseconds();
        for mut sighting in self.inbox.take() {
            if let Some(address) = bus_id(&sighting.pci_bus_id) {
                sighting.pci_bus_id = address;
            }
            let at = wall(sighting.boot_microseconds, now);
            if let Counted::New(count) = self.ledger.see(&sighting, self.offset.slack(), at.as_millisecond()) {
                news.push(News::Xid { sighting, action: None, count, at });
            }
        }
    }

    fn put(&self, sheet: &mut Sheet) {
        let gpus = self.inbox.gpus();
        let index = |address: &str| gpus.iter().find(|gpu| gpu.pci_bus_id == address).map(|gpu| gpu.index.to_string());
        let mut seen = Vec::new();
        for (address, xid, tally) in self.ledger.xids() {
            let number = xid.to_string();
            let labels =
                Labels::new(&[("gpu", &index(address).unwrap_or_default()), ("pci_bus_id", address), ("xid", &number)]);
            sheet.put_with(&m::trainyard_xid_total, &labels, tally.count);
            sheet.put_with(&m::trainyard_xid_last_timestamp_seconds, &labels, seconds(tally.last_milliseconds));
            seen.push(xid);
        }
        seen.sort_unstable();
        seen.dedup();
        for entry in seen.into_iter().map(catalog::find) {
            let severity = catalog::severity_name(entry.severity);
            let values = [&entry.xid.to_string(), entry.name, severity, entry.action.name(), entry.meaning];
            sheet.put(&m::trainyard_xid_info, &values, 1_u32);
        }
        for ((switch, address, sxid, is_fatal), tally) in self.ledger.sxids() {
            let is_fatal = if *is_fatal { "1" } else { "0" };
            let values = [switch.as_str(), address.as_str(), &sxid.to_string(), is_fatal];
            sheet.put(&m::trainyard_sxid_total, &values, tally.count);
            sheet.put(&m::trainyard_sxid_last_timestamp_seconds, &values, seconds(tally.last_milliseconds));
        }
        sheet.put(&m::trainyard_xid_left_out_total, &[], self.ledger.left() + self.inbox.dropped());
        sheet.put(&m::trainyard_kernel_log_lost_records_total, &[], self.log.lost());
        sheet.put(&m::trainyard_kernel_log_behind, &[], self.is_behind);
    }

    fn tell(&self, news: &[News]) {
        for news in news.iter().take(EVENTS_MAX) {
            self.events.tell(event(news, &self.inbox));
        }
        if let Some(more) = news.get(EVENTS_MAX..).filter(|more| !more.is_empty()) {
            let text = format!("{} more Xids came up at once; trainyard_xid_total counts them all.", more.len());
            let fields = json!({ "more": more.len() }).as_object().cloned().unwrap_or_default();
            self.events.tell(Event { at: Timestamp::now(), kind: "xid", severity: Severity::Error, text, fields });
        }
    }

    fn keep(&mut self) -> Result<(), Problem> {
        if self.store.is_behind(&self.ledger) || self.saved.elapsed() > KEPT_EVERY {
            self.saved = Instant::now();
            self.store.save(&self.ledger)?;
        }
        Ok(())
    }
}

impl Collector for Xid {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        // A series that has a GPU's number from its second sample on would be another one than that of its first.
        if !std::mem::replace(&mut self.has_run, true) {
            self.inbox.wait(GPUS_PATIENCE);
        }
        let mut news = Vec::new();
        // The log first: it names processes, and NVML's events then find their own.
        let read = self.read_log(&mut news);
        self.take_events(&mut news);
        self.tell(&news);
        self.put(sheet);
        let kept = self.keep();
        match self.loaded.take() {
            Some(problem) => Err(problem),
            None => read.and(kept),
        }
    }

    fn constant_labels(&self) -> Labels {
        self.labels.clone()
    }
}

/// What one record of the log tells.
fn take(record: &Record, now: u64, offset: &Offset, uuids: &mut Uuids, ledger: &mut Ledger, news: &mut Vec<News>) {
    let Some(line) = parse(record.text) else { return };
    let boot_microseconds = offset.monotonic(record.microseconds);
    let at = wall(if offset.is_none() { now } else { boot_microseconds }, now);
    match line {
        Line::Gpu { pci_bus_id, uuid } => uuids.learn(pci_bus_id, uuid),
        Line::Xid { gpu, xid, pid, action } => {
            let pci_bus_id = uuids.address(gpu);
            let sighting = Sighting { source: Source::KernelLog, pci_bus_id, xid, pid, boot_microseconds };
            if let Counted::New(count) = ledger.see(&sighting, offset.slack(), at.as_millisecond()) {
                news.push(News::Xid { sighting, action, count, at });
            }
        }
        Line::Sxid { switch, pci_bus_id, sxid, is_fatal } => {
            let key = (switch.clone(), pci_bus_id.clone(), sxid, is_fatal);
            if let Counted::New(_) = ledger.see_switch(key, at.as_millisecond()) {
                news.push(News::Sxid { switch, pci_bus_id, sxid, is_fatal, at });
            }
        }
    }
}

/// A time since boot by the wall clock as it is set now; none lies in the future.
fn wall(boot_microseconds: u64, now: u64) -> Timestamp {
    let ago = Duration::from_micros(now.saturating_sub(boot_microseconds));
    let wall = Timestamp::now();
    wall.checked_sub(ago).unwrap_or(wall)
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds since the epoch have 41 bits")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1e3
}

fn event(news: &News, inbox: &Inbox) -> Event {
    let (at, kind, severity, text, fields) = match news {
        News::Xid { sighting, action, count, at } => {
            let Sighting { pci_bus_id, xid, pid, .. } = sighting;
            let gpu = inbox.gpus().iter().find(|gpu| gpu.pci_bus_id == *pci_bus_id).map(|gpu| gpu.index);
            let entry = catalog::find(*xid);
            let action = action.unwrap_or(entry.action);
            let gpu_name = gpu.map(|gpu| format!("{gpu} ")).unwrap_or_default();
            let process = pid.map(|pid| format!(" in process {pid}")).unwrap_or_default();
            let text = format!(
                "GPU {gpu_name}at {pci_bus_id} had Xid {xid}{process}: {}; {}.",
                entry.meaning,
                action.instruction()
            );
            let fields = json!({
                "xid": xid, "name": entry.name, "gpu": gpu, "pci_bus_id": pci_bus_id, "pid": pid,
                "action": action.name(), "count": count,
            });
            (at, "xid", severity_of(entry.severity, action), text, fields)
        }
        News::Sxid { switch, pci_bus_id, sxid, is_fatal, at } => {
            let (severity, what, next) = if *is_fatal {
                (Severity::Error, "fatal", "drain the node and reset its GPUs and switches, or reboot it")
            } else {
                (Severity::Warning, "not fatal", Action::Monitor.instruction())
            };
            let text = format!("{switch} at {pci_bus_id} had SXid {sxid}, which is {what}: {next}.");
            let fields = json!({ "sxid": sxid, "nvswitch": switch, "pci_bus_id": pci_bus_id, "fatal": is_fatal });
            (at, "sxid", severity, text, fields)
        }
    };
    Event { at: *at, kind, severity, text, fields: fields.as_object().cloned().unwrap_or_default() }
}

/// What a message asks for can be worse than its number says.
fn severity_of(severity: Severity, action: Action) -> Severity {
    match action {
        Action::ResetGpu | Action::Reboot | Action::Isolate | Action::ContactSupport => severity.max(Severity::Error),
        _ => severity,
    }
}

#[cfg(test)]
mod tests;
