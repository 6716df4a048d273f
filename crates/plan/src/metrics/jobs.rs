//! Jobs that run on the node: what to join other series with, and what each takes. No other series has a job's label.

metrics! { "jobs" from "/proc, control groups and jobs' environments" {
    info trainyard_job_info ["jobid", "user", "account", "partition", "name", "nodes", "array_job_id", "array_task_id", "measured"]: "A job that runs on this node. The user is the kernel's word, the rest is what the job's environment says.";
    info trainyard_job_gpu_info ["jobid", "gpu", "UUID"]: "A GPU that belongs to the job.";
    info trainyard_job_efa_info ["jobid", "device"]: "An EFA device that the job has open, or that it has with the whole node.";
    gauge trainyard_job_start_time_seconds ["jobid"]: "When the oldest of the job's processes on this node began, since the epoch.";
    counter trainyard_job_cpu_seconds_total ["jobid"] from "cpu.stat usage_usec": "Processor time of the job on this node.";
    gauge trainyard_job_memory_bytes ["jobid"] from "memory.current": "Memory of the job on this node, with its page cache where a control group tells.";
    gauge trainyard_job_memory_peak_bytes ["jobid"] from "memory.peak": "The most memory that the job had on this node.";
    gauge trainyard_job_memory_limit_bytes ["jobid"] from "memory.max": "Memory that the job may have on this node.";
    gauge trainyard_job_processes ["jobid"]: "Processes of the job on this node, without those of Slurm.";
    gauge trainyard_jobs []: "Jobs that run on this node.";
    counter trainyard_jobs_ended_total []: "Jobs that ended on this node since the agent started.";
    counter trainyard_jobs_gpu_seconds_total []: "Time that GPUs belonged to jobs, all GPUs together, as far as their use was seen.";
    counter trainyard_jobs_idle_gpu_seconds_total []: "Time that GPUs belonged to jobs and did nothing, all GPUs together.";
} }
