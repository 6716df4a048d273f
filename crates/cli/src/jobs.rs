//! What would be ended with a cluster's nodes.

use trainyard_provider::Observed;

/// What may be at work on a cluster.
#[derive(Debug, PartialEq, Eq)]
pub enum AtWork<'a> {
    /// No job.
    Nothing,
    /// These jobs, by their ids.
    Jobs(Vec<&'a str>),
    /// Slurm cannot be asked, and so many compute nodes run.
    Unknown(usize),
}

impl<'a> AtWork<'a> {
    /// Jobs that are not over; with `only_running` those that wait for nodes are left out.
    pub fn of(observed: &'a Observed, only_running: bool) -> Self {
        let counts = |state: &str| !only_running || state == "running";
        let jobs: Vec<&str> =
            observed.jobs.iter().filter(|job| counts(&job.state)).map(|job| job.id.as_str()).collect();
        match observed.unheard() {
            0 if jobs.is_empty() => Self::Nothing,
            0 => Self::Jobs(jobs),
            nodes => Self::Unknown(nodes),
        }
    }

    /// What somebody has to know before it is ended; `None`: there is nothing.
    pub fn says(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Jobs(jobs) => {
                let (noun, verb) = if jobs.len() == 1 { ("job", "is") } else { ("jobs", "are") };
                Some(format!("{} {noun} {verb} not over: {}", jobs.len(), jobs.join(", ")))
            }
            Self::Unknown(nodes) => {
                let (noun, verb) = if *nodes == 1 { ("node", "runs") } else { ("nodes", "run") };
                Some(format!("{nodes} compute {noun} {verb}, and Slurm cannot be asked for their jobs"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use trainyard_provider::JobState;

    use super::*;

    fn job(id: &str, state: &str) -> JobState {
        JobState {
            id: id.to_owned(),
            name: "train".to_owned(),
            user: "ada".to_owned(),
            queue: "gpu".to_owned(),
            state: state.to_owned(),
            nodes: 1,
            elapsed: "0:01".to_owned(),
            place: String::new(),
        }
    }

    #[test]
    fn waiting_jobs_are_not_ended_with_the_nodes() {
        let observed = Observed::here(true, Vec::new(), vec![job("1", "running"), job("2", "pending")]);
        assert_eq!(AtWork::of(&observed, true), AtWork::Jobs(vec!["1"]));
        assert_eq!(AtWork::of(&observed, false), AtWork::Jobs(vec!["1", "2"]));
        assert_eq!(AtWork::of(&observed, false).says().as_deref(), Some("2 jobs are not over: 1, 2"));
    }

    #[test]
    fn no_job_is_nothing_to_say() {
        let observed = Observed::here(true, Vec::new(), Vec::new());
        assert_eq!(AtWork::of(&observed, false).says(), None);
    }
}
