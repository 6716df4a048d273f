//! The daemons of a node: each starts once the one before it works, and is watched from then on.
//!
//! The node is lost with one that it cannot do without. One that only watches the node starts again, after a pause that
//! grows. Nothing here waits or reads the clock: whoever uses it does, so that nothing keeps it from noticing an end.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use trainyard_run::Command;

use crate::Failure;

/// How long a daemon may take until it works.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Between looks at whether a daemon works.
const LOOK: Duration = Duration::from_millis(20);

/// Before one starts again; it doubles each time, up to the most.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// One that ran this long has come through: the next pause is short again.
const PROVEN: Duration = Duration::from_mins(1);

/// One daemon.
pub(super) struct Daemon {
    pub name: &'static str,
    pub command: Command,
    /// What it is started with when it ended and what it makes is there: it goes on with that.
    pub again: Option<Command>,
    /// The node is lost when it ends. One that only watches starts again.
    pub is_vital: bool,
    /// A file that stands once it works; the next daemon needs it.
    pub makes: Option<String>,
    /// What one of a lost node left: it goes first, for it must not pass for the new one's.
    pub replaces: Option<String>,
}

impl Daemon {
    /// One that nothing waits for.
    pub fn new(name: &'static str, command: Command, is_vital: bool) -> Self {
        Self { name, command, again: None, is_vital, makes: None, replaces: None }
    }

    fn works(&self) -> bool {
        self.makes.as_ref().is_none_or(|path| Path::new(path).exists())
    }
}

/// How a daemon is to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// What an earlier one left goes first.
    Anew,
    /// What it made is there, and it goes on with it.
    Again,
}

/// What is done to processes.
pub(super) trait Hands {
    fn start(&mut self, daemon: &Daemon, beginning: Beginning) -> Result<Pid, Failure>;
    fn kill(&mut self, pid: Pid);
    /// A line for whoever reads the node's log.
    fn note(&mut self, line: &str);
}

struct Kept {
    daemon: Daemon,
    state: State,
    pause: Duration,
    /// It was started before, so what it makes is its own.
    has_begun: bool,
}

#[derive(Clone, Copy)]
enum State {
    /// To be started then.
    Due(Instant),
    Runs {
        pid: Pid,
        since: Instant,
        works: bool,
    },
}

/// All daemons of a node, in their order.
pub(super) struct Daemons(Vec<Kept>);

impl Daemons {
    pub fn new(daemons: impl IntoIterator<Item = Daemon>, now: Instant) -> Self {
        let kept = |daemon| Kept { daemon, state: State::Due(now), pause: PAUSE, has_begun: false };
        Self(daemons.into_iter().map(kept).collect())
    }

    /// Starts what is due, and gives up on what does not work in time. A failure is the node's end.
    pub fn tend(&mut self, now: Instant, hands: &mut impl Hands) -> Result<(), Failure> {
        let mut may_start = true;
        for kept in &mut self.0 {
            match &mut kept.state {
                State::Due(at) if may_start && *at <= now => kept.start(now, hands)?,
                State::Runs { pid, since, works } if !*works => {
                    *works = kept.daemon.works();
                    if !*works && now.saturating_duration_since(*since) > START_PATIENCE {
                        let seconds = START_PATIENCE.as_secs();
                        let made = kept.daemon.makes.as_deref().unwrap_or_default();
                        let what = format!("{} did not make {made} within {seconds} s", kept.daemon.name);
                        if kept.daemon.is_vital {
                            return Err(Failure::refused(what));
                        }
                        hands.note(&format!("{what}, and is ended"));
                        // Its end is noticed like any other.
                        hands.kill(*pid);
                        *since = now;
                    }
                }
                _ => {}
            }
            may_start = may_start && kept.has_begun && kept.daemon.works();
        }
        Ok(())
    }

    /// Takes note of a process's end. A failure is the node's end.
    pub fn ended(&mut self, status: WaitStatus, now: Instant, hands: &mut impl Hands) -> Result<(), Failure> {
        let is_it = |kept: &&mut Kept| matches!(kept.state, State::Runs { pid, .. } if Some(pid) == status.pid());
        let Some(kept) = self.0.iter_mut().find(is_it) else { return Ok(()) };
        let what = format!("{} ended: {}", kept.daemon.name, told(status));
        if kept.daemon.is_vital {
            return Err(Failure::refused(what));
        }
        kept.later(&what, now, hands);
        Ok(())
    }

    /// How long there is nothing to do, unless a process ends; `None` without end.
    pub fn idle(&self, now: Instant) -> Option<Duration> {
        let mut may_start = true;
        let mut idle: Option<Duration> = None;
        for kept in &self.0 {
            let next = match kept.state {
                State::Due(at) if may_start => Some(at.saturating_duration_since(now)),
                State::Runs { works: false, .. } => Some(LOOK),
                _ => None,
            };
            idle = idle.into_iter().chain(next).min();
            may_start = may_start && kept.has_begun && kept.daemon.works();
        }
        idle
    }

    /// Those that run, in their order.
    pub fn running(&self) -> impl DoubleEndedIterator<Item = Pid> {
        self.0.iter().filter_map(|kept| match kept.state {
            State::Runs { pid, .. } => Some(pid),
            State::Due(_) => None,
        })
    }
}

impl Kept {
    fn start(&mut self, now: Instant, hands: &mut impl Hands) -> Result<(), Failure> {
        let goes_on = self.has_begun && self.daemon.again.is_some() && self.daemon.works();
        match hands.start(&self.daemon, if goes_on { Beginning::Again } else { Beginning::Anew }) {
            Ok(pid) => {
                self.has_begun = true;
                self.state = State::Runs { pid, since: now, works: self.daemon.makes.is_none() };
                Ok(())
            }
            Err(failure) if self.daemon.is_vital => Err(failure),
            Err(failure) => {
                let what = format!("{} does not start: {}", self.daemon.name, failure.chain().join(": "));
                self.later(&what, now, hands);
                Ok(())
            }
        }
    }

    /// It starts again, after a pause.
    fn later(&mut self, what: &str, now: Instant, hands: &mut impl Hands) {
        let is_proven = |since: Instant| now.saturating_duration_since(since) >= PROVEN;
        if matches!(self.state, State::Runs { since, works: true, .. } if is_proven(since)) {
            self.pause = PAUSE;
        }
        let pause = self.pause;
        hands.note(&format!("{what}; the node goes on, and it starts again in {} s", pause.as_secs()));
        self.state = State::Due(now + pause);
        self.pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// How a process ended, for people.
fn told(status: WaitStatus) -> String {
    match status {
        WaitStatus::Exited(_, code) => format!("exit status {code}"),
        WaitStatus::Signaled(_, signal, _) => format!("killed by {signal}"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::Signal;

    use super::*;

    /// Processes that are numbers, and everything that was done.
    #[derive(Default)]
    struct Fake {
        last: i32,
        fails: bool,
        done: Vec<String>,
    }

    impl Hands for Fake {
        fn start(&mut self, daemon: &Daemon, beginning: Beginning) -> Result<Pid, Failure> {
            if self.fails {
                return Err(Failure::refused("no such program"));
            }
            self.last += 1;
            self.done.push(format!("{} {beginning:?}", daemon.name));
            Ok(Pid::from_raw(self.last))
        }

        fn kill(&mut self, pid: Pid) {
            self.done.push(format!("kill {pid}"));
        }

        fn note(&mut self, line: &str) {
            self.done.push(line.to_owned());
        }
    }

    impl Fake {
        fn took(&mut self) -> Vec<String> {
            std::mem::take(&mut self.done)
        }
    }

    fn daemon(name: &'static str, is_vital: bool, makes: Option<&Path>) -> Daemon {
        let makes = makes.map(|path| path.to_string_lossy().into_owned());
        Daemon { makes, ..Daemon::new(name, Command::new(name), is_vital) }
    }

    fn exited(pid: i32, code: i32) -> WaitStatus {
        WaitStatus::Exited(Pid::from_raw(pid), code)
    }

    #[test]
    fn what_watches_a_node_starts_again_with_a_growing_pause_and_its_end_is_noted() {
        let (mut now, mut hands) = (Instant::now(), Fake::default());
        let mut daemons = Daemons::new([daemon("slurmd", true, None), daemon("agent", false, None)], now);
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took(), ["slurmd Anew", "agent Anew"]);
        let killed = WaitStatus::Signaled(Pid::from_raw(2), Signal::SIGKILL, false);
        daemons.ended(killed, now, &mut hands).unwrap();
        assert_eq!(hands.took(), ["agent ended: killed by SIGKILL; the node goes on, and it starts again in 1 s"]);
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took(), [""; 0]);
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(daemons.idle(now), Some(Duration::from_secs(pause)));
            now += Duration::from_secs(pause);
            daemons.tend(now, &mut hands).unwrap();
            assert_eq!(hands.took(), ["agent Anew"]);
            assert_eq!(daemons.idle(now), None);
            daemons.ended(exited(hands.last, 3), now, &mut hands).unwrap();
            let said = hands.took().remove(0);
            assert!(said.starts_with("agent ended: exit status 3; the node goes on"), "{said}");
        }
        // One that has run for a while has earned a short pause, and one that cannot be started is tried again.
        now += PAUSE_MAX;
        daemons.tend(now, &mut hands).unwrap();
        now += PROVEN;
        daemons.ended(exited(hands.last, 0), now, &mut hands).unwrap();
        assert_eq!(daemons.idle(now), Some(PAUSE));
        (now, hands.fails) = (now + PAUSE, true);
        hands.took();
        daemons.tend(now, &mut hands).unwrap();
        let said = "agent does not start: no such program; the node goes on, and it starts again in 2 s";
        assert_eq!(hands.took(), [said]);
        assert_eq!(daemons.running().collect::<Vec<_>>(), [Pid::from_raw(1)]);
    }

    #[test]
    fn a_node_is_lost_with_a_daemon_that_it_cannot_do_without() {
        let (now, mut hands) = (Instant::now(), Fake::default());
        let mut daemons = Daemons::new([daemon("slurmd", true, None), daemon("agent", false, None)], now);
        daemons.tend(now, &mut hands).unwrap();
        daemons.ended(exited(77, 0), now, &mut hands).unwrap();
        let failure = daemons.ended(exited(1, 9), now, &mut hands).unwrap_err();
        assert_eq!(failure.what, "slurmd ended: exit status 9");
        let mut daemons = Daemons::new([daemon("slurmd", true, None)], now);
        hands.fails = true;
        assert!(daemons.tend(now, &mut hands).is_err());
    }

    /// The agent would take half a replay, or none, for the machine's own.
    #[test]
    fn an_agent_is_not_started_before_its_replay_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let complete = folder.path().join("replay.json");
        // Left by a lost node: the player replaces it.
        std::fs::write(&complete, "").unwrap();
        let (mut now, mut hands) = (Instant::now(), Fake { fails: true, ..Fake::default() });
        let player = || Daemon { again: Some(Command::new("on")), ..daemon("player", false, Some(&complete)) };
        let mut daemons = Daemons::new([player(), daemon("agent", false, None)], now);
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took().len(), 1, "the player does not start, so the agent is not tried");
        std::fs::remove_file(&complete).unwrap();
        (now, hands.fails) = (now + PAUSE, false);
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took(), ["player Anew"]);
        assert_eq!(daemons.idle(now), Some(LOOK));
        daemons.ended(exited(1, 2), now, &mut hands).unwrap();
        now += Duration::from_secs(2);
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took()[1..], ["player Anew"], "what it made first was never complete");
        // It hangs: nothing waits for it, and it is given up.
        now += START_PATIENCE + LOOK;
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took()[1..], ["kill 2"]);
        daemons.ended(WaitStatus::Signaled(Pid::from_raw(2), Signal::SIGKILL, false), now, &mut hands).unwrap();
        now += Duration::from_secs(4);
        daemons.tend(now, &mut hands).unwrap();
        std::fs::write(&complete, "").unwrap();
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took()[1..], ["player Anew", "agent Anew"]);
        // One that ends later goes on with what is there, under the agent's eyes.
        daemons.ended(exited(3, 1), now, &mut hands).unwrap();
        now += PAUSE_MAX;
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took()[1..], ["player Again"]);
    }

    #[test]
    fn a_vital_daemon_that_does_not_work_in_time_is_the_nodes_end() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("munge.socket");
        let (now, mut hands) = (Instant::now(), Fake::default());
        let mut daemons = Daemons::new([daemon("munged", true, Some(&socket)), daemon("slurmctld", true, None)], now);
        daemons.tend(now, &mut hands).unwrap();
        assert_eq!(hands.took(), ["munged Anew"]);
        let failure = daemons.tend(now + START_PATIENCE + LOOK, &mut hands).unwrap_err();
        assert!(failure.what.starts_with("munged did not make /"), "{failure}");
        std::fs::write(&socket, "").unwrap();
        daemons.tend(now + LOOK, &mut hands).unwrap();
        assert_eq!(hands.took(), ["slurmctld Anew"]);
    }
}
