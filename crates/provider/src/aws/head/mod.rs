//! The way onto the head of a cluster on AWS: Systems Manager, which needs neither a key nor an open port.

mod script;
pub(super) mod setup;

use std::time::Duration;

use tokio::time::Instant;
use trainyard_plan::Plan;

use super::account::stopped;
use super::api::{self, Instance, ssm};
use super::refused::Refused;
use super::{Account, Aws, nodes, planned};
use crate::Failure;
use crate::head::{Head, Order, Said};
use script::{ERR_BYTES, KILLED, OUT_BYTES, Report, TIMED_OUT};

/// How long a command may take unless somebody says otherwise.
const SECONDS: u32 = 3600;
/// Systems Manager's own limit comes so much later than the command's: the command ends by its own means first.
const GRACE_SECONDS: u32 = 60;
/// The longest that a command may take: Systems Manager allows 48 hours.
const SECONDS_MAX: u32 = 172_800 - GRACE_SECONDS;
/// When it is said that the output comes at the end.
const SILENCE: Duration = Duration::from_secs(10);
/// How long the end of a command that is cancelled is waited for.
const CANCEL: Duration = Duration::from_secs(10);

/// Whose login an operating system has: what ParallelCluster calls the system, and the user.
const USERS: &[(&str, &str)] =
    &[("alinux", "ec2-user"), ("rhel", "ec2-user"), ("ubuntu", "ubuntu"), ("rocky", "rocky")];

/// The head of one cluster.
pub(super) struct AwsHead<'a> {
    aws: &'a Aws,
    cluster: &'a str,
}

impl<'a> AwsHead<'a> {
    /// Refuses a cluster whose head takes no commands. Nothing is asked of AWS yet.
    pub fn of(aws: &'a Aws, plan: &'a Plan) -> Result<Self, Failure> {
        if !planned::target(plan)?.asks_slurm {
            return Err(Failure::refused(format!(
                "the head of `{}` takes no commands through Systems Manager: `access.ssm` is false",
                plan.cluster
            ))
            .hint("write `access: { ssm: true }` into the spec, then: trainyard up")
            .hint("or log in to the head by SSH; its address: trainyard status"));
        }
        Ok(Self { aws, cluster: &plan.cluster })
    }
}

impl Head for AwsHead<'_> {
    fn run(&self, order: &Order, tell: &mut dyn FnMut(Said<'_>)) -> Result<i32, Failure> {
        let seconds = order.seconds.unwrap_or(SECONDS);
        if !(1..=SECONDS_MAX).contains(&seconds) {
            return Err(Failure::usage(format!("a command on AWS may take 1 to {SECONDS_MAX} s, not {seconds}")));
        }
        let account = &self.aws.account;
        // Ctrl-C is looked for in there: what was sent has to be called back.
        let never = trainyard_run::Cancel::default();
        account.run(&never, "running a command", self.carry_out(order, seconds, tell))
    }
}

impl AwsHead<'_> {
    async fn carry_out(&self, order: &Order, seconds: u32, tell: &mut dyn FnMut(Said<'_>)) -> Result<i32, Failure> {
        let account = &self.aws.account;
        let instances = api::instances(account, self.cluster).await?;
        let head = self.running(&instances)?;
        let token = token()?;
        let (limit, grace) = (u64::from(seconds), u64::from(GRACE_SECONDS));
        let text = script::script(user(head)?, &token, limit, &order.words());
        let begun = Instant::now();
        let sent = ssm::send(account, &head.id, &text, limit + grace);
        let sent = sent.await.map_err(|refused| self.not_sent(refused, &head.id))?;
        let give_up = begun + Duration::from_secs(ssm::DELIVERY_SECONDS + limit + 2 * grace);
        let ended = tokio::select! {
            biased;
            ended = ssm::end_of(account, &sent, give_up) => ended.map_err(|refused| lost(refused, &sent))?,
            () = stopped(&self.aws.cancel) => return Err(called_back(account, &sent).await),
            () = after(SILENCE, || tell(Said::Note("the command runs on the head; what it says comes when it has ended"))) => None,
        };
        let Some(ended) = ended else {
            return Err(Failure::refused(format!("the head did not tell the end of the command {} in time", sent.id))
                .hint(format!("see how the cluster is: trainyard status --cluster {}", self.cluster)));
        };
        let report = script::report(&token, &ended.out, &ended.err).ok_or_else(|| never_ran(self.cluster, &ended))?;
        tell(Said::Out(report.out));
        tell(Said::Err(report.err));
        for note in notes(&report, seconds, begun.elapsed()) {
            tell(Said::Note(&note));
        }
        Ok(report.code)
    }

    fn running<'b>(&self, instances: &'b [Instance]) -> Result<&'b Instance, Failure> {
        let look = format!("see what stands: trainyard status --cluster {}", self.cluster);
        match nodes::head(instances) {
            Some(head) if head.state == "running" => Ok(head),
            Some(head) => {
                Err(Failure::refused(format!("the head {} of `{}` is {}", head.id, self.cluster, head.state))
                    .hint(look))
            }
            None => Err(Failure::refused(format!("`{}` has no head on AWS", self.cluster))
                .hint(look)
                .hint("make it with: trainyard up")),
        }
    }

    fn not_sent(&self, refused: Refused, head: &str) -> Failure {
        if !refused.is(&["InvalidInstanceId", "TargetNotConnected"]) {
            return refused.into();
        }
        Failure::refused(format!("Systems Manager does not reach the head {head}"))
            .caused_by(refused)
            .hint("its agent connects some minutes after the head was launched: run the same command again then")
            .hint(format!("see whether the head runs: trainyard status --cluster {}", self.cluster))
            .hint("it needs a way out to Systems Manager (NAT, or endpoints), and `access: { ssm: true }` in the spec")
    }
}

/// What a command comes to whose own end was never told.
fn never_ran(cluster: &str, ended: &ssm::Ended) -> Failure {
    let how = if ended.details.is_empty() { &ended.status } else { &ended.details };
    let said: String = ended.err.chars().filter(|c| !c.is_control() || *c == '\n').take(1000).collect();
    let said = if said.trim().is_empty() { "it said nothing" } else { said.trim() };
    let cause = std::io::Error::other(format!("{how}, code {}: {said}", ended.code));
    let failure = Failure::refused(format!("the head of `{cluster}` did not carry out the command")).caused_by(cause);
    let failure = match how.as_str() {
        // Systems Manager writes its states with blanks or without.
        how if how.starts_with("Deliver") || how == "Undeliverable" => {
            failure.hint("the agent on the head did not take it: run the same command again in a minute")
        }
        how if how.contains("Timed") => failure.hint("give the command more time: --timeout SECONDS"),
        _ => failure,
    };
    failure.hint(format!("see how the cluster is: trainyard status --cluster {cluster}"))
}

/// Calls `tell` after a while, and never ends.
async fn after(pause: Duration, tell: impl FnOnce()) {
    tokio::time::sleep(pause).await;
    tell();
    std::future::pending::<()>().await;
}

/// Cancels what was sent. The agent kills the script; what it started sees that, and ends with its job.
async fn called_back(account: &Account, sent: &ssm::Sent) -> Failure {
    match ssm::cancel(account, sent).await {
        Ok(()) => {
            // Whether it has ended is worth a moment; what it comes to does not matter any more.
            let _ = ssm::end_of(account, sent, Instant::now() + CANCEL).await;
            Failure::interrupted("the command was cancelled; the job that it waited for ends with it")
                .hint("see whether something goes on: trainyard status")
        }
        Err(refused) => Failure::interrupted(format!("stopped, but the command {} could not be cancelled", sent.id))
            .caused_by(refused)
            .hint("see which jobs run: trainyard status; end one with: trainyard run -- scancel ID"),
    }
}

/// What was sent goes on, whoever may ask about it; unless nobody ever saw it.
fn lost(refused: Refused, sent: &ssm::Sent) -> Failure {
    if refused.is(&["InvocationDoesNotExist"]) {
        return Failure::from(refused)
            .within(format!("Systems Manager took the command {}, and does not show it", sent.id))
            .hint("whether it reached the head is not known: see what runs there before you send it again")
            .hint("see which jobs run: trainyard status; whether the head is well: trainyard nodes");
    }
    Failure::from(refused)
        .within(format!("the command {} goes on on the head, and its end cannot be seen from here", sent.id))
        .hint("see which jobs run: trainyard status; end one with: trainyard run -- scancel ID")
}

/// The cluster's own user, by the system that the head runs.
fn user(head: &Instance) -> Result<&'static str, Failure> {
    let system = head.tag("attributes").and_then(|all| all.split(',').next()).unwrap_or_default().trim();
    let found = USERS.iter().find(|(begin, _)| system.starts_with(begin));
    found.map(|(_, user)| *user).ok_or_else(|| {
        Failure::refused(format!(
            "the system of the head {} is not known: its tag parallelcluster:attributes does not say it",
            head.id
        ))
        .hint("was the tag changed by hand? ParallelCluster writes it, as `ubuntu2404, slurm, 3.16.1, x86_64`")
    })
}

/// What is to be known about a command that has ended.
fn notes(report: &Report<'_>, seconds: u32, took: Duration) -> Vec<String> {
    let mut notes = Vec::new();
    // A command that did not heed SIGTERM was killed half a minute later.
    let limit = match report.code {
        TIMED_OUT => Some(seconds),
        KILLED => Some(seconds.saturating_add(30)),
        _ => None,
    };
    if limit.is_some_and(|limit| took >= Duration::from_secs(u64::from(limit))) {
        notes.push(format!("the command was ended after {seconds} s; give it more with --timeout SECONDS"));
    }
    let Some(folder) = report.kept else { return notes };
    let shown: String = folder.chars().filter(|c| !c.is_control()).take(200).collect();
    let ((out, err), (out_gone, err_gone)) = (report.wrote, report.gone);
    for (wrote, limit, file, gone) in [(out, OUT_BYTES, "stdout", out_gone), (err, ERR_BYTES, "stderr", err_gone)] {
        if usize::try_from(wrote).is_ok_and(|wrote| wrote > limit) {
            let stays = if gone { "its beginning and its end are" } else { "all of it is" };
            notes.push(format!(
                "cut after {limit} of {wrote} bytes of {file}: Systems Manager hands on no more; {stays} on the head: {shown}/{file}*"
            ));
        }
    }
    if report.goes_on {
        notes.push(format!("something that the command left behind still writes, on the head: {shown}"));
    }
    notes.push(format!("remove it there with: trainyard run -- rm -r {shown}"));
    if notes.iter().any(|note| note.starts_with("cut")) {
        notes.push("a long output is better sent to a file of /fsx or /home in the first place".to_owned());
    }
    notes
}

/// What nobody can know beforehand: the line that tells the end begins with it.
fn token() -> Result<String, Failure> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    fs_err::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("trainyard-{}", trainyard_plan::hex(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(attributes: &str) -> Instance {
        Instance {
            id: "i-1".to_owned(),
            instance: "m5.large".to_owned(),
            state: "running".to_owned(),
            private_ip: None,
            public_ip: None,
            private_dns: None,
            launched_at: None,
            zone: "us-east-1a".to_owned(),
            tags: [("parallelcluster:attributes".to_owned(), attributes.to_owned())].into(),
        }
    }

    /// D-B25: no user name for some systems.
    #[test]
    fn every_system_has_its_user() {
        use trainyard_spec::model::Os;
        let systems =
            [Os::Alinux2, Os::Alinux2023, Os::Ubuntu2204, Os::Ubuntu2404, Os::Rhel8, Os::Rhel9, Os::Rocky8, Os::Rocky9];
        let users = ["ec2-user", "ec2-user", "ubuntu", "ubuntu", "ec2-user", "ec2-user", "rocky", "rocky"];
        for (os, wanted) in systems.into_iter().zip(users) {
            let attributes = format!("{}, slurm, 3.16.1, x86_64", trainyard_spec::parallelcluster::os(os));
            assert_eq!(user(&head(&attributes)).ok(), Some(wanted), "{attributes}");
        }
        for unknown in ["", "debian13, slurm", "; rm -rf /"] {
            assert!(user(&head(unknown)).is_err(), "{unknown}");
        }
    }

    #[test]
    fn what_was_cut_and_what_took_too_long_is_said() {
        let report =
            |code, wrote, kept| Report { code, wrote, gone: (false, false), goes_on: false, kept, out: "", err: "" };
        let gone = Report { gone: (true, false), ..report(0, (1 << 40, 0), Some("/r")) };
        let on = Report { goes_on: true, ..report(0, (5, 0), Some("/r")) };
        for (report, took, wanted) in [
            (report(0, (5, 5), None), 1, &[][..]),
            (report(124, (0, 0), None), 1, &[]),
            (report(124, (0, 0), None), 61, &["after 60 s"]),
            (report(137, (0, 0), None), 61, &[]),
            (report(137, (0, 0), None), 91, &["after 60 s"]),
            (gone, 1, &["its beginning and its end are on the head: /r/stdout*", "rm -r", "to a file"]),
            (on, 1, &["still writes, on the head: /r", "rm -r"]),
            (report(0, (30_000, 0), Some("/home/u/r")), 1, &["23000 of 30000 bytes of stdout", "rm -r", "to a file"]),
            (
                report(1, (30_000, 9000), Some("/home/u/r")),
                1,
                &["/home/u/r/stdout", "7000 of 9000", "rm -r /home/u/r", "to a file"],
            ),
        ] {
            let notes = notes(&report, 60, Duration::from_secs(took));
            assert_eq!(notes.len(), wanted.len(), "{notes:?}");
            assert!(notes.iter().zip(wanted).all(|(note, text)| note.contains(text)), "{notes:?}");
        }
    }

    #[test]
    fn a_command_that_never_ran_is_a_failure_of_ours_with_what_to_do() {
        for (status, details, code, err, says, hint) in [
            (
                "TimedOut",
                "Delivery Timed Out",
                -1,
                "",
                "Delivery Timed Out, code -1: it said nothing",
                "did not take it",
            ),
            ("TimedOut", "DeliveryTimedOut", -1, "", "it said nothing", "did not take it"),
            ("Undeliverable", "Undeliverable", -1, "", "it said nothing", "did not take it"),
            ("TimedOut", "Execution Timed Out", 137, "", "Execution Timed Out, code 137", "--timeout SECONDS"),
            (
                "Failed",
                "Failed",
                1,
                "runuser: user u does not exist\n\u{1b}[1m",
                "user u does not exist\n[1m",
                "trainyard status",
            ),
            ("Cancelled", "", 137, "", "Cancelled, code 137", "trainyard status"),
        ] {
            let [status, details, err] = [status, details, err].map(str::to_owned);
            let failure = never_ran("demo", &ssm::Ended { status, details, code, out: String::new(), err });
            let (chain, hints) = (failure.chain().join(": "), failure.hints.join("; "));
            assert!(chain.contains(says) && hints.contains(hint), "{chain}; {hints}");
        }
    }
}
