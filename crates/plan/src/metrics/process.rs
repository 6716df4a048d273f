//! What the agent itself costs.

metrics! { "process" from "/proc/self" {
    counter process_cpu_seconds_total: "Processor time of the agent, user and system.";
    gauge process_resident_memory_bytes: "Memory of the agent that is in RAM.";
    gauge process_virtual_memory_bytes: "Address space of the agent.";
    gauge process_virtual_memory_max_bytes: "Address space that the agent may have.";
    gauge process_open_fds: "Open file descriptors of the agent.";
    gauge process_max_fds: "File descriptors that the agent may have open.";
    gauge process_start_time_seconds: "When the agent started, since the epoch.";
    gauge process_threads: "Threads of the agent.";
} }
