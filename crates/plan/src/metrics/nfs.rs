//! What the NFS client did, over all mounts.

metrics! { "nfs" from "/proc/net/rpc/nfs" {
    counter node_nfs_packets_total ["protocol"]: "Packets of the client by network protocol.";
    counter node_nfs_connections_total: "TCP connections that the client made.";
    counter node_nfs_rpcs_total: "Remote calls that the client made.";
    counter node_nfs_rpc_retransmissions_total: "Remote calls that had to be sent once more.";
    counter node_nfs_rpc_authentication_refreshes_total: "Times the client had to renew its credentials.";
    counter node_nfs_requests_total ["proto", "method"]: "Requests of the client by NFS version and procedure.";
} }
