//! How long work waited for want of something.

metrics! { "pressure" from "/proc/pressure" {
    counter node_pressure_cpu_waiting_seconds_total from "cpu some": "Time during which some thread waited for a processor.";
    counter node_pressure_io_waiting_seconds_total from "io some": "Time during which some thread waited for disks.";
    counter node_pressure_io_stalled_seconds_total from "io full": "Time during which all threads waited for disks.";
    counter node_pressure_memory_waiting_seconds_total from "memory some": "Time during which some thread waited for memory.";
    counter node_pressure_memory_stalled_seconds_total from "memory full": "Time during which all threads waited for memory.";
    counter node_pressure_irq_stalled_seconds_total from "irq full": "Time during which all threads waited for interrupts to be served.";
} }
