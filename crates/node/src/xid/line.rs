//! Lines of NVIDIA's driver in the kernel log: Xids of GPUs, SXids of NVSwitches, and which GPU has which UUID.
//! Never panics on any text.

use super::catalog::Action;
use super::{GPUS_MAX, bus_id};

/// A pid has seven digits, a name is cut by the kernel after 15 bytes; what a driver quotes is not looked at further.
const QUOTED_BYTES_MAX: usize = 64;

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An error of a GPU.
    Xid {
        /// Its address, as [`bus_id`] writes it, or its UUID where the line has only that.
        gpu: String,
        /// The number.
        xid: u32,
        /// The process, where the line names one.
        pid: Option<u32>,
        /// What Xid 154 says that the GPU needs.
        action: Option<Action>,
    },
    /// An error of an NVSwitch.
    Sxid {
        /// The switch's name, `nvidia-nvswitch0`.
        switch: String,
        /// Its address.
        pci_bus_id: String,
        /// The number.
        sxid: u32,
        /// Whether the switch stopped for it.
        is_fatal: bool,
    },
    /// A GPU's UUID.
    Gpu {
        /// Its address.
        pci_bus_id: String,
        /// `GPU-…`.
        uuid: String,
    },
}

/// Reads a record's text. Nothing where it tells nothing of these.
pub fn parse(text: &[u8]) -> Option<Line> {
    // Nearly every line of a kernel log ends here.
    if !text.starts_with(b"NVRM: ") && !text.starts_with(b"nvidia-nvswitch") {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    if let Some(rest) = text.strip_prefix("NVRM: Xid") {
        return xid(rest);
    }
    if let Some(rest) = text.strip_prefix("NVRM: GPU at ") {
        let (address, uuid) = rest.split_once(": ")?;
        return Some(Line::Gpu { pci_bus_id: bus_id(address)?, uuid: uuid_in(uuid)? });
    }
    let (switch, rest) = text.split_once(": SXid")?;
    sxid(switch, rest)
}

/// ` (PCI:0000:10:1c): 79, pid=1234, name=python3, GPU has fallen off the bus.`
fn xid(text: &str) -> Option<Line> {
    let (place, number, rest) = head(text)?;
    let gpu = bus_id(place).or_else(|| uuid_in(place))?;
    let action = (number == 154).then(|| action_in(rest)).flatten();
    Some(Line::Xid { gpu, xid: number, pid: pid_in(rest), action })
}

/// ` (PCI:0000:c4:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error (First)`
///
/// Lines with the same number and `Severity` or `Data` follow, and tell more of the same error.
fn sxid(switch: &str, text: &str) -> Option<Line> {
    let name = switch.strip_prefix("nvidia-nvswitch")?;
    if name.len() > 4 || !name.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (place, sxid, rest) = head(text)?;
    let is_fatal = match rest.split(',').next()?.trim() {
        "Fatal" => true,
        "Non-fatal" => false,
        _ => return None,
    };
    Some(Line::Sxid { switch: switch.to_owned(), pci_bus_id: bus_id(place)?, sxid, is_fatal })
}

/// What is in brackets, the number after it, and what follows that.
fn head(text: &str) -> Option<(&str, u32, &str)> {
    let (place, rest) = text.trim_start().strip_prefix('(')?.split_once(')')?;
    // The UUID may stand between the brackets and the number.
    let (_, rest) = rest.split_once(':')?;
    let rest = rest.trim_start();
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (number, rest) = rest.split_at_checked(end)?;
    Some((place, number.parse().ok()?, rest.trim_start_matches([',', ' '])))
}

/// `pid=1234`, or `pid='<unknown>'`, which is none.
fn pid_in(text: &str) -> Option<u32> {
    let field = text.split(", ").find_map(|field| field.trim().strip_prefix("pid="))?;
    field.trim_matches('\'').parse().ok().filter(|pid| *pid > 0)
}

fn uuid_in(text: &str) -> Option<String> {
    let uuid = text.split([' ', ',', ')']).find(|word| word.starts_with("GPU-"))?;
    let is_plain =
        uuid.len() <= QUOTED_BYTES_MAX && uuid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_plain && uuid.len() > "GPU-".len()).then(|| uuid.to_owned())
}

/// `GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)`
fn action_in(text: &str) -> Option<Action> {
    let (_, to) = text.rsplit_once(" to ")?;
    let words = to.split_once('(')?.1.split_once(')')?.0;
    Some(match words {
        "None" => Action::Ignore,
        "Drain P2P" => Action::Monitor,
        "Drain and Reset" | "GPU Reset Required" | "PF FLR" => Action::ResetGpu,
        "Node Reboot Required" => Action::Reboot,
        _ => return None,
    })
}

/// UUIDs of GPUs that lines told of.
#[derive(Debug, Default)]
pub struct Uuids(Vec<(String, String)>);

impl Uuids {
    /// This GPU has this UUID.
    pub fn learn(&mut self, pci_bus_id: String, uuid: String) {
        self.0.retain(|(known, _)| *known != uuid);
        if self.0.len() < GPUS_MAX {
            self.0.push((uuid, pci_bus_id));
        }
    }

    /// The address of a GPU that a line names either way.
    pub fn address(&self, gpu: String) -> String {
        self.0.iter().find(|(uuid, _)| *uuid == gpu).map_or(gpu, |(_, address)| address.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(gpu: &str, xid: u32, pid: impl Into<Option<u32>>) -> Line {
        Line::Xid { gpu: gpu.into(), xid, pid: pid.into(), action: None }
    }

    #[test]
    fn xids_of_every_driver_are_read() {
        let gpu = "00000000:10:1C.0";
        for (text, expected) in [
            (
                "NVRM: Xid (PCI:0000:10:1c): 79, pid=1234, name=python3, GPU has fallen off the bus.",
                Some(of(gpu, 79, 1234)),
            ),
            ("NVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen off the bus.", Some(of(gpu, 79, None))),
            (
                "NVRM: Xid (PCI:0000:10:1c.0): 31, pid='<unknown>', name=<unknown>, Ch 00000010, intr 10000000. MMU Fault",
                Some(of(gpu, 31, None)),
            ),
            ("NVRM: Xid (PCI:0000:10:1c): 31, pid=77, name=a, b, Ch 00000010, intr 00000000.", Some(of(gpu, 31, 77))),
            ("NVRM: Xid (PCI:0000:10:1c): 31, pid='77', name=python", Some(of(gpu, 31, 77))),
            ("NVRM: Xid (PCI:0000:10:1c): 31, Ch 00000010, engmask 00000101", Some(of(gpu, 31, None))),
            ("NVRM: Xid (0000:10:1c): 13, 0003 00000000 000090c0", Some(of(gpu, 13, None))),
            ("NVRM: Xid (10:1c): 3, C 00000005 SC 00000007", Some(of(gpu, 3, None))),
            (
                "NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row marked for remapping",
                Some(of(gpu, 63, 1896)),
            ),
            (
                "NVRM: Xid (PCI:0000:10:1c): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 08 (0x004505c6 0x0)",
                Some(of(gpu, 149, None)),
            ),
            ("NVRM: Xid (PCI:0000:10:1c): 45", Some(of(gpu, 45, None))),
            ("NVRM: Xid (GPU-71dcdf29-68ae): 48, pid=5, DBE", Some(of("GPU-71dcdf29-68ae", 48, 5))),
            ("NVRM: Xid (PCI:0000:10:1c GPU-71dcdf29): 48, DBE", Some(of("GPU-71dcdf29", 48, None))),
            ("NVRM: Xid (PCI:0000:10:1c) GPU-71dcdf29: 48, DBE", Some(of(gpu, 48, None))),
            ("NVRM: Xid (PCI:0000:10:1c): 99999999999, too large", None),
            ("NVRM: Xid (PCI:0000:10:1c): , no number", None),
            ("NVRM: Xid (somewhere): 79, no GPU", None),
            ("NVRM: Xid 79", None),
            ("NVRM: Xid (", None),
            ("audit: NVRM: Xid (PCI:0000:10:1c): 79, quoted by another", None),
            ("NVRM: API mismatch", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn xid_154_says_what_the_gpu_needs() {
        for (words, expected) in [
            ("0x0 (None)", Some(Action::Ignore)),
            ("0x1 (GPU Reset Required)", Some(Action::ResetGpu)),
            ("0x2 (Node Reboot Required)", Some(Action::Reboot)),
            ("0x3 (Drain P2P)", Some(Action::Monitor)),
            ("0x4 (Drain and Reset)", Some(Action::ResetGpu)),
            ("0x9 (Something New)", None),
            ("", None),
        ] {
            let text =
                format!("NVRM: Xid (PCI:0000:10:1c): 154, GPU recovery action changed from 0x0 (None) to {words}");
            let Some(Line::Xid { action, xid: 154, .. }) = parse(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(action, expected, "{text}");
        }
    }

    #[test]
    fn an_sxid_is_read_once_and_not_again_from_what_follows_it() {
        let sxid = |switch: &str, sxid, is_fatal| {
            Some(Line::Sxid { switch: switch.into(), pci_bus_id: "00000000:C4:00.0".into(), sxid, is_fatal })
        };
        for (text, expected) in [
            (
                "nvidia-nvswitch0: SXid (PCI:0000:c4:00.0): 12028, Non-fatal, Link 32 egress (First)",
                sxid("nvidia-nvswitch0", 12028, false),
            ),
            (
                "nvidia-nvswitch1: SXid (PCI:0000:c4:00.0): 20034, Fatal, Link 48 LTSSM Fault Up",
                sxid("nvidia-nvswitch1", 20034, true),
            ),
            (
                "nvidia-nvswitch0: SXid (PCI:0000:c4:00.0): 12028, Severity 0 Engine instance 32 Sub-engine instance 00",
                None,
            ),
            ("nvidia-nvswitch0: SXid (PCI:0000:c4:00.0): 12028, Data {0x00140004, 0x00100000}", None),
            ("nvidia-nvswitchX: SXid (PCI:0000:c4:00.0): 12028, Fatal, x", None),
            ("nvidia-nvswitch0: SXid (PCI:0000:c4:00.0): garbled, Fatal", None),
            ("nvidia-nvswitch0: using MSI", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_uuid_stands_for_the_gpu_that_the_driver_said_it_is() {
        let mut uuids = Uuids::default();
        let text = "NVRM: GPU at PCI:0000:10:1c: GPU-71dcdf29-68ae";
        let Some(Line::Gpu { pci_bus_id, uuid }) = parse(text.as_bytes()) else { panic!("{text}") };
        uuids.learn(pci_bus_id, uuid);
        assert_eq!(uuids.address("GPU-71dcdf29-68ae".into()), "00000000:10:1C.0");
        assert_eq!(uuids.address("GPU-other".into()), "GPU-other");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(
            prefix in prop::sample::select(vec!["", "NVRM: ", "NVRM: Xid", "NVRM: Xid (", "NVRM: Xid (PCI:0000:10:1c): ",
                "NVRM: GPU at ", "nvidia-nvswitch0: SXid (", "nvidia-nvswitch0: SXid (PCI:0000:c4:00.0): 1, "]),
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let text = [prefix.as_bytes(), &bytes].concat();
            match parse(&text) {
                Some(Line::Xid { gpu, .. }) => prop_assert!(gpu.len() <= QUOTED_BYTES_MAX),
                Some(Line::Sxid { switch, .. }) => prop_assert!(switch.len() <= 20),
                Some(Line::Gpu { uuid, .. }) => prop_assert!(uuid.len() <= QUOTED_BYTES_MAX),
                None => {}
            }
        }
    }
}
