//! Load averages.

metrics! { "loadavg" from "/proc/loadavg" {
    gauge node_load1: "Load average over 1 minute.";
    gauge node_load5: "Load average over 5 minutes.";
    gauge node_load15: "Load average over 15 minutes.";
} }
