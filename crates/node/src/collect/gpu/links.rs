//! What connects one GPU to others.

use trainyard_plan::metrics::gpu as m;

use super::Names;
use crate::gpus::{NvLink, Reading};
use crate::sheet::{Labels, Sheet};

pub(super) fn show(sheet: &mut Sheet, gpu: &Reading, names: &Names) {
    let (labels, links) = (&names.theirs, &gpu.nvlinks.links);
    sheet.put_known(&m::DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL, labels, gpu.nvlinks.rate);
    sheet.put_known(&m::DCGM_FI_DEV_NVLINK_BANDWIDTH_L0, labels, gpu.nvlinks.first_rate);
    sheet.put_known(&m::DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL, labels, sum(links, |link| link.crc_flit));
    sheet.put_known(&m::DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL, labels, sum(links, |link| link.crc_data));
    sheet.put_known(&m::DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL, labels, sum(links, |link| link.replay));
    sheet.put_known(&m::DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL, labels, sum(links, |link| link.recovery));
    each(sheet, links, &names.ours);
    for peer in &gpu.peers {
        let more = [("peer", &*peer.index.to_string()), ("status", &peer.status)];
        sheet.put_and(&m::trainyard_gpu_p2p_ok, &names.ours, &more, peer.status == "ok");
    }
}

/// A metric's samples of all links together: there is less to sort afterwards.
fn each(sheet: &mut Sheet, links: &[NvLink], gpu: &Labels) {
    let number = |link: &NvLink| gpu.clone().and(&Labels::new(&[("link", &link.link.to_string())]));
    let labels: Vec<Labels> = links.iter().map(number).collect();
    for (link, labels) in links.iter().zip(&labels) {
        sheet.put_known(&m::trainyard_gpu_nvlink_up, labels, link.active);
    }
    for (link, labels) in links.iter().zip(&labels) {
        sheet.put_known(&m::trainyard_gpu_nvlink_transmit_bytes_total, labels, link.tx_bytes);
    }
    for (link, labels) in links.iter().zip(&labels) {
        sheet.put_known(&m::trainyard_gpu_nvlink_receive_bytes_total, labels, link.rx_bytes);
    }
    for (link, labels) in links.iter().zip(&labels) {
        let errors = [
            ("crc_flit", link.crc_flit),
            ("crc_data", link.crc_data),
            ("replay", link.replay),
            ("recovery", link.recovery),
        ];
        for (kind, count) in errors {
            let Some(count) = count else { continue };
            sheet.put_and(&m::trainyard_gpu_nvlink_errors_total, labels, &[("kind", kind)], count);
        }
    }
}

/// `None` where no link tells.
fn sum(links: &[NvLink], count: impl Fn(&NvLink) -> Option<u64>) -> Option<u64> {
    links.iter().filter_map(count).reduce(u64::saturating_add)
}
