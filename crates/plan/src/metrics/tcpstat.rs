//! TCP connections by state.

metrics! { "tcpstat" from "/proc/net/{tcp,tcp6}" {
    gauge node_tcp_connection_states ["state"]: "Connections in a state; rx_queued_bytes and tx_queued_bytes are bytes that wait in their queues.";
} }
