//! Xids: errors that NVIDIA's driver reports, by number. Every one is counted once, whichever way it is heard of.

pub mod catalog;
mod ledger;
mod line;
mod state;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::kernel_log::boot_microseconds;
pub use ledger::{Counted, Ledger, Tally};
pub use line::{Line, Uuids, parse};
pub use state::Store;

/// More than all GPUs of a node report between two collections, unless something repeats itself without end.
const SIGHTINGS_MAX: usize = 4096;

/// More than a node has.
const GPUS_MAX: usize = 64;

/// Who told of an Xid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An event of NVML's. It does not say which process it was.
    Nvml,
    /// A line of the kernel log.
    KernelLog,
}

/// One Xid, as one source told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Who told.
    pub source: Source,
    /// The GPU, as [`bus_id`] writes it.
    pub pci_bus_id: String,
    /// The number.
    pub xid: u32,
    /// The process, where it is known.
    pub pid: Option<u32>,
    /// When, by [`boot_microseconds`].
    pub boot_microseconds: u64,
}

/// What is known of a GPU besides its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGpu {
    /// Its address, as [`bus_id`] writes it.
    pub pci_bus_id: String,
    /// NVML's number of it.
    pub index: u32,
    /// `GPU-…`.
    pub uuid: String,
}

/// Where NVML's Xids are handed in, and what it knows of the GPUs. Clones are the same place.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    inner: Arc<(Mutex<Inner>, Condvar)>,
}

#[derive(Debug, Default)]
struct Inner {
    sightings: VecDeque<Sighting>,
    gpus: Arc<[KnownGpu]>,
    /// Somebody will tell which GPUs there are.
    is_expected: bool,
    dropped: u64,
}

impl Inbox {
    /// Hands one in. Where nobody takes them out, the oldest make room, and are counted.
    pub fn put(&self, sighting: Sighting) {
        let mut inner = self.lock();
        if inner.sightings.len() == SIGHTINGS_MAX {
            inner.sightings.pop_front();
            inner.dropped += 1;
        }
        inner.sightings.push_back(sighting);
    }

    /// Tells which GPUs there are.
    pub fn know(&self, mut gpus: Vec<KnownGpu>) {
        gpus.truncate(GPUS_MAX);
        self.lock().gpus = gpus.into();
        self.inner.1.notify_all();
    }

    /// Promises to tell which GPUs there are.
    pub fn expect(&self) {
        self.lock().is_expected = true;
    }

    /// Waits until somebody who promised so has told which GPUs there are, at most so long.
    pub fn wait(&self, at_most: Duration) {
        let is_awaited = |inner: &mut Inner| inner.is_expected && inner.gpus.is_empty();
        let _ = self.inner.1.wait_timeout_while(self.lock(), at_most, is_awaited); // late, they are without a number
    }

    /// What was handed in since the last time.
    pub fn take(&self) -> Vec<Sighting> {
        self.lock().sightings.drain(..).collect()
    }

    /// The GPUs, as far as anybody told.
    pub fn gpus(&self) -> Arc<[KnownGpu]> {
        Arc::clone(&self.lock().gpus)
    }

    /// How many were never taken out.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A PCI address as NVML and dcgm-exporter write it, `00000000:10:1C.0`, from any way to write it. `None` where it is none.
pub fn bus_id(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("PCI:").unwrap_or(text);
    let (rest, function) = text.rsplit_once('.').unwrap_or((text, "0"));
    let mut parts = rest.rsplit(':');
    let (device, bus, domain) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    let number = |text: &str, most: u32| {
        let is_hex = !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(text, 16).ok()).flatten().filter(|number| *number <= most)
    };
    if parts.next().is_some() {
        return None;
    }
    let (domain, bus, device, function) =
        (number(domain, u32::MAX)?, number(bus, 0xff)?, number(device, 0x1f)?, number(function, 7)?);
    Some(format!("{domain:08X}:{bus:02X}:{device:02X}.{function}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_nvml_writes_it() {
        for (text, expected) in [
            ("PCI:0000:10:1c", Some("00000000:10:1C.0")),
            ("PCI:0000:10:1c.0", Some("00000000:10:1C.0")),
            ("0000:c4:00.0", Some("00000000:C4:00.0")),
            ("00000001:C4:00.3", Some("00000001:C4:00.3")),
            ("0002:00", Some("00000000:02:00.0")),
            ("0102:00", None),
            ("c4:00", Some("00000000:C4:00.0")),
            ("GPU-3aab1234", None),
            ("0000:c4:20.0", None),
            ("1:2:3:4", None),
            ("0000::00", None),
            ("", None),
        ] {
            assert_eq!(bus_id(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn only_gpus_that_somebody_promised_are_waited_for() {
        let inbox = Inbox::default();
        let long = Duration::from_mins(1);
        inbox.wait(long);
        inbox.expect();
        inbox.wait(Duration::from_millis(1));
        let teller = std::thread::spawn({
            let inbox = inbox.clone();
            move || inbox.know(vec![KnownGpu { pci_bus_id: "a".into(), index: 0, uuid: String::new() }])
        });
        inbox.wait(long);
        assert_eq!(inbox.gpus().len(), 1);
        teller.join().unwrap();
    }

    #[test]
    fn an_inbox_that_nobody_empties_stays_small() {
        let inbox = Inbox::default();
        let sighting =
            |xid| Sighting { source: Source::Nvml, pci_bus_id: String::new(), xid, pid: None, boot_microseconds: 0 };
        for xid in 0..5000 {
            inbox.clone().put(sighting(xid));
        }
        let taken = inbox.take();
        assert_eq!((taken.len(), taken.first().map(|first| first.xid), inbox.dropped()), (4096, Some(904), 904));
        assert!(inbox.take().is_empty());
    }
}
