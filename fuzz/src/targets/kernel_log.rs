//! A record of the kernel's log, in which any program may write, and the Xid in it.

use trainyard_node::{kernel_log, xid};

use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "kernel-log",
    about: "a record of the kernel's log, and the Xid in it",
    seeds: || {
        seeds::texts(&[
            "3,1045,5140900,-;NVRM: Xid (PCI:0000:53:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.\n",
            "3,7,12,-,caller=T1;NVRM: Xid (PCI:0000:61:00): 31, pid=1234, name=python, Ch 00000008, intr 00000000. MMU Fault\n SUBSYSTEM=pci\n",
            "4,8,13,c;NVRM: GPU at PCI:0000:53:00: GPU-3eb1b1b8-7d53-b2ee-d7a4-6b0ef1a4f3c1\n",
            "3,9,14,-;nvidia-nvswitch3: SXid (PCI:0000:85:00.0): 20034, Fatal, Link 27 LTSSM Fault Up\n",
            "3,9,15,-;NVRM: Xid (PCI:0000:53:00): 145, RLW_REMAP Nonfatal XC0 i0 Link -1 (0x00000004)\n",
        ])
    },
    run,
};

fn run(data: &[u8]) {
    judge(data);
    if let Some(record) = kernel_log::parse(data) {
        judge(record.text);
    }
}

/// What is counted must be what the line says: nothing is guessed.
fn judge(text: &[u8]) {
    let Some(line) = xid::parse(text) else { return };
    let text = String::from_utf8_lossy(text);
    let (number, pid) = match &line {
        xid::Line::Xid { xid, pid, .. } => (*xid, *pid),
        xid::Line::Sxid { sxid, .. } => (*sxid, None),
        xid::Line::Gpu { uuid, .. } => return assert!(text.contains(uuid.as_str()), "{line:?} of {text}"),
    };
    let says = |number: u32| text.contains(&number.to_string());
    assert!(says(number) && pid.is_none_or(says), "{line:?} of {text}");
}
