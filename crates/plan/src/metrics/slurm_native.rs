//! What Slurm's controller tells by itself, from 25.11 on: whether it does, and what of it is not shown.

metrics! { "slurm_native" from "the controller's /metrics/*" {
    gauge slurm_native_up ["page"]: "1 if the controller gave this page of its own metrics, which are shown under Slurm's own names; there only where MetricsType=metrics/openmetrics is set.";
    gauge slurm_native_left_out ["why"]: "Metrics of the controller's own that are not shown: the agent counts them itself (ours), a file of --textfile has them, they have too many series, their unit is not what they say, or they make no sense (unread).";
} }
