//! Packets as processors handle them.

metrics! { "softnet" from "/proc/net/softnet_stat" {
    counter node_softnet_processed_total ["cpu"]: "Packets that were handled.";
    counter node_softnet_dropped_total ["cpu"]: "Packets that were dropped because the queue was full.";
    counter node_softnet_times_squeezed_total ["cpu"]: "Times that the time for packets ran out while some were left.";
    counter node_softnet_received_rps_total ["cpu"]: "Times that another processor asked this one to handle packets.";
    counter node_softnet_flow_limit_count_total ["cpu"]: "Packets that were dropped because one flow had more than its share.";
} }
