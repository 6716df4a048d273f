//! Xids, as NVML tells of them: a thread waits for them, because waiting is the only way to hear.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use jiff::Timestamp;
use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, EventSet, Nvml as Library};

use super::super::nvml_ffi::{can_give_back, is_same};
use super::super::{GPUS_MAX, Xid};
use crate::kernel_log::boot_microseconds;

/// More than a burst has between two collections; what is beyond is left out.
const WAITING_MAX: usize = 1024;

/// How long one wait takes. Nothing else is done in between, so it may be long.
const WAIT_MS: u32 = 2_000;

/// After an error that says nothing: NVML gives the same again at once.
const PAUSE: Duration = Duration::from_secs(2);

const STACK_BYTES: usize = 256 << 10;

/// NVML's number for an Xid that it does not know.
const UNKNOWN: u32 = 999;

/// Begins to listen. Where that is not possible, nothing is ever heard.
pub(super) fn listen(library: &'static Library) -> Receiver<Xid> {
    let (sender, receiver) = sync_channel(WAITING_MAX);
    if can_give_back(library).1 {
        let thread = std::thread::Builder::new().name("xid".into()).stack_size(STACK_BYTES);
        // Without the thread the receiver finds nobody at the other end, and the kernel log still tells of Xids.
        let _ = thread.spawn(move || wait(library, &sender));
    }
    receiver
}

fn wait(library: &'static Library, sender: &SyncSender<Xid>) {
    let devices = devices(library);
    let Some(set) = register(library, &devices) else { return };
    loop {
        match set.wait(WAIT_MS) {
            Ok(event) => {
                let Some(error) = event.event_data else { continue };
                let xid = match error {
                    XidError::Value(xid) => u32::try_from(xid).unwrap_or(UNKNOWN),
                    XidError::Unknown => UNKNOWN,
                };
                let known = devices.iter().find(|(device, _)| is_same(device, &event.device));
                let pci_bus_id = known.map(|(_, bus)| bus.clone()).unwrap_or_default();
                let boot_microseconds = Some(boot_microseconds());
                let xid = Xid { pci_bus_id, xid, pid: None, at: Timestamp::now(), boot_microseconds };
                if let Err(TrySendError::Disconnected(_)) = sender.try_send(xid) {
                    return;
                }
            }
            Err(NvmlError::Timeout) => {}
            Err(NvmlError::Uninitialized) => return,
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

fn devices(library: &'static Library) -> Vec<(Device<'static>, String)> {
    let count = library.device_count().unwrap_or(0).min(u32::try_from(GPUS_MAX).unwrap_or(u32::MAX));
    let one = |index| {
        let device = library.device_by_index(index).ok()?;
        let bus = device.pci_info().ok()?.bus_id;
        Some((device, bus))
    };
    (0..count).filter_map(one).collect()
}

/// A set with every GPU that can tell. One that cannot takes the set with it, so another one is begun without it.
fn register(library: &'static Library, devices: &[(Device<'static>, String)]) -> Option<EventSet<'static>> {
    let mut able: Vec<&Device<'static>> = devices.iter().map(|(device, _)| device).collect();
    'anew: while !able.is_empty() {
        let mut set = library.create_event_set().ok()?;
        for at in 0..able.len() {
            let device = able.get(at)?;
            let Ok(same) = device.register_events(EventTypes::CRITICAL_XID_ERROR, set) else {
                able.remove(at);
                continue 'anew;
            };
            set = same;
        }
        return Some(set);
    }
    None
}
