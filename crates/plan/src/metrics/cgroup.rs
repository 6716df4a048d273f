//! What a node's processes use, as their control group counts it.

metrics! { "cgroup" from "the node's control group" {
    counter container_cpu_usage_seconds_total: "Processor time of all of the node's processes together.";
    counter container_cpu_user_seconds_total: "Their processor time in programs.";
    counter container_cpu_system_seconds_total: "Their processor time in the kernel.";
    gauge container_memory_usage_bytes: "Memory that is charged to them, the file cache included.";
    gauge container_memory_working_set_bytes: "The same without cached files that nobody uses now, which the kernel takes back when it needs memory.";
    gauge container_memory_rss in "bytes": "Memory of theirs that is no file's, in bytes.";
    gauge container_memory_cache in "bytes": "Files that the kernel keeps in memory for them, in bytes.";
    gauge container_memory_max_usage_bytes: "The most memory that was charged to them at once since the node came up.";
} }
