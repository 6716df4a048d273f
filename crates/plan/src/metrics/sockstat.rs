//! Sockets in use.

metrics! { "sockstat" from "/proc/net/{sockstat,sockstat6}" {
    gauge node_sockstat_sockets_used from "sockets used": "Sockets of all kinds.";
    gauge node_sockstat_TCP_alloc from "TCP alloc": "Sockets of any state: TCP.";
    gauge node_sockstat_TCP_inuse from "TCP inuse": "Sockets in use: TCP.";
    gauge node_sockstat_TCP_mem from "TCP mem": "Pages of memory for buffers: TCP.";
    gauge node_sockstat_TCP_mem_bytes from "TCP mem_bytes": "Memory for buffers: TCP.";
    gauge node_sockstat_TCP_orphan from "TCP orphan": "Sockets that no process holds: TCP.";
    gauge node_sockstat_TCP_tw from "TCP tw": "Sockets in TIME_WAIT: TCP.";
    gauge node_sockstat_UDP_inuse from "UDP inuse": "Sockets in use: UDP.";
    gauge node_sockstat_UDP_mem from "UDP mem": "Pages of memory for buffers: UDP.";
    gauge node_sockstat_UDP_mem_bytes from "UDP mem_bytes": "Memory for buffers: UDP.";
    gauge node_sockstat_UDPLITE_inuse from "UDPLITE inuse": "Sockets in use: UDPLITE.";
    gauge node_sockstat_RAW_inuse from "RAW inuse": "Sockets in use: RAW.";
    gauge node_sockstat_FRAG_inuse from "FRAG inuse": "Sockets in use: FRAG.";
    gauge node_sockstat_FRAG_memory in "bytes" from "FRAG memory": "Memory for fragments, in bytes: FRAG.";
    gauge node_sockstat_TCP6_inuse from "TCP6 inuse": "Sockets in use: TCP6.";
    gauge node_sockstat_UDP6_inuse from "UDP6 inuse": "Sockets in use: UDP6.";
    gauge node_sockstat_UDPLITE6_inuse from "UDPLITE6 inuse": "Sockets in use: UDPLITE6.";
    gauge node_sockstat_RAW6_inuse from "RAW6 inuse": "Sockets in use: RAW6.";
    gauge node_sockstat_FRAG6_inuse from "FRAG6 inuse": "Sockets in use: FRAG6.";
    gauge node_sockstat_FRAG6_memory in "bytes" from "FRAG6 memory": "Memory for fragments, in bytes: FRAG6.";
} }
