//! Tracked connections.

metrics! { "conntrack" from "/proc/sys/net/netfilter, /proc/net/stat/nf_conntrack" {
    gauge node_nf_conntrack_entries from "nf_conntrack_count": "Connections that are tracked.";
    gauge node_nf_conntrack_entries_limit from "nf_conntrack_max": "Connections that can be tracked.";
    gauge node_nf_conntrack_stat_drop from "drop": "Packets that were dropped because tracking failed.";
    gauge node_nf_conntrack_stat_early_drop from "early_drop": "Connections that were forgotten to make room.";
    gauge node_nf_conntrack_stat_found from "found": "Look-ups that found a connection.";
    gauge node_nf_conntrack_stat_ignore from "ignore": "Packets of connections that are tracked already.";
    gauge node_nf_conntrack_stat_insert from "insert": "Connections that were added.";
    gauge node_nf_conntrack_stat_insert_failed from "insert_failed": "Connections that could not be added.";
    gauge node_nf_conntrack_stat_invalid from "invalid": "Packets that cannot be tracked.";
    gauge node_nf_conntrack_stat_search_restart from "search_restart": "Look-ups that began anew because the table grew.";
} }
