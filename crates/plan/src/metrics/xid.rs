//! Xids of GPUs and SXids of NVSwitches, each counted once.

metrics! { "xid" from "the kernel log and NVML's events" {
    counter trainyard_xid_total ["gpu", "pci_bus_id", "xid"]: "Xids of the GPU, each counted once, over restarts and reboots.";
    gauge trainyard_xid_last_timestamp_seconds ["gpu", "pci_bus_id", "xid"]: "When the GPU last had this Xid, since the epoch.";
    info trainyard_xid_info ["xid", "name", "severity", "action", "meaning"]: "What an Xid that was seen here means, and what to do.";
    counter trainyard_sxid_total ["nvswitch", "pci_bus_id", "sxid", "fatal"]: "SXids of the NVSwitch, over restarts and reboots.";
    gauge trainyard_sxid_last_timestamp_seconds ["nvswitch", "pci_bus_id", "sxid", "fatal"]: "When the NVSwitch last had this SXid, since the epoch.";
    counter trainyard_xid_left_out_total []: "Xids and SXids that are not counted because they were too many at once, or of too many kinds.";
    counter trainyard_kernel_log_lost_records_total []: "Records that the kernel overwrote before the agent read them.";
    gauge trainyard_kernel_log_behind []: "1 while the kernel log has more than is read in one collection.";
} }
