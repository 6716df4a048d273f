//! What one program or page of Slurm's said, understood without Slurm: for what was recorded, or made up.

use super::{controllers, diag, jobs, native, nodes, partitions, reservations, shares};
use crate::sheet::Sheet;

/// What is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// `scontrol ping`.
    Controllers,
    /// `scontrol show config`.
    Configuration,
    /// `scontrol -a -d -o show node`.
    Nodes,
    /// `scontrol -a -o show partition`.
    Partitions,
    /// `squeue`, in the form that is asked for here.
    Jobs,
    /// `scontrol -a -o show reservation`.
    Reservations,
    /// `sdiag`.
    Statistics,
    /// `sshare`, in the form that is asked for here.
    Shares,
    /// A page of the controller's own metrics.
    Metrics,
}

impl Output {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Controllers,
        Self::Configuration,
        Self::Nodes,
        Self::Partitions,
        Self::Jobs,
        Self::Reservations,
        Self::Statistics,
        Self::Shares,
        Self::Metrics,
    ];

    /// What is shown of a text, with at most so many names of a kind.
    pub fn shown(self, text: &str, names: usize) -> Sheet {
        let mut sheet = Sheet::default();
        macro_rules! show {
            ($read:expr, $($limit:expr)?) => {{
                let mut read = $read;
                text.lines().for_each(|line| read.line(line));
                read.put(&mut sheet, $($limit)?);
            }};
        }
        match self {
            Self::Controllers => show!(controllers::Controllers::default(),),
            Self::Configuration => show!(controllers::Configuration::default(),),
            Self::Nodes => show!(nodes::Nodes::default(), names),
            Self::Partitions => show!(partitions::Partitions::default(), names),
            Self::Jobs => show!(jobs::Jobs::new(true), names),
            Self::Reservations => show!(reservations::Reservations::default(),),
            Self::Statistics => show!(diag::Diag::default(), names),
            Self::Shares => show!(shares::Shares::default(), names),
            Self::Metrics => native::show_page(text, names, &mut sheet),
        }
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::read_line;

    /// Slurm has no bound for an account's name.
    #[test]
    fn names_that_differ_only_behind_what_is_shown_are_one_series_and_not_one_twice() {
        let long = "a".repeat(600);
        let twice = |line: &str| ["1", "2"].map(|end| line.replace('@', &format!("{long}{end}"))).join("\n");
        for (output, line, series) in [
            (Output::Jobs, "R|@|@|@|2|N/A|None|", "slurm_user_jobs_running"),
            (Output::Partitions, "PartitionName=@ State=UP TotalNodes=1", "slurm_partition_info"),
            (Output::Reservations, "ReservationName=@ State=ACTIVE NodeCnt=3", "slurm_reservation_node_count"),
            (Output::Shares, "@|@|1|0.5|7|0.5|0.5", "slurm_user_fairshare"),
            (Output::Nodes, "NodeName=n CPUTot=4 State=IDLE Partitions=@", "slurm_partition_cpus_total"),
        ] {
            let text = output.shown(&twice(line), 10).into_page().text();
            let names = text.lines().filter_map(read_line).map(|(name, ..)| name);
            assert_eq!(names.filter(|name| *name == series).count(), 1, "{output:?}: {text}");
        }
    }
}
