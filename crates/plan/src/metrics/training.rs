//! Training, as the jobs' own scripts tell of it.

metrics! { "training" from "JSON lines of jobs, below --training" each ["jobid", "rank"] {
    gauge trainyard_training_step from "step": "The step that the rank told of last.";
    counter trainyard_training_steps_total from "step": "Steps that the rank went on by since the agent first read of it; a step back, as to a checkpoint, is not counted.";
    gauge trainyard_training_last_step_seconds from "step_seconds": "Time of the step that the rank told of last.";
    gauge trainyard_training_mean_step_seconds from "step_seconds": "Mean time of the steps that the rank told of since the collection before.";
    counter trainyard_training_step_seconds_total from "step_seconds": "Time of all steps that the rank gave a time for.";
    counter trainyard_training_timed_steps_total from "step_seconds": "Steps that the rank gave a time for.";
    counter trainyard_training_compute_seconds_total from "compute_seconds": "Time in steps before the rank waited for others, where it tells.";
    counter trainyard_training_wait_seconds_total from "wait_seconds": "Time in steps in which the rank waited for others, where it tells.";
    gauge trainyard_training_loss from "loss": "The loss that the rank told of last, while it is a number.";
    gauge trainyard_training_samples_per_second from "samples_per_second": "Samples in a second, as the rank told last.";
    gauge trainyard_training_tokens_per_second from "tokens_per_second": "Tokens in a second, as the rank told last.";
    gauge trainyard_training_last_line_age_seconds: "For how long the rank has told nothing.";
    counter trainyard_training_not_finite_total: "Lines with a value that is no finite number; a loss that diverged is one.";
    counter trainyard_training_lines_unread_total: "Lines that could not be understood, or were too long.";
    counter trainyard_training_bytes_skipped_total: "Bytes that were left out because the rank wrote more than is read in one collection.";
    gauge trainyard_training_straggler_ratio: "The rank's usual time of late, of the median of the job's ranks on this node: compute_seconds where all of them give it, else step_seconds.";
    gauge trainyard_training_jobs []: "Jobs that tell of themselves.";
    gauge trainyard_training_entries_refused []: "Entries of the folder that were not read: no plain file or folder, no job's or rank's name, or more than there is room for.";
} }
