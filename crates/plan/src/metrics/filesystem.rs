//! File systems.

metrics! { "filesystem" from "/proc/1/mountinfo, statvfs" {
    gauge node_filesystem_size_bytes ["device", "fstype", "mountpoint"]: "Size of the file system.";
    gauge node_filesystem_free_bytes ["device", "fstype", "mountpoint"]: "Free, also what only root may use.";
    gauge node_filesystem_avail_bytes ["device", "fstype", "mountpoint"]: "Free for everybody.";
    gauge node_filesystem_files ["device", "fstype", "mountpoint"]: "Inodes of the file system.";
    gauge node_filesystem_files_free ["device", "fstype", "mountpoint"]: "Free inodes.";
    gauge node_filesystem_readonly ["device", "fstype", "mountpoint"]: "1 if nothing can be written.";
    gauge node_filesystem_device_error ["device", "fstype", "mountpoint"]: "1 if the file system does not answer, or not in time.";
} }
