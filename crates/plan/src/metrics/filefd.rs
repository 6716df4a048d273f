//! Open files of the machine.

metrics! { "filefd" from "/proc/sys/fs/file-nr" {
    gauge node_filefd_allocated: "Open files.";
    gauge node_filefd_maximum: "Files that may be open.";
} }
