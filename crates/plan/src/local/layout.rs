//! Which folders are made, and which of them pass.

/// Folders that are made, below the cluster's folder, with their modes.
pub(super) static FOLDERS: &[(&str, u32)] = &[
    ("bin", 0o755),
    ("etc", 0o755),
    ("log", 0o755),
    ("nodes", 0o755),
    // Sockets, keys and pids: for the owner alone.
    ("run", 0o700),
    ("state", 0o700),
    ("shared/fsx/checkpoints", 0o755),
    ("shared/fsx/containers", 0o755),
    ("shared/fsx/datasets", 0o755),
    ("shared/fsx/jobs", 0o755),
    ("shared/fsx/logs", 0o755),
    ("shared/fsx/results", 0o755),
    ("shared/home/root", 0o700),
    ("shared/home/slurm", 0o755),
];

/// Folders that `down` removes: nothing in them is anybody's work.
pub(super) static PASSING: &[&str] = &["bin", "etc", "nodes", "run", "state"];

/// Whether a folder outlives the cluster: it holds what people made, or what tells about it.
pub(super) fn is_kept(path: &str) -> bool {
    path == "log" || path.starts_with("shared/")
}
