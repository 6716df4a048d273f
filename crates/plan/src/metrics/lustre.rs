//! The Lustre client. Names are those of the field's Lustre exporter where it has one; where it counts kilobytes, they are
//! bytes here, and say so. A target has no mount's address in its name, so that one target is called alike on all nodes.

metrics! { "lustre" from "/proc/fs/lustre, /sys/fs/lustre, /sys/kernel/debug/lustre" each ["filesystem", "component", "target"] {
    gauge lustre_capacity_bytes from "kbytestotal": "Size of the target, or of the file system.";
    gauge lustre_free_bytes from "kbytesfree": "Free on the target, also what nobody may use.";
    gauge lustre_available_bytes from "kbytesavail": "Free on the target for everybody: when nothing is left, writes fail, whatever other targets have.";
    gauge lustre_inodes_maximum from "filestotal": "Objects that the target can hold.";
    gauge lustre_inodes_free from "filesfree": "Objects that the target has room for.";
    gauge trainyard_lustre_used_ratio: "Part of the target's space that is used, from 0 to 1, as lfs df counts it.";
    gauge trainyard_lustre_connected: "1 if the client is connected to the target, or left it because nothing was to do.";
    gauge trainyard_lustre_import_state ["filesystem", "component", "target", "state"]: "1 for the state that the client's connection to the target is in.";
    gauge trainyard_lustre_rpcs_in_flight from "inflight": "Requests to the target that are under way.";
    counter trainyard_lustre_rpc_timeouts_total from "timeouts": "Requests to the target that were not answered in time.";
    gauge trainyard_lustre_rpc_wait_seconds from "avg_waittime": "Average time that requests to the target wait for answers.";
    gauge trainyard_lustre_dirty_bytes from "cur_dirty_bytes": "Bytes that were written and are not yet on the target.";
    gauge trainyard_lustre_grant_bytes from "cur_grant_bytes": "Space of the target that is promised to this client.";
    counter lustre_read_bytes_total: "Bytes that programs read.";
    counter lustre_read_samples_total: "Reads of programs.";
    counter lustre_write_bytes_total: "Bytes that programs wrote.";
    counter lustre_write_samples_total: "Writes of programs.";
    counter lustre_stats_total ["filesystem", "component", "target", "operation"]: "Operations on files, or requests to a metadata target.";
    counter trainyard_lustre_operation_seconds_total ["filesystem", "component", "target", "operation"]: "Time that operations took, where the client measures it.";
    counter trainyard_lustre_read_ahead_pages_total ["filesystem", "component", "target", "event"]: "Pages that the client read ahead, by what became of them.";
} }
