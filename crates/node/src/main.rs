//! `trainyard-agent`: what runs on the nodes.

mod ui;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use trainyard_node::ask::ask;
use trainyard_node::conductor::{Conductor, Tempo};
use trainyard_node::events::Events;
use trainyard_node::exposition::{Format, write};
use trainyard_node::files::open_many;
use trainyard_node::jobs;
use trainyard_node::list;
use trainyard_node::live::Live;
use trainyard_node::replay::{self, Wanted, Written};
use trainyard_node::serve::{Guard, Part, Site, is_private, listen, serve};
use trainyard_node::settings::{
    Arguments, Collecting, Command, ListFormat, ListJobs, PlayReplay, Replay, Serve, WriteReplay,
};

/// What a shell is told when the arguments make no sense.
const USAGE: u8 = 2;
/// The machine refused.
const REFUSED: u8 = 3;

fn main() -> ExitCode {
    open_many();
    // One thread for connections: they are few, and each costs less than a collection.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ui::failure(REFUSED, &format!("the agent cannot start: {error}")),
    };
    let result = match Arguments::parse().command {
        Command::Serve(arguments) => runtime.block_on(serve_metrics(&arguments)),
        Command::Metrics(arguments) => {
            let part = arguments.part.as_deref().unwrap_or_default();
            match arguments.format {
                ListFormat::Text => ui::print(&list::text(part)),
                ListFormat::Json => ui::print(&format!("{:#}\n", list::json(part))),
            }
            Ok(())
        }
        Command::Ask(arguments) => runtime.block_on(ask_agents(&arguments.agents)),
        Command::Print(arguments) => runtime.block_on(print_metrics(&arguments)),
        Command::Jobs(arguments) => list_jobs(&arguments),
        Command::Replay(arguments) => replay_folder(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, sentence)) => ui::failure(code, &sentence),
    }
}

type Outcome = Result<(), (u8, String)>;

fn refused(sentence: impl Into<String>) -> (u8, String) {
    (REFUSED, sentence.into())
}

async fn serve_metrics(arguments: &Serve) -> Outcome {
    let guard = match &arguments.web_config {
        Some(path) => Guard::read(path).map_err(|problem| (USAGE, problem.told()))?,
        None => Guard::default(),
    };
    for address in [Some(arguments.listen), arguments.listen_machine].into_iter().flatten() {
        if !is_private(address) && !guard.is_closed() {
            return Err((USAGE, open_to_strangers(address)));
        }
    }
    let guard = Arc::new(guard);
    let scheme = if guard.tls().is_some() { "https" } else { "http" };
    let events = events();
    let conductor =
        Arc::new(start(&arguments.collecting, &events, Tempo { interval: arguments.interval(), ..Tempo::default() })?);
    let parts = match arguments.listen_machine {
        Some(address) => vec![(arguments.listen, Part::Accelerators), (address, Part::Machine)],
        None => vec![(arguments.listen, Part::All)],
    };
    let live = watch(&conductor);
    conductor.begun().await;
    for (address, part) in parts {
        let taken = |error| refused(format!("cannot listen at {address}: {error}"));
        let listener = listen(address).await.map_err(taken)?;
        // Port 0 is any that is free: who asks for it reads here which.
        let address = listener.local_addr().map_err(taken)?;
        ui::say(&format!("metrics are at {scheme}://{address}/metrics"));
        let fresh_for = arguments.interval() / 2;
        tokio::spawn(serve(
            listener,
            Arc::new(Site {
                conductor: Arc::clone(&conductor),
                events: events.clone(),
                live: Arc::clone(&live),
                guard: Arc::clone(&guard),
                part,
                fresh_for,
            }),
        ));
    }
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|error| refused(format!("cannot be told to end: {error}")))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    conductor.end();
    Ok(())
}

/// Looks at what every round brought, as long as the agent runs.
fn watch(conductor: &Arc<Conductor>) -> Arc<Live> {
    let live = Arc::new(Live::default());
    let (watched, taken) = (Arc::clone(conductor), Arc::clone(&live));
    tokio::spawn(async move {
        loop {
            watched.next_round().await;
            taken.take(&watched.told());
        }
    });
    live
}

async fn ask_agents(agents: &[SocketAddr]) -> Outcome {
    for answer in ask(agents).await {
        ui::print(&format!("{}\n", serde_json::to_string(&answer).unwrap_or_default()));
    }
    Ok(())
}

fn open_to_strangers(address: SocketAddr) -> String {
    format!(
        "{address} is not a private address, and anybody who reaches it would read the node's metrics\n  \
         hint: listen at the node's own address, for example --listen 10.0.1.2:9400\n  \
         hint: or give --web-config a file with tls_server_config and basic_auth_users"
    )
}

async fn print_metrics(arguments: &Collecting) -> Outcome {
    let conductor = start(arguments, &events(), Tempo::default())?;
    conductor.begun().await;
    // Nobody asks again: what has a pace of its own is waited for.
    conductor.settled(std::time::Duration::from_secs(30)).await;
    ui::print(&write(&conductor.pages(), Format::Classic));
    Ok(())
}

fn list_jobs(arguments: &ListJobs) -> Outcome {
    let ListJobs { state, last, format } = arguments;
    let text = match format {
        ListFormat::Text => jobs::list::text(state, *last),
        ListFormat::Json => jobs::list::json(state, *last).map(|json| format!("{json:#}\n")),
    };
    ui::print(&text.map_err(|problem| refused(problem.told()))?);
    Ok(())
}

fn replay_folder(arguments: Replay) -> Outcome {
    match arguments {
        Replay::List => ui::print(&replay::list()),
        Replay::Play(arguments) => play(arguments)?,
        Replay::Write(WriteReplay { profile, faults, seconds, node, folder }) => {
            let wanted = Wanted { profile, faults, seconds, node };
            replay::write(&wanted, &folder).map_err(|sentence| (USAGE, sentence))?;
        }
    }
    Ok(())
}

fn play(arguments: PlayReplay) -> Outcome {
    let PlayReplay { every, played_seconds, profile, faults, seconds, node, folder } = arguments;
    let mut written = Written::default();
    let mut wanted = if let Some(profile) = profile {
        let wanted = Wanted { profile, faults, seconds, node };
        replay::write_more(&wanted, &folder, &mut written).map_err(|sentence| (USAGE, sentence))?;
        wanted
    } else {
        replay::read(&folder).map_err(refused)?
    };
    let (begun, first) = (Instant::now(), wanted.seconds);
    while begun.elapsed().as_secs() < played_seconds {
        std::thread::sleep(Duration::from_secs(every));
        wanted.seconds = first.saturating_add(begun.elapsed().as_secs());
        replay::write_more(&wanted, &folder, &mut written).map_err(refused)?;
    }
    Ok(())
}

fn events() -> Events {
    let events = Events::default();
    events.listen(Box::new(ui::event));
    events
}

fn start(arguments: &Collecting, events: &Events, tempo: Tempo) -> Result<Conductor, (u8, String)> {
    let collectors = arguments.collectors(events).map_err(|sentence| (USAGE, sentence))?;
    Conductor::start(collectors, tempo, Box::new(|happening| ui::happening(&happening)))
        .map_err(|error| refused(format!("the agent cannot start its threads: {error}")))
}
