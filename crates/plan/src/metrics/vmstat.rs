//! What the virtual memory counts.

metrics! { "vmstat" from "/proc/vmstat" {
    untyped node_vmstat_oom_kill from "oom_kill": "Processes that were killed for lack of memory.";
    untyped node_vmstat_pgfault from "pgfault": "Page faults.";
    untyped node_vmstat_pgmajfault from "pgmajfault": "Page faults that needed a disk.";
    untyped node_vmstat_pgpgin in "kibibytes" from "pgpgin": "KiB read from disks.";
    untyped node_vmstat_pgpgout in "kibibytes" from "pgpgout": "KiB written to disks.";
    untyped node_vmstat_pswpin from "pswpin": "Pages read from swap.";
    untyped node_vmstat_pswpout from "pswpout": "Pages written to swap.";
} }
