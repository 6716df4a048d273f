//! What the agent says of the DCGM exporter that it asks. The values themselves are those of the GPUs' table: they look the
//! same wherever they come from.

metrics! { "dcgm" from "a DCGM exporter, by --dcgm-exporter" {
    gauge trainyard_dcgm_exporter_gpus: "GPUs and partitions that the exporter told the profiling values of.";
    counter trainyard_dcgm_exporter_lines_unread_total: "Profiling values of the exporter that could not be understood.";
} }
