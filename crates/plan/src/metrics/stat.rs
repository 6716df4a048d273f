//! What the kernel counts of processes and interrupts.

metrics! { "stat" from "/proc/stat" {
    gauge node_boot_time_seconds from "btime": "When the machine started, since the epoch.";
    counter node_context_switches_total from "ctxt": "Context switches.";
    counter node_forks_total from "processes": "Processes and threads that were started.";
    counter node_intr_total from "intr": "Interrupts that were served.";
    gauge node_procs_running from "procs_running": "Threads that run or could.";
    gauge node_procs_blocked from "procs_blocked": "Threads that wait for a disk.";
} }
