//! Queues of UDP sockets.

metrics! { "udp_queues" from "/proc/net/{udp,udp6}" {
    gauge node_udp_queues ["ip", "queue"] in "bytes": "What waits in the queues of all sockets, in bytes.";
} }
