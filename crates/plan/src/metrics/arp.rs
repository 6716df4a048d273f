//! Neighbours.

metrics! { "arp" from "/proc/net/arp" {
    gauge node_arp_entries ["device"]: "Neighbours that are known on the interface.";
} }
