//! NVLinks, and the GPUs behind them.

use nvml_wrapper::enum_wrappers::device::{P2pCapabilitiesIndex, P2pStatus};
use nvml_wrapper::enum_wrappers::nv_link::ErrorCounter;
use nvml_wrapper::sys_exports::field_id;
use nvml_wrapper::{Device, Nvml as Library};

use super::super::nvml_ffi::{ALL, Field, fill};
use super::super::{LINKS_MAX, NvLink, NvLinks, Peer};

/// What is kept of a GPU's links.
#[derive(Default)]
pub(super) struct Links {
    /// All, and the first.
    before: [Option<Traffic>; 2],
    /// Kinds of errors that the part counts no more: asking for each on each link would cost more than all the rest.
    has_no: [bool; KINDS.len()],
}

/// KiB in both directions, and when that was.
#[derive(Clone, Copy)]
struct Traffic {
    kib: u64,
    microseconds: i64,
}

const KINDS: [ErrorCounter; 4] =
    [ErrorCounter::DlCrcFlit, ErrorCounter::DlCrcData, ErrorCounter::DlReplay, ErrorCounter::DlRecovery];

/// Asked for at once for each link.
const FIELDS: [u32; 4] = [
    field_id::NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX,
    field_id::NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX,
    field_id::NVML_FI_DEV_NVLINK_ERROR_DL_REPLAY,
    field_id::NVML_FI_DEV_NVLINK_ERROR_DL_RECOVERY,
];

impl Links {
    pub(super) fn read(&mut self, library: &Library, device: &Device<'_>) -> NvLinks {
        let count = count(library, device);
        if count == 0 {
            return NvLinks::default();
        }
        let scopes = std::iter::once(ALL).chain(0..count);
        let mut fields: Vec<Field> = scopes.flat_map(|scope| FIELDS.map(|id| Field::new(id, scope))).collect();
        fill(library, device, &mut fields);
        let mut all = fields.chunks_exact(FIELDS.len());
        let rate = self.rate(0, all.next());
        let first_rate = self.rate(1, all.clone().next());
        let links = (0..count).zip(all).map(|(link, fields)| self.one(device, link, fields)).collect();
        NvLinks { rate, first_rate, links }
    }

    fn one(&mut self, device: &Device<'_>, link: u32, fields: &[Field]) -> NvLink {
        let handle = device.link_wrapper_for(link);
        let value = |at: usize| fields.get(at).and_then(|field| field.value);
        let bytes = |at| value(at).and_then(|kib: u64| kib.checked_mul(1024));
        let active = handle.is_active().ok();
        let mut errors = [None; KINDS.len()];
        for ((kind, count), has_no) in KINDS.into_iter().zip(&mut errors).zip(&mut self.has_no) {
            if !*has_no {
                *count = handle.error_counter(kind).ok();
                // A link that is down may not tell; one that is up, and does not, never will.
                *has_no = count.is_none() && active == Some(true);
            }
        }
        let [crc_flit, crc_data, replay, recovery] = errors;
        NvLink {
            link,
            active,
            tx_bytes: bytes(0),
            rx_bytes: bytes(1),
            crc_flit,
            crc_data,
            replay: replay.or(value(2)),
            recovery: recovery.or(value(3)),
        }
    }

    /// What went over the link since the last reading, as DCGM tells it.
    fn rate(&mut self, which: usize, fields: Option<&[Field]>) -> Option<u64> {
        let [tx, rx, ..] = fields? else { return None };
        let now = Traffic { kib: tx.value?.checked_add(rx.value?)?, microseconds: tx.at.max(rx.at) };
        let before = self.before.get_mut(which)?.replace(now)?;
        let microseconds = u64::try_from(now.microseconds.checked_sub(before.microseconds)?).ok()?;
        // A counter that went back was set to zero by a reset.
        let kib = now.kib.checked_sub(before.kib)?;
        kib.checked_mul(1000)?.checked_div(microseconds)
    }
}

fn count(library: &Library, device: &Device<'_>) -> u32 {
    let most = u32::try_from(LINKS_MAX).unwrap_or(u32::MAX);
    let mut fields = [Field::new(field_id::NVML_FI_DEV_NVLINK_LINK_COUNT, 0)];
    fill(library, device, &mut fields);
    let told = fields[0].value.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    // A driver without fields is asked for links until there is none.
    let tried = || (0..most).find(|link| device.link_wrapper_for(*link).is_active().is_err()).unwrap_or(most);
    told.unwrap_or_else(tried).min(most)
}

/// What stands between this GPU and each other.
pub(super) fn peers(library: &Library, device: &Device<'_>, own: u32, count: u32) -> Vec<Peer> {
    let peer = |index| {
        let other = library.device_by_index(index).ok()?;
        let status = device.p2p_status(&other, P2pCapabilitiesIndex::NvLink).ok()?;
        let status = match status {
            P2pStatus::Ok => "ok",
            P2pStatus::ChipsetNotSupported => "chipset_not_supported",
            P2pStatus::GpuNotSupported => "gpu_not_supported",
            P2pStatus::IohTopologyNotSupported => "topology_not_supported",
            P2pStatus::DisabledByRegkey => "disabled_by_registry",
            P2pStatus::NotSupported => "not_supported",
            P2pStatus::Unknown => "unknown",
        };
        Some(Peer { index, status: status.into() })
    };
    (0..count).filter(|index| *index != own).filter_map(peer).collect()
}
