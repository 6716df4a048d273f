//! Disks.

metrics! { "diskstats" from "/proc/diskstats" {
    counter node_disk_reads_completed_total ["device"]: "Reads that came to an end.";
    counter node_disk_reads_merged_total ["device"]: "Reads that were merged with others.";
    counter node_disk_read_bytes_total ["device"]: "Bytes read.";
    counter node_disk_read_time_seconds_total ["device"]: "Time of all reads together.";
    counter node_disk_writes_completed_total ["device"]: "Writes that came to an end.";
    counter node_disk_writes_merged_total ["device"]: "Writes that were merged with others.";
    counter node_disk_written_bytes_total ["device"]: "Bytes written.";
    counter node_disk_write_time_seconds_total ["device"]: "Time of all writes together.";
    gauge node_disk_io_now ["device"]: "Requests in progress.";
    counter node_disk_io_time_seconds_total ["device"]: "Time during which the disk was busy.";
    counter node_disk_io_time_weighted_seconds_total ["device"]: "Time of all requests together, also those that wait.";
    counter node_disk_discards_completed_total ["device"]: "Discards that came to an end.";
    counter node_disk_discards_merged_total ["device"]: "Discards that were merged with others.";
    counter node_disk_discarded_sectors_total ["device"]: "Sectors that were discarded.";
    counter node_disk_discard_time_seconds_total ["device"]: "Time of all discards together.";
    counter node_disk_flush_requests_total ["device"]: "Flushes that came to an end.";
    counter node_disk_flush_requests_time_seconds_total ["device"]: "Time of all flushes together.";
    info node_disk_info ["device", "major", "minor", "model", "path", "revision", "serial", "wwn"]: "What udev and sysfs know of the disk.";
} }
