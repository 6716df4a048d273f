//! Slurm as its controller tells it: nodes, jobs, partitions, shares, the scheduler.
//!
//! Names are those of the widespread exporters where they have one. Each node is counted once and in one state only, so
//! that the states add up to the total. What is powered down is not idle, and neither are its CPUs and GPUs.

metrics! { "slurm" from "scontrol, squeue, sdiag, sshare" {
    info slurm_info ["version", "cluster"]: "Slurm's version and the cluster's name.";
    gauge slurm_controller_up ["role"]: "1 if this controller (primary, backup) answers.";
    gauge slurm_last_success_timestamp_seconds: "When all of Slurm's programs last gave what they were asked for, since the epoch.";
    gauge slurm_command_duration_seconds ["command"]: "How long this program of Slurm's took.";
    gauge slurm_lines_unread ["command"]: "Lines of this program's last output that could not be understood.";

    gauge slurm_nodes_total from "NodeName": "Nodes, whatever their state; a node of several partitions is one.";
    gauge slurm_nodes_alloc from "State": "Nodes all of whose CPUs are allocated.";
    gauge slurm_nodes_mix from "State": "Nodes some of whose CPUs are allocated.";
    gauge slurm_nodes_idle from "State": "Nodes that are up and have nothing to do.";
    gauge slurm_nodes_comp from "State": "Nodes that clean up after a job.";
    gauge slurm_nodes_down from "State": "Nodes that cannot be used.";
    gauge slurm_nodes_drain from "State": "Nodes that take no new jobs, drained or draining.";
    gauge slurm_nodes_err from "State": "Nodes in the state ERROR.";
    gauge slurm_nodes_fail from "State": "Nodes that are about to fail and take no new jobs.";
    gauge slurm_nodes_inval from "State": "Nodes that registered with less than is configured.";
    gauge slurm_nodes_maint from "State": "Nodes in a maintenance reservation.";
    gauge slurm_nodes_resv from "State": "Idle nodes in a reservation.";
    gauge slurm_nodes_planned from "State": "Idle nodes that the backfill scheduler keeps for a job.";
    gauge slurm_nodes_blocked from "State": "Idle nodes that an exclusive topology keeps from other jobs.";
    gauge slurm_nodes_reboot from "State": "Idle nodes that reboot or are about to.";
    gauge slurm_nodes_powered_down from "State": "Nodes that are switched off and come when a job needs them.";
    gauge slurm_nodes_powering_up from "State": "Nodes without a job that are being switched on.";
    gauge slurm_nodes_powering_down from "State": "Nodes that are being switched off.";
    gauge slurm_nodes_future from "State": "Nodes that are declared and do not exist yet.";
    gauge slurm_nodes_other from "State": "Nodes whose state is unknown to Slurm, or whose name for it is unknown to this agent.";
    gauge slurm_nodes_flag ["flag"] from "State": "Nodes whose state carries this flag, whatever else it is; a node may have several.";

    gauge slurm_cpus_total from "CPUEfctv": "CPUs of all nodes.";
    gauge slurm_cpus_alloc from "CPUAlloc": "CPUs that are allocated to jobs.";
    gauge slurm_cpus_idle: "Free CPUs of nodes that take jobs now.";
    gauge slurm_cpus_other: "Free CPUs of nodes that take no jobs now, those that are powered down among them.";
    gauge slurm_cpus_powered_down: "CPUs of nodes that are switched off; they are part of slurm_cpus_other.";
    gauge slurm_gpus_total from "Gres": "GPUs of all nodes.";
    gauge slurm_gpus_alloc from "GresUsed": "GPUs that are allocated to jobs.";
    gauge slurm_gpus_idle: "Free GPUs of nodes that take jobs now.";
    gauge slurm_gpus_other: "Free GPUs of nodes that take no jobs now, those that are powered down among them.";
    gauge slurm_gpus_powered_down: "GPUs of nodes that are switched off; they are part of slurm_gpus_other.";

    info slurm_partition_info ["partition", "state"]: "The partition's state: up, down, drain or inactive.";
    gauge slurm_partition_nodes ["partition", "state"]: "Nodes of the partition in this state; states without nodes are left out.";
    gauge slurm_partition_nodes_configured ["partition"] from "TotalNodes": "Nodes of the partition, hidden ones included.";
    gauge slurm_partition_cpus_total ["partition"]: "CPUs of the partition's nodes.";
    gauge slurm_partition_cpus_allocated ["partition"]: "CPUs of the partition's nodes that are allocated, through whatever partition.";
    gauge slurm_partition_cpus_idle ["partition"]: "Free CPUs of the partition's nodes that take jobs now.";
    gauge slurm_partition_cpus_other ["partition"]: "Free CPUs of the partition's nodes that take no jobs now.";
    gauge slurm_partition_gpus_total ["partition"]: "GPUs of the partition's nodes.";
    gauge slurm_partition_gpus_allocated ["partition"]: "GPUs of the partition's nodes that are allocated, through whatever partition.";
    gauge slurm_partition_gpus_idle ["partition"]: "Free GPUs of the partition's nodes that take jobs now.";
    gauge slurm_partition_gpus_other ["partition"]: "Free GPUs of the partition's nodes that take no jobs now.";
    gauge slurm_partition_jobs_pending ["partition"]: "Pending jobs that name the partition; a job that names two waits in both.";
    gauge slurm_partition_jobs_running ["partition"]: "Running jobs of the partition.";

    gauge slurm_queue_pending: "Pending jobs; each task of an array is one.";
    gauge slurm_queue_pending_dependency: "Pending jobs that wait for other jobs.";
    gauge slurm_queue_running: "Running jobs.";
    gauge slurm_queue_suspended: "Suspended and stopped jobs.";
    gauge slurm_queue_configuring: "Jobs whose nodes are being made ready.";
    gauge slurm_queue_completing: "Jobs that are being cleaned up after.";
    gauge slurm_queue_completed: "Completed jobs that the controller still remembers.";
    gauge slurm_queue_cancelled: "Cancelled jobs that the controller still remembers.";
    gauge slurm_queue_failed: "Failed jobs that the controller still remembers.";
    gauge slurm_queue_timeout: "Jobs past their time limit that the controller still remembers.";
    gauge slurm_queue_preempted: "Preempted jobs that the controller still remembers.";
    gauge slurm_queue_node_fail: "Jobs that lost a node and that the controller still remembers.";
    gauge slurm_queue_out_of_memory: "Jobs that ran out of memory and that the controller still remembers.";
    gauge slurm_queue_deadline: "Jobs past their deadline that the controller still remembers.";
    gauge slurm_queue_boot_fail: "Jobs whose node did not start and that the controller still remembers.";
    gauge slurm_queue_requeued: "Jobs that are requeued, or held after it.";
    gauge slurm_queue_other: "Jobs in any other state.";
    gauge slurm_pending_reason_total ["reason"]: "Pending jobs by the reason for which they wait.";
    gauge slurm_jobs_cores_running: "CPUs of running jobs.";
    gauge slurm_jobs_cores_pending: "CPUs that pending jobs ask for.";
    gauge slurm_jobs_gpus_running: "GPUs of running jobs, where accounting tracks gres/gpu.";
    gauge slurm_jobs_gpus_pending: "GPUs that pending jobs ask for, where accounting tracks gres/gpu.";
    gauge slurm_user_jobs_running ["user"]: "Running jobs of the user.";
    gauge slurm_user_jobs_pending ["user"]: "Pending jobs of the user.";
    gauge slurm_user_jobs_suspended ["user"]: "Suspended jobs of the user.";
    gauge slurm_user_cpus_running ["user"]: "CPUs of the user's running jobs.";
    gauge slurm_user_gpus_running ["user"]: "GPUs of the user's running jobs, where accounting tracks gres/gpu.";
    gauge slurm_account_jobs_running ["account"]: "Running jobs of the account.";
    gauge slurm_account_jobs_pending ["account"]: "Pending jobs of the account.";
    gauge slurm_account_jobs_suspended ["account"]: "Suspended jobs of the account.";
    gauge slurm_account_cpus_running ["account"]: "CPUs of the account's running jobs.";
    gauge slurm_account_gpus_running ["account"]: "GPUs of the account's running jobs, where accounting tracks gres/gpu.";
    gauge slurm_names_merged ["kind"]: "Names (partition, user, account, reason, operation, requester, share) that had no series of their own in the last run; where sums make sense they are shown as _other.";

    gauge slurm_account_fairshare ["account"] from "FairShare": "Fair-share factor of the account, 0 to 1; not known under the fair tree algorithm.";
    gauge slurm_account_fairshare_raw_shares ["account"] from "RawShares": "Shares given to the account.";
    gauge slurm_account_fairshare_norm_shares ["account"] from "NormShares": "The account's part of all shares, 0 to 1.";
    gauge slurm_account_fairshare_norm_usage ["account"] from "NormUsage": "The account's part of all use, 0 to 1.";
    gauge slurm_account_fairshare_raw_usage_cpu_seconds ["account"] from "RawUsage": "Use of the account, decayed over time.";
    gauge slurm_user_fairshare ["account", "user"] from "FairShare": "Fair-share factor of the user within the account, 0 to 1.";
    gauge slurm_user_fairshare_norm_shares ["account", "user"] from "NormShares": "The user's part of the shares, 0 to 1.";
    gauge slurm_user_fairshare_norm_usage ["account", "user"] from "NormUsage": "The user's part of all use, 0 to 1.";
    gauge slurm_user_fairshare_raw_usage_cpu_seconds ["account", "user"] from "RawUsage": "Use of the user within the account, decayed over time.";

    gauge slurm_reservations ["state"] from "State": "Reservations by state: active or inactive.";
    gauge slurm_reservation_node_count ["reservation_name"] from "NodeCnt": "Nodes of the reservation.";

    gauge slurm_scheduler_threads from "Server thread count": "Threads of the controller.";
    gauge slurm_scheduler_queue_size from "Agent queue size": "Messages that wait for a node.";
    gauge slurm_scheduler_agents from "Agent count": "Agents that talk to nodes.";
    gauge slurm_scheduler_agent_threads from "Agent thread count": "Threads of those agents.";
    gauge slurm_scheduler_dbd_queue_size from "DBD Agent queue size": "Messages that wait for the accounting daemon; it grows while that is away.";
    gauge slurm_scheduler_last_cycle in "microseconds" from "Last cycle": "Time of the last scheduling cycle.";
    gauge slurm_scheduler_max_cycle in "microseconds" from "Max cycle": "Time of the longest scheduling cycle since the statistics began.";
    gauge slurm_scheduler_mean_cycle in "microseconds" from "Mean cycle": "Mean time of the scheduling cycles since the statistics began.";
    gauge slurm_scheduler_cycle_per_minute from "Cycles per minute": "Scheduling cycles in a minute.";
    gauge slurm_scheduler_queue_length from "Last queue length": "Jobs that the last scheduling cycle had before it.";
    gauge slurm_scheduler_backfill_last_cycle in "microseconds" from "Last cycle": "Time of the last backfill cycle.";
    gauge slurm_scheduler_backfill_max_cycle in "microseconds" from "Max cycle": "Time of the longest backfill cycle since the statistics began.";
    gauge slurm_scheduler_backfill_mean_cycle in "microseconds" from "Mean cycle": "Mean time of the backfill cycles since the statistics began.";
    gauge slurm_scheduler_backfill_depth_mean from "Depth Mean": "Mean number of jobs that a backfill cycle looked at.";
    gauge slurm_scheduler_backfill_queue_length from "Last queue length": "Jobs that the last backfill cycle had before it.";
    gauge slurm_scheduler_backfill_table_size from "Last table size": "Time slots that the last backfill cycle had before it.";
    counter slurm_scheduler_backfilled_jobs_since_start_total: "Jobs that backfill started since the controller's start.";
    counter slurm_scheduler_backfilled_jobs_since_cycle_total: "Jobs that backfill started since the statistics began.";
    counter slurm_scheduler_backfilled_heterogeneous_total: "Components of heterogeneous jobs that backfill started.";
    gauge slurm_scheduler_jobs_submitted from "Jobs submitted": "Jobs that were submitted since the statistics began.";
    gauge slurm_scheduler_jobs_started from "Jobs started": "Jobs that were started since the statistics began.";
    gauge slurm_scheduler_jobs_completed from "Jobs completed": "Jobs that completed since the statistics began.";
    gauge slurm_scheduler_jobs_canceled from "Jobs canceled": "Jobs that were cancelled since the statistics began.";
    gauge slurm_scheduler_jobs_failed from "Jobs failed": "Jobs that failed since the statistics began.";
    gauge slurm_scheduler_statistics_start_timestamp_seconds from "Data since": "When the scheduler's statistics began, since the epoch; they begin anew each day and on request.";
    gauge slurm_rpc_stats ["operation"] from "count": "Requests of this type since the statistics began.";
    gauge slurm_rpc_stats_avg_time ["operation"] in "microseconds" from "ave_time": "Mean time of requests of this type.";
    gauge slurm_rpc_stats_total_time ["operation"] in "microseconds" from "total_time": "Time of all requests of this type since the statistics began.";
    gauge slurm_user_rpc_stats ["user"] from "count": "Requests of the user since the statistics began.";
    gauge slurm_user_rpc_stats_avg_time ["user"] in "microseconds" from "ave_time": "Mean time of the user's requests.";
    gauge slurm_user_rpc_stats_total_time ["user"] in "microseconds" from "total_time": "Time of all of the user's requests since the statistics began.";
} }
