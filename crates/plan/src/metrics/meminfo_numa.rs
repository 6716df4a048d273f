//! Memory of each NUMA node.

metrics! { "meminfo_numa" from "/sys/devices/system/node/node*/{meminfo,numastat}" {
    gauge node_memory_numa_MemTotal ["node"] in "bytes" from "MemTotal": "MemTotal of one NUMA node, in bytes.";
    gauge node_memory_numa_MemFree ["node"] in "bytes" from "MemFree": "MemFree of one NUMA node, in bytes.";
    gauge node_memory_numa_MemUsed ["node"] in "bytes" from "MemUsed": "MemUsed of one NUMA node, in bytes.";
    gauge node_memory_numa_Active ["node"] in "bytes" from "Active": "Active of one NUMA node, in bytes.";
    gauge node_memory_numa_Inactive ["node"] in "bytes" from "Inactive": "Inactive of one NUMA node, in bytes.";
    gauge node_memory_numa_Active_anon ["node"] in "bytes" from "Active(anon)": "Active(anon) of one NUMA node, in bytes.";
    gauge node_memory_numa_Inactive_anon ["node"] in "bytes" from "Inactive(anon)": "Inactive(anon) of one NUMA node, in bytes.";
    gauge node_memory_numa_Active_file ["node"] in "bytes" from "Active(file)": "Active(file) of one NUMA node, in bytes.";
    gauge node_memory_numa_Inactive_file ["node"] in "bytes" from "Inactive(file)": "Inactive(file) of one NUMA node, in bytes.";
    gauge node_memory_numa_Unevictable ["node"] in "bytes" from "Unevictable": "Unevictable of one NUMA node, in bytes.";
    gauge node_memory_numa_Mlocked ["node"] in "bytes" from "Mlocked": "Mlocked of one NUMA node, in bytes.";
    gauge node_memory_numa_Dirty ["node"] in "bytes" from "Dirty": "Dirty of one NUMA node, in bytes.";
    gauge node_memory_numa_Writeback ["node"] in "bytes" from "Writeback": "Writeback of one NUMA node, in bytes.";
    gauge node_memory_numa_FilePages ["node"] in "bytes" from "FilePages": "FilePages of one NUMA node, in bytes.";
    gauge node_memory_numa_Mapped ["node"] in "bytes" from "Mapped": "Mapped of one NUMA node, in bytes.";
    gauge node_memory_numa_AnonPages ["node"] in "bytes" from "AnonPages": "AnonPages of one NUMA node, in bytes.";
    gauge node_memory_numa_Shmem ["node"] in "bytes" from "Shmem": "Shmem of one NUMA node, in bytes.";
    gauge node_memory_numa_KernelStack ["node"] in "bytes" from "KernelStack": "KernelStack of one NUMA node, in bytes.";
    gauge node_memory_numa_PageTables ["node"] in "bytes" from "PageTables": "PageTables of one NUMA node, in bytes.";
    gauge node_memory_numa_NFS_Unstable ["node"] in "bytes" from "NFS_Unstable": "NFS_Unstable of one NUMA node, in bytes.";
    gauge node_memory_numa_Bounce ["node"] in "bytes" from "Bounce": "Bounce of one NUMA node, in bytes.";
    gauge node_memory_numa_WritebackTmp ["node"] in "bytes" from "WritebackTmp": "WritebackTmp of one NUMA node, in bytes.";
    gauge node_memory_numa_KReclaimable ["node"] in "bytes" from "KReclaimable": "KReclaimable of one NUMA node, in bytes.";
    gauge node_memory_numa_Slab ["node"] in "bytes" from "Slab": "Slab of one NUMA node, in bytes.";
    gauge node_memory_numa_SReclaimable ["node"] in "bytes" from "SReclaimable": "SReclaimable of one NUMA node, in bytes.";
    gauge node_memory_numa_SUnreclaim ["node"] in "bytes" from "SUnreclaim": "SUnreclaim of one NUMA node, in bytes.";
    gauge node_memory_numa_AnonHugePages ["node"] in "bytes" from "AnonHugePages": "AnonHugePages of one NUMA node, in bytes.";
    gauge node_memory_numa_HugePages_Total ["node"] from "HugePages_Total": "HugePages_Total of one NUMA node.";
    gauge node_memory_numa_HugePages_Free ["node"] from "HugePages_Free": "HugePages_Free of one NUMA node.";
    gauge node_memory_numa_HugePages_Surp ["node"] from "HugePages_Surp": "HugePages_Surp of one NUMA node.";
    counter node_memory_numa_numa_hit_total ["node"] from "numa_hit": "Pages that were taken from the node that was asked for.";
    counter node_memory_numa_numa_miss_total ["node"] from "numa_miss": "Pages that were taken here although another node was asked for.";
    counter node_memory_numa_numa_foreign_total ["node"] from "numa_foreign": "Pages that were asked for here and taken elsewhere.";
    counter node_memory_numa_interleave_hit_total ["node"] from "interleave_hit": "Pages that were spread over nodes, and taken here.";
    counter node_memory_numa_local_node_total ["node"] from "local_node": "Pages that were taken for a process running on this node.";
    counter node_memory_numa_other_node_total ["node"] from "other_node": "Pages that were taken for a process running on another node.";
} }
