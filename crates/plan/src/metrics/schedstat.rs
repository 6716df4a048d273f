//! How long threads ran and waited.

metrics! { "schedstat" from "/proc/schedstat" {
    counter node_schedstat_running_seconds_total ["cpu"]: "Time that threads ran on the processor.";
    counter node_schedstat_waiting_seconds_total ["cpu"]: "Time that threads waited for the processor.";
    counter node_schedstat_timeslices_total ["cpu"]: "Times that a thread got the processor.";
} }
