//! Traffic of network interfaces.

metrics! { "netdev" from "/proc/net/dev" {
    counter node_network_receive_bytes_total ["device"]: "Received: bytes.";
    counter node_network_receive_packets_total ["device"]: "Received: packets.";
    counter node_network_receive_errs_total ["device"]: "Received: errs.";
    counter node_network_receive_drop_total ["device"]: "Received: drop.";
    counter node_network_receive_fifo_total ["device"]: "Received: fifo.";
    counter node_network_receive_frame_total ["device"]: "Received: frame.";
    counter node_network_receive_compressed_total ["device"]: "Received: compressed.";
    counter node_network_receive_multicast_total ["device"]: "Received: multicast.";
    counter node_network_receive_nohandler_total ["device"]: "Received: nohandler.";
    counter node_network_transmit_bytes_total ["device"]: "Sent: bytes.";
    counter node_network_transmit_packets_total ["device"]: "Sent: packets.";
    counter node_network_transmit_errs_total ["device"]: "Sent: errs.";
    counter node_network_transmit_drop_total ["device"]: "Sent: drop.";
    counter node_network_transmit_fifo_total ["device"]: "Sent: fifo.";
    counter node_network_transmit_colls_total ["device"]: "Sent: colls.";
    counter node_network_transmit_carrier_total ["device"]: "Sent: carrier.";
    counter node_network_transmit_compressed_total ["device"]: "Sent: compressed.";
} }
