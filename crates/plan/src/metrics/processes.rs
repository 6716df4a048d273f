//! Processes and threads.

metrics! { "processes" from "/proc" {
    gauge node_processes_threads: "Threads of all processes.";
    gauge node_processes_max_threads from "threads-max": "Threads that there may be.";
    gauge node_processes_pids: "Processes that there are now.";
    gauge node_processes_max_processes from "pid_max": "Numbers that there are for processes.";
    gauge node_processes_state ["state"]: "Processes in a state, by its letter.";
} }
