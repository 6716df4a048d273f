//! Processor time.

metrics! { "cpu" from "/proc/stat" {
    counter node_cpu_seconds_total ["cpu", "mode"]: "Time that the processor spent in a mode.";
    counter node_cpu_guest_seconds_total ["cpu", "mode"]: "Time that the processor ran virtual machines; user and nice count it too.";
} }
