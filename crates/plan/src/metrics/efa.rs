//! Elastic Fabric Adapters. Names are those of the field's EFA node exporter; the key is the file below `hw_counters`.

metrics! { "efa" from "/sys/class/infiniband" {
    info node_amazonefa_info ["device", "pci_bus_id", "firmware_version"]: "An EFA device that is there now.";
    gauge node_amazonefa_state_id ["device", "port"] from "state": "State of the port by its number in the kernel: 4 is active.";
    gauge node_amazonefa_rate_bytes_per_second ["device", "port"] from "rate": "Speed that the port reports, in bytes per second.";
    counter node_amazonefa_tx_bytes ["device", "port"] from "tx_bytes": "Bytes that left through the port.";
    counter node_amazonefa_tx_pkts ["device", "port"] from "tx_pkts": "Packets that left through the port.";
    counter node_amazonefa_rx_bytes ["device", "port"] from "rx_bytes": "Bytes that came in through the port.";
    counter node_amazonefa_rx_pkts ["device", "port"] from "rx_pkts": "Packets that came in through the port.";
    counter node_amazonefa_rx_drops ["device", "port"] from "rx_drops": "Packets that came in and were thrown away.";
    counter node_amazonefa_send_bytes ["device", "port"] from "send_bytes": "Bytes that send operations carried away.";
    counter node_amazonefa_send_wrs ["device", "port"] from "send_wrs": "Send work requests.";
    counter node_amazonefa_recv_bytes ["device", "port"] from "recv_bytes": "Bytes that receive operations took in.";
    counter node_amazonefa_recv_wrs ["device", "port"] from "recv_wrs": "Receive work requests.";
    counter node_amazonefa_rdma_read_wrs ["device", "port"] from "rdma_read_wrs": "RDMA read work requests that this node made.";
    counter node_amazonefa_rdma_read_bytes ["device", "port"] from "rdma_read_bytes": "Bytes that this node read out of others' memory.";
    counter node_amazonefa_rdma_read_wr_err ["device", "port"] from "rdma_read_wr_err": "RDMA read work requests that failed.";
    counter node_amazonefa_rdma_read_resp_bytes ["device", "port"] from "rdma_read_resp_bytes": "Bytes that others read out of this node's memory.";
    counter node_amazonefa_rdma_write_wrs ["device", "port"] from "rdma_write_wrs": "RDMA write work requests that this node made.";
    counter node_amazonefa_rdma_write_bytes ["device", "port"] from "rdma_write_bytes": "Bytes that this node wrote into others' memory.";
    counter node_amazonefa_rdma_write_wr_err ["device", "port"] from "rdma_write_wr_err": "RDMA write work requests that failed.";
    counter node_amazonefa_rdma_write_recv_bytes ["device", "port"] from "rdma_write_recv_bytes": "Bytes that others wrote into this node's memory.";
    counter node_amazonefa_retrans_bytes ["device", "port"] from "retrans_bytes": "Bytes that SRD had to send once more.";
    counter node_amazonefa_retrans_pkts ["device", "port"] from "retrans_pkts": "Packets that SRD had to send once more.";
    counter node_amazonefa_retrans_timeout_events ["device", "port"] from "retrans_timeout_events": "Times SRD waited in vain and took another path.";
    counter node_amazonefa_unresponsive_remote_events ["device", "port"] from "unresponsive_remote_events": "Times the other end of an SRD connection did not answer.";
    counter node_amazonefa_impaired_remote_conn_events ["device", "port"] from "impaired_remote_conn_events": "Times an SRD connection was slowed down because its other end fared badly.";
    counter node_amazonefa_submitted_cmds ["device", "port"] from "submitted_cmds": "Commands of the driver that were handed to the device.";
    counter node_amazonefa_completed_cmds ["device", "port"] from "completed_cmds": "Commands of the driver that the device finished.";
    counter node_amazonefa_cmds_err ["device", "port"] from "cmds_err": "Commands of the driver that failed.";
    counter node_amazonefa_no_completion_cmds ["device", "port"] from "no_completion_cmds": "Commands of the driver that the device never answered.";
    counter node_amazonefa_keep_alive_rcvd ["device", "port"] from "keep_alive_rcvd": "Signs of life that came from the device.";
    counter node_amazonefa_alloc_pd_err ["device", "port"] from "alloc_pd_err": "Protection domains that could not be had.";
    counter node_amazonefa_create_qp_err ["device", "port"] from "create_qp_err": "Queue pairs that could not be made.";
    counter node_amazonefa_create_cq_err ["device", "port"] from "create_cq_err": "Completion queues that could not be made.";
    counter node_amazonefa_reg_mr_err ["device", "port"] from "reg_mr_err": "Memory regions that could not be registered.";
    counter node_amazonefa_alloc_ucontext_err ["device", "port"] from "alloc_ucontext_err": "Programs that could not open the device.";
    counter node_amazonefa_create_ah_err ["device", "port"] from "create_ah_err": "Address handles that could not be made.";
    counter node_amazonefa_mmap_err ["device", "port"] from "mmap_err": "Mappings of the device's memory that failed.";
    gauge trainyard_silent_tcp ["jobid"]: "1 while a job of several nodes talks over the ordinary network and EFA stands still.";
    counter trainyard_silent_tcp_intervals_total []: "Intervals in which a job of several nodes talked over the ordinary network while EFA stood still.";
} }
