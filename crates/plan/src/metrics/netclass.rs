//! Properties of network interfaces.

metrics! { "netclass" from "/sys/class/net" {
    gauge node_network_up ["device"] from "operstate": "1 if the interface works.";
    info node_network_info ["device", "address", "broadcast", "duplex", "operstate", "ifalias"]: "What is known of the interface in words.";
    gauge node_network_address_assign_type ["device"] from "addr_assign_type": "How the hardware address was given.";
    gauge node_network_carrier ["device"] from "carrier": "1 if there is a link.";
    counter node_network_carrier_changes_total ["device"] from "carrier_changes": "Changes of the link.";
    counter node_network_carrier_up_changes_total ["device"] from "carrier_up_count": "Times that the link came up.";
    counter node_network_carrier_down_changes_total ["device"] from "carrier_down_count": "Times that the link went down.";
    gauge node_network_device_id ["device"] from "dev_id": "Number of the device among those that share a link.";
    gauge node_network_dormant ["device"] from "dormant": "1 if the interface waits for something.";
    gauge node_network_flags ["device"] from "flags": "Flags of the interface.";
    gauge node_network_iface_id ["device"] from "ifindex": "Number of the interface.";
    gauge node_network_iface_link ["device"] from "iflink": "Number of the interface below this one.";
    gauge node_network_iface_link_mode ["device"] from "link_mode": "Link mode: 0 default, 1 dormant.";
    gauge node_network_mtu_bytes ["device"] from "mtu": "Largest packet.";
    gauge node_network_name_assign_type ["device"] from "name_assign_type": "How the name was given.";
    gauge node_network_net_dev_group ["device"] from "netdev_group": "Group of the interface.";
    gauge node_network_speed_bytes ["device"] from "speed": "Speed of the link, in bytes a second.";
    gauge node_network_transmit_queue_length ["device"] from "tx_queue_len": "Room in the queue, in packets.";
    gauge node_network_protocol_type ["device"] from "type": "Kind of link, as ARP numbers them.";
} }
