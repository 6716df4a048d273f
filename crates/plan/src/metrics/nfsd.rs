//! What the NFS server of this machine did.

metrics! { "nfsd" from "/proc/net/rpc/nfsd" {
    counter node_nfsd_reply_cache_hits_total: "Requests that came twice and were answered out of the reply cache.";
    counter node_nfsd_reply_cache_misses_total: "Requests whose answers were put into the reply cache.";
    counter node_nfsd_reply_cache_nocache_total: "Requests whose answers need no reply cache.";
    counter node_nfsd_file_handles_stale_total: "File handles of clients that stand for nothing any more.";
    counter node_nfsd_disk_bytes_read_total in "bytes": "Bytes that the server read for clients.";
    counter node_nfsd_disk_bytes_written_total in "bytes": "Bytes that the server wrote for clients.";
    gauge node_nfsd_server_threads: "Threads of the server.";
    gauge node_nfsd_read_ahead_cache_size_blocks: "Size of the read-ahead cache in blocks.";
    counter node_nfsd_read_ahead_cache_not_found_total: "Reads that the read-ahead cache had nothing for.";
    counter node_nfsd_packets_total ["proto"]: "Packets of the server by network protocol.";
    counter node_nfsd_connections_total: "TCP connections that clients made.";
    counter node_nfsd_rpc_errors_total ["error"]: "Remote calls that the server refused, by reason.";
    counter node_nfsd_server_rpcs_total: "Remote calls that came to the server.";
    counter node_nfsd_requests_total ["proto", "method"]: "Requests to the server by NFS version and procedure.";
} }
