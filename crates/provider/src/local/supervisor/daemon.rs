//! The supervisor's own process: it listens, starts, stops, and watches.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fs_err as fs;
use nix::sys::prctl;
use signal_hook::consts::{SIGINT, SIGTERM};
use trainyard_plan::hostlist;
use trainyard_plan::local::HEAD;

use super::boxed::definition;
use super::processes;
use super::protocol::{Answer, Ask, LINE_BYTES_MAX, Status, Verb};
use super::recovery;
use super::roster::Roster;
use crate::Failure;
use crate::failure::system;

/// slurmctld counts in whole seconds: a node that registers in the second in which it was asked for can
/// look as if it had booted before, and is then ignored until it times out. No real machine is that quick.
const FASTEST_RESUME: Duration = Duration::from_millis(1100);

/// Runs the supervisor of the cluster in `folder` until it is told to end. `log` gets one line for
/// everything that happens.
pub fn run(folder: &Path, log: fn(&str)) -> Result<(), Failure> {
    // Away from the terminal that started it; and every orphan of a node comes here.
    system(nix::unistd::setsid(), "begin a session of its own")?;
    system(prctl::set_child_subreaper(true), "adopt orphans")?;
    let end = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&end))?;
    }
    let roster = Arc::new(Roster::new(definition(folder)?, folder));
    let socket = folder.join("run/supervisor.socket");
    // A socket that a dead supervisor left behind; a live one holds the cluster's lock through `up`.
    if socket.exists() {
        fs::remove_file(&socket)?;
    }
    fs::write(folder.join("run/supervisor.pid"), std::process::id().to_string())?;
    let listener = UnixListener::bind(&socket)?;
    let served = (Arc::clone(&roster), Arc::clone(&end));
    std::thread::spawn(move || serve(&served.0, &listener, &served.1, log));
    log("started");
    while !end.load(Ordering::SeqCst) {
        let mut lost = roster.reap();
        if !lost.is_empty() {
            // A rack that fails takes several nodes at once: Slurm hears of them together.
            std::thread::sleep(Duration::from_millis(300));
            lost.extend(roster.reap());
            let roster = Arc::clone(&roster);
            std::thread::spawn(move || recovery::lost(&roster, &lost, &log));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    log("ending");
    stop_all(&roster);
    // Whatever left its node and is still here.
    processes::end_descendants(nix::unistd::Pid::this().as_raw());
    for group in roster.ended() {
        log(&format!("the control group {} cannot be removed", group.display()));
    }
    let _ = fs::remove_file(&socket);
    Ok(())
}

fn serve(roster: &Arc<Roster>, listener: &UnixListener, end: &Arc<AtomicBool>, log: fn(&str)) {
    for stream in listener.incoming().flatten() {
        let (roster, end) = (Arc::clone(roster), Arc::clone(end));
        std::thread::spawn(move || {
            if let Err(failure) = answer(&stream, &end, |ask| act(&roster, ask, log)) {
                log(&format!("a question could not be answered: {}", failure.chain().join(": ")));
            }
        });
    }
}

/// Answers one question. Whoever went away before it was asked or answered has lost nothing: that is no failure.
fn answer(
    stream: &UnixStream,
    end: &AtomicBool,
    act: impl FnOnce(Ask) -> Result<Status, Failure>,
) -> Result<(), Failure> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut line = String::new();
    match BufReader::new(stream.try_clone()?.take(LINE_BYTES_MAX)).read_line(&mut line) {
        Ok(0) => return Ok(()),
        Err(error) if is_gone(&error) => return Ok(()),
        read => read?,
    };
    let mut is_last = false;
    let answer = match serde_json::from_str::<Ask>(&line) {
        Err(error) => Answer::No { why: format!("this is not a question: {error}") },
        Ok(ask) => {
            is_last = ask == Ask::Shutdown;
            match act(ask) {
                Ok(status) => Answer::Ok(status),
                Err(failure) => Answer::No { why: failure.chain().join(": ") },
            }
        }
    };
    let mut text = serde_json::to_vec(&answer).map_err(|error| Failure::internal(error.to_string()))?;
    text.push(b'\n');
    let mut stream = stream;
    let sent = stream.write_all(&text);
    if is_last {
        end.store(true, Ordering::SeqCst);
    }
    match sent {
        Err(error) if !is_gone(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}

fn act(roster: &Arc<Roster>, ask: Ask, log: fn(&str)) -> Result<Status, Failure> {
    match ask {
        Ask::Status => {}
        Ask::Start { nodes } => {
            let names = known(roster, nodes)?;
            let is_head = names.iter().all(|name| name == HEAD);
            start_soon(roster, names, if is_head { Duration::ZERO } else { boot(roster) }, log);
        }
        Ask::Stop { nodes } => stop_together(roster, &known(roster, nodes)?),
        Ask::Settle => recovery::settle(roster, &log)?,
        Ask::Crash { node } => {
            let node = &known(roster, vec![node])?[0];
            roster.crash(node)?;
            log(&format!("node {node} was made to crash"));
        }
        Ask::Hook { verb, hosts } => {
            let names = hostlist::expand(hosts.trim())
                .ok_or_else(|| Failure::refused(format!("`{hosts}` is not a list of nodes")))?;
            hook(roster, verb, known(roster, names)?, log);
        }
        Ask::Shutdown => stop_all(roster),
    }
    Ok(roster.status())
}

/// slurmctld waits for its programs, so they are answered at once and the work goes on here.
fn hook(roster: &Arc<Roster>, verb: Verb, names: Vec<String>, log: fn(&str)) {
    log(&format!("Slurm asks: {verb:?} {}", names.join(",")));
    let roster = Arc::clone(roster);
    match verb {
        Verb::Resume => start_soon(&roster, names, boot(&roster).max(FASTEST_RESUME), log),
        Verb::Suspend => drop(std::thread::spawn(move || stop_together(&roster, &names))),
        Verb::ResumeFailed => drop(std::thread::spawn(move || recovery::resume_failed(&roster, &names, &log))),
    }
}

fn known(roster: &Roster, names: Vec<String>) -> Result<Vec<String>, Failure> {
    match names.iter().find(|name| !roster.knows(name)) {
        Some(stranger) => Err(Failure::refused(format!("this cluster has no node called `{stranger}`"))),
        None => Ok(names),
    }
}

fn boot(roster: &Roster) -> Duration {
    Duration::from_secs(u64::from(roster.cluster.boot_seconds))
}

fn start_soon(roster: &Arc<Roster>, names: Vec<String>, pause: Duration, log: fn(&str)) {
    let names: Vec<String> = names.into_iter().filter(|name| roster.want(name)).collect();
    let roster = Arc::clone(roster);
    std::thread::spawn(move || {
        std::thread::sleep(pause);
        for name in names {
            recovery::start(&roster, &name, &log);
        }
    });
}

fn stop_together(roster: &Arc<Roster>, names: &[String]) {
    std::thread::scope(|scope| {
        for name in names {
            scope.spawn(|| drop(roster.stop(name)));
        }
    });
}

/// Compute nodes first: they say good-bye to the head.
fn stop_all(roster: &Arc<Roster>) {
    roster.close();
    let names: Vec<String> = roster.running().into_iter().filter(|name| name != HEAD).collect();
    stop_together(roster, &names);
    let _ = roster.stop(HEAD);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to a supervisor, and what it says; `None` where it has a problem.
    fn said(ask: &str, stays: bool) -> (Option<String>, bool) {
        let (mut here, there) = UnixStream::pair().expect("a pair");
        here.write_all(ask.as_bytes()).expect("asked");
        let here = stays.then_some(here);
        let end = AtomicBool::new(false);
        let done = answer(&there, &end, |_| Ok(Status::default())).is_ok();
        drop(there);
        let mut text = String::new();
        if let Some(mut here) = here {
            here.read_to_string(&mut text).expect("an answer");
        }
        (done.then_some(text), end.load(Ordering::SeqCst))
    }

    /// Each `trainyard status` left two lines in the supervisor's log.
    #[test]
    fn who_asks_and_goes_away_is_no_problem() {
        let silence = Some(String::new());
        assert_eq!(said("", false), (silence.clone(), false));
        assert_eq!(said("{\"ask\":\"status\"}\n", false), (silence.clone(), false));
        assert_eq!(said("{\"ask\":\"shutdown\"}\n", false), (silence, true));
        let (answer, _) = said("{\"ask\":\"status\"}\n", true);
        assert_eq!(answer.as_deref(), Some("{\"answer\":\"ok\",\"pid\":0,\"nodes\":[]}\n"));
        assert!(said("what?\n", true).0.is_some_and(|answer| answer.contains("this is not a question")));
    }
}
