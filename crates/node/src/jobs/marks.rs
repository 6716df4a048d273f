//! The marks by which a process is known as a job's: the path of its control group, and the title of the `slurmstepd`
//! that started it. Never panics on any text.

/// Longer than any name that Slurm gives a step.
const STEP_BYTES_MAX: usize = 32;

/// Slurm's numbers of jobs have at most ten digits.
const ID_BYTES_MAX: usize = 10;

/// What a title tells: a job and a step of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The job's number.
    pub job: String,
    /// `0`, `batch`, `extern`, `interactive`; empty where it is not known.
    pub step: String,
}

/// Where a job's control groups are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The job and the step, where the path has their numbers.
    pub mark: Option<Mark>,
    /// The job's folder in each hierarchy: its controllers (none for version 2) and its path.
    pub folders: Vec<(String, String)>,
    /// Whose job it is, where the path says so.
    pub uid: Option<u32>,
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn step_name(text: &str) -> String {
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || "+_-".contains(*character);
    text.chars().take_while(is_plain).take(STEP_BYTES_MAX).collect()
}

/// From `slurmstepd: [123.batch]`, as it stands in `/proc/PID/cmdline`.
pub fn title(text: &str) -> Option<Mark> {
    let inner = text.strip_prefix("slurmstepd:")?.trim_start().strip_prefix('[')?;
    let inner = inner.strip_prefix("StepId=").unwrap_or(inner);
    let (inner, _) = inner.split_once(']')?;
    let (job, step) = inner.split_once('.')?;
    // Parts of a heterogeneous job are `123+0`.
    let job = job.split('+').next().filter(|job| is_id(job))?;
    Some(Mark { job: job.to_owned(), step: step_name(step) })
}

/// From `/proc/PID/cgroup`. `None` where it is no job's.
pub fn place(text: &str) -> Option<Place> {
    let mut place = Place::default();
    for line in text.lines().take(64) {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let Some(found) = of_path(path) else { continue };
        if found.is_whole {
            place.folders.push((controllers.to_owned(), found.folder));
        }
        place.uid = place.uid.or(found.uid);
        // The hierarchy of the freezer may know the step where that of memory ends with the job.
        if place.mark.as_ref().is_none_or(|mark| mark.step.is_empty()) {
            place.mark = found.mark.or(place.mark);
        }
    }
    (place.mark.is_some() || !place.folders.is_empty()).then_some(place)
}

struct OfPath {
    mark: Option<Mark>,
    folder: String,
    uid: Option<u32>,
    /// Whether it begins at the hierarchy's root, and not somewhere above the agent's own.
    is_whole: bool,
}

/// Version 2 has `…/slurmstepd.scope/job_7/step_0/…`, where a number stands before `_slurmstepd` on a machine with several
/// nodes; from 26.05 on another name takes the place of `job_7`. Version 1 has `/slurm/uid_1000/job_7/step_0/…`.
fn of_path(path: &str) -> Option<OfPath> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).take(64).collect();
    // What a user may make by himself lies below his own slice, whatever he calls it.
    let end = parts.iter().position(|part| *part == "user.slice" || part.starts_with("user@")).unwrap_or(parts.len());
    let scope = |part: &&str| *part == "slurmstepd.scope" || part.ends_with("_slurmstepd.scope");
    let (at, uid) = if let Some(at) = parts.iter().position(scope) {
        (at + 1, None)
    } else {
        let is_slurms = |pair: &[&str]| match pair {
            [slurm, uid] => (*slurm == "slurm" || slurm.starts_with("slurm_")) && uid.starts_with("uid_"),
            _ => false,
        };
        let at = parts.windows(2).position(is_slurms)? + 2;
        (at, parts.get(at - 1).and_then(|part| part.strip_prefix("uid_")?.parse().ok()))
    };
    let job = parts.get(at).filter(|_| at < end)?;
    // The daemon's own, beside those of jobs.
    if *job == "system" {
        return None;
    }
    let step = parts.get(at + 1).and_then(|part| part.strip_prefix("step_")).map(step_name).unwrap_or_default();
    let id = job.strip_prefix("job_").filter(|id| is_id(id));
    let folder = format!("/{}", parts.get(..=at).unwrap_or_default().join("/"));
    let mark = id.map(|id| Mark { job: id.to_owned(), step });
    Some(OfPath { mark, folder, uid, is_whole: !parts.contains(&"..") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_job_and_step() {
        for (text, expected) in [
            ("slurmstepd: [123.batch]", Some(("123", "batch"))),
            ("slurmstepd: [7.0]\0\0", Some(("7", "0"))),
            ("slurmstepd: [StepId=7.extern]", Some(("7", "extern"))),
            ("slurmstepd: [7+1.0]", Some(("7", "0"))),
            ("slurmstepd: [7.0\"}; evil]", Some(("7", "0"))),
            ("slurmstepd: [.0]", None),
            ("slurmstepd: [12345678901.0]", None),
            ("slurmstepd: [7", None),
            ("/usr/sbin/slurmstepd\0infinity\0", None),
            ("bash slurmstepd: [7.0]", None),
        ] {
            let expected = expected.map(|(job, step)| Mark { job: job.into(), step: step.into() });
            assert_eq!(title(text), expected, "{text}");
        }
    }

    #[test]
    fn a_control_group_names_its_job_in_both_versions() {
        for (text, job, step, folder) in [
            (
                "0::/system.slice/slurmstepd.scope/job_7/step_batch/user/task_0",
                Some("7"),
                "batch",
                Some("/system.slice/slurmstepd.scope/job_7"),
            ),
            (
                "0::/box/n1/system.slice/n1_slurmstepd.scope/job_7/step_extern/slurm",
                Some("7"),
                "extern",
                Some("/box/n1/system.slice/n1_slurmstepd.scope/job_7"),
            ),
            ("9:memory:/slurm/uid_1000/job_7/step_0/task_0", Some("7"), "0", Some("/slurm/uid_1000/job_7")),
            ("9:memory:/slurm_n1/uid_1000/job_7", Some("7"), "", Some("/slurm_n1/uid_1000/job_7")),
            ("0::/../../slurmstepd.scope/job_7/step_0", Some("7"), "0", None),
            ("0::/slurmstepd.scope/s5K1KKYAYG5D00/step_0/user", None, "", Some("/slurmstepd.scope/s5K1KKYAYG5D00")),
            ("0::/system.slice/slurmstepd.scope/system", None, "", None),
            ("0::/user.slice/user-1000.slice/user@1000.service/slurmstepd.scope/job_7/step_0", None, "", None),
            ("0::/slurm/job_7", None, "", None),
            ("0::/system.slice/slurmd.service", None, "", None),
            ("no line", None, "", None),
        ] {
            let found = place(text).unwrap_or_default();
            let mark = job.map(|job| Mark { job: job.into(), step: step.into() });
            assert_eq!(found.mark, mark, "{text}");
            assert_eq!(found.folders.first().map(|(_, path)| path.as_str()), folder, "{text}");
        }
        let many = "9:memory:/slurm/uid_1000/job_7\n4:freezer:/slurm/uid_1000/job_7/step_0\n0::/\n";
        let place = place(many).unwrap();
        assert_eq!(place.mark, Some(Mark { job: "7".into(), step: "0".into() }));
        assert_eq!((place.folders.len(), place.uid), (2, Some(1000)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[0-9a-z:/_.@\\[\\]\n ]{0,80}") {
            let _ = (place(&text), title(&text));
        }
    }
}
